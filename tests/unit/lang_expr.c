/* Expressions: text → typed core expressions, and what is said of those that are wrong. */
#include "lang_support.h"

/* ---- a program to name things of */

static const struct slice level_words[] = {{"first", 5}, {"second", 6}, {"county", 6}};
static const struct slice call_words[] = {{"组长调度", 12}, {"优环办调度", 15}, {"office", 6}};
static const struct slice status_words[] = {{"已落实", 9}, {"还未落实", 12}};
static const struct type unit_of = {.tag = TYPE_UNIT};
static const struct type text_of = {.tag = TYPE_TEXT};

static const struct field indicator_columns[] = {
    {{"id", 2}, {.tag = TYPE_TEXT}},
    {{"level", 5}, {.tag = TYPE_ENUM, .words = level_words, .nwords = 3}},
    {{"taskforce", 9}, {.tag = TYPE_UNIT}},
    {{"weight", 6}, {.tag = TYPE_NUMBER}},
};
static const struct field task_columns[] = {{{"id", 2}, {.tag = TYPE_TEXT}},
                                            {{"taskforce", 9}, {.tag = TYPE_UNIT}}};
static const struct field item_fields[] = {
    {{"item", 4}, {.tag = TYPE_TEXT}},
    {{"status", 6}, {.tag = TYPE_ENUM, .words = status_words, .nwords = 2}},
    {{"reason", 6}, {.tag = TYPE_TEXT, .optional = true}},
    {{"points", 6}, {.tag = TYPE_NUMBER}},
};
static const struct type item_type = {.tag = TYPE_RECORD, .fields = item_fields, .nfields = 4};
static const struct field ranked_fields[] = {
    {{"indicator", 9}, {.tag = TYPE_ROW, .table = 0}},
    {{"period", 6}, {.tag = TYPE_PERIOD, .period_kind = PERIOD_QUARTER}},
    {{"rank", 4}, {.tag = TYPE_NUMBER}},
    {{"places", 6}, {.tag = TYPE_NUMBER}},
    {{"tied", 4}, {.tag = TYPE_NUMBER}},
    {{"low", 3}, {.tag = TYPE_YESNO}},
    {{"last", 4}, {.tag = TYPE_YESNO}},
    {{"middle", 6}, {.tag = TYPE_NUMBER}},
};
static const struct field call_fields[] = {
    {{"held", 4}, {.tag = TYPE_DATE}},
    {{"chair", 5}, {.tag = TYPE_UNIT}},
    {{"of", 2}, {.tag = TYPE_SET, .of = &unit_of}},
    {{"kind", 4}, {.tag = TYPE_ENUM, .words = call_words, .nwords = 3}},
    {{"items", 5}, {.tag = TYPE_LIST, .of = &item_type}},
    {{"month", 5}, {.tag = TYPE_PERIOD, .period_kind = PERIOD_MONTH}},
    {{"limit", 5}, {.tag = TYPE_DATE, .optional = true}},
};
static const struct field unit_row[] = {
    {{"id", 2}, {.tag = TYPE_UNIT}},
    {{"title", 5}, {.tag = TYPE_TEXT}},
    {{"kind", 4}, {.tag = TYPE_TEXT}},
    {{"role", 4}, {.tag = TYPE_SET, .of = &text_of}},
};
enum { RANKED = KIND_DECLARED, CALLED };
enum { CARD = 1, DUTY };

static struct program *program_new(struct arena *a)
{
    static const struct slice roles[] = {{"office", 6}, {"taskforce", 9}, {"bureau", 6}};
    static const struct slice relations[] = {{"lead", 4}, {"lead-leader", 11}, {"superior", 8}};
    struct program *p = ARENA_NEW(a, struct program);

    p->roles = memcpy(arena_alloc(a, sizeof roles), roles, sizeof roles);
    p->nroles = 3;
    p->relations = memcpy(arena_alloc(a, sizeof relations), relations, sizeof relations);
    p->nrelations = 3;
    p->unit_type = (struct type){.tag = TYPE_RECORD, .fields = unit_row, .nfields = 4};
    p->tables = ARENA_ARRAY(a, struct table, 2);
    p->tables[0] = (struct table){
        .name = S("indicators"), .row = S("indicator"), .columns = indicator_columns, .ncolumns = 4};
    p->tables[1] =
        (struct table){.name = S("tasks"), .row = S("listed-task"), .columns = task_columns, .ncolumns = 2};
    p->ntables = 2;
    p->params = ARENA_ARRAY(a, struct param, 4);
    p->params[0] = (struct param){.name = S("tail"), .type = {.tag = TYPE_NUMBER}};
    p->params[1] = (struct param){.name = S("needs"), .type = {.tag = TYPE_TEXT}};
    p->params[2] = (struct param){.name = S("within"), .type = {.tag = TYPE_DURATION}};
    p->params[3] = (struct param){.name = S("yellow-at"), .type = {.tag = TYPE_NUMBER}};
    p->nparams = 4;
    p->kinds = ARENA_ARRAY(a, struct kind, KIND_DECLARED + 2);
    for (size_t i = 0; i < KIND_DECLARED; i++)
        p->kinds[i].name = S("built in");
    p->kinds[RANKED].name = S("ranked");
    p->kinds[CALLED].name = S("dispatch");
    p->kinds[RANKED].class_ = KIND_CLASS_RANKING_ENTRY;
    p->kinds[RANKED].fields = ranked_fields;
    p->kinds[RANKED].nfields = 8;
    p->kinds[CALLED].class_ = KIND_CLASS_FACT;
    p->kinds[CALLED].fields = call_fields;
    p->kinds[CALLED].nfields = 7;
    p->nkinds = KIND_DECLARED + 2;
    p->machines = ARENA_ARRAY(a, struct machine, 3);
    p->nmachines = 3;
    return p;
}

static void card_make(struct arena *a, struct machine *m)
{
    m->name = S("card");
    m->key[0] = (struct field){S("unit"), {.tag = TYPE_UNIT}};
    m->key[1] = (struct field){S("subject"), {.tag = TYPE_TEXT}};
    m->nkey = 2;
    m->vars = ARENA_ARRAY(a, struct field, 3);
    m->vars[0] = (struct field){S("rectified"), {.tag = TYPE_INSTANT, .optional = true}};
    m->vars[1] = (struct field){S("in-time"), {.tag = TYPE_YESNO}};
    m->vars[2] = (struct field){S("degree"), {.tag = TYPE_ENUM, .words = level_words, .nwords = 3}};
    m->nvars = 3;
    m->counts = ARENA_ARRAY(a, struct count_def, 1);
    m->counts[0].name = S("low");
    m->ncounts = 1;
    m->lets = ARENA_ARRAY(a, struct let, 5);
    m->lets[0].name = S("risen");
    m->lets[1].name = S("twice");
    m->lets[2].name = S("round-a");
    m->lets[3].name = S("round-b");
    m->lets[4].name = S("wrong");
    m->nlets = 5;
}

struct fixture {
    struct bench *bench;
    struct build build; /* what a compiler stands in */
    struct scope scope;
    struct yaml *root;
    struct let_source lets[5];
};

/* The document's `x` is the expression; lets stand beside it. */
static struct fixture *fixture_new(const char *text, int kind, int machine)
{
    static const char *const let[] = {"risen", "twice", "round-a", "round-b", "wrong"};
    struct slice yaml = {0};
    struct bench *b = bench_new("t.yaml", S(""));
    struct fixture *f = ARENA_NEW(b->arena, struct fixture);

    yaml = arena_printf(
        b->arena,
        "x: %s\nrisen: latest(ranked).rank ≤ latest(ranked).middle and latest(ranked).received > since\n"
        "twice: low × 2\nround-a: round-b + 1\nround-b: round-a + 1\nwrong: low +\n",
        text);
    b->file.content = yaml;
    f->bench = b;
    f->build.c = (struct compiler){.arena = b->arena, .diags = &b->diags, .program = program_new(b->arena)};
    card_make(b->arena, &f->build.c.program->machines[CARD]);
    f->root = yaml_parse(&b->file, &b->diags);
    assert_non_null(f->root);
    for (size_t i = 0; i < 5; i++)
        f->lets[i] = (struct let_source){slice_of(let[i]), yaml_get(f->root, let[i])};
    f->scope = (struct scope){.c = &f->build.c, .kind = kind, .lets = f->lets, .nlets = 5};
    if (machine == CARD)
        f->scope.machine = &f->build.c.program->machines[CARD];
    f->scope.in_task = machine == DUTY;
    return f;
}

/* ---- expressions as text */

static const char *const op_name[] = {
    [EXPR_CONST] = "",
    [EXPR_PARAM] = "param",
    [EXPR_EVENT] = "event",
    [EXPR_EVENT_META] = "event-meta",
    [EXPR_KEY] = "key",
    [EXPR_VAR] = "var",
    [EXPR_COUNT] = "count",
    [EXPR_LATEST] = "latest",
    [EXPR_LET] = "let",
    [EXPR_META] = "meta",
    [EXPR_OBLIGATION] = "duty",
    [EXPR_ROW_FIELD] = "field",
    [EXPR_ROW] = "it",
    [EXPR_UNIT_ATTR] = "attr",
    [EXPR_ROLE] = "role",
    [EXPR_RELATION] = "relation",
    [EXPR_COLUMN] = "column",
    [EXPR_IS_ROW] = "is-row",
    [EXPR_IS_MISSING] = "missing",
    [EXPR_IS_GIVEN] = "given",
    [EXPR_NOT] = "not",
    [EXPR_AND] = "and",
    [EXPR_OR] = "or",
    [EXPR_IF] = "if",
    [EXPR_EQ] = "=",
    [EXPR_NE] = "≠",
    [EXPR_LT] = "<",
    [EXPR_LE] = "≤",
    [EXPR_GT] = ">",
    [EXPR_GE] = "≥",
    [EXPR_IN] = "in",
    [EXPR_HAS] = "has",
    [EXPR_ADD] = "+",
    [EXPR_SUB] = "-",
    [EXPR_MUL] = "×",
    [EXPR_DIV] = "÷",
    [EXPR_NEG] = "neg",
    [EXPR_ROUND] = "round",
    [EXPR_CEIL] = "ceil",
    [EXPR_FLOOR] = "floor",
    [EXPR_MIN] = "min",
    [EXPR_MAX] = "max",
    [EXPR_BEFORE] = "before",
    [EXPR_AFTER] = "after",
    [EXPR_PERIOD_OF] = "to",
    [EXPR_PREVIOUS] = "prev",
    [EXPR_NEXT] = "next",
    [EXPR_LIST] = "list",
    [EXPR_UNITS] = "units",
    [EXPR_TABLE_ROWS] = "rows",
    [EXPR_WHERE] = "where",
    [EXPR_QUANT_COUNT] = "how-many",
    [EXPR_QUANT_ANY] = "any",
    [EXPR_QUANT_ALL] = "all",
    [EXPR_QUANT_SUM] = "sum",
    [EXPR_QUANT_MEAN] = "mean",
    [EXPR_MAP] = "map",
    [EXPR_INSTANCES] = "instances",
    [EXPR_AT] = "at",
    [EXPR_FIELD] = "part",
    [EXPR_DUE_DAY] = "due-day",
    [EXPR_START_OF] = "start-of",
    [EXPR_END_OF] = "end-of",
};

/* (op index.index2 args…): indices where the operation has one. */
static struct slice show(struct arena *a, const struct expr *x)
{
    struct slice out = {0};
    bool indexed = (x->op >= EXPR_PARAM && x->op <= EXPR_META) || x->op == EXPR_OBLIGATION ||
                   x->op == EXPR_ROW_FIELD || x->op == EXPR_UNIT_ATTR || x->op == EXPR_ROLE ||
                   x->op == EXPR_RELATION || x->op == EXPR_COLUMN || x->op == EXPR_IS_ROW ||
                   x->op == EXPR_PERIOD_OF || x->op == EXPR_TABLE_ROWS;

    if (x->op == EXPR_CONST)
        return value_format(a, &x->constant, NULL);
    out = arena_printf(a, "(%s", op_name[x->op]);
    if (indexed)
        out = arena_printf(a, "%.*s %d", SLICE_ARG(out), x->index);
    if (x->index2 > 0)
        out = arena_printf(a, "%.*s.%d", SLICE_ARG(out), x->index2);
    for (size_t i = 0; i < x->nargs; i++) {
        struct slice arg = x->arg[i] != NULL ? show(a, x->arg[i]) : S("any");

        out = arena_printf(a, "%.*s %.*s", SLICE_ARG(out), SLICE_ARG(arg));
    }
    return arena_printf(a, "%.*s)", SLICE_ARG(out));
}

static const struct expr *compile(struct fixture *f, const struct type *want)
{
    return expr_compile(&f->scope, yaml_get(f->root, "x"), want);
}

static void good(const char *text, int kind, int machine, const struct type *want, const char *type,
                 const char *shown)
{
    struct fixture *f = fixture_new(text, kind, machine);
    const struct expr *x = compile(f, want);

    if (x == NULL)
        fail_msg("%s: %s", text, bench_told(f->bench));
    assert_slice(show(f->bench->arena, x), shown);
    assert_slice(type_format(f->bench->arena, &x->type), type);
    assert_int_equal(f->bench->diags.n, 0);
    bench_free(f->bench);
}

static void bad(const char *text, int kind, int machine, const struct type *want, const char *told)
{
    struct fixture *f = fixture_new(text, kind, machine);

    assert_null(compile(f, want));
    assert_true(f->bench->diags.errors > 0);
    assert_told(f->bench, told);
    bench_free(f->bench);
}

static const struct type yesno = {.tag = TYPE_YESNO}, number = {.tag = TYPE_NUMBER},
                         unit_set = {.tag = TYPE_SET, .of = &unit_of};

/* ---- what is right */

static void operators_bind_as_people_read(void **state)
{
    (void)state;
    good("1 + 2 × 3 - 4", -1, 0, NULL, "number", "(- (+ 1 (× 2 3)) 4)");
    good("(1 + 2) * 3 / 4", -1, 0, NULL, "number", "(÷ (× (+ 1 2) 3) 4)");
    good("-3 + 70%", -1, 0, NULL, "number", "(+ -3 0.7)");
    good("not 1 < 2 and 3 >= 2 or 1 != 2", -1, 0, &yesno, "yes-no",
         "(or (and (not (< 1 2)) (≥ 3 2)) (≠ 1 2))");
    good("if 1 = 2 then 3 else if 2 ≠ 2 then 4 else 5", -1, 0, NULL, "number",
         "(if (= 1 2) 3 (if (≠ 2 2) 4 5))");
    good("ceil(5 ÷ 2) + round(1, 2) + floor(2.5)", -1, 0, NULL, "number",
         "(+ (+ (ceil (÷ 5 2)) (round 1 2)) (floor 2.5))");
    good("min(1, 2, 3) = max([1, 2])", -1, 0, NULL, "optional yes-no", "(= (min 1 2 3) (max (list 1 2)))");
    good("1 ÷ params.tail", -1, 0, NULL, "optional number", "(÷ 1 (param 0))");
    good("「a」 = 「b」", -1, 0, NULL, "yes-no", "(= a b)");
    good("yes and not no", -1, 0, NULL, "yes-no", "(and yes (not no))");
}

static void names_follow_the_scope(void **state)
{
    (void)state;
    good("event.low and low ≥ params.yellow-at", RANKED, CARD, &yesno, "yes-no",
         "(and (event 5) (≥ (count 0) (param 3)))");
    good("event.by in lead of subject", RANKED, CARD, &yesno, "yes-no",
         "(has (relation 0 (key 1)) (event-meta 1))");
    good("event.unit", CALLED, CARD, NULL, "unit", "(event-meta 1)");
    good("event.kind = 优环办调度", CALLED, CARD, &yesno, "yes-no", "(= (event 3) 优环办调度)");
    good("优环办调度 = event.kind", CALLED, CARD, &yesno, "yes-no", "(= 优环办调度 (event 3))");
    good("event.kind in [组长调度, office]", CALLED, CARD, &yesno, "yes-no",
         "(has (list 组长调度 office) (event 3))");
    good("event.kind = office", CALLED, CARD, &yesno, "yes-no",
         "(= (event 3) office)"); /* the word, not the role */
    good("event.of has about and unit = event.chair", CALLED, DUTY, &yesno, "optional yes-no",
         "(and (has (event 2) (key 3)) (= (key 2) (event 1)))");
    good("unit in office", -1, CARD, &yesno, "yes-no", "(has (role 0) (key 0))");
    good("office in event.of", CALLED, CARD, &yesno, "yes-no", "(has (event 2) (role 0))"); /* any of them */
    good("unit not in office", -1, CARD, &yesno, "yes-no", "(not (has (role 0) (key 0)))");
    good("subject is not indicator", -1, CARD, &yesno, "yes-no", "(not (is-row 0 (key 1)))");
    good("rectified is given and rectified < limit", -1, CARD, &yesno, "optional yes-no",
         "(and (given (var 0)) (< (var 0) (meta 3)))");
    good("event.held > event.received", CALLED, 0, &yesno, "yes-no", "(> (event 0) (event-meta 0))");
    good("if params.needs = any then yes else no", -1, CARD, &yesno, "yes-no",
         "(if (= (param 1) any) yes no)");
    good("event.period = 2024Q1 and year of event.period = 2024", RANKED, CARD, &yesno, "yes-no",
         "(and (= (event 1) 2024Q1) (= (to 6 (event 1)) 2024))");
    good("event.month in 2024", CALLED, CARD, &yesno, "yes-no", "(has 2024 (event 5))");
    good("params.tail × 2", -1, 0, &number, "number", "(× (param 0) 2)");
}

static void rosters_and_tables_are_looked_up(void **state)
{
    (void)state;
    good("each lead of event.indicator", RANKED, CARD, &unit_set, "set of unit", "(relation 0 (event 0))");
    good("lead-leader of taskforce of event.indicator", RANKED, CARD, &unit_set, "set of unit",
         "(relation 1 (column 0.2 (event 0)))");
    /* A text may be a key of either table. */
    good("lead-leader of taskforce of subject", -1, CARD, &unit_set, "set of unit",
         "(relation 1 (if (is-row 0 (key 1)) (column 0.2 (key 1)) (column 1.1 (key 1))))");
    good("level of subject = first", -1, CARD, &yesno, "optional yes-no", "(= (column 0.1 (key 1)) first)");
    good("event.indicator.level = first", RANKED, CARD, &yesno, "optional yes-no",
         "(= (column 0.1 (event 0)) first)");
    good("office", -1, 0, &unit_set, "set of unit", "(role 0)");
    good("unit", -1, CARD, &unit_set, "set of unit", "(list (key 0))");
    good("([unit, event.chair])", CALLED, CARD, &unit_set, "set of unit", "(list (key 0) (event 1))");
    good("unit.head", -1, CARD, NULL, "optional text", "(attr 2 (key 0))");
    good("office.liaison", -1, CARD, NULL, "set of optional text", "(attr 1 (role 0))");
    good("unit.roles has office", -1, CARD, &yesno, "yes-no", "(has (attr 4 (key 0)) office)");
    good("count(units where role = taskforce) = 11", -1, 0, &yesno, "yes-no",
         "(= (how-many (where (units) (has (field 3) taskforce))) 11)");
    good("count(units where it.role in [office, bureau])", -1, 0, NULL, "number",
         "(how-many (where (units) (has (field 3) (list office bureau))))");
    good("count(units where role not in [office])", -1, 0, NULL, "number",
         "(how-many (where (units) (not (has (field 3) (list office)))))");
    good("count(units where role ≠ taskforce)", -1, 0, NULL, "number",
         "(how-many (where (units) (not (has (field 3) taskforce))))");
    good("count(indicators where level = first and weight > 1) > 3", -1, 0, &yesno, "yes-no",
         "(> (how-many (where (rows 0) (and (= (field 1) first) (> (field 3) 1)))) 3)");
    good("each of indicators", -1, 0, NULL, "set of key of a table", "(map (rows 0) (field 0))");
    good("each of units where role has office", -1, 0, &unit_set, "set of unit",
         "(map (where (units) (has (field 3) office)) (field 0))");
}

static void rows_are_bound(void **state)
{
    (void)state;
    good("any(event.items where status = 还未落实 and reason is missing)", CALLED, CARD, &yesno, "yes-no",
         "(any (where (event 4) (and (= (field 1) 还未落实) (missing (field 2)))))");
    good("any(event.of where it in lead-leader of unit)", CALLED, CARD, &yesno, "yes-no",
         "(any (where (event 2) (has (relation 1 (key 0)) (it))))");
    good("all(event.items where points > 0)", CALLED, CARD, &yesno, "optional yes-no",
         "(all (event 4) (> (field 3) 0))");
    good("sum(points of event.items where status = 已落实)", CALLED, CARD, NULL, "number",
         "(sum (map (where (event 4) (= (field 1) 已落实)) (field 3)))");
    good("mean(event.items.points)", CALLED, CARD, NULL, "optional number",
         "(mean (map (event 4) (field 3)))");
    good("max(event.items.points where points < 3)", CALLED, CARD, NULL, "optional number",
         "(max (map (where (event 4) (< (field 3) 3)) (field 3)))");
    good("count(lead of unit where it in office and it.head is given)", -1, CARD, NULL, "number",
         "(how-many (where (relation 0 (key 0)) (and (has (role 0) (it)) (given (attr 2 (it))))))");
    /* The inner row's names hide the outer's; the outer's are a binder further out. */
    good("any(event.items where count(indicators where weight = points and this.unit = taskforce) = 0)",
         CALLED, CARD, NULL, "yes-no",
         "(any (where (event 4) (= (how-many (where (rows 0) (and (= (field 3) (field 3.1)) (= (key 0) "
         "(field 2))))) 0)))");
}

static void instances_are_looked_up(void **state)
{
    (void)state;
    good("any(card where unit = this.unit and low > 2)", -1, CARD, &yesno, "yes-no",
         "(any (where (instances (key 0) any) (and (= (field 0) (key 0)) (> (field 5) 2))))");
    /* What is lifted out of a binder counts one binder less. */
    good("any(event.items where any(card where subject = item))", CALLED, CARD, &yesno, "yes-no",
         "(any (where (event 4) (any (where (instances any (field 0)) (= (field 1) (field 0.1))))))");
    good("unit of card where low > 2", -1, CARD, &unit_set, "set of unit",
         "(map (where (instances) (> (field 5) 2)) (field 0))");
    good("low of card[unit, 「a」]", -1, CARD, NULL, "optional number", "(part (at (key 0) a))");
    good("card[unit, subject].degree = first", -1, CARD, &yesno, "optional yes-no",
         "(= (part (at (key 0) (key 1))) first)");
}

static void moments_and_periods(void **state)
{
    (void)state;
    good("at due", -1, DUTY, NULL, "optional instant", "(meta 1)");
    good("each of obligation.remind before due", -1, DUTY, NULL, "optional list of instant",
         "(before (duty 0) (meta 1))");
    good("later of due, obligation.return-grace after entry", -1, DUTY, NULL, "optional instant",
         "(max (meta 1) (after (duty 3) (meta 0)))");
    good("30d after event.held", CALLED, CARD, NULL, "date", "(after 30d (event 0))");
    good("5 workdays before 2024-03-29", -1, 0, NULL, "date", "(before 5 workdays 2024-03-29)");
    good("quarter of previous(event.month)", CALLED, 0, NULL, "quarter", "(to 4 (prev (event 5)))");
    good("3d after end-of(event.held)", CALLED, 0, NULL, "instant", "(after 3d (end-of (event 0)))");
    good("start-of(month of now)", -1, 0, NULL, "instant", "(start-of (to 3 (meta 4)))");
    good("event.held + 3d", CALLED, 0, NULL, "date", "(+ (event 0) 3d)");
    good("event.held - 2024-01-01 > 3", CALLED, 0, &yesno, "yes-no", "(> (- (event 0) 2024-01-01) 3)");
    good("at measure.limit", -1, CARD, NULL, "optional instant", "(meta 3)");
    good("month of now", -1, 0, NULL, "month", "(to 3 (meta 4))");
}

static void latest_and_lets(void **state)
{
    struct fixture *f = fixture_new(
        "risen and twice > 2 and latest(ranked).low and latest(ranked).received > since", -1, CARD);
    const struct expr *x = compile(f, &yesno);
    const struct machine *m = &f->build.c.program->machines[CARD];

    (void)state;
    assert_non_null(x);
    assert_slice(show(f->bench->arena, x),
                 "(and (and (and (let 0) (> (let 1) 2)) (latest 0.3)) (> (latest 0.2) (meta 0)))");
    assert_int_equal(m->nlatest, 1);
    assert_int_equal(m->latest[0].kind, RANKED);
    assert_int_equal(m->latest[0].nfields, 4);
    assert_int_equal(m->latest[0].fields[0], RANKED_RANK);
    assert_int_equal(m->latest[0].fields[1], RANKED_MIDDLE);
    assert_int_equal(m->latest[0].fields[2], -1);
    assert_int_equal(m->latest[0].fields[3], RANKED_LOW);
    assert_slice(show(f->bench->arena, m->lets[1].value), "(× (count 0) 2)");
    assert_ptr_equal(let_compile(&f->scope, 1), m->lets[1].value);
    bench_free(f->bench);
}

static void parts_of_a_scalar(void **state)
{
    struct fixture *f = fixture_new("dispatch where evnt.chair = unit", CALLED, CARD);
    const struct yaml *node = yaml_get(f->root, "x");
    struct slice part = {node->text.p + 15, node->text.n - 15};

    (void)state;
    assert_null(expr_compile_part(&f->scope, node, part, &yesno));
    assert_told(f->bench, "W0043 1:19+4 ");
    bench_free(f->bench);

    f = fixture_new("dispatch where event.chair = unit", CALLED, CARD);
    node = yaml_get(f->root, "x");
    part = (struct slice){node->text.p + 15, node->text.n - 15};
    assert_non_null(expr_compile_part(&f->scope, node, part, &yesno));
    bench_free(f->bench);
}

static void rows_from_outside(void **state)
{
    struct fixture *f = fixture_new("ceil(places ÷ 2)", -1, 0);

    (void)state;
    f->scope.row = ranked_fields;
    f->scope.nrow = RANKED_FIELDS;
    assert_slice(show(f->bench->arena, compile(f, &number)), "(ceil (÷ (field 3) 2))");
    bench_free(f->bench);
}

/* ---- what is wrong, and where */

static struct slice nested(struct arena *a, const char *open, const char *middle, const char *close, int n)
{
    struct buf text = {0};
    struct slice out = {0};

    for (int i = 0; i < n; i++)
        buf_printf(&text, "%s", open);
    buf_printf(&text, "%s", middle);
    for (int i = 0; i < n; i++)
        buf_printf(&text, "%s", close);
    out = arena_dup(a, buf_slice(&text));
    buf_free(&text);
    return out;
}

static void mistakes_of_syntax(void **state)
{
    (void)state;
    bad("1 +", -1, 0, NULL, "W0041 1:7+1 the expression breaks off; a value");
    bad("1 2", -1, 0, NULL, "W0041 1:6+1 “2” cannot stand here");
    bad("(1 + 2", -1, 0, NULL, "W0041 1:10+1 the expression breaks off; )");
    bad("1 < 2 < 3", -1, 0, NULL, "W0041 1:10+1 “<” cannot stand here; and: comparisons do not chain");
    bad("if 1 = 1 then 2", -1, 0, NULL, "W0041 1:19+1 the expression breaks off; else");
    bad("1 == 2", -1, 0, NULL, "W0040 1:6+2 one = compares; =");
    bad("1 ； 2", -1, 0, NULL, "W0040 1:6+1 this character means nothing in an expression; an ASCII comma");
    bad("「中文", -1, 0, NULL, "W0040 1:4+1 the text opened here is never closed");
    bad("low = \"yes\"", -1, CARD, NULL,
        "W0040 1:10+1 this character means nothing in an expression; a text in 「…」");
    bad("1.2.3", -1, 0, NULL, "W0040 1:4+5 this is not a number");
    bad("event.", CALLED, 0, NULL, "W0041 1:10+1 the expression breaks off; a name after the point");
    bad("min(1,)", -1, 0, NULL, "W0041 1:10+1 “)” cannot stand here; a value");
    bad("([1, 2", -1, 0, NULL, "W0041 1:10+1 the expression breaks off; ]");
    bad("latest(ranked) > 1", -1, CARD, NULL, "W0041 1:4+14 the latest event as a whole is no value");
    bad("1 is", -1, 0, NULL, "W0041");
    bad("and", -1, 0, NULL, "W0041 1:4+3 “and” cannot stand here; a value");
}

static void mistakes_of_names(void **state)
{
    (void)state;
    bad("lwo > 1", -1, CARD, NULL, "W0043 1:4+3 nothing here has the name “lwo”; did you mean “low”?");
    bad("params.tial = 3", -1, 0, NULL, "W0043 1:11+4 there is no parameter “tial”; did you mean “tail”?");
    bad("event.chiar = unit", CALLED, CARD, NULL,
        "W0043 1:10+5 an event of kind dispatch has no field “chiar”; did you mean “chair”?");
    bad("event.kind = 优环办调渡", CALLED, CARD, NULL,
        "W0043 1:17+5 nothing here has the name “优环办调渡”; did you mean “优环办调度”?");
    bad("event.low", -1, CARD, NULL, "W0046 1:4+9 there is no single kind of event here");
    bad("due > now", -1, CARD, NULL, "W0046 1:4+3 “due” is not there: only a task has it");
    bad("since > now", -1, 0, NULL, "W0046 1:4+5 “since” is not there: there is no instance");
    bad("low-1", -1, CARD, NULL,
        "W0043 1:4+5 nothing here has the name “low-1”; write spaces on both sides of a minus");
    bad("chair = unit", CALLED, CARD, NULL,
        "W0043 1:4+5 nothing here has the name “chair”; did you mean “event.chair”?");
    bad("tail > 1", -1, CARD, NULL,
        "W0043 1:4+4 nothing here has the name “tail”; did you mean “params.tail”?");
    bad("leed of unit", -1, CARD, NULL,
        "W0043 1:4+4 no relation, and no column of a table that could be looked up here, is called “leed”; "
        "did you mean “lead”?");
    bad("lead", -1, CARD, NULL,
        "W0043 1:4+4 nothing here has the name “lead”; write lead of …: it is a relation");
    bad("cont(office)", -1, 0, NULL, "W0043 1:4+4 there is no function “cont”; did you mean “count”?");
    bad("latest(rankt).rank", -1, CARD, NULL,
        "W0043 1:11+5 there is no kind of event called “rankt”; did you mean “ranked”?");
    bad("obligation.title", -1, CARD, NULL, "W0046 1:4+16 only a task has an obligation");
    bad("unit.hed", -1, CARD, NULL, "W0043 1:9+3 unit has no part “hed”; did you mean “head”?");
    bad("subject is indicater", -1, CARD, NULL, "W0043 1:15+9 ");
    bad("count(indicators where levl = first)", -1, 0, NULL,
        "W0043 1:27+4 nothing here has the name “levl”; did you mean “level”?");
}

static void mistakes_of_types(void **state)
{
    (void)state;
    bad("low", -1, CARD, &yesno, "W0044 1:4+3 this is number; yes-no");
    bad("lead of unit", -1, CARD, &yesno,
        "W0044 1:4+12 this is set of unit; yes-no, as any(…) or count(…) > 0 make of a set or list");
    bad("low and yes", -1, CARD, &yesno, "W0044 1:4+3 this is number; yes-no");
    bad("1 + unit", -1, CARD, NULL, "W0045 1:6+1 “+” stands between number and unit");
    bad("unit = office", -1, CARD, NULL,
        "W0045 1:9+1 “=” stands between unit and set of unit; `in` or `has`");
    bad("low = event.chair", CALLED, CARD, NULL, "W0045 1:8+1 “=” stands between number and unit");
    bad("unit < event.chair", CALLED, CARD, NULL,
        "W0045 1:9+1 “<” stands between unit and unit; numbers, dates");
    bad("degree = office", -1, CARD, NULL,
        "W0045 1:11+1 “=” stands between first | second | county and set of unit");
    bad("1 before due", -1, DUTY, NULL, "W0044 1:4+1 this is number; a duration such as 3d");
    bad("3d before period", -1, DUTY, NULL, "W0044 1:14+6 this is period; a date or an instant");
    bad("month of low", -1, CARD, NULL, "W0044 1:13+3 this is number; a date, an instant or a period");
    bad("count(low)", -1, CARD, NULL, "W0044 1:10+3 this is number; a set, a list, a table, or a role");
    bad("all(office)", -1, CARD, NULL, "W0047 1:4+11 `all` has no condition");
    bad("round(1, 2, 3)", -1, 0, NULL, "W0047 1:4+14 too much is given to this function; round(NUMBER)");
    bad("round(1, low)", -1, CARD, NULL, "W0047 1:13+3 this is not a number of decimal places");
    bad("([1, unit])", -1, CARD, NULL, "W0044 1:9+4 this is unit; number");
    bad("if yes then 1 else unit", -1, CARD, NULL, "W0045 1:4+23 `then` gives number, `else` unit");
    bad("event.kind = 「别的」", CALLED, CARD, NULL,
        "W0034 1:17+4 this is none of the words that may stand here");
    bad("unit in low", -1, CARD, NULL,
        "W0045 1:9+2 “in” stands between unit and number; a set or list after `in`");
    bad("event.period = 2024-03", RANKED, CARD, NULL, "W0045 1:17+1 “=” stands between quarter and month");
    bad("event.indicator = event.period", RANKED, CARD, NULL,
        "W0045 1:20+1 “=” stands between indicator and quarter");
    bad("id of lead-leader of subject", -1, CARD, NULL, "W0044 1:10+22 this is set of unit; a row of indicators");
    bad("idd of lead-leader of subject", -1, CARD, NULL, "W0043 1:4+3 no relation");
    bad("low + x + y", -1, CARD, NULL, "W0043 1:10+1 nothing here has the name “x”");
}

/* Nothing is looked at twice at every level, or these would never end. */
static void work_grows_with_the_text(void **state)
{
    static const struct {
        const char *open, *middle, *close;
    } nest[] = {{"count(units where role in (", "office", "))"},
                {"count(units where it.role = (", "office", "))"},
                {"sum(sum(", "event.items", ").points.b where yes)"},
                {"title of ", "subject", ""},
                {"id of ", "subject", ""},
                {"(x = ", "y", ")"},
                {"if low = x then y else ", "z", ""},
                {"min(event.items.points where ", "low", ")"}};

    (void)state;
    for (size_t i = 0; i < sizeof nest / sizeof *nest; i++) {
        struct fixture *f = fixture_new("0", CALLED, CARD);
        struct yaml node = *yaml_get(f->root, "x");

        node.text = nested(f->bench->arena, nest[i].open, nest[i].middle, nest[i].close, 20);
        expr_compile(&f->scope, &node, NULL);
        assert_true(arena_used(f->bench->arena) < (4u << 20));
        bench_free(f->bench);
    }
}

/* Both mistakes of one expression, where they do not hang together. */
static void several_at_once(void **state)
{
    (void)state;
    bad("lwo > 1 and event.chiar = unit", CALLED, CARD, NULL,
        "W0043 1:4+3 nothing here has the name “lwo”; did you mean “low”?\nW0043 1:22+5 ");
}

static void lets_that_fail(void **state)
{
    struct fixture *f = fixture_new("round-a > 1", -1, CARD);

    (void)state;
    assert_null(compile(f, NULL));
    assert_told(f->bench, "W0048 5:10+11 the let “round-a” uses itself");
    bench_free(f->bench);

    f = fixture_new("wrong > 1", -1, CARD);
    assert_null(compile(f, NULL));
    assert_null(compile(f, NULL)); /* told once */
    assert_null(let_compile(&f->scope, 4));
    assert_int_equal(f->bench->diags.errors, 1);
    assert_told(f->bench, "W0041 6:13+1 the expression breaks off");
    bench_free(f->bench);
}

static void depth_is_bounded(void **state)
{
    static const struct {
        const char *open, *middle, *close;
    } nest[] = {{"(", "1", ")"},           {"not ", "yes", ""},
                {"- ", "1", ""},           {"lead of ", "unit", ""},
                {"each ", "office", ""},   {"1 + ", "1", ""},
                {"yes or ", "yes", ""},    {"if yes then 1 else ", "1", ""},
                {"3d before ", "due", ""}, {"min(1, ", "1", ")"}};

    (void)state;
    for (size_t i = 0; i < sizeof nest / sizeof *nest; i++) {
        for (int n = 10; n <= 10000; n *= 10) {
            struct fixture *f = fixture_new("0", -1, DUTY);
            struct yaml node = *yaml_get(f->root, "x");

            node.text = nested(f->bench->arena, nest[i].open, nest[i].middle, nest[i].close, n);
            assert_int_equal(expr_compile(&f->scope, &node, NULL) != NULL, n == 10);
            assert_true(n == 10 || strncmp(bench_told(f->bench), "W0042", 5) == 0);
            bench_free(f->bench);
        }
    }
}

/* ---- anything at all */

static const char *const pieces[] = {"1",          "2.5",
                                     "70%",        "30d",
                                     "5 workdays", "2024-03-29",
                                     "2024Q1",     "2024",
                                     "「x」",      "unit",
                                     "subject",    "low",
                                     "event",      ".",
                                     ".low",       ".chair",
                                     "(",          ")",
                                     "[",          "]",
                                     ",",          "and",
                                     "or",         "not",
                                     "if",         "then",
                                     "else",       "in",
                                     "has",        "is",
                                     "given",      "where",
                                     "each",       "of",
                                     "lead",       "latest",
                                     "ranked",     "count",
                                     "any",        "all",
                                     "sum",        "max",
                                     "before",     "after",
                                     "later",      "=",
                                     "≠",          "<",
                                     "≥",          "+",
                                     "-",          "×",
                                     "÷",          "risen",
                                     "round-a",    "office",
                                     "indicators", "units",
                                     "level",      "first",
                                     "it",         "this",
                                     "params",     "tail",
                                     "month",      "previous",
                                     "yes",        "优环办调度",
                                     "？",         "、",
                                     "!",          "period",
                                     "due",        "obligation",
                                     ".remind",    "event.items",
                                     "event.of",   "points",
                                     "taskforce",  "role",
                                     "missing",    "\xef\xbc\x8c",
                                     "twice",      "at"};

static void random_tokens_never_crash(void **state)
{
    uint64_t seed = seed_take();
    size_t right = 0;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct fixture *f =
            fixture_new("0", random_next(&seed) % 2 ? CALLED : -1, random_next(&seed) % 2 ? CARD : DUTY);
        struct slice text = {"", 0};
        struct yaml node = *yaml_get(f->root, "x");
        const struct expr *x = NULL;

        for (int64_t n = random_between(&seed, 1, 12); n > 0; n--)
            text = arena_printf(f->bench->arena, "%.*s%s%s", SLICE_ARG(text),
                                pieces[random_next(&seed) % (sizeof pieces / sizeof *pieces)],
                                random_next(&seed) % 8 ? " " : "");
        node.text = text;
        x = expr_compile(&f->scope, &node, random_next(&seed) % 2 ? &yesno : NULL);
        if ((x == NULL) != (f->bench->diags.errors > 0))
            fail_msg("%.*s: %s", SLICE_ARG(text), bench_told(f->bench));
        right += x != NULL;
        bench_free(f->bench);
    }
    print_message("%zu of 4000 were expressions\n", right);
    assert_true(right > 0);
}

static void random_bytes_never_crash(void **state)
{
    uint64_t seed = seed_take();

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct fixture *f = fixture_new("0", CALLED, CARD);
        struct yaml node = *yaml_get(f->root, "x");
        size_t n = (size_t)random_between(&seed, 0, 40);
        char *text = arena_alloc(f->bench->arena, n);

        for (size_t i = 0; i < n; i++)
            text[i] = (char)random_next(&seed);
        node.text = (struct slice){text, n};
        expr_compile(&f->scope, &node, NULL);
        bench_free(f->bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_people_read),
        cmocka_unit_test(names_follow_the_scope),
        cmocka_unit_test(rosters_and_tables_are_looked_up),
        cmocka_unit_test(rows_are_bound),
        cmocka_unit_test(instances_are_looked_up),
        cmocka_unit_test(moments_and_periods),
        cmocka_unit_test(latest_and_lets),
        cmocka_unit_test(parts_of_a_scalar),
        cmocka_unit_test(rows_from_outside),
        cmocka_unit_test(mistakes_of_syntax),
        cmocka_unit_test(mistakes_of_names),
        cmocka_unit_test(mistakes_of_types),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(work_grows_with_the_text),
        cmocka_unit_test(lets_that_fail),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(random_tokens_never_crash),
        cmocka_unit_test(random_bytes_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
