/* Machines: counters, lets, and which instances an event reaches. States are compiled in rules.c. */
#include "lang/ledgers.h"

/* ---- counters: low: {each: ranked, if: event.low, within: year, mode: cumulative} */

static const struct key_def count_keys[] = {
    {"each", YAML_SCALAR, true, "event name", NULL,
     "the instance's own records of it are counted, before any rule looks"},
    {"if", YAML_SCALAR, false, "condition", "all", "which of them; over the event"},
    {"within", YAML_SCALAR, false, "period kind, constant", "its whole life",
     "starts again at 0 with each new period that a record belongs to; a record of an earlier one is not "
     "counted"},
    {"mode", YAML_SCALAR, false, "cumulative|consecutive, constant", "`cumulative`",
     "`consecutive` falls back to 0 on a record for which `if` does not hold"},
};
const struct key_table count_table = KEY_TABLE(count_keys);

static void count_compile(struct machine_at *at, const struct yaml *node, struct count_def *out)
{
    static const char *const modes[] = {"cumulative", "consecutive"};
    struct compiler *c = at->c;
    if (!keys_check(c, node, count_keys, sizeof count_keys / sizeof *count_keys, arena_printf(c->arena, "counter %.*s", SLICE_ARG(out->name)).p))
        return;
    const struct yaml *each = yaml_get(node, "each"), *condition = yaml_get(node, "if"),
                      *within = yaml_get(node, "within");
    out->kind = read_kind(c, each, at->task);
    struct scope s = at->scope;
    s.kind = out->kind;
    if (is_scalar(condition) && out->kind >= 0)
        out->if_ = expr_compile(&s, condition, &type_yesno);
    out->within = PERIOD_ONCE;
    if (is_scalar(within))
        read_period_kind(c, within, &out->within);
    out->consecutive = read_word(c, yaml_get(node, "mode"), modes, 2, "way to count") == 1;
}

static void counts_compile(struct machine_at *at)
{
    const struct yaml *counts = yaml_get(at->node, "counts");
    for (size_t i = 0; i < at->m->ncounts; i++)
        count_compile(at, counts->pairs[i].value, &at->m->counts[i]);
}

/* Lets that no other expression has asked for yet. */
static void lets_compile(struct machine_at *at)
{
    for (size_t i = 0; i < at->m->nlets; i++)
        let_compile(&at->scope, i);
}

/* ---- reach */

/* Kinds that something of the machine waits for, with where it says so. */
struct handled {
    struct machine_at *at;
    struct {
        int kind;
        const struct yaml *node;
    } * item;
    size_t n, cap;
};

static void handled_add(struct handled *h, int kind, const struct yaml *node)
{
    for (size_t i = 0; i < h->n; i++)
        if (h->item[i].kind == kind)
            return;
    arena_push(h->at->c->arena, &h->item, &h->n, &h->cap, sizeof *h->item);
    h->item[h->n - 1].kind = kind;
    h->item[h->n - 1].node = node;
}

static void handled_rules(struct handled *h, const struct yaml *rules)
{
    const struct yaml *const *rule;
    size_t n = read_items(rules, &rule);
    for (size_t i = 0; i < n; i++) {
        int kind = when_kind(h->at->c, rule[i], h->at->task);
        if (kind >= 0)
            handled_add(h, kind, yaml_get(rule[i], "when"));
    }
}

static void handled_find(struct handled *h)
{
    static const char *const bodies[] = {"states", "groups"};
    const struct yaml *node = h->at->node, *counts = yaml_get(node, "counts");
    for (size_t i = 0; i < h->at->m->ncounts; i++)
        if (h->at->m->counts[i].kind >= 0)
            handled_add(h, h->at->m->counts[i].kind, yaml_get(counts->pairs[i].value, "each"));
    for (int b = 0; b < 2; b++) {
        const struct yaml *map = yaml_get(node, bodies[b]);
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
            handled_rules(h, yaml_get(map->pairs[i].value, "rules"));
    }
    handled_rules(h, yaml_get(node, "any-state"));
}

static const struct expr *event_field(struct compiler *c, const struct kind *k, int f,
                                      const struct yaml *place)
{
    return expr_make(c, EXPR_EVENT, f, k->fields[f].type, place);
}

const struct expr *reach_set(const struct scope *s, const struct yaml *node)
{
    struct slice text = slice_trim(node->text);
    if (!slice_drop(&text, S("each of ")))
        slice_drop(&text, S("each "));
    return expr_compile_part(s, node, text, NULL);
}

bool reach_fits(struct machine_at *at, size_t part, const struct expr *x, const struct yaml *place)
{
    const struct field *want = &at->m->key[part];
    /* A text that a record carries may name an obligation; one that there is not reaches nothing. */
    bool named = at->m->of == MACHINE_TASK && part == TASK_OBLIGATION;
    if (type_names(named ? &type_text : &want->type, &x->type))
        return true;
    ERROR_AT(at->c, EXPR_TYPE, place, type_format(at->c->arena, &want->type).p,
             "key part “%.*s” of machine %.*s cannot be %.*s", SLICE_ARG(want->name), SLICE_ARG(at->m->name),
             SLICE_ARG(type_format(at->c->arena, &x->type)));
    return false;
}

const struct expr *reach_given(struct machine_at *at, const struct scope *s, size_t part, const struct yaml *given)
{
    const struct expr *x = reach_set(s, given);
    return x && reach_fits(at, part, x, given) ? x : NULL;
}

const struct expr *reach_default(struct machine_at *at, int kind, size_t part, const struct yaml *place)
{
    const struct kind *k = &at->c->program->kinds[kind];
    int f = field_find(k->fields, k->nfields, at->m->key[part].name);
    if (f >= 0)
        return event_field(at->c, k, f, place);
    if ((int)part == at->m->unit_key && k->class_ == KIND_CLASS_FACT)
        return expr_make(at->c, EXPR_EVENT_META, EVENT_BY, type_unit, place);
    return NULL;
}

void reach_missing(struct machine_at *at, int kind, size_t part, const struct yaml *place, const char *form)
{
    struct compiler *c = at->c;
    struct slice event = c->program->kinds[kind].name, name = at->m->key[part].name;
    ERROR_AT(c, REACH, place,
             arena_printf(c->arena, "%s, or a field “%.*s”", form, SLICE_ARG(name)).p,
             "nothing says which “%.*s” of %s %.*s the event %.*s reaches", SLICE_ARG(name),
             ledger_of(c, at->m) ? "ledger" : "machine", SLICE_ARG(at->m->name), SLICE_ARG(event));
}

/* The part that `reach:` gives, else the event's field of that name, else for the unit the reporter. NULL after a
 * diagnostic. */
static const struct expr *reach_part(struct machine_at *at, int kind, size_t part, const struct yaml *given,
                                     const struct yaml *place)
{
    struct compiler *c = at->c;
    struct scope s = {.c = c, .kind = kind};
    if (given)
        return reach_given(at, &s, part, given);
    const struct expr *x = reach_default(at, kind, part, place);
    if (!x) {
        struct slice event = c->program->kinds[kind].name, name = at->m->key[part].name;
        reach_missing(at, kind, part, place,
                      arena_printf(c->arena, "reach: {%.*s: {%.*s: …}}", SLICE_ARG(event), SLICE_ARG(name)).p);
    }
    return x && reach_fits(at, part, x, place) ? x : NULL;
}

static const struct expr *without_where(const struct expr *x)
{
    while (x->op == EXPR_WHERE)
        x = x->arg[0];
    return x;
}

/* Rows of the machine itself. */
static bool is_own_rows(const struct machine_at *at, const struct expr *x)
{
    const struct program *p = at->c->program;
    x = without_where(x);
    return x->op == EXPR_INSTANCES && &p->machines[p->collections[x->index].machines[0].machine] == at->m;
}

/* One part of the key from a row of something else: its field of the part's name, else what the event says. */
static const struct expr *row_part(struct machine_at *at, int kind, const struct type *row, size_t part,
                                   const struct yaml *node)
{
    int f = field_find(row->fields, row->nfields, at->m->key[part].name);
    const struct expr *x = f < 0 ? reach_default(at, kind, part, node)
                                 : expr_make(at->c, EXPR_ROW_FIELD, f, row->fields[f].type, node);
    if (!x)
        reach_missing(at, kind, part, node, "each of a list whose rows have it");
    return x && reach_fits(at, part, x, node) ? x : NULL;
}

static bool is_rows(const struct type *t)
{
    return (t->tag == TYPE_LIST || t->tag == TYPE_SET) && t->of->tag == TYPE_RECORD;
}

/* `claim-decided: each claim where claim = event.claim`: of the instances that there are, these.
 * `circulated: each event.items`: what each of the rows names by fields called as the parts of the key. */
static void reach_rows(struct machine_at *at, int kind, const struct yaml *node)
{
    struct compiler *c = at->c;
    struct machine *m = at->m;
    struct scope s = {.c = c, .kind = kind};
    struct reach r = {.kind = kind, .key = ARENA_ARRAY(c->arena, const struct expr *, m->nkey + 1)};
    r.each = reach_set(&s, node);
    if (!r.each)
        return;
    bool own = is_own_rows(at, r.each), whole = true;
    if (!own && (!is_rows(&r.each->type) || without_where(r.each)->op == EXPR_INSTANCES)) {
        ERROR_AT(c, REACH, node,
                 arena_printf(c->arena, "each %.*s where …, each of a list of rows, or an expression for each part of the key: {%.*s: …}",
                              SLICE_ARG(m->name), SLICE_ARG(m->key[0].name))
                     .p,
                 "this does not say which instances of %.*s are reached", SLICE_ARG(m->name));
        return;
    }
    for (size_t i = 0; i < m->nkey; i++) {
        r.key[i] = own ? expr_make(c, EXPR_ROW_FIELD, (int)i, m->key[i].type, node)
                       : row_part(at, kind, r.each->type.of, i, node);
        whole &= r.key[i] != NULL;
    }
    if (whole)
        m->reach[m->nreach++] = r;
}

static void reach_add(struct machine_at *at, int kind, const struct yaml *map, const struct yaml *place)
{
    struct compiler *c = at->c;
    struct machine *m = at->m;
    if (m->nkey == 0)
        return; /* said already */
    if (map && is_scalar(map)) {
        reach_rows(at, kind, map);
        return;
    }
    struct reach r = {.kind = kind, .key = ARENA_ARRAY(c->arena, const struct expr *, m->nkey + 1)};
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
        if (field_find(m->key, m->nkey, map->pairs[i].key->text) < 0)
            ERROR_AT(c, REACH, map->pairs[i].key, field_hint(c, m->key, m->nkey, map->pairs[i].key->text),
                     "“%.*s” is no part of the machine's key", SLICE_ARG(map->pairs[i].key->text));
    bool whole = true;
    for (size_t i = 0; i < m->nkey; i++) {
        const struct yaml *given = NULL;
        for (size_t k = 0; map && map->kind == YAML_MAP && k < map->n; k++)
            if (slice_eq(map->pairs[k].key->text, m->key[i].name))
                given = map->pairs[k].value;
        if (given && !is_scalar(given))
            ERROR_AT(c, SHAPE, given, "an expression", "a key part is one expression");
        else
            r.key[i] = reach_part(at, kind, i, given, place);
        whole &= r.key[i] != NULL;
    }
    if (whole)
        m->reach[m->nreach++] = r;
}

static void reach_tasks(struct machine_at *at, const struct handled *h)
{
    const struct yaml *reach = yaml_get(at->node, "reach"), *born = yaml_get(at->node, "born-by");
    if (reach || born)
        ERROR_AT(at->c, MACHINE_EVENT, reach ? reach : born, NULL,
                 "tasks are born by their obligation and reached by name");
    for (size_t i = 0; i < h->n; i++)
        if (h->item[i].kind >= KIND_DECLARED || h->item[i].kind == KIND_READING || h->item[i].kind == KIND_DIRECTIVE)
            ERROR_AT(at->c, MACHINE_EVENT, h->item[i].node,
                     "submitted, accepted, returned, counted, a correction such as extended, or timer NAME",
                     "a task does not hear “%.*s”; an obligation's counts: may", SLICE_ARG(h->item[i].node->text));
}

/* What is done to an instance itself needs no `reach:`; with one, it hears of tasks besides. */
static bool is_of_itself(int kind)
{
    return kind >= KIND_EXTENDED && kind <= KIND_RESUMED;
}

static void reach_bears(struct machine_at *at, struct reach *r, const struct yaml *node)
{
    r->born = true;
    if (r->each && is_own_rows(at, r->each))
        ERROR_AT(at->c, REACH, node, "reach: {PART: …} instead of each NAME where …",
                 "“%.*s” bears nothing: it reaches the instances that there are", SLICE_ARG(node->text));
}

static void reach_compile(struct machine_at *at, const struct handled *h)
{
    struct compiler *c = at->c;
    const struct yaml *reach = yaml_get(at->node, "reach"), *born = yaml_get(at->node, "born-by");
    const struct yaml **item;
    size_t nborn = read_scalars(c, born, &item, "names of events"),
           nreach = reach && reach->kind == YAML_MAP ? reach->n : 0;
    struct ledger *ledger = ledger_of(c, at->m);
    size_t room = nborn + h->n + nreach + (ledger ? ledger_bindings(ledger) : 0) + 1;
    int *kind = ARENA_ARRAY(c->arena, int, room);
    at->m->reach = ARENA_ARRAY(c->arena, struct reach, room);
    size_t n = ledger ? ledger_reach(at, ledger, kind) : 0;
    for (size_t i = 0; i < nreach; i++) {
        kind[n] = read_kind(c, reach->pairs[i].key, false);
        if (kind[n] >= 0)
            reach_add(at, kind[n++], reach->pairs[i].value, reach->pairs[i].key);
    }
    for (size_t i = 0; i < h->n + nborn; i++) {
        const struct yaml *node = i < h->n ? h->item[i].node : item[i - h->n];
        int k = i < h->n ? h->item[i].kind : read_kind(c, node, false);
        bool known = k < 0 || (i < h->n && is_of_itself(k));
        for (size_t j = 0; j < n && !known; j++)
            known = kind[j] == k;
        if (!known) {
            kind[n++] = k;
            reach_add(at, k, NULL, node);
        }
        for (size_t r = 0; i >= h->n && r < at->m->nreach; r++)
            if (at->m->reach[r].kind == k)
                reach_bears(at, &at->m->reach[r], node);
    }
}

/* ---- */

int state_read(struct machine_at *at, const struct yaml *node)
{
    struct compiler *c = at->c;
    int i = machine_state(at->m, node->text);
    if (i >= 0)
        return i;
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, at->m->nstates + 1);
    for (size_t k = 0; k < at->m->nstates; k++)
        name[k] = at->m->states[k].name;
    ERROR_AT(c, STATE_UNKNOWN, node, name_hint(c, node->text, name, at->m->nstates),
             "machine %.*s has no state “%.*s”", SLICE_ARG(at->m->name), SLICE_ARG(node->text));
    return -1;
}

static void initial_read(struct machine_at *at, const struct declared *d)
{
    const struct yaml *node = yaml_get(at->node, "initial");
    at->m->initial = 0;
    if (is_scalar(node))
        at->m->initial = state_read(at, node);
    else if (at->m->nstates > 1)
        ERROR_AT(at->c, START, d->key, "initial: STATE", "machine %.*s does not say in which state it begins",
                 SLICE_ARG(d->name));
    else if (at->m->nstates == 0 && yaml_get(at->node, "states"))
        ERROR_AT(at->c, START, d->key, "at least one state", "machine %.*s has no state", SLICE_ARG(d->name));
}

void machines_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->machines.n; i++) {
        const struct declared *d = &b->machines.item[i];
        struct machine_at at = {.c = c, .m = &c->program->machines[i + 1], .node = d->node};
        if (d->node->kind != YAML_MAP)
            continue;
        const struct ledger *ledger = ledger_of(c, at.m);
        const struct yaml *unit = yaml_get(d->node, "unit");
        size_t before = c->diags->n;
        at.scope = machine_scope(c, (int)i + 1);
        at.task = at.m->of == MACHINE_TASK;
        counts_compile(&at);
        if (is_scalar(unit))
            at.m->unit = read_units(&at.scope, unit, false);
        struct handled h = {.at = &at};
        handled_find(&h);
        if (at.task)
            reach_tasks(&at, &h);
        else
            reach_compile(&at, &h);
        initial_read(&at, d);
        migrate_compile(&at);
        states_compile(&at);
        lets_compile(&at);
        if (ledger)
            ledger_blame(&at, ledger, before);
    }
}
