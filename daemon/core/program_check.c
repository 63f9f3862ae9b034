#include "core/check.h"

static bool wrong(const struct check *c, const char *what)
{
    return err_set(c->e, "%.*s: %s", SLICE_ARG(c->what), what);
}

static bool roles_in_range(const struct check *c, const int *roles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!check_index(c, "role", roles[i], c->p->nroles))
            return false;
    return true;
}

/* ---- roster and tables */

static bool check_units(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nunits; i++) {
        const struct unit *u = &p->units[i], *before = i ? u - 1 : NULL;
        c->what = u->id;
        int order = before ? slice_cmp(before->id, u->id) : -1;
        if (u->id.n == 0 || order > 0 || (order == 0 && before->in_force.from >= u->in_force.from))
            return wrong(c, "units must ascend by id, then by the day they begin");
        if (!roles_in_range(c, u->roles, u->nroles))
            return false;
    }
    return p->unit_type.tag == TYPE_RECORD && p->unit_type.nfields == 4
               ? check_type(c, &p->unit_type)
               : wrong(c, "unit_type must be a record of id, title, kind and role");
}

static bool check_relations(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nrelation_rows; i++) {
        const struct relation_row *row = &p->relation_rows[i];
        c->what = row->subject;
        if (!check_index(c, "relation", row->relation, p->nrelations) ||
            !check_index(c, "unit", row->unit, p->nunits))
            return false;
        int order = i ? slice_cmp(row[-1].subject, row->subject) : -1;
        if (order > 0 || (order == 0 && row[-1].relation > row->relation))
            return wrong(c, "relations must ascend by subject, then relation");
    }
    return true;
}

static bool check_successions(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nsuccessions; i++) {
        const struct succession *s = &p->successions[i];
        bool whole = s->nfrom && s->nto && (i == 0 || s[-1].day <= s->day);
        for (int h = 0; h < HEIRS; h++)
            whole &= s->heir[h].n > 0;
        if (!whole)
            return wrong(c, "successions ascend by day, and each has units that end, units that follow, and heirs");
    }
    return p->nroles == 0 || p->role_holders || wrong(c, "its units were not indexed");
}

static bool check_tables(struct check *c)
{
    for (size_t t = 0; t < c->p->ntables; t++) {
        const struct table *table = &c->p->tables[t];
        c->what = table->name;
        if (!check_index(c, "key column", table->key_column, table->ncolumns) ||
            !check_fields(c, table->columns, table->ncolumns))
            return false;
        for (size_t i = 0; i < table->nrows; i++)
            if (!table->rows[i].column || (i && slice_cmp(table->rows[i - 1].key, table->rows[i].key) > 0))
                return wrong(c, "rows must be whole and ascend by key");
    }
    return true;
}

static bool check_params(struct check *c)
{
    for (size_t i = 0; i < c->p->nparams; i++) {
        c->what = c->p->params[i].name;
        if (!check_type(c, &c->p->params[i].type))
            return false;
    }
    return true;
}

/* ---- events and rankings */

static bool check_kinds(struct check *c)
{
    const struct program *p = c->p;
    if (p->nkinds < KIND_DECLARED)
        return wrong(c, "the built-in kinds are missing");
    for (size_t i = 0; i < p->nkinds; i++) {
        const struct kind *k = &p->kinds[i];
        bool ranked = k->class_ == KIND_CLASS_RANKING || k->class_ == KIND_CLASS_RANKING_ENTRY;
        c->what = k->name;
        c->kind = (int)i;
        if ((k->class_ == KIND_CLASS_BUILTIN) != (i < KIND_DECLARED))
            return wrong(c, "the built-in kinds come first, and only they");
        if (!check_fields(c, k->fields, k->nfields) || !roles_in_range(c, k->by, k->nby) ||
            (k->dated != -1 && !check_index(c, "dated field", k->dated, k->nfields)) ||
            (ranked && !check_index(c, "ranking", k->ranking, p->nrankings)))
            return false;
        for (size_t r = 0; r < k->nrefuse; r++)
            if (!check_expr(c, k->refuse[r].if_))
                return false;
    }
    c->kind = -1;
    return true;
}

static bool check_rankings(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nrankings; i++) {
        const struct ranking *r = &p->rankings[i];
        c->what = r->name;
        if (!check_type(c, &r->of) || !roles_in_range(c, r->by, r->nby) || !check_expr(c, r->tail) ||
            !check_expr(c, r->middle) || !check_index(c, "kind of the list", r->kind_list, p->nkinds) ||
            !check_index(c, "kind of an entry", r->kind_entry, p->nkinds) ||
            !roles_in_range(c, r->of_roles, r->nof_roles) ||
            (r->tally != -1 && !check_index(c, "tally", r->tally, p->ntallies)))
            return false;
        if (p->kinds[r->kind_entry].nfields != RANKED_FIELDS)
            return wrong(c, "the fields of its entry are not those of enum ranked_field");
    }
    return true;
}

/* ---- measures */

static bool check_words(struct check *c, const struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        if (!check_expr(c, w->part[i].value))
            return false;
    return true;
}

static bool check_documents(struct check *c)
{
    for (size_t i = 0; i < c->p->ndocuments; i++) {
        const struct document *d = &c->p->documents[i];
        c->what = d->name;
        if (d->issuer != -1 && !check_index(c, "issuer", d->issuer, c->p->nroles))
            return false;
        for (size_t k = 0; k < d->nattachments; k++)
            if (!check_words(c, &d->attachment[k]))
                return false;
        for (size_t k = 0; k < d->nparts; k++) {
            const struct document_part *part = &d->part[k];
            if (!check_expr(c, part->value) || !check_expr(c, part->by))
                return false;
            if (part->end && (part->end <= k || part->end > d->nparts || !part->value))
                return wrong(c, "an each ends behind itself, and has rows");
        }
    }
    return true;
}

static bool check_measures(struct check *c)
{
    for (size_t i = 0; i < c->p->nmeasures; i++) {
        const struct measure *m = &c->p->measures[i];
        c->what = m->name;
        if (m->level < LEVEL_NOTICE || m->level > LEVEL_WITHDRAWAL)
            return wrong(c, "it needs a level");
        if ((m->document != -1 && !check_index(c, "document", m->document, c->p->ndocuments)) ||
            !check_exprs(c, m->to, m->nto) || !check_exprs(c, m->copy, m->ncopy))
            return false;
        if (!check_words(c, &m->body))
            return false;
    }
    return true;
}

/* ---- machines */

static bool check_score(const struct check *c, const struct action *a)
{
    const struct expr *x[] = {a->unit, a->period, a->item, a->reason};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        if (!check_expr(c, x[i]))
            return false;
    return (a->item || check_index(c, "item", a->index2, c->p->tallies[a->index].nitems)) &&
           ((a->value && a->unit) || wrong(c, "a score of nothing, or for nobody"));
}

static bool check_action(const struct check *c, const struct action *a)
{
    const struct program *p = c->p;
    size_t n[] = {
        [ACTION_SET] = c->machine->nvars,     [ACTION_CLEAR] = c->machine->nvars,
        [ACTION_MEASURE] = p->nmeasures,      [ACTION_RAISE] = p->nkinds,
        [ACTION_TIMER] = c->machine->ntimers, [ACTION_CANCEL] = c->machine->ntimers,
        [ACTION_LIMIT] = 1,                   [ACTION_SCORE] = p->ntallies,
        [ACTION_TASK] = p->nobligations,
    };
    return check_index(c, "action", (int)a->op, sizeof n / sizeof *n) &&
           check_index(c, "action's index", a->index, n[a->op]) && check_expr(c, a->value) &&
           check_exprs(c, a->to, a->nto) && check_exprs(c, a->copy, a->ncopy) &&
           (a->op != ACTION_TIMER || a->value || wrong(c, "a timer is set to nothing")) &&
           (a->op != ACTION_SCORE || check_score(c, a)) &&
           (a->op != ACTION_TASK || check_birth_by_rule(c, a)) &&
           (a->op != ACTION_LIMIT || a->value || wrong(c, "a limit is set to nothing")) &&
           (a->op != ACTION_RAISE || check_exprs(c, a->fields, p->kinds[a->index].nfields));
}

static bool check_actions(const struct check *c, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!check_action(c, &a[i]))
            return false;
    return true;
}

static bool check_body(struct check *c, const struct state_body *b)
{
    for (size_t i = 0; i < b->ntimers; i++)
        if (!check_index(c, "timer", b->timers[i], c->machine->ntimers))
            return false;
    if (!check_actions(c, b->enter, b->nenter) || !check_actions(c, b->leave, b->nleave))
        return false;
    for (size_t i = 0; i < b->nrules; i++) {
        const struct rule *r = &b->rules[i];
        if ((r->kind != -1 && !check_index(c, "kind", r->kind, c->p->nkinds)) ||
            (r->kind == KIND_TIMER && !check_index(c, "timer", r->timer, c->machine->ntimers)) ||
            (r->go != -1 && !check_index(c, "state", r->go, c->machine->nstates)))
            return false;
        c->kind = r->kind;
        if (!check_expr(c, r->if_) || !check_actions(c, r->actions, r->nactions))
            return false;
        c->kind = -1;
    }
    return true;
}

static bool check_reach_and_counts(struct check *c)
{
    const struct machine *m = c->machine;
    for (size_t i = 0; i < m->nreach; i++) {
        c->kind = m->reach[i].kind;
        if (!check_index(c, "kind", c->kind, c->p->nkinds) || !check_exprs(c, m->reach[i].key, m->nkey) ||
            !check_expr(c, m->reach[i].each) || !check_expr(c, m->reach[i].where))
            return false;
        for (size_t k = 0; k < m->nkey && m->reach[i].born; k++)
            if (!m->reach[i].key[k])
                return wrong(c, "what an event gives birth to has a whole key");
    }
    for (size_t i = 0; i < m->ncounts; i++) {
        c->kind = m->counts[i].kind;
        if (!check_index(c, "kind", c->kind, c->p->nkinds) || !check_expr(c, m->counts[i].if_))
            return false;
    }
    for (size_t i = 0; i < m->nlatest; i++) {
        const struct latest_def *l = &m->latest[i];
        if (!check_index(c, "kind", l->kind, c->p->nkinds))
            return false;
        for (size_t k = 0; k < l->nfields; k++)
            if (l->fields[k] != -1 && !check_index(c, "field", l->fields[k], c->p->kinds[l->kind].nfields))
                return false;
    }
    c->kind = -1;
    return true;
}

static bool check_states(struct check *c)
{
    const struct machine *m = c->machine;
    if (!check_index(c, "initial state", m->initial, m->nstates))
        return false;
    for (size_t i = 0; i < m->nstates; i++)
        if ((m->states[i].group != -1 && !check_index(c, "group", m->states[i].group, m->ngroups)) ||
            !check_body(c, &m->states[i].body))
            return false;
    for (size_t i = 0; i < m->ngroups; i++)
        if (!check_body(c, &m->groups[i].body))
            return false;
    return check_body(c, &m->any_state);
}

static bool check_machine(struct check *c)
{
    const struct machine *m = c->machine;
    size_t least = m->of == MACHINE_TASK ? TASK_ABOUT + 1 : 1;
    if (m->nkey < least || m->nkey > KEY_PARTS_MAX || (m->nvars && !m->var_start))
        return wrong(c, "its key has too few or too many parts, or its variables no start");
    if ((m->unit_key != -1 && !check_index(c, "key part of the unit", m->unit_key, m->nkey)) ||
        !check_fields(c, m->key, m->nkey) || !check_fields(c, m->vars, m->nvars) ||
        !check_reach_and_counts(c) || !check_fills(c) || !check_lets(c))
        return false;
    for (size_t i = 0; i < m->ntimers; i++)
        if (!check_expr(c, m->timers[i].when))
            return false;
    if (m->of == MACHINE_GENERATOR)
        return m->ntimers == 1 || wrong(c, "a generator has one timer");
    return check_states(c);
}

static bool check_machines(struct check *c)
{
    const struct program *p = c->p;
    for (size_t i = 0; i < p->nmachines; i++) {
        c->machine = &p->machines[i];
        c->what = c->machine->name;
        if ((c->machine->of == MACHINE_GENERATOR) != (i == 0))
            return wrong(c, "the generator is the first machine, and only the first");
        if (!check_machine(c))
            return false;
    }
    c->machine = NULL;
    return p->nmachines > 0 || wrong(c, "the generator is missing");
}

bool program_check(const struct program *p, struct err *e)
{
    /* Collections before the first expression, which may read of them. */
    static bool (*const part[])(struct check *) = {
        check_units,     check_relations,  check_successions, check_tables,      check_params,
        check_instances, check_kinds,      check_rankings,    check_indicators,  check_obligations,
        check_schedules, check_documents, check_measures,   check_machines,    check_tallies};
    struct check c = {.p = p, .e = e, .what = p->id, .kind = -1};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        c.what = p->id;
        if (!part[i](&c))
            return false;
    }
    return true;
}
