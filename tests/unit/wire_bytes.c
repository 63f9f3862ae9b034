/* The wire format under hostile hands: the check that stands before every unpack. */
#include "wire_support.h"

#include "wire/proto.h"

/* ---- bytes by hand */

static struct buf made;

static void start(void)
{
    buf_clear(&made);
}

static void varint(uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_byte(&made, (unsigned char)(v | 0x80));
    buf_byte(&made, (unsigned char)v);
}

static void put_number(unsigned field, uint64_t v)
{
    varint(field << 3);
    varint(v);
}

static void put_bytes(unsigned field, struct slice s)
{
    varint(field << 3 | 2);
    varint(s.n);
    buf_add(&made, s);
}

static struct slice taken(void)
{
    return arena_dup(arena, buf_slice(&made));
}

/* A message of one field of bytes. */
static struct slice wrapped(unsigned field, struct slice s)
{
    start();
    put_bytes(field, s);
    return taken();
}

static struct slice glued(struct slice a, struct slice b)
{
    start();
    buf_add(&made, a);
    buf_add(&made, b);
    return taken();
}

enum { WORKFLOW = 1, REVIEW = 11, FACT = 12, RANKING = 14, KIND = 1, REPORTER = 2, FIELDS = 3 };

static struct slice fact_of(struct slice fact)
{
    return glued(wrapped(WORKFLOW, S("w")), wrapped(FACT, fact));
}

static struct slice plain_fact(void)
{
    return glued(wrapped(KIND, S("k")), wrapped(REPORTER, S("r")));
}

static bool take(struct slice data, const char *type, struct input *in, struct reasons *why)
{
    struct cloud_event e = {S("e1"), S("s"), slice_of(type), S("application/protobuf"), INSTANT_NONE,
                            S("w"),  data};
    *in = (struct input){0};
    return wire_input(&e, arena, in, why);
}

static void refused(struct slice data, const char *type, const char *reasons)
{
    struct reasons why = {.arena = arena};
    struct input in;
    assert_false(take(data, type, &in, &why));
    struct slice all = joined(&why);
    if (!slice_eq(all, slice_of(reasons)))
        fail_msg("wanted: %s\n  got:    %.*s", reasons, SLICE_ARG(all));
}

/* ---- one fault each */

static void good_bytes(void **state)
{
    (void)state;
    struct reasons why = {.arena = arena};
    struct input in;
    assert_true(take(fact_of(plain_fact()), "duban.v1.Fact", &in, &why));
    assert_slice(in.kind, "k");
    assert_slice(in.reporter, "r");
    assert_slice(in.workflow, "w");
}

static void each_fault_is_named(void **state)
{
    (void)state;
    struct slice fact = plain_fact();
    refused(S(""), "duban.v1.Fact",
            "no body: expected one like submission, fact or ranking | workflow: missing");
    refused(wrapped(WORKFLOW, S("w")), "duban.v1.Fact",
            "no body: expected one like submission, fact or ranking");
    refused(fact_of(glued(fact, wrapped(4, S("\x0a\x02"
                                             "a\xff")))),
            "duban.v1.Fact", "fact.attachments.name: the text is not UTF-8");
    refused(fact_of(glued(wrapped(KIND, S("a\0b")), wrapped(REPORTER, S("r")))), "duban.v1.Fact",
            "fact.kind: the text has a NUL byte in it");
    refused(glued(fact_of(fact), S("\xff\xff")), "duban.v1.Fact",
            "byte 11 of 13: not a field of duban.v1.InputEvent, or cut short");
    refused(glued(fact_of(fact), S("\x00")), "duban.v1.Fact",
            "byte 11 of 12: not a field of duban.v1.InputEvent, or cut short");
    refused(glued(fact_of(fact), S("\x0b")), "duban.v1.Fact",
            "byte 11 of 12: not a field of duban.v1.InputEvent, or cut short");
    refused(glued(fact_of(fact), wrapped(99, S("x"))), "duban.v1.Fact",
            "field 99 of duban.v1.InputEvent is not known to this version");
    refused(fact_of(glued(fact, wrapped(7, S("x")))), "duban.v1.Fact",
            "fact: field 7 of duban.v1.Fact is not known to this version");
    refused(glued(fact_of(fact), wrapped(WORKFLOW, S("w"))), "duban.v1.Fact", "workflow: given twice");
    refused(glued(fact_of(fact), wrapped(REVIEW, S(""))), "duban.v1.Fact",
            "review: given beside fact: only one of them may be");
    start();
    put_number(WORKFLOW, 1);
    struct slice number = taken();
    refused(glued(number, wrapped(FACT, fact)), "duban.v1.Fact",
            "workflow: encoded as another type than the contract's");
    refused(fact_of(fact), "duban.v1.Review",
            "type duban.v1.Review, but the data holds a fact: expected duban.v1.Fact");
    refused(fact_of(fact), "fact", "type fact, but the data holds a fact: expected duban.v1.Fact");
}

/* A fact whose kind is n bytes long: letters, but `with` from `at` on. */
static struct slice fact_with(size_t n, size_t at, struct slice with)
{
    char *kind = memset(arena_alloc(arena, n), 'k', n);
    memcpy(kind + at, with.p, with.n);
    return fact_of(glued(wrapped(KIND, (struct slice){kind, n}), wrapped(REPORTER, S("r"))));
}

/* Wherever in it something stands that is not plain. */
static void texts_of_every_length(void **state)
{
    (void)state;
    struct reasons why = {.arena = arena};
    struct input in;
    for (size_t n = 1; n <= 40; n++)
        for (size_t at = 0; at < n; at++) {
            refused(fact_with(n, at, S("\0")), "duban.v1.Fact", "fact.kind: the text has a NUL byte in it");
            refused(fact_with(n, at, S("\x80")), "duban.v1.Fact", "fact.kind: the text is not UTF-8");
            struct slice with = n - at < 3 ? S("~") : S("督");
            assert_true(take(fact_with(n, at, with), "duban.v1.Fact", &in, &why));
            assert_int_equal(in.kind.n, n);
            assert_memory_equal(in.kind.p + at, with.p, with.n);
            for (size_t i = 0; i < n; i++)
                assert_true((i >= at && i < at + with.n) || in.kind.p[i] == 'k');
            arena_reset(arena);
            why = (struct reasons){.arena = arena};
        }
}

static void numbers_and_words(void **state)
{
    (void)state;
    start();
    put_bytes(1, S("o"));
    put_bytes(2, S("u"));
    put_number(5, 9);
    put_bytes(6, S("r"));
    struct slice review = taken();
    refused(glued(wrapped(WORKFLOW, S("w")), wrapped(REVIEW, review)), "duban.v1.Review",
            "review.verdict: 9 is no value of duban.v1.Review.Verdict that this version knows");
    start();
    put_bytes(1, S("i"));
    put_number(2, UINT64_C(1) << 32);
    struct slice entry = taken();
    refused(glued(wrapped(WORKFLOW, S("w")), wrapped(RANKING, wrapped(4, entry))), "duban.v1.Ranking",
            "ranking.entries.rank: a number too large for its field");
}

static struct slice struct_of(struct slice name, struct slice value)
{
    return wrapped(1, glued(wrapped(1, name), wrapped(2, value)));
}

static struct slice double_of(double v)
{
    char bytes[9] = {0x11};
    memcpy(bytes + 1, &v, 8);
    return arena_dup(arena, (struct slice){bytes, 9});
}

static void structs(void **state)
{
    (void)state;
    struct slice fact = plain_fact(), nan = struct_of(S("n"), double_of(0.0 / 0.0));
    struct reasons why = {.arena = arena};
    struct input in;
    refused(fact_of(glued(fact, wrapped(FIELDS, nan))), "duban.v1.Fact",
            "fact.fields.n: not a finite number");
    struct slice twice = glued(struct_of(S("n"), double_of(1)), struct_of(S("n"), double_of(2)));
    refused(fact_of(glued(fact, wrapped(FIELDS, twice))), "duban.v1.Fact", "fact.fields.n: given twice");
    refused(fact_of(glued(fact, wrapped(FIELDS, struct_of(S("\xff"), double_of(1))))), "duban.v1.Fact",
            "fact.fields: the text is not UTF-8");
    struct slice fine = struct_of(S("n"), wrapped(3, S("")));
    assert_true(take(fact_of(glued(fact, wrapped(FIELDS, fine))), "duban.v1.Fact", &in, &why));
    assert_int_equal(in.fields.record.field[0].tag, VALUE_TEXT);
    fine = struct_of(S("n"), double_of(26.67));
    assert_true(take(fact_of(glued(fact, wrapped(FIELDS, fine))), "duban.v1.Fact", &in, &why));
    assert_slice(rat_format(arena, in.fields.record.field[0].number), "26.67");
    fine = wrapped(1, wrapped(1, S("n"))); /* an entry without a value */
    assert_true(take(fact_of(glued(fact, wrapped(FIELDS, fine))), "duban.v1.Fact", &in, &why));
    assert_int_equal(in.fields.record.field[0].tag, VALUE_NA);
    assert_true(take(fact_of(glued(fact, wrapped(FIELDS, S("")))), "duban.v1.Fact", &in, &why));
    assert_int_equal(in.fields.record.n, 0);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct slice v = double_of(1);
    for (int i = 0; i < 200; i++)
        v = wrapped(6, wrapped(1, v)); /* a list of one value */
    refused(fact_of(glued(plain_fact(), wrapped(FIELDS, struct_of(S("n"), v)))), "duban.v1.Fact",
            "fact.fields: nested too deep");
    /* A replacement within a replacement … */
    v = wrapped(WORKFLOW, S("w"));
    for (int i = 0; i < 200; i++)
        v = glued(wrapped(WORKFLOW, S("w")), wrapped(23, wrapped(2, v)));
    struct reasons why = {.arena = arena};
    struct input in;
    assert_false(take(v, "duban.v1.Supersede", &in, &why));
    assert_non_null(strstr(why.item[0].p, "nested too deep"));
}

static void parts_are_bounded(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 400000; i++)
        buf_add(&made, S("\x22\x00")); /* empty entries */
    struct slice many = taken();
    struct reasons why = {.arena = arena};
    struct input in;
    assert_false(
        take(glued(wrapped(WORKFLOW, S("w")), wrapped(RANKING, many)), "duban.v1.Ranking", &in, &why));
    assert_slice(joined(&why), "ranking.entries: too many parts");
}

/* ---- any prefix, any mutation */

static struct slice rich_event(void)
{
    struct slice fields = glued(struct_of(S("held"), wrapped(3, S("2024-03-20"))),
                                glued(struct_of(S("of"), wrapped(6, wrapped(1, wrapped(3, S("专班"))))),
                                      struct_of(S("n"), double_of(0.5))));
    struct slice fact = glued(plain_fact(), wrapped(FIELDS, fields));
    return fact_of(fact);
}

/* Cut anywhere, it is refused or (between two fields) is a smaller event; never a crash, never silence. */
static void every_prefix(void **state)
{
    (void)state;
    struct slice whole = rich_event();
    for (size_t n = 0; n < whole.n; n++) {
        char *copy = malloc(n ? n : 1); /* its end is watched by the sanitizer */
        memcpy(copy, whole.p, n);
        struct reasons why = {.arena = arena};
        struct input in;
        assert_false(take((struct slice){copy, n}, "duban.v1.Fact", &in, &why));
        assert_true(why.n > 0);
        free(copy);
    }
}

static void mutations(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    struct slice whole = rich_event();
    size_t fine = 0;
    for (int round = 0; round < 20000; round++) {
        struct arena *a = arena_new();
        size_t n = whole.n + (size_t)random_between(&random, 0, 3);
        char *copy = malloc(n);
        memcpy(copy, whole.p, whole.n);
        memset(copy + whole.n, (int)random_between(&random, 0, 255), n - whole.n);
        for (int64_t i = random_between(&random, 1, 4); i > 0; i--)
            copy[random_between(&random, 0, (int64_t)n - 1)] = (char)random_between(&random, 0, 255);
        struct reasons why = {.arena = a};
        struct input in = {0};
        struct cloud_event e = {S("e1"),      S("s"), S("duban.v1.Fact"), S("application/protobuf"),
                                INSTANT_NONE, S("w"), {copy, n}};
        bool taken_in = wire_input(&e, a, &in, &why);
        assert_int_equal(taken_in, why.n == 0);
        fine += taken_in;
        for (size_t i = 0; i < why.n; i++)
            assert_true(slice_is_utf8(why.item[i]) && slice_is_printable(why.item[i]));
        struct header h[] = {{S("ce_id"), e.id}, {S("ce_source"), e.source}, {S("ce_type"), e.type}, {S("content-type"), e.content_type}};
        struct record r = {.topic = TOPIC_SUBMISSIONS, .key = S("w"), .value = e.data, .header = h, .nheaders = 4};
        struct slice json = wire_record_json(&r, a);
        assert_true(slice_is_utf8(json) && !memchr(json.p, '\n', json.n));
        free(copy);
        arena_free(a);
    }
    print_message("%zu of 20000 mutants are valid\n", fine);
}

static void mutated_records_of_our_own(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    struct program *p = small_program();
    struct slice whole = wire_instance_pack(p, yellow_card(), arena);
    for (int round = 0; round < 20000; round++) {
        struct arena *a = arena_new();
        char *copy = malloc(whole.n);
        memcpy(copy, whole.p, whole.n);
        for (int64_t i = random_between(&random, 1, 4); i > 0; i--)
            copy[random_between(&random, 0, (int64_t)whole.n - 1)] = (char)random_between(&random, 0, 255);
        struct slice bytes = {copy, whole.n - (size_t)random_between(&random, 0, 5)};
        struct err e = {{0}};
        struct record r, *outputs;
        struct marker m;
        size_t n;
        struct instance *i = wire_instance_unpack(p, bytes, a, &e);
        assert_true(i != NULL || e.text[0]);
        if (i)
            wire_instance_pack(p, i, a);
        wire_log_unpack(bytes, a, &r, &e);
        wire_marker_unpack(bytes, a, &m, &e);
        wire_history_outputs(bytes, a, &outputs, &n);
        assert_true(slice_is_utf8(wire_history_json(bytes, a)));
        free(copy);
        arena_free(a);
    }
}

static void mutated_json(void **state)
{
    (void)state;
    static const char whole[] = "[{\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\",\"type\":\"duban.v1."
                                "Fact\",\"data\":{\"workflow\":\"w\","
                                "\"fact\":{\"kind\":\"k\",\"reporter\":\"r\",\"fields\":{\"n\":[1.5,{\"x\":"
                                "\"\\u4e13\\\"\"}]}}}},{\"data\":{}}]";
    static const char spice[] = "{}[]\",:\\0e-.u \n\xff";
    uint64_t random = seed_take();
    for (int round = 0; round < 20000; round++) {
        struct arena *a = arena_new();
        char *copy = malloc(sizeof whole - 1);
        memcpy(copy, whole, sizeof whole - 1);
        for (int64_t i = random_between(&random, 1, 3); i > 0; i--)
            copy[random_between(&random, 0, sizeof whole - 2)] =
                spice[random_between(&random, 0, sizeof spice - 2)];
        struct reasons why = {.arena = a};
        struct cloud_event *e;
        size_t n;
        if (cloud_events_from_json_batch((struct slice){copy, sizeof whole - 1}, a, &e, &n, &why))
            for (size_t i = 0; i < n; i++) {
                struct input in = {0};
                assert_int_equal(wire_input(&e[i], a, &in, &why), why.n == 0);
            }
        free(copy);
        arena_free(a);
    }
}

static int cleanup(void **state)
{
    buf_free(&made);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, cleanup)
        TEST(good_bytes),   TEST(each_fault_is_named), TEST(texts_of_every_length), TEST(numbers_and_words),
        TEST(structs),      TEST(depth_is_bounded),    TEST(parts_are_bounded),
        TEST(every_prefix), TEST(mutations),           TEST(mutated_records_of_our_own),
        TEST(mutated_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
