/* Publication: every scored unit's tally of the period closes, and the rankings that are computed from it are
 * made. */
#include "core/tally.h"
#include "core/turn.h"

struct closing {
    int tally;
    struct period period;
    size_t n;
    struct closing_unit {
        struct slice unit;
        const struct instance *i;
        struct tally_score score;
    } * units; /* ordered by id */
};

static struct value number_or_na(struct value v)
{
    return v.tag == VALUE_NUMBER ? v : (struct value){.tag = VALUE_NA};
}

/* The period that the record belongs to, if the condition holds for it; whether it is scored is another matter. */
static bool closes_period(struct turn *t, const struct tally *y, const struct event *ev, struct period *out)
{
    *out = event_period(t, ev, y->period);
    struct acting act = {.event = ev, .timer = -1};
    struct value period = {.tag = VALUE_PERIOD, .period = *out};
    struct value row = {.tag = VALUE_RECORD, .record = {.field = &period, .n = 1}};
    struct value holds = y->closes_where ? turn_eval_row(t, y->closes_where, &act, &row)
                                         : (struct value){.tag = VALUE_YESNO, .yes = true};
    return !t->failed && holds.tag == VALUE_YESNO && holds.yes;
}

/* Nobody publishes what is not scored; of several tallies that one event closes, one that scores the period will do. */
void tally_check_closing(struct turn *t, const struct event *ev)
{
    const struct tally *none = NULL;
    struct period period;
    for (size_t i = 0; i < t->p->ntallies && !t->failed; i++) {
        const struct tally *y = &t->p->tallies[i];
        if (y->closes_kind != ev->kind || !closes_period(t, y, ev, &period))
            continue;
        if (tally_scores_period(y, period))
            return;
        none = none ? none : y;
    }
    if (!none || t->failed)
        return;
    period = event_period(t, ev, none->period);
    problem_add(&t->why, "period: %.*s does not score %.*s, so it cannot be closed for it", SLICE_ARG(none->name),
                SLICE_ARG(period_format(t->arena, period)));
}

/* All of them are computed before any is closed: none sees another's result, whatever their order. */
static void closing_compute(struct turn *t, struct closing *c)
{
    const struct tally *y = &t->p->tallies[c->tally];
    struct acting nobody = {.timer = -1};
    for (size_t i = 0; i < c->n && !t->failed; i++) {
        struct closing_unit *u = &c->units[i];
        const struct slice key[KEY_PARTS_MAX] = {u->unit, period_format(t->arena, c->period)};
        struct touched *x = overlay_find(t, y->machine, key);
        if (t->failed)
            return;
        u->i = x ? &x->i : tally_blank(t->p, c->tally, u->unit, c->period, t->arena);
        if (u->i->state == TALLY_CLOSED) {
            turn_fail(t, "%.*s for %.*s is closed already: it was published on %.*s", SLICE_ARG(y->name),
                      SLICE_ARG(key[1]), SLICE_ARG(instant_format_local(t->arena, t->p->tz, u->i->since)));
            return;
        }
        struct eval ev = turn_view(t, &nobody, NULL);
        tally_compute(&ev, c->tally, u->i, &u->score);
        t->cost += ev.cost;
        if (u->score.failed)
            turn_fail_at(t, u->score.failed_at, u->score.failed);
        else if (t->cost > STEP_COST_MAX)
            turn_fail_at(t, y->place, "too much work for one turn");
    }
}

static struct value results_of(struct turn *t, const struct tally_score *s)
{
    struct value *item = ARENA_ARRAY(t->arena, struct value, s->n);
    for (size_t i = 0; i < s->n; i++) {
        const struct tally_row *row = &s->rows[i];
        struct value *f = ARENA_ARRAY(t->arena, struct value, RESULT_FIELDS);
        f[RESULT_ITEM] = (struct value){.tag = VALUE_TEXT, .text = row->name};
        f[RESULT_POINTS] = number_or_na(row->points);
        f[RESULT_COMPUTED] = number_or_na(row->computed);
        if (row->bound.n)
            f[RESULT_BOUND] = (struct value){.tag = VALUE_TEXT, .text = row->bound};
        item[i] = (struct value){.tag = VALUE_RECORD, .record = {.field = f, .n = RESULT_FIELDS}};
    }
    return (struct value){.tag = VALUE_LIST, .list = {item, s->n}};
}

static void close_unit(struct turn *t, const struct closing *c, const struct closing_unit *u,
                       const struct event *ev)
{
    const struct tally *y = &t->p->tallies[c->tally];
    struct rule rule = {.place = y->place};
    struct acting act = {.event = ev, .timer = -1, .rule = &rule};
    act.x = overlay_find(t, y->machine, u->i->key);
    if (!act.x && !t->failed)
        act.x = overlay_birth(t, y->machine, u->i->key);
    if (!act.x || t->failed)
        return;
    overlay_change(t, act.x);
    turn_record(t, &act, TALLY_CLOSED);
    act.x->i.state = TALLY_CLOSED;
    act.x->i.since = t->now;
    act.x->i.vars[TALLY_ITEMS] = results_of(t, &u->score);
    act.x->i.vars[TALLY_TOTAL] = u->score.total;
}

enum closed_field { CLOSED_UNIT, CLOSED_PERIOD, CLOSED_TOTAL, CLOSED_ITEMS };

static void queue_closed(struct turn *t, const struct closing *c, const struct closing_unit *u,
                         const struct event *by)
{
    const struct tally *y = &t->p->tallies[c->tally];
    struct value *f = ARENA_ARRAY(t->arena, struct value, CLOSED_ITEMS + y->nitems);
    struct event ev = {.kind = y->kind_closed, .field = f, .received = t->now, .by = by->by};
    f[CLOSED_UNIT] = (struct value){.tag = VALUE_TEXT, .text = u->unit};
    f[CLOSED_PERIOD] = (struct value){.tag = VALUE_PERIOD, .period = c->period};
    f[CLOSED_TOTAL] = u->score.total;
    for (size_t i = 0; i < y->nitems; i++)
        f[CLOSED_ITEMS + i] = number_or_na(u->score.rows[i].points);
    turn_queue(t, &ev);
}

static void queue_ranking(struct turn *t, const struct closing *c, const struct ranking *r,
                          const struct event *by)
{
    struct ranking_score *score = ARENA_ARRAY(t->arena, struct ranking_score, c->n);
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->units[i].score.total.tag == VALUE_NUMBER && ranking_ranks(t, r, c->units[i].unit, c->period))
            score[n++] = (struct ranking_score){c->units[i].unit, c->units[i].score.total.number};
    ranking_compute(t, r, c->period, score, n, by);
}

void tally_close(struct turn *t, int tally, const struct event *ev)
{
    const struct tally *y = &t->p->tallies[tally];
    struct closing c = {.tally = tally};
    int *holder;
    if (!closes_period(t, y, ev, &c.period) || !tally_scores_period(y, c.period))
        return;
    c.n = program_holders(t->p, y->of, y->nof, period_end(c.period) - 1, t->arena, &holder);
    c.units = ARENA_ARRAY(t->arena, struct closing_unit, c.n);
    for (size_t i = 0; i < c.n; i++)
        c.units[i].unit = t->p->units[holder[i]].id;
    closing_compute(t, &c);
    for (size_t i = 0; i < c.n && !t->failed; i++)
        close_unit(t, &c, &c.units[i], ev);
    for (size_t i = 0; i < c.n && !t->failed; i++)
        queue_closed(t, &c, &c.units[i], ev);
    for (size_t r = 0; r < t->p->nrankings && !t->failed; r++)
        if (t->p->rankings[r].tally == tally)
            queue_ranking(t, &c, &t->p->rankings[r], ev);
}
