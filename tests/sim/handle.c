/* Fake librdkafka: settings, handles, topics, queues, messages, lists, errors. */
#include "sim.h"

#include <stdarg.h>
#include <string.h>

static rd_kafka_t *handles;

/* ---- settings */

rd_kafka_conf_t *rd_kafka_conf_new(void)
{
    return mem_alloc(sizeof(rd_kafka_conf_t));
}

void rd_kafka_conf_destroy(rd_kafka_conf_t *c)
{
    free(c);
}

rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *c, const char *name, const char *value, char *why, size_t n)
{
    size_t i = 0;
    while (i < c->n && strcmp(c->name[i], name) != 0)
        i++;
    if (i == SETTINGS_MOST) {
        snprintf(why, n, "more settings than the fake holds");
        return RD_KAFKA_CONF_INVALID;
    }
    snprintf(c->name[i], sizeof c->name[i], "%s", name);
    snprintf(c->value[i], sizeof c->value[i], "%s", value);
    c->n += i == c->n;
    return RD_KAFKA_CONF_OK;
}

int rd_kafka_version(void)
{
    return RD_KAFKA_VERSION;
}

const char *rd_kafka_version_str(void)
{
    return "of the simulation";
}

rd_kafka_conf_res_t rd_kafka_conf_set_ssl_cert_verify_cb(rd_kafka_conf_t *c,
                                                         int (*cb)(rd_kafka_t *, const char *, int32_t, int *, int, const char *, size_t,
                                                                   char *, size_t, void *))
{
    (void)c;
    (void)cb;
    return RD_KAFKA_CONF_OK;
}

/* There are no sockets. */
void rd_kafka_conf_set_closesocket_cb(rd_kafka_conf_t *c, int (*cb)(int, void *))
{
    (void)c;
    (void)cb;
}

rd_kafka_resp_err_t rd_kafka_conf_interceptor_add_on_new(rd_kafka_conf_t *c, const char *name,
                                                         rd_kafka_interceptor_f_on_new_t *cb, void *opaque)
{
    (void)c;
    (void)name;
    (void)cb;
    (void)opaque;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_interceptor_add_on_request_sent(rd_kafka_t *rk, const char *name,
                                                             rd_kafka_interceptor_f_on_request_sent_t *cb, void *opaque)
{
    (void)rk;
    (void)name;
    (void)cb;
    (void)opaque;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void *rd_kafka_opaque(const rd_kafka_t *rk)
{
    return rk->conf.opaque;
}

void rd_kafka_conf_set_opaque(rd_kafka_conf_t *c, void *opaque)
{
    c->opaque = opaque;
}

void rd_kafka_conf_set_log_cb(rd_kafka_conf_t *c, void (*cb)(const rd_kafka_t *, int, const char *, const char *))
{
    (void)c;
    (void)cb;
}

void rd_kafka_conf_set_error_cb(rd_kafka_conf_t *c, void (*cb)(rd_kafka_t *, int, const char *, void *))
{
    c->error = cb;
}

void rd_kafka_conf_set_rebalance_cb(rd_kafka_conf_t *c, void (*cb)(rd_kafka_t *, rd_kafka_resp_err_t,
                                                                   rd_kafka_topic_partition_list_t *, void *))
{
    c->rebalance = cb;
}

void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *c, void (*cb)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    c->report = cb;
}

const rd_kafka_conf_t *rd_kafka_conf(rd_kafka_t *rk)
{
    return &rk->conf;
}

rd_kafka_conf_res_t rd_kafka_conf_get(const rd_kafka_conf_t *c, const char *name, char *out, size_t *n)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->name[i], name) == 0) {
            *n = (size_t)snprintf(out, *n, "%s", c->value[i]) + 1;
            return RD_KAFKA_CONF_OK;
        }
    return RD_KAFKA_CONF_UNKNOWN;
}

const char *handle_setting(const rd_kafka_t *rk, const char *name, const char *otherwise)
{
    for (size_t i = 0; i < rk->conf.n; i++)
        if (strcmp(rk->conf.name[i], name) == 0)
            return rk->conf.value[i];
    return otherwise;
}

/* ---- handles */

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *why, size_t n)
{
    static unsigned count;
    rd_kafka_t *rk = mem_alloc(sizeof *rk);
    (void)why;
    (void)n;
    step("rd_kafka_new");
    rk->node = running_host();
    rk->type = type;
    rk->conf = *conf;
    free(conf);
    snprintf(rk->name, sizeof rk->name, "handle-%u", ++count);
    queue_init(&rk->main);
    if (type == RD_KAFKA_PRODUCER)
        producer_open(rk);
    else
        consumer_open(rk);
    rk->next = handles;
    handles = rk;
    return rk;
}

void rd_kafka_destroy_flags(rd_kafka_t *rk, int flags)
{
    (void)flags; /* static members never leave */
    step("rd_kafka_destroy");
    rk->gone = true;
    for (rd_kafka_t **at = &handles; *at; at = &(*at)->next)
        if (*at == rk) {
            *at = rk->next;
            break;
        }
    if (rk->producer)
        producer_close(rk);
    else
        consumer_close(rk);
}

void rd_kafka_destroy(rd_kafka_t *rk)
{
    rd_kafka_destroy_flags(rk, 0);
}

const char *rd_kafka_name(const rd_kafka_t *rk)
{
    return rk->name;
}

static void say(rd_kafka_t *rk, rd_kafka_resp_err_t err, const char *text)
{
    struct op *op = op_new(OP_ERROR_CB);
    op->err = err;
    op->of = rk;
    snprintf(op->text, sizeof op->text, "%s", text);
    queue_push(&rk->main, op);
}

void handle_fatal(rd_kafka_t *rk, rd_kafka_resp_err_t err, const char *text)
{
    if (rk->fatal)
        return;
    count(COUNT_FENCED, 1);
    rk->fatal = err;
    snprintf(rk->fatal_text, sizeof rk->fatal_text, "%s", text);
    say(rk, RD_KAFKA_RESP_ERR__FATAL, text);
}

rd_kafka_resp_err_t rd_kafka_fatal_error(rd_kafka_t *rk, char *text, size_t n)
{
    if (rk->fatal)
        snprintf(text, n, "%s", rk->fatal_text);
    return rk->fatal;
}

void handles_broker(bool up)
{
    for (rd_kafka_t *rk = handles; rk; rk = rk->next) {
        if (rk->node->dead)
            continue;
        if (!up && chance(0.8))
            say(rk, RD_KAFKA_RESP_ERR__TRANSPORT, "connection refused");
        if (!up && chance(0.8))
            say(rk, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down");
        if (rk->producer)
            producer_broker(rk, up);
    }
}

/* ---- on the way to the broker */

int64_t until_of(int timeout_ms)
{
    return timeout_ms < 0 ? FOREVER : now + (int64_t)timeout_ms * MS;
}

int64_t hop(void)
{
    if (now < plan.faults_until && chance(plan.slow))
        return between(5 * MS, 800 * MS);
    return between(20, chance(0.9) ? 600 : 6 * MS);
}

bool travel(int64_t until)
{
    for (;;) {
        if (!wait_for(broker_is_up, NULL, until))
            return false;
        int64_t there = now + hop();
        wait_for(NULL, NULL, there < until ? there : until);
        if (there > until)
            return false;
        if (broker_up)
            return true;
    }
}

/* ---- queues */

void queue_init(struct rd_kafka_queue_s *q)
{
    *q = (struct rd_kafka_queue_s){.last = &q->first, .fd = -1};
}

struct op *op_new(enum op_kind kind)
{
    struct op *op = mem_alloc(sizeof *op);
    op->kind = kind;
    return op;
}

void queue_push(struct rd_kafka_queue_s *q, struct op *op)
{
    while (q->forward)
        q = q->forward;
    bool was_empty = !q->first;
    op->next = NULL;
    *q->last = op;
    q->last = &op->next;
    if (was_empty && q->fd >= 0)
        fd_add(q->fd);
}

struct op *queue_pop(struct rd_kafka_queue_s *q)
{
    struct op *op = q->first;
    if (!op)
        return NULL;
    q->first = op->next;
    if (!q->first)
        q->last = &q->first;
    return op;
}

bool queue_has(void *q)
{
    const struct rd_kafka_queue_s *at = q;
    while (at->forward)
        at = at->forward;
    return at->first || at->yielded;
}

rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *rk)
{
    rd_kafka_queue_t *q = mem_alloc(sizeof *q);
    (void)rk;
    queue_init(q);
    return q;
}

/* Queues belong to their handles, but for those of queue_new, which are few. */
void rd_kafka_queue_destroy(rd_kafka_queue_t *q)
{
    (void)q;
}

rd_kafka_queue_t *rd_kafka_queue_get_main(rd_kafka_t *rk)
{
    return &rk->main;
}

void rd_kafka_queue_io_event_enable(rd_kafka_queue_t *q, int fd, const void *payload, size_t n)
{
    (void)payload;
    (void)n;
    q->fd = fd;
}

void rd_kafka_queue_yield(rd_kafka_queue_t *q)
{
    q->yielded = true;
}

void rd_kafka_queue_forward(rd_kafka_queue_t *from, rd_kafka_queue_t *to)
{
    from->forward = to;
}

/* Callbacks run here. Returns how many events were served. */
int rd_kafka_poll(rd_kafka_t *rk, int timeout_ms)
{
    int n = 0;
    step(timeout_ms ? "rd_kafka_poll, waiting" : "rd_kafka_poll");
    if (timeout_ms)
        wait_for(queue_has, &rk->main, until_of(timeout_ms));
    rk->main.yielded = false;
    for (struct op *op; (op = queue_pop(&rk->main)); n++) {
        if (op->kind == OP_REPORT) {
            rk->conf.report(rk, op->message, rk->conf.opaque);
            rd_kafka_message_destroy(op->message);
        } else if (rk->conf.error) {
            trace("%s: %s", rk->name, op->text);
            rk->conf.error(rk, op->err, op->text, rk->conf.opaque);
        }
        free(op);
    }
    return n;
}

/* ---- topics */

rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *rk, const char *topic, rd_kafka_topic_conf_t *conf)
{
    (void)conf;
    rd_kafka_topic_t *t = mem_alloc(sizeof *t);
    t->of = rk;
    snprintf(t->name, sizeof t->name, "%s", topic);
    return t;
}

const char *rd_kafka_topic_name(const rd_kafka_topic_t *t)
{
    return t->name;
}

void rd_kafka_topic_destroy(rd_kafka_topic_t *t)
{
    free(t);
}

/* ---- messages: the private part follows the public one */

struct letter {
    rd_kafka_message_t public;
    rd_kafka_topic_t topic;
    const struct entry *entry;
};

rd_kafka_message_t *message_of(const struct log *l, const struct entry *e)
{
    struct letter *m = mem_alloc(sizeof *m);
    snprintf(m->topic.name, sizeof m->topic.name, "%s", l->name);
    m->entry = e;
    m->public = (rd_kafka_message_t){.rkt = &m->topic,
                                     .partition = l->partition,
                                     .payload = (void *)(uintptr_t)e->value.p,
                                     .len = e->value.n,
                                     .key = (void *)(uintptr_t)e->key.p,
                                     .key_len = e->key.n,
                                     .offset = e->offset};
    return &m->public;
}

rd_kafka_message_t *message_error(const char *topic, int partition, int64_t offset, rd_kafka_resp_err_t err)
{
    struct letter *m = mem_alloc(sizeof *m);
    snprintf(m->topic.name, sizeof m->topic.name, "%s", topic);
    m->public =
        (rd_kafka_message_t){.err = err, .rkt = *topic ? &m->topic : NULL, .partition = partition, .offset = offset};
    return &m->public;
}

void rd_kafka_message_destroy(rd_kafka_message_t *m)
{
    free(m);
}

const char *rd_kafka_message_errstr(const rd_kafka_message_t *m)
{
    return rd_kafka_err2str(m->err);
}

int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *m, rd_kafka_timestamp_type_t *type)
{
    const struct letter *l = (const struct letter *)m;
    *type = RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    return l->entry ? l->entry->ts_ms : -1;
}

/* The headers of a message that was read are its entry. Those of one to be sent are producer.c's, and are not asked. */
rd_kafka_resp_err_t rd_kafka_message_headers(const rd_kafka_message_t *m, rd_kafka_headers_t **out)
{
    const struct letter *l = (const struct letter *)m;
    if (!l->entry || !l->entry->nheaders)
        return RD_KAFKA_RESP_ERR__NOENT;
    *out = (rd_kafka_headers_t *)(uintptr_t)l->entry;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

size_t rd_kafka_header_cnt(const rd_kafka_headers_t *h)
{
    return ((const struct entry *)(const void *)h)->nheaders;
}

rd_kafka_resp_err_t rd_kafka_header_get_all(const rd_kafka_headers_t *h, size_t i, const char **name,
                                            const void **value, size_t *n)
{
    const struct entry *e = (const struct entry *)(const void *)h;
    if (i >= e->nheaders)
        return RD_KAFKA_RESP_ERR__NOENT;
    *name = e->header[i].name.p;
    *value = e->header[i].value.p;
    *n = e->header[i].value.n;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_header_get_last(const rd_kafka_headers_t *h, const char *name, const void **value,
                                             size_t *n)
{
    const struct entry *e = (const struct entry *)(const void *)h;
    for (size_t i = e->nheaders; i-- > 0;)
        if (strcmp(e->header[i].name.p, name) == 0) {
            *value = e->header[i].value.p;
            *n = e->header[i].value.n;
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        }
    return RD_KAFKA_RESP_ERR__NOENT;
}

/* ---- lists */

rd_kafka_topic_partition_list_t *rd_kafka_topic_partition_list_new(int size)
{
    rd_kafka_topic_partition_list_t *l = mem_alloc(sizeof *l);
    l->size = size > 0 ? size : 1;
    l->elems = mem_alloc((size_t)l->size * sizeof *l->elems);
    return l;
}

void rd_kafka_topic_partition_list_destroy(rd_kafka_topic_partition_list_t *l)
{
    for (int i = 0; i < l->cnt; i++) {
        free(l->elems[i].topic);
        free(l->elems[i].metadata);
    }
    free(l->elems);
    free(l);
}

rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_add(rd_kafka_topic_partition_list_t *l, const char *topic,
                                                              int32_t partition)
{
    if (l->cnt == l->size) {
        l->size *= 2;
        l->elems = mem_grow(l->elems, (size_t)l->size * sizeof *l->elems);
    }
    rd_kafka_topic_partition_t *t = &l->elems[l->cnt++];
    *t = (rd_kafka_topic_partition_t){
        .topic = strdup(topic), .partition = partition, .offset = RD_KAFKA_OFFSET_INVALID};
    return t;
}

rd_kafka_topic_partition_t *rd_kafka_topic_partition_list_find(const rd_kafka_topic_partition_list_t *l,
                                                               const char *topic, int32_t partition)
{
    for (int i = 0; i < l->cnt; i++)
        if (l->elems[i].partition == partition && strcmp(l->elems[i].topic, topic) == 0)
            return &l->elems[i];
    return NULL;
}

/* ---- errors */

struct rd_kafka_error_s {
    rd_kafka_resp_err_t code;
    bool fatal, retriable, abortable;
    char text[128];
};

rd_kafka_error_t *error_new(rd_kafka_resp_err_t code, bool fatal, bool retriable, bool abortable, const char *text)
{
    rd_kafka_error_t *e = mem_alloc(sizeof *e);
    *e = (rd_kafka_error_t){.code = code, .fatal = fatal, .retriable = retriable, .abortable = abortable};
    snprintf(e->text, sizeof e->text, "%s", text);
    trace("= %s: %s%s%s%s", text, rd_kafka_err2str(code), fatal ? ", fatal" : "", retriable ? ", retriable" : "",
          abortable ? ", abortable" : "");
    return e;
}

rd_kafka_resp_err_t rd_kafka_error_code(const rd_kafka_error_t *e)
{
    return e ? e->code : RD_KAFKA_RESP_ERR_NO_ERROR;
}

const char *rd_kafka_error_string(const rd_kafka_error_t *e)
{
    return e ? e->text : "";
}

int rd_kafka_error_is_fatal(const rd_kafka_error_t *e)
{
    return e && e->fatal;
}

int rd_kafka_error_is_retriable(const rd_kafka_error_t *e)
{
    return e && e->retriable;
}

int rd_kafka_error_txn_requires_abort(const rd_kafka_error_t *e)
{
    return e && e->abortable;
}

void rd_kafka_error_destroy(rd_kafka_error_t *e)
{
    free(e);
}

const char *rd_kafka_err2str(rd_kafka_resp_err_t err)
{
    static char text[4][32];
    static int at;
    at = (at + 1) % 4;
    snprintf(text[at], sizeof text[at], "error %d", (int)err);
    return text[at];
}
