/* What the contract requires of a message beyond its types. For wire's own files only. */
#ifndef DUBAND_WIRE_RULES_H
#define DUBAND_WIRE_RULES_H

#include "wire/proto.h"

/* Checks m and every message in it: required fields, ids, digests, lists without repeats. */
void rules_check(const ProtobufCMessage *m, const struct path *at, struct reasons *why);

/* A text member, or empty when the message has no such member. */
struct slice rules_text(const ProtobufCMessage *m, const char *name);

#endif
