/* The store on LMDB: one named database a table, and two of the front of TABLE_INSTANCE. With front*.c and blocks*.c the only user of lmdb.h. */
#include "store/backend.h"
#include "store/blocks.h"
#include "store/folder.h"
#include "store/front.h"
#include "store/ahead.h"
#include "store/pages.h"
#include "store/val.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

/* The version of what this file and the engine write: keys, tables, messages of state.proto. It stands in
 * TABLE_META under FORMAT_KEY, 8 bytes big-endian, and is written together with the tables. To change what is
 * stored in a way that an older duband would misread:
 *   1. raise FORMAT by one and describe the change in the list below;
 *   2. teach check_format to bring a folder of the version before up to date, in one transaction, or to say
 * which version can;
 *   3. add a folder of the old version to the tests.
 * New fields of a message and new tables need no new version: older readers keep or ignore them.
 *   1: the first.
 *   2: an entry of TABLE_TIMER may stand before its timer's due instant, or for no timer. What 1 wrote is fine
 *      as it is.
 *   3: an entry of TABLE_INSTANCE may have a newer value in front_0 or front_1 (front.h). What 2 wrote is fine
 *      as it is.
 *   4: the entries of TABLE_HISTORY lie in blocks (block.h), and how many they are stands in TABLE_META under
 *      COUNT_KEY. What 3 wrote is fine as it is: each is an entry of its own. */
#define FORMAT 4
#define FORMAT_FRONTED 3
#define FORMAT_BLOCKS 4
#define FORMAT_KEY S("format")
#define COUNT_KEY S("history.entries") /* 8 bytes, big-endian */

#define MAP_MOST (UINT64_C(1) << 40)  /* 1 TiB of addresses; the file grows only as it is written */
#define MAP_LEAST (UINT64_C(1) << 26) /* under 64 MiB a store is of no use */
#define MAP_GRAIN (UINT64_C(1) << 20) /* a multiple of any page size */
#define READERS_MOST 256
#define READER_CHECK_SECONDS 60
#define ROOM_LEAST (UINT64_C(64) << 20) /* an I/O error with less room than this on the disk means: full */

struct lmdb_store {
    struct store base;
    struct folder *folder;
    pthread_rwlock_t env_lock; /* transactions begin under it; trim, which replaces env, alone */
    atomic_uint open;          /* transactions; trim needs none */
    MDB_env *env;              /* NULL: it could not be opened again */
    uint64_t map;              /* as store_open was asked */
    bool write;
    bool unsettled, deferred; /* either: commits do not wait for the disk */
    bool rests;               /* writer's thread only: a trim */
    MDB_dbi dbi[TABLE_COUNT];
    MDB_dbi front_dbi[2];
    bool fronted;       /* they are there; not so when an older format is read */
    struct front front; /* writer's thread only */
    struct blocks history; /* the same */
    time_t readers_checked; /* writer's thread only */
    struct pages pages;     /* the same */
    struct ahead ahead;     /* the same */
    uint64_t page;          /* bytes */
};

static bool env_replace(struct lmdb_store *s, struct err *e);

struct lmdb_txn {
    struct store_txn base;
    MDB_txn *txn;
    struct front_runs runs; /* a reader's */
    struct blocks_seen history;
};

struct lmdb_iter {
    struct store_iter base;
    MDB_cursor *cursor;
    struct walk *walk; /* a reader's: through the runs, beside the cursor */
    struct blocks_place place; /* of history: with the cursor */
    bool walks;
};

static struct lmdb_store *store_of(struct store_txn *t)
{
    return (struct lmdb_store *)t->store;
}

static MDB_txn *txn_of(struct store_txn *t)
{
    return ((struct lmdb_txn *)t)->txn;
}

/* ---- failures */

/* LMDB answers a short write with a bare EIO, so a full disk has to be told from a broken one by looking. */
static bool disk_is_full(const struct lmdb_store *s)
{
    struct statvfs fs;
    return statvfs(folder_path(s->folder), &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_LEAST;
}

static enum store_status failure(const struct lmdb_store *s, int rc, const char *doing, struct err *e)
{
    const char *path = folder_path(s->folder);
    if (rc == MDB_MAP_FULL) {
        err_set(e, "%s: %s: the store's map is full", path, doing);
        return STORE_FULL;
    }
    if (rc == ENOSPC || rc == EDQUOT || (rc == EIO && disk_is_full(s))) {
        err_set(e, "%s: %s: the disk is full", path, doing);
        return STORE_FULL;
    }
    err_set(e, "%s: %s: %s", path, doing, rc == BLOCKS_DAMAGED ? "a block of entries is damaged" : mdb_strerror(rc));
    return STORE_FAILED;
}

static enum store_status entry_status(struct store_txn *t, int rc, enum table_id table)
{
    if (rc == MDB_SUCCESS)
        return STORE_OK;
    if (rc == MDB_NOTFOUND)
        return STORE_NOT_FOUND;
    return failure(store_of(t), rc, store_table_names[table], &t->error);
}

/* ---- transactions */

/* Readers that died leave their snapshot behind, and the file grows as long as one is kept. */
static void check_readers(struct lmdb_store *s)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!s->env || now.tv_sec < s->readers_checked + READER_CHECK_SECONDS)
        return;
    int dead;
    mdb_reader_check(s->env, &dead);
    s->readers_checked = now.tv_sec;
}

/* Every transaction begins and ends here. */
static int txn_begin(struct lmdb_store *s, unsigned flags, MDB_txn **out)
{
    pthread_rwlock_rdlock(&s->env_lock);
    int rc = s->env ? mdb_txn_begin(s->env, NULL, flags, out) : MDB_PANIC;
    if (rc == 0)
        s->open++;
    pthread_rwlock_unlock(&s->env_lock);
    return rc;
}

static void txn_abort(struct lmdb_store *s, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    s->open--;
}

/* The environment could not be opened again after a trim, or failed for good (a write of its first pages did): what is on the disk counts. */
static bool env_again(struct lmdb_store *s, struct err *e)
{
    bool ok = true;
    pthread_rwlock_wrlock(&s->env_lock);
    if (s->open == 0) /* else somebody reads still, or was here before */
        ok = env_replace(s, e);
    pthread_rwlock_unlock(&s->env_lock);
    return ok;
}

/* Who reads an older format knows no front, but since it was opened another process may have opened the folder to write to it. */
static int check_not_fronted(const struct lmdb_store *s, MDB_txn *txn)
{
    MDB_val k = val_of(FORMAT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    if (rc)
        return rc;
    return v.mv_size == 8 && get_be64(v.mv_data) < FORMAT_FRONTED ? 0 : MDB_VERSION_MISMATCH;
}

static struct store_txn *lmdb_begin(struct store *base, bool write, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    if (write)
        check_readers(s);
    struct lmdb_txn *t = mem_alloc(sizeof *t);
    int rc = txn_begin(s, write ? 0 : MDB_RDONLY, &t->txn);
    if (rc == MDB_PANIC && s->write) {
        if (!env_again(s, e)) {
            free(t);
            return NULL;
        }
        rc = txn_begin(s, write ? 0 : MDB_RDONLY, &t->txn);
    }
    bool begun = rc == 0;
    if (begun && write)
        blocks_begin(&s->history);
    if (begun)
        rc = !s->fronted ? check_not_fronted(s, t->txn)
             : write     ? front_begin(&s->front, t->txn)
                         : runs_find(t->txn, s->front_dbi, &t->runs);
    if (rc) {
        failure(s, rc, rc == MDB_VERSION_MISMATCH ? "it has another format than when it was opened"
                       : write                    ? "cannot begin writing"
                                                  : "cannot begin reading", e);
        if (begun)
            txn_abort(s, t->txn);
        free(t);
        return NULL;
    }
    return &t->base;
}

/* How many entries history has; not there: none, or, in an older format, one a record. */
static int history_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t *n)
{
    MDB_val k = val_of(COUNT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    *n = rc == 0 && v.mv_size == 8 ? get_be64(v.mv_data) : 0;
    return rc;
}

static int put_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t n)
{
    unsigned char now[8];
    put_be64(now, n);
    MDB_val k = val_of(COUNT_KEY), v = {sizeof now, now};
    return mdb_put(txn, s->dbi[TABLE_META], &k, &v, 0);
}

static int end_history(struct lmdb_store *s, MDB_txn *txn)
{
    uint64_t n;
    int rc = blocks_flush(&s->history, txn);
    if (rc || s->history.more == 0)
        return rc;
    rc = history_count(s, txn, &n);
    return rc && rc != MDB_NOTFOUND ? rc : put_count(s, txn, n + (uint64_t)s->history.more);
}

static enum store_status lmdb_commit(struct store_txn *t, struct err *e)
{
    struct lmdb_store *s = store_of(t);
    int rc = end_history(s, txn_of(t));
    if (!rc)
        rc = front_end(&s->front, txn_of(t), s->rests);
    if (rc)
        mdb_txn_abort(txn_of(t));
    else
        rc = mdb_txn_commit(txn_of(t));
    front_ended(&s->front, rc == 0, rc != 0);
    s->open--;
    blocks_forget(&s->history);
    block_free(&((struct lmdb_txn *)t)->history.block);
    enum store_status st = rc ? failure(s, rc, "cannot commit", e) : STORE_OK;
    MDB_envinfo info;
    /* With the front few pages are written at random: less is gained than it takes. */
    if (!rc && !front_is_on(&s->front) && mdb_env_info(s->env, &info) == 0)
        ahead_of(&s->ahead, (info.me_last_pgno + 1) * s->page, s->page);
    pages_hide(&s->pages);
    free(t);
    return st;
}

static void lmdb_abort(struct store_txn *t)
{
    struct lmdb_store *s = store_of(t);
    if (t->write) {
        front_ended(&s->front, false, t->dead == STORE_FULL); /* before others may replace the environment */
        blocks_forget(&s->history);
    }
    block_free(&((struct lmdb_txn *)t)->history.block);
    txn_abort(s, txn_of(t));
    free(t);
}

/* ---- entries */

static void looked_at(struct store_txn *t)
{
    struct lmdb_store *s = store_of(t);
    if (t->write)
        pages_look(&s->pages);
}

/* Of a reader: the base has this value. */
static int read_newer(struct store_txn *t, struct slice key, MDB_val *value)
{
    int rc = runs_get(txn_of(t), &((struct lmdb_txn *)t)->runs, UINT32_MAX, key, value);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum store_status history_get(struct store_txn *t, struct slice key, struct slice *value)
{
    struct lmdb_store *s = store_of(t);
    struct lmdb_txn *txn = (struct lmdb_txn *)t;
    bool there;
    if (t->write && blocks_gathered(&s->history, key, &there, value))
        return there ? STORE_OK : STORE_NOT_FOUND;
    return entry_status(t, blocks_get(&txn->history, txn->txn, s->dbi[TABLE_HISTORY], key, value), TABLE_HISTORY);
}

static enum store_status lmdb_get(struct store_txn *t, enum table_id table, struct slice key,
                                  struct slice *value)
{
    MDB_val k = val_of(key), v;
    looked_at(t);
    if (table == TABLE_HISTORY)
        return history_get(t, key, value);
    int rc = table == TABLE_INSTANCE && t->write ? front_get(&store_of(t)->front, txn_of(t), key, &v)
                                                 : mdb_get(txn_of(t), store_of(t)->dbi[table], &k, &v);
    if (rc == 0 && table == TABLE_INSTANCE && !t->write)
        rc = read_newer(t, key, &v);
    if (rc)
        return entry_status(t, rc, table);
    *value = slice_from(v);
    return STORE_OK;
}

static int history_put(struct store_txn *t, struct slice key, struct slice value, bool append)
{
    ((struct lmdb_txn *)t)->history.from = NULL; /* blocks may be made of what is gathered */
    return append ? blocks_append(&store_of(t)->history, txn_of(t), key, value)
                  : blocks_put(&store_of(t)->history, txn_of(t), key, value);
}

static enum store_status history_delete(struct store_txn *t, struct slice key)
{
    struct slice value;
    enum store_status st = history_get(t, key, &value);
    if (st != STORE_OK)
        return st;
    ((struct lmdb_txn *)t)->history.from = NULL;
    return entry_status(t, blocks_delete(&store_of(t)->history, txn_of(t), key), TABLE_HISTORY);
}

static enum store_status lmdb_put(struct store_txn *t, enum table_id table, struct slice key,
                                  struct slice value, bool append)
{
    MDB_val k = val_of(key), v = val_of(value);
    unsigned flags = append ? MDB_APPEND : 0;
    looked_at(t);
    int rc = table == TABLE_INSTANCE  ? front_put(&store_of(t)->front, txn_of(t), key, value, flags)
             : table == TABLE_HISTORY ? history_put(t, key, value, append)
                                      : mdb_put(txn_of(t), store_of(t)->dbi[table], &k, &v, flags);
    if (rc == MDB_KEYEXIST) {
        err_set(&t->error, "table %s: the key appended is not greater than all in it",
                store_table_names[table]);
        return STORE_FAILED;
    }
    return entry_status(t, rc, table);
}

static enum store_status lmdb_del(struct store_txn *t, enum table_id table, struct slice key)
{
    MDB_val k = val_of(key);
    if (table == TABLE_HISTORY)
        return history_delete(t, key);
    int rc = table == TABLE_INSTANCE ? front_delete(&store_of(t)->front, txn_of(t), key)
                                     : mdb_del(txn_of(t), store_of(t)->dbi[table], &k, NULL);
    return entry_status(t, rc, table);
}

/* ---- iteration */

static struct store_iter *lmdb_iter_new(struct store_txn *t, enum table_id table)
{
    struct lmdb_iter *i = mem_alloc(sizeof *i);
    /* Without a cursor every move fails, and iter_move says so. */
    if (t->dead == STORE_OK && mdb_cursor_open(txn_of(t), store_of(t)->dbi[table], &i->cursor) != 0)
        i->cursor = NULL;
    return &i->base;
}

static void lmdb_iter_free(struct store_iter *i)
{
    struct lmdb_iter *it = (struct lmdb_iter *)i;
    if (it->cursor)
        mdb_cursor_close(it->cursor);
    walk_free(it->walk);
    block_free(&it->place.block);
    free(it);
}

/* The base has this value where the iterator stands. Steps up walk through the runs; after any other move they are searched. */
static int iter_newer(struct store_iter *base, enum store_move move, struct slice key, MDB_val *value)
{
    struct lmdb_iter *i = (struct lmdb_iter *)base;
    struct store_txn *t = base->txn;
    const struct front_runs *runs = &((struct lmdb_txn *)t)->runs;
    int rc = 0;
    if (t->write)
        rc = front_newer(&store_of(t)->front, txn_of(t), key, value);
    else if (runs_none(runs))
        return 0;
    else if (move != MOVE_NEXT) {
        i->walks = false;
        return read_newer(t, key, value);
    } else {
        if (!i->walk)
            rc = walk_new(txn_of(t), runs, 2, &i->walk);
        if (!rc && !i->walks)
            rc = walk_seek(i->walk, key);
        i->walks = !rc;
        if (!rc)
            rc = walk_to(i->walk, key, value);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* From a place in the table there is nothing gathered: it was sought, and since then nothing was put. */
static enum store_status history_move(struct store_iter *i, enum store_move move, struct slice at, struct slice *key, struct slice *value)
{
    struct lmdb_iter *it = (struct lmdb_iter *)i;
    int rc = 0;
    if (i->txn->write && move != MOVE_NEXT && move != MOVE_PREV) {
        ((struct lmdb_txn *)i->txn)->history.from = NULL;
        rc = blocks_flush(&store_of(i->txn)->history, txn_of(i->txn));
    }
    it->place.cursor = it->cursor;
    return entry_status(i->txn, rc ? rc : blocks_move(&it->place, move, at, key, value), i->table);
}

static enum store_status lmdb_iter_move(struct store_iter *i, enum store_move move, struct slice at,
                                        struct slice *key, struct slice *value)
{
    static const MDB_cursor_op op[] = {
        [MOVE_FIRST] = MDB_FIRST, [MOVE_AT_LEAST] = MDB_SET_RANGE, [MOVE_NEXT] = MDB_NEXT,
        [MOVE_LAST] = MDB_LAST,   [MOVE_BEFORE] = MDB_SET_RANGE,   [MOVE_PREV] = MDB_PREV,
    };
    MDB_cursor *cursor = ((struct lmdb_iter *)i)->cursor;
    if (!cursor)
        return entry_status(i->txn, EINVAL, i->table);
    MDB_val k = val_of(at), v;
    looked_at(i->txn);
    if (i->table == TABLE_HISTORY)
        return history_move(i, move, at, key, value);
    int rc = mdb_cursor_get(cursor, &k, &v, op[move]);
    if (move == MOVE_BEFORE && (rc == 0 || rc == MDB_NOTFOUND))
        rc = mdb_cursor_get(cursor, &k, &v, rc ? MDB_LAST : MDB_PREV);
    if (rc == 0 && i->table == TABLE_INSTANCE)
        rc = iter_newer(i, move, slice_from(k), &v);
    if (rc)
        return entry_status(i->txn, rc, i->table);
    *key = slice_from(k);
    *value = slice_from(v);
    return STORE_OK;
}

/* ---- the environment */

static void lmdb_stats(struct store *base, struct store_stats *out)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    MDB_envinfo info;
    MDB_stat st;
    MDB_txn *txn;
    if (txn_begin(s, MDB_RDONLY, &txn) != 0)
        return;
    mdb_env_info(s->env, &info);
    out->bytes_map = info.me_mapsize;
    for (int i = 0; i < TABLE_COUNT; i++)
        if (mdb_stat(txn, s->dbi[i], &st) == 0) {
            out->entries[i] = st.ms_entries;
            out->bytes_used = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
        }
    uint64_t n;
    if (history_count(s, txn, &n) == 0)
        out->entries[TABLE_HISTORY] = n;
    txn_abort(s, txn);
}

/* What main holds: the tables themselves stay. */
static enum store_status lmdb_clear(struct store_txn *t, enum table_id table)
{
    if (table == TABLE_HISTORY) {
        blocks_forget(&store_of(t)->history);
        store_of(t)->history.more = 0;
        ((struct lmdb_txn *)t)->history.from = NULL;
    }
    int rc = table == TABLE_INSTANCE ? front_clear(&store_of(t)->front, txn_of(t))
                                     : mdb_drop(txn_of(t), store_of(t)->dbi[table], 0);
    if (rc || table != TABLE_META)
        return entry_status(t, rc, table);
    unsigned char now[8];
    put_be64(now, FORMAT);
    return lmdb_put(t, table, FORMAT_KEY, (struct slice){(const char *)now, sizeof now}, false);
}

static bool lmdb_unsettle(struct store *base, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    if (s->unsettled)
        return true;
    if (!folder_mark(s->folder, FOLDER_PART, e))
        return false;
    s->unsettled = true;
    int rc = s->env ? mdb_env_set_flags(s->env, MDB_NOSYNC, 1) : 0; /* else it is opened so */
    if (rc)
        failure(s, rc, "cannot be filled", e);
    return rc == 0;
}

/* All of it is on the disk, and the folder says how it goes on. */
static bool make_durable(struct lmdb_store *s, bool deferred, struct err *e)
{
    int rc = s->env ? mdb_env_sync(s->env, 1) : MDB_PANIC;
    if (!rc)
        rc = mdb_env_set_flags(s->env, MDB_NOSYNC, deferred);
    if (rc) {
        failure(s, rc, "cannot be made durable", e);
        return false;
    }
    return folder_mark(s->folder, deferred ? FOLDER_RUNNING : FOLDER_WHOLE, e);
}

static bool lmdb_settle(struct store *base, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    if (!s->unsettled)
        return true;
    if (!make_durable(s, s->deferred, e))
        return false;
    s->unsettled = false;
    return true;
}

static bool lmdb_defer(struct store *base, bool deferred, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    if (s->deferred == deferred)
        return true;
    if (!s->unsettled && !make_durable(s, deferred, e)) {
        if (deferred)
            folder_mark(s->folder, FOLDER_WHOLE, NULL); /* as it is */
        return false;
    }
    s->deferred = deferred;
    return true;
}

static void lmdb_map_most(struct store *base, size_t bytes)
{
    ((struct lmdb_store *)base)->pages.most = bytes;
}

/* One attempt. A failed environment cannot be opened again, only thrown away. */
static int env_open(struct lmdb_store *s, uint64_t map, unsigned flags)
{
    int fd, rc = mdb_env_create(&s->env);
    if (rc)
        return rc;
    rc = mdb_env_set_maxdbs(s->env, TABLE_COUNT + 2);
    if (!rc)
        rc = mdb_env_set_maxreaders(s->env, READERS_MOST);
    if (!rc)
        rc = mdb_env_set_mapsize(s->env, map);
    if (!rc)
        rc = mdb_env_open(s->env, folder_path(s->folder), flags, 0600);
    if (rc) {
        mdb_env_close(s->env);
        s->env = NULL;
    } else if (mdb_env_get_fd(s->env, &fd) == 0) {
        MDB_stat st;
        pages_find(&s->pages, fd);
        mdb_env_stat(s->env, &st);
        s->page = st.ms_psize;
        s->ahead = (struct ahead){.fd = fd};
    }
    return rc;
}

/* The map only reserves addresses, but machines differ in how many they grant. valgrind refuses with EINVAL. */
static bool env_open_largest(struct lmdb_store *s, uint64_t map, unsigned flags, struct err *e)
{
    bool fixed = map != 0;
    map = fixed ? (map + MAP_GRAIN - 1) / MAP_GRAIN * MAP_GRAIN : MAP_MOST;
    int rc = env_open(s, map, flags | MDB_NOTLS);
    while ((rc == ENOMEM || rc == EINVAL) && !fixed && map / 2 >= MAP_LEAST)
        rc = env_open(s, map /= 2, flags | MDB_NOTLS);
    if (rc == ENOENT && (flags & MDB_RDONLY))
        return err_set(e, "%s holds no store of duband", folder_path(s->folder));
    if (rc)
        failure(s, rc, "cannot open the store", e);
    return rc == 0;
}

static bool put_format(const struct lmdb_store *s, MDB_txn *txn, struct err *e)
{
    unsigned char now[8];
    put_be64(now, FORMAT);
    MDB_val k = val_of(FORMAT_KEY), v = {sizeof now, now};
    int rc = mdb_put(txn, s->dbi[TABLE_META], &k, &v, 0);
    if (rc)
        failure(s, rc, "cannot write the format version", e);
    return rc == 0;
}

static bool check_format(const struct lmdb_store *s, MDB_txn *txn, bool fresh, struct err *e)
{
    const char *path = folder_path(s->folder);
    MDB_val k = val_of(FORMAT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    if (rc == MDB_NOTFOUND && fresh)
        return put_format(s, txn, e);
    if (rc || v.mv_size != 8)
        return err_set(e, "%s holds no store of duband: its format version is missing", path);
    uint64_t found = get_be64(v.mv_data);
    if (found > FORMAT)
        return err_set(e, "%s was written by a newer duband: its format is %llu, this one knows up to %d",
                       path, (unsigned long long)found, FORMAT);
    if (found == 0)
        return err_set(e, "%s: unknown format %llu; %d was expected", path, (unsigned long long)found,
                       FORMAT);
    if (found == FORMAT || !s->write)
        return true;
    MDB_stat st;
    rc = mdb_stat(txn, s->dbi[TABLE_HISTORY], &st);
    if (!rc && found < FORMAT_BLOCKS)
        rc = put_count(s, txn, st.ms_entries);
    if (rc)
        failure(s, rc, "cannot be brought to the newest format", e);
    return rc == 0 && put_format(s, txn, e);
}

/* Readers find none in a folder of an older format. */
static int open_front(struct lmdb_store *s, MDB_txn *txn, bool write)
{
    static const char *const name[2] = {"front_0", "front_1"};
    int rc = 0;
    for (int i = 0; i < 2 && !rc; i++)
        rc = mdb_dbi_open(txn, name[i], write ? MDB_CREATE : 0, &s->front_dbi[i]);
    s->fronted = rc == 0;
    s->history.table = s->dbi[TABLE_HISTORY];
    front_forget(&s->front);
    s->front.base = s->dbi[TABLE_INSTANCE];
    memcpy(s->front.table, s->front_dbi, sizeof s->front_dbi);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Opens the tables; in an empty environment makes them and writes the version, all in one transaction. */
static bool open_tables(struct lmdb_store *s, bool write, struct err *e)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &txn);
    if (rc) {
        failure(s, rc, "cannot open the tables", e);
        return false;
    }
    MDB_dbi main_dbi;
    MDB_stat st = {0};
    rc = mdb_dbi_open(txn, NULL, 0, &main_dbi);
    if (!rc)
        rc = mdb_stat(txn, main_dbi, &st);
    bool fresh = write && st.ms_entries == 0;
    for (int i = 0; i < TABLE_COUNT && !rc; i++)
        rc = mdb_dbi_open(txn, store_table_names[i], write ? MDB_CREATE : 0, &s->dbi[i]);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) {
        err_set(e, "%s holds no store of duband", folder_path(s->folder));
        goto no_store;
    }
    if (!rc)
        rc = open_front(s, txn, write);
    if (rc) {
        failure(s, rc, "cannot open the tables", e);
        goto no_store;
    }
    if (!check_format(s, txn, fresh, e))
        goto no_store;
    rc = mdb_txn_commit(txn); /* of a reader too: else the handles are gone */
    if (rc)
        failure(s, rc, "cannot create the tables", e);
    return rc == 0;

no_store:
    mdb_txn_abort(txn);
    return false;
}

/* Alone, and with no transaction open. False: env is NULL. */
static bool env_replace(struct lmdb_store *s, struct err *e)
{
    if (s->env)
        mdb_env_close(s->env);
    s->env = NULL;
    bool ok = env_open_largest(s, s->map, s->deferred || s->unsettled ? MDB_NOSYNC : 0, e) && open_tables(s, true, e);
    if (!ok && s->env) {
        mdb_env_close(s->env);
        s->env = NULL;
    }
    return ok;
}

/* A transaction that does nothing but merge. */
static void merge_front(struct store *base, bool *more)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    struct store_txn *t = lmdb_begin(base, true, NULL);
    if (!t)
        return;
    t->store = base;
    t->write = true;
    s->rests = true;
    *more = lmdb_commit(t, NULL) == STORE_OK && !front_is_empty(&s->front);
    s->rests = false;
}

/* LMDB keeps the buffers of its largest transaction for ever; only a new environment is without. */
static bool lmdb_trim(struct store *base, bool *more, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    bool ok = true;
    if (s->write && s->env && !front_is_empty(&s->front))
        merge_front(base, more);
    if (*more)
        return true;
    if (!s->write || s->unsettled || pthread_rwlock_trywrlock(&s->env_lock) != 0)
        return true;
    if (s->env && s->open == 0) {
        ok = env_replace(s, e);
        blocks_free(&s->history);
        mem_give_back();
    }
    pthread_rwlock_unlock(&s->env_lock);
    return ok;
}

static void lmdb_close(struct store *base)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
    if (s->env && s->deferred && !s->unsettled && !make_durable(s, false, NULL))
        folder_mark(s->folder, FOLDER_PART, NULL); /* what the disk did not take is gone */
    if (s->env)
        mdb_env_close(s->env);
    pthread_rwlock_destroy(&s->env_lock);
    front_forget(&s->front);
    blocks_free(&s->history);
    folder_close(s->folder);
    free(s);
}

static const struct store_ops lmdb_ops = {
    .close = lmdb_close,
    .begin = lmdb_begin,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .get = lmdb_get,
    .put = lmdb_put,
    .del = lmdb_del,
    .iter_new = lmdb_iter_new,
    .iter_free = lmdb_iter_free,
    .iter_move = lmdb_iter_move,
    .stats = lmdb_stats,
    .trim = lmdb_trim,
    .clear = lmdb_clear,
    .unsettle = lmdb_unsettle,
    .settle = lmdb_settle,
    .defer = lmdb_defer,
    .map_most = lmdb_map_most,
};

/* What is only a part of something, or may be, is thrown away. */
static bool settled(struct lmdb_store *s, struct err *e)
{
    static const char *const file[] = {"data.mdb", "lock.mdb"};
    enum folder_mark mark;
    if (!folder_marked(s->folder, &mark, e))
        return false;
    s->deferred = s->write && mark == FOLDER_RUNNING;
    if (mark == FOLDER_WHOLE || mark == FOLDER_RUNNING)
        return true;
    if (!s->write)
        return err_set(e, mark == FOLDER_PART ? "%s holds a state that was not restored to its end"
                                              : "%s holds a state that may not have reached the disk before the machine stopped",
                       folder_path(s->folder));
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (!folder_remove(s->folder, file[i], e))
            return false;
    return folder_mark(s->folder, FOLDER_WHOLE, e);
}

static struct store *open_env(const char *folder, uint64_t map_bytes, bool write, struct err *e)
{
    struct folder *f = folder_open(folder, write, e);
    if (!f)
        return NULL;
    struct lmdb_store *s = mem_alloc(sizeof *s);
    s->base.ops = &lmdb_ops;
    s->folder = f;
    s->map = map_bytes;
    s->write = write;
    pthread_rwlock_init(&s->env_lock, NULL);
    s->readers_checked = -READER_CHECK_SECONDS;
    s->pages.most = PAGES_MOST;
    if ((write && !folder_sweep(f, e)) || !settled(s, e) ||
        !env_open_largest(s, map_bytes, !write ? MDB_RDONLY : s->deferred ? MDB_NOSYNC : 0, e))
        goto no_env;
    if (write)
        check_readers(s);
    if (!open_tables(s, write, e))
        goto no_tables;
    return &s->base;

no_tables:
    mdb_env_close(s->env);
no_env:
    pthread_rwlock_destroy(&s->env_lock);
    folder_close(f);
    free(s);
    return NULL;
}

struct store *store_open(const char *folder, uint64_t map_bytes, struct err *e)
{
    return open_env(folder, map_bytes, true, e);
}

struct store *store_open_readonly(const char *folder, struct err *e)
{
    return open_env(folder, 0, false, e);
}
