/* Generated messages over arenas, and the check that bytes must pass before they are unpacked. For wire's own
 * files only. */
#ifndef DUBAND_WIRE_PROTO_H
#define DUBAND_WIRE_PROTO_H

#include <protobuf-c/protobuf-c.h>

#include "duban/v1/input.pb-c.h"
#include "duban/v1/output.pb-c.h"
#include "duban/v1/state.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

#include "wire/wire.h"

/* Where in a message something is, from the inside out: "ranking.entries[3].subject". */
struct path {
    const struct path *up;
    const char *name;
    int index; /* -1: not an element of a list */
};
/* Length of the UTF-8 character that s begins with; 0: none. */
size_t proto_character(struct slice s);
/* Adds "PATH: SENTENCE". at NULL: only the sentence. */
void reasons_at(struct reasons *r, const struct path *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* STRICT is for what others send: a field or enum value that this version does not know, a field given twice,
 * or two members of a oneof are refused, because applying the rest would apply something else than was meant.
 * LENIENT is for our own records. */
enum proto_mode { PROTO_LENIENT, PROTO_STRICT };

/* check.c: the message in the arena, with copies of all it holds. The wire format is held against the
 * descriptor: every length within its message, every text UTF-8 without NUL, every byte accounted for.
 * NULL and at least one reason. */
ProtobufCMessage *proto_read(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                             struct arena *a, struct reasons *why);
/* The same for a record of our own: one error. `what` names it: "instance record". */
ProtobufCMessage *proto_read_own(const ProtobufCMessageDescriptor *d, struct slice bytes, const char *what,
                                 struct arena *a, struct err *e);
/* A number at the front of some bytes, which moves behind it; false: there is none. */
bool proto_take_varint(struct slice *rest, uint64_t *out);
/* pack.c: any message's bytes. What every event has is packed without a message: see pack.h. */
struct slice proto_pack(const ProtobufCMessage *m, struct arena *a);
void *proto_new(const ProtobufCMessageDescriptor *d, struct arena *a); /* initialised */

/* Text for a message's member: a copy that ends in NUL. */
char *proto_text(struct arena *a, struct slice s);
/* Bytes that may be anything, as text: empty unless they are UTF-8 without NUL. */
struct slice proto_valid(struct slice s);
char *proto_text_or_empty(struct arena *a, struct slice s); /* a copy of that */
struct slice proto_slice(ProtobufCBinaryData b);
ProtobufCBinaryData proto_bytes(struct slice s); /* a view */

/* NULL for INSTANT_NONE, INSTANT_MAX and anything outside the years 1 to 9999. */
Google__Protobuf__Timestamp *proto_timestamp(struct arena *a, instant_t t);
/* What it would say; false instead of NULL. */
bool proto_seconds(instant_t t, int64_t *seconds, int32_t *nanos);
/* False when out of range. */
bool proto_instant(const Google__Protobuf__Timestamp *t, instant_t *out);

/* How a value stands in bytes: the low bits of its tag. */
enum proto_wire { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };
extern const unsigned char proto_wires[]; /* by ProtobufCType */
extern const unsigned char proto_sizes[]; /* of a value in its message, the same */

/* Members by descriptor. */
/* A value of its own, not one of a list or a oneof: is it other than the type's default? */
static inline bool proto_is_set(const ProtobufCFieldDescriptor *f, const void *at)
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
/* How many values the message holds of it; proto3: 0 for a default. */
static inline size_t proto_count(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const char *base = (const char *)m;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + f->quantifier_offset);
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(base + f->quantifier_offset) == f->id;
    return proto_is_set(f, base + f->offset);
}
/* Where value i stands. */
static inline const void *proto_member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t i)
{
    const char *at = (const char *)m + f->offset;
    return f->label == PROTOBUF_C_LABEL_REPEATED ? *(const char *const *)at + i * proto_sizes[f->type] : at;
}

#endif
