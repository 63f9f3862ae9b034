/* What the files that validate inputs share. Each adds its reasons to t->why. Private to core. */
#ifndef DUBAND_VALIDATE_H
#define DUBAND_VALIDATE_H

#include "core/turn.h"

void check_voice(struct turn *t, const struct input *in, enum voice voice, struct slice what);
void check_source(struct turn *t, const struct input *in, const struct kind *k);
/* The unit in force today with this id or alias; NULL after a problem that begins with `what`. */
const struct unit *validate_unit(struct turn *t, const char *what, struct slice id);
/* The reporter, who must hold one of the roles. none: what to say when there is none; NULL then lets any unit
 * report. */
const struct unit *check_reporter(struct turn *t, struct slice id, const int *roles, size_t nroles,
                                  struct slice what, const char *none);
bool check_period(struct turn *t, struct slice text, enum period_kind kind, struct period *out);
void check_refusals(struct turn *t, const struct event *ev);
struct slice join_names(struct turn *t, const struct slice *item, size_t n);

/* ---- filing.c: which task an input speaks of */
struct filing {
    const struct obligation *o; /* NULL: there is none of that name */
    struct period period;
    struct slice key[KEY_PARTS_MAX];
    struct slice by; /* the unit that speaks: of a joint task, any of its owners */
};
void check_filing(struct turn *t, const struct input *in, struct filing *f);
/* The task must have been born; NULL after saying why there is none. */
struct touched *check_task(struct turn *t, struct filing *f);
/* False after saying why the calendar has not borne the period's tasks (yet). */
bool check_opened(struct turn *t, const struct obligation *o, struct period p);
/* Whether the unit is one of those who receive and review the task. */
bool task_received_by(struct turn *t, struct touched *task, const struct unit *by);
/* What stands against a fact that is the submission of obligations. */
void check_filed(struct turn *t, const struct event *ev);
/* The input's fields, and for declared fields of type attachment that are not among them the attachment of that name. */
struct value attachments_add(struct turn *t, const struct input *in, const struct field *fields, size_t nfields);

/* ---- validators of single classes */
void validate_submission(struct turn *t, const struct input *in); /* filing.c */
void validate_review(struct turn *t, const struct input *in);
void validate_directive(struct turn *t, const struct input *in); /* births.c */
void validate_reading(struct turn *t, const struct input *in); /* reading.c */
void validate_roster(struct turn *t, const struct input *in);  /* roster_check.c */

#endif
