#include "store/store_lmdb.h"

#include <errno.h>
#include <sys/statvfs.h>

/* The version of what the store and the engine write: keys, tables, messages of state.proto. It stands in
 * TABLE_META under FORMAT_KEY, 8 bytes big-endian, and is written together with the tables. To change what is
 * stored in a way that an older duband would misread:
 *   1. raise FORMAT by one and describe the change in the list below;
 *   2. teach check_format to bring a folder of the version before up to date, in one transaction, or to say
 *      which version can;
 *   3. add a folder of the old version to the tests.
 * New fields of a message and new tables need no new version: older readers keep or ignore them.
 *   1: the first.
 *   2: an entry of TABLE_TIMER may stand before its timer's due instant, or for no timer. What 1 wrote is fine
 *      as it is.
 *   3: an entry of TABLE_INSTANCE may have a newer value in front_0 or front_1 (front.h). What 2 wrote is fine
 *      as it is.
 *   4: the entries of TABLE_HISTORY lie in blocks (block.h), and how many they are stands in TABLE_META under
 *      "history.entries". What 3 wrote is fine as it is: each is an entry of its own. */
#define FORMAT 4
#define FORMAT_FRONTED 3
#define FORMAT_BLOCKS 4
#define FORMAT_KEY S("format")

#define MAP_MOST (UINT64_C(1) << 40)  /* 1 TiB of addresses; the file grows only as it is written */
#define MAP_LEAST (UINT64_C(1) << 26) /* under 64 MiB a store is of no use */
#define MAP_GRAIN (UINT64_C(1) << 20) /* a multiple of any page size */
#define READERS_MOST 256
#define ROOM_LEAST (UINT64_C(64) << 20) /* an I/O error with less room than this on the disk means: full */

/* ---- failures */

/* LMDB answers a short write with a bare EIO, so a full disk has to be told from a broken one by looking. */
static bool disk_is_full(const struct lmdb_store *s)
{
    struct statvfs fs;
    return statvfs(folder_path(s->folder), &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_LEAST;
}

enum store_status lmdb_failure(const struct lmdb_store *s, int rc, const char *doing, struct err *e)
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

/* ---- the version */

int lmdb_put_format(const struct lmdb_store *s, MDB_txn *txn)
{
    unsigned char now[8];
    put_be64(now, FORMAT);
    MDB_val k = val_of(FORMAT_KEY), v = {sizeof now, now};
    return mdb_put(txn, s->dbi[TABLE_META], &k, &v, 0);
}

static bool write_format(const struct lmdb_store *s, MDB_txn *txn, struct err *e)
{
    int rc = lmdb_put_format(s, txn);
    if (rc)
        lmdb_failure(s, rc, "cannot write the format version", e);
    return rc == 0;
}

static bool check_format(const struct lmdb_store *s, MDB_txn *txn, bool fresh, struct err *e)
{
    const char *path = folder_path(s->folder);
    MDB_val k = val_of(FORMAT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    if (rc == MDB_NOTFOUND && fresh)
        return write_format(s, txn, e);
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
        rc = lmdb_history_put_count(s, txn, st.ms_entries);
    if (rc)
        lmdb_failure(s, rc, "cannot be brought to the newest format", e);
    return rc == 0 && write_format(s, txn, e);
}

int lmdb_check_not_fronted(const struct lmdb_store *s, MDB_txn *txn)
{
    MDB_val k = val_of(FORMAT_KEY), v;
    int rc = mdb_get(txn, s->dbi[TABLE_META], &k, &v);
    if (rc)
        return rc;
    return v.mv_size == 8 && get_be64(v.mv_data) < FORMAT_FRONTED ? 0 : MDB_VERSION_MISMATCH;
}

/* ---- opening */

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
bool lmdb_env_open(struct lmdb_store *s, unsigned flags, struct err *e)
{
    bool fixed = s->map != 0;
    uint64_t map = fixed ? (s->map + MAP_GRAIN - 1) / MAP_GRAIN * MAP_GRAIN : MAP_MOST;
    int rc = env_open(s, map, flags | MDB_NOTLS);
    while ((rc == ENOMEM || rc == EINVAL) && !fixed && map / 2 >= MAP_LEAST)
        rc = env_open(s, map /= 2, flags | MDB_NOTLS);
    if (rc == ENOENT && (flags & MDB_RDONLY))
        return err_set(e, "%s holds no store of duband", folder_path(s->folder));
    if (rc)
        lmdb_failure(s, rc, "cannot open the store", e);
    return rc == 0;
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

bool lmdb_open_tables(struct lmdb_store *s, bool write, struct err *e)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, write ? 0 : MDB_RDONLY, &txn);
    if (rc) {
        lmdb_failure(s, rc, "cannot open the tables", e);
        return false;
    }
    MDB_dbi main_dbi;
    MDB_stat st = {0};
    rc = mdb_dbi_open(txn, NULL, 0, &main_dbi);
    if (!rc)
        rc = mdb_stat(txn, main_dbi, &st);
    bool fresh = write && st.ms_entries == 0;
    for (int i = 0; i < TABLE_COUNT && !rc; i++) {
        rc = mdb_dbi_open(txn, store_table_names[i], write ? MDB_CREATE : 0, &s->dbi[i]);
        if (rc == MDB_NOTFOUND && i != TABLE_META) {
            s->dbi[i] = NO_TABLE; /* newer than the folder */
            rc = 0;
        }
    }
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) {
        err_set(e, "%s holds no store of duband", folder_path(s->folder));
        goto no_store;
    }
    if (!rc)
        rc = open_front(s, txn, write);
    if (rc) {
        lmdb_failure(s, rc, "cannot open the tables", e);
        goto no_store;
    }
    if (!check_format(s, txn, fresh, e))
        goto no_store;
    rc = mdb_txn_commit(txn); /* of a reader too: else the handles are gone */
    if (rc)
        lmdb_failure(s, rc, "cannot create the tables", e);
    return rc == 0;

no_store:
    mdb_txn_abort(txn);
    return false;
}

bool lmdb_env_renew(struct lmdb_store *s, struct err *e)
{
    if (s->env)
        mdb_env_close(s->env);
    s->env = NULL;
    bool ok = lmdb_env_open(s, s->deferred || s->unsettled ? MDB_NOSYNC : 0, e) && lmdb_open_tables(s, true, e);
    if (!ok && s->env) {
        mdb_env_close(s->env);
        s->env = NULL;
    }
    return ok;
}

