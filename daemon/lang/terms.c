/* The parser's tools, and the terms that operators stand between: names, constants, lists, calls, `R of X`,
 * points. */
#include "lang/parser.h"

/* ---- tokens */

const struct token *parser_peek(const struct parser *p)
{
    return &p->token[p->i];
}

bool token_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_NAME && slice_eq(t->text, slice_of(word));
}

bool parser_take(struct parser *p, enum token_kind kind)
{
    if (parser_peek(p)->kind != kind)
        return false;
    p->i++;
    return true;
}

bool parser_take_word(struct parser *p, const char *word)
{
    if (!token_is(parser_peek(p), word))
        return false;
    p->i++;
    return true;
}

struct ast *parser_fail(const struct parser *p, const char *expected)
{
    const struct token *t = parser_peek(p);

    if (t->kind == TOKEN_END)
        phrase_diag(p->phrase, SEVERITY_ERROR, DIAG_EXPR_SYNTAX, t->text, expected,
                    "the expression breaks off");
    else
        phrase_diag(p->phrase, SEVERITY_ERROR, DIAG_EXPR_SYNTAX, t->text, expected,
                    "“%.*s” cannot stand here", SLICE_ARG(t->text));
    return NULL;
}

bool parser_expect(struct parser *p, enum token_kind kind, const char *expected)
{
    if (parser_take(p, kind))
        return true;
    parser_fail(p, expected);
    return false;
}

bool parser_expect_word(struct parser *p, const char *word)
{
    if (parser_take_word(p, word))
        return true;
    parser_fail(p, word);
    return false;
}

bool parser_enter(struct parser *p)
{
    if (++p->depth <= AST_HEIGHT_MAX)
        return true;
    phrase_diag(p->phrase, SEVERITY_ERROR, DIAG_EXPR_DEPTH, parser_peek(p)->text,
                "at most 64 levels; give parts a name under `let:`", "the expression is nested too deeply");
    return false;
}

/* ---- nodes */

struct ast *parser_node(struct parser *p, enum ast_kind kind, const struct token *first,
                        struct ast *const *arg, size_t nargs)
{
    struct ast *x = ARENA_NEW(p->phrase->c->arena, struct ast);
    const struct token *last = p->i > 0 ? &p->token[p->i - 1] : first;

    *x = (struct ast){.kind = kind, .height = 1, .nargs = nargs};
    x->text = (struct slice){first->text.p, (size_t)(last->text.p + last->text.n - first->text.p)};
    x->arg = ARENA_ARRAY(p->phrase->c->arena, struct ast *, nargs + 1);
    for (size_t i = 0; i < nargs; i++) {
        x->arg[i] = arg[i];
        if (arg[i]->height >= x->height)
            x->height = arg[i]->height + 1;
    }
    if (x->height <= AST_HEIGHT_MAX)
        return x;
    phrase_diag(p->phrase, SEVERITY_ERROR, DIAG_EXPR_DEPTH, x->text,
                "at most 64 levels; give parts a name under `let:`", "the expression is nested too deeply");
    return NULL;
}

struct ast *ast_named(struct ast *x, const struct token *name)
{
    if (x != NULL)
        x->name = x->name_at = name->text;
    return x;
}

static bool args_add(struct parser *p, struct args *a, struct ast *x)
{
    if (x == NULL)
        return false;
    *(struct ast **)arena_push(p->phrase->c->arena, &a->item, &a->n, &a->cap, sizeof *a->item) = x;
    return true;
}

/* ---- primaries */

/* `X where C`, as arguments and `each` have it. */
struct ast *parse_rows(struct parser *p)
{
    const struct token *first = parser_peek(p);
    struct ast *x = parse_expr(p), *condition = NULL;

    if (x == NULL || !parser_take_word(p, "where"))
        return x;
    condition = parse_expr(p);
    return condition == NULL ? NULL : parser_node(p, AST_WHERE, first, (struct ast *[]){x, condition}, 2);
}

/* Up to `close`, which is taken. */
static bool parse_args(struct parser *p, enum token_kind close, const char *expected, struct args *out)
{
    if (parser_take(p, close))
        return true;
    do {
        if (!args_add(p, out, parse_rows(p)))
            return false;
    } while (parser_take(p, TOKEN_COMMA));
    return parser_expect(p, close, expected);
}

/* The name of a kind may be of several words: latest(ranking indicators). */
static struct ast *parse_latest(struct parser *p, const struct token *first)
{
    const struct token *from = parser_peek(p), *to = NULL;
    struct ast *x = NULL;

    while (parser_peek(p)->kind == TOKEN_NAME)
        to = &p->token[p->i++];
    if (to == NULL)
        return parser_fail(p, "the name of an event");
    if (!parser_expect(p, TOKEN_CLOSE, ")"))
        return NULL;
    x = parser_node(p, AST_LATEST, first, NULL, 0);
    if (x != NULL)
        x->name = x->name_at = (struct slice){from->text.p, (size_t)(to->text.p + to->text.n - from->text.p)};
    return x;
}

static struct ast *parse_issued(struct parser *p, const struct token *first)
{
    const struct token *measure = parser_peek(p);
    struct args to = {0};

    if (!parser_expect(p, TOKEN_NAME, "the name of a measure"))
        return NULL;
    if (parser_take_word(p, "to") && !args_add(p, &to, parse_expr(p)))
        return NULL;
    if (!parser_expect(p, TOKEN_CLOSE, to.n ? ")" : ") or to UNIT"))
        return NULL;
    return ast_named(parser_node(p, AST_ISSUED, first, to.item, to.n), measure);
}

static struct ast *parse_call(struct parser *p, const struct token *name)
{
    struct args args = {0};

    if (slice_eq(name->text, S("latest")))
        return parse_latest(p, name);
    if (slice_eq(name->text, S("issued")))
        return parse_issued(p, name);
    if (!parse_args(p, TOKEN_CLOSE, ")", &args))
        return NULL;
    return ast_named(parser_node(p, AST_CALL, name, args.item, args.n), name);
}

/* card[unit, subject] */
static struct ast *parse_at(struct parser *p, const struct token *name)
{
    struct args args = {0};

    if (!parse_args(p, TOKEN_LIST_END, "]", &args))
        return NULL;
    return ast_named(parser_node(p, AST_AT, name, args.item, args.n), name);
}

/* `later of A, B`: as many as commas go on. */
static struct ast *parse_extreme(struct parser *p, const struct token *first, enum ast_kind kind)
{
    struct args args = {0};

    do {
        if (!args_add(p, &args, parse_moment(p)))
            return NULL;
    } while (parser_take(p, TOKEN_COMMA));
    return ast_named(parser_node(p, kind, first, args.item, args.n), first);
}

bool token_is_reserved(const struct token *t)
{
    static const char *const word[] = {"and", "or", "not",   "if",     "then",  "else", "in",
                                       "has", "is", "where", "before", "after", "of"};

    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        if (token_is(t, word[i]))
            return true;
    return false;
}

static struct ast *parse_name(struct parser *p)
{
    const struct token *name = parser_peek(p);
    struct ast *x = NULL;

    if (token_is_reserved(name))
        return parser_fail(p, "a value");
    p->i++;
    if (parser_take(p, TOKEN_OPEN))
        return parse_call(p, name);
    if (parser_take(p, TOKEN_LIST))
        return parse_at(p, name);
    if (parser_take_word(p, "of")) {
        if (slice_eq(name->text, S("later")))
            return parse_extreme(p, name, AST_LATER);
        if (slice_eq(name->text, S("earlier")))
            return parse_extreme(p, name, AST_EARLIER);
        x = parse_unary(p);
        return x == NULL ? NULL : ast_named(parser_node(p, AST_OF, name, &x, 1), name);
    }
    return ast_named(parser_node(p, AST_NAME, name, NULL, 0), name);
}

static struct ast *parse_primary(struct parser *p)
{
    const struct token *first = parser_peek(p);
    struct args args = {0};
    struct ast *x = NULL;

    switch (first->kind) {
    case TOKEN_NAME:
        return parse_name(p);
    case TOKEN_TEXT:
    case TOKEN_LITERAL:
        p->i++;
        x = parser_node(p, AST_CONST, first, NULL, 0);
        x->constant = first->constant;
        return x;
    case TOKEN_OPEN:
        p->i++;
        x = parse_expr(p);
        return x != NULL && parser_expect(p, TOKEN_CLOSE, ")") ? x : NULL;
    case TOKEN_LIST:
        p->i++;
        return parse_args(p, TOKEN_LIST_END, "]", &args) ? parser_node(p, AST_LIST, first, args.item, args.n)
                                                         : NULL;
    default:
        return parser_fail(p, "a value");
    }
}

struct ast *parse_postfix(struct parser *p)
{
    const struct token *first = parser_peek(p);
    struct ast *x = parse_primary(p);

    while (x != NULL && parser_take(p, TOKEN_DOT)) {
        const struct token *name = parser_peek(p);

        if (!parser_expect(p, TOKEN_NAME, "a name after the point"))
            return NULL;
        x = ast_named(parser_node(p, AST_MEMBER, first, &x, 1), name);
    }
    return x;
}
