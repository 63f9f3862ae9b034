/* Keys: their byte order is the order of what they hold, and what was put together comes apart again. */
#include "engine/keys.h"

#include "unit.h"

static void timers_order_by_due_then_key(void **state)
{
    (void)state;
    const struct slice one[] = {S("a"), S("b")}, longer[] = {S("a"), S("bb")}, empty[] = {S("a"), S("")};
    struct key early, late, next, first, below;

    key_timer(&below, S("w"), -5, S("m"), one, 2, S("t"), 0);
    key_timer(&early, S("w"), 5, S("m"), one, 2, S("t"), 0);
    key_timer(&late, S("w"), 300, S("m"), one, 2, S("t"), 0);
    key_timer(&next, S("w"), 5, S("m"), longer, 2, S("t"), 0);
    key_timer(&first, S("w"), 5, S("m"), empty, 2, S("t"), 0);
    assert_true(slice_cmp(key_slice(&below), key_slice(&first)) < 0);
    assert_true(slice_cmp(key_slice(&first), key_slice(&early)) < 0);
    assert_true(slice_cmp(key_slice(&early), key_slice(&next)) < 0);
    assert_true(slice_cmp(key_slice(&next), key_slice(&late)) < 0);
    key_timers_from(&first, S("w"), 5);
    assert_true(slice_cmp(key_slice(&below), key_slice(&first)) < 0 &&
                slice_cmp(key_slice(&first), key_slice(&early)) < 0);
}

static void keys_come_apart(void **state)
{
    (void)state;
    const struct slice part[] = {S("月报"), S("2024-03"), S("u-01"), S("")};
    struct timer_key timer;
    struct instance_key instance;
    struct key k, i;

    key_timer(&k, S("w"), 1711700000123, S("report"), part, 4, S("remind"), 7);
    key_instance(&i, S("w"), S("report"), part, 4);
    assert_true(key_timer_parse(key_slice(&k), &timer));
    assert_slice(timer.workflow, "w");
    assert_slice(timer.timer, "remind");
    assert_int_equal(timer.n, 7);
    assert_int_equal(timer.due, 1711700000123);
    struct key back;
    key_workflow(&back, timer.workflow);
    key_bytes(&back, timer.instance);
    assert_true(slice_eq(key_slice(&back), key_slice(&i)));

    assert_true(key_instance_parse(key_slice(&i), &instance));
    assert_slice(instance.machine, "report");
    assert_int_equal(instance.nparts, 4);
    assert_slice(instance.part[0], "月报");
    assert_slice(instance.part[3], "");
}

static void foreign_bytes_are_no_keys(void **state)
{
    (void)state;
    struct timer_key timer;
    struct instance_key instance;
    struct slice workflow, rest;
    uint64_t sequence;
    int32_t month;
    uint64_t seed = seed_take();

    assert_false(key_timer_parse(S(""), &timer));
    assert_false(key_timer_parse(S("w\0 12345678"), &timer));
    assert_false(key_instance_parse(S("w"), &instance));
    assert_false(key_instance_parse(S("w\0m\0a\0b\0c\0d\0e\0"), &instance));
    assert_false(key_sequence_parse(S("w\0 1234567"), &workflow, &sequence, &rest) && sequence == 0);
    assert_false(key_seen_parse(S("1234"), &month, &workflow));
    for (int round = 0; round < 20000; round++) {
        char byte[64];
        size_t n = (size_t)random_between(&seed, 0, sizeof byte);

        for (size_t b = 0; b < n; b++)
            byte[b] = random_next(&seed) % 3 == 0 ? 0 : (char)random_next(&seed);
        char *exact = mem_alloc(n + 1); /* so that a sanitizer sees a step too far */
        memcpy(exact, byte, n);
        struct slice s = {exact, n};
        key_timer_parse(s, &timer);
        key_instance_parse(s, &instance);
        key_seen_parse(s, &month, &workflow);
        free(exact);
    }
}

static void too_long_is_said(void **state)
{
    (void)state;
    char name[KEY_MAX + 1];
    struct key k;

    memset(name, 'x', sizeof name);
    key_workflow(&k, (struct slice){name, KEY_MAX - 1});
    assert_false(k.overflow);
    key_workflow(&k, (struct slice){name, KEY_MAX});
    assert_true(k.overflow);
}

/* The longest names with the longest parts still make a key. */
static void the_budget_fits(void **state)
{
    (void)state;
    char text[KEY_BYTES_MAX];
    struct slice part[KEY_PARTS_MAX];
    struct key k;

    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < KEY_PARTS_MAX; i++)
        part[i] = (struct slice){text, KEY_BYTES_MAX / KEY_PARTS_MAX};
    key_timer(&k, (struct slice){text, 30}, 0, (struct slice){text, 30}, part, KEY_PARTS_MAX,
              (struct slice){text, KEY_NAMES_MAX - 60}, 0);
    assert_false(k.overflow);
    assert_int_equal(k.n, KEY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_order_by_due_then_key),
        cmocka_unit_test(keys_come_apart),
        cmocka_unit_test(foreign_bytes_are_no_keys),
        cmocka_unit_test(too_long_is_said),
        cmocka_unit_test(the_budget_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
