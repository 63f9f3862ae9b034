/* One input record → its outcome. In this order, whatever the record holds: its receipt time moves the
 * workflow's clock and fires what is due; a known id ends it; what cannot be read or is refused becomes a
 * dead letter; the rest is a turn. */
#include "engine/flow.h"

#include "bus/bus.h"

/* The envelope of the record itself, and its name. */
struct envelope {
    struct cloud_event event;
    struct seen_id id;
};

/* A record on its way through engine_apply. */
struct arrival {
    const struct record *record;
    struct cloud_event event; /* of a redrive: what it holds, as all that follows is */
    struct input input;
    struct seen_id id;
    const struct envelope *redrive; /* the redrive's own; NULL: it is none */
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

/* What it holds takes the redrive's place; the record stays the redrive's. */
static void open_redrive(struct arrival *in, struct arena *a)
{
    struct envelope *own = ARENA_NEW(a, struct envelope);
    struct redriven held;

    *own = (struct envelope){in->event, in->id};
    in->decoded = wire_redriven(&in->event, a, &held, &in->why);
    if (!in->decoded)
        return;
    in->redrive = own;
    in->event = held.event;
    seen_id(&in->event, &in->id);
    in->decoded = wire_input(&in->event, a, &in->input, &in->why);
    in->input.topic = held.topic == TOPIC_SUBMISSIONS ? VOICE_SUBMISSIONS : VOICE_DEADLINES;
}

static void read_arrival(const struct engine *e, const struct flow *f, struct arrival *in, struct arena *a)
{
    const struct record *r = in->record;

    in->input.topic = r->topic == TOPIC_SUBMISSIONS ? VOICE_SUBMISSIONS : VOICE_DEADLINES;
    in->framed = cloud_event_from_headers(r->header, r->nheaders, r->key, r->value, &in->event, &in->why);
    if (in->framed) {
        seen_id(&in->event, &in->id);
        in->decoded = wire_input(&in->event, a, &in->input, &in->why);
    }
    in->received = receipt(e, f, in);
    in->remember = in->framed;
    /* A redrive that came by the wrong topic is refused as such, unopened. */
    if (in->decoded && in->input.class_ == INPUT_REDRIVE && r->topic == TOPIC_DEADLINES)
        open_redrive(in, a);
    in->input.received = in->received;
}

/* ---- refusing */

static void copy_reasons(struct reasons *why, const struct slice *reason, size_t n)
{
    for (size_t i = 0; i < n; i++)
        reasons_add(why, "%.*s", SLICE_ARG(reason[i]));
}

/* Of a redrive it is the redrive that is refused: what it holds was before. */
static enum turn_status reject(struct turn *turn, struct arrival *in, struct outcome *out)
{
    const struct cloud_event *event = in->redrive != NULL ? &in->redrive->event : &in->event;
    const struct record letter = wire_rejected(in->record, &in->why, in->framed ? event : NULL, turn->arena);
    struct engine *e = turn->engine;
    enum turn_status st = TURN_DONE;

    e->counters.rejected++;
    *out = (struct outcome){.what = OUTCOME_REJECTED, .reasons = in->why.item, .nreasons = in->why.n};
    if (turn->flow != NULL) {
        const struct effects fx = {.verdict = VERDICT_REJECTED,
                                   .reasons = in->why.item,
                                   .nreasons = in->why.n,
                                   .cause = {.source = event->source,
                                             .id = event->id,
                                             .due = INSTANT_NONE,
                                             .received = in->received},
                                   .now = in->received};

        st = commit_rejected(turn, &fx, &letter);
        out->history = turn->flow->head.sequence;
    } else {
        engine_output(e, &letter);
    }
    if (st == TURN_DONE && in->remember)
        st = seen_put(e, turn->txn, turn->flow != NULL ? turn->flow->id : S(""),
                      in->redrive != NULL ? &in->redrive->id : &in->id, in->received, out->history, &in->why,
                      turn->err);
    return st;
}

/* Under its name, and a redrive under its own, too. */
static enum turn_status remember_applied(struct turn *turn, const struct arrival *in, const struct outcome *out)
{
    struct slice workflow = in->record->key;
    enum turn_status st = seen_put(turn->engine, turn->txn, workflow, &in->id, in->received, out->history,
                                   NULL, turn->err);

    if (st == TURN_DONE && in->redrive != NULL)
        st = seen_put(turn->engine, turn->txn, workflow, &in->redrive->id, in->received, out->history, NULL,
                      turn->err);
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
                topic_names[in->input.topic == VOICE_SUBMISSIONS ? TOPIC_SUBMISSIONS : TOPIC_DEADLINES]);
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
    return st == TURN_DONE ? remember_applied(turn, in, out) : st;
}

static enum turn_status correct(struct turn *turn, struct arrival *in, struct outcome *out)
{
    enum turn_status st = correction_apply(turn, &in->input, &in->why, out);

    if (st != TURN_DONE)
        return st;
    if (out->what == OUTCOME_REJECTED)
        return reject(turn, in, out);
    turn->engine->counters.applied++;
    return remember_applied(turn, in, out);
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
    return remember_applied(turn, in, out);
}

/* Refused: the name stands for another event. */
static enum turn_status refuse_name(struct turn *turn, struct arrival *in, const struct cloud_event *event,
                                    struct outcome *out)
{
    reasons_add(&in->why, "source %.*s has sent another event under the id %.*s before",
                SLICE_ARG(event->source), SLICE_ARG(event->id));
    return reject(turn, in, out);
}

/* What a redrive holds has had its effect, by an earlier redrive or from its sender: it has it once. */
static enum turn_status refuse_second(struct turn *turn, struct arrival *in, uint64_t history, struct outcome *out)
{
    reasons_add(&in->why, "event %.*s of source %.*s has been applied already, see record %llu of the history",
                SLICE_ARG(in->event.id), SLICE_ARG(in->event.source), (unsigned long long)history);
    return reject(turn, in, out);
}

/* True when the id was seen before: nothing more is to be done, or it is refused. */
static bool known(struct turn *turn, struct arrival *in, struct outcome *out, enum turn_status *st)
{
    const struct envelope *own = in->redrive;
    struct seen_found found;

    if (!in->framed || turn->flow == NULL)
        return false;
    *st = seen_find(turn->engine, turn->txn, turn->flow->id, own != NULL ? &own->id : &in->id, in->received,
                    &found, turn->err);
    if (*st != TURN_DONE)
        return true;
    if (found.as == SEEN_SAME) {
        turn->engine->counters.duplicates++;
        *out = (struct outcome){.what = OUTCOME_DUPLICATE, .history = found.history};
        return true;
    }
    if (found.as == SEEN_OTHER) {
        in->remember = false; /* the id stands for the event that was applied */
        *st = refuse_name(turn, in, own != NULL ? &own->event : &in->event, out);
        return true;
    }
    if (own == NULL)
        return false;
    *st = seen_find(turn->engine, turn->txn, turn->flow->id, &in->id, in->received, &found, turn->err);
    if (*st != TURN_DONE)
        return true;
    if (found.as == SEEN_SAME)
        *st = refuse_second(turn, in, found.history, out);
    else if (found.as == SEEN_OTHER)
        *st = refuse_name(turn, in, &in->event, out);
    return found.as == SEEN_SAME || found.as == SEEN_OTHER;
}

/* An excuse does when something followed from what it excuses; to know that takes the turn itself. */
static bool may_run_again(enum input_class class_)
{
    return class_ == INPUT_ANNUL || class_ == INPUT_SUPERSEDE || class_ == INPUT_EXCUSE;
}

enum turn_status engine_apply(struct engine *e, struct store_txn *t, const struct record *r, struct arena *a,
                              struct outcome *out, struct err *err)
{
    struct flow *f = flow_find(e, r->key);
    struct arrival in = {.record = r, .why = {.arena = a}};
    enum turn_status st = TURN_DONE;

    *out = (struct outcome){.what = OUTCOME_NO_EFFECT};
    read_arrival(e, f, &in, a);
    if (e->lacks_history && in.decoded && may_run_again(in.input.class_))
        return TURN_WAITS;
    engine_touch(e);
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
