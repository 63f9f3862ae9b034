/* Preloaded into duband: every look-up in a store takes $SLOW_US microseconds more, every put $SLOW_PUT_US. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lmdb.h>
#include <stdlib.h>
#include <time.h>

static void rest(const char *name)
{
    const char *slow = getenv(name);
    struct timespec nap = {.tv_nsec = slow ? atol(slow) * 1000 : 0};
    if (slow)
        nanosleep(&nap, NULL);
}

int mdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
    static __typeof__(&mdb_get) real;
    if (!real)
        real = (__typeof__(real))dlsym(RTLD_NEXT, "mdb_get");
    rest("SLOW_US");
    return real(txn, dbi, key, data);
}

int mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
    static __typeof__(&mdb_put) real;
    if (!real)
        real = (__typeof__(real))dlsym(RTLD_NEXT, "mdb_put");
    rest("SLOW_PUT_US");
    return real(txn, dbi, key, data, flags);
}
