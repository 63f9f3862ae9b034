#include "store/gather.h"

#include <stdlib.h>

#define SLOTS_LEAST 256
#define BYTES_LEAST 16384

/* Of the key, or a free one where it belongs. */
static uint32_t *slot_at(const struct gather *g, uint32_t hash, struct slice key)
{
    size_t i = hash & (g->nslots - 1);
    for (; g->slot[i]; i = (i + 1) & (g->nslots - 1))
        if (g->entry[g->slot[i] - 1].hash == hash && slice_eq(gather_key(g, g->slot[i] - 1), key))
            break;
    return &g->slot[i];
}

static void more_slots(struct gather *g)
{
    free(g->slot);
    g->nslots = g->nslots ? g->nslots * 2 : SLOTS_LEAST;
    g->most = g->nslots / 2;
    g->slot = mem_alloc(g->nslots * sizeof *g->slot);
    g->entry = mem_grow(g->entry, g->most * sizeof *g->entry);
    for (size_t i = 0; i < g->n; i++)
        *slot_at(g, g->entry[i].hash, gather_key(g, i)) = (uint32_t)i + 1;
}

static void more_bytes(struct gather *g, size_t n)
{
    if (g->room == 0)
        g->room = BYTES_LEAST;
    while (g->room - g->nbytes < n)
        g->room *= 2;
    g->bytes = mem_grow(g->bytes, g->room);
}

void gather_put(struct gather *g, uint32_t hash, struct slice key, struct slice value)
{
    if (g->n == g->most)
        more_slots(g);
    if (g->room - g->nbytes < key.n + value.n)
        more_bytes(g, key.n + value.n);
    uint32_t *slot = slot_at(g, hash, key);
    if (!*slot)
        *slot = (uint32_t)++g->n;
    g->entry[*slot - 1] = (struct gathered){
        .hash = hash, .at = (uint32_t)g->nbytes, .nkey = (uint32_t)key.n, .nvalue = (uint32_t)value.n};
    memcpy(g->bytes + g->nbytes, key.p, key.n);
    if (value.n)
        memcpy(g->bytes + g->nbytes + key.n, value.p, value.n);
    g->nbytes += key.n + value.n;
}

bool gather_get(const struct gather *g, uint32_t hash, struct slice key, struct slice *value)
{
    uint32_t at = g->n ? *slot_at(g, hash, key) : 0;
    if (at)
        *value = gather_value(g, at - 1);
    return at != 0;
}

/* Bytes that all keys begin with. */
static size_t shared_by_all(const struct gather *g)
{
    struct slice first = gather_key(g, 0);
    size_t shared = first.n;
    for (size_t i = 1; i < g->n; i++) {
        struct slice key = gather_key(g, i);
        shared = key.n < shared ? key.n : shared;
        if (shared && memcmp(first.p, key.p, shared) != 0)
            for (shared = 0; first.p[shared] == key.p[shared]; shared++)
                ;
    }
    return shared;
}

static int by_key(const void *x, const void *y, void *gather)
{
    const struct gathered *a = x, *b = y;
    const char *p = ((const struct gather *)gather)->bytes;
    if (a->piece != b->piece)
        return a->piece < b->piece ? -1 : 1;
    return slice_cmp((struct slice){p + a->at, a->nkey}, (struct slice){p + b->at, b->nkey});
}

void gather_sort(struct gather *g)
{
    size_t shared = g->n ? shared_by_all(g) : 0;
    for (size_t i = 0; i < g->n; i++) {
        struct slice key = gather_key(g, i);
        unsigned char piece[8] = {0};
        size_t n = key.n - shared < sizeof piece ? key.n - shared : sizeof piece;
        memcpy(piece, key.p + shared, n);
        g->entry[i].piece = get_be64(piece);
    }
    if (g->n)
        qsort_r(g->entry, g->n, sizeof *g->entry, by_key, g);
}

void gather_clear(struct gather *g)
{
    if (g->n)
        memset(g->slot, 0, g->nslots * sizeof *g->slot);
    g->n = g->nbytes = 0;
}

void gather_free(struct gather *g)
{
    free(g->bytes);
    free(g->entry);
    free(g->slot);
    *g = (struct gather){0};
}
