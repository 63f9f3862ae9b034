/* What the two halves of the parser share: parse.c has the operators, terms.c what stands between them. */
#ifndef DUBAND_PARSER_H
#define DUBAND_PARSER_H

#include "lang/diag.h"
#include "lang/parse.h"

struct parser {
    const struct phrase *phrase;
    struct token *token;
    size_t i;
    int depth; /* of brackets and prefixes, so that "((((…" cannot exhaust the stack */
};
struct args {
    struct ast **item;
    size_t n, cap;
};

/* ---- terms.c: tokens */
const struct token *parser_peek(const struct parser *p);
bool token_is(const struct token *t, const char *word);
bool token_is_reserved(const struct token *t); /* a word that is an operator */
bool parser_take(struct parser *p, enum token_kind kind);
bool parser_take_word(struct parser *p, const char *word);
/* What stands here cannot, or nothing does: NULL. */
struct ast *parser_fail(const struct parser *p, const char *expected);
bool parser_expect(struct parser *p, enum token_kind kind, const char *expected);
bool parser_expect_word(struct parser *p, const char *word);
bool parser_enter(struct parser *p); /* a level deeper; its caller goes up again with p->depth-- */

/* ---- terms.c: nodes */
/* A node from the token `first` to the one just taken, over arguments of which none may be NULL. NULL when it
 * would stand too high. */
struct ast *parser_node(struct parser *p, enum ast_kind kind, const struct token *first,
                        struct ast *const *arg, size_t nargs);
struct ast *ast_named(struct ast *x, const struct token *name); /* x may be NULL */

/* ---- terms.c: grammar */
struct ast *parse_rows(struct parser *p); /* an expression, perhaps with `where` */
struct ast *
parse_postfix(struct parser *p); /* a name, constant, list, bracket, call or `R of X`, and points after it */

/* ---- parse.c */
struct ast *parse_expr(struct parser *p);
struct ast *parse_moment(struct parser *p); /* before, after and what binds tighter */
struct ast *parse_unary(struct parser *p);

#endif
