/* Timers: the earliest of a workflow, and bounded slices over all workflows. */
#include "engine/flow.h"

#define SLICE_OF_ONE 64 /* timers of one workflow before the next one has its turn */
#define LOOK_MOST 256   /* entries, when the timer that is due next is looked for */

instant_t flow_until(const struct engine *e, const struct flow *f)
{
    return f->clock > e->target ? f->clock : e->target;
}

/* The workflow's entries from that instant on. False: there is none. key: of the store. */
static bool seek(struct store_iter *i, const struct flow *f, instant_t from, struct slice *key)
{
    struct key start, prefix;
    struct slice value;

    key_workflow(&prefix, f->id);
    key_timers_from(&start, f->id, from);
    return store_iter_seek(i, key_slice(&start), key, &value) && key_has_prefix(*key, key_slice(&prefix));
}

/* What the entry names, or once named: the timer may be due at another instant now. NULL with TURN_DONE: nothing
 * is armed. Memory is the arena's. */
static struct instance *named(struct store_txn *t, const struct flow *f, const struct timer_key *key, size_t *index,
                              struct arena *a, enum turn_status *st, struct err *err)
{
    const struct program *p = f->program;
    struct key k;

    key_workflow(&k, f->id);
    key_bytes(&k, key->instance);
    struct instance *i = world_load(t, p, key_slice(&k), a, st, err);
    for (*index = 0; i != NULL && *index < i->ntimers; ++*index) {
        const struct timer *timer = &i->timers[*index];

        if (!timer->held && timer->n == key->n &&
            slice_eq(p->machines[i->machine].timers[timer->def].name, key->timer))
            return i;
    }
    return NULL;
}

/* ---- what is next */

/* When what the entry names is due; INSTANT_MAX: nothing is armed. What cannot be read is due: firing it says why. */
static instant_t due_of(struct engine *e, struct store_txn *t, const struct flow *f, const struct timer_key *at)
{
    enum turn_status st;
    struct err err;
    size_t index;

    arena_reset(e->scratch);
    if (f->stale)
        return at->due;
    const struct instance *i = named(t, f, at, &index, e->scratch, &st, &err);
    if (st != TURN_DONE)
        return at->due;
    return i != NULL ? i->timers[index].due : INSTANT_MAX;
}

/* The earliest of those whose entries come after `until`. Each is due at its entry's instant or later, so it ends
 * at the first entry that is not before what was found. False: after so many what it found may be none's instant,
 * but nothing is due before. */
static bool earliest(struct engine *e, struct store_txn *t, const struct flow *f, instant_t until, instant_t *due)
{
    struct store_iter *i = store_iter_new(t, TABLE_TIMER);
    struct key prefix;
    struct timer_key at;
    struct slice key, value;
    size_t n = 0;
    bool more = seek(i, f, until + 1, &key);

    key_workflow(&prefix, f->id);
    *due = INSTANT_MAX;
    while (more && key_timer_parse(key, &at) && at.due < *due && n++ < LOOK_MOST) {
        instant_t found = due_of(e, t, f, &at);

        if (found < *due && found >= at.due)
            *due = found;
        more = store_iter_next(i, &key, &value) && key_has_prefix(key, key_slice(&prefix));
    }
    if (n > LOOK_MOST)
        *due = at.due;
    store_iter_free(i);
    return n <= LOOK_MOST;
}

instant_t flow_due_after(struct engine *e, struct flow *f, struct store_txn *t)
{
    instant_t until = flow_until(e, f);

    if (!f->next_known || f->next_due <= until)
        f->next_known = earliest(e, t, f, until, &f->next_due);
    return f->next_due;
}

/* ---- firing */

/* The timer was moved, and its entry follows; or it is armed no more. */
static enum turn_status follow(struct turn *turn, const struct key *entry, const struct instance *i, size_t index)
{
    enum turn_status st = engine_delete(turn->txn, TABLE_TIMER, key_slice(entry), turn->err);

    if (st == TURN_DONE && i != NULL)
        st = commit_timer(turn->txn, turn->flow, i, &i->timers[index], turn->err);
    return st;
}

static enum turn_status fire(struct turn *turn, const struct timer_key *key, struct instance *i, size_t index)
{
    struct flow *f = turn->flow;
    struct effects fx;
    struct key k;

    key_workflow(&k, f->id);
    key_bytes(&k, key->instance);
    world_told(turn, key_slice(&k));

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

static bool first_entry(const struct flow *f, struct store_txn *t, struct key *entry, struct timer_key *out)
{
    struct store_iter *i = store_iter_new(t, TABLE_TIMER);
    struct slice key;
    bool found = seek(i, f, f->first, &key);

    key_start(entry);
    if (found)
        key_bytes(entry, key);
    store_iter_free(i);
    return found && key_timer_parse(key_slice(entry), out);
}

enum turn_status fire_next(struct engine *e, struct store_txn *t, struct flow *f, instant_t until,
                           bool *fired, struct err *err)
{
    struct timer_key found;
    struct key entry;
    enum turn_status st;
    size_t index;

    *fired = false;
    if (f->first > until || f->first == INSTANT_MAX || f->stale)
        return TURN_DONE;
    f->first = first_entry(f, t, &entry, &found) ? found.due : INSTANT_MAX;
    if (f->first > until || f->first == INSTANT_MAX)
        return TURN_DONE;

    engine_touch(e);
    arena_reset(e->scratch);
    struct turn turn = {
        .engine = e, .txn = t, .flow = f, .program = f->program, .arena = e->scratch, .err = err};
    struct instance *i = named(t, f, &found, &index, turn.arena, &st, err);
    *fired = true;
    if (st != TURN_DONE)
        return st;
    if (i == NULL || i->timers[index].due != found.due)
        return follow(&turn, &entry, i, index);
    return fire(&turn, &found, i, index);
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
