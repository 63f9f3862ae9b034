/* CloudEvents and InputEvents in: what is taken, what is refused and why. */
#include "wire_support.h"

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"portal-a\",\"type\":\"duban.v1."
#define FACT(body) HEAD "Fact\",\"data\":{\"workflow\":\"w\",\"fact\":" body "}}"

static bool take(const char *json, struct input *in, struct reasons *why)
{
    struct cloud_event e;
    *in = (struct input){0};
    return cloud_event_from_json(slice_of(json), arena, &e, why) && wire_input(&e, arena, in, why);
}

static void accepted(const char *json, struct input *in)
{
    struct reasons why = {.arena = arena};
    if (!take(json, in, &why))
        fail_msg("%s: %.*s", json, SLICE_ARG(joined(&why)));
}

static void refused(const char *json, const char *reasons)
{
    struct reasons why = {.arena = arena};
    struct input in;
    assert_false(take(json, &in, &why));
    struct slice all = joined(&why);
    if (!slice_eq(all, slice_of(reasons)))
        fail_msg("%s\n  wanted: %s\n  got:    %.*s", json, reasons, SLICE_ARG(all));
}

static const struct value *named(const struct value *record, const char *name)
{
    for (size_t i = 0; i < record->record.n; i++)
        if (slice_eq(record->record.name[i], slice_of(name)))
            return &record->record.field[i];
    fail_msg("no field %s", name);
    return NULL;
}

/* ---- what is taken */

static void a_fact(void **state)
{
    (void)state;
    struct input in;
    accepted("{\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"portal-a\",\"type\":\"duban.v1.Fact\","
             "\"time\":\"2024-03-29T01:00:00Z\","
             "\"datacontenttype\":\"application/json; "
             "charset=utf-8\",\"data\":{\"workflow\":\"suifenhe-2024\",\"actor\":\"张三\","
             "\"reason\":\"补录\",\"fact\":{\"kind\":\"dispatch\",\"reporter\":\"sfh-yhb\",\"fields\":{"
             "\"of\":[\"zb-01\",\"zb-02\"],"
             "\"held\":\"2024-03-20\",\"score\":26.67,\"none\":null,\"done\":true,\"deep\":{\"b\":1,\"a\":[[]"
             "]},\"\":\"\"}}}}",
             &in);
    assert_int_equal(in.class_, INPUT_FACT);
    assert_slice(in.workflow, "suifenhe-2024");
    assert_slice(in.source, "portal-a");
    assert_slice(in.id, "e1");
    assert_slice(in.class_name, "fact");
    assert_slice(in.actor, "张三");
    assert_slice(in.reason, "补录");
    assert_slice(in.kind, "dispatch");
    assert_slice(in.reporter, "sfh-yhb");
    assert_int_equal(in.fields.tag, VALUE_RECORD);
    assert_int_equal(in.fields.record.n, 7);
    for (size_t i = 1; i < in.fields.record.n; i++)
        assert_true(slice_cmp(in.fields.record.name[i - 1], in.fields.record.name[i]) < 0);
    assert_int_equal(named(&in.fields, "of")->list.n, 2);
    assert_slice(named(&in.fields, "of")->list.item[1].text, "zb-02");
    assert_slice(named(&in.fields, "held")->text, "2024-03-20");
    assert_int_equal(rat_cmp(named(&in.fields, "score")->number, (struct rat){2667, 100}), 0);
    assert_int_equal(named(&in.fields, "none")->tag, VALUE_NA);
    assert_true(named(&in.fields, "done")->yes);
    assert_slice(named(&in.fields, "deep")->record.name[0], "a");
    assert_int_equal(named(&in.fields, "deep")->record.field[0].list.item[0].list.n, 0);
    assert_int_equal(named(&in.fields, "")->tag, VALUE_TEXT);
    assert_int_equal(wire_voice(&in), VOICE_EITHER);
}

static void the_other_bodies(void **state)
{
    (void)state;
    struct input in;
    accepted(HEAD "Submission\",\"data\":{\"workflow\":\"w\",\"submission\":{\"obligation\":\"o\",\"unit\":"
                  "\"u\",\"about\":\"a\","
                  "\"period\":\"2024-03\",\"attachments\":[{\"name\":\"n\",\"sha256\":"
                  "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}]}}}",
             &in);
    assert_int_equal(in.class_, INPUT_SUBMISSION);
    assert_slice(in.about, "a");
    assert_slice(in.period, "2024-03");
    assert_int_equal(in.fields.tag, VALUE_NA);
    assert_int_equal(in.nattachments, 1);
    assert_slice(in.attachments[0].name, "n");
    assert_int_equal(wire_voice(&in), VOICE_SUBMISSIONS);

    accepted(HEAD "Directive\",\"data\":{\"workflow\":\"w\",\"directive\":{\"obligation\":\"o\",\"units\":[\"u\",\"v\"],"
                  "\"about\":\"d-1\",\"title\":\"t\",\"source\":\"s\",\"due\":\"2024-03-29\",\"basis\":\"b\",\"reporter\":\"r\"}}}",
             &in);
    assert_int_equal(in.class_, INPUT_DIRECTIVE);
    assert_int_equal(in.nunits, 2);
    assert_slice(in.units[1], "v");
    assert_slice(in.title, "t");
    assert_slice(in.from_whom, "s");
    assert_slice(in.until, "2024-03-29");
    assert_slice(in.basis, "b");
    assert_int_equal(wire_voice(&in), VOICE_DEADLINES);

    accepted(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"review\":{\"obligation\":\"o\",\"unit\":\"u\","
                  "\"verdict\":\"RETURN\","
                  "\"reporter\":\"r\",\"reasons\":[\"缺附件\",\"无公章\"]}}}",
             &in);
    assert_int_equal(in.class_, INPUT_REVIEW);
    assert_false(in.accept);
    assert_slice(in.reason, "缺附件；无公章");
    assert_int_equal(wire_voice(&in), VOICE_DEADLINES);
    accepted(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"review\":{\"obligation\":\"o\",\"unit\":\"u\","
                  "\"verdict\":1,\"reporter\":\"r\"}}}",
             &in);
    assert_true(in.accept);

    accepted(HEAD "Ranking\",\"data\":{\"workflow\":\"w\",\"ranking\":{\"ranking\":\"indicators\",\"period\":"
                  "\"2024Q1\",\"reporter\":\"s\","
                  "\"entries\":[{\"subject\":\"i-017\",\"rank\":9,\"places\":10},{\"subject\":\"i-018\","
                  "\"rank\":\"2\",\"tied\":3}]}}}",
             &in);
    assert_int_equal(in.class_, INPUT_RANKING);
    assert_slice(in.ranking, "indicators");
    assert_int_equal(in.nentries, 2);
    assert_slice(in.entries[0].subject, "i-017");
    assert_true(in.entries[0].rank == 9 && in.entries[0].places == 10 && in.entries[0].tied == 0);
    assert_true(in.entries[1].rank == 2 && in.entries[1].places == 0 && in.entries[1].tied == 3);

    accepted(HEAD "DeadlineReached\",\"partitionkey\":\"0\",\"data\":{\"deadline_reached\":{}}}", &in);
    assert_int_equal(in.class_, INPUT_CLOCK);
    accepted(HEAD "ExtensionRequested\",\"data\":{\"workflow\":\"w\",\"extensionRequested\":{\"obligation\":"
                  "\"o\",\"unit\":\"u\","
                  "\"until\":\"2024-05-01\",\"grounds\":\"g\"}}}",
             &in);
    assert_int_equal(in.class_, INPUT_EXTENSION_REQUEST);
    assert_slice(in.class_name, "extension_requested");
    assert_slice(in.until, "2024-05-01");
    assert_slice(in.grounds, "g");
    assert_int_equal(wire_voice(&in), VOICE_SUBMISSIONS);
    accepted(HEAD "Extend\",\"data\":{\"workflow\":\"w\",\"extend\":{\"select\":{\"roles\":[\"lead\"],\"due_"
                  "until\":\"2024-05-01\"},"
                  "\"by\":\"5 workdays\",\"reporter\":\"o\"}}}",
             &in);
    assert_int_equal(in.class_, INPUT_EXTEND);
    assert_true(in.has_by && in.by.n == 5 && in.by.unit == DURATION_WORKDAY && !in.refused);
    assert_int_equal(in.select.nroles, 1);
    assert_slice(in.select.roles[0], "lead");
    assert_true(in.select.due_from == DATE_NONE && in.select.due_until == date_from_civil(2024, 5, 1));
    accepted(HEAD "Extend\",\"data\":{\"workflow\":\"w\",\"extend\":{\"select\":{\"tasks\":[\"report/x\"]},"
                  "\"refused\":true,\"request\":{\"source\":\"p\",\"id\":\"7\"},\"reporter\":\"o\"}}}",
             &in);
    assert_true(in.refused && !in.has_by && in.until.n == 0);
    assert_slice(in.request.id, "7");
    assert_slice(in.select.tasks[0], "report/x");
    accepted(HEAD "Resume\",\"data\":{\"workflow\":\"w\",\"resume\":{\"select\":{\"units\":[\"u\"]},"
                  "\"extend_due\":true,\"reporter\":\"o\"}}}",
             &in);
    assert_true(in.class_ == INPUT_RESUME && in.extend_due);
    accepted(HEAD "Excuse\",\"data\":{\"workflow\":\"w\",\"excuse\":{\"select\":{\"units\":[\"u\"]},"
                  "\"grounds\":\"g\",\"reporter\":\"o\"}}}",
             &in);
    assert_int_equal(in.class_, INPUT_EXCUSE);
    accepted(HEAD "Supersede\",\"data\":{\"workflow\":\"w\",\"supersede\":{\"received\":\"2024-05-01T00:00:"
                  "00+08:00\",\"reporter\":\"o\","
                  "\"replacement\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\",\"reporter\":\"r\"}}}}}",
             &in);
    assert_int_equal(wire_voice(&in), VOICE_DEADLINES);
    accepted(HEAD "Reading\",\"data\":{\"workflow\":\"w\",\"reading\":{\"indicator\":\"i\",\"unit\":\"u\","
                  "\"period\":\"2024Q1\","
                  "\"reporter\":\"r\",\"ratio\":{\"numerator\":\"0\",\"denominator\":\"0\"}}}}",
             &in);
    assert_int_equal(wire_voice(&in), VOICE_SUBMISSIONS);
    assert_int_equal(in.class_, INPUT_READING);
    assert_slice(in.reading.indicator, "i");
    assert_slice(in.reading.denominator, "0");
    assert_true(in.reading.number.n == 0 && !in.reading.not_applicable && !in.reading.approximate);
    accepted(HEAD "Reading\",\"data\":{\"workflow\":\"w\",\"reading\":{\"indicator\":\"i\",\"unit\":\"u\","
                  "\"period\":\"2024Q1\",\"reporter\":\"r\",\"number\":\"1500\",\"approximate\":true,"
                  "\"as_written\":\"一千五百余\"}}}",
             &in);
    assert_slice(in.reading.number, "1500");
    assert_slice(in.reading.written, "一千五百余");
    assert_true(in.reading.approximate);
    accepted(HEAD "Reading\",\"data\":{\"workflow\":\"w\",\"reading\":{\"indicator\":\"i\",\"unit\":\"u\","
                  "\"period\":\"2024Q1\",\"reporter\":\"r\",\"not_applicable\":true}}}",
             &in);
    assert_true(in.reading.not_applicable && in.reading.number.n == 0);
}

static void received_and_topic_stay(void **state)
{
    (void)state;
    struct cloud_event e;
    struct reasons why = {.arena = arena};
    struct input in = {.received = 77, .topic = VOICE_DEADLINES, .kind = S("stale")};
    assert_true(cloud_event_from_json(
        slice_of(HEAD "Submission\",\"data\":{\"workflow\":\"w\",\"submission\":{\"obligation\":\"o\","
                      "\"unit\":\"u\"}}}"),
        arena, &e, &why));
    assert_true(wire_input(&e, arena, &in, &why));
    assert_int_equal(in.received, 77);
    assert_int_equal(in.topic, VOICE_DEADLINES);
    assert_int_equal(in.kind.n, 0);
}

/* ---- numbers are exact */

static void number(const char *json, const char *wanted)
{
    struct input in;
    char text[400];
    snprintf(text, sizeof text, FACT("{\"kind\":\"k\",\"reporter\":\"r\",\"fields\":{\"n\":%s}}"), json);
    if (!wanted) {
        struct reasons why = {.arena = arena};
        assert_false(take(text, &in, &why));
        return;
    }
    accepted(text, &in);
    assert_int_equal(in.fields.record.field[0].tag, VALUE_NUMBER);
    assert_slice(rat_format(arena, in.fields.record.field[0].number), wanted);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    number("0", "0");
    number("-0.0", "0");
    number("0.1", "0.1");
    number("26.67", "26.67");
    number("-3.50", "-3.5");
    number("1e2", "100");
    number("1.5e3", "1500");
    number("12345678901.25", "12345678901.25");
    number("0.000001", "0.000001");
    number("9.99e-7", "0.000000999");
    number("0.30000000000000004", "0.3"); /* more digits than a double can be trusted with */
    number("0.1234567890123", "0.1234567890123");
    number("99.99999999999999", "100"); /* rounded up to a whole number */
    number("10.000000000000002", "10");
    number("-30.000000000000004", "-30");
    number("0.9999999999999999", "1");
    number("1234567890123456.5", "1234567890123460");
    number("9007199254740992", "9007199254740992");
    number("-9007199254740992", "-9007199254740992");
    number("9007199254740993", NULL);
    number("1e17", NULL);
    number("1e400", NULL);
    number("1e-30", NULL);
    number("99999999999999999999", NULL);
}

/* ---- what is refused, and why */

static void contract_violations(void **state)
{
    (void)state;
    refused(FACT("{}"), "fact.kind: missing | fact.reporter: missing");
    refused(FACT("{\"kind\":\"\",\"reporter\":\"a\\tb\"}"),
            "fact.kind: missing | fact.reporter: has control characters in it");
    refused(FACT("{\"kind\":1,\"reporter\":null,\"colour\":\"red\",\"fields\":[]}"),
            "fact.kind: expected a text, found a number | fact.colour: Fact has no such field | "
            "fact.fields: expected an object, found a list");
    refused(FACT("[]"), "fact: expected an object, found a list");
    refused(FACT("null"), "no body: expected one like submission, fact or ranking");
    refused(HEAD "Fact\",\"data\":{\"workflow\":\"w\"}}",
            "no body: expected one like submission, fact or ranking");
    refused(HEAD "Fact\",\"data\":{\"fact\":{\"kind\":\"k\",\"reporter\":\"r\"}}}", "workflow: missing");
    refused(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\",\"reporter\":\"r\"}}}",
            "type duban.v1.Review, but the data holds a fact: expected duban.v1.Fact");
    refused(HEAD "Fact\",\"partitionkey\":\"v\",\"data\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\","
                 "\"reporter\":\"r\"}}}",
            "workflow w, but the record's key is v: they must be the same");
    refused(
        HEAD
        "Fact\",\"data\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\",\"reporter\":\"r\"},\"review\":{}}}",
        "review: given twice, or beside another of which only one may be");
    refused(FACT("{\"kind\":\"k\",\"reporter\":\"r\",\"attachments\":[{\"name\":\"a\"},{\"name\":\"a\","
                 "\"sha256\":\"x\"},{\"uri\":\"u\"}]}"),
            "fact.attachments: a is given twice | fact.attachments[1].sha256: expected 64 lower-case hex "
            "digits | "
            "fact.attachments[2].name: missing");
    refused(HEAD "Extend\",\"data\":{\"workflow\":\"w\",\"extend\":{\"select\":{\"units\":[\"u\"],\"due_from\":\"soon\"},"
                 "\"by\":\"a while\",\"reporter\":\"r\"}}}",
            "select.due_from: \"soon\" is no date like 2024-03-29 | "
            "by: \"a while\" is no duration like 5d or 5 workdays");
    refused(HEAD "Extend\",\"data\":{\"workflow\":\"w\",\"extend\":{\"select\":{},\"refused\":false,"
                 "\"reporter\":\"r\"}}}",
            "extend.until|by|refused: missing; one of these is required | "
            "extend.select.obligations|units|subjects|periods|roles|machines|states|due_from|due_until|tasks: "
            "missing; one of these is required");
    refused(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"review\":{\"obligation\":\"o\",\"unit\":\"u\","
                 "\"verdict\":\"PERHAPS\"}}}",
            "review.verdict: expected one of ACCEPT, RETURN");
    refused(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"review\":{\"obligation\":\"o\",\"unit\":\"u\","
                 "\"verdict\":\"RETURN\","
                 "\"reporter\":\"r\"}}}",
            "review.reasons: missing; who returns a report says why");
    refused(HEAD "Review\",\"data\":{\"workflow\":\"w\",\"review\":{\"obligation\":\"o\",\"unit\":\"u\","
                 "\"verdict\":7}}}",
            "review.verdict: expected one of ACCEPT, RETURN");
    refused(HEAD "Ranking\",\"data\":{\"workflow\":\"w\",\"ranking\":{\"ranking\":\"i\",\"period\":"
                 "\"2024Q1\",\"reporter\":\"s\","
                 "\"entries\":[{\"subject\":\"a\",\"rank\":-1},{\"subject\":\"b\",\"rank\":1.5},{\"subject\":"
                 "\"c\",\"rank\":4294967296},"
                 "{\"subject\":\"c\",\"rank\":\"x\"}]}}}",
            "ranking.entries[0].rank: expected a whole number from 0 to 4294967295 | "
            "ranking.entries[1].rank: expected a whole number from 0 to 4294967295 | "
            "ranking.entries[2].rank: expected a whole number from 0 to 4294967295 | "
            "ranking.entries[3].rank: expected a whole number from 0 to 4294967295");
    refused(HEAD "Ranking\",\"data\":{\"workflow\":\"w\",\"ranking\":{\"ranking\":\"i\",\"period\":"
                 "\"2024Q1\",\"reporter\":\"s\","
                 "\"entries\":[{\"subject\":\"c\"},{\"subject\":\"c\",\"rank\":1}]}}}",
            "ranking.entries: c is given twice | ranking.entries[0].rank: missing");
    refused(HEAD "Extend\",\"data\":{\"workflow\":\"w\",\"extend\":{\"select\":{},\"until\":\"\","
                 "\"reporter\":\"o\"}}}",
            "extend.until|by|refused: missing; one of these is required | "
            "extend.select.obligations|units|subjects|periods|roles|machines|states|"
            "due_from|due_until|tasks: missing; one of these is required");
    refused(HEAD "Supersede\",\"data\":{\"workflow\":\"w\",\"supersede\":{\"received\":\"yesterday\","
                 "\"reporter\":\"o\"}}}",
            "supersede.received: not a time like \"2024-03-29T01:00:00Z\"");
    refused(HEAD "Fact\",\"data\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\",\"reporter\":\"r\",\"fields\":"
                 "{\"n\":1e-40}}}}",
            "fact.fields.n: 9.9999999999999993e-41 cannot be taken exactly: send the number as text");
}

static void long_and_deep(void **state)
{
    (void)state;
    char id[202], json[4096];
    memset(id, 'x', 201);
    id[201] = 0;
    snprintf(json, sizeof json, FACT("{\"kind\":\"k\",\"reporter\":\"%s\"}"), id);
    refused(json, "fact.reporter: 201 bytes; at most 200");
    size_t n = (size_t)snprintf(json, sizeof json, "%s",
                                HEAD "Fact\",\"data\":{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\","
                                     "\"reporter\":\"r\",\"fields\":{\"n\":");
    for (int depth = 31; depth <= 33; depth++) {
        struct buf b = {0};
        struct reasons why = {.arena = arena};
        struct input in;
        buf_add(&b, (struct slice){json, n});
        for (int i = 0; i < depth; i++)
            buf_byte(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_byte(&b, ']');
        buf_printf(&b, "}}}}%c", 0);
        assert_int_equal(take(b.p, &in, &why), depth <= 31);
        buf_free(&b);
    }
}

static void envelope_violations(void **state)
{
    (void)state;
    refused("", "not JSON: line 1, column 0: unexpected token near end of file");
    refused("{", "not JSON: line 1, column 1: string or '}' expected near end of file");
    refused("7", "expected a CloudEvent as a JSON object");
    refused("{}", "id: missing | source: missing | specversion: missing | type: missing | data: missing");
    refused("{\"id\":1,\"source\":\"\",\"specversion\":\"0.3\",\"type\":\"t\\u0001\",\"time\":\"noon\","
            "\"data\":3}",
            "id: expected a text | source: empty | type: has control characters in it | specversion: "
            "\"0.3\"; expected 1.0 | "
            "time: \"noon\" is not a time like 2024-03-29T01:00:00Z | data: expected an object");
    refused("{\"id\":\"a\",\"id\":\"b\"}", "not JSON: line 1, column 14: duplicate object key near '\"id\"'");
    refused(FACT("{}") "x", "not JSON: line 1, column 109: end of file expected near 'x'");
    refused(HEAD "Fact\",\"data\":{},\"data_base64\":\"\"}", "data: given beside data_base64");
    refused(HEAD "Fact\",\"data_base64\":\"??\"}", "data_base64: expected base64 text");
    refused(HEAD "Fact\",\"datacontenttype\":\"application/protobuf\",\"data\":{}}",
            "data: protobuf goes into data_base64");
    refused(HEAD "Fact\",\"datacontenttype\":\"text/xml\",\"data\":{\"workflow\":\"w\"}}",
            "content-type text/xml: expected application/protobuf or application/json");
    refused("{\"a\":\"\\u0000\"}", "line 1, column 13: a text with a NUL character in it");
    refused("{\"a\":\"\xff\"}", "not JSON: line 1, column 6: unable to decode byte 0xff near '\"'");
}

static void reasons_are_bounded(void **state)
{
    (void)state;
    struct reasons why = {.arena = arena};
    for (int i = 0; i < 1000; i++)
        reasons_add(&why, "reason %d %1000s\n\xff", i, "x");
    assert_int_equal(why.n, 32);
    assert_slice(why.item[31], "and more reasons than these");
    assert_true(why.item[0].n < 600);
    struct reasons odd = {.arena = arena};
    reasons_add(&odd, "a\nb\xff"
                      "c\xe4\xb8");
    assert_slice(odd.item[0], "a b?c??");
}

/* ---- the JSON forms */

static void data_keeps_its_bytes(void **state)
{
    (void)state;
    struct cloud_event e;
    struct reasons why = {.arena = arena};
    assert_true(cloud_event_from_json(slice_of(" { \"x\" : {\"data\":[1,{\"]\":\"\\\"}\"}]} , \"data\" : "
                                               "{\"workflow\": \"w\", \"n\": 1.50, \"s\": \"},\\\\\"} , "
                                               "\"specversion\":\"1.0\",\"id\":\"e\",\"source\":\"s\","
                                               "\"type\":\"t\",\"time\":\"2024-03-29T09:00:00+08:00\"}\n"),
                                      arena, &e, &why));
    assert_slice(e.data, "{\"workflow\": \"w\", \"n\": 1.50, \"s\": \"},\\\\\"}");
    assert_slice(e.workflow, "w");
    assert_slice(e.content_type, "application/json");
    assert_int_equal(e.time, at("2024-03-29T01:00:00Z"));
}

static void base64_holds_either_encoding(void **state)
{
    (void)state;
    struct input in;
    accepted(HEAD "DeadlineReached\",\"datacontenttype\":\"application/protobuf\",\"data_base64\":\"0gEA\"}",
             &in);
    assert_int_equal(in.class_, INPUT_CLOCK);
    accepted(
        HEAD
        "Fact\",\"data_base64\":\"eyJ3b3JrZmxvdyI6InciLCJmYWN0Ijp7ImtpbmQiOiJrIiwicmVwb3J0ZXIiOiJyIn19\"}",
        &in);
    assert_slice(in.workflow, "w");
    assert_slice(in.kind, "k");
}

static void batches_and_lines(void **state)
{
    (void)state;
    static const char one[] = FACT("{\"kind\":\"k\",\"reporter\":\"r\"}");
    struct cloud_event *e;
    size_t n;
    struct reasons why = {.arena = arena};
    struct slice batch = arena_printf(arena, " [ %s , %s]", one, one);
    assert_true(cloud_events_from_json_batch(batch, arena, &e, &n, &why));
    assert_int_equal(n, 2);
    assert_slice(e[1].data, "{\"workflow\":\"w\",\"fact\":{\"kind\":\"k\",\"reporter\":\"r\"}}");
    struct slice lines = arena_printf(arena, "\n%s\r\n\n%s", one, one);
    assert_true(cloud_events_from_json_batch(lines, arena, &e, &n, &why));
    assert_int_equal(n, 2);
    assert_true(cloud_events_from_json_batch(S("[]"), arena, &e, &n, &why));
    assert_int_equal(n, 0);
    assert_true(cloud_events_from_json_batch(S("  \n"), arena, &e, &n, &why));
    assert_int_equal(n, 0);

    batch = arena_printf(arena, "[%s,{},3]", one);
    assert_false(cloud_events_from_json_batch(batch, arena, &e, &n, &why));
    assert_int_equal(n, 3);
    assert_slice(why.item[0], "event 2: id: missing");
    assert_slice(why.item[why.n - 1], "event 3: expected a CloudEvent as a JSON object");
    why = (struct reasons){.arena = arena};
    lines = arena_printf(arena, "%s\n{\n", one);
    assert_false(cloud_events_from_json_batch(lines, arena, &e, &n, &why));
    assert_slice(why.item[0], "line 2: not JSON: line 1, column 1: string or '}' expected near end of file");
}

/* ---- headers */

static void headers_round_trip(void **state)
{
    (void)state;
    struct cloud_event e = {
        S("e1"), S("portal-a"), S("duban.v1.Fact"), S("application/json"), at("2024-03-29T01:00:00.5Z"),
        S("w"),  S("{}")};
    struct cloud_event back;
    struct header *h;
    size_t n;
    struct reasons why = {.arena = arena};
    cloud_event_to_headers(&e, arena, &h, &n);
    assert_int_equal(n, 6);
    assert_slice(h[0].name, "ce_id");
    assert_slice(h[4].value, "2024-03-29T01:00:00.500Z");
    assert_true(cloud_event_from_headers(h, n, e.workflow, e.data, &back, &why));
    assert_true(slice_eq(back.id, e.id) && slice_eq(back.source, e.source) && slice_eq(back.type, e.type));
    assert_true(slice_eq(back.content_type, e.content_type) && slice_eq(back.workflow, e.workflow) &&
                slice_eq(back.data, e.data));
    assert_int_equal(back.time, e.time);
    e.time = INSTANT_NONE;
    cloud_event_to_headers(&e, arena, &h, &n);
    assert_int_equal(n, 5);
    assert_true(cloud_event_from_headers(h, n, e.workflow, e.data, &back, &why));
    assert_int_equal(back.time, INSTANT_NONE);
}

static void bad_headers(void **state)
{
    (void)state;
    struct cloud_event e;
    struct reasons why = {.arena = arena};
    assert_false(cloud_event_from_headers(NULL, 0, S("\xff"), S(""), &e, &why));
    assert_slice(joined(&why), "ce_id: missing | ce_source: missing | ce_specversion: missing | ce_type: "
                               "missing | content-type: missing | "
                               "key: expected the workflow's id as text");
    struct header h[] = {{S("ce_id"), S("a\xff")},   {S("ce_source"), S("s")},
                         {S("ce_source"), S("t")},   {S("ce_specversion"), S("1.1")},
                         {S("ce_type"), S("")},      {S("ce_time"), S("x")},
                         {S("ce_other"), S("\xff")}, {S("content-type"), S("c")}};
    why = (struct reasons){.arena = arena};
    assert_false(cloud_event_from_headers(h, 8, S("w"), S(""), &e, &why));
    assert_slice(joined(&why), "ce_id: not UTF-8 | ce_source: given twice | ce_type: empty | ce_specversion: "
                               "\"1.1\"; expected 1.0 | "
                               "ce_time: \"x\" is not a time like 2024-03-29T01:00:00Z");
}

/* ---- definitions and clock records */

static void definitions(void **state)
{
    (void)state;
    struct wire_file files[] = {{S("common/report.yaml"), S("fragment: report\n")},
                                {S("w/workflow.yaml"), S("\x00\xff")}};
    struct wire_definition d = {S("w"), S("00ff"), S("w/workflow.yaml"), files, 2}, back;
    struct cloud_event e = {S("d1"),
                            S("dubanctl"),
                            S("duban.v1.Definition"),
                            S("application/protobuf"),
                            INSTANT_NONE,
                            S("w"),
                            wire_definition_pack(&d, S("张三"), S("第一版"), arena)};
    struct reasons why = {.arena = arena};
    struct input in = {0};
    assert_true(wire_input(&e, arena, &in, &why));
    assert_int_equal(in.class_, INPUT_DEFINITION);
    assert_slice(in.actor, "张三");
    assert_true(wire_definition_from_input(&e, arena, &back, &why));
    assert_int_equal(back.n, 2);
    assert_slice(back.hash, "00ff");
    assert_slice(back.files[0].content, "fragment: report\n");
    assert_true(slice_eq(back.files[1].content, S("\x00\xff")));

    files[0].path = S("../etc/passwd");
    d.root = S("other.yaml");
    e.data = wire_definition_pack(&d, S(""), S(""), arena);
    assert_false(wire_definition_from_input(&e, arena, &back, &why));
    assert_slice(joined(&why),
                 "definition.files[0].path: expected a relative path like suifenhe-2024/workflow.yaml | "
                 "definition.root: other.yaml is none of its files");
    why = (struct reasons){.arena = arena};
    e.type = S("duban.v1.DeadlineReached");
    e.data = wire_clock_pack(arena);
    assert_true(wire_input(&e, arena, &in, &why));
    assert_false(wire_definition_from_input(&e, arena, &back, &why));
    assert_slice(joined(&why), "not a definition");
}

static void too_large(void **state)
{
    (void)state;
    char *bytes = arena_alloc(arena, WIRE_DEFINITION_MAX + 1);
    struct cloud_event e = {S("d1"),      S("s"), S("duban.v1.Fact"),        S("application/protobuf"),
                            INSTANT_NONE, S("w"), {bytes, WIRE_DATA_MAX + 1}};
    struct reasons why = {.arena = arena};
    struct input in = {0};
    assert_false(wire_input(&e, arena, &in, &why));
    assert_slice(joined(&why), "1048577 bytes of data; at most 1048576");
    why = (struct reasons){.arena = arena};
    e.type = S("duban.v1.Definition");
    e.data.n = WIRE_DEFINITION_MAX + 1;
    assert_false(wire_input(&e, arena, &in, &why));
    assert_slice(joined(&why), "4194305 bytes of data; at most 4194304");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(a_fact),
        TEST(the_other_bodies),
        TEST(received_and_topic_stay),
        TEST(numbers_are_exact),
        TEST(contract_violations),
        TEST(long_and_deep),
        TEST(envelope_violations),
        TEST(reasons_are_bounded),
        TEST(data_keeps_its_bytes),
        TEST(base64_holds_either_encoding),
        TEST(batches_and_lines),
        TEST(headers_round_trip),
        TEST(bad_headers),
        TEST(definitions),
        TEST(too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
