/* The worker's inside: what its files share. worker.c start, stop and the loop; worker_partition.c partitions
 * come and go; worker_batch.c one batch; worker_clock.c clock records; worker_read.c what other threads may
 * ask; worker_publish.c a folder as an event. */
#ifndef DUBAND_ENGINE_WORKER_PRIVATE_H
#define DUBAND_ENGINE_WORKER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "engine/definition.h"
#include "engine/worker.h"

#define PARTITIONS_MAX 1024
#define DEFINITIONS_MAX 1024 /* in force in one partition */
#define BATCH_LEAST 256      /* records, or timers, of a batch when there is no backlog */

enum clock_state { CLOCK_IDLE, CLOCK_SENT, CLOCK_FAILED };

/* Lives as long as the worker: its store stays open when the partition goes to another node, so that readers
 * are never cut off. Fields are the worker's thread's own, but for those behind the lock. */
struct partition {
    int id;
    struct worker *worker;
    struct store *store;
    struct engine *engine; /* NULL: not held */
    bool serving;          /* restored, and taking records */
    bool stopped;          /* a turn failed that cannot succeed: the rest of the daemon serves on */
    bool draining;         /* timers may be due by the clock's target */
    bool more;             /* the last take left something behind */
    size_t take, slice;    /* most records and timers of the next batch: they grow with the backlog */
    struct record *records;
    uint64_t batch;
    instant_t next_due;
    int64_t large_at; /* monotonic ms of the last large batch, whose memory is kept for a next one; 0: given back */

    /* A batch at work: what the bus said to an emit. */
    enum bus_status bus_status;
    struct err bus_err;

    /* After a failure that may pass. */
    int64_t retry_at; /* monotonic ms; 0: at once */
    unsigned failures;

    _Atomic enum clock_state clock;
    int64_t clock_at; /* monotonic ms: no clock record before */

    /* Behind worker.lock. */
    bool readable;
    bool kept; /* its folder is from an earlier run, and the group has not said yet whose it is now: readers see it as it was left */
    struct err trouble;
    struct definition **definitions;
    size_t ndefinitions;
};

struct worker {
    struct worker_options options;
    char *data;
    struct bus *bus;
    char source[128]; /* of the clock's records: duband/NODE */
    uint64_t boot;    /* makes their ids unique */
    uint64_t clocks;
    struct arena *arena;
    struct partition *partitions[PARTITIONS_MAX]; /* in the order they came */
    size_t npartitions;
    struct engine_counters closed; /* of engines that are gone */
    struct worker_status status;   /* behind the lock */
    pthread_t thread;
    atomic_bool stop, full; /* full: the disk; no appends meanwhile */
    pthread_mutex_t lock;
    pthread_cond_t nudge; /* an append or a stop, while the loop waits out a failure */
    bool nudged, closing;
};

int64_t worker_monotonic(void);
instant_t worker_now(void); /* the machine's clock */

/* ---- partitions */
extern const struct bus_hooks partition_hooks; /* without ctx */
struct store *partition_open(struct worker *w, int id, struct err *e);
/* Before anything runs: opens the folders of an earlier run for readers. */
bool partitions_keep(struct worker *w, struct err *e);
void partition_free(struct partition *p);
void partition_trouble(struct partition *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* fmt "": none */
void partition_show(struct partition *p);  /* what readers see: the programs in force */

void counters_add(struct engine_counters *to, const struct engine_counters *c);

/* ---- batches */
bool partition_runnable(const struct partition *p);
void partition_run(struct partition *p);
/* Gives back the memory that large batches have taken, once there has been none for some seconds. */
void partition_rest(struct partition *p);
int partition_rest_timeout(const struct partition *p); /* how long until then, in ms; -1: there is nothing to give back */

/* The hash of the workflow's definition in force; false: none that this node knows. Any thread. */
bool worker_in_force(struct worker *w, struct slice workflow, struct arena *a, struct slice *hash);

/* ---- poison */
/* r NULL: a timer's turn. Writes what cannot be taken, and why, beside the partition's store. */
void partition_poison(struct partition *p, const struct record *r, const char *why);

/* ---- the clock */
void clock_tick(struct partition *p);
/* How long the loop may sleep for this partition, in ms; -1: for ever. */
int clock_timeout(const struct partition *p);
void clock_taken(struct partition *p); /* a clock record went through */

#endif
