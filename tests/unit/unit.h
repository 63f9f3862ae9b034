/* What unit tests share: cmocka with the headers it needs, and seeded randomness. */
#ifndef DUBAND_UNIT_H
#define DUBAND_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

/* SEED from the environment, else from the clock; printed, so that a failure can be run again. */
static inline uint64_t seed_take(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const char *given = getenv("SEED");
    uint64_t seed =
        given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    printf("SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/* splitmix64 */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int64_t random_between(uint64_t *state, int64_t least, int64_t most)
{
    return (int64_t)((uint64_t)least + random_next(state) % ((uint64_t)most - (uint64_t)least + 1));
}

#define assert_slice(got, wanted)                                                                            \
    do {                                                                                                     \
        struct slice got_ = (got);                                                                           \
        char *text_ = strndup(got_.n ? got_.p : "", got_.n);                                                 \
        assert_string_equal(text_, (wanted));                                                                \
        free(text_);                                                                                         \
    } while (0)

#endif
