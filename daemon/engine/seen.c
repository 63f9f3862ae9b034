/* Ids that were seen: what makes a repeated record harmless. Kept by month of receipt, so that what is old
 * can be dropped a month at a time; the changelog has them in chunks (seen_chunk.c). What counts as old depends
 * on record time alone; dropping it is only housekeeping. */
#include "engine/flow.h"

#define KEEP_DAYS 400
#define DAY_MS INT64_C(86400000)
#define DROP_AT_ONCE 1000
#define REASONS_BYTES_MAX 1500

/* The id as it is, not its hash: a portal numbers its events, or puts the time first, so that a batch's ids lie
 * side by side and a batch writes few pages. */
static void take_id(struct seen_id *out, const struct cloud_event *e)
{
    static const char hashed = 1; /* no source begins with a control character */
    const struct slice id[] = {e->source, e->id};
    unsigned char hash[32];

    if (e->source.n + 1 + e->id.n > SEEN_ID_MAX) {
        wire_digest(hash, id, 2);
        out->n = 17;
        out->byte[0] = hashed;
        memcpy(out->byte + 1, hash, 16);
        return;
    }
    out->n = e->source.n + 1 + e->id.n;
    memcpy(out->byte, e->source.p, e->source.n);
    out->byte[e->source.n] = 0;
    memcpy(out->byte + e->source.n + 1, e->id.p, e->id.n);
}

void seen_id(const struct cloud_event *e, struct seen_id *out)
{
    const struct slice content[] = {e->type, e->content_type, e->data};
    unsigned char digest[32];

    take_id(out, e);
    wire_digest(digest, content, 3);
    memcpy(out->digest, digest, sizeof out->digest);
}

static int32_t month_of(instant_t t)
{
    int64_t day = t / DAY_MS - (t % DAY_MS < 0);

    return period_of_date(PERIOD_MONTH, (date_t)day).index;
}

/* The last moment at which the month's entries count. */
static instant_t month_expires(int32_t month)
{
    return ((int64_t)period_end((struct period){PERIOD_MONTH, month}) + KEEP_DAYS) * DAY_MS;
}

/* ---- which months there are */

static void month_add(struct month_list *list, int32_t month)
{
    size_t at = list->n;

    while (at > 0 && list->month[at - 1] >= month) {
        if (list->month[at - 1] == month)
            return;
        at--;
    }
    list->month = mem_grow(list->month, (list->n + 1) * sizeof *list->month);
    memmove(list->month + at + 1, list->month + at, (list->n - at) * sizeof *list->month);
    list->month[at] = month;
    list->n++;
}

static void months_of(struct month_list *list, struct store_txn *t, enum table_id table)
{
    struct store_iter *i = store_iter_new(t, table);
    struct key from;
    struct slice key, value, rest;
    int32_t month;

    for (bool more = store_iter_seek(i, (struct slice){NULL, 0}, &key, &value);
         more && key_month_parse(key, &month, &rest);
         more = store_iter_seek(i, key_slice(&from), &key, &value)) {
        month_add(list, month);
        key_month(&from, month + 1);
    }
    store_iter_free(i);
}

static void months_learn(struct engine *e, struct store_txn *t)
{
    if (e->months.known)
        return;
    e->months.n = 0;
    months_of(&e->months, t, TABLE_SEEN);
    months_of(&e->months, t, TABLE_SEEN_CHUNK);
    e->months.known = true;
}

/* ---- one id */

struct seen_found seen_parse(struct slice value, const unsigned char *digest)
{
    struct seen_found out = {.as = SEEN_NOT};

    if (value.n < SEEN_BYTES)
        return out;
    out.history = get_be64((const unsigned char *)value.p + SEEN_DIGEST);
    out.reasons = (struct slice){value.p + SEEN_BYTES, value.n - SEEN_BYTES};
    if (out.reasons.n > 0)
        out.as = SEEN_REJECTED;
    else
        out.as = digest == NULL || memcmp(value.p, digest, SEEN_DIGEST) == 0 ? SEEN_SAME : SEEN_OTHER;
    return out;
}

enum turn_status seen_find(struct engine *e, struct store_txn *t, struct slice workflow,
                           const struct seen_id *id, instant_t received, struct seen_found *out,
                           struct err *err)
{
    *out = (struct seen_found){.as = SEEN_NOT};
    months_learn(e, t);
    for (size_t m = e->months.n; m > 0 && month_expires(e->months.month[m - 1]) > received; m--) {
        struct key k;
        struct slice value;
        bool found;

        key_seen(&k, e->months.month[m - 1], workflow, seen_key(id));
        enum turn_status st = engine_get(t, TABLE_SEEN, key_slice(&k), &value, &found, err);
        if (st != TURN_DONE)
            return st;
        if (found) {
            *out = seen_parse(value, id->digest);
            return TURN_DONE;
        }
    }
    return TURN_DONE;
}

static void add_reasons(struct buf *b, const struct reasons *why)
{
    for (size_t i = 0; i < why->n; i++) {
        if (b->n + why->item[i].n > SEEN_BYTES + REASONS_BYTES_MAX) {
            buf_printf(b, "%sand %zu more", i > 0 ? "\n" : "", why->n - i);
            return;
        }
        if (i > 0)
            buf_byte(b, '\n');
        buf_add(b, why->item[i]);
    }
}

enum turn_status seen_put(struct engine *e, struct store_txn *t, struct slice workflow,
                          const struct seen_id *id, instant_t received, uint64_t history,
                          const struct reasons *why, struct err *err)
{
    unsigned char head[SEEN_BYTES];
    struct slice value = {(const char *)head, sizeof head};
    struct buf whole = {0};
    int32_t month = month_of(received);
    struct key k;

    memcpy(head, id->digest, SEEN_DIGEST);
    put_be64(head + SEEN_DIGEST, history);
    if (why != NULL) {
        buf_add(&whole, value);
        add_reasons(&whole, why);
        value = buf_slice(&whole);
    }
    key_seen(&k, month, workflow, seen_key(id));
    months_learn(e, t);
    month_add(&e->months, month);
    enum turn_status st = engine_put(t, TABLE_SEEN, key_slice(&k), value, err);
    if (st == TURN_DONE)
        st = chunk_add(e, t, key_slice(&k), value, err);
    buf_free(&whole);
    return st;
}

/* ---- dropping */

static bool expired_for_all(const struct engine *e, int32_t month)
{
    for (size_t i = 0; i < e->nflows; i++)
        if (flow_until(e, e->flows[i]) < month_expires(month))
            return false;
    return e->nflows > 0;
}

enum turn_status seen_drop(struct engine *e, struct store_txn *t, struct err *err)
{
    enum turn_status st = TURN_DONE;
    size_t one = 1;

    months_learn(e, t);
    if (e->months.n == 0 || !expired_for_all(e, e->months.month[0]))
        return TURN_DONE;
    for (size_t n = 0; st == TURN_DONE && one > 0 && n < DROP_AT_ONCE; n += one)
        st = chunk_drop(e, t, e->months.month[0], &one, err);
    if (one == 0) {
        e->months.n--;
        memmove(e->months.month, e->months.month + 1, e->months.n * sizeof *e->months.month);
    }
    return st;
}
