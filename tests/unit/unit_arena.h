/* One arena for each test: cmocka_unit_test_setup_teardown(test, setup, teardown). */
#ifndef DUBAND_UNIT_ARENA_H
#define DUBAND_UNIT_ARENA_H

#include "unit.h"

static struct arena *arena;

static inline int setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

#endif
