/* One partition's store is out of order: for good, or it makes its worker wait until the group has thrown it out. What
 * others hold is served all the same, and what the worker itself holds beside a store that fails. */
#include "sim.h"

#include "engine/node.h"

#include <string.h>

#define BEGINS (8 * SEC)
#define WAITS (12 * SEC)
#define TAKEN_MS 7000 /* so long after it was written, an input is taken */

static bool beside[PARTITIONS_MOST]; /* of the worker that waits */
static bool waited, failed;
static bool checked; /* what is broken stays so until then */

/* With no other fault every input is taken soon, whoever is out of order. */
static void check_served(int p)
{
    for (int v = 0; v < 2; v++) {
        const struct log *l = &logs[v][p];
        int64_t offset = -1;
        const char *metadata;
        bool unstable;
        coord_committed(topic_names[v], p, &offset, &metadata, &unstable);
        for (size_t i = offset > 0 ? (size_t)offset : 0; i < l->n; i++)
            if (entry_is_input(l->entry[i]) && wall_ms(NULL) - l->entry[i]->ts_ms > TAKEN_MS)
                fail("%s-%d: offset %lld is not taken while the store of partition %d is out of order", l->name, p,
                     (long long)l->entry[i]->offset, plan.alone);
    }
}

bool alone_begin(struct host *n, int partition)
{
    if (partition != plan.alone || now < BEGINS || checked)
        return true;
    if (!plan.alone_slow)
        return !failed || chance(0.5);
    if (waited || !n->node)
        return true;
    waited = true;
    for (int p = 0; p < plan.partitions; p++)
        beside[p] = disk_is_ours(n->id, p); /* or was: then the group knows who has it now */
    trace("the disk of partition %d keeps its worker waiting", partition);
    group_drop(partition, beside);
    pass(WAITS);
    for (int p = 0; p < plan.partitions; p++)
        if (!beside[p])
            check_served(p);
    return true;
}

/* What fails first is a commit, when its batch is in the log already. */
bool alone_commit(int partition)
{
    bool begun = failed || (now >= BEGINS && now < plan.faults_until);
    if (partition != plan.alone || plan.alone_slow || !begun || checked)
        return true;
    failed = true;
    return false;
}

void alone_check(void)
{
    struct node_status s;
    char what[64];
    checked = true;
    if (plan.alone < 0 || plan.alone_slow)
        return;
    for (int p = 0; p < plan.partitions; p++)
        if (p != plan.alone)
            check_served(p);
    node_status(host_of(0)->node, &s);
    snprintf(what, sizeof what, "partition %d", plan.alone);
    if (failed && (!strstr(s.trouble, what) || !strstr(s.trouble, "is broken")))
        fail("the store of partition %d is broken, and the node says: %s", plan.alone, s.trouble);
}
