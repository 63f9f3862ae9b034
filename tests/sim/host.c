/* Nodes start, die, stall and stop; the broker goes away and comes back; changelogs are compacted. */
#include "sim.h"

#include "engine/node.h"

#include <string.h>

static struct host *slot[NODES_MAX]; /* as they run now */
static bool may_run[NODES_MAX], healed;

static void start(void *arg);

struct host *host_of(int id)
{
    return slot[id];
}

/* ---- one life */

static bool to_stop(void *arg)
{
    return ((struct host *)arg)->stop;
}

static void committed(void *ctx)
{
    (void)ctx; /* nobody waits for it */
}

static void *mem_copy(const void *p, size_t n)
{
    return memcpy(mem_alloc(n), p, n);
}

static struct node *run_node(const struct host *n, struct err *e)
{
    char data[32], name[8], url[32], session[16], transaction[16], heartbeat[16], message[16];
    snprintf(data, sizeof data, "/sim/n%d", n->id);
    snprintf(name, sizeof name, "n%d", n->named);
    snprintf(url, sizeof url, "http://n%d", n->id);
    snprintf(session, sizeof session, "%d", plan.session_ms);
    snprintf(transaction, sizeof transaction, "%d", plan.transaction_ms);
    snprintf(heartbeat, sizeof heartbeat, "%d", plan.session_ms / 4);
    snprintf(message, sizeof message, "%d", plan.message_most);
    const struct header given[] = {{S("bootstrap.servers"), S("simulated:1")},
                                   {S("session.timeout.ms"), slice_of(strdup(session))},
                                   {S("transaction.timeout.ms"), slice_of(strdup(transaction))},
                                   {S("heartbeat.interval.ms"), slice_of(strdup(heartbeat))},
                                   {S("message.max.bytes"), slice_of(strdup(message))}};
    struct header *property = mem_alloc(sizeof given); /* all of it must stay as long as the node */
    memcpy(property, given, sizeof given);
    struct node_options o = {.data = strdup(data),
                             .kafka = true,
                             .kafka_options = {.property = property,
                                               .nproperties = sizeof given / sizeof *given,
                                               .group = "duban",
                                               .node = strdup(name),
                                               .topic_prefix = "duban.",
                                               .url = strdup(url)},
                             .batch = plan.batch,
                             .workers = plan.workers,
                             .standby = plan.standby,
                             .committed = committed};
    return node_start(mem_copy(&o, sizeof o), e);
}

/* ---- what is sent to it over HTTP */

static void answered(void *ctx, const struct append_result *r)
{
    const struct log *l = r->ok ? &logs[r->topic][r->partition] : NULL;
    trace("append: %s", r->ok ? "durable" : r->why);
    if (l && (r->offset < 0 || r->offset >= (int64_t)l->n))
        fail("%s-%d: a record is said to be at %lld, the log has %zu", l->name, l->partition, (long long)r->offset, l->n);
    bool there = !l;
    for (size_t i = 0; l && i < l->entry[r->offset]->nheaders; i++)
        there |= slice_eq(l->entry[r->offset]->header[i].value, slice_of(ctx));
    if (!there)
        fail("%s-%d: another record is at %lld than was said", l->name, l->partition, (long long)r->offset);
}

static void *serve(void *arg)
{
    struct host *n = arg;
    while (now < plan.faults_until && !n->stop) {
        pass(between(1, 4000) * MS);
        struct cloud_event e = portal_answer();
        if (!n->stop && chance(plan.http))
            node_append(n->node, TOPIC_SUBMISSIONS, &e, answered, (void *)(uintptr_t)e.id.p);
    }
    return NULL;
}

static bool has_ended(void *t)
{
    return thread_ended(t);
}

static void *live(void *arg)
{
    struct host *n = arg;
    struct err e = {{0}};
    n->node = run_node(n, &e);
    if (!n->node)
        fail("node %d cannot start: %s", n->id, e.text);
    struct thread *http = thread_start(n, "http", serve, n);
    wait_for(to_stop, n, FOREVER);
    wait_for(has_ended, http, FOREVER);
    node_stop(n->node);
    trace("node %d has stopped", n->id);
    n->dead = true;
    disk_crash(n->id);
    slot[n->id] = NULL;
    later(between(1, 1500) * MS, NULL, start, &may_run[n->id]);
    return NULL;
}

static void start(void *arg)
{
    int id = (int)((bool *)arg - may_run);
    if (slot[id] || !may_run[id])
        return;
    if (now < plan.faults_until && chance(plan.wipe) && disk_wipe(id)) {
        trace("node %d lost its disk", id);
        count(COUNT_WIPE, 1);
    } else if (now < plan.faults_until && chance(plan.old) && disk_restore(id)) {
        trace("node %d has an older copy of its disk", id);
        count(COUNT_WIPE, 1);
    }
    if (chance(0.5))
        disk_copy(id);
    struct host *n = mem_alloc(sizeof *n);
    n->id = n->named = id;
    if (plan.twins && id > 0 && now < plan.faults_until && chance(0.5))
        n->named = 0;
    n->skew = plan.skew ? between(-plan.skew, plan.skew) : 0;
    slot[id] = n;
    trace("node %d starts as n%d, its clock off by %lld us", id, n->named, (long long)n->skew);
    thread_start(n, "main", live, n);
}

void host_crash(struct host *n, const char *where)
{
    trace("*** node %d dies at %s", n->id, where);
    count(COUNT_CRASH, 1);
    n->dead = true;
    disk_crash(n->id);
    slot[n->id] = NULL;
    later(between(1, chance(0.6) ? 300 : 2 * plan.session_ms) * MS, NULL, start, &may_run[n->id]);
}

/* ---- what befalls them, once a second */

static void broker_back(void *unused)
{
    (void)unused;
    trace("the broker is back");
    broker_up = true;
    group_reload();
    handles_broker(true);
}

static void befall(void *unused)
{
    (void)unused;
    if (now >= plan.faults_until)
        return;
    if (broker_up && chance(plan.broker)) {
        trace("the broker goes away");
        count(COUNT_BROKER, 1);
        broker_up = false;
        handles_broker(false);
        later(between(50, chance(0.7) ? 1000 : 9000) * MS, NULL, broker_back, NULL);
    }
    if (chance(plan.compact))
        log_compact(&logs[TOPIC_CHANGELOG][between(0, plan.partitions - 1)]);
    struct host *n = slot[between(0, NODES_MAX - 1)];
    if (n && plan.nodes > 1 && chance(0.05))
        n->stop = true;
    later(between(200, 1800) * MS, NULL, befall, NULL);
}

void hosts_start(void)
{
    for (int i = 0; i < plan.nodes; i++) {
        may_run[i] = true;
        later(between(0, chance(0.5) ? 10 : 8000) * MS, NULL, start, &may_run[i]);
    }
    later(1 * SEC, NULL, befall, NULL);
}

/* Of several nodes some may stay away for good. */
void hosts_heal(void)
{
    if (healed)
        return;
    healed = true;
    trace("no more faults from here on");
    for (int i = 0; i < plan.nodes; i++) {
        if (slot[i] && slot[i]->named != i)
            host_crash(slot[i], "the last fault");
        if (i > 0 && !slot[i] && chance(0.5))
            may_run[i] = false;
        later(between(0, 1000) * MS, NULL, start, &may_run[i]);
    }
}
