/* Due dates, limits, who owes, and the list of what is due. */
#include "world_fixture.h"

static struct program *p;

static struct due due(struct due_rule rule, enum period_kind kind, const char *period)
{
    static struct obligation o;
    struct period q;
    o = (struct obligation){.name = S("x"), .period = kind, .due = rule, .effective = {DATE_NONE, DATE_NONE}};
    assert_true(period_parse(slice_of(period), &q));
    return due_of(p, &o, q, fx);
}

static void assert_day(struct due d, const char *day)
{
    assert_slice(date_format(fx, d.day), day);
}

static int setup(void **state)
{
    fx_setup(state);
    p = fixture_program();
    return 0;
}

static void windows_by_their_four_definitions(void **state)
{
    (void)state;
    static const char *const october[][2] = {[WINDOW_DAYS] = {"2024-10-07", "2024-10-31"},
                                             [WINDOW_WEEK] = {"2024-10-06", "2024-10-31"},
                                             [WINDOW_FULL_WEEK] = {"2024-10-13", "2024-10-27"},
                                             [WINDOW_WORKDAYS] = {"2024-10-12", "2024-10-31"}};
    struct calendar_day day[8];
    for (int i = 0; i < 7; i++)
        day[i] = (struct calendar_day){date_from_civil(2024, 10, 1 + i), false, S("国庆节")};
    day[7] = (struct calendar_day){date_from_civil(2024, 10, 12), true, S("国庆节")};
    struct calendar calendar = {day, 8, date_from_civil(2024, 12, 31)};
    p->calendar = &calendar;
    for (int w = WINDOW_DAYS; w < DUE_WINDOWS; w++)
        for (int last = 0; last < 2; last++) {
            struct due_rule r = {.kind = DUE_WINDOW, .window = (enum due_window)w, .first = !last};
            assert_day(due(r, PERIOD_MONTH, "2024-10"), october[w][last]);
            assert_day(due(r, PERIOD_QUARTER, last ? "2024Q3" : "2024Q4"), 
                       !last ? october[w][0] : w == WINDOW_FULL_WEEK ? "2024-09-29" : "2024-09-30");
        }
    struct due_rule second = {.kind = DUE_WORKDAY, .n = 2}, last = {.kind = DUE_WORKDAY, .n = -1};
    assert_day(due(second, PERIOD_MONTH, "2024-10"), "2024-10-09");
    assert_day(due(last, PERIOD_WEEK, "2024-W40"), "2024-09-30");
    second.periods_later = 1;
    assert_day(due(second, PERIOD_MONTH, "2024-09"), "2024-10-09");
    assert_false(due(second, PERIOD_MONTH, "2024-09").provisional);
    assert_true(due(second, PERIOD_MONTH, "2024-12").provisional);
    second.n = 31; /* fewer than that: the last of them */
    assert_day(due(second, PERIOD_MONTH, "2024-09"), "2024-10-31");
}

static void a_recurrence_rule_may_leave_periods_out(void **state)
{
    (void)state;
    struct due_rule friday = {.kind = DUE_RRULE, .rrule = S("FREQ=YEARLY;BYMONTH=3,9;BYDAY=-1FR")};
    struct obligation o = {.due = friday};
    assert_day(due(friday, PERIOD_MONTH, "2024-03"), "2024-03-29");
    assert_day(due(friday, PERIOD_YEAR, "2024"), "2024-09-27");
    struct due april = due(friday, PERIOD_MONTH, "2024-04");
    assert_true(april.day == DATE_NONE && april.effective == INSTANT_MAX);
    assert_false(due_owes(&o, &april));
}

static void each_rule_names_a_day(void **state)
{
    (void)state;
    const struct due_rule end = {.kind = DUE_END}, d24 = {.kind = DUE_DAY, .n = 24},
                          d31 = {.kind = DUE_DAY, .n = 31};
    const struct due_rule first10 = {.kind = DUE_FIRST_DAY_N, .n = 10},
                          first31 = {.kind = DUE_FIRST_DAY_N, .n = 31};
    const struct due_rule friday = {.kind = DUE_WEEKDAY, .n = 5}, sunday = {.kind = DUE_WEEKDAY, .n = 7};
    assert_day(due(end, PERIOD_MONTH, "2024-02"), "2024-02-29");
    assert_day(due(end, PERIOD_QUARTER, "2024Q1"), "2024-03-31");
    assert_day(due(d24, PERIOD_MONTH, "2024-02"), "2024-02-24");
    assert_day(due(d31, PERIOD_MONTH, "2023-02"), "2023-02-28");  /* clipped, never spilled */
    assert_day(due(d24, PERIOD_QUARTER, "2024Q2"), "2024-06-24"); /* of the last month */
    assert_day(due(first10, PERIOD_QUARTER, "2024Q2"), "2024-04-10");
    assert_day(due(first31, PERIOD_QUARTER, "2024Q2"), "2024-04-30");
    assert_day(due(first10, PERIOD_WEEK, "2024-W13"), "2024-03-31"); /* a week has no tenth day */
    assert_day(due(friday, PERIOD_MONTH, "2024-02"), "2024-02-23");
    assert_day(due(sunday, PERIOD_MONTH, "2024-03"), "2024-03-31"); /* the last day itself */
    assert_day(due(friday, PERIOD_WEEK, "2024-W13"), "2024-03-29");
    struct due_rule next = {.kind = DUE_DAY, .n = 2, .periods_later = 1};
    assert_day(due(next, PERIOD_MONTH, "2024-12"), "2025-01-02");
}

static void the_cutoff_is_a_matter_of_the_definition(void **state)
{
    (void)state;
    struct due_rule rule = {.kind = DUE_DAY, .n = 24};
    struct due d = due(rule, PERIOD_MONTH, "2024-02");
    assert_true(d.effective == at(p, "2024-02-25", 0, 0));
    assert_true(d.opens == at(p, "2024-02-01", 0, 0));
    assert_slice(d.reason, "day 24 of 2024-02, inclusive: until 24:00");
    rule.exclusive = true;
    d = due(rule, PERIOD_MONTH, "2024-02");
    assert_true(d.effective == at(p, "2024-02-24", 0, 0));
    assert_day(d, "2024-02-24");
    assert_slice(d.reason, "day 24 of 2024-02, exclusive: until 00:00");
}

static void rolling_says_why(void **state)
{
    (void)state;
    struct calendar_day day[] = {{date_from_civil(2024, 2, 18), true, S("调休")},
                                 {date_from_civil(2024, 2, 26), false, S("校庆")}};
    struct calendar calendar = {day, 2, date_from_civil(2024, 12, 31)};
    p->calendar = &calendar;
    struct due_rule rule = {.kind = DUE_DAY, .n = 24, .roll = ROLL_NEXT}; /* a Saturday */
    struct due d = due(rule, PERIOD_MONTH, "2024-02");
    assert_day(d, "2024-02-27");
    assert_true(d.nominal == at(p, "2024-02-25", 0, 0));
    assert_slice(d.reason, "day 24 of 2024-02, inclusive: until 24:00; 2024-02-24 is a day off (Saturday): "
                           "rolled to 2024-02-27");
    rule.roll = ROLL_PREVIOUS;
    assert_day(due(rule, PERIOD_MONTH, "2024-02"), "2024-02-23");
    rule.n = 26;
    d = due(rule, PERIOD_MONTH, "2024-02");
    assert_slice(
        d.reason,
        "day 26 of 2024-02, inclusive: until 24:00; 2024-02-26 is a day off (校庆): rolled to 2024-02-23");
    rule.n = 18; /* a Sunday that is worked */
    d = due(rule, PERIOD_MONTH, "2024-02");
    assert_day(d, "2024-02-18");
    assert_false(d.provisional);
    d = due(rule, PERIOD_MONTH, "2025-02");
    assert_true(d.provisional);
    rule.roll = ROLL_NONE; /* nothing to be provisional about */
    assert_false(due(rule, PERIOD_MONTH, "2025-02").provisional);
}

static void rolling_back_stays_behind_the_opening(void **state)
{
    (void)state;
    struct due_rule rule = {.kind = DUE_DAY, .n = 2, .roll = ROLL_PREVIOUS};
    struct due d = due(rule, PERIOD_MONTH, "2024-06"); /* Sunday the 2nd; the Friday before is in May */
    assert_day(d, "2024-06-02");
    assert_true(d.effective == d.nominal && d.effective > d.opens);
    assert_slice(d.reason,
                 "day 2 of 2024-06, inclusive: until 24:00; not rolled: it would fall before it opens");
    rule.n = 3;
    assert_day(due(rule, PERIOD_MONTH, "2024-11"), "2024-11-01"); /* Sunday the 3rd */
    rule.n = 2;
    rule.periods_later = 1; /* open for all of May */
    assert_day(due(rule, PERIOD_MONTH, "2024-05"), "2024-05-31");
}

static void no_due_date_is_never(void **state)
{
    (void)state;
    struct due d = due((struct due_rule){.kind = DUE_NONE}, PERIOD_YEAR, "2024");
    assert_true(d.effective == INSTANT_MAX && d.nominal == INSTANT_MAX);
    assert_int_equal(d.day, DATE_NONE);
    assert_slice(d.reason, "no due date");
}

static void what_does_not_recur_is_due_in_the_effective_span(void **state)
{
    (void)state;
    struct obligation o = {.period = PERIOD_ONCE,
                           .due = {.kind = DUE_END},
                           .effective = {date_from_civil(2024, 3, 1), date_from_civil(2024, 5, 1)}};
    struct due d = due_of(p, &o, (struct period){PERIOD_ONCE, 0}, fx);
    assert_day(d, "2024-04-30");
    assert_true(d.opens == at(p, "2024-03-01", 0, 0));
    o.effective.until = DATE_NONE;
    assert_true(due_of(p, &o, (struct period){PERIOD_ONCE, 0}, fx).effective == INSTANT_MAX);
}

static void a_limit_ends_at_midnight(void **state)
{
    (void)state;
    assert_true(due_limit(p, at(p, "2024-07-10", 9, 0), days(30)) == at(p, "2024-08-10", 0, 0));
    assert_true(due_limit(p, at(p, "2024-07-10", 0, 0), days(30)) == at(p, "2024-08-10", 0, 0));
    struct duration month = {1, DURATION_MONTH};
    assert_true(due_limit(p, at(p, "2024-01-31", 23, 0), month) == at(p, "2024-03-01", 0, 0));
}

static void one_task_for_each_owner_and_matter(void **state)
{
    (void)state;
    struct owed *pair;
    size_t n;
    struct period march = {PERIOD_MONTH, 2024 * 12 + 2};
    instant_t now = at(p, "2024-03-01", 0, 0);
    due_owed(p, &p->obligations[OB_DISPATCH], march, now, fx, &pair, &n);
    assert_int_equal(n, 2);
    assert_slice(pair[0].unit, "o-1");
    assert_slice(pair[0].about, "tf-01");
    assert_slice(pair[1].about, "tf-02");
    due_owed(p, &p->obligations[OB_REPORT], march, now, fx, &pair, &n);
    assert_int_equal(n, 2);
    assert_slice(pair[1].unit, "tf-02");
    assert_int_equal(pair[1].about.n, 0);
    struct obligation named = p->obligations[OB_REPORT];
    named.owed_by = x_op(EXPR_LIST, 0, 0, 3, X_TEXT("营商局"), X_TEXT("b-1"), X_TEXT("nobody"));
    due_owed(p, &named, march, now, fx, &pair, &n);
    assert_int_equal(n, 1); /* an alias is the unit itself; a stranger owes nothing */
    assert_slice(pair[0].unit, "b-1");
    p->units[3].in_force.until = date_from_civil(2024, 3, 1); /* tf-02 is dissolved */
    due_owed(p, &p->obligations[OB_REPORT], march, now, fx, &pair, &n);
    assert_int_equal(n, 1);
    due_owed(p, &p->obligations[OB_DISPATCH], march, now, fx, &pair, &n);
    assert_int_equal(n, 1);
    /* owed-by: lead of about */
    struct obligation o = p->obligations[OB_DISPATCH];
    o.owed_by = X1(EXPR_RELATION, REL_LEADS, X_KEY(TASK_ABOUT));
    struct relation_row rows[] = {{S("tf-01"), REL_LEADS, 5, {DATE_NONE, DATE_NONE}}};
    p->relation_rows = rows;
    p->nrelation_rows = 1;
    due_owed(p, &o, march, now, fx, &pair, &n);
    assert_int_equal(n, 1);
    assert_slice(pair[0].unit, "u-02");
    assert_slice(pair[0].about, "tf-01");
}

static void the_list_is_in_due_order(void **state)
{
    (void)state;
    struct due_row *row;
    size_t n;
    due_list(p, date_from_civil(2024, 1, 1), date_from_civil(2025, 1, 1), S(""), fx, &row, &n);
    assert_int_equal(n, 12 * 4);
    for (size_t i = 1; i < n; i++)
        assert_true(row[i - 1].due.effective <= row[i].due.effective);
    due_list(p, date_from_civil(2020, 1, 1), date_from_civil(2030, 1, 1), S("tf-02"), fx, &row, &n);
    assert_int_equal(n, 12);
    assert_slice(row[0].obligation->name, "progress");
    assert_slice(row[0].unit, "tf-02");
    due_list(p, date_from_civil(2024, 2, 24), date_from_civil(2024, 2, 25), S(""), fx, &row, &n);
    assert_int_equal(n, 2);
    due_list(p, date_from_civil(2024, 2, 25), date_from_civil(2024, 2, 29), S(""), fx, &row, &n);
    assert_int_equal(n, 0);
    p->obligations[OB_REPORT].due = (struct due_rule){.kind = DUE_DAY, .n = 2, .periods_later = 2};
    due_list(p, date_from_civil(2025, 1, 1), date_from_civil(2026, 1, 1), S("tf-01"), fx, &row, &n);
    assert_int_equal(n, 2); /* November's and December's */
    assert_slice(period_format(fx, row[0].period), "2024-11");
    p->obligations[OB_REPORT].due.kind = DUE_NONE;
    due_list(p, date_from_civil(2024, 1, 1), date_from_civil(2026, 1, 1), S("tf-01"), fx, &row, &n);
    assert_int_equal(n, 0);
}

static void the_workflow_bounds_its_obligations(void **state)
{
    (void)state;
    struct obligation *o = &p->obligations[OB_REPORT];
    p->effective = (struct span){date_from_civil(2024, 6, 1), DATE_NONE};
    o->effective.from = DATE_NONE;
    assert_false(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 4}));
    assert_true(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 5}));
    assert_true(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 11}));
    assert_false(due_in_force(p, o, (struct period){PERIOD_MONTH, 2025 * 12}));
    assert_false(due_in_force(p, o, (struct period){PERIOD_QUARTER, 2024 * 4 + 3}));
    p->effective.from = date_from_civil(2024, 6, 18); /* June had begun, and the obligation says that it is owed */
    assert_false(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 5}));
    o->effective.from = date_from_civil(2024, 6, 1);
    assert_false(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 4}));
    assert_true(due_in_force(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 5}));
    assert_true(due_of(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 5}, fx).opens == at(p, "2024-06-18", 0, 0));
    assert_true(due_of(p, o, (struct period){PERIOD_MONTH, 2024 * 12 + 6}, fx).opens == at(p, "2024-07-01", 0, 0));
}

/* Whatever the rule, the day lies within the period (but for later ones and rolls), and due dates ascend with
 * their periods. */
static void due_dates_ascend(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    for (int round = 0; round < 300; round++) {
        enum due_kind kind = (enum due_kind)random_between(&seed, DUE_END, DUE_WEEKDAY);
        struct obligation o = {.period = (enum period_kind)random_between(&seed, PERIOD_WEEK, PERIOD_YEAR),
                               .effective = {DATE_NONE, DATE_NONE}};
        o.due = (struct due_rule){.kind = kind,
                                  .n = (int)random_between(&seed, 1, kind == DUE_WEEKDAY ? 7 : 31),
                                  .roll = (enum due_roll)random_between(&seed, ROLL_NONE, ROLL_PREVIOUS),
                                  .exclusive = random_next(&seed) % 2};
        if (o.period == PERIOD_WEEK && kind == DUE_DAY)
            continue; /* a week has no month's day */
        struct period q =
            period_of_date(o.period, date_from_civil(2024, 1, (int)random_between(&seed, 1, 366)));
        struct due one = due_of(p, &o, q, fx), two = due_of(p, &o, period_step(q, 1), fx);
        date_t nominal = tz_date(p->tz, one.nominal - (o.due.exclusive ? 0 : 1), NULL);
        assert_true(nominal >= period_first(q) && nominal < period_end(q));
        assert_true(one.effective < two.effective || o.period == PERIOD_WEEK);
        assert_true(one.effective <= two.effective);
        assert_true(abs(one.day - nominal) <= 2); /* a weekend at most */
    }
}

#define DUE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DUE_TEST(each_rule_names_a_day),
        DUE_TEST(windows_by_their_four_definitions),
        DUE_TEST(a_recurrence_rule_may_leave_periods_out),
        DUE_TEST(the_cutoff_is_a_matter_of_the_definition),
        DUE_TEST(rolling_says_why),
        DUE_TEST(rolling_back_stays_behind_the_opening),
        DUE_TEST(no_due_date_is_never),
        DUE_TEST(what_does_not_recur_is_due_in_the_effective_span),
        DUE_TEST(a_limit_ends_at_midnight),
        DUE_TEST(one_task_for_each_owner_and_matter),
        DUE_TEST(the_list_is_in_due_order),
        DUE_TEST(the_workflow_bounds_its_obligations),
        DUE_TEST(due_dates_ascend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
