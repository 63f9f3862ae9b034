#include "engine/directory.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/worker_private.h"

#define FRESH_MS 1000  /* an answer may be as old */
#define IDLE_MS 30000 /* nobody has asked for so long: the connection is given up */
#define ASKED_MAX 64  /* partitions of one look */

struct directory {
    const struct bus_kafka_options *options;
    void (*changed)(void *ctx);
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t asked;
    bool stop;
    int first; /* where the next look begins, so that every partition has its turn */
    size_t nwanted;
    struct entry {
        bool wanted;
        int64_t at; /* monotonic ms of the last look; 0: none */
        char url[NODE_URL_MAX];
    } entry[PARTITIONS_MAX];
};

/* With the lock held. False: nobody asked in time. */
static bool wait_asked(struct directory *d, bool for_ever)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_MS / 1000;
    while (!d->stop && d->nwanted == 0)
        if (for_ever)
            pthread_cond_wait(&d->asked, &d->lock);
        else if (pthread_cond_timedwait(&d->asked, &d->lock, &until) == ETIMEDOUT)
            return false;
    return true;
}

/* With the lock held. */
static size_t collect(struct directory *d, struct bus_kafka_owner *o)
{
    size_t n = 0;

    for (int i = 0; i < PARTITIONS_MAX && n < ASKED_MAX; i++) {
        int id = (d->first + i) % PARTITIONS_MAX;

        if (d->entry[id].wanted)
            o[n++] = (struct bus_kafka_owner){.partition = id};
    }
    if (n > 0)
        d->first = o[n - 1].partition + 1;
    return n;
}

/* With the lock held. What could not be read stays as it was. */
static void keep(struct directory *d, const struct bus_kafka_owner *o, size_t n)
{
    int64_t now = worker_monotonic();

    for (size_t i = 0; i < n; i++) {
        struct entry *entry = &d->entry[o[i].partition];

        if (o[i].known)
            snprintf(entry->url, sizeof entry->url, "%s", o[i].url);
        entry->at = now;
        entry->wanted = false;
        d->nwanted--;
    }
}

static void *look(void *arg)
{
    struct directory *d = arg;
    struct bus_kafka_directory *reader = NULL;
    struct bus_kafka_owner owner[ASKED_MAX];
    struct err why;

    pthread_mutex_lock(&d->lock);
    while (!d->stop) {
        if (!wait_asked(d, reader == NULL)) {
            pthread_mutex_unlock(&d->lock);
            bus_kafka_directory_close(reader);
            reader = NULL;
            pthread_mutex_lock(&d->lock);
            continue;
        }
        size_t n = d->stop ? 0 : collect(d, owner);
        pthread_mutex_unlock(&d->lock);
        if (n > 0 && reader == NULL && (reader = bus_kafka_directory_open(d->options, &why)) == NULL)
            log_error("who serves other partitions cannot be looked up: %s", why.text);
        if (n > 0 && reader != NULL && !bus_kafka_directory_read(reader, owner, n))
            log_debug("who serves %zu partition(s) could not be looked up in time", n);
        pthread_mutex_lock(&d->lock);
        keep(d, owner, n);
        pthread_mutex_unlock(&d->lock);
        if (n > 0)
            d->changed(d->ctx);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    bus_kafka_directory_close(reader);
    return NULL;
}

struct directory *directory_new(const struct bus_kafka_options *o, void (*changed)(void *ctx), void *ctx, struct err *e)
{
    struct directory *d = mem_alloc(sizeof *d);
    pthread_condattr_t attr;

    d->options = o;
    d->changed = changed;
    d->ctx = ctx;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->asked, &attr);
    pthread_condattr_destroy(&attr);
    int failed = pthread_create(&d->thread, NULL, look, d);
    if (failed == 0)
        return d;
    err_set(e, "the directory's thread cannot be started: %s", strerror(failed));
    pthread_cond_destroy(&d->asked);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

void directory_free(struct directory *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_signal(&d->asked);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->asked);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

enum node_owner directory_owner(struct directory *d, int partition, char url[NODE_URL_MAX])
{
    enum node_owner answer = NODE_OWNER_ASKED;

    url[0] = 0;
    if (partition < 0 || partition >= PARTITIONS_MAX)
        return NODE_OWNER_UNKNOWN;
    pthread_mutex_lock(&d->lock);
    struct entry *entry = &d->entry[partition];
    snprintf(url, NODE_URL_MAX, "%s", entry->url);
    if (entry->at != 0 && worker_monotonic() - entry->at < FRESH_MS) {
        answer = url[0] != 0 ? NODE_OWNER_KNOWN : NODE_OWNER_UNKNOWN;
    } else if (!entry->wanted) {
        entry->wanted = true;
        d->nwanted++;
        pthread_cond_signal(&d->asked);
    }
    pthread_mutex_unlock(&d->lock);
    return answer;
}
