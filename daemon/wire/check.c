/* Bytes against a descriptor: what fits is put into a message on the way. */
#include "wire/proto.h"

enum {
    DEPTH_MAX = 100,       /* messages within messages; the usual limit of protobuf */
    MESSAGES_MAX = 200000, /* messages in one record: bounds what a small record can unpack to */
    FIELD_NUMBER_MAX = 536870911
};

struct check {
    enum proto_mode mode;
    struct arena *arena; /* the message's */
    struct reasons *why;
    size_t messages;
};

static bool take_varint(struct slice *in, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 10 && i < in->n; i++) {
        unsigned char c = (unsigned char)in->p[i];
        if (i == 9 && c > 1)
            return false;
        v |= (uint64_t)(c & 0x7f) << (7 * i);
        if (!(c & 0x80)) {
            *out = v;
            in->p += i + 1;
            in->n -= i + 1;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct slice *in, uint64_t n, struct slice *out)
{
    if (n > in->n)
        return false;
    *out = (struct slice){in->p, (size_t)n};
    in->p += n;
    in->n -= (size_t)n;
    return true;
}

static bool refuse(struct check *c, const struct path *at, const char *what)
{
    reasons_at(c->why, at, "%s", what);
    return false;
}

/* Takes one field's value off `in`: a varint in *number, or the bytes of the others in *bytes. */
static bool take_value(struct slice *in, unsigned wire_type, uint64_t *number, struct slice *bytes)
{
    uint64_t n = 0;
    switch (wire_type) {
    case WIRE_VARINT:
        return take_varint(in, number);
    case WIRE_64BIT:
        return take_bytes(in, 8, bytes);
    case WIRE_32BIT:
        return take_bytes(in, 4, bytes);
    case WIRE_LENGTH:
        return take_varint(in, &n) && take_bytes(in, n, bytes);
    default: /* groups, which proto3 does not have, and types that do not exist */
        return false;
    }
}

/* raw: the value as it stands, with its length. */
static bool take_field(struct slice *in, uint64_t *tag, uint64_t *number, struct slice *bytes,
                       struct slice *raw)
{
    if (!take_varint(in, tag) || *tag >> 3 == 0 || *tag >> 3 > FIELD_NUMBER_MAX)
        return false;
    *raw = *in;
    if (!take_value(in, *tag & 7, number, bytes))
        return false;
    raw->n -= in->n;
    return true;
}

static bool number_fits(struct check *c, const ProtobufCFieldDescriptor *f, uint64_t v, const struct path *at)
{
    if (c->mode == PROTO_LENIENT)
        return true;
    if (f->type == PROTOBUF_C_TYPE_UINT32 && v > UINT32_MAX)
        return refuse(c, at, "a number too large for its field");
    if (f->type == PROTOBUF_C_TYPE_ENUM &&
        !protobuf_c_enum_descriptor_get_value(f->descriptor, (int)(uint32_t)v)) {
        reasons_at(c->why, at, "%lld is no value of %s that this version knows",
                   (long long)(int32_t)(uint32_t)v, ((const ProtobufCEnumDescriptor *)f->descriptor)->name);
        return false;
    }
    return true;
}

static bool text_fits(struct check *c, struct slice s, const struct path *at)
{
    if (!slice_is_utf8(s))
        return refuse(c, at, "the text is not UTF-8");
    if (s.n && memchr(s.p, 0, s.n))
        return refuse(c, at, "the text has a NUL byte in it");
    return true;
}

/* A field may come once; of a oneof, one member. */
static bool first_time(struct check *c, const ProtobufCMessageDescriptor *d,
                       const ProtobufCFieldDescriptor *f, uint64_t *seen, const struct path *at)
{
    if (c->mode == PROTO_LENIENT || f->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    uint64_t bit = UINT64_C(1) << (f - d->fields); /* no message has more than 64 fields */
    if (*seen & bit)
        return refuse(c, at, "given twice");
    *seen |= bit;
    if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
        return true;
    for (unsigned i = 0; i < d->n_fields; i++)
        if ((d->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
            d->fields[i].quantifier_offset == f->quantifier_offset && &d->fields[i] != f &&
            (*seen & UINT64_C(1) << i)) {
            reasons_at(c->why, at, "given beside %s: only one of them may be", d->fields[i].name);
            return false;
        }
    return true;
}

/* ---- into the message */

/* The room of a list doubles: it is full whenever its length is a power of two. */
static bool room_ends(size_t n)
{
    return (n & (n - 1)) == 0;
}

static void *more_room(struct check *c, const void *items, size_t n, size_t size)
{
    void *more = arena_alloc(c->arena, (n ? n * 2 : 1) * size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

static void *list_slot(struct check *c, const ProtobufCFieldDescriptor *f, ProtobufCMessage *m)
{
    size_t *n = (size_t *)((char *)m + f->quantifier_offset), size = proto_sizes[f->type];
    char **items = (char **)((char *)m + f->offset);
    if (room_ends(*n))
        *items = more_room(c, *items, *n, size);
    return *items + (*n)++ * size;
}

/* Where the value goes. A member of a oneof takes the place of whatever was there. */
static void *slot(struct check *c, const ProtobufCFieldDescriptor *f, ProtobufCMessage *m)
{
    void *at = (char *)m + f->offset;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return list_slot(c, f, m);
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *chosen = (uint32_t *)((char *)m + f->quantifier_offset);
        memset(at, 0, proto_sizes[f->type]);
        *chosen = f->id;
    }
    return at;
}

static void put_number(ProtobufCType type, void *at, uint64_t v)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)at = v;
        return;
    case PROTOBUF_C_TYPE_SINT64:
        *(uint64_t *)at = v >> 1 ^ -(v & 1);
        return;
    case PROTOBUF_C_TYPE_SINT32:
        *(uint32_t *)at = (uint32_t)v >> 1 ^ -((uint32_t)v & 1);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = v != 0;
        return;
    default:
        *(uint32_t *)at = (uint32_t)v;
    }
}

/* What a newer version wrote goes along when the message is packed again. */
static void keep_unknown(struct check *c, ProtobufCMessage *m, uint64_t tag, struct slice raw)
{
    size_t n = m->n_unknown_fields++;
    if (room_ends(n))
        m->unknown_fields = more_room(c, m->unknown_fields, n, sizeof *m->unknown_fields);
    m->unknown_fields[n] = (ProtobufCMessageUnknownField){.tag = (uint32_t)(tag >> 3),
                                                          .wire_type = tag & 7,
                                                          .len = raw.n,
                                                          .data = proto_bytes(arena_dup(c->arena, raw)).data};
}

static bool check_message(struct check *c, struct slice in, const struct path *up, int depth,
                          ProtobufCMessage *m);

/* One that comes again, in a record of our own, adds to the first. */
static bool check_part(struct check *c, const ProtobufCFieldDescriptor *f, struct slice bytes,
                       const struct path *at, int depth, ProtobufCMessage *m)
{
    ProtobufCMessage **part = slot(c, f, m);
    if (depth > DEPTH_MAX)
        return refuse(c, at, "nested too deep");
    if (!*part)
        *part = proto_new(f->descriptor, c->arena);
    return check_message(c, bytes, at, depth, *part);
}

static bool check_field(struct check *c, const ProtobufCFieldDescriptor *f, unsigned wire_type, uint64_t number,
                        struct slice bytes, const struct path *at, int depth, ProtobufCMessage *m)
{
    if (wire_type != proto_wires[f->type])
        return refuse(c, at, "encoded as another type than the contract's");
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_part(c, f, bytes, at, depth + 1, m);
    if ((f->type == PROTOBUF_C_TYPE_STRING && !text_fits(c, bytes, at)) ||
        (wire_type == WIRE_VARINT && !number_fits(c, f, number, at)))
        return false;
    void *to = slot(c, f, m);
    if (f->type == PROTOBUF_C_TYPE_STRING)
        *(char **)to = proto_text(c->arena, bytes);
    else if (f->type == PROTOBUF_C_TYPE_BYTES)
        *(ProtobufCBinaryData *)to = proto_bytes(arena_dup(c->arena, bytes));
    else if (wire_type == WIRE_VARINT)
        put_number(f->type, to, number);
    else
        memcpy(to, bytes.p, bytes.n); /* little-endian machines */
    return true;
}

/* Once the framing is broken nothing after it can be read; all other faults are collected. */
static bool check_message(struct check *c, struct slice in, const struct path *up, int depth,
                          ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *d = m->descriptor;
    if (++c->messages > MESSAGES_MAX)
        return refuse(c, up, "too many parts");
    bool fine = true;
    uint64_t seen = 0;
    for (size_t whole = in.n; in.n;) {
        size_t offset = whole - in.n;
        uint64_t tag = 0, number = 0;
        struct slice bytes = {NULL, 0}, raw = {NULL, 0};
        if (!take_field(&in, &tag, &number, &bytes, &raw)) {
            reasons_at(c->why, up, "byte %zu of %zu: not a field of %s, or cut short", offset, whole,
                       d->name);
            return false;
        }
        const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(d, (unsigned)(tag >> 3));
        if (!f && c->mode == PROTO_STRICT) {
            reasons_at(c->why, up, "field %u of %s is not known to this version", (unsigned)(tag >> 3),
                       d->name);
            fine = false;
        }
        if (!f) {
            keep_unknown(c, m, tag, raw);
            continue;
        }
        struct path here = {up, f->name, -1};
        const struct path *at =
            proto_is_google(d) ? up : &here; /* a Struct's inner names say nothing to its sender */
        fine &= first_time(c, d, f, &seen, at);
        fine &= check_field(c, f, tag & 7, number, bytes, at, depth, m);
        if (c->messages > MESSAGES_MAX)
            return false;
    }
    return fine;
}

ProtobufCMessage *proto_read(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                             struct arena *a, struct reasons *why)
{
    struct check c = {.mode = mode, .arena = a, .why = why};
    ProtobufCMessage *m = proto_new(d, a);
    return check_message(&c, bytes, NULL, 0, m) ? m : NULL;
}
