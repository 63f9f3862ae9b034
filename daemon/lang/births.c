/* Obligations that the calendar does not bear: `born-by:` events, directives, rules. And what any obligation
 * is about. */
#include "lang/obligations.h"

#include "lang/machines.h"
#include "lang/types.h"

enum born born_read(const struct yaml *obligation)
{
    const struct yaml *node = yaml_get(obligation, "born-by");
    if (!node)
        return BORN_BY_CALENDAR;
    return is_scalar(node) && slice_eq(node->text, S("rules")) ? BORN_BY_RULES : BORN_BY_EVENTS;
}

static void missing(struct compiler *c, const struct declared *d, const char *key, const char *expected)
{
    ERROR_AT(c, KEY_MISSING, d->node, expected, "obligation %.*s has no “%s”", SLICE_ARG(d->name), key);
}

static struct slice without_each(struct slice text)
{
    text = slice_trim(text);
    if (!slice_drop(&text, S("each of ")))
        slice_drop(&text, S("each "));
    return text;
}

/* ---- about: roles, or rows of a table */

/* Rows become their keys. */
static const struct expr *keys_of_rows(struct compiler *c, const struct expr *rows, const struct yaml *at,
                                       int *table)
{
    const struct program *p = c->program;
    const struct expr *of = rows;
    while (of->op == EXPR_WHERE)
        of = of->arg[0];
    if (of->op != EXPR_TABLE_ROWS)
        return NULL;
    *table = of->index;
    int column = p->tables[*table].key_column;
    struct type row = {.tag = TYPE_ROW, .table = *table}, all = {.tag = TYPE_LIST};
    struct type *item = ARENA_NEW(c->arena, struct type);
    *item = row;
    all.of = item;
    const struct expr **arg = ARENA_ARRAY(c->arena, const struct expr *, 2);
    arg[0] = rows;
    arg[1] = expr_make(c, EXPR_ROW_FIELD, column, row, at);
    struct expr *map = ARENA_NEW(c->arena, struct expr);
    *map = (struct expr){.op = EXPR_MAP, .type = all, .arg = arg, .nargs = 2, .place = rows->place};
    return map;
}

void about_read(struct compiler *c, const struct scope *s, const struct yaml *node, struct obligation *o,
                struct type *about)
{
    struct slice text = is_scalar(node) ? slice_trim(node->text) : S("");
    *about = (struct type){.tag = TYPE_UNIT, .optional = true};
    if (!is_scalar(node) || !slice_drop(&text, S("each "))) {
        read_roles(c, node, &o->about_roles, &o->nabout_roles);
        return;
    }
    const struct expr *x = expr_compile_part(s, node, without_each(node->text), NULL);
    int table = -1;
    if (!x)
        return;
    o->about_each = keys_of_rows(c, x, node, &table);
    if (table >= 0)
        *about = (struct type){.tag = TYPE_ROW, .table = table};
    else if ((x->type.tag == TYPE_SET || x->type.tag == TYPE_LIST) && type_is_text(x->type.of)) {
        o->about_each = x;
        *about = *x->type.of;
    } else {
        ERROR_AT(c, ABOUT, node, "a role, each ROLE, each of TABLE, each of TABLE where CONDITION",
                 "there is not one of these to be about: this is %.*s",
                 SLICE_ARG(type_format(c->arena, &x->type)));
    }
}

/* ---- births */

/* What a born task is about: a text or the like, or several of them. */
static const struct expr *about_expr(struct compiler *c, const struct scope *s, const struct yaml *node)
{
    const struct expr *x = expr_compile_part(s, node, without_each(node->text), NULL);
    const struct type *t = x ? &x->type : NULL;
    if (t && type_is_many(t))
        t = t->of;
    bool fits = !t || type_is_text(t) ||
                (t == &x->type && (t->tag == TYPE_NUMBER || t->tag == TYPE_DATE || t->tag == TYPE_PERIOD));
    if (!fits)
        ERROR_AT(c, ABOUT, node, "a text, a unit, a row, a number, a date, a period, or a set of texts",
                 "a task cannot be about %.*s", SLICE_ARG(type_format(c->arena, &x->type)));
    return fits ? x : NULL;
}

/* `period: month`, or an expression: `month of event.due`. */
static void birth_period(struct compiler *c, const struct scope *s, const struct yaml *node,
                         struct obligation *o, struct birth *b)
{
    enum period_kind kind;
    if (!is_scalar(node))
        return;
    if (period_kind_parse(node->text, &kind) ||
        (node->text.n > 7 && memcmp(node->text.p, "params.", 7) == 0)) {
        read_period_kind(c, node, &o->period);
        return;
    }
    b->period = expr_compile(s, node, NULL);
    const struct type *t = b->period ? &b->period->type : NULL;
    if (!t)
        return;
    if (t->tag == TYPE_PERIOD && t->period_kind != PERIOD_ONCE) {
        o->period = t->period_kind;
        return;
    }
    ERROR_AT(c, BIRTH, node, "month, quarter …; or month of event.held",
             "this is %.*s, not a period of a known kind", SLICE_ARG(type_format(c->arena, t)));
    b->period = NULL;
}

/* Dates come from expressions, everything else is a rule. */
static bool is_due_expression(const struct yaml *node)
{
    return is_scalar(node) && node->text.n &&
           (memmem(node->text.p, node->text.n, "event.", 6) ||
            memmem(node->text.p, node->text.n, " after ", 7) ||
            memmem(node->text.p, node->text.n, " before ", 8));
}

static const struct expr *due_date(const struct scope *s, const struct yaml *node)
{
    const struct expr *x = expr_compile(s, node, NULL);
    if (!x || x->type.tag == TYPE_DATE || x->type.tag == TYPE_INSTANT)
        return x;
    ERROR_AT(s->c, EXPR_TYPE, node, "a date: event.due, 5 workdays after event.received",
             "a due date cannot be %.*s", SLICE_ARG(type_format(s->c->arena, &x->type)));
    return NULL;
}

static const struct expr *field_of(struct compiler *c, int kind, int field, const struct yaml *at)
{
    return expr_make(c, EXPR_EVENT, field, c->program->kinds[kind].fields[field].type, at);
}

/* A directive says all of it itself. */
static void directive_defaults(struct compiler *c, const struct declared *d, const struct yaml *at,
                               struct birth *b)
{
    if (!yaml_get(d->node, "owed-by"))
        b->owed_by = field_of(c, KIND_DIRECTIVE, DIRECTIVE_UNIT, at);
    if (!yaml_get(d->node, "about"))
        b->about = field_of(c, KIND_DIRECTIVE, DIRECTIVE_ABOUT, at);
    if (!yaml_get(d->node, "due"))
        b->due = field_of(c, KIND_DIRECTIVE, DIRECTIVE_DUE, at);
}

static void birth_read(struct compiler *c, const struct declared *d, const struct yaml *at,
                       struct obligation *o)
{
    const struct yaml *owed = yaml_get(d->node, "owed-by"), *about = yaml_get(d->node, "about"),
                      *due = yaml_get(d->node, "due");
    struct birth *b = &o->births[o->nbirths];
    struct scope s = {.c = c};
    if (!event_where_read(c, (struct scope){.c = c}, at, &b->kind, &b->where))
        return;
    s.kind = b->kind;
    if (owed)
        b->owed_by = owners_read(&s, owed);
    if (is_scalar(about))
        b->about = about_expr(c, &s, about);
    birth_period(c, &s, yaml_get(d->node, "period"), o, b);
    if (is_due_expression(due))
        b->due = due_date(&s, due);
    if (b->kind == KIND_DIRECTIVE)
        directive_defaults(c, d, at, b);
    if (b->due)
        o->due = (struct due_rule){.kind = DUE_FIELD};
    if (!owed && b->kind != KIND_DIRECTIVE)
        missing(c, d, "owed-by", "owed-by: event.unit");
    o->nbirths += b->owed_by != NULL;
}

void births_read(struct compiler *c, const struct declared *d, struct obligation *o)
{
    const struct yaml *born = yaml_get(d->node, "born-by"), *by = yaml_get(d->node, "by"),
                      *due = yaml_get(d->node, "due"), *about = yaml_get(d->node, "about"),
                      *period = yaml_get(d->node, "period");
    const struct yaml **item;
    bool directive = false;
    o->by_rules = born_read(d->node) == BORN_BY_RULES;
    o->period = PERIOD_ONCE;
    if (o->by_rules) {
        static const char *const of_rule[] = {"owed-by", "about"};
        for (size_t i = 0; i < sizeof of_rule / sizeof *of_rule; i++)
            if (yaml_get(d->node, of_rule[i]))
                ERROR_AT(c, BIRTH, yaml_get(d->node, of_rule[i]), "{task: NAME, unit: …, about: …} of a rule",
                         "the rule that bears the task says its “%s”", of_rule[i]);
        if (is_scalar(period))
            read_period_kind(c, period, &o->period);
        if (!due)
            o->due = (struct due_rule){.kind = DUE_FIELD};
    } else {
        size_t n = read_scalars(c, born, &item, "EVENT where CONDITION, or rules");
        o->births = ARENA_ARRAY(c->arena, struct birth, n + 1);
        for (size_t i = 0; i < n; i++) {
            birth_read(c, d, item[i], o);
            directive |= slice_eq(item[i]->text, S("directive"));
        }
        if (!due && !period && o->due.kind != DUE_FIELD && o->nbirths)
            missing(c, d, "due", "due: event.FIELD, due: 10d after event.received, or due: none");
        for (size_t i = 0; i < o->nbirths; i++)
            if (o->due.kind == DUE_FIELD && !o->births[i].due)
                missing(c, d, "due", "due: event.FIELD, that all of these events have");
    }
    o->about_text = o->by_rules || directive || about;
    if (about && !is_scalar(about))
        ERROR_AT(c, SHAPE, about, "an expression over the event: event.problem",
                 "what a born task is about is one expression");
    if (by && !directive)
        ERROR_AT(c, BIRTH, by, "born-by: directive",
                 "by: says who may give directives, and none bears this obligation");
    read_roles(c, by, &o->by, &o->nby);
}

/* ---- the action task: unit, about, period and due are said by the rule */

static const struct key_def task_keys[] = {
    {"task", YAML_SCALAR, true, "name", NULL, "an obligation `born-by: rules`: one task of it is born"},
    {"unit", YAML_SCALAR, false, "units", "the instance's unit", "who owes it"},
    {"about", YAML_SCALAR, false, "expression", NULL, "what it is about"},
    {"period", YAML_SCALAR, false, "period expression", "the event's, else that of the day",
     "of the obligation's kind"},
    {"due", YAML_SCALAR, false, "expression", "the obligation's rule, or never",
     "where the obligation has no `due`"},
};
const struct key_table task_table = KEY_TABLE(task_keys);

static const struct expr *task_unit(struct machine_at *at, const struct scope *s, const struct yaml *node,
                                    const struct yaml *what)
{
    const struct machine *m = at->m;
    if (is_scalar(node))
        return read_units(s, node, false);
    if (m->unit_key >= 0)
        return expr_make(at->c, EXPR_KEY, m->unit_key, m->key[m->unit_key].type, what);
    ERROR_AT(at->c, KEY_MISSING, what, "unit: UNITS", "machine %.*s has no unit to owe the task",
             SLICE_ARG(m->name));
    return NULL;
}

static bool task_period(struct machine_at *at, const struct scope *s, const struct yaml *node,
                        const struct obligation *o, struct action *a)
{
    if (!is_scalar(node))
        return true;
    a->period = expr_compile(s, node, NULL);
    if (!a->period)
        return false;
    const struct type *t = &a->period->type;
    if (o->period != PERIOD_ONCE && t->tag == TYPE_PERIOD &&
        (t->period_kind == o->period || t->period_kind == PERIOD_ONCE))
        return true;
    ERROR_AT(at->c, BIRTH, node,
             o->period == PERIOD_ONCE ? "period: in the obligation, too" : period_kind_name(o->period),
             "the tasks of %.*s are not kept by %.*s", SLICE_ARG(o->name),
             SLICE_ARG(type_format(at->c->arena, t)));
    return false;
}

bool task_read(struct machine_at *at, const struct scope *s, const struct yaml *node, const struct yaml *what,
               struct action *a)
{
    struct compiler *c = at->c;
    struct build *b = build_of(c);
    const struct yaml *about = yaml_get(node, "about"), *due = yaml_get(node, "due");
    keys_check(c, node, task_keys, sizeof task_keys / sizeof *task_keys, "task");
    if (!is_scalar(what))
        return false;
    a->index = section_find(&b->obligations, what->text);
    if (a->index < 0 || born_read(b->obligations.item[a->index].node) != BORN_BY_RULES) {
        ERROR_AT(c, BIRTH, what,
                 a->index < 0 ? section_hint(c, &b->obligations, what->text)
                              : "born-by: rules, in the obligation",
                 a->index < 0 ? "no obligation “%.*s” is declared" : "no rule bears tasks of “%.*s”",
                 SLICE_ARG(what->text));
        return false;
    }
    const struct obligation *o = &c->program->obligations[a->index];
    a->unit = task_unit(at, s, yaml_get(node, "unit"), what);
    a->about = is_scalar(about) ? about_expr(c, s, about) : NULL;
    a->due = is_scalar(due) ? due_date(s, due) : NULL;
    b->task_borne[a->index] = true;
    if (a->due && o->due.kind != DUE_FIELD)
        ERROR_AT(c, BIRTH, due, "no due: in the obligation, or none here", "%.*s has a due rule of its own",
                 SLICE_ARG(o->name));
    return a->unit && (!about || a->about) && (!due || a->due) &&
           task_period(at, s, yaml_get(node, "period"), o, a);
}

/* ---- lint */

void births_lint(struct compiler *c, const struct declared *d, const struct obligation *o)
{
    if (o->nbirths && o->period == PERIOD_ONCE && !o->births[0].about)
        WARN_AT(c, BIRTHS_ALIKE, yaml_get(d->node, "born-by"), "about: event.FIELD, or period: month",
                "a second event bears no second task of the same unit: nothing tells the two apart");
    if (o->by_rules && !build_of(c)->task_borne[o - c->program->obligations])
        ERROR_AT(
            c, BIRTH, yaml_get(d->node, "born-by"),
            arena_printf(c->arena, "{task: %.*s, …} among the actions of some rule", SLICE_ARG(d->name)).p,
            "no rule bears a task of “%.*s”", SLICE_ARG(d->name));
}
