/* The turn of a correction: the world becomes what it would have been, and people are told the difference. */
#include "engine/rerun.h"

#include <time.h>

#include "base/log.h"

static int64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t); /* for the log alone */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct effects effects_of(const struct input *in, const struct difference *d)
{
    return (struct effects){
        .verdict = VERDICT_APPLIED,
        .cause = {.source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received},
        .now = in->received,
        .proposals = d->proposals,
        .nproposals = d->nproposals};
}

static enum turn_status commit(struct turn *turn, const struct input *in, const struct difference *d)
{
    const struct effects fx = effects_of(in, d);

    for (size_t i = 0; i < d->noutputs; i++)
        engine_output(turn->engine, &d->outputs[i]);
    return commit_history(turn, &fx, d->outputs, d->noutputs, true);
}

/* Runs the plan and takes over what it leads to; with reasons, nothing has changed. */
static enum turn_status run(struct turn *turn, struct plan *plan, const struct input *in, struct reasons *why)
{
    struct definition *held =
        definition_hold(turn->flow->definition); /* the roster may be replaced under it */
    int64_t began = milliseconds();
    struct difference d = {0};
    struct rerun r;
    enum turn_status st = rerun_run(&r, plan, turn, in->received, why);

    if (st == TURN_DONE && why->n == 0)
        st = difference_apply(turn, &r, in, in->reissue, &d);
    if (st == TURN_DONE && why->n == 0)
        st = commit(turn, in, &d);
    log_info("correction of workflow %.*s by %.*s: %llu turns run again in %lld ms, %zu instances changed, "
             "%zu records out, %zu measures proposed",
             SLICE_ARG(turn->flow->id), SLICE_ARG(in->id), (unsigned long long)plan->turns,
             (long long)(milliseconds() - began), d.instances, d.noutputs, d.nproposals);
    rerun_free(&r);
    definition_release(held);
    return st;
}

static enum turn_status correct(struct turn *turn, const struct input *in, struct reasons *why)
{
    struct plan plan;
    enum turn_status st = plan_read(&plan, turn->txn, turn->flow->id, turn->err);

    if (st == TURN_DONE)
        plan_correct(&plan, in, in->received, why);
    if (st == TURN_DONE && why->n == 0)
        st = run(turn, &plan, in, why);
    plan_free(&plan);
    return st;
}

/* ---- decisions need no re-run: issuing acts from now on */

static enum turn_status issue(struct turn *turn, const struct proposal *m, const struct input *in,
                              struct reasons *why)
{
    const struct cause cause = {
        .source = in->source, .id = in->id, .due = INSTANT_NONE, .received = in->received};
    struct record *out;
    struct effects fx;
    size_t n;
    enum turn_status st = proposal_issue(turn, m, in->received, &cause, &fx);

    for (size_t i = 0; i < fx.nreasons; i++)
        reasons_add(why, "%.*s", SLICE_ARG(fx.reasons[i]));
    if (st != TURN_DONE || why->n > 0)
        return st;
    wire_proposal_outputs(turn->program, m, &fx.issued[0], turn->arena, &out, &n);
    for (size_t i = 0; i < n; i++)
        engine_output(turn->engine, &out[i]);
    st = commit_numbers(turn, &fx);
    fx.verdict = VERDICT_APPLIED;
    return st == TURN_DONE ? commit_history(turn, &fx, out, n, true) : st;
}

static enum turn_status decide(struct turn *turn, const struct input *in, struct reasons *why)
{
    struct proposal m;
    bool found;
    enum turn_status st = proposal_get(turn, in->measure_id, &m, &found);

    if (st != TURN_DONE)
        return st;
    if (!found) {
        reasons_add(why, "measure_id: no measure %.*s waits for a decision in workflow %.*s",
                    SLICE_ARG(in->measure_id), SLICE_ARG(turn->flow->id));
        return TURN_DONE;
    }
    if (in->issue)
        return issue(turn, &m, in, why);
    st = proposal_drop(turn, in->measure_id);
    return st == TURN_DONE ? commit(turn, in, &(struct difference){0}) : st;
}

/* ---- */

enum turn_status correction_apply(struct turn *turn, const struct input *in, struct reasons *why,
                                  struct outcome *out)
{
    const struct world world = world_of(turn);
    struct effects fx;

    if (turn->engine->rerun != NULL) { /* a plan has them applied */
        *out = (struct outcome){.what = OUTCOME_NO_EFFECT};
        return TURN_DONE;
    }
    step_input(turn->program, &world, in, turn->arena, &fx);
    for (size_t i = 0; i < fx.nreasons; i++)
        reasons_add(why, "%.*s", SLICE_ARG(fx.reasons[i]));
    enum turn_status st = turn->status;
    if (st == TURN_DONE && why->n == 0)
        st = (in->class_ == INPUT_DECIDE ? decide : correct)(turn, in, why);
    *out = (struct outcome){.what = why->n > 0 ? OUTCOME_REJECTED : OUTCOME_APPLIED,
                            .history = turn->flow->head.sequence};
    return st;
}

/* Whatever its timers did would not have been done: before it was due, or before it was given more time. */
static bool something_followed(const struct effects *fx)
{
    for (size_t i = 0; i < fx->nchanged; i++) {
        const struct instance *is = fx->changed[i], *was = fx->was[i];

        if (was != NULL && was->turns > 1 && is->standing.excused.n > 0 && was->standing.excused.n == 0)
            return true;
    }
    return false;
}

/* What acts from now on is done whatever becomes of the re-run. */
enum turn_status correction_excused(struct turn *turn, const struct input *in, const struct effects *fx)
{
    struct reasons why = {.arena = turn->arena};
    const struct record *input = turn->input;
    struct plan plan;

    if (turn->engine->rerun != NULL || !something_followed(fx))
        return TURN_DONE;
    turn->input = NULL; /* it stands in the turn before, which this one goes on from */
    enum turn_status st = plan_read(&plan, turn->txn, turn->flow->id, turn->err);
    if (st == TURN_DONE)
        st = run(turn, &plan, in, &why);
    plan_free(&plan);
    for (size_t i = 0; i < why.n; i++)
        log_warn("workflow %.*s: what followed before the excuse %.*s stands: %.*s",
                 SLICE_ARG(turn->flow->id), SLICE_ARG(in->id), SLICE_ARG(why.item[i]));
    turn->input = input;
    return st;
}
