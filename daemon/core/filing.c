/* What concerns a task: submissions, facts that stand for one, reviews. Which task is meant, and whether the
 * regime takes it. */
#include "core/roster.h"
#include "core/validate.h"

/* ---- which task */

/* One that has left the roster still files what it came to owe while it was there. */
static const struct unit *check_party(struct turn *t, const struct filing *f, const char *what,
                                      struct slice id)
{
    const struct unit *u = NULL;
    if (f->o && id.n && !program_unit(t->p, id, t->today) && f->period.kind == f->o->period) {
        struct due due = due_of(t->p, f->o, f->period, t->arena);
        u = program_unit(t->p, id, tz_date(t->p->tz, due.opens, NULL));
    }
    if (!u)
        u = program_party(t->p, id, HEIR_OF_TASKS, t->today);
    return u ? u : validate_unit(t, what, id);
}

static void check_about(struct turn *t, struct slice about, struct filing *f)
{
    if (f->o->nabout_roles) {
        const struct unit *u = check_party(t, f, "about", about);
        f->key[TASK_ABOUT] = u ? u->id : S("");
    } else if (f->o->about_each || f->o->about_text) {
        f->key[TASK_ABOUT] = about;
    } else if (about.n) {
        problem_add(&t->why, "about: %.*s is about nothing, not \"%.*s\"", SLICE_ARG(f->o->name),
                    SLICE_ARG(about));
    }
}

void check_filing(struct turn *t, const struct input *in, struct filing *f)
{
    int o = program_obligation(t->p, in->obligation);
    if (o >= 0) {
        f->o = &t->p->obligations[o];
        f->key[TASK_OBLIGATION] = f->o->name;
        if (check_period(t, in->period, f->o->period, &f->period))
            f->key[TASK_PERIOD] = period_format(t->arena, f->period);
    } else {
        problem_add(&t->why, "obligation: no obligation \"%.*s\" in %.*s", SLICE_ARG(in->obligation),
                    SLICE_ARG(t->p->id));
    }
    const struct unit *unit = check_party(t, f, "unit", in->unit);
    f->by = f->key[TASK_UNIT] = unit ? unit->id : S("");
    if (f->o)
        check_about(t, in->about, f);
}

/* Any owner speaks for a joint task: its key has the first of them. */
static struct touched *joint_task(struct turn *t, struct filing *f)
{
    size_t n;
    struct touched **x = overlay_scan(t, f->o->machine, f->key, TASK_PERIOD + 1, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < x[i]->i.task->nowners; k++)
            if (slice_eq(x[i]->i.task->owners[k], f->key[TASK_UNIT]) &&
                slice_eq(x[i]->i.key[TASK_ABOUT], f->key[TASK_ABOUT])) {
                f->key[TASK_UNIT] = x[i]->i.key[TASK_UNIT];
                return x[i];
            }
    return NULL;
}

/* The task that was handed over when the unit named, or the one that it is about, ended. */
static struct touched *heirs_task(struct turn *t, struct filing *f)
{
    struct slice key[KEY_PARTS_MAX];
    memcpy(key, f->key, sizeof key);
    key[TASK_UNIT] = program_heir(t->p, key[TASK_UNIT], HEIR_OF_TASKS, t->today);
    if (f->o->nabout_roles)
        key[TASK_ABOUT] = program_heir(t->p, key[TASK_ABOUT], HEIR_OF_TASKS, t->today);
    struct touched *x = instance_key_cmp(key, f->key) != 0 ? overlay_find(t, f->o->machine, key) : NULL;
    if (!x)
        return NULL;
    if (slice_eq(f->by, f->key[TASK_UNIT]))
        f->by = key[TASK_UNIT];
    memcpy(f->key, key, sizeof key);
    return x;
}

bool check_opened(struct turn *t, const struct obligation *o, struct period p)
{
    struct slice period = period_format(t->arena, p);
    struct due due = {.opens = 0};
    if (!due_from_calendar(o))
        return true;
    bool owed = due_in_force(t->p, o, p);
    if (owed)
        due = due_of(t->p, o, p, t->arena);
    if (!owed || !due_owes(o, &due))
        problem_add(&t->why, "period: %.*s is not owed for %.*s", SLICE_ARG(o->name), SLICE_ARG(period));
    else if (due.opens > t->now)
        problem_add(&t->why, "period: %.*s for %.*s opens at %.*s", SLICE_ARG(o->name), SLICE_ARG(period),
                    SLICE_ARG(instant_format_local(t->arena, t->p->tz, due.opens)));
    else
        return true;
    return false;
}

struct touched *check_task(struct turn *t, struct filing *f)
{
    struct slice period = f->key[TASK_PERIOD], about = f->key[TASK_ABOUT];
    struct touched *x = overlay_find(t, f->o->machine, f->key);
    if (!x && !t->failed && f->o->jointly)
        x = joint_task(t, f);
    if (!x && !t->failed && t->p->nsuccessions)
        x = heirs_task(t, f);
    if (!x && !t->failed && check_opened(t, f->o, f->period))
        problem_add(&t->why, "unit: %.*s has no task %.*s%s%.*s%s%.*s", SLICE_ARG(f->key[TASK_UNIT]),
                    SLICE_ARG(f->o->name), period.n ? " for " : "", SLICE_ARG(period),
                    about.n ? " about " : "", SLICE_ARG(about));
    return x;
}

/* ---- events of a task */

static struct value reason_value(struct turn *t, int kind, struct slice reason)
{
    const struct kind *k = &t->p->kinds[kind];
    int f = kind_field(k, S("reason"));
    struct value text = {.tag = reason.n ? VALUE_TEXT : VALUE_NA, .text = reason};
    if (f < 0 || (k->fields[f].type.tag != TYPE_LIST && k->fields[f].type.tag != TYPE_SET) || reason.n == 0)
        return text;
    struct value *item = ARENA_NEW(t->arena, struct value);
    *item = text;
    return (struct value){.tag = VALUE_LIST, .list = {item, 1}};
}

static void queue_task_event(struct turn *t, int kind, const struct filing *f, struct slice by,
                             struct slice reason)
{
    struct event from = {.received = t->now, .by = by};
    struct event ev = event_of_task(t, kind, f->key, f->period, &from, reason_value(t, kind, reason));
    check_refusals(t, &ev);
    if (t->why.n == 0)
        turn_queue(t, &ev);
}

static bool is_blank(const struct value *v)
{
    return v->tag == VALUE_NA || (v->tag == VALUE_TEXT && v->text.n == 0) ||
           (v->tag == VALUE_LIST && v->list.n == 0);
}

/* The required fields that are not there, or empty. */
static struct slice missing_fields(struct turn *t, const struct obligation *o, const struct value *field)
{
    struct slice *names = ARENA_ARRAY(t->arena, struct slice, o->nfields);
    size_t n = 0;
    for (size_t i = 0; o->required && i < o->nfields; i++)
        if (o->required[i] && is_blank(&field[i]))
            names[n++] = o->fields[i].name;
    return n ? arena_printf(t->arena, "missing: %.*s", SLICE_ARG(join_names(t, names, n))) : S("");
}

/* Recorded as filed; when a required part is missing, returned at once. */
static void file(struct turn *t, const struct filing *f, const struct value *field)
{
    struct slice missing = missing_fields(t, f->o, field);
    queue_task_event(t, KIND_SUBMITTED, f, f->by, S(""));
    if (missing.n)
        queue_task_event(t, KIND_RETURNED, f, f->by, missing);
}

/* What the obligation refuses, as its task and this event show it. */
static void check_obligation(struct turn *t, const struct filing *f, struct touched *x,
                             const struct value *field)
{
    struct event ev = {
        .kind = f->o->kind_filed, .field = (struct value *)(uintptr_t)field, .received = t->now, .by = f->by};
    struct acting act = {.x = x, .event = &ev, .timer = -1};
    for (size_t r = 0; r < f->o->nrefuse && !t->failed; r++)
        if (turn_holds(t, f->o->refuse[r].if_, &act))
            problem_add(&t->why, "%.*s", SLICE_ARG(f->o->refuse[r].say));
}

/* ---- submissions and reviews */

void validate_submission(struct turn *t, const struct input *in)
{
    struct filing f = {0};
    check_voice(t, in, VOICE_SUBMISSIONS, S("a submission"));
    check_source(t, in, &t->p->kinds[KIND_SUBMITTED]);
    check_filing(t, in, &f);
    if (!f.o)
        return;
    if (f.o->filed_by != KIND_SUBMITTED) {
        problem_add(&t->why, "obligation: %.*s is filed by the event %.*s, not by a submission",
                    SLICE_ARG(f.o->name), SLICE_ARG(t->p->kinds[f.o->filed_by].name));
        return;
    }
    struct value *field = ARENA_ARRAY(t->arena, struct value, f.o->nfields);
    struct value fields = attachments_add(t, in, f.o->fields, f.o->nfields);
    struct path at = {.name = S("fields")};
    typing_fields(t, f.o->fields, f.o->nfields, &fields, true, &at, field);
    struct touched *x = t->why.n == 0 ? check_task(t, &f) : NULL;
    if (!x)
        return;
    check_obligation(t, &f, x, field);
    if (t->why.n == 0 && !t->failed)
        file(t, &f, field);
}

static bool lists_unit(const struct value *v, struct slice id)
{
    for (size_t i = 0; v->tag == VALUE_LIST && i < v->list.n; i++)
        if (lists_unit(&v->list.item[i], id))
            return true;
    return v->tag == VALUE_TEXT && slice_eq(v->text, id);
}

bool task_received_by(struct turn *t, struct touched *task, const struct unit *by)
{
    const struct obligation *o = &t->p->obligations[task->i.task->obligation];
    struct acting act = {.x = task, .timer = -1};
    for (size_t r = 0; r < o->nto; r++)
        if (unit_has_role(by, o->to[r]))
            return true;
    struct value units = turn_eval(t, o->to_units, &act);
    return lists_unit(&units, by->id);
}

/* Whom `to:` names by an expression depends on the task. */
static bool check_receiver(struct turn *t, struct touched *task, const struct unit *by)
{
    if (task_received_by(t, task, by))
        return true;
    if (!t->failed)
        problem_add(&t->why, "reporter: %.*s may not report a review of %.*s: only those who receive it",
                    SLICE_ARG(by->id), SLICE_ARG(task->i.key[TASK_OBLIGATION]));
    return false;
}

void validate_review(struct turn *t, const struct input *in)
{
    struct filing f = {0};
    int kind = in->accept ? KIND_ACCEPTED : KIND_RETURNED;
    check_voice(t, in, VOICE_DEADLINES, S("a review"));
    check_source(t, in, &t->p->kinds[kind]);
    check_filing(t, in, &f);
    if (!f.o)
        return;
    const struct unit *by = check_reporter(t, in->reporter, f.o->to, f.o->nto,
                                           arena_printf(t->arena, "a review of %.*s", SLICE_ARG(f.o->name)),
                                           f.o->to_units ? NULL : "nobody reviews this obligation: it names no `to:`");
    struct touched *task = t->why.n == 0 && by ? check_task(t, &f) : NULL;
    if (task && (!f.o->to_units || check_receiver(t, task, by)))
        queue_task_event(t, kind, &f, by->id, in->reason);
}

/* ---- facts that are an obligation's submission */

static struct slice part_text(struct turn *t, const struct expr *x, const struct event *ev, const char *field)
{
    struct acting nobody = {.event = ev, .timer = -1};
    int f = kind_field(&t->p->kinds[ev->kind], slice_of(field));
    struct value v = x ? turn_eval(t, x, &nobody) : f >= 0 ? ev->field[f] : (struct value){.tag = VALUE_NA};
    return v.tag == VALUE_NA ? S("") : value_format(t->arena, &v, t->p->tz);
}

/* The task that the event files: as the obligation says, else as the fields unit (else the reporter), about
 * and the event's period do. */
static void filing_of(struct turn *t, const struct obligation *o, const struct event *ev, struct filing *f)
{
    struct acting nobody = {.event = ev, .timer = -1};
    struct value period = turn_eval(t, o->filed_period, &nobody);
    *f = (struct filing){
        .o = o, .period = period.tag == VALUE_PERIOD ? period.period : event_period(t, ev, o->period)};
    f->key[TASK_OBLIGATION] = o->name;
    f->key[TASK_PERIOD] = period_format(t->arena, f->period);
    f->key[TASK_UNIT] = part_text(t, o->filed_unit, ev, "unit");
    if (f->key[TASK_UNIT].n == 0)
        f->key[TASK_UNIT] = ev->by;
    f->key[TASK_ABOUT] = part_text(t, o->filed_about, ev, "about");
    f->by = f->key[TASK_UNIT];
}

void check_filed(struct turn *t, const struct event *ev)
{
    for (size_t i = 0; i < t->p->nobligations && !t->failed; i++) {
        const struct obligation *o = &t->p->obligations[i];
        struct filing f;
        if (o->filed_by != ev->kind || ev->kind == KIND_SUBMITTED)
            continue;
        filing_of(t, o, ev, &f);
        struct touched *x = check_task(t, &f);
        if (x)
            check_obligation(t, &f, x, ev->field);
    }
}

void route_filed(struct turn *t, const struct event *ev)
{
    for (size_t i = 0; i < t->p->nobligations && !t->failed; i++) {
        const struct obligation *o = &t->p->obligations[i];
        struct filing f;
        if (o->filed_by != ev->kind || ev->kind == KIND_SUBMITTED)
            continue;
        filing_of(t, o, ev, &f);
        if (overlay_find(t, o->machine, f.key) || (o->jointly && joint_task(t, &f)))
            file(t, &f, ev->field);
    }
}

/* ---- attachments */

struct value attachments_add(struct turn *t, const struct input *in, const struct field *fields,
                             size_t nfields)
{
    struct value all = in->fields;
    size_t n = all.tag == VALUE_RECORD ? all.record.n : 0;
    if (in->nattachments == 0)
        return all;
    struct value *field = ARENA_ARRAY(t->arena, struct value, n + in->nattachments);
    struct slice *name = ARENA_ARRAY(t->arena, struct slice, n + in->nattachments);
    for (size_t i = 0; i < n; i++) {
        field[i] = all.record.field[i];
        name[i] = all.record.name[i];
    }
    for (size_t i = 0; i < in->nattachments; i++) {
        const struct input_attachment *file = &in->attachments[i];
        bool wanted = false, given = false;
        for (size_t f = 0; f < nfields; f++)
            wanted |= fields[f].type.tag == TYPE_ATTACHMENT && slice_eq(fields[f].name, file->name);
        for (size_t f = 0; f < n; f++)
            given |= slice_eq(name[f], file->name);
        if (!wanted || given)
            continue;
        name[n] = file->name;
        field[n++] = (struct value){.tag = VALUE_TEXT, .text = file->uri.n ? file->uri : file->name};
    }
    return (struct value){.tag = VALUE_RECORD, .record = {.field = field, .name = name, .n = n}};
}
