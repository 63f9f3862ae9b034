/* Expression text → tokens, with their place in the text. */
#ifndef DUBAND_TOKEN_H
#define DUBAND_TOKEN_H

#include "lang/compile.h"

/* A text with an expression in it, and the scalar that it stands in. */
struct phrase {
    struct compiler *c;
    const struct yaml *node;
    struct slice text; /* node->text or a part of it */
};
/* A diagnostic that underlines `part`, a piece of the phrase's text; an empty one is the end of the text. */
void phrase_diag(const struct phrase *p, enum severity s, const char *code, struct slice part,
                 const char *expected, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

enum token_kind {
    TOKEN_END,
    TOKEN_NAME, /* a word of any script: letters, digits, minus inside; the grammar knows which are keywords
                 */
    TOKEN_TEXT, /* 「…」: constant */
    TOKEN_LITERAL, /* a number, duration, date or period: constant */
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_ADD,
    TOKEN_SUB,
    TOKEN_MUL,
    TOKEN_DIV,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_LIST,
    TOKEN_LIST_END,
    TOKEN_COMMA,
    TOKEN_DOT
};
struct token {
    enum token_kind kind;
    struct slice text; /* in the source */
    struct value constant;
};

#define TOKENS_MAX 1000

/* All tokens, the last of them TOKEN_END. False after a diagnostic. */
bool tokens_read(const struct phrase *p, struct token **tokens, size_t *n);

#endif
