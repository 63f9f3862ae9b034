/* Due dates past the last published holidays are provisional. A definition that brings the next year's
 * calendar settles those of open tasks: nothing else of a task that was borne is changed by a definition. */
#include "core/turn.h"

struct awaiting { /* tasks of one obligation */
    struct turn *turn;
    struct key_of {
        struct slice part[KEY_PARTS_MAX];
    } * item;
    size_t n, cap;
};

static bool is_open(const struct turn *t, const struct instance *i)
{
    return i->state >= 0 && !t->p->machines[i->machine].states[i->state].final;
}

static bool awaits(void *arg, struct instance *i)
{
    struct awaiting *l = arg;
    if (i->task && i->task->provisional && is_open(l->turn, i))
        memcpy(arena_push(l->turn->arena, &l->item, &l->n, &l->cap, sizeof *l->item), i->key, sizeof i->key);
    return true;
}

/* As it would be reckoned now: by its rule, or from the day that its birth gave. */
static struct due reckon(struct turn *t, const struct obligation *o, const struct task *task)
{
    bool by_rule = o->due.kind != DUE_NONE && o->due.kind != DUE_FIELD;
    if (by_rule)
        return due_of(t->p, o, task->period, t->arena);
    instant_t within = task->nominal - (o->due.exclusive ? 0 : 1);
    return due_on(t->p, o, tz_date(t->p->tz, within, NULL), task->opens, t->arena);
}

/* Nobody is late, or un-late, for what a calendar says afterwards: a date that has passed stands, and none
 * moves into the past. */
static void settle(struct turn *t, struct touched *x)
{
    const struct obligation *o = &t->p->obligations[x->i.task->obligation];
    struct due due = reckon(t, o, x->i.task);
    if (due.provisional || due.day == DATE_NONE)
        return;
    struct task task = *x->i.task;
    bool stands = due.effective == task.due && due.soft_end == task.soft_end;
    bool past = !stands && (task.due <= t->now || due.effective <= t->now);
    task.provisional = false;
    if (past) {
        task.reason =
            arena_printf(t->arena, "%.*s; not moved by the holidays published since: the day has passed",
                         SLICE_ARG(task.reason));
    } else {
        task.nominal = due.nominal;
        task.due = due.effective;
        task.day = due.day;
        task.soft_end = due.soft_end;
        task.reason = due.reason;
    }
    overlay_change(t, x);
    x->i.task = ARENA_NEW(t->arena, struct task);
    *x->i.task = task;
    if (!past && !stands)
        timers_rearm(t, x);
}

/* Those whose day the calendar moves, or counts. */
static bool asks_calendar(const struct due_rule *r)
{
    return r->roll != ROLL_NONE || r->kind == DUE_WORKDAY || r->kind == DUE_WINDOW;
}

void provisional_install(struct turn *t)
{
    for (size_t i = 0; i < t->p->nobligations && !t->failed; i++) {
        const struct obligation *o = &t->p->obligations[i];
        struct awaiting l = {.turn = t};
        if (!asks_calendar(&o->due) && !(o->has_soft && asks_calendar(&o->soft)))
            continue;
        t->w->scan(t->w->ctx, t->arena, o->machine, &o->name, 1, awaits, &l);
        for (size_t k = 0; k < l.n && !t->failed; k++) {
            struct touched *x = overlay_find(t, o->machine, l.item[k].part);
            if (x)
                settle(t, x);
        }
    }
}
