/* Machines as diagrams, and the calendar of obligations. Output depends on the definition alone. */
#ifndef DUBAND_CTL_GRAPH_H
#define DUBAND_CTL_GRAPH_H

#include <stdio.h>

#include "core/due.h"
#include "core/expr_print.h"

struct graph {
    FILE *out;
    struct arena *arena;
    const struct program *p;
    int machine; /* this one only; -1: all, what they raise for one another, and the calendar */
};

/* ---- graph_mermaid.c: of one machine a diagram; of all, a Markdown page of them */
void graph_mermaid(const struct graph *g);
/* ---- graph_dot.c */
void graph_dot(const struct graph *g);

/* ---- graph.c: what both tell */

/* Machines that people see: the built-in and hidden ones are not. */
bool graph_shows(const struct graph *g, size_t machine);
/* "ranked [event.low and low ≥ params.red-min] / warning" */
struct slice graph_label(const struct graph *g, const struct machine *m, const struct rule *r);
/* "timer limit: limit" */
struct slice graph_timer(const struct graph *g, const struct machine *m, int timer);
/* "enter / yellow-card": what entering issues and raises; empty: nothing. */
struct slice graph_enter(const struct graph *g, const struct state_body *b);
/* Visits each (machine, event, machine): one raises, another hears. */
void graph_raises(const struct graph *g,
                  void (*visit)(const struct graph *g, size_t from, int kind, size_t to));
/* Who owes, as the definition writes it; when it is due in its first period, in words. */
struct slice graph_owners(const struct graph *g, const struct obligation *o);
struct slice graph_due(const struct graph *g, const struct obligation *o);
/* The first period that is owed; false: none. */
bool graph_first_period(const struct graph *g, const struct obligation *o, struct period *out);

#endif
