/* Parts of outputs that other files of wire use. */
#ifndef DUBAND_WIRE_OUTPUT_H
#define DUBAND_WIRE_OUTPUT_H

#include "wire/pack.h"

/* The message that a topic carries; NULL for those whose values are not one (rejected, changelog). */
const ProtobufCMessageDescriptor *output_descriptor(enum topic t);
/* The record of a Warning, Supervision or Notification: key and headers follow from the message. partition
 * and offset are not known. */
struct record output_record(enum topic t, struct slice value, struct slice id, struct slice workflow,
                            instant_t time, struct arena *a);
/* "file:line" of a place of the definition; nothing for place 0. */
void output_pack_place(struct packer *w, unsigned field, const struct program *p, uint32_t place);
void output_pack_caused_by(struct packer *w, unsigned field, const struct cause *c);
/* The fields of a measure's Warning or Supervision. */
void output_pack_measure(struct packer *w, const struct program *p, const struct effects *fx,
                         const struct issued *is);
/* Its records when it is issued later: `is` has its new time, limit, number and words. */
void output_decided(const struct program *p, struct slice measure, const struct issued *is, struct arena *a,
                    struct record **out, size_t *n);
instant_t output_deliver_after(const struct program *p, instant_t t);

/* ---- measure.c */

/* A Warning, a Supervision and a Notification share their fields: all are read as the last. NULL: it is none. */
Duban__V1__Notification *output_read(struct slice value, struct arena *a);
/* Of a measure's records the one that stands for all: its Warning or Supervision, else its first notification. */
bool output_is_first(const Duban__V1__Notification *m);

#endif
