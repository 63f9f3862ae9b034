/* Between obligations.c and the reader of due rules. */
#ifndef DUBAND_OBLIGATIONS_H
#define DUBAND_OBLIGATIONS_H

#include "lang/kinds.h"

/* The rule without cut-off and roll; false after a diagnostic. node may name a parameter. */
bool due_read(struct compiler *c, const struct yaml *node, enum period_kind period, struct due_rule *out);

#endif
