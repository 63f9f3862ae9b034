/* What keeps the bus from running, as one sentence that anybody may ask for, said in the log when it changes.
 */
#include "bus/bus_kafka.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define STALE_MS 30000

/* librdkafka says how long it took, and how often that was so before. */
static size_t before_after(const char *reason)
{
    const char *after = strstr(reason, " (after ");
    return after ? (size_t)(after - reason) : strlen(reason);
}

/* With the lock held. "All down" comes last and tells least; so do others after what can be cured. */
static void learn_why(struct kafka *k, const char *reason)
{
    int cure = kafka_cure_of(reason, atomic_load(&k->certificate));
    if (cure)
        err_set(&k->away_why, "broker away: %s (%.*s)", kafka_cure_text(cure), (int)before_after(reason), reason);
    else if (!k->away_why.text[0])
        err_set(&k->away_why, "broker away: %s", reason);
    k->away_cure = cure ? cure : k->away_cure;
    if (k->away && cure && !(k->away_said & 1u << cure)) { /* away still, and for another reason */
        k->away_said |= 1u << cure;
        log_warn("kafka: %s; trying again until it answers", k->away_why.text);
    }
}

/* Any thread. A listener that hangs up is in the log alone; the error callback says only that all are down. */
static void hear_failure(struct kafka *k, const char *text)
{
    const char *reason = strstr(text, "]: ");
    if (!reason || !kafka_cure_of(text, 0))
        return;
    pthread_mutex_lock(&k->trouble_lock);
    learn_why(k, reason + 3);
    pthread_mutex_unlock(&k->trouble_lock);
}

void kafka_on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    /* Most of it repeats what the error callback says, once for each handle and attempt. */
    (void)level;
    if (strcmp(fac, "ADDPARTS") == 0)
        kafka_hear_refusal(rd_kafka_opaque(rk), text);
    if (strcmp(fac, "FAIL") == 0)
        hear_failure(rd_kafka_opaque(rk), text);
    log_debug("kafka: %s %s: %s", rd_kafka_name(rk), fac, text);
}

/* Errors that may mean: no broker is to be had, or none that lets us in. */
static bool means_away(rd_kafka_resp_err_t err)
{
    static const rd_kafka_resp_err_t list[] = {
        RD_KAFKA_RESP_ERR__TRANSPORT,      RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__RESOLVE,        RD_KAFKA_RESP_ERR__SSL,
        RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == err)
            return true;
    return false;
}

void kafka_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    struct kafka *k = opaque;
    if (err == RD_KAFKA_RESP_ERR__FATAL) {
        char why[512];
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, why, sizeof why);
        k->fenced |= fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || fatal == RD_KAFKA_RESP_ERR__FENCED;
        if (!kafka_deny_batch(k, fatal))
            kafka_restart(k, "%s",
                          fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID || fatal == RD_KAFKA_RESP_ERR__FENCED
                              ? "another process runs as this node, or ran while this one was held up"
                              : why);
        return;
    }
    if (!means_away((rd_kafka_resp_err_t)err)) {
        log_debug("kafka: %s: %s", rd_kafka_name(rk), reason);
        return;
    }
    pthread_mutex_lock(&k->trouble_lock);
    learn_why(k, reason);
    k->suspect = true;
    pthread_mutex_unlock(&k->trouble_lock);
    kafka_lookout_stir(k);
}

/* The appender's, on its thread. */
void kafka_on_append_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    if (err == RD_KAFKA_RESP_ERR__FATAL)
        atomic_store(&((struct kafka *)opaque)->appender.broken, true);
    else
        kafka_on_error(rk, err, reason, opaque);
}

bool kafka_is_suspect(struct kafka *k)
{
    pthread_mutex_lock(&k->trouble_lock);
    bool suspect = k->suspect;
    pthread_mutex_unlock(&k->trouble_lock);
    return suspect;
}

void kafka_seen(struct kafka *k, bool answers)
{
    struct err why;
    pthread_mutex_lock(&k->trouble_lock);
    bool news = k->away == answers;
    k->away = !answers;
    k->suspect = !answers;
    k->away_said |= 1u << k->away_cure;
    if (answers) {
        k->away_why.text[0] = 0;
        k->away_cure = 0;
        k->away_said = 0;
    }
    else if (!k->away_why.text[0])
        err_set(&k->away_why, "broker away: no answer from %s (bootstrap.servers)", kafka_bootstrap(k));
    why = k->away_why;
    pthread_mutex_unlock(&k->trouble_lock);
    if (news && answers)
        log_info("kafka: the broker answers again");
    else if (news)
        log_warn("kafka: %s; trying again until it answers", why.text);
    if (news)
        kafka_wake(k);
}

/* Worker's thread. The same sentence is said once, however often it is found. */
void kafka_reason(struct kafka *k, const char *fmt, ...)
{
    struct err said;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said.text, sizeof said.text, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&k->trouble_lock);
    bool news = strcmp(said.text, k->reason.text) != 0;
    k->reason = said;
    pthread_mutex_unlock(&k->trouble_lock);
    if (news)
        log_warn("kafka: %s", said.text);
    k->stir |= news;
}

void kafka_no_reason(struct kafka *k)
{
    pthread_mutex_lock(&k->trouble_lock);
    k->stir |= k->reason.text[0] != 0;
    k->reason.text[0] = 0;
    pthread_mutex_unlock(&k->trouble_lock);
}

static void append_trouble(struct kafka *k, struct err *why)
{
    struct arena *a = arena_new();
    struct slice missing = kafka_right_missing(k, RIGHT_WRITE, k->append_denied, a);
    err_set(why, "kafka: %.*s", SLICE_ARG(missing));
    arena_free(a);
}

void kafka_append_refused(struct kafka *k, enum topic topic, bool refused)
{
    struct err why;
    pthread_mutex_lock(&k->trouble_lock);
    bool news = !(k->append_denied & 1u << topic) == refused;
    k->append_denied = refused ? k->append_denied | 1u << topic : k->append_denied & ~(1u << topic);
    if (refused)
        k->append_denied_at = kafka_monotonic_ms();
    if (news && refused)
        append_trouble(k, &why);
    pthread_mutex_unlock(&k->trouble_lock);
    if (news && refused)
        log_warn("%s", why.text);
    if (news)
        kafka_wake(k);
}

bool kafka_trouble(struct bus *b, struct err *why)
{
    struct kafka *k = kafka_of(b);
    pthread_mutex_lock(&k->trouble_lock);
    if (k->append_denied && kafka_monotonic_ms() - k->append_denied_at > STALE_MS)
        k->append_denied = 0; /* or nobody would send again: where this is said, nothing is sent to */
    const char *reason = k->away ? k->away_why.text : k->reason.text, *halted = k->halted.text;
    bool any = *reason || *halted || k->append_denied;
    if (*reason || *halted)
        err_set(why, "kafka: %s%s%s", reason, *reason && *halted ? "; " : "", halted);
    else if (any)
        append_trouble(k, why);
    pthread_mutex_unlock(&k->trouble_lock);
    return any;
}

void kafka_restart(struct kafka *k, const char *fmt, ...)
{
    char why[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (!k->restart)
        kafka_reason(k, "begins again from the last committed batch: %s", why);
    k->restart = true;
    k->stir = true;
}
