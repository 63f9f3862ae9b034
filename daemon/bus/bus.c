#include "bus/bus.h"

#include <assert.h>

/* Four bytes of the key, least significant first whatever the machine. */
static uint32_t four_bytes(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* MurmurHash2 with the seed that Kafka's Java clients use. */
static uint32_t murmur2(struct slice key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = (const unsigned char *)key.p;
    uint32_t h = 0x9747b28cu ^ (uint32_t)key.n;
    size_t n = key.n;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t k = four_bytes(p) * m;
        h = (h * m) ^ ((k ^ k >> 24) * m);
    }
    if (n > 2)
        h ^= (uint32_t)p[2] << 16;
    if (n > 1)
        h ^= (uint32_t)p[1] << 8;
    if (n > 0)
        h = (h ^ p[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

int bus_partition_of(struct slice key, int n)
{
    assert(n > 0);
    return (int)((murmur2(key) & 0x7fffffff) % (uint32_t)n);
}
