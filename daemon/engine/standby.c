#include "engine/standby.h"

#include <stdlib.h>

#include "engine/keys.h"
#include "engine/worker_private.h"

#define ROUND_MS 500 /* without anything to do: how often ends are looked at */

struct standby {
    struct owner owner; /* first, as a worker's */
    const struct node_options *options;
    struct bus *bus;
    pthread_t thread;
    atomic_bool stop;
};

static void stir(struct owner *o)
{
    struct standby *s = (struct standby *)(void *)o;

    s->bus->ops->wake(s->bus);
}

static void tell(struct standby *s)
{
    if (s->options->committed != NULL)
        s->options->committed(s->options->ctx);
}

/* ---- hooks of the bus */

static bool claim(void *ctx, int id)
{
    struct standby *s = ctx;
    struct err why;
    struct partition *p = registry_place(s->owner.registry, id, &why);

    return p != NULL && !atomic_load(&s->stop) && registry_adopt(&s->owner, p);
}

static struct store *acquire(void *ctx, int id)
{
    struct standby *s = ctx;
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};

    if (partition_open(p, &why) &&
        partition_engine(p, s->options, s->bus->ops->partitions(s->bus), &why))
        return p->store;
    partition_trouble(p, "cannot be followed: %s", why.text);
    return NULL;
}

static bool restore(void *ctx, int id, const struct record *r, size_t n, const struct marker *m, int64_t next)
{
    if (!partition_restore(ctx, id, r, n, m, next))
        return false;
    tell(ctx);
    return true;
}

static bool is_wanted(void *ctx, int id)
{
    struct standby *s = ctx;

    return atomic_load(&s->stop) || registry_is_wanted(&s->owner, partition_find(ctx, id));
}

/* Definitions that came anew: their workflows' timers are derived now, so that a take-over need not. */
static bool settle_definitions(struct partition *p, struct err *e)
{
    struct store_txn *t = store_begin(p->store, false, e);
    struct slice key, value;

    if (t == NULL)
        return false;
    struct store_iter *i = store_iter_new(t, TABLE_META);
    bool any = store_iter_seek(i, S(META_REINDEX), &key, &value) && key_has_prefix(key, S(META_REINDEX));
    store_iter_free(i);
    store_abort(t);
    if (!any)
        return true;
    t = store_begin(p->store, true, e);
    if (t != NULL && engine_restored(p->engine, t, e) == TURN_DONE)
        return store_commit(t, e) == STORE_OK;
    store_abort(t);
    return false;
}

static void followed(void *ctx, int id, int64_t at)
{
    struct partition *p = partition_find(ctx, id);
    struct err why = {{0}};

    if (!settle_definitions(p, &why)) {
        if (p->readable)
            partition_hide(p);
        partition_trouble(p, "cannot be followed: %s", why.text);
        engine_forget(p->engine, &why);
        return;
    }
    pthread_mutex_lock(&p->registry->lock);
    bool first = !p->readable;
    p->followed_at = at;
    p->kept = false;
    pthread_mutex_unlock(&p->registry->lock);
    partition_show(p);
    partition_trouble(p, "%s", "");
    if (first)
        log_info("partition %d: followed, at batch %llu", id, (unsigned long long)p->batch);
    if (first)
        tell(ctx);
}

/* The engine stays for who takes over: it knows what the store holds. Not in the middle of a load. */
static void release(void *ctx, int id, bool lost)
{
    struct standby *s = ctx;
    struct partition *p = partition_find(ctx, id);

    (void)lost;
    partition_hide(p);
    partition_silence(p);
    if (p->engine != NULL && (p->loading != NULL || atomic_load(&s->stop))) {
        partition_drop_load(p);
        engine_close(p->engine);
        p->engine = NULL;
    }
    registry_release(&s->owner, p);
}

static const struct bus_hooks hooks = {.claim = claim,
                                       .acquire = acquire,
                                       .where = partition_where,
                                       .restore = restore,
                                       .load = partition_load,
                                       .settle = partition_settle,
                                       .wipe = partition_wipe,
                                       .wanted = is_wanted,
                                       .followed = followed,
                                       .release = release};

/* ---- the thread */

static void show_progress(struct standby *s)
{
    struct registry *r = s->owner.registry;

    for (int id = 0; id < s->bus->ops->partitions(s->bus) && id < PARTITIONS_MAX; id++) {
        struct partition *p = registry_find(r, id);
        struct bus_progress now;

        if (p == NULL)
            continue;
        s->bus->ops->progress(s->bus, id, &now);
        pthread_mutex_lock(&r->lock);
        if (p->owner == &s->owner) {
            p->progress = now;
            p->shown_batch = p->batch;
        }
        pthread_mutex_unlock(&r->lock);
    }
}

static bool is_mine(struct standby *s, const struct partition *p)
{
    pthread_mutex_lock(&p->registry->lock);
    bool mine = p->owner == &s->owner;
    pthread_mutex_unlock(&p->registry->lock);
    return mine;
}

/* What large batches have left in the stores goes once none has come for some seconds, as it does at a worker's. True: there is more of it. */
static bool tidy(struct standby *s)
{
    bool any = false;

    for (int id = 0; id < s->bus->ops->partitions(s->bus) && id < PARTITIONS_MAX; id++) {
        struct partition *p = registry_find(s->owner.registry, id);
        struct err why = {{0}};
        bool more;

        if (p == NULL || !is_mine(s, p) || partition_rest_timeout(p) != 0)
            continue;
        if (!store_trim(p->store, &more, &why))
            partition_trouble(p, "cannot be followed: %s", why.text);
        if (!more)
            p->large_at = 0;
        any |= more;
    }
    return any;
}

static void *follow(void *arg)
{
    struct standby *s = arg;
    struct err why;
    bool more = false;

    while (!atomic_load(&s->stop)) {
        if (!s->bus->ops->poll(s->bus, more ? 0 : ROUND_MS, &why)) {
            log_error("%s", why.text);
            break;
        }
        show_progress(s);
        more = tidy(s);
    }
    return NULL;
}

struct standby *standby_start(struct registry *r, const struct node_options *o, struct err *e)
{
    struct standby *s = mem_alloc(sizeof *s);
    struct bus_hooks h = hooks;

    s->owner = (struct owner){.registry = r, .stir = stir, .slot = -1};
    s->options = o;
    h.ctx = s;
    s->bus = bus_kafka_follow_open(&o->kafka_options, &h, e);
    if (s->bus == NULL) {
        free(s);
        return NULL;
    }
    registry_join(r, &s->owner);
    int failed = pthread_create(&s->thread, NULL, follow, s);
    if (failed == 0)
        return s;
    err_set(e, "the follower's thread cannot be started: %s", strerror(failed));
    registry_leave(r, &s->owner);
    s->bus->ops->close(s->bus);
    free(s);
    return NULL;
}

void standby_stop(struct standby *s)
{
    if (s == NULL)
        return;
    atomic_store(&s->stop, true);
    s->bus->ops->wake(s->bus);
    registry_leave(s->owner.registry, &s->owner);
    pthread_join(s->thread, NULL);
    s->bus->ops->close(s->bus);
    free(s);
}

bool standby_trouble(struct standby *s, struct err *why)
{
    return s->bus->ops->trouble(s->bus, why);
}
