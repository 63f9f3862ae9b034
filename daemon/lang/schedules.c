/* schedule: what happens on a day and is nobody's task: an event raised by a due rule. */
#include "lang/obligations.h"

#include "core/due.h"

#define PERIODS_MAX 400 /* looked at for one in which it falls */

static const struct key_def occasion_keys[] = {
    {"title", YAML_NULL, false, "title", NULL, "for readers"},
    {"basis", YAML_SCALAR, true, "article", NULL, "where the text sets the day"},
    {"each", YAML_SCALAR, true, "period kind, constant", NULL, "how often"},
    {"at", YAML_NULL, true, "due rule or recurrence, constant", NULL, "on which day of the period, at 00:00"},
    {"week", YAML_SCALAR, false, "days|week|full-week|workdays, constant", "`defaults`, else `days`",
     "what `first week` and `last week` are"},
    {"roll", YAML_SCALAR, false, "none|next|previous, constant", "`none`", "what happens to a day off"},
    {"raise", YAML_SCALAR, true, "event name", NULL,
     "the event, with `period`, and `unit` where `for` stands; declared by this"},
    {"for", YAML_NULL, false, "role or list", NULL, "one event for each holder on that day"},
    {"from", YAML_SCALAR, false, "day or period", "`effective`",
     "the first day on which such a period may begin"},
    {"until", YAML_SCALAR, false, "day or period", "`effective`", "the last one"},
};
const struct key_table occasion_table = KEY_TABLE(occasion_keys);

/* A new event has the fields period and, for roles, unit; one that is declared, or raised by another
 * schedule, must do with them. */
static void kind_read(struct compiler *c, const struct yaml *node, struct schedule *s)
{
    struct type period = {.tag = TYPE_PERIOD, .period_kind = s->each};
    s->kind = kind_named(c, node->text, false);
    if (s->kind < 0) {
        struct field *f = ARENA_ARRAY(c->arena, struct field, 2);
        f[0] = (struct field){S("period"), period};
        f[1] = (struct field){S("unit"), type_unit};
        struct kind *k = kind_add(c, node->text, KIND_CLASS_RAISED, node);
        k->fields = f;
        k->nfields = s->nfor_roles ? 2 : 1;
        k->dated = 0;
        s->kind = (int)c->program->nkinds - 1;
        name_check(c, node, "an event");
        return;
    }
    const struct kind *k = &c->program->kinds[s->kind];
    if (k->class_ != KIND_CLASS_RAISED && k->class_ != KIND_CLASS_FACT)
        ERROR_AT(c, SCHEDULE, node, "a name of its own", "“%.*s” comes from outside and cannot be raised",
                 SLICE_ARG(node->text));
    for (size_t i = 0; i < k->nfields; i++) {
        const struct type *t = &k->fields[i].type;
        bool given =
            slice_eq(k->fields[i].name, S("period"))
                ? t->tag == TYPE_PERIOD && (t->period_kind == s->each || t->period_kind == PERIOD_ONCE)
                : slice_eq(k->fields[i].name, S("unit")) && t->tag == TYPE_UNIT && s->nfor_roles;
        if (!given && !t->optional)
            ERROR_AT(
                c, SCHEDULE, node, s->nfor_roles ? "an event of period and unit" : "an event of period alone",
                "nothing gives the field “%.*s” of %.*s", SLICE_ARG(k->fields[i].name), SLICE_ARG(k->name));
    }
}

static void schedule_declare(struct compiler *c, const struct declared *d, struct schedule *s)
{
    *s = (struct schedule){.name = d->name, .each = PERIOD_MONTH, .place = place_of(c, d->key)};
    s->at.kind = DUE_END;
    if (keys_check(c, d->node, occasion_keys, sizeof occasion_keys / sizeof *occasion_keys,
                   arena_printf(c->arena, "schedule %.*s", SLICE_ARG(d->name)).p)) {
        const struct yaml *at = yaml_get(d->node, "at"), *raise = yaml_get(d->node, "raise");
        s->basis = read_text(d->node, "basis");
        read_title(c, yaml_get(d->node, "title"));
        read_period_kind(c, yaml_get(d->node, "each"), &s->each);
        read_roles(c, yaml_get(d->node, "for"), &s->for_roles, &s->nfor_roles);
        s->effective = dates_read(c, d->node);
        enum due_window window = window_read(c, obligation_setting(c, d->node, "week"));
        if (at && due_read(c, at, s->each, window, &s->at) && s->at.kind == DUE_NONE)
            ERROR_AT(c, SCHEDULE, at, "a day: day 1, last day", "it would never happen");
        s->at.roll = yaml_get(d->node, "roll") ? roll_read(c, yaml_get(d->node, "roll")) : ROLL_NONE;
        if (is_scalar(raise))
            kind_read(c, raise, s);
    }
    s->at.exclusive = true;
}

void schedules_declare(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "schedule", &b->schedules);
    p->schedules = ARENA_ARRAY(c->arena, struct schedule, b->schedules.n + 1);
    for (size_t i = 0; i < b->schedules.n; i++)
        schedule_declare(c, &b->schedules.item[i], &p->schedules[p->nschedules++]);
}

static bool falls(const struct program *p, const struct schedule *s)
{
    struct span span = due_span(p, s->effective);
    struct period q = period_of_date(s->each, span.from != DATE_NONE ? span.from : 0);
    bool found = false;
    for (int i = 0; i < PERIODS_MAX && !found; i++, q = period_step(q, 1)) {
        struct arena *scratch = arena_new();
        found = span_has(span, period_first(q)) && due_schedule(p, s, q, scratch).day != DATE_NONE;
        arena_free(scratch);
    }
    return found;
}

void schedules_lint(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->schedules.n; i++)
        if (!falls(c->program, &c->program->schedules[i]))
            ERROR_AT(c, SCHEDULE, b->schedules.item[i].key,
                     "effective, from and until that hold the beginning of a period", "“%.*s” never happens",
                     SLICE_ARG(b->schedules.item[i].name));
}
