#include "core_regime.h"

static void units_change_over_time(void **state)
{
    (void)state;
    assert_slice(program_unit(&program, S("b-3"), mid_year - 1)->title, "三局");
    assert_slice(program_unit(&program, S("b-3"), mid_year)->title, "新三局");
    assert_null(program_unit(&program, S("old-c"), mid_year - 1));
    assert_slice(program_unit(&program, S("old-c"), mid_year)->id, "b-3");
    assert_null(program_unit(&program, S("b-"), mid_year));
    assert_null(program_unit(&program, S("B-1"), mid_year));
    assert_int_equal(program_role(&program, S("bureau")), ROLE_BUREAU);
    assert_int_equal(program_role(&program, S("none")), -1);
    assert_int_equal(program_kind(&program, S("slow")), KIND_DECLARED);
    assert_int_equal(program_machine(&program, S("card")), 1);
    assert_int_equal(program_obligation(&program, S("card")), -1);
    assert_int_equal(program_relation(&program, S("leader")), RELATION_LEADER);
    assert_non_null(table_find(&tables[0], S("i-2"), mid_year));
    assert_null(table_find(&tables[0], S("i-4"), mid_year));
}

static void sound_programs_pass_and_others_say_why(void **state)
{
    struct err e = {""};
    (void)state;
    machines[1].nlets = 0;
    if (!program_check(&program, &e))
        fail_msg("%s", e.text);

    relation_rows[3].unit = 77;
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "i-2: unit 77 of 5");
    relation_rows[3].unit = 1;

    machines[1].nlets = 2;
    lets[0] = (struct let){S("round"), name(EXPR_LET, 1)};
    lets[1] = (struct let){S("about"), node(EXPR_NOT, 1, name(EXPR_LET, 0))};
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "card: the let round stands on itself");
    lets[1].value = name(EXPR_VAR, 5);
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "card: expression's index 5 of 2");
    lets[1].value = node(EXPR_DIV, 1, constant(num(1, 1)));
    assert_false(program_check(&program, &e));
    lets[1].value = constant(yes(true));
    assert_true(program_check(&program, &e));

    struct unit swapped = units[0];
    units[0] = units[1];
    units[1] = swapped;
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "b-1: units must ascend by id, then by the day they begin");
    units[1] = units[0];
    units[0] = swapped;

    machines[1].initial = 3;
    assert_false(program_check(&program, &e));
    machines[1].initial = 0;
    assert_true(program_check(&program, NULL));

    machines[1].nkey = 3;
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "card: its key has too few or too many parts, or its variables no start");
    program.nmachines = 0;
    assert_false(program_check(&program, &e));
    assert_string_equal(e.text, "test: the generator is missing");
    program.nmachines = 2;
    program.nkinds = 2;
    assert_false(program_check(&program, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGIME_TEST(units_change_over_time),
        REGIME_TEST(sound_programs_pass_and_others_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
