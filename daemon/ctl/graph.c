/* dubanctl graph: machines and the calendar of obligations, drawn. */
#include "ctl/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "ctl/check.h"
#include "lang/compile.h"

bool graph_shows(const struct graph *g, size_t machine)
{
    return machine > 0 && !g->p->machines[machine].hidden && (g->machine < 0 || g->machine == (int)machine);
}

/* ---- rules in words */

static void add_actions(struct buf *b, const struct graph *g, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice name = a[i].op == ACTION_MEASURE ? g->p->measures[a[i].index].name
                            : a[i].op == ACTION_RAISE ? g->p->kinds[a[i].index].name
                                                      : S("");
        if (name.n)
            buf_printf(b, "%s%s%.*s", b->n ? ", " : "", a[i].op == ACTION_RAISE ? "raise " : "",
                       SLICE_ARG(name));
    }
}

struct slice graph_label(const struct graph *g, const struct machine *m, const struct rule *r)
{
    struct buf acts = {0};
    const struct expr_names names = {g->p, m, r->kind == KIND_TIMER ? -1 : r->kind};
    struct slice condition = expr_print(g->arena, &names, r->if_);
    struct slice when = r->kind == KIND_TIMER
                            ? arena_printf(g->arena, "timer %.*s", SLICE_ARG(m->timers[r->timer].name))
                        : r->kind < 0 ? S("any")
                                      : g->p->kinds[r->kind].name;
    add_actions(&acts, g, r->actions, r->nactions);
    struct slice text =
        arena_printf(g->arena, "%.*s%s%.*s%s%s%.*s%s", SLICE_ARG(when), condition.n ? " [" : "",
                     SLICE_ARG(condition), condition.n ? "]" : "", acts.n ? " / " : "", (int)acts.n,
                     acts.n ? acts.p : "", r->refuse.n ? " / refused" : "");
    buf_free(&acts);
    return text;
}

struct slice graph_enter(const struct graph *g, const struct state_body *b)
{
    struct buf acts = {0};
    add_actions(&acts, g, b->enter, b->nenter);
    struct slice text = acts.n ? arena_printf(g->arena, "enter / %.*s", (int)acts.n, acts.p) : S("");
    buf_free(&acts);
    return text;
}

struct slice graph_timer(const struct graph *g, const struct machine *m, int timer)
{
    const struct timer_def *t = &m->timers[timer];
    const struct expr_names names = {g->p, m, -1};
    return arena_printf(g->arena, "timer %.*s: %.*s", SLICE_ARG(t->name),
                        SLICE_ARG(expr_print(g->arena, &names, t->when)));
}

/* ---- who raises what for whom */

static bool raises_in(const struct action *a, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].op == ACTION_RAISE && a[i].index == kind)
            return true;
    return false;
}

static bool body_raises(const struct state_body *b, int kind)
{
    bool raises = raises_in(b->enter, b->nenter, kind) || raises_in(b->leave, b->nleave, kind);
    for (size_t r = 0; r < b->nrules && !raises; r++)
        raises = raises_in(b->rules[r].actions, b->rules[r].nactions, kind);
    return raises;
}

static bool body_hears(const struct state_body *b, int kind)
{
    for (size_t r = 0; r < b->nrules; r++)
        if (b->rules[r].kind == kind)
            return true;
    return false;
}

static bool machine_has(const struct machine *m, int kind, bool (*in)(const struct state_body *b, int kind))
{
    bool found = in(&m->any_state, kind);
    for (size_t i = 0; i < m->nstates && !found; i++)
        found = in(&m->states[i].body, kind);
    for (size_t i = 0; i < m->ngroups && !found; i++)
        found = in(&m->groups[i].body, kind);
    return found;
}

static bool machine_hears(const struct machine *m, int kind)
{
    bool hears = machine_has(m, kind, body_hears);
    for (size_t i = 0; i < m->ncounts && !hears; i++)
        hears = m->counts[i].kind == kind;
    for (size_t i = 0; i < m->nfills && !hears; i++)
        hears = m->fills[i].kind == kind;
    return hears;
}

void graph_raises(const struct graph *g,
                  void (*visit)(const struct graph *g, size_t from, int kind, size_t to))
{
    const struct program *p = g->p;
    for (size_t from = 1; from < p->nmachines; from++)
        for (size_t k = KIND_DECLARED; graph_shows(g, from) && k < p->nkinds; k++)
            for (size_t to = 1; machine_has(&p->machines[from], (int)k, body_raises) && to < p->nmachines;
                 to++)
                if (graph_shows(g, to) && machine_hears(&p->machines[to], (int)k))
                    visit(g, from, (int)k, to);
}

/* ---- obligations */

struct slice graph_owners(const struct graph *g, const struct obligation *o)
{
    const struct expr_names names = {g->p, &g->p->machines[o->machine], -1};
    return expr_print(g->arena, &names, o->owed_by);
}

bool graph_first_period(const struct graph *g, const struct obligation *o, struct period *out)
{
    date_t from = due_span(g->p, o->effective).from;
    if (!due_from_calendar(o) || from == DATE_NONE)
        return false;
    *out = period_of_date(o->period, from);
    if (out->kind != PERIOD_ONCE && period_first(*out) < from)
        *out = period_step(*out, 1);
    return due_in_force(g->p, o, *out);
}

struct slice graph_due(const struct graph *g, const struct obligation *o)
{
    struct period first;
    if (!due_from_calendar(o))
        return S("when it is born");
    return graph_first_period(g, o, &first) ? due_of(g->p, o, first, g->arena).reason : S("");
}

/* ---- SVG: graphviz does the layout */

static enum ctl_exit draw_svg(const struct ctl_call *call, struct graph *g)
{
    if (system("command -v dot >/dev/null 2>&1") != 0)
        return ctl_fail(call, CTL_COULD_NOT,
                        "SVG is laid out by graphviz, and there is no `dot` here: install the "
                        "package graphviz, or take --format dot or mermaid");
    fflush(stdout);
    g->out = popen("dot -Tsvg", "w");
    if (!g->out)
        return ctl_fail(call, CTL_COULD_NOT, "dot: %s", strerror(errno));
    graph_dot(g);
    int status = pclose(g->out);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? CTL_DONE
               : ctl_fail(call, CTL_COULD_NOT, "dot failed; it says why");
}

static bool find_machine(const struct ctl_call *call, struct graph *g, const char *name)
{
    struct slice *names = ARENA_ARRAY(call->arena, struct slice, g->p->nmachines);
    size_t n = 0;
    g->machine = -1;
    for (size_t i = 1; i < g->p->nmachines; i++)
        if (graph_shows(g, i)) {
            names[n++] = g->p->machines[i].name;
            if (name && slice_eq(g->p->machines[i].name, slice_of(name)))
                g->machine = (int)i;
        }
    if (!name || g->machine >= 0)
        return true;
    struct slice near = nearest_name(slice_of(name), names, n);
    ctl_fail(call, CTL_USAGE, "--machine: no machine '%s'%s%.*s%s", name, near.n ? "; did you mean " : "",
             SLICE_ARG(near), near.n ? "?" : "");
    return false;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bundle b;
    struct program *p;
    const char *format = ctl_value(call, "format") ? ctl_value(call, "format") : "mermaid";
    bool svg = !strcmp(format, "svg"), dot = !strcmp(format, "dot");
    if (!svg && !dot && strcmp(format, "mermaid") != 0)
        return ctl_fail(call, CTL_USAGE, "--format: '%s' is none of mermaid, dot, svg", format);
    if (!ctl_load(call, call->argument[0], &b, &p))
        return CTL_PROBLEMS;
    struct graph g = {.out = stdout, .arena = call->arena, .p = p, .machine = -1};
    if (!find_machine(call, &g, ctl_value(call, "machine")))
        return CTL_USAGE;
    if (svg)
        return draw_svg(call, &g);
    (dot ? graph_dot : graph_mermaid)(&g);
    return CTL_DONE;
}

const struct ctl_command ctl_graph = {
    .name = "graph",
    .arguments = "DIR",
    .summary = "every machine, what they raise for one another, and the calendar of obligations, drawn",
    .least = 1,
    .most = 1,
    .options = {{"format", "F", "mermaid (a Markdown page; the default), dot, or svg (needs graphviz)",
                 false},
                {"machine", "NAME", "only this one", false}},
    .one_form = true,
    .run = run,
};
