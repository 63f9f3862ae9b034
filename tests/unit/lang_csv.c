/* CSV → cells with lines; and the closure of a definition read from disk. */
#include <sys/stat.h>

#include "lang/csv.h"
#include "lang_support.h"

static struct bench *parsed(struct slice text, struct csv **csv)
{
    struct bench *b = bench_new("t.csv", text);

    *csv = csv_parse(&b->file, &b->diags);
    return b;
}

static void refused(const char *text, const char *told)
{
    struct csv *csv = NULL;
    struct bench *b = parsed(slice_of(text), &csv);

    assert_null(csv);
    assert_told(b, told);
    bench_free(b);
}

/* ---- CSV */

static void cells_are_read_as_rfc_4180_says(void **state)
{
    struct csv *csv = NULL;
    struct bench *b = parsed(S("\xef\xbb\xbfid,标题,roles\r\nu-01, 市优环办 ,a|b\r\n\r\nu-02,\"he said "
                               "\"\"x\"\", y\",\r\nu-03,\"two\nlines\",z"),
                             &csv);

    (void)state;
    assert_non_null(csv);
    assert_int_equal(b->diags.n, 0);
    assert_int_equal(csv->ncolumns, 3);
    assert_int_equal(csv->n, 3);
    assert_slice(csv->header[0], "id");
    assert_slice(csv->rows[0].cell[1], "市优环办");
    assert_int_equal(csv->rows[0].line, 2);
    assert_slice(csv->rows[1].cell[1], "he said \"x\", y");
    assert_slice(csv->rows[1].cell[2], "");
    assert_int_equal(csv->rows[1].line, 4);
    assert_slice(csv->rows[2].cell[1], "two\nlines");
    assert_slice(csv->rows[2].cell[2], "z");
    assert_int_equal(csv->rows[2].line, 5);
    assert_int_equal(csv_column(csv, "roles"), 2);
    assert_int_equal(csv_column(csv, "role"), -1);
    bench_free(b);
}

static void a_header_alone_is_fine(void **state)
{
    struct csv *csv = NULL;
    struct bench *b = parsed(S("a,b\n"), &csv);

    (void)state;
    assert_non_null(csv);
    assert_int_equal(csv->n, 0);
    bench_free(b);
}

static void mistakes_are_diagnosed_with_their_line(void **state)
{
    (void)state;
    refused("", "W0022 1:1+1 the file is empty");
    refused("a,b\n1\n2,3,4\n5,6\n",
            "W0021 2:1+1 1 cells where the header has 2 columns\nW0021 3:1+1 3 cells");
    refused("a,b\n\"x\ny,1\n", "W0020 2:1+1 the quote opened here is never closed");
    refused("a,b\n\"x\"y,1\n", "W0020 2:4+1 text after a closing quote");
    refused("a,b\nx\"y,1\n", "W0020 2:2+1 a quote in the middle of a cell");
    refused("a,a\n1,2\n", "W0022 1:1+1 two columns have the name “a”");
    refused("a,\n1,2\n", "W0022 1:1+1 a column has no name");
    refused(
        "a,b\n测,\xb2\xe2\n",
        "W0004 2:3+1 a byte that is not UTF-8; text saved as UTF-8");
    refused("a,b\nx,\x02\n", "W0004 2:3+1 a control character");
    refused("a,b\nx,\u200by\n", "W0004 2:3+1 a character that nobody sees");
    refused("a,b\n\"x,1\n2,3\n", "W0020 2:1+1 the quote opened here is never closed");
    refused("a,b\nx\ry,1\n", "W0020 2:2+1 a carriage return in the middle of a line");
    refused("a,b\rx,1\r", "W0023 0:0+1 the lines end with a carriage return alone");
}

static void other_separators_are_named(void **state)
{
    (void)state;
    refused("a;b\nx;1\n", "W0024 1:2+1 the cells are parted by semicolons; commas: id,name,roles");
    refused("a\tb\nx\t1\n", "W0024 1:2+1 the cells are parted by tabs");
    refused("编号，名称\n1，甲\n", "W0024 1:3+1 the cells are parted by full-width commas");
    refused("\"a;\"\"b\"\n", "W0024 1:1+1 the cells are parted by semicolons");
    refused("a,b\nx，1\n", "W0021 2:1+1 1 cells where the header has 2 columns; commas between the cells");
    refused("a,b\nx\n", "W0021 2:1+1 1 cells where the header has 2 columns");
}

/* Of files as large as they may be, and of lines that are the whole file. */
static void size_is_bounded(void **state)
{
    static const size_t most = 16u << 20;
    struct buf text = {0};
    struct csv *csv = NULL;

    (void)state;
    buf_add(&text, S("a,b\n"));
    while (text.n < most - 16)
        buf_add(&text, S("1,2\n"));
    struct bench *b = parsed(buf_slice(&text), &csv);
    assert_null(csv);
    assert_told(b, "W0003 200002:1+1 the file has too many rows; at most 200000 rows");
    bench_free(b);
    for (size_t i = 4; i < text.n; i++)
        text.p[i] = i % 2 ? '"' : ',';
    b = parsed(buf_slice(&text), &csv);
    assert_null(csv);
    assert_int_equal(b->diags.n, 1);
    bench_free(b);
    buf_add(&text, S("0123456789abcdef0123456789abcdef"));
    b = parsed(buf_slice(&text), &csv);
    assert_told(b, "W0003 0:0+1 the file is too large; at most 16 MB");
    bench_free(b);
    buf_free(&text);
}

static void random_tables_never_crash(void **state)
{
    static const char piece[] = "a,\"\n\r \t|x\xff\xe6\xb5\x8b";
    uint64_t seed = seed_take();

    (void)state;
    for (int round = 0; round < 3000; round++) {
        char text[64];
        size_t n = (size_t)random_between(&seed, 0, sizeof text);
        struct csv *csv = NULL;
        struct bench *b = NULL;

        for (size_t i = 0; i < n; i++)
            text[i] = piece[random_next(&seed) % (sizeof piece - (round % 2 ? 1 : 5))];
        b = parsed((struct slice){text, n}, &csv);
        assert_int_equal(csv == NULL, b->diags.errors > 0);
        bench_free(b);
    }
}

/* ---- bundles */

struct folder {
    char root[64];
};

static void put(const struct folder *f, const char *path, const char *content)
{
    char full[256];
    FILE *out = NULL;

    snprintf(full, sizeof full, "%s/%s", f->root, path);
    for (char *p = full + strlen(f->root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(full, 0777);
        *p = '/';
    }
    out = fopen(full, "w");
    assert_non_null(out);
    fputs(content, out);
    fclose(out);
}

static struct folder folder_new(void)
{
    struct folder f = {"/tmp/lang-XXXXXX"};

    assert_non_null(mkdtemp(f.root));
    put(&f, "calendar/cn.csv", "date,kind,name\n");
    put(&f, "common/report.yaml", "fragment: report\ndocuments:\n  r: {title: x, template: r.html}\n");
    put(&f, "common/templates/r.html", "x");
    put(&f, "one/units.csv", "id\n");
    put(&f, "one/indicators.csv", "id\n");
    put(&f, "one/templates/slip.html", "y");
    return f;
}

static void folder_free(const struct folder *f)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", f->root);
    assert_int_equal(system(command), 0);
}

static const char plain[] =
    "workflow: one\ntimezone: Asia/Shanghai\ncalendar: cn\nunits: units.csv\nuse: [../common/report.yaml]\n"
    "tables:\n  indicators: {file: indicators.csv}\ndocuments:\n  slip: {template: slip.html}\n  none: "
    "{template: none.html}\n";

static struct bundle read_one(const struct folder *f, const char *dir, struct bench *b, bool expected)
{
    struct bundle bundle;
    struct slice full = arena_printf(b->arena, "%s/%s", f->root, dir);

    assert_int_equal(bundle_read(full.p, &bundle, &b->diags), expected);
    return bundle;
}

static void a_closure_is_gathered(void **state)
{
    static const char *const path[] = {
        "calendar/cn.csv",         "common/report.yaml", "common/templates/r.html", "one/indicators.csv",
        "one/templates/slip.html", "one/units.csv",      "one/workflow.yaml",       "zoneinfo/Asia/Shanghai"};
    struct folder f = folder_new();
    struct bench *b = bench_new("", S(""));
    struct bundle bundle;

    (void)state;
    put(&f, "one/workflow.yaml", plain);
    bundle = read_one(&f, "one/", b, true);
    assert_int_equal(b->diags.n, 0);
    assert_slice(bundle.root, "one/workflow.yaml");
    assert_int_equal(bundle.n, 8);
    for (size_t i = 0; i < 8; i++)
        assert_slice(bundle.files[i].path, path[i]);
    assert_slice(bundle.files[6].content, plain);
    assert_true(bundle.files[7].content.n > 100 && memcmp(bundle.files[7].content.p, "TZif", 4) == 0);
    assert_slice(bundle.files[1].shown, arena_printf(b->arena, "%s/common/report.yaml", f.root).p);
    assert_slice(bundle.files[7].shown, "zoneinfo/Asia/Shanghai");
    bench_free(b);
    folder_free(&f);
}

static void bad_references_are_diagnosed(void **state)
{
    static const struct {
        const char *yaml, *told;
    } bad[] = {
        {"units: nothing.csv\n", "W0001 1:8+11 "},
        {"units: /etc/passwd\n", "W0002 1:8+11 “/etc/passwd” is not a path that a definition may name"},
        {"units: ../../etc/passwd\n", "W0002 1:8+16 "},
        {"use: [../common/report.yaml, ../../../x.yaml]\n", "W0002 1:30+15 "},
        {"calendar: ../one\n", "W0002 1:11+6 “../one” is not the name of a calendar"},
        {"timezone: ../../etc/passwd\n", "W0002 1:11+16 “../../etc/passwd” is not a time zone"},
        {"timezone: Asia/Nowhere\n", "W0001 1:11+12 zoneinfo/Asia/Nowhere: No such file or directory"},
        {"units: ../common\n", "W0001 1:8+9 "},
        {"units: link.csv\n", "W0001 1:8+8 "},
        {"units: fifo\n", "W0001 1:8+4 "},
        {"a: b: c\n", "W0010 1:5+1 "},
    };
    struct folder f = folder_new();
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/one/link.csv", f.root);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    snprintf(path, sizeof path, "%s/one/fifo", f.root);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bench *b = bench_new("", S(""));

        put(&f, "one/workflow.yaml", bad[i].yaml);
        read_one(&f, "one", b, false);
        assert_told(b, bad[i].told);
        bench_free(b);
    }
    folder_free(&f);
}

static void a_missing_folder_is_diagnosed(void **state)
{
    struct folder f = folder_new();
    struct bench *b = bench_new("", S(""));

    (void)state;
    read_one(&f, "none", b, false);
    read_one(&f, "common", b, false); /* there, but without a workflow.yaml */
    assert_int_equal(b->diags.errors, 2);
    assert_told(b, "W0001 0:0+1 No such file or directory");
    bench_free(b);
    folder_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_read_as_rfc_4180_says),
        cmocka_unit_test(a_header_alone_is_fine),
        cmocka_unit_test(mistakes_are_diagnosed_with_their_line),
        cmocka_unit_test(other_separators_are_named),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(random_tables_never_crash),
        cmocka_unit_test(a_closure_is_gathered),
        cmocka_unit_test(bad_references_are_diagnosed),
        cmocka_unit_test(a_missing_folder_is_diagnosed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
