/* The eight topics: their names, and whether they have the shape that the protocol needs. What is refused is
 * refused with the command that repairs it. */
#include "bus/bus_kafka.h"

#include <stdio.h>

/* What a topic must have (wanted), and what it gets when duband makes it (given). */
static const struct topic_setting {
    unsigned topics;
    const char *name, *value;
    bool wanted;
} topic_settings[] = {
    /* Receipt time is the log's: a portal's clock must not decide what was in time. */
    {1u << TOPIC_SUBMISSIONS | 1u << TOPIC_DEADLINES, "message.timestamp.type", "LogAppendTime", true},
    {1u << TOPIC_CHANGELOG, "cleanup.policy", "compact", true},
    {1u << TOPIC_CHANGELOG, "delete.retention.ms", "604800000", false},
    {1u << TOPIC_CHANGELOG, "segment.bytes", "134217728", false},
    {1u << TOPIC_HISTORY, "cleanup.policy", "delete", true},
    {1u << TOPIC_HISTORY, "retention.ms", "-1", false},
    {1u << TOPIC_HISTORY | 1u << TOPIC_REJECTED | 1u << TOPIC_CHANGELOG, "max.message.bytes", "8388608",
     false},
    {0xffu & ~(1u << TOPIC_HISTORY | 1u << TOPIC_CHANGELOG), "retention.ms", "7776000000",
     false}, /* 90 days */
};
#define NSETTINGS (sizeof topic_settings / sizeof *topic_settings)

void kafka_topics_name(struct kafka *k)
{
    for (int i = 0; i < TOPIC_COUNT; i++) {
        const char *dot = strchr(topic_names[i], '.');
        k->topic[i] =
            arena_printf(k->arena, "%s%s", k->options.topic_prefix, dot ? dot + 1 : topic_names[i]).p;
    }
}

static const char *bootstrap(const struct kafka *k)
{
    for (size_t i = 0; i < k->options.nproperties; i++)
        if (slice_eq(k->options.property[i].name, S("bootstrap.servers")))
            return k->options.property[i].value.p;
    return "";
}

static int count_of(const struct rd_kafka_metadata *md, const char *topic, rd_kafka_resp_err_t *err)
{
    *err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, topic) == 0) {
            *err = md->topics[i].err;
            return md->topics[i].partition_cnt;
        }
    return 0;
}

static void say_missing(struct kafka *k, int topic, int partitions)
{
    struct buf b = {0};
    buf_printf(
        &b,
        "topic %s does not exist: kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions ",
        k->topic[topic], bootstrap(k), k->topic[topic]);
    if (partitions)
        buf_printf(&b, "%d", partitions);
    else
        buf_add(&b, S("N"));
    for (size_t i = 0; i < NSETTINGS; i++)
        if (topic_settings[i].topics & 1u << topic)
            buf_printf(&b, " --config %s=%s", topic_settings[i].name, topic_settings[i].value);
    kafka_reason(k, "%.*s", (int)b.n, b.p);
    buf_free(&b);
}

static bool counts_equal(struct kafka *k, const struct rd_kafka_metadata *md)
{
    int n[TOPIC_COUNT], most = 0;
    rd_kafka_resp_err_t err[TOPIC_COUNT];
    for (int i = 0; i < TOPIC_COUNT; i++) {
        n[i] = count_of(md, k->topic[i], &err[i]);
        most = n[i] > most ? n[i] : most;
    }
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (err[i] == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || (!err[i] && n[i] == 0))
            say_missing(k, i, most);
        else if (err[i])
            kafka_reason(k, "topic %s: %s", k->topic[i], rd_kafka_err2str(err[i]));
        else if (n[i] != most)
            kafka_reason(k,
                         "topic %s has %d partitions where others have %d; all eight need the same: "
                         "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d",
                         k->topic[i], n[i], most, bootstrap(k), k->topic[i], most);
        else
            continue;
        return false;
    }
    atomic_store(&k->npartitions, most);
    return true;
}

/* Asked on the restorer's handle, whose cache is thereby warm when a partition comes. */
static bool metadata_fine(struct kafka *k)
{
    rd_kafka_topic_t *held[TOPIC_COUNT];
    const struct rd_kafka_metadata *md;
    for (int i = 0; i < TOPIC_COUNT; i++)
        held[i] = rd_kafka_topic_new(k->restorer, k->topic[i], NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(k->restorer, 0, NULL, &md, SLICE_MS);
    for (int i = 0; i < TOPIC_COUNT; i++)
        rd_kafka_topic_destroy(held[i]);
    if (err) { /* the error callback says it, if it lasts */
        k->retry_at = kafka_monotonic_ms() + 50;
        return false;
    }
    bool fine = counts_equal(k, md);
    rd_kafka_metadata_destroy(md);
    if (!fine)
        k->retry_at = kafka_monotonic_ms() + 1000;
    return fine;
}

static void ask_configs(struct kafka *k)
{
    rd_kafka_ConfigResource_t *wanted[TOPIC_COUNT];
    for (int i = 0; i < TOPIC_COUNT; i++)
        wanted[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, k->topic[i]);
    rd_kafka_AdminOptions_t *o = rd_kafka_AdminOptions_new(k->restorer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(o, 10000, NULL, 0);
    rd_kafka_DescribeConfigs(k->restorer, wanted, TOPIC_COUNT, o, k->admin_queue);
    rd_kafka_AdminOptions_destroy(o);
    rd_kafka_ConfigResource_destroy_array(wanted, TOPIC_COUNT);
}

static int topic_of(const struct kafka *k, const char *name)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(k->topic[i], name) == 0)
            return i;
    return -1;
}

static bool setting_fine(struct kafka *k, int topic, const char *name, const char *value)
{
    for (size_t i = 0; i < NSETTINGS; i++) {
        const struct topic_setting *s = &topic_settings[i];
        if (s->wanted && s->topics & 1u << topic && strcmp(s->name, name) == 0 &&
            strcmp(s->value, value) != 0) {
            kafka_reason(k,
                         "topic %s has %s=%s, %s is needed: "
                         "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name "
                         "%s --add-config %s=%s",
                         k->topic[topic], name, value, s->value, bootstrap(k), k->topic[topic], name,
                         s->value);
            return false;
        }
    }
    return true;
}

static bool resource_fine(struct kafka *k, const rd_kafka_ConfigResource_t *r)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(r, &n);
    int topic = topic_of(k, rd_kafka_ConfigResource_name(r));
    if (rd_kafka_ConfigResource_error(r)) {
        log_warn("kafka: the settings of topic %s cannot be seen: %s", rd_kafka_ConfigResource_name(r),
                 rd_kafka_err2str(rd_kafka_ConfigResource_error(r)));
        return true;
    }
    for (size_t i = 0; i < n && topic >= 0; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entry[i]), *value = rd_kafka_ConfigEntry_value(entry[i]);
        if (!value)
            continue;
        if (!setting_fine(k, topic, name, value))
            return false;
        if (topic == TOPIC_CHANGELOG && strcmp(name, "delete.retention.ms") == 0)
            parse_i64(slice_of(value), &k->delete_retention_ms);
    }
    return true;
}

/* Where the broker does not let us look, records tell (a wrong timestamp type halts the partition). */
static bool configs_fine(struct kafka *k)
{
    if (!k->configs_asked) {
        ask_configs(k);
        k->configs_asked = true;
    }
    rd_kafka_event_t *ev = rd_kafka_queue_poll(k->admin_queue, SLICE_MS);
    if (!ev)
        return false;
    k->configs_asked = false;
    bool fine = true;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(ev);
    rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
    if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) {
        log_warn("kafka: the topics' settings cannot be seen: %s", rd_kafka_event_error_string(ev));
    } else if (err || !result) {
        fine = false; /* a broker that just went: ask again */
    } else {
        size_t n;
        const rd_kafka_ConfigResource_t **r = rd_kafka_DescribeConfigs_result_resources(result, &n);
        for (size_t i = 0; i < n && fine; i++)
            fine = resource_fine(k, r[i]);
    }
    rd_kafka_event_destroy(ev);
    if (!fine)
        k->retry_at = kafka_monotonic_ms() + 1000;
    return fine;
}

bool kafka_topics_verify(struct kafka *k)
{
    return (k->configs_asked || metadata_fine(k)) && configs_fine(k);
}

/* ---- creating them */

static rd_kafka_NewTopic_t *new_topic(struct kafka *k, int topic, int partitions, int replication,
                                      struct err *e)
{
    char why[512] = "";
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(k->topic[topic], partitions, replication, why, sizeof why);
    if (!t) {
        err_set(e, "kafka: topic %s: %s", k->topic[topic], why);
        return NULL;
    }
    for (size_t i = 0; i < NSETTINGS; i++)
        if (topic_settings[i].topics & 1u << topic)
            rd_kafka_NewTopic_set_config(t, topic_settings[i].name, topic_settings[i].value);
    if (replication > 2)
        rd_kafka_NewTopic_set_config(t, "min.insync.replicas", "2");
    return t;
}

static bool created(rd_kafka_event_t *ev, struct err *e)
{
    if (!ev)
        return err_set(e, "kafka: no answer to the creation of topics within 30 s");
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(ev);
    if (rd_kafka_event_error(ev) || !result)
        return err_set(e, "kafka: topics could not be created: %s", rd_kafka_event_error_string(ev));
    size_t n;
    const rd_kafka_topic_result_t **topic = rd_kafka_CreateTopics_result_topics(result, &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(topic[i]);
        if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return err_set(e, "kafka: topic %s: %s", rd_kafka_topic_result_name(topic[i]),
                           rd_kafka_topic_result_error_string(topic[i]));
    }
    return true;
}

bool bus_kafka_create_topics(const struct bus_kafka_options *o, int partitions, int replication,
                             struct err *e)
{
    struct kafka *k = mem_alloc(sizeof *k);
    k->options = *o;
    k->arena = arena_new();
    pthread_mutex_init(&k->trouble_lock, NULL);
    pthread_mutex_init(&k->lookout.lock, NULL);
    pthread_cond_init(&k->lookout.stirred, NULL);
    kafka_topics_name(k);
    rd_kafka_NewTopic_t *topic[TOPIC_COUNT];
    size_t n = 0;
    bool ok = kafka_options_check(k, e);
    rd_kafka_t *rk = ok ? kafka_handle_new(k, ROLE_ADMIN, e) : NULL;
    while (rk && n < TOPIC_COUNT && (topic[n] = new_topic(k, (int)n, partitions, replication, e)))
        n++;
    ok = n == TOPIC_COUNT;
    if (ok) {
        rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
        rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
        rd_kafka_AdminOptions_set_request_timeout(options, 25000, NULL, 0);
        rd_kafka_CreateTopics(rk, topic, n, options, q);
        rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 30000);
        ok = created(ev, e);
        if (ev)
            rd_kafka_event_destroy(ev);
        rd_kafka_AdminOptions_destroy(options);
        rd_kafka_queue_destroy(q);
    }
    rd_kafka_NewTopic_destroy_array(topic, n);
    if (rk)
        rd_kafka_destroy(rk);
    pthread_cond_destroy(&k->lookout.stirred);
    pthread_mutex_destroy(&k->lookout.lock);
    pthread_mutex_destroy(&k->trouble_lock);
    arena_free(k->arena);
    free(k);
    return ok;
}
