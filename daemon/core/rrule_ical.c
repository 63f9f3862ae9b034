#include "core/rrule.h"

#include <libical/ical.h>
#include <stdlib.h>

#define TEXT_MAX 200

static struct icaltimetype ical_date(date_t d)
{
    struct icaltimetype t = icaltime_null_time();
    date_to_civil(d, &t.year, &t.month, &t.day);
    t.is_date = 1;
    return t;
}

static struct icalrecurrencetype parse(struct slice text)
{
    struct icalrecurrencetype rule;
    char z[TEXT_MAX + 1];
    icalrecurrencetype_clear(&rule);
    if (text.n == 0 || text.n > TEXT_MAX)
        return rule; /* FREQ none: unreadable */
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    return icalrecurrencetype_from_string(z);
}

/* ---- what is taken */

enum part {
    BYDAY = 1,
    BYDAY_NTH = 2,
    BYMONTHDAY = 4,
    BYYEARDAY = 8,
    BYWEEKNO = 16,
    BYMONTH = 32,
    BYSETPOS = 64,
    BYTIME = 128
};

/* Parts that mean one thing to everybody: what libical, and others, read differently is left out. */
static const unsigned parts_taken[] = {
    [ICAL_DAILY_RECURRENCE] = 0,
    [ICAL_WEEKLY_RECURRENCE] = BYDAY | BYMONTH,
    [ICAL_MONTHLY_RECURRENCE] = BYDAY | BYDAY_NTH | BYMONTHDAY | BYMONTH | BYSETPOS,
    [ICAL_YEARLY_RECURRENCE] = BYDAY | BYDAY_NTH | BYMONTHDAY | BYMONTH | BYSETPOS | BYYEARDAY | BYWEEKNO,
};

static bool given(const short *list)
{
    return list[0] != ICAL_RECURRENCE_ARRAY_MAX;
}

static unsigned parts_of(const struct icalrecurrencetype *r)
{
    unsigned parts = (given(r->by_day) ? BYDAY : 0) | (given(r->by_month_day) ? BYMONTHDAY : 0) |
                     (given(r->by_year_day) ? BYYEARDAY : 0) | (given(r->by_week_no) ? BYWEEKNO : 0) |
                     (given(r->by_month) ? BYMONTH : 0) | (given(r->by_set_pos) ? BYSETPOS : 0);
    if (given(r->by_hour) || given(r->by_minute) || given(r->by_second))
        parts |= BYTIME;
    for (int i = 0; i < ICAL_BY_DAY_SIZE && r->by_day[i] != ICAL_RECURRENCE_ARRAY_MAX; i++)
        if (icalrecurrencetype_day_position(r->by_day[i]) != 0)
            parts |= BYDAY_NTH;
    return parts;
}

static bool refuse(const char **wrong, const char *what, const char **expected, const char *instead)
{
    *wrong = what;
    *expected = instead;
    return false;
}

static bool parts_check(const struct icalrecurrencetype *r, const char **wrong, const char **expected)
{
    unsigned parts = parts_of(r);
    if (r->freq < ICAL_DAILY_RECURRENCE || (parts & BYTIME))
        return refuse(wrong, "it speaks of hours: a due date is a day", expected,
                      "FREQ=WEEKLY, MONTHLY or YEARLY");
    if (r->count != 0 || !icaltime_is_null_time(r->until))
        return refuse(wrong, "it ends of itself", expected,
                      "no COUNT and no UNTIL: until: of the obligation says when it ends");
    if (r->interval != 1) /* and libical counts some of them otherwise than others do */
        return refuse(wrong, "it would count anew from the start of each period", expected,
                      "no INTERVAL: BYMONTH=1,3,5 says which months, a longer or shorter period: how often");
    if (parts & ~parts_taken[r->freq])
        return refuse(wrong, "one of its parts does not go with its FREQ", expected,
                      "WEEKLY takes BYDAY=FR and BYMONTH; MONTHLY BYDAY=-1FR, BYMONTHDAY, BYSETPOS and "
                      "BYMONTH; YEARLY BYWEEKNO and "
                      "BYYEARDAY besides; DAILY none");
    if (r->freq == ICAL_YEARLY_RECURRENCE && (parts & BYMONTHDAY) && !(parts & BYMONTH))
        return refuse(wrong, "a day of which months?", expected,
                      "BYMONTH beside BYMONTHDAY, or FREQ=MONTHLY");
    if ((parts & BYYEARDAY) && parts != BYYEARDAY)
        return refuse(wrong, "BYYEARDAY says it all", expected, "BYYEARDAY alone");
    if ((parts & BYWEEKNO) && parts != (BYWEEKNO | BYDAY))
        return refuse(wrong, "which day of the week?", expected, "BYWEEKNO=20;BYDAY=FR, and nothing else");
    return true;
}

/* ---- expanding it */

/* libical looks through centuries for a month that a monthly rule leaves out, so those are sifted out here.
 */
static bool month_taken(const struct icalrecurrencetype *r, int month)
{
    for (int i = 0; i < ICAL_BY_MONTH_SIZE && r->by_month[i] != ICAL_RECURRENCE_ARRAY_MAX; i++)
        if (r->by_month[i] == month)
            return true;
    return !given(r->by_month);
}

static date_t last_of(const struct icalrecurrencetype *r, date_t from, date_t until)
{
    struct icalrecurrencetype all = *r;
    date_t last = DATE_NONE;
    if (r->freq == ICAL_MONTHLY_RECURRENCE)
        all.by_month[0] = ICAL_RECURRENCE_ARRAY_MAX;
    all.until = ical_date(until - 1);
    icalrecur_iterator *i = icalrecur_iterator_new(all, ical_date(from));
    for (int n = 0; i && n <= RRULE_DAYS_MAX; n++) {
        struct icaltimetype t = icalrecur_iterator_next(i);
        date_t day = icaltime_is_null_time(t) ? until : date_from_civil(t.year, t.month, t.day);
        if (day >= until)
            break;
        if (month_taken(r, t.month))
            last = day;
    }
    icalrecur_iterator_free(i);
    return last;
}

date_t rrule_last(struct slice text, date_t from, date_t until)
{
    struct icalrecurrencetype r = parse(text);
    date_t last = r.freq == ICAL_NO_RECURRENCE ? DATE_NONE : last_of(&r, from, until);
    free(r.rscale);
    return last;
}

/* One that falls in no month of any sort falls in no later one, and would be looked for at every period. */
static bool falls(struct icalrecurrencetype r)
{
    if (r.freq == ICAL_MONTHLY_RECURRENCE)
        r.by_month[0] = ICAL_RECURRENCE_ARRAY_MAX;
    icalrecur_iterator *i = icalrecur_iterator_new(r, ical_date(date_from_civil(2000, 1, 1)));
    bool found = i && !icaltime_is_null_time(icalrecur_iterator_next(i));
    icalrecur_iterator_free(i);
    return found;
}

bool rrule_check(struct slice text, const char **wrong, const char **expected)
{
    struct icalrecurrencetype r = parse(text);
    bool ok = false;
    if (r.freq == ICAL_NO_RECURRENCE)
        refuse(wrong, "this is no recurrence rule", expected, "FREQ=MONTHLY;BYDAY=-1FR, as RFC 5545 has it");
    else if (r.rscale || r.skip < ICAL_SKIP_OMIT)
        refuse(wrong, "it speaks of another calendar", expected, "no RSCALE and no SKIP");
    else if (parts_check(&r, wrong, expected))
        ok = falls(r) || refuse(wrong, "it never falls", expected, "parts that can hold together");
    free(r.rscale);
    return ok;
}
