/* What a back end of the store provides. Only files of this folder include it; store.c checks arguments and
 * keeps the state that both have in common, so that they cannot differ in it. */
#ifndef DUBAND_STORE_BACKEND_H
#define DUBAND_STORE_BACKEND_H

#include <stdatomic.h>

#include "store/store.h"

#define STORE_KEY_MAX 511 /* LMDB's own limit */

extern const char *const store_table_names[TABLE_COUNT];

enum store_move { MOVE_FIRST, MOVE_AT_LEAST, MOVE_NEXT, MOVE_LAST, MOVE_BEFORE, MOVE_PREV };

struct store_ops {
    void (*close)(struct store *s);
    struct store_txn *(*begin)(struct store *s, bool write, struct err *e);
    /* Both free the transaction, in every case. */
    enum store_status (*commit)(struct store_txn *t, struct err *e);
    void (*abort)(struct store_txn *t);
    /* Statuses other than OK and NOT_FOUND leave the reason in t->error. */
    enum store_status (*get)(struct store_txn *t, enum table_id table, struct slice key, struct slice *value);
    enum store_status (*put)(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                             bool append);
    enum store_status (*del)(struct store_txn *t, enum table_id table, struct slice key);
    struct store_iter *(*iter_new)(struct store_txn *t, enum table_id table);
    void (*iter_free)(struct store_iter *i);
    /* NEXT and PREV only from where a move ended well; `at` counts for AT_LEAST and BEFORE. OK, NOT_FOUND at
     * the end, or a failure. */
    enum store_status (*iter_move)(struct store_iter *i, enum store_move move, struct slice at,
                                   struct slice *key, struct slice *value);
    void (*stats)(struct store *s, struct store_stats *out);
    bool (*trim)(struct store *s, bool *more, struct err *e); /* NULL: nothing to give back */
    enum store_status (*clear)(struct store_txn *t, enum table_id table);
    bool (*unsettle)(struct store *s, struct err *e); /* NULL, like the next three: nothing is durable anyway, or mapped */
    bool (*settle)(struct store *s, struct err *e);
    bool (*defer)(struct store *s, bool deferred, struct err *e);
    void (*map_most)(struct store *s, size_t bytes);
};

/* Each back end's structs begin with these. */
struct store {
    const struct store_ops *ops;
    atomic_bool writing;
    atomic_uint readers;
};

struct store_txn {
    struct store *store;
    bool write;
    enum store_status dead;       /* STORE_OK, or what killed it: every further call answers that */
    uint32_t writes[TABLE_COUNT]; /* how often each table was written: tells stale iterators */
    uint32_t iters;               /* iterators not freed yet */
    struct err error;
};

struct store_iter {
    struct store_txn *txn;
    enum table_id table;
    bool placed;     /* stands on an entry */
    uint32_t writes; /* txn->writes[table] when it was placed by a seek */
};

#endif
