/* Reading a partition's changelog and history, by hand: whole batches, each handed to the worker when its
 * marker has come. */
#include "bus/bus_kafka.h"

/* Handed over at once: whole batches as long as they fit, a larger one (compaction merges them) in pieces. */
#define RUN_RECORDS 20000

void kafka_part_drop_held(struct part *p)
{
    for (size_t i = 0; i < p->nheld; i++)
        rd_kafka_message_destroy(p->held[i]);
    p->nheld = p->whole = 0;
}

static void hold(struct part *p, rd_kafka_message_t *m)
{
    if (p->nheld == p->cheld) {
        p->cheld = p->cheld ? p->cheld * 2 : 256;
        p->held = mem_grow(p->held, p->cheld * sizeof *p->held);
    }
    p->held[p->nheld++] = m;
}

static void assign_restorer(struct kafka *k, const char *topic, int partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    if (topic)
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    rd_kafka_resp_err_t err = rd_kafka_assign(k->restorer, topic ? list : NULL);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        kafka_restart(k, "a log could not be assigned for restoring: %s", rd_kafka_err2str(err));
}

void kafka_log_end(struct kafka *k)
{
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

/* Hands over what is held, and drops it. m: the marker that ends it, if one does. next: where the log goes on
 * behind it. */
static bool hand_over(struct kafka *k, struct part *p, enum topic topic, const struct marker *m, int64_t next)
{
    struct record *r = mem_alloc((p->nheld ? p->nheld : 1) * sizeof *r);
    arena_reset(p->arena);
    for (size_t i = 0; i < p->nheld; i++)
        kafka_record_of(p->held[i], topic, p->arena, &r[i]);
    bool ok = k->hooks.restore(k->hooks.ctx, p->id, r, p->nheld, m, next);
    free(r);
    kafka_part_drop_held(p);
    if (!ok)
        kafka_restart(k, "partition %d: its store did not take the state in", p->id);
    return ok;
}

/* What is held up to the last marker, which moves the position even when nothing is. */
static bool hand_over_whole(struct kafka *k, struct part *p)
{
    while (p->nheld > p->whole)
        rd_kafka_message_destroy(p->held[--p->nheld]);
    bool pending = p->pending;
    p->pending = false;
    return !pending || hand_over(k, p, TOPIC_CHANGELOG, &p->last, p->whole_next);
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
    bool last = p->has_target && m.batch == p->target;
    p->history_end = m.history_next;
    p->last = m;
    p->last.owner_url = (struct slice){0};
    p->whole = p->nheld;
    p->whole_next = p->resume;
    p->pending = m.batch > p->at.batch || p->at.changelog_next < 0;
    if (!p->pending)
        kafka_part_drop_held(p); /* the state has it: only its end was not on record */
    else if (last || p->nheld >= RUN_RECORDS)
        hand_over_whole(k, p);
    return last && !k->restart;
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

/* True: go on reading. */
static bool take_changelog(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    p->resume = m->offset + 1;
    if (is_marker(m)) {
        bool last = end_batch(k, p, m);
        rd_kafka_message_destroy(m);
        if (last)
            p->state = PART_CAUGHT_UP;
        return p->state == PART_CHANGELOG && !k->restart;
    }
    hold(p, m);
    /* Earlier batches than the state's own must not be stored, and until a marker comes one cannot tell. */
    if (p->nheld >= RUN_RECORDS && p->at.changelog_next < 0)
        return hand_over(k, p, TOPIC_CHANGELOG, NULL, p->resume);
    return true;
}

static void history_done(struct kafka *k, struct part *p)
{
    if (!p->nheld || hand_over(k, p, TOPIC_HISTORY, NULL, p->resume))
        p->state = PART_RESTORED;
}

static bool take_history(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    if (m->offset >= p->history_end) { /* of a batch that was not committed with the offsets: none of ours */
        rd_kafka_message_destroy(m);
        history_done(k, p);
        return false;
    }
    p->resume = m->offset + 1;
    hold(p, m);
    if (p->resume >= p->history_end) {
        history_done(k, p);
        return false;
    }
    return p->nheld < RUN_RECORDS || hand_over(k, p, TOPIC_HISTORY, NULL, p->resume);
}

static void end_log(struct kafka *k, struct part *p)
{
    if (p->state == PART_CHANGELOG)
        changelog_end(k, p);
    else
        history_done(k, p);
}

/* True: go on reading. The end is the high-water mark asked when reading began; transaction markers may be
 * all that is left before it. */
static bool take_log(struct kafka *k, struct part *p, rd_kafka_message_t *m)
{
    enum topic topic = p->state == PART_CHANGELOG ? TOPIC_CHANGELOG : TOPIC_HISTORY;
    bool ours = m->rkt && m->partition == p->id && strcmp(rd_kafka_topic_name(m->rkt), k->topic[topic]) == 0;
    if (ours && !m->err)
        return topic == TOPIC_CHANGELOG ? take_changelog(k, p, m) : take_history(k, p, m);
    bool end = ours && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && m->offset >= p->end;
    if (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        kafka_reason(k, "partition %d, restoring: %s", p->id, rd_kafka_message_errstr(m));
    rd_kafka_message_destroy(m);
    if (end)
        end_log(k, p);
    return !end;
}

/* librdkafka 2.0.2 stops fetching when its queue is full, and looks again after up to a second; any request
 * to the broker makes it look at once. A restore would spend most of its time in that second. */
static void nudge(struct kafka *k, const struct part *p)
{
    int64_t low, high;
    rd_kafka_query_watermark_offsets(k->restorer,
                                     k->topic[p->state == PART_CHANGELOG ? TOPIC_CHANGELOG : TOPIC_HISTORY],
                                     p->id, &low, &high, SLICE_MS);
}

void kafka_log_step(struct kafka *k, struct part *p)
{
    int64_t until = kafka_monotonic_ms() + SLICE_MS;
    enum part_state state = p->state;
    rd_kafka_message_t *m;
    if (p->resume >= p->end) {
        end_log(k, p);
        return;
    }
    while (p->state == state && !k->restart && kafka_monotonic_ms() < until) {
        m = rd_kafka_consumer_poll(k->restorer, 0);
        if (!m) {
            nudge(k, p);
            return;
        }
        if (!take_log(k, p, m))
            return;
    }
}
