/* What other threads may ask of a worker. */
#include "engine/worker_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/intake.h"

/* ---- programs: held while they are looked at, whatever is published meanwhile */

static struct definition *definition_in_force(struct worker *w, struct slice workflow)
{
    struct definition *found = NULL;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; found == NULL && i < w->npartitions; i++)
        for (size_t d = 0; found == NULL && d < w->partitions[i]->ndefinitions; d++)
            if (slice_eq(definition_program(w->partitions[i]->definitions[d])->id, workflow))
                found = definition_hold(w->partitions[i]->definitions[d]);
    pthread_mutex_unlock(&w->lock);
    return found;
}

bool worker_check(struct worker *w, const struct cloud_event *e, struct arena *a, enum topic *topic,
                  struct reasons *why)
{
    struct definition *d = definition_in_force(w, e->workflow);
    instant_t now = worker_now();

    if (w->options.events_time && e->time != INSTANT_NONE && e->time < now)
        now = e->time;
    bool ok = intake_check(d != NULL ? definition_program(d) : NULL, e, now, a, topic, why);
    definition_release(d);
    return ok;
}

bool worker_in_force(struct worker *w, struct slice workflow, struct arena *a, struct slice *hash)
{
    struct definition *d = definition_in_force(w, workflow);

    if (d == NULL)
        return false;
    *hash = arena_dup(a, definition_program(d)->hash);
    definition_release(d);
    return true;
}

/* ---- appends */

void worker_append(struct worker *w, enum topic topic, const struct cloud_event *e,
                   void (*done)(void *ctx, const struct append_result *r), void *ctx)
{
    struct arena *a = arena_new();
    struct record r = intake_record(e, topic, a);

    r.partition = worker_partition_of(w, e->workflow);
    if (atomic_load(&w->full)) {
        const struct append_result refused = {.retry = true,
                                              .topic = topic,
                                              .partition = r.partition,
                                              .offset = -1,
                                              .received = INSTANT_NONE,
                                              .why =
                                                  "the disk is full: intake is stopped until there is room"};
        done(ctx, &refused);
    } else {
        w->bus->ops->append(w->bus, &r, done, ctx);
    }
    arena_free(a);
    pthread_mutex_lock(&w->lock);
    w->nudged = true;
    pthread_cond_signal(&w->nudge);
    pthread_mutex_unlock(&w->lock);
}

int worker_partition_of(struct worker *w, struct slice workflow)
{
    int n = w->bus->ops->partitions != NULL ? w->bus->ops->partitions(w->bus) : 1;

    return n > 1 ? bus_partition_of(workflow, n) : 0;
}

/* ---- snapshots */

size_t worker_partitions(struct worker *w, int *partition, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->npartitions; i++)
        if ((w->partitions[i]->readable || w->partitions[i]->kept) && n++ < max)
            partition[n - 1] = w->partitions[i]->id;
    pthread_mutex_unlock(&w->lock);
    return n;
}

bool worker_holds(struct worker *w, struct slice workflow)
{
    int id = worker_partition_of(w, workflow);
    bool held = false;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->npartitions; i++)
        held = held || (w->partitions[i]->id == id && w->partitions[i]->readable);
    pthread_mutex_unlock(&w->lock);
    return held;
}

struct store_txn *worker_read(struct worker *w, int partition, struct err *e)
{
    struct store *store = NULL;

    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->npartitions; i++)
        if (w->partitions[i]->id == partition && (w->partitions[i]->readable || w->partitions[i]->kept))
            store = w->partitions[i]->store;
    pthread_mutex_unlock(&w->lock);
    if (store != NULL)
        return store_begin(store, false, e);
    err_set(e, "partition %d is not held by this node, or is not restored yet", partition);
    return NULL;
}

/* ---- status */

/* One more sentence; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void say(struct worker_status *s, const char *fmt, ...)
{
    size_t n = strlen(s->trouble);
    va_list ap;

    if (n > 0 && n + 2 < sizeof s->trouble)
        n += (size_t)snprintf(s->trouble + n, sizeof s->trouble - n, "; ");
    va_start(ap, fmt);
    vsnprintf(s->trouble + n, sizeof s->trouble - n, fmt, ap);
    va_end(ap);
}

void worker_status(struct worker *w, struct worker_status *out)
{
    struct err why = {{0}};
    bool bus = w->bus->ops->trouble != NULL && w->bus->ops->trouble(w->bus, &why);

    pthread_mutex_lock(&w->lock);
    *out = w->status;
    for (size_t i = 0; i < w->npartitions; i++)
        if (w->partitions[i]->trouble.text[0] != 0)
            say(out, "partition %d: %s", w->partitions[i]->id, w->partitions[i]->trouble.text);
    pthread_mutex_unlock(&w->lock);
    if (bus)
        say(out, "%s", why.text);
}

bool worker_is_local(const struct worker *w)
{
    return !w->options.kafka;
}

bool worker_accept_clock(struct worker *w)
{
    if (w->options.kafka)
        return false;
    bus_local_accept_clock(w->bus);
    return true;
}
