/* The vocabulary that every file shares: slices, arenas, buffers and errors. libc only. */
#ifndef DUBAND_BASE_H
#define DUBAND_BASE_H

#include <endian.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes that somebody else owns. May hold NULs; never NUL-terminated by promise. p may be NULL when n is 0. */
struct slice {
    const char *p;
    size_t n;
};

#define S(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct slice slice_of(const char *z)
{
    return (struct slice){z, z ? strlen(z) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Byte order, shorter first when one is a prefix of the other: the order of keys everywhere. */
int slice_cmp(struct slice a, struct slice b);

/* Well-formed UTF-8 without surrogates, overlong forms or values past U+10FFFF (RFC 3629). */
bool slice_is_utf8(struct slice s);

/* No bytes below 0x20 and no 0x7f: what an id, a key part or a title may hold. */
bool slice_is_printable(struct slice s);

/* The nearest of the candidates by edit distance; empty: none is near. */
struct slice nearest_name(struct slice got, const struct slice *candidate, size_t n);

/* ---- memory: running out of it ends the process with a line on stderr; nothing here returns NULL. */

void *mem_alloc(size_t n); /* zeroed */
void *mem_grow(void *p, size_t n);
void mem_give_back(void); /* to the system, what was freed: allocators keep it for a next time */

/* An arena hands out zeroed memory that is all freed at once. Not thread-safe. */
struct arena { /* its inside is for what stands here and in mem.c alone */
    char *next, *end; /* of the newest block: what is zero, and not handed out yet */
    struct arena_block *block; /* the newest */
    size_t used; /* handed out of the older ones */
};
struct arena *arena_new(void);
void arena_free(struct arena *a);  /* NULL is fine */
void arena_reset(struct arena *a); /* keeps the largest block for reuse */
size_t arena_used(const struct arena *a); /* rounding included */
void *arena_extend(struct arena *a, size_t n); /* arena_alloc, when there is not enough that is zero */

#define ARENA_ALIGN ((size_t)16)

static inline void *arena_alloc(struct arena *a, size_t n)
{
    char *p = a->next;
    if (n >= (size_t)(a->end - p)) /* a multiple of ARENA_ALIGN, so that what is less fits when it is rounded up */
        return arena_extend(a, n);
    a->next = p + (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    return p;
}

struct slice arena_dup(struct arena *a, struct slice s); /* the copy is NUL-terminated after its n bytes */
struct slice arena_join(struct arena *a, const struct slice *part, size_t n); /* one after the other; the same */
struct slice arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As "%lld" and "%0*d" of printf, for what every output says. */
struct slice arena_digits(struct arena *a, int64_t v);
struct slice arena_hex(struct arena *a, const void *bytes, size_t n); /* two lower-case digits a byte */
static inline void put_digits(char *out, unsigned v, size_t n) /* the last n digits of it */
{
    for (; n > 0; v /= 10)
        out[--n] = (char)('0' + v % 10);
}

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_alloc((a), sizeof(type) * (count)))

void arena_push_room(struct arena *a, void *items, size_t n, size_t *cap, size_t size); /* for more than n */
/* Appends to an array that lives in an arena and has fields `item` and `n` beside a capacity `cap`. `items` is the address of the
 * pointer to the array (it may move); returns the new, zeroed slot: struct x *slot = arena_push(a, &v->item, &v->n, &v->cap, sizeof *slot). */
static inline void *arena_push(struct arena *a, void *items, size_t *n, size_t *cap, size_t size)
{
    char *p;
    if (*n == *cap)
        arena_push_room(a, items, *n, cap, size);
    memcpy(&p, items, sizeof p);
    return memset(p + (*n)++ * size, 0, size);
}

/* A byte buffer that grows. Zero-initialise it; buf_free when done. */
struct buf {
    char *p;
    size_t n;
    size_t cap;
};
void buf_free(struct buf *b);
void buf_clear(struct buf *b);
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, struct slice s);
void buf_byte(struct buf *b, unsigned char c);
void buf_add_html(struct buf *b, struct slice s); /* text as HTML shows it: & < > " escaped, line breaks as <br> */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->p, b->n};
}

/* Big-endian integers for keys: their byte order is their numeric order. */
static inline void put_be64(unsigned char out[8], uint64_t v)
{
    uint64_t big = htobe64(v);
    memcpy(out, &big, sizeof big);
}
static inline uint64_t get_be64(const unsigned char in[8])
{
    uint64_t big;
    memcpy(&big, in, sizeof big);
    return be64toh(big);
}
static inline void put_be32(unsigned char out[4], uint32_t v)
{
    uint32_t big = htobe32(v);
    memcpy(out, &big, sizeof big);
}
static inline uint32_t get_be32(const unsigned char in[4])
{
    uint32_t big;
    memcpy(&big, in, sizeof big);
    return be32toh(big);
}
/* Signed values order correctly too (the sign bit is flipped). */
static inline void put_be64s(unsigned char out[8], int64_t v)
{
    put_be64(out, (uint64_t)v ^ (UINT64_C(1) << 63));
}
static inline int64_t get_be64s(const unsigned char in[8])
{
    return (int64_t)(get_be64(in) ^ (UINT64_C(1) << 63));
}

/* ---- errors: one clear sentence, saying where and what was expected. */

struct err {
    char text[1024];
};
/* Formats into e (NULL: dropped) and returns false, so that a failing function can `return err_set(...)`. */
bool err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Strict numbers: the whole slice, decimal, no sign for unsigned, no blanks, no overflow. */
bool parse_u64(struct slice s, uint64_t *out);
bool parse_i64(struct slice s, int64_t *out);

#endif
