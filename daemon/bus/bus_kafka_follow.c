/* The follower: takes in the changelog and the history of partitions that no worker of this process holds. A partition's state is
 * first brought up as for serving, one partition after the other; from there on the tails of all are read together. They are
 * started and stopped one by one: librdkafka 2.0.2 dies of assignments that follow upon one another. */
#include "bus/bus_kafka.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define READ_RECORDS 2000
#define ASK_MS 1000  /* between two questions where the changelogs end */
#define TAKE_MS 50   /* what comes in small parts is stored this often */
#define STEADY_MS 30000 /* so long after a new start without another: the next need not wait */

/* What a followed partition has beside its part. */
struct tail {
    bool reads;              /* both logs are being read */
    int64_t history;         /* next offset of the history; -1: not known yet */
    int64_t seen;            /* the changelog was read up to here, markers of transactions included */
    rd_kafka_message_t **m;  /* of the history, not handed over yet */
    size_t n, cap;
    int64_t mark, mark_at;   /* a high-water mark of the changelog, and when it was asked for; -1: none is waited for */
};

struct follow {
    struct kafka k; /* first */
    struct tail *tail; /* by partition */
    int ntail;
    rd_kafka_topic_t *log[2]; /* changelog, history */
    rd_kafka_queue_t *queue;
    int64_t ask_at, take_at;
};

static struct follow *follow_of(struct kafka *k)
{
    return (struct follow *)(void *)k;
}

static const enum topic followed[2] = {TOPIC_CHANGELOG, TOPIC_HISTORY};

static void stop_reading(struct follow *f, int id)
{
    for (int i = 0; i < 2 && f->tail[id].reads; i++)
        rd_kafka_consume_stop(f->log[i], id);
    f->tail[id].reads = false;
}

static void drop_history(struct tail *t)
{
    for (size_t i = 0; i < t->n; i++)
        rd_kafka_message_destroy(t->m[i]);
    t->n = 0;
}

/* ---- which partitions */

static void let_go(struct follow *f, size_t i)
{
    struct kafka *k = &f->k;
    struct part *p = k->part[i];
    if (k->behind == p)
        k->behind = NULL;
    if (p->state == PART_CHANGELOG)
        kafka_log_end(k);
    stop_reading(f, p->id);
    drop_history(&f->tail[p->id]);
    k->hooks.release(k->hooks.ctx, p->id, false);
    kafka_part_free(p);
    k->part[i] = k->part[--k->nparts];
    kafka_parts_tell(k);
}

static void take(struct follow *f, int id)
{
    struct kafka *k = &f->k;
    if (kafka_part(k, id) || !k->hooks.claim(k->hooks.ctx, id))
        return;
    struct part *p = k->part[k->nparts++] = kafka_part_new(id);
    p->claimed = true;
    f->tail[id] = (struct tail){.history = -1, .seen = -1, .mark = -1, .m = f->tail[id].m, .cap = f->tail[id].cap};
    p->store = k->hooks.acquire(k->hooks.ctx, id);
    p->at = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    if (p->store)
        k->hooks.where(k->hooks.ctx, id, &p->at);
    p->state = PART_COMMITTED;
    if (!p->store)
        kafka_part_fail(k, p, "its store cannot be opened");
}

static bool is_to_begin_again(const struct part *p)
{
    return p->state == PART_FAILED && kafka_monotonic_ms() >= p->retry_at;
}

static void choose(struct follow *f)
{
    struct kafka *k = &f->k;
    int n = atomic_load(&k->npartitions);
    for (size_t i = 0; i < k->nparts; i++)
        if (k->hooks.wanted(k->hooks.ctx, k->part[i]->id) || is_to_begin_again(k->part[i]))
            let_go(f, i--);
    if (n > f->ntail) {
        f->tail = mem_grow(f->tail, (size_t)n * sizeof *f->tail);
        k->part = mem_grow(k->part, (size_t)n * sizeof(struct part *));
        for (; f->ntail < n; f->ntail++)
            f->tail[f->ntail] = (struct tail){.history = -1, .seen = -1, .mark = -1};
    }
    for (int id = 0; id < n; id++)
        take(f, id);
}

/* ---- bringing one up */

static void bring_up(struct follow *f)
{
    struct kafka *k = &f->k;
    struct part *p = NULL;
    for (size_t i = 0; i < k->nparts; i++) /* what was begun comes first: one log is read at a time */
        if (k->part[i]->state < PART_RESTORED && (!p || k->part[i]->state > p->state))
            p = k->part[i];
    if (!p)
        return;
    enum part_state before = p->state;
    kafka_part_step(k, p);
    if (p->state != PART_RESTORED) {
        k->busy |= p->state != before;
        return;
    }
    kafka_log_end(k);
    k->hooks.where(k->hooks.ctx, p->id, &p->at);
    kafka_part_drop_held(p);
    p->resume = p->at.changelog_next;
    f->tail[p->id].history = p->at.history_next;
    f->tail[p->id].seen = -1;
    p->state = PART_RUNS;
}

/* ---- the tails */

/* A log's first offset stands for a position that is not known, or, of the history, is gone: serving would go on without it, too. */
static bool start_of(struct kafka *k, const struct part *p, enum topic topic, int64_t *at)
{
    int64_t low, high;
    if (*at > 0 && topic == TOPIC_CHANGELOG)
        return true;
    if (!kafka_watermarks(k, k->topic[topic], p->id, &low, &high))
        return false;
    if (*at > 0 && *at < low)
        log_warn("kafka: partition %d: %s begins at offset %lld, records from %lld on are gone", p->id, k->topic[topic],
                 (long long)low, (long long)*at);
    *at = *at < low ? low : *at;
    return true;
}

static void start_reading(struct follow *f, struct part *p)
{
    struct kafka *k = &f->k;
    struct tail *t = &f->tail[p->id];
    if (!start_of(k, p, TOPIC_CHANGELOG, &p->resume) || !start_of(k, p, TOPIC_HISTORY, &t->history))
        return;
    const int64_t from[2] = {p->resume, t->history};
    t->reads = true;
    for (int i = 0; i < 2; i++)
        if (rd_kafka_consume_start_queue(f->log[i], p->id, from[i], f->queue) != 0)
            kafka_restart(k, "partition %d: %s cannot be followed: %s", p->id, k->topic[followed[i]],
                          rd_kafka_err2str(rd_kafka_last_error()));
}

static void tail_error(struct follow *f, struct part *p, const rd_kafka_message_t *m)
{
    struct kafka *k = &f->k;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (p && kafka_log_is(k, p, TOPIC_CHANGELOG, m) && m->offset > f->tail[p->id].seen)
            f->tail[p->id].seen = m->offset;
        return;
    }
    if (!m->rkt || (p && p->state == PART_RUNS && !kafka_part_misses(k, p, m)))
        kafka_reason(k, "following %s: %s", m->rkt ? rd_kafka_topic_name(m->rkt) : "the topics", rd_kafka_message_errstr(m));
}

static void route(struct follow *f, rd_kafka_message_t *m)
{
    struct kafka *k = &f->k;
    struct part *p = m->rkt ? kafka_part(k, m->partition) : NULL;
    if (p && !f->tail[p->id].reads)
        p = NULL; /* of an earlier time that it was followed */
    if (m->err)
        tail_error(f, p, m);
    if (m->err || !p || p->state != PART_RUNS) {
        rd_kafka_message_destroy(m);
        return;
    }
    if (kafka_log_is(k, p, TOPIC_CHANGELOG, m)) {
        kafka_log_take(k, p, m);
        return;
    }
    struct tail *t = &f->tail[p->id];
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->m = mem_grow(t->m, t->cap * sizeof(rd_kafka_message_t *));
    }
    t->m[t->n++] = m;
    t->history = m->offset + 1;
}

static void store_history(struct follow *f, struct part *p)
{
    struct tail *t = &f->tail[p->id];
    struct records r = {0};
    arena_reset(p->arena);
    for (size_t i = 0; i < t->n; i++)
        kafka_records_add(&r, t->m[i], TOPIC_HISTORY, p->arena);
    if (r.n && !f->k.hooks.restore(f->k.hooks.ctx, p->id, r.of, r.n, NULL, t->history))
        kafka_part_fail(&f->k, p, NULL);
    free(r.of);
    drop_history(t);
}

static void store_all(struct follow *f)
{
    struct kafka *k = &f->k;
    for (size_t i = 0; i < k->nparts && !k->restart; i++)
        if (k->part[i]->state == PART_RUNS) {
            store_history(f, k->part[i]);
            kafka_log_hand_over_front(k, k->part[i]);
        }
}

static void read_tails(struct follow *f)
{
    struct kafka *k = &f->k;
    rd_kafka_message_t *m[READ_RECORDS];
    int64_t now = kafka_monotonic_ms();
    if (now < f->take_at)
        return;
    ssize_t n = rd_kafka_consume_batch_queue(f->queue, 0, m, READ_RECORDS);
    for (ssize_t i = 0; i < n; i++)
        route(f, m[i]);
    if (n > 0)
        store_all(f);
    if (n == READ_RECORDS)
        k->busy = true;
    else if (n > 0)
        f->take_at = now + TAKE_MS;
}

/* ---- how old it is */

/* One question for all. What is below such a mark was committed, or was open, when it was asked for. */
static void ask_marks(struct follow *f, int64_t now)
{
    struct kafka *k = &f->k;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->nparts);
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_RUNS && f->tail[k->part[i]->id].mark < 0)
            rd_kafka_topic_partition_list_add(list, k->topic[TOPIC_CHANGELOG], k->part[i]->id)->offset =
                RD_KAFKA_OFFSET_END;
    if (list->cnt && rd_kafka_offsets_for_times(k->lookout.rk, list, SLICE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        for (int i = 0; i < list->cnt; i++)
            if (!list->elems[i].err && list->elems[i].offset >= 0) {
                f->tail[list->elems[i].partition].mark = list->elems[i].offset;
                f->tail[list->elems[i].partition].mark_at = now;
            }
    rd_kafka_topic_partition_list_destroy(list);
}

static void check_marks(struct follow *f)
{
    struct kafka *k = &f->k;
    int64_t now = kafka_monotonic_ms();
    if (now >= f->ask_at) {
        f->ask_at = now + ASK_MS;
        ask_marks(f, now);
    }
    for (size_t i = 0; i < k->nparts; i++) {
        struct part *p = k->part[i];
        struct tail *t = &f->tail[p->id];
        if (p->state != PART_RUNS || t->mark < 0 || p->pending || p->piece || (t->seen < t->mark && p->resume < t->mark))
            continue;
        t->mark = -1;
        k->hooks.followed(k->hooks.ctx, p->id, t->mark_at);
        kafka_put_read_at(k, p);
    }
}

/* ---- the bus */

static void start_again(struct follow *f)
{
    struct kafka *k = &f->k;
    while (k->nparts)
        let_go(f, 0);
    kafka_log_end(k);
    k->backoff = k->backoff ? (k->backoff < 5000 ? k->backoff * 2 : 10000) : 100;
    k->retry_at = kafka_monotonic_ms() + k->backoff;
    k->phase = PHASE_VERIFY;
    k->restart = false;
}

static void serve(struct follow *f)
{
    struct kafka *k = &f->k;
    int64_t now = kafka_monotonic_ms();
    k->busy = false;
    if (now < k->retry_at)
        return;
    if (k->phase == PHASE_VERIFY) {
        if (!kafka_topics_verify(k))
            return;
        kafka_no_reason(k); /* such as that a topic did not exist yet */
        k->phase = PHASE_RUN;
    }
    choose(f);
    bring_up(f);
    for (size_t i = 0; i < k->nparts && !k->restart; i++)
        if (k->part[i]->state == PART_RUNS && !f->tail[k->part[i]->id].reads)
            start_reading(f, k->part[i]);
    if (!k->restart)
        read_tails(f);
    if (!k->restart)
        check_marks(f);
    if (k->restart)
        start_again(f);
    else if (now - k->retry_at > STEADY_MS)
        k->backoff = 0;
}

static bool follow_poll(struct bus *b, int timeout_ms, struct err *e)
{
    struct kafka *k = kafka_of(b);
    uint64_t count;
    serve(follow_of(k));
    bool coming = k->phase == PHASE_VERIFY && kafka_monotonic_ms() >= k->retry_at;
    struct pollfd fd = {.fd = k->wakefd, .events = POLLIN};
    int64_t take = follow_of(k)->take_at - kafka_monotonic_ms();
    int wait = k->busy || coming ? 0 : take > 0 && take < timeout_ms ? (int)take : timeout_ms;
    for (size_t i = 0; i < k->nparts && wait > 5; i++)
        if (k->part[i]->state < PART_RESTORED)
            wait = 5; /* librdkafka is filling its queue */
    if (poll(&fd, 1, wait) < 0 && errno != EINTR)
        return err_set(e, "kafka: poll: %s", strerror(errno));
    if (read(k->wakefd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
        return err_set(e, "kafka: eventfd: %s", strerror(errno));
    return true;
}

static void follow_wake(struct bus *b)
{
    kafka_stir(kafka_of(b));
}

static void follow_progress(struct bus *b, int partition, struct bus_progress *out)
{
    const struct part *p = kafka_part(kafka_of(b), partition);
    kafka_progress(b, partition, out);
    out->lag = -1;
    if (p && p->state == PART_RUNS)
        out->what = "following";
}

static void follow_close(struct bus *b)
{
    struct follow *f = follow_of(kafka_of(b));
    while (f->k.nparts)
        let_go(f, 0);
    for (int i = 0; i < f->ntail; i++)
        free(f->tail[i].m);
    free(f->tail);
    if (f->queue) {
        rd_kafka_queue_io_event_enable(f->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(f->queue);
    }
    for (int i = 0; i < 2; i++)
        if (f->log[i])
            rd_kafka_topic_destroy(f->log[i]);
    kafka_close(b);
}

static int follow_partitions(struct bus *b)
{
    return atomic_load(&kafka_of(b)->npartitions);
}

static const struct bus_ops follow_ops = {
    .name = "kafka follower",
    .poll = follow_poll,
    .wake = follow_wake,
    .partitions = follow_partitions,
    .progress = follow_progress,
    .trouble = kafka_trouble,
    .close = follow_close,
};

struct bus *bus_kafka_follow_open(const struct bus_kafka_options *o, const struct bus_hooks *hooks, struct err *e)
{
    struct follow *f = mem_alloc(sizeof *f);
    struct kafka *k = &f->k;
    if (!kafka_base_open(k, &follow_ops, o, hooks, e) || !(k->consumer = kafka_handle_new(k, ROLE_FOLLOWER, e))) {
        kafka_close(&k->bus);
        return NULL;
    }
    f->queue = kafka_watch(k, rd_kafka_queue_new(k->consumer));
    for (int i = 0; i < 2; i++)
        f->log[i] = rd_kafka_topic_new(k->consumer, k->topic[followed[i]], NULL);
    return &k->bus;
}
