#include "core/due.h"

#include "core/rrule.h"
#include "core/window.h"

#define DAY_MS 86400000

static const char *const weekday_name[] = {"",         "Monday", "Tuesday",  "Wednesday",
                                           "Thursday", "Friday", "Saturday", "Sunday"};

const char *const due_window_name[DUE_WINDOWS] = {[WINDOW_DAYS] = "days",
                                                  [WINDOW_WEEK] = "week",
                                                  [WINDOW_FULL_WEEK] = "full-week",
                                                  [WINDOW_WORKDAYS] = "workdays"};

struct span due_span(const struct program *p, struct span s)
{
    if (s.from == DATE_NONE)
        s.from = p->effective.from;
    if (p->effective.until != DATE_NONE && (s.until == DATE_NONE || s.until > p->effective.until))
        s.until = p->effective.until;
    return s;
}

bool due_in_force(const struct program *p, const struct obligation *o, struct period period)
{
    if (period.kind != o->period)
        return false;
    if (period.kind == PERIOD_ONCE)
        return true;
    struct span s = due_span(p, o->effective);
    date_t first = period_first(period);
    return (s.from == DATE_NONE || first >= s.from) && (s.until == DATE_NONE || first < s.until);
}

/* First day and the day after the last; of what does not recur, those of `whole`. */
static struct span period_days(struct span whole, struct period period)
{
    if (period.kind != PERIOD_ONCE)
        return (struct span){period_first(period), period_end(period)};
    return (struct span){whole.from == DATE_NONE ? period_first(period) : whole.from,
                         whole.until == DATE_NONE ? period_end(period) : whole.until};
}

static date_t month_day(date_t within, int n)
{
    int year, month, day;
    date_to_civil(within, &year, &month, &day);
    int length = month_length(year, month);
    return date_from_civil(year, month, n < length ? n : length);
}

/* ---- one function for each kind of rule: the nominal day, and in words */

struct asked {
    const struct program *p;
    const struct due_rule *r;
    struct span days;
};

static date_t day_end(const struct asked *q)
{
    return q->days.until - 1;
}

static date_t day_of_last_month(const struct asked *q)
{
    return month_day(q->days.until - 1, q->r->n);
}

static date_t day_from_first(const struct asked *q)
{
    struct span days = q->days;
    date_t clipped = days.until - days.from > 27 ? month_day(days.from, q->r->n) : days.from + q->r->n - 1;
    return clipped < days.until ? clipped : days.until - 1;
}

static date_t day_last_weekday(const struct asked *q)
{
    date_t last = q->days.until - 1;
    return last - (date_weekday(last) - q->r->n + 7) % 7;
}

static struct span window_of(const struct asked *q)
{
    return window_days(q->p->calendar, q->r->window, q->r->first, window_month(q->days, q->r->first));
}

static date_t day_of_window(const struct asked *q)
{
    return window_of(q).until - 1;
}

static date_t day_nth_workday(const struct asked *q)
{
    return window_workday(q->p->calendar, q->r->n, window_month(q->days, q->r->first));
}

static date_t day_by_rrule(const struct asked *q)
{
    return q->days.until - q->days.from > RRULE_DAYS_MAX
               ? DATE_NONE
               : rrule_last(q->r->rrule, q->days.from, q->days.until);
}

static struct slice say_end(const struct asked *q, struct slice period, struct arena *a)
{
    (void)q;
    return arena_printf(a, "last day of %.*s", SLICE_ARG(period));
}

static struct slice say_day(const struct asked *q, struct slice period, struct arena *a)
{
    return arena_printf(a, "day %d of %.*s", q->r->n, SLICE_ARG(period));
}

static struct slice say_first(const struct asked *q, struct slice period, struct arena *a)
{
    return arena_printf(a, "day %d from the start of %.*s", q->r->n, SLICE_ARG(period));
}

static struct slice say_weekday(const struct asked *q, struct slice period, struct arena *a)
{
    return arena_printf(a, "the last %s of %.*s", weekday_name[q->r->n], SLICE_ARG(period));
}

static struct slice say_window(const struct asked *q, struct slice period, struct arena *a)
{
    struct span w = window_of(q);
    return arena_printf(a, "the %s week (%s) of %.*s: %.*s to %.*s", q->r->first ? "first" : "last",
                        due_window_name[q->r->window], SLICE_ARG(period), SLICE_ARG(date_format(a, w.from)),
                        SLICE_ARG(date_format(a, w.until - 1)));
}

static struct slice say_workday(const struct asked *q, struct slice period, struct arena *a)
{
    struct slice which = q->r->n < 0 ? S("the last workday") : arena_printf(a, "workday %d", q->r->n);
    bool months = window_month(q->days, true).until < q->days.until;
    return arena_printf(a, "%.*s of %s%.*s", SLICE_ARG(which),
                        !months       ? ""
                        : q->r->first ? "the first month of "
                                      : "the last month of ",
                        SLICE_ARG(period));
}

static struct slice say_rrule(const struct asked *q, struct slice period, struct arena *a)
{
    return arena_printf(a, "the last day by %.*s in %.*s", SLICE_ARG(q->r->rrule), SLICE_ARG(period));
}

static const struct {
    date_t (*day)(const struct asked *q); /* DATE_NONE: it does not fall in this period */
    struct slice (*say)(const struct asked *q, struct slice period, struct arena *a);
} due_kinds[] = {
    [DUE_NONE] = {NULL, NULL},
    [DUE_END] = {day_end, say_end},
    [DUE_DAY] = {day_of_last_month, say_day},
    [DUE_FIRST_DAY_N] = {day_from_first, say_first},
    [DUE_WEEKDAY] = {day_last_weekday, say_weekday},
    [DUE_FIELD] = {NULL, NULL},
    [DUE_WINDOW] = {day_of_window, say_window},
    [DUE_WORKDAY] = {day_nth_workday, say_workday},
    [DUE_RRULE] = {day_by_rrule, say_rrule},
};

/* ---- one due date */

static struct slice say_roll(const struct program *p, date_t from, date_t to, struct arena *a)
{
    if (from == to)
        return S("");
    const struct calendar_day *special = p->calendar ? calendar_find(p->calendar, from) : NULL;
    struct slice why =
        special && special->name.n ? special->name : slice_of(weekday_name[date_weekday(from)]);
    return arena_printf(a, "; %.*s is a day off (%.*s): rolled to %.*s", SLICE_ARG(date_format(a, from)),
                        SLICE_ARG(why), SLICE_ARG(date_format(a, to)));
}

static instant_t cutoff_instant(const struct program *p, const struct due_rule *r, date_t d)
{
    return tz_instant(p->tz, d, r->exclusive ? 0 : DAY_MS);
}

instant_t due_cutoff(const struct program *p, const struct obligation *o, date_t day)
{
    return cutoff_instant(p, &o->due, day);
}

/* The calendar decides by all of the span which day it is. */
static bool counts_workdays(const struct due_rule *r)
{
    return r->kind == DUE_WORKDAY || (r->kind == DUE_WINDOW && r->window == WINDOW_WORKDAYS);
}

static const char *cutoff_said(const struct due_rule *r)
{
    return r->exclusive ? "exclusive: until 00:00" : "inclusive: until 24:00";
}

/* From the nominal day to the effective one: roll, cut-off, and what there is to say of it. */
static void due_settle(const struct program *p, const struct due_rule *r, date_t nominal, const char *cut,
                       struct slice said, struct due *due, struct arena *a)
{
    due->day =
        r->roll == ROLL_NONE ? nominal : calendar_roll(p->calendar, nominal, r->roll == ROLL_NEXT ? 1 : -1);
    due->nominal = cutoff_instant(p, r, nominal);
    due->effective = cutoff_instant(p, r, due->day);
    bool too_early = due->day < nominal && due->effective <= due->opens;
    if (too_early) { /* nobody could be in time */
        due->day = nominal;
        due->effective = due->nominal;
    }
    due->provisional |= r->roll != ROLL_NONE && p->calendar &&
                        (nominal > p->calendar->known_until || due->day > p->calendar->known_until);
    struct slice rolled =
        too_early ? S("; not rolled: it would fall before it opens") : say_roll(p, nominal, due->day, a);
    due->reason = arena_printf(a, "%.*s, %s%.*s%s", SLICE_ARG(said), cut, SLICE_ARG(rolled),
                               due->provisional ? "; provisional: past the last published holidays" : "");
}

static struct due no_due(instant_t opens)
{
    return (struct due){.opens = opens,
                        .nominal = INSTANT_MAX,
                        .effective = INSTANT_MAX,
                        .day = DATE_NONE,
                        .reason = S("no due date")};
}

static struct due due_by(const struct program *p, const struct due_rule *r, const char *cut,
                         struct span whole, struct period period, struct arena *a)
{
    date_t first = period_days(whole, period).from;
    struct due due = no_due(tz_instant(p->tz, first < p->effective.from ? p->effective.from : first, 0));
    struct period target = period_step(period, r->periods_later);
    struct asked q = {p, r, period_days(whole, target)};
    if (!due_kinds[r->kind].day || q.days.until >= period_end((struct period){PERIOD_ONCE, 0}))
        return due;
    date_t nominal = due_kinds[r->kind].day(&q);
    struct slice name = target.kind == PERIOD_ONCE ? S("the effective span") : period_format(a, target);
    if (nominal == DATE_NONE) {
        due.reason = arena_printf(a, "no day by its rule in %.*s", SLICE_ARG(name));
        return due;
    }
    due.provisional = counts_workdays(r) && p->calendar &&
                      window_month(q.days, r->first).until > p->calendar->known_until + 1;
    due_settle(p, r, nominal, cut, due_kinds[r->kind].say(&q, name, a), &due, a);
    return due;
}

struct due due_of(const struct program *p, const struct obligation *o, struct period period, struct arena *a)
{
    struct span whole = due_span(p, o->effective);
    struct due due = due_by(p, &o->due, cutoff_said(&o->due), whole, period, a);
    if (o->has_soft) {
        struct due soft = due_by(p, &o->soft, cutoff_said(&o->soft), whole, period, a);
        due.soft_end = soft.day == DATE_NONE ? 0 : soft.effective;
    }
    return due;
}

struct due due_on(const struct program *p, const struct obligation *o, date_t day, instant_t opens,
                  struct arena *a)
{
    struct due due = no_due(opens);
    if (day != DATE_NONE)
        due_settle(p, &o->due, day, cutoff_said(&o->due), date_format(a, day), &due, a);
    return due;
}

struct due due_schedule(const struct program *p, const struct schedule *s, struct period period,
                        struct arena *a)
{
    return due_by(p, &s->at, "at 00:00", due_span(p, s->effective), period, a);
}

bool due_owes(const struct obligation *o, const struct due *due)
{
    return o->due.kind != DUE_RRULE || due->day != DATE_NONE;
}

bool due_from_calendar(const struct obligation *o)
{
    return o->nbirths == 0 && !o->by_rules;
}

instant_t due_limit(const struct program *p, instant_t issued, struct duration within)
{
    instant_t last = duration_apply(p->tz, p->calendar, issued, within, 1);
    return tz_instant(p->tz, tz_date(p->tz, last, NULL), DAY_MS);
}
