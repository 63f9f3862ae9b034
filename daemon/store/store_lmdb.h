/* The store on LMDB, among its own files: one named database a table, and two more of the front of TABLE_INSTANCE.
 *   store_lmdb.c        transactions; what has reached the disk, and what is given back
 *   store_lmdb_env.c    the environment and its tables: how they are opened, and the version of what is written
 *   store_lmdb_table.c  entries; some tables have theirs not as LMDB would
 * With front*.c and blocks*.c they are the only ones to include lmdb.h. */
#ifndef DUBAND_STORE_LMDB_H
#define DUBAND_STORE_LMDB_H

#include <lmdb.h>
#include <pthread.h>
#include <time.h>

#include "store/ahead.h"
#include "store/backend.h"
#include "store/blocks.h"
#include "store/folder.h"
#include "store/front.h"
#include "store/pages.h"
#include "store/val.h"

#define NO_TABLE 0 /* LMDB's list of free pages, which nobody asks for: a reader's, of a table that the folder does not have. It is empty. */

struct lmdb_store {
    struct store base;
    struct folder *folder;
    pthread_rwlock_t env_lock; /* transactions begin under it; trim, which replaces env, alone */
    atomic_uint open;          /* transactions; trim needs none */
    MDB_env *env;              /* NULL: it could not be opened again */
    uint64_t map;              /* as store_open was asked */
    bool write;
    bool unsettled, deferred; /* either: commits do not wait for the disk */
    MDB_dbi dbi[TABLE_COUNT];
    MDB_dbi front_dbi[2];
    bool fronted;  /* they are there; not so when an older format is read */
    uint64_t page; /* bytes */

    /* the writer's thread only */
    struct front front;
    struct blocks history;
    struct pages pages;
    struct ahead ahead;
    time_t readers_checked;
    bool rests; /* a trim */
};

struct lmdb_txn {
    struct store_txn base;
    MDB_txn *txn;
    struct front_runs runs; /* a reader's */
    struct blocks_seen history;
};

static inline struct lmdb_store *lmdb_store_of(const struct store_txn *t)
{
    return (struct lmdb_store *)t->store;
}

/* ---- store_lmdb_env.c */

/* What LMDB, or the system, answered, in words: `doing` is what failed. */
enum store_status lmdb_failure(const struct lmdb_store *s, int rc, const char *doing, struct err *e);
/* flags: of mdb_env_open. s->env is NULL if it fails. */
bool lmdb_env_open(struct lmdb_store *s, unsigned flags, struct err *e);
/* Closed, and opened again with its tables; alone, and with no transaction open. s->env is NULL if it fails. */
bool lmdb_env_renew(struct lmdb_store *s, struct err *e);
/* In an empty environment makes them and writes the version, all in one transaction; brings older ones up to date. */
bool lmdb_open_tables(struct lmdb_store *s, bool write, struct err *e);
int lmdb_put_format(const struct lmdb_store *s, MDB_txn *txn);
/* Who reads an older format knows no front, but since it was opened another process may have opened the folder to write to it: then
 * MDB_VERSION_MISMATCH. */
int lmdb_check_not_fronted(const struct lmdb_store *s, MDB_txn *txn);

/* ---- store_lmdb_table.c: as struct store_ops has them */

enum store_status lmdb_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value);
enum store_status lmdb_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value, bool append);
enum store_status lmdb_del(struct store_txn *t, enum table_id table, struct slice key);
enum store_status lmdb_clear(struct store_txn *t, enum table_id table);
struct store_iter *lmdb_iter_new(struct store_txn *t, enum table_id table);
void lmdb_iter_free(struct store_iter *i);
enum store_status lmdb_iter_move(struct store_iter *i, enum store_move move, struct slice at, struct slice *key, struct slice *value);

/* How many entries history has; MDB_NOTFOUND: none yet, or, in an older format, one a record. */
int lmdb_history_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t *n);
int lmdb_history_put_count(const struct lmdb_store *s, MDB_txn *txn, uint64_t n);
/* What was gathered of history is in its table, and counted. */
int lmdb_history_end(struct lmdb_store *s, MDB_txn *txn);

#endif
