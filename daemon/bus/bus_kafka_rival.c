/* Two processes under one name fence each other out of the group and of their transactions. The one that finds itself
 * fenced stands aside as long as the other is a member, rather than fencing it in turn. */
#include "bus/bus_kafka.h"

#include <stdio.h>

#define LOOK_MS 1000

void kafka_rival_know(struct kafka *k)
{
    char *id = rd_kafka_memberid(k->consumer);
    snprintf(k->member, sizeof k->member, "%s", id ? id : "");
    rd_kafka_mem_free(k->consumer, id);
}

/* A member under this worker's client.id which it is not itself. A name of the operator's own may be that of all. */
static bool is_rival(const struct kafka *k, const char *client, const struct rd_kafka_group_member_info *m)
{
    return strcmp(m->client_id, client) == 0 && strcmp(m->member_id, k->member) != 0;
}

static bool named_by_operator(const struct kafka *k)
{
    for (size_t i = 0; i < k->options.nproperties; i++)
        if (slice_eq(k->options.property[i].name, S("client.id")))
            return true;
    return false;
}

static bool there(struct kafka *k, struct buf *who)
{
    const struct rd_kafka_group_list *list;
    char client[512];
    size_t n = sizeof client;
    bool found = false;
    if (named_by_operator(k) ||
        rd_kafka_conf_get(rd_kafka_conf(k->lookout.rk), "client.id", client, &n) != RD_KAFKA_CONF_OK)
        return false;
    /* Of several brokers one may not answer: what the others said counts, and is given back. */
    rd_kafka_resp_err_t err = rd_kafka_list_groups(k->lookout.rk, k->options.group, &list, SLICE_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR && err != RD_KAFKA_RESP_ERR__PARTIAL)
        return false;
    for (int g = 0; g < list->group_cnt && !found; g++)
        for (int i = 0; i < list->groups[g].member_cnt && !found; i++) {
            const struct rd_kafka_group_member_info *m = &list->groups[g].members[i];
            found = is_rival(k, client, m);
            if (found)
                buf_printf(who, "%s", m->client_host);
        }
    rd_kafka_group_list_destroy(list);
    return found;
}

bool kafka_rival_there(struct kafka *k)
{
    struct buf who = {0};
    if (!k->fenced)
        return false;
    k->fenced = there(k, &who);
    if (k->fenced) {
        k->retry_at = kafka_monotonic_ms() + LOOK_MS;
        kafka_reason(k,
                     "another process runs as node %s (from %.*s): give each node a `node:` of its own; this one "
                     "stands aside until the other has left the group %s",
                     k->options.node, (int)who.n, who.p, k->options.group);
    }
    buf_free(&who);
    return k->fenced;
}
