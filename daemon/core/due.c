#include "core/due.h"

#include "core/step.h"

#include <stdlib.h>

#define DAY_MS 86400000
#define ROLL_REACH                                                                                           \
    16 /* no roll moves a date further than this many days: more than the longest run of days off */

static const char *const weekday_name[] = {"",         "Monday", "Tuesday",  "Wednesday",
                                           "Thursday", "Friday", "Saturday", "Sunday"};

/* What the obligation and the workflow both call effective. */
static struct span due_span(const struct program *p, const struct obligation *o)
{
    struct span s = o->effective;
    if (p->effective.from != DATE_NONE && (s.from == DATE_NONE || s.from < p->effective.from))
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
    struct span s = due_span(p, o);
    date_t first = period_first(period);
    return (s.from == DATE_NONE || first >= s.from) && (s.until == DATE_NONE || first < s.until);
}

/* First day and the day after the last. */
static struct span period_days(const struct program *p, const struct obligation *o, struct period period)
{
    struct span s = due_span(p, o);
    if (period.kind != PERIOD_ONCE)
        return (struct span){period_first(period), period_end(period)};
    return (struct span){s.from == DATE_NONE ? period_first(period) : s.from,
                         s.until == DATE_NONE ? period_end(period) : s.until};
}

static date_t month_day(date_t within, int n)
{
    int year, month, day;
    date_to_civil(within, &year, &month, &day);
    int length = month_length(year, month);
    return date_from_civil(year, month, n < length ? n : length);
}

/* ---- one function for each kind of rule: the nominal day, and in words */

static date_t day_end(const struct due_rule *r, struct span days)
{
    (void)r;
    return days.until - 1;
}

static date_t day_of_last_month(const struct due_rule *r, struct span days)
{
    return month_day(days.until - 1, r->n);
}

static date_t day_from_first(const struct due_rule *r, struct span days)
{
    date_t clipped = days.until - days.from > 27 ? month_day(days.from, r->n) : days.from + r->n - 1;
    return clipped < days.until ? clipped : days.until - 1;
}

static date_t day_last_weekday(const struct due_rule *r, struct span days)
{
    date_t last = days.until - 1;
    return last - (date_weekday(last) - r->n + 7) % 7;
}

static struct slice say_end(const struct due_rule *r, struct slice period, struct arena *a)
{
    (void)r;
    return arena_printf(a, "last day of %.*s", SLICE_ARG(period));
}

static struct slice say_day(const struct due_rule *r, struct slice period, struct arena *a)
{
    return arena_printf(a, "day %d of %.*s", r->n, SLICE_ARG(period));
}

static struct slice say_first(const struct due_rule *r, struct slice period, struct arena *a)
{
    return arena_printf(a, "day %d from the start of %.*s", r->n, SLICE_ARG(period));
}

static struct slice say_weekday(const struct due_rule *r, struct slice period, struct arena *a)
{
    return arena_printf(a, "the last %s of %.*s", weekday_name[r->n], SLICE_ARG(period));
}

static const struct {
    date_t (*day)(const struct due_rule *r, struct span days);
    struct slice (*say)(const struct due_rule *r, struct slice period, struct arena *a);
} due_kinds[] = {
    [DUE_NONE] = {NULL, NULL},
    [DUE_END] = {day_end, say_end},
    [DUE_DAY] = {day_of_last_month, say_day},
    [DUE_FIRST_DAY_N] = {day_from_first, say_first},
    [DUE_WEEKDAY] = {day_last_weekday, say_weekday},
    [DUE_FIELD] = {NULL, NULL},
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

struct due due_of(const struct program *p, const struct obligation *o, struct period period, struct arena *a)
{
    const struct due_rule *r = &o->due;
    struct due due = {.opens = tz_instant(p->tz, period_days(p, o, period).from, 0),
                      .nominal = INSTANT_MAX,
                      .effective = INSTANT_MAX,
                      .day = DATE_NONE,
                      .reason = S("no due date")};
    struct period target = period_step(period, r->periods_later);
    struct span days = period_days(p, o, target);
    if (!due_kinds[r->kind].day || days.until >= period_end((struct period){PERIOD_ONCE, 0}))
        return due;
    date_t nominal = due_kinds[r->kind].day(r, days);
    due.day =
        r->roll == ROLL_NONE ? nominal : calendar_roll(p->calendar, nominal, r->roll == ROLL_NEXT ? 1 : -1);
    due.nominal = cutoff_instant(p, r, nominal);
    due.effective = cutoff_instant(p, r, due.day);
    bool too_early = due.day < nominal && due.effective <= due.opens;
    if (too_early) { /* nobody could be in time */
        due.day = nominal;
        due.effective = due.nominal;
    }
    due.provisional = r->roll != ROLL_NONE && p->calendar &&
                      (nominal > p->calendar->known_until || due.day > p->calendar->known_until);
    struct slice name = target.kind == PERIOD_ONCE ? S("the effective span") : period_format(a, target);
    struct slice said = due_kinds[r->kind].say(r, name, a);
    struct slice rolled =
        too_early ? S("; not rolled: it would fall before it opens") : say_roll(p, nominal, due.day, a);
    due.reason =
        arena_printf(a, "%.*s, %s%.*s%s", SLICE_ARG(said),
                     r->exclusive ? "exclusive: until 00:00" : "inclusive: until 24:00", SLICE_ARG(rolled),
                     due.provisional ? "; provisional: past the last published holidays" : "");
    return due;
}

instant_t due_limit(const struct program *p, instant_t issued, struct duration within)
{
    instant_t last = duration_apply(p->tz, p->calendar, issued, within, 1);
    return tz_instant(p->tz, tz_date(p->tz, last, NULL), DAY_MS);
}

/* ---- who owes */

static int unit_cmp(const void *x, const void *y)
{
    return slice_cmp((*(const struct unit *const *)x)->id, (*(const struct unit *const *)y)->id);
}

/* The units in force on d that hold one of the roles, by id. */
static const struct unit **role_holders(const struct program *p, const int *roles, size_t nroles, date_t d,
                                        struct arena *a, size_t *n)
{
    const struct unit **held = ARENA_ARRAY(a, const struct unit *, p->nunits);
    *n = 0;
    for (size_t u = 0; u < p->nunits; u++) {
        bool holds = program_unit(p, p->units[u].id, d) == &p->units[u];
        size_t r = 0;
        while (holds && r < nroles && !unit_has_role(&p->units[u], roles[r]))
            r++;
        if (holds && r < nroles)
            held[(*n)++] = &p->units[u];
    }
    qsort(held, *n, sizeof *held, unit_cmp);
    return held;
}

struct owed_list {
    struct arena *arena;
    struct owed *item;
    size_t n, cap;
};

static void owed_add(struct owed_list *l, const struct program *p, struct slice id, struct slice about,
                     date_t d)
{
    const struct unit *u = program_unit(p, id, d);
    if (!u)
        return; /* dissolved, or not yet there: owes nothing */
    struct owed *o = arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *o);
    *o = (struct owed){u->id, about};
}

static int owed_cmp(const void *x, const void *y)
{
    const struct owed *a = x, *b = y;
    int c = slice_cmp(a->unit, b->unit);
    return c ? c : slice_cmp(a->about, b->about);
}

/* Evaluates `owed-by` as the task about `about` would see it. */
static void owed_about(struct owed_list *l, const struct program *p, const struct obligation *o,
                       struct period period, instant_t now, struct slice about)
{
    struct task task = {.obligation = (int)(o - p->obligations), .period = period};
    struct instance draft = {.machine = o->machine, .state = -1, .task = &task, .limit = INSTANT_NONE};
    draft.key[TASK_OBLIGATION] = o->name;
    draft.key[TASK_PERIOD] = period_format(l->arena, period);
    draft.key[TASK_ABOUT] = about;
    struct eval ev = {.program = p, .instance = &draft, .now = now, .arena = l->arena};
    struct value v = expr_eval(&ev, o->owed_by);
    date_t today = tz_date(p->tz, now, NULL);
    if (v.tag == VALUE_TEXT)
        owed_add(l, p, v.text, about, today);
    for (size_t i = 0; v.tag == VALUE_LIST && i < v.list.n; i++)
        if (v.list.item[i].tag == VALUE_TEXT)
            owed_add(l, p, v.list.item[i].text, about, today);
}

void due_owed(const struct program *p, const struct obligation *o, struct period period, instant_t now,
              struct arena *a, struct owed **pairs, size_t *n)
{
    struct owed_list l = {.arena = a};
    if (o->nabout_roles == 0)
        owed_about(&l, p, o, period, now, S(""));
    size_t nheld = 0;
    const struct unit **held =
        role_holders(p, o->about_roles, o->nabout_roles, tz_date(p->tz, now, NULL), a, &nheld);
    for (size_t i = 0; i < nheld; i++)
        owed_about(&l, p, o, period, now, held[i]->id);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, owed_cmp);
    size_t kept = 0;
    for (size_t i = 0; i < l.n; i++)
        if (kept == 0 || owed_cmp(&l.item[kept - 1], &l.item[i]) != 0)
            l.item[kept++] = l.item[i];
    *pairs = l.item;
    *n = kept;
}

/* ---- the list */

struct row_list {
    struct arena *arena;
    struct due_row *item;
    size_t n, cap;
};

static int row_cmp(const void *x, const void *y)
{
    const struct due_row *a = x, *b = y;
    if (a->due.effective != b->due.effective)
        return a->due.effective < b->due.effective ? -1 : 1;
    if (a->obligation != b->obligation)
        return a->obligation < b->obligation ? -1 : 1; /* file order: they stand in one array */
    int c = period_cmp(a->period, b->period);
    if (c == 0)
        c = slice_cmp(a->unit, b->unit);
    return c ? c : slice_cmp(a->about, b->about);
}

static void rows_of_period(struct row_list *l, const struct program *p, const struct obligation *o,
                           struct period period, const struct due *due, struct slice unit)
{
    struct owed *pairs;
    size_t n;
    due_owed(p, o, period, due->opens, l->arena, &pairs, &n);
    for (size_t i = 0; i < n; i++) {
        if (unit.n && !slice_eq(unit, pairs[i].unit))
            continue;
        struct due_row *row = arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *row);
        *row = (struct due_row){o, period, pairs[i].unit, pairs[i].about, *due};
    }
}

/* Periods whose due day may lie in [from, until): from the one that `from` can look back to, to the one that
 * `until` can. */
static void rows_of_obligation(struct row_list *l, const struct program *p, const struct obligation *o,
                               date_t from, date_t until, struct slice unit)
{
    struct span span = due_span(p, o);
    struct period q = period_step(period_of_date(o->period, from - ROLL_REACH), -o->due.periods_later);
    if (span.from != DATE_NONE && period_first(q) < span.from)
        q = period_of_date(o->period, span.from);
    for (bool more = true; more; q = period_step(q, 1)) {
        struct due due = {.day = DATE_NONE};
        if (due_in_force(p, o, q))
            due = due_of(p, o, q, l->arena);
        if (due.day != DATE_NONE && due.day >= from && due.day < until)
            rows_of_period(l, p, o, q, &due, unit);
        more = q.kind != PERIOD_ONCE && period_first(q) - ROLL_REACH < until &&
               (span.until == DATE_NONE || period_first(q) < span.until);
    }
}

void due_list(const struct program *p, date_t from, date_t until, struct slice unit, struct arena *a,
              struct due_row **rows, size_t *n)
{
    struct row_list l = {.arena = a};
    for (size_t o = 0; o < p->nobligations; o++)
        if (p->obligations[o].due.kind != DUE_NONE)
            rows_of_obligation(&l, p, &p->obligations[o], from, until, unit);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, row_cmp);
    *rows = l.item;
    *n = l.n;
}
