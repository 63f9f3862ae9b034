/* What bare names mean where they stand, and what to say of those that mean nothing. */
#include "lang/check.h"
#include "lang/meant.h"

/* ---- tables of built-in names */

static const struct meta_name {
    const char *name;
    enum instance_meta meta;
    bool task; /* tasks alone have it */
    struct type type;
} meta_names[] = {
    {"since", INSTANCE_SINCE, false, {.tag = TYPE_INSTANT}},
    {"due", INSTANCE_DUE, true, {.tag = TYPE_INSTANT, .optional = true}},
    {"opens", INSTANCE_OPENS, true, {.tag = TYPE_INSTANT}},
    {"soft-end", INSTANCE_SOFT_END, true, {.tag = TYPE_INSTANT, .optional = true}},
    {"limit", INSTANCE_LIMIT, false, {.tag = TYPE_INSTANT, .optional = true}},
    {"now", INSTANCE_NOW, false, {.tag = TYPE_INSTANT}},
    {"excused", INSTANCE_EXCUSED, true, {.tag = TYPE_YESNO}},
    {"entry", INSTANCE_SINCE, false, {.tag = TYPE_INSTANT}},
};
#define META_NAMES (sizeof meta_names / sizeof *meta_names)

static const struct field task_keys[] = {
    [TASK_OBLIGATION] = {{"obligation", 10}, {.tag = TYPE_TEXT}},
    [TASK_PERIOD] = {{"period", 6}, {.tag = TYPE_PERIOD}},
    [TASK_UNIT] = {{"unit", 4}, {.tag = TYPE_UNIT}},
    [TASK_ABOUT] = {{"about", 5}, {.tag = TYPE_UNIT, .optional = true}},
};
#define TASK_KEYS (sizeof task_keys / sizeof *task_keys)

int field_named(const struct field *f, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(f[i].name, name))
            return (int)i;
    return -1;
}

int slice_named(const struct slice *s, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(s[i], name))
            return (int)i;
    return -1;
}

void use_mark(bool *used, int index)
{
    if (used != NULL && index >= 0)
        used[index] = true;
}

/* ---- candidates for "did you mean" */

void names_add(const struct checker *k, struct names *names, struct slice name)
{
    *(struct slice *)arena_push(k->c->arena, &names->item, &names->n, &names->cap, sizeof *names->item) =
        name;
}

void names_add_fields(const struct checker *k, struct names *names, const struct field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        names_add(k, names, f[i].name);
}

const struct expr *refuse_name(struct checker *k, struct slice at, const struct names *names,
                               const char *what)
{
    struct slice near = nearest_name(at, names->item, names->n), all = {0};
    const char *expected = NULL;

    for (size_t i = 0; i < names->n && i < 12; i++)
        all = i == 0 ? names->item[0]
                     : arena_printf(k->c->arena, "%.*s, %.*s", SLICE_ARG(all), SLICE_ARG(names->item[i]));
    if (near.n > 0)
        expected = arena_printf(k->c->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p;
    else if (names->n > 0)
        expected = arena_printf(k->c->arena, "%s%.*s%s", names->n > 1 ? "one of " : "", SLICE_ARG(all),
                                names->n > 12 ? ", …" : "")
                       .p;
    phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_NAME, at, expected, "%s “%.*s”", what, SLICE_ARG(at));
    return NULL;
}

/* ---- bare names */

static const struct expr *binder_lookup(struct checker *k, struct slice name)
{
    const struct binder *b = k->binder;
    struct expr *x = NULL;

    for (int out = 0; b != NULL; b = b->outer, out++) {
        int field = b->item->tag == TYPE_RECORD ? field_named(b->item->fields, b->item->nfields, name) : -1;

        if (field >= 0)
            x = expr_new(k, EXPR_ROW_FIELD, b->item->fields[field].type, field);
        else if (out == 0 && slice_eq(name, S("it")))
            x = expr_new(k, EXPR_ROW, *b->item, 0);
        if (x != NULL) {
            x->index2 = out;
            return x;
        }
    }
    return NULL;
}

const struct expr *instance_lookup(struct checker *k, struct slice name, bool *failed)
{
    const struct machine *m = k->scope->machine;
    const struct expr *let = NULL;
    int i = -1;

    if (m == NULL) {
        i = k->scope->in_task ? field_named(task_keys, TASK_KEYS, name) : -1;
        return i < 0 ? NULL
                     : expr_new(k, EXPR_KEY, i == TASK_OBLIGATION ? obligation_type(k->c) : task_keys[i].type, i);
    }
    if ((i = field_named(m->key, m->nkey, name)) >= 0)
        return expr_new(k, EXPR_KEY, m->key[i].type, i);
    if ((i = field_named(m->vars, m->nvars, name)) >= 0)
        return expr_new(k, EXPR_VAR, m->vars[i].type, i);
    for (i = 0; (size_t)i < m->ncounts; i++)
        if (slice_eq(m->counts[i].name, name))
            return expr_new(k, EXPR_COUNT, type_number, i);
    for (i = 0; (size_t)i < m->nlets; i++) {
        if (!slice_eq(m->lets[i].name, name))
            continue;
        let = let_value(k, (size_t)i);
        *failed = let == NULL;
        return let == NULL ? NULL : expr_new(k, EXPR_LET, let->type, i);
    }
    return NULL;
}

const struct expr *meta_lookup(struct checker *k, struct slice name)
{
    const struct scope *s = k->scope;

    for (size_t i = 0; i < META_NAMES; i++) {
        const struct meta_name *m = &meta_names[i];

        if (!slice_eq(slice_of(m->name), name))
            continue;
        if (m->meta == INSTANCE_NOW || s->in_task || (s->machine != NULL && !m->task))
            return expr_new(k, EXPR_META, m->type, (int)m->meta);
    }
    return NULL;
}

static const struct expr *program_lookup(struct checker *k, struct slice name)
{
    const struct program *p = k->c->program;
    int role = slice_named(p->roles, p->nroles, name);
    struct type rows = {.tag = TYPE_LIST};
    struct type *record = NULL;

    if (role >= 0) {
        use_mark(k->c->role_used, role);
        return expr_new(k, EXPR_ROLE, type_units, role);
    }
    for (size_t i = 0; i < p->ntables; i++) {
        if (!slice_eq(p->tables[i].name, name))
            continue;
        record = ARENA_NEW(k->c->arena, struct type);
        *record = (struct type){
            .tag = TYPE_RECORD, .fields = p->tables[i].columns, .nfields = p->tables[i].ncolumns};
        rows.of = record;
        return expr_new(k, EXPR_TABLE_ROWS, rows, (int)i);
    }
    if (slice_eq(name, S("units"))) {
        rows.of = &p->unit_type;
        return expr_new(k, EXPR_UNITS, rows, 0);
    }
    int collection = collection_named(k->c, name);
    return collection < 0 ? NULL : collection_rows(k, collection);
}

const struct expr *name_lookup(struct checker *k, struct slice name, bool *failed)
{
    const struct expr *x = binder_lookup(k, name);

    if (x == NULL && k->scope->entries != NULL && slice_eq(name, S("entries")))
        x = expr_new(k, EXPR_ENTRIES, *k->scope->entries, 0);
    if (x == NULL)
        x = instance_lookup(k, name, failed);
    if (x == NULL && !*failed && (slice_eq(name, S("yes")) || slice_eq(name, S("no"))))
        x = expr_const(k, type_yesno, (struct value){.tag = VALUE_YESNO, .yes = name.n == 3});
    if (x == NULL && !*failed)
        x = meta_lookup(k, name);
    if (x == NULL && !*failed)
        x = program_lookup(k, name);
    return x;
}

/* Something that exists elsewhere, and why not here. */
static const char *misplaced(const struct checker *k, struct slice name)
{
    for (size_t i = 0; i < META_NAMES; i++)
        if (slice_eq(slice_of(meta_names[i].name), name))
            return meta_names[i].task && k->scope->machine != NULL ? "only a task has it"
                                                                   : "there is no instance here to have it";
    if (slice_eq(name, S("it")))
        return "it is the item that `where` looks at";
    return NULL;
}

static const char *hint_for(struct checker *k, struct slice name, const struct type *want)
{
    static const char *const space[] = {"event", "params", "obligation", "this", "measure", "constants", "row"};
    const struct program *p = k->c->program;
    bool failed = false;

    for (size_t i = 0; i < sizeof space / sizeof *space; i++)
        if (slice_eq(name, slice_of(space[i])))
            return arena_printf(k->c->arena, "a point and a name after it, as in %s.title", space[i]).p;
    if (slice_named(p->relations, p->nrelations, name) >= 0)
        return arena_printf(k->c->arena, "write %.*s of …: it is a relation", SLICE_ARG(name)).p;
    if (k->scope->kind >= 0) {
        const struct kind *kind = &p->kinds[k->scope->kind];

        if (field_named(kind->fields, kind->nfields, name) >= 0)
            return arena_printf(k->c->arena, "did you mean “event.%.*s”?", SLICE_ARG(name)).p;
    }
    for (size_t i = 0; i < p->nparams; i++)
        if (slice_eq(p->params[i].name, name))
            return arena_printf(k->c->arena, "did you mean “params.%.*s”?", SLICE_ARG(name)).p;
    for (size_t i = 1; i + 1 < name.n; i++)
        if (name.p[i] == '-' && name_lookup(k, (struct slice){name.p, i}, &failed) != NULL)
            return "write spaces on both sides of a minus";
    if (name.p[0] >= '0' && name.p[0] <= '9' && meant_by(k->c->arena, MEANT_DATE | MEANT_PERIOD | MEANT_DURATION, name).n > 0)
        return meant_hint(k->c->arena, MEANT_DATE | MEANT_PERIOD | MEANT_DURATION, name, NULL);
    if (want != NULL && want->tag == TYPE_TEXT && (unsigned char)name.p[0] >= 0x80)
        return arena_printf(k->c->arena, "write 「%.*s」 for a text", SLICE_ARG(name)).p;
    return NULL;
}

static const struct expr *unknown_name(struct checker *k, const struct ast *x, const struct type *want)
{
    const struct program *p = k->c->program;
    const struct machine *m = k->scope->machine;
    const char *hint = NULL, *why = misplaced(k, x->name);
    struct names names = {0};

    if (why != NULL) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_CONTEXT, x->text, NULL, "“%.*s” is not there: %s",
                    SLICE_ARG(x->name), why);
        return NULL;
    }
    for (const struct binder *b = k->binder; b != NULL; b = b->outer) {
        const char *machines = collection_clash(k, b->item, x->name);

        if (machines == NULL)
            continue;
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_COLUMN_CLASH, x->text, "the rows of one of these machines",
                    "tasks have no “%.*s”: its type is not the same in %s", SLICE_ARG(x->name), machines);
        return NULL;
    }
    hint = hint_for(k, x->name, want);
    if (hint != NULL) {
        phrase_diag(&k->phrase, SEVERITY_ERROR, DIAG_EXPR_NAME, x->text, hint,
                    "nothing here has the name “%.*s”", SLICE_ARG(x->name));
        return NULL;
    }
    for (size_t i = 0; want != NULL && want->tag == TYPE_ENUM && i < want->nwords; i++)
        names_add(k, &names, want->words[i]);
    for (const struct binder *b = k->binder; b != NULL; b = b->outer)
        if (b->item->tag == TYPE_RECORD)
            names_add_fields(k, &names, b->item->fields, b->item->nfields);
    for (size_t i = 0; m != NULL && i < m->ncounts; i++)
        names_add(k, &names, m->counts[i].name);
    for (size_t i = 0; m != NULL && i < m->nlets; i++)
        names_add(k, &names, m->lets[i].name);
    if (m != NULL) {
        names_add_fields(k, &names, m->key, m->nkey);
        names_add_fields(k, &names, m->vars, m->nvars);
    }
    for (size_t i = 0; i < p->nroles; i++)
        names_add(k, &names, p->roles[i]);
    for (size_t i = 0; i < p->ntables; i++)
        names_add(k, &names, p->tables[i].name);
    if (k->scope->no_instances == NULL)
        collection_names(k, &names);
    return refuse_name(k, x->text, &names, "nothing here has the name");
}

const struct expr *check_name(struct checker *k, const struct ast *x, const struct type *want)
{
    bool failed = false;
    const struct expr *e = name_lookup(k, x->name, &failed);
    const struct type *words = want != NULL && type_is_many(want) ? want->of : want;
    const struct program *p = k->c->program;

    if (failed)
        return NULL;
    if (e != NULL && e->op == EXPR_INSTANCES && !collection_allowed(k, x->text, x->name))
        return NULL;
    if (e != NULL && (e->op == EXPR_ROLE || e->op == EXPR_TABLE_ROWS || e->op == EXPR_UNITS) &&
        k->scope->no_instances == NULL && collection_is_named(k->c, x->name))
        phrase_diag(&k->phrase, SEVERITY_WARNING, DIAG_EXPR_AMBIGUOUS, x->text, "another name for the machine",
                    "“%.*s” means the %s here, and is a machine, too", SLICE_ARG(x->name),
                    e->op == EXPR_ROLE ? "role" : "table");
    if (words != NULL && type_has_word(words, x->name) && (e == NULL || !type_comparable(words, &e->type))) {
        if (words->words == p->roles)
            use_mark(k->c->role_used, slice_named(p->roles, p->nroles, x->name));
        return expr_const(k, *type_dup(k->c->arena, words),
                          (struct value){.tag = VALUE_TEXT, .text = x->name});
    }
    return e != NULL ? e : unknown_name(k, x, want);
}
