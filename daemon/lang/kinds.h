/* Kinds of events and the fields of things: between declare.c and the files that fill what it declares. */
#ifndef DUBAND_KINDS_H
#define DUBAND_KINDS_H

#include "lang/build.h"

/* The array of kinds may move while kinds are added. */
struct kind *kind_add(struct compiler *c, struct slice name, enum kind_class class_, const struct yaml *at);
void kinds_builtin(struct compiler *c);
struct slice kind_builtin_name(int kind);
void kinds_rename(
    struct compiler *c); /* built-in kinds, where a declared one bears their name: once all kinds are there */
void events_declare(struct compiler *c);
void ranking_computed_read(struct compiler *c, const struct declared *d, struct ranking *r); /* `computed:`; once r->of is known */
void rankings_declare(struct compiler *c);
void kinds_compile(struct compiler *c); /* refusals, tails, middles: last */

/* A map of names and types. */
struct field *fields_compile(struct compiler *c, const struct yaml *map, size_t *n);
int field_find(const struct field *f, size_t n, struct slice name);
const char *field_hint(struct compiler *c, const struct field *f, size_t n, struct slice got);

/* ---- actions, wherever they stand in a machine's yaml */
struct action_site {
    const struct yaml *action;
    const struct yaml *rule; /* NULL: on entry or on leaving */
    const struct yaml *body; /* the state or group; NULL: any-state */
    const struct yaml *key;  /* the body's name; NULL: any-state */
};
void actions_visit(const struct yaml *machine, void (*visit)(void *ctx, const struct action_site *site),
                   void *ctx);

/* Where a machine's expressions stand, no event at hand. */
struct scope machine_scope(struct compiler *c, int machine);

void machines_declare(
    struct compiler *c); /* keys, variables, counters, lets, states, groups, timers: names and types */
/* A machine that the language makes itself, behind the declared ones: its index. Before any scope is made, for the array may move. */
int machine_add(struct compiler *c, struct slice name, const struct yaml *at);
void issued_declare(struct compiler *c); /* the machine that keeps what was issued to whom */
/* Tallies: names, periods and what their closing raises; then their machines; then, when all names are known, their expressions. */
void tallies_name(struct compiler *c);
void tallies_declare(struct compiler *c);
void raises_declare(struct compiler *c); /* kinds that nothing declares but a raise: */

/* What says when a timer falls due: `NAME: due`, or `NAME: {at: due, keep: yes}`. */
const struct yaml *timer_when(const struct yaml *node);
/* The event of a rule's `when:`; -1: a timer, any, or unknown. Says nothing. */
int when_kind(const struct compiler *c, const struct yaml *rule, bool task);

/* The timer that a body means by a name: its own, its group's, else the machine's only one. -1: none. */
int timer_named(const struct machine *m, const struct state_body *body, const struct state_body *group,
                struct slice name);

#endif
