#include "core/expr_ops.h"

#include <stdlib.h>

static eval_op *const operation[] = {
    [EXPR_CONST] = eval_const,
    [EXPR_PARAM] = eval_param,
    [EXPR_EVENT] = eval_event,
    [EXPR_EVENT_META] = eval_event_meta,
    [EXPR_KEY] = eval_key,
    [EXPR_VAR] = eval_var,
    [EXPR_COUNT] = eval_count,
    [EXPR_LATEST] = eval_latest,
    [EXPR_LET] = eval_let,
    [EXPR_META] = eval_instance_meta,
    [EXPR_OBLIGATION] = eval_obligation,
    [EXPR_ROW_FIELD] = eval_row_field,
    [EXPR_ROW] = eval_row,
    [EXPR_UNIT_ATTR] = eval_unit_attr,
    [EXPR_ROLE] = eval_role,
    [EXPR_RELATION] = eval_relation,
    [EXPR_COLUMN] = eval_column,
    [EXPR_IS_ROW] = eval_is_row,
    [EXPR_IS_MISSING] = eval_given,
    [EXPR_IS_GIVEN] = eval_given,
    [EXPR_NOT] = eval_not,
    [EXPR_AND] = eval_and_or,
    [EXPR_OR] = eval_and_or,
    [EXPR_IF] = eval_if,
    [EXPR_EQ] = eval_compare,
    [EXPR_NE] = eval_compare,
    [EXPR_LT] = eval_compare,
    [EXPR_LE] = eval_compare,
    [EXPR_GT] = eval_compare,
    [EXPR_GE] = eval_compare,
    [EXPR_IN] = eval_member,
    [EXPR_HAS] = eval_member,
    [EXPR_ADD] = eval_add_sub,
    [EXPR_SUB] = eval_add_sub,
    [EXPR_MUL] = eval_mul,
    [EXPR_DIV] = eval_div,
    [EXPR_NEG] = eval_neg,
    [EXPR_ROUND] = eval_round,
    [EXPR_CEIL] = eval_floor_ceil,
    [EXPR_FLOOR] = eval_floor_ceil,
    [EXPR_MIN] = eval_min_max,
    [EXPR_MAX] = eval_min_max,
    [EXPR_BEFORE] = eval_before_after,
    [EXPR_AFTER] = eval_before_after,
    [EXPR_PERIOD_OF] = eval_period_of,
    [EXPR_PREVIOUS] = eval_step,
    [EXPR_NEXT] = eval_step,
    [EXPR_LIST] = eval_list,
    [EXPR_UNITS] = eval_units,
    [EXPR_TABLE_ROWS] = eval_table_rows,
    [EXPR_WHERE] = eval_where,
    [EXPR_QUANT_COUNT] = eval_quant_count,
    [EXPR_QUANT_ANY] = eval_quant_any,
    [EXPR_QUANT_ALL] = eval_quant_all,
    [EXPR_QUANT_SUM] = eval_sum_mean,
    [EXPR_QUANT_MEAN] = eval_sum_mean,
    [EXPR_MAP] = eval_map,
    [EXPR_INSTANCES] = eval_instances,
    [EXPR_AT] = eval_at,
    [EXPR_FIELD] = eval_field,
    [EXPR_DUE_DAY] = eval_due_day,
    [EXPR_START_OF] = eval_bound_of,
    [EXPR_END_OF] = eval_bound_of,
    [EXPR_ENTRIES] = eval_entries,
};

struct value expr_eval(struct eval *ev, const struct expr *x)
{
    if (ev->failed || !eval_charge(ev, x, 1))
        return NA;
    if (ev->depth >= EVAL_DEPTH_MAX)
        return eval_fail(ev, x, "nested too deeply");
    ev->depth++;
    struct value v = operation[x->op](ev, x);
    ev->depth--;
    return ev->failed ? NA : v;
}

bool expr_holds(struct eval *ev, const struct expr *x)
{
    if (!x)
        return true;
    struct value v = expr_eval(ev, x);
    return v.tag == VALUE_YESNO && v.yes;
}

struct value eval_arg(struct eval *ev, const struct expr *x, size_t i)
{
    return i < x->nargs ? expr_eval(ev, x->arg[i]) : NA;
}

struct value eval_fail(struct eval *ev, const struct expr *x, const char *why)
{
    if (!ev->failed) {
        ev->failed = why;
        ev->failed_at = x;
    }
    return NA;
}

bool eval_charge(struct eval *ev, const struct expr *x, uint64_t cost)
{
    ev->cost += cost;
    if (ev->cost > EVAL_COST_MAX)
        eval_fail(ev, x, "too costly");
    return !ev->failed;
}

date_t eval_today(const struct eval *ev)
{
    return tz_date(ev->program->tz, ev->now, NULL);
}

/* ---- lists under construction */

void items_add(struct eval *ev, struct items *to, struct value v)
{
    *(struct value *)arena_push(ev->arena, &to->item, &to->n, &to->cap, sizeof v) = v;
}

struct value items_list(const struct items *from)
{
    return (struct value){.tag = VALUE_LIST, .list = {from->item, from->n}};
}

static int items_order(const void *a, const void *b)
{
    return value_cmp(a, b);
}

struct value items_set(struct eval *ev, const struct items *from)
{
    struct items flat = {0};
    for (size_t i = 0; i < from->n; i++) {
        const struct value *v = &from->item[i];
        if (v->tag == VALUE_LIST) {
            for (size_t k = 0; k < v->list.n; k++)
                items_add(ev, &flat, v->list.item[k]);
        } else if (v->tag != VALUE_NA) {
            items_add(ev, &flat, *v);
        }
    }
    if (flat.n > 1)
        qsort(flat.item, flat.n, sizeof *flat.item, items_order);
    size_t kept = 0;
    for (size_t i = 0; i < flat.n; i++)
        if (flat.item[i].tag != VALUE_NA &&
            (kept == 0 || value_cmp(&flat.item[kept - 1], &flat.item[i]) != 0))
            flat.item[kept++] = flat.item[i];
    flat.n = kept;
    return items_list(&flat);
}
