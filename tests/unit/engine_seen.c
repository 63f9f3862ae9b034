/* Ids that were seen, in the changelog: many in a record, and back from it. */
#include "engine_worlds.h"

static struct rig *rig_started(void)
{
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    return g;
}

/* No batch of its own. */
static struct outcome give(struct rig *g, const char *id, int points, const char *received)
{
    struct cloud_event e = toy_slow(g->kept, "toy", id, 1, points);
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, at(received), g->next[TOPIC_DEADLINES]);

    return rig_apply(g, &r);
}

/* What the changelog was told since `from`: chunks, or that they are gone. */
static size_t chunks(const struct rig *g, size_t from, bool gone)
{
    size_t n = 0;

    for (size_t i = from; i < g->nstate; i++) {
        assert_int_not_equal(g->state[i].table, TABLE_SEEN);
        n += g->state[i].table == TABLE_SEEN_CHUNK && (g->state[i].value.p == NULL) == gone;
    }
    return n;
}

/* ---- back from the changelog */

/* Those of its entries that compaction leaves when it comes by now, in their order. */
static bool is_left(const struct rig *g, size_t i)
{
    for (size_t later = i + 1; later < g->nstate; later++)
        if (g->state[later].table == g->state[i].table && slice_eq(g->state[later].key, g->state[i].key))
            return false;
    return g->state[i].value.p != NULL;
}

static struct rig *by_entry(const struct rig *g, bool compacted)
{
    struct rig *back = rig_new(false);
    struct err e = {{0}};

    rig_begin(back);
    for (size_t i = 0; i < g->nstate; i++)
        if ((!compacted || is_left(g, i)) && engine_restore_state(back->engine, back->txn, g->state[i].table, g->state[i].key,
                                                                  g->state[i].value, &e) != TURN_DONE)
            fail_msg("%s", e.text);
    assert_int_equal(engine_restored(back->engine, back->txn, &e), TURN_DONE);
    assert_int_equal(store_commit(back->txn, &e), STORE_OK);
    back->txn = NULL;
    memcpy(back->next, g->next, sizeof g->next);
    return back;
}

static struct rig *by_load(const struct rig *g, bool compacted)
{
    struct rig *back = rig_new(false);
    struct err e = {{0}};
    struct engine_load *l = engine_load_new(back->engine, "/tmp");

    for (size_t i = 0; i < g->nstate; i++)
        if ((!compacted || is_left(g, i)) &&
            engine_load_put(l, g->state[i].table, g->state[i].key, g->state[i].value, &e) != TURN_DONE)
            fail_msg("%s", e.text);
    for (bool done = false; !done;) {
        struct store_txn *t = store_begin(back->store, true, &e);

        assert_int_equal(engine_load_step(l, t, &done, &e), TURN_DONE);
        assert_int_equal(store_commit(t, &e), STORE_OK);
    }
    engine_load_free(l);
    assert_true(engine_forget(back->engine, &e));
    memcpy(back->next, g->next, sizeof g->next);
    return back;
}

static struct rig *(*const ways[])(const struct rig *g, bool compacted) = {by_entry, by_load};

/* ---- */

static void a_batch_tells_its_ids_together(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    size_t before = g->nstate;

    for (int i = 0; i < 20; i++)
        assert_int_equal(give(g, arena_printf(g->kept, "e%d", i).p, 10, "2024-02-01T00:00:00Z").what, OUTCOME_APPLIED);
    assert_int_equal(chunks(g, before, false), 0);
    rig_commit(g);
    assert_int_equal(chunks(g, before, false), 1);
    rig_begin(g);
    rig_commit(g);
    assert_int_equal(chunks(g, before, false), 1); /* nothing was seen, nothing is told */

    give(g, "january", 10, "2024-02-29T15:59:59Z");
    give(g, "march", 10, "2024-03-02T00:00:00Z");
    rig_commit(g);
    assert_int_equal(chunks(g, before, false), 3);
    for (size_t i = 0; i < g->nstate; i++)
        assert_true(is_left(g, i) || g->state[i].table != TABLE_SEEN_CHUNK); /* no batch takes another's key */
    assert_restorable(g);
    rig_free(g);
}

/* What was refused is told again when it is applied: the later entry holds, in one batch or in another. */
static void a_restored_id_is_known(void **state)
{
    (void)state;
    struct rig *g = rig_started();

    assert_int_equal(give(g, "same batch", 101, "2024-02-01T00:00:00Z").what, OUTCOME_REJECTED);
    assert_int_equal(give(g, "same batch", 10, "2024-02-01T00:00:00Z").what, OUTCOME_APPLIED);
    assert_int_equal(give(g, "other batch", 101, "2024-02-01T00:00:00Z").what, OUTCOME_REJECTED);
    assert_int_equal(give(g, "only refused", 101, "2024-02-01T00:00:00Z").what, OUTCOME_REJECTED);
    rig_commit(g);
    assert_int_equal(give(g, "other batch", 10, "2024-02-02T00:00:00Z").what, OUTCOME_APPLIED);
    rig_commit(g);
    for (int way = 0; way < 4; way++) {
        struct rig *back = ways[way / 2](g, way % 2 != 0);

        assert_int_equal(table_count(back->store, TABLE_SEEN), table_count(g->store, TABLE_SEEN));
        assert_int_equal(give(back, "same batch", 10, "2024-03-03T00:00:00Z").what, OUTCOME_DUPLICATE);
        assert_int_equal(give(back, "other batch", 10, "2024-03-03T00:00:00Z").what, OUTCOME_DUPLICATE);
        assert_int_equal(give(back, "other batch", 11, "2024-03-03T00:00:00Z").what, OUTCOME_REJECTED);
        assert_int_equal(give(back, "only refused", 10, "2024-03-03T00:00:00Z").what, OUTCOME_APPLIED);
        rig_commit(back);
        rig_free(back);
    }
    rig_free(g);
}

static void an_undone_batch_leaves_nothing(void **state)
{
    (void)state;
    struct rig *g = rig_started();
    struct err e = {{0}};

    for (int ended = 0; ended < 2; ended++) {
        size_t before = g->nstate;

        give(g, "undone", 10, "2024-02-01T00:00:00Z");
        if (ended)
            assert_int_equal(engine_set_positions(g->engine, g->txn, g->next, &e), TURN_DONE);
        store_abort(g->txn);
        g->txn = NULL;
        assert_true(engine_forget(g->engine, &e));
        g->nstate = before; /* nor is it in the changelog */
        assert_int_equal(give(g, "done", 10, "2024-02-01T00:00:00Z").what, ended ? OUTCOME_DUPLICATE : OUTCOME_APPLIED);
        rig_commit(g);
        assert_int_equal(chunks(g, before, false), ended ? 0 : 1);
    }
    for (int way = 0; way < 2; way++) {
        struct rig *back = ways[way](g, false);

        assert_int_equal(give(back, "done", 10, "2024-02-02T00:00:00Z").what, OUTCOME_DUPLICATE);
        assert_int_equal(give(back, "undone", 10, "2024-02-02T00:00:00Z").what, OUTCOME_APPLIED);
        rig_free(back);
    }
    rig_free(g);
}

/* A turn that only replays or restores tells no changelog, and keeps nothing for it. */
static void nothing_is_kept_where_nobody_is_told(void **state)
{
    (void)state;
    struct err e = {{0}};
    struct rig *g = rig_new(false);

    engine_close(g->engine);
    g->engine = engine_open(g->store, &(struct engine_options){.sink = {.ctx = g, .output = rig_output}}, &e);
    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    for (int i = 0; i < 20; i++)
        give(g, arena_printf(g->kept, "e%d", i).p, 10, "2024-02-01T00:00:00Z");
    rig_commit(g);
    assert_int_equal(table_count(g->store, TABLE_SEEN), 21);
    assert_int_equal(table_count(g->store, TABLE_SEEN_CHUNK), 0);
    rig_free(g);
}

static void many_ids_are_several_records(void **state)
{
    (void)state;
    static const struct {
        size_t n, width, least;
    } runs[] = {{2500, 5, 3}, {1000, 280, 2}}; /* by their number, and by their bytes */

    for (size_t run = 0; run < 2; run++) {
        struct rig *g = rig_started();
        size_t before = g->nstate;

        for (size_t i = 0; i < runs[run].n; i++)
            give(g, arena_printf(g->kept, "%0*zu", (int)runs[run].width, i).p, 10, "2024-02-01T00:00:00Z");
        rig_commit(g);
        assert_int_equal(chunks(g, before, false), runs[run].least);
        assert_int_equal(table_count(g->store, TABLE_SEEN_CHUNK), runs[run].least + 1);
        for (size_t i = before; i < g->nstate; i++)
            assert_true(g->state[i].value.n < 300000);
        assert_restorable(g);
        rig_free(g);
    }
}

/* ---- expired */

/* One batch, which drops what it may. */
static void look_up(struct rig *g)
{
    rig_begin(g);
    rig_commit(g);
}

#define OLD 2300

/* The publication and the old ids in January, one that counts a year and a half later. */
static struct rig *rig_expired(void)
{
    struct rig *g = rig_started();

    for (int i = 0; i < OLD; i++)
        give(g, arena_printf(g->kept, "old %d", i).p, 10, "2024-01-20T00:00:00Z");
    rig_commit(g);
    assert_int_equal(table_count(g->store, TABLE_SEEN), OLD + 1);
    assert_int_equal(table_count(g->store, TABLE_SEEN_CHUNK), 4);
    give(g, "new", 10, "2025-06-01T00:00:00Z");
    while (rig_drain(g, 1000) == 1000)
        ;
    return g;
}

static void an_expired_month_goes_here_and_there(void **state)
{
    (void)state;
    struct rig *g = rig_expired();
    size_t batches = 0, before = g->nstate;

    for (; table_count(g->store, TABLE_SEEN) > 1 && batches < 10; batches++) {
        size_t had = table_count(g->store, TABLE_SEEN);

        look_up(g);
        assert_true(had - table_count(g->store, TABLE_SEEN) <= 2000); /* a batch does not stall */
    }
    look_up(g);
    assert_true(batches > 1 && batches < 10);
    assert_int_equal(table_count(g->store, TABLE_SEEN), 1);
    assert_int_equal(table_count(g->store, TABLE_SEEN_CHUNK), 1);
    assert_int_equal(chunks(g, before, true), 4);
    before = g->nstate;
    look_up(g);
    assert_int_equal(g->nstate, before);
    assert_restorable(g); /* whoever follows it, or loads all of it, has got rid of them, too */
    struct rig *back = by_entry(g, true);
    assert_int_equal(table_count(back->store, TABLE_SEEN), 1);
    rig_free(back);
    rig_free(g);
}

/* Lost in the middle of it: what the changelog still has comes back, and goes. */
static void dropping_goes_on_after_a_restore(void **state)
{
    (void)state;
    struct rig *g = rig_expired();

    look_up(g);
    assert_in_range(table_count(g->store, TABLE_SEEN_CHUNK), 2, 4);
    for (int way = 0; way < 4; way++) {
        struct rig *back = ways[way / 2](g, way % 2 != 0);

        assert_int_equal(table_count(back->store, TABLE_SEEN_CHUNK), table_count(g->store, TABLE_SEEN_CHUNK));
        assert_true(table_count(back->store, TABLE_SEEN) > 1);
        assert_int_equal(give(back, "old 5", 11, "2025-06-01T00:00:00Z").what, OUTCOME_APPLIED); /* none of them counts */
        for (int i = 0; i < 6; i++)
            look_up(back);
        assert_int_equal(table_count(back->store, TABLE_SEEN), 2);
        assert_int_equal(table_count(back->store, TABLE_SEEN_CHUNK), 2);
        assert_int_equal(chunks(back, 0, true), table_count(g->store, TABLE_SEEN_CHUNK) - 1);
        rig_free(back);
    }
    rig_free(g);
}

/* ---- what is no chunk */

static void assert_refused(struct slice key, struct slice value, const char *why)
{
    struct rig *g = rig_started();
    struct engine_load *l = engine_load_new(g->engine, "/tmp");
    struct err e = {{0}};

    rig_begin(g);
    assert_int_equal(engine_restore_state(g->engine, g->txn, TABLE_SEEN_CHUNK, key, value, &e), TURN_FAILED);
    if (strstr(e.text, why) == NULL)
        fail_msg("%s", e.text);
    e.text[0] = 0;
    assert_int_equal(engine_load_put(l, TABLE_SEEN_CHUNK, key, value, &e), TURN_FAILED);
    assert_non_null(strstr(e.text, why));
    engine_load_free(l);
    rig_free(g);
}

static void damage_is_told(void **state)
{
    (void)state;
    struct key k;
    struct buf chunk = {0};
    char longest[600];

    key_seen_chunk(&k, 650, 7, 0);
    assert_refused(key_slice(&k), S("\x0a\x7f garbage"), "chunk of seen ids of 10 bytes cannot be read");
    assert_refused(S("short"), S(""), "has 5 bytes, not 16");

    memset(longest, 'x', sizeof longest);
    const struct seen_entry bad[] = {{S(""), S("0123456789abcdef01234567")},
                                     {S("no name's end"), S("0123456789abcdef01234567")},
                                     {S("toy\0portal\0id"), S("short")},
                                     {{longest, sizeof longest}, S("0123456789abcdef01234567")}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buf_clear(&chunk);
        wire_seen_add(&chunk, (struct seen_entry){S("toy\0portal\0id"), S("0123456789abcdef01234567")});
        wire_seen_add(&chunk, bad[i]);
        assert_refused(key_slice(&k), buf_slice(&chunk), "entry 1 of a chunk of 2 seen ids is none");
    }
    buf_free(&chunk);

    struct rig *g = rig_started();
    struct err e = {{0}};
    rig_begin(g);
    assert_int_equal(engine_restore_state(g->engine, g->txn, TABLE_SEEN, S("k"), S("v"), &e), TURN_FAILED);
    assert_non_null(strstr(e.text, "not state"));
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_tells_its_ids_together),
        cmocka_unit_test(a_restored_id_is_known),
        cmocka_unit_test(an_undone_batch_leaves_nothing),
        cmocka_unit_test(nothing_is_kept_where_nobody_is_told),
        cmocka_unit_test(many_ids_are_several_records),
        cmocka_unit_test(an_expired_month_goes_here_and_there),
        cmocka_unit_test(dropping_goes_on_after_a_restore),
        cmocka_unit_test(damage_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
