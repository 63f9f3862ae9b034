/* A block: entries of a table that follow each other, compressed together, under the key of the last. Their keys differ in no more than their
 * last BLOCK_TAIL bytes. It is
 *
 *   0, number of entries: u32, bytes of them: u32, tail of the first key, then the entries: compressed (LZ4's block format), or, if that is
 *   not shorter, as they are
 *
 * a tail being its length: u8, and its bytes; an entry its key's tail, the length of its value: u32, and the value; integers big-endian.
 * A value that does not begin with 0 is no block: it is an entry of its own. */
#ifndef DUBAND_STORE_BLOCK_H
#define DUBAND_STORE_BLOCK_H

#include "store/backend.h"

#define BLOCK_TAIL 8

/* What stands before the entries. */
struct block_head {
    bool single; /* no block */
    uint32_t n, bytes;
    struct slice first; /* key's tail */
    struct slice entries;
};

/* The part of the key that all in its block have. */
static inline struct slice block_prefix(struct slice key)
{
    return (struct slice){key.p, key.n > BLOCK_TAIL ? key.n - BLOCK_TAIL : 0};
}

/* ---- making one: n entries are added to an empty buffer, the first with key `first` */
void block_add(struct buf *entries, struct slice key, struct slice value);
void block_pack(struct buf *out, struct slice entries, uint32_t n, struct slice first);

/* ---- reading one; false: it is none */
bool block_head_read(struct slice value, struct block_head *out);

/* Unpacked. */
struct block {
    struct buf entries;
    char key[STORE_KEY_MAX]; /* of the entry last read */
    size_t nprefix;
};
bool block_unpack(struct block *b, struct slice key, struct slice value);
/* The entry at `at`, a number of bytes: 0, or where the one before it ended, which it sets. key and value are b's: until the next. False: the end. */
bool block_entry(struct block *b, size_t *at, struct slice *key, struct slice *value);
void block_free(struct block *b);

#endif
