/* Outlines of machines: what their expressions may name. Keys, variables, counters, lets, states, groups and
 * timers. */
#include "lang/ledgers.h"

/* ---- a machine's key */

/* What a key part's name says of its type: unit, a table's row, a period, a role; else text. */
static struct type key_type(struct compiler *c, struct slice name)
{
    struct program *p = c->program;
    enum period_kind kind;
    if (slice_eq(name, S("unit")))
        return type_unit;
    for (size_t i = 0; i < p->ntables; i++)
        if (slice_eq(p->tables[i].row, name))
            return (struct type){.tag = TYPE_ROW, .table = (int)i};
    if (slice_eq(name, S("period")))
        return (struct type){.tag = TYPE_PERIOD};
    if (period_kind_parse(name, &kind) && kind != PERIOD_ONCE)
        return (struct type){.tag = TYPE_PERIOD, .period_kind = kind};
    for (size_t i = 0; i < p->nroles; i++)
        if (slice_eq(p->roles[i], name))
            return type_unit;
    return type_text;
}

static void key_part(struct compiler *c, const struct yaml *name, const struct yaml *type, struct machine *m)
{
    if (!is_scalar(name)) {
        ERROR_AT(c, SHAPE, name, "the name of a key part", "expected a text here");
        return;
    }
    name_check_bare(c, name, "a key part");
    if (field_find(m->key, m->nkey, name->text) >= 0) {
        ERROR_AT(c, DECLARED_TWICE, name, NULL, "the key part “%.*s” stands twice", SLICE_ARG(name->text));
        return;
    }
    if (m->nkey == KEY_PARTS_MAX) {
        ERROR_AT(c, MACHINE_KEY, name, "at most four parts", "the key is too long");
        return;
    }
    struct field *f = &m->key[m->nkey++];
    *f = (struct field){name->text, key_type(c, name->text)};
    if (type)
        type_compile(c, type, &f->type);
    if (m->unit_key < 0 && f->type.tag == TYPE_UNIT)
        m->unit_key = (int)m->nkey - 1;
    enum type_tag t = f->type.tag;
    if (t == TYPE_SET || t == TYPE_LIST || t == TYPE_RECORD || t == TYPE_YESNO || t == TYPE_DURATION ||
        t == TYPE_INSTANT)
        ERROR_AT(c, MACHINE_KEY, type ? type : name,
                 "text, unit, a table's row, a period, a date, a number or words",
                 "a key part cannot be of this type");
}

static void machine_key(struct compiler *c, const struct declared *d, struct machine *m)
{
    const struct yaml *per = yaml_get(d->node, "per");
    const struct yaml *const *item;
    size_t n = read_items(per, &item);
    if (m->of == MACHINE_TASK) {
        static const struct type period = {.tag = TYPE_PERIOD};
        m->key[TASK_OBLIGATION] = (struct field){S("obligation"), obligation_type(c)};
        m->key[TASK_PERIOD] = (struct field){S("period"), period};
        m->key[TASK_UNIT] = (struct field){S("unit"), type_unit};
        m->key[TASK_ABOUT] = (struct field){S("about"), type_unit};
        m->nkey = 4;
        m->unit_key = TASK_UNIT;
        if (per)
            ERROR_AT(c, MACHINE_KEY, per,
                     "no per:", "a task's key is its obligation, period, unit and about");
        return;
    }
    if (is_scalar(per))
        key_part(c, per, NULL, m);
    for (size_t i = 0; i < n; i++)
        key_part(c, item[i], NULL, m);
    for (size_t i = 0; per && per->kind == YAML_MAP && i < per->n; i++)
        key_part(c, per->pairs[i].key, per->pairs[i].value, m);
    if (m->nkey == 0)
        ERROR_AT(c, MACHINE_KEY, per ? per : d->key, "per: [unit, subject]",
                 "machine %.*s does not say what it is kept for", SLICE_ARG(d->name));
}

/* ---- variables, counters, lets */

static void name_once(struct compiler *c, const struct machine *m, const struct yaml *key)
{
    bool twice = field_find(m->key, m->nkey, key->text) >= 0 || field_find(m->vars, m->nvars, key->text) >= 0;
    for (size_t i = 0; i < m->ncounts; i++)
        twice |= slice_eq(m->counts[i].name, key->text);
    for (size_t i = 0; i < m->nlets; i++)
        twice |= slice_eq(m->lets[i].name, key->text);
    if (twice)
        ERROR_AT(c, DECLARED_TWICE, key, "a name that neither the key, nor vars:, counts: or let: has",
                 "“%.*s” names two things of this machine", SLICE_ARG(key->text));
    name_check_bare(c, key, "a part of a machine");
}

static const struct key_def variable_keys[] = {
    {"type", YAML_NULL, true, "type", NULL, "what it may be"},
    {"start", YAML_SCALAR, false, "value", "missing", "what it is at first"},
};
const struct key_table variable_table = KEY_TABLE(variable_keys);

static void var_declare(struct compiler *c, const struct yaml_pair *pair, struct machine *m)
{
    name_once(c, m, pair->key);
    struct field *f = &m->vars[m->nvars];
    struct value *start = &m->var_start[m->nvars++];
    *f = (struct field){pair->key->text, {.tag = TYPE_TEXT, .optional = true}};
    if (is_scalar(pair->value)) {
        type_compile(c, pair->value, &f->type);
        f->type.optional = true;
        return;
    }
    if (!keys_check(c, pair->value, variable_keys, sizeof variable_keys / sizeof *variable_keys, arena_printf(c->arena, "variable %.*s", SLICE_ARG(f->name)).p))
        return;
    const struct yaml *type = yaml_get(pair->value, "type"), *value = yaml_get(pair->value, "start");
    bool typed = type && type_compile(c, type, &f->type);
    if (!is_scalar(value))
        f->type.optional = true; /* nothing until it is set */
    else if (typed)
        value_compile(c, value, value->text, &f->type, start);
}

static void names_declare(struct compiler *c, const struct yaml *node, struct machine *m)
{
    const struct yaml *vars = yaml_get(node, "vars"), *counts = yaml_get(node, "counts"),
                      *lets = yaml_get(node, "let");
    size_t n = map_size(c, vars);
    m->vars = ARENA_ARRAY(c->arena, struct field, n + 1);
    m->var_start = ARENA_ARRAY(c->arena, struct value, n + 1);
    for (size_t i = 0; i < n; i++)
        var_declare(c, &vars->pairs[i], m);
    n = map_size(c, counts);
    m->counts = ARENA_ARRAY(c->arena, struct count_def, n + 1);
    for (size_t i = 0; i < n; i++) {
        name_once(c, m, counts->pairs[i].key);
        m->counts[m->ncounts++] = (struct count_def){.name = counts->pairs[i].key->text, .kind = -1};
    }
    n = map_size(c, lets);
    m->lets = ARENA_ARRAY(c->arena, struct let, n + 1);
    for (size_t i = 0; i < n; i++) {
        name_once(c, m, lets->pairs[i].key);
        m->lets[m->nlets++] = (struct let){.name = lets->pairs[i].key->text};
    }
}

/* ---- states and groups */

static void states_declare(struct compiler *c, const struct yaml *node, struct machine *m)
{
    const struct yaml *states = yaml_get(node, "states"), *groups = yaml_get(node, "groups");
    size_t n = map_size(c, states), k = map_size(c, groups);
    m->states = ARENA_ARRAY(c->arena, struct state, n + 1);
    m->groups = ARENA_ARRAY(c->arena, struct group, k + 1);
    for (size_t i = 0; i < n; i++) {
        const struct yaml *key = states->pairs[i].key;
        name_check(c, key, "a state");
        m->states[m->nstates++] = (struct state){.name = key->text, .group = -1, .place = place_of(c, key)};
    }
    for (size_t i = 0; i < k; i++) {
        name_check(c, groups->pairs[i].key, "a group");
        m->groups[m->ngroups++] = (struct group){.name = groups->pairs[i].key->text};
    }
}

struct scope machine_scope(struct compiler *c, int machine)
{
    struct program *p = c->program;
    const struct yaml *lets = machine ? yaml_get(build_of(c)->machines.item[machine - 1].node, "let") : NULL;
    struct machine *m = &p->machines[machine];
    struct let_source *source = ARENA_ARRAY(c->arena, struct let_source, m->nlets + 1);
    for (size_t i = 0; i < m->nlets; i++)
        source[i] = (struct let_source){m->lets[i].name, lets->pairs[i].value};
    return (struct scope){.c = c,
                          .machine = m,
                          .kind = -1,
                          .in_task = m->of == MACHINE_TASK,
                          .lets = source,
                          .nlets = m->nlets};
}

/* ---- actions, wherever they stand */

static void list_visit(const struct yaml *list, struct action_site site,
                       void (*visit)(void *, const struct action_site *), void *ctx)
{
    const struct yaml *const *item;
    size_t n = read_items(list, &item);
    for (size_t i = 0; i < n; i++) {
        site.action = item[i];
        visit(ctx, &site);
    }
}

static void rules_visit(const struct yaml *rules, struct action_site site,
                        void (*visit)(void *, const struct action_site *), void *ctx)
{
    const struct yaml *const *rule;
    size_t n = read_items(rules, &rule);
    for (size_t i = 0; i < n; i++) {
        site.rule = rule[i];
        list_visit(yaml_get(rule[i], "do"), site, visit, ctx);
    }
}

void actions_visit(const struct yaml *machine, void (*visit)(void *ctx, const struct action_site *site),
                   void *ctx)
{
    static const char *const bodies[] = {"states", "groups"};
    for (int b = 0; b < 2; b++) {
        const struct yaml *map = yaml_get(machine, bodies[b]);
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++) {
            struct action_site site = {.body = map->pairs[i].value, .key = map->pairs[i].key};
            list_visit(yaml_get(site.body, "enter"), site, visit, ctx);
            list_visit(yaml_get(site.body, "leave"), site, visit, ctx);
            rules_visit(yaml_get(site.body, "rules"), site, visit, ctx);
        }
    }
    rules_visit(yaml_get(machine, "any-state"), (struct action_site){0}, visit, ctx);
}

/* ---- timers. One that several states set alike is one timer; one of the same name set otherwise is another,
 * known as STATE.NAME: whatever keeps timers keeps them by name. */

static struct slice timer_base(struct slice name)
{
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    return dot ? (struct slice){dot + 1, name.n - (size_t)(dot + 1 - name.p)} : name;
}

static int timer_in(const struct machine *m, const struct state_body *body, struct slice name)
{
    for (size_t i = 0; body && i < body->ntimers; i++)
        if (slice_eq(timer_base(m->timers[body->timers[i]].name), name))
            return body->timers[i];
    return -1;
}

int timer_named(const struct machine *m, const struct state_body *body, const struct state_body *group,
                struct slice name)
{
    int found = timer_in(m, body, name);
    if (found < 0)
        found = timer_in(m, group, name);
    if (found >= 0)
        return found;
    size_t n = 0;
    for (size_t i = 0; i < m->ntimers; i++)
        if (slice_eq(timer_base(m->timers[i].name), name)) {
            found = (int)i;
            n++;
        }
    return n == 1 ? found : -1;
}

struct timer_list {
    struct compiler *c;
    struct machine *m;
    const struct yaml **when; /* by timer; NULL: armed by an action only */
    size_t defs_cap, nwhen, when_cap;
};

/* `at due`, or `{at: due, keep: yes}`. */
const struct yaml *timer_when(const struct yaml *node)
{
    return node->kind == YAML_MAP ? yaml_get(node, "at") : node;
}

static bool when_same(const struct yaml *a, const struct yaml *b)
{
    const struct yaml *x = timer_when(a), *y = timer_when(b);
    bool same_keep = slice_eq(read_text(a, "keep"), read_text(b, "keep"));
    return a->kind == b->kind && same_keep && is_scalar(x) && is_scalar(y) && slice_eq(x->text, y->text);
}

static int timer_add(struct timer_list *l, const struct yaml *at, struct slice name, const struct yaml *when,
                     struct slice body)
{
    struct machine *m = l->m;
    bool taken = false;
    for (size_t i = 0; i < m->ntimers; i++) {
        if (!slice_eq(timer_base(m->timers[i].name), name))
            continue;
        taken = true;
        if (when && l->when[i] && when_same(l->when[i], when))
            return (int)i;
    }
    struct timer_def *t = arena_push(l->c->arena, &m->timers, &m->ntimers, &l->defs_cap, sizeof *t);
    *t = (struct timer_def){.name = name, .place = place_of(l->c, at)};
    if (taken)
        t->name = arena_printf(l->c->arena, "%.*s.%.*s", SLICE_ARG(body), SLICE_ARG(name));
    *(const struct yaml **)arena_push(l->c->arena, &l->when, &l->nwhen, &l->when_cap, sizeof *l->when) = when;
    return (int)m->ntimers - 1;
}

static void body_timers(struct timer_list *l, const struct yaml_pair *body, struct state_body *out)
{
    const struct yaml *timers = yaml_get(body->value, "timers");
    size_t n = map_size(l->c, timers);
    out->timers = ARENA_ARRAY(l->c->arena, int, n + 1);
    for (size_t i = 0; i < n; i++) {
        name_check(l->c, timers->pairs[i].key, "a timer");
        out->timers[out->ntimers++] = timer_add(l, timers->pairs[i].key, timers->pairs[i].key->text,
                                                timers->pairs[i].value, body->key->text);
    }
}

/* A timer that only an action arms is declared by that. */
static void action_timer(void *ctx, const struct action_site *site)
{
    struct timer_list *l = ctx;
    const struct yaml *name = yaml_get(site->action, "timer");
    if (!is_scalar(name) || !yaml_get(site->action, "at"))
        return;
    for (size_t i = 0; i < l->m->ntimers; i++)
        if (slice_eq(timer_base(l->m->timers[i].name), name->text))
            return;
    timer_add(l, name, name->text, NULL, (struct slice){0});
}

static void timers_declare(struct compiler *c, const struct yaml *node, struct machine *m)
{
    struct timer_list l = {.c = c, .m = m};
    const struct yaml *states = yaml_get(node, "states"), *groups = yaml_get(node, "groups");
    for (size_t i = 0; i < m->nstates; i++)
        body_timers(&l, &states->pairs[i], &m->states[i].body);
    for (size_t i = 0; i < m->ngroups; i++)
        body_timers(&l, &groups->pairs[i], &m->groups[i].body);
    actions_visit(node, action_timer, &l);
}

/* ---- */

static void generator_declare(struct compiler *c)
{
    struct machine *m = &c->program->machines[0];
    *m = (struct machine){
        .name = S("obligation"), .title = S("报送周期"), .of = MACHINE_GENERATOR, .nkey = 1, .unit_key = -1};
    m->key[0] = (struct field){S("obligation"), type_text};
    m->states = ARENA_NEW(c->arena, struct state);
    *m->states = (struct state){.name = S("running"), .title = S("运行"), .group = -1};
    m->nstates = 1;
    m->timers = ARENA_NEW(c->arena, struct timer_def);
    *m->timers = (struct timer_def){.name = S("open"), .keep = true};
    m->ntimers = 1;
}

int machine_add(struct compiler *c, struct slice name, const struct yaml *at)
{
    struct program *p = c->program;
    struct machine *m = arena_push(c->arena, &p->machines, &p->nmachines, &build_of(c)->machines_cap, sizeof *m);
    *m = (struct machine){.name = name, .unit_key = -1, .place = place_of(c, at)};
    return (int)p->nmachines - 1;
}

static const struct key_def machine_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, false, "article", NULL, "for measures whose basis is `rule`"},
    {"of", YAML_SCALAR, false, "task|row", "cases",
     "a life of tasks, kept per obligation, period, unit and about; a life of the rows of ledgers"},
    {"per", YAML_NULL, false, "name or list or map of type", "needed by cases",
     "what one instance is kept for: up to four parts. `unit`, a table's row, `period`, `month` …, and "
     "roles (units) say their type by their name; others are text"},
    {"unit", YAML_SCALAR, false, "expression", "the part of the key that is a unit",
     "a unit or a set of units: whom its measures go to"},
    {"reach", YAML_MAP, false,
     "map of reach",
     "the event's field of the part's name; for the unit, else the reporter",
     "`EVENT: {PART: expression}`, or `EVENT: each NAME where …` of its own instances: which ones an "
     "event reaches; a set reaches each"},
    {"born-by", YAML_NULL, false, "event name or list", "needed by cases",
     "events that create an instance that is not there yet"},
    {"counts", YAML_MAP, false, "map of count", NULL, "`low: {each: ranked, if: event.low, within: year}`"},
    {"vars", YAML_MAP, false, "map of variable", NULL,
     "what it remembers: `rectified: {type: optional instant}`, `told: {type: yes-no, start: no}`, `note: "
     "text`"},
    {"let", YAML_MAP, false, "map of expression", NULL, "conditions that rules share; no `event.X` in them"},
    {"initial", YAML_SCALAR, false, "name", "the only one", "the state in which instances begin"},
    {"states", YAML_MAP, true, "map of state", NULL, "where an instance may be"},
    {"groups", YAML_MAP, false, "map of group", NULL, "what several states share"},
    {"any-state", YAML_LIST, false, "list of rule", NULL, "tried last, in every state"},
    {"migrate", YAML_MAP, false, "map of name", NULL,
     "`{hung: carded}`: what becomes of instances in states that an earlier version had"},
};
const struct key_table machine_table = KEY_TABLE(machine_keys);

void machines_declare(struct compiler *c)
{
    static const char *const of[] = {"task", "row"}; /* those of rows were taken out by ledgers_declare */
    struct build *b = build_of(c);
    struct program *p = c->program;
    p->machines = ARENA_ARRAY(c->arena, struct machine, b->machines.n + 1);
    p->nmachines = b->machines_cap = b->machines.n + 1;
    generator_declare(c);
    for (size_t i = 0; i < b->machines.n; i++) {
        const struct declared *d = &b->machines.item[i];
        struct machine *m = &p->machines[i + 1];
        *m = (struct machine){.name = d->name, .unit_key = -1, .initial = -1, .place = place_of(c, d->key)};
        if (!keys_check(c, d->node, machine_keys, sizeof machine_keys / sizeof *machine_keys,
                        arena_printf(c->arena, "machine %.*s", SLICE_ARG(d->name)).p))
            continue;
        if (slice_eq(d->name, S("obligation")))
            ERROR_AT(c, DECLARED_TWICE, d->key, "another name",
                     "“obligation” is the machine that opens periods");
        m->title = read_title(c, yaml_get(d->node, "title"));
        m->basis = read_text(d->node, "basis");
        if (read_word(c, yaml_get(d->node, "of"), of, 2, "kind of machine") == 0)
            m->of = MACHINE_TASK;
        machine_key(c, d, m);
        names_declare(c, d->node, m);
        ledger_outline(c, m);
        states_declare(c, d->node, m);
        timers_declare(c, d->node, m);
    }
}
