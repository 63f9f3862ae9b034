/* What expressions read in a turn: the world, with what the turn itself has changed, born and not yet
 * finished bearing. */
#include "world_fixture.h"

#include "core/turn.h"

static int set_up(void **state)
{
    (void)state;
    fx = arena_new();
    fx_nworlds = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(fx);
    return 0;
}

#define CARDS 40 /* keys u-0/s-0 … u-4/s-7 */

struct seen {
    const struct instance *item[CARDS];
    size_t n, most;
};

static bool see(void *arg, const struct instance *i)
{
    struct seen *s = arg;
    assert_true(s->n < CARDS);
    s->item[s->n++] = i;
    return s->n < s->most;
}

static void card_key(int i, struct slice key[KEY_PARTS_MAX])
{
    memset(key, 0, KEY_PARTS_MAX * sizeof *key);
    key[0] = arena_printf(fx, "u-%d", i / 8);
    key[1] = arena_printf(fx, "s-%d", i % 8);
}

static struct instance *card_new(const struct program *p, const struct slice *key)
{
    struct instance *i = ARENA_NEW(fx, struct instance);
    *i = (struct instance){.machine = M_CARD,
                           .limit = INSTANT_NONE,
                           .vars = ARENA_ARRAY(fx, struct value, p->machines[M_CARD].nvars),
                           .counts = ARENA_ARRAY(fx, struct count, p->machines[M_CARD].ncounts),
                           .latest = ARENA_ARRAY(fx, struct latest, p->machines[M_CARD].nlatest)};
    memcpy(i->key, key, sizeof i->key);
    return i;
}

/* Each card at random: not there, the world's, the world's and changed, born in this turn, gone in it, or being born:
 * what a scan sees must be what a look at each key says, in key order, and stop when told. */
static void reading_is_looking_at_each(void **state)
{
    uint64_t seed = seed_take();
    (void)state;
    for (int round = 0; round < 300; round++) {
        arena_reset(fx);
        fx_nworlds = 0;
        const struct program *p = fixture_program();
        struct array_world *w = world_new(p);
        struct effects out = {0};
        struct turn t = {.p = p, .w = &w->w, .arena = fx, .out = &out};
        const struct instance *wanted[CARDS];
        size_t n = 0, n_of_2 = 0;
        bool there[CARDS];
        for (int k = CARDS - 1; k >= 0; k--) { /* touched in another order than that of keys */
            int i = (k * 7) % CARDS;
            struct slice key[KEY_PARTS_MAX];
            int64_t what = random_between(&seed, 0, 5);
            card_key(i, key);
            there[i] = what >= 1 && what <= 3;
            if (what == 1 || what == 2 || what == 5)
                world_store(w, card_new(p, key));
            if (what == 2)
                overlay_find(&t, M_CARD, key)->i.counts[0].n = 1;
            if (what == 5)
                overlay_find(&t, M_CARD, key)->gone = true;
            if (what == 3 || what == 4)
                overlay_birth(&t, M_CARD, key)->i.state = what == 3 ? 0 : -1;
        }
        struct instances all = overlay_instances(&t);
        for (int i = 0; i < CARDS; i++) {
            struct slice key[KEY_PARTS_MAX];
            card_key(i, key);
            const struct instance *one = all.find(all.ctx, M_CARD, key);
            assert_true(there[i] == (one != NULL));
            if (one)
                wanted[n++] = one;
            n_of_2 += one && i / 8 == 2;
        }
        size_t touched = t.overlay.n;
        struct seen seen = {.most = SIZE_MAX}, some = {.most = 3}, of_2 = {.most = SIZE_MAX};
        struct slice u2[] = {S("u-2")};
        all.scan(all.ctx, M_CARD, NULL, 0, see, &seen);
        all.scan(all.ctx, M_CARD, NULL, 0, see, &some);
        all.scan(all.ctx, M_CARD, u2, 1, see, &of_2);
        assert_int_equal(seen.n, n);
        assert_int_equal(some.n, n < 3 ? n : 3);
        assert_int_equal(of_2.n, n_of_2);
        for (size_t i = 0; i < n; i++)
            assert_ptr_equal(seen.item[i], wanted[i]);
        assert_int_equal(t.overlay.n, touched); /* looking touches nothing */
        assert_false(t.failed);
    }
}

static void params_have_their_day(void **state)
{
    struct program *p = fixture_program();
    struct param_version version[] = {{date_from_civil(2024, 7, 1), V_NUM(3)},
                                      {date_from_civil(2025, 1, 1), V_NUM(4)}};
    struct param param = {.name = S("red-min"),
                          .type = {.tag = TYPE_NUMBER},
                          .value = V_NUM(2),
                          .versions = version,
                          .nversions = 2};
    static const struct {
        const char *day;
        int hour, wanted;
    } at_[] = {{"2024-06-30", 23, 2},
               {"2024-07-01", 0, 3},
               {"2024-12-31", 23, 3},
               {"2025-01-01", 0, 4},
               {"2099-01-01", 0, 4}};
    (void)state;
    p->params = &param;
    p->nparams = 1;
    for (size_t i = 0; i < sizeof at_ / sizeof *at_; i++) {
        struct eval ev = {.program = p, .arena = fx, .now = at(p, at_[i].day, at_[i].hour, 0)};
        struct value v = expr_eval(&ev, X0(EXPR_PARAM, 0));
        assert_int_equal(v.number.num, at_[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reading_is_looking_at_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(params_have_their_day, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
