/* Timers: in order within a workflow, in turns between workflows. */
#include "engine_index.h"

#include "engine/simulate.h"

/* How many timers each workflow has fired. */
static void fired_of(const struct rig *g, size_t *a, size_t *b)
{
    struct arena *scratch = arena_new();

    *a = *b = 0;
    for (size_t i = 0; i < g->nchain; i++) {
        struct slice json = wire_history_json(g->chain[i], scratch);

        if (memmem(json.p, json.n, "\"workflow\":\"toy-b\"", 18) != NULL)
            ++*b;
        else
            ++*a;
    }
    arena_free(scratch);
}

static void slices_are_fair(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    size_t a, b, rounds = 0;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    rig_publish(g, "toy-b", toy_body, 1, "2024-01-01T00:00:00+08:00");
    g->nchain = 0;
    e = toy_clock(g->kept, "toy", "c");
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2025-03-01T00:00:00+08:00"), 100);
    assert_int_equal(rig_apply(g, &r).what, OUTCOME_CLOCK);

    /* A slice of ten goes to one workflow; none is ever more than a slice behind. */
    while (rig_drain(g, 10) == 10) {
        rounds++;
        fired_of(g, &a, &b);
        assert_true((a > b ? a - b : b - a) <= 10);
    }
    assert_true(rounds > 20);
    fired_of(g, &a, &b);
    assert_int_equal(a, b);

    rig_commit(g);
    rig_begin(g);
    assert_true(engine_next_due(g->engine, g->txn) > r.appended);
    rig_free(g);
}

/* One large slice, too, goes round: 64 of one, then the other. */
static void a_large_slice_goes_round(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    size_t a, b;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    rig_publish(g, "toy-b", toy_body, 1, "2024-01-01T00:00:00+08:00");
    g->nchain = 0;
    e = toy_clock(g->kept, "toy", "c");
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2025-03-01T00:00:00+08:00"), 100);
    rig_apply(g, &r);
    assert_int_equal(rig_drain(g, 128), 128);
    fired_of(g, &a, &b);
    assert_int_equal(a, 64);
    assert_int_equal(b, 64);
    rig_free(g);
}

static void timers_and_instances_never_part(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    uint64_t seed = seed_take();
    instant_t now = at("2024-01-01T00:00:00+08:00");

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    for (int n = 0; n < 120; n++) {
        struct slice id = arena_printf(g->kept, "e%d", n);
        int unit = (int)random_between(&seed, 0, TOY_UNITS - 1), kind = (int)random_between(&seed, 0, 2);
        struct cloud_event e = kind == 0   ? toy_clock(g->kept, "toy", id.p)
                               : kind == 1 ? toy_slow(g->kept, "toy", id.p, unit, 1)
                                           : toy_submission(g->kept, "toy", id.p, unit, n / 10 + 1);

        now += random_between(&seed, 0, 5 * 86400000LL);
        rig_event(g, &e, kind == 2 ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES, instant_format_utc(g->kept, now).p);
        assert_indexed(g, "toy", false);
    }
    rig_free(g);
}

/* ---- the same in virtual time */

static void count_output(void *ctx, const struct record *r)
{
    size_t *n = ctx;

    n[r->topic]++;
}

static void a_simulated_year(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    size_t n[TOPIC_COUNT] = {0};
    struct cloud_event e;
    struct outcome out;
    struct bundle b;
    struct err err = {{0}};

    toy_bundle(a, "toy", toy_body, &b);
    struct simulation *s = simulation_new(&b, INSTANT_NONE, count_output, n, &err);
    if (s == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(simulation_now(s), at("2024-01-01T00:00:00+08:00"));
    for (int i = 0; i < 2; i++) {
        e = toy_slow(a, "toy", i == 0 ? "s1" : "s2", 1, 5);
        assert_true(simulation_event(s, &e, at("2024-02-01T00:00:00+08:00"), &out, &err));
        assert_int_equal(out.what, OUTCOME_APPLIED);
    }
    assert_int_equal(n[TOPIC_SUPERVISION], 1);
    e = toy_submission(a, "toy", "early", 1, 2); /* at the time reached, whatever it says */
    assert_true(simulation_event(s, &e, at("2024-01-02T00:00:00+08:00"), &out, &err));
    assert_int_equal(simulation_now(s), at("2024-02-01T00:00:00+08:00"));
    assert_true(simulation_until(s, at("2025-02-01T00:00:00+08:00"), &err));
    assert_int_equal(n[TOPIC_WARNINGS], 12 * TOY_UNITS - 1); /* all reports but one are late */
    assert_int_equal(n[TOPIC_REJECTED], 0);
    e = toy_event(a, "toy", "what", "Fact", "\"fact\":{\"kind\":\"unheard-of\",\"reporter\":\"u-01\"}");
    assert_true(simulation_event(s, &e, INSTANT_NONE, &out, &err));
    assert_int_equal(out.what, OUTCOME_REJECTED);
    assert_int_equal(n[TOPIC_REJECTED], 1);
    simulation_free(s);

    b.files[1].content = S("workflow: [\n");
    assert_null(simulation_new(&b, INSTANT_NONE, count_output, n, &err));
    assert_non_null(strstr(err.text, "toy/workflow.yaml"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_fair),
        cmocka_unit_test(a_large_slice_goes_round),
        cmocka_unit_test(timers_and_instances_never_part),
        cmocka_unit_test(a_simulated_year),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
