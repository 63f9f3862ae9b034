/* What step relies on and program_check says: whatever the compiler makes passes, and of each way in which a
 * program can be damaged it says what is wrong. One damage a line. */
#include "lang_folder.h"

static const struct expr beyond = {.op = EXPR_PARAM, .index = 9999};
static const struct expr whole = {.op = EXPR_UNITS};
#define BEYOND "expression's index 9999"

/* ---- what there is to damage */

static struct machine *machine_of(struct program *p, const char *name)
{
    int m = program_machine(p, slice_of(name));
    if (m < 0)
        fail_msg("no machine %s", name);
    return &p->machines[m];
}

static struct obligation *obligation_of(struct program *p, const char *name)
{
    int o = program_obligation(p, slice_of(name));
    if (o < 0)
        fail_msg("no obligation %s", name);
    return &p->obligations[o];
}

static struct kind *kind_of(struct program *p, const char *name)
{
    int k = program_kind(p, slice_of(name));
    if (k < 0)
        fail_msg("no kind %s", name);
    return &p->kinds[k];
}

static struct action *action_in(struct rule *r, size_t n, enum action_op op)
{
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < r[i].nactions; a++)
            if (r[i].actions[a].op == op)
                return &r[i].actions[a];
    return NULL;
}

static struct action *action_of(struct program *p, enum action_op op)
{
    for (size_t m = 0; m < p->nmachines; m++)
        for (size_t s = 0; s < p->machines[m].nstates; s++) {
            struct state_body *b = &p->machines[m].states[s].body;
            struct action *a = action_in(b->rules, b->nrules, op);
            if (a)
                return a;
        }
    fail_msg("no action %d", (int)op);
    return NULL;
}

static struct state_body *body_with_rules(struct machine *m)
{
    for (size_t s = 0; s < m->nstates; s++)
        if (m->states[s].body.nrules)
            return &m->states[s].body;
    fail_msg("no rules in %.*s", SLICE_ARG(m->name));
    return NULL;
}

/* The first column of that source, of any collection. */
static struct collection_column *column_of(struct program *p, enum column_source source)
{
    for (size_t i = 0; i < p->ncollections; i++)
        for (size_t m = 0; m < p->collections[i].nmachines; m++)
            for (size_t f = 0; f < p->collections[i].row.nfields; f++)
                if (p->collections[i].machines[m].column[f].source == source)
                    return &p->collections[i].machines[m].column[f];
    fail_msg("no column of source %d", (int)source);
    return NULL;
}

static struct machine *marked(struct program *p)
{
    for (size_t m = 0; m < p->nmachines; m++)
        if (p->machines[m].nissued_marks)
            return &p->machines[m];
    fail_msg("nothing is marked as issued");
    return NULL;
}

static struct fill *limit_fill(struct machine *m)
{
    for (size_t i = 0; i < m->nfills; i++)
        if (m->fills[i].var == FILL_LIMIT)
            return &m->fills[i];
    fail_msg("no fill of a limit");
    return NULL;
}

/* An expression within an expression, n times over. */
static const struct expr *nested(struct arena *a, int n)
{
    const struct expr *x = &whole;
    for (; n > 0; n--) {
        struct expr *outer = ARENA_NEW(a, struct expr);
        *outer =
            (struct expr){.op = EXPR_IS_GIVEN, .nargs = 1, .arg = ARENA_ARRAY(a, const struct expr *, 1)};
        outer->arg[0] = x;
        x = outer;
    }
    return x;
}

static struct type *nested_type(struct arena *a, int n)
{
    struct type *t = ARENA_NEW(a, struct type);
    t->tag = TYPE_TEXT;
    for (; n > 0; n--) {
        struct type *outer = ARENA_NEW(a, struct type);
        *outer = (struct type){.tag = TYPE_LIST, .of = t};
        t = outer;
    }
    return t;
}

static const struct expr *of_op(struct arena *a, enum expr_op op, int index, int index2, size_t nargs,
                                const struct expr *arg)
{
    struct expr *x = ARENA_NEW(a, struct expr);
    *x = (struct expr){.op = op,
                       .index = index,
                       .index2 = index2,
                       .nargs = nargs,
                       .arg = ARENA_ARRAY(a, const struct expr *, 5)};
    for (int i = 0; i < 5; i++)
        x->arg[i] = arg;
    return x;
}

static struct document_part *part_of(struct arena *a, const struct expr *x, size_t end)
{
    struct document_part *part = ARENA_NEW(a, struct document_part);
    *part = (struct document_part){.value = x, .end = end};
    return part;
}

static const struct expr **just(struct arena *a, const struct expr *x)
{
    const struct expr **list = ARENA_ARRAY(a, const struct expr *, 4);
    list[0] = list[1] = list[2] = list[3] = x;
    return list;
}

static struct field *fields_copy(struct arena *a, const struct field *f, size_t n)
{
    return memcpy(ARENA_ARRAY(a, struct field, n), f, n * sizeof *f);
}

/* The event's first field becomes one of another type. */
static void retype(struct program *p, struct arena *a, const char *event, struct type type)
{
    struct kind *k = kind_of(p, event);
    struct field *f = fields_copy(a, k->fields, k->nfields);
    f[0].type = type;
    k->fields = f;
}

static void swap(void *x, void *y, size_t n)
{
    char kept[512];
    assert_true(n <= sizeof kept);
    memcpy(kept, x, n);
    memcpy(x, y, n);
    memcpy(y, kept, n);
}
#define SWAP(x, y) swap(&(x), &(y), sizeof(x))

/* ---- damages: what is said, and what is done to make it say so. Each on a program of its own; NULL: there
 * are no more. */

/* clang-format off */
#define TRY(said, ...) if (wanted-- == 0) { __VA_ARGS__; return said; }
typedef const char *damage(struct program *p, struct arena *a, int wanted);

static const char *roster_and_tables(struct program *p, struct arena *a, int wanted)
{
    TRY("units must ascend", p->units[0].id = S(""))
    TRY("units must ascend", SWAP(p->units[0], p->units[1]))
    TRY("role 99 of", p->units[0].roles[0] = 99)
    TRY("unit_type must be a record", p->unit_type.nfields--)
    TRY("its units were not indexed", p->role_holders = NULL)
    TRY("relation 99 of", p->relation_rows[0].relation = 99)
    TRY("unit -1 of", p->relation_rows[0].unit = -1)
    TRY("relations must ascend", SWAP(p->relation_rows[0], p->relation_rows[p->nrelation_rows - 1]))
    TRY("items: key column 99 of", p->tables[0].key_column = 99)
    TRY("items: type 99 of", struct field *f = fields_copy(a, p->tables[0].columns, p->tables[0].ncolumns); f[0].type.tag = 99; p->tables[0].columns = f)
    TRY("items: rows must be whole", SWAP(p->tables[0].rows[0], p->tables[0].rows[p->tables[0].nrows - 1]))
    TRY("items: rows must be whole", p->tables[0].rows[0].column = NULL)
    return NULL;
}

static const char *succeeding(struct program *p, struct arena *a, int wanted)
{
    (void)a;
    TRY("successions ascend by day", p->successions[0].nto = 0)
    TRY("successions ascend by day", p->successions[0].nfrom = 0)
    TRY("successions ascend by day", p->successions[0].heir[HEIR_OF_CASES] = S(""))
    TRY("successions ascend by day", p->successions[1].day = p->successions[0].day - 1)
    return NULL;
}

static const char *types_and_expressions(struct program *p, struct arena *a, int wanted)
{
    TRY("problem: table 99 of", retype(p, a, "problem", (struct type){.tag = TYPE_ROW, .table = 99}))
    TRY("problem: an enum without words", retype(p, a, "problem", (struct type){.tag = TYPE_ENUM}))
    TRY("problem: period kind 99 of", retype(p, a, "problem", (struct type){.tag = TYPE_PERIOD, .period_kind = 99}))
    TRY("problem: a list of nothing", retype(p, a, "problem", (struct type){.tag = TYPE_LIST}))
    TRY("problem: a type nested too deeply", retype(p, a, "problem", *nested_type(a, 17)))
    TRY("problem: type 99 of", struct type t = {.tag = TYPE_RECORD, .nfields = 1}; struct field *f = ARENA_NEW(a, struct field); f->type.tag = 99; t.fields = f; retype(p, a, "problem", t))
    TRY("nested too deeply", machine_of(p, "report")->timers[0].when = nested(a, EVAL_DEPTH_MAX))
    TRY("operation 999 of", machine_of(p, "report")->timers[0].when = of_op(a, 999, 0, 0, 0, NULL))
    TRY("with 5 arguments", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_NOT, 0, 0, 5, &whole))
    TRY("without argument 0", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_NOT, 0, 0, 1, NULL))
    TRY(BEYOND, machine_of(p, "report")->timers[0].when = of_op(a, EXPR_NOT, 0, 0, 1, &beyond))
    TRY("expression's index 99 of 4", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_KEY, 99, 0, 0, NULL))
    TRY("column 99 of", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_COLUMN, 0, 99, 1, &whole))
    TRY("expression's index 99 of", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_DUE_DAY, 99, 0, 1, &whole))
    TRY("expression's index 9 of", machine_of(p, "report")->timers[0].when = of_op(a, EXPR_UNIT_ATTR, 9, 0, 1, &whole))
    return NULL;
}

static const char *events_and_measures(struct program *p, struct arena *a, int wanted)
{
    TRY("the built-in kinds are missing", p->nkinds = KIND_DECLARED - 1)
    TRY("the built-in kinds come first", kind_of(p, "problem")->class_ = KIND_CLASS_BUILTIN)
    TRY("the built-in kinds come first", p->kinds[KIND_READING].class_ = KIND_CLASS_FACT)
    TRY("role 99 of", kind_of(p, "problem")->by[0] = 99)
    TRY("dated field 99 of", kind_of(p, "dispatch")->dated = 99)
    TRY(BEYOND, kind_of(p, "self-score")->refuse[0].if_ = &beyond)
    TRY("reminder: it needs a level", p->measures[0].level = 0)
    TRY("reminder: document 99 of", p->measures[0].document = 99)
    TRY(BEYOND, p->measures[0].to = just(a, &beyond))
    TRY("expressions are missing", p->measures[0].to = NULL)
    TRY(BEYOND, p->measures[0].copy = just(a, &beyond); p->measures[0].ncopy = 1)
    TRY(BEYOND, struct template_part *t = ARENA_NEW(a, struct template_part); t->value = &beyond; p->measures[0].body = (struct words){t, 1})
    TRY("issuer 99 of", p->ndocuments = 1; p->documents[0].issuer = 99)
    TRY(BEYOND, p->ndocuments = 1; p->documents[0].part = part_of(a, &beyond, 0); p->documents[0].nparts = 1)
    TRY(BEYOND, struct template_part *t = ARENA_NEW(a, struct template_part); t->value = &beyond; struct words *w = ARENA_NEW(a, struct words); *w = (struct words){t, 1}; p->ndocuments = 1; p->documents[0].attachment = w; p->documents[0].nattachments = 1)
    TRY("an each ends behind itself", p->ndocuments = 1; p->documents[0].part = part_of(a, NULL, 1); p->documents[0].nparts = 1)
    TRY("type 99 of", p->params = ARENA_NEW(a, struct param); p->params->type.tag = 99; p->nparams = 1)
    return NULL;
}

static const char *obligations(struct program *p, struct arena *a, int wanted)
{
    struct obligation *at_once = obligation_of(p, "at-once"), *tip = obligation_of(p, "tip-reply"),
                      *joint = obligation_of(p, "joint-inspection"), *score = obligation_of(p, "self-score"),
                      *plan = obligation_of(p, "lift-plan");
    TRY("at-once: machine 99 of", at_once->machine = 99)
    TRY("at-once: it needs a task's machine", at_once->machine = program_machine(p, S("rhythm")))
    TRY("joint-inspection: due 99 of", joint->due.kind = 99)
    TRY("joint-inspection: window 99 of", joint->due.window = 99)
    TRY("joint-inspection: day 31 of 31", joint->due.n = 32)
    TRY("joint-inspection: weekday 7 of 7", joint->due.kind = DUE_WEEKDAY; joint->due.n = 8)
    TRY("joint-inspection: workday 0", joint->due.kind = DUE_WORKDAY; joint->due.n = 0)
    TRY("joint-inspection: a recurrence rule is missing", joint->due.kind = DUE_RRULE)
    TRY("joint-inspection: due 99 of", joint->has_soft = true; joint->soft.kind = 99)
    TRY("joint-inspection: it needs a task's machine, and who owes it", joint->owed_by = NULL)
    TRY("joint-inspection: it needs a task's machine", joint->required = NULL)
    TRY(BEYOND, joint->owed_by = &beyond)
    TRY(BEYOND, joint->only_if = &beyond)
    TRY(BEYOND, plan->about_each = &beyond)
    TRY("at-once: counted kind 99 of", at_once->counts[0].kind = 99)
    TRY(BEYOND, at_once->counts[0].where = &beyond)
    TRY("at-once: birth 99 of", at_once->births[0].kind = 99)
    TRY("at-once: a birth needs who owes it", at_once->births[0].owed_by = NULL)
    TRY("at-once: a birth needs who owes it, and a due date", at_once->births[0].due = &whole)
    TRY("tip-reply: a birth needs who owes it, and a due date", tip->births[0].due = NULL)
    TRY(BEYOND, tip->births[0].where = &beyond)
    TRY(BEYOND, tip->births[0].owed_by = &beyond)
    TRY(BEYOND, tip->births[0].about = &beyond)
    TRY(BEYOND, tip->births[0].period = &beyond)
    TRY(BEYOND, tip->births[0].due = &beyond)
    TRY("tip-reply: role 99 of", tip->to[0] = 99)
    TRY("self-score: what files it 99 of", score->filed_by = 99)
    TRY("self-score: what files it is a declared event", score->filed_by = program_kind(p, S("dispatch")))
    TRY("self-score: what files it is a declared event", score->filed_by = KIND_ACCEPTED)
    TRY(BEYOND, score->filed_period = &beyond)
    TRY("lift-plan: what it refuses has other fields", plan->kind_filed = KIND_SUBMITTED)
    TRY("lift-plan: what it refuses has other fields", plan->kind_filed = 99)
    TRY(BEYOND, plan->refuse[0].if_ = &beyond)
    TRY("quarter-opens: raised event 99 of", p->schedules[0].kind = 99)
    TRY("quarter-opens: due 99 of", p->schedules[0].at.kind = 99)
    TRY("quarter-opens: role 99 of", p->schedules[0].for_roles[0] = 99)
    TRY("quarter-opens: a schedule recurs", p->schedules[0].each = PERIOD_ONCE)
    TRY("quarter-opens: a schedule recurs, and its day begins", p->schedules[0].at.exclusive = false)
    TRY("a task is borne of an obligation that rules bear", action_of(p, ACTION_TASK)->unit = NULL)
    TRY("a task is borne of an obligation that rules bear", action_of(p, ACTION_TASK)->index = program_obligation(p, S("errand")))
    TRY("a task is borne of an obligation that rules bear", obligation_of(p, "mend")->due.kind = DUE_END)
    TRY(BEYOND, action_of(p, ACTION_TASK)->about = &beyond)
    TRY(BEYOND, action_of(p, ACTION_TASK)->unit = &beyond)
    TRY(BEYOND, action_of(p, ACTION_TASK)->due = &beyond)
    TRY(BEYOND, action_of(p, ACTION_TASK)->period = &beyond)
    (void)a;
    return NULL;
}

static const char *machines(struct program *p, struct arena *a, int wanted)
{
    struct machine *report = machine_of(p, "report"), *conduct = machine_of(p, "conduct");
    struct state_body *body = body_with_rules(report);
    TRY("the generator is the first machine", p->machines[0].of = MACHINE_PLAIN)
    TRY("the generator is the first machine", conduct->of = MACHINE_GENERATOR)
    TRY("a generator has one timer", p->machines[0].ntimers = 0)
    TRY("conduct: its key has too few or too many", conduct->nkey = KEY_PARTS_MAX + 1)
    TRY("report: its key has too few or too many parts, or its variables no start", report->var_start = NULL)
    TRY("conduct: key part of the unit 5 of", conduct->unit_key = 5)
    TRY("conduct: type 99 of", conduct->key[0].type.tag = 99)
    TRY("conduct: initial state 99 of", conduct->initial = 99)
    TRY("conduct: group 99 of", conduct->states[0].group = 99)
    TRY("conduct: timer 99 of", int *t = ARENA_NEW(a, int); *t = 99; conduct->states[0].body.timers = t; conduct->states[0].body.ntimers = 1)
    TRY(BEYOND, conduct->timers[0].when = &beyond)
    TRY("report: kind 99 of", body->rules[0].kind = 99)
    TRY("report: timer 99 of", body->rules[0].kind = KIND_TIMER; body->rules[0].timer = 99)
    TRY("report: state 99 of", body->rules[0].go = 99)
    TRY(BEYOND, body->rules[0].if_ = &beyond)
    TRY("report: action 99 of", body->rules[0].actions = ARENA_NEW(a, struct action); body->rules[0].actions->op = 99; body->rules[0].nactions = 1)
    TRY("report: action's index 99 of", report->any_state.rules = ARENA_NEW(a, struct rule); report->any_state.nrules = 1; struct action *x = ARENA_NEW(a, struct action); x->index = 99; report->any_state.rules->actions = x; report->any_state.rules->nactions = 1)
    TRY("report: action's index 99 of", report->groups = ARENA_NEW(a, struct group); report->ngroups = 1; struct action *x = ARENA_NEW(a, struct action); x->index = 99; report->groups->body.leave = x; report->groups->body.nleave = 1)
    TRY("conduct: action's index 99 of", struct state *s = &conduct->states[machine_state(conduct, S("circulated"))]; s->body.enter[0].index = 99)
    TRY("conduct: a timer is set to nothing", struct state *s = &conduct->states[machine_state(conduct, S("circulated"))]; s->body.enter[0] = (struct action){.op = ACTION_TIMER})
    TRY("conduct: a limit is set to nothing", struct state *s = &conduct->states[machine_state(conduct, S("circulated"))]; s->body.enter[0] = (struct action){.op = ACTION_LIMIT})
    TRY("conduct: 3 expressions are missing", struct state *s = &conduct->states[machine_state(conduct, S("circulated"))]; s->body.enter[0] = (struct action){.op = ACTION_RAISE, .index = program_kind(p, S("deduction"))})
    TRY("conduct: kind 99 of", conduct->reach[0].kind = 99)
    TRY(BEYOND, conduct->reach[0].where = &beyond)
    TRY(BEYOND, conduct->reach[0].key = just(a, &beyond))
    TRY("conduct: what an event gives birth to has a whole key", conduct->reach[0].key = just(a, NULL))
    TRY("conduct: kind 99 of", conduct->counts[0].kind = 99)
    TRY(BEYOND, conduct->counts[0].if_ = &beyond)
    TRY("conduct: kind 99 of", conduct->latest = ARENA_NEW(a, struct latest_def); conduct->latest->kind = 99; conduct->nlatest = 1)
    TRY("conduct: field 99 of", static int f[] = {-1, 99}; conduct->latest = ARENA_NEW(a, struct latest_def); *conduct->latest = (struct latest_def){program_kind(p, S("deduction")), f, 2}; conduct->nlatest = 1)
    TRY("conduct: latest field 7 of 1", static int f[] = {-1}; conduct->latest = ARENA_NEW(a, struct latest_def); *conduct->latest = (struct latest_def){program_kind(p, S("deduction")), f, 1}; conduct->nlatest = 1; conduct->timers[0].when = of_op(a, EXPR_LATEST, 0, 7, 0, NULL))
    TRY("conduct: a let without a value", conduct->lets = ARENA_NEW(a, struct let); conduct->nlets = 1)
    return NULL;
}

static const char *tallies(struct program *p, struct arena *a, int wanted)
{
    struct tally *t = &p->tallies[program_tally(p, S("monthly"))];
    struct machine *m = &p->machines[t->machine];
    TRY("monthly: machine 99 of", t->machine = 99)
    TRY("monthly: its machine is not one of a tally", t->machine = program_machine(p, S("claim")))
    TRY("monthly: its machine's variables are not those of a tally", m->vars[TALLY_TOTAL].name = S("sum"))
    TRY("monthly: its machine's variables are not those of a tally", m->var_start[TALLY_ENTRIES].tag = VALUE_NA)
    TRY("monthly: role 99 of", t->of[0] = 99)
    TRY("monthly: kind 99 of", t->feeds[0].kind = 99)
    TRY("monthly: item 99 of", t->feeds[0].fixed_item = 99)
    TRY("monthly: nothing is credited", t->feeds[0].points = NULL)
    TRY(BEYOND, t->feeds[0].reason = &beyond)
    TRY("monthly: kind of a column 99 of", t->self.kind = 99)
    TRY("monthly: stated total 99 of", t->self.total = 99)
    TRY("monthly: lines 99 of", t->self.lines = 99)
    TRY("monthly: a column whose lines are no records", t->self.lines = t->self.total)
    TRY("monthly: item of a line 2 of 2", t->self.item = 2)
    TRY("monthly: points of a line -1 of", t->review.points = -1)
    TRY("monthly: reason of a line 99 of", t->review.reason = 99)
    TRY("monthly: closing kind 99 of", t->closes_kind = 99)
    TRY("monthly: kind when closed 99 of", t->kind_closed = 99)
    TRY("monthly: what its closing raises has other fields", p->kinds[t->kind_closed].nfields--)
    TRY("monthly: places 11 of", t->round = 11)
    TRY(BEYOND, t->closes_where = &beyond)
    TRY(BEYOND, t->items[0].cap = &beyond)
    TRY(BEYOND, t->items[0].floor = &beyond)
    TRY(BEYOND, t->items[0].value = &beyond)
    TRY(BEYOND, t->total = &beyond)
    TRY("item 99 of", action_of(p, ACTION_SCORE)->index2 = 99)
    TRY("a score of nothing, or for nobody", action_of(p, ACTION_SCORE)->value = NULL)
    TRY("a score of nothing, or for nobody", action_of(p, ACTION_SCORE)->unit = NULL)
    TRY(BEYOND, action_of(p, ACTION_SCORE)->reason = &beyond)
    TRY("counties: tally 99 of", p->rankings[0].tally = 99)
    TRY("counties: role 99 of", p->rankings[0].of_roles[0] = 99)
    TRY("counties: kind of an entry 99 of", p->rankings[0].kind_entry = 99)
    TRY("counties: kind of the list 99 of", p->rankings[0].kind_list = 99)
    TRY("counties: the fields of its entry", p->kinds[p->rankings[0].kind_entry].nfields--)
    TRY("ranking 99 of", p->kinds[p->rankings[0].kind_entry].ranking = 99)
    TRY(BEYOND, p->rankings[0].tail = &beyond)
    (void)a;
    return NULL;
}

static const char *ledgers_and_readings(struct program *p, struct arena *a, int wanted)
{
    struct machine *rows = machine_of(p, "rectify");
    TRY("rectify: kind 99 of", rows->fills[0].kind = 99)
    TRY(BEYOND, rows->fills[0].if_ = &beyond)
    TRY(BEYOND, rows->fills[0].value = &beyond)
    TRY("rectify: variable 99 of", rows->fills[0].var = 99)
    TRY("rectify: a limit is filled with nothing", limit_fill(rows)->value = NULL)
    TRY(BEYOND, rows->unit = &beyond)
    TRY("a collection needs a machine", p->collections[0].nmachines = 0)
    TRY("a collection needs a machine, and rows that are records", p->collections[0].row.tag = TYPE_TEXT)
    TRY("machine 99 of", p->collections[0].machines[0].machine = 99)
    TRY("its rows do not begin with the key", p->collections[0].row.nfields = 0)
    TRY("column 99 of", column_of(p, COLUMN_KEY)->source = 99)
    TRY("what a column shows 99 of", column_of(p, COLUMN_KEY)->index = 99)
    TRY("what a column shows 99 of", column_of(p, COLUMN_VAR)->index = 99)
    TRY("a key with too many parts", p->measures[0].to = just(a, of_op(a, EXPR_AT, 0, 0, KEY_PARTS_MAX, &whole)))
    return NULL;
}

static const char *readings(struct program *p, struct arena *a, int wanted)
{
    (void)a;
    TRY("code-share: role 99 of", p->indicators[0].by[0] = 99)
    TRY("code-share: period kind 99 of", p->indicators[0].period = 99)
    TRY("code-share: target 99 of", p->indicators[0].target = 99)
    TRY(BEYOND, p->indicators[0].owed_by = &beyond)
    TRY("nothing keeps readings", p->readings = 0)
    TRY("machine of readings 99 of", p->readings = 99)
    TRY("the fields of a reading", p->kinds[KIND_READING].nfields = READING_FIELDS - 1)
    return NULL;
}

static const char *instances(struct program *p, struct arena *a, int wanted)
{
    TRY("tasks: obligation 99 of", for (size_t i = 0; i < p->ncollections; i++) if (p->collections[i].nobligations) p->collections[i].obligations[0] = 99)
    TRY("circular-at: versions must ascend", struct param *of = &p->params[0]; of->versions = ARENA_ARRAY(a, struct param_version, 2); of->nversions = 2)
    TRY("measure 99 of", marked(p)->issued_marks[0].measure = 99)
    TRY("mark 99 of", marked(p)->issued_marks[0].var = 99)
    TRY("machine of what was issued 99 of", p->issued = 99)
    TRY("the variables of what was issued", p->machines[p->issued].nvars = ISSUED_VARS + 1)
    TRY("expression's index 99 of", p->measures[0].to = just(a, of_op(a, EXPR_AT, 99, 0, 1, &whole)))
    return NULL;
}
/* clang-format on */

/* ---- */

static void every_damage_is_found(void **state)
{
    static const struct {
        const char *folder;
        damage *damage;
    } part[] = {
        {"births", roster_and_tables},
        {"successions", succeeding},
        {"births", types_and_expressions},
        {"births", events_and_measures},
        {"births", obligations},
        {"successions", machines},
        {"tally", tallies},
        {"ledger", ledgers_and_readings},
        {"readings", readings},
        {"instances", instances},
    };
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        for (int n = 0;; n++) {
            struct folder *f = folder_good(part[i].folder);
            const char *said = part[i].damage(f->program, f->arena, n);
            struct err e = {{0}};
            if (said && (program_check(f->program, &e) || !strstr(e.text, said)))
                print_message("%s, damage %d: said “%s”, wanted “%s”\n", part[i].folder, n, e.text, said),
                    wrong++;
            folder_free(f);
            if (!said)
                break;
        }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_damage_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
