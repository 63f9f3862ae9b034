/* The lookout: a thread that may wait for the broker, so that the worker need not: it asks whether one is there. And
 * the answers of barriers on their way to the worker. */
#include "bus/bus_kafka.h"

#include <errno.h>
#include <time.h>

#define LOOK_MS 5000 /* between two looks at whether the broker is there */
#define AGAIN_MS 200 /* while it is not */

/* which: RD_KAFKA_OFFSET_BEGINNING or _END, which the protocol takes in the place of a time. */
static rd_kafka_resp_err_t ask_end(rd_kafka_t *rk, const char *topic, int partition, int64_t which, int64_t *out, int ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *t = rd_kafka_topic_partition_list_add(list, topic, partition);
    t->offset = which;
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(rk, list, ms);
    err = err ? err : t->err;
    if (!err && t->offset < 0)
        err = RD_KAFKA_RESP_ERR__FAIL;
    if (!err)
        *out = t->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return err;
}

rd_kafka_resp_err_t kafka_ends(rd_kafka_t *rk, const char *topic, int partition, int64_t *low, int64_t *high, int ms)
{
    rd_kafka_resp_err_t err = low ? ask_end(rk, topic, partition, RD_KAFKA_OFFSET_BEGINNING, low, ms) : 0;
    return err ? err : ask_end(rk, topic, partition, RD_KAFKA_OFFSET_END, high, ms);
}

bool kafka_watermarks(struct kafka *k, const char *topic, int partition, int64_t *low, int64_t *high)
{
    const struct rd_kafka_metadata *md;
    if (kafka_ends(k->lookout.rk, topic, partition, low, high, SLICE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    /* What the handle knows of the topic may be out of date: partitions were added, or another broker leads.
     */
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

void kafka_lookout_told(struct kafka *k, struct question q)
{
    struct lookout *l = &k->lookout;
    pthread_mutex_lock(&l->lock);
    if (l->ndone == l->cdone) {
        l->cdone = l->cdone ? l->cdone * 2 : 16;
        l->done = mem_grow(l->done, l->cdone * sizeof *l->done);
    }
    l->done[l->ndone++] = q;
    pthread_mutex_unlock(&l->lock);
    kafka_stir(k);
}

/* Called with the lock held. True: nothing came up within the time. */
static bool wait_for_work(struct kafka *k, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&k->lookout.stirred, &k->lookout.lock, &until) == ETIMEDOUT;
}

/* Errors are not enough to go by: librdkafka leaves repeated ones out. */
static void *keep_lookout(void *arg)
{
    struct kafka *k = arg;
    struct lookout *l = &k->lookout;
    bool look = false;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        if (kafka_is_suspect(k) || look) {
            pthread_mutex_unlock(&l->lock);
            bool answers = broker_answers(k);
            kafka_seen(k, answers);
            pthread_mutex_lock(&l->lock);
            look = false;
            if (!answers && !l->stop)
                wait_for_work(k, AGAIN_MS);
        } else {
            look = wait_for_work(k, LOOK_MS);
        }
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
