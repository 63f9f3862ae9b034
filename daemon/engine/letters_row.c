/* One dead letter as JSON, and what has become of its event since. */
#include "engine/letters.h"
#include "engine/query.h"
#include "engine/registry.h"
#include "engine/row.h"

struct slice letters_header(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, slice_of(name)))
            return r->header[i].value;
    return S("");
}

static struct slice place(const struct record *r, struct arena *a)
{
    struct slice topic = letters_header(r, "duban_topic");

    return topic.n > 0 ? arena_printf(a, "%.*s/%.*s/%.*s", SLICE_ARG(topic),
                                      SLICE_ARG(letters_header(r, "duban_partition")),
                                      SLICE_ARG(letters_header(r, "duban_offset")))
                       : topic;
}

/* When the turn's input was received; INSTANT_NONE: its history has not come back yet. */
static instant_t applied_at(struct slice json, struct arena *a)
{
    struct slice history, input, received;
    instant_t at = INSTANT_NONE;

    if (row_member(json, "history", &history) && row_member(history, "input", &input) &&
        row_text_member(input, "received", a, &received))
        instant_parse(received, &at);
    return at;
}

/* An event of its name that was applied before it came is another: that is why it was refused. */
static bool was_applied(struct letters_log *log, struct slice source, struct slice id, instant_t refused,
                        struct arena *a)
{
    int partition[PARTITIONS_MAX];
    size_t n = node_partitions(log->node, partition, PARTITIONS_MAX);
    bool applied = false;

    for (size_t i = 0; i < n && i < PARTITIONS_MAX && !applied; i++) {
        struct err why;
        struct slice json;
        struct store_txn *t = node_read(log->node, partition[i], &why);

        if (t != NULL && query_event(t, source, id, a, &json) == QUERY_APPLIED) {
            instant_t at = applied_at(json, a);
            applied = at == INSTANT_NONE || refused == INSTANT_NONE || at >= refused;
        }
        store_abort(t);
    }
    return applied;
}

/* What a refused redrive was to have applied. */
static bool is_redrive_applied(struct letters_log *log, const struct record *r, struct slice id, struct arena *a)
{
    const struct cloud_event e = {.id = id, .type = S("duban.v1.Redrive"), .content_type = letters_header(r, "content-type"),
                                  .workflow = r->key, .data = r->value};
    struct reasons dropped = {.arena = a};
    struct redriven held;

    return wire_redriven(&e, a, &held, &dropped) &&
           was_applied(log, held.event.source, held.event.id, INSTANT_NONE, a);
}

static const char *state_of(struct letters_log *log, const struct record *r, struct slice where, struct arena *a)
{
    struct slice source = letters_header(r, "duban_ce_source"), id = letters_header(r, "duban_ce_id");
    instant_t refused = INSTANT_NONE;

    if (where.n == 0)
        return "halted";
    instant_parse(letters_header(r, "ce_time"), &refused);
    if (slice_eq(letters_header(r, "duban_ce_type"), S("duban.v1.Redrive")) && is_redrive_applied(log, r, id, a))
        return "applied";
    if (source.n > 0 && id.n > 0 && was_applied(log, source, id, refused, a))
        return "applied";
    return was_applied(log, S(REDRIVEN_SOURCE), where, INSTANT_NONE, a) ? "applied" : "refused";
}

static void put_headers(struct buf *b, const struct record *r)
{
    row_open(b, "headers", '[');
    for (size_t i = 0; i < r->nheaders; i++) {
        row_open(b, NULL, '{');
        row_text(b, "name", r->header[i].name);
        row_text(b, "value", r->header[i].value);
        row_close(b, '}');
    }
    row_close(b, ']');
    buf_add(b, S(",\"data_base64\":"));
    wire_json_base64(b, r->value);
}

struct slice letters_row(struct letters_log *log, const struct record *r, bool whole, bool open, struct arena *a)
{
    struct record told = *r;
    struct arena *scratch = arena_new();
    struct slice where = place(r, scratch), out = {NULL, 0};
    const char *state = state_of(log, r, where, scratch);
    struct buf b = {0};

    if (!whole)
        told.value.n = 0; /* only what is said of it */
    if (!open || strcmp(state, "applied") != 0) {
        struct slice json = wire_record_json(&told, scratch);

        row_open(&b, NULL, '{');
        row_number(&b, "partition", r->partition);
        row_number(&b, "offset", r->offset);
        row_instant(&b, "appended", r->appended);
        row_text(&b, "place", where);
        row_text(&b, "state", slice_of(state));
        row_number(&b, "bytes", (int64_t)r->value.n);
        if (whole)
            put_headers(&b, r);
        buf_byte(&b, ',');
        buf_add(&b, (struct slice){json.p + 1, json.n - 1});
        out = arena_dup(a, buf_slice(&b));
    }
    buf_free(&b);
    arena_free(scratch);
    return out;
}
