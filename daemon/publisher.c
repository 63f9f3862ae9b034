#include "publisher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/query.h"
#include "engine/row.h"

#define LOOK_LEAST_MS 2  /* while the node is not ready: how soon to look again … */
#define LOOK_MOST_MS 500 /* … at most, after a while */
#define OUTCOME_MS 60000 /* how long to wait for what became of a publication */

struct publisher {
    struct node *node;
    const char *const *folder;
    size_t n;
    void (*done)(void *ctx);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stirred;
    bool stop, again, committed;
};

/* ---- waiting */

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until *flag or stop; ms -1: for ever. Clears the flag. False: time to stop. */
static bool wait_for(struct publisher *p, bool *flag, int64_t ms)
{
    int64_t end = monotonic_ms() + ms;
    const struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};

    pthread_mutex_lock(&p->lock);
    while (!p->stop && !*flag)
        if (ms < 0)
            pthread_cond_wait(&p->stirred, &p->lock);
        else if (pthread_cond_timedwait(&p->stirred, &p->lock, &until) == ETIMEDOUT)
            break;
    *flag = false;
    bool go_on = !p->stop;
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

static void stir(struct publisher *p, bool *flag)
{
    pthread_mutex_lock(&p->lock);
    *flag = true;
    pthread_cond_signal(&p->stirred);
    pthread_mutex_unlock(&p->lock);
}

/* The node does not say when it gets ready. */
static bool wait_ready(struct publisher *p)
{
    struct node_status s;

    for (int64_t ms = LOOK_LEAST_MS;; ms = ms * 2 < LOOK_MOST_MS ? ms * 2 : LOOK_MOST_MS) {
        node_status(p->node, &s);
        if (s.ready)
            return true;
        if (!wait_for(p, &p->committed, ms))
            return false;
    }
}

/* ---- one folder */

static enum query_found outcome(struct publisher *p, const struct node_published *what, struct arena *a,
                                struct slice *json)
{
    struct err why;
    struct store_txn *t = node_read(p->node, node_partition_of(p->node, what->workflow), &why);
    enum query_found found = t != NULL ? query_event(t, what->source, what->id, a, json) : QUERY_UNKNOWN;

    store_abort(t);
    return found;
}

static void await_outcome(struct publisher *p, const char *folder, const struct node_published *what,
                          struct arena *a)
{
    int64_t end = monotonic_ms() + OUTCOME_MS;
    enum query_found found;
    struct slice json = S(""), reasons = S("");

    while ((found = outcome(p, what, a, &json)) == QUERY_UNKNOWN && monotonic_ms() < end)
        if (!wait_for(p, &p->committed, end - monotonic_ms()))
            return;
    if (found == QUERY_APPLIED)
        log_info("%s: workflow %.*s is in force", folder, SLICE_ARG(what->workflow));
    else if (found == QUERY_UNKNOWN)
        log_warn("%s: workflow %.*s is published, but not applied yet", folder, SLICE_ARG(what->workflow));
    else if (row_member(json, "reasons", &reasons))
        log_error("%s: workflow %.*s was refused: %.*s", folder, SLICE_ARG(what->workflow),
                  SLICE_ARG(reasons));
}

static void publish(struct publisher *p, const char *folder)
{
    struct arena *a = arena_new();
    struct diags d = {.arena = a};
    struct node_published what;
    struct err why = {{0}};

    if (!node_publish(p->node, folder, S("duband"), S("configured folder"), &d, &what, &why)) {
        diags_print(stderr, &d, isatty(2) == 1);
        log_error("%s: not published: %s; what is in force stays", folder, why.text);
    } else if (what.unchanged) {
        log_info("%s: workflow %.*s is in force as it is", folder, SLICE_ARG(what.workflow));
    } else if (what.elsewhere) {
        log_info("%s: workflow %.*s is published; another node serves it", folder, SLICE_ARG(what.workflow));
    } else {
        await_outcome(p, folder, &what, a);
    }
    arena_free(a);
}

/* ---- the thread */

static bool anything_in_force(struct publisher *p)
{
    int partition[64];
    size_t n = node_partitions(p->node, partition, 64);
    bool any = false;

    for (size_t i = 0; !any && i < n && i < 64; i++) {
        struct err why;
        struct store_txn *t = node_read(p->node, partition[i], &why);
        struct slice key, value;

        if (t == NULL)
            continue;
        struct store_iter *it = store_iter_new(t, TABLE_DEFINITION);
        any = store_iter_seek(it, S(""), &key, &value);
        store_iter_free(it);
        store_abort(t);
    }
    return any;
}

static void *run(void *arg)
{
    struct publisher *p = arg;
    bool first = true, go_on = true;

    while (go_on && wait_ready(p)) {
        for (size_t i = 0; i < p->n; i++)
            publish(p, p->folder[i]);
        if (first && !anything_in_force(p))
            log_warn("no workflow is in force: list its folder under `workflows:`, or `dubanctl publish` it");
        if (first)
            p->done(p->ctx);
        first = false;
        go_on = wait_for(p, &p->again, -1);
    }
    return NULL;
}

struct publisher *publisher_start(struct node *node, const char *const *folders, size_t n,
                                  void (*done)(void *ctx), void *ctx, struct err *e)
{
    struct publisher *p = mem_alloc(sizeof *p);
    pthread_condattr_t attr;

    *p = (struct publisher){.node = node, .folder = folders, .n = n, .done = done, .ctx = ctx};
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->stirred, &attr);
    pthread_condattr_destroy(&attr);
    int failed = pthread_create(&p->thread, NULL, run, p);
    if (failed == 0)
        return p;
    err_set(e, "the publisher's thread cannot be started: %s", strerror(failed));
    publisher_free(p);
    return NULL;
}

void publisher_again(struct publisher *p)
{
    stir(p, &p->again);
}

void publisher_committed(struct publisher *p)
{
    stir(p, &p->committed);
}

void publisher_stop(struct publisher *p)
{
    if (p == NULL)
        return;
    stir(p, &p->stop);
    pthread_join(p->thread, NULL);
}

void publisher_free(struct publisher *p)
{
    if (p == NULL)
        return;
    pthread_cond_destroy(&p->stirred);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
