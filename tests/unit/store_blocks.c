/* History on disk, in blocks: that it is packed, however it comes, and what older folders, damaged blocks and refused commits do to it.
 * That packing changes nothing of what is read is asked by store_property.c. */
#include "store_support.h"

#include <lmdb.h>

#include "store/block.h"

struct fixture {
    struct temp temp;
    struct store *store;
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct err e = {0};
    f->temp = temp_make();
    f->store = store_open(f->temp.path, 0, &e);
    *state = f;
    return f->store ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    temp_remove(&f->temp);
    free(f);
    return 0;
}

static struct slice key_of(char out[40], const char *workflow, uint64_t sequence)
{
    size_t n = strlen(workflow) + 1;
    memcpy(out, workflow, n);
    put_be64((unsigned char *)out + n, sequence);
    return (struct slice){out, n + 8};
}

/* Some 300 bytes, most of which are in the next one, too. */
static struct slice value_of(char out[400], const char *workflow, uint64_t sequence)
{
    int n = snprintf(out, 400, "\n%s: the report of %s for the month %llu was received in time; ", workflow, workflow, (unsigned long long)sequence);
    for (uint64_t i = 0, x = sequence; i < 5; i++, x = x * 6364136223846793005u + 1442695040888963407u)
        n += snprintf(out + n, 400 - (size_t)n, "what was checked: %08x; ", (unsigned)(x >> 32));
    return (struct slice){out, (size_t)n};
}

static void put(struct store_txn *t, const char *workflow, uint64_t sequence)
{
    char k[40], v[400];
    assert_int_equal(store_put(t, TABLE_HISTORY, key_of(k, workflow, sequence), value_of(v, workflow, sequence)), STORE_OK);
}

static struct store_txn *begin(const struct fixture *f, bool write)
{
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, write, &e);
    assert_non_null(t);
    return t;
}

static void commit(struct store_txn *t)
{
    struct err e = {0};
    assert_int_equal(store_commit(t, &e), STORE_OK);
}

static void assert_has(struct store_txn *t, const char *workflow, uint64_t sequence)
{
    char k[40], v[400];
    struct slice found;
    assert_int_equal(store_get(t, TABLE_HISTORY, key_of(k, workflow, sequence), &found), STORE_OK);
    assert_true(slice_eq(found, value_of(v, workflow, sequence)));
}

/* Of each workflow all from the first to `last`, by key and in order, there and back. */
static void assert_whole(const struct fixture *f, const char *const *workflow, size_t n, uint64_t last)
{
    struct store_txn *t = begin(f, false);
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    struct store_stats stats;
    struct slice key, value;
    char k[40], v[400];
    bool more = store_iter_seek(i, S(""), &key, &value);
    for (size_t w = 0; w < n; w++)
        for (uint64_t s = 1; s <= last; s++, more = store_iter_next(i, &key, &value)) {
            assert_true(more && slice_eq(key, key_of(k, workflow[w], s)) && slice_eq(value, value_of(v, workflow[w], s)));
            assert_has(t, workflow[w], s);
        }
    assert_false(more);
    more = store_iter_seek_before(i, S(""), &key, &value);
    for (size_t w = n; w-- > 0;)
        for (uint64_t s = last; s >= 1; s--, more = store_iter_prev(i, &key, &value))
            assert_true(more && slice_eq(key, key_of(k, workflow[w], s)) && slice_eq(value, value_of(v, workflow[w], s)));
    assert_false(more);
    store_iter_free(i);
    store_abort(t);
    store_stats(f->store, &stats);
    assert_int_equal(stats.entries[TABLE_HISTORY], n * last);
}

/* ---- with LMDB itself */

static MDB_txn *open_raw(const struct fixture *f, MDB_env **env, const char *table, MDB_dbi *dbi)
{
    MDB_txn *txn;
    assert_int_equal(mdb_env_create(env), 0);
    assert_int_equal(mdb_env_set_maxdbs(*env, 20), 0);
    assert_int_equal(mdb_env_open(*env, f->temp.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(*env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, 0, dbi), 0);
    return txn;
}

/* How many records and pages history has. */
static MDB_stat closed_stat(struct fixture *f)
{
    struct err e = {0};
    MDB_env *env;
    MDB_dbi dbi;
    MDB_stat st;
    store_close(f->store);
    MDB_txn *txn = open_raw(f, &env, "history", &dbi);
    assert_int_equal(mdb_stat(txn, dbi, &st), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    f->store = store_open(f->temp.path, 0, &e);
    assert_non_null(f->store);
    return st;
}

/* ---- */

static const char *const two[] = {"heihe", "weibin"};

/* A thousand at a time, or one by one: the pages are less than a half of those of the bare values. */
static void test_packed(void **state)
{
    static const uint64_t step[] = {1000, 1, 7};
    for (size_t k = 0; k < 3; k++) {
        struct fixture *f;
        size_t bytes = 0;
        char v[400];
        assert_int_equal(setup((void **)&f), 0);
        for (uint64_t s = 0; s < 2000; s += step[k]) {
            struct store_txn *t = begin(f, true);
            for (uint64_t i = s + 1; i <= s + step[k] && i <= 2000; i++)
                for (size_t w = 0; w < 2; w++) { /* in turn */
                    put(t, two[w], i);
                    bytes += value_of(v, two[w], i).n;
                }
            commit(t);
        }
        assert_whole(f, two, 2, 2000);
        MDB_stat st = closed_stat(f);
        assert_true(st.ms_entries < 4000 / 10);
        assert_true((st.ms_leaf_pages + st.ms_overflow_pages) * st.ms_psize < bytes / 2);
        teardown((void **)&f);
    }
    (void)state;
}

/* What was put is seen by its own transaction at once, and only by it; what is aborted is gone. */
static void test_gathered(void **state)
{
    struct fixture *f = *state;
    char k[40];
    struct slice key, value;
    struct store_txn *t = begin(f, true), *reader;
    for (uint64_t s = 1; s <= 20; s++)
        put(t, "heihe", s);
    assert_has(t, "heihe", 7);
    reader = begin(f, false);
    assert_int_equal(store_get(reader, TABLE_HISTORY, key_of(k, "heihe", 7), &value), STORE_NOT_FOUND);
    assert_int_equal(store_delete(t, TABLE_HISTORY, key_of(k, "heihe", 7)), STORE_OK);
    assert_int_equal(store_delete(t, TABLE_HISTORY, key_of(k, "heihe", 7)), STORE_NOT_FOUND);
    assert_int_equal(store_get(t, TABLE_HISTORY, key_of(k, "heihe", 7), &value), STORE_NOT_FOUND);
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    assert_true(store_iter_seek(i, key_of(k, "heihe", 7), &key, &value));
    assert_true(slice_eq(key, key_of(k, "heihe", 8)));
    store_iter_free(i);
    put(t, "heihe", 7);
    assert_has(t, "heihe", 7);
    store_abort(reader);
    commit(t);
    t = begin(f, true);
    put(t, "heihe", 21);
    store_abort(t);
    assert_whole(f, two, 1, 20);
}

/* What fills a gap comes after what is behind it, and again what is there already. */
static void test_out_of_order(void **state)
{
    struct fixture *f = *state;
    static const uint64_t part[][2] = {{501, 1000}, {1, 100}, {90, 300}, {301, 510}, {1, 1000}};
    for (size_t p = 0; p < sizeof part / sizeof *part; p++) {
        struct store_txn *t = begin(f, true);
        for (uint64_t s = part[p][0]; s <= part[p][1]; s++)
            put(t, "heihe", s);
        commit(t);
        t = begin(f, false);
        assert_has(t, "heihe", part[p][0]);
        assert_has(t, "heihe", 700);
        store_abort(t);
    }
    assert_whole(f, two, 1, 1000);
}

/* A folder of the third format: each entry by itself. */
static void test_older_format(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    MDB_env *env;
    MDB_dbi dbi, meta;
    char k[40], v[400], format[] = "format", three[8] = {[7] = 3};
    store_close(f->store);
    MDB_txn *txn = open_raw(f, &env, "history", &dbi);
    for (uint64_t s = 1; s <= 100; s++) {
        struct slice key = key_of(k, "heihe", s), value = value_of(v, "heihe", s);
        MDB_val mk = {key.n, (void *)(uintptr_t)key.p}, mv = {value.n, (void *)(uintptr_t)value.p};
        assert_int_equal(mdb_put(txn, dbi, &mk, &mv, 0), 0);
    }
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_put(txn, meta, &(MDB_val){6, format}, &(MDB_val){8, three}, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    f->store = store_open_readonly(f->temp.path, &e);
    assert_non_null(f->store);
    assert_whole(f, two, 1, 100);
    store_close(f->store);
    f->store = store_open(f->temp.path, 0, &e);
    assert_non_null(f->store);
    assert_whole(f, two, 1, 100);
    for (uint64_t s = 98; s <= 150; s++) { /* three of them anew */
        struct store_txn *t = begin(f, true);
        put(t, "heihe", s);
        commit(t);
    }
    assert_whole(f, two, 1, 150);
    assert_true(closed_stat(f).ms_entries < 97 + 20); /* those of before stay as they are */
}

static void test_long_values(void **state)
{
    struct fixture *f = *state;
    const size_t size = 3 << 20;
    char k[40], *big = mem_alloc(size);
    struct slice value;
    uint64_t random = seed_take();
    for (size_t i = 0; i < size; i++)
        big[i] = (char)random_next(&random);
    struct store_txn *t = begin(f, true);
    put(t, "heihe", 1);
    assert_int_equal(store_put(t, TABLE_HISTORY, key_of(k, "heihe", 2), (struct slice){big, size}), STORE_OK);
    put(t, "heihe", 3);
    assert_int_equal(store_put(t, TABLE_HISTORY, key_of(k, "heihe", 4), S("")), STORE_OK);
    commit(t);
    t = begin(f, false);
    assert_has(t, "heihe", 1);
    assert_has(t, "heihe", 3);
    assert_int_equal(store_get(t, TABLE_HISTORY, key_of(k, "heihe", 2), &value), STORE_OK);
    assert_true(slice_eq(value, (struct slice){big, size}));
    assert_int_equal(store_get(t, TABLE_HISTORY, key_of(k, "heihe", 4), &value), STORE_OK);
    assert_int_equal(value.n, 0);
    store_abort(t);
    free(big);
}

/* A block that found no room is not part of the next one. */
static void test_full_map(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    enum store_status st = STORE_OK;
    char k[40], v[2000];
    uint64_t random = seed_take(), s = 0;
    store_close(f->store);
    f->store = store_open(f->temp.path, 1 << 20, &e);
    assert_non_null(f->store);
    while (st == STORE_OK) {
        struct store_txn *t = begin(f, true);
        for (int i = 0; i < 60 && st == STORE_OK; i++) {
            for (size_t n = 0; n < sizeof v; n++)
                v[n] = (char)random_next(&random);
            st = store_put(t, TABLE_HISTORY, key_of(k, "heihe", ++s), (struct slice){v, sizeof v});
        }
        st = store_commit(t, &e);
    }
    assert_int_equal(st, STORE_FULL);
    struct store_txn *t = begin(f, true);
    assert_int_equal(store_clear(t), STORE_OK);
    commit(t);
    t = begin(f, true);
    for (s = 1; s <= 30; s++)
        put(t, "heihe", s);
    commit(t);
    assert_whole(f, two, 1, 30);
}

/* What cannot be unpacked is said, and is not the end of the table. */
static void test_damaged(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    MDB_env *env;
    MDB_dbi dbi;
    MDB_val mk, mv;
    MDB_cursor *c;
    char k[40];
    struct slice key, value;
    struct store_txn *t = begin(f, true);
    for (uint64_t s = 1; s <= 100; s++)
        put(t, "heihe", s);
    commit(t);
    store_close(f->store);
    MDB_txn *txn = open_raw(f, &env, "history", &dbi);
    assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
    assert_int_equal(mdb_cursor_get(c, &mk, &mv, MDB_FIRST), 0);
    assert_int_equal(mdb_put(txn, dbi, &mk, &(MDB_val){mv.mv_size / 2, mv.mv_data}, 0), 0);
    mdb_cursor_close(c);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    f->store = store_open(f->temp.path, 0, &e);
    assert_non_null(f->store);
    t = begin(f, false);
    assert_int_equal(store_get(t, TABLE_HISTORY, key_of(k, "heihe", 1), &value), STORE_FAILED);
    assert_says(store_txn_error(t), "history: a block of entries is damaged");
    store_abort(t);
    t = begin(f, false);
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    assert_false(store_iter_seek(i, S(""), &key, &value));
    assert_says(store_txn_error(t), "history: a block of entries is damaged");
    store_iter_free(i);
    store_abort(t);
}

/* Whatever bytes there are: entries or an end, within the bytes. */
static void test_any_bytes(void **state)
{
    uint64_t random = seed_take();
    char k[40], v[400];
    struct buf entries = {0}, packed = {0};
    struct block b = {0};
    (void)state;
    for (uint64_t s = 1; s <= 40; s++)
        block_add(&entries, key_of(k, "heihe", s), value_of(v, "heihe", s));
    for (int round = 0; round < 20000; round++) {
        struct slice key, value;
        size_t at = 0, sum = 0;
        buf_clear(&packed);
        block_pack(&packed, buf_slice(&entries), 40, key_of(k, "heihe", 1));
        for (uint64_t n = random_below(&random, 4); n > 0; n--)
            packed.p[random_below(&random, random_below(&random, 2) ? packed.n : 20)] = (char)random_next(&random);
        if (random_below(&random, 3) == 0)
            packed.n = random_below(&random, packed.n);
        if (!block_unpack(&b, key_of(k, "heihe", 40), buf_slice(&packed)))
            continue;
        while (block_entry(&b, &at, &key, &value))
            for (size_t i = 0; i < value.n; i++)
                sum += (unsigned char)value.p[i];
        assert_true(at <= b.entries.n && sum < SIZE_MAX);
    }
    block_free(&b);
    buf_free(&entries);
    buf_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),
        cmocka_unit_test_setup_teardown(test_gathered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_format, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_map, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
