#include "engine/simulate.h"

#include <stdlib.h>

#include "engine/definition.h"
#include "engine/intake.h"

#define DRAIN_SLICE 10000

struct simulation {
    struct store *store;
    struct engine *engine;
    struct arena *arena, *whole; /* of one event; of the run */
    struct slice workflow;
    instant_t now;
    int64_t next[2];
    void (*output)(void *ctx, const struct record *r);
    void *ctx;
};

static void pass_output(void *ctx, const struct record *r)
{
    struct simulation *s = ctx;

    s->output(s->ctx, r);
}

/* Runs one record through the engine, and whatever became due by then, as one batch. */
static bool run(struct simulation *s, const struct record *r, struct outcome *out, struct err *e)
{
    struct store_txn *t = store_begin(s->store, true, e);
    size_t fired = DRAIN_SLICE;

    if (t == NULL)
        return false;
    enum turn_status st = engine_apply(s->engine, t, r, s->arena, out, e);
    while (st == TURN_DONE && fired == DRAIN_SLICE)
        st = engine_drain(s->engine, t, DRAIN_SLICE, &fired, e);
    s->next[r->topic] = r->offset + 1;
    if (st == TURN_DONE)
        st = engine_set_positions(s->engine, t, s->next, e);
    if (st != TURN_DONE) {
        store_abort(t);
        return false;
    }
    return store_commit(t, e) == STORE_OK;
}

static bool take(struct simulation *s, const struct cloud_event *ev, enum topic topic, instant_t received,
                 struct outcome *out, struct err *e)
{
    struct record r = intake_record(ev, topic, s->arena);

    s->now = received > s->now ? received : s->now;
    r.appended = s->now;
    r.offset = s->next[topic];
    return run(s, &r, out, e);
}

static bool first_error(const struct diags *d, struct err *e)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->item[i].severity == SEVERITY_ERROR)
            return err_set(e, "%.*s:%d: %.*s", SLICE_ARG(d->item[i].file), d->item[i].line,
                           SLICE_ARG(d->item[i].message));
    return err_set(e, "the definition does not compile");
}

static bool publish(struct simulation *s, const struct program *p, const struct bundle *b, instant_t from,
                    struct err *e)
{
    struct cloud_event event;
    struct outcome out;

    s->workflow = arena_dup(s->whole, p->id);
    if (from == INSTANT_NONE)
        from = definition_start(p, 0);
    definition_event(b, p->id, S("duband"), S("simulate"), 1, INSTANT_NONE, s->arena, &event);
    if (!take(s, &event, TOPIC_DEADLINES, from, &out, e))
        return false;
    if (out.what != OUTCOME_APPLIED)
        return err_set(e, "the definition was not taken: %.*s",
                       SLICE_ARG(out.nreasons > 0 ? out.reasons[0] : S("no reason given")));
    return true;
}

struct simulation *simulation_of(const struct program *p, const struct bundle *b, instant_t from,
                                 void (*output)(void *ctx, const struct record *r), void *ctx, struct err *e)
{
    struct simulation *s = mem_alloc(sizeof *s);
    const struct engine_options options = {.sink = {.ctx = s, .output = output != NULL ? pass_output : NULL}};

    s->store = store_open_memory();
    s->arena = arena_new();
    s->whole = arena_new();
    s->now = INSTANT_NONE;
    s->output = output;
    s->ctx = ctx;
    s->engine = engine_open(s->store, &options, e);
    if (s->engine != NULL && publish(s, p, b, from, e))
        return s;
    simulation_free(s);
    return NULL;
}

struct simulation *simulation_new(const struct bundle *b, instant_t from,
                                  void (*output)(void *ctx, const struct record *r), void *ctx, struct err *e)
{
    struct arena *a = arena_new();
    struct diags diags = {.arena = a};
    const struct program *p = lang_compile(b, a, &diags);
    struct simulation *s = p != NULL ? simulation_of(p, b, from, output, ctx, e) : NULL;

    if (p == NULL)
        first_error(&diags, e);
    arena_free(a);
    return s;
}

void simulation_watch(struct simulation *s, const struct watch *w)
{
    engine_watch(s->engine, w);
}

bool simulation_event(struct simulation *s, const struct cloud_event *ev, instant_t received,
                      struct outcome *out, struct err *e)
{
    enum topic topic = TOPIC_SUBMISSIONS;
    struct input in;

    arena_reset(s->arena);
    struct reasons why = {.arena = s->arena};
    /* What cannot be placed is taken all the same, and refused by the turn with the same reasons. */
    intake_topic(simulation_program(s), ev, s->arena, &in, &topic, &why);
    return take(s, ev, topic, received, out, e);
}

bool simulation_until(struct simulation *s, instant_t t, struct err *e)
{
    struct outcome out;

    arena_reset(s->arena);
    const struct cloud_event event = {
        .id = arena_printf(s->arena, "until-%lld", (long long)s->next[TOPIC_DEADLINES]),
        .source = S("duband/simulate"),
        .type = S("duban.v1.DeadlineReached"),
        .content_type = S("application/protobuf"),
        .time = INSTANT_NONE,
        .workflow = s->workflow,
        .data = wire_clock_pack(s->arena)};

    return take(s, &event, TOPIC_DEADLINES, t, &out, e);
}

const struct program *simulation_program(const struct simulation *s)
{
    return engine_program(s->engine, s->workflow);
}

struct store *simulation_store(struct simulation *s)
{
    return s->store;
}

instant_t simulation_now(const struct simulation *s)
{
    return s->now;
}

void simulation_free(struct simulation *s)
{
    if (s == NULL)
        return;
    engine_close(s->engine);
    if (s->store != NULL)
        store_close(s->store);
    arena_free(s->arena);
    arena_free(s->whole);
    free(s);
}
