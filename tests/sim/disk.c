/* The nodes' disks: a store in memory for each node and partition. What was committed outlives the node; a
 * transaction that was open when it died does not. */
#include "sim.h"

#include "store/backend.h"
#include "store/fault.h"

#include <string.h>

static struct disk {
    struct store *store, *copy;
    struct thread *writer; /* who opened it, or wrote last */
    bool open, unsettled;
} disk[NODES_MAX][PARTITIONS_MOST];

struct store *disk_store(int node, int partition)
{
    return disk[node][partition].store;
}

bool disk_is_ours(int node, int partition)
{
    const struct disk *d = &disk[node][partition];
    return d->open && d->writer == running;
}

static struct disk *disk_of(const struct store *s)
{
    for (int n = 0; n < NODES_MAX; n++)
        for (int p = 0; p < PARTITIONS_MOST; p++)
            if (s && disk[n][p].store == s)
                return &disk[n][p];
    return NULL;
}

struct store *__wrap_store_open(const char *folder, uint64_t map_bytes, struct err *e)
{
    const char *dash = strrchr(folder, '-');
    struct disk *d = &disk[running_host()->id][dash ? atoi(dash + 1) : 0];
    (void)map_bytes;
    (void)e;
    step("store_open");
    if (!d->store)
        d->store = store_open_memory();
    if (d->open)
        fail("%s is opened twice", folder);
    d->open = true;
    d->writer = running;
    return d->store;
}

struct store_txn *__real_store_begin(struct store *s, bool write, struct err *e);
struct store_txn *__wrap_store_begin(struct store *s, bool write, struct err *e)
{
    struct disk *d = write ? disk_of(s) : NULL;
    int partition = d ? (int)(d - disk[0]) % PARTITIONS_MOST : 0;
    if (d)
        d->writer = running;
    bool fine = !d || !running_host() || alone_begin(running_host(), partition);
    if (fine && d && now < plan.faults_until && chance(plan.disk_fails / 4))
        fine = false;
    if (fine)
        return __real_store_begin(s, write, e);
    trace("the disk of partition %d fails", partition);
    count(COUNT_DISK, 1);
    err_set(e, "the disk of partition %d is broken", partition);
    return NULL;
}

enum store_status __real_store_commit(struct store_txn *t, struct err *e);
enum store_status __wrap_store_commit(struct store_txn *t, struct err *e)
{
    struct disk *d = t->write ? disk_of(t->store) : NULL;
    if (!d || !running_host() || alone_commit((int)(d - disk[0]) % PARTITIONS_MOST))
        return __real_store_commit(t, e);
    store_abort(t);
    err_set(e, "the disk of partition %d is broken", plan.alone);
    return STORE_FAILED;
}

/* What is not durable until it is settled is worth nothing after a crash. */
bool __real_store_unsettle(struct store *s, struct err *e);
bool __wrap_store_unsettle(struct store *s, struct err *e)
{
    struct disk *d = disk_of(s);
    step("store_unsettle");
    if (d)
        d->unsettled = true;
    return __real_store_unsettle(s, e);
}

bool __real_store_settle(struct store *s, struct err *e);
bool __wrap_store_settle(struct store *s, struct err *e)
{
    struct disk *d = disk_of(s);
    step("store_settle");
    if (d && now < plan.faults_until && chance(plan.disk_fails)) {
        trace("the disk fails");
        count(COUNT_DISK, 1);
        return err_set(e, "the disk fails");
    }
    if (d)
        d->unsettled = false;
    return __real_store_settle(s, e);
}

void __real_store_close(struct store *s);
void __wrap_store_close(struct store *s)
{
    struct disk *d = disk_of(s);
    if (!d) {
        __real_store_close(s);
        return;
    }
    if (s->writing || s->readers)
        fail("a store was closed with a transaction open");
    d->open = false;
}

void disk_crash(int node)
{
    for (int p = 0; p < PARTITIONS_MOST; p++) {
        struct disk *d = &disk[node][p];
        if (d->store && d->unsettled)
            d->store = NULL;
        d->open = d->unsettled = false;
        if (d->store) {
            d->store->writing = false;
            d->store->readers = 0;
        }
    }
}

/* ---- faults */

static bool late(void)
{
    return now >= plan.faults_until;
}

static enum store_status at_commit(struct host *n)
{
    step("store_commit");
    if (!late() && chance(plan.disk_slow)) {
        trace("the disk is slow");
        pass(between(10, 2500) * MS);
    }
    if (!late() && chance(plan.disk_full))
        n->full_until = now + between(10, 4000) * MS;
    if (!late() && chance(plan.disk_fails)) {
        trace("the disk fails");
        count(COUNT_DISK, 1);
        return STORE_FAILED;
    }
    return !late() && n->full_until > now ? STORE_FULL : STORE_OK;
}

static enum store_status fault(enum store_fault_point at)
{
    struct host *n = running_host();
    if (!n)
        return STORE_OK;
    if (at == STORE_FAULT_COMMIT)
        return at_commit(n);
    if (!late() && n->full_until > now && chance(0.05)) {
        trace("the disk is full");
        count(COUNT_DISK, 1);
        return STORE_FULL;
    }
    return STORE_OK;
}

void disk_start(void)
{
    store_fault = fault;
}

/* ---- between two lives of a node */

static struct store *duplicate(struct store *from)
{
    struct store *to = store_open_memory();
    struct err e;
    struct store_txn *r = store_begin(from, false, &e), *w = store_begin(to, true, &e);
    for (int t = 0; t < TABLE_COUNT; t++) {
        struct store_iter *i = store_iter_new(r, (enum table_id)t);
        struct slice key, value;
        for (bool more = store_iter_seek(i, (struct slice){0}, &key, &value); more;
             more = store_iter_next(i, &key, &value))
            store_put(w, (enum table_id)t, key, value);
        store_iter_free(i);
    }
    store_abort(r);
    store_commit(w, &e);
    return to;
}

bool disk_wipe(int node)
{
    bool any = false;
    for (int p = 0; p < PARTITIONS_MOST; p++) {
        any |= disk[node][p].store != NULL;
        disk[node][p].store = NULL;
    }
    return any;
}

void disk_copy(int node)
{
    for (int p = 0; p < PARTITIONS_MOST; p++)
        if (disk[node][p].store)
            disk[node][p].copy = duplicate(disk[node][p].store);
}

bool disk_restore(int node)
{
    bool any = false;
    for (int p = 0; p < PARTITIONS_MOST; p++)
        if (disk[node][p].copy) {
            any = true;
            disk[node][p].store = duplicate(disk[node][p].copy);
        }
    return any;
}
