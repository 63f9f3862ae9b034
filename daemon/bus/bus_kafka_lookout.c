/* The lookout: a thread that may wait for the broker, so that the worker need not. It asks for the high-water marks that the merge needs,
 * and, while no broker answers, whether one is back. */
#include "bus/bus_kafka.h"

#include <time.h>

static void push(struct question **list, size_t *n, size_t *cap, struct question q)
{
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        *list = mem_grow(*list, *cap * sizeof **list);
    }
    (*list)[(*n)++] = q;
}

bool kafka_watermarks(struct kafka *k, const char *topic, int partition, int64_t *low, int64_t *high)
{
    const struct rd_kafka_metadata *md;
    if (rd_kafka_query_watermark_offsets(k->lookout.rk, topic, partition, low, high, SLICE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    /* What the handle knows of the topic may be out of date: partitions were added, or another broker leads. */
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(k->lookout.rk, topic, NULL);
    if (rkt && rd_kafka_metadata(k->lookout.rk, 0, rkt, &md, SLICE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(md);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
    return false;
}

static bool broker_answers(struct kafka *k)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_poll(k->lookout.rk, 0); /* serves its error callback */
    if (rd_kafka_metadata(k->lookout.rk, 0, NULL, &md, 1000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    rd_kafka_metadata_destroy(md);
    return true;
}

static void answer(struct kafka *k, struct question q)
{
    int64_t low;
    if (!kafka_watermarks(k, k->topic[q.lane], q.partition, &low, &q.mark))
        q.mark = -1;
    pthread_mutex_lock(&k->lookout.lock);
    push(&k->lookout.done, &k->lookout.ndone, &k->lookout.cdone, q);
    pthread_mutex_unlock(&k->lookout.lock);
    kafka_stir(k);
}

/* Called with the lock held; waits for a question, or for the time of the next attempt while the broker is away. */
static void wait_for_work(struct kafka *k)
{
    struct lookout *l = &k->lookout;
    if (!kafka_is_suspect(k)) {
        pthread_cond_wait(&l->stirred, &l->lock);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&l->stirred, &l->lock, &until);
}

static void *keep_lookout(void *arg)
{
    struct kafka *k = arg;
    struct lookout *l = &k->lookout;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (kafka_is_suspect(k)) {
            pthread_mutex_unlock(&l->lock);
            kafka_seen(k, broker_answers(k));
            pthread_mutex_lock(&l->lock);
        } else if (l->ntodo) {
            struct question q = l->todo[0];
            memmove(l->todo, l->todo + 1, --l->ntodo * sizeof q);
            pthread_mutex_unlock(&l->lock);
            answer(k, q);
            pthread_mutex_lock(&l->lock);
            continue;
        }
        if (!l->stop && (kafka_is_suspect(k) || !l->ntodo))
            wait_for_work(k);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

bool kafka_lookout_open(struct kafka *k, struct err *e)
{
    struct lookout *l = &k->lookout;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->stirred, NULL);
    l->rk = kafka_handle_new(k, ROLE_LOOKOUT, e);
    if (!l->rk)
        return false;
    if (pthread_create(&l->thread, NULL, keep_lookout, k) != 0)
        return err_set(e, "kafka: a thread could not be started");
    l->started = true;
    return true;
}

void kafka_lookout_close(struct kafka *k)
{
    struct lookout *l = &k->lookout;
    if (l->started) {
        pthread_mutex_lock(&l->lock);
        l->stop = true;
        pthread_cond_signal(&l->stirred);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    if (l->rk)
        rd_kafka_destroy(l->rk);
    free(l->todo);
    free(l->done);
    pthread_cond_destroy(&l->stirred);
    pthread_mutex_destroy(&l->lock);
}

void kafka_lookout_stir(struct kafka *k)
{
    pthread_mutex_lock(&k->lookout.lock);
    pthread_cond_signal(&k->lookout.stirred);
    pthread_mutex_unlock(&k->lookout.lock);
}

void kafka_lookout_ask(struct kafka *k, int partition, int lane)
{
    struct lookout *l = &k->lookout;
    pthread_mutex_lock(&l->lock);
    push(&l->todo, &l->ntodo, &l->ctodo,
         (struct question){.assignment = k->assignment, .partition = partition, .lane = lane, .mark = -1});
    pthread_cond_signal(&l->stirred);
    pthread_mutex_unlock(&l->lock);
}

bool kafka_lookout_answer(struct kafka *k, struct question *q)
{
    struct lookout *l = &k->lookout;
    pthread_mutex_lock(&l->lock);
    bool any = l->ndone > 0;
    if (any)
        *q = l->done[--l->ndone];
    pthread_mutex_unlock(&l->lock);
    return any;
}
