/* Dead letters, as they stand on duban.rejected: asked for by any thread, read by a thread of their own, since Kafka may be where they are. */
#ifndef DUBAND_ENGINE_LETTERS_H
#define DUBAND_ENGINE_LETTERS_H

#include "engine/node.h"

/* A question and its answer. The asker's, until `done` the reader's. */
struct letters_ask {
    struct arena *arena; /* of rows and cursor; nobody else's meanwhile */
    /* One letter, whole: its id, TOPIC/PARTITION/OFFSET of what was refused, or rejected/PARTITION/OFFSET of itself. Empty: a list,
     * newest first. */
    struct slice id;
    struct slice workflow, source, reason; /* empty: any. reason: a part of one */
    instant_t since;                       /* INSTANT_NONE: any. Receipt of what was refused */
    bool open_only; /* not those whose event has been applied since */
    size_t limit;
    struct slice after;                      /* the last `next` given */
    void (*done)(struct letters_ask *q);     /* on the reader's thread, once */

    enum { LETTERS_FOUND, LETTERS_WRONG /* the question; err says why */, LETTERS_NONE /* no such letter */, LETTERS_LATER /* err says why */ } what;
    struct err err;
    struct slice *row; /* JSON; with an id the one letter */
    size_t n, cap;
    struct slice next; /* empty: no more */
    struct letters_ask *following; /* inner */
};

struct letters;
struct letters *letters_new(struct node *n);
void letters_free(struct letters *l); /* what is asked still is answered with LETTERS_LATER. NULL is fine */
void letters_ask(struct letters *l, struct letters_ask *q);

/* ---- inner */

/* Where they are read: a thread's own. */
struct letters_log {
    struct node *node;
    struct bus_kafka_reader *reader; /* NULL: not on Kafka, or not opened */
};
void letters_answer(struct letters_log *log, struct letters_ask *q);
/* letters_log.c */
int letters_partitions(struct letters_log *log, struct err *e); /* -1: failed */
bool letters_ends(struct letters_log *log, int partition, int64_t *low, int64_t *end, struct err *e);
bool letters_read(struct letters_log *log, int partition, int64_t from, int64_t to,
                  bool (*visit)(void *ctx, const struct record *r), void *ctx, struct err *e);
/* letters_row.c */
struct slice letters_header(const struct record *r, const char *name);
/* Its JSON: what duban.v1.Rejected has, where it stands and what became of it; with `whole` headers and bytes, too. NULL: `open` is asked for,
 * and its event has been applied since. */
struct slice letters_row(struct letters_log *log, const struct record *r, bool whole, bool open, struct arena *a);

#endif
