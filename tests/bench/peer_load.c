/* Portals and a notification service of tests/bench/rounds, the same for duband and for its peer. One
 * partition.
 *
 * usage: peer_load topics  BROKER PREFIX
 *            creates duban's topics
 *        peer_load produce BROKER PREFIX RUN EVENTS SUBJECTS DUE_MS
 *            as fast as the broker takes them
 *        peer_load drain   BROKER PREFIX OUTPUTS
 *            says "ready", then reads as many outputs, committed ones, from the end on
 *        peer_load rate    BROKER PREFIX RUN EVENTS SUBJECTS PER_S
 *            says "ready", then sends at that pace and reads what comes: how long each event's outputs took,
 * from the moment it was to be sent, and when none came for 50 ms
 *
 * RUN makes the events' ids, which like those of most senders are in no order. The first SUBJECTS events have
 * a subject each, the others one of these at random. DUE_MS: when each event's timer falls due, milliseconds
 * since 1970; 0: a month from now, all at different seconds. Events are 227 bytes of protobuf; every other
 * one is answered twice. The last line is a JSON object, its times seconds since 1970. */
#include "bench.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#define QUIET_MS 240000 /* nothing comes: given up */
#define MORE_MS 200     /* no output may come after the last one */
#define SILENCE_S 0.05
#define EVENT_BYTES 227
#define MONTH_S 2592000
#define ROUNDS "rounds"

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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

static int make_topics(const char *broker, const char *prefix)
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
static const char *topic_name(struct arena *a, const char *prefix, enum topic topic)
{
    return arena_printf(a, "%s%s", prefix, strchr(topic_names[topic], '.') + 1).p;
}

/* ---- the event, as protobuf: an InputEvent with a Fact of kind `touch` */

static void put_varint(struct buf *b, size_t v)
{
    for (; v > 127; v >>= 7)
        buf_byte(b, (unsigned char)(v | 128));
    buf_byte(b, (unsigned char)v);
}

static void put_bytes(struct buf *b, unsigned field, struct slice s)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, s.n);
    buf_add(b, s);
}

/* An entry of google.protobuf.Struct: `value` is a google.protobuf.Value. */
static void put_entry(struct buf *fields, struct slice name, const struct buf *value)
{
    struct buf entry = {0};
    put_bytes(&entry, 1, name);
    put_bytes(&entry, 2, buf_slice(value));
    put_bytes(fields, 1, buf_slice(&entry));
    buf_free(&entry);
}

static void put_text(struct buf *fields, struct slice name, struct slice text)
{
    struct buf value = {0};
    put_bytes(&value, 3, text);
    put_entry(fields, name, &value);
    buf_free(&value);
}

static void put_number(struct buf *fields, struct slice name, double number)
{
    struct buf value = {0};
    buf_byte(&value, 2 << 3 | 1);
    buf_add(&value, (struct slice){(const char *)&number, sizeof number}); /* little-endian machines */
    put_entry(fields, name, &value);
    buf_free(&value);
}

static void put_yes_no(struct buf *fields, struct slice name, bool yes)
{
    struct buf value = {0};
    buf_byte(&value, 4 << 3);
    buf_byte(&value, yes);
    put_entry(fields, name, &value);
    buf_free(&value);
}

struct touch {
    unsigned n, subject;
    time_t due;
};

static void put_touch(struct buf *out, const struct touch *t, size_t pad)
{
    static const char text[EVENT_BYTES] = "a remark as people make it, of no consequence "
                                          "......................................................";
    char subject[32], due[32];
    struct buf fields = {0}, fact = {0};
    struct tm tm;
    int n = snprintf(subject, sizeof subject, "s-%07u", t->subject);
    size_t m = strftime(due, sizeof due, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t->due, &tm));
    put_text(&fields, S("subject"), (struct slice){subject, (size_t)n});
    put_number(&fields, S("amount"), t->n);
    put_text(&fields, S("due"), (struct slice){due, m});
    put_yes_no(&fields, S("twice"), t->n % 2 == 1);
    put_text(&fields, S("text"), (struct slice){text, pad});
    put_bytes(&fact, 1, S("touch"));
    put_bytes(&fact, 2, S("desk"));
    put_bytes(&fact, 3, buf_slice(&fields));
    buf_clear(out);
    put_bytes(out, 1, S(ROUNDS));
    put_bytes(out, 12, buf_slice(&fact));
    buf_free(&fields);
    buf_free(&fact);
}

/* ---- the portal */

struct portal {
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    struct arena *arena, *names;
    struct buf value;
    const char *run;
    unsigned subjects;
    time_t due; /* 0: later than anybody waits */
    uint64_t seed;
    size_t pad;
};

static void portal_open(struct portal *p, const char *broker, const char *prefix, const char *run,
                        unsigned subjects, const char *linger)
{
    const char *const setting[][2] = {{"bootstrap.servers", broker},
                                      {"enable.idempotence", "true"},
                                      {"linger.ms", linger},
                                      {"queue.buffering.max.kbytes", "262144"}};
    *p = (struct portal){
        .run = run, .subjects = subjects, .seed = PICK_SEED, .arena = arena_new(), .names = arena_new()};
    p->rk = handle(RD_KAFKA_PRODUCER, setting, 4);
    p->topic = rd_kafka_topic_new(p->rk, topic_name(p->names, prefix, TOPIC_SUBMISSIONS), NULL);
    p->pad = 60;
    put_touch(&p->value, &(struct touch){.due = MONTH_S}, p->pad);
    p->pad += EVENT_BYTES - p->value.n;
    put_touch(&p->value, &(struct touch){.due = MONTH_S}, p->pad);
    if (p->value.n != EVENT_BYTES)
        die("an event has %zu bytes", p->value.n);
}

static void portal_send(struct portal *p, unsigned n)
{
    struct touch t = {.n = n, .subject = n < p->subjects ? n : pick(&p->seed, p->subjects), .due = p->due};
    if (!t.due)
        t.due = time(NULL) + MONTH_S + n % MONTH_S;
    put_touch(&p->value, &t, p->pad);
    const struct cloud_event e = {
        .id = arena_printf(p->arena, "%08x-%s-%07u", n * UINT32_C(2654435769), p->run, n),
        .source = S("bench"),
        .type = S("duban.v1.Fact"),
        .content_type = S("application/protobuf"),
        .time = INSTANT_NONE,
        .workflow = S(ROUNDS),
        .data = buf_slice(&p->value)};
    struct record r = intake_record(&e, TOPIC_SUBMISSIONS, p->arena);
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
    arena_free(p->names);
    buf_free(&p->value);
}

static int produce(const char *broker, const char *prefix, const char *run, unsigned events,
                   unsigned subjects, int64_t due_ms)
{
    struct portal p;
    double began = wall_s();
    portal_open(&p, broker, prefix, run, subjects, "20");
    p.due = due_ms / 1000;
    for (unsigned n = 0; n < events; n++)
        portal_send(&p, n);
    portal_close(&p);
    printf("{\"events\":%u,\"s\":%.3f}\n", events, wall_s() - began);
    return 0;
}

/* ---- the notification service */

/* Stands at the end of the topic as it is now. */
static rd_kafka_t *service_open(const char *broker, const char *prefix)
{
    const char *const setting[][2] = {{"bootstrap.servers", broker},         {"group.id", "bench"},
                                      {"isolation.level", "read_committed"}, {"enable.auto.commit", "false"},
                                      {"auto.offset.reset", "error"},        {"fetch.error.backoff.ms", "1"}};
    rd_kafka_t *rk = handle(RD_KAFKA_CONSUMER, setting, sizeof setting / sizeof *setting);
    rd_kafka_poll_set_consumer(rk);
    struct arena *a = arena_new();
    int64_t low, high;
    const char *topic = topic_name(a, prefix, TOPIC_NOTIFICATIONS);
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
static rd_kafka_message_t *service_next(rd_kafka_t *rk, int ms)
{
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, ms);
        if (!m || !m->err)
            return m;
        fprintf(stderr, "outputs: %s\n", rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
    }
}

static void service_close(rd_kafka_t *rk)
{
    rd_kafka_message_t *m = service_next(rk, MORE_MS);
    if (m)
        die("more outputs came than events asked for");
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

static int drain(const char *broker, const char *prefix, unsigned outputs)
{
    rd_kafka_t *rk = service_open(broker, prefix);
    double first = 0, last = 0, bytes = 0;
    ready();
    for (unsigned n = 0; n < outputs; n++) {
        rd_kafka_message_t *m = service_next(rk, QUIET_MS);
        if (!m)
            die("output %u of %u did not come", n, outputs);
        last = wall_s();
        first = n ? first : last;
        bytes += (double)m->len;
        rd_kafka_message_destroy(m);
    }
    service_close(rk);
    printf("{\"outputs\":%u,\"first\":%.6f,\"last\":%.6f,\"bytes\":%.1f}\n", outputs, first, last,
           bytes / outputs);
    return 0;
}

/* ---- at a pace */

struct pace {
    rd_kafka_t *rk;
    const char *run;
    unsigned events, outputs;
    double *sent, *took; /* by event: when it was to be sent, how long its last output took */
    struct buf silences; /* JSON: from, to; of 50 ms and more */
};

/* Which event an output answers: it names the id of what caused it. */
static unsigned answered(const struct pace *p, const rd_kafka_message_t *m)
{
    struct slice run = slice_of(p->run);
    const char *at = m->payload, *end = at + m->len;
    while ((at = memmem(at, (size_t)(end - at), run.p, run.n))) {
        at += run.n;
        if (end - at >= 8 && *at == '-')
            return (unsigned)strtoul(at + 1, NULL, 10);
    }
    die("an output names no event of run %s", p->run);
}

static void *listen_all(void *ctx)
{
    struct pace *p = ctx;
    double before = 0;
    for (unsigned n = 0; n < p->outputs; n++) {
        rd_kafka_message_t *m = service_next(p->rk, QUIET_MS);
        if (!m)
            die("output %u of %u did not come", n, p->outputs);
        double now = wall_s();
        unsigned event = answered(p, m);
        if (event >= p->events || p->sent[event] == 0)
            die("an output names an event that was not sent");
        p->took[event] = (now - p->sent[event]) * 1e3;
        if (n && now - before >= SILENCE_S)
            buf_printf(&p->silences, "%s[%.6f,%.6f]", p->silences.n ? "," : "", before, now);
        before = now;
        rd_kafka_message_destroy(m);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sleep_until(double wall)
{
    struct timespec t = {(time_t)wall, (long)((wall - (double)(time_t)wall) * 1e9)};
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

static int rate(const char *broker, const char *prefix, const char *run, unsigned events, unsigned subjects,
                unsigned per_s)
{
    struct pace p = {.run = run, .events = events, .outputs = events + events / 2};
    struct portal portal;
    pthread_t thread;
    p.sent = mem_alloc(events * sizeof *p.sent);
    p.took = mem_alloc(events * sizeof *p.took);
    p.rk = service_open(broker, prefix);
    portal_open(&portal, broker, prefix, run, subjects, "0");
    if (pthread_create(&thread, NULL, listen_all, &p))
        die("no thread");
    ready();
    double began = wall_s() + 0.1;
    for (unsigned n = 0; n < events; n++) {
        p.sent[n] = began + (double)n / per_s;
        if (p.sent[n] > wall_s())
            sleep_until(p.sent[n]);
        portal_send(&portal, n);
    }
    portal_close(&portal);
    pthread_join(thread, NULL);
    service_close(p.rk);
    unsigned warm = events / 10; /* connections, the first transactions */
    unsigned n = events - warm;
    double *ms = p.took + warm;
    qsort(ms, n, sizeof *ms, by_size);
    printf("{\"events\":%u,\"min_ms\":%.2f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
           "\"silences\":[%.*s]}\n",
           events, ms[0], ms[n / 2], ms[n * 9 / 10], ms[n * 99 / 100], ms[n - 1], (int)p.silences.n,
           p.silences.p);
    buf_free(&p.silences);
    free(p.sent);
    free(p.took);
    return 0;
}

int main(int argc, char **argv)
{
    struct slice what = slice_of(argc > 3 ? argv[1] : "");
    if (slice_eq(what, S("topics")) && argc == 4)
        return make_topics(argv[2], argv[3]);
    if (slice_eq(what, S("produce")) && argc == 8)
        return produce(argv[2], argv[3], argv[4], argument(argc, argv, 5, 0), argument(argc, argv, 6, 0),
                       atoll(argv[7]));
    if (slice_eq(what, S("drain")) && argc == 5)
        return drain(argv[2], argv[3], argument(argc, argv, 4, 0));
    if (slice_eq(what, S("rate")) && argc == 8)
        return rate(argv[2], argv[3], argv[4], argument(argc, argv, 5, 0), argument(argc, argv, 6, 0),
                    argument(argc, argv, 7, 0));
    die("usage: peer_load topics|produce|drain|rate BROKER PREFIX …");
}
