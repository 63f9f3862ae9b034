/* What the daemon asks of the system, wrapped by the linker: threads, locks, clocks, eventfds. Outside of a
 * simulated thread (the oracle, preparations) locks are not needed and time is the broker's. */
#include "sim.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FD_FIRST 100000
#define FDS 4096

/* ---- threads */

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    static unsigned count;
    char name[16];
    (void)attr;
    snprintf(name, sizeof name, "thread-%u", ++count % 1000);
    struct thread *t = thread_start(running_host(), name, run, arg);
    memcpy(out, &t, sizeof t);
    return 0;
}

static bool ended(void *t)
{
    return thread_ended(t);
}

int __wrap_pthread_join(pthread_t id, void **result)
{
    struct thread *t;
    (void)result;
    memcpy(&t, &id, sizeof t);
    wait_for(ended, t, FOREVER);
    return 0;
}

/* ---- locks: the first word says who holds it. A crash never happens under a lock that two nodes share, since
 * nothing is asked of the fakes there. */

static unsigned *word(void *lock)
{
    return lock;
}

static bool is_free(void *lock)
{
    return *word(lock) == 0;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    (void)attr;
    memset(m, 0, sizeof *m);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
    if (!is_free(m))
        fail("a lock that is held was destroyed");
    return 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    if (!running)
        return 0;
    if (chance(plan.swap / 8))
        yield_now();
    wait_for(is_free, m, FOREVER);
    *word(m) = 1;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    *word(m) = 0;
    return 0;
}

/* A condition variable: how often it was signalled, how many of these were heard; which clock it goes by. */
struct signalled {
    unsigned waiting, signals;
    clockid_t clock;
};
_Static_assert(sizeof(struct signalled) <= sizeof(pthread_cond_t), "it lies in the place of the real one");

int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    struct signalled s = {0};
    if (attr)
        pthread_condattr_getclock(attr, &s.clock);
    memset(c, 0, sizeof *c);
    memcpy(c, &s, sizeof s);
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *c)
{
    (void)c;
    return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
    struct signalled *s = (struct signalled *)(void *)c;
    if (s->signals < s->waiting)
        s->signals++;
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *c)
{
    struct signalled *s = (struct signalled *)(void *)c;
    s->signals = s->waiting;
    return 0;
}

static bool has_signal(void *c)
{
    return ((struct signalled *)c)->signals > 0;
}

static int cond_wait(pthread_cond_t *c, pthread_mutex_t *m, int64_t until)
{
    struct signalled *s = (struct signalled *)(void *)c;
    s->waiting++;
    __wrap_pthread_mutex_unlock(m);
    bool spurious = chance(0.002);
    bool heard = spurious || wait_for(has_signal, c, until);
    s->waiting--;
    if (s->signals > 0 && (!spurious || s->signals > s->waiting))
        s->signals--;
    __wrap_pthread_mutex_lock(m);
    return heard ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return cond_wait(c, m, FOREVER);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
    const struct signalled *s = (const struct signalled *)(const void *)c;
    int64_t at = (int64_t)t->tv_sec * SEC + t->tv_nsec / 1000;
    if (s->clock == CLOCK_REALTIME)
        at -= WALL_START_MS * MS + (running_host() ? running_host()->skew : 0);
    return cond_wait(c, m, at);
}

/* ---- clocks */

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    const struct host *n = running_host();
    now += n != NULL;
    int64_t t = now;
    if (id == CLOCK_REALTIME)
        t += WALL_START_MS * MS + (n ? n->skew : 0);
    *out = (struct timespec){t / SEC, t % SEC * 1000};
    return 0;
}

ssize_t __wrap_getrandom(void *out, size_t n, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)out)[i] = (unsigned char)chance_next();
    return (ssize_t)n;
}

int __wrap_malloc_trim(size_t pad)
{
    (void)pad;
    return 0;
}

/* ---- eventfds */

static uint64_t counted[FDS];
static int nfds;

int __wrap_eventfd(unsigned first, int flags)
{
    (void)flags;
    counted[nfds % FDS] = first;
    return FD_FIRST + nfds++ % FDS;
}

void fd_add(int fd)
{
    counted[fd - FD_FIRST]++;
}

int __real_close(int fd);
int __wrap_close(int fd)
{
    return fd >= FD_FIRST ? 0 : __real_close(fd);
}

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n)
{
    if (fd < FD_FIRST)
        return __real_read(fd, p, n);
    uint64_t had = counted[fd - FD_FIRST];
    counted[fd - FD_FIRST] = 0;
    if (had == 0) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(p, &had, sizeof had);
    return sizeof had;
}

/* What a node says on stderr goes into the trace. */
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fd == STDERR_FILENO && running) {
        const char *level = strstr(p, "level=");
        int skip = level ? (int)(level - (const char *)p) : 0;
        trace("  %.*s", (int)n - skip - 1, (const char *)p + skip);
        return (ssize_t)n;
    }
    if (fd < FD_FIRST)
        return __real_write(fd, p, n);
    fd_add(fd);
    return (ssize_t)n;
}

static bool fd_readable(void *fd)
{
    return counted[((struct pollfd *)fd)->fd - FD_FIRST] > 0;
}

int __wrap_poll(struct pollfd *fd, nfds_t n, int ms)
{
    if (n != 1 || fd->fd < FD_FIRST)
        fail("poll of something that is not simulated");
    step("poll");
    bool readable = wait_for(fd_readable, fd, ms < 0 ? FOREVER : now + (int64_t)ms * MS);
    fd->revents = readable ? POLLIN : 0;
    return readable;
}

/* ---- folders: a node's own, with the partitions that its disk has */

int __wrap_mkdir(const char *path, mode_t mode)
{
    (void)path;
    (void)mode;
    return 0;
}

struct listing {
    int at;
    struct dirent entry;
};

DIR *__wrap_opendir(const char *path)
{
    (void)path;
    return mem_alloc(sizeof(struct listing));
}

struct dirent *__wrap_readdir(DIR *d)
{
    struct listing *l = (struct listing *)(void *)d;
    while (l->at < PARTITIONS_MOST && !disk_store(running_host()->id, l->at))
        l->at++;
    if (l->at == PARTITIONS_MOST)
        return NULL;
    snprintf(l->entry.d_name, sizeof l->entry.d_name, "partition-%d", l->at++);
    return &l->entry;
}

int __wrap_closedir(DIR *d)
{
    free(d);
    return 0;
}
