/* Obligations: who owes what to whom, when, and what counts. What bears them is in births.c, what is filed for them in filing.c. */
#include "core/due.h"
#include "lang/meant.h"
#include "lang/obligations.h"

#include <stdlib.h>

/* Keys that `defaults:` may give for all of them, with what holds when nobody says. */
static const struct {
    const char *key, *otherwise;
} defaults[] = {{"cutoff", "inclusive"},
                {"roll", "none"},
                {"missed-after", "10d"},
                {"return-grace", "3d"},
                {"settle", "3d"},
                {"week", "days"}};

/* What the obligation says, else `defaults:`, else what always holds. */
const struct yaml *obligation_setting(struct compiler *c, const struct yaml *node, const char *key)
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

enum due_window window_read(struct compiler *c, const struct yaml *node)
{
    int w = read_word(c, node, due_window_name, DUE_WINDOWS, "window");
    return w < 0 ? WINDOW_DAYS : (enum due_window)w;
}

enum due_roll roll_read(struct compiler *c, const struct yaml *node)
{
    static const char *const rolls[] = {"none", "next", "previous"};
    int roll = read_word(c, node, rolls, 3, "roll");
    return roll < 0 ? ROLL_NONE : (enum due_roll)roll;
}

static void timing_read(struct compiler *c, const struct yaml *node, struct obligation *o)
{
    static const char *const cutoffs[] = {"inclusive", "exclusive"};
    const struct yaml *due = yaml_get(node, "due"), *soft = yaml_get(node, "soft");
    enum due_window window = window_read(c, obligation_setting(c, node, "week"));
    if (o->due.kind != DUE_FIELD && due)
        due_read(c, due, o->period, window, &o->due);
    o->has_soft = soft && due_read(c, soft, o->period, window, &o->soft);
    o->due.exclusive = read_word(c, obligation_setting(c, node, "cutoff"), cutoffs, 2, "cut-off") == 1;
    o->due.roll = roll_read(c, obligation_setting(c, node, "roll"));
    o->soft.exclusive = o->due.exclusive;
    o->soft.roll = o->due.roll;
    read_duration(c, obligation_setting(c, node, "missed-after"), &o->missed_after);
    read_duration(c, obligation_setting(c, node, "return-grace"), &o->return_grace);
    read_duration(c, obligation_setting(c, node, "settle"), &o->settle);
    reminders_read(c, obligation_setting(c, node, "remind"), o);
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
        ERROR_AT(c, EFFECTIVE, node,
                 meant_hint(c->arena, MEANT_PERIOD, node->text, "a period or a day: 2024-03, 2024Q1, 2024-03-29"), "“%.*s” is neither",
                 SLICE_ARG(node->text));
}

/* `from:` names a period that had begun when the workflow took force: the first such period that was not due by
 * then is owed, too. */
static void began_before(struct compiler *c, const struct yaml *from, struct obligation *o)
{
    const struct program *p = c->program;
    struct period named;
    date_t force = p->effective.from, day;
    if (force == DATE_NONE || o->period == PERIOD_ONCE || o->effective.from != force || !is_scalar(from) ||
        date_parse(from->text, &day) || !period_parse(from->text, &named) || period_first(named) >= force)
        return;
    date_t first = period_first(named);
    instant_t taken = tz_instant(p->tz, force, 0);
    struct period q = period_of_date(o->period, force);
    while (due_from_calendar(o) && o->due.kind != DUE_NONE && period_first(q) > first) { /* due dates ascend with their periods */
        struct due due = due_of(p, o, period_step(q, -1), c->arena);
        if (due.day == DATE_NONE || due.effective <= taken)
            break;
        q = period_step(q, -1);
    }
    if (!due_from_calendar(o)) /* the event says when it is due */
        q = period_of_date(o->period, first);
    while (period_first(q) < first || (due_from_calendar(o) && due_of(p, o, q, c->arena).effective <= taken))
        q = period_step(q, 1);
    o->effective.from = period_first(q);
}

/* Their own bounds within the workflow's. */
struct span dates_read(struct compiler *c, const struct yaml *node)
{
    struct span all = c->program->effective, own = {DATE_NONE, DATE_NONE};
    bound_read(c, yaml_get(node, "from"), false, &own.from);
    bound_read(c, yaml_get(node, "until"), true, &own.until);
    if (own.from == DATE_NONE || (all.from != DATE_NONE && all.from > own.from))
        own.from = all.from;
    if (own.until == DATE_NONE || (all.until != DATE_NONE && all.until < own.until))
        own.until = all.until;
    return own;
}

/* ---- who owes */

/* A list is the union of what its items name. */
const struct expr *owners_read(const struct scope *s, const struct yaml *node)
{
    struct compiler *c = s->c;
    const struct yaml **item;
    size_t n = read_scalars(c, node, &item, "a role, or units: lead of about");
    const struct expr **arg = ARENA_ARRAY(c->arena, const struct expr *, n + 1);
    size_t nargs = 0;
    for (size_t i = 0; i < n; i++)
        if ((arg[nargs] = read_units(s, item[i], false)) != NULL)
            nargs++;
    if (node && node->kind == YAML_LIST && node->n == 0)
        ERROR_AT(c, NOBODY_OWES, node, "owed-by: a role", "nobody is named");
    if (nargs < 2)
        return nargs ? arg[0] : NULL;
    struct expr *all = ARENA_NEW(c->arena, struct expr);
    *all = (struct expr){.op = EXPR_LIST,
                         .type = {.tag = TYPE_SET, .of = &type_unit},
                         .arg = arg,
                         .nargs = nargs,
                         .place = place_of(c, node)};
    return all;
}

/* `to:` roles, or units by an expression: `superior of unit`. */
static void receivers_read(const struct scope *s, const struct yaml *node, struct obligation *o)
{
    bool plain = true;
    for (size_t i = 0; node && i < (node->kind == YAML_LIST ? node->n : 1); i++) {
        const struct yaml *one = node->kind == YAML_LIST ? node->items[i] : node;
        plain &= one->kind != YAML_SCALAR || !one->text.n || !memchr(one->text.p, ' ', one->text.n);
    }
    if (plain)
        read_roles(s->c, node, &o->to, &o->nto);
    else
        o->to_units = owners_read(s, node);
}

/* ---- what counts: `dispatch`, or `dispatch where event.of has about` */

bool event_where_read(struct compiler *c, struct scope s, const struct yaml *node, int *kind, const struct expr **where)
{
    static const struct slice sign = {" where ", 7};
    struct slice name = node->text, condition = {0};
    const char *p = name.n ? memmem(name.p, name.n, sign.p, sign.n) : NULL;
    if (p) {
        condition = (struct slice){p + sign.n, (size_t)(name.p + name.n - p) - sign.n};
        name.n = (size_t)(p - name.p);
    }
    struct yaml at = *node;
    at.text = slice_trim(name);
    at.width = at.text.n ? char_count(at.text) : 1;
    *kind = read_kind(c, &at, false);
    *where = NULL;
    s.kind = *kind;
    if (*kind >= 0 && p)
        *where = expr_compile_part(&s, node, condition, &type_yesno);
    return *kind >= 0 && (!p || *where);
}

static void count_read(struct compiler *c, struct scope s, const struct yaml *node, struct obligation *o)
{
    struct obligation_counts *count = &o->counts[o->ncounts];
    if (!event_where_read(c, s, node, &count->kind, &count->where))
        return;
    if (count->kind < KIND_DECLARED && count->kind != KIND_READING)
        ERROR_AT(c, COUNTS, node,
                 "a declared event, `reading`, a ranking or its entry, `TALLY closed`, or what a machine raises",
                 "“%.*s” cannot be counted", SLICE_ARG(kind_builtin_name(count->kind)));
    else
        o->ncounts++;
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

static const struct key_def obligation_keys[] = {
    {"title", YAML_NULL, true, "title", NULL, "what people read"},
    {"basis", YAML_SCALAR, true, "article", NULL, "what measures about its tasks cite"},
    {"owed-by", YAML_NULL, false, "units or list", "required, but for directives and rules",
     "who owes, by the roster when the task is born: a role, or an expression such as `lead of about`; a "
     "list is the union. With `born-by` over the event"},
    {"jointly", YAML_SCALAR, false, "yes-no, constant", "`no`",
     "one task of all of them: any owner files it, each is told and each is charged. Its `unit` is the "
     "first by id"},
    {"about", YAML_NULL, false, "role or expression or list of role", NULL,
     "one task for each holder (优环办 calls on each 专班), or for each row: `each of TABLE where C`. Of "
     "what events bear: an expression over the event"},
    {"to", YAML_NULL, false, "role or units or list", "nobody",
     "who receives and reviews: roles, or an expression over `unit`, `about`, `period` such as `superior of "
     "unit`; without it no review is taken"},
    {"only-if", YAML_SCALAR, false, "condition", "always",
     "over `unit`, `about`, `period`, asked when the task would be born; otherwise it is not owed: "
     "`count(lead of unit) > 1`"},
    {"born-by", YAML_NULL, false, "EVENT where CONDITION or list", "the calendar",
     "events that bear a task each; `directive`; or `rules`: see below"},
    {"by", YAML_NULL, false, "role or list", "any unit", "with `born-by: directive`: who may give one"},
    {"period", YAML_SCALAR, false, "period kind or expression, constant", "required, but for `born-by`",
     "what one task is for; with `born-by` also an expression: `month of event.due`"},
    {"due", YAML_NULL, false,
     "due rule or date expression or recurrence, constant",
     "`last day`; with `born-by` see below",
     "see below"},
    {"week", YAML_SCALAR, false, "days|week|full-week|workdays, constant", "`days`",
     "what `first week` and `last week` are"},
    {"soft", YAML_NULL, false, "due rule or recurrence, constant", NULL,
     "「原则上」: its end is `soft-end`, an instant for timers. `duty` reminds then, and never sanctions"},
    {"after", YAML_NULL, false, "name or list", NULL,
     "不得早于: what is due for the periods within this one's must be due no later; else `check` names the first period"},
    {"from", YAML_SCALAR, false, "day or period", "`effective`",
     "the first day on which an owed period may begin. A period may name one that had begun before "
     "`effective`: it is owed unless it was due by then, and opens on that day"},
    {"until", YAML_SCALAR, false, "day or period", "`effective`", "the last one"},
    {"at-least", YAML_SCALAR, false, "1 to 1000000, constant", "1", "how many must count"},
    {"counts", YAML_NULL, false, "EVENT where CONDITION or list", NULL,
     "records that count: of a declared event, `reading`, `ranking NAME`, `ranked`, `TALLY closed`, or what a "
     "machine raises; the condition sees `event.X`, `unit`, `about`, `period`"},
    {"fields", YAML_MAP, false, "map of type", NULL,
     "of a submission; all may be absent when filed. An attachment of a field's name gives that field"},
    {"requires", YAML_NULL, false, "field or list", NULL,
     "a submission without them is recorded and returned at once; an empty text or list is missing, too"},
    {"filed-by", YAML_NULL, false, "event name or filing", "submissions",
     "this declared event is the submission, its fields the obligation's. One that names no task is "
     "rejected"},
    {"refuse", YAML_LIST, false, "list of refusal", NULL,
     "over `event.FIELD` of what is filed, and `unit`, `about`, `period`; the sender is refused with the "
     "sentence"},
    {"machine", YAML_SCALAR, true, "name", NULL,
     "a machine `of: task`: `report`, `duty` or one of the regime's own"},
    {"cutoff", YAML_SCALAR, false, "inclusive|exclusive, constant", "`inclusive`",
     "due at 24:00 of the due day (24日前 includes the 24th), or at its 00:00"},
    {"roll", YAML_SCALAR, false, "none|next|previous, constant", "`none`",
     "a due day off moves to the next or previous workday; never back before the task opens"},
    {"remind", YAML_NULL, false, "duration or list or none, constant", "`[3d, 1d]`", "before it is due"},
    {"missed-after", YAML_SCALAR, false, "duration, constant", "`10d`", "逾期 becomes 漏报"},
    {"return-grace", YAML_SCALAR, false, "duration, constant", "`3d`", "to mend what was returned"},
    {"settle", YAML_SCALAR, false, "duration, constant", "`3d`",
     "how long after the period a record of it still counts"},
};
const struct key_table obligation_table = KEY_TABLE(obligation_keys);
static const struct key_def defaults_keys[] = {
    {"cutoff", YAML_SCALAR, false, "inclusive|exclusive, constant", "`inclusive`",
     "see obligations, as all of these"},
    {"roll", YAML_SCALAR, false, "none|next|previous, constant", "`none`", "what happens to a due day off"},
    {"remind", YAML_NULL, false, "duration or list or none, constant", "`[3d, 1d]`", "before it is due"},
    {"missed-after", YAML_SCALAR, false, "duration, constant", "`10d`", "逾期 becomes 漏报"},
    {"return-grace", YAML_SCALAR, false, "duration, constant", "`3d`", "to mend what was returned"},
    {"settle", YAML_SCALAR, false, "duration, constant", "`3d`",
     "how long a record of the period still counts"},
    {"week", YAML_SCALAR, false, "days|week|full-week|workdays, constant", "`days`",
     "what `first week` and `last week` are"},
};
const struct key_table defaults_table = KEY_TABLE(defaults_keys);

/* What only the key of a task that is not there yet can say: who owes it, about what, whether at all. */
static struct scope key_scope(struct compiler *c, const struct obligation *o, const struct type *about)
{
    struct machine *m = ARENA_NEW(c->arena, struct machine);
    *m = (struct machine){.name = c->program->machines[o->machine].name, .of = MACHINE_TASK, .unit_key = TASK_UNIT};
    memcpy(m->key, c->program->machines[o->machine].key, sizeof m->key);
    m->nkey = c->program->machines[o->machine].nkey;
    m->key[TASK_PERIOD].type.period_kind = o->period;
    m->key[TASK_ABOUT].type = *about;
    return (struct scope){.c = c, .machine = m, .kind = -1, .in_task = true};
}

/* Who owes it, about what and for which period. about: the type of what it is about. */
static void calendar_read(struct compiler *c, const struct declared *d, struct obligation *o, struct type *about)
{
    static const char *const needed[] = {"owed-by", "period"};
    const struct yaml *by = yaml_get(d->node, "by");
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!yaml_get(d->node, needed[i]))
            ERROR_AT(c, KEY_MISSING, d->node, "or born-by: EVENT", "obligation %.*s has no “%s”", SLICE_ARG(d->name),
                     needed[i]);
    if (by)
        ERROR_AT(c, BIRTH, by, "born-by: directive", "by: says who may give directives, and none bears this obligation");
    o->period = PERIOD_MONTH;
    o->due = (struct due_rule){.kind = DUE_END};
    read_period_kind(c, yaml_get(d->node, "period"), &o->period);
    struct scope s = key_scope(c, o, about);
    s.no_instances = "owed-by";
    about_read(c, &s, yaml_get(d->node, "about"), o, about);
    s = key_scope(c, o, about);
    s.no_instances = "owed-by";
    o->owed_by = owners_read(&s, yaml_get(d->node, "owed-by"));
}

static void counting_read(struct compiler *c, const struct scope *s, const struct yaml *node, struct obligation *o)
{
    const struct yaml *least = yaml_get(node, "at-least"), *counts = yaml_get(node, "counts");
    int n = 1;
    o->at_least = rat_int(1);
    if (least && read_count(c, least, 1, 1000000, &n))
        o->at_least = rat_int(n);
    if (least && !counts)
        ERROR_AT(c, COUNTS, least, "counts: EVENT where CONDITION", "nothing says what is counted");
    counts_read(c, s, counts, o);
}

static void obligation_compile(struct compiler *c, const struct declared *d, struct obligation *o)
{
    struct type about = {.tag = TYPE_UNIT, .optional = true};
    const struct yaml *only_if = yaml_get(d->node, "only-if");
    o->place = place_of(c, d->key);
    if (!keys_check(c, d->node, obligation_keys, sizeof obligation_keys / sizeof *obligation_keys,
                    arena_printf(c->arena, "obligation %.*s", SLICE_ARG(d->name)).p))
        return;
    o->title = read_title(c, yaml_get(d->node, "title"));
    o->basis = read_text(d->node, "basis");
    o->jointly = read_yesno(c, yaml_get(d->node, "jointly"), false);
    o->effective = dates_read(c, d->node);
    o->machine = task_machine(c, yaml_get(d->node, "machine"));
    if (o->machine < 0)
        return;
    if (born_read(d->node) == BORN_BY_CALENDAR) {
        calendar_read(c, d, o, &about);
    } else {
        births_read(c, d, o);
        about = (struct type){.tag = TYPE_TEXT, .optional = true};
    }
    timing_read(c, d->node, o);
    began_before(c, yaml_get(d->node, "from"), o);
    struct scope s = key_scope(c, o, &about);
    receivers_read(&s, yaml_get(d->node, "to"), o);
    if (is_scalar(only_if))
        o->only_if = expr_compile(&s, only_if, &type_yesno);
    counting_read(c, &s, d->node, o);
    filing_read(c, &s, d, o);
}

static void defaults_check(struct compiler *c)
{
    const struct yaml *node = yaml_get(c->root, "defaults");
    if (node)
        keys_check(c, node, defaults_keys, sizeof defaults_keys / sizeof *defaults_keys, "defaults");
}

void obligations_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    defaults_check(c);
    b->task_borne = ARENA_ARRAY(c->arena, bool, b->obligations.n + 1);
    for (size_t i = 0; i < b->obligations.n; i++)
        obligation_compile(c, &b->obligations.item[i], &c->program->obligations[i]);
}
