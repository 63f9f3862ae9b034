/* Preloaded into duband: while the file $FAILING_WHEN exists, writes to files whose path has the text that follows the
 * error's number in it ("28 partition-1/") fail with that number. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* 0: it does not. */
static int failure(int fd)
{
    char link[64], path[PATH_MAX], part[128];
    int number = 0;
    FILE *f = fopen(getenv("FAILING_WHEN"), "r");
    if (!f)
        return 0;
    int read_ = fscanf(f, "%d %127s", &number, part);
    fclose(f);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = read_ == 2 ? readlink(link, path, sizeof path - 1) : -1;
    path[n > 0 ? n : 0] = 0;
    return n > 0 && strstr(path, part) ? number : 0;
}

#define FAIL_IF_ASKED(fd)                                                                                     \
    do {                                                                                                      \
        int kept = errno, number = failure(fd);                                                               \
        errno = number ? number : kept;                                                                       \
        if (number)                                                                                           \
            return -1;                                                                                        \
    } while (0)
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    FAIL_IF_ASKED(fd);
    return REAL(pwrite)(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    FAIL_IF_ASKED(fd);
    return REAL(writev)(fd, v, n);
}
