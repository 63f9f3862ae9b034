/* Operators: which types they take, and what comes out. */
#include "lang/check.h"

static bool either_optional(const struct expr *a, const struct expr *b)
{
    return a->type.optional || b->type.optional;
}

static struct type optional_if(struct type t, bool optional)
{
    t.optional = optional;
    return t;
}

static const struct expr *two(struct checker *k, enum expr_op op, struct type type, const struct expr *a,
                              const struct expr *b)
{
    return expr_over(k, op, type, (const struct expr *[]){a, b}, 2);
}

static const struct expr *refuse_operands(struct checker *k, const struct ast *x, const char *expected,
                                          const struct expr *a, const struct expr *b)
{
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_OPERAND, x->name_at, expected,
                "“%.*s” stands between %s and %s", SLICE_ARG(x->name_at), type_shown(k, &a->type),
                type_shown(k, &b->type));
    return NULL;
}

/* ---- and, or */

static const struct expr *check_logic(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_as(k, x->arg[0], &type_yesno), *b = check_as(k, x->arg[1], &type_yesno);

    return a == NULL || b == NULL ? NULL
                                  : two(k, x->op, optional_if(type_yesno, either_optional(a, b)), a, b);
}

/* ---- membership */

static const struct expr *negate_if(struct checker *k, const struct expr *x, bool negated)
{
    return negated && x != NULL ? expr_over(k, EXPR_NOT, x->type, &x, 1) : x;
}

/* A role's name where `role` of a unit's row is meant: `role = taskforce`, `role in [office, bureau]`. */
static const struct type *role_words(struct checker *k, const struct expr *a)
{
    const struct program *p = k->c->program;
    const struct type *unit = &p->unit_type;
    struct type *words = NULL;

    for (const struct binder *b = k->binder; b != NULL; b = b->outer) {
        if (a->op != EXPR_ROW_FIELD || b->item->fields != unit->fields || b->item->tag != TYPE_RECORD ||
            !slice_eq(unit->fields[a->index].name, S("role")) || a->type.tag != TYPE_SET)
            continue;
        words = ARENA_NEW(k->c->arena, struct type);
        *words = (struct type){.tag = TYPE_ENUM, .words = p->roles, .nwords = p->nroles};
        return words;
    }
    return NULL;
}

/* many has one. */
static const struct expr *check_has(struct checker *k, const struct ast *x, const struct expr *many,
                                    const struct expr *one)
{
    struct type yes = optional_if(type_yesno, either_optional(many, one));
    const struct type *of = type_is_many(&one->type) ? one->type.of : &one->type;

    if (!type_is_many(&many->type)) {
        if (many->type.tag == TYPE_PERIOD && !type_is_many(&one->type) && type_is_ordered(of) &&
            of->tag != TYPE_NUMBER)
            return two(k, EXPR_HAS, yes, many, one);
        return refuse_operands(k, x,
                               x->op == EXPR_IN ? "a set or list after `in`" : "a set or list before `has`",
                               x->op == EXPR_IN ? one : many, x->op == EXPR_IN ? many : one);
    }
    if (!type_comparable(many->type.of, of))
        return refuse_operands(k, x, "members of one type on both sides", x->op == EXPR_IN ? one : many,
                               x->op == EXPR_IN ? many : one);
    return two(k, EXPR_HAS, yes, many, one);
}

/* The same for what stands on the left, before the right side is looked at: its names may be roles. NULL: it
 * is something else. */
static const struct type *role_on_left(struct checker *k, const struct ast *x, const struct expr **a)
{
    bool failed = false;

    *a = NULL;
    if (x->kind == AST_NAME)
        *a = name_lookup(k, x->name, &failed);
    else if (x->kind == AST_MEMBER && x->arg[0]->kind == AST_NAME && slice_eq(x->arg[0]->name, S("it")))
        *a = check_member(k, x);
    return *a == NULL ? NULL : role_words(k, *a);
}

static const struct expr *check_membership(struct checker *k, const struct ast *x)
{
    const struct expr *a = NULL, *b = NULL;
    const struct type *words = role_on_left(k, x->arg[0], &a);
    bool in = x->op == EXPR_IN;

    if (words != NULL) {
        b = check_ast(k, x->arg[1], words);
        return b == NULL ? NULL : negate_if(k, check_has(k, x, a, b), x->negated);
    }
    if (!check_pair(k, x->arg[0], x->arg[1], NULL, &a, &b))
        return NULL;
    return negate_if(k, check_has(k, x, in ? b : a, in ? a : b), x->negated);
}

/* ---- comparison */

static const struct expr *check_role(struct checker *k, const struct ast *x, const struct expr *a,
                                     const struct type *words)
{
    const struct expr *b = check_ast(k, x->arg[1], words);

    if (b == NULL)
        return NULL;
    if (x->op != EXPR_EQ && x->op != EXPR_NE)
        return refuse_operands(k, x, "= or ≠ and the name of a role", a, b);
    return negate_if(k, check_has(k, x, a, b), x->op == EXPR_NE);
}

static const char *cure_for(const struct expr *a, const struct expr *b)
{
    if (type_is_many(&a->type) != type_is_many(&b->type))
        return "`in` or `has` where one side is a set or list";
    return "values of one type on both sides";
}

static const struct expr *check_comparison(struct checker *k, const struct ast *x)
{
    const struct expr *a = NULL, *b = NULL;
    const struct type *words = role_on_left(k, x->arg[0], &a);
    bool equality = x->op == EXPR_EQ || x->op == EXPR_NE;

    if (words != NULL)
        return check_role(k, x, a, words);
    if (!check_pair(k, x->arg[0], x->arg[1], NULL, &a, &b))
        return NULL;
    if (!type_comparable(&a->type, &b->type))
        return refuse_operands(k, x, cure_for(a, b), a, b);
    if (!equality && !(type_is_ordered(&a->type) && type_is_ordered(&b->type)))
        return refuse_operands(
            k, x, "numbers, dates, instants or periods; anything else is only equal or not", a, b);
    return two(k, x->op, optional_if(type_yesno, either_optional(a, b)), a, b);
}

/* ---- arithmetic */

static bool is_moment(const struct expr *x)
{
    return x->type.tag == TYPE_DATE || x->type.tag == TYPE_INSTANT;
}

static const struct expr *check_arithmetic(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_ast(k, x->arg[0], NULL), *b = check_ast(k, x->arg[1], NULL);
    bool optional = false;

    if (a == NULL || b == NULL)
        return NULL;
    optional = either_optional(a, b);
    if (a->type.tag == TYPE_NUMBER && b->type.tag == TYPE_NUMBER) {
        bool divides = x->op == EXPR_DIV && !(b->op == EXPR_CONST && b->constant.number.num != 0);

        return two(k, x->op, optional_if(type_number, optional || divides), a, b);
    }
    if ((x->op == EXPR_ADD || x->op == EXPR_SUB) && is_moment(a) && b->type.tag == TYPE_DURATION)
        return two(k, x->op, optional_if(a->type, optional), a, b);
    if (x->op == EXPR_SUB && a->type.tag == TYPE_DATE && b->type.tag == TYPE_DATE)
        return two(k, x->op, optional_if(type_number, optional), a, b); /* days */
    return refuse_operands(
        k, x, "numbers on both sides; a date or an instant may have a duration added or taken away", a, b);
}

const struct expr *check_neg(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_as(k, x->arg[0], &type_number);
    struct value v;

    if (a == NULL)
        return NULL;
    v = a->constant;
    if (a->op != EXPR_CONST || rat_sub(rat_int(0), a->constant.number, &v.number) != RAT_OK)
        return expr_over(k, EXPR_NEG, a->type, &a, 1);
    return expr_const(k, type_number, v);
}

const struct expr *check_binary(struct checker *k, const struct ast *x)
{
    switch (x->op) {
    case EXPR_AND:
    case EXPR_OR:
        return check_logic(k, x);
    case EXPR_IN:
    case EXPR_HAS:
        return check_membership(k, x);
    case EXPR_ADD:
    case EXPR_SUB:
    case EXPR_MUL:
    case EXPR_DIV:
        return check_arithmetic(k, x);
    default:
        return check_comparison(k, x);
    }
}

/* ---- before, after */

const struct expr *check_moved(struct checker *k, const struct ast *x)
{
    enum expr_op op = x->kind == AST_BEFORE ? EXPR_BEFORE : EXPR_AFTER;
    const struct expr *by = check_ast(k, x->arg[0], NULL), *when = check_ast(k, x->arg[1], NULL);
    struct type type = {0};

    if (by == NULL || when == NULL)
        return NULL;
    if (by->type.tag != TYPE_DURATION && !(type_is_many(&by->type) && by->type.of->tag == TYPE_DURATION))
        return refuse_type(k, x->arg[0], "a duration such as 3d, or a list of them", &by->type);
    if (!is_moment(when))
        return refuse_type(k, x->arg[1], "a date or an instant", &when->type);
    type = optional_if(when->type, either_optional(by, when));
    if (type_is_many(&by->type)) {
        struct type one = optional_if(when->type, false);

        type = (struct type){.tag = TYPE_LIST, .of = type_dup(k->c->arena, &one), .optional = type.optional};
    }
    return two(k, op, type, by, when);
}

/* ---- if */

const struct expr *check_if(struct checker *k, const struct ast *x, const struct type *want)
{
    const struct expr *condition = check_as(k, x->arg[0], &type_yesno), *yes = NULL, *no = NULL;
    struct type both;

    if (!check_pair(k, x->arg[1], x->arg[2], want, &yes, &no) || condition == NULL)
        return NULL;
    if (!type_unify(k->c->arena, &yes->type, &no->type, &both)) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_OPERAND, x->text,
                    "one type after `then` and `else`", "`then` gives %s, `else` %s",
                    type_shown(k, &yes->type), type_shown(k, &no->type));
        return NULL;
    }
    both.optional = both.optional || condition->type.optional;
    return expr_over(k, EXPR_IF, both, (const struct expr *[]){condition, yes, no}, 3);
}
