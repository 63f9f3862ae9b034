/* What this node does not serve: who does. */
#include "http/state.h"

#define LOOK_MS 4000 /* longest wait for what the directory finds */

struct elsewhere {
    int partition;
    struct slice workflow;
};

static void say_owner(struct exchange *x, const struct elsewhere *w, const char *url)
{
    reply_header(x, "Location", "%s%.*s%s%.*s", url, SLICE_ARG(x->request.path), x->request.query.n > 0 ? "?" : "",
                 SLICE_ARG(x->request.query));
    reply_error(x, 421, "workflow %.*s belongs to partition %d, which is served at %s", SLICE_ARG(w->workflow),
                w->partition, url);
}

static void say_later(struct exchange *x, const struct elsewhere *w, const char *why)
{
    reply_header(x, "Retry-After", "1");
    reply_error(x, 503, "workflow %.*s belongs to partition %d, %s", SLICE_ARG(w->workflow), w->partition, why);
}

static void look(struct exchange *x)
{
    const struct elsewhere *w = x->own;
    struct node *node = exchange_node(x);
    char url[NODE_URL_MAX] = "";

    if (node_place(node, w->partition) != NODE_ELSEWHERE) { /* or has just come here */
        say_later(x, w, "which is being taken over or restored here");
        return;
    }
    enum node_owner owner = node_owner(node, w->partition, url);
    if (owner == NODE_OWNER_ASKED && !x->expired)
        return;
    if (url[0] != 0)
        say_owner(x, w, url);
    else
        say_later(x, w, "which no node is known to serve");
}

void reply_elsewhere(struct exchange *x, struct slice workflow)
{
    struct elsewhere *w = ARENA_NEW(x->arena, struct elsewhere);

    *w = (struct elsewhere){node_partition_of(exchange_node(x), workflow), workflow};
    x->own = w;
    exchange_wait(x, look, LOOK_MS);
    look(x);
}

bool exchange_serves(struct exchange *x, struct slice workflow)
{
    enum node_place place = node_place(exchange_node(x), node_partition_of(exchange_node(x), workflow));

    if (place != NODE_COMING && place != NODE_ELSEWHERE)
        return true;
    reply_elsewhere(x, workflow);
    return false;
}

size_t exchange_partitions(struct exchange *x, int *partition)
{
    size_t n = node_partitions(exchange_node(x), partition, PARTITIONS_HELD_MAX);
    int all = node_partition_count(exchange_node(x));

    if ((int)n < all)
        reply_header(x, "X-Partitions", "%zu/%d", n, all);
    return n < PARTITIONS_HELD_MAX ? n : PARTITIONS_HELD_MAX;
}

struct store_txn *exchange_read(struct exchange *x, int partition, struct err *e)
{
    int64_t age = node_age(exchange_node(x), partition);

    if (age > x->age)
        x->age = age;
    return node_read(exchange_node(x), partition, e);
}
