#include "ctl/table.h"

#include "lang/diag.h"

size_t text_width(struct slice s)
{
    size_t width = 0, length;
    for (size_t at = 0; at < s.n; at += length)
        width += (size_t)char_columns(char_decode(s.p + at, s.n - at, &length));
    return width;
}

void table_text_cell(struct table_text *t, struct slice s)
{
    struct slice *slot = arena_push(t->arena, &t->cell, &t->n, &t->cap, sizeof *t->cell);
    *slot = s;
}

void table_text_start(struct table_text *t, struct arena *a, const char *const *header, size_t ncolumns)
{
    *t = (struct table_text){.arena = a, .ncolumns = ncolumns};
    for (size_t i = 0; i < ncolumns; i++)
        table_text_cell(t, slice_of(header[i]));
}

void table_text_print(const struct table_text *t, FILE *f)
{
    size_t *width = ARENA_ARRAY(t->arena, size_t, t->ncolumns);
    for (size_t i = 0; i < t->n; i++) {
        size_t w = text_width(t->cell[i]);
        if (w > width[i % t->ncolumns])
            width[i % t->ncolumns] = w;
    }
    for (size_t i = 0; i < t->n; i++) {
        bool last = i % t->ncolumns == t->ncolumns - 1 || i + 1 == t->n;
        fprintf(f, "%.*s", SLICE_ARG(t->cell[i]));
        if (last)
            fputc('\n', f);
        else
            fprintf(f, "%*s", (int)(width[i % t->ncolumns] - text_width(t->cell[i]) + 2), "");
    }
}
