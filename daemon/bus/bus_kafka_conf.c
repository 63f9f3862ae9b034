/* librdkafka handles: one row a setting, and which of them are not the operator's to change. */
#include "bus/bus_kafka.h"

#include <stdio.h>

#define C (1u << ROLE_CONSUMER)
#define P (1u << ROLE_PRODUCER)
#define R (1u << ROLE_RESTORER)
#define L (1u << ROLE_LOOKOUT)
#define A (1u << ROLE_APPENDER)
#define D (1u << ROLE_ADMIN)
#define ALL (C | P | R | L | A | D)

/* %g group, %n node, %t transaction time-out in the value stand for these. Locked: the protocol depends on
 * it. */
static const struct setting {
    const char *name, *value;
    unsigned roles;
    bool locked;
} settings[] = {
    {"client.id", "duban-%n", ALL, false},
    {"socket.nagle.disable", "true", ALL, false},
    {"reconnect.backoff.ms", "50", ALL, false},
    {"reconnect.backoff.max.ms", "1000", ALL, false},
    /* One retry in send_offsets, while the last transaction's markers are written, costs this much. */
    {"retry.backoff.ms", "1", ALL, false},
    {"topic.metadata.refresh.interval.ms", "10000", ALL, false}, /* added partitions are noticed */
    {"log.connection.close", "false", ALL, false},

    {"group.id", "%g", C, true},
    {"group.id", "%g-restore", R, true}, /* never joined: assign() wants one */
    {"group.instance.id", "%n", C, true},
    {"partition.assignment.strategy", "range", C, true},
    {"heartbeat.interval.ms", "1000", C, false},
    {"enable.auto.commit", "false", C | R, true},
    {"enable.auto.offset.store", "false", C | R, true},
    {"auto.offset.reset", "error", C | R, true},
    {"enable.partition.eof", "true", C | R, true},
    {"isolation.level", "read_committed", C | R, true},
    {"isolation.level", "read_uncommitted", L, true},
    {"check.crcs", "true", C | R, false},
    {"fetch.error.backoff.ms", "20", C | R, false},
    {"fetch.wait.max.ms", "500", C, false}, /* the broker answers at once when there is something */
    {"fetch.wait.max.ms", "10", R, false},  /* a next log waits for the last fetch of the one before */
    {"queued.max.messages.kbytes", "32768", C | R, false},

    {"transactional.id", "%g-%n-0", P, true},
    {"transaction.timeout.ms", "%t", P, false},
    {"enable.idempotence", "true", P | A, true},
    {"acks", "all", P | A, true},
    {"linger.ms", "0", P | A, false},
    {"message.max.bytes", "8388608", P | A, false},
    {"queue.buffering.max.messages", "500000", P, false},
    {"message.timeout.ms", "10000", A, false},
};

/* Must keep their relation: a dead node's transaction must end before its partitions are another's. */
#define SESSION_MS "session.timeout.ms"
#define TRANSACTION_MS "transaction.timeout.ms"

static struct slice property(const struct kafka *k, const char *name)
{
    for (size_t i = 0; i < k->options.nproperties; i++)
        if (slice_eq(k->options.property[i].name, slice_of(name)))
            return k->options.property[i].value;
    return (struct slice){0};
}

static bool locked(struct slice name)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].locked && slice_eq(name, slice_of(settings[i].name)))
            return true;
    return false;
}

static bool milliseconds(const struct kafka *k, const char *name, int fallback, int *out, struct err *e)
{
    struct slice given = property(k, name);
    uint64_t v = (uint64_t)fallback;
    if (given.p && (!parse_u64(given, &v) || v < 1000 || v > 900000))
        return err_set(e, "kafka: %s is \"%.*s\"; a number from 1000 to 900000 was expected", name,
                       SLICE_ARG(given));
    *out = (int)v;
    return true;
}

bool kafka_options_check(struct kafka *k, struct err *e)
{
    if (!property(k, "bootstrap.servers").n)
        return err_set(e, "kafka: bootstrap.servers is not set; host:port of a broker was expected");
    for (size_t i = 0; i < k->options.nproperties; i++)
        if (locked(k->options.property[i].name))
            return err_set(
                e, "kafka: %.*s cannot be set: exactly-once depends on the value that duband gives it",
                SLICE_ARG(k->options.property[i].name));
    if (!milliseconds(k, SESSION_MS, 45000, &k->session_ms, e) ||
        !milliseconds(k, TRANSACTION_MS, k->session_ms < 40000 ? k->session_ms : 40000, &k->transaction_ms,
                      e))
        return false;
    if (k->transaction_ms > k->session_ms)
        return err_set(e, "kafka: %s (%d) is longer than %s (%d); at most the same was expected",
                       TRANSACTION_MS, k->transaction_ms, SESSION_MS, k->session_ms);
    return true;
}

static struct slice expand(const struct kafka *k, const char *value, struct arena *a)
{
    struct buf b = {0};
    for (; *value; value++) {
        char what = *value == '%' ? *++value : 0;
        if (what == 'g')
            buf_add(&b, slice_of(k->options.group));
        else if (what == 'n')
            buf_add(&b, slice_of(k->options.node));
        else if (what == 't')
            buf_printf(&b, "%d", k->transaction_ms);
        else
            buf_byte(&b, (unsigned char)*value);
    }
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return true;
    return err_set(e, "kafka: %s = %s: %s", name, value, why);
}

static bool fill(struct kafka *k, rd_kafka_conf_t *conf, enum kafka_role role, struct arena *a, struct err *e)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].roles & 1u << role &&
            !set(conf, settings[i].name, expand(k, settings[i].value, a).p, e))
            return false;
    for (size_t i = 0; i < k->options.nproperties; i++) {
        const struct header *h = &k->options.property[i];
        if (!set(conf, arena_dup(a, h->name).p, arena_dup(a, h->value).p, e))
            return false;
    }
    return true;
}

rd_kafka_t *kafka_handle_new(struct kafka *k, enum kafka_role role, struct err *e)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    struct arena *a = arena_new();
    rd_kafka_t *rk = NULL;
    bool producer = role == ROLE_PRODUCER || role == ROLE_APPENDER || role == ROLE_ADMIN;
    if (fill(k, conf, role, a, e)) {
        rd_kafka_conf_set_opaque(conf, k);
        rd_kafka_conf_set_log_cb(conf, kafka_on_log);
        rd_kafka_conf_set_error_cb(conf, role == ROLE_APPENDER ? kafka_on_append_error : kafka_on_error);
        if (role == ROLE_CONSUMER)
            rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
        /* Without a delivery callback librdkafka's commit waits out a flush quantum of 10 ms. */
        if (role == ROLE_PRODUCER)
            rd_kafka_conf_set_dr_msg_cb(conf, kafka_on_delivery);
        if (role == ROLE_APPENDER)
            rd_kafka_conf_set_dr_msg_cb(conf, kafka_on_append);
        char why[512];
        rk = rd_kafka_new(producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, why, sizeof why);
        if (rk)
            conf = NULL; /* the handle's now */
        else
            err_set(e, "kafka: %s", why);
    }
    if (conf)
        rd_kafka_conf_destroy(conf);
    arena_free(a);
    return rk;
}
