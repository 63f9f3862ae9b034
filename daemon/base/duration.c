#include "base/civil.h"

#define DURATION_N_MAX 99999 /* keeps every date reached well inside date_t, and counting workdays short */

/* The first spelling of a unit is the one written. */
static const struct {
    const char *suffix, *plural;
    enum duration_unit unit;
} spelling[] = {
    {"mo", "mo", DURATION_MONTH},
    {"m", "m", DURATION_MINUTE},
    {"h", "h", DURATION_HOUR},
    {"d", "d", DURATION_DAY},
    {" workday", " workdays", DURATION_WORKDAY},
    {"wd", "wd", DURATION_WORKDAY},
    {"w", "w", DURATION_WEEK},
};
#define NSPELLINGS (sizeof spelling / sizeof *spelling)

bool duration_parse(struct slice s, struct duration *out)
{
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    uint64_t n;
    if (digits == 0)
        return false;
    struct slice rest = {s.p + digits, s.n - digits};
    if (!parse_u64((struct slice){s.p, digits}, &n) || n > DURATION_N_MAX)
        return false;
    for (size_t i = 0; i < NSPELLINGS; i++)
        if (slice_eq(rest, slice_of(spelling[i].suffix)) || slice_eq(rest, slice_of(spelling[i].plural))) {
            *out = (struct duration){(int32_t)n, spelling[i].unit};
            return true;
        }
    return false;
}

struct slice duration_format(struct arena *a, struct duration d)
{
    size_t i = 0;
    while (spelling[i].unit != d.unit)
        i++;
    return arena_printf(a, "%d%s", d.n, d.n == 1 ? spelling[i].suffix : spelling[i].plural);
}

static date_t add_months(date_t d, int64_t n)
{
    int year, month, day;
    date_to_civil(d, &year, &month, &day);
    int64_t months = (int64_t)year * 12 + month - 1 + n;
    year = (int)(months / 12 - (months % 12 < 0));
    month = (int)(months - (int64_t)year * 12) + 1;
    int length = month_length(year, month);
    return date_from_civil(year, month, day < length ? day : length);
}

instant_t duration_apply(const struct tz *tz, const struct calendar *c, instant_t t, struct duration d,
                         int sign)
{
    if (t == INSTANT_MAX || t == INSTANT_NONE)
        return t;
    int64_t n = (int64_t)d.n * sign, ms;
    if (d.unit == DURATION_MINUTE)
        return t + n * 60000;
    if (d.unit == DURATION_HOUR)
        return t + n * 3600000;
    date_t day = tz_date(tz, t, &ms);
    switch (d.unit) {
    case DURATION_WEEK:
        day += (date_t)(n * 7);
        break;
    case DURATION_MONTH:
        day = add_months(day, n);
        break;
    case DURATION_WORKDAY:
        day = calendar_add_workdays(c, day, (int)n);
        break;
    default:
        day += (date_t)n;
    }
    return tz_instant(tz, day, ms);
}
