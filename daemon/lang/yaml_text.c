/* YAML as text: what its bytes alone tell, and where parts of a scalar stand in the source. */
#include "lang/yaml.h"

#include "lang/diag.h"
#include "lang/encoding.h"
#include "lang/meant.h"

#define YAML_BYTES_MAX (16u << 20)
#define YAML_OPEN_MAX 10000 /* brackets and braces, those in texts among them */
#define YAML_REPEATS_MAX 20 /* how often one file is told the same mistake */

/* ---- what can be told from the bytes alone */

static int column_of(const char *line, const char *at)
{
    return char_count((struct slice){line, (size_t)(at - line)}) + 1;
}

/* The column is counted for a mistake only: for every byte, a long line would take for ever. */
static bool refuse_byte(const struct bundle_file *file, struct diags *d, const char *line, const char *at,
                        int number)
{
    size_t length = 0, left = (size_t)(file->content.p + file->content.n - at);
    unsigned char c = (unsigned char)*at;

    if (c == '\t') {
        for (const char *p = line; p < at; p++)
            if (*p != ' ' && *p != '\t')
                return false;
        diag_add(d, SEVERITY_ERROR, DIAG_YAML_TAB, file, number, column_of(line, at), 1, "spaces",
                 "a tab indents this line");
        return true;
    }
    if ((c < 0x20 && c != '\r') || c == 0x7f) {
        diag_add(d, SEVERITY_ERROR, DIAG_BYTES, file, number, column_of(line, at), 1, NULL,
                 "the control character 0x%02x", c);
        return true;
    }
    if (c < 0x80)
        return false;
    uint32_t wide = char_decode(at, left, &length);
    if (wide == 0xfffd && length == 1)
        diag_add(d, SEVERITY_ERROR, DIAG_BYTES, file, number, column_of(line, at), 1, "text saved as UTF-8",
                 "the byte 0x%02x is not UTF-8", c);
    else if (char_is_invisible(wide) && at > file->content.p) /* at the beginning it says that the file is UTF-8 */
        diag_add(d, SEVERITY_ERROR, DIAG_BYTES, file, number, column_of(line, at), 1, NULL,
                 "the character U+%04X, which nobody sees", (unsigned)wide);
    else
        return false;
    return true;
}

void yaml_check_escapes(const struct yaml *text, struct diags *d)
{
    size_t length = 0;

    for (size_t i = 0; i < text->text.n; i += length) {
        uint32_t c = char_decode(text->text.p + i, text->text.n - i, &length);
        if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f || char_is_invisible(c)) {
            yaml_diag(d, SEVERITY_ERROR, DIAG_BYTES, text, NULL, "an escape puts the character U+%04X into this text",
                      (unsigned)c);
            return;
        }
    }
}

bool yaml_check_bytes(const struct bundle_file *file, struct diags *d)
{
    struct slice s = file->content;
    const char *line = s.p;
    int number = 1, found = 0, open = 0;
    size_t length = 1;

    if (s.n > YAML_BYTES_MAX) {
        diag_add(d, SEVERITY_ERROR, DIAG_TOO_LARGE, file, 0, 0, 1, "at most 16 MB", "the file has %zu bytes",
                 s.n);
        return false;
    }
    if (!encoding_check(file, d))
        return false;
    for (size_t i = 0; i < s.n && found < YAML_REPEATS_MAX; i += length) {
        length = 1;
        open += (s.p[i] == '[' || s.p[i] == '{') - (open > 0 && (s.p[i] == ']' || s.p[i] == '}'));
        if (open > YAML_OPEN_MAX) { /* the parser looks ahead as far as brackets are open */
            diag_add(d, SEVERITY_ERROR, DIAG_YAML_DEPTH, file, number, column_of(line, s.p + i), 1, "at most 64 levels",
                     "lists and maps are nested too deeply");
            return false;
        }
        if (s.p[i] == '\n') {
            line = s.p + i + 1;
            number++;
        } else if (refuse_byte(file, d, line, s.p + i, number)) {
            found++;
            while (i + 1 < s.n && s.p[i + 1] != '\n') /* one mistake a line is enough */
                i++;
        } else if ((unsigned char)s.p[i] >= 0x80) {
            char_decode(s.p + i, s.n - i, &length);
        }
    }
    return found == 0;
}

/* ---- places */

/* Byte offset of a node's first character, or of the end. */
static size_t offset_of(const struct yaml *at)
{
    struct slice s = at->file->content;
    size_t i = 0, length = 0;

    for (int line = 1; line < at->line && i < s.n; i++)
        line += s.p[i] == '\n';
    if (i == 0 && s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
        i = 3;
    for (int column = 1; column < at->column && i < s.n && s.p[i] != '\n'; i += length, column++)
        char_decode(s.p + i, s.n - i, &length);
    return i;
}

/* Of an escape in double quotes, which stands for one character. */
static size_t escape_length(struct slice s)
{
    char what = s.n > 1 ? s.p[1] : '\0';
    size_t n = what == 'x' ? 4 : what == 'u' ? 6 : what == 'U' ? 10 : 2;
    return n < s.n ? n : s.n;
}

/* Walks the source beside the text that was read from it: blanks of folded lines and escapes are where they
 * differ. */
void yaml_place_in(const struct yaml *at, size_t offset, int *line, int *column)
{
    struct slice s = at->file->content;
    size_t i = 0, length = 0;

    *line = at->line;
    *column = at->column;
    if (at->kind != YAML_SCALAR || offset > at->text.n)
        return;
    i = offset_of(at);
    bool escapes = i < s.n && (s.p[i] == '"' || (i > 0 && s.p[i - 1] == '"'));
    for (size_t t = 0; t < offset && i < s.n;) {
        if (escapes && s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] != '\n') {
            size_t n = escape_length((struct slice){s.p + i, s.n - i});
            char_decode(at->text.p + t, at->text.n - t, &length);
            t += length;
            i += n;
            *column += (int)n;
            continue;
        }
        if (s.p[i] == '\n' || s.p[i] == '\r') {
            while (i < s.n && (s.p[i] == '\n' || s.p[i] == ' ' || s.p[i] == '\r')) {
                if (s.p[i] == '\n') {
                    ++*line;
                    *column = 0;
                }
                ++*column;
                i++;
            }
            while (t < offset && (at->text.p[t] == '\n' || at->text.p[t] == ' '))
                t++;
            continue;
        }
        char_decode(s.p + i, s.n - i, &length);
        if (s.p[i] == at->text.p[t])
            t += length;
        i += length;
        ++*column;
    }
}

void yaml_diag(struct diags *d, enum severity s, const char *code, const struct yaml *at,
               const char *expected, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_vadd(d, s, code, at->file, at->line, at->column, at->width, expected, fmt, ap);
    va_end(ap);
}

struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    struct slice name = slice_of(key);

    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (slice_eq(map->pairs[i].key->text, name))
            return map->pairs[i].value;
    return NULL;
}
