/* The histories' chains as an auditor checks them: record by record, from the first on, without a node. */
#ifndef DUBAND_CHAIN_H
#define DUBAND_CHAIN_H

#include "store/store.h"
#include "wire/wire.h"

struct chain {
    struct slice workflow;
    struct history_head head; /* of the last record that holds */
    bool broken;              /* why: at which record, and how; nothing behind it is looked at */
    struct err why;
};

/* Zeroed, with an arena: none yet. */
struct chains {
    struct arena *arena;
    struct chain **item; /* by workflow */
    size_t n, cap;
};

/* The next record of a workflow's history, in any order among workflows. */
void chains_take(struct chains *c, struct slice workflow, struct slice record);
/* All histories of a partition's store; and each must end where the state says that it does. False: the store cannot be read. */
bool chains_take_store(struct chains *c, struct store_txn *t, struct err *e);

#endif
