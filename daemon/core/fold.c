/* Folds over an instance's own records: counters and the last record of a kind. */
#include "core/turn.h"

int kind_field(const struct kind *k, struct slice name)
{
    for (size_t f = 0; f < k->nfields; f++)
        if (slice_eq(k->fields[f].name, name))
            return (int)f;
    return -1;
}

static bool field_period(const struct kind *k, const struct event *ev, int f, struct period *out)
{
    if (f < 0 || k->fields[f].type.tag != TYPE_PERIOD || ev->field[f].tag != VALUE_PERIOD)
        return false;
    *out = ev->field[f].period;
    return out->kind != PERIOD_ONCE;
}

/* `dated:` may say which field it is; else the first that is a period. */
bool event_named_period(const struct turn *t, const struct event *ev, struct period *out)
{
    const struct kind *k = &t->p->kinds[ev->kind];
    *out = (struct period){PERIOD_ONCE, 0};
    if (field_period(k, ev, k->dated, out))
        return true;
    for (size_t f = 0; f < k->nfields; f++)
        if (field_period(k, ev, (int)f, out))
            return true;
    return false;
}

struct period event_period(const struct turn *t, const struct event *ev, enum period_kind kind)
{
    struct period named;
    const struct kind *k = &t->p->kinds[ev->kind];
    if (event_named_period(t, ev, &named) && named.kind <= kind) /* a year does not say which of its months */
        return period_convert(kind, named);
    if (k->dated >= 0 && ev->field[k->dated].tag == VALUE_DATE)
        return period_of_date(kind, ev->field[k->dated].date);
    if (k->dated >= 0 && ev->field[k->dated].tag == VALUE_INSTANT)
        return period_of_date(kind, tz_date(t->p->tz, ev->field[k->dated].instant, NULL));
    return period_of_date(kind, tz_date(t->p->tz, ev->received, NULL));
}

static void fold_count(struct turn *t, struct touched *x, const struct event *ev, const struct count_def *def,
                       struct count *c)
{
    struct count next = *c;
    if (def->within != PERIOD_ONCE) {
        struct period window = event_period(t, ev, def->within);
        bool started = c->window.kind == def->within;
        if (started && period_cmp(window, c->window) < 0)
            return; /* belongs to a window that is closed */
        if (!started || period_cmp(window, c->window) > 0)
            next = (struct count){window, 0};
    }
    struct acting act = {.x = x, .event = ev, .timer = -1};
    bool counted = turn_holds(t, def->if_, &act);
    if (counted)
        next.n++;
    else if (def->consecutive)
        next.n = 0;
    watch_count(t, &act, def, next.n, counted);
    if (next.n == c->n && period_eq(next.window, c->window))
        return;
    overlay_change(t, x);
    *c = next;
}

static void fold_latest(struct turn *t, struct touched *x, const struct event *ev,
                        const struct latest_def *def, struct latest *l)
{
    overlay_change(t, x);
    l->field = ARENA_ARRAY(t->arena, struct value, def->nfields);
    for (size_t f = 0; f < def->nfields; f++)
        l->field[f] = def->fields[f] >= 0 ? ev->field[def->fields[f]]
                                          : (struct value){.tag = VALUE_INSTANT, .instant = ev->received};
}

void fold_event(struct turn *t, struct touched *x, const struct event *ev)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    for (size_t c = 0; c < m->ncounts && !t->failed; c++)
        if (m->counts[c].kind == ev->kind)
            fold_count(t, x, ev, &m->counts[c], &x->i.counts[c]);
    for (size_t l = 0; l < m->nlatest && !t->failed; l++)
        if (m->latest[l].kind == ev->kind)
            fold_latest(t, x, ev, &m->latest[l], &x->i.latest[l]);
}
