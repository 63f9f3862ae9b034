/* CSV → rows of cells with their lines. Cells point into the file where they can. */
#include "lang/csv.h"

#include "lang/diag.h"
#include "lang/encoding.h"
#include "lang/meant.h"

#define CSV_BYTES_MAX (16u << 20)
#define CSV_COLUMNS_MAX 64
#define CSV_ROWS_MAX 200000
#define CSV_ERRORS_MAX 20 /* then one gives up on a file */

struct csv_reader {
    const struct bundle_file *file;
    struct diags *d;
    struct slice s;
    size_t i;
    int line;
    size_t errors;
    struct slice cell[CSV_COLUMNS_MAX]; /* of the row being read */
    size_t ncells;
};

static void complain(struct csv_reader *r, const char *code, int line, int column, const char *expected,
                     const char *what)
{
    r->errors++;
    diag_add(r->d, SEVERITY_ERROR, code, r->file, line, column, 1, expected, "%s", what);
}

static int column_at(const struct csv_reader *r, size_t i)
{
    size_t start = i;

    while (start > 0 && r->s.p[start - 1] != '\n')
        start--;
    return char_count((struct slice){r->s.p + start, i - start}) + 1;
}

static bool check_bytes(struct csv_reader *r)
{
    size_t length = 0;
    int line = 1;

    if (r->s.n > CSV_BYTES_MAX) {
        complain(r, DIAG_TOO_LARGE, 0, 0, "at most 16 MB", "the file is too large");
        return false;
    }
    if (!encoding_check(r->file, r->d))
        return false;
    for (size_t i = 0; i < r->s.n; i += length) {
        unsigned char c = (unsigned char)r->s.p[i];
        uint32_t wide = char_decode(r->s.p + i, r->s.n - i, &length);
        const char *wrong = NULL;

        line += c == '\n';
        if (wide == 0xfffd && length == 1)
            wrong = "a byte that is not UTF-8";
        else if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            wrong = "a control character";
        else if (i > 0 && char_is_invisible(wide))
            wrong = "a character that nobody sees";
        if (wrong != NULL) {
            complain(r, DIAG_BYTES, line, column_at(r, i), "text saved as UTF-8", wrong);
            return false;
        }
    }
    return true;
}

static bool at_line_end(const struct csv_reader *r)
{
    return r->i >= r->s.n || r->s.p[r->i] == '\n' ||
           (r->s.p[r->i] == '\r' && (r->i + 1 == r->s.n || r->s.p[r->i + 1] == '\n'));
}

static struct slice trim(struct slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* After the opening quote. A doubled quote stands for one. */
static bool read_quoted(struct csv_reader *r, struct slice *out)
{
    size_t start = r->i, doubled = 0, n = 0;
    int line = r->line;
    char *copy = NULL;

    for (; r->i < r->s.n; r->i++) {
        if (r->s.p[r->i] == '\n')
            r->line++;
        if (r->s.p[r->i] != '"')
            continue;
        if (r->i + 1 < r->s.n && r->s.p[r->i + 1] == '"') {
            doubled++;
            r->i++;
            continue;
        }
        break;
    }
    if (r->i >= r->s.n) {
        complain(r, DIAG_CSV_SYNTAX, line, column_at(r, start - 1), NULL, "the quote opened here is never closed");
        return false;
    }
    *out = (struct slice){r->s.p + start, r->i - start};
    r->i++;
    if (doubled == 0)
        return true;
    copy = arena_alloc(r->d->arena, out->n);
    for (size_t k = 0; k < out->n; k++) {
        copy[n++] = out->p[k];
        k += out->p[k] == '"';
    }
    *out = (struct slice){copy, n};
    return true;
}

static bool read_cell(struct csv_reader *r, struct slice *out)
{
    size_t start = 0;

    while (r->i < r->s.n && (r->s.p[r->i] == ' ' || r->s.p[r->i] == '\t'))
        r->i++;
    start = r->i;
    if (r->i < r->s.n && r->s.p[r->i] == '"') {
        r->i++;
        if (!read_quoted(r, out))
            return false;
        while (r->i < r->s.n && (r->s.p[r->i] == ' ' || r->s.p[r->i] == '\t'))
            r->i++;
        if (!at_line_end(r) && r->s.p[r->i] != ',') {
            complain(r, DIAG_CSV_SYNTAX, r->line, column_at(r, r->i), "a comma or the end of the line",
                     "text after a closing quote");
            return false;
        }
        return true;
    }
    while (!at_line_end(r) && r->s.p[r->i] != ',') {
        if (r->s.p[r->i] == '"' || r->s.p[r->i] == '\r') {
            complain(r, DIAG_CSV_SYNTAX, r->line, column_at(r, r->i),
                     "a cell with a quote in it put in quotes, its quotes doubled",
                     r->s.p[r->i] == '"' ? "a quote in the middle of a cell"
                                         : "a carriage return in the middle of a line");
            return false;
        }
        r->i++;
    }
    *out = trim((struct slice){r->s.p + start, r->i - start});
    return true;
}

/* Reads one line into r->cell; on a syntax error skips to the next line. */
static bool read_row(struct csv_reader *r)
{
    bool ok = true, more = true;

    r->ncells = 0;
    while (ok && more) {
        struct slice cell = {0};

        ok = read_cell(r, &cell);
        if (ok && r->ncells == CSV_COLUMNS_MAX) {
            complain(r, DIAG_CSV_ROW, r->line, column_at(r, r->i), "at most 64 cells",
                     "the row has too many cells");
            ok = false;
        }
        if (ok)
            r->cell[r->ncells++] = cell;
        more = ok && r->i < r->s.n && r->s.p[r->i] == ',';
        r->i += more;
    }
    while (r->i < r->s.n && r->s.p[r->i] != '\n')
        r->i++;
    if (r->i < r->s.n) {
        r->i++;
        r->line++;
    }
    return ok;
}

/* One column whose name has another sign between words in it: what Excel makes of a list where the comma is a decimal point. */
static const struct separator {
    struct slice sign;
    const char *name;
} separators[] = {{{"，", 3}, "full-width commas"}, {{"；", 3}, "full-width semicolons"}, {{"、", 3}, "、"}, {{";", 1}, "semicolons"},
                  {{"\t", 1}, "tabs"},              {{"|", 1}, "bars"}};

/* The first on the line that begins at `start`; NULL: none. A bar parts what stands in one cell. */
static const struct separator *other_separator(struct slice s, size_t start)
{
    const char *end = memchr(s.p + start, '\n', s.n - start);
    size_t n = end != NULL ? (size_t)(end - s.p) - start : s.n - start;

    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
        if (separators[i].sign.p[0] != '|' && memmem(s.p + start, n, separators[i].sign.p, separators[i].sign.n) != NULL)
            return &separators[i];
    return NULL;
}

static bool check_separator(struct csv_reader *r)
{
    struct slice s = r->cell[0];

    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        const char *p = s.n > 0 ? memmem(s.p, s.n, separators[i].sign.p, separators[i].sign.n) : NULL;

        if (p == NULL)
            continue;
        r->errors++;
        bool copied = s.p < r->s.p || s.p >= r->s.p + r->s.n; /* out of quotes with quotes in them */
        diag_add(r->d, SEVERITY_ERROR, DIAG_CSV_SEPARATOR, r->file, 1, copied ? 1 : column_at(r, (size_t)(p - r->s.p)), 1,
                 "commas: id,name,roles", "the cells are parted by %s", separators[i].name);
        return false;
    }
    return true;
}

static bool take_header(struct csv_reader *r, struct csv *c)
{
    if (r->i >= r->s.n || !read_row(r)) {
        if (r->errors == 0)
            complain(r, DIAG_CSV_HEADER, 1, 1, "a first line with the names of the columns",
                     "the file is empty");
        return false;
    }
    if (r->ncells == 1 && !check_separator(r))
        return false;
    c->ncolumns = r->ncells;
    c->header = ARENA_ARRAY(r->d->arena, struct slice, c->ncolumns);
    for (size_t i = 0; i < c->ncolumns; i++) {
        c->header[i] = r->cell[i];
        if (r->cell[i].n == 0)
            complain(r, DIAG_CSV_HEADER, 1, 1, NULL, "a column has no name");
        for (size_t k = 0; k < i; k++)
            if (r->cell[i].n > 0 && slice_eq(r->cell[i], r->cell[k])) {
                r->errors++;
                diag_add(r->d, SEVERITY_ERROR, DIAG_CSV_HEADER, r->file, 1, 1, 1, NULL,
                         "two columns have the name “%.*s”", SLICE_ARG(r->cell[i]));
            }
    }
    return r->errors == 0;
}

/* line_start: where the row began in the file. */
static void take_row(struct csv_reader *r, struct csv *c, size_t *cap, int line, size_t line_start)
{
    struct csv_row *row = NULL;

    if (r->ncells == 1 && r->cell[0].n == 0)
        return; /* an empty line */
    if (r->ncells != c->ncolumns) {
        r->errors++;
        diag_add(r->d, SEVERITY_ERROR, DIAG_CSV_ROW, r->file, line, 1, 1,
                 r->ncells < c->ncolumns && other_separator(r->s, line_start) != NULL
                     ? "commas between the cells; what this line has besides parts nothing"
                     : NULL,
                 "%zu cells where the header has %zu columns", r->ncells, c->ncolumns);
        return;
    }
    row = arena_push(r->d->arena, &c->rows, &c->n, cap, sizeof *row);
    row->line = line;
    row->cell = ARENA_ARRAY(r->d->arena, struct slice, c->ncolumns);
    memcpy(row->cell, r->cell, sizeof *row->cell * c->ncolumns);
}

struct csv *csv_parse(const struct bundle_file *file, struct diags *d)
{
    struct csv_reader *r = ARENA_NEW(d->arena, struct csv_reader);
    struct csv *c = ARENA_NEW(d->arena, struct csv);
    size_t cap = 0;

    *r = (struct csv_reader){.file = file, .d = d, .s = file->content, .line = 1};
    c->file = file;
    if (!check_bytes(r))
        return NULL;
    if (r->s.n >= 3 && memcmp(r->s.p, "\xef\xbb\xbf", 3) == 0)
        r->i = 3;
    if (!take_header(r, c))
        return NULL;
    while (r->i < r->s.n && r->errors < CSV_ERRORS_MAX) {
        int line = r->line;
        size_t line_start = r->i;

        if (c->n == CSV_ROWS_MAX) {
            complain(r, DIAG_TOO_LARGE, line, 1, "at most 200000 rows", "the file has too many rows");
            break;
        }
        if (read_row(r))
            take_row(r, c, &cap, line, line_start);
    }
    return r->errors == 0 ? c : NULL;
}

int csv_column(const struct csv *c, const char *name)
{
    struct slice wanted = slice_of(name);

    for (size_t i = 0; i < c->ncolumns; i++)
        if (slice_eq(c->header[i], wanted))
            return (int)i;
    return -1;
}
