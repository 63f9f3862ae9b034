/* Timers: the earliest of a workflow, and bounded slices over all workflows. */
#include "engine/flow.h"

#include <inttypes.h>

#define SLICE_OF_ONE 64 /* timers of one workflow before the next one has its turn */

instant_t flow_until(const struct engine *e, const struct flow *f)
{
    return f->clock > e->target ? f->clock : e->target;
}

/* The first entry at or after `from`. The key points into the store. */
static bool first_timer(struct flow *f, struct store_txn *t, instant_t from, struct timer_key *out)
{
    struct key start, prefix;
    struct slice key, value;
    struct store_iter *i = store_iter_new(t, TABLE_TIMER);

    key_workflow(&prefix, f->id);
    key_timers_from(&start, f->id, from);
    bool found = store_iter_seek(i, key_slice(&start), &key, &value) &&
                 key_has_prefix(key, key_slice(&prefix)) && key_timer_parse(key, out);
    store_iter_free(i);
    return found;
}

static void learn_next(struct flow *f, struct store_txn *t)
{
    struct timer_key first;

    if (f->next_known)
        return;
    f->next_due = first_timer(f, t, INSTANT_NONE, &first) ? first.due : INSTANT_MAX;
    f->next_known = true;
}

instant_t flow_due_after(const struct engine *e, struct flow *f, struct store_txn *t)
{
    struct timer_key first;
    instant_t until = flow_until(e, f);

    learn_next(f, t);
    if (f->next_due > until || f->next_due == INSTANT_MAX)
        return f->next_due;
    return first_timer(f, t, until + 1, &first) ? first.due : INSTANT_MAX;
}

static bool timer_index(const struct program *p, const struct instance *i, const struct timer_key *key,
                        size_t *index)
{
    for (size_t at = 0; at < i->ntimers; at++) {
        const struct timer *timer = &i->timers[at];

        if (timer->due == key->due && timer->n == key->n &&
            slice_eq(p->machines[i->machine].timers[timer->def].name, key->timer)) {
            *index = at;
            return true;
        }
    }
    return false;
}

static enum turn_status fire(struct turn *turn, const struct timer_key *key)
{
    struct flow *f = turn->flow;
    struct effects fx;
    struct key k;
    enum turn_status st;
    size_t index;

    key_workflow(&k, f->id);
    key_bytes(&k, key->instance);
    world_told(turn, key_slice(&k));
    struct instance *i = world_load(turn->txn, turn->program, key_slice(&k), turn->arena, &st, turn->err);
    if (st != TURN_DONE)
        return st;
    if (i == NULL || !timer_index(turn->program, i, key, &index)) {
        err_set(turn->err, "workflow %.*s: the timer index has %.*s at %" PRId64 ", its instance does not",
                SLICE_ARG(f->id), SLICE_ARG(key->timer), key->due);
        return TURN_FAILED;
    }

    const struct world world = world_of(turn);
    f->clock = key->due > f->clock ? key->due : f->clock;
    f->dirty = true;
    step_timer(turn->program, &world, i, index, turn->arena, &fx);
    if (turn->status != TURN_DONE)
        return turn->status;

    struct reasons why = {.arena = turn->arena};
    if (!effects_check_keys(turn, &fx, &why)) {
        err_set(turn->err, "workflow %.*s: timer %.*s: %.*s", SLICE_ARG(f->id), SLICE_ARG(key->timer),
                SLICE_ARG(why.item[0]));
        return TURN_FAILED;
    }
    turn->engine->counters.timers++;
    if (fx.verdict == VERDICT_HALTED)
        turn->engine->counters.halted++;
    return commit_effects(turn, &fx);
}

enum turn_status fire_next(struct engine *e, struct store_txn *t, struct flow *f, instant_t until,
                           bool *fired, struct err *err)
{
    struct timer_key found;

    *fired = false;
    learn_next(f, t);
    if (f->next_due == INSTANT_MAX || f->next_due > until || f->stale)
        return TURN_DONE;
    if (!first_timer(f, t, INSTANT_NONE, &found)) {
        err_set(err, "workflow %.*s: its next timer is not in the index", SLICE_ARG(f->id));
        return TURN_FAILED;
    }

    engine_touch(e);
    arena_reset(e->scratch);
    struct turn turn = {
        .engine = e, .txn = t, .flow = f, .program = f->program, .arena = e->scratch, .err = err};
    found.instance = arena_dup(e->scratch, found.instance);
    found.timer = arena_dup(e->scratch, found.timer);
    *fired = true;
    return fire(&turn, &found);
}

static enum turn_status drain_slice(struct engine *e, struct store_txn *t, struct flow *f, size_t limit,
                                    size_t *fired, struct err *err)
{
    instant_t until = flow_until(e, f);

    for (*fired = 0; *fired < limit; ++*fired) {
        bool one;
        enum turn_status st = fire_next(e, t, f, until, &one, err);

        if (st != TURN_DONE)
            return st;
        if (!one)
            break;
    }
    return TURN_DONE;
}

enum turn_status engine_drain(struct engine *e, struct store_txn *t, size_t limit, size_t *fired,
                              struct err *err)
{
    size_t idle = 0; /* workflows in a row that had nothing due */

    *fired = 0;
    while (*fired < limit && idle < e->nflows) {
        size_t left = limit - *fired, n;
        struct flow *f = e->flows[e->turn % e->nflows];

        e->turn = (e->turn + 1) % e->nflows;
        enum turn_status st = drain_slice(e, t, f, left < SLICE_OF_ONE ? left : SLICE_OF_ONE, &n, err);
        if (st != TURN_DONE)
            return st;
        *fired += n;
        idle = n == 0 ? idle + 1 : 0;
    }
    return TURN_DONE;
}
