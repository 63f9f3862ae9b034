/* While a batch is made final, what the brokers send of the inputs is left in the sockets. Nobody could use it meanwhile, and
 * librdkafka asks again as soon as it has read an answer: of records that come one by one it would fetch each by itself, many
 * hundred times a second, which costs the broker more than the records do. Held, they come together when the batch is done.
 * It is as if the network were slower for so long; large answers, those of a backlog, pass. */
#include "bus/bus_kafka.h"

#include <sys/socket.h>
#include <unistd.h>

#define API_FETCH 1 /* its key in the protocol */
#define PASSES 65536 /* so many bytes wake the reader all the same */

/* Of the handle's connections some fetch: they show when they do. On librdkafka's threads. */
static rd_kafka_resp_err_t sent(rd_kafka_t *rk, int fd, const char *broker, int32_t id, int16_t api, int16_t version,
                                int32_t correlation, size_t size, void *ctx)
{
    (void)rk, (void)broker, (void)id, (void)version, (void)correlation, (void)size;
    struct hold *h = ctx;
    if (api != API_FETCH)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    pthread_mutex_lock(&h->lock);
    size_t i = 0;
    while (i < h->n && h->fd[i] != fd)
        i++;
    if (i == h->n && h->n < HOLD_MOST)
        h->fd[h->n++] = fd;
    pthread_mutex_unlock(&h->lock);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static int closed(int fd, void *opaque)
{
    struct hold *h = &((struct kafka *)opaque)->hold;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->n; i++)
        if (h->fd[i] == fd)
            h->fd[i--] = h->fd[--h->n];
    int failed = close(fd);
    pthread_mutex_unlock(&h->lock);
    return failed;
}

static rd_kafka_resp_err_t made(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *ctx, char *why, size_t nwhy)
{
    (void)conf, (void)why, (void)nwhy;
    return rd_kafka_interceptor_add_on_request_sent(rk, "hold", sent, ctx);
}

void kafka_hold_conf(struct kafka *k, rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_closesocket_cb(conf, closed);
    rd_kafka_conf_interceptor_add_on_new(conf, "hold", made, &k->hold);
}

void kafka_hold(struct kafka *k, bool held)
{
    const int least = held ? PASSES : 1;
    pthread_mutex_lock(&k->hold.lock);
    for (size_t i = 0; i < k->hold.n; i++)
        setsockopt(k->hold.fd[i], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    pthread_mutex_unlock(&k->hold.lock);
}
