/* What readers may ask of a partition's store: short read transactions on any thread, never a writer in their way.
 * Rows come as JSON objects on one line each, ready for HTTP and dubanctl --json. */
#ifndef DUBAND_QUERY_H
#define DUBAND_QUERY_H

#include "store/store.h"
#include "wire/wire.h"

struct query {
    struct slice workflow, unit, subject, state, machine, obligation, measure, period; /* empty: any */
    bool open_only;     /* tasks and cases: not in a final state */
    size_t limit;       /* at most; 0: 1000 */
    struct slice after; /* cursor: the last `next` given; empty: from the start */
};
struct query_result {
    struct slice *row; /* JSON */
    size_t n;
    struct slice next; /* cursor for the following page (hex); empty: no more */
    bool later;        /* refused: history is still being taken in; the error says how far it is */
};

/* Instances of task machines: workflow obligation basis unit about period state title opens due nominal reason provisional late… and variables. */
bool query_tasks(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);
/* Instances of all other machines: workflow machine unit subject key state title since limit variables counters timers. */
bool query_cases(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);
/* These two are refused as long as a part of the history is missing. */
/* Warnings and supervision that were issued, newest first; the record's JSON. */
bool query_measures(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);
/* History records, oldest first. */
bool query_history(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);

/* Tallies of q.workflow, which must be given: q.machine (the tally), q.unit and q.period narrow. With a period all who are scored in it,
 * else all for whom anything is on record. workflow tally title basis unit unit_title period closed closed_at failed self_total total items;
 * points are texts, null for n/a. */
bool query_scores(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);

/* Measures that wait for a decision, by id; as they would have gone out. */
bool query_proposals(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out, struct err *e);

/* What became of one input. */
enum query_found { QUERY_UNKNOWN, QUERY_APPLIED, QUERY_REJECTED };
/* False: all of the history is there. True: how much of it is missing, as one sentence. */
bool query_lacks_history(struct store_txn *t, struct err *e);
/* json: {"status":"applied"|"rejected","reasons":[…],"history":{…}}; while its history record is missing "missing":"…" instead */
enum query_found query_event(struct store_txn *t, struct slice source, struct slice id, struct arena *a, struct slice *json);

#endif
