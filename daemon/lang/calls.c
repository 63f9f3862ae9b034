/* Functions, and those over the rows of something. */
#include "lang/check.h"

static const struct expr *refuse_call(struct checker *k, const struct ast *x, const char *expected,
                                      const char *what)
{
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_CALL, x->text, expected, "%s", what);
    return NULL;
}

/* ---- rows */

/* x with the items of `rows` bound. */
static const struct expr *check_bound(struct checker *k, const struct ast *x, const struct expr *rows,
                                      const struct type *want)
{
    struct binder inner = {.item = rows->type.of, .outer = k->binder};
    const struct expr *e = NULL;

    k->binder = &inner;
    e = check_as(k, x, want);
    k->binder = inner.outer;
    return e;
}

static const struct expr *check_many(struct checker *k, const struct ast *x)
{
    const struct expr *e = check_ast(k, x, NULL);

    if (e != NULL && !type_is_many(&e->type))
        return refuse_type(k, x, "a set, a list, a table, or a role", &e->type);
    return e;
}

static const struct expr *filter(struct checker *k, const struct expr *rows, const struct ast *condition)
{
    const struct expr *holds = check_bound(k, condition, rows, &type_yesno);

    if (holds == NULL)
        return NULL;
    rows = collection_narrow(k, rows, holds);
    return expr_over(k, EXPR_WHERE, rows->type, (const struct expr *[]){rows, holds}, 2);
}

/* The rows that `points of event.lines where …` or `event.lines.points where …` choose a column of: there,
 * the condition is about the rows, not about the points. NULL without a diagnostic: it is nothing of the
 * kind. */
static const struct expr *filtered_column(struct checker *k, const struct ast *x, bool *failed)
{
    const struct ast *column = x->kind == AST_WHERE ? x->arg[0] : NULL, *source = NULL;
    const struct expr *rows = NULL;
    int field = -1;

    if (column == NULL || (column->kind != AST_OF && column->kind != AST_MEMBER))
        return NULL;
    source = column->arg[0];
    /* The source is looked at twice when it turns out to have no such column: it must be a mere name, or the
     * work would double at each level. */
    if (!(source->kind == AST_MEMBER && source->arg[0]->kind == AST_NAME) &&
        !(source->kind == AST_NAME && name_lookup(k, source->name, failed) != NULL))
        return NULL;
    rows = check_ast(k, source, NULL);
    *failed = rows == NULL;
    if (rows == NULL || !type_is_many(&rows->type) || rows->type.of->tag != TYPE_RECORD)
        return NULL;
    field = field_named(rows->type.of->fields, rows->type.of->nfields, column->name);
    if (field < 0)
        return NULL;
    rows = filter(k, rows, x->arg[1]);
    *failed = rows == NULL;
    return rows == NULL ? NULL : expr_column_of(k, rows, field);
}

const struct expr *check_where(struct checker *k, const struct ast *x)
{
    bool failed = false;
    const struct expr *rows = filtered_column(k, x, &failed);

    if (rows != NULL || failed)
        return rows;
    rows = check_many(k, x->arg[0]);
    return rows == NULL ? NULL : filter(k, rows, x->arg[1]);
}

/* ---- each function */

static const struct expr *call_count(struct checker *k, const struct ast *x)
{
    const struct expr *rows = check_many(k, x->arg[0]);

    return rows == NULL
               ? NULL
               : expr_over(k, EXPR_QUANT_COUNT,
                           (struct type){.tag = TYPE_NUMBER, .optional = rows->type.optional}, &rows, 1);
}

static const struct expr *call_any(struct checker *k, const struct ast *x)
{
    const struct expr *rows = check_many(k, x->arg[0]);
    struct type yes = {.tag = TYPE_YESNO};

    if (rows == NULL)
        return NULL;
    yes.optional = rows->type.optional || (rows->op == EXPR_WHERE && rows->arg[1]->type.optional);
    return expr_over(k, EXPR_QUANT_ANY, yes, &rows, 1);
}

static const struct expr *call_all(struct checker *k, const struct ast *x)
{
    const struct ast *where = x->arg[0];
    const struct expr *rows = NULL, *holds = NULL;

    if (where->kind != AST_WHERE)
        return refuse_call(k, x, "all(LIST where CONDITION)", "`all` has no condition");
    rows = check_many(k, where->arg[0]);
    holds = rows == NULL ? NULL : check_bound(k, where->arg[1], rows, &type_yesno);
    if (holds == NULL)
        return NULL;
    return expr_over(k, EXPR_QUANT_ALL, (struct type){.tag = TYPE_YESNO, .optional = true},
                     (const struct expr *[]){rows, holds}, 2);
}

static const struct expr *call_total(struct checker *k, const struct ast *x)
{
    enum expr_op op = slice_eq(x->name, S("sum")) ? EXPR_QUANT_SUM : EXPR_QUANT_MEAN;
    const struct expr *values = check_ast(k, x->arg[0], NULL);
    bool optional = false;

    if (values == NULL)
        return NULL;
    if (!type_is_many(&values->type) || values->type.of->tag != TYPE_NUMBER)
        return refuse_type(k, x->arg[0], "a list of numbers, or a column of rows: sum(points of event.lines)",
                           &values->type);
    optional = op == EXPR_QUANT_MEAN || values->type.optional || values->type.of->optional;
    return expr_over(k, op, (struct type){.tag = TYPE_NUMBER, .optional = optional}, &values, 1);
}

/* The least or greatest of several values, or of one list. */
static const struct expr *extreme(struct checker *k, const struct ast *x, enum expr_op op)
{
    const struct expr **arg = ARENA_ARRAY(k->c->arena, const struct expr *, x->nargs + 1);
    const struct type *of = NULL;
    struct type all = {0}, both;

    for (size_t i = 0; i < x->nargs; i++) {
        arg[i] = check_ast(k, x->arg[i], NULL);
        if (arg[i] == NULL)
            return NULL;
        of = x->nargs == 1 && type_is_many(&arg[i]->type) ? arg[i]->type.of : &arg[i]->type;
        if (!type_is_ordered(of))
            return refuse_type(k, x->arg[i], "a number, a date, an instant or a period", &arg[i]->type);
        if (x->nargs == 1 && of == &arg[i]->type)
            return refuse_call(k, x, "two values or more, or one list", "there is nothing to choose from");
        if (i > 0 && (of->tag != all.tag || !type_unify(k->c->arena, &all, of, &both)))
            return refuse_type(k, x->arg[i], type_shown(k, &all), of);
        all = i > 0 ? both : *of;
    }
    all.optional = all.optional || x->nargs == 1;
    return expr_over(k, op, all, arg, x->nargs);
}

const struct expr *check_extreme(struct checker *k, const struct ast *x, enum expr_op op)
{
    return extreme(k, x, op);
}

static const struct expr *call_extreme(struct checker *k, const struct ast *x)
{
    return extreme(k, x, slice_eq(x->name, S("min")) ? EXPR_MIN : EXPR_MAX);
}

static const struct expr *call_round(struct checker *k, const struct ast *x)
{
    const struct expr *arg[2] = {check_as(k, x->arg[0], &type_number), NULL};

    if (x->nargs == 1)
        return arg[0] == NULL ? NULL : expr_over(k, EXPR_ROUND, arg[0]->type, arg, 1);
    arg[1] = check_as(k, x->arg[1], &type_number);
    if (arg[0] == NULL || arg[1] == NULL)
        return NULL;
    if (arg[1]->op != EXPR_CONST || arg[1]->constant.number.den != 1 || arg[1]->constant.number.num < 0 ||
        arg[1]->constant.number.num > 9)
        return refuse_call(k, x->arg[1], "a whole number from 0 to 9",
                           "this is not a number of decimal places");
    return expr_over(k, EXPR_ROUND, arg[0]->type, arg, 2);
}

static const struct expr *call_whole(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_as(k, x->arg[0], &type_number);

    return a == NULL ? NULL
                     : expr_over(k, slice_eq(x->name, S("ceil")) ? EXPR_CEIL : EXPR_FLOOR, a->type, &a, 1);
}

static const struct expr *call_step(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_ast(k, x->arg[0], NULL);

    if (a == NULL)
        return NULL;
    if (a->type.tag != TYPE_PERIOD)
        return refuse_type(k, x->arg[0], "a period", &a->type);
    return expr_over(k, slice_eq(x->name, S("previous")) ? EXPR_PREVIOUS : EXPR_NEXT, a->type, &a, 1);
}

static const struct expr *call_bound(struct checker *k, const struct ast *x)
{
    const struct expr *a = check_ast(k, x->arg[0], NULL);

    if (a == NULL)
        return NULL;
    if (a->type.tag != TYPE_DATE && a->type.tag != TYPE_PERIOD)
        return refuse_type(k, x->arg[0], "a date or a period; of an instant, its day: day of now", &a->type);
    return expr_over(k, slice_eq(x->name, S("start-of")) ? EXPR_START_OF : EXPR_END_OF,
                     (struct type){.tag = TYPE_INSTANT, .optional = a->type.optional}, &a, 1);
}

/* due-day(OBLIGATION, period): the obligation is named as it stands. */
static const struct expr *call_due_day(struct checker *k, const struct ast *x)
{
    struct build *b = build_of(k->c);
    const struct ast *name = x->arg[0];
    const struct expr *period = check_ast(k, x->arg[1], NULL);
    int o = name->kind == AST_NAME ? section_find(&b->obligations, name->name) : -1;
    enum period_kind kind = PERIOD_ONCE;
    struct names names = {0};

    if (o < 0) {
        for (size_t i = 0; i < b->obligations.n; i++)
            names_add(k, &names, b->obligations.item[i].name);
        return refuse_name(k, name->text, &names, "there is no obligation");
    }
    if (period == NULL)
        return NULL;
    if (period->type.tag != TYPE_PERIOD)
        return refuse_type(k, x->arg[1], "a period", &period->type);
    const struct yaml *every = yaml_get(b->obligations.item[o].node, "period");
    if (is_scalar(every) && period_kind_parse(every->text, &kind) && kind != PERIOD_ONCE &&
        period->type.period_kind != PERIOD_ONCE && period->type.period_kind != kind)
        return refuse_type(k, x->arg[1], period_kind_name(kind), &period->type);
    struct expr *e =
        expr_over(k, EXPR_DUE_DAY, (struct type){.tag = TYPE_DATE, .optional = true}, &period, 1);
    e->index = o;
    return e;
}

static const struct function {
    const char *name, *usage;
    size_t least, most;
    const struct expr *(*check)(struct checker *k, const struct ast *x);
} functions[] = {
    {"count", "count(LIST) or count(LIST where CONDITION)", 1, 1, call_count},
    {"any", "any(LIST where CONDITION)", 1, 1, call_any},
    {"all", "all(LIST where CONDITION)", 1, 1, call_all},
    {"sum", "sum(LIST) or sum(COLUMN of ROWS)", 1, 1, call_total},
    {"mean", "mean(LIST) or mean(COLUMN of ROWS)", 1, 1, call_total},
    {"min", "min(A, B, …) or min(LIST)", 1, SIZE_MAX, call_extreme},
    {"max", "max(A, B, …) or max(LIST)", 1, SIZE_MAX, call_extreme},
    {"round", "round(NUMBER) or round(NUMBER, PLACES)", 1, 2, call_round},
    {"ceil", "ceil(NUMBER)", 1, 1, call_whole},
    {"floor", "floor(NUMBER)", 1, 1, call_whole},
    {"previous", "previous(PERIOD)", 1, 1, call_step},
    {"next", "next(PERIOD)", 1, 1, call_step},
    {"start-of", "start-of(DATE) or start-of(PERIOD)", 1, 1, call_bound},
    {"end-of", "end-of(DATE) or end-of(PERIOD)", 1, 1, call_bound},
    {"due-day", "due-day(OBLIGATION, PERIOD)", 2, 2, call_due_day},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

const struct expr *check_call(struct checker *k, const struct ast *x)
{
    struct names names = {0};

    for (size_t i = 0; i < FUNCTIONS; i++) {
        const struct function *f = &functions[i];

        if (!slice_eq(slice_of(f->name), x->name)) {
            names_add(k, &names, slice_of(f->name));
            continue;
        }
        if (x->nargs < f->least || x->nargs > f->most)
            return refuse_call(k, x, f->usage,
                               x->nargs == 0 ? "nothing is given to this function"
                                             : "too much is given to this function");
        return f->check(k, x);
    }
    return refuse_name(k, x->name_at, &names, "there is no function");
}
