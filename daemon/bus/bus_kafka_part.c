/* A partition's troubles are its own: it halts, or its store is tried again, and the others of its worker go on. */
#include "bus/bus_kafka.h"

#include <stdarg.h>
#include <stdio.h>

#define AGAIN_FIRST 1000 /* between a failure of the store and the next attempt … */
#define AGAIN_MOST 30000 /* … at most */

static const char *link_of(const struct part *p)
{
    return p->state == PART_RUNS ? "" : " is halted";
}

void kafka_parts_tell(struct kafka *k)
{
    struct err now = {{0}};
    size_t n = 0;
    for (size_t i = 0; i < k->nparts && n < sizeof now.text; i++)
        if (k->part[i]->why.text[0])
            n += (size_t)snprintf(now.text + n, sizeof now.text - n, "%spartition %d%s: %s", n ? "; " : "", k->part[i]->id,
                                  link_of(k->part[i]), k->part[i]->why.text);
    pthread_mutex_lock(&k->trouble_lock);
    k->stir |= strcmp(now.text, k->halted.text) != 0;
    k->halted = now;
    pthread_mutex_unlock(&k->trouble_lock);
}

static void say(struct kafka *k, struct part *p, const char *why)
{
    if (why[0] && strcmp(why, p->why.text) != 0)
        log_warn("kafka: partition %d%s: %s", p->id, link_of(p), why);
    snprintf(p->why.text, sizeof p->why.text, "%s", why);
    kafka_parts_tell(k);
}

void kafka_part_halt(struct kafka *k, struct part *p, const char *fmt, ...)
{
    struct err why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why.text, sizeof why.text, fmt, ap);
    va_end(ap);
    p->state = PART_HALTED;
    kafka_part_drop_held(p);
    say(k, p, why.text);
    k->stir = true;
}

void kafka_part_note(struct kafka *k, struct part *p, const char *fmt, ...)
{
    struct err why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why.text, sizeof why.text, fmt, ap);
    va_end(ap);
    if (why.text[0] || p->why.text[0])
        say(k, p, why.text);
}

void kafka_part_fail(struct kafka *k, struct part *p, const char *why)
{
    struct err text;
    int64_t wait = p->failures < 5 ? (int64_t)AGAIN_FIRST << p->failures : AGAIN_MOST;
    p->failures++;
    p->retry_at = kafka_monotonic_ms() + wait;
    p->state = PART_FAILED;
    p->pending = false; /* what was held for it is gone */
    kafka_part_drop_held(p);
    kafka_input_stop(p);
    if (why) {
        err_set(&text, "%s; it is tried again", why);
        say(k, p, text.text);
    }
    k->stir = true;
}

bool kafka_is_passed_over(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__BAD_MSG || err == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED;
}

bool kafka_is_no_offset(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

void kafka_queue_drop(rd_kafka_queue_t *q)
{
    for (rd_kafka_message_t *m; (m = rd_kafka_consume_queue(q, 0));)
        rd_kafka_message_destroy(m);
}

bool kafka_part_misses(struct kafka *k, struct part *p, const rd_kafka_message_t *m)
{
    struct err why;
    if (!kafka_is_passed_over(m->err) && !kafka_is_no_offset(m->err))
        return false;
    err_set(&why, "%s cannot be read at offset %lld (%s)", rd_kafka_topic_name(m->rkt), (long long)m->offset,
            rd_kafka_message_errstr(m));
    p->failures = p->misreads++;
    kafka_part_fail(k, p, why.text);
    return true;
}

struct part *kafka_part_again(struct kafka *k, size_t i)
{
    struct part *was = k->part[i], *p = kafka_part_new(was->id);
    p->claimed = true;
    p->failures = was->failures;
    p->misreads = was->misreads;
    p->why = was->why;
    if (k->behind == was)
        k->behind = NULL;
    kafka_part_free(was);
    return k->part[i] = p;
}
