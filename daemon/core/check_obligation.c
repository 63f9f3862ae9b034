/* The invariants of obligations and schedules. */
#include "core/check.h"
#include "core/due.h"

static bool wrong(const struct check *c, const char *what)
{
    return err_set(c->e, "%.*s: %s", SLICE_ARG(c->what), what);
}

static bool check_rule(const struct check *c, const struct due_rule *r)
{
    return check_index(c, "due", (int)r->kind, DUE_RRULE + 1) &&
           check_index(c, "window", (int)r->window, DUE_WINDOWS) &&
           (r->kind != DUE_WEEKDAY || check_index(c, "weekday", r->n - 1, 7)) &&
           ((r->kind != DUE_DAY && r->kind != DUE_FIRST_DAY_N) || check_index(c, "day", r->n - 1, 31)) &&
           (r->kind != DUE_WORKDAY || r->n != 0 || wrong(c, "workday 0")) &&
           (r->kind != DUE_RRULE || r->rrule.n || wrong(c, "a recurrence rule is missing"));
}

static bool check_refusals_of(struct check *c, const struct obligation *o)
{
    if (o->nrefuse && (!check_index(c, "what it refuses", o->kind_filed, c->p->nkinds) ||
                       c->p->kinds[o->kind_filed].nfields != o->nfields))
        return wrong(c, "what it refuses has other fields than it");
    c->kind = o->kind_filed;
    for (size_t i = 0; i < o->nrefuse; i++)
        if (!check_expr(c, o->refuse[i].if_))
            return false;
    c->kind = -1;
    return true;
}

static bool check_births(struct check *c, const struct obligation *o)
{
    for (size_t i = 0; i < o->nbirths; i++) {
        const struct birth *b = &o->births[i];
        if (!check_index(c, "birth", b->kind, c->p->nkinds))
            return false;
        if (!b->owed_by || (b->due ? o->due.kind != DUE_FIELD : o->due.kind == DUE_FIELD))
            return wrong(c,
                         "a birth needs who owes it, and a due date where the obligation's is given by it");
        c->kind = b->kind;
        if (!check_expr(c, b->where) || !check_expr(c, b->owed_by) || !check_expr(c, b->about) ||
            !check_expr(c, b->period) || !check_expr(c, b->due))
            return false;
        c->kind = -1;
    }
    return true;
}

static bool check_counted(struct check *c, const struct obligation *o)
{
    for (size_t k = 0; k < o->ncounts; k++) {
        if (!check_index(c, "counted kind", o->counts[k].kind, c->p->nkinds))
            return false;
        c->kind = o->counts[k].kind;
        if (!check_expr(c, o->counts[k].where))
            return false;
        c->kind = -1;
    }
    return true;
}

static bool check_filed_by(struct check *c, const struct obligation *o)
{
    if (!check_index(c, "what files it", o->filed_by, c->p->nkinds))
        return false;
    if (o->filed_by != KIND_SUBMITTED && (c->p->kinds[o->filed_by].class_ != KIND_CLASS_FACT ||
                                          c->p->kinds[o->filed_by].nfields != o->nfields))
        return wrong(c, "what files it is a declared event, and has its fields");
    c->kind = o->filed_by;
    bool ok = check_expr(c, o->filed_unit) && check_expr(c, o->filed_about) && check_expr(c, o->filed_period);
    c->kind = -1;
    return ok;
}

static bool check_roles(const struct check *c, const int *roles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!check_index(c, "role", roles[i], c->p->nroles))
            return false;
    return true;
}

static bool check_obligation(struct check *c, const struct obligation *o)
{
    if (!check_index(c, "machine", o->machine, c->p->nmachines) || !check_rule(c, &o->due) ||
        (o->has_soft && !check_rule(c, &o->soft)))
        return false;
    c->machine = &c->p->machines[o->machine];
    if (c->machine->of != MACHINE_TASK || (o->nfields && !o->required) ||
        (due_from_calendar(o) && !o->owed_by))
        return wrong(c, "it needs a task's machine, and who owes it");
    return check_expr(c, o->owed_by) && check_expr(c, o->about_each) && check_expr(c, o->only_if) &&
           check_expr(c, o->to_units) &&
           check_roles(c, o->about_roles, o->nabout_roles) && check_roles(c, o->to, o->nto) &&
           check_roles(c, o->by, o->nby) && check_fields(c, o->fields, o->nfields) && check_counted(c, o) &&
           check_births(c, o) && check_filed_by(c, o) && check_refusals_of(c, o);
}

bool check_obligations(struct check *c)
{
    for (size_t i = 0; i < c->p->nobligations; i++) {
        c->what = c->p->obligations[i].name;
        if (!check_obligation(c, &c->p->obligations[i]))
            return false;
        c->machine = NULL;
    }
    return true;
}

bool check_birth_by_rule(const struct check *c, const struct action *a)
{
    const struct obligation *o = &c->p->obligations[a->index];
    if (!o->by_rules || !a->unit || (a->due && o->due.kind != DUE_FIELD))
        return wrong(c, "a task is borne of an obligation that rules bear, for a unit, with a due date only "
                        "where it has no rule of its own");
    return check_expr(c, a->unit) && check_expr(c, a->about) && check_expr(c, a->due) &&
           check_expr(c, a->period);
}

bool check_schedules(struct check *c)
{
    for (size_t i = 0; i < c->p->nschedules; i++) {
        const struct schedule *s = &c->p->schedules[i];
        c->what = s->name;
        if (!check_index(c, "raised event", s->kind, c->p->nkinds) || !check_rule(c, &s->at) ||
            !check_roles(c, s->for_roles, s->nfor_roles))
            return false;
        if (s->each == PERIOD_ONCE || !s->at.exclusive)
            return wrong(c, "a schedule recurs, and its day begins at 00:00");
    }
    return true;
}
