/* Roster changes: as they come in, and as they are kept. */
#include "wire_support.h"

static const char whole[] =
    "{\"workflow\":\"w\",\"roster_change\":{\"from\":\"2024-07-01\",\"reporter\":\"office\","
    "\"units\":[{\"id\":\"u-9\",\"title\":\"新\",\"kind\":\"organ\",\"liaison\":\"l\",\"head\":\"h\","
    "\"roles\":[\"a\",\"b\"],\"aliases\":[\"九\"]}],"
    "\"ended\":[\"u-3\"],"
    "\"relations\":[{\"subject\":\"i-1\",\"relation\":\"lead\",\"unit\":\"u-9\"}],"
    "\"ended_relations\":[{\"subject\":\"i-1\",\"relation\":\"lead\",\"unit\":\"u-1\"}],"
    "\"successions\":[{\"from\":[\"u-1\",\"u-2\"],\"to\":[\"u-9\",\"u-8\"],\"heir_of_counts\":\"u-9\",\"heir_"
    "of_cases\":\"u-8\",\"heir_of_tasks\":\"u-9\"}]}}";

static bool decode(const char *json, struct input *in, struct reasons *why)
{
    const struct cloud_event e = {.id = S("1"),
                                  .source = S("s"),
                                  .type = S("duban.v1.RosterChange"),
                                  .content_type = S("application/json"),
                                  .time = INSTANT_NONE,
                                  .workflow = S("w"),
                                  .data = slice_of(json)};
    return wire_input(&e, arena, in, why);
}

static void assert_whole(const struct roster_change *c)
{
    assert_slice(date_format(arena, c->from), "2024-07-01");
    assert_int_equal(c->nunits, 1);
    assert_slice(c->units[0].id, "u-9");
    assert_slice(c->units[0].title, "新");
    assert_slice(c->units[0].kind, "organ");
    assert_slice(c->units[0].liaison, "l");
    assert_slice(c->units[0].head, "h");
    assert_int_equal(c->units[0].nroles, 2);
    assert_slice(c->units[0].roles[1], "b");
    assert_slice(c->units[0].aliases[0], "九");
    assert_int_equal(c->nended, 1);
    assert_slice(c->ended[0], "u-3");
    assert_slice(c->relations[0].subject, "i-1");
    assert_slice(c->ended_relations[0].unit, "u-1");
    assert_int_equal(c->nsuccessions, 1);
    assert_int_equal(c->successions[0].nfrom, 2);
    assert_slice(c->successions[0].from[1], "u-2");
    assert_slice(c->successions[0].to[1], "u-8");
    assert_slice(c->successions[0].heir_of_counts, "u-9");
    assert_slice(c->successions[0].heir_of_cases, "u-8");
    assert_slice(c->successions[0].heir_of_tasks, "u-9");
}

static void what_comes_in_is_what_is_kept(void **state)
{
    (void)state;
    struct input in = {0};
    struct reasons why = {.arena = arena};
    const struct roster_change *back;
    struct err e = {{0}};
    assert_true(decode(whole, &in, &why));
    assert_int_equal(in.class_, INPUT_ROSTER);
    assert_int_equal(wire_voice(&in), VOICE_DEADLINES);
    assert_slice(in.reporter, "office");
    assert_whole(in.roster);
    struct slice bytes = wire_roster_pack(in.roster, arena);
    assert_true(wire_roster_unpack(bytes, arena, &back, &e));
    assert_whole(back);
    assert_true(slice_eq(wire_roster_pack(back, arena), bytes));
    for (size_t n = 0; n < bytes.n; n++) /* cut short: a shorter change, or an error */
        wire_roster_unpack((struct slice){bytes.p, n}, arena, &back, &e);
    assert_false(wire_roster_unpack(S("\x0a\x03mon"), arena, &back, &e));
    assert_string_equal(e.text, "roster change: \"mon\" is no date");
}

static void every_mistake_is_told(void **state)
{
    (void)state;
    struct input in = {0};
    struct reasons why = {.arena = arena};
    assert_false(decode(
        "{\"workflow\":\"w\",\"roster_change\":{\"units\":[{\"id\":\"a\"},{\"id\":\"a\",\"title\":\"t\"}],"
        "\"relations\":[{}],\"successions\":[{\"from\":[\"x\"]}]}}",
        &in, &why));
    struct slice all = joined(&why);
    for (const char *const *part =
             (const char *const[]){"from: missing", "units[0].title: missing", "relations[0].unit: missing",
                                   "successions[0].to: missing", NULL};
         *part; part++)
        if (!memmem(all.p, all.n, *part, strlen(*part)))
            fail_msg("“%s” is not among: %.*s", *part, SLICE_ARG(all));
    why.n = 0;
    assert_false(decode("{\"workflow\":\"w\",\"roster_change\":{\"from\":\"2024-02-30\",\"ended\":[\"u\"]}}",
                        &in, &why));
    assert_slice(joined(&why), "roster_change.from: \"2024-02-30\" is no date like 2024-03-29");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_comes_in_is_what_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(every_mistake_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
