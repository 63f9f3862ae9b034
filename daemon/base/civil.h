/* Civil time: dates, periods, instants and time zones. Proleptic Gregorian calendar; years 1 to 9999. */
#ifndef DUBAND_CIVIL_H
#define DUBAND_CIVIL_H

#include "base/base.h"

typedef int64_t instant_t; /* milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted */
typedef int32_t date_t;    /* days since 1970-01-01, local */

#define INSTANT_NONE INT64_MIN /* "not given" */
#define INSTANT_MAX INT64_MAX  /* "never" */
#define DATE_NONE INT32_MIN

date_t date_from_civil(int year, int month, int day); /* day may be past the month's end; it spills */
void date_to_civil(date_t d, int *year, int *month, int *day);
int date_weekday(date_t d); /* 1 Monday … 7 Sunday (ISO 8601) */
int month_length(int year, int month);
bool date_parse(struct slice s, date_t *out); /* "2024-03-29", the whole slice, a real date */
struct slice date_format(struct arena *a, date_t d);

/* A period is a half-open span of local dates. index counts periods of that kind from a fixed origin, so the next one is
 * index + 1: DAY date_t; WEEK Mondays since 1970-01-05 (= 0); MONTH year*12+month-1; QUARTER year*4+q-1;
 * HALF year*2+h-1; YEAR year. ONCE is the single period of things that do not recur. */
enum period_kind { PERIOD_ONCE, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_HALF, PERIOD_YEAR };
struct period {
    enum period_kind kind;
    int32_t index;
};

struct period period_of_date(enum period_kind kind, date_t d);
date_t period_first(struct period p); /* its first day */
date_t period_end(struct period p);   /* the day after its last */
struct period period_step(struct period p, int n);
/* The period of another kind that holds p's first day: quarter of 2024-05 is 2024Q2. */
struct period period_convert(enum period_kind kind, struct period p);
bool period_eq(struct period a, struct period b);
int period_cmp(struct period a, struct period b); /* by kind, then index */
/* "2024-03-29" "2024-W13" "2024-03" "2024Q1" "2024H1" "2024"; "" is ONCE. The whole slice. */
bool period_parse(struct slice s, struct period *out);
struct slice period_format(struct arena *a, struct period p);
const char *period_kind_name(enum period_kind k); /* once day week month quarter half year */
bool period_kind_parse(struct slice s, enum period_kind *out);

/* RFC 3339 with any offset, fraction to milliseconds (finer digits are cut): "2024-04-10T09:00:00+08:00". */
bool instant_parse(struct slice s, instant_t *out);
struct slice instant_format_utc(struct arena *a, instant_t t); /* "2024-04-10T01:00:00Z", ".123Z" if not whole */

/* A time zone, read from the bytes of a TZif file (RFC 8536, version 1 to 4), its footer rule included. */
struct tz;
struct tz *tz_parse(struct arena *a, struct slice tzif, struct err *e); /* NULL and e on bad bytes */
/* Local wall time → instant. In a gap: the instant after the jump that keeps the distance from the gap's start (02:30 → 03:30);
 * in an overlap: the first of the two. ms_of_day may be 86,400,000 (24:00). */
instant_t tz_instant(const struct tz *tz, date_t d, int64_t ms_of_day);
date_t tz_date(const struct tz *tz, instant_t t, int64_t *ms_of_day); /* ms_of_day may be NULL */
int tz_offset(const struct tz *tz, instant_t t);                      /* seconds east of UTC */
/* "2024-04-10 09:00", seconds appended only if not zero. */
struct slice instant_format_local(struct arena *a, const struct tz *tz, instant_t t);

/* A holiday calendar: which dates are workdays. Dates past `known_until` are provisional (weekends only). */
struct calendar {
    struct calendar_day {
        date_t date;
        bool work; /* a make-up workday 调休; else a day off */
        struct slice name;
    } *days; /* ordered by date */
    size_t n;
    date_t known_until; /* last day of the last year that has entries */
};
bool calendar_is_workday(const struct calendar *c, date_t d);                     /* c may be NULL: Monday to Friday */
const struct calendar_day *calendar_find(const struct calendar *c, date_t d);     /* NULL: nothing special about d */
date_t calendar_add_workdays(const struct calendar *c, date_t from, int n);       /* n may be negative; never lands on from */
date_t calendar_roll(const struct calendar *c, date_t d, int direction);          /* +1 next, -1 previous workday, or d itself */

/* A calendar-aware length of time. */
enum duration_unit { DURATION_MINUTE, DURATION_HOUR, DURATION_DAY, DURATION_WORKDAY, DURATION_WEEK, DURATION_MONTH };
struct duration {
    int32_t n;
    enum duration_unit unit;
};
/* "3d" "2h" "30m"(inutes) "2w" "1mo" "5 workdays" "5wd". The whole slice. */
bool duration_parse(struct slice s, struct duration *out);
struct slice duration_format(struct arena *a, struct duration d);
/* t moved by sign × d in local time: days, weeks and months keep the wall time (a missing day becomes the month's last). */
instant_t duration_apply(const struct tz *tz, const struct calendar *c, instant_t t, struct duration d, int sign);

#endif
