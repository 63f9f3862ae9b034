#include "store/store_lmdb.h"

#include <stdlib.h>

#define READER_CHECK_SECONDS 60

static MDB_txn *txn_of(struct store_txn *t)
{
    return ((struct lmdb_txn *)t)->txn;
}

/* ---- transactions */

/* Readers that died leave their snapshot behind, and the file grows as long as one is kept. In a transaction: else a reader might replace the
 * environment meanwhile. */
static void check_readers(struct lmdb_store *s)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec < s->readers_checked + READER_CHECK_SECONDS)
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
        ok = lmdb_env_renew(s, e);
    pthread_rwlock_unlock(&s->env_lock);
    return ok;
}

static struct store_txn *lmdb_begin(struct store *base, bool write, struct err *e)
{
    struct lmdb_store *s = (struct lmdb_store *)base;
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
    if (begun && write) {
        check_readers(s);
        blocks_begin(&s->history);
    }
    if (begun)
        rc = !s->fronted ? lmdb_check_not_fronted(s, t->txn)
             : write     ? front_begin(&s->front, t->txn)
                         : runs_find(t->txn, s->front_dbi, &t->runs);
    if (rc) {
        const char *doing = rc == MDB_VERSION_MISMATCH ? "it has another format than when it was opened"
                            : write                    ? "cannot begin writing"
                                                       : "cannot begin reading";
        lmdb_failure(s, rc, doing, e);
        if (begun)
            txn_abort(s, t->txn);
        free(t);
        return NULL;
    }
    return &t->base;
}

static enum store_status lmdb_commit(struct store_txn *t, struct err *e)
{
    struct lmdb_store *s = lmdb_store_of(t);
    int rc = lmdb_history_end(s, txn_of(t));
    if (!rc)
        rc = front_end(&s->front, txn_of(t), s->rests);
    if (rc)
        mdb_txn_abort(txn_of(t));
    else
        rc = mdb_txn_commit(txn_of(t));
    front_ended(&s->front, rc == 0, rc != 0);
    blocks_forget(&s->history);
    block_free(&((struct lmdb_txn *)t)->history.block);
    enum store_status st = rc ? lmdb_failure(s, rc, "cannot commit", e) : STORE_OK;
    MDB_envinfo info;
    /* With the front few pages are written at random: less is gained than it takes. */
    if (!rc && !front_is_on(&s->front) && mdb_env_info(s->env, &info) == 0)
        ahead_of(&s->ahead, (info.me_last_pgno + 1) * s->page, s->page);
    pages_hide(&s->pages);
    s->open--; /* now others may replace the environment */
    free(t);
    return st;
}

static void lmdb_abort(struct store_txn *t)
{
    struct lmdb_store *s = lmdb_store_of(t);
    if (t->write) {
        front_ended(&s->front, false, t->dead == STORE_FULL); /* before others may replace the environment */
        blocks_forget(&s->history);
    }
    block_free(&((struct lmdb_txn *)t)->history.block);
    txn_abort(s, txn_of(t));
    free(t);
}

/* ---- what has reached the disk */

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
        lmdb_failure(s, rc, "cannot be filled", e);
    return rc == 0;
}

/* All of it is on the disk, and the folder says how it goes on. */
static bool make_durable(struct lmdb_store *s, bool deferred, struct err *e)
{
    int rc = s->env ? mdb_env_sync(s->env, 1) : MDB_PANIC;
    if (!rc)
        rc = mdb_env_set_flags(s->env, MDB_NOSYNC, deferred);
    if (rc) {
        lmdb_failure(s, rc, "cannot be made durable", e);
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

/* ---- what is told, and given back */

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
        if (s->dbi[i] != NO_TABLE && mdb_stat(txn, s->dbi[i], &st) == 0) {
            out->entries[i] = st.ms_entries;
            out->bytes_used = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
        }
    uint64_t n;
    if (lmdb_history_count(s, txn, &n) == 0)
        out->entries[TABLE_HISTORY] = n;
    txn_abort(s, txn);
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
        ok = lmdb_env_renew(s, e);
        blocks_free(&s->history);
        mem_give_back();
    }
    pthread_rwlock_unlock(&s->env_lock);
    return ok;
}

static void lmdb_map_most(struct store *base, size_t bytes)
{
    ((struct lmdb_store *)base)->pages.most = bytes;
}

/* ---- the whole */

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
        !lmdb_env_open(s, !write ? MDB_RDONLY : s->deferred ? MDB_NOSYNC : 0, e))
        goto no_env;
    if (write)
        check_readers(s);
    if (!lmdb_open_tables(s, write, e))
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
