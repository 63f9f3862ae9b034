/* What the definition claims of itself: load-checks; and that somebody owes each obligation, some day. */
#include "core/due.h"
#include "lang/lint.h"
#include "lang/obligations.h"

/* ---- load-checks */

static instant_t beginning(const struct program *p)
{
    date_t from = p->effective.from;
    for (size_t i = 0; p->effective.from == DATE_NONE && i < p->nunits; i++)
        if (p->units[i].in_force.from > from)
            from = p->units[i].in_force.from; /* by then everybody is there */
    return from == DATE_NONE ? 0 : tz_instant(p->tz, from, 0);
}

/* Both sides of a comparison that does not hold: "11 = 12". */
static const char *sides(struct compiler *c, struct eval *ev, const struct expr *x)
{
    if (x->op < EXPR_EQ || x->op > EXPR_GE)
        return NULL;
    struct value a = expr_eval(ev, x->arg[0]), b = expr_eval(ev, x->arg[1]);
    return arena_printf(c->arena, "on the left is %.*s, on the right %.*s",
                        SLICE_ARG(value_format(c->arena, &a, c->program->tz)),
                        SLICE_ARG(value_format(c->arena, &b, c->program->tz)))
        .p;
}

static const struct key_def load_check_keys[] = {
    {"basis", YAML_SCALAR, false, "article", NULL, "named when it fails"},
    {"that", YAML_SCALAR, true, "condition", NULL,
     "must hold by the roster of the first day, else the definition is refused"},
};
const struct key_table load_check_table = KEY_TABLE(load_check_keys);

void lint_checks(struct compiler *c)
{
    const struct yaml *const *item;
    size_t n = read_items(yaml_get(c->root, "load-checks"), &item);
    struct scope s = {.c = c, .kind = -1, .no_instances = "a load check"};
    for (size_t i = 0; i < n; i++) {
        if (!keys_check(c, item[i], load_check_keys, sizeof load_check_keys / sizeof *load_check_keys, "a load check"))
            continue;
        const struct yaml *that = yaml_get(item[i], "that");
        size_t errors = c->diags->errors;
        const struct expr *x = is_scalar(that) ? expr_compile(&s, that, &type_yesno) : NULL;
        if (!x || errors != c->diags->errors || !c->program->tz || !build_of(c)->roster_sound)
            continue;
        struct eval ev = {.program = c->program, .now = beginning(c->program), .arena = c->arena};
        if (!expr_holds(&ev, x))
            ERROR_AT(c, LOAD_CHECK, that, ev.failed ? ev.failed : sides(c, &ev, x),
                     "this does not hold%s%.*s", read_text(item[i], "basis").n ? ": " : "",
                     SLICE_ARG(read_text(item[i], "basis")));
    }
}

/* ---- obligations */

#define PERIODS_MAX 400 /* looked at for one that somebody owes: a year of days */

static void lint_obligation(struct compiler *c, const struct declared *d, const struct obligation *o)
{
    const struct program *p = c->program;
    const char *kind = period_kind_name(o->period);
    date_t from = o->effective.from != DATE_NONE ? o->effective.from : tz_date(p->tz, beginning(p), NULL);
    struct period q = period_of_date(o->period, from);
    bool any = false;
    if (period_first(q) < from)
        q = period_step(q, 1);
    for (int i = 0; i < PERIODS_MAX; i++, q = period_step(q, 1)) {
        if (o->effective.until != DATE_NONE && period_first(q) >= o->effective.until)
            break;
        struct arena *scratch = arena_new();
        struct due due = due_of(p, o, q, scratch);
        struct owed *pairs;
        size_t n;
        bool owes = due_owes(o, &due);
        due_owed(p, o, q, due.opens, scratch, &pairs, &n);
        if (owes && n > 0)
            lint_counts(c, d, o, pairs, n);
        arena_free(scratch);
        if (!owes)
            continue;
        if (due.soft_end > due.effective)
            WARN_AT(c, SOFT, yaml_get(d->node, "soft"), "an earlier window, or a later due:",
                    "the soft window of “%.*s” ends after the task is due", SLICE_ARG(d->name));
        if (due.nominal <= due.opens) {
            ERROR_AT(c, NEVER_DUE, d->key, "a later day, or cutoff: inclusive",
                     "“%.*s” is due at the instant at which its %s opens: nobody could be in time",
                     SLICE_ARG(d->name), kind);
            return;
        }
        any = true;
        if (n > 0 || o->only_if)
            return;
    }
    if (!any && o->due.kind == DUE_RRULE)
        ERROR_AT(c, NEVER_DUE, yaml_get(d->node, "due"), "a rule of which a day lies in some period",
                 "“%.*s” never falls due: its rule falls in no %s", SLICE_ARG(d->name), kind);
    else if (any)
        ERROR_AT(c, NOBODY_OWES, yaml_get(d->node, "owed-by"),
                 "owed-by: a role that some unit holds in the effective dates",
                 "nobody owes “%.*s”, in no %s", SLICE_ARG(d->name), kind);
    else
        ERROR_AT(c, NEVER_DUE, d->key, "effective, from and until that hold the beginning of a period",
                 "“%.*s” never falls due: no %s begins within its dates", SLICE_ARG(d->name), kind);
}

static bool machine_counts(const struct machine *m)
{
    for (size_t i = 0; i < m->ncounts; i++)
        if (m->counts[i].kind == KIND_COUNTED)
            return true;
    for (size_t s = 0; s < m->nstates; s++)
        for (size_t r = 0; r < m->states[s].body.nrules; r++)
            if (m->states[s].body.rules[r].kind == KIND_COUNTED)
                return true;
    return false;
}

static bool hangs_on_due(const struct expr *x)
{
    if (x && x->op == EXPR_META && x->index == INSTANCE_DUE)
        return true;
    for (size_t i = 0; x && i < x->nargs; i++)
        if (hangs_on_due(x->arg[i]))
            return true;
    return false;
}

/* A duty whose machine judges at its due date, and that has none, stands open for ever. Of a task born by an event that may be meant. */
static void lint_judged(struct compiler *c, const struct declared *d, const struct obligation *o)
{
    const struct machine *m = &c->program->machines[o->machine];
    bool judged = o->due.kind != DUE_NONE || o->ncounts == 0 || !due_from_calendar(o);
    for (size_t i = 0; i < m->ntimers && !judged; i++)
        if (hangs_on_due(m->timers[i].when)) {
            WARN_AT(c, NEVER_JUDGED, yaml_get(d->node, "due"), "a due rule: last day",
                    "machine %.*s judges “%.*s” by its due date, and that never comes", SLICE_ARG(m->name),
                    SLICE_ARG(d->name));
            return;
        }
}

void lint_owed(struct compiler *c)
{
    struct build *b = build_of(c);
    for (size_t i = 0; i < b->obligations.n; i++) {
        const struct declared *d = &b->obligations.item[i];
        const struct obligation *o = &c->program->obligations[i];
        bool counts = machine_counts(&c->program->machines[o->machine]);
        if (counts != (o->ncounts > 0))
            ERROR_AT(c, COUNTS, d->key,
                     counts ? "counts: EVENT where CONDITION" : "a machine that hears counted, as duty does",
                     counts ? "nothing says what counts for “%.*s”"
                            : "its machine hears nothing of what “%.*s” counts",
                     SLICE_ARG(d->name));
        births_lint(c, d, o);
        if (due_from_calendar(o))
            lint_obligation(c, d, o);
        lint_judged(c, d, o);
    }
    schedules_lint(c);
}
