/* What is gathered is found again, its last value only, and comes out in the order of the keys. */
#include "store_support.h"

#include "store/gather.h"

#define KEYS 600

struct expected {
    struct slice key;
    unsigned value; /* 0: none */
};

/* All begin the same; some are the beginning of others, and zeros follow some. */
static struct slice key_of(char out[32], uint64_t *random)
{
    static const char piece[] = {0, 'a', (char)0xff};
    size_t n = 3 + random_below(random, random_below(random, 2) ? 6 : 20);
    memcpy(out, "key", 3);
    for (size_t i = 3; i < n; i++)
        out[i] = piece[random_below(random, sizeof piece)];
    return (struct slice){out, n};
}

static int by_key(const void *x, const void *y)
{
    return slice_cmp(((const struct expected *)x)->key, ((const struct expected *)y)->key);
}

static struct expected *find(struct expected *e, size_t n, struct slice key)
{
    size_t i = 0;
    while (i < n && !slice_eq(e[i].key, key))
        i++;
    return &e[i];
}

static void assert_found(const struct gather *g, const struct expected *e, uint32_t hash)
{
    struct slice v;
    assert_int_equal(gather_get(g, hash, e->key, &v), e->value != 0);
    if (e->value) {
        assert_int_equal(v.n, sizeof e->value);
        assert_memory_equal(v.p, &e->value, sizeof e->value);
    }
}

static void gather_some(struct gather *g, uint64_t *random, size_t n, uint32_t hashes)
{
    static char bytes[KEYS][32];
    struct expected expected[KEYS];
    size_t known = 0;
    for (unsigned value = 1; value <= n; value++) {
        struct slice key = key_of(bytes[known], random);
        struct expected *e = find(expected, known, key);
        uint32_t hash = (uint32_t)key.n * 97 + (unsigned char)key.p[key.n - 1];
        if (e == &expected[known])
            expected[known++] = (struct expected){.key = key};
        assert_found(g, e, hash & hashes);
        e->value = value;
        gather_put(g, hash & hashes, key, (struct slice){(const char *)&value, sizeof value});
        assert_found(g, e, hash & hashes);
    }
    gather_sort(g);
    qsort(expected, known, sizeof *expected, by_key);
    assert_int_equal(g->n, known);
    for (size_t i = 0; i < known; i++) {
        assert_true(slice_eq(gather_key(g, i), expected[i].key));
        assert_memory_equal(gather_value(g, i).p, &expected[i].value, sizeof expected[i].value);
    }
    gather_clear(g);
}

static void test_random_keys(void **state)
{
    struct gather g = {0};
    uint64_t random = seed_take();
    (void)state;
    for (int round = 0; round < 200; round++)
        gather_some(&g, &random, random_below(&random, round % 20 ? 40 : KEYS + 1), round % 3 ? UINT32_MAX : 3);
    gather_free(&g);
    assert_int_equal(g.room, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
