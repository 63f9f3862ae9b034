/* Where a lane ends. A record has its receipt time before the high-water mark comes to it (replicas have to follow, and
 * even a broker alone stamps it before it writes it), so what the mark leaves out may still be the earlier one. A record of
 * one's own, placed behind, tells: once it is acknowledged by all, nothing before it can come any more. */
#include "bus/bus_kafka.h"

struct barrier {
    struct kafka *k;
    struct question q;
};

/* On the appender's thread, or the worker's. */
static void placed(void *ctx, const struct append_result *r)
{
    struct barrier *b = ctx;
    if (r->ok && r->offset >= 0) {
        b->q.mark = r->offset + 1;
        b->q.placed = r->received;
    }
    kafka_lookout_told(b->k, b->q);
    free(b);
}

void kafka_barrier_place(struct kafka *k, struct question q)
{
    static struct header mark = {{KAFKA_BARRIER, sizeof KAFKA_BARRIER - 1}, {"1", 1}};
    const struct record r = {.topic = (enum topic)q.lane, .partition = q.partition, .header = &mark, .nheaders = 1};
    struct barrier *b = mem_alloc(sizeof *b);
    *b = (struct barrier){k, q};
    kafka_append_to(k, &r, q.partition, placed, b);
}

bool kafka_is_barrier(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t n;
    return m->len == 0 && m->key_len == 0 &&
           rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           rd_kafka_header_get_last(headers, KAFKA_BARRIER, &value, &n) == RD_KAFKA_RESP_ERR_NO_ERROR;
}
