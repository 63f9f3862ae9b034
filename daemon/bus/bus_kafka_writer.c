/* A whole state onto topics that hold none, in one transaction: all of it is there, or nothing is. */
#include "bus/bus_kafka.h"

#define SERVE_EVERY 1000 /* records produced between two looks at delivery reports */
#define REQUEST_BYTES 1000000 /* what any topic takes */
#define TRANSACTION_MS "900000" /* what brokers allow at most, unless they are told otherwise */

struct bus_kafka_writer {
    struct kafka *k; /* its producer and output handles, and what reports say (batch) */
    rd_kafka_topic_partition_list_t *offsets;
    bool open, held;
    int partition; /* whose records come: all of one, and its end, before another's */
    size_t unserved;
};

/* The usual time-outs are for batches. What the operator has set stays. */
static void allow_time(struct kafka *k)
{
    static const char *const name[] = {"transaction.timeout.ms", "session.timeout.ms"};
    struct header *h = ARENA_ARRAY(k->arena, struct header, k->options.nproperties + 2);
    size_t n = k->options.nproperties;
    for (size_t i = 0; i < n; i++)
        h[i] = k->options.property[i];
    for (int i = 0; i < 2; i++) {
        if (!header_find(k->options.property, k->options.nproperties, name[i]))
            h[n++] = (struct header){slice_of(name[i]), S(TRANSACTION_MS)};
    }
    k->options.property = h;
    k->options.nproperties = n;
}

static bool failed(const char *what, rd_kafka_error_t *error, struct err *e)
{
    err_set(e, "kafka: %s: %s", what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

static bool open_producer(struct bus_kafka_writer *w, struct err *e)
{
    struct kafka *k = w->k;
    k->producer = kafka_handle_new(k, ROLE_PRODUCER, e);
    if (!k->producer)
        return false;
    for (int i = 0; i < TOPIC_COUNT; i++)
        k->output[i] = rd_kafka_topic_new(k->producer, k->topic[i], NULL);
    rd_kafka_error_t *error = rd_kafka_init_transactions(k->producer, 60000);
    if (error)
        return failed("the transaction cannot be prepared", error, e);
    error = rd_kafka_begin_transaction(k->producer);
    if (error)
        return failed("the transaction cannot be begun", error, e);
    kafka_chunks_open(k);
    k->batch = (struct batch){.serial = 1, .history_next = -1, .changelog_next = -1};
    return w->open = true;
}

struct bus_kafka_writer *bus_kafka_writer_open(const struct bus_kafka_options *o, struct err *e)
{
    struct kafka *k = kafka_bare_new(o, e);
    if (!k)
        return NULL;
    struct bus_kafka_writer *w = mem_alloc(sizeof *w);
    w->k = k;
    k->request_bytes = REQUEST_BYTES;
    w->offsets = rd_kafka_topic_partition_list_new(MERGE_LANES);
    allow_time(k);
    if (kafka_options_check(k, e) && open_producer(w, e))
        return w;
    bus_kafka_writer_close(w);
    return NULL;
}

void bus_kafka_writer_close(struct bus_kafka_writer *w)
{
    if (!w)
        return;
    if (w->open) {
        rd_kafka_error_t *error = rd_kafka_abort_transaction(w->k->producer, 10000);
        if (error)
            rd_kafka_error_destroy(error); /* the broker ends it when its time is over */
    }
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (w->k->output[i])
            rd_kafka_topic_destroy(w->k->output[i]);
    if (w->k->producer)
        rd_kafka_destroy(w->k->producer);
    rd_kafka_topic_partition_list_destroy(w->offsets);
    kafka_chunks_close(w->k);
    kafka_bare_free(w->k);
    free(w);
}

static bool stored(const struct bus_kafka_writer *w, struct err *e)
{
    return !w->k->batch.failed ||
           err_set(e, "kafka: a record was not stored: %s", rd_kafka_err2str(w->k->batch.failed));
}

static bool produce(struct bus_kafka_writer *w, enum topic topic, int partition, struct slice key, struct slice value,
                    const struct header *header, size_t nheaders, bool history, struct err *e)
{
    rd_kafka_headers_t *headers = nheaders ? rd_kafka_headers_new(nheaders) : NULL;
    for (size_t i = 0; i < nheaders; i++)
        rd_kafka_header_add(headers, header[i].name.p, (ssize_t)header[i].name.n, header[i].value.p,
                            (ssize_t)header[i].value.n);
    rd_kafka_vu_t v[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = w->k->output[topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.p, key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.p, value.n}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = kafka_report_of(&w->k->batch, history)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error;
    while ((error = rd_kafka_produceva(w->k->producer, v, headers ? 7 : 6)) &&
           rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !w->k->batch.failed) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(w->k->producer, 10);
    }
    if (++w->unserved >= SERVE_EVERY) {
        w->unserved = 0;
        rd_kafka_poll(w->k->producer, 0);
    }
    if (error) {
        if (headers)
            rd_kafka_headers_destroy(headers);
        return failed(w->k->topic[topic], error, e);
    }
    w->k->batch.history_sent += history;
    return stored(w, e);
}

static enum bus_status send_history(void *ctx, struct slice workflow, struct slice chunk, struct err *e)
{
    struct bus_kafka_writer *w = ctx;
    return produce(w, TOPIC_HISTORY, w->partition, workflow, chunk, NULL, 0, true, e) ? BUS_OK : BUS_FAILED;
}

bool bus_kafka_writer_put(struct bus_kafka_writer *w, const struct record *r, struct err *e)
{
    w->partition = r->partition;
    if (r->topic == TOPIC_HISTORY)
        return kafka_chunks_add(w->k, r, send_history, w, e) == BUS_OK;
    return produce(w, r->topic, r->partition, r->key, r->value, r->header, r->nheaders, false, e);
}

bool bus_kafka_writer_state(struct bus_kafka_writer *w, int partition, enum table_id table, struct slice key,
                            struct slice value, struct err *e)
{
    char bytes[1 + 511]; /* the store takes no longer keys */
    bytes[0] = (char)table;
    memcpy(bytes + 1, key.p, key.n);
    return produce(w, TOPIC_CHANGELOG, partition, (struct slice){bytes, 1 + key.n}, value, NULL, 0, false, e);
}

static bool flush(struct bus_kafka_writer *w, struct err *e)
{
    rd_kafka_resp_err_t err;
    while ((err = rd_kafka_flush(w->k->producer, 1000)) == RD_KAFKA_RESP_ERR__TIMED_OUT && !w->k->batch.failed &&
           !rd_kafka_fatal_error(w->k->producer, NULL, 0))
        ;
    if (err && !w->k->batch.failed)
        return kafka_bare_fail(w->k, "records were not stored", err, e);
    return stored(w, e);
}

/* All reports of one partition are in before the next one's are counted. */
bool bus_kafka_writer_end(struct bus_kafka_writer *w, int partition, struct marker *m, struct err *e)
{
    static const char key = (char)MARKER_KEY;
    struct batch *b = &w->k->batch;
    if (kafka_chunks_end(w->k, send_history, w, e) != BUS_OK || !flush(w, e))
        return false;
    if (b->history_next >= 0)
        m->history_next = b->history_next;
    struct arena *a = arena_new();
    bool ok = produce(w, TOPIC_CHANGELOG, partition, (struct slice){&key, 1}, wire_marker_pack(m, a), NULL, 0, false, e);
    arena_free(a);
    for (int v = 0; v < MERGE_LANES; v++) {
        rd_kafka_topic_partition_t *t = rd_kafka_topic_partition_list_add(w->offsets, w->k->topic[v], partition);
        struct buf batch = {0};
        buf_printf(&batch, "%llu", (unsigned long long)m->batch);
        t->offset = m->input_next[v];
        t->metadata = batch.p; /* the list's now; malloc'd alike */
        t->metadata_size = batch.n;
    }
    ok = ok && flush(w, e);
    *b = (struct batch){.serial = b->serial + 1, .history_next = -1, .changelog_next = -1};
    return ok;
}

static bool retriable(struct kafka *k, rd_kafka_error_t *error)
{
    if (!rd_kafka_error_is_retriable(error) || rd_kafka_error_txn_requires_abort(error))
        return false;
    rd_kafka_error_destroy(error);
    rd_kafka_poll(k->producer, 10);
    return true;
}

bool bus_kafka_writer_hold(struct bus_kafka_writer *w, struct err *e)
{
    struct kafka *k = w->k;
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(k->options.group);
    rd_kafka_error_t *error;
    while ((error = rd_kafka_send_offsets_to_transaction(k->producer, w->offsets, group, -1)) && retriable(k, error))
        ;
    rd_kafka_consumer_group_metadata_destroy(group);
    if (error)
        return failed("the group's offsets cannot be set (is a node of this group running?)", error, e);
    return w->held = true;
}

bool bus_kafka_writer_commit(struct bus_kafka_writer *w, struct err *e)
{
    struct kafka *k = w->k;
    rd_kafka_error_t *error;
    if (!w->held && !bus_kafka_writer_hold(w, e))
        return false;
    while ((error = rd_kafka_commit_transaction(k->producer, -1)) && retriable(k, error))
        ;
    if (error)
        return failed("it is not known whether all was committed; run it again", error, e);
    w->open = false;
    return true;
}
