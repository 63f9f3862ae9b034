/* Stored records: instances, history, log, markers. */
#include "wire_support.h"

static struct program *p;

static int setup_program(void **state)
{
    setup(state);
    p = small_program();
    return 0;
}

static void assert_same_value(const struct value *a, const struct value *b)
{
    assert_int_equal(a->tag, b->tag);
    assert_int_equal(value_cmp(a, b), 0);
}

static void assert_same_cause(const struct cause *a, const struct cause *b)
{
    assert_true(slice_eq(a->source, b->source) && slice_eq(a->id, b->id) &&
                slice_eq(a->instance, b->instance));
    assert_true(slice_eq(a->timer, b->timer));
    assert_int_equal(a->due, b->due);
    assert_int_equal(a->armed, b->armed);
    assert_int_equal(a->received, b->received);
}

static void assert_same_timer(const struct timer *a, const struct timer *b)
{
    assert_int_equal(a->def, b->def);
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->due, b->due);
    assert_int_equal(a->nominal, b->nominal);
    assert_int_equal(a->armed, b->armed);
    assert_int_equal(a->hops, b->hops);
    assert_int_equal(a->held, b->held);
}

static struct instance *again(const struct instance *i)
{
    struct err e = {{0}};
    struct slice bytes = wire_instance_pack(p, i, arena);
    struct instance *back = wire_instance_unpack(p, bytes, arena, &e);
    if (!back)
        fail_msg("%s", e.text);
    assert_true(slice_eq(bytes, wire_instance_pack(p, back, arena)));
    return back;
}

static void card_comes_back(void **state)
{
    (void)state;
    struct instance *i = yellow_card(), *back = again(i);
    assert_int_equal(back->machine, CARD);
    assert_slice(back->key[0], "sfh-fgj");
    assert_slice(back->key[1], "i-017");
    assert_int_equal(back->state, 2);
    assert_int_equal(back->since, i->since);
    for (size_t v = 0; v < 6; v++)
        assert_same_value(&i->vars[v], &back->vars[v]);
    assert_true(period_eq(back->counts[0].window, i->counts[0].window));
    assert_int_equal(back->counts[0].n, 2);
    for (size_t f = 0; f < 5; f++)
        assert_same_value(&i->latest[0].field[f], &back->latest[0].field[f]);
    assert_int_equal(back->ntimers, 1);
    assert_same_timer(&i->timers[0], &back->timers[0]);
    assert_int_equal(back->limit, i->limit);
    assert_same_cause(&i->born, &back->born);
    assert_same_cause(&i->last, &back->last);
    assert_int_equal(back->turns, 2);
    assert_false(back->halted);
    assert_null(back->task);
}

static void card_is_small(void **state)
{
    (void)state;
    size_t n = wire_instance_pack(p, yellow_card(), arena).n;
    print_message("a card takes %zu bytes\n", n);
    assert_true(n <= 400);
}

static void every_kind_of_value_comes_back(void **state)
{
    (void)state;
    struct instance *i = yellow_card();
    struct value notes[] = {text_value("一"), text_value(""), {.tag = VALUE_NA}};
    struct value part[] = {text_value("x"), {.tag = VALUE_NUMBER, .number = {-8003, 300}}};
    i->vars[2] = text_value("");
    i->vars[3] = (struct value){.tag = VALUE_LIST, .list = {notes, 3}};
    i->vars[4] = (struct value){.tag = VALUE_RECORD, .record = {part, NULL, 2}};
    i->vars[5] = (struct value){.tag = VALUE_DURATION, .duration = {5, DURATION_WORKDAY}};
    i->latest[0].field[2] = (struct value){.tag = VALUE_NUMBER, .number = {INT64_MIN, INT64_MAX}};
    i->latest[0].field[4].instant = INSTANT_NONE;
    i->limit = INSTANT_NONE;
    i->halted = true;
    i->state = -1;
    struct instance *back = again(i);
    for (size_t v = 0; v < 6; v++)
        assert_same_value(&i->vars[v], &back->vars[v]);
    for (size_t f = 0; f < 5; f++)
        assert_same_value(&i->latest[0].field[f], &back->latest[0].field[f]);
    assert_int_equal(back->limit, INSTANT_NONE);
    assert_true(back->halted);
    assert_int_equal(back->state, -1);
}

static void nothing_yet_comes_back(void **state)
{
    (void)state;
    struct instance *i = yellow_card();
    i->latest[0].field = NULL;
    i->counts[0] = (struct count){{0}, 0};
    i->ntimers = 0;
    i->last = i->born;
    i->limit = 0; /* an instant like any other */
    struct instance *back = again(i);
    assert_null(back->latest[0].field);
    assert_int_equal(back->counts[0].n, 0);
    assert_int_equal(back->counts[0].window.kind, PERIOD_ONCE);
    assert_int_equal(back->ntimers, 0);
    assert_int_equal(back->limit, 0);
    assert_same_cause(&back->last, &i->born);
}

static struct instance *open_task(void)
{
    struct instance *i = ARENA_NEW(arena, struct instance);
    i->machine = REPORT;
    i->key[TASK_OBLIGATION] = S("dispatch");
    i->key[TASK_PERIOD] = S("2024-03");
    i->key[TASK_UNIT] = S("sfh-yhb");
    i->key[TASK_ABOUT] = S("zb-01");
    i->since = at("2024-02-29T16:00:00Z");
    i->task = ARENA_NEW(arena, struct task);
    *i->task = (struct task){.obligation = 0,
                             .period = period_at("2024-03"),
                             .opens = i->since,
                             .nominal = at("2024-03-31T16:00:00Z"),
                             .due = at("2024-03-31T16:00:00Z"),
                             .day = date_from_civil(2024, 3, 31),
                             .provisional = true,
                             .reason = S("last day of 2024-03, inclusive: until 24:00"),
                             .soft_end = at("2024-03-07T16:00:00Z"),
                             .title = S("清理积压件"),
                             .basis = S("纪要第3号"),
                             .nowners = 2};
    i->task->owners = ARENA_ARRAY(arena, struct slice, 2);
    i->task->owners[0] = S("sfh-yhb");
    i->task->owners[1] = S("u-02");
    i->timers = ARENA_ARRAY(arena, struct timer, 3);
    i->ntimers = 3;
    i->timers[0] = (struct timer){0, 0, at("2024-03-28T16:00:00Z"), at("2024-03-28T16:00:00Z"), 0, 0, false};
    i->timers[1] = (struct timer){0, 1, at("2024-03-30T16:00:00Z"), at("2024-03-30T16:00:00Z"), 0, 0, false};
    i->timers[2] = (struct timer){1, 0, INSTANT_MAX, at("2024-03-31T16:00:00Z"), 0, 0, false};
    i->limit = INSTANT_NONE;
    i->born = (struct cause){.instance = S("generator/dispatch"),
                             .timer = S("open"),
                             .due = i->since,
                             .armed = 3,
                             .received = i->since};
    i->last = i->born;
    return i;
}

static void task_comes_back(void **state)
{
    (void)state;
    struct instance *i = open_task(), *back = again(i);
    assert_int_equal(back->task->obligation, 0);
    assert_true(period_eq(back->task->period, i->task->period));
    assert_int_equal(back->task->opens, i->task->opens);
    assert_int_equal(back->task->nominal, i->task->nominal);
    assert_int_equal(back->task->due, i->task->due);
    assert_int_equal(back->task->day, i->task->day);
    assert_true(back->task->provisional);
    assert_true(slice_eq(back->task->reason, i->task->reason));
    assert_int_equal(back->task->soft_end, i->task->soft_end);
    assert_slice(back->task->title, "清理积压件");
    assert_slice(back->task->basis, "纪要第3号");
    assert_int_equal(back->task->nowners, 2);
    assert_slice(back->task->owners[1], "u-02");
    assert_int_equal(back->ntimers, 3);
    for (size_t t = 0; t < 3; t++)
        assert_same_timer(&i->timers[t], &back->timers[t]);
    assert_same_cause(&i->born, &back->born);
}

static void what_corrections_made_of_it_comes_back(void **state)
{
    (void)state;
    struct instance *i = open_task();
    i->timers[2].held = true;
    i->standing = (struct standing){.paused = 1, .asked = 2, .asked_until = S("2024-04-03"), .request = {S("portal"), S("7")},
                                    .waived = true, .excused = S("洪灾"), .extended = 3};
    struct instance *back = again(i);
    for (size_t t = 0; t < 3; t++)
        assert_same_timer(&i->timers[t], &back->timers[t]);
    assert_true(back->standing.paused == 1 && back->standing.asked == 2 && back->standing.extended == 3);
    assert_true(back->standing.waived);
    assert_slice(back->standing.asked_until, "2024-04-03");
    assert_slice(back->standing.request.source, "portal");
    assert_slice(back->standing.request.id, "7");
    assert_slice(back->standing.excused, "洪灾");
    i->standing = (struct standing){.extended = 3};
    assert_true(again(i)->standing.extended == 3);
}

static void generator_comes_back(void **state)
{
    (void)state;
    struct instance i = {.machine = GENERATOR,
                         .key = {S("dispatch")},
                         .limit = INSTANT_NONE,
                         .next_period = period_at("2024-W13")};
    assert_true(period_eq(again(&i)->next_period, i.next_period));
}

/* State outlives the order of a definition's timers and what it adds; not what it takes away. */
static void other_definitions(void **state)
{
    (void)state;
    struct err e = {{0}};
    struct slice bytes = wire_instance_pack(p, open_task(), arena);
    struct program *q = small_program();
    struct machine *machines = ARENA_ARRAY(arena, struct machine, 3);
    memcpy(machines, q->machines, 3 * sizeof *machines);
    q->machines = machines;
    struct timer_def turned[] = {machines[REPORT].timers[1], machines[REPORT].timers[0]};
    machines[REPORT].timers = turned;
    struct instance *back = wire_instance_unpack(q, bytes, arena, &e);
    assert_non_null(back);
    assert_int_equal(back->timers[0].def, 0);
    assert_int_equal(back->timers[0].due, INSTANT_MAX);
    assert_int_equal(back->timers[2].n, 1);

    machines[REPORT].ntimers = 1; /* no remind */
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "machine report has no timer remind, which is armed");
    q->nobligations = 0;
    machines[REPORT].ntimers = 2;
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "there is no obligation dispatch, of which there is a task");
    machines[REPORT].nkey = 3;
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "machine report has a key of 3 parts, not of 4");

    bytes = wire_instance_pack(p, yellow_card(), arena);
    machines[CARD].nstates = 2;
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "machine card has no state yellow, in which there is an instance");
    machines[CARD].nstates = 3;
    struct field vars[6];
    memcpy(vars, machines[CARD].vars, sizeof vars);
    machines[CARD].vars = vars;
    vars[0].type.tag = TYPE_NUMBER;
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "machine card: variable rectified: the stored value is not of type number");
    vars[0].name = S("renamed"); /* starts as the definition says */
    back = wire_instance_unpack(q, bytes, arena, &e);
    assert_non_null(back);
    assert_false(back->vars[0].yes);
    q->nmachines = 2;
    assert_null(wire_instance_unpack(q, bytes, arena, &e));
    assert_string_equal(e.text, "there is no machine card");
    assert_null(wire_instance_unpack(p,
                                     S("\x0a\x05"
                                       "ca"),
                                     arena, &e));
    assert_string_equal(e.text, "instance record of 4 bytes cannot be read: byte 0 of 4: not a field of "
                                "duban.v1.Instance, or cut short");
}

/* ---- history */

static struct record input_record(void)
{
    static struct header h[] = {{{"ce_id", 5}, {"e1", 2}},
                                {{"ce_source", 9}, {"portal-a", 8}},
                                {{"ce_specversion", 14}, {"1.0", 3}},
                                {{"ce_type", 7}, {"duban.v1.Fact", 13}},
                                {{"content-type", 12}, {"application/json", 16}}};
    return (struct record){
        .topic = TOPIC_SUBMISSIONS,
        .partition = 3,
        .offset = 41,
        .appended = at("2024-07-10T01:00:00Z"),
        .key = S("suifenhe-2024"),
        .value = S("{\"workflow\":\"suifenhe-2024\",\"fact\":{\"kind\":\"dispatch\",\"reporter\":\"u\"}}"),
        .header = h,
        .nheaders = 5};
}

static struct effects effects_of(struct instance *i)
{
    struct effects fx = {.verdict = VERDICT_APPLIED, .now = i->since, .cause = i->last};
    fx.transitions = ARENA_ARRAY(arena, struct transition, 2);
    fx.ntransitions = 2;
    fx.transitions[0] = (struct transition){.instance = i, .from = -1, .to = 1, .kind = KIND_DECLARED, .timer = -1};
    fx.transitions[1] = (struct transition){.instance = i, .from = 1, .to = 2, .kind = KIND_TIMER, .place = 1};
    fx.issued = ARENA_NEW(arena, struct issued);
    fx.nissued = 1;
    struct slice *to = ARENA_ARRAY(arena, struct slice, 1);
    to[0] = S("sfh-fgj");
    fx.issued[0] = (struct issued){.measure = 0,
                                   .instance = i,
                                   .unit = S("sfh-fgj"),
                                   .subject = S("i-017"),
                                   .to = to,
                                   .nto = 1,
                                   .time = i->since,
                                   .due = INSTANT_NONE,
                                   .limit = i->limit,
                                   .place = 1};
    return fx;
}

static struct slice three_turns(struct slice turn[3])
{
    struct history_head head = {0};
    struct record in = input_record(), *outputs, letter;
    size_t n;
    struct effects fx = effects_of(yellow_card());
    wire_outputs(p, &fx, arena, &outputs, &n);
    assert_int_equal(n, 2);
    turn[0] = wire_history_pack(p, &fx, &in, outputs, n, &head, arena);
    turn[1] = wire_history_pack(p, &fx, NULL, NULL, 0, &head, arena);
    struct reasons why = {.arena = arena};
    reasons_add(&why, "unknown kind dispatch");
    struct effects refused = {
        .verdict = VERDICT_REJECTED, .reasons = why.item, .nreasons = 1, .cause = fx.cause, .now = fx.now};
    letter = wire_rejected(&in, &why, NULL, arena);
    turn[2] = wire_history_pack(p, &refused, &in, &letter, 1, &head, arena);
    assert_int_equal(head.sequence, 3);
    return in.value;
}

static void history_is_a_chain(void **state)
{
    (void)state;
    struct slice turn[3];
    struct history_head head = {0};
    struct err e = {{0}};
    three_turns(turn);
    for (int i = 0; i < 3; i++)
        if (!wire_history_verify(turn[i], &head, &e))
            fail_msg("%s", e.text);
    assert_int_equal(head.sequence, 3);

    head = (struct history_head){0};
    assert_false(wire_history_verify(turn[1], &head, &e));
    assert_string_equal(e.text, "history record 2 of suifenhe-2024 stands where 1 should be");
    assert_true(wire_history_verify(turn[0], &head, &e));
    head.hash[0] ^= 1;
    assert_false(wire_history_verify(turn[1], &head, &e));
    assert_string_equal(e.text,
                        "history record 2 of suifenhe-2024 does not follow from the record before it");
    assert_false(wire_history_verify(S("short"), &head, &e));
}

static void any_changed_byte_breaks_the_chain(void **state)
{
    (void)state;
    struct slice turn[3];
    three_turns(turn);
    for (size_t i = 0; i < turn[0].n; i++) {
        struct history_head head = {0};
        struct err e;
        char *copy = arena_alloc(arena, turn[0].n);
        memcpy(copy, turn[0].p, turn[0].n);
        copy[i] ^= 0x01;
        assert_false(wire_history_verify((struct slice){copy, turn[0].n}, &head, &e));
        assert_int_equal(head.sequence, 0);
    }
}

static void history_gives_its_outputs_back(void **state)
{
    (void)state;
    struct slice turn[3], value = three_turns(turn);
    struct effects fx = effects_of(yellow_card());
    struct record *wanted, *got;
    size_t nwanted, n;
    wire_outputs(p, &fx, arena, &wanted, &nwanted);
    assert_true(wire_history_outputs(turn[0], arena, &got, &n));
    assert_int_equal(n, nwanted);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i].topic, wanted[i].topic);
        assert_int_equal(got[i].partition, 3);
        assert_true(slice_eq(got[i].key, wanted[i].key) && slice_eq(got[i].value, wanted[i].value));
        assert_int_equal(got[i].nheaders, wanted[i].nheaders);
        for (size_t h = 0; h < got[i].nheaders; h++)
            assert_true(slice_eq(got[i].header[h].name, wanted[i].header[h].name) &&
                        slice_eq(got[i].header[h].value, wanted[i].header[h].value));
    }
    assert_true(wire_history_outputs(turn[1], arena, &got, &n));
    assert_int_equal(n, 0);
    assert_true(wire_history_outputs(turn[2], arena, &got, &n));
    assert_int_equal(n, 1);
    assert_int_equal(got[0].topic, TOPIC_REJECTED);
    assert_true(slice_eq(got[0].value, value));
    assert_false(wire_history_outputs(S("\xff"), arena, &got, &n));
}

static void history_as_json(void **state)
{
    (void)state;
    struct slice turn[3];
    three_turns(turn);
    struct slice json = wire_history_json(turn[0], arena);
    assert_non_null(strstr(json.p, "\"workflow\":\"suifenhe-2024\",\"sequence\":\"1\""));
    assert_non_null(strstr(
        json.p,
        "\"cause\":{\"source\":\"portal-a\",\"id\":\"rank-2024Q2\"},\"now\":\"2024-07-10T01:00:00Z\""));
    assert_non_null(strstr(json.p, "\"verdict\":\"APPLIED\""));
    assert_non_null(strstr(
        json.p,
        "{\"machine\":\"card\",\"key\":[\"sfh-fgj\",\"i-017\"],\"to\":\"warned\",\"event\":\"ranked\"}"));
    assert_non_null(strstr(json.p,
                           "\"from\":\"warned\",\"to\":\"yellow\",\"event\":\"timer\",\"timer\":\"limit\","
                           "\"rule\":\"suifenhe-2024/workflow.yaml:412\""));
    assert_non_null(strstr(
        json.p, "\"input\":{\"topic\":\"duban.submissions\",\"partition\":3,\"offset\":\"41\",\"source\":"
                "\"portal-a\","
                "\"id\":\"e1\",\"type\":\"duban.v1.Fact\",\"content_type\":\"application/json\","
                "\"received\":\"2024-07-10T01:00:00Z\",\"event\":{\"workflow\":\"suifenhe-2024\",\"fact\":"));
    assert_non_null(strstr(json.p, "\"outputs\":[{\"topic\":\"duban.supervision\""));
    assert_null(strchr(json.p, '\n'));
    json = wire_history_json(turn[2], arena);
    assert_non_null(strstr(json.p, "\"verdict\":\"REJECTED\",\"reasons\":[\"unknown kind dispatch\"]"));
    assert_slice(wire_history_json(S("\xff"), arena), "{\"value\":\"/w==\"}");
}

/* ---- log and markers */

static void log_records_come_back(void **state)
{
    (void)state;
    struct header h[] = {{S("ce_id"), S("e1")}, {S("x"), S("\x00\xff")}, {S(""), S("")}};
    struct record all[] = {
        {TOPIC_SUBMISSIONS, 0, 0, 0, S("k"), S("\x00\x01"), h, 3},
        {TOPIC_HISTORY, 7, INT64_MAX, at("2024-07-10T01:00:00.123Z"), S(""), S(""), NULL, 0},
        {TOPIC_REJECTED, 1, -1, INSTANT_NONE, S("\xff"), S("v"), h, 1},
    };
    for (size_t i = 0; i < 3; i++) {
        struct record back;
        struct err e = {{0}};
        assert_true(wire_log_unpack(wire_log_pack(&all[i], arena), arena, &back, &e));
        assert_int_equal(back.topic, all[i].topic);
        assert_int_equal(back.partition, all[i].partition);
        assert_int_equal(back.offset, all[i].offset);
        assert_int_equal(back.appended, all[i].appended);
        assert_true(slice_eq(back.key, all[i].key) && slice_eq(back.value, all[i].value));
        assert_int_equal(back.nheaders, all[i].nheaders);
        for (size_t j = 0; j < back.nheaders; j++)
            assert_true(slice_eq(back.header[j].name, h[j].name) &&
                        slice_eq(back.header[j].value, h[j].value));
    }
    struct record back;
    struct err e;
    assert_false(wire_log_unpack(S("\x08\x63"), arena, &back, &e));
    assert_string_equal(e.text, "log record of topic 99, which this version does not know");
    assert_false(wire_log_unpack(S("\x08"), arena, &back, &e));
}

static void markers_come_back(void **state)
{
    (void)state;
    struct marker m = {UINT64_MAX, {-1, 17}, 5, INSTANT_NONE, S("http://10.0.0.1:8080"), 0, {NULL, 0}}, back;
    struct err e;
    assert_true(wire_marker_unpack(wire_marker_pack(&m, arena), arena, &back, &e));
    assert_true(back.batch == m.batch && back.input_next[0] == -1 && back.input_next[1] == 17 &&
                back.history_next == 5);
    assert_int_equal(back.clock_target, INSTANT_NONE);
    assert_slice(back.owner_url, "http://10.0.0.1:8080");
    assert_int_equal(back.partitions, 0);
    assert_int_equal(back.moved_to.n, 0);
    m.clock_target = 0;
    m.partitions = 64;
    m.moved_to = S("large.* of kafka-1:9092");
    assert_true(wire_marker_unpack(wire_marker_pack(&m, arena), arena, &back, &e));
    assert_int_equal(back.clock_target, 0);
    assert_int_equal(back.partitions, 64);
    assert_slice(back.moved_to, "large.* of kafka-1:9092");
    assert_false(wire_marker_unpack(S("\x0a\x01"), arena, &back, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_program, teardown)
        TEST(card_comes_back),
        TEST(card_is_small),
        TEST(every_kind_of_value_comes_back),
        TEST(nothing_yet_comes_back),
        TEST(task_comes_back),
        TEST(what_corrections_made_of_it_comes_back),
        TEST(generator_comes_back),
        TEST(other_definitions),
        TEST(history_is_a_chain),
        TEST(any_changed_byte_breaks_the_chain),
        TEST(history_gives_its_outputs_back),
        TEST(history_as_json),
        TEST(log_records_come_back),
        TEST(markers_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
