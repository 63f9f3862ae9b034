/* Obligations: who owes what to whom, when, and what counts. */
#include "lang/obligations.h"

#include <stdlib.h>

/* Keys that `defaults:` may give for all of them, with what holds when nobody says. */
static const struct {
    const char *key, *otherwise;
} defaults[] = {{"cutoff", "inclusive"},
                {"roll", "none"},
                {"missed-after", "10d"},
                {"return-grace", "3d"},
                {"settle", "3d"}};

/* What the obligation says, else `defaults:`, else what always holds. */
static const struct yaml *setting(struct compiler *c, const struct yaml *node, const char *key)
{
    const struct yaml *own = yaml_get(node, key), *common = yaml_get(yaml_get(c->root, "defaults"), key);
    if (own || common)
        return own ? own : common;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (strcmp(defaults[i].key, key) == 0) {
            struct yaml *made = ARENA_NEW(c->arena, struct yaml);
            *made = *node;
            made->kind = YAML_SCALAR;
            made->text = slice_of(defaults[i].otherwise);
            return made;
        }
    return NULL;
}

static int duration_order(const void *a, const void *b)
{
    static const int64_t minutes[] = {
        [DURATION_MINUTE] = 1,     [DURATION_HOUR] = 60,    [DURATION_DAY] = 1440,
        [DURATION_WORKDAY] = 1440, [DURATION_WEEK] = 10080, [DURATION_MONTH] = 43200};
    const struct duration *x = a, *y = b;
    int64_t m = x->n * minutes[x->unit], n = y->n * minutes[y->unit];
    return (m < n) - (m > n);
}

static void reminders_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "lengths of time: [3d, 1d]");
    o->remind = ARENA_ARRAY(c->arena, struct duration, n + 2);
    if (!node) {
        o->remind[o->nremind++] = (struct duration){3, DURATION_DAY};
        o->remind[o->nremind++] = (struct duration){1, DURATION_DAY};
    }
    if (is_scalar(node) && slice_eq(node->text, S("none")))
        return;
    for (size_t i = 0; i < n; i++)
        o->nremind += read_duration(c, item[i], &o->remind[o->nremind]);
    qsort(o->remind, o->nremind, sizeof *o->remind, duration_order);
}

static void timing_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    static const char *const cutoffs[] = {"inclusive", "exclusive"};
    static const char *const rolls[] = {"none", "next", "previous"};
    const struct yaml *due = yaml_get(node, "due");
    o->period = PERIOD_MONTH;
    read_period_kind(c, yaml_get(node, "period"), &o->period);
    o->due = (struct due_rule){.kind = DUE_END};
    if (is_scalar(due))
        due_read(c, due, o->period, &o->due);
    o->due.exclusive = read_word(c, setting(c, node, "cutoff"), cutoffs, 2, "cut-off") == 1;
    int roll = read_word(c, setting(c, node, "roll"), rolls, 3, "roll");
    o->due.roll = roll < 0 ? ROLL_NONE : (enum due_roll)roll;
    read_duration(c, setting(c, node, "missed-after"), &o->missed_after);
    read_duration(c, setting(c, node, "return-grace"), &o->return_grace);
    read_duration(c, setting(c, node, "settle"), &o->settle);
    reminders_read(c, setting(c, node, "remind"), o);
}

/* `from: 2022-04`, `until: 2024-12-31`: a period or a day, both included. */
static void bound_read(struct compiler *c, const struct yaml *node, bool end, date_t *out)
{
    struct period p;
    date_t d;
    if (!is_scalar(node))
        return;
    if (date_parse(node->text, &d))
        *out = end ? d + 1 : d;
    else if (period_parse(node->text, &p) && p.kind != PERIOD_ONCE)
        *out = end ? period_end(p) : period_first(p);
    else
        ERROR_AT(c, EFFECTIVE, node, "a period or a day: 2024-03, 2024Q1, 2024-03-29", "“%.*s” is neither",
                 SLICE_ARG(node->text));
}

/* The obligation's own bounds within the workflow's. */
static void effective_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    struct span all = c->program->effective, own = {DATE_NONE, DATE_NONE};
    bound_read(c, yaml_get(node, "from"), false, &own.from);
    bound_read(c, yaml_get(node, "until"), true, &own.until);
    if (own.from == DATE_NONE || (all.from != DATE_NONE && all.from > own.from))
        own.from = all.from;
    if (own.until == DATE_NONE || (all.until != DATE_NONE && all.until < own.until))
        own.until = all.until;
    o->effective = own;
}

/* ---- who owes */

/* A list is the union of what its items name. */
static void owed_by_read(struct compiler *c, const struct scope *s, const struct yaml *node,
                         struct obligation *o)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "a role, or units: lead of about");
    const struct expr **arg = ARENA_ARRAY(c->arena, const struct expr *, n + 1);
    size_t nargs = 0;
    for (size_t i = 0; i < n; i++)
        if ((arg[nargs] = read_units(s, item[i], false)) != NULL)
            nargs++;
    if (nargs == 1)
        o->owed_by = arg[0];
    if (node && node->kind == YAML_LIST && node->n == 0)
        ERROR_AT(c, NOBODY_OWES, node, "owed-by: a role", "nobody is named");
    if (nargs < 2)
        return;
    struct expr *all = ARENA_NEW(c->arena, struct expr);
    *all = (struct expr){.op = EXPR_LIST,
                         .type = {.tag = TYPE_SET, .of = &type_unit},
                         .arg = arg,
                         .nargs = nargs,
                         .place = place_of(c, node)};
    o->owed_by = all;
}

/* ---- what counts: `dispatch`, or `dispatch where event.of has about` */

static void count_read(struct compiler *c, struct scope s, const struct yaml *node, struct obligation *o)
{
    static const struct slice where = {" where ", 7};
    struct slice name = node->text, condition = {0};
    const char *p = memmem(name.p, name.n, where.p, where.n);
    if (p) {
        condition = (struct slice){p + where.n, (size_t)(name.p + name.n - p) - where.n};
        name.n = (size_t)(p - name.p);
    }
    struct yaml at = *node;
    at.text = slice_trim(name);
    at.width = at.text.n ? char_count(at.text) : 1;
    int kind = read_kind(c, &at, false);
    if (kind < 0)
        return;
    if (kind < KIND_DECLARED || c->program->kinds[kind].class_ == KIND_CLASS_RANKING) {
        ERROR_AT(c, COUNTS, &at, "a declared event, or a ranking's entry", "“%.*s” cannot be counted",
                 SLICE_ARG(at.text));
        return;
    }
    s.kind = kind;
    struct obligation_counts *count = &o->counts[o->ncounts];
    *count = (struct obligation_counts){.kind = kind};
    if (p)
        count->where = expr_compile_part(&s, node, condition, &type_yesno);
    o->ncounts += !p || count->where;
}

static void counts_read(struct compiler *c, const struct scope *s, const struct yaml *node,
                        struct obligation *o)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "EVENT where CONDITION");
    o->counts = ARENA_ARRAY(c->arena, struct obligation_counts, n + 1);
    for (size_t i = 0; i < n; i++)
        count_read(c, *s, item[i], o);
}

static void requires_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "names of fields");
    o->required = ARENA_ARRAY(c->arena, bool, o->nfields + 1);
    for (size_t i = 0; i < n; i++) {
        int f = field_find(o->fields, o->nfields, item[i]->text);
        if (f >= 0)
            o->required[f] = true;
        else
            ERROR_AT(c, FIELD_UNKNOWN, item[i], field_hint(c, o->fields, o->nfields, item[i]->text),
                     "the obligation has no field “%.*s”", SLICE_ARG(item[i]->text));
    }
}

/* ---- */

static int task_machine(struct compiler *c, const struct yaml *node)
{
    struct build *b = build_of(c);
    struct slice name[64];
    size_t n = 0;
    if (!is_scalar(node))
        return -1;
    int found = section_find(&b->machines, node->text) + 1;
    if (found > 0 && c->program->machines[found].of == MACHINE_TASK)
        return found;
    for (size_t i = 1; i < c->program->nmachines && n < 64; i++)
        if (c->program->machines[i].of == MACHINE_TASK)
            name[n++] = c->program->machines[i].name;
    const char *expected = n ? name_hint(c, node->text, name, n) : "use: [../common/report.yaml]";
    if (found > 0)
        ERROR_AT(c, MACHINE_UNKNOWN, node, expected, "machine “%.*s” is not one of tasks",
                 SLICE_ARG(node->text));
    else
        ERROR_AT(c, MACHINE_UNKNOWN, node, expected, "no machine “%.*s” is declared", SLICE_ARG(node->text));
    return -1;
}

static void obligation_compile(struct compiler *c, const struct declared *d, struct obligation *o)
{
    static const struct key_def keys[] = {{"title", YAML_NULL, true},
                                          {"basis", YAML_SCALAR, true},
                                          {"owed-by", YAML_NULL, true},
                                          {"about", YAML_NULL, false},
                                          {"to", YAML_NULL, false},
                                          {"period", YAML_SCALAR, true},
                                          {"due", YAML_SCALAR, false},
                                          {"from", YAML_SCALAR, false},
                                          {"until", YAML_SCALAR, false},
                                          {"at-least", YAML_SCALAR, false},
                                          {"counts", YAML_NULL, false},
                                          {"fields", YAML_MAP, false},
                                          {"requires", YAML_NULL, false},
                                          {"machine", YAML_SCALAR, true},
                                          {"cutoff", YAML_SCALAR, false},
                                          {"roll", YAML_SCALAR, false},
                                          {"remind", YAML_NULL, false},
                                          {"missed-after", YAML_SCALAR, false},
                                          {"return-grace", YAML_SCALAR, false},
                                          {"settle", YAML_SCALAR, false}};
    o->place = place_of(c, d->key);
    o->at_least = rat_int(1);
    if (!keys_check(c, d->node, keys, sizeof keys / sizeof *keys,
                    arena_printf(c->arena, "obligation %.*s", SLICE_ARG(d->name)).p))
        return;
    o->title = read_title(c, yaml_get(d->node, "title"));
    o->basis = read_text(d->node, "basis");
    read_roles(c, yaml_get(d->node, "about"), &o->about_roles, &o->nabout_roles);
    read_roles(c, yaml_get(d->node, "to"), &o->to, &o->nto);
    timing_read(c, d->node, o);
    effective_read(c, d->node, o);
    const struct yaml *least = yaml_get(d->node, "at-least"), *counts = yaml_get(d->node, "counts");
    int n = 1;
    if (least && read_count(c, least, 1, 1000000, &n))
        o->at_least = rat_int(n);
    if (least && !counts)
        ERROR_AT(c, COUNTS, least, "counts: EVENT where CONDITION", "nothing says what is counted");
    o->fields = fields_compile(c, yaml_get(d->node, "fields"), &o->nfields);
    requires_read(c, yaml_get(d->node, "requires"), o);
    o->machine = task_machine(c, yaml_get(d->node, "machine"));
    if (o->machine < 0)
        return;
    struct scope s = machine_scope(c, o->machine);
    /* Only the task's key is there when the question is who owes, or what counts. */
    owed_by_read(c, &s, yaml_get(d->node, "owed-by"), o);
    counts_read(c, &s, counts, o);
}

static void defaults_check(struct compiler *c)
{
    static const struct key_def keys[] = {
        {"cutoff", YAML_SCALAR, false},       {"roll", YAML_SCALAR, false},
        {"remind", YAML_NULL, false},         {"missed-after", YAML_SCALAR, false},
        {"return-grace", YAML_SCALAR, false}, {"settle", YAML_SCALAR, false}};
    const struct yaml *node = yaml_get(c->root, "defaults");
    if (node)
        keys_check(c, node, keys, sizeof keys / sizeof *keys, "defaults");
}

void obligations_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    defaults_check(c);
    for (size_t i = 0; i < b->obligations.n; i++)
        obligation_compile(c, &b->obligations.item[i], &c->program->obligations[i]);
}
