/* Creating the eight topics as they must be; of those that exist, what is different. */
#include "bus/bus_kafka.h"

#include <stdio.h>

#define ANSWER_MS 25000
#define PATIENCE_MS 3000 /* with a connection of which it is known why it fails: another broker may answer */

struct creation {
    struct kafka *k; /* options and names; no more of it is used */
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct bus_kafka_topic *topic; /* TOPIC_COUNT of them */
    int partitions, replication;
    struct arena *arena;
};

static void differs(struct creation *c, int topic, bool wrong, struct slice text)
{
    struct bus_kafka_topic *t = &c->topic[topic];
    t->wrong |= wrong;
    t->differs = t->differs.n ? arena_printf(c->arena, "%.*s; %.*s", SLICE_ARG(t->differs), SLICE_ARG(text)) : text;
}

static bool refused(struct creation *c, const char *what, rd_kafka_resp_err_t err, const char *text, enum kafka_right right, int topic,
                    struct err *e)
{
    struct slice missing = kafka_right_missing(c->k, right, 1u << topic, c->arena);
    if (kafka_is_denial(err))
        return err_set(e, "kafka: %.*s", SLICE_ARG(missing));
    if (c->k->away_why.text[0])
        return err_set(e, "kafka: %s", c->k->away_why.text);
    return err_set(e, "kafka: %s: %s", what, text);
}

static bool is_patient(const struct creation *c, int64_t began)
{
    return kafka_monotonic_ms() < began + (c->k->away_cure ? PATIENCE_MS : ANSWER_MS + 5000);
}

/* The caller destroys it. */
static rd_kafka_event_t *await(struct creation *c, struct err *e)
{
    rd_kafka_event_t *ev = NULL;
    int64_t began = kafka_monotonic_ms();
    while (!ev && is_patient(c, began)) {
        rd_kafka_poll(c->rk, 0); /* errors of the connection */
        ev = rd_kafka_queue_poll(c->queue, 100);
    }
    if (ev)
        return ev;
    if (c->k->away_cure)
        err_set(e, "kafka: %s", c->k->away_why.text);
    else
        err_set(e, "kafka: %s (bootstrap.servers) does not answer", kafka_bootstrap(c->k));
    return NULL;
}

static rd_kafka_AdminOptions_t *options(struct creation *c, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(c->rk, op);
    rd_kafka_AdminOptions_set_request_timeout(o, ANSWER_MS, NULL, 0);
    return o;
}

/* ---- what is there */

static bool look(struct creation *c, struct err *e)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *held[TOPIC_COUNT];
    rd_kafka_resp_err_t err;
    int64_t began = kafka_monotonic_ms();
    for (int i = 0; i < TOPIC_COUNT; i++)
        held[i] = rd_kafka_topic_new(c->rk, c->k->topic[i], NULL);
    do {
        err = rd_kafka_metadata(c->rk, 0, NULL, &md, 500);
        rd_kafka_poll(c->rk, 0);
    } while (err && is_patient(c, began));
    for (int i = 0; i < TOPIC_COUNT; i++)
        rd_kafka_topic_destroy(held[i]);
    if (err)
        return refused(c, kafka_bootstrap(c->k), err, rd_kafka_err2str(err), RIGHT_CREATE, 0, e);
    bool ok = true;
    for (int i = 0; i < md->topic_cnt && ok; i++)
        for (int t = 0; t < TOPIC_COUNT && ok; t++) {
            const struct rd_kafka_metadata_topic *m = &md->topics[i];
            if (strcmp(m->topic, c->k->topic[t]) != 0)
                continue;
            if (kafka_is_denial(m->err))
                ok = refused(c, m->topic, m->err, "", RIGHT_CREATE, t, e);
            c->topic[t].partitions = m->err ? 0 : m->partition_cnt;
            c->topic[t].replication = m->err || !m->partition_cnt ? 0 : m->partitions[0].replica_cnt;
        }
    rd_kafka_metadata_destroy(md);
    return ok;
}

/* ---- what is made */

static rd_kafka_NewTopic_t *new_topic(struct creation *c, int topic, struct err *e)
{
    char why[512] = "";
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(c->k->topic[topic], c->partitions, c->replication, why, sizeof why);
    if (!t) {
        err_set(e, "kafka: topic %s: %s", c->k->topic[topic], why);
        return NULL;
    }
    for (size_t i = 0; i < kafka_ntopic_settings; i++)
        if (kafka_topic_settings[i].topics & 1u << topic)
            rd_kafka_NewTopic_set_config(t, kafka_topic_settings[i].name, kafka_topic_settings[i].value);
    if (c->replication > 2)
        rd_kafka_NewTopic_set_config(t, "min.insync.replicas", "2");
    return t;
}

static int topic_of(const struct creation *c, const char *name)
{
    int i = 0;
    while (i < TOPIC_COUNT && strcmp(c->k->topic[i], name) != 0)
        i++;
    return i;
}

static bool created(struct creation *c, rd_kafka_event_t *ev, struct err *e)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(ev);
    if (rd_kafka_event_error(ev) || !result)
        return refused(c, "topics could not be created", rd_kafka_event_error(ev), rd_kafka_event_error_string(ev), RIGHT_CREATE, 0,
                       e);
    size_t n;
    const rd_kafka_topic_result_t **topic = rd_kafka_CreateTopics_result_topics(result, &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(topic[i]);
        const char *name = rd_kafka_topic_result_name(topic[i]);
        int t = topic_of(c, name);
        if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return refused(c, name, err, rd_kafka_topic_result_error_string(topic[i]), RIGHT_CREATE, t, e);
        if (t < TOPIC_COUNT && !err) {
            c->topic[t].created = true;
            c->topic[t].partitions = c->partitions;
            c->topic[t].replication = c->replication;
        }
    }
    return true;
}

static bool create(struct creation *c, struct err *e)
{
    rd_kafka_NewTopic_t *topic[TOPIC_COUNT];
    size_t n = 0;
    bool ok = true;
    for (int i = 0; i < TOPIC_COUNT && ok; i++)
        if (!c->topic[i].partitions) {
            topic[n] = new_topic(c, i, e);
            ok = topic[n] != NULL;
            n += ok;
        }
    if (ok && n) {
        rd_kafka_AdminOptions_t *o = options(c, RD_KAFKA_ADMIN_OP_CREATETOPICS);
        rd_kafka_CreateTopics(c->rk, topic, n, o, c->queue);
        rd_kafka_AdminOptions_destroy(o);
        rd_kafka_event_t *ev = await(c, e);
        ok = ev && created(c, ev, e);
        if (ev)
            rd_kafka_event_destroy(ev);
    }
    rd_kafka_NewTopic_destroy_array(topic, n);
    return ok;
}

/* ---- what is different */

static void compare_counts(struct creation *c, int t)
{
    const struct bus_kafka_topic *is = &c->topic[t];
    const char *name = c->k->topic[t];
    if (is->partitions != c->partitions)
        differs(c, t, true,
                is->partitions < c->partitions
                    ? arena_printf(c->arena,
                                   "%d partitions, not %d (before their first use: kafka-topics.sh --alter --topic %s --partitions %d; "
                                   "after it: dubanctl migrate-bus)",
                                   is->partitions, c->partitions, name, c->partitions)
                    : arena_printf(c->arena, "%d partitions, not %d (Kafka takes none away: give the others as many)", is->partitions,
                                   c->partitions));
    if (is->replication != c->replication)
        differs(c, t, false,
                arena_printf(c->arena, "%d copies, not %d (kafka-reassign-partitions.sh)", is->replication, c->replication));
}

static void compare_settings(struct creation *c, int t, const rd_kafka_ConfigResource_t *r)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(r, &n);
    for (size_t i = 0; i < kafka_ntopic_settings; i++) {
        const struct kafka_topic_setting *s = &kafka_topic_settings[i];
        for (size_t j = 0; s->topics & 1u << t && j < n; j++) {
            const char *value = rd_kafka_ConfigEntry_value(entry[j]);
            if (value && strcmp(rd_kafka_ConfigEntry_name(entry[j]), s->name) == 0 && strcmp(value, s->value) != 0)
                differs(c, t, s->wanted,
                        arena_printf(c->arena,
                                     "%s is %s, not %s (kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config "
                                     "%s=%s)",
                                     s->name, value, s->value, c->k->topic[t], s->name, s->value));
        }
    }
}

static bool compared(struct creation *c, rd_kafka_event_t *ev, struct err *e)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(ev);
    size_t n = 0;
    if (rd_kafka_event_error(ev) || !result)
        return refused(c, "the topics' settings cannot be seen", rd_kafka_event_error(ev), rd_kafka_event_error_string(ev),
                       RIGHT_CONFIGS, 0, e);
    const rd_kafka_ConfigResource_t **r = rd_kafka_DescribeConfigs_result_resources(result, &n);
    for (size_t i = 0; i < n; i++) {
        int t = topic_of(c, rd_kafka_ConfigResource_name(r[i]));
        if (rd_kafka_ConfigResource_error(r[i]))
            return refused(c, rd_kafka_ConfigResource_name(r[i]), rd_kafka_ConfigResource_error(r[i]),
                           rd_kafka_ConfigResource_error_string(r[i]), RIGHT_CONFIGS, 0, e);
        if (t < TOPIC_COUNT)
            compare_settings(c, t, r[i]);
    }
    return true;
}

/* Of those that were there. */
static bool compare(struct creation *c, struct err *e)
{
    rd_kafka_ConfigResource_t *wanted[TOPIC_COUNT];
    size_t n = 0;
    for (int t = 0; t < TOPIC_COUNT; t++)
        if (!c->topic[t].created) {
            compare_counts(c, t);
            wanted[n++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, c->k->topic[t]);
        }
    if (!n)
        return true;
    rd_kafka_AdminOptions_t *o = options(c, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(c->rk, wanted, n, o, c->queue);
    rd_kafka_AdminOptions_destroy(o);
    rd_kafka_ConfigResource_destroy_array(wanted, n);
    rd_kafka_event_t *ev = await(c, e);
    bool ok = ev && compared(c, ev, e);
    if (ev)
        rd_kafka_event_destroy(ev);
    return ok;
}

bool bus_kafka_create_topics(const struct bus_kafka_options *o, int partitions, int replication, struct bus_kafka_topic *topic,
                             struct arena *a, struct err *e)
{
    struct kafka *k = mem_alloc(sizeof *k);
    struct bus_kafka_topic own[TOPIC_COUNT];
    struct arena *mine = a ? NULL : arena_new();
    struct creation c = {.k = k, .topic = topic ? topic : own, .partitions = partitions, .replication = replication,
                         .arena = a ? a : mine};
    k->options = *o;
    k->wakefd = -1; /* nobody polls */
    k->arena = c.arena;
    pthread_mutex_init(&k->trouble_lock, NULL);
    pthread_mutex_init(&k->lookout.lock, NULL);
    pthread_cond_init(&k->lookout.stirred, NULL);
    kafka_topics_name(k);
    for (int i = 0; i < TOPIC_COUNT; i++)
        c.topic[i] = (struct bus_kafka_topic){.name = k->topic[i]};
    bool ok = kafka_options_check(k, e) && (c.rk = kafka_handle_new(k, ROLE_ADMIN, e));
    if (ok) {
        c.queue = rd_kafka_queue_new(c.rk);
        ok = look(&c, e) && create(&c, e) && compare(&c, e);
        rd_kafka_queue_destroy(c.queue);
    }
    if (c.rk)
        rd_kafka_destroy(c.rk);
    pthread_cond_destroy(&k->lookout.stirred);
    pthread_mutex_destroy(&k->lookout.lock);
    pthread_mutex_destroy(&k->trouble_lock);
    arena_free(mine);
    free(k);
    return ok;
}
