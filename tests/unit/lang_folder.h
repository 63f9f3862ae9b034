/* A workflow of tests/language, compiled where it lies, beside what workflows share. */
#ifndef DUBAND_LANG_FOLDER_H
#define DUBAND_LANG_FOLDER_H

#include <dirent.h>

#include "lang_support.h"

#define FOLDER_FILES 24

struct folder {
    struct arena *arena;
    struct diags diags;
    struct bundle bundle;
    struct bundle_file file[FOLDER_FILES];
    struct program *program;
    int edited; /* the line that was edited; 0: none */
};

static inline void folder_add(struct folder *f, const char *path, const char *real)
{
    assert_true(f->bundle.n < FOLDER_FILES);
    struct slice name = arena_printf(f->arena, "%s", path);
    f->file[f->bundle.n++] =
        (struct bundle_file){.path = name, .shown = name, .content = disk_read(f->arena, real)};
}

static inline void folder_add_all(struct folder *f, const char *as, const char *where)
{
    DIR *d = opendir(where);
    if (!d)
        fail_msg("no %s: run from the top of the tree", where);
    for (struct dirent *e; (e = readdir(d));)
        if (strchr(e->d_name, '.') && e->d_name[0] != '.')
            folder_add(f, arena_printf(f->arena, "%s/%s", as, e->d_name).p,
                       arena_printf(f->arena, "%s/%s", where, e->d_name).p);
    closedir(d);
}

static inline int folder_order(const void *a, const void *b)
{
    return slice_cmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

static inline struct folder *folder_new(const char *name)
{
    struct arena *a = arena_new();
    struct folder *f = ARENA_NEW(a, struct folder);
    f->arena = a;
    f->diags.arena = a;
    f->bundle.files = f->file;
    folder_add_all(f, name, arena_printf(a, "tests/language/%s", name).p);
    folder_add_all(f, "common", "workflows/common");
    folder_add(f, "calendar/cn.csv", "workflows/calendar/cn.csv");
    folder_add(f, "zoneinfo/Asia/Shanghai", "/usr/share/zoneinfo/Asia/Shanghai");
    qsort(f->file, f->bundle.n, sizeof *f->file, folder_order);
    f->bundle.root = arena_printf(a, "%s/workflow.yaml", name);
    return f;
}

/* The workflow's own file with the first `from` of it replaced; from NULL: as it is. */
static inline struct program *folder_compile(struct folder *f, const char *from, const char *to)
{
    for (size_t i = 0; from && i < f->bundle.n; i++) {
        struct slice old = f->file[i].content;
        if (!slice_eq(f->file[i].path, f->bundle.root))
            continue;
        const char *at = memmem(old.p, old.n, from, strlen(from));
        if (!at)
            fail_msg("no “%s” to replace", from);
        const char *rest = at + strlen(from);
        for (const char *c = old.p; c <= at; c++)
            f->edited += c == old.p || c[-1] == '\n';
        f->file[i].content = arena_printf(f->arena, "%.*s%s%.*s", (int)(at - old.p), old.p, to,
                                          (int)(old.p + old.n - rest), rest);
    }
    f->program = lang_compile(&f->bundle, f->arena, &f->diags);
    return f->program;
}

static inline void folder_free(struct folder *f)
{
    arena_free(f->arena);
}

/* "W0043 +2:7 message; expected" a line each, lines counted from the edit. */
static inline const char *folder_told(struct folder *f)
{
    struct slice all = {"", 0};
    for (size_t i = 0; i < f->diags.n; i++) {
        const struct diag *x = &f->diags.item[i];
        all = arena_printf(f->arena, "%.*s%s%s %+d:%d %.*s%s%.*s", SLICE_ARG(all), i ? "\n" : "", x->code,
                           x->line - f->edited, x->column, SLICE_ARG(x->message), x->expected.n ? "; " : "",
                           SLICE_ARG(x->expected));
    }
    return all.p;
}

/* A definition that is right. */
static inline struct folder *folder_good(const char *name)
{
    struct folder *f = folder_new(name);
    struct err e = {{0}};
    if (!folder_compile(f, NULL, NULL) || f->diags.n)
        fail_msg("%s: %s", name, folder_told(f));
    if (!program_check(f->program, &e))
        fail_msg("%s: %s", name, e.text);
    return f;
}

#endif
