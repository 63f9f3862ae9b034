/* Everything at once, by chance: records, corrections, roster changes, definitions, decisions. Whatever the
 * batches, restarts and clock records between them, the results are the same bytes; what lives is what its
 * history says, and what its changelog brings back. */
#include "engine_worlds.h"

#define ROUNDS 5
#define MOST 90 /* records of one story */

static const char body[] =
    "defaults: {cutoff: inclusive, roll: none, remind: [3d, 1d], missed-after: 10d, return-grace: 3d, "
    "settle: 3d}\n"
    "params:\n"
    "  within: {value: 30d, why: the limit}\n"
    "  low: {value: 2, why: slow twice, versions: [{from: 2024-06-01, value: 1, why: stricter}]}\n"
    "events:\n"
    "  slow: {by: [office], voice: deadlines, fields: {unit: unit, points: number}}\n"
    "  mended: {by: [team], fields: {file: attachment}}\n"
    "  closed: {by: [office], voice: deadlines, fields: {month: month}}\n"
    "obligations:\n"
    "  report:\n"
    "    {title: 月报, basis: 一, owed-by: team, to: office, period: month, due: day 20, fields: {text: text}, "
    "requires: [text], machine: report}\n"
    "  plan:\n"
    "    {title: 联合方案, basis: 二, owed-by: team, jointly: yes, to: office, period: quarter, due: last day, "
    "machine: report}\n"
    "  reply:\n"
    "    {title: 说明, basis: 三, born-by: slow where event.points > 2, owed-by: event.unit, period: month, to: "
    "office, due: last day, machine: report}\n"
    "  order: {title: 交办, basis: 四, born-by: directive, by: office, to: office, machine: report}\n"
    "  behind:\n"
    "    {title: 补报, basis: 五, owed-by: team, to: office, period: month, due: day 25, machine: report,\n"
    "     only-if: any(tasks where obligation = report and unit = this.unit and late)}\n"
    "documents:\n"
    "  slip: {title: 督办单, number: 试〔year〕n号}\n"
    "schedule:\n"
    "  monthly: {basis: 六, each: month, at: day 5, raise: monthly, for: team}\n"
    "measures:\n"
    "  reminder: {title: 提示, level: reminder, topic: notifications, basis: obligation, to: [unit]}\n"
    "  late-notice: {title: 逾期, level: warning, topic: warnings, basis: obligation, to: [unit], copy: "
    "[office]}\n"
    "  yellow-card: {title: 黄牌, level: yellow, rung: 2, topic: supervision, basis: 二, to: [unit], limit: "
    "params.within, document: slip}\n"
    "  limit-passed: {title: 整改逾期, level: notice, topic: notifications, basis: 二, to: [unit, office]}\n"
    "  talk: {title: 约谈, level: interview, topic: supervision, basis: 七, to: [unit]}\n"
    "tallies:\n"
    "  points:\n"
    "    title: 记分\n"
    "    basis: 八\n"
    "    of: team\n"
    "    period: month\n"
    "    items:\n"
    "      slow: {title: 迟缓, each: slow, points: event.points}\n"
    "      late: {title: 逾期, each: late, points: 1}\n"
    "    closes: closed where event.month = period\n"
    "machines:\n"
    "  report:\n"
    "    title: 报送\n"
    "    of: task\n"
    "    vars: {late: {type: yes-no, start: no}}\n"
    "    initial: open\n"
    "    states:\n"
    "      open:\n"
    "        title: 待报\n"
    "        timers: {remind: each of obligation.remind before due, overdue: at due}\n"
    "        rules:\n"
    "          - {when: timer remind, do: [measure: reminder]}\n"
    "          - {when: submitted, go: filed}\n"
    "          - {when: timer overdue, go: overdue}\n"
    "      overdue:\n"
    "        title: 逾期\n"
    "        enter: [set: late, measure: late-notice, raise: late]\n"
    "        timers:\n"
    "          give-up: obligation.missed-after after later of due, entry\n"
    "        rules:\n"
    "          - {when: submitted, go: filed}\n"
    "          - {when: timer give-up, go: missed}\n"
    "      missed: {title: 漏报, final: yes}\n"
    "      filed:\n"
    "        title: 已报\n"
    "        rules:\n"
    "          - {when: returned, go: open}\n"
    "          - {when: accepted, go: done}\n"
    "      done: {title: 办结, final: yes}\n"
    "  card:\n"
    "    title: 黄牌\n"
    "    basis: 二\n"
    "    per: [unit]\n"
    "    born-by: [slow, late]\n"
    "    counts: {times: {each: slow, within: year}, lates: {each: late, within: half}}\n"
    "    initial: clear\n"
    "    states:\n"
    "      clear:\n"
    "        title: 正常\n"
    "        rules:\n"
    "          - {when: slow, if: times ≥ params.low, go: YELLOW}\n"
    "          - {when: late, if: lates ≥ 2, go: YELLOW}\n"
    "      YELLOW:\n"
    "        title: 黄牌\n"
    "        enter: [measure: yellow-card]\n"
    "        timers: {limit: at limit, soon: 5d before limit}\n"
    "        rules:\n"
    "          - {when: timer soon, do: [measure: reminder]}\n"
    "          - {when: timer limit, if: limit is given, do: [measure: limit-passed]}\n"
    "          - {when: waived, go: clear}\n"
    "          - {when: mended, go: clear}\n"
    "    migrate: {BEFORE: YELLOW}\n"
    "  month:\n"
    "    title: 月度\n"
    "    per: [unit]\n"
    "    born-by: [monthly]\n"
    "    vars: {partner: optional unit}\n"
    "    states:\n"
    "      on:\n"
    "        title: 运行\n"
    "        rules:\n"
    "          - {when: monthly, if: issued(yellow-card to unit), do: [measure: talk, {set: partner, to: unit}]}\n"
    "          - {when: monthly, do: [{set: partner, to: unit}]}\n";

static uint64_t luck;

static unsigned dice(unsigned n)
{
    return (unsigned)random_between(&luck, 0, n - 1);
}

/* ---- definitions: the same in other words, with another limit, on hold */

static char *replaced_all(struct arena *a, const char *text, const char *from, const char *to)
{
    struct buf b = {0};

    for (const char *found; (found = strstr(text, from)) != NULL; text = found + strlen(from))
        buf_printf(&b, "%.*s%s", (int)(found - text), text, to);
    buf_printf(&b, "%s", text);
    buf_byte(&b, 0);
    char *out = (char *)(uintptr_t)arena_dup(a, buf_slice(&b)).p;
    buf_free(&b);
    return out;
}

static const char *version(struct arena *a, unsigned which)
{
    const char *text = replaced_all(a, body, "YELLOW", which & 1 ? "hung" : "yellow");

    text = replaced_all(a, text, "BEFORE", which & 1 ? "yellow" : "hung");
    if (which & 2)
        text = replaced_all(a, text, "value: 30d", "value: 20d");
    return which & 4 ? arena_printf(a, "hold: yes\n%s", text).p : text;
}

/* ---- records */

struct happening {
    struct cloud_event event;
    char received[40];
    bool said;   /* on the topic of submissions */
    size_t told; /* entries of the changelog when its batch had ended */
};

struct story {
    struct arena *arena;
    struct happening *item;
    size_t n;
    unsigned published;
};

static const char *some_unit(struct story *s)
{
    return arena_printf(s->arena, "u-%02u", dice(4)).p;
}

/* What a correction is for. */
static struct slice some_choice(struct story *s)
{
    const char *unit = some_unit(s);

    switch (dice(4)) {
    case 0:
        return arena_printf(s->arena, "\"select\":{\"units\":[\"%s\"],\"machines\":[\"card\"]}", unit);
    case 1:
        return arena_printf(s->arena, "\"select\":{\"obligations\":[\"plan\",\"reply\"]}");
    case 2:
        return arena_printf(s->arena, "\"select\":{\"units\":[\"%s\"]}", unit);
    default:
        return arena_printf(s->arena, "\"select\":{\"obligations\":[\"report\"],\"units\":[\"%s\"]}", unit);
    }
}

static struct cloud_event correction(struct story *s, const char *id)
{
    static const struct {
        const char *type, *field, *more;
    } kinds[] = {
        {"Extend", "extend", ",\"by\":\"7d\""},
        {"Extend", "extend", ",\"until\":\"2024-08-15\""},
        {"Extend", "extend", ",\"refused\":true"},
        {"Waive", "waive", ""},
        {"Pause", "pause", ""},
        {"Pause", "pause", ""},
        {"Resume", "resume", ",\"extend_due\":true"},
        {"Resume", "resume", ""},
        {"Excuse", "excuse", ",\"grounds\":\"抗洪\""},
    };
    unsigned k = dice(sizeof kinds / sizeof *kinds);
    struct slice choice = some_choice(s);

    return toy_event(s->arena, "toy", id, kinds[k].type,
                     arena_printf(s->arena, "\"%s\":{%.*s,\"reporter\":\"u-office\"%s}", kinds[k].field,
                                  SLICE_ARG(choice), kinds[k].more)
                         .p);
}

/* A rename, a merger, an end, or a return; from this day, an earlier or a later one. */
static struct cloud_event reorganisation(struct story *s, const char *id, unsigned day)
{
    unsigned from = day + dice(20) - (day > 5 ? dice(5) : 0), unit = dice(4), other = (unit + 1 + dice(3)) % 4;
    struct slice date = arena_printf(s->arena, "2024-%02u-%02u", 1 + from / 28, 1 + from % 28), what;

    if (dice(3) == 0)
        what = arena_printf(s->arena, "\"successions\":[{\"from\":[\"u-%02u\"],\"to\":[\"u-%02u\"]}]", unit, other);
    else if (dice(2) == 0)
        what = arena_printf(s->arena,
                            "\"units\":[{\"id\":\"u-%02u\",\"title\":\"再\",\"roles\":[\"team\"]}]", unit);
    else if (dice(2) == 0)
        what = arena_printf(s->arena,
                            "\"units\":[{\"id\":\"n-%u\",\"title\":\"新\",\"roles\":[\"team\"]}],\"successions\":"
                            "[{\"from\":[\"u-%02u\"],\"to\":[\"n-%u\",\"u-%02u\"],\"heir_of_counts\":\"u-%02u\","
                            "\"heir_of_cases\":\"n-%u\",\"heir_of_tasks\":\"u-%02u\"}]",
                            day, unit, day, other, other, day, other);
    else
        what = arena_printf(s->arena, "\"ended\":[\"u-%02u\"]", unit);
    return toy_event(
        s->arena, "toy", id, "RosterChange",
        arena_printf(s->arena, "\"roster_change\":{\"from\":\"%.*s\",%.*s,\"reporter\":\"u-office\"}",
                     SLICE_ARG(date), SLICE_ARG(what))
            .p);
}

static struct cloud_event plain(struct story *s, const char *id, unsigned day, bool *said)
{
    struct arena *a = s->arena;
    const char *unit = some_unit(s);
    unsigned month = 1 + day / 31;

    switch (dice(9)) {
    case 0:
    case 1:
        return toy_slow(a, "toy", id, (int)dice(4), 1 + (int)dice(3));
    case 2:
        *said = true;
        return toy_event(a, "toy", id, "Fact",
                         arena_printf(a, "\"fact\":{\"kind\":\"mended\",\"reporter\":\"%s\",\"fields\":{\"file\":\"f\"}}", unit).p);
    case 3:
        return toy_event(a, "toy", id, "Review",
                         arena_printf(a,
                                      "\"review\":{\"obligation\":\"report\",\"unit\":\"%s\",\"period\":\"2024-%02u\","
                                      "\"verdict\":\"%s\",\"reporter\":\"u-office\"}",
                                      unit, month, dice(2) ? "ACCEPT" : "RETURN")
                             .p);
    case 4:
        *said = true;
        return toy_event(a, "toy", id, "ExtensionRequested",
                         arena_printf(a,
                                      "\"extension_requested\":{\"obligation\":\"report\",\"unit\":\"%s\",\"period\":"
                                      "\"2024-%02u\",\"until\":\"2024-%02u-28\",\"grounds\":\"忙\"}",
                                      unit, month, month)
                             .p);
    case 5:
        return toy_event(a, "toy", id, "Directive",
                         arena_printf(a,
                                      "\"directive\":{\"obligation\":\"order\",\"units\":[\"%s\"],\"title\":\"办\",\"about\":\"事\","
                                      "\"due\":\"2024-%02u-%02u\",\"reporter\":\"u-office\"}",
                                      unit, month, 1 + dice(28))
                             .p);
    case 6:
        return toy_event(a, "toy", id, "Fact",
                         arena_printf(a,
                                      "\"fact\":{\"kind\":\"closed\",\"reporter\":\"u-office\",\"fields\":{\"month\":"
                                      "\"2024-%02u\"}}",
                                      month > 1 ? month - 1 : 1)
                             .p);
    default:
        *said = true;
        return toy_submission(a, "toy", id, (int)dice(4), (int)month);
    }
}

static struct cloud_event rewritten(struct story *s, const char *id, unsigned day)
{
    struct arena *a = s->arena;
    size_t which = dice((unsigned)s->n);
    struct slice record = arena_printf(a, "\"record\":{\"source\":\"portal\",\"id\":\"%.*s\"}",
                                       SLICE_ARG(s->item[which].event.id));
    bool said;

    if (dice(2) == 0)
        return toy_event(a, "toy", id, "Annul",
                         arena_printf(a, "\"annul\":{%.*s,\"reporter\":\"u-office\"}", SLICE_ARG(record)).p);
    struct cloud_event with = plain(s, id, day, &said);
    return toy_event(a, "toy", id, "Supersede",
                     arena_printf(a, "\"supersede\":{%.*s,\"replacement\":%.*s,\"reissue\":%s,\"reporter\":\"u-office\"}",
                                  SLICE_ARG(record), SLICE_ARG(with.data), dice(2) ? "true" : "false")
                         .p);
}

/* The first, or the last, that waits. */
static struct cloud_event decision(struct story *s, struct rig *g, const char *id)
{
    struct err e;
    struct store_txn *t = store_begin(g->store, false, &e);
    struct store_iter *i = store_iter_new(t, TABLE_PROPOSAL);
    struct slice key, value, measure = S("none");
    bool last = dice(2) == 0;

    for (bool more = store_iter_seek(i, S(""), &key, &value); more; more = last && store_iter_next(i, &key, &value)) {
        struct proposal m;

        if (wire_proposal_read(NULL, arena_dup(s->arena, value), s->arena, &m, &e))
            measure = m.view.id;
    }
    store_iter_free(i);
    store_abort(t);
    return toy_event(s->arena, "toy", id, "Decide",
                     arena_printf(s->arena, "\"decide\":{\"measure_id\":\"%.*s\",\"answer\":\"%s\",\"reporter\":\"u-office\"}",
                                  SLICE_ARG(measure), dice(3) ? "ISSUE" : "DECLINE")
                         .p);
}

static void happen(struct story *s, struct rig *g)
{
    struct happening *h = &s->item[s->n];
    unsigned day = (unsigned)s->n * 320 / MOST;
    const char *id = arena_printf(s->arena, "e%zu", s->n).p;

    *h = (struct happening){0};
    snprintf(h->received, sizeof h->received, "2024-%02u-%02uT%02u:%02u:00+08:00", 1 + day / 28, 1 + day % 28,
             (unsigned)(s->n % 4) * 6, (unsigned)s->n % 60);
    unsigned what = s->n == 0 ? 0 : 1 + dice(20);
    if (what == 0 || what == 20)
        toy_definition(s->arena, "toy", version(s->arena, what ? dice(8) : 0), ++s->published, &h->event);
    else if (what > 17)
        h->event = rewritten(s, id, day);
    else if (what > 15)
        h->event = reorganisation(s, id, day);
    else if (what > 13)
        h->event = decision(s, g, id);
    else if (what > 8)
        h->event = correction(s, id);
    else
        h->event = plain(s, id, day, &h->said);
    s->n++;
}

/* ---- the same story, read otherwise */

static void send(struct rig *g, const struct happening *h)
{
    const enum topic topic = h->said ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES;
    struct record r = toy_record(g->kept, &h->event, topic, at(h->received), g->next[topic]);

    rig_apply(g, &r);
}

static void tick(struct rig *g, const char *received)
{
    struct cloud_event e = toy_clock(g->kept, "toy", "k");

    rig_event(g, &e, TOPIC_DEADLINES, received);
}

static const char end[] = "2025-02-01T00:00:00+08:00";

static struct rig *in_one_batch(const struct story *s)
{
    struct rig *g = rig_new(false);

    for (size_t i = 0; i < s->n; i++)
        send(g, &s->item[i]);
    tick(g, end);
    return g;
}

/* The clock speaks at any time, drains are cut short, batches are lost and read again, the engine starts anew. */
static struct rig *in_fits_and_starts(const struct story *s)
{
    struct rig *g = rig_new(false);
    struct err e = {{0}};

    for (size_t i = 0; i < s->n; i++) {
        if (i > 0 && dice(3) == 0) {
            struct cloud_event clock = toy_clock(g->kept, "toy", "k");
            struct record r = toy_record(g->kept, &clock, TOPIC_DEADLINES, at(s->item[i - 1].received) + dice(3600000 * 24),
                                         g->next[TOPIC_DEADLINES]);
            if (r.appended > at(s->item[i].received))
                r.appended = at(s->item[i].received);
            rig_apply(g, &r);
            g->next[TOPIC_DEADLINES]--; /* history names offsets */
            rig_drain(g, 1 + dice(4));
        }
        if (dice(4) == 0) { /* read, lost, and read again */
            struct buf outputs = {0}, history = {0};
            size_t nchain = g->nchain, nstate = g->nstate;

            rig_commit(g);
            buf_add(&outputs, buf_slice(&g->outputs));
            buf_add(&history, buf_slice(&g->history));
            int64_t next[2] = {g->next[0], g->next[1]};
            send(g, &s->item[i]);
            rig_drain(g, 1 + dice(3));
            store_abort(g->txn);
            g->txn = NULL;
            memcpy(g->next, next, sizeof next);
            g->outputs.n = g->history.n = 0;
            buf_add(&g->outputs, buf_slice(&outputs));
            buf_add(&g->history, buf_slice(&history));
            g->nchain = nchain;
            g->nstate = nstate;
            buf_free(&outputs);
            buf_free(&history);
            assert_true(engine_forget(g->engine, &e));
        }
        send(g, &s->item[i]);
        if (dice(3) == 0)
            rig_commit(g);
    }
    tick(g, end);
    return g;
}

/* The changelog in parts, each whole batches: a standby follows, and takes over in the end. */
static void assert_followed(struct rig *g, const struct story *s)
{
    struct rig *other = rig_new(false);
    struct err e = {{0}};

    for (size_t i = 0, from = 0; i <= s->n; i++) {
        size_t until = i < s->n ? s->item[i].told : g->nstate;

        if (i < s->n && dice(5) != 0)
            continue;
        rig_begin(other);
        for (; from < until; from++)
            if (engine_restore_state(other->engine, other->txn, g->state[from].table, g->state[from].key,
                                     g->state[from].value, &e) != TURN_DONE)
                fail_msg("%s", e.text);
        if (engine_restored(other->engine, other->txn, &e) != TURN_DONE)
            fail_msg("%s", e.text);
        rig_commit(other);
        if (dice(3) == 0)
            assert_true(engine_forget(other->engine, &e));
    }
    struct buf one = tables_dump(g->store, TABLE_SEEN), two = tables_dump(other->store, TABLE_SEEN);
    if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
        fail_msg("a standby has another state");
    assert_indexed(other, "toy", false);
    buf_free(&one);
    buf_free(&two);
    rig_free(other);
}

static void assert_same(struct rig *g, struct rig *other, const char *what)
{
    struct buf one = tables_dump(g->store, TABLE_SEEN), two = tables_dump(other->store, TABLE_SEEN);

    if (g->nchain != other->nchain)
        fail_msg("%s: %zu turns, not %zu", what, other->nchain, g->nchain);
    if (g->history.n != other->history.n || memcmp(g->history.p, other->history.p, g->history.n) != 0)
        fail_msg("%s: another history", what);
    if (g->outputs.n != other->outputs.n || memcmp(g->outputs.p, other->outputs.p, g->outputs.n) != 0)
        fail_msg("%s: other outputs", what);
    if (one.n != two.n || memcmp(one.p, two.p, one.n) != 0)
        fail_msg("%s: another state", what);
    buf_free(&one);
    buf_free(&two);
}

static void one_story_has_one_end(void **state)
{
    (void)state;
    size_t rejected = 0, applied = 0, documents = 0, withdrawn = 0;

    luck = seed_take();
    for (int round = 0; round < ROUNDS; round++) {
        struct story s = {.arena = arena_new()};
        struct rig *g = rig_new(false);

        s.item = ARENA_ARRAY(s.arena, struct happening, MOST);
        while (s.n < MOST) {
            happen(&s, g);
            const struct happening *h = &s.item[s.n - 1];
            struct outcome out = rig_event(g, &h->event, h->said ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES, h->received);

            s.item[s.n - 1].told = g->nstate;
            rejected += out.what == OUTCOME_REJECTED;
            applied += out.what == OUTCOME_APPLIED;
            assert_true(s.n > 1 || out.what == OUTCOME_APPLIED);
            if (s.n % 15 == 0)
                assert_own_history(g, "on the way");
        }
        tick(g, end);
        assert_own_history(g, "at the end");
        assert_followed(g, &s);
        assert_restorable(g);
        documents += table_count(g->store, TABLE_DOCUMENT);
        withdrawn += table_count(g->store, TABLE_WITHDRAWN);
        struct rig *batch = in_one_batch(&s), *fits = in_fits_and_starts(&s);
        assert_same(g, batch, "in one batch");
        assert_same(g, fits, "in fits and starts");
        rig_free(g);
        rig_free(batch);
        rig_free(fits);
        arena_free(s.arena);
    }
    print_message("%zu records applied, %zu rejected; %zu documents, %zu withdrawn\n", applied, rejected, documents, withdrawn);
    assert_true(applied > rejected / 2 && documents > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_story_has_one_end)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
