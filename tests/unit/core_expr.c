#include "core_regime.h"

/* ---- logic */

static void logic_has_three_values(void **state)
{
    const struct value value[] = {yes(false), yes(true), na()};
    static const char *const and_table[3][3] = {
        {"no", "no", "no"}, {"no", "yes", "n/a"}, {"no", "n/a", "n/a"}};
    static const char *const or_table[3][3] = {
        {"no", "yes", "n/a"}, {"yes", "yes", "yes"}, {"n/a", "yes", "n/a"}};
    static const char *const not_table[] = {"yes", "no", "n/a"};
    (void)state;
    for (int a = 0; a < 3; a++) {
        expect(node(EXPR_NOT, 1, constant(value[a])), not_table[a]);
        for (int b = 0; b < 3; b++) {
            expect(node(EXPR_AND, 2, constant(value[a]), constant(value[b])), and_table[a][b]);
            expect(node(EXPR_OR, 2, constant(value[a]), constant(value[b])), or_table[a][b]);
        }
    }
    expect(node(EXPR_IF, 3, constant(yes(true)), constant(num(1, 1)), constant(num(2, 1))), "1");
    expect(node(EXPR_IF, 3, constant(yes(false)), constant(num(1, 1)), constant(num(2, 1))), "2");
    expect(node(EXPR_IF, 2, constant(yes(false)), constant(num(1, 1))), "n/a");
    expect(node(EXPR_IF, 3, constant(na()), constant(num(1, 1)), constant(num(2, 1))), "n/a");
    expect(node(EXPR_IS_MISSING, 1, constant(na())), "yes");
    expect(node(EXPR_IS_GIVEN, 1, constant(na())), "no");
    expect(node(EXPR_IS_GIVEN, 1, constant(yes(false))), "yes");
}

static void only_yes_holds(void **state)
{
    struct eval ev = fresh();
    (void)state;
    assert_true(expr_holds(&ev, NULL));
    assert_true(expr_holds(&ev, constant(yes(true))));
    assert_false(expr_holds(&ev, constant(yes(false))));
    assert_false(expr_holds(&ev, constant(na())));
    assert_false(expr_holds(&ev, constant(num(1, 1))));
}

static void comparison(void **state)
{
    static const enum expr_op op[] = {EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE};
    static const char *const less[] = {"no", "yes", "yes", "yes", "no", "no"},
                             *const equal[] = {"yes", "no", "no", "yes", "no", "yes"},
                             *const more[] = {"no", "yes", "no", "no", "yes", "yes"};
    (void)state;
    for (int i = 0; i < 6; i++) {
        expect(node(op[i], 2, constant(num(1, 3)), constant(num(1, 2))), less[i]);
        expect(node(op[i], 2, constant(num(2, 4)), constant(num(1, 2))), equal[i]);
        expect(node(op[i], 2, constant(day("2024-04-11")), constant(day("2024-04-10"))), more[i]);
        expect(node(op[i], 2, constant(na()), constant(num(1, 2))), "n/a");
        expect(node(op[i], 2, constant(num(1, 2)), constant(na())), "n/a");
        expect(node(op[i], 2, constant(na()), constant(na())), "n/a"); /* equal to nothing, itself included */
        expect(node(op[i], 2, constant(text("a")), constant(num(1, 2))), "n/a");
        expect(node(op[i], 2, constant(day("2024-04-10")), constant(at("2024-04-10T23:00:00Z"))), equal[i]);
    }
    expect(node(EXPR_EQ, 2, constant(period("2024-01")), constant(period("2024Q1"))), "no");
    expect(node(EXPR_LT, 2, constant(period("2024-01")), constant(period("2024Q1"))), "n/a");
    expect(node(EXPR_LT, 2, constant(period("2024Q1")), constant(period("2024Q2"))), "yes");
}

static void membership(void **state)
{
    struct expr *ab = list(2, text("a"), text("b")), *with_hole = list(2, text("a"), na());
    (void)state;
    expect(node(EXPR_IN, 2, constant(text("a")), ab), "yes");
    expect(node(EXPR_IN, 2, constant(text("c")), ab), "no");
    expect(node(EXPR_IN, 2, constant(na()), ab), "n/a");
    expect(node(EXPR_IN, 2, constant(text("a")), constant(na())), "n/a");
    expect(node(EXPR_IN, 2, constant(text("a")), with_hole), "yes");
    expect(node(EXPR_IN, 2, constant(text("c")), with_hole), "n/a");
    expect(node(EXPR_HAS, 2, ab, constant(text("b"))), "yes");
    expect(node(EXPR_HAS, 2, ab, list(2, text("x"), text("b"))), "yes"); /* any of a set */
    expect(node(EXPR_HAS, 2, ab, list(2, text("x"), text("y"))), "no");
    expect(node(EXPR_HAS, 2, ab, list(0)), "no");
    expect(node(EXPR_IN, 2, list(2, text("x"), text("a")), ab), "yes");
}

static void days_and_periods_lie_in_periods(void **state)
{
    struct expr *quarter = constant(period("2024Q1"));
    (void)state;
    expect(node(EXPR_HAS, 2, quarter, constant(day("2024-01-01"))), "yes");
    expect(node(EXPR_HAS, 2, quarter, constant(day("2024-03-31"))), "yes");
    expect(node(EXPR_HAS, 2, quarter, constant(day("2024-04-01"))), "no");
    expect(node(EXPR_HAS, 2, quarter, constant(day("2023-12-31"))), "no");
    expect(node(EXPR_HAS, 2, quarter, constant(at("2024-03-31T23:59:59Z"))), "yes");
    expect(node(EXPR_HAS, 2, quarter, constant(period("2024-03"))), "yes");
    expect(node(EXPR_HAS, 2, quarter, quarter), "yes");
    expect(node(EXPR_HAS, 2, quarter, constant(period("2024"))), "no"); /* longer, though it begins with it */
    expect(node(EXPR_HAS, 2, constant(period("2024-01")), constant(period("2024-W05"))), "yes"); /* begins in it */
    expect(node(EXPR_HAS, 2, constant(period("2024-02")), constant(period("2024-W05"))), "no");
    expect(node(EXPR_IN, 2, constant(na()), quarter), "n/a");
    expect(node(EXPR_IN, 2, constant(day("2024-01-01")), constant(na())), "n/a");
    expect(node(EXPR_IN, 2, constant(text("2024-01")), quarter), "n/a");
}

static void any_row_has_three_values(void **state)
{
    const struct value item[] = {yes(false), yes(true), na()};
    static const char *const wanted[3][3] = {{"no", "yes", "n/a"}, {"yes", "yes", "yes"}, {"n/a", "yes", "n/a"}};
    struct expr *it = node(EXPR_ROW, 0);
    (void)state;
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            struct expr *both = node(EXPR_WHERE, 2, list(2, item[a], item[b]), it);
            expect(node(EXPR_QUANT_ANY, 1, both), wanted[a][b]);
            expect(node(EXPR_QUANT_COUNT, 1, both), (a == 1) + (b == 1) == 2 ? "2" : a == 1 || b == 1 ? "1" : "0");
        }
    expect(node(EXPR_QUANT_ANY, 1, node(EXPR_WHERE, 2, list(0), it)), "no");
    expect(node(EXPR_QUANT_ANY, 1, list(1, na())), "yes"); /* an item without a value is an item */
}

/* ---- numbers */

static void arithmetic(void **state)
{
    (void)state;
    expect(node(EXPR_ADD, 2, constant(num(1, 3)), constant(num(1, 6))), "0.5");
    expect(node(EXPR_SUB, 2, constant(num(1, 3)), constant(num(1, 2))), "-1/6");
    expect(node(EXPR_MUL, 2, constant(num(7, 10)), constant(num(50, 1))), "35");
    expect(node(EXPR_DIV, 2, constant(num(1, 1)), constant(num(3, 1))), "1/3");
    expect(node(EXPR_DIV, 2, constant(num(1, 1)), constant(num(0, 1))), "n/a");
    expect(node(EXPR_ADD, 2, constant(na()), constant(num(0, 1))), "n/a");
    expect(node(EXPR_NEG, 1, constant(num(1, 3))), "-1/3");
    expect(node(EXPR_ROUND, 2, constant(num(2, 3)), constant(num(2, 1))), "0.67");
    expect(node(EXPR_ROUND, 1, constant(num(-5, 2))), "-3");
    expect(node(EXPR_ROUND, 2, constant(num(2, 3)), constant(num(10, 1))), "n/a");
    expect(node(EXPR_ROUND, 2, constant(num(2, 3)), constant(num(1, 2))), "n/a");
    expect(node(EXPR_CEIL, 1, constant(num(-5, 2))), "-2");
    expect(node(EXPR_FLOOR, 1, constant(num(-5, 2))), "-3");
    expect(node(EXPR_MIN, 3, constant(num(2, 1)), constant(num(-1, 1)), constant(num(3, 1))), "-1");
    expect(node(EXPR_MAX, 1, list(3, num(2, 1), num(-1, 1), num(3, 1))), "3");
    expect(node(EXPR_MAX, 2, constant(num(2, 1)), constant(na())), "n/a");
    expect(node(EXPR_MIN, 2, constant(na()), constant(num(2, 1))), "n/a");
    expect(node(EXPR_MIN, 1, list(0)), "n/a");
    expect(node(EXPR_MAX, 2, constant(day("2024-01-01")), constant(day("2024-02-01"))), "2024-02-01");
}

static void overflow_is_a_failure(void **state)
{
    struct expr *big = constant(num(INT64_MAX, 1));
    struct expr *sum = node(EXPR_ADD, 2, big, big);
    struct eval ev = fresh();
    (void)state;
    struct value v = expr_eval(&ev, node(EXPR_OR, 2, sum, constant(yes(true))));
    assert_int_equal(v.tag, VALUE_NA); /* not even what could be known without it */
    assert_string_equal(ev.failed, "overflow");
    assert_ptr_equal(ev.failed_at, sum);
    assert_int_equal(ev.depth, 0);
    assert_false(expr_holds(&ev, constant(yes(true)))); /* and it stays failed */
}

/* ---- time */

static void moving_in_time(void **state)
{
    struct expr *due = constant(at("2024-03-31T16:00:00Z")), *limit = constant(day("2024-03-31"));
    (void)state;
    expect(node(EXPR_BEFORE, 2, constant(lasting("3d")), due), "2024-03-28T16:00:00Z");
    expect(node(EXPR_AFTER, 2, constant(lasting("1mo")), due), "2024-04-30T16:00:00Z");
    expect(node(EXPR_BEFORE, 2, list(2, lasting("3d"), lasting("1d")), due),
           "[2024-03-28T16:00:00Z, 2024-03-30T16:00:00Z]");
    expect(node(EXPR_BEFORE, 2, constant(lasting("3d")), constant(na())), "n/a");
    expect(node(EXPR_BEFORE, 2, list(1, lasting("3d")), constant(na())), "n/a");
    expect(node(EXPR_AFTER, 2, constant(na()), due), "n/a");
    expect(node(EXPR_BEFORE, 2, constant(lasting("3d")), limit), "2024-03-28");
    expect(node(EXPR_ADD, 2, limit, constant(lasting("1wd"))), "2024-04-01");
    expect(node(EXPR_SUB, 2, limit, constant(lasting("1mo"))), "2024-02-29");
    expect(node(EXPR_SUB, 2, limit, constant(day("2024-03-01"))), "30");
    expect(node(EXPR_ADD, 2, limit, limit), "n/a");
    expect(with_index(node(EXPR_PERIOD_OF, 1, due), PERIOD_MONTH, 0), "2024-03");
    expect(with_index(node(EXPR_PERIOD_OF, 1, limit), PERIOD_QUARTER, 0), "2024Q1");
    expect(with_index(node(EXPR_PERIOD_OF, 1, constant(period("2024-05"))), PERIOD_HALF, 0), "2024H1");
    expect(with_index(node(EXPR_PERIOD_OF, 1, constant(text("2024"))), PERIOD_YEAR, 0), "n/a");
    expect(node(EXPR_PREVIOUS, 1, constant(period("2024Q1"))), "2023Q4");
    expect(node(EXPR_NEXT, 1, constant(period("2024-W52"))), "2025-W01");
    expect(node(EXPR_NEXT, 1, constant(na())), "n/a");
    expect(node(EXPR_START_OF, 1, limit), "2024-03-31T00:00:00Z");
    expect(node(EXPR_END_OF, 1, limit), "2024-04-01T00:00:00Z");
    expect(node(EXPR_START_OF, 1, constant(period("2024Q1"))), "2024-01-01T00:00:00Z");
    expect(node(EXPR_END_OF, 1, constant(period("2024Q1"))), "2024-04-01T00:00:00Z");
    expect(node(EXPR_END_OF, 1, constant(na())), "n/a");
    expect(node(EXPR_END_OF, 1, constant(text("2024"))), "n/a");
}

/* ---- the roster */

static void roles_and_relations(void **state)
{
    struct expr *leads_1 = with_index(node(EXPR_RELATION, 1, constant(text("i-1"))), RELATION_LEAD, 0);
    struct eval later = fresh();
    (void)state;
    later.now = at("2024-07-01T00:00:00Z").instant;
    expect(name(EXPR_ROLE, ROLE_BUREAU), "[b-1, b-2, b-3]");
    expect(leads_1, "[b-1, b-2]");
    struct value v = expr_eval(&later, leads_1);
    assert_slice(value_format(arena, &v, NULL), "[b-1]");
    expect(with_index(node(EXPR_RELATION, 1, list(2, text("i-2"), text("i-1"))), RELATION_LEAD, 0),
           "[b-1, b-2]");
    expect(with_index(node(EXPR_RELATION, 1, constant(text("i-9"))), RELATION_LEAD, 0), "[]");
    expect(with_index(node(EXPR_RELATION, 1, constant(na())), RELATION_LEAD, 0), "[]");
    expect(with_index(node(EXPR_RELATION, 1, constant(text("i-1"))), RELATION_LEADER, 0), "[office]");
    expect(with_index(node(EXPR_UNIT_ATTR, 1, constant(text("b-1"))), UNIT_HEAD, 0), "post-1");
    expect(with_index(node(EXPR_UNIT_ATTR, 1, constant(text("b-1"))), UNIT_LIAISON, 0), "n/a");
    expect(with_index(node(EXPR_UNIT_ATTR, 1, constant(text("nobody"))), UNIT_TITLE, 0), "nobody"); /* what a task is about need be no unit */
    expect(with_index(node(EXPR_UNIT_ATTR, 1, constant(text("nobody"))), UNIT_HEAD, 0), "n/a");
    expect(with_index(node(EXPR_UNIT_ATTR, 1, constant(text("office"))), UNIT_ROLES, 0), "[office]");
    expect(with_index(node(EXPR_UNIT_ATTR, 1, leads_1), UNIT_HEAD, 0),
           "[post-1]"); /* of a set: what there is */
    expect(as_set(node(EXPR_LIST, 3, name(EXPR_ROLE, ROLE_OFFICE), leads_1, constant(na()))),
           "[b-1, b-2, office]");
}

static void tables_and_quantifiers(void **state)
{
    struct expr *rows = name(EXPR_TABLE_ROWS, 0), *target = name(EXPR_ROW_FIELD, 1);
    struct expr *high = node(EXPR_GE, 2, target, constant(num(1, 2)));
    (void)state;
    expect(with_index(node(EXPR_COLUMN, 1, constant(text("i-1"))), 0, 1), "0.25");
    expect(with_index(node(EXPR_COLUMN, 1, constant(text("i-9"))), 0, 1), "n/a");
    expect(with_index(node(EXPR_COLUMN, 1, list(2, text("i-2"), text("i-1"))), 0, 2), "[b-1, b-2]");
    expect(with_index(node(EXPR_IS_ROW, 1, constant(text("i-1"))), 0, 0), "yes");
    expect(with_index(node(EXPR_IS_ROW, 1, constant(text("i-9"))), 0, 0), "no");
    expect(node(EXPR_QUANT_COUNT, 1, rows), "3");
    expect(node(EXPR_QUANT_COUNT, 1, node(EXPR_WHERE, 2, rows, high)), "1"); /* i-3 is n/a: not among them */
    expect(node(EXPR_QUANT_ANY, 1, node(EXPR_WHERE, 2, rows, high)), "yes");
    expect(node(EXPR_QUANT_ANY, 1, list(0)), "no");
    expect(node(EXPR_QUANT_ALL, 2, rows, high), "no");
    expect(node(EXPR_QUANT_ALL, 2, rows, node(EXPR_GT, 2, target, constant(num(0, 1)))), "n/a");
    expect(node(EXPR_QUANT_ALL, 2, list(0), constant(yes(false))), "yes");
    expect(node(EXPR_QUANT_SUM, 2, rows, target), "n/a");
    struct expr *measured = node(EXPR_WHERE, 2, rows, node(EXPR_IS_GIVEN, 1, target));
    expect(node(EXPR_QUANT_SUM, 2, measured, target), "0.75");
    expect(node(EXPR_QUANT_MEAN, 2, measured, target), "0.375");
    expect(node(EXPR_QUANT_SUM, 1, list(2, num(1, 3), num(2, 3))), "1");
    expect(node(EXPR_QUANT_SUM, 1, list(0)), "0");
    expect(node(EXPR_QUANT_MEAN, 1, list(0)), "n/a");
    expect(node(EXPR_MAP, 2, rows, name(EXPR_ROW_FIELD, 0)), "[i-1, i-2, i-3]");
    expect(as_set(node(EXPR_MAP, 2, rows,
                       with_index(node(EXPR_RELATION, 1, name(EXPR_ROW_FIELD, 0)), RELATION_LEAD, 0))),
           "[b-1, b-2]");
    expect(node(EXPR_QUANT_COUNT, 1, constant(na())), "n/a");
    expect(node(EXPR_QUANT_COUNT, 1, name(EXPR_UNITS, 0)), "4");
    expect(node(EXPR_QUANT_COUNT, 1,
                node(EXPR_WHERE, 2, name(EXPR_UNITS, 0),
                     node(EXPR_HAS, 2, name(EXPR_ROW_FIELD, 3), constant(text("bureau"))))),
           "3");
}

/* For each unit, the rows that it owns: the inner condition sees both. */
static void binders_nest(void **state)
{
    struct expr *owner_is_unit =
        node(EXPR_EQ, 2, name(EXPR_ROW_FIELD, 2), with_index(node(EXPR_ROW_FIELD, 0), 0, 1));
    struct expr *own =
        node(EXPR_QUANT_COUNT, 1, node(EXPR_WHERE, 2, name(EXPR_TABLE_ROWS, 0), owner_is_unit));
    struct expr *too_far = node(EXPR_MAP, 2, list(1, text("a")), with_index(node(EXPR_ROW, 0), 0, 1));
    (void)state;
    expect(node(EXPR_MAP, 2, name(EXPR_UNITS, 0), own), "[1, 1, 0, 0]");
    expect(node(EXPR_MAP, 2, list(2, text("a"), text("b")), name(EXPR_ROW, 0)), "[a, b]");
    expect(too_far, "[n/a]");
    struct value bound = (struct value){.tag = VALUE_RECORD, .record = {row_2, NULL, 3}};
    struct row outside = {&bound, NULL};
    struct eval ev = fresh();
    ev.row = &outside;
    struct value v = expr_eval(&ev, name(EXPR_ROW_FIELD, 1));
    assert_slice(value_format(arena, &v, NULL), "0.5");
    assert_ptr_equal(ev.row, &outside);
}

/* ---- event and instance */

static void names_of_event_and_instance(void **state)
{
    struct value field[] = {num(5, 1), na()}, vars[] = {yes(true), text("v")}, kept[] = {num(9, 1)};
    struct event event = {KIND_DECLARED, field, at("2024-04-10T01:00:00Z").instant, S("b-1"), NULL};
    struct count counts[] = {{{PERIOD_ONCE, 0}, 2}};
    struct latest latest[] = {{kept}, {NULL}};
    struct task task = {
        .obligation = 0, .period = {PERIOD_MONTH, 2024 * 12 + 2}, .due = at("2024-03-31T16:00:00Z").instant};
    struct instance instance = {.machine = 1,
                                .vars = vars,
                                .counts = counts,
                                .latest = latest,
                                .task = &task,
                                .since = 0,
                                .limit = INSTANT_NONE,
                                .key = {S("o"), S("2024-03"), S("b-1"), S("")}};
    struct duration remind[] = {{3, DURATION_DAY}, {1, DURATION_DAY}};
    int to[] = {ROLE_OFFICE};
    struct eval ev = fresh();
    (void)state;
    obligations[0] = (struct obligation){.title = S("月报"),
                                         .at_least = {1, 1},
                                         .remind = remind,
                                         .nremind = 2,
                                         .to = to,
                                         .nto = 1,
                                         .settle = {3, DURATION_DAY}};
    lets[0] = (struct let){S("many"), node(EXPR_GE, 2, name(EXPR_COUNT, 0), constant(num(2, 1)))};
    ev.event = &event;
    ev.instance = &instance;
    struct expr *period_key = name(EXPR_KEY, TASK_PERIOD);
    period_key->type.tag = TYPE_PERIOD;
    const struct {
        const struct expr *x;
        const char *there, *absent; /* without event and instance */
    } example[] = {
        {name(EXPR_EVENT, 0), "5", "n/a"},
        {name(EXPR_EVENT, 1), "n/a", "n/a"},
        {name(EXPR_EVENT, 7), "n/a", "n/a"},
        {name(EXPR_EVENT_META, EVENT_RECEIVED), "2024-04-10T01:00:00Z", "n/a"},
        {name(EXPR_EVENT_META, EVENT_BY), "b-1", "n/a"},
        {name(EXPR_EVENT_META, EVENT_KIND), "slow", "n/a"},
        {name(EXPR_KEY, TASK_UNIT), "b-1", "n/a"},
        {name(EXPR_KEY, TASK_ABOUT), "n/a", "n/a"},
        {period_key, "2024-03", "n/a"},
        {name(EXPR_VAR, 1), "v", "n/a"},
        {name(EXPR_COUNT, 0), "2", "n/a"},
        {name(EXPR_LATEST, 0), "9", "n/a"},
        {name(EXPR_LATEST, 1), "n/a", "n/a"},
        {name(EXPR_LET, 0), "yes", "n/a"},
        {name(EXPR_META, INSTANCE_SINCE), "1970-01-01T00:00:00Z", "n/a"},
        {name(EXPR_META, INSTANCE_DUE), "2024-03-31T16:00:00Z", "n/a"},
        {name(EXPR_META, INSTANCE_LIMIT), "n/a", "n/a"},
        {name(EXPR_META, INSTANCE_NOW), "2024-04-10T01:00:00Z", "2024-04-10T01:00:00Z"},
        {name(EXPR_META, INSTANCE_OWN_PERIOD), "2024-03", "n/a"},
        {name(EXPR_OBLIGATION, OBLIGATION_REMIND), "[3d, 1d]", "n/a"},
        {name(EXPR_OBLIGATION, OBLIGATION_TO), "[office]", "n/a"},
        {name(EXPR_OBLIGATION, OBLIGATION_TITLE), "月报", "n/a"},
        {name(EXPR_OBLIGATION, OBLIGATION_SETTLE), "3d", "n/a"},
        {name(EXPR_OBLIGATION, OBLIGATION_AT_LEAST), "1", "n/a"},
        {name(EXPR_PARAM, 0), "3", "3"},
    };
    for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
        struct value v = expr_eval(&ev, example[i].x);
        assert_slice(value_format(arena, &v, NULL), example[i].there);
        expect(example[i].x, example[i].absent);
    }
    task.due = INSTANT_MAX; /* due: none */
    assert_int_equal(expr_eval(&ev, name(EXPR_META, INSTANCE_DUE)).tag, VALUE_NA);
}

/* ---- bounds */

static void evaluation_is_bounded(void **state)
{
    struct expr *x = constant(yes(true)), *rows = name(EXPR_TABLE_ROWS, 0);
    struct eval ev = fresh();
    struct instance instance = {.machine = 1};
    (void)state;
    for (int i = 0; i < 100000; i++)
        x = node(EXPR_NOT, 1, x);
    assert_int_equal(expr_eval(&ev, x).tag, VALUE_NA);
    assert_string_equal(ev.failed, "nested too deeply");

    x = rows; /* 3 to the 14th rows */
    for (int i = 0; i < 13; i++)
        x = node(EXPR_QUANT_COUNT, 1, node(EXPR_MAP, 2, rows, x));
    ev = fresh();
    assert_int_equal(expr_eval(&ev, x).tag, VALUE_NA);
    assert_string_equal(ev.failed, "too costly");
    assert_true(ev.cost < EVAL_COST_MAX + 1000);

    lets[0] = (struct let){S("round"), name(EXPR_LET, 1)};
    lets[1] = (struct let){S("about"), name(EXPR_LET, 0)};
    ev = fresh();
    ev.instance = &instance;
    assert_int_equal(expr_eval(&ev, name(EXPR_LET, 0)).tag, VALUE_NA);
    assert_string_equal(ev.failed, "nested too deeply");
    arena_reset(arena);
}

/* ---- random trees: whatever is asked of whatever, the evaluator answers within its bounds */

static struct expr *random_expr(uint64_t *seed, int depth)
{
    const struct value leaves[] = {na(),
                                   yes(true),
                                   yes(false),
                                   num(random_between(seed, -5, 5), random_between(seed, 1, 4)),
                                   num(INT64_MAX, 2),
                                   text("i-1"),
                                   text("b-3"),
                                   day("2024-02-29"),
                                   at("2024-04-10T01:00:00Z"),
                                   lasting("99999wd"),
                                   lasting("1mo"),
                                   period("2024Q1"),
                                   period("0001")};
    enum expr_op op = (enum expr_op)random_between(seed, EXPR_CONST, EXPR_MAP);
    bool unbound =
        op == EXPR_VAR || op == EXPR_COUNT || op == EXPR_LATEST || op == EXPR_KEY || op == EXPR_LET;
    if (depth == 0 || op == EXPR_CONST || unbound)
        return constant(leaves[random_between(seed, 0, (int64_t)(sizeof leaves / sizeof *leaves) - 1)]);
    struct expr *x =
        node(op, 3, random_expr(seed, depth - 1), random_expr(seed, depth - 1), random_expr(seed, depth - 1));
    if (op == EXPR_PERIOD_OF)
        x->index = (int)random_between(seed, PERIOD_ONCE, PERIOD_YEAR);
    if (op == EXPR_MIN || op == EXPR_MAX || op == EXPR_LIST)
        x->nargs = (size_t)random_between(seed, 1, 3);
    if (random_between(seed, 0, 3) == 0)
        as_set(x);
    return x;
}

static void any_tree_is_answered(void **state)
{
    uint64_t seed = seed_take();
    (void)state;
    struct arena *kept = arena;
    arena = arena_new();
    for (int i = 0; i < 20000; i++) {
        struct eval ev = fresh(), again = fresh();
        struct expr *x = random_expr(&seed, 4);
        struct value v = expr_eval(&ev, x), w = expr_eval(&again, x);
        assert_int_equal(value_cmp(&v, &w), 0);
        assert_int_equal(ev.cost, again.cost);
        assert_true(!ev.failed || v.tag == VALUE_NA);
        value_format(arena, &v, NULL);
        arena_reset(arena);
    }
    arena_free(arena);
    arena = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGIME_TEST(logic_has_three_values),
        REGIME_TEST(only_yes_holds),
        REGIME_TEST(comparison),
        REGIME_TEST(membership),
        REGIME_TEST(days_and_periods_lie_in_periods),
        REGIME_TEST(any_row_has_three_values),
        REGIME_TEST(arithmetic),
        REGIME_TEST(overflow_is_a_failure),
        REGIME_TEST(moving_in_time),
        REGIME_TEST(roles_and_relations),
        REGIME_TEST(tables_and_quantifiers),
        REGIME_TEST(binders_nest),
        REGIME_TEST(names_of_event_and_instance),
        REGIME_TEST(evaluation_is_bounded),
        REGIME_TEST(any_tree_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
