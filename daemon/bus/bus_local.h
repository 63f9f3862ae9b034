/* What the files of the embedded log share. */
#ifndef DUBAND_BUS_LOCAL_H
#define DUBAND_BUS_LOCAL_H

#include <stdatomic.h>

#include "bus/append_queue.h"
#include "bus/bus.h"
#include "bus/local_log.h"
#include "bus/merge.h"
#include "bus/receipt.h"

#define GROUP_ITEMS 10000
#define GROUP_BYTES (16u << 20)

struct bus_local {
    struct bus bus;
    struct bus_hooks hooks;
    struct append_queue queue;
    struct store *store; /* NULL: not acquired yet */
    struct local_log log;
    struct receipt_clock clock;
    instant_t anchor; /* the clock's offset as stored for this boot; INSTANT_NONE: none is */
    struct slice boot_id;
    int64_t next[MERGE_LANES];   /* committed */
    int64_t cursor[MERGE_LANES]; /* taken */
    struct arena *whole, *taken, *scratch;
    struct err broken; /* empty, or why nothing can go on */
    bool doubt;        /* the store failed: it is looked at before anything else is done */

    struct store_txn *txn; /* of the batch that is open; NULL: none */
    struct local_log batch_log;
    instant_t batch_time;

    atomic_bool accepted; /* an operator accepts the clock */
    pthread_mutex_t trouble_mutex;
    struct err disk_trouble, clock_trouble; /* empty: none */
};

static inline struct bus_local *local_of(struct bus *b)
{
    return (struct bus_local *)b;
}

/* What a transaction came to, as far as the disk is concerned. */
void local_disk_note(struct bus_local *b, enum store_status st, const struct err *why);
bool local_trouble(struct bus *base, struct err *why);

/* Reads the machine's clocks, and an operator's acceptance of them. */
void local_clock_look(struct bus_local *b);
/* The clock's offset survives a restart of duband within one boot of the machine: else restarting would be
 * accepting. */
bool local_anchor_load(struct bus_local *b, struct store_txn *t);
/* Writes it when it has moved; *anchor is what will be stored once t is committed. */
enum store_status local_anchor_save(struct bus_local *b, struct store_txn *t, instant_t *anchor);

/* Appends what waits, all in one transaction, and answers. */
void local_serve_appends(struct bus_local *b);
void local_refuse_appends(struct bus_local *b, const char *why); /* all that wait */

#endif
