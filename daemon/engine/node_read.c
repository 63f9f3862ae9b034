/* What other threads may ask of a node. */
#include "engine/node_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/intake.h"

/* ---- where a partition is */

static bool group_has_spoken(struct node *n)
{
    for (size_t i = 0; i < n->nworkers; i++) {
        struct worker_status w;

        worker_status(n->worker[i], &w);
        if (w.standing == BUS_OUTSIDE)
            return false;
    }
    return true;
}

/* Called with the registry's lock. */
static enum node_place place_of(const struct partition *p, bool spoken)
{
    if (p != NULL && p->readable)
        return p->owner != NULL && p->owner->slot < 0 ? NODE_FOLLOWED : NODE_HERE;
    if (p != NULL && p->kept)
        return NODE_KEPT;
    return !spoken || (p != NULL && p->wanted != NULL) ? NODE_COMING : NODE_ELSEWHERE;
}

enum node_place node_place(struct node *n, int partition)
{
    const struct partition *p = registry_find(n->registry, partition);
    bool spoken = group_has_spoken(n);

    pthread_mutex_lock(&n->registry->lock);
    enum node_place place = place_of(p, spoken);
    pthread_mutex_unlock(&n->registry->lock);
    return place;
}

/* ---- programs: held while they are looked at, whatever is published meanwhile */

static struct definition *in_partition(const struct partition *p, struct slice workflow)
{
    for (size_t i = 0; i < p->ndefinitions; i++)
        if (slice_eq(definition_program(p->definitions[i])->id, workflow))
            return definition_hold(p->definitions[i]);
    return NULL;
}

/* In one look with where its partition is: partitions come and go meanwhile. */
static struct definition *definition_in_force(struct node *n, struct slice workflow, enum node_place *place)
{
    struct partition *p = registry_find(n->registry, node_partition_of(n, workflow));
    bool spoken = group_has_spoken(n);

    pthread_mutex_lock(&n->registry->lock);
    struct definition *found = p != NULL ? in_partition(p, workflow) : NULL;
    *place = place_of(p, spoken);
    pthread_mutex_unlock(&n->registry->lock);
    return found;
}

enum node_verdict node_check(struct node *n, const struct cloud_event *e, struct arena *a, enum topic *topic,
                             struct reasons *why, enum node_place *place)
{
    struct definition *d = definition_in_force(n, e->workflow, place);
    const struct program *p = d != NULL ? definition_program(d) : NULL;
    instant_t now = worker_now();
    size_t before = why->n;
    bool ok;

    if (n->options.events_time && e->time != INSTANT_NONE && e->time < now)
        now = e->time;
    if (*place == NODE_ELSEWHERE || *place == NODE_FOLLOWED)
        ok = intake_place(p, e, a, topic, why);
    else
        ok = intake_check(p, e, now, a, topic, why);
    definition_release(d);
    return ok ? NODE_FINE : why->n > before ? NODE_WRONG : NODE_UNPLACED;
}

bool node_in_force(struct node *n, struct slice workflow, struct arena *a, struct slice *hash)
{
    enum node_place place;
    struct definition *d = definition_in_force(n, workflow, &place);

    if (d == NULL)
        return false;
    *hash = arena_dup(a, definition_program(d)->hash);
    definition_release(d);
    return true;
}

int64_t node_age(struct node *n, int partition)
{
    const struct partition *p = registry_find(n->registry, partition);
    int64_t age = 0;

    pthread_mutex_lock(&n->registry->lock);
    if (p != NULL && p->readable && p->owner != NULL && p->owner->slot < 0)
        age = worker_monotonic() - p->followed_at;
    pthread_mutex_unlock(&n->registry->lock);
    return age;
}

enum node_owner node_owner(struct node *n, int partition, char url[NODE_URL_MAX])
{
    enum node_owner answer = directory_owner(n->directory, partition, url);

    if (strcmp(url, n->options.kafka_options.url) != 0)
        return answer;
    url[0] = 0;
    return answer == NODE_OWNER_KNOWN ? NODE_OWNER_UNKNOWN : answer;
}

/* ---- snapshots */

size_t node_partitions(struct node *n, int *partition, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&n->registry->lock);
    for (int id = 0; id < PARTITIONS_MAX; id++) {
        const struct partition *p = registry_find(n->registry, id);

        if (p != NULL && (p->readable || p->kept) && count++ < max)
            partition[count - 1] = id;
    }
    pthread_mutex_unlock(&n->registry->lock);
    return count;
}

struct store_txn *node_read(struct node *n, int partition, struct err *e)
{
    const struct partition *p = registry_find(n->registry, partition);

    pthread_mutex_lock(&n->registry->lock);
    struct store *store = p != NULL && (p->readable || p->kept) ? p->store : NULL;
    pthread_mutex_unlock(&n->registry->lock);
    if (store != NULL)
        return store_begin(store, false, e);
    err_set(e, "partition %d is not held by this node, or is not restored yet", partition);
    return NULL;
}

/* ---- status */

/* One more sentence, unless it is there already (several workers miss the same broker); what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void say(struct node_status *s, const char *fmt, ...)
{
    size_t n = strlen(s->trouble);
    char text[sizeof s->trouble];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (text[0] != 0 && strstr(s->trouble, text) == NULL)
        snprintf(s->trouble + n, sizeof s->trouble - n, "%s%s", n > 0 ? "; " : "", text);
}

static void add_worker(struct node_status *out, const struct worker_status *w)
{
    out->ready = out->ready && w->standing == BUS_RUNS && w->serving == w->held;
    counters_add(&out->counters, &w->counters);
    out->batches += w->batches;
    out->records += w->records;
    out->commit_ms_total += w->commit_ms_total;
    out->programs += w->programs;
    out->lag_records = out->lag_records < 0 || w->lag_records < 0 ? -1 : out->lag_records + w->lag_records;
    if (w->next_due < out->next_due)
        out->next_due = w->next_due;
    if (w->clock_target > out->clock_target)
        out->clock_target = w->clock_target;
    say(out, "%s", w->trouble);
}

/* With the lock held. */
static void add_partition(struct node_status *out, const struct partition *p)
{
    bool follower = p->owner != NULL && p->owner->slot < 0;
    int64_t age = worker_monotonic() - p->followed_at;

    if (p->trouble.text[0] != 0)
        say(out, "partition %d: %s", p->id, p->trouble.text);
    if (p->owner == NULL && p->wanted == NULL)
        return;
    if (!p->readable) {
        out->restoring++;
        out->restored_records += p->progress.at > 0 ? p->progress.at : 0;
        out->restore_records += p->progress.end > 0 ? p->progress.end : 0;
    } else if (follower) {
        out->followed++;
        out->standby_age = age > out->standby_age ? age : out->standby_age;
    } else {
        out->held++;
    }
}

static void add_partitions(struct node *n, struct node_status *out)
{
    pthread_mutex_lock(&n->registry->lock);
    for (int id = 0; id < PARTITIONS_MAX; id++)
        if (registry_find(n->registry, id) != NULL)
            add_partition(out, registry_find(n->registry, id));
    pthread_mutex_unlock(&n->registry->lock);
}

void node_status(struct node *n, struct node_status *out)
{
    *out = (struct node_status){
        .ready = true, .next_due = INSTANT_MAX, .clock_target = INSTANT_NONE, .standby_age = -1};
    out->workers = n->nworkers;
    out->partitions = (size_t)node_partition_count(n);
    for (size_t i = 0; i < n->nworkers; i++) {
        struct worker_status w;

        worker_status(n->worker[i], &w);
        add_worker(out, &w);
    }
    add_partitions(n, out);
    for (size_t i = 0; i < n->nworkers; i++) {
        struct bus *bus = worker_bus(n->worker[i]);
        struct err why = {{0}};

        if (bus->ops->trouble != NULL && bus->ops->trouble(bus, &why))
            say(out, "%s", why.text);
    }
    struct err why = {{0}};
    if (n->standby != NULL && standby_trouble(n->standby, &why))
        say(out, "%s", why.text);
}

const char *node_name(const struct node *n)
{
    return n->options.kafka ? n->options.kafka_options.node : "local";
}

/* With the lock held. */
static const char *state_of(const struct partition *p)
{
    if (p->wanted != NULL)
        return p->owner == p->wanted && p->progress.what != NULL ? p->progress.what : "waiting";
    if (p->owner == NULL)
        return p->kept ? "kept" : "elsewhere";
    if (p->readable)
        return "standby";
    return p->progress.what != NULL && strcmp(p->progress.what, "halted") == 0 ? "halted" : "restoring";
}

static void list_partition(struct node *n, const struct partition *p, struct node_partition *out)
{
    pthread_mutex_lock(&n->registry->lock);
    bool standby = p->readable && p->owner != NULL && p->owner->slot < 0;
    bool owned = p->owner != NULL;

    out->state = state_of(p);
    out->worker = p->wanted != NULL ? p->wanted->slot : -1;
    out->batch = owned ? p->shown_batch : 0;
    out->at = owned ? p->progress.at : -1;
    out->end = owned ? p->progress.end : -1;
    out->lag = p->wanted != NULL && owned ? p->progress.lag : -1;
    out->age = standby ? worker_monotonic() - p->followed_at : -1;
    pthread_mutex_unlock(&n->registry->lock);
}

size_t node_partition_list(struct node *n, struct node_partition *out, size_t max, bool *asked)
{
    size_t count = (size_t)node_partition_count(n);

    *asked = false;
    for (size_t i = 0; i < count && i < max; i++) {
        const struct partition *p = registry_find(n->registry, (int)i);

        out[i] = (struct node_partition){
            .id = (int)i, .state = "elsewhere", .worker = -1, .at = -1, .end = -1, .lag = -1, .age = -1};
        if (p != NULL)
            list_partition(n, p, &out[i]);
        if (out[i].worker >= 0)
            snprintf(out[i].owner, sizeof out[i].owner, "%s", n->options.kafka ? n->options.kafka_options.url : "");
        else if (n->directory != NULL && node_owner(n, (int)i, out[i].owner) == NODE_OWNER_ASKED)
            *asked = true;
    }
    return count;
}
