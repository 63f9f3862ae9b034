/* The list of all that falls due: tasks of one owner and of several, and the days of schedules, in due order.
 */
#include "core/due.h"
#include "lang_folder.h"

static struct due_row *listed(struct folder *f, date_t from, date_t until, const char *unit, size_t *n)
{
    struct due_row *row;
    due_list(f->program, from, until, slice_of(unit), f->arena, &row, n);
    for (size_t i = 0; i < *n; i++) {
        assert_true(i == 0 || row[i - 1].due.effective <= row[i].due.effective);
        assert_true(row[i].due.day >= from && row[i].due.day < until);
        assert_true((row[i].obligation == NULL) == (row[i].schedule != NULL));
    }
    return row;
}

static size_t count_of(const struct due_row *row, size_t n, const char *name)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += slice_eq(row[i].schedule ? row[i].schedule->name : row[i].obligation->name, slice_of(name));
    return found;
}

static void a_year_has_tasks_and_occasions(void **state)
{
    (void)state;
    struct folder *f = folder_good("births");
    size_t n;
    struct due_row *row = listed(f, date_from_civil(2024, 1, 1), date_from_civil(2025, 2, 1), "", &n);
    assert_int_equal(count_of(row, n, "quarter-opens"), 4);
    assert_int_equal(count_of(row, n, "year-review"), 1);
    assert_int_equal(count_of(row, n, "joint-inspection"), 4);
    assert_int_equal(count_of(row, n, "self-score"), 24);
    assert_int_equal(count_of(row, n, "tip-reply"), 0); /* nobody knows beforehand */

    /* Occasions of one day stand in the order of the file. */
    f->program->schedules[1].at = f->program->schedules[0].at;
    f->program->schedules[1].each = PERIOD_QUARTER;
    row = listed(f, date_from_civil(2024, 4, 1), date_from_civil(2024, 4, 2), "", &n);
    assert_int_equal(n, 2);
    assert_slice(row[0].schedule->name, "quarter-opens");
    assert_slice(row[1].schedule->name, "year-review");
    folder_free(f);
}

static void what_one_unit_owes_has_no_occasions(void **state)
{
    (void)state;
    struct folder *f = folder_good("births");
    size_t n;
    struct due_row *row =
        listed(f, date_from_civil(2024, 1, 1), date_from_civil(2025, 2, 1), "inspection", &n);
    assert_int_equal(n, 4); /* the second owner of what two owe together */
    assert_int_equal(count_of(row, n, "joint-inspection"), 4);
    assert_slice(row[0].unit, "inspection");
    row = listed(f, date_from_civil(2024, 1, 1), date_from_civil(2025, 2, 1), "nobody", &n);
    assert_int_equal(n, 0);
    folder_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_year_has_tasks_and_occasions),
                                       cmocka_unit_test(what_one_unit_owes_has_no_occasions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
