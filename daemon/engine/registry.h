/* The partitions of this process. Each one's store is opened once, stays open for readers until the node stops, and has
 * at most one owner at a time: a worker, or the follower. Inner to the engine. Any thread. */
#ifndef DUBAND_ENGINE_REGISTRY_H
#define DUBAND_ENGINE_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

#define PARTITIONS_MAX 1024 /* their numbers are below this */
#define OWNERS_MAX 65       /* 64 workers and the follower */

struct partition;

/* Who may own partitions: the first member of a worker, and of the follower. */
struct owner {
    struct registry *registry;
    void (*stir)(struct owner *o); /* any thread, with the registry's lock held: look again at what is yours, and free */
    int slot;                      /* of a worker; -1: the follower */
};

struct registry {
    pthread_mutex_t lock;
    char *data; /* the folder; each partition has a folder of its own in it */
    bool deferred;   /* how their stores are kept: see store_defer … */
    size_t map_most; /* … and store_map_most */
    _Atomic(struct partition *) partition[PARTITIONS_MAX]; /* by number; NULL: never seen. They live as long as this */
    struct owner *owner[OWNERS_MAX];
    size_t nowners;
    size_t unassigned; /* workers that the group has not told yet what is theirs */
};

/* The folder is made when needed. NULL and e when it cannot be had. */
struct registry *registry_new(const char *data, struct err *e);
void registry_free(struct registry *r); /* nobody owns anything any more; closes the stores */
/* Before anything runs: opens the folders of an earlier run, for readers. */
bool registry_keep(struct registry *r, struct err *e);

void registry_join(struct registry *r, struct owner *o); /* it is stirred from now on */
void registry_leave(struct registry *r, struct owner *o);

struct partition *registry_find(const struct registry *r, int id); /* NULL: never seen */
struct partition *registry_place(struct registry *r, int id, struct err *e); /* the same, made when it is new */

/* A worker wants it. False: somebody else has it still, and is told; o is stirred when it is free. Asked again, it answers anew. */
bool registry_claim(struct owner *o, struct partition *p);
/* The follower would have it. False: a worker has it, or wants it. */
bool registry_adopt(struct owner *o, struct partition *p);
/* Is it to be let go for a worker? */
bool registry_is_wanted(struct owner *o, struct partition *p);
/* Neither owned nor wanted by o any more. */
void registry_release(struct owner *o, struct partition *p);
/* The group has told a worker what is its own. When all know, what was kept of others may be old, and is not shown any more. */
void registry_assigned(struct registry *r);

#endif
