/* LMDB's values and slices. */
#ifndef DUBAND_STORE_VAL_H
#define DUBAND_STORE_VAL_H

#include <lmdb.h>

#include "base/base.h"

static inline MDB_val val_of(struct slice s)
{
    return (MDB_val){s.n, (void *)(uintptr_t)s.p};
}

static inline struct slice slice_from(MDB_val v)
{
    return (struct slice){v.mv_data, v.mv_size};
}

#endif
