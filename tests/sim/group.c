/* The group coordinator: one group, static members, eager range assignment. */
#include "sim.h"

#include <string.h>

struct member {
    struct member *next;
    char instance[64], id[64], client[64];
    int session_ms;
    int64_t heard;
    struct consumer *waits; /* for the answer to its join */
    uint32_t join;
    struct assignment assignment;
};

static struct member *members; /* by instance, as range deals out */
static bool balancing;
static int generation;
static unsigned ids;

static struct member *find(const char *instance)
{
    struct member *m = members;
    while (m && strcmp(m->instance, instance) != 0)
        m = m->next;
    return m;
}

/* ---- a generation begins when every member has joined */

static void deal_out(void)
{
    int n = 0, at = 0, next = 0;
    for (const struct member *m = members; m; m = m->next)
        n++;
    generation++;
    count(COUNT_GENERATION, 1);
    for (struct member *m = members; m; m = m->next, at++) {
        int share = plan.partitions / n + (at < plan.partitions % n);
        m->assignment = (struct assignment){.generation = generation};
        memcpy(m->assignment.member, m->id, sizeof m->id);
        while (share-- > 0)
            m->assignment.partition[m->assignment.n++] = next++;
        m->heard = now;
    }
    trace("the group's generation %d has %d members", generation, n);
}

struct answer {
    struct consumer *c;
    uint32_t join;
    struct assignment a;
};

static void deliver(void *arg)
{
    struct answer *a = arg;
    if (a->c->join == a->join)
        member_assigned(a->c, &a->a);
    free(a);
}

static void answer(struct member *m)
{
    struct answer *a = mem_alloc(sizeof *a);
    *a = (struct answer){m->waits, m->join, m->assignment};
    m->waits = NULL;
    later(hop(), a->c->rk->node, deliver, a);
}

static void complete(void)
{
    for (const struct member *m = members; m; m = m->next)
        if (!m->waits)
            return;
    balancing = false;
    if (!members)
        return;
    deal_out();
    for (struct member *m = members; m; m = m->next)
        answer(m);
}

static void balance(void)
{
    if (!balancing)
        trace("the group is balanced anew");
    balancing = true;
    complete();
}

/* ---- members come and go */

static void expire(void *arg)
{
    struct member *m = arg, **at = &members;
    while (*at && *at != m)
        at = &(*at)->next;
    if (!*at)
        return;
    int64_t end = m->heard + (int64_t)m->session_ms * MS;
    if (!broker_up || m->waits || end > now) {
        later(end > now ? end - now : 100 * MS, NULL, expire, m);
        return;
    }
    trace("%s: its session is over", m->id);
    *at = m->next;
    balance();
}

void group_drop(int partition, bool held[])
{
    for (struct member **at = &members; *at; at = &(*at)->next)
        for (int i = 0; i < (*at)->assignment.n; i++)
            if ((*at)->assignment.partition[i] == partition) {
                trace("%s: thrown out", (*at)->id);
                for (int k = 0; k < (*at)->assignment.n; k++)
                    held[(*at)->assignment.partition[k]] = true;
                *at = (*at)->next;
                balance();
                return;
            }
}

static struct member *add(const char *instance)
{
    struct member *m = mem_alloc(sizeof *m), **at = &members;
    snprintf(m->instance, sizeof m->instance, "%s", instance);
    while (*at && strcmp((*at)->instance, instance) < 0)
        at = &(*at)->next;
    m->next = *at;
    *at = m;
    m->heard = now;
    later(100 * MS, NULL, expire, m);
    return m;
}

static void refuse(void *arg)
{
    member_refused(arg);
}

/* A static member that comes back without its id has its assignment back at once; its old id is fenced. */
void group_join(struct consumer *c, const char *instance, const char *member, int session_ms)
{
    struct member *m = find(instance);
    bool known = m != NULL, same = known && strcmp(m->id, member) == 0;
    if (!known)
        m = add(instance);
    if (!same)
        snprintf(m->id, sizeof m->id, "%.40s-%u", instance, ++ids);
    snprintf(m->client, sizeof m->client, "%s", handle_setting(c->rk, "client.id", "rdkafka"));
    m->session_ms = session_ms;
    if (m->waits && m->waits != c) /* two of the same name: who came first is told so */
        later(hop(), m->waits->rk->node, refuse, m->waits);
    m->waits = c;
    m->join = c->join;
    m->heard = now;
    memcpy(m->assignment.member, m->id, sizeof m->id);
    trace("%s joins", m->id);
    if (balancing)
        complete();
    else if (known && m->assignment.generation == generation && (!same || chance(0.5)))
        answer(m);
    else
        balance();
}

rd_kafka_resp_err_t group_check(const char *instance, const char *member, int of)
{
    const struct member *m = find(instance);
    if (of < 0 && !*member) /* no more than the group's name: nobody is fenced */
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!m)
        return RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
    if (strcmp(m->id, member) != 0)
        return RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    return of == generation ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
}

rd_kafka_resp_err_t group_heartbeat(const char *instance, const char *member, int of)
{
    rd_kafka_resp_err_t err = group_check(instance, member, of);
    if (err)
        return err;
    find(instance)->heard = now;
    return balancing ? RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS : RD_KAFKA_RESP_ERR_NO_ERROR;
}

void group_reload(void)
{
    for (struct member *m = members; m; m = m->next)
        m->heard = now;
}

/* ---- who is in it, for whoever asks */

rd_kafka_resp_err_t rd_kafka_list_groups(rd_kafka_t *rk, const char *name, const struct rd_kafka_group_list **out,
                                         int timeout_ms)
{
    (void)rk;
    step("rd_kafka_list_groups");
    if (!travel(until_of(timeout_ms)))
        return RD_KAFKA_RESP_ERR__TRANSPORT;
    struct rd_kafka_group_list *list = mem_alloc(sizeof *list);
    struct rd_kafka_group_info *g = list->groups = mem_alloc(sizeof *list->groups);
    list->group_cnt = 1;
    g->group = strdup(name);
    for (const struct member *m = members; m; m = m->next) {
        g->members = mem_grow(g->members, (size_t)(g->member_cnt + 1) * sizeof *g->members);
        g->members[g->member_cnt++] = (struct rd_kafka_group_member_info){
            .member_id = strdup(m->id), .client_id = strdup(m->client), .client_host = strdup("/127.0.0.1")};
    }
    *out = list;
    pass(hop());
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_group_list_destroy(const struct rd_kafka_group_list *list)
{
    struct rd_kafka_group_info *g = list->groups;
    for (int i = 0; i < g->member_cnt; i++) {
        free(g->members[i].member_id);
        free(g->members[i].client_id);
        free(g->members[i].client_host);
    }
    free(g->members);
    free(g->group);
    free(g);
    free((void *)(uintptr_t)list);
}
