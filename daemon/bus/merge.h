/* The one order of a partition's input (design: One order): its two logs, merged by (receipt time,
 * submissions first, offset). Pure: records are pushed as they arrive, together with what is known of each
 * log; those whose turn can no longer change come out. Whatever the order and the pace of arrival, they come
 * out in the same order. Not thread-safe. */
#ifndef DUBAND_MERGE_H
#define DUBAND_MERGE_H

#include "base/civil.h"
#include "wire/wire.h"

#define MERGE_LANES 2 /* lane TOPIC_SUBMISSIONS and lane TOPIC_DEADLINES */

struct merge;

struct merge_item {
    instant_t received; /* the log's append time */
    int64_t offset;
    void *record; /* the caller's */
};

/* The rule itself, for two records of different lanes: does the submission go first? */
static inline bool merge_submission_first(instant_t submission, instant_t deadline)
{
    return submission <= deadline;
}

/* drop is called once for each record that is settled or cleared; NULL: nothing to do. */
struct merge *merge_new(void (*drop)(void *record));
void merge_free(struct merge *m); /* NULL is fine; clears first */

/* The next record of the lane: offsets ascend within a lane (with gaps, where Kafka has markers). */
void merge_push(struct merge *m, enum topic lane, struct merge_item item);
/* Every record of the lane with a receipt time ≤ through was pushed. Never taken back by a smaller value. */
void merge_know(struct merge *m, enum topic lane, instant_t through);

/* The next record that may be taken. False: none, until more is pushed or known. It stays the merge's until
 * settled. */
bool merge_take(struct merge *m, struct merge_item *out, enum topic *lane);
/* What the next record waits for: that `lane` be known through `*through`. False: none is waiting, or one may
 * be taken. */
bool merge_asks(const struct merge *m, enum topic *lane, instant_t *through);

void merge_settle(struct merge *m); /* what was taken is final: drops it */
void merge_undo(struct merge *m);   /* what was taken since the last settle will be taken again */
void merge_clear(struct merge *m);  /* drops all, and forgets what was known */
size_t merge_waiting(const struct merge *m, enum topic lane); /* pushed and not taken */

#endif
