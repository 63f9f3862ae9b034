/* What a rule's `do:`, and entering or leaving a state, may do. Nothing else has effects. */
#include "core/turn.h"

static void action_set(struct turn *t, const struct acting *act, const struct action *a)
{
    struct value yes = {.tag = VALUE_YESNO, .yes = true};
    act->x->i.vars[a->index] = a->value ? turn_eval(t, a->value, act) : yes;
}

static void action_clear(struct turn *t, const struct acting *act, const struct action *a)
{
    act->x->i.vars[a->index] = t->p->machines[act->x->i.machine].var_start[a->index];
}

/* The raised event speaks for the unit whose record made it; a timer's for nobody. owner: where the action gives the task's unit, this
 * one; empty: the unit itself. */
static void raise_for(struct turn *t, const struct acting *act, const struct action *a, struct slice owner)
{
    const struct kind *k = &t->p->kinds[a->index];
    struct event ev = {.kind = a->index,
                       .field = ARENA_ARRAY(t->arena, struct value, k->nfields),
                       .received = t->now,
                       .by = act->event ? act->event->by : S("")};
    for (size_t f = 0; a->fields && f < k->nfields; f++)
        if (a->fields[f] && owner.n && a->fields[f]->op == EXPR_KEY && a->fields[f]->index == TASK_UNIT)
            ev.field[f] = (struct value){.tag = VALUE_TEXT, .text = owner};
        else if (a->fields[f])
            ev.field[f] = turn_eval(t, a->fields[f], act);
    turn_queue(t, &ev);
}

/* What a joint task says of its unit it says of every owner. */
static void action_raise(struct turn *t, const struct acting *act, const struct action *a)
{
    const struct task *task = act->x->i.task;
    size_t n = task ? task->nowners : 0;
    if (n == 0)
        raise_for(t, act, a, S(""));
    for (size_t i = 0; i < n && !t->failed; i++)
        raise_for(t, act, a, task->owners[i]);
}

static void action_timer(struct turn *t, const struct acting *act, const struct action *a)
{
    timers_arm(t, act, a->index, a->value);
}

static void action_cancel(struct turn *t, const struct acting *act, const struct action *a)
{
    timers_cancel(t, act->x, a->index);
}

static void action_limit(struct turn *t, const struct acting *act, const struct action *a)
{
    struct value v = turn_eval(t, a->value, act);
    limit_set(t, act->x, &v);
}

static void (*const action_ops[])(struct turn *t, const struct acting *act, const struct action *a) = {
    [ACTION_SET] = action_set,     [ACTION_CLEAR] = action_clear, [ACTION_MEASURE] = issue_measure,
    [ACTION_RAISE] = action_raise, [ACTION_TIMER] = action_timer, [ACTION_CANCEL] = action_cancel,
    [ACTION_LIMIT] = action_limit, [ACTION_SCORE] = action_score,
    [ACTION_TASK] = action_task,
};

void actions_run(struct turn *t, const struct acting *act, const struct action *a, size_t n)
{
    for (size_t i = 0; i < n && !t->failed; i++)
        if (!standing_mutes(t, act, &a[i]))
            action_ops[a[i].op](t, act, &a[i]);
}
