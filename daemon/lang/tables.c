/* Tables: reference rows with typed columns. */
#include <stdlib.h>

#include "lang/roster.h"

static int table_row_order(const void *a, const void *b)
{
    const struct table_row *x = a, *y = b;
    int order = slice_cmp(x->key, y->key);
    return order ? order : (x->in_force.from > y->in_force.from) - (x->in_force.from < y->in_force.from);
}

static const struct column *table_columns(struct compiler *c, const struct table *t, size_t *n)
{
    struct column *column = ARENA_ARRAY(c->arena, struct column, t->ncolumns + 2);
    for (size_t i = 0; i < t->ncolumns; i++)
        column[i] = (struct column){arena_dup(c->arena, t->columns[i].name).p, true};
    *n = t->ncolumns;
    column[(*n)++] = (struct column){"from", false};
    column[(*n)++] = (struct column){"to", false};
    return column;
}

static void table_rows(struct compiler *c, struct table *t, const struct csv *csv)
{
    t->rows = ARENA_ARRAY(c->arena, struct table_row, csv->n + 1);
    for (size_t i = 0; i < csv->n; i++) {
        const struct csv_row *r = &csv->rows[i];
        struct table_row *row = &t->rows[t->nrows++];
        row->key = row_cell(csv, r, t->columns[t->key_column].name.p);
        row->in_force = row_span(c, csv, r);
        row->column = ARENA_ARRAY(c->arena, struct value, t->ncolumns);
        row_id_check(c, csv, r, row->key);
        for (size_t k = 0; k < t->ncolumns; k++) {
            struct slice text = row_cell(csv, r, t->columns[k].name.p);
            if ((int)k == t->key_column) {
                row->column[k] = (struct value){.tag = VALUE_TEXT, .text = text};
                continue;
            }
            if (text.n == 0 && t->columns[k].type.optional)
                continue; /* n/a */
            struct yaml at = place_in(csv->file, r->line, text);
            value_compile(c, &at, text, &t->columns[k].type, &row->column[k]);
        }
    }
    struct table_row *unsorted = ARENA_ARRAY(c->arena, struct table_row, csv->n + 1);
    memcpy(unsorted, t->rows, sizeof *unsorted * csv->n);
    qsort(t->rows, t->nrows, sizeof *t->rows, table_row_order);
    for (size_t i = 1; i < t->nrows; i++)
        if (slice_eq(t->rows[i].key, t->rows[i - 1].key) &&
            spans_meet(t->rows[i].in_force, t->rows[i - 1].in_force)) {
            size_t k = csv->n; /* the later of its lines is the one to blame */
            while (--k && !slice_eq(unsorted[k].key, t->rows[i].key))
                ;
            struct yaml at = place_in(csv->file, csv->rows[k].line, unsorted[k].key);
            ERROR_AT(c, ROSTER_TWICE, &at, "each key once, or dates that do not overlap",
                     "“%.*s” stands twice in the table", SLICE_ARG(t->rows[i].key));
        }
}

static const struct key_def table_keys[] = {
    {"file", YAML_SCALAR, true, "CSV file", NULL, "its rows"},
    {"row", YAML_SCALAR, true, "name", NULL, "the type of one key: fields and key parts may be of it"},
    {"key", YAML_SCALAR, true, "name", NULL,
     "the column that names the row; it need not stand under `columns`"},
    {"columns", YAML_MAP, false, "map of type", NULL,
     "a cell must fit its type; it may be empty where the type is optional"},
};
const struct key_table table_table = KEY_TABLE(table_keys);

/* Name, row type, key and columns: what types need to know before any row is read. */
static void table_head(struct compiler *c, const struct declared *d, struct table *t)
{
    t->name = d->name;
    if (!keys_check(c, d->node, table_keys, sizeof table_keys / sizeof *table_keys,
                    arena_printf(c->arena, "table %.*s", SLICE_ARG(d->name)).p))
        return;
    t->row = read_text(d->node, "row");
    if (is_scalar(yaml_get(d->node, "row")))
        name_check(c, yaml_get(d->node, "row"), "a table's row");
}

static void table_body(struct compiler *c, const struct declared *d, int index)
{
    struct table *t = &c->program->tables[index];
    const struct yaml *map = yaml_get(d->node, "columns");
    size_t n = map_size(c, map);
    struct field *f = ARENA_ARRAY(c->arena, struct field, n + 2);
    t->columns = f;
    t->key_column = -1;
    struct slice key = read_text(d->node, "key");
    bool ok = key.n > 0;
    for (size_t i = 0; i < n; i++) {
        f[i].name = arena_dup(c->arena, map->pairs[i].key->text);
        ok &= type_compile(c, map->pairs[i].value, &f[i].type);
        if (slice_eq(f[i].name, key))
            t->key_column = (int)i;
    }
    t->ncolumns = n;
    if (t->key_column < 0) { /* the key needs no declaration: it is the table's own type */
        t->key_column = (int)t->ncolumns++;
        f[t->key_column] = (struct field){arena_dup(c->arena, key), {.tag = TYPE_ROW, .table = index}};
    }
    size_t ncolumn;
    const struct column *column = table_columns(c, t, &ncolumn);
    struct csv *csv = ok ? csv_open(c, yaml_get(d->node, "file"), column, ncolumn) : NULL;
    if (csv)
        table_rows(c, t, csv);
}

void tables_compile(struct compiler *c)
{
    struct build *b = build_of(c);
    struct program *p = c->program;
    section_collect(b, "tables", &b->tables);
    p->tables = ARENA_ARRAY(c->arena, struct table, b->tables.n + 1);
    for (size_t i = 0; i < b->tables.n; i++)
        table_head(c, &b->tables.item[i], &p->tables[i]);
    p->ntables = b->tables.n;
    for (size_t i = 0; i < b->tables.n; i++)
        table_body(c, &b->tables.item[i], (int)i);
}
