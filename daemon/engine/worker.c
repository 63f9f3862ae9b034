#include "engine/worker_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define STUCK_MS 1000 /* while nothing can run: how often appends are served */

/* ---- the loop */

static void wait_nudge(struct worker *w, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->lock);
    while (!w->nudged && !atomic_load(&w->stop))
        if (pthread_cond_timedwait(&w->nudge, &w->lock, &until) == ETIMEDOUT)
            break;
    w->nudged = false;
    pthread_mutex_unlock(&w->lock);
}

/* The bus calls again at once while it has records that nobody takes: when no partition can take any, the
 * loop waits by itself. */
static void wait_if_stuck(struct worker *w)
{
    int64_t now = worker_monotonic(), wait = STUCK_MS;
    size_t held = 0;

    for (size_t i = 0; i < w->npartitions; i++) {
        const struct partition *p = w->partitions[i];

        if (p->engine == NULL)
            continue;
        held++;
        if (!p->serving || partition_runnable(p))
            return;
        if (!p->stopped && p->retry_at - now < wait)
            wait = p->retry_at - now;
    }
    if (held > 0 && wait > 0)
        wait_nudge(w, wait);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int poll_timeout(const struct worker *w)
{
    int64_t now = worker_monotonic(), least = -1;

    for (size_t i = 0; i < w->npartitions; i++) {
        const struct partition *p = w->partitions[i];

        if (p->engine == NULL || p->stopped)
            continue;
        if (p->serving && (p->more || p->draining))
            least = sooner(least, p->retry_at > now ? p->retry_at - now : 0);
        else
            least = sooner(least, sooner(clock_timeout(p), partition_rest_timeout(p)));
    }
    return (int)least;
}

/* What other threads see of the worker. Counters of batches are kept in place. */
static void show_status(struct worker *w, const char *trouble)
{
    struct worker_status now = {
        .ready = false, .next_due = INSTANT_MAX, .clock_target = INSTANT_NONE, .counters = w->closed};
    size_t held = 0, serving = 0;

    now.lag_records = w->options.kafka ? -1 : 0;
    for (size_t i = 0; i < w->npartitions; i++) {
        struct partition *p = w->partitions[i];
        struct engine_counters c;

        if (p->engine == NULL)
            continue;
        held++;
        serving += p->serving && !p->stopped;
        engine_counters(p->engine, &c);
        counters_add(&now.counters, &c);
        now.programs += engine_programs(p->engine, NULL, 0);
        now.next_due = p->next_due < now.next_due ? p->next_due : now.next_due;
        if (engine_clock_target(p->engine) > now.clock_target)
            now.clock_target = engine_clock_target(p->engine);
        if (p->more || p->stopped)
            now.lag_records = -1;
    }
    now.ready = held > 0 && serving == held;
    snprintf(now.trouble, sizeof now.trouble, "%s", trouble);
    pthread_mutex_lock(&w->lock);
    now.batches = w->status.batches;
    now.records = w->status.records;
    now.commit_ms_total = w->status.commit_ms_total;
    w->status = now;
    pthread_mutex_unlock(&w->lock);
}

static void *worker_loop(void *arg)
{
    struct worker *w = arg;
    struct err why, said = {{0}};

    while (!atomic_load(&w->stop)) {
        why.text[0] = 0;
        wait_if_stuck(w);
        if (!w->bus->ops->poll(w->bus, poll_timeout(w), &why)) {
            if (strcmp(why.text, said.text) != 0)
                log_error("%s", why.text);
            said = why;
            show_status(w, why.text);
            wait_nudge(w, STUCK_MS);
            continue;
        }
        for (size_t i = 0; i < w->npartitions && !atomic_load(&w->stop); i++) {
            partition_run(w->partitions[i]);
            clock_tick(w->partitions[i]);
            partition_rest(w->partitions[i]);
        }
        show_status(w, "");
    }
    /* worker_stop may still be waking the bus: it says when it has let go of it. */
    pthread_mutex_lock(&w->lock);
    while (!w->closing)
        pthread_cond_wait(&w->nudge, &w->lock);
    pthread_mutex_unlock(&w->lock);
    w->bus->ops->close(w->bus);
    return NULL;
}

/* ---- start and stop */

static void worker_free(struct worker *w)
{
    for (size_t i = 0; i < w->npartitions; i++)
        partition_free(w->partitions[i]);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->nudge);
    arena_free(w->arena);
    free(w->data);
    free(w);
}

static void init_threads(struct worker *w)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->nudge, &attr);
    pthread_condattr_destroy(&attr);
}

static struct worker *worker_new(const struct worker_options *o)
{
    struct worker *w = mem_alloc(sizeof *w);
    const char *node = o->kafka && o->kafka_options.node != NULL ? o->kafka_options.node : "local";

    w->options = *o;
    w->options.kafka_options.events_time = o->events_time;
    if (w->options.batch == 0)
        w->options.batch = 10000;
    w->data = mem_alloc(strlen(o->data) + 1);
    memcpy(w->data, o->data, strlen(o->data));
    snprintf(w->source, sizeof w->source, "duband/%s", node);
    if (getrandom(&w->boot, sizeof w->boot, 0) != (ssize_t)sizeof w->boot)
        w->boot = (uint64_t)worker_now();
    w->arena = arena_new();
    w->status.next_due = INSTANT_MAX;
    w->status.clock_target = INSTANT_NONE;
    init_threads(w);
    return w;
}

/* What can be known to be wrong before anything runs is the caller's to hear. */
static bool open_bus(struct worker *w, struct err *e)
{
    struct bus_hooks hooks = partition_hooks;

    hooks.ctx = w;
    if (mkdir(w->data, 0750) != 0 && errno != EEXIST)
        return err_set(e, "%s: cannot be created: %s", w->data, strerror(errno));
    if (w->options.kafka ? !partitions_keep(w, e) : partition_open(w, 0, e) == NULL)
        return false;
    w->bus =
        w->options.kafka ? bus_kafka_open(&w->options.kafka_options, &hooks, e) : bus_local_open(&hooks, e);
    return w->bus != NULL;
}

struct worker *worker_start(const struct worker_options *o, struct err *e)
{
    struct worker *w = worker_new(o);

    if (!open_bus(w, e)) {
        worker_free(w);
        return NULL;
    }
    int failed = pthread_create(&w->thread, NULL, worker_loop, w);
    if (failed != 0) {
        err_set(e, "the worker's thread cannot be started: %s", strerror(failed));
        w->bus->ops->close(w->bus);
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_stop(struct worker *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->stop, true);
    w->bus->ops->wake(w->bus);
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->nudge);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    worker_free(w);
}
