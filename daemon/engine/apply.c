/* One input record → its outcome. In this order, whatever the record holds: its receipt time moves the
 * workflow's clock and fires what is due; a known id ends it; what cannot be read or is refused becomes a
 * dead letter; the rest is a turn. */
#include "engine/flow.h"

#include "bus/bus.h"

/* A record on its way through engine_apply. */
struct arrival {
    const struct record *record;
    struct cloud_event event;
    struct input input;
    struct seen_id id;
    bool framed;   /* the envelope was readable: event and id are there */
    bool decoded;  /* so was the body: input is there */
    bool remember; /* its rejection is to be found by its id */
    instant_t received;
    struct reasons why;
};

/* ---- reading */

static instant_t receipt(const struct engine *e, const struct flow *f, const struct arrival *in)
{
    instant_t at = in->record->appended;
    instant_t reached = f != NULL ? flow_until(e, f) : e->target;

    if (e->options.events_time && in->framed && in->event.time != INSTANT_NONE && in->event.time < at)
        at = in->event.time;
    return at > reached ? at : reached;
}

static void read_arrival(const struct engine *e, const struct flow *f, struct arrival *in, struct arena *a)
{
    const struct record *r = in->record;

    in->framed = cloud_event_from_headers(r->header, r->nheaders, r->key, r->value, &in->event, &in->why);
    if (in->framed) {
        in->id = seen_id(&in->event);
        in->decoded = wire_input(&in->event, a, &in->input, &in->why);
    }
    in->received = receipt(e, f, in);
    in->input.received = in->received;
    in->input.topic = r->topic == TOPIC_SUBMISSIONS ? VOICE_SUBMISSIONS : VOICE_DEADLINES;
    in->remember = in->framed;
}

/* ---- refusing */

static void copy_reasons(struct reasons *why, const struct slice *reason, size_t n)
{
    for (size_t i = 0; i < n; i++)
        reasons_add(why, "%.*s", SLICE_ARG(reason[i]));
}

static enum turn_status reject(struct turn *turn, struct arrival *in, struct outcome *out)
{
    const struct record letter =
        wire_rejected(in->record, &in->why, in->framed ? &in->event : NULL, turn->arena);
    struct engine *e = turn->engine;
    enum turn_status st = TURN_DONE;

    e->counters.rejected++;
    *out = (struct outcome){.what = OUTCOME_REJECTED, .reasons = in->why.item, .nreasons = in->why.n};
    if (turn->flow != NULL) {
        const struct effects fx = {.verdict = VERDICT_REJECTED,
                                   .reasons = in->why.item,
                                   .nreasons = in->why.n,
                                   .cause = {.source = in->event.source,
                                             .id = in->event.id,
                                             .due = INSTANT_NONE,
                                             .received = in->received},
                                   .now = in->received};

        st = commit_rejected(turn, &fx, &letter);
        out->history = turn->flow->head.sequence;
    } else {
        engine_output(e, &letter);
    }
    if (st == TURN_DONE && in->remember)
        st = seen_put(e, turn->txn, turn->flow != NULL ? turn->flow->id : S(""), &in->id, in->received,
                      out->history, &in->why, turn->err);
    return st;
}

static void say_unknown_workflow(const struct engine *e, struct slice workflow, struct reasons *why)
{
    struct buf known = {0};

    for (size_t i = 0; i < e->nflows; i++)
        buf_printf(&known, "%s%.*s", i > 0 ? ", " : "", SLICE_ARG(e->flows[i]->id));
    reasons_add(why, "no workflow %.*s is in force here; known: %.*s", SLICE_ARG(workflow),
                SLICE_ARG(known.n > 0 ? buf_slice(&known) : S("none")));
    buf_free(&known);
}

/* Two portals that partition by different rules would tear a workflow apart. */
static bool check_place(const struct engine *e, const struct record *r, struct reasons *why)
{
    int belongs = e->options.partitions > 1 ? bus_partition_of(r->key, e->options.partitions) : r->partition;

    if (belongs == r->partition)
        return true;
    reasons_add(why,
                "workflow %.*s belongs to partition %d of %d, the record was written to %d: the producer "
                "must partition by murmur2 of the key "
                "(librdkafka: partitioner=murmur2_random)",
                SLICE_ARG(r->key), belongs, e->options.partitions, r->partition);
    return false;
}

static bool check_voice(const struct arrival *in, struct reasons *why)
{
    enum voice voice = wire_voice(&in->input);

    if (voice == VOICE_EITHER || voice == in->input.topic)
        return true;
    reasons_add(why, "a %.*s belongs on %s, this record came by %s", SLICE_ARG(in->input.class_name),
                topic_names[voice == VOICE_SUBMISSIONS ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES],
                topic_names[in->record->topic]);
    return false;
}

/* ---- the clock */

enum turn_status flow_advance(struct engine *e, struct store_txn *t, struct flow *f, instant_t until,
                              struct err *err)
{
    enum turn_status st = TURN_DONE;
    bool fired = true;

    while (st == TURN_DONE && fired)
        st = fire_next(e, t, f, until, &fired, err);
    if (st == TURN_DONE && until > f->clock) {
        f->clock = until;
        f->dirty = true;
    }
    return st;
}

/* A clock record says only that its receipt time has come. By event time it speaks for its own workflow, and
 * only if it carries a time. */
static void take_clock(struct engine *e, struct flow *f, const struct arrival *in, struct outcome *out)
{
    *out = (struct outcome){.what = OUTCOME_CLOCK};
    if (e->options.events_time && in->event.time == INSTANT_NONE)
        return;
    if (e->options.events_time && f != NULL) {
        f->dirty = f->dirty || in->received > f->clock;
        f->clock = in->received > f->clock ? in->received : f->clock;
    } else if (in->received > e->target) {
        e->target = in->received;
        e->target_dirty = true;
    }
}

/* ---- the turn */

static enum turn_status step(struct turn *turn, struct arrival *in, struct outcome *out)
{
    const struct world world = world_of(turn);
    struct engine *e = turn->engine;
    struct effects fx;

    step_input(turn->program, &world, &in->input, turn->arena, &fx);
    if (turn->status != TURN_DONE)
        return turn->status;
    if (fx.verdict == VERDICT_REJECTED)
        copy_reasons(&in->why, fx.reasons, fx.nreasons);
    if (fx.verdict == VERDICT_REJECTED || !effects_check_keys(turn, &fx, &in->why))
        return reject(turn, in, out);

    out->what = fx.verdict == VERDICT_NO_EFFECT ? OUTCOME_NO_EFFECT : OUTCOME_APPLIED;
    if (fx.verdict == VERDICT_NO_EFFECT)
        e->counters.no_effect++;
    else
        e->counters.applied++;
    enum turn_status st = commit_effects(turn, &fx);
    out->history = turn->flow->head.sequence;
    if (st == TURN_DONE && in->input.class_ == INPUT_EXCUSE)
        st = correction_excused(turn, &in->input, &fx);
    if (st == TURN_DONE)
        st = seen_put(e, turn->txn, turn->flow->id, &in->id, in->received, out->history, NULL, turn->err);
    return st;
}

static enum turn_status correct(struct turn *turn, struct arrival *in, struct outcome *out)
{
    enum turn_status st = correction_apply(turn, &in->input, &in->why, out);

    if (st != TURN_DONE)
        return st;
    if (out->what == OUTCOME_REJECTED)
        return reject(turn, in, out);
    turn->engine->counters.applied++;
    return seen_put(turn->engine, turn->txn, turn->flow->id, &in->id, in->received, out->history, NULL,
                    turn->err);
}

static enum turn_status publish(struct turn *turn, struct arrival *in, struct arena *a, struct outcome *out)
{
    struct engine *e = turn->engine;
    enum turn_status st =
        publish_definition(e, turn->txn, in->record, &in->event, &in->input, a, &in->why, out, turn->err);

    if (st != TURN_DONE)
        return st;
    if (out->what == OUTCOME_REJECTED) {
        turn->status = TURN_DONE;
        return reject(turn, in, out);
    }
    return seen_put(e, turn->txn, in->record->key, &in->id, in->received, out->history, NULL, turn->err);
}

/* True when the id was seen before: nothing more is to be done, or it is refused. */
static bool known(struct turn *turn, struct arrival *in, struct outcome *out, enum turn_status *st)
{
    struct seen_found found;

    if (!in->framed || turn->flow == NULL)
        return false;
    *st = seen_find(turn->engine, turn->txn, turn->flow->id, &in->id, in->received, &found, turn->err);
    if (*st != TURN_DONE)
        return true;
    if (found.as == SEEN_SAME) {
        turn->engine->counters.duplicates++;
        *out = (struct outcome){.what = OUTCOME_DUPLICATE, .history = found.history};
        return true;
    }
    if (found.as == SEEN_OTHER) {
        reasons_add(&in->why, "source %.*s has sent another event under the id %.*s before",
                    SLICE_ARG(in->event.source), SLICE_ARG(in->event.id));
        in->remember = false; /* the id stands for the event that was applied */
        *st = reject(turn, in, out);
        return true;
    }
    return false;
}

enum turn_status engine_apply(struct engine *e, struct store_txn *t, const struct record *r, struct arena *a,
                              struct outcome *out, struct err *err)
{
    struct flow *f = flow_find(e, r->key);
    struct arrival in = {.record = r, .why = {.arena = a}};
    enum turn_status st = TURN_DONE;

    engine_touch(e);
    *out = (struct outcome){.what = OUTCOME_NO_EFFECT};
    read_arrival(e, f, &in, a);
    bool clock = in.decoded && in.input.class_ == INPUT_CLOCK;
    if (clock && check_voice(&in, &in.why)) {
        take_clock(e, f, &in, out);
        return TURN_DONE;
    }
    if (f != NULL)
        st = flow_advance(e, t, f, in.received, err);
    if (st != TURN_DONE)
        return st;

    arena_reset(e->scratch);
    struct turn turn = {.engine = e, .txn = t, .flow = f, .input = r, .arena = e->scratch, .err = err};
    turn.program = f != NULL ? f->program : NULL;
    if (known(&turn, &in, out, &st))
        return st;
    if (!in.decoded || clock || !check_voice(&in, &in.why) || !check_place(e, r, &in.why))
        return reject(&turn, &in, out);
    if (in.input.class_ == INPUT_DEFINITION)
        return publish(&turn, &in, a, out);
    if (f == NULL) {
        say_unknown_workflow(e, r->key, &in.why);
        return reject(&turn, &in, out);
    }
    if (in.input.class_ == INPUT_ANNUL || in.input.class_ == INPUT_SUPERSEDE || in.input.class_ == INPUT_DECIDE)
        return correct(&turn, &in, out);
    return step(&turn, &in, out);
}
