#include "store/front.h"
#include "store/val.h"

#include <stdlib.h>

#define SLOTS_LEAST 4096
#define VALUE_MOST 1000 /* a longer one hardly shares its page */
#define SMALL_MOST 4 /* small transactions in a row do not mean that no large one follows */
#define UNSURE 0x80000000u /* with a run: some key of this hash may be in it, or in an older one, and not in the base */

struct front_limits front_limits = {
    .changes = 256, .spread = 4, .run = 2000, .entries = 340000, .pages = 32768, .numbers = UNSURE / 2,
    .step = 256, .rest = 1000, .gather = 2u << 20, .hashes = UINT32_MAX};

/* No run after this one has a key of this hash; run 0: the slot is free. Of two keys with one hash, one may make the other look like it is in a
 * newer run than it is, or in any at all: that costs a search and is else of no consequence. */
struct front_slot {
    uint32_t hash, run;
};

/* ---- what may be in which run */

static uint32_t hash_of(struct slice key)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) * (key.n + 1), v;
    size_t i = 0;
    for (; i + 8 <= key.n; i += 8) {
        memcpy(&v, key.p + i, 8);
        h = (h ^ v) * UINT64_C(0xd6e8feb86659fd93);
        h ^= h >> 32;
    }
    v = 0;
    memcpy(&v, key.p + i, key.n - i);
    h = (h ^ v) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(h >> 32) & front_limits.hashes;
}

/* Its slot, or a free one where it belongs. */
static struct front_slot *slot_at(const struct front *f, uint32_t hash)
{
    size_t i = hash & (f->nslots - 1);
    while (f->slot[i].run && f->slot[i].hash != hash)
        i = (i + 1) & (f->nslots - 1);
    return &f->slot[i];
}

/* NULL: no run has the key. */
static struct front_slot *slot_of(const struct front *f, struct slice key, uint32_t hash)
{
    struct front_slot *s = f->nused && key.n <= FRONT_KEY_MOST ? slot_at(f, hash) : NULL;
    return s && s->run ? s : NULL;
}

/* There is room for one more, and little is left over. */
static void slots_renew(struct front *f)
{
    struct front old = *f;
    for (f->nslots = SLOTS_LEAST; f->nslots * 2 < f->nused * 3 + 3; f->nslots *= 2)
        ;
    f->slot = mem_alloc(f->nslots * sizeof *f->slot);
    for (size_t i = 0; i < old.nslots; i++)
        if (old.slot[i].run)
            *slot_at(f, old.slot[i].hash) = old.slot[i];
    free(old.slot);
}

/* Slots of runs up to this one leave, in place: the index will be as large again. From a free slot on, every other one finds where it belongs,
 * or is there. */
static void slots_leave(struct front *f, uint32_t gone)
{
    size_t first = 0;
    while (f->slot[first].run)
        first++;
    f->nused = 0;
    for (size_t n = 1; n < f->nslots; n++) {
        struct front_slot *at = &f->slot[(first + n) & (f->nslots - 1)], s = *at;
        at->run = 0;
        if ((s.run & ~UNSURE) <= gone)
            continue;
        *slot_at(f, s.hash) = s;
        f->nused++;
    }
}

static void note_run(struct front *f, uint32_t hash, uint32_t run, uint32_t unsure)
{
    if (f->nused * 4 >= f->nslots * 3)
        slots_renew(f);
    struct front_slot *s = slot_at(f, hash);
    if (!s->run) {
        f->nused++;
        *s = (struct front_slot){hash, run | unsure};
    } else if ((s->run & ~UNSURE) < run) {
        s->run = run | (s->run & UNSURE);
    }
}

static void slots_drop(struct front *f)
{
    free(f->slot);
    f->slot = NULL;
    f->nslots = f->nused = 0;
}

void front_forget(struct front *f)
{
    slots_drop(f);
    gather_free(&f->gather);
    f->nnext = f->nfound = 0;
    f->known = false;
}

/* Which of them have been deleted is not known. */
static int find_keys(struct front *f, MDB_txn *txn, MDB_dbi table)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc = mdb_cursor_open(txn, table, &c);
    if (rc)
        return rc;
    while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
        note_run(f, hash_of((struct slice){(const char *)k.mv_data + 4, k.mv_size - 4}), run_of(k), UNSURE);
        f->in_run += run_of(k) == f->run;
    }
    mdb_cursor_close(c);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static void begin_run(struct front *f, bool anyhow)
{
    if (!anyhow && (f->in_run < front_limits.run || f->run >= front_limits.numbers))
        return;
    f->run++;
    f->in_run = 0;
}

/* The last run goes on: each time a new one would make many, were transactions aborted again and again. */
static int find_out(struct front *f, MDB_txn *txn)
{
    front_forget(f);
    int rc = runs_find(txn, f->table, &f->runs);
    f->collects = f->runs.last[1] > f->runs.last[0];
    f->run = runs_none(&f->runs) ? 1 : f->runs.last[f->collects];
    f->in_run = 0;
    for (int i = 0; i < 2 && !rc; i++)
        rc = find_keys(f, txn, f->table[i]);
    begin_run(f, false);
    f->known = rc == 0;
    return rc;
}

/* ---- entries */

/* What is read is often written next: then the base is not asked again. */
static int found(struct front *f, uint32_t hash, struct slice key)
{
    f->nfound = 0;
    f->found_hash = hash;
    if (key.n <= FRONT_KEY_MOST)
        memcpy(f->found, key.p, f->nfound = key.n);
    return 0;
}

static int look_in_base(struct front *f, MDB_txn *txn, uint32_t hash, struct slice key, MDB_val *value)
{
    MDB_val k = val_of(key);
    int rc = mdb_get(txn, f->base, &k, value);
    return rc ? rc : found(f, hash, key);
}

static int look_in_runs(const struct front *f, MDB_txn *txn, const struct front_slot *s, struct slice key,
                        MDB_val *value)
{
    struct slice v;
    if (!s)
        return MDB_NOTFOUND;
    if (!gather_get(&f->gather, s->hash, key, &v))
        return runs_get(txn, &f->runs, s->run & ~UNSURE, key, value);
    *value = val_of(v);
    return 0;
}

int front_begin(struct front *f, MDB_txn *txn)
{
    f->puts = f->changes = f->nfound = 0;
    int rc = f->known ? 0 : find_out(f, txn);
    f->runs_before = f->runs;
    f->in_run_before = f->in_run;
    return rc;
}

int front_newer(struct front *f, MDB_txn *txn, struct slice key, MDB_val *value)
{
    return look_in_runs(f, txn, slot_of(f, key, hash_of(key)), key, value);
}

int front_get(struct front *f, MDB_txn *txn, struct slice key, MDB_val *value)
{
    uint32_t hash = hash_of(key);
    const struct front_slot *s = slot_of(f, key, hash);
    MDB_val was;
    int rc = look_in_runs(f, txn, s, key, value);
    if (rc == MDB_NOTFOUND)
        return look_in_base(f, txn, hash, key, value);
    if (rc)
        return rc;
    return s->run & UNSURE ? look_in_base(f, txn, hash, key, &was) : found(f, hash, key);
}

static int put_sorted(struct front *f, MDB_cursor *c)
{
    unsigned char bytes[RUN_KEY_MOST];
    int rc = 0;
    gather_sort(&f->gather);
    for (size_t i = 0; i < f->gather.n && !rc; i++) {
        struct slice value = gather_value(&f->gather, i);
        MDB_val k = run_key(bytes, f->run, gather_key(&f->gather, i));
        MDB_val v = val_of(value);
        rc = mdb_cursor_put(c, &k, &v, MDB_APPEND);
        if (rc == MDB_KEYEXIST) /* the run has greater ones */
            rc = mdb_cursor_put(c, &k, &v, 0);
    }
    return rc;
}

static int write_gathered(struct front *f, MDB_txn *txn)
{
    MDB_cursor *c;
    if (f->gather.n == 0)
        return 0;
    int rc = mdb_cursor_open(txn, f->table[f->collects], &c);
    if (rc)
        return rc;
    rc = put_sorted(f, c);
    mdb_cursor_close(c);
    if (f->runs.last[f->collects] == 0)
        f->runs.first[f->collects] = f->run;
    f->runs.last[f->collects] = f->run;
    f->in_run += f->gather.n;
    gather_clear(&f->gather);
    return rc;
}

static int put_in_run(struct front *f, MDB_txn *txn, uint32_t hash, struct slice key, struct slice value)
{
    f->changes++;
    note_run(f, hash, f->run, 0);
    gather_put(&f->gather, hash, key, value);
    if (f->gather.nbytes <= front_limits.gather)
        return 0;
    int rc = write_gathered(f, txn);
    begin_run(f, false);
    return rc;
}

static bool is_for_runs(const struct front *f, struct slice key, struct slice value, unsigned flags)
{
    return f->on && flags == 0 && key.n <= FRONT_KEY_MOST && value.n <= VALUE_MOST;
}

/* Nobody asks the base for what small transactions put, unless a run may have it. */
int front_put(struct front *f, MDB_txn *txn, struct slice key, struct slice value, unsigned flags)
{
    MDB_val k = val_of(key), v = val_of(value), was;
    bool again = slice_eq(key, (struct slice){f->found, f->nfound});
    uint32_t hash = again ? f->found_hash : hash_of(key);
    bool held = slot_of(f, key, hash) != NULL, there = false;
    f->puts += flags == 0;
    if (held || is_for_runs(f, key, value, flags)) {
        int rc = again ? 0 : mdb_get(txn, f->base, &k, &was);
        if (rc && rc != MDB_NOTFOUND)
            return rc;
        there = rc == 0;
    }
    int rc = there && flags == 0 ? 0 : mdb_put(txn, f->base, &k, &v, flags);
    return rc || !(held || there) ? rc : put_in_run(f, txn, hash, key, value);
}

int front_delete(struct front *f, MDB_txn *txn, struct slice key)
{
    struct front_slot *s = slot_of(f, key, hash_of(key));
    MDB_val k = val_of(key);
    if (s)
        s->run |= UNSURE; /* for good, and if it is aborted: that is always right */
    f->nfound = 0;
    return mdb_del(txn, f->base, &k, NULL);
}

int front_clear(struct front *f, MDB_txn *txn)
{
    front_forget(f);
    f->lost = true;
    int rc = mdb_drop(txn, f->base, 0);
    for (int i = 0; i < 2 && !rc; i++)
        rc = mdb_drop(txn, f->table[i], 0);
    return rc ? rc : find_out(f, txn);
}

/* ---- merging */

/* What was deleted meanwhile stays so. */
static int update_base(MDB_cursor *c, const struct walk_entry *e)
{
    MDB_val k = val_of(e->key), was;
    int rc = mdb_cursor_get(c, &k, &was, MDB_SET);
    if (rc)
        return rc == MDB_NOTFOUND ? 0 : rc;
    MDB_val v = val_of(e->value);
    return mdb_cursor_put(c, &k, &v, MDB_CURRENT);
}

/* Some entries, and those that have the key of the last. */
static int merge_entries(struct walk *w, MDB_cursor *c, size_t *most)
{
    int rc = 0;
    char done[FRONT_KEY_MOST];
    size_t ndone = 0;
    for (const struct walk_entry *e; !rc && (e = walk_at(w));) {
        bool older = slice_eq(e->key, (struct slice){done, ndone});
        if (!older && *most == 0)
            break;
        *most -= *most > 0;
        if (!older) {
            memcpy(done, e->key.p, ndone = e->key.n);
            rc = update_base(c, e);
        }
        if (!rc)
            rc = walk_next(w);
    }
    return rc;
}

/* All of it is in the base. */
static int drop_merged(struct front *f, MDB_txn *txn, unsigned table)
{
    uint32_t gone = f->runs.last[table];
    f->runs.first[table] = 1;
    f->runs.last[table] = 0;
    f->nnext = 0;
    slots_leave(f, gone);
    return mdb_drop(txn, f->table[table], 0);
}

/* Of the table that does not collect; most: what is left of it. */
static int merge(struct front *f, MDB_txn *txn, size_t *most)
{
    unsigned table = !f->collects;
    struct walk *w = NULL;
    MDB_cursor *c = NULL;
    int rc = walk_new(txn, &f->runs, table, &w);
    if (!rc)
        rc = mdb_cursor_open(txn, f->base, &c);
    if (!rc)
        rc = walk_seek(w, (struct slice){f->next, f->nnext});
    if (!rc)
        rc = merge_entries(w, c, most);
    const struct walk_entry *e = rc ? NULL : walk_at(w);
    if (e)
        memcpy(f->next, e->key.p, f->nnext = e->key.n);
    bool all = !e;
    walk_free(w);
    if (c)
        mdb_cursor_close(c);
    return !rc && all ? drop_merged(f, txn, table) : rc;
}

static bool merges(const struct front *f)
{
    return f->runs.last[!f->collects] != 0;
}

/* By itself most of a transaction's changes would have a leaf of the base each; a table of runs has several for each. */
static bool is_large(size_t changes, size_t leaves)
{
    return changes >= front_limits.changes && leaves >= changes * front_limits.spread && leaves <= front_limits.entries;
}

/* What the next transaction does, and whether the tables change places: at once, when nothing more is to be collected. */
static int decide(struct front *f, MDB_txn *txn, bool rest, bool *merge_more)
{
    MDB_stat base, runs;
    int rc = mdb_stat(txn, f->base, &base);
    if (!rc)
        rc = mdb_stat(txn, f->table[f->collects], &runs);
    if (rc)
        return rc;
    if (runs_none(&f->runs) && f->run > 1) {
        f->run = 1;
        slots_drop(f);
    }
    bool large = is_large(f->on ? f->changes : f->puts, base.ms_leaf_pages);
    f->small = large ? 0 : f->small + 1;
    f->on = !rest && f->run < front_limits.numbers && (large || (f->on && f->small <= SMALL_MOST));
    size_t pages = runs.ms_leaf_pages + runs.ms_overflow_pages;
    bool enough = f->on ? runs.ms_entries > front_limits.entries || pages > front_limits.pages : runs.ms_entries > 0;
    bool turn = enough && !merges(f) && f->run < UNSURE - 1;
    begin_run(f, turn);
    f->collects ^= turn;
    /* What this transaction itself wrote can be walked through while the base is written, but for long values: LMDB might take the memory in
     * which they are, for want of room. */
    *merge_more = !f->on && (f->changes == 0 || runs.ms_overflow_pages == 0);
    return 0;
}

int front_end(struct front *f, MDB_txn *txn, bool rest)
{
    size_t most = f->changes + f->changes / 4, least = rest ? front_limits.rest : front_limits.step;
    if (most < least)
        most = least;
    int rc = write_gathered(f, txn);
    if (rc || f->failed)
        return rc; /* perhaps for want of room, which merging takes, too */
    bool more = false;
    f->lost |= !runs_none(&f->runs);
    rc = merges(f) ? merge(f, txn, &most) : 0;
    if (!rc)
        rc = decide(f, txn, rest, &more);
    if (!rc && more && most > 0 && merges(f))
        rc = merge(f, txn, &most);
    return rc;
}

/* What the index says of runs that are not there after all is of no consequence. */
void front_ended(struct front *f, bool committed, bool failed)
{
    if (!committed && f->lost)
        front_forget(f);
    if (!committed) {
        f->runs = f->runs_before;
        f->in_run = f->in_run_before;
    }
    if (f->on)
        gather_clear(&f->gather);
    else
        gather_free(&f->gather);
    f->failed = failed;
    f->lost = false;
}

bool front_is_empty(const struct front *f)
{
    return f->known && runs_none(&f->runs);
}
