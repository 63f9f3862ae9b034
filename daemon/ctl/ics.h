/* Due dates as an iCalendar file (RFC 5545), for the calendars that people carry. */
#ifndef DUBAND_CTL_ICS_H
#define DUBAND_CTL_ICS_H

#include <stdio.h>

#include "core/due.h"

/* todos: VTODO with the very instant as DUE; else VEVENT, all day on the last day in time. The same rows give
 * the same bytes; the UID of a row depends on what is owed only, so that a later export replaces an earlier
 * one. */
void ics_print(FILE *f, const struct program *p, const struct due_row *rows, size_t n, bool todos);

#endif
