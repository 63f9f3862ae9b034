/* Fake librdkafka: producers. What is produced waits in the handle, goes to the broker in events, and is
 * reported to whoever polls. */
#include "sim.h"

#include <string.h>

enum producer_state { NOT_INITIALISED, READY, IN_TRANSACTION, ABORTABLE };

struct message {
    struct message *next;
    struct log *log;
    struct slice key, value;
    struct header *header;
    size_t nheaders;
    void *opaque;
    int64_t made;
    uint32_t round;
    int64_t offset, ts_ms;
    struct producer *of;
};

struct producer {
    rd_kafka_t *rk;
    struct message *first, **last; /* not sent yet */
    size_t waiting;                /* made and not reported */
    bool sending;
    enum producer_state state;
    struct identity *identity; /* NULL: not transactional */
    int epoch;
    uint32_t round; /* counts transactions */
    bool failed;    /* a record of this transaction */
    bool used;      /* the coordinator knows of this transaction */
};

void producer_open(rd_kafka_t *rk)
{
    struct producer *p = mem_alloc(sizeof *p);
    p->rk = rk;
    p->last = &p->first;
    rk->producer = p;
}

void producer_close(rd_kafka_t *rk)
{
    rk->producer->first = NULL;
}

/* ---- reports */

static void report(struct message *m, rd_kafka_resp_err_t err)
{
    struct producer *p = m->of;
    struct op *op = op_new(OP_REPORT);
    struct entry *e = mem_alloc(sizeof *e);
    *e = (struct entry){.offset = err || (now < plan.faults_until && chance(plan.unknown)) ? RD_KAFKA_OFFSET_INVALID : m->offset, .ts_ms = m->ts_ms};
    op->message = message_of(m->log, e);
    op->message->err = err;
    op->message->_private = m->opaque;
    p->waiting--;
    if (err && m->round == p->round)
        p->failed = true;
    queue_push(&p->rk->main, op);
    free(m);
}

static void acknowledged(void *arg)
{
    struct message *m = arg;
    if (m->of->rk->gone)
        return;
    if (!m->of->identity && now - m->made > 10 * SEC) {
        report(m, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT); /* though it is there */
    } else if (!broker_up) {
        later(50 * MS, m->of->rk->node, acknowledged, m);
    } else {
        report(m, RD_KAFKA_RESP_ERR_NO_ERROR);
    }
}

/* ---- sending */

static void kick(struct producer *p, int64_t delay);

static void fence(struct producer *p)
{
    handle_fatal(p->rk, RD_KAFKA_RESP_ERR__FENCED, "producer fenced by newer instance");
    while (p->first) {
        struct message *m = p->first;
        p->first = m->next;
        report(m, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    }
    p->last = &p->first;
}

static bool send_one(struct producer *p, struct message *m, rd_kafka_resp_err_t *err)
{
    struct share *share = NULL;
    *err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (p->identity) {
        *err = coord_share(p->identity, p->epoch, m->log, &share);
        if (*err)
            return false;
        p->used = true;
    }
    const struct entry *e = log_append(m->log, share, m->key, m->value, m->header, m->nheaders);
    m->offset = e->offset;
    m->ts_ms = e->ts_ms;
    return true;
}

static int64_t answer_after(void)
{
    return now < plan.faults_until && chance(plan.lost) ? between(50, 1500) * MS : hop();
}

/* A partition's records keep their order; between partitions there is none. */
static void send_some(void *arg)
{
    struct producer *p = arg;
    p->sending = false;
    if (p->rk->gone || !broker_up)
        return;
    const struct log *only = p->first && chance(0.2) ? p->first->log : NULL;
    int64_t answer = answer_after(), n = chance(0.8) ? 1000 : between(1, 3);
    for (struct message **at = &p->first, *m; (m = *at) && n > 0;) {
        rd_kafka_resp_err_t err;
        if (only && m->log != only) {
            at = &m->next;
            continue;
        }
        if (!send_one(p, m, &err)) {
            if (err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
                fence(p);
            break;
        }
        if (p->last == &m->next)
            p->last = at;
        *at = m->next;
        n--;
        later(answer, p->rk->node, acknowledged, m);
    }
    if (p->first)
        kick(p, 1 * MS);
}

static void kick(struct producer *p, int64_t delay)
{
    if (p->sending || p->rk->gone || !p->first)
        return;
    p->sending = true;
    later(delay, p->rk->node, send_some, p);
}

static void give_up(void *arg)
{
    struct producer *p = arg;
    if (p->rk->gone || p->identity)
        return;
    while (p->first && now - p->first->made > 10 * SEC) {
        struct message *m = p->first;
        p->first = m->next;
        if (!p->first)
            p->last = &p->first;
        report(m, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    }
    if (!broker_up)
        later(500 * MS, p->rk->node, give_up, p);
}

void producer_broker(rd_kafka_t *rk, bool up)
{
    if (up)
        kick(rk->producer, hop());
    else
        later(500 * MS, rk->node, give_up, rk->producer);
}

static bool odd(void)
{
    return now < plan.faults_until && chance(plan.odd);
}

static rd_kafka_resp_err_t produce(rd_kafka_t *rk, struct message *m)
{
    struct producer *p = rk->producer;
    step("rd_kafka_produce");
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (rk->fatal)
        err = RD_KAFKA_RESP_ERR__FATAL;
    else if (*handle_setting(rk, "transactional.id", "") && p->state != IN_TRANSACTION)
        err = RD_KAFKA_RESP_ERR__STATE;
    else if (p->waiting > 0 && odd() && chance(0.02))
        err = RD_KAFKA_RESP_ERR__QUEUE_FULL;
    if (err) {
        free(m);
        return err;
    }
    m->of = p;
    m->made = now;
    m->round = p->round;
    p->waiting++;
    if (p->identity && odd() && chance(0.1)) { /* it is not delivered, and the transaction is over */
        p->state = ABORTABLE;
        trace("a record of %s is not delivered", m->log->name);
        report(m, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    *p->last = m;
    p->last = &m->next;
    kick(p, hop());
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

int rd_kafka_outq_len(rd_kafka_t *rk)
{
    return (int)rk->producer->waiting;
}

/* ---- what is to be sent */

struct rd_kafka_headers_s {
    struct header header[64];
    size_t n;
};

static struct slice copy(const void *p, size_t n)
{
    char *to = mem_alloc(n + 1);
    if (!p)
        return (struct slice){0};
    memcpy(to, p, n);
    return (struct slice){to, n};
}

rd_kafka_headers_t *rd_kafka_headers_new(size_t n)
{
    (void)n;
    return mem_alloc(sizeof(rd_kafka_headers_t));
}

rd_kafka_resp_err_t rd_kafka_header_add(rd_kafka_headers_t *h, const char *name, ssize_t nname, const void *value,
                                        ssize_t nvalue)
{
    if (h->n == 64)
        fail("more headers than the fake holds");
    h->header[h->n++] = (struct header){copy(name, (size_t)nname), copy(value, (size_t)nvalue)};
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_headers_destroy(rd_kafka_headers_t *h)
{
    free(h);
}

static void fill(struct message *m, const rd_kafka_vu_t *v, const char **topic, int *partition)
{
    switch (v->vtype) {
    case RD_KAFKA_VTYPE_RKT:
        *topic = v->u.rkt->name;
        break;
    case RD_KAFKA_VTYPE_PARTITION:
        *partition = v->u.i32;
        break;
    case RD_KAFKA_VTYPE_KEY:
        m->key = copy(v->u.mem.ptr, v->u.mem.size);
        break;
    case RD_KAFKA_VTYPE_VALUE:
        m->value = copy(v->u.mem.ptr, v->u.mem.size);
        break;
    case RD_KAFKA_VTYPE_HEADERS:
        m->header = v->u.headers ? v->u.headers->header : NULL;
        m->nheaders = v->u.headers ? v->u.headers->n : 0;
        break;
    case RD_KAFKA_VTYPE_OPAQUE:
        m->opaque = v->u.ptr;
        break;
    case RD_KAFKA_VTYPE_MSGFLAGS:
        break;
    default:
        fail("producing with a part of kind %d, which the fake does not know", (int)v->vtype);
    }
}

static struct message *message_made(const rd_kafka_vu_t *v, size_t n)
{
    struct message *m = mem_alloc(sizeof *m);
    const char *topic = "";
    int partition = -1;
    for (size_t i = 0; i < n; i++)
        fill(m, &v[i], &topic, &partition);
    m->log = log_of(topic, partition);
    if (!m->log)
        fail("producing to %s-%d, which does not exist", topic, partition);
    return m;
}

rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *v, size_t n)
{
    rd_kafka_resp_err_t err = produce(rk, message_made(v, n));
    return err ? error_new(err, false, false, false, "produce") : NULL;
}

/* ---- the rest of a producer */

rd_kafka_resp_err_t rd_kafka_purge(rd_kafka_t *rk, int flags)
{
    struct producer *p = rk->producer;
    (void)flags; /* what was sent is reported when it is */
    while (p->first) {
        struct message *m = p->first;
        p->first = m->next;
        report(m, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    }
    p->last = &p->first;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool reported_or_told(void *arg)
{
    const struct producer *p = arg;
    return p->waiting == 0 || p->rk->main.first;
}

rd_kafka_resp_err_t rd_kafka_flush(rd_kafka_t *rk, int timeout_ms)
{
    int64_t until = until_of(timeout_ms);
    do
        rd_kafka_poll(rk, 0);
    while (rk->producer->waiting > 0 && !rk->fatal && wait_for(reported_or_told, rk->producer, until));
    rd_kafka_poll(rk, 0);
    return rk->producer->waiting ? RD_KAFKA_RESP_ERR__TIMED_OUT : RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- transactions */

static rd_kafka_error_t *fatal_error(rd_kafka_t *rk)
{
    return error_new(rk->fatal, true, false, false, rk->fatal_text);
}

static rd_kafka_error_t *fenced(rd_kafka_t *rk)
{
    fence(rk->producer);
    return fatal_error(rk);
}

static rd_kafka_error_t *fatally(rd_kafka_t *rk, rd_kafka_resp_err_t code, const char *text)
{
    handle_fatal(rk, code, text);
    return fatal_error(rk);
}

static rd_kafka_error_t *abortable(struct producer *p, rd_kafka_resp_err_t code, const char *text)
{
    p->state = ABORTABLE;
    return error_new(code, false, false, true, text);
}

rd_kafka_error_t *rd_kafka_init_transactions(rd_kafka_t *rk, int timeout_ms)
{
    struct producer *p = rk->producer;
    int64_t until = until_of(timeout_ms);
    step("rd_kafka_init_transactions");
    p->identity = coord_identity(handle_setting(rk, "transactional.id", ""),
                                 atoi(handle_setting(rk, "transaction.timeout.ms", "60000")));
    while (travel(until)) {
        rd_kafka_resp_err_t err = coord_init(p->identity, &p->epoch);
        if (!err && now < plan.faults_until && chance(plan.lost))
            continue; /* once more, another epoch */
        if (!err) {
            trace("= %s has epoch %d", handle_setting(rk, "transactional.id", ""), p->epoch);
            p->state = READY;
            return NULL;
        }
        pass(5 * MS);
    }
    return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "init");
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *rk)
{
    struct producer *p = rk->producer;
    step("rd_kafka_begin_transaction");
    if (rk->fatal)
        return fatal_error(rk);
    if (p->state != READY)
        return error_new(RD_KAFKA_RESP_ERR__STATE, false, false, false, "begin: not ready");
    p->state = IN_TRANSACTION;
    p->round++;
    p->failed = p->used = false;
    return NULL;
}

struct rd_kafka_consumer_group_metadata_s {
    int generation;
    char member[64], instance[64];
};

rd_kafka_consumer_group_metadata_t *rd_kafka_consumer_group_metadata(rd_kafka_t *rk)
{
    rd_kafka_consumer_group_metadata_t *m = mem_alloc(sizeof *m);
    step("rd_kafka_consumer_group_metadata");
    m->generation = rk->consumer->generation;
    memcpy(m->member, rk->consumer->member, sizeof m->member);
    snprintf(m->instance, sizeof m->instance, "%s", handle_setting(rk, "group.instance.id", ""));
    return m;
}

rd_kafka_consumer_group_metadata_t *rd_kafka_consumer_group_metadata_new(const char *group)
{
    rd_kafka_consumer_group_metadata_t *m = mem_alloc(sizeof *m);
    (void)group;
    m->generation = -1;
    return m;
}

void rd_kafka_consumer_group_metadata_destroy(rd_kafka_consumer_group_metadata_t *m)
{
    free(m);
}

static rd_kafka_resp_err_t send_pending(struct producer *p, const rd_kafka_topic_partition_list_t *list,
                                        const rd_kafka_consumer_group_metadata_t *g)
{
    struct pending *all = mem_alloc((size_t)(list->cnt + 1) * sizeof *all);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *t = &list->elems[i];
        all[i] = (struct pending){.partition = t->partition, .offset = t->offset};
        snprintf(all[i].topic, sizeof all[i].topic, "%s", t->topic);
        snprintf(all[i].metadata, sizeof all[i].metadata, "%.*s", (int)t->metadata_size, (const char *)t->metadata);
    }
    rd_kafka_resp_err_t err = coord_offsets(p->identity, p->epoch, all, 0); /* the transaction is open */
    p->used |= !err;
    if (!err)
        err = group_check(g->instance, g->member, g->generation);
    if (!err)
        err = coord_offsets(p->identity, p->epoch, all, (size_t)list->cnt);
    free(all);
    return err;
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list,
                                                       const rd_kafka_consumer_group_metadata_t *g, int timeout_ms)
{
    struct producer *p = rk->producer;
    int64_t until = until_of(timeout_ms);
    step("rd_kafka_send_offsets_to_transaction");
    if (rk->fatal)
        return fatal_error(rk);
    if (p->state != IN_TRANSACTION)
        return abortable(p, RD_KAFKA_RESP_ERR__STATE, "offsets: the transaction has failed");
    if (list->cnt == 0)
        return NULL;
    while (travel(until)) {
        rd_kafka_resp_err_t err = odd() ? RD_KAFKA_RESP_ERR_UNKNOWN : send_pending(p, list, g);
        step("offsets sent");
        if (rk->fatal || err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
            return fenced(rk);
        if (err == RD_KAFKA_RESP_ERR_UNKNOWN && chance(0.5))
            return error_new(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, false, true, false, "offsets");
        if (err && err != RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS)
            return abortable(p, err, "offsets");
        if (!err && !(now < plan.faults_until && chance(plan.lost)))
            return NULL;
        pass(err ? 1 * MS : between(10, 1000) * MS);
    }
    return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "offsets");
}

/* What may come of a commit besides what was decided: errors whose outcome nobody knows. */
static rd_kafka_error_t *odd_commit(rd_kafka_t *rk)
{
    struct producer *p = rk->producer;
    count(COUNT_UNKNOWN, 1);
    if (chance(0.5)) {
        rd_kafka_resp_err_t err = coord_end(p->identity, p->epoch, true);
        trace("an error is said of a commit that %s", err ? "was refused" : "was done");
    }
    if (chance(0.3))
        return fatally(rk, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, "commit: the transaction had failed locally");
    if (chance(0.3))
        return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "commit");
    if (chance(0.3))
        return error_new(RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, false, false, false, "commit");
    return abortable(p, RD_KAFKA_RESP_ERR_UNKNOWN, "commit");
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    struct producer *p = rk->producer;
    int64_t until = until_of(timeout_ms);
    step("rd_kafka_commit_transaction");
    if (p->state == IN_TRANSACTION && rd_kafka_flush(rk, timeout_ms) && !rk->fatal)
        return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "commit: flush");
    if (rk->fatal)
        return fatal_error(rk);
    if (p->state != IN_TRANSACTION || p->failed)
        return abortable(p, RD_KAFKA_RESP_ERR__INCONSISTENT, "commit: a record was not delivered");
    while (p->used) {
        if (!travel(until))
            return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "commit");
        if (odd())
            return odd_commit(rk);
        rd_kafka_resp_err_t err = coord_end(p->identity, p->epoch, true);
        step("commit requested");
        if (err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
            return fenced(rk);
        if (err)
            return fatally(rk, err, "commit");
        if (!(now < plan.faults_until && chance(plan.lost)))
            break;
        count(COUNT_UNKNOWN, 1);
        trace("the reply to the commit is lost");
        pass(between(10, 3000) * MS);
    }
    pass(hop());
    p->state = READY;
    step("= committed");
    return NULL;
}

rd_kafka_error_t *rd_kafka_abort_transaction(rd_kafka_t *rk, int timeout_ms)
{
    struct producer *p = rk->producer;
    int64_t until = until_of(timeout_ms);
    step("rd_kafka_abort_transaction");
    if (rk->fatal)
        return fatal_error(rk);
    if (p->state != IN_TRANSACTION && p->state != ABORTABLE)
        return error_new(RD_KAFKA_RESP_ERR__STATE, false, false, false, "abort: no transaction is open");
    rd_kafka_purge(rk, 0);
    rd_kafka_flush(rk, timeout_ms);
    while (p->used) {
        if (!travel(until))
            return error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, false, true, false, "abort");
        if (odd() && chance(0.5))
            return error_new(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, false, true, false, "abort");
        rd_kafka_resp_err_t err = coord_end(p->identity, p->epoch, false);
        step("abort requested");
        if (err == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)
            return fenced(rk);
        if (err)
            return fatally(rk, err, "abort");
        if (!(now < plan.faults_until && chance(plan.lost)))
            break;
        pass(between(10, 1000) * MS);
    }
    pass(hop());
    p->state = READY;
    return NULL;
}
