#include "ctl/graph.h"

#define BARS_MAX 60 /* periods of one obligation that the chart shows */

/* What Mermaid would read as its own signs stands as entities. */
static void put_text(const struct graph *g, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] && strchr("#;:\"<>{}|", s.p[i]))
            fprintf(g->out, "#%d;", s.p[i]);
        else
            fputc(s.p[i], g->out);
    }
}

/* A cell of a Markdown table. */
static void put_cell(const struct graph *g, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|')
            fputc('\\', g->out);
        fputc(s.p[i], g->out);
    }
    fputs(" | ", g->out);
}

/* ---- a machine */

static void put_state(const struct graph *g, const struct machine *m, size_t s, const char *indent)
{
    const struct state *st = &m->states[s];
    fprintf(g->out, "%sstate \"", indent);
    put_text(g, st->title.n ? st->title : st->name);
    fprintf(g->out, "\" as s%zu\n", s);
    struct slice enter = graph_enter(g, &st->body);
    if (enter.n) {
        fprintf(g->out, "%ss%zu : ", indent, s);
        put_text(g, enter);
        fputc('\n', g->out);
    }
    for (size_t i = 0; i < st->body.ntimers; i++) {
        fprintf(g->out, "%ss%zu : ", indent, s);
        put_text(g, graph_timer(g, m, st->body.timers[i]));
        fputc('\n', g->out);
    }
}

/* Where a rule leads; with `stays`, those that lead nowhere, as loops. */
static void put_rules(const struct graph *g, const struct machine *m, const struct state_body *b,
                      const char *from, bool stays)
{
    for (size_t r = 0; r < b->nrules; r++) {
        const struct rule *rule = &b->rules[r];
        if (rule->go < 0 && !stays)
            continue;
        if (rule->go >= 0)
            fprintf(g->out, "    %s --> s%d : ", from, rule->go);
        else
            fprintf(g->out, "    %s --> %s : ", from, from);
        put_text(g, graph_label(g, m, rule));
        fputc('\n', g->out);
    }
}

/* What several states share and what leads nowhere, as lines of a box: no loop can be drawn around a group.
 */
static void put_shared(const struct graph *g, const struct machine *m, const struct state_body *b,
                       const char *box)
{
    for (size_t t = 0; t < b->ntimers; t++) {
        fprintf(g->out, "    %s : ", box);
        put_text(g, graph_timer(g, m, b->timers[t]));
        fputc('\n', g->out);
    }
    for (size_t r = 0; r < b->nrules; r++) {
        if (b->rules[r].go >= 0)
            continue;
        fprintf(g->out, "    %s : ", box);
        put_text(g, graph_label(g, m, &b->rules[r]));
        fputc('\n', g->out);
    }
}

static void put_groups(const struct graph *g, const struct machine *m)
{
    char box[32];
    for (size_t k = 0; k < m->ngroups; k++) {
        fprintf(g->out, "    state \"");
        put_text(g, m->groups[k].name);
        fprintf(g->out, "\" as g%zu {\n", k);
        for (size_t s = 0; s < m->nstates; s++)
            if (m->states[s].group == (int)k)
                put_state(g, m, s, "        ");
        fprintf(g->out, "        state \"in each of these\" as g%zux\n    }\n", k);
        snprintf(box, sizeof box, "g%zux", k);
        put_shared(g, m, &m->groups[k].body, box);
    }
}

static void put_machine(const struct graph *g, size_t i)
{
    const struct machine *m = &g->p->machines[i];
    char from[32];
    fputs("stateDiagram-v2\n", g->out);
    for (size_t s = 0; s < m->nstates; s++)
        if (m->states[s].group < 0)
            put_state(g, m, s, "    ");
    put_groups(g, m);
    fprintf(g->out, "    [*] --> s%d\n", m->initial);
    for (size_t s = 0; s < m->nstates; s++) {
        snprintf(from, sizeof from, "s%zu", s);
        put_rules(g, m, &m->states[s].body, from, true);
        if (m->states[s].final)
            fprintf(g->out, "    s%zu --> [*]\n", s);
    }
    for (size_t k = 0; k < m->ngroups; k++) {
        snprintf(from, sizeof from, "g%zu", k);
        put_rules(g, m, &m->groups[k].body, from, false);
    }
    if (m->any_state.nrules) {
        fputs("    state \"in any state\" as any\n", g->out);
        put_shared(g, m, &m->any_state, "any");
        put_rules(g, m, &m->any_state, "any", false);
    }
}

/* ---- between machines */

static void put_raise(const struct graph *g, size_t from, int kind, size_t to)
{
    fprintf(g->out, "    m%zu -- \"", from);
    put_text(g, g->p->kinds[kind].name);
    fprintf(g->out, "\" --> m%zu\n", to);
}

static void put_raises(const struct graph *g)
{
    fputs("flowchart LR\n", g->out);
    for (size_t i = 1; i < g->p->nmachines; i++)
        if (graph_shows(g, i)) {
            fprintf(g->out, "    m%zu[\"", i);
            put_text(g, g->p->machines[i].title);
            fputs("\"]\n", g->out);
        }
    graph_raises(g, put_raise);
}

/* ---- the calendar */

static void put_bars(const struct graph *g, const struct obligation *o)
{
    struct period q;
    fputs("    section ", g->out);
    put_text(g, o->title);
    fputc('\n', g->out);
    if (!graph_first_period(g, o, &q))
        return;
    for (int n = 0; n < BARS_MAX && due_in_force(g->p, o, q); n++, q = period_step(q, 1)) {
        struct due due = due_of(g->p, o, q, g->arena);
        date_t from = tz_date(g->p->tz, due.opens, NULL);
        date_t until = due.day != DATE_NONE ? due.day + 1 : q.kind == PERIOD_ONCE ? from + 1 : period_end(q);
        struct slice name = q.kind == PERIOD_ONCE ? S("once") : period_format(g->arena, q);
        if (due_owes(o, &due))
            fprintf(g->out, "    %.*s :%s%.*s, %.*s\n", SLICE_ARG(name), due.day != DATE_NONE ? "" : "done, ",
                    SLICE_ARG(date_format(g->arena, from)), SLICE_ARG(date_format(g->arena, until)));
        if (q.kind == PERIOD_ONCE ||
            (g->p->effective.until == DATE_NONE && o->effective.until == DATE_NONE && n >= 11))
            return;
    }
}

static void put_calendar(const struct graph *g)
{
    fputs("\n## Obligations\n\n| obligation | title | basis | who | period | due |\n|--|--|--|--|--|--|\n",
          g->out);
    for (size_t i = 0; i < g->p->nobligations; i++) {
        const struct obligation *o = &g->p->obligations[i];
        fputs("| ", g->out);
        put_cell(g, o->name);
        put_cell(g, o->title);
        put_cell(g, o->basis);
        put_cell(g, graph_owners(g, o));
        put_cell(g, slice_of(period_kind_name(o->period)));
        put_cell(g, graph_due(g, o));
        fputc('\n', g->out);
    }
    fputs("\n```mermaid\ngantt\n    dateFormat YYYY-MM-DD\n    axisFormat %m-%d\n", g->out);
    for (size_t i = 0; i < g->p->nobligations; i++)
        put_bars(g, &g->p->obligations[i]);
    fputs("```\n", g->out);
}

void graph_mermaid(const struct graph *g)
{
    if (g->machine >= 0) {
        put_machine(g, (size_t)g->machine);
        return;
    }
    fprintf(g->out, "# %.*s\n", SLICE_ARG(g->p->title));
    for (size_t i = 1; i < g->p->nmachines; i++)
        if (graph_shows(g, i)) {
            fprintf(g->out, "\n## %.*s (%.*s)\n\n```mermaid\n", SLICE_ARG(g->p->machines[i].title),
                    SLICE_ARG(g->p->machines[i].name));
            put_machine(g, i);
            fputs("```\n", g->out);
        }
    fputs("\n## What machines raise for one another\n\n```mermaid\n", g->out);
    put_raises(g);
    fputs("```\n", g->out);
    if (g->p->nobligations)
        put_calendar(g);
}
