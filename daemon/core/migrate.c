/* Instances whose state an earlier version of the definition had. */
#include "core/turn.h"

static bool has_timer(const struct instance *i, int def)
{
    for (size_t t = 0; t < i->ntimers; t++)
        if (i->timers[t].def == def)
            return true;
    return false;
}

static void arm_missing(struct turn *t, const struct acting *act, const struct state_body *b)
{
    const struct machine *m = &t->p->machines[act->x->i.machine];
    for (size_t i = 0; i < b->ntimers && !t->failed; i++)
        if (!has_timer(&act->x->i, b->timers[i]))
            timers_arm(t, act, b->timers[i], m->timers[b->timers[i]].when);
}

/* Nothing is entered: the state is the old one under another name. Timers that go on stay as they were armed.
 */
static bool migrate_one(void *arg, struct instance *i)
{
    struct turn *t = arg;
    const struct machine *m = &t->p->machines[i->machine];
    if (!i->migrated)
        return true;
    struct touched *x = overlay_take(t, i);
    if (t->failed)
        return false;
    struct acting act = {.x = x, .timer = -1, .place = m->states[i->state].place};
    overlay_change(t, x);
    x->i.migrated = false;
    if (m->states[i->state].group >= 0)
        arm_missing(t, &act, &m->groups[m->states[i->state].group].body);
    arm_missing(t, &act, &m->states[i->state].body);
    return !t->failed;
}

void migrate_all(struct turn *t)
{
    for (size_t m = 0; m < t->p->nmachines && !t->failed; m++)
        if (t->p->machines[m].nmigrate)
            t->w->scan(t->w->ctx, t->arena, (int)m, NULL, 0, migrate_one, t);
}
