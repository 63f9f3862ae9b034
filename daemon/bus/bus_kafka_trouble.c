/* What keeps the bus from running, as one sentence that anybody may ask for, said in the log when it changes.
 */
#include "bus/bus_kafka.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

void kafka_on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    /* Most of it repeats what the error callback says, once for each handle and attempt. */
    (void)level;
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
    /* "All down" comes last and tells least. */
    if (!k->away_why.text[0] || err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        err_set(&k->away_why, "broker away: %s", reason);
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
    if (answers)
        k->away_why.text[0] = 0;
    else if (!k->away_why.text[0])
        err_set(&k->away_why, "broker away: no answer");
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

bool kafka_trouble(struct bus *b, struct err *why)
{
    struct kafka *k = kafka_of(b);
    pthread_mutex_lock(&k->trouble_lock);
    bool any = k->away || k->reason.text[0];
    if (any)
        err_set(why, "kafka: %s", k->away ? k->away_why.text : k->reason.text);
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
