/* The topic of the dead letters on either bus. */
#include "engine/letters.h"
#include "engine/node_private.h"

#define READ_ROWS 16 /* records of one read of the embedded log: one may have a megabyte */

static struct bus_kafka_reader *reader(struct letters_log *log, struct err *e)
{
    if (log->reader == NULL)
        log->reader = bus_kafka_reader_open(&log->node->options.kafka_options, e);
    return log->reader;
}

int letters_partitions(struct letters_log *log, struct err *e)
{
    if (node_is_local(log->node))
        return 1;
    struct bus_kafka_reader *r = reader(log, e);
    return r != NULL ? bus_kafka_reader_partitions(r, TOPIC_REJECTED, e) : -1;
}

bool letters_ends(struct letters_log *log, int partition, int64_t *low, int64_t *end, struct err *e)
{
    struct record none;

    if (!node_is_local(log->node))
        return bus_kafka_reader_ends(log->reader, TOPIC_REJECTED, partition, low, end, e);
    struct store_txn *t = node_read(log->node, 0, e);
    if (t == NULL)
        return false;
    struct arena *a = arena_new();
    *low = 0;
    bus_local_read(t, TOPIC_REJECTED, INT64_MAX, &none, 1, end, a);
    arena_free(a);
    store_abort(t);
    return true;
}

bool letters_read(struct letters_log *log, int partition, int64_t from, int64_t to,
                  bool (*visit)(void *ctx, const struct record *r), void *ctx, struct err *e)
{
    struct record r[READ_ROWS];
    int64_t end;
    bool more = true;

    if (!node_is_local(log->node))
        return bus_kafka_reader_read(log->reader, TOPIC_REJECTED, partition, from, to, visit, ctx, e);
    struct arena *a = arena_new();
    while (more && from < to) {
        struct store_txn *t = node_read(log->node, 0, e);
        if (t == NULL)
            break;
        arena_reset(a);
        size_t n = bus_local_read(t, TOPIC_REJECTED, from, r, READ_ROWS, &end, a);
        store_abort(t);
        more = n > 0;
        for (size_t i = 0; more && i < n && r[i].offset < to; i++)
            more = visit(ctx, &r[i]);
        from = n > 0 ? r[n - 1].offset + 1 : to;
    }
    bool ok = from >= to || !more;
    arena_free(a);
    return ok;
}
