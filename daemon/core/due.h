/* Due dates: a function of the definition and the calendar alone. */
#ifndef DUBAND_DUE_H
#define DUBAND_DUE_H

#include "core/program.h"

struct due {
    instant_t opens;     /* start of the period */
    instant_t nominal;   /* before the roll */
    instant_t effective; /* INSTANT_MAX when due: none */
    date_t day;          /* the effective day as people name it: with an inclusive cut-off, the last day in time */
    bool provisional;    /* past the last published holiday year */
    struct slice reason; /* "day 24 of 2024-02, inclusive: until 24:00; 2024-02-24 is a day off (…): rolled to 2024-02-26" */
};

/* Whether the obligation is owed for this period at all: it begins within what the obligation and the workflow call effective. */
bool due_in_force(const struct program *p, const struct obligation *o, struct period period);

/* The one period of PERIOD_ONCE is the effective span itself. A DUE_FIELD rule is treated as DUE_NONE: no task is born by an event yet. */
struct due due_of(const struct program *p, const struct obligation *o, struct period period, struct arena *a);

/* A measure's limit: `within` after `issued`, at 24:00 local of that last day. */
instant_t due_limit(const struct program *p, instant_t issued, struct duration within);

/* Visits every (obligation, period, unit, about) whose effective due day lies in [from, until), in due order;
 * unit: only this one, or empty. */
struct due_row {
    const struct obligation *obligation;
    struct period period;
    struct slice unit, about;
    struct due due;
};
void due_list(const struct program *p, date_t from, date_t until, struct slice unit, struct arena *a, struct due_row **rows,
              size_t *n);

/* Who owes obligation o for a period, at the roster of `now`: pairs ordered by unit, then about. */
struct owed {
    struct slice unit, about;
};
void due_owed(const struct program *p, const struct obligation *o, struct period period, instant_t now, struct arena *a,
              struct owed **pairs, size_t *n);

#endif
