/* Tasks are born by their obligation's generator: an instance of machines[0] whose one timer falls due when
 * the next period opens.
 *
 * Invariant: an armed generator's timer stands at max(opening of next_period, when it was armed), and every
 * period of its obligation before next_period has its tasks, or is not owed. One without a timer has no
 * period left, or is halted. */
#include "core/turn.h"

#define GENERATOR 0
#define TIMER_OPEN 0

static const struct obligation *generator_obligation(const struct turn *t, const struct touched *x)
{
    int o = program_obligation(t->p, x->i.key[0]);
    return o >= 0 && due_from_calendar(&t->p->obligations[o]) ? &t->p->obligations[o] : NULL;
}

static bool still_due(struct turn *t, const struct obligation *o, struct period q)
{
    struct due due = due_of(t->p, o, q, t->arena);
    return due_in_force(t->p, o, q) && due.day != DATE_NONE && due.effective > t->now;
}

/* Due dates ascend with their periods, so the first period that is still owed at `now` is found by walking
 * from today's. */
static bool first_owed(struct turn *t, const struct obligation *o, struct period *out)
{
    struct period q = period_of_date(o->period, t->today);
    struct span within = due_span(t->p, o->effective);
    if (within.from != DATE_NONE && period_first(q) < within.from) {
        q = period_of_date(o->period, within.from);
        if (q.kind != PERIOD_ONCE && period_first(q) < within.from)
            q = period_step(q, 1);
    }
    if (o->due.kind != DUE_NONE && o->due.kind != DUE_FIELD && q.kind != PERIOD_ONCE)
        while (still_due(t, o, period_step(q, -1)))
            q = period_step(q, -1);
    while (due_in_force(t->p, o, q) && due_of(t->p, o, q, t->arena).effective <= t->now) {
        if (q.kind == PERIOD_ONCE)
            return false;
        q = period_step(q, 1);
    }
    *out = q;
    return due_in_force(t->p, o, q);
}

static void generator_arm(struct turn *t, struct touched *x, const struct obligation *o)
{
    instant_t opens = due_of(t->p, o, x->i.next_period, t->arena).opens;
    timers_insert(t, x, TIMER_OPEN, 0, opens, opens);
}

/* ---- births */

static void bear_tasks(struct turn *t, const struct obligation *o, struct period period)
{
    struct due due = due_of(t->p, o, period, t->arena);
    const struct instances seen = overlay_instances(t);
    struct owed_work work;
    struct owed *pair;
    size_t n;
    if (!due_owes(o, &due))
        return;
    due_owed_seen(t->p, o, period, t->now, &seen, t->arena, &pair, &n, &work);
    t->cost += work.cost;
    if (work.failed)
        turn_fail_at(t, work.failed_at, work.failed);
    else if (t->cost > STEP_COST_MAX)
        turn_fail_at(t, o->place, "too much work for one turn");
    for (size_t i = 0; i < n && !t->failed; i++) {
        struct slice key[KEY_PARTS_MAX] = {[TASK_OBLIGATION] = o->name,
                                           [TASK_PERIOD] = period_format(t->arena, period),
                                           [TASK_UNIT] = pair[i].unit,
                                           [TASK_ABOUT] = pair[i].about};
        struct task task = task_of(t, o, period, &due);
        task.owners = pair[i].owners;
        task.nowners = pair[i].nowners;
        task_bear(t, o, key, &task, NULL);
    }
}

void generator_open(struct turn *t, struct touched *x)
{
    const struct obligation *o = generator_obligation(t, x);
    struct period period = x->i.next_period;
    if (is_succession(x)) {
        succession_settle(t);
        return;
    }
    if (is_schedule(x)) {
        schedule_open(t, x);
        return;
    }
    if (!o || !due_in_force(t->p, o, period))
        return; /* taken out of the definition, or cut short by it: nothing more is owed */
    bear_tasks(t, o, period);
    if (period.kind == PERIOD_ONCE || t->failed)
        return;
    x->i.next_period = period_step(period, 1);
    if (due_in_force(t->p, o, x->i.next_period))
        generator_arm(t, x, o);
}

/* ---- taking a definition into force */

/* Its timer stands for a period that is owed as before, and there is no earlier one to bear. */
static bool generator_stands(struct turn *t, const struct touched *x, const struct obligation *o,
                             struct period first)
{
    struct slice key[KEY_PARTS_MAX] = {[TASK_OBLIGATION] = o->name,
                                       [TASK_PERIOD] = period_format(t->arena, first)};
    size_t borne;
    if (x->i.ntimers == 0 || x->i.next_period.kind != o->period)
        return false;
    if (period_cmp(first, x->i.next_period) >= 0)
        return due_in_force(t->p, o, x->i.next_period);
    overlay_scan(t, o->machine, key, 2, &borne);
    return borne > 0;
}

/* A generator that stands still goes on from the first period that is owed and that it has not yet borne;
 * one whose obligation begins on another day than before, from there. */
static void install_obligation(struct turn *t, const struct obligation *o)
{
    struct slice key[KEY_PARTS_MAX] = {o->name};
    struct touched *x = overlay_find(t, GENERATOR, key);
    struct period first;
    bool fresh = !x;
    if (t->failed || !first_owed(t, o, &first) || (x && generator_stands(t, x, o, first)))
        return;
    if (x && x->i.next_period.kind == o->period && x->i.ntimers == 0) {
        if (o->period == PERIOD_ONCE && !x->i.halted)
            return; /* its one period is done */
        if (period_cmp(x->i.next_period, first) > 0)
            first = x->i.next_period;
        if (!due_in_force(t->p, o, first))
            return;
    }
    if (fresh && !(x = overlay_birth(t, GENERATOR, key)))
        return;
    overlay_change(t, x);
    x->i.state = t->p->machines[GENERATOR].initial;
    x->i.since = fresh ? t->now : x->i.since;
    x->i.halted = false;
    x->i.next_period = first;
    timers_cancel(t, x, TIMER_OPEN);
    generator_arm(t, x, o);
}

void generator_install(struct turn *t)
{
    for (size_t o = 0; o < t->p->nobligations && !t->failed; o++)
        if (due_from_calendar(&t->p->obligations[o]))
            install_obligation(t, &t->p->obligations[o]);
}
