/* What the broker does not let us do: said in one line, with the command that lets us. Everything that duband does is one of
 * these rows; deploy/README.md lists them. */
#include "bus/bus_kafka.h"

#include <stdio.h>

bool kafka_is_denial(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static const unsigned read_topics = 1u << TOPIC_SUBMISSIONS | 1u << TOPIC_DEADLINES | 1u << TOPIC_CHANGELOG | 1u << TOPIC_HISTORY;

static const struct right {
    const char *operation, *resource, *option;
} rights[] = {
    [RIGHT_READ] = {"Read", "topic", "--topic"},
    [RIGHT_WRITE] = {"Write", "topic", "--topic"},
    [RIGHT_TOPIC] = {"Write", "topic", "--topic"},
    [RIGHT_CONFIGS] = {"DescribeConfigs", "topic", "--topic"},
    [RIGHT_GROUP] = {"Read", "group", "--group"},
    [RIGHT_TRANSACTIONAL] = {"Write", "transactional id", "--transactional-id"},
    [RIGHT_CREATE] = {"Create", "topic", "--topic"},
    [RIGHT_IDEMPOTENT] = {"IdempotentWrite", "cluster", "--cluster"}, /* of brokers before 3.0 */
};

static void principal(const struct kafka *k, struct buf *b)
{
    for (size_t i = 0; i < k->options.nproperties; i++)
        if (slice_eq(k->options.property[i].name, S("sasl.username"))) {
            buf_printf(b, "User:%.*s", SLICE_ARG(k->options.property[i].value));
            return;
        }
    buf_add(b, S("User:PRINCIPAL")); /* of a certificate, or of a mechanism that knows its own name */
}

static void operations(struct buf *b, enum kafka_right right, unsigned topics, const char *between)
{
    if (right == RIGHT_TOPIC && topics & read_topics)
        buf_printf(b, "Read%s", between);
    buf_add(b, slice_of(rights[right].operation));
}

static void names(const struct kafka *k, struct buf *b, enum kafka_right right, unsigned topics, const char *before, const char *between)
{
    bool first = true;
    if (right == RIGHT_GROUP)
        buf_printf(b, "%s%s", before, k->options.group);
    else if (right == RIGHT_TRANSACTIONAL)
        buf_printf(b, "%s%s-", before, k->options.group);
    else if (right == RIGHT_CONFIGS || right == RIGHT_CREATE)
        buf_printf(b, "%s%s", before, k->options.topic_prefix);
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (right <= RIGHT_TOPIC && topics & 1u << i) {
            buf_printf(b, "%s%s%s", first ? "" : between, before, k->topic[i]);
            first = false;
        }
}

static bool is_prefix(enum kafka_right right)
{
    return right == RIGHT_CONFIGS || right == RIGHT_TRANSACTIONAL || right == RIGHT_CREATE;
}

struct slice kafka_right_missing(const struct kafka *k, enum kafka_right right, unsigned topics, struct arena *a)
{
    struct buf b = {0};
    principal(k, &b);
    buf_add(&b, S(" may not "));
    operations(&b, right, topics, " and ");
    buf_printf(&b, " %s ", rights[right].resource);
    names(k, &b, right, topics, "", ", ");
    buf_printf(&b, "%s: kafka-acls.sh --bootstrap-server %s --add --allow-principal ", is_prefix(right) ? "…" : "",
               kafka_bootstrap(k));
    principal(k, &b);
    buf_add(&b, S(" --operation "));
    operations(&b, right, topics, " --operation ");
    buf_byte(&b, ' ');
    char option[32];
    snprintf(option, sizeof option, "%s ", rights[right].option);
    if (right == RIGHT_IDEMPOTENT)
        buf_add(&b, slice_of(rights[right].option));
    names(k, &b, right, topics, option, " ");
    if (is_prefix(right))
        buf_add(&b, S(" --resource-pattern-type prefixed"));
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

void kafka_deny(struct kafka *k, enum kafka_right right, unsigned topics)
{
    struct arena *a = arena_new();
    struct slice missing = kafka_right_missing(k, right, topics, a);
    k->denied |= right <= RIGHT_TOPIC ? topics : 0;
    kafka_reason(k, "%.*s", SLICE_ARG(missing));
    arena_free(a);
}

/* An error of a batch, or of the producer: which right is it that is missing? */
static bool of_batch(struct kafka *k, rd_kafka_resp_err_t err)
{
    unsigned told = atomic_exchange(&k->refused, 0);
    if (err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        kafka_deny(k, RIGHT_GROUP, 0);
    else if (err == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
        kafka_deny(k, RIGHT_TRANSACTIONAL, 0);
    else if (err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        kafka_deny(k, RIGHT_IDEMPOTENT, 0);
    else if (told) /* whatever the error says: it may be what came of that */
        kafka_deny(k, RIGHT_WRITE, told);
    else if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && !k->denied) /* the offsets': a log that may not be read */
        kafka_deny(k, RIGHT_READ, 1u << TOPIC_SUBMISSIONS | 1u << TOPIC_DEADLINES);
    else
        return err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    return true;
}

bool kafka_deny_batch(struct kafka *k, rd_kafka_resp_err_t err)
{
    if (!of_batch(k, err))
        return false;
    k->restart = k->stir = true; /* a handle may keep to its refusal */
    return true;
}

/* librdkafka's own thread. Which partition a transaction may not write to is said in its log alone. */
void kafka_hear_refusal(struct kafka *k, const char *text)
{
    char quoted[300];
    if (!strstr(text, rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)))
        return;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        snprintf(quoted, sizeof quoted, "\"%s\"", k->topic[i]);
        if (strstr(text, quoted))
            atomic_fetch_or(&k->refused, 1u << i);
    }
}

void kafka_allowed(struct kafka *k, unsigned topics)
{
    if (!(k->denied & topics))
        return;
    k->denied &= ~topics;
    if (k->denied)
        return;
    kafka_no_reason(k);
    k->backoff = 0;
}
