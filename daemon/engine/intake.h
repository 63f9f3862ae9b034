/* Before a record is appended: which topic it belongs on, and what its sender can mend. Any thread. */
#ifndef DUBAND_ENGINE_INTAKE_H
#define DUBAND_ENGINE_INTAKE_H

#include "wire/wire.h"

/* Decodes the event and says on which topic it belongs. p NULL: its workflow is not known. False with every
 * reason. */
bool intake_topic(const struct program *p, const struct cloud_event *e, struct arena *a, struct input *in,
                  enum topic *topic, struct reasons *why);
/* The same of an event whose workflow is served elsewhere; p: its definition as last known here, or NULL. False with nothing in `why`: only its
 * definition in force could tell. */
bool intake_place(const struct program *p, const struct cloud_event *e, struct arena *a, enum topic *topic,
                  struct reasons *why);
/* And everything else that is wrong with it whatever the state of the workflow: names, types, the roster at
 * `now`. */
bool intake_check(const struct program *p, const struct cloud_event *e, instant_t now, struct arena *a,
                  enum topic *topic, struct reasons *why);
/* The record of an event on that topic, not appended yet. */
struct record intake_record(const struct cloud_event *e, enum topic topic, struct arena *a);

#endif
