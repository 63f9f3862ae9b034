#include "base/civil.h"

#define FIRST_MONDAY 4 /* 1970-01-05 */

static const char *const kind_name[] = {
    [PERIOD_ONCE] = "once",       [PERIOD_DAY] = "day",   [PERIOD_WEEK] = "week", [PERIOD_MONTH] = "month",
    [PERIOD_QUARTER] = "quarter", [PERIOD_HALF] = "half", [PERIOD_YEAR] = "year",
};
/* How many of a kind make a year, for the kinds made of whole months; else 0. */
static const int per_year[] = {
    [PERIOD_MONTH] = 12, [PERIOD_QUARTER] = 4, [PERIOD_HALF] = 2, [PERIOD_YEAR] = 1};

static int32_t floor_div(int64_t a, int b)
{
    return (int32_t)(a / b - (a % b < 0));
}

static date_t month_first(int64_t months) /* year × 12 + month - 1 */
{
    int32_t year = floor_div(months, 12);
    return date_from_civil(year, (int)(months - (int64_t)year * 12) + 1, 1);
}

struct period period_of_date(enum period_kind kind, date_t d)
{
    int year, month, day;
    switch (kind) {
    case PERIOD_ONCE:
        return (struct period){PERIOD_ONCE, 0};
    case PERIOD_DAY:
        return (struct period){PERIOD_DAY, d};
    case PERIOD_WEEK:
        return (struct period){PERIOD_WEEK, floor_div((int64_t)d - FIRST_MONDAY, 7)};
    default:
        date_to_civil(d, &year, &month, &day);
        return (struct period){kind, year * per_year[kind] + (month - 1) / (12 / per_year[kind])};
    }
}

date_t period_first(struct period p)
{
    switch (p.kind) {
    case PERIOD_ONCE:
        return date_from_civil(1, 1, 1);
    case PERIOD_DAY:
        return p.index;
    case PERIOD_WEEK:
        return p.index * 7 + FIRST_MONDAY;
    default:
        return month_first((int64_t)p.index * (12 / per_year[p.kind]));
    }
}

date_t period_end(struct period p)
{
    return p.kind == PERIOD_ONCE ? date_from_civil(10000, 1, 1) : period_first(period_step(p, 1));
}

struct period period_step(struct period p, int n)
{
    return p.kind == PERIOD_ONCE ? p : (struct period){p.kind, p.index + n};
}

struct period period_convert(enum period_kind kind, struct period p)
{
    return kind == p.kind ? p : period_of_date(kind, period_first(p));
}

bool period_eq(struct period a, struct period b)
{
    return period_cmp(a, b) == 0;
}

int period_cmp(struct period a, struct period b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    return (a.index > b.index) - (a.index < b.index);
}

/* ---- text */

/* The Monday of week 1: ISO 8601 puts 4 January into it. */
static date_t iso_year_first(int year)
{
    date_t d = date_from_civil(year, 1, 4);
    return d - (date_weekday(d) - 1);
}

static bool number_at(struct slice s, size_t at, size_t n, int *out)
{
    uint64_t v;
    if (at + n > s.n || !parse_u64((struct slice){s.p + at, n}, &v))
        return false;
    *out = (int)v;
    return true;
}

static bool week_parse(struct slice s, struct period *out) /* 2024-W13 */
{
    int year, week;
    if (s.n != 8 || !number_at(s, 0, 4, &year) || !number_at(s, 6, 2, &week) || year < 1 || week < 1)
        return false;
    date_t d = iso_year_first(year) + (week - 1) * 7;
    if (d >= iso_year_first(year + 1))
        return false;
    *out = period_of_date(PERIOD_WEEK, d);
    return true;
}

/* 2024 2024-03 2024Q1 2024H1: a year, then `skip` bytes of mark and the number within the year. */
static bool part_of_year_parse(struct slice s, enum period_kind kind, size_t skip, struct period *out)
{
    int year, part = 1;
    if (!number_at(s, 0, 4, &year) || year < 1)
        return false;
    if (kind != PERIOD_YEAR &&
        (!number_at(s, 4 + skip, s.n - 4 - skip, &part) || part < 1 || part > per_year[kind]))
        return false;
    *out = (struct period){kind, year * per_year[kind] + part - 1};
    return true;
}

bool period_parse(struct slice s, struct period *out)
{
    char mark = s.n > 4 ? s.p[4] : '\0';
    if (s.n == 0) {
        *out = (struct period){PERIOD_ONCE, 0};
        return true;
    }
    if (s.n == 4)
        return part_of_year_parse(s, PERIOD_YEAR, 0, out);
    if (s.n == 6 && (mark == 'Q' || mark == 'H'))
        return part_of_year_parse(s, mark == 'Q' ? PERIOD_QUARTER : PERIOD_HALF, 1, out);
    if (s.n == 7 && mark == '-')
        return part_of_year_parse(s, PERIOD_MONTH, 1, out);
    if (s.n == 8 && mark == '-' && s.p[5] == 'W')
        return week_parse(s, out);
    date_t d;
    if (!date_parse(s, &d))
        return false;
    *out = (struct period){PERIOD_DAY, d};
    return true;
}

struct slice period_format(struct arena *a, struct period p)
{
    int year, month, day;
    if (p.kind == PERIOD_ONCE)
        return (struct slice){"", 0};
    date_to_civil(period_first(p), &year, &month, &day);
    switch (p.kind) {
    case PERIOD_DAY:
        return date_format(a, p.index);
    case PERIOD_WEEK:
        date_to_civil(period_first(p) + 3, &year, &month, &day); /* its Thursday decides the year */
        return arena_printf(a, "%04d-W%02d", year, (period_first(p) - iso_year_first(year)) / 7 + 1);
    case PERIOD_MONTH:
        return arena_printf(a, "%04d-%02d", year, month);
    case PERIOD_QUARTER:
        return arena_printf(a, "%04dQ%d", year, (month - 1) / 3 + 1);
    case PERIOD_HALF:
        return arena_printf(a, "%04dH%d", year, (month - 1) / 6 + 1);
    default:
        return arena_printf(a, "%04d", year);
    }
}

const char *period_kind_name(enum period_kind k)
{
    return kind_name[k];
}

bool period_kind_parse(struct slice s, enum period_kind *out)
{
    for (size_t k = 0; k < sizeof kind_name / sizeof *kind_name; k++)
        if (slice_eq(s, slice_of(kind_name[k]))) {
            *out = (enum period_kind)k;
            return true;
        }
    return false;
}
