/* One batch, one Kafka transaction, one store transaction, in this order. Whatever fails, the store is never
 * ahead of the log. */
#include "bus/bus_kafka.h"

#define LATE_PART 5      /* of the transaction's time-out: then a batch should end */
#define SERVE_EVERY 1000 /* records produced between two looks at delivery reports */

enum tag { TAG_NONE, TAG_HISTORY, TAG_MARKER };

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

/* ---- when something fails */

/* Takes the Kafka transaction back. False: not even that could be done, and everything begins again. */
static bool abort_transaction(struct kafka *k)
{
    if (k->restart)
        return false;
    rd_kafka_error_t *error;
    while ((error = rd_kafka_abort_transaction(k->producer, -1)) && rd_kafka_error_is_retriable(error) &&
           !rd_kafka_error_is_fatal(error)) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(k->producer, 10);
    }
    if (!error)
        return true;
    kafka_restart(k, "a transaction could not be taken back: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return false;
}

/* Somebody else has our partitions, or will have: joining again is the only way on. */
static bool means_lost(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || err == RD_KAFKA_RESP_ERR__FENCED ||
           err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* What an error of a transactional call means for the batch; destroys it. Retriable ones are the caller's. */
static enum bus_status judge(struct kafka *k, const char *what, rd_kafka_error_t *error, struct err *e)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    bool abortable = rd_kafka_error_txn_requires_abort(error) && !rd_kafka_error_is_fatal(error);
    err_set(e, "kafka: %s: %s", what, rd_kafka_error_string(error));
    bool aborted = abortable && abort_transaction(k);
    /* Fatal, or its outcome is not known: the changelog decides. */
    if (!kafka_deny_batch(k, code) && (!abortable || (aborted && means_lost(code))))
        kafka_restart(k, "%s: %s", what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return k->restart ? BUS_LOST : BUS_UNDONE;
}

static void close_batch(struct kafka *k, struct part *p)
{
    k->batch.part = NULL;
    k->batch.serial++;
    k->batch.ended = kafka_monotonic_ms();
    k->batch.took = k->batch.ended - k->batch.began;
    for (int v = 0; v < MERGE_LANES; v++) {
        p->lane[v].taken = -1;
        p->lane[v].taken_bytes = 0;
    }
    k->stir = true;
}

/* ---- making it */

enum bus_status kafka_begin(struct bus *b, int partition, struct store_txn *t, struct err *e)
{
    struct kafka *k = kafka_of(b);
    struct part *p = kafka_part(k, partition);
    (void)t;
    if (k->batch.part) {
        err_set(e, "kafka: a batch is open already");
        return BUS_FAILED;
    }
    if (!p || p->state != PART_RUNS || k->restart) {
        err_set(e, "kafka: partition %d is not held", partition);
        return BUS_LOST;
    }
    atomic_store(&k->refused, 0);
    rd_kafka_error_t *error = rd_kafka_begin_transaction(k->producer);
    if (error)
        return judge(k, "begin", error, e);
    k->batch = (struct batch){.part = p,
                              .began = kafka_monotonic_ms(),
                              .serial = k->batch.serial,
                              .ended = k->batch.ended,
                              .took = k->batch.took,
                              .history_next = -1,
                              .changelog_next = -1};
    return BUS_OK;
}

/* The broker ends a transaction that takes longer than its time-out, and what is left to do takes time, too. */
bool kafka_late(struct bus *b)
{
    const struct kafka *k = kafka_of(b);
    return kafka_monotonic_ms() - k->batch.began > k->transaction_ms / LATE_PART;
}

static void serve_reports(struct kafka *k)
{
    if (++k->batch.unserved < SERVE_EVERY)
        return;
    k->batch.unserved = 0;
    rd_kafka_poll(k->producer, 0);
}

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

static enum bus_status produce(struct kafka *k, enum topic topic, struct slice key, struct slice value,
                               const struct header *header, size_t nheaders, enum tag tag, struct err *e)
{
    struct batch *b = &k->batch;
    if (!b->part || k->restart) {
        err_set(e, "kafka: no batch is open");
        return BUS_LOST;
    }
    rd_kafka_headers_t *headers = nheaders ? rd_kafka_headers_new(nheaders) : NULL;
    for (size_t i = 0; i < nheaders; i++)
        rd_kafka_header_add(headers, header[i].name.p, (ssize_t)header[i].name.n, header[i].value.p,
                            (ssize_t)header[i].value.n);
    rd_kafka_vu_t v[8] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = k->output[topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = b->part->id},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.p, key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.p, value.n}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = opaque_of(b, tag)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error;
    while ((error = rd_kafka_produceva(k->producer, v, headers ? 7 : 6)) &&
           rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL && !b->failed) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(k->producer, 10);
    }
    serve_reports(k);
    if (!error)
        return BUS_OK;
    if (headers)
        rd_kafka_headers_destroy(headers);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return refuse(k, topic, key.n + value.n, code, e);
}

enum bus_status kafka_emit(struct bus *b, int partition, const struct record *r, struct err *e)
{
    struct kafka *k = kafka_of(b);
    (void)partition;
    bool history = r->topic == TOPIC_HISTORY;
    enum bus_status st =
        produce(k, r->topic, r->key, r->value, r->header, r->nheaders, history ? TAG_HISTORY : TAG_NONE, e);
    if (st == BUS_OK && history)
        k->batch.history_sent++;
    return st;
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
    return produce(kafka_of(b), TOPIC_CHANGELOG, (struct slice){(char *)bytes, 1 + key.n}, value, NULL, 0,
                   TAG_NONE, e);
}

/* ---- making it final */

/* Both inputs, moved or not: an empty list would fence nobody. */
static enum bus_status send_offsets(struct kafka *k, struct part *p, const struct marker *m, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MERGE_LANES);
    for (int v = 0; v < MERGE_LANES; v++) {
        rd_kafka_topic_partition_t *t = rd_kafka_topic_partition_list_add(list, k->topic[v], p->id);
        struct buf batch = {0};
        buf_printf(&batch, "%llu", (unsigned long long)m->batch);
        t->offset = m->input_next[v];
        t->metadata = batch.p; /* the list's now; malloc'd alike */
        t->metadata_size = batch.n;
    }
    rd_kafka_error_t *error;
    while ((error = rd_kafka_send_offsets_to_transaction(k->producer, list, k->generation, -1)) &&
           rd_kafka_error_is_retriable(error) && !rd_kafka_error_txn_requires_abort(error)) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(k->producer, 10);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error ? judge(k, "offsets", error, e) : BUS_OK;
}

/* The marker says how far history goes, so the broker must have placed it all before. */
static enum bus_status await_history(struct kafka *k, struct err *e)
{
    struct batch *b = &k->batch;
    while (b->history_stored < b->history_sent && !b->failed && !k->restart)
        rd_kafka_flush(k->producer, 100);
    if (k->restart)
        return BUS_LOST;
    if (!b->failed)
        return BUS_OK;
    err_set(e, "kafka: a record was not stored: %s", rd_kafka_err2str(b->failed));
    bool aborted = abort_transaction(k);
    return kafka_deny_batch(k, b->failed) || !aborted ? BUS_LOST : BUS_UNDONE;
}

static enum bus_status send_marker(struct kafka *k, const struct marker *m, struct err *e)
{
    static const unsigned char key = MARKER_KEY;
    struct arena *a = arena_new();
    enum bus_status st = produce(k, TOPIC_CHANGELOG, (struct slice){(const char *)&key, 1},
                                 wire_marker_pack(m, a), NULL, 0, TAG_MARKER, e);
    arena_free(a);
    if (st != BUS_OK && !abort_transaction(k))
        st = BUS_LOST;
    return st;
}

static enum bus_status end_transaction(struct kafka *k, struct err *e)
{
    rd_kafka_error_t *error;
    while ((error = rd_kafka_commit_transaction(k->producer, -1)) && rd_kafka_error_is_retriable(error) &&
           !rd_kafka_error_txn_requires_abort(error)) {
        rd_kafka_error_destroy(error);
        rd_kafka_poll(k->producer, 10);
    }
    return error ? judge(k, "commit", error, e) : BUS_OK;
}

static enum bus_status commit_log(struct kafka *k, struct part *p, struct marker *m, struct err *e)
{
    if (rd_kafka_assignment_lost(k->consumer)) {
        err_set(e, "kafka: partition %d was lost to the group", p->id);
        abort_transaction(k);
        return BUS_LOST;
    }
    enum bus_status st = send_offsets(k, p, m, e);
    if (st == BUS_OK)
        st = await_history(k, e);
    if (st != BUS_OK)
        return st;
    m->history_next = k->batch.history_next >= 0 ? k->batch.history_next : p->history_end;
    st = send_marker(k, m, e);
    return st == BUS_OK ? end_transaction(k, e) : st;
}

/* From here on the batch is final: a store that cannot keep it is brought up from the changelog. */
static enum bus_status commit_store(struct kafka *k, struct part *p, struct store_txn *t,
                                    const struct marker *m, struct err *e)
{
    struct err why = {0};
    enum store_status st = kafka_put_positions(t, p, k->batch.changelog_next, m->history_next);
    if (st == STORE_OK) {
        st = store_commit(t, &why);
    } else {
        err_set(&why, "%s", store_txn_error(t));
        store_abort(t);
    }
    if (st != STORE_OK) {
        err_set(e, "%s", why.text);
        kafka_part_fail(k, p, NULL);
        return BUS_BEHIND;
    }
    p->at.batch = m->batch;
    p->history_end = m->history_next;
    return BUS_OK;
}

/* Takes out of the merge what the batch has used up; what was taken beyond it comes again. */
static void settle(struct part *p, const int64_t next[MERGE_LANES])
{
    struct merge_item item;
    enum topic lane;
    size_t used = 0;
    if (p->lane[0].taken >= next[0] || p->lane[1].taken >= next[1]) {
        merge_undo(p->merge);
        p->lane[0].taken_bytes = p->lane[1].taken_bytes = 0;
        while (merge_take(p->merge, &item, &lane) && item.offset < next[lane]) {
            p->lane[lane].taken_bytes += kafka_input_bytes(item.record);
            used++;
        }
        merge_undo(p->merge);
        while (used-- > 0)
            merge_take(p->merge, &item, &lane);
    }
    merge_settle(p->merge);
    for (int v = 0; v < MERGE_LANES; v++) {
        p->lane[v].next = next[v];
        p->lane[v].bytes -= p->lane[v].taken_bytes;
    }
}

enum bus_status kafka_commit(struct bus *b, int partition, struct store_txn *t, const struct marker *m,
                             struct err *e)
{
    struct kafka *k = kafka_of(b);
    struct part *p = k->batch.part;
    struct marker mark = *m;
    if (!p || p->id != partition || k->restart) {
        store_abort(t);
        err_set(e, "kafka: partition %d has no batch", partition);
        k->batch.part = NULL;
        return BUS_LOST;
    }
    mark.owner_url = slice_of(k->options.url);
    mark.partitions = (uint32_t)atomic_load(&k->npartitions);
    for (int v = 0; v < MERGE_LANES; v++)
        if (mark.input_next[v] < 0)
            mark.input_next[v] = p->lane[v].next;
    enum bus_status st = commit_log(k, p, &mark, e);
    if (st == BUS_OK) {
        kafka_allowed(k, ~0u);
        st = commit_store(k, p, t, &mark, e);
        if (st == BUS_OK)
            settle(p, mark.input_next);
    } else {
        store_abort(t);
        merge_undo(p->merge);
    }
    close_batch(k, p);
    return st;
}

void kafka_undo(struct bus *b, int partition, struct store_txn *t)
{
    struct kafka *k = kafka_of(b);
    struct part *p = kafka_part(k, partition);
    store_abort(t);
    if (k->batch.part)
        abort_transaction(k);
    if (!p)
        return;
    merge_undo(p->merge);
    close_batch(k, p);
}
