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
    if (i->task && i->standing.waived)
        return; /* not owed: nothing falls due any more */
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
                               .hops = hops,
                               .held = standing_holds(i, nominal)};
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
    if (*n > 1)
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

/* ---- when a date of the instance was moved */

static bool hangs_on_due(const struct machine *m, const struct expr *x)
{
    if (!x)
        return false;
    if (x->op == EXPR_META)
        return x->index == INSTANCE_DUE || x->index == INSTANCE_LIMIT || x->index == INSTANCE_SOFT_END;
    if (x->op == EXPR_LET)
        return hangs_on_due(m, m->lets[x->index].value);
    for (size_t i = 0; i < x->nargs; i++)
        if (hangs_on_due(m, x->arg[i]))
            return true;
    return false;
}

static bool is_armed(const struct touched *x, int def)
{
    for (size_t i = 0; i < x->i.ntimers; i++)
        if (x->i.timers[i].def == def)
            return true;
    return false;
}

/* What is still ahead is armed. What is past by now is armed, to fire at once, only if all of it is past and none of it
 * had fired: a moved date repeats no reminder. */
static void rearm(struct turn *t, const struct acting *act, int def, const struct expr *when)
{
    struct value v = turn_eval(t, when, act);
    bool pending = is_armed(act->x, def);
    size_t n, first = 0;
    const instant_t *at = instants_of(t, &v, &n);
    while (first < n && at[first] <= t->now)
        first++;
    if (first == n && n && pending)
        first = n - 1;
    timers_cancel(t, act->x, def);
    int armed = 0;
    for (size_t i = first; i < n && !t->failed; i++)
        if (i == first || at[i] != at[i - 1])
            timers_insert(t, act->x, def, armed++, at[i], at[i]);
}

static void rearm_body(struct turn *t, const struct acting *act, const struct state_body *b)
{
    const struct machine *m = &t->p->machines[act->x->i.machine];
    for (size_t i = 0; i < b->ntimers && !t->failed; i++)
        if (hangs_on_due(m, m->timers[b->timers[i]].when))
            rearm(t, act, b->timers[i], m->timers[b->timers[i]].when);
}

void timers_rearm(struct turn *t, struct touched *x)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    const struct state *s = x->i.state >= 0 ? &m->states[x->i.state] : NULL;
    const struct acting act = {.x = x, .timer = -1, .place = s ? s->place : 0};
    if (!s)
        return;
    if (s->group >= 0)
        rearm_body(t, &act, &m->groups[s->group].body);
    rearm_body(t, &act, &s->body);
    for (int def = 0; def < (int)m->ntimers && !t->failed; def++) /* set in an earlier state, and kept */
        if (m->timers[def].keep && is_armed(x, def) && hangs_on_due(m, m->timers[def].when))
            rearm(t, &act, def, m->timers[def].when);
}

/* ---- standing still and going on */

void timers_hold(struct turn *t, struct touched *x)
{
    for (size_t i = 0; i < x->i.ntimers; i++)
        if (!x->i.timers[i].held && standing_holds(&x->i, x->i.timers[i].nominal)) {
            overlay_change(t, x);
            x->i.timers[i].held = true;
        }
}

void timers_postpone(struct turn *t, struct touched *x, instant_t by)
{
    for (size_t i = 0; i < x->i.ntimers; i++)
        if (x->i.timers[i].held) {
            overlay_change(t, x);
            x->i.timers[i].due += by;
            x->i.timers[i].nominal += by;
        }
}

void timers_release(struct turn *t, struct touched *x)
{
    for (size_t i = x->i.ntimers; i-- > 0;) {
        struct timer *timer = &x->i.timers[i];
        const struct timer *next = i + 1 < x->i.ntimers ? timer + 1 : NULL;
        if (!timer->held || standing_holds(&x->i, timer->nominal))
            continue;
        overlay_change(t, x);
        if (next && next->def == timer->def && !next->held && next->due <= t->now) {
            timers_remove_at(x, i); /* of those that have passed, only the latest fires */
            continue;
        }
        timer->held = false;
        timer->due = timer->due < t->now ? t->now : timer->due;
    }
}

/* ---- */

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
