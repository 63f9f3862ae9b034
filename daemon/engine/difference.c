/* From the live world to the one that was run again: what lives, what is withdrawn, what is proposed. */
#include "engine/rerun.h"

/* ---- instances: commit_instance keeps their timers with them */

static enum turn_status replace(struct turn *live, struct slice key, struct slice bytes, struct arena *a)
{
    enum turn_status st;
    struct instance *now = NULL;
    const struct instance *was = world_load(live->txn, live->program, key, a, &st, live->err);

    if (st == TURN_DONE && bytes.p != NULL) {
        now = wire_instance_unpack(live->program, bytes, a, live->err);
        if (now == NULL)
            return TURN_FAILED;
    }
    return st == TURN_DONE
               ? commit_instance(live->engine, live->txn, live->flow, key, bytes, was, now, live->err)
               : st;
}

static bool has(struct store_txn *t, enum table_id table, struct slice key, struct slice *value)
{
    return store_get(t, table, key, value) == STORE_OK;
}

/* Keys of the one world's table that the other does not have. */
static struct slice *only_here(struct store_txn *t, struct store_txn *other, enum table_id table,
                               struct slice workflow, struct arena *a, size_t *n)
{
    struct store_iter *i = store_iter_new(t, table);
    struct slice *out = NULL, key, value, same;
    struct key prefix;
    size_t cap = 0;

    *n = 0;
    key_workflow(&prefix, workflow);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         more && key_has_prefix(key, key_slice(&prefix)); more = store_iter_next(i, &key, &value))
        if (!has(other, table, key, &same))
            *(struct slice *)arena_push(a, &out, n, &cap, sizeof *out) = arena_dup(a, key);
    store_iter_free(i);
    return out;
}

static enum turn_status replace_instances(struct turn *live, struct rerun *r, struct arena *a,
                                          size_t *changed)
{
    struct arena *scratch = arena_new();
    struct slice key, value, was;
    enum turn_status st = TURN_DONE;
    struct key prefix;
    size_t n;
    const struct slice *gone = only_here(live->txn, r->txn, TABLE_INSTANCE, r->plan->workflow, a, &n);

    for (size_t i = 0; st == TURN_DONE && i < n; i++)
        st = replace(live, gone[i], (struct slice){NULL, 0}, scratch);
    *changed = n;
    struct store_iter *i = store_iter_new(r->txn, TABLE_INSTANCE);
    key_workflow(&prefix, r->plan->workflow);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         st == TURN_DONE && more && key_has_prefix(key, key_slice(&prefix));
         more = store_iter_next(i, &key, &value)) {
        if (has(live->txn, TABLE_INSTANCE, key, &was) && slice_eq(was, value))
            continue;
        arena_reset(scratch);
        st = replace(live, key, value, scratch);
        ++*changed;
    }
    store_iter_free(i);
    arena_free(scratch);
    return st;
}

/* ---- proposals */

static void output_add(struct turn *live, struct difference *d, const struct record *r)
{
    *(struct record *)arena_push(live->arena, &d->outputs, &d->noutputs, &d->outputs_cap, sizeof *r) = *r;
}

/* Issued in the re-run's world, with the live world's next number. */
static enum turn_status issue(struct turn *live, struct rerun *r, const struct proposal *m,
                              const struct input *in, struct difference *d)
{
    const struct cause cause = {
        .source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received};
    struct turn turn = {.engine = r->engine,
                        .txn = r->txn,
                        .flow = r->flow,
                        .program = r->flow->program,
                        .arena = live->arena,
                        .err = live->err};
    struct record *out;
    struct effects fx;
    size_t n;
    enum turn_status st = proposal_issue(&turn, m, in->received, &cause, &fx);

    if (st != TURN_DONE || fx.verdict == VERDICT_REJECTED)
        return st;
    wire_proposal_outputs(live->program, m, &fx.issued[0], live->arena, &out, &n);
    for (size_t i = 0; i < n; i++)
        output_add(live, d, &out[i]);
    return commit_numbers(live, &fx);
}

static enum turn_status new_proposal(struct turn *live, struct rerun *r, struct slice key, struct slice bytes,
                                     const struct input *in, bool reissue, struct difference *d)
{
    struct proposal m;

    if (!wire_proposal_read(live->program, bytes, live->arena, &m, live->err))
        return TURN_FAILED;
    *(struct slice *)arena_push(live->arena, &d->proposals, &d->nproposals, &d->proposals_cap, sizeof bytes) =
        bytes;
    return reissue ? issue(live, r, &m, in, d)
                   : state_put(live->engine, live->txn, TABLE_PROPOSAL, key, bytes, live->err);
}

/* What waits in both worlds, and would now be issued in other words or to others. */
static enum turn_status renew_proposals(struct turn *live, struct rerun *r)
{
    struct store_iter *i = store_iter_new(r->txn, TABLE_PROPOSAL);
    enum turn_status st = TURN_DONE;
    struct slice key, value, was;
    struct key prefix;

    key_workflow(&prefix, r->plan->workflow);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         st == TURN_DONE && more && key_has_prefix(key, key_slice(&prefix));
         more = store_iter_next(i, &key, &value))
        if (has(live->txn, TABLE_PROPOSAL, key, &was) && !slice_eq(was, value))
            st = state_put(live->engine, live->txn, TABLE_PROPOSAL, key, value, live->err);
    store_iter_free(i);
    return st;
}

static enum turn_status replace_proposals(struct turn *live, struct rerun *r, const struct input *in,
                                          bool reissue, struct difference *d)
{
    enum turn_status st = TURN_DONE;
    struct slice value;
    size_t n;
    const struct slice *key =
        only_here(live->txn, r->txn, TABLE_PROPOSAL, r->plan->workflow, live->arena, &n);

    for (size_t i = 0; st == TURN_DONE && i < n; i++)
        st = state_delete(live->engine, live->txn, TABLE_PROPOSAL, key[i], live->err);
    if (st == TURN_DONE)
        st = renew_proposals(live, r);
    key = only_here(r->txn, live->txn, TABLE_PROPOSAL, r->plan->workflow, live->arena, &n);
    for (size_t i = 0; st == TURN_DONE && i < n; i++)
        if (has(r->txn, TABLE_PROPOSAL, key[i], &value))
            st = new_proposal(live, r, key[i], arena_dup(live->arena, value), in, reissue, d);
    return st;
}

/* ---- what no longer follows */

static enum turn_status withdraw(struct turn *live, const struct trace *t, const struct withdrawal *w,
                                 struct difference *d)
{
    struct record *from, *out;
    size_t nfrom, n;
    struct slice bytes;
    struct key k;
    bool found;

    key_history(&k, live->flow->id, t->sequence);
    enum turn_status st = engine_get(live->txn, TABLE_HISTORY, key_slice(&k), &bytes, &found, live->err);
    if (st != TURN_DONE)
        return st;
    if (!found || !wire_history_outputs(arena_dup(live->arena, bytes), live->arena, &from, &nfrom)) {
        err_set(live->err, "history record %llu of workflow %.*s cannot be read",
                (unsigned long long)t->sequence, SLICE_ARG(live->flow->id));
        return TURN_FAILED;
    }
    wire_withdraw(live->program, from, nfrom, &t->key, w, live->arena, &out, &n);
    for (size_t i = 0; i < n; i++)
        output_add(live, d, &out[i]);
    return TURN_DONE;
}

static enum turn_status withdraw_all(struct turn *live, const struct rerun *r, const struct input *in,
                                     struct difference *d)
{
    const struct traces *s = &r->plan->traces;
    struct slice reason = in->class_ == INPUT_EXCUSE ? in->grounds : in->reason;
    const struct withdrawal w = {.source = in->source, .id = in->id, .reason = reason, .now = in->received};
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < s->n; i++) {
        const struct trace *t = s->all[i];
        bool out = t->status == TRACE_OUT || t->status == TRACE_DECIDED;

        if (out && !t->follows && !measure_is_stale(t->reminder, t->valid_until, in->received))
            st = withdraw(live, t, &w, d);
    }
    return st;
}

enum turn_status difference_apply(struct turn *live, struct rerun *r, const struct input *in, bool reissue,
                                  struct difference *out)
{
    *out = (struct difference){0};
    enum turn_status st = withdraw_all(live, r, in, out);
    if (st == TURN_DONE)
        st = replace_proposals(live, r, in, reissue, out);
    if (st == TURN_DONE)
        st = replace_instances(live, r, live->arena, &out->instances);
    if (st == TURN_DONE)
        st = roster_replace(live, r->txn);
    live->flow->next_known = false;
    return st;
}

/* ---- comparing */

struct slice difference_first(struct store_txn *live, struct store_txn *other, struct slice workflow,
                              struct arena *a)
{
    static const enum table_id tables[] = {TABLE_INSTANCE, TABLE_PROPOSAL};
    struct slice key, value, same, first = {NULL, 0};
    struct key prefix;

    key_workflow(&prefix, workflow);
    for (size_t t = 0; first.p == NULL && t < sizeof tables / sizeof *tables; t++) {
        size_t n;
        const struct slice *missing = only_here(other, live, tables[t], workflow, a, &n);

        if (n > 0)
            first = missing[0];
        struct store_iter *i = store_iter_new(live, tables[t]);
        for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
             first.p == NULL && more && key_has_prefix(key, key_slice(&prefix));
             more = store_iter_next(i, &key, &value))
            if (!has(other, tables[t], key, &same) || !slice_eq(same, value))
                first = arena_dup(a, key);
        store_iter_free(i);
    }
    return first;
}
