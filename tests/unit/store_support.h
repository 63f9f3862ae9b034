/* What the store's and the bus's tests share: folders that vanish, and random numbers with a printed seed. */
#ifndef DUBAND_STORE_SUPPORT_H
#define DUBAND_STORE_SUPPORT_H

#include <ftw.h>

#include "unit.h"

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

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
    return (random_next(state) >> 11) % n;
}

static inline void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

#endif
