/* Machines as graphs: states that nothing reaches or leaves, rules and timers in vain. */
#include "lang/ledgers.h"
#include "lang/lint.h"

struct graph {
    struct compiler *c;
    const struct machine *m;
    bool *reached;
};

/* The bodies whose rules apply in a state, in the order in which they are tried. */
static size_t bodies_of(const struct machine *m, const struct state *s, const struct state_body *body[3])
{
    size_t n = 0;
    body[n++] = &s->body;
    if (s->group >= 0)
        body[n++] = &m->groups[s->group].body;
    body[n++] = &m->any_state;
    return n;
}

/* Whether rules lead from the state to another; *unread: one of them says nobody knows where. */
static bool state_left(const struct machine *m, const struct state *s, bool *unread)
{
    const struct state_body *body[3];
    size_t n = bodies_of(m, s, body);
    bool left = false;
    for (size_t b = 0; b < n; b++)
        for (size_t r = 0; r < body[b]->nrules; r++) {
            int go = body[b]->rules[r].go;
            *unread |= go == GO_UNREAD;
            left |= go >= 0 && go != (int)(s - m->states);
        }
    return left;
}

static void reach_from(struct graph *g, int state)
{
    const struct state_body *body[3];
    if (state < 0 || g->reached[state])
        return;
    g->reached[state] = true;
    size_t n = bodies_of(g->m, &g->m->states[state], body);
    for (size_t b = 0; b < n; b++)
        for (size_t r = 0; r < body[b]->nrules; r++)
            reach_from(g, body[b]->rules[r].go);
}

static void lint_graph(struct graph *g)
{
    const struct machine *m = g->m;
    bool unread = m->initial < 0;
    reach_from(g, m->initial);
    for (size_t i = 0; i < m->nstates; i++)
        state_left(m, &m->states[i], &unread);
    if (unread)
        return; /* a state's name is misspelt somewhere: that was said */
    for (size_t i = 0; i < m->nstates; i++) {
        const struct state *s = &m->states[i];
        struct yaml at = place_node(g->c, s->place, char_count(s->name));
        if (!g->reached[i])
            ERROR_AT(g->c, STATE_UNREACHABLE, &at, "a rule with go: to it",
                     "nothing leads to state “%.*s” of machine %.*s", SLICE_ARG(s->name), SLICE_ARG(m->name));
        else if (!s->final && m->nstates > 1 && !state_left(m, s, &unread))
            ERROR_AT(g->c, STATE_STUCK, &at, "a rule that goes on, or final: yes",
                     "nothing leaves state “%.*s” of machine %.*s", SLICE_ARG(s->name), SLICE_ARG(m->name));
        for (size_t r = 0; s->final && r < s->body.nrules; r++)
            if (s->body.rules[r].go >= 0 && s->body.rules[r].go != (int)i) {
                at = place_node(g->c, s->body.rules[r].place, 1);
                ERROR_AT(g->c, STATE_FINAL, &at, "no go:, or a state that is not final",
                         "state “%.*s” is final, and this rule leaves it", SLICE_ARG(s->name));
            }
    }
}

/* ---- rules */

static void lint_rules(struct graph *g, const struct state_body *b)
{
    for (size_t i = 1; i < b->nrules; i++)
        for (size_t k = 0; k < i; k++) {
            const struct rule *now = &b->rules[i], *before = &b->rules[k];
            bool same = now->kind == before->kind && (now->kind != KIND_TIMER || now->timer == before->timer);
            if (!same || before->if_ || now->kind == KIND_UNREAD)
                continue;
            struct yaml at = place_node(g->c, now->place, 1);
            ERROR_AT(g->c, RULE_DEAD, &at, "an if: on the earlier rule, or this one first",
                     "this rule is never tried: the one in line %d always holds",
                     g->c->program->places[before->place].line);
            break;
        }
}

/* ---- timers */

static bool body_handles(const struct state_body *b, int timer)
{
    for (size_t i = 0; i < b->nrules; i++)
        if (b->rules[i].kind == KIND_TIMER && b->rules[i].timer == timer)
            return true;
    return false;
}

static bool state_handles(const struct machine *m, const struct state *s, int timer)
{
    const struct state_body *body[3];
    size_t n = bodies_of(m, s, body);
    for (size_t b = 0; b < n; b++)
        if (body_handles(body[b], timer))
            return true;
    return false;
}

/* In which states the timer may fire, and so must be handled in one of them. */
static bool timer_handled(const struct machine *m, int timer, int state, int group)
{
    for (size_t i = 0; i < m->nstates; i++) {
        bool here = m->timers[timer].keep || (state < 0 && group < 0) || (int)i == state ||
                    (group >= 0 && m->states[i].group == group);
        if (here && state_handles(m, &m->states[i], timer))
            return true;
    }
    return false;
}

static void lint_timer(struct graph *g, int timer, int state, int group)
{
    const struct timer_def *t = &g->m->timers[timer];
    if (timer_handled(g->m, timer, state, group))
        return;
    struct yaml at = place_node(g->c, t->place, char_count(t->name));
    struct slice name = state >= 0   ? g->m->states[state].name
                        : group >= 0 ? g->m->groups[group].name
                                     : g->m->name;
    ERROR_AT(g->c, TIMER_UNHANDLED, &at,
             arena_printf(g->c->arena, "a rule with when: timer %.*s", SLICE_ARG(t->name)).p,
             "no rule of “%.*s” handles the timer “%.*s”", SLICE_ARG(name), SLICE_ARG(t->name));
}

/* A timer's name is misspelt somewhere: that was said. */
static bool body_unread(const struct state_body *b)
{
    return body_handles(b, -1);
}

static void lint_timers(struct graph *g)
{
    const struct machine *m = g->m;
    bool unread = body_unread(&m->any_state);
    for (size_t i = 0; i < m->nstates; i++)
        unread |= body_unread(&m->states[i].body);
    for (size_t i = 0; i < m->ngroups; i++)
        unread |= body_unread(&m->groups[i].body);
    if (unread)
        return;
    bool *set = ARENA_ARRAY(g->c->arena, bool, m->ntimers + 1);
    for (size_t i = 0; i < m->nstates; i++)
        for (size_t k = 0; k < m->states[i].body.ntimers; k++) {
            set[m->states[i].body.timers[k]] = true;
            lint_timer(g, m->states[i].body.timers[k], (int)i, -1);
        }
    for (size_t i = 0; i < m->ngroups; i++)
        for (size_t k = 0; k < m->groups[i].body.ntimers; k++) {
            set[m->groups[i].body.timers[k]] = true;
            lint_timer(g, m->groups[i].body.timers[k], -1, (int)i);
        }
    for (size_t i = 0; i < m->ntimers; i++)
        if (!set[i])
            lint_timer(g, (int)i, -1, -1);
}

/* ---- */

static void lint_birth(struct compiler *c, const struct declared *d, const struct machine *m)
{
    const struct yaml *by = yaml_get(d->node, "born-by");
    bool born = m->of == MACHINE_TASK || ledger_of(c, m) || (by && (by->kind != YAML_LIST || by->n > 0));
    if (!born && d->node->kind == YAML_MAP)
        ERROR_AT(c, NEVER_BORN, d->key, "born-by: [EVENT]", "nothing creates an instance of machine %.*s",
                 SLICE_ARG(d->name));
}

void lint_states(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->machines.n; i++) {
        const struct machine *m = &c->program->machines[i + 1];
        bool unread =
            false; /* a group's name is misspelt: that was said, and what its states lack is not known */
        for (size_t s = 0; s < m->nstates; s++)
            unread |= m->states[s].group == GROUP_UNREAD;
        if (unread)
            continue;
        struct graph g = {.c = c, .m = m, .reached = ARENA_ARRAY(c->arena, bool, m->nstates + 1)};
        lint_birth(c, &b->machines.item[i], m);
        lint_graph(&g);
        lint_timers(&g);
        for (size_t s = 0; s < m->nstates; s++)
            lint_rules(&g, &m->states[s].body);
        for (size_t s = 0; s < m->ngroups; s++)
            lint_rules(&g, &m->groups[s].body);
        lint_rules(&g, &m->any_state);
    }
}
