/* Kinds that nothing declares but a `raise:`. Their fields are those the raise gives, with the types of what
 * it gives; without any, what its machine is kept for: a task's unit, obligation, about and period, another's
 * key. */
#include "lang/kinds.h"
#include "lang/types.h"

struct raised {
    const struct yaml *action;
    int machine, on; /* kind of the event at hand, or -1 */
    int kind;
};
struct raised_list {
    struct compiler *c;
    int machine;
    struct raised *item;
    size_t n, cap;
};

/* A raise of a kind's own fields? Else, of the fields that its machine gives by itself. */
static bool raise_has_fields(const struct yaml *action)
{
    return action->n > 1;
}

int when_kind(const struct compiler *c, const struct yaml *rule, bool task)
{
    const struct yaml *when = yaml_get(rule, "when");
    return is_scalar(when) ? kind_named(c, when->text, task) : -1;
}

static void default_fields(struct compiler *c, const struct machine *m, struct kind *k)
{
    static const enum task_key order[] = {TASK_UNIT, TASK_OBLIGATION, TASK_ABOUT, TASK_PERIOD};
    struct field *f = ARENA_ARRAY(c->arena, struct field, m->nkey + 1);
    for (size_t i = 0; i < m->nkey; i++)
        f[i] = m->key[m->of == MACHINE_TASK ? (size_t)order[i] : i];
    if (m->of == MACHINE_TASK)
        f[2].type.optional = true; /* many tasks are about nothing */
    k->fields = f;
    k->nfields = m->nkey;
}

static void given_fields(struct compiler *c, const struct yaml *action, struct kind *k)
{
    struct field *f = ARENA_ARRAY(c->arena, struct field, action->n);
    for (size_t i = 0; i < action->n; i++) {
        const struct yaml *key = action->pairs[i].key;
        if (slice_eq(key->text, S("raise")))
            continue;
        name_check(c, key, "a field");
        f[k->nfields++] = (struct field){key->text, {.tag = TYPE_TEXT, .optional = true}};
    }
    k->fields = f;
}

static void raise_seen(void *ctx, const struct action_site *site)
{
    struct raised_list *l = ctx;
    struct compiler *c = l->c;
    const struct yaml *name = yaml_get(site->action, "raise");
    if (!is_scalar(name))
        return;
    const struct machine *m = &c->program->machines[l->machine];
    bool task = m->of == MACHINE_TASK;
    int kind = kind_named(c, name->text, false);
    if (kind < 0 && name_check(c, name, "an event")) {
        struct kind *k = kind_add(c, name->text, KIND_CLASS_RAISED, name);
        kind = (int)c->program->nkinds - 1;
        if (raise_has_fields(site->action))
            given_fields(c, site->action, k);
        else
            default_fields(c, m, k);
    }
    struct raised *r = arena_push(c->arena, &l->item, &l->n, &l->cap, sizeof *r);
    *r = (struct raised){site->action, l->machine, site->rule ? when_kind(c, site->rule, task) : -1, kind};
}

static const struct yaml *field_given(const struct yaml *action, struct slice name)
{
    for (size_t i = 0; i < action->n; i++)
        if (slice_eq(action->pairs[i].key->text, name) && !slice_eq(name, S("raise")))
            return action->pairs[i].value;
    return NULL;
}

/* Of the types that the raises give a field, those that have one in common get it; where there is none, the
 * earlier raise's holds, and the other is told when its action is compiled. */
static void field_join(struct compiler *c, struct field *f, bool *typed, const struct type *type)
{
    struct type both;
    f->type = *typed && type_unify(c->arena, type, &f->type, &both) ? both : *type;
    *typed = true;
}

/* Types what one raise gives, as far as it can be typed yet: what is wrong with it is said when its action is
 * compiled. typed: by field, whether another raise has typed it in this pass. */
static void raise_type(struct compiler *c, const struct raised *r, bool *typed)
{
    const struct kind *k = &c->program->kinds[r->kind];
    const struct machine *m = &c->program->machines[r->machine];
    struct diags *said = c->diags, silent = {.arena = c->arena};
    struct scope s = machine_scope(c, r->machine);
    struct machine draft = *s.machine; /* lets and last records that a trial asks for are dropped with it */
    draft.lets = ARENA_ARRAY(c->arena, struct let, draft.nlets + 1);
    memcpy(draft.lets, s.machine->lets, sizeof *draft.lets * draft.nlets);
    s.machine = &draft;
    s.kind = r->on;
    c->diags = &silent;
    struct field *f = ARENA_ARRAY(c->arena, struct field, k->nfields + 1);
    memcpy(f, k->fields, sizeof *f * k->nfields);
    for (size_t i = 0; i < k->nfields; i++) {
        const struct yaml *value = field_given(r->action, f[i].name);
        int part = value ? -1 : field_find(m->key, m->nkey, f[i].name);
        const struct expr *x = is_scalar(value) ? expr_compile(&s, value, NULL) : NULL;
        if (x || part >= 0)
            field_join(c, &f[i], &typed[i], x ? &x->type : &m->key[part].type);
    }
    c->diags = said;
    c->program->kinds[r->kind].fields = f;
}

void raises_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct raised_list l = {.c = c};
    for (size_t i = 0; i < b->machines.n; i++) {
        l.machine = (int)i + 1;
        actions_visit(b->machines.item[i].node, raise_seen, &l);
    }
    /* Twice, so that a raise may give what another raised event carries, wherever the two stand. */
    for (int pass = 0; pass < 2; pass++) {
        bool **typed = ARENA_ARRAY(c->arena, bool *, c->program->nkinds + 1);
        for (size_t i = l.n; i-- > 0;) {
            int kind = l.item[i].kind;
            if (kind < 0 || c->program->kinds[kind].class_ != KIND_CLASS_RAISED)
                continue;
            if (!typed[kind])
                typed[kind] = ARENA_ARRAY(c->arena, bool, c->program->kinds[kind].nfields + 1);
            raise_type(c, &l.item[i], typed[kind]);
        }
    }
}
