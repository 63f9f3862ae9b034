/* What must hold of any world: it is what its history says, and what its changelog brings back. */
#ifndef DUBAND_ENGINE_WORLDS_H
#define DUBAND_ENGINE_WORLDS_H

#include "engine/rerun.h"
#include "engine_index.h"

static inline void assert_same_world(struct rig *g, struct rig *other, const char *what)
{
    struct arena *a = arena_new();
    struct err e;
    struct store_txn *t = store_begin(g->store, false, &e), *o = store_begin(other->store, false, &e);
    struct instance_key key;

    struct slice differs = difference_first(t, o, S("toy"), a);
    store_abort(o);
    store_abort(t);
    if (differs.p != NULL && key_instance_parse(differs, &key))
        fail_msg("%s: %.*s/%.*s differs", what, SLICE_ARG(key.machine), SLICE_ARG(key.part[0]));
    arena_free(a);
}

/* History, run again, is the world that lives. */
static inline void assert_own_history(struct rig *g, const char *what)
{
    struct arena *a = arena_new();
    struct err e = {{0}};
    struct slice differs;
    struct store_txn *t = store_begin(g->store, false, &e);

    assert_int_equal(rerun_verify(g->engine, t, S("toy"), a, &differs, &e), TURN_DONE);
    store_abort(t);
    if (differs.p != NULL) {
        for (size_t i = 0; i < differs.n; i++)
            print_message("%c", differs.p[i] ? differs.p[i] : '/');
        fail_msg(": %s: it differs from its own history", what);
    }
    arena_free(a);
}

static inline void assert_same_tables(struct rig *g, struct rig *other, enum table_id last, const char *what)
{
    struct buf one = tables_dump(g->store, last), two = tables_dump(other->store, last);

    if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
        fail_msg("%s: other tables, of %zu bytes, not %zu", what, two.n, one.n);
    buf_free(&one);
    buf_free(&two);
}

/* What history tells of itself comes behind the state. */
static inline void take_history(struct rig *g, struct rig *into)
{
    struct err e = {{0}};

    rig_begin(into);
    for (size_t i = 0; i < g->nchain; i++)
        if (engine_restore_history(into->engine, into->txn, g->chain[i], &e) != TURN_DONE)
            fail_msg("%s", e.text);
    assert_int_equal(store_commit(into->txn, &e), STORE_OK);
    into->txn = NULL;
}

/* All of it at once, into an empty store. */
static inline void assert_loadable(struct rig *g)
{
    struct rig *other = rig_new(false);
    struct err e = {{0}};
    struct engine_load *l = engine_load_new(other->engine, "/tmp");

    for (size_t i = 0; i < g->nstate; i++)
        if (engine_load_put(l, g->state[i].table, g->state[i].key, g->state[i].value, &e) != TURN_DONE)
            fail_msg("%s", e.text);
    for (bool done = false; !done;) {
        struct store_txn *t = store_begin(other->store, true, &e);

        assert_int_equal(engine_load_step(l, t, &done, &e), TURN_DONE);
        assert_int_equal(store_commit(t, &e), STORE_OK);
    }
    engine_load_free(l);
    assert_true(engine_forget(other->engine, &e));
    assert_same_tables(g, other, TABLE_SEEN, "a whole changelog");
    assert_indexed(other, "toy", true);
    take_history(g, other);
    assert_same_tables(g, other, TABLE_WITHDRAWN, "a whole changelog, and history");
    rig_free(other);
}

/* The changelog tells all of it: whoever takes the partition over has the same state. */
static inline void assert_restorable(struct rig *g)
{
    struct rig *other = rig_new(false);
    struct err e = {{0}};

    rig_begin(other);
    for (size_t i = 0; i < g->nstate; i++)
        if (engine_restore_state(other->engine, other->txn, g->state[i].table, g->state[i].key,
                                 g->state[i].value, &e) != TURN_DONE)
            fail_msg("%s", e.text);
    assert_int_equal(engine_restored(other->engine, other->txn, &e), TURN_DONE);
    memcpy(other->next, g->next, sizeof other->next);
    rig_commit(other);
    assert_same_tables(g, other, TABLE_SEEN, "the changelog");
    assert_indexed(g, "toy", false);
    assert_indexed(other, "toy", false);
    take_history(g, other);
    assert_same_tables(g, other, TABLE_WITHDRAWN, "the changelog, and history");
    rig_free(other);
    assert_loadable(g);
}

#endif
