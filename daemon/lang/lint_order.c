/* `after:` of obligations: 不得早于. What waits for another's reports must not be over before those are due:
 * asked for every period. */
#include "core/due.h"
#include "lang/lint.h"
#include "lang/obligations.h"

#define PERIODS_MAX 4000 /* looked at: ten years of days */

struct order {
    struct compiler *c;
    const struct yaml *at; /* the name under after: */
    const struct obligation *late, *early;
};

/* True after the first period in which the early one is due after the late one: it was told. */
static bool tell_if_before(const struct order *w, struct period whole, date_t last, struct arena *a)
{
    const struct program *p = w->c->program;
    struct period q = period_of_date(w->early->period, period_first(whole));
    for (; period_end(q) <= period_end(whole); q = period_step(q, 1)) {
        if (period_end(q) <= period_first(whole) || !due_in_force(p, w->early, q))
            continue;
        struct due due = due_of(p, w->early, q, a);
        if (!due_owes(w->early, &due) || due.day <= last)
            continue;
        WARN_AT(w->c, ORDER, w->at, "a later due:, or another week:",
                "“%.*s” of %.*s is over on %.*s, before “%.*s” of %.*s is due on %.*s",
                SLICE_ARG(w->late->name), SLICE_ARG(period_format(w->c->arena, whole)),
                SLICE_ARG(date_format(w->c->arena, last)), SLICE_ARG(w->early->name),
                SLICE_ARG(period_format(w->c->arena, q)), SLICE_ARG(date_format(w->c->arena, due.day)));
        return true;
    }
    return false;
}

static void order_check(const struct order *w)
{
    const struct program *p = w->c->program;
    const struct obligation *o = w->late;
    struct span all = due_span(p, o->effective);
    if (all.from == DATE_NONE)
        all.from = date_from_civil(2000, 1, 1);
    struct period q = period_of_date(o->period, all.from);
    if (period_first(q) < all.from)
        q = period_step(q, 1);
    for (int i = 0; i < PERIODS_MAX && (all.until == DATE_NONE || period_first(q) < all.until);
         i++, q = period_step(q, 1)) {
        struct arena *a = arena_new();
        struct due due = due_of(p, o, q, a);
        bool told = due_owes(o, &due) && tell_if_before(w, q, due.day, a);
        arena_free(a);
        if (told)
            return;
    }
}

static bool has_days(const struct obligation *o)
{
    return o->due.kind != DUE_NONE && due_from_calendar(o);
}

static void lint_one(struct compiler *c, const struct obligation *late, const struct yaml *at)
{
    struct build *b = build_of(c);
    int i = section_find(&b->obligations, at->text);
    const struct obligation *early = i < 0 ? NULL : &c->program->obligations[i];
    if (!early)
        ERROR_AT(c, ORDER, at, section_hint(c, &b->obligations, at->text), "no obligation “%.*s” is declared",
                 SLICE_ARG(at->text));
    else if (early == late)
        ERROR_AT(c, ORDER, at, "another obligation", "“%.*s” cannot wait for itself", SLICE_ARG(at->text));
    else if (c->diags->errors > 0)
        return; /* when either is due may not be known */
    else if (!has_days(early) || !has_days(late))
        ERROR_AT(c, ORDER, at, "obligations that the calendar bears and that fall due",
                 "“%.*s” has no due day to be compared",
                 SLICE_ARG(has_days(early) ? late->name : early->name));
    else
        order_check(&(struct order){c, at, late, early});
}

void lint_order(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->obligations.n; i++) {
        const struct yaml **name;
        size_t n = read_scalars(c, yaml_get(b->obligations.item[i].node, "after"), &name,
                                "the name of an obligation");
        for (size_t k = 0; k < n; k++)
            lint_one(c, &c->program->obligations[i], name[k]);
    }
}
