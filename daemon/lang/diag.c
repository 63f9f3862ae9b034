/* Diagnostics: collected as they are found, sorted at the end, printed with the spot underlined. */
#include "lang/diag.h"

#include <stdlib.h>

#define DIAG(name, code, title) const char DIAG_##name[] = code;
#include "lang/diag_codes.h"
#undef DIAG

#define SOURCE_MAX 4096 /* a longer line is not quoted */
#define SHOWN_MAX 160   /* columns of a quoted line */
#define SHOWN_LEAD 40   /* columns kept before the spot when the line is cut */

static const struct code_title {
    const char *code, *title;
} code_titles[] = {
#define DIAG(name, code, title) {code, title},
#include "lang/diag_codes.h"
#undef DIAG
};

const char *diag_code(size_t i)
{
    return i < sizeof code_titles / sizeof *code_titles ? code_titles[i].code : NULL;
}

const char *diag_title(const char *code)
{
    for (size_t i = 0; i < sizeof code_titles / sizeof *code_titles; i++)
        if (strcmp(code_titles[i].code, code) == 0)
            return code_titles[i].title;
    return NULL;
}

/* ---- characters */

uint32_t char_decode(const char *p, size_t n, size_t *length)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)p;
    size_t more = u[0] < 0x80 ? 0 : u[0] >= 0xf0 ? 3 : u[0] >= 0xe0 ? 2 : 1;
    uint32_t c = more == 0 ? u[0] : u[0] & (0x3fu >> more);

    *length = 1;
    if (u[0] >= 0x80 && (u[0] < 0xc0 || u[0] > 0xf7 || more >= n))
        return 0xfffd;
    for (size_t i = 1; i <= more; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0xfffd;
    *length = more + 1;
    return c;
}

int char_columns(uint32_t c)
{
    /* Unicode's East Asian Width W and F, coarsely; combining marks and joiners take no column. */
    static const struct {
        uint32_t first, last;
        int columns;
    } range[] = {
        {0x0300, 0x036f, 0},   {0x1100, 0x115f, 2},   {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},
        {0x2e80, 0x303e, 2},   {0x3041, 0x4dbf, 2},   {0x4e00, 0xa4cf, 2},   {0xa960, 0xa97f, 2},
        {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe10, 0xfe19, 2},
        {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
        {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (c >= range[i].first && c <= range[i].last)
            return range[i].columns;
    return 1;
}

int char_count(struct slice s)
{
    int count = 0;
    size_t length = 0;

    for (size_t i = 0; i < s.n; i += length, count++)
        char_decode(s.p + i, s.n - i, &length);
    return count;
}

/* ---- collecting */

static struct slice line_of(struct diags *d, struct slice content, int line)
{
    const char *p = content.p, *end = content.p + content.n, *stop = NULL;
    int i = 1;

    if (line < 1 || content.n == 0)
        return (struct slice){0};
    if (d->quoted.content == content.p && d->quoted.line <= line) {
        p = d->quoted.at;
        i = d->quoted.line;
    }
    for (; i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL || ++p == end)
            return (struct slice){0};
    }
    d->quoted.content = content.p;
    d->quoted.at = p;
    d->quoted.line = line;
    stop = memchr(p, '\n', (size_t)(end - p));
    if (stop == NULL)
        stop = end;
    if (stop > p && stop[-1] == '\r')
        stop--;
    if (line == 1 && stop - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    return (struct slice){p, (size_t)(stop - p)};
}

void diag_vadd(struct diags *d, enum severity s, const char *code, const struct bundle_file *file, int line,
               int column, int width, const char *expected, const char *fmt, va_list ap)
{
    struct diag *item = NULL;
    struct slice source = {0};
    char text[1024];

    if (s == SEVERITY_ERROR)
        d->errors++;
    if (d->n >= DIAGS_MAX)
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    if (file != NULL)
        source = line_of(d, file->content, line);
    item = arena_push(d->arena, &d->item, &d->n, &d->cap, sizeof *item);
    *item = (struct diag){
        .severity = s,
        .code = code,
        .file = file != NULL ? arena_dup(d->arena, file->shown.n > 0 ? file->shown : file->path)
                             : (struct slice){0},
        .line = line,
        .column = line > 0 && column < 1 ? 1 : column,
        .width = width < 1 ? 1 : width,
        .message = arena_dup(d->arena, slice_of(text)),
        .expected = arena_dup(d->arena, slice_of(expected)),
        .source = source.n <= SOURCE_MAX ? arena_dup(d->arena, source) : (struct slice){0},
    };
}

void diag_add(struct diags *d, enum severity s, const char *code, const struct bundle_file *file, int line,
              int column, int width, const char *expected, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_vadd(d, s, code, file, line, column, width, expected, fmt, ap);
    va_end(ap);
}

static int diag_cmp(const struct diag *a, const struct diag *b)
{
    int by = slice_cmp(a->file, b->file);

    if (by == 0)
        by = (a->line > b->line) - (a->line < b->line);
    if (by == 0)
        by = (a->column > b->column) - (a->column < b->column);
    return by;
}

static bool diag_same(const struct diag *a, const struct diag *b)
{
    return diag_cmp(a, b) == 0 && a->severity == b->severity && strcmp(a->code, b->code) == 0 &&
           slice_eq(a->message, b->message);
}

struct ranked_diag {
    const struct diag *item;
    size_t seen; /* the order found breaks ties: qsort is not stable */
};

static int ranked_cmp(const void *x, const void *y)
{
    const struct ranked_diag *a = x, *b = y;
    int by = diag_cmp(a->item, b->item);

    return by != 0 ? by : (a->seen > b->seen) - (a->seen < b->seen);
}

void diags_sort(struct diags *d)
{
    struct ranked_diag *ranked = NULL;
    struct diag *sorted = NULL;
    size_t kept = 0;

    if (d->n < 2)
        return;
    ranked = ARENA_ARRAY(d->arena, struct ranked_diag, d->n);
    sorted = ARENA_ARRAY(d->arena, struct diag, d->n);
    for (size_t i = 0; i < d->n; i++)
        ranked[i] = (struct ranked_diag){&d->item[i], i};
    qsort(ranked, d->n, sizeof *ranked, ranked_cmp);
    for (size_t i = 0; i < d->n; i++) {
        bool repeated = false;

        for (size_t k = kept; k > 0 && !repeated && diag_cmp(&sorted[k - 1], ranked[i].item) == 0; k--)
            repeated = diag_same(&sorted[k - 1], ranked[i].item);
        if (!repeated)
            sorted[kept++] = *ranked[i].item;
        else if (ranked[i].item->severity == SEVERITY_ERROR)
            d->errors--;
    }
    d->item = sorted;
    d->cap = d->n;
    d->n = kept;
}

/* ---- printing */

/* Prints the part of the line around the spot, then the underline, in the columns a terminal uses. */
static void print_source(FILE *f, const struct diag *x, bool color)
{
    struct slice s = x->source;
    size_t i = 0, length = 0;
    int at = 1, before = 0, marked = 0, used = 0, first = 1, total = char_count(s);

    if (x->column > SHOWN_MAX - SHOWN_LEAD)
        first = x->column - SHOWN_LEAD;
    fputs("    ", f);
    for (; i < s.n; i += length, at++) {
        uint32_t c = char_decode(s.p + i, s.n - i, &length);
        int columns = c < 0x20 || c == 0x7f || c == 0xfffd ? 1 : char_columns(c);

        if (at < first)
            continue;
        if (used + columns > SHOWN_MAX)
            break;
        used += columns;
        before += at < x->column ? columns : 0;
        marked += at >= x->column && at < x->column + x->width ? columns : 0;
        if (c < 0x20 || c == 0x7f)
            fputc(' ', f);
        else if (c == 0xfffd)
            fputc('?', f);
        else
            fwrite(s.p + i, 1, length, f);
    }
    if (total < x->column)
        before += x->column - 1 - total;
    fprintf(f, "\n    %*s%s", before, "", color ? "\033[32m" : "");
    for (int k = 0; k < (marked > 0 ? marked : 1); k++)
        fputc('^', f);
    fprintf(f, "%s\n", color ? "\033[0m" : "");
}

/* A hint is a sentence of its own; anything else completes "expected: …". */
static bool is_hint(struct slice s)
{
    return s.n > 8 && (memcmp(s.p, "did you ", 8) == 0 || memcmp(s.p, "write ", 6) == 0);
}

static void diag_print(FILE *f, const struct diag *x, bool color)
{
    static const char *const word[] = {"error", "warning"};
    static const char *const tint[] = {"\033[31m", "\033[33m"};

    if (x->file.n > 0)
        fprintf(f, "%.*s:", SLICE_ARG(x->file));
    if (x->line > 0)
        fprintf(f, "%d:%d:", x->line, x->column);
    fprintf(f, "%s%s%s %s%s: %.*s\n", x->file.n > 0 ? " " : "", color ? tint[x->severity] : "",
            word[x->severity], x->code, color ? "\033[0m" : "", SLICE_ARG(x->message));
    if (x->line > 0 && x->source.n > 0)
        print_source(f, x, color);
    if (x->expected.n > 0)
        fprintf(f, "    %s%.*s\n", is_hint(x->expected) ? "" : "expected: ", SLICE_ARG(x->expected));
}

void diags_print(FILE *f, const struct diags *d, bool color)
{
    for (size_t i = 0; i < d->n; i++)
        diag_print(f, &d->item[i], color);
    if (d->n >= DIAGS_MAX)
        fprintf(f, "(only the first %d are shown)\n", DIAGS_MAX);
}
