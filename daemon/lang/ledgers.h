/* Ledgers: sugar over machines. A ledger becomes the yaml of a machine of its name, made of its own keys and
 * of a copy of its life, and is compiled as any machine is; what no machine could say by itself — fields of
 * rows, versions, marks, limits, and which event stands for `filed`, `amended`, `closing`, `reopened` — is
 * added on the way. ledgers.c       keys → what files, marks and closes its rows; names of variables
 *   ledger_life.c   the machine's yaml
 *   ledger_rows.c   which rows an event reaches, and what it says of them */
#ifndef DUBAND_LEDGERS_H
#define DUBAND_LEDGERS_H

#include "lang/machines.h"

/* An event that concerns rows: `measure-done where event.month = month`, or {when: …, where: …, PART: …}. */
struct binding {
    const struct yaml *at; /* the event's name alone */
    const struct yaml *condition_at;
    struct slice condition;   /* empty: none */
    const struct yaml *parts; /* the map that may give parts of the key; NULL */
    int kind;                 /* -1: unknown */
    const struct expr *where;
};
struct bindings {
    struct binding *item;
    size_t n;
};

enum row_event { ROW_FILED, ROW_AMENDED, ROW_CLOSING, ROW_REOPENED, ROW_EVENTS };

struct ledger {
    struct slice name;
    const struct yaml *key, *node; /* node NULL: the machine that keeps readings */
    int machine;
    struct bindings filed, closed, reopened;
    struct mark {
        const struct yaml *key;
        struct bindings by;
        int var;
    } * marks;
    size_t nmarks;
    const struct declared *life; /* NULL: its states are its own */
    int version;                 /* variable */
    struct row_rule {            /* copied from one that waits for an event of rows */
        const struct yaml *rule;
        const struct binding *by;
        enum row_event event;
    } * rules;
    size_t nrules, rules_cap;
    bool dropped; /* rules for which this ledger has no event */
};

/* Takes lives (machines `of: row`) out of the section of machines, and adds one machine for each ledger. */
void ledgers_declare(struct compiler *c);
/* The ledger whose rows this machine keeps; NULL: it is an ordinary one. */
struct ledger *ledger_of(struct compiler *c, const struct machine *m);
/* Its variables, once its life's are there. */
void ledger_outline(struct compiler *c, struct machine *m);

/* How many reaches its events make at most. */
size_t ledger_bindings(const struct ledger *l);
/* Adds them to the machine, and their kinds to `kind`; how many kinds. Fills follow. */
size_t ledger_reach(struct machine_at *at, struct ledger *l, int *kind);
/* A rule that stands for an event of rows holds only for the records that are meant. */
void ledger_guard(struct machine_at *at, const struct yaml *node, struct rule *r);
/* What was said since the `before`th diagnostic of names that the life uses and this ledger has not: said at
 * the ledger. */
void ledger_blame(struct machine_at *at, const struct ledger *l, size_t before);

struct slice type_plain(struct compiler *c, const struct type *t); /* without its `optional` */

/* ledger_life.c */
struct yaml *ledger_yaml(struct compiler *c, struct ledger *l);

#endif
