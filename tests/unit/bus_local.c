/* The embedded log: receipts, order, batches, restarts, a clock that steps, a disk that is full. */
#include "store_support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "bus/bus.h"
#include "bus/local_log.h"
#include "bus/receipt.h"
#include "store/fault.h"

#define MINUTE (60 * 1000)
#define YEAR (INT64_C(366) * 24 * 60 * MINUTE)
#define START INT64_C(1711500000000) /* 2024-03-27 */

/* ---- a machine whose clocks the test turns */

static instant_t wall, boot, tick; /* tick: what a look at them takes */
static const char *boot_name;

static void fake_read(instant_t *w, instant_t *b)
{
    wall += tick;
    boot += tick;
    *w = wall;
    *b = boot;
}

static struct slice fake_boot_id(struct arena *a)
{
    return arena_dup(a, slice_of(boot_name));
}

static const struct receipt_source fake = {fake_read, fake_boot_id};

static void pass(instant_t ms)
{
    wall += ms;
    boot += ms;
}

/* ---- a worker's side of the bus */

struct fixture {
    const char *backend;
    struct temp temp;
    struct store *store; /* kept over restarts when in memory */
    struct bus *bus;
    struct bus_position at;
    bool refuse;
    int released;
    struct arena *arena;
};

static struct store *hook_acquire(void *ctx, int partition)
{
    struct fixture *f = ctx;
    struct err e = {0};
    assert_int_equal(partition, 0);
    if (f->refuse)
        return NULL;
    if (!f->store)
        f->store = strcmp(f->backend, "mem") == 0 ? store_open_memory()
                                                  : store_open(f->temp.path, UINT64_C(1) << 30, &e);
    return f->store;
}

static void hook_where(void *ctx, int partition, struct bus_position *out)
{
    assert_int_equal(partition, 0);
    *out = ((struct fixture *)ctx)->at;
}

static enum bus_settled hook_ready(void *ctx, int partition)
{
    (void)ctx;
    return partition == 0 ? BUS_SETTLED : BUS_UNSETTLED;
}

static void hook_release(void *ctx, int partition, bool lost)
{
    struct fixture *f = ctx;
    assert_int_equal(partition, 0);
    assert_false(lost);
    f->released++;
    if (strcmp(f->backend, "mem") != 0) {
        store_close(f->store);
        f->store = NULL;
    }
}

static void bus_open(struct fixture *f)
{
    struct err e = {0};
    const struct bus_hooks hooks = {
        .ctx = f, .acquire = hook_acquire, .where = hook_where, .ready = hook_ready, .release = hook_release};
    f->bus = bus_local_open(&hooks, &e);
    assert_non_null(f->bus);
}

static void poll_ok(struct fixture *f, int timeout_ms)
{
    struct err e = {0};
    if (!f->bus->ops->poll(f->bus, timeout_ms, &e))
        fail_msg("%s", e.text);
}

static void restart(struct fixture *f)
{
    f->bus->ops->close(f->bus);
    bus_open(f);
    poll_ok(f, 0);
}

static int setup(void **state, const char *backend)
{
    struct fixture *f = mem_alloc(sizeof *f);
    receipt_source = &fake;
    wall = START;
    boot = 5000;
    boot_name = "boot-1";
    f->backend = backend;
    f->temp = temp_make();
    f->arena = arena_new();
    bus_open(f);
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
    f->bus->ops->close(f->bus);
    store_close(f->store);
    temp_remove(&f->temp);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- appends */

struct answer {
    atomic_int calls;
    struct append_result res;
    struct err why;
};

static void on_done(void *ctx, const struct append_result *res)
{
    struct answer *a = ctx;
    a->res = *res;
    err_set(&a->why, "%s", res->why ? res->why : "");
    a->calls++;
}

static const struct header submission_header[] = {{{"ce_id", 5}, {"e1", 2}},
                                                  {{"ce_type", 7}, {"duban.v1.Submission", 19}}};
static const struct header clock_header[] = {{{"ce_type", 7}, {"duban.v1.DeadlineReached", 24}}};

static struct record make_record(enum topic topic, const char *value)
{
    return (struct record){.topic = topic,
                           .offset = -1,
                           .appended = INSTANT_NONE,
                           .key = S("suifenhe-2024"),
                           .value = slice_of(value),
                           .header = (struct header *)(uintptr_t)submission_header,
                           .nheaders = 2};
}

static struct record clock_record(void)
{
    struct record r = make_record(TOPIC_DEADLINES, "tick");
    r.header = (struct header *)(uintptr_t)clock_header;
    r.nheaders = 1;
    return r;
}

static struct answer append_record(struct fixture *f, struct record r)
{
    struct answer a = {0};
    f->bus->ops->append(f->bus, &r, on_done, &a);
    assert_int_equal(a.calls, 0);
    poll_ok(f, 1000);
    assert_int_equal(a.calls, 1);
    return a;
}

static struct answer append(struct fixture *f, enum topic topic, const char *value)
{
    return append_record(f, make_record(topic, value));
}

static void assert_appended(struct answer a, int64_t offset, instant_t received)
{
    if (!a.res.ok)
        fail_msg("%s", a.why.text);
    assert_int_equal(a.res.offset, offset);
    assert_int_equal(a.res.received, received);
}

static void assert_failed(struct answer a, bool retry, const char *why)
{
    assert_false(a.res.ok);
    assert_int_equal(a.res.retry, retry);
    assert_int_equal(a.res.offset, -1);
    assert_says(a.why.text, why);
}

static void assert_trouble(struct fixture *f, const char *says)
{
    struct err why = {0};
    assert_int_equal(f->bus->ops->trouble(f->bus, &why), says != NULL);
    if (says)
        assert_says(why.text, says);
}

/* ---- batches */

static struct store_txn *batch_begin(struct fixture *f)
{
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, true, &e);
    assert_non_null(t);
    assert_int_equal(f->bus->ops->begin(f->bus, 0, t, &e), BUS_OK);
    return t;
}

/* Commits as if everything taken so far had been applied. */
static void batch_commit(struct fixture *f, struct store_txn *t, int64_t submissions, int64_t deadlines)
{
    struct err e = {0};
    struct marker m = {.batch = ++f->at.batch, .input_next = {submissions, deadlines}};
    assert_int_equal(f->bus->ops->commit(f->bus, 0, t, &m, &e), BUS_OK);
    memcpy(f->at.input_next, m.input_next, sizeof m.input_next);
}

static size_t take(struct fixture *f, struct record *out, size_t max)
{
    return f->bus->ops->take(f->bus, 0, out, max);
}

static size_t read_topic(struct fixture *f, enum topic topic, int64_t from, struct record *out, size_t max,
                         int64_t *end)
{
    struct err e = {0};
    struct store_txn *t = store_begin(f->store, false, &e);
    size_t n = bus_local_read(t, topic, from, out, max, end, f->arena);
    store_abort(t);
    return n;
}

/* ---- tests */

static void test_append_and_take(void **state)
{
    struct fixture *f = *state;
    struct record r[4];
    poll_ok(f, 0);
    assert_int_equal(take(f, r, 4), 0);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s0"), 0, START);
    pass(10);
    assert_appended(append(f, TOPIC_DEADLINES, "d0"), 0, START + 10);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s1"), 1,
                    START + 11); /* else it would be merged before d0 */
    assert_appended(append(f, TOPIC_DEADLINES, "d1"), 1, START + 11);
    assert_int_equal(take(f, r, 3), 3);
    assert_slice(r[0].value, "s0");
    assert_slice(r[0].key, "suifenhe-2024");
    assert_int_equal(r[0].nheaders, 2);
    assert_slice(r[0].header[1].name, "ce_type");
    assert_slice(r[0].header[1].value, "duban.v1.Submission");
    assert_int_equal(r[0].appended, START);
    assert_slice(r[1].value, "d0");
    assert_int_equal(r[1].topic, TOPIC_DEADLINES);
    assert_slice(r[2].value, "s1");
    assert_int_equal(r[2].offset, 1);
    assert_int_equal(take(f, r, 4), 1);
    assert_slice(r[0].value, "d1");
    assert_int_equal(take(f, r, 4), 0);
    assert_trouble(f, NULL);
}

static void test_batches(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct record r[8], out = make_record(TOPIC_WARNINGS, "w0");
    int64_t end;
    for (int i = 0; i < 4; i++)
        append(f, i % 2 ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS, "in");
    assert_int_equal(take(f, r, 8), 4);
    struct store_txn *t = batch_begin(f);
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    f->bus->ops->undo(f->bus, 0, t);
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 0, r, 8, &end), 0);
    assert_int_equal(end, 0);

    assert_int_equal(take(f, r, 8), 4); /* undone: taken again */
    pass(77);
    t = batch_begin(f);
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    out.value = S("w1");
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    batch_commit(f, t, 1, 1); /* half of what was taken */
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 0, r, 8, &end), 2);
    assert_int_equal(end, 2);
    assert_slice(r[1].value, "w1");
    assert_int_equal(r[1].offset, 1);
    assert_int_equal(r[1].appended, wall);
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 1, r, 1, &end), 1);
    assert_int_equal(r[0].offset, 1);
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 2, r, 8, &end), 0);
    assert_int_equal(read_topic(f, TOPIC_SUBMISSIONS, -5, r, 8, &end), 2);
    assert_int_equal(read_topic(f, TOPIC_SUPERVISION, 0, r, 8, &end), 0);
    assert_int_equal(end, 0);

    assert_int_equal(take(f, r, 8), 2);
    assert_int_equal(r[0].offset, 1);
    restart(f); /* taken, not committed */
    assert_int_equal(f->released, 1);
    assert_int_equal(take(f, r, 8), 2);
    t = batch_begin(f);
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    batch_commit(f, t, 2, 2);
    assert_int_equal(take(f, r, 8), 0);
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 2, r, 8, &end), 1);
    assert_int_equal(end, 3);
    assert_int_equal(f->bus->ops->begin(f->bus, 1, t, &e), BUS_LOST);
}

/* Appends in any mix, at any pace, clocks drifting and stepping a little, restarts: taken in the order of
 * appending, receipts ascending. */
static void test_append_order_is_merge_order(void **state)
{
    struct fixture *f = *state;
    uint64_t random = seed_take();
    struct answer *answers = mem_alloc(64 * sizeof *answers);
    struct record r[16];
    int appended = 0, taken = 0;
    instant_t last = INSTANT_NONE;
    while (taken < 600) {
        int group = (int)random_below(&random, 20);
        for (int i = 0; i < group; i++) {
            char value[16];
            snprintf(value, sizeof value, "%d", appended++);
            struct record in = make_record((enum topic)random_below(&random, 2), value);
            memset(&answers[i], 0, sizeof answers[i]);
            f->bus->ops->append(f->bus, &in, on_done, &answers[i]);
        }
        while (group > 0 && answers[group - 1].calls == 0)
            poll_ok(f, 0);
        for (int i = 0; i < group; i++) {
            assert_int_equal(answers[i].calls, 1);
            assert_true(answers[i].res.ok);
            assert_true(answers[i].res.received >= last);
            last = answers[i].res.received;
        }
        pass((instant_t)random_below(&random, 3));
        if (random_below(&random, 5) == 0)
            wall += (instant_t)random_below(&random, 8 * MINUTE) - 4 * MINUTE;
        if (random_below(&random, 10) == 0)
            restart(f);
        poll_ok(f, 0); /* the store is acquired in there, after a start and a restart */
        size_t n = take(f, r, 1 + random_below(&random, 16));
        for (size_t i = 0; i < n; i++) {
            char value[16];
            snprintf(value, sizeof value, "%d", taken);
            assert_slice(r[i].value, value);
            if (random_below(&random, 4) == 0) { /* no further: undo what is left by committing less */
                n = i + 1;
            }
            taken++;
            f->at.input_next[r[i].topic] = r[i].offset + 1;
        }
        batch_commit(f, batch_begin(f), f->at.input_next[0], f->at.input_next[1]);
    }
    free(answers);
}

/* However many come at once and however they alternate, nothing gets a time that has not come yet. */
static void test_receipts_never_run_ahead(void **state)
{
    struct fixture *f = *state;
    struct answer *answers = mem_alloc(100 * sizeof *answers);
    tick = 1;
    for (int i = 0; i < 100; i++) {
        struct record in = make_record(i % 2 ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES, "x");
        f->bus->ops->append(f->bus, &in, on_done, &answers[i]);
    }
    for (int i = 0; i < 100; i++) {
        while (answers[i].calls == 0)
            poll_ok(f, 0);
        assert_true(answers[i].res.ok);
        assert_in_range(answers[i].res.received, START, wall);
        if (i > 0)
            assert_true(answers[i].res.received >= answers[i - 1].res.received + i % 2);
    }
    tick = 0;
    free(answers);
}

static void test_never_backwards(void **state)
{
    struct fixture *f = *state;
    assert_appended(append(f, TOPIC_DEADLINES, "d0"), 0, START);
    wall -= 2 * MINUTE;
    assert_appended(append(f, TOPIC_DEADLINES, "d1"), 1, START);
    assert_trouble(f, NULL);
    restart(f);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s0"), 0, START + 1);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s1"), 1, START + 1);
    pass(3 * MINUTE);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s2"), 2, START + MINUTE);
}

static void test_clock_steps(void **state)
{
    struct fixture *f = *state;
    assert_appended(append_record(f, clock_record()), 0, START);
    wall += 4 * MINUTE; /* small steps are followed, and do not add up */
    assert_appended(append_record(f, clock_record()), 1, START + 4 * MINUTE);
    wall += 4 * MINUTE;
    assert_appended(append_record(f, clock_record()), 2, START + 8 * MINUTE);

    wall += YEAR;
    pass(1000);
    instant_t believed = START + 8 * MINUTE + 1000;
    assert_failed(append_record(f, clock_record()), true,
                  "clock stopped: the machine's clock says 2025-03-2");
    assert_trouble(f, "2024-03-2");
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s0"), 0, believed); /* intake goes on, by the boot clock */
    pass(500);
    assert_appended(append(f, TOPIC_DEADLINES, "a review"), 3, believed + 500);

    wall -= YEAR; /* set right */
    assert_appended(append_record(f, clock_record()), 4, believed + 500);
    assert_trouble(f, NULL);

    wall += YEAR; /* and this time it is true */
    assert_failed(append_record(f, clock_record()), true, "clock stopped");
    bus_local_accept_clock(f->bus);
    poll_ok(f, -1);
    assert_trouble(f, NULL);
    assert_appended(append_record(f, clock_record()), 5, wall);

    wall -= YEAR; /* backwards, accepted: receipts stand still until the clock is past them */
    poll_ok(f, 0);
    assert_trouble(f, "clock stopped");
    bus_local_accept_clock(f->bus);
    assert_appended(append_record(f, clock_record()), 6, wall + YEAR);
    assert_trouble(f, NULL);
}

static void test_restart_accepts_no_clock(void **state)
{
    struct fixture *f = *state;
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s0"), 0, START);
    wall += YEAR;
    restart(f);
    assert_trouble(f, "clock stopped");
    assert_failed(append_record(f, clock_record()), true, "clock stopped");
    boot_name = "boot-2"; /* the machine was off: nothing tells how long */
    boot = 100;
    restart(f);
    assert_trouble(f, NULL);
    assert_appended(append_record(f, clock_record()), 0, START + YEAR);

    boot_name = "boot-3"; /* and woke up in the past */
    boot = 100;
    wall = 0;
    restart(f);
    assert_trouble(f, "the machine's clock says 1970-01-01T00:00:00Z");
    pass(300);
    assert_failed(append_record(f, clock_record()), true, "clock stopped");
    assert_appended(append(f, TOPIC_SUBMISSIONS, "s1"), 1, START + YEAR + 300);
    wall = START + YEAR + MINUTE;
    assert_appended(append_record(f, clock_record()), 1, START + YEAR + MINUTE);
    assert_trouble(f, NULL);
}

static bool disk_full;

static enum store_status full_fault(enum store_fault_point at)
{
    return disk_full && at == STORE_FAULT_COMMIT ? STORE_FULL : STORE_OK;
}

static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct record r[4], out = make_record(TOPIC_WARNINGS, "w");
    int64_t end;
    store_fault = full_fault;
    disk_full = false;
    append(f, TOPIC_SUBMISSIONS, "kept");
    disk_full = true;
    pass(MINUTE);
    assert_failed(append(f, TOPIC_SUBMISSIONS, "lost"), true, "fault");
    assert_failed(append(f, TOPIC_DEADLINES, "lost"), true, "fault");
    assert_trouble(f, "fault");

    assert_int_equal(take(f, r, 4), 1);
    struct store_txn *t = batch_begin(f);
    struct marker m = {.input_next = {1, 0}};
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    assert_int_equal(f->bus->ops->commit(f->bus, 0, t, &m, &e), BUS_UNDONE);
    assert_true(e.text[0] != '\0');
    assert_int_equal(take(f, r, 4), 1);
    assert_slice(r[0].value, "kept");

    disk_full = false;
    t = batch_begin(f);
    assert_int_equal(f->bus->ops->emit(f->bus, 0, &out, &e), BUS_OK);
    batch_commit(f, t, 1, 0);
    assert_trouble(f, NULL);
    assert_appended(append(f, TOPIC_SUBMISSIONS, "room again"), 1, START + MINUTE);
    assert_int_equal(read_topic(f, TOPIC_SUBMISSIONS, 0, r, 4, &end), 2);
    assert_slice(r[1].value, "room again");
    assert_int_equal(read_topic(f, TOPIC_WARNINGS, 0, r, 4, &end), 1);
}

static int failures; /* commits that are to fail */

static enum store_status failing_fault(enum store_fault_point at)
{
    return at == STORE_FAULT_COMMIT && failures > 0 && failures-- > 0 ? STORE_FAILED : STORE_OK;
}

static void test_a_disk_that_fails_once(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct record r[4];
    store_fault = failing_fault;
    append(f, TOPIC_SUBMISSIONS, "kept");
    failures = 1;
    pass(MINUTE);
    assert_failed(append(f, TOPIC_SUBMISSIONS, "lost"), true, "fault");
    assert_trouble(f, "fault");
    assert_appended(append(f, TOPIC_SUBMISSIONS, "after"), 1, START + MINUTE);
    assert_trouble(f, NULL);

    assert_int_equal(take(f, r, 4), 2);
    struct marker m = {.input_next = {2, 0}};
    struct store_txn *t = batch_begin(f);
    failures = 1;
    assert_int_equal(f->bus->ops->commit(f->bus, 0, t, &m, &e), BUS_UNDONE);
    poll_ok(f, 0);
    assert_int_equal(take(f, r, 4), 2);
    assert_slice(r[1].value, "after");
    t = batch_begin(f);
    batch_commit(f, t, 2, 0);
    assert_trouble(f, NULL);
}

/* It said that a commit had failed, and it had not: what is known here is not what is there. */
static void test_a_disk_that_lies(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    append(f, TOPIC_SUBMISSIONS, "one");
    store_fault = failing_fault;
    failures = 1;
    assert_failed(append(f, TOPIC_SUBMISSIONS, "two"), true, "fault");
    struct store_txn *t = store_begin(f->store, true, &e);
    struct local_log log;
    instant_t last, last_deadline;
    struct record r = make_record(TOPIC_SUBMISSIONS, "two");
    struct arena *a = arena_new();
    assert_true(local_log_open(t, &log, &last, &last_deadline, &e));
    assert_int_equal(local_log_append(&log, t, &r, last, a), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    arena_free(a);
    struct answer three = {0};
    r = make_record(TOPIC_SUBMISSIONS, "three");
    f->bus->ops->append(f->bus, &r, on_done, &three);
    assert_false(f->bus->ops->poll(f->bus, 0, &e));
    assert_says(e.text, "start duband again");
    assert_failed(three, true, "start duband again");
}

static void test_refusals(void **state)
{
    struct fixture *f = *state;
    struct answer good = {0}, bad = {0};
    struct record in = make_record(TOPIC_SUBMISSIONS, "good"), out = make_record(TOPIC_WARNINGS, "bad");
    f->bus->ops->append(f->bus, &out, on_done, &bad);
    f->bus->ops->append(f->bus, &in, on_done, &good);
    poll_ok(f, 0);
    assert_failed(bad, false, "input topics");
    assert_appended(good, 0, START); /* nobody suffers from a neighbour */

    in.partition = 3;
    assert_failed(append_record(f, in), false, "one partition");
    in.partition = 0;
    static const struct header unreadable = {{"x\0y", 3}, {"v", 1}};
    in.header = (struct header *)(uintptr_t)&unreadable;
    in.nheaders = 1;
    assert_failed(append_record(f, in), false, "header");
    in.nheaders = 0;
    in.value.n = (size_t)300 << 20; /* refused before it is read */
    assert_failed(append_record(f, in), true, "more appends are waiting");
    assert_appended(append(f, TOPIC_SUBMISSIONS, "next"), 1, START);
}

static void test_close_answers_all(void **state)
{
    struct fixture *f = *state;
    struct answer a = {0};
    struct record r = make_record(TOPIC_SUBMISSIONS, "late");
    f->bus->ops->append(f->bus, &r, on_done, &a);
    f->bus->ops->close(f->bus);
    assert_int_equal(a.calls, 1);
    assert_failed(a, true, "stopping");
    assert_int_equal(f->released, 0); /* it was never acquired */
    bus_open(f);
}

static void test_cannot_start(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    f->refuse = true;
    assert_false(f->bus->ops->poll(f->bus, 0, &e));
    assert_says(e.text, "could not be opened");
    assert_false(f->bus->ops->poll(f->bus, -1, &e)); /* and does not wait for ever */
    f->bus->ops->close(f->bus);
    f->refuse = false;
    f->at.input_next[1] = 7; /* the state is ahead of its log */
    bus_open(f);
    assert_false(f->bus->ops->poll(f->bus, 0, &e));
    assert_says(e.text, "duban.deadlines up to offset 7, but the log ends at 0");
}

/* A Kafka node's folder, whose positions may be none yet. */
static void test_refuses_the_state_of_kafka(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct store_txn *t = store_begin(hook_acquire(f, 0), true, &e);
    assert_int_equal(store_put(t, TABLE_META, S(BUS_META_ORIGIN), S("c\0duban.changelog\0000\0g\0")), STORE_OK);
    assert_int_equal(store_commit(t, &e), STORE_OK);
    assert_false(f->bus->ops->poll(f->bus, 0, &e));
    assert_says(e.text, "holds a partition's state of Kafka's topics");
}

/* ---- other threads */

#define THREADS 4
#define APPENDS 300

static struct answer (*thread_answers)[APPENDS];
static struct fixture *thread_fixture;

static void *thread_append(void *arg)
{
    size_t me = (size_t)(uintptr_t)arg;
    for (int i = 0; i < APPENDS; i++) {
        char value[16];
        snprintf(value, sizeof value, "%zu/%d", me, i);
        struct record r = make_record(i % 2 ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS, value);
        thread_fixture->bus->ops->append(thread_fixture->bus, &r, on_done, &thread_answers[me][i]);
    }
    return NULL;
}

static void test_appends_from_threads(void **state)
{
    struct fixture *f = *state;
    pthread_t thread[THREADS];
    struct record *r = mem_alloc(THREADS * APPENDS * sizeof *r);
    thread_fixture = f;
    thread_answers = mem_alloc(THREADS * sizeof *thread_answers);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, thread_append, (void *)(uintptr_t)i), 0);
    size_t taken = 0;
    int next[THREADS] = {0};
    while (taken < THREADS * APPENDS) {
        poll_ok(f, -1);
        size_t n = take(f, r, THREADS * APPENDS);
        for (size_t i = 0; i < n; i++) { /* each thread's records in its order */
            size_t me;
            int k;
            char value[16];
            snprintf(value, sizeof value, "%.*s", SLICE_ARG(r[i].value));
            assert_int_equal(sscanf(value, "%zu/%d", &me, &k), 2);
            assert_int_equal(k, next[me]++);
        }
        taken += n;
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        for (int k = 0; k < APPENDS; k++) {
            assert_int_equal(thread_answers[i][k].calls, 1);
            assert_true(thread_answers[i][k].res.ok);
        }
    }
    free(thread_answers);
    free(r);
}

static void *thread_wake(void *arg)
{
    struct bus *b = arg;
    b->ops->wake(b);
    return NULL;
}

static void test_wake(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    poll_ok(f, 0);
    assert_int_equal(pthread_create(&thread, NULL, thread_wake, f->bus), 0);
    poll_ok(f, -1);
    pthread_join(thread, NULL);
    f->bus->ops->wake(f->bus); /* before the wait: not lost */
    poll_ok(f, -1);
    poll_ok(f, 1);
}

/* The machine's own clocks. */
static void test_real_clocks(void **state)
{
    (void)state;
    instant_t w, b, w2, b2;
    struct arena *a = arena_new();
    const struct receipt_source *machine = *state;
    machine->read(&w, &b);
    machine->read(&w2, &b2);
    assert_true(w > START && w2 >= w && b > 0 && b2 >= b);
    assert_true(machine->boot_id(a).n > 30);
    assert_true(slice_eq(machine->boot_id(a), machine->boot_id(a)));
    arena_free(a);
}

#define BOTH(test)                                                                                           \
    cmocka_unit_test_setup_teardown(test, setup_mem, teardown),                                              \
        cmocka_unit_test_setup_teardown(test, setup_lmdb, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_real_clocks, (void *)(uintptr_t)receipt_source),
        BOTH(test_append_and_take),
        BOTH(test_batches),
        BOTH(test_append_order_is_merge_order),
        BOTH(test_receipts_never_run_ahead),
        BOTH(test_never_backwards),
        BOTH(test_clock_steps),
        BOTH(test_restart_accepts_no_clock),
        BOTH(test_full_disk),
        BOTH(test_a_disk_that_fails_once),
        BOTH(test_a_disk_that_lies),
        BOTH(test_refusals),
        BOTH(test_close_answers_all),
        BOTH(test_cannot_start),
        BOTH(test_refuses_the_state_of_kafka),
        BOTH(test_appends_from_threads),
        BOTH(test_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
