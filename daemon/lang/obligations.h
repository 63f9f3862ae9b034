/* Between obligations.c, births.c, filing.c and the reader of due rules. */
#ifndef DUBAND_OBLIGATIONS_H
#define DUBAND_OBLIGATIONS_H

#include "lang/kinds.h"

/* The rule without cut-off and roll; false after a diagnostic. node: words, a parameter's name, or {rrule: …}. */
bool due_read(struct compiler *c, const struct yaml *node, enum period_kind period, enum due_window window,
              struct due_rule *out);
/* What an obligation says under this key, else `defaults:`, else what always holds. */
const struct yaml *obligation_setting(struct compiler *c, const struct yaml *node, const char *key);
/* One of the four windows by name. */
enum due_window window_read(struct compiler *c, const struct yaml *node);
/* `roll:` and `cutoff:` of a rule. */
enum due_roll roll_read(struct compiler *c, const struct yaml *node);
/* A period or a day, both included: `from:`, `until:`. */
struct span dates_read(struct compiler *c, const struct yaml *node);

/* `EVENT where CONDITION`; false after a diagnostic. s: where the condition stands, its event apart. */
bool event_where_read(struct compiler *c, struct scope s, const struct yaml *node, int *kind, const struct expr **where);
/* Units that a scalar or a list names; NULL after a diagnostic, or when there are none. */
const struct expr *owners_read(const struct scope *s, const struct yaml *node);

/* How its tasks come to be. */
enum born { BORN_BY_CALENDAR, BORN_BY_EVENTS, BORN_BY_RULES };
enum born born_read(const struct yaml *obligation);

/* births.c: owed-by, about, period and due of an obligation that events or rules bear. */
void births_read(struct compiler *c, const struct declared *d, struct obligation *o);
void births_lint(struct compiler *c, const struct declared *d, const struct obligation *o);
/* What an obligation of the calendar is about: roles, or rows. Gives `about` its type. */
void about_read(struct compiler *c, const struct scope *s, const struct yaml *node, struct obligation *o,
                struct type *about);

/* filing.c: fields, requires, filed-by, refuse. s: the task's key, no event. */
void filing_read(struct compiler *c, const struct scope *s, const struct declared *d, struct obligation *o);
/* Kinds for what `refuse:` of obligations sees: before any other kind is used. */
void submissions_declare(struct compiler *c);

/* schedules.c */
void schedules_declare(struct compiler *c); /* their events, too: before what machines raise */
void schedules_lint(struct compiler *c);

#endif
