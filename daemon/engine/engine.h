/* One partition at work: programs, state and the turn. Runs alike over LMDB in the daemon and over memory in simulate and test.
 * Belongs to one thread. Every function that takes a transaction changes nothing outside it but caches, and engine_forget drops those. */
#ifndef DUBAND_ENGINE_H
#define DUBAND_ENGINE_H

#include "store/store.h"
#include "wire/wire.h"

struct engine;

/* Where a turn's results go besides the store. Both may be NULL. Memory is valid during the call only. */
struct engine_sink {
    void *ctx;
    void (*output)(void *ctx, const struct record *r);                            /* warnings, supervision, notifications, rejected, history */
    void (*state)(void *ctx, enum table_id table, struct slice key, struct slice value); /* changelog; value.p NULL: deleted */
};

struct engine_options {
    struct engine_sink sink;
    bool events_time; /* `time: events`: receipt = min(CloudEvents time, append time), never running back */
    int partitions;   /* of each topic, to tell a record that does not belong here; 0 or 1: all do */
};

/* Loads the definitions in force from the store and compiles them. NULL and e if the store holds what this version cannot run. */
struct engine *engine_open(struct store *s, const struct engine_options *o, struct err *e);
void engine_close(struct engine *e);
/* Who looks on at its turns from now on; NULL: nobody. */
void engine_watch(struct engine *e, const struct watch *w);
/* Who is told the key of every instance that a turn reads; NULL: nobody. */
struct engine_reader {
    void *ctx;
    void (*read)(void *ctx, struct slice key);
};
void engine_tell_reads(struct engine *e, const struct engine_reader *r);
/* A part of the history is still to come: what may need it waits (TURN_WAITS). */
void engine_lacks_history(struct engine *e, bool lacks);
/* After an aborted transaction: drops every cache that may have seen it. */
bool engine_forget(struct engine *e, struct err *err);

enum turn_status {
    TURN_DONE,
    TURN_STORE_FULL,
    TURN_FAILED, /* an invariant or the store: stop the partition */
    TURN_WAITS   /* it needs history that is not there yet: nothing was changed, it is to be taken again when it is */
};

/* What became of one record. */
struct outcome {
    enum { OUTCOME_APPLIED, OUTCOME_NO_EFFECT, OUTCOME_DUPLICATE, OUTCOME_REJECTED, OUTCOME_CLOCK } what;
    struct slice *reasons;
    size_t nreasons;
    uint64_t history; /* sequence of its history record; 0: none */
};

/* Takes one input record, in merge order: fires every timer of its workflow that is due by then, then applies it. Never rejects by failing:
 * whatever the bytes are, there is an outcome. A clock record moves the clock's target only. */
enum turn_status engine_apply(struct engine *e, struct store_txn *t, const struct record *r, struct arena *a, struct outcome *out,
                              struct err *err);

/* Fires at most `limit` timers due by the clock's target, round robin over workflows. *fired < limit: nothing is left. */
enum turn_status engine_drain(struct engine *e, struct store_txn *t, size_t limit, size_t *fired, struct err *err);

/* The earliest armed timer of any workflow that the clock's target has not reached; INSTANT_MAX: none. When hundreds that were due before were
 * moved it may be the instant of one of these: nothing is due earlier, and when the clock gets there they are out of the way. */
instant_t engine_next_due(struct engine *e, struct store_txn *t);
instant_t engine_clock_target(struct engine *e);

/* Input positions: the next offset wanted of each input topic; kept in the store with the turn's effects. */
void engine_positions(struct engine *e, int64_t next[2]);
/* Ends a batch, whose number (META_BATCH) is one more than the last one's: what the engine keeps beside the tables is written, too, and the changelog
 * told what waited for its end. Nothing may be committed without it. */
enum turn_status engine_set_positions(struct engine *e, struct store_txn *t, const int64_t next[2], struct err *err);

/* Applies one changelog entry during a restore: the state and what is derived from it. */
enum turn_status engine_restore_state(struct engine *e, struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                                      struct err *err);
/* Takes one history record in during a restore. */
enum turn_status engine_restore_history(struct engine *e, struct store_txn *t, struct slice value, struct err *err);
/* A whole batch of the changelog is in: its marker's positions and clock. */
enum turn_status engine_restore_marker(struct engine *e, struct store_txn *t, const struct marker *m, struct err *err);
/* The state is complete: takes the restored definitions into force and derives the timers of their workflows. */
enum turn_status engine_restored(struct engine *e, struct store_txn *t, struct err *err);

/* A whole changelog into a store that holds no state: it is kept aside, sorted, and put in order when all of it is there, with what is derived
 * from it; many times faster than entry by entry. folder: where a file may go meanwhile. Nothing but these touches the engine until then. */
struct engine_load;
struct engine_load *engine_load_new(struct engine *e, const char *folder);
void engine_load_free(struct engine_load *l); /* NULL is fine */
enum turn_status engine_load_put(struct engine_load *l, enum table_id table, struct slice key, struct slice value, struct err *err);
/* No more comes: a slice of what is kept goes to the store, in a transaction of its own, which must then be committed. *done: that was all. */
enum turn_status engine_load_step(struct engine_load *l, struct store_txn *t, bool *done, struct err *err);

/* The programs in force, for queries and for checking a record before it is appended. */
const struct program *engine_program(const struct engine *e, struct slice workflow);
size_t engine_programs(const struct engine *e, const struct program **out, size_t max);

struct engine_counters {
    uint64_t applied, no_effect, duplicates, rejected, timers, outputs, halted;
};
void engine_counters(const struct engine *e, struct engine_counters *out);

#endif
