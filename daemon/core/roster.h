/* The roster as time changes it: changes on record, and who stands for a unit that is no more. Pure. */
#ifndef DUBAND_CORE_ROSTER_H
#define DUBAND_CORE_ROSTER_H

#include "core/step.h"

/* A program whose roster is base's with the changes, in the order in which they came; all else is shared with
 * base. What names a role or relation that base does not know is left out: a change that step has taken names
 * none. */
struct program *program_with_roster(const struct program *base, const struct roster_change *const *change,
                                    size_t n, struct arena *a);

/* Who stands for the unit on the day d: itself while it is in force, else whoever took over from it, or from
 * that one. The unit itself when nobody did. */
struct slice program_heir(const struct program *p, struct slice unit, enum heir what, date_t d);
/* The unit with this id or alias in force on d; of one that is no more, its heir. NULL: there is neither. */
const struct unit *program_party(const struct program *p, struct slice id, enum heir what, date_t d);

#endif
