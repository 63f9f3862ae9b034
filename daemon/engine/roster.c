/* Changes of a workflow's roster: kept in the order in which they were taken, until a definition brings a
 * roster of its own. */
#include "engine/flow.h"

#include "core/roster.h"

/* Where the first of those kept is, or would be. */
static void first_key(struct key *k, struct slice workflow)
{
    key_roster(k, workflow, 0);
    k->n -= 4; /* the number */
}

size_t roster_read(struct store_txn *t, struct slice workflow, struct arena *a, struct slice **kept)
{
    struct store_iter *i = store_iter_new(t, TABLE_NUMBER);
    struct slice at, value;
    struct key prefix;
    size_t n = 0, cap = 0;

    *kept = NULL;
    first_key(&prefix, workflow);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value))
        *(struct slice *)arena_push(a, kept, &n, &cap, sizeof **kept) = arena_dup(a, value);
    store_iter_free(i);
    return n;
}

enum turn_status roster_reload(struct store_txn *t, struct flow *f, struct err *err)
{
    struct definition *d = definition_load(t, f->id, definition_stored(f->definition), err);

    if (d == NULL)
        return TURN_FAILED;
    flow_set_definition(f, d);
    return TURN_DONE;
}

enum turn_status roster_keep(struct turn *turn, const struct roster_change *c)
{
    struct slice *kept;
    struct key k;
    size_t n = roster_read(turn->txn, turn->flow->id, turn->arena, &kept);

    key_roster(&k, turn->flow->id, (uint32_t)n);
    enum turn_status st = state_put(turn->engine, turn->txn, TABLE_NUMBER, key_slice(&k),
                                    wire_roster_pack(c, turn->arena), turn->err);
    return st == TURN_DONE ? roster_reload(turn->txn, turn->flow, turn->err) : st;
}

enum turn_status roster_drop(struct turn *turn, size_t *dropped)
{
    struct slice *kept;
    enum turn_status st = TURN_DONE;

    *dropped = roster_read(turn->txn, turn->flow->id, turn->arena, &kept);
    for (size_t i = 0; st == TURN_DONE && i < *dropped; i++) {
        struct key k;

        key_roster(&k, turn->flow->id, (uint32_t)i);
        st = state_delete(turn->engine, turn->txn, TABLE_NUMBER, key_slice(&k), turn->err);
    }
    return st;
}

enum turn_status roster_replace(struct turn *turn, struct store_txn *other)
{
    struct slice *have, *want;
    size_t nhave = roster_read(turn->txn, turn->flow->id, turn->arena, &have);
    size_t nwant = roster_read(other, turn->flow->id, turn->arena, &want);
    enum turn_status st = TURN_DONE;
    bool changed = false;

    for (size_t i = 0; st == TURN_DONE && i < (nhave > nwant ? nhave : nwant); i++) {
        struct key k;

        if (i < nhave && i < nwant && slice_eq(have[i], want[i]))
            continue;
        changed = true;
        key_roster(&k, turn->flow->id, (uint32_t)i);
        st = i < nwant ? state_put(turn->engine, turn->txn, TABLE_NUMBER, key_slice(&k), want[i], turn->err)
                       : state_delete(turn->engine, turn->txn, TABLE_NUMBER, key_slice(&k), turn->err);
    }
    return st == TURN_DONE && changed ? roster_reload(turn->txn, turn->flow, turn->err) : st;
}
