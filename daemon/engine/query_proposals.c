/* Measures that wait for a decision. */
#include "engine/query_page.h"

bool query_proposals(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                     struct err *e)
{
    struct page p = page_begin(t, q, a, out, e);
    struct store_iter *i = store_iter_new(t, TABLE_PROPOSAL);
    struct key from, prefix, last;
    struct slice at, value;
    bool ok = page_start(&p, &from, &prefix);

    key_start(&last);
    for (bool more = ok && store_iter_seek(i, key_slice(&from), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value)) {
        if (page_full(&p)) {
            page_more(&p, &last);
            break;
        }
        buf_add(&p.row, wire_proposal_json(value, a));
        page_add(&p);
        key_start(&last);
        key_bytes(&last, at);
    }
    store_iter_free(i);
    return page_end(&p, ok);
}
