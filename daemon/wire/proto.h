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
/* pack.c: the bytes that protobuf-c would make. */
struct slice proto_pack(const ProtobufCMessage *m, struct arena *a);
/* The same, with room for so many bytes behind it. */
char *proto_pack_before(const ProtobufCMessage *m, size_t behind, struct arena *a, size_t *n);
void *proto_new(const ProtobufCMessageDescriptor *d, struct arena *a); /* initialised */

/* Text for a message's member: a copy that ends in NUL. */
char *proto_text(struct arena *a, struct slice s);
/* Text of bytes that may be anything: empty unless it is UTF-8 without NUL. */
char *proto_text_or_empty(struct arena *a, struct slice s);
struct slice proto_slice(ProtobufCBinaryData b);
ProtobufCBinaryData proto_bytes(struct slice s); /* a view */

/* NULL for INSTANT_NONE, INSTANT_MAX and anything outside the years 1 to 9999. */
Google__Protobuf__Timestamp *proto_timestamp(struct arena *a, instant_t t);
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
size_t proto_count(const ProtobufCMessage *m,
                   const ProtobufCFieldDescriptor *f); /* how many values it holds; proto3: 0 for a default */
const void *proto_member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                         size_t i); /* where value i stands */
bool proto_is_google(const ProtobufCMessageDescriptor
                         *d); /* Struct and its parts, Timestamp: they have a JSON form of their own */

#endif
