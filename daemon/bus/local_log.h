/* The embedded log in TABLE_LOG: key topic (1 byte), offset (8 bytes, big-endian); value a LogRecord. Nothing
 * is ever removed. */
#ifndef DUBAND_LOCAL_LOG_H
#define DUBAND_LOCAL_LOG_H

#include "bus/bus.h"

/* A writer's view of it. Copy it before a transaction's appends, and keep the copy that the transaction's
 * outcome makes true. */
struct local_log {
    int64_t end[TOPIC_COUNT]; /* offset after the last */
};

/* Finds the ends, and when the last records were appended: of all topics, and of the deadlines topic.
 * INSTANT_NONE: the log is empty. */
bool local_log_open(struct store_txn *t, struct local_log *log, instant_t *last, instant_t *last_deadline,
                    struct err *e);
/* At the end of r->topic, at this time. Its offset was log->end[r->topic]. scratch is reset now and then. */
enum store_status local_log_append(struct local_log *log, struct store_txn *t, const struct record *r,
                                   instant_t appended, struct arena *scratch);

/* Reads one topic upwards. */
struct local_log_reader {
    struct store_iter *iter;
    enum topic topic;
    bool has; /* head is the record it stands on */
    struct slice bytes;
    int64_t offset;
};
void local_log_reader_start(struct local_log_reader *r, struct store_txn *t, enum topic topic, int64_t from);
void local_log_reader_next(struct local_log_reader *r);
void local_log_reader_stop(struct local_log_reader *r);
/* The record it stands on, copied into the arena. */
bool local_log_reader_get(const struct local_log_reader *r, struct arena *a, struct record *out,
                          struct err *e);

#endif
