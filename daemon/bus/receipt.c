#include "bus/receipt.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static instant_t clock_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (instant_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void machine_read(instant_t *wall, instant_t *boot)
{
    *wall = clock_ms(CLOCK_REALTIME);
    *boot = clock_ms(CLOCK_BOOTTIME);
}

static struct slice machine_boot_id(struct arena *a)
{
    char id[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, id, sizeof id);
    if (fd >= 0)
        close(fd);
    return arena_dup(a, (struct slice){id, n > 0 ? (size_t)n : 0});
}

static const struct receipt_source machine = {machine_read, machine_boot_id};
const struct receipt_source *receipt_source = &machine;

static instant_t later(instant_t a, instant_t b)
{
    return a > b ? a : b;
}

void receipt_resume(struct receipt_clock *c, instant_t offset, instant_t wall, instant_t boot, instant_t last,
                    instant_t last_deadline)
{
    *c = (struct receipt_clock){.offset = offset, .last = last, .last_deadline = last_deadline};
    receipt_observe(c, wall, boot);
}

void receipt_start(struct receipt_clock *c, instant_t wall, instant_t boot, instant_t last,
                   instant_t last_deadline)
{
    /* A machine that lost its time wakes up in the past: then the log knows better. */
    bool behind = last != INSTANT_NONE && wall < last - RECEIPT_STEP_MOST;
    receipt_resume(c, (behind ? last : wall) - boot, wall, boot, last, last_deadline);
}

void receipt_observe(struct receipt_clock *c, instant_t wall, instant_t boot)
{
    c->step = wall - boot - c->offset;
    c->stopped = c->step > RECEIPT_STEP_MOST || c->step < -RECEIPT_STEP_MOST;
    if (!c->stopped)
        c->offset = wall - boot; /* small steps and drift are followed, and do not add up */
    c->now = boot + c->offset;
}

void receipt_accept(struct receipt_clock *c, instant_t wall, instant_t boot)
{
    c->offset = wall - boot;
    receipt_observe(c, wall, boot);
}

instant_t receipt_stamp(struct receipt_clock *c, enum topic topic)
{
    instant_t t = later(c->now, c->last);
    /* A submission appended after a deadline of the same millisecond would be merged before it. */
    if (topic == TOPIC_SUBMISSIONS && t <= c->last_deadline)
        t = c->last_deadline + 1;
    if (topic == TOPIC_DEADLINES)
        c->last_deadline = t;
    c->last = t;
    return t;
}

void receipt_explain(const struct receipt_clock *c, struct err *why)
{
    struct arena *a = arena_new();
    struct slice says = instant_format_utc(a, c->now + c->step), should = instant_format_utc(a, c->now);
    err_set(
        why,
        "clock stopped: the machine's clock says %.*s where %.*s was expected; set it right, or accept it",
        SLICE_ARG(says), SLICE_ARG(should));
    arena_free(a);
}
