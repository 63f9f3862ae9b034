/* Expressions: typed trees that evaluate to a value, always, in bounded time.
 * Three-valued: an operation on VALUE_NA is VALUE_NA, except that `no and n/a` is no and `yes or n/a` is yes. */
#ifndef DUBAND_EXPR_H
#define DUBAND_EXPR_H

#include "core/value.h"

enum expr_op {
    EXPR_CONST,
    EXPR_PARAM,       /* index: program.params */
    EXPR_EVENT,       /* index: field of the event */
    EXPR_EVENT_META,  /* index: enum event_meta */
    EXPR_KEY,         /* index: key part of the instance */
    EXPR_VAR,         /* index: variable of the instance */
    EXPR_COUNT,       /* index: counter of the instance */
    EXPR_LATEST,      /* index: machine.latest; index2: position in its `fields` */
    EXPR_LET,         /* index: machine.lets: evaluated where it stands */
    EXPR_META,        /* index: enum instance_meta: since, due, limit … */
    EXPR_OBLIGATION,  /* index: enum obligation_meta, of the task's obligation */
    EXPR_ROW_FIELD,   /* index: field of the row bound by the nearest `where`; index2: how many binders out */
    EXPR_ROW,         /* the bound item itself (`it`); index2: how many binders out */
    EXPR_UNIT_ATTR,   /* arg0 unit; index: enum unit_attr */
    EXPR_ROLE,        /* index: program.roles → set of the units that hold it at `now` */
    EXPR_RELATION,    /* `lead of X`: arg0 the subject (text, unit or row, or a set of them); index: program.relations → set of unit */
    EXPR_COLUMN,      /* `taskforce of X`: arg0 the row's key; index: table; index2: column; NA when there is no such row */
    EXPR_IS_ROW,      /* arg0 is a key of table `index` */
    EXPR_IS_MISSING,
    EXPR_IS_GIVEN,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_IF, /* arg0 condition, arg1 then, arg2 else */
    EXPR_EQ,
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE,
    EXPR_IN,  /* arg0 in list or set arg1 */
    EXPR_HAS, /* list or set arg0 has arg1 (or, when arg1 is a set, any of it) */
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_DIV,
    EXPR_NEG,
    EXPR_ROUND, /* arg1 places */
    EXPR_CEIL,
    EXPR_FLOOR,
    EXPR_MIN, /* over args, or over the list arg0 when alone; also `earlier of` */
    EXPR_MAX, /* also `later of` */
    EXPR_BEFORE, /* duration (or list of durations) arg0 before instant arg1 → instant (or list) */
    EXPR_AFTER,
    EXPR_PERIOD_OF,   /* index: period kind; arg0 a period, date or instant */
    EXPR_PREVIOUS,    /* the period before arg0 */
    EXPR_NEXT,
    EXPR_LIST,        /* [a, b, c]: `args` */
    EXPR_UNITS,       /* the roster at `now`, as records of program.unit_type */
    EXPR_TABLE_ROWS,  /* index: table */
    EXPR_WHERE,       /* list arg0, rows for which arg1 holds */
    EXPR_QUANT_COUNT, /* of list or set arg0; entries that are n/a count */
    EXPR_QUANT_ANY,   /* any(arg0 where …) is a WHERE that is not empty */
    EXPR_QUANT_ALL,   /* arg0 list, arg1 condition */
    EXPR_QUANT_SUM,   /* of the numbers in list arg0 (a column: arg1 evaluated per row, when given) */
    EXPR_QUANT_MEAN,
    EXPR_MAP,         /* list arg0, arg1 evaluated per row */
    EXPR_INSTANCES,   /* index: program.collections → its rows, in key order; args: by key part, what narrows the search: the part equals
                       * it, or NULL: any. index2 = 1: the argument of a task's period is one in which the task's begins. n/a when an
                       * argument is: then no row can be told to fit. Whoever filters must filter again: narrowing is about speed alone */
    EXPR_AT,          /* NAME[k, …]: the row of collection `index` with this key; args: every key part; n/a when there is none */
    EXPR_FIELD,       /* field `index` of the record arg0 */
    EXPR_ENTRIES,     /* of the tally's item being evaluated: records {item, points, reason, source, id, at} */
    EXPR_DUE_DAY,     /* the day on which obligation `index` is due for the period arg0: a date */
    EXPR_START_OF,    /* 00:00 of the date arg0, or of the first day of the period arg0: an instant */
    EXPR_END_OF       /* 24:00 of the date arg0, or of the last day of the period arg0 */
};

enum event_meta { EVENT_RECEIVED, EVENT_BY, EVENT_KIND };
enum instance_meta { INSTANCE_SINCE, INSTANCE_DUE, INSTANCE_OPENS, INSTANCE_LIMIT, INSTANCE_NOW, INSTANCE_OWN_PERIOD, INSTANCE_SOFT_END, INSTANCE_STATE, INSTANCE_EXCUSED };
enum unit_attr { UNIT_TITLE, UNIT_LIAISON, UNIT_HEAD, UNIT_KIND, UNIT_ROLES };
enum obligation_meta {
    OBLIGATION_REMIND,       /* list of durations */
    OBLIGATION_AT_LEAST,     /* number */
    OBLIGATION_MISSED_AFTER, /* duration */
    OBLIGATION_RETURN_GRACE, /* duration */
    OBLIGATION_SETTLE,       /* duration */
    OBLIGATION_TITLE,        /* text */
    OBLIGATION_TO            /* set of unit: the holders of its `to:` roles at `now`, or the units that it says */
};

struct expr {
    enum expr_op op;
    struct type type; /* of the result */
    int index;
    int index2;
    struct value constant;     /* EXPR_CONST */
    const struct expr **arg;
    size_t nargs;
    uint32_t place; /* index into program.places */
};

/* A row bound by `where`, `any`, `all` … or from outside (a ranking entry, a measure: see program.h). EXPR_ROW_FIELD reads item's fields. */
struct row {
    const struct value *item;
    const struct row *outer; /* the next binder out; NULL: none */
};

/* How an expression reads instances: as the turn at hand sees them, or as they are stored. */
struct instances {
    void *ctx;
    /* NULL: there is none. */
    const struct instance *(*find)(void *ctx, int machine, const struct slice *key);
    /* Visits those whose first nkey key parts equal `key`, in key order, until `visit` returns false. */
    void (*scan)(void *ctx, int machine, const struct slice *key, size_t nkey, bool (*visit)(void *arg, const struct instance *i), void *arg);
};

/* What an expression may look at. Parts that do not exist where it stands are NULL. */
struct eval {
    const struct program *program;
    const struct instances *instances; /* NULL: there are none */
    const struct value *entries; /* EXPR_ENTRIES: a list */
    const struct event *event;
    const struct instance *instance;
    instant_t now;
    struct arena *arena;
    const struct row *row; /* innermost bound row: set from outside or NULL; then managed by the evaluator */
    int depth;             /* of nesting, managed by the evaluator; past EVAL_DEPTH_MAX: failed */
    uint64_t cost;         /* grows with each node visited; past EVAL_COST_MAX: failed */
    const char *failed;    /* NULL, or why evaluation could not finish: "overflow", "too costly" */
    const struct expr *failed_at;
};
#define EVAL_COST_MAX 1000000u
#define EVAL_DEPTH_MAX 200

/* Never fails in itself: on overflow or too much work sets ev->failed and yields NA. */
struct value expr_eval(struct eval *ev, const struct expr *x);
/* Only a plain yes holds; no and n/a do not. x NULL holds. */
bool expr_holds(struct eval *ev, const struct expr *x);

#endif
