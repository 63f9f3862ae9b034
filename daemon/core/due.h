/* Due dates: a function of the definition and the calendar alone. */
#ifndef DUBAND_DUE_H
#define DUBAND_DUE_H

#include "core/program.h"

struct due {
    instant_t opens;     /* start of the period; of one that had begun when the workflow took force, of that day */
    instant_t nominal;   /* before the roll */
    instant_t effective; /* INSTANT_MAX when due: none */
    date_t day;          /* the effective day as people name it: with an inclusive cut-off, the last day in time */
    bool provisional;    /* past the last published holiday year */
    instant_t soft_end;  /* the end of its soft window; 0: it has none */
    struct slice reason; /* "day 24 of 2024-02, inclusive: until 24:00; 2024-02-24 is a day off (…): rolled to 2024-02-26" */
};

/* Whether the obligation is owed for this period at all: it begins within what the obligation and the workflow call effective. */
bool due_in_force(const struct program *p, const struct obligation *o, struct period period);

/* What `s` calls effective, within what the workflow does; an obligation's own beginning may come before the
 * workflow's, for a period that had begun by then. */
struct span due_span(const struct program *p, struct span s);

/* The one period of PERIOD_ONCE is the effective span itself. A DUE_FIELD rule is treated as DUE_NONE. */
struct due due_of(const struct program *p, const struct obligation *o, struct period period, struct arena *a);
/* On a day that a birth gave, by the obligation's cut-off and roll; DATE_NONE: never. */
struct due due_on(const struct program *p, const struct obligation *o, date_t day, instant_t opens, struct arena *a);
/* Of a schedule: 00:00 of its day is `effective`. */
struct due due_schedule(const struct program *p, const struct schedule *s, struct period period, struct arena *a);
/* False where a recurrence rule leaves the period out: nothing is owed for it. */
bool due_owes(const struct obligation *o, const struct due *due);
/* Whether tasks come with the calendar, not from events or rules. */
bool due_from_calendar(const struct obligation *o);

/* When a task of the obligation that is due on `day` is due, by its cut-off. */
instant_t due_cutoff(const struct program *p, const struct obligation *o, date_t day);

/* A measure's limit: `within` after `issued`, at 24:00 local of that last day. */
instant_t due_limit(const struct program *p, instant_t issued, struct duration within);

/* Every (obligation, period, unit, about) whose effective due day lies in [from, until), and the days of schedules in it, in due
 * order. unit: only what this one owes, or empty. What events and rules give birth to is not known beforehand. */
struct due_row {
    const struct obligation *obligation; /* NULL: a schedule's day */
    const struct schedule *schedule;     /* NULL: a task's due date */
    struct period period;
    struct slice unit, about;
    struct due due;
};
void due_list(const struct program *p, date_t from, date_t until, struct slice unit, struct arena *a, struct due_row **rows,
              size_t *n);

/* Who owes obligation o for a period, at the roster of `now`: pairs ordered by unit, then about. */
struct owed {
    struct slice unit, about;
    struct slice *owners; /* of a joint task: all of them, by id; unit is the first. Else none */
    size_t nowners;
};
void due_owed(const struct program *p, const struct obligation *o, struct period period, instant_t now, struct arena *a,
              struct owed **pairs, size_t *n);
struct owed_work {
    uint64_t cost;
    const char *failed; /* NULL, or why an expression could not be worked out; the pairs are not all then */
    uint32_t failed_at; /* place */
};
/* The same for expressions that look at instances; seen: NULL, as in due_owed: there are none. */
void due_owed_seen(const struct program *p, const struct obligation *o, struct period period, instant_t now,
                   const struct instances *seen, struct arena *a, struct owed **pairs, size_t *n,
                   struct owed_work *work);

#endif
