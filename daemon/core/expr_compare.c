#include "core/expr_ops.h"

struct value eval_given(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    return value_yes((v.tag == VALUE_NA) == (x->op == EXPR_IS_MISSING));
}

/* ---- logic of yes, no and n/a */

struct value eval_not(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    return v.tag == VALUE_YESNO ? value_yes(!v.yes) : NA;
}

/* A plain no settles an `and`, a plain yes an `or`, whatever else is n/a. */
struct value eval_and_or(struct eval *ev, const struct expr *x)
{
    bool settles = x->op == EXPR_OR, unknown = false;
    for (size_t i = 0; i < x->nargs; i++) {
        struct value v = eval_arg(ev, x, i);
        if (v.tag != VALUE_YESNO)
            unknown = true;
        else if (v.yes == settles)
            return v;
    }
    return unknown ? NA : value_yes(!settles);
}

struct value eval_if(struct eval *ev, const struct expr *x)
{
    struct value condition = eval_arg(ev, x, 0);
    return condition.tag == VALUE_YESNO ? eval_arg(ev, x, condition.yes ? 1 : 2) : NA;
}

/* ---- order */

static void as_date(const struct eval *ev, struct value *v)
{
    *v = (struct value){.tag = VALUE_DATE, .date = tz_date(ev->program->tz, v->instant, NULL)};
}

struct value eval_compare(struct eval *ev, const struct expr *x)
{
    struct value a = eval_arg(ev, x, 0), b = eval_arg(ev, x, 1);
    if (a.tag == VALUE_NA || b.tag == VALUE_NA)
        return NA;
    if (a.tag == VALUE_DATE && b.tag == VALUE_INSTANT) /* a date and an instant are compared as dates */
        as_date(ev, &b);
    if (a.tag == VALUE_INSTANT && b.tag == VALUE_DATE)
        as_date(ev, &a);
    bool equality = x->op == EXPR_EQ || x->op == EXPR_NE;
    if (a.tag != b.tag || (!equality && a.tag == VALUE_PERIOD && a.period.kind != b.period.kind))
        return NA; /* a month is neither before nor after a quarter */
    if (a.tag == VALUE_LIST && !eval_charge(ev, x, a.list.n))
        return NA;
    int c = value_cmp(&a, &b);
    switch (x->op) {
    case EXPR_EQ:
        return value_yes(c == 0);
    case EXPR_NE:
        return value_yes(c != 0);
    case EXPR_LT:
        return value_yes(c < 0);
    case EXPR_LE:
        return value_yes(c <= 0);
    case EXPR_GT:
        return value_yes(c > 0);
    default:
        return value_yes(c >= 0);
    }
}

/* ---- membership */

static struct value contains(const struct value *list, const struct value *wanted)
{
    bool unknown = wanted->tag == VALUE_NA;
    for (size_t i = 0; i < list->list.n && wanted->tag != VALUE_NA; i++) {
        if (list->list.item[i].tag == VALUE_NA)
            unknown = true;
        else if (value_cmp(&list->list.item[i], wanted) == 0)
            return value_yes(true);
    }
    return unknown ? NA : value_yes(false);
}

/* A date or an instant lies in a period, and so does a shorter or equal period that begins in it. */
static struct value lies_in(const struct eval *ev, const struct value *v, struct period p)
{
    struct value day = *v;
    if (v->tag == VALUE_PERIOD) {
        bool shorter = p.kind == PERIOD_ONCE || (v->period.kind != PERIOD_ONCE && v->period.kind <= p.kind);
        if (!shorter)
            return value_yes(false);
        day = (struct value){.tag = VALUE_DATE, .date = period_first(v->period)};
    }
    if (v->tag == VALUE_INSTANT)
        as_date(ev, &day);
    return day.tag == VALUE_DATE ? value_yes(period_first(p) <= day.date && day.date < period_end(p)) : NA;
}

/* `a in b` and `b has a`: of a set, any member will do. */
struct value eval_member(struct eval *ev, const struct expr *x)
{
    struct value a = eval_arg(ev, x, x->op == EXPR_IN ? 0 : 1), b = eval_arg(ev, x, x->op == EXPR_IN ? 1 : 0);
    if (b.tag == VALUE_PERIOD)
        return lies_in(ev, &a, b.period);
    if (a.tag == VALUE_NA || b.tag != VALUE_LIST)
        return NA;
    uint64_t cost = a.tag == VALUE_LIST ? (uint64_t)a.list.n * b.list.n : b.list.n;
    if (!eval_charge(ev, x, cost))
        return NA;
    if (a.tag != VALUE_LIST)
        return contains(&b, &a);
    bool unknown = false;
    for (size_t i = 0; i < a.list.n; i++) {
        struct value v = contains(&b, &a.list.item[i]);
        if (v.tag == VALUE_YESNO && v.yes)
            return v;
        unknown = unknown || v.tag == VALUE_NA;
    }
    return unknown ? NA : value_yes(false);
}
