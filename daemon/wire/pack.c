/* A message → its bytes, the same as protobuf-c's, but written from the end: a length is known when its turn
 * comes, so that nothing is measured first. */
#include "wire/proto.h"

#define FIRST_BYTES 1024u

/* What is written stands at p + at, and ends where the room ends. */
struct packer {
    struct arena *arena;
    unsigned char *p;
    size_t at, size;
};

static __attribute__((noinline)) void grow(struct packer *w, size_t n)
{
    size_t used = w->size - w->at, size = w->size * 2;
    while (size - used < n)
        size *= 2;
    unsigned char *p = arena_alloc(w->arena, size);
    memcpy(p + size - used, w->p + w->at, used);
    *w = (struct packer){w->arena, p, size - used, size};
}

/* The next n bytes before what is written. */
static inline unsigned char *room(struct packer *w, size_t n)
{
    if (n > w->at)
        grow(w, n);
    return w->p + (w->at -= n);
}

static inline void put_bytes(struct packer *w, const void *bytes, size_t n)
{
    if (n)
        memcpy(room(w, n), bytes, n);
}

static inline void put_varint(struct packer *w, uint64_t v)
{
    unsigned char byte[10];
    size_t n = 0;
    for (; v > 0x7f; v >>= 7)
        byte[n++] = (unsigned char)(v | 0x80);
    byte[n++] = (unsigned char)v;
    unsigned char *to = room(w, n);
    for (size_t i = 0; i < n; i++)
        to[i] = byte[i];
}

static void put_little_endian(struct packer *w, uint64_t v, size_t n)
{
    unsigned char *to = room(w, n);
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(v >> 8 * i);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static void put_number(struct packer *w, ProtobufCType type, const void *at)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        put_varint(w, (uint64_t)(int64_t) * (const int32_t *)at);
        return;
    case PROTOBUF_C_TYPE_UINT32:
        put_varint(w, *(const uint32_t *)at);
        return;
    case PROTOBUF_C_TYPE_SINT32:
        put_varint(w, zigzag(*(const int32_t *)at));
        return;
    case PROTOBUF_C_TYPE_SINT64:
        put_varint(w, zigzag(*(const int64_t *)at));
        return;
    case PROTOBUF_C_TYPE_BOOL:
        put_varint(w, *(const protobuf_c_boolean *)at != 0);
        return;
    default:
        put_varint(w, *(const uint64_t *)at);
    }
}

static void put_message(struct packer *w, const ProtobufCMessage *m);

/* With its length before it. */
static void put_content(struct packer *w, ProtobufCType type, const void *at)
{
    const ProtobufCBinaryData *bytes = at;
    size_t behind = w->size - w->at;
    if (type == PROTOBUF_C_TYPE_MESSAGE)
        put_message(w, *(ProtobufCMessage *const *)at);
    else if (type == PROTOBUF_C_TYPE_BYTES)
        put_bytes(w, bytes->data, bytes->len);
    else
        put_bytes(w, *(const char *const *)at, strlen(*(const char *const *)at));
    put_varint(w, w->size - w->at - behind);
}

static void put_value(struct packer *w, const ProtobufCFieldDescriptor *f, const void *at)
{
    enum proto_wire wire = proto_wires[f->type];
    if (wire == WIRE_LENGTH)
        put_content(w, f->type, at);
    else if (wire == WIRE_VARINT)
        put_number(w, f->type, at);
    else if (wire == WIRE_64BIT)
        put_little_endian(w, *(const uint64_t *)at, 8);
    else
        put_little_endian(w, *(const uint32_t *)at, 4);
    put_varint(w, (uint64_t)f->id << 3 | wire);
}

/* What a member of a oneof points at may be missing although the case names it. */
static bool is_chosen(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const void *at)
{
    if (proto_count(m, f) == 0)
        return false;
    const void *const *p = at;
    return (f->type != PROTOBUF_C_TYPE_MESSAGE && f->type != PROTOBUF_C_TYPE_STRING) ||
           (*p && *p != f->default_value);
}

static void put_field(struct packer *w, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const char *at = (const char *)m + f->offset;
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        for (size_t n = proto_count(m, f); n-- > 0;)
            put_value(w, f, proto_member(m, f, n));
    } else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? is_chosen(m, f, at) : proto_is_set(f, at)) {
        put_value(w, f, at);
    }
}

static void put_message(struct packer *w, const ProtobufCMessage *m)
{
    for (unsigned i = m->n_unknown_fields; i-- > 0;) {
        const ProtobufCMessageUnknownField *f = &m->unknown_fields[i];
        put_bytes(w, f->data, f->len); /* its length, too */
        put_varint(w, (uint64_t)f->tag << 3 | f->wire_type);
    }
    for (unsigned i = m->descriptor->n_fields; i-- > 0;)
        put_field(w, m, &m->descriptor->fields[i]);
}

char *proto_pack_before(const ProtobufCMessage *m, size_t behind, struct arena *a, size_t *n)
{
    size_t size = FIRST_BYTES + behind;
    struct packer w = {.arena = a, .p = arena_alloc(a, size), .at = size - behind, .size = size};
    put_message(&w, m);
    *n = w.size - behind - w.at;
    return (char *)w.p + w.at;
}

struct slice proto_pack(const ProtobufCMessage *m, struct arena *a)
{
    struct slice out;
    out.p = proto_pack_before(m, 1, a, &out.n);
    return out;
}
