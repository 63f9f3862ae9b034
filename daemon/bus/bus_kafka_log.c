/* Reading a partition's changelog, by hand: whole batches, handed to the worker when their markers have come.
 * What history shares with that. */
#include "bus/bus_kafka.h"

#define RUN_RECORDS 20000           /* whole batches are handed over when they are as many … */
#define RUN_BYTES ((size_t)16 << 20) /* … or as large */
/* A batch without an end in sight (compaction merges them) is handed over in pieces. */
#define PIECE_RECORDS 100000
#define PIECE_BYTES ((size_t)48 << 20)
#define EMPTY_RECORDS 2000 /* into an empty store there is no state to keep whole */
#define READ_RECORDS 1000  /* read at once */
#define NUDGE_MS 5

void kafka_part_drop_held(struct part *p)
{
    for (size_t i = 0; i < p->nheld; i++)
        rd_kafka_message_destroy(p->held[i]);
    p->nheld = p->whole = p->held_bytes = 0;
}

void kafka_log_hold(struct part *p, rd_kafka_message_t *m)
{
    if (p->nheld == p->cheld) {
        p->cheld = p->cheld ? p->cheld * 2 : 256;
        p->held = mem_grow(p->held, p->cheld * sizeof *p->held);
    }
    p->held[p->nheld++] = m;
    p->held_bytes += m->len + m->key_len;
}

static void assign_restorer(struct kafka *k, const char *topic, int partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (topic) {
        kafka_queue_drop(k->restorer_queue);
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    }
    rd_kafka_resp_err_t err = rd_kafka_assign(k->restorer, topic ? list : NULL);
    rd_kafka_topic_partition_list_destroy(list);
    k->reading = topic != NULL;
    if (err)
        kafka_restart(k, "a log could not be assigned for restoring: %s", rd_kafka_err2str(err));
}

void kafka_log_end(struct kafka *k)
{
    if (k->reading)
        assign_restorer(k, NULL, 0, 0);
}

bool kafka_log_begin(struct kafka *k, struct part *p, enum topic topic, int64_t from)
{
    int64_t low, high;
    if (!kafka_watermarks(k, k->topic[topic], p->id, &low, &high))
        return false;
    p->end = high;
    if (from >= 0 && from < low) {
        if (topic == TOPIC_CHANGELOG)
            kafka_part_halt(k, p,
                            "%s begins at offset %lld, the state stands at %lld: what is between is gone. "
                            "Remove the partition's folder, "
                            "the state is then rebuilt",
                            k->topic[topic], (long long)low, (long long)from);
        else
            log_warn("kafka: partition %d: %s begins at offset %lld, records from %lld on are gone", p->id,
                     k->topic[topic], (long long)low, (long long)from);
    }
    p->resume = from < low ? low : from;
    if (p->resume > high)
        kafka_part_halt(k, p, "%s ends at offset %lld, the state stands at %lld: they do not belong together",
                        k->topic[topic], (long long)high, (long long)from);
    if (p->state == PART_HALTED)
        return false;
    assign_restorer(k, k->topic[topic], p->id, p->resume);
    return !k->restart;
}

static bool is_marker(const rd_kafka_message_t *m)
{
    return m->key_len == 1 && *(const unsigned char *)m->key == MARKER_KEY;
}

bool kafka_log_hand_over(struct kafka *k, struct part *p, enum topic topic, const struct marker *m, int64_t next)
{
    struct records r = {0};
    arena_reset(p->arena);
    for (size_t i = 0; i < p->nheld; i++)
        kafka_records_add(&r, p->held[i], topic, p->arena);
    bool ok = k->hooks.restore(k->hooks.ctx, p->id, r.of, r.n, m, next);
    free(r.of);
    kafka_part_drop_held(p);
    if (!ok)
        kafka_part_fail(k, p, NULL);
    p->piece = topic == TOPIC_CHANGELOG && !m;
    return ok;
}

/* What is held up to the last marker, which moves the position even when nothing is. */
static bool hand_over_whole(struct kafka *k, struct part *p)
{
    while (p->nheld > p->whole)
        rd_kafka_message_destroy(p->held[--p->nheld]);
    bool pending = p->pending;
    p->pending = false;
    return !pending || kafka_log_hand_over(k, p, TOPIC_CHANGELOG, &p->last, p->whole_next);
}

void kafka_log_hand_over_front(struct kafka *k, struct part *p)
{
    size_t rest = p->nheld - p->whole;
    if (!p->pending)
        return;
    rd_kafka_message_t **behind = mem_alloc((rest ? rest : 1) * sizeof(rd_kafka_message_t *));
    if (rest)
        memcpy(behind, p->held + p->whole, rest * sizeof(rd_kafka_message_t *));
    p->nheld = p->whole;
    p->pending = false;
    if (kafka_log_hand_over(k, p, TOPIC_CHANGELOG, &p->last, p->whole_next)) {
        p->at.batch = p->last.batch;
        p->at.changelog_next = p->whole_next;
    }
    for (size_t i = 0; i < rest; i++)
        kafka_log_hold(p, behind[i]);
    free(behind);
}

/* A batch is complete. True: it is the last one wanted. */
static bool end_batch(struct kafka *k, struct part *p, rd_kafka_message_t *mark)
{
    struct marker m;
    struct err e;
    arena_reset(p->arena);
    if (!wire_marker_unpack((struct slice){mark->payload, mark->len}, p->arena, &m, &e)) {
        kafka_part_halt(k, p, "%s, offset %lld: %s", k->topic[TOPIC_CHANGELOG], (long long)mark->offset,
                        e.text);
        return false;
    }
    if (p->has_target && m.batch > p->target) {
        kafka_part_halt(k, p,
                        "%s has a marker of batch %llu, but batch %llu was committed last: the group's "
                        "offsets and the changelog do not "
                        "belong together",
                        k->topic[TOPIC_CHANGELOG], (unsigned long long)m.batch,
                        (unsigned long long)p->target);
        return false;
    }
    if (!kafka_grown_marker(k, p, &m))
        return false;
    bool last = p->has_target && m.batch == p->target;
    p->history_end = m.history_next;
    p->last = m;
    size_t n = m.owner_url.n < sizeof p->owner ? m.owner_url.n : sizeof p->owner;
    memcpy(p->owner, n ? m.owner_url.p : "", n);
    p->last.owner_url = (struct slice){p->owner, n};
    p->whole = p->nheld;
    p->misreads = 0;
    p->whole_next = p->resume;
    p->pending = m.batch > p->at.batch || p->at.changelog_next < 0 || p->piece;
    if (!p->pending)
        kafka_part_drop_held(p); /* the state has it: only its end was not on record */
    else if (last || p->nheld >= RUN_RECORDS || p->held_bytes >= RUN_BYTES)
        hand_over_whole(k, p);
    return last && p->state != PART_FAILED;
}

static void changelog_end(struct kafka *k, struct part *p)
{
    if (p->has_target)
        kafka_part_halt(k, p,
                        "%s ends without the marker of batch %llu, which was committed last: the log has "
                        "lost it. Nothing is taken in "
                        "before somebody has looked",
                        k->topic[TOPIC_CHANGELOG], (unsigned long long)p->target);
    else if (hand_over_whole(k, p))
        p->state = PART_CAUGHT_UP;
}

static bool is_piece(const struct part *p)
{
    if (p->at.changelog_next < 0)
        return p->nheld >= EMPTY_RECORDS;
    return p->nheld - p->whole >= PIECE_RECORDS || p->held_bytes >= PIECE_BYTES;
}

bool kafka_log_take(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    p->resume = m->offset + 1;
    if (is_marker(m)) {
        bool last = end_batch(k, p, m);
        rd_kafka_message_destroy(m);
        if (last)
            p->state = PART_CAUGHT_UP;
        return p->state == PART_CHANGELOG && !k->restart;
    }
    kafka_log_hold(p, m);
    /* A follower's are a state that is read: the marker that is held must not come behind parts of the next batch. */
    if (is_piece(p) && p->state == PART_RUNS)
        kafka_log_hand_over_front(k, p);
    return !is_piece(p) || p->state == PART_FAILED || kafka_log_hand_over(k, p, TOPIC_CHANGELOG, NULL, p->resume);
}

/* True: go on reading. The end is the high-water mark asked when reading began; transaction markers may be
 * all that is left before it. */
static bool take_log(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    bool ours = kafka_log_is(k, p, TOPIC_CHANGELOG, m);
    if (ours && !m->err)
        kafka_allowed(k, 1u << TOPIC_CHANGELOG);
    if (ours && !m->err)
        return kafka_log_take(k, p, m);
    if (ours && kafka_part_misses(k, p, m)) {
        rd_kafka_message_destroy(m);
        return false;
    }
    bool end = ours && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && m->offset >= p->end;
    if (end)
        kafka_allowed(k, 1u << TOPIC_CHANGELOG);
    if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        kafka_deny(k, RIGHT_READ, 1u << TOPIC_CHANGELOG);
    else if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF && !kafka_is_denial(m->err))
        kafka_reason(k, "partition %d, restoring: %s", p->id, rd_kafka_message_errstr(m));
    rd_kafka_message_destroy(m);
    if (end)
        changelog_end(k, p);
    return !end;
}

bool kafka_log_is(const struct kafka *k, const struct part *p, enum topic topic, const rd_kafka_message_t *m)
{
    return m->rkt && m->partition == p->id && strcmp(rd_kafka_topic_name(m->rkt), k->topic[topic]) == 0;
}

/* librdkafka 2.0.2 stops fetching when its queue is full, and looks again after up to a second; any request
 * to the broker makes it look at once. A restore would spend most of its time in that second. */
void kafka_log_nudge(struct kafka *k, const struct part *p, enum topic topic)
{
    int64_t high, now = kafka_monotonic_ms();
    if (now - k->nudged < NUDGE_MS)
        return;
    k->nudged = now;
    kafka_ends(k->restorer, k->topic[topic], p->id, NULL, &high, 1);
}

void kafka_log_step(struct kafka *k, struct part *p)
{
    rd_kafka_message_t *m[READ_RECORDS];
    int64_t until = kafka_monotonic_ms() + kafka_restore_slice(k);
    enum part_state state = p->state;
    if (p->resume >= p->end) {
        changelog_end(k, p);
        return;
    }
    while (p->state == state && !k->restart && kafka_monotonic_ms() < until) {
        ssize_t n = rd_kafka_consume_batch_queue(k->restorer_queue, 0, m, READ_RECORDS);
        if (n <= 0) {
            kafka_log_nudge(k, p, TOPIC_CHANGELOG);
            return;
        }
        bool more = true;
        for (ssize_t i = 0; i < n; i++)
            if (more)
                more = take_log(k, p, m[i]);
            else
                rd_kafka_message_destroy(m[i]);
    }
    k->busy |= p->state == state;
}
