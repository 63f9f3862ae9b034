#include "ctl/trail.h"

static struct slice cause_print(struct trail *t, const struct cause *c)
{
    if (c->timer.n)
        return arena_printf(t->arena, "timer %.*s of %.*s, due %.*s", SLICE_ARG(c->timer),
                            SLICE_ARG(c->instance),
                            SLICE_ARG(instant_format_local(t->arena, t->p->tz, c->due)));
    return arena_printf(t->arena, "record %.*s from %.*s, received %.*s", SLICE_ARG(c->id),
                        SLICE_ARG(c->source),
                        SLICE_ARG(instant_format_local(t->arena, t->p->tz, c->received)));
}

static const struct task *task_copy(struct trail *t, const struct task *from)
{
    if (!from)
        return NULL;
    struct task *task = ARENA_NEW(t->arena, struct task);
    *task = *from;
    task->reason = arena_dup(t->arena, from->reason);
    task->owners = NULL;
    task->nowners = 0;
    return task;
}

static void take_watched(void *ctx, const struct watched *w)
{
    struct trail *t = ctx;
    struct slice who = instance_print(t->arena, w->program, w->instance);
    if (!t->wanted(t->ctx, who))
        return;
    struct trail_step *s = arena_push(t->arena, &t->item, &t->n, &t->cap, sizeof *s);
    *s = (struct trail_step){.what = w->what == WATCHED_RULE ? STEP_LOOKED : STEP_COUNTED,
                             .turn = t->turn,
                             .instance = who,
                             .machine = &w->program->machines[w->instance->machine],
                             .rule = w->rule,
                             .count = w->count,
                             .n = w->n,
                             .holds = w->holds,
                             .state = w->instance->state,
                             .now = w->now,
                             .event = watched_event_print(t->arena, w),
                             .cause = cause_print(t, w->cause),
                             .parts = {.arena = t->arena},
                             .task = task_copy(t, w->instance->task)};
    if (w->what == WATCHED_RULE)
        guard_explain(&s->parts, w, w->rule->if_);
}

void trail_start(struct trail *t, const struct program *p, struct arena *a,
                 bool (*wanted)(void *ctx, struct slice instance), void *ctx)
{
    *t = (struct trail){.p = p, .arena = a, .wanted = wanted, .ctx = ctx};
    t->watch = (struct watch){t, take_watched};
}

/* "card/u-01/i-017", as instance_print writes it. */
static struct slice transition_instance(struct trail *t, const json_t *o, const struct machine **machine)
{
    const json_t *key = json_object_get(o, "key");
    struct instance i = {.machine = program_machine(t->p, json_member(o, "machine"))};
    if (i.machine < 0)
        return S("");
    for (size_t k = 0; k < json_array_size(key) && k < KEY_PARTS_MAX; k++)
        i.key[k] = slice_of(json_string_value(json_array_get(key, k)));
    *machine = &t->p->machines[i.machine];
    return instance_print(t->arena, t->p, &i);
}

static struct slice cause_of(struct trail *t, const json_t *history)
{
    const json_t *c = json_object_get(history, "cause");
    struct cause cause = {.source = json_member(c, "source"),
                          .id = json_member(c, "id"),
                          .instance = json_member(c, "task"),
                          .timer = json_member(c, "timer")};
    instant_parse(json_member(history, "now"), &cause.received);
    cause.due = cause.received;
    return cause_print(t, &cause);
}

void trail_turn(struct trail *t, const json_t *history)
{
    const json_t *moved = json_object_get(history, "transitions");
    struct slice verdict = json_member(history, "verdict");
    if (slice_eq(verdict, S("REJECTED")) || slice_eq(verdict, S("HALTED")))
        while (t->n && t->item[t->n - 1].turn == t->turn && !t->item[t->n - 1].rule)
            t->n--; /* counts that were undone; the rules that were looked at say why */
    for (size_t i = 0; i < json_array_size(moved); i++) {
        const json_t *o = json_array_get(moved, i);
        const struct machine *m = NULL;
        struct slice who = transition_instance(t, o, &m);
        if (!m || !t->wanted(t->ctx, who))
            continue;
        struct trail_step *s = arena_push(t->arena, &t->item, &t->n, &t->cap, sizeof *s);
        *s = (struct trail_step){.what = STEP_MOVED, .turn = t->turn, .instance = who, .machine = m};
        instant_parse(json_member(history, "now"), &s->now);
        s->from = arena_dup(t->arena, json_member(o, "from"));
        s->to = arena_dup(t->arena, json_member(o, "to"));
        s->at = arena_dup(t->arena, json_member(o, "rule"));
        s->cause = cause_of(t, history);
    }
    t->turn++;
}
