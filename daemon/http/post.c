/* POST /v1/events: CloudEvents in, checked as a whole before any is appended; answered once all are durable.
 */
#include <stdlib.h>
#include <time.h>

#include "engine/row.h"
#include "http/state.h"

#define DURABLE_MS 10000

/* One request's appends, in the order of the request: what goes to another topic waits until what came before
 * it is durable (on Kafka; the embedded log keeps the order by itself). It outlives its exchange when the
 * client does not wait; freed when the last answer is in. */
struct posted {
    struct server *server;
    struct exchange *x; /* NULL: nobody waits any more */
    bool batch;
    const struct cloud_event *events; /* these two are the exchange's */
    const enum topic *topics;
    size_t n, begun, left; /* left: begun and not answered yet */
    struct posted_event {
        struct handed handed; /* first: what is handed over is one of these */
        struct posted *posted;
        struct append_result result;
        char why[256];
    } * event;
};

static void posted_free(struct posted *p)
{
    free(p->event);
    free(p);
}

/* ---- what is asked for */

static bool from_structured(struct exchange *x, struct cloud_event **events, size_t *n, struct reasons *why)
{
    *events = ARENA_NEW(x->arena, struct cloud_event);
    *n = 1;
    return cloud_event_from_json(buf_slice(&x->body), x->arena, *events, why);
}

static bool from_batch(struct exchange *x, struct cloud_event **events, size_t *n, struct reasons *why)
{
    return cloud_events_from_json_batch(buf_slice(&x->body), x->arena, events, n, why);
}

/* Attributes in ce-… header fields, percent-encoded; the body is the data. It becomes a structured event, so
 * that there is one reader of both. */
static bool from_binary(struct exchange *x, struct cloud_event **events, size_t *n, struct reasons *why)
{
    static const char *const attribute[] = {"specversion", "id", "source", "type", "time"};
    struct buf json = {0};
    size_t before = why->n;

    row_open(&json, NULL, '{');
    for (size_t i = 0; i < sizeof attribute / sizeof *attribute; i++) {
        struct slice field = http_header(&x->request, arena_printf(x->arena, "ce-%s", attribute[i]).p), value;

        if (field.n == 0)
            continue;
        if (!http_percent_decode(field, false, x->arena, &value))
            reasons_add(why, "ce-%s: not percent-encoded UTF-8 text", attribute[i]);
        else
            row_text(&json, attribute[i], value);
    }
    row_text(&json, "datacontenttype", http_media_type(http_header(&x->request, "content-type"), x->arena));
    buf_add(&json, S(",\"data_base64\":"));
    wire_json_base64(&json, buf_slice(&x->body));
    buf_byte(&json, '}');
    struct slice text = arena_dup(x->arena, buf_slice(&json));
    buf_free(&json);
    *events = ARENA_NEW(x->arena, struct cloud_event);
    *n = 1;
    return why->n == before && cloud_event_from_json(text, x->arena, *events, why);
}

static const struct {
    const char *media;
    bool batch;
    bool (*read)(struct exchange *x, struct cloud_event **events, size_t *n, struct reasons *why);
} modes[] = {{"application/cloudevents+json", false, from_structured},
             {"application/cloudevents-batch+json", true, from_batch},
             {"application/json", false, from_binary},
             {"application/protobuf", false, from_binary},
             {"application/x-protobuf", false, from_binary}};

/* ---- what is answered */

static void add_result(struct buf *json, const struct append_result *r)
{
    row_open(json, NULL, '{');
    row_text(json, "topic", slice_of(topic_names[r->topic]));
    row_number(json, "partition", r->partition);
    row_number(json, "offset", r->offset);
    row_instant(json, "received", r->received);
    row_close(json, '}');
}

/* A single one's object stands alone: row_open would put a comma before a second. */
static struct slice results_json(const struct posted *p)
{
    struct buf json = {0};

    if (p->batch)
        row_open(&json, NULL, '[');
    for (size_t i = 0; i < p->n; i++)
        add_result(&json, &p->event[i].result);
    if (p->batch)
        row_close(&json, ']');
    struct slice text = arena_dup(p->x->arena, buf_slice(&json));
    buf_free(&json);
    return text;
}

static void answer(struct posted *p)
{
    struct exchange *x = p->x;
    const struct posted_event *failed = NULL;

    x->own = NULL;
    for (size_t i = 0; failed == NULL && i < p->begun; i++)
        if (!p->event[i].result.ok)
            failed = &p->event[i];
    if (failed == NULL) {
        for (size_t i = 0; i < p->n; i++)
            accepted_add(server_accepted(p->server), p->events[i].source, p->events[i].id,
                         p->events[i].workflow);
        reply_json(x, 202, results_json(p));
        return;
    }
    if (failed->result.retry)
        reply_header(x, "Retry-After", "1");
    reply_error(x, 503, "%s%s", failed->why, failed->result.retry ? "; sending the same again is safe" : "");
}

static void append_some(struct posted *p);

static bool all_ok(const struct posted *p)
{
    for (size_t i = 0; i < p->begun; i++)
        if (!p->event[i].result.ok)
            return false;
    return true;
}

/* On Kafka a submission of the same millisecond would come before these deadlines, although it is sent after
 * them: its sender, or what follows here, waits for the next one. (A broker whose clock is another is not
 * waited for.) */
static void pass_millisecond(const struct posted *p)
{
    instant_t last = INSTANT_NONE;
    struct timespec now, nap = {.tv_nsec = 100000};

    for (size_t i = 0; i < p->begun; i++)
        if (p->event[i].result.ok && p->event[i].result.received > last)
            last = p->event[i].result.received;
    for (int i = 0; i < 10; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        if ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 > last)
            return;
        nanosleep(&nap, NULL);
    }
}

/* After a failure nothing that follows is appended: the order is the sender's. */
static void take_result(struct handed *h)
{
    struct posted *p = ((struct posted_event *)h)->posted;

    if (--p->left > 0)
        return;
    if (p->x != NULL && !node_is_local(exchange_node(p->x)) && p->topics[p->begun - 1] == TOPIC_DEADLINES)
        pass_millisecond(p);
    if (p->x != NULL && p->begun < p->n && all_ok(p)) {
        append_some(p);
        return;
    }
    if (p->x != NULL)
        answer(p);
    posted_free(p);
}

/* Any thread. */
static void on_appended(void *ctx, const struct append_result *r)
{
    struct posted_event *e = ctx;

    e->result = *r;
    if (!r->ok)
        snprintf(e->why, sizeof e->why, "%s", r->why != NULL ? r->why : "the log did not take it");
    e->result.why = NULL;
    server_hand_over(e->posted->server, &e->handed);
}

static void on_gone(struct exchange *x)
{
    struct posted *p = x->own;

    if (p != NULL)
        p->x = NULL;
}

static void on_look(struct exchange *x)
{
    if (!x->expired)
        return;
    reply_header(x, "Retry-After", "1");
    reply_error(x, 503, "the log did not answer in time; sending the same again is safe");
}

/* ---- */

/* The next events, as many as may go together. They are counted before the first one is answered. */
static void append_some(struct posted *p)
{
    struct node *node = exchange_node(p->x);
    size_t from = p->begun, to = from;

    while (to < p->n && (node_is_local(node) || p->topics[to] == p->topics[from]))
        to++;
    p->begun = to;
    p->left = to - from;
    for (size_t i = from; i < to; i++) {
        p->event[i].posted = p;
        p->event[i].handed.take = take_result;
        node_append(node, p->topics[i], &p->events[i], on_appended, &p->event[i]);
    }
}

static void append_all(struct exchange *x, const struct cloud_event *events, const enum topic *topics,
                       size_t n, bool batch)
{
    struct posted *p = mem_alloc(sizeof *p);

    *p = (struct posted){
        .server = x->server, .x = x, .batch = batch, .events = events, .topics = topics, .n = n};
    p->event = mem_alloc(n * sizeof *p->event);
    x->own = p;
    x->gone = on_gone;
    exchange_wait(x, on_look, DURABLE_MS);
    append_some(p);
}

/* What is served elsewhere is checked no further than can be here. */
static bool is_known(enum node_place place)
{
    return place == NODE_HERE || place == NODE_ELSEWHERE || place == NODE_FOLLOWED;
}

/* *unplaced: the first that only its workflow's own node can take. *settled: can a bad event be told from a good one? Not before
 * the workflow's state is back and the configured folders have been looked at. */
static bool check_all(struct exchange *x, const struct cloud_event *events, enum topic *topics, size_t n,
                      bool batch, struct reasons *why, const struct cloud_event **unplaced, bool *settled)
{
    *settled = server_is_published(x->server);
    for (size_t i = 0; i < n; i++) {
        struct reasons of_one = {.arena = x->arena};
        enum node_place place;

        if (node_check(exchange_node(x), &events[i], x->arena, &topics[i], &of_one, &place) == NODE_UNPLACED && *unplaced == NULL)
            *unplaced = &events[i];
        *settled = *settled && is_known(place);
        for (size_t r = 0; r < of_one.n; r++)
            if (batch)
                reasons_add(why, "event %zu: %.*s", i + 1, SLICE_ARG(of_one.item[r]));
            else
                reasons_add(why, "%.*s", SLICE_ARG(of_one.item[r]));
    }
    return why->n == 0;
}

static void refuse_for_now(struct exchange *x)
{
    reply_header(x, "Retry-After", "1");
    reply_error(x, 503,
                "the workflow is not served here yet: its state is being restored, or its definition "
                "published; sending the same again is safe");
}

void handle_post_event(struct exchange *x)
{
    struct slice media = http_media_type(http_header(&x->request, "content-type"), x->arena);
    struct reasons why = {.arena = x->arena};
    struct cloud_event *events;
    size_t n, mode = 0;

    while (mode < sizeof modes / sizeof *modes && !slice_eq(media, slice_of(modes[mode].media)))
        mode++;
    if (mode == sizeof modes / sizeof *modes) {
        reply_error(x, 415,
                    "content-type: expected application/cloudevents+json, "
                    "application/cloudevents-batch+json, or application/json "
                    "or application/protobuf with ce-* headers");
        return;
    }
    if (!exchange_ask(x, NULL, 0))
        return;
    if (!modes[mode].read(x, &events, &n, &why)) {
        reply_reasons(x, 400, &why);
        return;
    }
    enum topic *topics = ARENA_ARRAY(x->arena, enum topic, n + 1);
    const struct cloud_event *unplaced = NULL;
    bool settled;
    if (!check_all(x, events, topics, n, modes[mode].batch, &why, &unplaced, &settled) && !settled)
        refuse_for_now(x);
    else if (why.n > 0)
        reply_reasons(x, 400, &why);
    else if (unplaced != NULL)
        reply_elsewhere(x, unplaced->workflow);
    else if (n == 0)
        reply_json(x, 202, S("[]"));
    else
        append_all(x, events, topics, n, modes[mode].batch);
}
