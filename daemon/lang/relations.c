/* What stands before `of` — relations, columns, periods — and after `is`. */
#include "lang/check.h"

static const struct expr *relation_of(struct checker *k, const struct ast *x, const struct expr *of,
                                      int relation)
{
    const struct type *t = type_is_many(&of->type) ? of->type.of : &of->type;
    struct expr *e = NULL;

    if (!type_is_text(t))
        return refuse_type(k, x->arg[0], "a unit, a row, a text or a set of them: the subject of a relation",
                           &of->type);
    use_mark(k->c->relation_used, relation);
    e = expr_over(k, EXPR_RELATION, type_units, &of, 1);
    e->index = relation;
    return e;
}

static const struct expr *period_of(struct checker *k, const struct ast *x, const struct expr *of,
                                    enum period_kind kind)
{
    struct type type = {.tag = TYPE_PERIOD, .period_kind = kind, .optional = of->type.optional};
    struct expr *e = NULL;

    if (of->type.tag != TYPE_PERIOD && of->type.tag != TYPE_DATE && of->type.tag != TYPE_INSTANT)
        return refuse_type(k, x->arg[0], "a date, an instant or a period", &of->type);
    e = expr_over(k, EXPR_PERIOD_OF, type, &of, 1);
    e->index = (int)kind;
    return e;
}

/* A text may be a key of any table with such a column: the first table that has the row gives the value. The
 * text is evaluated several times for that, so it must be a mere name. */
static const struct expr *column_of(struct checker *k, const struct ast *x, const struct expr *of)
{
    const struct program *p = k->c->program;
    const struct expr *found = NULL;
    struct expr *is_row = NULL;
    struct type both;

    for (size_t i = p->ntables; i-- > 0;) {
        int column = field_named(p->tables[i].columns, p->tables[i].ncolumns, x->name);
        const struct expr *e = column < 0 ? NULL : table_column(k, of, (int)i, column);

        if (e == NULL)
            continue;
        if (found == NULL) {
            found = e;
            continue;
        }
        if (of->nargs > 0 || type_is_many(&of->type) ||
            !type_unify(k->c->arena, &e->type, &found->type, &both)) {
            phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_AMBIGUOUS, x->name_at,
                        "a row whose table is known from its type", "several tables have a column “%.*s”",
                        SLICE_ARG(x->name));
            return NULL;
        }
        is_row = expr_over(k, EXPR_IS_ROW, type_yesno, &of, 1);
        is_row->index = (int)i;
        found = expr_over(k, EXPR_IF, both, (const struct expr *[]){is_row, e, found}, 3);
    }
    return found;
}

static const struct expr *unknown_of(struct checker *k, const struct ast *x, const struct expr *of)
{
    const struct program *p = k->c->program;
    struct names names = {0};

    for (size_t i = 0; i < p->ntables; i++)
        if (field_named(p->tables[i].columns, p->tables[i].ncolumns, x->name) >= 0)
            return refuse_type(k, x->arg[0],
                               arena_printf(k->c->arena, "a row of %.*s", SLICE_ARG(p->tables[i].name)).p,
                               &of->type);
    for (size_t i = 0; i < p->nrelations; i++)
        names_add(k, &names, p->relations[i]);
    for (size_t i = 0; i < p->ntables; i++)
        names_add_fields(k, &names, p->tables[i].columns, p->tables[i].ncolumns);
    return refuse_name(k, x->name_at, &names,
                       "no relation, and no column of a table that could be looked up here, is called");
}

/* `sum of entries`: of their points. */
static const struct expr *sum_of(struct checker *k, const struct ast *x, const struct expr *of)
{
    const struct expr *points = of->op == EXPR_ENTRIES ? expr_column_of(k, of, ENTRY_POINTS) : of;
    struct type sum = {.tag = TYPE_NUMBER, .optional = of->op != EXPR_ENTRIES};

    if (!type_is_many(&points->type) || points->type.of->tag != TYPE_NUMBER)
        return refuse_type(k, x->arg[0], "numbers; of rows, a column: sum(points of event.lines)", &of->type);
    return expr_over(k, EXPR_QUANT_SUM, sum, &points, 1);
}

const struct expr *check_of(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    const struct expr *of = check_ast(k, x->arg[0], NULL), *e = NULL;
    int relation = slice_named(p->relations, p->nrelations, x->name);
    enum period_kind kind = PERIOD_ONCE;

    if (of == NULL)
        return NULL;
    if (relation < 0 && slice_eq(x->name, S("sum")) && type_is_many(&of->type))
        return sum_of(k, x, of);
    if (of->type.tag == TYPE_RECORD || (of->type.tag == TYPE_LIST && of->type.of->tag == TYPE_RECORD)) {
        e = part_of(k, of, x->name);
        return e != NULL ? e : refuse_part(k, x, of);
    }
    if (relation >= 0)
        return relation_of(k, x, of, relation);
    if (period_kind_parse(x->name, &kind) && kind != PERIOD_ONCE)
        return period_of(k, x, of, kind);
    e = part_of(k, of, x->name);
    if (e == NULL &&
        (of->type.tag == TYPE_TEXT || (type_is_many(&of->type) && of->type.of->tag == TYPE_TEXT)))
        e = column_of(k, x, of);
    return e != NULL ? e : unknown_of(k, x, of);
}

/* ---- X is indicator */

const struct expr *check_is(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    const struct expr *a = check_ast(k, x->arg[0], NULL);
    struct names names = {0};
    struct expr *e = NULL;

    for (size_t i = 0; i < p->ntables && a != NULL; i++) {
        if (!slice_eq(p->tables[i].row, x->name)) {
            names_add(k, &names, p->tables[i].row);
            continue;
        }
        if (!type_is_text(&a->type))
            return refuse_type(k, x->arg[0], "a text that could be a row's key", &a->type);
        e = expr_over(k, EXPR_IS_ROW, (struct type){.tag = TYPE_YESNO, .optional = a->type.optional}, &a, 1);
        e->index = (int)i;
        return x->negated ? expr_over(k, EXPR_NOT, e->type, (const struct expr *[]){e}, 1) : e;
    }
    names_add(k, &names, S("missing"));
    names_add(k, &names, S("given"));
    return a == NULL
               ? NULL
               : refuse_name(k, x->name_at, &names,
                             "`is` tells whether something is missing, given, or a row of a table; not");
}
