#include "unit.h"

#include "base/civil.h"

static struct arena *arena;

static struct slice zone_bytes(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    char *p = arena_alloc(arena, 65536);
    size_t n = fread(p, 1, 65536, f);
    fclose(f);
    return (struct slice){p, n};
}

static struct tz *zone(const char *name)
{
    struct err e = {""};
    struct tz *tz = tz_parse(arena, zone_bytes(name), &e);
    if (!tz)
        fail_msg("%s: %s", name, e.text);
    return tz;
}

static void glibc_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static int64_t seconds(const char *text)
{
    instant_t t;
    if (!instant_parse(slice_of(text), &t))
        fail_msg("%s", text);
    return t / 1000;
}

static const char *const zones[] = {
    "Asia/Shanghai",     "America/New_York", "Australia/Lord_Howe", "Europe/Dublin",    "America/Nuuk",
    "Africa/Casablanca", "Asia/Gaza",        "Pacific/Apia",        "Asia/Kolkata",     "Asia/Pyongyang",
    "America/Sao_Paulo", "Antarctica/Troll", "Pacific/Chatham",     "America/St_Johns", "Etc/UTC",
    "Africa/Cairo",      "Asia/Tehran",      "Europe/London",
};
#define NZONES (sizeof zones / sizeof *zones)

/* Against the C library, from 1902 to the year 2600: most of it is the footer's rule. */
static void offsets_agree_with_glibc(void **state)
{
    uint64_t seed = seed_take();
    int64_t least = seconds("1902-01-01T00:00:00Z"), most = seconds("2600-01-01T00:00:00Z");
    (void)state;
    for (size_t z = 0; z < NZONES; z++) {
        struct tz *tz = zone(zones[z]);
        glibc_zone(zones[z]);
        for (int i = 0; i < 20000; i++) {
            int64_t s = random_between(&seed, least, most), ms;
            int year, month, day;
            time_t t = (time_t)s;
            struct tm tm;
            localtime_r(&t, &tm);
            date_to_civil(tz_date(tz, s * 1000 + 999, &ms), &year, &month, &day);
            if (tz_offset(tz, s * 1000) != tm.tm_gmtoff || year != tm.tm_year + 1900 ||
                month != tm.tm_mon + 1 || day != tm.tm_mday ||
                ms != (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * 1000 + 999)
                fail_msg("%s at %lld: %d, glibc says %ld", zones[z], (long long)s, tz_offset(tz, s * 1000),
                         tm.tm_gmtoff);
        }
    }
}

/* Every second at which the offset changes, found by bisection on glibc. */
static void changes_fall_on_the_same_second(void **state)
{
    int changes = 0;
    (void)state;
    for (size_t z = 0; z < NZONES; z++) {
        struct tz *tz = zone(zones[z]);
        glibc_zone(zones[z]);
        for (int64_t s = seconds("2030-01-01T00:00:00Z"); s < seconds("2060-01-01T00:00:00Z");
             s += 7 * 86400) {
            int64_t low = s, high = s + 7 * 86400;
            struct tm tm;
            time_t t = (time_t)low;
            localtime_r(&t, &tm);
            long before = tm.tm_gmtoff;
            t = (time_t)high;
            localtime_r(&t, &tm);
            if (tm.tm_gmtoff == before)
                continue;
            while (high - low > 1) {
                t = (time_t)(low + (high - low) / 2);
                localtime_r(&t, &tm);
                if (tm.tm_gmtoff == before)
                    low = (int64_t)t;
                else
                    high = (int64_t)t;
            }
            changes++;
            assert_int_equal(tz_offset(tz, high * 1000 - 1), before);
            assert_int_not_equal(tz_offset(tz, high * 1000), before);
        }
    }
    assert_true(changes > 300);
}

/* Wall time to instant: gives itself back, and is the first that does. */
static void wall_time_comes_back(void **state)
{
    uint64_t seed = seed_take();
    (void)state;
    for (size_t z = 0; z < NZONES; z++) {
        struct tz *tz = zone(zones[z]);
        for (int i = 0; i < 5000; i++) {
            instant_t t =
                random_between(&seed, seconds("1950-01-01T00:00:00Z"), seconds("2200-01-01T00:00:00Z")) *
                1000;
            int64_t ms, again_ms;
            date_t d = tz_date(tz, t, &ms);
            instant_t back = tz_instant(tz, d, ms);
            if (back > t || tz_date(tz, back, &again_ms) != d || again_ms != ms)
                fail_msg("%s: %lld came back as %lld", zones[z], (long long)t, (long long)back);
        }
    }
}

static void gaps_and_overlaps(void **state)
{
    static const struct {
        const char *zone, *date;
        int hour, minute;
        const char *utc;
    } example[] = {
        {"America/New_York", "2024-03-10", 1, 59, "2024-03-10T06:59:00Z"},
        {"America/New_York", "2024-03-10", 2, 30, "2024-03-10T07:30:00Z"}, /* in the gap: 03:30 EDT */
        {"America/New_York", "2024-03-10", 3, 0, "2024-03-10T07:00:00Z"},
        {"America/New_York", "2024-11-03", 1, 30, "2024-11-03T05:30:00Z"}, /* twice: the first, EDT */
        {"America/New_York", "2024-11-03", 2, 0, "2024-11-03T07:00:00Z"},
        {"America/New_York", "2090-03-12", 2, 30, "2090-03-12T07:30:00Z"}, /* by the footer's rule */
        {"America/New_York", "2090-11-05", 1, 30, "2090-11-05T05:30:00Z"},
        {"Australia/Lord_Howe", "2024-10-06", 2, 15,
         "2024-10-05T15:45:00Z"}, /* a gap of half an hour: 02:45 +11 */
        {"Australia/Lord_Howe", "2024-04-07", 1, 45, "2024-04-06T14:45:00Z"}, /* twice */
        {"Pacific/Apia", "2011-12-30", 12, 0, "2011-12-30T22:00:00Z"}, /* a day that never was: 24 hours on */
        {"Asia/Shanghai", "2024-03-31", 24, 0, "2024-03-31T16:00:00Z"},
        {"Asia/Shanghai", "1986-05-04", 2, 30, "1986-05-03T18:30:00Z"}, /* China's own summer time: 03:30 */
        {"Asia/Shanghai", "2024-02-29", 0, 0, "2024-02-28T16:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        date_t d;
        assert_true(date_parse(slice_of(example[i].date), &d));
        int64_t ms = (example[i].hour * 60 + example[i].minute) * INT64_C(60000);
        struct slice got = instant_format_utc(arena, tz_instant(zone(example[i].zone), d, ms));
        if (!slice_eq(got, slice_of(example[i].utc)))
            fail_msg("%s %s %02d:%02d is %s, wanted %s", example[i].zone, example[i].date, example[i].hour,
                     example[i].minute, got.p, example[i].utc);
    }
}

static void local_text(void **state)
{
    struct tz *tz = zone("Asia/Shanghai");
    (void)state;
    assert_slice(instant_format_local(arena, tz, seconds("2024-04-10T01:00:00Z") * 1000), "2024-04-10 09:00");
    assert_slice(instant_format_local(arena, tz, seconds("2024-04-10T16:00:05Z") * 1000),
                 "2024-04-11 00:00:05");
    assert_slice(instant_format_local(arena, NULL, seconds("2024-04-10T01:00:00Z") * 1000),
                 "2024-04-10 01:00");
    assert_slice(instant_format_local(arena, tz, INSTANT_MAX), "never");
    assert_slice(instant_format_local(arena, tz, INSTANT_NONE), "none");
}

static void days_keep_the_wall_time(void **state)
{
    struct tz *tz = zone("America/New_York");
    struct duration day = {1, DURATION_DAY}, hours = {24, DURATION_HOUR};
    instant_t t = seconds("2024-03-09T17:00:00Z") * 1000; /* noon, the day before the clocks change */
    (void)state;
    assert_slice(instant_format_local(arena, tz, duration_apply(tz, NULL, t, day, 1)), "2024-03-10 12:00");
    assert_slice(instant_format_local(arena, tz, duration_apply(tz, NULL, t, hours, 1)), "2024-03-10 13:00");
}

static void extremes_are_harmless(void **state)
{
    static const instant_t far_away[] = {INSTANT_NONE, INSTANT_NONE + 1, INSTANT_MAX, INSTANT_MAX - 1, 0};
    (void)state;
    for (size_t z = 0; z < NZONES; z++) {
        struct tz *tz = zone(zones[z]);
        for (size_t i = 0; i < sizeof far_away / sizeof *far_away; i++) {
            int64_t ms;
            date_t d = tz_date(tz, far_away[i], &ms);
            assert_in_range(ms, 0, 86399999);
            tz_instant(tz, d, ms);
        }
        tz_instant(tz, INT32_MAX, 86400000);
        tz_instant(tz, INT32_MIN, 0);
    }
}

/* Whatever the bytes: a zone or an error, and a zone answers. */
static void broken_files_are_refused(void **state)
{
    uint64_t seed = seed_take();
    struct err e;
    (void)state;
    assert_null(tz_parse(arena, S(""), &e));
    assert_null(
        tz_parse(arena, S("not a time zone, but long enough to be one, at least at first sight"), &e));
    assert_string_equal(e.text, "time zone: not a TZif file");
    struct slice whole = zone_bytes("America/New_York");
    for (size_t n = 0; n < whole.n; n++) {
        char *cut = malloc(n ? n : 1); /* of its own, so that a sanitizer sees a read past its end */
        memcpy(cut, whole.p, n);
        assert_null(tz_parse(arena, (struct slice){cut, n}, &e));
        free(cut);
        if (n % 100 == 99)
            whole = (arena_reset(arena), zone_bytes("America/New_York"));
    }
    for (int i = 0; i < 20000; i++) {
        if (i % 100 == 0)
            whole = (arena_reset(arena), zone_bytes("America/New_York"));
        struct slice bad = arena_dup(arena, whole);
        for (int64_t k = random_between(&seed, 1, 4); k > 0; k--)
            ((char *)(uintptr_t)bad.p)[random_between(&seed, 0, i % 2 ? 90 : (int64_t)bad.n - 1)] =
                (char)random_next(&seed);
        struct tz *tz = tz_parse(arena, bad, &e);
        if (tz) {
            tz_offset(tz, 0);
            tz_instant(tz, 20000, 0);
            tz_instant(tz, 200000, 0);
        }
    }
}

/* A version 2 file without transitions whose footer is `rule`. */
static struct slice footer_only(const char *rule)
{
    struct buf b = {0};
    static const char empty[] =
        "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
    static const char type[] = "\0\0\0\0\0\0UTC";
    for (int i = 0; i < 2; i++) {
        buf_add(&b, (struct slice){empty, 44});
        buf_add(&b, (struct slice){type, 10});
    }
    buf_printf(&b, "\n%s\n", rule);
    struct slice s = arena_dup(arena, buf_slice(&b));
    buf_free(&b);
    return s;
}

static void footer_rules(void **state)
{
    static const char *const bad[] = {"UT0",
                                      "UTC",
                                      "UTC0 ",
                                      "UTC25",
                                      "EST5EDT",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.6.0,M11.1.0",
                                      "EST5EDT,M3.2.7,M11.1.0",
                                      "EST5EDT,J0,J5",
                                      "EST5EDT,J1,366",
                                      "EST5EDT,J1/168,J2",
                                      "<+08-8",
                                      "EST5EDT,J1,J2,",
                                      "5"};
    struct err e;
    struct tz *tz;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tz_parse(arena, footer_only(bad[i]), &e))
            fail_msg("%s", bad[i]);
    assert_non_null(tz = tz_parse(arena, footer_only("<+0545>-5:45"), &e));
    assert_int_equal(tz_offset(tz, 0), 5 * 3600 + 45 * 60);
    assert_non_null(tz = tz_parse(arena, footer_only("XXX3EDT4,0/0,J365/23"),
                                  &e)); /* permanent, "daylight" behind standard */
    for (int day = 0; day < 1500; day++)
        assert_int_equal(tz_offset(tz, day * INT64_C(86400000)), -4 * 3600);
    assert_non_null(
        tz = tz_parse(arena, footer_only("AAA0BBB,J60/0,J61/0"), &e)); /* 1 March, leap year or not */
    assert_int_equal(tz_offset(tz, seconds("2024-02-29T12:00:00Z") * 1000), 0);
    assert_int_equal(tz_offset(tz, seconds("2024-03-01T12:00:00Z") * 1000), 3600);
    assert_int_equal(tz_offset(tz, seconds("2023-03-01T12:00:00Z") * 1000), 3600);
    assert_int_equal(tz_offset(tz, seconds("2023-03-02T12:00:00Z") * 1000), 0);
    assert_non_null(tz = tz_parse(arena, footer_only("AAA0BBB,59/0,60/0"),
                                  &e)); /* day 59 counted from 0, 29 February included */
    assert_int_equal(tz_offset(tz, seconds("2024-02-29T12:00:00Z") * 1000), 3600);
    assert_int_equal(tz_offset(tz, seconds("2023-03-01T12:00:00Z") * 1000), 3600);
    assert_non_null(tz = tz_parse(arena, footer_only(""), &e));
    assert_int_equal(tz_offset(tz, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_agree_with_glibc),
        cmocka_unit_test(changes_fall_on_the_same_second),
        cmocka_unit_test(wall_time_comes_back),
        cmocka_unit_test(gaps_and_overlaps),
        cmocka_unit_test(local_text),
        cmocka_unit_test(days_keep_the_wall_time),
        cmocka_unit_test(extremes_are_harmless),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(footer_rules),
    };
    arena = arena_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(arena);
    return failed;
}
