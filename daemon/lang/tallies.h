/* Between the files that read tallies: their names first, since events and rankings ask for them; their machines beside the others;
 * their expressions when every name is known. */
#ifndef DUBAND_TALLIES_H
#define DUBAND_TALLIES_H

#include "lang/machines.h"

struct tally_use { /* by tally: what credits it, for what nothing ever credits */
    bool *item;    /* by item */
    bool named;    /* something names its items as it goes */
};

/* A tally being compiled, with its yaml. */
struct tally_at {
    struct compiler *c;
    struct tally *t;
    int index;
    const struct yaml *node;
    struct scope scope; /* of its items: the instance without its variables, and its lets */
};

/* ---- tally_items.c */
void tally_items_name(struct tally_at *at);
void tally_items_compile(struct tally_at *at);
/* ---- tally_feeds.c */
/* {each: KIND, if: …, item: …, points: …}; item -1: the feed names it. inside: they stand among an item's keys, which were checked. */
void tally_feed_read(struct tally_at *at, const struct yaml *node, int item, bool inside);
void tally_column_read(struct tally_at *at, const struct yaml *node, bool self, struct tally_column *out);
void tally_closes_read(struct tally_at *at, const struct yaml *node);
/* An expression of when: a period no longer than the tally's, a date or an instant. */
const struct expr *tally_period_read(const struct scope *s, const struct tally *t, const struct yaml *node);
/* Texts that name an item, or words all of which do. Marks what they may credit. */
const struct expr *tally_item_read(const struct scope *s, int tally, const struct yaml *node);

#endif
