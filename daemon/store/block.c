#include "store/block.h"

#include <lz4.h>

#define MARK 0
#define RATIO_MOST 256 /* more than LZ4 can do: who claims it is damaged */

static void add_u32(struct buf *b, uint32_t v)
{
    unsigned char big[4];
    put_be32(big, v);
    buf_add(b, (struct slice){(const char *)big, sizeof big});
}

static void add_tail(struct buf *b, struct slice key)
{
    size_t skip = block_prefix(key).n;
    buf_byte(b, (unsigned char)(key.n - skip));
    buf_add(b, (struct slice){key.p + skip, key.n - skip});
}

static bool take(struct slice *from, size_t n, struct slice *out)
{
    if (n > from->n)
        return false;
    *out = (struct slice){from->p, n};
    *from = (struct slice){from->p + n, from->n - n};
    return true;
}

static bool take_u32(struct slice *from, uint32_t *out)
{
    struct slice big;
    if (!take(from, 4, &big))
        return false;
    *out = get_be32((const unsigned char *)big.p);
    return true;
}

static bool take_tail(struct slice *from, struct slice *out)
{
    struct slice n;
    return take(from, 1, &n) && (unsigned char)n.p[0] <= BLOCK_TAIL && take(from, (unsigned char)n.p[0], out);
}

/* ---- making */

void block_add(struct buf *entries, struct slice key, struct slice value)
{
    add_tail(entries, key);
    add_u32(entries, (uint32_t)value.n);
    buf_add(entries, value);
}

void block_pack(struct buf *out, struct slice entries, uint32_t n, struct slice first)
{
    buf_byte(out, MARK);
    add_u32(out, n);
    add_u32(out, (uint32_t)entries.n);
    add_tail(out, first);
    buf_reserve(out, entries.n);
    /* It gets no more room than what it has to be shorter than. */
    int packed = entries.n > 1 && entries.n <= LZ4_MAX_INPUT_SIZE
                     ? LZ4_compress_default(entries.p, out->p + out->n, (int)entries.n, (int)entries.n - 1)
                     : 0;
    if (packed > 0)
        out->n += (size_t)packed;
    else
        buf_add(out, entries);
}

/* ---- reading */

bool block_head_read(struct slice value, struct block_head *out)
{
    struct slice rest = value, mark;
    *out = (struct block_head){.single = true, .n = 1, .entries = value};
    if (!take(&rest, 1, &mark) || mark.p[0] != MARK)
        return true;
    out->single = false;
    if (!take_u32(&rest, &out->n) || !take_u32(&rest, &out->bytes) || !take_tail(&rest, &out->first))
        return false;
    out->entries = rest;
    return out->bytes / RATIO_MOST <= rest.n;
}

static bool unpack_entries(struct buf *out, const struct block_head *h)
{
    buf_clear(out);
    buf_reserve(out, h->bytes);
    if (h->entries.n >= h->bytes)
        buf_add(out, h->entries);
    else if (h->bytes <= LZ4_MAX_INPUT_SIZE) {
        int n = LZ4_decompress_safe(h->entries.p, out->p, (int)h->entries.n, (int)h->bytes);
        out->n = n > 0 ? (size_t)n : 0;
    }
    return out->n == h->bytes;
}

bool block_unpack(struct block *b, struct slice key, struct slice value)
{
    struct block_head h;
    b->nprefix = block_prefix(key).n;
    memcpy(b->key, key.p, b->nprefix);
    if (!block_head_read(value, &h))
        return false;
    if (!h.single)
        return unpack_entries(&b->entries, &h);
    buf_clear(&b->entries);
    block_add(&b->entries, key, value);
    return true;
}

bool block_entry(struct block *b, size_t *at, struct slice *key, struct slice *value)
{
    struct slice rest = {b->entries.p + *at, b->entries.n - *at}, tail;
    uint32_t n;
    if (rest.n == 0 || !take_tail(&rest, &tail) || !take_u32(&rest, &n) || !take(&rest, n, value))
        return false;
    if (tail.n)
        memcpy(b->key + b->nprefix, tail.p, tail.n);
    *key = (struct slice){b->key, b->nprefix + tail.n};
    *at = b->entries.n - rest.n;
    return true;
}

void block_free(struct block *b)
{
    buf_free(&b->entries);
}
