/* What the measuring programs share: the clock, the end, and the one kind of event of tests/bench/load. */
#ifndef DUBAND_BENCH_H
#define DUBAND_BENCH_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bus/bus.h"
#include "engine/intake.h"

#define BENCH_WORKFLOW "load"

static inline double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((format(printf, 1, 2))) static inline _Noreturn void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(3);
}

static inline unsigned argument(int argc, char **argv, int i, unsigned otherwise)
{
    uint64_t v = otherwise;
    if (i < argc && (!parse_u64(slice_of(argv[i]), &v) || v > 100000000))
        die("%s: a number was expected", argv[i]);
    return (unsigned)v;
}

/* Event n of a run: a fact about one of many subjects, as JSON, which is what most portals send. */
static inline struct cloud_event touch_event(struct arena *a, const char *run, unsigned n, unsigned subject)
{
    return (struct cloud_event){
        .id = arena_printf(a, "%s-%u", run, n),
        .source = S("bench"),
        .type = S("duban.v1.Fact"),
        .content_type = S("application/json"),
        .time = INSTANT_NONE,
        .workflow = S(BENCH_WORKFLOW),
        .data = arena_printf(a,
                             "{\"workflow\":\"" BENCH_WORKFLOW
                             "\",\"fact\":{\"kind\":\"touch\",\"reporter\":\"desk\","
                             "\"fields\":{\"subject\":\"s-%06u\",\"amount\":%u}}}",
                             subject, n),
    };
}

static inline struct record touch_record(struct arena *a, const char *run, unsigned n, unsigned subject)
{
    const struct cloud_event e = touch_event(a, run, n, subject);
    return intake_record(&e, TOPIC_SUBMISSIONS, a);
}

/* A fixed sequence: every run has the same events. */
static inline unsigned pick(uint64_t *seed, unsigned below)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return (unsigned)(*seed % below);
}
#define PICK_SEED UINT64_C(88172645463325252)

#endif
