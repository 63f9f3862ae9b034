/* Roster changes: from a body into struct input. Private to wire; packing and reading back stands in wire.h.
 */
#ifndef DUBAND_WIRE_ROSTER_H
#define DUBAND_WIRE_ROSTER_H

#include "wire/rules.h"

/* Fills in->roster when the body is a RosterChange; other bodies are left alone. */
void roster_fill(const ProtobufCMessage *body, struct arena *a, struct input *in, struct reasons *why);

#endif
