/* The door to both back ends: checks what callers pass, and keeps what must not differ between them. */
#include "store/backend.h"
#include "store/fault.h"

#include <assert.h>

enum store_status (*store_fault)(enum store_fault_point at);

const char *const store_table_names[TABLE_COUNT] = {
    [TABLE_DEFINITION] = "definition",
    [TABLE_INSTANCE] = "instance",
    [TABLE_NUMBER] = "number",
    [TABLE_SEEN_CHUNK] = "seen_chunk",
    [TABLE_PROPOSAL] = "proposal",
    [TABLE_SEEN] = "seen",
    [TABLE_TIMER] = "timer",
    [TABLE_HISTORY] = "history",
    [TABLE_MEASURE] = "measure",
    [TABLE_DOCUMENT] = "document",
    [TABLE_WITHDRAWN] = "withdrawn",
    [TABLE_META] = "meta",
    [TABLE_LOG] = "log",
};

void store_close(struct store *s)
{
    if (!s)
        return;
    assert(!s->writing && s->readers == 0);
    s->ops->close(s);
}

void store_stats(struct store *s, struct store_stats *out)
{
    *out = (struct store_stats){.readers = s->readers};
    s->ops->stats(s, out);
}

bool store_trim(struct store *s, bool *more, struct err *e)
{
    assert(!s->writing);
    *more = false;
    return !s->ops->trim || s->ops->trim(s, more, e);
}

bool store_unsettle(struct store *s, struct err *e)
{
    assert(!s->writing);
    return !s->ops->unsettle || s->ops->unsettle(s, e);
}

bool store_settle(struct store *s, struct err *e)
{
    assert(!s->writing);
    return !s->ops->settle || s->ops->settle(s, e);
}

bool store_defer(struct store *s, bool deferred, struct err *e)
{
    assert(!s->writing);
    return !s->ops->defer || s->ops->defer(s, deferred, e);
}

void store_map_most(struct store *s, size_t bytes)
{
    if (s->ops->map_most)
        s->ops->map_most(s, bytes);
}

/* ---- transactions */

struct store_txn *store_begin(struct store *s, bool write, struct err *e)
{
    if (write && atomic_exchange(&s->writing, true)) {
        err_set(e, "a write transaction is open already");
        return NULL;
    }
    struct store_txn *t = s->ops->begin(s, write, e);
    if (!t) {
        if (write)
            s->writing = false;
        return NULL;
    }
    t->store = s;
    t->write = write;
    if (!write)
        s->readers++;
    return t;
}

static void txn_ended(struct store *s, bool write)
{
    if (write)
        s->writing = false;
    else
        s->readers--;
}

void store_abort(struct store_txn *t)
{
    if (!t)
        return;
    assert(t->iters == 0);
    struct store *s = t->store;
    bool write = t->write;
    s->ops->abort(t);
    txn_ended(s, write);
}

enum store_status store_commit(struct store_txn *t, struct err *e)
{
    if (t->write && t->dead == STORE_OK && store_fault) {
        t->dead = store_fault(STORE_FAULT_COMMIT);
        if (t->dead != STORE_OK)
            err_set(&t->error, "a fault was injected into the commit");
    }
    enum store_status dead = t->dead;
    if (!t->write || dead != STORE_OK) {
        if (dead != STORE_OK)
            err_set(e, "%s", t->error.text);
        store_abort(t);
        return dead;
    }
    assert(t->iters == 0);
    struct store *s = t->store;
    enum store_status st = s->ops->commit(t, e);
    txn_ended(s, true);
    return st;
}

const char *store_txn_error(const struct store_txn *t)
{
    return t->error.text;
}

/* ---- entries */

/* A key that no table can hold is simply not there for those who look for it. */
static bool key_fits(struct slice key)
{
    return key.n > 0 && key.n <= STORE_KEY_MAX;
}

/* The first failure kills the transaction. */
static enum store_status settle(struct store_txn *t, enum store_status st)
{
    if (st == STORE_FULL || st == STORE_FAILED)
        t->dead = st;
    return st;
}

enum store_status store_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    if (t->dead != STORE_OK)
        return t->dead;
    if (!key_fits(key))
        return STORE_NOT_FOUND;
    return settle(t, t->store->ops->get(t, table, key, value));
}

static enum store_status put(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                             bool append)
{
    if (t->dead != STORE_OK)
        return t->dead;
    if (!t->write) {
        err_set(&t->error, "table %s: written to in a read transaction", store_table_names[table]);
        return settle(t, STORE_FAILED);
    }
    if (!key_fits(key)) {
        err_set(&t->error, "table %s: a key of %zu bytes; 1 to %d were expected", store_table_names[table],
                key.n, STORE_KEY_MAX);
        return settle(t, STORE_FAILED);
    }
    if (store_fault) {
        enum store_status st = store_fault(STORE_FAULT_PUT);
        if (st != STORE_OK) {
            err_set(&t->error, "table %s: a fault was injected", store_table_names[table]);
            return settle(t, st);
        }
    }
    t->writes[table]++;
    return settle(t, t->store->ops->put(t, table, key, value, append));
}

enum store_status store_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value)
{
    return put(t, table, key, value, false);
}

enum store_status store_append(struct store_txn *t, enum table_id table, struct slice key, struct slice value)
{
    return put(t, table, key, value, true);
}

enum store_status store_delete(struct store_txn *t, enum table_id table, struct slice key)
{
    if (t->dead != STORE_OK)
        return t->dead;
    if (!t->write) {
        err_set(&t->error, "table %s: deleted from in a read transaction", store_table_names[table]);
        return settle(t, STORE_FAILED);
    }
    if (!key_fits(key))
        return STORE_NOT_FOUND;
    t->writes[table]++;
    return settle(t, t->store->ops->del(t, table, key));
}

enum store_status store_clear(struct store_txn *t)
{
    enum store_status st = t->dead;
    if (st == STORE_OK && !t->write) {
        err_set(&t->error, "the store was to be emptied in a read transaction");
        return settle(t, STORE_FAILED);
    }
    for (enum table_id table = 0; table < TABLE_COUNT && st == STORE_OK; table++) {
        t->writes[table]++;
        st = settle(t, t->store->ops->clear(t, table));
    }
    return st;
}

/* ---- iteration */

struct store_iter *store_iter_new(struct store_txn *t, enum table_id table)
{
    struct store_iter *i = t->store->ops->iter_new(t, table);
    i->txn = t;
    i->table = table;
    t->iters++;
    return i;
}

void store_iter_free(struct store_iter *i)
{
    if (!i)
        return;
    i->txn->iters--;
    i->txn->store->ops->iter_free(i);
}

static bool iter_move(struct store_iter *i, enum store_move move, struct slice at, struct slice *key,
                      struct slice *value)
{
    struct store_txn *t = i->txn;
    i->placed = false;
    if (t->dead != STORE_OK)
        return false;
    enum store_status st = settle(t, t->store->ops->iter_move(i, move, at, key, value));
    i->placed = st == STORE_OK;
    return i->placed;
}

bool store_iter_seek(struct store_iter *i, struct slice from, struct slice *key, struct slice *value)
{
    i->writes = i->txn->writes[i->table];
    return iter_move(i, from.n ? MOVE_AT_LEAST : MOVE_FIRST, from, key, value);
}

bool store_iter_seek_before(struct store_iter *i, struct slice before, struct slice *key, struct slice *value)
{
    i->writes = i->txn->writes[i->table];
    return iter_move(i, before.n ? MOVE_BEFORE : MOVE_LAST, before, key, value);
}

/* A step after the end stays at the end; a step after a write to the table is a bug of the caller's. */
static bool iter_step(struct store_iter *i, enum store_move move, struct slice *key, struct slice *value)
{
    if (!i->placed)
        return false;
    assert(i->writes == i->txn->writes[i->table]);
    return iter_move(i, move, (struct slice){0}, key, value);
}

bool store_iter_next(struct store_iter *i, struct slice *key, struct slice *value)
{
    return iter_step(i, MOVE_NEXT, key, value);
}

bool store_iter_prev(struct store_iter *i, struct slice *key, struct slice *value)
{
    return iter_step(i, MOVE_PREV, key, value);
}
