/* Many entries for an empty store: in order, the last of each key, whatever fits the memory; and a store that was not
 * settled is empty when it is opened again. */
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_support.h"

#include "store/bulk.h"

struct fixture {
    struct temp temp;
    struct store *store;
};

static struct store *open_store(const struct temp *temp)
{
    struct err e = {0};
    struct store *s = store_open(temp->path, 0, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static int setup(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    f->temp = temp_make();
    f->store = open_store(&f->temp);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    temp_remove(&f->temp);
    free(f);
    return 0;
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

/* ---- the same puts into a bulk and into a store, which is the model */

static struct slice random_key(uint64_t *seed, uint64_t keys, char byte[64])
{
    uint64_t n = random_below(seed, keys);
    static const char *const stem[] = {"work/flow-", "work/flow-a/", "x", ""};
    return (struct slice){byte, (size_t)snprintf(byte, 64, "%s%" PRIu64, stem[n % 4], n)};
}

static struct slice random_value(uint64_t *seed, char *byte, size_t most)
{
    size_t n = random_below(seed, 50) == 0 ? random_below(seed, most) : random_below(seed, 40);
    for (size_t i = 0; i < n; i++)
        byte[i] = (char)random_below(seed, 256);
    return (struct slice){byte, n};
}

static void fill(struct bulk *b, struct store_txn *model, uint64_t *seed, size_t puts, uint64_t keys)
{
    static char value[100000];
    struct err e = {0};
    for (size_t i = 0; i < puts; i++) {
        char byte[64];
        struct slice key = random_key(seed, keys, byte), v = random_value(seed, value, sizeof value);
        enum table_id table = (enum table_id)random_below(seed, TABLE_LAST_STATE + 1);
        bool gone = random_below(seed, 5) == 0;
        if (!bulk_put(b, table, key, gone ? (struct slice){0} : v, &e))
            fail_msg("%s", e.text);
        if (gone)
            store_delete(model, table, key);
        else
            assert_int_equal(store_put(model, table, key, v), STORE_OK);
    }
}

static size_t compare(struct bulk *b, struct store_txn *model)
{
    struct bulk_entry entry;
    struct err e = {0};
    bool failed, more = bulk_next(b, &entry, &failed, &e);
    size_t n = 0;
    for (enum table_id table = 0; table <= TABLE_LAST_STATE; table++) {
        struct store_iter *i = store_iter_new(model, table);
        struct slice key, value;
        for (bool any = store_iter_seek(i, (struct slice){0}, &key, &value); any;
             any = store_iter_next(i, &key, &value)) {
            if (!more)
                fail_msg("it ends after %zu entries: %s", n, e.text);
            assert_int_equal(entry.table, table);
            assert_true(slice_eq(entry.key, key));
            assert_true(slice_eq(entry.value, value));
            more = bulk_next(b, &entry, &failed, &e);
            n++;
        }
        store_iter_free(i);
    }
    assert_false(more);
    assert_false(failed);
    return n;
}

static void round_trip(struct fixture *f, uint64_t *seed, size_t bytes, size_t puts, uint64_t keys)
{
    struct err e = {0};
    struct bulk *b = bulk_new(f->temp.path, bytes);
    struct store *model = store_open_memory();
    struct store_txn *t = store_begin(model, true, &e);
    fill(b, t, seed, puts, keys);
    if (!bulk_turn(b, &e))
        fail_msg("%s", e.text);
    compare(b, t);
    store_abort(t);
    store_close(model);
    bulk_free(b);
}

static void test_last_of_each_key_in_order(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = seed_take();
    round_trip(f, &seed, 1u << 20, 0, 1);
    round_trip(f, &seed, 1u << 20, 1, 1);
    for (int i = 0; i < 20; i++)
        round_trip(f, &seed, 1u << 20, random_below(&seed, 2000), 1 + random_below(&seed, 500)); /* in memory */
    for (int i = 0; i < 6; i++)
        round_trip(f, &seed, 1u << 20, 5000 + random_below(&seed, 30000), 1 + random_below(&seed, 20000)); /* in runs */
}

static void test_refuses_what_no_store_takes(void **state)
{
    struct fixture *f = *state;
    struct bulk *b = bulk_new(f->temp.path, 1u << 20);
    struct err e = {0};
    static char byte[512];
    assert_false(bulk_put(b, TABLE_SEEN, (struct slice){byte, sizeof byte}, S("v"), &e));
    assert_non_null(strstr(e.text, "512 bytes"));
    assert_false(bulk_put(b, TABLE_SEEN, S(""), S("v"), &e));
    bulk_free(b);
}

static void test_no_room_for_the_file_is_said(void **state)
{
    struct fixture *f = *state;
    struct bulk *b = bulk_new("/nonexistent", 1u << 20);
    struct err e = {0};
    bool ok = true;
    (void)f;
    for (uint64_t i = 0; ok && i < 100000; i++)
        ok = bulk_put(b, TABLE_SEEN, (struct slice){(char *)&i, sizeof i}, S("v"), &e);
    assert_false(ok);
    assert_non_null(strstr(e.text, "/nonexistent"));
    bulk_free(b);
}

/* The file has no name: where the process holds it open. */
static int scratch_of(const struct temp *temp)
{
    char name[64], target[512];
    for (int fd = 3; fd < 256; fd++) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        if (strstr(target, temp->path) && strstr(target, "restore-"))
            return fd;
    }
    fail_msg("there is no file for sorting");
    return -1;
}

/* An entry is 8 bytes of lengths, the table's number, 8 of key, 1 of value. */
static void test_a_run_that_is_cut_is_no_end(void **state)
{
    enum { ENTRY = 18 };
    struct fixture *f = *state;
    struct bulk *b = bulk_new(f->temp.path, 1u << 20);
    struct bulk_entry entry;
    struct err e = {0};
    struct stat st;
    const uint32_t lengths[2] = {9, 5};
    bool failed = false;
    for (uint64_t i = 0; i < 200000; i++)
        assert_true(bulk_put(b, TABLE_NUMBER, (struct slice){(char *)&i, sizeof i}, S("v"), &e));
    assert_true(bulk_turn(b, &e));
    int fd = scratch_of(&f->temp);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pwrite(fd, lengths, sizeof lengths, st.st_size - ENTRY), sizeof lengths);
    size_t n = 0;
    while (bulk_next(b, &entry, &failed, &e))
        n++;
    assert_true(n < 200000);
    assert_true(failed);
    assert_says(e.text, "damaged");
    bulk_free(b);
}

static void test_what_a_killed_process_left_goes(void **state)
{
    struct fixture *f = *state;
    char path[300];
    store_close(f->store);
    snprintf(path, sizeof path, "%s/restore-AbCdEf", f->temp.path);
    FILE *left = fopen(path, "w");
    assert_non_null(left);
    fclose(left);
    f->store = open_store(&f->temp);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- emptying, and what is not durable yet */

static void put_one(struct fixture *f, const char *key)
{
    struct store_txn *t = begin(f, true);
    assert_int_equal(store_put(t, TABLE_NUMBER, slice_of(key), S("v")), STORE_OK);
    commit(t);
}

static size_t count(struct fixture *f)
{
    struct store_stats st;
    size_t n = 0;
    store_stats(f->store, &st);
    for (int i = 0; i < TABLE_COUNT; i++)
        n += st.entries[i];
    return n;
}

static void reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = open_store(&f->temp);
}

static void test_clear_leaves_readers_theirs(void **state)
{
    struct fixture *f = *state;
    struct slice value;
    size_t before = count(f);
    put_one(f, "a");
    struct store_txn *reader = begin(f, false), *t = begin(f, true);
    assert_int_equal(store_clear(t), STORE_OK);
    commit(t);
    assert_int_equal(store_get(reader, TABLE_NUMBER, S("a"), &value), STORE_OK);
    store_abort(reader);
    assert_int_equal(count(f), before);
    put_one(f, "b");
    reopen(f); /* its format is still there */
    assert_int_equal(count(f), before + 1);
}

static void test_what_was_not_settled_is_thrown_away(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    size_t before = count(f);
    put_one(f, "a");
    assert_true(store_unsettle(f->store, &e));
    put_one(f, "b");
    store_close(f->store);
    assert_null(store_open_readonly(f->temp.path, &e));
    assert_non_null(strstr(e.text, "not restored to its end"));
    f->store = open_store(&f->temp);
    assert_int_equal(count(f), before);
    assert_true(store_unsettle(f->store, &e));
    put_one(f, "c");
    assert_true(store_settle(f->store, &e));
    reopen(f);
    assert_int_equal(count(f), before + 1);
}

/* Its folder is out of reach for a while. */
static void test_a_trim_that_fails_is_made_good(void **state)
{
    struct fixture *f = *state;
    char aside[300];
    struct err e = {0};
    bool more;
    put_one(f, "a");
    size_t before = count(f);
    snprintf(aside, sizeof aside, "%s-aside", f->temp.path);
    assert_int_equal(rename(f->temp.path, aside), 0);
    assert_false(store_trim(f->store, &more, &e));
    assert_null(store_begin(f->store, true, &e));
    assert_says(e.text, "cannot open the store");
    assert_null(store_begin(f->store, false, &e));
    assert_false(store_defer(f->store, true, &e));
    assert_int_equal(rename(aside, f->temp.path), 0);
    assert_int_equal(count(f), 0); /* looking at it does not open it */
    put_one(f, "b");
    assert_int_equal(count(f), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_last_of_each_key_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_no_store_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room_for_the_file_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_run_that_is_cut_is_no_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_a_killed_process_left_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_trim_that_fails_is_made_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clear_leaves_readers_theirs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_not_settled_is_thrown_away, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
