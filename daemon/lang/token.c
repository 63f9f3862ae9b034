/* Expression text → tokens. */
#include "lang/token.h"

#include "lang/diag.h"

struct scanner {
    const struct phrase *phrase;
    const char *p, *end;
};

/* ---- places */

void phrase_diag(const struct phrase *p, enum severity s, const char *code, struct slice part,
                 const char *expected, const char *fmt, ...)
{
    struct slice whole = p->node->text;
    const char *from = part.n > 0 ? part.p : p->text.n > 0 ? p->text.p + p->text.n : NULL;
    int line = p->node->line, column = p->node->column, width = part.n > 0 ? char_count(part) : 1;
    va_list ap;

    if (whole.n > 0 && (uintptr_t)from >= (uintptr_t)whole.p &&
        (uintptr_t)from <= (uintptr_t)whole.p + whole.n)
        yaml_place_in(p->node, (size_t)(from - whole.p), &line, &column);
    va_start(ap, fmt);
    diag_vadd(p->c->diags, s, code, p->node->file, line, column, width, expected, fmt, ap);
    va_end(ap);
}

/* ---- characters */

struct sign {
    struct slice text;
    enum token_kind kind;
};

/* Longer ones first. */
static const struct sign signs[] = {
    {{"!=", 2}, TOKEN_NE},
    {{"<=", 2}, TOKEN_LE},
    {{">=", 2}, TOKEN_GE},
    {{"\xe2\x89\xa0", 3}, TOKEN_NE},
    {{"\xe2\x89\xa4", 3}, TOKEN_LE},
    {{"\xe2\x89\xa5", 3}, TOKEN_GE},
    {{"\xc3\x97", 2}, TOKEN_MUL},
    {{"\xc3\xb7", 2}, TOKEN_DIV},
    {{"=", 1}, TOKEN_EQ},
    {{"<", 1}, TOKEN_LT},
    {{">", 1}, TOKEN_GT},
    {{"+", 1}, TOKEN_ADD},
    {{"-", 1}, TOKEN_SUB},
    {{"*", 1}, TOKEN_MUL},
    {{"/", 1}, TOKEN_DIV},
    {{"(", 1}, TOKEN_OPEN},
    {{")", 1}, TOKEN_CLOSE},
    {{"[", 1}, TOKEN_LIST},
    {{"]", 1}, TOKEN_LIST_END},
    {{",", 1}, TOKEN_COMMA},
    {{".", 1}, TOKEN_DOT},
};

/* Look-alikes, and what to write instead. */
static const struct {
    uint32_t c;
    const char *instead;
} foreign[] = {
    {'"', "a text in 「…」"},
    {'\'', "a text in 「…」"},
    {0x201c, "a text in 「…」"},
    {0x201d, "a text in 「…」"},
    {0x2018, "a text in 「…」"},
    {0x2019, "a text in 「…」"},
    {0xff0c, "an ASCII comma"},
    {0xff1b, "an ASCII comma"},
    {0xff1d, "="},
    {0xff1c, "<"},
    {0xff1e, ">"},
    {0xff0b, "+"},
    {0xff0d, "-"},
    {0xff1a, "no colon"},
    {0x3002, "no full stop"},
    {0x3000, "an ASCII space"},
    {0x00a0, "an ASCII space"},
    {0x2212, "-"},
    {'&', "and"},
    {'|', "or"},
    {'!', "not, or ≠"},
};

static const char *foreign_instead(uint32_t c)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (foreign[i].c == c)
            return foreign[i].instead;
    return NULL;
}

/* Full-width brackets and 、 are letters here: the words of a regime hold them. */
static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return foreign_instead(c) == NULL && c != 0xfffd && c != 0x2260 && c != 0x2264 && c != 0x2265 &&
           c != 0xd7 && c != 0xf7 && c != 0x300c && c != 0x300d;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* The character at p, 0 at the end. */
static uint32_t peek(const struct scanner *s, const char *p, size_t *length)
{
    *length = 0;
    return p < s->end ? char_decode(p, (size_t)(s->end - p), length) : 0;
}

/* ---- tokens */

static bool complain(const struct scanner *s, struct slice part, const char *expected, const char *what)
{
    phrase_diag(s->phrase, SEVERITY_ERROR, DIAG_EXPR_TOKEN, part, expected, "%s", what);
    return false;
}

/* Letters, digits, and minus where one of those follows. `number`: also the point and % of a number. */
static struct slice take_word(struct scanner *s, bool number)
{
    const char *start = s->p;
    size_t length = 0, next = 0;

    for (;;) {
        uint32_t c = peek(s, s->p, &length), after = peek(s, s->p + length, &next);

        if (c == 0 && length == 0)
            break;
        if (!is_letter(c) && !is_digit(c) && !(c == '-' && (is_letter(after) || is_digit(after))) &&
            !(number && c == '.' && is_digit(after)) && !(number && c == '%'))
            break;
        s->p += length;
    }
    return (struct slice){start, (size_t)(s->p - start)};
}

static bool literal_parse(struct slice text, struct value *out)
{
    if (rat_parse(text, &out->number)) {
        out->tag = VALUE_NUMBER;
        return true;
    }
    if (duration_parse(text, &out->duration)) {
        out->tag = VALUE_DURATION;
        return true;
    }
    if (date_parse(text, &out->date)) {
        out->tag = VALUE_DATE;
        return true;
    }
    if (period_parse(text, &out->period)) {
        out->tag = VALUE_PERIOD;
        return true;
    }
    return false;
}

/* "5 workdays": the unit stands apart. */
static void join_unit(struct scanner *s, struct token *t)
{
    struct scanner ahead = *s;
    struct duration d;

    while (ahead.p < ahead.end && *ahead.p == ' ')
        ahead.p++;
    if (take_word(&ahead, false).n == 0)
        return;
    if (!duration_parse((struct slice){t->text.p, (size_t)(ahead.p - t->text.p)}, &d))
        return;
    t->text.n = (size_t)(ahead.p - t->text.p);
    t->constant = (struct value){.tag = VALUE_DURATION, .duration = d};
    s->p = ahead.p;
}

static bool take_number(struct scanner *s, struct token *t)
{
    t->text = take_word(s, true);
    t->kind = TOKEN_LITERAL;
    if (literal_parse(t->text, &t->constant)) {
        if (t->constant.tag == VALUE_NUMBER)
            join_unit(s, t);
        return true;
    }
    if (memchr(t->text.p, '.', t->text.n) != NULL || memchr(t->text.p, '%', t->text.n) != NULL)
        return complain(s, t->text,
                        "a number (12, 2.5, 70%), a date (2024-03-29), a duration (30d) or a period (2024Q1)",
                        "this is not a number, nor anything else that begins with a digit");
    t->kind = TOKEN_NAME; /* a word may begin with a digit */
    return true;
}

static bool take_text(struct scanner *s, struct token *t)
{
    const char *start = s->p, *text = s->p + 3;
    size_t length = 0;

    for (s->p = text; s->p < s->end; s->p += length) {
        uint32_t c = peek(s, s->p, &length);

        if (c == 0x300c)
            return complain(s, (struct slice){s->p, 3}, NULL, "a text in 「…」 cannot hold another 「");
        if (c != 0x300d)
            continue;
        t->kind = TOKEN_TEXT;
        t->constant = (struct value){.tag = VALUE_TEXT, .text = {text, (size_t)(s->p - text)}};
        s->p += length;
        t->text = (struct slice){start, (size_t)(s->p - start)};
        return true;
    }
    return complain(s, (struct slice){start, 3}, "」", "the text opened here is never closed");
}

static bool take_sign(struct scanner *s, struct token *t)
{
    size_t left = (size_t)(s->end - s->p), length = 0;
    uint32_t c = peek(s, s->p, &length);

    if (left >= 2 && s->p[0] == '=' && s->p[1] == '=')
        return complain(s, (struct slice){s->p, 2}, "=", "one = compares");
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (left < signs[i].text.n || memcmp(s->p, signs[i].text.p, signs[i].text.n) != 0)
            continue;
        *t = (struct token){.kind = signs[i].kind, .text = {s->p, signs[i].text.n}};
        s->p += signs[i].text.n;
        return true;
    }
    return complain(s, (struct slice){s->p, length}, foreign_instead(c),
                    "this character means nothing in an expression");
}

static bool take_token(struct scanner *s, struct token *t)
{
    size_t length = 0;
    uint32_t c = 0;

    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
    *t = (struct token){.kind = TOKEN_END, .text = {s->p, 0}};
    c = peek(s, s->p, &length);
    if (length == 0)
        return true;
    if (is_digit(c))
        return take_number(s, t);
    if (c == 0x300c)
        return take_text(s, t);
    if (!is_letter(c))
        return take_sign(s, t);
    t->kind = TOKEN_NAME;
    t->text = take_word(s, false);
    return true;
}

bool tokens_read(const struct phrase *p, struct token **tokens, size_t *n)
{
    struct scanner s = {.phrase = p, .p = p->text.p, .end = p->text.p + p->text.n};
    size_t cap = 0;

    *tokens = NULL;
    *n = 0;
    for (;;) {
        struct token *t = arena_push(p->c->arena, tokens, n, &cap, sizeof *t);

        if (!take_token(&s, t))
            return false;
        if (t->kind == TOKEN_END)
            return true;
        if (*n == TOKENS_MAX) {
            phrase_diag(p, SEVERITY_ERROR, DIAG_EXPR_DEPTH, t->text,
                        "at most 1000 words and signs; give parts a name under `let:`",
                        "the expression is too long");
            return false;
        }
    }
}
