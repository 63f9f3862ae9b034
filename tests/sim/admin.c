/* Fake librdkafka: what topics there are, and how they are set up. */
#include "sim.h"

#include <string.h>

rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t *rk, int all, rd_kafka_topic_t *only,
                                      const struct rd_kafka_metadata **out, int timeout_ms)
{
    (void)rk;
    (void)all;
    (void)only;
    step("rd_kafka_metadata");
    if (!travel(until_of(timeout_ms)))
        return RD_KAFKA_RESP_ERR__TRANSPORT;
    pass(hop());
    struct rd_kafka_metadata *md = mem_alloc(sizeof *md);
    md->topic_cnt = TOPIC_COUNT;
    md->topics = mem_alloc(TOPIC_COUNT * sizeof *md->topics);
    for (int i = 0; i < TOPIC_COUNT; i++)
        md->topics[i] =
            (struct rd_kafka_metadata_topic){.topic = logs[i][0].name, .partition_cnt = plan.partitions};
    *out = md;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_metadata_destroy(const struct rd_kafka_metadata *md)
{
    free(md->topics);
    free((void *)(uintptr_t)md);
}

/* ---- settings of topics */

struct rd_kafka_ConfigEntry_s {
    const char *name, *value;
};

struct rd_kafka_ConfigResource_s {
    char name[64];
    struct rd_kafka_ConfigEntry_s entry[2];
    const rd_kafka_ConfigEntry_t *list[2];
    size_t n;
};

struct rd_kafka_op_s { /* an event, and its result */
    rd_kafka_ConfigResource_t *resource[TOPIC_COUNT];
    size_t n;
};

struct rd_kafka_AdminOptions_s {
    int unused;
};

rd_kafka_AdminOptions_t *rd_kafka_AdminOptions_new(rd_kafka_t *rk, rd_kafka_admin_op_t what)
{
    (void)rk;
    (void)what;
    return mem_alloc(sizeof(rd_kafka_AdminOptions_t));
}

void rd_kafka_AdminOptions_destroy(rd_kafka_AdminOptions_t *o)
{
    free(o);
}

rd_kafka_resp_err_t rd_kafka_AdminOptions_set_request_timeout(rd_kafka_AdminOptions_t *o, int ms, char *why, size_t n)
{
    (void)o;
    (void)ms;
    (void)why;
    (void)n;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_ConfigResource_t *rd_kafka_ConfigResource_new(rd_kafka_ResourceType_t type, const char *name)
{
    rd_kafka_ConfigResource_t *r = mem_alloc(sizeof *r);
    (void)type;
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

void rd_kafka_ConfigResource_destroy_array(rd_kafka_ConfigResource_t **r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(r[i]);
}

static void describe(rd_kafka_ConfigResource_t *r)
{
    bool changelog = strstr(r->name, "changelog"), history = strstr(r->name, "history");
    r->entry[0] = (struct rd_kafka_ConfigEntry_s){"message.timestamp.type", "LogAppendTime"};
    r->entry[1] = changelog ? (struct rd_kafka_ConfigEntry_s){"cleanup.policy", "compact"}
                  : history ? (struct rd_kafka_ConfigEntry_s){"cleanup.policy", "delete"}
                            : (struct rd_kafka_ConfigEntry_s){"delete.retention.ms", "604800000"};
    r->list[0] = &r->entry[0];
    r->list[1] = &r->entry[1];
    r->n = 2;
}

struct answer {
    rd_kafka_queue_t *queue;
    struct op *op;
};

static void deliver(void *arg)
{
    struct answer *a = arg;
    if (!broker_up) {
        later(200 * MS, NULL, deliver, a);
        return;
    }
    queue_push(a->queue, a->op);
    free(a);
}

void rd_kafka_DescribeConfigs(rd_kafka_t *rk, rd_kafka_ConfigResource_t **wanted, size_t n,
                              const rd_kafka_AdminOptions_t *o, rd_kafka_queue_t *queue)
{
    struct answer *a = mem_alloc(sizeof *a);
    (void)o;
    step("rd_kafka_DescribeConfigs");
    *a = (struct answer){queue, op_new(OP_EVENT)};
    a->op->event = mem_alloc(sizeof *a->op->event);
    for (size_t i = 0; i < n; i++) {
        a->op->event->resource[i] = mem_alloc(sizeof *a->op->event->resource[i]);
        memcpy(a->op->event->resource[i]->name, wanted[i]->name, sizeof wanted[i]->name);
        describe(a->op->event->resource[i]);
    }
    a->op->event->n = n;
    later(hop() + hop(), rk->node, deliver, a);
}

rd_kafka_event_t *rd_kafka_queue_poll(rd_kafka_queue_t *q, int timeout_ms)
{
    step("rd_kafka_queue_poll");
    if (!wait_for(queue_has, q, until_of(timeout_ms)))
        return NULL;
    struct op *op = queue_pop(q);
    rd_kafka_event_t *e = op->event;
    free(op);
    return e;
}

const rd_kafka_DescribeConfigs_result_t *rd_kafka_event_DescribeConfigs_result(rd_kafka_event_t *e)
{
    return e;
}

rd_kafka_resp_err_t rd_kafka_event_error(rd_kafka_event_t *e)
{
    (void)e;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

const char *rd_kafka_event_error_string(rd_kafka_event_t *e)
{
    (void)e;
    return "";
}

void rd_kafka_event_destroy(rd_kafka_event_t *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->resource[i]);
    free(e);
}

const rd_kafka_ConfigResource_t **rd_kafka_DescribeConfigs_result_resources(const rd_kafka_DescribeConfigs_result_t *r,
                                                                            size_t *n)
{
    *n = r->n;
    return (const rd_kafka_ConfigResource_t **)(uintptr_t)r->resource;
}

const rd_kafka_ConfigEntry_t **rd_kafka_ConfigResource_configs(const rd_kafka_ConfigResource_t *r, size_t *n)
{
    *n = r->n;
    return (const rd_kafka_ConfigEntry_t **)(uintptr_t)r->list;
}

const char *rd_kafka_ConfigResource_name(const rd_kafka_ConfigResource_t *r)
{
    return r->name;
}

rd_kafka_resp_err_t rd_kafka_ConfigResource_error(const rd_kafka_ConfigResource_t *r)
{
    (void)r;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

const char *rd_kafka_ConfigResource_error_string(const rd_kafka_ConfigResource_t *r)
{
    (void)r;
    return "";
}

const char *rd_kafka_ConfigEntry_name(const rd_kafka_ConfigEntry_t *e)
{
    return e->name;
}

const char *rd_kafka_ConfigEntry_value(const rd_kafka_ConfigEntry_t *e)
{
    return e->value;
}

/* ---- creating topics is not part of a history: they are there */

#define UNUSED __attribute__((unused))
#define NEVER(type, name, ...)                                                                               \
    type name(__VA_ARGS__)                                                                                   \
    {                                                                                                        \
        fail("%s is not simulated", #name);                                                                  \
    }
NEVER(void, rd_kafka_CreateTopics, rd_kafka_t *rk UNUSED, rd_kafka_NewTopic_t **t UNUSED, size_t n UNUSED,
      const rd_kafka_AdminOptions_t *o UNUSED, rd_kafka_queue_t *q UNUSED)
NEVER(rd_kafka_NewTopic_t *, rd_kafka_NewTopic_new, const char *t UNUSED, int n UNUSED, int r UNUSED, char *w UNUSED,
      size_t s UNUSED)
NEVER(void, rd_kafka_NewTopic_destroy_array, rd_kafka_NewTopic_t **t UNUSED, size_t n UNUSED)
NEVER(rd_kafka_resp_err_t, rd_kafka_NewTopic_set_config, rd_kafka_NewTopic_t *t UNUSED, const char *n UNUSED,
      const char *v UNUSED)
NEVER(const rd_kafka_CreateTopics_result_t *, rd_kafka_event_CreateTopics_result, rd_kafka_event_t *e UNUSED)
NEVER(const rd_kafka_topic_result_t **, rd_kafka_CreateTopics_result_topics, const rd_kafka_CreateTopics_result_t *r UNUSED,
      size_t *n UNUSED)
NEVER(rd_kafka_resp_err_t, rd_kafka_topic_result_error, const rd_kafka_topic_result_t *r UNUSED)
NEVER(const char *, rd_kafka_topic_result_error_string, const rd_kafka_topic_result_t *r UNUSED)
NEVER(const char *, rd_kafka_topic_result_name, const rd_kafka_topic_result_t *r UNUSED)
