/* What the contract requires of a message beyond its types. For wire's own files only. */
#ifndef DUBAND_WIRE_RULES_H
#define DUBAND_WIRE_RULES_H

#include "wire/layout.h"

/* Checks m and every message in it: required fields, ids, digests, lists without repeats. */
void rules_check(const ProtobufCMessage *m, const struct path *at, struct reasons *why);

/* layout.c's: those of one kind of message, made anew and kept for good; NULL: none. */
const struct rules *rules_of(const ProtobufCMessageDescriptor *d);

#endif
