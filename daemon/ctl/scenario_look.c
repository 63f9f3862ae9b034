/* Rules that did not hold while a step was applied: what a failing check tells of why it did not happen. */
#include "ctl/scenario_run.h"

#define TOLD_MAX 4 /* rules told of a failing check */

static void take_rule(void *ctx, const struct watched *w)
{
    struct scenario_run *run = ctx;
    if (w->what != WATCHED_RULE || w->holds)
        return;
    const struct machine *m = &w->program->machines[w->instance->machine];
    struct slice who = instance_print(run->arena, w->program, w->instance);
    struct looked_at *l = arena_push(run->arena, &run->looked, &run->nlooked, &run->looked_cap, sizeof *l);
    *l = (struct looked_at){.machine = m, .rule = w->rule, .parts = {.arena = run->arena}};
    for (size_t k = 0; k < m->nkey; k++)
        l->key[k] = arena_dup(run->arena, w->instance->key[k]);
    l->line = arena_printf(run->arena, "not taken: %.*s %.*s, of %.*s in %.*s at %.*s",
                           SLICE_ARG(place_print(run->arena, w->program, w->rule->place)),
                           SLICE_ARG(rule_print(run->arena, w->program, m, w->rule)), SLICE_ARG(who),
                           SLICE_ARG(m->states[w->instance->state].name),
                           SLICE_ARG(instant_format_local(run->arena, w->program->tz, w->now)));
    guard_explain(&l->parts, w, w->rule->if_);
}

void looked_start(struct scenario_run *run, struct watch *w)
{
    *w = (struct watch){.ctx = run, .seen = take_rule};
}

/* What the pattern says of this part of the key: by the part's own name, or by what it is for measures. */
static const struct yaml *wanted(const struct looked_at *l, size_t part, const struct yaml *pattern)
{
    const struct field *key = &l->machine->key[part];
    const char *as = (int)part == l->machine->unit_key ? "unit"
                     : key->type.tag == TYPE_PERIOD    ? "period"
                     : l->machine->of == MACHINE_TASK  ? NULL
                                                       : "subject";
    for (size_t i = 0; i < pattern->n; i++)
        if (slice_eq(pattern->pairs[i].key->text, key->name))
            return pattern->pairs[i].value;
    return as ? yaml_get(pattern, as) : NULL;
}

/* Whether the instance is one that the pattern could mean: no part of its key is another than the pattern's.
 */
static bool key_fits(const struct looked_at *l, const struct yaml *pattern)
{
    for (size_t k = 0; k < l->machine->nkey; k++) {
        const struct yaml *want = wanted(l, k, pattern);
        if (want && !slice_eq(want->text, l->key[k]))
            return false;
    }
    return true;
}

static bool leads_there(const struct scenario_run *run, const struct looked_at *l, const struct yaml *pattern)
{
    const struct yaml *measure = yaml_get(pattern, "measure"), *machine = yaml_get(pattern, "machine"),
                      *state = yaml_get(pattern, "state");
    if (state && machine)
        return slice_eq(l->machine->name, machine->text) && l->rule->go >= 0 &&
               slice_eq(l->machine->states[l->rule->go].name, state->text);
    for (size_t i = 0; measure && i < run->p->nmeasures; i++)
        if (slice_eq(run->p->measures[i].name, measure->text) && rule_issues(l->machine, l->rule, (int)i))
            return true;
    return false;
}

void looked_tell(struct scenario_run *run, struct failure *f, const struct yaml *pattern)
{
    size_t told = 0;
    for (size_t i = run->nlooked; i-- > 0 && told <= TOLD_MAX;) { /* the latest first */
        const struct looked_at *l = &run->looked[i];
        if (!leads_there(run, l, pattern) || !key_fits(l, pattern))
            continue;
        if (told++ == TOLD_MAX) {
            failure_add(run, f, S("and more rules that did not hold"));
            return;
        }
        failure_add(run, f, l->line);
        for (size_t k = 0; k < l->parts.n; k++)
            failure_add(run, f, arena_printf(run->arena, "  %.*s", SLICE_ARG(l->parts.item[k])));
    }
}
