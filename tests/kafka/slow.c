/* Preloaded into duband: every look-up in a store takes $SLOW_US microseconds more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lmdb.h>
#include <stdlib.h>
#include <time.h>

int mdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
    static __typeof__(&mdb_get) real;
    const char *slow = getenv("SLOW_US");
    struct timespec nap = {.tv_nsec = slow ? atol(slow) * 1000 : 0};
    if (!real)
        real = (__typeof__(real))dlsym(RTLD_NEXT, "mdb_get");
    nanosleep(&nap, NULL);
    return real(txn, dbi, key, data);
}
