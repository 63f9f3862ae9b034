/* What an author most likely meant. */
#include "lang/meant.h"
#include "unit.h"

static struct arena *arena;

static void is_meant(unsigned sorts, const char *said, const char *meant)
{
    struct slice got = meant_by(arena, sorts, slice_of(said));
    if (!slice_eq(got, slice_of(meant)))
        fail_msg("%s: “%.*s”, wanted “%s”", said, SLICE_ARG(got), meant);
}

struct case_of {
    const char *said, *meant;
};

static void are_meant(unsigned sorts, const struct case_of *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        is_meant(sorts, v[i].said, v[i].meant);
}
#define ARE_MEANT(sorts, v) are_meant(sorts, v, sizeof v / sizeof *v)

static void dates(void **state)
{
    static const struct case_of v[] = {
        {"2024-3-5", "2024-03-05"},
        {"2024/03/05", "2024-03-05"},
        {"2024/3/5", "2024-03-05"},
        {"2024.3.5", "2024-03-05"},
        {"20240305", "2024-03-05"},
        {"2024年3月5日", "2024-03-05"},
        {"2024年 3月 5日", "2024-03-05"},
        {"2024年3月5号", "2024-03-05"},
        {"二〇二四年三月五日", "2024-03-05"},
        {"２０２４-０３-０５", "2024-03-05"},
        {"2024－03－05", "2024-03-05"},
        {"2024/2/30", ""},
        {"2024-03-05", ""},
        {"5/3/2024", ""},
        {"tomorrow", ""},
        {"", ""},
        {"2024-3", ""},
        {"202403051", ""},
    };
    (void)state;
    ARE_MEANT(MEANT_DATE, v);
}

static void periods(void **state)
{
    static const struct case_of v[] = {
        {"2024-3", "2024-03"},
        {"2024/03", "2024-03"},
        {"2024年3月", "2024-03"},
        {"2024年3月份", "2024-03"},
        {"2024年一季度", "2024Q1"},
        {"2024年第一季度", "2024Q1"},
        {"2024-Q1", "2024Q1"},
        {"2024q1", "2024Q1"},
        {"2024年上半年", "2024H1"},
        {"2024年下半年", "2024H2"},
        {"2024年", "2024"},
        {"2024年度", "2024"},
        {"2024年第7周", "2024-W07"},
        {"2024/3/5", "2024-03-05"},
        {"2024-13", ""},
        {"2024-03", ""},
        {"2024年五季度", ""},
    };
    (void)state;
    ARE_MEANT(MEANT_PERIOD, v);
}

static void durations(void **state)
{
    static const struct case_of v[] = {
        {"30天", "30d"},
        {"30日", "30d"},
        {"30 days", "30d"},
        {"３０d", "30d"},
        {"三十天", "30d"},
        {"十天内", "10d"},
        {"10个工作日", "10 workdays"},
        {"10 个工作日以内", "10 workdays"},
        {"5 working days", "5 workdays"},
        {"2 小时", "2h"},
        {"2个小时", "2h"},
        {"15分钟", "15m"},
        {"2周", "2w"},
        {"两周", ""},
        {"1个月", "1mo"},
        {"1 month", "1mo"},
        {"30 d", "30d"},
        {"30d", ""},
        {"5 workdays", ""},
        {"soon", ""},
        {"999999天", ""},
    };
    (void)state;
    ARE_MEANT(MEANT_DURATION, v);
}

static void numbers_and_answers(void **state)
{
    static const struct case_of number[] = {{"２５％", "25%"}, {"1,000", "1000"}, {"１．５", "1.5"},
                                            {"三", "3"},       {"25%", ""},       {"many", ""}};
    static const struct case_of answer[] = {{"true", "yes"}, {"True", "yes"}, {"on", "yes"},   {"y", "yes"},
                                            {"YES", "yes"},  {"是", "yes"},   {"false", "no"}, {"off", "no"},
                                            {"N", "no"},     {"否", "no"},    {"No", "no"},    {"yes", ""},
                                            {"no", ""},      {"maybe", ""}};
    (void)state;
    ARE_MEANT(MEANT_NUMBER, number);
    ARE_MEANT(MEANT_YESNO, answer);
}

static void due_rules_and_kinds(void **state)
{
    static const struct case_of due[] = {
        {"24日", "day 24"},
        {"24号", "day 24"},
        {"24", "day 24"},
        {"每月24日前", "day 24"},
        {"二十四日", "day 24"},
        {"day ２４", "day 24"},
        {"24th", "day 24"},
        {"the 24th", "day 24"},
        {"Day 24", "day 24"},
        {"月底前", "last day"},
        {"每月最后一日", "last day"},
        {"季末", "last day"},
        {"次月10日", "day 10 of next month"},
        {"第一周", "first week"},
        {"最后一周", "last week"},
        {"第二个工作日", "workday 2"},
        {"最后一个工作日", "last workday"},
        {"星期五", "周五"},
        {"每周星期五", "周五"},
        {"friday", "Friday"},
        {"不定期", "none"},
        {"day 24", ""},
        {"last day", ""},
        {"周五", ""},
        {"none", ""},
        {"by and by", ""},
    };
    static const struct case_of kind[] = {{"每月", "month"}, {"monthly", "month"}, {"季度", "quarter"},
                                          {"半年", "half"},  {"周", "week"},       {"month", ""}};
    (void)state;
    ARE_MEANT(MEANT_DUE, due);
    ARE_MEANT(MEANT_KIND, kind);
}

static void the_first_sort_that_fits(void **state)
{
    (void)state;
    is_meant(MEANT_DATE | MEANT_DURATION | MEANT_NUMBER, "30天", "30d");
    is_meant(MEANT_DATE | MEANT_DURATION | MEANT_NUMBER, "2024/3/5", "2024-03-05");
    assert_string_equal(meant_hint(arena, MEANT_DATE, S("2024/3/5"), "a date"), "did you mean “2024-03-05”?");
    assert_string_equal(meant_hint(arena, MEANT_DATE, S("soon"), "a date"), "a date");
}

static void characters(void **state)
{
    (void)state;
    assert_true(slice_eq(half_width(arena, S("ａ１％：（）　督\xff")), S("a1%:() 督\xff")));
    assert_true(char_is_foreign_blank(0x3000) && char_is_foreign_blank(0xa0) &&
                char_is_foreign_blank(0x2009));
    assert_false(char_is_foreign_blank(' ') || char_is_foreign_blank(0x4e00) ||
                 char_is_foreign_blank(0x200b));
    assert_true(char_is_invisible(0x200b) && char_is_invisible(0xfeff) && char_is_invisible(0x202e) &&
                char_is_invisible(0x85));
    assert_false(char_is_invisible(0x3000) || char_is_invisible('a') || char_is_invisible(0x300c));
}

static int begin(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(periods),
        cmocka_unit_test(durations),
        cmocka_unit_test(numbers_and_answers),
        cmocka_unit_test(due_rules_and_kinds),
        cmocka_unit_test(the_first_sort_that_fits),
        cmocka_unit_test(characters),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
