/* What rows of ledgers and readings rely on. */
#include "core/check.h"

bool check_fills(struct check *c)
{
    const struct machine *m = c->machine;
    for (size_t i = 0; i < m->nfills; i++) {
        const struct fill *f = &m->fills[i];
        c->kind = f->kind;
        if (!check_index(c, "kind", f->kind, c->p->nkinds) || !check_expr(c, f->if_) ||
            !check_expr(c, f->value) ||
            (f->var != FILL_LIMIT && !check_index(c, "variable", f->var, m->nvars)))
            return false;
        if (f->var == FILL_LIMIT && !f->value)
            return err_set(c->e, "%.*s: a limit is filled with nothing", SLICE_ARG(c->what));
    }
    c->kind = -1;
    return check_expr(c, m->unit);
}

static bool check_indicator(struct check *c, const struct indicator *i)
{
    c->what = i->name;
    c->kind = KIND_READING;
    for (size_t r = 0; r < i->nby; r++)
        if (!check_index(c, "role", i->by[r], c->p->nroles))
            return false;
    return check_index(c, "period kind", (int)i->period, PERIOD_YEAR + 1) &&
           check_index(c, "target", (int)i->target, TARGET_GT + 1) && check_expr(c, i->owed_by);
}

bool check_indicators(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nindicators; i++)
        if (!check_indicator(c, &p->indicators[i]))
            return false;
    c->kind = -1;
    if (p->readings == 0)
        return p->nindicators == 0 || err_set(c->e, "%.*s: nothing keeps readings", SLICE_ARG(p->id));
    if (!check_index(c, "machine of readings", p->readings, p->nmachines))
        return false;
    return p->kinds[KIND_READING].nfields == READING_FIELDS ||
           err_set(c->e, "%.*s: the fields of a reading are not those of enum reading_field",
                   SLICE_ARG(p->id));
}
