#include "core/expr_ops.h"

/* ---- numbers */

typedef enum rat_status arithmetic(struct rat a, struct rat b, struct rat *out);

static struct value settle(struct eval *ev, const struct expr *x, enum rat_status status, struct rat r)
{
    if (status == RAT_OVERFLOW)
        return eval_fail(ev, x, "overflow");
    return status == RAT_DIV_ZERO ? NA : value_number(r);
}

static struct value two_numbers(struct eval *ev, const struct expr *x, arithmetic *f)
{
    struct value a = eval_arg(ev, x, 0), b = eval_arg(ev, x, 1);
    struct rat r = {0, 1};
    if (a.tag != VALUE_NUMBER || b.tag != VALUE_NUMBER)
        return NA;
    return settle(ev, x, f(a.number, b.number, &r), r);
}

struct value eval_mul(struct eval *ev, const struct expr *x)
{
    return two_numbers(ev, x, rat_mul);
}

struct value eval_div(struct eval *ev, const struct expr *x)
{
    return two_numbers(ev, x, rat_div);
}

struct value eval_neg(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    struct rat r = {0, 1};
    return v.tag == VALUE_NUMBER ? settle(ev, x, rat_sub(rat_int(0), v.number, &r), r) : NA;
}

struct value eval_round(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0),
                 places = x->nargs > 1 ? eval_arg(ev, x, 1) : value_number(rat_int(0));
    struct rat r = {0, 1};
    if (v.tag != VALUE_NUMBER || places.tag != VALUE_NUMBER || places.number.den != 1 ||
        places.number.num < 0 || places.number.num > 9)
        return NA;
    return settle(ev, x, rat_round(v.number, (int)places.number.num, &r), r);
}

struct value eval_floor_ceil(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    if (v.tag != VALUE_NUMBER)
        return NA;
    return value_number(rat_int(x->op == EXPR_FLOOR ? rat_floor(v.number) : rat_ceil(v.number)));
}

/* ---- smallest and largest */

static struct value pick(struct eval *ev, const struct expr *x, const struct value *item, size_t n)
{
    if (n == 0 || item[0].tag == VALUE_NA || !eval_charge(ev, x, n))
        return NA;
    struct value best = item[0];
    for (size_t i = 1; i < n; i++) {
        if (item[i].tag != best.tag)
            return NA; /* one that is n/a leaves the answer open */
        int c = value_cmp(&item[i], &best);
        if (x->op == EXPR_MIN ? c < 0 : c > 0)
            best = item[i];
    }
    return best;
}

struct value eval_min_max(struct eval *ev, const struct expr *x)
{
    struct items all = {0};
    for (size_t i = 0; i < x->nargs; i++)
        items_add(ev, &all, eval_arg(ev, x, i));
    if (all.n == 1 && all.item[0].tag == VALUE_LIST)
        return pick(ev, x, all.item[0].list.item, all.item[0].list.n);
    return pick(ev, x, all.item, all.n);
}

/* ---- time */

/* A date or an instant moved by a duration; in local time, as people count. */
static struct value moved(struct eval *ev, const struct expr *x, const struct value *when, struct duration by,
                          int sign)
{
    const struct program *p = ev->program;
    uint64_t steps = (uint64_t)(by.n < 0 ? -(int64_t)by.n : by.n);
    if (by.unit == DURATION_WORKDAY && !eval_charge(ev, x, steps))
        return NA;
    if (when->tag == VALUE_INSTANT)
        return value_instant(duration_apply(p->tz, p->calendar, when->instant, by, sign));
    if (when->tag != VALUE_DATE)
        return NA;
    instant_t t = duration_apply(NULL, p->calendar, tz_instant(NULL, when->date, 0), by, sign);
    return (struct value){.tag = VALUE_DATE, .date = tz_date(NULL, t, NULL)};
}

struct value eval_before_after(struct eval *ev, const struct expr *x)
{
    struct value by = eval_arg(ev, x, 0), when = eval_arg(ev, x, 1);
    int sign = x->op == EXPR_BEFORE ? -1 : 1;
    if (when.tag == VALUE_NA)
        return NA;
    if (by.tag == VALUE_DURATION)
        return moved(ev, x, &when, by.duration, sign);
    if (by.tag != VALUE_LIST)
        return NA;
    struct items all = {0};
    for (size_t i = 0; i < by.list.n && eval_charge(ev, x, 1); i++)
        items_add(ev, &all,
                  by.list.item[i].tag == VALUE_DURATION ? moved(ev, x, &when, by.list.item[i].duration, sign)
                                                        : NA);
    return items_list(&all);
}

/* Numbers add up; a duration moves a date or an instant; the difference of two dates is a number of days. */
struct value eval_add_sub(struct eval *ev, const struct expr *x)
{
    struct value a = eval_arg(ev, x, 0), b = eval_arg(ev, x, 1);
    struct rat r = {0, 1};
    bool add = x->op == EXPR_ADD;
    if (a.tag == VALUE_NUMBER && b.tag == VALUE_NUMBER)
        return settle(ev, x, (add ? rat_add : rat_sub)(a.number, b.number, &r), r);
    if (b.tag == VALUE_DURATION)
        return moved(ev, x, &a, b.duration, add ? 1 : -1);
    if (a.tag == VALUE_DATE && b.tag == VALUE_DATE && !add)
        return value_number(rat_int((int64_t)a.date - b.date));
    return NA;
}

/* Where a date or a period begins and ends, as an instant: local midnight. */
struct value eval_bound_of(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    bool end = x->op == EXPR_END_OF;
    if (v.tag == VALUE_PERIOD)
        v = (struct value){.tag = VALUE_DATE, .date = end ? period_end(v.period) - 1 : period_first(v.period)};
    if (v.tag != VALUE_DATE)
        return NA;
    return value_instant(tz_instant(ev->program->tz, v.date + end, 0));
}

/* ---- periods */

struct value eval_period_of(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    enum period_kind kind = (enum period_kind)x->index;
    switch (v.tag) {
    case VALUE_PERIOD:
        return (struct value){.tag = VALUE_PERIOD, .period = period_convert(kind, v.period)};
    case VALUE_DATE:
        return (struct value){.tag = VALUE_PERIOD, .period = period_of_date(kind, v.date)};
    case VALUE_INSTANT:
        return (struct value){.tag = VALUE_PERIOD,
                              .period = period_of_date(kind, tz_date(ev->program->tz, v.instant, NULL))};
    default:
        return NA;
    }
}

struct value eval_step(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    if (v.tag != VALUE_PERIOD)
        return NA;
    v.period = period_step(v.period, x->op == EXPR_NEXT ? 1 : -1);
    return v;
}
