/* Inside of bus_kafka: what its files share. Nobody else includes it.
 *
 *   bus_kafka.c            open, poll, close, and the phases a bus goes through
 *   bus_kafka_conf.c       librdkafka handles and their settings
 *   bus_kafka_topics.c     names; do the topics on the broker have the shape they need
 *   bus_kafka_create.c     creating them
 *   bus_kafka_rebalance.c  the group: partitions come and go
 *   bus_kafka_part.c       a partition's own troubles: it halts, or its store is tried again
 *   bus_kafka_restore.c    a partition's state is brought up to the last committed batch
 *   bus_kafka_log.c        reading changelog and history for that
 *   bus_kafka_behind.c     missing history, taken in while the partition serves
 *   bus_kafka_rival.c      another process under the same name
 *   bus_kafka_origin.c     is the state in the folder this partition's?
 *   bus_kafka_grown.c      have the topics been given more partitions?
 *   bus_kafka_positions.c  what the bus keeps in a partition's store
 *   bus_kafka_progress.c   how far a restore has come, and what waits
 *   bus_kafka_input.c      the two input logs, merged
 *   bus_kafka_hold.c       their answers wait while a batch is made final
 *   bus_kafka_directory.c  who serves the partitions of other nodes
 *   bus_kafka_follow.c     the follower of partitions that nobody here holds
 *   bus_kafka_reader.c     topics as others read them
 *   bus_kafka_writer.c     a whole state in one transaction
 *   bus_kafka_commit.c     one batch, one transaction
 *   bus_kafka_produce.c    the records of a batch
 *   bus_kafka_chunk.c      history, several records in one
 *   bus_kafka_barrier.c    where an input log ends
 *   bus_kafka_append.c     producer of inputs, with a thread of its own
 *   bus_kafka_lookout.c    thread that asks whether the broker is back
 *   bus_kafka_trouble.c    errors: what they mean, and saying them once
 *   bus_kafka_cure.c       what is to be done about a connection that cannot be had
 *   bus_kafka_rights.c     what the broker does not let us do, and the command that lets us
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
/* Held ready for the merge by all lanes together; each may have its part, and at least one record. */
#define LANES_RECORDS 20000
#define LANES_BYTES ((size_t)24 << 20)
#define LANE_LEAST 500
#define KAFKA_BARRIER "duban_barrier" /* header of a record without key and value in an input log: see barrier */
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
    PART_ACQUIRED,  /* committed positions not known yet; without a store: not even acquired */
    PART_COMMITTED, /* known: next is the changelog */
    PART_CHANGELOG, /* reading it */
    PART_CAUGHT_UP, /* read: the worker finishes it */
    PART_RESTORED,  /* next is to start; history comes behind */
    PART_READY,     /* waits for the others */
    PART_RUNS,
    PART_FAILED, /* its store did; from retry_at on it begins again */
    PART_HALTED  /* why says so; stays until the assignment changes */
};

/* One input topic of a partition. */
struct lane {
    rd_kafka_queue_t *queue; /* NULL until it runs */
    int64_t next;   /* next offset wanted of the group: committed, or where it starts. -1: not known */
    int64_t known;  /* every record below this offset was pushed */
    bool heard;     /* something came since the assignment */
    rd_kafka_message_t *kept; /* trouble, read while a batch was open: looked at when it is over. NULL: none */
    int64_t taken;  /* offset of the last record taken since the last commit; -1: none */
    size_t bytes, taken_bytes; /* of records in the merge; of those, taken since the last commit */
    int64_t nudge_at;          /* monotonic ms: not before */
    instant_t last; /* receipt time of the last record pushed … */
    int64_t arrived; /* … and when it was (monotonic ms) */
    /* The question what the high-water mark is; its answer vouches for all records up to `through` once
     * `known` has passed `mark`. */
    bool asked;
    uint64_t question; /* its number */
    int64_t mark;      /* -1: no answer yet */
    instant_t through; /* of the last question */
    int64_t ask_at;    /* not before (monotonic ms) */
};

struct part {
    int id;
    enum part_state state;
    bool claimed; /* the claim hook was asked, whatever it answered */
    struct store *store;
    int64_t retry_at;  /* monotonic ms: neither claimed nor begun again before */
    unsigned failures; /* of its store, since it ran last … */
    unsigned misreads; /* … and of reading, since its last batch */
    int64_t read_at;   /* monotonic ms: when its store was last told that it is up to date */
    int64_t behind_at; /* monotonic ms: its history is not asked for before */
    struct bus_position at; /* where the store stands */
    /* Restore. */
    bool has_target;           /* a batch number was committed with the offsets */
    uint64_t target;           /* that number */
    int64_t end;               /* high-water mark of the log being restored; -1: not asked yet */
    int64_t resume;            /* offset after the last record read of it */
    int64_t history_end;       /* how far history goes by the last marker known; -1: none is */
    int64_t behind;            /* history is missing up to here; -1: none is */
    bool piece;                /* a part of a batch was handed over, and its end was not */
    size_t held_bytes;
    rd_kafka_message_t **held; /* collected, not handed over yet */
    size_t nheld, cheld;
    size_t whole;       /* of these, so many are of whole batches, … */
    struct marker last; /* … the last of which ended with this, … */
    char owner[256];    /* its owner_url */
    int64_t whole_next; /* … before this offset, … */
    bool pending;       /* … and the store does not know yet */
    /* Run. */
    struct lane lane[MERGE_LANES];
    int asked; /* the lane that was asked last; -1: none */
    struct merge *merge;
    struct arena *arena; /* headers of what was taken */
    struct err why;
};

/* A batch being made. The delivery callback fills in what the broker says of it. */
struct batch {
    struct part *part; /* NULL: none is open */
    int id;            /* of its partition, when it is over, too */
    int64_t began;       /* monotonic ms */
    int64_t ended, took; /* of the batch before */
    bool after_small; /* that one was of the same partition, and small */
    bool early;       /* offsets were sent at its beginning, too: what arrives meanwhile goes along */
    uint32_t serial;  /* reports of earlier batches are told by it */
    size_t turns;
    size_t history_sent, history_stored; /* records of its topic */
    int64_t history_next, changelog_next; /* -1: none stored */
    size_t unserved;                      /* produced since the last look at reports */
    rd_kafka_resp_err_t failed;
};

/* Records of the open batch that were not sent yet. */
struct outbox {
    struct arena *arena; /* NULL before the first batch */
    struct held *held;
    size_t n, cap;
    bool open; /* what comes is sent at once */
};

/* History that the open batch gathers, by workflow. */
#define CHUNKS_MOST 16
struct chunks {
    struct chunk {
        struct buf workflow, records; /* a HistoryChunk */
    } of[CHUNKS_MOST];
    size_t n, last; /* last: the one added to last */
    size_t most;    /* bytes, from which on it is complete; it may have half as many more */
};

/* Where a lane ends: what was asked, and the answer. */
struct question {
    uint64_t number; /* a lane waits for the answer to its last one only: it may have begun again since */
    int partition, lane;
    int64_t mark; /* -1: could not be had */
    instant_t placed; /* the barrier's own time in its log */
};

struct lookout {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stirred;
    rd_kafka_t *rk; /* read_uncommitted, so that it sees the end of the log; thread-safe calls only */
    struct question *done;
    size_t ndone, cdone;
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

/* The consumer's connections on which it fetches. */
#define HOLD_MOST 16 /* of more brokers the answers pass */
struct hold {
    pthread_mutex_t lock;
    int fd[HOLD_MOST];
    size_t n;
};

struct kafka {
    struct bus bus; /* first */
    struct bus_hooks hooks;
    struct bus_kafka_options options; /* with copies of everything */
    struct arena *arena;
    const char *topic[TOPIC_COUNT];
    int session_ms, transaction_ms;
    int shares; /* partitions that the consumer's queues are made for */

    int wakefd; /* eventfd: a queue has something, or somebody wants poll to return */
    atomic_bool woken;
    bool stir;  /* something for the worker to look at */
    bool grown; /* memory may have been used since it was last given back */

    enum phase phase;
    int64_t retry_at, backoff; /* monotonic ms: not before */
    bool fenced;               /* somebody else took this worker's place, and may have it still */
    char member[256];          /* id in the group, as of the last assignment */
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
    int request_bytes;  /* most of a produce request for one partition … */
    int request_made;   /* … and what the producer was made with */
    atomic_int npartitions;

    rd_kafka_consumer_group_metadata_t *generation; /* of the assignment, taken when it came */
    struct part **part;
    size_t nparts;
    uint32_t assignment; /* counts them */
    uint32_t counted, others_asked; /* assignments for which the partitions were counted; whose others' markers were read … */
    uint32_t others;                /* … and with how many partitions those were made, if not as many; else 0 */
    int64_t restore_since;
    int64_t asked_since; /* monotonic ms: the committed offsets, and they have not been told; 0: they have */
    bool busy;        /* restoring, and not for want of records */
    bool reading;        /* the restorer has a log to read */
    struct part *behind; /* whose history is being read behind serving; NULL: nobody's */
    int64_t behind_at;   /* monotonic ms: not before */
    int64_t nudged, told; /* monotonic ms */
    const char *cluster; /* id; NULL: not asked yet */

    struct batch batch;
    struct outbox outbox;
    struct chunks chunks;
    struct hold hold;
    uint64_t questions; /* asked so far */
    struct lookout lookout;
    struct appender appender;

    unsigned denied;     /* topics of which a right is missing: the reason stays until one of them shows that it is there */
    atomic_uint refused; /* topics that the last transaction could not be extended to */
    atomic_int certificate; /* the code with which a broker's certificate was refused last */
    unsigned append_denied; /* input topics that may not be written to, as was found out … */
    int64_t append_denied_at; /* … then (monotonic ms); both under trouble_lock */

    pthread_mutex_t trouble_lock;
    bool suspect, away;          /* no broker answers: perhaps; for certain */
    int away_cure;               /* of away_why: kafka_cure_of */
    unsigned away_said;          /* those that were said since it is away, as bits: handles may be of different minds */
    struct err away_why, reason; /* reason: of the phase; empty when there is none */
    struct err halted;           /* the partitions that do not go on, and why */
};

static inline struct kafka *kafka_of(struct bus *b)
{
    return (struct kafka *)(void *)b;
}

int64_t kafka_monotonic_ms(void);
int64_t kafka_wall_ms(void);
void kafka_stir(struct kafka *k); /* any thread: poll looks again … */
void kafka_wake(struct kafka *k); /* … and returns */
bool kafka_base_open(struct kafka *k, const struct bus_ops *ops, const struct bus_kafka_options *o,
                     const struct bus_hooks *hooks, struct err *e);
void kafka_close(struct bus *b); /* whatever of it was opened */
rd_kafka_queue_t *kafka_watch(struct kafka *k, rd_kafka_queue_t *q);

/* conf */
enum kafka_role { ROLE_CONSUMER, ROLE_PRODUCER, ROLE_RESTORER, ROLE_LOOKOUT, ROLE_APPENDER, ROLE_ADMIN, ROLE_FOLLOWER };
rd_kafka_t *kafka_handle_new(struct kafka *k, enum kafka_role role, struct err *e);
bool kafka_options_check(struct kafka *k, struct err *e);

const char *kafka_bootstrap(const struct kafka *k);

/* topics */
/* What a topic must have (wanted), and what it gets when duband makes it. topics: as bits. */
extern const struct kafka_topic_setting {
    unsigned topics;
    const char *name, *value;
    bool wanted;
} kafka_topic_settings[];
extern const size_t kafka_ntopic_settings;
bool kafka_topics_verify(struct kafka *k); /* one step of at most SLICE_MS; true: all is as it should be */
void kafka_topics_name(struct kafka *k);

/* rebalance */
void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                        void *opaque);
void kafka_release_all(struct kafka *k, bool lost);
bool kafka_assign_ready(struct kafka *k); /* starts fetching every partition that is ready */
struct part *kafka_part(struct kafka *k, int id);
struct part *kafka_part_new(int id);
void kafka_part_free(struct part *p);

/* part */
void kafka_part_halt(struct kafka *k, struct part *p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* It goes on, but this is to be seen and said. fmt "%s" of "": no longer. */
void kafka_part_note(struct kafka *k, struct part *p, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Its store failed. why NULL: the worker has said it. */
void kafka_part_fail(struct kafka *k, struct part *p, const char *why);
/* librdkafka cannot read some records and goes on behind them: their checksum is wrong, or their form is not known. */
bool kafka_is_passed_over(rd_kafka_resp_err_t err);
/* It asked for an offset that the log does not hold. After records that it could not read, 2.0.2 may have taken the number from the middle of
 * them; and it says so even when it has been told meanwhile to read elsewhere. */
bool kafka_is_no_offset(rd_kafka_resp_err_t err);
/* Drops what the queue has of an earlier reading: before a next one is begun. */
void kafka_queue_drop(rd_kafka_queue_t *q);
/* True: the message says one or the other, and the partition begins again from what its store has. */
bool kafka_part_misses(struct kafka *k, struct part *p, const rd_kafka_message_t *m);
struct part *kafka_part_again(struct kafka *k, size_t i); /* as if it had just come, still claimed */
void kafka_parts_tell(struct kafka *k); /* what others may hear of those that do not go on has changed */

/* restore */
void kafka_restore_step(struct kafka *k);
/* While the others run: does some partition need another step; is some on its way; how long until one may be (INT64_MAX: none is to come). */
bool kafka_restore_late(const struct kafka *k, int64_t now);
bool kafka_restore_reads(const struct kafka *k);
int64_t kafka_restore_wait(const struct kafka *k, int64_t now);
int64_t kafka_restore_slice(const struct kafka *k); /* longest that a restore may keep everything else waiting, in ms */
void kafka_part_step(struct kafka *k, struct part *p); /* from PART_COMMITTED to PART_RESTORED */

/* log */
/* Begins to read the changelog or the history. False: its ends are not known yet, come again. */
bool kafka_log_begin(struct kafka *k, struct part *p, enum topic topic, int64_t from);
void kafka_log_step(struct kafka *k,
                    struct part *p); /* a slice of it; the part's state moves on at the end */
void kafka_log_end(struct kafka *k);
bool kafka_log_is(const struct kafka *k, const struct part *p, enum topic topic, const rd_kafka_message_t *m);
void kafka_log_hold(struct part *p, rd_kafka_message_t *m);
/* Hands over what is held, and drops it. m: the marker that ends it, if one does. next: where the log goes on
 * behind it. */
bool kafka_log_hand_over(struct kafka *k, struct part *p, enum topic topic, const struct marker *m, int64_t next);
void kafka_log_nudge(struct kafka *k, const struct part *p, enum topic topic);
void kafka_part_drop_held(struct part *p);
/* One record of the changelog, whose owner this is now. True: go on reading. */
bool kafka_log_take(struct kafka *k, struct part *p, rd_kafka_message_t *m);
void kafka_log_hand_over_front(struct kafka *k, struct part *p); /* the whole batches held; what is behind them stays */

/* behind */
void kafka_behind_start(struct kafka *k, struct part *p); /* it is about to serve: what is missing is known from now on */
void kafka_behind_step(struct kafka *k);                  /* a slice of a few ms */
void kafka_behind_stop(struct kafka *k);                  /* something else reads; it goes on from what the store has */

/* rival */
void kafka_rival_know(struct kafka *k); /* an assignment came: which member of the group this is */
bool kafka_rival_there(struct kafka *k); /* says so, and is to be asked again after retry_at */

/* origin */
/* Is the state that of this partition of this cluster? False: not known yet, or the partition is halted. */
bool kafka_origin_check(struct kafka *k, struct part *p);
void kafka_origin_moved(struct kafka *k, struct part *p, struct slice where); /* halts it: it goes on there */

/* grown */
bool kafka_grown_look(struct kafka *k); /* has the assignment come for other topics than were looked at? False: not yet known, or all begins again */
/* The partition is halted (false, too) if its changelog's marker, or the others' markers say that it cannot be served here. */
bool kafka_grown_marker(struct kafka *k, struct part *p, const struct marker *m);
bool kafka_grown_others(struct kafka *k, struct part *p); /* false as well: not known yet */
void kafka_grown_halt(struct kafka *k, struct part *p, struct slice then);

/* positions */
/* A batch's. changelog_next -1: stays. history_end -1: there is none yet. */
enum store_status kafka_put_positions(struct store_txn *t, const struct part *p, int64_t changelog_next,
                                      int64_t history_end);
/* Its owner, between batches: the state has all that was committed. Cheap, but for a small commit now and then. */
void kafka_put_read_at(struct kafka *k, struct part *p);
/* How long ago this state was last known to follow the changelog (0: it never did), and how far its history
 * should go (-1: not known). */
struct state_look {
    int64_t age, history_end;
    bool piece;
};
bool kafka_state_look(struct store *s, struct state_look *out, struct err *e);

/* input */
void kafka_input_start(struct kafka *k, struct part *p);
void kafka_input_stop(struct part *p);
void kafka_input_serve(struct kafka *k);
/* Batches follow close upon each other: after the open one another is to be expected. */
bool kafka_input_paced(const struct kafka *k, const struct part *p);
/* What is held in the sockets may come (bus_kafka_hold.c), and while batches are paced it is asked at once how far that goes. */
void kafka_input_ahead(struct kafka *k, struct part *p);
size_t kafka_take(struct bus *b, int partition, struct record *out, size_t max);
size_t kafka_input_bytes(const rd_kafka_message_t *m); /* what it takes of a lane's room */
void kafka_record_of(const rd_kafka_message_t *m, enum topic topic, struct arena *a, struct record *out);

/* hold */
void kafka_hold_conf(struct kafka *k, rd_kafka_conf_t *conf); /* of the consumer to be */
void kafka_hold(struct kafka *k, bool held);                  /* worker's thread */

/* produce */
void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);
void *kafka_report_of(const struct batch *b, bool history); /* opaque of a record whose delivery is to be reported to the batch */
void kafka_outbox_start(struct kafka *k);                  /* a batch begins */
enum bus_status kafka_outbox_send(struct kafka *k, struct err *e); /* what is held back, and from here on all at once */
enum bus_status kafka_emit(struct bus *b, int partition, const struct record *r, struct err *e);
enum bus_status kafka_state(struct bus *b, int partition, enum table_id table, struct slice key,
                            struct slice value, struct err *e);
enum bus_status kafka_history_end(struct kafka *k, struct err *e); /* of the batch: what was gathered is among its records, or held back */
enum bus_status kafka_mark(struct kafka *k, struct slice marker, struct err *e);

/* chunk */
typedef enum bus_status kafka_send_history(void *ctx, struct slice workflow, struct slice chunk, struct err *e);
void kafka_chunks_open(struct kafka *k); /* for the producer that was made last */
void kafka_chunks_close(struct kafka *k);
void kafka_chunks_drop(struct kafka *k);
enum bus_status kafka_chunks_add(struct kafka *k, const struct record *r, kafka_send_history *send, void *ctx, struct err *e);
enum bus_status kafka_chunks_end(struct kafka *k, kafka_send_history *send, void *ctx, struct err *e); /* what is not complete goes, too */
/* What was read from a log. */
struct records {
    struct record *of; /* free() it; the records point into the messages and the arena */
    size_t n, cap;
};
void kafka_records_add(struct records *all, const rd_kafka_message_t *m, enum topic topic, struct arena *a);

/* commit */
enum bus_status kafka_begin(struct bus *b, int partition, struct store_txn *t, struct err *e);
enum bus_status kafka_commit(struct bus *b, int partition, struct store_txn *t, const struct marker *m,
                             struct err *e);
bool kafka_late(struct bus *b);
void kafka_undo(struct bus *b, int partition, struct store_txn *t);

/* append */
bool kafka_appender_open(struct kafka *k, struct err *e);
void kafka_appender_close(struct kafka *k);
/* As kafka_append, to a partition whatever the key. */
void kafka_append_to(struct kafka *k, const struct record *r, int partition, void (*done)(void *, const struct append_result *),
                     void *ctx);
void kafka_append(struct bus *b, const struct record *r, void (*done)(void *, const struct append_result *),
                  void *ctx);
void kafka_on_append(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque);

/* reader: what is only options, names and errors, for handles beside the bus. NULL and e: bad options */
struct kafka *kafka_bare_new(const struct bus_kafka_options *o, struct err *e);
void kafka_bare_free(struct kafka *k);
bool kafka_bare_fail(struct kafka *k, const char *what, rd_kafka_resp_err_t err, struct err *e); /* false */

/* progress */
void kafka_progress(struct bus *b, int partition, struct bus_progress *out);

/* barrier */
void kafka_barrier_place(struct kafka *k, struct question q); /* answers by kafka_lookout_told */
bool kafka_is_barrier(const rd_kafka_message_t *m);

/* lookout */
void kafka_lookout_told(struct kafka *k, struct question q); /* any thread: an answer */
bool kafka_lookout_open(struct kafka *k, struct err *e);
void kafka_lookout_close(struct kafka *k);
void kafka_lookout_stir(struct kafka *k); /* any thread */
bool kafka_lookout_answer(struct kafka *k, struct question *q); /* false: no more */
/* Low (unless NULL) and high-water mark as this handle may see them. In the stead of rd_kafka_query_watermark_offsets:
 * that of 2.0.2 waits until a leader that is down comes back, however little time it is given. */
rd_kafka_resp_err_t kafka_ends(rd_kafka_t *rk, const char *topic, int partition, int64_t *low, int64_t *high, int ms);
/* Low and high-water mark, waiting at most SLICE_MS. */
bool kafka_watermarks(struct kafka *k, const char *topic, int partition, int64_t *low, int64_t *high);

/* cure */
/* A number for what can be done about what librdkafka says, a certificate's refusal included; 0: nothing is known. */
int kafka_cure_of(const char *said, int certificate);
const char *kafka_cure_text(int cure);
int kafka_on_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *code, int depth, const char *der, size_t size,
                         char *why, size_t nwhy, void *opaque);

/* rights */
enum kafka_right {
    RIGHT_READ,
    RIGHT_WRITE,
    RIGHT_TOPIC, /* all that duband does with it */
    RIGHT_CONFIGS,
    RIGHT_GROUP,
    RIGHT_TRANSACTIONAL,
    RIGHT_CREATE,
    RIGHT_IDEMPOTENT
};
bool kafka_is_denial(rd_kafka_resp_err_t err);
/* One sentence: who may not do what, and the command that grants it. topics: as bits, of the first three. */
struct slice kafka_right_missing(const struct kafka *k, enum kafka_right right, unsigned topics, struct arena *a);
void kafka_deny(struct kafka *k, enum kafka_right right, unsigned topics); /* worker's thread: says it */
/* True: it was a right that a batch or the producer lacked; it is said, and everything begins again. */
bool kafka_deny_batch(struct kafka *k, rd_kafka_resp_err_t err);
void kafka_allowed(struct kafka *k, unsigned topics); /* what was done to them needed the right */
void kafka_hear_refusal(struct kafka *k, const char *text); /* any thread */

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
/* Any thread. Whether the appender may write to an input topic. */
void kafka_append_refused(struct kafka *k, enum topic topic, bool refused);
/* Begin again from the start: new handles, new transaction id, step 0 for every partition. */
void kafka_restart(struct kafka *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
