/* Durable ordered tables of bytes, and the same in memory. One environment holds one partition's state.
 * store_lmdb.c and its front are the only users of lmdb.h; store_mem.c serves simulation and tests. Same behaviour, checked by the same tests. */
#ifndef DUBAND_STORE_H
#define DUBAND_STORE_H

#include "base/base.h"

enum table_id {
    /* The state: what the changelog carries. */
    TABLE_DEFINITION, /* workflow → Definition in force (state.proto) */
    TABLE_INSTANCE,   /* see engine/keys.h */
    TABLE_NUMBER,     /* workflow, series, year → last document number */
    TABLE_SEEN_CHUNK, /* month of receipt, batch, part → "" here, in the changelog ids that were seen: SeenChunk */
    TABLE_PROPOSAL,   /* workflow, id → Proposal: measures that wait for a decision */
    TABLE_LAST_STATE = TABLE_PROPOSAL,
    /* Derived from the state or from history; never in the changelog. */
    TABLE_SEEN,    /* month of receipt, workflow, source and id → digest of the content, then the outcome's history sequence */
    TABLE_TIMER,   /* workflow, due, instance key, timer, n → "" */
    TABLE_HISTORY, /* workflow, sequence → HistoryRecord */
    TABLE_MEASURE, /* workflow, sequence of history, index → "" : where measures are, for queries */
    TABLE_DOCUMENT, /* workflow, id of a measure → sequence of history, index: documents that went out */
    TABLE_WITHDRAWN, /* workflow, id of a measure → sequence of history, index: why its document holds no more */
    TABLE_META,    /* name → positions, clock target, chain heads, format version */
    /* The embedded log: topic, offset → LogRecord. */
    TABLE_LOG,
    TABLE_COUNT
};

struct store;      /* an environment */
struct store_txn;  /* one write at a time; any number of readers */
struct store_iter; /* over one table, in key order */

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_FULL, /* disk full: nothing was committed; the store can go on when there is room */
    STORE_FAILED /* says why in the store's error; the transaction is dead */
};

/* Creates the folder when needed. Refuses with one clear sentence: a folder in use by another process (a lock file beside the data),
 * a format from the future, a path that cannot be written. map_bytes 0: min(1 TiB, what the machine accepts). */
struct store *store_open(const char *folder, uint64_t map_bytes, struct err *e);
struct store *store_open_readonly(const char *folder, struct err *e);
struct store *store_open_memory(void); /* one thread only */
void store_close(struct store *s); /* no transaction may be open */

/* A write transaction belongs to its thread. Readers are snapshots: keep them short. NULL and e when it cannot begin. */
struct store_txn *store_begin(struct store *s, bool write, struct err *e);
/* Durable when it returns STORE_OK (fsync). On anything else the transaction is gone and nothing of it is in the store. */
enum store_status store_commit(struct store_txn *t, struct err *e);
void store_abort(struct store_txn *t); /* NULL is fine; how readers end */

/* Empties every table but for the format version. Readers keep what they see; the file keeps its size. */
enum store_status store_clear(struct store_txn *t);

/* From here on commits are not durable, until store_settle has made them all so: for filling a store that is empty, or whose content is worth
 * nothing without what follows. A mark in the folder says so meanwhile: a folder that is opened with it is emptied first, since nobody can
 * tell what of it has reached the disk. Between transactions only. */
bool store_unsettle(struct store *s, struct err *e);
bool store_settle(struct store *s, struct err *e);

/* For a store that can be made again from elsewhere: commits outlive the process, but do not wait for the disk. Closing waits. A mark in the
 * folder says since which start of the machine that is so: what is found with the mark of another one is emptied when it is opened, since
 * nobody can tell what of it has reached the disk. A store that is opened with such a mark goes on so until it is told. Between transactions. */
bool store_defer(struct store *s, bool deferred, struct err *e);

/* Of the files that it has before it, the process keeps at most about so many bytes in its memory (0: no bound, and far fewer page faults
 * when the state is large). They are page cache, which the system takes back when it needs it; but they count as the process's. */
void store_map_most(struct store *s, size_t bytes);

/* value points into the store: valid until the transaction writes again or ends; of TABLE_HISTORY, which is kept compressed, also only until
 * its next get in this transaction, or the next move of the iterator. */
enum store_status store_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value);
enum store_status store_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value);
/* As store_put, for a key greater than all in the table: faster. STORE_FAILED if it is not. */
enum store_status store_append(struct store_txn *t, enum table_id table, struct slice key, struct slice value);
enum store_status store_delete(struct store_txn *t, enum table_id table, struct slice key); /* NOT_FOUND is no failure */

/* Iteration survives writes to its table only by seeking again. An iterator is freed before its transaction ends. */
struct store_iter *store_iter_new(struct store_txn *t, enum table_id table);
void store_iter_free(struct store_iter *i);
/* First key ≥ from (from empty: the first). False at the end. key and value as for store_get. */
bool store_iter_seek(struct store_iter *i, struct slice from, struct slice *key, struct slice *value);
bool store_iter_next(struct store_iter *i, struct slice *key, struct slice *value);
/* Last key < before (before empty: the last of all). */
bool store_iter_seek_before(struct store_iter *i, struct slice before, struct slice *key, struct slice *value);
bool store_iter_prev(struct store_iter *i, struct slice *key, struct slice *value);

/* The last error of this transaction, for a STORE_FAILED or STORE_FULL that came from a get, put or delete. */
const char *store_txn_error(const struct store_txn *t);

struct store_stats {
    uint64_t entries[TABLE_COUNT];
    uint64_t bytes_used, bytes_map;
    uint32_t readers;
};
void store_stats(struct store *s, struct store_stats *out);

/* The writer's thread, between transactions, when it has been idle for some seconds after large batches: gives back memory that the back end
 * keeps for its next one, and brings the store into the form in which it is read fastest. It takes a step of that, some milliseconds; *more:
 * there is another. It gives nothing back while somebody reads. False: the store could not go on; every later transaction fails. */
bool store_trim(struct store *s, bool *more, struct err *e);

#endif
