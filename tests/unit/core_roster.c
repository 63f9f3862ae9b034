/* The roster as time changes it: rows cut and put, heirs, counts and entries of what becomes one. */
#include "core/roster.h"
#include "core_regime.h"

#define D(m, d) date_from_civil(2024, m, d)

static struct slice one_text[1], two_texts[2];

static struct slice *just(const char *a)
{
    one_text[0] = slice_of(a);
    return one_text;
}

static struct program *with(struct roster_change *c, size_t n)
{
    const struct roster_change *list[4];
    struct err e;
    for (size_t i = 0; i < n; i++)
        list[i] = &c[i];
    struct program *p = program_with_roster(&program, list, n, arena);
    machines[1].nlets = 0;
    if (!program_check(p, &e))
        fail_msg("%s", e.text);
    return p;
}

static void rows_are_cut_and_put(void **state)
{
    (void)state;
    struct roster_unit unit = {.id = S("b-1"),
                               .title = S("新一局"),
                               .roles = &roles[ROLE_BUREAU],
                               .nroles = 1,
                               .aliases = just("一"),
                               .naliases = 1};
    struct roster_change c[2] = {{.from = D(5, 1), .units = &unit, .nunits = 1},
                                 {.from = D(9, 1), .ended = just("b-1"), .nended = 1}};
    struct roster_unit again = unit;
    again.title = S("更新一局");
    struct program *p = with(c, 1);
    assert_slice(program_unit(p, S("b-1"), D(4, 30))->title, "一局");
    assert_slice(program_unit(p, S("b-1"), D(5, 1))->title, "新一局");
    assert_slice(program_unit(&program, S("b-1"), D(5, 1))->title, "一局"); /* the base is as it was */
    assert_int_equal(p->nunits, program.nunits + 1);
    for (size_t i = 0; i < p->nrelation_rows; i++) /* places have moved, units have not */
        assert_true(slice_eq(p->units[p->relation_rows[i].unit].id, program.units[relation_rows[i].unit].id));

    one_text[0] = S("b-1");
    p = with(c, 2);
    assert_null(program_unit(p, S("b-1"), D(9, 1)));
    assert_slice(program_unit(p, S("b-1"), D(8, 31))->title, "新一局");

    /* What was to come comes all the same: an earlier change lasts until the later one, and an end that was
     * announced stands. */
    struct roster_change later[3] = {{.from = D(9, 1), .ended = just("b-1"), .nended = 1},
                                     {.from = D(7, 1), .units = &again, .nunits = 1},
                                     {.from = D(5, 1), .units = &unit, .nunits = 1}};
    unit.naliases = again.naliases = 0;
    p = with(later, 3);
    assert_slice(program_unit(p, S("b-1"), D(6, 30))->title, "新一局");
    assert_slice(program_unit(p, S("b-1"), D(7, 1))->title, "更新一局");
    assert_null(program_unit(p, S("b-1"), D(9, 1)));

    /* On one day, the last word counts. */
    struct roster_change same[2] = {{.from = D(5, 1), .units = &unit, .nunits = 1},
                                    {.from = D(5, 1), .units = &again, .nunits = 1}};
    p = with(same, 2);
    assert_slice(program_unit(p, S("b-1"), D(5, 1))->title, "更新一局");
    assert_int_equal(p->nunits, program.nunits + 1);
}

static void relations_come_and_go(void **state)
{
    (void)state;
    struct slice subject = relation_rows[0].subject, relation = program.relations[relation_rows[0].relation];
    struct roster_relation out = {subject, relation, program.units[relation_rows[0].unit].id},
                           in = {subject, relation, S("b-3")};
    struct roster_change c = {
        .from = D(5, 1), .relations = &in, .nrelations = 1, .ended_relations = &out, .nended_relations = 1};
    struct program *p = with(&c, 1);
    struct expr *x = node(EXPR_RELATION, 1, constant(text(arena_dup(arena, subject).p)));
    x->index = relation_rows[0].relation;
    struct eval before = {.program = p, .now = (instant_t)D(4, 30) * 86400000, .arena = arena},
                after = before;
    after.now = (instant_t)D(5, 1) * 86400000;
    struct value was = expr_eval(&before, x), now = expr_eval(&after, x);
    assert_int_equal(was.list.n, now.list.n);
    bool has_old = false, has_new = false;
    for (size_t i = 0; i < now.list.n; i++) {
        has_old |= slice_eq(now.list.item[i].text, out.unit);
        has_new |= slice_eq(now.list.item[i].text, in.unit);
    }
    assert_true(has_new);
    assert_false(has_old);
}

static void heirs_are_found(void **state)
{
    (void)state;
    two_texts[0] = S("b-1");
    two_texts[1] = S("b-2");
    struct roster_unit unit = {.id = S("n-1"), .title = S("合并局")};
    struct roster_unit halves[2] = {{.id = S("n-2"), .title = S("甲")}, {.id = S("n-3"), .title = S("乙")}};
    struct slice from[] = {S("n-1")}, to[] = {S("n-2"), S("n-3")}, into[] = {S("n-1")};
    struct roster_succession merger = {.from = two_texts, .nfrom = 2, .to = into, .nto = 1};
    struct roster_succession split = {.from = from,
                                      .nfrom = 1,
                                      .to = to,
                                      .nto = 2,
                                      .heir_of_counts = S("n-2"),
                                      .heir_of_cases = S("n-3"),
                                      .heir_of_tasks = S("n-3")};
    struct slice last[] = {S("b-3")}, there[] = {S("b-2")};
    struct roster_succession late = {.from = last, .nfrom = 1, .to = there, .nto = 1};
    struct roster_change c[3] = {
        {.from = D(9, 1), .successions = &late, .nsuccessions = 1}, /* told before the others */
        {.from = D(5, 1), .units = &unit, .nunits = 1, .successions = &merger, .nsuccessions = 1},
        {.from = D(8, 1), .units = halves, .nunits = 2, .successions = &split, .nsuccessions = 1}};
    struct program *p = with(c, 3);
    assert_int_equal(p->nsuccessions, 3);
    assert_int_equal(p->successions[0].day, D(5, 1));
    assert_slice(program_heir(p, S("b-1"), HEIR_OF_CASES, D(4, 30)), "b-1");
    assert_slice(program_heir(p, S("b-2"), HEIR_OF_COUNTS, D(5, 1)), "n-1");
    assert_slice(program_heir(p, S("b-2"), HEIR_OF_COUNTS, D(8, 1)), "n-2");
    assert_slice(program_heir(p, S("b-1"), HEIR_OF_TASKS, D(8, 1)), "n-3");
    assert_slice(program_heir(p, S("b-3"), HEIR_OF_COUNTS, D(9, 1)),
                 "n-2"); /* by way of two that are no more */
    assert_slice(program_heir(p, S("nobody"), HEIR_OF_TASKS, D(8, 1)), "nobody");
    assert_slice(program_party(p, S("b-1"), HEIR_OF_CASES, D(8, 1))->id, "n-3");
    assert_null(program_party(&program, S("nobody"), HEIR_OF_CASES, D(8, 1)));

    /* Two that name each other: an end all the same. */
    struct succession round[2] = {
        {.day = D(5, 1), .from = into, .nfrom = 1, .to = from, .nto = 1, .heir = {S("x"), S("x"), S("x")}},
        {.day = D(5, 1), .from = to, .nfrom = 1, .to = from, .nto = 1, .heir = {S("y"), S("y"), S("y")}}};
    struct slice x[] = {S("x")}, y[] = {S("y")};
    round[0].from = y;
    round[1].from = x;
    struct program circle = program;
    circle.successions = round;
    circle.nsuccessions = 2;
    struct slice found = program_heir(&circle, S("x"), HEIR_OF_CASES, D(6, 1));
    assert_true(slice_eq(found, S("x")) || slice_eq(found, S("y")));
}

/* In force, ended with an heir, founded anew, ended without: nobody stands for it. */
static void an_id_used_again_has_its_own_end(void **state)
{
    (void)state;
    struct roster_unit unit = {.id = S("b-1"), .title = S("再设")};
    struct slice from[] = {S("b-1")}, to[] = {S("b-2")};
    struct roster_succession s = {.from = from, .nfrom = 1, .to = to, .nto = 1};
    struct roster_change c[3] = {{.from = D(2, 1), .successions = &s, .nsuccessions = 1},
                                 {.from = D(5, 1), .units = &unit, .nunits = 1},
                                 {.from = D(8, 1), .ended = from, .nended = 1}};
    struct program *p = with(c, 3);
    assert_slice(program_heir(p, S("b-1"), HEIR_OF_CASES, D(4, 30)), "b-2");
    assert_slice(program_heir(p, S("b-1"), HEIR_OF_CASES, D(5, 1)), "b-1");
    assert_slice(program_heir(p, S("b-1"), HEIR_OF_CASES, D(8, 1)), "b-1");
    assert_null(program_party(p, S("b-1"), HEIR_OF_CASES, D(8, 1)));
}

static void holders_are_those_of_the_day(void **state)
{
    (void)state;
    struct roster_unit unit = {.id = S("a-0"), .title = S("新"), .roles = &roles[ROLE_BUREAU], .nroles = 1};
    struct roster_change c = {.from = D(5, 1), .units = &unit, .nunits = 1};
    struct program *p = with(&c, 1);
    int role = ROLE_BUREAU, *held, both[] = {ROLE_BUREAU, 0, ROLE_BUREAU};
    size_t before = program_holders(&program, &role, 1, D(6, 1), arena, &held);
    assert_int_equal(program_holders(p, &role, 1, D(4, 30), arena, &held), before);
    assert_int_equal(program_holders(p, &role, 1, D(6, 1), arena, &held), before + 1);
    assert_slice(p->units[held[0]].id, "a-0"); /* by id, not by when they came */
    size_t n = program_holders(p, both, 3, D(6, 1), arena, &held);
    for (size_t i = 1; i < n; i++)
        assert_true(held[i - 1] < held[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGIME_TEST(rows_are_cut_and_put),
        REGIME_TEST(relations_come_and_go),
        REGIME_TEST(heirs_are_found),
        REGIME_TEST(an_id_used_again_has_its_own_end),
        REGIME_TEST(holders_are_those_of_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
