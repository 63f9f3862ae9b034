/* The front of TABLE_INSTANCE on disk: that it is used, that it goes away, and what older folders, full maps and killed processes leave of it.
 * That it changes nothing of what is read is asked by store_property.c. */
#include "store_support.h"

#include "store/front.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define KEYS 200
static const struct front_limits small = {
    .run = 20, .entries = 150, .pages = UINT32_MAX, .numbers = UINT32_MAX / 4, .step = 10, .rest = 25, .gather = UINT32_MAX, .hashes = UINT32_MAX};
static const char *self;

struct fixture {
    struct temp temp;
    struct store *store;
    struct front_limits limits;
    uint32_t last; /* run, as in_runs found it */
};

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    struct err e = {0};
    f->limits = front_limits;
    front_limits = small;
    f->temp = temp_make();
    f->store = store_open(f->temp.path, 0, &e);
    *state = f;
    return f->store ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    front_limits = f->limits;
    store_close(f->store);
    temp_remove(&f->temp);
    free(f);
    return 0;
}

static struct slice key_of(char out[16], unsigned k)
{
    return (struct slice){out, (size_t)snprintf(out, 16, "key-%05u", k)};
}

/* So many keys from one on get the number as their value. */
static enum store_status write_some(struct store *s, unsigned from, unsigned n, uint64_t number, struct err *e)
{
    char k[16];
    unsigned char v[8];
    enum store_status st = STORE_OK;
    struct store_txn *t = store_begin(s, true, e);
    if (!t)
        return STORE_FAILED;
    put_be64(v, number);
    for (unsigned i = 0; i < n && st == STORE_OK; i++)
        st = store_put(t, TABLE_INSTANCE, key_of(k, (from + i * 7) % KEYS), (struct slice){(const char *)v, sizeof v});
    if (st == STORE_OK)
        st = store_put(t, TABLE_META, S("n"), (struct slice){(const char *)v, sizeof v});
    return store_commit(t, e);
}

static uint64_t number_of(struct store_txn *t, enum table_id table, struct slice key)
{
    struct slice v;
    assert_int_equal(store_get(t, table, key, &v), STORE_OK);
    assert_int_equal(v.n, 8);
    return get_be64((const unsigned char *)v.p);
}

static uint32_t last_of(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *c;
    MDB_val k, v;
    assert_int_equal(mdb_cursor_open(txn, dbi, &c), 0);
    int rc = mdb_cursor_get(c, &k, &v, MDB_LAST);
    mdb_cursor_close(c);
    return rc ? 0 : run_of(k);
}

/* Entries in runs, as the file has them. The store is closed meanwhile. */
static size_t in_runs(struct fixture *f)
{
    static const char *const name[] = {"front_0", "front_1"};
    struct err e = {0};
    MDB_env *env;
    MDB_txn *txn;
    size_t n = 0;
    f->last = 0;
    store_close(f->store);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_open(env, f->temp.path, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    for (int i = 0; i < 2; i++) {
        MDB_dbi dbi;
        MDB_stat st;
        assert_int_equal(mdb_dbi_open(txn, name[i], 0, &dbi), 0);
        assert_int_equal(mdb_stat(txn, dbi, &st), 0);
        n += st.ms_entries;
        uint32_t last = last_of(txn, dbi);
        f->last = last > f->last ? last : f->last;
    }
    mdb_txn_abort(txn);
    mdb_env_close(env);
    f->store = store_open(f->temp.path, 0, &e);
    assert_non_null(f->store);
    return n;
}

static void assert_all(struct fixture *f, uint64_t number)
{
    char k[16];
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, false, &e);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(number_of(t, TABLE_INSTANCE, key_of(k, i)), number);
    store_abort(t);
}

/* Changes collect in runs; at rest there are none. */
static void test_rest(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    bool more = true;
    unsigned steps = 0;
    for (uint64_t n = 1; n <= 2; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_true(in_runs(f) > 0);
    for (; more; steps++)
        assert_true(store_trim(f->store, &more, &e));
    assert_true(steps > 2);
    assert_all(f, 2);
    assert_int_equal(in_runs(f), 0);
}

static void test_clear(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    for (uint64_t n = 1; n <= 2; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    struct store_txn *t = store_begin(f->store, true, &e);
    assert_int_equal(store_clear(t), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    assert_int_equal(in_runs(f), 0);
}

/* Small transactions merge what large ones have left, whatever they change themselves. */
static void test_small_transactions(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    front_limits.changes = 100;
    for (uint64_t n = 1; n <= 3; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_true(in_runs(f) > 0);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(write_some(f->store, 0, 5, 3, &e), STORE_OK);
    assert_all(f, 3);
    assert_int_equal(in_runs(f), 0);
}

static void abort_some(struct fixture *f, unsigned n)
{
    char k[16];
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, true, &e);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(store_put(t, TABLE_INSTANCE, key_of(k, i), S("nothing")), STORE_OK);
    store_abort(t);
}

/* Transactions that are aborted do not stop merging, whether they have changed anything or not, and leave no runs of a few entries each. */
static void test_aborted_between(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    bool more = true;
    assert_int_equal(write_some(f->store, 0, KEYS, 0, &e), STORE_OK);
    abort_some(f, KEYS);
    for (int steps = 0; more; steps++)
        assert_true(steps < 10 && store_trim(f->store, &more, &e)); /* there is nothing to be merged */
    for (unsigned n = 1; n <= 60; n++) {
        abort_some(f, n % 2);
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    }
    assert_true(in_runs(f) < 1000);
    assert_all(f, 60);
    front_limits.entries = UINT32_MAX;
    for (unsigned n = 0; n < 60; n++)
        assert_int_equal(write_some(f->store, n, 2, 60, &e), STORE_OK); /* the longer they go on, the more runs */
    in_runs(f);
    uint32_t before = f->last;
    for (unsigned n = 0; n < 60; n++) {
        abort_some(f, 1);
        assert_int_equal(write_some(f->store, n, 2, 60, &e), STORE_OK);
    }
    in_runs(f);
    assert_true(f->last > before && f->last <= before + 10);
    assert_all(f, 60);
}

/* Nor do those leave any that open it, write little, and stop. */
static void test_opened_often(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    front_limits.entries = UINT32_MAX;
    for (uint64_t n = 1; n <= 2; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    in_runs(f);
    uint32_t before = f->last;
    for (unsigned n = 0; n < 40; n++) {
        assert_int_equal(write_some(f->store, n, 2, 2, &e), STORE_OK);
        in_runs(f);
    }
    assert_true(f->last > before && f->last <= before + 5);
    assert_all(f, 2);
}

/* When the numbers of runs are used up, the runs go, and it begins anew. */
static void test_last_numbers(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    bool used = false;
    uint64_t n = 0;
    front_limits.numbers = 10;
    for (uint64_t round = 0; round < 10; round++) {
        for (uint64_t to = n + 30 + round; n < to; n++)
            assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
        used |= in_runs(f) > 0 && f->last < 10;
        assert_true(f->last <= 15);
        assert_all(f, n - 1);
    }
    assert_true(used);
}

/* A small table, or small transactions, or a table far too large for it, have no use for it. */
static void test_not_used(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    front_limits.spread = 4;
    for (uint64_t n = 1; n <= 3; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_int_equal(in_runs(f), 0);
    front_limits.spread = 0;
    front_limits.changes = KEYS + 1;
    for (uint64_t n = 4; n <= 6; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_int_equal(in_runs(f), 0);
    front_limits.changes = front_limits.entries = 0;
    for (uint64_t n = 7; n <= 9; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_int_equal(in_runs(f), 0);
    assert_all(f, 9);
}

/* Long values go to the base, unless a run may have the key. */
static void test_long_values(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    static char value[3000];
    struct slice v, longer = {value, sizeof value};
    for (int n = 0; n < 6; n++) {
        struct store_txn *t = store_begin(f->store, true, &e);
        assert_int_equal(store_put(t, TABLE_INSTANCE, S("always"), longer), STORE_OK);
        assert_int_equal(store_put(t, TABLE_INSTANCE, S("at last"), n < 5 ? S("short") : longer), STORE_OK);
        assert_int_equal(store_get(t, TABLE_INSTANCE, S("at last"), &v), STORE_OK);
        assert_int_equal(v.n, n < 5 ? 5 : sizeof value);
        assert_int_equal(store_commit(t, &e), STORE_OK);
    }
    struct store_txn *t = store_begin(f->store, false, &e);
    assert_int_equal(store_get(t, TABLE_INSTANCE, S("at last"), &v), STORE_OK);
    assert_int_equal(v.n, sizeof value);
    store_abort(t);
    assert_int_equal(in_runs(f), 1);
}

/* Keys that have no room for a run's number before them. */
static void test_long_keys(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    char key[STORE_KEY_MAX], value[2] = "?";
    memset(key, 'k', sizeof key);
    for (int n = 0; n < 5; n++) {
        struct store_txn *t = store_begin(f->store, true, &e);
        *value = (char)('0' + n);
        for (size_t i = FRONT_KEY_MOST - 3; i <= STORE_KEY_MAX; i++)
            assert_int_equal(store_put(t, TABLE_INSTANCE, (struct slice){key, i}, slice_of(value)), STORE_OK);
        assert_int_equal(store_commit(t, &e), STORE_OK);
        t = store_begin(f->store, false, &e);
        struct store_iter *it = store_iter_new(t, TABLE_INSTANCE);
        struct slice k, v;
        size_t found = 0;
        for (bool any = store_iter_seek(it, S("k"), &k, &v); any; any = store_iter_next(it, &k, &v), found++)
            assert_slice(v, value);
        assert_int_equal(found, STORE_KEY_MAX - FRONT_KEY_MOST + 4);
        store_iter_free(it);
        store_abort(t);
    }
}

/* Every snapshot has one number everywhere, however it is read. */
struct readers {
    struct store *store;
    atomic_bool stop;
    atomic_uint seen;
};

static bool same_everywhere(struct store_txn *t)
{
    struct slice key, value, last = {0}, got;
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    size_t n = 0;
    bool same = true;
    for (bool any = store_iter_seek(i, S("k"), &key, &value); any; any = store_iter_next(i, &key, &value), n++) {
        same = same && (n == 0 || slice_eq(value, last)) && store_get(t, TABLE_INSTANCE, key, &got) == STORE_OK &&
               slice_eq(got, value);
        last = value;
    }
    store_iter_free(i);
    return same && n == KEYS;
}

static void *read_on(void *arg)
{
    struct readers *r = arg;
    struct err e;
    while (!r->stop) {
        struct store_txn *t = store_begin(r->store, false, &e);
        bool same = t && same_everywhere(t);
        store_abort(t);
        if (!same)
            return r;
        r->seen++;
    }
    return NULL;
}

static void test_readers_beside(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    pthread_t thread;
    void *failed;
    struct readers r = {.store = f->store};
    assert_int_equal(write_some(f->store, 0, KEYS, 1, &e), STORE_OK);
    assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
    for (uint64_t n = 2; n < 60 || r.seen < 20; n++) {
        front_limits.changes = n % 7 == 0 ? UINT32_MAX : 0; /* now and then it goes to the base */
        if (write_some(f->store, 0, KEYS, n, &e) != STORE_OK)
            break;
    }
    r.stop = true;
    pthread_join(thread, &failed);
    assert_null(failed);
}

/* A folder of the second format has no such tables. */
static void make_second_format(struct fixture *f)
{
    static const char *const name[] = {"front_0", "front_1"};
    struct err e = {0};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    char format[] = "format", two[8] = {[7] = 2};
    MDB_val k = {6, format}, v = {8, two};
    assert_int_equal(write_some(f->store, 0, KEYS, 1, &e), STORE_OK);
    store_close(f->store);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_open(env, f->temp.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mdb_dbi_open(txn, name[i], 0, &dbi), 0);
        assert_int_equal(mdb_drop(txn, dbi, 1), 0);
    }
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void test_second_format(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    make_second_format(f);
    f->store = store_open_readonly(f->temp.path, &e);
    assert_non_null(f->store);
    assert_all(f, 1);
    store_close(f->store);
    f->store = store_open(f->temp.path, 0, &e);
    assert_non_null(f->store);
    for (uint64_t n = 2; n <= 3; n++)
        assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
    assert_all(f, 3);
    assert_true(in_runs(f) > 0);
}

/* Again and again there is no room: nothing of that is seen, and it goes on when there is. */
static void test_full_map(void **state)
{
    struct fixture *f = *state;
    static const char junk[3000];
    struct err e = {0};
    uint64_t refused = 0, kept = 1;
    store_close(f->store);
    f->store = store_open(f->temp.path, 1 << 20, &e);
    assert_int_equal(write_some(f->store, 0, KEYS, 1, &e), STORE_OK);
    for (uint64_t n = 2; n < 440; n++) {
        char k[16];
        struct store_txn *t = store_begin(f->store, true, &e);
        assert_non_null(t);
        if (n % 50 == 0) { /* what goes makes room for the transaction after the next */
            assert_int_equal(store_clear(t), STORE_OK);
            assert_int_equal(store_commit(t, &e), STORE_OK);
            assert_int_equal(write_some(f->store, 0, KEYS, n, &e), STORE_OK);
            t = store_begin(f->store, true, &e);
            kept = n;
        }
        enum store_status st = STORE_OK;
        for (unsigned i = 0; i < KEYS && st == STORE_OK; i++) {
            unsigned char v[8];
            put_be64(v, n);
            st = store_put(t, TABLE_INSTANCE, key_of(k, i), (struct slice){(const char *)v, sizeof v});
        }
        for (unsigned i = 0; i < 10 && st == STORE_OK; i++)
            st = store_put(t, TABLE_LOG, key_of(k, (unsigned)n * 10 + i), (struct slice){junk, sizeof junk});
        st = store_commit(t, &e);
        assert_true(st == STORE_OK || st == STORE_FULL);
        refused += st == STORE_FULL;
        kept = st == STORE_OK ? n : kept;
        assert_all(f, kept);
    }
    assert_true(refused > 50);
    assert_true(kept > 400);
}

/* ---- kill -9 */

static int child(const char *folder)
{
    struct err e = {0};
    front_limits = small;
    struct store *s = store_open(folder, 0, &e);
    for (uint64_t n = 1; s; n++)
        if (write_some(s, (unsigned)n % KEYS, 1 + n % 60, n, &e) != STORE_OK || write(STDOUT_FILENO, "+", 1) != 1)
            break;
    fprintf(stderr, "%s\n", e.text);
    return 1;
}

static void kill_after(const char *folder, uint64_t signs)
{
    int fds[2];
    char sign;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execl(self, self, folder, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    for (; signs > 0; signs--)
        assert_int_equal(read(fds[0], &sign, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fds[0]);
}

/* It was opened with no front to be read, and then another process wrote to it. */
static void test_format_changes_under_a_reader(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    make_second_format(f);
    f->store = store_open_readonly(f->temp.path, &e);
    assert_non_null(f->store);
    assert_all(f, 1);
    kill_after(f->temp.path, 20);
    assert_null(store_begin(f->store, false, &e));
    assert_says(e.text, "another format than when it was opened");
    store_close(f->store);
    f->store = store_open_readonly(f->temp.path, &e);
    struct store_txn *t = store_begin(f->store, false, &e);
    assert_true(number_of(t, TABLE_META, S("n")) >= 20);
    store_abort(t);
}

static void test_kill(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    for (int round = 0; round < 10; round++) {
        struct temp temp = temp_make();
        struct err e = {0};
        char k[16];
        uint64_t last[KEYS] = {0};
        kill_after(temp.path, 10 + random_below(&random, 150));
        struct store *s = store_open(temp.path, 0, &e);
        assert_non_null(s);
        struct store_txn *t = store_begin(s, random_below(&random, 2), &e);
        uint64_t n = number_of(t, TABLE_META, S("n"));
        for (uint64_t i = 1; i <= n; i++)
            for (unsigned at = 0; at < 1 + i % 60; at++)
                last[((unsigned)i % KEYS + at * 7) % KEYS] = i;
        for (unsigned i = 0; i < KEYS; i++)
            if (last[i])
                assert_int_equal(number_of(t, TABLE_INSTANCE, key_of(k, i)), last[i]);
        store_abort(t);
        store_close(s);
        temp_remove(&temp);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return child(argv[1]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readers_beside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aborted_between, setup, teardown),
        cmocka_unit_test_setup_teardown(test_opened_often, setup, teardown),
        cmocka_unit_test_setup_teardown(test_last_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_used, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second_format, setup, teardown),
        cmocka_unit_test_setup_teardown(test_format_changes_under_a_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_map, setup, teardown),
        cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
