/* The seeded generator (xorshift64*, seeded through splitmix64), and a history's plan. */
#include "sim.h"

static uint64_t state;
struct plan plan;

void chance_start(uint64_t seed)
{
    uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    state = (z ^ z >> 31) | 1;
}

uint64_t chance_next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

int64_t between(int64_t least, int64_t most)
{
    return least + (int64_t)(chance_next() >> 11) % (most - least + 1);
}

bool chance(double p)
{
    return (double)(chance_next() >> 11) < p * 9007199254740992.0;
}

/* A fault is absent from most histories, so that each is also seen with few others beside it. */
static double rate(double p, double least, double most)
{
    bool has = chance(p);
    double r = least + (most - least) * (double)(chance_next() >> 11) / 9007199254740992.0;
    return has ? r : 0;
}

/* One store is out of order, and nothing else is. */
static void make_alone(uint64_t seed)
{
    plan = (struct plan){.seed = seed,
                         .nodes = 1,
                         .partitions = PARTITIONS_MOST,
                         .workflows = WORKFLOWS_MOST,
                         .faults_until = 25 * SEC,
                         .session_ms = (int)between(1000, 2000),
                         .transaction_ms = 1000,
                         .events = 100,
                         .swap = 0.05,
                         .batch = 10000,
                         .message_most = 1 << 20,
                         .workers = (size_t)between(1, 2),
                         .alone = (int)between(0, PARTITIONS_MOST - 1)};
    plan.alone_slow = plan.workers > 1;
}

void plan_make(uint64_t seed)
{
    chance_start(seed);
    if (chance(0.05)) {
        make_alone(seed);
        return;
    }
    plan = (struct plan){.seed = seed, .alone = -1};
    plan.nodes = (int)between(1, NODES_MAX);
    plan.partitions = (int)between(1, PARTITIONS_MOST);
    plan.workflows = (int)between(1, WORKFLOWS_MOST);
    plan.faults_until = between(4, 25) * SEC;
    plan.session_ms = (int)between(1000, 6000);
    plan.transaction_ms = (int)between(1000, plan.session_ms);
    plan.events = (int)between(8, 60);
    plan.crash = rate(0.6, 0.0005, 0.01);
    plan.stall = rate(0.4, 0.0002, 0.002);
    plan.swap = chance(0.5) ? 0.05 : 0.4;
    plan.lost = rate(0.4, 0.005, 0.1);
    plan.odd = rate(0.4, 0.002, 0.05);
    plan.slow = rate(0.3, 0.005, 0.1);
    plan.disk_fails = rate(0.2, 0.01, 0.2);
    plan.disk_full = rate(0.15, 0.005, 0.05);
    plan.disk_slow = rate(0.2, 0.02, 0.3);
    plan.broker = rate(0.25, 0.02, 0.2);
    plan.foreign = rate(0.4, 0.05, 0.6);
    plan.http = rate(0.5, 0.1, 0.8);
    plan.unknown = rate(0.1, 0.02, 0.3);
    plan.compact = rate(0.4, 0.1, 1);
    plan.wipe = rate(0.3, 0.1, 0.6);
    plan.old = rate(0.3, 0.1, 0.6);
    plan.behind = chance(0.3) ? between(1, 40) * MS : 0;
    plan.skew = chance(0.4) ? between(1, 3000) * MS : 0;
    plan.workers = chance(0.6) ? 1 : (size_t)between(2, 3);
    plan.standby = chance(0.25);
    plan.twins = plan.nodes > 1 && chance(0.1);
    plan.batch = chance(0.5) ? 10000 : (size_t)between(1, 20);
    plan.message_most = chance(0.5) ? 1 << 20 : (int)between(2000, 40000);
    plan.damage = rate(0.1, 0.001, 0.02);
}
