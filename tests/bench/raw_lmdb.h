/* Every call by which the engine changes LMDB, noted (the linker's --wrap) and made again on an environment
 * of its own. */
#ifndef DUBAND_BENCH_RAW_LMDB_H
#define DUBAND_BENCH_RAW_LMDB_H

#include <errno.h>
#include <lmdb.h>
#include <sys/stat.h>

#include "bench.h"

#define RAW_DBIS 64

struct raw_call {
    MDB_dbi dbi;
    unsigned flags;
    uint32_t key, value; /* lengths of the bytes that follow; value UINT32_MAX: a delete */
};

static struct buf raw_calls; /* struct raw_call, key, value; and so on */
static bool raw_noting;
static MDB_env *raw_env;
static MDB_dbi raw_dbi[RAW_DBIS];

int __real_mdb_put(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned);
int __real_mdb_del(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);
int __wrap_mdb_put(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned);
int __wrap_mdb_del(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);

static void raw_note(MDB_dbi dbi, unsigned flags, const MDB_val *key, const MDB_val *value)
{
    if (!raw_noting)
        return;
    struct raw_call c = {dbi, flags, (uint32_t)key->mv_size, value ? (uint32_t)value->mv_size : UINT32_MAX};
    buf_add(&raw_calls, (struct slice){(const char *)&c, sizeof c});
    buf_add(&raw_calls, (struct slice){key->mv_data, key->mv_size});
    if (value)
        buf_add(&raw_calls, (struct slice){value->mv_data, value->mv_size});
}

int __wrap_mdb_put(MDB_txn *t, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags)
{
    raw_note(dbi, flags, key, value);
    return __real_mdb_put(t, dbi, key, value, flags);
}

int __wrap_mdb_del(MDB_txn *t, MDB_dbi dbi, MDB_val *key, MDB_val *value)
{
    raw_note(dbi, 0, key, NULL);
    return __real_mdb_del(t, dbi, key, value);
}

static void raw_open(const char *folder)
{
    MDB_txn *txn;
    int rc = mkdir(folder, 0700);
    if (rc && errno != EEXIST)
        die("%s: %s", folder, strerror(errno));
    mdb_env_create(&raw_env);
    mdb_env_set_maxdbs(raw_env, RAW_DBIS);
    mdb_env_set_mapsize(raw_env, (size_t)1 << 34);
    if ((rc = mdb_env_open(raw_env, folder, MDB_NOTLS, 0600)) || (rc = mdb_txn_begin(raw_env, NULL, 0, &txn)))
        die("raw LMDB: %s", mdb_strerror(rc));
    for (unsigned i = 2; i < RAW_DBIS / 2;
         i++) { /* 0 and 1 are LMDB's own: so the engine's handles are ours */
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        if ((rc = mdb_dbi_open(txn, name, MDB_CREATE, &raw_dbi[i])))
            die("raw LMDB: %s", mdb_strerror(rc));
    }
    if ((rc = mdb_txn_commit(txn)))
        die("raw LMDB: %s", mdb_strerror(rc));
}

/* Makes the calls noted so far in one transaction, and forgets them. Returns how many seconds that took. */
static double raw_replay(void)
{
    MDB_txn *txn;
    bool was_noting = raw_noting;
    raw_noting = false;
    double began = now_s();
    int rc = mdb_txn_begin(raw_env, NULL, 0, &txn);
    for (size_t at = 0; !rc && at < raw_calls.n;) {
        struct raw_call c;
        memcpy(&c, raw_calls.p + at, sizeof c);
        at += sizeof c;
        bool put = c.value != UINT32_MAX;
        MDB_val key = {c.key, raw_calls.p + at}, value = {put ? c.value : 0, raw_calls.p + at + c.key};
        at += c.key + value.mv_size;
        rc = put ? __real_mdb_put(txn, raw_dbi[c.dbi], &key, &value, c.flags)
                 : __real_mdb_del(txn, raw_dbi[c.dbi], &key, NULL);
        rc = rc == MDB_NOTFOUND ? 0 : rc;
    }
    if (rc || (rc = mdb_txn_commit(txn)))
        die("raw LMDB: %s", mdb_strerror(rc));
    double took = now_s() - began;
    raw_calls.n = 0;
    raw_noting = was_noting;
    return took;
}

static void raw_close(void)
{
    mdb_env_close(raw_env);
    buf_free(&raw_calls);
}

#endif
