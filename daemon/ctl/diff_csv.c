#include <stdlib.h>

#include "ctl/diff.h"
#include "lang/csv.h"

static struct slice row_print(struct arena *a, const struct csv *c, size_t row)
{
    struct buf b = {0};
    for (size_t i = 0; i < c->ncolumns; i++)
        if (c->rows[row].cell[i].n)
            buf_printf(&b, "%s%.*s: %.*s", b.n ? ", " : "", SLICE_ARG(c->header[i]),
                       SLICE_ARG(c->rows[row].cell[i]));
    struct slice s = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return s;
}

struct rows { /* of one file, those that have a partner marked */
    const struct csv *csv;
    struct slice *text;
    bool *paired;
    struct slice file;
};

static bool read_rows(struct rows *r, const struct bundle_file *f, struct arena *a)
{
    struct diags silent = {.arena = a};
    *r = (struct rows){.csv = csv_parse(f, &silent), .file = f->shown};
    if (!r->csv)
        return false;
    r->text = ARENA_ARRAY(a, struct slice, r->csv->n + 1);
    r->paired = ARENA_ARRAY(a, bool, r->csv->n + 1);
    for (size_t i = 0; i < r->csv->n; i++)
        r->text[i] = row_print(a, r->csv, i);
    return true;
}

static int text_cmp(const void *x, const void *y, void *ctx)
{
    const struct rows *r = ctx;
    size_t a = *(const size_t *)x, b = *(const size_t *)y;
    int c = slice_cmp(r->text[a], r->text[b]);
    return c ? c : a < b ? -1 : a > b;
}

static size_t *sorted(struct rows *r, struct arena *a)
{
    size_t *order = ARENA_ARRAY(a, size_t, r->csv->n + 1);
    for (size_t i = 0; i < r->csv->n; i++)
        order[i] = i;
    qsort_r(order, r->csv->n, sizeof *order, text_cmp, r);
    return order;
}

/* Rows that stand in both, as often as they do. */
static void pair_same(struct rows *was, struct rows *is, struct arena *a)
{
    size_t *x = sorted(was, a), *y = sorted(is, a);
    for (size_t i = 0, k = 0; i < was->csv->n && k < is->csv->n;) {
        int c = slice_cmp(was->text[x[i]], is->text[y[k]]);
        if (c == 0)
            was->paired[x[i]] = is->paired[y[k]] = true;
        i += c <= 0;
        k += c >= 0;
    }
}

static struct change *row_change(struct changes *c, enum change_kind kind, const struct rows *was, size_t i,
                                 const struct rows *is, size_t k)
{
    const struct rows *any = was ? was : is;
    struct slice key = was ? was->csv->rows[i].cell[0] : is->csv->rows[k].cell[0];
    const char *slash = memrchr(any->file.p, '/', any->file.n);
    struct slice name =
        slash ? (struct slice){slash + 1, any->file.n - (size_t)(slash + 1 - any->file.p)} : any->file;
    struct change *x = change_add(c, kind);
    x->thing = arena_printf(c->arena, "%.*s, row %.*s", SLICE_ARG(name), SLICE_ARG(key));
    if (was)
        x->old_place = arena_printf(c->arena, "%.*s:%d", SLICE_ARG(was->file), was->csv->rows[i].line);
    if (is)
        x->new_place = arena_printf(c->arena, "%.*s:%d", SLICE_ARG(is->file), is->csv->rows[k].line);
    return x;
}

/* Cell by cell, columns by name. */
static void diff_cells(struct changes *c, const struct rows *was, size_t i, const struct rows *is, size_t k)
{
    for (size_t x = 0; x < was->csv->ncolumns; x++) {
        struct slice old = was->csv->rows[i].cell[x], now = S("");
        for (size_t y = 0; y < is->csv->ncolumns; y++)
            if (slice_eq(is->csv->header[y], was->csv->header[x]))
                now = is->csv->rows[k].cell[y];
        if (slice_eq(old, now))
            continue;
        struct change *ch = row_change(c, CHANGE_CHANGED, was, i, is, k);
        ch->path = was->csv->header[x];
        ch->was = old;
        ch->is = now;
    }
    for (size_t y = 0; y < is->csv->ncolumns; y++) {
        bool known = false;
        for (size_t x = 0; x < was->csv->ncolumns; x++)
            known = known || slice_eq(is->csv->header[y], was->csv->header[x]);
        if (known || !is->csv->rows[k].cell[y].n)
            continue;
        struct change *ch = row_change(c, CHANGE_CHANGED, was, i, is, k);
        ch->path = is->csv->header[y];
        ch->is = is->csv->rows[k].cell[y];
    }
}

/* Rows of the same first cell, of which there is one on either side, are one row that was changed. */
static size_t partner(const struct rows *of, struct slice key)
{
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < of->csv->n; k++)
        if (!of->paired[k] && slice_eq(of->csv->rows[k].cell[0], key)) {
            if (found != SIZE_MAX)
                return SIZE_MAX;
            found = k;
        }
    return found;
}

static void diff_file(struct changes *c, struct rows *was, struct rows *is)
{
    pair_same(was, is, c->arena);
    for (size_t i = 0; i < was->csv->n; i++) {
        if (was->paired[i])
            continue;
        struct slice key = was->csv->rows[i].cell[0];
        size_t k = partner(is, key);
        if (k != SIZE_MAX && partner(was, key) == i) {
            was->paired[i] = is->paired[k] = true;
            diff_cells(c, was, i, is, k);
        } else
            row_change(c, CHANGE_REMOVED, was, i, NULL, 0)->was = was->text[i];
    }
    for (size_t k = 0; k < is->csv->n; k++)
        if (!is->paired[k])
            row_change(c, CHANGE_ADDED, NULL, 0, is, k)->is = is->text[k];
}

/* The file of the same name; the workflow's folder may be called otherwise. */
static struct slice name_in(const struct bundle *b, struct slice path)
{
    const char *slash = memchr(b->root.p, '/', b->root.n);
    size_t n = slash ? (size_t)(slash + 1 - b->root.p) : 0;
    bool own = path.n > n && !memcmp(path.p, b->root.p, n);
    return own ? (struct slice){path.p + n, path.n - n} : path;
}

static const struct bundle_file *file_of(const struct bundle *b, struct slice name)
{
    for (size_t i = 0; i < b->n; i++)
        if (slice_eq(name_in(b, b->files[i].path), name))
            return &b->files[i];
    return NULL;
}

static bool ends_with(struct slice s, const char *end)
{
    size_t n = strlen(end);
    return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

static void diff_pair(struct changes *c, const struct bundle_file *was, const struct bundle_file *is)
{
    struct rows old, now;
    if (slice_eq(was->content, is->content) || ends_with(was->path, ".yaml"))
        return;
    if (ends_with(was->path, ".csv") && read_rows(&old, was, c->arena) && read_rows(&now, is, c->arena)) {
        diff_file(c, &old, &now);
        return;
    }
    struct change *x = change_add(c, CHANGE_CHANGED);
    x->thing = arena_printf(c->arena, "file %.*s", SLICE_ARG(is->path));
    x->was = arena_printf(c->arena, "%zu bytes", was->content.n);
    x->is = arena_printf(c->arena, "%zu bytes", is->content.n);
}

void diff_rows(struct changes *c, const struct bundle *old, const struct bundle *now)
{
    for (size_t i = 0; i < old->n; i++) {
        const struct bundle_file *is = file_of(now, name_in(old, old->files[i].path));
        if (is)
            diff_pair(c, &old->files[i], is);
        else
            change_add(c, CHANGE_REMOVED)->thing =
                arena_printf(c->arena, "file %.*s", SLICE_ARG(old->files[i].path));
    }
    for (size_t i = 0; i < now->n; i++)
        if (!file_of(old, name_in(now, now->files[i].path)))
            change_add(c, CHANGE_ADDED)->thing =
                arena_printf(c->arena, "file %.*s", SLICE_ARG(now->files[i].path));
}
