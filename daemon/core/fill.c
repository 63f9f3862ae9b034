/* Rows of ledgers: what a record that files, marks or closes one says of it; and limits that no measure gave.
 */
#include "core/turn.h"

void limit_set(struct turn *t, struct touched *x, const struct value *v)
{
    instant_t limit = INSTANT_NONE;
    if (v->tag == VALUE_DATE)
        limit = tz_instant(t->p->tz, v->date + 1, 0);
    else if (v->tag == VALUE_INSTANT)
        limit = v->instant;
    if (t->failed || limit == x->i.limit)
        return;
    overlay_change(t, x);
    x->i.limit = limit;
    timers_rearm(t, x);
}

void fill_event(struct turn *t, struct touched *x, const struct event *ev)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    struct acting act = {.x = x, .event = ev, .timer = -1};
    for (size_t i = 0; i < m->nfills && !t->failed; i++) {
        const struct fill *f = &m->fills[i];
        if (f->kind != ev->kind || !turn_holds(t, f->if_, &act))
            continue;
        struct value v =
            f->value ? turn_eval(t, f->value, &act) : (struct value){.tag = VALUE_YESNO, .yes = true};
        if (f->var == FILL_LIMIT) {
            limit_set(t, x, &v);
            continue;
        }
        overlay_change(t, x);
        x->i.vars[f->var] = v;
    }
}
