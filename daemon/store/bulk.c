#include "store/bulk.h"

#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_MOST 511               /* what the store takes */
#define GONE UINT32_MAX           /* length of the value of a key that is gone */
#define WRITE_BYTES (256u << 10)  /* written at once */
#define WINDOW_LEAST (8u << 10)   /* read of a run at once, at least */

/* As it lies in memory and in the file: lengths, table and key, value. */
struct head {
    uint32_t key, value; /* key: with the table before it */
};

struct place {
    uint64_t prefix; /* of the key, behind what all keys of the run share */
    size_t at;       /* of its head, in the memory */
};

/* A stretch of the file, sorted, each key once; read through a window. */
struct run {
    off_t at, end; /* of what is not in the window */
    char *window;
    size_t size, have, used;
    struct slice key; /* of the entry at hand */
    uint32_t value;   /* its length, or GONE; it follows the key */
    bool over;
};

struct bulk {
    char *folder;
    size_t bytes;
    char *memory; /* heads with keys and values, as they came */
    size_t used, room;
    struct place *place;
    size_t nplaces, cplaces;
    int fd; /* -1: nothing had to go there */
    off_t end;
    struct run *run;
    size_t nruns, cruns;
    size_t *heap; /* runs by key, the newest first among equals */
    size_t nheap;
    size_t next; /* place, when there are no runs */
    char *out;
    size_t nout;
    bool handed; /* the first of the heap was handed out: it moves on before the next look */
};

struct bulk *bulk_new(const char *folder, size_t bytes)
{
    struct bulk *b = mem_alloc(sizeof *b);
    b->folder = mem_alloc(strlen(folder) + 1);
    memcpy(b->folder, folder, strlen(folder));
    b->bytes = bytes;
    b->fd = -1;
    return b;
}

void bulk_free(struct bulk *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->nruns; i++)
        free(b->run[i].window);
    if (b->fd >= 0)
        close(b->fd);
    free(b->run);
    free(b->heap);
    free(b->memory);
    free(b->place);
    free(b->out);
    free(b->folder);
    free(b);
}

/* ---- sorting what is in memory */

static struct head head_at(const char *p)
{
    struct head h;
    memcpy(&h, p, sizeof h);
    return h;
}

static struct slice key_at(const char *p)
{
    return (struct slice){p + sizeof(struct head), head_at(p).key};
}

/* The table, then seven bytes of the key, behind what all keys of the table share. */
static uint64_t prefix_of(struct slice key, size_t from)
{
    unsigned char byte[8] = {0};
    size_t n = key.n > from ? key.n - from : 0;
    byte[0] = (unsigned char)key.p[0];
    memcpy(byte + 1, key.p + (n ? from : 0), n < 7 ? n : 7);
    return get_be64(byte);
}

static size_t shared_bytes(struct slice a, struct slice b, size_t most)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    n = n < most ? n : most;
    while (i < n && a.p[i] == b.p[i])
        i++;
    return i;
}

/* Equal keys stand in the order they came. */
static int by_key(const struct bulk *b, const struct place *x, const struct place *y)
{
    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    int c = slice_cmp(key_at(b->memory + x->at), key_at(b->memory + y->at));
    return c ? c : x->at < y->at ? -1 : 1;
}

/* Merges from[low, middle) and from[middle, high) into to. */
static void merge_places(const struct bulk *b, const struct place *from, struct place *to, size_t low,
                         size_t middle, size_t high)
{
    size_t x = low, y = middle;
    for (size_t i = low; i < high; i++)
        to[i] = y == high || (x < middle && by_key(b, &from[x], &from[y]) <= 0) ? from[x++] : from[y++];
}

static void sort_short(const struct bulk *b, struct place *p, size_t low, size_t high)
{
    for (size_t i = low + 1; i < high; i++) {
        struct place one = p[i];
        size_t at = i;
        for (; at > low && by_key(b, &one, &p[at - 1]) < 0; at--)
            p[at] = p[at - 1];
        p[at] = one;
    }
}

static void find_prefixes(struct bulk *b)
{
    struct slice first[TABLE_COUNT] = {{0}};
    size_t shared[TABLE_COUNT];
    for (size_t i = 0; i < b->nplaces; i++) {
        struct slice key = key_at(b->memory + b->place[i].at);
        unsigned char table = (unsigned char)key.p[0];
        if (first[table].p)
            shared[table] = shared_bytes(first[table], key, shared[table]);
        else
            shared[table] = key.n;
        first[table] = first[table].p ? first[table] : key;
    }
    for (size_t i = 0; i < b->nplaces; i++) {
        struct slice key = key_at(b->memory + b->place[i].at);
        b->place[i].prefix = prefix_of(key, shared[(unsigned char)key.p[0]]);
    }
}

#define SHORT 16

static void sort(struct bulk *b)
{
    size_t n = b->nplaces;
    if (n == 0)
        return;
    find_prefixes(b);
    struct place *from = b->place, *to = mem_alloc(n * sizeof *to);
    for (size_t low = 0; low < n; low += SHORT)
        sort_short(b, from, low, low + SHORT < n ? low + SHORT : n);
    for (size_t width = SHORT; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width)
            merge_places(b, from, to, low, low + width < n ? low + width : n,
                         low + 2 * width < n ? low + 2 * width : n);
        struct place *other = from;
        from = to;
        to = other;
    }
    free(to);
    b->place = from;
    b->cplaces = n;
}

/* The last of each key, in order. */
static bool last_of_key(const struct bulk *b, size_t i)
{
    return i + 1 == b->nplaces || b->place[i].prefix != b->place[i + 1].prefix ||
           slice_cmp(key_at(b->memory + b->place[i].at), key_at(b->memory + b->place[i + 1].at)) != 0;
}

/* ---- the file */

static bool file_open(struct bulk *b, struct err *e)
{
    char path[PATH_MAX];
    if (b->fd >= 0)
        return true;
    if (snprintf(path, sizeof path, "%s/" FOLDER_SCRATCH "XXXXXX", b->folder) >= (int)sizeof path)
        return err_set(e, "the path %s is too long", b->folder);
    b->fd = mkostemp(path, O_CLOEXEC);
    if (b->fd < 0)
        return err_set(e, "%s: a file for sorting cannot be made: %s", b->folder, strerror(errno));
    unlink(path);
    return true;
}

static bool write_all(struct bulk *b, const char *p, size_t n, struct err *e)
{
    while (n > 0) {
        ssize_t did = pwrite(b->fd, p, n, b->end);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0)
            return err_set(e, "%s: sorting needs room for a file: %s", b->folder, strerror(errno));
        p += did;
        n -= (size_t)did;
        b->end += did;
    }
    return true;
}

static bool out_flush(struct bulk *b, struct err *e)
{
    bool ok = write_all(b, b->out, b->nout, e);
    b->nout = 0;
    return ok;
}

static bool out_add(struct bulk *b, const char *p, size_t n, struct err *e)
{
    if (b->nout + n > WRITE_BYTES && !out_flush(b, e))
        return false;
    if (n > WRITE_BYTES)
        return write_all(b, p, n, e);
    memcpy(b->out + b->nout, p, n);
    b->nout += n;
    return true;
}

static size_t entry_bytes(struct head h)
{
    return sizeof h + h.key + (h.value == GONE ? 0 : h.value);
}

static bool spill(struct bulk *b, struct err *e)
{
    if (!file_open(b, e))
        return false;
    sort(b);
    if (b->nruns == b->cruns) {
        b->cruns = b->cruns ? 2 * b->cruns : 16;
        b->run = mem_grow(b->run, b->cruns * sizeof *b->run);
    }
    if (!b->out)
        b->out = mem_alloc(WRITE_BYTES);
    struct run *r = &b->run[b->nruns++];
    *r = (struct run){.at = b->end};
    for (size_t i = 0; i < b->nplaces; i++) {
        const char *p = b->memory + b->place[i].at;
        if (last_of_key(b, i) && !out_add(b, p, entry_bytes(head_at(p)), e))
            return false;
    }
    if (!out_flush(b, e))
        return false;
    r->end = b->end;
    b->nplaces = b->used = 0;
    return true;
}

/* ---- in */

static size_t taken(const struct bulk *b, size_t more)
{
    return b->used + more + 2 * (b->nplaces + 1) * sizeof *b->place;
}

bool bulk_put(struct bulk *b, enum table_id table, struct slice key, struct slice value, struct err *e)
{
    const struct head h = {(uint32_t)key.n + 1, value.p ? (uint32_t)value.n : GONE};
    size_t n = entry_bytes(h);
    if (key.n == 0 || key.n > KEY_MOST)
        return err_set(e, "table %d: a key of %zu bytes; 1 to %d were expected", (int)table, key.n, KEY_MOST);
    if (b->nplaces && taken(b, n) > b->bytes && !spill(b, e))
        return false;
    if (b->used + n > b->room) { /* doubled: what is not used is not touched */
        b->room = 2 * (b->used + n) > (1u << 20) ? 2 * (b->used + n) : 1u << 20;
        b->memory = mem_grow(b->memory, b->room);
    }
    if (b->nplaces == b->cplaces) {
        b->cplaces = b->cplaces ? 2 * b->cplaces : 4096;
        b->place = mem_grow(b->place, b->cplaces * sizeof *b->place);
    }
    char *p = b->memory + b->used;
    memcpy(p, &h, sizeof h);
    p[sizeof h] = (char)table;
    memcpy(p + sizeof h + 1, key.p, key.n);
    if (value.p && value.n)
        memcpy(p + sizeof h + h.key, value.p, value.n);
    b->place[b->nplaces++] = (struct place){.at = b->used};
    b->used += n;
    return true;
}

/* ---- out: one run's next entry */

/* Makes n bytes available at window + used. False: the run has no more (failed: it should). */
static bool window_fill(struct bulk *b, struct run *r, size_t n, bool *failed, struct err *e)
{
    if (r->have - r->used >= n)
        return true;
    memmove(r->window, r->window + r->used, r->have - r->used);
    r->have -= r->used;
    r->used = 0;
    if (n > r->size) {
        r->size = n;
        r->window = mem_grow(r->window, n);
    }
    while (r->have < n && r->at < r->end) {
        size_t most = r->size - r->have;
        if ((off_t)most > r->end - r->at)
            most = (size_t)(r->end - r->at);
        ssize_t did = pread(b->fd, r->window + r->have, most, r->at);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0) {
            *failed = true;
            return err_set(e, "%s: the file for sorting cannot be read: %s", b->folder,
                           did < 0 ? strerror(errno) : "it ends too early");
        }
        r->have += (size_t)did;
        r->at += did;
    }
    return r->have >= n;
}

static bool run_next(struct bulk *b, struct run *r, bool *failed, struct err *e)
{
    if (r->key.p)
        r->used += entry_bytes((struct head){(uint32_t)r->key.n, r->value});
    r->over = r->used == r->have && r->at == r->end;
    if (r->over)
        return true;
    if (!window_fill(b, r, sizeof(struct head), failed, e) ||
        !window_fill(b, r, entry_bytes(head_at(r->window + r->used)), failed, e)) {
        if (!*failed)
            err_set(e, "%s: the file for sorting is damaged: an entry goes beyond its run", b->folder);
        *failed = true;
        return false;
    }
    r->key = key_at(r->window + r->used);
    r->value = head_at(r->window + r->used).value;
    return true;
}

/* ---- merging */

static bool run_first(const struct bulk *b, size_t x, size_t y)
{
    int c = slice_cmp(b->run[x].key, b->run[y].key);
    return c ? c < 0 : x > y;
}

static void heap_down(struct bulk *b, size_t at)
{
    size_t one = b->heap[at];
    for (size_t child; (child = 2 * at + 1) < b->nheap; at = child) {
        if (child + 1 < b->nheap && run_first(b, b->heap[child + 1], b->heap[child]))
            child++;
        if (!run_first(b, b->heap[child], one))
            break;
        b->heap[at] = b->heap[child];
    }
    b->heap[at] = one;
}

/* The first of the heap goes on to its next entry, or leaves. */
static bool heap_advance(struct bulk *b, bool *failed, struct err *e)
{
    struct run *r = &b->run[b->heap[0]];
    if (!run_next(b, r, failed, e))
        return false;
    if (r->over)
        b->heap[0] = b->heap[--b->nheap];
    if (b->nheap)
        heap_down(b, 0);
    return true;
}

bool bulk_turn(struct bulk *b, struct err *e)
{
    bool failed = false;
    if (b->nruns == 0) {
        sort(b);
        return true;
    }
    if (b->nplaces && !spill(b, e))
        return false;
    free(b->memory);
    free(b->place);
    free(b->out);
    b->memory = b->out = NULL;
    b->place = NULL;
    b->heap = mem_alloc(b->nruns * sizeof *b->heap);
    size_t window = b->bytes / 2 / b->nruns;
    window = window < WINDOW_LEAST ? WINDOW_LEAST : window > (1u << 20) ? 1u << 20 : window;
    for (size_t i = 0; i < b->nruns; i++) {
        struct run *r = &b->run[i];
        r->window = mem_alloc(r->size = window);
        if (!run_next(b, r, &failed, e))
            return false;
        if (!r->over)
            b->heap[b->nheap++] = i;
    }
    for (size_t i = b->nheap; i-- > 0;)
        heap_down(b, i);
    return true;
}

static void entry_of(struct slice key, uint32_t value, struct bulk_entry *out)
{
    out->table = (enum table_id)(unsigned char)key.p[0];
    out->key = (struct slice){key.p + 1, key.n - 1};
    out->value = (struct slice){key.p + key.n, value};
}

static bool next_in_memory(struct bulk *b, struct bulk_entry *out)
{
    while (b->next < b->nplaces) {
        size_t i = b->next++;
        const char *p = b->memory + b->place[i].at;
        if (!last_of_key(b, i) || head_at(p).value == GONE)
            continue;
        entry_of(key_at(p), head_at(p).value, out);
        return true;
    }
    return false;
}

/* Older runs may hold the key of the first, too. */
static bool skip_older(struct bulk *b, bool *failed, struct err *e)
{
    unsigned char kept[1 + KEY_MOST];
    const struct run *first = &b->run[b->heap[0]];
    struct slice key = {(const char *)kept, first->key.n};
    memcpy(kept, first->key.p, first->key.n);
    do {
        if (!heap_advance(b, failed, e))
            return false;
    } while (b->nheap && slice_eq(b->run[b->heap[0]].key, key));
    return true;
}

bool bulk_next(struct bulk *b, struct bulk_entry *out, bool *failed, struct err *e)
{
    *failed = false;
    if (b->nruns == 0)
        return next_in_memory(b, out);
    for (;;) {
        if (b->handed && !skip_older(b, failed, e))
            return false;
        b->handed = false;
        if (!b->nheap)
            return false;
        const struct run *r = &b->run[b->heap[0]];
        b->handed = true;
        if (r->value == GONE)
            continue;
        entry_of(r->key, r->value, out);
        return true;
    }
}
