/* The footer of a TZif file: a POSIX TZ string with RFC 8536's extension (hours up to ±167). Private to the
 * time zone code. */
#ifndef DUBAND_TZ_RULE_H
#define DUBAND_TZ_RULE_H

#include "base/base.h"

struct tz_rule {
    int std; /* seconds east of UTC */
    int dst;
    bool has_dst;
    struct tz_change {
        char form; /* 'J': day 1–365 without 29 February; 'D': day 0–365 with it; 'M': weekday (0 Sunday) of a
                      week of a month */
        int month, week, day;
        int time; /* seconds of local time, may be negative or past the day's end */
    } start, end;
};

bool tz_rule_parse(struct slice s, struct tz_rule *out);
int tz_rule_offset(const struct tz_rule *r, int64_t seconds); /* at this UTC second */

#endif
