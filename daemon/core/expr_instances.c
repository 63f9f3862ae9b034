/* Instances as rows of expressions: what the world holds, as the turn at hand sees it. */
#include "core/due.h"
#include "core/expr_ops.h"

/* ---- one instance as a row */

static struct value instant_or_na(instant_t t)
{
    return t == INSTANT_NONE || t == INSTANT_MAX ? NA : value_instant(t);
}

static struct value column_value(const struct eval *ev, const struct instance *i,
                                 const struct collection_column *c)
{
    const struct machine *m = &ev->program->machines[i->machine];
    switch (c->source) {
    case COLUMN_NONE:
        return NA;
    case COLUMN_KEY:
        return key_value(&m->key[c->index].type, i->key[c->index]);
    case COLUMN_STATE:
        return value_text(m->states[i->state].name);
    case COLUMN_SINCE:
        return instant_or_na(i->since);
    case COLUMN_DUE:
        return i->task ? instant_or_na(i->task->due) : NA;
    case COLUMN_LIMIT:
        return instant_or_na(i->limit);
    case COLUMN_VAR:
        return i->vars ? i->vars[c->index] : NA;
    case COLUMN_COUNT:
        return i->counts ? value_number(rat_int(i->counts[c->index].n)) : NA;
    case COLUMN_EXCUSED:
        return value_yes(i->standing.excused.n > 0);
    }
    return NA;
}

static const struct collection_machine *of_machine(const struct collection *c, int machine)
{
    size_t m = 0;
    while (m < c->nmachines && c->machines[m].machine != machine)
        m++;
    return m < c->nmachines ? &c->machines[m] : NULL;
}

static struct value row_value(struct eval *ev, const struct expr *x, const struct collection *c,
                              const struct instance *i)
{
    const struct collection_machine *m = of_machine(c, i->machine);
    size_t n = c->row.nfields;
    if (!eval_charge(ev, x, n))
        return NA;
    struct value *field = ARENA_ARRAY(ev->arena, struct value, n);
    for (size_t f = 0; f < n; f++)
        field[f] = column_value(ev, i, &m->column[f]);
    return (struct value){.tag = VALUE_RECORD, .record = {field, NULL, n}};
}

/* ---- a scan */

struct scan {
    struct eval *ev;
    const struct expr *x;
    const struct collection *c;
    struct slice key[KEY_PARTS_MAX]; /* by key part: what it must equal */
    bool given[KEY_PARTS_MAX];
    bool within; /* the period that the task's must begin in: `span` instead of key[TASK_PERIOD] */
    struct period span;
    struct items rows;
};

static bool visit(void *arg, const struct instance *i)
{
    struct scan *s = arg;
    if (!eval_charge(s->ev, s->x, 1))
        return false;
    for (size_t k = 0; k < KEY_PARTS_MAX; k++)
        if (s->given[k] && !slice_eq(s->key[k], i->key[k]))
            return true;
    struct value row = row_value(s->ev, s->x, s->c, i);
    if (!s->ev->failed)
        items_add(s->ev, &s->rows, row);
    return !s->ev->failed;
}

/* The parts given without a gap are looked up, the rest is compared. */
static void scan_machine(struct scan *s, int machine)
{
    size_t n = 0;
    while (n < KEY_PARTS_MAX && s->given[n])
        n++;
    if (eval_charge(s->ev, s->x, 1))
        s->ev->instances->scan(s->ev->instances->ctx, machine, s->key, n, visit, s);
}

/* Every period of the obligation's kind that begins within the span. */
static void scan_within(struct scan *s, const struct obligation *o)
{
    date_t first = period_first(s->span), end = period_end(s->span);
    struct period q = period_of_date(o->period, first);
    if (o->period == PERIOD_ONCE)
        return; /* it has no dates, so it lies in no span */
    if (period_first(q) < first)
        q = period_step(q, 1);
    s->given[TASK_PERIOD] = true;
    for (; period_first(q) < end && !s->ev->failed; q = period_step(q, 1)) {
        s->key[TASK_PERIOD] = period_format(s->ev->arena, q);
        scan_machine(s, o->machine);
    }
    s->given[TASK_PERIOD] = false;
}

/* Obligation by obligation, so that period and unit narrow the search even where no obligation is named. */
static void scan_tasks(struct scan *s)
{
    const struct program *p = s->ev->program;
    struct slice wanted = s->key[TASK_OBLIGATION];
    bool any = !s->given[TASK_OBLIGATION];
    for (size_t i = 0; i < s->c->nobligations && !s->ev->failed; i++) {
        const struct obligation *o = &p->obligations[s->c->obligations[i]];
        if (!of_machine(s->c, o->machine) || !(any || slice_eq(wanted, o->name)))
            continue;
        s->key[TASK_OBLIGATION] = o->name;
        s->given[TASK_OBLIGATION] = true;
        if (s->within)
            scan_within(s, o);
        else
            scan_machine(s, o->machine);
    }
}

/* A value as the key has it. False: it is n/a. */
static bool key_text(struct eval *ev, const struct value *v, struct slice *out)
{
    if (v->tag == VALUE_NA)
        return false;
    *out = v->tag == VALUE_TEXT ? v->text : value_format(ev->arena, v, ev->program->tz);
    return true;
}

static bool is_tasks(const struct eval *ev, const struct collection *c)
{
    return c->nmachines && ev->program->machines[c->machines[0].machine].of == MACHINE_TASK;
}

struct value eval_instances(struct eval *ev, const struct expr *x)
{
    struct scan s = {.ev = ev, .x = x, .c = &ev->program->collections[x->index]};
    for (size_t k = 0; k < x->nargs; k++) {
        if (!x->arg[k])
            continue;
        struct value v = expr_eval(ev, x->arg[k]);
        if (!key_text(ev, &v, &s.key[k]))
            return NA;
        s.given[k] = !(x->index2 == 1 && k == TASK_PERIOD);
        if (s.given[k] || v.tag != VALUE_PERIOD)
            continue;
        s.within = v.period.kind != PERIOD_ONCE; /* all of time narrows nothing */
        s.span = v.period;
    }
    if (!ev->instances)
        return items_list(&s.rows);
    if (is_tasks(ev, s.c))
        scan_tasks(&s);
    else
        for (size_t m = 0; m < s.c->nmachines && !ev->failed; m++)
            scan_machine(&s, s.c->machines[m].machine);
    return items_list(&s.rows);
}

/* ---- one by its key */

struct value eval_at(struct eval *ev, const struct expr *x)
{
    const struct program *p = ev->program;
    const struct collection *c = &p->collections[x->index];
    struct slice key[KEY_PARTS_MAX] = {{0}};
    int machine = c->machines[0].machine;
    for (size_t k = 0; k < x->nargs; k++) {
        struct value v = eval_arg(ev, x, k);
        if (!key_text(ev, &v, &key[k]) && !c->row.fields[k].type.optional)
            return NA;
    }
    if (is_tasks(ev, c)) {
        int o = program_obligation(p, key[TASK_OBLIGATION]);
        machine = o < 0 ? -1 : p->obligations[o].machine;
    }
    if (!ev->instances || !of_machine(c, machine) || !eval_charge(ev, x, 1))
        return NA;
    const struct instance *i = ev->instances->find(ev->instances->ctx, machine, key);
    return i ? row_value(ev, x, c, i) : NA;
}

struct value eval_field(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    return v.tag == VALUE_RECORD && (size_t)x->index < v.record.n ? v.record.field[x->index] : NA;
}

/* ---- due-day(OBLIGATION, period) */

struct value eval_due_day(struct eval *ev, const struct expr *x)
{
    const struct obligation *o = &ev->program->obligations[x->index];
    struct value v = eval_arg(ev, x, 0);
    if (v.tag != VALUE_PERIOD || v.period.kind != o->period || o->due.kind == DUE_NONE ||
        o->due.kind == DUE_FIELD || !eval_charge(ev, x, 10))
        return NA;
    struct due due = due_of(ev->program, o, v.period, ev->arena);
    return due.day == DATE_NONE ? NA : (struct value){.tag = VALUE_DATE, .date = due.day};
}
