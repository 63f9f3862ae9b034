/* What the text asks of each unit: roster-checks. One that is not so is named at its row of the roster. */
#include <stdlib.h>

#include "lang/lint.h"
#include "lang/roster.h"

static const struct key_def roster_check_keys[] = {
    {"basis", YAML_SCALAR, false, "article", NULL, "named when it fails"},
    {"each", YAML_NULL, true, "role or list", NULL, "the units that are looked at, each on its first day"},
    {"that", YAML_SCALAR, true, "condition", NULL,
     "over the unit: `id`, `title`, `kind`, `liaison`, `head`, `role`"},
    {"else", YAML_SCALAR, true, "text", NULL, "what is said at the row of a unit for which it does not hold"},
    {"level", YAML_SCALAR, false, "warning|error", "`warning`", "whether the definition is refused"},
};
const struct key_table roster_check_table = KEY_TABLE(roster_check_keys);

/* What the condition sees of a unit. */
enum unit_field { ROW_ID, ROW_TITLE, ROW_KIND, ROW_LIAISON, ROW_HEAD, ROW_ROLE, ROW_FIELDS };
static const struct field unit_row[ROW_FIELDS] = {
    [ROW_ID] = {{"id", 2}, {.tag = TYPE_UNIT}},
    [ROW_TITLE] = {{"title", 5}, {.tag = TYPE_TEXT}},
    [ROW_KIND] = {{"kind", 4}, {.tag = TYPE_TEXT, .optional = true}},
    [ROW_LIAISON] = {{"liaison", 7}, {.tag = TYPE_TEXT, .optional = true}},
    [ROW_HEAD] = {{"head", 4}, {.tag = TYPE_TEXT, .optional = true}},
    [ROW_ROLE] = {{"role", 4}, {.tag = TYPE_SET, .of = &type_text}},
};

struct roster_check {
    struct compiler *c;
    int *role;
    size_t nroles;
    const struct expr *that;
    struct slice basis, otherwise;
    bool error;
};

static struct value text_or_na(struct slice s)
{
    return s.n ? (struct value){.tag = VALUE_TEXT, .text = s} : (struct value){.tag = VALUE_NA};
}

static int role_order(const void *a, const void *b)
{
    return value_cmp(a, b);
}

static struct value row_of(struct arena *a, const struct program *p, const struct unit *u)
{
    struct value *f = ARENA_ARRAY(a, struct value, ROW_FIELDS),
                 *role = ARENA_ARRAY(a, struct value, u->nroles + 1);
    for (size_t i = 0; i < u->nroles; i++)
        role[i] = text_or_na(p->roles[u->roles[i]]);
    if (u->nroles)
        qsort(role, u->nroles, sizeof *role, role_order);
    f[ROW_ID] = text_or_na(u->id);
    f[ROW_TITLE] = text_or_na(u->title);
    f[ROW_KIND] = text_or_na(u->kind);
    f[ROW_LIAISON] = text_or_na(u->liaison);
    f[ROW_HEAD] = text_or_na(u->head);
    f[ROW_ROLE] = (struct value){.tag = VALUE_LIST, .list = {role, u->nroles}};
    return (struct value){.tag = VALUE_RECORD, .record = {.field = f, .n = ROW_FIELDS}};
}

static bool is_meant(const struct roster_check *k, const struct unit *u)
{
    date_t since = k->c->program->effective.from;
    if (since != DATE_NONE && u->in_force.until != DATE_NONE && u->in_force.until <= since)
        return false; /* it was gone before the regime began */
    for (size_t i = 0; i < k->nroles; i++)
        if (unit_has_role(u, k->role[i]))
            return true;
    return false;
}

static void unit_check(const struct roster_check *k, const struct csv *t, const struct csv_row *r,
                       const struct unit *u, date_t day)
{
    const struct program *p = k->c->program;
    struct arena *a = arena_new();
    struct value item = row_of(a, p, u);
    struct row row = {.item = &item};
    struct eval ev = {.program = p, .now = tz_instant(p->tz, day, 0), .arena = a, .row = &row};
    if (!expr_holds(&ev, k->that)) {
        struct yaml at = place_in(t->file, r->line, u->id);
        yaml_diag(k->c->diags, k->error ? SEVERITY_ERROR : SEVERITY_WARNING, DIAG_ROSTER_CHECK, &at,
                  ev.failed, "%.*s%s%.*s: %.*s %.*s", SLICE_ARG(k->basis), k->basis.n ? " " : "",
                  SLICE_ARG(k->otherwise), SLICE_ARG(u->id), SLICE_ARG(u->title));
    }
    arena_free(a);
}

static void rows_check(const struct roster_check *k, const struct csv *t)
{
    const struct program *p = k->c->program;
    for (size_t i = 0; i < t->n; i++) {
        date_t from = DATE_NONE, to = DATE_NONE;
        date_parse(row_cell(t, &t->rows[i], "from"), &from);
        date_parse(row_cell(t, &t->rows[i], "to"), &to);
        date_t day = from != DATE_NONE ? from : to != DATE_NONE ? to : p->effective.from;
        day = day == DATE_NONE ? 0 : day;
        const struct unit *u = program_unit(p, row_cell(t, &t->rows[i], "id"), day);
        if (u && is_meant(k, u))
            unit_check(k, t, &t->rows[i], u, day);
    }
}

static void check_compile(struct compiler *c, const struct yaml *node, const struct csv *t)
{
    static const char *const levels[] = {"warning", "error"};
    struct roster_check k = {.c = c};
    size_t errors = c->diags->errors;
    if (!keys_check(c, node, roster_check_keys, sizeof roster_check_keys / sizeof *roster_check_keys,
                    "a roster check"))
        return;
    struct scope s = {.c = c, .kind = -1, .row = unit_row, .nrow = ROW_FIELDS};
    read_roles(c, yaml_get(node, "each"), &k.role, &k.nroles);
    const struct yaml *that = yaml_get(node, "that");
    k.that = is_scalar(that) ? expr_compile(&s, that, &type_yesno) : NULL;
    k.basis = read_text(node, "basis");
    k.otherwise = read_text(node, "else");
    k.error = read_word(c, yaml_get(node, "level"), levels, 2, "level") == 1;
    if (errors == c->diags->errors && k.that && c->program->tz && build_of(c)->roster_sound)
        rows_check(&k, t);
}

void lint_roster(struct compiler *c)
{
    const struct yaml *const *item;
    const struct yaml *units = yaml_get(c->root, "units");
    size_t n = read_items(yaml_get(c->root, "roster-checks"), &item);
    struct diags said = {.arena = c->arena}; /* its mistakes are known already */
    const struct bundle_file *file = n && is_scalar(units) ? file_beside(c, units->text) : NULL;
    const struct csv *t = file ? csv_parse(file, &said) : NULL;
    for (size_t i = 0; i < n && t; i++)
        check_compile(c, item[i], t);
}
