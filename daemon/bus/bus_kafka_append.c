/* Producer of inputs: what HTTP callers send, and clock records. Idempotent, without transactions; a thread
 * of its own serves the reports, so that a caller is answered in time while the worker waits for a commit. */
#include "bus/bus_kafka.h"

#define REPLACE_MS 1000 /* between one producer and the next, at least */

/* Somebody waiting for a record to be durable; the report's opaque. */
struct waiting {
    void (*done)(void *ctx, const struct append_result *r);
    void *ctx;
    enum topic topic;
};

static void finish(struct waiting *w, struct append_result r)
{
    r.topic = w->topic;
    w->done(w->ctx, &r);
    free(w);
}

/* Would the same record, sent again, stand a chance? */
static bool may_retry(rd_kafka_resp_err_t err)
{
    static const rd_kafka_resp_err_t final[] = {
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED};
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        if (final[i] == err)
            return false;
    return true;
}

void kafka_on_append(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct waiting *w = m->_private;
    struct append_result r = {.partition = m->partition, .offset = m->offset, .received = INSTANT_NONE};
    r.ok = m->err == RD_KAFKA_RESP_ERR_NO_ERROR && m->offset >= 0;
    if (r.ok) {
        rd_kafka_timestamp_type_t type;
        r.received = rd_kafka_message_timestamp(m, &type);
    } else if (!m->err) { /* its acknowledgement was lost, and a repeat found it there */
        r.offset = -1;
        r.retry = true;
        r.why = "the log did not say where the record is";
    } else {
        r.offset = -1;
        r.retry = may_retry(m->err);
        r.why = m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ? "the log did not answer in time"
                                                           : rd_kafka_err2str(m->err);
    }
    if (!m->err || m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        kafka_append_refused(opaque, w->topic, m->err);
    finish(w, r);
}

static rd_kafka_headers_t *headers_of(const struct record *r)
{
    rd_kafka_headers_t *h = rd_kafka_headers_new(r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++)
        rd_kafka_header_add(h, r->header[i].name.p, (ssize_t)r->header[i].name.n, r->header[i].value.p,
                            (ssize_t)r->header[i].value.n);
    return h;
}

/* Hands the record to librdkafka, which copies it. */
static rd_kafka_resp_err_t send_record(struct appender *a, const struct record *r, int partition,
                                       struct waiting *w)
{
    rd_kafka_headers_t *headers = headers_of(r);
    pthread_mutex_lock(&a->lock);
    const rd_kafka_vu_t v[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = a->topic[r->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)r->key.p, r->key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)r->value.p, r->value.n}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = w},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(a->rk, v, sizeof v / sizeof *v);
    rd_kafka_resp_err_t err = rd_kafka_error_code(error); /* of NULL: none */
    if (error)
        rd_kafka_error_destroy(error);
    pthread_mutex_unlock(&a->lock);
    if (err)
        rd_kafka_headers_destroy(headers);
    return err;
}

void kafka_append_to(struct kafka *k, const struct record *r, int partition, void (*done)(void *, const struct append_result *),
                     void *ctx)
{
    struct waiting *w = mem_alloc(sizeof *w);
    *w = (struct waiting){done, ctx, r->topic};
    rd_kafka_resp_err_t err = send_record(&k->appender, r, partition, w);
    if (err)
        finish(w, (struct append_result){.partition = partition,
                                         .offset = -1,
                                         .retry = may_retry(err),
                                         .why = rd_kafka_err2str(err)});
}

static void refuse(const struct record *r, const char *why, bool retry, void (*done)(void *, const struct append_result *),
                   void *ctx)
{
    const struct append_result refused = {.topic = r->topic, .offset = -1, .retry = retry, .why = why};
    done(ctx, &refused);
}

void kafka_append(struct bus *b, const struct record *r, void (*done)(void *, const struct append_result *),
                  void *ctx)
{
    struct kafka *k = kafka_of(b);
    int n = atomic_load(&k->npartitions);
    if (r->topic >= MERGE_LANES) {
        refuse(r, "not an input topic", false, done, ctx);
    } else if (n == 0) {
        refuse(r, "the log has not answered yet", true, done, ctx);
    } else {
        kafka_append_to(k, r, bus_partition_of(r->key, n), done, ctx);
    }
}

static bool handles_open(struct kafka *k, rd_kafka_t **rk, rd_kafka_topic_t *topic[MERGE_LANES],
                         struct err *e)
{
    *rk = kafka_handle_new(k, ROLE_APPENDER, e);
    if (!*rk)
        return false;
    /* Made beforehand: the first message by a topic's name costs a second. */
    for (int i = 0; i < MERGE_LANES; i++)
        topic[i] = rd_kafka_topic_new(*rk, k->topic[i], NULL);
    return true;
}

/* Every record still waiting is reported as failed. */
static void handles_close(rd_kafka_t *rk, rd_kafka_topic_t *topic[MERGE_LANES])
{
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(rk, 1000);
    for (int i = 0; i < MERGE_LANES; i++)
        rd_kafka_topic_destroy(topic[i]);
    rd_kafka_destroy(rk);
}

/* An idempotent producer that lost count (a known fault of librdkafka 2.0.2 after a disconnect) is of no more
 * use. */
static void replace(struct kafka *k)
{
    struct appender *a = &k->appender;
    rd_kafka_t *fresh, *old;
    rd_kafka_topic_t *topic[MERGE_LANES], *old_topic[MERGE_LANES];
    char why[512] = "";
    struct err e;
    if (!handles_open(k, &fresh, topic, &e)) {
        log_error("%s", e.text);
        return;
    }
    pthread_mutex_lock(&a->lock);
    old = a->rk;
    memcpy(old_topic, a->topic, sizeof topic);
    a->rk = fresh;
    memcpy(a->topic, topic, sizeof topic);
    pthread_mutex_unlock(&a->lock);
    if (!kafka_is_denial(rd_kafka_fatal_error(old, why, sizeof why))) /* that is said already */
        log_warn("kafka: the producer of inputs was replaced after a fatal error: %s", why);
    handles_close(old, old_topic);
}

static void *serve(void *arg)
{
    struct kafka *k = arg;
    struct appender *a = &k->appender;
    int64_t replaced = 0;
    while (!atomic_load(&a->stop)) {
        rd_kafka_poll(a->rk, 1000); /* only this thread changes rk */
        if (kafka_monotonic_ms() - replaced < REPLACE_MS || !atomic_exchange(&a->broken, false))
            continue; /* one that is not let in fails at once, again and again */
        replace(k);
        replaced = kafka_monotonic_ms();
    }
    return NULL;
}

bool kafka_appender_open(struct kafka *k, struct err *e)
{
    struct appender *a = &k->appender;
    pthread_mutex_init(&a->lock, NULL);
    if (!handles_open(k, &a->rk, a->topic, e))
        return false;
    if (pthread_create(&a->thread, NULL, serve, k) != 0)
        return err_set(e, "kafka: a thread could not be started");
    a->started = true;
    return true;
}

void kafka_appender_close(struct kafka *k)
{
    struct appender *a = &k->appender;
    if (a->started) {
        atomic_store(&a->stop, true);
        pthread_mutex_lock(&a->lock); /* the thread may be replacing rk: it destroys the old one after this */
        rd_kafka_queue_t *q = rd_kafka_queue_get_main(a->rk);
        rd_kafka_queue_yield(q);
        rd_kafka_queue_destroy(q);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    if (a->rk)
        handles_close(a->rk, a->topic);
    pthread_mutex_destroy(&a->lock);
}
