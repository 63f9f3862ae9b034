/* A change of the roster: every reason against it, else the change is what the turn does. Each check looks at
 * the roster as it would be. */
#include "core/roster.h"
#include "core/validate.h"

struct review {
    struct turn *t;
    const struct roster_change *c;
    const struct program *next; /* with the change, as far as it can be read */
};

static bool names(const struct slice *list, size_t n, struct slice one)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], one))
            return true;
    return false;
}

/* "x: what is wrong; did you mean y?" */
static void unknown(struct review *r, struct slice where, const char *what, struct slice name,
                    const struct slice *known, size_t n)
{
    struct slice near = nearest_name(name, known, n);
    if (slice_eq(near, name)) /* it is known, but not there on that day */
        near = S("");
    problem_add(&r->t->why, "%.*s: no %s \"%.*s\"%s%.*s%s", SLICE_ARG(where), what, SLICE_ARG(name),
                near.n ? "; did you mean " : "", SLICE_ARG(near), near.n ? "?" : "");
}

static struct slice *unit_ids(struct review *r)
{
    const struct program *p = r->t->p;
    struct slice *id = ARENA_ARRAY(r->t->arena, struct slice, p->nunits);
    for (size_t i = 0; i < p->nunits; i++)
        id[i] = p->units[i].id;
    return id;
}

static void unknown_unit(struct review *r, struct slice where, struct slice name)
{
    struct slice what = arena_printf(
        r->t->arena, "unit in the roster on %.*s:", SLICE_ARG(date_format(r->t->arena, r->c->from)));
    unknown(r, where, what.p, name, unit_ids(r), r->t->p->nunits);
}

/* Up to the day of the change. */
static bool there_before(const struct review *r, struct slice id)
{
    return program_unit_by_id(r->t->p, id, r->c->from - 1) || program_unit_by_id(r->t->p, id, r->c->from);
}

/* ---- units that come, or come anew */

/* Whoever else bears this name on that day. */
static struct slice other_bearer(const struct review *r, struct slice name, struct slice self)
{
    const struct program *p = r->next;
    const struct unit *u = program_unit_by_id(p, name, r->c->from);
    if (u && !slice_eq(u->id, self))
        return u->id;
    for (size_t i = 0; i < p->naliases; i++) {
        u = &p->units[p->aliases[i].unit];
        if (slice_eq(p->aliases[i].alias, name) && !slice_eq(u->id, self) &&
            span_has(u->in_force, r->c->from))
            return u->id;
    }
    return S("");
}

static void check_unit(struct review *r, const struct roster_unit *u)
{
    struct turn *t = r->t;
    struct slice where = arena_printf(t->arena, "unit %.*s", SLICE_ARG(u->id));
    for (size_t i = 0; i < u->nroles; i++)
        if (program_role(t->p, u->roles[i]) < 0)
            unknown(r, where, "unit of the definition holds the role", u->roles[i], t->p->roles,
                    t->p->nroles);
    for (size_t i = 0; i <= u->naliases; i++) {
        struct slice name = i ? u->aliases[i - 1] : u->id, other = other_bearer(r, name, u->id);
        if (other.n)
            problem_add(&t->why, "%.*s: \"%.*s\" names %.*s already", SLICE_ARG(where), SLICE_ARG(name),
                        SLICE_ARG(other));
    }
    bool ends = names(r->c->ended, r->c->nended, u->id);
    for (size_t i = 0; i < r->c->nsuccessions; i++)
        ends |= names(r->c->successions[i].from, r->c->successions[i].nfrom, u->id);
    if (ends)
        problem_add(&t->why, "%.*s: it ends, and is in force, from the same day on", SLICE_ARG(where));
}

static void check_ended(struct review *r, size_t index)
{
    struct slice id = r->c->ended[index];
    if (!program_unit_by_id(r->t->p, id, r->c->from))
        unknown_unit(r, S("ended"), id);
    if (names(r->c->ended, index, id))
        problem_add(&r->t->why, "ended: %.*s stands twice", SLICE_ARG(id));
}

/* ---- relations */

static bool is_subject(const struct program *p, struct slice subject)
{
    for (size_t i = 0; i < p->ntables; i++)
        if (table_has(&p->tables[i], subject))
            return true;
    return program_has_unit(p, subject);
}

static bool relation_stands(const struct program *p, const struct roster_relation *r, date_t day)
{
    for (size_t i = 0; i < p->nrelation_rows; i++) {
        const struct relation_row *row = &p->relation_rows[i];
        if (slice_eq(row->subject, r->subject) && slice_eq(p->relations[row->relation], r->relation) &&
            slice_eq(p->units[row->unit].id, r->unit) && span_has(row->in_force, day))
            return true;
    }
    return false;
}

static void check_relation(struct review *r, const struct roster_relation *x, bool ends)
{
    struct turn *t = r->t;
    struct slice where =
        arena_printf(t->arena, "%.*s of %.*s", SLICE_ARG(x->relation), SLICE_ARG(x->subject));
    bool known = program_relation(t->p, x->relation) >= 0;
    if (!known)
        unknown(r, where, "relation", x->relation, t->p->relations, t->p->nrelations);
    if (ends && known && !relation_stands(t->p, x, r->c->from))
        problem_add(&t->why, "%.*s: %.*s is not in it on %.*s", SLICE_ARG(where), SLICE_ARG(x->unit),
                    SLICE_ARG(date_format(t->arena, r->c->from)));
    if (!ends && !is_subject(r->next, x->subject))
        problem_add(&t->why, "%.*s: nothing is called \"%.*s\"", SLICE_ARG(where), SLICE_ARG(x->subject));
    if (!ends && !program_unit_by_id(r->next, x->unit, r->c->from))
        unknown_unit(r, where, x->unit);
}

/* ---- successions */

static void check_heir(struct review *r, const struct roster_succession *s, struct slice where,
                       const char *of, struct slice heir)
{
    if (heir.n == 0 && s->nto > 1)
        problem_add(&r->t->why, "%.*s: heir_of_%s: missing, for several take over", SLICE_ARG(where), of);
    else if (heir.n && !names(s->to, s->nto, heir))
        problem_add(&r->t->why, "%.*s: heir_of_%s: %.*s is not among those who take over", SLICE_ARG(where),
                    of, SLICE_ARG(heir));
}

static void check_succession(struct review *r, size_t index)
{
    const struct roster_succession *s = &r->c->successions[index];
    struct turn *t = r->t;
    struct slice where =
        arena_printf(t->arena, "succession of %.*s", SLICE_ARG(join_names(t, s->from, s->nfrom)));
    for (size_t i = 0; i < s->nfrom; i++) {
        bool twice = names(s->from, i, s->from[i]) || names(r->c->ended, r->c->nended, s->from[i]);
        for (size_t k = 0; k < index; k++)
            twice |= names(r->c->successions[k].from, r->c->successions[k].nfrom, s->from[i]);
        if (twice)
            problem_add(&t->why, "%.*s: %.*s ends twice", SLICE_ARG(where), SLICE_ARG(s->from[i]));
        if (!there_before(r, s->from[i]))
            unknown_unit(r, where, s->from[i]);
        if (names(s->to, s->nto, s->from[i]))
            problem_add(&t->why, "%.*s: %.*s cannot take over from itself", SLICE_ARG(where),
                        SLICE_ARG(s->from[i]));
    }
    for (size_t i = 0; i < s->nto; i++) {
        if (!program_unit_by_id(r->next, s->to[i], r->c->from) && !names(s->from, s->nfrom, s->to[i]))
            unknown_unit(r, where, s->to[i]);
        if (names(s->to, i, s->to[i]))
            problem_add(&t->why, "%.*s: %.*s takes over twice", SLICE_ARG(where), SLICE_ARG(s->to[i]));
    }
    check_heir(r, s, where, "counts", s->heir_of_counts);
    check_heir(r, s, where, "cases", s->heir_of_cases);
    check_heir(r, s, where, "tasks", s->heir_of_tasks);
}

/* ---- the whole */

/* The change itself is the effect; what it says of today or earlier is handed over at once. */
static void take_change(struct turn *t, const struct roster_change *c, const struct program *next)
{
    const struct program *before = t->p;
    t->out->roster = c;
    t->p = next;
    succession_settle(t);
    t->p = before; /* until the next turn */
}

void validate_roster(struct turn *t, const struct input *in)
{
    const struct roster_change *c = in->roster;
    struct review r = {t, c, program_with_roster(t->p, &c, 1, t->arena)};
    check_voice(t, in, VOICE_DEADLINES, S("a roster change"));
    if (in->reporter.n)
        check_reporter(t, in->reporter, &t->p->issuer, t->p->issuer >= 0, S("a roster change"), NULL);
    if (c->nunits + c->nended + c->nrelations + c->nended_relations + c->nsuccessions == 0)
        problem_add(&t->why, "nothing changes: no units, relations or successions");
    for (size_t i = 0; i < c->nunits; i++)
        check_unit(&r, &c->units[i]);
    for (size_t i = 0; i < c->nended; i++)
        check_ended(&r, i);
    for (size_t i = 0; i < c->nrelations; i++)
        check_relation(&r, &c->relations[i], false);
    for (size_t i = 0; i < c->nended_relations; i++)
        check_relation(&r, &c->ended_relations[i], true);
    for (size_t i = 0; i < c->nsuccessions; i++)
        check_succession(&r, i);
    if (t->why.n == 0)
        take_change(t, c, r.next);
}
