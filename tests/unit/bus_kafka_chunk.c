/* What gathers a batch's history: nothing is lost, nothing changes its place within a workflow, and no chunk is too large. */
#include "bus/bus_kafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define MOST 1000
#define RECORDS 5000
#define WORKFLOWS (3 * CHUNKS_MOST)

static struct {
    uint32_t next[WORKFLOWS]; /* of each workflow's records, the number that must come */
    size_t chunks, records, largest;
    int fails_in; /* 0: this one; below: none does */
} sent;

static enum bus_status send_history(void *ctx, struct slice workflow, struct slice chunk, struct err *e)
{
    struct slice rest = chunk, one;
    size_t n = 0;
    (void)ctx;
    if (sent.fails_in-- == 0) {
        err_set(e, "no");
        return BUS_UNDONE;
    }
    int w = 0;
    for (size_t i = 0; i < workflow.n; i++)
        w = 10 * w + workflow.p[i] - '0';
    for (; wire_chunk_next(&rest, &one); n++) {
        uint32_t number;
        memcpy(&number, one.p, sizeof number);
        assert_int_equal(number, sent.next[w]);
        sent.next[w]++;
    }
    assert_true(n > 0);
    assert_true(chunk.n < MOST + MOST / 2 + 16 || n == 1);
    sent.largest = n > sent.largest ? n : sent.largest;
    sent.records += n;
    sent.chunks++;
    return BUS_OK;
}

static struct kafka *kafka_new(void)
{
    struct kafka *k = mem_alloc(sizeof *k);
    k->chunks.most = MOST;
    memset(&sent, 0, sizeof sent);
    sent.fails_in = -1;
    return k;
}

static void kafka_delete(struct kafka *k)
{
    kafka_chunks_close(k);
    free(k);
}

static enum bus_status add(struct kafka *k, int workflow, uint32_t number, size_t bytes)
{
    static char value[4 * MOST];
    char name[16];
    struct err e;
    memcpy(value, &number, sizeof number);
    snprintf(name, sizeof name, "%d", workflow);
    const struct record r = {.topic = TOPIC_HISTORY, .key = slice_of(name), .value = {value, bytes}};
    return kafka_chunks_add(k, &r, send_history, NULL, &e);
}

static void test_random(void **state)
{
    const char *env = getenv("SEED");
    uint64_t seed = env ? strtoull(env, NULL, 10) : (uint64_t)time(NULL);
    uint32_t number[WORKFLOWS] = {0};
    struct kafka *k = kafka_new();
    struct err e;
    (void)state;
    printf("SEED=%llu\n", (unsigned long long)seed);
    srandom((unsigned)seed);
    for (int i = 0; i < RECORDS; i++) {
        int w = (int)(random() % (i < RECORDS / 2 ? 3 : WORKFLOWS));
        size_t bytes = random() % 50 ? 4 + (size_t)random() % 200 : 4 + (size_t)random() % (3 * MOST);
        assert_int_equal(add(k, w, number[w]++, bytes), BUS_OK);
    }
    assert_int_equal(kafka_chunks_end(k, send_history, NULL, &e), BUS_OK);
    assert_memory_equal(sent.next, number, sizeof number);
    assert_int_equal(sent.records, RECORDS);
    assert_true(sent.chunks < RECORDS);
    assert_true(sent.largest > 3);
    kafka_delete(k);
}

/* What is wrong with a large one is told when it comes; what was gathered before it goes first. */
static void test_large(void **state)
{
    struct kafka *k = kafka_new();
    (void)state;
    assert_int_equal(add(k, 1, 0, 10), BUS_OK);
    assert_int_equal(sent.chunks, 0);
    assert_int_equal(add(k, 1, 1, MOST), BUS_OK);
    assert_int_equal(sent.chunks, 2);
    sent.fails_in = 0;
    assert_int_equal(add(k, 1, 2, MOST), BUS_UNDONE);
    kafka_delete(k);
}

/* A batch that is given up leaves nothing to the next. */
static void test_dropped(void **state)
{
    struct kafka *k = kafka_new();
    struct err e;
    (void)state;
    assert_int_equal(add(k, 1, 0, 10), BUS_OK);
    assert_int_equal(add(k, 2, 0, 10), BUS_OK);
    kafka_chunks_drop(k);
    assert_int_equal(kafka_chunks_end(k, send_history, NULL, &e), BUS_OK);
    assert_int_equal(sent.chunks, 0);
    assert_int_equal(add(k, 2, 0, 10), BUS_OK);
    sent.fails_in = 0;
    assert_int_equal(kafka_chunks_end(k, send_history, NULL, &e), BUS_UNDONE);
    assert_int_equal(add(k, 3, 0, 10), BUS_OK);
    assert_int_equal(kafka_chunks_end(k, send_history, NULL, &e), BUS_OK);
    assert_int_equal(sent.records, 1);
    kafka_delete(k);
}

/* What a broker or the settings allow a record to have is never used up. */
static void test_most(void **state)
{
    static struct header property[] = {{{"message.max.bytes", 17}, {"40000", 5}}};
    struct kafka *k = kafka_new();
    (void)state;
    k->request_bytes = 100000;
    kafka_chunks_open(k);
    assert_int_equal(k->chunks.most, 25000);
    k->options.property = property;
    k->options.nproperties = 1;
    kafka_chunks_open(k);
    assert_int_equal(k->chunks.most, 10000);
    k->options.nproperties = 0;
    k->request_bytes = 8 << 20;
    kafka_chunks_open(k);
    assert_int_equal(k->chunks.most, 128 << 10);
    kafka_delete(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_large), cmocka_unit_test(test_dropped),
                                       cmocka_unit_test(test_most)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
