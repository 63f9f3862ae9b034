#include "engine/letters.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/node_private.h"

#define IDLE_S 30 /* nobody has asked for so long: the connection is given up */

struct letters {
    struct letters_log log;
    pthread_t thread;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t asked;
    struct letters_ask *first, **last;
    bool started, stop;
};

/* With the lock held. NULL: stop, or (not for ever) nobody asked in time. */
static struct letters_ask *wait_asked(struct letters *l, bool for_ever)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    while (!l->stop && l->first == NULL && late != ETIMEDOUT)
        late = for_ever ? pthread_cond_wait(&l->asked, &l->lock)
                        : pthread_cond_timedwait(&l->asked, &l->lock, &until);
    struct letters_ask *q = l->stop ? NULL : l->first;
    if (q != NULL && (l->first = q->following) == NULL)
        l->last = &l->first;
    return q;
}

static void *serve(void *arg)
{
    struct letters *l = arg;

    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct letters_ask *q = wait_asked(l, l->log.reader == NULL);

        pthread_mutex_unlock(&l->lock);
        if (q != NULL) {
            letters_answer(&l->log, q);
            q->done(q);
        } else {
            bus_kafka_reader_close(l->log.reader);
            l->log.reader = NULL;
        }
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

struct letters *letters_new(struct node *n)
{
    struct letters *l = mem_alloc(sizeof *l);
    pthread_condattr_t attr;

    l->log.node = n;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->asked, &attr);
    pthread_condattr_destroy(&attr);
    return l;
}

static void refuse(struct letters_ask *q, const char *why)
{
    q->what = LETTERS_LATER;
    err_set(&q->err, "%s", why);
    q->done(q);
}

void letters_free(struct letters *l)
{
    if (l == NULL)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_signal(&l->asked);
    pthread_mutex_unlock(&l->lock);
    if (l->started)
        pthread_join(l->thread, NULL);
    for (struct letters_ask *q = l->first, *next; q != NULL; q = next) {
        next = q->following;
        refuse(q, "duband is stopping");
    }
    bus_kafka_reader_close(l->log.reader);
    pthread_cond_destroy(&l->asked);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The thread is there from the first question on. */
void letters_ask(struct letters *l, struct letters_ask *q)
{
    int failed = 0;

    q->following = NULL;
    pthread_mutex_lock(&l->lock);
    if (!l->started)
        failed = pthread_create(&l->thread, NULL, serve, l);
    if (failed == 0) {
        l->started = true;
        *l->last = q;
        l->last = &q->following;
        pthread_cond_signal(&l->asked);
    }
    pthread_mutex_unlock(&l->lock);
    if (failed != 0)
        refuse(q, strerror(failed));
}
