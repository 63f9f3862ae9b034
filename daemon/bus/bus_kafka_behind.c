/* Missing history, taken in while the partition serves. The position in the store stays where it was until all of
 * it is there: whatever happens meanwhile, what lies behind it is read again, and put once more as it was. */
#include "bus/bus_kafka.h"

#define STEP_LEAST_MS 5
#define STEP_MOST_MS 20 /* when no batch was made of late, or batches take much longer */
#define LATE_MS 200     /* of late */
#define STEP_PART 10    /* of a batch's time, between two batches */
#define STEP_RECORDS 250 /* for each ms, as many as the store takes meanwhile … */
#define STEP_BYTES ((size_t)200 << 10) /* … or as much */
#define AGAIN_MS 1000 /* when the broker did not say where the log ends */
#define TELL_MS 10000
#define CUT_MS 2000   /* a log that ends too early, or cannot be read, is looked at again */

static void tell(struct kafka *k, const struct part *p)
{
    int64_t have = p->at.history_next > 0 ? p->at.history_next : 0;
    if (k->hooks.history)
        k->hooks.history(k->hooks.ctx, p->id, p->behind < 0 ? p->behind : have, p->behind);
}

void kafka_behind_start(struct kafka *k, struct part *p)
{
    if (p->history_end < p->at.history_next)
        p->history_end = p->at.history_next;
    p->behind = p->history_end > 0 && p->history_end > p->at.history_next ? p->history_end : -1;
    tell(k, p);
}

/* From where it was missing on, all that came since was this partition's own, and is there. */
static void complete(struct kafka *k, struct part *p)
{
    if (!kafka_log_hand_over(k, p, TOPIC_HISTORY, NULL, p->history_end))
        return;
    p->at.history_next = p->history_end;
    p->behind = -1;
    k->behind = NULL;
    kafka_part_note(k, p, "%s", "");
    kafka_log_end(k);
    tell(k, p);
    log_info("kafka: partition %d: its history is complete, up to offset %lld", p->id,
             (long long)p->at.history_next);
    k->stir = true;
}

static void hand_over(struct kafka *k, struct part *p)
{
    int64_t now = kafka_monotonic_ms();
    if (p->nheld == 0 || !kafka_log_hand_over(k, p, TOPIC_HISTORY, NULL, p->resume))
        return;
    p->at.history_next = p->resume;
    tell(k, p);
    if (now - k->told < TELL_MS)
        return;
    k->told = now;
    log_info("kafka: partition %d takes its history in: at offset %lld of %lld", p->id,
             (long long)p->resume, (long long)p->behind);
}

/* Records are missing from what comes: all is read again from what the store has. */
static bool misses(struct kafka *k, struct part *p, const rd_kafka_message_t *m)
{
    if (!kafka_is_no_offset(m->err) && (!kafka_is_passed_over(m->err) || m->offset >= p->behind))
        return false;
    kafka_part_note(k, p, "%s cannot be read at offset %lld (%s); it is tried again. It serves, but queries of history and corrections wait",
                    k->topic[TOPIC_HISTORY], (long long)m->offset, rd_kafka_message_errstr(m));
    p->behind_at = kafka_monotonic_ms() + CUT_MS;
    kafka_behind_stop(k);
    return true;
}

/* True: that was the last. */
static bool take(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    bool ours = kafka_log_is(k, p, TOPIC_HISTORY, m);
    if (ours && !m->err && m->offset < p->behind) {
        kafka_allowed(k, 1u << TOPIC_HISTORY);
        p->resume = m->offset + 1;
        kafka_log_hold(p, m);
        return p->resume >= p->behind;
    }
    if (ours && misses(k, p, m)) {
        rd_kafka_message_destroy(m);
        return false;
    }
    /* A record from there on is of a batch since; the end may be markers of transactions alone. */
    bool end = ours && (!m->err || kafka_is_passed_over(m->err) ||
                        (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && m->offset >= p->behind));
    if (end || (ours && !m->err))
        kafka_allowed(k, 1u << TOPIC_HISTORY);
    if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        kafka_deny(k, RIGHT_READ, 1u << TOPIC_HISTORY);
    else if (m->err && !end && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF && !kafka_is_denial(m->err))
        kafka_reason(k, "partition %d, taking history in: %s", p->id, rd_kafka_message_errstr(m));
    rd_kafka_message_destroy(m);
    return end;
}

/* How long batches may be kept waiting. Half of it goes into reading, the rest into the store. */
static int64_t step_ms(const struct kafka *k)
{
    int64_t ms = k->batch.took / STEP_PART;
    if (kafka_monotonic_ms() - k->batch.ended > LATE_MS || ms > STEP_MOST_MS)
        return STEP_MOST_MS;
    return ms > STEP_LEAST_MS ? ms : STEP_LEAST_MS;
}

static size_t records_in(const rd_kafka_message_t *m)
{
    struct slice rest = {m->payload, m->err ? 0 : m->len}, one;
    size_t n = 0;
    while (wire_chunk_next(&rest, &one))
        n++;
    return n;
}

/* True: all of it was read. */
static bool read_slice(struct kafka *k, struct part *p)
{
    rd_kafka_message_t *m[8];
    size_t records = 0;
    int64_t ms = step_ms(k), until = kafka_monotonic_ms() + (ms + 1) / 2;
    bool end = p->resume >= p->behind;
    while (!end && k->behind == p && records < (size_t)ms * STEP_RECORDS && p->held_bytes < (size_t)ms * STEP_BYTES && kafka_monotonic_ms() < until) {
        ssize_t n = rd_kafka_consume_batch_queue(k->restorer_queue, 0, m, sizeof m / sizeof *m);
        if (n <= 0) {
            kafka_log_nudge(k, p, TOPIC_HISTORY);
            break;
        }
        for (ssize_t i = 0; i < n; i++) {
            records += records_in(m[i]);
            if (end || k->behind != p)
                rd_kafka_message_destroy(m[i]);
            else
                end = take(k, p, m[i]);
        }
        k->stir = true; /* batches come first, then another slice */
    }
    return end;
}

static struct part *next_behind(const struct kafka *k)
{
    int64_t now = kafka_monotonic_ms();
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_RUNS && k->part[i]->behind >= 0 && now >= k->part[i]->behind_at)
            return k->part[i];
    return NULL;
}

/* The log ends before what the last marker says was in it. A leader that has just changed may say so for a moment. */
static bool is_cut(struct kafka *k, struct part *p)
{
    if (p->end >= p->behind)
        return false;
    kafka_part_note(k, p,
                    "%s ends at offset %lld, but the last batch left it at %lld: the log has lost what is between. It serves, but queries of history "
                    "and corrections wait: put a copy of the partition's folder that has all of its history (another node's, a backup) in the "
                    "place of this node's, while it is stopped",
                    k->topic[TOPIC_HISTORY], (long long)p->end, (long long)p->behind);
    p->behind_at = kafka_monotonic_ms() + CUT_MS;
    return true;
}

void kafka_behind_stop(struct kafka *k)
{
    if (k->behind)
        kafka_part_drop_held(k->behind);
    k->behind = NULL;
}

void kafka_behind_step(struct kafka *k)
{
    struct part *p = k->behind;
    if (p && p->state != PART_RUNS) /* halted meanwhile */
        p = k->behind = NULL;
    if (!p && kafka_monotonic_ms() >= k->behind_at && (p = next_behind(k))) {
        k->behind_at = kafka_monotonic_ms() + AGAIN_MS;
        if (!kafka_log_begin(k, p, TOPIC_HISTORY, p->at.history_next))
            return;
        k->behind_at = 0;
        if (is_cut(k, p))
            return;
        k->behind = p;
    }
    if (!p)
        return;
    if (read_slice(k, p))
        complete(k, p);
    else
        hand_over(k, p);
}
