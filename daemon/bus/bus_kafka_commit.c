/* One batch, one Kafka transaction, one store transaction, in this order. Whatever fails, the store is never
 * ahead of the log. */
#include "bus/bus_kafka.h"

#define LATE_PART 5      /* of the transaction's time-out: then a batch should end */
#define HOLD_BELOW 256   /* turns of a batch: with more of them there is a backlog */

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

/* Both inputs, moved or not: an empty list would fence nobody. */
static enum bus_status send_offsets(struct kafka *k, struct part *p, const int64_t next[MERGE_LANES], uint64_t number, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MERGE_LANES);
    for (int v = 0; v < MERGE_LANES; v++) {
        rd_kafka_topic_partition_t *t = rd_kafka_topic_partition_list_add(list, k->topic[v], p->id);
        struct buf batch = {0};
        buf_printf(&batch, "%llu", (unsigned long long)number);
        t->offset = next[v];
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

/* While the coordinator still writes the markers of the transaction before, it refuses offsets. A batch that follows close
 * upon a small one of its partition lets that pass before its inputs are complete, with the positions that it begins from;
 * what arrives meanwhile goes along. Where other partitions want the producer, it is better done soon. */
static bool begins_early(const struct kafka *k, const struct part *p)
{
    bool inputs = p->lane[0].taken >= 0 || p->lane[1].taken >= 0;
    return inputs && k->batch.after_small && kafka_input_paced(k, p) && !rd_kafka_assignment_lost(k->consumer);
}

static enum bus_status begin_early(struct kafka *k, struct part *p, struct err *e)
{
    const int64_t next[MERGE_LANES] = {p->lane[0].next, p->lane[1].next};
    kafka_hold(k, true);
    enum bus_status st = send_offsets(k, p, next, p->at.batch, e);
    kafka_input_ahead(k, p);
    k->batch.early = st == BUS_OK;
    if (st != BUS_OK)
        k->batch.part = NULL; /* it was taken back */
    return st;
}

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
                              .id = partition,
                              .began = kafka_monotonic_ms(),
                              .serial = k->batch.serial,
                              .ended = k->batch.ended,
                              .took = k->batch.took,
                              .after_small = k->batch.id == partition && k->batch.turns < HOLD_BELOW,
                              .history_next = -1,
                              .changelog_next = -1};
    kafka_outbox_start(k);
    return begins_early(k, p) ? begin_early(k, p, e) : BUS_OK;
}

/* The broker ends a transaction that takes longer than its time-out, and what is left to do takes time, too. */
bool kafka_late(struct bus *b)
{
    const struct kafka *k = kafka_of(b);
    struct timespec now; /* coarse: to some milliseconds, and cheap enough for each turn */
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - k->batch.began > k->transaction_ms / LATE_PART;
}

/* ---- making it final */

static enum bus_status send_held(struct kafka *k, struct err *e)
{
    enum bus_status st = kafka_history_end(k, e);
    if (st == BUS_OK)
        st = kafka_outbox_send(k, e);
    return st == BUS_OK || abort_transaction(k) ? st : BUS_LOST;
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
    struct arena *a = arena_new();
    enum bus_status st = kafka_mark(k, wire_marker_pack(m, a), e);
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

/* The offsets first, for records are held back until the coordinator takes them (bus_kafka_produce.c); where it has shown that
 * it does, the records are on their way while it is told. */
static enum bus_status send_batch(struct kafka *k, struct part *p, const struct marker *m, struct err *e)
{
    enum bus_status st = k->batch.early ? send_held(k, e) : BUS_OK;
    if (st == BUS_OK)
        st = send_offsets(k, p, m->input_next, m->batch, e);
    return st == BUS_OK && !k->batch.early ? send_held(k, e) : st;
}

static enum bus_status commit_log(struct kafka *k, struct part *p, struct marker *m, struct err *e)
{
    if (rd_kafka_assignment_lost(k->consumer)) {
        err_set(e, "kafka: partition %d was lost to the group", p->id);
        abort_transaction(k);
        return BUS_LOST;
    }
    kafka_hold(k, k->batch.turns < HOLD_BELOW);
    enum bus_status st = send_batch(k, p, m, e);
    if (st == BUS_OK)
        st = await_history(k, e);
    kafka_input_ahead(k, p);
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
    p->misreads = 0;
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
