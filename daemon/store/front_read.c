/* Reading the runs of a front: for any transaction, on any thread. */
#include "store/front.h"
#include "store/val.h"

#include <stdlib.h>

struct place {
    struct walk_entry at;
    MDB_cursor *cursor;
};

struct walk {
    struct place *place, **heap; /* by key, then the newest run first */
    size_t nplaces, nheap;
};

/* ---- one key */

MDB_val run_key(unsigned char out[RUN_KEY_MOST], uint32_t run, struct slice key)
{
    put_be32(out, run);
    if (key.n)
        memcpy(out + 4, key.p, key.n);
    return (MDB_val){4 + key.n, out};
}

uint32_t run_of(MDB_val key)
{
    return get_be32(key.mv_data);
}

static int find_ends(MDB_txn *txn, MDB_dbi table, uint32_t *first, uint32_t *last)
{
    MDB_stat st;
    MDB_cursor *c;
    MDB_val k, v;
    int rc = mdb_stat(txn, table, &st);
    *first = 1;
    *last = 0;
    if (rc || st.ms_entries == 0)
        return rc;
    rc = mdb_cursor_open(txn, table, &c);
    if (rc)
        return rc;
    rc = mdb_cursor_get(c, &k, &v, MDB_FIRST);
    *first = rc ? 1 : run_of(k);
    if (!rc)
        rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
    *last = rc ? 0 : run_of(k);
    mdb_cursor_close(c);
    return rc;
}

int runs_find(MDB_txn *txn, const MDB_dbi table[2], struct front_runs *out)
{
    int rc = 0;
    for (int i = 0; i < 2 && !rc; i++) {
        out->table[i] = table[i];
        rc = find_ends(txn, table[i], &out->first[i], &out->last[i]);
    }
    return rc;
}

bool runs_none(const struct front_runs *r)
{
    return r->last[0] == 0 && r->last[1] == 0;
}

int runs_get(MDB_txn *txn, const struct front_runs *r, uint32_t up_to, struct slice key, MDB_val *value)
{
    unsigned char bytes[RUN_KEY_MOST];
    unsigned newer = r->last[1] > r->last[0];
    if (key.n > FRONT_KEY_MOST)
        return MDB_NOTFOUND;
    for (unsigned i = 0; i < 2; i++) {
        unsigned t = i ? !newer : newer;
        for (uint32_t run = r->last[t] < up_to ? r->last[t] : up_to; run && run >= r->first[t]; run--) {
            MDB_val k = run_key(bytes, run, key);
            int rc = mdb_get(txn, r->table[t], &k, value);
            if (rc != MDB_NOTFOUND)
                return rc;
        }
    }
    return MDB_NOTFOUND;
}

/* ---- all keys */

static bool place_first(const struct place *x, const struct place *y)
{
    int c = slice_cmp(x->at.key, y->at.key);
    return c ? c < 0 : x->at.run > y->at.run;
}

static void heap_down(struct walk *w, size_t at)
{
    struct place *one = w->heap[at];
    for (size_t child; (child = 2 * at + 1) < w->nheap; at = child) {
        if (child + 1 < w->nheap && place_first(w->heap[child + 1], w->heap[child]))
            child++;
        if (!place_first(w->heap[child], one))
            break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = one;
}

int walk_new(MDB_txn *txn, const struct front_runs *r, unsigned which, struct walk **out)
{
    struct walk *w = mem_alloc(sizeof *w);
    size_t n = 0;
    int rc = 0;
    for (unsigned t = 0; t < 2; t++)
        n += r->last[t] - r->first[t] + 1;
    w->place = mem_alloc((n + 1) * sizeof *w->place);
    w->heap = mem_alloc((n + 1) * sizeof *w->heap);
    for (unsigned t = 0; t < 2; t++)
        for (uint32_t run = r->first[t]; (which == 2 || which == t) && !rc && run <= r->last[t]; run++) {
            struct place *p = &w->place[w->nplaces];
            p->at.run = run;
            rc = mdb_cursor_open(txn, r->table[t], &p->cursor);
            w->nplaces += !rc;
        }
    if (rc)
        walk_free(w);
    else
        *out = w;
    return rc;
}

void walk_free(struct walk *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->nplaces; i++)
        mdb_cursor_close(w->place[i].cursor);
    free(w->place);
    free(w->heap);
    free(w);
}

/* MDB_NOTFOUND: its run has no more. */
static int place_move(struct place *p, MDB_val k, MDB_cursor_op op)
{
    MDB_val v;
    int rc = mdb_cursor_get(p->cursor, &k, &v, op);
    if (!rc && run_of(k) != p->at.run)
        rc = MDB_NOTFOUND;
    if (rc)
        return rc;
    p->at.key = (struct slice){(const char *)k.mv_data + 4, k.mv_size - 4};
    p->at.value = slice_from(v);
    return 0;
}

int walk_seek(struct walk *w, struct slice from)
{
    unsigned char bytes[RUN_KEY_MOST];
    from.n = from.n < FRONT_KEY_MOST ? from.n : FRONT_KEY_MOST; /* a shorter one comes no later */
    w->nheap = 0;
    for (size_t i = 0; i < w->nplaces; i++) {
        struct place *p = &w->place[i];
        int rc = place_move(p, run_key(bytes, p->at.run, from), MDB_SET_RANGE);
        if (rc && rc != MDB_NOTFOUND)
            return rc;
        if (!rc)
            w->heap[w->nheap++] = p;
    }
    for (size_t i = w->nheap / 2; i-- > 0;)
        heap_down(w, i);
    return 0;
}

const struct walk_entry *walk_at(const struct walk *w)
{
    return w->nheap ? &w->heap[0]->at : NULL;
}

int walk_next(struct walk *w)
{
    int rc = place_move(w->heap[0], (MDB_val){0}, MDB_NEXT);
    if (rc && rc != MDB_NOTFOUND)
        return rc;
    if (rc)
        w->heap[0] = w->heap[--w->nheap];
    if (w->nheap)
        heap_down(w, 0);
    return 0;
}

int walk_to(struct walk *w, struct slice key, MDB_val *value)
{
    int c = -1, rc = 0;
    while (!rc && w->nheap && (c = slice_cmp(w->heap[0]->at.key, key)) < 0)
        rc = walk_next(w);
    if (rc || !w->nheap || c)
        return rc ? rc : MDB_NOTFOUND;
    struct slice v = w->heap[0]->at.value;
    *value = val_of(v);
    return 0;
}
