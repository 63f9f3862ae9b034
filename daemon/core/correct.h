/* Corrections that act on the present: more time asked for, given or refused, waivers, pauses, excuses. Private to core.
 *   select.c    which instances a selector means
 *   correct.c   what is done to them, and what they hear of it
 *   standing.c  what a correction in force does to timers and to what a task's timers may do */
#ifndef DUBAND_CORE_CORRECT_H
#define DUBAND_CORE_CORRECT_H

#include "core/turn.h"
#include "core/validate.h"

struct selection {
    struct touched **item; /* by machine, then key; taken into the overlay, not changed yet */
    size_t n, cap;
    size_t seen; /* instances looked at */
};
/* What the selector matches, whatever its state. Problems for every name in it that does not exist, and when it matches nothing. */
void select_instances(struct turn *t, const struct selector *s, bool tasks_only, struct selection *out);

/* An input of class EXTEND, WAIVE, PAUSE, RESUME or EXCUSE: checked and, if nothing speaks against it, done. */
void correct_input(struct turn *t, const struct input *in);
/* A request for more time of a task that exists. by: who asks. */
void correct_ask(struct turn *t, const struct input *in, struct touched *task, struct slice by);

#endif
