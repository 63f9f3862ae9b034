/* Collecting diagnostics. Codes come from diag_codes.h: DIAG(EXPR_NAME, …) is used as DIAG_EXPR_NAME. */
#ifndef DUBAND_DIAG_H
#define DUBAND_DIAG_H

#include <stdarg.h>

#include "lang/lang.h"

#define DIAG(name, code, title) extern const char DIAG_##name[];
#include "lang/diag_codes.h"
#undef DIAG

#define DIAGS_MAX 1000 /* more are counted, not kept */

/* Adds one at a place of a file (line, column from 1; line 0: the file as a whole; width in characters).
 * expected may be NULL. */
void diag_add(struct diags *d, enum severity s, const char *code, const struct bundle_file *file, int line,
              int column, int width, const char *expected, const char *fmt, ...)
    __attribute__((format(printf, 9, 10)));
void diag_vadd(struct diags *d, enum severity s, const char *code, const struct bundle_file *file, int line,
               int column, int width, const char *expected, const char *fmt, va_list ap)
    __attribute__((format(printf, 9, 0)));

/* By file, line and column; what was said twice is said once. */
void diags_sort(struct diags *d);

/* The title of a code, or NULL: for lists of codes. i counts all codes from 0. */
const char *diag_title(const char *code);
const char *diag_code(size_t i);

/* What a code means, a mistake that it is about and that mistake mended: a line or two each. NULL: no such
 * code. */
struct diag_note {
    const char *why, *mistake, *repair;
};
const struct diag_note *diag_explain(const char *code);

/* Columns that a terminal gives to a character: 0, 1 or 2. */
int char_columns(uint32_t c);
/* The character at p (of n > 0 bytes) and its length in bytes; a foreign byte counts as one character,
 * U+FFFD. */
uint32_t char_decode(const char *p, size_t n, size_t *length);
/* Characters in s. */
int char_count(struct slice s);

#endif
