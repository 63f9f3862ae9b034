/* Checks of the whole, after everything is compiled. */
#ifndef DUBAND_LINT_H
#define DUBAND_LINT_H

#include "lang/kinds.h"

/* A rule whose event, or whose state to go to, could not be read: it is in the way of no other mistake being
 * found. */
#define KIND_UNREAD (-2)
#define GO_UNREAD (-2)
#define GROUP_UNREAD (-2)

/* The place as something to point at. */
struct yaml place_node(const struct compiler *c, uint32_t place, int width);

void lint_states(struct compiler *c); /* lint_machine.c */
void lint_raises(struct compiler *c); /* lint_raise.c: cycles */
void lint_checks(struct compiler *c); /* lint_check.c: load-checks */
void lint_roster(struct compiler *c); /* roster_checks.c */
void lint_corrections(struct compiler *c); /* lint_correct.c: corrections that nobody may make */
void lint_roles(struct compiler *c);       /* lint_roles.c: roles that nobody holds */
void lint_soft(struct compiler *c);        /* lint_soft.c: soft words with a sanction; only for a program without mistakes */
void lint_order(struct compiler *c);       /* lint_order.c: after: */
struct owed; /* lint_counts.c: what counts for owners that it is not of; pairs: who owes it, in some period */
void lint_counts(struct compiler *c, const struct declared *d, const struct obligation *o, const struct owed *pairs, size_t n);
void lint_owed(
    struct compiler *c); /* lint_check.c: who owes, when it falls due; only for a program without mistakes */

#endif
