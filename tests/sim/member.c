/* Fake librdkafka: consumers as members of a group. Heartbeats go on in events while the node lives and does
 * not stall, whatever its threads do; the application hears of changes when it polls. */
#include "sim.h"

#include <string.h>

static const char *instance_of(const struct consumer *c)
{
    return handle_setting(c->rk, "group.instance.id", "");
}

static void push_rebalance(struct consumer *c, rd_kafka_resp_err_t err, const struct assignment *a)
{
    struct op *op = op_new(OP_REBALANCE);
    op->err = err;
    op->of = c->rk;
    if (a)
        op->assignment = *a;
    queue_push(&c->queue, op);
}

static void forget(struct consumer *c)
{
    c->member[0] = 0;
    c->generation = -1;
}

static void revoke(struct consumer *c, bool lost)
{
    if (c->state != MEMBER_HELD)
        return;
    trace("n%d %s: to be revoked%s", c->rk->node->id, c->member, lost ? ", lost" : "");
    c->state = MEMBER_REVOKING;
    c->lost = lost;
    if (lost)
        forget(c);
    push_rebalance(c, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, NULL);
}

/* A static member that another has replaced: for this handle it is over. */
static void fenced(struct consumer *c)
{
    trace("n%d %s: fenced", c->rk->node->id, c->member);
    handle_fatal(c->rk, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "static consumer fenced by other consumer");
    if (c->state == MEMBER_HELD) {
        c->lost = true;
        c->state = MEMBER_REVOKING;
        push_rebalance(c, RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS, NULL);
    }
}

static void beat(void *arg)
{
    struct consumer *c = arg;
    if (c->rk->gone || c->rk->fatal)
        return;
    later((int64_t)c->heartbeat_ms * MS + between(0, 100 * MS), c->rk->node, beat, c);
    if (c->state != MEMBER_HELD && c->state != MEMBER_REVOKING)
        return;
    if (!broker_up) {
        if (now - c->heard > (int64_t)c->session_ms * MS)
            revoke(c, true);
        return;
    }
    c->heard = now;
    if (!c->member[0])
        return;
    switch (group_heartbeat(instance_of(c), c->member, c->generation)) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        break;
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
        revoke(c, false);
        break;
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        fenced(c);
        break;
    default:
        if (c->state == MEMBER_REVOKING) /* librdkafka forgets to say that it was lost, too */
            forget(c);
        revoke(c, true);
    }
}

void member_assigned(struct consumer *c, const struct assignment *a)
{
    if (c->rk->gone || c->state != MEMBER_JOINING)
        return;
    /* Joined, but somebody else of the same name came after. */
    if (group_check(instance_of(c), a->member, a->generation) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        fenced(c);
        return;
    }
    memcpy(c->member, a->member, sizeof c->member);
    c->generation = a->generation;
    c->state = MEMBER_HELD;
    c->heard = now;
    push_rebalance(c, RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, a);
    if (!c->beating)
        later((int64_t)c->heartbeat_ms * MS, c->rk->node, beat, c);
    c->beating = true;
}

void member_refused(struct consumer *c)
{
    if (!c->rk->gone && c->state == MEMBER_JOINING)
        fenced(c);
}

/* The application's callback, from its poll. */
void consumer_serve(rd_kafka_t *rk, struct op *op)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (int i = 0; i < op->assignment.n; i++)
        for (int t = TOPIC_SUBMISSIONS; t <= TOPIC_DEADLINES; t++)
            rd_kafka_topic_partition_list_add(list, topic_names[t], op->assignment.partition[i]);
    trace("rebalance: %s %d", op->err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "assigned" : "revoked",
          op->assignment.n);
    rk->conf.rebalance(rk, op->err, list, rk->conf.opaque);
    rd_kafka_topic_partition_list_destroy(list);
}

char *rd_kafka_memberid(const rd_kafka_t *rk)
{
    return strdup(rk->consumer->member);
}

int rd_kafka_assignment_lost(rd_kafka_t *rk)
{
    step("rd_kafka_assignment_lost");
    return rk->consumer->lost;
}
