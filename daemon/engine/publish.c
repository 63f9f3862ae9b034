/* Taking a definition into force: between two turns, or not at all. */
#include "engine/flow.h"

#define MISFITS_MAX 20 /* reasons of one refusal */

/* ---- does what lives fit the new program? */

static bool keeps_timers(const struct program *old, const struct instance *was, const struct program *new,
                         const struct instance *now)
{
    if (now->migrated)
        return true;
    if (was->ntimers != now->ntimers)
        return false;
    for (size_t i = 0; i < was->ntimers; i++) {
        struct slice before = old->machines[was->machine].timers[was->timers[i].def].name;
        bool kept = false;

        for (size_t j = 0; !kept && j < now->ntimers; j++)
            kept = now->timers[j].n == was->timers[i].n && now->timers[j].due == was->timers[i].due &&
                   slice_eq(new->machines[now->machine].timers[now->timers[j].def].name, before);
        if (!kept)
            return false;
    }
    return true;
}

static void add_once(struct reasons *why, size_t from, struct slice reason)
{
    for (size_t i = from; i < why->n; i++)
        if (slice_eq(why->item[i], reason))
            return;
    reasons_add(why, "%.*s", SLICE_ARG(reason));
}

/* Every instance is tried: a state, a machine, an obligation or an armed timer that is gone in the new
 * program is a reason to refuse it. */
static void check_live(struct turn *turn, const struct program *new, struct reasons *why)
{
    struct flow *f = turn->flow;
    struct store_iter *i = store_iter_new(turn->txn, TABLE_INSTANCE);
    struct arena *a = arena_new();
    struct slice key, value;
    struct key prefix;
    size_t from = why->n;

    key_workflow(&prefix, f->id);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         more && key_has_prefix(key, key_slice(&prefix)) && why->n - from < MISFITS_MAX;
         more = store_iter_next(i, &key, &value)) {
        struct err misfit = {{0}};
        struct instance *was, *now;

        arena_reset(a);
        was = wire_instance_unpack(f->program, value, a, turn->err);
        if (was == NULL) {
            turn->status = TURN_FAILED;
            break;
        }
        now = wire_instance_unpack(new, value, a, &misfit);
        if (now == NULL)
            add_once(why, from, slice_of(misfit.text));
        else if (!keeps_timers(f->program, was, new, now))
            add_once(why, from,
                     arena_printf(
                         a, "machine %.*s: an armed timer of a live instance is gone in the new definition",
                         SLICE_ARG(new->machines[now->machine].name)));
    }
    arena_free(a);
    store_iter_free(i);
}

/* The timers of a state that is no more: their instance's record forgets them when it is read. */
static enum turn_status drop_timers(struct turn *turn, const struct program *new)
{
    struct flow *f = turn->flow;
    struct store_iter *i = store_iter_new(turn->txn, TABLE_INSTANCE);
    struct arena *a = arena_new();
    enum turn_status st = TURN_DONE;
    struct slice key, value;
    struct key prefix;

    key_workflow(&prefix, f->id);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         st == TURN_DONE && more && key_has_prefix(key, key_slice(&prefix));
         more = store_iter_next(i, &key, &value)) {
        struct err none;

        arena_reset(a);
        value = arena_dup(a, value);
        struct instance *was = wire_instance_unpack(f->program, value, a, &none);
        const struct instance *now = wire_instance_unpack(new, value, a, &none);
        if (was != NULL && now != NULL && now->migrated)
            st = commit_timers_gone(turn->txn, f, was, new, now, turn->err);
    }
    arena_free(a);
    store_iter_free(i);
    return st;
}

/* ---- in force */

/* The definition's roster is the whole truth: changes of the one before are over. On record with the turn. */
static enum turn_status drop_roster(struct turn *turn, struct effects *fx)
{
    struct reasons note = {.arena = turn->arena};
    size_t dropped;
    enum turn_status st = roster_drop(turn, &dropped);

    if (dropped > 0)
        reasons_add(&note, "%zu roster change%s of the definition before no longer hold%s", dropped,
                    dropped == 1 ? "" : "s", dropped == 1 ? "s" : "");
    fx->reasons = note.item;
    fx->nreasons = note.n;
    return st;
}

static enum turn_status install(struct turn *turn, struct definition *d, const struct input *in,
                                struct reasons *why, struct outcome *out)
{
    const struct cause cause = {
        .source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received};
    const struct world world = world_of(turn);
    struct flow *f = turn->flow;
    struct effects fx;

    step_install(turn->program, &world, in->received, &cause, turn->arena, &fx);
    if (turn->status != TURN_DONE)
        return turn->status;
    if (fx.verdict == VERDICT_REJECTED || !effects_check_keys(turn, &fx, why)) {
        for (size_t i = 0; fx.verdict == VERDICT_REJECTED && i < fx.nreasons; i++)
            reasons_add(why, "%.*s", SLICE_ARG(fx.reasons[i]));
        out->what = OUTCOME_REJECTED;
        return TURN_DONE;
    }

    enum turn_status st = drop_timers(turn, turn->program);
    flow_set_definition(f, definition_hold(d));
    f->clock = in->received > f->clock ? in->received : f->clock;
    f->dirty = true;
    if (st == TURN_DONE)
        st = state_put(turn->engine, turn->txn, TABLE_DEFINITION, f->id, definition_stored(d), turn->err);
    if (st == TURN_DONE)
        st = drop_roster(turn, &fx);
    if (st == TURN_DONE)
        st = commit_effects(turn, &fx);
    turn->engine->counters.applied++;
    *out = (struct outcome){.what = OUTCOME_APPLIED, .history = f->head.sequence};
    return st;
}

/* The one in force again: on record, without effect. */
static enum turn_status unchanged(struct turn *turn, const struct input *in, struct outcome *out)
{
    struct effects fx = {
        .verdict = VERDICT_NO_EFFECT,
        .cause = {.source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received},
        .now = in->received};
    enum turn_status st = commit_effects(turn, &fx);

    turn->engine->counters.no_effect++;
    *out = (struct outcome){.what = OUTCOME_NO_EFFECT, .history = turn->flow->head.sequence};
    return st;
}

static enum turn_status take(struct turn *turn, struct definition *d, const struct input *in,
                             struct reasons *why, struct outcome *out)
{
    struct engine *e = turn->engine;
    const struct program *new = definition_program(d);
    bool fresh = turn->flow == NULL;

    if (!fresh && slice_eq(turn->flow->program->hash, new->hash))
        return unchanged(turn, in, out);
    if (fresh)
        turn->flow = flow_add(e, in->workflow);
    else {
        check_live(turn, new, why);
        proposals_check(turn, new, MISFITS_MAX, why);
    }
    if (turn->status != TURN_DONE)
        return turn->status;
    if (why->n > 0) {
        out->what = OUTCOME_REJECTED;
        return TURN_DONE;
    }
    turn->program = new;
    if (fresh)
        flow_set_definition(turn->flow, definition_hold(d));
    enum turn_status st = install(turn, d, in, why, out);
    if (fresh && st == TURN_DONE && out->what == OUTCOME_REJECTED)
        flow_remove(e, turn->flow);
    return st;
}

enum turn_status publish_definition(struct engine *e, struct store_txn *t, const struct record *r,
                                    const struct cloud_event *ce, const struct input *in, struct arena *a,
                                    struct reasons *why, struct outcome *out, struct err *err)
{
    struct turn turn = {
        .engine = e, .txn = t, .flow = flow_find(e, r->key), .input = r, .arena = e->scratch, .err = err};
    struct wire_definition received;
    struct definition *d = NULL;

    turn.program = turn.flow != NULL ? turn.flow->program : NULL;
    if (wire_definition_from_input(ce, a, &received, why))
        d = definition_compile(&received, in->actor, in->reason, why);
    if (d == NULL) {
        out->what = OUTCOME_REJECTED;
        return TURN_DONE;
    }
    enum turn_status st = take(&turn, d, in, why, out);
    definition_release(d);
    return st;
}
