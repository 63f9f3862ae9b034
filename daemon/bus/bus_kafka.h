/* Inside of bus_kafka: what its files share. Nobody else includes it.
 *
 *   bus_kafka.c            open, poll, close, and the phases a bus goes through
 *   bus_kafka_conf.c       librdkafka handles and their settings
 *   bus_kafka_topics.c     names; do the topics on the broker have the shape they need; creating them
 *   bus_kafka_rebalance.c  the group: partitions come and go
 *   bus_kafka_restore.c    a partition's state is brought up to the last committed batch
 *   bus_kafka_log.c        reading changelog and history for that
 *   bus_kafka_positions.c  what the bus keeps in a partition's store
 *   bus_kafka_input.c      the two input logs, merged
 *   bus_kafka_commit.c     one batch, one transaction
 *   bus_kafka_append.c     producer of inputs, with a thread of its own
 *   bus_kafka_lookout.c    thread that asks for high-water marks, and whether the broker is back
 *   bus_kafka_trouble.c    errors: what they mean, and saying them once
 *
 * Threads: a handle is used by one thread only, except where its comment says otherwise. The worker's thread
 * never waits on the broker without limit but in a transaction (librdkafka 2.0.2 needs that) and never calls
 * hooks but from poll and close. */
#ifndef DUBAND_BUS_KAFKA_H
#define DUBAND_BUS_KAFKA_H

#include "base/log.h"
#include "bus/bus.h"
#include "bus/merge.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SLICE_MS 200       /* longest that poll waits on the broker in one go while starting or restoring */
#define LANE_RECORDS 20000 /* records of one input held ready for the merge */
#define MARKER_KEY 0xff    /* first and only byte of a marker's key; table ids are smaller */

enum phase {
    PHASE_START,   /* no handles but lookout and appender; make the others */
    PHASE_VERIFY,  /* wait for the broker, look at the topics */
    PHASE_INIT,    /* init_transactions */
    PHASE_GROUP,   /* subscribed: waiting for an assignment */
    PHASE_RESTORE, /* partitions assigned, not all of them ready */
    PHASE_RUN      /* fetching */
};

enum part_state {
    PART_ACQUIRED,  /* committed positions not known yet */
    PART_COMMITTED, /* known: next is the changelog */
    PART_CHANGELOG, /* reading it */
    PART_CAUGHT_UP, /* next is the history */
    PART_HISTORY,   /* reading it */
    PART_RESTORED,  /* next is to start */
    PART_READY,     /* waits for the others */
    PART_RUNS,
    PART_HALTED /* why says so; stays until the assignment changes */
};

/* One input topic of a partition. */
struct lane {
    rd_kafka_queue_t *queue; /* NULL until it runs */
    int64_t next;   /* next offset wanted of the group: committed, or where it starts. -1: not known */
    int64_t known;  /* every record below this offset was pushed */
    bool heard;     /* something came since the assignment */
    int64_t taken;  /* offset of the last record taken since the last commit; -1: none */
    instant_t last; /* receipt time of the last record pushed */
    /* The question what the high-water mark is; its answer vouches for all records up to `through` once
     * `known` has passed `mark`. */
    bool asked;
    int64_t mark;      /* -1: no answer yet */
    instant_t through; /* of the last question */
    int64_t ask_at;    /* not before (monotonic ms) */
};

struct part {
    int id;
    enum part_state state;
    struct store *store;
    struct bus_position at; /* where the store stands */
    /* Restore. */
    bool has_target;           /* a batch number was committed with the offsets */
    uint64_t target;           /* that number */
    int64_t end;               /* high-water mark of the log being restored; -1: not asked yet */
    int64_t resume;            /* offset after the last record read of it */
    int64_t history_end;       /* how far the last marker says that history goes; -1: no marker was read */
    rd_kafka_message_t **held; /* collected, not handed over yet */
    size_t nheld, cheld;
    size_t whole;       /* of these, so many are of whole batches, … */
    struct marker last; /* … the last of which ended with this, … */
    int64_t whole_next; /* … before this offset, … */
    bool pending;       /* … and the store does not know yet */
    /* Run. */
    struct lane lane[MERGE_LANES];
    struct merge *merge;
    struct arena *arena; /* headers of what was taken */
    struct err why;
};

/* A batch being made. The delivery callback fills in what the broker says of it. */
struct batch {
    struct part *part; /* NULL: none is open */
    uint32_t serial;   /* reports of earlier batches are told by it */
    size_t history_sent, history_stored;
    int64_t history_next, changelog_next; /* -1: none stored */
    size_t unserved;                      /* produced since the last look at reports */
    rd_kafka_resp_err_t failed;
};

/* What was asked of the lookout, and its answer. */
struct question {
    uint32_t assignment; /* questions of an earlier one are void */
    int partition, lane;
    int64_t mark; /* -1: could not be had */
};

struct lookout {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stirred;
    rd_kafka_t *rk; /* read_uncommitted, so that it sees the end of the log; thread-safe calls only */
    struct question *todo, *done;
    size_t ntodo, ctodo, ndone, cdone;
    bool started, stop;
};

struct appender {
    pthread_t thread;
    pthread_mutex_t lock; /* over rk and topic, against their replacement */
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic[MERGE_LANES];
    atomic_bool stop, broken;
    bool started;
};

struct kafka {
    struct bus bus; /* first */
    struct bus_hooks hooks;
    struct bus_kafka_options options; /* with copies of everything */
    struct arena *arena;
    const char *topic[TOPIC_COUNT];
    int session_ms, transaction_ms;

    int wakefd; /* eventfd: a queue has something, or somebody wants poll to return */
    atomic_bool woken;
    bool stir;  /* something for the worker to look at */
    bool grown; /* memory may have been used since it was last given back */

    enum phase phase;
    int64_t retry_at, backoff; /* monotonic ms: not before */
    bool restart;              /* drop everything and begin again at the next poll */

    rd_kafka_t *consumer; /* the group's; read_committed */
    rd_kafka_queue_t *consumer_queue;
    rd_kafka_t *producer; /* transactional */
    rd_kafka_topic_t *output[TOPIC_COUNT];
    rd_kafka_t *restorer; /* assigned by hand; read_committed. Lives as long as the bus, so that its metadata
                             is warm */
    rd_kafka_queue_t *restorer_queue, *admin_queue;
    bool configs_asked, configs_fine;
    int64_t delete_retention_ms;
    atomic_int npartitions;

    rd_kafka_consumer_group_metadata_t *generation; /* of the assignment, taken when it came */
    struct part **part;
    size_t nparts;
    uint32_t assignment; /* counts them */
    int64_t restore_since;
    size_t restoring; /* index into part */

    struct batch batch;
    struct lookout lookout;
    struct appender appender;

    pthread_mutex_t trouble_lock;
    bool suspect, away;          /* no broker answers: perhaps; for certain */
    struct err away_why, reason; /* reason: of the phase; empty when there is none */
};

static inline struct kafka *kafka_of(struct bus *b)
{
    return (struct kafka *)(void *)b;
}

int64_t kafka_monotonic_ms(void);
int64_t kafka_wall_ms(void);
void kafka_stir(struct kafka *k); /* any thread: poll looks again … */
void kafka_wake(struct kafka *k); /* … and returns */

/* conf */
enum kafka_role { ROLE_CONSUMER, ROLE_PRODUCER, ROLE_RESTORER, ROLE_LOOKOUT, ROLE_APPENDER, ROLE_ADMIN };
rd_kafka_t *kafka_handle_new(struct kafka *k, enum kafka_role role, struct err *e);
bool kafka_options_check(struct kafka *k, struct err *e);

/* topics */
bool kafka_topics_verify(struct kafka *k); /* one step of at most SLICE_MS; true: all is as it should be */
void kafka_topics_name(struct kafka *k);

/* rebalance */
void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                        void *opaque);
void kafka_release_all(struct kafka *k, bool lost);
bool kafka_assign_ready(struct kafka *k); /* starts fetching every partition that is ready */
struct part *kafka_part(struct kafka *k, int id);

/* restore */
void kafka_restore_step(struct kafka *k);
void kafka_part_halt(struct kafka *k, struct part *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* log */
/* Begins to read the changelog or the history. False: its ends are not known yet, come again. */
bool kafka_log_begin(struct kafka *k, struct part *p, enum topic topic, int64_t from);
void kafka_log_step(struct kafka *k,
                    struct part *p); /* a slice of it; the part's state moves on at the end */
void kafka_log_end(struct kafka *k);
void kafka_part_drop_held(struct part *p);

/* positions */
enum store_status kafka_put_positions(struct store_txn *t, int64_t changelog_next,
                                      int64_t history_next); /* -1: stays */
/* How long ago this state was last known to follow the changelog (0: it never did), and how far its history
 * should go (-1: not known). */
bool kafka_state_look(struct store *s, int64_t *age, int64_t *history_end, struct err *e);

/* input */
void kafka_input_start(struct kafka *k, struct part *p);
void kafka_input_stop(struct part *p);
void kafka_input_serve(struct kafka *k);
size_t kafka_take(struct bus *b, int partition, struct record *out, size_t max);
void kafka_record_of(const rd_kafka_message_t *m, enum topic topic, struct arena *a, struct record *out);

/* commit */
void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
enum bus_status kafka_begin(struct bus *b, int partition, struct store_txn *t, struct err *e);
enum bus_status kafka_emit(struct bus *b, int partition, const struct record *r, struct err *e);
enum bus_status kafka_state(struct bus *b, int partition, enum table_id table, struct slice key,
                            struct slice value, struct err *e);
enum bus_status kafka_commit(struct bus *b, int partition, struct store_txn *t, const struct marker *m,
                             struct err *e);
void kafka_undo(struct bus *b, int partition, struct store_txn *t);

/* append */
bool kafka_appender_open(struct kafka *k, struct err *e);
void kafka_appender_close(struct kafka *k);
void kafka_append(struct bus *b, const struct record *r, void (*done)(void *, const struct append_result *),
                  void *ctx);
void kafka_on_append(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);

/* lookout */
bool kafka_lookout_open(struct kafka *k, struct err *e);
void kafka_lookout_close(struct kafka *k);
void kafka_lookout_stir(struct kafka *k); /* any thread */
void kafka_lookout_ask(struct kafka *k, int partition, int lane);
bool kafka_lookout_answer(struct kafka *k, struct question *q); /* false: no more */
/* Low and high-water mark, waiting at most SLICE_MS. */
bool kafka_watermarks(struct kafka *k, const char *topic, int partition, int64_t *low, int64_t *high);

/* trouble */
void kafka_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);
void kafka_on_append_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);
void kafka_on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text);
/* A connection failed: idle ones are closed by brokers, too, so the lookout asks before anything is said. */
bool kafka_is_suspect(struct kafka *k);
void kafka_seen(struct kafka *k, bool answers); /* what it found */
/* Why the bus is not running; said in the log when it changes. NULL: it is. */
void kafka_reason(struct kafka *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kafka_no_reason(struct kafka *k);
bool kafka_trouble(struct bus *b, struct err *why);
/* Begin again from the start: new handles, new transaction id, step 0 for every partition. */
void kafka_restart(struct kafka *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
