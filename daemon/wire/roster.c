#include "wire/roster.h"

/* ---- message → change */

static struct slice *texts(char *const *text, size_t n, struct arena *a)
{
    struct slice *out = ARENA_ARRAY(a, struct slice, n);
    for (size_t i = 0; i < n; i++)
        out[i] = slice_of(text[i]);
    return out;
}

static struct roster_unit unit_of(const Duban__V1__RosterChange__Unit *m, struct arena *a)
{
    return (struct roster_unit){.id = slice_of(m->id),
                                .title = slice_of(m->title),
                                .kind = slice_of(m->kind),
                                .liaison = slice_of(m->liaison),
                                .head = slice_of(m->head),
                                .roles = texts(m->roles, m->n_roles, a),
                                .nroles = m->n_roles,
                                .aliases = texts(m->aliases, m->n_aliases, a),
                                .naliases = m->n_aliases};
}

static struct roster_relation *relations_of(Duban__V1__RosterChange__Relation *const *m, size_t n,
                                            struct arena *a)
{
    struct roster_relation *out = ARENA_ARRAY(a, struct roster_relation, n);
    for (size_t i = 0; i < n; i++)
        out[i] =
            (struct roster_relation){slice_of(m[i]->subject), slice_of(m[i]->relation), slice_of(m[i]->unit)};
    return out;
}

static struct roster_succession succession_of(const Duban__V1__RosterChange__Succession *m, struct arena *a)
{
    return (struct roster_succession){.from = texts(m->from, m->n_from, a),
                                      .nfrom = m->n_from,
                                      .to = texts(m->to, m->n_to, a),
                                      .nto = m->n_to,
                                      .heir_of_counts = slice_of(m->heir_of_counts),
                                      .heir_of_cases = slice_of(m->heir_of_cases),
                                      .heir_of_tasks = slice_of(m->heir_of_tasks)};
}

/* All but the date. */
static struct roster_change *change_of(const Duban__V1__RosterChange *m, struct arena *a)
{
    struct roster_change *c = ARENA_NEW(a, struct roster_change);
    *c = (struct roster_change){.from = DATE_NONE,
                                .nunits = m->n_units,
                                .ended = texts(m->ended, m->n_ended, a),
                                .nended = m->n_ended,
                                .relations = relations_of(m->relations, m->n_relations, a),
                                .nrelations = m->n_relations,
                                .ended_relations = relations_of(m->ended_relations, m->n_ended_relations, a),
                                .nended_relations = m->n_ended_relations,
                                .nsuccessions = m->n_successions};
    c->units = ARENA_ARRAY(a, struct roster_unit, c->nunits);
    for (size_t i = 0; i < c->nunits; i++)
        c->units[i] = unit_of(m->units[i], a);
    c->successions = ARENA_ARRAY(a, struct roster_succession, c->nsuccessions);
    for (size_t i = 0; i < c->nsuccessions; i++)
        c->successions[i] = succession_of(m->successions[i], a);
    return c;
}

void roster_fill(const ProtobufCMessage *body, struct arena *a, struct input *in, struct reasons *why)
{
    struct path change = {NULL, "roster_change", -1}, from = {&change, "from", -1};
    const Duban__V1__RosterChange *m = (const void *)body;
    if (body->descriptor != &duban__v1__roster_change__descriptor)
        return;
    struct roster_change *c = change_of(m, a);
    if (!date_parse(slice_of(m->from), &c->from))
        reasons_at(why, &from, "\"%.40s\" is no date like 2024-03-29", m->from);
    in->roster = c;
}

bool wire_roster_unpack(struct slice bytes, struct arena *a, const struct roster_change **out, struct err *e)
{
    const Duban__V1__RosterChange *m =
        (const void *)proto_read_own(&duban__v1__roster_change__descriptor, bytes, "roster change", a, e);
    if (!m)
        return false;
    struct roster_change *c = change_of(m, a);
    *out = c;
    return date_parse(slice_of(m->from), &c->from) ||
           err_set(e, "roster change: \"%.40s\" is no date", m->from);
}

/* ---- change → message */

static char **texts_put(const struct slice *text, size_t n, struct arena *a)
{
    char **out = ARENA_ARRAY(a, char *, n);
    for (size_t i = 0; i < n; i++)
        out[i] = proto_text(a, text[i]);
    return out;
}

static Duban__V1__RosterChange__Unit *unit_put(const struct roster_unit *u, struct arena *a)
{
    Duban__V1__RosterChange__Unit *m = proto_new(&duban__v1__roster_change__unit__descriptor, a);
    m->id = proto_text(a, u->id);
    m->title = proto_text(a, u->title);
    m->kind = proto_text(a, u->kind);
    m->liaison = proto_text(a, u->liaison);
    m->head = proto_text(a, u->head);
    m->roles = texts_put(u->roles, u->nroles, a);
    m->n_roles = u->nroles;
    m->aliases = texts_put(u->aliases, u->naliases, a);
    m->n_aliases = u->naliases;
    return m;
}

static Duban__V1__RosterChange__Relation **relations_put(const struct roster_relation *r, size_t n,
                                                         struct arena *a)
{
    Duban__V1__RosterChange__Relation **out = ARENA_ARRAY(a, Duban__V1__RosterChange__Relation *, n);
    for (size_t i = 0; i < n; i++) {
        out[i] = proto_new(&duban__v1__roster_change__relation__descriptor, a);
        out[i]->subject = proto_text(a, r[i].subject);
        out[i]->relation = proto_text(a, r[i].relation);
        out[i]->unit = proto_text(a, r[i].unit);
    }
    return out;
}

static Duban__V1__RosterChange__Succession *succession_put(const struct roster_succession *s, struct arena *a)
{
    Duban__V1__RosterChange__Succession *m = proto_new(&duban__v1__roster_change__succession__descriptor, a);
    m->from = texts_put(s->from, s->nfrom, a);
    m->n_from = s->nfrom;
    m->to = texts_put(s->to, s->nto, a);
    m->n_to = s->nto;
    m->heir_of_counts = proto_text(a, s->heir_of_counts);
    m->heir_of_cases = proto_text(a, s->heir_of_cases);
    m->heir_of_tasks = proto_text(a, s->heir_of_tasks);
    return m;
}

struct slice wire_roster_pack(const struct roster_change *c, struct arena *a)
{
    Duban__V1__RosterChange m = DUBAN__V1__ROSTER_CHANGE__INIT;
    m.from = proto_text(a, date_format(a, c->from));
    m.n_units = c->nunits;
    m.units = ARENA_ARRAY(a, Duban__V1__RosterChange__Unit *, c->nunits);
    for (size_t i = 0; i < c->nunits; i++)
        m.units[i] = unit_put(&c->units[i], a);
    m.n_ended = c->nended;
    m.ended = texts_put(c->ended, c->nended, a);
    m.n_relations = c->nrelations;
    m.relations = relations_put(c->relations, c->nrelations, a);
    m.n_ended_relations = c->nended_relations;
    m.ended_relations = relations_put(c->ended_relations, c->nended_relations, a);
    m.n_successions = c->nsuccessions;
    m.successions = ARENA_ARRAY(a, Duban__V1__RosterChange__Succession *, c->nsuccessions);
    for (size_t i = 0; i < c->nsuccessions; i++)
        m.successions[i] = succession_put(&c->successions[i], a);
    return proto_pack(&m.base, a);
}
