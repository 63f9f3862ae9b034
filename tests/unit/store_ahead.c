/* A store's file is made longer ahead of what is written. */
#include "store_support.h"

#include "store/ahead.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u

static uint64_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

static int file_of(struct temp *temp, size_t bytes)
{
    char path[300];
    *temp = temp_make();
    snprintf(path, sizeof path, "%s.file", temp->path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    unlink(path);
    char *what = mem_alloc(bytes + 1);
    memset(what, 'x', bytes);
    assert_int_equal(write(fd, what, bytes), bytes);
    free(what);
    return fd;
}

/* By an eighth, whole pages, and what stands there stays. */
static void longer_by_an_eighth(void **state)
{
    (void)state;
    struct temp temp;
    int fd = file_of(&temp, 80 * PAGE);
    struct ahead a = {.fd = fd};
    char byte[2];

    ahead_of(&a, 80 * PAGE, PAGE);
    assert_int_equal(size_of(fd), 90 * PAGE);
    assert_int_equal(pread(fd, byte, 2, 80 * PAGE - 1), 2);
    assert_memory_equal(byte, "x", 2);
    ahead_of(&a, 84 * PAGE, PAGE); /* more than half of it is left */
    assert_int_equal(size_of(fd), 90 * PAGE);
    ahead_of(&a, 88 * PAGE, PAGE);
    assert_int_equal(size_of(fd), 99 * PAGE);
    close(fd);
    temp_remove(&temp);
}

/* Somebody else has made it longer, or it has less than is said to be used: nothing is cut, and nothing written twice. */
static void as_it_is_found(void **state)
{
    (void)state;
    struct temp temp;
    int fd = file_of(&temp, 100 * PAGE + 7);
    struct ahead a = {.fd = fd};
    char byte;

    ahead_of(&a, 8 * PAGE, PAGE);
    assert_int_equal(size_of(fd), 100 * PAGE + 7);
    assert_int_equal(pread(fd, &byte, 1, 99 * PAGE), 1);
    assert_int_equal(byte, 'x');
    ahead_of(&(struct ahead){.fd = fd}, 160 * PAGE, PAGE);
    assert_int_equal(size_of(fd), 180 * PAGE);
    close(fd);
    temp_remove(&temp);
}

/* Never by more than sixteen megabytes. */
static void not_by_more_than_is_of_use(void **state)
{
    (void)state;
    struct temp temp;
    int fd = file_of(&temp, 0);
    uint64_t used = UINT64_C(1) << 30, most = UINT64_C(16) << 20;

    assert_int_equal(ftruncate(fd, (off_t)used), 0);
    ahead_of(&(struct ahead){.fd = fd}, used, PAGE);
    assert_int_equal(size_of(fd), used + most);
    close(fd);
    temp_remove(&temp);
}

/* It fails, and is left to those who write. */
static void cannot_be(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_RDWR);
    struct ahead a = {.fd = fd};

    ahead_of(&a, 800 * PAGE, PAGE);
    assert_true(a.end <= 800 * PAGE);
    close(fd);
}

/* What a store commits has it. */
static void of_a_store(void **state)
{
    (void)state;
    struct temp temp = temp_make();
    struct err e;
    struct store_stats st;
    struct stat file;
    char path[300], key[16], value[1000] = "v";
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    struct store_txn *t = store_begin(s, true, &e);
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(key, sizeof key, "%08d", i);
        assert_int_equal(store_put(t, TABLE_INSTANCE, (struct slice){key, (size_t)n}, (struct slice){value, sizeof value}), STORE_OK);
    }
    assert_int_equal(store_commit(t, &e), STORE_OK);
    store_stats(s, &st);
    snprintf(path, sizeof path, "%s/data.mdb", temp.path);
    assert_int_equal(stat(path, &file), 0);
    assert_true((uint64_t)file.st_size > st.bytes_used + st.bytes_used / 10);
    assert_true((uint64_t)file.st_size <= st.bytes_used + st.bytes_used / 8 + PAGE);
    store_close(s);
    temp_remove(&temp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longer_by_an_eighth), cmocka_unit_test(as_it_is_found),
        cmocka_unit_test(not_by_more_than_is_of_use), cmocka_unit_test(cannot_be), cmocka_unit_test(of_a_store)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
