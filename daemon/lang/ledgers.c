/* What ledgers declare: keys, events, marks, names of fields. */
#include "lang/ledgers.h"

static const struct key_def ledger_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, true, "article", NULL, "what measures with `basis: ledger` cite"},
    {"key", YAML_NULL, true, "name or list or map of type", NULL,
     "what one row is kept for, as `per` of machines"},
    {"filed-by", YAML_NULL, true, "row event or list", NULL,
     "files a row; the same key again is its next version"},
    {"closed-by", YAML_NULL, false, "row event or list", NULL, "what `closing` means in its life"},
    {"reopened-by", YAML_NULL, false, "row event or list", NULL, "what `reopened` means in its life"},
    {"limit", YAML_SCALAR, false, "expression", "the event's field `limit`, if it has one",
     "a date, whose 24:00 is meant, or an instant: the row's limit. Sees `event.X` of what files it"},
    {"unit", YAML_SCALAR, false, "expression", "the part of the key that is a unit",
     "whom measures about the row go to: `unit: owner`"},
    {"marks", YAML_MAP, false, "map of row events", NULL,
     "a yes-no of the row, no until such an event comes; nothing takes a mark back"},
    {"on-file", YAML_LIST, false, "list of action", NULL, "done when a row is filed for the first time"},
    {"versions", YAML_SCALAR, false, "kept", "`kept`", "every version stays on record: the only way"},
    {"life", YAML_SCALAR, false, "name", "open, and closed by the first `closed-by`",
     "a machine `of: row`: states, rules and timers of a row"},
    {"states", YAML_MAP, false, "map of state", "those of the life",
     "its own, in front of those of the life, to which they may go"},
    {"initial", YAML_SCALAR, false, "name", "the first of its own, else the life's",
     "the state in which rows begin"},
    {"groups", YAML_MAP, false, "map of group", NULL, "as in machines, beside those of the life"},
    {"any-state", YAML_LIST, false, "list of rule", NULL, "as in machines"},
    {"vars", YAML_MAP, false, "map of variable", NULL, "as in machines"},
    {"counts", YAML_MAP, false, "map of count", NULL, "as in machines"},
    {"let", YAML_MAP, false, "map of expression", NULL, "as in machines"},
    {"reach", YAML_MAP, false, "map of reach", NULL,
     "as in machines, for events that are not the ledger's own"},
};
const struct key_table ledger_table = KEY_TABLE(ledger_keys);

/* ---- events of rows */

#define BINDING_FORM "EVENT, EVENT where CONDITION, or {when: EVENT, where: CONDITION, PART: …}"

static struct yaml *name_node(struct compiler *c, const struct yaml *at, struct slice name)
{
    struct yaml *node = ARENA_NEW(c->arena, struct yaml);
    *node = *at;
    node->text = slice_trim(name);
    node->width = node->text.n ? char_count(node->text) : 1;
    return node;
}

static bool binding_read(struct compiler *c, const struct yaml *node, struct binding *b)
{
    static const struct slice where = {" where ", 7};
    *b = (struct binding){.kind = -1};
    if (node->kind == YAML_MAP) {
        const struct yaml *when = yaml_get(node, "when"), *condition = yaml_get(node, "where");
        if (!is_scalar(when) || (condition && !is_scalar(condition))) {
            ERROR_AT(c, LEDGER_EVENT, when ? (is_scalar(when) ? condition : when) : node, BINDING_FORM,
                     "this does not say which event it is");
            return false;
        }
        b->parts = node;
        b->at = when;
        b->condition_at = condition;
        b->condition = condition ? condition->text : (struct slice){0};
        return true;
    }
    if (!is_scalar(node)) {
        ERROR_AT(c, LEDGER_EVENT, node, BINDING_FORM, "this does not say which event it is");
        return false;
    }
    struct slice name = node->text;
    const char *p = name.n ? memmem(name.p, name.n, where.p, where.n) : NULL;
    if (p) {
        b->condition_at = node;
        b->condition = (struct slice){p + where.n, (size_t)(name.p + name.n - p) - where.n};
        name.n = (size_t)(p - name.p);
    }
    b->at = name_node(c, node, name);
    return true;
}

static void bindings_read(struct compiler *c, const struct yaml *node, struct bindings *out)
{
    size_t n = !node ? 0 : node->kind == YAML_LIST ? node->n : 1;
    out->item = ARENA_ARRAY(c->arena, struct binding, n + 1);
    for (size_t i = 0; i < n; i++)
        out->n += binding_read(c, node->kind == YAML_LIST ? node->items[i] : node, &out->item[out->n]);
}

static void marks_read(struct compiler *c, const struct yaml *map, struct ledger *l)
{
    size_t n = map_size(c, map);
    l->marks = ARENA_ARRAY(c->arena, struct mark, n + 1);
    for (size_t i = 0; i < n; i++) {
        struct mark *m = &l->marks[l->nmarks++];
        const struct yaml *by = map->pairs[i].value;
        *m = (struct mark){.key = map->pairs[i].key};
        if (by->kind == YAML_NULL || (by->kind == YAML_LIST && by->n == 0))
            ERROR_AT(c, MARK, m->key, BINDING_FORM, "nothing ever sets the mark “%.*s”",
                     SLICE_ARG(m->key->text));
        else
            bindings_read(c, by, &m->by);
    }
}

/* ---- declaring */

static void lives_take(struct build *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->machines.n; i++) {
        struct declared *d = &b->machines.item[i];
        if (slice_eq(read_text(d->node, "of"), S("row")))
            *(struct declared *)arena_push(b->c.arena, &b->lives.item, &b->lives.n, &b->lives.cap,
                                           sizeof *d) = *d;
        else
            b->machines.item[kept++] = *d;
    }
    b->machines.n = kept;
}

static void life_read(struct compiler *c, const struct yaml *node, struct ledger *l)
{
    struct build *b = build_of(c);
    if (!is_scalar(node))
        return;
    int i = section_find(&b->lives, node->text);
    if (i >= 0) {
        l->life = &b->lives.item[i];
        return;
    }
    bool machine = section_find(&b->machines, node->text) >= 0;
    const char *hint = section_hint(c, &b->lives, node->text);
    ERROR_AT(c, LIFE_UNKNOWN, node, hint ? hint : "use: [../common/item.yaml]", "%s “%.*s”%s",
             machine ? "the machine" : "there is no life", SLICE_ARG(node->text),
             machine ? " is not one of rows: it has no `of: row`" : "");
}

/* The machine takes the ledger's name and place. */
static void machine_push(struct compiler *c, struct ledger *l, const struct yaml *node, bool own)
{
    struct build *b = build_of(c);
    struct section *s = &b->machines;
    struct declared *d = arena_push(c->arena, &s->item, &s->n, &s->cap, sizeof *d);
    *d = (struct declared){.name = l->name, .key = l->key, .node = node, .own = own};
    l->machine = (int)s->n;
}

static void ledger_declare(struct compiler *c, const struct declared *d, struct ledger *l)
{
    static const char *const versions[] = {"kept"};
    struct build *b = build_of(c);
    *l = (struct ledger){.name = d->name, .key = d->key, .node = d->node};
    if (!keys_check(c, d->node, ledger_keys, sizeof ledger_keys / sizeof *ledger_keys,
                    arena_printf(c->arena, "ledger %.*s", SLICE_ARG(d->name)).p))
        return;
    if (section_find(&b->machines, d->name) >= 0) {
        ERROR_AT(c, DECLARED_TWICE, d->key, "another name", "“%.*s” is a machine already",
                 SLICE_ARG(d->name));
        return;
    }
    read_word(c, yaml_get(d->node, "versions"), versions, 1, "way to keep versions");
    bindings_read(c, yaml_get(d->node, "filed-by"), &l->filed);
    bindings_read(c, yaml_get(d->node, "closed-by"), &l->closed);
    bindings_read(c, yaml_get(d->node, "reopened-by"), &l->reopened);
    marks_read(c, yaml_get(d->node, "marks"), l);
    life_read(c, yaml_get(d->node, "life"), l);
    const struct yaml *filed = yaml_get(d->node, "filed-by");
    if (filed && l->filed.n == 0 && filed->kind != YAML_MAP && !is_scalar(filed) && filed->n == 0)
        ERROR_AT(c, LEDGER_EVENT, filed, BINDING_FORM, "nothing files a row of the ledger “%.*s”",
                 SLICE_ARG(d->name));
    if (yaml_get(d->node, "life") && !l->life && yaml_get(d->node, "states"))
        return; /* they may lead to states of the life that is not there */
    machine_push(c, l, ledger_yaml(c, l), d->own);
}

/* Readings are rows, too: of each indicator, unit and period the last one filed. */
static void readings_declare(struct compiler *c, struct ledger *l)
{
    struct build *b = build_of(c);
    const struct yaml *indicators = b->indicators.item[0].key; /* a fragment's, perhaps */
    if (section_find(&b->machines, S("reading")) >= 0) {
        ERROR_AT(c, DECLARED_TWICE, b->machines.item[section_find(&b->machines, S("reading"))].key,
                 "another name", "“reading” is the machine that keeps the readings of indicators");
        return;
    }
    *l = (struct ledger){.name = S("reading"), .key = name_node(c, indicators, S("reading"))};
    l->filed.item = ARENA_NEW(c->arena, struct binding);
    *l->filed.item = (struct binding){.at = l->key, .kind = KIND_READING};
    l->filed.n = 1;
    machine_push(c, l, ledger_yaml(c, l), false);
    c->program->readings = l->machine;
    b->nledgers++;
}

void ledgers_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    lives_take(b);
    section_collect(b, "ledgers", &b->ledgers);
    b->ledger = ARENA_ARRAY(c->arena, struct ledger, b->ledgers.n + 2);
    for (size_t i = 0; i < b->ledgers.n; i++)
        ledger_declare(c, &b->ledgers.item[i], &b->ledger[b->nledgers++]);
    if (b->indicators.n)
        readings_declare(c, &b->ledger[b->nledgers]);
}

struct ledger *ledger_of(struct compiler *c, const struct machine *m)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->nledgers; i++)
        if (b->ledger[i].machine && m == &c->program->machines[b->ledger[i].machine])
            return &b->ledger[i];
    return NULL;
}

/* ---- variables */

static bool name_taken(const struct machine *m, struct slice name)
{
    for (size_t i = 0; i < m->ncounts; i++)
        if (slice_eq(m->counts[i].name, name))
            return true;
    for (size_t i = 0; i < m->nlets; i++)
        if (slice_eq(m->lets[i].name, name))
            return true;
    return field_find(m->key, m->nkey, name) >= 0 || field_find(m->vars, m->nvars, name) >= 0;
}

/* -1 after a diagnostic. */
static int var_add(struct compiler *c, struct machine *m, const struct yaml *at, struct field f,
                   struct value start)
{
    if (name_taken(m, f.name)) {
        ERROR_AT(c, LEDGER_FIELD, at, "another name",
                 "a row of the ledger “%.*s” has two things called “%.*s”: a field, mark, variable, or one "
                 "of version, "
                 "closed and result, which every row has",
                 SLICE_ARG(m->name), SLICE_ARG(f.name));
        return -1;
    }
    m->vars[m->nvars] = f;
    m->var_start[m->nvars] = start;
    return (int)m->nvars++;
}

struct slice type_plain(struct compiler *c, const struct type *t)
{
    struct type plain = *t;
    plain.optional = false;
    return type_format(c->arena, &plain);
}

/* A field of what files rows; events that share one must agree on its type. */
static void row_field(struct compiler *c, struct machine *m, const struct binding *by, const struct field *f,
                      size_t own)
{
    int i = field_find(m->vars + own, m->nvars - own, f->name);
    struct field row = *f;
    row.type.optional = true;
    if (field_find(m->key, m->nkey, f->name) >= 0)
        return;
    if (i < 0) {
        struct yaml at = *by->at; /* what rows keep stands alone in expressions, and an event's field does not */
        at.text = f->name;
        name_check_bare(c, &at, "what a row keeps of its event");
        var_add(c, m, by->at, row, (struct value){.tag = VALUE_NA});
        return;
    }
    const struct type *have = &m->vars[own + (size_t)i].type;
    if (!type_accepts(have, &row.type) || !type_accepts(&row.type, have))
        ERROR_AT(c, LEDGER_FIELD, by->at, "one type in all events that file rows",
                 "“%.*s” is %.*s here, and %.*s in another", SLICE_ARG(f->name),
                 SLICE_ARG(type_plain(c, &row.type)), SLICE_ARG(type_plain(c, have)));
}

/* What the life shall find in event.result. */
static const struct field *result_field(struct compiler *c, const struct ledger *l)
{
    for (size_t i = 0; i < l->closed.n; i++) {
        int kind = kind_named(c, l->closed.item[i].at->text, false);
        const struct kind *k = kind < 0 ? NULL : &c->program->kinds[kind];
        int f = k ? field_find(k->fields, k->nfields, S("result")) : -1;
        if (f >= 0)
            return &k->fields[f];
    }
    return NULL;
}

/* As far as it is known: what machines raise is not, yet. */
static int kind_of(const struct compiler *c, const struct binding *b)
{
    return b->kind >= 0 ? b->kind : kind_named(c, b->at->text, false);
}

/* Room for what is to come, behind the variables that the life declares. */
static void vars_grow(struct compiler *c, struct machine *m, const struct ledger *l)
{
    size_t room = m->nvars + l->nmarks + 4;
    for (size_t i = 0; i < l->filed.n; i++) {
        int kind = kind_of(c, &l->filed.item[i]);
        room += kind < 0 ? 0 : c->program->kinds[kind].nfields;
    }
    struct field *vars = ARENA_ARRAY(c->arena, struct field, room);
    struct value *start = ARENA_ARRAY(c->arena, struct value, room);
    if (m->nvars) {
        memcpy(vars, m->vars, m->nvars * sizeof *vars);
        memcpy(start, m->var_start, m->nvars * sizeof *start);
    }
    m->vars = vars;
    m->var_start = start;
}

void ledger_outline(struct compiler *c, struct machine *m)
{
    struct ledger *l = ledger_of(c, m);
    const struct value no = {.tag = VALUE_YESNO}, none = {.tag = VALUE_NUMBER, .number = {0, 1}};
    if (!l)
        return;
    m->rows = true;
    vars_grow(c, m, l);
    size_t own = m->nvars;
    for (size_t i = 0; i < l->filed.n; i++) {
        const struct binding *by = &l->filed.item[i];
        int kind = kind_of(c, by);
        const struct kind *k = kind < 0 ? NULL : &c->program->kinds[kind];
        for (size_t f = 0; k && f < k->nfields; f++)
            if (!slice_eq(k->fields[f].name, S("limit"))) /* `limit` is the row's */
                row_field(c, m, by, &k->fields[f], own);
    }
    l->version = var_add(c, m, l->key, (struct field){S("version"), type_number}, none);
    if (!l->node) {
        m->key[0].type = c->program->kinds[KIND_READING].fields[READING_INDICATOR].type;
        return;
    }
    m->ledger = m->title;
    for (size_t i = 0; i < l->nmarks; i++) {
        name_check_bare(c, l->marks[i].key, "a mark");
        l->marks[i].var =
            var_add(c, m, l->marks[i].key, (struct field){l->marks[i].key->text, type_yesno}, no);
    }
    var_add(c, m, l->key, (struct field){S("closed"), type_yesno}, no);
    const struct field *result = result_field(c, l);
    if (result && field_find(m->vars + own, m->nvars - own, S("result")) < 0)
        row_field(c, m, &l->closed.item[0], result, own);
}
