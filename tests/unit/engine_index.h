/* What must hold of the index of timers: each that is armed has an entry at its due instant or before it. */
#ifndef DUBAND_ENGINE_INDEX_H
#define DUBAND_ENGINE_INDEX_H

#include "engine/keys.h"
#include "engine_support.h"

/* The earliest entry that names the timer; INSTANT_MAX: there is none. */
static inline instant_t entry_of(struct store_txn *t, const struct program *p, const struct instance *x,
                                 const struct timer *timer)
{
    const struct machine *m = &p->machines[x->machine];
    struct store_iter *i = store_iter_new(t, TABLE_TIMER);
    struct slice key, value;
    struct timer_key at;
    struct key wanted;
    instant_t due = INSTANT_MAX;

    key_start(&wanted);
    key_name(&wanted, m->name);
    for (size_t n = 0; n < m->nkey; n++)
        key_name(&wanted, x->key[n]);
    for (bool more = store_iter_seek(i, (struct slice){NULL, 0}, &key, &value); more && due == INSTANT_MAX;
         more = store_iter_next(i, &key, &value)) {
        assert_true(key_timer_parse(key, &at));
        if (slice_eq(at.workflow, p->id) && slice_eq(at.instance, key_slice(&wanted)) && at.n == timer->n &&
            slice_eq(at.timer, m->timers[timer->def].name))
            due = at.due;
    }
    store_iter_free(i);
    return due;
}

/* How many timers are armed. exactly: no entry stands anywhere else. */
static inline size_t assert_indexed(struct rig *g, const char *workflow, bool exactly)
{
    struct err e = {{0}};
    struct store_txn *t = store_begin(g->store, false, &e);
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    const struct program *p = engine_program(g->engine, slice_of(workflow));
    struct arena *a = arena_new();
    struct slice key, value;
    struct key prefix;
    size_t armed = 0;

    key_workflow(&prefix, slice_of(workflow));
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         more && key_has_prefix(key, key_slice(&prefix)); more = store_iter_next(i, &key, &value)) {
        const struct instance *x = wire_instance_unpack(p, value, a, &e);

        assert_non_null(x);
        for (size_t n = 0; n < x->ntimers; n++) {
            if (x->timers[n].held)
                continue;
            armed++;
            instant_t entry = entry_of(t, p, x, &x->timers[n]);
            if (exactly ? entry != x->timers[n].due : entry > x->timers[n].due)
                fail_msg("timer %d of %.*s is due at %lld, its entry stands at %lld", x->timers[n].n,
                         SLICE_ARG(p->machines[x->machine].name), (long long)x->timers[n].due, (long long)entry);
        }
    }
    store_iter_free(i);
    store_abort(t);
    arena_free(a);
    if (exactly)
        assert_int_equal(table_count(g->store, TABLE_TIMER), armed);
    return armed;
}

#endif
