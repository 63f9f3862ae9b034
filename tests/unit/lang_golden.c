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

    if (chdir(GOLDEN_DIR) != 0)
        fail_msg("no %s: run from the top of the tree", GOLDEN_DIR);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
