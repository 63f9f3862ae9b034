/* Days that a regime counts within a month: first and last weeks, workdays. Pure calendar. */
#ifndef DUBAND_WINDOW_H
#define DUBAND_WINDOW_H

#include "core/program.h"

/* The first or last month of a span of days; the span itself where it is shorter than a month. */
struct span window_month(struct span days, bool first);

/* The window's days within `month`, half open. Never empty, never outside it. */
struct span window_days(const struct calendar *c, enum due_window w, bool first, struct span month);

/* The nth workday of the span, from its end when n < 0. One with fewer has its last (first) instead; one
 * without any, its last day. */
date_t window_workday(const struct calendar *c, int n, struct span days);

#endif
