/* What tests of the front end share: a file out of a string, and diagnostics as short text. */
#ifndef DUBAND_LANG_SUPPORT_H
#define DUBAND_LANG_SUPPORT_H

#include "lang/build.h"
#include "unit.h"

struct bench {
    struct arena *arena;
    struct diags diags;
    struct bundle_file file;
};

static inline struct slice disk_read(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf b = {0};
    char part[4096];

    if (f == NULL)
        fail_msg("cannot open %s: run from the top of the tree", path);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_add(&b, (struct slice){part, n});
    fclose(f);
    struct slice all = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return all;
}

static inline struct bench *bench_new(const char *path, struct slice content)
{
    struct arena *a = arena_new();
    struct bench *b = ARENA_NEW(a, struct bench);

    b->arena = a;
    b->diags.arena = a;
    b->file = (struct bundle_file){
        .path = slice_of(path), .shown = slice_of(path), .content = arena_dup(a, content)};
    return b;
}

static inline void bench_free(struct bench *b)
{
    arena_free(b->arena);
}

/* "W0043 2:7+3 message; expected" a line each, in order. */
static inline const char *bench_told(struct bench *b)
{
    struct slice all = {"", 0};

    diags_sort(&b->diags);
    for (size_t i = 0; i < b->diags.n; i++) {
        const struct diag *x = &b->diags.item[i];

        all = arena_printf(b->arena, "%.*s%s%s %d:%d+%d %.*s%s%.*s", SLICE_ARG(all), i > 0 ? "\n" : "",
                           x->code, x->line, x->column, x->width, SLICE_ARG(x->message),
                           x->expected.n > 0 ? "; " : "", SLICE_ARG(x->expected));
    }
    return all.p;
}

/* Whether what was told begins with this: code, place, and as much of the message as the test cares for. */
#define assert_told(bench, wanted)                                                                           \
    do {                                                                                                     \
        const char *told_ = bench_told(bench);                                                               \
        if (strncmp(told_, (wanted), strlen(wanted)) != 0 || ((wanted)[0] == '\0' && told_[0] != '\0'))      \
            fail_msg("told: %s\nwanted: %s", told_, (wanted));                                               \
    } while (0)

#endif
