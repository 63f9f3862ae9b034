/* Tokens → tree: what is written, before names and types are looked at. */
#ifndef DUBAND_PARSE_H
#define DUBAND_PARSE_H

#include "lang/token.h"

enum ast_kind {
    AST_NAME,    /* name */
    AST_CONST,   /* constant: a literal or a text */
    AST_MEMBER,  /* arg0 . name */
    AST_OF,      /* name of arg0 */
    AST_CALL,    /* name ( args ) */
    AST_LATEST,  /* latest ( name ) */
    AST_ISSUED,  /* issued ( name ), issued ( name to arg0 ) */
    AST_AT,      /* name [ args ] */
    AST_LIST,    /* [ args ] */
    AST_EACH,    /* each [of] arg0 */
    AST_WHERE,   /* arg0 where arg1 */
    AST_NOT,     /* arg0 */
    AST_NEG,     /* arg0 */
    AST_IF,      /* arg0 arg1 arg2 */
    AST_BINARY,  /* op; negated for `not in` */
    AST_MISSING, /* arg0 is missing; negated: is given */
    AST_IS,      /* arg0 is name; negated: is not */
    AST_LATER,   /* later of args */
    AST_EARLIER,
    AST_BEFORE, /* arg0 before arg1 */
    AST_AFTER
};

struct ast {
    enum ast_kind kind;
    enum expr_op op; /* AST_BINARY: EXPR_AND … EXPR_DIV */
    bool negated;
    struct slice name;
    struct slice name_at; /* where the name, or the operator, stands */
    struct slice text;    /* the whole of it in the source */
    struct value constant;
    struct ast **arg;
    size_t nargs;
    int height; /* of the tree, 1 for a leaf */
};

#define AST_HEIGHT_MAX 64

/* NULL after a diagnostic. */
struct ast *parse_phrase(const struct phrase *p);

#endif
