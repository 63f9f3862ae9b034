/* A stopped node's embedded log, with the state that follows from it, moved to Kafka's topics. What goes where:
 *
 *   state      to the changelog of each workflow's partition, ended by a marker of batch 1
 *   history    to duban.history, as it is: the chains go on
 *   inputs     only those that no turn has taken yet; the rest are in the history
 *   outputs    nothing: they were said, and their consumers have read them from the embedded log
 *   positions  the group's offsets with the batch number, as any batch commits them
 *
 * All of it in one transaction: until it is committed the topics hold nothing, and afterwards all. Which of the two it is can be seen in them, so
 * that running it again after any crash comes to the same end. Last, the folder is marked: it starts on the embedded log no more. */
#ifndef DUBAND_ENGINE_MIGRATE_H
#define DUBAND_ENGINE_MIGRATE_H

#include "bus/bus.h"

struct migrate_options {
    const char *data; /* the node's folder */
    const struct bus_kafka_options *kafka;
    bool dry_run;
    bool take_pending; /* inputs that no turn has taken go, too: received when Kafka receives them. Else they are a reason to refuse */
    void (*progress)(void *ctx, uint64_t records); /* now and then; NULL: nobody asks */
    void *ctx;
};

struct migrate_part {
    uint64_t workflows, state, history, bytes, pending;
};
struct migrate_result {
    struct migrate_part *part; /* by partition */
    int partitions;
    uint64_t outputs[TOPIC_COUNT]; /* records that stay in the embedded log; of warnings, supervision, notifications and rejected */
    bool before;                   /* an earlier run had moved it */
};

/* False and e: nothing was moved, or (e says so) it is not known, and running it again tells. */
bool migrate_run(const struct migrate_options *o, struct arena *a, struct migrate_result *out, struct err *e);

/* ---- inner: migrate_walk.c */

struct migrate_source {
    struct store *store;
    struct store_txn *txn;
    int64_t next[2], end[TOPIC_COUNT]; /* inputs taken; ends of the log */
    instant_t clock_target;
    struct slice *workflow; /* all of them, and last the one without a name */
    size_t nworkflows;
    int partitions; /* of Kafka's topics; 0: not known yet */
};
bool migrate_open(struct migrate_source *s, const char *data, struct arena *a, struct err *e);
void migrate_close(struct migrate_source *s);
int migrate_partition_of(const struct migrate_source *s, struct slice workflow);
/* Everything of a partition, always in the same order: its history, then its state. False: `visit` answered so. */
bool migrate_walk(const struct migrate_source *s, int partition,
                  bool (*visit)(void *ctx, enum table_id table, struct slice workflow, struct slice key, struct slice value),
                  void *ctx);
/* Inputs that no turn has taken, clock records left out: whoever owns the partition speaks of time itself. */
bool migrate_pending(const struct migrate_source *s, int partition, bool (*visit)(void *ctx, const struct record *r), void *ctx,
                     struct err *e);
bool migrate_mark(struct migrate_source *s, const char *where, struct err *e);

#endif
