/* dubanctl rejected redrive: a refused record once more, as it was or repaired, as an operator's event. */
#include "ctl/rejected.h"

#include <ctype.h>
#include <stdlib.h>

#include "wire/wire.h"

#define REDRIVES_MAX 1000 /* of one record */
#define WAIT_S 30

struct redrive {
    const struct ctl_call *call;
    struct client *c;
    const json_t *letter;
    json_t *event;         /* repaired; NULL: as it was */
    struct slice workflow; /* … of it */
    struct slice type;
};

/* ---- repairing */

/* "duban.v1.ExtensionRequested" of the member "extension_requested" that is not of every event. */
static struct slice type_of(const json_t *event, struct arena *a)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)event, name, value)
    {
        if (!strcmp(name, "workflow") || !strcmp(name, "actor") || !strcmp(name, "reason") || !json_is_object(value))
            continue;
        struct buf b = {0};
        buf_add(&b, S("duban.v1."));
        for (bool up = true; *name; name++) {
            if (*name != '_')
                buf_byte(&b, (unsigned char)(up ? toupper((unsigned char)*name) : *name));
            up = *name == '_';
        }
        struct slice type = arena_dup(a, buf_slice(&b));
        buf_free(&b);
        return type;
    }
    return S("");
}

/* What was text stays text; else as JSON, or text. NULL: to be taken away. */
static json_t *value_of(const char *text, const json_t *before)
{
    json_t *v = json_is_string(before) && strcmp(text, "null") ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_null(v)) {
        json_decref(v);
        return NULL;
    }
    return v ? v : json_text(slice_of(text));
}

static bool set_field(struct redrive *r, struct slice assignment)
{
    char *path = (char *)(uintptr_t)arena_dup(r->call->arena, assignment).p, *equals = strchr(path, '='), *dot;
    json_t *o = r->event;
    if (!equals || equals == path) {
        ctl_fail(r->call, CTL_USAGE, "--set: '%.*s': expected FIELD=VALUE", SLICE_ARG(assignment));
        return false;
    }
    *equals = 0;
    for (; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        *dot = 0;
        json_t *in = json_object_get(o, path);
        if (in && !json_is_object(in)) {
            ctl_fail(r->call, CTL_USAGE, "--set: '%.*s': %s has no fields", SLICE_ARG(assignment), path);
            return false;
        }
        if (!in)
            json_object_set_new(o, path, in = json_object());
        o = in;
    }
    json_t *v = value_of(equals + 1, json_object_get(o, path));
    if (v)
        json_object_set_new(o, path, v);
    else
        json_object_del(o, path);
    return true;
}

static bool set_fields(struct redrive *r, struct slice sets)
{
    while (sets.n) {
        const char *end = memchr(sets.p, '\n', sets.n);
        struct slice one = {sets.p, end ? (size_t)(end - sets.p) : sets.n};
        size_t used = one.n + (end != NULL);
        if (!set_field(r, one))
            return false;
        sets = (struct slice){sets.p + used, sets.n - used};
    }
    return true;
}

static bool read_data(struct redrive *r, const char *path)
{
    struct slice text;
    json_error_t why;
    if (!ctl_read_file(r->call, path, &text))
        return false;
    r->event = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(r->event))
        return true;
    ctl_fail(r->call, CTL_PROBLEMS, "%s:%d:%d: expected an InputEvent as a JSON object, {\"workflow\": …, \"fact\": …}: %s", path,
             r->event ? 1 : why.line, r->event ? 1 : why.column, r->event ? "this is none" : why.text);
    return false;
}

static enum ctl_exit repair(struct redrive *r)
{
    const char *data = ctl_value(r->call, "data"), *set = ctl_value(r->call, "set");
    struct arena *a = r->call->arena;
    r->workflow = json_member(r->letter, "workflow");
    r->type = json_member(r->letter, "input_type");
    if (!data && !set)
        return CTL_DONE;
    if (data && !read_data(r, data))
        return CTL_PROBLEMS;
    if (!r->event) {
        r->event = json_deep_copy(json_object_get(r->letter, "event"));
        if (!r->event)
            return ctl_fail(r->call, CTL_PROBLEMS, "its bytes are no event that could be read: give the whole with --data FILE");
    }
    if (set && !set_fields(r, slice_of(set)))
        return CTL_USAGE;
    r->workflow = arena_dup(a, json_member(r->event, "workflow"));
    r->type = type_of(r->event, a);
    return CTL_DONE;
}

/* ---- the event that redrives */

static struct slice or_else(struct slice a, struct slice b)
{
    return a.n ? a : b;
}

/* The bytes as base64 in quotes. */
static void put_data(const struct redrive *r, struct buf *b)
{
    if (!r->event) {
        struct slice data = json_member(r->letter, "data_base64");
        buf_printf(b, "\"%.*s\"", SLICE_ARG(data));
        return;
    }
    char *text = json_dumps(r->event, JSON_COMPACT);
    wire_json_base64(b, slice_of(text ? text : ""));
    free(text);
}

static void put(struct buf *b, const char *before, struct slice text)
{
    buf_add(b, slice_of(before));
    wire_json_text(b, text);
}

static struct slice event_of(const struct redrive *r)
{
    const struct ctl_call *call = r->call;
    const char *actor = ctl_value(call, "actor"), *user = getenv("USER"), *id = ctl_value(call, "id");
    const char *topic = ctl_value(call, "topic");
    const json_t *o = r->letter;
    struct slice source = json_member(o, "input_source"), own = json_member(o, "input_id");
    bool named = source.n && own.n;
    struct buf b = {0};
    put(&b, "{\"workflow\":", r->workflow);
    put(&b, ",\"actor\":", actor ? slice_of(actor) : arena_printf(call->arena, "%s (dubanctl)", user ? user : "unknown"));
    put(&b, ",\"reason\":", slice_of(ctl_value(call, "reason")));
    put(&b, ",\"redrive\":{\"topic\":", topic ? slice_of(topic) : json_member(o, "input_topic"));
    buf_printf(&b, ",\"partition\":%lld", (long long)json_integer_value(json_object_get(o, "input_partition")));
    put(&b, ",\"offset\":", json_member(o, "input_offset"));
    put(&b, ",\"source\":", named ? source : S(REDRIVEN_SOURCE));
    put(&b, ",\"id\":", id ? slice_of(id) : named ? own : json_member(o, "place"));
    put(&b, ",\"type\":", r->type);
    put(&b, ",\"content_type\":", r->event ? S("application/json") : or_else(json_member(o, "content_type"), S("application/json")));
    buf_add(&b, S(",\"data\":"));
    put_data(r, &b);
    buf_printf(&b, ",\"repaired\":%s}}", r->event ? "true" : "false");
    struct slice text = arena_dup(call->arena, buf_slice(&b));
    buf_free(&b);
    return text;
}

/* The number of the next redrive of this record; 0: *status says what to end with. */
static unsigned next_redrive(const struct redrive *r, enum ctl_exit *status)
{
    for (unsigned nth = 1; nth <= REDRIVES_MAX; nth++) {
        json_t *before = redrive_outcome(r->call, r->c, r->letter, nth, 0, status);
        if (!before)
            return *status == CTL_DONE ? nth : 0;
        json_decref(before);
    }
    *status = ctl_fail(r->call, CTL_COULD_NOT, "it has been redriven %d times", REDRIVES_MAX);
    return 0;
}

static enum ctl_exit post(const struct redrive *r, unsigned nth)
{
    struct arena *a = r->call->arena;
    struct slice id = arena_printf(a, "%.*s#%u", SLICE_ARG(json_member(r->letter, "place")), nth), *errors;
    struct slice headers = arena_printf(
        a, "ce-specversion: 1.0\r\nce-id: %.*s\r\nce-source: %.*s\r\nce-type: duban.v1.Redrive\r\n",
        SLICE_ARG(client_escape(a, id)), SLICE_ARG(client_escape(a, S(REDRIVE_SOURCE))));
    /* Where events' times count, a time of today would end what is replayed. */
    instant_t time;
    if (instant_parse(json_member(r->letter, "input_time"), &time))
        headers = arena_printf(a, "%.*sce-time: %.*s\r\n", SLICE_ARG(headers), SLICE_ARG(instant_format_utc(a, time)));
    struct client_answer an;
    struct err e;
    if (!client_post(r->c, S("/v1/events"), "application/json", headers, event_of(r), a, &an, &e))
        return ctl_fail(r->call, CTL_COULD_NOT, "%s", e.text);
    if (an.status == 202)
        return CTL_DONE;
    size_t n = client_errors(&an, a, &errors);
    for (size_t i = 0; i < n; i++)
        ctl_fail(r->call, CTL_PROBLEMS, "%s%.*s", an.status / 100 == 4 ? "it would be refused again, nothing was sent: " : "", SLICE_ARG(errors[i]));
    return an.status / 100 == 4 ? CTL_PROBLEMS : CTL_COULD_NOT;
}

static enum ctl_exit say(const struct redrive *r, unsigned nth, const json_t *o)
{
    bool applied = slice_eq(json_member(o, "status"), S("applied")), pending = slice_eq(json_member(o, "status"), S("pending"));
    const json_t *reasons = json_object_get(o, "reasons");
    struct slice sequence = json_member(json_object_get(o, "history"), "sequence");
    for (size_t i = 0; i < json_array_size(reasons); i++)
        ctl_fail(r->call, CTL_PROBLEMS, "refused again: %s", json_string_value(json_array_get(reasons, i)));
    if (r->call->json)
        json_print(stdout, json_pack("{s:o, s:i, s:o, s:o}", "place", json_text(json_member(r->letter, "place")), "redrive",
                                     (int)nth, "status", json_text(json_member(o, "status")), "history", json_text(sequence)));
    else if (applied)
        printf("%.*s: applied, record %.*s of the history\n", SLICE_ARG(json_member(r->letter, "place")), SLICE_ARG(sequence));
    if (pending)
        return ctl_fail(r->call, CTL_COULD_NOT, "it is on the log and not taken yet; `dubanctl rejected show` tells when it is");
    return applied ? CTL_DONE : CTL_PROBLEMS;
}

static enum ctl_exit check(const struct redrive *r)
{
    const json_t *o = r->letter;
    struct slice place = json_member(o, "place");
    enum topic topic;
    if (!place.n)
        return ctl_fail(r->call, CTL_PROBLEMS, "it tells of a timer that was halted: there is no record to redrive");
    if (slice_eq(json_member(o, "input_type"), S("duban.v1.Redrive"))) {
        const json_t *of = json_object_get(json_object_get(o, "event"), "redrive");
        return ctl_fail(r->call, CTL_PROBLEMS, "it is a redrive itself: redrive what that was for, %.*s/%lld/%.*s",
                        SLICE_ARG(json_member(of, "topic")), (long long)json_integer_value(json_object_get(of, "partition")),
                        SLICE_ARG(or_else(json_member(of, "offset"), S("0"))));
    }
    if (ctl_value(r->call, "topic") && (!topic_parse(slice_of(ctl_value(r->call, "topic")), &topic) || topic > TOPIC_DEADLINES))
        return ctl_fail(r->call, CTL_USAGE, "--topic: expected submissions or deadlines");
    return CTL_DONE;
}

enum ctl_exit redrive_run(const struct ctl_call *call, struct client *c, const char *id)
{
    enum ctl_exit status;
    struct redrive r = {.call = call, .c = c};
    if (!ctl_value(call, "reason"))
        return ctl_fail(call, CTL_USAGE, "redrive: --reason TEXT is needed: it stands in the history");
    json_t *letter = rejected_fetch(call, c, id, &status);
    if (!letter)
        return status;
    r.letter = letter;
    status = check(&r);
    if (status == CTL_DONE)
        status = repair(&r);
    if (status == CTL_DONE && !r.event && (!json_member(letter, "input_source").n || !json_member(letter, "input_id").n || !r.type.n))
        status = ctl_fail(call, CTL_PROBLEMS, "its envelope could not be read, so as it was it would be refused again: repair it with --set or --data");
    /* A workflow that it names wrongly has no redrives; who serves the right one knows. */
    if (status == CTL_DONE && r.event)
        json_object_set_new(letter, "workflow", json_text(r.workflow));
    unsigned nth = status == CTL_DONE ? next_redrive(&r, &status) : 0;
    if (nth)
        status = post(&r, nth);
    if (nth && status == CTL_DONE) {
        json_t *o = redrive_outcome(call, c, letter, nth, WAIT_S, &status);
        if (o)
            status = say(&r, nth, o);
        else if (status == CTL_DONE)
            status = ctl_fail(call, CTL_COULD_NOT, "the daemon knows nothing of it");
        json_decref(o);
    }
    json_decref(r.event);
    json_decref(letter);
    return status;
}
