/* The worker on the embedded log: a thread of its own, real files, the machine's clock. */
#include <ftw.h>
#include <stdatomic.h>
#include <pthread.h>
#include <sys/stat.h>

#include "engine_support.h"

#include "engine/query.h"
#include "engine/row.h"
#include "engine/simulate.h"
#include "engine/node_private.h"
#include "store/fault.h"

/* ---- a folder, a workflow in it, a worker, and a bell that the worker rings */

struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    uint64_t commits;
    size_t answers, refused;
    char why[512];
};

struct stage {
    char folder[64], data[96], workflow[96];
    struct node *node;
    struct node_options options;
    struct bell bell;
    struct arena *arena;
};

static void ring(void *ctx)
{
    struct bell *b = ctx;

    pthread_mutex_lock(&b->lock);
    b->commits++;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void answered(void *ctx, const struct append_result *r)
{
    struct bell *b = ctx;

    pthread_mutex_lock(&b->lock);
    b->answers++;
    if (!r->ok) {
        b->refused++;
        snprintf(b->why, sizeof b->why, "%s", r->why);
    }
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

/* Waits for a ring, at most a little: what is waited for may show without one. */
static void listen(struct bell *b)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 50000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&b->lock);
    pthread_cond_timedwait(&b->rung, &b->lock, &until);
    pthread_mutex_unlock(&b->lock);
}

#define WAIT_UNTIL(stage, condition)                                                                         \
    do {                                                                                                     \
        bool holds_ = (condition);                                                                           \
        for (int left_ = 400; !holds_ && left_ > 0; left_--) {                                               \
            listen(&(stage)->bell);                                                                          \
            holds_ = (condition);                                                                            \
        }                                                                                                    \
        assert_true(holds_ &&#condition);                                                                    \
    } while (0)

static void write_file(const char *path, struct slice content)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(content.p, 1, content.n, f), content.n);
    assert_int_equal(fclose(f), 0);
}

static void write_workflow(struct stage *s, const char *body)
{
    struct bundle b;
    char path[160];

    toy_bundle(s->arena, "toy", body, &b);
    mkdir(s->workflow, 0700);
    snprintf(path, sizeof path, "%s/units.csv", s->workflow);
    write_file(path, b.files[0].content);
    snprintf(path, sizeof path, "%s/workflow.yaml", s->workflow);
    write_file(path, b.files[1].content);
}

static void stage_start(struct stage *s)
{
    struct err e = {{0}};

    s->node = node_start(&s->options, &e);
    if (s->node == NULL)
        fail_msg("%s", e.text);
}

static struct node_status status(struct stage *s)
{
    struct node_status now;

    node_status(s->node, &now);
    return now;
}

static struct stage *stage_new(bool events_time)
{
    struct stage *s = mem_alloc(sizeof *s);

    snprintf(s->folder, sizeof s->folder, "/tmp/duband-worker-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->data, sizeof s->data, "%s/data", s->folder);
    snprintf(s->workflow, sizeof s->workflow, "%s/toy", s->folder);
    pthread_mutex_init(&s->bell.lock, NULL);
    pthread_cond_init(&s->bell.rung, NULL);
    s->arena = arena_new();
    s->options = (struct node_options){
        .data = s->data, .events_time = events_time, .batch = 1000, .committed = ring, .ctx = &s->bell};
    write_workflow(s, toy_body);
    stage_start(s);
    WAIT_UNTIL(s, status(s).ready);
    return s;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
    (void)st;
    (void)flag;
    (void)f;
    return remove(path);
}

static void stage_free(struct stage *s)
{
    node_stop(s->node);
    nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(s->arena);
    free(s);
}

static bool publish(struct stage *s, struct node_published *out)
{
    struct diags d = {.arena = s->arena};
    struct err e = {{0}};

    return node_publish(s->node, s->workflow, S("tester"), S("test"), &d, out, &e);
}

static enum query_found found(struct stage *s, struct slice source, struct slice id)
{
    struct err e;
    struct slice json;
    struct store_txn *t = node_read(s->node, 0, &e);
    enum query_found what = QUERY_UNKNOWN;

    if (t != NULL)
        what = query_event(t, source, id, s->arena, &json);
    store_abort(t);
    return what;
}

static size_t count_rows(struct stage *s, bool (*call)(struct store_txn *, const struct query *,
                                                       struct arena *, struct query_result *, struct err *))
{
    struct err e = {{0}};
    struct store_txn *t = node_read(s->node, 0, &e);
    struct query_result out;

    assert_non_null(t);
    assert_true(call(t, &(struct query){.limit = 100000}, s->arena, &out, &e));
    store_abort(t);
    return out.n;
}

static void published(struct stage *s)
{
    struct node_published p;

    assert_true(publish(s, &p));
    assert_false(p.unchanged);
    assert_slice(p.workflow, "toy");
    WAIT_UNTIL(s, found(s, p.source, p.id) == QUERY_APPLIED);
    WAIT_UNTIL(s, status(s).programs == 1);
}

/* ---- tests */

static void a_year_by_event_time(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    enum topic topic;
    enum node_place place;
    struct node_published p;

    published(s);
    assert_true(publish(s, &p) && p.unchanged);
    struct cloud_event e = toy_submission(s->arena, "toy", "s1", 1, 1);
    e.time = at("2024-01-15T00:00:00+08:00");
    struct reasons why = {.arena = s->arena};
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_FINE);
    assert_int_equal(topic, TOPIC_SUBMISSIONS);
    node_append(s->node, topic, &e, answered, &s->bell);
    e = toy_clock(s->arena, "toy", "c1");
    e.time = at("2024-02-25T00:00:00+08:00");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_FINE);
    assert_int_equal(topic, TOPIC_DEADLINES);
    node_append(s->node, topic, &e, answered, &s->bell);

    WAIT_UNTIL(s, count_rows(s, query_tasks) == 2 * TOY_UNITS);
    WAIT_UNTIL(s, count_rows(s, query_measures) == 2 * TOY_UNITS - 1);
    assert_int_equal(found(s, S("portal"), S("s1")), QUERY_APPLIED);

    /* Stopped and started again it is where it was, and goes on. */
    size_t history = count_rows(s, query_history);
    node_stop(s->node);
    stage_start(s);
    WAIT_UNTIL(s, status(s).ready);
    assert_int_equal(count_rows(s, query_history), history);
    assert_true(publish(s, &p) && p.unchanged);
    assert_int_equal(node_partition_of(s->node, S("toy")), 0);
    stage_free(s);
}

/* ---- the same events in virtual time */

static void keep_line(void *ctx, const struct record *r)
{
    struct buf *lines = ctx;
    struct arena *a = arena_new();

    if (r->topic == TOPIC_WARNINGS || r->topic == TOPIC_SUPERVISION) {
        buf_add(lines, wire_record_json(r, a));
        buf_byte(lines, '\n');
    }
    arena_free(a);
}

static struct cloud_event random_event(struct arena *a, uint64_t *seed, int n, instant_t *now)
{
    int unit = (int)random_between(seed, 0, TOY_UNITS - 1), kind = (int)random_between(seed, 0, 2);
    struct slice id = arena_printf(a, "r%d", n);
    struct cloud_event e = kind == 0   ? toy_clock(a, "toy", id.p)
                           : kind == 1 ? toy_slow(a, "toy", id.p, unit, 1)
                                       : toy_submission(a, "toy", id.p, unit, n / 10 + 1);

    *now += random_between(seed, 1, 5 * 86400000LL);
    e.time = *now;
    return e;
}

static void logged_lines(struct stage *s, enum topic topic, struct buf *lines)
{
    struct err e = {{0}};
    struct record r[200];
    int64_t end;
    struct store_txn *t = node_read(s->node, 0, &e);
    size_t n = bus_local_read(t, topic, 0, r, 200, &end, s->arena);

    for (size_t i = 0; i < n; i++)
        keep_line(lines, &r[i]);
    store_abort(t);
}

/* Line by line, whatever topic each stands on. */
static void assert_same_lines(const struct buf *one, const struct buf *other)
{
    const char *at = one->p, *end = one->p + one->n;

    assert_int_equal(one->n, other->n);
    while (at < end) {
        const char *line = memchr(at, '\n', (size_t)(end - at));

        if (memmem(other->p, other->n, at, (size_t)(line - at + 1)) == NULL)
            fail_msg("only one of them has %.*s", (int)(line - at), at);
        at = line + 1;
    }
}

static void a_simulation_says_the_same(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    uint64_t seed = seed_take();
    instant_t now = at("2024-01-01T00:00:00+08:00");
    struct buf live = {0}, virtual = {0};
    struct err err = {{0}};
    struct outcome out;
    struct bundle b;

    toy_bundle(s->arena, "toy", toy_body, &b);
    struct simulation *v = simulation_new(&b, INSTANT_NONE, keep_line, &virtual, &err);
    assert_non_null(v);
    published(s);
    for (int n = 0; n < 100; n++) {
        struct cloud_event e = random_event(s->arena, &seed, n, &now);
        struct reasons why = {.arena = s->arena};
        enum topic topic;
        enum node_place place;

        assert_true(simulation_event(v, &e, now, &out, &err));
        assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_FINE);
        node_append(s->node, topic, &e, answered, &s->bell);
        /* Both logs keep one receipt time by append: an event of the other log waits until this one is taken.
         */
        WAIT_UNTIL(s, status(s).records == (uint64_t)n + 2);
    }
    logged_lines(s, TOPIC_WARNINGS, &live);
    logged_lines(s, TOPIC_SUPERVISION, &live);
    assert_true(live.n > 1000);
    assert_same_lines(&virtual, &live);
    simulation_free(v);
    buf_free(&live);
    buf_free(&virtual);
    stage_free(s);
}

static void what_the_sender_can_mend_is_said_at_once(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    struct reasons why = {.arena = s->arena};
    enum topic topic;
    enum node_place place;
    struct cloud_event e = toy_submission(s->arena, "toy", "s1", 1, 1);

    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG); /* no workflow yet */
    published(s);
    e.time = at("2024-01-15T00:00:00+08:00");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_FINE);

    /* A task that is not born yet is no mistake of form: the turn decides. */
    e = toy_submission(s->arena, "toy", "s2", 1, 11);
    e.time = at("2024-01-15T00:00:00+08:00");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_FINE);

    size_t before = why.n;
    e = toy_event(s->arena, "toy", "x1", "Fact", "\"fact\":{\"kind\":\"unheard-of\",\"reporter\":\"u-01\"}");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG);
    e = toy_event(
        s->arena, "toy", "x2", "Fact",
        "\"fact\":{\"kind\":\"slow\",\"reporter\":\"u-01\",\"fields\":{\"points\":\"many\",\"more\":1}}");
    e.time = at("2024-01-15T00:00:00+08:00");
    before = why.n;
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG);
    assert_true(why.n >=
                before + 3); /* not the office's, no number, an unknown field, no unit: all at once */
    e = toy_slow(s->arena, "toy", "x3", 1, 200);
    e.time = at("2024-01-15T00:00:00+08:00");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG);
    e.data = S("[");
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG);

    /* A definition that does not compile, and its file's place. */
    toy_definition(s->arena, "toy", "machines: 7\n", 9, &e);
    before = why.n;
    assert_int_equal(node_check(s->node, &e, s->arena, &topic, &why, &place), NODE_WRONG);
    assert_non_null(memmem(why.item[before].p, why.item[before].n, "workflow.yaml:7", 15));
    stage_free(s);
}

/* An event that asks to be woken at an instant. */
static const char alarm_body[] =
    "events:\n"
    "  alarm:\n"
    "    by: [office]\n"
    "    fields: {unit: unit, rings: instant}\n"
    "measures:\n"
    "  ring: {title: 响铃, level: notice, topic: warnings, basis: 一, to: [unit]}\n"
    "machines:\n"
    "  clock:\n"
    "    title: 钟\n"
    "    basis: 一\n"
    "    per: [unit]\n"
    "    born-by: [alarm]\n"
    "    initial: set\n"
    "    states:\n"
    "      set:\n"
    "        title: 待响\n"
    "        rules:\n"
    "          - when: alarm\n"
    "            do:\n"
    "              - {timer: bell, at: event.rings}\n"
    "          - {when: timer bell, do: [measure: ring]}\n";

static void the_clock_writes_its_own_records(void **state)
{
    (void)state;
    struct stage *s = stage_new(false);
    struct arena *a = s->arena;
    struct err err = {{0}};
    struct record r[8];
    int64_t end;

    write_workflow(s, alarm_body);
    published(s);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    instant_t rings = (instant_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 300;
    struct slice body = arena_printf(a,
                                     "\"fact\":{\"kind\":\"alarm\",\"reporter\":\"u-office\",\"fields\":{"
                                     "\"unit\":\"u-01\",\"rings\":\"%.*s\"}}",
                                     SLICE_ARG(instant_format_utc(a, rings)));
    struct cloud_event e = toy_event(a, "toy", "alarm", "Fact", body.p);
    node_append(s->node, TOPIC_SUBMISSIONS, &e, answered, &s->bell);
    WAIT_UNTIL(s, status(s).next_due == rings);
    assert_int_equal(count_rows(s, query_measures), 0);
    WAIT_UNTIL(s, count_rows(s, query_measures) == 1);
    WAIT_UNTIL(s, status(s).next_due == INSTANT_MAX);
    assert_true(status(s).clock_target >= rings);

    /* One record of its own, not a stream of them. */
    struct store_txn *t = node_read(s->node, 0, &err);
    size_t n = bus_local_read(t, TOPIC_DEADLINES, 0, r, 8, &end, a);
    store_abort(t);
    assert_in_range(n, 2,
                    4); /* the definition, and one that was on time: or a millisecond early, and repeated */
    struct reasons why = {.arena = a};
    assert_true(cloud_event_from_headers(r[1].header, r[1].nheaders, r[1].key, r[1].value, &e, &why));
    assert_slice(e.source, "duband/local");
    assert_slice(e.type, "duban.v1.DeadlineReached");
    assert_slice(e.workflow, "toy");
    assert_string_equal(status(s).trouble, "");
    stage_free(s);
}

static void a_changed_folder_is_published_and_an_old_one_again(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    struct node_published p;
    char *other = strdup(toy_body), *days = strstr(other, "30d");

    published(s);
    memcpy(days, "20d", 3);
    write_workflow(s, other);
    assert_true(publish(s, &p) && !p.unchanged);
    WAIT_UNTIL(s, found(s, p.source, p.id) == QUERY_APPLIED);
    write_workflow(s, toy_body); /* its first event's id is known: this one has another */
    WAIT_UNTIL(s, publish(s, &p) && !p.unchanged);
    assert_memory_equal(p.id.p + p.id.n - 2, "-2", 2);
    WAIT_UNTIL(s, found(s, p.source, p.id) == QUERY_APPLIED);
    WAIT_UNTIL(s, publish(s, &p) && p.unchanged);

    memcpy(days, "2xd", 3);
    write_workflow(s, other);
    struct diags d = {.arena = s->arena};
    struct err e = {{0}};
    assert_false(node_publish(s->node, s->workflow, S("a"), S("b"), &d, &p, &e));
    assert_true(d.errors > 0);
    free(other);
    stage_free(s);
}

static void a_folder_in_use_is_said_at_the_start(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    struct err e = {{0}};
    struct node_options o = s->options;

    assert_null(node_start(&o, &e));
    assert_true(strlen(e.text) > 0);
    o.data = "/proc/no/such/place";
    e.text[0] = 0;
    assert_null(node_start(&o, &e));
    assert_non_null(strstr(e.text, "/proc/no/such/place"));
    stage_free(s);
}

/* ---- failures */

static atomic_int faults_after, faults_left; /* commits that go well, then those that do not */
static _Atomic enum store_status fault_is;
static atomic_bool poison_puts; /* every write of a turn fails; those of an append, one record, do not */
static _Atomic enum store_status poison_is = STORE_FAILED;
static atomic_uint puts_made; /* since the last commit */

static enum store_status fault(enum store_fault_point point)
{
    puts_made = point == STORE_FAULT_PUT ? puts_made + 1 : 0;
    if (poison_puts && puts_made > 1)
        return poison_is;
    if (point != STORE_FAULT_COMMIT || faults_left <= 0 || faults_after-- > 0)
        return STORE_OK;
    faults_left--;
    return fault_is;
}

static struct cloud_event numbered(struct stage *s, int n)
{
    struct cloud_event e = toy_slow(s->arena, "toy", arena_printf(s->arena, "e%d", n).p, 1, 1);

    e.time = at("2024-01-15T00:00:00+08:00");
    return e;
}

/* The first append is durable; then nothing can be written for a while: first the batch, then other appends.
 */
static void a_full_disk_is_waited_out(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);

    published(s);
    fault_is = STORE_FULL;
    faults_after = 1;
    faults_left = 6;
    struct cloud_event e = numbered(s, 0);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, strstr(status(s).trouble, "fault was injected") != NULL);
    assert_int_equal(s->bell.refused, 0);
    assert_int_equal(found(s, e.source, e.id), QUERY_UNKNOWN);
    WAIT_UNTIL(s, found(s, e.source, e.id) == QUERY_APPLIED); /* by itself, when there is room */
    WAIT_UNTIL(s, status(s).trouble[0] == 0);

    faults_after = 0;
    faults_left = 1000000; /* until an append was refused: the worker's own commits fail meanwhile, too */
    e = numbered(s, 1);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, s->bell.refused > 0);
    faults_left = 3;
    for (int i = 1; i < 20; i++) {
        e = numbered(s, i);
        /* Refused until there is room again; once each, whatever was repeated on the way. */
        for (int tries = 0; tries < 400 && found(s, e.source, e.id) != QUERY_APPLIED; tries++) {
            size_t refused = s->bell.refused;
            node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
            WAIT_UNTIL(s, s->bell.refused > refused || found(s, e.source, e.id) == QUERY_APPLIED);
            if (s->bell.refused > refused)
                listen(&s->bell); /* the next try has to wait for the worker's own */
        }
        assert_int_equal(found(s, e.source, e.id), QUERY_APPLIED);
    }
    WAIT_UNTIL(s, status(s).trouble[0] == 0);
    WAIT_UNTIL(s, status(s).counters.applied + status(s).counters.no_effect == 21); /* and the definition */
    assert_int_equal(count_rows(s, query_cases), 1);
    stage_free(s);
}

/* A partition that will never try again, or has gone to another node, keeps nobody from appending. */
static void a_full_disk_ends_with_its_partition(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);

    published(s);
    poison_is = STORE_FULL;
    poison_puts = true;
    struct cloud_event e = numbered(s, 0);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, strstr(status(s).trouble, "disk full") != NULL);
    assert_true(atomic_load(&s->node->worker[0]->full));
    poison_is = STORE_FAILED;
    WAIT_UNTIL(s, strstr(status(s).trouble, "partition 0: stopped") != NULL);
    poison_puts = false;
    e = numbered(s, 1);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, s->bell.answers == 2);
    assert_int_equal(s->bell.refused, 0);
    stage_free(s);

    static const struct bus_ops none = {.name = "none"};
    struct bus bus = {&none};
    char folder[] = "/tmp/duband-worker-XXXXXX";
    struct err e2 = {{0}};
    struct registry *r = registry_new(mkdtemp(folder), &e2);
    struct worker w = {.owner = {.registry = r}, .options = &(struct node_options){.batch = 1}, .bus = &bus};
    assert_non_null(partition_hooks.acquire(&w, 0));
    atomic_store(&w.full, true);
    partition_hooks.release(&w, 0, true);
    assert_false(atomic_load(&w.full));
    registry_free(r);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A member of the file that holds what could not be taken; as text. */
static struct slice kept(struct stage *s, const char *path, const char *member)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "r");
    struct slice raw = S("");

    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_true(row_member((struct slice){text, n}, member, &raw));
    return arena_dup(s->arena, raw);
}

/* What no turn can take stops the partition before it, is kept aside with what it takes to run it again, and leaves reading alone. */
static void what_cannot_be_taken_is_kept_aside(void **state)
{
    (void)state;
    struct stage *s = stage_new(true);
    char path[160];

    published(s);
    fault_is = STORE_OK;
    struct cloud_event e = numbered(s, 6);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, found(s, e.source, e.id) == QUERY_APPLIED);
    size_t cases = count_rows(s, query_cases);
    poison_puts = true;
    e = numbered(s, 7);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, strstr(status(s).trouble, "stopped") != NULL);
    poison_puts = false;
    WAIT_UNTIL(s, !status(s).ready);
    snprintf(path, sizeof path, "%s/partition-0/poison-duban.deadlines-2.json", s->data);
    assert_true(slice_eq(kept(s, path, "offset"), S("2")));
    assert_true(slice_eq(kept(s, path, "deadlines_next"), S("2")));
    assert_non_null(strstr(kept(s, path, "reason").p, "fault was injected"));
    assert_non_null(strstr(kept(s, path, "workflows").p, "\"hash\":\""));
    assert_non_null(strstr(kept(s, path, "workflows").p, "\"definition_base64\":\""));
    assert_non_null(strstr(kept(s, path, "workflows").p, "\"table\":\"number\""));
    assert_non_null(strstr(kept(s, path, "instances").p, "\"table\":\"instance\""));
    assert_int_equal(count_rows(s, query_cases), cases);

    /* Intake goes on meanwhile, and a restart takes what was kept waiting. */
    size_t before = s->bell.answers;
    e = numbered(s, 8);
    node_append(s->node, TOPIC_DEADLINES, &e, answered, &s->bell);
    WAIT_UNTIL(s, s->bell.answers == before + 1);
    node_stop(s->node);
    stage_start(s);
    WAIT_UNTIL(s, status(s).ready);
    WAIT_UNTIL(s, found(s, e.source, e.id) == QUERY_APPLIED);
    assert_int_equal(s->bell.refused, 0);
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_by_event_time),
        cmocka_unit_test(a_simulation_says_the_same),
        cmocka_unit_test(what_the_sender_can_mend_is_said_at_once),
        cmocka_unit_test(the_clock_writes_its_own_records),
        cmocka_unit_test(a_changed_folder_is_published_and_an_old_one_again),
        cmocka_unit_test(a_folder_in_use_is_said_at_the_start),
        cmocka_unit_test(a_full_disk_is_waited_out),
        cmocka_unit_test(a_full_disk_ends_with_its_partition),
        cmocka_unit_test(what_cannot_be_taken_is_kept_aside),
    };

    store_fault = fault;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
