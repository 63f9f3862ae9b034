#include "engine/worker_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define LOOK_MS 200   /* while a partition is restored: how often what is shown of it is brought up to date */
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
        if (!p->serving || p->waits || partition_runnable(p))
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

        if (p->engine == NULL || p->stopped || p->waits)
            continue;
        if (!p->serving)
            least = sooner(least, LOOK_MS);
        else if (p->more || p->draining || p->announce)
            least = sooner(least, p->retry_at > now ? p->retry_at - now : 0);
        else
            least = sooner(least, sooner(clock_timeout(p), partition_rest_timeout(p)));
    }
    return (int)least;
}

/* The registry hears once that this worker knows what is its own. */
static enum bus_standing standing(struct worker *w)
{
    enum bus_standing now = w->bus->ops->standing != NULL ? w->bus->ops->standing(w->bus) : BUS_RUNS;

    if (now != BUS_OUTSIDE && !w->assigned) {
        w->assigned = true;
        registry_assigned(w->owner.registry);
    }
    return now;
}

/* What other threads see of the partitions. What waits for them in all; -1: that is not known. */
static int64_t show_partitions(struct worker *w)
{
    int64_t lag = 0;

    for (size_t i = 0; i < w->npartitions; i++) {
        struct partition *p = w->partitions[i];
        struct bus_progress now = {
            .what = p->serving ? "serving" : "waiting", .at = -1, .end = -1, .lag = p->more ? -1 : 0};

        if (w->bus->ops->progress != NULL)
            w->bus->ops->progress(w->bus, p->id, &now);
        if (p->stopped)
            now.what = "stopped";
        lag = lag < 0 || now.lag < 0 ? -1 : lag + now.lag;
        pthread_mutex_lock(&p->registry->lock);
        p->progress = now;
        p->shown_batch = p->batch;
        pthread_mutex_unlock(&p->registry->lock);
    }
    return lag;
}

/* What other threads see of the worker. Counters of batches are kept in place. */
static void show_status(struct worker *w, const char *trouble)
{
    struct worker_status now = {.standing = standing(w),
                                .held = w->nclaims,
                                .next_due = INSTANT_MAX,
                                .clock_target = INSTANT_NONE,
                                .counters = w->closed};

    now.lag_records = show_partitions(w);
    for (size_t i = 0; i < w->npartitions; i++) {
        struct partition *p = w->partitions[i];
        struct engine_counters c;

        if (p->engine == NULL)
            continue;
        now.serving += p->serving && !p->stopped;
        engine_counters(p->engine, &c);
        counters_add(&now.counters, &c);
        now.programs += engine_programs(p->engine, NULL, 0);
        now.next_due = p->next_due < now.next_due ? p->next_due : now.next_due;
        if (engine_clock_target(p->engine) > now.clock_target)
            now.clock_target = engine_clock_target(p->engine);
        if (p->stopped)
            now.lag_records = -1;
    }
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
            struct partition *p = w->partitions[i];

            if (p->worker != w) /* claimed: somebody else in this process has it still */
                continue;
            partition_run(p);
            clock_tick(p);
            partition_rest(p);
        }
        show_status(w, "");
    }
    /* worker_ask_stop may still be waking the bus: it says when it has let go of it. */
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
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->nudge);
    arena_free(w->arena);
    free(w);
}

static void stir(struct owner *o)
{
    struct worker *w = (struct worker *)(void *)o;

    w->bus->ops->wake(w->bus);
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

static struct worker *worker_new(struct registry *r, const struct node_options *o, int slot)
{
    struct worker *w = mem_alloc(sizeof *w);

    w->owner = (struct owner){.registry = r, .stir = stir, .slot = slot};
    w->options = o;
    if (o->kafka)
        snprintf(w->source, sizeof w->source, "duband/%s-%d", o->kafka_options.node, slot);
    else
        snprintf(w->source, sizeof w->source, "duband/local");
    if (getrandom(&w->boot, sizeof w->boot, 0) != (ssize_t)sizeof w->boot)
        w->boot = (uint64_t)worker_now();
    w->arena = arena_new();
    w->status.next_due = INSTANT_MAX;
    w->status.clock_target = INSTANT_NONE;
    w->status.lag_records = -1;
    init_threads(w);
    return w;
}

/* What can be known to be wrong before anything runs is the caller's to hear. */
static bool open_bus(struct worker *w, struct err *e)
{
    struct bus_kafka_options kafka = w->options->kafka_options;
    struct bus_hooks hooks = partition_hooks;
    struct partition *only;

    hooks.ctx = w;
    kafka.slot = w->owner.slot;
    if (!w->options->kafka) {
        only = registry_place(w->owner.registry, 0, e);
        if (only == NULL || !partition_open(only, e))
            return false;
    }
    w->bus = w->options->kafka ? bus_kafka_open(&kafka, &hooks, e) : bus_local_open(&hooks, e);
    return w->bus != NULL;
}

struct worker *worker_start(struct registry *r, const struct node_options *o, int slot, struct err *e)
{
    struct worker *w = worker_new(r, o, slot);

    if (!open_bus(w, e)) {
        worker_free(w);
        return NULL;
    }
    registry_join(r, &w->owner);
    int failed = pthread_create(&w->thread, NULL, worker_loop, w);
    if (failed != 0) {
        err_set(e, "the worker's thread cannot be started: %s", strerror(failed));
        registry_leave(r, &w->owner);
        w->bus->ops->close(w->bus);
        worker_free(w);
        return NULL;
    }
    return w;
}

void worker_ask_stop(struct worker *w)
{
    atomic_store(&w->stop, true);
    w->bus->ops->wake(w->bus);
    registry_leave(w->owner.registry, &w->owner);
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_signal(&w->nudge);
    pthread_mutex_unlock(&w->lock);
}

void worker_stop(struct worker *w)
{
    pthread_join(w->thread, NULL);
    worker_free(w);
}

/* ---- what other threads ask */

void worker_append(struct worker *w, const struct record *r, void (*done)(void *ctx, const struct append_result *r), void *ctx)
{
    w->bus->ops->append(w->bus, r, done, ctx);
    pthread_mutex_lock(&w->lock);
    w->nudged = true;
    pthread_cond_signal(&w->nudge);
    pthread_mutex_unlock(&w->lock);
}

bool worker_is_full(struct worker *w)
{
    return atomic_load(&w->full);
}

struct bus *worker_bus(const struct worker *w)
{
    return w->bus;
}

void worker_status(struct worker *w, struct worker_status *out)
{
    pthread_mutex_lock(&w->lock);
    *out = w->status;
    pthread_mutex_unlock(&w->lock);
}
