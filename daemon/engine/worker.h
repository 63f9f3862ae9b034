/* A worker: one thread that owns a bus and the partitions it brings; batches turns, keeps the clock. Inner to the engine:
 * others see node.h. Workers share nothing but the registry. */
#ifndef DUBAND_WORKER_H
#define DUBAND_WORKER_H

#include "engine/node.h"
#include "engine/registry.h"

struct worker;

/* o must stay; slot: from 0. */
struct worker *worker_start(struct registry *r, const struct node_options *o, int slot, struct err *e);
/* Once each, in this order: several workers finish the batches at hand, and close everything, at the same time. */
void worker_ask_stop(struct worker *w);
void worker_stop(struct worker *w); /* joins the thread */

/* Any thread: append to its bus; done is called once, from any thread. */
void worker_append(struct worker *w, const struct record *r, void (*done)(void *ctx, const struct append_result *r), void *ctx);
bool worker_is_full(struct worker *w); /* the disk: no appends before there is room */
struct bus *worker_bus(const struct worker *w);

struct worker_status {
    enum bus_standing standing;
    size_t held, serving; /* partitions */
    char trouble[512];   /* of its own; its bus and its partitions have theirs */
    struct engine_counters counters;
    uint64_t batches, records, commit_ms_total;
    int64_t lag_records;     /* known inputs not yet taken; -1: unknown */
    instant_t next_due, clock_target;
    size_t programs;
};
void worker_status(struct worker *w, struct worker_status *out);

#endif
