/* What happened to instances during a run, with the reasons of each step: kept while somebody looks on at a
 * simulation, for `explain`. */
#ifndef DUBAND_CTL_TRAIL_H
#define DUBAND_CTL_TRAIL_H

#include "ctl/guard.h"
#include "ctl/json.h"
#include "wire/wire.h"

/* Points into the program that the simulation runs: it must live as long as the trail. */
struct trail_step {
    enum { STEP_LOOKED, STEP_COUNTED, STEP_MOVED } what;
    size_t turn; /* turns count from 0 */
    struct slice instance;
    const struct machine *machine;
    const struct rule *rule;       /* LOOKED */
    const struct count_def *count; /* COUNTED */
    int64_t n;                     /* COUNTED: what it has counted now */
    bool holds;
    int state; /* LOOKED: at that moment */
    instant_t now;
    struct slice event, cause; /* in words */
    struct slice from, to, at; /* MOVED: states, the rule's place */
    struct text_lines parts;   /* LOOKED: of its condition */
    const struct task *task;   /* a copy; NULL: no task */
};

struct trail {
    const struct program *p;
    struct arena *arena;
    bool (*wanted)(void *ctx, struct slice instance); /* which instances are kept */
    void *ctx;
    struct watch watch;
    size_t turn;
    struct trail_step *item;
    size_t n, cap;
};

void trail_start(struct trail *t, const struct program *p, struct arena *a,
                 bool (*wanted)(void *ctx, struct slice instance), void *ctx);
/* Ends a turn: its history record, as JSON. What a rejected turn did, it did not do. */
void trail_turn(struct trail *t, const json_t *history);

#endif
