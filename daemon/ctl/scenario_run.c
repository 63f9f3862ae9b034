#include "ctl/scenario_run.h"

struct failure *scenario_fail(struct scenario_run *run, const struct yaml *at, const char *fmt, ...)
{
    struct failure *f =
        arena_push(run->arena, &run->failures, &run->nfailures, &run->failures_cap, sizeof *f);
    struct buf b = {0};
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&b, fmt, args);
    va_end(args);
    *f = (struct failure){.at = at, .expected = arena_dup(run->arena, buf_slice(&b))};
    buf_free(&b);
    return f;
}

void failure_add(struct scenario_run *run, struct failure *f, struct slice line)
{
    *(struct slice *)arena_push(run->arena, &f->happened, &f->n, &f->cap, sizeof *f->happened) = line;
}

/* ---- outputs */

static void take_output(void *ctx, const struct record *r)
{
    struct scenario_run *run = ctx;
    if (!run->simulation) /* the definition's own turn: large, and nothing to a scenario */
        return;
    arena_reset(run->scratch);
    if (r->topic == TOPIC_HISTORY) {
        struct slice text = wire_history_json(r->value, run->scratch);
        json_t *o = json_loadb(text.p, text.n, 0, NULL);
        coverage_take(run->coverage, o);
        proposed_take(run, o);
        json_decref(o);
        return;
    }
    issued_t *i = issued_take(r, run->scratch);
    if (!i || withdrawn_take(run, i))
        return;
    coverage_measure(run->coverage, json_member(i, "measure"));
    *(issued_t **)arena_push(run->arena, &run->issued, &run->nissued, &run->issued_cap, sizeof *run->issued) =
        i;
}

/* ---- steps */

static void take_rejection(struct scenario_run *run, const struct scenario_event *e,
                           const struct outcome *out)
{
    struct refusal_seen *r =
        arena_push(run->arena, &run->refused, &run->nrefused, &run->refused_cap, sizeof *r);
    *r = (struct refusal_seen){.at = e->at,
                               .reason = ARENA_ARRAY(run->arena, struct slice, out->nreasons + 1),
                               .nreasons = out->nreasons};
    for (size_t i = 0; i < out->nreasons; i++)
        r->reason[i] = arena_dup(run->arena, out->reasons[i]);
}

static bool take_events(struct scenario_run *run, const struct scenario_step *step, struct err *e)
{
    for (size_t i = 0; i < step->nevents; i++) {
        struct outcome out;
        instant_t received = step->time == INSTANT_NONE ? simulation_now(run->simulation) : step->time;
        struct cloud_event event;
        if (!scenario_event_complete(run, &step->events[i], &event, e) ||
            !simulation_event(run->simulation, &event, received, &out, e))
            return false;
        if (out.what == OUTCOME_REJECTED)
            take_rejection(run, &step->events[i], &out);
    }
    return true;
}

static void clear_step(struct scenario_run *run)
{
    for (size_t i = 0; i < run->nissued; i++)
        json_decref(run->issued[i]);
    issued_clear(&run->withdrawn);
    issued_clear(&run->proposed);
    run->nissued = run->nrefused = run->nlooked = 0;
}

/* A rejection that nobody foresaw is a failure of its event. */
static void end_step(struct scenario_run *run)
{
    for (size_t i = 0; i < run->nrefused; i++) {
        const struct refusal_seen *r = &run->refused[i];
        if (r->foreseen)
            continue;
        struct failure *f = scenario_fail(run, r->at, "this event is taken (no `rejected:` follows it)");
        for (size_t k = 0; k < r->nreasons; k++)
            failure_add(run, f, arena_printf(run->arena, "rejected: %.*s", SLICE_ARG(r->reason[k])));
    }
    clear_step(run);
}

static bool run_step(struct scenario_run *run, const struct scenario_step *step, struct err *e)
{
    if (step->time != INSTANT_NONE && step->nevents == 0 && !simulation_until(run->simulation, step->time, e))
        return false;
    if (!take_events(run, step, e))
        return false;
    for (size_t i = 0; i < step->nchecks; i++)
        scenario_check(run, &step->checks[i]);
    end_step(run);
    return true;
}

static bool run_once(struct scenario_run *run, const struct program *p, const struct bundle *b,
                     const struct scenario *s, struct coverage *coverage, struct arena *a, bool looking,
                     struct err *e)
{
    struct watch watch;
    *run = (struct scenario_run){
        .p = p, .bundle = b, .s = s, .coverage = coverage, .arena = a, .scratch = arena_new(), .looking = looking};
    run->simulation = simulation_of(p, b, INSTANT_NONE, take_output, run, e);
    bool ok = run->simulation != NULL;
    if (ok && looking) {
        looked_start(run, &watch);
        simulation_watch(run->simulation, &watch);
    }
    for (size_t i = 0; ok && i < s->nsteps; i++)
        ok = run_step(run, &s->steps[i], e);
    clear_step(run);
    for (size_t i = 0; i < s->ncovers; i++)
        coverage_article(coverage, s->covers[i]);
    simulation_free(run->simulation);
    run->simulation = NULL;
    arena_free(run->scratch);
    run->scratch = NULL;
    return ok;
}

bool scenario_run(struct scenario_run *run, const struct program *p, const struct bundle *b,
                  const struct scenario *s, struct coverage *coverage, struct arena *a, struct err *e)
{
    return run_once(run, p, b, s, coverage, a, false, e) &&
           (!run->nfailures || run_once(run, p, b, s, coverage, a, true, e));
}
