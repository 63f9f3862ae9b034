/* The turn's driver: the queue, the choice of a rule, leaving and entering states. Every change of state goes
 * through here. */
#include "core/turn.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- failure */

static void __attribute__((format(printf, 2, 0))) problem_addv(struct problems *why, const char *fmt, va_list ap)
{
    char text[1024];
    struct slice s = {text, 0};
    int n = vsnprintf(text, sizeof text, fmt, ap);
    s.n = n < (int)sizeof text ? (size_t)(n < 0 ? 0 : n) : sizeof text - 1;
    for (int cut = 0; cut < 3 && !slice_is_utf8(s); cut++)
        s.n--; /* a long one may have been cut within a character */
    if (why->n == REASONS_MAX) {
        why->dropped++;
        why->item[REASONS_MAX - 1] = arena_printf(why->arena, "… and %zu more", why->dropped + 1);
        return;
    }
    struct slice *slot = arena_push(why->arena, &why->item, &why->n, &why->cap, sizeof *slot);
    *slot = arena_dup(why->arena, s);
}

void problem_add(struct problems *why, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    problem_addv(why, fmt, ap);
    va_end(ap);
}

void turn_fail(struct turn *t, const char *fmt, ...)
{
    va_list ap;
    t->failed = true;
    va_start(ap, fmt);
    problem_addv(&t->why, fmt, ap);
    va_end(ap);
}

/* ---- evaluation */

void turn_fail_at(struct turn *t, uint32_t place, const char *what)
{
    const struct place *at = &t->p->places[place < t->p->nplaces ? place : 0];
    turn_fail(t, "%.*s:%d: %s", SLICE_ARG(at->file), at->line, what);
}

struct eval turn_view(struct turn *t, const struct acting *act, const struct row *row)
{
    t->instances = overlay_instances(t);
    return (struct eval){.program = t->p,
                         .instances = &t->instances,
                         .event = act->event,
                         .instance = act->x ? &act->x->i : NULL,
                         .now = t->now,
                         .arena = t->arena,
                         .row = row};
}

struct value turn_eval_rows(struct turn *t, const struct expr *x, const struct acting *act, const struct row *row)
{
    struct value na = {.tag = VALUE_NA};
    if (!x || t->failed)
        return na;
    struct eval ev = turn_view(t, act, row);
    struct value v = expr_eval(&ev, x);
    t->cost += ev.cost;
    if (ev.failed)
        turn_fail_at(t, ev.failed_at ? ev.failed_at->place : x->place, ev.failed);
    else if (t->cost > STEP_COST_MAX)
        turn_fail_at(t, x->place, "too much work for one turn");
    return t->failed ? na : v;
}

struct value turn_eval_row(struct turn *t, const struct expr *x, const struct acting *act,
                           const struct value *item)
{
    struct row row = {.item = item};
    return turn_eval_rows(t, x, act, item ? &row : NULL);
}

struct value turn_eval(struct turn *t, const struct expr *x, const struct acting *act)
{
    return turn_eval_row(t, x, act, NULL);
}

bool turn_holds(struct turn *t, const struct expr *x, const struct acting *act)
{
    if (!x)
        return true;
    struct value v = turn_eval(t, x, act);
    return v.tag == VALUE_YESNO && v.yes;
}

/* ---- entering and leaving */

static const struct machine *machine_of(const struct turn *t, const struct touched *x)
{
    return &t->p->machines[x->i.machine];
}

static void arm_all(struct turn *t, const struct acting *act, const struct state_body *b)
{
    const struct machine *m = machine_of(t, act->x);
    for (size_t i = 0; i < b->ntimers && !t->failed; i++)
        timers_arm(t, act, b->timers[i], m->timers[b->timers[i]].when);
}

static void leave_state(struct turn *t, const struct acting *act, int from, bool leave_group)
{
    const struct machine *m = machine_of(t, act->x);
    const struct state *s = &m->states[from];
    struct acting leaving = *act;
    leaving.place = s->place;
    leaving.in_rule = false;
    actions_run(t, &leaving, s->body.leave, s->body.nleave);
    if (leave_group)
        actions_run(t, &leaving, m->groups[s->group].body.leave, m->groups[s->group].body.nleave);
    timers_leave(t, act->x, from, leave_group);
}

/* Timers are armed last: they may ask what the entry actions set, such as the limit of the measure just
 * issued. */
static void enter_state(struct turn *t, const struct acting *act, int to, bool enter_group)
{
    const struct machine *m = machine_of(t, act->x);
    const struct state *s = &m->states[to];
    const struct state_body *group = enter_group ? &m->groups[s->group].body : NULL;
    struct acting entering = *act;
    entering.place = s->place;
    entering.in_rule = false;
    act->x->i.state = to;
    act->x->i.since = t->now;
    act->x->i.halted = false;
    if (group)
        actions_run(t, &entering, group->enter, group->nenter);
    actions_run(t, &entering, s->body.enter, s->body.nenter);
    if (group)
        arm_all(t, &entering, group);
    arm_all(t, &entering, &s->body);
}

static void change_state(struct turn *t, const struct acting *act, int to)
{
    const struct machine *m = machine_of(t, act->x);
    int from = act->x->i.state, to_group = m->states[to].group;
    int from_group = from >= 0 ? m->states[from].group : -1;
    if (from >= 0)
        leave_state(t, act, from, from_group >= 0 && from_group != to_group);
    enter_state(t, act, to, to_group >= 0 && from_group != to_group);
}

void turn_record(struct turn *t, const struct acting *act, int to)
{
    struct transition *tr =
        arena_push(t->arena, &t->out->transitions, &t->out->ntransitions, &t->transitions_cap, sizeof *tr);
    *tr = (struct transition){.instance = &act->x->i,
                              .from = act->x->i.state,
                              .to = to,
                              .kind = act->event ? act->event->kind : KIND_TIMER,
                              .timer = act->timer,
                              .place = act->rule ? act->rule->place : 0};
}

/* ---- rules */

static void take_rule(struct turn *t, struct acting act, const struct rule *r)
{
    if (r->refuse.n) {
        turn_fail(t, "%.*s", SLICE_ARG(r->refuse));
        return;
    }
    act.rule = r;
    act.place = r->place;
    act.in_rule = true;
    overlay_change(t, act.x);
    turn_record(t, &act, r->go >= 0 ? r->go : act.x->i.state);
    actions_run(t, &act, r->actions, r->nactions);
    if (r->go >= 0 && !t->failed)
        change_state(t, &act, r->go);
}

/* The first rule that holds: of the state, of its group, of any-state. kind -1: `when: any`. */
static const struct rule *find_rule(struct turn *t, const struct acting *act, int kind)
{
    const struct machine *m = machine_of(t, act->x);
    const struct state *s = &m->states[act->x->i.state];
    const struct state_body *bodies[] = {&s->body, s->group >= 0 ? &m->groups[s->group].body : NULL,
                                         &m->any_state};
    for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++)
        for (size_t r = 0; bodies[b] && r < bodies[b]->nrules && !t->failed; r++) {
            const struct rule *rule = &bodies[b]->rules[r];
            bool heard = rule->kind == kind && (kind != KIND_TIMER || rule->timer == act->timer);
            bool holds = heard && turn_holds(t, rule->if_, act);
            if (heard && !t->failed)
                watch_rule(t, act, rule, holds);
            if (holds)
                return t->failed ? NULL : rule;
        }
    return NULL;
}

static void take_any_rules(struct turn *t, const struct acting *act)
{
    const struct rule *r;
    for (int taken = 0; (r = find_rule(t, act, -1)) != NULL; taken++) {
        if (taken == STEP_ANY_MAX) {
            turn_fail_at(t, r->place, "`when: any` still holds after many rounds");
            return;
        }
        take_rule(t, *act, r);
    }
}

static void handle(struct turn *t, const struct acting *act, int kind)
{
    const struct rule *r = find_rule(t, act, kind);
    if (r)
        take_rule(t, *act, r);
    else if (act->event && act->event->to == &act->x->i && !t->failed)
        turn_record(t, act, act->x->i.state); /* a correction is on record whether a rule takes it or not */
    take_any_rules(t, act);
}

void turn_fire(struct turn *t, struct touched *x, int timer)
{
    struct acting act = {.x = x, .timer = timer};
    handle(t, &act, KIND_TIMER);
}

static void enter_initial(struct turn *t, const struct acting *act)
{
    int initial = machine_of(t, act->x)->initial;
    overlay_change(t, act->x);
    turn_record(t, act, initial);
    change_state(t, act, initial);
}

void turn_bear(struct turn *t, struct touched *x, const struct event *ev)
{
    struct acting act = {.x = x, .event = ev, .timer = -1};
    enter_initial(t, &act);
    take_any_rules(t, &act);
}

/* ---- the queue */

void turn_queue(struct turn *t, const struct event *ev)
{
    if (t->nqueue == STEP_QUEUE_MAX) {
        turn_fail(t, "more than %d events in one turn", STEP_QUEUE_MAX);
        return;
    }
    struct event *slot = arena_push(t->arena, &t->queue, &t->nqueue, &t->queue_cap, sizeof *slot);
    *slot = *ev;
}

static void reach_instance(struct turn *t, int machine, const struct target *target, const struct event *ev)
{
    struct touched *x = overlay_find(t, machine, target->key);
    struct acting act = {.event = ev, .timer = -1};
    if (!x && target->born && !t->failed)
        x = overlay_birth(t, machine, target->key);
    if (!x || t->failed)
        return;
    act.x = x;
    fill_event(t, x, ev);
    if (x->i.state < 0 && !t->failed)
        enter_initial(t, &act);
    fold_event(t, x, ev);
    if (!t->failed)
        handle(t, &act, ev->kind);
}

static void reach_machines(struct turn *t, const struct event *ev, bool rows)
{
    for (size_t m = 0; m < t->p->nmachines && !t->failed; m++) {
        size_t n;
        const struct target *target = t->p->machines[m].rows == rows ? route_event(t, (int)m, ev, &n) : NULL;
        for (size_t i = 0; target && i < n && !t->failed; i++)
            reach_instance(t, (int)m, &target[i], ev);
    }
}

/* Rows first: what looks at a ledger finds what the event says of it. */
static void dispatch(struct turn *t, const struct event *ev)
{
    reach_machines(t, ev, true);
    births_of_event(t, ev);
    reach_machines(t, ev, false);
    route_filed(t, ev);
    route_counted(t, ev);
    tally_hear(t, ev);
}

void turn_run_queue(struct turn *t)
{
    while (t->head < t->nqueue && !t->failed) {
        struct event ev = t->queue[t->head++]; /* a copy: the queue moves as it grows */
        dispatch(t, &ev);
    }
}
