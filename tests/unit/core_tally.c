/* Tallies: exact inside, each item rounded once and the total once; bounds; columns; what cannot be told;
 * closing. */
#include "core/tally.h"
#include "world_fixture.h"

enum { MONTH = PERIOD_MONTH, ITEMS_MAX = 8 };
static const int office[] = {2}, bureau[] = {0}; /* roles of the fixture */

/* The fixture with a tally of the bureaus behind its machines: items by value, and what credits and closes
 * it. */
enum { K_POINTS = K_COUNT, K_REVIEW, K_PUBLISH, K_CLOSED, K_LIST, K_ENTRY, K_ALL };

static void kind_put(struct kind *k, const char *name, enum kind_class class_, const struct field *f,
                     size_t n)
{
    struct field *own = ARENA_ARRAY(fx, struct field, n);
    memcpy(own, f, n * sizeof *f);
    *k =
        (struct kind){.name = slice_of(name),
                      .class_ = class_,
                      .fields = own,
                      .nfields = n,
                      .voice = VOICE_EITHER,
                      .dated = -1,
                      .ranking = class_ == KIND_CLASS_RANKING || class_ == KIND_CLASS_RANKING_ENTRY ? 0 : -1};
}

static struct field month(void)
{
    struct field f = field("month", TYPE_PERIOD, false);
    f.type.period_kind = PERIOD_MONTH;
    return f;
}

static void kinds_put(struct program *p)
{
    struct kind *k = ARENA_ARRAY(fx, struct kind, K_ALL);
    const struct field points[] = {field("unit", TYPE_UNIT, false), month(), field("n", TYPE_NUMBER, false),
                                   field("why", TYPE_TEXT, true)};
    const struct field review[] = {field("unit", TYPE_UNIT, false), month(), field("item", TYPE_TEXT, false),
                                   field("points", TYPE_NUMBER, false)};
    const struct field publish[] = {month()};
    const struct field closed[] = {field("unit", TYPE_UNIT, false), month(),
                                   field("total", TYPE_NUMBER, true), field("item", TYPE_NUMBER, true)};
    memcpy(k, p->kinds, p->nkinds * sizeof *k);
    kind_put(&k[K_POINTS], "points", KIND_CLASS_FACT, points, 4);
    kind_put(&k[K_REVIEW], "review", KIND_CLASS_FACT, review, 4);
    kind_put(&k[K_PUBLISH], "publish", KIND_CLASS_FACT, publish, 1);
    kind_put(&k[K_CLOSED], "score closed", KIND_CLASS_CLOSED, closed, 4);
    k[K_LIST] = p->kinds[K_RANKING];
    k[K_LIST].name = S("ranking places");
    k[K_LIST].ranking = 1;
    k[K_ENTRY] = p->kinds[K_RANKED];
    k[K_ENTRY].name = S("ranked places");
    k[K_ENTRY].ranking = 1;
    p->kinds = k;
    p->nkinds = K_ALL;
}

/* Keeps every place that a unit gets, so that a test can look. */
static void watcher_put(struct machine *m)
{
    *m = (struct machine){.name = S("places"), .nkey = 1, .unit_key = 0};
    m->key[0] = field("unit", TYPE_UNIT, false);
    m->states = ARENA_NEW(fx, struct state);
    *m->states = (struct state){.name = S("watch"), .group = -1};
    m->nstates = 1;
    PUT(m->latest, m->nlatest, struct latest_def, {.kind = K_ENTRY});
    PUT(m->latest->fields, m->latest->nfields, int, RANKED_RANK, RANKED_TIED, RANKED_PLACES);
    m->reach = ARENA_NEW(fx, struct reach);
    *m->reach = (struct reach){.kind = K_ENTRY, .born = true};
    size_t n;
    PUT(m->reach->key, n, const struct expr *, X_EVENT(RANKED_SUBJECT));
    m->nreach = n;
}

static void machine_put(struct machine *m)
{
    *m = (struct machine){.name = S("score"), .nkey = 2, .unit_key = 0, .nvars = TALLY_VARS};
    m->key[0] = field("unit", TYPE_UNIT, false);
    m->key[1] = month();
    m->key[1].name = S("period");
    m->vars = ARENA_ARRAY(fx, struct field, TALLY_VARS);
    memcpy(m->vars, tally_vars, sizeof tally_vars);
    m->var_start = ARENA_ARRAY(fx, struct value, TALLY_VARS);
    for (int v = 0; v < TALLY_VARS; v++)
        if (tally_vars[v].type.tag == TYPE_LIST)
            m->var_start[v].tag = VALUE_LIST;
    m->nstates = 2;
    m->states = ARENA_ARRAY(fx, struct state, 2);
    m->states[TALLY_OPEN] = (struct state){.name = S("open"), .group = -1};
    m->states[TALLY_CLOSED] = (struct state){.name = S("closed"), .final = true, .group = -1};
}

static void ranking_put(struct program *p)
{
    struct ranking *r = ARENA_ARRAY(fx, struct ranking, 2);
    r[0] = p->rankings[0];
    r[1] = (struct ranking){.name = S("places"),
                            .of = {.tag = TYPE_UNIT},
                            .of_name = S("unit"),
                            .period = PERIOD_MONTH,
                            .kind_list = K_LIST,
                            .kind_entry = K_ENTRY};
    p->rankings = r;
    p->nrankings = 2;
}

static struct program *tally_program(void)
{
    struct program *p = fixture_program();
    struct machine *m = ARENA_ARRAY(fx, struct machine, p->nmachines + 2);
    struct tally *t = ARENA_NEW(fx, struct tally);
    kinds_put(p);
    ranking_put(p);
    memcpy(m, p->machines, p->nmachines * sizeof *m);
    machine_put(&m[p->nmachines]);
    watcher_put(&m[p->nmachines + 1]);
    *t = (struct tally){
        .name = S("score"),
        .of = (int *)(uintptr_t)bureau,
        .nof = 1,
        .period = PERIOD_MONTH,
        .span = {DATE_NONE, DATE_NONE},
        .machine = (int)p->nmachines,
        .self = {.kind = -1},
        .review = {.kind = K_REVIEW, .lines = -1, .item = 2, .points = 3, .reason = -1, .total = -1},
        .closes_kind = K_PUBLISH,
        .rounds = true,
        .round = 2,
        .kind_closed = K_CLOSED};
    t->items = ARENA_ARRAY(fx, struct tally_item, ITEMS_MAX);
    t->items[0] = (struct tally_item){.name = S("item")};
    t->nitems = 1;
    t->feeds = ARENA_NEW(fx, struct tally_feed);
    *t->feeds = (struct tally_feed){.kind = K_POINTS, .points = X_EVENT(2), .reason = X_EVENT(3)};
    t->nfeeds = 1;
    p->machines = m;
    p->nmachines += 2;
    p->tallies = t;
    p->ntallies = 1;
    return p;
}

/* ---- computing */

static const struct expr *x_rat(int64_t num, int64_t den)
{
    struct rat r;
    assert_int_equal(rat_div(rat_int(num), rat_int(den), &r), RAT_OK);
    return x_const((struct value){.tag = VALUE_NUMBER, .number = r});
}

static const struct expr *x_na(void)
{
    return x_const((struct value){.tag = VALUE_NA});
}

static struct instance *blank(const struct program *p)
{
    struct instance *i = tally_blank(p, 0, S("b-1"), (struct period){PERIOD_MONTH, 2024 * 12 + 4}, fx);
    struct value *own = ARENA_ARRAY(fx, struct value, TALLY_VARS);
    memcpy(own, i->vars, TALLY_VARS * sizeof *own);
    i->vars = own;
    return i;
}

static struct tally_score computed(const struct program *p, const struct instance *i)
{
    struct eval base = {.program = p, .now = at(p, "2024-05-31", 12, 0), .arena = fx};
    struct tally_score s;
    tally_compute(&base, 0, i, &s);
    return s;
}

static const char *shown(struct value v)
{
    return v.tag == VALUE_NUMBER ? rat_format_places(fx, v.number, 2).p : "n/a";
}

static void items_put(struct program *p, size_t n, ...)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    va_list ap;
    va_start(ap, n);
    p->tallies->nitems = n;
    for (size_t i = 0; i < n; i++)
        p->tallies->items[i] =
            (struct tally_item){.name = slice_of(names[i]), .value = va_arg(ap, const struct expr *)};
    va_end(ap);
}

static void each_item_is_rounded_once_and_the_total_once(void **state)
{
    (void)state;
    struct program *p = tally_program();
    items_put(p, 3, x_rat(80, 3), x_rat(1, 200), x_rat(-1, 200)); /* 40 × 2 ÷ 3 */
    struct tally_score s = computed(p, blank(p));
    assert_null(s.failed);
    assert_string_equal(shown(s.rows[0].points), "26.67");
    assert_string_equal(shown(s.rows[1].points), "0.01");  /* half goes away from zero … */
    assert_string_equal(shown(s.rows[2].points), "-0.01"); /* … on either side of it */
    assert_string_equal(shown(s.total), "26.67");

    items_put(p, 3, x_rat(1, 3), x_rat(1, 3), x_rat(1, 3));
    s = computed(p, blank(p));
    assert_string_equal(shown(s.total), "0.99"); /* of what is printed, not 1.00 */

    p->tallies->total = X2(EXPR_MUL, X_ROW(0), x_rat(1, 2));
    s = computed(p, blank(p));
    assert_string_equal(shown(s.total), "0.17"); /* 0.33 ÷ 2 = 0.165 */

    p->tallies->rounds = false;
    s = computed(p, blank(p));
    assert_slice(rat_format(fx, s.total.number), "1/6");
}

/* Printed items always add up to the printed total. */
static void printed_items_add_up(void **state)
{
    (void)state;
    uint64_t random = seed_take();
    struct program *p = tally_program();
    for (int round = 0; round < 2000; round++) {
        struct rat sum = rat_int(0), item;
        items_put(p, 4, x_rat(random_between(&random, -5000, 5000), random_between(&random, 1, 97)),
                  x_rat(random_between(&random, -5000, 5000), random_between(&random, 1, 97)),
                  x_rat(random_between(&random, -5000, 5000), random_between(&random, 1, 97)),
                  x_rat(random_between(&random, -5000, 5000), random_between(&random, 1, 97)));
        struct tally_score s = computed(p, blank(p));
        for (size_t i = 0; i < s.n; i++) {
            assert_true(rat_parse(slice_of(shown(s.rows[i].points)), &item));
            assert_int_equal(rat_add(sum, item, &sum), RAT_OK);
        }
        assert_string_equal(shown(s.total), shown((struct value){.tag = VALUE_NUMBER, .number = sum}));
        assert_int_equal(rat_cmp(sum, s.total.number), 0);
    }
}

static void caps_and_floors_hold(void **state)
{
    (void)state;
    struct program *p = tally_program();
    items_put(p, 4, X_NUM(21), X_NUM(-2), X_NUM(20), x_rat(2001, 100));
    for (size_t i = 0; i < 4; i++) {
        p->tallies->items[i].cap = X_NUM(20);
        p->tallies->items[i].floor = X_NUM(0);
    }
    struct tally_score s = computed(p, blank(p));
    assert_string_equal(shown(s.rows[0].points), "20.00");
    assert_slice(s.rows[0].bound, "cap");
    assert_string_equal(shown(s.rows[1].points), "0.00");
    assert_slice(s.rows[1].bound, "floor");
    assert_string_equal(shown(s.rows[2].points), "20.00");
    assert_slice(s.rows[2].bound, ""); /* it reached the cap by itself */
    assert_slice(s.rows[3].bound, "cap");
    assert_string_equal(shown(s.total), "60.00");
}

static void what_cannot_be_told_makes_the_total_so(void **state)
{
    (void)state;
    struct program *p = tally_program();
    items_put(p, 3, X_NUM(5), X2(EXPR_DIV, X_NUM(1), X_NUM(0)), X_NUM(7));
    p->tallies->items[2].cap = x_na();
    struct tally_score s = computed(p, blank(p));
    assert_null(s.failed);
    assert_string_equal(shown(s.rows[0].points), "5.00");
    assert_string_equal(shown(s.rows[1].points), "n/a");
    assert_string_equal(shown(s.rows[2].points), "n/a"); /* nobody knows whether it is within its cap */
    assert_string_equal(shown(s.total), "n/a");
    p->tallies->total = X_ROW(0); /* the author who can do without them says so */
    s = computed(p, blank(p));
    assert_string_equal(shown(s.total), "5.00");
}

static void too_large_a_number_is_said_and_not_wrong(void **state)
{
    (void)state;
    struct program *p = tally_program();
    items_put(p, 2, X_NUM(INT64_MAX), X_NUM(INT64_MAX));
    struct tally_score s = computed(p, blank(p));
    assert_string_equal(s.failed, "overflow");
}

/* ---- turns */

static struct array_world *world(void)
{
    return world_new(tally_program());
}

static struct input points(struct array_world *w, const char *unit, const char *of, int64_t n)
{
    return fact(at(w->p, "2024-05-20", 9, 0), "points", "o-1",
                record(3, "unit", V_TEXT(unit), "month", V_TEXT(of), "n", V_NUM(n)));
}

static enum verdict publish(struct array_world *w, const char *of)
{
    return world_input(w,
                       fact(at(w->p, "2024-06-01", 9, 0), "publish", "o-1", record(1, "month", V_TEXT(of))));
}

static const struct instance *score_of(struct array_world *w, const char *unit)
{
    return the(w, w->p->tallies->machine, unit, "2024-05", "", "");
}

static void an_entry_says_where_it_comes_from(void **state)
{
    (void)state;
    struct array_world *w = world();
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 3)), VERDICT_APPLIED);
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 4)), VERDICT_APPLIED);
    const struct value *entries = &score_of(w, "b-1")->vars[TALLY_ENTRIES];
    assert_int_equal(entries->list.n, 2);
    assert_slice(entries->list.item[1].record.field[ENTRY_ITEM].text, "item");
    assert_slice(entries->list.item[1].record.field[ENTRY_SOURCE].text, "portal-a");
    assert_slice(entries->list.item[1].record.field[ENTRY_ID].text, "points");
    assert_int_equal(entries->list.item[1].record.field[ENTRY_REASON].tag, VALUE_NA);
    assert_int_equal(entries->list.item[1].record.field[ENTRY_AT].instant, at(w->p, "2024-05-20", 9, 0));
    assert_string_equal(shown(computed(w->p, score_of(w, "b-1")).total), "7.00");
}

static void who_is_not_scored_gets_nothing(void **state)
{
    (void)state;
    struct array_world *w = world();
    assert_int_equal(world_input(w, points(w, "o-1", "2024-05", 3)), VERDICT_NO_EFFECT);
    ((struct program *)(uintptr_t)w->p)->tallies->span.from = date_from_civil(2024, 6, 1);
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 3)), VERDICT_NO_EFFECT);
}

static void entries_are_bounded(void **state)
{
    (void)state;
    struct array_world *w = world();
    for (int i = 0; i < TALLY_ENTRIES_MAX; i++)
        assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 1)), VERDICT_APPLIED);
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 1)), VERDICT_REJECTED);
    assert_because(&w->fx, "more than 500 entries");
    assert_int_equal(world_input(w, points(w, "b-1", "2024-06", 1)), VERDICT_APPLIED);

    /* Two that became one may have more. */
    struct value *entries =
        &the(w, (int)w->p->tallies->machine, "b-1", "2024-05", "", "")->vars[TALLY_ENTRIES];
    struct value *more = ARENA_ARRAY(fx, struct value, TALLY_ENTRIES_MAX + 1);
    memcpy(more, entries->list.item, TALLY_ENTRIES_MAX * sizeof *more);
    more[TALLY_ENTRIES_MAX] = more[0];
    entries->list.item = more;
    entries->list.n++;
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 1)), VERDICT_REJECTED);
}

static void a_period_is_closed_once(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, points(w, "b-1", "2024-05", 3));
    assert_int_equal(publish(w, "2024-05"), VERDICT_APPLIED);
    assert_int_equal(score_of(w, "b-1")->state, TALLY_CLOSED);
    assert_string_equal(shown(score_of(w, "b-1")->vars[TALLY_TOTAL]), "3.00");
    assert_int_equal(publish(w, "2024-05"), VERDICT_REJECTED);
    assert_because(&w->fx, "is closed already: it was published on 2024-06-01 09:00");
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 1)), VERDICT_REJECTED);
    assert_because(&w->fx, "score of b-1 for 2024-05 is closed");
    assert_int_equal(publish(w, "2024-06"), VERDICT_APPLIED);
}

static void a_closed_tally_stays_as_it_was(void **state)
{
    (void)state;
    struct array_world *w = world();
    world_input(w, points(w, "b-1", "2024-05", 3));
    publish(w, "2024-05");
    ((struct program *)(uintptr_t)w->p)->tallies->items[0].cap = X_NUM(1); /* a later definition */
    struct tally_score s = computed(w->p, score_of(w, "b-1"));
    assert_true(s.closed);
    assert_string_equal(shown(s.total), "3.00");
    assert_string_equal(shown(s.rows[0].points), "3.00");
}

static void a_review_stands_in_place_of_what_was_computed(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct input in = fact(at(w->p, "2024-05-25", 9, 0), "review", "o-1",
                           record(4, "unit", V_TEXT("b-1"), "month", V_TEXT("2024-05"), "item",
                                  V_TEXT("item"), "points", V_NUM(9)));
    world_input(w, points(w, "b-1", "2024-05", 3));
    assert_int_equal(world_input(w, in), VERDICT_APPLIED);
    struct tally_score s = computed(w->p, score_of(w, "b-1"));
    assert_string_equal(shown(s.rows[0].points), "9.00");
    assert_string_equal(shown(s.rows[0].computed), "3.00");
    assert_non_null(s.rows[0].review);
    assert_string_equal(shown(s.total), "9.00");
    in.fields = record(4, "unit", V_TEXT("b-1"), "month", V_TEXT("2024-05"), "item", V_TEXT("other"),
                       "points", V_NUM(9));
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "score has no item “other”");
}

/* ---- what cannot be credited */

static void points_that_cannot_be_told_are_refused(void **state)
{
    (void)state;
    struct array_world *w = world();
    w->p->tallies->feeds->points = X2(EXPR_DIV, X_EVENT(2), X_NUM(0));
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 3)), VERDICT_REJECTED);
    assert_because(&w->fx, "the points for score are n/a");
}

/* A year does not say which of its months is meant; a day does. */
static void a_period_names_one_that_is_scored(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct tally_feed *f = w->p->tallies->feeds;
    struct period year;
    assert_true(period_parse(S("2024"), &year));
    f->period = x_const((struct value){.tag = VALUE_PERIOD, .period = year});
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 3)), VERDICT_REJECTED);
    assert_because(&w->fx, "score scores each month: 2024 is none");
    f->period = x_const((struct value){.tag = VALUE_DATE, .date = date_from_civil(2024, 5, 31)});
    assert_int_equal(world_input(w, points(w, "b-1", "2024-03", 3)), VERDICT_APPLIED);
    f->period = X0(EXPR_EVENT_META, EVENT_RECEIVED);
    assert_int_equal(world_input(w, points(w, "b-1", "2024-03", 4)), VERDICT_APPLIED);
    assert_string_equal(shown(computed(w->p, score_of(w, "b-1")).total), "7.00");
    f->period = x_na();
    assert_int_equal(world_input(w, points(w, "b-1", "2024-05", 3)), VERDICT_NO_EFFECT);
}

static void a_feed_may_name_several_units(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct value ids[] = {V_TEXT("b-1"), {.tag = VALUE_NA}, V_TEXT("o-1")};
    w->p->tallies->feeds->unit = x_const((struct value){.tag = VALUE_LIST, .list = {ids, 3}});
    assert_int_equal(world_input(w, points(w, "tf-01", "2024-05", 3)), VERDICT_APPLIED);
    assert_int_equal(w->fx.nchanged, 1); /* o-1 is not scored */
    assert_string_equal(shown(computed(w->p, score_of(w, "b-1")).total), "3.00");
}

/* What a rule credits must be whole, or nothing of its turn happens. */
static void a_rule_says_whose_points_and_for_when(void **state)
{
    (void)state;
    static const struct {
        const char *unit, *because;
        bool dated;
    } rules[] = {{"b-1", NULL, true},
                 {"o-1", "score does not score o-1 for 2024-05", true},
                 {"", "nothing says for whom the points are", true},
                 {"b-1", "nothing says for which period the points are", false}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct array_world *w = world();
        struct action score = act(ACTION_SCORE, 0, X_NUM(2));
        score.unit = rules[i].unit[0] ? X_TEXT(rules[i].unit) : x_na();
        score.period = rules[i].dated ? X_META(INSTANCE_NOW) : x_na();
        RULES(w->p->machines[M_LOG].any_state, doing(on(K_PING, NULL, -1), score));
        enum verdict got = world_input(w, ping(at(w->p, "2024-05-20", 9, 0), 0));
        assert_int_equal(got, rules[i].because ? VERDICT_REJECTED : VERDICT_APPLIED);
        if (rules[i].because)
            assert_because(&w->fx, rules[i].because);
        else
            assert_string_equal(shown(computed(w->p, score_of(w, "b-1")).total), "2.00");
    }
}

/* A self score's total is what it states, else the sum of its lines. */
static void a_self_score_is_summed_where_it_states_no_total(void **state)
{
    (void)state;
    struct array_world *w = world();
    w->p->tallies->self = (struct tally_column){
        .kind = K_REVIEW, .lines = -1, .item = 2, .points = 3, .reason = -1, .total = -1};
    w->p->tallies->review.kind = -1;
    items_put((struct program *)(uintptr_t)w->p, 2, NULL, NULL);
    struct input in = fact(at(w->p, "2024-05-25", 9, 0), "review", "o-1", (struct value){.tag = VALUE_NA});
    for (int i = 0; i < 3; i++) {
        in.fields = record(4, "unit", V_TEXT("b-1"), "month", V_TEXT("2024-05"), "item",
                           V_TEXT(i ? "b" : "a"), "points", V_NUM(i ? INT64_MAX : 4));
        if (i < 1) {
            assert_int_equal(world_input(w, in), VERDICT_APPLIED);
            assert_string_equal(shown(score_of(w, "b-1")->vars[TALLY_SELF_TOTAL]), "4.00");
        } else {
            assert_int_equal(world_input(w, in), VERDICT_REJECTED);
            assert_because(&w->fx, "score: overflow");
        }
    }
    in.fields =
        record(4, "unit", V_TEXT("b-1"), "month", V_TEXT("2024-05"), "item", V_TEXT("b"), "points", V_NUM(3));
    assert_int_equal(world_input(w, in), VERDICT_APPLIED);
    assert_string_equal(shown(score_of(w, "b-1")->vars[TALLY_SELF_TOTAL]), "7.00");
    in.fields =
        record(4, "unit", V_TEXT("o-1"), "month", V_TEXT("2024-05"), "item", V_TEXT("b"), "points", V_NUM(3));
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "score does not score o-1 for 2024-05");
}

/* ---- rankings */

static const struct program *ranked_program(size_t units)
{
    struct program *p = tally_program();
    p->units = ARENA_ARRAY(fx, struct unit, units);
    p->nunits = units;
    for (size_t i = 0; i < units; i++) {
        p->units[i] =
            (struct unit){.id = arena_printf(fx, "b-%zu", i + 1), .in_force = {DATE_NONE, DATE_NONE}};
        p->units[i].roles = (int *)(uintptr_t)bureau;
        p->units[i].nroles = 1;
    }
    p->units[units - 1] = (struct unit){
        .id = S("o-1"), .in_force = {DATE_NONE, DATE_NONE}, .roles = (int *)(uintptr_t)office, .nroles = 1};
    program_index(p, fx);
    return p;
}

static int64_t latest(struct array_world *w, const char *unit, int field)
{
    const struct instance *i = the(w, w->p->tallies->machine + 1, unit, "", "", "");
    return i->latest[0].field[field].number.num;
}

static void equal_totals_share_a_rank(void **state)
{
    (void)state;
    static const int64_t got[] = {5, 7, 7, 9}; /* b-1 … b-4 */
    for (int lowest = 0; lowest < 2; lowest++) {
        struct array_world *w = world_new(ranked_program(5));
        w->p->rankings[1].lowest_first = lowest;
        for (int i = 0; i < 4; i++)
            world_input(w, points(w, arena_printf(fx, "b-%d", i + 1).p, "2024-05", got[i]));
        assert_int_equal(publish(w, "2024-05"), VERDICT_APPLIED);
        assert_int_equal(latest(w, "b-1", 0), lowest ? 1 : 4);
        assert_int_equal(latest(w, "b-2", 0), 2);
        assert_int_equal(latest(w, "b-3", 0), 2);
        assert_int_equal(latest(w, "b-3", 1), 2);
        assert_int_equal(latest(w, "b-4", 0), lowest ? 4 : 1);
        assert_int_equal(latest(w, "b-4", 2), 4);
    }
}

static void who_has_no_total_is_not_ranked(void **state)
{
    (void)state;
    struct array_world *w = world_new(ranked_program(3));
    /* of nothing credited: nothing divided by nothing */
    w->p->tallies->items[0].value = X2(EXPR_DIV, X1(EXPR_QUANT_COUNT, 0, X0(EXPR_ENTRIES, 0)),
                                       X1(EXPR_QUANT_COUNT, 0, X0(EXPR_ENTRIES, 0)));
    world_input(w, points(w, "b-2", "2024-05", 1));
    assert_int_equal(publish(w, "2024-05"), VERDICT_APPLIED);
    assert_int_equal(latest(w, "b-2", 2), 1);
    const struct slice key[KEY_PARTS_MAX] = {S("b-1")};
    assert_null(world_find(w, fx, w->p->tallies->machine + 1, key));
    assert_int_equal(score_of(w, "b-1")->vars[TALLY_TOTAL].tag, VALUE_NA);
}

static void a_computed_ranking_is_not_received(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct input_entry e = {S("b-1"), 1, 1, 1};
    struct input in = ranking(at(w->p, "2024-06-01", 9, 0), "2024-05", &e, 1);
    in.ranking = S("places");
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "places is computed when score closes, and not received");
}

/* A list of places names those whom the ranking is about, and nobody else. */
static void a_received_ranking_is_of_its_role(void **state)
{
    (void)state;
    struct array_world *w = world();
    struct ranking *r = &w->p->rankings[1];
    struct input_entry e = {S("b-1"), 1, 1, 1};
    r->tally = -1;
    PUT(r->of_roles, r->nof_roles, int, 0);
    struct input in = ranking(at(w->p, "2024-06-01", 9, 0), "2024-05", &e, 1);
    in.ranking = S("places");
    assert_int_equal(world_input(w, in), VERDICT_APPLIED);
    e.subject = S("o-1");
    assert_int_equal(world_input(w, in), VERDICT_REJECTED);
    assert_because(&w->fx, "o-1 is not among those that places ranks");
}

static void the_program_is_sound(void **state)
{
    (void)state;
    struct program *p = tally_program();
    struct err e;
    if (!program_check(p, &e))
        fail_msg("%s", e.text);
    p->tallies->feeds[0].points = NULL;
    assert_false(program_check(p, &e));
    p = tally_program();
    p->tallies->review.points = 9;
    assert_false(program_check(p, &e));
    p = tally_program();
    p->tallies->machine = 0;
    assert_false(program_check(p, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FX_TEST(each_item_is_rounded_once_and_the_total_once),
        FX_TEST(printed_items_add_up),
        FX_TEST(caps_and_floors_hold),
        FX_TEST(what_cannot_be_told_makes_the_total_so),
        FX_TEST(too_large_a_number_is_said_and_not_wrong),
        FX_TEST(an_entry_says_where_it_comes_from),
        FX_TEST(who_is_not_scored_gets_nothing),
        FX_TEST(entries_are_bounded),
        FX_TEST(points_that_cannot_be_told_are_refused),
        FX_TEST(a_period_names_one_that_is_scored),
        FX_TEST(a_feed_may_name_several_units),
        FX_TEST(a_rule_says_whose_points_and_for_when),
        FX_TEST(a_self_score_is_summed_where_it_states_no_total),
        FX_TEST(a_period_is_closed_once),
        FX_TEST(a_closed_tally_stays_as_it_was),
        FX_TEST(a_review_stands_in_place_of_what_was_computed),
        FX_TEST(equal_totals_share_a_rank),
        FX_TEST(who_has_no_total_is_not_ranked),
        FX_TEST(a_computed_ranking_is_not_received),
        FX_TEST(a_received_ranking_is_of_its_role),
        FX_TEST(the_program_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
