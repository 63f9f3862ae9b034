/* A table for people: columns as wide as their widest cell on a terminal, East Asian characters counted as
 * two columns. */
#ifndef DUBAND_CTL_TABLE_H
#define DUBAND_CTL_TABLE_H

#include <stdio.h>

#include "base/base.h"

struct table_text {
    struct arena *arena;
    size_t ncolumns;
    struct slice *cell; /* row by row, the header first */
    size_t n, cap;
};
void table_text_start(struct table_text *t, struct arena *a, const char *const *header, size_t ncolumns);
void table_text_cell(struct table_text *t, struct slice s); /* the next cell; rows fill from left to right */
void table_text_print(const struct table_text *t, FILE *f);
/* Columns that s takes on a terminal. */
size_t text_width(struct slice s);

#endif
