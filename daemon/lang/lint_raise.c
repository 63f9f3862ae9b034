/* Events that raise one another without a timer between: a turn that would never end. */
#include "lang/lint.h"

#define BEARING_MAX 4 /* tasks that bear tasks, followed so far */

struct raise_graph {
    int bearing;
    struct compiler *c;
    int *node; /* by kind: its number among the kinds that something raises, or -1; no other can stand in a
                  circle */
    int *kind; /* by node */
    size_t n;  /* nodes */
    uint32_t *place; /* [from * n + to]: where `from` makes something raise `to`; 0: nowhere */
    char *seen;      /* 0 not yet, 1 on the way, 2 done */
    int *path;
    size_t depth;
};

static void edges_enter(struct raise_graph *g, int from, const struct machine *m, int state);

/* A task that a rule bears is entered in its first state. */
static void edges_borne(struct raise_graph *g, int from, int obligation)
{
    const struct program *p = g->c->program;
    int machine = p->obligations[obligation].machine;
    if (machine < 0 || g->bearing == BEARING_MAX)
        return;
    g->bearing++;
    edges_enter(g, from, &p->machines[machine], p->machines[machine].initial);
    g->bearing--;
}

static void edges_from(struct raise_graph *g, int from, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i].op == ACTION_TASK)
            edges_borne(g, from, a[i].index);
        if (a[i].op != ACTION_RAISE || g->node[from] < 0)
            continue;
        uint32_t *place = &g->place[(size_t)g->node[from] * g->n + (size_t)g->node[a[i].index]];
        *place = *place ? *place : a[i].place;
    }
}

static void edges_enter(struct raise_graph *g, int from, const struct machine *m, int state)
{
    if (state < 0)
        return;
    const struct state *s = &m->states[state];
    edges_from(g, from, s->body.enter, s->body.nenter);
    if (s->group >= 0)
        edges_from(g, from, m->groups[s->group].body.enter, m->groups[s->group].body.nenter);
}

static void edges_leave(struct raise_graph *g, int from, const struct machine *m)
{
    for (size_t i = 0; i < m->nstates; i++)
        edges_from(g, from, m->states[i].body.leave, m->states[i].body.nleave);
    for (size_t i = 0; i < m->ngroups; i++)
        edges_from(g, from, m->groups[i].body.leave, m->groups[i].body.nleave);
}

/* What the rules of one body may raise when `kind` reaches the machine as the event `heard`; its `any` rules follow every event. */
static void edges_body(struct raise_graph *g, int kind, int heard, const struct machine *m, const struct state_body *b)
{
    for (size_t i = 0; i < b->nrules; i++) {
        const struct rule *r = &b->rules[i];
        if (r->kind != heard && r->kind != -1)
            continue;
        edges_from(g, kind, r->actions, r->nactions);
        edges_enter(g, kind, m, r->go);
        if (r->go >= 0)
            edges_leave(g, kind, m);
    }
}

static void edges_heard(struct raise_graph *g, int kind, int heard, const struct machine *m)
{
    for (size_t s = 0; s < m->nstates; s++)
        edges_body(g, kind, heard, m, &m->states[s].body);
    for (size_t s = 0; s < m->ngroups; s++)
        edges_body(g, kind, heard, m, &m->groups[s].body);
    edges_body(g, kind, heard, m, &m->any_state);
}

static void edges_machine(struct raise_graph *g, const struct machine *m)
{
    for (size_t i = 0; i < m->nreach; i++) {
        int kind = m->reach[i].kind;
        if (m->reach[i].born)
            edges_enter(g, kind, m, m->initial);
        edges_heard(g, kind, kind, m);
    }
}

/* Tasks hear of an event as something that counts, or as what is filed for them; or are borne by it. */
static void edges_obligation(struct raise_graph *g, const struct obligation *o)
{
    const struct machine *m = o->machine >= 0 ? &g->c->program->machines[o->machine] : NULL;
    for (size_t i = 0; m && i < o->ncounts; i++)
        edges_heard(g, o->counts[i].kind, KIND_COUNTED, m);
    for (size_t i = 0; m && i < o->nbirths; i++) {
        edges_enter(g, o->births[i].kind, m, m->initial);
        edges_heard(g, o->births[i].kind, -1, m);
    }
    for (int heard = KIND_SUBMITTED; m && o->filed_by != KIND_SUBMITTED && heard <= KIND_RETURNED; heard++)
        edges_heard(g, o->filed_by, heard, m);
}

static void cycle_report(struct raise_graph *g, size_t begin, int last)
{
    struct compiler *c = g->c;
    struct buf b = {0};
    for (size_t i = begin; i < g->depth; i++)
        buf_printf(&b, "%.*s → ", SLICE_ARG(c->program->kinds[g->kind[g->path[i]]].name));
    buf_add(&b, c->program->kinds[g->kind[g->path[begin]]].name);
    struct yaml at = place_node(c, g->place[(size_t)last * g->n + (size_t)g->path[begin]], 1);
    ERROR_AT(c, RAISE_CYCLE, &at, "a timer somewhere in the circle",
             "these events raise one another without end: %.*s", SLICE_ARG(buf_slice(&b)));
    buf_free(&b);
}

static void visit(struct raise_graph *g, int node)
{
    g->seen[node] = 1;
    g->path[g->depth++] = node;
    for (size_t to = 0; to < g->n; to++) {
        if (!g->place[(size_t)node * g->n + to])
            continue;
        if (g->seen[to] == 0) {
            visit(g, (int)to);
        } else if (g->seen[to] == 1) {
            size_t begin = 0;
            while (g->path[begin] != (int)to)
                begin++;
            cycle_report(g, begin, node);
        }
    }
    g->depth--;
    g->seen[node] = 2;
}

static void nodes_add(struct raise_graph *g, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].op == ACTION_RAISE && g->node[a[i].index] < 0) {
            g->node[a[i].index] = (int)g->n;
            g->kind[g->n++] = a[i].index;
        }
}

static void nodes_of_body(struct raise_graph *g, const struct state_body *b)
{
    nodes_add(g, b->enter, b->nenter);
    nodes_add(g, b->leave, b->nleave);
    for (size_t i = 0; i < b->nrules; i++)
        nodes_add(g, b->rules[i].actions, b->rules[i].nactions);
}

static void nodes_find(struct raise_graph *g)
{
    const struct program *p = g->c->program;
    for (size_t k = 0; k < p->nkinds; k++)
        g->node[k] = -1;
    for (size_t i = 1; i < p->nmachines; i++) {
        for (size_t s = 0; s < p->machines[i].nstates; s++)
            nodes_of_body(g, &p->machines[i].states[s].body);
        for (size_t s = 0; s < p->machines[i].ngroups; s++)
            nodes_of_body(g, &p->machines[i].groups[s].body);
        nodes_of_body(g, &p->machines[i].any_state);
    }
}

/* What is published closes a tally, and that raises events. */
static size_t tally_raises(const struct program *p, int tally, int *kind)
{
    size_t n = 0;
    kind[n++] = p->tallies[tally].kind_closed;
    for (size_t r = 0; r < p->nrankings; r++)
        if (p->rankings[r].tally == tally) {
            kind[n++] = p->rankings[r].kind_list;
            kind[n++] = p->rankings[r].kind_entry;
        }
    return n;
}

static void nodes_tallies(struct raise_graph *g, int *kind)
{
    const struct program *p = g->c->program;
    for (size_t i = 0; i < p->ntallies; i++)
        for (size_t n = tally_raises(p, (int)i, kind); n-- > 0;)
            if (g->node[kind[n]] < 0) {
                g->node[kind[n]] = (int)g->n;
                g->kind[g->n++] = kind[n];
            }
}

static void edges_tallies(struct raise_graph *g, int *kind)
{
    const struct program *p = g->c->program;
    for (size_t i = 0; i < p->ntallies; i++) {
        int from = p->tallies[i].closes_kind;
        for (size_t n = tally_raises(p, (int)i, kind); from >= 0 && g->node[from] >= 0 && n-- > 0;)
            g->place[(size_t)g->node[from] * g->n + (size_t)g->node[kind[n]]] = p->tallies[i].place;
    }
}

void lint_raises(struct compiler *c)
{
    struct program *p = c->program;
    struct raise_graph g = {
        .c = c, .node = ARENA_ARRAY(c->arena, int, p->nkinds), .kind = ARENA_ARRAY(c->arena, int, p->nkinds)};
    int *raised = ARENA_ARRAY(c->arena, int, 2 * p->nrankings + 1);
    nodes_find(&g);
    nodes_tallies(&g, raised);
    if (g.n > NAMES_MAX) {
        struct yaml at = place_node(c, p->kinds[g.kind[NAMES_MAX]].place, 1);
        ERROR_AT(c, TOO_LARGE, &at, arena_printf(c->arena, "at most %d", NAMES_MAX).p,
                 "too many raised events");
        return;
    }
    g.place = ARENA_ARRAY(c->arena, uint32_t, g.n * g.n + 1);
    g.seen = ARENA_ARRAY(c->arena, char, g.n + 1);
    g.path = ARENA_ARRAY(c->arena, int, g.n + 1);
    for (size_t i = 1; i < p->nmachines; i++)
        edges_machine(&g, &p->machines[i]);
    for (size_t i = 0; i < p->nobligations; i++)
        edges_obligation(&g, &p->obligations[i]);
    edges_tallies(&g, raised);
    for (size_t i = 0; i < g.n; i++)
        if (!g.seen[i])
            visit(&g, (int)i);
}
