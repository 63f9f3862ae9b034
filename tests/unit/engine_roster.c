/* Changes of the roster: kept, undone with their batch, restored, dropped by a definition; and what units
 * that end hand over. */
#include "engine_index.h"

#include "engine/keys.h"
#include "engine/query.h"

static struct cloud_event change(struct rig *g, const char *id, const char *body)
{
    return toy_event(g->kept, "toy", id, "RosterChange",
                     arena_printf(g->kept, "\"roster_change\":{%s}", body).p);
}

static struct outcome take(struct rig *g, const char *id, const char *body, const char *received)
{
    struct cloud_event e = change(g, id, body);

    return rig_event(g, &e, TOPIC_DEADLINES, received);
}

static void slow(struct rig *g, const char *id, const char *unit, const char *received)
{
    struct slice body = arena_printf(
        g->kept,
        "\"fact\":{\"kind\":\"slow\",\"reporter\":\"u-office\",\"fields\":{\"unit\":\"%s\",\"points\":1}}",
        unit);
    struct cloud_event e = toy_event(g->kept, "toy", id, "Fact", body.p);

    assert_int_equal(rig_event(g, &e, TOPIC_DEADLINES, received).what, OUTCOME_APPLIED);
}

static void clock_at(struct rig *g, const char *received)
{
    struct cloud_event e = toy_clock(g->kept, "toy", received);

    rig_event(g, &e, TOPIC_DEADLINES, received);
}

/* The state of the card, "" when there is none. */
static struct slice card(struct rig *g, const char *unit)
{
    struct err e;
    struct store_txn *t = store_begin(g->store, false, &e);
    struct query q = {.workflow = S("toy"), .machine = S("card"), .unit = slice_of(unit)};
    struct query_result r;
    struct slice state = S("");

    assert_true(query_cases(t, &q, g->kept, &r, &e));
    if (r.n > 0) {
        const char *at = strstr(r.row[0].p, "\"state\":\"") + strlen("\"state\":\"");

        state = (struct slice){at, (size_t)(strchr(at, '"') - at)};
    }
    store_abort(t);
    return state;
}

static size_t open_tasks(struct rig *g, const char *unit)
{
    struct err e;
    struct store_txn *t = store_begin(g->store, false, &e);
    struct query q = {.workflow = S("toy"), .unit = slice_of(unit), .open_only = true};
    struct query_result r;

    assert_true(query_tasks(t, &q, g->kept, &r, &e));
    store_abort(t);
    return r.n;
}

static const struct unit *unit_now(struct rig *g, const char *id, const char *when)
{
    const struct program *p = engine_program(g->engine, S("toy"));

    return program_unit(p, slice_of(id), tz_date(p->tz, at(when), NULL));
}

static struct rig *rig_started(void)
{
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    return g;
}

static const char rename_1[] =
    "\"from\":\"2024-03-01\",\"units\":[{\"id\":\"u-11\",\"title\":\"新\",\"roles\":[\"team\"]}],"
    "\"successions\":[{\"from\":[\"u-01\"],\"to\":[\"u-11\"]}],\"reporter\":\"u-office\"";

static void a_change_is_kept_and_survives(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    struct err e = {{0}};

    assert_int_equal(take(g, "c1", rename_1, "2024-02-01T00:00:00+08:00").what, OUTCOME_APPLIED);
    assert_non_null(unit_now(g, "u-01", "2024-02-29T23:59:59+08:00"));
    assert_null(unit_now(g, "u-01", "2024-03-01T00:00:00+08:00"));
    assert_null(unit_now(g, "u-11", "2024-02-29T23:59:59+08:00"));
    assert_slice(unit_now(g, "u-11", "2024-03-01T00:00:00+08:00")->title, "新");

    assert_true(engine_forget(g->engine, &e)); /* as when it starts anew */
    assert_non_null(unit_now(g, "u-11", "2024-03-01T00:00:00+08:00"));

    /* Readers see the same roster as the engine, and share it. */
    struct store_txn *t = store_begin(g->store, false, &e);
    struct slice stored;
    assert_int_equal(store_get(t, TABLE_DEFINITION, S("toy"), &stored), STORE_OK);
    struct definition *d = definition_load(t, S("toy"), stored, &e);
    assert_ptr_equal(definition_program(d), engine_program(g->engine, S("toy")));
    definition_release(d);
    store_abort(t);
    rig_free(g);
}

static void what_ends_hands_over_on_its_day(void **state)
{
    (void)state;
    struct rig *g = rig_started();

    slow(g, "s1", "u-01", "2024-01-05T00:00:00+08:00");
    slow(g, "s2", "u-01", "2024-02-25T00:00:00+08:00");
    assert_slice(card(g, "u-01"), "yellow");
    assert_int_equal(take(g, "c1", rename_1, "2024-02-26T00:00:00+08:00").what, OUTCOME_APPLIED);
    clock_at(g, "2024-02-29T23:59:59+08:00");
    assert_slice(card(g, "u-01"), "yellow");
    assert_int_equal(open_tasks(g, "u-01"), 2); /* January and February are overdue */

    g->history.n = 0;
    clock_at(g, "2024-03-01T00:00:00+08:00");
    assert_slice(card(g, "u-01"), "");
    assert_slice(card(g, "u-11"), "yellow");
    assert_int_equal(open_tasks(g, "u-01"), 0);
    assert_int_equal(open_tasks(g, "u-11"), 3); /* and its own of March */
    bool told = false;
    for (size_t i = 0; i < g->nchain; i++) {
        struct slice json = wire_history_json(g->chain[i], g->kept);
        told |= strstr(json.p, "\"event\":\"succession\"") && strstr(json.p, "u-11");
    }
    assert_true(told);

    /* The card's timer went with it, and fires once. */
    clock_at(g, "2024-03-27T00:00:00+08:00");
    assert_non_null(memmem(g->outputs.p, g->outputs.n, "limit-passed", 12));
    rig_free(g);
}

static void a_refused_change_leaves_nothing(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    struct outcome out =
        take(g, "c1",
             "\"from\":\"2024-03-01\",\"units\":[{\"id\":\"u-11\",\"title\":\"新\",\"roles\":[\"taem\"]}]",
             "2024-02-01T00:00:00+08:00");

    assert_int_equal(out.what, OUTCOME_REJECTED);
    assert_int_equal(out.nreasons, 1);
    assert_slice(out.reasons[0],
                 "unit u-11: no unit of the definition holds the role \"taem\"; did you mean team?");
    assert_null(unit_now(g, "u-11", "2024-03-01T00:00:00+08:00"));
    out = take(g, "c2", "\"from\":\"1 March\",\"ended\":[\"u-01\"]", "2024-02-01T00:00:00+08:00");
    assert_int_equal(out.what, OUTCOME_REJECTED);
    assert_slice(out.reasons[0], "roster_change.from: \"1 March\" is no date like 2024-03-29");
    rig_free(g);
}

static void an_undone_change_is_none(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    struct cloud_event e = change(g, "c1", rename_1);
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2024-02-01T00:00:00+08:00"), 1);
    struct err err;

    assert_int_equal(rig_apply(g, &r).what, OUTCOME_APPLIED);
    assert_non_null(unit_now(g, "u-11", "2024-03-01T00:00:00+08:00"));
    store_abort(g->txn);
    g->txn = NULL;
    assert_true(engine_forget(g->engine, &err));
    assert_null(unit_now(g, "u-11", "2024-03-01T00:00:00+08:00"));
    rig_free(g);
}

static void the_changelog_brings_it_back(void **state)
{
    (void)state;
    struct rig *g = rig_started(), *back = rig_new(false);
    struct err e = {{0}};

    slow(g, "s1", "u-01", "2024-01-05T00:00:00+08:00");
    take(g, "c1", rename_1, "2024-02-01T00:00:00+08:00");
    size_t before = g->nstate;
    clock_at(g, "2024-03-01T00:00:00+08:00");
    take(g, "c2", "\"from\":\"2024-03-02\",\"ended\":[\"u-02\"]", "2024-03-01T00:00:00+08:00");
    for (int part = 0; part < 2; part++) { /* the second on top of a state that is there */
        rig_begin(back);
        for (size_t i = part ? before : 0; i < (part ? g->nstate : before); i++)
            assert_int_equal(engine_restore_state(back->engine, back->txn, g->state[i].table, g->state[i].key,
                                                  g->state[i].value, &e),
                             TURN_DONE);
        assert_int_equal(engine_restored(back->engine, back->txn, &e), TURN_DONE);
        assert_int_equal(store_commit(back->txn, &e), STORE_OK);
        back->txn = NULL;
    }
    struct buf a = tables_dump(g->store, TABLE_SEEN), b = tables_dump(back->store, TABLE_SEEN);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    buf_free(&a);
    buf_free(&b);
    assert_indexed(back, "toy", false);
    assert_slice(card(back, "u-11"), "clear");
    assert_null(unit_now(back, "u-02", "2024-03-02T00:00:00+08:00"));
    assert_non_null(unit_now(back, "u-11", "2024-03-02T00:00:00+08:00"));
    rig_free(g);
    rig_free(back);
}

static void a_definition_brings_its_own_roster(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    struct buf body = {0};

    take(g, "c1", "\"from\":\"2024-02-10\",\"ended\":[\"u-02\"]", "2024-02-01T00:00:00+08:00");
    take(g, "c2", "\"from\":\"2024-02-10\",\"ended\":[\"u-03\"]", "2024-02-01T00:00:00+08:00");
    assert_null(unit_now(g, "u-02", "2024-03-01T00:00:00+08:00"));
    struct cloud_event same;
    toy_definition(g->kept, "toy", toy_body, 2, &same);
    assert_int_equal(rig_event(g, &same, TOPIC_DEADLINES, "2024-02-02T00:00:00+08:00").what,
                     OUTCOME_NO_EFFECT);
    assert_null(unit_now(g, "u-02", "2024-03-01T00:00:00+08:00"));
    size_t rows = table_count(g->store, TABLE_NUMBER);

    buf_printf(&body, "%s# another version\n", toy_body);
    buf_byte(&body, 0);
    rig_publish(g, "toy", body.p, 1, "2024-02-03T00:00:00+08:00");
    assert_non_null(unit_now(g, "u-02", "2024-03-01T00:00:00+08:00"));
    assert_int_equal(table_count(g->store, TABLE_NUMBER), rows - 2);
    struct slice json = wire_history_json(g->chain[g->nchain - 1], g->kept);
    assert_non_null(strstr(json.p, "2 roster changes of the definition before no longer hold"));
    buf_free(&body);
    rig_free(g);
}

/* Renamed, then renamed again, then back: by way of ids that were in force before. */
static void a_chain_ends_with_who_is_there(void **state)
{
    (void)state;
    struct rig *g = rig_started();

    slow(g, "s1", "u-01", "2024-01-05T00:00:00+08:00");
    take(g, "c1", rename_1, "2024-02-01T00:00:00+08:00");
    take(g, "c2",
         "\"from\":\"2024-04-01\",\"units\":[{\"id\":\"u-01\",\"title\":\"旧\",\"roles\":[\"team\"]}],"
         "\"successions\":[{\"from\":[\"u-11\"],\"to\":[\"u-01\"]}]",
         "2024-02-02T00:00:00+08:00");
    clock_at(g, "2024-03-15T00:00:00+08:00");
    assert_slice(card(g, "u-11"), "clear");
    clock_at(g, "2024-04-01T00:00:00+08:00");
    assert_slice(card(g, "u-11"), "");
    assert_slice(card(g, "u-01"), "clear");
    slow(g, "s2", "u-11", "2024-04-02T00:00:00+08:00"); /* by a name that is no more */
    assert_slice(card(g, "u-01"), "yellow");
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_kept_and_survives),
        cmocka_unit_test(what_ends_hands_over_on_its_day),
        cmocka_unit_test(a_refused_change_leaves_nothing),
        cmocka_unit_test(an_undone_change_is_none),
        cmocka_unit_test(the_changelog_brings_it_back),
        cmocka_unit_test(a_definition_brings_its_own_roster),
        cmocka_unit_test(a_chain_ends_with_who_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
