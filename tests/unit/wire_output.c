/* What goes out: measures, notifications, dead letters, and all of them as JSON. */
#include "wire_support.h"

#include "wire/proto.h"

static struct program *p;

static int setup_program(void **state)
{
    setup(state);
    p = small_program();
    return 0;
}

static struct slice ids[] = {{"sfh-fgj", 7}, {"sfh-yhb", 7}};

static struct issued yellow(instant_t time)
{
    return (struct issued){.measure = 0,
                           .instance = yellow_card(),
                           .unit = S("sfh-fgj"),
                           .subject = S("i-017"),
                           .basis = S("五（三）"),
                           .to = ids,
                           .nto = 1,
                           .copy = ids + 1,
                           .ncopy = 1,
                           .time = time,
                           .due = INSTANT_NONE,
                           .limit = at("2024-08-09T16:00:00Z"),
                           .body = S("市发改局：\n挂黄牌"),
                           .document_title = S("督办单"),
                           .number = S("绥营督〔2024〕3号"),
                           .place = 1};
}

static struct effects effects_of(struct issued *issued, size_t n)
{
    struct effects fx = {.verdict = VERDICT_APPLIED, .issued = issued, .nissued = n, .now = issued[0].time};
    fx.cause =
        (struct cause){.source = S("portal-a"), .id = S("e1"), .due = INSTANT_NONE, .received = fx.now};
    return fx;
}

static Duban__V1__Notification *notification(const struct record *r)
{
    struct reasons why = {.arena = arena};
    assert_int_equal(r->topic, TOPIC_NOTIFICATIONS);
    ProtobufCMessage *m =
        proto_read(&duban__v1__notification__descriptor, r->value, PROTO_STRICT, arena, &why);
    assert_non_null(m);
    return (Duban__V1__Notification *)m;
}

/* ---- a measure */

/* Ids here were computed by another implementation of BLAKE2b. */
static void a_measure_as_json(void **state)
{
    (void)state;
    struct issued is = yellow(at("2024-07-10T01:00:00Z"));
    struct effects fx = effects_of(&is, 1);
    struct record *out;
    size_t n;
    wire_outputs(p, &fx, arena, &out, &n);
    assert_int_equal(n, 3);
    assert_int_equal(out[0].topic, TOPIC_SUPERVISION);
    assert_slice(out[0].key, "suifenhe-2024");
    assert_slice(
        wire_record_json(&out[0], arena),
        "{\"topic\":\"duban.supervision\",\"id\":\"439267c1ae0f9c2f78caad673dfd157d\",\"type\":\"duban.v1."
        "Supervision\","
        "\"workflow\":\"suifenhe-2024\",\"measure\":\"yellow-card\",\"title\":\"黄牌\",\"level\":\"YELLOW\","
        "\"rung\":2,"
        "\"basis\":\"五（三）\",\"unit\":\"sfh-fgj\",\"subject\":\"i-017\",\"about\":\"\",\"task\":\"card/"
        "sfh-fgj/i-017\","
        "\"obligation\":\"\",\"period\":\"\",\"time\":\"2024-07-10T01:00:00Z\",\"due\":null,\"limit\":\"2024-"
        "08-09T16:00:00Z\","
        "\"recipients\":[\"sfh-fgj\"],\"copies\":[\"sfh-yhb\"],\"document\":\"督办单\",\"number\":"
        "\"绥营督〔2024〕3号\","
        "\"caused_by\":{\"source\":\"portal-a\",\"id\":\"e1\"},\"rule\":\"suifenhe-2024/workflow.yaml:412\","
        "\"body\":\"市发改局：\\n挂黄牌\",\"withdraws\":\"\",\"withdrawn_measure\":\"\",\"document_text\":null,\"withdrawn\":null}");
    Duban__V1__Notification *to = notification(&out[1]), *copy = notification(&out[2]);
    assert_string_equal(to->recipient, "sfh-fgj");
    assert_false(to->copy);
    assert_string_equal(copy->recipient, "sfh-yhb");
    assert_true(copy->copy);
    assert_string_equal(to->measure_id, "439267c1ae0f9c2f78caad673dfd157d");
    assert_string_equal(to->title, "黄牌");
    assert_string_equal(to->body, "市发改局：\n挂黄牌");
    assert_string_equal(to->digest_key, "sfh-fgj/suifenhe-2024/2024-07-10");
    assert_null(to->valid_until);
    assert_string_not_equal(to->id, copy->id);
    struct slice json = wire_record_json(&out[2], arena);
    assert_non_null(
        strstr(json.p,
               "\"recipient\":\"sfh-yhb\",\"copy\":true,\"deliver_after\":\"2024-07-10T01:00:00Z\",\"valid_"
               "until\":null,"
               "\"cancels\":\"\",\"digest_key\":\"sfh-yhb/suifenhe-2024/2024-07-10\",\"measure_id\":\"4392"));
}

static void headers_name_the_message(void **state)
{
    (void)state;
    struct issued is = yellow(at("2024-07-10T01:00:00Z"));
    struct effects fx = effects_of(&is, 1);
    struct record *out;
    size_t n;
    struct cloud_event e;
    struct reasons why = {.arena = arena};
    wire_outputs(p, &fx, arena, &out, &n);
    assert_true(cloud_event_from_headers(out[1].header, out[1].nheaders, out[1].key, out[1].value, &e, &why));
    assert_slice(e.id, notification(&out[1])->id);
    assert_slice(e.source, "duband/suifenhe-2024");
    assert_slice(e.type, "duban.v1.Notification");
    assert_slice(e.content_type, "application/protobuf");
    assert_int_equal(e.time, is.time);
}

static struct slice first_id(const struct effects *fx)
{
    struct record *out;
    size_t n;
    wire_outputs(p, fx, arena, &out, &n);
    return out[0].header[0].value;
}

static void ids_depend_on_cause_and_measure_alone(void **state)
{
    (void)state;
    struct issued is = yellow(at("2024-07-10T01:00:00Z"));
    struct effects fx = effects_of(&is, 1);
    struct slice id = first_id(&fx);
    is.body = S("other");
    is.time++;
    fx.now++;
    assert_true(slice_eq(id, first_id(&fx)));
    is.n = 1;
    assert_false(slice_eq(id, first_id(&fx)));
    is.n = 0;
    is.measure = 2;
    assert_false(slice_eq(id, first_id(&fx)));
    is.measure = 0;
    fx.cause.id = S("e2");
    assert_false(slice_eq(id, first_id(&fx)));
    fx.cause = (struct cause){.instance = S("card/a/b"), .timer = S("limit"), .due = 5, .armed = 1};
    id = first_id(&fx);
    fx.cause.armed = 2;
    assert_false(slice_eq(id, first_id(&fx)));
    /* Lengths count: moving a byte from source to id is another cause. */
    fx.cause = (struct cause){.source = S("ab"), .id = S("c"), .due = INSTANT_NONE};
    id = first_id(&fx);
    fx.cause = (struct cause){.source = S("a"), .id = S("bc"), .due = INSTANT_NONE};
    assert_false(slice_eq(id, first_id(&fx)));
}

/* ---- notifications */

static void office_hours(void **state)
{
    (void)state;
    static const struct {
        const char *time, *after, *day;
    } cases[] = {
        {"2024-07-10T09:00:00+08:00", "2024-07-10T09:00:00+08:00", "2024-07-10"}, /* Wednesday, as it opens */
        {"2024-07-10T08:59:59.999+08:00", "2024-07-10T09:00:00+08:00", "2024-07-10"},
        {"2024-07-10T16:59:59.999+08:00", "2024-07-10T16:59:59.999+08:00", "2024-07-10"},
        {"2024-07-10T17:00:00+08:00", "2024-07-11T09:00:00+08:00", "2024-07-11"},
        {"2024-07-12T18:00:00+08:00", "2024-07-15T09:00:00+08:00", "2024-07-15"}, /* Friday evening */
        {"2024-07-13T10:00:00+08:00", "2024-07-15T09:00:00+08:00", "2024-07-15"}, /* Saturday */
        {"2024-04-04T10:00:00+08:00", "2024-04-05T09:00:00+08:00", "2024-04-05"}, /* a day off */
        {"2024-04-06T10:00:00+08:00", "2024-04-07T09:00:00+08:00",
         "2024-04-07"}, /* a Sunday that is worked */
        {"2024-04-07T12:00:00+08:00", "2024-04-07T12:00:00+08:00", "2024-04-07"},
        {"2024-07-11T00:00:00+08:00", "2024-07-11T09:00:00+08:00",
         "2024-07-11"}, /* midnight: the deadline's hour */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct issued is = yellow(at(cases[i].time));
        struct effects fx = effects_of(&is, 1);
        struct record *out;
        size_t n;
        instant_t after;
        wire_outputs(p, &fx, arena, &out, &n);
        Duban__V1__Notification *m = notification(&out[1]);
        assert_true(proto_instant(m->deliver_after, &after));
        if (after != at(cases[i].after))
            fail_msg("%s: %.*s", cases[i].time, SLICE_ARG(instant_format_utc(arena, after)));
        assert_string_equal(m->digest_key + strlen("sfh-fgj/suifenhe-2024/"), cases[i].day);
    }
}

static void a_reminder_is_a_notification_only(void **state)
{
    (void)state;
    struct issued is[] = {yellow(at("2024-03-28T16:00:00Z")), yellow(at("2024-03-28T16:00:00Z"))};
    is[0].measure = 1;
    is[0].due = at("2024-03-31T16:00:00Z");
    is[0].ncopy = 0;
    is[0].place = 0;
    is[0].period = period_at("2024-03");
    is[0].obligation = S("dispatch");
    is[1].measure = 2;
    is[1].ncopy = 0;
    struct effects fx = effects_of(is, 2);
    fx.cause = (struct cause){.instance = S("report/dispatch/2024-03/sfh-yhb"),
                              .timer = S("remind"),
                              .due = is[0].time,
                              .armed = 7};
    struct record *out;
    size_t n;
    wire_outputs(p, &fx, arena, &out, &n);
    assert_int_equal(n, 3);
    Duban__V1__Notification *m = notification(&out[0]);
    instant_t until;
    assert_true(proto_instant(m->valid_until, &until) && until == is[0].due);
    assert_string_equal(m->measure_id, "");
    assert_string_equal(m->period, "2024-03");
    assert_string_equal(m->obligation, "dispatch");
    assert_string_equal(m->rule, "");
    assert_int_equal(out[1].topic, TOPIC_WARNINGS);
    struct slice json = wire_record_json(&out[0], arena);
    assert_non_null(strstr(json.p,
                           "\"caused_by\":{\"task\":\"report/dispatch/2024-03/sfh-yhb\",\"timer\":\"remind\","
                           "\"due\":\"2024-03-28T16:00:00Z\",\"armed\":7}"));
    assert_non_null(strstr(json.p, "\"level\":\"REMINDER\",\"rung\":0"));
}

/* All three messages share their numbers: a consumer may read any of them as a Warning. */
static void the_messages_are_alike(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *w = &duban__v1__warning__descriptor;
    const ProtobufCMessageDescriptor *others[] = {&duban__v1__supervision__descriptor,
                                                  &duban__v1__notification__descriptor};
    for (size_t o = 0; o < 2; o++)
        for (unsigned i = 0; i < w->n_fields; i++) {
            assert_string_equal(w->fields[i].name, others[o]->fields[i].name);
            assert_int_equal(w->fields[i].id, others[o]->fields[i].id);
            assert_int_equal(w->fields[i].type, others[o]->fields[i].type);
            assert_int_equal(w->fields[i].label, others[o]->fields[i].label);
        }
}

/* ---- dead letters */

static void a_dead_letter(void **state)
{
    (void)state;
    struct header h[] = {{S("ce_id"), S("e1")},
                         {S("ce_source"), S("portal-a")},
                         {S("ce_type"), S("duban.v1.Fact")},
                         {S("content-type"), S("application/json")},
                         {S("ce_time"), S("noon")}};
    struct record from = {TOPIC_SUBMISSIONS,         3, 41, at("2024-07-10T01:00:00Z"), S("suifenhe-2024"),
                          S("{\"workflow\":\"w\"}"), h, 5};
    struct reasons why = {.arena = arena};
    reasons_add(&why, "first");
    reasons_add(&why, "第二");
    struct record r = wire_rejected(&from, &why, NULL, arena);
    assert_int_equal(r.topic, TOPIC_REJECTED);
    assert_int_equal(r.partition, 3);
    assert_true(slice_eq(r.value, from.value) && slice_eq(r.key, from.key));
    static const char *const wanted[][2] = {
        {"ce_id", "56acd12a654fa60d114bc7c48446f141"},
        {"ce_source", "duband/suifenhe-2024"},
        {"ce_specversion", "1.0"},
        {"ce_type", "duban.v1.Rejected"},
        {"ce_time", "2024-07-10T01:00:00Z"},
        {"content-type", "application/json"},
        {"duban_reason", "first"},
        {"duban_reason", "第二"},
        {"duban_topic", "duban.submissions"},
        {"duban_partition", "3"},
        {"duban_offset", "41"},
        {"duban_ce_source", "portal-a"},
        {"duban_ce_id", "e1"},
        {"duban_ce_type", "duban.v1.Fact"},
        {"duban_ce_time", "noon"},
    };
    assert_int_equal(r.nheaders, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < r.nheaders; i++) {
        assert_slice(r.header[i].name, wanted[i][0]);
        assert_slice(r.header[i].value, wanted[i][1]);
    }
    struct slice json = wire_record_json(&r, arena), id = r.header[0].value;
    struct slice full = arena_printf(
        arena,
        "{\"topic\":\"duban.rejected\",\"id\":\"%.*s\",\"type\":\"duban.v1.Rejected\",\"workflow\":"
        "\"suifenhe-2024\","
        "\"reasons\":[\"first\",\"第二\"],\"time\":\"2024-07-10T01:00:00Z\",\"input_topic\":\"duban."
        "submissions\","
        "\"input_partition\":3,\"input_offset\":\"41\",\"input_source\":\"portal-a\",\"input_id\":\"e1\","
        "\"input_type\":\"duban.v1.Fact\",\"input_time\":\"noon\",\"content_type\":\"application/"
        "json\",\"task\":\"\","
        "\"timer\":\"\",\"event\":{\"workflow\":\"w\"}}",
        SLICE_ARG(id));
    assert_slice(json, full.p);

    from.offset = 99; /* sent again, refused again: the same letter */
    assert_true(slice_eq(id, wire_rejected(&from, &why, NULL, arena).header[0].value));
    from.value = S("{}");
    assert_false(slice_eq(id, wire_rejected(&from, &why, NULL, arena).header[0].value));
}

static void a_dead_letter_of_noise(void **state)
{
    (void)state;
    struct header h[] = {{S("ce_id"), S("\xff\x00")}};
    struct record from = {TOPIC_DEADLINES, 0, 1, INSTANT_NONE, S("\xfe"), S("\xff\x00"), h, 1};
    struct reasons why = {.arena = arena};
    reasons_add(&why, "noise");
    struct record r = wire_rejected(&from, &why, NULL, arena);
    assert_true(slice_eq(r.value, from.value));
    struct slice json = wire_record_json(&r, arena);
    assert_true(slice_is_utf8(json));
    assert_non_null(strstr(json.p, "\"value\":\"/wA=\"}"));
    assert_non_null(strstr(json.p, "\"input_id\":\"\""));
}

static void a_halted_timer(void **state)
{
    (void)state;
    struct slice reasons[] = {S("more than 10000 events in one turn")};
    struct effects fx = {
        .verdict = VERDICT_HALTED, .reasons = reasons, .nreasons = 1, .now = at("2024-07-10T01:00:00Z")};
    fx.cause = (struct cause){.instance = S("card/a/b"), .timer = S("limit"), .due = fx.now, .armed = 1};
    struct record r = wire_halted(p, &fx, arena);
    assert_int_equal(r.topic, TOPIC_REJECTED);
    assert_int_equal(r.value.n, 0);
    struct slice json = wire_record_json(&r, arena);
    assert_non_null(strstr(
        json.p, "\"reasons\":[\"more than 10000 events in one turn\"],\"time\":\"2024-07-10T01:00:00Z\""));
    assert_non_null(strstr(json.p, "\"task\":\"card/a/b\",\"timer\":\"limit\"}"));
    struct slice id = r.header[0].value;
    fx.cause.armed = 2;
    assert_false(slice_eq(id, wire_halted(p, &fx, arena).header[0].value));
}

/* ---- the rest */

static void inputs_as_json(void **state)
{
    (void)state;
    struct header h[] = {{S("ce_id"), S("e\"1")},
                         {S("ce_source"), S("s")},
                         {S("ce_type"), S("duban.v1.Fact")},
                         {S("content-type"), S("application/json")}};
    struct record r = {TOPIC_SUBMISSIONS,
                       0,
                       0,
                       0,
                       S("w"),
                       S("{\"workflow\":\"w\",\"fact\":{\"reporter\":\"r\",\"kind\":\"k\",\"fields\":{\"b\":"
                         "1.50,\"a\":[null,true,\"\\u0001\\\\\"]}}}"),
                       h,
                       4};
    assert_slice(wire_record_json(&r, arena), "{\"topic\":\"duban.submissions\",\"id\":\"e\\\"1\",\"type\":"
                                              "\"duban.v1.Fact\",\"source\":\"s\",\"workflow\":\"w\","
                                              "\"fact\":{\"kind\":\"k\",\"reporter\":\"r\",\"fields\":{\"b\":"
                                              "1.5,\"a\":[null,true,\"\\u0001\\\\\"]}}}");
    r.value = S("\xff");
    assert_slice(
        wire_record_json(&r, arena),
        "{\"topic\":\"duban.submissions\",\"id\":\"e\\\"1\",\"type\":\"duban.v1.Fact\",\"source\":\"s\","
        "\"value\":\"/w==\"}");
}

static struct slice shown(struct slice content_type, struct slice value)
{
    struct header h[] = {{S("ce_id"), S("d")}, {S("ce_source"), S("s")}, {S("ce_type"), S("duban.v1.Definition")}, {S("content-type"), content_type}};
    struct record r = {.topic = TOPIC_DEADLINES, .key = S("w"), .value = value, .header = h, .nheaders = 4};
    return wire_record_json(&r, arena);
}

static void protobuf_and_json_say_the_same(void **state)
{
    (void)state;
    struct wire_file f = {S("w/workflow.yaml"), S("\x00\xff")};
    struct wire_definition d = {S("w"), S("ab"), S("w/workflow.yaml"), &f, 1};
    struct slice json = S("{\"workflow\":\"w\",\"actor\":\"a\",\"definition\":{\"hash\":\"ab\",\"root\":\"w/workflow.yaml\","
                          "\"files\":[{\"path\":\"w/workflow.yaml\",\"content\":\"AP8=\"}]}}");
    struct slice line = shown(S("application/json"), json);
    assert_true(slice_eq(shown(S("application/protobuf"), wire_definition_pack(&d, S("a"), S(""), arena)), line));
    assert_slice(line, "{\"topic\":\"duban.deadlines\",\"id\":\"d\",\"type\":\"duban.v1.Definition\",\"source\":\"s\",\"workflow\":\"w\",\"actor\":\"a\","
                       "\"definition\":{\"hash\":\"ab\",\"root\":\"w/workflow.yaml\",\"files\":[{\"path\":\"w/workflow.yaml\",\"content\":\"AP8=\"}]}}");
    struct cloud_event e = {S("d"), S("s"), S("duban.v1.Definition"), S("application/json"), INSTANT_NONE,
                            S("w"), json};
    struct wire_definition back;
    struct reasons why = {.arena = arena};
    assert_true(wire_definition_from_input(&e, arena, &back, &why));
    assert_true(slice_eq(back.files[0].content, f.content));
    assert_non_null(strstr(shown(S("application/protobuf"), wire_clock_pack(arena)).p, "\"deadline_reached\":{}}"));
}

static void topics(void **state)
{
    (void)state;
    enum topic t;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        assert_true(topic_parse(slice_of(topic_names[i]), &t) && (int)t == i);
        assert_true(topic_parse(slice_of(topic_names[i] + 6), &t) && (int)t == i);
    }
    assert_false(topic_parse(S(""), &t));
    assert_false(topic_parse(S("duban."), &t));
    assert_false(topic_parse(S("duban.warning"), &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_program, teardown)
        TEST(a_measure_as_json),
        TEST(headers_name_the_message),
        TEST(ids_depend_on_cause_and_measure_alone),
        TEST(office_hours),
        TEST(a_reminder_is_a_notification_only),
        TEST(the_messages_are_alike),
        TEST(a_dead_letter),
        TEST(a_dead_letter_of_noise),
        TEST(a_halted_timer),
        TEST(inputs_as_json),
        TEST(protobuf_and_json_say_the_same),
        TEST(topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
