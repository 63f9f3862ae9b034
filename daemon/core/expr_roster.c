#include "core/expr_ops.h"
#include "core/roster.h"

/* Looks something up for a text, adding what it finds (nothing, one or several) to `to`. */
typedef void look_up(struct eval *ev, const struct expr *x, struct slice key, struct items *to);

/* One look-up for a text, the union of look-ups for a set; nothing for n/a. */
static void look_up_each(struct eval *ev, const struct expr *x, const struct value *v, look_up *f,
                         struct items *to)
{
    if (v->tag == VALUE_TEXT) {
        f(ev, x, v->text, to);
    } else if (v->tag == VALUE_LIST && eval_charge(ev, x, v->list.n)) {
        for (size_t i = 0; i < v->list.n && !ev->failed; i++)
            look_up_each(ev, x, &v->list.item[i], f, to);
    }
}

/* For a text the one thing found, or n/a; for a set the set of what was found. */
static struct value look_up_value(struct eval *ev, const struct expr *x, look_up *f)
{
    struct value v = eval_arg(ev, x, 0);
    struct items found = {0};
    if (v.tag == VALUE_NA)
        return NA;
    look_up_each(ev, x, &v, f, &found);
    if (v.tag == VALUE_LIST)
        return items_set(ev, &found);
    return found.n ? found.item[0] : NA;
}

/* ---- units */

static struct value role_names(struct eval *ev, const struct unit *u)
{
    struct items names = {0};
    for (size_t i = 0; i < u->nroles; i++)
        items_add(ev, &names, value_text(ev->program->roles[u->roles[i]]));
    return items_set(ev, &names);
}

static void unit_attr(struct eval *ev, const struct expr *x, struct slice id, struct items *to)
{
    const struct unit *u = program_unit(ev->program, id, eval_today(ev));
    if (!u && x->index == UNIT_TITLE && id.n) /* a task may be about a row, or a matter in words */
        items_add(ev, to, value_text(program_title(ev->program, id, eval_today(ev))));
    if (!u)
        return;
    switch ((enum unit_attr)x->index) {
    case UNIT_TITLE:
        items_add(ev, to, value_text(u->title));
        break;
    case UNIT_LIAISON:
        items_add(ev, to, value_text(u->liaison));
        break;
    case UNIT_HEAD:
        items_add(ev, to, value_text(u->head));
        break;
    case UNIT_KIND:
        items_add(ev, to, value_text(u->kind));
        break;
    case UNIT_ROLES:
        items_add(ev, to, role_names(ev, u));
        break;
    }
}

struct value eval_unit_attr(struct eval *ev, const struct expr *x)
{
    return look_up_value(ev, x, unit_attr);
}

struct value eval_holders(struct eval *ev, const struct expr *x, const int *roles, size_t n)
{
    const struct program *p = ev->program;
    struct items held = {0};
    int *unit;
    size_t found = program_holders(p, roles, n, eval_today(ev), ev->arena, &unit);
    if (!eval_charge(ev, x, found))
        return NA;
    for (size_t i = 0; i < found; i++)
        items_add(ev, &held, value_text(p->units[unit[i]].id));
    return items_set(ev, &held);
}

struct value eval_role(struct eval *ev, const struct expr *x)
{
    return eval_holders(ev, x, &x->index, 1);
}

struct value eval_units(struct eval *ev, const struct expr *x)
{
    const struct program *p = ev->program;
    struct items rows = {0};
    date_t today = eval_today(ev);
    if (!eval_charge(ev, x, p->nunits * 4))
        return NA;
    for (size_t i = 0; i < p->nunits; i++) {
        const struct unit *u = &p->units[i];
        if (!span_has(u->in_force, today))
            continue;
        struct value *field = ARENA_ARRAY(ev->arena, struct value, 4); /* as program.unit_type lists them */
        field[0] = value_text(u->id);
        field[1] = value_text(u->title);
        field[2] = value_text(u->kind);
        field[3] = role_names(ev, u);
        items_add(ev, &rows, (struct value){.tag = VALUE_RECORD, .record = {field, NULL, 4}});
    }
    return items_list(&rows);
}

/* ---- relations */

static int relation_cmp(const struct relation_row *row, struct slice subject, int relation)
{
    int c = slice_cmp(row->subject, subject);
    return c ? c : (row->relation > relation) - (row->relation < relation);
}

static void related(struct eval *ev, const struct expr *x, struct slice subject, struct items *to)
{
    const struct program *p = ev->program;
    date_t today = eval_today(ev);
    size_t low = 0, high = p->nrelation_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (relation_cmp(&p->relation_rows[middle], subject, x->index) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < p->nrelation_rows && relation_cmp(&p->relation_rows[low], subject, x->index) == 0; low++)
        if (span_has(p->relation_rows[low].in_force, today) && eval_charge(ev, x, 1))
            items_add(ev, to, value_text(program_heir(p, p->units[p->relation_rows[low].unit].id, HEIR_OF_CASES, today)));
}

struct value eval_relation(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    struct items found = {0};
    look_up_each(ev, x, &v, related, &found);
    return items_set(ev, &found);
}

/* ---- tables */

static void column(struct eval *ev, const struct expr *x, struct slice key, struct items *to)
{
    const struct table *t = &ev->program->tables[x->index];
    const struct table_row *row = table_find(t, key, eval_today(ev));
    struct value v = row ? row->column[x->index2] : NA;
    if (t->columns[x->index2].type.tag == TYPE_UNIT && v.tag == VALUE_TEXT)
        v.text = program_heir(ev->program, v.text, HEIR_OF_CASES, eval_today(ev));
    if (row)
        items_add(ev, to, v);
}

struct value eval_column(struct eval *ev, const struct expr *x)
{
    return look_up_value(ev, x, column);
}

struct value eval_is_row(struct eval *ev, const struct expr *x)
{
    struct value v = eval_arg(ev, x, 0);
    if (v.tag != VALUE_TEXT)
        return NA;
    return value_yes(table_find(&ev->program->tables[x->index], v.text, eval_today(ev)) != NULL);
}

struct value eval_table_rows(struct eval *ev, const struct expr *x)
{
    const struct table *t = &ev->program->tables[x->index];
    struct items rows = {0};
    date_t today = eval_today(ev);
    if (!eval_charge(ev, x, t->nrows))
        return NA;
    for (size_t i = 0; i < t->nrows; i++)
        if (span_has(t->rows[i].in_force, today))
            items_add(ev, &rows,
                      (struct value){.tag = VALUE_RECORD, .record = {t->rows[i].column, NULL, t->ncolumns}});
    return items_list(&rows);
}
