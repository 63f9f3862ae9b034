/* What the store promises, asked of both back ends by the same tests; and of LMDB with a front that small tables use. */
#include "store_support.h"

#include "store/fault.h"
#include "store/front.h"

struct fixture {
    const char *backend;
    struct temp temp;
    struct store *store;
};

static void open_store(struct fixture *f)
{
    struct err e = {0};
    f->store = strcmp(f->backend, "mem") == 0 ? store_open_memory() : store_open(f->temp.path, 0, &e);
    if (!f->store)
        fail_msg("%s", e.text);
}

static int setup(void **state, const char *backend)
{
    struct fixture *f = mem_alloc(sizeof *f);
    f->backend = backend;
    f->temp = temp_make();
    open_store(f);
    *state = f;
    return 0;
}

static int setup_mem(void **state)
{
    return setup(state, "mem");
}

static int setup_lmdb(void **state)
{
    return setup(state, "lmdb");
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_fault = NULL;
    store_close(f->store);
    temp_remove(&f->temp);
    free(f);
    return 0;
}

static struct front_limits limits;

static int setup_front(void **state)
{
    limits = front_limits;
    front_limits = (struct front_limits){
        .run = 1, .entries = 2, .pages = UINT32_MAX, .numbers = UINT32_MAX / 4, .step = 1, .rest = 1, .gather = 100, .hashes = 1};
    return setup(state, "lmdb");
}

static int teardown_front(void **state)
{
    front_limits = limits;
    return teardown(state);
}

static struct store_txn *begin(struct fixture *f, bool write)
{
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, write, &e);
    if (!t)
        fail_msg("%s", e.text);
    return t;
}

static void commit(struct store_txn *t)
{
    struct err e = {0};
    if (store_commit(t, &e) != STORE_OK)
        fail_msg("%s", e.text);
}

static void put(struct store_txn *t, enum table_id table, const char *key, const char *value)
{
    assert_int_equal(store_put(t, table, slice_of(key), slice_of(value)), STORE_OK);
}

static void assert_has(struct store_txn *t, enum table_id table, const char *key, const char *value)
{
    struct slice v;
    assert_int_equal(store_get(t, table, slice_of(key), &v), STORE_OK);
    assert_slice(v, value);
}

static void assert_lacks(struct store_txn *t, enum table_id table, const char *key)
{
    struct slice v;
    assert_int_equal(store_get(t, table, slice_of(key), &v), STORE_NOT_FOUND);
}

static void test_put_get_delete(void **state)
{
    struct store_txn *t = begin(*state, true);
    assert_lacks(t, TABLE_INSTANCE, "a");
    put(t, TABLE_INSTANCE, "a", "1");
    put(t, TABLE_INSTANCE, "b", "");
    put(t, TABLE_META, "a", "other");
    put(t, TABLE_INSTANCE, "a", "2, longer than before");
    assert_has(t, TABLE_INSTANCE, "a", "2, longer than before");
    assert_has(t, TABLE_INSTANCE, "b", "");
    assert_has(t, TABLE_META, "a", "other");
    assert_int_equal(store_delete(t, TABLE_INSTANCE, S("a")), STORE_OK);
    assert_int_equal(store_delete(t, TABLE_INSTANCE, S("a")), STORE_NOT_FOUND);
    assert_lacks(t, TABLE_INSTANCE, "a");
    commit(t);
    t = begin(*state, false);
    assert_lacks(t, TABLE_INSTANCE, "a");
    assert_has(t, TABLE_INSTANCE, "b", "");
    assert_has(t, TABLE_META, "a", "other");
    store_abort(t);
}

static void test_abort_restores(void **state)
{
    struct store_txn *t = begin(*state, true);
    put(t, TABLE_TIMER, "kept", "old");
    put(t, TABLE_TIMER, "deleted", "back");
    commit(t);
    t = begin(*state, true);
    put(t, TABLE_TIMER, "kept", "new");
    put(t, TABLE_TIMER, "added", "never");
    assert_int_equal(store_delete(t, TABLE_TIMER, S("deleted")), STORE_OK);
    store_abort(t);
    store_abort(NULL);
    t = begin(*state, false);
    assert_has(t, TABLE_TIMER, "kept", "old");
    assert_has(t, TABLE_TIMER, "deleted", "back");
    assert_lacks(t, TABLE_TIMER, "added");
    store_abort(t);
}

static void test_readers_are_snapshots(void **state)
{
    struct store_txn *w = begin(*state, true);
    put(w, TABLE_INSTANCE, "k", "before");
    commit(w);
    struct store_txn *old = begin(*state, false);
    w = begin(*state, true);
    put(w, TABLE_INSTANCE, "k", "after");
    put(w, TABLE_INSTANCE, "l", "new");
    struct store_txn *during = begin(*state, false);
    assert_has(during, TABLE_INSTANCE, "k", "before");
    commit(w);
    struct store_txn *new = begin(*state, false);
    assert_has(old, TABLE_INSTANCE, "k", "before");
    assert_lacks(old, TABLE_INSTANCE, "l");
    assert_has(during, TABLE_INSTANCE, "k", "before");
    assert_has(new, TABLE_INSTANCE, "k", "after");
    struct fixture *f = *state;
    struct store_stats st;
    store_stats(f->store, &st);
    assert_int_equal(st.readers, 3);
    assert_int_equal(st.entries[TABLE_INSTANCE], 2);
    assert_true(st.bytes_used > 0);
    store_abort(during);
    store_abort(old);
    store_abort(new);
    store_stats(f->store, &st);
    assert_int_equal(st.readers, 0);
}

static void test_one_writer(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct store_txn *t = begin(f, true);
    assert_null(store_begin(f->store, true, &e));
    assert_says(e.text, "open already");
    store_abort(t);
    commit(begin(f, true));
}

static void test_iteration(void **state)
{
    struct slice k, v;
    struct store_txn *t = begin(*state, true);
    struct store_iter *i = store_iter_new(t, TABLE_SEEN);
    assert_false(store_iter_seek(i, (struct slice){0}, &k, &v));
    assert_false(store_iter_seek_before(i, (struct slice){0}, &k, &v));
    assert_false(store_iter_next(i, &k, &v));
    put(t, TABLE_SEEN, "b", "2");
    put(t, TABLE_SEEN, "d", "4");
    put(t, TABLE_SEEN, "bb", "3");
    put(t, TABLE_NUMBER, "c", "of another table");

    assert_true(store_iter_seek(i, (struct slice){0}, &k, &v));
    assert_slice(k, "b");
    assert_slice(v, "2");
    assert_true(store_iter_next(i, &k, &v));
    assert_slice(k, "bb");
    assert_true(store_iter_next(i, &k, &v));
    assert_slice(k, "d");
    assert_false(store_iter_next(i, &k, &v));
    assert_false(store_iter_prev(i, &k, &v)); /* past the end one has to seek */

    assert_true(store_iter_seek(i, S("bb"), &k, &v));
    assert_slice(k, "bb");
    assert_true(store_iter_seek(i, S("bba"), &k, &v));
    assert_slice(k, "d");
    assert_false(store_iter_seek(i, S("da"), &k, &v));

    assert_true(store_iter_seek_before(i, S("d"), &k, &v));
    assert_slice(k, "bb");
    assert_true(store_iter_seek_before(i, S("zz"), &k, &v));
    assert_slice(k, "d");
    assert_true(store_iter_seek_before(i, (struct slice){0}, &k, &v));
    assert_slice(k, "d");
    assert_true(store_iter_prev(i, &k, &v));
    assert_slice(v, "3");
    assert_true(store_iter_prev(i, &k, &v));
    assert_slice(v, "2");
    assert_false(store_iter_prev(i, &k, &v));
    assert_false(store_iter_seek_before(i, S("b"), &k, &v));

    put(t, TABLE_SEEN, "a", "1"); /* after a write: seek again */
    assert_true(store_iter_seek(i, S("a"), &k, &v));
    assert_slice(v, "1");
    store_iter_free(i);
    store_iter_free(NULL);
    store_abort(t);
}

/* From the key where it stands, whoever keeps that. */
static void test_seek_again(void **state)
{
    static const enum table_id table[] = {TABLE_INSTANCE, TABLE_SEEN, TABLE_HISTORY};
    struct slice k, v;
    struct store_txn *t = begin(*state, true);
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        put(t, table[n], "a", "1");
        put(t, table[n], "b", "2");
        put(t, table[n], "c", "3");
        struct store_iter *i = store_iter_new(t, table[n]);
        assert_true(store_iter_seek(i, S("b"), &k, &v));
        assert_true(store_iter_seek(i, k, &k, &v));
        assert_slice(k, "b");
        assert_slice(v, "2");
        assert_true(store_iter_seek_before(i, k, &k, &v));
        assert_slice(k, "a");
        assert_false(store_iter_seek_before(i, k, &k, &v));
        store_iter_free(i);
    }
    store_abort(t);
}

static void test_append(void **state)
{
    struct err e = {0};
    struct store_txn *t = begin(*state, true);
    assert_int_equal(store_append(t, TABLE_HISTORY, S("1"), S("a")), STORE_OK);
    assert_int_equal(store_append(t, TABLE_HISTORY, S("2"), S("b")), STORE_OK);
    assert_int_equal(store_append(t, TABLE_SEEN, S("1"), S("a table of its own")), STORE_OK);
    store_abort(t);

    t = begin(*state, true);
    assert_int_equal(store_append(t, TABLE_HISTORY, S("2"), S("a")), STORE_OK);
    assert_int_equal(store_append(t, TABLE_HISTORY, S("2"), S("again")), STORE_FAILED);
    assert_says(store_txn_error(t), "history");
    assert_says(store_txn_error(t), "not greater");
    assert_int_equal(store_append(t, TABLE_HISTORY, S("3"), S("too late")), STORE_FAILED);
    assert_int_equal(store_commit(t, &e), STORE_FAILED);
    assert_says(e.text, "not greater");
    t = begin(*state, false);
    assert_lacks(t, TABLE_HISTORY, "2");
    store_abort(t);
}

static void test_key_limits(void **state)
{
    char key[512];
    struct err e = {0};
    struct slice k, v;
    memset(key, 'k', sizeof key);
    struct slice longest = {key, 511}, too_long = {key, 512};
    struct store_txn *t = begin(*state, true);
    assert_int_equal(store_put(t, TABLE_INSTANCE, longest, S("v")), STORE_OK);
    assert_int_equal(store_get(t, TABLE_INSTANCE, longest, &v), STORE_OK);
    assert_int_equal(store_get(t, TABLE_INSTANCE, too_long, &v), STORE_NOT_FOUND);
    assert_int_equal(store_get(t, TABLE_INSTANCE, S(""), &v), STORE_NOT_FOUND);
    assert_int_equal(store_delete(t, TABLE_INSTANCE, too_long), STORE_NOT_FOUND);
    assert_int_equal(store_delete(t, TABLE_INSTANCE, S("")), STORE_NOT_FOUND);
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    assert_false(store_iter_seek(i, too_long, &k, &v));
    assert_true(store_iter_seek_before(i, too_long, &k, &v));
    assert_int_equal(k.n, 511);
    store_iter_free(i);
    assert_int_equal(store_put(t, TABLE_INSTANCE, S(""), S("v")), STORE_FAILED);
    assert_says(store_txn_error(t), "0 bytes");
    assert_int_equal(store_get(t, TABLE_INSTANCE, longest, &v), STORE_FAILED); /* dead is dead */
    assert_int_equal(store_commit(t, &e), STORE_FAILED);
    t = begin(*state, true);
    assert_int_equal(store_put(t, TABLE_INSTANCE, too_long, S("v")), STORE_FAILED);
    assert_says(store_txn_error(t), "512 bytes");
    store_abort(t);
}

static void test_large_values_and_any_bytes(void **state)
{
    size_t n = 300000;
    char *big = mem_alloc(n);
    for (size_t i = 0; i < n; i++)
        big[i] = (char)(i * 7);
    struct slice v, odd = {"\0\xff\0", 3};
    struct store_txn *t = begin(*state, true);
    assert_int_equal(store_put(t, TABLE_DEFINITION, odd, (struct slice){big, n}), STORE_OK);
    commit(t);
    t = begin(*state, false);
    assert_int_equal(store_get(t, TABLE_DEFINITION, odd, &v), STORE_OK);
    assert_true(slice_eq(v, (struct slice){big, n}));
    store_abort(t);
    free(big);
}

static void test_readers_write_nothing(void **state)
{
    struct err e = {0};
    struct store_txn *t = begin(*state, false);
    assert_int_equal(store_put(t, TABLE_INSTANCE, S("k"), S("v")), STORE_FAILED);
    assert_says(store_txn_error(t), "read transaction");
    store_abort(t);
    t = begin(*state, false);
    assert_int_equal(store_delete(t, TABLE_INSTANCE, S("k")), STORE_FAILED);
    store_abort(t);
    assert_int_equal(store_commit(begin(*state, false), &e), STORE_OK);
}

static enum store_status fault_result;
static enum store_fault_point fault_at;

static enum store_status fault(enum store_fault_point at)
{
    return at == fault_at ? fault_result : STORE_OK;
}

static void test_full_disk_at_commit(void **state)
{
    struct err e = {0};
    struct store_txn *t = begin(*state, true);
    put(t, TABLE_INSTANCE, "kept", "1");
    commit(t);
    fault_at = STORE_FAULT_COMMIT;
    fault_result = STORE_FULL;
    store_fault = fault;
    t = begin(*state, true);
    put(t, TABLE_INSTANCE, "kept", "2");
    put(t, TABLE_INSTANCE, "lost", "2");
    assert_int_equal(store_commit(t, &e), STORE_FULL);
    assert_true(e.text[0] != '\0');
    t = begin(*state, false);
    assert_has(t, TABLE_INSTANCE, "kept", "1");
    assert_lacks(t, TABLE_INSTANCE, "lost");
    store_abort(t);
    store_fault = NULL; /* room again */
    t = begin(*state, true);
    put(t, TABLE_INSTANCE, "kept", "3");
    commit(t);
    t = begin(*state, false);
    assert_has(t, TABLE_INSTANCE, "kept", "3");
    store_abort(t);
}

static void test_full_disk_at_put(void **state)
{
    struct err e = {0};
    fault_at = STORE_FAULT_PUT;
    fault_result = STORE_FULL;
    struct store_txn *t = begin(*state, true);
    put(t, TABLE_INSTANCE, "first", "1");
    store_fault = fault;
    assert_int_equal(store_put(t, TABLE_INSTANCE, S("second"), S("2")), STORE_FULL);
    store_fault = NULL;
    assert_int_equal(store_put(t, TABLE_INSTANCE, S("third"), S("3")), STORE_FULL);
    assert_int_equal(store_commit(t, &e), STORE_FULL);
    t = begin(*state, false);
    assert_lacks(t, TABLE_INSTANCE, "first");
    store_abort(t);
}

static void test_trim_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    bool more;
    struct store_txn *t = begin(f, true);
    put(t, TABLE_INSTANCE, "k", "1");
    commit(t);
    struct store_txn *reader = begin(f, false);
    assert_true(store_trim(f->store, &more, &e)); /* somebody reads: nothing happens */
    assert_has(reader, TABLE_INSTANCE, "k", "1");
    store_abort(reader);
    assert_true(store_trim(f->store, &more, &e));
    t = begin(f, true);
    assert_has(t, TABLE_INSTANCE, "k", "1");
    put(t, TABLE_INSTANCE, "k", "2");
    commit(t);
    assert_true(store_trim(f->store, &more, &e));
    t = begin(f, false);
    assert_has(t, TABLE_INSTANCE, "k", "2");
    store_abort(t);
}

#define ALL(test)                                                                                           \
    cmocka_unit_test_setup_teardown(test, setup_mem, teardown),                                              \
        cmocka_unit_test_setup_teardown(test, setup_lmdb, teardown),                                         \
        cmocka_unit_test_setup_teardown(test, setup_front, teardown_front)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALL(test_put_get_delete),
        ALL(test_abort_restores),
        ALL(test_readers_are_snapshots),
        ALL(test_one_writer),
        ALL(test_iteration),
        ALL(test_seek_again),
        ALL(test_append),
        ALL(test_key_limits),
        ALL(test_large_values_and_any_bytes),
        ALL(test_readers_write_nothing),
        ALL(test_full_disk_at_commit),
        ALL(test_full_disk_at_put),
        ALL(test_trim_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
