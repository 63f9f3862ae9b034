#include "engine/chain.h"

#include <string.h>

#include "engine/flow.h"

static struct chain *chain_of(struct chains *c, struct slice workflow)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_cmp(c->item[middle]->workflow, workflow);

        if (order == 0)
            return c->item[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    struct chain *new = ARENA_NEW(c->arena, struct chain);
    new->workflow = arena_dup(c->arena, workflow);
    arena_push(c->arena, &c->item, &c->n, &c->cap, sizeof *c->item);
    memmove(c->item + low + 1, c->item + low, (c->n - 1 - low) * sizeof *c->item);
    return c->item[low] = new;
}

void chains_take(struct chains *c, struct slice workflow, struct slice record)
{
    struct chain *chain = chain_of(c, workflow);
    struct slice of;
    uint64_t sequence;

    if (chain->broken)
        return;
    if (wire_history_place(record, &of, &sequence) && !slice_eq(of, workflow))
        chain->broken = !err_set(&chain->why, "the record that should be its %lluth is of %.*s",
                                 (unsigned long long)chain->head.sequence + 1, SLICE_ARG(of));
    else
        chain->broken = !wire_history_verify(record, &chain->head, &chain->why);
}

/* A history that was cut at its end is whole in itself: only the state knows of what is missing. */
static bool check_ends(struct chains *c, struct store_txn *t, struct err *e)
{
    struct store_iter *i = store_iter_new(t, TABLE_DEFINITION);
    struct slice workflow, value;
    bool ok = true;

    for (bool more = store_iter_seek(i, S(""), &workflow, &value); ok && more; more = store_iter_next(i, &workflow, &value)) {
        struct chain *chain = chain_of(c, workflow);
        struct flow f = {.id = chain->workflow};

        ok = flow_load(&f, t, e) == TURN_DONE;
        if (!ok || chain->broken || (f.head.sequence == chain->head.sequence && memcmp(f.head.hash, chain->head.hash, sizeof f.head.hash) == 0))
            continue;
        chain->broken = !err_set(&chain->why, "its last record is the %lluth; the state goes on from the %lluth%s",
                                 (unsigned long long)chain->head.sequence, (unsigned long long)f.head.sequence,
                                 f.head.sequence == chain->head.sequence ? ", of another hash" : "");
    }
    store_iter_free(i);
    return ok;
}

bool chains_take_store(struct chains *c, struct store_txn *t, struct err *e)
{
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    struct slice key, record, workflow;
    bool ok = true;

    for (bool more = store_iter_seek(i, S(""), &key, &record); ok && more; more = store_iter_next(i, &key, &record)) {
        if (!key_take_name(&key, &workflow))
            ok = err_set(e, "its history has a key of %zu bytes that names no workflow", key.n);
        else
            chains_take(c, workflow, record);
    }
    store_iter_free(i);
    ok = ok && check_ends(c, t, e);
    if (ok && *store_txn_error(t)) /* what cannot be read is not the end */
        ok = err_set(e, "%s", store_txn_error(t));
    return ok;
}
