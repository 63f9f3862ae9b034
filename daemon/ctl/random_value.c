#include "ctl/random_value.h"

#define DAY_MS INT64_C(86400000)

/* splitmix64 */
static uint64_t next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *c, uint64_t n)
{
    uint64_t drawn = next(c);
    return n ? drawn % n : 0;
}

bool chance_of(struct chance *c, unsigned percent)
{
    return chance_below(c, 100) < percent;
}

/* As often as not one of the first few: what is to be followed up must come again. */
static uint64_t chance_again(struct chance *c, uint64_t n)
{
    return chance_below(c, n > 4 && chance_of(c, 50) ? 4 : n);
}

instant_t chance_between(struct chance *c, instant_t from, instant_t until)
{
    instant_t minutes = until > from ? (until - from) / 60000 : 0;
    return from + (instant_t)chance_below(c, (uint64_t)minutes) * 60000;
}

struct slice chance_unit(struct chance *c, const int *roles, size_t nroles, date_t day)
{
    int *unit;
    if (nroles) {
        size_t n = program_holders(c->p, roles, nroles, day, c->arena, &unit);
        return n ? c->p->units[unit[chance_again(c, n)]].id : S("");
    }
    for (int tries = 0; tries < 50; tries++) { /* any row, as long as it is in force */
        const struct unit *u = &c->p->units[chance_below(c, c->p->nunits)];
        if (c->p->nunits && span_has(u->in_force, day))
            return u->id;
    }
    return S("");
}

static struct slice chance_row(struct chance *c, int table, date_t day)
{
    const struct table *t = &c->p->tables[table];
    for (int tries = 0; t->nrows && tries < 50; tries++) {
        const struct table_row *row = &t->rows[chance_again(c, t->nrows)];
        if (span_has(row->in_force, day))
            return row->key;
    }
    return S("");
}

/* A subject is a table's row as often as a matter of its own; few of them, so that they come again. */
static struct slice chance_text(struct chance *c, struct slice name, date_t day)
{
    static const char *const matters[] = {"窗口排队", "材料重复提交", "系统卡顿"};
    bool key = slice_eq(name, S("subject")) || slice_eq(name, S("about")) || slice_eq(name, S("id"));
    if (key && c->p->ntables && chance_of(c, 60)) {
        struct slice row = chance_row(c, (int)chance_below(c, c->p->ntables), day);
        if (row.n)
            return row;
    }
    return slice_of(matters[chance_below(c, sizeof matters / sizeof *matters)]);
}

static json_t *chance_list(struct chance *c, const struct type *type, struct slice name, instant_t now)
{
    json_t *list = json_array();
    for (uint64_t i = 0, n = 1 + chance_below(c, 3); i < n; i++)
        json_array_append_new(list, chance_value(c, type->of, name, now));
    return list;
}

json_t *chance_value(struct chance *c, const struct type *type, struct slice name, instant_t now)
{
    date_t today = tz_date(c->p->tz, now, NULL);
    enum period_kind kind = type->period_kind == PERIOD_ONCE ? PERIOD_MONTH : type->period_kind;
    switch (type->tag) {
    case TYPE_YESNO:
        return json_boolean(chance_of(c, 70));
    case TYPE_NUMBER:
        return json_integer((json_int_t)chance_below(c, 21));
    case TYPE_ENUM:
        return json_text(type->words[chance_below(c, type->nwords)]);
    case TYPE_DATE:
        return json_text(date_format(c->arena, today - (date_t)chance_below(c, 4)));
    case TYPE_INSTANT:
        return json_text(instant_format_utc(c->arena, now - (instant_t)chance_below(c, 3) * DAY_MS));
    case TYPE_DURATION:
        return json_text(arena_printf(c->arena, "%dd", 1 + (int)chance_below(c, 30)));
    case TYPE_PERIOD: /* the last one more often than the present one */
        return json_text(
            period_format(c->arena, period_step(period_of_date(kind, today), chance_of(c, 60) ? -1 : 0)));
    case TYPE_UNIT:
        return json_text(chance_unit(c, NULL, 0, today));
    case TYPE_ROW:
        return json_text(chance_row(c, type->table, today));
    case TYPE_ATTACHMENT:
        return json_text(arena_printf(c->arena, "file-%d.pdf", (int)chance_below(c, 1000)));
    case TYPE_SET:
    case TYPE_LIST:
        return chance_list(c, type, name, now);
    case TYPE_RECORD:
        return chance_fields(c, type->fields, type->nfields, NULL, now);
    case TYPE_TEXT:
        break;
    }
    return json_text(chance_text(c, name, today));
}

json_t *chance_fields(struct chance *c, const struct field *field, size_t n, const bool *required,
                      instant_t now)
{
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++) {
        bool must = required ? required[i] : !field[i].type.optional;
        if (must || chance_of(c, 60))
            json_object_setn_new(o, field[i].name.p, field[i].name.n,
                                 chance_value(c, &field[i].type, field[i].name, now));
    }
    return o;
}
