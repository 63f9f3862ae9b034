/* Who serves the partitions of other nodes. Asked by any thread, answered from what was read at most a second ago; reading is a
 * thread's of its own. Inner to the engine. */
#ifndef DUBAND_ENGINE_DIRECTORY_H
#define DUBAND_ENGINE_DIRECTORY_H

#include "engine/node.h"

struct directory;

/* The options must stay. changed: called on its thread when something asked for was read. */
struct directory *directory_new(const struct bus_kafka_options *o, void (*changed)(void *ctx), void *ctx, struct err *e);
void directory_free(struct directory *d); /* NULL is fine */

/* url: of the node that committed the partition's last batch. NODE_OWNER_ASKED: it is being looked up, `changed` comes; url is
 * what was known before, or empty. */
enum node_owner directory_owner(struct directory *d, int partition, char url[NODE_URL_MAX]);

#endif
