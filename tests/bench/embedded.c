/* The engine over LMDB with fsync, against raw LMDB that is given the very same keys and values in the same
 * batches.
 *
 * usage: embedded FOLDER WORKFLOW [EVENTS [SUBJECTS [BATCH]]]
 *
 * Batch by batch in turn, so that both meet the same noise of the machine. Prints one JSON object. */
#include "raw_lmdb.h"

#include "engine/definition.h"
#include "engine/engine.h"
#include "lang/lang.h"

static struct store *store;
static struct engine *engine;
static struct store_txn *txn;

/* The embedded bus appends outputs to its log in the same transaction; so does this. */
static void put_output(void *ctx, const struct record *r)
{
    static uint64_t next[TOPIC_COUNT];
    struct arena *a = ctx;
    unsigned char key[9] = {(unsigned char)r->topic};
    arena_reset(a);
    put_be64(key + 1, next[r->topic]++);
    if (store_put(txn, TABLE_LOG, (struct slice){(char *)key, sizeof key}, wire_log_pack(r, a)) != STORE_OK)
        die("log: %s", store_txn_error(txn));
}

static void begin(void)
{
    struct err e;
    if (!(txn = store_begin(store, true, &e)))
        die("begin: %s", e.text);
}

static void apply(struct record *r, int64_t offset, instant_t received, struct arena *a)
{
    struct err e;
    struct outcome out;
    r->offset = offset;
    r->appended = received;
    if (engine_apply(engine, txn, r, a, &out, &e) != TURN_DONE)
        die("apply: %s", e.text);
    if (out.what != OUTCOME_APPLIED)
        die("an event was not applied: %s", out.nreasons ? out.reasons[0].p : "no effect");
    arena_reset(a);
}

static void commit(int64_t next)
{
    struct err e;
    const int64_t positions[2] = {next, 1};
    if (engine_set_positions(engine, txn, positions, &e) != TURN_DONE || store_commit(txn, &e) != STORE_OK)
        die("commit: %s", e.text);
}

static void publish(const char *folder, struct arena *a, instant_t when)
{
    struct diags d = {.arena = a};
    struct bundle b;
    struct cloud_event e;
    if (!bundle_read(folder, &b, &d)) {
        diags_print(stderr, &d, false);
        die("%s: not a workflow", folder);
    }
    definition_event(&b, S(BENCH_WORKFLOW), S("bench"), S("bench"), 1, INSTANT_NONE, a, &e);
    struct record r = intake_record(&e, TOPIC_DEADLINES, a);
    apply(&r, 0, when, a);
}

struct run {
    unsigned n, subjects, batch; /* n: events so far */
    uint64_t seed;
    instant_t when;
    double engine_s, raw_s;
};

/* The next events, in batches, on both sides. What comes from the log is there before the time is taken. */
static void run_events(struct run *r, unsigned events, bool each_once, struct arena *a)
{
    struct arena *log = arena_new();
    for (unsigned done = 0, n; done < events; done += n) {
        n = events - done < r->batch ? events - done : r->batch;
        struct record *record = ARENA_ARRAY(log, struct record, n);
        for (unsigned i = 0; i < n; i++)
            record[i] =
                touch_record(log, "run", r->n + i, each_once ? done + i : pick(&r->seed, r->subjects));
        double began = now_s();
        begin();
        for (unsigned i = 0; i < n; i++)
            apply(&record[i], r->n++, r->when, a);
        commit(r->n);
        r->engine_s += now_s() - began;
        r->raw_s += raw_replay();
        arena_reset(log);
    }
    arena_free(log);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: embedded FOLDER WORKFLOW [EVENTS [SUBJECTS [BATCH]]]");
    unsigned events = argument(argc, argv, 3, 100000);
    struct run run = {.subjects = argument(argc, argv, 4, 100000),
                      .batch = argument(argc, argv, 5, 10000),
                      .seed = PICK_SEED};
    struct arena *a = arena_new(), *scratch = arena_new();
    struct err e;
    char path[4096];
    mkdir(argv[1], 0700);
    snprintf(path, sizeof path, "%s/raw", argv[1]);
    raw_open(path);
    snprintf(path, sizeof path, "%s/engine", argv[1]);
    const struct engine_options options = {.sink = {.ctx = scratch, .output = put_output}};
    raw_noting = true;
    if (!(store = store_open(path, (uint64_t)1 << 34, &e)) || !(engine = engine_open(store, &options, &e)))
        die("open: %s", e.text);
    instant_parse(S("2024-01-01T00:00:00+08:00"), &run.when);
    begin();
    publish(argv[2], a, run.when);
    commit(0);
    run.when += 1000;
    run_events(&run, run.subjects, true, a); /* every subject exists before it counts */
    run.when += 1000;
    run.engine_s = run.raw_s = 0;
    run_events(&run, events, false, a);
    printf("{\"events\":%u,\"subjects\":%u,\"batch\":%u,\"engine_per_s\":%.0f,\"raw_per_s\":%.0f,\"ratio\":%."
           "3f}\n",
           events, run.subjects, run.batch, events / run.engine_s, events / run.raw_s,
           run.raw_s / run.engine_s);
    engine_close(engine);
    store_close(store);
    raw_close();
    arena_free(scratch);
    arena_free(a);
    return 0;
}
