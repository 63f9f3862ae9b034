/* Bytes against a descriptor, before anything is unpacked from them. */
#include "wire/proto.h"

enum {
    DEPTH_MAX = 100,       /* messages within messages; the usual limit of protobuf */
    MESSAGES_MAX = 200000, /* messages in one record: bounds what a small record can unpack to */
    FIELD_NUMBER_MAX = 536870911
};

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

struct check {
    enum proto_mode mode;
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

static enum wire_type wire_type_of(ProtobufCType t)
{
    static const unsigned char types[] = {
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
    return types[t];
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

static bool check_message(struct check *c, const ProtobufCMessageDescriptor *d, struct slice in,
                          const struct path *up, int depth);

static bool check_field(struct check *c, const ProtobufCFieldDescriptor *f, unsigned wire_type,
                        uint64_t number, struct slice bytes, const struct path *at, int depth)
{
    bool packed = wire_type == WIRE_LENGTH && f->label == PROTOBUF_C_LABEL_REPEATED &&
                  wire_type_of(f->type) != WIRE_LENGTH;
    if (wire_type != wire_type_of(f->type) && !packed)
        return refuse(c, at, "encoded as another type than the contract's");
    if (packed)
        return true;
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return text_fits(c, bytes, at);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_message(c, f->descriptor, bytes, at, depth + 1);
    return wire_type != WIRE_VARINT || number_fits(c, f, number, at);
}

/* Once the framing is broken nothing after it can be read; all other faults are collected. */
static bool check_message(struct check *c, const ProtobufCMessageDescriptor *d, struct slice in,
                          const struct path *up, int depth)
{
    if (depth > DEPTH_MAX)
        return refuse(c, up, "nested too deep");
    if (++c->messages > MESSAGES_MAX)
        return refuse(c, up, "too many parts");
    bool fine = true;
    uint64_t seen = 0;
    for (size_t whole = in.n; in.n;) {
        size_t offset = whole - in.n;
        uint64_t tag = 0, number = 0;
        struct slice bytes = {NULL, 0};
        if (!take_varint(&in, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX ||
            !take_value(&in, tag & 7, &number, &bytes)) {
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
        if (!f)
            continue;
        struct path here = {up, f->name, -1};
        const struct path *at =
            proto_is_google(d) ? up : &here; /* a Struct's inner names say nothing to its sender */
        fine &= first_time(c, d, f, &seen, at);
        fine &= check_field(c, f, tag & 7, number, bytes, at, depth);
        if (c->messages > MESSAGES_MAX)
            return false;
    }
    return fine;
}

bool proto_check(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                 struct reasons *why)
{
    struct check c = {.mode = mode, .why = why};
    return check_message(&c, d, bytes, NULL, 0);
}
