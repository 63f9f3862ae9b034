/* States, groups and any-state: their rules, timers, and what entering and leaving them does. */
#include "lang/lint.h"
#include "lang/ledgers.h"

/* ---- which event is at hand on entering a state: the one that all rules leading there wait for, if it is
 * one */

struct entry {
    struct machine_at *at;
    struct slice state;
    int kind; /* -2: none seen yet; -1: several, or a timer, or any */
};

static void entry_rules(struct entry *e, const struct yaml *rules)
{
    const struct yaml *const *rule;
    size_t n = read_items(rules, &rule);
    for (size_t i = 0; i < n; i++) {
        if (!slice_eq(read_text(rule[i], "go"), e->state))
            continue;
        int kind = when_kind(e->at->c, rule[i], e->at->task);
        e->kind = e->kind == -2 || e->kind == kind ? kind : -1;
    }
}

static int entry_kind(struct machine_at *at, int state)
{
    static const char *const bodies[] = {"states", "groups"};
    struct entry e = {
        .at = at, .state = at->m->states[state].name, .kind = state == at->m->initial ? -1 : -2};
    for (int b = 0; b < 2; b++) {
        const struct yaml *map = yaml_get(at->node, bodies[b]);
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
            entry_rules(&e, yaml_get(map->pairs[i].value, "rules"));
    }
    entry_rules(&e, yaml_get(at->node, "any-state"));
    return e.kind < 0 ? -1 : e.kind;
}

/* ---- rules */

static bool when_read(struct machine_at *at, const struct yaml *when, const struct state_body *body,
                      const struct state_body *group, struct rule *r)
{
    struct compiler *c = at->c;
    struct slice name = when->text;
    if (slice_eq(name, S("any"))) {
        r->kind = -1;
        return true;
    }
    if (!slice_drop(&name, S("timer "))) {
        int kind = read_kind(c, when, at->task);
        r->kind = kind < 0 ? KIND_UNREAD : kind;
        return kind >= 0;
    }
    r->kind = KIND_TIMER;
    r->timer = timer_named(at->m, body, group, name);
    if (r->timer >= 0)
        return true;
    struct slice *known = ARENA_ARRAY(c->arena, struct slice, at->m->ntimers + 1);
    for (size_t i = 0; i < at->m->ntimers; i++)
        known[i] = at->m->timers[i].name;
    ERROR_AT(c, TIMER_UNKNOWN, when, name_hint(c, name, known, at->m->ntimers), "no timer “%.*s” is set here",
             SLICE_ARG(name));
    return false;
}

static const struct key_def rule_keys[] = {
    {"when", YAML_SCALAR, true, "event name", NULL,
     "an event, `timer NAME`, or `any`: after every event or timer that reached the instance, until no "
     "such rule holds"},
    {"if", YAML_SCALAR, false, "condition", "holds", "only a plain yes holds"},
    {"do", YAML_LIST, false, "list of action", NULL, "`do: []` keeps it on record only"},
    {"go", YAML_SCALAR, false, "name", "stays", "the next state; the state itself is left and entered again"},
    {"refuse", YAML_SCALAR, false, "text", NULL,
     "instead of `do` and `go`, in a rule for an event: undoes the whole turn, and the sender gets the "
     "sentence"},
    {"basis", YAML_SCALAR, false, "article", "the measure's",
     "for the measures of its `do`; on entering, for those whose basis is `rule`"},
};
const struct key_table rule_table = KEY_TABLE(rule_keys);

/* Leaves a rule in any case, so that no state seems unreachable for a mistake elsewhere in the rules that
 * lead to it. */
static void rule_compile(struct machine_at *at, const struct yaml *node, const struct state_body *body,
                         const struct state_body *group, struct rule *r)
{
    struct compiler *c = at->c;
    *r = (struct rule){.kind = KIND_UNREAD, .go = -1, .place = place_of(c, node)};
    if (!keys_check(c, node, rule_keys, sizeof rule_keys / sizeof *rule_keys, "a rule"))
        return;
    const struct yaml *when = yaml_get(node, "when"), *condition = yaml_get(node, "if"),
                      *go = yaml_get(node, "go"), *refuse = yaml_get(node, "refuse");
    bool known = is_scalar(when) && when_read(at, when, body, group, r);
    r->basis = read_text(node, "basis");
    if (is_scalar(go) && (r->go = state_read(at, go)) < 0)
        r->go = GO_UNREAD;
    if (is_scalar(refuse)) {
        r->refuse = refuse->text;
        if (go || yaml_get(node, "do"))
            ERROR_AT(c, RULE, go ? go : refuse,
                     "refuse: alone, or do: and go:", "a rule that refuses does nothing else");
        if (r->kind == KIND_TIMER || r->kind == -1)
            ERROR_AT(c, RULE, refuse, "a rule for an event that somebody sent", "there is nobody to refuse");
        if (refuse->text.n == 0)
            ERROR_AT(c, RULE, refuse, "the sentence that the sender gets", "the refusal says nothing");
    } else if (!go && !yaml_get(node, "do")) {
        ERROR_AT(c, RULE, node, "go:, do: or refuse:; `do: []` keeps it on record only",
                 "this rule does nothing");
    }
    if (!known)
        return; /* its expressions would be blamed for what they cannot know */
    struct scope s = at->scope;
    s.kind = r->kind == KIND_TIMER ? -1 : r->kind;
    if (is_scalar(condition))
        r->if_ = expr_compile(&s, condition, &type_yesno);
    if (condition && !r->if_)
        r->if_ = expr_make(c, EXPR_CONST, 0, type_yesno, condition); /* not unconditional for being wrong */
    ledger_guard(at, node, r);
    actions_compile(at, &s, yaml_get(node, "do"), body, group, &r->actions, &r->nactions);
    if (r->kind == -1 && !condition && r->go < 0)
        ERROR_AT(c, RULE, node, "an if: or a go: that ends it",
                 "a rule for any event that always holds would never end");
}

static void rules_compile(struct machine_at *at, const struct yaml *list, const struct state_body *group,
                          struct state_body *body)
{
    const struct yaml *const *rule;
    size_t n = read_items(list, &rule);
    body->rules = ARENA_ARRAY(at->c->arena, struct rule, n + 1);
    for (size_t i = 0; i < n; i++)
        rule_compile(at, rule[i], body, group, &body->rules[body->nrules++]);
}

/* ---- timers */

static const struct expr *timer_expr(struct machine_at *at, const struct yaml *node)
{
    struct slice text = slice_trim(node->text);
    slice_drop(&text, S("at "));
    const struct expr *x = expr_compile_part(&at->scope, node, text, NULL);
    const struct type *t = x ? &x->type : NULL;
    if (t && (t->tag == TYPE_LIST || t->tag == TYPE_SET))
        t = t->of;
    if (!t || t->tag == TYPE_INSTANT)
        return x;
    ERROR_AT(at->c, EXPR_TYPE, node, "an instant: due, 3d before due, 10d after entry, limit",
             "a timer cannot be set to %.*s", SLICE_ARG(type_format(at->c->arena, &x->type)));
    return NULL;
}

static const struct key_def timer_keys[] = {
    {"at", YAML_SCALAR, true, "phrase", NULL, "when: `due`, `3d before due`, `10d after entry`, `limit`"},
    {"keep", YAML_SCALAR, false, "yes-no, constant", "`no`", "leaving the state does not cancel it"},
};
const struct key_table timer_table = KEY_TABLE(timer_keys);

static void body_timers(struct machine_at *at, const struct yaml *map, const struct state_body *body)
{
    for (size_t i = 0; i < body->ntimers; i++) {
        const struct yaml *node = map->pairs[i].value;
        struct timer_def *t = &at->m->timers[body->timers[i]];
        if (node->kind != YAML_SCALAR && !keys_check(at->c, node, timer_keys, sizeof timer_keys / sizeof *timer_keys, "a timer"))
            continue;
        t->keep |= read_yesno(at->c, yaml_get(node, "keep"), false);
        if (!t->when && is_scalar(timer_when(node)))
            t->when = timer_expr(at, timer_when(node));
    }
}

/* ---- bodies */

static void body_compile(struct machine_at *at, const struct yaml *node, int entry,
                         const struct state_body *group, struct state_body *body)
{
    struct scope entering = at->scope;
    entering.kind = entry;
    body_timers(at, yaml_get(node, "timers"), body);
    actions_compile(at, &entering, yaml_get(node, "enter"), body, group, &body->enter, &body->nenter);
    actions_compile(at, &at->scope, yaml_get(node, "leave"), body, group, &body->leave, &body->nleave);
    rules_compile(at, yaml_get(node, "rules"), group, body);
}

static int group_read(struct machine_at *at, const struct yaml *node)
{
    struct compiler *c = at->c;
    struct slice *name = ARENA_ARRAY(c->arena, struct slice, at->m->ngroups + 1);
    for (size_t i = 0; i < at->m->ngroups; i++) {
        name[i] = at->m->groups[i].name;
        if (slice_eq(name[i], node->text))
            return (int)i;
    }
    ERROR_AT(c, STATE_UNKNOWN, node, name_hint(c, node->text, name, at->m->ngroups),
             "machine %.*s has no group “%.*s”", SLICE_ARG(at->m->name), SLICE_ARG(node->text));
    return GROUP_UNREAD;
}

static const struct key_def state_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"final", YAML_SCALAR, false, "yes-no, constant", "`no`", "done: no rule may leave it"},
    {"enter", YAML_LIST, false, "list of action", NULL, "done on entering"},
    {"leave", YAML_LIST, false, "list of action", NULL, "done on leaving"},
    {"timers", YAML_MAP, false, "map of timer", NULL, "`NAME: PHRASE`: armed on entering, after `enter`"},
    {"rules", YAML_LIST, false, "list of rule", NULL, "the first that holds is taken"},
    {"part-of", YAML_SCALAR, false, "name", NULL, "a group"},
};
const struct key_table state_table = KEY_TABLE(state_keys);

static void state_head(struct machine_at *at, const struct yaml *node, struct state *s)
{
    if (!keys_check(at->c, node, state_keys, sizeof state_keys / sizeof *state_keys,
                    arena_printf(at->c->arena, "state %.*s", SLICE_ARG(s->name)).p))
        return;
    const struct yaml *group = yaml_get(node, "part-of");
    s->title = read_title(at->c, yaml_get(node, "title"));
    s->final = read_yesno(at->c, yaml_get(node, "final"), false);
    if (is_scalar(group))
        s->group = group_read(at, group);
}

static const struct key_def group_keys[] = {
    {"title", YAML_NULL, false, "title", NULL, "for readers"},
    {"enter", YAML_LIST, false, "list of action", NULL, "done on entering the first of its states"},
    {"leave", YAML_LIST, false, "list of action", NULL, "done on leaving the last of them"},
    {"timers", YAML_MAP, false, "map of timer", NULL, "run on between its states"},
    {"rules", YAML_LIST, false, "list of rule", NULL, "tried after those of the state"},
};
const struct key_table group_table = KEY_TABLE(group_keys);

void states_compile(struct machine_at *at)
{
    struct machine *m = at->m;
    const struct yaml *states = yaml_get(at->node, "states"), *groups = yaml_get(at->node, "groups");
    for (size_t i = 0; i < m->nstates; i++)
        state_head(at, states->pairs[i].value, &m->states[i]);
    for (size_t i = 0; i < m->ngroups; i++) {
        const struct yaml *node = groups->pairs[i].value;
        if (keys_check(at->c, node, group_keys, sizeof group_keys / sizeof *group_keys,
                       arena_printf(at->c->arena, "group %.*s", SLICE_ARG(m->groups[i].name)).p))
            body_compile(at, node, -1, NULL, &m->groups[i].body);
    }
    for (size_t i = 0; i < m->nstates; i++) {
        struct state *s = &m->states[i];
        const struct state_body *group = s->group >= 0 ? &m->groups[s->group].body : NULL;
        if (states->pairs[i].value->kind == YAML_MAP)
            body_compile(at, states->pairs[i].value, entry_kind(at, (int)i), group, &s->body);
    }
    rules_compile(at, yaml_get(at->node, "any-state"), NULL, &m->any_state);
}
