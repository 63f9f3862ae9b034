/* The engine's inside: what its files share. One file each: engine.c the engine and its caches; flow.c its
 * workflows; apply.c an input; drain.c timers; publish.c a definition; commit_effects.c storing a turn; seen.c known
 * ids, seen_chunk.c the same in the changelog; world.c what the core may ask; correction.c plan.c rerun.c
 * difference.c a correction; proposal.c measures that wait for a decision; roster.c changes of a roster; restore.c
 * the changelog back; load.c a whole changelog into an empty store. */
#ifndef DUBAND_ENGINE_FLOW_H
#define DUBAND_ENGINE_FLOW_H

#include "engine/definition.h"
#include "engine/engine.h"
#include "engine/keys.h"

/* One workflow in this partition. Kept across batches; engine_forget reads it back from the store.
 * clock and head are stored under key_flow when a batch ends (engine_set_positions). */
struct flow {
    struct slice id;
    struct definition *definition;
    const struct program *program; /* definition's */
    struct history_head head;
    instant_t clock;    /* the largest receipt time or due instant of its turns */
    instant_t first;    /* no entry of its timers lies before; INSTANT_NONE: not looked yet */
    instant_t next_due; /* of its earliest timer that is to come, INSTANT_MAX when none; counts only if known */
    bool next_known;
    bool dirty; /* clock or head differ from the store */
    bool stale; /* restoring: its definition came anew, the timer index is to be derived again */
};

/* Ids that were seen, on their way to the changelog. */
struct chunk {
    int32_t month;
    uint32_t part; /* which one of its batch */
    size_t n;
    struct buf packed;
};

struct engine {
    struct store *store;
    struct engine_options options;
    struct flow **flows; /* ordered by id */
    size_t nflows;
    size_t turn; /* whose slice of a drain is next */
    instant_t target;
    bool target_dirty;
    int64_t next[2];
    struct arena *scratch; /* of one turn */
    uint64_t batch;        /* the last one that ended */
    struct month_list {    /* the months that TABLE_SEEN and TABLE_SEEN_CHUNK have, ascending */
        int32_t *month;
        size_t n;
        bool known;
    } months;
    struct chunk chunk; /* ids of this batch that the changelog was not told yet */
    struct engine_counters counters, before; /* before: as they were when the batch began */
    bool in_batch, batch_ended;
    bool muted; /* the changelog is not told */
    bool lacks_history;
    const struct watch *watch; /* NULL: nobody looks on */
    const struct engine_reader *reader; /* NULL: nobody is told */
    struct rerun *rerun;       /* what it runs again; NULL: it is live */
};

struct flow *flow_find(const struct engine *e, struct slice workflow);
struct flow *flow_add(struct engine *e, struct slice workflow); /* without a program yet */
void flow_remove(struct engine *e, struct flow *f);
void flow_free(struct flow *f);
void flow_set_definition(struct flow *f, struct definition *d); /* takes over the reference */
enum turn_status flow_load(struct flow *f, struct store_txn *t, struct err *err);
#define FLOW_BYTES (8 + 8 + 32) /* stored: clock, head */
/* What is stored, at a time no earlier than `clock`. */
struct slice flow_numbers_at(struct slice value, instant_t clock, unsigned char byte[FLOW_BYTES]);
enum turn_status flow_store(struct engine *e, struct store_txn *t, struct flow *f, struct err *err);
void engine_touch(struct engine *e); /* the first change of a batch: remembers the counters */

/* A turn's surroundings, handed down its steps. */
struct turn {
    struct engine *engine;
    struct store_txn *txn;
    struct flow *flow;
    const struct program *program; /* the flow's, or the one about to be taken into force */
    const struct record *input;    /* NULL: a timer's turn */
    struct arena *arena;
    struct err *err;
    enum turn_status status; /* what went wrong inside a callback of the core */
};

/* ---- the store, with its failures as a turn's */
enum turn_status engine_put(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                            struct err *err);
enum turn_status engine_append(struct store_txn *t, enum table_id table, struct slice key, struct slice value,
                               struct err *err); /* the key is greater than all in the table */
enum turn_status engine_delete(struct store_txn *t, enum table_id table, struct slice key, struct err *err);
enum turn_status engine_get(struct store_txn *t, enum table_id table, struct slice key, struct slice *value,
                            bool *found, struct err *err);
/* The same for a state table: the changelog is told. */
enum turn_status state_put(struct engine *e, struct store_txn *t, enum table_id table, struct slice key,
                           struct slice value, struct err *err);
enum turn_status state_delete(struct engine *e, struct store_txn *t, enum table_id table, struct slice key,
                              struct err *err);
/* The changelog alone. */
bool state_is_told(const struct engine *e);
void state_tell(struct engine *e, enum table_id table, struct slice key, struct slice value);

/* ---- world.c */
struct world world_of(struct turn *turn);
void world_told(const struct turn *turn, struct slice key); /* an instance is read */
/* NULL with status TURN_DONE: there is none. The instance's memory is the arena's. */
struct instance *world_load(struct store_txn *t, const struct program *p, struct slice key, struct arena *a,
                            enum turn_status *status, struct err *err);

/* ---- commit_effects.c */
enum turn_status commit_instances(struct turn *turn, const struct effects *fx);
enum turn_status commit_numbers(struct turn *turn, const struct effects *fx);
/* documents: outputs may carry one, or withdraw one. */
enum turn_status commit_history(struct turn *turn, const struct effects *fx, const struct record *outputs,
                                size_t n, bool documents);
/* Stores a turn: instances with their timers, numbers, history, the index of measures; tells the sinks. */
enum turn_status commit_effects(struct turn *turn, struct effects *fx);
/* Stores that a record was refused: its dead letter, and history. */
enum turn_status commit_rejected(struct turn *turn, const struct effects *fx, const struct record *letter);
/* False with reasons: the effects name an instance that no key can hold. */
bool effects_check_keys(const struct turn *turn, const struct effects *fx, struct reasons *why);
/* The instance's record and its timer index entries, together. was: as it is stored; NULL: not at all.
 * bytes.p NULL: it is gone. */
enum turn_status commit_instance(struct engine *e, struct store_txn *t, struct flow *f, struct slice key,
                                 struct slice bytes, const struct instance *was, const struct instance *now,
                                 struct err *err);
enum turn_status commit_measures(struct store_txn *t, struct slice workflow, uint64_t sequence,
                                 const struct record *outputs, size_t n, bool documents, struct err *err);
/* The index entries of those timers that the instance, as the new program reads it, does not have. */
enum turn_status commit_timers_gone(struct store_txn *t, struct flow *f, const struct instance *was,
                                    const struct program *new, const struct instance *now, struct err *err);
/* Where the index has a timer that is armed, unless it has it earlier. */
void commit_timer_key(struct key *k, const struct flow *f, const struct instance *i, const struct timer *timer);
/* Its entry there. */
enum turn_status commit_timer(struct store_txn *t, struct flow *f, const struct instance *i,
                              const struct timer *timer, struct err *err);
enum turn_status commit_timers(struct store_txn *t, struct flow *f, const struct instance *i,
                               struct err *err);
void engine_output(struct engine *e, const struct record *r);

/* ---- drain.c */
/* Takes the flow's first entry by `until`: fires its timer, or moves it to where the timer was moved;
 * *fired false: there is none. */
enum turn_status fire_next(struct engine *e, struct store_txn *t, struct flow *f, instant_t until,
                           bool *fired, struct err *err);
/* Its earliest timer that the clock has not reached yet; INSTANT_MAX: none. See engine_next_due. */
instant_t flow_due_after(struct engine *e, struct flow *f, struct store_txn *t);
/* Up to when its timers may fire: the clock's target, or its own clock, whichever is later. */
instant_t flow_until(const struct engine *e, const struct flow *f);

/* ---- seen.c */
#define SEEN_ID_MAX 300
#define SEEN_DIGEST 16
struct seen_id {
    size_t n;
    char byte[SEEN_ID_MAX]; /* its end of the key */
    unsigned char digest[SEEN_DIGEST];
};
void seen_id(const struct cloud_event *e, struct seen_id *out);
static inline struct slice seen_key(const struct seen_id *id)
{
    return (struct slice){id->byte, id->n};
}
enum seen_as { SEEN_NOT, SEEN_SAME, SEEN_OTHER, SEEN_REJECTED };
struct seen_found {
    enum seen_as as;
    uint64_t history;
    struct slice reasons; /* SEEN_REJECTED: one a line */
};
enum turn_status seen_find(struct engine *e, struct store_txn *t, struct slice workflow,
                           const struct seen_id *id, instant_t received, struct seen_found *out,
                           struct err *err);
/* why NULL: applied. */
enum turn_status seen_put(struct engine *e, struct store_txn *t, struct slice workflow,
                          const struct seen_id *id, instant_t received, uint64_t history,
                          const struct reasons *why, struct err *err);
/* Drops a bounded part of what is older than 400 days for every workflow. */
enum turn_status seen_drop(struct engine *e, struct store_txn *t, struct err *err);
struct seen_found seen_parse(struct slice value, const unsigned char *digest); /* digest NULL: not compared */
#define SEEN_BYTES (SEEN_DIGEST + 8) /* of an entry, before reasons */

/* ---- seen_chunk.c */
/* Key and value are those of an entry of TABLE_SEEN. No room: what it has is to be passed on before, and the next begun. */
bool chunk_has_room(const struct chunk *c, struct slice key, struct slice value);
void chunk_take(struct chunk *c, struct slice key, struct slice value);
void chunk_key(const struct chunk *c, uint64_t batch, struct key *k);
void chunk_next(struct chunk *c);
/* For the changelog, with others of its batch. */
enum turn_status chunk_add(struct engine *e, struct store_txn *t, struct slice key, struct slice value, struct err *err);
enum turn_status chunk_end(struct engine *e, struct store_txn *t, struct err *err); /* the batch ends */
void chunk_forget(struct engine *e);
/* One that came from the changelog: each entry's key and value, in their order. */
enum turn_status chunk_read(struct engine *e, struct slice key, struct slice value,
                            enum turn_status (*put)(void *ctx, struct slice key, struct slice value, struct err *err),
                            void *ctx, struct err *err);
enum turn_status chunk_restore(struct engine *e, struct store_txn *t, struct slice key, struct slice value,
                               struct err *err);
bool chunk_has_month(struct store_txn *t, int32_t month);
/* Of a month that has expired: one chunk, and as many entries as one can have. *dropped 0: nothing was left. */
enum turn_status chunk_drop(struct engine *e, struct store_txn *t, int32_t month, size_t *dropped, struct err *err);

/* ---- apply.c */
/* Fires what is due by then. */
enum turn_status flow_advance(struct engine *e, struct store_txn *t, struct flow *f, instant_t until,
                              struct err *err);

/* ---- proposal.c */
/* Stores the measures that the turn proposes, and names them to its history: fx->proposals. */
enum turn_status commit_proposals(struct turn *turn, struct effects *fx);
enum turn_status proposal_get(struct turn *turn, struct slice id, struct proposal *out, bool *found);
enum turn_status proposal_drop(struct turn *turn, struct slice id);
/* Issues it at `now`: stores what that changes. Its document's number and what goes out are the caller's. */
enum turn_status proposal_issue(struct turn *turn, const struct proposal *m, instant_t now,
                                const struct cause *cause, struct effects *fx);
/* False with reasons: a measure that waits for a decision would not exist in the new program. */
void proposals_check(struct turn *turn, const struct program *new, size_t most, struct reasons *why);

/* ---- correction.c */
/* An Annul, Supersede or Decide. Refused: reasons in why, out->what OUTCOME_REJECTED. */
enum turn_status correction_apply(struct turn *turn, const struct input *in, struct reasons *why,
                                  struct outcome *out);
/* After a turn that excused instances: what had followed from their being late no longer does. */
enum turn_status correction_excused(struct turn *turn, const struct input *in, const struct effects *fx);

/* ---- roster.c */
/* The changes of the roster that are kept, packed, in their order; copies in the arena. */
size_t roster_read(struct store_txn *t, struct slice workflow, struct arena *a, struct slice **kept);
/* Keeps one more, which holds from the next turn on. */
enum turn_status roster_keep(struct turn *turn, const struct roster_change *c);
/* A definition has come: its roster is the whole truth. The flow has it already. */
enum turn_status roster_drop(struct turn *turn, size_t *dropped);
/* Those of another world in the place of those here. */
enum turn_status roster_replace(struct turn *turn, struct store_txn *other);
/* What is kept has changed. */
enum turn_status roster_reload(struct store_txn *t, struct flow *f, struct err *err);

/* ---- publish.c */
/* Takes a definition into force, or says why not (what stays OUTCOME_REJECTED with reasons in why). */
enum turn_status publish_definition(struct engine *e, struct store_txn *t, const struct record *r,
                                    const struct cloud_event *ce, const struct input *in, struct arena *a,
                                    struct reasons *why, struct outcome *out, struct err *err);

#endif
