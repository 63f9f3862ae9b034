#include "ctl/when.h"

/* Two digits; -1: something else. */
static int two_digits(const char *p)
{
    return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ? (p[0] - '0') * 10 + (p[1] - '0') : -1;
}

/* "09:00" or "09:00:30" as milliseconds of the day; -1: something else. */
static int64_t time_of_day(struct slice s)
{
    if ((s.n != 5 && s.n != 8) || s.p[2] != ':' || (s.n == 8 && s.p[5] != ':'))
        return -1;
    int hour = two_digits(s.p), minute = two_digits(s.p + 3), second = s.n == 8 ? two_digits(s.p + 6) : 0;
    int64_t seconds = (hour * INT64_C(60) + minute) * 60 + second;
    if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 59 || seconds > 24 * 60 * 60)
        return -1;
    return seconds * 1000;
}

bool when_parse(struct slice s, const struct tz *tz, instant_t *out)
{
    date_t day;
    int64_t ms = 0;
    if (instant_parse(s, out))
        return true;
    if (s.n < 10 || !date_parse((struct slice){s.p, 10}, &day))
        return false;
    if (s.n > 10)
        ms = s.p[10] == ' ' ? time_of_day((struct slice){s.p + 11, s.n - 11}) : -1;
    if (ms < 0)
        return false;
    *out = tz_instant(tz, day, ms);
    return true;
}
