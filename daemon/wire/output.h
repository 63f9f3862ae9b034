/* Parts of outputs that other files of wire use. */
#ifndef DUBAND_WIRE_OUTPUT_H
#define DUBAND_WIRE_OUTPUT_H

#include "wire/proto.h"

/* The message that a topic carries; NULL for those whose values are not one (rejected, changelog). */
const ProtobufCMessageDescriptor *output_descriptor(enum topic t);
/* The record of a Warning, Supervision or Notification: key and headers follow from the message. partition
 * and offset are not known. */
struct record output_record(enum topic t, struct slice value, struct slice id, struct slice workflow,
                            instant_t time, struct arena *a);
/* "file:line" of a place of the definition; empty for place 0. */
struct slice output_place(const struct program *p, uint32_t place, struct arena *a);
Duban__V1__CausedBy *output_caused_by(const struct cause *c, struct arena *a);

#endif
