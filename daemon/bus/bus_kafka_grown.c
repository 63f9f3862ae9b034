/* Topics that were given more partitions while states follow from fewer: a workflow's records then come to
 * another partition than its state. Three things tell: the folder (bus_kafka_origin.c), the markers in the
 * changelog, and, for a partition that is new and has neither, the markers in the others. */
#include "bus/bus_kafka.h"

void kafka_grown_halt(struct kafka *k, struct part *p, struct slice then)
{
    kafka_part_halt(k, p,
                    "its state was made with %.*s partitions, now there are %d: a workflow's records would "
                    "come to another partition "
                    "than its state. Partitions cannot be added to topics in use: dubanctl migrate-bus moves "
                    "a group to topics with more",
                    SLICE_ARG(then), atomic_load(&k->npartitions));
}

static bool fits(struct kafka *k, struct part *p, uint32_t then)
{
    if (!then || then == (uint32_t)atomic_load(&k->npartitions))
        return true;
    kafka_grown_halt(k, p, arena_printf(p->arena, "%u", then));
    return false;
}

bool kafka_grown_marker(struct kafka *k, struct part *p, const struct marker *m)
{
    if (m->moved_to.n)
        kafka_origin_moved(k, p, m->moved_to);
    return !m->moved_to.n && fits(k, p, m->partitions);
}

/* ---- since they were looked at */

static int count_now(struct kafka *k)
{
    const struct rd_kafka_metadata *md;
    int n = -1;
    rd_kafka_topic_t *t = rd_kafka_topic_new(k->restorer, k->topic[TOPIC_SUBMISSIONS], NULL);
    if (rd_kafka_metadata(k->restorer, 0, t, &md, SLICE_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < md->topic_cnt; i++)
            if (!md->topics[i].err && strcmp(md->topics[i].topic, k->topic[TOPIC_SUBMISSIONS]) == 0)
                n = md->topics[i].partition_cnt;
        rd_kafka_metadata_destroy(md);
    }
    rd_kafka_topic_destroy(t);
    return n;
}

/* An assignment comes when a topic has grown, to all of the group. */
bool kafka_grown_look(struct kafka *k)
{
    int then = atomic_load(&k->npartitions), now;
    if (k->counted == k->assignment)
        return true;
    now = count_now(k);
    if (now < 0)
        return false; /* come again */
    k->counted = k->assignment;
    if (now != then)
        kafka_restart(k, "%s has %d partitions now, not %d: all is looked at anew",
                      k->topic[TOPIC_SUBMISSIONS], now, then);
    return now == then;
}

/* ---- a new one among others */

static bool ask_others(struct kafka *k)
{
    size_t n = (size_t)atomic_load(&k->npartitions);
    struct bus_kafka_owner *o = mem_alloc(n * sizeof *o);
    struct bus_kafka_directory *d = bus_kafka_directory_open(&k->options, NULL);
    for (size_t i = 0; i < n; i++)
        o[i] = (struct bus_kafka_owner){.partition = (int)i};
    bool ok = d && bus_kafka_directory_read(d, o, n);
    bus_kafka_directory_close(d);
    k->others = 0;
    for (size_t i = 0; ok && i < n; i++)
        if (o[i].partitions && o[i].partitions != n)
            k->others = o[i].partitions;
    if (ok)
        k->others_asked = k->assignment;
    free(o);
    return ok;
}

/* Once an assignment: what others committed later was made with as many as there are. */
bool kafka_grown_others(struct kafka *k, struct part *p)
{
    return (k->others_asked == k->assignment || ask_others(k)) && fits(k, p, k->others);
}
