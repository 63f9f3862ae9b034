/* A worker: one thread that owns a bus and the partitions it brings; batches turns, keeps the clock.
 * The other threads see it through this header only. */
#ifndef DUBAND_WORKER_H
#define DUBAND_WORKER_H

#include "bus/bus.h"
#include "engine/engine.h"
#include "lang/lang.h"

struct worker;

struct worker_options {
    const char *data;    /* folder; each partition has a folder of its own in it */
    bool kafka;
    struct bus_kafka_options kafka_options;
    bool events_time;
    size_t batch; /* most records of one batch; 10,000 */
    /* Called on the worker's thread after each commit that wrote records or changed state, for long polls: must only signal. */
    void (*committed)(void *ctx);
    void *ctx;
};

struct worker *worker_start(const struct worker_options *o, struct err *e);
void worker_stop(struct worker *w); /* finishes the batch at hand, closes everything, joins the thread */

/* Any thread. Checks the record against the program in force (decoding, kinds, types: what the sender can mend); false with reasons, nothing appended.
 * Decides the topic. */
bool worker_check(struct worker *w, const struct cloud_event *e, struct arena *a, enum topic *topic, struct reasons *why);
/* Any thread: append to the bus; done is called once, from any thread. */
void worker_append(struct worker *w, enum topic topic, const struct cloud_event *e,
                   void (*done)(void *ctx, const struct append_result *r), void *ctx);

/* Any thread: a snapshot for queries, of partition 0 … n-1 held by this node. NULL: not held (or still restoring). */
size_t worker_partitions(struct worker *w, int *partition, size_t max);
struct store_txn *worker_read(struct worker *w, int partition, struct err *e); /* end it with store_abort */
int worker_partition_of(struct worker *w, struct slice workflow);              /* where a workflow belongs */
bool worker_holds(struct worker *w, struct slice workflow);                    /* its partition is held here, and restored */

struct worker_status {
    bool ready;          /* every partition is restored and serves */
    char trouble[512];   /* empty, or what keeps it from working: "broker … away", "disk full …", "clock stopped …" */
    struct engine_counters counters;
    uint64_t batches, records, commit_ms_total;
    int64_t lag_records;     /* known inputs not yet taken; -1: unknown */
    instant_t next_due, clock_target;
    size_t programs;
};
void worker_status(struct worker *w, struct worker_status *out);
bool worker_is_local(const struct worker *w);
/* An operator has looked: the machine's clock is right. False on Kafka, whose clock is the broker's. */
bool worker_accept_clock(struct worker *w);

/* Publishes a workflow's folder if it is not in force as it is: reads and compiles it, compares hashes, appends a Definition event of source
 * `duband` and waits until that is durable. Any thread but the worker's; when the node is ready, or what is in force cannot be known (then the
 * event is appended all the same: the same definition twice is harmless). False with diagnostics in d (d->errors > 0), or with e.
 * Whether the definition is then taken into force shows in GET of its event, or in history. */
struct worker_published {
    struct slice workflow, source, id; /* of the event; in d's arena */
    bool unchanged;                    /* it is in force: nothing was appended */
};
bool worker_publish(struct worker *w, const char *dir, struct slice actor, struct slice reason, struct diags *d,
                    struct worker_published *out, struct err *e);

#endif
