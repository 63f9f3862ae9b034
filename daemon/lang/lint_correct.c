/* Corrections that a machine waits for and that nobody may make. */
#include "lang/lint.h"

static bool hears_of_tasks(const struct machine *m, int kind)
{
    for (size_t r = 0; r < m->nreach; r++)
        if (m->reach[r].kind == kind)
            return true;
    return false;
}

/* Without an issuer, a task's corrections are made by those who receive the reports, and a case's by nobody.
 */
static bool somebody_may(const struct program *p, int machine, int kind)
{
    const struct machine *m = &p->machines[machine];
    for (size_t o = 0; o < p->nobligations; o++) {
        bool heard = m->of == MACHINE_TASK ? p->obligations[o].machine == machine : hears_of_tasks(m, kind);
        if (heard && (p->obligations[o].nto > 0 || p->obligations[o].to_units))
            return true;
    }
    return false;
}

static void lint_body(struct compiler *c, int machine, const struct state_body *b)
{
    const struct program *p = c->program;
    for (size_t r = 0; r < b->nrules; r++) {
        const struct rule *rule = &b->rules[r];
        if (rule->kind < KIND_REFUSED || rule->kind > KIND_EXCUSED || somebody_may(p, machine, rule->kind))
            continue;
        struct yaml at = place_node(c, rule->place, 1);
        WARN_AT(c, CORRECTION, &at,
                p->machines[machine].of == MACHINE_TASK ? "issuer: ROLE, or to: of the obligation"
                                                        : "issuer: ROLE",
                "nobody may make what this rule waits for");
    }
}

void lint_corrections(struct compiler *c)
{
    const struct section *s = &build_of(c)->machines;
    if (yaml_get(c->root, "issuer"))
        return; /* it may; or its role is misspelt, and that was said */
    for (size_t i = 0; i < s->n; i++) {
        const struct machine *m = &c->program->machines[i + 1];
        for (size_t k = 0; s->item[i].own && k < m->nstates; k++)
            lint_body(c, (int)i + 1, &m->states[k].body);
        for (size_t k = 0; s->item[i].own && k < m->ngroups; k++)
            lint_body(c, (int)i + 1, &m->groups[k].body);
        if (s->item[i].own)
            lint_body(c, (int)i + 1, &m->any_state);
    }
}
