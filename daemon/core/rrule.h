/* RFC 5545 recurrence rules over dates: the escape for due rules that no words say. rrule_ical.c expands them
 * by libical, and nothing else knows of it. No zones, no times of day, no state: safe from any thread. */
#ifndef DUBAND_RRULE_H
#define DUBAND_RRULE_H

#include "base/civil.h"

/* Whether due dates may be made by it: it can be read, gives dates, has no end of its own, and falls at all.
 * Else *wrong says why not, *expected what to write instead (both static). Takes up to a second for some that
 * never fall. */
bool rrule_check(struct slice text, const char **wrong, const char **expected);

/* The last day in [from, until) on which it falls, counted from DTSTART = from; DATE_NONE: none. The rule
 * passed rrule_check, the span is at most RRULE_DAYS_MAX days. */
#define RRULE_DAYS_MAX 366
date_t rrule_last(struct slice text, date_t from, date_t until);

#endif
