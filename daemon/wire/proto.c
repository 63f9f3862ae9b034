#include "wire/proto.h"

#define YEAR_1_SECONDS INT64_C(-62135596800)     /* 0001-01-01T00:00:00Z */
#define YEAR_10000_SECONDS INT64_C(253402300800) /* 10000-01-01T00:00:00Z */

static void *from_arena(void *arena, size_t n)
{
    return arena_alloc(arena, n);
}

static void leave_to_arena(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

ProtobufCMessage *proto_read(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                             struct arena *a, struct reasons *why)
{
    if (!proto_check(d, bytes, mode, why))
        return NULL;
    ProtobufCAllocator allocator = {from_arena, leave_to_arena, a};
    ProtobufCMessage *m =
        protobuf_c_message_unpack(d, &allocator, bytes.n, (const uint8_t *)(bytes.n ? bytes.p : ""));
    if (!m)
        reasons_add(why, "these bytes are not a %s", d->name);
    return m;
}

ProtobufCMessage *proto_read_own(const ProtobufCMessageDescriptor *d, struct slice bytes, const char *what,
                                 struct arena *a, struct err *e)
{
    struct reasons why = {.arena = a};
    ProtobufCMessage *m = proto_read(d, bytes, PROTO_LENIENT, a, &why);
    if (!m)
        err_set(e, "%s of %zu bytes cannot be read: %.*s", what, bytes.n, SLICE_ARG(why.item[0]));
    return m;
}

struct slice proto_pack(const ProtobufCMessage *m, struct arena *a)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    char *p = arena_alloc(a, n + 1);
    protobuf_c_message_pack(m, (uint8_t *)p);
    return (struct slice){p, n};
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

char *proto_text_or_empty(struct arena *a, struct slice s)
{
    bool fine = slice_is_utf8(s) && (s.n == 0 || !memchr(s.p, 0, s.n));
    return proto_text(a, fine ? s : (struct slice){NULL, 0});
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

Google__Protobuf__Timestamp *proto_timestamp(struct arena *a, instant_t t)
{
    if (t == INSTANT_NONE || t / 1000 <= YEAR_1_SECONDS || t / 1000 >= YEAR_10000_SECONDS)
        return NULL;
    Google__Protobuf__Timestamp *m = proto_new(&google__protobuf__timestamp__descriptor, a);
    int64_t ms = t % 1000 < 0 ? t % 1000 + 1000 : t % 1000;
    m->seconds = (t - ms) / 1000;
    m->nanos = (int32_t)ms * 1000000;
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

static bool is_set(const ProtobufCFieldDescriptor *f, const void *at)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING: {
        const char *z = *(char *const *)at;
        return z && *z;
    }
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len > 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at != NULL;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return *(const uint64_t *)at != 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)at != 0;
    default: /* all others take four bytes; no contract has a float */
        return *(const uint32_t *)at != 0;
    }
}

size_t proto_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const char *base = (const char *)m;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + f->quantifier_offset);
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + f->quantifier_offset) == f->id;
    return is_set(f, base + f->offset);
}

static size_t size_of(ProtobufCType t)
{
    static const size_t size[] = {
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
    return size[t];
}

const void *proto_member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    const char *at = (const char *)m + f->offset;
    return f->label == PROTOBUF_C_LABEL_REPEATED ? *(const char *const *)at + i * size_of(f->type) : at;
}

bool proto_is_google(const ProtobufCMessageDescriptor *d)
{
    return strcmp(d->package_name, "google.protobuf") == 0;
}
