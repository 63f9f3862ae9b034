#include "core/turn.h"

#include <stdlib.h>

int instance_key_cmp(const struct slice *a, const struct slice *b)
{
    int c = 0;
    for (int k = 0; k < KEY_PARTS_MAX && c == 0; k++)
        c = slice_cmp(a[k], b[k]);
    return c;
}

/* Where (machine, key) stands, or would stand, in the sorted index. */
static size_t overlay_place(const struct overlay *o, int machine, const struct slice *key, bool *found)
{
    size_t low = 0, high = o->nsorted;
    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct instance *i = &o->sorted[mid]->i;
        int c = i->machine != machine ? (i->machine < machine ? -1 : 1) : instance_key_cmp(i->key, key);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct touched *overlay_insert(struct turn *t, struct touched *x)
{
    struct overlay *o = &t->overlay;
    if (o->n == STEP_INSTANCES_MAX) {
        turn_fail(t, "more than %d instances touched in one turn", STEP_INSTANCES_MAX);
        return NULL;
    }
    bool found;
    size_t at = overlay_place(o, x->i.machine, x->i.key, &found);
    *(struct touched **)arena_push(t->arena, &o->order, &o->n, &o->cap, sizeof *o->order) = x;
    arena_push(t->arena, &o->sorted, &o->nsorted, &o->sorted_cap, sizeof *o->sorted);
    memmove(o->sorted + at + 1, o->sorted + at, (o->nsorted - 1 - at) * sizeof *o->sorted);
    o->sorted[at] = x;
    return x;
}

static void *array_copy(struct arena *a, const void *from, size_t n, size_t size)
{
    void *to = arena_alloc(a, n * size);
    if (n && from)
        memcpy(to, from, n * size);
    return to;
}

/* The arrays that a turn writes are copied; values are never written in place, so they are shared. */
struct touched *overlay_take(struct turn *t, const struct instance *i)
{
    const struct machine *m = &t->p->machines[i->machine];
    struct touched *x = ARENA_NEW(t->arena, struct touched);
    x->i = *i;
    x->was = i;
    x->i.vars = array_copy(t->arena, i->vars, m->nvars, sizeof *i->vars);
    x->i.counts = array_copy(t->arena, i->counts, m->ncounts, sizeof *i->counts);
    x->i.latest = array_copy(t->arena, i->latest, m->nlatest, sizeof *i->latest);
    x->i.timers = array_copy(t->arena, i->timers, i->ntimers, sizeof *i->timers);
    if (i->task)
        x->i.task = array_copy(t->arena, i->task, 1, sizeof *i->task);
    return overlay_insert(t, x);
}

struct touched *overlay_find(struct turn *t, int machine, const struct slice *key)
{
    bool found;
    size_t at = overlay_place(&t->overlay, machine, key, &found);
    if (found)
        return t->overlay.sorted[at]->gone ? NULL : t->overlay.sorted[at];
    const struct instance *i = t->w->find(t->w->ctx, t->arena, machine, key);
    return i ? overlay_take(t, i) : NULL;
}

struct touched *overlay_birth(struct turn *t, int machine, const struct slice *key)
{
    const struct machine *m = &t->p->machines[machine];
    struct touched *x = ARENA_NEW(t->arena, struct touched);
    x->i = (struct instance){.machine = machine,
                             .state = -1,
                             .since = t->now,
                             .limit = INSTANT_NONE,
                             .vars = array_copy(t->arena, m->var_start, m->nvars, sizeof *m->var_start),
                             .counts = ARENA_ARRAY(t->arena, struct count, m->ncounts),
                             .latest = ARENA_ARRAY(t->arena, struct latest, m->nlatest),
                             .born = t->cause};
    memcpy(x->i.key, key, sizeof x->i.key);
    if (m->of == MACHINE_TASK && t->w->excused)
        t->w->excused(t->w->ctx, machine, x->i.key, &x->i.standing.excused);
    return overlay_insert(t, x);
}

void overlay_change(struct turn *t, struct touched *x)
{
    if (x->changed)
        return;
    x->changed = true;
    x->i.turns++;
    x->i.last = t->cause;
}

/* ---- scanning: what the world has, then what this turn bore */

struct found_list {
    struct turn *turn;
    struct touched **item;
    size_t n, cap;
};

static bool prefix_eq(const struct slice *a, const struct slice *b, size_t nkey)
{
    size_t k = 0;
    while (k < nkey && slice_eq(a[k], b[k]))
        k++;
    return k == nkey;
}

static bool scan_visit(void *arg, struct instance *i)
{
    struct found_list *l = arg;
    struct touched *x = ARENA_NEW(l->turn->arena, struct touched);
    x->i = *i; /* read only: not part of the overlay until an event reaches it */
    *(struct touched **)arena_push(l->turn->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = x;
    return l->n < STEP_INSTANCES_MAX;
}

static int touched_cmp(const void *x, const void *y)
{
    return instance_key_cmp((*(struct touched *const *)x)->i.key, (*(struct touched *const *)y)->i.key);
}

struct touched **overlay_scan(struct turn *t, int machine, const struct slice *key, size_t nkey, size_t *n)
{
    struct found_list l = {.turn = t};
    const struct overlay *o = &t->overlay;
    t->w->scan(t->w->ctx, t->arena, machine, key, nkey, scan_visit, &l);
    if (l.n == STEP_INSTANCES_MAX)
        turn_fail(t, "more than %d instances looked at in one turn", STEP_INSTANCES_MAX);
    size_t kept = 0;
    for (size_t i = 0; i < l.n; i++) {
        bool mine;
        overlay_place(o, machine, l.item[i]->i.key, &mine);
        if (!mine)
            l.item[kept++] = l.item[i];
    }
    l.n = kept;
    for (size_t i = 0; i < o->nsorted; i++)
        if (o->sorted[i]->i.machine == machine && !o->sorted[i]->gone && prefix_eq(o->sorted[i]->i.key, key, nkey))
            *(struct touched **)arena_push(t->arena, &l.item, &l.n, &l.cap, sizeof *l.item) = o->sorted[i];
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, touched_cmp);
    *n = l.n;
    return l.item;
}

/* ---- for expressions: nothing is touched by being read. An instance that is only now being born is not
 * there yet. */

static bool is_there(const struct touched *x)
{
    return !x->gone && x->i.state >= 0;
}

static const struct instance *peek(void *ctx, int machine, const struct slice *key)
{
    struct turn *t = ctx;
    bool found;
    size_t at = overlay_place(&t->overlay, machine, key, &found);
    if (found)
        return is_there(t->overlay.sorted[at]) ? &t->overlay.sorted[at]->i : NULL;
    return t->w->find(t->w->ctx, t->arena, machine, key);
}

struct merge { /* the world's instances and the turn's own, by key */
    struct turn *turn;
    int machine;
    const struct slice *key;
    size_t nkey;
    size_t next; /* of overlay.sorted */
    bool (*visit)(void *arg, const struct instance *i);
    void *arg;
    bool ended;
};

/* Passes on the turn's own up to this key (NULL: to the end). *same: the key's own was among them. */
static void merge_own(struct merge *m, const struct slice *until, bool *same)
{
    const struct overlay *o = &m->turn->overlay;
    for (; m->next < o->nsorted && !m->ended; m->next++) {
        const struct instance *i = &o->sorted[m->next]->i;
        if (i->machine != m->machine || !prefix_eq(i->key, m->key, m->nkey))
            return;
        int c = until ? instance_key_cmp(i->key, until) : -1;
        if (c > 0)
            return;
        *same = *same || c == 0;
        if (is_there(o->sorted[m->next]))
            m->ended = !m->visit(m->arg, i);
    }
}

static bool merge_visit(void *arg, struct instance *i)
{
    struct merge *m = arg;
    bool same = false;
    merge_own(m, i->key, &same);
    if (!m->ended && !same)
        m->ended = !m->visit(m->arg, i);
    return !m->ended;
}

static void merged_scan(void *ctx, int machine, const struct slice *key, size_t nkey,
                        bool (*visit)(void *arg, const struct instance *i), void *arg)
{
    struct turn *t = ctx;
    struct slice least[KEY_PARTS_MAX] = {{0}};
    bool found;
    if (nkey)
        memcpy(least, key, nkey * sizeof *key);
    struct merge m = {.turn = t,
                      .machine = machine,
                      .key = key,
                      .nkey = nkey,
                      .next = overlay_place(&t->overlay, machine, least, &found),
                      .visit = visit,
                      .arg = arg};
    t->w->scan(t->w->ctx, t->arena, machine, key, nkey, merge_visit, &m);
    merge_own(&m, NULL, &found);
}

struct instances overlay_instances(struct turn *t)
{
    return (struct instances){.ctx = t, .find = peek, .scan = merged_scan};
}
