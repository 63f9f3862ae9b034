/* What is written to the inputs: questions with an instant by which they are to be answered, answers, clock
 * records early and late, records that nobody can take; some of it in transactions of the portals' own. */
#include "sim.h"

#include "base/civil.h"
#include "bus/bus.h"
#include "engine/definition.h"
#include "engine/engine.h"
#include "engine/intake.h"

#include <string.h>

#define NAMES 8

static char name[NAMES][16];
static struct cloud_event published[NAMES];
static struct arena *arena;
static int workflow[WORKFLOWS_MOST + PARTITIONS_MOST], nworkflows;
static int written;
static unsigned events;

/* ---- definitions: one regime under several names, compiled once for all histories */

static struct slice renamed(struct slice text, const char *id)
{
    static const char was[] = "workflow:  alarm";
    const char *at = memmem(text.p, text.n, was, sizeof was - 1);
    if (!at)
        return text;
    return arena_printf(arena, "%.*sworkflow:  %s%.*s", (int)(at - text.p), text.p, id,
                        (int)(text.p + text.n - at - (long)sizeof was + 1), at + sizeof was - 1);
}

static void prepare(int i)
{
    struct bundle b;
    struct diags d = {.arena = arena};
    if (!bundle_read("tests/alarm", &b, &d))
        fail("tests/alarm cannot be read; run this in the repository's root");
    snprintf(name[i], sizeof name[i], "alarm-%c", 'a' + i);
    for (size_t f = 0; f < b.n; f++)
        b.files[f].content = renamed(b.files[f].content, name[i]);
    definition_event(&b, slice_of(name[i]), S("tester"), S("simulation"), 1, INSTANT_NONE, arena, &published[i]);
}

/* The engine keeps compiled definitions as long as somebody holds them: this one is never closed. */
void portal_prepare(void)
{
    arena = arena_new();
    struct err e;
    struct store *s = store_open_memory();
    struct engine *engine = engine_open(s, &(struct engine_options){.partitions = 1}, &e);
    struct arena *a = arena_new();
    for (int i = 0; i < NAMES; i++) {
        prepare(i);
        struct record r = intake_record(&published[i], TOPIC_DEADLINES, arena);
        struct outcome out;
        struct store_txn *t = store_begin(s, true, &e);
        r.offset = i;
        r.appended = WALL_START_MS;
        if (engine_apply(engine, t, &r, a, &out, &e) != TURN_DONE || out.what != OUTCOME_APPLIED)
            fail("the definition of %s is not taken: %s%.*s", name[i], e.text, SLICE_ARG(out.reasons[0]));
        store_commit(t, &e);
    }
    arena_free(a);
}

/* ---- records */

static int partition_of(int w)
{
    return bus_partition_of(slice_of(name[w]), plan.partitions);
}

static struct cloud_event event_of(int w, const char *kind, const char *reporter, struct slice fields)
{
    struct cloud_event e = {.id = arena_printf(arena, "e-%u", ++events),
                            .source = S("portal"),
                            .type = S("duban.v1.Fact"),
                            .content_type = S("application/json"),
                            .time = INSTANT_NONE,
                            .workflow = slice_of(name[w])};
    e.data = arena_printf(arena, "{\"workflow\":\"%s\",\"fact\":{\"kind\":\"%s\",\"reporter\":\"%s\",\"fields\":{%.*s}}}",
                          name[w], kind, reporter, SLICE_ARG(fields));
    return e;
}

static struct record asked(int w)
{
    struct slice by = instant_format_utc(arena, wall_ms(NULL) + between(-300, chance(0.3) ? 50 : 3000));
    struct slice fields = arena_printf(arena, "\"unit\":\"o-%d\",\"subject\":\"s%d\",\"by\":\"%.*s\"", (int)between(1, 3),
                                       (int)between(0, 3), SLICE_ARG(by));
    struct cloud_event e = event_of(w, "asked", "office", fields);
    return intake_record(&e, TOPIC_DEADLINES, arena);
}

static struct cloud_event answer_of(int w)
{
    struct slice fields = arena_printf(arena, "\"subject\":\"s%d\",\"n\":1", (int)between(0, 3));
    char unit[8];
    snprintf(unit, sizeof unit, "o-%d", (int)between(1, 3));
    return event_of(w, "answered", unit, fields);
}

static struct record answered(int w)
{
    struct cloud_event e = answer_of(w);
    return intake_record(&e, TOPIC_SUBMISSIONS, arena);
}

struct cloud_event portal_answer(void)
{
    return answer_of(workflow[between(0, nworkflows - 1)]);
}

static struct record clock_record(int w)
{
    struct cloud_event e = event_of(w, "", "", (struct slice){0});
    e.type = S("duban.v1.DeadlineReached");
    e.content_type = S("application/protobuf");
    e.data = wire_clock_pack(arena);
    return intake_record(&e, TOPIC_DEADLINES, arena);
}

static struct record broken(int w)
{
    struct cloud_event e = event_of(w, chance(0.5) ? "unheard" : "answered", "o-9", S("\"n\":500"));
    if (chance(0.3))
        e.data = S("\xff{");
    return intake_record(&e, chance(0.5) ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES, arena);
}

/* Of what came before, if it was this workflow's and has been applied by then: its effects, instances too, are taken back. */
static struct record annulled(int w)
{
    unsigned which = events > 0 ? (unsigned)between(1, events) : 1;
    struct cloud_event e = event_of(w, "", "", (struct slice){0});
    e.type = S("duban.v1.Annul");
    e.data = arena_printf(arena, "{\"workflow\":\"%s\",\"reason\":\"r\",\"annul\":{\"reporter\":\"office\",\"record\":"
                                 "{\"source\":\"portal\",\"id\":\"e-%u\"}}}", name[w], which);
    return intake_record(&e, TOPIC_DEADLINES, arena);
}

static struct record any(int w)
{
    static struct record last;
    double what = (double)between(0, 99);
    if (what < 5 && last.value.p && !slice_eq(last.key, slice_of(name[w])))
        what = 50;
    struct record r = what < 5 && last.value.p ? last /* once more */
                      : what < 45              ? asked(w)
                      : what < 85              ? answered(w)
                      : what < 91              ? clock_record(w)
                      : what < 95              ? annulled(w)
                                               : broken(w);
    last = r;
    return r;
}

static void append(const struct record *r, int partition, struct share *share)
{
    const struct entry *e = log_append(&logs[r->topic][partition], share, r->key, r->value, r->header, r->nheaders);
    struct slice id = {0};
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("ce_id")))
            id = r->header[i].value;
    trace("portal: %s-%d offset %lld at %lld: %.*s%s", topic_names[r->topic], partition, (long long)e->offset,
          (long long)e->ts_ms, SLICE_ARG(id), share ? ", in a transaction" : "");
}

/* ---- transactions of portals */

struct foreign {
    struct identity *identity;
    int epoch, left;
};

static void go_on(void *arg)
{
    struct foreign *f = arg;
    if (!broker_up || now > plan.faults_until) {
        if (now <= plan.faults_until)
            later(100 * MS, NULL, go_on, f);
        return; /* or it takes too long */
    }
    int w = workflow[between(0, nworkflows - 1)];
    struct record r = any(w);
    struct share *share;
    if (f->left-- == 0) {
        if (chance(0.9))
            coord_end(f->identity, f->epoch, chance(0.6));
        return;
    }
    if (coord_share(f->identity, f->epoch, &logs[r.topic][partition_of(w)], &share))
        return; /* it took too long */
    append(&r, partition_of(w), share);
    later(between(0, chance(0.8) ? 50 : 2000) * MS, NULL, go_on, f);
}

static void begin_foreign(void)
{
    static unsigned count;
    char id[32];
    struct foreign *f = mem_alloc(sizeof *f);
    snprintf(id, sizeof id, "portal-%u", ++count);
    f->identity = coord_identity(id, (int)between(500, 4000));
    coord_init(f->identity, &f->epoch);
    f->left = (int)between(1, 6);
    go_on(f);
}

/* ---- when */

static void write_next(void *unused)
{
    (void)unused;
    int64_t wait = chance(0.3) ? between(0, 500) : chance(0.4) ? between(0, 3000) : between(0, 2 * plan.faults_until / plan.events);
    if (!broker_up) {
        later(100 * MS, NULL, write_next, NULL);
        return;
    }
    if (chance(plan.foreign) && now < plan.faults_until) {
        begin_foreign();
    } else {
        int w = workflow[between(0, nworkflows - 1)];
        struct record r = any(w);
        int p = chance(0.97) ? partition_of(w) : (int)between(0, plan.partitions - 1); /* misplaced */
        append(&r, p, NULL);
    }
    if (++written < plan.events)
        later(wait, NULL, write_next, NULL);
}

static void publish(void *arg)
{
    int w = *(int *)arg;
    struct record r = intake_record(&published[w], TOPIC_DEADLINES, arena);
    append(&r, partition_of(w), NULL);
}

void portal_start(void)
{
    for (int p = 0; p < plan.partitions; p++)
        for (int w = 0; w < NAMES; w++)
            if (partition_of(w) == p) {
                workflow[nworkflows++] = w;
                break;
            }
    for (int i = 0; i < plan.workflows - 1; i++) {
        int w = (int)between(0, NAMES - 1), known = 0;
        for (int j = 0; j < nworkflows; j++)
            known |= workflow[j] == w;
        if (!known)
            workflow[nworkflows++] = w;
    }
    for (int i = 0; i < nworkflows; i++)
        later(between(0, 300) * MS, NULL, publish, &workflow[i]);
    later(between(0, 3000) * MS, NULL, write_next, NULL);
}

struct slice portal_workflow(int partition)
{
    for (int i = 0; i < nworkflows; i++)
        if (partition_of(workflow[i]) == partition)
            return slice_of(name[workflow[i]]);
    return (struct slice){0};
}

bool portal_done(void)
{
    return written >= plan.events;
}
