/* Which instances an event reaches. */
#include "core/turn.h"

#include <stdlib.h>

struct targets {
    struct target *item;
    size_t n, cap;
};

/* One part of a key as text; false: there is none, so nothing is reached. */
static bool key_part(struct turn *t, const struct machine *m, size_t k, const struct value *v,
                     struct slice *out)
{
    if (v->tag == VALUE_NA)
        return false;
    *out = v->tag == VALUE_TEXT ? v->text : value_format(t->arena, v, t->p->tz);
    if (out->n > KEY_PART_MAX)
        turn_fail(t, "%.*s of %.*s: at most %d bytes, not %zu", SLICE_ARG(m->key[k].name), SLICE_ARG(m->name),
                  KEY_PART_MAX, out->n);
    else if (!slice_is_printable(*out))
        turn_fail(t, "%.*s of %.*s: no control characters in a key", SLICE_ARG(m->key[k].name),
                  SLICE_ARG(m->name));
    return out->n > 0 && !t->failed;
}

static void target_add(struct turn *t, const struct machine *m, struct targets *l, const struct target *one)
{
    size_t bytes = 0;
    for (size_t k = 0; k < m->nkey; k++)
        bytes += one->key[k].n;
    if (bytes > KEY_BYTES_MAX)
        turn_fail(t, "the key of %.*s: at most %d bytes together, not %zu", SLICE_ARG(m->name), KEY_BYTES_MAX,
                  bytes);
    else if (l->n == STEP_INSTANCES_MAX)
        turn_fail(t, "more than %d instances of %.*s reached by one event", STEP_INSTANCES_MAX,
                  SLICE_ARG(m->name));
    else
        *(struct target *)arena_push(t->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = *one;
}

/* Every combination of the values of the key's parts: a set fans out. */
static void fan_out(struct turn *t, const struct machine *m, const struct value *part, size_t k,
                    struct target *draft, struct targets *l)
{
    if (k == m->nkey) {
        target_add(t, m, l, draft);
        return;
    }
    bool many = part[k].tag == VALUE_LIST;
    const struct value *item = many ? part[k].list.item : &part[k];
    for (size_t i = 0; i < (many ? part[k].list.n : 1) && !t->failed; i++)
        if (key_part(t, m, k, &item[i], &draft->key[k]))
            fan_out(t, m, part, k + 1, draft, l);
}

/* Liability looks at the roster of the period's last day: whoever took over later answers for nothing before. */
static instant_t roster_time(const struct turn *t, const struct event *ev)
{
    struct period ranked;
    if (t->p->kinds[ev->kind].class_ != KIND_CLASS_RANKING_ENTRY || !event_named_period(t, ev, &ranked))
        return t->now;
    instant_t last = tz_instant(t->p->tz, period_end(ranked), 0) - 1;
    return last < t->now ? last : t->now;
}

static void reach_targets(struct turn *t, const struct machine *m, const struct reach *r,
                          const struct event *ev, struct targets *l)
{
    struct value part[KEY_PARTS_MAX];
    struct acting nobody = {.event = ev, .timer = -1};
    struct target draft = {.born = r->born};
    instant_t now = t->now;
    t->now = roster_time(t, ev);
    for (size_t k = 0; k < m->nkey; k++)
        part[k] = turn_eval(t, r->key[k], &nobody);
    t->now = now;
    if (!t->failed)
        fan_out(t, m, part, 0, &draft, l);
}

/* ---- tasks: built-in events name theirs */

static const struct {
    struct slice field;
    enum task_key part;
} task_fields[] = {{{"obligation", 10}, TASK_OBLIGATION},
                   {{"period", 6}, TASK_PERIOD},
                   {{"unit", 4}, TASK_UNIT},
                   {{"about", 5}, TASK_ABOUT}};

static bool is_task_event(int kind)
{
    return kind == KIND_SUBMITTED || kind == KIND_ACCEPTED || kind == KIND_RETURNED || kind == KIND_COUNTED;
}

static void task_target(struct turn *t, int machine, const struct event *ev, struct targets *l)
{
    const struct kind *kind = &t->p->kinds[ev->kind];
    struct target one = {.born = false};
    for (size_t i = 0; i < sizeof task_fields / sizeof *task_fields; i++) {
        int f = kind_field(kind, task_fields[i].field);
        if (f >= 0 && ev->field[f].tag != VALUE_NA)
            one.key[task_fields[i].part] = value_format(t->arena, &ev->field[f], t->p->tz);
    }
    int o = program_obligation(t->p, one.key[TASK_OBLIGATION]);
    if (o >= 0 && t->p->obligations[o].machine == machine)
        target_add(t, &t->p->machines[machine], l, &one);
}

struct event event_of_task(struct turn *t, int kind, const struct slice *key, struct period period,
                           const struct event *from, struct value reason)
{
    const struct kind *k = &t->p->kinds[kind];
    struct event ev = {.kind = kind,
                       .field = ARENA_ARRAY(t->arena, struct value, k->nfields),
                       .received = from->received,
                       .by = from->by};
    for (size_t i = 0; i < sizeof task_fields / sizeof *task_fields; i++) {
        int f = kind_field(k, task_fields[i].field);
        if (f < 0)
            continue;
        struct slice part = key[task_fields[i].part];
        if (task_fields[i].part == TASK_PERIOD)
            ev.field[f] = (struct value){.tag = VALUE_PERIOD, .period = period};
        else if (part.n)
            ev.field[f] = (struct value){.tag = VALUE_TEXT, .text = part};
    }
    int f = kind_field(k, S("reason"));
    if (f >= 0)
        ev.field[f] = reason;
    return ev;
}

/* ---- the whole */

static int target_cmp(const void *a, const void *b)
{
    return instance_key_cmp(((const struct target *)a)->key, ((const struct target *)b)->key);
}

struct target *route_event(struct turn *t, int machine, const struct event *ev, size_t *n)
{
    const struct machine *m = &t->p->machines[machine];
    struct targets l = {0};
    if (m->of == MACHINE_TASK && is_task_event(ev->kind))
        task_target(t, machine, ev, &l);
    for (size_t r = 0; r < m->nreach && !t->failed; r++)
        if (m->reach[r].kind == ev->kind)
            reach_targets(t, m, &m->reach[r], ev, &l);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, target_cmp);
    size_t kept = 0;
    for (size_t i = 0; i < l.n; i++) {
        if (kept && target_cmp(&l.item[kept - 1], &l.item[i]) == 0)
            l.item[kept - 1].born |= l.item[i].born;
        else
            l.item[kept++] = l.item[i];
    }
    *n = t->failed ? 0 : kept;
    return l.item;
}

/* ---- what obligations count */

static bool obligation_counts(struct turn *t, const struct obligation *o, struct touched *task,
                              const struct event *ev)
{
    struct acting act = {.x = task, .event = ev, .timer = -1};
    for (size_t c = 0; c < o->ncounts && !t->failed; c++)
        if (o->counts[c].kind == ev->kind && turn_holds(t, o->counts[c].where, &act))
            return true;
    return false;
}

static bool obligation_hears(const struct obligation *o, int kind)
{
    for (size_t c = 0; c < o->ncounts; c++)
        if (o->counts[c].kind == kind)
            return true;
    return false;
}

void route_counted(struct turn *t, const struct event *ev)
{
    for (size_t i = 0; i < t->p->nobligations && !t->failed; i++) {
        const struct obligation *o = &t->p->obligations[i];
        if (!obligation_hears(o, ev->kind))
            continue;
        struct period period = event_period(t, ev, o->period);
        struct slice key[KEY_PARTS_MAX] = {
            [TASK_OBLIGATION] = o->name, [TASK_PERIOD] = period_format(t->arena, period)};
        size_t n;
        struct touched **task = overlay_scan(t, o->machine, key, 2, &n);
        for (size_t k = 0; k < n && !t->failed; k++)
            if (obligation_counts(t, o, task[k], ev)) {
                struct event counted = event_of_task(t, KIND_COUNTED, task[k]->i.key, period, ev,
                                                     (struct value){.tag = VALUE_NA});
                turn_queue(t, &counted);
            }
    }
}
