#include "store/store_lmdb.h"

#include <errno.h>
#include <stdlib.h>

#define COUNT_KEY S("history.entries") /* in TABLE_META: 8 bytes, big-endian */

struct lmdb_iter {
    struct store_iter base;
    MDB_cursor *cursor;
    struct walk *walk;         /* a reader's: through the runs, beside the cursor */
    struct blocks_place place; /* of history: with the cursor */
    bool walks;
};

/* How a table has its entries. They return what LMDB does, or BLOCKS_DAMAGED; `key` of a move is where to, then where it stands. */
struct layout {
    int (*get)(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice *value);
    int (*put)(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice value, bool append);
    int (*del)(struct lmdb_txn *t, enum table_id table, struct slice key);
    int (*move)(struct lmdb_iter *i, enum store_move move, struct slice *key, struct slice *value);
    int (*clear)(struct lmdb_txn *t, enum table_id table);
};

static struct lmdb_store *store_of(const struct lmdb_txn *t)
{
    return lmdb_store_of(&t->base);
}

static struct lmdb_txn *txn_of(const struct lmdb_iter *i)
{
    return (struct lmdb_txn *)i->base.txn;
}

/* ---- plain: as LMDB has them */

static int plain_get(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    MDB_val k = val_of(key), v;
    int rc = mdb_get(t->txn, store_of(t)->dbi[table], &k, &v);
    if (!rc)
        *value = slice_from(v);
    return rc;
}

static int plain_put(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice value, bool append)
{
    MDB_val k = val_of(key), v = val_of(value);
    return mdb_put(t->txn, store_of(t)->dbi[table], &k, &v, append ? MDB_APPEND : 0);
}

static int plain_del(struct lmdb_txn *t, enum table_id table, struct slice key)
{
    MDB_val k = val_of(key);
    return mdb_del(t->txn, store_of(t)->dbi[table], &k, NULL);
}

static int plain_move(struct lmdb_iter *i, enum store_move move, struct slice *key, struct slice *value)
{
    static const MDB_cursor_op op[] = {
        [MOVE_FIRST] = MDB_FIRST, [MOVE_AT_LEAST] = MDB_SET_RANGE, [MOVE_NEXT] = MDB_NEXT,
        [MOVE_LAST] = MDB_LAST,   [MOVE_BEFORE] = MDB_SET_RANGE,   [MOVE_PREV] = MDB_PREV,
    };
    MDB_val k = val_of(*key), v;
    int rc = mdb_cursor_get(i->cursor, &k, &v, op[move]);
    if (move == MOVE_BEFORE && (rc == 0 || rc == MDB_NOTFOUND))
        rc = mdb_cursor_get(i->cursor, &k, &v, rc ? MDB_LAST : MDB_PREV);
    if (rc)
        return rc;
    *key = slice_from(k);
    *value = slice_from(v);
    return 0;
}

static int plain_clear(struct lmdb_txn *t, enum table_id table)
{
    return mdb_drop(t->txn, store_of(t)->dbi[table], 0);
}

/* ---- fronted: newer values may be in runs (front.h), of which a reader has its own */

static int take_newer(int rc, MDB_val v, struct slice *value)
{
    if (!rc)
        *value = slice_from(v);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of a reader: the base has this value. */
static int read_newer(struct lmdb_txn *t, struct slice key, struct slice *value)
{
    MDB_val v;
    return take_newer(runs_get(t->txn, &t->runs, UINT32_MAX, key, &v), v, value);
}

static int fronted_get(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    if (!t->base.write) {
        int rc = plain_get(t, table, key, value);
        return rc ? rc : read_newer(t, key, value);
    }
    MDB_val v;
    int rc = front_get(&store_of(t)->front, t->txn, key, &v);
    if (!rc)
        *value = slice_from(v);
    return rc;
}

static int fronted_put(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice value, bool append)
{
    (void)table;
    return front_put(&store_of(t)->front, t->txn, key, value, append ? MDB_APPEND : 0);
}

static int fronted_del(struct lmdb_txn *t, enum table_id table, struct slice key)
{
    (void)table;
    return front_delete(&store_of(t)->front, t->txn, key);
}

/* Steps up walk through a reader's runs; after any other move they are searched. */
static int walk_newer(struct lmdb_iter *i, struct slice key, struct slice *value)
{
    MDB_val v;
    int rc = i->walk ? 0 : walk_new(txn_of(i)->txn, &txn_of(i)->runs, 2, &i->walk);
    if (!rc && !i->walks)
        rc = walk_seek(i->walk, key);
    i->walks = !rc;
    return rc ? rc : take_newer(walk_to(i->walk, key, &v), v, value);
}

static int fronted_move(struct lmdb_iter *i, enum store_move move, struct slice *key, struct slice *value)
{
    struct lmdb_txn *t = txn_of(i);
    MDB_val v;
    int rc = plain_move(i, move, key, value);
    if (rc)
        return rc;
    if (t->base.write)
        return take_newer(front_newer(&store_of(t)->front, t->txn, *key, &v), v, value);
    if (runs_none(&t->runs))
        return 0;
    if (move == MOVE_NEXT)
        return walk_newer(i, *key, value);
    i->walks = false;
    return read_newer(t, *key, value);
}

static int fronted_clear(struct lmdb_txn *t, enum table_id table)
{
    (void)table;
    return front_clear(&store_of(t)->front, t->txn);
}

/* ---- packed: in blocks (blocks.h), which may be made of what is gathered at every change and seek */

static struct blocks *changed(struct lmdb_txn *t)
{
    t->history.from = NULL;
    return &store_of(t)->history;
}

static int packed_get(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    bool there;
    if (t->base.write && blocks_gathered(&store_of(t)->history, key, &there, value))
        return there ? 0 : MDB_NOTFOUND;
    return blocks_get(&t->history, t->txn, store_of(t)->dbi[table], key, value);
}

static int packed_put(struct lmdb_txn *t, enum table_id table, struct slice key, struct slice value, bool append)
{
    (void)table;
    return append ? blocks_append(changed(t), t->txn, key, value) : blocks_put(changed(t), t->txn, key, value);
}

static int packed_del(struct lmdb_txn *t, enum table_id table, struct slice key)
{
    struct slice value;
    int rc = packed_get(t, table, key, &value);
    return rc ? rc : blocks_delete(changed(t), t->txn, key);
}

/* From a place in the table there is nothing gathered: it was sought, and since then nothing was put. */
static int packed_move(struct lmdb_iter *i, enum store_move move, struct slice *key, struct slice *value)
{
    struct lmdb_txn *t = txn_of(i);
    int rc = t->base.write && move != MOVE_NEXT && move != MOVE_PREV ? blocks_flush(changed(t), t->txn) : 0;
    i->place.cursor = i->cursor;
    return rc ? rc : blocks_move(&i->place, move, *key, key, value);
}

static int packed_clear(struct lmdb_txn *t, enum table_id table)
{
    struct blocks *b = changed(t);
    blocks_forget(b);
    b->more = 0;
    return plain_clear(t, table);
}

/* ---- all of them */

static const struct layout *layout_of(enum table_id table)
{
    static const struct layout plain = {plain_get, plain_put, plain_del, plain_move, plain_clear},
                               fronted = {fronted_get, fronted_put, fronted_del, fronted_move, fronted_clear},
                               packed = {packed_get, packed_put, packed_del, packed_move, packed_clear};
    return table == TABLE_INSTANCE ? &fronted : table == TABLE_HISTORY ? &packed : &plain;
}

static bool is_there(const struct store_txn *t, enum table_id table)
{
    return lmdb_store_of(t)->dbi[table] != NO_TABLE;
}

static void looked_at(struct store_txn *t)
{
    if (t->write)
        pages_look(&lmdb_store_of(t)->pages);
}

static enum store_status status_of(struct store_txn *t, int rc, enum table_id table)
{
    if (rc == MDB_SUCCESS)
        return STORE_OK;
    if (rc == MDB_NOTFOUND)
        return STORE_NOT_FOUND;
    return lmdb_failure(lmdb_store_of(t), rc, store_table_names[table], &t->error);
}

enum store_status lmdb_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    looked_at(t);
    if (!is_there(t, table))
        return STORE_NOT_FOUND;
    return status_of(t, layout_of(table)->get((struct lmdb_txn *)t, table, key, value), table);
}

enum store_status lmdb_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value, bool append)
{
    looked_at(t);
    int rc = layout_of(table)->put((struct lmdb_txn *)t, table, key, value, append);
    if (rc == MDB_KEYEXIST) {
        err_set(&t->error, "table %s: the key appended is not greater than all in it",
                store_table_names[table]);
        return STORE_FAILED;
    }
    return status_of(t, rc, table);
}

enum store_status lmdb_del(struct store_txn *t, enum table_id table, struct slice key)
{
    return status_of(t, layout_of(table)->del((struct lmdb_txn *)t, table, key), table);
}

/* TABLE_META keeps the version. */
enum store_status lmdb_clear(struct store_txn *t, enum table_id table)
{
    struct lmdb_txn *txn = (struct lmdb_txn *)t;
    int rc = layout_of(table)->clear(txn, table);
    if (!rc && table == TABLE_META)
        rc = lmdb_put_format(store_of(txn), txn->txn);
    return status_of(t, rc, table);
}

struct store_iter *lmdb_iter_new(struct store_txn *t, enum table_id table)
{
    struct lmdb_iter *i = mem_alloc(sizeof *i);
    /* Without a cursor every move fails, and says so. */
    if (t->dead == STORE_OK && is_there(t, table) && mdb_cursor_open(((struct lmdb_txn *)t)->txn, lmdb_store_of(t)->dbi[table], &i->cursor) != 0)
        i->cursor = NULL;
    return &i->base;
}

void lmdb_iter_free(struct store_iter *i)
{
    struct lmdb_iter *it = (struct lmdb_iter *)i;
    if (it->cursor)
        mdb_cursor_close(it->cursor);
    walk_free(it->walk);
    block_free(&it->place.block);
    free(it);
}

enum store_status lmdb_iter_move(struct store_iter *i, enum store_move move, struct slice at, struct slice *key, struct slice *value)
{
    struct lmdb_iter *it = (struct lmdb_iter *)i;
    if (!is_there(i->txn, i->table))
        return STORE_NOT_FOUND;
    if (!it->cursor)
        return status_of(i->txn, EINVAL, i->table);
    looked_at(i->txn);
    int rc = layout_of(i->table)->move(it, move, &at, value);
    if (!rc)
        *key = at;
    return status_of(i->txn, rc, i->table);
}

/* ---- how many entries history has, which LMDB does not know */

int lmdb_history_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t *n)
{
    MDB_val k = val_of(COUNT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    *n = rc == 0 && v.mv_size == 8 ? get_be64(v.mv_data) : 0;
    return rc;
}

int lmdb_history_put_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t n)
{
    unsigned char now[8];
    put_be64(now, n);
    MDB_val k = val_of(COUNT_KEY), v = {sizeof now, now};
    return mdb_put(txn, s->dbi[TABLE_META], &k, &v, 0);
}

int lmdb_history_end(struct lmdb_store *s, MDB_txn *txn)
{
    uint64_t n;
    int rc = blocks_flush(&s->history, txn);
    if (rc || s->history.more == 0)
        return rc;
    rc = lmdb_history_count(s, txn, &n);
    return rc && rc != MDB_NOTFOUND ? rc : lmdb_history_put_count(s, txn, n + (uint64_t)s->history.more);
}
