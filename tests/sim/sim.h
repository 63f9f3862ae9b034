/* A simulation of nodes, a broker and their disks in one thread: the daemon's own bus and worker run over a
 * librdkafka, threads, clocks and a store that are made here, and a seed decides everything that could go
 * either way. What each file makes:
 *
 *   main.c      the command line; each history in a process of its own
 *   chance.c    the seeded generator, and what a history's seed makes of it: its plan
 *   sched.c     virtual time, events, threads as coroutines
 *   threads.c   pthread, clocks, eventfd, poll: wrapped
 *   trace.c     what happened, for people
 *   cluster.c   logs with transactions, as a broker keeps them
 *   coord.c     its transaction coordinator
 *   group.c     its group coordinator
 *   handle.c    fake librdkafka: settings, handles, topics, queues, messages
 *   producer.c  … producers
 *   consumer.c  … consumers: fetching, positions
 *   member.c    … consumers: as members of a group
 *   admin.c     … metadata and settings of topics
 *   disk.c      stores that survive the death of a node, and fail
 *   alone.c     … of which one is out of order, and only its own partition may suffer
 *   host.c      nodes start, die, stall; the broker goes away
 *   portal.c    what is written to the inputs
 *   oracle.c    what must have come of it
 *
 * Time is in microseconds since the start of a history unless a name ends in _ms. */
#ifndef DUBAND_SIM_H
#define DUBAND_SIM_H

#include "base/base.h"
#include "store/store.h"
#include "wire/wire.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#define MS 1000
#define SEC 1000000
#define FOREVER INT64_MAX
#define WALL_START_MS INT64_C(1740787200000) /* 2025-03-01T00:00:00Z, on the broker's clock */
#define NODES_MAX 3
#define PARTITIONS_MOST 3
#define WORKFLOWS_MOST 4

/* ---- chance.c */

void chance_start(uint64_t seed);
uint64_t chance_next(void);
int64_t between(int64_t least, int64_t most); /* both included */
bool chance(double p);

/* What kind of history it is. Rates are per step unless said otherwise. */
struct plan {
    uint64_t seed;
    int nodes, partitions, workflows;
    int64_t faults_until;       /* from here on nothing fails any more */
    int session_ms, transaction_ms;
    int message_most; /* a setting, in bytes: how much history a record has follows from it */
    int events;                 /* written by portals */
    double crash, stall, swap;  /* of the node that takes the step; another thread goes on */
    double lost, odd, slow;     /* a reply is lost; an error that may be had; a request takes long */
    double disk_fails, disk_full, disk_slow; /* per commit of a store */
    double broker;              /* per second: it goes away */
    double foreign;             /* of portals' records: inside a transaction of theirs */
    double http;                /* of what a node is asked to append */
    double unknown;             /* of delivery reports: their offset is not known */
    double damage;              /* of records fetched: they arrive damaged */
    double compact;             /* per second: a changelog */
    double wipe, old;           /* of restarts: the disk is empty, or an older copy */
    int64_t behind;             /* most time from an input record's receipt until readers see it */
    int64_t skew;               /* the most by which a node's clock is off */
    size_t batch;
    size_t workers;
    bool standby, twins;
    int alone;                  /* the partition whose store is out of order, in a history without other faults; -1: it is another history */
    bool alone_slow;            /* it makes its worker wait so long that the group throws it out; else it fails */
};
extern struct plan plan;
void plan_make(uint64_t seed);

/* ---- trace.c */

void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trace_open(bool all); /* all: print as it happens */
/* The history has failed: says so, with its steps, and ends the process. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

enum counted { COUNT_CRASH, COUNT_STALL, COUNT_BATCH, COUNT_OUTPUT, COUNT_FENCED, COUNT_GENERATION, COUNT_UNKNOWN, COUNT_ABORT, COUNT_DISK, COUNT_BROKER, COUNT_WIPE, COUNTS };
void count(enum counted what, uint64_t n); /* over all histories of a run */

/* ---- sched.c */

/* A node's process: what a crash takes away. A restarted one is another of these. */
struct node;
struct host {
    int id;
    bool dead;
    int64_t stalled_until;
    int64_t skew; /* of its wall clock */
    int64_t full_until; /* its disk */
    bool stop;    /* asked to */
    struct node *node; /* the daemon's; NULL before it runs */
    int named; /* as which node it runs: another's name is a mistake of somebody's */
};

struct thread;
typedef bool condition(void *arg);

extern int64_t now; /* virtual, monotonic */
extern struct thread *running; /* NULL: the scheduler, an event, the broker */
struct host *running_host(void); /* NULL: none */

struct thread *thread_start(struct host *n, const char *name, void *(*run)(void *), void *arg);
bool thread_ended(const struct thread *t);
const char *thread_name(const struct thread *t);
/* Runs fn at a time from now. With a node: only while it lives, and not while it stalls. */
void later(int64_t delay, struct host *n, void (*fn)(void *), void *arg);
/* One step of the running thread: time passes, others may go on, its node may die or stall. */
void step(const char *what);
void step_quietly(void); /* without faults of the node */
/* Until the condition holds (true) or it is `until` (false). NULL: never holds. Only from a thread. */
bool wait_for(condition *c, void *arg, int64_t until);
void pass(int64_t time); /* wait_for nothing */
void yield_now(void);
/* Until `done` holds, asked now and then. */
void sched_run(bool (*done)(void));
int64_t wall_ms(const struct host *n);

/* ---- alone.c */

/* A write transaction is to begin, or to be committed. False: it cannot. */
bool alone_begin(struct host *n, int partition);
bool alone_commit(int partition);
void alone_check(void); /* faults are over */

/* ---- cluster.c */

enum visibility { TXN_OPEN, TXN_COMMITTED, TXN_ABORTED };

struct txn;

/* A transaction's part in one log. */
struct share {
    struct txn *txn;
    struct log *log;
    int64_t first; /* offset; -1: nothing yet */
    enum visibility state;
    struct share *next; /* of the log: those that are open */
};

struct entry {
    int64_t offset, ts_ms;
    int64_t seen_at; /* virtual time from which readers see it */
    bool control;
    bool gone; /* compacted away */
    struct share *share; /* NULL: outside of transactions */
    struct slice key, value; /* value.p NULL: a tombstone */
    struct header *header;
    size_t nheaders;
};

struct log {
    enum topic topic;
    int partition;
    char name[64]; /* of the topic */
    struct entry **entry;
    size_t n, cap;
    struct share *open;
};

extern bool broker_up;
extern struct log logs[TOPIC_COUNT][PARTITIONS_MOST];

void cluster_start(void);
struct log *log_of(const char *topic, int partition); /* NULL: there is none */
/* share NULL: a plain record. Bytes are copied. */
struct entry *log_append(struct log *l, struct share *share, struct slice key, struct slice value,
                         const struct header *header, size_t nheaders);
void log_end_share(struct share *s, bool commit); /* its marker */
int64_t log_high(const struct log *l);            /* high-water mark */
int64_t log_stable(const struct log *l);          /* LSO */
bool entry_is_data(const struct entry *e);        /* to a read_committed reader, below LSO */
bool entry_is_input(const struct entry *e);       /* … and not one of the bus's own */
void log_compact(struct log *l);
bool broker_is_up(void *unused);

/* ---- coord.c */

enum txn_state { TXN_ONGOING, TXN_COMMITTING, TXN_ABORTING, TXN_COMMITTED_ALL, TXN_ABORTED_ALL };

struct pending {
    char topic[64];
    int partition;
    int64_t offset;
    char metadata[32];
};

struct identity; /* of a transactional.id */

struct txn {
    struct identity *of;
    int epoch;
    enum txn_state state;
    struct share *share[TOPIC_COUNT * PARTITIONS_MOST];
    size_t nshares;
    struct pending *pending;
    size_t npending;
    int left; /* markers to be written */
};

struct identity *coord_identity(const char *transactional_id, int timeout_ms);
/* CONCURRENT_TRANSACTIONS: again in a moment. */
rd_kafka_resp_err_t coord_init(struct identity *id, int *epoch);
rd_kafka_resp_err_t coord_share(struct identity *id, int epoch, struct log *l, struct share **out);
rd_kafka_resp_err_t coord_offsets(struct identity *id, int epoch, const struct pending *p, size_t n);
rd_kafka_resp_err_t coord_end(struct identity *id, int epoch, bool commit);
bool coord_idle(void); /* no transaction is open */
/* What was committed of a group's offsets; false: nothing. *unstable: something is not decided yet. */
bool coord_committed(const char *topic, int partition, int64_t *offset, const char **metadata, bool *unstable);

/* ---- group.c */

struct consumer; /* of member.c */

struct assignment {
    int generation;
    char member[64];
    int partition[PARTITIONS_MOST];
    int n;
};

/* Answers later, by member_assigned or member_refused. */
void group_join(struct consumer *c, const char *instance, const char *member, int session_ms);
rd_kafka_resp_err_t group_heartbeat(const char *instance, const char *member, int generation);
rd_kafka_resp_err_t group_check(const char *instance, const char *member, int generation);
void group_reload(void); /* the broker is back: sessions begin anew */
void group_drop(int partition, bool held[]); /* who holds it is no member any more; held[p] is set for all that it held */

/* ---- handle.c and the fakes of librdkafka */

enum op_kind { OP_RECORD, OP_MARKER, OP_ERROR, OP_REBALANCE, OP_ERROR_CB, OP_REPORT, OP_EVENT };

struct op {
    struct op *next;
    enum op_kind kind;
    rd_kafka_t *of; /* a consumer */
    uint32_t version; /* of the assignment */
    struct toppar *toppar;
    rd_kafka_message_t *message;   /* RECORD, ERROR, REPORT */
    int64_t offset;                /* MARKER */
    rd_kafka_resp_err_t err;       /* REBALANCE, ERROR_CB */
    struct assignment assignment;  /* REBALANCE */
    rd_kafka_event_t *event;       /* EVENT */
    char text[128];
};

struct rd_kafka_queue_s {
    struct op *first, **last;
    int fd; /* -1: nobody is told */
    bool yielded;
    struct rd_kafka_queue_s *forward;
};

#define SETTINGS_MOST 64

struct rd_kafka_conf_s {
    char name[SETTINGS_MOST][64], value[SETTINGS_MOST][128];
    size_t n;
    void *opaque;
    void (*rebalance)(rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *);
    void (*report)(rd_kafka_t *, const rd_kafka_message_t *, void *);
    void (*error)(rd_kafka_t *, int, const char *, void *);
};

struct rd_kafka_s {
    struct rd_kafka_s *next; /* of all */
    struct host *node;
    bool gone;
    char name[64];
    rd_kafka_type_t type;
    struct rd_kafka_conf_s conf;
    struct rd_kafka_queue_s main;
    rd_kafka_resp_err_t fatal;
    char fatal_text[128];
    struct producer *producer;
    struct consumer *consumer;
};

struct rd_kafka_topic_s {
    rd_kafka_t *of;
    char name[64];
};

void queue_init(struct rd_kafka_queue_s *q);
void queue_push(struct rd_kafka_queue_s *q, struct op *op);
struct op *queue_pop(struct rd_kafka_queue_s *q);
bool queue_has(void *q);
struct op *op_new(enum op_kind kind);
const char *handle_setting(const rd_kafka_t *rk, const char *name, const char *otherwise);
void handle_fatal(rd_kafka_t *rk, rd_kafka_resp_err_t err, const char *text);
void handles_broker(bool up); /* the broker went or came: all handles hear of it */
/* A request on its way to the broker; false: it does not answer until then. */
bool travel(int64_t until);
int64_t until_of(int timeout_ms);
int64_t hop(void); /* how long one way to the broker takes */
rd_kafka_message_t *message_of(const struct log *l, const struct entry *e);
rd_kafka_message_t *message_error(const char *topic, int partition, int64_t offset, rd_kafka_resp_err_t err);
rd_kafka_error_t *error_new(rd_kafka_resp_err_t code, bool fatal, bool retriable, bool abortable, const char *text);

void producer_open(rd_kafka_t *rk);
void producer_close(rd_kafka_t *rk);
void producer_broker(rd_kafka_t *rk, bool up);
void consumer_open(rd_kafka_t *rk);
void consumer_close(rd_kafka_t *rk);
void consumers_stir(const struct log *l); /* it has grown, or more of it is stable */
void member_assigned(struct consumer *c, const struct assignment *a);
void member_refused(struct consumer *c); /* another of its name has joined */
void consumer_serve(rd_kafka_t *rk, struct op *op); /* REBALANCE */

struct toppar {
    struct toppar *next;
    struct consumer *consumer;
    struct log *log;
    struct rd_kafka_queue_s queue;
    bool active, busy, lost; /* lost: it asked for an offset that is none, and asks no more */
    uint32_t version;
    int64_t fetch_next, position, said_end, end;
};

enum member_state { MEMBER_NONE, MEMBER_JOINING, MEMBER_HELD, MEMBER_REVOKING };

struct consumer {
    rd_kafka_t *rk;
    bool committed_only;
    struct rd_kafka_queue_s queue;
    struct toppar *toppars;
    uint32_t version; /* counts assignments */
    /* As a member. */
    enum member_state state;
    bool subscribed, lost, beating;
    char member[64];
    int generation;
    uint32_t join; /* counts joins: answers to earlier ones are void */
    int session_ms, heartbeat_ms;
    int64_t heard; /* when the coordinator last answered */
};

/* ---- threads.c */
void fd_add(int fd);       /* an eventfd of ours counts one up */

/* ---- disk.c */
void disk_start(void);
void disk_crash(int node);   /* what was not committed is gone */
bool disk_wipe(int node);
void disk_copy(int node);    /* kept aside */
bool disk_restore(int node); /* the copy put in its place */
struct store *disk_store(int node, int partition); /* NULL: none */
bool disk_is_ours(int node, int partition);          /* the running thread has opened the store, or wrote to it last */

/* ---- host.c */
void hosts_start(void);
void host_crash(struct host *n, const char *where);
void hosts_heal(void); /* no more faults: all that should run run */
struct host *host_of(int id); /* as it runs now; NULL: it does not */

/* ---- portal.c */
void portal_prepare(void); /* once, before any history: definitions are compiled */
void portal_start(void);
bool portal_done(void);
struct cloud_event portal_answer(void); /* for TOPIC_SUBMISSIONS, to be sent by way of a node */
struct slice portal_workflow(int partition); /* one of that partition; empty: there is none */

/* ---- oracle.c */
bool oracle_rest(void);  /* everything has come to rest */
void oracle_stuck(void); /* does not return: says what is not at rest */
void oracle_check(void);

#endif
