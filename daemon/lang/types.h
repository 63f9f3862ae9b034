/* What the checker asks about types, beyond type_accepts. */
#ifndef DUBAND_TYPES_H
#define DUBAND_TYPES_H

#include "lang/token.h"

bool type_is_text(const struct type *t); /* text at run time: texts, words, units, rows, attachments */
bool type_is_many(const struct type *t); /* a set or a list */
bool type_is_ordered(const struct type *t);
bool type_has_word(const struct type *t, struct slice word); /* an enum with this word */
/* Whether `=` between the two can ever be yes. */
bool type_comparable(const struct type *a, const struct type *b);
/* The type of a value that is one or the other; false when there is none. */
bool type_unify(struct arena *arena, const struct type *a, const struct type *b, struct type *out);
const struct type *type_dup(struct arena *a, const struct type *t);

#endif
