/* Portals and a notification service of tests/bench/rounds, the same for duband and for its peer. One
 * partition.
 *
 * usage: peer_load topics  BROKER PREFIX
 *            creates duban's topics
 *        peer_load produce BROKER PREFIX IDS RUN EVENTS SUBJECTS DUE_MS
 *            as fast as the broker takes them
 *        peer_load drain   BROKER PREFIX OUTPUTS
 *            says "ready", then reads as many outputs, committed ones, from the end on
 *        peer_load rate    BROKER PREFIX IDS RUN EVENTS SUBJECTS PER_S
 *            says "ready", then sends at that pace and reads what comes: how long each event's outputs took,
 *            from the moment it was to be sent, and when none came for 50 ms
 *
 * Eight portals, each a source of its own, send in turn. IDS is what they name their events by: `counter`,
 * each counts its own; `random`, eight hex digits in no order come first. RUN begins the counters. Of as many
 * EVENTS as SUBJECTS, or more, the first have a subject each; all others have one of these at random. DUE_MS: when each event's timer
 * falls due, milliseconds since 1970; 0: a month from now, all at different seconds. With one that is not 0
 * the same arguments make the same events. Events are 227 bytes of protobuf; every other one is answered
 * twice. The last line is a JSON object, its times seconds since 1970. */
#include "kafka_client.h"

#include <pthread.h>

#define MORE_MS 200 /* no output may come after the last one */
#define SILENCE_S 0.05
#define EVENT_BYTES 227
#define MONTH_S 2592000
#define ROUNDS "rounds"
#define PORTALS 8

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

/* ---- the portals */

struct portals {
    struct portal to; /* one connection for all */
    struct buf value;
    const char *run;
    bool random;
    unsigned subjects, each; /* so many; so many of the first events have one each */
    time_t due; /* 0: later than anybody waits */
    uint64_t seed;
    size_t pad;
};

static bool is_random(const char *ids)
{
    bool random = slice_eq(slice_of(ids), S("random"));
    if (!random && !slice_eq(slice_of(ids), S("counter")))
        die("%s: expected counter or random", ids);
    return random;
}

/* Another run, other subjects. */
static uint64_t seed_of(const char *run)
{
    uint64_t seed = PICK_SEED;
    for (; *run; run++)
        seed = (seed ^ (unsigned char)*run) * UINT64_C(1099511628211);
    return seed | 1;
}

static void portals_open(struct portals *p, const char *broker, const char *prefix, const char *ids,
                         const char *run, unsigned events, unsigned subjects, const char *linger)
{
    *p = (struct portals){.run = run,
                          .random = is_random(ids),
                          .subjects = subjects,
                          .each = events < subjects ? 0 : subjects,
                          .seed = seed_of(run),
                          .pad = 60};
    portal_open(&p->to, broker, prefix, linger);
    put_touch(&p->value, &(struct touch){.due = MONTH_S}, p->pad);
    p->pad += EVENT_BYTES - p->value.n;
    put_touch(&p->value, &(struct touch){.due = MONTH_S}, p->pad);
    if (p->value.n != EVENT_BYTES)
        die("an event has %zu bytes", p->value.n);
}

/* RUN, the portal, its counter: what `answered` reads. */
static struct slice event_id(struct portals *p, unsigned n)
{
    struct slice counted = arena_printf(p->to.arena, "%s-%u-%07u", p->run, n % PORTALS, n / PORTALS);
    if (!p->random)
        return counted;
    return arena_printf(p->to.arena, "%08x-%.*s", n * UINT32_C(2654435769), SLICE_ARG(counted));
}

static void portals_send(struct portals *p, unsigned n)
{
    struct touch t = {.n = n, .subject = n < p->each ? n : pick(&p->seed, p->subjects), .due = p->due};
    if (!t.due)
        t.due = time(NULL) + MONTH_S + n % MONTH_S;
    put_touch(&p->value, &t, p->pad);
    const struct cloud_event e = {.id = event_id(p, n),
                                  .source = arena_printf(p->to.arena, "portal-%u", n % PORTALS),
                                  .type = S("duban.v1.Fact"),
                                  .content_type = S("application/protobuf"),
                                  .time = INSTANT_NONE,
                                  .workflow = S(ROUNDS),
                                  .data = buf_slice(&p->value)};
    const struct record r = intake_record(&e, TOPIC_SUBMISSIONS, p->to.arena);
    portal_send(&p->to, &r);
}

static void portals_close(struct portals *p)
{
    portal_close(&p->to);
    buf_free(&p->value);
}

static int produce(const char *broker, const char *prefix, const char *ids, const char *run, unsigned events,
                   unsigned subjects, int64_t due_ms)
{
    struct portals p;
    double began = wall_s();
    portals_open(&p, broker, prefix, ids, run, events, subjects, "20");
    p.due = due_ms / 1000;
    for (unsigned n = 0; n < events; n++)
        portals_send(&p, n);
    portals_close(&p);
    printf("{\"events\":%u,\"s\":%.3f}\n", events, wall_s() - began);
    return 0;
}

/* ---- the notification service */

static void service_end(rd_kafka_t *rk)
{
    rd_kafka_message_t *m = service_next(rk, MORE_MS);
    if (m)
        die("more outputs came than events asked for");
    service_close(rk);
}

static int drain(const char *broker, const char *prefix, unsigned outputs)
{
    rd_kafka_t *rk = service_open(broker, prefix);
    double first = 0, last = 0, bytes = 0;
    say_ready();
    for (unsigned n = 0; n < outputs; n++) {
        rd_kafka_message_t *m = service_await(rk, n, outputs);
        last = wall_s();
        first = n ? first : last;
        bytes += (double)m->len;
        rd_kafka_message_destroy(m);
    }
    service_end(rk);
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
        if (end - at >= 10 && at[0] == '-' && at[2] == '-')
            return (unsigned)strtoul(at + 3, NULL, 10) * PORTALS + (unsigned)(at[1] - '0');
    }
    die("an output names no event of run %s", p->run);
}

static void *listen_all(void *ctx)
{
    struct pace *p = ctx;
    double before = 0;
    for (unsigned n = 0; n < p->outputs; n++) {
        rd_kafka_message_t *m = service_await(p->rk, n, p->outputs);
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

static void sleep_until(double wall)
{
    struct timespec t = {(time_t)wall, (long)((wall - (double)(time_t)wall) * 1e9)};
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL);
}

static int rate(const char *broker, const char *prefix, const char *ids, const char *run, unsigned events,
                unsigned subjects, unsigned per_s)
{
    struct pace p = {.run = run, .events = events, .outputs = events + events / 2};
    struct portals portals;
    pthread_t thread;
    p.sent = mem_alloc(events * sizeof *p.sent);
    p.took = mem_alloc(events * sizeof *p.took);
    p.rk = service_open(broker, prefix);
    portals_open(&portals, broker, prefix, ids, run, events, subjects, "0");
    if (pthread_create(&thread, NULL, listen_all, &p))
        die("no thread");
    say_ready();
    double began = wall_s() + 0.1;
    for (unsigned n = 0; n < events; n++) {
        p.sent[n] = began + (double)n / per_s;
        if (p.sent[n] > wall_s())
            sleep_until(p.sent[n]);
        portals_send(&portals, n);
    }
    portals_close(&portals);
    pthread_join(thread, NULL);
    service_end(p.rk);
    unsigned warm = events / 10; /* connections, the first transactions */
    printf("{\"events\":%u,", events);
    print_ms(p.took + warm, events - warm);
    printf(",\"silences\":[%.*s]}\n", (int)p.silences.n, p.silences.p);
    buf_free(&p.silences);
    free(p.sent);
    free(p.took);
    return 0;
}

int main(int argc, char **argv)
{
    struct slice what = slice_of(argc > 3 ? argv[1] : "");
    if (slice_eq(what, S("topics")) && argc == 4)
        return kafka_make_topics(argv[2], argv[3]);
    if (slice_eq(what, S("produce")) && argc == 9)
        return produce(argv[2], argv[3], argv[4], argv[5], argument(argc, argv, 6, 0),
                       argument(argc, argv, 7, 0), atoll(argv[8]));
    if (slice_eq(what, S("drain")) && argc == 5)
        return drain(argv[2], argv[3], argument(argc, argv, 4, 0));
    if (slice_eq(what, S("rate")) && argc == 9)
        return rate(argv[2], argv[3], argv[4], argv[5], argument(argc, argv, 6, 0),
                    argument(argc, argv, 7, 0), argument(argc, argv, 8, 0));
    die("usage: peer_load topics|produce|drain|rate BROKER PREFIX …");
}
