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

enum bus_settled { BUS_SETTLED, BUS_AGAIN, BUS_UNSETTLED /* it failed */ };

/* What the bus asks of the worker. Called on the worker's thread, from poll and (release only) close. */
struct bus_hooks {
    void *ctx;
    /* This partition is to be ours. False: somebody else in this process has it still, and it is asked again each round; until
     * then it is neither acquired nor fetched. NULL: always ours at once. From now on `release` is called for it. */
    bool (*claim)(void *ctx, int partition);
    /* This partition is ours now: open its store (and restore into it through `restore_*`). Called again, without a release, after a failure
     * of the store. NULL: it cannot be had, which may pass. */
    struct store *(*acquire)(void *ctx, int partition);
    /* Where its state stands: batch number, input positions, changelog and history positions (-1: nothing yet). */
    void (*where)(void *ctx, int partition, struct bus_position *out);
    /* One whole changelog batch, ended by its marker, or (marker NULL) history records. False: the store failed; this partition alone begins
     * again from `acquire` on, after a while. A very large batch comes in
     * pieces: those before the last have no marker, and records of TOPIC_CHANGELOG; they may be stored at once, since the partition is not `ready`
     * before its last marker was seen. To be done in the same store transaction: bus_kafka_restored. */
    bool (*restore)(void *ctx, int partition, const struct record *r, size_t n, const struct marker *m, int64_t next);
    /* Before the first `restore` into a store that stands at nothing: the whole changelog comes. What the worker is given may be kept aside until
     * `settle`, which is called until it answers otherwise than BUS_AGAIN, a slice of some 100 ms a call. False: it failed. NULL both: nothing
     * is kept aside. */
    bool (*load)(void *ctx, int partition);
    enum bus_settled (*settle)(void *ctx, int partition);
    /* The state is complete: start at `where`. BUS_AGAIN: the store did not take it, which may pass. BUS_UNSETTLED: it cannot be served. */
    enum bus_settled (*ready)(void *ctx, int partition);
    void (*release)(void *ctx, int partition, bool lost); /* no longer ours: drop the engine, close the store. From bus_close, too */
    /* History comes behind serving, in slices: the store has all of it up to offset `have`, and lacks what is between that and `want`. have = want:
     * nothing is lacking. Called once before `ready`, then as it goes on. NULL: nobody asks. */
    void (*history)(void *ctx, int partition, int64_t have, int64_t want);
    /* Of a follower only. Is the partition to be let go? And: what was committed by `at` (CLOCK_MONOTONIC, ms) is in its store. */
    bool (*wanted)(void *ctx, int partition);
    void (*followed)(void *ctx, int partition, int64_t at);
    /* The state is too old to be caught up: empty the store, so that `where` answers "nothing yet", and give it again (or anew). Without
     * such a hook, or when it answers NULL (the store is closed then), the partition is halted. */
    struct store *(*wipe)(void *ctx, int partition);
};

enum bus_status {
    BUS_OK,
    BUS_UNDONE, /* nothing of this batch was committed: abort the store's transaction, forget, take it again */
    BUS_LOST,   /* the partition is gone (rebalance, fenced): `release` was or will be called */
    BUS_BEHIND, /* the batch is final, but the store did not take it: its state comes back from the log, from `acquire` on */
    BUS_FAILED  /* stop this partition; the error says why */
};

enum bus_standing {
    BUS_OUTSIDE,  /* not told yet what is ours */
    BUS_ASSIGNED, /* told: it is being taken up */
    BUS_RUNS      /* it was taken up, but for what is halted, or what somebody else in this process has still */
};

/* What a partition is at. */
struct bus_progress {
    const char *what; /* waiting, restoring, restored, serving, halted: a literal */
    int64_t at, end;  /* restoring: how far in the changelog, of how much; else -1 */
    int64_t lag;      /* inputs known and not taken; -1: not known */
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
     * until the next take of that partition. Returns how many. Within a batch: those that have come since; none is an answer, too. */
    size_t (*take)(struct bus *b, int partition, struct record *out, size_t max);
    /* One batch: begin, then any number of emits (outputs, history) and states (changelog), then commit or undo. */
    enum bus_status (*begin)(struct bus *b, int partition, struct store_txn *t, struct err *e);
    enum bus_status (*emit)(struct bus *b, int partition, const struct record *r, struct err *e);
    enum bus_status (*state)(struct bus *b, int partition, enum table_id table, struct slice key, struct slice value, struct err *e); /* NULL: no changelog */
    /* Makes the batch final everywhere, the store's transaction t included (t is consumed in every case). m: batch number, positions,
     * clock target. */
    enum bus_status (*commit)(struct bus *b, int partition, struct store_txn *t, const struct marker *m, struct err *e);
    /* The open batch has lasted so long that it should end with what is in it, well before it would be taken for dead. NULL: it never has. */
    bool (*late)(struct bus *b);
    void (*undo)(struct bus *b, int partition, struct store_txn *t); /* t is aborted, as it is when commit answers anything but BUS_OK */
    /* Any thread. Appends a record to an input topic and calls done (on the worker's thread, or the bus's own) exactly once when it is durable or
     * has failed; r is copied. */
    void (*append)(struct bus *b, const struct record *r, void (*done)(void *ctx, const struct append_result *res), void *ctx);
    void (*wake)(struct bus *b); /* any thread: makes poll return */
    /* Any thread. How many partitions the topics have; 0: not known yet. NULL: one. */
    int (*partitions)(struct bus *b);
    /* The worker's thread. What the group has told. NULL: BUS_RUNS. */
    enum bus_standing (*standing)(struct bus *b);
    void (*progress)(struct bus *b, int partition, struct bus_progress *out); /* the worker's thread. NULL: nothing is to be told */
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
    const char *node;        /* stable name of this node: with the slot, group.instance.id and transactional.id come from it */
    int slot;                /* which of the node's workers */
    const char *topic_prefix; /* "duban." */
    const char *url;          /* of this node's HTTP, for markers */
    bool events_time;         /* `time: events`: the logs are merged by the events' own times, each log never running back */
};
/* Returns at once: whether the broker answers shows in `trouble`. NULL and e for settings that cannot be. */
struct bus *bus_kafka_open(const struct bus_kafka_options *o, const struct bus_hooks *hooks, struct err *e);
/* Follows every partition that `claim` gives it, until `wanted` takes it back: brings its store up and keeps it so, history included, whole
 * batches only. It has no more than poll (which returns after every round), wake, partitions, progress, trouble, close. */
struct bus *bus_kafka_follow_open(const struct bus_kafka_options *o, const struct bus_hooks *hooks, struct err *e);

/* A topic that was to be created. */
struct bus_kafka_topic {
    const char *name;
    int partitions, replication; /* it has now */
    bool created;                /* it was not there */
    bool wrong;                  /* duband cannot work with it as it is */
    struct slice differs;        /* what is not as it would have been made, and the command that changes it; empty: nothing */
};
/* Creates those of the eight topics that do not exist, with the settings that duband needs. Blocks, a minute at most. topic: eight of them, or
 * NULL; their texts live in a. */
bool bus_kafka_create_topics(const struct bus_kafka_options *o, int partitions, int replication, struct bus_kafka_topic *topic,
                             struct arena *a, struct err *e);

/* Who serves partitions: the node that committed the last batch, as the changelog's last marker says. One thread at a time. */
struct bus_kafka_directory;
struct bus_kafka_owner {
    int partition;
    bool known; /* there is a marker, with this URL */
    char url[256];
    uint32_t partitions; /* that there were when it was written; 0: not known */
};
struct bus_kafka_directory *bus_kafka_directory_open(const struct bus_kafka_options *o, struct err *e);
void bus_kafka_directory_close(struct bus_kafka_directory *d); /* NULL is fine */
/* Blocks, at most some seconds. False: not all of them could be read in time. */
bool bus_kafka_directory_read(struct bus_kafka_directory *d, struct bus_kafka_owner *o, size_t n);

/* What stands on the topics, for those who are not the bus. Blocks, on each answer of the broker at most ten seconds. One thread at a time. */
struct bus_kafka_reader;
struct bus_kafka_reader *bus_kafka_reader_open(const struct bus_kafka_options *o, struct err *e);
void bus_kafka_reader_close(struct bus_kafka_reader *r); /* NULL is fine */
int bus_kafka_reader_partitions(struct bus_kafka_reader *r, enum topic topic, struct err *e); /* -1: failed */
/* Have all eight topics the shape that duband needs? False: e has the command that repairs it. */
bool bus_kafka_reader_verify(struct bus_kafka_reader *r, int *partitions, struct err *e);
bool bus_kafka_reader_ends(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t *low, int64_t *end, struct err *e);
/* Of what is open, where it begins: records of transactions that may still be committed. Its end where nothing is open. */
bool bus_kafka_reader_open_end(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t *open, int64_t *end, struct err *e);
/* The cluster's id. */
bool bus_kafka_reader_cluster(struct bus_kafka_reader *r, struct arena *a, struct slice *id, struct err *e);
/* Has the group members, even such as have gone and not been given up yet? One of them, for people; empty: none. */
bool bus_kafka_reader_member(struct bus_kafka_reader *r, const char *group, struct arena *a, struct slice *who, struct err *e);
/* Every committed record from `from` on and before `to`, in order, barriers left out; what `visit` gets is valid during the call. It answers false
 * to end it. */
bool bus_kafka_reader_read(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t from, int64_t to,
                           bool (*visit)(void *ctx, const struct record *record), void *ctx, struct err *e);

/* A whole state onto topics that hold none: one transaction, which a next writer of the same node takes back if it was not committed. The puts
 * and states of a partition, then its end (which fills m->history_next if any of the puts was history), partition by partition; then commit, and
 * close in any case. Between the last end and commit it may be held: all is done but to commit, and meanwhile whoever asks for the group's
 * offsets waits. */
struct bus_kafka_writer;
struct bus_kafka_writer *bus_kafka_writer_open(const struct bus_kafka_options *o, struct err *e);
bool bus_kafka_writer_put(struct bus_kafka_writer *w, const struct record *r, struct err *e);
bool bus_kafka_writer_state(struct bus_kafka_writer *w, int partition, enum table_id table, struct slice key, struct slice value, struct err *e);
bool bus_kafka_writer_end(struct bus_kafka_writer *w, int partition, struct marker *m, struct err *e);
bool bus_kafka_writer_hold(struct bus_kafka_writer *w, struct err *e);
bool bus_kafka_writer_commit(struct bus_kafka_writer *w, struct err *e);
void bus_kafka_writer_close(struct bus_kafka_writer *w); /* NULL is fine */

/* What bus_kafka keeps of itself in TABLE_META, big-endian integers: where changelog and history go on, and the wall time when the changelog was
 * last known to be read to its end. A batch's own are put by commit, in the batch's transaction. */
#define BUS_META_CHANGELOG_NEXT "bus.changelog_next"
#define BUS_META_HISTORY_NEXT "bus.history_next"
#define BUS_META_HISTORY_END "bus.history_end" /* how far history goes when not all of it is there: less than that is missing */
#define BUS_META_PIECE "bus.piece" /* a part of a batch is in: the state is none before the batch's end is, too */
#define BUS_META_ORIGIN "bus.origin" /* whose state it is: cluster, changelog, partition, group and how many partitions there are, each ended by a NUL */
#define BUS_META_READ_AT "bus.read_at"
#define BUS_META_MOVED "bus.moved" /* a state that was moved to other topics: where to */
/* What BUS_META_ORIGIN says. Slices point into it. False: it is none. */
struct bus_kafka_origin {
    struct slice cluster, prefix, group;
    int partition, partitions;
};
bool bus_kafka_origin(struct slice packed, struct bus_kafka_origin *out);
/* For `where`: -1 for what was never put. */
bool bus_kafka_positions(struct store_txn *t, int64_t *changelog_next, int64_t *history_next, struct err *e);
/* False: all of the history is there. True: what lies between the two offsets is still missing. */
bool bus_kafka_lacks_history(struct store_txn *t, int64_t *have, int64_t *want);
/* For `restore`, called with its own arguments: puts what a run of records moved. */
enum store_status bus_kafka_restored(struct store_txn *t, const struct record *r, size_t n, const struct marker *m, int64_t next);
/* A changelog record's table, key and value; false: not one of ours. The value's p is NULL: deleted. So is what has a value without bytes,
 * which nothing in the state has: where this was written for a deletion, it is read as one. */
bool bus_kafka_state(const struct record *r, enum table_id *table, struct slice *key, struct slice *value);

#endif
