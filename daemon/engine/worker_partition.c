/* Partitions come and go: what the bus asks of the worker. All of it on the worker's thread, from inside bus
 * poll or close. */
#include "engine/worker_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/keys.h"

static struct partition *partition_find(struct worker *w, int id)
{
    for (size_t i = 0; i < w->npartitions; i++)
        if (w->partitions[i]->id == id)
            return w->partitions[i];
    return NULL;
}

void partition_trouble(struct partition *p, const char *fmt, ...)
{
    struct err now = {{0}};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(now.text, sizeof now.text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&p->worker->lock);
    bool changed = strcmp(p->trouble.text, now.text) != 0;
    p->trouble = now;
    pthread_mutex_unlock(&p->worker->lock);
    if (changed && now.text[0] != 0)
        log_error("partition %d: %s", p->id, now.text);
    else if (changed)
        log_info("partition %d: works again", p->id);
}

/* Nothing of it is to be seen any more. */
static void hide(struct partition *p)
{
    pthread_mutex_lock(&p->worker->lock);
    size_t n = p->ndefinitions;
    struct definition **held = p->definitions;
    p->readable = false;
    p->trouble.text[0] = 0;
    p->definitions = NULL;
    p->ndefinitions = 0;
    pthread_mutex_unlock(&p->worker->lock);
    for (size_t i = 0; i < n; i++)
        definition_release(held[i]);
    free(held);
}

/* Only the worker's thread changes what is shown, so it may look without the lock. */
static bool shows_all(const struct partition *p)
{
    const struct program *now[DEFINITIONS_MAX];
    size_t n = engine_programs(p->engine, now, DEFINITIONS_MAX);
    bool same = p->readable && p->ndefinitions == (n < DEFINITIONS_MAX ? n : DEFINITIONS_MAX);

    for (size_t i = 0; same && i < p->ndefinitions; i++)
        same = definition_program(p->definitions[i]) == now[i];
    return same;
}

void partition_show(struct partition *p)
{
    if (shows_all(p))
        return;
    struct definition **now = mem_alloc(DEFINITIONS_MAX * sizeof *now), **before;
    size_t n = engine_definitions(p->engine, now, DEFINITIONS_MAX), nbefore;

    n = n < DEFINITIONS_MAX ? n : DEFINITIONS_MAX;
    now = mem_grow(now, (n + 1) * sizeof *now);
    pthread_mutex_lock(&p->worker->lock);
    before = p->definitions;
    nbefore = p->ndefinitions;
    p->definitions = now;
    p->ndefinitions = n;
    p->readable = true;
    pthread_mutex_unlock(&p->worker->lock);
    for (size_t i = 0; i < nbefore; i++)
        definition_release(before[i]);
    free(before);
}

static void pass_output(void *ctx, const struct record *r)
{
    struct partition *p = ctx;
    struct bus *b = p->worker->bus;

    if (p->bus_status == BUS_OK)
        p->bus_status = b->ops->emit(b, p->id, r, &p->bus_err);
}

static void pass_state(void *ctx, enum table_id table, struct slice key, struct slice value)
{
    struct partition *p = ctx;
    struct bus *b = p->worker->bus;

    if (p->bus_status == BUS_OK)
        p->bus_status = b->ops->state(b, p->id, table, key, value, &p->bus_err);
}

/* ---- acquire and release */

static struct partition *partition_new(struct worker *w, int id)
{
    struct partition *p = mem_alloc(sizeof *p);

    p->id = id;
    p->worker = w;
    p->next_due = INSTANT_MAX;
    pthread_mutex_lock(&w->lock);
    w->partitions[w->npartitions++] = p;
    pthread_mutex_unlock(&w->lock);
    return p;
}

struct store *partition_open(struct worker *w, int id, struct err *e)
{
    struct partition *p = partition_find(w, id);
    char path[4096];

    if (p == NULL && w->npartitions == PARTITIONS_MAX) {
        err_set(e, "more than %d partitions", PARTITIONS_MAX);
        return NULL;
    }
    if (p == NULL)
        p = partition_new(w, id);
    if (p->store == NULL && snprintf(path, sizeof path, "%s/partition-%d", w->data, id) < (int)sizeof path)
        p->store = store_open(path, 0, e);
    return p->store;
}

bool partitions_keep(struct worker *w, struct err *e)
{
    DIR *folder = opendir(w->data);
    bool ok = folder != NULL || err_set(e, "%s: cannot be read: %s", w->data, strerror(errno));

    for (struct dirent *f; ok && (f = readdir(folder)) != NULL;) {
        static const char stem[] = "partition-";
        uint64_t id;

        if (strncmp(f->d_name, stem, sizeof stem - 1) != 0 ||
            !parse_u64(slice_of(f->d_name + sizeof stem - 1), &id) || id > INT_MAX)
            continue;
        ok = partition_open(w, (int)id, e) != NULL;
        if (ok)
            partition_find(w, (int)id)->kept = true;
    }
    if (folder != NULL)
        closedir(folder);
    return ok;
}

/* The group has said whose each partition is: what was kept of others may be old by now. */
static void let_go_of_kept(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->npartitions; i++)
        w->partitions[i]->kept = false;
    pthread_mutex_unlock(&w->lock);
}

void partition_free(struct partition *p)
{
    assert(p->engine == NULL);
    if (p->store != NULL)
        store_close(p->store);
    free(p->records);
    free(p);
}

static struct store *acquire(void *ctx, int id)
{
    struct worker *w = ctx;
    struct err why = {{0}};
    struct store *store = partition_open(w, id, &why);
    struct partition *p = partition_find(w, id);

    let_go_of_kept(w);
    if (store == NULL) {
        log_error("partition %d: cannot be served: %s", id, why.text);
        if (p != NULL)
            partition_trouble(p, "cannot be served: %s", why.text);
        return NULL;
    }
    const struct engine_options options = {
        .sink = {.ctx = p, .output = pass_output, .state = pass_state},
        .events_time = w->options.events_time,
        .partitions = w->bus->ops->partitions != NULL ? w->bus->ops->partitions(w->bus) : 1};
    p->engine = engine_open(store, &options, &why);
    if (p->engine == NULL) {
        partition_trouble(p, "cannot be served: %s", why.text);
        return NULL;
    }
    p->serving = p->stopped = p->more = false;
    p->draining = true;
    p->take = p->slice = BATCH_LEAST;
    p->failures = 0;
    p->retry_at = p->clock_at = 0;
    p->next_due = INSTANT_MAX;
    atomic_store(&p->clock, CLOCK_IDLE);
    return store;
}

void counters_add(struct engine_counters *to, const struct engine_counters *c)
{
    to->applied += c->applied;
    to->no_effect += c->no_effect;
    to->duplicates += c->duplicates;
    to->rejected += c->rejected;
    to->timers += c->timers;
    to->outputs += c->outputs;
    to->halted += c->halted;
}

static void release(void *ctx, int id, bool lost)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(w, id);
    struct engine_counters c;

    if (p == NULL || p->engine == NULL)
        return;
    hide(p);
    engine_counters(p->engine, &c);
    counters_add(&w->closed, &c);
    engine_close(p->engine);
    p->engine = NULL;
    p->serving = false;
    p->next_due = INSTANT_MAX;
    atomic_store(&w->full, false); /* another that has no room says so again */
    log_info("partition %d: %s", id, lost ? "lost" : "released");
}

/* ---- where it stands */

static bool read_position(struct partition *p, struct store_txn *t, struct bus_position *out, struct err *e)
{
    struct slice value;

    p->batch = store_get(t, TABLE_META, META_BATCH, &value) == STORE_OK && value.n == 8
                   ? get_be64((const unsigned char *)value.p)
                   : 0;
    out->batch = p->batch;
    if (store_get(t, TABLE_META, META_POSITIONS, &value) == STORE_OK)
        engine_positions(p->engine, out->input_next);
    return bus_kafka_positions(t, &out->changelog_next, &out->history_next, e);
}

static void where(void *ctx, int id, struct bus_position *out)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(w, id);
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, false, &why);

    *out = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    if (t == NULL || !read_position(p, t, out, &why))
        partition_trouble(p, "its positions cannot be read: %s", why.text);
    store_abort(t);
}

/* ---- restore */

static enum turn_status put_batch(struct partition *p, struct store_txn *t, const struct marker *m,
                                  struct err *e)
{
    unsigned char byte[8];

    put_be64(byte, m->batch);
    if (store_put(t, TABLE_META, META_BATCH, (struct slice){(const char *)byte, sizeof byte}) != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        return TURN_FAILED;
    }
    p->batch = m->batch;
    return engine_restore_marker(p->engine, t, m, e);
}

static enum turn_status restore_records(struct partition *p, struct store_txn *t, const struct record *r,
                                        size_t n, const struct marker *m, struct err *e)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < n; i++) {
        enum table_id table;
        struct slice key;

        if (r[i].topic == TOPIC_HISTORY)
            st = engine_restore_history(p->engine, t, r[i].value, e);
        else if (bus_kafka_state(&r[i], &table, &key))
            st = engine_restore_state(p->engine, t, table, key, r[i].value, e);
    }
    return st == TURN_DONE && m != NULL ? put_batch(p, t, m, e) : st;
}

static bool restore(void *ctx, int id, const struct record *r, size_t n, const struct marker *m, int64_t next)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(w, id);
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, true, &why);
    bool ok = t != NULL && restore_records(p, t, r, n, m, &why) == TURN_DONE;

    if (ok && bus_kafka_restored(t, r, n, m, next) != STORE_OK)
        ok = err_set(&why, "%s", store_txn_error(t));
    if (ok)
        ok = store_commit(t, &why) == STORE_OK;
    else
        store_abort(t);
    if (!ok) {
        partition_trouble(p, "its state cannot be restored: %s", why.text);
        engine_forget(p->engine, &why);
    }
    return ok;
}

static bool ready(void *ctx, int id)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(w, id);
    struct err why = {{0}};
    struct store_txn *t = store_begin(p->store, true, &why);
    bool ok = t != NULL && engine_restored(p->engine, t, &why) == TURN_DONE;

    if (ok) {
        p->next_due = engine_next_due(p->engine, t);
        ok = store_commit(t, &why) == STORE_OK;
    } else {
        store_abort(t);
    }
    if (!ok) {
        partition_trouble(p, "cannot be served: %s", why.text);
        engine_forget(p->engine, &why);
        return false;
    }
    p->serving = true;
    partition_show(p);
    w->bus->ops->wake(w->bus); /* out of the poll that called this: there may be something due, and people ask
                                  whether it serves */
    log_info("partition %d: serves %zu workflows from batch %llu on", id, p->ndefinitions,
             (unsigned long long)p->batch);
    return true;
}

const struct bus_hooks partition_hooks = {
    .acquire = acquire, .where = where, .restore = restore, .ready = ready, .release = release};
