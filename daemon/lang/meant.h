/* What an author most likely meant by a text that people write and the language does not: 24日, 30天,
 * 2024年3月5日, ２５％, true. */
#ifndef DUBAND_MEANT_H
#define DUBAND_MEANT_H

#include "base/base.h"

enum meant {
    MEANT_YESNO = 1,
    MEANT_DATE = 2,
    MEANT_PERIOD = 4,
    MEANT_DURATION = 8,
    MEANT_NUMBER = 16,
    MEANT_DUE = 32, /* a due rule */
    MEANT_KIND = 64 /* a kind of period */
};

/* As the language writes it, the first of `sorts` that fits; empty: nothing comes to mind, or it is written
 * so already. */
struct slice meant_by(struct arena *a, unsigned sorts, struct slice text);
/* "did you mean “day 24”?", or `otherwise`. */
const char *meant_hint(struct arena *a, unsigned sorts, struct slice text, const char *otherwise);

/* Full-width letters, digits and signs as the ASCII that they look like, other blanks as spaces. */
struct slice half_width(struct arena *a, struct slice s);
/* A blank that looks like a space and is none: ideographic, no-break … */
bool char_is_foreign_blank(uint32_t c);
/* Takes no room at all: joiners, marks of direction, a byte order mark in the midst. */
bool char_is_invisible(uint32_t c);

#endif
