/* Definitions: taken into force between two turns, or refused with reasons while the old one stays. */
#include "engine_support.h"

#include "engine/keys.h"

static char *replaced(struct arena *a, const char *text, const char *from, const char *to)
{
    const char *found = strstr(text, from);

    assert_non_null(found);
    return (char *)(uintptr_t)arena_printf(a, "%.*s%s%s", (int)(found - text), text, to, found + strlen(from))
        .p;
}

static struct outcome publish(struct rig *g, const char *id, const char *body, unsigned nth,
                              const char *received)
{
    struct cloud_event e;

    toy_definition(g->kept, id, body, nth, &e);
    return rig_event(g, &e, TOPIC_DEADLINES, received);
}

static struct slice hash_in_force(struct rig *g)
{
    return arena_dup(g->kept, engine_program(g->engine, S("toy"))->hash);
}

static void assert_refused(const struct outcome *out, const char *part)
{
    assert_int_equal(out->what, OUTCOME_REJECTED);
    for (size_t i = 0; i < out->nreasons; i++)
        if (memmem(out->reasons[i].p, out->reasons[i].n, part, strlen(part)) != NULL)
            return;
    fail_msg("no reason says \"%s\"; the first of %zu: %.*s", part, out->nreasons,
             SLICE_ARG(out->nreasons > 0 ? out->reasons[0] : S("none")));
}

static void the_first_one_makes_a_workflow(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    const struct program *p[4];

    assert_int_equal(engine_programs(g->engine, p, 4), 0);
    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    assert_int_equal(engine_programs(g->engine, p, 4), 1);
    assert_slice(p[0]->id, "toy");
    assert_int_equal(p[0]->hash.n, 64);
    assert_int_equal(table_count(g->store, TABLE_DEFINITION), 1);
    rig_free(g);
}

static void a_broken_one_is_refused_with_its_places(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct outcome out;

    out = publish(g, "toy", "machines: 7\n", 1, "2024-01-01T00:00:00+08:00");
    assert_refused(&out, "toy/workflow.yaml:7:");
    assert_null(engine_program(g->engine, S("toy")));
    assert_int_equal(out.history, 0);

    rig_publish(g, "toy", toy_body, 2, "2024-01-02T00:00:00+08:00");
    struct slice before = hash_in_force(g);
    out = publish(g, "toy", replaced(g->kept, toy_body, "times ≥ 2", "tymes ≥ 2"), 3,
                  "2024-01-03T00:00:00+08:00");
    assert_refused(&out, "tymes");
    assert_true(out.history > 0);
    assert_true(slice_eq(hash_in_force(g), before));

    /* The old one works on. */
    struct cloud_event e = toy_submission(g->kept, "toy", "s", 1, 1);
    assert_int_equal(rig_event(g, &e, TOPIC_SUBMISSIONS, "2024-01-04T00:00:00+08:00").what, OUTCOME_APPLIED);
    rig_free(g);
}

static void the_same_again_has_no_effect(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    struct buf before = tables_dump(g->store, TABLE_NUMBER - 1);
    assert_int_equal(publish(g, "toy", toy_body, 1, "2024-01-01T00:00:01+08:00").what, OUTCOME_DUPLICATE);
    assert_int_equal(publish(g, "toy", toy_body, 2, "2024-01-01T00:00:02+08:00").what, OUTCOME_NO_EFFECT);
    struct buf after = tables_dump(g->store, TABLE_NUMBER - 1);
    assert_int_equal(before.n, after.n);
    assert_memory_equal(before.p, after.p, before.n);
    buf_free(&before);
    buf_free(&after);
    rig_free(g);
}

static void a_live_state_must_live_on(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct outcome out;
    const char *gone;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_submission(g->kept, "toy", "s", 1, 1);
    rig_event(g, &e, TOPIC_SUBMISSIONS, "2024-01-04T00:00:00+08:00");
    struct slice before = hash_in_force(g);

    gone = replaced(g->kept, toy_body, "      filed:\n", "      handed-in:\n");
    gone = replaced(g->kept, gone, "go: filed", "go: handed-in");
    gone = replaced(g->kept, gone, "go: filed", "go: handed-in");
    out = publish(g, "toy", gone, 1, "2024-01-05T00:00:00+08:00");
    assert_refused(&out, "filed");
    assert_true(slice_eq(hash_in_force(g), before));

    /* An armed timer, too. */
    gone = replaced(g->kept, toy_body, "          remind: each", "          nudge: each");
    gone = replaced(g->kept, gone, "timer remind", "timer nudge");
    out = publish(g, "toy", gone, 1, "2024-01-05T00:00:00+08:00");
    assert_int_equal(out.what, OUTCOME_REJECTED);
    assert_true(slice_eq(hash_in_force(g), before));

    /* What changes nothing that lives is taken. */
    out = publish(g, "toy", replaced(g->kept, toy_body, "value: 30d", "value: 20d"), 1,
                  "2024-01-06T00:00:00+08:00");
    assert_int_equal(out.what, OUTCOME_APPLIED);
    assert_false(slice_eq(hash_in_force(g), before));
    rig_begin(g);
    assert_true(engine_next_due(g->engine, g->txn) < INSTANT_MAX);
    rig_free(g);
}

/* A state that is no more is mapped: timers that it alone had are gone, those of the new one are armed. */
static void a_state_may_be_mapped(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct outcome out;
    const char *gone, *mapped;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s1", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-04T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s2", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-05T00:00:00+08:00");
    size_t timers = table_count(g->store, TABLE_TIMER);

    gone = replaced(g->kept, toy_body, "      yellow:\n", "      hung:\n");
    gone = replaced(g->kept, gone, "go: yellow", "go: hung");
    gone = replaced(g->kept, gone, "          limit: at limit\n", "          end: at limit\n          soon: 5d before limit\n");
    gone = replaced(g->kept, gone, "{when: timer limit, do: [measure: limit-passed]}",
                    "{when: timer end, do: [measure: limit-passed]}\n          - {when: timer soon, do: [measure: limit-passed]}");
    out = publish(g, "toy", gone, 1, "2024-01-06T00:00:00+08:00");
    assert_refused(&out, "has no state yellow");

    mapped = replaced(g->kept, gone, "    per: [unit]\n", "    per: [unit]\n    migrate: {yellow: hung}\n");
    out = publish(g, "toy", mapped, 2, "2024-01-07T00:00:00+08:00");
    assert_int_equal(out.what, OUTCOME_APPLIED);
    assert_int_equal(table_count(g->store, TABLE_TIMER), timers + 1);
    e = toy_clock(g->kept, "toy", "k");
    rig_event(g, &e, TOPIC_DEADLINES, "2024-03-01T00:00:00+08:00");
    struct engine_counters counters;
    engine_counters(g->engine, &counters);
    assert_int_equal(counters.halted, 0);

    /* Once mapped, it is stored as what it is: the next version need not map it. */
    out = publish(g, "toy", gone, 3, "2024-03-02T00:00:00+08:00");
    assert_int_equal(out.what, OUTCOME_APPLIED);
    rig_free(g);
}

static bool card_is_there(struct rig *g, const char *unit)
{
    const struct slice part[KEY_PARTS_MAX] = {slice_of(unit)};
    struct err e;
    struct store_txn *t = store_begin(g->store, false, &e);
    struct slice value;
    struct key k;

    key_instance(&k, S("toy"), S("card"), part, 1);
    bool found = store_get(t, TABLE_INSTANCE, key_slice(&k), &value) == STORE_OK;
    store_abort(t);
    return found;
}

/* One and the same definition maps the state and ends the unit. */
static void what_is_mapped_is_handed_over(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct bundle b;
    const char *body, *units;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s1", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-04T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s2", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-05T00:00:00+08:00");

    body = replaced(g->kept, toy_body, "      yellow:\n", "      hung:\n");
    body = replaced(g->kept, body, "go: yellow", "go: hung");
    body = replaced(g->kept, body, "    per: [unit]\n", "    per: [unit]\n    migrate: {yellow: hung}\n");
    toy_bundle(g->kept, "toy", body, &b);
    units = arena_printf(g->kept, "%.*s", SLICE_ARG(b.files[0].content)).p;
    b.files[0].content = slice_of(replaced(g->kept, units, "u-01,单位1,organ,team,,,,,,",
                                           "u-01,单位1,organ,team,,,,,2024-01-31,u-02"));
    definition_event(&b, S("toy"), S("tester"), S("test"), 1, INSTANT_NONE, g->kept, &e);
    assert_int_equal(rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00+08:00").what, OUTCOME_APPLIED);
    assert_true(card_is_there(g, "u-02"));
    assert_false(card_is_there(g, "u-01"));
    e = toy_clock(g->kept, "toy", "k");
    g->outputs.n = 0;
    rig_event(g, &e, TOPIC_DEADLINES, "2024-02-06T00:00:00+08:00"); /* its limit passes once */
    assert_non_null(memmem(g->outputs.p, g->outputs.n, "limit-passed", 12));
    rig_free(g);
}

/* What waits for a decision must stay something that can be issued. */
static void a_proposed_measure_must_live_on(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    const char *held = arena_printf(g->kept, "hold: yes\n%s", toy_body).p, *gone;
    struct cloud_event e;
    struct outcome out;

    rig_publish(g, "toy", held, 1, "2024-01-01T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s1", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-04T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "s2", 1, 1);
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-05T00:00:00+08:00");
    assert_int_equal(table_count(g->store, TABLE_PROPOSAL), 1);

    gone = replaced(g->kept, toy_body, "  yellow-card:", "  amber-card:");
    gone = replaced(g->kept, gone, "[measure: yellow-card]", "[measure: amber-card]");
    out = publish(g, "toy", gone, 1, "2024-01-06T00:00:00+08:00");
    assert_refused(&out, "no measure yellow-card");
    rig_free(g);
}

static void what_lies_about_itself_is_refused(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct outcome out;
    struct bundle b;

    /* Published under another name than its own. */
    toy_bundle(g->kept, "toy", toy_body, &b);
    definition_event(&b, S("other"), S("a"), S("b"), 1, INSTANT_NONE, g->kept, &e);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-01-01T00:00:00Z");
    assert_refused(&out, "toy");
    assert_null(engine_program(g->engine, S("other")));

    /* A hash that is not its files'. */
    struct wire_file files[3];
    for (size_t i = 0; i < b.n; i++)
        files[i] = (struct wire_file){b.files[i].path, b.files[i].content};
    struct wire_definition d = {
        .workflow = S("toy"), .hash = arena_dup(g->kept, S("00")), .root = b.root, .files = files, .n = b.n};
    e = (struct cloud_event){.id = S("liar"),
                             .source = S("x"),
                             .type = S("duban.v1.Definition"),
                             .content_type = S("application/protobuf"),
                             .time = INSTANT_NONE,
                             .workflow = S("toy"),
                             .data = wire_definition_pack(&d, S("a"), S("b"), g->kept)};
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-01-01T00:00:00Z");
    assert_refused(&out, "hash");
    rig_free(g);
}

/* A definition that was undone with its batch leaves nothing behind. */
static void an_undone_publication_is_none(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct err err;

    toy_definition(g->kept, "toy", toy_body, 1, &e);
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2024-01-01T00:00:00Z"), 0);
    assert_int_equal(rig_apply(g, &r).what, OUTCOME_APPLIED);
    store_abort(g->txn);
    g->txn = NULL;
    assert_true(engine_forget(g->engine, &err));
    assert_null(engine_program(g->engine, S("toy")));
    assert_int_equal(rig_apply(g, &r).what, OUTCOME_APPLIED);
    rig_commit(g);
    assert_non_null(engine_program(g->engine, S("toy")));
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_makes_a_workflow),
        cmocka_unit_test(a_broken_one_is_refused_with_its_places),
        cmocka_unit_test(the_same_again_has_no_effect),
        cmocka_unit_test(a_live_state_must_live_on),
        cmocka_unit_test(a_state_may_be_mapped),
        cmocka_unit_test(what_is_mapped_is_handed_over),
        cmocka_unit_test(a_proposed_measure_must_live_on),
        cmocka_unit_test(what_lies_about_itself_is_refused),
        cmocka_unit_test(an_undone_publication_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
