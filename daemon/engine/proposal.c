/* Measures that wait for a decision: state like any other. */
#include "engine/rerun.h"

static enum turn_status proposal_put(struct turn *turn, struct slice id, struct slice bytes)
{
    struct key k;

    key_proposal(&k, turn->flow->id, id);
    return state_put(turn->engine, turn->txn, TABLE_PROPOSAL, key_slice(&k), bytes, turn->err);
}

enum turn_status commit_proposals(struct turn *turn, struct effects *fx)
{
    struct slice *packed = ARENA_ARRAY(turn->arena, struct slice, fx->nissued);
    enum turn_status st = TURN_DONE;
    struct proposal m;
    size_t n = 0;

    if (fx->verdict != VERDICT_APPLIED)
        return TURN_DONE;
    for (size_t i = 0; st == TURN_DONE && i < fx->nissued; i++) {
        if (fx->issued[i].how != ISSUE_PROPOSED)
            continue;
        packed[n] = wire_proposal_pack(turn->program, fx, &fx->issued[i], turn->arena);
        if (!wire_proposal_read(turn->program, packed[n], turn->arena, &m, turn->err))
            return TURN_FAILED;
        st = proposal_put(turn, m.view.id, packed[n++]);
    }
    fx->proposals = packed;
    fx->nproposals = n;
    return st;
}

enum turn_status proposal_get(struct turn *turn, struct slice id, struct proposal *out, bool *found)
{
    struct slice value;
    struct key k;

    key_proposal(&k, turn->flow->id, id);
    *found = false;
    if (k.overflow)
        return TURN_DONE;
    enum turn_status st = engine_get(turn->txn, TABLE_PROPOSAL, key_slice(&k), &value, found, turn->err);
    if (st == TURN_DONE && *found &&
        !wire_proposal_read(turn->program, arena_dup(turn->arena, value), turn->arena, out, turn->err))
        return TURN_FAILED;
    return st;
}

enum turn_status proposal_drop(struct turn *turn, struct slice id)
{
    struct key k;

    key_proposal(&k, turn->flow->id, id);
    return state_delete(turn->engine, turn->txn, TABLE_PROPOSAL, key_slice(&k), turn->err);
}

enum turn_status proposal_issue(struct turn *turn, const struct proposal *m, instant_t now,
                                const struct cause *cause, struct effects *fx)
{
    const struct world world = world_of(turn);

    step_issue(turn->program, &world, &m->what, now, cause, turn->arena, fx);
    if (turn->status != TURN_DONE)
        return turn->status;
    if (fx->verdict == VERDICT_REJECTED) /* its words or timers cannot be worked out any more */
        return TURN_DONE;
    enum turn_status st = commit_instances(turn, fx);
    return st == TURN_DONE ? proposal_drop(turn, m->view.id) : st;
}

void proposals_check(struct turn *turn, const struct program *new, size_t most, struct reasons *why)
{
    struct store_iter *i = store_iter_new(turn->txn, TABLE_PROPOSAL);
    struct arena *a = arena_new();
    struct slice key, value;
    struct key prefix;

    key_workflow(&prefix, turn->flow->id);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         more && key_has_prefix(key, key_slice(&prefix)) && why->n < most;
         more = store_iter_next(i, &key, &value)) {
        struct err misfit = {{0}};
        struct proposal m;

        arena_reset(a);
        if (!wire_proposal_read(new, value, a, &m, &misfit))
            reasons_add(why, "%s", misfit.text);
    }
    arena_free(a);
    store_iter_free(i);
}
