#include "core/program.h"

#include <stdlib.h>

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

bool name_is_hidden(struct slice name)
{
    return name.n && memchr(name.p, ' ', name.n);
}

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
    if (!p->obligations_by_name)
        FIND_NAMED(p->obligations, p->nobligations, name);
    for (size_t low = 0, high = p->nobligations; low < high;) {
        size_t middle = low + (high - low) / 2;
        int c = slice_cmp(p->obligations[p->obligations_by_name[middle]].name, name);
        if (c == 0)
            return p->obligations_by_name[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

int program_kind(const struct program *p, struct slice name)
{
    FIND_NAMED(p->kinds, p->nkinds, name);
}

int program_ranking(const struct program *p, struct slice name)
{
    FIND_NAMED(p->rankings, p->nrankings, name);
}

int program_tally(const struct program *p, struct slice name)
{
    FIND_NAMED(p->tallies, p->ntallies, name);
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

size_t program_unit_place(const struct program *p, struct slice id)
{
    size_t low = 0, high = p->nunits;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(p->units[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t alias_place(const struct program *p, struct slice alias)
{
    size_t low = 0, high = p->naliases;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(p->aliases[middle].alias, alias) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool program_has_unit(const struct program *p, struct slice id)
{
    size_t at = program_unit_place(p, id);
    return at < p->nunits && slice_eq(p->units[at].id, id);
}

bool program_has_party(const struct program *p, struct slice id)
{
    size_t at = alias_place(p, id);
    return program_has_unit(p, id) || (at < p->naliases && slice_eq(p->aliases[at].alias, id));
}

const struct unit *program_unit_by_id(const struct program *p, struct slice id, date_t d)
{
    for (size_t i = program_unit_place(p, id); i < p->nunits && slice_eq(p->units[i].id, id); i++)
        if (span_has(p->units[i].in_force, d))
            return &p->units[i];
    return NULL;
}

const struct unit *program_unit(const struct program *p, struct slice id, date_t d)
{
    const struct unit *u = program_unit_by_id(p, id, d);
    if (u)
        return u;
    for (size_t i = alias_place(p, id); i < p->naliases && slice_eq(p->aliases[i].alias, id); i++)
        if (span_has(p->units[p->aliases[i].unit].in_force, d))
            return &p->units[p->aliases[i].unit];
    return NULL;
}

/* ---- who holds a role */

static int index_cmp(const void *x, const void *y)
{
    int a = *(const int *)x, b = *(const int *)y;
    return (a > b) - (a < b);
}

size_t program_holders(const struct program *p, const int *roles, size_t nroles, date_t d, struct arena *a,
                       int **unit)
{
    size_t most = 0, n = 0, kept = 0;
    for (size_t r = 0; r < nroles; r++)
        most += p->role_holders[roles[r]].n;
    int *held = ARENA_ARRAY(a, int, most);
    for (size_t r = 0; r < nroles; r++) {
        const struct role_index *of = &p->role_holders[roles[r]];
        for (size_t i = 0; i < of->n; i++)
            if (span_has(p->units[of->unit[i]].in_force, d))
                held[n++] = of->unit[i];
    }
    if (nroles > 1 && n)
        qsort(held, n, sizeof *held, index_cmp);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || held[kept - 1] != held[i])
            held[kept++] = held[i];
    *unit = held;
    return kept;
}

static int alias_cmp(const void *x, const void *y)
{
    const struct alias_row *a = x, *b = y;
    int c = slice_cmp(a->alias, b->alias);
    return c ? c : (a->unit > b->unit) - (a->unit < b->unit);
}

/* Who holds which role; ascending, for units ascend. */
static void index_roles(struct program *p, struct arena *a)
{
    p->role_holders = ARENA_ARRAY(a, struct role_index, p->nroles);
    for (size_t u = 0; u < p->nunits; u++)
        for (size_t r = 0; r < p->units[u].nroles; r++)
            p->role_holders[p->units[u].roles[r]].n++;
    for (size_t r = 0; r < p->nroles; r++) {
        p->role_holders[r].unit = ARENA_ARRAY(a, int, p->role_holders[r].n);
        p->role_holders[r].n = 0;
    }
    for (size_t u = 0; u < p->nunits; u++)
        for (size_t r = 0; r < p->units[u].nroles; r++) {
            struct role_index *of = &p->role_holders[p->units[u].roles[r]];
            of->unit[of->n++] = (int)u;
        }
}

static void index_aliases(struct program *p, struct arena *a)
{
    size_t n = 0;
    p->naliases = 0;
    for (size_t u = 0; u < p->nunits; u++)
        p->naliases += p->units[u].naliases;
    p->aliases = ARENA_ARRAY(a, struct alias_row, p->naliases);
    for (size_t u = 0; u < p->nunits; u++)
        for (size_t k = 0; k < p->units[u].naliases; k++)
            p->aliases[n++] = (struct alias_row){p->units[u].aliases[k], (int)u};
    if (n)
        qsort(p->aliases, n, sizeof *p->aliases, alias_cmp);
}

struct named {
    struct slice name;
    int index;
};

static int named_cmp(const void *x, const void *y)
{
    const struct named *a = x, *b = y;
    int c = slice_cmp(a->name, b->name);
    return c ? c : (a->index > b->index) - (a->index < b->index);
}

static void index_obligations(struct program *p, struct arena *a)
{
    struct named *sorted = ARENA_ARRAY(a, struct named, p->nobligations);
    for (size_t i = 0; i < p->nobligations; i++)
        sorted[i] = (struct named){p->obligations[i].name, (int)i};
    p->obligations_by_name = p->nobligations ? ARENA_ARRAY(a, int, p->nobligations) : NULL;
    if (p->nobligations)
        qsort(sorted, p->nobligations, sizeof *sorted, named_cmp);
    for (size_t i = 0; i < p->nobligations; i++)
        p->obligations_by_name[i] = sorted[i].index;
}

void program_index(struct program *p, struct arena *a)
{
    index_roles(p, a);
    index_aliases(p, a);
    index_obligations(p, a);
}

/* The first row whose key is not less. */
static size_t table_place(const struct table *t, struct slice key)
{
    size_t low = 0, high = t->nrows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_cmp(t->rows[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool table_has(const struct table *t, struct slice key)
{
    size_t at = table_place(t, key);
    return at < t->nrows && slice_eq(t->rows[at].key, key);
}

const struct table_row *table_find(const struct table *t, struct slice key, date_t d)
{
    for (size_t i = table_place(t, key); i < t->nrows && slice_eq(t->rows[i].key, key); i++)
        if (span_has(t->rows[i].in_force, d))
            return &t->rows[i];
    return NULL;
}

static struct slice row_title(const struct table *table, struct slice key, date_t d)
{
    const struct table_row *row = table_find(table, key, d);
    for (size_t c = 0; row && c < table->ncolumns; c++)
        if (slice_eq(table->columns[c].name, S("title")) && row->column[c].tag == VALUE_TEXT)
            return row->column[c].text;
    return S("");
}

struct slice program_title(const struct program *p, struct slice id, date_t d)
{
    const struct unit *u = program_unit(p, id, d);
    struct slice title = u ? u->title : S("");
    for (size_t i = 0; i < p->ntables && title.n == 0; i++)
        title = row_title(&p->tables[i], id, d);
    return title.n ? title : id;
}
