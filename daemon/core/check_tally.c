/* What closing and crediting rely on. */
#include "core/check.h"

static bool roles(const struct check *c, const int *role, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!check_index(c, "role", role[i], c->p->nroles))
            return false;
    return true;
}

static bool items(const struct check *c, const struct tally *t)
{
    for (size_t i = 0; i < t->nitems; i++)
        if (!check_expr(c, t->items[i].value) || !check_expr(c, t->items[i].cap) ||
            !check_expr(c, t->items[i].floor))
            return false;
    return check_expr(c, t->total);
}

static bool feeds(struct check *c, const struct tally *t)
{
    for (size_t i = 0; i < t->nfeeds; i++) {
        const struct tally_feed *f = &t->feeds[i];
        const struct expr *over[] = {f->where, f->unit, f->period, f->item, f->points, f->reason};
        c->kind = f->kind;
        if (!check_index(c, "kind", f->kind, c->p->nkinds) ||
            (!f->item && !check_index(c, "item", f->fixed_item, t->nitems)))
            return false;
        if (!f->points)
            return err_set(c->e, "%.*s: nothing is credited", SLICE_ARG(c->what));
        for (size_t x = 0; x < sizeof over / sizeof *over; x++)
            if (!check_expr(c, over[x]))
                return false;
    }
    c->kind = -1;
    return true;
}

static bool column(const struct check *c, const struct tally_column *col)
{
    if (col->kind == -1)
        return true;
    if (!check_index(c, "kind of a column", col->kind, c->p->nkinds))
        return false;
    const struct kind *k = &c->p->kinds[col->kind];
    size_t n = k->nfields;
    if (col->total != -1 && !check_index(c, "stated total", col->total, n))
        return false;
    if (col->lines >= 0) {
        if (!check_index(c, "lines", col->lines, n))
            return false;
        const struct type *lines = &k->fields[col->lines].type;
        if (!lines->of || lines->of->tag != TYPE_RECORD)
            return err_set(c->e, "%.*s: a column whose lines are no records", SLICE_ARG(c->what));
        n = lines->of->nfields;
    }
    return check_index(c, "item of a line", col->item, n) &&
           check_index(c, "points of a line", col->points, n) &&
           (col->reason == -1 || check_index(c, "reason of a line", col->reason, n));
}

static bool machine(const struct check *c, const struct tally *t)
{
    if (!check_index(c, "machine", t->machine, c->p->nmachines))
        return false;
    const struct machine *m = &c->p->machines[t->machine];
    if (m->nkey != 2 || m->unit_key != 0 || m->nvars != TALLY_VARS || m->nstates != TALLY_CLOSED + 1)
        return err_set(c->e, "%.*s: its machine is not one of a tally", SLICE_ARG(c->what));
    for (int v = 0; v < TALLY_VARS; v++)
        if (!slice_eq(m->vars[v].name, tally_vars[v].name) ||
            (tally_vars[v].type.tag == TYPE_LIST && m->var_start[v].tag != VALUE_LIST))
            return err_set(c->e, "%.*s: its machine's variables are not those of a tally",
                           SLICE_ARG(c->what));
    return true;
}

bool check_tallies(struct check *c)
{
    for (size_t i = 0; i < c->p->ntallies; i++) {
        const struct tally *t = &c->p->tallies[i];
        c->what = t->name;
        c->machine = NULL;
        if (!machine(c, t) || !roles(c, t->of, t->nof) || !feeds(c, t) || !column(c, &t->self) ||
            !column(c, &t->review) || !check_index(c, "closing kind", t->closes_kind, c->p->nkinds) ||
            !check_index(c, "kind when closed", t->kind_closed, c->p->nkinds) ||
            !check_index(c, "places", t->rounds ? t->round : 0, 10))
            return false;
        if (c->p->kinds[t->kind_closed].nfields != t->nitems + 3)
            return err_set(c->e, "%.*s: what its closing raises has other fields", SLICE_ARG(c->what));
        c->kind = t->closes_kind;
        if (!check_expr(c, t->closes_where))
            return false;
        c->kind = -1;
        c->machine = &c->p->machines[t->machine];
        if (!items(c, t))
            return false;
    }
    c->machine = NULL;
    return true;
}
