/* A whole changelog into an empty store. Definitions and numbers go first, so that the programs are there when the
 * instances come by: their timers are derived on the way, and put last. */
#include "engine/flow.h"
#include "store/bulk.h"

#include <stdlib.h>

#define LOAD_BYTES ((size_t)48 << 20) /* of memory for the state; the timers get half of it */
#define STEP_ENTRIES 20000            /* of a slice */

/* The order in which tables are put. */
static const enum table_id order[] = {TABLE_DEFINITION, TABLE_NUMBER, TABLE_INSTANCE, TABLE_SEEN_CHUNK, TABLE_SEEN, TABLE_PROPOSAL};
#define NORDER (sizeof order / sizeof *order)
#define NEED_PROGRAMS 2 /* from this one on */

struct engine_load {
    struct engine *engine;
    struct bulk *state, *timers, *from; /* from: what is being put; NULL: more may come */
    struct bulk_entry next;             /* taken and not put yet */
    bool pending, programs;
    struct flow *flow; /* of the instance before */
    int32_t month;     /* of the seen ids that come by, and whether a chunk of it is left */
    bool month_known, month_counts;
};

struct engine_load *engine_load_new(struct engine *e, const char *folder)
{
    struct engine_load *l = mem_alloc(sizeof *l);

    l->engine = e;
    l->state = bulk_new(folder, LOAD_BYTES);
    l->timers = bulk_new(folder, LOAD_BYTES / 2);
    return l;
}

void engine_load_free(struct engine_load *l)
{
    if (l == NULL)
        return;
    bulk_free(l->state);
    bulk_free(l->timers);
    free(l);
}

static enum turn_status put_aside(struct engine_load *l, enum table_id table, struct slice key, struct slice value,
                                  struct err *err)
{
    size_t at = 0;

    while (at < NORDER - 1 && order[at] != table)
        at++;
    return bulk_put(l->state, (enum table_id)at, key, value, err) ? TURN_DONE : TURN_FAILED;
}

static enum turn_status put_seen(void *ctx, struct slice key, struct slice value, struct err *err)
{
    return put_aside(ctx, TABLE_SEEN, key, value, err);
}

enum turn_status engine_load_put(struct engine_load *l, enum table_id table, struct slice key, struct slice value,
                                 struct err *err)
{
    if (table > TABLE_LAST_STATE) {
        err_set(err, "changelog: an entry of table %d, which is not state", (int)table);
        return TURN_FAILED;
    }
    if (table != TABLE_SEEN_CHUNK || value.p == NULL)
        return put_aside(l, table, key, value, err);
    enum turn_status st = chunk_read(l->engine, key, value, put_seen, l, err);
    return st == TURN_DONE ? put_aside(l, TABLE_SEEN_CHUNK, key, S(""), err) : st;
}

/* ---- timers */

static struct flow *flow_of(struct engine_load *l, struct slice key)
{
    struct slice rest = key, workflow;

    if (!key_take_name(&rest, &workflow))
        return NULL;
    if (l->flow == NULL || !slice_eq(l->flow->id, workflow))
        l->flow = flow_find(l->engine, workflow);
    return l->flow;
}

static enum turn_status keep_timers(struct engine_load *l, struct slice key, struct slice value, struct err *err)
{
    struct engine *e = l->engine;
    struct flow *f = flow_of(l, key);

    if (f == NULL)
        return TURN_DONE;
    arena_reset(e->scratch);
    const struct instance *i = wire_instance_unpack(f->program, value, e->scratch, err);
    if (i == NULL)
        return TURN_FAILED;
    for (size_t at = 0; at < i->ntimers; at++) {
        struct key k;

        if (i->timers[at].held)
            continue;
        commit_timer_key(&k, f, i, &i->timers[at]);
        if (!bulk_put(l->timers, TABLE_TIMER, key_slice(&k), S(""), err))
            return TURN_FAILED;
    }
    return TURN_DONE;
}

/* ---- into the store */

/* True: l->next is the next to put. */
static bool next(struct engine_load *l, enum turn_status *st, struct err *err)
{
    bool failed = false;

    if (!l->pending)
        l->pending = bulk_next(l->from, &l->next, &failed, err);
    if (failed)
        *st = TURN_FAILED;
    return l->pending;
}

/* Of a month that has expired the log may still hold chunks that were told to go. The chunks that are left are in. */
static bool counts(struct engine_load *l, struct store_txn *t, struct slice key)
{
    struct slice rest;
    int32_t month;

    if (!key_month_parse(key, &month, &rest) || (l->month_known && l->month == month))
        return l->month_counts;
    l->month = month;
    l->month_known = true;
    l->month_counts = chunk_has_month(t, month);
    return l->month_counts;
}

static enum turn_status put(struct engine_load *l, struct store_txn *t, struct err *err)
{
    enum table_id table = l->from == l->timers ? TABLE_TIMER : order[l->next.table];

    l->pending = false;
    if (table == TABLE_SEEN && !counts(l, t, l->next.key))
        return TURN_DONE;
    enum turn_status st = engine_append(t, table, l->next.key, l->next.value, err);
    return st == TURN_DONE && table == TABLE_INSTANCE ? keep_timers(l, l->next.key, l->next.value, err) : st;
}

/* What was put is committed now. */
static bool take_programs(struct engine_load *l, struct err *err)
{
    l->programs = true;
    return engine_forget(l->engine, err);
}

static bool begin(struct engine_load *l, struct err *err)
{
    l->from = l->state;
    return bulk_turn(l->state, err);
}

/* The state is in; what is left are the timers. */
static bool turn_to_timers(struct engine_load *l, struct err *err)
{
    l->from = l->timers;
    bulk_free(l->state);
    l->state = NULL;
    return bulk_turn(l->timers, err);
}

enum turn_status engine_load_step(struct engine_load *l, struct store_txn *t, bool *done, struct err *err)
{
    enum turn_status st = TURN_DONE;

    *done = false;
    if (l->from == NULL && !begin(l, err))
        return TURN_FAILED;
    if (!l->programs && l->pending && !take_programs(l, err))
        return TURN_FAILED;
    for (size_t n = 0; st == TURN_DONE && n < STEP_ENTRIES && next(l, &st, err); n++) {
        if (!l->programs && l->next.table >= NEED_PROGRAMS)
            return TURN_DONE; /* when what is put so far is committed */
        st = put(l, t, err);
    }
    if (st != TURN_DONE || l->pending || next(l, &st, err))
        return st;
    if (st == TURN_DONE && l->from == l->state)
        return turn_to_timers(l, err) ? TURN_DONE : TURN_FAILED;
    *done = st == TURN_DONE;
    return st;
}
