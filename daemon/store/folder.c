#include "store/folder.h"

#include <dirent.h>
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
#define MARK_NAME "unsettled"
#define BOOT_MOST 64

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

/* ---- the mark */

static bool path_of(const struct folder *f, const char *name, char path[PATH_MAX], struct err *e)
{
    return snprintf(path, PATH_MAX, "%s/%s", f->path, name) < PATH_MAX ||
           err_set(e, "the path %s is too long", f->path);
}

/* A name made or removed is on the disk only when its folder is. */
static bool sync_folder(const struct folder *f, struct err *e)
{
    int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        err_set(e, "cannot write the folder %s: %s", f->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

/* What the machine calls the time since its last start. */
static size_t boot_id(char out[BOOT_MOST])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, BOOT_MOST) : -1;
    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

/* Cut short, it says FOLDER_PART. */
static bool write_mark(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return ok;
}

bool folder_remove(struct folder *f, const char *name, struct err *e)
{
    char path[PATH_MAX];
    if (!path_of(f, name, path, e))
        return false;
    return unlink(path) == 0 || errno == ENOENT ||
           err_set(e, "cannot remove %s: %s", path, strerror(errno));
}

bool folder_sweep(struct folder *f, struct err *e)
{
    DIR *d = opendir(f->path);
    bool ok = d || err_set(e, "cannot read the folder %s: %s", f->path, strerror(errno));
    for (struct dirent *at; ok && (at = readdir(d));)
        if (strncmp(at->d_name, FOLDER_SCRATCH, sizeof FOLDER_SCRATCH - 1) == 0)
            ok = folder_remove(f, at->d_name, e);
    if (d)
        closedir(d);
    return ok;
}

bool folder_mark(struct folder *f, enum folder_mark m, struct err *e)
{
    char path[PATH_MAX], boot[BOOT_MOST];
    size_t n = m == FOLDER_RUNNING ? boot_id(boot) : 0;
    if (m == FOLDER_WHOLE)
        return folder_remove(f, MARK_NAME, e) && sync_folder(f, e);
    if (!path_of(f, MARK_NAME, path, e))
        return false;
    if (m == FOLDER_RUNNING && n == 0)
        return err_set(e, "the machine does not say when it was started: /proc/sys/kernel/random/boot_id cannot be read");
    if (!write_mark(path, boot, n))
        return err_set(e, "cannot write to %s: %s", path, strerror(errno));
    return sync_folder(f, e);
}

bool folder_marked(const struct folder *f, enum folder_mark *m, struct err *e)
{
    char path[PATH_MAX], found[BOOT_MOST], boot[BOOT_MOST];
    if (!path_of(f, MARK_NAME, path, e))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *m = FOLDER_WHOLE;
    if (fd < 0)
        return errno == ENOENT || err_set(e, "cannot read %s: %s", path, strerror(errno));
    ssize_t n = read(fd, found, sizeof found);
    int why = errno;
    close(fd);
    if (n < 0)
        return err_set(e, "cannot read %s: %s", path, strerror(why));
    if (n == 0)
        *m = FOLDER_PART;
    else
        *m = (size_t)n == boot_id(boot) && memcmp(found, boot, (size_t)n) == 0 ? FOLDER_RUNNING : FOLDER_LOST;
    return true;
}
