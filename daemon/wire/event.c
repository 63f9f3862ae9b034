/* CloudEvents: envelopes as JSON objects and as headers. */
#include "wire/event.h"
#include "wire/json.h"

enum { ATTRIBUTE_BYTES_MAX = 400 };

/* ---- what both forms share */

static void take_attribute(const char *name, struct slice value, struct slice *out, struct reasons *why)
{
    if (out->p)
        reasons_add(why, "%s: given twice", name);
    else if (!slice_is_utf8(value))
        reasons_add(why, "%s: not UTF-8", name);
    else if (!slice_is_printable(value))
        reasons_add(why, "%s: has control characters in it", name);
    else if (value.n == 0)
        reasons_add(why, "%s: empty", name);
    else if (value.n > ATTRIBUTE_BYTES_MAX)
        reasons_add(why, "%s: %zu bytes; at most %d", name, value.n, ATTRIBUTE_BYTES_MAX);
    *out = value.p ? value : S("");
}

static void take_time(const char *name, struct slice text, instant_t *out, struct reasons *why)
{
    if (!instant_parse(text, out)) {
        *out = INSTANT_NONE;
        reasons_add(why, "%s: \"%.*s\" is not a time like 2024-03-29T01:00:00Z", name,
                    (int)(text.n < 60 ? text.n : 60), text.p);
    }
}

static void check_version(const char *name, struct slice value, struct reasons *why)
{
    if (value.p && !slice_eq(value, S("1.0")))
        reasons_add(why, "%s: \"%.*s\"; expected 1.0", name, (int)(value.n < 20 ? value.n : 20), value.p);
}

static void require(const char *name, struct slice value, struct reasons *why)
{
    if (!value.p)
        reasons_add(why, "%s: missing", name);
}

enum encoding encoding_of(struct slice content_type)
{
    static const struct {
        struct slice name;
        enum encoding encoding;
    } known[] = {
        {{"application/json", 16}, ENCODING_JSON},
        {{"application/protobuf", 20}, ENCODING_PROTOBUF},
        {{"application/x-protobuf", 22}, ENCODING_PROTOBUF},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = known[i].name.n; /* parameters may follow: "; charset=utf-8" */
        if (content_type.n >= n && memcmp(content_type.p, known[i].name.p, n) == 0 &&
            (content_type.n == n || content_type.p[n] == ';' || content_type.p[n] == ' '))
            return known[i].encoding;
    }
    return ENCODING_UNKNOWN;
}

/* ---- headers */

const struct header *header_find(const struct header *h, size_t n, const char *name)
{
    struct slice wanted = slice_of(name);
    for (size_t i = 0; i < n; i++)
        if (slice_eq(h[i].name, wanted))
            return &h[i];
    return NULL;
}

bool cloud_event_from_headers(const struct header *h, size_t n, struct slice key, struct slice value,
                              struct cloud_event *out, struct reasons *why)
{
    size_t before = why->n;
    struct slice version = {NULL, 0}, time = {NULL, 0};
    *out = (struct cloud_event){.time = INSTANT_NONE, .workflow = key, .data = value};
    const struct {
        struct slice name;
        struct slice *to;
        bool required;
    } attributes[] = {
        {S("ce_id"), &out->id, true},          {S("ce_source"), &out->source, true},
        {S("ce_specversion"), &version, true}, {S("ce_type"), &out->type, true},
        {S("ce_time"), &time, false},          {S("content-type"), &out->content_type, true},
    };
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof attributes / sizeof *attributes; j++)
            if (slice_eq(h[i].name, attributes[j].name)) {
                take_attribute(attributes[j].name.p, h[i].value, attributes[j].to, why);
                break;
            }
    for (size_t j = 0; j < sizeof attributes / sizeof *attributes; j++)
        if (attributes[j].required)
            require(attributes[j].name.p, *attributes[j].to, why);
    check_version("ce_specversion", version, why);
    if (time.p)
        take_time("ce_time", time, &out->time, why);
    if (!slice_is_utf8(key) || !slice_is_printable(key))
        reasons_add(why, "key: expected the workflow's id as text");
    return why->n == before;
}

void cloud_event_to_headers(const struct cloud_event *e, struct arena *a, struct header **h, size_t *n)
{
    struct header *out = ARENA_ARRAY(a, struct header, 6);
    size_t i = 0;
    out[i++] = (struct header){S("ce_id"), e->id};
    out[i++] = (struct header){S("ce_source"), e->source};
    out[i++] = (struct header){S("ce_specversion"), S("1.0")};
    out[i++] = (struct header){S("ce_type"), e->type};
    if (e->time != INSTANT_NONE)
        out[i++] = (struct header){S("ce_time"), instant_format_utc(a, e->time)};
    out[i++] = (struct header){S("content-type"), e->content_type};
    *h = out;
    *n = i;
}

/* ---- JSON */

/* Texts of values inside JSON that has already been parsed: the bytes as they stand, so that no digit of a
 * number is lost. */
static void skip_blank(struct slice *in)
{
    while (in->n && (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r'))
        in->p++, in->n--;
}

static void skip_string(struct slice *in)
{
    size_t i = 1;
    while (i < in->n && in->p[i] != '"')
        i += in->p[i] == '\\' ? 2 : 1;
    i = i < in->n ? i + 1 : in->n;
    in->p += i;
    in->n -= i;
}

static struct slice take_span(struct slice *in)
{
    skip_blank(in);
    struct slice span = {in->p, 0};
    for (int depth = 0; in->n;) {
        char c = *in->p;
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        if (c == '"') {
            skip_string(in);
            continue;
        }
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        in->p++, in->n--;
    }
    span.n = (size_t)(in->p - span.p);
    while (span.n && strchr(" \t\r\n", span.p[span.n - 1]))
        span.n--;
    return span;
}

/* The text of member `data` of the object whose text this is. Names written with escapes are not it:
 * CloudEvents' are plain. */
static struct slice data_span(struct slice object)
{
    struct slice in = object, name;
    skip_blank(&in);
    in.p++, in.n--; /* { */
    for (;;) {
        skip_blank(&in);
        name = in;
        if (!in.n || *in.p != '"')
            return (struct slice){NULL, 0};
        skip_string(&in);
        name.n = (size_t)(in.p - name.p);
        skip_blank(&in);
        in.p++, in.n--; /* : */
        struct slice value = take_span(&in);
        if (slice_eq(name, S("\"data\"")))
            return value;
        if (!in.n || *in.p != ',')
            return (struct slice){NULL, 0};
        in.p++, in.n--;
    }
}

static struct slice json_text(struct arena *a, const json_t *v)
{
    return arena_dup(a, (struct slice){json_string_value(v), json_string_length(v)});
}

/* The InputEvent's own workflow: what becomes the record's key. */
static struct slice workflow_in(const struct cloud_event *e, const json_t *data, struct arena *a)
{
    const json_t *workflow = json_object_get(data, "workflow");
    if (json_is_string(workflow))
        return json_text(a, workflow);
    struct reasons dropped = {.arena = a}; /* wire_input gives them */
    if (encoding_of(e->content_type) == ENCODING_PROTOBUF) {
        const Duban__V1__InputEvent *m = (const void *)proto_read(&duban__v1__input_event__descriptor,
                                                                  e->data, PROTO_LENIENT, a, &dropped);
        return m ? slice_of(m->workflow) : S("");
    }
    json_t *decoded =
        json_is_null(data) || !data ? json_parse(e->data, &dropped) : NULL; /* JSON that came in base64 */
    struct slice found = json_is_string(json_object_get(decoded, "workflow"))
                             ? json_text(a, json_object_get(decoded, "workflow"))
                             : S("");
    json_decref(decoded);
    return found;
}

static void take_data(json_t *object, struct slice text, struct arena *a, struct cloud_event *out,
                      struct reasons *why)
{
    const json_t *data = json_object_get(object, "data"), *base64 = json_object_get(object, "data_base64");
    if (data && base64)
        reasons_add(why, "data: given beside data_base64");
    else if (!data && !base64)
        reasons_add(why, "data: missing");
    else if (data && encoding_of(out->content_type) == ENCODING_PROTOBUF)
        reasons_add(why, "data: protobuf goes into data_base64");
    else if (data && !json_is_object(data))
        reasons_add(why, "data: expected an object");
    else if (data)
        out->data = arena_dup(a, data_span(text));
    else if (!json_is_string(base64) ||
             !json_read_base64((struct slice){json_string_value(base64), json_string_length(base64)}, a,
                               &out->data))
        reasons_add(why, "data_base64: expected base64 text");
}

static bool from_object(json_t *object, struct slice text, struct arena *a, struct cloud_event *out,
                        struct reasons *why)
{
    size_t before = why->n;
    struct slice version = {NULL, 0}, time = {NULL, 0}, key = {NULL, 0};
    *out = (struct cloud_event){.time = INSTANT_NONE};
    if (!json_is_object(object)) {
        reasons_add(why, "expected a CloudEvent as a JSON object");
        return false;
    }
    const struct {
        const char *name;
        struct slice *to;
        bool required;
    } attributes[] = {
        {"id", &out->id, true},          {"source", &out->source, true},
        {"specversion", &version, true}, {"type", &out->type, true},
        {"time", &time, false},          {"datacontenttype", &out->content_type, false},
        {"partitionkey", &key, false},
    };
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        const json_t *v = json_object_get(object, attributes[i].name);
        if (json_is_string(v))
            take_attribute(attributes[i].name, json_text(a, v), attributes[i].to, why);
        else if (v && !json_is_null(v))
            reasons_add(why, "%s: expected a text", attributes[i].name);
        else if (attributes[i].required)
            require(attributes[i].name, *attributes[i].to, why);
    }
    check_version("specversion", version, why);
    if (time.p)
        take_time("time", time, &out->time, why);
    if (!out->content_type.p)
        out->content_type = S("application/json");
    take_data(object, text, a, out, why);
    if (why->n == before)
        out->workflow = key.p ? key : workflow_in(out, json_object_get(object, "data"), a);
    return why->n == before;
}

bool cloud_event_from_json(struct slice json, struct arena *a, struct cloud_event *out, struct reasons *why)
{
    json_t *object = json_parse(json, why);
    bool fine = object && from_object(object, json, a, out, why);
    json_decref(object);
    return fine;
}

/* Puts where in front of the reasons that came since `from`. */
static void place_reasons(struct reasons *why, size_t from, const char *what, size_t number)
{
    for (size_t i = from; i < why->n; i++)
        why->item[i] = arena_printf(why->arena, "%s %zu: %.*s", what, number, SLICE_ARG(why->item[i]));
}

struct events {
    struct cloud_event *item;
    size_t n, cap;
};

static void from_array(json_t *array, struct slice json, struct arena *a, struct events *out,
                       struct reasons *why)
{
    struct slice in = json;
    skip_blank(&in);
    in.p++, in.n--; /* [ */
    for (size_t i = 0; i < json_array_size(array); i++) {
        size_t before = why->n;
        struct slice text = take_span(&in);
        if (in.n)
            in.p++, in.n--; /* , or ] */
        struct cloud_event *e = arena_push(a, &out->item, &out->n, &out->cap, sizeof *e);
        from_object(json_array_get(array, i), text, a, e, why);
        place_reasons(why, before, "event", i + 1);
    }
}

static void from_lines(struct slice text, struct arena *a, struct events *out, struct reasons *why)
{
    for (size_t number = 1; text.n; number++) {
        const char *end = memchr(text.p, '\n', text.n);
        struct slice line = {text.p, end ? (size_t)(end - text.p) : text.n};
        text.p += line.n + (end != NULL);
        text.n -= line.n + (end != NULL);
        struct slice rest = line;
        skip_blank(&rest);
        if (!rest.n)
            continue;
        size_t before = why->n;
        struct cloud_event *e = arena_push(a, &out->item, &out->n, &out->cap, sizeof *e);
        cloud_event_from_json(line, a, e, why);
        place_reasons(why, before, "line", number);
    }
}

bool cloud_events_from_json_batch(struct slice json, struct arena *a, struct cloud_event **out, size_t *n,
                                  struct reasons *why)
{
    size_t before = why->n;
    struct events events = {0};
    struct slice start = json;
    skip_blank(&start);
    if (start.n && *start.p == '[') {
        json_t *array = json_parse(json, why);
        if (array)
            from_array(array, json, a, &events, why);
        json_decref(array);
    } else {
        from_lines(json, a, &events, why);
    }
    *out = events.item;
    *n = events.n;
    return why->n == before;
}
