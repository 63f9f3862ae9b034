/* The front of one table. What large transactions change of entries that the table (the base) has is collected in runs, and merged into the
 * base later, in the order of its keys: so changes all over a large table share pages, while each would write more than one of its own.
 *
 * The base holds every key there is: new ones are put there at once, and deleted ones deleted there. Runs hold newer values. So what the base
 * does not have is not there; of what it has, the value is that of the newest run which has the key, else the base's. What is put while a run
 * may have the key goes to the newest run, whatever else is done with it. Nothing depends on how far merging is: it can always begin anew.
 *
 * A transaction gathers in memory what it puts into a run, and writes it in the order of its keys: so the run's pages are full.
 *
 * Two tables of runs take turns. One collects; when it has become large, and the other one is merged and thus empty, they change places. A key
 * in them is a run's number, big-endian, then the key; the numbers rise, and begin anew when there is no run. */
#ifndef DUBAND_STORE_FRONT_H
#define DUBAND_STORE_FRONT_H

#include <lmdb.h>

#include "store/backend.h"
#include "store/gather.h"

#define RUN_KEY_MOST STORE_KEY_MAX
#define FRONT_KEY_MOST (RUN_KEY_MOST - 4) /* longer ones are in no run */

/* Tests make them small. */
struct front_limits {
    uint32_t changes; /* of a transaction, from which on the next ones use the front … */
    uint32_t spread;  /* … if the base has so many leaves for each, and no more than `entries` */
    uint32_t run;     /* entries: with more of them a transaction begins the next run */
    uint32_t entries; /* of a table that has collected enough; or … */
    uint32_t pages;   /* … that it has */
    uint32_t numbers; /* of runs: when they are used up, the front is not used until there is none, and they begin anew */
    uint32_t step;    /* entries that a transaction merges at least … */
    uint32_t rest;    /* … and one that does nothing else */
    uint32_t gather;  /* bytes: with more of them a transaction writes what it has gathered, and begins anew */
    uint32_t hashes;  /* bits of them that count */
};
extern struct front_limits front_limits;

/* The runs of the two tables as a transaction sees them; none if last is 0. */
struct front_runs {
    MDB_dbi table[2];
    uint32_t first[2], last[2];
};

struct front_slot;

/* The writer's. */
struct front {
    MDB_dbi base, table[2];
    bool known, lost;    /* what follows says what the tables hold; no more so if this transaction is not committed */
    bool failed;         /* the transaction before this one could not be committed */
    struct front_runs runs;
    struct front_slot *slot; /* hash of a key → newest run that may have it */
    size_t nslots, nused;
    unsigned collects;    /* which table */
    uint32_t run;         /* in the making */
    size_t in_run;        /* at most so many entries */
    struct gather gather; /* what this transaction has put into that run, and not yet written */
    struct front_runs runs_before; /* this transaction, like the next: what is so again if it is aborted */
    size_t in_run_before;
    bool on;              /* changes go to runs */
    unsigned small;       /* transactions in a row */
    size_t puts, changes; /* of this transaction: all, and those that went to a run */
    char next[FRONT_KEY_MOST], found[FRONT_KEY_MOST]; /* keys: where merging goes on, and the last found in this transaction */
    size_t nnext, nfound;
    uint32_t found_hash;
};

/* Of a write transaction; they return what LMDB does. */
int front_begin(struct front *f, MDB_txn *txn);
int front_get(struct front *f, MDB_txn *txn, struct slice key, MDB_val *value);
int front_newer(struct front *f, MDB_txn *txn, struct slice key, MDB_val *value); /* than the base's; else MDB_NOTFOUND */
int front_put(struct front *f, MDB_txn *txn, struct slice key, struct slice value, unsigned flags);
int front_delete(struct front *f, MDB_txn *txn, struct slice key);
int front_clear(struct front *f, MDB_txn *txn); /* the base, too */
/* The last thing before it is committed: some merging. rest: it does nothing else, and the next one is expected to be small. */
int front_end(struct front *f, MDB_txn *txn, bool rest);
void front_ended(struct front *f, bool committed, bool failed);
bool front_is_empty(const struct front *f);
static inline bool front_is_on(const struct front *f)
{
    return f->on;
}
void front_forget(struct front *f); /* the tables may hold something else now, or have other handles */

/* Of any transaction, on any thread. */
int runs_find(MDB_txn *txn, const MDB_dbi table[2], struct front_runs *out);
bool runs_none(const struct front_runs *r);
/* The value in the newest run, of those up to the one given, which has the key; or MDB_NOTFOUND. */
int runs_get(MDB_txn *txn, const struct front_runs *r, uint32_t up_to, struct slice key, MDB_val *value);
MDB_val run_key(unsigned char out[RUN_KEY_MOST], uint32_t run, struct slice key);
uint32_t run_of(MDB_val key);

/* The entries of all runs of one table (or of both: 2) in the order of their keys, of equal keys the newest first. */
struct walk;
struct walk_entry {
    struct slice key, value;
    uint32_t run;
};
int walk_new(MDB_txn *txn, const struct front_runs *r, unsigned table, struct walk **out);
void walk_free(struct walk *w); /* NULL is fine */
int walk_seek(struct walk *w, struct slice from);
const struct walk_entry *walk_at(const struct walk *w); /* NULL: the end */
int walk_next(struct walk *w);
int walk_to(struct walk *w, struct slice key, MDB_val *value); /* keys that rise, from where it was sought: as runs_get */

#endif
