/* What a partition is at: how far its restore has come, and how many records wait for it. */
#include "bus/bus_kafka.h"

static const char *const what[] = {
    [PART_ACQUIRED] = "waiting",    [PART_COMMITTED] = "waiting", [PART_CHANGELOG] = "restoring",
    [PART_CAUGHT_UP] = "restoring", [PART_RESTORED] = "restored", [PART_READY] = "restored",
    [PART_RUNS] = "serving",        [PART_FAILED] = "halted",       [PART_HALTED] = "halted"};

/* By the high-water mark of the last fetch, which costs no question. Markers of foreign transactions may count, too. */
static int64_t lane_lag(struct kafka *k, const struct part *p, int v)
{
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(k->consumer, k->topic[v], p->id, &low, &high) || high < 0)
        return p->lane[v].heard ? -1 : 0;
    int64_t unread = high > p->lane[v].known ? high - p->lane[v].known : 0;
    return unread + (int64_t)merge_waiting(p->merge, (enum topic)v);
}

static int64_t lag(struct kafka *k, const struct part *p)
{
    int64_t sum = 0;
    if (p->state != PART_RUNS)
        return -1;
    for (int v = 0; v < MERGE_LANES; v++) {
        int64_t one = lane_lag(k, p, v);
        if (one < 0)
            return -1;
        sum += one;
    }
    return sum;
}

void kafka_progress(struct bus *b, int partition, struct bus_progress *out)
{
    struct kafka *k = kafka_of(b);
    const struct part *p = kafka_part(k, partition);
    *out = (struct bus_progress){.what = "waiting", .at = -1, .end = -1, .lag = -1};
    if (!p)
        return;
    out->what = what[p->state];
    out->lag = lag(k, p);
    if (p->state == PART_CHANGELOG || p->state == PART_CAUGHT_UP) {
        out->at = p->resume;
        out->end = p->end;
    }
}
