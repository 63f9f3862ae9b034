/* dubanctl explain: why a measure was issued in a simulated run, or why an instance stands where it does. */
#include "ctl/explain.h"

#include "ctl/check.h"
#include "ctl/event_run.h"
#include "ctl/scenario_match.h"

#define EXPLAINED_MAX 50 /* accounts of one call */

struct search {
    const struct ctl_call *call;
    struct arena *scratch;
    struct slice id; /* of a measure or a notification, or an instance; empty: by the options */
    bool why_not;
    struct trail trail;
    struct simulation *simulation; /* of the last run: its program is what the trail points into */
    json_t **measure;              /* those that are asked for, of this run */
    size_t *turn;                  /* of each */
    size_t n, cap, nturn, turn_cap;
    struct slice *instance; /* whose steps are kept */
    size_t ninstances, instances_cap;
};

/* ---- which ones are meant */

static bool option_fits(const struct ctl_call *call, const char *option, struct slice value)
{
    const char *want = ctl_value(call, option);
    return !want || slice_eq(slice_of(want), value);
}

/* By its id every recipient's notification is meant, by anything else the measure once. */
static bool measure_meant(const struct search *s, const struct record *r, const json_t *o)
{
    if (s->id.n && slice_eq(s->id, json_member(o, "id")))
        return true;
    if (!issued_stands(r, o))
        return false;
    if (s->id.n)
        return slice_eq(s->id, json_member(o, "task"));
    struct slice about = json_member(o, "subject");
    return option_fits(s->call, "measure", json_member(o, "measure")) &&
           option_fits(s->call, "unit", json_member(o, "unit")) &&
           option_fits(s->call, "subject", about.n ? about : json_member(o, "about")) &&
           option_fits(s->call, "obligation", json_member(o, "obligation")) &&
           option_fits(s->call, "period", json_member(o, "period"));
}

/* By the parts of its key: each option must be one of them. */
static bool instance_meant(const struct search *s, const struct machine *m, const json_t *key)
{
    static const char *const options[] = {"unit", "subject", "obligation", "period"};
    for (size_t i = 0; i < 4; i++) {
        const char *want = ctl_value(s->call, options[i]);
        bool found = !want;
        for (size_t k = 0; !found && k < json_array_size(key); k++)
            found = !strcmp(want, json_string_value(json_array_get(key, k)));
        if (!found)
            return false;
    }
    return option_fits(s->call, "machine", m->name);
}

static void keep_instance(struct search *s, struct slice who)
{
    for (size_t i = 0; i < s->ninstances; i++)
        if (slice_eq(s->instance[i], who))
            return;
    struct slice *slot =
        arena_push(s->call->arena, &s->instance, &s->ninstances, &s->instances_cap, sizeof *slot);
    *slot = arena_dup(s->call->arena, who);
}

static bool wanted(void *ctx, struct slice instance)
{
    const struct search *s = ctx;
    for (size_t i = 0; i < s->ninstances; i++)
        if (slice_eq(s->instance[i], instance))
            return true;
    return false;
}

/* ---- the run: once to find what is meant, once more to look on at its instances */

static void take_moves(struct search *s, const json_t *history)
{
    const json_t *moved = json_object_get(history, "transitions");
    for (size_t i = 0; s->why_not && i < json_array_size(moved); i++) {
        const json_t *o = json_array_get(moved, i), *key = json_object_get(o, "key");
        struct instance it = {.machine = program_machine(s->trail.p, json_member(o, "machine"))};
        if (it.machine <= 0)
            continue;
        for (size_t k = 0; k < json_array_size(key) && k < KEY_PARTS_MAX; k++)
            it.key[k] = slice_of(json_string_value(json_array_get(key, k)));
        struct slice who = instance_print(s->scratch, s->trail.p, &it);
        if (s->id.n ? slice_eq(s->id, who) : instance_meant(s, &s->trail.p->machines[it.machine], key))
            keep_instance(s, who);
    }
}

static void take_output(void *ctx, const struct record *r)
{
    struct search *s = ctx;
    arena_reset(s->scratch);
    if (r->topic == TOPIC_HISTORY) {
        struct slice text = wire_history_json(r->value, s->scratch);
        json_t *o = json_loadb(text.p, text.n, 0, NULL);
        take_moves(s, o);
        trail_turn(&s->trail, o);
        json_decref(o);
        return;
    }
    if (s->why_not)
        return;
    json_t *o = issued_read(r, s->scratch);
    if (!o || !measure_meant(s, r, o)) {
        json_decref(o);
        return;
    }
    keep_instance(s, json_member(o, "task"));
    *(json_t **)arena_push(s->call->arena, &s->measure, &s->n, &s->cap, sizeof *s->measure) = o;
    *(size_t *)arena_push(s->call->arena, &s->turn, &s->nturn, &s->turn_cap, sizeof *s->turn) = s->trail.turn;
}

static void forget_measures(struct search *s)
{
    for (size_t i = 0; i < s->n; i++)
        json_decref(s->measure[i]);
    s->n = s->nturn = 0;
}

static enum ctl_exit run_once(struct search *s, const struct bundle *b, const struct program *p,
                              const struct event_run *run, const struct cloud_event *event, size_t n,
                              bool looking)
{
    struct err e;
    forget_measures(s);
    trail_start(&s->trail, p, s->call->arena, wanted, s);
    struct simulation *sim = simulation_of(p, b, run->from, take_output, s, &e);
    if (!sim)
        return ctl_fail(s->call, CTL_COULD_NOT, "%s", e.text);
    if (looking)
        simulation_watch(sim, &s->trail.watch);
    simulation_free(s->simulation);
    s->simulation = sim;
    return event_run_feed(s->call, sim, run, event, n, NULL, NULL);
}

/* ---- telling */

static void tell(const struct search *s, struct account *a, const json_t *measure)
{
    static size_t told;
    if (!s->call->json) {
        if (told++)
            putchar('\n');
        account_print(a, stdout);
        return;
    }
    json_t *o = account_json(a);
    if (measure)
        json_object_set(o, "measure", (json_t *)(uintptr_t)measure);
    json_print(stdout, o);
}

static enum ctl_exit tell_all(struct search *s, const struct bundle *b)
{
    size_t n = s->why_not ? s->ninstances : s->n;
    for (size_t i = 0; i < n && i < EXPLAINED_MAX; i++) {
        struct account a = {.arena = s->call->arena, .p = s->trail.p, .bundle = b};
        if (s->why_not)
            explain_why_not(&a, &s->trail, s->instance[i]);
        else
            explain_measure(&a, &s->trail, s->measure[i], s->turn[i]);
        tell(s, &a, s->why_not ? NULL : s->measure[i]);
    }
    if (n > EXPLAINED_MAX)
        ctl_fail(s->call, CTL_DONE, "%zu more fit; name more of what is meant", n - EXPLAINED_MAX);
    if (n)
        return CTL_DONE;
    return ctl_fail(s->call, CTL_PROBLEMS,
                    s->why_not ? "no instance like this ever lived in this run"
                               : "no measure like this was issued in this run; --why-not "
                                 "tells what holds an instance where it is");
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bundle b;
    struct program *p;
    struct cloud_event *event;
    struct event_run when;
    size_t n;
    struct search s = {.call = call, .why_not = ctl_value(call, "why-not") != NULL};
    s.id = call->nargs > 1 ? slice_of(call->argument[1]) : S("");
    if (!s.id.n && !ctl_value(call, "measure") && !ctl_value(call, "unit") && !ctl_value(call, "subject") &&
        !ctl_value(call, "obligation"))
        return ctl_fail(call, CTL_USAGE,
                        "expected a measure's id, a task or case such as card/u-01/i-017, or at "
                        "least one of --measure --unit --subject --obligation");
    if (!ctl_load(call, call->argument[0], &b, &p))
        return CTL_PROBLEMS;
    if (!event_run_times(call, p->tz, &when))
        return CTL_USAGE;
    if (!event_run_read(call, ctl_value(call, "events"), &event, &n))
        return CTL_COULD_NOT;
    s.scratch = arena_new();
    s.trail.p = p;
    enum ctl_exit status = run_once(&s, &b, p, &when, event, n, false);
    if (status == CTL_DONE)
        status = run_once(&s, &b, p, &when, event, n, true);
    if (status == CTL_DONE)
        status = tell_all(&s, &b);
    forget_measures(&s);
    simulation_free(s.simulation);
    arena_free(s.scratch);
    return status;
}

const struct ctl_command ctl_explain = {
    .name = "explain",
    .arguments = "DIR --events FILE [ID]",
    .summary = "why a measure was issued in a simulated run: article, rule, values, records, dates",
    .least = 1,
    .most = 2,
    .options = {{"events", "FILE", "the events; - reads standard input", true},
                {"from", "T", "when the definition takes force; default: the start of its effective span",
                 false},
                {"until", "T", "let time run on to here; later events are left out", false},
                {"measure", "NAME", "measures of this name", false},
                {"unit", "ID", "of this unit", false},
                {"subject", "ID", "on this subject", false},
                {"obligation", "NAME", "of tasks of this obligation", false},
                {"period", "P", "of this period", false},
                {"machine", "NAME", "with --why-not: instances of this machine", false},
                {"why-not", NULL, "which rules of its present state did not hold, and why", false}},
    .run = run,
};
