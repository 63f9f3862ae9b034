/* What is filed for an obligation: its fields, those that must be there, the event that stands for a
 * submission, what is refused. */
#include "lang/obligations.h"

static const struct key_def filing_keys[] = {
    {"event", YAML_SCALAR, true, "event name", NULL,
     "a declared event; its fields are those of the submission"},
    {"unit", YAML_SCALAR, false, "units", "the event's `unit`, else the reporter", "whose task it files"},
    {"about", YAML_SCALAR, false, "expression", "the event's field `about`", "what the task is about"},
    {"period", YAML_SCALAR, false, "period expression", "the period it belongs to",
     "of the obligation's kind"},
};
const struct key_table filing_table = KEY_TABLE(filing_keys);

static void requires_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "names of fields");
    o->required = ARENA_ARRAY(c->arena, bool, o->nfields + 1);
    for (size_t i = 0; i < n; i++) {
        int f = field_find(o->fields, o->nfields, item[i]->text);
        if (f >= 0)
            o->required[f] = true;
        else
            ERROR_AT(c, FIELD_UNKNOWN, item[i], field_hint(c, o->fields, o->nfields, item[i]->text),
                     "the obligation has no field “%.*s”", SLICE_ARG(item[i]->text));
    }
}

/* ---- an event that is the submission */

/* One part of the task that it files; what is wrong with its type is said. */
static const struct expr *part_read(const struct scope *s, const struct yaml *node, const struct type *want)
{
    const struct expr *x = is_scalar(node) ? expr_compile(s, node, NULL) : NULL;
    if (!x || x->type.tag == want->tag || (want->tag == TYPE_UNIT && x->type.tag == TYPE_TEXT))
        return x;
    ERROR_AT(s->c, EXPR_TYPE, node, type_format(s->c->arena, want).p, "this is %.*s",
             SLICE_ARG(type_format(s->c->arena, &x->type)));
    return NULL;
}

static void parts_read(struct compiler *c, const struct yaml *map, struct obligation *o)
{
    static const struct type period = {.tag = TYPE_PERIOD};
    struct scope s = {.c = c, .kind = o->filed_by};
    const struct yaml *about = yaml_get(map, "about");
    o->filed_unit = part_read(&s, yaml_get(map, "unit"), &type_unit);
    o->filed_period = part_read(&s, yaml_get(map, "period"), &period);
    if (o->filed_period && o->filed_period->type.period_kind != o->period)
        ERROR_AT(c, FILED_BY, yaml_get(map, "period"), period_kind_name(o->period),
                 "the obligation's periods are of another kind");
    o->filed_about = is_scalar(about) ? expr_compile(&s, about, NULL) : NULL;
}

static void filed_by_read(struct compiler *c, const struct yaml *node, const struct yaml *own_fields,
                          struct obligation *o)
{
    const struct yaml *event = node->kind == YAML_MAP ? yaml_get(node, "event") : node;
    if (node->kind == YAML_MAP &&
        !keys_check(c, node, filing_keys, sizeof filing_keys / sizeof *filing_keys, "filed-by"))
        return;
    int kind = is_scalar(event) ? read_kind(c, event, false) : -1;
    if (kind < 0)
        return;
    if (c->program->kinds[kind].class_ != KIND_CLASS_FACT) {
        ERROR_AT(c, FILED_BY, event,
                 "an event declared under events:", "“%.*s” cannot be filed: nobody reports it",
                 SLICE_ARG(event->text));
        return;
    }
    if (own_fields)
        ERROR_AT(c, FILED_BY, own_fields, "fields: of the event",
                 "the event's fields are those of the submission");
    o->filed_by = kind;
    o->fields = c->program->kinds[kind].fields;
    o->nfields = c->program->kinds[kind].nfields;
    if (node->kind == YAML_MAP)
        parts_read(c, node, o);
}

/* ---- refusals */

static struct slice kind_name(struct compiler *c, struct slice obligation)
{
    return arena_printf(c->arena, "submission %.*s", SLICE_ARG(obligation));
}

void submissions_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->obligations.n; i++)
        if (yaml_get(b->obligations.item[i].node, "refuse") &&
            !yaml_get(b->obligations.item[i].node, "filed-by"))
            kind_add(c, kind_name(c, b->obligations.item[i].name), KIND_CLASS_RAISED, NULL);
}

static void refuse_read(struct compiler *c, const struct scope *key, const struct yaml *list,
                        struct obligation *o)
{
    const struct yaml *const *item;
    size_t n = read_items(list, &item);
    struct scope s = *key;
    o->kind_filed =
        o->filed_by != KIND_SUBMITTED ? o->filed_by : program_kind(c->program, kind_name(c, o->name));
    if (o->kind_filed < 0)
        return; /* what files it could not be read */
    if (o->filed_by == KIND_SUBMITTED) {
        /* A submission may lack any field. */
        struct field *f = ARENA_ARRAY(c->arena, struct field, o->nfields + 1);
        for (size_t i = 0; i < o->nfields; i++) {
            f[i] = o->fields[i];
            f[i].type.optional = true;
        }
        c->program->kinds[o->kind_filed].fields = f;
        c->program->kinds[o->kind_filed].nfields = o->nfields;
    }
    s.kind = o->kind_filed;
    o->refuse = ARENA_ARRAY(c->arena, struct refusal, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *condition = yaml_get(item[i], "if");
        if (!keys_check(c, item[i], refusal_table.key, refusal_table.n, "a refusal"))
            continue;
        struct refusal r = {.say = read_text(item[i], "say")};
        if (is_scalar(condition))
            r.if_ = expr_compile(&s, condition, &type_yesno);
        if (r.if_ && r.say.n)
            o->refuse[o->nrefuse++] = r;
    }
}

void filing_read(struct compiler *c, const struct scope *s, const struct declared *d, struct obligation *o)
{
    const struct yaml *fields = yaml_get(d->node, "fields"), *filed_by = yaml_get(d->node, "filed-by"),
                      *refuse = yaml_get(d->node, "refuse");
    o->filed_by = KIND_SUBMITTED;
    o->fields = fields_compile(c, fields, &o->nfields);
    if (filed_by)
        filed_by_read(c, filed_by, fields, o);
    requires_read(c, yaml_get(d->node, "requires"), o);
    if (refuse)
        refuse_read(c, s, refuse, o);
}
