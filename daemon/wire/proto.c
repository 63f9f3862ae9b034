#include "wire/proto.h"

#define YEAR_1_SECONDS INT64_C(-62135596800)     /* 0001-01-01T00:00:00Z */
#define YEAR_10000_SECONDS INT64_C(253402300800) /* 10000-01-01T00:00:00Z */

ProtobufCMessage *proto_read_own(const ProtobufCMessageDescriptor *d, struct slice bytes, const char *what,
                                 struct arena *a, struct err *e)
{
    struct reasons why = {.arena = a};
    ProtobufCMessage *m = proto_read(d, bytes, PROTO_LENIENT, a, &why);
    if (!m)
        err_set(e, "%s of %zu bytes cannot be read: %.*s", what, bytes.n, SLICE_ARG(why.item[0]));
    return m;
}

void *proto_new(const ProtobufCMessageDescriptor *d, struct arena *a)
{
    ProtobufCMessage *m = arena_alloc(a, d->sizeof_message);
    protobuf_c_message_init(d, m);
    return m;
}

/* Never protobuf-c's own empty string: inside a oneof it would count as not set. */
char *proto_text(struct arena *a, struct slice s)
{
    char *z = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(z, s.p, s.n);
    return z;
}

struct slice proto_valid(struct slice s)
{
    return s.n && slice_is_utf8(s) && !memchr(s.p, 0, s.n) ? s : S("");
}

char *proto_text_or_empty(struct arena *a, struct slice s)
{
    return proto_text(a, proto_valid(s));
}

struct slice proto_slice(ProtobufCBinaryData b)
{
    return (struct slice){(const char *)b.data, b.len};
}

ProtobufCBinaryData proto_bytes(struct slice s)
{
    union {
        const char *in;
        uint8_t *out;
    } view = {.in = s.p}; /* packing only reads */
    return (ProtobufCBinaryData){s.n, view.out};
}

bool proto_seconds(instant_t t, int64_t *seconds, int32_t *nanos)
{
    if (t <= YEAR_1_SECONDS * 1000 || t >= YEAR_10000_SECONDS * 1000)
        return false;
    int64_t ms = t % 1000 < 0 ? t % 1000 + 1000 : t % 1000;
    *seconds = (t - ms) / 1000;
    *nanos = (int32_t)ms * 1000000;
    return true;
}

Google__Protobuf__Timestamp *proto_timestamp(struct arena *a, instant_t t)
{
    int64_t seconds;
    int32_t nanos;
    if (!proto_seconds(t, &seconds, &nanos))
        return NULL;
    Google__Protobuf__Timestamp *m = proto_new(&google__protobuf__timestamp__descriptor, a);
    m->seconds = seconds;
    m->nanos = nanos;
    return m;
}

bool proto_instant(const Google__Protobuf__Timestamp *t, instant_t *out)
{
    if (t->seconds < YEAR_1_SECONDS || t->seconds >= YEAR_10000_SECONDS || t->nanos < 0 ||
        t->nanos > 999999999)
        return false;
    *out = t->seconds * 1000 + t->nanos / 1000000;
    return true;
}

/* ---- members by descriptor */

const unsigned char proto_wires[] = {
    [PROTOBUF_C_TYPE_INT32] = WIRE_VARINT,   [PROTOBUF_C_TYPE_SINT32] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_SFIXED32] = WIRE_32BIT, [PROTOBUF_C_TYPE_INT64] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_SINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_SFIXED64] = WIRE_64BIT,
    [PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED32] = WIRE_32BIT,
    [PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED64] = WIRE_64BIT,
    [PROTOBUF_C_TYPE_FLOAT] = WIRE_32BIT,    [PROTOBUF_C_TYPE_DOUBLE] = WIRE_64BIT,
    [PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,    [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
    [PROTOBUF_C_TYPE_STRING] = WIRE_LENGTH,  [PROTOBUF_C_TYPE_BYTES] = WIRE_LENGTH,
    [PROTOBUF_C_TYPE_MESSAGE] = WIRE_LENGTH,
};

const unsigned char proto_sizes[] = {
    [PROTOBUF_C_TYPE_INT32] = 4,
    [PROTOBUF_C_TYPE_SINT32] = 4,
    [PROTOBUF_C_TYPE_SFIXED32] = 4,
    [PROTOBUF_C_TYPE_INT64] = 8,
    [PROTOBUF_C_TYPE_SINT64] = 8,
    [PROTOBUF_C_TYPE_SFIXED64] = 8,
    [PROTOBUF_C_TYPE_UINT32] = 4,
    [PROTOBUF_C_TYPE_FIXED32] = 4,
    [PROTOBUF_C_TYPE_UINT64] = 8,
    [PROTOBUF_C_TYPE_FIXED64] = 8,
    [PROTOBUF_C_TYPE_FLOAT] = 4,
    [PROTOBUF_C_TYPE_DOUBLE] = 8,
    [PROTOBUF_C_TYPE_BOOL] = sizeof(protobuf_c_boolean),
    [PROTOBUF_C_TYPE_ENUM] = 4,
    [PROTOBUF_C_TYPE_STRING] = sizeof(char *),
    [PROTOBUF_C_TYPE_BYTES] = sizeof(ProtobufCBinaryData),
    [PROTOBUF_C_TYPE_MESSAGE] = sizeof(ProtobufCMessage *),
};
