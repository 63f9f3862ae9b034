#include "core/program.h"

const struct field measure_row[MEASURE_FIELDS] = {
    [MEASURE_UNIT] = {{"unit", 4}, {.tag = TYPE_UNIT, .optional = true}},
    [MEASURE_SUBJECT] = {{"subject", 7}, {.tag = TYPE_TEXT, .optional = true}},
    [MEASURE_ABOUT] = {{"about", 5}, {.tag = TYPE_UNIT, .optional = true}},
    [MEASURE_OBLIGATION] = {{"obligation", 10}, {.tag = TYPE_TEXT, .optional = true}},
    [MEASURE_PERIOD] = {{"period", 6}, {.tag = TYPE_PERIOD, .optional = true}},
    [MEASURE_DUE] = {{"due", 3}, {.tag = TYPE_DATE, .optional = true}},
    [MEASURE_LIMIT] = {{"limit", 5}, {.tag = TYPE_DATE, .optional = true}},
    [MEASURE_TIME] = {{"time", 4}, {.tag = TYPE_INSTANT}},
    [MEASURE_TITLE] = {{"title", 5}, {.tag = TYPE_TEXT}},
    [MEASURE_BASIS] = {{"basis", 5}, {.tag = TYPE_TEXT}},
    [MEASURE_NUMBER] = {{"number", 6}, {.tag = TYPE_TEXT, .optional = true}},
};

bool span_has(struct span s, date_t d)
{
    return (s.from == DATE_NONE || s.from <= d) && (s.until == DATE_NONE || d < s.until);
}

/* These lists are short and in the author's order; the roster and the tables below are long and ordered. */
#define FIND_NAMED(items, n, wanted)                                                                         \
    do {                                                                                                     \
        for (size_t i_ = 0; i_ < (n); i_++)                                                                  \
            if (slice_eq((items)[i_].name, (wanted)))                                                        \
                return (int)i_;                                                                              \
        return -1;                                                                                           \
    } while (0)

int program_machine(const struct program *p, struct slice name)
{
    FIND_NAMED(p->machines, p->nmachines, name);
}

int program_obligation(const struct program *p, struct slice name)
{
    FIND_NAMED(p->obligations, p->nobligations, name);
}

int program_kind(const struct program *p, struct slice name)
{
    FIND_NAMED(p->kinds, p->nkinds, name);
}

int program_ranking(const struct program *p, struct slice name)
{
    FIND_NAMED(p->rankings, p->nrankings, name);
}

int machine_state(const struct machine *m, struct slice name)
{
    FIND_NAMED(m->states, m->nstates, name);
}

static int find_slice(const struct slice *items, size_t n, struct slice wanted)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(items[i], wanted))
            return (int)i;
    return -1;
}

int program_role(const struct program *p, struct slice name)
{
    return find_slice(p->roles, p->nroles, name);
}

int program_relation(const struct program *p, struct slice name)
{
    return find_slice(p->relations, p->nrelations, name);
}

bool unit_has_role(const struct unit *u, int role)
{
    for (size_t i = 0; i < u->nroles; i++)
        if (u->roles[i] == role)
            return true;
    return false;
}

static const struct unit *unit_by_id(const struct program *p, struct slice id, date_t d)
{
    size_t low = 0, high = p->nunits; /* the first unit whose id is not less */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(p->units[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < p->nunits && slice_eq(p->units[low].id, id); low++)
        if (span_has(p->units[low].in_force, d))
            return &p->units[low];
    return NULL;
}

const struct unit *program_unit(const struct program *p, struct slice id, date_t d)
{
    const struct unit *u = unit_by_id(p, id, d);
    for (size_t i = 0; !u && i < p->nunits; i++)
        if (find_slice(p->units[i].aliases, p->units[i].naliases, id) >= 0 &&
            span_has(p->units[i].in_force, d))
            u = &p->units[i];
    return u;
}

const struct table_row *table_find(const struct table *t, struct slice key, date_t d)
{
    size_t low = 0, high = t->nrows; /* the first row whose key is not less */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(t->rows[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < t->nrows && slice_eq(t->rows[low].key, key); low++)
        if (span_has(t->rows[low].in_force, d))
            return &t->rows[low];
    return NULL;
}
