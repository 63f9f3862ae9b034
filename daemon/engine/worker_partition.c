/* Partitions come and go: what the bus asks of the worker. All of it on the worker's thread, from inside bus
 * poll or close. */
#include "engine/worker_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/keys.h"

void partition_trouble(struct partition *p, const char *fmt, ...)
{
    struct err now = {{0}};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(now.text, sizeof now.text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&p->registry->lock);
    bool changed = strcmp(p->trouble.text, now.text) != 0;
    p->trouble = now;
    pthread_mutex_unlock(&p->registry->lock);
    if (changed && now.text[0] != 0)
        log_error("partition %d: %s", p->id, now.text);
    else if (changed)
        log_info("partition %d: works again", p->id);
}

void partition_silence(struct partition *p)
{
    pthread_mutex_lock(&p->registry->lock);
    p->trouble.text[0] = 0;
    pthread_mutex_unlock(&p->registry->lock);
}

/* Nothing of it is to be seen any more. */
void partition_hide(struct partition *p)
{
    pthread_mutex_lock(&p->registry->lock);
    size_t n = p->ndefinitions;
    struct definition **held = p->definitions;
    p->readable = p->kept = false;
    p->definitions = NULL;
    p->ndefinitions = 0;
    pthread_mutex_unlock(&p->registry->lock);
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
    pthread_mutex_lock(&p->registry->lock);
    before = p->definitions;
    nbefore = p->ndefinitions;
    p->definitions = now;
    p->ndefinitions = n;
    p->readable = true;
    pthread_mutex_unlock(&p->registry->lock);
    for (size_t i = 0; i < nbefore; i++)
        definition_release(before[i]);
    free(before);
}

static void pass_output(void *ctx, const struct record *r)
{
    struct partition *p = ctx;
    struct bus *b = p->worker->bus;

    p->bytes += r->key.n + r->value.n;
    if (p->bus_status == BUS_OK)
        p->bus_status = b->ops->emit(b, p->id, r, &p->bus_err);
}

static void pass_state(void *ctx, enum table_id table, struct slice key, struct slice value)
{
    struct partition *p = ctx;
    struct bus *b = p->worker->bus;

    p->bytes += key.n + value.n;
    if (p->bus_status == BUS_OK)
        p->bus_status = b->ops->state(b, p->id, table, key, value, &p->bus_err);
}

/* ---- acquire and release */

struct partition *partition_new(struct registry *r, int id)
{
    struct partition *p = mem_alloc(sizeof *p);

    p->id = id;
    p->registry = r;
    p->next_due = INSTANT_MAX;
    return p;
}

bool partition_open(struct partition *p, struct err *e)
{
    char path[4096];

    if (p->store != NULL)
        return true;
    snprintf(path, sizeof path, "%s/partition-%d", p->registry->data, p->id);
    struct store *s = store_open(path, 0, e);
    struct store_stats stats;
    struct err why;
    if (s != NULL) {
        store_map_most(s, p->registry->map_most);
        store_stats(s, &stats);
        /* An embedded log, which the bus will refuse, cannot be made again from elsewhere: it stays as it is. */
        if (!store_defer(s, p->registry->deferred && stats.entries[TABLE_LOG] == 0, &why))
            log_warn("partition %d: how it is written stays as it was: %s", p->id, why.text);
    }
    pthread_mutex_lock(&p->registry->lock);
    p->store = s;
    pthread_mutex_unlock(&p->registry->lock);
    return s != NULL;
}

bool partition_engine(struct partition *p, const struct node_options *o, int partitions, struct err *e)
{
    /* The embedded log has no changelog. */
    const struct engine_options options = {.sink = {.ctx = p, .output = pass_output, .state = o->kafka ? pass_state : NULL},
                                           .events_time = o->events_time,
                                           .partitions = partitions};

    if (p->engine == NULL)
        p->engine = engine_open(p->store, &options, e);
    return p->engine != NULL;
}

void partition_free(struct partition *p)
{
    assert(p->owner == NULL);
    if (p->engine != NULL) /* the follower left it for a worker that did not come */
        engine_close(p->engine);
    if (p->store != NULL)
        store_close(p->store);
    free(p->records);
    free(p);
}

static void list_add(struct partition **list, size_t *n, struct partition *p)
{
    for (size_t i = 0; i < *n; i++)
        if (list[i] == p)
            return;
    list[(*n)++] = p;
}

/* False: it was not in it. */
static bool list_remove(struct partition **list, size_t *n, const struct partition *p)
{
    for (size_t i = 0; i < *n; i++)
        if (list[i] == p) {
            list[i] = list[--*n];
            return true;
        }
    return false;
}

static bool claim(void *ctx, int id)
{
    struct worker *w = ctx;
    struct err why = {{0}};
    struct partition *p = registry_place(w->owner.registry, id, &why);

    if (p == NULL) {
        log_error("%s", why.text);
        return true; /* acquire will refuse it */
    }
    list_add(w->claims, &w->nclaims, p);
    return registry_claim(&w->owner, p);
}

static struct store *acquire(void *ctx, int id)
{
    struct worker *w = ctx;
    struct err why = {{0}};

    if (!claim(ctx, id))
        return NULL;
    struct partition *p = partition_find(ctx, id);
    if (p == NULL)
        return NULL;
    p->worker = w;
    list_add(w->partitions, &w->npartitions, p);
    if (!partition_open(p, &why) ||
        !partition_engine(p, w->options,
                          w->bus->ops->partitions != NULL ? w->bus->ops->partitions(w->bus) : 1, &why)) {
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
    return p->store;
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

/* No longer the worker's; what was counted in it stays counted. */
static void forget(struct worker *w, struct partition *p)
{
    struct engine_counters c;

    partition_hide(p);
    partition_silence(p);
    partition_drop_load(p);
    p->waits = false;
    if (p->engine != NULL) {
        engine_counters(p->engine, &c);
        counters_add(&w->closed, &c);
        engine_close(p->engine);
        p->engine = NULL;
    }
    p->serving = false;
    p->next_due = INSTANT_MAX;
    atomic_store(&w->full, false); /* another that has no room says so again */
}

static void release(void *ctx, int id, bool lost)
{
    struct worker *w = ctx;
    struct partition *p = partition_find(ctx, id);

    if (p == NULL || !list_remove(w->claims, &w->nclaims, p))
        return;
    if (list_remove(w->partitions, &w->npartitions, p)) {
        forget(w, p);
        p->worker = NULL;
        log_info("partition %d: %s", id, lost ? "lost" : "released");
    }
    registry_release(&w->owner, p);
}

const struct bus_hooks partition_hooks = {.claim = claim,
                                          .acquire = acquire,
                                          .where = partition_where,
                                          .restore = partition_restore,
                                          .load = partition_load,
                                          .settle = partition_settle,
                                          .ready = partition_ready,
                                          .history = partition_history,
                                          .wipe = partition_wipe,
                                          .release = release};
