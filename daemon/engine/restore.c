/* The state back from the changelog. Instances may come before the definition that reads them, so the timers
 * of a workflow whose definition came anew are derived when everything is in; of the others, entry by entry.
 */
#include "engine/flow.h"

static enum turn_status mark_stale(struct engine *e, struct store_txn *t, struct slice workflow,
                                   struct err *err)
{
    struct flow *f = flow_find(e, workflow);
    struct key k;

    if (f != NULL)
        f->stale = true;
    key_start(&k);
    key_bytes(&k, S(META_REINDEX));
    key_bytes(&k, workflow);
    return engine_put(t, TABLE_META, key_slice(&k), (struct slice){NULL, 0}, err);
}

/* As it stands in the changelog: no sink is told. */
static enum turn_status put_or_delete(struct store_txn *t, enum table_id table, struct slice key,
                                      struct slice value, struct err *err)
{
    return value.p != NULL ? engine_put(t, table, key, value, err) : engine_delete(t, table, key, err);
}

static enum turn_status restore_instance(struct engine *e, struct store_txn *t, struct slice key,
                                         struct slice value, struct err *err)
{
    struct slice rest = key, workflow;
    struct instance *now = NULL;

    if (!key_take_name(&rest, &workflow)) {
        err_set(err, "changelog: an instance's key of %zu bytes names no workflow", key.n);
        return TURN_FAILED;
    }
    struct flow *f = flow_find(e, workflow);
    arena_reset(e->scratch);
    if (f != NULL && !f->stale && value.p != NULL) {
        struct err misfit;

        /* It fits another definition than the one here: that one is on its way. */
        now = wire_instance_unpack(f->program, arena_dup(e->scratch, value), e->scratch, &misfit);
        if (now == NULL) {
            enum turn_status st = mark_stale(e, t, workflow, err);
            if (st != TURN_DONE)
                return st;
        }
    }
    if (f == NULL || f->stale)
        return put_or_delete(t, TABLE_INSTANCE, key, value, err);
    enum turn_status st;
    const struct instance *was = world_load(t, f->program, key, e->scratch, &st, err);
    if (st != TURN_DONE)
        return st;
    e->muted = true; /* it comes from the changelog */
    st = commit_instance(e, t, f, key, value, was, now, err);
    e->muted = false;
    return st;
}

enum turn_status engine_restore_state(struct engine *e, struct store_txn *t, enum table_id table,
                                      struct slice key, struct slice value, struct err *err)
{
    enum turn_status st = TURN_DONE;

    if (table == TABLE_INSTANCE)
        return restore_instance(e, t, key, value, err);
    if (table == TABLE_SEEN_CHUNK)
        return chunk_restore(e, t, key, value, err);
    if (table > TABLE_LAST_STATE) {
        err_set(err, "changelog: an entry of table %d, which is not state", (int)table);
        return TURN_FAILED;
    }
    if (table == TABLE_DEFINITION)
        st = mark_stale(e, t, key, err);
    if (st == TURN_DONE)
        st = put_or_delete(t, table, key, value, err);

    struct slice rest = key, workflow;
    if (st == TURN_DONE && table == TABLE_NUMBER && key_take_name(&rest, &workflow) &&
        slice_eq(rest, (struct slice){"", 1}) && flow_find(e, workflow) != NULL)
        st = flow_load(flow_find(e, workflow), t, err);
    if (st == TURN_DONE && table == TABLE_NUMBER && key_is_roster(key, &workflow) && flow_find(e, workflow) != NULL &&
        !flow_find(e, workflow)->stale)
        st = roster_reload(t, flow_find(e, workflow), err);
    return st;
}

/* A history record says of itself which workflow and sequence it is. */
enum turn_status engine_restore_history(struct engine *e, struct store_txn *t, struct slice value,
                                        struct err *err)
{
    struct record *outputs;
    size_t n;
    struct slice workflow;
    uint64_t sequence;
    struct key k;

    arena_reset(e->scratch);
    if (!wire_history_place(value, &workflow, &sequence) ||
        !wire_history_outputs(value, e->scratch, &outputs, &n)) {
        err_set(err, "history: a record of %zu bytes cannot be read", value.n);
        return TURN_FAILED;
    }
    key_history(&k, workflow, sequence);
    enum turn_status st = engine_put(t, TABLE_HISTORY, key_slice(&k), value, err);
    return st == TURN_DONE ? commit_measures(t, workflow, sequence, outputs, n, true, err) : st;
}

/* ---- when the state is complete */

static enum turn_status drop_timers(struct store_txn *t, struct slice workflow, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_TIMER);
    enum turn_status st = TURN_DONE;
    struct slice found, value;
    struct key prefix, key;

    key_workflow(&prefix, workflow);
    while (st == TURN_DONE && store_iter_seek(i, key_slice(&prefix), &found, &value) &&
           key_has_prefix(found, key_slice(&prefix))) {
        key_start(&key);
        key_bytes(&key, found);
        st = engine_delete(t, TABLE_TIMER, key_slice(&key), err);
    }
    store_iter_free(i);
    return st;
}

/* The timer table is not the one walked over, so the walk survives the writes; decoded instances are copies.
 */
static enum turn_status derive_timers(struct engine *e, struct store_txn *t, struct flow *f, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    enum turn_status st = TURN_DONE;
    struct slice key, value;
    struct key prefix;

    key_workflow(&prefix, f->id);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         st == TURN_DONE && more && key_has_prefix(key, key_slice(&prefix));
         more = store_iter_next(i, &key, &value)) {
        arena_reset(e->scratch);
        struct instance *instance =
            wire_instance_unpack(f->program, arena_dup(e->scratch, value), e->scratch, err);

        st = instance != NULL ? commit_timers(t, f, instance, err) : TURN_FAILED;
    }
    store_iter_free(i);
    return st;
}

static enum turn_status take_into_force(struct engine *e, struct store_txn *t, struct slice workflow,
                                        struct err *err)
{
    struct flow *f = flow_find(e, workflow);
    struct slice stored;
    bool found;

    enum turn_status st = engine_get(t, TABLE_DEFINITION, workflow, &stored, &found, err);
    if (st != TURN_DONE || !found)
        return st;
    struct definition *d = definition_load(t, workflow, stored, err);
    if (d == NULL)
        return TURN_FAILED;
    if (f == NULL)
        f = flow_add(e, workflow);
    flow_set_definition(f, d);
    f->next_known = false;
    st = flow_load(f, t, err);
    if (st == TURN_DONE)
        st = drop_timers(t, workflow, err);
    if (st == TURN_DONE)
        st = derive_timers(e, t, f, err);
    f->stale = false;
    return st;
}

enum turn_status engine_restored(struct engine *e, struct store_txn *t, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_META);
    enum turn_status st = TURN_DONE;
    struct slice found, value;

    while (st == TURN_DONE && store_iter_seek(i, S(META_REINDEX), &found, &value) &&
           key_has_prefix(found, S(META_REINDEX))) {
        struct key key;
        const size_t skip = sizeof META_REINDEX - 1;

        key_start(&key);
        key_bytes(&key, found);
        st = take_into_force(e, t, (struct slice){key.byte + skip, key.n - skip}, err);
        if (st == TURN_DONE)
            st = engine_delete(t, TABLE_META, key_slice(&key), err);
    }
    store_iter_free(i);
    return st;
}
