/* Measures and history: the records of turns. */
#include "engine/query_page.h"
#include "engine/row.h"

#include "bus/bus.h"

static bool row_wanted(const struct query *q, struct slice json, struct arena *a)
{
    const struct {
        const char *name;
        struct slice filter;
    } member[] = {{"unit", q->unit}, {"subject", q->subject}, {"measure", q->measure}, {"period", q->period}};

    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        struct slice have = S("");

        if (member[i].filter.n == 0)
            continue;
        if (!row_text_member(json, member[i].name, a, &have) || !slice_eq(have, member[i].filter))
            return false;
    }
    return true;
}

static bool add_measure(struct page *p, struct slice at, struct arena *scratch)
{
    struct slice workflow, rest, value;
    struct record *outputs;
    uint64_t sequence;
    struct key k;
    size_t n;

    if (!key_sequence_parse(at, &workflow, &sequence, &rest) || rest.n != 4)
        return err_set(p->err, "measures: a key of %zu bytes that is none", at.n);
    size_t index = get_be32((const unsigned char *)rest.p);
    key_history(&k, workflow, sequence);
    if (store_get(p->txn, TABLE_HISTORY, key_slice(&k), &value) != STORE_OK)
        return true; /* history is still being taken in */
    arena_reset(scratch);
    if (!wire_history_outputs(value, scratch, &outputs, &n) || index >= n)
        return err_set(p->err, "history record %llu of workflow %.*s cannot be read",
                       (unsigned long long)sequence, SLICE_ARG(workflow));
    struct slice json = wire_record_json(&outputs[index], scratch);
    if (!row_wanted(p->q, json, scratch))
        return true;
    buf_add(&p->row, json);
    page_add(p);
    return true;
}

/* Newest first within a workflow; of all workflows, the last one's first. */
static bool measures_back(struct page *p, struct store_iter *i, struct arena *scratch)
{
    struct key prefix, before;
    struct slice at, value;
    bool ok = true;

    key_start(&prefix);
    key_start(&before);
    if (p->q->workflow.n > 0) {
        key_name(&prefix, p->q->workflow);
        key_bytes(&before, p->q->workflow);
        key_bytes(&before,
                  (struct slice){"\x01", 1}); /* behind all that begins with the workflow and a NUL */
    }
    if (p->q->after.n > 0 && !cursor_read(p->q->after, &before, p->err))
        return false;
    struct key last = before;
    for (bool more = store_iter_seek_before(i, key_slice(&before), &at, &value);
         ok && more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_prev(i, &at, &value)) {
        if (page_full(p)) {
            page_more(p, &last);
            break;
        }
        ok = add_measure(p, at, scratch);
        key_start(&last);
        key_bytes(&last, at);
    }
    return ok;
}

static bool history_forth(struct page *p, struct store_iter *i, struct arena *scratch)
{
    struct key from, prefix, last;
    struct slice at, value;

    if (!page_start(p, &from, &prefix))
        return false;
    key_start(&last);
    for (bool more = store_iter_seek(i, key_slice(&from), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value)) {
        if (page_full(p)) {
            page_more(p, &last);
            break;
        }
        arena_reset(scratch);
        buf_add(&p->row, wire_history_json(value, scratch));
        page_add(p);
        key_start(&last);
        key_bytes(&last, at);
    }
    return true;
}

static bool query_records(struct page *p, enum table_id table,
                          bool (*walk)(struct page *, struct store_iter *, struct arena *))
{
    struct arena *scratch = arena_new();
    struct store_iter *i = store_iter_new(p->txn, table);
    bool ok = walk(p, i, scratch);

    store_iter_free(i);
    arena_free(scratch);
    return ok;
}

bool query_lacks_history(struct store_txn *t, struct err *e)
{
    int64_t have, want;

    if (!bus_kafka_lacks_history(t, &have, &want))
        return false;
    err_set(e, "history is being taken in, offset %lld of %lld: the state is complete, but not what came before it",
            (long long)have, (long long)want);
    return true;
}

/* Rather than a part of the answer, how far it is. */
static bool history_there(struct store_txn *t, struct query_result *out, struct err *e)
{
    *out = (struct query_result){.later = query_lacks_history(t, e)};
    return !out->later;
}

bool query_measures(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                    struct err *e)
{
    if (!history_there(t, out, e))
        return false;
    struct page p = page_begin(t, q, a, out, e);

    return page_end(&p, query_records(&p, TABLE_MEASURE, measures_back));
}

bool query_history(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                   struct err *e)
{
    if (!history_there(t, out, e))
        return false;
    struct page p = page_begin(t, q, a, out, e);

    return page_end(&p, query_records(&p, TABLE_HISTORY, history_forth));
}
