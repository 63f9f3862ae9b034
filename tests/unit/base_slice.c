#include "unit.h"

static void order_is_by_bytes_then_length(void **state)
{
    (void)state;
    assert_int_equal(slice_cmp(S("abc"), S("abc")), 0);
    assert_true(slice_cmp(S("ab"), S("abc")) < 0);
    assert_true(slice_cmp(S("b"), S("abc")) > 0);
    assert_true(slice_cmp(S("\xff"), S("a")) > 0); /* bytes are unsigned */
    assert_true(slice_cmp((struct slice){NULL, 0}, S("a")) < 0);
    assert_int_equal(slice_cmp((struct slice){NULL, 0}, S("")), 0);
}

static void utf8_is_checked(void **state)
{
    static const struct {
        struct slice text;
        bool good;
    } example[] = {
        {{"", 0}, true},
        {{"abc\0d", 5}, true},
        {{"督办", 6}, true},
        {{"\xf0\x9f\x98\x80", 4}, true},
        {{"\xf4\x8f\xbf\xbf", 4}, true},  /* U+10FFFF */
        {{"\xf4\x90\x80\x80", 4}, false}, /* past it */
        {{"\xed\xa0\x80", 3}, false},     /* a surrogate */
        {{"\xed\x9f\xbf", 3}, true},
        {{"\xc0\x80", 2}, false}, /* overlong */
        {{"\xc1\xbf", 2}, false},
        {{"\xe0\x9f\xbf", 3}, false},
        {{"\xe0\xa0\x80", 3}, true},
        {{"\xf0\x8f\xbf\xbf", 4}, false},
        {{"\x80", 1}, false},
        {{"\xe7\x9d", 2}, false}, /* cut short */
        {{"\xe7\x9d\x41", 3}, false},
        {{"\xf8\x88\x80\x80\x80", 5}, false},
        {{"\xff", 1}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++)
        if (slice_is_utf8(example[i].text) != example[i].good)
            fail_msg("example %zu", i);
}

static void texts_are_checked_wherever(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++)
        for (size_t at = 0; at < n; at++)
            for (int byte = 0; byte < 256; byte++) {
                char text[40];
                const struct slice all = {text, n};
                memset(text, at % 2 ? '~' : ' ', sizeof text);
                text[at] = (char)byte;
                if (slice_is_utf8(all) != (byte < 0x80))
                    fail_msg("UTF-8: byte %d at %zu of %zu", byte, at, n);
                if (slice_is_printable(all) != (byte >= 0x20 && byte != 0x7f))
                    fail_msg("printable: byte %d at %zu of %zu", byte, at, n);
            }
}

static void printable_has_no_control_bytes(void **state)
{
    (void)state;
    assert_true(slice_is_printable(S("sfh-yhb 督办 ~")));
    assert_true(slice_is_printable(S("")));
    assert_false(slice_is_printable(S("a\tb")));
    assert_false(slice_is_printable(S("a\x7f")));
    assert_false(slice_is_printable((struct slice){"a\0", 2}));
}

static void big_endian_keeps_order(void **state)
{
    static const int64_t ordered[] = {INT64_MIN, -1000000, -1, 0, 1, 255, 256, 1700000000000, INT64_MAX};
    unsigned char a[8], b[8];
    (void)state;
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        put_be64s(a, ordered[i]);
        assert_int_equal(get_be64s(a), ordered[i]);
        if (i > 0) {
            put_be64s(b, ordered[i - 1]);
            assert_true(memcmp(b, a, 8) < 0);
        }
    }
    put_be64(a, UINT64_C(0x0102030405060708));
    assert_memory_equal(a, "\1\2\3\4\5\6\7\10", 8);
    assert_int_equal(get_be64(a), UINT64_C(0x0102030405060708));
}

static void numbers_are_strict(void **state)
{
    static const char *const bad[] = {
        "", " 1", "1 ", "+1", "-1", "1.0", "0x1", "18446744073709551616", "99999999999999999999", "１"};
    static const char *const bad_signed[] = {
        "", "-", "+1", "--1", "9223372036854775808", "-9223372036854775809", "1-"};
    uint64_t u = 0;
    int64_t i = 0;
    (void)state;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_false(parse_u64(slice_of(bad[k]), &u));
    for (size_t k = 0; k < sizeof bad_signed / sizeof *bad_signed; k++)
        assert_false(parse_i64(slice_of(bad_signed[k]), &i));
    assert_true(parse_u64(S("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(parse_u64(S("007"), &u) && u == 7);
    assert_true(parse_i64(S("9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(parse_i64(S("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(parse_i64(S("-0"), &i) && i == 0);
}

static void arena_is_zeroed_and_reused(void **state)
{
    uint64_t seed = seed_take();
    struct arena *a = arena_new();
    (void)state;
    assert_non_null(arena_alloc(a, 0));
    for (int round = 0; round < 3; round++) {
        size_t asked = 0;
        for (int i = 0; i < 2000; i++) {
            size_t n = (size_t)random_between(&seed, 0, i % 100 ? 300 : 200000);
            unsigned char *p = arena_alloc(a, n);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t k = 0; k < n; k++)
                if (p[k] != 0)
                    fail_msg("byte %zu of %zu is not zero", k, n);
            memset(p, 0xa5, n);
            asked += n;
        }
        assert_true(arena_used(a) >= asked);
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_free(a);
    arena_free(NULL);
}

static void arena_texts(void **state)
{
    char longer[1000];
    struct arena *a = arena_new();
    (void)state;
    struct slice s = arena_dup(a, S("督办"));
    assert_int_equal(s.p[s.n], '\0');
    assert_slice(s, "督办");
    assert_slice(arena_dup(a, (struct slice){NULL, 0}), "");
    assert_slice(arena_printf(a, "%s-%03d", "i", 7), "i-007");
    memset(longer, 'x', sizeof longer);
    s = arena_printf(a, "%.*s!", (int)sizeof longer, longer);
    assert_int_equal(s.n, sizeof longer + 1);
    assert_int_equal(s.p[s.n - 1], '!');
    arena_free(a);
}

static void parts_are_joined(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    const struct slice part[] = {S("a"), {NULL, 0}, S("bc")};
    struct slice all = arena_join(a, part, 3);
    assert_int_equal(all.n, 3);
    assert_string_equal(all.p, "abc");
    assert_string_equal(arena_join(a, part, 0).p, "");
    arena_free(a);
}

static void pushing_keeps_what_was_there(void **state)
{
    struct arena *a = arena_new();
    int *items = NULL;
    size_t n = 0, cap = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int *slot = arena_push(a, &items, &n, &cap, sizeof *items);
        assert_int_equal(*slot, 0);
        *slot = i;
    }
    assert_int_equal(n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);

    struct wide {
        char byte[3000];
    } *wide = NULL;
    n = cap = 0;
    for (int i = 0; i < 9; i++) {
        struct wide *slot = arena_push(a, &wide, &n, &cap, sizeof *wide);
        assert_int_equal(slot->byte[2999], 0);
        memset(slot, i + 1, sizeof *slot);
        n -= i % 2 != 0; /* a slot that is taken again is zero, too */
    }
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(wide[i].byte[2999], i == 4 ? 9 : 2 * i + 1);
    arena_free(a);
}

static void buffers_grow(void **state)
{
    struct buf b = {0};
    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i);
    buf_byte(&b, '\0');
    buf_add(&b, S("end"));
    buf_add(&b, (struct slice){NULL, 0});
    assert_int_equal(b.n, 10 * 2 + 90 * 3 + 900 * 4 + 4);
    assert_memory_equal(b.p, "0,1,2,", 6);
    assert_memory_equal(b.p + b.n - 4, "\0end", 4);
    buf_clear(&b);
    assert_int_equal(buf_slice(&b).n, 0);
    buf_free(&b);
    assert_null(b.p);
}

static void errors_are_cut_at_characters(void **state)
{
    struct err e;
    char text[1100];
    (void)state;
    assert_false(err_set(NULL, "dropped"));
    assert_false(err_set(&e, "line %d", 3));
    assert_string_equal(e.text, "line 3");
    for (size_t lead = 0; lead < 3; lead++) {
        memset(text, 'x', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "督", 4);
        err_set(&e, "%s", text);
        assert_true(strlen(e.text) > 1018);
        assert_true(slice_is_utf8(slice_of(e.text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_bytes_then_length),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(texts_are_checked_wherever),
        cmocka_unit_test(printable_has_no_control_bytes),
        cmocka_unit_test(big_endian_keeps_order),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(arena_is_zeroed_and_reused),
        cmocka_unit_test(arena_texts),
        cmocka_unit_test(parts_are_joined),
        cmocka_unit_test(pushing_keeps_what_was_there),
        cmocka_unit_test(buffers_grow),
        cmocka_unit_test(errors_are_cut_at_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
