/* Reading a table of blocks: for any transaction, on any thread. */
#include "store/blocks.h"
#include "store/val.h"

#include <errno.h>

/* ---- one key */

/* Within the block, whose last key is not smaller. */
static int find(struct block *b, struct slice wanted, struct slice *value)
{
    struct slice key;
    int c;
    for (size_t at = 0; block_entry(b, &at, &key, value);)
        if ((c = slice_cmp(key, wanted)) >= 0)
            return c ? MDB_NOTFOUND : 0;
    return BLOCKS_DAMAGED;
}

int blocks_get(struct blocks_seen *seen, MDB_txn *txn, MDB_dbi table, struct slice key, struct slice *value)
{
    MDB_cursor *cursor;
    MDB_val k = val_of(key), v;
    int rc = mdb_cursor_open(txn, table, &cursor);
    if (rc)
        return rc;
    rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    if (!rc && seen->from != v.mv_data) {
        seen->from = NULL;
        rc = block_unpack(&seen->block, slice_from(k), slice_from(v)) ? 0 : BLOCKS_DAMAGED;
        if (!rc)
            seen->from = v.mv_data;
    }
    mdb_cursor_close(cursor);
    return rc ? rc : find(&seen->block, key, value);
}

/* ---- one after the other */

/* The block where the cursor goes to. */
static int load(struct blocks_place *p, struct slice from, MDB_cursor_op op)
{
    MDB_val k = val_of(from), v;
    int rc = mdb_cursor_get(p->cursor, &k, &v, op);
    if (rc)
        return rc;
    p->at = p->next = 0;
    return block_unpack(&p->block, slice_from(k), slice_from(v)) ? 0 : BLOCKS_DAMAGED;
}

static int step(struct blocks_place *p, struct slice *key, struct slice *value)
{
    p->at = p->next;
    return block_entry(&p->block, &p->next, key, value) ? 0 : BLOCKS_DAMAGED;
}

static bool at_end(const struct blocks_place *p)
{
    return p->next == p->block.entries.n;
}

/* The last entry that ends at `end` or before it. MDB_NOTFOUND: the block has none. */
static int step_before(struct blocks_place *p, size_t end, struct slice *key, struct slice *value)
{
    int rc = end ? 0 : MDB_NOTFOUND;
    for (p->next = 0; !rc && p->next < end;)
        rc = step(p, key, value);
    return rc;
}

static int load_last(struct blocks_place *p, MDB_cursor_op op, struct slice *key, struct slice *value)
{
    int rc = load(p, (struct slice){0}, op);
    return rc ? rc : step_before(p, p->block.entries.n, key, value);
}

static int move_at_least(struct blocks_place *p, struct slice from, struct slice *key, struct slice *value)
{
    char own[STORE_KEY_MAX];
    if (from.p == p->block.key) /* where it stands: overwritten by what it passes */
        from.p = memcpy(own, from.p, from.n);
    int rc = load(p, from, MDB_SET_RANGE);
    do
        rc = rc ? rc : step(p, key, value);
    while (!rc && slice_cmp(*key, from) < 0);
    return rc;
}

static int move_before(struct blocks_place *p, struct slice before, struct slice *key, struct slice *value)
{
    int rc = move_at_least(p, before, key, value);
    if (rc == MDB_NOTFOUND)
        return load_last(p, MDB_LAST, key, value);
    if (rc)
        return rc;
    rc = step_before(p, p->at, key, value);
    return rc == MDB_NOTFOUND ? load_last(p, MDB_PREV, key, value) : rc;
}

int blocks_move(struct blocks_place *p, enum store_move move, struct slice at, struct slice *key, struct slice *value)
{
    int rc = 0;
    switch (move) {
    case MOVE_FIRST:
    case MOVE_NEXT:
        if (move == MOVE_FIRST || at_end(p))
            rc = load(p, at, move == MOVE_FIRST ? MDB_FIRST : MDB_NEXT);
        return rc ? rc : step(p, key, value);
    case MOVE_AT_LEAST:
        return move_at_least(p, at, key, value);
    case MOVE_BEFORE:
        return move_before(p, at, key, value);
    case MOVE_LAST:
        return load_last(p, MDB_LAST, key, value);
    case MOVE_PREV:
        rc = step_before(p, p->at, key, value);
        return rc == MDB_NOTFOUND ? load_last(p, MDB_PREV, key, value) : rc;
    }
    return EINVAL;
}
