#include "ctl/graph.h"

/* Inside quotes. */
static void put_text(const struct graph *g, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            fputc('\\', g->out);
        fputc(s.p[i], g->out);
    }
}

/* A line every 40 characters or so, broken at a blank. */
static void put_wrapped(const struct graph *g, struct slice s)
{
    size_t column = 0, from = 0;
    for (size_t i = 0; i < s.n; i++) {
        column += ((unsigned char)s.p[i] & 0xC0) != 0x80;
        if (s.p[i] == ' ' && column > 40) {
            put_text(g, (struct slice){s.p + from, i - from});
            fputs("\\n", g->out);
            from = i + 1;
            column = 0;
        }
    }
    put_text(g, (struct slice){s.p + from, s.n - from});
}

static void put_state(const struct graph *g, const struct machine *m, size_t machine, size_t s,
                      const char *indent)
{
    const struct state *st = &m->states[s];
    fprintf(g->out, "%sm%zus%zu [label=\"", indent, machine, s);
    put_text(g, st->title.n ? st->title : st->name);
    fputs("\\n", g->out);
    put_text(g, st->name);
    struct slice enter = graph_enter(g, &st->body);
    fputs(enter.n ? "\\n" : "", g->out);
    put_wrapped(g, enter);
    for (size_t i = 0; i < st->body.ntimers; i++) {
        fputs("\\n", g->out);
        put_wrapped(g, graph_timer(g, m, st->body.timers[i]));
    }
    fprintf(g->out, "\"%s%s];\n", st->final ? ", peripheries=2" : "",
            m->initial == (int)s && m->nstates > 1 ? ", style=\"rounded,bold\"" : "");
}

static void put_edge(const struct graph *g, const struct machine *m, size_t machine, size_t from, size_t to,
                     const struct rule *r, const char *style)
{
    fprintf(g->out, "    m%zus%zu -> m%zus%zu [label=\"", machine, from, machine, to);
    put_wrapped(g, graph_label(g, m, r));
    fprintf(g->out, "\"%s];\n", style);
}

/* Where the shared rules lead: from each of their states, thin; of any-state, dotted. */
static void put_rules(const struct graph *g, const struct machine *m, size_t machine,
                      const struct state_body *b, int group, bool any)
{
    for (size_t r = 0; r < b->nrules; r++)
        for (size_t s = 0; b->rules[r].go >= 0 && s < m->nstates; s++)
            if (any ? !m->states[s].final : m->states[s].group == group)
                put_edge(g, m, machine, s, (size_t)b->rules[r].go, &b->rules[r],
                         any ? ", style=dotted" : ", style=dashed");
}

/* Their timers, and the rules that lead nowhere: lines of the label, for a loop at each state would hide the
 * rest. */
static void put_shared(const struct graph *g, const struct machine *m, const struct state_body *b)
{
    for (size_t t = 0; t < b->ntimers; t++) {
        fputs("\\n", g->out);
        put_wrapped(g, graph_timer(g, m, b->timers[t]));
    }
    for (size_t r = 0; r < b->nrules; r++)
        if (b->rules[r].go < 0) {
            fputs("\\n", g->out);
            put_wrapped(g, graph_label(g, m, &b->rules[r]));
        }
}

static void put_machine(const struct graph *g, size_t i)
{
    const struct machine *m = &g->p->machines[i];
    fprintf(g->out, "  subgraph cluster_%zu {\n    label=\"", i);
    put_text(g, m->title);
    fputs(" (", g->out);
    put_text(g, m->name);
    fputs(")", g->out);
    put_shared(g, m, &m->any_state);
    fputs("\";\n", g->out);
    for (size_t s = 0; s < m->nstates; s++)
        if (m->states[s].group < 0)
            put_state(g, m, i, s, "    ");
    for (size_t k = 0; k < m->ngroups; k++) {
        fprintf(g->out, "    subgraph cluster_%zu_%zu {\n      style=dashed;\n      label=\"", i, k);
        put_text(g, m->groups[k].name);
        put_shared(g, m, &m->groups[k].body);
        fputs("\";\n", g->out);
        for (size_t s = 0; s < m->nstates; s++)
            if (m->states[s].group == (int)k)
                put_state(g, m, i, s, "      ");
        fputs("    }\n", g->out);
    }
    for (size_t s = 0; s < m->nstates; s++)
        for (size_t r = 0; r < m->states[s].body.nrules; r++) {
            const struct rule *rule = &m->states[s].body.rules[r];
            put_edge(g, m, i, s, rule->go >= 0 ? (size_t)rule->go : s, rule, "");
        }
    for (size_t k = 0; k < m->ngroups; k++)
        put_rules(g, m, i, &m->groups[k].body, (int)k, false);
    put_rules(g, m, i, &m->any_state, -1, true);
    fputs("  }\n", g->out);
}

static void put_raise(const struct graph *g, size_t from, int kind, size_t to)
{
    fprintf(g->out, "  m%zus%d -> m%zus%d [label=\"raise ", from, g->p->machines[from].initial, to,
            g->p->machines[to].initial);
    put_text(g, g->p->kinds[kind].name);
    fprintf(g->out, "\", ltail=cluster_%zu, lhead=cluster_%zu, style=bold, color=gray40];\n", from, to);
}

static void put_calendar(const struct graph *g)
{
    fputs("  calendar [shape=plaintext, label=\"", g->out);
    for (size_t i = 0; i < g->p->nobligations; i++) {
        const struct obligation *o = &g->p->obligations[i];
        put_text(g, o->title);
        fputs(" (", g->out);
        put_text(g, o->name);
        fputs("): ", g->out);
        put_text(g, graph_owners(g, o));
        fprintf(g->out, ", %s, ", period_kind_name(o->period));
        put_text(g, graph_due(g, o));
        fputs("\\l", g->out);
    }
    fputs("\"];\n", g->out);
}

void graph_dot(const struct graph *g)
{
    fputs("digraph \"", g->out);
    put_text(g, g->p->id);
    fputs("\" {\n  compound=true;\n  rankdir=TB;\n  fontname=\"Noto Sans CJK SC\";\n  label=\"", g->out);
    put_text(g, g->p->title);
    fputs("\";\n  node [shape=box, style=rounded, fontname=\"Noto Sans CJK SC\"];\n"
          "  edge [fontname=\"Noto Sans CJK SC\", fontsize=10];\n",
          g->out);
    for (size_t i = 1; i < g->p->nmachines; i++)
        if (graph_shows(g, i))
            put_machine(g, i);
    if (g->machine < 0) {
        graph_raises(g, put_raise);
        if (g->p->nobligations)
            put_calendar(g);
    }
    fputs("}\n", g->out);
}
