/* A correction's parts. trace.c the measures that history knows; plan.c what is to be run, in order; rerun.c the
 * run, in memory; difference.c what it changes in the live world; correction.c the turn as a whole. */
#ifndef DUBAND_ENGINE_RERUN_H
#define DUBAND_ENGINE_RERUN_H

#include "engine/flow.h"

/* ---- trace.c: a measure through all of history, whatever became of it */

enum trace_status {
    TRACE_OUT,      /* it left in the turn that made it */
    TRACE_PROPOSED, /* it waits for a decision, or was declined */
    TRACE_DECIDED,  /* it left later, when somebody decided so */
    TRACE_WITHDRAWN
};
struct trace {
    struct measure_key key;
    struct slice id; /* under which it was last proposed, or left */
    uint64_t sequence; /* of the history record whose outputs it is among */
    enum trace_status status;
    unsigned times;       /* that it was withdrawn */
    bool annulled;        /* it is not to be issued, whatever follows */
    bool follows;         /* from what is run again */
    bool reminder;
    instant_t valid_until; /* of a reminder */
};
struct trace_map { /* by key, and by every id it ever had */
    struct trace_slot {
        unsigned char digest[16];
        struct trace *trace; /* NULL: free */
    } *slot;
    size_t n, cap;
};
struct traces {
    struct arena *arena;
    struct trace_map by_key, by_id;
    struct trace **all; /* in the order in which they were first made */
    size_t n, cap;
};
void traces_free(struct traces *s);
struct trace *trace_find(const struct traces *s, const struct measure_key *key);
struct trace *trace_named(const struct traces *s, struct slice id);
/* Takes in what a turn put out and proposed. decision: its measures were proposed before. */
bool traces_read(struct traces *s, struct slice history, uint64_t sequence, bool decision, struct arena *scratch);
/* A reminder of what is past: neither proposed nor withdrawn. */
bool measure_is_stale(bool reminder, instant_t valid_until, instant_t now);

/* ---- plan.c: history as it is to be run, corrections applied */

enum entry_kind {
    ENTRY_INPUT,
    ENTRY_DEFINITION,
    ENTRY_CORRECTION, /* says what else is to be run; is not run itself */
    ENTRY_ISSUE,      /* of the proposal `id` */
    ENTRY_DECLINE
};
struct entry {
    enum entry_kind kind;
    uint64_t sequence; /* of its history record */
    instant_t received;
    struct slice source, id; /* of the record; of a decision: its own */
    struct slice decided;    /* ENTRY_ISSUE, ENTRY_DECLINE: the proposal's id */
    bool rejected;           /* when it came */
    bool annulled;
    bool excuse;
    const struct cloud_event *with; /* what takes its place; NULL: nothing does */
    struct excused *excused;
    size_t nexcused;
};
struct plan {
    struct arena *arena;
    struct slice workflow;
    struct entry *entry;
    size_t n, cap;
    struct traces traces;
    uint64_t turns, halted; /* in history */
    struct entry *newest;   /* what the last correction put in; NULL: nothing */
};
enum turn_status plan_read(struct plan *plan, struct store_txn *t, struct slice workflow, struct err *err);
void plan_free(struct plan *plan);
/* Applies a correction received at `now`. Nothing with reasons. */
void plan_correct(struct plan *plan, const struct input *in, instant_t now, struct reasons *why);

/* ---- rerun.c */

struct rerun {
    struct plan *plan;
    struct store_txn *live; /* history is read from it */
    struct store *store;
    struct engine *engine;
    struct store_txn *txn;
    const struct excused **excused; /* by what is in the plan */
    size_t nexcused, excused_cap;
    struct flow *flow;
    struct arena *arena; /* of one entry */
};
/* Runs the plan up to `now`. Reasons when it cannot be: the correction is refused then. Free it in any case. */
enum turn_status rerun_run(struct rerun *r, struct plan *plan, struct turn *live, instant_t now,
                           struct reasons *why);
void rerun_free(struct rerun *r);
/* The world's callbacks in a re-run; ctx is the turn. */
enum may_issue rerun_may_issue(void *ctx, const struct effects *so_far, struct issued *m);
bool rerun_excused(void *ctx, int machine, const struct slice *key, struct slice *grounds);

/* ---- difference.c */

struct difference {
    struct slice *proposals; /* new ones, packed */
    size_t nproposals, proposals_cap;
    struct record *outputs; /* withdrawals, then what is issued at once */
    size_t noutputs, outputs_cap;
    size_t instances; /* changed, made or gone */
};
/* Puts the re-run's world in the place of the live one. reissue: new measures are issued instead of proposed. */
enum turn_status difference_apply(struct turn *live, struct rerun *r, const struct input *in, bool reissue,
                                  struct difference *out);
/* The first instance or proposal in which the two worlds differ; NULL: none. For tests and checks. */
struct slice difference_first(struct store_txn *live, struct store_txn *other, struct slice workflow,
                              struct arena *a);

/* Runs the workflow's history again and compares: whether the live state is what its history says. */
enum turn_status rerun_verify(struct engine *e, struct store_txn *t, struct slice workflow, struct arena *a,
                              struct slice *differs, struct err *err);

#endif
