/* The two input logs of a partition, each read from a queue of its own, merged into the one order. */
#include "bus/bus_kafka.h"

#include <poll.h>
#include <unistd.h>

/* A question that could not be answered is asked again after so long. */
#define ASK_AGAIN_MS 100
/* What has arrived was appended before: so long after that, the broker's clock has left the record's millisecond. */
#define SAME_MS 2
#define AHEAD_MS 10 /* a batch that begins so soon after another one: there will be a next */
#define AWAIT_MS 5  /* for a barrier within a batch; as a rule it is there in one */
#define NUDGE_MS 20
#define NUDGE_LEAST 1000 /* fewer may be markers of transactions */

void kafka_input_start(struct kafka *k, struct part *p)
{
    static const uint64_t one = 1;
    for (int v = 0; v < MERGE_LANES; v++) {
        struct lane *l = &p->lane[v];
        l->queue = rd_kafka_queue_get_partition(k->consumer, k->topic[v], p->id);
        rd_kafka_queue_forward(l->queue, NULL); /* not into the consumer's own queue */
        kafka_queue_drop(l->queue);
        rd_kafka_queue_io_event_enable(l->queue, k->wakefd, &one, sizeof one);
        l->known = l->next;
    }
    p->state = PART_RUNS;
    p->failures = 0;
    p->why.text[0] = 0;
}

void kafka_input_stop(struct part *p)
{
    merge_clear(p->merge);
    for (int v = 0; v < MERGE_LANES; v++) {
        if (!p->lane[v].queue)
            continue;
        if (p->lane[v].kept)
            rd_kafka_message_destroy(p->lane[v].kept);
        p->lane[v].kept = NULL;
        rd_kafka_queue_io_event_enable(p->lane[v].queue, -1, NULL, 0);
        rd_kafka_queue_destroy(p->lane[v].queue);
        p->lane[v].queue = NULL;
    }
}

/* Where the lane's reader stands, past markers too. Before it has brought anything, librdkafka may still
 * answer for an earlier assignment. */
static void learn_position(struct kafka *k, struct part *p, int v)
{
    if (!p->lane[v].heard)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, k->topic[v], p->id);
    if (rd_kafka_position(k->consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        list->elems[0].offset > p->lane[v].known)
        p->lane[v].known = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
}

/* The log does not hold where the lane is read. */
static bool is_gone(struct kafka *k, const struct part *p, int v)
{
    int64_t low, high;
    return kafka_watermarks(k, k->topic[v], p->id, &low, &high) && (p->lane[v].known < low || p->lane[v].known > high);
}

static void input_error(struct kafka *k, struct part *p, int v, const rd_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (m->offset > p->lane[v].known)
            p->lane[v].known = m->offset;
    } else if (kafka_is_no_offset(m->err) && is_gone(k, p, v)) {
        kafka_part_halt(k, p,
                        "%s no longer holds offset %lld, where its state stands (retention removed what was "
                        "not read yet, or the topic "
                        "was made anew)",
                        k->topic[v], (long long)p->lane[v].known);
    } else if (m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        kafka_deny(k, RIGHT_READ, 1u << v);
        k->restart = k->stir = true; /* a new reader tells when it may: its first answer says where the log ends */
    } else if (!kafka_part_misses(k, p, m)) {
        kafka_reason(k, "%s partition %d: %s", k->topic[v], p->id, rd_kafka_message_errstr(m));
    }
}

/* By event time: the earlier of ce_time and the append time, never running back in one log. */
static instant_t event_receipt(const struct lane *l, const rd_kafka_message_t *m, instant_t appended)
{
    rd_kafka_headers_t *headers;
    const void *text;
    size_t n;
    instant_t at = appended, told;
    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, "ce_time", &text, &n) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        instant_parse((struct slice){text, n}, &told) && told < at)
        at = told;
    return at > l->last ? at : l->last;
}

/* True: the message is the merge's now. */
static bool input_push(struct kafka *k, struct part *p, int v, rd_kafka_message_t *m)
{
    struct lane *l = &p->lane[v];
    rd_kafka_timestamp_type_t type;
    instant_t received = rd_kafka_message_timestamp(m, &type);
    if (m->offset < l->known)
        return false; /* a fetch of before the assignment */
    if (type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME) {
        kafka_part_halt(
            k, p,
            "a record of %s carries its producer's time; message.timestamp.type=LogAppendTime is needed: "
            "kafka-configs.sh "
            "--alter --entity-type topics --entity-name %s --add-config message.timestamp.type=LogAppendTime",
            k->topic[v], k->topic[v]);
        return false;
    }
    if (kafka_is_barrier(m)) {
        l->known = m->offset + 1;
        k->stir = true;
        return false;
    }
    if (k->options.events_time)
        received = event_receipt(l, m, received);
    merge_push(p->merge, (enum topic)v,
               (struct merge_item){.received = received, .offset = m->offset, .record = m});
    l->known = m->offset + 1;
    l->bytes += kafka_input_bytes(m);
    if (received > l->last) {
        l->last = received;
        l->arrived = kafka_monotonic_ms();
    }
    k->stir = true;
    return true;
}

/* What librdkafka needs for a record besides its bytes, as a rule. */
#define RECORD_BYTES 600

size_t kafka_input_bytes(const rd_kafka_message_t *m)
{
    return m->len + m->key_len + RECORD_BYTES;
}

static bool has_room(const struct kafka *k, const struct part *p, int v)
{
    size_t n = merge_waiting(p->merge, (enum topic)v), most = LANES_RECORDS / k->nparts;
    return n == 0 || (n < (most > LANE_LEAST ? most : LANE_LEAST) && p->lane[v].bytes < LANES_BYTES / k->nparts);
}

/* librdkafka 2.0.2 stops fetching when its queue is full, and looks again after up to a second; any request to the
 * broker makes it look at once. */
static void nudge(struct kafka *k, struct part *p, int v)
{
    struct lane *l = &p->lane[v];
    int64_t low, high, now = kafka_monotonic_ms();
    if (now < l->nudge_at ||
        rd_kafka_get_watermark_offsets(k->consumer, k->topic[v], p->id, &low, &high) ||
        high - l->known < NUDGE_LEAST)
        return;
    l->nudge_at = now + NUDGE_MS;
    kafka_ends(k->consumer, k->topic[v], p->id, NULL, &high, 1);
}

/* What it leads to may end the partition here, with all that was read of it. */
static bool is_trouble(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    rd_kafka_message_timestamp(m, &type);
    return m->err ? m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF : type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
}

static rd_kafka_message_t *next_message(struct lane *l)
{
    rd_kafka_message_t *m = l->kept ? l->kept : rd_kafka_consume_queue(l->queue, 0);
    l->kept = NULL;
    return m;
}

static void read_lane(struct kafka *k, struct part *p, int v)
{
    rd_kafka_message_t *m = NULL;
    while (p->state == PART_RUNS && has_room(k, p, v)) {
        m = next_message(&p->lane[v]);
        if (!m) {
            nudge(k, p, v);
            return;
        }
        if (k->batch.part && is_trouble(m)) { /* an open batch keeps its partition */
            p->lane[v].kept = m;
            return;
        }
        p->lane[v].heard = true;
        if (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            kafka_allowed(k, 1u << v);
        if (m->err)
            input_error(k, p, v, m);
        else if (input_push(k, p, v, m))
            continue;
        rd_kafka_message_destroy(m);
    }
}

/* Everything that the other lane's records so far, and those up to the barrier's own time, must know of this lane. */
static void ask(struct kafka *k, struct part *p, int v)
{
    struct lane *l = &p->lane[v];
    const struct lane *other = &p->lane[1 - v];
    /* A submission need not know of deadlines of its own millisecond, but a deadline of submissions. */
    l->through = v == TOPIC_DEADLINES && other->last > INSTANT_NONE ? other->last - 1 : other->last;
    l->asked = true;
    l->mark = -1;
    l->question = ++k->questions;
    p->asked = v;
    kafka_barrier_place(k, (struct question){.number = l->question, .partition = p->id, .lane = v, .mark = -1});
}

/* Of the millisecond of the last deadline some submissions may still come. Not before then, in monotonic ms. */
static int64_t ask_from(const struct part *p, int v)
{
    return v == TOPIC_SUBMISSIONS ? p->lane[TOPIC_DEADLINES].arrived + SAME_MS : 0;
}

/* Nothing can be taken before this lane is known further. */
static void ask_lane(struct kafka *k, struct part *p, int v)
{
    struct lane *l = &p->lane[v];
    int64_t now = kafka_monotonic_ms();
    enum topic lane;
    instant_t needs;
    if (l->asked || now < l->ask_at || !merge_asks(p->merge, &lane, &needs) || lane != (enum topic)v)
        return;
    if (now < ask_from(p, v)) {
        l->ask_at = ask_from(p, v);
        return;
    }
    ask(k, p, v);
}

bool kafka_input_paced(const struct kafka *k, const struct part *p)
{
    return !k->options.events_time && p->asked >= 0 && k->batch.began - k->batch.ended <= AHEAD_MS;
}

void kafka_input_ahead(struct kafka *k, struct part *p)
{
    kafka_hold(k, false);
    if (!kafka_input_paced(k, p) || p->lane[p->asked].asked || kafka_monotonic_ms() < ask_from(p, p->asked))
        return;
    ask(k, p, p->asked);
}

static void hear_answers(struct kafka *k)
{
    struct question q;
    while (kafka_lookout_answer(k, &q)) {
        struct part *p = kafka_part(k, q.partition);
        struct lane *l = p ? &p->lane[q.lane] : NULL;
        if (!p || p->state != PART_RUNS || !l->asked || l->question != q.number)
            continue;
        l->mark = q.mark;
        /* What comes behind the barrier is no older. By event time it may be. */
        if (q.mark >= 0 && !k->options.events_time && q.placed - 1 > l->through)
            l->through = q.placed - 1;
        if (q.mark < 0) {
            l->asked = false;
            l->through = INSTANT_NONE;
            l->ask_at = kafka_monotonic_ms() + ASK_AGAIN_MS;
        }
    }
}

/* The answer counts once everything below the mark was pushed. */
static void use_answer(struct kafka *k, struct part *p, int v)
{
    struct lane *l = &p->lane[v];
    if (!l->asked || l->mark < 0)
        return;
    if (l->known < l->mark)
        learn_position(k, p, v);
    if (l->known < l->mark)
        return;
    merge_know(p->merge, (enum topic)v, l->through);
    l->asked = false;
    k->stir = true;
}

static void serve_part(struct kafka *k, struct part *p)
{
    for (int v = 0; v < MERGE_LANES && p->state == PART_RUNS; v++)
        read_lane(k, p, v);
    for (int v = 0; v < MERGE_LANES && p->state == PART_RUNS; v++) {
        use_answer(k, p, v);
        ask_lane(k, p, v);
    }
}

void kafka_input_serve(struct kafka *k)
{
    hear_answers(k);
    for (size_t i = 0; i < k->nparts; i++)
        serve_part(k, k->part[i]);
}

/* Within a batch. Wakes that were for something else are heeded when it is over. */
static void await_barrier(struct kafka *k, struct part *p)
{
    int64_t now = kafka_monotonic_ms(), until = now + AWAIT_MS;
    uint64_t count;
    struct pollfd fd = {.fd = k->wakefd, .events = POLLIN};
    for (;;) {
        hear_answers(k);
        serve_part(k, p);
        if (!p->lane[p->asked].asked || now >= until || poll(&fd, 1, (int)(until - now)) <= 0 ||
            read(k->wakefd, &count, sizeof count) < 0)
            break;
        now = kafka_monotonic_ms();
    }
    k->stir = true;
}

void kafka_record_of(const rd_kafka_message_t *m, enum topic topic, struct arena *a, struct record *out)
{
    rd_kafka_timestamp_type_t type;
    rd_kafka_headers_t *headers;
    *out = (struct record){.topic = topic,
                           .partition = m->partition,
                           .offset = m->offset,
                           .appended = rd_kafka_message_timestamp(m, &type),
                           .key = {m->key, m->key_len},
                           .value = {m->payload, m->len}};
    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    size_t n = rd_kafka_header_cnt(headers);
    out->header = ARENA_ARRAY(a, struct header, n);
    for (const char *name; out->nheaders < n; out->nheaders++) {
        struct header *h = &out->header[out->nheaders];
        const void *value;
        if (rd_kafka_header_get_all(headers, out->nheaders, &name, &value, &h->value.n))
            break;
        h->name = slice_of(name);
        h->value.p = value;
    }
}

size_t kafka_take(struct bus *b, int partition, struct record *out, size_t max)
{
    struct kafka *k = kafka_of(b);
    struct part *p = kafka_part(k, partition);
    size_t n = 0;
    if (!p || p->state != PART_RUNS || k->restart || (k->batch.part && !k->batch.early))
        return 0;
    if (k->batch.part)
        await_barrier(k, p);
    arena_reset(p->arena);
    struct merge_item item;
    enum topic lane;
    while (n < max && merge_take(p->merge, &item, &lane)) {
        p->lane[lane].taken = item.offset;
        p->lane[lane].taken_bytes += kafka_input_bytes(item.record);
        kafka_record_of(item.record, lane, p->arena, &out[n++]);
    }
    k->stir |= n == max;
    return n;
}
