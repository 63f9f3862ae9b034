#include "bus/append_queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

void append_queue_init(struct append_queue *q)
{
    *q = (struct append_queue){.last = &q->first};
    pthread_mutex_init(&q->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* waits must not follow steps of the clock */
    pthread_cond_init(&q->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void append_queue_destroy(struct append_queue *q)
{
    assert(!q->first);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->mutex);
}

static struct slice copy_slice(char **to, struct slice s)
{
    struct slice copy = {*to, s.n};
    if (s.n)
        memcpy(*to, s.p, s.n);
    *to += s.n;
    return copy;
}

static size_t record_bytes(const struct record *r)
{
    size_t n = r->key.n + r->value.n + r->nheaders * sizeof *r->header;
    for (size_t i = 0; i < r->nheaders; i++)
        n += r->header[i].name.n + r->header[i].value.n;
    return n;
}

/* One block: the item, its headers, its bytes. */
static struct append_item *item_new(const struct record *r, size_t bytes)
{
    struct append_item *item = mem_alloc(sizeof *item + bytes);
    struct header *header = (struct header *)(item + 1);
    char *at = (char *)(header + r->nheaders);
    item->bytes = bytes;
    item->record = *r;
    item->record.header = header;
    item->record.key = copy_slice(&at, r->key);
    item->record.value = copy_slice(&at, r->value);
    for (size_t i = 0; i < r->nheaders; i++)
        header[i] = (struct header){copy_slice(&at, r->header[i].name), copy_slice(&at, r->header[i].value)};
    return item;
}

void append_queue_add(struct append_queue *q, const struct record *r, append_done *done, void *ctx)
{
    static const char full[] = "more appends are waiting than can be held";
    size_t bytes = record_bytes(r);
    pthread_mutex_lock(&q->mutex);
    bool fits = q->bytes + bytes <= APPEND_QUEUE_BYTES;
    if (fits)
        q->bytes += bytes;
    pthread_mutex_unlock(&q->mutex);
    const struct record bare = {.topic = r->topic, .partition = r->partition};
    struct append_item *item = fits ? item_new(r, bytes) : item_new(&bare, 0);
    item->done = done;
    item->ctx = ctx;
    item->result = (struct append_result){
        .topic = r->topic, .partition = r->partition, .offset = -1, .received = INSTANT_NONE};
    if (!fits) {
        item->result.why = full;
        item->result.retry = true;
    }
    pthread_mutex_lock(&q->mutex);
    *q->last = item;
    q->last = &item->next;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

void append_queue_wake(struct append_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->woken = true;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

void append_queue_wait(struct append_queue *q, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&q->mutex);
    int rc = 0;
    while (!q->first && !q->woken && timeout_ms != 0 && rc != ETIMEDOUT)
        rc = timeout_ms < 0 ? pthread_cond_wait(&q->changed, &q->mutex)
                            : pthread_cond_timedwait(&q->changed, &q->mutex, &until);
    q->woken = false;
    pthread_mutex_unlock(&q->mutex);
}

struct append_item *append_queue_take(struct append_queue *q, size_t items, size_t bytes)
{
    pthread_mutex_lock(&q->mutex);
    struct append_item *list = q->first, **at = &q->first;
    size_t n = 0, held = 0;
    bool deadlines = false;
    while (*at && n < items && (n == 0 || held + (*at)->bytes <= bytes)) {
        if (deadlines && (*at)->record.topic == TOPIC_SUBMISSIONS)
            break;
        deadlines = (*at)->record.topic == TOPIC_DEADLINES;
        n++;
        held += (*at)->bytes;
        at = &(*at)->next;
    }
    struct append_item *rest = *at;
    *at = NULL;
    q->first = rest;
    if (!rest)
        q->last = &q->first;
    q->bytes -= held;
    pthread_mutex_unlock(&q->mutex);
    return n ? list : NULL;
}

void append_items_answer(struct append_item *list)
{
    while (list) {
        struct append_item *next = list->next;
        list->done(list->ctx, &list->result);
        free(list);
        list = next;
    }
}
