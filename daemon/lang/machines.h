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
int state_read(struct machine_at *at, const struct yaml *node); /* -1 after a diagnostic */

#endif
