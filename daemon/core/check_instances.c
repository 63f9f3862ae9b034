/* Checks of what expressions read of instances: collections, what was issued, versions of parameters. */
#include "core/check.h"

static bool check_column(const struct check *c, const struct machine *m, const struct collection_column *col)
{
    size_t n[] = {[COLUMN_KEY] = m->nkey, [COLUMN_VAR] = m->nvars, [COLUMN_COUNT] = m->ncounts};
    if (!check_index(c, "column", (int)col->source, COLUMN_EXCUSED + 1))
        return false;
    bool indexed = col->source == COLUMN_KEY || col->source == COLUMN_VAR || col->source == COLUMN_COUNT;
    return !indexed || check_index(c, "what a column shows", col->index, n[col->source]);
}

static bool check_collection(const struct check *c, const struct collection *l)
{
    const struct program *p = c->p;
    if (l->nmachines == 0 || l->row.tag != TYPE_RECORD || !check_type(c, &l->row))
        return err_set(c->e, "%.*s: a collection needs a machine, and rows that are records",
                       SLICE_ARG(c->what));
    for (size_t i = 0; i < l->nobligations; i++)
        if (!check_index(c, "obligation", l->obligations[i], p->nobligations))
            return false;
    for (size_t i = 0; i < l->nmachines; i++) {
        const struct collection_machine *of = &l->machines[i];
        if (!check_index(c, "machine", of->machine, p->nmachines))
            return false;
        const struct machine *m = &p->machines[of->machine];
        if (m->nkey > l->row.nfields || m->of != p->machines[l->machines[0].machine].of)
            return err_set(c->e, "%.*s: its rows do not begin with the key", SLICE_ARG(c->what));
        for (size_t f = 0; f < l->row.nfields; f++)
            if (!check_column(c, m, &of->column[f]))
                return false;
    }
    return true;
}

bool check_instances(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->ncollections; i++) {
        c->what = p->collections[i].name;
        if (!check_collection(c, &p->collections[i]))
            return false;
    }
    for (size_t i = 0; i < p->nparams; i++) {
        const struct param *of = &p->params[i];
        c->what = of->name;
        for (size_t v = 1; v < of->nversions; v++)
            if (of->versions[v - 1].from >= of->versions[v].from)
                return err_set(c->e, "%.*s: versions must ascend", SLICE_ARG(c->what));
    }
    for (size_t m = 0; m < p->nmachines; m++) {
        c->what = p->machines[m].name;
        for (size_t i = 0; i < p->machines[m].nissued_marks; i++)
            if (!check_index(c, "measure", p->machines[m].issued_marks[i].measure, p->nmeasures) ||
                !check_index(c, "mark", p->machines[m].issued_marks[i].var, p->machines[m].nvars))
                return false;
    }
    c->what = p->id;
    return p->issued == 0 ||
           (check_index(c, "machine of what was issued", p->issued, p->nmachines) &&
            (p->machines[p->issued].nvars == ISSUED_VARS ||
             err_set(c->e, "the variables of what was issued are not those of enum issued_var")));
}
