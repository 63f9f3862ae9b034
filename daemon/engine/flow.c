/* Workflows in an engine: an ordered list, and what each keeps of itself in the store. */
#include "engine/flow.h"

#include <assert.h>
#include <stdlib.h>

/* Where the workflow stands, or would. */
static size_t flow_position(const struct engine *e, struct slice workflow, bool *there)
{
    size_t low = 0, high = e->nflows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (slice_cmp(e->flows[middle]->id, workflow) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *there = low < e->nflows && slice_eq(e->flows[low]->id, workflow);
    return low;
}

struct flow *flow_find(const struct engine *e, struct slice workflow)
{
    bool there;
    size_t at = flow_position(e, workflow, &there);

    return there ? e->flows[at] : NULL;
}

struct flow *flow_add(struct engine *e, struct slice workflow)
{
    bool there;
    size_t at = flow_position(e, workflow, &there);
    struct flow *f = mem_alloc(sizeof *f);
    char *id = mem_alloc(workflow.n + 1);

    assert(!there);
    memcpy(id, workflow.p, workflow.n);
    f->id = (struct slice){id, workflow.n};
    f->clock = f->first = INSTANT_NONE;
    e->flows = mem_grow(e->flows, (e->nflows + 1) * sizeof(struct flow *));
    memmove(e->flows + at + 1, e->flows + at, (e->nflows - at) * sizeof(struct flow *));
    e->flows[at] = f;
    e->nflows++;
    return f;
}

void flow_set_definition(struct flow *f, struct definition *d)
{
    definition_release(f->definition);
    f->definition = d;
    f->program = definition_program(d);
}

void flow_free(struct flow *f)
{
    definition_release(f->definition);
    free((char *)(uintptr_t)f->id.p);
    free(f);
}

void flow_remove(struct engine *e, struct flow *f)
{
    bool there;
    size_t at = flow_position(e, f->id, &there);

    assert(there);
    e->nflows--;
    memmove(e->flows + at, e->flows + at + 1, (e->nflows - at) * sizeof(struct flow *));
    flow_free(f);
}

/* The workflow's own numbers: clock, then the head of its history. */
enum turn_status flow_load(struct flow *f, struct store_txn *t, struct err *err)
{
    struct key key;
    struct slice value;
    bool found;

    key_flow(&key, f->id);
    enum turn_status st = engine_get(t, TABLE_NUMBER, key_slice(&key), &value, &found, err);
    if (st != TURN_DONE || !found)
        return st;
    if (value.n != FLOW_BYTES) {
        err_set(err, "workflow %.*s: its numbers take %zu bytes, %d were expected", SLICE_ARG(f->id), value.n,
                FLOW_BYTES);
        return TURN_FAILED;
    }
    f->clock = get_be64s((const unsigned char *)value.p);
    f->head.sequence = get_be64((const unsigned char *)value.p + 8);
    memcpy(f->head.hash, value.p + 16, sizeof f->head.hash);
    return TURN_DONE;
}

enum turn_status flow_store(struct engine *e, struct store_txn *t, struct flow *f, struct err *err)
{
    struct key key;
    unsigned char byte[FLOW_BYTES];

    put_be64s(byte, f->clock);
    put_be64(byte + 8, f->head.sequence);
    memcpy(byte + 16, f->head.hash, sizeof f->head.hash);
    key_flow(&key, f->id);
    enum turn_status st =
        state_put(e, t, TABLE_NUMBER, key_slice(&key), (struct slice){(const char *)byte, sizeof byte}, err);
    if (st == TURN_DONE)
        f->dirty = false;
    return st;
}

struct slice flow_numbers_at(struct slice value, instant_t clock, unsigned char byte[FLOW_BYTES])
{
    if (value.n != FLOW_BYTES || get_be64s((const unsigned char *)value.p) >= clock)
        return value;
    memcpy(byte, value.p, FLOW_BYTES);
    put_be64s(byte, clock);
    return (struct slice){(const char *)byte, FLOW_BYTES};
}
