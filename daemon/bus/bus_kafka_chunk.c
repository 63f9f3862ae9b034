/* History has several records in each of its topic's: a batch's of one workflow. What a record costs librdkafka, both ways, and the broker is
 * then shared by a hundred turns. Who reads gets them one by one. */
#include "bus/bus_kafka.h"

#include <stdlib.h>

#define CHUNK_BYTES ((size_t)128 << 10)
#define CHUNK_PART 4 /* of what one record may have */

static size_t message_most(const struct kafka *k)
{
    const struct header *h = header_find(k->options.property, k->options.nproperties, "message.max.bytes");
    size_t given = h ? (size_t)strtoul(h->value.p, NULL, 10) : SIZE_MAX; /* librdkafka has checked it */
    return given < (size_t)k->request_bytes ? given : (size_t)k->request_bytes;
}

void kafka_chunks_open(struct kafka *k)
{
    size_t most = message_most(k) / CHUNK_PART;
    k->chunks.most = most < CHUNK_BYTES ? most : CHUNK_BYTES;
}

void kafka_chunks_close(struct kafka *k)
{
    for (size_t i = 0; i < CHUNKS_MOST; i++) {
        buf_free(&k->chunks.of[i].workflow);
        buf_free(&k->chunks.of[i].records);
    }
}

void kafka_chunks_drop(struct kafka *k)
{
    k->chunks.n = k->chunks.last = 0;
}

/* ---- writing */

static struct chunk *chunk_of(struct chunks *c, struct slice workflow)
{
    if (c->n && slice_eq(buf_slice(&c->of[c->last].workflow), workflow))
        return &c->of[c->last];
    for (size_t i = 0; i < c->n; i++)
        if (slice_eq(buf_slice(&c->of[i].workflow), workflow)) {
            c->last = i;
            return &c->of[i];
        }
    return NULL;
}

static struct chunk *chunk_new(struct chunks *c, struct slice workflow)
{
    struct chunk *new = &c->of[c->last = c->n++];
    buf_clear(&new->workflow);
    buf_clear(&new->records);
    buf_add(&new->workflow, workflow);
    return new;
}

static enum bus_status chunk_end(struct chunk *c, kafka_send_history *send, void *ctx, struct err *e)
{
    if (c->records.n == 0)
        return BUS_OK;
    enum bus_status st = send(ctx, buf_slice(&c->workflow), buf_slice(&c->records), e);
    buf_clear(&c->records);
    return st;
}

enum bus_status kafka_chunks_end(struct kafka *k, kafka_send_history *send, void *ctx, struct err *e)
{
    enum bus_status st = BUS_OK;
    for (size_t i = 0; st == BUS_OK && i < k->chunks.n; i++)
        st = chunk_end(&k->chunks.of[i], send, ctx, e);
    kafka_chunks_drop(k);
    return st;
}

/* A large record has a chunk of its own, which goes at once: what is wrong with it is wrong with its event. */
enum bus_status kafka_chunks_add(struct kafka *k, const struct record *r, kafka_send_history *send, void *ctx, struct err *e)
{
    struct chunks *all = &k->chunks;
    struct chunk *c = chunk_of(all, r->key);
    bool alone = r->value.n >= all->most / 2;
    enum bus_status st = BUS_OK;
    if (!c && all->n == CHUNKS_MOST)
        st = kafka_chunks_end(k, send, ctx, e);
    if (c && alone)
        st = chunk_end(c, send, ctx, e);
    if (st != BUS_OK)
        return st;
    c = c ? c : chunk_new(all, r->key);
    wire_chunk_add(&c->records, r->value);
    return alone || c->records.n >= all->most ? chunk_end(c, send, ctx, e) : BUS_OK;
}

/* ---- reading */

static void add(struct records *all, struct record r, struct slice value)
{
    if (all->n == all->cap) {
        all->cap = all->cap ? all->cap * 2 : 64;
        all->of = mem_grow(all->of, all->cap * sizeof *all->of);
    }
    r.value = value;
    all->of[all->n++] = r;
}

void kafka_records_add(struct records *all, const rd_kafka_message_t *m, enum topic topic, struct arena *a)
{
    struct record r;
    struct slice rest, one;
    kafka_record_of(m, topic, a, &r);
    rest = r.value;
    if (topic != TOPIC_HISTORY || rest.n == 0)
        add(all, r, r.value);
    else
        while (wire_chunk_next(&rest, &one))
            add(all, r, one);
}
