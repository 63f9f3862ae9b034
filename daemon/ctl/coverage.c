#include "ctl/coverage.h"

#include "lang/compile.h"

const char *const covered_names[COVERED_SORTS] = {
    [COVERED_STATES] = "states", [COVERED_TRANSITIONS] = "transitions", [COVERED_MEASURES] = "measures"};

/* The same rule or state may be met twice: a group's rules belong to all its states, its place is one. */
static void add(struct coverage *c, enum covered sort, struct slice key, struct slice name)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->item[i].sort == sort && slice_eq(c->item[i].key, key))
            return;
    struct covered_item *item = arena_push(c->arena, &c->item, &c->n, &c->cap, sizeof *item);
    *item = (struct covered_item){.sort = sort, .key = key, .name = name};
}

static void reach(struct coverage *c, enum covered sort, struct slice key)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->item[i].sort == sort && slice_eq(c->item[i].key, key))
            c->item[i].reached = true;
}

static void add_rules(struct coverage *c, const struct program *p, const struct machine *m,
                      struct slice where, const struct state_body *body)
{
    for (size_t i = 0; i < body->nrules; i++) {
        const struct rule *r = &body->rules[i];
        const struct place *at = &p->places[r->place];
        struct slice when = r->kind < 0 ? S("any")
                            : r->kind == KIND_TIMER
                                ? arena_printf(c->arena, "timer %.*s", SLICE_ARG(m->timers[r->timer].name))
                                : p->kinds[r->kind].name;
        struct slice go =
            r->go >= 0 ? arena_printf(c->arena, " → %.*s", SLICE_ARG(m->states[r->go].name)) : S("");
        struct slice key = arena_printf(c->arena, "%.*s:%d", SLICE_ARG(at->file), at->line);
        add(c, COVERED_TRANSITIONS, key,
            arena_printf(c->arena, "%.*s.%.*s: when %.*s%.*s (%.*s)", SLICE_ARG(m->name), SLICE_ARG(where),
                         SLICE_ARG(when), SLICE_ARG(go), SLICE_ARG(key)));
    }
}

void coverage_start(struct coverage *c, const struct program *p, struct arena *a)
{
    *c = (struct coverage){.arena = a};
    for (size_t i = 1; i < p->nmachines; i++) { /* 0 is the built-in generator */
        const struct machine *m = &p->machines[i];
        if (m->hidden)
            continue;
        for (size_t s = 0; s < m->nstates; s++) {
            struct slice name =
                arena_printf(a, "%.*s.%.*s", SLICE_ARG(m->name), SLICE_ARG(m->states[s].name));
            add(c, COVERED_STATES, name, name);
            add_rules(c, p, m, m->states[s].name, &m->states[s].body);
        }
        for (size_t g = 0; g < m->ngroups; g++)
            add_rules(c, p, m, m->groups[g].name, &m->groups[g].body);
        add_rules(c, p, m, S("any-state"), &m->any_state);
    }
    for (size_t i = 0; i < p->nmeasures; i++)
        add(c, COVERED_MEASURES, p->measures[i].name, p->measures[i].name);
    for (size_t i = 0; i < p->narticles; i++) {
        struct covered_article *x = arena_push(a, &c->article, &c->narticles, &c->articles_cap, sizeof *x);
        *x = (struct covered_article){.name = p->articles[i].name, .silent = p->articles[i].silent};
        c->articles_known = c->articles_known || !x->silent.n;
    }
}

void coverage_join(struct coverage *c, const struct coverage *from)
{
    for (size_t i = 0; i < c->n; i++) /* items stand in the program's order in both */
        c->item[i].reached = c->item[i].reached || from->item[i].reached;
    for (size_t i = 0; i < from->narticles; i++)
        if (from->article[i].reached)
            coverage_article(c, from->article[i].name);
}

void coverage_take(struct coverage *c, const json_t *history)
{
    const json_t *transitions = json_object_get(history, "transitions");
    for (size_t i = 0; i < json_array_size(transitions); i++) {
        const json_t *t = json_array_get(transitions, i);
        struct slice machine = json_member(t, "machine"), to = json_member(t, "to");
        reach(c, COVERED_STATES, arena_printf(c->arena, "%.*s.%.*s", SLICE_ARG(machine), SLICE_ARG(to)));
        reach(c, COVERED_TRANSITIONS, json_member(t, "rule"));
    }
}

void coverage_measure(struct coverage *c, struct slice name)
{
    reach(c, COVERED_MEASURES, name);
}

void coverage_article(struct coverage *c, struct slice article)
{
    for (size_t i = 0; i < c->narticles; i++)
        if (article_same(c->article[i].name, article)) {
            c->article[i].reached = true;
            return;
        }
    struct covered_article *x = arena_push(c->arena, &c->article, &c->narticles, &c->articles_cap, sizeof *x);
    *x = (struct covered_article){.name = article, .reached = true};
}

void coverage_articles(const struct coverage *c, size_t *reached, size_t *all)
{
    *reached = 0;
    *all = c->narticles;
    for (size_t i = 0; i < c->narticles; i++)
        *reached += c->article[i].reached || c->article[i].silent.n;
}

void coverage_count(const struct coverage *c, enum covered sort, size_t *reached, size_t *all)
{
    *reached = *all = 0;
    for (size_t i = 0; i < c->n; i++) {
        *all += c->item[i].sort == sort;
        *reached += c->item[i].sort == sort && c->item[i].reached;
    }
}
