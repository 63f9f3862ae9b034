/* Telling those who look on what a turn looked at. */
#include "core/turn.h"

static void tell(struct turn *t, const struct acting *act, struct watched *w)
{
    const struct watch *watch = t->w->watch;
    const struct eval view = turn_view(t, act, NULL);
    w->program = t->p;
    w->instance = &act->x->i;
    w->event = act->event;
    w->timer = act->timer;
    w->cause = &t->cause;
    w->now = t->now;
    w->eval = &view;
    watch->seen(watch->ctx, w);
}

void watch_rule(struct turn *t, const struct acting *act, const struct rule *r, bool holds)
{
    if (t->w->watch)
        tell(t, act, &(struct watched){.what = WATCHED_RULE, .rule = r, .holds = holds});
}

void watch_count(struct turn *t, const struct acting *act, const struct count_def *def, int64_t n,
                 bool counted)
{
    if (t->w->watch)
        tell(t, act, &(struct watched){.what = WATCHED_COUNT, .count = def, .n = n, .holds = counted});
}
