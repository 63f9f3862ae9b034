/* GET /v1/topics/{topic}: the embedded log's records from an offset on. JSON lines, at once or after a long
 * poll; or server-sent events. */
#include <stdlib.h>

#include "engine/row.h"
#include "http/state.h"

#define READ_ROWS 16 /* records of one read of the log: one may have a megabyte */
#define HEARTBEAT_MS 15000

struct reading {
    enum topic topic;
    int64_t next; /* offset */
    size_t limit;
};

/* The record's JSON with its place on the topic in front. */
static void add_line(struct buf *b, const struct record *r, struct arena *a)
{
    struct slice json = wire_record_json(r, a);

    row_open(b, NULL, '{');
    row_number(b, "offset", r->offset);
    row_instant(b, "appended", r->appended);
    buf_byte(b, ',');
    buf_add(b, (struct slice){json.p + 1, json.n - 1});
}

/* Records from rd->next on, within the bounds of one answer. add writes one; rd->next moves on. */
static bool read_records(struct exchange *x, struct reading *rd, struct buf *out,
                         void (*add)(struct buf *, const struct record *, struct arena *), size_t *count,
                         struct err *e)
{
    struct store_txn *t = node_read(exchange_node(x), 0, e);
    struct record r[READ_ROWS];
    size_t got = READ_ROWS;
    int64_t end;

    *count = 0;
    if (t == NULL)
        return false;
    while (got == READ_ROWS && *count < rd->limit && out->n < ANSWER_MAX) {
        struct arena *a = arena_new();
        size_t max = rd->limit - *count < READ_ROWS ? rd->limit - *count : READ_ROWS;

        got = bus_local_read(t, rd->topic, rd->next, r, max, &end, a);
        for (size_t i = 0; i < got; i++) {
            add(out, &r[i], a);
            rd->next = r[i].offset + 1;
        }
        *count += got;
        arena_free(a);
    }
    store_abort(t);
    return true;
}

static void unavailable(struct exchange *x, const struct err *why)
{
    reply_header(x, "Retry-After", "1");
    reply_error(x, 503, "%s", why->text);
}

/* ---- JSON lines */

static void add_json_line(struct buf *b, const struct record *r, struct arena *a)
{
    struct buf line = {0};

    add_line(&line, r, a);
    buf_add(b, buf_slice(&line));
    buf_byte(b, '\n');
    buf_free(&line);
}

static void look_lines(struct exchange *x)
{
    struct reading *rd = x->own;
    struct buf out = {0};
    struct err why;
    size_t n;

    if (!read_records(x, rd, &out, add_json_line, &n, &why)) {
        unavailable(x, &why);
    } else if (n > 0 || x->expired) {
        struct slice path = x->request.path;

        reply_header(x, "X-Next", "%lld", (long long)rd->next);
        reply_header(x, "Link", "<%.*s?from=%lld>; rel=\"next\"", SLICE_ARG(path), (long long)rd->next);
        reply_send(x, 200, "application/x-ndjson", buf_slice(&out));
    }
    buf_free(&out);
}

/* ---- server-sent events */

static void add_event(struct buf *b, const struct record *r, struct arena *a)
{
    buf_printf(b, "id: %lld\ndata: ", (long long)r->offset);
    add_json_line(b, r, a);
    buf_byte(b, '\n');
}

static void look_stream(struct exchange *x)
{
    struct reading *rd = x->own;
    size_t n = 1;

    while (n > 0 && !reply_behind(x)) {
        struct buf out = {0};
        struct err why;

        rd->limit = READ_ROWS;
        if (!read_records(x, rd, &out, add_event, &n,
                          &why)) /* the partition is gone: the reader comes again */
            n = 0;
        reply_add(x, buf_slice(&out));
        buf_free(&out);
    }
    if (x->expired) {
        reply_add(x, S(": \n\n"));
        exchange_wait(x, look_stream, HEARTBEAT_MS);
    }
}

static void begin_stream(struct exchange *x)
{
    if (!reply_stream(x, "text/event-stream"))
        return;
    reply_add(x, S("retry: 1000\n\n"));
    exchange_wait(x, look_stream, HEARTBEAT_MS);
    look_stream(x);
}

/* ---- */

static bool parse_offset(struct exchange *x, struct slice text, int64_t *next)
{
    struct err why;

    if (slice_eq(text, S("end"))) {
        struct store_txn *t = node_read(exchange_node(x), 0, &why);
        struct record r;

        if (t == NULL) {
            unavailable(x, &why);
            return false;
        }
        bus_local_read(t, ((struct reading *)x->own)->topic, INT64_MAX, &r, 1, next, x->arena);
        store_abort(t);
        return true;
    }
    if (parse_i64(text, next) && *next >= 0)
        return true;
    reply_error(x, 400, "from: \"%.*s\" is not an offset, a number from 0, or `end`", SLICE_ARG(text));
    return false;
}

static bool wants_stream(struct exchange *x)
{
    return slice_eq(http_media_type(http_header(&x->request, "accept"), x->arena), S("text/event-stream"));
}

void handle_topic(struct exchange *x)
{
    struct reading *rd = ARENA_NEW(x->arena, struct reading);
    struct slice from = S("0"), last = http_header(&x->request, "last-event-id");
    int64_t wait = 0, seen;
    bool stream = wants_stream(x);

    *rd = (struct reading){.limit = 100};
    const struct ask asks[] = {
        {"from", ASK_TEXT, &from}, {"limit", ASK_COUNT, &rd->limit}, {"wait", ASK_WAIT, &wait}};
    x->own = rd;
    if (!topic_parse(x->part[0], &rd->topic)) {
        reply_error(x, 404, "no topic is called %.*s", SLICE_ARG(x->part[0]));
        return;
    }
    if (!node_is_local(exchange_node(x))) {
        reply_error(x, 501, "the log is on Kafka: read the topic %s there, read_committed",
                    topic_names[rd->topic]);
        return;
    }
    if (!exchange_ask(x, asks, 3) || !parse_offset(x, from, &rd->next))
        return;
    if (stream) {
        if (last.n > 0 && parse_i64(last, &seen) && seen >= 0 && seen < INT64_MAX)
            rd->next = seen + 1;
        begin_stream(x);
        return;
    }
    x->expired = wait == 0;
    if (wait > 0)
        exchange_wait(x, look_lines, wait);
    look_lines(x);
}
