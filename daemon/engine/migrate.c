#include "engine/migrate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TELL_EVERY 10000
#define SETTLE_MS 15000 /* what was committed is to be seen within that time */
#define DIGEST 32

struct moving {
    const struct migrate_options *o;
    struct migrate_source source;
    struct migrate_left *left; /* NULL: an embedded log */
    const char *where;         /* it goes */
    struct migrate_result *out;
    struct bus_kafka_reader *reader;
    struct bus_kafka_writer *writer;
    int64_t (*input_next)[2]; /* by partition: where Kafka's inputs go on */
    struct err *e;
};

/* All of a partition's records in order, as one number: what was written and what is read are the same when
 * these are. */
struct digest {
    unsigned char byte[DIGEST];
    uint64_t n;
};

static void digest_add(struct digest *d, struct slice key, struct slice value)
{
    const struct slice part[] = {{(const char *)d->byte, DIGEST}, key, value};
    unsigned char next[DIGEST];

    wire_digest(next, part, 3);
    memcpy(d->byte, next, DIGEST);
    d->n++;
}

static bool digest_same(const struct digest *a, const struct digest *b)
{
    return a->n == b->n && memcmp(a->byte, b->byte, DIGEST) == 0;
}

static struct slice state_key(char bytes[1 + 511], enum table_id table, struct slice key)
{
    bytes[0] = (char)table;
    memcpy(bytes + 1, key.p, key.n);
    return (struct slice){bytes, 1 + key.n};
}

/* ---- what is to be moved */

struct sums {
    struct migrate_part part;
    struct digest state, history;
};

static bool sum_entry(void *ctx, enum table_id table, struct slice workflow, struct slice key,
                      struct slice value)
{
    struct sums *s = ctx;
    char bytes[1 + 511];

    s->part.bytes += key.n + value.n;
    s->part.workflows += table == TABLE_DEFINITION;
    if (table == TABLE_HISTORY)
        digest_add(&s->history, workflow, value);
    else
        digest_add(&s->state, state_key(bytes, table, key), value);
    return true;
}

static bool sum_pending(void *ctx, const struct record *r)
{
    struct sums *s = ctx;

    s->part.bytes += r->value.n;
    s->part.pending++;
    return true;
}

static bool pending(struct moving *m, int partition, bool (*visit)(void *ctx, const struct record *r),
                    void *ctx)
{
    return m->left != NULL ? migrate_left_pending(m->left, partition, visit, ctx, m->e)
                           : migrate_pending(&m->source, partition, visit, ctx, m->e);
}

static bool sum(struct moving *m, int partition, struct sums *out)
{
    *out = (struct sums){0};
    migrate_walk(&m->source, partition, sum_entry, out);
    out->part.state = out->state.n;
    out->part.history = out->history.n;
    return pending(m, partition, sum_pending, out);
}

/* ---- what the topics hold */

struct held {
    struct digest state, history;
    uint64_t inputs, others;
    uint64_t batch; /* of the last marker; 0: none */
    bool bad;
};

static bool hold_record(void *ctx, const struct record *r)
{
    struct held *h = ctx;
    struct arena *a;
    struct marker marker;
    struct err why;
    enum table_id table;
    struct slice key, value;

    if (r->topic == TOPIC_HISTORY) {
        digest_add(&h->history, r->key, r->value);
    } else if (r->topic == TOPIC_CHANGELOG && bus_kafka_state(r, &table, &key, &value)) {
        digest_add(&h->state, r->key, r->value);
    } else if (r->topic == TOPIC_CHANGELOG) {
        a = arena_new();
        h->bad |= !wire_marker_unpack(r->value, a, &marker, &why);
        h->batch = h->bad ? 0 : marker.batch;
        arena_free(a);
    } else if (r->topic <= TOPIC_DEADLINES) {
        h->inputs++;
    } else {
        h->others++;
    }
    return true;
}

static bool look(struct moving *m, int partition, struct held *h)
{
    *h = (struct held){0};
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        int64_t low, end;

        if (!bus_kafka_reader_ends(m->reader, (enum topic)topic, partition, &low, &end, m->e) ||
            !bus_kafka_reader_read(m->reader, (enum topic)topic, partition, low, end, hold_record, h, m->e))
            return false;
        if (topic <= TOPIC_DEADLINES)
            m->input_next[partition][topic] = end;
    }
    return true;
}

static bool is_empty(const struct held *h)
{
    return h->state.n + h->history.n + h->inputs + h->others == 0 && h->batch == 0 && !h->bad;
}

/* An embedded log grows no more; on topics that were left anybody can put what nobody takes. */
static bool is_moved(const struct moving *m, const struct held *h, const struct sums *s)
{
    return h->batch == MIGRATE_BATCH && h->others == 0 && (m->left != NULL || h->inputs == s->part.pending) &&
           digest_same(&h->state, &s->state) && digest_same(&h->history, &s->history);
}

/* Either nothing is there, or all of this: the one transaction has been committed before. */
static bool look_at_all(struct moving *m, bool *moved)
{
    struct migrate_result *out = m->out;
    int empty = 0, same = 0;

    for (int p = 0; p < out->partitions; p++) {
        struct sums sums;
        struct held held;

        if (!sum(m, p, &sums) || !look(m, p, &held))
            return false;
        out->part[p] = sums.part;
        empty += is_empty(&held);
        same += is_moved(m, &held, &sums);
        if (!is_empty(&held) && !is_moved(m, &held, &sums))
            return err_set(
                m->e,
                "partition %d of the topics is not empty, and does not hold this state either (last batch "
                "%llu, %llu state and "
                "%llu history records): topics without a record are needed, in a prefix of their own",
                p, (unsigned long long)held.batch, (unsigned long long)held.state.n,
                (unsigned long long)held.history.n);
    }
    *moved = same == out->partitions;
    return *moved || empty == out->partitions ||
           err_set(m->e,
                   "some partitions of the topics hold this state and others nothing: make the topics anew");
}

/* ---- moving */

struct writing {
    struct moving *m;
    int partition;
    uint64_t n;
};

static bool tell(struct writing *w)
{
    if (++w->n % TELL_EVERY == 0 && w->m->o->progress != NULL)
        w->m->o->progress(w->m->o->ctx, w->n);
    return true;
}

static bool write_entry(void *ctx, enum table_id table, struct slice workflow, struct slice key,
                        struct slice value)
{
    struct writing *w = ctx;
    const struct record history = {
        .topic = TOPIC_HISTORY, .partition = w->partition, .key = workflow, .value = value};

    return tell(w) && (table == TABLE_HISTORY
                           ? bus_kafka_writer_put(w->m->writer, &history, w->m->e)
                           : bus_kafka_writer_state(w->m->writer, w->partition, table, key, value, w->m->e));
}

static bool write_pending(void *ctx, const struct record *r)
{
    struct writing *w = ctx;

    return tell(w) && bus_kafka_writer_put(w->m->writer, r, w->m->e);
}

static bool write_all(struct moving *m)
{
    struct writing w = {.m = m};

    m->writer = bus_kafka_writer_open(m->o->kafka, m->e);
    if (m->writer == NULL)
        return false;
    for (; w.partition < m->out->partitions; w.partition++) {
        struct marker marker = {.batch = MIGRATE_BATCH,
                                .clock_target = m->source.clock_target,
                                .owner_url = S(""),
                                .partitions = (uint32_t)m->out->partitions};

        memcpy(marker.input_next, m->input_next[w.partition], sizeof marker.input_next);
        if (!migrate_walk(&m->source, w.partition, write_entry, &w) ||
            !pending(m, w.partition, write_pending, &w) ||
            !bus_kafka_writer_end(m->writer, w.partition, &marker, m->e))
            return false;
    }
    return bus_kafka_writer_commit(m->writer, m->e);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Read back, by another handle. A transaction is seen everywhere a moment after it was committed. */
static bool verify(struct moving *m)
{
    int64_t until = now_ms() + SETTLE_MS;
    bool moved = false, ok;
    struct err why;

    do {
        ok = look_at_all(m, &moved);
        why = *m->e;
    } while (!moved && now_ms() < until);
    return (ok && moved) ||
           err_set(m->e, "all was committed, but what is read back is not what was written: %s",
                   ok ? "there is nothing" : why.text);
}

/* ---- */

static bool check_pending(const struct moving *m)
{
    uint64_t n = 0;

    for (int p = 0; p < m->out->partitions; p++)
        n += m->out->part[p].pending;
    return n == 0 || m->o->take_pending || m->o->dry_run ||
           err_set(m->e,
                   "%llu accepted events were not taken by any turn yet. Start duband on this folder once "
                   "more, until its lag is 0, and stop it; "
                   "or let them count as received when Kafka receives them: --take-pending",
                   (unsigned long long)n);
}

static const char *bootstrap_of(const struct header *property, size_t n)
{
    const char *out = "";

    for (size_t i = 0; i < n; i++)
        if (slice_eq(property[i].name, S("bootstrap.servers")))
            out = property[i].value.p;
    return out;
}

/* The same topics would be refused, too, but for what they hold. */
static bool check_elsewhere(struct moving *m, struct arena *a)
{
    const struct bus_kafka_origin *of = &m->source.of;
    struct slice cluster;

    return bus_kafka_reader_cluster(m->reader, a, &cluster, m->e) &&
           (!slice_eq(cluster, of->cluster) || !slice_eq(slice_of(m->o->kafka->topic_prefix), of->prefix) ||
            err_set(m->e,
                    "%s holds the state of these very topics, %.*s*: name those that it is to go to, "
                    "--prefix TEXT, and make them by `dubanctl "
                    "topics create`",
                    m->o->data, SLICE_ARG(of->prefix)));
}

/* From where, and where to. */
static bool open_both(struct moving *m, struct arena *a)
{
    struct migrate_result *out = m->out;

    if (!migrate_open(&m->source, m->o->data, a, m->e))
        return false;
    out->topics = m->source.topics;
    out->left = arena_dup(a, m->source.of.prefix).p;
    for (int topic = TOPIC_WARNINGS; topic <= TOPIC_REJECTED; topic++)
        out->outputs[topic] = (uint64_t)m->source.end[topic];
    m->reader = bus_kafka_reader_open(m->o->kafka, m->e);
    if (m->reader == NULL || (out->topics && !check_elsewhere(m, a)) ||
        !bus_kafka_reader_verify(m->reader, &out->partitions, m->e))
        return false;
    m->source.partitions = out->partitions;
    m->where = arena_printf(a, "%s* of %s", m->o->kafka->topic_prefix,
                            bootstrap_of(m->o->kafka->property, m->o->kafka->nproperties))
                   .p;
    out->part = ARENA_ARRAY(a, struct migrate_part, (size_t)out->partitions);
    m->input_next = arena_alloc(a, (size_t)out->partitions * sizeof *m->input_next);
    return !out->topics || (m->left = migrate_left_open(&m->source, m->o, m->where, a, m->e)) != NULL;
}

static bool migrate(struct moving *m, struct arena *a)
{
    bool moved, over;

    if (!open_both(m, a) || !look_at_all(m, &moved))
        return false;
    m->out->before = moved;
    if (m->o->dry_run)
        return true;
    over = m->left == NULL || migrate_left_is_over(m->left);
    if (over && !moved && m->left != NULL)
        return err_set(m->e,
                       "the topics %s* were moved to %s before, but there is nothing there: were those "
                       "topics made anew?",
                       m->out->left, m->where);
    if ((!moved && !check_pending(m)) || (!over && !migrate_left_hold(m->left, m->e)) ||
        (!moved && (!write_all(m) || !verify(m))))
        return false;
    return (m->left == NULL || migrate_left_end(m->left, m->e)) && migrate_mark(&m->source, m->where, m->e);
}

bool migrate_run(const struct migrate_options *o, struct arena *a, struct migrate_result *out, struct err *e)
{
    struct moving m = {.o = o, .out = out, .e = e};

    *out = (struct migrate_result){0};
    bool ok = migrate(&m, a);
    bus_kafka_writer_close(m.writer);
    migrate_left_close(m.left);
    bus_kafka_reader_close(m.reader);
    migrate_close(&m.source);
    return ok;
}
