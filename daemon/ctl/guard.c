#include "ctl/guard.h"

#include <stdio.h>

void lines_add(struct text_lines *l, const char *fmt, ...)
{
    struct buf b = {0};
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&b, fmt, args);
    va_end(args);
    *(struct slice *)arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *l->item) =
        arena_dup(l->arena, buf_slice(&b));
    buf_free(&b);
}

struct slice place_print(struct arena *a, const struct program *p, uint32_t place)
{
    const struct place *at = &p->places[place < p->nplaces ? place : 0];
    return at->file.n ? arena_printf(a, "%.*s:%d", SLICE_ARG(at->file), at->line) : S("");
}

static struct slice heard(struct arena *a, const struct program *p, const struct machine *m, int kind,
                          int timer)
{
    if (kind == KIND_TIMER && timer >= 0)
        return arena_printf(a, "timer %.*s", SLICE_ARG(m->timers[timer].name));
    return kind < 0 ? S("any") : p->kinds[kind].name;
}

struct slice rule_print(struct arena *a, const struct program *p, const struct machine *m,
                        const struct rule *r)
{
    const struct expr_names names = {p, m, r->kind == KIND_TIMER ? -1 : r->kind};
    struct slice condition = expr_print(a, &names, r->if_);
    struct slice go = r->go >= 0 ? m->states[r->go].name : S("");
    return arena_printf(a, "when %.*s%s%.*s%s%.*s%s", SLICE_ARG(heard(a, p, m, r->kind, r->timer)),
                        condition.n ? " if " : "", SLICE_ARG(condition), go.n ? " → " : "", SLICE_ARG(go),
                        r->refuse.n ? ": refuse" : "");
}

struct slice watched_event_print(struct arena *a, const struct watched *w)
{
    const struct machine *m = &w->program->machines[w->instance->machine];
    if (!w->event)
        return heard(a, w->program, m, KIND_TIMER, w->timer);
    const struct kind *k = &w->program->kinds[w->event->kind];
    struct buf b = {0};
    size_t said = 0;
    buf_add(&b, k->name);
    for (size_t f = 0; f < k->nfields; f++) {
        if (w->event->field[f].tag == VALUE_NA)
            continue;
        struct slice v = value_format(a, &w->event->field[f], w->program->tz);
        buf_printf(&b, "%s%.*s: %.*s", said++ ? ", " : " {", SLICE_ARG(k->fields[f].name), SLICE_ARG(v));
    }
    buf_add(&b, said ? S("}") : S(""));
    struct slice text = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return text;
}

/* ---- conditions, part by part */

struct explainer {
    struct text_lines *out;
    const struct watched *w;
    struct expr_names names;
    int depth;
};

static struct value ask(const struct explainer *x, const struct expr *e)
{
    struct eval ev = *x->w->eval;
    ev.arena = x->out->arena;
    ev.cost = 0;
    struct value v = expr_eval(&ev, e);
    return ev.failed ? (struct value){.tag = VALUE_NA} : v;
}

static struct slice shown(const struct explainer *x, const struct value *v)
{
    return v->tag == VALUE_NA ? S("n/a") : value_format(x->out->arena, v, x->w->program->tz);
}

static struct slice words(const struct explainer *x, const struct expr *e)
{
    return expr_print(x->out->arena, &x->names, e);
}

/* Operations whose later arguments look at rows: only the first stands for itself. */
static size_t free_args(const struct expr *e)
{
    bool binds = e->op == EXPR_WHERE || e->op == EXPR_MAP || e->op == EXPR_QUANT_ALL ||
                 e->op == EXPR_QUANT_SUM || e->op == EXPR_QUANT_MEAN;
    return binds && e->nargs > 1 ? 1 : e->nargs;
}

/* The innermost part that is n/a and makes e so. */
static const struct expr *missing_part(const struct explainer *x, const struct expr *e)
{
    if (e->op == EXPR_LET)
        return e;
    for (size_t i = 0; i < free_args(e); i++)
        if (e->arg[i] && ask(x, e->arg[i]).tag == VALUE_NA)
            return missing_part(x, e->arg[i]);
    return e;
}

static bool is_comparison(const struct expr *e)
{
    return (e->op >= EXPR_EQ && e->op <= EXPR_HAS) && e->nargs == 2;
}

static void explain(struct explainer *x, const struct expr *e);

static void explain_inside(struct explainer *x, const struct expr *e)
{
    x->depth++;
    explain(x, e);
    x->depth--;
}

static void say(struct explainer *x, const struct expr *e, struct slice between, const struct value *v)
{
    struct slice text = words(x, e), value = shown(x, v);
    const struct expr *missing = v->tag == VALUE_NA ? missing_part(x, e) : e;
    struct slice which = missing != e ? words(x, missing) : S("");
    lines_add(x->out, "%*s%.*s%.*s → %.*s%s%.*s%s", 2 * x->depth, "", SLICE_ARG(text), SLICE_ARG(between),
              SLICE_ARG(value), which.n ? " (n/a: " : "", SLICE_ARG(which), which.n ? ")" : "");
}

static void say_comparison(struct explainer *x, const struct expr *e, const struct value *v)
{
    static const char *const sign[] = {
        [EXPR_EQ] = "=", [EXPR_NE] = "≠", [EXPR_LT] = "<",  [EXPR_LE] = "≤",
        [EXPR_GT] = ">", [EXPR_GE] = "≥", [EXPR_IN] = "in", [EXPR_HAS] = "has"};
    bool listed = e->op == EXPR_HAS && e->arg[0]->op == EXPR_LIST; /* written the other way about */
    struct value a = ask(x, e->arg[listed]), b = ask(x, e->arg[!listed]);
    struct slice between = arena_printf(x->out->arena, ": %.*s %s %.*s", SLICE_ARG(shown(x, &a)),
                                        listed ? "in" : sign[e->op], SLICE_ARG(shown(x, &b)));
    bool plain = e->arg[0]->op == EXPR_CONST && e->arg[1]->op == EXPR_CONST;
    say(x, e, plain ? S("") : between, v);
}

/* The parts of a chain of `and`, or of `or`, side by side. */
static void explain_chain(struct explainer *x, const struct expr *e, enum expr_op op)
{
    for (size_t i = 0; i < e->nargs; i++)
        if (e->arg[i]->op == op)
            explain_chain(x, e->arg[i], op);
        else
            explain(x, e->arg[i]);
}

static void explain(struct explainer *x, const struct expr *e)
{
    struct value v = ask(x, e);
    if (e->op == EXPR_AND || e->op == EXPR_OR) {
        bool whole =
            x->depth > 0 || e->op == EXPR_OR; /* of a chain of `and` at the top, the parts say it all */
        if (whole)
            say(x, e, S(""), &v);
        x->depth += whole;
        explain_chain(x, e, e->op);
        x->depth -= whole;
    } else if (is_comparison(e)) {
        say_comparison(x, e, &v);
    } else if (e->op == EXPR_LET) {
        const struct expr *value = x->names.machine->lets[e->index].value;
        say(x, e, S(""), &v);
        explain_inside(x, value);
    } else if (e->op == EXPR_NOT) {
        say(x, e, S(""), &v);
        if (e->arg[0]->nargs || e->arg[0]->op == EXPR_LET)
            explain_inside(x, e->arg[0]);
    } else if (e->op == EXPR_IF) {
        struct value c = ask(x, e->arg[0]);
        say(x, e, S(""), &v);
        explain_inside(x, e->arg[0]);
        if (c.tag == VALUE_YESNO)
            explain_inside(x, e->arg[c.yes ? 1 : 2]);
    } else {
        say(x, e, S(""), &v);
    }
}

void guard_explain(struct text_lines *out, const struct watched *w, const struct expr *condition)
{
    const struct machine *m = &w->program->machines[w->instance->machine];
    struct explainer x = {out, w, {w->program, m, w->event ? w->event->kind : -1}, 0};
    if (condition)
        explain(&x, condition);
    else
        lines_add(out, "it has no condition");
}

/* ---- what a rule leads to */

static bool acts(const struct action *a, size_t n, int measure)
{
    for (size_t i = 0; i < n; i++)
        if (a[i].op == ACTION_MEASURE && a[i].index == measure)
            return true;
    return false;
}

bool rule_issues(const struct machine *m, const struct rule *r, int measure)
{
    if (acts(r->actions, r->nactions, measure))
        return true;
    if (r->go < 0)
        return false;
    const struct state *s = &m->states[r->go];
    return acts(s->body.enter, s->body.nenter, measure) ||
           (s->group >= 0 && acts(m->groups[s->group].body.enter, m->groups[s->group].body.nenter, measure));
}
