/* Preloaded into a broker: while the file $READONLY_WHEN exists, the disk under $READONLY_UNDER is read-only to
 * it (EROFS), open files included, as when a kernel remounts a failing disk. Needs no rights and no mount. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_under(const char *path)
{
    const char *when = getenv("READONLY_WHEN"), *under = getenv("READONLY_UNDER");
    return path && when && under && strncmp(path, under, strlen(under)) == 0 && access(when, F_OK) == 0;
}

static bool is_under_fd(int fd)
{
    char link[64], path[PATH_MAX];
    const char *when = getenv("READONLY_WHEN");
    if (!when || access(when, F_OK) != 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    return is_under(path);
}

#define REFUSE_IF(condition)                                                                                  \
    do {                                                                                                      \
        int kept = errno;                                                                                     \
        if (condition) {                                                                                      \
            errno = EROFS;                                                                                    \
            return -1;                                                                                        \
        }                                                                                                     \
        errno = kept;                                                                                         \
    } while (0)
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *p, size_t n)
{
    REFUSE_IF(is_under_fd(fd));
    return REAL(write)(fd, p, n);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    REFUSE_IF(is_under_fd(fd));
    return REAL(writev)(fd, v, n);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    REFUSE_IF(is_under_fd(fd));
    return REAL(pwrite64)(fd, p, n, at);
}

int ftruncate64(int fd, off64_t n)
{
    REFUSE_IF(is_under_fd(fd));
    return REAL(ftruncate64)(fd, n);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    REFUSE_IF(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC) && is_under(path));
    return REAL(open64)(path, flags, mode);
}

int rename(const char *from, const char *to)
{
    REFUSE_IF(is_under(from) || is_under(to));
    return REAL(rename)(from, to);
}

int unlink(const char *path)
{
    REFUSE_IF(is_under(path));
    return REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode)
{
    REFUSE_IF(is_under(path));
    return REAL(mkdir)(path, mode);
}
