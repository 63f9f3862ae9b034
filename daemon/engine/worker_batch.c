/* One batch of a partition: records and timers in one transaction, then everything is made final at once. */
#include "engine/worker_private.h"

#include <stdlib.h>

#include "engine/keys.h"

#define RETRY_LEAST_MS 20
#define RETRY_MOST_MS 30000
#define REST_MS 3000
#define LOOK_EVERY 256 /* timers, between two looks at what a batch has taken */
#define BYTES_MOST ((size_t)8 << 20)

bool partition_runnable(const struct partition *p)
{
    return p->serving && !p->stopped && !p->waits && worker_monotonic() >= p->retry_at;
}

/* ---- failures that may pass */

static void back_off(struct partition *p, bool full, const char *why)
{
    int64_t wait = RETRY_LEAST_MS;

    for (unsigned i = 0; i < p->failures && wait < RETRY_MOST_MS; i++)
        wait *= 2;
    p->failures++;
    p->retry_at = worker_monotonic() + (wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS);
    if (full)
        atomic_store(&p->worker->full, true);
    partition_trouble(p, full ? "disk full, intake is stopped: %s" : "the last batch is tried again: %s",
                      why);
}

static void recovered(struct partition *p)
{
    if (p->failures == 0)
        return;
    p->failures = 0;
    p->retry_at = 0;
    atomic_store(&p->worker->full, false);
    partition_trouble(p, "%s", "");
}

static void stop(struct partition *p, const char *why)
{
    p->stopped = true;
    atomic_store(&p->worker->full, false); /* no batch of it will find out that there is room */
    partition_trouble(p, "stopped: %s", why);
}

static void forget(struct partition *p)
{
    struct err why;

    p->draining = true;
    if (!engine_forget(p->engine, &why))
        stop(p, why.text);
}

/* ---- the batch */

struct batch {
    struct partition *p;
    struct store_txn *txn;
    size_t n, done; /* records taken, applied */
    size_t fired;
    int64_t next[2];
    bool cut;    /* it ended before all of what was taken: there is more */
    bool turned; /* every turn went well: what fails now is not theirs */
    struct err why;
};

/* It ends before its next record, which comes again. */
static enum turn_status cut(struct batch *b)
{
    b->cut = true;
    b->n = b->done;
    return TURN_DONE;
}

/* What needs history that is not there yet holds everything behind it up, not what came before. */
static enum turn_status await_history(struct batch *b, const struct record *r)
{
    struct partition *p = b->p;

    p->waits = b->done == 0;
    if (p->waits)
        log_info("partition %d: %s offset %lld needs the history, of which offsets %lld to %lld are still to come",
                 p->id, topic_names[r->topic], (long long)r->offset, (long long)p->history_have,
                 (long long)p->history_want);
    return cut(b);
}

/* It takes long, or much memory: what it gives the bus stays there until it ends, and the pages that it changes take four times as much,
 * which is more than a processor's cache holds, too. */
static bool is_enough(const struct batch *b)
{
    struct bus *bus = b->p->worker->bus;

    return bus->ops->late != NULL && (b->p->bytes > BYTES_MOST || bus->ops->late(bus));
}

static enum turn_status apply_records(struct batch *b)
{
    struct partition *p = b->p;
    enum turn_status st = TURN_DONE;

    for (; st == TURN_DONE && p->bus_status == BUS_OK && b->done < b->n; b->done++) {
        const struct record *r = &p->records[b->done];
        struct outcome out;

        if (b->done > 0 && is_enough(b)) /* a turn may be long: a correction's re-run */
            return cut(b);
        arena_reset(p->worker->arena);
        st = engine_apply(p->engine, b->txn, r, p->worker->arena, &out, &b->why);
        if (st == TURN_WAITS)
            return await_history(b, r);
        if (st != TURN_DONE)
            return st;
        b->next[r->topic] = r->offset + 1;
        p->draining = true; /* the clock moved, or a timer was armed that is due at once */
        if (out.what == OUTCOME_CLOCK)
            clock_taken(p);
    }
    return st;
}

/* What has come while the first were applied goes along, where there is room. */
static bool take_more(struct batch *b)
{
    struct partition *p = b->p;
    struct bus *bus = p->worker->bus;

    if (p->bus_status != BUS_OK || b->cut || b->n == 0 || b->n == p->take)
        return false;
    size_t more = bus->ops->take(bus, p->id, p->records + b->n, p->take - b->n);
    b->n += more;
    return more > 0;
}

static enum turn_status drain(struct batch *b)
{
    struct partition *p = b->p;

    if (!p->draining || p->bus_status != BUS_OK)
        return TURN_DONE;
    enum turn_status st = TURN_DONE;
    size_t fired = LOOK_EVERY, limit = LOOK_EVERY;
    while (st == TURN_DONE && fired == limit && b->fired < p->slice && !is_enough(b)) {
        limit = p->slice - b->fired < LOOK_EVERY ? p->slice - b->fired : LOOK_EVERY;
        st = engine_drain(p->engine, b->txn, limit, &fired, &b->why);
        b->fired += fired;
    }
    if (st == TURN_DONE)
        p->draining = fired == limit;
    return st;
}

static enum turn_status finish(struct batch *b)
{
    struct partition *p = b->p;
    enum store_status put = STORE_OK;

    b->turned = true;
    enum turn_status st = engine_set_positions(p->engine, b->txn, b->next, &b->why);
    if (st != TURN_DONE)
        return st;
    if (p->announce)
        put = store_put(b->txn, TABLE_META, META_OWNER, slice_of(p->worker->options->kafka_options.url));
    if (put != STORE_OK) {
        err_set(&b->why, "%s", store_txn_error(b->txn));
        return put == STORE_FULL ? TURN_STORE_FULL : TURN_FAILED;
    }
    p->next_due = engine_next_due(p->engine, b->txn);
    return TURN_DONE;
}

/* Grows while the backlog fills what is taken, and falls back when it does not. */
static size_t adapt(size_t now, size_t got, size_t most)
{
    if (got < now)
        return got * 2 > BATCH_LEAST ? (got * 2 < now ? got * 2 : now) : BATCH_LEAST;
    return now * 2 < most ? now * 2 : most;
}

/* ---- its end */

static void undo(struct batch *b)
{
    struct bus *bus = b->p->worker->bus;

    bus->ops->undo(bus, b->p->id, b->txn);
    forget(b->p);
}

/* What came before the turn that failed is good: it is taken alone, and then the failing one comes first. */
static void turn_failed(struct batch *b)
{
    struct partition *p = b->p;
    bool timers = b->done == b->n;

    undo(b);
    if (!timers && b->done > 0) {
        p->take = b->done;
        p->more = true;
        return;
    }
    if (!b->turned)
        partition_poison(p, timers ? NULL : &p->records[0], b->why.text);
    stop(p, b->why.text);
}

static void bus_refused(struct batch *b, enum bus_status st, const char *why)
{
    struct partition *p = b->p;

    if (st == BUS_FAILED) {
        stop(p, why);
        return;
    }
    if (st == BUS_UNDONE) {
        p->more = true;
        back_off(p, false, why);
    } else {
        p->serving = false; /* lost: release comes */
    }
    if (st == BUS_BEHIND) { /* it is acquired anew */
        partition_hide(p);
        partition_trouble(p, "what it has committed cannot be stored: %s; it is tried again", why);
    }
}

static void committed(struct batch *b, int64_t began)
{
    struct partition *p = b->p;
    struct worker *w = p->worker;

    p->batch++;
    p->announce = false;
    p->more = b->cut || b->n == p->take;
    if (b->n + b->fired >= BATCH_LEAST)
        p->large_at = worker_monotonic();
    p->take = adapt(p->take, b->n, w->options->batch);
    if (b->cut && p->take > b->n + LOOK_EVERY)
        p->take = b->n + LOOK_EVERY; /* no more than will be used */
    p->slice = adapt(p->slice, b->fired, w->options->batch);
    recovered(p);
    partition_show(p);
    pthread_mutex_lock(&w->lock);
    w->status.batches++;
    w->status.records += b->n;
    w->status.commit_ms_total += (uint64_t)(worker_monotonic() - began);
    pthread_mutex_unlock(&w->lock);
    if (w->options->committed != NULL)
        w->options->committed(w->options->ctx);
}

static void commit(struct batch *b)
{
    struct partition *p = b->p;
    struct worker *w = p->worker;
    const struct marker m = {.batch = p->batch + 1,
                             .input_next = {b->next[0], b->next[1]},
                             .history_next = -1,
                             .clock_target = engine_clock_target(p->engine),
                             .owner_url = slice_of(w->options->kafka ? w->options->kafka_options.url : NULL)};
    int64_t began = worker_monotonic();
    enum bus_status st = w->bus->ops->commit(w->bus, p->id, b->txn, &m, &b->why);

    if (st == BUS_OK) {
        committed(b, began);
        return;
    }
    forget(p);
    bus_refused(b, st, b->why.text);
}

static void run(struct batch *b)
{
    struct partition *p = b->p;
    enum turn_status st = apply_records(b);

    if (st == TURN_DONE && take_more(b))
        st = apply_records(b);
    if (st == TURN_DONE)
        st = drain(b);
    bool nothing = b->n == 0 && b->fired == 0 && !p->announce;
    if (st == TURN_DONE && p->bus_status == BUS_OK && !nothing)
        st = finish(b);
    if (p->bus_status != BUS_OK) {
        undo(b);
        bus_refused(b, p->bus_status, p->bus_err.text);
    } else if (st == TURN_STORE_FULL) {
        undo(b);
        p->more = true;
        back_off(p, true, b->why.text);
    } else if (st == TURN_FAILED) {
        turn_failed(b);
    } else if (nothing) {
        p->more = false; /* nor will there be any before it is told, if it waits */
        recovered(p);
        p->worker->bus->ops->undo(p->worker->bus, p->id, b->txn);
    } else {
        commit(b);
    }
}

void partition_run(struct partition *p)
{
    struct bus *bus = p->worker->bus;
    struct batch b = {.p = p};

    if (!partition_runnable(p))
        return;
    p->records = mem_grow(p->records, p->take * sizeof *p->records);
    b.n = bus->ops->take(bus, p->id, p->records, p->take);
    if (b.n == 0 && !p->draining && !p->announce) {
        p->more = false;
        recovered(p); /* nothing is left to be tried again */
        return;
    }
    engine_positions(p->engine, b.next);
    p->bus_status = BUS_OK;
    p->bytes = 0;
    b.txn = store_begin(p->store, true, &b.why);
    enum bus_status st = b.txn != NULL ? bus->ops->begin(bus, p->id, b.txn, &b.why) : BUS_UNDONE;
    if (st != BUS_OK) {
        bus->ops->undo(bus, p->id, b.txn); /* what was taken comes again */
        bus_refused(&b, st, b.why.text);
        return;
    }
    run(&b);
}

int partition_rest_timeout(const struct partition *p)
{
    int64_t wait = p->large_at + REST_MS - worker_monotonic();

    return p->large_at == 0 ? -1 : wait > 0 ? (int)wait : 0;
}

void partition_rest(struct partition *p)
{
    struct err why;
    bool more;

    if (p->stopped || partition_rest_timeout(p) != 0)
        return;
    p->take = p->slice = BATCH_LEAST;
    free(p->records);
    p->records = NULL;
    if (!store_trim(p->store, &more, &why))
        stop(p, why.text);
    else if (!more)
        p->large_at = 0;
}
