/* The bus carries the topics. Two back ends: bus_local (the log lives in the partition's own LMDB) and bus_kafka.
 * A worker thread owns a bus; only bus_append and bus_wake may be called from other threads. */
#ifndef DUBAND_BUS_H
#define DUBAND_BUS_H

#include "store/store.h"
#include "wire/wire.h"

struct bus;

struct bus_position {
    uint64_t batch;
    int64_t input_next[2];
    int64_t changelog_next, history_next;
};

/* What the bus asks of the worker. Called on the worker's thread, from poll and (release only) close. */
struct bus_hooks {
    void *ctx;
    /* This partition is ours now: open its store (and restore into it through `restore_*`). NULL: refused, the bus lets go. */
    struct store *(*acquire)(void *ctx, int partition);
    /* Where its state stands: batch number, input positions, changelog and history positions (-1: nothing yet). */
    void (*where)(void *ctx, int partition, struct bus_position *out);
    /* One whole changelog batch, ended by its marker, or (marker NULL) history records. False: stop, the store failed. A very large batch comes in
     * pieces: those before the last have no marker, and records of TOPIC_CHANGELOG; they may be stored at once, since the partition is not `ready`
     * before its last marker was seen. To be done in the same store transaction: bus_kafka_restored. */
    bool (*restore)(void *ctx, int partition, const struct record *r, size_t n, const struct marker *m, int64_t next);
    bool (*ready)(void *ctx, int partition);              /* the state is complete: start at `where` */
    void (*release)(void *ctx, int partition, bool lost); /* no longer ours: drop the engine, close the store. From bus_close, too */
    /* The state is too old to be caught up: empty the store, so that `where` answers "nothing yet", and give it again (or anew). Without
     * such a hook, or when it answers NULL (the store is closed then), the partition is halted. */
    struct store *(*wipe)(void *ctx, int partition);
};

enum bus_status {
    BUS_OK,
    BUS_UNDONE, /* nothing of this batch was committed: abort the store's transaction, forget, take it again */
    BUS_LOST,   /* the partition is gone (rebalance, fenced): `release` was or will be called */
    BUS_FAILED  /* stop this partition; the error says why */
};

struct append_result {
    bool ok;
    bool retry; /* not ok, but a retry is safe and may succeed (the log did not answer in time) */
    enum topic topic;
    int partition;
    int64_t offset;
    instant_t received;
    const char *why; /* when not ok */
};

struct bus_ops {
    const char *name;
    /* Waits up to timeout_ms (-1: until something happens) for records, appends, rebalances or a wake. Serves all of these. */
    bool (*poll)(struct bus *b, int timeout_ms, struct err *e);
    /* The next records of the partition's two input logs in merge order, only those that may be taken now (design: One order). They stay valid
     * until the next take of that partition. Returns how many. */
    size_t (*take)(struct bus *b, int partition, struct record *out, size_t max);
    /* One batch: begin, then any number of emits (outputs, history) and states (changelog), then commit or undo. */
    enum bus_status (*begin)(struct bus *b, int partition, struct store_txn *t, struct err *e);
    enum bus_status (*emit)(struct bus *b, int partition, const struct record *r, struct err *e);
    enum bus_status (*state)(struct bus *b, int partition, enum table_id table, struct slice key, struct slice value, struct err *e);
    /* Makes the batch final everywhere, the store's transaction t included (t is consumed in every case). m: batch number, positions,
     * clock target. */
    enum bus_status (*commit)(struct bus *b, int partition, struct store_txn *t, const struct marker *m, struct err *e);
    void (*undo)(struct bus *b, int partition, struct store_txn *t); /* t is aborted, as it is when commit answers anything but BUS_OK */
    /* Any thread. Appends a record to an input topic and calls done (on the worker's thread, or the bus's own) exactly once when it is durable or
     * has failed; r is copied. */
    void (*append)(struct bus *b, const struct record *r, void (*done)(void *ctx, const struct append_result *res), void *ctx);
    void (*wake)(struct bus *b); /* any thread: makes poll return */
    /* Any thread. How many partitions the topics have; 0: not known yet. NULL: one. */
    int (*partitions)(struct bus *b);
    /* Any thread. What hinders it although it goes on (disk full, clock stopped, broker away): true and one sentence. NULL: never anything. */
    bool (*trouble)(struct bus *b, struct err *why);
    void (*close)(struct bus *b);
};

struct bus {
    const struct bus_ops *ops;
};

/* The partition of a key among n, as Java clients choose it (murmur2). */
int bus_partition_of(struct slice key, int n);

/* The embedded log. It holds one partition, 0. Records go to TABLE_LOG of the store that hooks->acquire gives. Receipt time is the machine's clock,
 * never backwards; a step of more than five minutes against the boot clock stops the clock records, not the intake (bus_local_accept_clock). */
struct bus *bus_local_open(const struct bus_hooks *hooks, struct err *e);
/* Any thread. An operator has looked: the machine's clock is right as it is, clock records go on. Takes effect at the next poll, which it wakes. */
void bus_local_accept_clock(struct bus *b);
/* Readers, any thread: up to max records of the topic from offset on, in a read transaction of theirs. *end: the offset after the last in the log. */
size_t bus_local_read(struct store_txn *t, enum topic topic, int64_t from, struct record *out, size_t max, int64_t *end, struct arena *a);

struct bus_kafka_options {
    struct header *property; /* librdkafka's own settings, passed through: bootstrap.servers, security.* … */
    size_t nproperties;
    const char *group;       /* consumer group; also the stem of transactional ids */
    const char *node;        /* stable name of this node: group.instance.id and transactional.id come from it */
    const char *topic_prefix; /* "duban." */
    const char *url;          /* of this node's HTTP, for markers */
    bool events_time;         /* `time: events`: the logs are merged by the events' own times, each log never running back */
};
/* Returns at once: whether the broker answers shows in `trouble`. NULL and e for settings that cannot be. */
struct bus *bus_kafka_open(const struct bus_kafka_options *o, const struct bus_hooks *hooks, struct err *e);
/* Creates those of the eight topics that do not exist, with the settings that duband needs. Blocks, at most half a minute. */
bool bus_kafka_create_topics(const struct bus_kafka_options *o, int partitions, int replication, struct err *e);

/* What bus_kafka keeps of itself in TABLE_META, big-endian integers: where changelog and history go on, and the wall time when the changelog was
 * last known to be read to its end. A batch's own are put by commit, in the batch's transaction. */
#define BUS_META_CHANGELOG_NEXT "bus.changelog_next"
#define BUS_META_HISTORY_NEXT "bus.history_next"
#define BUS_META_HISTORY_END "bus.history_end" /* how far history went at the last marker restored: less than that is not all */
#define BUS_META_READ_AT "bus.read_at"
/* For `where`: -1 for what was never put. */
bool bus_kafka_positions(struct store_txn *t, int64_t *changelog_next, int64_t *history_next, struct err *e);
/* For `restore`, called with its own arguments: puts what a run of records moved. */
enum store_status bus_kafka_restored(struct store_txn *t, const struct record *r, size_t n, const struct marker *m, int64_t next);
/* A changelog record's table and key; false: not one of ours. The value is r->value (p NULL: deleted). */
bool bus_kafka_state(const struct record *r, enum table_id *table, struct slice *key);

#endif
