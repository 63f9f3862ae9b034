/* Corrections: selectors and what they are to do, from a body into struct input. Private to wire. */
#ifndef DUBAND_WIRE_CORRECTION_H
#define DUBAND_WIRE_CORRECTION_H

#include "wire/layout.h"

/* Fills what the body (l: of that kind) has of it; bodies without a selector are left alone. */
void correction_fill(const ProtobufCMessage *body, const struct layout *l, struct arena *a, struct input *in,
                     struct reasons *why);

#endif
