/* What happened, kept in a ring: only the end of a failed history is ever read. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOWN 200
#define WIDTH 400

static char ring[SHOWN][WIDTH];
static size_t lines;
static bool print_all;

ssize_t __real_write(int fd, const void *p, size_t n);

static void out(const char *line)
{
    if (__real_write(STDOUT_FILENO, line, strlen(line)) < 0)
        _exit(3); /* nobody reads */
}

void trace_open(bool all)
{
    print_all = all;
    lines = 0;
}

void trace(const char *fmt, ...)
{
    char *line = ring[lines++ % SHOWN];
    const struct host *n = running_host();
    int at = snprintf(line, WIDTH, "%10.6f ", (double)now / SEC);
    if (n)
        at += snprintf(line + at, (size_t)(WIDTH - at), "n%d %-9s ", n->id, thread_name(running));
    else
        at += snprintf(line + at, (size_t)(WIDTH - at), "-- %-9s ", "");
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line + at, (size_t)(WIDTH - at - 1), fmt, ap);
    va_end(ap);
    strcat(line, "\n");
    if (print_all)
        out(line);
}

/* In one piece: other histories may fail at the same moment. */
static void print_end(const char *why)
{
    static char all[SHOWN * WIDTH + 4096];
    size_t n = 0, from = lines > SHOWN ? lines - SHOWN : 0;
    for (size_t i = from; i < lines && !print_all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s", ring[i % SHOWN]);
    snprintf(all + n, sizeof all - n, "%s", why);
    out(all);
}

void fail(const char *fmt, ...)
{
    char why[2000], line[2200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(line, sizeof line, "FAILED SEED=%llu: %s\n", (unsigned long long)plan.seed, why);
    print_end(line);
    _exit(1);
}
