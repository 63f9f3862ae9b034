/* A stopped group's state, moved to Kafka's topics: from an embedded log, or from other topics, with more or fewer partitions. What goes where:
 *
 *   state      to the changelog of each workflow's partition, ended by a marker of batch 1
 *   history    to duban.history, as it is: the chains go on
 *   inputs     of an embedded log, those that no turn has taken yet; the rest are in the history
 *   outputs    nothing: they were said, and their consumers have read them where they are
 *   positions  the group's offsets with the batch number, as any batch commits them
 *   time       as far as it has come for each workflow: see migrate_source
 *
 * All of it in one transaction: until it is committed the topics hold nothing, and afterwards all. Which of the two it is can be seen in them, so
 * that running it again after any crash comes to the same end.
 *
 * What was left goes on no more. The folder is marked; and each partition of topics that were left gets a last batch, which changes nothing and whose
 * marker says where all of it goes on: whoever comes to it, with whatever folder, stops there. That batch is made before anything is moved and is
 * committed after it; until that is decided a node that starts waits for the group's offsets. */
#ifndef DUBAND_ENGINE_MIGRATE_H
#define DUBAND_ENGINE_MIGRATE_H

#include "bus/bus.h"

struct migrate_options {
    const char *data; /* the node's folder */
    const struct bus_kafka_options *kafka; /* where to */
    /* How to come to the topics that are left: librdkafka's settings alone, the folder says the rest. */
    struct header *property;
    size_t nproperties;
    bool dry_run;
    bool take_pending; /* inputs that no turn has taken go, too: received when Kafka receives them. Else they are a reason to refuse */
    void (*progress)(void *ctx, uint64_t records); /* now and then; NULL: nobody asks */
    void (*waits)(void *ctx, struct slice member); /* a group has this member still; NULL: nobody asks */
    void *ctx;
};

struct migrate_part {
    uint64_t workflows, state, history, bytes;
    uint64_t pending; /* inputs that no turn has taken: they go with it, or (from topics) stay where they are */
};
struct migrate_result {
    struct migrate_part *part; /* by partition */
    int partitions;
    bool topics;       /* it comes from topics … */
    const char *left;  /* … whose names begin so; else from an embedded log … */
    uint64_t outputs[TOPIC_COUNT]; /* … in which these stay: warnings, supervision, notifications and rejected */
    bool before;       /* an earlier run had moved it */
};

/* False and e: nothing was moved, or (e says so) it is not known, and running it again tells. */
bool migrate_run(const struct migrate_options *o, struct arena *a, struct migrate_result *out, struct err *e);

/* ---- inner */

#define MIGRATE_BATCH 1 /* the number of the one batch that the topics hold then */

/* One partition's store. */
struct migrate_store {
    struct store *store;
    struct store_txn *txn;
    int id;
    instant_t clock_target;
    int64_t next[2]; /* inputs taken. Of topics, -1: none yet */
    uint64_t batch;
    int64_t changelog_next, history_next; /* of topics; -1: nothing yet */
};

struct migrate_workflow {
    struct slice id; /* empty: what belongs to no workflow */
    const struct migrate_store *in;
};

struct migrate_source {
    const char *data;
    struct migrate_store *part;
    int nparts;
    bool topics; /* the state of Kafka's topics: whose, says `of` */
    struct bus_kafka_origin of;
    int64_t end[TOPIC_COUNT]; /* of the embedded log */
    /* Time of those who will share a partition may have come less or more far. The least of all holds for the partition: no timer fires that
     * would not have, where it was. Who was further has it noted as the workflow's own time, below which it does not fall. */
    instant_t clock_target;
    struct migrate_workflow *workflow;
    size_t nworkflows;
    int partitions; /* of the topics that it goes to; 0: not known yet */
};

/* migrate_folder.c */
bool migrate_open(struct migrate_source *s, const char *data, struct arena *a, struct err *e);
void migrate_close(struct migrate_source *s);
bool migrate_mark(struct migrate_source *s, const char *where, struct err *e);

/* migrate_walk.c */
int migrate_partition_of(const struct migrate_source *s, const struct migrate_workflow *w);
/* Everything of a partition, always in the same order: its history, then its state. False: `visit` answered so. */
bool migrate_walk(const struct migrate_source *s, int partition,
                  bool (*visit)(void *ctx, enum table_id table, struct slice workflow, struct slice key, struct slice value),
                  void *ctx);
/* Of an embedded log: inputs that no turn has taken, clock records left out: whoever owns the partition speaks of time itself. */
bool migrate_pending(const struct migrate_source *s, int partition, bool (*visit)(void *ctx, const struct record *r), void *ctx,
                     struct err *e);
bool migrate_is_clock(const struct record *r);
/* Nothing would be left behind in silence. */
bool migrate_check_whole(const struct migrate_source *s, struct err *e);

/* migrate_left.c: the topics that are left. NULL and e: they are not those of the folder, or not where it stands, or cannot be asked. where: what
 * their last marker says, or will say. */
struct migrate_left;
struct migrate_left *migrate_left_open(const struct migrate_source *s, const struct migrate_options *o, const char *where, struct arena *a,
                                       struct err *e);
void migrate_left_close(struct migrate_left *l);
bool migrate_left_is_over(const struct migrate_left *l); /* they say that all goes on elsewhere */
/* As migrate_pending: what there was when it was opened. */
bool migrate_left_pending(struct migrate_left *l, int partition, bool (*visit)(void *ctx, const struct record *r), void *ctx, struct err *e);
bool migrate_left_hold(struct migrate_left *l, struct err *e); /* waits for the group's last members to be given up */
bool migrate_left_end(struct migrate_left *l, struct err *e);

#endif
