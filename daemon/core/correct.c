/* Corrections that act on the present. Each is checked against everything it is for before anything is
 * changed; then it is done, and what it was done to hears of it. Nothing is on record of a correction that
 * was not done. */
#include "core/correct.h"

#define EXTENDED_MARK "; extended to "

struct correction {
    struct turn *t;
    const struct input *in;
    const struct correction_kind *kind;
    struct slice by; /* the unit that corrects */
    date_t until;    /* of an extension, as far as it names a date */
};

/* The one list of what each correction asks of an instance, and does to it. */
struct correction_kind {
    int event;
    const char *name;
    bool tasks_only;
    bool closed; /* what is done or waived, too */
    bool (*applies)(const struct instance *i);
    const char *otherwise; /* why it applies to nothing of what is selected */
    void (*check)(const struct correction *c, const struct touched *x);
    void (*act)(const struct correction *c, struct touched *x);
};

static void refuse(const struct correction *c, const struct touched *x, const char *why)
{
    struct turn *t = c->t;
    problem_add(&t->why, "%.*s: %s", SLICE_ARG(instance_print(t->arena, t->p, &x->i)), why);
}

/* ---- dates */

/* A day moved by a duration. Hours and minutes make no other day of it. */
static date_t day_after(const struct turn *t, date_t day, struct duration by)
{
    return tz_date(t->p->tz, duration_apply(t->p->tz, t->p->calendar, tz_instant(t->p->tz, day, 0), by, 1),
                   NULL);
}

static date_t last_day(const struct turn *t, instant_t limit)
{
    return tz_date(t->p->tz, limit - 1, NULL);
}

/* The day on which the task is due, or the case's limit ends. */
static date_t own_day(const struct turn *t, const struct instance *i)
{
    return i->task ? i->task->day : last_day(t, i->limit);
}

static date_t new_day(const struct correction *c, const struct instance *i)
{
    return c->in->has_by ? day_after(c->t, own_day(c->t, i), c->in->by) : c->until;
}

static void move_to(const struct correction *c, struct touched *x, date_t day)
{
    struct turn *t = c->t;
    struct instance *i = &x->i;
    if (!i->task) {
        i->limit = tz_instant(t->p->tz, day + 1, 0);
        return;
    }
    i->task->day = day;
    i->task->due = due_cutoff(t->p, &t->p->obligations[i->task->obligation], day);
    i->task->provisional = false; /* decided: no calendar moves it any more */
}

/* The rule's own words, and where it was moved to last; history has the moves before. */
static void say_moved(const struct correction *c, struct touched *x)
{
    struct task *task = x->i.task;
    struct slice rule = task->reason;
    for (size_t i = 0; i + sizeof EXTENDED_MARK <= rule.n; i++)
        if (memcmp(rule.p + i, EXTENDED_MARK, sizeof EXTENDED_MARK - 1) == 0)
            rule.n = i;
    task->reason = arena_printf(c->t->arena, "%.*s%s%.*s by %.*s", SLICE_ARG(rule), EXTENDED_MARK,
                                SLICE_ARG(date_format(c->t->arena, task->day)), SLICE_ARG(c->by));
}

/* ---- more time: asked for, given, refused */

static void forget_request(struct standing *s)
{
    s->asked = 0;
    s->asked_until = S("");
    s->request = (struct record_ref){0};
}

static bool is_dated(const struct instance *i)
{
    return i->task ? i->task->due != INSTANT_MAX : i->limit != INSTANT_NONE;
}

static bool has_asked(const struct instance *i)
{
    return i->standing.asked != 0;
}

static void check_request(const struct correction *c, const struct touched *x)
{
    const struct record_ref *want = &c->in->request, *have = &x->i.standing.request;
    if ((want->source.n || want->id.n) &&
        !(slice_eq(want->source, have->source) && slice_eq(want->id, have->id)))
        problem_add(&c->t->why, "request: %.*s from %.*s is not what %.*s waits for an answer to",
                    SLICE_ARG(want->id), SLICE_ARG(want->source),
                    SLICE_ARG(instance_print(c->t->arena, c->t->p, &x->i)));
}

static void check_extend(const struct correction *c, const struct touched *x)
{
    struct turn *t = c->t;
    date_t has = own_day(t, &x->i), gets = new_day(c, &x->i);
    check_request(c, x);
    if (gets > date_from_civil(9999, 12, 31))
        refuse(c, x, "more time must end before the year 10000");
    if (gets <= has)
        problem_add(&t->why,
                    "%.*s: it runs until %.*s as it is; more time must end on a later day, not on %.*s",
                    SLICE_ARG(instance_print(t->arena, t->p, &x->i)), SLICE_ARG(date_format(t->arena, has)),
                    SLICE_ARG(date_format(t->arena, gets)));
}

static void extend(const struct correction *c, struct touched *x)
{
    move_to(c, x, new_day(c, &x->i));
    if (x->i.task)
        say_moved(c, x);
    x->i.standing.extended = c->t->now;
    forget_request(&x->i.standing);
    timers_rearm(c->t, x);
    timers_release(c->t, x);
}

static void refuse_more(const struct correction *c, struct touched *x)
{
    forget_request(&x->i.standing);
    timers_release(c->t, x);
}

/* ---- waivers */

static bool can_waive(const struct instance *i)
{
    return i->task || i->limit != INSTANT_NONE;
}

static void waive(const struct correction *c, struct touched *x)
{
    if (x->i.task) {
        forget_request(&x->i.standing);
        x->i.standing.waived = true;
        while (x->i.ntimers)
            timers_remove_at(x, x->i.ntimers - 1);
    } else {
        x->i.limit = INSTANT_NONE;
        timers_rearm(c->t, x);
    }
}

/* ---- pauses */

static bool runs(const struct instance *i)
{
    return i->standing.paused == 0;
}

static bool is_paused(const struct instance *i)
{
    return i->standing.paused != 0;
}

static void pause(const struct correction *c, struct touched *x)
{
    x->i.standing.paused = c->t->now;
    timers_hold(c->t, x);
}

/* Whole days, in the unit's favour: due dates and limits end with a day. */
static date_t days_paused(const struct turn *t, instant_t since)
{
    int64_t began, ended;
    date_t from = tz_date(t->p->tz, since, &began), until = tz_date(t->p->tz, t->now, &ended);
    return until - from + (ended > began);
}

static void resume(const struct correction *c, struct touched *x)
{
    struct turn *t = c->t;
    instant_t since = x->i.standing.paused;
    date_t days = days_paused(t, since);
    x->i.standing.paused = 0;
    if (c->in->extend_due) {
        instant_t ends = x->i.task ? x->i.task->due : x->i.limit;
        /* What was set on entering a state during the pause has stood still since then only. */
        timers_postpone(t, x, t->now - (x->i.since > since ? x->i.since : since));
        if (is_dated(&x->i) && ends > since) { /* it had not run out before */
            move_to(c, x, own_day(t, &x->i) + days);
            if (x->i.task)
                say_moved(c, x);
            timers_rearm(t, x);
        }
    }
    timers_release(t, x);
}

/* ---- excuses */

static bool always(const struct instance *i)
{
    (void)i;
    return true;
}

static void excuse(const struct correction *c, struct touched *x)
{
    x->i.standing.excused = c->in->grounds;
}

/* ---- what is common to all */

static const struct correction_kind kinds[] = {
    [INPUT_EXTEND] = {KIND_EXTENDED, "an extension", false, false, is_dated, "has a due date or a limit",
                      check_extend, extend},
    [INPUT_WAIVE] = {KIND_WAIVED, "a waiver", false, false, can_waive, "has a limit", NULL, waive},
    [INPUT_PAUSE] = {KIND_PAUSED, "a pause", false, false, runs, "runs: all of it is paused", NULL, pause},
    [INPUT_RESUME] = {KIND_RESUMED, "a resumption", false, true, is_paused, "is paused", NULL, resume},
    [INPUT_EXCUSE] = {KIND_EXCUSED, "an excuse", true, true, always, "is a task", NULL, excuse},
};
static const struct correction_kind refusal = {
    KIND_REFUSED,  "a refusal", true, false, has_asked, "waits for an answer about more time",
    check_request, refuse_more};

/* Drops from the selection what the correction is not for. */
static void keep_fitting(const struct correction *c, struct selection *s)
{
    const struct correction_kind *k = c->kind;
    size_t matched = s->n, open = 0, kept = 0;
    for (size_t n = 0; n < matched; n++) {
        const struct instance *i = &s->item[n]->i;
        bool closed = i->standing.waived || c->t->p->machines[i->machine].states[i->state].final;
        open += !closed;
        if ((k->closed || !closed) && k->applies(i))
            s->item[kept++] = s->item[n];
    }
    s->n = kept;
    if (kept == 0 && matched && !k->closed && open == 0)
        problem_add(&c->t->why, "select: all that fits is done or waived (%zu)", matched);
    else if (kept == 0 && matched)
        problem_add(&c->t->why, "select: nothing of what fits (%zu) %s", matched, k->otherwise);
}

/* Corrections are the issuer's. A workflow without one leaves them to those who receive an obligation's
 * reports. */
static void check_may(const struct correction *c, const struct unit *by, const struct selection *s)
{
    const struct program *p = c->t->p;
    bool *said = ARENA_ARRAY(c->t->arena, bool, p->nobligations + p->nmachines);
    if (p->issuer >= 0) {
        if (!unit_has_role(by, p->issuer))
            problem_add(&c->t->why, "reporter: %.*s may not make %s: only %.*s", SLICE_ARG(by->id),
                        c->kind->name, SLICE_ARG(p->roles[p->issuer]));
        return;
    }
    for (size_t n = 0; n < s->n; n++) {
        const struct instance *i = &s->item[n]->i;
        const struct obligation *o = i->task ? &p->obligations[i->task->obligation] : NULL;
        bool *once = &said[o ? (size_t)i->task->obligation : p->nobligations + (size_t)i->machine];
        if (*once || (o && task_received_by(c->t, s->item[n], by)))
            continue;
        *once = true;
        if (o && (o->nto || o->to_units))
            problem_add(&c->t->why,
                        "reporter: %.*s may not make %s of %.*s: only those who receive its reports",
                        SLICE_ARG(by->id), c->kind->name, SLICE_ARG(o->name));
        else
            problem_add(&c->t->why, "reporter: nobody may make %s of %.*s: the workflow names no issuer",
                        c->kind->name, SLICE_ARG(o ? o->name : p->machines[i->machine].name));
    }
}

static struct value text_value(struct slice s)
{
    return (struct value){.tag = s.n ? VALUE_TEXT : VALUE_NA, .text = s};
}

static void tell(struct turn *t, int kind, const struct touched *x, struct slice by, struct slice reason)
{
    const struct kind *k = &t->p->kinds[kind];
    const struct machine *m = &t->p->machines[x->i.machine];
    struct event from = {.received = t->now, .by = by}, ev;
    if (x->i.task) {
        ev = event_of_task(t, kind, x->i.key, x->i.task->period, &from, text_value(reason));
    } else {
        ev = from;
        ev.kind = kind;
        ev.field = ARENA_ARRAY(t->arena, struct value, k->nfields);
        if (m->unit_key >= 0 && kind_field(k, S("unit")) >= 0)
            ev.field[kind_field(k, S("unit"))] = text_value(x->i.key[m->unit_key]);
        if (kind_field(k, S("reason")) >= 0)
            ev.field[kind_field(k, S("reason"))] = text_value(reason);
    }
    ev.to = &x->i;
    turn_queue(t, &ev);
}

void correct_input(struct turn *t, const struct input *in)
{
    struct correction c = {.t = t, .in = in, .kind = in->refused ? &refusal : &kinds[in->class_]};
    struct selection s = {0};
    check_voice(t, in, VOICE_DEADLINES, slice_of(c.kind->name));
    const struct unit *by = validate_unit(t, "reporter", in->reporter);
    if (in->class_ == INPUT_EXTEND && !in->refused && !in->has_by && !date_parse(in->until, &c.until))
        problem_add(&t->why, "until: \"%.*s\" is no date", SLICE_ARG(in->until));
    select_instances(t, &in->select, c.kind->tasks_only, &s);
    if (t->why.n || !by)
        return;
    c.by = by->id;
    keep_fitting(&c, &s);
    check_may(&c, by, &s);
    for (size_t i = 0; c.kind->check && i < s.n; i++)
        c.kind->check(&c, s.item[i]);
    for (size_t i = 0; i < s.n && t->why.n == 0 && !t->failed; i++) {
        overlay_change(t, s.item[i]);
        c.kind->act(&c, s.item[i]);
        tell(t, c.kind->event, s.item[i], c.by, in->grounds.n ? in->grounds : in->reason);
    }
}

void correct_ask(struct turn *t, const struct input *in, struct touched *task, struct slice by)
{
    struct correction c = {.t = t, .in = in};
    const struct task *of = task->i.task;
    if (t->p->machines[task->i.machine].states[task->i.state].final || task->i.standing.waived)
        refuse(&c, task, "it is done or waived: there is nothing to ask more time for");
    else if (of->due == INSTANT_MAX)
        refuse(&c, task, "it is never due: there is nothing to ask more time for");
    else if (!date_parse(in->until, &c.until))
        problem_add(&t->why, "until: \"%.*s\" is no date", SLICE_ARG(in->until));
    else if (c.until <= of->day)
        problem_add(&t->why, "until: %.*s is due on %.*s as it is; ask for a later day than %.*s",
                    SLICE_ARG(instance_print(t->arena, t->p, &task->i)),
                    SLICE_ARG(date_format(t->arena, of->day)), SLICE_ARG(in->until));
    if (in->grounds.n == 0)
        problem_add(&t->why, "grounds: missing");
    if (t->why.n)
        return;
    overlay_change(t, task);
    task->i.standing.asked = t->now;
    task->i.standing.asked_until = date_format(t->arena, c.until);
    task->i.standing.request = (struct record_ref){in->source, in->id};
    timers_hold(t, task);
    tell(t, KIND_ASKED, task, by, in->grounds);
}
