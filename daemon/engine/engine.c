/* The engine and what it keeps between batches. */
#include "engine/flow.h"

#include <stdlib.h>

/* ---- the store, with its failures as a turn's */

static enum turn_status status_of(struct store_txn *t, enum store_status st, struct err *err)
{
    if (st == STORE_OK || st == STORE_NOT_FOUND)
        return TURN_DONE;
    err_set(err, "%s", store_txn_error(t));
    return st == STORE_FULL ? TURN_STORE_FULL : TURN_FAILED;
}

enum turn_status engine_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                            struct err *err)
{
    return status_of(t, store_put(t, table, key, value), err);
}

enum turn_status engine_append(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                               struct err *err)
{
    return status_of(t, store_append(t, table, key, value), err);
}

enum turn_status engine_delete(struct store_txn *t, enum table_id table, struct slice key, struct err *err)
{
    return status_of(t, store_delete(t, table, key), err);
}

enum turn_status engine_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value,
                            bool *found, struct err *err)
{
    enum store_status st = store_get(t, table, key, value);

    *found = st == STORE_OK;
    return status_of(t, st, err);
}

bool state_is_told(const struct engine *e)
{
    return e->options.sink.state != NULL && !e->muted;
}

void state_tell(struct engine *e, enum table_id table, struct slice key, struct slice value)
{
    if (state_is_told(e))
        e->options.sink.state(e->options.sink.ctx, table, key, value);
}

enum turn_status state_put(struct engine *e, struct store_txn *t, enum table_id table, struct slice key,
                           struct slice value, struct err *err)
{
    enum turn_status st = engine_put(t, table, key, value, err);

    if (st == TURN_DONE)
        state_tell(e, table, key, value);
    return st;
}

enum turn_status state_delete(struct engine *e, struct store_txn *t, enum table_id table, struct slice key,
                              struct err *err)
{
    enum turn_status st = engine_delete(t, table, key, err);

    if (st == TURN_DONE)
        state_tell(e, table, key, (struct slice){NULL, 0});
    return st;
}

void engine_output(struct engine *e, const struct record *r)
{
    if (r->topic != TOPIC_HISTORY && r->topic != TOPIC_REJECTED)
        e->counters.outputs++;
    if (e->options.sink.output != NULL)
        e->options.sink.output(e->options.sink.ctx, r);
}

void engine_touch(struct engine *e)
{
    if (e->in_batch && !e->batch_ended)
        return;
    e->before = e->counters;
    e->in_batch = true;
    e->batch_ended = false;
}

/* ---- what META holds */

static enum turn_status meta_load(struct engine *e, struct store_txn *t, struct err *err)
{
    struct slice value;
    bool found;

    e->target = INSTANT_NONE;
    e->next[0] = e->next[1] = 0;
    e->batch = 0;
    enum turn_status st = engine_get(t, TABLE_META, META_CLOCK, &value, &found, err);
    if (st == TURN_DONE && found && value.n == 8)
        e->target = get_be64s((const unsigned char *)value.p);
    if (st == TURN_DONE)
        st = engine_get(t, TABLE_META, META_POSITIONS, &value, &found, err);
    if (st == TURN_DONE && found && value.n == 16) {
        e->next[0] = get_be64s((const unsigned char *)value.p);
        e->next[1] = get_be64s((const unsigned char *)value.p + 8);
    }
    if (st == TURN_DONE)
        st = engine_get(t, TABLE_META, META_BATCH, &value, &found, err);
    if (st == TURN_DONE && found && value.n == 8)
        e->batch = get_be64((const unsigned char *)value.p);
    return st;
}

static enum turn_status meta_store(struct engine *e, struct store_txn *t, const int64_t next[2], uint64_t batch,
                                   struct err *err)
{
    unsigned char byte[16];
    enum turn_status st = TURN_DONE;

    if (e->target_dirty) {
        put_be64s(byte, e->target);
        st = engine_put(t, TABLE_META, META_CLOCK, (struct slice){(const char *)byte, 8}, err);
    }
    put_be64s(byte, next[0]);
    put_be64s(byte + 8, next[1]);
    if (st == TURN_DONE)
        st = engine_put(t, TABLE_META, META_POSITIONS, (struct slice){(const char *)byte, 16}, err);
    put_be64(byte, batch);
    if (st == TURN_DONE)
        st = engine_put(t, TABLE_META, META_BATCH, (struct slice){(const char *)byte, 8}, err);
    return st;
}

/* ---- loading */

static void drop_caches(struct engine *e)
{
    for (size_t i = 0; i < e->nflows; i++)
        flow_free(e->flows[i]);
    e->nflows = 0;
    e->months.n = 0;
    e->months.known = false;
    chunk_forget(e);
    e->target_dirty = false;
    e->in_batch = false;
}

static enum turn_status is_stale(struct store_txn *t, struct slice workflow, bool *stale, struct err *err)
{
    struct key key;
    struct slice value;

    key_start(&key);
    key_bytes(&key, S(META_REINDEX));
    key_bytes(&key, workflow);
    return engine_get(t, TABLE_META, key_slice(&key), &value, stale, err);
}

static bool load_flow(struct engine *e, struct store_txn *t, struct slice workflow, struct slice stored,
                      struct err *err)
{
    struct definition *d = definition_load(t, workflow, stored, err);

    if (d == NULL)
        return false;
    struct flow *f = flow_add(e, workflow);
    flow_set_definition(f, d);
    return flow_load(f, t, err) == TURN_DONE && is_stale(t, workflow, &f->stale, err) == TURN_DONE;
}

static bool load(struct engine *e, struct store_txn *t, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_DEFINITION);
    struct slice workflow, stored;
    bool ok = meta_load(e, t, err) == TURN_DONE;

    for (bool more = store_iter_seek(i, (struct slice){NULL, 0}, &workflow, &stored); ok && more;
         more = store_iter_next(i, &workflow, &stored))
        ok = load_flow(e, t, workflow, stored, err);
    store_iter_free(i);
    return ok;
}

/* The definitions that were held stay compiled until the new ones are in. */
bool engine_forget(struct engine *e, struct err *err)
{
    size_t nheld = e->nflows;
    struct definition **held = mem_alloc((nheld + 1) * sizeof(struct definition *));
    bool undone = e->in_batch;

    for (size_t i = 0; i < nheld; i++)
        if (e->flows[i]->definition != NULL)
            held[i] = definition_hold(e->flows[i]->definition);
    drop_caches(e);
    if (undone)
        e->counters = e->before;

    struct store_txn *t = store_begin(e->store, false, err);
    bool ok = t != NULL && load(e, t, err);
    store_abort(t);
    for (size_t i = 0; i < nheld; i++)
        definition_release(held[i]);
    free(held);
    return ok;
}

struct engine *engine_open(struct store *s, const struct engine_options *o, struct err *err)
{
    struct engine *e = mem_alloc(sizeof *e);

    e->store = s;
    if (o != NULL)
        e->options = *o;
    e->scratch = arena_new();
    if (engine_forget(e, err))
        return e;
    engine_close(e);
    return NULL;
}

void engine_close(struct engine *e)
{
    if (e == NULL)
        return;
    drop_caches(e);
    free(e->flows);
    free(e->months.month);
    buf_free(&e->chunk.packed);
    arena_free(e->scratch);
    free(e);
}

void engine_lacks_history(struct engine *e, bool lacks)
{
    e->lacks_history = lacks;
}

void engine_tell_reads(struct engine *e, const struct engine_reader *r)
{
    e->reader = r;
}

void engine_watch(struct engine *e, const struct watch *w)
{
    e->watch = w;
}

/* ---- positions, programs, counters */

void engine_positions(struct engine *e, int64_t next[2])
{
    next[0] = e->next[0];
    next[1] = e->next[1];
}

enum turn_status engine_set_positions(struct engine *e, struct store_txn *t, const int64_t next[2],
                                      struct err *err)
{
    enum turn_status st = meta_store(e, t, next, e->batch + 1, err);

    for (size_t i = 0; st == TURN_DONE && i < e->nflows; i++)
        if (e->flows[i]->dirty)
            st = flow_store(e, t, e->flows[i], err);
    if (st == TURN_DONE)
        st = chunk_end(e, t, err);
    if (st == TURN_DONE)
        st = seen_drop(e, t, err);
    if (st != TURN_DONE)
        return st;
    e->batch++;
    e->target_dirty = false;
    e->next[0] = next[0];
    e->next[1] = next[1];
    e->batch_ended = true;
    return TURN_DONE;
}

instant_t engine_clock_target(struct engine *e)
{
    return e->target;
}

instant_t engine_next_due(struct engine *e, struct store_txn *t)
{
    instant_t earliest = INSTANT_MAX;

    for (size_t i = 0; i < e->nflows; i++) {
        instant_t due = flow_due_after(e, e->flows[i], t);

        if (due < earliest)
            earliest = due;
    }
    return earliest;
}

enum turn_status engine_restore_marker(struct engine *e, struct store_txn *t, const struct marker *m,
                                       struct err *err)
{
    e->target = m->clock_target > e->target ? m->clock_target : e->target;
    e->target_dirty = true;
    enum turn_status st = meta_store(e, t, m->input_next, m->batch, err);
    if (st == TURN_DONE) {
        e->target_dirty = false;
        e->batch = m->batch;
        memcpy(e->next, m->input_next, sizeof e->next);
    }
    return st;
}

size_t engine_definitions(const struct engine *e, struct definition **held, size_t max)
{
    for (size_t i = 0; i < e->nflows && i < max; i++)
        held[i] = definition_hold(e->flows[i]->definition);
    return e->nflows;
}

const struct program *engine_program(const struct engine *e, struct slice workflow)
{
    const struct flow *f = flow_find(e, workflow);

    return f != NULL ? f->program : NULL;
}

size_t engine_programs(const struct engine *e, const struct program **out, size_t max)
{
    for (size_t i = 0; i < e->nflows && i < max; i++)
        out[i] = e->flows[i]->program;
    return e->nflows;
}

void engine_counters(const struct engine *e, struct engine_counters *out)
{
    *out = e->counters;
}
