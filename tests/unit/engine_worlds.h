/* What must hold of any world: it is what its history says, and what its changelog brings back. */
#ifndef DUBAND_ENGINE_WORLDS_H
#define DUBAND_ENGINE_WORLDS_H

#include "engine/rerun.h"
#include "engine_support.h"

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
    struct buf one = tables_dump(g->store, TABLE_TIMER), two = tables_dump(other->store, TABLE_TIMER);
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.p, two.p, one.n);
    buf_free(&one);
    buf_free(&two);
    rig_free(other);
}

#endif
