/* What follows a point: params.X, event.X, latest(KIND).X, unit.head, a column, a field. */
#include "lang/check.h"

static const struct type duration = {.tag = TYPE_DURATION};

static const struct field obligation_names[] = {
    [OBLIGATION_REMIND] = {{"remind", 6}, {.tag = TYPE_LIST, .of = &duration}},
    [OBLIGATION_AT_LEAST] = {{"at-least", 8}, {.tag = TYPE_NUMBER}},
    [OBLIGATION_MISSED_AFTER] = {{"missed-after", 12}, {.tag = TYPE_DURATION}},
    [OBLIGATION_RETURN_GRACE] = {{"return-grace", 12}, {.tag = TYPE_DURATION}},
    [OBLIGATION_SETTLE] = {{"settle", 6}, {.tag = TYPE_DURATION}},
    [OBLIGATION_TITLE] = {{"title", 5}, {.tag = TYPE_TEXT}},
    [OBLIGATION_TO] = {{"to", 2}, {.tag = TYPE_SET, .of = &type_unit}},
};
#define OBLIGATION_NAMES (sizeof obligation_names / sizeof *obligation_names)

static const struct field event_names[] = {
    [EVENT_RECEIVED] = {{"received", 8}, {.tag = TYPE_INSTANT}},
    [EVENT_BY] = {{"by", 2}, {.tag = TYPE_UNIT}},
    [EVENT_KIND] = {{"kind", 4}, {.tag = TYPE_TEXT}},
};
#define EVENT_NAMES (sizeof event_names / sizeof *event_names)

/* unit.roles is a set of the program's roles: its type is made where it is used. */
static const struct field unit_names[] = {
    [UNIT_TITLE] = {{"title", 5}, {.tag = TYPE_TEXT, .optional = true}},
    [UNIT_LIAISON] = {{"liaison", 7}, {.tag = TYPE_TEXT, .optional = true}},
    [UNIT_HEAD] = {{"head", 4}, {.tag = TYPE_TEXT, .optional = true}},
    [UNIT_KIND] = {{"kind", 4}, {.tag = TYPE_TEXT, .optional = true}},
    [UNIT_ROLES] = {{"roles", 5}, {.tag = TYPE_SET, .of = &type_text}},
};
#define UNIT_NAMES (sizeof unit_names / sizeof *unit_names)

static const struct expr *param_member(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    struct names names = {0};

    for (size_t i = 0; i < p->nparams; i++) {
        if (!slice_eq(p->params[i].name, x->name)) {
            names_add(k, &names, p->params[i].name);
            continue;
        }
        use_mark(k->c->param_used, (int)i);
        return expr_new(k, EXPR_PARAM, p->params[i].type, (int)i);
    }
    return refuse_name(k, x->name_at, &names, "there is no parameter");
}

static const struct expr *constant_member(struct checker *k, const struct ast *x)
{
    const struct program *p = k->c->program;
    struct names names = {0};

    for (size_t i = 0; i < p->nconstants; i++) {
        if (slice_eq(p->constants[i].name, x->name))
            return expr_const(k, type_number,
                              (struct value){.tag = VALUE_NUMBER, .number = p->constants[i].value});
        names_add(k, &names, p->constants[i].name);
    }
    return refuse_name(k, x->name_at, &names, "there is no constant");
}

static const struct expr *event_member(struct checker *k, const struct ast *x)
{
    const struct scope *s = k->scope;
    const struct kind *kind = s->kind >= 0 ? &k->c->program->kinds[s->kind] : NULL;
    struct names names = {0};
    int i = -1;

    if (kind == NULL) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_CONTEXT, x->text,
                    "latest(KIND).field, or a variable that a rule sets",
                    "there is no single kind of event here whose fields could be named");
        return NULL;
    }
    if ((i = field_named(kind->fields, kind->nfields, x->name)) >= 0)
        return expr_new(k, EXPR_EVENT, kind->fields[i].type, i);
    if ((i = field_named(event_names, EVENT_NAMES, x->name)) >= 0)
        return expr_new(k, EXPR_EVENT_META, event_names[i].type, i);
    if (slice_eq(x->name, S("unit")) && kind->class_ == KIND_CLASS_FACT)
        return expr_new(k, EXPR_EVENT_META, type_unit, EVENT_BY); /* who reports speaks of itself */
    names_add_fields(k, &names, kind->fields, kind->nfields);
    names_add_fields(k, &names, event_names, EVENT_NAMES);
    return refuse_name(
        k, x->name_at, &names,
        arena_printf(k->c->arena, "an event of kind %.*s has no field", SLICE_ARG(kind->name)).p);
}

static const struct expr *obligation_member(struct checker *k, const struct ast *x)
{
    int i = field_named(obligation_names, OBLIGATION_NAMES, x->name);
    struct names names = {0};

    if (!k->scope->in_task) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_CONTEXT, x->text, NULL,
                    "only a task has an obligation");
        return NULL;
    }
    if (i >= 0)
        return expr_new(k, EXPR_OBLIGATION, obligation_names[i].type, i);
    names_add_fields(k, &names, obligation_names, OBLIGATION_NAMES);
    return refuse_name(k, x->name_at, &names, "an obligation has no");
}

/* In bodies, addressees and templates, which serve any machine, `this` is what every measure has: the row around all others. */
static const struct expr *measure_name(struct checker *k, const struct ast *x)
{
    const struct binder *b = k->binder;
    struct names names = {0};
    int out = 0;

    for (; b->outer != NULL; b = b->outer)
        out++;
    int field = field_named(b->item->fields, b->item->nfields, x->name);
    if (field < 0) {
        names_add_fields(k, &names, b->item->fields, b->item->nfields);
        return refuse_name(k, x->name_at, &names, "a measure has no");
    }
    struct expr *e = expr_new(k, EXPR_ROW_FIELD, b->item->fields[field].type, field);
    e->index2 = out;
    return e;
}

static bool in_measure(const struct checker *k)
{
    const struct binder *b = k->binder;

    while (b != NULL && b->outer != NULL)
        b = b->outer;
    return k->scope->machine == NULL && b != NULL && b->item->fields == measure_row;
}

static const struct expr *this_member(struct checker *k, const struct ast *x)
{
    if (in_measure(k))
        return measure_name(k, x);

    bool failed = false;
    const struct expr *e = instance_lookup(k, x->name, &failed);
    const struct machine *m = k->scope->machine;
    struct names names = {0};

    if (e == NULL && !failed)
        e = meta_lookup(k, x->name);
    if (e != NULL || failed)
        return e;
    if (m != NULL) {
        names_add_fields(k, &names, m->key, m->nkey);
        names_add_fields(k, &names, m->vars, m->nvars);
    }
    return refuse_name(k, x->name_at, &names, "this instance has no");
}

static const struct expr *measure_member(struct checker *k, const struct ast *x)
{
    const struct expr *e = slice_eq(x->name, S("limit")) ? meta_lookup(k, x->name) : NULL;
    struct names names = {0};

    if (e != NULL)
        return e;
    names_add(k, &names, S("limit"));
    return refuse_name(k, x->name_at, &names, "no measure here has");
}

static const struct {
    const char *name;
    const struct expr *(*member)(struct checker *k, const struct ast *x);
    bool yields; /* to a thing of that name */
} spaces[] = {
    {"params", param_member, false},          {"event", event_member, false},    {"this", this_member, false},
    {"obligation", obligation_member, false}, {"measure", measure_member, true},
    {"constants", constant_member, false},    {"row", this_member, true},
};

/* latest(KIND).field: the machine keeps what is asked for. */
static const struct expr *latest_member(struct checker *k, const struct ast *x)
{
    struct machine *m = k->scope->machine;
    const struct program *p = k->c->program;
    const struct ast *latest = x->arg[0];
    int kind = kind_named(k->c, latest->name, k->scope->in_task), field = -1, at = -1;
    struct type type = type_instant;
    struct names names = {0};
    struct latest_def *def = NULL;
    struct expr *e = NULL;
    size_t i = 0, slot = 0;

    if (m == NULL) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_CONTEXT, latest->text, NULL,
                    "there is no instance here that keeps events");
        return NULL;
    }
    if (kind < 0) {
        for (i = 0; i < p->nkinds; i++)
            names_add(k, &names, p->kinds[i].name);
        return refuse_name(k, latest->name_at, &names, "there is no kind of event called");
    }
    at = field_named(p->kinds[kind].fields, p->kinds[kind].nfields, x->name);
    if (at >= 0) {
        field = at;
        type = p->kinds[kind].fields[at].type;
    } else if (!slice_eq(x->name, S("received"))) {
        names_add_fields(k, &names, p->kinds[kind].fields, p->kinds[kind].nfields);
        names_add(k, &names, S("received"));
        return refuse_name(
            k, x->name_at, &names,
            arena_printf(k->c->arena, "an event of kind %.*s has no field", SLICE_ARG(latest->name)).p);
    }
    use_mark(k->c->kind_used, kind);
    for (i = 0; i < m->nlatest && m->latest[i].kind != kind; i++)
        ;
    if (i == m->nlatest) {
        size_t cap = m->nlatest; /* full: each is added once in the life of a machine */

        def = arena_push(k->c->arena, &m->latest, &m->nlatest, &cap, sizeof *def);
        def->kind = kind;
    }
    def = &m->latest[i];
    for (slot = 0; slot < def->nfields && def->fields[slot] != field; slot++)
        ;
    if (slot == def->nfields) {
        size_t cap = def->nfields;

        *(int *)arena_push(k->c->arena, &def->fields, &def->nfields, &cap, sizeof *def->fields) = field;
    }
    type.optional = true;
    e = expr_new(k, EXPR_LATEST, type, (int)i);
    e->index2 = (int)slot;
    return e;
}

static const struct expr *unit_attr(struct checker *k, const struct expr *unit, int attr)
{
    const struct program *p = k->c->program;
    struct type type = unit_names[attr].type, *role = NULL;
    struct expr *x = NULL;

    if (attr == UNIT_ROLES) {
        role = ARENA_NEW(k->c->arena, struct type);
        *role = (struct type){.tag = TYPE_ENUM, .words = p->roles, .nwords = p->nroles};
        type.of = role;
    }
    if (type_is_many(&unit->type) && attr != UNIT_ROLES)
        type = (struct type){.tag = TYPE_SET, .of = type_dup(k->c->arena, &type)};
    x = expr_over(k, EXPR_UNIT_ATTR, type, &unit, 1);
    x->index = attr;
    return x;
}

const struct expr *table_column(struct checker *k, const struct expr *row, int table, int column)
{
    struct type type = k->c->program->tables[table].columns[column].type;
    struct expr *x = NULL;

    type.optional = true;
    if (type_is_many(&row->type) && !type_is_many(&type))
        type = (struct type){.tag = TYPE_SET, .of = type_dup(k->c->arena, &type)};
    x = expr_over(k, EXPR_COLUMN, type, &row, 1);
    x->index = table;
    x->index2 = column;
    return x;
}

const struct expr *part_of(struct checker *k, const struct expr *x, struct slice name)
{
    const struct type *t = type_is_many(&x->type) ? x->type.of : &x->type;
    const struct program *p = k->c->program;
    int i = -1;

    if (t->tag == TYPE_UNIT && (i = field_named(unit_names, UNIT_NAMES, name)) >= 0)
        return unit_attr(k, x, i);
    if (t->tag == TYPE_ROW &&
        (i = field_named(p->tables[t->table].columns, p->tables[t->table].ncolumns, name)) >= 0)
        return table_column(k, x, t->table, i);
    if (t->tag != TYPE_RECORD || (i = field_named(t->fields, t->nfields, name)) < 0)
        return NULL;
    if (type_is_many(&x->type))
        return expr_column_of(k, x, i);
    if (x->op == EXPR_ROW) {
        struct expr *field = expr_new(k, EXPR_ROW_FIELD, t->fields[i].type, i);

        field->index2 = x->index2;
        return field;
    }
    struct type part = t->fields[i].type;
    part.optional = part.optional || x->type.optional;
    struct expr *of = expr_over(k, EXPR_FIELD, part, &x, 1);
    of->index = i;
    return of;
}

const struct expr *refuse_part(struct checker *k, const struct ast *x, const struct expr *of)
{
    const struct type *t = type_is_many(&of->type) ? of->type.of : &of->type;
    const struct program *p = k->c->program;
    struct names names = {0};

    if (t->tag == TYPE_UNIT)
        names_add_fields(k, &names, unit_names, UNIT_NAMES);
    else if (t->tag == TYPE_ROW)
        names_add_fields(k, &names, p->tables[t->table].columns, p->tables[t->table].ncolumns);
    else if (t->tag == TYPE_RECORD)
        names_add_fields(k, &names, t->fields, t->nfields);
    return refuse_name(k, x->name_at, &names,
                       arena_printf(k->c->arena, "%s has no part", type_shown(k, &of->type)).p);
}

const struct expr *check_member(struct checker *k, const struct ast *x)
{
    const struct ast *left = x->arg[0];
    const struct expr *of = NULL, *part = NULL;
    bool failed = false;

    if (left->kind == AST_LATEST)
        return latest_member(k, x);
    for (size_t i = 0; left->kind == AST_NAME && i < sizeof spaces / sizeof *spaces; i++)
        if (slice_eq(left->name, slice_of(spaces[i].name)) &&
            !(spaces[i].yields && name_lookup(k, left->name, &failed) != NULL))
            return spaces[i].member(k, x);
    of = check_ast(k, left, NULL);
    if (of == NULL)
        return NULL;
    part = part_of(k, of, x->name);
    return part != NULL ? part : refuse_part(k, x, of);
}
