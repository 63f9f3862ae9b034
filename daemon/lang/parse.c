/* Tokens → tree, by recursive descent. From loose to tight:
 *   if then else · or · and · not · = ≠ < ≤ > ≥ in has is · before after · + - · × ÷ · - each · of · . ( ) */
#include "lang/parser.h"

/* ---- operators */

/* `each lead of X`, `each of LIST`: the word only says aloud that it fans out. */
static struct ast *parse_each(struct parser *p, const struct token *first)
{
    struct ast *x = NULL, *condition = NULL;

    parser_take_word(p, "of");
    x = parse_unary(p);
    if (x != NULL && parser_take_word(p, "where")) {
        condition = parse_expr(p);
        x = condition == NULL ? NULL : parser_node(p, AST_WHERE, first, (struct ast *[]){x, condition}, 2);
    }
    return x == NULL ? NULL : parser_node(p, AST_EACH, first, &x, 1);
}

struct ast *parse_unary(struct parser *p)
{
    const struct token *first = parser_peek(p), *next = &p->token[p->i + (first->kind != TOKEN_END)];
    struct ast *x = NULL;

    if (!parser_enter(p))
        return NULL;
    if (parser_take(p, TOKEN_SUB)) {
        x = parse_unary(p);
        x = x == NULL ? NULL : ast_named(parser_node(p, AST_NEG, first, &x, 1), first);
    } else if (token_is(first, "each") && next->kind == TOKEN_NAME &&
               (token_is(next, "of") || !token_is_reserved(next))) {
        p->i++;
        x = parse_each(p, first);
    } else {
        x = parse_postfix(p);
    }
    p->depth--;
    return x;
}

/* One level of left-associative operators. */
struct level {
    struct ast *(*tighter)(struct parser *p);
    struct {
        enum token_kind sign; /* or TOKEN_NAME with a word */
        const char *word;
        enum expr_op op;
    } operator[2];
};

static struct ast *parse_level(struct parser *p, const struct level *level)
{
    const struct token *first = parser_peek(p);
    struct ast *x = level->tighter(p);

    while (x != NULL) {
        const struct token *t = parser_peek(p);
        struct ast *right = NULL;
        size_t k = 0;

        while (k < 2 && !(t->kind == level->operator[k].sign &&(t->kind != TOKEN_NAME ||
                                                                token_is(t, level->operator[k].word))))
            k++;
        if (k == 2)
            return x;
        p->i++;
        right = level->tighter(p);
        if (right == NULL)
            return NULL;
        x = ast_named(parser_node(p, AST_BINARY, first, (struct ast *[]){x, right}, 2), t);
        if (x != NULL)
            x->op = level->operator[k].op;
    }
    return NULL;
}

static struct ast *parse_product(struct parser *p)
{
    static const struct level level = {parse_unary,
                                       {{TOKEN_MUL, NULL, EXPR_MUL}, {TOKEN_DIV, NULL, EXPR_DIV}}};

    return parse_level(p, &level);
}

static struct ast *parse_sum(struct parser *p)
{
    static const struct level level = {parse_product,
                                       {{TOKEN_ADD, NULL, EXPR_ADD}, {TOKEN_SUB, NULL, EXPR_SUB}}};

    return parse_level(p, &level);
}

/* `3d before 1d after due` groups from the right. */
struct ast *parse_moment(struct parser *p)
{
    const struct token *first = parser_peek(p), *word = NULL;
    struct ast *x = NULL, *right = NULL;

    if (!parser_enter(p))
        return NULL;
    x = parse_sum(p);
    word = parser_peek(p);
    if (x != NULL && (token_is(word, "before") || token_is(word, "after"))) {
        p->i++;
        right = parse_moment(p);
        x = right == NULL ? NULL
                          : parser_node(p, token_is(word, "before") ? AST_BEFORE : AST_AFTER, first,
                                        (struct ast *[]){x, right}, 2);
        x = ast_named(x, word);
    }
    p->depth--;
    return x;
}

/* After `is`. */
static struct ast *parse_is(struct parser *p, const struct token *first, struct ast *x)
{
    const struct token *name = NULL;
    bool negated = parser_take_word(p, "not");

    name = parser_peek(p);
    if (!parser_expect(p, TOKEN_NAME, "missing, given, or what a row of a table is called"))
        return NULL;
    if (slice_eq(name->text, S("missing")) || slice_eq(name->text, S("given"))) {
        x = ast_named(parser_node(p, AST_MISSING, first, &x, 1), name);
        negated = negated != slice_eq(name->text, S("given"));
    } else {
        x = ast_named(parser_node(p, AST_IS, first, &x, 1), name);
    }
    if (x != NULL)
        x->negated = negated;
    return x;
}

static bool take_comparison(struct parser *p, enum expr_op *op, bool *negated)
{
    static const struct {
        enum token_kind sign;
        enum expr_op op;
    } sign[] = {{TOKEN_EQ, EXPR_EQ}, {TOKEN_NE, EXPR_NE}, {TOKEN_LT, EXPR_LT},
                {TOKEN_LE, EXPR_LE}, {TOKEN_GT, EXPR_GT}, {TOKEN_GE, EXPR_GE}};

    *negated = false;
    for (size_t i = 0; i < sizeof sign / sizeof *sign; i++) {
        *op = sign[i].op;
        if (parser_take(p, sign[i].sign))
            return true;
    }
    *op = EXPR_HAS;
    if (parser_take_word(p, "has"))
        return true;
    *op = EXPR_IN;
    if (token_is(parser_peek(p), "not") && token_is(&p->token[p->i + 1], "in")) {
        *negated = true;
        p->i++;
    }
    return parser_take_word(p, "in");
}

static struct ast *parse_comparison(struct parser *p)
{
    const struct token *first = parser_peek(p), *sign = NULL;
    struct ast *x = parse_moment(p), *right = NULL;
    enum expr_op op;
    bool negated = false, compared = false;

    if (x != NULL && parser_take_word(p, "is"))
        return parse_is(p, first, x);
    sign = parser_peek(p);
    compared = x != NULL && take_comparison(p, &op, &negated);
    if (!compared)
        return x;
    right = parse_moment(p);
    if (right == NULL)
        return NULL;
    x = ast_named(parser_node(p, AST_BINARY, first, (struct ast *[]){x, right}, 2), sign);
    if (x != NULL) {
        x->op = op;
        x->negated = negated;
    }
    if (x != NULL && parser_peek(p)->kind >= TOKEN_EQ && parser_peek(p)->kind <= TOKEN_GE)
        return parser_fail(p, "and: comparisons do not chain");
    return x;
}

static struct ast *parse_not(struct parser *p)
{
    const struct token *first = parser_peek(p);
    struct ast *x = NULL;

    if (!parser_take_word(p, "not"))
        return parse_comparison(p);
    if (!parser_enter(p))
        return NULL;
    x = parse_not(p);
    p->depth--;
    return x == NULL ? NULL : ast_named(parser_node(p, AST_NOT, first, &x, 1), first);
}

static struct ast *parse_and(struct parser *p)
{
    static const struct level level = {parse_not,
                                       {{TOKEN_NAME, "and", EXPR_AND}, {TOKEN_NAME, "and", EXPR_AND}}};

    return parse_level(p, &level);
}

static struct ast *parse_or(struct parser *p)
{
    static const struct level level = {parse_and, {{TOKEN_NAME, "or", EXPR_OR}, {TOKEN_NAME, "or", EXPR_OR}}};

    return parse_level(p, &level);
}

static struct ast *parse_if(struct parser *p, const struct token *first)
{
    struct ast *arg[3] = {0};

    arg[0] = parse_expr(p);
    if (arg[0] == NULL || !parser_expect_word(p, "then"))
        return NULL;
    arg[1] = parse_expr(p);
    if (arg[1] == NULL || !parser_expect_word(p, "else"))
        return NULL;
    arg[2] = parse_expr(p);
    return arg[2] == NULL ? NULL : parser_node(p, AST_IF, first, arg, 3);
}

struct ast *parse_expr(struct parser *p)
{
    const struct token *first = parser_peek(p);
    struct ast *x = NULL;

    if (!parser_enter(p))
        return NULL;
    x = parser_take_word(p, "if") ? parse_if(p, first) : parse_or(p);
    p->depth--;
    return x;
}

struct ast *parse_phrase(const struct phrase *phrase)
{
    struct parser p = {.phrase = phrase};
    struct ast *x = NULL;
    size_t n = 0;

    if (!tokens_read(phrase, &p.token, &n))
        return NULL;
    /* `at due` reads better than `due` in a list of timers; the word means nothing. */
    if (token_is(&p.token[0], "at") &&
        (p.token[1].kind == TOKEN_NAME || p.token[1].kind == TOKEN_LITERAL ||
         p.token[1].kind == TOKEN_OPEN) &&
        !token_is_reserved(&p.token[1]))
        p.i++;
    x = parse_rows(&p);
    if (x != NULL && parser_peek(&p)->kind != TOKEN_END)
        return parser_fail(&p, "an operator (and, or, =, in, +, before …) or the end");
    return x;
}
