/* What readers see. */
#include "engine_support.h"

#include "engine/query.h"
#include "engine/row.h"

static struct rig *scene(void)
{
    struct rig *g = rig_new(false);
    struct cloud_event e;

    rig_publish(g, "toy", toy_body, 1, "2024-01-01T00:00:00+08:00");
    rig_publish(g, "toy-b", toy_body, 1, "2024-01-01T00:00:00+08:00");
    e = toy_submission(g->kept, "toy", "s1", 1, 1);
    rig_event(g, &e, TOPIC_SUBMISSIONS, "2024-01-05T00:00:00+08:00");
    for (int i = 0; i < 3; i++) {
        e = toy_slow(g->kept, "toy", i == 0 ? "a" : i == 1 ? "b" : "c", 2, 5);
        rig_event(g, &e, TOPIC_DEADLINES, "2024-01-06T00:00:00+08:00");
    }
    e = toy_clock(g->kept, "toy", "c1");
    rig_event(g, &e, TOPIC_DEADLINES, "2024-01-25T00:00:00+08:00");
    return g;
}

typedef bool query_call(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                        struct err *e);

static size_t ask(struct rig *g, query_call *call, const struct query *q, struct query_result *out)
{
    struct err e = {{0}};
    struct store_txn *t = store_begin(g->store, false, &e);

    if (!call(t, q, g->kept, out, &e))
        fail_msg("%s", e.text);
    store_abort(t);
    return out->n;
}

static void assert_has(struct slice json, const char *part)
{
    if (memmem(json.p, json.n, part, strlen(part)) == NULL)
        fail_msg("%.*s\nhas no %s", SLICE_ARG(json), part);
}

static void tasks(void **state)
{
    (void)state;
    struct rig *g = scene();
    struct query_result out;

    assert_int_equal(ask(g, query_tasks, &(struct query){.workflow = S("toy")}, &out), TOY_UNITS);
    assert_int_equal(ask(g, query_tasks, &(struct query){.limit = 0}, &out), 2 * TOY_UNITS);
    assert_int_equal(ask(g, query_tasks, &(struct query){.workflow = S("toy"), .state = S("filed")}, &out),
                     1);
    assert_has(out.row[0], "\"workflow\":\"toy\",\"obligation\":\"report\",\"basis\":\"一\",\"title\":"
                           "\"月报\",\"unit\":\"u-01\"");
    assert_has(out.row[0], "\"period\":\"2024-01\"");
    assert_has(out.row[0], "\"state\":\"filed\",\"state_title\":\"已报\",\"final\":false");
    assert_has(out.row[0], "\"due\":\"2024-01-20T16:00:00Z\",\"day\":\"2024-01-20\"");
    assert_has(out.row[0], "\"late\":false");
    assert_int_equal(ask(g, query_tasks, &(struct query){.workflow = S("toy"), .unit = S("u-03")}, &out), 1);
    assert_has(out.row[0], "\"late\":true");
    assert_has(out.row[0], "\"variables\":{\"late\":true}");
    assert_int_equal(ask(g, query_tasks, &(struct query){.period = S("2024-02")}, &out), 0);
    assert_int_equal(
        ask(g, query_tasks, &(struct query){.obligation = S("report"), .workflow = S("toy-b")}, &out),
        TOY_UNITS);
    assert_int_equal(ask(g, query_tasks, &(struct query){.obligation = S("other")}, &out), 0);
    assert_int_equal(ask(g, query_tasks, &(struct query){.workflow = S("nowhere")}, &out), 0);
    rig_free(g);
}

static void cases_and_measures(void **state)
{
    (void)state;
    struct rig *g = scene();
    struct query_result out;

    assert_int_equal(ask(g, query_cases, &(struct query){.workflow = S("toy")}, &out), 1);
    assert_has(out.row[0], "\"machine\":\"card\"");
    assert_has(out.row[0], "\"unit\":\"u-02\"");
    assert_has(out.row[0], "\"state\":\"yellow\"");
    assert_has(out.row[0], "\"counters\":{\"times\":3}");
    assert_has(out.row[0], "\"timers\":[{\"name\":\"limit\",\"due\":\"2024-02-05T16:00:00Z\"}]");
    assert_int_equal(ask(g, query_cases, &(struct query){.open_only = true, .machine = S("card")}, &out), 1);
    assert_int_equal(ask(g, query_cases, &(struct query){.state = S("clear")}, &out), 0);

    assert_int_equal(ask(g, query_measures, &(struct query){.workflow = S("toy")}, &out),
                     TOY_UNITS); /* five late, one card */
    assert_has(out.row[0], "late-notice");
    assert_has(out.row[TOY_UNITS - 1], "yellow-card"); /* newest first */
    assert_int_equal(
        ask(g, query_measures, &(struct query){.workflow = S("toy"), .measure = S("yellow-card")}, &out), 1);
    assert_has(out.row[0], "\"unit\":\"u-02\"");
    assert_int_equal(ask(g, query_measures, &(struct query){.unit = S("u-02"), .workflow = S("toy")}, &out),
                     2);
    assert_int_equal(ask(g, query_measures, &(struct query){.limit = 0}, &out), 2 * TOY_UNITS);
    rig_free(g);
}

/* Page by page the same rows come as at once. */
static void check_pages(struct rig *g, query_call *call, struct slice workflow)
{
    struct query_result all, page;
    struct query q = {.workflow = workflow};
    size_t n = 0;

    ask(g, call, &q, &all);
    assert_true(all.n > 5);
    assert_int_equal(all.next.n, 0);
    q.limit = 2;
    do {
        ask(g, call, &q, &page);
        assert_true(page.n <= 2 && (page.n > 0 || page.next.n == 0));
        for (size_t i = 0; i < page.n; i++, n++) {
            assert_true(n < all.n);
            assert_true(slice_eq(page.row[i], all.row[n]));
        }
        q.after = page.next;
    } while (page.next.n > 0);
    assert_int_equal(n, all.n);
}

static void pages(void **state)
{
    (void)state;
    struct rig *g = scene();
    struct query_result out;
    struct err e = {{0}};

    check_pages(g, query_tasks, S(""));
    check_pages(g, query_tasks, S("toy"));
    check_pages(g, query_measures, S(""));
    check_pages(g, query_measures, S("toy"));
    check_pages(g, query_history, S(""));
    check_pages(g, query_history, S("toy-b"));

    struct store_txn *t = store_begin(g->store, false, &e);
    assert_false(query_tasks(t, &(struct query){.after = S("xyz")}, g->kept, &out, &e));
    assert_non_null(strstr(e.text, "cursor"));
    store_abort(t);
    rig_free(g);
}

static void members(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct slice raw, text;
    const struct slice o = S("{\"a\":{\"b\":\"no\",\"s\":\"}\"},\"l\":[1,{\"b\":2}],\"b\":"
                             "\"q\\\"\\\\\\u0009\\n\",\"n\":\"12\",\"m\":7, \"t\" : true}");

    assert_true(row_text_member(o, "b", a, &text));
    assert_slice(text, "q\"\\\t\n");
    assert_true(row_member(o, "m", &raw));
    assert_slice(raw, "7");
    assert_true(row_member(o, "t", &raw));
    assert_slice(raw, "true");
    assert_true(row_member(o, "l", &raw));
    assert_slice(raw, "[1,{\"b\":2}]");
    assert_false(row_member(o, "s", &raw));
    assert_false(row_text_member(o, "m", a, &text));
    assert_false(row_member(S(""), "s", &raw));
    assert_false(row_member(S("{"), "s", &raw));
    assert_false(row_member(S("{\"s"), "s", &raw));
    assert_false(row_text_member(S("{\"s\":\"x\\"), "s", a, &text));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks),
        cmocka_unit_test(cases_and_measures),
        cmocka_unit_test(pages),
        cmocka_unit_test(members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
