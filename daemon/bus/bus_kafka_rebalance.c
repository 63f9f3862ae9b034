/* The group: partitions come and go. An assignment is answered at once with "nothing to fetch"; each
 * partition's state is restored in steps of poll, so that the node stays responsive, and only then are the
 * inputs fetched. */
#include "bus/bus_kafka.h"

struct part *kafka_part(struct kafka *k, int id)
{
    for (size_t i = 0; i < k->nparts; i++)
        if (k->part[i]->id == id)
            return k->part[i];
    return NULL;
}

struct part *kafka_part_new(int id)
{
    struct part *p = mem_alloc(sizeof *p);
    p->id = id;
    p->end = p->history_end = p->behind = -1;
    p->asked = -1;
    p->arena = arena_new();
    p->merge = merge_new((void (*)(void *))rd_kafka_message_destroy);
    for (int i = 0; i < MERGE_LANES; i++)
        p->lane[i] = (struct lane){
            .next = -1, .known = -1, .taken = -1, .mark = -1, .last = INSTANT_NONE, .through = INSTANT_NONE};
    return p;
}

void kafka_part_free(struct part *p)
{
    kafka_input_stop(p);
    kafka_part_drop_held(p);
    free(p->held);
    merge_free(p->merge);
    arena_free(p->arena);
    free(p);
}

void kafka_release_all(struct kafka *k, bool lost)
{
    for (size_t i = 0; i < k->nparts; i++) {
        struct part *p = k->part[i];
        if (p->store || p->claimed)
            k->hooks.release(k->hooks.ctx, p->id, lost);
        kafka_part_free(p);
    }
    if (k->nparts)
        log_info("kafka: %zu partition(s) %s", k->nparts, lost ? "lost" : "handed back");
    free(k->part);
    k->part = NULL;
    k->nparts = 0;
    k->asked_since = 0;
    kafka_parts_tell(k);
    k->assignment++;
    k->batch.part = NULL;
    k->behind = NULL;
    if (k->generation)
        rd_kafka_consumer_group_metadata_destroy(k->generation);
    k->generation = NULL;
    k->stir = true;
}

/* Range deals each topic out by itself: with unequal counts or other subscribers in the group, a partition's
 * two halves come apart. */
static bool halves_match(struct kafka *k, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        int other = strcmp(list->elems[i].topic, k->topic[TOPIC_SUBMISSIONS]) == 0 ? TOPIC_DEADLINES
                                                                                   : TOPIC_SUBMISSIONS;
        if (!rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)list,
                                                k->topic[other], list->elems[i].partition)) {
            kafka_reason(k,
                         "partition %d of %s came without that of %s: the topics' partition counts differ, "
                         "or something else is "
                         "in the consumer group %s; give them equal counts with kafka-topics.sh --alter, and "
                         "the group to duband alone",
                         list->elems[i].partition, list->elems[i].topic, k->topic[other], k->options.group);
            return false;
        }
    }
    return true;
}

static void nothing_to_fetch(rd_kafka_t *rk)
{
    rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
    rd_kafka_assign(rk, none);
    rd_kafka_topic_partition_list_destroy(none);
}

static void take_over(struct kafka *k, const rd_kafka_topic_partition_list_t *list)
{
    k->assignment++;
    k->part = mem_alloc((size_t)(list->cnt ? list->cnt : 1) * sizeof *k->part);
    for (int i = 0; i < list->cnt; i++)
        if (strcmp(list->elems[i].topic, k->topic[TOPIC_SUBMISSIONS]) == 0)
            k->part[k->nparts++] = kafka_part_new(list->elems[i].partition);
    k->generation = rd_kafka_consumer_group_metadata(k->consumer);
    kafka_rival_know(k);
    k->restore_since = kafka_monotonic_ms();
    k->phase = PHASE_RESTORE;
    log_info("kafka: %zu partition(s) assigned", k->nparts);
}

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                        void *opaque)
{
    struct kafka *k = opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        kafka_release_all(k, true); /* none is left, unless a revocation was missed */
        if (halves_match(k, list))
            take_over(k, list);
        nothing_to_fetch(rk);
        return;
    }
    if (err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        kafka_reason(k, "the group could not be balanced: %s", rd_kafka_err2str(err));
    kafka_release_all(k, err != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(rk));
    rd_kafka_assign(rk, NULL);
    k->phase = PHASE_GROUP;
}

/* Those that run already go on behind what they have. */
bool kafka_assign_ready(struct kafka *k)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)k->nparts * MERGE_LANES);
    for (size_t i = 0; i < k->nparts; i++) {
        struct part *p = k->part[i];
        if (p->state == PART_READY)
            kafka_input_start(k, p);
        for (int v = 0; v < MERGE_LANES && p->state == PART_RUNS; v++) {
            p->lane[v].heard = false;
            rd_kafka_topic_partition_list_add(list, k->topic[v], p->id)->offset = p->lane[v].known;
        }
    }
    kafka_parts_tell(k);
    rd_kafka_resp_err_t err = rd_kafka_assign(k->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (err)
        kafka_restart(k, "assignment failed: %s", rd_kafka_err2str(err));
    return !err;
}
