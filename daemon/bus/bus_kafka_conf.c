/* librdkafka handles: one row a setting, and which of them are not the operator's to change. */
#include "bus/bus_kafka.h"

#include <stdio.h>
#include <strings.h>

#define C (1u << ROLE_CONSUMER)
#define P (1u << ROLE_PRODUCER)
#define R (1u << ROLE_RESTORER)
#define L (1u << ROLE_LOOKOUT)
#define A (1u << ROLE_APPENDER)
#define D (1u << ROLE_ADMIN)
#define F (1u << ROLE_FOLLOWER)
#define ALL (C | P | R | L | A | D | F)

/* %g group, %n node, %w the worker's slot, %t transaction time-out, %b bytes of a request: in a value these stand for
 * that. Locked: the protocol depends on it. */
static const struct setting {
    const char *name, *value;
    unsigned roles;
    bool locked;
} settings[] = {
    {"client.id", "duban-%n-%w", ALL, false},
    {"socket.nagle.disable", "true", ALL, false},
    {"reconnect.backoff.ms", "50", ALL, false},
    {"reconnect.backoff.max.ms", "1000", ALL, false},
    /* One retry in send_offsets, while the last transaction's markers are written, costs this much. */
    {"retry.backoff.ms", "1", ALL, false},
    {"topic.metadata.refresh.interval.ms", "10000", ALL, false}, /* added partitions are noticed */
    {"log.connection.close", "true", ALL, false}, /* a listener that hangs up says what security.protocol it wants */

    {"group.id", "%g", C | R | F, true}, /* joined by C alone: assign() wants one, too, and a right to it */
    {"group.instance.id", "%n-%w", C, true},
    {"partition.assignment.strategy", "range", C, true},
    {"heartbeat.interval.ms", "1000", C, false},
    {"enable.auto.commit", "false", C | R | F, true},
    {"enable.auto.offset.store", "false", C | R | F, true},
    {"auto.offset.reset", "error", C | R | F, true},
    {"enable.partition.eof", "true", C | R | F, true},
    {"isolation.level", "read_committed", C | R | F, true},
    {"isolation.level", "read_uncommitted", L, true},
    {"check.crcs", "true", C | R | F, true},
    {"fetch.error.backoff.ms", "20", C | R | F, false},
    {"fetch.wait.max.ms", "500", C | F, false}, /* the broker answers at once when there is something */
    {"fetch.wait.max.ms", "10", R, false},  /* a next log waits for the last fetch of the one before */
    /* What lies ready before it is asked for. These count for each partition of a topic: see share(). */
    {"queued.min.messages", "%m", C | F, false},
    {"queued.max.messages.kbytes", "%k", C | F, false},
    {"fetch.message.max.bytes", "%f", C, false}, /* a single larger record passes */
    {"queued.max.messages.kbytes", "8192", R, false},

    {"transactional.id", "%g-%n-%w", P, true},
    {"transaction.timeout.ms", "%t", P, false},
    {"enable.idempotence", "true", P | A, true},
    {"acks", "all", P | A, true},
    /* A commit flushes. Until then few, large requests: with one in flight, librdkafka 2.0.2 spins over what waits
     * longer than this for its answer. */
    {"linger.ms", "100", P, false},
    {"batch.size", "%b", P, false},
    {"batch.num.messages", "100000", P, false},
    {"compression.codec", "lz4", P, false}, /* costs less than the bytes it saves, on both sides */
    {"message.copy.max.bytes", "0", P, false}, /* what is compressed next is not copied into a request before */
    {"linger.ms", "0", A, false},
    {"message.max.bytes", "8388608", A, false},
    {"message.max.bytes", "20971520", P, false}, /* history repeats the input, and says what came of it */
    {"queue.buffering.max.messages", "50000", P, false},
    {"queue.buffering.max.kbytes", "32768", P, false},
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

const char *kafka_bootstrap(const struct kafka *k)
{
    struct slice given = property(k, "bootstrap.servers");
    return given.n ? given.p : "";
}

#define SCRAM_WORKS 0x020601ff /* before, librdkafka sends a nonce that brokers refuse */

static bool mechanism_fine(const struct kafka *k, struct err *e)
{
    static const char *const names[] = {"sasl.mechanism", "sasl.mechanisms"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct slice given = property(k, names[i]);
        if (given.n >= 5 && strncasecmp(given.p, "SCRAM", 5) == 0 && rd_kafka_version() < SCRAM_WORKS)
            return err_set(e,
                           "kafka: %s = %.*s cannot work with librdkafka %s, which brokers refuse; set PLAIN with security.protocol = "
                           "SASL_SSL, or install librdkafka 2.6.1 or newer",
                           names[i], SLICE_ARG(given), rd_kafka_version_str());
    }
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
    if (!mechanism_fine(k, e))
        return false;
    if (!milliseconds(k, SESSION_MS, 45000, &k->session_ms, e) ||
        !milliseconds(k, TRANSACTION_MS, k->session_ms < 40000 ? k->session_ms : 40000, &k->transaction_ms,
                      e))
        return false;
    if (k->transaction_ms > k->session_ms)
        return err_set(e, "kafka: %s (%d) is longer than %s (%d); at most the same was expected",
                       TRANSACTION_MS, k->transaction_ms, SESSION_MS, k->session_ms);
    return true;
}

/* Of what all partitions may keep ready together, this one's part: it may turn out that a worker has them all. */
static long share(const struct kafka *k, long all, long least)
{
    int n = atomic_load(&k->npartitions);
    return all / (n > 0 ? n : 1) > least ? all / (n > 0 ? n : 1) : least;
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
        else if (what == 'w')
            buf_printf(&b, "%d", k->options.slot);
        else if (what == 'm')
            buf_printf(&b, "%ld", share(k, 4000, 250));
        else if (what == 'k')
            buf_printf(&b, "%ld", share(k, 3072, 256));
        else if (what == 'f')
            buf_printf(&b, "%ld", share(k, 1 << 19, 1 << 16));
        else if (what == 't')
            buf_printf(&b, "%d", k->transaction_ms);
        else if (what == 'b')
            buf_printf(&b, "%d", k->request_bytes);
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

/* Names the setting that librdkafka speaks of, by its name or by its value. */
static void refuse(const struct kafka *k, const char *why, struct err *e)
{
    err_set(e, "kafka: %s", why);
    for (size_t i = 0; i < k->options.nproperties; i++) {
        const struct header *h = &k->options.property[i];
        if (!strstr(h->name.p, "password") && h->value.n && (strstr(why, h->name.p) || strstr(why, h->value.p))) {
            err_set(e, "kafka: %s = %s: %s", h->name.p, h->value.p, why);
            return;
        }
    }
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
        rd_kafka_conf_set_ssl_cert_verify_cb(conf, kafka_on_certificate);
        rd_kafka_conf_set_error_cb(conf, role == ROLE_APPENDER ? kafka_on_append_error : kafka_on_error);
        if (role == ROLE_CONSUMER) {
            rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
            kafka_hold_conf(k, conf);
        }
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
            refuse(k, why, e);
    }
    if (conf)
        rd_kafka_conf_destroy(conf);
    arena_free(a);
    return rk;
}
