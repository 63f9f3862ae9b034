/* Published rankings: places, ties, tail, middle, last; bad lists; and determinism of turns as a whole. */
#include "world_fixture.h"

static struct array_world *world(void)
{
    return world_new(fixture_program());
}

static enum verdict publish(struct array_world *w, struct input_entry *e, size_t n)
{
    return world_input(w, ranking(at(w->p, "2024-04-10", 9, 0), "2024Q1", e, n));
}

/* Whether u-01's card for i-017 counted the place as low. */
static bool low(int rank, int places, int tied)
{
    struct array_world *w = world();
    struct input_entry e = {S("i-017"), rank, places, tied};
    if (publish(w, &e, 1) != VERDICT_APPLIED)
        fail_msg("%.*s", SLICE_ARG(w->fx.reasons[0]));
    bool counted = the(w, M_CARD, "u-01", "i-017", "", "")->counts[0].n == 1;
    fx_nworlds--;
    buf_free(&w->log);
    return counted;
}

static void the_tail_is_the_last_three(void **state)
{
    (void)state;
    assert_false(low(7, 10, 1));
    assert_true(low(8, 10, 1));
    assert_true(low(10, 10, 1));
    assert_true(low(7, 10, 2)); /* the tied group 7-8 touches the tail: all of it is in it */
    assert_false(low(6, 10, 2));
    assert_true(low(6, 10, 3));
    assert_false(low(5, 10, 6)); /* it reaches the middle */
    assert_false(low(5, 10, 4));
    assert_true(low(4, 5, 1));
    assert_false(low(3, 5, 1)); /* ceil(5/2) = 3: the middle */
    assert_true(low(3, 4, 1));
    assert_false(low(2, 4, 1));
    assert_false(low(3, 3, 1)); /* fewer than four places: no tail */
}

/* The lead changes on 1 April; the first quarter's place comes on the 10th and is the old lead's. */
static void liability_is_of_the_periods_last_day(void **state)
{
    (void)state;
    struct array_world *w = world();
    date_t change = date_from_civil(2024, 4, 1);
    struct relation_row *row = w->p->relation_rows; /* [1] u-01 and [2] u-02 lead i-017 */
    row[1].in_force.until = change;
    row[2].in_force.from = change;
    struct input_entry e = {S("i-017"), 10, 10, 1};
    publish(w, &e, 1);
    assert_int_equal(the(w, M_CARD, "u-01", "i-017", "", "")->counts[0].n, 1);
    const struct slice later[KEY_PARTS_MAX] = {S("u-02"), S("i-017")};
    assert_null(world_find(w, fx, M_CARD, later));
    assert_int_equal(world_input(w, ranking(at(w->p, "2024-07-10", 9, 0), "2024Q2", &e, 1)), VERDICT_APPLIED);
    assert_int_equal(the(w, M_CARD, "u-01", "i-017", "", "")->counts[0].n, 1);
    assert_int_equal(the(w, M_CARD, "u-02", "i-017", "", "")->counts[0].n, 1);
}

static struct value *entry_fields(struct array_world *w, int rank, int places, int tied)
{
    static struct value kept[RANKED_FIELDS];
    struct latest_def *l = &w->p->machines[M_CARD].latest[0];
    static int all[] = {0, 1, 2, 3, 4, 5, 6, 7};
    l->fields = all;
    l->nfields = RANKED_FIELDS;
    struct input_entry e = {S("i-011"), rank, places, tied};
    publish(w, &e, 1);
    memcpy(kept, the(w, M_CARD, "u-01", "i-011", "", "")->latest[0].field, sizeof kept);
    return kept;
}

static void an_entry_carries_what_rules_ask(void **state)
{
    (void)state;
    struct array_world *w = world();
    const struct value *f = entry_fields(w, 9, 10, 2);
    assert_slice(f[RANKED_SUBJECT].text, "i-011");
    assert_slice(period_format(fx, f[RANKED_PERIOD].period), "2024Q1");
    assert_int_equal(f[RANKED_RANK].number.num, 9);
    assert_int_equal(f[RANKED_PLACES].number.num, 10);
    assert_int_equal(f[RANKED_TIED].number.num, 2);
    assert_int_equal(f[RANKED_MIDDLE].number.num, 5);
    assert_true(f[RANKED_LOW].yes && f[RANKED_LAST].yes); /* tied last counts as last */
    f = entry_fields(w, 9, 10, 1);
    assert_true(f[RANKED_LOW].yes && !f[RANKED_LAST].yes);
    f = entry_fields(w, 1, 10, 10); /* all share the first place: nobody is last */
    assert_false(f[RANKED_LOW].yes || f[RANKED_LAST].yes);
    f = entry_fields(w, 3, 3, 1);
    assert_false(f[RANKED_LAST].yes);
}

static void a_whole_list_computes_places_and_ties(void **state)
{
    (void)state;
    struct program *p = fixture_program();
    p->rankings[0].of = (struct type){.tag = TYPE_UNIT};
    p->rankings[0].no_tail_under = 2;
    p->kinds[K_RANKED].refuse = ARENA_NEW(fx, struct refusal); /* shows the fields of one entry in a reason */
    p->kinds[K_RANKED].nrefuse = 1;
    p->kinds[K_RANKED].refuse[0] = (struct refusal){
        X_AND(X_EQ(X_EVENT(RANKED_RANK), X_NUM(2)),
              X_AND(X_EQ(X_EVENT(RANKED_TIED), X_NUM(2)), X_EQ(X_EVENT(RANKED_PLACES), X_NUM(4)))),
        S("第二，二家并列，共四家")};
    struct array_world *w = world_new(p);
    struct input_entry e[] = {
        {S("u-02"), 4, 0, 0}, {S("tf-01"), 2, 0, 0}, {S("营商局"), 1, 0, 0}, {S("o-1"), 2, 0, 0}};
    assert_int_equal(publish(w, e, 4), VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 2); /* tf-01 and o-1 */
    assert_slice(w->fx.reasons[0], "第二，二家并列，共四家");
    p->kinds[K_RANKED].nrefuse = 0;
    assert_int_equal(publish(w, e, 4), VERDICT_APPLIED);
    e[0].rank = 3;
    publish(w, e, 4);
    assert_because(&w->fx, "after 3 places the next rank is 4, not 3 (ties are ranked 1-2-2-4)");
    e[0].rank = 4;
    e[1].tied = 3;
    publish(w, e, 4);
    assert_because(&w->fx, "tf-01 says that 3 share rank 2; the list has 2");
}

static void a_bad_list_is_refused_whole(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct input_entry e[] = {{S("i-011"), 0, 10, 1}, {S("i-999"), 11, 10, 1}, {S("i-017"), 9, 10, 3}};
    struct input in = ranking(at(w->p, "2024-04-10", 9, 0), "2024-03", e, 3);
    in.reporter = S("u-01");
    in.topic = VOICE_SUBMISSIONS;
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_int_equal(w->fx.nreasons, 7);
    assert_because(&w->fx, "ranking indicators belongs on duban.deadlines");
    assert_because(&w->fx, "reporter: u-01 may not report ranking indicators: only bureau");
    assert_because(&w->fx, "period: expected quarter such as 2024Q1, not \"2024-03\"");
    assert_because(&w->fx, "entries[1].rank: expected a place from 1, not 0");
    assert_because(&w->fx, "entries[2].subject: expected indicator, not \"i-999\"");
    assert_because(&w->fx, "entries[2].places: rank 11 shared by 1 does not fit into 10");
    assert_because(&w->fx, "entries[3].places: rank 9 shared by 3 does not fit into 10");
    struct input_entry twice[] = {{S("i-011"), 1, 10, 1}, {S("i-011"), 2, 10, 1}};
    publish(w, twice, 2);
    assert_because(&w->fx, "entries: i-011 is given more than once");
    twice[1].places = 0;
    publish(w, twice, 2);
    assert_because(&w->fx, "give `places` for every entry or for none, not for 1 of 2");
    publish(w, NULL, 0);
    assert_because(&w->fx, "entries: missing");
    struct input_entry huge = {S("i-011"), INT64_MAX, INT64_MAX, INT64_MAX};
    publish(w, &huge, 1);
    assert_because(&w->fx, "does not fit");
    in = ranking(0, "2024Q1", e, 3);
    in.ranking = S("scores");
    world_input(w, in);
    assert_because(&w->fx, "ranking: no ranking \"scores\" in w");
}

/* ---- determinism: the order in which a list is written, a set is given or a world is scanned changes no
 * byte */

static void shuffle_entries(struct input_entry *e, size_t n, uint64_t *seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)(random_next(seed) % i);
        struct input_entry kept = e[k];
        e[k] = e[i - 1];
        e[i - 1] = kept;
    }
}

static struct value swapped(struct value two)
{
    struct value v = list(3, "", "", "");
    v.list.item[0] = two.list.item[1];
    v.list.item[1] = two.list.item[0];
    v.list.item[2] = two.list.item[1]; /* and a repetition */
    return v;
}

static struct input random_input(instant_t t, uint64_t *seed, uint64_t *order)
{
    char text[32];
    int month = 1 + (int)(random_next(seed) % 12), day = 1 + (int)(random_next(seed) % 28);
    const char *unit = random_next(seed) % 2 ? "u-01" : "u-02",
               *tf = random_next(seed) % 2 ? "tf-01" : "tf-02";
    uint64_t what = random_next(seed) % 7;
    struct slice date =
        (snprintf(text, sizeof text, "2024-%02d-%02d", month, day), arena_dup(fx, slice_of(text)));
    if (what == 0) {
        struct value of = list(2, "tf-01", "tf-02");
        return fact(t, "dispatch", "o-1", record(2, "held", V_TEXT(date.p), "of", order ? swapped(of) : of));
    }
    if (what == 1) {
        struct input_entry e[] = {{S("i-011"), 1 + (int64_t)(random_next(seed) % 10), 10, 1},
                                  {S("i-017"), 1 + (int64_t)(random_next(seed) % 10), 10, 0}};
        struct input_entry *copy = ARENA_ARRAY(fx, struct input_entry, 2);
        memcpy(copy, e, sizeof e);
        if (order)
            shuffle_entries(copy, 2, order);
        return ranking(t, random_next(seed) % 2 ? "2024Q1" : "2024Q2", copy, 2);
    }
    if (what == 2)
        return fact(t, "rectified", unit, record(1, "subject", V_TEXT("i-017")));
    if (what == 3)
        return fact(t, "accept", "b-1",
                    record(3, "unit", V_TEXT(unit), "subject", V_TEXT("i-017"), "pass", V_YES(true)));
    struct slice period = arena_dup(fx, (struct slice){date.p, 7});
    if (what == 4)
        return submission(
            t, tf, period.p,
            record(random_next(seed) % 3 ? 2 : 1, "progress", V_TEXT("一"), "quality", V_TEXT("二")));
    if (what == 5)
        return review(t, tf, period.p, random_next(seed) % 2);
    return ping(t, (int)(random_next(seed) % 9) - 1);
}

static void order_of_writing_and_scanning_changes_nothing(void **state)
{
    (void)state;
    uint64_t seed = seed_take();
    struct array_world *one = world(), *two = world();
    two->backwards = true;
    world_install(one, at(one->p, "2024-01-01", 0, 0));
    world_install(two, at(two->p, "2024-01-01", 0, 0));
    uint64_t first = seed, second = seed, order = seed ^ 0x9E3779B97F4A7C15u;
    instant_t t = at(one->p, "2024-01-02", 9, 0);
    for (int i = 0; i < 300; i++) {
        t += (instant_t)(1 + random_next(&order) % 36) * 3600000;
        enum verdict v = world_input(one, random_input(t, &first, NULL));
        assert_int_equal(world_input(two, random_input(t, &second, &order)), v);
    }
    world_until(one, t + 40ll * 86400000);
    world_until(two, t + 40ll * 86400000);
    assert_true(one->log.n > 10000);
    if (!slice_eq(buf_slice(&one->log), buf_slice(&two->log))) {
        size_t k = 0;
        while (k < one->log.n && k < two->log.n && one->log.p[k] == two->log.p[k])
            k++;
        fail_msg("differ at byte %zu: %.200s | %.200s", k, one->log.p + (k > 60 ? k - 60 : 0),
                 two->log.p + (k > 60 ? k - 60 : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(the_tail_is_the_last_three),
        FX_TEST(liability_is_of_the_periods_last_day),
        FX_TEST(an_entry_carries_what_rules_ask),
        FX_TEST(a_whole_list_computes_places_and_ties),
        FX_TEST(a_bad_list_is_refused_whole),
        FX_TEST(order_of_writing_and_scanning_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
