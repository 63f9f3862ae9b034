/* JSON → messages. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>

#include "wire/json.h"

enum { NESTING_MAX = 30 /* of lists and objects in a Struct; as deep as the wire format's check allows */ };
#define EXACT_MAX INT64_C(9007199254740992) /* 2^53: up to here a double holds every integer */

struct reading {
    struct arena *arena;
    struct reasons *why;
    bool failed;
};

static void fail(struct reading *r, const struct path *at, const char *what)
{
    reasons_at(r->why, at, "%s", what);
    r->failed = true;
}

static const char *type_name(const json_t *v)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return names[json_typeof(v)];
}

static void expected(struct reading *r, const struct path *at, const char *what, const json_t *got)
{
    reasons_at(r->why, at, "expected %s, found %s", what, type_name(got));
    r->failed = true;
}

static struct slice text_of(const json_t *v)
{
    return (struct slice){json_string_value(v), json_string_length(v)};
}

json_t *json_parse(struct slice text, struct reasons *why)
{
    json_error_t error;
    json_t *v = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!v && json_error_code(&error) == json_error_null_character)
        reasons_add(why, "line %d, column %d: a text with a NUL character in it", error.line, error.column);
    else if (!v)
        reasons_add(why, "not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    return v;
}

bool json_read_base64(struct slice text, struct arena *a, struct slice *out)
{
    static const int variants[] = {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                                   sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    unsigned char *bytes = arena_alloc(a, text.n + 1);
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        size_t n;
        const char *end;
        if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &n, &end, variants[i]) == 0 &&
            end == text.p + text.n) {
            *out = (struct slice){(const char *)bytes, n};
            return true;
        }
    }
    return false;
}

/* ---- Struct */

static void *read_value(struct reading *r, json_t *v, const struct path *at, int depth);

static void *read_struct(struct reading *r, json_t *v, const struct path *at, int depth)
{
    Google__Protobuf__Struct *s = proto_new(&google__protobuf__struct__descriptor, r->arena);
    if (!json_is_object(v)) {
        expected(r, at, "an object", v);
        return s;
    }
    s->fields = ARENA_ARRAY(r->arena, Google__Protobuf__Struct__FieldsEntry *, json_object_size(v));
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
        Google__Protobuf__Struct__FieldsEntry *entry =
            proto_new(&google__protobuf__struct__fields_entry__descriptor, r->arena);
        struct path here = {at, json_object_iter_key(it), -1};
        entry->key = proto_text(r->arena, slice_of(here.name));
        entry->value = read_value(r, json_object_iter_value(it), &here, depth);
        s->fields[s->n_fields++] = entry;
    }
    return s;
}

static void *read_list(struct reading *r, json_t *v, const struct path *at, int depth)
{
    Google__Protobuf__ListValue *list = proto_new(&google__protobuf__list_value__descriptor, r->arena);
    list->values = ARENA_ARRAY(r->arena, Google__Protobuf__Value *, json_array_size(v));
    for (size_t i = 0; i < json_array_size(v); i++) {
        struct path here = {at->up, at->name, (int)i};
        list->values[list->n_values++] = read_value(r, json_array_get(v, i), &here, depth);
    }
    return list;
}

static void *read_value(struct reading *r, json_t *v, const struct path *at, int depth)
{
    Google__Protobuf__Value *m = proto_new(&google__protobuf__value__descriptor, r->arena);
    if (depth > NESTING_MAX) {
        fail(r, at, "nested too deep");
        return m;
    }
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
        m->struct_value = read_struct(r, v, at, depth + 1);
        break;
    case JSON_ARRAY:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
        m->list_value = read_list(r, v, at, depth + 1);
        break;
    case JSON_STRING:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
        m->string_value = proto_text(r->arena, text_of(v));
        break;
    case JSON_INTEGER:
        if (json_integer_value(v) > EXACT_MAX || json_integer_value(v) < -EXACT_MAX)
            fail(r, at, "the number has more digits than JSON carries exactly: send it as text");
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        m->number_value = (double)json_integer_value(v);
        break;
    case JSON_REAL:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
        m->number_value = json_real_value(v);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
        m->bool_value = json_is_true(v);
        break;
    case JSON_NULL:
        m->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
    }
    return m;
}

static void *read_timestamp(struct reading *r, json_t *v, const struct path *at)
{
    instant_t t;
    if (!json_is_string(v))
        expected(r, at, "a time like \"2024-03-29T01:00:00Z\"", v);
    else if (!instant_parse(text_of(v), &t))
        fail(r, at, "not a time like \"2024-03-29T01:00:00Z\"");
    else
        return proto_timestamp(r->arena, t);
    return NULL;
}

/* ---- scalars */

static bool read_whole(struct reading *r, json_t *v, int64_t least, uint64_t most, const struct path *at,
                       uint64_t *out)
{
    int64_t i = 0;
    uint64_t u = 0;
    bool fine = false;
    if (json_is_integer(v)) {
        i = json_integer_value(v);
        fine = i >= least && (i < 0 || (uint64_t)i <= most);
        u = (uint64_t)i;
    } else if (json_is_string(v)) {
        if (parse_u64(text_of(v), &u))
            fine = u <= most;
        else if (parse_i64(text_of(v), &i))
            fine = i >= least && i <= 0, u = (uint64_t)i;
    } else if (json_is_real(v)) {
        double d = json_real_value(v);
        fine = d == floor(d) && fabs(d) <= (double)EXACT_MAX && d >= (double)least && d <= (double)most;
        u = fine ? (uint64_t)(int64_t)d : 0;
    } else {
        expected(r, at, "a number", v);
        return false;
    }
    if (!fine) {
        reasons_at(r->why, at, "expected a whole number from %lld to %llu", (long long)least,
                   (unsigned long long)most);
        r->failed = true;
    }
    *out = u;
    return fine;
}

static int read_enum(struct reading *r, json_t *v, const ProtobufCEnumDescriptor *d, const struct path *at)
{
    const ProtobufCEnumValue *value = NULL;
    if (json_is_string(v))
        value = protobuf_c_enum_descriptor_get_value_by_name(d, json_string_value(v));
    else if (json_is_integer(v) && json_integer_value(v) >= INT32_MIN && json_integer_value(v) <= INT32_MAX)
        value = protobuf_c_enum_descriptor_get_value(d, (int)json_integer_value(v));
    if (value)
        return value->value;
    char names[200] = "";
    for (unsigned i = 0, n = 0; i < d->n_values && n < sizeof names; i++)
        if (d->values[i].value != 0)
            n += (unsigned)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", d->values[i].name);
    reasons_at(r->why, at, "expected one of %s", names);
    r->failed = true;
    return 0;
}

static void read_bytes(struct reading *r, json_t *v, ProtobufCBinaryData *out, const struct path *at)
{
    struct slice bytes = {NULL, 0};
    if (!json_is_string(v))
        expected(r, at, "base64 text", v);
    else if (!json_read_base64(text_of(v), r->arena, &bytes))
        fail(r, at, "not base64");
    *out = proto_bytes(bytes);
}

static void *read_message(struct reading *r, const ProtobufCMessageDescriptor *d, json_t *v,
                          const struct path *at, int depth);

static void *read_nested(struct reading *r, const ProtobufCMessageDescriptor *d, json_t *v,
                         const struct path *at, int depth)
{
    if (d == &google__protobuf__struct__descriptor)
        return read_struct(r, v, at, 0);
    if (d == &google__protobuf__timestamp__descriptor)
        return read_timestamp(r, v, at);
    return read_message(r, d, v, at, depth + 1);
}

/* Reads v into the place of one value of field f. */
static void read_scalar(struct reading *r, const ProtobufCFieldDescriptor *f, json_t *v, void *place,
                        const struct path *at, int depth)
{
    uint64_t n = 0;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        if (!json_is_string(v))
            expected(r, at, "a text", v);
        *(char **)place = proto_text(r->arena, json_is_string(v) ? text_of(v) : (struct slice){NULL, 0});
        return;
    case PROTOBUF_C_TYPE_BYTES:
        read_bytes(r, v, place, at);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(void **)place = read_nested(r, f->descriptor, v, at, depth);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(v))
            expected(r, at, "true or false", v);
        *(protobuf_c_boolean *)place = json_is_true(v);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)place = read_enum(r, v, f->descriptor, at);
        return;
    case PROTOBUF_C_TYPE_UINT32:
        if (read_whole(r, v, 0, UINT32_MAX, at, &n))
            *(uint32_t *)place = (uint32_t)n;
        return;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
        if (read_whole(r, v, INT32_MIN, INT32_MAX, at, &n))
            *(int32_t *)place = (int32_t)n;
        return;
    case PROTOBUF_C_TYPE_UINT64:
        if (read_whole(r, v, 0, UINT64_MAX, at, &n))
            *(uint64_t *)place = n;
        return;
    default: /* int64, sint64; no contract has another */
        if (read_whole(r, v, INT64_MIN, INT64_MAX, at, &n))
            *(int64_t *)place = (int64_t)n;
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
    return f->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(uint64_t);
}

static void read_field(struct reading *r, const ProtobufCFieldDescriptor *f, json_t *v, ProtobufCMessage *m,
                       const struct path *at, int depth)
{
    char *base = (char *)m;
    if (f->label != PROTOBUF_C_LABEL_REPEATED) {
        if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
            *(uint32_t *)(base + f->quantifier_offset) = f->id;
        read_scalar(r, f, v, base + f->offset, at, depth);
        return;
    }
    if (!json_is_array(v)) {
        expected(r, at, "a list", v);
        return;
    }
    /* Lists hold texts, bytes or messages; no contract has a list of numbers. */
    char *items = arena_alloc(r->arena, size_of(f) * (json_array_size(v) + 1));
    for (size_t i = 0; i < json_array_size(v); i++) {
        struct path here = {at->up, at->name, (int)i};
        read_scalar(r, f, json_array_get(v, i), items + i * size_of(f), &here, depth);
    }
    *(size_t *)(base + f->quantifier_offset) = json_array_size(v);
    *(char **)(base + f->offset) = items;
}

/* A field by its own name or, as every reader of the mapping must accept, by the lowerCamelCase one. */
static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessageDescriptor *d, const char *name)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, name);
    for (unsigned i = 0; !f && i < d->n_fields; i++) {
        const char *own = d->fields[i].name, *given = name;
        for (; *own && *given; own++, given++) {
            bool up = *own == '_' && own[1] >= 'a' && own[1] <= 'z';
            own += up;
            if (*given != (up ? *own - 'a' + 'A' : *own))
                break;
        }
        if (!*own && !*given)
            f = &d->fields[i];
    }
    return f;
}

/* True if another member of f's oneof, or f itself under its other name, is there already. */
static bool is_taken(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)((const char *)m + f->quantifier_offset) != 0;
    return proto_count(m, f) > 0;
}

static void *read_message(struct reading *r, const ProtobufCMessageDescriptor *d, json_t *v,
                          const struct path *at, int depth)
{
    ProtobufCMessage *m = proto_new(d, r->arena);
    if (!json_is_object(v) || depth > NESTING_MAX) {
        if (depth > NESTING_MAX)
            fail(r, at, "nested too deep");
        else
            expected(r, at, "an object", v);
        return m;
    }
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it)) {
        const char *name = json_object_iter_key(it);
        struct path here = {at, name, -1};
        const ProtobufCFieldDescriptor *f = field_named(d, name);
        if (!f)
            reasons_at(r->why, &here, "%s has no such field", d->short_name);
        else if (json_is_null(json_object_iter_value(it)))
            continue; /* the mapping: null is not given */
        else if (is_taken(m, f))
            reasons_at(r->why, &here, "given twice, or beside another of which only one may be");
        else {
            read_field(r, f, json_object_iter_value(it), m, &here, depth);
            continue;
        }
        r->failed = true;
    }
    return m;
}

ProtobufCMessage *json_read_message(const ProtobufCMessageDescriptor *d, json_t *v, struct arena *a,
                                    struct reasons *why)
{
    struct reading r = {.arena = a, .why = why};
    ProtobufCMessage *m = read_message(&r, d, v, NULL, 0);
    return r.failed ? NULL : m;
}
