/* Corrections of the present: more time asked for, given and refused; waivers, pauses, excuses; whom a
 * selector means. */
#include "world_fixture.h"

static struct array_world *year_of(struct program *p)
{
    struct array_world *w = world_new(p);
    world_install(w, at(p, "2024-01-01", 0, 0));
    return w;
}

static struct array_world *year(void)
{
    return year_of(fixture_program());
}

static const struct instance *january(struct array_world *w, const char *unit)
{
    return the(w, M_REPORT, "progress", "2024-01", unit, "");
}

static struct slice *names(size_t n, ...)
{
    va_list ap;
    struct slice *list = ARENA_ARRAY(fx, struct slice, n);
    va_start(ap, n);
    for (size_t i = 0; i < n; i++)
        list[i] = slice_of(va_arg(ap, const char *));
    va_end(ap);
    return list;
}

static struct input correction(enum input_class class_, instant_t t)
{
    return (struct input){.class_ = class_,
                          .source = S("ops"),
                          .id = S("c"),
                          .received = t,
                          .reporter = S("o-1"),
                          .topic = VOICE_DEADLINES,
                          .select = {.due_from = DATE_NONE, .due_until = DATE_NONE}};
}

/* For January's report of one unit. */
static struct input correct_report(enum input_class class_, instant_t t, const char *unit)
{
    struct input in = correction(class_, t);
    in.select.obligations = names(1, "progress");
    in.select.periods = names(1, "2024-01");
    in.select.units = names(1, unit);
    in.select.nobligations = in.select.nperiods = in.select.nunits = 1;
    return in;
}

static struct input extend(instant_t t, const char *unit, const char *until)
{
    struct input in = correct_report(INPUT_EXTEND, t, unit);
    in.until = slice_of(until);
    return in;
}

static struct input refuse(instant_t t, const char *unit)
{
    struct input in = correct_report(INPUT_EXTEND, t, unit);
    in.refused = true;
    return in;
}

static struct input request(instant_t t, const char *unit, const char *until)
{
    return (struct input){.class_ = INPUT_EXTENSION_REQUEST,
                          .source = S("portal-a"),
                          .id = slice_of(until),
                          .received = t,
                          .obligation = S("progress"),
                          .unit = slice_of(unit),
                          .period = S("2024-01"),
                          .until = slice_of(until),
                          .grounds = S("系统升级"),
                          .topic = VOICE_SUBMISSIONS};
}

static void applied(struct array_world *w, struct input in)
{
    enum verdict v = world_input(w, in);
    if (v != VERDICT_APPLIED)
        fail_msg("%.*s", SLICE_ARG(w->fx.nreasons ? w->fx.reasons[0] : S("no effect")));
}

#define rejected(w, in, why)                                                                                 \
    do {                                                                                                     \
        assert_int_equal(world_input((w), (in)), VERDICT_REJECTED);                                          \
        assert_because(&(w)->fx, why);                                                                       \
    } while (0)

static size_t held(const struct instance *i)
{
    size_t n = 0;
    for (size_t t = 0; t < i->ntimers; t++)
        n += i->timers[t].held;
    return n;
}

/* How often the log of all turns has this. */
static int logged(const struct array_world *w, const char *what)
{
    int n = 0;
    for (char *p = w->log.p, *end = p + w->log.n; (p = memmem(p, (size_t)(end - p), what, strlen(what))); p++)
        n++;
    return n;
}

/* ---- more time */

static void what_follows_the_due_date_waits_for_an_answer(void **state)
{
    (void)state;
    struct array_world *w = year();
    applied(w, request(at(w->p, "2024-01-10", 9, 0), "tf-01", "2024-01-29"));
    assert_int_equal(w->fx.ntransitions, 1); /* on record, though no rule takes it */
    assert_int_equal(w->fx.transitions[0].kind, KIND_ASKED);
    assert_int_equal(held(january(w, "tf-01")), 1); /* overdue; not the reminders */
    world_until(w, at(w->p, "2024-01-28", 0, 0));
    assert_int_equal(logged(w, "reminder.0 tf-01"), 2);
    assert_int_equal(january(w, "tf-01")->state, REPORT_OPEN);
    assert_int_equal(january(w, "tf-02")->state, REPORT_OVERDUE);
    applied(w, extend(at(w->p, "2024-01-28", 9, 0), "tf-01", "2024-01-29"));
    const struct instance *i = january(w, "tf-01");
    assert_true(i->standing.asked == 0 && i->standing.extended == at(w->p, "2024-01-28", 9, 0));
    assert_int_equal(held(i), 0);
    world_until(w, at(w->p, "2024-01-30", 0, 0) - 1);
    assert_int_equal(logged(w, "reminder.0 tf-01"), 3); /* the one day before; the three were past already */
    assert_int_equal(january(w, "tf-01")->state, REPORT_OPEN);
    world_until(w, at(w->p, "2024-01-30", 0, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_OVERDUE);
}

static void an_answer_that_comes_too_late_counts_at_once(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t now = at(w->p, "2024-01-29", 9, 0);
    applied(w, request(at(w->p, "2024-01-10", 9, 0), "tf-01", "2024-01-29"));
    applied(w, request(at(w->p, "2024-01-10", 9, 0), "tf-02", "2024-01-29"));
    applied(w, refuse(now, "tf-01"));
    assert_int_equal(w->fx.transitions[0].kind, KIND_REFUSED);
    assert_true(january(w, "tf-01")->timers[0].due == now); /* never before now */
    assert_int_equal(world_until(w, now), 1);
    assert_int_equal(january(w, "tf-01")->state, REPORT_OVERDUE);
    applied(w, extend(now, "tf-02", "2024-01-26")); /* granted, and past by now */
    assert_int_equal(world_until(w, now), 1);
    assert_int_equal(january(w, "tf-02")->state, REPORT_OVERDUE);
}

static void the_last_request_stands_and_is_answered_once(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-01-10", 9, 0);
    applied(w, request(t, "tf-01", "2024-01-29"));
    applied(w, request(t, "tf-01", "2024-01-31"));
    assert_slice(january(w, "tf-01")->standing.asked_until, "2024-01-31");
    struct input in = extend(t, "tf-01", "2024-01-31");
    in.request = (struct record_ref){S("portal-a"), S("2024-01-29")};
    rejected(w, in, "request: 2024-01-29 from portal-a is not what report/progress/2024-01/tf-01 waits for");
    in.request.id = S("2024-01-31");
    applied(w, in);
    rejected(w, refuse(t, "tf-01"), "select: nothing of what fits (1) waits for an answer");
}

static void a_request_must_make_sense(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-01-10", 9, 0);
    rejected(w, request(t, "tf-01", "2024-01-24"), "is due on 2024-01-24 as it is");
    rejected(w, request(t, "tf-01", "soon"), "until: \"soon\" is no date");
    rejected(w, request(t, "u-01", "2024-01-29"), "u-01 has no task progress for 2024-01");
    struct input in = request(t, "tf-01", "2024-01-29");
    in.grounds = S("");
    rejected(w, in, "grounds: missing");
    in = request(t, "tf-01", "2024-01-29");
    in.reporter = S("nobody");
    rejected(w, in, "reporter: no unit \"nobody\"");
    in.reporter = S("o-1"), in.topic = VOICE_DEADLINES;
    rejected(w, in, "belongs on duban.submissions");
    world_input(
        w, submission(t, "tf-01", "2024-01", record(2, "progress", V_TEXT("一"), "quality", V_TEXT("二"))));
    world_input(w, review(t, "tf-01", "2024-01", true));
    rejected(w, request(t, "tf-01", "2024-01-29"), "it is done or waived");
}

static void more_time_moves_the_day_and_says_so(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-01-10", 9, 0);
    applied(w, extend(t, "tf-01", "2024-01-29"));
    const struct instance *i = january(w, "tf-01");
    assert_true(i->task->due == at(w->p, "2024-01-30", 0, 0) &&
                i->task->nominal == at(w->p, "2024-01-25", 0, 0));
    assert_slice(i->task->reason, "day 24 of 2024-01, inclusive: until 24:00; extended to 2024-01-29 by o-1");
    struct input in = correct_report(INPUT_EXTEND, t, "tf-01");
    in.has_by = true, in.by = (struct duration){3, DURATION_WORKDAY}; /* 29 January 2024 is a Monday */
    applied(w, in);
    i = january(w, "tf-01");
    assert_slice(i->task->reason, "day 24 of 2024-01, inclusive: until 24:00; extended to 2024-02-01 by o-1");
    in.by = (struct duration){5, DURATION_HOUR};
    rejected(w, in, "it runs until 2024-02-01 as it is; more time must end on a later day");
    in.by = (struct duration){99999, DURATION_MONTH};
    rejected(w, in, "more time must end before the year 10000");
    rejected(w, extend(t, "tf-01", "2024-02-01"), "not on 2024-02-01");
    rejected(w, extend(t, "tf-01", "tomorrow"), "until: \"tomorrow\" is no date");
    assert_true(january(w, "tf-01") == i);
}

static void given_when_overdue_it_stays_overdue(void **state)
{
    (void)state;
    struct array_world *w = year();
    applied(w, extend(at(w->p, "2024-02-01", 9, 0), "tf-01", "2024-02-05"));
    const struct instance *i = january(w, "tf-01");
    assert_int_equal(i->state, REPORT_OVERDUE);
    assert_true(i->vars[0].yes); /* late */
    world_until(w, at(w->p, "2024-02-16", 0, 0) - 1);
    assert_int_equal(january(w, "tf-02")->state, REPORT_MISSED);
    assert_int_equal(january(w, "tf-01")->state, REPORT_OVERDUE);
    world_until(w, at(w->p, "2024-02-16", 0, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_MISSED);
}

/* ---- waivers */

static void what_is_waived_is_not_owed_and_still_recorded(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-01-10", 9, 0);
    applied(w, request(t, "tf-01", "2024-01-29"));
    applied(w, correct_report(INPUT_WAIVE, t, "tf-01"));
    const struct instance *i = january(w, "tf-01");
    assert_true(i->standing.waived && !i->standing.asked && i->ntimers == 0);
    applied(w, submission(t, "tf-01", "2024-01", record(1, "progress", V_TEXT("一")))); /* returned at once */
    i = january(w, "tf-01");
    assert_int_equal(i->state, REPORT_RETURNED);
    assert_int_equal(i->ntimers, 0); /* a state that would arm some arms none */
    world_until(w, at(w->p, "2024-03-01", 0, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_RETURNED);
    rejected(w, correct_report(INPUT_WAIVE, at(w->p, "2024-03-01", 9, 0), "tf-01"),
             "all that fits is done or waived (1)");
}

/* ---- pauses */

static void what_passed_in_a_pause_fires_once(void **state)
{
    (void)state;
    struct array_world *w = year();
    applied(w, correct_report(INPUT_PAUSE, at(w->p, "2024-01-10", 9, 0), "tf-01"));
    assert_int_equal(held(january(w, "tf-01")), 3);
    rejected(w, correct_report(INPUT_PAUSE, at(w->p, "2024-01-11", 9, 0), "tf-01"),
             "runs: all of it is paused");
    instant_t end = at(w->p, "2024-01-24", 9, 0); /* both reminders have passed */
    applied(w, correct_report(INPUT_RESUME, end, "tf-01"));
    assert_int_equal(january(w, "tf-01")->ntimers, 2);
    assert_int_equal(world_until(w, end), 1);
    assert_int_equal(logged(w, "reminder.0 tf-01"), 1);
    world_until(w, at(w->p, "2024-01-25", 0, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_OVERDUE);
    rejected(w, correct_report(INPUT_RESUME, at(w->p, "2024-01-26", 9, 0), "tf-01"),
             "nothing of what fits (1) is paused");
}

static void the_time_paused_may_be_added(void **state)
{
    (void)state;
    struct array_world *w = year();
    applied(w, correct_report(INPUT_PAUSE, at(w->p, "2024-01-20", 9, 0), "tf-01"));
    struct input in = correct_report(INPUT_RESUME, at(w->p, "2024-02-01", 15, 0), "tf-01");
    in.extend_due = true;
    applied(w, in); /* 12 days and 6 hours: a day begun is a day */
    const struct instance *i = january(w, "tf-01");
    assert_true(i->task->due == at(w->p, "2024-02-07", 0, 0));
    assert_int_equal(held(i), 0);
    assert_true(i->timers[0].due == at(w->p, "2024-02-04", 0, 0)); /* the reminder, three days before */
    world_until(w, at(w->p, "2024-02-07", 0, 0) - 1);
    assert_int_equal(january(w, "tf-01")->state, REPORT_OPEN);
}

static void states_entered_in_a_pause_wait_too(void **state)
{
    (void)state;
    struct array_world *w = year();
    applied(w, correct_report(INPUT_PAUSE, at(w->p, "2024-02-01", 9, 0), "tf-01")); /* overdue: due is past */
    instant_t back = at(w->p, "2024-02-10", 9, 0);
    world_input(w, submission(back, "tf-01", "2024-01", record(1, "progress", V_TEXT("一"))));
    assert_int_equal(january(w, "tf-01")->state, REPORT_RETURNED); /* records count */
    assert_int_equal(held(january(w, "tf-01")), january(w, "tf-01")->ntimers);
    struct input in = correct_report(INPUT_RESUME, back + 3600000, "tf-01");
    in.extend_due = true;
    applied(w, in);
    const struct instance *i = january(w, "tf-01");
    assert_true(i->task->due == at(w->p, "2024-01-25", 0, 0)); /* had run out before the pause */
    assert_true(i->timers[i->ntimers - 1].due ==
                at(w->p, "2024-02-13", 10, 0)); /* the grace: three days and the hour */
}

/* Pausing and resuming before anything falls due changes nothing of what follows. */
static void a_pause_that_nothing_fell_into_leaves_no_trace(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    for (int round = 0; round < 20; round++) {
        struct array_world *plain = year(), *paused = year();
        instant_t from =
            at(plain->p, "2024-01-02", 0, 0) + (instant_t)(random_next(&seed) % (19 * 86400000ull));
        instant_t until = at(plain->p, "2024-01-21", 23, 59);
        applied(paused, correct_report(INPUT_PAUSE, from, "tf-01"));
        applied(paused,
                correct_report(INPUT_RESUME,
                               from + (instant_t)(random_next(&seed) % (uint64_t)(until - from)), "tf-01"));
        buf_clear(&paused->log);
        buf_clear(&plain->log);
        world_until(plain, at(plain->p, "2024-03-01", 0, 0));
        world_until(paused, at(plain->p, "2024-03-01", 0, 0));
        for (int m = 0; m < ME_COUNT; m++) {
            char what[64];
            snprintf(what, sizeof what, "  %.*s.", SLICE_ARG(plain->p->measures[m].name));
            assert_int_equal(logged(plain, what), logged(paused, what));
        }
        assert_int_equal(january(plain, "tf-01")->since, january(paused, "tf-01")->since);
        fx_teardown(NULL), fx_setup(NULL);
    }
}

/* ---- excuses */

static struct input excuse(instant_t t, const char *unit)
{
    struct input in = correct_report(INPUT_EXCUSE, t, unit);
    in.grounds = S("洪灾");
    return in;
}

static struct program *warning_program(void)
{
    struct program *p = fixture_program();
    p->measures[ME_LATE].level = LEVEL_WARNING;
    p->measures[ME_REMINDER].level = LEVEL_REMINDER;
    return p;
}

static void nothing_follows_from_an_excused_lateness(void **state)
{
    (void)state;
    struct array_world *w = year_of(warning_program());
    applied(w, excuse(at(w->p, "2024-01-10", 9, 0), "tf-01"));
    assert_slice(january(w, "tf-01")->standing.excused, "洪灾");
    world_until(w, at(w->p, "2024-01-31", 23, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_OVERDUE); /* on record */
    assert_true(january(w, "tf-01")->vars[0].yes);
    assert_int_equal(logged(w, "late-notice.0 tf-01"), 0);
    assert_int_equal(logged(w, "late-notice.0 tf-02"), 1);
    assert_int_equal(logged(w, "reminder.0 tf-01"), 2);
    world_until(w, at(w->p, "2024-02-04", 0, 0));
    assert_int_equal(january(w, "tf-01")->state, REPORT_MISSED);
    struct slice key[KEY_PARTS_MAX] = {S("tf-01")};
    assert_null(world_find(w, fx, M_LOG, key)); /* `missed` was not raised */
    assert_int_equal(the(w, M_LOG, "tf-02", "", "", "")->counts[1].n, 1);
    struct input in =
        excuse(at(w->p, "2024-02-05", 9, 0), "tf-02"); /* afterwards, too: what is done may be excused */
    applied(w, in);
    in = correction(INPUT_EXCUSE, at(w->p, "2024-02-05", 9, 0));
    in.select.machines = names(1, "card"), in.select.nmachines = 1;
    rejected(w, in, "select: no task fits");
}

static bool excused_from_birth(void *ctx, int machine, const struct slice *key, struct slice *grounds)
{
    (void)ctx;
    if (machine != M_REPORT || !slice_eq(key[TASK_UNIT], S("tf-01")))
        return false;
    *grounds = S("洪灾");
    return true;
}

static void a_rerun_knows_excuses_from_birth(void **state)
{
    (void)state;
    struct array_world *w = world_new(warning_program());
    w->w.excused = excused_from_birth;
    world_install(w, at(w->p, "2024-01-01", 0, 0));
    assert_slice(january(w, "tf-01")->standing.excused, "洪灾");
    assert_int_equal(january(w, "tf-02")->standing.excused.n, 0);
    world_until(w, at(w->p, "2024-01-26", 0, 0));
    assert_int_equal(logged(w, "late-notice.0 tf-01"), 0);
    assert_int_equal(logged(w, "late-notice.0 tf-02"), 1);
}

/* ---- cases */

static struct array_world *carded(void)
{
    struct program *p = fixture_program();
    p->issuer = ROLE_BUREAU;
    struct array_world *w = world_new(p);
    place(w, "2024-04-10", "2024Q1", "i-017", 10);
    place(w, "2024-07-10", "2024Q2", "i-017", 10); /* yellow for both leads, 30 days */
    assert_int_equal(the(w, M_CARD, "u-01", "i-017", "", "")->state, CARD_YELLOW);
    return w;
}

static struct input of_cards(enum input_class class_, instant_t t)
{
    struct input in = correction(class_, t);
    in.reporter = S("b-1");
    in.select.machines = names(1, "card"), in.select.nmachines = 1;
    in.select.units = names(1, "u-01"), in.select.nunits = 1;
    return in;
}

static void the_limit_of_a_case_moves(void **state)
{
    (void)state;
    struct array_world *w = carded();
    struct input in = of_cards(INPUT_EXTEND, at(w->p, "2024-08-01", 9, 0));
    in.until = S("2024-08-20");
    applied(w, in);
    assert_true(the(w, M_CARD, "u-01", "i-017", "", "")->limit == at(w->p, "2024-08-21", 0, 0));
    world_until(w, at(w->p, "2024-08-21", 0, 0) - 1);
    assert_int_equal(logged(w, "  flag.0 u-01"), 0);
    assert_int_equal(logged(w, "  flag.0 u-02"), 1);
    world_until(w, at(w->p, "2024-08-21", 0, 0));
    assert_int_equal(logged(w, "  flag.0 u-01"), 1);
    in.received = at(w->p, "2024-08-22", 9, 0),
    in.until = S("2024-08-30"); /* after it ran out: it runs again */
    applied(w, in);
    world_until(w, at(w->p, "2024-08-31", 0, 0));
    assert_int_equal(logged(w, "  flag.0 u-01"), 2);
}

static void a_limit_that_is_lifted_never_ends(void **state)
{
    (void)state;
    struct array_world *w = carded();
    struct input in = of_cards(INPUT_WAIVE, at(w->p, "2024-08-01", 9, 0));
    applied(w, in);
    assert_true(the(w, M_CARD, "u-01", "i-017", "", "")->limit == INSTANT_NONE);
    assert_int_equal(the(w, M_CARD, "u-01", "i-017", "", "")->ntimers, 0);
    rejected(w, in, "nothing of what fits (1) has a limit");
    in.class_ = INPUT_EXTEND, in.until = S("2024-09-01");
    rejected(w, in, "has a due date or a limit");
    world_until(w, at(w->p, "2025-01-01", 0, 0));
    assert_int_equal(logged(w, "  flag.0 u-01"), 0);
}

static void a_case_hears_of_itself_alone(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    p->issuer = ROLE_BUREAU;
    struct state_body *carded_group = &p->machines[M_CARD].groups[0].body;
    struct rule *rules = ARENA_ARRAY(fx, struct rule, carded_group->nrules + 1);
    memcpy(rules, carded_group->rules, carded_group->nrules * sizeof *rules);
    rules[carded_group->nrules++] = on(KIND_WAIVED, NULL, CARD_CLEAR);
    carded_group->rules = rules;
    struct array_world *w = world_new(p);
    place(w, "2024-04-10", "2024Q1", "i-017", 10);
    place(w, "2024-07-10", "2024Q2", "i-017", 10);
    applied(w, of_cards(INPUT_WAIVE, at(p, "2024-08-01", 9, 0)));
    assert_int_equal(w->fx.ntransitions, 1);
    assert_int_equal(the(w, M_CARD, "u-01", "i-017", "", "")->state, CARD_CLEAR);
    assert_int_equal(the(w, M_CARD, "u-02", "i-017", "", "")->state, CARD_YELLOW);
}

/* ---- whom */

static size_t paused(const struct array_world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += w->item[i]->standing.paused != 0;
    return n;
}

static void every_part_narrows(void **state)
{
    (void)state;
    static const struct {
        const char *part, *value;
        size_t n; /* of two reports, two duties and the cards of u-01 and u-02 for each of two indicators */
    } cases[] = {
        {"obligations", "progress", 2},
        {"units", "tf-02", 1},
        {"units", "u-02", 1},
        {"subjects", "tf-01", 1},
        {"subjects", "i-017", 2},
        {"periods", "2024-01", 4},
        {"roles", "lead", 3},
        {"roles", "taskforce", 2},
        {"machines", "card", 3},
        {"machines", "duty", 2},
        {"states", "short", 2},
        {"states", "warned", 2},
        {"due_from", "2024-01-25", 2},
        {"due_until", "2024-01-25", 2},
        {"tasks", "card/u-01/i-011", 1},
        {"tasks", "duty/dispatch-by-office/2024-01/o-1/tf-02", 1},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct program *p = fixture_program();
        p->issuer = ROLE_BUREAU;
        struct array_world *w = year_of(p);
        place(w, "2024-01-10", "2024Q1", "i-017", 10);
        place(w, "2024-01-10", "2024Q1", "i-011", 1);
        struct input in = correction(INPUT_PAUSE, at(p, "2024-01-11", 9, 0));
        struct {
            const char *part;
            struct slice **list;
            size_t *n;
        } part[] = {{"obligations", &in.select.obligations, &in.select.nobligations},
                    {"units", &in.select.units, &in.select.nunits},
                    {"subjects", &in.select.subjects, &in.select.nsubjects},
                    {"periods", &in.select.periods, &in.select.nperiods},
                    {"roles", &in.select.roles, &in.select.nroles},
                    {"machines", &in.select.machines, &in.select.nmachines},
                    {"states", &in.select.states, &in.select.nstates},
                    {"tasks", &in.select.tasks, &in.select.ntasks}};
        in.reporter = S("营商局"); /* an alias */
        for (size_t k = 0; k < sizeof part / sizeof *part; k++)
            if (strcmp(part[k].part, cases[c].part) == 0)
                *part[k].list = names(1, cases[c].value), *part[k].n = 1;
        if (strcmp(cases[c].part, "due_from") == 0)
            assert_true(date_parse(slice_of(cases[c].value), &in.select.due_from));
        if (strcmp(cases[c].part, "due_until") == 0)
            assert_true(date_parse(slice_of(cases[c].value), &in.select.due_until));
        applied(w, in);
        if (paused(w) != cases[c].n)
            fail_msg("%s: %s matched %zu, not %zu", cases[c].part, cases[c].value, paused(w), cases[c].n);
        fx_teardown(NULL), fx_setup(NULL);
    }
}

static void parts_narrow_each_other(void **state)
{
    (void)state;
    struct array_world *w = year();
    struct input in = correction(INPUT_PAUSE, at(w->p, "2024-02-11", 9, 0));
    in.select.periods = names(2, "2024-01", "2024-02"), in.select.nperiods = 2;
    in.select.units = names(1, "tf-01"), in.select.nunits = 1;
    in.select.states = names(2, "open", "missed"), in.select.nstates = 2;
    in.select.tasks = names(0);
    applied(w, in);
    assert_int_equal(paused(w), 2); /* January's is missed, which is not final */
    in = correction(INPUT_PAUSE, in.received);
    in.select.tasks = names(2, "report/progress/2024-02/tf-02", "report/progress/2024-02/tf-02"),
    in.select.ntasks = 2;
    applied(w, in); /* named twice, done once */
    assert_int_equal(w->fx.nchanged, 1);
    in.select.states = names(1, "overdue"), in.select.nstates = 1;
    rejected(w, in, "select: no task or case fits");
}

static void all_unknown_names_are_told(void **state)
{
    (void)state;
    struct array_world *w = year();
    struct input in = correction(INPUT_WAIVE, at(w->p, "2024-01-11", 9, 0));
    in.select.obligations = names(2, "progress", "regress"), in.select.nobligations = 2;
    in.select.units = names(1, "tf-99"), in.select.nunits = 1;
    in.select.periods = names(1, "2024-13"), in.select.nperiods = 1;
    in.select.roles = names(1, "lamp"), in.select.nroles = 1;
    in.select.machines = names(2, "cards", "generator"), in.select.nmachines = 2;
    in.select.states = names(1, "asleep"), in.select.nstates = 1;
    in.select.tasks = names(3, "report/progress/2024-01/tf-99", "generator/progress", "report"),
    in.select.ntasks = 3;
    in.select.due_from = date_from_civil(2024, 2, 1), in.select.due_until = date_from_civil(2024, 1, 1);
    in.reporter = S("nobody");
    rejected(w, in, "select.obligations: no obligation \"regress\" in w");
    assert_int_equal(w->fx.nreasons, 12);
    assert_because(&w->fx, "reporter: no unit \"nobody\"");
    assert_because(&w->fx, "select.units: no unit \"tf-99\"");
    assert_because(&w->fx, "select.periods: \"2024-13\" is no period");
    assert_because(&w->fx, "select.roles: no role \"lamp\"");
    assert_because(&w->fx, "select.machines: no machine \"cards\"");
    assert_because(&w->fx, "select.machines: no machine \"generator\"");
    assert_because(&w->fx, "select.states: no state \"asleep\"");
    assert_because(&w->fx, "select.due_from: 2024-02-01 is later than due_until, 2024-01-01");
    assert_because(&w->fx, "select.tasks: no task or case \"generator/progress\"");
    assert_because(&w->fx, "select.tasks: no task or case \"report\"");
}

static void only_who_may_corrects(void **state)
{
    (void)state;
    struct array_world *w = year();
    instant_t t = at(w->p, "2024-01-11", 9, 0);
    struct input in = extend(t, "tf-01", "2024-01-29");
    in.reporter = S("tf-01");
    rejected(w, in,
             "reporter: tf-01 may not make an extension of progress: only those who receive its reports");
    in = correction(INPUT_PAUSE, t);
    in.select.obligations = names(2, "progress", "dispatch-by-office"), in.select.nobligations = 2;
    rejected(w, in, "nobody may make a pause of dispatch-by-office: the workflow names no issuer");
    in.topic = VOICE_SUBMISSIONS;
    rejected(w, in, "a pause belongs on duban.deadlines, not on duban.submissions");
    struct program *p = fixture_program();
    p->issuer = ROLE_BUREAU;
    w = year_of(p);
    rejected(w, extend(t, "tf-01", "2024-01-29"), "reporter: o-1 may not make an extension: only bureau");
    in = extend(t, "tf-01", "2024-01-29");
    in.reporter = S("b-1");
    applied(w, in);
}

static void endless(void *ctx, struct arena *a, int machine, const struct slice *key, size_t nkey,
                    bool (*visit)(void *arg, struct instance *i), void *arg)
{
    struct array_world *w = ctx;
    for (size_t i = 0; i < w->n; i++)
        if (w->item[i]->machine == machine)
            for (int again = 0; again < 6000; again++)
                if (!visit(arg, w->item[i]))
                    return;
    (void)a, (void)key, (void)nkey;
}

static void too_many_to_look_at_is_said(void **state)
{
    (void)state;
    struct array_world *w = year();
    w->w.scan = endless;
    struct input in = correction(INPUT_PAUSE, at(w->p, "2024-01-11", 9, 0));
    in.select.roles = names(1, "taskforce"), in.select.nroles = 1;
    rejected(w, in, "select: more than 10000 tasks and cases to look at: name obligations, periods or units");
}

static void keys_print_and_parse(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    static const char alphabet[] = "ab/%2F25长";
    struct program *p = fixture_program();
    for (int round = 0; round < 2000; round++) {
        struct instance i = {.machine = (int)(random_next(&seed) % 2 ? M_REPORT : M_CARD)};
        struct slice back[KEY_PARTS_MAX];
        size_t nkey = p->machines[i.machine].nkey;
        int machine;
        for (size_t k = 0; k < nkey; k++) {
            char part[8];
            size_t n = random_next(&seed) % sizeof part + (k + 1 < nkey);
            n = n > sizeof part ? sizeof part : n;
            for (size_t c = 0; c < n; c++)
                part[c] = alphabet[random_next(&seed) % (sizeof alphabet - 1)];
            i.key[k] = arena_dup(fx, (struct slice){part, n});
        }
        assert_true(instance_parse(fx, p, instance_print(fx, p, &i), &machine, back));
        assert_int_equal(machine, i.machine);
        for (size_t k = 0; k < nkey; k++)
            assert_true(slice_eq(i.key[k], back[k]));
        arena_reset(fx);
        p = fixture_program();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(what_follows_the_due_date_waits_for_an_answer),
        FX_TEST(an_answer_that_comes_too_late_counts_at_once),
        FX_TEST(the_last_request_stands_and_is_answered_once),
        FX_TEST(a_request_must_make_sense),
        FX_TEST(more_time_moves_the_day_and_says_so),
        FX_TEST(given_when_overdue_it_stays_overdue),
        FX_TEST(what_is_waived_is_not_owed_and_still_recorded),
        FX_TEST(what_passed_in_a_pause_fires_once),
        FX_TEST(the_time_paused_may_be_added),
        FX_TEST(states_entered_in_a_pause_wait_too),
        FX_TEST(a_pause_that_nothing_fell_into_leaves_no_trace),
        FX_TEST(nothing_follows_from_an_excused_lateness),
        FX_TEST(a_rerun_knows_excuses_from_birth),
        FX_TEST(the_limit_of_a_case_moves),
        FX_TEST(a_limit_that_is_lifted_never_ends),
        FX_TEST(a_case_hears_of_itself_alone),
        FX_TEST(every_part_narrows),
        FX_TEST(parts_narrow_each_other),
        FX_TEST(all_unknown_names_are_told),
        FX_TEST(only_who_may_corrects),
        FX_TEST(too_many_to_look_at_is_said),
        FX_TEST(keys_print_and_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
