#include "unit.h"

#include "base/rat.h"

__extension__ typedef __int128 wide;

static wide gcd(wide a, wide b)
{
    a = a < 0 ? -a : a;
    while (b) {
        wide r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* What the result must be, from 128-bit arithmetic on the definition. */
static void expect(enum rat_status status, struct rat got, wide num, wide den)
{
    if (den < 0) {
        num = -num;
        den = -den;
    }
    wide g = gcd(num, den);
    num /= g;
    den /= g;
    bool fits = num >= -INT64_MAX && num <= INT64_MAX && den <= INT64_MAX;
    assert_int_equal(status, fits ? RAT_OK : RAT_OVERFLOW);
    if (fits && (got.num != (int64_t)num || got.den != (int64_t)den))
        fail_msg("got %lld/%lld, wanted %lld/%lld", (long long)got.num, (long long)got.den, (long long)num,
                 (long long)den);
}

/* Reduced, of any magnitude up to the largest. */
static struct rat random_rat(uint64_t *seed)
{
    int64_t bound = INT64_MAX >> random_between(seed, 0, 62);
    int64_t num = random_between(seed, -bound, bound), den = random_between(seed, 1, bound);
    if (random_between(seed, 0, 3) == 0)
        num = -INT64_MAX;
    int64_t g = (int64_t)gcd(num, den);
    return (struct rat){num / g, den / g};
}

static void arithmetic_is_exact(void **state)
{
    uint64_t seed = seed_take();
    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct rat a = random_rat(&seed), b = random_rat(&seed), r = {0, 1};
        enum rat_status s = rat_add(a, b, &r);
        expect(s, r, (wide)a.num * b.den + (wide)b.num * a.den, (wide)a.den * b.den);
        s = rat_sub(a, b, &r);
        expect(s, r, (wide)a.num * b.den - (wide)b.num * a.den, (wide)a.den * b.den);
        s = rat_mul(a, b, &r);
        expect(s, r, (wide)a.num * b.num, (wide)a.den * b.den);
        s = rat_div(a, b, &r);
        if (b.num == 0)
            assert_int_equal(s, RAT_DIV_ZERO);
        else
            expect(s, r, (wide)a.num * b.den, (wide)a.den * b.num);
        wide left = (wide)a.num * b.den, right = (wide)b.num * a.den;
        assert_int_equal(rat_cmp(a, b), (left > right) - (left < right));
        wide floor = rat_floor(a), ceil = rat_ceil(a);
        assert_true(floor * a.den <= a.num && (floor + 1) * a.den > a.num);
        assert_true(ceil * a.den >= a.num && (ceil - 1) * a.den < a.num);
    }
}

static void rounding_is_half_away_from_zero(void **state)
{
    static const struct {
        const char *in;
        int places;
        const char *out, *padded;
    } example[] = {
        {"2.5", 0, "3", "3"},
        {"-2.5", 0, "-3", "-3"},
        {"2.4", 0, "2", "2"},
        {"1/3", 2, "0.33", "0.33"},
        {"2/3", 2, "0.67", "0.67"},
        {"-2/3", 2, "-0.67", "-0.67"},
        {"0.005", 2, "0.01", "0.01"},
        {"0.0049", 2, "0", "0.00"},
        {"-0.0049", 2, "0", "0.00"},
        {"35", 2, "35", "35.00"},
        {"-1.5", 1, "-1.5", "-1.5"},
        {"1/8", 9, "0.125", "0.125000000"},
        {"26.665", 2, "26.67", "26.67"},
    };
    struct arena *a = arena_new();
    struct rat r, rounded;
    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        assert_true(rat_parse(slice_of(example[i].in), &r));
        assert_int_equal(rat_round(r, example[i].places, &rounded), RAT_OK);
        assert_slice(rat_format(a, rounded), example[i].out);
        assert_slice(rat_format_places(a, r, example[i].places), example[i].padded);
    }
    assert_slice(rat_format_places(a, rat_int(INT64_MAX), 9), "9223372036854775807.000000000");
    arena_free(a);
}

static void text_is_strict(void **state)
{
    static const struct {
        const char *in;
        int64_t num, den;
    } good[] = {
        {"12", 12, 1},
        {"-3.50", -7, 2},
        {"70%", 7, 10},
        {"1/3", 1, 3},
        {"2/4", 1, 2},
        {"0", 0, 1},
        {"-0", 0, 1},
        {"0.000", 0, 1},
        {"007", 7, 1},
        {"-1/3", -1, 3},
        {"0.5%", 1, 200},
        {"12.50%", 1, 8},
        {"1.0000000000000000000000000000000000000000000000", 1, 1},
        {"9223372036854775807", INT64_MAX, 1},
        {"-9223372036854775807", -INT64_MAX, 1},
        {"922337203685477580700%", INT64_MAX, 1},
        {"1/9223372036854775807", 1, INT64_MAX},
        {"0.000000000000000001", 1, 1000000000000000000},
    };
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        ".5",
        "5.",
        "1.2.3",
        "1/0",
        "1/",
        "/3",
        "1/-3",
        "1/3%",
        "1/3/4",
        "%",
        "1%%",
        "1e3",
        "0x10",
        "9223372036854775808",
        "1/9223372036854775808",
        "0.0000000000000000001",
        "1,000",
        "１",
        "--1",
        "1.-5",
        "1000000000000000000000000000000000000000000000000000000",
        "0.1000000000000000000000000000000000000000000000000000001",
    };
    struct rat r;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!rat_parse(slice_of(good[i].in), &r) || r.num != good[i].num || r.den != good[i].den)
            fail_msg("%s", good[i].in);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rat_parse(slice_of(bad[i]), &r))
            fail_msg("%s was taken as %lld/%lld", bad[i], (long long)r.num, (long long)r.den);
}

static void text_comes_back(void **state)
{
    uint64_t seed = seed_take();
    struct arena *a = arena_new();
    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct rat r = random_rat(&seed), back;
        if (i % 2) { /* terminating decimals */
            rat_round((struct rat){r.num % 1000000000, r.den % 1000 + 1}, (int)random_between(&seed, 0, 9),
                      &r);
        }
        struct slice text = rat_format(a, r);
        if (!rat_parse(text, &back) || back.num != r.num || back.den != r.den)
            fail_msg("%s came back as %lld/%lld", text.p, (long long)back.num, (long long)back.den);
        arena_reset(a);
    }
    struct rat r;
    assert_true(rat_parse(S("26.67"), &r));
    assert_slice(rat_format(a, r), "26.67");
    assert_slice(rat_format(a, (struct rat){1, 3}), "1/3");
    assert_slice(rat_format(a, (struct rat){-1, 8}), "-0.125");
    assert_slice(rat_format(a, (struct rat){1, INT64_C(1) << 18}), "0.000003814697265625");
    assert_slice(rat_format(a, (struct rat){1, INT64_C(1) << 19}), "1/524288"); /* 19 digits */
    arena_free(a);
}

static void written_numbers_say_that_they_are_rough(void **state)
{
    static const struct {
        const char *text;
        int64_t num, den;
        bool rough;
    } right[] = {{"313", 313, 1, false}, {"近800", 800, 1, true},    {"约2.5", 5, 2, true},
                 {"1500余", 1500, 1, true}, {"300多", 300, 1, true},   {"近300余", 300, 1, true},
                 {"约26%", 13, 50, true},  {"-1/3", -1, 3, false}};
    static const char *const wrong[] = {"", "近", "余", "近百", "近近800", "1500余余", "余1500", "800近", "1,500", "１５００", "1500 余"};
    struct rat r;
    bool rough;
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_true(rat_parse_written(slice_of(right[i].text), &r, &rough));
        assert_true(r.num == right[i].num && r.den == right[i].den && rough == right[i].rough);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(rat_parse_written(slice_of(wrong[i]), &r, &rough));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_is_exact),
        cmocka_unit_test(rounding_is_half_away_from_zero),
        cmocka_unit_test(text_is_strict),
        cmocka_unit_test(text_comes_back),
        cmocka_unit_test(written_numbers_say_that_they_are_rough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
