/* A table whose entries lie in blocks (block.h): for what is put once, mostly in the order of its keys, and seldom read. A transaction gathers
 * what is put, and packs it when there is much of it, when it is walked through, and before it is committed.
 *
 * Blocks do not overlap: between the first key of one and its last there is none that it does not hold. What is put between them has each of
 * the blocks it belongs into taken apart and packed anew; so it is never wrong, and fast only at the end of its block, or behind it. */
#ifndef DUBAND_STORE_BLOCKS_H
#define DUBAND_STORE_BLOCKS_H

#include <lmdb.h>

#include "store/block.h"

#define BLOCKS_DAMAGED EBADMSG /* a status beside LMDB's: what stands there cannot be unpacked */

/* Bytes. Tests make them small. */
struct blocks_limits {
    size_t gather;             /* of what is gathered; with more of it, it is packed */
    size_t first, least, most; /* of a block's entries: the goal at first, and within what it may lie */
};
extern struct blocks_limits blocks_limits;

struct pending;

/* The writer's. */
struct blocks {
    MDB_dbi table;
    struct buf bytes; /* of what is gathered */
    struct pending *of;
    size_t n, cap;
    int64_t more; /* entries than when the transaction began */
    size_t goal;  /* bytes of a block's entries, so that it fills a page when it is packed */
    struct buf entries, packed; /* of the block in the making */
    struct block apart;
};

/* A place between the entries, with a cursor of LMDB that is the owner's. Zero-initialise the rest. */
struct blocks_place {
    MDB_cursor *cursor;
    struct block block;
    size_t at, next; /* in it: the entry, and its end */
};

/* Of a block that was unpacked for one key: others are often in it. */
struct blocks_seen {
    struct block block;
    const void *from; /* NULL: none */
};

/* Of a write transaction; they return what LMDB does, or BLOCKS_DAMAGED. */
void blocks_begin(struct blocks *b);
int blocks_put(struct blocks *b, MDB_txn *txn, struct slice key, struct slice value);
int blocks_append(struct blocks *b, MDB_txn *txn, struct slice key, struct slice value); /* MDB_KEYEXIST: it is not greater than all */
int blocks_delete(struct blocks *b, MDB_txn *txn, struct slice key);
bool blocks_gathered(const struct blocks *b, struct slice key, bool *there, struct slice *value);
int blocks_flush(struct blocks *b, MDB_txn *txn); /* all that is gathered is in the table */
void blocks_forget(struct blocks *b);             /* what is gathered */
void blocks_free(struct blocks *b);

/* Of any transaction, on any thread; but not of what is gathered. */
int blocks_get(struct blocks_seen *seen, MDB_txn *txn, MDB_dbi table, struct slice key, struct slice *value);
int blocks_move(struct blocks_place *place, enum store_move move, struct slice at, struct slice *key, struct slice *value);

#endif
