#include "unit.h"

#include "core/value.h"

static struct arena *arena;

static struct value text(const char *z)
{
    return (struct value){.tag = VALUE_TEXT, .text = slice_of(z)};
}

static struct value number(int64_t num, int64_t den)
{
    return (struct value){.tag = VALUE_NUMBER, .number = {num, den}};
}

static struct value duration(int n, enum duration_unit unit)
{
    return (struct value){.tag = VALUE_DURATION, .duration = {n, unit}};
}

static struct value list(size_t n, ...)
{
    struct value *item = ARENA_ARRAY(arena, struct value, n);
    va_list ap;
    va_start(ap, n);
    for (size_t i = 0; i < n; i++)
        item[i] = va_arg(ap, struct value);
    va_end(ap);
    return (struct value){.tag = VALUE_LIST, .list = {item, n}};
}

/* Values in ascending order, every kind of them. */
static size_t ladder(struct value *v)
{
    size_t n = 0;
    v[n++] = (struct value){.tag = VALUE_NA};
    v[n++] = (struct value){.tag = VALUE_YESNO, .yes = false};
    v[n++] = (struct value){.tag = VALUE_YESNO, .yes = true};
    v[n++] = number(-1, 3);
    v[n++] = number(1, 3);
    v[n++] = number(1, 2);
    v[n++] = text("");
    v[n++] = text("a");
    v[n++] = text("ab");
    v[n++] = text("b");
    v[n++] = (struct value){.tag = VALUE_DATE, .date = -1};
    v[n++] = (struct value){.tag = VALUE_DATE, .date = 19000};
    v[n++] = (struct value){.tag = VALUE_INSTANT, .instant = INSTANT_NONE};
    v[n++] = (struct value){.tag = VALUE_INSTANT, .instant = 0};
    v[n++] = (struct value){.tag = VALUE_INSTANT, .instant = INSTANT_MAX};
    v[n++] = duration(90, DURATION_MINUTE);
    v[n++] = duration(120, DURATION_MINUTE);
    v[n++] = duration(2, DURATION_HOUR);
    v[n++] = duration(1, DURATION_DAY);
    v[n++] = duration(1, DURATION_WORKDAY);
    v[n++] = duration(1, DURATION_WEEK);
    v[n++] = duration(1, DURATION_MONTH);
    v[n++] = (struct value){.tag = VALUE_PERIOD, .period = {PERIOD_MONTH, 99999}};
    v[n++] = (struct value){.tag = VALUE_PERIOD, .period = {PERIOD_QUARTER, 8096}};
    v[n++] = (struct value){.tag = VALUE_PERIOD, .period = {PERIOD_QUARTER, 8097}};
    v[n++] = list(0);
    v[n++] = list(1, text("a"));
    v[n++] = list(2, text("a"), text("b"));
    v[n++] = list(1, text("b"));
    v[n++] = (struct value){.tag = VALUE_RECORD, .record = {list(1, text("a")).list.item, NULL, 1}};
    v[n++] = (struct value){.tag = VALUE_RECORD, .record = {list(1, text("b")).list.item, NULL, 1}};
    return n;
}

static void order_is_total(void **state)
{
    struct value v[40];
    size_t n = ladder(v);
    (void)state;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            int c = value_cmp(&v[i], &v[k]);
            if ((c > 0) - (c < 0) != (i > k) - (i < k))
                fail_msg("%zu against %zu: %d", i, k, c);
        }
}

static void copies_share_nothing(void **state)
{
    struct value v[40];
    size_t n = ladder(v);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct value copy = value_copy(arena, &v[i]);
        assert_int_equal(value_cmp(&copy, &v[i]), 0);
    }
    char word[] = "before", name[] = "name";
    struct slice names[] = {slice_of(name)};
    struct value inner = text(word);
    struct value record = {.tag = VALUE_RECORD, .record = {&inner, names, 1}};
    struct value outer = {.tag = VALUE_LIST, .list = {&record, 1}};
    struct value copy = value_copy(arena, &outer);
    memset(word, 'x', 6);
    memset(name, 'x', 4);
    inner = text("gone");
    assert_slice(value_format(arena, &copy, NULL), "[{name: before}]");
}

static void formats(void **state)
{
    instant_t t;
    struct value v;
    (void)state;
    v = (struct value){.tag = VALUE_NA};
    assert_slice(value_format(arena, &v, NULL), "n/a");
    v = (struct value){.tag = VALUE_YESNO, .yes = true};
    assert_slice(value_format(arena, &v, NULL), "yes");
    v = number(7, 2);
    assert_slice(value_format(arena, &v, NULL), "3.5");
    v = (struct value){.tag = VALUE_DATE, .date = date_from_civil(2024, 3, 29)};
    assert_slice(value_format(arena, &v, NULL), "2024-03-29");
    assert_true(instant_parse(S("2024-03-29T01:00:00Z"), &t));
    v = (struct value){.tag = VALUE_INSTANT, .instant = t};
    assert_slice(value_format(arena, &v, NULL), "2024-03-29T01:00:00Z");
    v = duration(5, DURATION_WORKDAY);
    assert_slice(value_format(arena, &v, NULL), "5 workdays");
    v = (struct value){.tag = VALUE_PERIOD, .period = {PERIOD_QUARTER, 2024 * 4}};
    assert_slice(value_format(arena, &v, NULL), "2024Q1");
    v = list(3, text("a"), number(1, 3), list(0));
    assert_slice(value_format(arena, &v, NULL), "[a, 1/3, []]");
}

static void types_as_written(void **state)
{
    static const struct slice words[] = {{"前", 3}, {"后", 3}}, row[] = {{"indicator", 9}};
    static const struct type unit = {.tag = TYPE_UNIT}, sequence = {.tag = TYPE_TEXT};
    static const struct type units = {.tag = TYPE_SET, .of = &unit};
    static const struct field fields[] = {{{"a", 1}, {.tag = TYPE_TEXT}},
                                          {{"b", 1}, {.tag = TYPE_DATE, .optional = true}}};
    static const struct type record = {.tag = TYPE_RECORD, .fields = fields, .nfields = 2};
    const struct {
        struct type type;
        const char *text;
    } example[] = {
        {{.tag = TYPE_YESNO}, "yes-no"},
        {{.tag = TYPE_DATE, .optional = true}, "optional date"},
        {{.tag = TYPE_ENUM, .words = words, .nwords = 2}, "前 | 后"},
        {units, "set of unit"},
        {{.tag = TYPE_LIST, .of = &sequence, .optional = true}, "optional list of text"},
        {{.tag = TYPE_PERIOD}, "period"},
        {{.tag = TYPE_PERIOD, .period_kind = PERIOD_QUARTER}, "quarter"},
        {{.tag = TYPE_ROW, .words = row, .nwords = 1}, "indicator"},
        {{.tag = TYPE_ROW}, "key of a table"},
        {{.tag = TYPE_LIST, .of = &record}, "list of {a: text, b: optional date}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++)
        assert_slice(type_format(arena, &example[i].type), example[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_total),
        cmocka_unit_test(copies_share_nothing),
        cmocka_unit_test(formats),
        cmocka_unit_test(types_as_written),
    };
    arena = arena_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
