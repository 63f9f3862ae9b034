/* Turns: what comes out depends on the records and their order alone. */
#include "engine_index.h"

#include "engine/query.h"

/* ---- a random history of two logs, merged */

#define STREAM_MAX 400

struct stream {
    struct arena *arena;
    struct record r[STREAM_MAX];
    size_t n;
    int64_t next[2];
};

static void stream_add(struct stream *s, const struct cloud_event *e, enum topic topic, instant_t received)
{
    s->r[s->n] = toy_record(s->arena, e, topic, received, s->next[topic]++);
    s->n++;
}

/* Somebody new, or another title; one unit into another, or two into a new one: some days ago, or hence. */
static struct cloud_event random_change(struct stream *s, uint64_t *seed, const char *workflow, const char *id,
                                        instant_t now)
{
    date_t from = (date_t)(now / 86400000) + (date_t)random_between(seed, -3, 20);
    int a = (int)random_between(seed, 0, TOY_UNITS + 1), b = (int)random_between(seed, 0, TOY_UNITS + 1);
    struct slice body, day = date_format(s->arena, from);
    struct slice put = arena_printf(s->arena, "\"units\":[{\"id\":\"u-%02d\",\"title\":\"第%d次\",\"roles\":[\"team\"]}]", b,
                                    (int)random_between(seed, 0, 9));
    int what = (int)random_between(seed, 0, 3);

    if (what == 0)
        body = put;
    else if (what == 1)
        body = arena_printf(s->arena, "%.*s,\"successions\":[{\"from\":[\"u-%02d\"],\"to\":[\"u-%02d\"]}]", SLICE_ARG(put), a, b);
    else
        body = arena_printf(s->arena, "\"successions\":[{\"from\":[\"u-%02d\"],\"to\":[\"u-%02d\"]}]", a, b);
    return toy_event(s->arena, workflow, id, "RosterChange",
                     arena_printf(s->arena, "\"roster_change\":{\"from\":\"%.*s\",%.*s}", SLICE_ARG(day), SLICE_ARG(body)).p);
}

static void random_event(struct stream *s, uint64_t *seed, const char *workflow, instant_t now)
{
    struct slice id = arena_printf(s->arena, "e%d", (int)random_between(seed, 0, STREAM_MAX));
    int unit = (int)random_between(seed, 0, TOY_UNITS); /* one of them does not exist */
    int month = (int)((now - at("2024-01-01T00:00:00+08:00")) / (31 * 86400000LL) +
                      random_between(seed, 0, 2)); /* or near it */
    struct cloud_event e;

    if (random_between(seed, 0, 14) == 0) {
        e = random_change(s, seed, workflow, id.p, now);
        stream_add(s, &e, TOPIC_DEADLINES, now);
        return;
    }
    switch (random_between(seed, 0, 4)) {
    case 0:
        e = toy_clock(s->arena, workflow, id.p);
        stream_add(s, &e, TOPIC_DEADLINES, now);
        return;
    case 1:
        e = toy_slow(s->arena, workflow, id.p, unit, (int)random_between(seed, 0, 110));
        stream_add(s, &e, TOPIC_DEADLINES, now);
        return;
    case 2:
        e = toy_event(s->arena, workflow, id.p, "Fact",
                      "\"fact\":{\"kind\":\"mended\",\"reporter\":\"u-01\",\"fields\":{\"file\":\"f\"}}");
        break;
    default:
        e = toy_submission(s->arena, workflow, id.p, unit, month % 12 + 1);
    }
    stream_add(s, &e, TOPIC_SUBMISSIONS, now);
}

static struct stream *stream_new(uint64_t *seed, size_t n)
{
    static const char *const workflow[] = {"toy", "toy-b", "nowhere"};
    struct stream *s = mem_alloc(sizeof *s);
    instant_t now = at("2024-01-01T00:00:00+08:00");
    struct cloud_event e;

    s->arena = arena_new();
    for (int i = 0; i < 2; i++) {
        toy_definition(s->arena, workflow[i], toy_body, 1, &e);
        stream_add(s, &e, TOPIC_DEADLINES, now);
    }
    while (s->n < n) {
        now += random_between(seed, 0, 3) == 0 ? 0 : random_between(seed, 1, 3 * 86400000LL);
        random_event(s, seed, workflow[random_between(seed, 0, 11) / 5], now);
    }
    return s;
}

static void stream_free(struct stream *s)
{
    arena_free(s->arena);
    free(s);
}

/* Every record, in batches and slices of random sizes; now and then a batch is undone and taken again. */
static struct rig *run_stream(const struct stream *s, uint64_t *seed, int64_t batch_most, bool undo)
{
    struct rig *g = rig_new(false);
    size_t committed = 0;

    for (size_t i = 0; i < s->n;) {
        size_t outputs = g->outputs.n, history = g->history.n, nstate = g->nstate, nchain = g->nchain;
        size_t until = i + (size_t)random_between(seed, 1, batch_most);

        for (; i < s->n && i < until; i++) {
            rig_apply(g, &s->r[i]);
            if (random_between(seed, 0, 2) == 0)
                rig_drain(g, (size_t)random_between(seed, 1, 30));
        }
        if (undo && random_between(seed, 0, 3) == 0) {
            struct err e;

            store_abort(g->txn);
            g->txn = NULL;
            assert_true(engine_forget(g->engine, &e));
            g->outputs.n = outputs;
            g->history.n = history;
            g->nstate = nstate;
            g->nchain = nchain;
            i = committed;
            continue;
        }
        rig_commit(g);
        committed = i;
    }
    while (rig_drain(g, 50) == 50)
        ;
    rig_commit(g);
    return g;
}

/* What one workflow put out, in order: between workflows the order is nobody's promise. */
static struct buf outputs_of(const struct rig *g, const char *workflow)
{
    struct buf b = {0};
    struct history_head head = {0};
    struct err e = {{0}};
    struct arena *a = arena_new();

    for (size_t i = 0; i < g->nchain; i++) {
        struct history_head next = head;

        /* A record of another workflow does not continue this chain. */
        if (strstr(arena_dup(a, wire_history_json(g->chain[i], a)).p,
                   arena_printf(a, "\"workflow\":\"%s\"", workflow).p) == NULL)
            continue;
        if (!wire_history_verify(g->chain[i], &next, &e))
            fail_msg("%s", e.text);
        head = next;
        buf_add(&b, g->chain[i]);
    }
    arena_free(a);
    return b;
}

static void assert_same(struct buf a, struct buf b, const char *what)
{
    if (a.n != b.n || memcmp(a.p, b.p, a.n) != 0)
        fail_msg("%s differ: %zu and %zu bytes", what, a.n, b.n);
    buf_free(&a);
    buf_free(&b);
}

static void batch_boundaries_change_nothing(void **state)
{
    (void)state;
    uint64_t seed = seed_take();

    for (int round = 0; round < 6; round++) {
        struct stream *s = stream_new(&seed, 250);
        struct rig *one = run_stream(s, &seed, 1, false), *many = run_stream(s, &seed, 60, false),
                   *undone = run_stream(s, &seed, 60, true);

        assert_true(one->nchain > 100);
        for (int w = 0; w < 2; w++) {
            const char *id = w == 0 ? "toy" : "toy-b";
            assert_same(outputs_of(one, id), outputs_of(many, id),
                        "histories of one record a batch and of many");
            assert_same(outputs_of(one, id), outputs_of(undone, id),
                        "histories with and without undone batches");
        }
        assert_same(tables_dump(one->store, TABLE_MEASURE), tables_dump(many->store, TABLE_MEASURE),
                    "tables");
        assert_same(tables_dump(one->store, TABLE_MEASURE), tables_dump(undone->store, TABLE_MEASURE),
                    "tables after undone batches");
        struct engine_counters a, b;
        engine_counters(one->engine, &a);
        engine_counters(undone->engine, &b);
        assert_memory_equal(&a, &b, sizeof a);
        rig_free(one);
        rig_free(many);
        rig_free(undone);
        stream_free(s);
    }
}

static void duplicates_change_nothing(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    struct stream *s = stream_new(&seed, 150);
    struct rig *plain = run_stream(s, &seed, 20, false), *g = rig_new(false);

    for (size_t i = 0; i < s->n; i++) {
        struct outcome first = rig_apply(g, &s->r[i]);
        bool applied = first.what == OUTCOME_APPLIED || first.what == OUTCOME_NO_EFFECT ||
                       first.what == OUTCOME_DUPLICATE;
        uint64_t history = first.history;

        /* It comes again, later, at once and by itself. */
        if (applied) {
            struct record again = s->r[i];
            struct outcome second = rig_apply(g, &again);

            assert_int_equal(second.what, OUTCOME_DUPLICATE);
            assert_int_equal(second.history, history);
        }
        rig_commit(g);
    }
    while (rig_drain(g, 50) == 50)
        ;
    rig_commit(g);
    assert_same(outputs_of(plain, "toy"), outputs_of(g, "toy"), "histories with and without duplicates");
    assert_same(tables_dump(plain->store, TABLE_MEASURE), tables_dump(g->store, TABLE_MEASURE),
                "tables with and without duplicates");
    rig_free(plain);
    rig_free(g);
    stream_free(s);
}

/* What history keeps of the inputs, in its order, makes the same history again. */
static void a_replay_equals_the_live_run(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    struct stream *s = stream_new(&seed, 200);
    struct rig *live = run_stream(s, &seed, 40, false), *again = rig_new(false);

    for (size_t i = 0; i < s->n; i++)
        if (slice_eq(s->r[i].key, S("toy")))
            rig_apply(again, &s->r[i]);
    while (rig_drain(again, 7) == 7)
        ;
    rig_commit(again);
    /* Clock records of the other workflow move this one's timers, too: up to the same instant here. */
    struct cloud_event e = toy_clock(again->kept, "toy", "last");
    instant_t last = s->r[s->n - 1].appended;
    struct record clock = toy_record(again->kept, &e, TOPIC_DEADLINES, last, 10000);
    struct record same = toy_record(live->kept, &e, TOPIC_DEADLINES, last, 10000);
    rig_apply(again, &clock);
    rig_apply(live, &same);
    while (rig_drain(again, 7) == 7)
        ;
    while (rig_drain(live, 9) == 9)
        ;
    rig_commit(again);
    rig_commit(live);
    assert_same(outputs_of(live, "toy"), outputs_of(again, "toy"),
                "histories of the live run and of the replay");
    rig_free(live);
    rig_free(again);
    stream_free(s);
}

/* ---- restore */

static struct rig *restore(const struct rig *from, size_t upto, struct rig *into)
{
    struct rig *g = into != NULL ? into : rig_new(false);
    struct err e = {{0}};

    rig_begin(g);
    for (size_t i = 0; i < upto; i++)
        if (engine_restore_state(g->engine, g->txn, from->state[i].table, from->state[i].key,
                                 from->state[i].value, &e) != TURN_DONE)
            fail_msg("%s", e.text);
    if (engine_restored(g->engine, g->txn, &e) != TURN_DONE)
        fail_msg("%s", e.text);
    assert_int_equal(store_commit(g->txn, &e), STORE_OK);
    g->txn = NULL;
    return g;
}

static void a_restored_state_equals_the_lost_one(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    struct stream *s = stream_new(&seed, 200);
    struct rig *live = run_stream(s, &seed, 40, false), *g = restore(live, live->nstate, NULL);
    struct err e = {{0}};

    assert_same(tables_dump(live->store, TABLE_SEEN), tables_dump(g->store, TABLE_SEEN), "state");
    assert_indexed(g, "toy", false);
    assert_int_equal(g->nstate, 0); /* a restore tells no changelog */
    rig_begin(g);
    for (size_t i = 0; i < live->nchain; i++)
        if (engine_restore_history(g->engine, g->txn, live->chain[i], &e) != TURN_DONE)
            fail_msg("%s", e.text);
    assert_int_equal(store_commit(g->txn, &e), STORE_OK);
    g->txn = NULL;
    assert_same(tables_dump(live->store, TABLE_MEASURE), tables_dump(g->store, TABLE_MEASURE), "everything");

    /* Both go on alike. */
    struct cloud_event ev = toy_slow(live->kept, "toy", "afterwards", 3, 5);
    struct record r =
        toy_record(live->kept, &ev, TOPIC_DEADLINES, s->r[s->n - 1].appended + 90 * 86400000LL, 10000);
    live->history.n = g->history.n = 0;
    assert_int_equal(rig_apply(live, &r).what, rig_apply(g, &r).what);
    assert_true(live->history.n > 0);
    assert_int_equal(live->history.n, g->history.n);
    assert_memory_equal(live->history.p, g->history.p, g->history.n);
    rig_free(live);
    rig_free(g);
    stream_free(s);
}

/* One batch behind: the entries of the last one come on top of a state that is there. */
static void a_batch_behind_catches_up(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    struct stream *s = stream_new(&seed, 200);
    struct rig *live = run_stream(s, &seed, 40, false);
    struct rig *g = restore(live, (size_t)random_between(&seed, 3, (int64_t)live->nstate - 1), NULL);

    g = restore(live, live->nstate, g);
    assert_same(tables_dump(live->store, TABLE_SEEN), tables_dump(g->store, TABLE_SEEN), "state");
    assert_indexed(g, "toy", false);
    rig_free(live);
    rig_free(g);
    stream_free(s);
}

/* ---- one record */

static void assert_reason(const struct outcome *out, const char *part)
{
    assert_int_equal(out->what, OUTCOME_REJECTED);
    assert_true(out->nreasons > 0);
    for (size_t i = 0; i < out->nreasons; i++)
        if (memmem(out->reasons[i].p, out->reasons[i].n, part, strlen(part)) != NULL)
            return;
    fail_msg("no reason says \"%s\"; the first: %.*s", part, SLICE_ARG(out->reasons[0]));
}

static void what_is_refused_says_why(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct outcome out;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_slow(g->kept, "elsewhere", "e1", 1, 1);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00Z");
    assert_reason(&out, "toy");
    assert_int_equal(out.history, 0);

    e = toy_slow(g->kept, "toy", "e2", 1, 1);
    out = rig_event(g, &e, TOPIC_SUBMISSIONS, "2024-02-01T00:00:00Z");
    assert_reason(&out, "duban.deadlines");
    e = toy_submission(g->kept, "toy", "e2b", 1, 1);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00Z");
    assert_reason(&out, "duban.submissions");

    e = toy_slow(g->kept, "toy", "e3", 1, 101);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00Z");
    assert_reason(&out, "at most a hundred points");
    assert_true(out.history > 0);

    e.data = S("{");
    e.id = S("e4");
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00Z");
    assert_int_equal(out.what, OUTCOME_REJECTED);

    struct record bare = {.topic = TOPIC_DEADLINES,
                          .appended = at("2024-02-01T00:00:00Z"),
                          .key = S("toy"),
                          .value = S("\xff\x00junk")};
    out = rig_apply(g, &bare);
    assert_int_equal(out.what, OUTCOME_REJECTED);
    struct record keyless = {.topic = TOPIC_SUBMISSIONS, .appended = at("2024-02-01T00:00:00Z")};
    out = rig_apply(g, &keyless);
    assert_int_equal(out.what, OUTCOME_REJECTED);
    rig_commit(g);

    struct engine_counters c;
    engine_counters(g->engine, &c);
    assert_int_equal(c.rejected, 7);
    rig_free(g);
}

static void an_id_stands_for_one_content(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct cloud_event e;
    struct outcome out;
    struct slice json;
    struct err err;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_slow(g->kept, "toy", "same", 1, 101); /* refused: the id is free again */
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-01T00:00:00Z");
    assert_int_equal(out.what, OUTCOME_REJECTED);
    struct store_txn *t = store_begin(g->store, false, &err);
    assert_int_equal(query_event(t, S("portal"), S("same"), g->kept, &json), QUERY_REJECTED);
    assert_non_null(memmem(json.p, json.n, "a hundred points", 16));
    assert_int_equal(query_event(t, S("portal"), S("never"), g->kept, &json), QUERY_UNKNOWN);
    store_abort(t);

    e = toy_slow(g->kept, "toy", "same", 1, 10);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-02T00:00:00Z");
    assert_int_equal(out.what, OUTCOME_APPLIED);
    e = toy_slow(g->kept, "toy", "same", 1, 11);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2024-02-03T00:00:00Z");
    assert_reason(&out, "another event");
    e = toy_slow(g->kept, "toy", "same", 1, 10);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2025-02-03T00:00:00Z");
    assert_int_equal(out.what, OUTCOME_DUPLICATE);
    t = store_begin(g->store, false, &err);
    assert_int_equal(query_event(t, S("portal"), S("same"), g->kept, &json), QUERY_APPLIED);
    assert_non_null(memmem(json.p, json.n, "\"history\":{", 11));
    store_abort(t);

    /* After 400 days and the month's end it is a new one, and the months that are over go. */
    e = toy_slow(g->kept, "toy", "same", 1, 10);
    out = rig_event(g, &e, TOPIC_DEADLINES, "2025-05-01T00:00:00Z");
    assert_int_equal(out.what, OUTCOME_APPLIED);
    for (int i = 0; i < 3; i++) {
        rig_begin(g);
        rig_commit(g);
    }
    assert_int_equal(table_count(g->store, TABLE_SEEN), 1);
    rig_free(g);
}

/* A rejected record has moved the clock all the same; a clock record fires nothing by itself. */
static void records_move_the_clock(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct engine_counters before, after;
    struct cloud_event e;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    engine_counters(g->engine, &before);
    e = toy_slow(g->kept, "toy", "bad", 99, 1);
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2024-01-18T00:00:00+08:00"), 5);
    assert_int_equal(rig_apply(g, &r).what, OUTCOME_REJECTED);
    engine_counters(g->engine, &after);
    assert_true(after.timers >= before.timers + TOY_UNITS); /* reminders, three days before the 20th ends */

    e = toy_clock(g->kept, "toy", "clock");
    r = toy_record(g->kept, &e, TOPIC_DEADLINES, at("2024-02-01T00:00:00+08:00"), 6);
    assert_int_equal(rig_apply(g, &r).what, OUTCOME_CLOCK);
    assert_int_equal(engine_clock_target(g->engine), r.appended);
    engine_counters(g->engine, &before);
    assert_int_equal(before.timers, after.timers);
    assert_true(engine_next_due(g->engine, g->txn) > r.appended);
    assert_true(rig_drain(g, 1000) > TOY_UNITS); /* overdue, and February's tasks */
    assert_int_equal(rig_drain(g, 1000), 0);
    rig_free(g);
}

static void event_time_never_runs_back(void **state)
{
    (void)state;
    struct rig *g = rig_new(true);
    struct cloud_event e;
    struct slice row;
    const char *now = "2026-11-22T00:00:00Z";

    toy_definition(g->kept, "toy", toy_body, 1, &e);
    e.time = at("2024-01-01T00:00:00+08:00");
    assert_int_equal(rig_event(g, &e, TOPIC_DEADLINES, now).what, OUTCOME_APPLIED);
    e = toy_submission(g->kept, "toy", "in-time", 1, 1);
    e.time = at("2024-01-10T00:00:00+08:00");
    assert_int_equal(rig_event(g, &e, TOPIC_SUBMISSIONS, now).what, OUTCOME_APPLIED);

    /* A clock record without a time is not taken for now; one with a time fires what is due by then. */
    e = toy_clock(g->kept, "toy", "c0");
    rig_event(g, &e, TOPIC_DEADLINES, now);
    struct engine_counters c;
    engine_counters(g->engine, &c);
    uint64_t timers = c.timers;
    e = toy_clock(g->kept, "toy", "c1");
    e.time = at("2024-01-22T00:00:00+08:00");
    rig_event(g, &e, TOPIC_DEADLINES, now);
    engine_counters(g->engine, &c);
    assert_int_equal(c.timers, timers + 2 * (TOY_UNITS - 1)); /* a reminder and a warning for all but one */

    /* An earlier time is taken at the time reached, and one in the future at its append. */
    e = toy_submission(g->kept, "toy", "back", 2, 1);
    e.time = at("2024-01-05T00:00:00+08:00");
    rig_event(g, &e, TOPIC_SUBMISSIONS, now);
    row = wire_history_json(g->chain[g->nchain - 1], g->kept);
    assert_non_null(memmem(row.p, row.n, "2024-01-21T16:00:00Z", 20));
    e = toy_submission(g->kept, "toy", "ahead", 3, 1);
    e.time = at("2031-01-05T00:00:00+08:00");
    rig_event(g, &e, TOPIC_SUBMISSIONS, now);
    row = wire_history_json(g->chain[g->nchain - 1], g->kept);
    assert_non_null(memmem(row.p, row.n, now, 20));
    rig_free(g);
}

static void a_closed_engine_opens_as_it_was(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);
    struct err e = {{0}};
    int64_t next[2];

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    struct cloud_event ev = toy_clock(g->kept, "toy", "c");
    rig_event(g, &ev, TOPIC_DEADLINES, "2024-03-01T00:00:00Z");
    rig_begin(g);
    instant_t due = engine_next_due(g->engine, g->txn), target = engine_clock_target(g->engine);
    rig_commit(g);
    size_t chain = g->nchain;

    engine_close(g->engine);
    const struct engine_options o = {.sink = {g, rig_output, rig_state}};
    g->engine = engine_open(g->store, &o, &e);
    assert_non_null(g->engine);
    engine_positions(g->engine, next);
    assert_int_equal(next[1], 2);
    assert_int_equal(engine_clock_target(g->engine), target);
    rig_begin(g);
    assert_int_equal(engine_next_due(g->engine, g->txn), due);
    rig_commit(g);
    assert_non_null(engine_program(g->engine, S("toy")));

    ev = toy_slow(g->kept, "toy", "e", 1, 1);
    rig_event(g, &ev, TOPIC_DEADLINES, "2024-03-02T00:00:00Z");
    assert_int_equal(g->nchain, chain + 1);
    struct history_head head = {0};
    for (size_t i = 0; i < g->nchain; i++)
        assert_true(wire_history_verify(g->chain[i], &head, &e));
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_says_why),
        cmocka_unit_test(an_id_stands_for_one_content),
        cmocka_unit_test(records_move_the_clock),
        cmocka_unit_test(event_time_never_runs_back),
        cmocka_unit_test(a_closed_engine_opens_as_it_was),
        cmocka_unit_test(batch_boundaries_change_nothing),
        cmocka_unit_test(duplicates_change_nothing),
        cmocka_unit_test(a_replay_equals_the_live_run),
        cmocka_unit_test(a_restored_state_equals_the_lost_one),
        cmocka_unit_test(a_batch_behind_catches_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
