/* Entries that are collected in memory, of each key the last, to be written in the order of their keys. The hashes are the caller's. */
#ifndef DUBAND_STORE_GATHER_H
#define DUBAND_STORE_GATHER_H

#include "base/base.h"

struct gathered {
    uint64_t piece; /* of the key, as a number: what follows what all of them begin with */
    uint32_t hash, at, nkey, nvalue; /* the value follows the key */
};

struct gather {
    char *bytes;
    size_t nbytes, room;
    struct gathered *entry;
    size_t n, most;
    uint32_t *slot; /* of a hash: an entry's number, from 1 on; twice as many as entries, at least */
    size_t nslots;
};

/* Before it there are fewer than 4 GB. */
void gather_put(struct gather *g, uint32_t hash, struct slice key, struct slice value);
bool gather_get(const struct gather *g, uint32_t hash, struct slice key, struct slice *value); /* valid until something is put */
/* Afterwards entries are found by their number only, until it is cleared. */
void gather_sort(struct gather *g);
static inline struct slice gather_key(const struct gather *g, size_t i)
{
    return (struct slice){g->bytes + g->entry[i].at, g->entry[i].nkey};
}
static inline struct slice gather_value(const struct gather *g, size_t i)
{
    return (struct slice){g->bytes + g->entry[i].at + g->entry[i].nkey, g->entry[i].nvalue};
}
void gather_clear(struct gather *g); /* keeps its memory */
void gather_free(struct gather *g);

#endif
