/* Who takes over from a unit that ends: the column `successor` of the units, `a|b` when it is split. */
#include <stdlib.h>

#include "core/roster.h"
#include "lang/roster.h"

struct ending { /* a row that names who follows */
    const struct csv *file;
    const struct csv_row *row;
    struct slice id, *to;
    size_t nto;
    date_t day; /* the first without it */
};

static struct yaml at_cell(const struct ending *e, struct slice part)
{
    return place_in(e->file->file, e->row->line, part);
}

/* The first of those who follow a unit that ends on that very day; NULL: it does not, or nobody does. */
static const struct ending *ending_of(const struct ending *all, size_t n, struct slice id, date_t day)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].day == day && slice_eq(all[i].id, id))
            return &all[i];
    return NULL;
}

/* Handed on from one that ends to the next, does it come back? */
static bool goes_round(const struct ending *all, size_t n, const struct ending *from, struct slice to)
{
    for (size_t steps = 0; steps <= n; steps++) {
        if (slice_eq(to, from->id))
            return true;
        const struct ending *next = ending_of(all, n, to, from->day);
        if (!next)
            return false;
        to = next->to[0];
    }
    return false;
}

static void check_part(struct compiler *c, const struct ending *all, size_t n, const struct ending *e,
                       size_t part)
{
    const struct program *p = c->program;
    struct slice id = e->to[part];
    struct yaml at = at_cell(e, id);
    if (program_unit_by_id(p, id, e->day) && !slice_eq(id, e->id))
        return;
    bool search = roster_may_search(c);
    const struct ending *next = search ? ending_of(all, n, id, e->day) : NULL;
    if (slice_eq(id, e->id) || (search && goes_round(all, n, e, id)))
        ERROR_AT(c, SUCCESSOR_CIRCLE, &at, "a unit that goes on after that day",
                 "“%.*s” would take over from itself", SLICE_ARG(e->id));
    else
        ERROR_AT(c, SUCCESSOR_ABSENT, &at,
                 next ? arena_printf(c->arena, "“%.*s”, which takes over from it", SLICE_ARG(next->to[0])).p
                      : "a unit in force on the day after this one's last",
                 "“%.*s” is not in force on %.*s", SLICE_ARG(id), SLICE_ARG(date_format(c->arena, e->day)));
}

/* A row without an end, or one that another row of the unit follows: nobody takes over. */
static bool ends(struct compiler *c, const struct ending *e)
{
    struct yaml at = at_cell(e, e->to[0]);
    bool open = e->day == DATE_NONE;
    if (!open && !program_unit_by_id(c->program, e->id, e->day))
        return true;
    if (open)
        WARN_AT(c, SUCCESSOR_NO_END, &at, "a date under “to”: the unit's last day",
                "“%.*s” has no last day, so nobody takes over from it", SLICE_ARG(e->id));
    else
        WARN_AT(c, SUCCESSOR_NO_END, &at, "a successor in the unit's last row",
                "“%.*s” is in force on %.*s, too, so nobody takes over from it", SLICE_ARG(e->id),
                SLICE_ARG(date_format(c->arena, e->day)));
    return false;
}

static bool parts_sound(struct compiler *c, const struct ending *e)
{
    const struct program *p = c->program;
    bool sound = true;
    for (size_t k = 0; k < e->nto; k++) {
        struct yaml at = at_cell(e, e->to[k]);
        bool twice = false;
        for (size_t before = 0; before < k; before++)
            twice |= slice_eq(e->to[before], e->to[k]);
        if (twice)
            ERROR_AT(c, SUCCESSOR_TWICE, &at, "each of those who take over once, the heir first",
                     "“%.*s” is named twice", SLICE_ARG(e->to[k]));
        sound &= !twice;
        if (program_has_unit(p, e->to[k]))
            continue;
        ERROR_AT(c, ROSTER_UNIT, &at, unit_hint(c, e->to[k], "the id of a unit"), "there is no unit “%.*s”",
                 SLICE_ARG(e->to[k]));
        sound = false;
    }
    return sound;
}

static struct ending *endings_read(struct compiler *c, const struct csv *t, size_t *n)
{
    struct ending *all = ARENA_ARRAY(c->arena, struct ending, t->n);
    *n = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct ending e = {
            .file = t, .row = &t->rows[i], .id = row_cell(t, &t->rows[i], "id"), .day = DATE_NONE};
        struct slice last = row_cell(t, e.row, "to");
        e.to = cell_parts(c, row_cell(t, e.row, "successor"), &e.nto);
        if (e.nto == 0)
            continue;
        if (last.n && date_parse(last, &e.day))
            e.day++;
        all[(*n)++] = e;
    }
    return all;
}

static int ending_order(const void *a, const void *b)
{
    const struct succession *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day) : slice_cmp(x->from[0], y->from[0]);
}

void successors_compile(struct compiler *c, const struct csv *t)
{
    struct program *p = c->program;
    size_t n;
    struct ending *all = endings_read(c, t, &n);
    p->successions = ARENA_ARRAY(c->arena, struct succession, n);
    for (size_t i = 0; i < n; i++) {
        const struct ending *e = &all[i];
        if (!parts_sound(c, e) || !ends(c, e))
            continue;
        for (size_t k = 0; k < e->nto; k++)
            check_part(c, all, n, e, k);
        struct slice *from = ARENA_NEW(c->arena, struct slice);
        *from = e->id;
        p->successions[p->nsuccessions++] = (struct succession){.day = e->day,
                                                                .from = from,
                                                                .nfrom = 1,
                                                                .to = e->to,
                                                                .nto = e->nto,
                                                                .heir = {e->to[0], e->to[0], e->to[0]}};
    }
    if (p->nsuccessions)
        qsort(p->successions, p->nsuccessions, sizeof *p->successions, ending_order);
}
