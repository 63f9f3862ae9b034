#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "duband.lock"

struct folder {
    struct folder *next;
    char *path;
    dev_t device;
    ino_t inode;
    int lock; /* file descriptor of the lock file; -1: only reading */
};

/* The folders this process has open. */
static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct folder *registry;

static bool registry_add(struct folder *f)
{
    pthread_mutex_lock(&registry_mutex);
    bool taken = false;
    for (const struct folder *o = registry; o; o = o->next)
        taken |= o->device == f->device && o->inode == f->inode;
    if (!taken) {
        f->next = registry;
        registry = f;
    }
    pthread_mutex_unlock(&registry_mutex);
    return !taken;
}

static void registry_remove(struct folder *f)
{
    pthread_mutex_lock(&registry_mutex);
    struct folder **at = &registry;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    pthread_mutex_unlock(&registry_mutex);
}

/* Like mkdir -p, for the owner only. */
static bool make_folders(char *path, struct err *e)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        bool made = mkdir(path, 0700) == 0 || errno == EEXIST;
        if (!made)
            err_set(e, "cannot create the folder %s: %s", path, strerror(errno));
        *at = kept;
        if (!made)
            return false;
        if (kept == '\0')
            return true;
    }
}

/* The file stays when the process ends; the lock does not, however it ends. */
static bool lock_take(struct folder *f, struct err *e)
{
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s/" LOCK_NAME, f->path) >= (int)sizeof name)
        return err_set(e, "the path %s is too long", f->path);
    f->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock < 0)
        return err_set(e, "cannot write to %s: %s", name, strerror(errno));
    if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_set(e, "cannot lock %s: %s", name, strerror(errno));
        char pid[32] = "";
        ssize_t n = read(f->lock, pid, sizeof pid - 1);
        uint64_t holder;
        if (n > 1 && parse_u64((struct slice){pid, (size_t)n - 1}, &holder))
            return err_set(e, "%s is in use by process %llu", f->path, (unsigned long long)holder);
        return err_set(e, "%s is in use by another process", f->path);
    }
    char line[32];
    int n = snprintf(line, sizeof line, "%d\n", (int)getpid());
    /* On a full disk the name is missing from the other's message, no more: the lock holds without it. */
    if (ftruncate(f->lock, 0) == 0)
        n = (int)pwrite(f->lock, line, (size_t)n, 0);
    (void)n;
    return true;
}

struct folder *folder_open(const char *path, bool write, struct err *e)
{
    if (!*path) {
        err_set(e, "the store's folder has an empty name");
        return NULL;
    }
    struct folder *f = mem_alloc(sizeof *f);
    f->lock = -1;
    f->path = mem_alloc(strlen(path) + 1);
    memcpy(f->path, path, strlen(path));
    if (write && !make_folders(f->path, e))
        goto no_folder;
    struct stat st;
    if (stat(path, &st) != 0) {
        err_set(e, "cannot open the folder %s: %s", path, strerror(errno));
        goto no_folder;
    }
    if (!S_ISDIR(st.st_mode)) {
        err_set(e, "%s is not a folder", path);
        goto no_folder;
    }
    f->device = st.st_dev;
    f->inode = st.st_ino;
    if (!registry_add(f)) {
        err_set(e, "%s is open in this process already", path);
        goto no_folder;
    }
    if (write && !lock_take(f, e))
        goto no_lock;
    return f;

no_lock:
    registry_remove(f);
    if (f->lock >= 0)
        close(f->lock);
no_folder:
    free(f->path);
    free(f);
    return NULL;
}

void folder_close(struct folder *f)
{
    if (f->lock >= 0)
        close(f->lock);
    registry_remove(f);
    free(f->path);
    free(f);
}

const char *folder_path(const struct folder *f)
{
    return f->path;
}
