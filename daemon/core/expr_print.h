/* Expressions in words again, as an author would write them: for explanations, diffs and graphs. */
#ifndef DUBAND_EXPR_PRINT_H
#define DUBAND_EXPR_PRINT_H

#include "core/program.h"

/* What names mean where the expression stands. */
struct expr_names {
    const struct program *program;
    const struct machine *machine; /* NULL: none */
    int kind;                      /* of the event; -1: not known, fields print by position */
};

/* "event.low and low ≥ params.red-min". x NULL: empty. */
struct slice expr_print(struct arena *a, const struct expr_names *names, const struct expr *x);

#endif
