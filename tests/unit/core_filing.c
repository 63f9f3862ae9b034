/* Inputs and tasks: what is refused and why, births, the life of a report, minimum counts. */
#include "world_fixture.h"

static struct array_world *world(void)
{
    return world_new(fixture_program());
}

static struct array_world *year(void)
{
    struct array_world *w = world();
    world_install(w, at(w->p, "2024-01-01", 0, 0));
    return w;
}

static struct value whole(void)
{
    return record(2, "progress", V_TEXT("一"), "quality", V_TEXT("二"));
}

static const struct instance *report(struct array_world *w, const char *period, const char *unit)
{
    return the(w, M_REPORT, "progress", period, unit, "");
}

/* ---- what is refused */

static void every_reason_is_given_at_once(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct value f = record(4, "held", V_TEXT("2024-02-30"), "of", list(2, "tf-01", "tf-99"), "result",
                            V_NUM(3), "colour", V_TEXT("red"));
    struct input in = fact(at(w->p, "2024-03-29", 9, 0), "dispatch", "u-01", f);
    in.source = S("portal-b");
    in.topic = VOICE_DEADLINES;
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 7);
    assert_because(&w->fx, "dispatch belongs on duban.submissions, not on duban.deadlines");
    assert_because(&w->fx, "source \"portal-b\" may not send dispatch: only portal-a");
    assert_because(&w->fx, "reporter: u-01 may not report dispatch: only office, taskforce");
    assert_because(&w->fx, "fields.held: expected date such as 2024-03-29, not \"2024-02-30\"");
    assert_because(&w->fx, "fields.of[2]: expected unit, not \"tf-99\"");
    assert_because(&w->fx, "fields.result: expected text, not 3");
    assert_because(&w->fx, "fields.colour: unknown field");
}

static void missing_fields_and_strangers_are_named(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct value none = {.tag = VALUE_NA};
    assert_int_equal(world_input(w, fact(at(w->p, "2024-03-29", 9, 0), "slow", "nobody", none)),
                     VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 4);
    assert_because(&w->fx, "reporter: no unit \"nobody\" in the roster on 2024-03-29");
    assert_because(&w->fx, "fields.unit: missing");
    assert_because(&w->fx, "fields.degree: missing");
    world_input(w, fact(0, "slow", "", none));
    assert_because(&w->fx, "reporter: missing");
    world_input(w, fact(0, "bounce", "u-01", none)); /* a raised kind is no fact */
    assert_because(&w->fx, "kind: no event \"bounce\" is declared in w");
    world_input(w, fact(0, "submitted", "u-01", none));
    assert_because(&w->fx, "kind: no event \"submitted\"");
    struct input other = {.class_ = INPUT_OTHER, .class_name = S("extend"), .topic = VOICE_DEADLINES};
    assert_int_equal(world_input(w, other), VERDICT_REJECTED);
    assert_because(&w->fx, "extend: this version does not act on it");
}

static void a_regime_refuses_in_its_own_words(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct value f = record(2, "held", V_TEXT("2024-03-29"), "of", list(0));
    assert_int_equal(world_input(w, fact(at(w->p, "2024-03-29", 9, 0), "dispatch", "o-1", f)),
                     VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 1);
    assert_slice(w->fx.reasons[0], "没有调度对象");
}

static void values_may_come_as_text(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct input in = fact(at(w->p, "2024-03-29", 9, 0), "ping", "u-01", record(1, "n", V_TEXT("0.1")));
    assert_int_equal(world_input(w, in), VERDICT_APPLIED); /* an exact decimal, which a JSON number is not */
    in.fields = record(1, "n", V_TEXT("many"));
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    in.fields = record(2, "n", V_NUM(1), "n", V_NUM(2));
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "fields.n: given 2 times");
    in = fact(0, "accept", "b-1",
              record(3, "unit", V_TEXT("u-01"), "subject", V_TEXT("x"), "pass", V_TEXT("maybe")));
    world_input(w, in);
    assert_because(&w->fx, "fields.pass: expected yes-no, not \"maybe\"");
}

static void reasons_are_bounded(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct value of = {.tag = VALUE_LIST, .list = {ARENA_ARRAY(fx, struct value, 500), 500}};
    for (int i = 0; i < 500; i++)
        of.list.item[i] = V_NUM(i);
    world_input(w, fact(at(w->p, "2024-03-29", 9, 0), "dispatch", "o-1",
                        record(2, "held", V_TEXT("2024-03-29"), "of", of)));
    assert_int_equal(w->fx.nreasons, 100);
    assert_slice(w->fx.reasons[99], "… and 401 more");
}

/* ---- filing */

static void a_filing_names_a_task_that_exists(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-03-10", 9, 0);
    assert_int_equal(world_input(w, submission(t, "tf-01", "2024-04", whole())), VERDICT_REJECTED);
    assert_because(&w->fx, "period: progress for 2024-04 opens at 2024-04-01 00:00");
    world_input(w, submission(t, "tf-01", "2025-01", whole()));
    assert_because(&w->fx, "period: progress is not owed for 2025-01");
    world_input(w, submission(t, "u-01", "2024-03", whole()));
    assert_because(&w->fx, "unit: u-01 has no task progress for 2024-03");
    world_input(w, submission(t, "tf-01", "2024Q1", whole()));
    assert_because(&w->fx, "period: expected month such as 2024-03, not \"2024Q1\"");
    struct input in = submission(t, "tf-99", "", record(1, "colour", V_TEXT("red")));
    in.about = S("tf-01");
    in.topic = VOICE_DEADLINES;
    world_input(w, in);
    assert_int_equal(w->fx.nreasons, 5); /* topic, unit, period, about, field */
    in.obligation = S("nothing");
    world_input(w, in);
    assert_because(&w->fx, "obligation: no obligation \"nothing\" in w");
    assert_int_equal(world_input(w, submission(t, "tf-01", "2024-03", whole())), VERDICT_APPLIED);
    assert_int_equal(report(w, "2024-03", "tf-01")->state, REPORT_FILED);
}

static void who_left_the_roster_still_files_what_it_owes(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-01-01", 0, 0));
    p->units[2].in_force.until = date_from_civil(2024, 3, 15); /* tf-01 */
    instant_t t = at(p, "2024-03-20", 9, 0);
    assert_int_equal(world_input(w, submission(t, "tf-01", "2024-03", whole())), VERDICT_APPLIED);
    assert_int_equal(report(w, "2024-03", "tf-01")->state, REPORT_FILED);
    t = at(p, "2024-04-20", 9, 0);
    assert_int_equal(world_input(w, submission(t, "tf-01", "2024-04", whole())), VERDICT_REJECTED);
    assert_because(&w->fx, "unit: no unit \"tf-01\" in the roster on 2024-04-20");
}

static void a_task_whose_key_is_too_long_halts_its_obligation(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    static char name[KEY_BYTES_MAX];
    memset(name, 'x', sizeof name);
    p->obligations[OB_REPORT].name = (struct slice){name, sizeof name};
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2023-12-01", 0, 0));
    assert_int_equal(world_until(w, at(p, "2024-01-01", 0, 0)), 2); /* the other obligation's births, too */
    struct slice key[KEY_PARTS_MAX] = {p->obligations[OB_REPORT].name};
    assert_true(world_find(w, fx, M_GENERATOR, key)->halted);
}

static void an_incomplete_filing_is_returned_at_once(void **state)
{
    (void)state;
    struct array_world *w = year();
    struct value f = record(2, "progress", V_TEXT(""), "score", V_NUM(3));
    assert_int_equal(world_input(w, submission(at(w->p, "2024-03-10", 9, 0), "tf-01", "2024-03", f)),
                     VERDICT_APPLIED);
    assert_int_equal(report(w, "2024-03", "tf-01")->state, REPORT_RETURNED);
    assert_int_equal(w->fx.ntransitions, 2); /* recorded as filed, then returned */
    assert_int_equal(issued_of(&w->fx, ME_RETURN), 1);
    const struct issued *slip = first_of(&w->fx, ME_RETURN);
    assert_slice(slip->basis, "三（三）"); /* of the obligation */
    assert_slice(slip->obligation, "progress");
    assert_slice(slip->body, "return-slip：单位2，进展，2024-03，期限 2024-03-24");
    assert_true(slip->due == at(w->p, "2024-03-25", 0, 0));
}

static void only_the_receiver_reviews(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-03-10", 9, 0);
    world_input(w, submission(t, "tf-01", "2024-03", whole()));
    struct input in = review(t + 1, "tf-01", "2024-03", true);
    in.reporter = S("tf-01");
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "reporter: tf-01 may not report a review of progress: only office");
    in = review(t + 1, "tf-01", "2024-03", true);
    in.topic = VOICE_SUBMISSIONS;
    world_input(w, in);
    assert_because(&w->fx, "a review belongs on duban.deadlines");
    in = review(t + 1, "tf-01", "2024-03", true);
    in.obligation = S("dispatch-by-office");
    in.about = S("tf-01");
    world_input(w, in);
    assert_because(&w->fx, "it names no `to:`");
    assert_int_equal(world_input(w, review(t + 1, "tf-01", "2024-03", true)), VERDICT_APPLIED);
    assert_int_equal(report(w, "2024-03", "tf-01")->state, REPORT_DONE);
    assert_int_equal(world_input(w, review(t + 2, "tf-01", "2024-03", true)), VERDICT_NO_EFFECT);
}

/* ---- births and the life of a report */

static void tasks_are_born_when_their_period_opens(void **state)
{
    (void)state;
    struct array_world *w = year();
    assert_int_equal(report(w, "2024-01", "tf-01")->state, REPORT_OPEN);
    assert_int_equal(w->n, 2 + 2 + 2); /* generators, reports, duties of January */
    const struct instance *i = report(w, "2024-01", "tf-01");
    assert_true(i->task->due == at(w->p, "2024-01-25", 0, 0));
    assert_int_equal(i->ntimers, 3);
    world_until(w, at(w->p, "2024-12-31", 23, 59));
    assert_int_equal(w->n, 2 + 12 * 4 + 2); /* and two logs: what was missed was raised */
    world_until(w, at(w->p, "2025-12-31", 23, 59));
    assert_int_equal(w->n, 2 + 12 * 4 + 2); /* nothing after the effective span */
    assert_int_equal(the(w, M_GENERATOR, "progress", "", "", "")->ntimers, 0);
    assert_int_equal(the(w, M_LOG, "tf-01", "", "", "")->counts[1].n,
                     12); /* counted within 2024, by the period it carries */
}

static void a_report_left_alone_is_reminded_overdue_and_missed(void **state)
{
    (void)state;
    struct array_world *w = year();
    world_until(w, at(w->p, "2024-01-21", 23, 59));
    assert_int_equal(report(w, "2024-01", "tf-02")->ntimers, 3);
    assert_int_equal(world_until(w, at(w->p, "2024-01-22", 0, 0)), 2);
    const struct issued *reminder = first_of(&w->fx, ME_REMINDER);
    assert_slice(reminder->unit, "tf-02");
    assert_slice(reminder->to[0], "tf-02"); /* it has no liaison: told itself */
    assert_int_equal(world_until(w, at(w->p, "2024-01-24", 0, 0)), 2);
    assert_int_equal(world_until(w, at(w->p, "2024-01-25", 0, 0)), 2);
    assert_int_equal(report(w, "2024-01", "tf-02")->state, REPORT_OVERDUE);
    const struct issued *late = first_of(&w->fx, ME_LATE);
    assert_slice(late->copy[0], "o-1"); /* obligation.to */
    world_until(w, at(w->p, "2024-02-04", 0, 0));
    assert_int_equal(report(w, "2024-01", "tf-02")->state, REPORT_MISSED);
    world_input(w, submission(at(w->p, "2024-02-05", 9, 0), "tf-02", "2024-01", whole()));
    assert_int_equal(report(w, "2024-01", "tf-02")->state, REPORT_DONE);
    assert_int_equal(w->fx.nissued, 0); /* never charged a second time */
}

static void the_last_instant_in_time_is_in_time(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t due = at(w->p, "2024-01-25", 0, 0);
    world_input(w, submission(due - 1, "tf-01", "2024-01", whole()));
    assert_false(report(w, "2024-01", "tf-01")->vars[0].yes);
    world_input(w, submission(due, "tf-02", "2024-01", whole())); /* received exactly then: late */
    assert_true(report(w, "2024-01", "tf-02")->vars[0].yes);
}

static void born_late_one_reminder_not_a_burst(void **state)
{
    (void)state;
    struct array_world *w = world();
    instant_t now = at(w->p, "2024-03-24", 12, 0); /* both reminders are past, the due instant is not */
    world_install(w, now);
    const struct instance *i = report(w, "2024-03", "tf-01");
    assert_int_equal(i->ntimers, 1);
    assert_int_equal(i->state, REPORT_OPEN);
    int reminders = 0;
    for (char *p = w->log.p, *end = p + w->log.n; (p = memmem(p, (size_t)(end - p), "reminder.0 tf-01", 16));
         p++)
        reminders++;
    assert_int_equal(reminders, 1);
}

static void what_was_due_before_the_definition_is_not_owed(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_install(w, at(w->p, "2024-03-25", 0,
                        0)); /* March's reports were due at this instant; its duties are not yet */
    assert_int_equal(w->n, 2 + 2);
    assert_int_equal(the(w, M_GENERATOR, "progress", "", "", "")->next_period.index, 2024 * 12 + 3);
    assert_int_equal(the(w, M_DUTY, "dispatch-by-office", "2024-03", "o-1", "tf-02")->state, DUTY_SHORT);
}

static void a_period_due_after_its_end_is_caught_up(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    p->obligations[OB_REPORT].due = (struct due_rule){.kind = DUE_DAY, .n = 2, .periods_later = 2};
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-05-01", 9, 0)); /* March is due on 2 May, April on 2 June, May on 2 July */
    assert_int_equal(report(w, "2024-03", "tf-01")->state, REPORT_OPEN);
    assert_int_equal(report(w, "2024-04", "tf-01")->state, REPORT_OPEN);
    assert_int_equal(report(w, "2024-05", "tf-01")->state, REPORT_OPEN);
    struct slice february[KEY_PARTS_MAX] = {S("progress"), S("2024-02"), S("tf-01"), S("")};
    assert_null(world_find(w, fx, M_REPORT, february));
    assert_true(report(w, "2024-03", "tf-01")->born.armed <
                report(w, "2024-04", "tf-01")->born.armed); /* turns of their own */
}

static void installing_again_changes_nothing(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-11-01", 9, 0));
    world_install(w, at(p, "2024-11-02", 9, 0));
    assert_int_equal(w->fx.verdict, VERDICT_NO_EFFECT);
    world_until(w, at(p, "2025-02-01", 0, 0));
    p->obligations[OB_REPORT].effective.until =
        date_from_civil(2025, 5, 1); /* a longer span: goes on, missing none that can be met */
    world_install(w, at(p, "2025-02-10", 9, 0));
    assert_int_equal(report(w, "2025-02", "tf-01")->state, REPORT_OPEN);
    struct slice january[KEY_PARTS_MAX] = {S("progress"), S("2025-01"), S("tf-01"), S("")};
    assert_null(world_find(w, fx, M_REPORT, january));
}

static void a_changed_span_is_owed_from_its_new_beginning(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct array_world *w = world_new(p);
    date_t *from = &p->obligations[OB_REPORT].effective.from;
    world_install(w, at(p, "2023-12-15", 9, 0));
    *from = date_from_civil(2024, 4, 1); /* put off before it began … */
    world_install(w, at(p, "2023-12-20", 9, 0));
    world_until(w, at(p, "2024-02-10", 0, 0));
    struct slice january[KEY_PARTS_MAX] = {S("progress"), S("2024-01"), S("tf-01"), S("")};
    assert_null(world_find(w, fx, M_REPORT, january));
    *from = date_from_civil(2024, 1, 1); /* … and taken back: February is not yet due */
    world_install(w, at(p, "2024-02-10", 9, 0));
    world_until(w, at(p, "2024-02-10", 9, 0));
    assert_int_equal(report(w, "2024-02", "tf-01")->state, REPORT_OPEN);
    assert_null(world_find(w, fx, M_REPORT, january));
    *from = date_from_civil(2024, 4, 1);
    world_install(w, at(p, "2024-02-11", 9, 0));
    world_until(w, at(p, "2024-04-10", 0, 0));
    assert_int_equal(report(w, "2024-04", "tf-01")->state, REPORT_OPEN);
    struct slice march[KEY_PARTS_MAX] = {S("progress"), S("2024-03"), S("tf-01"), S("")};
    assert_null(world_find(w, fx, M_REPORT, march));
}

static void a_returned_report_has_its_grace(void **state)
{
    (void)state;
    struct array_world *w = year();
    world_input(w, submission(at(w->p, "2024-01-24", 20, 0), "tf-01", "2024-01", whole()));
    world_input(w, review(at(w->p, "2024-01-26", 9, 0), "tf-01", "2024-01", false));
    const struct instance *i = report(w, "2024-01", "tf-01");
    assert_int_equal(i->state, REPORT_RETURNED);
    assert_int_equal(i->ntimers, 2); /* both reminders are past: one, at once */
    assert_true(i->timers[0].due == at(w->p, "2024-01-26", 9, 0));
    assert_true(i->timers[1].due == at(w->p, "2024-01-29", 9, 0));
    world_input(w, submission(at(w->p, "2024-01-29", 8, 59), "tf-01", "2024-01", whole()));
    assert_false(report(w, "2024-01", "tf-01")->vars[0].yes);
    world_input(w, review(at(w->p, "2024-01-29", 9, 0), "tf-01", "2024-01", false));
    world_until(w, at(w->p, "2024-02-01", 9, 0));
    assert_true(report(w, "2024-01", "tf-01")->vars[0].yes);
}

/* ---- minimum counts */

static struct input dispatch(instant_t t, const char *held, struct value of)
{
    return fact(t, "dispatch", "o-1", record(2, "held", V_TEXT(held), "of", of));
}

static int duty_state(struct array_world *w, const char *period, const char *about)
{
    return the(w, M_DUTY, "dispatch-by-office", period, "o-1", about)->state;
}

static void a_record_counts_for_the_period_it_is_dated_in(void **state)
{
    (void)state;
    struct array_world *w = year();
    world_input(w, dispatch(at(w->p, "2024-03-29", 9, 0), "2024-03-29", list(1, "tf-01")));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_MET);
    assert_int_equal(duty_state(w, "2024-03", "tf-02"), DUTY_SHORT);
    world_input(w, dispatch(at(w->p, "2024-04-02", 9, 0), "2024-03-31",
                            list(2, "tf-02", "tf-02"))); /* reported a little later */
    assert_int_equal(duty_state(w, "2024-03", "tf-02"), DUTY_MET);
    assert_int_equal(the(w, M_DUTY, "dispatch-by-office", "2024-03", "o-1", "tf-02")->counts[0].n, 1);
    assert_int_equal(duty_state(w, "2024-04", "tf-02"), DUTY_SHORT);
    assert_int_equal(world_input(w, dispatch(at(w->p, "2024-04-02", 9, 0), "2023-03-31", list(1, "tf-02"))),
                     VERDICT_NO_EFFECT);
}

static void a_count_not_reached_is_unmet_after_settling(void **state)
{
    (void)state;
    struct array_world *w = year();
    world_until(w, at(w->p, "2024-04-03", 23, 59));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_SHORT);
    world_until(w, at(w->p, "2024-04-04", 0, 0));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_UNMET);
    const struct issued *late = first_of(&w->fx, ME_LATE);
    assert_slice(late->about, "tf-02"); /* in key order, each in a turn of its own */
    world_input(w, dispatch(at(w->p, "2024-04-04", 9, 0), "2024-03-31", list(1, "tf-01")));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_UNMET);
}

static void one_record_counts_once_for_each_task(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    p->obligations[OB_DISPATCH].at_least = rat_int(2);
    struct obligation_counts twice[] = {p->obligations[OB_DISPATCH].counts[0], {K_DISPATCH, NULL}};
    p->obligations[OB_DISPATCH].counts = twice;
    p->obligations[OB_DISPATCH].ncounts = 2;
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-03-01", 0, 0));
    world_input(w, dispatch(at(p, "2024-03-29", 9, 0), "2024-03-29", list(1, "tf-01")));
    assert_int_equal(the(w, M_DUTY, "dispatch-by-office", "2024-03", "o-1", "tf-01")->counts[0].n, 1);
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_SHORT);
    world_input(w, dispatch(at(p, "2024-03-29", 9, 0), "2024-03-30", list(1, "tf-02")));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_MET);
}

static void a_record_may_name_its_period(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct field *f = ARENA_ARRAY(fx, struct field, 3);
    memcpy(f, p->kinds[K_DISPATCH].fields, 3 * sizeof *f);
    f[2] = field("month", TYPE_PERIOD, true); /* of any kind */
    p->kinds[K_DISPATCH].fields = f;
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-03-01", 0, 0));
    struct value v =
        record(3, "held", V_TEXT("2024-04-01"), "of", list(1, "tf-01"), "month", V_TEXT("2024-03"));
    world_input(w, fact(at(p, "2024-04-02", 9, 0), "dispatch", "o-1", v));
    assert_int_equal(duty_state(w, "2024-03", "tf-01"), DUTY_MET);
    assert_int_equal(duty_state(w, "2024-04", "tf-01"), DUTY_SHORT);
    v.record.field[2] = V_TEXT("2024"); /* does not say which of its months: the date does */
    world_input(w, fact(at(p, "2024-04-02", 9, 0), "dispatch", "o-1", v));
    assert_int_equal(duty_state(w, "2024-04", "tf-01"), DUTY_MET);
}

static void each_counted_kind_has_its_own_condition(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct obligation_counts two[] = {{K_PING, NULL}, p->obligations[OB_DISPATCH].counts[0]};
    p->obligations[OB_DISPATCH].counts = two;
    p->obligations[OB_DISPATCH].ncounts = 2;
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-03-01", 0, 0));
    world_input(w, dispatch(at(p, "2024-03-29", 9, 0), "2024-03-29", list(1, "tf-01")));
    assert_int_equal(duty_state(w, "2024-03", "tf-02"), DUTY_SHORT);
    world_input(w, ping(at(p, "2024-03-29", 9, 0), 0));
    assert_int_equal(duty_state(w, "2024-03", "tf-02"), DUTY_MET);
}

static void a_set_holds_each_once(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    struct refusal two = {X_EQ(X1(EXPR_QUANT_COUNT, 0, X_EVENT(1)), X_NUM(2)), S("两个")};
    p->kinds[K_DISPATCH].refuse = &two;
    struct array_world *w = world_new(p);
    instant_t t = at(p, "2024-03-29", 9, 0);
    assert_int_equal(world_input(w, dispatch(t, "2024-03-29", list(2, "tf-01", "tf-01"))), VERDICT_NO_EFFECT);
    assert_int_equal(world_input(w, dispatch(t, "2024-03-29", list(2, "b-1", "营商局"))),
                     VERDICT_NO_EFFECT); /* an alias */
    assert_int_equal(world_input(w, dispatch(t, "2024-03-29", list(2, "tf-01", "tf-02"))), VERDICT_REJECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(every_reason_is_given_at_once),
        FX_TEST(missing_fields_and_strangers_are_named),
        FX_TEST(a_regime_refuses_in_its_own_words),
        FX_TEST(values_may_come_as_text),
        FX_TEST(reasons_are_bounded),
        FX_TEST(a_filing_names_a_task_that_exists),
        FX_TEST(who_left_the_roster_still_files_what_it_owes),
        FX_TEST(a_task_whose_key_is_too_long_halts_its_obligation),
        FX_TEST(an_incomplete_filing_is_returned_at_once),
        FX_TEST(only_the_receiver_reviews),
        FX_TEST(tasks_are_born_when_their_period_opens),
        FX_TEST(a_report_left_alone_is_reminded_overdue_and_missed),
        FX_TEST(the_last_instant_in_time_is_in_time),
        FX_TEST(born_late_one_reminder_not_a_burst),
        FX_TEST(what_was_due_before_the_definition_is_not_owed),
        FX_TEST(a_period_due_after_its_end_is_caught_up),
        FX_TEST(installing_again_changes_nothing),
        FX_TEST(a_changed_span_is_owed_from_its_new_beginning),
        FX_TEST(a_returned_report_has_its_grace),
        FX_TEST(a_record_counts_for_the_period_it_is_dated_in),
        FX_TEST(a_count_not_reached_is_unmet_after_settling),
        FX_TEST(one_record_counts_once_for_each_task),
        FX_TEST(a_record_may_name_its_period),
        FX_TEST(each_counted_kind_has_its_own_condition),
        FX_TEST(a_set_holds_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
