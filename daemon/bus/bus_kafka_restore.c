/* Step 0 of the protocol, for each partition of a new assignment: what was committed last, and the way there
 * from where the store stands. */
#include "bus/bus_kafka.h"

#define CLAIM_MS 1000 /* so long all wait for a partition that another worker of this process has still … */
#define ASK_MS 20     /* … and so often it is asked for afterwards */
#define LATE_MS 20    /* a slice of a restore while other partitions run */

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

static bool is_asking(const struct part *p)
{
    return p->store && p->state == PART_ACQUIRED;
}

static void wait_for_answer(struct kafka *k, rd_kafka_resp_err_t err)
{
    int64_t now = kafka_monotonic_ms();
    bool overdue = k->asked_since && now - k->asked_since > 2LL * k->transaction_ms;
    if (err && overdue)
        kafka_reason(k,
                     "the committed offsets cannot be had for more than twice the transaction time-out: %s",
                     rd_kafka_err2str(err));
    else if (overdue)
        kafka_no_reason(k);
    k->asked_since = !err ? 0 : k->asked_since ? k->asked_since : now;
}

/* All partitions in one question. It waits for offsets of transactions that are not decided yet. */
static void ask_committed(struct kafka *k)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->nparts * MERGE_LANES);
    for (size_t i = 0; i < k->nparts; i++)
        for (int v = 0; v < MERGE_LANES && is_asking(k->part[i]); v++)
            rd_kafka_topic_partition_list_add(list, k->topic[v], k->part[i]->id);
    rd_kafka_resp_err_t err = rd_kafka_committed(k->consumer, list, SLICE_MS);
    for (int i = 0; i < list->cnt && !err; i++)
        err = list->elems[i].err;
    for (int i = 0; i < list->cnt && !err; i += MERGE_LANES) {
        const rd_kafka_topic_partition_t *t[MERGE_LANES] = {&list->elems[i], &list->elems[i + 1]};
        settle_committed(k, kafka_part(k, t[0]->partition), t);
    }
    rd_kafka_topic_partition_list_destroy(list);
    wait_for_answer(k, err);
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
    if (k->hooks.claim && !k->hooks.claim(k->hooks.ctx, p->id)) {
        p->retry_at = k->phase == PHASE_RUN ? kafka_monotonic_ms() + ASK_MS : 0;
        return; /* somebody else in this process has it still: asked again next time */
    }
    p->store = k->hooks.acquire(k->hooks.ctx, p->id);
    if (!p->store) {
        kafka_part_fail(k, p, "its store cannot be opened");
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
    if (p->at.batch == 0 && !kafka_grown_others(k, p))
        return;
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
            kafka_part_fail(k, p, NULL);
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
        kafka_part_fail(k, p, NULL);
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
        kafka_part_fail(k, p, e.text);
        return;
    }
    p->read_at = kafka_monotonic_ms() - look.age;
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
        kafka_part_fail(k, p, NULL);
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

/* ---- whose turn it is: a partition that cannot go on holds nobody up */

/* Somebody else has it, or its store failed: not before retry_at. */
static bool waits(const struct part *p)
{
    return p->state == PART_FAILED || (!p->store && p->state == PART_ACQUIRED);
}

static bool is_on_its_way(const struct part *p)
{
    return p->state < PART_READY && !waits(p);
}

int64_t kafka_restore_slice(const struct kafka *k)
{
    return k->generation && k->phase == PHASE_RUN ? LATE_MS : SLICE_MS;
}

bool kafka_restore_reads(const struct kafka *k)
{
    for (size_t i = 0; i < k->nparts; i++)
        if (is_on_its_way(k->part[i]))
            return true;
    return false;
}

bool kafka_restore_late(const struct kafka *k, int64_t now)
{
    return kafka_restore_reads(k) || kafka_restore_wait(k, now) == 0;
}

int64_t kafka_restore_wait(const struct kafka *k, int64_t now)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < k->nparts; i++) {
        int64_t wait = k->part[i]->retry_at - now;
        if (waits(k->part[i]) && wait < least)
            least = wait > 0 ? wait : 0;
    }
    return least;
}

/* What was begun comes first: one log is read at a time. */
static struct part *next_part(const struct kafka *k)
{
    struct part *next = NULL;
    for (size_t i = 0; i < k->nparts; i++) {
        struct part *p = k->part[i];
        if (is_on_its_way(p) && p->state != PART_ACQUIRED && (!next || p->state > next->state))
            next = p;
    }
    return next;
}

static void take_on(struct kafka *k)
{
    int64_t now = kafka_monotonic_ms();
    bool ask = false;
    for (size_t i = 0; i < k->nparts && !k->restart; i++) {
        struct part *p = k->part[i];
        if (waits(p) && now < p->retry_at)
            continue;
        if (p->state == PART_FAILED)
            p = kafka_part_again(k, i);
        if (waits(p))
            acquire(k, p);
        ask |= is_asking(p);
    }
    if (ask)
        ask_committed(k);
}

/* False: some are still on their way, or may yet come in time. */
static bool all_here(const struct kafka *k)
{
    bool patient = k->phase == PHASE_RESTORE && kafka_monotonic_ms() < k->restore_since + CLAIM_MS;
    for (size_t i = 0; i < k->nparts && patient; i++)
        if (waits(k->part[i]) && k->part[i]->state != PART_FAILED)
            return false;
    return !kafka_restore_reads(k);
}

static bool any_ready(const struct kafka *k)
{
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->state == PART_READY)
            return true;
    return false;
}

void kafka_restore_step(struct kafka *k)
{
    struct part *p;
    if (!kafka_grown_look(k))
        return;
    take_on(k);
    while (!k->restart && (p = next_part(k))) {
        enum part_state before = p->state;
        kafka_behind_stop(k); /* it reads with the same handle */
        step[p->state](k, p);
        if (p->state == before)
            return; /* waits for the broker, or its time is up */
    }
    if (k->restart || !all_here(k))
        return;
    if (!k->behind)
        kafka_log_end(k);
    if (k->phase == PHASE_RUN && !any_ready(k))
        return;
    take_up(k);
    if (k->restart || !kafka_assign_ready(k) || k->phase == PHASE_RUN)
        return;
    k->phase = PHASE_RUN;
    k->backoff = 0;
    if (!k->denied) /* whether the right is there shows later */
        kafka_no_reason(k);
}
