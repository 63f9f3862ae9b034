/* The worker's inside: what its files share. worker.c start, stop and the loop; worker_partition.c partitions
 * come and go; worker_restore.c their state comes back; worker_batch.c one batch; worker_clock.c clock
 * records; worker_poison.c what cannot be taken. registry.c holds the partitions of all workers. */
#ifndef DUBAND_ENGINE_WORKER_PRIVATE_H
#define DUBAND_ENGINE_WORKER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "engine/definition.h"
#include "engine/worker.h"

#define DEFINITIONS_MAX 1024 /* in force in one partition */
#define BATCH_LEAST 256      /* records, or timers, of a batch when there is no backlog */

enum clock_state { CLOCK_IDLE, CLOCK_SENT, CLOCK_FAILED };

/* Lives as long as the registry: its store stays open when the partition goes to another node, so that readers
 * are never cut off. Fields are its owner's thread's own, but for those behind the lock. */
struct partition {
    int id;
    struct registry *registry;
    struct worker *worker; /* that holds it */
    struct store *store;
    struct engine *engine; /* NULL: not held */
    bool serving;          /* restored, and taking records */
    bool stopped;          /* a turn failed that cannot succeed: the rest of the daemon serves on */
    bool draining;         /* timers may be due by the clock's target */
    bool announce;         /* the last batch was another node's: one of ours is due, if only to say who serves */
    bool more;             /* the last take left something behind */
    size_t take, slice;    /* most records and timers of the next batch: they grow with the backlog */
    struct record *records;
    size_t bytes; /* that the batch at hand has given the bus */
    struct loading *loading; /* a whole changelog on its way into an empty store; NULL: none */
    bool waits;              /* for history: the next record needs what is not there yet */
    int64_t history_have, history_want; /* offsets of its topic: what lies between is missing */
    uint64_t batch;
    instant_t next_due;
    int64_t large_at; /* monotonic ms of the last large batch, or of the beginning: what that left is kept for a next one; 0: given back */

    /* A batch at work: what the bus said to an emit. */
    enum bus_status bus_status;
    struct err bus_err;

    /* After a failure that may pass. */
    int64_t retry_at; /* monotonic ms; 0: at once */
    unsigned failures;

    _Atomic enum clock_state clock;
    int64_t clock_at; /* monotonic ms: no clock record before */

    /* Behind registry.lock. */
    struct owner *owner;  /* NULL: nobody */
    struct owner *wanted; /* the worker that it is, or is to be, of; NULL: none */
    struct bus_progress progress; /* as last seen by its worker */
    uint64_t shown_batch;
    int64_t followed_at; /* the follower's: monotonic ms, when its end was asked for that has been reached since */
    bool readable;
    bool kept; /* its folder is from an earlier run, and the group has not said yet whose it is now: readers see it as it was left */
    struct err trouble;
    struct definition **definitions;
    size_t ndefinitions;
};

struct worker {
    struct owner owner; /* first: hooks of the bus get it as their ctx, whoever owns */
    const struct node_options *options;
    struct bus *bus;
    char source[128]; /* of the clock's records: duband/local, or duband/NODE-SLOT */
    uint64_t boot;    /* makes their ids unique */
    uint64_t clocks;
    struct arena *arena;
    struct partition *partitions[PARTITIONS_MAX]; /* acquired, in the order they came */
    size_t npartitions;
    struct partition *claims[PARTITIONS_MAX]; /* these, and those that somebody else in this process still has */
    size_t nclaims;
    bool assigned; /* the registry knows that the group has told what is its own */
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
extern const struct bus_hooks partition_hooks; /* without ctx, which is the worker */
struct partition *partition_new(struct registry *r, int id);
bool partition_open(struct partition *p, struct err *e); /* its owner, or before there is any: its store, if it is not open yet */
bool partition_engine(struct partition *p, const struct node_options *o, int partitions, struct err *e); /* its owner: the engine, if it has none yet */
void partition_free(struct partition *p);
/* ctx of the hooks; NULL: never seen */
static inline struct partition *partition_find(void *ctx, int id)
{
    return registry_find(((struct owner *)ctx)->registry, id);
}
/* Hooks of the bus (worker_restore.c). where and restore are also the follower's: ctx is any owner. */
void partition_where(void *ctx, int id, struct bus_position *out);
bool partition_restore(void *ctx, int id, const struct record *r, size_t n, const struct marker *m, int64_t next);
bool partition_load(void *ctx, int id);
enum bus_settled partition_settle(void *ctx, int id);
enum bus_settled partition_ready(void *ctx, int id);
void partition_history(void *ctx, int id, int64_t have, int64_t want);
struct store *partition_wipe(void *ctx, int id);
bool partition_is_whole(struct partition *p); /* it ends with a batch: readers may see it. False also when it is empty */
void partition_drop_load(struct partition *p); /* what was kept aside is of no use any more */
void partition_trouble(struct partition *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* fmt "": none */
void partition_silence(struct partition *p); /* it is nobody's here any more: nothing troubles it */
void partition_show(struct partition *p);  /* what readers see: the programs in force */
void partition_hide(struct partition *p);  /* nothing of it */

void counters_add(struct engine_counters *to, const struct engine_counters *c);

/* ---- batches */
bool partition_runnable(const struct partition *p);
void partition_run(struct partition *p);
/* Gives back the memory that large batches have taken, once there has been none for some seconds. */
void partition_rest(struct partition *p);
int partition_rest_timeout(const struct partition *p); /* how long until then, in ms; -1: there is nothing to give back */

/* ---- poison */
/* r NULL: a timer's turn. Writes what cannot be taken, and why, beside the partition's store. */
void partition_poison(struct partition *p, const struct record *r, const char *why);

/* ---- the clock */
void clock_tick(struct partition *p);
/* How long the loop may sleep for this partition, in ms; -1: for ever. */
int clock_timeout(const struct partition *p);
void clock_taken(struct partition *p); /* a clock record went through */

#endif
