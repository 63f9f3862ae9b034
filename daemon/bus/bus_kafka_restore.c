/* Step 0 of the protocol, for each partition of a new assignment: what was committed last, and the way there
 * from where the store stands. */
#include "bus/bus_kafka.h"

/* ---- the committed positions */

/* The batch number that was committed with an offset. */
static bool batch_of(const rd_kafka_topic_partition_t *t, uint64_t *batch)
{
    return t->metadata && parse_u64((struct slice){t->metadata, t->metadata_size}, batch);
}

static void settle_committed(struct kafka *k, struct part *p,
                             const rd_kafka_topic_partition_t *t[MERGE_LANES])
{
    uint64_t batch[MERGE_LANES] = {0};
    bool any = t[0]->offset >= 0 || t[1]->offset >= 0;
    for (int v = 0; v < MERGE_LANES && any; v++) {
        if (t[v]->offset < 0 || !batch_of(t[v], &batch[v])) {
            kafka_part_halt(k, p,
                            "the committed offset of %s is not duband's own (no batch number with it); take "
                            "the group's offsets away, the "
                            "last marker then decides: kafka-consumer-groups.sh --delete-offsets --group %s "
                            "--topic %s --topic %s",
                            k->topic[v], k->options.group, k->topic[0], k->topic[1]);
            return;
        }
        p->lane[v].next = t[v]->offset;
    }
    if (batch[0] != batch[1]) {
        kafka_part_halt(k, p, "the two committed offsets belong to different batches (%llu, %llu)",
                        (unsigned long long)batch[0], (unsigned long long)batch[1]);
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
        const rd_kafka_topic_partition_t *t[MERGE_LANES] = {&list->elems[MERGE_LANES * i],
                                                            &list->elems[MERGE_LANES * i + 1]};
        if (k->part[i]->store && k->part[i]->state == PART_ACQUIRED)
            settle_committed(k, k->part[i], t);
    }
    if (err && kafka_monotonic_ms() - k->restore_since > 2LL * k->transaction_ms)
        kafka_reason(k,
                     "the committed offsets cannot be had for more than twice the transaction time-out: %s",
                     rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- acquiring */

/* Tombstones may have gone from the changelog since this state last followed it: deleted keys would come
 * back. */
static bool too_old(const struct kafka *k, const struct part *p, const struct state_look *look)
{
    return look->age > k->delete_retention_ms / 2 &&
           !(p->has_target && p->at.batch == p->target && !look->piece);
}

static void rebuild(struct kafka *k, struct part *p)
{
    if (k->hooks.wipe) {
        p->store = k->hooks.wipe(k->hooks.ctx, p->id);
        if (p->store) {
            p->at = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
            k->hooks.where(k->hooks.ctx, p->id, &p->at);
            log_warn("kafka: partition %d: the state was too old to be caught up; rebuilding it", p->id);
            return;
        }
    }
    kafka_part_halt(k, p,
                    "its state is older than half of delete.retention.ms of %s, deleted entries could come "
                    "back: remove the partition's "
                    "folder, it is then rebuilt",
                    k->topic[TOPIC_CHANGELOG]);
}

static void acquire(struct kafka *k, struct part *p)
{
    p->claimed = true;
    if (k->hooks.claim && !k->hooks.claim(k->hooks.ctx, p->id))
        return; /* somebody else in this process has it still: asked again next time */
    p->store = k->hooks.acquire(k->hooks.ctx, p->id);
    if (!p->store) {
        kafka_part_halt(k, p, "its store cannot be opened");
        return;
    }
    p->at = (struct bus_position){.input_next = {-1, -1}, .changelog_next = -1, .history_next = -1};
    k->hooks.where(k->hooks.ctx, p->id, &p->at);
    p->state = PART_ACQUIRED;
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
    kafka_behind_start(k, p);
    p->state = PART_READY;
}

/* All at once: the worker begins a batch as soon as it hears of one, and batches need the assignment. */
static void take_up(struct kafka *k)
{
    for (size_t i = 0; i < k->nparts; i++) {
        struct part *p = k->part[i];
        if (p->state != PART_READY)
            continue;
        enum bus_settled ready = k->hooks.ready(k->hooks.ctx, p->id);
        if (ready == BUS_SETTLED)
            log_info("kafka: partition %d is at batch %llu, offsets %lld and %lld", p->id,
                     (unsigned long long)p->at.batch, (long long)p->lane[0].next, (long long)p->lane[1].next);
        else if (ready == BUS_AGAIN)
            kafka_restart(k, "partition %d: its store did not take the state up", p->id);
        else
            kafka_part_halt(k, p, "its state could not be taken up");
    }
    k->stir = true;
}

static void begin_changelog(struct kafka *k, struct part *p, bool piece)
{
    if (!kafka_log_begin(k, p, TOPIC_CHANGELOG, p->at.changelog_next))
        return;
    p->piece = piece;
    if (p->at.changelog_next < 0 && k->hooks.load && !k->hooks.load(k->hooks.ctx, p->id))
        kafka_restart(k, "partition %d: its store could not be prepared", p->id);
    else
        p->state = PART_CHANGELOG;
}

/* From here on the target is known: which way leads there? */
static void step_committed(struct kafka *k, struct part *p)
{
    struct state_look look;
    struct err e = {0};
    if (!kafka_origin_check(k, p))
        return;
    if (!kafka_state_look(p->store, &look, &e)) {
        kafka_restart(k, "partition %d: %s", p->id, e.text);
        return;
    }
    if (too_old(k, p, &look)) {
        rebuild(k, p);
        return;
    }
    p->history_end = look.history_end > p->at.history_next ? look.history_end : p->at.history_next;
    if (p->has_target && p->at.batch > p->target) {
        kafka_part_halt(k, p,
                        "its state is at batch %llu, but batch %llu was committed last: it does not belong "
                        "to these topics. Remove the "
                        "partition's folder, the state is then rebuilt",
                        (unsigned long long)p->at.batch, (unsigned long long)p->target);
        return;
    }
    if (p->has_target && p->at.batch == p->target && p->at.changelog_next >= 0 && !look.piece)
        p->state = PART_CAUGHT_UP;
    else
        begin_changelog(k, p, look.piece);
}

/* All that makes the state has been read; the worker may not be through with it. */
static void step_caught_up(struct kafka *k, struct part *p)
{
    enum bus_settled s = k->hooks.settle ? k->hooks.settle(k->hooks.ctx, p->id) : BUS_SETTLED;
    k->busy |= s == BUS_AGAIN;
    if (s == BUS_UNSETTLED)
        kafka_restart(k, "partition %d: its store did not take the state in", p->id);
    else if (s == BUS_SETTLED)
        p->state = PART_RESTORED;
}

static void (*const step[])(struct kafka *, struct part *) = {
    [PART_COMMITTED] = step_committed,
    [PART_CHANGELOG] = kafka_log_step,
    [PART_CAUGHT_UP] = step_caught_up,
    [PART_RESTORED] = step_restored,
};

void kafka_part_step(struct kafka *k, struct part *p)
{
    step[p->state](k, p);
}

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
        ask |= k->part[i]->store && k->part[i]->state == PART_ACQUIRED;
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
    kafka_log_end(k);
    if (k->restart)
        return;
    take_up(k);
    if (k->restart || !kafka_assign_ready(k))
        return;
    k->phase = PHASE_RUN;
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_HALTED)
            return; /* its reason stays */
    if (k->denied)
        return; /* and that: whether it is there shows later */
    kafka_no_reason(k);
    k->backoff = 0;
}
