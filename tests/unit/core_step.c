/* Turns: the ladder of cards, folds, groups, any-rules, undoing, bounds. */
#include "world_fixture.h"

static struct array_world *world(void)
{
    return world_new(fixture_program());
}

static const char *const subject = "i-017";

static int card_state(struct array_world *w, const char *unit)
{
    return the(w, M_CARD, unit, subject, "", "")->state;
}

static void to_yellow(struct array_world *w)
{
    place(w, "2024-04-10", "2024Q1", subject, 9);
    place(w, "2024-07-10", "2024Q2", subject, 10);
}

static enum verdict rectify_matter(struct array_world *w, const char *date, const char *unit,
                                   const char *matter)
{
    return world_input(w,
                       fact(at(w->p, date, 9, 0), "rectified", unit, record(1, "subject", V_TEXT(matter))));
}

static enum verdict accept_matter(struct array_world *w, const char *date, const char *unit,
                                  const char *matter, bool pass)
{
    return world_input(w,
                       fact(at(w->p, date, 9, 0), "accept", "b-1",
                            record(3, "unit", V_TEXT(unit), "subject", V_TEXT(matter), "pass", V_YES(pass))));
}

static enum verdict rectify(struct array_world *w, const char *date, const char *unit)
{
    return rectify_matter(w, date, unit, subject);
}

static enum verdict accept_it(struct array_world *w, const char *date, const char *unit, bool pass)
{
    return accept_matter(w, date, unit, subject, pass);
}

/* ---- the ladder */

static void a_low_place_warns_each_lead(void **state)
{
    (void)state;
    struct array_world *w = world();
    assert_int_equal(place(w, "2024-04-10", "2024Q1", subject, 8), VERDICT_APPLIED);
    assert_int_equal(issued_of(&w->fx, ME_WARNING), 2);
    const struct issued *first = first_of(&w->fx, ME_WARNING);
    assert_slice(first->unit, "u-01");
    assert_slice(first->subject, "i-017");
    assert_slice(first->basis, "五（一）");
    assert_slice(first->body, "warning：单位4，纳税，2024Q1");
    assert_int_equal(first->nto, 1);
    assert_slice(first->to[0], "u-01");
    assert_int_equal(first->ncopy, 1); /* the leads, without the one it is addressed to */
    assert_slice(first->copy[0], "u-02");
    assert_slice(first[1].unit, "u-02");
    assert_true(first->limit == INSTANT_NONE && first->due == INSTANT_NONE);
    assert_int_equal(first->period.kind, PERIOD_QUARTER); /* the card has none: the event's */
    assert_int_equal(w->fx.ntransitions, 4 + 2);          /* two births, two rules, and the circular's */
    assert_slice(w->fx.issued[0].basis, "五（五）");      /* the list as a whole comes before its entries */
    assert_int_equal(w->fx.transitions[0].from, -1);
    assert_int_equal(w->fx.transitions[0].place, 0);
}

static void a_good_place_warns_nobody(void **state)
{
    (void)state;
    struct array_world *w = world();
    place(w, "2024-04-10", "2024Q1", subject, 7);
    assert_int_equal(issued_of(&w->fx, ME_WARNING), 0);
    assert_int_equal(card_state(w, "u-01"), CARD_CLEAR);
    assert_int_equal(the(w, M_CARD, "u-01", subject, "", "")->counts[0].n, 0);
}

static void two_lows_hang_a_yellow_card(void **state)
{
    (void)state;
    struct array_world *w = world();
    to_yellow(w);
    assert_int_equal(issued_of(&w->fx, ME_YELLOW), 2);
    assert_int_equal(issued_of(&w->fx, ME_WARNING), 0); /* one rung a transition */
    const struct issued *card = first_of(&w->fx, ME_YELLOW);
    assert_true(card->limit == at(w->p, "2024-08-10", 0, 0)); /* 24:00 of 9 August */
    assert_slice(card->number, "绥营督〔2024〕1号");
    assert_slice(card[1].number, "绥营督〔2024〕2号");
    assert_int_equal(w->fx.nnumbers, 1);
    assert_int_equal(w->fx.numbers[0].last, 2);
    const struct instance *i = the(w, M_CARD, "u-01", subject, "", "");
    assert_int_equal(i->ntimers, 1); /* armed after the card was issued: it knows the limit */
    assert_true(i->timers[0].due == card->limit);
}

static void lifting_needs_all_three(void **state)
{
    (void)state;
    struct array_world *w = world();
    to_yellow(w);
    rectify(w, "2024-08-01", "u-01");
    place(w, "2024-10-10", "2024Q3", subject, 5);
    assert_int_equal(issued_of(&w->fx, ME_LIFT), 0);
    assert_int_equal(accept_it(w, "2024-10-11", "u-01", false), VERDICT_APPLIED);
    assert_int_equal(issued_of(&w->fx, ME_LIFT), 0);
    accept_it(w, "2024-10-12", "u-01", true); /* came last: lifted by the any-rule */
    assert_int_equal(issued_of(&w->fx, ME_LIFT), 1);
    assert_int_equal(card_state(w, "u-01"), CARD_CLEAR);
    assert_int_equal(card_state(w, "u-02"), CARD_YELLOW); /* did not rectify */
    assert_int_equal(the(w, M_CARD, "u-01", subject, "", "")->ntimers, 0);
    place(w, "2024-12-20", "2024Q4", subject,
          10); /* the count stands: the third low hangs a red card at once */
    assert_int_equal(card_state(w, "u-01"), CARD_RED);
    assert_int_equal(the(w, M_CARD, "u-01", subject, "", "")->vars[2].yes,
                     false); /* the group was entered anew */
}

static void a_place_from_before_the_card_does_not_lift(void **state)
{
    (void)state;
    struct array_world *w = world();
    to_yellow(w);
    rectify(w, "2024-08-01", "u-01");
    accept_it(w, "2024-08-02", "u-01", true);
    assert_int_equal(card_state(w, "u-01"), CARD_YELLOW);
    place(w, "2024-10-10", "2024Q3", subject, 6); /* below the middle of ten, not low */
    assert_int_equal(card_state(w, "u-01"), CARD_YELLOW);
}

static void a_matter_that_is_no_indicator_lifts_without_a_place(void **state)
{
    (void)state;
    struct array_world *w = world();
    const char *matter = "窗口作风";
    world_input(
        w, fact(at(w->p, "2024-05-01", 9, 0), "slow", "营商局",
                record(3, "unit", V_TEXT("u-02"), "subject", V_TEXT(matter), "degree", V_TEXT("严重滞后"))));
    assert_int_equal(issued_of(&w->fx, ME_YELLOW), 1);
    rectify_matter(w, "2024-05-10", "u-02", matter);
    accept_matter(w, "2024-05-20", "u-02", matter, true);
    assert_int_equal(issued_of(&w->fx, ME_LIFT), 1);
}

static void a_limit_passed_is_flagged_once(void **state)
{
    (void)state;
    struct array_world *w = world();
    to_yellow(w);
    rectify(w, "2024-08-01", "u-01");
    assert_int_equal(world_until(w, at(w->p, "2024-08-09", 23, 59)), 0);
    assert_int_equal(world_until(w, at(w->p, "2024-08-10", 0, 0)), 2);
    assert_int_equal(issued_of(&w->fx, ME_FLAG), 1); /* u-02, the last to fire; u-01 was in time */
    assert_slice(w->fx.issued[0].unit, "u-02");
    assert_slice(w->fx.issued[0].basis, "五（四）"); /* the action's own words */
    assert_true(w->fx.now == at(w->p, "2024-08-10", 0, 0));
    assert_slice(w->fx.cause.timer, "limit");
    assert_slice(w->fx.cause.instance, "card/u-02/i-017");
    assert_int_equal(w->fx.transitions[0].from, w->fx.transitions[0].to);
    assert_int_equal(world_until(w, at(w->p, "2025-08-10", 0, 0)), 0);
}

static void red_replaces_yellow_within_the_group(void **state)
{
    (void)state;
    struct array_world *w = world();
    to_yellow(w);
    rectify(w, "2024-07-20", "u-01");
    instant_t armed = the(w, M_CARD, "u-01", subject, "", "")->timers[0].due;
    place(w, "2024-07-25", "2024Q3", subject, 10);
    const struct instance *i = the(w, M_CARD, "u-01", subject, "", "");
    assert_int_equal(i->state, CARD_RED);
    assert_true(i->vars[1].yes);            /* in-time: the group's enter did not run again */
    assert_true(i->timers[0].due == armed); /* nor were its timers armed again */
    assert_true(i->limit > armed);
    assert_slice(first_of(&w->fx, ME_RED)->body, "请单位4于2024-08-24前整改，文号绥营督〔2024〕3号。");
    place(w, "2024-07-26", "2024Q4", subject, 10);
    assert_int_equal(w->fx.nissued, 2); /* the circular's two notes: no second red card */
    assert_int_equal(issued_of(&w->fx, ME_RED), 0);
}

/* ---- folds */

static void the_count_starts_anew_each_year(void **state)
{
    (void)state;
    struct array_world *w = world();
    place(w, "2024-10-10", "2024Q3", subject, 10);
    place(w, "2025-01-10", "2024Q4", subject, 10); /* received in 2025, of 2024 */
    assert_int_equal(card_state(w, "u-01"), CARD_YELLOW);
    place(w, "2025-04-10", "2025Q1", subject, 10);
    assert_int_equal(the(w, M_CARD, "u-01", subject, "", "")->counts[0].n, 1);
    assert_int_equal(card_state(w, "u-01"), CARD_YELLOW);
    place(w, "2025-05-10", "2024Q2", subject, 10); /* of a window that is closed */
    const struct count *low = &the(w, M_CARD, "u-01", subject, "", "")->counts[0];
    assert_int_equal(low->n, 1);
    assert_int_equal(low->window.index, 2025);
}

static void a_consecutive_count_falls_back(void **state)
{
    (void)state;
    struct array_world *w = world();
    static const int n[] = {0, 0, -1, 0}, run[] = {1, 2, 0, 1};
    for (int i = 0; i < 4; i++) {
        world_input(w, ping(at(w->p, "2024-03-01", 9, i), n[i]));
        assert_int_equal(the(w, M_LOG, "u-01", "", "", "")->counts[0].n, run[i]);
    }
}

/* ---- measures */

static void the_same_measure_is_issued_once_a_turn(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, ping(at(w->p, "2024-03-01", 9, 0), 0));
    assert_int_equal(issued_of(&w->fx, ME_NOTE), 1);
    assert_slice(w->fx.issued[0].basis, "六（一）"); /* basis: rule */
    world_input(w, ping(at(w->p, "2024-03-01", 9, 0), 0));
    assert_int_equal(issued_of(&w->fx, ME_NOTE), 1);
}

static void a_measure_fans_out_over_units(void **state)
{
    (void)state;
    struct array_world *w = world();
    place(w, "2024-04-10", "2024Q1", subject, 1);
    assert_int_equal(issued_of(&w->fx, ME_NOTE), 2);
    const struct issued *first = &w->fx.issued[0];
    assert_slice(first->unit, "u-01");
    assert_slice(first->basis, "五（五）"); /* of the machine: the rule names none */
    assert_int_equal(first->n, 0);
    assert_int_equal(first[1].n, 1);
    assert_int_equal(first->period.kind, PERIOD_QUARTER);
    assert_int_equal(first->subject.n, 0);
}

/* ---- undoing and bounds */

static void untouched(struct array_world *w, struct input in, const char *why)
{
    struct buf before = {0}, after = {0};
    for (size_t i = 0; i < w->n; i++)
        log_instance(&before, w->p, w->item[i]);
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, why);
    assert_int_equal(w->fx.nreasons, 1);
    assert_int_equal(w->fx.nchanged, 0);
    for (size_t i = 0; i < w->n; i++)
        log_instance(&after, w->p, w->item[i]);
    assert_true(slice_eq(buf_slice(&before), buf_slice(&after)));
    buf_free(&before);
    buf_free(&after);
}

static void a_refusal_or_a_bound_undoes_the_whole_turn(void **state)
{
    (void)state;
    struct array_world *w = world();
    instant_t t = at(w->p, "2024-03-01", 9, 0);
    world_input(w, ping(t, 0));
    untouched(w, ping(t, 4), "不予受理"); /* the log machine acted before */
    untouched(w, ping(t, 1), "more than 10000 events in one turn");
    untouched(w, ping(t, 2), "w/workflow.yaml:3: `when: any` still holds");
    untouched(w, ping(t, 8), "w/workflow.yaml:1: overflow");
    assert_int_equal(world_input(w, ping(t, 7)), VERDICT_APPLIED); /* a division by zero is n/a, no failure */
    assert_int_equal(the(w, M_ECHO, "u-01", "", "", "")->vars[1].tag, VALUE_NA);
}

static void a_timer_that_breaks_a_bound_halts_its_instance(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, ping(at(w->p, "2024-03-01", 9, 0), 3));
    assert_int_equal(world_until(w, at(w->p, "2024-03-02", 9, 0)), 1);
    assert_int_equal(w->fx.verdict, VERDICT_HALTED);
    assert_int_equal(w->fx.nchanged, 1);
    assert_because(&w->fx, "more than 10000 events");
    const struct instance *i = the(w, M_ECHO, "u-01", "", "", "");
    assert_true(i->halted);
    assert_int_equal(i->ntimers, 0);
    assert_slice(i->last.timer, "storm");
    world_input(w, ping(at(w->p, "2024-03-03", 9, 0), 6)); /* moved on by an event: lives again */
    assert_false(the(w, M_ECHO, "u-01", "", "", "")->halted);
}

static void timers_that_arm_one_another_for_now_end(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, ping(at(w->p, "2024-03-01", 9, 0), 9));
    assert_int_equal(world_until(w, at(w->p, "2024-03-01", 9, 0)), STEP_HOPS_MAX + 1);
    assert_int_equal(w->fx.verdict, VERDICT_HALTED);
    assert_because(&w->fx, "timer again is due at once, after 16 others in a row");
    assert_true(the(w, M_ECHO, "u-01", "", "", "")->halted);
}

static void leaving_a_state_cancels_its_timers(void **state)
{
    (void)state;
    struct array_world *w = world();
    instant_t t = at(w->p, "2024-03-01", 9, 0);
    world_input(w, ping(t, 5));
    assert_int_equal(the(w, M_ECHO, "u-01", "", "", "")->ntimers, 2);
    world_input(w, ping(t, 6));
    const struct instance *i = the(w, M_ECHO, "u-01", "", "", "");
    assert_int_equal(i->ntimers, 1);
    assert_slice(w->p->machines[M_ECHO].timers[i->timers[0].def].name, "kept");
    assert_int_equal(world_until(w, at(w->p, "2024-03-02", 9, 0)),
                     1); /* no rule takes it: it is gone all the same */
    assert_int_equal(w->fx.verdict, VERDICT_APPLIED);
    assert_int_equal(the(w, M_ECHO, "u-01", "", "", "")->ntimers, 0);
}

static void setting_a_timer_again_moves_it(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, ping(at(w->p, "2024-03-01", 9, 0), 5));
    int64_t armed = the(w, M_ECHO, "u-01", "", "", "")->timers[0].armed;
    world_input(w, ping(at(w->p, "2024-03-01", 10, 0), 5));
    const struct instance *i = the(w, M_ECHO, "u-01", "", "", "");
    assert_int_equal(i->ntimers, 2);
    assert_true(i->timers[0].due == at(w->p, "2024-03-02", 10, 0));
    assert_true(i->timers[0].armed > armed);
}

static void an_event_that_reaches_nothing_has_no_effect(void **state)
{
    (void)state;
    struct array_world *w = world();
    assert_int_equal(rectify(w, "2024-08-01", "u-01"), VERDICT_NO_EFFECT); /* does not bear cards */
    assert_int_equal(w->n, 0);
}

static void keys_are_bounded(void **state)
{
    (void)state;
    struct array_world *w = world();
    char big[KEY_BYTES_MAX];
    memset(big, 'x', sizeof big);
    big[201] = '\0';
    struct value f = record(3, "unit", V_TEXT("u-01"), "subject", V_TEXT(big), "degree", V_TEXT("推进缓慢"));
    assert_int_equal(world_input(w, fact(at(w->p, "2024-05-01", 9, 0), "slow", "b-1", f)), VERDICT_REJECTED);
    assert_because(&w->fx, "subject of card: at most 200 bytes, not 201");
    big[200] = '\0';
    f.record.field[1] = V_TEXT(big);
    assert_int_equal(world_input(w, fact(at(w->p, "2024-05-01", 9, 0), "slow", "b-1", f)), VERDICT_APPLIED);
    f.record.field[1] = V_TEXT("a\nb");
    assert_int_equal(world_input(w, fact(at(w->p, "2024-05-01", 9, 0), "slow", "b-1", f)), VERDICT_REJECTED);
    assert_because(&w->fx, "no control characters in a key");
}

static void names_print_without_ambiguity(void **state)
{
    (void)state;
    const struct program *p = fixture_program();
    struct instance i = {.machine = M_CARD, .key = {S("u/1"), S("50%")}};
    assert_slice(instance_print(fx, p, &i), "card/u%2F1/50%25");
    struct instance task = {.machine = M_REPORT, .key = {S("progress"), S("2024-03"), S("tf-01"), S("")}};
    assert_slice(instance_print(fx, p, &task), "report/progress/2024-03/tf-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(a_low_place_warns_each_lead),
        FX_TEST(a_good_place_warns_nobody),
        FX_TEST(two_lows_hang_a_yellow_card),
        FX_TEST(lifting_needs_all_three),
        FX_TEST(a_place_from_before_the_card_does_not_lift),
        FX_TEST(a_matter_that_is_no_indicator_lifts_without_a_place),
        FX_TEST(a_limit_passed_is_flagged_once),
        FX_TEST(red_replaces_yellow_within_the_group),
        FX_TEST(the_count_starts_anew_each_year),
        FX_TEST(a_consecutive_count_falls_back),
        FX_TEST(the_same_measure_is_issued_once_a_turn),
        FX_TEST(a_measure_fans_out_over_units),
        FX_TEST(a_refusal_or_a_bound_undoes_the_whole_turn),
        FX_TEST(a_timer_that_breaks_a_bound_halts_its_instance),
        FX_TEST(timers_that_arm_one_another_for_now_end),
        FX_TEST(leaving_a_state_cancels_its_timers),
        FX_TEST(setting_a_timer_again_moves_it),
        FX_TEST(an_event_that_reaches_nothing_has_no_effect),
        FX_TEST(keys_are_bounded),
        FX_TEST(names_print_without_ambiguity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
