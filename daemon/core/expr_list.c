#include "core/expr_ops.h"

struct value eval_list(struct eval *ev, const struct expr *x)
{
    struct items all = {0};
    for (size_t i = 0; i < x->nargs && !ev->failed; i++)
        items_add(ev, &all, eval_arg(ev, x, i));
    return x->type.tag == TYPE_SET ? items_set(ev, &all) : items_list(&all);
}

/* The second argument, with `item` as the nearest bound row. */
static struct value eval_bound(struct eval *ev, const struct expr *x, const struct value *item)
{
    struct row row = {item, ev->row};
    ev->row = &row;
    struct value v = eval_arg(ev, x, 1);
    ev->row = row.outer;
    return v;
}

struct value eval_where(struct eval *ev, const struct expr *x)
{
    struct value list = eval_arg(ev, x, 0);
    struct items kept = {0};
    if (list.tag != VALUE_LIST) /* instances of which nobody can tell whether they fit do not: only yes counts */
        return x->nargs && x->arg[0]->op == EXPR_INSTANCES && !ev->failed ? items_list(&kept) : NA;
    for (size_t i = 0; i < list.list.n && !ev->failed; i++) {
        struct value v = eval_bound(ev, x, &list.list.item[i]);
        if (v.tag == VALUE_YESNO && v.yes)
            items_add(ev, &kept, list.list.item[i]);
    }
    return items_list(&kept);
}

struct value eval_map(struct eval *ev, const struct expr *x)
{
    struct value list = eval_arg(ev, x, 0);
    struct items all = {0};
    if (list.tag != VALUE_LIST)
        return NA;
    for (size_t i = 0; i < list.list.n && !ev->failed; i++)
        items_add(ev, &all, eval_bound(ev, x, &list.list.item[i]));
    return x->type.tag == TYPE_SET ? items_set(ev, &all) : items_list(&all);
}

struct value eval_quant_count(struct eval *ev, const struct expr *x)
{
    struct value list = eval_arg(ev, x, 0);
    return list.tag == VALUE_LIST ? value_number(rat_int((int64_t)list.list.n)) : NA;
}

/* Of rows that a condition chooses: yes if it holds for one, else n/a if it is n/a for one, else no. */
static struct value any_where(struct eval *ev, const struct expr *where)
{
    struct value list = eval_arg(ev, where, 0);
    bool unknown = false;
    if (list.tag != VALUE_LIST)
        return NA;
    for (size_t i = 0; i < list.list.n && !ev->failed; i++) {
        struct value v = eval_bound(ev, where, &list.list.item[i]);
        if (v.tag != VALUE_YESNO)
            unknown = true;
        else if (v.yes)
            return v;
    }
    return unknown ? NA : value_yes(false);
}

struct value eval_quant_any(struct eval *ev, const struct expr *x)
{
    if (x->nargs && x->arg[0]->op == EXPR_WHERE)
        return any_where(ev, x->arg[0]);
    struct value list = eval_arg(ev, x, 0);
    return list.tag == VALUE_LIST ? value_yes(list.list.n > 0) : NA;
}

struct value eval_quant_all(struct eval *ev, const struct expr *x)
{
    struct value list = eval_arg(ev, x, 0);
    bool unknown = false;
    if (list.tag != VALUE_LIST)
        return NA;
    for (size_t i = 0; i < list.list.n && !ev->failed; i++) {
        struct value v = eval_bound(ev, x, &list.list.item[i]);
        if (v.tag != VALUE_YESNO)
            unknown = true;
        else if (!v.yes)
            return v;
    }
    return unknown ? NA : value_yes(true);
}

/* One number that is n/a makes the sum n/a: a total with a hole in it would be a wrong figure. */
struct value eval_sum_mean(struct eval *ev, const struct expr *x)
{
    struct value list = eval_arg(ev, x, 0);
    struct rat total = {0, 1};
    enum rat_status status = RAT_OK;
    if (list.tag != VALUE_LIST || !eval_charge(ev, x, list.list.n))
        return NA;
    for (size_t i = 0; i < list.list.n && status == RAT_OK; i++) {
        struct value v = x->nargs > 1 ? eval_bound(ev, x, &list.list.item[i]) : list.list.item[i];
        if (v.tag != VALUE_NUMBER)
            return NA;
        status = rat_add(total, v.number, &total);
    }
    if (status == RAT_OK && x->op == EXPR_QUANT_MEAN)
        status = rat_div(total, rat_int((int64_t)list.list.n), &total);
    if (status == RAT_OVERFLOW)
        return eval_fail(ev, x, "overflow");
    return status == RAT_OK ? value_number(total) : NA;
}
