/* The one order: whatever the pace and interleaving of arrival, records come out alike. And where a key's
 * records go. */
#include "store_support.h"

#include "bus/bus.h"
#include "bus/merge.h"

static void push(struct merge *m, enum topic lane, instant_t received, int64_t offset)
{
    merge_push(m, lane, (struct merge_item){received, offset, NULL});
}

static void assert_takes(struct merge *m, enum topic lane, int64_t offset)
{
    struct merge_item item;
    enum topic from;
    assert_true(merge_take(m, &item, &from));
    assert_int_equal(from, lane);
    assert_int_equal(item.offset, offset);
}

static void assert_waits(struct merge *m)
{
    struct merge_item item;
    enum topic from;
    assert_false(merge_take(m, &item, &from));
}

static void assert_asks(struct merge *m, enum topic lane, instant_t through)
{
    enum topic asked;
    instant_t t;
    assert_true(merge_asks(m, &asked, &t));
    assert_int_equal(asked, lane);
    assert_int_equal(t, through);
}

static void assert_asks_nothing(struct merge *m)
{
    enum topic asked;
    instant_t t;
    assert_false(merge_asks(m, &asked, &t));
}

static void test_empty(void **state)
{
    (void)state;
    struct merge *m = merge_new(NULL);
    assert_waits(m);
    assert_asks_nothing(m);
    merge_settle(m);
    merge_undo(m);
    assert_int_equal(merge_waiting(m, TOPIC_SUBMISSIONS), 0);
    merge_free(m);
    merge_free(NULL);
}

static void test_submissions_first(void **state)
{
    (void)state;
    struct merge *m = merge_new(NULL);
    push(m, TOPIC_DEADLINES, 10, 0);
    push(m, TOPIC_SUBMISSIONS, 10, 0);
    push(m, TOPIC_SUBMISSIONS, 10, 1);
    push(m, TOPIC_SUBMISSIONS, 11, 2);
    push(m, TOPIC_DEADLINES, 12, 1);
    assert_takes(m, TOPIC_SUBMISSIONS, 0);
    assert_takes(m, TOPIC_SUBMISSIONS, 1);
    assert_takes(m, TOPIC_DEADLINES, 0);
    assert_takes(m, TOPIC_SUBMISSIONS, 2);
    assert_waits(m); /* a submission of 12 may still come */
    merge_free(m);
}

static void test_a_deadline_waits_for_submissions(void **state)
{
    (void)state;
    struct merge *m = merge_new(NULL);
    push(m, TOPIC_DEADLINES, 10, 5);
    assert_asks(m, TOPIC_SUBMISSIONS, 10);
    merge_know(m, TOPIC_SUBMISSIONS, 9);
    assert_waits(m);
    merge_know(m, TOPIC_SUBMISSIONS, 3); /* knowledge is not lost */
    push(m, TOPIC_SUBMISSIONS, 10, 7);
    assert_asks_nothing(m); /* the submission may be taken at once */
    assert_takes(m, TOPIC_SUBMISSIONS, 7);
    assert_waits(m);
    merge_know(m, TOPIC_SUBMISSIONS, 10);
    assert_asks_nothing(m);
    assert_takes(m, TOPIC_DEADLINES, 5);
    merge_free(m);
}

static void test_a_submission_waits_for_earlier_deadlines_only(void **state)
{
    (void)state;
    struct merge *m = merge_new(NULL);
    push(m, TOPIC_SUBMISSIONS, 10, 0);
    assert_asks(m, TOPIC_DEADLINES, 9);
    assert_waits(m);
    merge_know(m, TOPIC_DEADLINES, 9);
    assert_takes(m, TOPIC_SUBMISSIONS, 0);
    push(m, TOPIC_SUBMISSIONS, 20, 1);
    assert_waits(m);
    push(m, TOPIC_DEADLINES, 21, 0);
    assert_takes(m, TOPIC_SUBMISSIONS, 1);
    merge_free(m);
}

static int dropped;

static void count_drop(void *record)
{
    dropped += *(int *)record;
}

static void test_settle_and_undo(void **state)
{
    (void)state;
    int one = 1;
    dropped = 0;
    struct merge *m = merge_new(count_drop);
    for (int64_t i = 0; i < 200; i++)
        merge_push(m, TOPIC_SUBMISSIONS, (struct merge_item){i, i, &one});
    merge_know(m, TOPIC_DEADLINES, 1000);
    for (int64_t i = 0; i < 100; i++)
        assert_takes(m, TOPIC_SUBMISSIONS, i);
    assert_int_equal(merge_waiting(m, TOPIC_SUBMISSIONS), 100);
    assert_int_equal(dropped, 0);
    merge_undo(m);
    assert_int_equal(merge_waiting(m, TOPIC_SUBMISSIONS), 200);
    for (int64_t i = 0; i < 50; i++)
        assert_takes(m, TOPIC_SUBMISSIONS, i);
    merge_settle(m);
    assert_int_equal(dropped, 50);
    assert_takes(m, TOPIC_SUBMISSIONS, 50);
    merge_undo(m);
    assert_takes(m, TOPIC_SUBMISSIONS, 50);
    merge_clear(m);
    assert_int_equal(dropped, 200);
    assert_waits(m);
    merge_push(m, TOPIC_SUBMISSIONS,
               (struct merge_item){5, 5, &one}); /* cleared: an earlier offset is fine, knowledge is gone */
    assert_waits(m);
    merge_free(m);
    assert_int_equal(dropped, 201);
}

/* ---- any interleaving */

#define LANE_MOST 120

struct expected {
    enum topic lane;
    int64_t offset;
};

struct lanes {
    struct merge_item item[MERGE_LANES][LANE_MOST];
    size_t n[MERGE_LANES];
};

static void lanes_make(struct lanes *l, uint64_t *random)
{
    for (int i = 0; i < MERGE_LANES; i++) {
        instant_t t = 0;
        int64_t offset = (int64_t)random_below(random, 5);
        l->n[i] = random_below(random, LANE_MOST);
        for (size_t k = 0; k < l->n[i]; k++) {
            l->item[i][k] = (struct merge_item){t, offset, NULL};
            t += (instant_t)random_below(random, 3);
            offset += 1 + (int64_t)random_below(random, 2);
        }
    }
}

/* By the definition: among all that is left, the smallest (receipt, lane, offset). */
static size_t lanes_order(const struct lanes *l, struct expected *out)
{
    size_t at[MERGE_LANES] = {0}, n = 0;
    while (at[0] < l->n[0] || at[1] < l->n[1]) {
        int lane = at[0] == l->n[0]                                           ? 1
                   : at[1] == l->n[1]                                         ? 0
                   : l->item[0][at[0]].received <= l->item[1][at[1]].received ? 0
                                                                              : 1;
        out[n++] = (struct expected){(enum topic)lane, l->item[lane][at[lane]++].offset};
    }
    return n;
}

/* What may truly be known of a lane of which so many have been pushed. */
static instant_t lane_through(const struct lanes *l, int lane, size_t pushed)
{
    return pushed == l->n[lane] ? INSTANT_MAX : l->item[lane][pushed].received - 1;
}

static void run_interleaving(const struct lanes *l, const struct expected *order, size_t norder,
                             uint64_t *random)
{
    struct merge *m = merge_new(NULL);
    struct merge_item item;
    enum topic lane;
    size_t pushed[MERGE_LANES] = {0}, taken = 0, settled = 0;
    while (settled < norder || pushed[0] < l->n[0] || pushed[1] < l->n[1]) {
        int i = (int)random_below(random, 2);
        switch (random_below(random, 8)) {
        case 0:
        case 1:
            if (pushed[i] < l->n[i]) {
                merge_push(m, (enum topic)i, l->item[i][pushed[i]]);
                pushed[i]++;
            }
            break;
        case 2:
            merge_know(m, (enum topic)i, lane_through(l, i, pushed[i]));
            break;
        case 3:
            merge_settle(m);
            settled = taken;
            break;
        case 4:
            merge_undo(m);
            taken = settled;
            break;
        default:
            if (!merge_take(m, &item, &lane))
                break;
            assert_true(taken < norder);
            assert_int_equal(lane, order[taken].lane);
            assert_int_equal(item.offset, order[taken].offset);
            taken++;
        }
    }
    assert_waits(m);
    assert_asks_nothing(m);
    merge_free(m);
}

static void test_any_interleaving(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    struct lanes *l = mem_alloc(sizeof *l);
    struct expected *order = mem_alloc(MERGE_LANES * LANE_MOST * sizeof *order);
    for (int i = 0; i < 40; i++) {
        lanes_make(l, &random);
        size_t n = lanes_order(l, order);
        for (int k = 0; k < 10; k++)
            run_interleaving(l, order, n, &random);
    }
    free(order);
    free(l);
}

/* ---- partitions */

static void test_partition_of(void **state)
{
    (void)state;
    /* Kafka's own expectations of murmur2, from its UtilsTest. */
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t positive = cases[i].hash & 0x7fffffff;
        for (int n = 1; n <= 1000; n = n * 3 + 1)
            assert_int_equal(bus_partition_of(slice_of(cases[i].key), n), positive % n);
        assert_int_equal(bus_partition_of(slice_of(cases[i].key), INT32_MAX), positive % INT32_MAX);
    }
    assert_int_equal(bus_partition_of(S(""), 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_submissions_first),
        cmocka_unit_test(test_a_deadline_waits_for_submissions),
        cmocka_unit_test(test_a_submission_waits_for_earlier_deadlines_only),
        cmocka_unit_test(test_settle_and_undo),
        cmocka_unit_test(test_any_interleaving),
        cmocka_unit_test(test_partition_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
