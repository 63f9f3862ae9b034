/* Annul, Supersede, Decide → struct input. Private to wire. */
#ifndef DUBAND_WIRE_RETRACT_H
#define DUBAND_WIRE_RETRACT_H

#include "wire/proto.h"

/* Leaves other bodies alone. */
void retract_fill(const ProtobufCMessage *body, struct arena *a, struct input *in, struct reasons *why);

#endif
