/* Timers of one instance: ordered by definition, then n; armed, moved and cancelled here and nowhere else. */
#include "core/turn.h"

#include <stdlib.h>

#define INSTANT_LAST 253402300800000 /* the end of year 9999: what lies past it is never due */

void timers_remove_at(struct touched *x, size_t index)
{
    x->i.ntimers--;
    memmove(x->i.timers + index, x->i.timers + index + 1, (x->i.ntimers - index) * sizeof *x->i.timers);
}

void timers_cancel(struct turn *t, struct touched *x, int def)
{
    for (size_t i = x->i.ntimers; i-- > 0;)
        if (x->i.timers[i].def == def) {
            overlay_change(t, x);
            timers_remove_at(x, i);
        }
}

void timers_insert(struct turn *t, struct touched *x, int def, int n, instant_t due, instant_t nominal)
{
    struct instance *i = &x->i;
    int hops = due <= t->now ? t->hops : 0;
    if (hops > STEP_HOPS_MAX) { /* time would stand still */
        turn_fail(t, "timer %.*s is due at once, after %d others in a row that were",
                  SLICE_ARG(t->p->machines[i->machine].timers[def].name), STEP_HOPS_MAX);
        return;
    }
    overlay_change(t, x);
    struct timer *grown = ARENA_ARRAY(t->arena, struct timer, i->ntimers + 1);
    size_t at = 0;
    while (at < i->ntimers && (i->timers[at].def < def || (i->timers[at].def == def && i->timers[at].n < n)))
        at++;
    if (at)
        memcpy(grown, i->timers, at * sizeof *grown);
    if (at < i->ntimers)
        memcpy(grown + at + 1, i->timers + at, (i->ntimers - at) * sizeof *grown);
    grown[at] = (struct timer){.def = def,
                               .n = n,
                               .due = due < t->now ? t->now : due,
                               .nominal = nominal,
                               .armed = (int64_t)i->turns,
                               .hops = hops};
    i->timers = grown;
    i->ntimers++;
}

static int instant_cmp(const void *x, const void *y)
{
    instant_t a = *(const instant_t *)x, b = *(const instant_t *)y;
    return (a > b) - (a < b);
}

/* The instants of a value that can fall due, ascending. */
static instant_t *instants_of(struct turn *t, const struct value *v, size_t *n)
{
    const struct value *item = v->tag == VALUE_LIST ? v->list.item : v;
    size_t nitems = v->tag == VALUE_LIST ? v->list.n : 1;
    instant_t *at = ARENA_ARRAY(t->arena, instant_t, nitems);
    *n = 0;
    for (size_t i = 0; i < nitems; i++)
        if (item[i].tag == VALUE_INSTANT && item[i].instant < INSTANT_LAST)
            at[(*n)++] = item[i].instant;
    if (*n)
        qsort(at, *n, sizeof *at, instant_cmp);
    return at;
}

void timers_arm(struct turn *t, const struct acting *act, int def, const struct expr *when)
{
    struct value v = turn_eval(t, when, act);
    size_t n;
    const instant_t *at = instants_of(t, &v, &n);
    timers_cancel(t, act->x, def);
    int armed = 0;
    for (size_t i = 0; i < n && !t->failed; i++) {
        bool overtaken = i + 1 < n && at[i + 1] <= t->now; /* of those already past, only the latest fires */
        bool repeated = i + 1 < n && at[i + 1] == at[i];
        if (!overtaken && !repeated)
            timers_insert(t, act->x, def, armed++, at[i], at[i]);
    }
}

static bool lists_timer(const struct state_body *b, int def)
{
    for (size_t i = 0; i < b->ntimers; i++)
        if (b->timers[i] == def)
            return true;
    return false;
}

void timers_leave(struct turn *t, struct touched *x, int state, bool leave_group)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    int group = leave_group ? -1 : m->states[state].group;
    for (size_t i = x->i.ntimers; i-- > 0;) {
        int def = x->i.timers[i].def;
        if (!m->timers[def].keep && !(group >= 0 && lists_timer(&m->groups[group].body, def)))
            timers_remove_at(x, i);
    }
}
