/* The bus on Kafka: opening, the phases it goes through, waiting. */
#include "bus/bus_kafka.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LIVENESS_MS 1000   /* the group wants to see a poll now and then, whatever happens */
#define RESTORE_MS 5       /* a slice of a restore is over, and more may lie in the queue */
#define BACKOFF_FIRST 100  /* between one new start and the next … */
#define BACKOFF_MOST 10000 /* … at most */

int64_t kafka_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kafka_stir(struct kafka *k)
{
    static const uint64_t one = 1;
    while (write(k->wakefd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void kafka_wake(struct kafka *k)
{
    atomic_store(&k->woken, true);
    kafka_stir(k);
}

static void wake(struct bus *b)
{
    kafka_wake(kafka_of(b));
}

static int partitions(struct bus *b)
{
    return atomic_load(&kafka_of(b)->npartitions);
}

static enum bus_standing standing(struct bus *b)
{
    enum phase now = kafka_of(b)->phase;
    return now == PHASE_RUN ? BUS_RUNS : now == PHASE_RESTORE ? BUS_ASSIGNED : BUS_OUTSIDE;
}

/* ---- handles */

rd_kafka_queue_t *kafka_watch(struct kafka *k, rd_kafka_queue_t *q)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(q, k->wakefd, &one, sizeof one);
    return q;
}

static void unwatch(rd_kafka_queue_t **q)
{
    if (!*q)
        return;
    rd_kafka_queue_io_event_enable(*q, -1, NULL, 0);
    rd_kafka_queue_destroy(*q);
    *q = NULL;
}

static bool consumer_open(struct kafka *k, struct err *e)
{
    k->shares = atomic_load(&k->npartitions);
    k->consumer = kafka_handle_new(k, ROLE_CONSUMER, e);
    if (!k->consumer)
        return false;
    rd_kafka_poll_set_consumer(k->consumer);
    k->consumer_queue = kafka_watch(k, rd_kafka_queue_get_consumer(k->consumer));
    return true;
}

static bool producer_open(struct kafka *k, struct err *e)
{
    k->request_made = k->request_bytes;
    k->producer = kafka_handle_new(k, ROLE_PRODUCER, e);
    if (!k->producer)
        return false;
    kafka_chunks_open(k);
    /* Made before init_transactions: a first message by a topic's name costs a second. */
    for (int i = 0; i < TOPIC_COUNT; i++)
        k->output[i] = i < MERGE_LANES ? NULL : rd_kafka_topic_new(k->producer, k->topic[i], NULL);
    return true;
}

static bool handles_open(struct kafka *k, struct err *e)
{
    return consumer_open(k, e) && producer_open(k, e);
}

/* A static member does not leave the group: a restarted node has its partitions back at once. */
static void consumer_close(struct kafka *k)
{
    if (k->consumer)
        rd_kafka_assign(k->consumer, NULL);
    unwatch(&k->consumer_queue);
    if (k->consumer)
        rd_kafka_destroy_flags(k->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    k->consumer = NULL;
}

static void producer_close(struct kafka *k)
{
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (k->output[i])
            rd_kafka_topic_destroy(k->output[i]);
        k->output[i] = NULL;
    }
    if (k->producer) {
        rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(k->producer);
    }
    k->producer = NULL;
}

static void handles_close(struct kafka *k)
{
    consumer_close(k);
    producer_close(k);
}

/* ---- phases */

static void start_again(struct kafka *k)
{
    kafka_release_all(k, true);
    handles_close(k);
    k->backoff = k->backoff ? k->backoff * 2 : BACKOFF_FIRST;
    if (k->backoff > BACKOFF_MOST)
        k->backoff = BACKOFF_MOST;
    k->retry_at = kafka_monotonic_ms() + k->backoff;
    k->phase = PHASE_START;
    k->restart = false;
}

static void step_start(struct kafka *k)
{
    struct err e;
    if (kafka_rival_there(k))
        return;
    if (handles_open(k, &e))
        k->phase = PHASE_VERIFY;
    else
        kafka_restart(k, "%s", e.text);
}

/* Some settings of handles depend on the topics: how much may lie ready, on how many partitions there are; how large
 * a request may be, on what they take. */
static bool handles_fit(struct kafka *k, struct err *e)
{
    if (k->shares != atomic_load(&k->npartitions)) {
        consumer_close(k);
        if (!consumer_open(k, e))
            return false;
    }
    if (k->request_made == k->request_bytes)
        return true;
    producer_close(k);
    return producer_open(k, e);
}

static void step_verify(struct kafka *k)
{
    struct err e;
    if (!kafka_topics_verify(k))
        return;
    if (handles_fit(k, &e))
        k->phase = PHASE_INIT;
    else
        kafka_restart(k, "%s", e.text);
}

static void step_init(struct kafka *k)
{
    rd_kafka_error_t *error = rd_kafka_init_transactions(k->producer, 2000);
    if (error) {
        bool again = rd_kafka_error_is_retriable(error) && !rd_kafka_error_is_fatal(error);
        if (!again && !kafka_deny_batch(k, rd_kafka_error_code(error)))
            kafka_restart(k, "the transactional producer: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(MERGE_LANES);
    for (int v = 0; v < MERGE_LANES; v++)
        rd_kafka_topic_partition_list_add(list, k->topic[v], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(k->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        kafka_restart(k, "subscribing: %s", rd_kafka_err2str(err));
    else
        k->phase = PHASE_GROUP;
}

static void step_run(struct kafka *k)
{
    kafka_input_serve(k);
    if (k->restart)
        return;
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_RUNS)
            kafka_put_read_at(k, k->part[i]);
    if (kafka_restore_late(k, kafka_monotonic_ms()))
        kafka_restore_step(k);
    if (!k->restart && !kafka_restore_reads(k))
        kafka_behind_step(k);
}

static void (*const step[])(struct kafka *) = {[PHASE_START] = step_start,
                                               [PHASE_VERIFY] = step_verify,
                                               [PHASE_INIT] = step_init,
                                               [PHASE_RESTORE] = kafka_restore_step,
                                               [PHASE_RUN] = step_run};

/* Callbacks run in here. Records come through the partitions' own queues, so what is left are errors of the
 * group. */
static void serve_group(struct kafka *k)
{
    rd_kafka_message_t *m;
    while (k->consumer && !k->restart && (m = rd_kafka_consumer_poll(k->consumer, 0))) {
        k->fenced |= m->err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
        if (m->err == RD_KAFKA_RESP_ERR__FATAL || m->err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
            kafka_restart(k, "the group: %s", rd_kafka_message_errstr(m));
        else if (m->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            kafka_deny(k, RIGHT_GROUP, 0); /* librdkafka goes on asking */
        else if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            kafka_reason(k, "the group: %s", rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
    }
}

/* One round; true: at once another, the phase went on. */
static bool serve(struct kafka *k)
{
    enum phase before = k->phase;
    if (k->producer)
        rd_kafka_poll(k->producer, 0);
    serve_group(k);
    if (k->restart) {
        start_again(k);
        return false;
    }
    k->busy = false;
    if (step[k->phase] && kafka_monotonic_ms() >= k->retry_at)
        step[k->phase](k);
    return k->phase != before || k->restart;
}

/* What a restore or a storm needed goes back to the system when it is over: librdkafka leaves it in the
 * allocator's many arenas. */
static void give_back(struct kafka *k, bool quiet)
{
    if (!quiet)
        k->grown = true;
    else if (k->grown && k->phase == PHASE_RUN) {
        mem_give_back();
        k->grown = false;
    }
}

/* How long nothing needs doing if nothing happens. */
static int64_t rest_ms(struct kafka *k, int64_t now)
{
    int64_t rest = LIVENESS_MS;
    if (k->retry_at > now && k->retry_at - now < rest)
        rest = k->retry_at - now;
    else if (k->phase == PHASE_RESTORE)
        rest = k->busy ? 0 : RESTORE_MS;
    else if (k->phase == PHASE_RUN && kafka_restore_late(k, now))
        rest = k->busy ? 0 : RESTORE_MS;
    else if (k->behind)
        rest = RESTORE_MS;
    else if (k->phase != PHASE_RUN && k->phase != PHASE_GROUP && k->retry_at <= now)
        rest = 0; /* the step itself waits for the broker */
    int64_t late = k->phase == PHASE_RUN ? kafka_restore_wait(k, now) : rest;
    if (late < rest)
        rest = late;
    for (size_t i = 0; i < k->nparts; i++)
        for (int v = 0; v < MERGE_LANES; v++) {
            int64_t ask = k->part[i]->lane[v].ask_at - now;
            if (ask > 0 && ask < rest)
                rest = ask;
        }
    return rest;
}

static bool kafka_poll(struct bus *b, int timeout_ms, struct err *e)
{
    struct kafka *k = kafka_of(b);
    if (k->batch.part)
        return err_set(e, "kafka: poll while a batch is open");
    int64_t until = timeout_ms < 0 ? INT64_MAX : kafka_monotonic_ms() + timeout_ms;
    for (;;) {
        uint64_t count;
        if (read(k->wakefd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
            return err_set(e, "kafka: eventfd: %s", strerror(errno));
        bool again = serve(k);
        bool stir = k->stir;
        k->stir = false;
        int64_t now = kafka_monotonic_ms();
        if (atomic_exchange(&k->woken, false) || stir || now >= until)
            return true;
        int64_t rest = again ? 0 : rest_ms(k, now);
        if (rest > until - now)
            rest = until - now;
        struct pollfd fd = {.fd = k->wakefd, .events = POLLIN};
        int n = poll(&fd, 1, (int)rest);
        if (n < 0 && errno != EINTR)
            return err_set(e, "kafka: poll: %s", strerror(errno));
        give_back(k, n == 0 && rest == LIVENESS_MS);
    }
}

/* ---- opening and closing */

static void options_copy(struct kafka *k, const struct bus_kafka_options *o)
{
    k->options = *o;
    k->options.property = ARENA_ARRAY(k->arena, struct header, o->nproperties);
    for (size_t i = 0; i < o->nproperties; i++) {
        k->options.property[i].name = arena_dup(k->arena, o->property[i].name);
        k->options.property[i].value = arena_dup(k->arena, o->property[i].value);
    }
    k->options.group = arena_dup(k->arena, slice_of(o->group)).p;
    k->options.node = arena_dup(k->arena, slice_of(o->node)).p;
    k->options.topic_prefix = arena_dup(k->arena, slice_of(o->topic_prefix)).p;
    k->options.url = arena_dup(k->arena, slice_of(o->url ? o->url : "")).p;
}

void kafka_close(struct bus *b)
{
    struct kafka *k = kafka_of(b);
    kafka_release_all(k, false);
    handles_close(k);
    kafka_appender_close(k);
    if (k->restorer)
        rd_kafka_assign(k->restorer, NULL);
    unwatch(&k->restorer_queue);
    unwatch(&k->admin_queue);
    if (k->restorer)
        rd_kafka_destroy_flags(k->restorer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    kafka_lookout_close(k);
    pthread_mutex_destroy(&k->trouble_lock);
    pthread_mutex_destroy(&k->hold.lock);
    if (k->wakefd >= 0)
        close(k->wakefd);
    kafka_chunks_close(k);
    arena_free(k->outbox.arena);
    arena_free(k->arena);
    free(k);
}

static const struct bus_ops kafka_ops = {
    .name = "kafka",
    .poll = kafka_poll,
    .take = kafka_take,
    .begin = kafka_begin,
    .emit = kafka_emit,
    .state = kafka_state,
    .commit = kafka_commit,
    .late = kafka_late,
    .undo = kafka_undo,
    .append = kafka_append,
    .wake = wake,
    .partitions = partitions,
    .standing = standing,
    .progress = kafka_progress,
    .trouble = kafka_trouble,
    .close = kafka_close,
};

/* What a bus and a follower have in common. */
bool kafka_base_open(struct kafka *k, const struct bus_ops *ops, const struct bus_kafka_options *o,
                     const struct bus_hooks *hooks, struct err *e)
{
    k->bus.ops = ops;
    k->hooks = *hooks;
    k->arena = arena_new();
    k->delete_retention_ms = 86400000; /* the broker's own default … */
    k->request_bytes = 1000000;        /* … and what no broker refuses */
    options_copy(k, o);
    kafka_topics_name(k);
    pthread_mutex_init(&k->trouble_lock, NULL);
    pthread_mutex_init(&k->hold.lock, NULL);
    k->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool ok = k->wakefd >= 0 || err_set(e, "kafka: eventfd: %s", strerror(errno));
    ok = ok && kafka_options_check(k, e);
    /* It initialises what close takes down, whatever comes of it. */
    bool lookout = kafka_lookout_open(k, ok ? e : NULL);
    if (!ok || !lookout || !(k->restorer = kafka_handle_new(k, ROLE_RESTORER, e)))
        return false;
    rd_kafka_poll_set_consumer(k->restorer);
    k->restorer_queue = kafka_watch(k, rd_kafka_queue_get_consumer(k->restorer));
    k->admin_queue = kafka_watch(k, rd_kafka_queue_new(k->restorer));
    k->phase = PHASE_VERIFY;
    return true;
}

struct bus *bus_kafka_open(const struct bus_kafka_options *o, const struct bus_hooks *hooks, struct err *e)
{
    struct kafka *k = mem_alloc(sizeof *k);
    /* A first look at the settings: what a handle refuses later can only be the broker's doing. */
    bool ok = kafka_base_open(k, &kafka_ops, o, hooks, e) && handles_open(k, e);
    bool appender = kafka_appender_open(k, ok ? e : NULL);
    if (ok && appender)
        return &k->bus;
    kafka_close(&k->bus);
    return NULL;
}
