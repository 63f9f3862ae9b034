/* What authors are told: each folder of tests/diagnostics with an expected.txt is compiled, and what is
 * printed is compared with it. UPDATE=1 writes what is printed in its place. */
#include <dirent.h>
#include <sys/stat.h>

#include "lang_support.h"

#define GOLDEN_DIR "tests/diagnostics"

static void file_write(const char *path, struct slice s)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0)
        fail_msg("cannot write %s", path);
}

/* What is printed for one folder, with its path as given. */
static struct slice folder_told(struct arena *a, const char *name)
{
    struct diags d = {.arena = a};
    struct bundle b;
    char *text = NULL;
    size_t n = 0;
    const struct program *p = bundle_read(name, &b, &d) ? lang_compile(&b, a, &d) : NULL;
    FILE *f = open_memstream(&text, &n);

    assert_non_null(f);
    assert_true((p == NULL) == (d.errors > 0));
    diags_print(f, &d, false);
    fclose(f);
    struct slice told = arena_dup(a, (struct slice){text, n});
    free(text);
    return told;
}

static int folder_only(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void test_golden(void **state)
{
    const char *update = getenv("UPDATE");
    struct dirent **entry;
    int wrong = 0, compared = 0;
    (void)state;

    int n = scandir(".", &entry, folder_only, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        struct arena *a = arena_new();
        const char *name = entry[i]->d_name, *path = arena_printf(a, "%s/expected.txt", name).p;
        if (access(path, F_OK) == 0) {
            struct slice told = folder_told(a, name), wanted = disk_read(a, path);
            compared++;
            if (update != NULL && update[0] == '1')
                file_write(path, told);
            else if (!slice_eq(told, wanted) && ++wrong)
                print_message("%s prints\n%.*sbut wanted is\n%.*s", name, SLICE_ARG(told), SLICE_ARG(wanted));
        }
        free(entry[i]);
        arena_free(a);
    }
    free(entry);
    assert_true(compared >= 20);
    assert_int_equal(wrong, 0);
}

/* ---- every code: a mistake that earns it, and a word about it */

#define CODES_MAX 400

static void mark_codes(struct slice text, bool *seen)
{
    for (size_t i = 0; diag_code(i) != NULL; i++)
        seen[i] |= text.n > 0 && memmem(text.p, text.n, diag_code(i), strlen(diag_code(i))) != NULL;
}

static void test_every_code_has_a_case(void **state)
{
    bool seen[CODES_MAX] = {false};
    struct dirent **entry;
    int n = scandir(".", &entry, folder_only, alphasort), missing = 0;
    struct arena *a = arena_new();
    (void)state;
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *path = arena_printf(a, "%s/expected.txt", entry[i]->d_name).p;
        if (access(path, F_OK) == 0)
            mark_codes(disk_read(a, path), seen);
        free(entry[i]);
    }
    free(entry);
    for (size_t i = 0; diag_code(i) != NULL; i++) {
        assert_true(i < CODES_MAX);
        if (!seen[i] && ++missing)
            print_message("%s (%s) has no case in " GOLDEN_DIR "\n", diag_code(i), diag_title(diag_code(i)));
    }
    arena_free(a);
    assert_int_equal(missing, 0);
}

static void test_every_code_is_explained(void **state)
{
    int missing = 0;
    (void)state;
    for (size_t i = 0; diag_code(i) != NULL; i++) {
        const struct diag_note *note = diag_explain(diag_code(i));
        if ((note == NULL || !note->why[0] || !note->mistake[0] || !note->repair[0] || !strcmp(note->mistake, note->repair)) &&
            ++missing)
            print_message("%s (%s) is not explained\n", diag_code(i), diag_title(diag_code(i)));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(diag_code(i), diag_code(k)); /* a code stands for one thing */
    }
    assert_int_equal(missing, 0);
    assert_null(diag_explain("W9999"));
    assert_null(diag_title("W9999"));
}

static int to_cases(void **state)
{
    (void)state;
    if (chdir(GOLDEN_DIR) != 0)
        fail_msg("no %s: run from the top of the tree", GOLDEN_DIR);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_every_code_has_a_case),
                                       cmocka_unit_test(test_every_code_is_explained)};

    return cmocka_run_group_tests(tests, to_cases, NULL);
}
