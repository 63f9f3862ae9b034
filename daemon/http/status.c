/* GET /v1/status: the node, its workers, and where each partition is. */
#include "engine/row.h"
#include "http/state.h"

#define LOOK_MS 4000 /* longest wait for who serves what is elsewhere */

static void add_number(struct buf *b, const char *name, int64_t n)
{
    if (n >= 0)
        row_number(b, name, n);
    else
        row_raw(b, name, S("null"));
}

static void add_partition(struct buf *b, const struct node_partition *p)
{
    row_open(b, NULL, '{');
    row_number(b, "partition", p->id);
    row_text(b, "state", slice_of(p->state));
    add_number(b, "worker", p->worker);
    add_number(b, "batch", p->batch > 0 ? (int64_t)p->batch : -1);
    add_number(b, "restored", p->at);
    add_number(b, "restore", p->end);
    add_number(b, "lag", p->lag);
    add_number(b, "age_ms", p->age);
    row_text(b, "owner", slice_of(p->owner));
    row_close(b, '}');
}

static void reply(struct exchange *x, const struct node_partition *p, size_t n)
{
    struct node_status s;
    struct buf b = {0};

    node_status(exchange_node(x), &s);
    row_open(&b, NULL, '{');
    row_text(&b, "node", slice_of(node_name(exchange_node(x))));
    row_text(&b, "version", S(DUBAND_VERSION));
    row_yesno(&b, "ready", s.ready && server_is_published(x->server));
    row_text(&b, "trouble", slice_of(s.trouble));
    row_number(&b, "workers", (int64_t)s.workers);
    add_number(&b, "lag", s.lag_records);
    row_number(&b, "applied", (int64_t)(s.counters.applied + s.counters.no_effect));
    row_number(&b, "rejected", (int64_t)s.counters.rejected);
    row_open(&b, "partitions", '[');
    for (size_t i = 0; i < n; i++)
        add_partition(&b, &p[i]);
    row_close(&b, ']');
    row_close(&b, '}');
    reply_json(x, 200, buf_slice(&b));
    buf_free(&b);
}

static void look(struct exchange *x)
{
    struct node_partition *p = x->own;
    bool asked;
    size_t n = node_partition_list(exchange_node(x), p, PARTITIONS_HELD_MAX, &asked);

    if (!asked || x->expired)
        reply(x, p, n < PARTITIONS_HELD_MAX ? n : PARTITIONS_HELD_MAX);
}

void handle_status(struct exchange *x)
{
    if (!exchange_ask(x, NULL, 0))
        return;
    x->own = ARENA_ARRAY(x->arena, struct node_partition, PARTITIONS_HELD_MAX);
    exchange_wait(x, look, LOOK_MS);
    look(x);
}
