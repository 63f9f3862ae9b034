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

/* One event on its way into one machine. */
struct reaching {
    struct turn *t;
    int machine;
    const struct reach *r;
    const struct event *ev;
    struct value part[KEY_PARTS_MAX];
    struct targets *l;
};

/* The instances there are whose key has the draft's parts, as far as the reach gives them. */
static void target_scan(const struct reaching *at, const struct target *draft)
{
    const struct machine *m = &at->t->p->machines[at->machine];
    size_t prefix = 0, n;
    while (prefix < m->nkey && at->r->key[prefix])
        prefix++;
    struct touched **x = overlay_scan(at->t, at->machine, draft->key, prefix, &n);
    for (size_t i = 0; i < n && !at->t->failed; i++) {
        struct target one = {.born = false};
        bool fits = true;
        for (size_t k = 0; k < m->nkey; k++)
            fits &= !at->r->key[k] || slice_eq(x[i]->i.key[k], draft->key[k]);
        memcpy(one.key, x[i]->i.key, sizeof one.key);
        if (fits)
            target_add(at->t, m, at->l, &one);
    }
}

/* Every combination of the values of the key's parts: a set fans out. */
static void fan_out(const struct reaching *at, size_t k, bool any, struct target *draft)
{
    const struct machine *m = &at->t->p->machines[at->machine];
    if (k == m->nkey && any) {
        target_scan(at, draft);
    } else if (k == m->nkey) {
        target_add(at->t, m, at->l, draft);
    } else if (!at->r->key[k]) {
        fan_out(at, k + 1, true, draft);
    } else {
        const struct value *part = &at->part[k];
        bool many = part->tag == VALUE_LIST;
        const struct value *item = many ? part->list.item : part;
        for (size_t i = 0; i < (many ? part->list.n : 1) && !at->t->failed; i++)
            if (key_part(at->t, m, k, &item[i], &draft->key[k]))
                fan_out(at, k + 1, any, draft);
    }
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

/* item: of the reach's `each`; NULL: it has none. */
static void reach_item(struct reaching *at, const struct value *item)
{
    struct turn *t = at->t;
    struct acting nobody = {.event = at->ev, .timer = -1};
    struct target draft = {.born = at->r->born};
    instant_t now = t->now;
    t->now = roster_time(t, at->ev);
    for (size_t k = 0; k < t->p->machines[at->machine].nkey; k++)
        at->part[k] = turn_eval_row(t, at->r->key[k], &nobody, item);
    t->now = now;
    if (!t->failed)
        fan_out(at, 0, false, &draft);
}

/* Drops those, from the `first` on, for which the reach's condition does not hold. */
static void reach_filter(const struct reaching *at, size_t first)
{
    struct turn *t = at->t;
    size_t kept = first;
    for (size_t i = first; i < at->l->n && !t->failed; i++) {
        struct acting act = {.x = overlay_find(t, at->machine, at->l->item[i].key), .event = at->ev, .timer = -1};
        if (act.x && turn_holds(t, at->r->where, &act))
            at->l->item[kept++] = at->l->item[i];
    }
    at->l->n = kept;
}

static void reach_targets(struct turn *t, int machine, const struct reach *r, const struct event *ev,
                          struct targets *l)
{
    struct reaching at = {.t = t, .machine = machine, .r = r, .ev = ev, .l = l};
    struct acting nobody = {.event = ev, .timer = -1};
    size_t first = l->n;
    if (r->born && !turn_holds(t, r->where, &nobody))
        return;
    if (r->each) {
        struct value items = turn_eval(t, r->each, &nobody);
        for (size_t i = 0; items.tag == VALUE_LIST && i < items.list.n && !t->failed; i++)
            reach_item(&at, &items.list.item[i]);
    } else {
        reach_item(&at, NULL);
    }
    if (!r->born && r->where)
        reach_filter(&at, first);
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
    int named = kind_field(kind, S("obligation"));
    int o = named >= 0 && ev->field[named].tag == VALUE_TEXT ? program_obligation(t->p, ev->field[named].text) : -1;
    if (o < 0 || t->p->obligations[o].machine != machine)
        return;
    for (size_t i = 0; i < sizeof task_fields / sizeof *task_fields; i++) {
        int f = kind_field(kind, task_fields[i].field);
        if (f >= 0 && ev->field[f].tag != VALUE_NA)
            one.key[task_fields[i].part] = value_format(t->arena, &ev->field[f], t->p->tz);
    }
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

/* What was corrected hears it itself. By `reach:`, others hear of tasks only: a case's event names no task. */
static void correction_target(struct turn *t, const struct machine *m, const struct event *ev, struct targets *l)
{
    struct target one = {.born = false};
    memcpy(one.key, ev->to->key, sizeof one.key);
    target_add(t, m, l, &one);
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
    if (ev->to && ev->to->machine == machine)
        correction_target(t, m, ev, &l);
    else if (m->of == MACHINE_TASK && is_task_event(ev->kind))
        task_target(t, machine, ev, &l);
    for (size_t r = 0; r < m->nreach && !t->failed && (!ev->to || ev->to->task); r++)
        if (m->reach[r].kind == ev->kind)
            reach_targets(t, machine, &m->reach[r], ev, &l);
    if (l.n > 1)
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
