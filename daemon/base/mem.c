#include "base/base.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

/* Under AddressSanitizer what an arena has not handed out is out of bounds, and a gap follows each piece. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ARENA_GUARDED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_GUARDED 1
#endif
#ifdef ARENA_GUARDED
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16u
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ARENA_GAP 0u
#endif

#define ARENA_FIRST_BLOCK 4096u
#define ARENA_LARGEST_STEP                                                                                   \
    (1u << 20) /* blocks stop doubling here, so that a big arena wastes at most this much */
#define ARENA_FIRST_ITEMS 256u /* bytes of an array that grows */
#define ARENA_AHEAD 1024u /* zeroed at once, shortly before it is used: as much as is quickest */

static _Noreturn void mem_fail(const char *what, size_t n)
{
    fprintf(stderr, "duband: %s (%zu bytes wanted)\n", what, n);
    abort();
}

void *mem_alloc(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        mem_fail("out of memory", n);
    return p;
}

void *mem_grow(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        mem_fail("out of memory", n);
    return q;
}

/* jemalloc's, in a program that is linked with it. */
__attribute__((weak)) int mallctl(const char *name, void *old, size_t *nold, void *new, size_t nnew);

void mem_give_back(void)
{
    if (!mallctl) {
        malloc_trim(0);
        return;
    }
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096: all of them */
}

/* ---- arena: a chain of blocks, newest first; only the newest is allocated from. */

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data: a multiple of ARENA_ALIGN */
    _Alignas(ARENA_ALIGN) char data[];
};

struct arena *arena_new(void)
{
    return mem_alloc(sizeof(struct arena));
}

static void blocks_free(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    blocks_free(a->block);
    free(a);
}

static size_t taken_of_newest(const struct arena *a)
{
    return a->block ? (size_t)(a->next - a->block->data) : 0;
}

/* b is the newest; nothing of it is handed out. */
static void start_block(struct arena *a, struct arena_block *b)
{
    a->block = b;
    a->next = a->end = b->data;
    ASAN_POISON_MEMORY_REGION(b->data, b->size);
}

void arena_reset(struct arena *a)
{
    if (!a->block)
        return;
    struct arena_block **best = &a->block;
    for (struct arena_block **link = &a->block->next; *link; link = &(*link)->next)
        if ((*link)->size > (*best)->size)
            best = link;
    struct arena_block *largest = *best;
    *best = largest->next;
    blocks_free(a->block);
    largest->next = NULL;
    a->used = 0;
    start_block(a, largest);
}

size_t arena_used(const struct arena *a)
{
    return a->used + taken_of_newest(a);
}

static void add_block(struct arena *a, size_t n)
{
    size_t size = a->block ? a->block->size * 2 : ARENA_FIRST_BLOCK;
    if (size > ARENA_LARGEST_STEP)
        size = ARENA_LARGEST_STEP;
    if (size < n)
        size = n;
    struct arena_block *b = mem_grow(NULL, sizeof *b + size);
    *b = (struct arena_block){a->block, size};
    a->used += taken_of_newest(a);
    start_block(a, b);
}

/* Zeroes a stretch ahead, but where pieces are guarded no more than this one: so all of them come here. */
void *arena_extend(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        mem_fail("impossible allocation", n);
    size_t taken = (n + ARENA_GAP + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (!a->block || (size_t)(a->block->data + a->block->size - a->next) < taken)
        add_block(a, taken);
    char *p = a->next;
    size_t left = (size_t)(a->block->data + a->block->size - p);
    size_t zero = ARENA_GAP || taken > ARENA_AHEAD ? taken : left < ARENA_AHEAD ? left : ARENA_AHEAD;
    size_t more = (size_t)(p + zero - a->end);
    ASAN_UNPOISON_MEMORY_REGION(a->end, more);
    memset(a->end, 0, more);
    ASAN_POISON_MEMORY_REGION(p + n, taken - n);
    a->next = p + taken;
    a->end = p + zero;
    return p;
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (struct slice){p, s.n};
}

struct slice arena_join(struct arena *a, const struct slice *part, size_t n)
{
    size_t used = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        all += part[i].n;
    char *p = arena_alloc(a, all + 1);
    for (size_t i = 0; i < n; used += part[i++].n)
        if (part[i].n)
            memcpy(p + used, part[i].p, part[i].n);
    return (struct slice){p, all};
}

struct slice arena_digits(struct arena *a, int64_t v)
{
    char text[20]; /* of 2^63, with its sign */
    size_t at = sizeof text;
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (v < 0)
        text[--at] = '-';
    return arena_dup(a, (struct slice){text + at, sizeof text - at});
}

struct slice arena_hex(struct arena *a, const void *bytes, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const unsigned char *b = bytes;
    char *hex = arena_alloc(a, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digit[b[i] >> 4];
        hex[2 * i + 1] = digit[b[i] & 15];
    }
    return (struct slice){hex, 2 * n};
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
    char small[256];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0)
        mem_fail("cannot format", 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    if ((size_t)n < sizeof small)
        memcpy(p, small, (size_t)n);
    else
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct slice){p, (size_t)n};
}

void arena_push_room(struct arena *a, void *items, size_t n, size_t *cap, size_t size)
{
    char *p;
    size_t most = SIZE_MAX / 2 / size, more = n ? n * 2 : size < ARENA_FIRST_ITEMS ? ARENA_FIRST_ITEMS / size : 1;
    if (more > most)
        mem_fail("impossible allocation", more);
    char *q = arena_alloc(a, more * size);
    memcpy(&p, items, sizeof p);
    if (n)
        memcpy(q, p, n * size);
    memcpy(items, &q, sizeof q);
    *cap = more;
}

/* ---- buffer */

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
}

void buf_reserve(struct buf *b, size_t more)
{
    if (more <= b->cap - b->n)
        return;
    if (more > SIZE_MAX / 4 - b->n)
        mem_fail("impossible allocation", more);
    size_t cap = b->cap ? b->cap * 2 : 64;
    while (cap < b->n + more)
        cap *= 2;
    b->p = mem_grow(b->p, cap);
    b->cap = cap;
}

void buf_add(struct buf *b, struct slice s)
{
    if (s.n == 0)
        return;
    buf_reserve(b, s.n);
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

void buf_byte(struct buf *b, unsigned char c)
{
    buf_reserve(b, 1);
    b->p[b->n++] = (char)c;
}

void buf_add_html(struct buf *b, struct slice s)
{
    static const char *const entity[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\n'] = "<br>"};
    for (size_t i = 0; i < s.n; i++) {
        const char *e = entity[(unsigned char)s.p[i]];
        if (e)
            buf_add(b, slice_of(e));
        else
            buf_byte(b, (unsigned char)s.p[i]);
    }
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    buf_reserve(b, 1);
    int n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
    if (n < 0)
        mem_fail("cannot format", 0);
    if ((size_t)n >= b->cap - b->n) {
        buf_reserve(b, (size_t)n + 1); /* vsnprintf wants room for its NUL, which is not counted */
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    b->n += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}
