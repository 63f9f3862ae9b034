/* The follower: a thread that keeps the stores of partitions up that no worker of this process holds, so that they can be read
 * here and taken over at once. Inner to the engine. */
#ifndef DUBAND_ENGINE_STANDBY_H
#define DUBAND_ENGINE_STANDBY_H

#include "engine/node.h"
#include "engine/registry.h"

struct standby;

struct standby *standby_start(struct registry *r, const struct node_options *o, struct err *e);
void standby_stop(struct standby *s);   /* before the workers have stopped: it would take up what they let go. NULL is fine */
bool standby_trouble(struct standby *s, struct err *why); /* any thread */

#endif
