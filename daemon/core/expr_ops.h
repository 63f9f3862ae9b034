/* What the files of the evaluator share. An operation never fails in itself: it yields a value, NA, or sets
 * ev->failed and yields NA. */
#ifndef DUBAND_EXPR_OPS_H
#define DUBAND_EXPR_OPS_H

#include "core/program.h"
#include "core/step.h"

#define NA ((struct value){.tag = VALUE_NA})

static inline struct value value_yes(bool yes)
{
    return (struct value){.tag = VALUE_YESNO, .yes = yes};
}

static inline struct value value_number(struct rat r)
{
    return (struct value){.tag = VALUE_NUMBER, .number = r};
}

static inline struct value value_instant(instant_t t)
{
    return (struct value){.tag = VALUE_INSTANT, .instant = t};
}

/* An empty text is one that is not there. */
static inline struct value value_text(struct slice s)
{
    return s.n ? (struct value){.tag = VALUE_TEXT, .text = s} : NA;
}

/* expr.c */
struct value eval_arg(struct eval *ev, const struct expr *x,
                      size_t i); /* NA when there is no such argument */
struct value eval_fail(struct eval *ev, const struct expr *x, const char *why);
bool eval_charge(struct eval *ev, const struct expr *x, uint64_t cost); /* false: too costly, and failed */
date_t eval_today(const struct eval *ev);

/* A list under construction. As a set: inner lists are spread out, what is n/a is left out, items ascend
 * without repeats. */
struct items {
    struct value *item;
    size_t n, cap;
};
void items_add(struct eval *ev, struct items *to, struct value v);
struct value items_list(const struct items *from);
struct value items_set(struct eval *ev, const struct items *from);

/* One for each group of operations; which expression goes where is expr.c's table. */
typedef struct value eval_op(struct eval *ev, const struct expr *x);

/* A part of an instance's key, which is stored as text, as a value of its type; NA: empty. */
struct value key_value(const struct type *type, struct slice text);

/* expr_name.c: what names stand for */
eval_op eval_const, eval_param, eval_event, eval_event_meta, eval_key, eval_var, eval_count, eval_latest,
    eval_let;
eval_op eval_instance_meta, eval_obligation, eval_row_field, eval_row;

/* expr_roster.c: the roster and the tables at `now` */
eval_op eval_unit_attr, eval_role, eval_relation, eval_column, eval_is_row, eval_units, eval_table_rows;
struct value eval_holders(struct eval *ev, const struct expr *x, const int *roles, size_t n);

/* expr_compare.c: logic, order and membership */
eval_op eval_given, eval_not, eval_and_or, eval_if, eval_compare, eval_member;

/* expr_arith.c: numbers, time and periods */
eval_op eval_add_sub, eval_mul, eval_div, eval_neg, eval_round, eval_floor_ceil, eval_min_max,
    eval_before_after, eval_bound_of, eval_period_of, eval_step;

/* expr_instances.c: instances as rows */
eval_op eval_instances, eval_at, eval_field, eval_due_day;

/* tally_compute.c: the entries of the item at hand */
eval_op eval_entries;

/* expr_list.c: lists and what is asked of them */
eval_op eval_list, eval_where, eval_map, eval_quant_count, eval_quant_any, eval_quant_all, eval_sum_mean;

#endif
