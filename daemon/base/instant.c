#include "base/civil.h"

#define MS_PER_DAY INT64_C(86400000)
#define FIRST_INSTANT (INT64_C(-719162) * MS_PER_DAY) /* 0001-01-01 */
#define END_INSTANT (INT64_C(2932897) * MS_PER_DAY)   /* 10000-01-01 */

static bool two_digits(struct slice s, size_t at, int most, int *out)
{
    if (at + 2 > s.n)
        return false;
    unsigned ten = (unsigned char)s.p[at] - (unsigned)'0', one = (unsigned char)s.p[at + 1] - (unsigned)'0';
    *out = (int)(ten * 10 + one);
    return ten <= 9 && one <= 9 && *out <= most;
}

/* ".123456": the first three digits count. Moves *at behind it. */
static bool fraction(struct slice s, size_t *at, int *ms)
{
    size_t i = *at, first = i + 1;
    *ms = 0;
    if (i >= s.n || s.p[i] != '.')
        return true;
    for (i = first; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        if (i - first < 3)
            *ms += (s.p[i] - '0') * (i == first ? 100 : i == first + 1 ? 10 : 1);
    *at = i;
    return i > first;
}

/* "Z" or "+08:00", up to the end; seconds east. */
static bool offset(struct slice s, size_t at, int *east)
{
    int hours, minutes;
    *east = 0;
    if (at + 1 == s.n && (s.p[at] == 'Z' || s.p[at] == 'z'))
        return true;
    if (at + 6 != s.n || (s.p[at] != '+' && s.p[at] != '-') || s.p[at + 3] != ':' ||
        !two_digits(s, at + 1, 23, &hours) || !two_digits(s, at + 4, 59, &minutes))
        return false;
    *east = (hours * 3600 + minutes * 60) * (s.p[at] == '-' ? -1 : 1);
    return true;
}

bool instant_parse(struct slice s, instant_t *out)
{
    date_t date;
    int hour, minute, second, ms, east;
    size_t at = 19;
    if (s.n < 20 || !date_parse((struct slice){s.p, 10}, &date) || !strchr("Tt ", s.p[10]) ||
        s.p[10] == '\0' || s.p[13] != ':' || s.p[16] != ':' || !two_digits(s, 11, 23, &hour) ||
        !two_digits(s, 14, 59, &minute) || !two_digits(s, 17, 60, &second) || !fraction(s, &at, &ms) ||
        !offset(s, at, &east))
        return false;
    int64_t seconds = (int64_t)date * 86400 + hour * 3600 + minute * 60 + second - east;
    if (second == 60 && seconds % 86400 != 0)
        return false; /* a leap second ends a UTC day; it counts as the next day's first */
    *out = seconds * 1000 + ms;
    return true;
}

struct slice instant_format_utc(struct arena *a, instant_t t)
{
    if (t < FIRST_INSTANT)
        return S("none");
    if (t >= END_INSTANT)
        return S("never");
    int64_t ms;
    char time[] = "Thh:mm:ss.mmmZ";
    struct slice date = date_format(a, tz_date(NULL, t, &ms));
    int s = (int)(ms / 1000), rest = (int)(ms % 1000);
    put_digits(time + 1, s / 3600, 2);
    put_digits(time + 4, s / 60 % 60, 2);
    put_digits(time + 7, s % 60, 2);
    put_digits(time + 10, rest, 3);
    if (!rest)
        memcpy(time + 9, "Z", 2);
    return arena_join(a, (const struct slice[]){date, slice_of(time)}, 2);
}

struct slice instant_format_local(struct arena *a, const struct tz *tz, instant_t t)
{
    if (t < FIRST_INSTANT)
        return S("none");
    if (t >= END_INSTANT)
        return S("never");
    int64_t ms;
    struct slice date = date_format(a, tz_date(tz, t, &ms));
    int s = (int)(ms / 1000);
    if (s % 60)
        return arena_printf(a, "%.*s %02d:%02d:%02d", SLICE_ARG(date), s / 3600, s / 60 % 60, s % 60);
    return arena_printf(a, "%.*s %02d:%02d", SLICE_ARG(date), s / 3600, s / 60 % 60);
}
