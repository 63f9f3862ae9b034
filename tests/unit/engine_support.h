/* What the engine's tests share: a small workflow, events for it, and an engine over a store in memory whose
 * results are written down. */
#ifndef DUBAND_ENGINE_SUPPORT_H
#define DUBAND_ENGINE_SUPPORT_H

#include "engine/definition.h"
#include "engine/engine.h"
#include "engine/intake.h"
#include "unit.h"

#define TOY_UNITS 6

/* ---- a workflow: monthly reports, cards for the slow, a numbered document. `more` goes to the end of its
 * states. */

static const char toy_head[] = "workflow: %s\n"
                               "title: {zh: 试行, en: Toy}\n"
                               "timezone: Asia/Shanghai\n"
                               "effective: 2024-01-01/2024-12-31\n"
                               "issuer: office\n"
                               "units: units.csv\n";

static const char toy_body[] =
    "defaults: {cutoff: inclusive, roll: none, remind: [3d], missed-after: 10d, return-grace: 3d, settle: "
    "3d}\n"
    "params:\n"
    "  within: {value: 30d, why: the limit}\n"
    "events:\n"
    "  slow:\n"
    "    by: [office]\n"
    "    voice: deadlines\n"
    "    fields: {unit: unit, points: number}\n"
    "    refuse:\n"
    "      - if: event.points > 100\n"
    "        say: at most a hundred points\n"
    "  mended:\n"
    "    by: [team]\n"
    "    fields: {file: attachment}\n"
    "obligations:\n"
    "  report:\n"
    "    title: 月报\n"
    "    basis: 一\n"
    "    owed-by: team\n"
    "    to: office\n"
    "    period: month\n"
    "    due: day 20\n"
    "    fields: {text: text}\n"
    "    requires: [text]\n"
    "    machine: report\n"
    "documents:\n"
    "  slip: {title: 督办单, number: 试〔year〕n号}\n"
    "measures:\n"
    "  reminder: {title: 提示, level: reminder, topic: notifications, basis: obligation, to: [unit]}\n"
    "  late-notice: {title: 逾期, level: warning, topic: warnings, basis: obligation, to: [unit], copy: "
    "[office]}\n"
    "  yellow-card: {title: 黄牌, level: yellow, rung: 2, topic: supervision, basis: 二, to: [unit], limit: "
    "params.within, document: slip}\n"
    "  limit-passed: {title: 整改逾期, level: notice, topic: notifications, basis: 二, to: [unit, office]}\n"
    "machines:\n"
    "  report:\n"
    "    title: 报送\n"
    "    of: task\n"
    "    vars:\n"
    "      late: {type: yes-no, start: no}\n"
    "    initial: open\n"
    "    states:\n"
    "      open:\n"
    "        title: 待报\n"
    "        timers:\n"
    "          remind: each of obligation.remind before due\n"
    "          overdue: at due\n"
    "        rules:\n"
    "          - {when: timer remind, do: [measure: reminder]}\n"
    "          - {when: submitted, go: filed}\n"
    "          - {when: timer overdue, go: overdue}\n"
    "      overdue:\n"
    "        title: 逾期\n"
    "        enter:\n"
    "          - set: late\n"
    "          - measure: late-notice\n"
    "        rules:\n"
    "          - {when: submitted, go: filed}\n"
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
    "    born-by: [slow]\n"
    "    counts:\n"
    "      times: {each: slow, within: year}\n"
    "    initial: clear\n"
    "    states:\n"
    "      clear:\n"
    "        title: 正常\n"
    "        rules:\n"
    "          - when: slow\n"
    "            if: times ≥ 2\n"
    "            go: yellow\n"
    "      yellow:\n"
    "        title: 黄牌\n"
    "        enter: [measure: yellow-card]\n"
    "        timers:\n"
    "          limit: at limit\n"
    "        rules:\n"
    "          - {when: timer limit, do: [measure: limit-passed]}\n"
    "          - {when: mended, go: clear}\n";

static inline struct slice file_read(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = arena_alloc(a, 1 << 16);

    assert_non_null(f);
    size_t n = fread(p, 1, 1 << 16, f);
    fclose(f);
    return (struct slice){p, n};
}

/* body: toy_body, or one that differs. */
static inline void toy_bundle(struct arena *a, const char *id, const char *body, struct bundle *out)
{
    struct buf yaml = {0}, units = {0};

    buf_printf(&yaml, "workflow: %s\n%s%s", id, strchr(toy_head, '\n') + 1, body);
    buf_printf(
        &units,
        "id,name,kind,roles,aliases,liaison,head,from,to,successor\nu-office,办公室,organ,office,,,,,,\n");
    for (int i = 0; i < TOY_UNITS; i++)
        buf_printf(&units, "u-%02d,单位%d,organ,team,,,,,,\n", i, i);
    out->files = ARENA_ARRAY(a, struct bundle_file, 3);
    out->n = 3;
    out->root = arena_printf(a, "%s/workflow.yaml", id);
    out->files[0] = (struct bundle_file){.path = arena_printf(a, "%s/units.csv", id),
                                         .content = arena_dup(a, buf_slice(&units))};
    out->files[1] = (struct bundle_file){.path = out->root, .content = arena_dup(a, buf_slice(&yaml))};
    out->files[2] = (struct bundle_file){.path = S("zoneinfo/Asia/Shanghai"),
                                         .content = file_read(a, "/usr/share/zoneinfo/Asia/Shanghai")};
    for (size_t i = 0; i < out->n; i++)
        out->files[i].shown = out->files[i].path;
    buf_free(&yaml);
    buf_free(&units);
}

static inline void toy_definition(struct arena *a, const char *id, const char *body, unsigned nth,
                                  struct cloud_event *out)
{
    struct bundle b;

    toy_bundle(a, id, body, &b);
    definition_event(&b, slice_of(id), S("tester"), S("test"), nth, INSTANT_NONE, a, out);
}

/* ---- events */

static inline instant_t at(const char *text)
{
    instant_t t;

    assert_true(instant_parse(slice_of(text), &t));
    return t;
}

/* body: the JSON of the InputEvent's body, "\"fact\":{…}". */
static inline struct cloud_event toy_event(struct arena *a, const char *workflow, const char *id,
                                           const char *type, const char *body)
{
    struct cloud_event e = {.id = arena_dup(a, slice_of(id)),
                            .source = S("portal"),
                            .type = arena_printf(a, "duban.v1.%s", type),
                            .content_type = S("application/json"),
                            .time = INSTANT_NONE,
                            .workflow = arena_dup(a, slice_of(workflow))};

    e.data = arena_printf(a, "{\"workflow\":\"%s\",%s}", workflow, body);
    return e;
}

static inline struct cloud_event toy_clock(struct arena *a, const char *workflow, const char *id)
{
    return toy_event(a, workflow, id, "DeadlineReached", "\"deadline_reached\":{}");
}

static inline struct cloud_event toy_slow(struct arena *a, const char *workflow, const char *id, int unit,
                                          int points)
{
    struct slice body = arena_printf(a,
                                     "\"fact\":{\"kind\":\"slow\",\"reporter\":\"u-office\",\"fields\":{"
                                     "\"unit\":\"u-%02d\",\"points\":%d}}",
                                     unit, points);

    return toy_event(a, workflow, id, "Fact", body.p);
}

static inline struct cloud_event toy_submission(struct arena *a, const char *workflow, const char *id,
                                                int unit, int month)
{
    struct slice body =
        arena_printf(a,
                     "\"submission\":{\"obligation\":\"report\",\"unit\":\"u-%02d\",\"period\":\"2024-%02d\","
                     "\"fields\":{\"text\":\"done\"}}",
                     unit, month);

    return toy_event(a, workflow, id, "Submission", body.p);
}

static inline struct record toy_record(struct arena *a, const struct cloud_event *e, enum topic topic,
                                       instant_t received, int64_t offset)
{
    struct record r = intake_record(e, topic, a);

    r.appended = received;
    r.offset = offset;
    return r;
}

/* ---- an engine, and what came out of it */

struct rig {
    struct store *store;
    struct engine *engine;
    struct arena *arena;   /* of one record */
    struct store_txn *txn; /* of the batch; NULL: none */
    struct buf outputs;    /* every output but history: topic, key, headers, value */
    struct buf history;    /* every history record */
    struct state_entry {
        enum table_id table;
        struct slice key, value;
    } * state; /* the changelog */
    size_t nstate, cap;
    struct arena *kept;
    struct slice *chain; /* history records, as they were made */
    size_t nchain, chain_cap;
    int64_t next[2];
};

static inline void rig_output(void *ctx, const struct record *r)
{
    struct rig *g = ctx;
    struct buf *b = r->topic == TOPIC_HISTORY ? &g->history : &g->outputs;

    buf_printf(b, "%d ", (int)r->topic);
    buf_add(b, r->key);
    for (size_t i = 0; i < r->nheaders; i++) {
        buf_add(b, r->header[i].name);
        buf_add(b, r->header[i].value);
    }
    buf_add(b, r->value);
    if (r->topic == TOPIC_HISTORY)
        *(struct slice *)arena_push(g->kept, &g->chain, &g->nchain, &g->chain_cap, sizeof(struct slice)) =
            arena_dup(g->kept, r->value);
}

static inline void rig_state(void *ctx, enum table_id table, struct slice key, struct slice value)
{
    struct rig *g = ctx;
    struct state_entry *e = arena_push(g->kept, &g->state, &g->nstate, &g->cap, sizeof *e);

    e->table = table;
    e->key = arena_dup(g->kept, key);
    e->value = value.p != NULL ? arena_dup(g->kept, value) : (struct slice){NULL, 0};
}

static inline struct rig *rig_new(bool events_time)
{
    struct rig *g = mem_alloc(sizeof *g);
    const struct engine_options o = {.sink = {g, rig_output, rig_state}, .events_time = events_time};
    struct err e;

    g->store = store_open_memory();
    g->arena = arena_new();
    g->kept = arena_new();
    g->engine = engine_open(g->store, &o, &e);
    assert_non_null(g->engine);
    return g;
}

static inline void rig_begin(struct rig *g)
{
    struct err e;

    if (g->txn == NULL)
        g->txn = store_begin(g->store, true, &e);
    assert_non_null(g->txn);
}

static inline void rig_commit(struct rig *g)
{
    struct err e = {{0}};

    if (g->txn == NULL)
        return;
    if (engine_set_positions(g->engine, g->txn, g->next, &e) != TURN_DONE ||
        store_commit(g->txn, &e) != STORE_OK)
        fail_msg("%s", e.text);
    g->txn = NULL;
}

static inline size_t rig_drain(struct rig *g, size_t limit)
{
    struct err e = {{0}};
    size_t fired;

    rig_begin(g);
    if (engine_drain(g->engine, g->txn, limit, &fired, &e) != TURN_DONE)
        fail_msg("%s", e.text);
    return fired;
}

/* Reasons live until the next record. */
static inline struct outcome rig_apply(struct rig *g, const struct record *r)
{
    struct outcome out;
    struct err e = {{0}};

    rig_begin(g);
    arena_reset(g->arena);
    if (engine_apply(g->engine, g->txn, r, g->arena, &out, &e) != TURN_DONE)
        fail_msg("%s", e.text);
    g->next[r->topic] = r->offset + 1;
    return out;
}

/* One event on its own: record, batch, and what is due by then. */
static inline struct outcome rig_event(struct rig *g, const struct cloud_event *e, enum topic topic,
                                       const char *received)
{
    struct record r = toy_record(g->kept, e, topic, at(received), g->next[topic]);
    struct outcome out = rig_apply(g, &r);

    while (rig_drain(g, 100) == 100)
        ;
    rig_commit(g);
    return out;
}

static inline void rig_publish(struct rig *g, const char *id, const char *body, unsigned nth,
                               const char *received)
{
    struct cloud_event e;

    toy_definition(g->kept, id, body, nth, &e);
    struct outcome out = rig_event(g, &e, TOPIC_DEADLINES, received);
    for (size_t i = 0; i < out.nreasons; i++)
        print_message("%.*s\n", SLICE_ARG(out.reasons[i]));
    assert_int_equal(out.what, OUTCOME_APPLIED);
}

static inline void rig_free(struct rig *g)
{
    store_abort(g->txn);
    engine_close(g->engine);
    store_close(g->store);
    arena_free(g->arena);
    arena_free(g->kept);
    buf_free(&g->outputs);
    buf_free(&g->history);
    free(g);
}

/* Everything in the tables up to `last`, but what depends on where batches ended, or on where a timer once stood. */
static inline struct buf tables_dump(struct store *s, enum table_id last)
{
    struct buf b = {0};
    struct err e;
    struct store_txn *t = store_begin(s, false, &e);

    for (int table = 0; table <= (int)last; table++) {
        struct store_iter *i = store_iter_new(t, (enum table_id)table);
        struct slice key, value;

        for (bool more = table != TABLE_META && table != TABLE_SEEN_CHUNK && table != TABLE_TIMER &&
                         store_iter_seek(i, (struct slice){NULL, 0}, &key, &value);
             more; more = store_iter_next(i, &key, &value)) {
            buf_printf(&b, "\n%d ", table);
            buf_add(&b, key);
            buf_printf(&b, " = ");
            buf_add(&b, value);
        }
        store_iter_free(i);
    }
    store_abort(t);
    return b;
}

static inline size_t table_count(struct store *s, enum table_id table)
{
    struct store_stats stats;

    store_stats(s, &stats);
    return (size_t)stats.entries[table];
}

#endif
