#include "core/expr_ops.h"

struct value eval_const(struct eval *ev, const struct expr *x)
{
    (void)ev;
    return x->constant;
}

struct value eval_param(struct eval *ev, const struct expr *x)
{
    const struct param *p = &ev->program->params[x->index];
    size_t n = p->nversions;
    date_t today = n ? eval_today(ev) : 0;
    while (n && p->versions[n - 1].from > today)
        n--;
    return n ? p->versions[n - 1].value : p->value;
}

/* ---- the event */

struct value eval_event(struct eval *ev, const struct expr *x)
{
    const struct event *e = ev->event;
    /* Actions on entry may run for events of several kinds; one that has not this field has nothing there. */
    if (!e || !e->field || (size_t)x->index >= ev->program->kinds[e->kind].nfields)
        return NA;
    return e->field[x->index];
}

struct value eval_event_meta(struct eval *ev, const struct expr *x)
{
    const struct event *e = ev->event;
    if (!e)
        return NA;
    switch ((enum event_meta)x->index) {
    case EVENT_RECEIVED:
        return value_instant(e->received);
    case EVENT_BY:
        return value_text(e->by);
    case EVENT_KIND:
        return value_text(ev->program->kinds[e->kind].name);
    }
    return NA;
}

/* ---- the instance */

struct value key_value(const struct type *type, struct slice text)
{
    struct value v = value_text(text);
    if (text.n == 0)
        return NA;
    switch (type->tag) {
    case TYPE_PERIOD:
        v.tag = VALUE_PERIOD;
        return period_parse(text, &v.period) ? v : NA;
    case TYPE_DATE:
        v.tag = VALUE_DATE;
        return date_parse(text, &v.date) ? v : NA;
    case TYPE_NUMBER:
        v.tag = VALUE_NUMBER;
        return rat_parse(text, &v.number) ? v : NA;
    default:
        return v;
    }
}

struct value eval_key(struct eval *ev, const struct expr *x)
{
    return ev->instance ? key_value(&x->type, ev->instance->key[x->index]) : NA;
}

struct value eval_var(struct eval *ev, const struct expr *x)
{
    return ev->instance && ev->instance->vars ? ev->instance->vars[x->index] : NA;
}

struct value eval_count(struct eval *ev, const struct expr *x)
{
    if (!ev->instance || !ev->instance->counts)
        return NA;
    return value_number(rat_int(ev->instance->counts[x->index].n));
}

struct value eval_latest(struct eval *ev, const struct expr *x)
{
    if (!ev->instance || !ev->instance->latest || !ev->instance->latest[x->index].field)
        return NA;
    return ev->instance->latest[x->index].field[x->index2];
}

struct value eval_let(struct eval *ev, const struct expr *x)
{
    if (!ev->instance)
        return NA;
    return expr_eval(ev, ev->program->machines[ev->instance->machine].lets[x->index].value);
}

static struct value instant_or_na(instant_t t)
{
    return t == INSTANT_NONE || t == INSTANT_MAX ? NA : value_instant(t);
}

struct value eval_instance_meta(struct eval *ev, const struct expr *x)
{
    const struct instance *i = ev->instance;
    const struct task *task = i ? i->task : NULL;
    switch ((enum instance_meta)x->index) {
    case INSTANCE_NOW:
        return value_instant(ev->now);
    case INSTANCE_SINCE:
        return i ? instant_or_na(i->since) : NA;
    case INSTANCE_LIMIT:
        return i ? instant_or_na(i->limit) : NA;
    case INSTANCE_DUE:
        return task ? instant_or_na(task->due) : NA;
    case INSTANCE_OPENS:
        return task ? instant_or_na(task->opens) : NA;
    case INSTANCE_OWN_PERIOD:
        return task && task->period.kind != PERIOD_ONCE
                   ? (struct value){.tag = VALUE_PERIOD, .period = task->period}
                   : NA;
    case INSTANCE_SOFT_END:
        return task && task->soft_end ? value_instant(task->soft_end) : NA;
    case INSTANCE_EXCUSED:
        return task ? (struct value){.tag = VALUE_YESNO, .yes = i->standing.excused.n > 0} : NA;
    case INSTANCE_STATE:
        return i && i->state >= 0 ? value_text(ev->program->machines[i->machine].states[i->state].name) : NA;
    }
    return NA;
}

static struct value value_duration(struct duration d)
{
    return (struct value){.tag = VALUE_DURATION, .duration = d};
}

/* One unit is a set, too; n/a is nobody. */
static struct value receivers(struct eval *ev, const struct expr *units)
{
    struct value v = expr_eval(ev, units);
    struct items one = {0};
    if (v.tag == VALUE_LIST)
        return v;
    if (v.tag == VALUE_TEXT)
        items_add(ev, &one, v);
    return items_list(&one);
}

struct value eval_obligation(struct eval *ev, const struct expr *x)
{
    if (!ev->instance || !ev->instance->task)
        return NA;
    const struct obligation *o = &ev->program->obligations[ev->instance->task->obligation];
    struct items reminders = {0};
    switch ((enum obligation_meta)x->index) {
    case OBLIGATION_REMIND:
        for (size_t i = 0; i < o->nremind; i++)
            items_add(ev, &reminders, value_duration(o->remind[i]));
        return items_list(&reminders);
    case OBLIGATION_AT_LEAST:
        return value_number(o->at_least);
    case OBLIGATION_MISSED_AFTER:
        return value_duration(o->missed_after);
    case OBLIGATION_RETURN_GRACE:
        return value_duration(o->return_grace);
    case OBLIGATION_SETTLE:
        return value_duration(o->settle);
    case OBLIGATION_TITLE:
        return value_text(ev->instance->task->title.n ? ev->instance->task->title : o->title);
    case OBLIGATION_TO:
        return o->to_units ? receivers(ev, o->to_units) : eval_holders(ev, x, o->to, o->nto);
    }
    return NA;
}

/* ---- bound rows */

static const struct value *bound_item(const struct eval *ev, int out)
{
    const struct row *row = ev->row;
    while (row && out-- > 0)
        row = row->outer;
    return row ? row->item : NULL;
}

struct value eval_row(struct eval *ev, const struct expr *x)
{
    const struct value *item = bound_item(ev, x->index2);
    return item ? *item : NA;
}

struct value eval_row_field(struct eval *ev, const struct expr *x)
{
    const struct value *item = bound_item(ev, x->index2);
    return item && item->tag == VALUE_RECORD && (size_t)x->index < item->record.n
               ? item->record.field[x->index]
               : NA;
}
