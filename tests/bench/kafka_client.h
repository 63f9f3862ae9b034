/* A portal and a notification service on Kafka, as the measuring programs are both. One partition. */
#ifndef DUBAND_BENCH_KAFKA_CLIENT_H
#define DUBAND_BENCH_KAFKA_CLIENT_H

#include "bench.h"

#include <librdkafka/rdkafka.h>

#define QUIET_MS 240000 /* nothing comes: given up */

static inline rd_kafka_t *kafka_handle(rd_kafka_type_t type, const char *const setting[][2], size_t n)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_conf_set(conf, setting[i][0], setting[i][1], why, sizeof why) != RD_KAFKA_CONF_OK)
            die("%s", why);
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof why);
    if (!rk)
        die("%s", why);
    return rk;
}

/* ---- topics */

static inline int kafka_make_topics(const char *broker, const char *prefix)
{
    struct err e;
    struct header property = {S("bootstrap.servers"), slice_of(broker)};
    const struct bus_kafka_options o = {.property = &property,
                                        .nproperties = 1,
                                        .group = "duban",
                                        .node = "bench",
                                        .topic_prefix = prefix,
                                        .url = ""};
    if (!bus_kafka_create_topics(&o, 1, 1, NULL, NULL, &e))
        die("%s", e.text);
    return 0;
}

/* "duban.notifications" → "PREFIXnotifications" */
static inline const char *kafka_topic(struct arena *a, const char *prefix, enum topic topic)
{
    return arena_printf(a, "%s%s", prefix, strchr(topic_names[topic], '.') + 1).p;
}

/* ---- the portal */

struct portal {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic; /* submissions */
    struct arena *arena;     /* of a record; emptied when it is sent */
};

static inline void portal_open(struct portal *p, const char *broker, const char *prefix, const char *linger)
{
    const char *const setting[][2] = {{"bootstrap.servers", broker},
                                      {"enable.idempotence", "true"},
                                      {"linger.ms", linger},
                                      {"queue.buffering.max.kbytes", "262144"}};
    *p = (struct portal){.arena = arena_new()};
    p->rk = kafka_handle(RD_KAFKA_PRODUCER, setting, sizeof setting / sizeof *setting);
    p->topic = rd_kafka_topic_new(p->rk, kafka_topic(p->arena, prefix, TOPIC_SUBMISSIONS), NULL);
    arena_reset(p->arena);
}

static inline void portal_send(struct portal *p, const struct record *r)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++)
        rd_kafka_header_add(headers, r->header[i].name.p, (ssize_t)r->header[i].name.n, r->header[i].value.p,
                            (ssize_t)r->header[i].value.n);
    rd_kafka_vu_t v[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = p->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)r->key.p, r->key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)r->value.p, r->value.n}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(p->rk, v, sizeof v / sizeof *v);
    if (error)
        die("produce: %s", rd_kafka_error_string(error));
    rd_kafka_poll(p->rk, 0);
    arena_reset(p->arena);
}

static inline void portal_close(struct portal *p)
{
    if (rd_kafka_flush(p->rk, QUIET_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("the broker did not take all events");
    rd_kafka_topic_destroy(p->topic);
    rd_kafka_destroy(p->rk);
    arena_free(p->arena);
}

/* ---- the notification service */

/* Stands at the end of the topic as it is now. */
static inline rd_kafka_t *service_open(const char *broker, const char *prefix)
{
    const char *const setting[][2] = {{"bootstrap.servers", broker},         {"group.id", "bench"},
                                      {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
                                      {"auto.offset.reset", "error"},        {"fetch.error.backoff.ms", "1"}};
    rd_kafka_t *rk = kafka_handle(RD_KAFKA_CONSUMER, setting, sizeof setting / sizeof *setting);
    rd_kafka_poll_set_consumer(rk);
    struct arena *a = arena_new();
    int64_t low, high;
    const char *topic = kafka_topic(a, prefix, TOPIC_NOTIFICATIONS);
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(rk, topic, 0, &low, &high, 10000);
    if (err)
        die("%s: %s", topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = high;
    if ((err = rd_kafka_assign(rk, list)))
        die("%s: %s", topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    arena_free(a);
    return rk;
}

/* NULL: nothing came within that time. */
static inline rd_kafka_message_t *service_next(rd_kafka_t *rk, int ms)
{
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, ms);
        if (!m || !m->err)
            return m;
        fprintf(stderr, "notifications: %s\n", rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
    }
}

/* The nth of so many: it has to come. */
static inline rd_kafka_message_t *service_await(rd_kafka_t *rk, unsigned n, unsigned of)
{
    rd_kafka_message_t *m = service_next(rk, QUIET_MS);
    if (!m)
        die("notification %u of %u did not come", n + 1, of);
    return m;
}

static inline void service_close(rd_kafka_t *rk)
{
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

/* ---- what they found */

static inline void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them, and prints them as members of a JSON object. */
static inline void print_ms(double *ms, unsigned n)
{
    qsort(ms, n, sizeof *ms, by_size);
    printf("\"min_ms\":%.2f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f", ms[0],
           ms[n / 2], ms[n * 9 / 10], ms[n * 99 / 100], ms[n - 1]);
}

#endif
