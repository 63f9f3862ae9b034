/* Any record as one JSON object on one line. */
#include "wire/event.h"
#include "wire/json.h"
#include "wire/output.h"

static struct slice header_value(const struct record *r, const char *name)
{
    const struct header *h = header_find(r->header, r->nheaders, name);
    return h ? h->value : S("");
}

/* A number in a header of ours; -1 if there is none. */
static int64_t header_number(const struct record *r, const char *name)
{
    int64_t n = -1;
    parse_i64(header_value(r, name), &n);
    return n;
}

static void put_event(struct buf *b, struct slice content_type, struct slice value, struct arena *a)
{
    const Duban__V1__InputEvent *m = event_message(content_type, value, a);
    json_put_name(b, m ? "event" : "value");
    if (m)
        json_put_message(b, &m->base, JSON_SPARSE);
    else
        wire_json_base64(b, value);
}

/* ---- by topic: the members after topic, id and type */

static void put_input(struct buf *b, const struct record *r, struct arena *a)
{
    json_put_member(b, "source", header_value(r, "ce_source"));
    const Duban__V1__InputEvent *m = event_message(header_value(r, "content-type"), r->value, a);
    if (m) {
        json_put_members(b, &m->base, JSON_SPARSE, NULL);
    } else {
        json_put_name(b, "value");
        wire_json_base64(b, r->value);
    }
}

static void put_output(struct buf *b, const struct record *r, struct arena *a)
{
    static const char *const skip[] = {"id", NULL};
    struct reasons dropped = {.arena = a};
    const ProtobufCMessage *m = proto_read(output_descriptor(r->topic), r->value, PROTO_LENIENT, a, &dropped);
    if (m) {
        json_put_members(b, m, JSON_FULL, skip);
    } else {
        json_put_name(b, "value");
        wire_json_base64(b, r->value);
    }
}

static void put_rejected(struct buf *b, const struct record *r, struct arena *a)
{
    static const char *const skip[] = {"id", "value", NULL};
    Duban__V1__Rejected m = DUBAN__V1__REJECTED__INIT;
    instant_t time;
    m.workflow = proto_text_or_empty(a, r->key);
    m.reasons = ARENA_ARRAY(a, char *, r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("duban_reason")))
            m.reasons[m.n_reasons++] = proto_text_or_empty(a, r->header[i].value);
    if (instant_parse(header_value(r, "ce_time"), &time))
        m.time = proto_timestamp(a, time);
    m.input_topic = proto_text_or_empty(a, header_value(r, "duban_topic"));
    m.input_partition = (int32_t)header_number(r, "duban_partition");
    m.input_offset = header_number(r, "duban_offset");
    m.input_source = proto_text_or_empty(a, header_value(r, "duban_ce_source"));
    m.input_id = proto_text_or_empty(a, header_value(r, "duban_ce_id"));
    m.input_type = proto_text_or_empty(a, header_value(r, "duban_ce_type"));
    m.input_time = proto_text_or_empty(a, header_value(r, "duban_ce_time"));
    m.content_type = proto_text_or_empty(a, header_value(r, "content-type"));
    m.task = proto_text_or_empty(a, header_value(r, "duban_task"));
    m.timer = proto_text_or_empty(a, header_value(r, "duban_timer"));
    json_put_members(b, &m.base, JSON_FULL, skip);
    if (r->value.n)
        put_event(b, header_value(r, "content-type"), r->value, a);
}

static void put_state(struct buf *b, const struct record *r, struct arena *a)
{
    (void)a;
    json_put_name(b, "key");
    wire_json_base64(b, r->key);
    json_put_name(b, "value");
    wire_json_base64(b, r->value);
}

/* ---- history */

static void put_history_input(struct buf *b, const Duban__V1__HistoryRecord__Input *in, struct arena *a)
{
    static const char *const skip[] = {"value", NULL};
    json_put_name(b, "input");
    buf_byte(b, '{');
    json_put_members(b, &in->base, JSON_SPARSE, skip);
    put_event(b, slice_of(in->content_type), proto_slice(in->value), a);
    buf_byte(b, '}');
}

/* The record's own members, with the event and the outputs readable instead of as bytes. */
static void put_history_members(struct buf *b, struct slice bytes, struct arena *a)
{
    static const char *const skip[] = {"input", "outputs", NULL};
    struct record *outputs;
    size_t n;
    const Duban__V1__HistoryRecord *m = (const void *)proto_read_own(&duban__v1__history_record__descriptor,
                                                                     bytes, "history record", a, NULL);
    if (!m || !wire_history_outputs(bytes, a, &outputs, &n)) {
        json_put_name(b, "value");
        wire_json_base64(b, bytes);
        return;
    }
    json_put_members(b, &m->base, JSON_SPARSE, skip);
    if (m->input)
        put_history_input(b, m->input, a);
    json_put_name(b, "outputs");
    buf_byte(b, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_byte(b, ',');
        buf_add(b, wire_record_json(&outputs[i], a));
    }
    buf_byte(b, ']');
}

static void put_history(struct buf *b, const struct record *r, struct arena *a)
{
    put_history_members(b, r->value, a);
}

struct slice wire_history_json(struct slice bytes, struct arena *a)
{
    struct buf b = {0};
    buf_byte(&b, '{');
    put_history_members(&b, bytes, a);
    buf_byte(&b, '}');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

/* The measure as it would have gone out. */
struct slice wire_proposal_json(struct slice bytes, struct arena *a)
{
    struct buf b = {0};
    const Duban__V1__Proposal *m =
        (const void *)proto_read_own(&duban__v1__proposal__descriptor, bytes, "proposal", a, NULL);
    buf_byte(&b, '{');
    if (m && m->measure)
        json_put_members(&b, &m->measure->base, JSON_FULL, NULL);
    buf_byte(&b, '}');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

struct slice wire_record_json(const struct record *r, struct arena *a)
{
    static void (*const put[TOPIC_COUNT])(struct buf * b, const struct record *r, struct arena *a) = {
        [TOPIC_SUBMISSIONS] = put_input,  [TOPIC_DEADLINES] = put_input,      [TOPIC_WARNINGS] = put_output,
        [TOPIC_SUPERVISION] = put_output, [TOPIC_NOTIFICATIONS] = put_output, [TOPIC_REJECTED] = put_rejected,
        [TOPIC_CHANGELOG] = put_state,    [TOPIC_HISTORY] = put_history,
    };
    struct buf b = {0};
    buf_byte(&b, '{');
    json_put_member(&b, "topic", slice_of(topic_names[r->topic]));
    json_put_member(&b, "id", header_value(r, "ce_id"));
    json_put_member(&b, "type", header_value(r, "ce_type"));
    put[r->topic](&b, r, a);
    buf_byte(&b, '}');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}
