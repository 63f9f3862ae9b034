/* The yaml of the machine that a ledger stands for. Nodes of the life are shared, so that what is wrong with
 * them is shown where they stand; only rules for the events of rows are copied, once for each event that the
 * ledger means. */
#include "lang/ledgers.h"

static const char *const row_events[ROW_EVENTS] = {"filed", "amended", "closing", "reopened"};

struct weaver {
    struct compiler *c;
    struct ledger *l;
};

/* ---- making yaml */

static struct yaml *shared(const struct yaml *node)
{
    return (struct yaml *)(uintptr_t)node; /* read only from here on, as all of it is */
}

static struct yaml *make(const struct weaver *w, const struct yaml *like, enum yaml_kind kind,
                         struct slice text)
{
    struct yaml *node = ARENA_NEW(w->c->arena, struct yaml);
    *node = (struct yaml){.kind = kind,
                          .line = like->line,
                          .column = like->column,
                          .width = like->width,
                          .text = text,
                          .file = like->file};
    return node;
}

static void put_pair(const struct weaver *w, struct yaml *map, const struct yaml *key,
                     const struct yaml *value)
{
    struct yaml_pair *grown = ARENA_ARRAY(w->c->arena, struct yaml_pair, map->n + 1);
    if (map->n)
        memcpy(grown, map->pairs, map->n * sizeof *grown);
    grown[map->n++] = (struct yaml_pair){shared(key), shared(value)};
    map->pairs = grown;
}

static void put(const struct weaver *w, struct yaml *map, const char *key, const struct yaml *value)
{
    if (value)
        put_pair(w, map, make(w, value, YAML_SCALAR, slice_of(key)), value);
}

static void put_text(const struct weaver *w, struct yaml *map, const char *key, struct slice text)
{
    put(w, map, key, make(w, map, YAML_SCALAR, text));
}

static void add(const struct weaver *w, struct yaml *list, const struct yaml *item)
{
    struct yaml **grown = ARENA_ARRAY(w->c->arena, struct yaml *, list->n + 1);
    if (list->n)
        memcpy(grown, list->items, list->n * sizeof *grown);
    grown[list->n++] = shared(item);
    list->items = grown;
}

static void add_all(const struct weaver *w, struct yaml *list, const struct yaml *from)
{
    const struct yaml *const *item;
    size_t n = read_items(from, &item);
    for (size_t i = 0; i < n; i++)
        add(w, list, item[i]);
}

static const struct yaml_pair *map_pair(const struct yaml *map, struct slice key)
{
    for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
        if (slice_eq(map->pairs[i].key->text, key))
            return &map->pairs[i];
    return NULL;
}

/* ---- rules for the events of rows */

static const struct bindings *events_of(const struct ledger *l, enum row_event event)
{
    return event == ROW_CLOSING ? &l->closed : event == ROW_REOPENED ? &l->reopened : &l->filed;
}

static bool has_result(const struct weaver *w, const struct binding *by)
{
    int kind = kind_named(w->c, by->at->text, false);
    const struct kind *k = kind < 0 ? NULL : &w->c->program->kinds[kind];
    return k && field_find(k->fields, k->nfields, S("result")) >= 0;
}

/* A rule that goes on closing closes the row, with its result; one on reopening opens it again. Neither says
 * `yes` or `no`, which a field of the row might be called. */
static void put_closed(const struct weaver *w, struct yaml *actions, enum row_event event,
                       const struct binding *by)
{
    struct yaml *set = make(w, actions, YAML_MAP, S("")), *result = make(w, actions, YAML_MAP, S(""));
    put_text(w, set, event == ROW_CLOSING ? "set" : "clear", S("closed"));
    add(w, actions, set);
    if (event != ROW_CLOSING || !has_result(w, by))
        return;
    put_text(w, result, "set", S("result"));
    put_text(w, result, "to", S("event.result"));
    add(w, actions, result);
}

static struct yaml *rule_copy(const struct weaver *w, const struct yaml *rule, enum row_event event,
                              const struct binding *by, const struct yaml *first)
{
    struct yaml *copy = make(w, rule, YAML_MAP, S("")), *actions = make(w, rule, YAML_LIST, S(""));
    const struct yaml *given = yaml_get(rule, "do");
    bool refuses = yaml_get(rule, "refuse") != NULL;
    add_all(w, actions, first);
    if ((event == ROW_CLOSING || event == ROW_REOPENED) && yaml_get(rule, "go"))
        put_closed(w, actions, event, by);
    bool same = actions->n == 0 || refuses || (given && given->kind != YAML_LIST);
    add_all(w, actions, given);
    for (size_t i = 0; i < rule->n; i++) {
        const struct yaml_pair *p = &rule->pairs[i];
        if (slice_eq(p->key->text, S("when")))
            put_pair(w, copy, p->key,
                     make(w, by->at, YAML_SCALAR, by->at->text)); /* wrong, it is wrong at the ledger */
        else if (p->value != given || same)
            put_pair(w, copy, p->key, p->value);
    }
    if (!same)
        put(w, copy, "do", actions);
    struct row_rule *r = arena_push(w->c->arena, &w->l->rules, &w->l->nrules, &w->l->rules_cap, sizeof *r);
    *r = (struct row_rule){copy, by, event};
    return copy;
}

static int row_event_of(const struct yaml *rule)
{
    struct slice when = read_text(rule, "when");
    for (int i = 0; i < ROW_EVENTS; i++)
        if (slice_eq(when, slice_of(row_events[i])))
            return i;
    return -1;
}

/* on_file: actions on the first filing, where the list is that of the state in which rows begin; else NULL.
 */
static struct yaml *rules_copy(const struct weaver *w, const struct yaml *rules, const struct yaml *like,
                               const struct yaml *on_file)
{
    struct yaml *out = make(w, rules ? rules : like, YAML_LIST, S(""));
    const struct yaml *const *rule;
    size_t n = read_items(rules, &rule);
    for (size_t i = 0; i < n; i++) {
        int event = row_event_of(rule[i]);
        const struct bindings *by = event < 0 ? NULL : events_of(w->l, (enum row_event)event);
        if (!by) {
            add(w, out, rule[i]);
            continue;
        }
        w->l->dropped |= by->n == 0;
        for (size_t b = 0; b < by->n; b++)
            add(w, out,
                rule_copy(w, rule[i], (enum row_event)event, &by->item[b],
                          event == ROW_FILED ? on_file : NULL));
    }
    for (size_t b = 0; on_file && b < w->l->filed.n; b++) { /* where the life has no rule of its own for it */
        struct yaml *filed = make(w, on_file, YAML_MAP, S("")), *nothing = make(w, on_file, YAML_LIST, S(""));
        put_text(w, filed, "when", S("filed"));
        put(w, filed, "do", nothing);
        add(w, out, rule_copy(w, filed, ROW_FILED, &w->l->filed.item[b], on_file));
    }
    return out;
}

/* ---- bodies and sections */

static struct yaml *body_copy(const struct weaver *w, const struct yaml *body, const struct yaml *on_file)
{
    struct yaml *out = make(w, body, YAML_MAP, S(""));
    const struct yaml *rules = yaml_get(body, "rules");
    for (size_t i = 0; i < body->n; i++)
        if (body->pairs[i].value != rules || rules->kind != YAML_LIST)
            put_pair(w, out, body->pairs[i].key, body->pairs[i].value);
    if ((rules && rules->kind == YAML_LIST) || (!rules && on_file))
        put(w, out, "rules", rules_copy(w, rules, body, on_file));
    return out;
}

/* The ledger's own part of a section, then its life's. */
static struct yaml *section_merge(const struct weaver *w, const char *name, const struct yaml *own_part,
                                  struct slice initial)
{
    const struct yaml *from[] = {own_part, w->l->life ? yaml_get(w->l->life->node, name) : NULL};
    const struct yaml *like = from[0] ? from[0] : from[1], *on_file = yaml_get(w->l->node, "on-file");
    bool bodies = strcmp(name, "states") == 0 || strcmp(name, "groups") == 0;
    if (!like)
        return NULL;
    struct yaml *out = make(w, like, YAML_MAP, S(""));
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; from[i] && from[i]->kind == YAML_MAP && k < from[i]->n; k++) {
            const struct yaml_pair *p = &from[i]->pairs[k];
            bool begins = strcmp(name, "states") == 0 && slice_eq(p->key->text, initial);
            const struct yaml_pair *own = i == 1 ? map_pair(from[0], p->key->text) : NULL;
            if (own)
                ERROR_AT(w->c, DECLARED_TWICE, own->key, "another name", "the life %.*s has “%.*s”, too",
                         SLICE_ARG(w->l->life->name), SLICE_ARG(p->key->text));
            else if (bodies && p->value->kind == YAML_MAP)
                put_pair(w, out, p->key, body_copy(w, p->value, begins ? on_file : NULL));
            else
                put_pair(w, out, p->key, p->value);
        }
    return out;
}

/* ---- a ledger without a life or states of its own: rows stand in it, and are closed if anything closes them
 */

static struct yaml *state_make(const struct weaver *w, struct yaml *states, const char *name,
                               struct slice title)
{
    struct yaml *state = make(w, states, YAML_MAP, S(""));
    put_text(w, state, "title", title);
    put(w, states, name, state);
    return state;
}

static void rule_make(const struct weaver *w, struct yaml *state, enum row_event when, struct slice go)
{
    struct yaml *rules = make(w, state, YAML_LIST, S("")), *rule = make(w, state, YAML_MAP, S(""));
    put_text(w, rule, "when", slice_of(row_events[when]));
    put_text(w, rule, "go", go);
    add(w, rules, rule);
    put(w, state, "rules", rules);
}

static struct yaml *states_plain(const struct weaver *w)
{
    struct yaml *states = make(w, w->l->key, YAML_MAP, S(""));
    struct yaml *open = state_make(w, states, "open", w->l->node ? S("在册") : S("已报"));
    if (w->l->closed.n == 0)
        return states;
    rule_make(w, open, ROW_CLOSING, S("closed"));
    struct yaml *closed = state_make(w, states, "closed", S("已销号"));
    if (w->l->reopened.n)
        rule_make(w, closed, ROW_REOPENED, S("open"));
    else
        put_text(w, closed, "final", S("yes"));
    return states;
}

/* ---- what is left of a life whose events the ledger does not have */

struct outline {
    const struct yaml *states, *groups, *any;
};

/* Whether rules lead from one state to the other; to NULL: to any but itself. */
static bool rules_lead(const struct yaml *rules, struct slice from, const struct slice *to)
{
    const struct yaml *const *rule;
    size_t n = read_items(rules, &rule);
    for (size_t i = 0; i < n; i++) {
        struct slice go = read_text(rule[i], "go");
        if (go.n && (to ? slice_eq(go, *to) : !slice_eq(go, from)))
            return true;
    }
    return false;
}

static bool state_leads(const struct outline *o, const struct yaml_pair *state, const struct slice *to)
{
    const struct yaml_pair *group = map_pair(o->groups, read_text(state->value, "part-of"));
    return rules_lead(yaml_get(state->value, "rules"), state->key->text, to) ||
           (group && rules_lead(yaml_get(group->value, "rules"), state->key->text, to)) ||
           rules_lead(o->any, state->key->text, to);
}

static void reach_from(const struct outline *o, size_t from, bool *reached)
{
    reached[from] = true;
    for (size_t i = 0; i < o->states->n; i++)
        if (!reached[i] && state_leads(o, &o->states->pairs[from], &o->states->pairs[i].key->text))
            reach_from(o, i, reached);
}

/* States that nothing leads to any more go; those that nothing leaves are where rows end. */
static void prune(const struct weaver *w, struct outline *o, struct slice initial, struct yaml *states)
{
    bool *reached = ARENA_ARRAY(w->c->arena, bool, states->n + 1);
    const struct yaml_pair *first = map_pair(states, initial);
    if (!first || states->n > NAMES_MAX)
        return;
    reach_from(o, (size_t)(first - states->pairs), reached);
    size_t kept = 0;
    for (size_t i = 0; i < states->n; i++)
        if (reached[i])
            states->pairs[kept++] = states->pairs[i];
    states->n = kept;
    for (size_t i = 0; i < kept && kept > 1; i++) {
        struct yaml *state = states->pairs[i].value;
        if (state->kind == YAML_MAP && !yaml_get(state, "final") && !state_leads(o, &states->pairs[i], NULL))
            put_text(w, state, "final", S("yes"));
    }
}

/* ---- */

/* The state in which rows begin: said, or the first of the ledger's own, or the life's. Empty: nobody says.
 */
static struct slice initial_of(const struct ledger *l, const struct yaml *own)
{
    struct slice said = read_text(l->node, "initial");
    if (said.n == 0 && own && own->kind == YAML_MAP && own->n)
        said =
            own->n == 1 || l->node == NULL || !yaml_get(l->node, "states") ? own->pairs[0].key->text : S("");
    else if (said.n == 0 && l->life)
        said = read_text(l->life->node, "initial");
    return said;
}

struct yaml *ledger_yaml(struct compiler *c, struct ledger *l)
{
    static const char *const shared_maps[] = {"vars", "counts", "let"};
    const struct weaver w = {c, l};
    struct yaml *m = make(&w, l->key, YAML_MAP, S(""));
    const struct yaml *own = yaml_get(l->node, "states");
    if (!own && !l->life)
        own = states_plain(&w);
    struct slice initial = initial_of(l, own);
    if (l->node) {
        put(&w, m, "title", yaml_get(l->node, "title"));
        put(&w, m, "basis", yaml_get(l->node, "basis"));
        put(&w, m, "per", yaml_get(l->node, "key"));
        put(&w, m, "reach", yaml_get(l->node, "reach"));
        put(&w, m, "unit", yaml_get(l->node, "unit"));
    } else {
        struct yaml *per = make(&w, m, YAML_LIST, S(""));
        add(&w, per, make(&w, m, YAML_SCALAR, S("indicator")));
        add(&w, per, make(&w, m, YAML_SCALAR, S("unit")));
        add(&w, per, make(&w, m, YAML_SCALAR, S("period")));
        put_text(&w, m, "title", S("指标读数"));
        put(&w, m, "per", per);
    }
    for (size_t i = 0; i < sizeof shared_maps / sizeof *shared_maps; i++)
        put(&w, m, shared_maps[i],
            section_merge(&w, shared_maps[i], yaml_get(l->node, shared_maps[i]), initial));
    struct yaml *states = section_merge(&w, "states", own, initial),
                *groups = section_merge(&w, "groups", yaml_get(l->node, "groups"), initial);
    struct yaml *any = rules_copy(&w, yaml_get(l->node, "any-state"), m, NULL);
    if (l->life)
        add_all(&w, any, rules_copy(&w, yaml_get(l->life->node, "any-state"), m, NULL));
    struct outline o = {states, groups, any};
    if (states && l->dropped)
        prune(&w, &o, initial, states);
    put(&w, m, "states", states);
    put(&w, m, "groups", groups);
    put(&w, m, "any-state", any);
    if (initial.n)
        put_text(&w, m, "initial", initial);
    return m;
}
