/* What became of one input: its id is looked for in every month and workflow that has any, newest month
 * first. */
#include "engine/flow.h"
#include "engine/query.h"
#include "engine/row.h"

static enum query_found describe(struct store_txn *t, struct slice workflow, struct slice value,
                                 struct arena *a, struct slice *json)
{
    const struct seen_found seen = seen_parse(value, NULL);
    bool rejected = seen.as == SEEN_REJECTED;
    struct buf b = {0};
    struct slice rest = seen.reasons, history;
    struct err missing;
    struct key k;

    row_open(&b, NULL, '{');
    row_text(&b, "status", rejected ? S("rejected") : S("applied"));
    row_open(&b, "reasons", '[');
    while (rest.n > 0) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;

        row_text(&b, NULL, (struct slice){rest.p, n});
        n += end != NULL;
        rest = (struct slice){rest.p + n, rest.n - n};
    }
    row_close(&b, ']');
    key_history(&k, workflow, seen.history);
    if (seen.history > 0 && store_get(t, TABLE_HISTORY, key_slice(&k), &history) == STORE_OK)
        row_raw(&b, "history", wire_history_json(history, a));
    else if (store_txn_error(t)[0] != 0)
        row_text(&b, "missing", slice_of(store_txn_error(t)));
    else if (seen.history > 0 && query_lacks_history(t, &missing))
        row_text(&b, "missing", slice_of(missing.text));
    row_close(&b, '}');
    *json = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return rejected ? QUERY_REJECTED : QUERY_APPLIED;
}

/* Within one month, workflow by workflow: a record that was refused may have been mended and applied since,
 * under another one. */
static bool find_in_month(struct store_txn *t, struct store_iter *i, int32_t month,
                          const struct seen_id *id, struct arena *a, struct slice *workflow,
                          struct slice *value)
{
    struct slice key, any, found, one;
    struct key from, wanted;
    bool refused = false;
    int32_t at;

    key_start(&from);
    key_u32(&from, (uint32_t)month);
    while (store_iter_seek(i, key_slice(&from), &key, &any) && key_seen_parse(key, &at, &found) &&
           at == month) {
        found = arena_dup(a, found);
        key_seen(&wanted, month, found, seen_key(id));
        if (store_get(t, TABLE_SEEN, key_slice(&wanted), &one) == STORE_OK) {
            *workflow = found;
            *value = one;
            refused = seen_parse(one, NULL).as == SEEN_REJECTED;
            if (!refused)
                return true;
        }
        key_start(&from);
        key_u32(&from, (uint32_t)month);
        key_bytes(&from, found);
        key_bytes(&from, (struct slice){"\x01", 1}); /* behind all of this workflow */
    }
    return refused;
}

enum query_found query_event(struct store_txn *t, struct slice source, struct slice id, struct arena *a,
                             struct slice *json)
{
    const struct cloud_event event = {.source = source, .id = id};
    struct store_iter *i = store_iter_new(t, TABLE_SEEN);
    enum query_found found = QUERY_UNKNOWN;
    struct slice key, value, workflow;
    struct seen_id wanted;
    struct key before;
    int32_t month;

    seen_id(&event, &wanted);
    key_start(&before);
    while (found == QUERY_UNKNOWN && store_iter_seek_before(i, key_slice(&before), &key, &value) &&
           key_seen_parse(key, &month, &workflow)) {
        if (find_in_month(t, i, month, &wanted, a, &workflow, &value))
            found = describe(t, workflow, value, a, json);
        key_start(&before);
        key_u32(&before, (uint32_t)month);
    }
    store_iter_free(i);
    return found;
}
