/* What a follower hands over of a changelog: a marker never comes behind parts of the batch after its own, since what ends with it is read. */
#include "bus/bus_kafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- messages, in the place of librdkafka's */

void rd_kafka_message_destroy(rd_kafka_message_t *m)
{
    free(m->payload);
    free(m);
}

int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *m, rd_kafka_timestamp_type_t *type)
{
    (void)m;
    *type = RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    return 0;
}

rd_kafka_resp_err_t rd_kafka_message_headers(const rd_kafka_message_t *m, rd_kafka_headers_t **out)
{
    (void)m, (void)out;
    return RD_KAFKA_RESP_ERR__NOENT;
}

static rd_kafka_message_t *message(int64_t offset, const char *key, size_t nkey, struct slice value)
{
    rd_kafka_message_t *m = mem_alloc(sizeof *m);
    m->offset = offset;
    m->key = (void *)(uintptr_t)key;
    m->key_len = nkey;
    m->payload = mem_alloc(value.n + 1);
    memcpy(m->payload, value.p, value.n);
    m->len = value.n;
    return m;
}

/* ---- a follower of one partition */

struct follower {
    struct kafka k;
    struct part *part;
    struct arena *arena;
    int64_t offset;           /* of the next record */
    size_t written, restored; /* records */
    size_t until[8];          /* by batch: records up to its marker */
    uint64_t batch;           /* written … */
    uint64_t told;            /* … and handed over */
};

static bool restore(void *ctx, int partition, const struct record *r, size_t n, const struct marker *m, int64_t next)
{
    struct follower *f = ctx;
    (void)partition, (void)r, (void)next;
    f->restored += n;
    if (!m)
        return true;
    assert_int_equal(f->restored, f->until[m->batch]);
    f->told = m->batch;
    return true;
}

static struct follower *follower_new(int64_t changelog_next)
{
    struct follower *f = mem_alloc(sizeof *f);
    f->arena = arena_new();
    f->k.hooks = (struct bus_hooks){.ctx = f, .restore = restore};
    pthread_mutex_init(&f->k.trouble_lock, NULL);
    f->part = kafka_part_new(0);
    f->part->state = PART_RUNS;
    f->part->at.changelog_next = changelog_next;
    return f;
}

static void follower_delete(struct follower *f)
{
    kafka_part_free(f->part);
    pthread_mutex_destroy(&f->k.trouble_lock);
    arena_free(f->arena);
    free(f);
}

static void follow(struct follower *f, size_t records, size_t bytes)
{
    static const char key[] = {TABLE_NUMBER, 'k'};
    struct slice value = {arena_alloc(f->arena, bytes), bytes};
    for (size_t i = 0; i < records; i++)
        kafka_log_take(&f->k, f->part, message(f->offset++, key, sizeof key, value));
    f->written += records;
}

static void end_batch(struct follower *f)
{
    static const char key = (char)MARKER_KEY;
    const struct marker m = {.batch = ++f->batch, .history_next = -1, .clock_target = INSTANT_NONE};
    f->until[m.batch] = f->written;
    kafka_log_take(&f->k, f->part, message(f->offset++, &key, 1, wire_marker_pack(&m, f->arena)));
}

/* ---- */

/* The beginning of a batch comes with the end of the one before, and both together are much. */
static void follow_two(int64_t changelog_next, size_t first, size_t second, size_t bytes)
{
    struct follower *f = follower_new(changelog_next);
    follow(f, first, bytes);
    kafka_log_hand_over_front(&f->k, f->part);
    follow(f, 10, bytes);
    end_batch(f);
    follow(f, second, bytes);
    kafka_log_hand_over_front(&f->k, f->part);
    assert_int_equal(f->told, 1);
    follow(f, 10, bytes);
    end_batch(f);
    kafka_log_hand_over_front(&f->k, f->part);
    assert_int_equal(f->told, 2);
    follower_delete(f);
}

static void test_into_an_empty_store(void **state)
{
    (void)state;
    follow_two(-1, 900, 1800, 10);
}

static void test_large_records(void **state)
{
    (void)state;
    follow_two(0, 100, 400, 100000);
}

/* A batch that is large by itself comes in pieces, before its own marker. */
static void test_one_large_batch(void **state)
{
    (void)state;
    struct follower *f = follower_new(-1);
    follow(f, 5000, 10);
    assert_true(f->restored > 0);
    end_batch(f);
    kafka_log_hand_over_front(&f->k, f->part);
    assert_int_equal(f->told, 1);
    follower_delete(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_into_an_empty_store), cmocka_unit_test(test_large_records),
                                       cmocka_unit_test(test_one_large_batch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
