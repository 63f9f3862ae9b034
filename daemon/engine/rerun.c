/* History run again, in memory, by the same engine. Nothing leaves it. */
#include "engine/rerun.h"

#include "engine/intake.h"

#include <stdlib.h>

/* ---- what the core asks */

static struct slice fresh_id(const struct trace *t, struct arena *a)
{
    const struct slice part[] = {t->id, S("again"), arena_printf(a, "%u", t->times)};

    return wire_id(a, part, sizeof part / sizeof *part);
}

/* What left in its own turn has left; the rest waits for a decision, if that was made in the place where it
 * was made. */
enum may_issue rerun_may_issue(void *ctx, const struct effects *so_far, struct issued *m)
{
    const struct turn *turn = ctx;
    const struct program *p = turn->program;
    struct slice task = instance_print(turn->arena, p, m->instance);
    struct measure_key key = wire_measure_key(&so_far->cause, task, p->measures[m->measure].name, m->unit);
    struct trace *t = trace_find(&turn->engine->rerun->plan->traces, &key);

    if (t == NULL)
        return ISSUE_PROPOSED;
    if (t->annulled)
        return ISSUE_NOT;
    if (t->status == TRACE_OUT) {
        t->follows = true;
        return ISSUE_QUIET;
    }
    m->id = t->status == TRACE_WITHDRAWN ? fresh_id(t, turn->arena) : t->id;
    return ISSUE_PROPOSED;
}

static bool is_instance(const struct excused *e, const struct machine *m, const struct slice *key)
{
    bool same = slice_eq(e->machine, m->name) && e->nkey == m->nkey;

    for (size_t k = 0; same && k < m->nkey; k++)
        same = slice_eq(e->key[k], key[k]);
    return same;
}

bool rerun_excused(void *ctx, int machine, const struct slice *key, struct slice *grounds)
{
    const struct turn *turn = ctx;
    const struct rerun *r = turn->engine->rerun;

    for (size_t i = 0; i < r->nexcused; i++)
        if (is_instance(r->excused[i], &turn->program->machines[machine], key)) {
            *grounds = r->excused[i]->grounds;
            return true;
        }
    return false;
}

static void collect_excused(struct rerun *r)
{
    for (size_t i = 0; i < r->plan->n; i++)
        for (size_t k = 0; !r->plan->entry[i].annulled && k < r->plan->entry[i].nexcused; k++)
            *(const struct excused **)arena_push(r->plan->arena, &r->excused, &r->nexcused, &r->excused_cap,
                                                 sizeof *r->excused) = &r->plan->entry[i].excused[k];
}

/* ---- one entry */

static enum turn_status read_record(struct rerun *r, const struct entry *e, struct record *out,
                                    struct err *err)
{
    struct history_turn turn;
    struct slice bytes;
    struct key k;
    bool found;

    if (e->with != NULL) { /* decided anew which topic it belongs on: another kind may have another voice */
        enum topic topic = TOPIC_SUBMISSIONS;
        struct reasons why = {.arena = r->arena};
        struct input in;

        intake_topic(r->flow != NULL ? r->flow->program : NULL, e->with, r->arena, &in, &topic, &why);
        *out = intake_record(e->with, topic, r->arena);
        return TURN_DONE;
    }
    key_history(&k, r->plan->workflow, e->sequence);
    enum turn_status st = engine_get(r->live, TABLE_HISTORY, key_slice(&k), &bytes, &found, err);
    if (st != TURN_DONE)
        return st;
    if (!found || !wire_history_turn(arena_dup(r->arena, bytes), r->arena, &turn, err)) {
        err_set(err, "history record %llu of workflow %.*s cannot be read", (unsigned long long)e->sequence,
                SLICE_ARG(r->plan->workflow));
        return TURN_FAILED;
    }
    *out = turn.input;
    return TURN_DONE;
}

/* Reasons when the record that a correction puts in is refused, or a definition no longer fits what would
 * live. */
static void check_outcome(const struct rerun *r, const struct entry *e, const struct outcome *out,
                          struct reasons *why)
{
    const char *what = e == r->plan->newest          ? "replacement"
                       : e->kind == ENTRY_DEFINITION ? "a definition since then"
                                                     : NULL;

    for (size_t i = 0; what != NULL && out->what == OUTCOME_REJECTED && i < out->nreasons; i++)
        reasons_add(why, "%s would be refused: %.*s", what, SLICE_ARG(out->reasons[i]));
}

static enum turn_status run_record(struct rerun *r, const struct entry *e, struct reasons *why,
                                   struct err *err)
{
    struct outcome out;
    struct record record;
    enum turn_status st = read_record(r, e, &record, err);

    if (st != TURN_DONE)
        return st;
    record.appended = e->received;
    st = engine_apply(r->engine, r->txn, &record, r->arena, &out, err);
    if (st == TURN_DONE)
        check_outcome(r, e, &out, why);
    return st;
}

static enum turn_status run_decision(struct rerun *r, const struct entry *e, struct err *err)
{
    const struct cause cause = {
        .source = e->source, .id = e->id, .due = INSTANT_NONE, .received = e->received};
    enum turn_status st = flow_advance(r->engine, r->txn, r->flow, e->received, err);
    struct proposal m;
    struct effects fx;
    bool found = false;

    arena_reset(r->engine->scratch);
    struct turn turn = {.engine = r->engine,
                        .txn = r->txn,
                        .flow = r->flow,
                        .program = r->flow->program,
                        .arena = r->engine->scratch,
                        .err = err};
    if (st == TURN_DONE)
        st = proposal_get(&turn, e->decided, &m, &found);
    if (st != TURN_DONE || !found)
        return st;
    if (e->kind == ENTRY_DECLINE)
        return proposal_drop(&turn, e->decided);
    struct trace *t = trace_named(&r->plan->traces, e->decided);
    if (t != NULL && t->status == TRACE_DECIDED)
        t->follows = true;
    return proposal_issue(&turn, &m, e->received, &cause, &fx);
}

static enum turn_status run_entry(struct rerun *r, const struct entry *e, struct reasons *why,
                                  struct err *err)
{
    arena_reset(r->arena);
    if (e->kind == ENTRY_CORRECTION || e->annulled)
        return TURN_DONE;
    if (e->kind == ENTRY_ISSUE || e->kind == ENTRY_DECLINE)
        return run_decision(r, e, err);
    enum turn_status st = run_record(r, e, why, err);
    r->flow = flow_find(r->engine, r->plan->workflow);
    return st;
}

/* ---- the whole */

/* What nobody need decide any more, unless it waits in the live world, too: there somebody may have seen it.
 */
static enum turn_status drop_stale(struct rerun *r, const struct turn *live, instant_t now)
{
    struct store_iter *i = store_iter_new(r->txn, TABLE_PROPOSAL);
    struct slice key, value, same, *stale = NULL;
    size_t n = 0, cap = 0;
    enum turn_status st = TURN_DONE;

    arena_reset(r->arena);
    for (bool more = store_iter_seek(i, S(""), &key, &value); more; more = store_iter_next(i, &key, &value)) {
        struct proposal m;

        if (wire_proposal_read(NULL, arena_dup(r->arena, value), r->arena, &m, NULL) &&
            measure_is_stale(m.view.reminder, m.view.valid_until, now) &&
            store_get(r->live, TABLE_PROPOSAL, key, &same) == STORE_NOT_FOUND)
            *(struct slice *)arena_push(r->arena, &stale, &n, &cap, sizeof *stale) = arena_dup(r->arena, key);
    }
    store_iter_free(i);
    for (size_t k = 0; st == TURN_DONE && k < n; k++)
        st = engine_delete(r->txn, TABLE_PROPOSAL, stale[k], live->err);
    return st;
}

static void check_end(const struct rerun *r, const struct program *live, struct reasons *why)
{
    struct engine_counters counters;

    if (why->n > 0)
        return;
    engine_counters(r->engine, &counters);
    if (r->flow == NULL || !slice_eq(r->flow->program->hash, live->hash))
        reasons_add(why, "the workflow would not have the definition that is in force now");
    else if (counters.halted > r->plan->halted)
        reasons_add(why, "a timer that fired would be halted: its turn breaks a limit");
}

enum turn_status rerun_run(struct rerun *r, struct plan *plan, struct turn *live, instant_t now,
                           struct reasons *why)
{
    enum turn_status st = TURN_DONE;

    *r = (struct rerun){.plan = plan, .live = live->txn, .store = store_open_memory(), .arena = arena_new()};
    r->engine = engine_open(r->store, NULL, live->err);
    r->txn = store_begin(r->store, true, live->err);
    if (r->engine == NULL || r->txn == NULL)
        return TURN_FAILED;
    r->engine->rerun = r;
    collect_excused(r);
    for (size_t i = 0; st == TURN_DONE && why->n == 0 && i < plan->n; i++)
        st = run_entry(r, &plan->entry[i], why, live->err);
    if (st == TURN_DONE && why->n == 0 && r->flow != NULL)
        st = flow_advance(r->engine, r->txn, r->flow, now, live->err);
    if (st == TURN_DONE)
        st = drop_stale(r, live, now);
    if (st == TURN_FAILED) /* the world that would be cannot be run: the one that is goes on */
        reasons_add(why, "%s", live->err->text);
    else if (st == TURN_DONE)
        check_end(r, live->program, why);
    return st == TURN_FAILED ? TURN_DONE : st;
}

void rerun_free(struct rerun *r)
{
    store_abort(r->txn);
    engine_close(r->engine);
    if (r->store != NULL)
        store_close(r->store);
    arena_free(r->arena);
}

enum turn_status rerun_verify(struct engine *e, struct store_txn *t, struct slice workflow, struct arena *a,
                              struct slice *differs, struct err *err)
{
    struct flow *f = flow_find(e, workflow);
    struct reasons why = {.arena = a};
    struct rerun r;
    struct plan plan;

    *differs = (struct slice){NULL, 0};
    if (f == NULL)
        return TURN_DONE;
    struct turn live = {.engine = e, .txn = t, .flow = f, .program = f->program, .arena = a, .err = err};
    enum turn_status st = plan_read(&plan, t, workflow, err);
    if (st == TURN_DONE) {
        st = rerun_run(&r, &plan, &live, f->clock, &why);
        if (st == TURN_DONE)
            *differs = why.n > 0 ? why.item[0] : difference_first(t, r.txn, workflow, a);
        rerun_free(&r);
    }
    plan_free(&plan);
    return st;
}
