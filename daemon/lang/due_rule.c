/* Due rules as a regime says them: `last day`, `day 24`, `day 10 of next quarter`, `workday 2`, `first week`,
 * `Friday`, `none`; and the escape, {rrule: …}. */
#include "lang/meant.h"
#include "lang/obligations.h"

#include "core/rrule.h"

#define DAYS_MAX 31
#define RRULES_WRONG_MAX 10 /* told at once: finding out that one never falls takes its time */

struct due_words {
    struct compiler *c;
    const struct yaml *node; /* where the rule stands */
    enum period_kind period;
};

static bool due_wrong(const struct due_words *w, const char *expected, const char *what)
{
    ERROR_AT(w->c, DUE, w->node, expected, "%s", what);
    return false;
}

static int weekday_of(struct slice s)
{
    static const char *const en[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                     "Friday", "Saturday", "Sunday"};
    static const char *const zh[] = {"周一", "周二", "周三", "周四", "周五", "周六", "周日"};
    for (int i = 0; i < 7; i++)
        if (slice_eq(s, slice_of(en[i])) || slice_eq(s, slice_of(zh[i])))
            return i + 1;
    return 0;
}

/* ---- of which month */

enum which { WHICH_OWN, WHICH_FIRST, WHICH_LAST, WHICH_NEXT };

static bool which_read(const struct due_words *w, struct slice s, enum which *out)
{
    enum period_kind next;
    *out = WHICH_OWN;
    if (s.n == 0)
        return true;
    *out = slice_eq(s, S("first month"))  ? WHICH_FIRST
           : slice_eq(s, S("last month")) ? WHICH_LAST
                                          : WHICH_NEXT;
    if (*out != WHICH_NEXT && w->period >= PERIOD_MONTH)
        return true;
    if (*out != WHICH_NEXT)
        return due_wrong(w, "no “of”", "the period has no months");
    if (!slice_drop(&s, S("next ")) || !period_kind_parse(s, &next))
        return due_wrong(w, "day N, day N of first month, day N of next month", "this is no day of a period");
    if (next == w->period || (next == PERIOD_MONTH && w->period > PERIOD_MONTH))
        return true;
    return due_wrong(w, arena_printf(w->c->arena, "of next %s", period_kind_name(w->period)).p,
                     "the next period is of another kind than the obligation's");
}

/* ---- one reader for each sort of day; s is what follows its first word */

static bool number_read(const struct due_words *w, struct slice s, int most, int *out)
{
    int64_t n;
    if (!parse_i64(slice_trim(s), &n) || n < 1 || n > most)
        return due_wrong(w, arena_printf(w->c->arena, "a day from 1 to %d", most).p,
                         w->period == PERIOD_WEEK ? "this is no day of a week" : "this is no day of a month");
    *out = (int)n;
    return true;
}

static bool day_rule(const struct due_words *w, int n, enum which which, struct due_rule *out)
{
    bool months = w->period > PERIOD_MONTH;
    if (w->period < PERIOD_MONTH)
        return due_wrong(w, "last day, or a weekday", "a day of the month needs a period of a month or more");
    /* 季度初: counted from the next quarter's first day */
    bool first = which == WHICH_FIRST || (which == WHICH_NEXT && months);
    *out = (struct due_rule){
        .kind = first ? DUE_FIRST_DAY_N : DUE_DAY, .n = n, .periods_later = which == WHICH_NEXT};
    return true;
}

static bool last_day_rule(const struct due_words *w, enum which which, struct due_rule *out)
{
    if (which == WHICH_FIRST || (which == WHICH_NEXT && w->period > PERIOD_MONTH))
        return day_rule(w, DAYS_MAX, which, out);
    *out = (struct due_rule){.kind = DUE_END, .periods_later = which == WHICH_NEXT};
    return true;
}

static bool workday_rule(const struct due_words *w, int n, enum which which, struct due_rule *out)
{
    bool first = which == WHICH_FIRST || which == WHICH_NEXT;
    if (w->period < PERIOD_WEEK)
        return due_wrong(w, "last day", "workdays are counted in a week or more");
    *out =
        (struct due_rule){.kind = DUE_WORKDAY, .n = n, .first = first, .periods_later = which == WHICH_NEXT};
    return true;
}

static bool week_rule(const struct due_words *w, bool first, enum which which, struct due_rule *out)
{
    if (w->period < PERIOD_MONTH)
        return due_wrong(w, "last day, or a weekday",
                         "first and last weeks are those of a month: the period is shorter");
    if (w->period > PERIOD_MONTH &&
        ((which == WHICH_LAST && first) || (!first && which != WHICH_LAST && which != WHICH_OWN)))
        return due_wrong(w, "first week, last week, first week of next month",
                         "the first week is that of the first month, the last week that of the last month");
    *out = (struct due_rule){.kind = DUE_WINDOW, .first = first, .periods_later = which == WHICH_NEXT};
    return true;
}

static bool due_day(const struct due_words *w, struct slice what, enum which which, struct due_rule *out)
{
    int n;
    if (slice_eq(what, S("last day")))
        return last_day_rule(w, which, out);
    if (slice_eq(what, S("first week")) || slice_eq(what, S("last week")))
        return week_rule(w, what.p[0] == 'f', which, out);
    if (slice_eq(what, S("last workday")))
        return workday_rule(w, -1, which, out);
    if (slice_drop(&what, S("workday ")))
        return number_read(w, what, w->period == PERIOD_WEEK ? 7 : DAYS_MAX, &n) &&
               workday_rule(w, n, which, out);
    if (slice_drop(&what, S("day ")))
        return number_read(w, what, DAYS_MAX, &n) && day_rule(w, n, which, out);
    return due_wrong(
        w,
        "last day, day N, day N of next month, workday N, first week, last week, a weekday (Friday), or none",
        "this is no due rule");
}

static bool due_words(const struct due_words *w, struct slice s, struct due_rule *out)
{
    static const struct slice of = {" of ", 4};
    enum which which;
    if (slice_eq(s, S("none"))) {
        *out = (struct due_rule){.kind = DUE_NONE};
        return true;
    }
    int weekday = weekday_of(s);
    if (weekday) {
        *out = (struct due_rule){.kind = DUE_WEEKDAY, .n = weekday};
        return w->period != PERIOD_DAY || due_wrong(w, "last day", "a day has one weekday only");
    }
    const char *p = s.n ? memmem(s.p, s.n, of.p, of.n) : NULL;
    struct slice what = {s.p, p ? (size_t)(p - s.p) : s.n};
    struct slice rest = {p ? p + of.n : s.p, p ? s.n - what.n - of.n : 0};
    return which_read(w, slice_trim(rest), &which) && due_day(w, slice_trim(what), which, out);
}

/* ---- the escape */

static const struct key_def recurrence_keys[] = {
    {"rrule", YAML_SCALAR, true, "RRULE, constant", NULL,
     "of RFC 5545: the last day that it yields in the period; a period without one has no task"},
};
const struct key_table recurrence_table = KEY_TABLE(recurrence_keys);

static bool rrule_read(const struct due_words *w, struct due_rule *out)
{
    const char *wrong, *expected;
    struct compiler *c = w->c;
    if (!keys_check(c, w->node, recurrence_keys, sizeof recurrence_keys / sizeof *recurrence_keys, "a due rule"))
        return false;
    const struct yaml *node = yaml_get(w->node, "rrule"),
                      *text = is_scalar(node) ? read_constant(c, node) : NULL;
    if (!text)
        return false;
    if (w->period < PERIOD_WEEK) {
        ERROR_AT(c, RRULE, node, "period: week, month, quarter, half or year",
                 "its last day in which period?");
        return false;
    }
    for (size_t i = 0, n = 0; i < c->diags->n; i++)
        if (strcmp(c->diags->item[i].code, DIAG_RRULE) == 0 && ++n == RRULES_WRONG_MAX)
            return false;
    if (!rrule_check(text->text, &wrong, &expected)) {
        ERROR_AT(c, RRULE, node, expected, "%s", wrong);
        return false;
    }
    *out = (struct due_rule){.kind = DUE_RRULE, .rrule = text->text};
    return true;
}

bool due_read(struct compiler *c, const struct yaml *node, enum period_kind period, enum due_window window,
              struct due_rule *out)
{
    struct due_words w = {c, node, period};
    if (node->kind == YAML_MAP)
        return rrule_read(&w, out);
    if (!is_scalar(node)) {
        ERROR_AT(c, SHAPE, node, "a due rule: day 24; or {rrule: …}", "this is no due rule");
        return false;
    }
    const struct yaml *constant = read_constant(c, node);
    if (!constant)
        return false;
    struct slice meant = meant_by(c->arena, MEANT_DUE, constant->text);
    if (meant.n && !slice_eq(meant, slice_trim(constant->text)))
        return due_wrong(&w, meant_hint(c->arena, MEANT_DUE, constant->text, NULL),
                         arena_printf(c->arena, "“%.*s” is not how a due rule is written", SLICE_ARG(constant->text)).p);
    if (!due_words(&w, slice_trim(constant->text), out))
        return false;
    out->window = window;
    return true;
}
