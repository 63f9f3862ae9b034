#include "core/roster.h"

#include <stdlib.h>

/* ---- heirs */

/* Of the successions that ended the unit's last time in force: the one that holds on d. */
static const struct succession *succession_of(const struct program *p, struct slice unit, date_t d)
{
    date_t began = DATE_NONE;
    for (size_t i = program_unit_place(p, unit); i < p->nunits && slice_eq(p->units[i].id, unit); i++)
        if (p->units[i].in_force.from <= d)
            began = p->units[i].in_force.from; /* rows ascend */
    for (size_t i = p->nsuccessions; i-- > 0;) {
        const struct succession *s = &p->successions[i];
        for (size_t k = 0; s->day <= d && s->day > began && k < s->nfrom; k++)
            if (slice_eq(s->from[k], unit))
                return s;
    }
    return NULL;
}

struct slice program_heir(const struct program *p, struct slice unit, enum heir what, date_t d)
{
    for (size_t steps = 0; steps < p->nsuccessions && !program_unit_by_id(p, unit, d); steps++) {
        const struct succession *s = succession_of(p, unit, d);
        if (!s)
            break;
        unit = s->heir[what];
    }
    return unit;
}

/* An alias stands for the unit that bore it last. */
static struct slice id_of(const struct program *p, struct slice id, date_t d)
{
    const struct unit *last = NULL;
    if (program_has_unit(p, id))
        return id;
    for (size_t i = 0; i < p->naliases; i++) {
        const struct unit *u = &p->units[p->aliases[i].unit];
        if (slice_eq(p->aliases[i].alias, id) && u->in_force.from <= d &&
            (!last || u->in_force.from > last->in_force.from))
            last = u;
    }
    return last ? last->id : id;
}

const struct unit *program_party(const struct program *p, struct slice id, enum heir what, date_t d)
{
    const struct unit *u = program_unit(p, id, d);
    if (u || p->nsuccessions == 0)
        return u;
    return program_unit_by_id(p, program_heir(p, id_of(p, id, d), what, d), d);
}

/* ---- a roster with changes */

struct link { /* a relation's row: unit by id, for their places move */
    struct slice subject, unit;
    int relation;
    struct span in_force;
};

struct draft {
    struct program *p; /* units: an array of its own, with room for all that is added */
    struct arena *arena;
    struct link *link;
    size_t nlinks;
};

static int unit_order(const void *x, const void *y)
{
    const struct unit *a = x, *b = y;
    int c = slice_cmp(a->id, b->id);
    return c ? c : (a->in_force.from > b->in_force.from) - (a->in_force.from < b->in_force.from);
}

static int link_order(const void *x, const void *y)
{
    const struct link *a = x, *b = y;
    int c = slice_cmp(a->subject, b->subject);
    if (c == 0)
        c = a->relation - b->relation;
    if (c == 0)
        c = slice_cmp(a->unit, b->unit);
    return c ? c : (a->in_force.from > b->in_force.from) - (a->in_force.from < b->in_force.from);
}

static void unit_end(struct draft *d, struct slice id, date_t day)
{
    for (size_t i = program_unit_place(d->p, id); i < d->p->nunits && slice_eq(d->p->units[i].id, id); i++)
        if (span_has(d->p->units[i].in_force, day))
            d->p->units[i].in_force.until = day;
}

/* The row in force goes on as this one, to its own end; one that is new lasts until the next of its id, if
 * there is one. Rows still are in order: returns whether it took the place `slot`, behind them. */
static bool unit_put(struct draft *d, const struct roster_unit *r, date_t day, struct unit *slot)
{
    struct program *p = d->p;
    struct unit *fresh = slot;
    struct span span = {day, DATE_NONE};
    for (size_t i = program_unit_place(p, r->id); i < p->nunits && slice_eq(p->units[i].id, r->id); i++) {
        struct span *was = &p->units[i].in_force;
        if (was->from > day) {
            span.until = span.until == DATE_NONE ? was->from : span.until;
            break;
        }
        if (span_has(*was, day))
            span.until = was->until;
        if (was->from == day)
            slot = &p->units[i];
        else if (span_has(*was, day))
            was->until = day;
    }
    *slot = (struct unit){.id = r->id,
                          .title = r->title,
                          .kind = r->kind,
                          .liaison = r->liaison,
                          .head = r->head,
                          .aliases = r->aliases,
                          .naliases = r->naliases,
                          .in_force = span};
    slot->roles = ARENA_ARRAY(d->arena, int, r->nroles);
    for (size_t i = 0; i < r->nroles; i++) {
        int role = program_role(p, r->roles[i]);
        if (role >= 0 && !unit_has_role(slot, role))
            slot->roles[slot->nroles++] = role;
    }
    return slot == fresh;
}

static bool link_is(const struct link *l, const struct roster_relation *r, int relation, date_t day)
{
    return l->relation == relation && slice_eq(l->subject, r->subject) && slice_eq(l->unit, r->unit) &&
           span_has(l->in_force, day);
}

static void link_end(struct draft *d, const struct roster_relation *r, date_t day)
{
    int relation = program_relation(d->p, r->relation);
    for (size_t i = 0; i < d->nlinks; i++)
        if (link_is(&d->link[i], r, relation, day))
            d->link[i].in_force.until = day;
}

static void link_put(struct draft *d, const struct roster_relation *r, date_t day)
{
    int relation = program_relation(d->p, r->relation);
    if (relation < 0)
        return;
    for (size_t i = 0; i < d->nlinks; i++)
        if (link_is(&d->link[i], r, relation, day)) {
            d->link[i].in_force.until = DATE_NONE;
            return;
        }
    d->link[d->nlinks++] = (struct link){r->subject, r->unit, relation, {day, DATE_NONE}};
}

static void succession_put(struct draft *d, const struct roster_succession *r, date_t day)
{
    struct slice first = r->nto ? r->to[0] : S("");
    const struct slice heir[HEIRS] = {r->heir_of_counts, r->heir_of_cases, r->heir_of_tasks};
    struct succession *s = &d->p->successions[d->p->nsuccessions++];
    *s = (struct succession){.day = day, .from = r->from, .to = r->to, .nfrom = r->nfrom, .nto = r->nto};
    for (int i = 0; i < HEIRS; i++)
        s->heir[i] = heir[i].n ? heir[i] : first;
}

static void change_put(struct draft *d, const struct roster_change *c)
{
    for (size_t i = 0; i < c->nended; i++)
        unit_end(d, c->ended[i], c->from);
    for (size_t i = 0; i < c->nsuccessions; i++) {
        for (size_t k = 0; k < c->successions[i].nfrom; k++)
            unit_end(d, c->successions[i].from[k], c->from);
        succession_put(d, &c->successions[i], c->from);
    }
    size_t added = 0;
    for (size_t i = 0; i < c->nunits; i++)
        added += unit_put(d, &c->units[i], c->from, &d->p->units[d->p->nunits + added]);
    d->p->nunits += added;
    if (d->p->nunits)
        qsort(d->p->units, d->p->nunits, sizeof *d->p->units, unit_order);
    for (size_t i = 0; i < c->nended_relations; i++)
        link_end(d, &c->ended_relations[i], c->from);
    for (size_t i = 0; i < c->nrelations; i++)
        link_put(d, &c->relations[i], c->from);
}

/* By day, and in the given order within one. */
static void successions_sort(struct succession *s, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct succession one = s[i];
        size_t at = i;
        for (; at > 0 && s[at - 1].day > one.day; at--)
            s[at] = s[at - 1];
        s[at] = one;
    }
}

static void draft_start(struct draft *d, const struct program *base,
                        const struct roster_change *const *change, size_t n)
{
    struct program *p = d->p;
    size_t units = base->nunits, links = base->nrelation_rows, successions = base->nsuccessions;
    for (size_t i = 0; i < n; i++) {
        units += change[i]->nunits;
        links += change[i]->nrelations;
        successions += change[i]->nsuccessions;
    }
    *p = *base;
    p->units = ARENA_ARRAY(d->arena, struct unit, units + 1);
    p->successions = ARENA_ARRAY(d->arena, struct succession, successions);
    p->relation_rows = ARENA_ARRAY(d->arena, struct relation_row, links);
    d->link = ARENA_ARRAY(d->arena, struct link, links);
    for (size_t i = 0; i < base->nunits; i++)
        p->units[i] = base->units[i];
    for (size_t i = 0; i < base->nsuccessions; i++)
        p->successions[i] = base->successions[i];
    for (; d->nlinks < base->nrelation_rows; d->nlinks++) {
        const struct relation_row *row = &base->relation_rows[d->nlinks];
        d->link[d->nlinks] =
            (struct link){row->subject, base->units[row->unit].id, row->relation, row->in_force};
    }
}

struct program *program_with_roster(const struct program *base, const struct roster_change *const *change,
                                    size_t n, struct arena *a)
{
    struct draft d = {.p = ARENA_NEW(a, struct program), .arena = a};
    struct program *p = d.p;
    draft_start(&d, base, change, n);
    for (size_t i = 0; i < n; i++)
        change_put(&d, change[i]);
    successions_sort(p->successions, p->nsuccessions);
    if (d.nlinks)
        qsort(d.link, d.nlinks, sizeof *d.link, link_order);
    p->nrelation_rows = 0;
    for (size_t i = 0; i < d.nlinks; i++)
        if (program_has_unit(p, d.link[i].unit))
            p->relation_rows[p->nrelation_rows++] =
                (struct relation_row){d.link[i].subject, d.link[i].relation,
                                      (int)program_unit_place(p, d.link[i].unit), d.link[i].in_force};
    program_index(p, a);
    return p;
}
