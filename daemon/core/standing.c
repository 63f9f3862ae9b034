/* What corrections in force mean for the rest of a turn. */
#include "core/turn.h"

bool standing_holds(const struct instance *i, instant_t nominal)
{
    return i->standing.paused || (i->standing.asked && i->task && nominal >= i->task->due);
}

/* Lateness is what a task's own timers find: in their turns an excused task's state moves, and stays on
 * record. */
bool standing_mutes(const struct turn *t, const struct acting *act, const struct action *a)
{
    const struct instance *i = &act->x->i;
    if (!i->task || i->standing.excused.n == 0 || act->event || act->timer < 0)
        return false;
    if (a->op == ACTION_MEASURE)
        return t->p->measures[a->index].level >= LEVEL_WARNING;
    return a->op == ACTION_RAISE || a->op == ACTION_SCORE || a->op == ACTION_TASK;
}
