#include "store/blocks.h"
#include "store/val.h"

#include <errno.h>
#include <stdlib.h>

#define PACKED_GOAL 3800 /* bytes: LMDB's page less its own, and some room, since not all pack alike */

struct blocks_limits blocks_limits = {.gather = 1 << 20, .first = 16 << 10, .least = 4 << 10, .most = 64 << 10};

/* Of one key the one with the highest order counts. Those that a block held already: 0. */
struct pending {
    size_t at; /* in bytes: the key, then the value */
    uint32_t nkey, nvalue;
    uint32_t order;
    bool gone; /* deleted */
};

static struct slice key_of(const struct blocks *b, const struct pending *g)
{
    return (struct slice){b->bytes.p + g->at, g->nkey};
}

static struct slice value_of(const struct blocks *b, const struct pending *g)
{
    return (struct slice){b->bytes.p + g->at + g->nkey, g->nvalue};
}

/* ---- gathering */

void blocks_begin(struct blocks *b)
{
    b->more = 0;
    if (!b->goal)
        b->goal = blocks_limits.first;
}

void blocks_forget(struct blocks *b)
{
    buf_clear(&b->bytes);
    buf_clear(&b->entries); /* of a block that could not be put */
    b->n = 0;
}

void blocks_free(struct blocks *b)
{
    buf_free(&b->bytes);
    free(b->of);
    buf_free(&b->entries);
    buf_free(&b->packed);
    block_free(&b->apart);
    *b = (struct blocks){.table = b->table, .goal = b->goal};
}

static void gather(struct blocks *b, struct slice key, struct slice value, uint32_t order, bool gone)
{
    if (b->n == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->of = mem_grow(b->of, b->cap * sizeof *b->of);
    }
    b->of[b->n++] = (struct pending){b->bytes.n, (uint32_t)key.n, (uint32_t)value.n, order, gone};
    buf_add(&b->bytes, key);
    buf_add(&b->bytes, value);
}

static int put(struct blocks *b, MDB_txn *txn, struct slice key, struct slice value, bool gone)
{
    int rc = b->bytes.n && b->bytes.n + value.n > blocks_limits.gather ? blocks_flush(b, txn) : 0;
    if (!rc)
        gather(b, key, value, (uint32_t)b->n + 1, gone);
    return rc;
}

int blocks_put(struct blocks *b, MDB_txn *txn, struct slice key, struct slice value)
{
    return put(b, txn, key, value, false);
}

int blocks_delete(struct blocks *b, MDB_txn *txn, struct slice key)
{
    return put(b, txn, key, (struct slice){0}, true);
}

int blocks_append(struct blocks *b, MDB_txn *txn, struct slice key, struct slice value)
{
    MDB_cursor *c;
    MDB_val last, any;
    int rc = blocks_flush(b, txn);
    if (!rc)
        rc = mdb_cursor_open(txn, b->table, &c);
    if (rc)
        return rc;
    rc = mdb_cursor_get(c, &last, &any, MDB_LAST);
    if (!rc && slice_cmp(key, slice_from(last)) <= 0)
        rc = MDB_KEYEXIST;
    mdb_cursor_close(c);
    return rc && rc != MDB_NOTFOUND ? rc : blocks_put(b, txn, key, value);
}

bool blocks_gathered(const struct blocks *b, struct slice key, bool *there, struct slice *value)
{
    for (size_t i = b->n; i-- > 0;)
        if (slice_eq(key_of(b, &b->of[i]), key)) {
            *there = !b->of[i].gone;
            *value = value_of(b, &b->of[i]);
            return true;
        }
    return false;
}

/* ---- in their order, each key once */

static int cmp(const void *x, const void *y, void *ctx)
{
    const struct pending *p = x, *q = y;
    int c = slice_cmp(key_of(ctx, p), key_of(ctx, q));
    return c ? c : p->order < q->order ? 1 : -1; /* the one that counts first */
}

static void sort(struct blocks *b, size_t from)
{
    bool sorted = true;
    for (size_t i = from + 1; sorted && i < b->n; i++)
        sorted = slice_cmp(key_of(b, &b->of[i - 1]), key_of(b, &b->of[i])) < 0;
    if (sorted)
        return;
    qsort_r(b->of + from, b->n - from, sizeof *b->of, cmp, b);
    size_t n = from + 1;
    for (size_t i = n; i < b->n; i++)
        if (!slice_eq(key_of(b, &b->of[n - 1]), key_of(b, &b->of[i])))
            b->of[n++] = b->of[i];
    b->n = n;
}

/* ---- packing */

/* The block in the making: b->entries. */
struct making {
    struct blocks *b;
    MDB_cursor *cursor;
    bool last_of_all; /* the table has nothing behind it */
    uint32_t n;
    char first[STORE_KEY_MAX], last[STORE_KEY_MAX];
    size_t nfirst, nlast;
};

static bool is_full(const struct blocks *b, size_t bytes)
{
    return bytes > b->goal * 3 / 4;
}

/* So that the next full one fills a page; what it will be like is not known, so it is approached. */
static void set_goal(struct blocks *b)
{
    const struct blocks_limits *l = &blocks_limits;
    size_t fits = b->entries.n * PACKED_GOAL / b->packed.n, goal = (b->goal + fits) / 2;
    b->goal = goal < l->least ? l->least : goal > l->most ? l->most : goal;
}

static int end_block(struct making *m)
{
    struct blocks *b = m->b;
    if (m->n == 0)
        return 0;
    buf_clear(&b->packed);
    block_pack(&b->packed, buf_slice(&b->entries), m->n, (struct slice){m->first, m->nfirst});
    MDB_val k = {m->nlast, m->last}, v = val_of(buf_slice(&b->packed));
    int rc = mdb_cursor_put(m->cursor, &k, &v, m->last_of_all ? MDB_APPEND : 0);
    b->more += m->n;
    if (is_full(b, b->entries.n) && m->n > 1)
        set_goal(b);
    buf_clear(&b->entries);
    m->n = 0;
    return rc;
}

static int add(struct making *m, const struct pending *g)
{
    struct blocks *b = m->b;
    struct slice key = key_of(b, g);
    int rc = b->entries.n + g->nvalue > b->goal ? end_block(m) : 0;
    if (m->n == 0)
        memcpy(m->first, key.p, m->nfirst = key.n);
    memcpy(m->last, key.p, m->nlast = key.n);
    block_add(&b->entries, key, value_of(b, g));
    m->n++;
    return rc;
}

/* A block that is not full goes on: else who puts little at a time would pack nothing. What was put before there were blocks stays. */
static int join_before(struct making *m, struct slice key)
{
    struct blocks *b = m->b;
    struct block_head h;
    MDB_val k, v;
    int rc = mdb_cursor_get(m->cursor, &k, &v, m->last_of_all ? MDB_LAST : MDB_PREV);
    if (rc)
        return rc == MDB_NOTFOUND ? 0 : rc;
    if (!block_head_read(slice_from(v), &h))
        return BLOCKS_DAMAGED;
    if (h.single || is_full(b, h.bytes) || !slice_eq(block_prefix(slice_from(k)), block_prefix(key)))
        return 0;
    if (!block_unpack(&b->apart, slice_from(k), slice_from(v)))
        return BLOCKS_DAMAGED;
    memcpy(m->first, k.mv_data, m->nfirst = b->apart.nprefix);
    memcpy(m->first + m->nfirst, h.first.p, h.first.n);
    m->nfirst += h.first.n;
    memcpy(m->last, k.mv_data, m->nlast = k.mv_size);
    m->n = h.n;
    b->more -= h.n;
    buf_add(&b->entries, buf_slice(&b->apart.entries));
    return mdb_cursor_del(m->cursor, 0);
}

/* Its entries are among the gathered. */
static int take_apart(struct blocks *b, MDB_cursor *c, MDB_val k, MDB_val v)
{
    struct slice key, value;
    size_t at = 0;
    if (!block_unpack(&b->apart, slice_from(k), slice_from(v)))
        return BLOCKS_DAMAGED;
    for (; block_entry(&b->apart, &at, &key, &value); b->more--)
        gather(b, key, value, 0, false);
    return at == b->apart.entries.n ? mdb_cursor_del(c, 0) : BLOCKS_DAMAGED;
}

/* Where the block begins that the cursor found behind some key. */
static int first_of(MDB_val k, MDB_val v, char out[STORE_KEY_MAX], size_t *n)
{
    struct block_head h;
    struct slice key = slice_from(k);
    if (!block_head_read(slice_from(v), &h))
        return BLOCKS_DAMAGED;
    *n = h.single ? key.n : block_prefix(key).n;
    memcpy(out, key.p, *n);
    if (h.first.n)
        memcpy(out + *n, h.first.p, h.first.n);
    *n += h.first.n;
    return 0;
}

/* From *i on: those that belong behind each other, with no block between them. Or a block is in the way, and they are looked at anew. */
static int pack_some(struct blocks *b, MDB_cursor *c, size_t *i)
{
    struct making m = {.b = b, .cursor = c};
    struct slice from = key_of(b, &b->of[*i]);
    char bound[STORE_KEY_MAX];
    size_t nbound = 0;
    MDB_val k = val_of(from), v;
    int rc = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
    m.last_of_all = rc == MDB_NOTFOUND;
    if (!rc)
        rc = first_of(k, v, bound, &nbound);
    if (rc && !m.last_of_all)
        return rc;
    if (!m.last_of_all && slice_cmp((struct slice){bound, nbound}, from) <= 0) {
        rc = take_apart(b, c, k, v);
        sort(b, *i);
        return rc;
    }
    rc = join_before(&m, from);
    struct slice prefix = block_prefix(from);
    for (; !rc && *i < b->n; ++*i) {
        struct slice key = key_of(b, &b->of[*i]);
        if (!slice_eq(block_prefix(key), prefix) || (!m.last_of_all && slice_cmp(key, (struct slice){bound, nbound}) >= 0))
            break;
        if (!b->of[*i].gone)
            rc = add(&m, &b->of[*i]);
    }
    return rc ? rc : end_block(&m);
}

int blocks_flush(struct blocks *b, MDB_txn *txn)
{
    MDB_cursor *c;
    if (b->n == 0)
        return 0;
    int rc = mdb_cursor_open(txn, b->table, &c);
    if (rc)
        return rc;
    sort(b, 0);
    for (size_t i = 0; !rc && i < b->n;)
        rc = pack_some(b, c, &i);
    mdb_cursor_close(c);
    blocks_forget(b);
    return rc;
}
