/* YAML → tree with places; keys, types and values; diagnostics as printed. */
#include <time.h>

#include "lang_support.h"

static struct bench *parsed(const char *text, struct yaml **root)
{
    struct bench *b = bench_new("t.yaml", slice_of(text));

    *root = yaml_parse(&b->file, &b->diags);
    return b;
}

static void refused(const char *text, const char *told)
{
    struct yaml *root = NULL;
    struct bench *b = parsed(text, &root);

    assert_true(b->diags.errors > 0);
    assert_told(b, told);
    bench_free(b);
}

static void assert_place(const struct yaml *n, int line, int column, int width)
{
    assert_non_null(n);
    assert_int_equal(n->line, line);
    assert_int_equal(n->column, column);
    assert_int_equal(n->width, width);
}

/* ---- trees */

static void scalars_are_text_with_places(void **state)
{
    struct yaml *root = NULL;
    struct bench *b = parsed("\xef\xbb\xbf# note\n标题: 测试 文字  # note\nyes: no\nn: 0x1F\nq: "
                             "\"a\\\"b\"\ns: 'it''s'\nempty:\nmap: {a: 一 二, b: }\n"
                             "list:\n  - x\n  -\n  - [1, 2]\nblock: |\n  one\n  two\n",
                             &root);

    (void)state;
    assert_non_null(root);
    assert_int_equal(b->diags.n, 0);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->n, 9);
    assert_slice(yaml_get(root, "标题")->text, "测试 文字");
    assert_place(yaml_get(root, "标题"), 2, 5, 5);
    assert_place(root->pairs[0].key, 2, 1, 2);
    assert_slice(yaml_get(root, "yes")->text, "no"); /* not a truth value */
    assert_slice(yaml_get(root, "n")->text, "0x1F");
    assert_slice(yaml_get(root, "q")->text, "a\"b");
    assert_true(yaml_get(root, "q")->quoted);
    assert_place(yaml_get(root, "q"), 5, 5, 4);
    assert_slice(yaml_get(root, "s")->text, "it's");
    assert_int_equal(yaml_get(root, "empty")->kind, YAML_NULL);
    assert_slice(yaml_get(yaml_get(root, "map"), "a")->text, "一 二");
    assert_place(yaml_get(yaml_get(root, "map"), "a"), 8, 10, 3);
    assert_int_equal(yaml_get(yaml_get(root, "map"), "b")->kind, YAML_NULL);
    assert_int_equal(yaml_get(root, "list")->n, 3);
    assert_int_equal(yaml_get(root, "list")->items[1]->kind, YAML_NULL);
    assert_int_equal(yaml_get(root, "list")->items[2]->n, 2);
    assert_slice(yaml_get(root, "block")->text, "one\ntwo\n");
    assert_place(yaml_get(root, "block"), 14, 3, 1);
    assert_null(yaml_get(root, "none"));
    assert_null(yaml_get(yaml_get(root, "yes"), "x"));
    bench_free(b);
}

static void nothing_is_a_tree_too(void **state)
{
    static const char *const text[] = {"", "# only a note\n", "---\n", "\xef\xbb\xbf"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct yaml *root = NULL;
        struct bench *b = parsed(text[i], &root);

        assert_non_null(root);
        assert_int_equal(root->kind, YAML_NULL);
        assert_int_equal(b->diags.n, 0);
        bench_free(b);
    }
}

static void places_within_scalars(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        int line, column;
    } at[] = {
        {"x: 一 = two\n", 6, 1, 8},
        {"x: \"a\\\"b c\"\n", 4, 1, 10},
        {"x: 'it''s so'\n", 5, 1, 11},
        {"x: one\n  two three\n", 8, 2, 7},
        {"x: |\n  one\n  two\n", 4, 3, 3},
        {"x: >\n  one\n  two\n", 5, 3, 4},
        {"x: abc\n", 3, 1, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct yaml *root = NULL;
        struct bench *b = parsed(at[i].text, &root);
        int line = 0, column = 0;

        yaml_place_in(yaml_get(root, "x"), at[i].offset, &line, &column);
        if (line != at[i].line || column != at[i].column)
            fail_msg("%s at %zu: %d:%d", at[i].text, at[i].offset, line, column);
        bench_free(b);
    }
}

/* ---- what is refused */

static void syntax_is_diagnosed_in_place(void **state)
{
    (void)state;
    refused("a: b: c\n", "W0010 1:5+1 ");
    refused("a: 1\n b: 2\n", "W0010 1:4+1 ");
    refused("a: \"un\n", "W0019 1:4+1 this quote ends before the line does, or never");
    refused("x:\n  a: [1, 2\nb: 3\n", "W0010 3:2+1 wrongly indented");
    refused("a: [1, 2\nb: 3\n", "W0010 1:4+1 "); /* where it was opened, not where the file ends */
    refused("a: {if: x in [a, b]}\n",
            "W0010 1:14+1 missing comma in flow mapping; write an expression with brackets");
    refused("t: >= 25%\n", "W0019 1:4+1 a > that begins a text means a block of lines to YAML; ≥ instead of >=");
    refused("a: @x\n", "W0019 1:4+1 a text cannot begin with this sign; quotes around the text");
    refused("a: 1\n]\n", "W0010 2:1+1 ");
}

static void tabs_and_bytes_are_diagnosed_all_at_once(void **state)
{
    struct yaml *root = NULL;
    struct bench *b = NULL;

    (void)state;
    refused("a:\n\tb: 1\n  \tc: 2\n", "W0011 2:1+1 a tab indents this line; spaces\nW0011 3:3+1 ");
    refused("a: 测\xff\n", "W0004 1:5+1 the byte 0xff is not UTF-8");
    refused("a: x\x01\n", "W0004 1:5+1 the control character 0x01");
    b = bench_new("t.yaml", (struct slice){"a: x\0y\n", 7});
    assert_null(yaml_parse(&b->file, &b->diags));
    assert_told(b, "W0004 1:5+1 the control character 0x00");
    bench_free(b);
    refused("a: x\x7f\n", "W0004 1:5+1 the control character 0x7f");
    refused("a: \"督\\x00办\"\n", "W0004 1:5+6 an escape puts the character U+0000 into this text");
    refused("a: \"x\\u202ey\"\n", "W0004 1:5+8 an escape puts the character U+202E into this text");
    b = parsed("a:\tx\nb: \"y\tz\"\n", &root); /* a tab between words of YAML, or in quotes, is harmless */
    assert_non_null(root);
    assert_told(b, "");
    bench_free(b);
    refused("a: x\ty\n", "W0011 1:5+1 a tab in the midst of a text; a space");
    refused("a: x\u200by\n", "W0004 1:5+1 the character U+200B, which nobody sees");
    refused("a: x\ufeffy\n", "W0004 1:5+1 the character U+FEFF, which nobody sees");
}

/* ---- what looks like YAML and is none */

static void look_alikes_are_told(void **state)
{
    (void)state;
    refused("a: 1\nb：2\nc: 3\n", "W0017 2:2+1 a full-width colon: YAML takes it for a letter; an ASCII colon and a blank");
    refused("a: 1\n- b：2\n", "W0017 2:4+1 ");
    refused("a: {b：2, c: 3}\n", "W0017 1:6+1 a full-width colon");
    refused("a: {b: 2，c: 3}\n", "W0017 1:9+1 a full-width comma parts nothing");
    refused("a: {t: \"甲，乙\", b: 2，c: 3}\n", "W0017 1:19+1 "); /* not that in quotes */
    refused("a: 1\nb:2\nc: 3\n", "W0017 2:2+1 no blank follows the colon");
    refused("a: 1\nb:\u30002\nc: 3\n", "W0018 2:3+1 a blank that is no space; a space");
    refused("a:\n\u3000\u3000b: 1\n", "W0018 2:1+1 a blank that is no space");
    refused("a: 1\nb: \u00a0x\u00a0\n", "W0018 2:4+1 a blank that is no space");
    refused("a: 1\nb: x\u3000\n", "W0018 2:5+1 a blank that is no space");
    refused("a: - x\n", "W0019 1:4+1 to YAML this sign begins something other than a text");
    refused("a: {b}：c\n", "W0019 1:4+1 this bracket begins a map or a list");
    refused("a: 'b'c\n", "W0019 1:4+1 this quote ends");
}

static void what_only_resembles_them_is_text(void **state)
{
    static const char *const fine[] = {"a: 甲：乙，丙\n", "a: |\n  b：c\n  　　d:e\n  > f\nx: 1\n", "a: [甲：乙]\n", "a: \"b：c\"\n",
                                       "a: 12:30\n", "# a：b\na: 1\n", "a: \"　b\"\n", "a: b　c\n"};
    struct yaml *root = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        struct bench *b = parsed(fine[i], &root);
        assert_told(b, "");
        assert_non_null(root);
        bench_free(b);
    }
    /* … beside a true mistake, too: lines of a block are not looked at. */
    refused("a: |\n  b：c\n\n  d:e\nx: y: z\n", "W0010 5:5+1 invalid nested block mapping on the same line; quotes around a text with a colon");
}

/* The value that the key swallowed is read all the same. */
static void a_swallowed_value_is_still_there(void **state)
{
    struct yaml *root = NULL;
    struct bench *b = parsed("a: {b：2d, c：, d: e}\n", &root);
    (void)state;
    assert_non_null(root);
    const struct yaml *a = yaml_get(root, "a"), *two = yaml_get(a, "b");
    assert_int_equal(a->n, 3);
    assert_slice(two->text, "2d");
    assert_place(two, 1, 7, 2);
    assert_int_equal(yaml_get(a, "c")->kind, YAML_NULL);
    assert_slice(yaml_get(a, "d")->text, "e");
    bench_free(b);
}

static void other_encodings_are_named(void **state)
{
    static const struct {
        struct slice bytes;
        const char *told;
    } v[] = {
        {S("a: \xb6\xbd\xb0\xec\n"), "W0023 0:0+1 the file is in GBK (这是 GBK 编码), not in UTF-8; UTF-8: iconv -f GBK -t UTF-8"},
        {S("a: \xb6\xbd\xb0\xec\x81\x30\x81\x30\n"), "W0023 0:0+1 the file is in GB18030 "},
        {S("a: \xb6\xbd\xb0"), "W0023 0:0+1 the file is in GBK "}, /* cut off */
        {S("a: caf\xe9 au lait\n"), "W0004 1:7+1 the byte 0xe9 is not UTF-8"},
        {S("a: \xb6\xbd\xff\n"), "W0004 1:4+1 "},
        {S("a: \x80\n"), "W0004 1:4+1 "},
        {S("\xff\xfe\x61\0:\0 \0x\0"), "W0023 0:0+1 the file is in UTF-16LE "},
        {S("\xfe\xff\0a\0:\0 \0x"), "W0023 0:0+1 the file is in UTF-16BE "},
        {S("\xff\xfe\0\0a\0\0\0"), "W0023 0:0+1 the file is in UTF-32LE "},
        {S("a\0:\0 \0x\0y\0z\0z\0z\0z\0"), "W0023 0:0+1 the file is in UTF-16LE "},
        {S("a: 1\rb: 2\r"), "W0023 0:0+1 the lines end with a carriage return alone"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct bench *b = bench_new("t.yaml", v[i].bytes);
        assert_null(yaml_parse(&b->file, &b->diags));
        assert_told(b, v[i].told);
        bench_free(b);
    }
}

static void features_are_refused(void **state)
{
    (void)state;
    refused("a: &x 1\n", "W0012 1:4+1 anchors");
    refused("a: *x\n", "W0012 1:4+1 aliases");
    refused("a: !t x\n", "W0012 1:4+1 tags");
    refused("- &a [x]\n- !!map {}\n", "W0012 1:3+1 anchors (&name) are not taken; plain text; quote a text "
                                      "that begins with & ! or *\nW0012 2:3+1 tags");
    refused("a: 1\n---\nb: 2\n", "W0012");
    refused("%YAML 1.1\n---\na: 1\n", "W0012 1:1+1 directives");
    refused("? [k]\n: v\n", "W0015 1:3+1 a key must be a word, not a list");
    refused("{a: 1}: v\n", "W0015 1:1+1 a key must be a word, not a map");
}

static void repeated_keys_are_diagnosed_at_the_repeat(void **state)
{
    (void)state;
    refused("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n",
            "W0013 4:3+1 the key “c” stands here a second time: first in line 3\nW0013 5:1+1 the key “a” "
            "stands here a second time: first in line 1");
}

static void a_comma_in_braces_is_diagnosed(void **state)
{
    struct yaml *root = NULL;
    struct bench *b = NULL;

    (void)state;
    refused("r: {if: max(a, b) > 1}\n", "W0016 1:9+5 the bracket opened in “max(a” is not closed");
    b = parsed("r: {if: count(a) = 1}\ns: max(a, b)\n", &root);
    assert_non_null(root);
    assert_int_equal(b->diags.n, 0);
    bench_free(b);
}

static void depth_and_size_are_bounded(void **state)
{
    struct buf text = {0};
    struct bench *b = NULL;

    (void)state;
    for (int n = 60; n <= 6000; n *= 10) {
        buf_clear(&text);
        for (int i = 0; i < n; i++)
            buf_byte(&text, '[');
        for (int i = 0; i < n; i++)
            buf_byte(&text, ']');
        b = bench_new("t.yaml", buf_slice(&text));
        assert_int_equal(yaml_parse(&b->file, &b->diags) != NULL, n == 60);
        bench_free(b);
    }
    buf_clear(&text);
    for (int i = 0; i < 500100; i++)
        buf_add(&text, S("- a\n"));
    b = bench_new("t.yaml", buf_slice(&text));
    assert_null(yaml_parse(&b->file, &b->diags));
    assert_told(b, "W0003");
    bench_free(b);
    buf_clear(&text); /* all on one line: it takes no longer than on many */
    for (int i = 0; i < 200000; i++)
        buf_byte(&text, 'a');
    b = bench_new("t.yaml", buf_slice(&text));
    clock_t begun = clock();
    assert_non_null(yaml_parse(&b->file, &b->diags));
    assert_true(clock() - begun < 5 * CLOCKS_PER_SEC);
    bench_free(b);
    buf_free(&text);
}

/* ---- keys */

static void keys_are_checked_alike(void **state)
{
    static const struct key_def def[] = {{.name = "title", .kind = YAML_SCALAR, .required = true},
                                         {.name = "rules", .kind = YAML_LIST},
                                         {.name = "enter", .kind = YAML_NULL},
                                         {.name = "go", .kind = YAML_SCALAR, .required = true}};
    struct yaml *root = NULL;
    struct bench *b = parsed("tilte: x\nrules: {a: 1}\nenter: [x]\ngo:\nzzzzzz: 1\n", &root);
    struct compiler c = {.arena = b->arena, .diags = &b->diags};

    (void)state;
    assert_true(keys_check(&c, root, def, 4, "state yellow"));
    assert_told(b, "W0030 1:1+5 “tilte” is not a key of state yellow; did you mean “title”?\n"
                   "W0031 1:1+1 state yellow has no “title”\n"
                   "W0032 2:8+1 “rules” of state yellow has a map; a list\n"
                   "W0032 4:1+2 “go” of state yellow has nothing; a text\n"
                   "W0030 5:1+6 “zzzzzz” is not a key of state yellow; one of title, rules, enter, go");
    bench_free(b);
    b = parsed("- x\n", &root);
    c = (struct compiler){.arena = b->arena, .diags = &b->diags};
    assert_false(keys_check(&c, root, def, 4, "state yellow"));
    assert_false(keys_check(&c, NULL, def, 4, "state yellow"));
    assert_told(b, "W0032 1:1+1 state yellow is a list");
    bench_free(b);
}

static void the_nearest_name_is_offered(void **state)
{
    const struct slice names[] = {S("yellow"), S("red"), S("优环办调度"), S("lead-leader")};

    (void)state;
    assert_slice(nearest_name(S("yelow"), names, 4), "yellow");
    assert_slice(nearest_name(S("rde"), names, 4), "red");
    assert_slice(nearest_name(S("优环办调渡"), names, 4), "优环办调度");
    assert_slice(nearest_name(S("lead-laeder"), names, 4), "lead-leader");
    assert_slice(nearest_name(S("x"), names, 4), "");
    assert_slice(nearest_name(S(""), names, 4), "");
    assert_slice(nearest_name(S("completely-other"), names, 4), "");
}

/* ---- types and values */

static struct program *program_new(struct arena *a)
{
    static struct table_row row[] = {{.key = {"i-001", 5}}};
    static struct unit units[] = {{.id = {"u-01", 4}}, {.id = {"u-02", 4}}};
    struct program *p = ARENA_NEW(a, struct program);

    p->tables = ARENA_ARRAY(a, struct table, 1);
    p->tables[0] = (struct table){.name = S("indicators"), .row = S("indicator"), .rows = row, .nrows = 1};
    p->ntables = 1;
    p->units = units;
    p->nunits = 2;
    program_index(p, a);
    return p;
}

static void types_read_as_written(void **state)
{
    static const struct {
        const char *text, *type, *told;
    } t[] = {
        {"text", "text", ""},
        {"optional date", "optional date", ""},
        {"set of unit", "set of unit", ""},
        {"optional list of attachment", "optional list of attachment", ""},
        {"前 | 后", "前 | 后", ""},
        {"optional A | B|C", "optional A | B | C", ""},
        {"quarter", "quarter", ""},
        {"indicator", "key of a table", ""},
        {"yes-no", "yes-no", ""},
        {"{list of: {item: text, n: optional number}}", "list of {item: text, n: optional number}", ""},
        {"dat", "", "W0033 1:4+3 “dat” is not a type; did you mean “date”?"},
        {"optional set of untis", "", "W0033 1:20+5 “untis” is not a type; did you mean “unit”?"},
        {"A |", "", "W0033 1:4+3 a word is missing"},
        {"A | B | A", "", "W0033 1:12+1 this word stands here twice"},
        {"text?", "", "W0033 1:4+5 “text?” is not a type; did you mean “text”?"},
        {"[text]", "", "W0032 1:4+1 the type is a list"},
        {"{map of: text}", "", "W0033 1:4+1 this map is not a type; `list of: {name: type, …}`"},
        {"{list of: {item: txet}}", "", "W0033 1:21+4 “txet” is not a type"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct bench *b = bench_new("t.yaml", S(""));
        struct yaml *root = NULL;
        struct type type;
        bool ok = false;

        b->file.content = arena_printf(b->arena, "x: %s\n", t[i].text);
        root = yaml_parse(&b->file, &b->diags);
        ok = type_compile(
            &(struct compiler){.arena = b->arena, .diags = &b->diags, .program = program_new(b->arena)},
            yaml_get(root, "x"), &type);
        assert_told(b, t[i].told);
        assert_int_equal(ok, t[i].told[0] == '\0');
        if (ok)
            assert_slice(type_format(b->arena, &type), t[i].type);
        bench_free(b);
    }
}

static void values_read_as_their_type_says(void **state)
{
    static const struct {
        const char *type, *text, *value, *told;
    } v[] = {
        {"yes-no", "yes", "yes", ""},
        {"yes-no", "true", "", "W0034 2:4+4 “true” does not fit here; did you mean “yes”?"},
        {"number", "70%", "0.7", ""},
        {"number", "x", "", "W0034 2:4+1 “x” does not fit here; number such as 12"},
        {"duration", "30d", "30d", ""},
        {"date", "2024-02-29", "2024-02-29", ""},
        {"date", "2023-02-29", "", "W0034"},
        {"quarter", "2024Q1", "2024Q1", ""},
        {"quarter", "2024-01", "", "W0034 2:4+7 “2024-01” does not fit here; quarter such as 2024Q1"},
        {"period", "2024-01", "2024-01", ""},
        {"instant", "2024-04-10T09:00:00+08:00", "2024-04-10T01:00:00Z", ""},
        {"甲 | 乙", "甲", "甲", ""},
        {"甲 | 乙", "丙", "", "W0034 2:4+1 “丙” is none of the words"},
        {"unit", "u-01", "u-01", ""},
        {"unit", "u-03", "", "W0034 2:4+4 there is no unit “u-03”; did you mean “u-01”?"},
        {"indicator", "i-001", "i-001", ""},
        {"indicator", "i-002", "",
         "W0034 2:4+5 there is no indicator “i-002”; a key of the table indicators"},
        {"set of unit", "u-02|u-01|u-02", "[u-01, u-02]", ""},
        {"set of unit", "[u-02, u-01]", "[u-01, u-02]", ""},
        {"list of number", "[2, 1]", "[2, 1]", ""},
        {"list of number", "[2, x]", "", "W0034 2:8+1 “x” does not fit here"},
        {"text", "{a: b}", "", "W0032 2:4+1 a map cannot stand here; text"},
        {"optional number", "", "n/a", ""},
        {"number", "", "", "W0034"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        struct bench *b = bench_new("t.yaml", S(""));
        struct compiler c = {.arena = b->arena, .diags = &b->diags, .program = program_new(b->arena)};
        struct yaml *root = NULL;
        struct type type;
        struct value value;
        bool ok = false;

        b->file.content = arena_printf(b->arena, "t: %s\nv: %s\n", v[i].type, v[i].text);
        root = yaml_parse(&b->file, &b->diags);
        assert_true(type_compile(&c, yaml_get(root, "t"), &type));
        ok = value_compile(&c, yaml_get(root, "v"), yaml_get(root, "v")->text, &type, &value);
        assert_told(b, v[i].told);
        assert_int_equal(ok, v[i].told[0] == '\0');
        if (ok)
            assert_slice(value_format(b->arena, &value, NULL), v[i].value);
        bench_free(b);
    }
}

/* ---- places and printing */

static void places_are_kept(void **state)
{
    struct yaml *root = NULL;
    struct bench *b = parsed("a: 1\nb: 2\n", &root);
    struct program *p = program_new(b->arena);
    struct compiler c = {.arena = b->arena, .diags = &b->diags, .program = p};

    (void)state;
    assert_int_equal(place_of(&c, NULL), 0);
    for (uint32_t i = 1; i < 200; i += 2) {
        assert_int_equal(place_of(&c, yaml_get(root, "a")), i);
        assert_int_equal(place_of(&c, yaml_get(root, "a")), i);
        assert_int_equal(place_of(&c, yaml_get(root, "b")), i + 1);
    }
    for (uint32_t i = 1; i < 200; i++)
        assert_int_equal(p->places[i].line, i % 2 == 1 ? 1 : 2);
    assert_slice(p->places[7].file, "t.yaml");
    bench_free(b);
}

static void spots_are_underlined_in_columns(void **state)
{
    struct bench *b = bench_new("a.yaml", S("if: 优环办 = 组长é x\n"));
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    diag_add(&b->diags, SEVERITY_ERROR, DIAG_EXPR_NAME, &b->file, 1, 11, 2, "did you mean “x”?", "no “%s”",
             "组长");
    diag_add(&b->diags, SEVERITY_WARNING, DIAG_FILE, &b->file, 0, 0, 1, "a file", "gone");
    diag_add(&b->diags, SEVERITY_ERROR, DIAG_EXPR_NAME, &b->file, 1, 11, 2, "did you mean “x”?", "no “%s”",
             "组长");
    diag_add(&b->diags, SEVERITY_ERROR, DIAG_EXPR_SYNTAX, &b->file, 1, 16, 1, NULL, "breaks off");
    diags_sort(&b->diags);
    diags_print(f, &b->diags, false);
    fclose(f);
    assert_string_equal(text, "a.yaml: warning W0001: gone\n"
                              "    expected: a file\n"
                              "a.yaml:1:11: error W0043: no “组长”\n"
                              "    if: 优环办 = 组长é x\n"
                              "                 ^^^^\n"
                              "    did you mean “x”?\n"
                              "a.yaml:1:16: error W0041: breaks off\n"
                              "    if: 优环办 = 组长é x\n"
                              "                        ^\n");
    free(text);
    assert_int_equal(b->diags.errors, 2); /* what was said twice counts once */
    bench_free(b);
}

static void codes_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; diag_code(i) != NULL; i++) {
        assert_int_equal(strlen(diag_code(i)), 5);
        assert_non_null(diag_title(diag_code(i)));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(diag_code(i), diag_code(k));
    }
    assert_null(diag_title("W9999"));
}

/* ---- anything at all */

static void random_documents_never_crash(void **state)
{
    static const char *const piece[] = {"a",
                                        ": ",
                                        "- ",
                                        "\n",
                                        "  ",
                                        "[",
                                        "]",
                                        "{",
                                        "}",
                                        ", ",
                                        "\"",
                                        "'",
                                        "#",
                                        "|",
                                        ">",
                                        "&x",
                                        "*x",
                                        "!t",
                                        "?",
                                        "---",
                                        "一",
                                        "\t",
                                        "%",
                                        "\xff",
                                        "if: max(a, b)\n",
                                        "key: value\n",
                                        "\\",
                                        "\r\n"};
    uint64_t seed = seed_take();

    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct buf text = {0};
        struct bench *b = NULL;

        for (int64_t n = random_between(&seed, 0, 40); n > 0; n--)
            buf_add(&text, slice_of(piece[random_next(&seed) % (sizeof piece / sizeof *piece)]));
        b = bench_new("t.yaml", buf_slice(&text));
        if (yaml_parse(&b->file, &b->diags) == NULL)
            assert_true(b->diags.errors > 0);
        for (size_t i = 0; i < b->diags.n; i++)
            assert_true(b->diags.item[i].line >= 0 && b->diags.item[i].width >= 1);
        bench_free(b);
        buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_are_text_with_places),
        cmocka_unit_test(nothing_is_a_tree_too),
        cmocka_unit_test(places_within_scalars),
        cmocka_unit_test(syntax_is_diagnosed_in_place),
        cmocka_unit_test(tabs_and_bytes_are_diagnosed_all_at_once),
        cmocka_unit_test(look_alikes_are_told),
        cmocka_unit_test(what_only_resembles_them_is_text),
        cmocka_unit_test(a_swallowed_value_is_still_there),
        cmocka_unit_test(other_encodings_are_named),
        cmocka_unit_test(features_are_refused),
        cmocka_unit_test(repeated_keys_are_diagnosed_at_the_repeat),
        cmocka_unit_test(a_comma_in_braces_is_diagnosed),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(keys_are_checked_alike),
        cmocka_unit_test(the_nearest_name_is_offered),
        cmocka_unit_test(types_read_as_written),
        cmocka_unit_test(values_read_as_their_type_says),
        cmocka_unit_test(places_are_kept),
        cmocka_unit_test(spots_are_underlined_in_columns),
        cmocka_unit_test(codes_are_unique),
        cmocka_unit_test(random_documents_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
