/* A node starts its workers and stops them; appends go to one of them. */
#include "engine/node_private.h"

#include <stdlib.h>

#include "engine/intake.h"
#include "engine/letters.h"

/* ---- start and stop */

static void node_free(struct node *n)
{
    for (size_t i = 0; i < n->nworkers; i++)
        worker_ask_stop(n->worker[i]);
    standby_stop(n->standby);
    for (size_t i = 0; i < n->nworkers; i++)
        worker_stop(n->worker[i]);
    letters_free(n->letters);
    directory_free(n->directory);
    if (n->registry != NULL)
        registry_free(n->registry);
    free(n);
}

static void changed(void *ctx)
{
    struct node *n = ctx;

    if (n->options.committed != NULL)
        n->options.committed(n->options.ctx);
}

static bool start_all(struct node *n, struct err *e)
{
    n->registry = registry_new(n->options.data, e);
    if (n->registry == NULL)
        return false;
    n->registry->deferred = n->options.kafka && n->options.deferred;
    n->registry->map_most = n->options.map_most;
    if (n->options.kafka && !registry_keep(n->registry, e))
        return false;
    n->registry->unassigned = n->options.workers;
    for (size_t i = 0; i < n->options.workers; i++) {
        n->worker[i] = worker_start(n->registry, &n->options, (int)i, e);
        if (n->worker[i] == NULL)
            return false;
        n->nworkers++;
    }
    if (n->options.kafka)
        n->directory = directory_new(&n->options.kafka_options, changed, n, e);
    if (n->options.kafka && n->directory == NULL)
        return false;
    if (n->options.kafka && n->options.standby)
        n->standby = standby_start(n->registry, &n->options, e);
    return !n->options.standby || !n->options.kafka || n->standby != NULL;
}

struct node *node_start(const struct node_options *o, struct err *e)
{
    struct node *n = mem_alloc(sizeof *n);

    n->options = *o;
    n->letters = letters_new(n);
    n->options.kafka_options.events_time = o->events_time;
    if (n->options.batch == 0)
        n->options.batch = 10000;
    if (n->options.workers == 0 || !o->kafka)
        n->options.workers = 1;
    if (start_all(n, e))
        return n;
    node_free(n);
    return NULL;
}

void node_stop(struct node *n)
{
    if (n != NULL)
        node_free(n);
}

/* ---- appends */

static bool is_full(struct node *n)
{
    for (size_t i = 0; i < n->nworkers; i++)
        if (worker_is_full(n->worker[i]))
            return true;
    return false;
}

/* All of a partition go by the same worker's producer, so that they keep their order. */
void node_append(struct node *n, enum topic topic, const struct cloud_event *e,
                 void (*done)(void *ctx, const struct append_result *r), void *ctx)
{
    struct arena *a = arena_new();
    struct record r = intake_record(e, topic, a);

    r.partition = node_partition_of(n, e->workflow);
    if (is_full(n)) {
        const struct append_result refused = {.retry = true,
                                              .topic = topic,
                                              .partition = r.partition,
                                              .offset = -1,
                                              .received = INSTANT_NONE,
                                              .why =
                                                  "the disk is full: intake is stopped until there is room"};
        done(ctx, &refused);
    } else {
        worker_append(n->worker[(size_t)r.partition % n->nworkers], &r, done, ctx);
    }
    arena_free(a);
}

int node_partition_count(struct node *n)
{
    struct bus *bus = worker_bus(n->worker[0]);

    return bus->ops->partitions != NULL ? bus->ops->partitions(bus) : 1;
}

int node_partition_of(struct node *n, struct slice workflow)
{
    int count = node_partition_count(n);

    return count > 1 ? bus_partition_of(workflow, count) : 0;
}

struct letters *node_letters(struct node *n)
{
    return n->letters;
}

bool node_is_local(const struct node *n)
{
    return !n->options.kafka;
}

bool node_accept_clock(struct node *n)
{
    if (n->options.kafka)
        return false;
    bus_local_accept_clock(worker_bus(n->worker[0]));
    return true;
}
