/* Fake librdkafka: consumers. Each assigned partition is fetched by events into its queue: records, and
 * markers, which nobody sees but which move the position. */
#include "sim.h"

#include <string.h>

#define NO_OFFSET (INT64_C(1) << 60) /* of no log */

static struct toppar *all_toppars[4096];
static size_t ntoppars;

void consumer_open(rd_kafka_t *rk)
{
    struct consumer *c = mem_alloc(sizeof *c);
    c->rk = rk;
    c->committed_only = strcmp(handle_setting(rk, "isolation.level", "read_committed"), "read_committed") == 0;
    c->session_ms = atoi(handle_setting(rk, "session.timeout.ms", "45000"));
    c->heartbeat_ms = atoi(handle_setting(rk, "heartbeat.interval.ms", "3000"));
    queue_init(&c->queue);
    rk->consumer = c;
}

void consumer_close(rd_kafka_t *rk)
{
    for (struct toppar *t = rk->consumer->toppars; t; t = t->next)
        t->active = false;
}

rd_kafka_resp_err_t rd_kafka_poll_set_consumer(rd_kafka_t *rk)
{
    rk->main.forward = &rk->consumer->queue;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_queue_t *rd_kafka_queue_get_consumer(rd_kafka_t *rk)
{
    return &rk->consumer->queue;
}

/* ---- partitions */

static struct toppar *toppar_of(struct consumer *c, const char *topic, int partition)
{
    struct log *l = log_of(topic, partition);
    for (struct toppar *t = c->toppars; t; t = t->next)
        if (t->log == l)
            return t;
    struct toppar *t = mem_alloc(sizeof *t);
    t->consumer = c;
    t->log = l;
    t->position = RD_KAFKA_OFFSET_INVALID;
    t->end = -1;
    queue_init(&t->queue);
    t->queue.forward = &c->queue;
    t->next = c->toppars;
    c->toppars = t;
    if (!l || ntoppars == sizeof all_toppars / sizeof *all_toppars)
        fail("%s-%d: there is no such partition, or the fake cannot hold more", topic, partition);
    all_toppars[ntoppars++] = t;
    return t;
}

rd_kafka_queue_t *rd_kafka_queue_get_partition(rd_kafka_t *rk, const char *topic, int32_t partition)
{
    step("rd_kafka_queue_get_partition");
    return &toppar_of(rk->consumer, topic, partition)->queue;
}

/* ---- fetching */

static void kick(struct toppar *t, int64_t delay);

static struct op *op_of(struct toppar *t, enum op_kind kind)
{
    struct op *op = op_new(kind);
    op->toppar = t;
    op->version = t->version;
    op->of = t->consumer->rk;
    return op;
}

static void push_error(struct toppar *t, int64_t offset, rd_kafka_resp_err_t err)
{
    struct op *op = op_of(t, OP_ERROR);
    op->message = message_error(t->log->name, t->log->partition, offset, err);
    queue_push(&t->queue, op);
}

static void push_entry(struct toppar *t, const struct entry *e)
{
    bool data = t->consumer->committed_only ? entry_is_data(e) : !e->control && !e->gone;
    struct op *op = data || e->control ? op_of(t, data ? OP_RECORD : OP_MARKER) : NULL;
    if (!op)
        return;
    op->offset = e->offset;
    if (data)
        op->message = message_of(t->log, e);
    queue_push(&t->queue, op);
}

static bool arrives_damaged(void)
{
    return plan.damage > 0 && now < plan.faults_until && chance(plan.damage);
}

/* Its checksum is wrong: librdkafka says so and goes on behind it, or with an offset that it takes from the middle of it, unless nothing of the same
 * answer follows. */
static void pass_over(struct toppar *t, bool more)
{
    trace("= %s-%d offset %lld arrives damaged", t->log->name, t->log->partition, (long long)t->fetch_next);
    push_error(t, t->fetch_next, RD_KAFKA_RESP_ERR__BAD_MSG);
    if (more)
        t->fetch_next = chance(0.5) ? t->fetch_next + 1 : NO_OFFSET;
}

/* Said whatever the application has asked for since: it carries no version. */
static void push_no_offset(struct toppar *t)
{
    struct op *op = op_of(t, OP_ERROR);
    op->toppar = NULL;
    op->message = message_error(t->log->name, t->log->partition, t->fetch_next, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET);
    queue_push(&t->queue, op);
}

static void fetch(void *arg)
{
    struct toppar *t = arg;
    t->busy = false;
    if (!t->active || t->lost || t->consumer->rk->gone || t->consumer->rk->fatal)
        return;
    if (!broker_up) {
        kick(t, 100 * MS);
        return;
    }
    int64_t end = t->consumer->committed_only ? log_stable(t->log) : log_high(t->log);
    if (t->fetch_next > (int64_t)t->log->n || t->fetch_next < 0) {
        push_no_offset(t);
        t->lost = true;
        return;
    }
    t->end = log_high(t->log);
    for (int64_t n = chance(0.5) ? 1000 : between(1, 5); n > 0 && t->fetch_next < end; n--)
        if (arrives_damaged())
            pass_over(t, n > 1 && t->fetch_next + 1 < end);
        else
            push_entry(t, t->log->entry[t->fetch_next++]);
    if (t->fetch_next < end || t->fetch_next == NO_OFFSET) {
        kick(t, hop());
    } else if (t->said_end != end) {
        t->said_end = end;
        push_error(t, end, RD_KAFKA_RESP_ERR__PARTITION_EOF);
    }
}

static void kick(struct toppar *t, int64_t delay)
{
    if (t->busy)
        return;
    t->busy = true;
    later(delay, t->consumer->rk->node, fetch, t);
}

void consumers_stir(const struct log *l)
{
    for (size_t i = 0; i < ntoppars; i++)
        if (all_toppars[i]->log == l && all_toppars[i]->active && !all_toppars[i]->consumer->rk->node->dead)
            kick(all_toppars[i], hop() + hop());
}

/* ---- assignment */

static void begin(struct toppar *t, int64_t offset)
{
    t->active = true;
    t->lost = false;
    t->fetch_next = offset;
    t->said_end = -1;
    kick(t, hop() + hop());
}

/* What was fetched for an earlier assignment is never seen; where it stood is. */
static void assign(struct consumer *c, const rd_kafka_topic_partition_list_t *list)
{
    c->version++;
    for (struct toppar *t = c->toppars; t; t = t->next) {
        t->active = false;
        t->version = c->version;
    }
    for (int i = 0; list && i < list->cnt; i++) {
        struct toppar *t = toppar_of(c, list->elems[i].topic, list->elems[i].partition);
        begin(t, list->elems[i].offset);
    }
}

static void join(void *arg)
{
    struct consumer *c = arg;
    if (c->rk->gone || c->state != MEMBER_JOINING)
        return;
    if (!broker_up) {
        later(50 * MS, c->rk->node, join, c);
        return;
    }
    group_join(c, handle_setting(c->rk, "group.instance.id", ""), c->member, c->session_ms);
}

static void rejoin(struct consumer *c)
{
    c->state = MEMBER_JOINING;
    c->join++;
    c->lost = false;
    later(hop(), c->rk->node, join, c);
}

rd_kafka_resp_err_t rd_kafka_assign(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    struct consumer *c = rk->consumer;
    step(list ? "rd_kafka_assign" : "rd_kafka_assign, nothing");
    if (rk->fatal && list)
        return RD_KAFKA_RESP_ERR__FATAL;
    assign(c, list);
    if (!list && c->state == MEMBER_REVOKING)
        rejoin(c);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_subscribe(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list)
{
    (void)list; /* both inputs */
    step("rd_kafka_subscribe");
    rk->consumer->subscribed = true;
    rejoin(rk->consumer);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- polling */

/* The message for the application, or NULL when the op was none. */
static rd_kafka_message_t *op_message(rd_kafka_t *rk, struct op *op)
{
    bool old = op->toppar && op->version != op->toppar->version;
    rd_kafka_message_t *m = op->message;
    if (old || (op->toppar && !op->toppar->active && op->kind != OP_ERROR)) {
        if (m)
            rd_kafka_message_destroy(m);
        m = NULL;
    } else if (op->kind == OP_RECORD || op->kind == OP_MARKER) {
        op->toppar->position = op->offset + 1;
    } else if (op->kind == OP_REBALANCE) {
        consumer_serve(rk, op);
    } else if (op->kind == OP_ERROR_CB && rk->conf.error) {
        trace("%s: %s", rk->name, op->text);
        rk->conf.error(rk, op->err, op->text, rk->conf.opaque);
        if (op->err == RD_KAFKA_RESP_ERR__FATAL && chance(0.5))
            m = message_error("", -1, RD_KAFKA_OFFSET_INVALID, RD_KAFKA_RESP_ERR__FATAL);
    }
    free(op);
    return m;
}

rd_kafka_message_t *rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms)
{
    struct consumer *c = rk->consumer;
    int64_t until = until_of(timeout_ms);
    step_quietly();
    do
        for (struct op *op; (op = queue_pop(&c->queue));) {
            rd_kafka_message_t *m = op_message(rk, op);
            if (m)
                return m;
        }
    while (timeout_ms && wait_for(queue_has, &c->queue, until));
    return NULL;
}

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *q, int timeout_ms)
{
    (void)timeout_ms; /* the bus never waits here */
    step_quietly();
    for (struct op *op; (op = queue_pop(q));) {
        rd_kafka_message_t *m = op_message(op->of, op);
        if (m)
            return m;
    }
    return NULL;
}

ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *q, int timeout_ms, rd_kafka_message_t **out, size_t most)
{
    size_t n = 0;
    (void)timeout_ms;
    step_quietly();
    for (struct op *op; n < most && (op = queue_pop(q));)
        if ((out[n] = op_message(op->of, op)))
            n++;
    return (ssize_t)n;
}

/* ---- questions */

rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low,
                                                   int64_t *high)
{
    const struct toppar *t = toppar_of(rk->consumer, topic, partition);
    step_quietly();
    *low = t->end < 0 ? RD_KAFKA_OFFSET_INVALID : 0;
    *high = t->end < 0 ? RD_KAFKA_OFFSET_INVALID : t->end;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_offsets_for_times(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    step("rd_kafka_offsets_for_times");
    if (!travel(until_of(timeout_ms)))
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (int i = 0; i < list->cnt; i++) {
        const struct log *l = log_of(list->elems[i].topic, list->elems[i].partition);
        size_t at = 0;
        if (list->elems[i].offset < 0) { /* the protocol's beginning and end */
            bool end = list->elems[i].offset == RD_KAFKA_OFFSET_END;
            list->elems[i].offset = !end ? 0 : rk->consumer->committed_only ? log_stable(l) : log_high(l);
            continue;
        }
        while (at < l->n && (l->entry[at]->ts_ms < list->elems[i].offset || l->entry[at]->gone))
            at++;
        list->elems[i].offset = at < l->n ? (int64_t)at : RD_KAFKA_OFFSET_END;
    }
    pass(hop());
    if (now < plan.faults_until && chance(plan.lost))
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

char *rd_kafka_clusterid(rd_kafka_t *rk, int timeout_ms)
{
    (void)rk;
    step("rd_kafka_clusterid");
    return travel(until_of(timeout_ms)) ? strdup("simulated") : NULL;
}

void rd_kafka_mem_free(rd_kafka_t *rk, void *p)
{
    (void)rk;
    free(p);
}

rd_kafka_resp_err_t rd_kafka_position(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    step_quietly();
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = toppar_of(rk->consumer, list->elems[i].topic, list->elems[i].partition)->position;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low,
                                                     int64_t *high, int timeout_ms)
{
    const struct log *l = log_of(topic, partition);
    step("rd_kafka_query_watermark_offsets");
    if (!travel(until_of(timeout_ms)))
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    *low = 0;
    *high = rk->consumer->committed_only ? log_stable(l) : log_high(l);
    trace("= %s-%d ends at %lld", topic, partition, (long long)*high);
    pass(hop());
    if (now < plan.faults_until && chance(plan.lost))
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool look_committed(bool stable_only, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *t = &list->elems[i];
        const char *metadata = "";
        bool unstable = false;
        int64_t offset = RD_KAFKA_OFFSET_INVALID;
        coord_committed(t->topic, t->partition, &offset, &metadata, &unstable);
        if (unstable && stable_only)
            return false;
        free(t->metadata);
        t->offset = offset;
        t->metadata = offset >= 0 ? strdup(metadata) : NULL;
        t->metadata_size = offset >= 0 ? strlen(metadata) : 0;
    }
    return true;
}

rd_kafka_resp_err_t rd_kafka_committed(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    int64_t until = until_of(timeout_ms);
    step("rd_kafka_committed");
    while (travel(until)) {
        if (!look_committed(rk->consumer->committed_only, list)) {
            pass(5 * MS);
            continue;
        }
        for (int i = 0; i < list->cnt; i++)
            trace("= %s-%d committed at %lld, batch %.*s", list->elems[i].topic, list->elems[i].partition,
                  (long long)list->elems[i].offset, (int)list->elems[i].metadata_size,
                  list->elems[i].metadata ? (char *)list->elems[i].metadata : "");
        pass(hop());
        return now < plan.faults_until && chance(plan.lost) ? RD_KAFKA_RESP_ERR__TIMED_OUT : RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/* ---- without an assignment: one partition, by its topic's handle, into a queue of the caller's */

int rd_kafka_consume_start_queue(rd_kafka_topic_t *topic, int32_t partition, int64_t offset, rd_kafka_queue_t *q)
{
    struct toppar *t = toppar_of(topic->of->consumer, topic->name, partition);
    step("rd_kafka_consume_start_queue");
    t->queue.forward = q;
    t->version = ++t->consumer->version;
    begin(t, offset);
    return 0;
}

int rd_kafka_consume_stop(rd_kafka_topic_t *topic, int32_t partition)
{
    struct toppar *t = toppar_of(topic->of->consumer, topic->name, partition);
    step("rd_kafka_consume_stop");
    t->active = false;
    t->version = ++t->consumer->version;
    return 0;
}

rd_kafka_resp_err_t rd_kafka_last_error(void)
{
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}
