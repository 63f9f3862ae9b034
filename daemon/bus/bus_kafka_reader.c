/* What stands on a topic, for those who are not the bus: read by hand, read_committed, with a handle of its own. */
#include "bus/bus_kafka.h"

#define ANSWER_MS 10000 /* longest wait for an answer */

struct bus_kafka_reader {
    struct kafka *k; /* options, names, and what errors say; its restorer is the handle */
    rd_kafka_t *looker; /* read_uncommitted; NULL until it is needed */
    struct arena *arena;
};

struct kafka *kafka_bare_new(const struct bus_kafka_options *o, struct err *e)
{
    struct kafka *k = mem_alloc(sizeof *k);
    k->options = *o;
    k->wakefd = -1;
    k->arena = arena_new();
    pthread_mutex_init(&k->trouble_lock, NULL);
    pthread_mutex_init(&k->lookout.lock, NULL);
    pthread_cond_init(&k->lookout.stirred, NULL);
    kafka_topics_name(k);
    if (kafka_options_check(k, e))
        return k;
    kafka_bare_free(k);
    return NULL;
}

void kafka_bare_free(struct kafka *k)
{
    pthread_cond_destroy(&k->lookout.stirred);
    pthread_mutex_destroy(&k->lookout.lock);
    pthread_mutex_destroy(&k->trouble_lock);
    arena_free(k->arena);
    free(k);
}

/* Whatever its error callback has heard, or hears now, tells more than "timed out". */
bool kafka_bare_fail(struct kafka *k, const char *what, rd_kafka_resp_err_t err, struct err *e)
{
    rd_kafka_message_t *m = k->restorer ? rd_kafka_consumer_poll(k->restorer, 0) : NULL;
    if (m)
        rd_kafka_message_destroy(m);
    pthread_mutex_lock(&k->trouble_lock);
    struct err away = k->away_why;
    pthread_mutex_unlock(&k->trouble_lock);
    return err_set(e, "kafka: %s: %s", what, away.text[0] ? away.text : rd_kafka_err2str(err));
}

struct bus_kafka_reader *bus_kafka_reader_open(const struct bus_kafka_options *o, struct err *e)
{
    struct kafka *k = kafka_bare_new(o, e);
    if (!k)
        return NULL;
    k->restorer = kafka_handle_new(k, ROLE_RESTORER, e);
    if (!k->restorer) {
        kafka_bare_free(k);
        return NULL;
    }
    rd_kafka_poll_set_consumer(k->restorer);
    struct bus_kafka_reader *r = mem_alloc(sizeof *r);
    r->k = k;
    r->arena = arena_new();
    return r;
}

void bus_kafka_reader_close(struct bus_kafka_reader *r)
{
    if (!r)
        return;
    rd_kafka_assign(r->k->restorer, NULL);
    rd_kafka_destroy_flags(r->k->restorer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (r->looker)
        rd_kafka_destroy(r->looker);
    kafka_bare_free(r->k);
    arena_free(r->arena);
    free(r);
}

int bus_kafka_reader_partitions(struct bus_kafka_reader *r, enum topic topic, struct err *e)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *t = rd_kafka_topic_new(r->k->restorer, r->k->topic[topic], NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(r->k->restorer, 0, t, &md, ANSWER_MS);
    rd_kafka_topic_destroy(t);
    if (err) {
        kafka_bare_fail(r->k, r->k->topic[topic], err, e);
        return -1;
    }
    int n = md->topic_cnt > 0 ? md->topics[0].partition_cnt : 0;
    err = md->topic_cnt > 0 ? md->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(md);
    if (!err)
        return n;
    kafka_bare_fail(r->k, r->k->topic[topic], err, e);
    return -1;
}

bool bus_kafka_reader_verify(struct bus_kafka_reader *r, int *partitions, struct err *e)
{
    struct kafka *k = r->k;
    int64_t until = kafka_monotonic_ms() + ANSWER_MS;
    bool fine = false;
    k->admin_queue = rd_kafka_queue_new(k->restorer);
    while (!fine && !k->reason.text[0] && kafka_monotonic_ms() < until)
        fine = kafka_topics_verify(k);
    rd_kafka_queue_destroy(k->admin_queue);
    *partitions = atomic_load(&k->npartitions);
    if (fine)
        return true;
    if (k->reason.text[0])
        return err_set(e, "kafka: %s", k->reason.text);
    return kafka_bare_fail(k, "the topics cannot be looked at", RD_KAFKA_RESP_ERR__TIMED_OUT, e);
}

bool bus_kafka_reader_ends(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t *low, int64_t *end,
                           struct err *e)
{
    rd_kafka_resp_err_t err =
        kafka_ends(r->k->restorer, r->k->topic[topic], partition, low, end, ANSWER_MS);
    return !err || kafka_bare_fail(r->k, r->k->topic[topic], err, e);
}

/* Where committed reading ends, and where the log does: another isolation level, so another handle. */
bool bus_kafka_reader_open_end(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t *open, int64_t *end,
                               struct err *e)
{
    if (!r->looker && !(r->looker = kafka_handle_new(r->k, ROLE_LOOKOUT, e)))
        return false;
    rd_kafka_resp_err_t err = kafka_ends(r->looker, r->k->topic[topic], partition, NULL, end, ANSWER_MS);
    err = err ? err : kafka_ends(r->k->restorer, r->k->topic[topic], partition, NULL, open, ANSWER_MS);
    return !err || kafka_bare_fail(r->k, r->k->topic[topic], err, e);
}

bool bus_kafka_reader_cluster(struct bus_kafka_reader *r, struct arena *a, struct slice *id, struct err *e)
{
    if (bus_kafka_reader_partitions(r, TOPIC_CHANGELOG, e) < 0) /* without metadata the next call takes a second */
        return false;
    char *cluster = rd_kafka_clusterid(r->k->restorer, ANSWER_MS);
    if (!cluster)
        return kafka_bare_fail(r->k, "the cluster's id", RD_KAFKA_RESP_ERR__TIMED_OUT, e);
    *id = arena_dup(a, slice_of(cluster));
    rd_kafka_mem_free(r->k->restorer, cluster);
    return true;
}

bool bus_kafka_reader_member(struct bus_kafka_reader *r, const char *group, struct arena *a, struct slice *who, struct err *e)
{
    const struct rd_kafka_group_list *list;
    rd_kafka_resp_err_t err = rd_kafka_list_groups(r->k->restorer, group, &list, ANSWER_MS);
    if (err)
        return kafka_bare_fail(r->k, arena_printf(a, "group %s", group).p, err, e);
    *who = S("");
    for (int g = 0; g < list->group_cnt; g++)
        if (list->groups[g].member_cnt > 0)
            *who = arena_printf(a, "%s at %s", list->groups[g].members[0].client_id, list->groups[g].members[0].client_host);
    rd_kafka_group_list_destroy(list);
    return true;
}

static bool assign(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t from, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, r->k->topic[topic], partition)->offset = from;
    rd_kafka_resp_err_t err = rd_kafka_assign(r->k->restorer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return !err || kafka_bare_fail(r->k, r->k->topic[topic], err, e);
}

/* Behind the last record there may be markers of transactions: there the end of the partition is what comes. */
static bool is_end(const rd_kafka_message_t *m, int64_t to)
{
    return m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || (!m->err && m->offset >= to);
}

static bool visit_all(struct bus_kafka_reader *r, const rd_kafka_message_t *m, enum topic topic,
                      bool (*visit)(void *ctx, const struct record *record), void *ctx)
{
    struct records all = {0};
    bool more = true;
    arena_reset(r->arena);
    kafka_records_add(&all, m, topic, r->arena);
    for (size_t i = 0; more && i < all.n; i++)
        more = visit(ctx, &all.of[i]);
    free(all.of);
    return more;
}

bool bus_kafka_reader_read(struct bus_kafka_reader *r, enum topic topic, int partition, int64_t from, int64_t to,
                           bool (*visit)(void *ctx, const struct record *record), void *ctx, struct err *e)
{
    int64_t quiet_since = kafka_monotonic_ms();
    bool ok = true, more = from < to && (ok = assign(r, topic, partition, from, e));
    while (more) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(r->k->restorer, 100);
        if (!m) {
            more = kafka_monotonic_ms() - quiet_since < ANSWER_MS;
            ok = more || kafka_bare_fail(r->k, r->k->topic[topic], RD_KAFKA_RESP_ERR__TIMED_OUT, e);
            continue;
        }
        quiet_since = kafka_monotonic_ms();
        if (is_end(m, to)) {
            more = false;
        } else if (m->err) {
            more = ok = kafka_bare_fail(r->k, r->k->topic[topic], m->err, e);
        } else if (kafka_is_barrier(m)) {
            more = m->offset + 1 < to;
        } else {
            more = visit_all(r, m, topic, visit, ctx) && m->offset + 1 < to;
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(r->k->restorer, NULL);
    return ok;
}
