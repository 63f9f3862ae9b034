#include "engine/worker_private.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- life */

struct registry *registry_new(const char *data, struct err *e)
{
    if (mkdir(data, 0750) != 0 && errno != EEXIST) {
        err_set(e, "%s: cannot be created: %s", data, strerror(errno));
        return NULL;
    }
    struct registry *r = mem_alloc(sizeof *r);

    pthread_mutex_init(&r->lock, NULL);
    r->data = mem_alloc(strlen(data) + 1);
    memcpy(r->data, data, strlen(data));
    return r;
}

void registry_free(struct registry *r)
{
    for (int id = 0; id < PARTITIONS_MAX; id++)
        if (registry_find(r, id) != NULL)
            partition_free(registry_find(r, id));
    pthread_mutex_destroy(&r->lock);
    free(r->data);
    free(r);
}

bool registry_keep(struct registry *r, struct err *e)
{
    static const char stem[] = "partition-";
    DIR *folder = opendir(r->data);
    bool ok = folder != NULL || err_set(e, "%s: cannot be read: %s", r->data, strerror(errno));

    for (struct dirent *f; ok && (f = readdir(folder)) != NULL;) {
        struct partition *p;
        uint64_t id;

        if (strncmp(f->d_name, stem, sizeof stem - 1) != 0 ||
            !parse_u64(slice_of(f->d_name + sizeof stem - 1), &id) || id > INT_MAX)
            continue;
        p = registry_place(r, (int)id, e);
        ok = p != NULL && partition_open(p, e);
        if (ok)
            p->kept = partition_is_whole(p);
    }
    if (folder != NULL)
        closedir(folder);
    return ok;
}

/* ---- owners */

void registry_join(struct registry *r, struct owner *o)
{
    pthread_mutex_lock(&r->lock);
    assert(r->nowners < OWNERS_MAX);
    r->owner[r->nowners++] = o;
    pthread_mutex_unlock(&r->lock);
}

void registry_leave(struct registry *r, struct owner *o)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->nowners; i++)
        if (r->owner[i] == o)
            r->owner[i--] = r->owner[--r->nowners];
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held. */
static void stir_others(struct registry *r, const struct owner *o)
{
    for (size_t i = 0; i < r->nowners; i++)
        if (r->owner[i] != o)
            r->owner[i]->stir(r->owner[i]);
}

/* ---- partitions */

struct partition *registry_find(const struct registry *r, int id)
{
    return id >= 0 && id < PARTITIONS_MAX ? atomic_load(&r->partition[id]) : NULL;
}

struct partition *registry_place(struct registry *r, int id, struct err *e)
{
    if (id < 0 || id >= PARTITIONS_MAX) {
        err_set(e, "partition %d: at most %d partitions can be served", id, PARTITIONS_MAX);
        return NULL;
    }
    pthread_mutex_lock(&r->lock);
    struct partition *p = registry_find(r, id);
    if (p == NULL) {
        p = partition_new(r, id);
        atomic_store(&r->partition[id], p);
    }
    pthread_mutex_unlock(&r->lock);
    return p;
}

bool registry_claim(struct owner *o, struct partition *p)
{
    struct registry *r = o->registry;

    pthread_mutex_lock(&r->lock);
    p->wanted = o;
    if (p->owner == NULL)
        p->owner = o;
    bool ours = p->owner == o;
    if (!ours)
        p->owner->stir(p->owner);
    pthread_mutex_unlock(&r->lock);
    return ours;
}

bool registry_adopt(struct owner *o, struct partition *p)
{
    struct registry *r = o->registry;

    pthread_mutex_lock(&r->lock);
    bool free_ = p->owner == NULL && p->wanted == NULL;
    if (free_)
        p->owner = o;
    pthread_mutex_unlock(&r->lock);
    return free_;
}

bool registry_is_wanted(struct owner *o, struct partition *p)
{
    pthread_mutex_lock(&o->registry->lock);
    bool wanted = p->wanted != NULL && p->wanted != o;
    pthread_mutex_unlock(&o->registry->lock);
    return wanted;
}

void registry_release(struct owner *o, struct partition *p)
{
    struct registry *r = o->registry;

    pthread_mutex_lock(&r->lock);
    if (p->wanted == o)
        p->wanted = NULL;
    if (p->owner == o)
        p->owner = NULL;
    stir_others(r, o);
    pthread_mutex_unlock(&r->lock);
}

void registry_assigned(struct registry *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->unassigned > 0 && --r->unassigned == 0)
        for (int id = 0; id < PARTITIONS_MAX; id++)
            if (registry_find(r, id) != NULL)
                registry_find(r, id)->kept = false;
    pthread_mutex_unlock(&r->lock);
}
