/* The records of a batch on their way to the brokers, and what the brokers say of them. */
#include "bus/bus_kafka.h"

#define SERVE_EVERY 1000 /* records sent between two looks at delivery reports */
#define HELD_BYTES ((size_t)1 << 20)
#define HELD_RECORD ((size_t)64 << 10) /* a larger one is sent at once: what is wrong with it is wrong with its event */

enum tag { TAG_NONE, TAG_HISTORY, TAG_MARKER };

struct held {
    enum topic topic;
    enum tag tag;
    struct slice key, value;
    const struct header *header;
    size_t nheaders;
};

/* ---- reports */

/* A report's opaque: which batch it belongs to, and what kind of record it is. */
static void *opaque_of(const struct batch *b, enum tag tag)
{
    return (void *)((uintptr_t)b->serial << 2 | tag);
}

void *kafka_report_of(const struct batch *b, bool history)
{
    return opaque_of(b, history ? TAG_HISTORY : TAG_NONE);
}

void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct batch *b = &((struct kafka *)opaque)->batch;
    uintptr_t v = (uintptr_t)m->_private;
    if (v >> 2 != ((uintptr_t)b->serial << 2) >> 2)
        return; /* of a batch that was given up */
    rd_kafka_resp_err_t err = m->err;
    if (!err && (v & 3) == TAG_HISTORY && m->offset < 0)
        err = RD_KAFKA_RESP_ERR__NO_OFFSET; /* the marker could not say how far history goes */
    if (err) {
        b->failed = b->failed ? b->failed : err;
    } else if ((v & 3) == TAG_HISTORY) {
        b->history_stored++;
        if (m->offset >= b->history_next)
            b->history_next = m->offset + 1;
    } else if ((v & 3) == TAG_MARKER && m->offset >= 0) {
        b->changelog_next = m->offset + 1;
    }
}

static void serve_reports(struct kafka *k)
{
    if (++k->batch.unserved < SERVE_EVERY)
        return;
    k->batch.unserved = 0;
    rd_kafka_poll(k->producer, 0);
}

/* ---- sending */

static enum bus_status refuse(struct kafka *k, enum topic topic, size_t bytes, rd_kafka_resp_err_t err,
                              struct err *e)
{
    err_set(e, "kafka: %s, a record of %zu bytes: %s", k->topic[topic], bytes, rd_kafka_err2str(err));
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return BUS_FAILED;
    if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        atomic_fetch_or(&k->refused, 1u << topic);
    if (kafka_deny_batch(k, err))
        return BUS_LOST;
    char why[256];
    if (rd_kafka_fatal_error(k->producer, why, sizeof why) || err != RD_KAFKA_RESP_ERR__STATE)
        kafka_restart(k, "%s: %s", k->topic[topic], rd_kafka_err2str(err));
    return k->restart ? BUS_LOST : BUS_UNDONE;
}

static enum bus_status send_record(struct kafka *k, const struct held *h, struct err *e)
{
    struct batch *b = &k->batch;
    rd_kafka_headers_t *headers = h->nheaders ? rd_kafka_headers_new(h->nheaders) : NULL;
    for (size_t i = 0; i < h->nheaders; i++)
        rd_kafka_header_add(headers, h->header[i].name.p, (ssize_t)h->header[i].name.n, h->header[i].value.p,
                            (ssize_t)h->header[i].value.n);
    rd_kafka_vu_t v[8] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = k->output[h->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = b->part->id},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)h->key.p, h->key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)h->value.p, h->value.n}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque_of(b, h->tag)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error;
    bool alone = false; /* and there is still no room for it */
    while ((error = rd_kafka_produceva(k->producer, v, headers ? 7 : 6)) &&
           rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !b->failed && !alone) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(k->producer, 10);
        alone = rd_kafka_outq_len(k->producer) == 0;
    }
    serve_reports(k);
    if (!error)
        return BUS_OK;
    if (headers)
        rd_kafka_headers_destroy(headers);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (alone && code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        err_set(e, "kafka: %s, a record of %zu bytes: more than queue.buffering.max.kbytes lets wait", k->topic[h->topic], h->key.n + h->value.n);
        return BUS_FAILED;
    }
    return refuse(k, h->topic, h->key.n + h->value.n, code, e);
}

/* ---- holding back */

/* The first record that a producer sends to a partition in a transaction has librdkafka add that partition to it. While the
 * coordinator still writes the markers of the transaction before, it refuses, and librdkafka 2.0.2 asks again only after
 * 20 ms. Of the offsets, which it refuses as well, it asks again after retry.backoff.ms. So the records of a small batch
 * are held back until the offsets have been sent; in a large one the 20 ms pass while it is made. */

static void hold(struct kafka *k, const struct held *h)
{
    struct outbox *o = &k->outbox;
    struct header *header = ARENA_ARRAY(o->arena, struct header, h->nheaders);
    for (size_t i = 0; i < h->nheaders; i++)
        header[i] = (struct header){arena_dup(o->arena, h->header[i].name), arena_dup(o->arena, h->header[i].value)};
    struct held *slot = arena_push(o->arena, &o->held, &o->n, &o->cap, sizeof *slot);
    *slot = *h;
    slot->key = arena_dup(o->arena, h->key);
    slot->value = h->value.p ? arena_dup(o->arena, h->value) : h->value; /* none: deleted */
    slot->header = header;
}

void kafka_outbox_start(struct kafka *k)
{
    struct outbox *o = &k->outbox;
    if (!o->arena)
        o->arena = arena_new();
    arena_reset(o->arena);
    *o = (struct outbox){.arena = o->arena};
    kafka_chunks_drop(k);
}

enum bus_status kafka_outbox_send(struct kafka *k, struct err *e)
{
    struct outbox *o = &k->outbox;
    enum bus_status st = BUS_OK;
    o->open = true;
    for (size_t i = 0; st == BUS_OK && i < o->n; i++)
        st = send_record(k, &o->held[i], e);
    o->n = 0;
    return st;
}

static enum bus_status produce(struct kafka *k, const struct held *h, struct err *e)
{
    struct outbox *o = &k->outbox;
    if (!k->batch.part || k->restart) {
        err_set(e, "kafka: no batch is open");
        return BUS_LOST;
    }
    size_t least = h->tag == TAG_HISTORY ? 2 * k->chunks.most : HELD_RECORD;
    if (!o->open && h->value.n < least && arena_used(o->arena) < HELD_BYTES) {
        hold(k, h);
        return BUS_OK;
    }
    enum bus_status st = o->open ? BUS_OK : kafka_outbox_send(k, e);
    return st == BUS_OK ? send_record(k, h, e) : st;
}

/* ---- what there is to be sent */

static enum bus_status send_history(void *ctx, struct slice workflow, struct slice chunk, struct err *e)
{
    struct kafka *k = ctx;
    enum bus_status st =
        produce(k, &(struct held){.topic = TOPIC_HISTORY, .tag = TAG_HISTORY, .key = workflow, .value = chunk}, e);
    if (st == BUS_OK)
        k->batch.history_sent++;
    return st;
}

enum bus_status kafka_history_end(struct kafka *k, struct err *e)
{
    return kafka_chunks_end(k, send_history, k, e);
}

enum bus_status kafka_emit(struct bus *b, int partition, const struct record *r, struct err *e)
{
    struct kafka *k = kafka_of(b);
    (void)partition;
    if (r->topic == TOPIC_HISTORY) {
        k->batch.turns++;
        return kafka_chunks_add(k, r, send_history, k, e);
    }
    return produce(k,
                   &(struct held){.topic = r->topic,
                                  .key = r->key,
                                  .value = r->value,
                                  .header = r->header,
                                  .nheaders = r->nheaders},
                   e);
}

enum bus_status kafka_state(struct bus *b, int partition, enum table_id table, struct slice key,
                            struct slice value, struct err *e)
{
    unsigned char bytes[1 + 511]; /* the store takes no longer keys */
    (void)partition;
    if (table > TABLE_LAST_STATE || key.n > sizeof bytes - 1) {
        err_set(e, "kafka: table %d, a key of %zu bytes: not state, or too long", (int)table, key.n);
        return BUS_FAILED;
    }
    bytes[0] = (unsigned char)table;
    memcpy(bytes + 1, key.p, key.n);
    return produce(kafka_of(b),
                   &(struct held){.topic = TOPIC_CHANGELOG, .key = {(char *)bytes, 1 + key.n}, .value = value}, e);
}

enum bus_status kafka_mark(struct kafka *k, struct slice marker, struct err *e)
{
    static const unsigned char key = MARKER_KEY;
    return produce(
        k, &(struct held){.topic = TOPIC_CHANGELOG, .tag = TAG_MARKER, .key = {(const char *)&key, 1}, .value = marker}, e);
}
