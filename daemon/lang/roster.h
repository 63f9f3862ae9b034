/* Rows of CSV files under known columns: what units, relations, tables and the calendar share. */
#ifndef DUBAND_ROSTER_H
#define DUBAND_ROSTER_H

#include "lang/build.h"
#include "lang/csv.h"

struct column {
    const char *name;
    bool required;
};

/* The file that `node` names, as rows under known columns. NULL after a diagnostic. */
struct csv *csv_open(struct compiler *c, const struct yaml *node, const struct column *column, size_t n);
/* Empty where there is no such column. */
struct slice row_cell(const struct csv *t, const struct csv_row *r, const char *column);
/* Parts of a cell between bars. */
struct slice *cell_parts(struct compiler *c, struct slice text, size_t *n);
bool row_id_check(struct compiler *c, const struct csv *t, const struct csv_row *r, struct slice id);
/* `from` and `to` of a row, both days included. */
struct span row_span(struct compiler *c, const struct csv *t, const struct csv_row *r);
bool spans_meet(struct span a, struct span b);

/* False in a huge roster, and after many mistakes: then one does not search it for what was meant. */
bool roster_may_search(const struct compiler *c);
/* "did you mean “x”?" of the units' ids, or what is said otherwise. */
const char *unit_hint(struct compiler *c, struct slice got, const char *otherwise);
/* After all rows are read and in order: program.successions. */
void successors_compile(struct compiler *c, const struct csv *units);
void tables_compile(struct compiler *c);
void calendar_compile(struct compiler *c);
void zone_compile(struct compiler *c);

#endif
