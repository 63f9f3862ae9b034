/* What the parts of a turn share. Private to core: the rest of the world sees step.h.
 *   typing.c validate.c ranking.c   an input → typed events, or every reason against it
 *   overlay.c                       instances touched: copies, so that a turn can be dropped whole
 *   route.c fold.c                  which instances an event reaches; counters and last records
 *   turn.c                          the queue, the choice of a rule, leaving and entering states
 *   actions.c issue.c timers.c      what rules do
 *   document.c                      what documents say
 *   tally.c tally_close.c           points: what credits them, and publication
 *   fill.c                          fields and limits of rows
 *   reading.c                       readings of indicators
 *   watch.c                         telling those who look on
 *   correct.c select.c standing.c   corrections of the present, see correct.h
 *   generator.c births.c            births of tasks: with the calendar; by events, directives, rules
 *   roster_check.c succession.c     changes of the roster, and what units that end hand over
 *   schedule.c provisional.c        what happens on a day; due dates that a newer calendar settles
 *   filing.c                        submissions and reviews: which task they speak of
 *   step.c                          the entry points */
#ifndef DUBAND_TURN_H
#define DUBAND_TURN_H

#include "core/due.h"
#include "core/step.h"

#define KEY_PART_MAX 200 /* bytes of one part of an instance's key */
#define REASONS_MAX 100  /* the rest is summed up in one */

/* ---- reasons against an input, or against going on */

struct problems {
    struct arena *arena;
    struct slice *item;
    size_t n, cap;
    size_t dropped; /* beyond REASONS_MAX */
};
void problem_add(struct problems *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- instances touched */

struct touched {
    struct instance i; /* the turn's own copy; first, for effects hold pointers to it */
    const struct instance *was; /* the world's; NULL: born in this turn */
    bool changed;
    bool gone; /* a succession took it away: nobody finds it any more */
};

struct overlay {
    struct touched **order; /* as first touched */
    size_t n, cap;
    struct touched **sorted; /* by machine and key */
    size_t nsorted, sorted_cap;
};

/* An event taken from the queue, or a timer that fires. */
struct turn {
    const struct program *p;
    const struct world *w;
    struct arena *arena;
    instant_t now;
    date_t today;
    struct cause cause;
    struct problems why;
    bool failed; /* nothing more may happen; the turn will be dropped */
    uint64_t cost;
    int hops; /* of a timer that is armed for now; 0 in an input's turn */

    struct event *queue;
    size_t head, nqueue, queue_cap;

    struct overlay overlay;
    struct instances instances; /* how expressions read them */
    int bearing; /* tasks that are being borne, one by another */
    struct effects *out;
    size_t transitions_cap, issued_cap, numbers_cap;
};

/* Ends the turn: every loop looks at t->failed. */
void turn_fail(struct turn *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What went wrong where something stands in the definition. */
void turn_fail_at(struct turn *t, uint32_t place, const char *what);

int instance_key_cmp(const struct slice *a, const struct slice *b); /* part by part, KEY_PARTS_MAX of them */

/* The instance with this key, from this turn or from the world; NULL: there is none, or the turn failed. */
struct touched *overlay_find(struct turn *t, int machine, const struct slice *key);
/* One that does not exist yet: variables at their start, state -1. */
struct touched *overlay_birth(struct turn *t, int machine, const struct slice *key);
/* Takes a copy of one that the caller holds. */
struct touched *overlay_take(struct turn *t, const struct instance *i);
/* To be called before anything of it changes. */
void overlay_change(struct turn *t, struct touched *x);
/* How expressions read instances: as this turn sees them, without touching any. */
struct instances overlay_instances(struct turn *t);
/* Instances as this turn sees them whose first nkey key parts are these, in key order. */
struct touched **overlay_scan(struct turn *t, int machine, const struct slice *key, size_t nkey, size_t *n);

/* ---- what an acting rule, or an entered state, is and sees */

struct acting {
    struct touched *x;
    const struct event *event; /* NULL: a timer */
    int timer;                 /* that fires; or -1 */
    const struct rule *rule;   /* NULL at a birth */
    uint32_t place;            /* of the rule or of the state */
    bool in_rule;              /* its `do:`, not the entering or leaving that it causes */
};

struct value turn_eval(struct turn *t, const struct expr *x, const struct acting *act);
/* The same with a row bound from outside. */
struct value turn_eval_row(struct turn *t, const struct expr *x, const struct acting *act,
                           const struct value *row);
struct value turn_eval_rows(struct turn *t, const struct expr *x, const struct acting *act, const struct row *row);
bool turn_holds(struct turn *t, const struct expr *x, const struct acting *act);
/* What an expression sees there. */
struct eval turn_view(struct turn *t, const struct acting *act, const struct row *row);

/* Tells the world's watch, if there is one. */
void watch_rule(struct turn *t, const struct acting *act, const struct rule *r, bool holds);
void watch_count(struct turn *t, const struct acting *act, const struct count_def *def, int64_t n, bool counted);

/* ---- events */

void turn_queue(struct turn *t, const struct event *ev);
/* Records that act's instance goes to the state `to`; before it does. */
void turn_record(struct turn *t, const struct acting *act, int to);
void turn_run_queue(struct turn *t);
/* Brings a new instance to life in its machine's initial state, `any` rules included. */
void turn_bear(struct turn *t, struct touched *x, const struct event *ev);
/* Takes the fired timer's rule. */
void turn_fire(struct turn *t, struct touched *x, int timer);

/* Index of a kind's field by name, or -1. */
int kind_field(const struct kind *k, struct slice name);
/* An event of a built-in kind: it names its task. */
struct event event_of_task(struct turn *t, int kind, const struct slice *key, struct period period,
                           const struct event *from, struct value reason);
/* The period of `kind` that the event belongs to: the one it names, else that of its dated field, else of its
 * receipt. */
struct period event_period(const struct turn *t, const struct event *ev, enum period_kind kind);
/* The period that the event names in a field; false: none. */
bool event_named_period(const struct turn *t, const struct event *ev, struct period *out);

/* ---- phases */

/* Queues the input's events; reasons in t->why when there are none. */
void validate_input(struct turn *t, const struct input *in);
/* A ranking's events: the list, then its entries by subject. by: the reporter's id. */
void ranking_queue(struct turn *t, const struct input *in, const struct ranking *r, struct period period,
                   struct slice by);

/* The same from totals: equal ones share a rank. caused: the event that made them. */
struct ranking_score {
    struct slice subject;
    struct rat total;
};
void ranking_compute(struct turn *t, const struct ranking *r, struct period period, struct ranking_score *score,
                     size_t n, const struct event *caused);
/* A unit is ranked that holds one of the ranking's roles on the period's last day, or today where that is earlier. */
bool ranking_ranks(const struct turn *t, const struct ranking *r, struct slice unit, struct period period);

/* What an event does to tallies: entries, self scores, reviews, closing. */
void tally_hear(struct turn *t, const struct event *ev);
void tally_close(struct turn *t, int tally, const struct event *ev);
/* What stands against a fact that is to close a tally. */
void tally_check_closing(struct turn *t, const struct event *ev);
void action_score(struct turn *t, const struct acting *act, const struct action *s);

struct target {
    struct slice key[KEY_PARTS_MAX];
    bool born; /* may be created */
};
/* The instances of a machine that an event reaches, in key order. */
struct target *route_event(struct turn *t, int machine, const struct event *ev, size_t *n);
/* Queues a `counted` for each task whose obligation counts the event. */
void route_counted(struct turn *t, const struct event *ev);

void fold_event(struct turn *t, struct touched *x, const struct event *ev);
/* What the record says of the instance itself, a ledger's row: its fields. Before anything else looks at it. */
void fill_event(struct turn *t, struct touched *x, const struct event *ev);
/* A date (24:00 of it) or an instant becomes the instance's limit, anything else takes it away; timers that hang on it follow. */
void limit_set(struct turn *t, struct touched *x, const struct value *v);

void actions_run(struct turn *t, const struct acting *act, const struct action *a, size_t n);
void issue_measure(struct turn *t, const struct acting *act, const struct action *a);
/* For `issued(…)`: a measure that counts as issued, by an instance (NULL: gone), to a unit or to nobody. */
void issue_record(struct turn *t, struct touched *by, int measure, struct slice unit);
/* What its document says, in out->text; `row`: the measure's. */
void document_render(struct turn *t, const struct acting *act, const struct document *d, const struct value *row,
                     struct issued *out);
/* x NULL: its instance is no more. */
void issue_proposed(struct turn *t, struct touched *x, const struct proposed *m);

/* Arms timer `def` anew; what was armed under it before is gone. */
void timers_arm(struct turn *t, const struct acting *act, int def, const struct expr *when);
void timers_cancel(struct turn *t, struct touched *x, int def);
/* Leaving a state: its timers go, unless they say keep, or belong to a group that is not left. */
void timers_leave(struct turn *t, struct touched *x, int state, bool leave_group);
void timers_remove_at(struct touched *x, size_t index);
/* After its due date, limit or soft end was moved: arms anew those timers of its state and group, and kept ones, that
 * hang on one of them. */
void timers_rearm(struct turn *t, struct touched *x);
/* Timers that the instance's standing holds stand still; those that it holds no longer go on, and what has passed meanwhile fires once,
 * now. */
void timers_hold(struct turn *t, struct touched *x);
void timers_release(struct turn *t, struct touched *x);
void timers_postpone(struct turn *t, struct touched *x, instant_t by); /* those that stand still */
/* Whether a timer with this nominal instant stands still: all of a paused instance's, and what follows the due date of a task for which more
 * time was asked. */
bool standing_holds(const struct instance *i, instant_t nominal);
/* Whether the action is not made: the task is excused, and this would follow from its lateness. */
bool standing_mutes(const struct turn *t, const struct acting *act, const struct action *a);
/* Puts one timer in its place; never due before now. Not for a task that is waived; standing still if the instance's standing holds it. */
void timers_insert(struct turn *t, struct touched *x, int def, int n, instant_t due, instant_t nominal);

/* A task with this key, unless there is one; NULL then, and when the turn failed. */
struct touched *task_bear(struct turn *t, const struct obligation *o, const struct slice *key, const struct task *task,
                          const struct event *ev);
struct task task_of(const struct turn *t, const struct obligation *o, struct period period, const struct due *due);
void births_of_event(struct turn *t, const struct event *ev);
void action_task(struct turn *t, const struct acting *act, const struct action *a);
/* What facts file: `submitted` for each task whose obligation takes this kind for its submission. */
void route_filed(struct turn *t, const struct event *ev);

bool is_schedule(const struct touched *x); /* an instance of the generator */
void schedule_open(struct turn *t, struct touched *x);
void schedules_install(struct turn *t);
/* Open tasks whose due date was provisional: as the calendar of the definition now has it. */
void provisional_install(struct turn *t);

/* The generator's timer: bears the tasks of its next period and arms the one after. */
void generator_open(struct turn *t, struct touched *x);
void generator_install(struct turn *t);
/* Instances of earlier versions' states: what their new state's timers wait for is armed. */
void migrate_all(struct turn *t);

/* Hands over what successions of today and before have ended units hand over, and arms the timer of the next. */
void succession_settle(struct turn *t);
/* The generator's instance whose timer says that a succession's day has come. */
bool is_succession(const struct touched *x);

/* ---- typing */

struct path { /* where a value stands, from the inside out */
    const struct path *up;
    struct slice name;
    size_t index; /* of a list item, when name is empty */
};

/* An untyped value as one of type `want`; false after adding problems. */
bool typing_value(struct turn *t, const struct type *want, const struct value *v, const struct path *at,
                  struct value *out);
/* The fields of a record, by position. lenient: none is required. */
bool typing_fields(struct turn *t, const struct field *fields, size_t nfields, const struct value *record,
                   bool lenient, const struct path *at, struct value *out);

#endif
