/* Due rules as a regime says them: `last day`, `day 24`, `day 10 of next quarter`, `Friday`, `none`. */
#include "lang/obligations.h"

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

/* What follows `day N`: nothing, `of first month`, `of next PERIOD`. */
static bool day_of(const struct due_words *w, struct slice rest, int n, struct due_rule *out)
{
    enum period_kind next;
    *out = (struct due_rule){.kind = DUE_DAY, .n = n};
    if (rest.n == 0)
        return true;
    if (slice_eq(rest, S("of first month"))) {
        out->kind = DUE_FIRST_DAY_N;
        return true;
    }
    if (slice_eq(rest, S("of last month")))
        return true;
    if (!slice_drop(&rest, S("of next ")) || !period_kind_parse(rest, &next))
        return due_wrong(w, "day N, day N of first month, day N of next month", "this is no day of a period");
    if (next != w->period && !(next == PERIOD_MONTH && w->period > PERIOD_MONTH))
        return due_wrong(w, arena_printf(w->c->arena, "of next %s", period_kind_name(w->period)).p,
                         "the next period is of another kind than the obligation's");
    out->periods_later = 1;
    if (w->period != PERIOD_MONTH)
        out->kind = DUE_FIRST_DAY_N; /* 季度初: counted from the next quarter's first day */
    return true;
}

static bool due_words(const struct due_words *w, struct slice s, struct due_rule *out)
{
    int64_t n;
    if (slice_eq(s, S("none"))) {
        *out = (struct due_rule){.kind = DUE_NONE};
        return true;
    }
    if (slice_eq(s, S("last day"))) {
        *out = (struct due_rule){.kind = DUE_END};
        return true;
    }
    int weekday = weekday_of(s);
    if (weekday) {
        *out = (struct due_rule){.kind = DUE_WEEKDAY, .n = weekday};
        return w->period != PERIOD_DAY || due_wrong(w, "last day", "a day has one weekday only");
    }
    if (!slice_drop(&s, S("day ")))
        return due_wrong(w, "last day, day N, day N of next month, a weekday (Friday), or none",
                         "this is no due rule");
    struct slice number = slice_trim(slice_cut(&s, ' '));
    if (!parse_i64(number, &n) || n < 1 || n > 31)
        return due_wrong(w, "a day from 1 to 31", "this is no day of a month");
    if (w->period < PERIOD_MONTH)
        return due_wrong(w, "last day, or a weekday", "a day of the month needs a period of a month or more");
    return day_of(w, slice_trim(s), (int)n, out);
}

bool due_read(struct compiler *c, const struct yaml *node, enum period_kind period, struct due_rule *out)
{
    const struct yaml *constant = read_constant(c, node);
    struct due_words w = {c, node, period};
    return constant && due_words(&w, slice_trim(constant->text), out);
}
