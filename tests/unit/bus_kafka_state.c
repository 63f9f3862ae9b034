/* What a changelog record says: an entry of a table, or that it is deleted. */
#include "bus/bus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_state(void **state)
{
    static const char key[] = {TABLE_NUMBER, 'k'};
    static const struct {
        struct slice value;
        bool deleted;
    } rows[] = {{{"v", 1}, false}, {{"\0", 1}, false}, {{NULL, 0}, true}, {{"", 0}, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct record r = {.topic = TOPIC_CHANGELOG, .key = {key, sizeof key}, .value = rows[i].value};
        enum table_id table;
        struct slice rest, value;
        assert_true(bus_kafka_state(&r, &table, &rest, &value));
        assert_int_equal(table, TABLE_NUMBER);
        assert_true(slice_eq(rest, S("k")));
        assert_int_equal(value.p == NULL, rows[i].deleted);
        assert_true(slice_eq(value, rows[i].value));
    }
}

static void test_others(void **state)
{
    static const char marker[] = {(char)0xff}, derived[] = {TABLE_LAST_STATE + 1, 'k'};
    static const struct slice keys[] = {{marker, 1}, {derived, 2}, {"", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct record r = {.topic = TOPIC_CHANGELOG, .key = keys[i], .value = S("v")};
        enum table_id table;
        struct slice key, value;
        assert_false(bus_kafka_state(&r, &table, &key, &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_state), cmocka_unit_test(test_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
