/* The embedded log: topics in the partition's own store, so that a batch and its outputs are one transaction.
 * Everything but append, wake, trouble and accept_clock runs on the worker's thread. */
#include "bus/bus_local.h"

#include <assert.h>
#include <stdlib.h>

/* ---- acquiring the one partition */

/* What has gone on elsewhere must not go on here, too: everything would be said twice. */
static bool was_moved(struct store_txn *t, struct err *e)
{
    struct slice where;
    if (store_get(t, TABLE_META, S(BUS_META_MOVED), &where) != STORE_OK)
        return false;
    err_set(e, "this embedded log was moved to Kafka, topics %.*s: set bus: kafka, and another data folder", SLICE_ARG(where));
    return true;
}

/* Its state follows from records that the log here does not have. */
static bool is_of_kafka(struct store_txn *t, struct err *e)
{
    struct slice origin;
    if (store_get(t, TABLE_META, S(BUS_META_ORIGIN), &origin) != STORE_OK)
        return false;
    err_set(e, "the data folder holds a partition's state of Kafka's topics, no embedded log: set bus: kafka, or another data folder");
    return true;
}

static bool acquire(struct bus_local *b, struct err *e)
{
    struct bus_position at = {0};
    struct store *store = b->hooks.acquire(b->hooks.ctx, 0);
    if (!store)
        return err_set(e, "the store of the embedded log could not be opened");
    b->store = store;
    struct store_txn *t = store_begin(store, false, e);
    if (!t)
        return false;
    instant_t last, last_deadline, wall, boot;
    bool ok = !was_moved(t, e) && !is_of_kafka(t, e) && local_log_open(t, &b->log, &last, &last_deadline, e);
    if (ok) {
        receipt_source->read(&wall, &boot);
        if (local_anchor_load(b, t))
            receipt_resume(&b->clock, b->anchor, wall, boot, last, last_deadline);
        else
            receipt_start(&b->clock, wall, boot, last, last_deadline);
    }
    store_abort(t);
    if (!ok)
        return false;
    b->hooks.where(b->hooks.ctx, 0, &at);
    for (int i = 0; i < MERGE_LANES; i++) {
        if (at.input_next[i] > b->log.end[i])
            return err_set(e, "the state has taken %s up to offset %lld, but the log ends at %lld",
                           topic_names[i], (long long)at.input_next[i], (long long)b->log.end[i]);
        b->next[i] = b->cursor[i] = at.input_next[i] < 0 ? 0 : at.input_next[i];
    }
    if (b->hooks.ready(b->hooks.ctx, 0) != BUS_SETTLED)
        return err_set(e, "the partition of the embedded log could not be started");
    return true;
}

static void local_append(struct bus *b, const struct record *r, append_done *done, void *ctx)
{
    append_queue_add(&local_of(b)->queue, r, done, ctx);
}

static void local_wake(struct bus *b)
{
    append_queue_wake(&local_of(b)->queue);
}

/* A commit failed. As a rule nothing of it is there, and what is known here holds; where it cannot be told, the store tells. */
static bool look_again(struct bus_local *b, struct err *e)
{
    struct local_log log;
    struct bus_position at = {0};
    instant_t last, last_deadline;
    struct store_txn *t = store_begin(b->store, false, e);
    bool ok = t && local_log_open(t, &log, &last, &last_deadline, e);
    store_abort(t);
    if (!ok)
        return false;
    b->hooks.where(b->hooks.ctx, 0, &at);
    bool same = memcmp(log.end, b->log.end, sizeof log.end) == 0;
    for (int i = 0; i < MERGE_LANES; i++)
        same &= b->next[i] == (at.input_next[i] < 0 ? 0 : at.input_next[i]);
    b->doubt = false;
    return same || err_set(&b->broken, "the store has taken a transaction of which it said that it failed: start duband again");
}

static bool local_poll(struct bus *base, int timeout_ms, struct err *e)
{
    struct bus_local *b = local_of(base);
    assert(!b->txn);
    if (b->broken.text[0] || (!b->store && !acquire(b, &b->broken)) || (b->doubt && !look_again(b, e))) {
        if (b->broken.text[0])
            err_set(e, "%s", b->broken.text);
        local_refuse_appends(b, e->text);
        return false;
    }
    for (int i = 0; i < MERGE_LANES; i++)
        if (b->cursor[i] < b->log.end[i])
            timeout_ms = 0;
    append_queue_wait(&b->queue, timeout_ms);
    local_clock_look(b);
    local_serve_appends(b);
    return true;
}

/* ---- taking: the worker alone appends and takes, so both logs are known to their ends, and what comes later
 * merges later (receipt.h) */

static size_t take_merged(struct bus_local *b, struct store_txn *t, struct record *out, size_t max)
{
    struct local_log_reader lane[MERGE_LANES];
    struct record head[MERGE_LANES];
    bool has[MERGE_LANES] = {false};
    size_t n = 0;
    for (int i = 0; i < MERGE_LANES; i++)
        local_log_reader_start(&lane[i], t, (enum topic)i, b->cursor[i]);
    while (n < max && !b->broken.text[0]) {
        for (int i = 0; i < MERGE_LANES; i++)
            if (!has[i] && lane[i].has)
                has[i] = local_log_reader_get(&lane[i], b->taken, &head[i], &b->broken);
        if (b->broken.text[0] || (!has[0] && !has[1]))
            break;
        int first = has[0] && (!has[1] || merge_submission_first(head[0].appended, head[1].appended)) ? 0 : 1;
        out[n++] = head[first];
        has[first] = false;
        b->cursor[first] = head[first].offset + 1;
        local_log_reader_next(&lane[first]);
    }
    for (int i = 0; i < MERGE_LANES; i++)
        local_log_reader_stop(&lane[i]);
    if (*store_txn_error(t))
        err_set(&b->broken, "%s", store_txn_error(t));
    return n;
}

static size_t local_take(struct bus *base, int partition, struct record *out, size_t max)
{
    struct bus_local *b = local_of(base);
    arena_reset(b->taken);
    bool none = b->cursor[0] >= b->log.end[0] && b->cursor[1] >= b->log.end[1];
    if (partition != 0 || !b->store || b->broken.text[0] || none)
        return 0;
    struct err why;
    struct store_txn *t = store_begin(b->store, false, &why);
    if (!t) {
        local_disk_note(b, STORE_FAILED, &why);
        return 0;
    }
    size_t n = take_merged(b, t, out, max);
    store_abort(t);
    return n;
}

/* ---- a batch */

static enum bus_status local_begin(struct bus *base, int partition, struct store_txn *t, struct err *e)
{
    struct bus_local *b = local_of(base);
    assert(!b->txn && t);
    if (partition != 0 || !b->store) {
        err_set(e, "the embedded log does not hold partition %d", partition);
        return BUS_LOST;
    }
    local_clock_look(b);
    b->txn = t;
    b->batch_log = b->log;
    b->batch_time = b->clock.now > b->clock.last ? b->clock.now : b->clock.last;
    return BUS_OK;
}

static enum bus_status status_of(enum store_status st)
{
    return st == STORE_OK ? BUS_OK : BUS_UNDONE;
}

static enum bus_status local_emit(struct bus *base, int partition, const struct record *r, struct err *e)
{
    struct bus_local *b = local_of(base);
    assert(partition == 0 && b->txn);
    (void)partition;
    enum store_status st = local_log_append(&b->batch_log, b->txn, r, b->batch_time, b->scratch);
    if (st != STORE_OK)
        err_set(e, "%s", store_txn_error(b->txn));
    return status_of(st);
}

/* Taken and not committed: to be taken again. */
static void batch_end(struct bus_local *b)
{
    b->txn = NULL;
    memcpy(b->cursor, b->next, sizeof b->cursor);
}

static enum bus_status local_commit(struct bus *base, int partition, struct store_txn *t,
                                    const struct marker *m, struct err *e)
{
    struct bus_local *b = local_of(base);
    assert(partition == 0 && b->txn && b->txn == t);
    (void)partition;
    struct err why = {0};
    enum store_status st = store_commit(t, &why);
    local_disk_note(b, st, &why);
    if (st == STORE_OK) {
        b->log = b->batch_log;
        b->clock.last = b->batch_time;
        memcpy(b->next, m->input_next, sizeof b->next);
    } else {
        err_set(e, "%s", why.text);
    }
    batch_end(b);
    return status_of(st);
}

static void local_undo(struct bus *base, int partition, struct store_txn *t)
{
    struct bus_local *b = local_of(base);
    assert(partition == 0);
    (void)partition;
    store_abort(t);
    batch_end(b);
}

/* ---- the whole */

static void local_close(struct bus *base)
{
    struct bus_local *b = local_of(base);
    assert(!b->txn);
    local_refuse_appends(b, "duband is stopping");
    if (b->store)
        b->hooks.release(b->hooks.ctx, 0, false);
    append_queue_destroy(&b->queue);
    pthread_mutex_destroy(&b->trouble_mutex);
    arena_free(b->scratch);
    arena_free(b->taken);
    arena_free(b->whole);
    free(b);
}

static const struct bus_ops local_ops = {
    .name = "local",
    .poll = local_poll,
    .take = local_take,
    .begin = local_begin,
    .emit = local_emit,
    .commit = local_commit,
    .undo = local_undo,
    .append = local_append,
    .wake = local_wake,
    .trouble = local_trouble,
    .close = local_close,
};

struct bus *bus_local_open(const struct bus_hooks *hooks, struct err *e)
{
    (void)e;
    struct bus_local *b = mem_alloc(sizeof *b);
    b->bus.ops = &local_ops;
    b->hooks = *hooks;
    b->anchor = INSTANT_NONE;
    b->whole = arena_new();
    b->taken = arena_new();
    b->scratch = arena_new();
    b->boot_id = receipt_source->boot_id(b->whole);
    append_queue_init(&b->queue);
    pthread_mutex_init(&b->trouble_mutex, NULL);
    return &b->bus;
}
