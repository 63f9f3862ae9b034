/* dubanctl's pure parts: times, tables, files of events. */
#include "unit_arena.h"

#include "ctl/event_file.h"
#include "ctl/table.h"
#include "ctl/when.h"

/* ---- times */

static const struct tz *shanghai(void)
{
    char bytes[4096];
    FILE *f = fopen("/usr/share/zoneinfo/Asia/Shanghai", "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct err e;
    const struct tz *tz = tz_parse(arena, arena_dup(arena, (struct slice){bytes, n}), &e);
    assert_non_null(tz);
    return tz;
}

static void test_when(void **state)
{
    static const struct {
        const char *text, *utc; /* NULL: no time */
    } cases[] = {
        {"2024-04-10", "2024-04-09T16:00:00Z"},
        {"2024-04-10 09:00", "2024-04-10T01:00:00Z"},
        {"2024-04-10 09:00:30", "2024-04-10T01:00:30Z"},
        {"2024-04-10 24:00", "2024-04-10T16:00:00Z"},
        {"2024-04-10T09:00:00+08:00", "2024-04-10T01:00:00Z"},
        {"2024-04-10 24:01", NULL},
        {"2024-04-10 9:00", NULL},
        {"2024-04-10 09:60", NULL},
        {"2024-04-10 09:00 ", NULL},
        {"2024-04-10 -1:00", NULL},
        {"2024-04-10T09:00", NULL},
        {"2024-02-30", NULL},
        {"2024-04-10 09", NULL},
        {"", NULL},
    };
    (void)state;
    const struct tz *tz = shanghai();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        instant_t t;
        bool ok = when_parse(slice_of(cases[i].text), tz, &t);
        if (ok != (cases[i].utc != NULL))
            fail_msg("'%s': %s", cases[i].text, ok ? "taken" : "refused");
        if (ok)
            assert_slice(instant_format_utc(arena, t), cases[i].utc);
    }
}

/* ---- tables */

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(text_width(S("")), 0);
    assert_int_equal(text_width(S("abc")), 3);
    assert_int_equal(text_width(S("黄牌")), 4);
    assert_int_equal(text_width(S("五（三）")), 8);
    assert_int_equal(text_width(S("é")), 1);
}

static void test_table(void **state)
{
    static const char *const header[] = {"unit", "state", "basis"};
    char *text = NULL;
    size_t n = 0;
    struct table_text t;
    (void)state;
    table_text_start(&t, arena, header, 3);
    table_text_cell(&t, S("专班一"));
    table_text_cell(&t, S("黄牌"));
    table_text_cell(&t, S("五（三）"));
    table_text_cell(&t, S("u-1"));
    table_text_cell(&t, S(""));
    table_text_cell(&t, S("x"));
    FILE *f = open_memstream(&text, &n);
    table_text_print(&t, f);
    fclose(f);
    assert_string_equal(text, "unit    state  basis\n"
                              "专班一  黄牌   五（三）\n"
                              "u-1            x\n");
    free(text);
}

/* ---- files of events */

static size_t split(const char *text, struct file_event **out, struct err *e)
{
    size_t n;
    return event_file_split(slice_of(text), arena, out, &n, e) ? n : SIZE_MAX;
}

static void test_split_forms(void **state)
{
    struct file_event *f;
    struct err e;
    (void)state;
    assert_int_equal(split("{\"a\":1}\n{\"b\":\"}\"}\n", &f, &e), 2);
    assert_slice(f[0].text, "{\"a\":1}");
    assert_slice(f[1].text, "{\"b\":\"}\"}");
    assert_int_equal(f[1].line, 2);
    assert_int_equal(split("[{\"a\":[1,{\"x\":2}]},\n {\"b\":\"\\\"]\"}]\n", &f, &e), 2);
    assert_slice(f[1].text, "{\"b\":\"\\\"]\"}");
    assert_int_equal(f[1].line, 2);
    assert_int_equal(split("\xef\xbb\xbf\n{\n \"a\": 26.67\n}\n", &f, &e), 1);
    assert_slice(f[0].text, "{\n \"a\": 26.67\n}"); /* byte for byte */
    assert_int_equal(f[0].line, 2);
    assert_int_equal(split("", &f, &e), 0);
    assert_int_equal(split("[]", &f, &e), 0);
}

static void test_split_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{\"a\":1}\nnonsense\n", "line 2: expected an event"},
        {"\n{\"a\":1", "line 2: an object that begins here does not end"},
        {"{\"a\":\"\n\"}", "line 1: an object that begins here does not end"},
        {"[{}", "line 1: expected , or ]"},
        {"[{},]", "line 1: expected an event after the comma"},
        {"[{}] {}", "line 1: something follows the array"},
        {"[{} {}]", "line 1: expected , or ]"},
        {"[", "line 1: the array does not end"},
        {"[1]", "line 1: expected an event"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct file_event *f;
        struct err e;
        if (split(cases[i].text, &f, &e) != SIZE_MAX)
            fail_msg("taken: %s", cases[i].text);
        if (!strstr(e.text, cases[i].why))
            fail_msg("%s: said '%s'", cases[i].text, e.text);
    }
}

/* Whatever the bytes are, every object that comes out lies within them and is one that was there. */
static void test_split_random(void **state)
{
    static const char alphabet[] = "{}[]\",\\ \n:a1";
    uint64_t seed = seed_take();
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[24];
        size_t n = (size_t)random_between(&seed, 0, sizeof text), count;
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[random_between(&seed, 0, sizeof alphabet - 2)];
        struct file_event *f;
        struct err e;
        if (!event_file_split((struct slice){text, n}, arena, &f, &count, &e))
            continue;
        for (size_t i = 0; i < count; i++) {
            assert_true(f[i].text.p >= text && f[i].text.p + f[i].text.n <= text + n);
            assert_true(f[i].text.n >= 2 && f[i].text.p[0] == '{');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when),        cmocka_unit_test(test_width),         cmocka_unit_test(test_table),
        cmocka_unit_test(test_split_forms), cmocka_unit_test(test_split_refused), cmocka_unit_test(test_split_random),
    };
    return cmocka_run_group_tests_name("ctl_text", tests, setup, teardown);
}
