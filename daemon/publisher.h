/* Keeps the configured workflow folders published: at start and whenever asked, those that changed. A thread
 * of its own, because a publication waits until it is durable. */
#ifndef DUBAND_PUBLISHER_H
#define DUBAND_PUBLISHER_H

#include "engine/node.h"

struct publisher;

/* done: called on its thread after the first round, whatever became of it. */
struct publisher *publisher_start(struct node *node, const char *const *folders, size_t n,
                                  void (*done)(void *ctx), void *ctx, struct err *e);
void publisher_again(struct publisher *p);     /* any thread: look at the folders anew */
void publisher_committed(struct publisher *p); /* any thread: a worker has committed something */
void publisher_stop(struct publisher *p);      /* before node_stop: no more rounds. NULL is fine */
void publisher_free(
    struct publisher *p); /* after node_stop: nobody calls publisher_committed any more. NULL is fine */

#endif
