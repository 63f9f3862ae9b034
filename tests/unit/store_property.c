/* Random transactions against LMDB, memory and a naive model: the same answers from all three. Some are aborted, some cannot be committed, some
 * empty the store; snapshots live over others, and the store on disk is opened again. The same once more with a front that small tables use,
 * and small blocks. */
#include "store_support.h"

#include <signal.h>
#include <sys/resource.h>

#include "store/blocks.h"
#include "store/fault.h"
#include "store/front.h"

#define ENTRIES_MOST 4096
#define TABLES 4

static const enum table_id tables[TABLES] = {TABLE_INSTANCE, TABLE_TIMER, TABLE_LOG, TABLE_HISTORY};

/* The model: a sorted array, searched from the front. */
struct entry {
    char key[24], value[40];
    size_t nkey, nvalue;
};
struct model {
    struct entry entry[ENTRIES_MOST];
    size_t n;
};

static struct slice key_of(const struct entry *e)
{
    return (struct slice){e->key, e->nkey};
}

static struct slice value_of(const struct entry *e)
{
    return (struct slice){e->value, e->nvalue};
}

/* The first entry with a key ≥ the given one. */
static size_t model_at_least(const struct model *m, struct slice key)
{
    size_t i = 0;
    while (i < m->n && slice_cmp(key_of(&m->entry[i]), key) < 0)
        i++;
    return i;
}

static bool model_is(const struct model *m, size_t i, struct slice key)
{
    return i < m->n && slice_eq(key_of(&m->entry[i]), key);
}

static void model_put(struct model *m, struct slice key, struct slice value)
{
    size_t i = model_at_least(m, key);
    if (!model_is(m, i, key)) {
        assert_true(m->n < ENTRIES_MOST);
        memmove(&m->entry[i + 1], &m->entry[i], (m->n - i) * sizeof m->entry[0]);
        m->n++;
    }
    struct entry *e = &m->entry[i];
    memcpy(e->key, key.p, e->nkey = key.n);
    memcpy(e->value, value.p, e->nvalue = value.n);
}

static bool model_delete(struct model *m, struct slice key)
{
    size_t i = model_at_least(m, key);
    if (!model_is(m, i, key))
        return false;
    m->n--;
    memmove(&m->entry[i], &m->entry[i + 1], (m->n - i) * sizeof m->entry[0]);
    return true;
}

/* ---- the run */

struct run {
    uint64_t random;
    struct model committed[TABLES], current[TABLES];
    struct store *store[2];
    struct store_txn *txn[2];
    struct temp temp;
};

static struct slice random_key(struct run *r, char out[24])
{
    size_t n = 1 + random_below(&r->random, random_below(&r->random, 4) ? 2 : 20);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(random_below(&r->random, 8) * 36);
    return (struct slice){out, n};
}

static struct slice random_value(struct run *r, char out[40])
{
    size_t n = random_below(&r->random, 40);
    for (size_t i = 0; i < n; i++)
        out[i] = (char)random_next(&r->random);
    return (struct slice){out, n};
}

static void write_one(struct run *r)
{
    char k[24], v[40];
    size_t table = random_below(&r->random, 2) ? 0 : random_below(&r->random, TABLES);
    struct slice key = random_key(r, k), value = random_value(r, v);
    struct model *m = &r->current[table];
    switch (random_below(&r->random, 8)) {
    case 0: /* append: only a key past the last may be */
        if (m->n && slice_cmp(key, key_of(&m->entry[m->n - 1])) <= 0)
            return;
        for (int s = 0; s < 2; s++)
            assert_int_equal(store_append(r->txn[s], tables[table], key, value), STORE_OK);
        model_put(m, key, value);
        return;
    case 1:
    case 2:
    case 3: {
        bool there = model_delete(m, key);
        for (int s = 0; s < 2; s++)
            assert_int_equal(store_delete(r->txn[s], tables[table], key), there ? STORE_OK : STORE_NOT_FOUND);
        return;
    }
    default:
        for (int s = 0; s < 2; s++)
            assert_int_equal(store_put(r->txn[s], tables[table], key, value), STORE_OK);
        model_put(m, key, value);
    }
}

static void check_get(struct run *r, struct store_txn *t, const struct model *m, size_t table)
{
    char k[24];
    struct slice key = random_key(r, k), v;
    size_t i = model_at_least(m, key);
    bool there = model_is(m, i, key);
    assert_int_equal(store_get(t, tables[table], key, &v), there ? STORE_OK : STORE_NOT_FOUND);
    if (there)
        assert_true(slice_eq(v, value_of(&m->entry[i])));
}

/* From a random place a random number of steps, now up, now down. */
static void check_walk(struct run *r, struct store_txn *t, const struct model *m, size_t table)
{
    char buffer[24];
    struct slice from = {0}, k, v;
    bool up = random_below(&r->random, 2), edge = random_below(&r->random, 8) == 0;
    if (!edge)
        from = random_key(r, buffer);
    struct store_iter *i = store_iter_new(t, tables[table]);
    size_t at = up ? (edge ? 0 : model_at_least(m, from)) : (edge ? m->n : model_at_least(m, from)) - 1;
    bool there = up ? store_iter_seek(i, from, &k, &v) : store_iter_seek_before(i, from, &k, &v);
    for (size_t steps = random_below(&r->random, 50);; steps--) {
        assert_int_equal(there, at < m->n); /* below zero wraps round */
        if (!there || steps == 0)
            break;
        assert_true(slice_eq(k, key_of(&m->entry[at])));
        assert_true(slice_eq(v, value_of(&m->entry[at])));
        if (random_below(&r->random, 10) == 0)
            up = !up;
        at += up ? 1 : (size_t)-1;
        there = up ? store_iter_next(i, &k, &v) : store_iter_prev(i, &k, &v);
    }
    store_iter_free(i);
}

static void check_all(struct store_txn *t, const struct model *m, size_t table)
{
    struct slice k, v;
    struct store_iter *i = store_iter_new(t, tables[table]);
    size_t n = 0;
    for (bool there = store_iter_seek(i, (struct slice){0}, &k, &v); there;
         there = store_iter_next(i, &k, &v), n++) {
        assert_true(n < m->n);
        assert_true(slice_eq(k, key_of(&m->entry[n])));
        assert_true(slice_eq(v, value_of(&m->entry[n])));
    }
    assert_int_equal(n, m->n);
    store_iter_free(i);
}

static void check(struct run *r, struct store_txn *const txn[2], const struct model model[TABLES])
{
    size_t table = random_below(&r->random, TABLES);
    uint64_t same = r->random;
    for (int s = 0; s < 2; s++) {
        r->random = same;
        if (random_below(&r->random, 2))
            check_get(r, txn[s], &model[table], table);
        else
            check_walk(r, txn[s], &model[table], table);
    }
}

static enum store_status refuse(enum store_fault_point at)
{
    return at == STORE_FAULT_COMMIT ? STORE_FULL : STORE_OK;
}

/* The disk takes nothing but the pages that say where everything is. */
static enum store_status commit_unwritten(struct store_txn *t)
{
    struct err e = {0};
    struct rlimit was, least;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    least = was;
    least.rlim_cur = 8192;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &least), 0);
    enum store_status st = store_commit(t, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    return st;
}

static void clear_all(struct run *r)
{
    for (int s = 0; s < 2; s++)
        assert_int_equal(store_clear(r->txn[s]), STORE_OK);
    for (size_t table = 0; table < TABLES; table++)
        r->current[table].n = 0;
}

static void write_transaction(struct run *r, struct store_txn *const reader[2], const struct model *before)
{
    struct err e = {0};
    for (int s = 0; s < 2; s++)
        assert_non_null(r->txn[s] = store_begin(r->store[s], true, &e));
    size_t most = random_below(&r->random, 4) ? 60 : 6, clear = random_below(&r->random, 30 * most);
    for (size_t n = random_below(&r->random, most); n > 0; n--) {
        if (n == clear)
            clear_all(r);
        write_one(r);
        if (random_below(&r->random, 4) == 0)
            check(r, r->txn, r->current);
        if (reader[0] && random_below(&r->random, 8) == 0)
            check(r, reader, before);
    }
    bool keep = random_below(&r->random, 3) != 0, full = !keep && random_below(&r->random, 2);
    bool unwritten = !keep && !full && random_below(&r->random, 2);
    if (unwritten)
        keep = commit_unwritten(r->txn[1]) == STORE_OK; /* it changed nothing */
    store_fault = full ? refuse : NULL;
    for (int s = 0; s < 2 - unwritten; s++)
        if (keep || full)
            assert_int_equal(store_commit(r->txn[s], &e), keep ? STORE_OK : STORE_FULL);
        else
            store_abort(r->txn[s]);
    store_fault = NULL;
    if (keep)
        memcpy(r->committed, r->current, sizeof r->committed);
    else
        memcpy(r->current, r->committed, sizeof r->current);
}

static void check_committed(struct run *r)
{
    struct err e = {0};
    for (int s = 0; s < 2; s++) {
        struct store_txn *t = store_begin(r->store[s], false, &e);
        assert_non_null(t);
        for (size_t table = 0; table < TABLES; table++)
            check_all(t, &r->committed[table], table);
        store_abort(t);
        struct store_stats stats;
        store_stats(r->store[s], &stats);
        for (size_t table = 0; table < TABLES; table++)
            assert_int_equal(stats.entries[tables[table]], r->committed[table].n);
    }
}

/* Closed, read by itself, and opened again; or what it keeps for large transactions is given back. */
static void interrupt(struct run *r)
{
    struct err e = {0};
    bool more = true;
    if (random_below(&r->random, 3) == 0) {
        while (more)
            assert_true(store_trim(r->store[1], &more, &e));
        return;
    }
    store_close(r->store[1]);
    assert_non_null(r->store[1] = store_open_readonly(r->temp.path, &e));
    check_committed(r);
    store_close(r->store[1]);
    assert_non_null(r->store[1] = store_open(r->temp.path, UINT64_C(1) << 30, &e));
}

/* The front is used, or not, and merged fast or slowly; blocks are small or large. */
static void change_limits(struct run *r, uint32_t hashes)
{
    front_limits = (struct front_limits){.changes = random_below(&r->random, 6) ? 0 : UINT32_MAX,
                                         .run = 1 + (uint32_t)random_below(&r->random, 20),
                                         .entries = 2 + (uint32_t)random_below(&r->random, 60),
                                         .pages = 1 + (uint32_t)random_below(&r->random, 10),
                                         .numbers = random_below(&r->random, 4) ? UINT32_MAX / 4 : 1 + (uint32_t)random_below(&r->random, 20),
                                         .step = 1 + (uint32_t)random_below(&r->random, 8),
                                         .rest = 1 + (uint32_t)random_below(&r->random, 40),
                                         .gather = (uint32_t)random_below(&r->random, 1000),
                                         .hashes = hashes};
    blocks_limits.gather = 1 + random_below(&r->random, 2000);
    blocks_limits.least = 1 + random_below(&r->random, 200);
    blocks_limits.first = blocks_limits.most = blocks_limits.least + random_below(&r->random, 1000);
}

static void random_runs(uint32_t hashes)
{
    struct err e = {0};
    struct run *r = mem_alloc(sizeof *r);
    struct model *before = mem_alloc(sizeof r->committed);
    r->random = seed_take();
    r->temp = temp_make();
    r->store[0] = store_open_memory();
    r->store[1] = store_open(r->temp.path, UINT64_C(1) << 30, &e);
    assert_non_null(r->store[1]);
    struct store_txn *reader[2] = {NULL, NULL};
    for (int round = 0; round < 400; round++) {
        if (hashes)
            change_limits(r, hashes);
        if (!reader[0] &&
            random_below(&r->random, 4) == 0) { /* a snapshot that lives over some transactions */
            memcpy(before, r->committed, sizeof r->committed);
            for (int s = 0; s < 2; s++)
                assert_non_null(reader[s] = store_begin(r->store[s], false, &e));
        } else if (reader[0] && random_below(&r->random, 4) == 0) {
            for (int s = 0; s < 2; s++) {
                store_abort(reader[s]);
                reader[s] = NULL;
            }
        }
        write_transaction(r, reader, before);
        if (round % 20 == 0)
            check_committed(r);
        if (!reader[0] && random_below(&r->random, 25) == 0)
            interrupt(r);
    }
    for (int s = 0; s < 2; s++)
        store_abort(reader[s]);
    check_committed(r);
    for (int s = 0; s < 2; s++)
        store_close(r->store[s]);
    temp_remove(&r->temp);
    free(before);
    free(r);
}

static void test_random_runs(void **state)
{
    (void)state;
    random_runs(0);
}

static void test_random_runs_with_small_limits(void **state)
{
    const struct front_limits front = front_limits;
    const struct blocks_limits blocks = blocks_limits;
    (void)state;
    random_runs(UINT32_MAX);
    random_runs(15); /* keys have few hashes */
    front_limits = front;
    blocks_limits = blocks;
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_runs), cmocka_unit_test(test_random_runs_with_small_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
