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

/* The wire format against the descriptor: every length within its message, every text UTF-8 without NUL,
 * every byte accounted for. protobuf-c checks none of the three. */
bool proto_check(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                 struct reasons *why);

/* proto_check, then the message in the arena. NULL and at least one reason. */
ProtobufCMessage *proto_read(const ProtobufCMessageDescriptor *d, struct slice bytes, enum proto_mode mode,
                             struct arena *a, struct reasons *why);
/* The same for a record of our own: one error. `what` names it: "instance record". */
ProtobufCMessage *proto_read_own(const ProtobufCMessageDescriptor *d, struct slice bytes, const char *what,
                                 struct arena *a, struct err *e);
struct slice proto_pack(const ProtobufCMessage *m, struct arena *a);
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

/* Members by descriptor. */
size_t proto_count(const ProtobufCMessage *m,
                   const ProtobufCFieldDescriptor *f); /* how many values it holds; proto3: 0 for a default */
const void *proto_member(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                         size_t i); /* where value i stands */
bool proto_is_google(const ProtobufCMessageDescriptor
                         *d); /* Struct and its parts, Timestamp: they have a JSON form of their own */

#endif
