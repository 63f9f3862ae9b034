/* What the store's and the bus's tests share: folders that vanish, and random numbers with a printed seed. */
#ifndef DUBAND_STORE_SUPPORT_H
#define DUBAND_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

struct temp {
    char path[256];
};

static inline struct temp temp_make(void)
{
    struct temp t;
    const char *base = getenv("TMPDIR");
    snprintf(t.path, sizeof t.path, "%s/duband-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(t.path)) {
        perror(t.path);
        exit(3);
    }
    return t;
}

static inline int temp_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void temp_remove(const struct temp *t)
{
    nftw(t->path, temp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* SEED in the environment repeats a run. */
static inline uint64_t random_seed(const char *test)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    printf("%s: SEED=%llu\n", test, (unsigned long long)seed);
    return seed ? seed : 1;
}

/* xorshift64*. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 11) % n;
}

static inline void assert_slice(struct slice got, const char *expected)
{
    if (!slice_eq(got, slice_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", SLICE_ARG(got), expected);
}

static inline void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

#endif
