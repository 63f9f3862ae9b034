/* Whose state a folder holds: written down when it is first taken up, looked at whenever it is again. */
#include "bus/bus_kafka.h"

#include <limits.h>

enum { CLUSTER, CHANGELOG, PARTITION, GROUP, COUNT, NAMES };

struct origin {
    struct slice name[NAMES];
};

static bool learn_cluster(struct kafka *k)
{
    if (k->cluster)
        return true;
    char *id = rd_kafka_clusterid(k->lookout.rk, SLICE_MS);
    if (!id)
        return false;
    k->cluster = arena_dup(k->arena, slice_of(id)).p;
    rd_kafka_mem_free(k->lookout.rk, id);
    return true;
}

static bool parse(struct slice packed, struct origin *out)
{
    for (int i = 0; i < NAMES; i++) {
        const char *end = packed.n ? memchr(packed.p, 0, packed.n) : NULL;
        if (!end)
            return false;
        out->name[i] = (struct slice){packed.p, (size_t)(end - packed.p)};
        packed = (struct slice){end + 1, packed.n - out->name[i].n - 1};
    }
    return packed.n == 0;
}

bool bus_kafka_origin(struct slice packed, struct bus_kafka_origin *out)
{
    struct origin o;
    uint64_t partition, partitions;
    size_t topic = strlen("changelog");
    if (!parse(packed, &o) || !parse_u64(o.name[PARTITION], &partition) || !parse_u64(o.name[COUNT], &partitions) ||
        partitions == 0 || partitions > INT_MAX || partition >= partitions || o.name[CHANGELOG].n < topic)
        return false;
    *out = (struct bus_kafka_origin){.cluster = o.name[CLUSTER],
                                     .prefix = {o.name[CHANGELOG].p, o.name[CHANGELOG].n - topic},
                                     .group = o.name[GROUP],
                                     .partition = (int)partition,
                                     .partitions = (int)partitions};
    return true;
}

void kafka_origin_moved(struct kafka *k, struct part *p, struct slice where)
{
    kafka_part_halt(k, p, "it was moved to the topics %.*s and goes on there: set kafka.prefix, kafka.group and bootstrap.servers to those",
                    SLICE_ARG(where));
}

/* What differs first tells most. */
static void halt(struct kafka *k, struct part *p, const struct origin *is, const struct origin *due)
{
    static const char *const what[COUNT] = {"another cluster", "other topics", "another partition",
                                            "another consumer group"};
    static const char *const noun[COUNT] = {"cluster ", "", "partition ", "group "};
    int i = 0;
    while (i < COUNT && slice_eq(is->name[i], due->name[i]))
        i++;
    if (i == COUNT) {
        kafka_grown_halt(k, p, is->name[COUNT]);
        return;
    }
    kafka_part_halt(k, p,
                    "its folder holds the state of %s (%s%.*s; %s%.*s was expected): put the right folder "
                    "back, or remove it, the state is then rebuilt",
                    what[i], noun[i], SLICE_ARG(is->name[i]), noun[i], SLICE_ARG(due->name[i]));
}

static bool put(struct kafka *k, struct part *p, struct slice packed)
{
    struct err e = {0};
    struct store_txn *t = store_begin(p->store, true, &e);
    bool ok = t && store_put(t, TABLE_META, S(BUS_META_ORIGIN), packed) == STORE_OK;
    if (t && !ok)
        err_set(&e, "%s", store_txn_error(t));
    if (ok)
        ok = store_commit(t, &e) == STORE_OK;
    else
        store_abort(t);
    if (!ok)
        kafka_part_fail(k, p, e.text);
    return ok;
}

/* A node's that ran on the embedded log: its state follows from records that these topics do not have. */
static bool is_embedded(struct store_txn *t)
{
    struct slice key, value;
    struct store_iter *i = store_iter_new(t, TABLE_LOG);
    bool any = store_iter_seek(i, (struct slice){0}, &key, &value);
    store_iter_free(i);
    return any;
}

bool kafka_origin_check(struct kafka *k, struct part *p)
{
    struct buf b = {0};
    struct err e = {0};
    struct slice have, moved;
    struct origin is, due;
    if (!learn_cluster(k))
        return false;
    buf_printf(&b, "%s%c%s%c%d%c%s%c%d%c", k->cluster, 0, k->topic[TOPIC_CHANGELOG], 0, p->id, 0,
               k->options.group, 0, atomic_load(&k->npartitions), 0);
    parse(buf_slice(&b), &due);
    struct store_txn *t = store_begin(p->store, false, &e);
    enum store_status st = t ? store_get(t, TABLE_META, S(BUS_META_ORIGIN), &have) : STORE_FAILED;
    bool same = st == STORE_OK && slice_eq(have, buf_slice(&b));
    if (st == STORE_OK && !same && parse(have, &is))
        halt(k, p, &is, &due);
    else if (st == STORE_OK && !same)
        kafka_part_halt(k, p, "its folder holds no state of duband's");
    else if (st == STORE_FAILED)
        kafka_part_fail(k, p, t ? store_txn_error(t) : e.text);
    else if (same && store_get(t, TABLE_META, S(BUS_META_MOVED), &moved) == STORE_OK) {
        kafka_origin_moved(k, p, moved);
        same = false;
    }
    else if (st == STORE_NOT_FOUND && is_embedded(t)) {
        kafka_part_halt(k, p, "its folder holds an embedded log: dubanctl migrate-bus moves that to Kafka, and `data` must be another folder");
        st = STORE_OK;
    }
    store_abort(t);
    if (st == STORE_NOT_FOUND)
        same = put(k, p, buf_slice(&b));
    buf_free(&b);
    return same;
}
