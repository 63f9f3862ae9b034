/* Checks of a compiled program, shared by program_check's files. Each says what is wrong and returns false.
 */
#ifndef DUBAND_CHECK_H
#define DUBAND_CHECK_H

#include "core/program.h"

struct check {
    const struct program *p;
    struct err *e;
    struct slice what;             /* the thing at hand, for messages */
    const struct machine *machine; /* whose names expressions may use; NULL: none */
    int kind;                      /* of the event, where it is known; else -1 */
};

/* 0 ≤ index < n */
bool check_index(const struct check *c, const char *of, int index, size_t n);
bool check_type(const struct check *c, const struct type *t);
bool check_fields(const struct check *c, const struct field *fields, size_t n);
bool check_expr(const struct check *c, const struct expr *x); /* NULL is fine */
bool check_exprs(const struct check *c, const struct expr *const *x, size_t n);
/* c->machine's fills, and whom its measures go to. */
bool check_fills(struct check *c);
bool check_indicators(struct check *c);
bool check_tallies(struct check *c);
bool check_instances(struct check *c); /* collections, what was issued, versions of parameters */
/* No let stands on itself. */
bool check_lets(const struct check *c);
/* check_obligation.c */
bool check_obligations(struct check *c);
bool check_schedules(struct check *c);
bool check_birth_by_rule(const struct check *c, const struct action *a); /* a `task:` */

#endif
