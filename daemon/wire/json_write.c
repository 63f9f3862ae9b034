/* Messages → JSON. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/json.h"

static void put_escape(struct buf *b, unsigned char c)
{
    static const char brief[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c == '"' || c == '\\' || (c < sizeof brief && brief[c])) {
        buf_byte(b, '\\');
        buf_byte(b, c == '"' || c == '\\' ? c : (unsigned char)brief[c]);
    } else {
        buf_printf(b, "\\u%04x", c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

void wire_json_text(struct buf *b, struct slice s)
{
    buf_byte(b, '"');
    bool utf8 = slice_is_utf8(s);
    for (size_t i = 0; i < s.n;) {
        size_t run = i;
        while (run < s.n && is_plain((unsigned char)s.p[run]) && (utf8 || (unsigned char)s.p[run] < 0x80))
            run++;
        buf_add(b, (struct slice){s.p + i, run - i});
        i = run;
        if (i == s.n)
            break;
        if ((unsigned char)s.p[i] < 0x80) {
            put_escape(b, (unsigned char)s.p[i++]);
            continue;
        }
        size_t len = proto_character((struct slice){s.p + i, s.n - i});
        buf_add(b, len ? (struct slice){s.p + i, len} : S("\xef\xbf\xbd"));
        i += len ? len : 1;
    }
    buf_byte(b, '"');
}

void json_put_name(struct buf *b, const char *name)
{
    if (b->n && b->p[b->n - 1] != '{')
        buf_byte(b, ',');
    buf_byte(b, '"');
    buf_add(b, slice_of(name));
    buf_add(b, S("\":"));
}

void json_put_member(struct buf *b, const char *name, struct slice text)
{
    json_put_name(b, name);
    wire_json_text(b, text);
}

void wire_json_base64(struct buf *b, struct slice s)
{
    size_t size = sodium_base64_ENCODED_LEN(s.n, sodium_base64_VARIANT_ORIGINAL);
    buf_byte(b, '"');
    buf_reserve(b, size);
    sodium_bin2base64(b->p + b->n, size, (const unsigned char *)s.p, s.n, sodium_base64_VARIANT_ORIGINAL);
    b->n += size - 1;
    buf_byte(b, '"');
}

/* The fewest digits that read back as the same number. */
static void put_double(struct buf *b, double v)
{
    char text[40];
    if (!isfinite(v)) {
        buf_add(b, S("null"));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add(b, slice_of(text));
}

static void put_timestamp(struct buf *b, const Google__Protobuf__Timestamp *t)
{
    instant_t instant;
    if (!proto_instant(t, &instant)) {
        buf_add(b, S("null"));
        return;
    }
    struct arena *a = arena_new();
    wire_json_text(b, instant_format_utc(a, instant));
    arena_free(a);
}

static void put_struct(struct buf *b, const Google__Protobuf__Struct *s);

static void put_value(struct buf *b, const Google__Protobuf__Value *v)
{
    switch (v->kind_case) {
    case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
        put_double(b, v->number_value);
        return;
    case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
        wire_json_text(b, slice_of(v->string_value));
        return;
    case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
        buf_add(b, v->bool_value ? S("true") : S("false"));
        return;
    case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
        put_struct(b, v->struct_value);
        return;
    case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
        buf_byte(b, '[');
        for (size_t i = 0; i < v->list_value->n_values; i++) {
            if (i)
                buf_byte(b, ',');
            put_value(b, v->list_value->values[i]);
        }
        buf_byte(b, ']');
        return;
    default:
        buf_add(b, S("null"));
    }
}

static void put_struct(struct buf *b, const Google__Protobuf__Struct *s)
{
    buf_byte(b, '{');
    for (size_t i = 0; i < s->n_fields; i++) {
        if (i)
            buf_byte(b, ',');
        wire_json_text(b, slice_of(s->fields[i]->key));
        buf_byte(b, ':');
        if (s->fields[i]->value)
            put_value(b, s->fields[i]->value);
        else
            buf_add(b, S("null"));
    }
    buf_byte(b, '}');
}

static void put_nested(struct buf *b, const ProtobufCMessage *m)
{
    if (m->descriptor == &google__protobuf__timestamp__descriptor)
        put_timestamp(b, (const Google__Protobuf__Timestamp *)m);
    else if (m->descriptor == &google__protobuf__struct__descriptor)
        put_struct(b, (const Google__Protobuf__Struct *)m);
    else if (m->descriptor == &google__protobuf__value__descriptor)
        put_value(b, (const Google__Protobuf__Value *)m);
    else
        json_put_message(b, m, JSON_SPARSE);
}

static void put_enum(struct buf *b, const ProtobufCEnumDescriptor *d, int v)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(d, v);
    if (value)
        wire_json_text(b, slice_of(value->name));
    else
        buf_printf(b, "%d", v); /* proto3: one that is not known is shown by its number */
}

static void put_scalar(struct buf *b, const ProtobufCFieldDescriptor *f, const void *at)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        wire_json_text(b, slice_of(*(char *const *)at));
        return;
    case PROTOBUF_C_TYPE_BYTES:
        wire_json_base64(b, proto_slice(*(const ProtobufCBinaryData *)at));
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_nested(b, *(ProtobufCMessage *const *)at);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        buf_add(b, *(const protobuf_c_boolean *)at ? S("true") : S("false"));
        return;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(b, f->descriptor, *(const int *)at);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        put_double(b, *(const double *)at);
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        buf_printf(b, "%u", *(const unsigned *)at);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        buf_printf(b, "\"%llu\"", (unsigned long long)*(const uint64_t *)at);
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        buf_printf(b, "\"%lld\"", (long long)*(const int64_t *)at);
        return;
    default: /* the signed 32-bit types; no contract has a float */
        buf_printf(b, "%d", *(const int *)at);
    }
}

static bool is_among(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void put_field(struct buf *b, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    size_t n = proto_count(m, f);
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        buf_byte(b, '[');
        for (size_t i = 0; i < n; i++) {
            if (i)
                buf_byte(b, ',');
            put_scalar(b, f, proto_member(m, f, i));
        }
        buf_byte(b, ']');
    } else if (f->type == PROTOBUF_C_TYPE_MESSAGE && !n) {
        buf_add(b, S("null"));
    } else {
        put_scalar(b, f, proto_member(m, f, 0));
    }
}

void json_put_members(struct buf *b, const ProtobufCMessage *m, enum json_form form, const char *const *skip)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        bool show = proto_count(m, f) || (form == JSON_FULL && !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF));
        if (!show || is_among(f->name, skip))
            continue;
        json_put_name(b, f->name);
        put_field(b, m, f);
    }
}

void json_put_message(struct buf *b, const ProtobufCMessage *m, enum json_form form)
{
    buf_byte(b, '{');
    json_put_members(b, m, form, NULL);
    buf_byte(b, '}');
}
