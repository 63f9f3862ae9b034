/* An input against the program: its events onto the queue, or every reason why not. */
#include "core/turn.h"

static const char *const voice_topic[] = {
    [VOICE_SUBMISSIONS] = "duban.submissions", [VOICE_DEADLINES] = "duban.deadlines", [VOICE_EITHER] = ""};

/* ---- what every class asks */

static void check_voice(struct turn *t, const struct input *in, enum voice voice, struct slice what)
{
    if (voice != VOICE_EITHER && in->topic != VOICE_EITHER && voice != in->topic)
        problem_add(&t->why, "%.*s belongs on %s, not on %s", SLICE_ARG(what), voice_topic[voice],
                    voice_topic[in->topic]);
}

static struct slice join(struct turn *t, const struct slice *item, size_t n)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        buf_add(&b, i ? S(", ") : S(""));
        buf_add(&b, item[i]);
    }
    struct slice all = arena_dup(t->arena, buf_slice(&b));
    buf_free(&b);
    return all;
}

static void check_source(struct turn *t, const struct input *in, const struct kind *k)
{
    for (size_t i = 0; i < k->nfrom; i++)
        if (slice_eq(k->from[i], in->source))
            return;
    if (k->nfrom)
        problem_add(&t->why, "source \"%.*s\" may not send %.*s: only %.*s", SLICE_ARG(in->source),
                    SLICE_ARG(k->name), SLICE_ARG(join(t, k->from, k->nfrom)));
}

/* The unit in force today with this id or alias; NULL after a problem that begins with `what`. */
static const struct unit *validate_unit(struct turn *t, const char *what, struct slice id)
{
    const struct unit *u = id.n ? program_unit(t->p, id, t->today) : NULL;
    if (id.n == 0)
        problem_add(&t->why, "%s: missing", what);
    else if (!u)
        problem_add(&t->why, "%s: no unit \"%.*s\" in the roster on %.*s", what, SLICE_ARG(id),
                    SLICE_ARG(date_format(t->arena, t->today)));
    return u;
}

/* The reporter, who must hold one of the roles. none: what to say when there is none; NULL then lets any unit
 * report. */
static const struct unit *check_reporter(struct turn *t, struct slice id, const int *roles, size_t nroles,
                                         struct slice what, const char *none)
{
    const struct unit *u = validate_unit(t, "reporter", id);
    if (!u || (nroles == 0 && !none))
        return u;
    if (nroles == 0) {
        problem_add(&t->why, "reporter: %s", none);
        return u;
    }
    struct slice *names = ARENA_ARRAY(t->arena, struct slice, nroles);
    for (size_t r = 0; r < nroles; r++) {
        if (unit_has_role(u, roles[r]))
            return u;
        names[r] = t->p->roles[roles[r]];
    }
    problem_add(&t->why, "reporter: %.*s may not report %.*s: only %.*s", SLICE_ARG(u->id), SLICE_ARG(what),
                SLICE_ARG(join(t, names, nroles)));
    return u;
}

static bool check_period(struct turn *t, struct slice text, enum period_kind kind, struct period *out)
{
    struct type want = {.tag = TYPE_PERIOD, .period_kind = kind};
    struct value v = {.tag = VALUE_TEXT, .text = text}, typed;
    struct path at = {.name = S("period")};
    *out = (struct period){PERIOD_ONCE, 0};
    if (kind == PERIOD_ONCE) {
        if (text.n)
            problem_add(&t->why, "period: none is expected, for it does not recur, not \"%.*s\"",
                        SLICE_ARG(text));
        return text.n == 0;
    }
    if (text.n == 0) {
        problem_add(&t->why, "period: missing");
        return false;
    }
    bool ok = typing_value(t, &want, &v, &at, &typed);
    if (ok)
        *out = typed.period;
    return ok;
}

static void check_refusals(struct turn *t, const struct event *ev)
{
    const struct kind *k = &t->p->kinds[ev->kind];
    struct acting nobody = {.event = ev, .timer = -1};
    for (size_t r = 0; r < k->nrefuse && !t->failed; r++)
        if (turn_holds(t, k->refuse[r].if_, &nobody))
            problem_add(&t->why, "%.*s", SLICE_ARG(k->refuse[r].say));
}

/* ---- what concerns a task: submissions and reviews */

struct filing {
    const struct obligation *o;
    struct period period;
    struct slice key[KEY_PARTS_MAX];
};

/* One that has left the roster still files what it came to owe while it was there. */
static const struct unit *check_party(struct turn *t, const struct input *in, const char *what,
                                      struct slice id)
{
    int o = program_obligation(t->p, in->obligation);
    const struct unit *u = NULL;
    struct period period;
    if (o >= 0 && id.n && !program_unit(t->p, id, t->today) && period_parse(in->period, &period) &&
        period.kind == t->p->obligations[o].period) {
        struct due due = due_of(t->p, &t->p->obligations[o], period, t->arena);
        u = program_unit(t->p, id, tz_date(t->p->tz, due.opens, NULL));
    }
    return u ? u : validate_unit(t, what, id);
}

static void check_filing(struct turn *t, const struct input *in, struct filing *f)
{
    int o = program_obligation(t->p, in->obligation);
    const struct unit *unit = check_party(t, in, "unit", in->unit);
    if (unit)
        f->key[TASK_UNIT] = unit->id;
    if (o < 0) {
        problem_add(&t->why, "obligation: no obligation \"%.*s\" in %.*s", SLICE_ARG(in->obligation),
                    SLICE_ARG(t->p->id));
        return;
    }
    f->o = &t->p->obligations[o];
    f->key[TASK_OBLIGATION] = f->o->name;
    if (check_period(t, in->period, f->o->period, &f->period))
        f->key[TASK_PERIOD] = period_format(t->arena, f->period);
    if (f->o->nabout_roles) {
        const struct unit *about = check_party(t, in, "about", in->about);
        f->key[TASK_ABOUT] = about ? about->id : S("");
    } else if (in->about.n) {
        problem_add(&t->why, "about: %.*s is about nothing, not \"%.*s\"", SLICE_ARG(f->o->name),
                    SLICE_ARG(in->about));
    }
}

/* The task must have been born; otherwise says why there is none. */
static bool check_task(struct turn *t, const struct filing *f)
{
    const struct obligation *o = f->o;
    struct slice period = f->key[TASK_PERIOD], about = f->key[TASK_ABOUT];
    if (overlay_find(t, o->machine, f->key))
        return true;
    if (t->failed)
        return false;
    if (!due_in_force(t->p, o, f->period)) {
        problem_add(&t->why, "period: %.*s is not owed for %.*s", SLICE_ARG(o->name), SLICE_ARG(period));
        return false;
    }
    struct due due = due_of(t->p, o, f->period, t->arena);
    if (due.opens > t->now)
        problem_add(&t->why, "period: %.*s for %.*s opens at %.*s", SLICE_ARG(o->name), SLICE_ARG(period),
                    SLICE_ARG(instant_format_local(t->arena, t->p->tz, due.opens)));
    else
        problem_add(&t->why, "unit: %.*s has no task %.*s%s%.*s%s%.*s", SLICE_ARG(f->key[TASK_UNIT]),
                    SLICE_ARG(o->name), period.n ? " for " : "", SLICE_ARG(period), about.n ? " about " : "",
                    SLICE_ARG(about));
    return false;
}

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

static void queue_task_event(struct turn *t, const struct input *in, int kind, const struct filing *f,
                             struct slice by, struct slice reason)
{
    struct event from = {.received = in->received, .by = by};
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
    return n ? arena_printf(t->arena, "missing: %.*s", SLICE_ARG(join(t, names, n))) : S("");
}

/* Recorded as filed; when a required part is missing, returned at once. */
static void validate_submission(struct turn *t, const struct input *in)
{
    struct filing f = {0};
    check_voice(t, in, VOICE_SUBMISSIONS, S("a submission"));
    check_source(t, in, &t->p->kinds[KIND_SUBMITTED]);
    check_filing(t, in, &f);
    if (!f.o)
        return;
    struct value *field = ARENA_ARRAY(t->arena, struct value, f.o->nfields);
    struct path at = {.name = S("fields")};
    typing_fields(t, f.o->fields, f.o->nfields, &in->fields, true, &at, field);
    if (t->why.n || !check_task(t, &f))
        return;
    struct slice missing = missing_fields(t, f.o, field);
    queue_task_event(t, in, KIND_SUBMITTED, &f, f.key[TASK_UNIT], S(""));
    if (missing.n)
        queue_task_event(t, in, KIND_RETURNED, &f, f.key[TASK_UNIT], missing);
}

static void validate_review(struct turn *t, const struct input *in)
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
                                           "nobody reviews this obligation: it names no `to:`");
    if (t->why.n == 0 && by && check_task(t, &f))
        queue_task_event(t, in, kind, &f, by->id, in->reason);
}

/* ---- facts and rankings */

static void validate_fact(struct turn *t, const struct input *in)
{
    int kind = program_kind(t->p, in->kind);
    const struct kind *k = kind >= 0 ? &t->p->kinds[kind] : NULL;
    if (!k || k->class_ != KIND_CLASS_FACT) {
        problem_add(&t->why, "kind: no event \"%.*s\" is declared in %.*s", SLICE_ARG(in->kind),
                    SLICE_ARG(t->p->id));
        return;
    }
    check_voice(t, in, k->voice, k->name);
    check_source(t, in, k);
    const struct unit *by = check_reporter(t, in->reporter, k->by, k->nby, k->name, NULL);
    struct event ev = {.kind = kind, .received = in->received};
    struct path at = {.name = S("fields")};
    ev.field = ARENA_ARRAY(t->arena, struct value, k->nfields);
    bool typed = typing_fields(t, k->fields, k->nfields, &in->fields, false, &at, ev.field);
    if (by)
        ev.by = by->id;
    if (typed && by)
        check_refusals(t, &ev);
    if (t->why.n == 0)
        turn_queue(t, &ev);
}

static void validate_ranking(struct turn *t, const struct input *in)
{
    int which = program_ranking(t->p, in->ranking);
    struct period period;
    if (which < 0) {
        problem_add(&t->why, "ranking: no ranking \"%.*s\" in %.*s", SLICE_ARG(in->ranking),
                    SLICE_ARG(t->p->id));
        return;
    }
    const struct ranking *r = &t->p->rankings[which];
    struct slice what = arena_printf(t->arena, "ranking %.*s", SLICE_ARG(r->name));
    check_voice(t, in, VOICE_DEADLINES, what);
    check_source(t, in, &t->p->kinds[r->kind_list]);
    const struct unit *by = check_reporter(t, in->reporter, r->by, r->nby, what, NULL);
    check_period(t, in->period, r->period, &period);
    ranking_queue(t, in, r, period, by ? by->id : S(""));
    for (size_t i = t->head; i < t->nqueue && !t->failed; i++)
        check_refusals(t, &t->queue[i]);
}

/* ---- by class */

static void validate_nothing(struct turn *t, const struct input *in)
{
    struct slice name = in->class_name.n ? in->class_name : S("this record");
    problem_add(&t->why, "%.*s: this version does not act on it", SLICE_ARG(name));
}

static void (*const validators[])(struct turn *t, const struct input *in) = {
    [INPUT_SUBMISSION] = validate_submission,
    [INPUT_REVIEW] = validate_review,
    [INPUT_FACT] = validate_fact,
    [INPUT_RANKING] = validate_ranking,
    [INPUT_CLOCK] = validate_nothing,
    [INPUT_DEFINITION] = validate_nothing,
    [INPUT_OTHER] = validate_nothing,
};

void validate_input(struct turn *t, const struct input *in)
{
    validators[in->class_](t, in);
}
