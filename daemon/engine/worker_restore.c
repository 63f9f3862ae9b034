/* A partition's state comes back: where it stands, what the changelog and history bring, ready to serve. On the
 * worker's thread, from inside bus poll. */
#include "engine/worker_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/keys.h"

/* ---- where it stands */

static bool read_position(struct partition *p, struct store_txn *t, struct bus_position *out, struct err *e)
{
    struct slice value;

    p->batch = store_get(t, TABLE_META, META_BATCH, &value) == STORE_OK && value.n == 8
                   ? get_be64((const unsigned char *)value.p)
                   : 0;
    out->batch = p->batch;
    if (store_get(t, TABLE_META, META_POSITIONS, &value) == STORE_OK)
        engine_positions(p->engine, out->input_next);
    return bus_kafka_positions(t, &out->changelog_next, &out->history_next, e);
}

void partition_where(void *ctx, int id, struct bus_position *out)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, false, &why);

    *out = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    if (t == NULL || !read_position(p, t, out, &why))
        partition_trouble(p, "its positions cannot be read: %s", why.text);
    store_abort(t);
}

bool partition_is_whole(struct partition *p)
{
    struct err why;
    struct slice value;
    struct store_txn *t = store_begin(p->store, false, &why);
    bool whole = t != NULL && store_get(t, TABLE_META, META_BATCH, &value) == STORE_OK &&
                 store_get(t, TABLE_META, S(BUS_META_PIECE), &value) == STORE_NOT_FOUND;

    store_abort(t);
    return whole;
}

/* ---- restore */

static enum turn_status put_batch(struct partition *p, struct store_txn *t, const struct marker *m,
                                  struct err *e)
{
    if (store_put(t, TABLE_META, META_OWNER, m->owner_url) != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        return TURN_FAILED;
    }
    p->batch = m->batch;
    return engine_restore_marker(p->engine, t, m, e);
}

static enum turn_status restore_records(struct partition *p, struct store_txn *t, const struct record *r,
                                        size_t n, const struct marker *m, struct err *e)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < n; i++) {
        enum table_id table;
        struct slice key, value;

        if (r[i].topic == TOPIC_HISTORY)
            st = engine_restore_history(p->engine, t, r[i].value, e);
        else if (bus_kafka_state(&r[i], &table, &key, &value))
            st = engine_restore_state(p->engine, t, table, key, value, e);
    }
    return st == TURN_DONE && m != NULL ? put_batch(p, t, m, e) : st;
}

/* ---- a whole changelog into an empty store */

/* The last batch that is whole; what came behind it are parts of one that is not. */
struct loading {
    struct engine_load *load;
    bool any, put; /* put: all is in the store, but for this */
    struct marker marker;
    char owner[256]; /* its owner_url */
    int64_t next;
    int64_t began;
    uint64_t records;
};

void partition_drop_load(struct partition *p)
{
    if (p->loading != NULL)
        engine_load_free(p->loading->load);
    free(p->loading);
    p->loading = NULL;
}

/* Its store failed. Whatever was begun begins again with `acquire`. */
static bool unrestored(struct partition *p, const struct err *why)
{
    struct err also;

    p->serving = false;
    partition_hide(p);
    partition_drop_load(p);
    engine_forget(p->engine, &also);
    partition_trouble(p, "its state cannot be restored: %s; it is tried again", why->text);
    return false;
}

/* What an attempt before has left is thrown away; whose the state is stays on record. */
static bool empty(struct partition *p, struct err *e)
{
    char origin[2048];
    struct slice value = {NULL, 0};
    struct store_txn *t = store_begin(p->store, true, e);

    if (t == NULL)
        return false;
    if (store_get(t, TABLE_META, S(BUS_META_ORIGIN), &value) == STORE_OK && value.n <= sizeof origin) {
        memcpy(origin, value.p, value.n);
        value.p = origin;
    }
    enum store_status st = store_clear(t);
    if (st == STORE_OK && value.p == origin)
        st = store_put(t, TABLE_META, S(BUS_META_ORIGIN), value);
    if (st == STORE_OK)
        return store_commit(t, e) == STORE_OK && engine_forget(p->engine, e);
    err_set(e, "%s", store_txn_error(t));
    store_abort(t);
    return false;
}

bool partition_load(void *ctx, int id)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};
    char folder[4096];

    partition_hide(p);
    partition_drop_load(p);
    if (!store_unsettle(p->store, &why) || !empty(p, &why))
        return unrestored(p, &why);
    snprintf(folder, sizeof folder, "%s/partition-%d", p->registry->data, p->id);
    p->loading = mem_alloc(sizeof *p->loading);
    p->loading->load = engine_load_new(p->engine, folder);
    p->loading->began = worker_monotonic();
    return true;
}

static bool keep_aside(struct partition *p, const struct record *r, size_t n, const struct marker *m, int64_t next,
                       struct err *e)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < n; i++) {
        enum table_id table;
        struct slice key, value;

        if (bus_kafka_state(&r[i], &table, &key, &value))
            st = engine_load_put(p->loading->load, table, key, value, e);
    }
    p->loading->records += n;
    if (m != NULL) {
        p->loading->any = true;
        p->loading->marker = *m;
        snprintf(p->loading->owner, sizeof p->loading->owner, "%.*s", SLICE_ARG(m->owner_url));
        p->loading->marker.owner_url = slice_of(p->loading->owner);
        p->loading->next = next;
    }
    return st == TURN_DONE;
}

static enum turn_status load_slice(struct partition *p, struct store_txn *t, struct err *e)
{
    struct loading *l = p->loading;

    if (!l->put)
        return engine_load_step(l->load, t, &l->put, e);
    if (!l->any)
        return TURN_DONE;
    enum turn_status st = put_batch(p, t, &l->marker, e);
    if (st == TURN_DONE && bus_kafka_restored(t, NULL, 0, &l->marker, l->next) != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        return TURN_FAILED;
    }
    return st;
}

static bool loaded(struct partition *p, struct err *e)
{
    struct loading *l = p->loading;

    if (!engine_forget(p->engine, e) || !store_settle(p->store, e))
        return false;
    if (l->any)
        log_info("partition %d: %llu records of its state are in after %lld ms", p->id,
                 (unsigned long long)l->records, (long long)(worker_monotonic() - l->began));
    partition_drop_load(p);
    return true;
}

#define SETTLE_MS 100

enum bus_settled partition_settle(void *ctx, int id)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};
    int64_t until = worker_monotonic() + SETTLE_MS;
    bool ok = true, last = false;

    if (p->loading == NULL)
        return BUS_SETTLED;
    while (ok && !last && worker_monotonic() < until) {
        struct store_txn *t = store_begin(p->store, true, &why);

        last = p->loading->put;
        ok = t != NULL && load_slice(p, t, &why) == TURN_DONE;
        if (ok)
            ok = store_commit(t, &why) == STORE_OK;
        else
            store_abort(t);
    }
    if (ok && !last)
        return BUS_AGAIN;
    if (ok && loaded(p, &why))
        return BUS_SETTLED;
    unrestored(p, &why);
    return BUS_UNSETTLED;
}

/* ---- batch by batch, and history */

static bool put_records(struct partition *p, const struct record *r, size_t n, const struct marker *m, int64_t next)
{
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, true, &why);
    bool ok = t != NULL && restore_records(p, t, r, n, m, &why) == TURN_DONE;

    if (ok && bus_kafka_restored(t, r, n, m, next) != STORE_OK)
        ok = err_set(&why, "%s", store_txn_error(t));
    if (ok)
        ok = store_commit(t, &why) == STORE_OK;
    else
        store_abort(t);
    if (n >= BATCH_LEAST)
        p->large_at = worker_monotonic();
    return ok || unrestored(p, &why);
}

bool partition_restore(void *ctx, int id, const struct record *r, size_t n, const struct marker *m, int64_t next)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};

    if (m == NULL && n > 0 && r[0].topic == TOPIC_CHANGELOG) /* parts of a batch are no state to be read */
        partition_hide(p);
    if (p->loading == NULL)
        return put_records(p, r, n, m, next);
    return keep_aside(p, r, n, m, next, &why) || unrestored(p, &why);
}

void partition_history(void *ctx, int id, int64_t have, int64_t want)
{
    struct partition *p = partition_find(ctx, id);

    p->history_have = have;
    p->history_want = want;
    engine_lacks_history(p->engine, have < want);
    if (have < want || !p->waits)
        return;
    p->waits = false;
    p->more = true;
    log_info("partition %d: its history is there, it goes on", id);
}

struct store *partition_wipe(void *ctx, int id)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};

    partition_hide(p);
    partition_drop_load(p);
    struct store_txn *t = store_begin(p->store, true, &why);
    bool ok = t != NULL;
    if (ok && store_clear(t) != STORE_OK) {
        ok = err_set(&why, "%s", store_txn_error(t));
        store_abort(t);
    } else if (ok) {
        ok = store_commit(t, &why) == STORE_OK && engine_forget(p->engine, &why);
    }
    if (!ok)
        partition_trouble(p, "its state cannot be emptied: %s", why.text);
    return ok ? p->store : NULL;
}

static bool is_anothers(const struct worker *w, struct store_txn *t)
{
    struct slice owner;

    return store_get(t, TABLE_META, META_OWNER, &owner) != STORE_OK ||
           !slice_eq(owner, slice_of(w->options->kafka_options.url));
}

enum bus_settled partition_ready(void *ctx, int id)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, true, &why);
    enum turn_status st = t != NULL ? engine_restored(p->engine, t, &why) : TURN_STORE_FULL;
    bool ok = st == TURN_DONE;

    if (ok) {
        p->next_due = engine_next_due(p->engine, t);
        p->announce = w->options->kafka && is_anothers(w, t);
        ok = store_commit(t, &why) == STORE_OK;
    } else {
        store_abort(t);
    }
    if (!ok) {
        partition_trouble(p, "cannot be served: %s", why.text);
        engine_forget(p->engine, &why);
        return st == TURN_FAILED ? BUS_UNSETTLED : BUS_AGAIN;
    }
    p->serving = true;
    p->large_at = worker_monotonic(); /* its restore, or a process before this one, may have left something to be tidied */
    atomic_store(&w->full, false); /* another that has no room says so again */
    partition_trouble(p, "%s", "");
    partition_show(p);
    w->bus->ops->wake(w->bus); /* out of the poll that called this: there may be something due, and people ask
                                  whether it serves */
    log_info("partition %d: serves %zu workflows from batch %llu on", id, p->ndefinitions,
             (unsigned long long)p->batch);
    return BUS_SETTLED;
}
