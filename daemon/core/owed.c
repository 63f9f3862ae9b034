/* Who owes an obligation for a period, and the list of all that falls due. */
#include "core/due.h"
#include "core/step.h"

#include <stdlib.h>

/* No roll moves a date further than this many days: more than the longest run of days off. */
#define ROLL_REACH 16

struct owed_list {
    const struct program *p;
    const struct obligation *o;
    const struct instances *seen;
    struct period period;
    instant_t now;
    struct arena *arena;
    struct owed *item;
    size_t n, cap;
    struct owed_work *work;
};

/* Evaluates what the obligation says as the task about `about` of `unit` would see it. */
static struct value owed_eval(struct owed_list *l, const struct expr *x, struct slice unit,
                              struct slice about)
{
    const struct obligation *o = l->o;
    struct task task = {.obligation = (int)(o - l->p->obligations), .period = l->period};
    struct instance draft = {.machine = o->machine, .state = -1, .task = &task, .limit = INSTANT_NONE};
    draft.key[TASK_OBLIGATION] = o->name;
    draft.key[TASK_PERIOD] = period_format(l->arena, l->period);
    draft.key[TASK_UNIT] = unit;
    draft.key[TASK_ABOUT] = about;
    struct eval ev = {
        .program = l->p, .instances = l->seen, .instance = &draft, .now = l->now, .arena = l->arena};
    struct value v = expr_eval(&ev, x);
    l->work->cost += ev.cost;
    if (ev.failed && !l->work->failed) {
        l->work->failed = ev.failed;
        l->work->failed_at = ev.failed_at ? ev.failed_at->place : x->place;
    }
    return v;
}

static int id_cmp(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* The texts of a value, ascending, each once. */
static struct slice *ids_of(struct owed_list *l, const struct value *v, size_t *n)
{
    const struct value *item = v->tag == VALUE_LIST ? v->list.item : v;
    size_t nitems = v->tag == VALUE_LIST ? v->list.n : 1, count = 0, kept = 0;
    struct slice *id = ARENA_ARRAY(l->arena, struct slice, nitems + 1);
    for (size_t i = 0; i < nitems; i++)
        if (item[i].tag == VALUE_TEXT && item[i].text.n)
            id[count++] = item[i].text;
    if (count)
        qsort(id, count, sizeof *id, id_cmp);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !slice_eq(id[kept - 1], id[i]))
            id[kept++] = id[i];
    *n = kept;
    return id;
}

static void owed_add(struct owed_list *l, struct owed one)
{
    if (l->o->only_if) {
        struct value v = owed_eval(l, l->o->only_if, one.unit, one.about);
        if (v.tag != VALUE_YESNO || !v.yes)
            return;
    }
    *(struct owed *)arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = one;
}

static void owed_about(struct owed_list *l, struct slice about)
{
    struct value v = owed_eval(l, l->o->owed_by, S(""), about);
    date_t today = tz_date(l->p->tz, l->now, NULL);
    size_t n, there = 0;
    struct slice *id = ids_of(l, &v, &n);
    for (size_t i = 0; i < n; i++) {
        const struct unit *u = program_unit(l->p, id[i], today);
        if (u) /* else dissolved, or not yet there: owes nothing */
            id[there++] = u->id;
    }
    if (l->o->jointly && there)
        owed_add(l, (struct owed){id[0], about, there > 1 ? id : NULL, there > 1 ? there : 0});
    for (size_t i = 0; !l->o->jointly && i < there; i++)
        owed_add(l, (struct owed){.unit = id[i], .about = about});
}

static int owed_cmp(const void *x, const void *y)
{
    const struct owed *a = x, *b = y;
    int c = slice_cmp(a->unit, b->unit);
    return c ? c : slice_cmp(a->about, b->about);
}

void due_owed_seen(const struct program *p, const struct obligation *o, struct period period, instant_t now,
                   const struct instances *seen, struct arena *a, struct owed **pairs, size_t *n,
                   struct owed_work *work)
{
    struct owed_list l = {
        .p = p, .o = o, .seen = seen, .period = period, .now = now, .arena = a, .work = work};
    *work = (struct owed_work){0};
    if (o->about_each) {
        size_t nabout;
        struct value v = owed_eval(&l, o->about_each, S(""), S(""));
        struct slice *about = ids_of(&l, &v, &nabout);
        for (size_t i = 0; i < nabout; i++)
            owed_about(&l, about[i]);
    } else if (o->nabout_roles == 0) {
        owed_about(&l, S(""));
    } else {
        int *held;
        size_t nheld =
            program_holders(p, o->about_roles, o->nabout_roles, tz_date(p->tz, now, NULL), a, &held);
        for (size_t i = 0; i < nheld; i++)
            owed_about(&l, p->units[held[i]].id);
    }
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, owed_cmp);
    size_t kept = 0;
    for (size_t i = 0; i < l.n; i++)
        if (kept == 0 || owed_cmp(&l.item[kept - 1], &l.item[i]) != 0)
            l.item[kept++] = l.item[i];
    *pairs = l.item;
    *n = kept;
}

void due_owed(const struct program *p, const struct obligation *o, struct period period, instant_t now,
              struct arena *a, struct owed **pairs, size_t *n)
{
    struct owed_work work;
    due_owed_seen(p, o, period, now, NULL, a, pairs, n, &work);
}

/* ---- the list */

struct row_list {
    const struct program *p;
    date_t from, until;
    struct slice unit;
    struct arena *arena;
    struct due_row *item;
    size_t n, cap;
};

static int row_cmp(const void *x, const void *y)
{
    const struct due_row *a = x, *b = y;
    if (a->due.effective != b->due.effective)
        return a->due.effective < b->due.effective ? -1 : 1;
    if (a->schedule != b->schedule) /* file order: they stand in one array; none comes first */
        return a->schedule < b->schedule ? -1 : 1;
    if (a->obligation != b->obligation)
        return a->obligation < b->obligation ? -1 : 1;
    int c = period_cmp(a->period, b->period);
    if (c == 0)
        c = slice_cmp(a->unit, b->unit);
    return c ? c : slice_cmp(a->about, b->about);
}

static bool is_owner(const struct owed *o, struct slice unit)
{
    for (size_t i = 0; i < o->nowners; i++)
        if (slice_eq(o->owners[i], unit))
            return true;
    return slice_eq(o->unit, unit);
}

static void row_add(struct row_list *l, struct due_row row)
{
    *(struct due_row *)arena_push(l->arena, &l->item, &l->n, &l->cap, sizeof *l->item) = row;
}

static void rows_of_period(struct row_list *l, const struct obligation *o, struct period period,
                           const struct due *due)
{
    struct owed *pairs;
    size_t n;
    due_owed(l->p, o, period, due->opens, l->arena, &pairs, &n);
    for (size_t i = 0; i < n; i++)
        if (l->unit.n == 0 || is_owner(&pairs[i], l->unit))
            row_add(l, (struct due_row){.obligation = o,
                                        .period = period,
                                        .unit = l->unit.n ? l->unit : pairs[i].unit,
                                        .about = pairs[i].about,
                                        .due = *due});
}

static bool in_list(const struct row_list *l, const struct due *due)
{
    return due->day != DATE_NONE && due->day >= l->from && due->day < l->until;
}

/* Periods whose day may lie in [from, until): from the one that `from` can look back to, to the one that
 * `until` can. */
static struct period first_of_list(const struct row_list *l, enum period_kind kind, int periods_later,
                                   struct span span)
{
    struct period q = period_step(period_of_date(kind, l->from - ROLL_REACH), -periods_later);
    return span.from != DATE_NONE && period_first(q) < span.from ? period_of_date(kind, span.from) : q;
}

static bool list_goes_on(const struct row_list *l, struct period q, struct span span)
{
    return q.kind != PERIOD_ONCE && period_first(q) - ROLL_REACH < l->until &&
           (span.until == DATE_NONE || period_first(q) < span.until);
}

static void rows_of_obligation(struct row_list *l, const struct obligation *o)
{
    struct span span = due_span(l->p, o->effective);
    struct period q = first_of_list(l, o->period, o->due.periods_later, span);
    for (bool more = true; more; q = period_step(q, 1)) {
        struct due due = {.day = DATE_NONE};
        if (due_in_force(l->p, o, q))
            due = due_of(l->p, o, q, l->arena);
        if (in_list(l, &due))
            rows_of_period(l, o, q, &due);
        more = list_goes_on(l, q, span);
    }
}

static void rows_of_schedule(struct row_list *l, const struct schedule *s)
{
    struct span span = due_span(l->p, s->effective);
    struct period q = first_of_list(l, s->each, s->at.periods_later, span);
    for (bool more = true; more; q = period_step(q, 1)) {
        struct due due = due_schedule(l->p, s, q, l->arena);
        if (in_list(l, &due) && span_has(span, period_first(q)))
            row_add(l, (struct due_row){.schedule = s, .period = q, .due = due});
        more = list_goes_on(l, q, span);
    }
}

void due_list(const struct program *p, date_t from, date_t until, struct slice unit, struct arena *a,
              struct due_row **rows, size_t *n)
{
    struct row_list l = {.p = p, .from = from, .until = until, .unit = unit, .arena = a};
    for (size_t o = 0; o < p->nobligations; o++)
        if (p->obligations[o].due.kind != DUE_NONE && due_from_calendar(&p->obligations[o]))
            rows_of_obligation(&l, &p->obligations[o]);
    for (size_t s = 0; s < p->nschedules && unit.n == 0; s++)
        rows_of_schedule(&l, &p->schedules[s]);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, row_cmp);
    *rows = l.item;
    *n = l.n;
}
