/* Tasks that do not come with the calendar: borne by events, by directives, by rules. Also what every birth
 * of a task shares. */
#include "core/validate.h"

#define BEARING_MAX 16 /* tasks in a row, each borne on bearing the one before */

struct touched *task_bear(struct turn *t, const struct obligation *o, const struct slice *key,
                          const struct task *task, const struct event *ev)
{
    size_t bytes = 0;
    for (size_t k = 0; k < KEY_PARTS_MAX; k++)
        bytes += key[k].n;
    if (bytes > KEY_BYTES_MAX || key[TASK_ABOUT].n > KEY_PART_MAX) {
        turn_fail(t,
                  "the key of %.*s for %.*s: at most %d bytes together and %d for what it is about, not %zu",
                  SLICE_ARG(o->name), SLICE_ARG(key[TASK_UNIT]), KEY_BYTES_MAX, KEY_PART_MAX, bytes);
        return NULL;
    }
    if (!slice_is_printable(key[TASK_ABOUT])) {
        turn_fail(t, "what %.*s is about: no control characters in a key", SLICE_ARG(o->name));
        return NULL;
    }
    if (overlay_find(t, o->machine, key) || t->failed)
        return NULL; /* it is there already: nothing is born twice */
    struct touched *x = t->bearing < BEARING_MAX ? overlay_birth(t, o->machine, key) : NULL;
    if (!x) {
        turn_fail(t, "%.*s: more than %d tasks in a row that bear one another", SLICE_ARG(o->name),
                  BEARING_MAX);
        return NULL;
    }
    x->i.task = ARENA_NEW(t->arena, struct task);
    *x->i.task = *task;
    t->bearing++;
    turn_bear(t, x, ev);
    t->bearing--;
    return x;
}

struct task task_of(const struct turn *t, const struct obligation *o, struct period period,
                    const struct due *due)
{
    return (struct task){.obligation = (int)(o - t->p->obligations),
                         .period = period,
                         .opens = due->opens,
                         .nominal = due->nominal,
                         .due = due->effective,
                         .day = due->day,
                         .provisional = due->provisional,
                         .soft_end = due->soft_end,
                         .reason = due->reason};
}

/* ---- one birth: of whom, about what, until when */

struct bearing {
    const struct obligation *o;
    const struct event *event;
    struct period period;
    struct value units, abouts; /* one or several; abouts n/a: about nothing */
    struct task task;
};

/* The units in force today that the value names, by id, each once. */
static struct slice *units_of(struct turn *t, const struct value *v, size_t *n)
{
    const struct value *item = v->tag == VALUE_LIST ? v->list.item : v;
    size_t nitems = v->tag == VALUE_LIST ? v->list.n : 1, kept = 0;
    struct slice *id = ARENA_ARRAY(t->arena, struct slice, nitems + 1);
    for (size_t i = 0; i < nitems; i++) {
        const struct unit *u = item[i].tag == VALUE_TEXT ? program_unit(t->p, item[i].text, t->today) : NULL;
        size_t at = kept;
        if (!u)
            continue;
        while (at > 0 && slice_cmp(id[at - 1], u->id) > 0)
            at--;
        if (at > 0 && slice_eq(id[at - 1], u->id))
            continue;
        memmove(id + at + 1, id + at, (kept - at) * sizeof *id);
        id[at] = u->id;
        kept++;
    }
    *n = kept;
    return id;
}

static void bear_one(struct turn *t, const struct bearing *b, struct slice unit, struct slice about)
{
    struct touched draft = {.i = {.machine = b->o->machine, .state = -1, .limit = INSTANT_NONE}};
    struct task task = b->task;
    struct acting act = {.x = &draft, .timer = -1};
    draft.i.task = &task;
    draft.i.key[TASK_OBLIGATION] = b->o->name;
    draft.i.key[TASK_PERIOD] = period_format(t->arena, b->period);
    draft.i.key[TASK_UNIT] = unit;
    draft.i.key[TASK_ABOUT] = about;
    if (turn_holds(t, b->o->only_if, &act) && !t->failed)
        task_bear(t, b->o, draft.i.key, &task, b->event);
}

static void bear_about(struct turn *t, struct bearing *b, struct slice about)
{
    size_t n;
    struct slice *unit = units_of(t, &b->units, &n);
    if (b->o->jointly && n > 1) {
        b->task.owners = unit;
        b->task.nowners = n;
        n = 1;
    }
    for (size_t i = 0; i < n && !t->failed; i++)
        bear_one(t, b, unit[i], about);
}

static void bear_all(struct turn *t, struct bearing *b)
{
    const struct value *item = b->abouts.tag == VALUE_LIST ? b->abouts.list.item : &b->abouts;
    size_t n = b->abouts.tag == VALUE_LIST ? b->abouts.list.n : 1;
    for (size_t i = 0; i < n && !t->failed; i++)
        bear_about(t, b, item[i].tag == VALUE_NA ? S("") : value_format(t->arena, &item[i], t->p->tz));
}

/* The task's times. given: a due date by expression, which may be n/a: never due. */
static struct task born_task(struct turn *t, const struct obligation *o, struct period period,
                             const struct value *given)
{
    struct due due;
    if (given) {
        date_t day = given->tag == VALUE_DATE      ? given->date
                     : given->tag == VALUE_INSTANT ? tz_date(t->p->tz, given->instant, NULL)
                                                   : DATE_NONE;
        due = due_on(t->p, o, day, t->now, t->arena);
    } else {
        due = due_of(t->p, o, period, t->arena);
        due.opens = t->now;
    }
    return task_of(t, o, period, &due);
}

/* What began outside the obligation's dates is not owed; of what does not recur, the day of the birth counts.
 */
static bool is_owed(struct turn *t, const struct obligation *o, struct period period)
{
    struct span span = due_span(t->p, o->effective);
    return period.kind == o->period &&
           span_has(span, period.kind == PERIOD_ONCE ? t->today : period_first(period));
}

/* ---- by events */

static void bear_by(struct turn *t, const struct obligation *o, const struct birth *b, const struct event *ev)
{
    struct acting nobody = {.event = ev, .timer = -1};
    struct bearing one = {.o = o, .event = ev};
    if (!turn_holds(t, b->where, &nobody))
        return;
    if (b->period) {
        struct value v = turn_eval(t, b->period, &nobody);
        if (v.tag != VALUE_PERIOD)
            return; /* of no period: of none that could be owed */
        one.period = v.period;
    } else if (o->period != PERIOD_ONCE) {
        one.period = event_period(t, ev, o->period);
    }
    if (!is_owed(t, o, one.period))
        return;
    struct value due = turn_eval(t, b->due, &nobody);
    one.units = turn_eval(t, b->owed_by, &nobody);
    one.abouts = turn_eval(t, b->about, &nobody);
    if (t->failed)
        return;
    one.task = born_task(t, o, one.period, b->due ? &due : NULL);
    if (ev->kind == KIND_DIRECTIVE) {
        one.task.title = ev->field[DIRECTIVE_TITLE].text;
        if (ev->field[DIRECTIVE_BASIS].tag == VALUE_TEXT)
            one.task.basis = ev->field[DIRECTIVE_BASIS].text;
    }
    bear_all(t, &one);
}

void births_of_event(struct turn *t, const struct event *ev)
{
    for (size_t i = 0; i < t->p->nobligations && !t->failed; i++) {
        const struct obligation *o = &t->p->obligations[i];
        bool meant = ev->kind != KIND_DIRECTIVE || slice_eq(ev->field[DIRECTIVE_OBLIGATION].text, o->name);
        for (size_t b = 0; b < o->nbirths && meant && !t->failed; b++)
            if (o->births[b].kind == ev->kind)
                bear_by(t, o, &o->births[b], ev);
    }
}

/* ---- by rules */

void action_task(struct turn *t, const struct acting *act, const struct action *a)
{
    const struct obligation *o = &t->p->obligations[a->index];
    struct bearing one = {.o = o, .event = act->event};
    struct value period = turn_eval(t, a->period, act), due = turn_eval(t, a->due, act);
    if (period.tag == VALUE_PERIOD)
        one.period = period.period;
    else if (o->period != PERIOD_ONCE)
        one.period =
            act->event ? event_period(t, act->event, o->period) : period_of_date(o->period, t->today);
    one.units = turn_eval(t, a->unit, act);
    one.abouts = turn_eval(t, a->about, act);
    if (t->failed || !is_owed(t, o, one.period))
        return;
    one.task = born_task(t, o, one.period, a->due ? &due : NULL);
    bear_all(t, &one);
}

/* ---- directives */

static bool directive_takes(const struct obligation *o)
{
    for (size_t b = 0; b < o->nbirths; b++)
        if (o->births[b].kind == KIND_DIRECTIVE)
            return true;
    return false;
}

static struct value text_or_na(struct slice s)
{
    return s.n ? (struct value){.tag = VALUE_TEXT, .text = s} : (struct value){.tag = VALUE_NA};
}

static struct value directive_due(struct turn *t, struct slice text)
{
    struct value v = {.tag = VALUE_NA};
    if (text.n && date_parse(text, &v.date))
        v.tag = VALUE_DATE;
    else if (text.n)
        problem_add(&t->why, "due: expected a date such as 2024-03-29, not \"%.*s\"", SLICE_ARG(text));
    return v;
}

void validate_directive(struct turn *t, const struct input *in)
{
    int o = program_obligation(t->p, in->obligation);
    check_voice(t, in, VOICE_DEADLINES, S("a directive"));
    check_source(t, in, &t->p->kinds[KIND_DIRECTIVE]);
    if (o < 0) {
        problem_add(&t->why, "obligation: no obligation \"%.*s\" in %.*s", SLICE_ARG(in->obligation),
                    SLICE_ARG(t->p->id));
        return;
    }
    if (!directive_takes(&t->p->obligations[o])) {
        problem_add(&t->why, "obligation: %.*s is not born by directives", SLICE_ARG(in->obligation));
        return;
    }
    const struct obligation *of = &t->p->obligations[o];
    const struct unit *by =
        check_reporter(t, in->reporter, of->by, of->nby,
                       arena_printf(t->arena, "a directive of %.*s", SLICE_ARG(of->name)), NULL);
    if (in->fields.tag == VALUE_RECORD && in->fields.record.n)
        problem_add(&t->why, "fields: a directive has none");
    struct value due = directive_due(t, in->until);
    for (size_t i = 0; i < in->nunits; i++) {
        const struct unit *u = validate_unit(t, "units", in->units[i]);
        struct value *f = ARENA_ARRAY(t->arena, struct value, DIRECTIVE_FIELDS);
        f[DIRECTIVE_UNIT] = text_or_na(u ? u->id : S(""));
        f[DIRECTIVE_ABOUT] = text_or_na(in->about);
        f[DIRECTIVE_OBLIGATION] = text_or_na(of->name);
        f[DIRECTIVE_TITLE] = text_or_na(in->title);
        f[DIRECTIVE_SOURCE] = text_or_na(in->from_whom);
        f[DIRECTIVE_DUE] = due;
        f[DIRECTIVE_BASIS] = text_or_na(in->basis);
        struct event ev = {
            .kind = KIND_DIRECTIVE, .field = f, .received = in->received, .by = by ? by->id : S("")};
        if (t->why.n == 0)
            turn_queue(t, &ev);
    }
}
