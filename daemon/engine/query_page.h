/* Pages of rows: until the limit, then a cursor that names where to go on. Shared by query.c (instances) and
 * query_records.c. */
#ifndef DUBAND_ENGINE_QUERY_PAGE_H
#define DUBAND_ENGINE_QUERY_PAGE_H

#include "engine/keys.h"
#include "engine/query.h"

struct page {
    const struct query *q;
    struct store_txn *txn;
    struct arena *arena;
    struct query_result *out;
    struct err *err;
    size_t cap;
    struct buf row; /* the row being written */
};

struct page page_begin(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                       struct err *e);
/* Where to begin, and the prefix to stay in. */
bool page_start(const struct page *p, struct key *from, struct key *prefix);
bool page_full(const struct page *p);
void page_add(struct page *p); /* p->row becomes a row */
/* There is more behind the entry of this key. */
void page_more(struct page *p, const struct key *last);
bool page_end(struct page *p, bool ok);
bool cursor_read(struct slice hex, struct key *k, struct err *e);

#endif
