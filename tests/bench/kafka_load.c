/* Portals and a notification service on Kafka, for measuring the daemon between them. One partition; default
 * topic names.
 *
 * usage: kafka_load topics  BROKER                       creates duban's topics
 *        kafka_load produce BROKER RUN EVENTS SUBJECTS   events of tests/bench/load, as fast as the broker
 * takes them kafka_load drain   BROKER EVENTS                says "ready", then reads as many notifications,
 * committed ones, from the end on kafka_load latency BROKER RUN EVENTS            one event at a time: sent,
 * then its notification waited for
 *
 * RUN makes the events' ids. Each but `topics` prints one JSON object. */
#include "bench.h"

#include <librdkafka/rdkafka.h>

#define QUIET_MS 60000 /* nothing comes: given up */

static rd_kafka_t *handle(rd_kafka_type_t type, const char *const setting[][2], size_t n)
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

static int make_topics(const char *broker)
{
    struct err e;
    struct header property = {S("bootstrap.servers"), slice_of(broker)};
    const struct bus_kafka_options o = {.property = &property,
                                        .nproperties = 1,
                                        .group = "duban",
                                        .node = "bench",
                                        .topic_prefix = "duban.",
                                        .url = ""};
    if (!bus_kafka_create_topics(&o, 1, 1, NULL, NULL, &e))
        die("%s", e.text);
    return 0;
}

/* ---- the portal */

struct portal {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    struct arena *arena;
};

static void portal_open(struct portal *p, const char *broker, const char *linger)
{
    const char *const setting[][2] = {
        {"bootstrap.servers", broker}, {"enable.idempotence", "true"}, {"linger.ms", linger}};
    p->rk = handle(RD_KAFKA_PRODUCER, setting, 3);
    p->topic = rd_kafka_topic_new(p->rk, topic_names[TOPIC_SUBMISSIONS], NULL);
    p->arena = arena_new();
}

static void portal_send(struct portal *p, const char *run, unsigned n, unsigned subject)
{
    struct record r = touch_record(p->arena, run, n, subject);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r.nheaders);
    for (size_t i = 0; i < r.nheaders; i++)
        rd_kafka_header_add(headers, r.header[i].name.p, (ssize_t)r.header[i].name.n, r.header[i].value.p,
                            (ssize_t)r.header[i].value.n);
    rd_kafka_vu_t v[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = p->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = 0},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)r.key.p, r.key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)r.value.p, r.value.n}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(p->rk, v, sizeof v / sizeof *v);
    if (error)
        die("produce: %s", rd_kafka_error_string(error));
    rd_kafka_poll(p->rk, 0);
    arena_reset(p->arena);
}

static void portal_close(struct portal *p)
{
    if (rd_kafka_flush(p->rk, QUIET_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("the broker did not take all events");
    rd_kafka_topic_destroy(p->topic);
    rd_kafka_destroy(p->rk);
    arena_free(p->arena);
}

static int produce(const char *broker, const char *run, unsigned events, unsigned subjects)
{
    struct portal p;
    uint64_t seed = PICK_SEED;
    portal_open(&p, broker, "20");
    double began = now_s();
    for (unsigned n = 0; n < events; n++)
        portal_send(&p, run, n, n < subjects ? n : pick(&seed, subjects));
    portal_close(&p);
    printf("{\"events\":%u,\"s\":%.3f}\n", events, now_s() - began);
    return 0;
}

/* ---- the notification service */

struct service {
    rd_kafka_t *rk;
};

/* Stands at the end of the topic as it is now. */
static void service_open(struct service *s, const char *broker)
{
    const char *const setting[][2] = {{"bootstrap.servers", broker},         {"group.id", "bench"},
                                      {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
                                      {"auto.offset.reset", "error"},        {"fetch.error.backoff.ms", "1"}};
    s->rk = handle(RD_KAFKA_CONSUMER, setting, sizeof setting / sizeof *setting);
    rd_kafka_poll_set_consumer(s->rk);
    int64_t low, high;
    const char *topic = topic_names[TOPIC_NOTIFICATIONS];
    rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(s->rk, topic, 0, &low, &high, 10000);
    if (err)
        die("%s: %s", topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = high;
    if ((err = rd_kafka_assign(s->rk, list)))
        die("%s: %s", topic, rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
}

static void service_next(struct service *s)
{
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->rk, QUIET_MS);
        if (!m)
            die("no notification came for a minute");
        rd_kafka_resp_err_t err = m->err;
        if (err)
            fprintf(stderr, "notifications: %s\n", rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
        if (!err)
            return;
    }
}

static void service_close(struct service *s)
{
    rd_kafka_consumer_close(s->rk);
    rd_kafka_destroy(s->rk);
}

static int drain(const char *broker, unsigned events)
{
    struct service s;
    service_open(&s, broker);
    puts("ready");
    fflush(stdout);
    double began = now_s();
    service_next(&s);
    double first = now_s();
    for (unsigned n = 1; n < events; n++)
        service_next(&s);
    double last = now_s();
    service_close(&s);
    printf("{\"events\":%u,\"first_s\":%.3f,\"span_s\":%.3f,\"per_s\":%.0f}\n", events, first - began,
           last - first, events / (last - first));
    return 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int latency(const char *broker, const char *run, unsigned events)
{
    struct portal p;
    struct service s;
    double *ms = mem_alloc(events * sizeof *ms);
    unsigned warm = 10; /* connections, the transaction's first partitions */
    portal_open(&p, broker, "0");
    service_open(&s, broker);
    for (unsigned n = 0; n < warm + events; n++) {
        double began = now_s();
        portal_send(&p, run, n, n);
        service_next(&s);
        if (n >= warm)
            ms[n - warm] = (now_s() - began) * 1e3;
    }
    portal_close(&p);
    service_close(&s);
    qsort(ms, events, sizeof *ms, by_size);
    printf(
        "{\"events\":%u,\"min_ms\":%.2f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f}\n",
        events, ms[0], ms[events / 2], ms[events * 9 / 10], ms[events * 99 / 100], ms[events - 1]);
    free(ms);
    return 0;
}

int main(int argc, char **argv)
{
    struct slice what = slice_of(argc > 2 ? argv[1] : "");
    if (slice_eq(what, S("topics")) && argc == 3)
        return make_topics(argv[2]);
    if (slice_eq(what, S("produce")) && argc == 6)
        return produce(argv[2], argv[3], argument(argc, argv, 4, 0), argument(argc, argv, 5, 0));
    if (slice_eq(what, S("drain")) && argc == 4)
        return drain(argv[2], argument(argc, argv, 3, 0));
    if (slice_eq(what, S("latency")) && argc == 5)
        return latency(argv[2], argv[3], argument(argc, argv, 4, 0));
    die("usage: kafka_load topics|produce|drain|latency BROKER …");
}
