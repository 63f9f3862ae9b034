/* The topics that are left: do they end where the folder's state stands, what lies on them still, and the
 * last batch that keeps everybody from going on. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/migrate.h"

#define LETS_GO_MS                                                                                           \
    90000 /* longest wait for a group to give its members up: the usual session time-out, twice */
#define ASK_MS 200

struct migrate_left {
    const struct migrate_source *source;
    const struct migrate_options *options;
    struct bus_kafka_options kafka;
    const char *where;
    struct arena *arena;
    struct bus_kafka_reader *reader;
    struct bus_kafka_writer *writer;
    int partitions; /* they have now: perhaps more than the folder's, which is what moving is the cure for */
    bool over;
    int64_t (*from)[2], (*end)[2]; /* inputs that no turn has taken, by partition */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- are they the folder's? */

static bool check_cluster(struct migrate_left *l, struct err *e)
{
    const struct bus_kafka_origin *of = &l->source->of;
    struct slice id;

    return bus_kafka_reader_cluster(l->reader, l->arena, &id, e) &&
           (slice_eq(id, of->cluster) ||
            err_set(e,
                    "%s holds the state of topics %.*s* of cluster %.*s, but the brokers asked are of "
                    "cluster %.*s: name the configuration of the "
                    "group that is moved, --config FILE",
                    l->source->data, SLICE_ARG(of->prefix), SLICE_ARG(of->cluster), SLICE_ARG(id)));
}

/* ---- does the state stand at their end? */

struct ending {
    struct arena *arena;
    struct marker last; /* batch 0: there is none */
    struct err why;
    bool bad;
};

static bool end_record(void *ctx, const struct record *r)
{
    struct ending *at = ctx;
    enum table_id table;
    struct slice key, value;

    if (!bus_kafka_state(r, &table, &key, &value))
        at->bad = !wire_marker_unpack(r->value, at->arena, &at->last, &at->why);
    return !at->bad;
}

static bool check_stand(struct migrate_left *l, const struct migrate_store *m, bool *over, struct err *e)
{
    const char *prefix = l->kafka.topic_prefix, *data = l->source->data;
    struct ending at = {.arena = l->arena};
    int64_t low, end, from = m->changelog_next;

    if (!bus_kafka_reader_ends(l->reader, TOPIC_CHANGELOG, m->id, &low, &end, e))
        return false;
    if (from > end || (from >= 0 && from < low))
        return err_set(e,
                       "%schangelog, partition %d, has offsets %lld to %lld, the state in %s stands at %lld: "
                       "they do not belong together. Remove "
                       "the folder and let a node make it again",
                       prefix, m->id, (long long)low, (long long)end, data, (long long)from);
    if (!bus_kafka_reader_read(l->reader, TOPIC_CHANGELOG, m->id, from < 0 ? low : from, end, end_record, &at,
                               e))
        return false;
    if (at.bad)
        return err_set(e, "%schangelog, partition %d: %s", prefix, m->id, at.why.text);
    *over = at.last.moved_to.n > 0 && at.last.batch == m->batch + 1;
    if (*over)
        return slice_eq(at.last.moved_to, slice_of(l->where)) ||
               err_set(e, "the topics %s* were moved to %.*s before, and go on there", prefix,
                       SLICE_ARG(at.last.moved_to));
    return at.last.batch <= m->batch ||
           err_set(e,
                   "%s, partition %d, stands at batch %llu, but batch %llu was committed last (by %.*s): "
                   "take the folder of the node that ran last; or "
                   "start a node on this one with the group's other nodes stopped, until dubanctl status "
                   "shows lag 0, stop it, and try again",
                   data, m->id, (unsigned long long)m->batch, (unsigned long long)at.last.batch,
                   SLICE_ARG(at.last.owner_url.n > 0 ? at.last.owner_url : S("a node without a URL")));
}

static bool check_stands(struct migrate_left *l, struct err *e)
{
    int over = 0;

    for (int p = 0; p < l->source->nparts; p++) {
        bool one;

        if (!check_stand(l, &l->source->part[p], &one, e))
            return false;
        over += one;
    }
    l->over = over > 0; /* the last batches are one transaction */
    return true;
}

/* ---- inputs */

static const char *input_name(int topic)
{
    return topic == TOPIC_SUBMISSIONS ? "submissions" : "deadlines";
}

/* What a portal commits later would be left behind. */
static bool check_open(struct migrate_left *l, int topic, int p, struct err *e)
{
    int64_t open, end;

    if (!bus_kafka_reader_open_end(l->reader, (enum topic)topic, p, &open, &end, e))
        return false;
    return open >= end || err_set(e,
                                  "%s%s, partition %d: from offset %lld on a portal's transaction is open; what it commits later would be "
                                  "left behind. Have the portal end it, or wait until its transaction.timeout.ms has passed",
                                  l->kafka.topic_prefix, input_name(topic), p, (long long)open);
}

static bool find_inputs(struct migrate_left *l, struct err *e)
{
    l->from = arena_alloc(l->arena, (size_t)l->partitions * sizeof *l->from);
    l->end = arena_alloc(l->arena, (size_t)l->partitions * sizeof *l->end);
    for (int p = 0; p < l->partitions; p++)
        for (int topic = TOPIC_SUBMISSIONS; topic <= TOPIC_DEADLINES; topic++) {
            int64_t low, next = p < l->source->nparts ? l->source->part[p].next[topic] : -1;

            if (!check_open(l, topic, p, e) ||
                !bus_kafka_reader_ends(l->reader, (enum topic)topic, p, &low, &l->end[p][topic], e))
                return false;
            if (next >= 0 && next < low)
                return err_set(e,
                               "%s%s, partition %d, begins at offset %lld, but only what lies before %lld "
                               "was taken: retention has removed the rest",
                               l->kafka.topic_prefix, input_name(topic), p, (long long)low, (long long)next);
            l->from[p][topic] = next < 0 ? low : next;
        }
    return true;
}

struct taker {
    const struct migrate_source *source;
    int to; /* partition */
    bool (*visit)(void *ctx, const struct record *r);
    void *ctx;
    bool refused;
};

static bool take_input(void *ctx, const struct record *r)
{
    struct taker *in = ctx;
    struct record moved = *r;
    const struct migrate_workflow w = {r->key, &in->source->part[0]};

    if (migrate_is_clock(r) || migrate_partition_of(in->source, &w) != in->to)
        return true;
    moved.partition = in->to;
    in->refused = !in->visit(in->ctx, &moved);
    return !in->refused;
}

bool migrate_left_pending(struct migrate_left *l, int partition,
                          bool (*visit)(void *ctx, const struct record *r), void *ctx, struct err *e)
{
    struct taker in = {.source = l->source, .to = partition, .visit = visit, .ctx = ctx};

    for (int topic = TOPIC_SUBMISSIONS; topic <= TOPIC_DEADLINES; topic++)
        for (int p = 0; p < l->partitions; p++)
            if (!bus_kafka_reader_read(l->reader, (enum topic)topic, p, l->from[p][topic], l->end[p][topic],
                                       take_input, &in, e) ||
                in.refused)
                return false;
    return true;
}

/* ---- the last batch */

static bool wait_for_members(struct migrate_left *l, int64_t ms, struct err *e)
{
    int64_t until = now_ms() + ms;
    struct slice who;
    bool told = false;

    while (bus_kafka_reader_member(l->reader, l->kafka.group, l->arena, &who, e)) {
        if (who.n == 0)
            return true;
        if (now_ms() >= until)
            return err_set(e,
                           "the group %s has members still, such as %.*s: stop all its nodes. One that was "
                           "stopped or killed is given up after its "
                           "session.timeout.ms",
                           l->kafka.group, SLICE_ARG(who));
        if (!told && l->options->waits != NULL)
            l->options->waits(l->options->ctx, who);
        told = true;
        nanosleep(&(struct timespec){0, ASK_MS * 1000000L},
                  NULL); /* nothing tells when a broker gives a member up */
    }
    return false;
}

static bool write_end(struct migrate_left *l, int p, struct err *e)
{
    const struct migrate_source *s = l->source;
    const bool ours = p < s->nparts;
    struct marker m = {.batch = (ours ? s->part[p].batch : 0) + 1,
                       .history_next = -1,
                       .clock_target = ours ? s->part[p].clock_target : INSTANT_NONE,
                       .owner_url = S(""),
                       .partitions = (uint32_t)s->nparts,
                       .moved_to = slice_of(l->where)};

    if (ours)
        m.history_next = s->part[p].history_next;
    memcpy(m.input_next, l->from[p], sizeof m.input_next);
    return bus_kafka_writer_end(l->writer, p, &m, e);
}

bool migrate_left_hold(struct migrate_left *l, struct err *e)
{
    bool ok = wait_for_members(l, LETS_GO_MS, e) && (l->writer = bus_kafka_writer_open(&l->kafka, e)) != NULL;

    for (int p = 0; ok && p < l->partitions; p++)
        ok = write_end(l, p, e);
    /* Who comes from now on waits. Who came before is a member, or has left its batches behind. */
    return ok && bus_kafka_writer_hold(l->writer, e) && wait_for_members(l, 0, e) && check_stands(l, e);
}

bool migrate_left_end(struct migrate_left *l, struct err *e)
{
    return l->over || bus_kafka_writer_commit(l->writer, e);
}

/* ---- */

bool migrate_left_is_over(const struct migrate_left *l)
{
    return l->over;
}

struct migrate_left *migrate_left_open(const struct migrate_source *s, const struct migrate_options *o,
                                       const char *where, struct arena *a, struct err *e)
{
    struct migrate_left *l = mem_alloc(sizeof *l);

    *l = (struct migrate_left){.source = s, .options = o, .where = where, .arena = a};
    l->kafka = (struct bus_kafka_options){.property = o->property,
                                          .nproperties = o->nproperties,
                                          .group = arena_dup(a, s->of.group).p,
                                          .node = o->kafka->node,
                                          .slot = 1, /* 0 is that of the topics that it goes to */
                                          .topic_prefix = arena_dup(a, s->of.prefix).p};
    l->reader = bus_kafka_reader_open(&l->kafka, e);
    if (l->reader != NULL && check_cluster(l, e) &&
        (l->partitions = bus_kafka_reader_partitions(l->reader, TOPIC_CHANGELOG, e)) >= s->nparts &&
        check_stands(l, e) && find_inputs(l, e))
        return l;
    if (l->partitions > 0 && l->partitions < s->nparts)
        err_set(e,
                "%schangelog has %d partitions, the state in %s is that of %d: they do not belong together",
                l->kafka.topic_prefix, l->partitions, s->data, s->nparts);
    migrate_left_close(l);
    return NULL;
}

void migrate_left_close(struct migrate_left *l)
{
    if (l == NULL)
        return;
    bus_kafka_writer_close(l->writer);
    bus_kafka_reader_close(l->reader);
    free(l);
}
