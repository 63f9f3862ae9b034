/* The node's inside: node.c start, stop, appends; node_read.c what other threads may ask; node_publish.c a folder as an event. */
#ifndef DUBAND_ENGINE_NODE_PRIVATE_H
#define DUBAND_ENGINE_NODE_PRIVATE_H

#include "engine/directory.h"
#include "engine/standby.h"
#include "engine/worker_private.h"

struct node {
    struct node_options options;
    struct registry *registry;
    struct worker *worker[WORKERS_MAX];
    size_t nworkers;
    struct directory *directory; /* NULL: on the embedded log */
    struct letters *letters;
    struct standby *standby;     /* NULL: nothing is followed */
};

/* The hash of the workflow's definition in force; false: none that this node knows. Any thread. */
bool node_in_force(struct node *n, struct slice workflow, struct arena *a, struct slice *hash);

#endif
