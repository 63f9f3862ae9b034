/* A node: the workers of this process and the partitions that they hold between them. What HTTP, the publisher and main see of
 * the engine. */
#ifndef DUBAND_NODE_H
#define DUBAND_NODE_H

#include "bus/bus.h"
#include "engine/engine.h"
#include "lang/lang.h"

#define WORKERS_MAX 64

struct node;

struct node_options {
    const char *data;    /* folder; each partition has a folder of its own in it */
    bool kafka;
    struct bus_kafka_options kafka_options; /* its slot is each worker's own */
    bool events_time;
    size_t batch;   /* most records of one batch; 0: 10,000 */
    size_t workers; /* threads that share the partitions out between them; 0: 1. The embedded log has one */
    bool standby;   /* follow the partitions that other nodes hold */
    bool deferred;  /* with Kafka: store_defer */
    size_t map_most; /* store_map_most, of all partitions together; 0: no bound */
    /* Called on a worker's thread after each commit that wrote records or changed state, for long polls: must only signal. */
    void (*committed)(void *ctx);
    void *ctx;
};

/* Everything that the options point to must stay until node_stop. */
struct node *node_start(const struct node_options *o, struct err *e);
void node_stop(struct node *n); /* finishes the batches at hand, closes everything, joins the threads. NULL is fine */

/* Any thread. Where a partition is served. */
enum node_place {
    NODE_HERE,     /* by a worker of this node: restored, and readable */
    NODE_FOLLOWED, /* elsewhere, and followed here: readable, and a little old */
    NODE_KEPT,     /* the group has not said yet whose it is: readable as an earlier run left it */
    NODE_COMING,   /* it is being taken over or restored here, or the group has not said yet whose it is */
    NODE_ELSEWHERE
};
enum node_place node_place(struct node *n, int partition);

/* Any thread. Checks the record against the program in force (decoding, kinds, types: what the sender can mend) and decides its topic. Of a
 * workflow that is served elsewhere only the form can be checked; and a fact whose topic its definition decides cannot be placed, unless the
 * partition is followed here. *place: where its partition was at that moment. */
enum node_verdict {
    NODE_FINE,
    NODE_WRONG,    /* reasons were added */
    NODE_UNPLACED  /* its workflow's own node must take it */
};
enum node_verdict node_check(struct node *n, const struct cloud_event *e, struct arena *a, enum topic *topic, struct reasons *why,
                             enum node_place *place);
/* Any thread: append to the bus; done is called once, from any thread. */
void node_append(struct node *n, enum topic topic, const struct cloud_event *e,
                 void (*done)(void *ctx, const struct append_result *r), void *ctx);

/* Any thread. Who serves a partition of NODE_ELSEWHERE, by the last batch that was committed. ASKED: that is being looked up, which takes some
 * 50 ms, and `committed` is called then. A URL of this node's own counts as unknown: nobody has taken it over yet. */
#define NODE_URL_MAX 256
enum node_owner { NODE_OWNER_KNOWN, NODE_OWNER_UNKNOWN, NODE_OWNER_ASKED };
enum node_owner node_owner(struct node *n, int partition, char url[NODE_URL_MAX]);
/* How long ago, in ms, what is read of a followed partition was known to be all that had been committed. 0: it is served here. */
int64_t node_age(struct node *n, int partition);
int node_partition_count(struct node *n); /* of each topic; 0: not known yet */

/* Any thread: a snapshot for queries, of partition 0 … n-1 held by this node. NULL: not held (or still restoring). */
size_t node_partitions(struct node *n, int *partition, size_t max);
struct store_txn *node_read(struct node *n, int partition, struct err *e); /* end it with store_abort */
int node_partition_of(struct node *n, struct slice workflow);              /* where a workflow belongs */

struct node_status {
    bool ready;          /* the group has said what is this node's, and every partition of it is restored and serves */
    char trouble[1024];  /* empty, or what keeps it from working: "broker … away", "disk full …", "clock stopped …" */
    struct engine_counters counters;
    uint64_t batches, records, commit_ms_total;
    int64_t lag_records;     /* known inputs not yet taken; -1: unknown */
    instant_t next_due, clock_target;
    size_t programs;
    size_t workers;
    size_t partitions;       /* of each topic; 0: not known yet */
    size_t held, restoring, followed; /* partitions: served here; on their way to that, or to being followed; followed */
    int64_t restored_records, restore_records; /* of the changelogs of those restoring: read, of all */
    int64_t standby_age;     /* ms, of the oldest that is followed; -1: none is */
};
void node_status(struct node *n, struct node_status *out);
struct letters *node_letters(struct node *n); /* dead letters: engine/letters.h */

struct node_partition {
    int id;
    const char *state; /* waiting, restoring, restored, serving, halted, stopped: a worker's. restoring, standby, halted: the follower's. kept; elsewhere */
    int worker;        /* -1: none */
    uint64_t batch;    /* last one here; 0: none, or not known */
    int64_t at, end;   /* restoring: how far in the changelog, of how much; else -1 */
    int64_t lag;       /* inputs known and not taken; -1: not known here */
    int64_t age;       /* ms; -1: not followed */
    char owner[NODE_URL_MAX]; /* URL of who serves it; empty: nobody is known to */
};
/* Any thread. Returns how many there are. *asked: an owner is being looked up, and `committed` is called then. */
size_t node_partition_list(struct node *n, struct node_partition *out, size_t max, bool *asked);
const char *node_name(const struct node *n);
bool node_is_local(const struct node *n);
/* An operator has looked: the machine's clock is right. False on Kafka, whose clock is the broker's. */
bool node_accept_clock(struct node *n);

/* Publishes a workflow's folder if it is not in force as it is: reads and compiles it, compares hashes, appends a Definition event of source
 * `duband` and waits until that is durable. Any thread but the workers'; when the node is ready, or what is in force cannot be known (then the
 * event is appended all the same: the same definition twice is harmless). False with diagnostics in d (d->errors > 0), or with e.
 * Whether the definition is then taken into force shows in GET of its event, or in history. */
struct node_published {
    struct slice workflow, source, id; /* of the event; in d's arena */
    bool unchanged;                    /* it is in force: nothing was appended */
    bool elsewhere;                    /* another node takes it in */
};
bool node_publish(struct node *n, const char *dir, struct slice actor, struct slice reason, struct diags *d,
                  struct node_published *out, struct err *e);

#endif
