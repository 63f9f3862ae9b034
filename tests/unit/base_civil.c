#include "unit.h"

#include "base/civil.h"

static struct arena *arena;

static date_t date(const char *text)
{
    date_t d;
    if (!date_parse(slice_of(text), &d))
        fail_msg("%s is no date", text);
    return d;
}

static void every_day_of_ten_thousand_years(void **state)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    date_t d = date_from_civil(1, 1, 1);
    int weekday = 1; /* 0001-01-01 was a Monday */
    (void)state;
    assert_int_equal(d, -719162);
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int days = length[month - 1] + (month == 2 && leap);
            if (month_length(year, month) != days)
                fail_msg("%d-%d has %d days", year, month, month_length(year, month));
            for (int day = 1; day <= days; day++, d++) {
                int y, m, dd;
                date_to_civil(d, &y, &m, &dd);
                if (date_from_civil(year, month, day) != d || y != year || m != month || dd != day ||
                    date_weekday(d) != weekday)
                    fail_msg("%d-%d-%d is %d, came back as %d-%d-%d", year, month, day, d, y, m, dd);
                weekday = weekday % 7 + 1;
            }
        }
    }
    assert_int_equal(d, 2932897);
    assert_int_equal(date_from_civil(1970, 1, 1), 0);
    assert_int_equal(date_from_civil(2024, 2, 31), date_from_civil(2024, 3, 2));
}

static void dates_as_text(void **state)
{
    static const char *const bad[] = {"",           "2024-2-29",  "2023-02-29", "2024-13-01",  "2024-00-10",
                                      "2024-01-00", "0000-01-01", "2024-01-32", "2024-01-01 ", "2024/01/01",
                                      "2024-01-0a", "-024-01-01", "20240101"};
    date_t d;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (date_parse(slice_of(bad[i]), &d))
            fail_msg("%s", bad[i]);
    assert_slice(date_format(arena, date("2024-02-29")), "2024-02-29");
    assert_slice(date_format(arena, date("0001-01-01")), "0001-01-01");
    assert_slice(date_format(arena, date("9999-12-31")), "9999-12-31");
}

static void periods_tile_time(void **state)
{
    (void)state;
    for (enum period_kind kind = PERIOD_DAY; kind <= PERIOD_YEAR; kind++) {
        struct period p = period_of_date(kind, date("1968-12-30"));
        while (period_first(p) < date("2040-01-01")) {
            struct period next = period_step(p, 1), back;
            assert_int_equal(period_end(p), period_first(next));
            assert_true(period_first(p) < period_end(p));
            assert_true(period_eq(period_of_date(kind, period_first(p)), p));
            assert_true(period_eq(period_of_date(kind, period_end(p) - 1), p));
            assert_true(period_cmp(p, next) < 0 && period_cmp(next, p) > 0);
            struct slice text = period_format(arena, p);
            if (!period_parse(text, &back) || !period_eq(back, p))
                fail_msg("%s", text.p);
            p = next;
        }
        arena_reset(arena);
    }
}

static void periods_as_text(void **state)
{
    static const struct {
        const char *text;
        enum period_kind kind;
        const char *first, *last;
    } good[] = {
        {"2024", PERIOD_YEAR, "2024-01-01", "2024-12-31"},
        {"2024H2", PERIOD_HALF, "2024-07-01", "2024-12-31"},
        {"2024Q1", PERIOD_QUARTER, "2024-01-01", "2024-03-31"},
        {"2024-02", PERIOD_MONTH, "2024-02-01", "2024-02-29"},
        {"2024-W13", PERIOD_WEEK, "2024-03-25", "2024-03-31"},
        {"2020-W53", PERIOD_WEEK, "2020-12-28", "2021-01-03"},
        {"2025-W01", PERIOD_WEEK, "2024-12-30", "2025-01-05"},
        {"2024-03-29", PERIOD_DAY, "2024-03-29", "2024-03-29"},
        {"9999-W52", PERIOD_WEEK, "9999-12-27", "9999-12-31"},
        {"0001", PERIOD_YEAR, "0001-01-01", "0001-12-31"},
    };
    static const char *const bad[] = {"0000",    "2024Q0",   "2024Q5",   "2024H3",   "2024-13",
                                      "2024-00", "2024-W00", "2024-W53", "2024-W1",  "2024q1",
                                      "2024Q",   "2024-",    "24",       "2024-03-", "2024-02-30",
                                      "2024Q1 ", "abcd",     "2024-Wxx", "once"};
    struct period p;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(period_parse(slice_of(good[i].text), &p));
        assert_int_equal(p.kind, good[i].kind);
        assert_int_equal(period_first(p), date(good[i].first));
        if (strcmp(good[i].text, "9999-W52") != 0)
            assert_int_equal(period_end(p) - 1, date(good[i].last));
        assert_slice(period_format(arena, p), good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (period_parse(slice_of(bad[i]), &p))
            fail_msg("%s", bad[i]);
    assert_true(period_parse(S(""), &p));
    assert_int_equal(p.kind, PERIOD_ONCE);
    assert_slice(period_format(arena, p), "");
    assert_true(period_eq(period_step(p, 1), p));
}

static void periods_convert(void **state)
{
    struct period p, q;
    enum period_kind kind;
    (void)state;
    assert_true(period_parse(S("2024-05"), &p));
    assert_slice(period_format(arena, period_convert(PERIOD_QUARTER, p)), "2024Q2");
    assert_slice(period_format(arena, period_convert(PERIOD_HALF, p)), "2024H1");
    assert_slice(period_format(arena, period_convert(PERIOD_MONTH, p)), "2024-05");
    assert_true(period_parse(S("2024Q3"), &q));
    assert_slice(period_format(arena, period_convert(PERIOD_MONTH, q)), "2024-07");
    assert_int_equal(p.index, 2024 * 12 + 4);
    assert_int_equal(q.index, 2024 * 4 + 2);
    assert_int_equal(period_of_date(PERIOD_WEEK, date("1970-01-05")).index, 0);
    assert_int_equal(period_of_date(PERIOD_WEEK, date("1970-01-04")).index, -1);
    for (enum period_kind k = PERIOD_ONCE; k <= PERIOD_YEAR; k++)
        assert_true(period_kind_parse(slice_of(period_kind_name(k)), &kind) && kind == k);
    assert_false(period_kind_parse(S("months"), &kind));
}

static void instants_as_text(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } good[] = {
        {"2024-04-10T09:00:00+08:00", "2024-04-10T01:00:00Z"},
        {"2024-04-10T01:00:00Z", "2024-04-10T01:00:00Z"},
        {"2024-04-10t01:00:00z", "2024-04-10T01:00:00Z"},
        {"2024-04-10 01:00:00.5Z", "2024-04-10T01:00:00.500Z"},
        {"2024-04-10T01:00:00.1239Z", "2024-04-10T01:00:00.123Z"},
        {"2024-01-01T00:30:00+01:00", "2023-12-31T23:30:00Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"2017-01-01T07:59:60+08:00", "2017-01-01T00:00:00Z"},
        {"2024-04-10T01:00:00-09:30", "2024-04-10T10:30:00Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
        {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
    };
    static const char *const bad[] = {
        "",
        "2024-04-10",
        "2024-04-10T01:00:00",
        "2024-04-10T01:00Z",
        "2024-04-10T24:00:00Z",
        "2024-04-10T01:60:00Z",
        "2024-04-10T01:00:61Z",
        "2024-04-10T01:00:60Z",
        "2024-04-10T01:00:00.Z",
        "2024-04-10T01:00:00+8:00",
        "2024-04-10T01:00:00+0800",
        "2024-04-10T01:00:00+24:00",
        "2024-04-10T01:00:00+08:60",
        "2024-02-30T01:00:00Z",
        "2024-04-10T01:00:00ZZ",
        "2024-04-10_01:00:00Z",
        "2024-04-10T-1:00:00Z",
        "2024-04-10T01:00:00.5",
        "2024-04-10T01.00.00Z",
    };
    instant_t t;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!instant_parse(slice_of(good[i].in), &t))
            fail_msg("%s", good[i].in);
        assert_slice(instant_format_utc(arena, t), good[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (instant_parse(slice_of(bad[i]), &t))
            fail_msg("%s", bad[i]);
    assert_false(instant_parse((struct slice){"2024-04-10\0"
                                              "01:00:00Z",
                                              20},
                               &t));
    assert_slice(instant_format_utc(arena, INSTANT_MAX), "never");
    assert_slice(instant_format_utc(arena, INSTANT_NONE), "none");
}

/* 2024-10-01 to 07 off, Saturday 2024-10-12 worked. */
static struct calendar_day golden_week[] = {
    {1009, false, {"", 0}}, {0, false, {"", 0}}, {0, false, {"", 0}}, {0, false, {"", 0}},
    {0, false, {"", 0}},    {0, false, {"", 0}}, {0, false, {"", 0}}, {0, true, {"", 0}},
};

static const struct calendar *october(void)
{
    static struct calendar c = {golden_week, 8, 0};
    for (int i = 0; i < 7; i++)
        golden_week[i].date = date("2024-10-01") + i;
    golden_week[7].date = date("2024-10-12");
    c.known_until = date("2024-12-31");
    return &c;
}

static void workdays(void **state)
{
    const struct calendar *c = october();
    (void)state;
    assert_false(calendar_is_workday(c, date("2024-10-01")));
    assert_true(calendar_is_workday(NULL, date("2024-10-01")));
    assert_true(calendar_is_workday(c, date("2024-10-12")));
    assert_false(calendar_is_workday(NULL, date("2024-10-12")));
    assert_false(calendar_is_workday(c, date("2024-10-13")));
    assert_non_null(calendar_find(c, date("2024-10-07")));
    assert_null(calendar_find(c, date("2024-10-08")));
    assert_int_equal(calendar_roll(c, date("2024-10-03"), 1), date("2024-10-08"));
    assert_int_equal(calendar_roll(c, date("2024-10-03"), -1), date("2024-09-30"));
    assert_int_equal(calendar_roll(c, date("2024-10-12"), 1), date("2024-10-12"));
    assert_int_equal(calendar_add_workdays(c, date("2024-09-30"), 1), date("2024-10-08"));
    assert_int_equal(calendar_add_workdays(c, date("2024-09-30"), 5), date("2024-10-12"));
    assert_int_equal(calendar_add_workdays(c, date("2024-10-03"), -1), date("2024-09-30"));
    assert_int_equal(calendar_add_workdays(c, date("2024-10-03"), 0), date("2024-10-03"));
}

static void durations_as_text(void **state)
{
    static const struct {
        const char *in;
        int n;
        enum duration_unit unit;
        const char *out;
    } good[] = {
        {"3d", 3, DURATION_DAY, "3d"},
        {"2h", 2, DURATION_HOUR, "2h"},
        {"30m", 30, DURATION_MINUTE, "30m"},
        {"2w", 2, DURATION_WEEK, "2w"},
        {"1mo", 1, DURATION_MONTH, "1mo"},
        {"5 workdays", 5, DURATION_WORKDAY, "5 workdays"},
        {"5wd", 5, DURATION_WORKDAY, "5 workdays"},
        {"1 workday", 1, DURATION_WORKDAY, "1 workday"},
        {"0d", 0, DURATION_DAY, "0d"},
        {"99999d", 99999, DURATION_DAY, "99999d"},
    };
    static const char *const bad[] = {
        "",         "d", "3", "-3d", "3 d", "3D", "3days", "3dd", "100000d", "3.5d", "99999999999999999999d",
        "5workdays"};
    struct duration d;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(duration_parse(slice_of(good[i].in), &d));
        assert_int_equal(d.n, good[i].n);
        assert_int_equal(d.unit, good[i].unit);
        assert_slice(duration_format(arena, d), good[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (duration_parse(slice_of(bad[i]), &d))
            fail_msg("%s", bad[i]);
}

static void durations_apply(void **state)
{
    static const struct {
        const char *from, *by;
        int sign;
        const char *to;
    } example[] = {
        {"2024-01-31T08:00:00Z", "1mo", 1, "2024-02-29T08:00:00Z"},
        {"2023-01-31T08:00:00Z", "1mo", 1, "2023-02-28T08:00:00Z"},
        {"2024-03-31T08:00:00Z", "1mo", -1, "2024-02-29T08:00:00Z"},
        {"2024-01-15T08:00:00Z", "13mo", 1, "2025-02-15T08:00:00Z"},
        {"2024-01-15T08:00:00Z", "1mo", -1, "2023-12-15T08:00:00Z"},
        {"2024-02-28T23:59:59.999Z", "1d", 1, "2024-02-29T23:59:59.999Z"},
        {"2024-03-01T00:00:00Z", "90m", -1, "2024-02-29T22:30:00Z"},
        {"2024-03-01T00:00:00Z", "2w", 1, "2024-03-15T00:00:00Z"},
        {"2024-09-30T09:00:00Z", "1wd", 1, "2024-10-08T09:00:00Z"},
        {"2024-10-08T09:00:00Z", "1wd", -1, "2024-09-30T09:00:00Z"},
        {"2024-10-08T09:00:00Z", "25h", 1, "2024-10-09T10:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        instant_t t;
        struct duration d;
        assert_true(instant_parse(slice_of(example[i].from), &t) &&
                    duration_parse(slice_of(example[i].by), &d));
        assert_slice(instant_format_utc(arena, duration_apply(NULL, october(), t, d, example[i].sign)),
                     example[i].to);
    }
    struct duration day = {1, DURATION_DAY};
    assert_true(duration_apply(NULL, NULL, INSTANT_MAX, day, 1) == INSTANT_MAX);
    assert_true(duration_apply(NULL, NULL, INSTANT_NONE, day, -1) == INSTANT_NONE);
}

/* Texts of the right letters in any order: refused, or taken as something whose text comes back. */
static void any_text_is_refused_or_comes_back(void **state)
{
    static const char letters[] = "0123456789012345678920240--::TZWQH.+ dhmwo";
    static const char *const base[] = {"2024-02-29", "2024-W52", "2024Q4", "2024-04-10T01:00:00+08:00",
                                       "5 workdays"};
    uint64_t seed = seed_take();
    int taken = 0;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        const char *from = base[random_between(&seed, 0, 4)];
        size_t n = (size_t)random_between(&seed, 0, (int64_t)strlen(from));
        if (i % 3)
            n = strlen(from);
        char *text = malloc(n ? n : 1); /* of its own, so that a sanitizer sees a read past its end */
        memcpy(text, from, n);
        for (int64_t k = n ? random_between(&seed, 0, 3) : 0; k > 0; k--)
            text[random_between(&seed, 0, (int64_t)n - 1)] =
                letters[random_between(&seed, 0, sizeof letters - 2)];
        struct slice s = {text, n};
        date_t d;
        struct period p, p2;
        instant_t t, t2;
        struct duration by, by2;
        if (date_parse(s, &d))
            assert_true(++taken && slice_eq(date_format(arena, d), s));
        if (period_parse(s, &p)) {
            assert_true(++taken && slice_eq(period_format(arena, p), s));
            assert_true(period_parse(s, &p2) && period_eq(p, p2));
        }
        if (instant_parse(s, &t) && t >= INT64_C(-62135596800000))
            assert_true(++taken && instant_parse(instant_format_utc(arena, t), &t2) && t == t2);
        if (duration_parse(s, &by))
            assert_true(++taken && duration_parse(duration_format(arena, by), &by2) && by.n == by2.n &&
                        by.unit == by2.unit);
        free(text);
        if (i % 1000 == 0)
            arena_reset(arena);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years),
        cmocka_unit_test(dates_as_text),
        cmocka_unit_test(periods_tile_time),
        cmocka_unit_test(periods_as_text),
        cmocka_unit_test(periods_convert),
        cmocka_unit_test(instants_as_text),
        cmocka_unit_test(workdays),
        cmocka_unit_test(durations_as_text),
        cmocka_unit_test(durations_apply),
        cmocka_unit_test(any_text_is_refused_or_comes_back),
    };
    arena = arena_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
