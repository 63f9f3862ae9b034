/* A reading of an indicator: one figure of one unit for one period, against its target. */
#include "core/validate.h"

static const struct indicator *indicator_named(struct turn *t, struct slice name)
{
    const struct program *p = t->p;
    for (size_t i = 0; i < p->nindicators; i++)
        if (slice_eq(p->indicators[i].name, name))
            return &p->indicators[i];
    problem_add(&t->why, "indicator: no indicator \"%.*s\" in %.*s", SLICE_ARG(name), SLICE_ARG(p->id));
    return NULL;
}

/* ---- the figure */

static bool read_number(struct turn *t, const char *what, struct slice text, struct value *out,
                        bool *approximate)
{
    bool roughly;
    *out = (struct value){.tag = VALUE_NUMBER};
    if (!rat_parse_written(text, &out->number, &roughly)) {
        problem_add(&t->why, "%s: expected a number such as 12.5, 26%% or 1500余, not \"%.*s\"", what,
                    (int)(text.n < 60 ? text.n : 60), text.p);
        return false;
    }
    *approximate |= roughly;
    return true;
}

/* A denominator of 0 applies to nothing: the value is n/a. */
static void read_ratio(struct turn *t, const struct input_reading *in, struct value *f, bool *approximate)
{
    struct value *over = &f[READING_NUMERATOR], *under = &f[READING_DENOMINATOR];
    bool numerator = read_number(t, "ratio.numerator", in->numerator, over, approximate);
    if (!read_number(t, "ratio.denominator", in->denominator, under, approximate) || !numerator)
        return;
    f[READING_VALUE].tag = VALUE_NUMBER;
    switch (rat_div(over->number, under->number, &f[READING_VALUE].number)) {
    case RAT_DIV_ZERO:
        f[READING_VALUE].tag = VALUE_NA;
        return;
    case RAT_OVERFLOW:
        problem_add(&t->why, "ratio: too large to be reckoned exactly");
        return;
    case RAT_OK:
        return;
    }
}

static bool holds(const struct indicator *i, struct rat value)
{
    int c = rat_cmp(value, i->target_value);
    switch (i->target) {
    case TARGET_EQ:
        return c == 0;
    case TARGET_LE:
        return c <= 0;
    case TARGET_GE:
        return c >= 0;
    case TARGET_LT:
        return c < 0;
    case TARGET_GT:
        return c > 0;
    case TARGET_NONE:
        break;
    }
    return false;
}

static void read_figure(struct turn *t, const struct indicator *i, const struct input_reading *in,
                        struct value *f)
{
    bool approximate = in->approximate;
    if (in->number.n)
        read_number(t, "number", in->number, &f[READING_VALUE], &approximate);
    else if (!in->not_applicable)
        read_ratio(t, in, f, &approximate);
    f[READING_APPROXIMATE] = (struct value){.tag = VALUE_YESNO, .yes = approximate};
    struct slice written = in->written.n ? in->written : approximate ? in->number : S("");
    if (written.n)
        f[READING_WRITTEN] = (struct value){.tag = VALUE_TEXT, .text = written};
    if (i && i->target != TARGET_NONE && f[READING_VALUE].tag == VALUE_NUMBER)
        f[READING_MET] = (struct value){.tag = VALUE_YESNO, .yes = holds(i, f[READING_VALUE].number)};
}

/* ---- what it is of */

static bool has_unit(const struct value *owners, struct slice id)
{
    for (size_t i = 0; owners->tag == VALUE_LIST && i < owners->list.n; i++)
        if (has_unit(&owners->list.item[i], id))
            return true;
    return owners->tag == VALUE_TEXT && slice_eq(owners->text, id);
}

static void check_owner(struct turn *t, const struct indicator *i, const struct event *ev, struct slice unit)
{
    struct acting nobody = {.event = ev, .timer = -1};
    if (!i->owed_by)
        return;
    struct value owners = turn_eval(t, i->owed_by, &nobody);
    if (!t->failed && !has_unit(&owners, unit))
        problem_add(&t->why, "unit: %.*s has no readings of %.*s", SLICE_ARG(unit), SLICE_ARG(i->name));
}

static void read_period(struct turn *t, const struct input *in, const struct indicator *i, struct value *out)
{
    struct type want = {.tag = TYPE_PERIOD, .period_kind = i ? i->period : PERIOD_ONCE};
    struct value text = {.tag = in->period.n ? VALUE_TEXT : VALUE_NA, .text = in->period};
    struct path at = {.name = S("period")};
    typing_value(t, &want, &text, &at, out);
}

void validate_reading(struct turn *t, const struct input *in)
{
    const struct kind *k = &t->p->kinds[KIND_READING];
    struct event ev = {.kind = KIND_READING,
                       .field = ARENA_ARRAY(t->arena, struct value, READING_FIELDS),
                       .received = in->received};
    check_voice(t, in, VOICE_SUBMISSIONS, S("a reading"));
    check_source(t, in, k);
    const struct indicator *i = indicator_named(t, in->reading.indicator);
    const struct unit *by =
        check_reporter(t, in->reporter, i ? i->by : NULL, i ? i->nby : 0,
                       arena_printf(t->arena, "a reading of %.*s", SLICE_ARG(in->reading.indicator)), NULL);
    const struct unit *unit = validate_unit(t, "unit", in->unit);
    read_period(t, in, i, &ev.field[READING_PERIOD]);
    read_figure(t, i, &in->reading, ev.field);
    if (!i || !by || !unit || t->why.n)
        return;
    ev.by = by->id;
    ev.field[READING_INDICATOR] = (struct value){.tag = VALUE_TEXT, .text = i->name};
    ev.field[READING_UNIT] = (struct value){.tag = VALUE_TEXT, .text = unit->id};
    check_owner(t, i, &ev, unit->id);
    if (t->why.n == 0 && !t->failed)
        turn_queue(t, &ev);
}
