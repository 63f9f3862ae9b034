/* Step 0 of the protocol, for each partition of a new assignment: what was committed last, and the way there from where the store stands. */
#include "bus/bus_kafka.h"

#define RUN_RECORDS 20000 /* handed over at once: whole batches as long as they fit, a larger one (compaction merges them) in pieces */

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

/* ---- the committed positions */

/* The batch number that was committed with an offset. */
static bool batch_of(const rd_kafka_topic_partition_t *t, uint64_t *batch)
{
    return t->metadata && parse_u64((struct slice){t->metadata, t->metadata_size}, batch);
}

static void settle_committed(struct kafka *k, struct part *p, const rd_kafka_topic_partition_t *t[MERGE_LANES])
{
    uint64_t batch[MERGE_LANES] = {0};
    bool any = t[0]->offset >= 0 || t[1]->offset >= 0;
    for (int v = 0; v < MERGE_LANES && any; v++) {
        if (t[v]->offset < 0 || !batch_of(t[v], &batch[v])) {
            kafka_part_halt(k, p, "the committed offset of %s is not duband's own (no batch number with it); take the group's offsets away, the "
                                  "last marker then decides: kafka-consumer-groups.sh --delete-offsets --group %s --topic %s --topic %s",
                            k->topic[v], k->options.group, k->topic[0], k->topic[1]);
            return;
        }
        p->lane[v].next = t[v]->offset;
    }
    if (batch[0] != batch[1]) {
        kafka_part_halt(k, p, "the two committed offsets belong to different batches (%llu, %llu)", (unsigned long long)batch[0],
                        (unsigned long long)batch[1]);
        return;
    }
    p->has_target = any;
    p->target = batch[0];
    p->state = PART_COMMITTED;
}

/* All partitions in one question. It waits for offsets of transactions that are not decided yet. */
static void ask_committed(struct kafka *k)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->nparts * MERGE_LANES);
    for (size_t i = 0; i < k->nparts; i++)
        for (int v = 0; v < MERGE_LANES; v++)
            rd_kafka_topic_partition_list_add(list, k->topic[v], k->part[i]->id);
    rd_kafka_resp_err_t err = rd_kafka_committed(k->consumer, list, SLICE_MS);
    for (int i = 0; i < list->cnt && !err; i++)
        err = list->elems[i].err;
    for (size_t i = 0; i < k->nparts && !err; i++) {
        const rd_kafka_topic_partition_t *t[MERGE_LANES] = {&list->elems[MERGE_LANES * i], &list->elems[MERGE_LANES * i + 1]};
        if (k->part[i]->state == PART_ACQUIRED)
            settle_committed(k, k->part[i], t);
    }
    if (err && kafka_monotonic_ms() - k->restore_since > 2LL * k->transaction_ms)
        kafka_reason(k, "the committed offsets cannot be had for more than twice the transaction time-out: %s", rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- acquiring */

/* Tombstones may have gone from the changelog since this state last followed it: deleted keys would come back. */
static bool too_old(const struct kafka *k, const struct part *p, int64_t age)
{
    return age > k->delete_retention_ms / 2 && !(p->has_target && p->at.batch == p->target);
}

static void rebuild(struct kafka *k, struct part *p)
{
    if (k->hooks.wipe) {
        p->store = k->hooks.wipe(k->hooks.ctx, p->id);
        if (p->store) {
            k->hooks.where(k->hooks.ctx, p->id, &p->at);
            log_warn("kafka: partition %d: the state was too old to be caught up; rebuilding it", p->id);
            return;
        }
    }
    kafka_part_halt(k, p, "its state is older than half of delete.retention.ms of %s, deleted entries could come back: remove the partition's "
                          "folder, it is then rebuilt",
                    k->topic[TOPIC_CHANGELOG]);
}

static void acquire(struct kafka *k, struct part *p)
{
    p->store = k->hooks.acquire(k->hooks.ctx, p->id);
    if (!p->store) {
        kafka_part_halt(k, p, "its store cannot be opened");
        return;
    }
    p->at = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    k->hooks.where(k->hooks.ctx, p->id, &p->at);
    p->state = PART_ACQUIRED;
}

/* ---- reading a log by hand */

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

/* Begins to read the changelog or the history. False: its ends are not known yet, come again. */
static bool begin_log(struct kafka *k, struct part *p, enum topic topic, int64_t from)
{
    int64_t low, high;
    if (!kafka_watermarks(k, k->topic[topic], p->id, &low, &high))
        return false;
    p->end = high;
    if (from >= 0 && from < low) {
        if (topic == TOPIC_CHANGELOG)
            kafka_part_halt(k, p, "%s begins at offset %lld, the state stands at %lld: what is between is gone. Remove the partition's folder, "
                                  "the state is then rebuilt",
                            k->topic[topic], (long long)low, (long long)from);
        else
            log_warn("kafka: partition %d: %s begins at offset %lld, records from %lld on are gone", p->id, k->topic[topic], (long long)low,
                     (long long)from);
    }
    p->resume = from < low ? low : from;
    if (p->resume > high)
        kafka_part_halt(k, p, "%s ends at offset %lld, the state stands at %lld: they do not belong together", k->topic[topic],
                        (long long)high, (long long)from);
    if (p->state == PART_HALTED)
        return false;
    assign_restorer(k, k->topic[topic], p->id, p->resume);
    return !k->restart;
}

static bool is_marker(const rd_kafka_message_t *m)
{
    return m->key_len == 1 && *(const unsigned char *)m->key == MARKER_KEY;
}

/* Hands over what is held, and drops it. m: the marker that ends it, if one does. next: where the log goes on behind it. */
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
        kafka_part_halt(k, p, "%s, offset %lld: %s", k->topic[TOPIC_CHANGELOG], (long long)mark->offset, e.text);
        return false;
    }
    if (p->has_target && m.batch > p->target) {
        kafka_part_halt(k, p, "%s has a marker of batch %llu, but batch %llu was committed last: the group's offsets and the changelog do not "
                              "belong together",
                        k->topic[TOPIC_CHANGELOG], (unsigned long long)m.batch, (unsigned long long)p->target);
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

/* ---- the steps */

static void step_restored(struct kafka *k, struct part *p)
{
    k->hooks.where(k->hooks.ctx, p->id, &p->at);
    for (int v = 0; v < MERGE_LANES; v++) {
        int64_t low, high;
        if (p->lane[v].next < 0)
            p->lane[v].next = p->at.input_next[v];
        if (p->lane[v].next >= 0)
            continue;
        if (!kafka_watermarks(k, k->topic[v], p->id, &low, &high))
            return; /* come again */
        p->lane[v].next = low;
    }
    if (!k->hooks.ready(k->hooks.ctx, p->id)) {
        kafka_part_halt(k, p, "its state could not be taken up");
        return;
    }
    p->state = PART_READY;
    log_info("kafka: partition %d is at batch %llu, offsets %lld and %lld", p->id, (unsigned long long)p->at.batch,
             (long long)p->lane[0].next, (long long)p->lane[1].next);
    k->stir = true;
}

/* From here on the target is known: which way leads there? */
static void step_committed(struct kafka *k, struct part *p)
{
    int64_t age;
    struct err e = {0};
    if (!kafka_state_look(p->store, &age, &p->history_end, &e)) {
        kafka_restart(k, "partition %d: %s", p->id, e.text);
        return;
    }
    if (too_old(k, p, age)) {
        rebuild(k, p);
        return;
    }
    if (p->has_target && p->at.batch > p->target) {
        kafka_part_halt(k, p, "its state is at batch %llu, but batch %llu was committed last: it does not belong to these topics. Remove the "
                              "partition's folder, the state is then rebuilt",
                        (unsigned long long)p->at.batch, (unsigned long long)p->target);
        return;
    }
    if (p->has_target && p->at.batch == p->target && p->at.changelog_next >= 0)
        p->state = PART_CAUGHT_UP;
    else if (begin_log(k, p, TOPIC_CHANGELOG, p->at.changelog_next))
        p->state = PART_CHANGELOG;
}

/* The state is complete; does history lack what the last marker says there is? */
static void step_caught_up(struct kafka *k, struct part *p)
{
    k->hooks.where(k->hooks.ctx, p->id, &p->at);
    if (p->history_end <= 0 || p->history_end <= p->at.history_next)
        p->state = PART_RESTORED;
    else if (begin_log(k, p, TOPIC_HISTORY, p->at.history_next))
        p->state = PART_HISTORY;
}

static void changelog_end(struct kafka *k, struct part *p)
{
    if (p->has_target)
        kafka_part_halt(k, p, "%s ends without the marker of batch %llu, which was committed last: the log has lost it. Nothing is taken in "
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

/* True: go on reading. The end is the high-water mark asked when reading began; transaction markers may be all that is left before it. */
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

static void step_read(struct kafka *k, struct part *p)
{
    int64_t until = kafka_monotonic_ms() + SLICE_MS;
    enum part_state state = p->state;
    rd_kafka_message_t *m;
    if (p->resume >= p->end) {
        end_log(k, p);
        return;
    }
    while (p->state == state && !k->restart && kafka_monotonic_ms() < until && (m = rd_kafka_consumer_poll(k->restorer, 0)))
        if (!take_log(k, p, m))
            break;
}

static void (*const step[])(struct kafka *, struct part *) = {
    [PART_COMMITTED] = step_committed, [PART_CHANGELOG] = step_read,    [PART_CAUGHT_UP] = step_caught_up,
    [PART_HISTORY] = step_read,        [PART_RESTORED] = step_restored,
};

static bool settled(const struct part *p)
{
    return p->state == PART_READY || p->state == PART_HALTED;
}

void kafka_restore_step(struct kafka *k)
{
    bool ask = false;
    for (size_t i = 0; i < k->nparts && !k->restart; i++) {
        if (!k->part[i]->store && k->part[i]->state == PART_ACQUIRED)
            acquire(k, k->part[i]);
        ask |= k->part[i]->state == PART_ACQUIRED;
    }
    if (ask)
        ask_committed(k);
    while (k->restoring < k->nparts && !k->restart) {
        struct part *p = k->part[k->restoring];
        enum part_state before = p->state;
        if (p->state == PART_ACQUIRED)
            return;
        if (settled(p)) {
            k->restoring++;
            continue;
        }
        step[p->state](k, p);
        if (p->state == before)
            return; /* waits for the broker, or its time is up */
    }
    assign_restorer(k, NULL, 0, 0);
    if (k->restart || !kafka_assign_ready(k))
        return;
    k->phase = PHASE_RUN;
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_HALTED)
            return; /* its reason stays */
    kafka_no_reason(k);
    k->backoff = 0;
}
