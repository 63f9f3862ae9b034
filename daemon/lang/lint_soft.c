/* Soft words with a sanction: 「原则上」, 不定期, 适时 carry no day, so nobody is sanctioned by them. */
#include "lang/lint.h"

/* A step against somebody, other than a word to them. */
static bool is_sanction(const struct measure *m)
{
    return m->level >= LEVEL_WARNING && m->level != LEVEL_LIFT && m->level != LEVEL_WITHDRAWAL;
}

static const struct measure *actions_sanction(const struct program *p, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].op == ACTION_MEASURE && a[i].index >= 0 && is_sanction(&p->measures[a[i].index]))
            return &p->measures[a[i].index];
    return NULL;
}

/* What the rule issues, on its way or on entering where it goes. NULL: no sanction. */
static const struct measure *rule_sanction(const struct program *p, const struct machine *m,
                                           const struct rule *r)
{
    const struct measure *found = actions_sanction(p, r->actions, r->nactions);
    const struct state *to = r->go >= 0 ? &m->states[r->go] : NULL;
    if (!found && to)
        found = actions_sanction(p, to->body.enter, to->body.nenter);
    if (!found && to && to->group >= 0)
        found = actions_sanction(p, m->groups[to->group].body.enter, m->groups[to->group].body.nenter);
    return found;
}

static bool hangs_on(const struct expr *x, enum instance_meta meta)
{
    if (x && x->op == EXPR_META && x->index == (int)meta)
        return true;
    for (size_t i = 0; x && i < x->nargs; i++)
        if (hangs_on(x->arg[i], meta))
            return true;
    return false;
}

/* Whether the rule's timer is of the sort that is asked for. */
enum timer_sort { TIMER_SOFT, TIMER_OF_DUE, TIMER_FREE };

static bool timer_is(const struct timer_def *t, enum timer_sort sort)
{
    bool soft = hangs_on(t->when, INSTANCE_SOFT_END), due = hangs_on(t->when, INSTANCE_DUE);
    return sort == TIMER_SOFT ? soft : sort == TIMER_OF_DUE ? due : !soft && !due;
}

static const struct rule *body_sanction(const struct program *p, const struct machine *m,
                                        const struct state_body *b, enum timer_sort sort,
                                        const struct measure **found)
{
    for (size_t i = 0; i < b->nrules; i++) {
        const struct rule *r = &b->rules[i];
        if (r->kind == KIND_TIMER && r->timer >= 0 && timer_is(&m->timers[r->timer], sort) &&
            (*found = rule_sanction(p, m, r)) != NULL)
            return r;
    }
    return NULL;
}

/* The first rule of the machine by which such a timer sanctions. */
static const struct rule *machine_sanction(const struct program *p, const struct machine *m,
                                           enum timer_sort sort, const struct measure **found)
{
    const struct rule *r = body_sanction(p, m, &m->any_state, sort, found);
    for (size_t i = 0; !r && i < m->nstates; i++)
        r = body_sanction(p, m, &m->states[i].body, sort, found);
    for (size_t i = 0; !r && i < m->ngroups; i++)
        r = body_sanction(p, m, &m->groups[i].body, sort, found);
    return r;
}

static const char *soft_word(struct slice title)
{
    static const char *const word[] = {"原则上", "不定期", "适时"};
    for (size_t i = 0; title.n && i < sizeof word / sizeof *word; i++)
        if (memmem(title.p, title.n, word[i], strlen(word[i])))
            return word[i];
    return NULL;
}

static void say(struct compiler *c, const struct yaml *at, const char *expected, const char *what,
                const struct measure *m, const struct rule *r)
{
    const struct place *place = &c->program->places[r->place];
    WARN_AT(c, SOFT_SANCTION, at, expected, "%s, and %.*s:%d issues “%.*s”", what, SLICE_ARG(place->file),
            place->line, SLICE_ARG(m->title.n ? m->title : m->name));
}

static void lint_obligation(struct compiler *c, const struct declared *d, const struct obligation *o)
{
    const struct program *p = c->program;
    const struct machine *m = &p->machines[o->machine];
    const struct measure *found = NULL;
    const struct rule *r;
    const struct yaml *due = yaml_get(d->node, "due"), *title = yaml_get(d->node, "title");
    const char *word = soft_word(o->title);
    if (o->has_soft && (r = machine_sanction(p, m, TIMER_SOFT, &found)) != NULL)
        say(c, yaml_get(d->node, "soft"), "a reminder; what sanctions hangs on due",
            "the end of a soft window is no deadline", found, r);
    if (o->due.kind == DUE_NONE && due && (r = machine_sanction(p, m, TIMER_FREE, &found)) != NULL)
        say(c, due, "a due rule, or a reminder", "it is never due", found, r);
    if (word && o->due.kind != DUE_NONE && !o->has_soft &&
        (r = machine_sanction(p, m, TIMER_OF_DUE, &found)) != NULL)
        say(c, is_scalar(title) ? title : d->key, "soft: instead of due:, or due: none",
            arena_printf(c->arena, "“%s” carries no day", word).p, found, r);
}

void lint_soft(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->obligations.n; i++)
        lint_obligation(c, &b->obligations.item[i], &c->program->obligations[i]);
}
