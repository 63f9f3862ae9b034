/* Builds parts of a program by hand: expressions, actions, rules, states. Everything lives in one arena that
 * the test frees. */
#ifndef DUBAND_PROGRAM_BUILDER_H
#define DUBAND_PROGRAM_BUILDER_H

#include "core/due.h"
#include "core/step.h"
#include "unit.h"

#define FX static __attribute__((unused))

static struct arena *fx; /* of the running test */

/* to, n = the listed items, copied */
#define PUT(to, n, type, ...)                                                                                \
    do {                                                                                                     \
        const type put_[] = {__VA_ARGS__};                                                                   \
        type *copy_ = ARENA_ARRAY(fx, type, sizeof put_ / sizeof *put_);                                     \
        memcpy(copy_, put_, sizeof put_);                                                                    \
        (to) = copy_;                                                                                        \
        (n) = sizeof put_ / sizeof *put_;                                                                    \
    } while (0)

/* ---- expressions */

FX const struct expr *x_op(enum expr_op op, int index, int index2, size_t nargs, ...)
{
    struct expr *x = ARENA_NEW(fx, struct expr);
    va_list ap;
    *x = (struct expr){.op = op, .index = index, .index2 = index2, .nargs = nargs, .place = 1};
    x->arg = ARENA_ARRAY(fx, const struct expr *, nargs);
    va_start(ap, nargs);
    for (size_t i = 0; i < nargs; i++)
        x->arg[i] = va_arg(ap, const struct expr *);
    va_end(ap);
    return x;
}

FX const struct expr *x_const(struct value v)
{
    struct expr *x = ARENA_NEW(fx, struct expr);
    *x = (struct expr){.op = EXPR_CONST, .constant = v, .place = 1};
    return x;
}

FX const struct expr *x_period_key(int index)
{
    struct expr *x = ARENA_NEW(fx, struct expr);
    *x = (struct expr){.op = EXPR_KEY, .index = index, .type = {.tag = TYPE_PERIOD}, .place = 1};
    return x;
}

#define V_TEXT(s) ((struct value){.tag = VALUE_TEXT, .text = slice_of(s)})
#define V_NUM(n) ((struct value){.tag = VALUE_NUMBER, .number = rat_int(n)})
#define V_YES(y) ((struct value){.tag = VALUE_YESNO, .yes = (y)})
#define X_NUM(n) x_const(V_NUM(n))
#define X_TEXT(s) x_const(V_TEXT(s))
#define X0(op, index) x_op(op, index, 0, 0)
#define X1(op, index, a) x_op(op, index, 0, 1, a)
#define X2(op, a, b) x_op(op, 0, 0, 2, a, b)
#define X_EVENT(i) X0(EXPR_EVENT, i)
#define X_KEY(i) X0(EXPR_KEY, i)
#define X_VAR(i) X0(EXPR_VAR, i)
#define X_META(i) X0(EXPR_META, i)
#define X_ROW(i) X0(EXPR_ROW_FIELD, i)
#define X_AND(a, b) X2(EXPR_AND, a, b)
#define X_GE(a, b) X2(EXPR_GE, a, b)
#define X_EQ(a, b) X2(EXPR_EQ, a, b)

/* ---- small things */

#define WORD(s)                                                                                              \
    {                                                                                                        \
        (s), sizeof(s) - 1                                                                                   \
    }

FX struct field field(const char *name, enum type_tag tag, bool optional)
{
    return (struct field){slice_of(name), {.tag = tag, .optional = optional}};
}

FX struct duration days(int n)
{
    return (struct duration){n, DURATION_DAY};
}

FX struct tz *fixed_zone(const char *rule) /* a TZif file that is all footer: "CST-8" */
{
    char head[44] = "TZif2";
    head[39] = 1; /* one type … */
    head[43] = 4; /* … and four characters of names */
    static const char body[] = "\0\0\0\0\0\0UTC";
    struct buf b = {0};
    struct err e;
    for (int version = 1; version <= 2; version++) {
        buf_add(&b, (struct slice){head, sizeof head});
        buf_add(&b, (struct slice){body, 10});
    }
    buf_printf(&b, "\n%s\n", rule);
    struct tz *tz = tz_parse(fx, arena_dup(fx, buf_slice(&b)), &e);
    if (!tz)
        fail_msg("%s", e.text);
    buf_free(&b);
    return tz;
}

/* ---- parts of machines */

FX struct action act(enum action_op op, int index, const struct expr *value)
{
    return (struct action){.op = op, .index = index, .value = value, .place = 2};
}

FX struct action act_raise(int kind, const struct expr *a, const struct expr *b, const struct expr *c,
                           const struct expr *d)
{
    struct action raise = act(ACTION_RAISE, kind, NULL);
    size_t n;
    PUT(raise.fields, n, const struct expr *, a, b, c, d);
    (void)n;
    return raise;
}

/* when kind, if, go; actions are put in afterwards where there are any */
FX struct rule on(int kind, const struct expr *if_, int go)
{
    return (struct rule){.kind = kind, .if_ = if_, .go = go, .place = 3};
}

FX struct rule on_timer(int timer, const struct expr *if_, int go)
{
    return (struct rule){.kind = KIND_TIMER, .timer = timer, .if_ = if_, .go = go, .place = 4};
}

FX struct rule doing(struct rule r, struct action a)
{
    PUT(r.actions, r.nactions, struct action, a);
    return r;
}

FX struct rule doing2(struct rule r, struct action a, struct action b)
{
    PUT(r.actions, r.nactions, struct action, a, b);
    return r;
}

#define RULES(body, ...) PUT((body).rules, (body).nrules, struct rule, __VA_ARGS__)
#define ENTER(body, ...) PUT((body).enter, (body).nenter, struct action, __VA_ARGS__)
#define LEAVE(body, ...) PUT((body).leave, (body).nleave, struct action, __VA_ARGS__)
#define TIMERS(body, ...) PUT((body).timers, (body).ntimers, int, __VA_ARGS__)

FX void machine_states(struct machine *m, size_t n, const char *const *name)
{
    m->nstates = n;
    m->states = ARENA_ARRAY(fx, struct state, n);
    for (size_t s = 0; s < n; s++)
        m->states[s] =
            (struct state){.name = slice_of(name[s]), .title = slice_of(name[s]), .group = -1, .place = 5};
}

FX void task_key(struct machine *m)
{
    m->of = MACHINE_TASK;
    m->nkey = 4;
    m->key[TASK_OBLIGATION] = field("obligation", TYPE_TEXT, false);
    m->key[TASK_PERIOD] = field("period", TYPE_PERIOD, false);
    m->key[TASK_UNIT] = field("unit", TYPE_UNIT, false);
    m->key[TASK_ABOUT] = field("about", TYPE_UNIT, true);
    m->unit_key = TASK_UNIT;
}

#endif
