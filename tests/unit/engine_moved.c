/* Timers that are moved: their entries in the index stay behind, and nothing else shows it. */
#include "engine_index.h"
#include "engine_worlds.h"

#define BELLS 12
#define MINUTE INT64_C(60000)
#define START "2024-01-01T00:00:00+08:00"

static const char bells_body[] =
    "events:\n"
    "  alarm: {by: [office], fields: {unit: unit, bell: text, rings: instant}}\n"
    "  hush: {by: [office], fields: {unit: unit, bell: text}}\n"
    "measures:\n"
    "  ring: {title: 响铃, level: notice, topic: warnings, basis: 一, to: [unit]}\n"
    "machines:\n"
    "  bell:\n"
    "    title: 钟\n"
    "    basis: 一\n"
    "    per: [unit, bell]\n"
    "    born-by: [alarm]\n"
    "    initial: set\n"
    "    states:\n"
    "      set:\n"
    "        title: 待响\n"
    "        rules:\n"
    "          - when: alarm\n"
    "            do: [{timer: bell, at: event.rings}]\n"
    "          - when: hush\n"
    "            do: [{cancel: bell}]\n"
    "          - {when: timer bell, do: [measure: ring]}\n";

static unsigned nth;

static struct record alarm_record(struct rig *g, int bell, instant_t rings, instant_t received)
{
    struct slice name = arena_printf(g->kept, "a%u", ++nth);
    bool hush = rings == INSTANT_NONE;
    struct slice when = hush ? S("") : arena_printf(g->kept, ",\"rings\":\"%.*s\"",
                                                    SLICE_ARG(instant_format_utc(g->kept, rings)));
    struct slice body = arena_printf(g->kept,
                                     "\"fact\":{\"kind\":\"%s\",\"reporter\":\"u-office\",\"fields\":{"
                                     "\"unit\":\"u-01\",\"bell\":\"b%03d\"%s}}",
                                     hush ? "hush" : "alarm", bell, when.p);
    struct cloud_event e = toy_event(g->kept, "toy", name.p, "Fact", body.p);

    return toy_record(g->kept, &e, TOPIC_SUBMISSIONS, received, g->next[TOPIC_SUBMISSIONS]);
}

/* rings INSTANT_NONE: it is not to ring. */
static void set(struct rig *g, int bell, instant_t rings, instant_t received)
{
    struct record r = alarm_record(g, bell, rings, received);

    assert_int_equal(rig_apply(g, &r).what, OUTCOME_APPLIED);
}

static void clock_to(struct rig *g, instant_t now)
{
    struct slice id = arena_printf(g->kept, "c%u", ++nth);
    struct cloud_event e = toy_clock(g->kept, "toy", id.p);
    struct record r = toy_record(g->kept, &e, TOPIC_DEADLINES, now, g->next[TOPIC_DEADLINES]);

    assert_int_equal(rig_apply(g, &r).what, OUTCOME_CLOCK);
}

static void drain(struct rig *g)
{
    while (rig_drain(g, 7) == 7)
        ;
}

/* Each ring is a measure. */
static size_t rung(struct rig *g)
{
    rig_commit(g);
    return table_count(g->store, TABLE_MEASURE);
}

static instant_t next_due(struct rig *g)
{
    rig_begin(g);
    instant_t due = engine_next_due(g->engine, g->txn);
    rig_commit(g);
    return due;
}

static struct rig *with_bells(void)
{
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", bells_body, 1, START);
    return g;
}

/* It rings when it was last said to, and the index is as long as before. */
static void a_later_instant_counts(void **state)
{
    (void)state;
    struct rig *g = with_bells();
    instant_t now = at(START);

    set(g, 1, now + 10 * MINUTE, now);
    set(g, 1, now + 30 * MINUTE, now);
    set(g, 1, now + 20 * MINUTE, now);
    rig_commit(g);
    assert_int_equal(table_count(g->store, TABLE_TIMER), 2); /* 20 is before 30 */
    assert_int_equal(assert_indexed(g, "toy", false), 1);
    assert_int_equal(next_due(g), now + 20 * MINUTE);

    clock_to(g, now + 15 * MINUTE);
    drain(g);
    rig_commit(g);
    assert_int_equal(rung(g), 0);
    assert_int_equal(next_due(g), now + 20 * MINUTE);

    clock_to(g, now + 40 * MINUTE);
    drain(g);
    rig_commit(g);
    assert_int_equal(rung(g), 1);
    assert_int_equal(table_count(g->store, TABLE_TIMER), 0);
    assert_int_equal(next_due(g), INSTANT_MAX);
    rig_free(g);
}

/* A record that comes before the clock's finds what was left behind, too. */
static void what_was_left_behind_rings_nothing(void **state)
{
    (void)state;
    struct rig *g = with_bells();
    instant_t now = at(START);

    set(g, 1, now + 10 * MINUTE, now);
    set(g, 1, now + 30 * MINUTE, now);
    set(g, 1, INSTANT_NONE, now);
    set(g, 2, now + 60 * MINUTE, now + 45 * MINUTE);
    assert_int_equal(rung(g), 0);
    rig_commit(g);
    assert_int_equal(assert_indexed(g, "toy", true), 1);
    rig_free(g);
}

/* So many of one instant: the clock passes them in slices like any other, and until then what is next is no
 * later than what is due. */
static void many_of_one_instant(void **state)
{
    (void)state;
    struct rig *g = with_bells();
    instant_t now = at(START), then = now + 10 * MINUTE, later = now + 60 * MINUTE;

    for (int i = 0; i < 400; i++)
        set(g, i, then, now);
    for (int i = 0; i < 400; i++)
        set(g, i, later + i, now);
    rig_commit(g);
    assert_int_equal(table_count(g->store, TABLE_TIMER), 400);
    assert_int_equal(next_due(g), then); /* it looked at so many, and no more */
    clock_to(g, then);
    assert_int_equal(rig_drain(g, 150), 150);
    assert_int_equal(rig_drain(g, 150), 150);
    assert_int_equal(rig_drain(g, 150), 100);
    rig_commit(g);
    assert_int_equal(rung(g), 0);
    assert_int_equal(assert_indexed(g, "toy", true), 400);
    assert_int_equal(next_due(g), later);
    rig_free(g);
}

/* Set, moved to and fro and silenced at random, in batches of any size: each rings at its instant, once. */
struct bells {
    instant_t due[BELLS]; /* INSTANT_MAX: silent */
    size_t rung;
};

static instant_t earliest(const struct bells *b)
{
    instant_t due = INSTANT_MAX;

    for (int i = 0; i < BELLS; i++)
        due = b->due[i] < due ? b->due[i] : due;
    return due;
}

static void ring_until(struct bells *b, instant_t now)
{
    for (int i = 0; i < BELLS; i++)
        if (b->due[i] <= now) {
            b->due[i] = INSTANT_MAX;
            b->rung++;
        }
}

static void any_bell(struct rig *g, struct bells *b, uint64_t *seed, instant_t now)
{
    int bell = (int)random_between(seed, 0, BELLS - 1);
    bool hush = b->due[bell] != INSTANT_MAX && random_between(seed, 0, 3) == 0;
    instant_t rings = hush ? INSTANT_NONE : now + random_between(seed, 1, 60) * MINUTE;

    set(g, bell, rings, now);
    b->due[bell] = hush ? INSTANT_MAX : rings;
}

static void moved_at_random(void **state)
{
    (void)state;
    struct rig *g = with_bells();
    uint64_t seed = seed_take();
    instant_t now = at(START);
    struct bells b = {.rung = 0};

    for (int i = 0; i < BELLS; i++)
        b.due[i] = INSTANT_MAX;
    for (int n = 0; n < 600; n++) {
        now += random_between(&seed, 0, 8) * MINUTE;
        ring_until(&b, now);
        if (random_between(&seed, 0, 4) == 0)
            clock_to(g, now);
        else
            any_bell(g, &b, &seed, now);
        if (random_between(&seed, 0, 2) > 0)
            continue;
        drain(g);
        rig_commit(g);
        assert_indexed(g, "toy", false);
        struct err e;
        if (random_between(&seed, 0, 9) == 0)
            assert_true(engine_forget(g->engine, &e));
        instant_t due = next_due(g), model = earliest(&b);
        assert_int_equal(due, model);
    }
    clock_to(g, now + 61 * MINUTE);
    ring_until(&b, now + 61 * MINUTE);
    drain(g);
    rig_commit(g);
    assert_int_equal(rung(g), b.rung);
    assert_int_equal(table_count(g->store, TABLE_TIMER), 0);
    assert_own_history(g, "moved at random");
    assert_restorable(g);
    rig_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_instant_counts),
        cmocka_unit_test(what_was_left_behind_rings_nothing),
        cmocka_unit_test(many_of_one_instant),
        cmocka_unit_test(moved_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
