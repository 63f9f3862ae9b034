/* Moments as people write them: "2024-04-10 09:00", "2024-04-10" (its first instant), RFC 3339. */
#ifndef DUBAND_CTL_WHEN_H
#define DUBAND_CTL_WHEN_H

#include "base/civil.h"

/* The whole slice; local time in tz. "24:00" is the day's end. */
bool when_parse(struct slice s, const struct tz *tz, instant_t *out);
#define WHEN_EXPECTED "2024-03-29, 2024-03-29 09:00 or 2024-03-29T09:00:00+08:00"

#endif
