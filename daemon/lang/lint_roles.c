/* Roles that nobody holds while the workflow is in force: who would report, rank or receive is not there. A
 * role that no unit ever held is an error, told where it is read. */
#include "core/due.h"
#include "lang/lint.h"
#include "lang/roster.h"

static bool is_held(const struct program *p, int role)
{
    for (size_t i = 0; i < p->nunits; i++)
        if (unit_has_role(&p->units[i], role) && spans_meet(p->units[i].in_force, p->effective))
            return true;
    return false;
}

/* Whether there are roles and all of them are vacant. */
static bool all_vacant(const struct program *p, const int *role, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_held(p, role[i]))
            return false;
    return n > 0;
}

static void tell(struct compiler *c, const struct declared *d, const char *key, const char *what)
{
    const struct yaml *at = yaml_get(d->node, key);
    WARN_AT(c, ROLE_VACANT, at ? at : d->key, "a role that some unit holds in the effective dates",
            "%s “%.*s”", what, SLICE_ARG(d->name));
}

/* One that names other units than by a role may reach somebody. */
static bool nobody_gets(const struct program *p, const struct measure *m)
{
    for (size_t i = 0; i < m->nto; i++)
        if (m->to[i]->op != EXPR_ROLE || is_held(p, m->to[i]->index))
            return false;
    return m->nto > 0;
}

void lint_roles(struct compiler *c)
{
    struct build *b = build_of(c);
    const struct program *p = c->program;
    for (size_t i = 0; i < b->events.n; i++) {
        const struct kind *k = &p->kinds[KIND_DECLARED + i];
        if (b->events.item[i].own && all_vacant(p, k->by, k->nby))
            tell(c, &b->events.item[i], "by", "nobody may report");
    }
    for (size_t i = 0; i < p->nrankings; i++) {
        const struct ranking *r = &p->rankings[i];
        if (all_vacant(p, r->by, r->nby))
            tell(c, &b->rankings.item[i], yaml_get(b->rankings.item[i].node, "by") ? "by" : "received",
                 "nobody may publish");
        if (all_vacant(p, r->of_roles, r->nof_roles))
            tell(c, &b->rankings.item[i], "of", "nobody is ranked in");
    }
    for (size_t i = 0; i < b->indicators.n && i < p->nindicators; i++)
        if (all_vacant(p, p->indicators[i].by, p->indicators[i].nby))
            tell(c, &b->indicators.item[i], "by", "nobody may report readings of");
    for (size_t i = 0; i < b->obligations.n; i++)
        if (all_vacant(p, p->obligations[i].to, p->obligations[i].nto))
            tell(c, &b->obligations.item[i], "to", "nobody receives");
    for (size_t i = 0; i < b->measures.n; i++)
        if (b->measures.item[i].own && nobody_gets(p, &p->measures[i]))
            tell(c, &b->measures.item[i], "to", "nobody gets the measure");
}
