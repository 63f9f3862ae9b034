/* Tasks that events, directives and rules bear; schedules over definitions; due dates that a newer calendar
 * settles. */
#include "core/turn.h"
#include "world_fixture.h"

static struct span all = {DATE_NONE, DATE_NONE};

static struct obligation *reports(struct array_world *w)
{
    return &w->p->obligations[OB_REPORT];
}

/* ---- births */

/* slow(unit, degree) bears a task of `progress`, about the degree. */
static struct array_world *borne(void)
{
    struct program *p = fixture_program();
    struct obligation *o = &p->obligations[OB_REPORT];
    o->births = ARENA_NEW(fx, struct birth);
    o->nbirths = 1;
    *o->births = (struct birth){.kind = K_SLOW, .owed_by = X_EVENT(0), .about = X_EVENT(2)};
    o->owed_by = NULL;
    o->about_text = true;
    o->period = PERIOD_ONCE;
    o->due = (struct due_rule){.kind = DUE_NONE};
    struct array_world *w = world_new(p);
    struct err e;
    if (!program_check(p, &e))
        fail_msg("%s", e.text);
    world_install(w, at(p, "2024-01-01", 0, 0));
    return w;
}

static enum verdict slow(struct array_world *w, const char *unit, const char *degree)
{
    return world_input(
        w, fact(at(w->p, "2024-03-01", 9, 0), "slow", "b-1",
                record(3, "unit", V_TEXT(unit), "subject", V_TEXT("i-011"), "degree", V_TEXT(degree))));
}

static size_t tasks(const struct array_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += w->item[i]->machine == M_REPORT;
    return n;
}

static void an_event_bears_each_task_once(void **state)
{
    (void)state;
    struct array_world *w = borne();
    const char *degree = "推进缓慢";
    assert_int_equal(tasks(w), 0); /* no generator */
    slow(w, "tf-01", degree);
    const struct instance *i = the(w, M_REPORT, "progress", "", "tf-01", degree);
    assert_true(i->task->due == INSTANT_MAX);
    assert_true(i->task->opens == at(w->p, "2024-03-01", 9, 0));
    assert_int_equal(i->turns, 1);
    slow(w, "tf-01", degree);
    assert_int_equal(the(w, M_REPORT, "progress", "", "tf-01", degree)->turns, 1);
    slow(w, "tf-01", "严重滞后");
    slow(w, "tf-02", degree);
    assert_int_equal(tasks(w), 3);
}

static void a_birth_outside_the_dates_is_not_owed(void **state)
{
    (void)state;
    struct array_world *w = borne();
    reports(w)->effective = (struct span){date_from_civil(2024, 3, 2), DATE_NONE};
    slow(w, "tf-01", "推进缓慢");
    assert_int_equal(tasks(w), 0);
    reports(w)->effective = (struct span){date_from_civil(2024, 3, 1), DATE_NONE};
    slow(w, "tf-01", "推进缓慢");
    assert_int_equal(tasks(w), 1);
}

static void what_a_born_task_is_about_must_fit_a_key(void **state)
{
    (void)state;
    struct array_world *w = borne();
    reports(w)->births->about = x_const(V_TEXT("a\tb"));
    assert_int_equal(slow(w, "tf-01", "推进缓慢"), VERDICT_REJECTED);
    assert_because(&w->fx, "no control characters in a key");
    char *much = mem_alloc(KEY_PART_MAX + 2);
    memset(much, 'x', KEY_PART_MAX + 1);
    reports(w)->births->about = x_const(V_TEXT(much));
    assert_int_equal(slow(w, "tf-01", "推进缓慢"), VERDICT_REJECTED);
    assert_because(&w->fx, "the key of progress for tf-01");
    free(much);
}

static struct input directive(const struct array_world *w, const char *about, const char *due)
{
    struct input in = {.class_ = INPUT_DIRECTIVE,
                       .source = S("portal-a"),
                       .id = S("d"),
                       .received = at(w->p, "2024-03-01", 9, 0),
                       .obligation = S("progress"),
                       .about = slice_of(about),
                       .title = S("清理积压件"),
                       .until = slice_of(due),
                       .reporter = S("o-1"),
                       .topic = VOICE_DEADLINES};
    PUT(in.units, in.nunits, struct slice, WORD("tf-01"), WORD("tf-02"));
    return in;
}

static struct array_world *directed(void)
{
    struct array_world *w = borne();
    struct obligation *o = reports(w);
    struct field *f = ARENA_ARRAY(fx, struct field, DIRECTIVE_FIELDS);
    w->p->kinds[KIND_DIRECTIVE].fields = f;
    w->p->kinds[KIND_DIRECTIVE].nfields = DIRECTIVE_FIELDS;
    *o->births = (struct birth){.kind = KIND_DIRECTIVE,
                                .owed_by = X_EVENT(DIRECTIVE_UNIT),
                                .about = X_EVENT(DIRECTIVE_ABOUT),
                                .due = X_EVENT(DIRECTIVE_DUE)};
    o->due.kind = DUE_FIELD;
    PUT(o->by, o->nby, int, ROLE_OFFICE);
    return w;
}

static void a_directive_bears_a_task_for_each_unit(void **state)
{
    (void)state;
    struct array_world *w = directed();
    assert_int_equal(world_input(w, directive(w, "d-1", "2024-03-10")), VERDICT_APPLIED);
    const struct task *one = the(w, M_REPORT, "progress", "", "tf-01", "d-1")->task,
                      *two = the(w, M_REPORT, "progress", "", "tf-02", "d-1")->task;
    assert_true(one->due == at(w->p, "2024-03-11", 0, 0));
    assert_slice(one->title, "清理积压件");
    assert_true(two->day == date_from_civil(2024, 3, 10));
    assert_int_equal(world_input(w, directive(w, "d-2", "")), VERDICT_APPLIED);
    assert_true(the(w, M_REPORT, "progress", "", "tf-02", "d-2")->task->due == INSTANT_MAX);
    assert_int_equal(world_input(w, directive(w, "d-1", "2024-05-10")), VERDICT_NO_EFFECT); /* given before */
}

static void a_wrong_directive_is_refused_with_all_reasons(void **state)
{
    (void)state;
    struct array_world *w = directed();
    struct input in = directive(w, "d-1", "3月10日");
    in.reporter = S("tf-01");
    in.units[1] = S("nobody");
    in.fields = record(1, "x", V_NUM(1));
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 4);
    assert_because(&w->fx, "reporter: tf-01 may not report a directive of progress: only office");
    assert_because(&w->fx, "due: expected a date such as 2024-03-29, not \"3月10日\"");
    assert_because(&w->fx, "units: no unit \"nobody\"");
    assert_because(&w->fx, "fields: a directive has none");
    in = directive(w, "d-1", "");
    in.obligation = S("dispatch-by-office");
    world_input(w, in);
    assert_because(&w->fx, "dispatch-by-office is not born by directives");
}

/* ---- joint tasks */

static void a_joint_task_is_everybodys(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    p->obligations[OB_REPORT].jointly = true;
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-03-01", 0, 0));
    const struct instance *i = the(w, M_REPORT, "progress", "2024-03", "tf-01", "");
    assert_int_equal(i->task->nowners, 2);
    assert_slice(i->task->owners[1], "tf-02");
    assert_int_equal(tasks(w), 1);
    struct value whole = record(2, "progress", V_TEXT("一"), "quality", V_TEXT("二"));
    world_input(w, submission(at(p, "2024-03-05", 9, 0), "tf-02", "2024-03", whole));
    assert_int_equal(the(w, M_REPORT, "progress", "2024-03", "tf-01", "")->state, REPORT_FILED);
    assert_int_equal(world_input(w, submission(at(p, "2024-03-05", 9, 0), "u-01", "2024-03", whole)),
                     VERDICT_REJECTED);
    world_until(w, at(p, "2024-04-01", 0, 0));
    instant_t due = the(w, M_REPORT, "progress", "2024-04", "tf-01", "")->task->due;
    world_until(w, due - 1);
    world_until(w, due);
    assert_int_equal(issued_of(&w->fx, ME_LATE), 2); /* each is told */
}

/* ---- schedules */

static struct array_world *scheduled(struct due_rule rule)
{
    struct program *p = fixture_program();
    rule.exclusive = true;
    PUT(p->schedules, p->nschedules, struct schedule,
        {.name = WORD("q"), .each = PERIOD_QUARTER, .at = rule, .effective = all, .kind = K_SLOW});
    return world_new(p);
}

static instant_t stands(struct array_world *w)
{
    const struct instance *i = the(w, M_GENERATOR, "schedule q", "", "", "");
    return i->ntimers ? i->timers[0].nominal : INSTANT_NONE;
}

static const struct due_rule tenth = {.kind = DUE_FIRST_DAY_N, .n = 10};

static void a_schedule_never_speaks_of_days_before_it(void **state)
{
    (void)state;
    struct array_world *w = scheduled(tenth);
    world_install(w, at(w->p, "2024-02-01", 9, 0));
    assert_true(stands(w) == at(w->p, "2024-04-10", 0, 0));
    w = scheduled(tenth);
    world_install(w, at(w->p, "2024-01-10", 9, 0)); /* on its day: at once, and once */
    assert_true(stands(w) == at(w->p, "2024-04-10", 0, 0));
    world_install(w, at(w->p, "2024-01-10", 10, 0));
    assert_true(stands(w) == at(w->p, "2024-04-10", 0, 0));
    assert_int_equal(w->fx.verdict, VERDICT_NO_EFFECT);
}

static void a_changed_schedule_goes_on_from_where_it_was(void **state)
{
    (void)state;
    struct array_world *w = scheduled(tenth);
    world_install(w, at(w->p, "2024-01-01", 0, 0));
    world_until(w, at(w->p, "2024-01-31", 0, 0));
    w->p->schedules[0].at = (struct due_rule){.kind = DUE_END, .exclusive = true};
    world_install(w, at(w->p, "2024-02-01", 0, 0)); /* the first quarter has had its event */
    assert_true(stands(w) == at(w->p, "2024-06-30", 0, 0));
    w->p->schedules[0].at = (struct due_rule){.kind = DUE_FIRST_DAY_N, .n = 1, .exclusive = true};
    world_install(w, at(w->p, "2024-05-01", 0, 0)); /* that of the second has passed unspoken */
    assert_true(stands(w) == at(w->p, "2024-07-01", 0, 0));
    struct program *without = (struct program *)(uintptr_t)w->p;
    size_t n = without->nschedules;
    without->nschedules = 0;
    world_install(w, at(w->p, "2024-05-02", 0, 0));
    world_until(w, at(w->p, "2025-02-01", 0, 0)); /* taken out: nothing more */
    assert_true(stands(w) == INSTANT_NONE);
    without->nschedules = n;
    world_install(w, at(w->p, "2025-02-02", 0, 0));
    assert_true(stands(w) == at(w->p, "2025-04-01", 0, 0));
}

/* ---- provisional dates */

/* Due on the 24th of the month, or the workday after; holidays are known to the end of `known`. */
static struct calendar *until_year(int known, const char *off)
{
    struct calendar *c = ARENA_NEW(fx, struct calendar);
    c->days = ARENA_NEW(fx, struct calendar_day);
    c->known_until = date_from_civil(known, 12, 31);
    c->n = off != NULL;
    if (off)
        assert_true(date_parse(slice_of(off), &c->days->date));
    return c;
}

static struct array_world *in_january(struct program **out)
{
    struct program *p = *out = fixture_program();
    p->obligations[OB_REPORT].effective = all;
    p->calendar = until_year(2024, NULL);
    p->obligations[OB_REPORT].due = (struct due_rule){.kind = DUE_DAY, .n = 24, .roll = ROLL_NEXT};
    p->obligations[OB_REPORT].period = PERIOD_MONTH;
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2025-01-02", 9, 0));
    return w;
}

static const struct instance *january(struct array_world *w)
{
    return the(w, M_REPORT, "progress", "2025-01", "tf-01", "");
}

static void new_holidays_settle_open_tasks(void **state)
{
    (void)state;
    struct program *p;
    struct array_world *w = in_january(&p);
    assert_true(january(w)->task->provisional);
    assert_true(january(w)->task->due == at(p, "2025-01-25", 0, 0));
    p->calendar = until_year(2025, "2025-01-24"); /* a Friday */
    world_install(w, at(p, "2025-01-22", 0, 0));
    assert_false(january(w)->task->provisional);
    assert_true(january(w)->task->due == at(p, "2025-01-28", 0, 0)); /* 24:00 of Monday */
    world_until(w, at(p, "2025-01-27", 23, 59));
    assert_int_equal(january(w)->state, REPORT_OPEN);
    world_until(w, at(p, "2025-01-28", 0, 0));
    assert_int_equal(january(w)->state, REPORT_OVERDUE);
}

static void a_moved_date_repeats_no_reminder(void **state)
{
    (void)state;
    struct program *p;
    struct array_world *w = in_january(&p);
    world_until(w, at(p, "2025-01-23", 0, 0)); /* three days before it, reminded */
    p->calendar = until_year(2025, "2025-01-24");
    world_install(w, at(p, "2025-01-24", 10,
                        0)); /* both old reminders are sent; of the new ones, the 25th and 27th lie ahead */
    const struct instance *i = january(w);
    for (size_t t = 0; t < i->ntimers; t++)
        assert_true(i->timers[t].due > at(p, "2025-01-24", 10, 0));
    assert_int_equal(i->ntimers, 3);
}

static void nobody_becomes_late_by_a_calendar(void **state)
{
    (void)state;
    struct program *p;
    struct array_world *w = in_january(&p);
    p->calendar = until_year(2025, "2025-01-24");
    world_install(w, at(p, "2025-01-25", 10, 0)); /* overdue since 00:00 */
    assert_int_equal(january(w)->state, REPORT_OVERDUE);
    assert_true(january(w)->task->due == at(p, "2025-01-25", 0, 0));
    assert_false(january(w)->task->provisional);
    assert_true(memmem(january(w)->task->reason.p, january(w)->task->reason.n, "not moved", 9) != NULL);
}

/* ---- conditions of the calendar's tasks */

/* A condition that cannot be worked out is no condition that does not hold. */
static void a_condition_that_fails_halts_the_generator(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    const struct expr *big = X_NUM(INT64_MAX);
    p->obligations[OB_REPORT].only_if = X_GE(X2(EXPR_MUL, big, big), X_NUM(0));
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-01-01", 0, 0));
    world_until(w, at(p, "2024-12-31", 0, 0));
    assert_int_equal(tasks(w), 0);
    assert_true(the(w, 0, "progress", "", "", "")->halted);
    assert_non_null(memmem(w->log.p, w->log.n, "overflow", 8));
}

/* Each task bears the next one on entry: the turn is refused as a whole, not taken without end. */
static void tasks_that_bear_one_another_are_bounded(void **state)
{
    (void)state;
    struct array_world *w = borne();
    struct obligation *o = reports(w);
    struct expr *about = ARENA_NEW(fx, struct expr);
    *about = (struct expr){.op = EXPR_KEY, .index = TASK_ABOUT, .type = {.tag = TYPE_NUMBER}, .place = 1};
    struct action bear = act(ACTION_TASK, OB_REPORT, NULL);
    bear.unit = X_KEY(TASK_UNIT);
    bear.about = X2(EXPR_ADD, about, X_NUM(1));
    ENTER(w->p->machines[M_REPORT].states[REPORT_OPEN].body, bear);
    o->births->about = X_NUM(1);
    o->by_rules = true;
    struct err e;
    if (!program_check(w->p, &e))
        fail_msg("%s", e.text);
    assert_int_equal(slow(w, "tf-01", "推进缓慢"), VERDICT_REJECTED);
    assert_because(&w->fx, "progress: more than 16 tasks in a row that bear one another");
    assert_int_equal(tasks(w), 0);
}

/* Several units at once: by id, each once, and only those that are there. */
static void a_birth_may_name_several_units(void **state)
{
    (void)state;
    struct value ids[] = {
        V_TEXT("tf-02"), V_TEXT("nobody"), V_TEXT("tf-01"), V_TEXT("tf-02"), {.tag = VALUE_NA}};
    const struct expr *several = x_const((struct value){.tag = VALUE_LIST, .list = {ids, 5}});
    struct array_world *w = borne();
    reports(w)->births->owed_by = several;
    slow(w, "tf-01", "推进缓慢");
    assert_int_equal(tasks(w), 2);
    assert_non_null(the(w, M_REPORT, "progress", "", "tf-01", "推进缓慢"));
    assert_non_null(the(w, M_REPORT, "progress", "", "tf-02", "推进缓慢"));

    w = borne();
    reports(w)->jointly = true;
    reports(w)->births->owed_by = several;
    slow(w, "tf-01", "推进缓慢");
    const struct instance *i = the(w, M_REPORT, "progress", "", "tf-01", "推进缓慢");
    assert_int_equal(tasks(w), 1);
    assert_int_equal(i->task->nowners, 2);
    assert_slice(i->task->owners[1], "tf-02");
}

/* A birth of no period is of none that could be owed. */
static void a_birth_has_a_period_or_is_none(void **state)
{
    (void)state;
    struct array_world *w = borne();
    reports(w)->period = PERIOD_MONTH;
    reports(w)->births->period = X_EVENT(1); /* a text */
    slow(w, "tf-01", "推进缓慢");
    assert_int_equal(tasks(w), 0);
    reports(w)->births->period = NULL; /* that of the event: the month in which it came */
    slow(w, "tf-01", "推进缓慢");
    assert_non_null(the(w, M_REPORT, "progress", "2024-03", "tf-01", "推进缓慢"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {FX_TEST(an_event_bears_each_task_once),
                                       FX_TEST(a_birth_outside_the_dates_is_not_owed),
                                       FX_TEST(what_a_born_task_is_about_must_fit_a_key),
                                       FX_TEST(a_directive_bears_a_task_for_each_unit),
                                       FX_TEST(a_wrong_directive_is_refused_with_all_reasons),
                                       FX_TEST(a_joint_task_is_everybodys),
                                       FX_TEST(a_schedule_never_speaks_of_days_before_it),
                                       FX_TEST(a_changed_schedule_goes_on_from_where_it_was),
                                       FX_TEST(new_holidays_settle_open_tasks),
                                       FX_TEST(a_moved_date_repeats_no_reminder),
                                       FX_TEST(nobody_becomes_late_by_a_calendar),
                                       FX_TEST(a_condition_that_fails_halts_the_generator),
                                       FX_TEST(tasks_that_bear_one_another_are_bounded),
                                       FX_TEST(a_birth_may_name_several_units),
                                       FX_TEST(a_birth_has_a_period_or_is_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
