/* The roster: units.csv and relations.csv. */
#include <stdlib.h>

#include "lang/meant.h"
#include "lang/roster.h"

#define ID_BYTES_MAX 200 /* of one key part: see KEY_BYTES_MAX */

/* The file that `node` names, as rows under known columns. NULL after a diagnostic. */
struct csv *csv_open(struct compiler *c, const struct yaml *node, const struct column *column, size_t n)
{
    if (!is_scalar(node))
        return NULL;
    const struct bundle_file *file = file_beside(c, node->text);
    if (!file) {
        ERROR_AT(c, FILE, node, "a file beside the workflow", "there is no file %.*s", SLICE_ARG(node->text));
        return NULL;
    }
    struct csv *t = csv_parse(file, c->diags);
    if (!t)
        return NULL;
    struct slice *known = ARENA_ARRAY(c->arena, struct slice, n);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        known[i] = slice_of(column[i].name);
        if (column[i].required && csv_column(t, column[i].name) < 0) {
            struct yaml at = place_in(file, 1, (struct slice){0});
            ERROR_AT(c, ROSTER_COLUMN, &at, column[i].name, "the column “%s” is missing", column[i].name);
            ok = false;
        }
    }
    for (size_t i = 0; i < t->ncolumns; i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= slice_eq(t->header[i], known[k]);
        if (!found) {
            struct yaml at = place_in(file, 1, t->header[i]);
            ERROR_AT(c, ROSTER_COLUMN, &at, name_hint(c, t->header[i], known, n),
                     "the column “%.*s” means nothing here", SLICE_ARG(t->header[i]));
        }
    }
    return ok ? t : NULL;
}

struct slice row_cell(const struct csv *t, const struct csv_row *r, const char *column)
{
    int i = csv_column(t, column);
    return i < 0 ? (struct slice){0} : r->cell[i];
}

bool row_id_check(struct compiler *c, const struct csv *t, const struct csv_row *r, struct slice id)
{
    if (id.n && id.n <= ID_BYTES_MAX && slice_is_printable(id))
        return true;
    struct yaml at = place_in(t->file, r->line, id);
    ERROR_AT(c, ROSTER_ID, &at, "1 to 200 bytes of printable text", "this id cannot be used");
    return false;
}

/* “from” and “to” of a row, both days included. */
struct span row_span(struct compiler *c, const struct csv *t, const struct csv_row *r)
{
    struct span span = {DATE_NONE, DATE_NONE};
    struct slice text[2] = {row_cell(t, r, "from"), row_cell(t, r, "to")};
    date_t *date[2] = {&span.from, &span.until};
    for (int i = 0; i < 2; i++)
        if (text[i].n && !date_parse(text[i], date[i])) {
            struct yaml at = place_in(t->file, r->line, text[i]);
            ERROR_AT(c, ROSTER_DATE, &at, meant_hint(c->arena, MEANT_DATE, text[i], "a date: 2024-03-29"),
                     "“%.*s” is no date", SLICE_ARG(text[i]));
        }
    if (span.until != DATE_NONE && ++span.until <= span.from) {
        struct yaml at = place_in(t->file, r->line, text[1]);
        ERROR_AT(c, ROSTER_DATE, &at, "the same day or a later one", "“to” is before “from”");
    }
    return span;
}

bool spans_meet(struct span a, struct span b)
{
    return (a.until == DATE_NONE || b.from == DATE_NONE || b.from < a.until) &&
           (b.until == DATE_NONE || a.from == DATE_NONE || a.from < b.until);
}

struct slice *cell_parts(struct compiler *c, struct slice text, size_t *n)
{
    struct slice *part = ARENA_ARRAY(c->arena, struct slice, text.n / 2 + 2);
    *n = 0;
    while (text.n) {
        struct slice one = slice_trim(slice_cut(&text, '|'));
        if (one.n)
            part[(*n)++] = one;
    }
    return part;
}

/* Its position in the list, which grows by it if it is new and the list not full: -1 then. */
static int slice_intern(struct compiler *c, struct slice **list, size_t *n, size_t *cap, struct slice name)
{
    for (size_t i = 0; i < *n; i++)
        if (slice_eq((*list)[i], name))
            return (int)i;
    if (*n == NAMES_MAX)
        return -1;
    *(struct slice *)arena_push(c->arena, list, n, cap, sizeof name) = name;
    return (int)*n - 1;
}

/* ---- units */

static int unit_order(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    int order = slice_cmp(x->id, y->id);
    return order ? order : (x->in_force.from > y->in_force.from) - (x->in_force.from < y->in_force.from);
}

static void say_full(struct compiler *c, const struct csv *t, const struct csv_row *r, struct slice name,
                     const char *what)
{
    struct yaml at = place_in(t->file, r->line, name);
    ERROR_AT(c, TOO_LARGE, &at, arena_printf(c->arena, "at most %d", NAMES_MAX).p, "too many %s", what);
}

static void unit_read(struct compiler *c, const struct csv *t, const struct csv_row *r, size_t *roles_cap,
                      struct unit *u)
{
    struct program *p = c->program;
    *u = (struct unit){.id = row_cell(t, r, "id"),
                       .title = row_cell(t, r, "name"),
                       .kind = row_cell(t, r, "kind"),
                       .liaison = row_cell(t, r, "liaison"),
                       .head = row_cell(t, r, "head"),
                       .in_force = row_span(c, t, r)};
    if (u->title.n == 0)
        u->title = u->id;
    size_t n;
    struct slice *role = cell_parts(c, row_cell(t, r, "roles"), &n);
    u->roles = ARENA_ARRAY(c->arena, int, n + 1);
    for (size_t i = 0; i < n; i++) {
        int index = slice_intern(c, &p->roles, &p->nroles, roles_cap, role[i]);
        bool twice = false;
        if (index < 0) { /* once a row */
            say_full(c, t, r, role[i], "roles");
            break;
        }
        for (size_t k = 0; k < u->nroles; k++)
            twice |= u->roles[k] == index;
        if (!twice)
            u->roles[u->nroles++] = index;
    }
    u->aliases = cell_parts(c, row_cell(t, r, "aliases"), &u->naliases);
}

static void unit_type_make(struct compiler *c)
{
    static const struct type text = {.tag = TYPE_TEXT};
    struct field *f = ARENA_ARRAY(c->arena, struct field, 4);
    f[0] = (struct field){S("id"), {.tag = TYPE_UNIT}};
    f[1] = (struct field){S("title"), {.tag = TYPE_TEXT}};
    f[2] = (struct field){S("kind"), {.tag = TYPE_TEXT}};
    f[3] = (struct field){S("role"), {.tag = TYPE_SET, .of = &text}};
    c->program->unit_type = (struct type){.tag = TYPE_RECORD, .fields = f, .nfields = 4};
}

#define HINT_UNITS_MAX 20000
#define HINT_ERRORS_MAX 50

bool roster_may_search(const struct compiler *c)
{
    return c->program->nunits <= HINT_UNITS_MAX && c->diags->errors <= HINT_ERRORS_MAX;
}

const char *unit_hint(struct compiler *c, struct slice got, const char *otherwise)
{
    const struct program *p = c->program;
    if (!roster_may_search(c))
        return otherwise;
    struct slice *id = ARENA_ARRAY(c->arena, struct slice, p->nunits);
    for (size_t i = 0; i < p->nunits; i++)
        id[i] = p->units[i].id;
    struct slice near = nearest_name(got, id, p->nunits);
    return near.n ? arena_printf(c->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p : otherwise;
}

/* ---- no two units of one name on one day */

struct bearer { /* of an id or alias */
    struct slice name;
    size_t row; /* of the file */
    struct span in_force;
};

static int bearer_order(const void *a, const void *b)
{
    const struct bearer *x = a, *y = b;
    int order = slice_cmp(x->name, y->name);
    if (!order)
        order = (x->in_force.from > y->in_force.from) - (x->in_force.from < y->in_force.from);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static struct bearer *bearers_of(struct compiler *c, const struct csv *t, const struct unit *row, size_t *n)
{
    size_t most = t->n;
    for (size_t i = 0; i < t->n; i++)
        most += row[i].naliases;
    struct bearer *all = ARENA_ARRAY(c->arena, struct bearer, most);
    *n = 0;
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k <= row[i].naliases; k++)
            all[(*n)++] = (struct bearer){k ? row[i].aliases[k - 1] : row[i].id, i, row[i].in_force};
    if (*n)
        qsort(all, *n, sizeof *all, bearer_order);
    return all;
}

/* Of those with one name, each is held against the one before it that ends last. */
static void units_check_twice(struct compiler *c, const struct csv *t, const struct unit *row)
{
    size_t n;
    const struct bearer *b = bearers_of(c, t, row, &n), *last = b;
    bool *told = ARENA_ARRAY(c->arena, bool, t->n);
    for (size_t i = 1; i < n; i++) {
        bool same = slice_eq(last->name, b[i].name);
        if (same && last->row != b[i].row && spans_meet(last->in_force, b[i].in_force)) {
            size_t later = last->row > b[i].row ? last->row : b[i].row;
            size_t earlier = last->row > b[i].row ? b[i].row : last->row;
            struct yaml at = place_in(t->file, t->rows[later].line, row[later].id);
            if (!told[later])
                ERROR_AT(c, ROSTER_TWICE, &at, "ids and aliases of one unit only, or dates that do not overlap",
                         "“%.*s” stands in line %d already", SLICE_ARG(b[i].name), t->rows[earlier].line);
            told[later] = true;
        }
        if (!same || (last->in_force.until != DATE_NONE &&
                      (b[i].in_force.until == DATE_NONE || b[i].in_force.until > last->in_force.until)))
            last = &b[i];
    }
}

/* False: there is no roster to speak of. */
static bool units_compile(struct compiler *c)
{
    static const struct column columns[] = {
        {"id", true},       {"name", true},  {"kind", false}, {"roles", true}, {"aliases", false},
        {"liaison", false}, {"head", false}, {"from", false}, {"to", false},   {"successor", false}};
    struct program *p = c->program;
    unit_type_make(c);
    struct csv *t = csv_open(c, yaml_get(c->root, "units"), columns, sizeof columns / sizeof *columns);
    size_t cap = 0;
    if (t && t->n == 0) {
        struct yaml at = place_in(t->file, 1, (struct slice){0});
        ERROR_AT(c, CSV_EMPTY, &at, "a line for each unit", "the file has a header and no rows");
        return false;
    }
    if (t) {
        p->units = ARENA_ARRAY(c->arena, struct unit, t->n + 1);
        for (size_t i = 0; i < t->n; i++) {
            unit_read(c, t, &t->rows[i], &cap, &p->units[i]);
            row_id_check(c, t, &t->rows[i], p->units[i].id);
        }
        p->nunits = t->n;
        units_check_twice(c, t, p->units);
        qsort(p->units, p->nunits, sizeof *p->units, unit_order);
        program_index(p, c->arena);
        successors_compile(c, t);
    }
    c->role_used = ARENA_ARRAY(c->arena, bool, p->nroles + 1);
    return t != NULL;
}

/* ---- relations */

static int relation_order(const void *a, const void *b)
{
    const struct relation_row *x = a, *y = b;
    int order = slice_cmp(x->subject, y->subject);
    if (!order)
        order = x->relation - y->relation;
    if (!order)
        order = x->unit - y->unit;
    return order ? order : (x->in_force.from > y->in_force.from) - (x->in_force.from < y->in_force.from);
}

static int unit_for(const struct program *p, struct slice id, struct span span)
{
    int found = -1;
    for (size_t i = program_unit_place(p, id); i < p->nunits && slice_eq(p->units[i].id, id); i++)
        if (found < 0 || spans_meet(p->units[i].in_force, span))
            found = (int)i;
    return found;
}

static bool subject_known(const struct program *p, struct slice subject)
{
    for (size_t i = 0; i < p->ntables; i++)
        if (table_has(&p->tables[i], subject))
            return true;
    return program_has_unit(p, subject);
}

static void relations_compile(struct compiler *c)
{
    static const struct column columns[] = {
        {"subject", true}, {"relation", true}, {"unit", true}, {"from", false}, {"to", false}};
    struct program *p = c->program;
    struct csv *t = csv_open(c, yaml_get(c->root, "relations"), columns, sizeof columns / sizeof *columns);
    size_t cap = 0;
    p->relation_rows = ARENA_ARRAY(c->arena, struct relation_row, t ? t->n + 1 : 1);
    for (size_t i = 0; t && i < t->n; i++) {
        const struct csv_row *r = &t->rows[i];
        struct relation_row row = {.subject = row_cell(t, r, "subject"), .in_force = row_span(c, t, r)};
        struct slice unit = row_cell(t, r, "unit");
        row.relation = slice_intern(c, &p->relations, &p->nrelations, &cap, row_cell(t, r, "relation"));
        if (row.relation < 0)
            say_full(c, t, r, row_cell(t, r, "relation"), "relations");
        row.unit = unit_for(p, unit, row.in_force);
        if (row.unit < 0) {
            struct yaml at = place_in(t->file, r->line, unit);
            ERROR_AT(c, ROSTER_UNIT, &at, "the id of a unit of the roster", "there is no unit “%.*s”",
                     SLICE_ARG(unit));
            continue;
        }
        if (!subject_known(p, row.subject)) {
            struct yaml at = place_in(t->file, r->line, row.subject);
            WARN_AT(c, ROSTER_SUBJECT, &at, "an id of the roster or a key of a table",
                    "nothing is called “%.*s”", SLICE_ARG(row.subject));
        }
        if (row.relation >= 0)
            p->relation_rows[p->nrelation_rows++] = row;
    }
    qsort(p->relation_rows, p->nrelation_rows, sizeof *p->relation_rows, relation_order);
    c->relation_used = ARENA_ARRAY(c->arena, bool, p->nrelations + 1);
}

bool roster_compile(struct compiler *c)
{
    zone_compile(c);
    calendar_compile(c);
    size_t errors = c->diags->errors;
    if (!units_compile(c))
        return false;
    tables_compile(c);
    relations_compile(c);
    build_of(c)->roster_sound = errors == c->diags->errors;
    return true;
}
