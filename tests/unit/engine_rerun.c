/* Corrections: what is run again is the world that would have been, and people are told the difference. */
#include <stdlib.h>

#include "engine_worlds.h"

#define SINCE "2024-01-01T00:00:00+08:00"
#define EVENTS 40

/* ---- events */

static struct cloud_event mended(struct arena *a, const char *id, int unit)
{
    struct slice body = arena_printf(
        a, "\"fact\":{\"kind\":\"mended\",\"reporter\":\"u-%02d\",\"fields\":{\"file\":\"f\"}}", unit);

    return toy_event(a, "toy", id, "Fact", body.p);
}

static struct cloud_event annul(struct arena *a, const char *id, const char *record)
{
    struct slice body = arena_printf(a,
                                     "\"reason\":\"弄错了\",\"annul\":{\"record\":{\"source\":\"portal\","
                                     "\"id\":\"%s\"},\"reporter\":\"u-office\"}",
                                     record);

    return toy_event(a, "toy", id, "Annul", body.p);
}

static struct cloud_event annul_measure(struct arena *a, const char *id, struct slice measure)
{
    struct slice body =
        arena_printf(a, "\"annul\":{\"measure_id\":\"%.*s\",\"reporter\":\"u-office\"}", SLICE_ARG(measure));

    return toy_event(a, "toy", id, "Annul", body.p);
}

/* The replacement is a toy event's data. record or received may be NULL. */
static struct cloud_event supersede(struct arena *a, const char *id, const char *record, const char *received,
                                    const struct cloud_event *with, bool reissue)
{
    struct slice which = S(""), when = S("");

    if (record != NULL)
        which = arena_printf(a, "\"record\":{\"source\":\"portal\",\"id\":\"%s\"},", record);
    if (received != NULL)
        when = arena_printf(a, "\"received\":\"%s\",", received);
    struct slice body = arena_printf(
        a, "\"supersede\":{%.*s%.*s\"replacement\":%.*s,\"reissue\":%s,\"reporter\":\"u-office\"}",
        SLICE_ARG(which), SLICE_ARG(when), SLICE_ARG(with->data), reissue ? "true" : "false");
    return toy_event(a, "toy", id, "Supersede", body.p);
}

static struct cloud_event decide(struct arena *a, const char *id, struct slice measure, const char *answer)
{
    struct slice body =
        arena_printf(a, "\"decide\":{\"measure_id\":\"%.*s\",\"answer\":\"%s\",\"reporter\":\"u-office\"}",
                     SLICE_ARG(measure), answer);

    return toy_event(a, "toy", id, "Decide", body.p);
}

static struct outcome sent(struct rig *g, const struct cloud_event *e, const char *received)
{
    bool said =
        slice_eq(e->type, S("duban.v1.Submission")) ||
        (slice_eq(e->type, S("duban.v1.Fact")) && memmem(e->data.p, e->data.n, "\"mended\"", 8) != NULL);

    return rig_event(g, e, said ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES, received);
}

static void taken(struct rig *g, const struct cloud_event *e, const char *received)
{
    struct outcome out = sent(g, e, received);

    for (size_t i = 0; i < out.nreasons; i++)
        print_message("%.*s\n", SLICE_ARG(out.reasons[i]));
    assert_int_not_equal(out.what, OUTCOME_REJECTED);
}

static void refused(struct rig *g, const struct cloud_event *e, const char *received, const char *because)
{
    struct outcome out = sent(g, e, received);

    assert_int_equal(out.what, OUTCOME_REJECTED);
    for (size_t i = 0; i < out.nreasons; i++)
        if (memmem(out.reasons[i].p, out.reasons[i].n, because, strlen(because)) != NULL)
            return;
    fail_msg("not because of \"%s\" but: %.*s", because, SLICE_ARG(out.reasons[0]));
}

static void slow(struct rig *g, const char *id, int unit, const char *received)
{
    struct cloud_event e = toy_slow(g->kept, "toy", id, unit, 1);

    taken(g, &e, received);
}

static void clock_to(struct rig *g, const char *id, const char *received)
{
    struct cloud_event e = toy_clock(g->kept, "toy", id);

    rig_event(g, &e, TOPIC_DEADLINES, received);
}

/* ---- what people know: measures that left and were not withdrawn, and those that are proposed */

struct known {
    struct measure_view *item;
    size_t n, cap;
};

static void known_add(struct arena *a, struct known *k, const struct measure_view *v)
{
    *(struct measure_view *)arena_push(a, &k->item, &k->n, &k->cap, sizeof *v) = *v;
}

static void known_drop(struct known *k, struct slice id)
{
    for (size_t i = 0; i < k->n; i++)
        if (slice_eq(k->item[i].id, id))
            k->item[i--] = k->item[--k->n];
}

static struct known proposals(struct rig *g)
{
    struct err e;
    struct known k = {0};
    struct store_txn *t = store_begin(g->store, false, &e);
    struct store_iter *i = store_iter_new(t, TABLE_PROPOSAL);
    struct slice key, value;

    for (bool more = store_iter_seek(i, S(""), &key, &value); more; more = store_iter_next(i, &key, &value)) {
        struct proposal m;

        assert_true(wire_proposal_read(NULL, arena_dup(g->kept, value), g->kept, &m, &e));
        known_add(g->kept, &k, &m.view);
    }
    store_iter_free(i);
    store_abort(t);
    return k;
}

/* withdrawals: these instead. only: of this measure; NULL: of all. Reminders are left out: those of the past
 * are not told of. */
static struct known told(struct rig *g, bool withdrawals, const char *only)
{
    struct known k = {0};

    for (size_t h = 0; h < g->nchain; h++) {
        struct record *out;
        size_t n;

        assert_true(wire_history_outputs(g->chain[h], g->kept, &out, &n));
        for (size_t i = 0; i < n; i++) {
            struct measure_view v;

            if (!wire_measure_view(&out[i], g->kept, &v) || v.reminder)
                continue;
            if (v.withdraws.n > 0 && !withdrawals)
                known_drop(&k, v.withdraws);
            else if (v.withdraws.n == 0 && only != NULL && !slice_eq(v.measure, slice_of(only)))
                continue;
            else if (v.first && withdrawals == (v.withdraws.n > 0))
                known_add(g->kept, &k, &v);
        }
    }
    return k;
}

/* Of cards. */
static struct known issued(struct rig *g, bool withdrawals)
{
    return told(g, withdrawals, "yellow-card");
}

static int key_cmp(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct measure_key));
}

static struct measure_key *keys_of(struct rig *g, size_t *n)
{
    struct known out = told(g, false, NULL), waiting = proposals(g);
    struct measure_key *key = ARENA_ARRAY(g->kept, struct measure_key, out.n + waiting.n);

    *n = 0;
    for (size_t i = 0; i < out.n + waiting.n; i++) {
        const struct measure_view *v = i < out.n ? &out.item[i] : &waiting.item[i - out.n];

        if (!v->reminder)
            key[(*n)++] = wire_measure_key(&v->cause, v->task, v->measure, v->unit);
    }
    if (*n > 0)
        qsort(key, *n, sizeof *key, key_cmp);
    return key;
}

/* ---- two worlds */

static void assert_same_measures(struct rig *g, struct rig *other, const char *what)
{
    size_t n, m;
    const struct measure_key *one = keys_of(g, &n), *two = keys_of(other, &m);

    if (n != m || (n > 0 && memcmp(one, two, n * sizeof *one) != 0))
        fail_msg("%s: people know %zu measures, they should know %zu", what, n, m);
}

/* ---- single corrections */

static struct rig *carded(void)
{
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, SINCE);
    slow(g, "s1", 1, "2024-02-01T09:00:00+08:00");
    slow(g, "s2", 1, "2024-02-02T09:00:00+08:00");
    slow(g, "s3", 2, "2024-02-03T09:00:00+08:00");
    return g;
}

static void an_annulled_record_never_was(void **state)
{
    (void)state;
    struct rig *g = carded(), *other = rig_new(false);
    struct cloud_event e = annul(g->kept, "c1", "s1");

    assert_int_equal(issued(g, false).n, 1);
    taken(g, &e, "2024-02-04T09:00:00+08:00");
    struct known gone = issued(g, true);
    assert_int_equal(gone.n, 1);
    assert_slice(gone.item[0].measure, "withdrawal");
    assert_slice(gone.item[0].title, "撤销通知：黄牌");
    assert_int_equal(issued(g, false).n, 0);
    assert_int_equal(proposals(g).n, 0);

    rig_publish(other, "toy", toy_body, 1, SINCE);
    slow(other, "s2", 1, "2024-02-02T09:00:00+08:00");
    slow(other, "s3", 2, "2024-02-03T09:00:00+08:00");
    clock_to(other, "k", "2024-02-04T09:00:00+08:00");
    assert_same_world(g, other, "annulled");
    assert_own_history(g, "annulled");

    /* Its number is not given again. */
    slow(g, "s4", 1, "2024-02-05T09:00:00+08:00");
    assert_non_null(memmem(g->outputs.p, g->outputs.n, "试〔2024〕2号", strlen("试〔2024〕2号")));
    rig_free(g);
    rig_free(other);
}

static void refusals_say_why(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct arena *a = g->kept;
    struct cloud_event e, with = toy_slow(a, "toy", "x", 1, 1);

    e = annul(a, "c1", "nobody");
    refused(g, &e, "2024-02-04T09:00:00+08:00", "has no record nobody");
    e = annul(a, "c2", "s1");
    e.data = arena_printf(a, "%.*s", SLICE_ARG(e.data));
    taken(g, &e, "2024-02-04T09:00:01+08:00");
    e = annul(a, "c3", "s1");
    refused(g, &e, "2024-02-04T09:00:02+08:00", "annulled already");
    e = annul(a, "c4", "c2");
    refused(g, &e, "2024-02-04T09:00:03+08:00", "is a correction");
    e = annul_measure(a, "c5", S("0123"));
    refused(g, &e, "2024-02-04T09:00:04+08:00", "has issued no measure 0123");
    e = supersede(a, "c6", NULL, "2024-03-01T00:00:00+08:00", &with, false);
    refused(g, &e, "2024-02-04T09:00:05+08:00", "future");
    e = supersede(a, "c7", NULL, "2023-03-01T00:00:00+08:00", &with, false);
    refused(g, &e, "2024-02-04T09:00:06+08:00", "not in force");
    with = annul(a, "x", "s1");
    e = supersede(a, "c8", "s2", NULL, &with, false);
    refused(g, &e, "2024-02-04T09:00:07+08:00", "cannot stand in a record's place");
    with = toy_slow(a, "other", "x", 1, 1);
    e = supersede(a, "c9", "s2", NULL, &with, false);
    refused(g, &e, "2024-02-04T09:00:08+08:00", "workflow");
    with = toy_slow(a, "toy", "x", 1, 1000);
    e = supersede(a, "c10", "s2", NULL, &with, false);
    refused(g, &e, "2024-02-04T09:00:09+08:00", "at most a hundred points");
    e = decide(a, "c11", S("0123"), "ISSUE");
    refused(g, &e, "2024-02-04T09:00:10+08:00", "no measure 0123 waits");
    e = toy_event(a, "toy", "c12", "Annul",
                  "\"annul\":{\"record\":{\"source\":\"portal\",\"id\":\"s2\"},\"reporter\":\"u-01\"}");
    refused(g, &e, "2024-02-04T09:00:11+08:00", "only office");
    assert_own_history(g, "refused");
    rig_free(g);
}

static void a_measure_is_withdrawn_alone(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct cloud_event e = annul_measure(g->kept, "c1", issued(g, false).item[0].id);

    taken(g, &e, "2024-02-04T09:00:00+08:00");
    assert_int_equal(issued(g, true).n, 1);
    assert_int_equal(issued(g, false).n, 0);
    e.id = S("c2");
    refused(g, &e, "2024-02-04T09:00:01+08:00", "withdrawn already");
    assert_own_history(g, "a measure");
    rig_free(g);
}

/* A late record makes a measure follow: it is proposed, decided, and stays what was decided. */
static void what_newly_follows_waits_for_a_decision(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct cloud_event with = toy_slow(g->kept, "toy", "x", 2, 1), e;

    e = supersede(g->kept, "late", NULL, "2024-02-01T12:00:00+08:00", &with, false);
    taken(g, &e, "2024-02-04T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 1);
    struct known p = proposals(g);
    assert_int_equal(p.n, 1);
    assert_slice(p.item[0].unit, "u-02");
    assert_own_history(g, "proposed");
    assert_restorable(g);

    size_t before = g->outputs.n;
    e = decide(g->kept, "d1", p.item[0].id, "ISSUE");
    taken(g, &e, "2024-02-05T09:00:00+08:00");
    assert_int_equal(proposals(g).n, 0);
    assert_int_equal(issued(g, false).n, 2);
    assert_non_null(
        memmem(g->outputs.p + before, g->outputs.n - before, "试〔2024〕2号", strlen("试〔2024〕2号")));
    e.id = S("d2");
    refused(g, &e, "2024-02-05T09:00:01+08:00", "waits for a decision");
    assert_own_history(g, "decided");

    /* Another correction leaves it issued; its own takes it back. */
    e = annul(g->kept, "c1", "s1");
    taken(g, &e, "2024-02-06T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 1);
    assert_int_equal(proposals(g).n, 0);
    e = toy_event(g->kept, "toy", "c2", "Annul",
                  "\"annul\":{\"record\":{\"source\":\"portal\",\"id\":\"late\"},\"reporter\":\"u-office\"}");
    taken(g, &e, "2024-02-07T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 0);
    assert_int_equal(issued(g, true).n, 2);
    assert_own_history(g, "taken back");
    rig_free(g);
}

static void what_is_declined_stays_declined(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct cloud_event with = toy_slow(g->kept, "toy", "x", 2, 1), e;

    e = supersede(g->kept, "late", NULL, "2024-02-01T12:00:00+08:00", &with, false);
    taken(g, &e, "2024-02-04T09:00:00+08:00");
    e = decide(g->kept, "d1", proposals(g).item[0].id, "DECLINE");
    taken(g, &e, "2024-02-05T09:00:00+08:00");
    assert_int_equal(proposals(g).n, 0);
    e = annul(g->kept, "c1", "s1");
    taken(g, &e, "2024-02-06T09:00:00+08:00");
    assert_int_equal(proposals(g).n, 0);
    assert_int_equal(issued(g, false).n, 0);
    assert_own_history(g, "declined");
    rig_free(g);
}

static void reissue_needs_no_decision(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct cloud_event with = toy_slow(g->kept, "toy", "x", 2, 1), e;

    e = supersede(g->kept, "late", NULL, "2024-02-01T12:00:00+08:00", &with, true);
    taken(g, &e, "2024-02-04T09:00:00+08:00");
    assert_int_equal(proposals(g).n, 0);
    assert_int_equal(issued(g, false).n, 2);
    assert_own_history(g, "reissued");
    e = annul(g->kept, "c1", "s1");
    taken(g, &e, "2024-02-06T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 1);
    assert_own_history(g, "reissued, then another");
    rig_free(g);
}

/* What was withdrawn and follows again is proposed under another id: its first one was taken back. */
static void withdrawn_and_back_again(void **state)
{
    (void)state;
    struct rig *g = carded();
    struct slice first = issued(g, false).item[0].id;
    struct cloud_event with = toy_slow(g->kept, "toy", "x", 3, 1), e;

    e = supersede(g->kept, "c1", "s1", NULL, &with, false);
    taken(g, &e, "2024-02-04T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 0);
    with = toy_slow(g->kept, "toy", "x", 1, 2);
    e = supersede(g->kept, "c2", "s1", NULL, &with, false);
    taken(g, &e, "2024-02-05T09:00:00+08:00");
    struct known p = proposals(g);
    assert_int_equal(p.n, 1);
    assert_false(slice_eq(p.item[0].id, first));
    assert_own_history(g, "back");
    e = decide(g->kept, "d1", p.item[0].id, "ISSUE");
    taken(g, &e, "2024-02-06T09:00:00+08:00");
    assert_int_equal(issued(g, false).n, 1);
    assert_own_history(g, "issued again");
    rig_free(g);
}

/* ---- excuses */

static void excuse(struct rig *g, const char *id, const char *unit, const char *received)
{
    struct slice body = arena_printf(g->kept,
                                     "\"excuse\":{\"select\":{\"obligations\":[\"report\"],\"units\":[\"%s\"],"
                                     "\"periods\":[\"2024-01\"]},\"grounds\":\"抗洪\",\"reporter\":\"u-office\"}",
                                     unit);
    struct cloud_event e = toy_event(g->kept, "toy", id, "Excuse", body.p);

    taken(g, &e, received);
}

/* It went overdue before it was given more time: that is taken back, too. */
static void more_time_does_not_hide_a_lateness(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, SINCE);
    clock_to(g, "k", "2024-01-22T00:00:00+08:00");
    assert_int_equal(told(g, false, "late-notice").n, TOY_UNITS);
    struct cloud_event e = toy_event(g->kept, "toy", "x", "Extend",
                                     "\"extend\":{\"select\":{\"units\":[\"u-01\"]},\"until\":\"2024-02-15\","
                                     "\"reporter\":\"u-office\"}");
    taken(g, &e, "2024-01-23T00:00:00+08:00");
    excuse(g, "c1", "u-01", "2024-01-24T00:00:00+08:00");
    assert_int_equal(told(g, false, "late-notice").n, TOY_UNITS - 1);
    assert_own_history(g, "excused");
    rig_free(g);
}

static void rename_unit(struct rig *g, const char *id, const char *from, const char *to, const char *day)
{
    struct slice body = arena_printf(
        g->kept,
        "\"roster_change\":{\"from\":\"%s\",\"units\":[{\"id\":\"%s\",\"title\":\"新\",\"roles\":[\"team\"]}],"
        "\"successions\":[{\"from\":[\"%s\"],\"to\":[\"%s\"]}],\"reporter\":\"u-office\"}",
        day, to, from, to);
    struct cloud_event e = toy_event(g->kept, "toy", id, "RosterChange", body.p);

    taken(g, &e, arena_printf(g->kept, "%sT00:00:00+08:00", day).p);
}

/* Handed over is not excused anew: least of all what went by that name before. */
static void an_excuse_goes_along_once(void **state)
{
    (void)state;
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", toy_body, 1, SINCE);
    rename_unit(g, "r1", "u-01", "u-11", "2024-03-01");
    excuse(g, "c1", "u-11", "2024-03-10T00:00:00+08:00");
    rename_unit(g, "r2", "u-11", "u-01", "2024-04-01");
    size_t known = told(g, false, "late-notice").n;
    slow(g, "s1", 2, "2024-04-02T00:00:00+08:00");
    struct cloud_event e = annul(g->kept, "c2", "s1");
    taken(g, &e, "2024-04-03T00:00:00+08:00");
    assert_int_equal(told(g, false, "late-notice").n, known);
    assert_own_history(g, "renamed back");
    rig_free(g);
}

/* ---- random worlds */

struct happening {
    struct cloud_event event;
    char received[40];
};

static uint64_t luck;

static unsigned dice(unsigned n)
{
    return (unsigned)random_between(&luck, 0, n - 1);
}

static void happening_make(struct arena *a, struct happening *h, int i)
{
    struct slice id = arena_printf(a, "e%d", i);
    int day = i * 300 / EVENTS, unit = (int)dice(3);

    h->event = dice(4) == 0   ? mended(a, id.p, unit)
               : dice(3) == 0 ? toy_submission(a, "toy", id.p, unit, 1 + day / 31)
                              : toy_slow(a, "toy", id.p, unit, 1);
    snprintf(h->received, sizeof h->received, "2024-%02d-%02dT%02u:%02u:00+08:00", 1 + day / 28, 1 + day % 28,
             9 + (unsigned)(i % 8), dice(60));
}

/* Cards without a limit: one that is only proposed has no limit to run, and that may change what follows. */
static const char *endless(struct arena *a)
{
    const char *from = ", limit: params.within", *found = strstr(toy_body, from);

    return arena_printf(a, "%.*s%s", (int)(found - toy_body), toy_body, found + strlen(from)).p;
}

static struct rig *played(const struct happening *h, size_t n, int without, const struct happening *instead)
{
    struct rig *g = rig_new(false);

    rig_publish(g, "toy", endless(g->kept), 1, SINCE);
    for (size_t i = 0; i < n; i++) {
        struct cloud_event e = (int)i == without && instead != NULL ? instead->event : h[i].event;

        if ((int)i == without && instead == NULL)
            continue;
        e.id = h[i].event.id;
        sent(g, &e, h[i].received);
    }
    return g;
}

static void corrected_worlds_are_those_that_would_have_been(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct happening h[EVENTS], other;

    size_t withdrawn = 0, proposed = 0, applied_ones = 0;

    luck = seed_take();
    for (int round = 0; round < 12; round++) {
        const char *end = "2024-12-31T23:00:00+08:00";
        int k = (int)dice(EVENTS), l = (int)dice(EVENTS);

        for (int i = 0; i < EVENTS; i++)
            happening_make(a, &h[i], i);
        happening_make(a, &other, k);
        struct rig *g = played(h, EVENTS, -1, NULL), *never = played(h, EVENTS, k, NULL);
        struct rig *from_start = played(h, EVENTS, k, &other), *superseded = played(h, EVENTS, -1, NULL);
        struct rig *swapped = played(h, EVENTS, -1, NULL);
        assert_own_history(g, "untouched");

        struct cloud_event first = annul(a, "c1", h[k].event.id.p), second = annul(a, "c2", h[l].event.id.p);
        bool applied = sent(g, &first, end).what == OUTCOME_APPLIED;
        clock_to(never, "end", end);
        if (applied) {
            assert_same_world(g, never, "annulled");
            assert_same_measures(g, never, "annulled");
        }
        assert_own_history(g, "annulled");

        if (k != l) {
            sent(g, &second, end);
            sent(swapped, &second, end);
            sent(swapped, &first, end);
            assert_same_world(g, swapped, "two corrections in either order");
            assert_own_history(g, "annulled twice");
        }

        struct cloud_event e = supersede(a, "c1", h[k].event.id.p, NULL, &other.event, false);
        clock_to(from_start, "end", end);
        if (sent(superseded, &e, end).what == OUTCOME_APPLIED) {
            assert_same_world(superseded, from_start, "superseded");
            assert_same_measures(superseded, from_start, "superseded");
        }
        assert_own_history(superseded, "superseded");
        assert_restorable(superseded);
        withdrawn += told(g, true, NULL).n + told(superseded, true, NULL).n;
        proposed += proposals(g).n + proposals(superseded).n;
        applied_ones += applied;
        rig_free(g);
        rig_free(never);
        rig_free(from_start);
        rig_free(superseded);
        rig_free(swapped);
        arena_reset(a);
    }
    print_message("%zu of 12 annulled, %zu measures withdrawn, %zu proposed\n", applied_ones, withdrawn,
                  proposed);
    assert_true(applied_ones > 0 && withdrawn > 0 && proposed > 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_annulled_record_never_was),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(a_measure_is_withdrawn_alone),
        cmocka_unit_test(what_newly_follows_waits_for_a_decision),
        cmocka_unit_test(what_is_declined_stays_declined),
        cmocka_unit_test(reissue_needs_no_decision),
        cmocka_unit_test(withdrawn_and_back_again),
        cmocka_unit_test(more_time_does_not_hide_a_lateness),
        cmocka_unit_test(an_excuse_goes_along_once),
        cmocka_unit_test(corrected_worlds_are_those_that_would_have_been),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
