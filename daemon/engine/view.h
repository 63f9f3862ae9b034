/* A workflow as its store has it, for expressions that are evaluated outside a turn. */
#ifndef DUBAND_ENGINE_VIEW_H
#define DUBAND_ENGINE_VIEW_H

#include "core/step.h"
#include "store/store.h"

struct view {
    struct store_txn *txn;
    const struct program *program;
    struct arena *arena; /* holds the instances that are looked at */
    struct err *err;
    bool failed; /* the store, or a record in it, cannot be read: err says why */
};

/* v must outlive it. */
struct instances view_instances(struct view *v);
/* The largest instant that the workflow has seen; INSTANT_NONE: none yet. */
instant_t view_clock(struct view *v);

#endif
