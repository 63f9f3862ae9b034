/* The store on disk: what survives a kill -9, and what is refused, with the sentence that says so. Children
 * are this program run again. */
#include "store_support.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *self;
static atomic_bool readers_stop;

/* ---- the child's side */

static struct store *child_open(const char *folder)
{
    struct err e = {0};
    struct store *s = store_open(folder, 0, &e);
    if (!s)
        fprintf(stderr, "%s\n", e.text);
    return s;
}

/* Transaction n puts n into two tables and under a fixed name; then says so on stdout, one byte each. */
static int write_on(struct store *s)
{
    struct err e;
    for (uint64_t n = 1; s; n++) {
        unsigned char key[8];
        put_be64(key, n);
        struct slice k = {(const char *)key, sizeof key};
        struct store_txn *t = store_begin(s, true, &e);
        if (!t || store_append(t, TABLE_HISTORY, k, k) || store_put(t, TABLE_INSTANCE, k, k) ||
            store_put(t, TABLE_META, S("n"), k) || store_commit(t, &e) || write(STDOUT_FILENO, "+", 1) != 1)
            return 1;
    }
    return 1;
}

static int child_write(const char *folder)
{
    return write_on(child_open(folder));
}

static int child_defer(const char *folder)
{
    struct err e;
    struct store *s = child_open(folder);
    return s && store_defer(s, true, &e) ? write_on(s) : 1;
}

static int child_hold(const char *folder)
{
    struct store *s = child_open(folder);
    if (!s || write(STDOUT_FILENO, "+", 1) != 1)
        return 1;
    pause();
    return 1;
}

/* On a disk of its own of 4 MiB: fills it, and goes on when there is room again. Says what went wrong on
 * stderr; 77: no such disk to be had. */
static int child_full(const char *folder)
{
    char name[300];
    struct err e = {0};
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", folder, "tmpfs", 0, "size=4m"))
        return 77;
    snprintf(name, sizeof name, "%s/ballast", folder);
    int ballast = open(name, O_WRONLY | O_CREAT, 0600);
    if (ballast < 0 || posix_fallocate(ballast, 0, 1 << 20))
        return 77;
    struct store *s = child_open(folder);
    static const char value[1500];
    uint64_t kept = 0;
    enum store_status st = STORE_OK;
    for (uint64_t n = 1; s && st == STORE_OK && n < 1000; n++) {
        struct store_txn *t = store_begin(s, true, &e);
        for (int i = 0; t && st == STORE_OK && i < 20; i++) {
            unsigned char key[9];
            put_be64(key, n);
            key[8] = (unsigned char)i;
            st = store_put(t, TABLE_LOG, (struct slice){(const char *)key, sizeof key},
                           (struct slice){value, sizeof value});
        }
        st = !t ? STORE_FAILED : store_commit(t, &e);
        kept += st == STORE_OK ? 20 : 0;
    }
    if (st != STORE_FULL || !strstr(e.text, "the disk is full") || kept == 0) {
        fprintf(stderr, "filling the disk gave status %d, %llu kept: %s\n", st, (unsigned long long)kept,
                e.text);
        return 1;
    }
    struct store_stats stats;
    store_stats(s, &stats);
    if (ftruncate(ballast, 0) || stats.entries[TABLE_LOG] != kept) {
        fprintf(stderr, "%llu entries after a full disk, %llu before\n",
                (unsigned long long)stats.entries[TABLE_LOG], (unsigned long long)kept);
        return 1;
    }
    struct store_txn *t = store_begin(s, true, &e);
    if (!t || store_put(t, TABLE_LOG, S("z"), S("room again")) || store_commit(t, &e)) {
        fprintf(stderr, "with room again: %s\n", e.text);
        return 1;
    }
    store_close(s);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *folder);
} children[] = {{"write", child_write}, {"defer", child_defer}, {"hold", child_hold}, {"full", child_full}};

/* ---- the parent's side */

struct child {
    pid_t pid;
    int out;
};

static struct child child_start(const char *what, const char *folder)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct child c = {fork(), fds[0]};
    if (c.pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execl(self, self, what, folder, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    assert_true(c.pid > 0);
    return c;
}

/* Reads so many signs of life. */
static void child_await(const struct child *c, uint64_t n)
{
    char sign;
    for (; n > 0; n--)
        assert_int_equal(read(c->out, &sign, 1), 1);
}

/* Returns how many more there were in the pipe. */
static uint64_t child_kill(const struct child *c)
{
    char signs[4096];
    uint64_t more = 0;
    kill(c->pid, SIGKILL);
    waitpid(c->pid, NULL, 0);
    for (ssize_t n; (n = read(c->out, signs, sizeof signs)) > 0;)
        more += (uint64_t)n;
    close(c->out);
    return more;
}

static void test_kill_loses_nothing(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    for (int round = 0; round < 15; round++) {
        struct temp temp = temp_make();
        struct child c = child_start(round % 3 == 2 ? "defer" : "write", temp.path);
        uint64_t acknowledged = 1 + random_below(&random, 60);
        child_await(&c, acknowledged);
        acknowledged += child_kill(&c);

        struct err e = {0};
        struct store *s = store_open(temp.path, 0, &e);
        assert_non_null(s);
        struct store_txn *t = store_begin(s, false, &e);
        struct slice v, last;
        assert_int_equal(store_get(t, TABLE_META, S("n"), &last), STORE_OK);
        uint64_t n = get_be64((const unsigned char *)last.p);
        assert_true(n == acknowledged || n == acknowledged + 1); /* one may be durable and not yet said */
        for (uint64_t i = 1; i <= n; i++) {
            unsigned char key[8];
            put_be64(key, i);
            assert_int_equal(store_get(t, TABLE_HISTORY, (struct slice){(const char *)key, 8}, &v), STORE_OK);
            assert_int_equal(store_get(t, TABLE_INSTANCE, (struct slice){(const char *)key, 8}, &v),
                             STORE_OK);
        }
        store_abort(t);
        struct store_stats stats;
        store_stats(s, &stats);
        assert_int_equal(stats.entries[TABLE_HISTORY], n);
        assert_int_equal(stats.entries[TABLE_INSTANCE], n);
        store_close(s);
        temp_remove(&temp);
    }
}

static uint64_t count_of(struct store *s)
{
    struct store_stats stats;
    store_stats(s, &stats);
    return stats.entries[TABLE_HISTORY];
}

/* Written without waiting for the disk by a process that was killed; then `mark` says when the machine was started last (NULL: as it was). */
static struct temp deferred_and_killed(const char *mark)
{
    char path[300];
    struct temp temp = temp_make();
    struct child c = child_start("defer", temp.path);
    child_await(&c, 20);
    child_kill(&c);
    snprintf(path, sizeof path, "%s/unsettled", temp.path);
    assert_int_equal(access(path, F_OK), 0);
    FILE *f = mark ? fopen(path, "w") : NULL;
    if (f) {
        fputs(mark, f);
        fclose(f);
    }
    return temp;
}

static bool is_marked(const struct temp *temp)
{
    char path[300];
    snprintf(path, sizeof path, "%s/unsettled", temp->path);
    return access(path, F_OK) == 0;
}

static void test_deferred(void **state)
{
    (void)state;
    struct err e = {0};
    bool more;
    struct temp temp = deferred_and_killed(NULL);
    struct store *s = store_open_readonly(temp.path, &e);
    assert_non_null(s);
    assert_true(count_of(s) >= 20);
    store_close(s);
    assert_true(is_marked(&temp));

    s = store_open(temp.path, 0, &e); /* it goes on so … */
    assert_true(count_of(s) >= 20);
    uint64_t n = count_of(s);
    assert_true(store_trim(s, &more, &e));
    assert_int_equal(count_of(s), n);
    assert_true(is_marked(&temp));
    assert_true(store_defer(s, false, &e)); /* … until it is told */
    assert_false(is_marked(&temp));
    assert_true(store_defer(s, true, &e));
    assert_true(is_marked(&temp));
    assert_true(store_unsettle(s, &e)); /* a part of something, and then whole, and still deferred */
    assert_true(store_settle(s, &e));
    assert_true(is_marked(&temp));
    store_close(s);
    assert_false(is_marked(&temp));
    s = store_open(temp.path, 0, &e);
    assert_int_equal(count_of(s), n);
    store_close(s);
    temp_remove(&temp);
}

static void test_deferred_before_the_machine_stopped(void **state)
{
    (void)state;
    struct err e = {0};
    struct temp temp = deferred_and_killed("01234567-89ab-cdef-0123-456789abcdef\n");
    assert_null(store_open_readonly(temp.path, &e));
    assert_says(e.text, "may not have reached the disk before the machine stopped");
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    assert_int_equal(count_of(s), 0);
    assert_false(is_marked(&temp));
    store_close(s);
    temp_remove(&temp);

    temp = deferred_and_killed(""); /* cut short when it was written */
    s = store_open(temp.path, 0, &e);
    assert_int_equal(count_of(s), 0);
    store_close(s);
    temp_remove(&temp);
}

/* A mark that cannot be read says nothing: neither that the data may be thrown away. */
static void test_mark_that_cannot_be_read(void **state)
{
    (void)state;
    char path[300];
    struct err e = {0};
    struct temp temp = temp_make();
    struct store *s = store_open(temp.path, 0, &e);
    struct store_txn *t = store_begin(s, true, &e);
    assert_int_equal(store_put(t, TABLE_HISTORY, S("k"), S("v")), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    store_close(s);
    snprintf(path, sizeof path, "%s/unsettled", temp.path);
    assert_int_equal(symlink("unsettled", path), 0); /* it cannot be opened */
    assert_null(store_open(temp.path, 0, &e));
    assert_says(e.text, "cannot read");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0); /* it can, but has no content */
    assert_null(store_open(temp.path, 0, &e));
    assert_says(e.text, "cannot read");
    rmdir(path);
    s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    struct store_stats stats;
    store_stats(s, &stats);
    assert_int_equal(stats.entries[TABLE_HISTORY], 1);
    store_close(s);
    temp_remove(&temp);
}

static void test_in_use(void **state)
{
    (void)state;
    struct temp temp = temp_make();
    struct child c = child_start("hold", temp.path);
    child_await(&c, 1);
    struct err e = {0};
    char expected[64];
    snprintf(expected, sizeof expected, "is in use by process %d", (int)c.pid);
    assert_null(store_open(temp.path, 0, &e));
    assert_says(e.text, temp.path);
    assert_says(e.text, expected);
    struct store *reader = store_open_readonly(temp.path, &e); /* reading beside it is fine */
    assert_non_null(reader);
    store_close(reader);
    child_kill(&c);
    struct store *s = store_open(temp.path, 0, &e); /* the lock died with its holder */
    assert_non_null(s);
    assert_null(store_open(temp.path, 0, &e));
    assert_says(e.text, "open in this process already");
    assert_null(store_open_readonly(temp.path, &e));
    assert_says(e.text, "open in this process already");
    store_close(s);
    temp_remove(&temp);
}

/* Opens with LMDB itself and puts one entry: what another duband may have left. */
static void plant(const char *folder, const char *table, struct slice key, struct slice value)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val k = {key.n, (void *)(uintptr_t)key.p}, v = {value.n, (void *)(uintptr_t)value.p};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 20), 0);
    assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, table, table ? MDB_CREATE : 0, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void assert_refused(const char *folder, const char *says)
{
    struct err e = {0};
    assert_null(store_open(folder, 0, &e));
    assert_says(e.text, says);
    assert_says(e.text, folder);
    assert_null(store_open_readonly(folder, &e));
    assert_says(e.text, says);
}

static void test_future_format(void **state)
{
    (void)state;
    struct err e = {0};
    struct temp temp = temp_make();
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    store_close(s);
    plant(temp.path, "meta", S("format"), S("\0\0\0\0\0\0\0\5"));
    assert_refused(temp.path, "written by a newer duband: its format is 5, this one knows up to 4");
    plant(temp.path, "meta", S("format"), S("\0\0\0\0\0\0\0\0"));
    assert_refused(temp.path, "unknown format 0");
    plant(temp.path, "meta", S("format"), S("1"));
    assert_refused(temp.path, "format version is missing");
    plant(temp.path, "meta", S("format"), S("\0\0\0\0\0\0\0\1"));
    s = store_open(temp.path, 0, &e); /* a refusal leaves nothing locked */
    assert_non_null(s);
    store_close(s);
    temp_remove(&temp);
}

static uint64_t format_of(struct store *s)
{
    struct err e = {0};
    struct store_txn *t = store_begin(s, false, &e);
    struct slice v;
    assert_int_equal(store_get(t, TABLE_META, S("format"), &v), STORE_OK);
    assert_int_equal(v.n, 8);
    uint64_t format = get_be64((const unsigned char *)v.p);
    store_abort(t);
    return format;
}

/* What the first format holds is right in the second; once it is written to it is no folder of the first. */
static void test_first_format(void **state)
{
    (void)state;
    struct err e = {0};
    struct temp temp = temp_make();
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    store_close(s);
    plant(temp.path, "meta", S("format"), S("\0\0\0\0\0\0\0\1"));
    s = store_open_readonly(temp.path, &e);
    assert_non_null(s);
    assert_int_equal(format_of(s), 1);
    store_close(s);
    for (int i = 0; i < 2; i++) {
        s = store_open(temp.path, 0, &e);
        assert_non_null(s);
        assert_int_equal(format_of(s), 4);
        store_close(s);
    }
    temp_remove(&temp);
}

/* A folder from before there was a table: who only reads finds it empty, who writes makes it. */
static void test_table_not_there_yet(void **state)
{
    (void)state;
    struct err e = {0};
    struct temp temp = temp_make();
    struct store_stats stats;
    struct slice key, value;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    store_close(s);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, temp.path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "withdrawn", 0, &dbi), 0);
    assert_int_equal(mdb_drop(txn, dbi, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    for (int write = 0; write < 2; write++) {
        s = write ? store_open(temp.path, 0, &e) : store_open_readonly(temp.path, &e);
        assert_non_null(s);
        struct store_txn *t = store_begin(s, write, &e);
        struct store_iter *i = store_iter_new(t, TABLE_WITHDRAWN);
        assert_int_equal(store_get(t, TABLE_WITHDRAWN, S("k"), &value), STORE_NOT_FOUND);
        assert_false(store_iter_seek(i, S(""), &key, &value));
        assert_false(store_iter_seek_before(i, S(""), &key, &value));
        assert_string_equal(store_txn_error(t), "");
        store_iter_free(i);
        if (write)
            assert_int_equal(store_put(t, TABLE_WITHDRAWN, S("k"), S("v")), STORE_OK);
        assert_int_equal(store_commit(t, &e), STORE_OK);
        store_stats(s, &stats);
        assert_int_equal(stats.entries[TABLE_WITHDRAWN], write);
        store_close(s);
    }
    temp_remove(&temp);
}

static void test_foreign_folders(void **state)
{
    (void)state;
    struct err e = {0};
    char path[300];
    struct temp temp = temp_make();
    assert_null(store_open("", 0, &e));
    assert_says(e.text, "empty name");
    assert_null(store_open_readonly(temp.path, &e)); /* empty, and stays so */
    assert_says(e.text, "holds no store");
    snprintf(path, sizeof path, "%s/missing", temp.path);
    assert_null(store_open_readonly(path, &e));
    assert_says(e.text, "No such file");
    assert_int_equal(access(path, F_OK), -1);

    plant(temp.path, NULL, S("somebody"), S("else")); /* an LMDB of another program */
    assert_refused(temp.path, "holds no store of duband");

    snprintf(path, sizeof path, "%s/data.mdb", temp.path);
    assert_int_equal(truncate(path, 0), 0);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 20000; i++)
        fputs("junk", f);
    fclose(f);
    assert_refused(temp.path, "cannot open the store");
    assert_null(store_open(path, 0, &e)); /* a file */
    assert_says(e.text, "is not a folder");
    snprintf(path, sizeof path, "%s/data.mdb/below", temp.path);
    assert_null(store_open(path, 0, &e));
    assert_says(e.text, "cannot create the folder");
    temp_remove(&temp);
}

static void test_folder_is_made(void **state)
{
    (void)state;
    struct err e = {0};
    char path[300];
    struct temp temp = temp_make();
    snprintf(path, sizeof path, "%s/a/b/0/", temp.path);
    struct store *s = store_open(path, 0, &e);
    assert_non_null(s);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct store_stats stats;
    store_stats(s, &stats);
    assert_true(stats.bytes_map >= UINT64_C(1) << 26);
    assert_true(stats.bytes_used < UINT64_C(1) << 20);
    store_close(s);
    struct store *r = store_open_readonly(path, &e);
    assert_non_null(r);
    assert_null(store_begin(r, true, &e));
    struct store_txn *t = store_begin(r, false, &e);
    struct slice v;
    assert_int_equal(store_get(t, TABLE_META, S("format"), &v), STORE_OK);
    assert_int_equal(v.n, 8);
    store_abort(t);
    store_close(r);
    temp_remove(&temp);
}

/* Anonymous memory of this process, in KiB. */
static long anonymous_memory(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    fclose(f);
    return kib;
}

static void *read_for_ever(void *arg)
{
    struct store *s = arg;
    struct err e;
    struct slice v;
    unsigned char key[8] = {0};
    while (!readers_stop) {
        struct store_txn *t = store_begin(s, false, &e);
        if (!t || store_get(t, TABLE_INSTANCE, (struct slice){(const char *)key, 8}, &v) != STORE_OK)
            return &readers_stop;
        store_abort(t);
    }
    return NULL;
}

/* A big transaction's buffers are given back, while others read. */
static void test_trim(void **state)
{
    (void)state;
    struct err e = {0};
    bool more;
    static const char value[1000];
    struct temp temp = temp_make();
    struct store *s = store_open(temp.path, 0, &e);
    assert_non_null(s);
    struct store_txn *t = store_begin(s, true, &e);
    for (uint64_t n = 0; n < 20000; n++) {
        unsigned char key[8];
        put_be64(key, n);
        assert_int_equal(store_append(t, TABLE_INSTANCE, (struct slice){(const char *)key, 8},
                                      (struct slice){value, sizeof value}),
                         STORE_OK);
    }
    assert_int_equal(store_commit(t, &e), STORE_OK);
    long before = anonymous_memory();
    assert_true(store_trim(s, &more, &e));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(anonymous_memory() < before - 10000);
#else
    (void)before;
#endif
    pthread_t thread;
    void *failed;
    readers_stop = false;
    assert_int_equal(pthread_create(&thread, NULL, read_for_ever, s), 0);
    for (int i = 0; i < 50; i++) {
        assert_true(store_trim(s, &more, &e));
        t = store_begin(s, true, &e);
        assert_non_null(t);
        assert_int_equal(store_put(t, TABLE_META, S("k"), S("v")), STORE_OK);
        assert_int_equal(store_commit(t, &e), STORE_OK);
    }
    readers_stop = true;
    pthread_join(thread, &failed);
    assert_null(failed);
    store_close(s);
    temp_remove(&temp);
}

static void test_full_map(void **state)
{
    (void)state;
    struct err e = {0};
    static const char value[2000];
    struct temp temp = temp_make();
    struct store *s = store_open(temp.path, 1 << 20, &e);
    assert_non_null(s);
    struct store_txn *t = store_begin(s, true, &e);
    enum store_status st = STORE_OK;
    for (uint64_t n = 0; n < 1000 && st == STORE_OK; n++) {
        unsigned char key[8];
        put_be64(key, n);
        st = store_append(t, TABLE_LOG, (struct slice){(const char *)key, 8},
                          (struct slice){value, sizeof value});
    }
    assert_int_equal(st, STORE_FULL);
    assert_says(store_txn_error(t), "map is full");
    assert_int_equal(store_commit(t, &e), STORE_FULL);
    t = store_begin(s, true, &e);
    assert_int_equal(store_put(t, TABLE_LOG, S("k"), S("v")), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    store_close(s);
    temp_remove(&temp);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct temp temp = temp_make();
    struct child c = child_start("full", temp.path);
    int status;
    waitpid(c.pid, &status, 0);
    close(c.out);
    temp_remove(&temp);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof children / sizeof *children; i++)
        if (strcmp(argv[1], children[i].name) == 0)
            return children[i].run(argv[2]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_loses_nothing), cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_deferred_before_the_machine_stopped),
        cmocka_unit_test(test_mark_that_cannot_be_read),
        cmocka_unit_test(test_in_use),
        cmocka_unit_test(test_future_format),
        cmocka_unit_test(test_table_not_there_yet),
        cmocka_unit_test(test_first_format),      cmocka_unit_test(test_foreign_folders),
        cmocka_unit_test(test_folder_is_made),     cmocka_unit_test(test_trim),
        cmocka_unit_test(test_full_map),           cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
