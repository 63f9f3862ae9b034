#include "core/check.h"

#include <stdlib.h>

bool check_index(const struct check *c, const char *of, int index, size_t n)
{
    if (index >= 0 && (size_t)index < n)
        return true;
    return err_set(c->e, "%.*s: %s %d of %zu", SLICE_ARG(c->what), of, index, n);
}

/* ---- types */

#define TYPE_DEPTH_MAX 16

static bool type_at(const struct check *c, const struct type *t, int depth)
{
    if (depth > TYPE_DEPTH_MAX)
        return err_set(c->e, "%.*s: a type nested too deeply", SLICE_ARG(c->what));
    switch (t->tag) {
    case TYPE_ROW:
        return check_index(c, "table", t->table, c->p->ntables);
    case TYPE_ENUM:
        return t->nwords > 0 || err_set(c->e, "%.*s: an enum without words", SLICE_ARG(c->what));
    case TYPE_PERIOD:
        return check_index(c, "period kind", (int)t->period_kind, PERIOD_YEAR + 1);
    case TYPE_SET:
    case TYPE_LIST:
        return t->of ? type_at(c, t->of, depth + 1)
                     : err_set(c->e, "%.*s: a list of nothing", SLICE_ARG(c->what));
    case TYPE_RECORD:
        for (size_t i = 0; i < t->nfields; i++)
            if (!type_at(c, &t->fields[i].type, depth + 1))
                return false;
        return true;
    default:
        return check_index(c, "type", (int)t->tag, TYPE_RECORD + 1);
    }
}

bool check_type(const struct check *c, const struct type *t)
{
    return type_at(c, t, 0);
}

bool check_fields(const struct check *c, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!check_type(c, &fields[i].type))
            return false;
    return true;
}

/* ---- expressions */

enum refers_to {
    TO_NOTHING,
    TO_PARAM,
    TO_EVENT,
    TO_EVENT_META,
    TO_KEY,
    TO_VAR,
    TO_COUNT,
    TO_LATEST,
    TO_LET,
    TO_META,
    TO_OBLIGATION,
    TO_ROW,
    TO_UNIT_ATTR,
    TO_ROLE,
    TO_RELATION,
    TO_COLUMN,
    TO_TABLE,
    TO_PERIOD_KIND,
    TO_COLLECTION,
    TO_OBLIGATIONS,
    TO_FIELD
};
#define MANY 255

/* How many arguments an operation takes, and what its index counts. */
static const struct {
    unsigned char least, most;
    enum refers_to index;
} shape[] = {
    [EXPR_CONST] = {0, 0, TO_NOTHING},
    [EXPR_PARAM] = {0, 0, TO_PARAM},
    [EXPR_EVENT] = {0, 0, TO_EVENT},
    [EXPR_EVENT_META] = {0, 0, TO_EVENT_META},
    [EXPR_KEY] = {0, 0, TO_KEY},
    [EXPR_VAR] = {0, 0, TO_VAR},
    [EXPR_COUNT] = {0, 0, TO_COUNT},
    [EXPR_LATEST] = {0, 0, TO_LATEST},
    [EXPR_LET] = {0, 0, TO_LET},
    [EXPR_META] = {0, 0, TO_META},
    [EXPR_OBLIGATION] = {0, 0, TO_OBLIGATION},
    [EXPR_ROW_FIELD] = {0, 0, TO_ROW},
    [EXPR_ROW] = {0, 0, TO_NOTHING},
    [EXPR_UNIT_ATTR] = {1, 1, TO_UNIT_ATTR},
    [EXPR_ROLE] = {0, 0, TO_ROLE},
    [EXPR_RELATION] = {1, 1, TO_RELATION},
    [EXPR_COLUMN] = {1, 1, TO_COLUMN},
    [EXPR_IS_ROW] = {1, 1, TO_TABLE},
    [EXPR_IS_MISSING] = {1, 1, TO_NOTHING},
    [EXPR_IS_GIVEN] = {1, 1, TO_NOTHING},
    [EXPR_NOT] = {1, 1, TO_NOTHING},
    [EXPR_AND] = {1, MANY, TO_NOTHING},
    [EXPR_OR] = {1, MANY, TO_NOTHING},
    [EXPR_IF] = {2, 3, TO_NOTHING},
    [EXPR_EQ] = {2, 2, TO_NOTHING},
    [EXPR_NE] = {2, 2, TO_NOTHING},
    [EXPR_LT] = {2, 2, TO_NOTHING},
    [EXPR_LE] = {2, 2, TO_NOTHING},
    [EXPR_GT] = {2, 2, TO_NOTHING},
    [EXPR_GE] = {2, 2, TO_NOTHING},
    [EXPR_IN] = {2, 2, TO_NOTHING},
    [EXPR_HAS] = {2, 2, TO_NOTHING},
    [EXPR_ADD] = {2, 2, TO_NOTHING},
    [EXPR_SUB] = {2, 2, TO_NOTHING},
    [EXPR_MUL] = {2, 2, TO_NOTHING},
    [EXPR_DIV] = {2, 2, TO_NOTHING},
    [EXPR_NEG] = {1, 1, TO_NOTHING},
    [EXPR_ROUND] = {1, 2, TO_NOTHING},
    [EXPR_CEIL] = {1, 1, TO_NOTHING},
    [EXPR_FLOOR] = {1, 1, TO_NOTHING},
    [EXPR_MIN] = {1, MANY, TO_NOTHING},
    [EXPR_MAX] = {1, MANY, TO_NOTHING},
    [EXPR_BEFORE] = {2, 2, TO_NOTHING},
    [EXPR_AFTER] = {2, 2, TO_NOTHING},
    [EXPR_PERIOD_OF] = {1, 1, TO_PERIOD_KIND},
    [EXPR_PREVIOUS] = {1, 1, TO_NOTHING},
    [EXPR_NEXT] = {1, 1, TO_NOTHING},
    [EXPR_LIST] = {0, MANY, TO_NOTHING},
    [EXPR_UNITS] = {0, 0, TO_NOTHING},
    [EXPR_TABLE_ROWS] = {0, 0, TO_TABLE},
    [EXPR_WHERE] = {2, 2, TO_NOTHING},
    [EXPR_QUANT_COUNT] = {1, 1, TO_NOTHING},
    [EXPR_QUANT_ANY] = {1, 1, TO_NOTHING},
    [EXPR_QUANT_ALL] = {2, 2, TO_NOTHING},
    [EXPR_QUANT_SUM] = {1, 2, TO_NOTHING},
    [EXPR_QUANT_MEAN] = {1, 2, TO_NOTHING},
    [EXPR_MAP] = {2, 2, TO_NOTHING},
    [EXPR_INSTANCES] = {0, KEY_PARTS_MAX, TO_COLLECTION},
    [EXPR_AT] = {1, KEY_PARTS_MAX, TO_COLLECTION},
    [EXPR_FIELD] = {1, 1, TO_FIELD},
    [EXPR_ENTRIES] = {0, 0, TO_NOTHING},
    [EXPR_DUE_DAY] = {1, 1, TO_OBLIGATIONS},
    [EXPR_START_OF] = {1, 1, TO_NOTHING},
    [EXPR_END_OF] = {1, 1, TO_NOTHING},
};

/* How many things of that sort there are where the expression stands. */
static size_t how_many(const struct check *c, enum refers_to to)
{
    const struct program *p = c->p;
    const struct machine *m = c->machine;
    switch (to) {
    case TO_PARAM:
        return p->nparams;
    case TO_EVENT: /* of an unknown kind the evaluator looks for itself */
        return c->kind >= 0 ? p->kinds[c->kind].nfields : SIZE_MAX;
    case TO_EVENT_META:
        return EVENT_KIND + 1;
    case TO_KEY:
        return m ? m->nkey : 0;
    case TO_VAR:
        return m ? m->nvars : 0;
    case TO_COUNT:
        return m ? m->ncounts : 0;
    case TO_LATEST:
        return m ? m->nlatest : 0;
    case TO_LET:
        return m ? m->nlets : 0;
    case TO_META:
        return INSTANCE_EXCUSED + 1;
    case TO_OBLIGATION:
        return OBLIGATION_TO + 1;
    case TO_COLLECTION:
        return p->ncollections;
    case TO_OBLIGATIONS:
        return p->nobligations;
    case TO_ROW:
    case TO_FIELD: /* a record's field; the evaluator looks for itself */
        return SIZE_MAX;
    case TO_UNIT_ATTR:
        return UNIT_ROLES + 1;
    case TO_ROLE:
        return p->nroles;
    case TO_RELATION:
        return p->nrelations;
    case TO_COLUMN:
    case TO_TABLE:
        return p->ntables;
    case TO_PERIOD_KIND:
        return PERIOD_YEAR + 1;
    case TO_NOTHING:
        break;
    }
    return SIZE_MAX;
}

/* How many parts the keys of a collection have. */
static size_t check_key_parts(const struct check *c, int collection)
{
    return c->p->machines[c->p->collections[collection].machines[0].machine].nkey;
}

static bool expr_at(const struct check *c, const struct expr *x, int depth)
{
    if (depth >= EVAL_DEPTH_MAX)
        return err_set(c->e, "%.*s: an expression nested too deeply", SLICE_ARG(c->what));
    if (!check_index(c, "operation", (int)x->op, sizeof shape / sizeof *shape))
        return false;
    enum refers_to to = shape[x->op].index;
    if (x->nargs < shape[x->op].least || (x->nargs > shape[x->op].most && shape[x->op].most != MANY))
        return err_set(c->e, "%.*s: operation %d with %zu arguments", SLICE_ARG(c->what), (int)x->op,
                       x->nargs);
    if ((to != TO_NOTHING && !check_index(c, "expression's index", x->index, how_many(c, to))) ||
        (to == TO_LATEST &&
         !check_index(c, "latest field", x->index2, c->machine->latest[x->index].nfields)) ||
        (to == TO_COLUMN && !check_index(c, "column", x->index2, c->p->tables[x->index].ncolumns)))
        return false;
    if (to == TO_COLLECTION && x->nargs > check_key_parts(c, x->index))
        return err_set(c->e, "%.*s: a key with too many parts", SLICE_ARG(c->what));
    for (size_t i = 0; i < x->nargs; i++) {
        if (!x->arg[i] && x->op == EXPR_INSTANCES)
            continue; /* any */
        if (!x->arg[i])
            return err_set(c->e, "%.*s: operation %d without argument %zu", SLICE_ARG(c->what), (int)x->op,
                           i);
        if (!expr_at(c, x->arg[i], depth + 1))
            return false;
    }
    return true;
}

bool check_expr(const struct check *c, const struct expr *x)
{
    return !x || expr_at(c, x, 0);
}

bool check_exprs(const struct check *c, const struct expr *const *x, size_t n)
{
    if (n && !x)
        return err_set(c->e, "%.*s: %zu expressions are missing", SLICE_ARG(c->what), n);
    for (size_t i = 0; i < n; i++)
        if (!check_expr(c, x[i]))
            return false;
    return true;
}

/* ---- lets */

enum mark { UNSEEN, OPEN, DONE };

/* Walks the lets that x uses; depth is bounded, since check_expr has passed and a let met while still open
 * ends the walk. */
static bool lets_of(const struct check *c, const struct expr *x, unsigned char *mark)
{
    if (x->op == EXPR_LET && mark[x->index] != DONE) {
        if (mark[x->index] == OPEN)
            return err_set(c->e, "%.*s: the let %.*s stands on itself", SLICE_ARG(c->what),
                           SLICE_ARG(c->machine->lets[x->index].name));
        mark[x->index] = OPEN;
        if (!lets_of(c, c->machine->lets[x->index].value, mark))
            return false;
        mark[x->index] = DONE;
    }
    for (size_t i = 0; i < x->nargs; i++)
        if (x->arg[i] && !lets_of(c, x->arg[i], mark))
            return false;
    return true;
}

bool check_lets(const struct check *c)
{
    bool ok = true;
    unsigned char *mark = mem_alloc(c->machine->nlets);
    for (size_t i = 0; i < c->machine->nlets && ok; i++)
        ok = c->machine->lets[i].value ? check_expr(c, c->machine->lets[i].value)
                                       : err_set(c->e, "%.*s: a let without a value", SLICE_ARG(c->what));
    for (size_t i = 0; i < c->machine->nlets && ok; i++)
        ok = lets_of(c, &(struct expr){.op = EXPR_LET, .index = (int)i}, mark);
    free(mark);
    return ok;
}
