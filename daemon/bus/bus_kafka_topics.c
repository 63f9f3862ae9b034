/* The eight topics: their names, and whether they have the shape that the protocol needs. What is refused is
 * refused with the command that repairs it. */
#include "bus/bus_kafka.h"

#include <stdio.h>

const struct kafka_topic_setting kafka_topic_settings[] = {
    /* Receipt time is the log's: a portal's clock must not decide what was in time. */
    {1u << TOPIC_SUBMISSIONS | 1u << TOPIC_DEADLINES, "message.timestamp.type", "LogAppendTime", true},
    {1u << TOPIC_CHANGELOG, "cleanup.policy", "compact", true},
    {1u << TOPIC_CHANGELOG, "delete.retention.ms", "604800000", false},
    {1u << TOPIC_CHANGELOG, "segment.bytes", "134217728", false},
    {1u << TOPIC_HISTORY, "cleanup.policy", "delete", true},
    {1u << TOPIC_HISTORY, "retention.ms", "-1", false},
    {0xffu & ~(1u << TOPIC_HISTORY | 1u << TOPIC_REJECTED | 1u << TOPIC_CHANGELOG), "max.message.bytes", "8388608", false},
    /* History holds the input and what came of it. */
    {1u << TOPIC_HISTORY | 1u << TOPIC_REJECTED | 1u << TOPIC_CHANGELOG, "max.message.bytes", "20971520",
     false},
    {0xffu & ~(1u << TOPIC_HISTORY | 1u << TOPIC_CHANGELOG), "retention.ms", "7776000000",
     false}, /* 90 days */
};
#define REQUEST_MOST 8000000
#define REQUEST_HEAD 1000 /* of a batch of records, and some */
const size_t kafka_ntopic_settings = sizeof kafka_topic_settings / sizeof *kafka_topic_settings;

void kafka_topics_name(struct kafka *k)
{
    for (int i = 0; i < TOPIC_COUNT; i++) {
        const char *dot = strchr(topic_names[i], '.');
        k->topic[i] =
            arena_printf(k->arena, "%s%s", k->options.topic_prefix, dot ? dot + 1 : topic_names[i]).p;
    }
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
        k->topic[topic], kafka_bootstrap(k), k->topic[topic]);
    if (partitions)
        buf_printf(&b, "%d", partitions);
    else
        buf_add(&b, S("N"));
    for (size_t i = 0; i < kafka_ntopic_settings; i++)
        if (kafka_topic_settings[i].topics & 1u << topic)
            buf_printf(&b, " --config %s=%s", kafka_topic_settings[i].name, kafka_topic_settings[i].value);
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
        else if (kafka_is_denial(err[i]))
            kafka_deny(k, RIGHT_TOPIC, 1u << i);
        else if (err[i])
            kafka_reason(k, "topic %s: %s", k->topic[i], rd_kafka_err2str(err[i]));
        else if (n[i] != most)
            kafka_reason(k,
                         "topic %s has %d partitions where others have %d; all eight need the same: "
                         "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d",
                         k->topic[i], n[i], most, kafka_bootstrap(k), k->topic[i], most);
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
    for (size_t i = 0; i < kafka_ntopic_settings; i++) {
        const struct kafka_topic_setting *s = &kafka_topic_settings[i];
        if (s->wanted && s->topics & 1u << topic && strcmp(s->name, name) == 0 &&
            strcmp(s->value, value) != 0) {
            kafka_reason(k,
                         "topic %s has %s=%s, %s is needed: "
                         "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name "
                         "%s --add-config %s=%s",
                         k->topic[topic], name, value, s->value, kafka_bootstrap(k), k->topic[topic], name,
                         s->value);
            return false;
        }
    }
    return true;
}

/* Brokers refuse a request's records of one partition together when they are more than a topic's largest record. */
static void learn_request_bytes(struct kafka *k, const char *value)
{
    uint64_t most;
    if (parse_u64(slice_of(value), &most) && most > 2 * REQUEST_HEAD &&
        most - REQUEST_HEAD < (uint64_t)k->request_bytes)
        k->request_bytes = (int)(most - REQUEST_HEAD);
}

static bool resource_fine(struct kafka *k, const rd_kafka_ConfigResource_t *r)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(r, &n);
    int topic = topic_of(k, rd_kafka_ConfigResource_name(r));
    rd_kafka_resp_err_t err = rd_kafka_ConfigResource_error(r);
    if (kafka_is_denial(err))
        kafka_deny(k, RIGHT_CONFIGS, 0);
    else if (err)
        kafka_reason(k, "the settings of topic %s cannot be seen: %s", rd_kafka_ConfigResource_name(r), rd_kafka_err2str(err));
    if (err)
        return false;
    for (size_t i = 0; i < n && topic >= 0; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entry[i]), *value = rd_kafka_ConfigEntry_value(entry[i]);
        if (!value)
            continue;
        if (!setting_fine(k, topic, name, value))
            return false;
        if (topic == TOPIC_CHANGELOG && strcmp(name, "delete.retention.ms") == 0)
            parse_i64(slice_of(value), &k->delete_retention_ms);
        if (topic >= MERGE_LANES && strcmp(name, "max.message.bytes") == 0)
            learn_request_bytes(k, value);
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
        k->request_bytes = REQUEST_MOST;
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
