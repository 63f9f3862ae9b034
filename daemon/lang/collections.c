/* Collections: the instances of a machine, or all tasks, as rows that expressions ask. Each is made when an
 * expression first names it. */
#include "lang/check.h"

/* ---- the fields of a row: the key, then variables and counters, then what every instance has */

static const struct meta_column {
    struct field field;
    enum column_source source;
    bool task; /* tasks alone have it */
} meta_columns[] = {
    {{{"state", 5}, {.tag = TYPE_ENUM}}, COLUMN_STATE, false}, /* its words are made where it is used */
    {{{"since", 5}, {.tag = TYPE_INSTANT}}, COLUMN_SINCE, false},
    {{{"limit", 5}, {.tag = TYPE_INSTANT, .optional = true}}, COLUMN_LIMIT, false},
    {{{"due", 3}, {.tag = TYPE_INSTANT, .optional = true}}, COLUMN_DUE, true},
    {{{"excused", 7}, {.tag = TYPE_YESNO}}, COLUMN_EXCUSED, true},
};
#define META_COLUMNS (sizeof meta_columns / sizeof *meta_columns)

struct draft {
    struct compiler *c;
    const struct collection *of;
    struct field *field;
    bool *clash; /* machines of tasks give it different types */
    size_t n, cap, clash_cap;
};

static void draft_add(struct draft *d, struct slice name, struct type type)
{
    int i = field_named(d->field, d->n, name);
    size_t n = d->n;
    struct type both;

    if (i < 0) {
        *(struct field *)arena_push(d->c->arena, &d->field, &d->n, &d->cap, sizeof *d->field) =
            (struct field){name, type};
        arena_push(d->c->arena, &d->clash, &n, &d->clash_cap, sizeof *d->clash);
    } else if (type_comparable(&d->field[i].type, &type) &&
               type_unify(d->c->arena, &d->field[i].type, &type, &both)) {
        d->field[i].type = both;
    } else {
        d->clash[i] = true;
    }
}

static struct type state_words(struct compiler *c, const struct collection *l)
{
    struct slice *words = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < l->nmachines; i++) {
        const struct machine *m = &c->program->machines[l->machines[i].machine];

        for (size_t s = 0; s < m->nstates; s++)
            if (slice_named(words, n, m->states[s].name) < 0)
                *(struct slice *)arena_push(c->arena, &words, &n, &cap, sizeof *words) = m->states[s].name;
    }
    return (struct type){.tag = n ? TYPE_ENUM : TYPE_TEXT, .words = words, .nwords = n};
}

static struct type key_part_type(const struct machine *m, size_t part)
{
    struct type type = m->key[part].type;

    type.optional = m->of == MACHINE_TASK && part == TASK_ABOUT;
    return type;
}

static void draft_machine(struct draft *d, const struct machine *m)
{
    bool several = d->of->nmachines > 1; /* then a machine may not have what another has */

    for (size_t i = 0; i < m->nkey; i++)
        if (field_named(d->field, d->n, m->key[i].name) < 0)
            draft_add(d, m->key[i].name, key_part_type(m, i));
    for (size_t i = 0; i < m->nvars; i++) {
        struct type type = m->vars[i].type;

        type.optional = type.optional || several;
        if (!name_is_hidden(m->vars[i].name))
            draft_add(d, m->vars[i].name, type);
    }
    for (size_t i = 0; i < m->ncounts; i++)
        draft_add(d, m->counts[i].name, (struct type){.tag = TYPE_NUMBER, .optional = several});
}

static void draft_meta(struct draft *d, bool task)
{
    for (size_t i = 0; i < META_COLUMNS; i++) {
        const struct meta_column *m = &meta_columns[i];
        struct type type = m->source == COLUMN_STATE ? state_words(d->c, d->of) : m->field.type;

        if ((task || !m->task) && field_named(d->field, d->n, m->field.name) < 0)
            draft_add(d, m->field.name, type);
    }
}

/* ---- where a machine has what the row shows */

static struct collection_column column_of_machine(const struct machine *m, struct slice name)
{
    int i = field_named(m->key, m->nkey, name);

    if (i >= 0)
        return (struct collection_column){COLUMN_KEY, i};
    if ((i = field_named(m->vars, m->nvars, name)) >= 0)
        return (struct collection_column){COLUMN_VAR, i};
    for (i = 0; (size_t)i < m->ncounts; i++)
        if (slice_eq(m->counts[i].name, name))
            return (struct collection_column){COLUMN_COUNT, i};
    for (size_t k = 0; k < META_COLUMNS; k++)
        if (slice_eq(meta_columns[k].field.name, name))
            return (struct collection_column){meta_columns[k].source, 0};
    return (struct collection_column){COLUMN_NONE, 0};
}

static void row_make(struct compiler *c, struct collection *l)
{
    struct draft d = {.c = c, .of = l};
    size_t n = 0;

    for (size_t i = 0; i < l->nmachines; i++)
        draft_machine(&d, &c->program->machines[l->machines[i].machine]);
    draft_meta(&d, c->program->machines[l->machines[0].machine].of == MACHINE_TASK);
    for (size_t i = 0; i < d.n; i++)
        if (!d.clash[i])
            d.field[n++] = d.field[i];
    l->row = (struct type){.tag = TYPE_RECORD, .fields = d.field, .nfields = n};
    for (size_t i = 0; i < l->nmachines; i++) {
        struct collection_machine *of = &l->machines[i];

        of->column = ARENA_ARRAY(c->arena, struct collection_column, n + 1);
        for (size_t f = 0; f < n; f++)
            of->column[f] = column_of_machine(&c->program->machines[of->machine], d.field[f].name);
    }
}

/* ---- making one */

static void obligations_by_name(struct compiler *c, struct collection *l)
{
    const struct program *p = c->program;

    l->obligations = ARENA_ARRAY(c->arena, int, p->nobligations + 1);
    for (size_t i = 0; i < p->nobligations; i++) {
        size_t at = l->nobligations++;

        for (; at > 0 && slice_cmp(p->obligations[l->obligations[at - 1]].name, p->obligations[i].name) > 0;
             at--)
            l->obligations[at] = l->obligations[at - 1];
        l->obligations[at] = (int)i;
    }
}

static bool belongs(const struct program *p, size_t machine, struct slice name)
{
    const struct machine *m = &p->machines[machine];

    if (machine == 0 || m->nkey == 0)
        return false; /* the generator; one whose key is mistaken */
    if (p->readings && machine == (size_t)p->readings && slice_eq(name, S("readings")))
        return true;
    return slice_eq(name, S("tasks")) ? m->of == MACHINE_TASK : slice_eq(m->name, name);
}

int collection_named(struct compiler *c, struct slice name)
{
    struct program *p = c->program;
    struct collection l = {.name = name};
    size_t cap = p->ncollections; /* full: they are few */

    for (size_t i = 0; i < p->ncollections; i++)
        if (slice_eq(p->collections[i].name, name))
            return (int)i;
    l.machines = ARENA_ARRAY(c->arena, struct collection_machine, p->nmachines + 1);
    for (size_t i = 0; i < p->nmachines; i++)
        if (belongs(p, i, name))
            l.machines[l.nmachines++].machine = (int)i;
    if (l.nmachines == 0)
        return -1;
    row_make(c, &l);
    if (p->machines[l.machines[0].machine].of == MACHINE_TASK)
        obligations_by_name(c, &l);
    *(struct collection *)arena_push(c->arena, &p->collections, &p->ncollections, &cap,
                                     sizeof *p->collections) = l;
    return (int)p->ncollections - 1;
}

bool collection_is_named(const struct compiler *c, struct slice name)
{
    for (size_t i = 0; i < c->program->nmachines; i++)
        if (belongs(c->program, i, name))
            return true;
    return false;
}

void collection_names(const struct checker *k, struct names *names)
{
    const struct program *p = k->c->program;

    for (size_t i = 1; i < p->nmachines; i++)
        if (!name_is_hidden(p->machines[i].name))
            names_add(k, names, p->machines[i].name);
    names_add(k, names, S("tasks"));
}

/* A name that is no field of `tasks`, for its machines disagree on what it is. */
const char *collection_clash(const struct checker *k, const struct type *row, struct slice name)
{
    const struct program *p = k->c->program;
    struct slice both = {0};

    for (size_t i = 0; i < p->ncollections; i++) {
        const struct collection *l = &p->collections[i];

        if (l->row.fields != row->fields || l->nmachines < 2 || row->tag != TYPE_RECORD)
            continue;
        for (size_t m = 0; m < l->nmachines; m++) {
            const struct machine *of = &p->machines[l->machines[m].machine];

            if (column_of_machine(of, name).source != COLUMN_NONE)
                both = both.n
                           ? arena_printf(k->c->arena, "%.*s and %.*s", SLICE_ARG(both), SLICE_ARG(of->name))
                           : of->name;
        }
    }
    return both.n ? both.p : NULL;
}

/* ---- their expressions */

const struct expr *collection_rows(struct checker *k, int collection)
{
    const struct collection *l = &k->c->program->collections[collection];
    struct type rows = {.tag = TYPE_LIST, .of = type_dup(k->c->arena, &l->row)};

    return expr_new(k, EXPR_INSTANCES, rows, collection);
}

bool collection_allowed(struct checker *k, struct slice at, struct slice name)
{
    if (k->scope->no_instances == NULL)
        return true;
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_INSTANCES, at,
                "what the roster and the tables alone can tell",
                "“%.*s” are instances, and %s cannot look at them", SLICE_ARG(name), k->scope->no_instances);
    return false;
}

static const struct expr *refuse_key(struct checker *k, const struct ast *x, const struct collection *l,
                                     size_t nkey)
{
    struct slice usage = arena_printf(k->c->arena, "%.*s[", SLICE_ARG(x->name));

    for (size_t i = 0; i < nkey; i++)
        usage = arena_printf(k->c->arena, "%.*s%s%.*s", SLICE_ARG(usage), i ? ", " : "",
                             SLICE_ARG(l->row.fields[i].name));
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_INSTANCE_KEY, x->text,
                arena_printf(k->c->arena, "%.*s]", SLICE_ARG(usage)).p,
                "%zu parts of a key stand in the brackets", x->nargs);
    return NULL;
}

/* NAME[k, …] */
const struct expr *check_at(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    const struct expr *arg[KEY_PARTS_MAX] = {NULL};
    int collection = collection_named(k->c, x->name);
    struct names names = {0};
    struct expr *e = NULL;
    bool ok = true;

    if (collection < 0) {
        collection_names(k, &names);
        return refuse_name(k, x->name_at, &names, "there is no machine, ledger or tally called");
    }
    if (!collection_allowed(k, x->name_at, x->name))
        return NULL;
    const struct collection *l = &p->collections[collection];
    const struct machine *m = &p->machines[l->machines[0].machine];
    size_t least = m->nkey - (m->of == MACHINE_TASK); /* a task need not be about anything */

    if (x->nargs < least || x->nargs > m->nkey)
        return refuse_key(k, x, l, m->nkey);
    for (size_t i = 0; i < x->nargs; i++) {
        const struct type *want = &p->collections[collection].row.fields[i].type;

        arg[i] = check_ast(k, x->arg[i], want);
        if (arg[i] != NULL && !type_comparable(want, &arg[i]->type))
            arg[i] = refuse_type(k, x->arg[i], type_shown(k, want), &arg[i]->type);
        ok = ok && arg[i] != NULL;
    }
    if (!ok)
        return NULL;
    struct type row = p->collections[collection].row;
    row.optional = true;
    e = expr_over(k, EXPR_AT, row, arg, x->nargs);
    e->index = collection;
    return e;
}
