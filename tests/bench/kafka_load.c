/* Portals and a notification service on Kafka, for measuring the daemon between them. One partition; default
 * topic names.
 *
 * usage: kafka_load topics  BROKER
 *            creates duban's topics
 *        kafka_load produce BROKER RUN EVENTS SUBJECTS
 *            events of tests/bench/load, as fast as the broker takes them
 *        kafka_load drain   BROKER EVENTS
 *            says "ready", then reads as many notifications, committed ones, from the end on
 *        kafka_load latency BROKER RUN EVENTS
 *            one event at a time: sent, then its notification waited for
 *
 * RUN makes the events' ids. Each but `topics` prints one JSON object. */
#include "kafka_client.h"

#define PREFIX "duban."
#define WARM 10 /* connections, the transaction's first partitions */

static void send_touch(struct portal *p, const char *run, unsigned n, unsigned subject)
{
    const struct record r = touch_record(p->arena, run, n, subject);
    portal_send(p, &r);
}

static int produce(const char *broker, const char *run, unsigned events, unsigned subjects)
{
    struct portal p;
    uint64_t seed = PICK_SEED;
    portal_open(&p, broker, PREFIX, "20");
    double began = now_s();
    for (unsigned n = 0; n < events; n++)
        send_touch(&p, run, n, n < subjects ? n : pick(&seed, subjects));
    portal_close(&p);
    printf("{\"events\":%u,\"s\":%.3f}\n", events, now_s() - began);
    return 0;
}

static int drain(const char *broker, unsigned events)
{
    rd_kafka_t *service = service_open(broker, PREFIX);
    say_ready();
    double began = now_s(), first = 0, last = 0;
    for (unsigned n = 0; n < events; n++) {
        rd_kafka_message_destroy(service_await(service, n, events));
        last = now_s();
        first = n ? first : last;
    }
    service_close(service);
    printf("{\"events\":%u,\"first_s\":%.3f,\"span_s\":%.3f,\"per_s\":%.0f}\n", events, first - began,
           last - first, events / (last - first));
    return 0;
}

static int latency(const char *broker, const char *run, unsigned events)
{
    struct portal p;
    double *ms = mem_alloc(events * sizeof *ms);
    portal_open(&p, broker, PREFIX, "0");
    rd_kafka_t *service = service_open(broker, PREFIX);
    for (unsigned n = 0; n < WARM + events; n++) {
        double began = now_s();
        send_touch(&p, run, n, n);
        rd_kafka_message_destroy(service_await(service, n, WARM + events));
        if (n >= WARM)
            ms[n - WARM] = (now_s() - began) * 1e3;
    }
    portal_close(&p);
    service_close(service);
    printf("{\"events\":%u,", events);
    print_ms(ms, events);
    puts("}");
    free(ms);
    return 0;
}

int main(int argc, char **argv)
{
    struct slice what = slice_of(argc > 2 ? argv[1] : "");
    if (slice_eq(what, S("topics")) && argc == 3)
        return kafka_make_topics(argv[2], PREFIX);
    if (slice_eq(what, S("produce")) && argc == 6)
        return produce(argv[2], argv[3], argument(argc, argv, 4, 0), argument(argc, argv, 5, 0));
    if (slice_eq(what, S("drain")) && argc == 4)
        return drain(argv[2], argument(argc, argv, 3, 0));
    if (slice_eq(what, S("latency")) && argc == 5)
        return latency(argv[2], argv[3], argument(argc, argv, 4, 0));
    die("usage: kafka_load topics|produce|drain|latency BROKER …");
}
