/* Appends on their way from any thread to the bus's own. */
#ifndef DUBAND_APPEND_QUEUE_H
#define DUBAND_APPEND_QUEUE_H

#include <pthread.h>

#include "bus/bus.h"

#define APPEND_QUEUE_BYTES (UINT64_C(256) << 20) /* more waiting than this is refused */

typedef void append_done(void *ctx, const struct append_result *res);

struct append_item {
    struct append_item *next;
    struct record record; /* its bytes follow the item; none if it was refused */
    append_done *done;
    void *ctx;
    struct append_result result;
    size_t bytes;
};

struct append_queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct append_item *first, **last;
    uint64_t bytes;
    bool woken;
};

void append_queue_init(struct append_queue *q);
void append_queue_destroy(struct append_queue *q); /* empty by now */
void append_queue_add(struct append_queue *q, const struct record *r, append_done *done, void *ctx);
void append_queue_wake(struct append_queue *q);
/* Until there are items, or a wake since the last wait, or the time is over (timeout_ms < 0: never). */
void append_queue_wait(struct append_queue *q, int timeout_ms);
/* Items in order of arrival, at most so many with at most so many bytes (but one at least), and no submission
 * behind a deadline, so that all may have one receipt time: a list the caller now owns. NULL: none. */
struct append_item *append_queue_take(struct append_queue *q, size_t items, size_t bytes);
/* Calls each item's done with its result, and frees it. */
void append_items_answer(struct append_item *list);

#endif
