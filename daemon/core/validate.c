/* An input against the program: its events onto the queue, or every reason why not. */
#include "core/validate.h"

#include "core/correct.h"

static const char *const voice_topic[] = {
    [VOICE_SUBMISSIONS] = "duban.submissions", [VOICE_DEADLINES] = "duban.deadlines", [VOICE_EITHER] = ""};

/* ---- what every class asks */

void check_voice(struct turn *t, const struct input *in, enum voice voice, struct slice what)
{
    if (voice != VOICE_EITHER && in->topic != VOICE_EITHER && voice != in->topic)
        problem_add(&t->why, "%.*s belongs on %s, not on %s", SLICE_ARG(what), voice_topic[voice],
                    voice_topic[in->topic]);
}

struct slice join_names(struct turn *t, const struct slice *item, size_t n)
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

void check_source(struct turn *t, const struct input *in, const struct kind *k)
{
    for (size_t i = 0; i < k->nfrom; i++)
        if (slice_eq(k->from[i], in->source))
            return;
    if (k->nfrom)
        problem_add(&t->why, "source \"%.*s\" may not send %.*s: only %.*s", SLICE_ARG(in->source),
                    SLICE_ARG(k->name), SLICE_ARG(join_names(t, k->from, k->nfrom)));
}

const struct unit *validate_unit(struct turn *t, const char *what, struct slice id)
{
    const struct unit *u = id.n ? program_unit(t->p, id, t->today) : NULL;
    if (id.n == 0)
        problem_add(&t->why, "%s: missing", what);
    else if (!u)
        problem_add(&t->why, "%s: no unit \"%.*s\" in the roster on %.*s", what, SLICE_ARG(id),
                    SLICE_ARG(date_format(t->arena, t->today)));
    return u;
}

const struct unit *check_reporter(struct turn *t, struct slice id, const int *roles, size_t nroles,
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
                SLICE_ARG(join_names(t, names, nroles)));
    return u;
}

bool check_period(struct turn *t, struct slice text, enum period_kind kind, struct period *out)
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

void check_refusals(struct turn *t, const struct event *ev)
{
    const struct kind *k = &t->p->kinds[ev->kind];
    struct acting nobody = {.event = ev, .timer = -1};
    for (size_t r = 0; r < k->nrefuse && !t->failed; r++)
        if (turn_holds(t, k->refuse[r].if_, &nobody))
            problem_add(&t->why, "%.*s", SLICE_ARG(k->refuse[r].say));
}

/* ---- requests for more time */

static void validate_extension_request(struct turn *t, const struct input *in)
{
    struct filing f = {0};
    check_voice(t, in, VOICE_SUBMISSIONS, S("a request for more time"));
    check_filing(t, in, &f);
    const struct unit *by = in->reporter.n ? validate_unit(t, "reporter", in->reporter) : NULL;
    if (f.o && t->why.n == 0 && check_task(t, &f))
        correct_ask(t, in, overlay_find(t, f.o->machine, f.key), by ? by->id : f.by);
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
    struct value fields = attachments_add(t, in, k->fields, k->nfields);
    bool typed = typing_fields(t, k->fields, k->nfields, &fields, false, &at, ev.field);
    if (by)
        ev.by = by->id;
    if (typed && by)
        check_refusals(t, &ev);
    if (t->why.n == 0)
        check_filed(t, &ev);
    if (t->why.n == 0)
        tally_check_closing(t, &ev);
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
    if (r->tally >= 0) {
        problem_add(&t->why, "ranking: %.*s is computed when %.*s closes, and not received", SLICE_ARG(r->name),
                    SLICE_ARG(t->p->tallies[r->tally].name));
        return;
    }
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

/* Who may correct the record. What is corrected, the caller looks up in the workflow's history. */
static void validate_operator(struct turn *t, const struct input *in)
{
    check_voice(t, in, VOICE_DEADLINES, in->class_name);
    check_reporter(t, in->reporter, &t->p->issuer, t->p->issuer >= 0, in->class_name, NULL);
}

static void (*const validators[])(struct turn *t, const struct input *in) = {
    [INPUT_SUBMISSION] = validate_submission,
    [INPUT_REVIEW] = validate_review,
    [INPUT_FACT] = validate_fact,
    [INPUT_RANKING] = validate_ranking,
    [INPUT_CLOCK] = validate_nothing,
    [INPUT_DEFINITION] = validate_nothing,
    [INPUT_READING] = validate_reading,
    [INPUT_DIRECTIVE] = validate_directive,
    [INPUT_EXTENSION_REQUEST] = validate_extension_request,
    [INPUT_EXTEND] = correct_input,
    [INPUT_WAIVE] = correct_input,
    [INPUT_PAUSE] = correct_input,
    [INPUT_RESUME] = correct_input,
    [INPUT_EXCUSE] = correct_input,
    [INPUT_ROSTER] = validate_roster,
    [INPUT_ANNUL] = validate_operator,
    [INPUT_SUPERSEDE] = validate_operator,
    [INPUT_DECIDE] = validate_operator,
    [INPUT_REDRIVE] = validate_nothing,
    [INPUT_OTHER] = validate_nothing,
};

void validate_input(struct turn *t, const struct input *in)
{
    validators[in->class_](t, in);
}
