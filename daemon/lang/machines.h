/* Between the files that compile machines. */
#ifndef DUBAND_MACHINES_H
#define DUBAND_MACHINES_H

#include "lang/kinds.h"

/* A machine being compiled, with its yaml. */
struct machine_at {
    struct compiler *c;
    struct machine *m;
    const struct yaml *node;
    struct scope scope; /* no event at hand */
    bool task;
};

/* rules.c: bodies of states, groups and any-state. */
void states_compile(struct machine_at *at);
/* action.c: a list of them; body and group say which timers a name may mean. */
void actions_compile(struct machine_at *at, const struct scope *s, const struct yaml *list,
                     const struct state_body *body, const struct state_body *group, struct action **out,
                     size_t *n);
/* score.c: points for an item of a tally; false after a diagnostic */
bool score_read(struct machine_at *at, const struct scope *s, const struct yaml *node, const struct yaml *what,
                struct action *a);
/* births.c: a task of an obligation that rules bear; false after a diagnostic */
bool task_read(struct machine_at *at, const struct scope *s, const struct yaml *node, const struct yaml *what, struct action *a);
int state_read(struct machine_at *at, const struct yaml *node); /* -1 after a diagnostic */

/* going_live.c: states of earlier versions */
void migrate_compile(struct machine_at *at);

/* ---- machines.c: one part of the key of what an event reaches */
const struct expr *reach_set(const struct scope *s, const struct yaml *node); /* a leading `each` says aloud that it fans out */
const struct expr *reach_given(struct machine_at *at, const struct scope *s, size_t part, const struct yaml *given);
/* The event's field of the part's name, else for the unit the reporter; NULL: neither. */
const struct expr *reach_default(struct machine_at *at, int kind, size_t part, const struct yaml *place);
bool reach_fits(struct machine_at *at, size_t part, const struct expr *x, const struct yaml *place);
/* Says that nothing gives the part; form: how to write it. */
void reach_missing(struct machine_at *at, int kind, size_t part, const struct yaml *place, const char *form);

#endif
