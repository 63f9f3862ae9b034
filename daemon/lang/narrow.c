/* `card where unit = this.unit and …`: what a condition says of the key narrows the search for instances. The
 * condition stays as it is. */
#include "lang/check.h"

/* x as it stands outside of the nearest binder. NULL: it uses what that binds. depth: binders within x. */
static const struct expr *lifted(struct checker *k, const struct expr *x, int depth)
{
    bool binds = x->op == EXPR_WHERE || x->op == EXPR_MAP || x->op == EXPR_QUANT_ALL ||
                 x->op == EXPR_QUANT_SUM || x->op == EXPR_QUANT_MEAN;
    struct expr *copy = expr_new(k, x->op, x->type, x->index);

    *copy = *x;
    if (x->op == EXPR_ROW_FIELD || x->op == EXPR_ROW) {
        copy->index2 -= x->index2 > depth;
        return x->index2 == depth ? NULL : copy;
    }
    copy->arg = ARENA_ARRAY(k->c->arena, const struct expr *, x->nargs + 1);
    for (size_t i = 0; i < x->nargs; i++) {
        copy->arg[i] = x->arg[i] == NULL ? NULL : lifted(k, x->arg[i], depth + (binds && i == 1));
        if (x->arg[i] != NULL && copy->arg[i] == NULL)
            return NULL;
    }
    return copy;
}

struct narrowing {
    struct checker *k;
    const struct machine *m;
    const struct expr *arg[KEY_PARTS_MAX];
    bool within;
};

/* Which key part of the row this is, or -1. */
static int key_part(const struct narrowing *n, const struct expr *x)
{
    return x->op == EXPR_ROW_FIELD && x->index2 == 0 && (size_t)x->index < n->m->nkey ? x->index : -1;
}

/* Equal values of such types are written alike in a key. */
static bool written_alike(const struct type *a, const struct type *b)
{
    return (type_is_text(a) && type_is_text(b)) ||
           (a->tag == b->tag && (a->tag == TYPE_NUMBER || a->tag == TYPE_DATE || a->tag == TYPE_PERIOD));
}

static bool narrow_to(struct narrowing *n, const struct expr *part, const struct expr *value)
{
    int i = key_part(n, part);
    const struct expr *x = i >= 0 && n->arg[i] == NULL && written_alike(&part->type, &value->type)
                               ? lifted(n->k, value, 0)
                               : NULL;

    if (x != NULL)
        n->arg[i] = x;
    return x != NULL;
}

/* `quarter of period = X`, `period in X`: of tasks, whose periods can be told one by one. */
static void narrow_within(struct narrowing *n, const struct expr *part, const struct expr *value)
{
    const struct expr *x = NULL;

    if (n->m->of == MACHINE_TASK && key_part(n, part) == TASK_PERIOD && n->arg[TASK_PERIOD] == NULL &&
        value->type.tag == TYPE_PERIOD)
        x = lifted(n->k, value, 0);
    if (x == NULL)
        return;
    n->arg[TASK_PERIOD] = x;
    n->within = true;
}

static void narrow_by(struct narrowing *n, const struct expr *c)
{
    const struct expr *a = c->nargs == 2 ? c->arg[0] : NULL, *b = c->nargs == 2 ? c->arg[1] : NULL;

    if (a == NULL)
        return;
    if (c->op == EXPR_AND) {
        narrow_by(n, a);
        narrow_by(n, b);
    } else if (c->op == EXPR_HAS) {
        narrow_within(n, b, a);
    } else if (c->op == EXPR_EQ && !narrow_to(n, a, b) && !narrow_to(n, b, a)) {
        if (a->op == EXPR_PERIOD_OF)
            narrow_within(n, a->arg[0], b);
        else if (b->op == EXPR_PERIOD_OF)
            narrow_within(n, b->arg[0], a);
    }
}

const struct expr *collection_narrow(struct checker *k, const struct expr *rows, const struct expr *condition)
{
    const struct program *p = k->c->program;
    struct narrowing n = {.k = k};
    struct expr *e = NULL;
    bool any = false;

    if (rows->op != EXPR_INSTANCES || rows->nargs > 0)
        return rows;
    n.m = &p->machines[p->collections[rows->index].machines[0].machine];
    narrow_by(&n, condition);
    for (size_t i = 0; i < n.m->nkey; i++)
        any = any || n.arg[i] != NULL;
    if (!any)
        return rows;
    e = expr_over(k, EXPR_INSTANCES, rows->type, n.arg, n.m->nkey);
    e->index = rows->index;
    e->index2 = n.within;
    return e;
}
