/* Look-alikes of YAML. What the parser takes for something else is caught in the tree; what it breaks off at,
 * in the lines. */
#include "lang/yaml_traps.h"

#include "lang/diag.h"
#include "lang/meant.h"

#define COLON 0xff1a
#define COMMA 0xff0c

struct line {
    const struct bundle_file *file;
    struct diags *d;
    const char *start, *p, *end; /* p: what is looked at */
    int number;
};

static uint32_t peek(const struct line *l, const char *p, size_t *length)
{
    *length = 0;
    return p < l->end ? char_decode(p, (size_t)(l->end - p), length) : 0;
}

static bool tell(const struct line *l, const char *code, const char *at, const char *expected,
                 const char *what)
{
    diag_add(l->d, SEVERITY_ERROR, code, l->file, l->number,
             char_count((struct slice){l->start, (size_t)(at - l->start)}) + 1, 1, expected, "%s", what);
    return true;
}

#define WANT_COLON "an ASCII colon and a blank: title: 督办"
#define NO_SPACE "a blank that is no space"
#define WANT_SPACE "a space: this one only looks like one"
#define WANT_QUOTES "quotes around the text"

/* ---- lines that the parser cannot read */

/* Past the indentation and the minus signs of lists. */
static bool trap_indent(struct line *l)
{
    size_t length;
    while (l->p < l->end) {
        if (char_is_foreign_blank(peek(l, l->p, &length)))
            return tell(l, DIAG_YAML_BLANK, l->p, WANT_SPACE, NO_SPACE);
        if (*l->p != ' ' && !(*l->p == '-' && l->p + 1 < l->end && l->p[1] == ' '))
            return false;
        l->p++;
    }
    return false;
}

/* The key, up to its colon; l->p goes to the value. A trap: what stands there only looks like one. */
static bool trap_colon(struct line *l)
{
    const char *p = l->p;
    size_t length, next;
    for (; p < l->end; p += length) {
        uint32_t c = peek(l, p, &length), after = peek(l, p + length, &next);
        if (c == ' ' || c == '"' || c == '\'' || c == '#' || c == '{' || c == '[' || c == ',')
            return false;
        if (c == COLON && p > l->p)
            return tell(l, DIAG_YAML_LOOKALIKE, p, WANT_COLON,
                        "a full-width colon: YAML takes it for a letter");
        if (c != ':' || p == l->p)
            continue;
        l->p = p + 1;
        if (next == 0 || after == ' ' || after == '\t' || after == '\r')
            return false;
        if (char_is_foreign_blank(after))
            return tell(l, DIAG_YAML_BLANK, l->p, WANT_SPACE, NO_SPACE);
        return tell(l, DIAG_YAML_LOOKALIKE, p, WANT_COLON, "no blank follows the colon");
    }
    return false;
}

/* `list of {name: type}`: what is in the braces would have to be the value of a key. */
static bool trap_list_of(struct line *l)
{
    static const char sign[] = "list of {";
    const char *at = memmem(l->p, (size_t)(l->end - l->p), sign, sizeof sign - 1);
    return at && tell(l, DIAG_YAML_SIGN, at + sizeof sign - 2,
                      "`{list of: {name: type, …}}`, or `{optional list of: {name: type, …}}`",
                      "a list of maps is a map of its own, with a colon behind `list of`");
}

/* In braces and brackets on one line: a comma or colon that YAML reads past. */
static bool trap_flow(struct line *l)
{
    size_t length;
    char quote = 0;
    if (trap_list_of(l))
        return true;
    for (const char *p = l->p; p < l->end; p += length) {
        uint32_t c = peek(l, p, &length);
        if (quote || c == '"' || c == '\'')
            quote = !quote ? (char)c : (uint32_t)quote == c ? 0 : quote;
        else if (c == COMMA)
            return tell(l, DIAG_YAML_LOOKALIKE, p,
                        "an ASCII comma, or quotes around a text that has this one in it",
                        "a full-width comma parts nothing");
    }
    return false;
}

/* The value that stands on the key's own line. */
static bool trap_sign(struct line *l)
{
    while (l->p < l->end && *l->p == ' ')
        l->p++;
    const char *p = l->p;
    char c = p < l->end ? *p : 0, after = p + 1 < l->end ? p[1] : 0;
    if (c == '>' && after)
        return tell(l, DIAG_YAML_SIGN, p, "≥ instead of >=, or quotes: \">= 25%\"",
                    "a > that begins a text means a block of lines to YAML");
    if (c && strchr("%@`", c))
        return tell(l, DIAG_YAML_SIGN, p, WANT_QUOTES, "a text cannot begin with this sign");
    if (c && strchr("-?|", c) && (after == ' ' || c == '|'))
        return tell(l, DIAG_YAML_SIGN, p, WANT_QUOTES,
                    "to YAML this sign begins something other than a text");
    if (c == '{' || c == '[')
        return tell(l, DIAG_YAML_SIGN, p, "quotes around a text that begins with a bracket",
                    "this bracket begins a map or a list, which ends before the line does");
    if (c == '"' || c == '\'')
        return tell(l, DIAG_YAML_SIGN, p, "one pair of quotes around the whole text, or 「」 in it",
                    "this quote ends before the line does, or never");
    return false;
}

static const struct {
    const char *said, *hint;
    bool (*trap)(struct line *l); /* what on that line may be the reason; NULL: none */
} sayings[] = {
    {"block scalar", NULL, trap_sign},
    {"cannot start with", NULL, trap_sign},
    {"invalid value after mapping", "quotes around a text that begins with { or [", trap_sign},
    {"invalid trailing content", "quotes around the whole text", trap_sign},
    {"block sequence on the same line", "a list on lines of its own, or quotes around the text", trap_sign},
    {"invalid mapping key", WANT_QUOTES, trap_sign},
    {"-quoted scalar", "the quote that closes it", trap_sign},
    {"missing comma in flow", NULL, trap_flow},
    {"expected ':'", "a colon and a blank after each key", NULL},
    {"multiline plain key", "a colon and a blank after each key; keys of one map below each other", NULL},
    {"nested block mapping", "quotes around a text with a colon and a blank in it", trap_list_of},
    {"indentation in mapping", "keys of one map below each other", NULL},
};

static bool says(const char *said, size_t i)
{
    return strstr(said, sayings[i].said) != NULL;
}

const char *traps_hint(const char *said)
{
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (says(said, i))
            return sayings[i].hint;
    return NULL;
}

static bool trap_said(struct line *l, const char *said)
{
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (says(said, i) && sayings[i].trap)
            return sayings[i].trap(l);
    return false;
}

/* Lines of `|` and `>` blocks are text: whatever stands deeper than the line that opens one. */
static bool opens_block(const struct line *l)
{
    const char *end = l->end;
    while (end > l->start && (end[-1] == ' ' || end[-1] == '\r'))
        end--;
    while (end > l->start && strchr("+-123456789", end[-1]))
        end--;
    return end - l->start >= 2 && (end[-1] == '|' || end[-1] == '>') && end[-2] == ' ';
}

bool traps_in_lines(const struct bundle_file *file, struct diags *d, int line, const char *said)
{
    struct line l = {.file = file, .d = d, .start = file->content.p};
    const char *last = l.start + file->content.n;
    size_t found = 0, block = SIZE_MAX; /* the indentation of the line that opened a block */
    bool why = false;
    for (l.number = 1; l.start < last && found < TRAPS_MAX; l.number++, l.start = l.end + 1) {
        l.end = memchr(l.start, '\n', (size_t)(last - l.start));
        l.end = l.end ? l.end : last;
        l.p = l.start;
        size_t indent = 0;
        while (l.start + indent < l.end && l.start[indent] == ' ')
            indent++;
        if (block != SIZE_MAX && (indent > block || l.start + indent >= l.end))
            continue;
        block = opens_block(&l) ? indent : SIZE_MAX;
        bool trap = trap_indent(&l) || trap_colon(&l) || (l.number == line && trap_said(&l, said));
        found += trap;
        why |= trap && l.number >= line - 1 && l.number <= line + 1;
    }
    return why;
}

/* ---- what became part of the tree */

static struct line line_at(const struct yaml *node, struct diags *d)
{
    return (struct line){.file = node->file,
                         .d = d,
                         .start = node->text.p,
                         .p = node->text.p,
                         .end = node->text.p + node->text.n,
                         .number = node->line};
}

static void tell_in(const struct yaml *node, struct diags *d, int *told, const char *at, const char *code,
                    const char *expected, const char *what)
{
    int line, column;
    if (++*told > TRAPS_MAX)
        return;
    yaml_place_in(node, (size_t)(at - node->text.p), &line, &column);
    diag_add(d, SEVERITY_ERROR, code, node->file, line, column, 1, expected, "%s", what);
}

struct yaml *trap_key(struct yaml *key, struct diags *d, int *told)
{
    struct line l = line_at(key, d);
    size_t length;
    struct yaml *value = NULL;
    for (const char *p = l.start; p < l.end; p += length) {
        uint32_t c = peek(&l, p, &length);
        if (c != COLON)
            continue;
        tell_in(key, d, told, p, DIAG_YAML_LOOKALIKE, WANT_COLON,
                "a full-width colon: YAML takes it for a letter");
        value = ARENA_NEW(d->arena, struct yaml);
        *value = *key;
        value->text = (struct slice){p + length, (size_t)(l.end - p) - length};
        value->kind = value->text.n ? YAML_SCALAR : YAML_NULL;
        value->column += char_count((struct slice){key->text.p, (size_t)(p - key->text.p)}) + 1;
        value->width = value->text.n ? char_count(value->text) : 1;
        key->text.n = (size_t)(p - key->text.p);
        key->width = char_count(key->text);
        return value;
    }
    return NULL;
}

void trap_scalar(struct yaml *node, struct diags *d, int *told)
{
    struct line l = line_at(node, d);
    size_t length;
    bool any = false;
    while (char_is_foreign_blank(peek(&l, l.p, &length))) {
        if (!any)
            tell_in(node, d, told, l.p, DIAG_YAML_BLANK, WANT_SPACE, NO_SPACE);
        any = true;
        l.p += length;
    }
    while (l.end > l.p) {
        const char *p = l.end - 1;
        while (p > l.p && ((unsigned char)*p & 0xc0) == 0x80)
            p--;
        if (!char_is_foreign_blank(peek(&l, p, &length)))
            break;
        if (!any)
            tell_in(node, d, told, p, DIAG_YAML_BLANK, WANT_SPACE, NO_SPACE);
        any = true;
        l.end = p;
    }
    node->text = (struct slice){l.p, (size_t)(l.end - l.p)};
    const char *tab = node->text.n ? memchr(l.p, '\t', node->text.n) : NULL;
    if (tab)
        tell_in(node, d, told, tab, DIAG_YAML_TAB, "a space", "a tab in the midst of a text");
}

bool trap_map(const struct yaml *node, struct diags *d)
{
    const char *p = node->kind == YAML_SCALAR && !node->quoted && node->text.n
                        ? memmem(node->text.p, node->text.n, "：", 3)
                        : NULL;
    int told = 0;
    if (!p)
        return false;
    tell_in(node, d, &told, p, DIAG_YAML_LOOKALIKE, WANT_COLON,
            "a full-width colon: YAML takes it for a letter");
    return true;
}

bool trap_comment(const struct yaml *key)
{
    struct slice s = key->file->content;
    const char *p = key->text.p, *end = s.p + s.n;
    if (p < s.p || p >= end)
        return false;
    for (p += key->text.n; p < end && (*p == ' ' || *p == ':'); p++)
        ;
    return p < end && *p == '#';
}
