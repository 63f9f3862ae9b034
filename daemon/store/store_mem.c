/* The store in memory: each table a treap whose nodes are shared between versions. A transaction holds a root
 * of its own and copies a node only if somebody else holds it too, so that aborting is letting go of the
 * root, and a reader's snapshot is another root. A node's priority is a hash of its key: the same entries
 * make the same tree, whatever the history. For one thread. */
#include "store/backend.h"

#include <stdlib.h>

/* Key and value, key first. Shared by all versions that hold the same entry. */
struct cell {
    uint32_t holders;
    size_t key, value; /* lengths */
    char bytes[];
};

/* Invariant: children's keys lie on their sides, and no child has a priority above its parent's. */
struct node {
    uint32_t holders; /* parents and roots */
    uint32_t priority;
    struct cell *cell;
    struct node *child[2]; /* smaller, greater */
};

struct root {
    struct node *node;
    uint64_t entries, bytes;
};

struct mem_store {
    struct store base;
    struct root root[TABLE_COUNT];
};

struct mem_txn {
    struct store_txn base;
    struct root root[TABLE_COUNT];
};

struct mem_iter {
    struct store_iter base;
    struct cell *at; /* held, so that its key outlives the entry */
};

/* ---- cells and nodes */

static struct slice cell_key(const struct cell *c)
{
    return (struct slice){c->bytes, c->key};
}

static struct slice cell_value(const struct cell *c)
{
    return (struct slice){c->bytes + c->key, c->value};
}

static struct cell *cell_new(struct slice key, struct slice value)
{
    struct cell *c = mem_alloc(sizeof *c + key.n + value.n);
    c->holders = 1;
    c->key = key.n;
    c->value = value.n;
    memcpy(c->bytes, key.p, key.n);
    if (value.n)
        memcpy(c->bytes + key.n, value.p, value.n);
    return c;
}

static void cell_release(struct cell *c)
{
    if (c && --c->holders == 0)
        free(c);
}

/* FNV-1a, its bits mixed once more: neighbouring keys must not get neighbouring priorities. */
static uint32_t priority_of(struct slice key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(h >> 32);
}

static struct node *node_new(struct cell *c)
{
    struct node *n = mem_alloc(sizeof *n);
    n->holders = 1;
    n->priority = priority_of(cell_key(c));
    n->cell = c;
    return n;
}

static struct node *node_hold(struct node *n)
{
    if (n)
        n->holders++;
    return n;
}

static void node_release(struct node *n)
{
    if (!n || --n->holders > 0)
        return;
    node_release(n->child[0]);
    node_release(n->child[1]);
    cell_release(n->cell);
    free(n);
}

/* The node at *at, which the caller holds, made the caller's alone. */
static struct node *node_own(struct node **at)
{
    struct node *n = *at;
    if (n->holders == 1)
        return n;
    struct node *copy = mem_alloc(sizeof *copy);
    *copy = (struct node){1, n->priority, n->cell, {node_hold(n->child[0]), node_hold(n->child[1])}};
    copy->cell->holders++;
    n->holders--;
    *at = copy;
    return copy;
}

/* ---- the tree */

static struct cell *tree_find(const struct node *n, struct slice key)
{
    while (n) {
        int c = slice_cmp(key, cell_key(n->cell));
        if (c == 0)
            return n->cell;
        n = n->child[c > 0];
    }
    return NULL;
}

/* The first entry with a key ≥ (or >, when `past`) the given one; NULL: none. */
static struct cell *tree_after(const struct node *n, struct slice key, bool past)
{
    struct cell *best = NULL;
    while (n) {
        int c = slice_cmp(key, cell_key(n->cell));
        bool right = past ? c >= 0 : c > 0;
        if (!right)
            best = n->cell;
        n = n->child[right];
    }
    return best;
}

/* The last entry with a key < the given one. */
static struct cell *tree_before(const struct node *n, struct slice key)
{
    struct cell *best = NULL;
    while (n) {
        bool right = slice_cmp(key, cell_key(n->cell)) > 0;
        if (right)
            best = n->cell;
        n = n->child[right];
    }
    return best;
}

static struct cell *tree_edge(const struct node *n, int side)
{
    while (n && n->child[side])
        n = n->child[side];
    return n ? n->cell : NULL;
}

/* Takes the cell; returns the one it replaced, now the caller's, or NULL. */
static struct cell *tree_put(struct node **at, struct cell *c)
{
    if (!*at) {
        *at = node_new(c);
        return NULL;
    }
    struct node *n = node_own(at);
    int order = slice_cmp(cell_key(c), cell_key(n->cell));
    if (order == 0) {
        struct cell *old = n->cell;
        n->cell = c;
        return old;
    }
    int side = order > 0;
    struct cell *old = tree_put(&n->child[side], c);
    struct node *up = n->child[side];
    if (up->priority > n->priority) { /* rotate: what was put is the caller's alone all along its path */
        n->child[side] = up->child[!side];
        up->child[!side] = n;
        *at = up;
    }
    return old;
}

/* One tree out of two, all of a's keys below b's. Takes both. */
static struct node *tree_join(struct node *a, struct node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (a->priority >= b->priority) {
        a = node_own(&a);
        a->child[1] = tree_join(a->child[1], b);
        return a;
    }
    b = node_own(&b);
    b->child[0] = tree_join(a, b->child[0]);
    return b;
}

/* The key is there. Returns its cell, now the caller's. */
static struct cell *tree_take(struct node **at, struct slice key)
{
    for (;;) {
        struct node *n = node_own(at);
        int order = slice_cmp(key, cell_key(n->cell));
        if (order != 0) {
            at = &n->child[order > 0];
            continue;
        }
        struct cell *c = n->cell;
        *at = tree_join(n->child[0], n->child[1]);
        free(n);
        return c;
    }
}

/* ---- transactions */

static void roots_hold(struct root *to, const struct root *from)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        to[i] = from[i];
        node_hold(to[i].node);
    }
}

static void roots_release(struct root *r)
{
    for (int i = 0; i < TABLE_COUNT; i++)
        node_release(r[i].node);
}

static struct store_txn *mem_begin(struct store *base, bool write, struct err *e)
{
    (void)write;
    (void)e;
    struct mem_txn *t = mem_alloc(sizeof *t);
    roots_hold(t->root, ((struct mem_store *)base)->root);
    return &t->base;
}

static void mem_abort(struct store_txn *base)
{
    struct mem_txn *t = (struct mem_txn *)base;
    roots_release(t->root);
    free(t);
}

static enum store_status mem_commit(struct store_txn *base, struct err *e)
{
    (void)e;
    struct mem_txn *t = (struct mem_txn *)base;
    struct mem_store *s = (struct mem_store *)base->store;
    roots_release(s->root);
    memcpy(s->root, t->root, sizeof s->root);
    free(t);
    return STORE_OK;
}

/* ---- entries */

static struct root *root_of(struct store_txn *t, enum table_id table)
{
    return &((struct mem_txn *)t)->root[table];
}

static enum store_status mem_get(struct store_txn *t, enum table_id table, struct slice key,
                                 struct slice *value)
{
    const struct cell *c = tree_find(root_of(t, table)->node, key);
    if (!c)
        return STORE_NOT_FOUND;
    *value = cell_value(c);
    return STORE_OK;
}

static enum store_status mem_put(struct store_txn *t, enum table_id table, struct slice key,
                                 struct slice value, bool append)
{
    struct root *r = root_of(t, table);
    if (append) {
        const struct cell *last = tree_edge(r->node, 1);
        if (last && slice_cmp(key, cell_key(last)) <= 0) {
            err_set(&t->error, "table %s: the key appended is not greater than all in it",
                    store_table_names[table]);
            return STORE_FAILED;
        }
    }
    struct cell *old = tree_put(&r->node, cell_new(key, value));
    r->entries += !old;
    r->bytes += value.n + (old ? 0 : key.n) - (old ? old->value : 0);
    cell_release(old);
    return STORE_OK;
}

static enum store_status mem_del(struct store_txn *t, enum table_id table, struct slice key)
{
    struct root *r = root_of(t, table);
    if (!tree_find(r->node, key))
        return STORE_NOT_FOUND;
    struct cell *old = tree_take(&r->node, key);
    r->entries--;
    r->bytes -= old->key + old->value;
    cell_release(old);
    return STORE_OK;
}

static enum store_status mem_clear(struct store_txn *t, enum table_id table)
{
    struct root *r = root_of(t, table);
    node_release(r->node);
    *r = (struct root){0};
    return STORE_OK;
}

/* ---- iteration: each step looks its place up by key, so nothing can leave it dangling */

static struct store_iter *mem_iter_new(struct store_txn *t, enum table_id table)
{
    (void)t;
    (void)table;
    struct mem_iter *i = mem_alloc(sizeof *i);
    return &i->base;
}

static void mem_iter_free(struct store_iter *base)
{
    cell_release(((struct mem_iter *)base)->at);
    free(base);
}

static struct cell *mem_iter_find(const struct mem_iter *i, enum store_move move, struct slice at)
{
    const struct node *n = root_of(i->base.txn, i->base.table)->node;
    switch (move) {
    case MOVE_FIRST:
        return tree_edge(n, 0);
    case MOVE_AT_LEAST:
        return tree_after(n, at, false);
    case MOVE_NEXT:
        return tree_after(n, cell_key(i->at), true);
    case MOVE_LAST:
        return tree_edge(n, 1);
    case MOVE_BEFORE:
        return tree_before(n, at);
    case MOVE_PREV:
        return tree_before(n, cell_key(i->at));
    }
    return NULL;
}

static enum store_status mem_iter_move(struct store_iter *base, enum store_move move, struct slice at,
                                       struct slice *key, struct slice *value)
{
    struct mem_iter *i = (struct mem_iter *)base;
    struct cell *c = mem_iter_find(i, move, at);
    if (!c)
        return STORE_NOT_FOUND;
    c->holders++;
    cell_release(i->at);
    i->at = c;
    *key = cell_key(c);
    *value = cell_value(c);
    return STORE_OK;
}

/* ---- the whole */

static void mem_stats(struct store *base, struct store_stats *out)
{
    const struct mem_store *s = (struct mem_store *)base;
    for (int i = 0; i < TABLE_COUNT; i++) {
        out->entries[i] = s->root[i].entries;
        out->bytes_used += s->root[i].bytes;
    }
}

static void mem_close(struct store *base)
{
    struct mem_store *s = (struct mem_store *)base;
    roots_release(s->root);
    free(s);
}

static const struct store_ops mem_ops = {
    .close = mem_close,
    .begin = mem_begin,
    .commit = mem_commit,
    .abort = mem_abort,
    .get = mem_get,
    .put = mem_put,
    .del = mem_del,
    .iter_new = mem_iter_new,
    .iter_free = mem_iter_free,
    .iter_move = mem_iter_move,
    .stats = mem_stats,
    .clear = mem_clear,
};

struct store *store_open_memory(void)
{
    struct mem_store *s = mem_alloc(sizeof *s);
    s->base.ops = &mem_ops;
    return &s->base;
}
