/* One-line JSON by hand, for query rows: writing members into a buffer, and finding one in an object that
 * wire wrote. */
#ifndef DUBAND_ENGINE_ROW_H
#define DUBAND_ENGINE_ROW_H

#include "core/program.h"

/* Members are separated as needed: a comma unless an opening bracket stands before. */
void row_open(struct buf *b, const char *name, char bracket); /* name NULL: no member, an item */
void row_close(struct buf *b, char bracket);
void row_text(struct buf *b, const char *name, struct slice text);
void row_yesno(struct buf *b, const char *name, bool yes);
void row_number(struct buf *b, const char *name, int64_t n);
void row_instant(struct buf *b, const char *name, instant_t t); /* RFC 3339 in UTC; null for none or never */
/* A variable: yes-no and decimals as themselves, lists as arrays, the rest as text; n/a is null. */
void row_value(struct buf *b, struct slice name, const struct value *v);
void row_raw(struct buf *b, const char *name, struct slice json); /* a value that is JSON already */

/* A member of the object, not of what is nested in it; `raw` is its JSON. */
bool row_member(struct slice object, const char *name, struct slice *raw);
bool row_text_member(struct slice object, const char *name, struct arena *a,
                     struct slice *text); /* unescaped */

#endif
