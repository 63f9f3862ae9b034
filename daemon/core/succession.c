/* What is handed over when units end: open tasks, cases, counts. All that is due by today is handed over at
 * once, in a turn of its own: that of the timer of the generator's instance under a key that no obligation's
 * name can be, which stands at 00:00 of the next succession; that of a roster change or a definition that
 * speaks of today or of the past.
 *
 * Invariant: between turns no instance that is not final has, where its key or a variable names a unit, one
 * that an earlier turn's roster knows to have been succeeded. What is final stays where it is: it is history.
 */
#include "core/roster.h"
#include "core/turn.h"

#include <stdlib.h>

#define GENERATOR 0
#define TIMER_OPEN 0

static const struct slice roster_key = {"roster changes", 14};

bool is_succession(const struct touched *x)
{
    return slice_eq(x->i.key[0], roster_key);
}

/* ---- names */

static struct slice heir(const struct turn *t, struct slice unit, enum heir what)
{
    return program_heir(t->p, unit, what, t->today);
}

/* Whether part k of the machine's keys names a unit. */
static bool names_unit(const struct program *p, const struct instance *i, size_t k)
{
    const struct machine *m = &p->machines[i->machine];
    if (m->of == MACHINE_TASK && k == TASK_ABOUT)
        return p->obligations[i->task->obligation].nabout_roles > 0;
    return k < m->nkey && (m->key[k].type.tag == TYPE_UNIT || (int)k == m->unit_key);
}

static bool keeps_points(const struct program *p, int machine)
{
    for (size_t i = 0; i < p->ntallies; i++)
        if (p->tallies[i].machine == machine)
            return true;
    return false;
}

/* For a period that is over whoever was there on its last day answers: its points are not handed over. */
static date_t roster_day(const struct turn *t, const struct instance *i)
{
    struct period scored;
    if (!keeps_points(t->p, i->machine) || !period_parse(i->key[1], &scored))
        return t->today;
    date_t last = period_end(scored) - 1;
    return last < t->today ? last : t->today;
}

/* Points are counts. */
static enum heir inherits(const struct turn *t, const struct instance *i)
{
    if (t->p->machines[i->machine].of == MACHINE_TASK)
        return HEIR_OF_TASKS;
    return keeps_points(t->p, i->machine) ? HEIR_OF_COUNTS : HEIR_OF_CASES;
}

/* The key under which the heirs have it; false: the same. */
static bool key_of_heir(struct turn *t, const struct instance *i, enum heir what, struct slice *key)
{
    bool moved = false;
    date_t day = roster_day(t, i);
    memcpy(key, i->key, sizeof i->key);
    for (size_t k = 0; k < t->p->machines[i->machine].nkey; k++)
        if (key[k].n && names_unit(t->p, i, k)) {
            key[k] = program_heir(t->p, key[k], what, day);
            moved |= !slice_eq(key[k], i->key[k]);
        }
    return moved;
}

static bool is_of_units(const struct type *type)
{
    return type->tag == TYPE_UNIT ||
           ((type->tag == TYPE_SET || type->tag == TYPE_LIST) && type->of->tag == TYPE_UNIT);
}

static bool value_moves(struct turn *t, const struct value *v, enum heir what)
{
    bool moves = v->tag == VALUE_TEXT && !slice_eq(heir(t, v->text, what), v->text);
    for (size_t i = 0; v->tag == VALUE_LIST && i < v->list.n; i++)
        moves |= value_moves(t, &v->list.item[i], what);
    return moves;
}

static bool vars_move(struct turn *t, const struct instance *i, enum heir what)
{
    const struct machine *m = &t->p->machines[i->machine];
    bool moves = false;
    for (size_t v = 0; v < m->nvars; v++)
        moves |= is_of_units(&m->vars[v].type) && value_moves(t, &i->vars[v], what);
    for (size_t o = 0; i->task && o < i->task->nowners; o++)
        moves |= !slice_eq(heir(t, i->task->owners[o], what), i->task->owners[o]);
    return moves;
}

/* ---- what a move does to an instance */

static int value_order(const void *a, const void *b)
{
    return value_cmp(a, b);
}

static struct value value_of_heir(struct turn *t, const struct type *type, const struct value *v,
                                  enum heir what)
{
    struct value out = *v;
    size_t kept = 0;
    if (v->tag == VALUE_TEXT)
        out.text = heir(t, v->text, what);
    if (v->tag != VALUE_LIST)
        return out;
    out.list.item = ARENA_ARRAY(t->arena, struct value, v->list.n);
    for (size_t i = 0; i < v->list.n; i++)
        out.list.item[i] = value_of_heir(t, type->of, &v->list.item[i], what);
    if (type->tag == TYPE_LIST || v->list.n == 0)
        return out;
    qsort(out.list.item, out.list.n, sizeof *out.list.item, value_order);
    for (size_t i = 0; i < v->list.n; i++)
        if (kept == 0 || value_cmp(&out.list.item[kept - 1], &out.list.item[i]) != 0)
            out.list.item[kept++] = out.list.item[i];
    out.list.n = kept;
    return out;
}

static void owners_rename(struct turn *t, struct task *task)
{
    struct slice *owner = ARENA_ARRAY(t->arena, struct slice, task->nowners);
    size_t n = 0;
    for (size_t i = 0; i < task->nowners; i++) {
        struct slice one = heir(t, task->owners[i], HEIR_OF_TASKS);
        size_t at = n;
        while (at > 0 && slice_cmp(owner[at - 1], one) > 0)
            at--;
        if (at > 0 && slice_eq(owner[at - 1], one))
            continue;
        memmove(owner + at + 1, owner + at, (n - at) * sizeof *owner);
        owner[at] = one;
        n++;
    }
    task->owners = owner;
    task->nowners = n;
}

static void rename_inside(struct turn *t, struct touched *x, enum heir what)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    overlay_change(t, x);
    for (size_t v = 0; v < m->nvars; v++)
        if (is_of_units(&m->vars[v].type))
            x->i.vars[v] = value_of_heir(t, &m->vars[v].type, &x->i.vars[v], what);
    if (x->i.task && x->i.task->nowners)
        owners_rename(t, x->i.task);
}

/* Counts of one window add up; of two windows, only the later one still counts. */
static void count_add(struct count *to, const struct count *more)
{
    int c = period_cmp(to->window, more->window);
    if (more->n == 0 && to->n != 0)
        return;
    if (to->window.kind != more->window.kind || c < 0)
        *to = *more;
    else if (c == 0)
        to->n += more->n;
}

static void counts_add(struct turn *t, struct touched *to, const struct count *more)
{
    overlay_change(t, to);
    for (size_t c = 0; c < t->p->machines[to->i.machine].ncounts; c++)
        count_add(&to->i.counts[c], &more[c]);
}

static void entries_append(struct turn *t, struct value *to, const struct value *more)
{
    size_t had = to->tag == VALUE_LIST ? to->list.n : 0, n = more->tag == VALUE_LIST ? more->list.n : 0;
    struct value *item = ARENA_ARRAY(t->arena, struct value, had + n);
    if (n == 0)
        return;
    if (had)
        memcpy(item, to->list.item, had * sizeof *item);
    memcpy(item + had, more->list.item, n * sizeof *item);
    *to = (struct value){.tag = VALUE_LIST, .list = {item, had + n}};
}

/* A case that is still open never disappears into one that is done; else the one further along counts: of a task
 * owed by both, what one of them did. */
static bool prevails(const struct turn *t, const struct instance *one, const struct instance *other)
{
    const struct machine *m = &t->p->machines[one->machine];
    bool done = one->state >= 0 && m->states[one->state].final;
    bool other_done = other->state >= 0 && m->states[other->state].final;
    return m->of != MACHINE_TASK && done != other_done ? other_done : one->state > other->state;
}

/* Two become one: the one that prevails stays as it is, in the place of both. */
static void merge(struct turn *t, struct touched *into, struct touched *from)
{
    struct value *entries = keeps_points(t->p, into->i.machine) ? into->i.vars : NULL;
    struct value all = entries ? entries[TALLY_ENTRIES] : (struct value){.tag = VALUE_NA};
    if (entries)
        entries_append(t, &all, &from->i.vars[TALLY_ENTRIES]);
    counts_add(t, into, from->i.counts);
    if (prevails(t, &from->i, &into->i)) {
        struct instance kept = from->i;
        memcpy(kept.key, into->i.key, sizeof kept.key);
        kept.counts = into->i.counts;
        kept.born = into->i.born;
        kept.last = into->i.last;
        kept.turns = kept.turns > into->i.turns ? kept.turns + 1 : into->i.turns;
        into->i = kept;
    }
    if (entries)
        into->i.vars[TALLY_ENTRIES] = all;
}

/* Its counts go to another heir, who has such an instance from now on if not before. */
static void counts_part(struct turn *t, struct touched *x)
{
    const struct machine *m = &t->p->machines[x->i.machine];
    struct slice key[KEY_PARTS_MAX];
    struct count *counts = x->i.counts;
    bool any = false;
    for (size_t c = 0; c < m->ncounts; c++)
        any |= counts[c].n != 0;
    key_of_heir(t, &x->i, HEIR_OF_COUNTS, key);
    x->i.counts = ARENA_ARRAY(t->arena, struct count, m->ncounts);
    if (!any)
        return;
    struct touched *to = overlay_find(t, x->i.machine, key);
    if (!to && !t->failed && (to = overlay_birth(t, x->i.machine, key)))
        turn_bear(t, to, NULL);
    if (to && !t->failed)
        counts_add(t, to, counts);
}

static void record(struct turn *t, const struct touched *x, int from, int to, const struct touched *other,
                   bool came)
{
    struct transition *tr =
        arena_push(t->arena, &t->out->transitions, &t->out->ntransitions, &t->transitions_cap, sizeof *tr);
    *tr = (struct transition){.instance = &x->i, .from = from, .to = to, .kind = -1, .timer = -1};
    *(came ? &tr->moved_from : &tr->moved_to) = other->i.key;
}

static void hand_over(struct turn *t, struct touched *x, const struct slice *key, enum heir what)
{
    struct slice counted[KEY_PARTS_MAX];
    struct touched *to = overlay_find(t, x->i.machine, key);
    int before = x->i.state;
    key_of_heir(t, &x->i, HEIR_OF_COUNTS, counted);
    rename_inside(t, x, what);
    if (what == HEIR_OF_CASES && instance_key_cmp(counted, key) != 0)
        counts_part(t, x);
    int had = to ? to->i.state : before;
    if (to) {
        merge(t, to, x);
    } else if (!t->failed && (to = overlay_birth(t, x->i.machine, key))) {
        to->i = x->i;
        memcpy(to->i.key, key, sizeof to->i.key);
        to->changed = true;
    }
    if (!to || t->failed)
        return;
    record(t, x, before, -1, to, false);
    record(t, to, had, to->i.state, x, true);
    x->gone = true;
    x->i.state = -1;
}

/* ---- which instances */

struct search {
    struct turn *t;
    struct arena *scratch; /* of the instance looked at */
    struct found {
        int machine;
        struct slice key[KEY_PARTS_MAX];
    } * item;
    size_t n, cap;
};

static bool look(void *arg, struct instance *i)
{
    struct search *s = arg;
    const struct machine *m = &s->t->p->machines[i->machine];
    enum heir what = inherits(s->t, i);
    struct slice key[KEY_PARTS_MAX];
    bool over = i->state < 0 || m->states[i->state].final;
    if (!over && (key_of_heir(s->t, i, what, key) || vars_move(s->t, i, what))) {
        struct found *f = arena_push(s->t->arena, &s->item, &s->n, &s->cap, sizeof *s->item);
        f->machine = i->machine;
        for (size_t k = 0; k < m->nkey; k++)
            f->key[k] = arena_dup(s->t->arena, i->key[k]);
    }
    arena_reset(s->scratch);
    return true;
}

static bool may_name_units(const struct machine *m)
{
    bool may = m->of == MACHINE_TASK;
    for (size_t k = 0; k < m->nkey; k++)
        may |= m->key[k].type.tag == TYPE_UNIT || (int)k == m->unit_key;
    for (size_t v = 0; v < m->nvars; v++)
        may |= is_of_units(&m->vars[v].type);
    return may && m->of != MACHINE_GENERATOR;
}

static void hand_over_all(struct turn *t)
{
    struct search s = {.t = t, .scratch = arena_new()};
    for (size_t m = 0; m < t->p->nmachines; m++)
        if (may_name_units(&t->p->machines[m]))
            t->w->scan(t->w->ctx, s.scratch, (int)m, NULL, 0, look, &s);
    arena_free(s.scratch);
    for (size_t i = 0; i < s.n && !t->failed; i++) {
        struct slice key[KEY_PARTS_MAX];
        struct touched *x = overlay_find(t, s.item[i].machine, s.item[i].key);
        if (!x)
            return;
        enum heir what = inherits(t, &x->i);
        if (key_of_heir(t, &x->i, what, key))
            hand_over(t, x, key, what);
        else
            rename_inside(t, x, what);
    }
}

/* ---- when */

static void arm_next(struct turn *t, const struct succession *next)
{
    const struct slice key[KEY_PARTS_MAX] = {roster_key};
    struct touched *x = overlay_find(t, GENERATOR, key);
    instant_t at = next ? tz_instant(t->p->tz, next->day, 0) : INSTANT_NONE;
    bool fresh = !x;
    if (t->failed || (!next && (!x || x->i.ntimers == 0)) ||
        (next && x && x->i.ntimers && x->i.timers[0].nominal == at))
        return;
    if (fresh && !(x = overlay_birth(t, GENERATOR, key)))
        return;
    overlay_change(t, x);
    x->i.state = t->p->machines[GENERATOR].initial;
    x->i.since = fresh ? t->now : x->i.since;
    x->i.halted = false;
    timers_cancel(t, x, TIMER_OPEN);
    if (!next)
        return;
    x->i.next_period = period_of_date(PERIOD_DAY, next->day);
    timers_insert(t, x, TIMER_OPEN, 0, at, at);
}

void succession_settle(struct turn *t)
{
    const struct succession *next = NULL;
    bool due = false;
    for (size_t i = 0; i < t->p->nsuccessions && !next; i++) {
        due |= t->p->successions[i].day <= t->today;
        next = t->p->successions[i].day > t->today ? &t->p->successions[i] : NULL;
    }
    if (due)
        hand_over_all(t);
    if (!t->failed)
        arm_next(t, next);
}
