/* Literal text → a value of a known type: parameters, starts of variables, table cells, values in scenarios.
 */
#include <stdlib.h>

#include "lang/diag.h"
#include "lang/roster.h"
#include "lang/meant.h"
#include "lang/types.h"

struct cell {
    struct compiler *c;
    const struct yaml *at;
};

static bool complain(const struct cell *v, const struct type *t, struct slice text, const char *example)
{
    static const unsigned meant[TYPE_RECORD + 1] = {[TYPE_YESNO] = MEANT_YESNO,
                                              [TYPE_NUMBER] = MEANT_NUMBER,
                                              [TYPE_DATE] = MEANT_DATE,
                                              [TYPE_DURATION] = MEANT_DURATION,
                                              [TYPE_PERIOD] = MEANT_PERIOD};
    struct type plain = *t;
    struct slice name = {0};

    plain.optional = false;
    name = type_format(v->c->arena, &plain);
    yaml_diag(v->c->diags, SEVERITY_ERROR, DIAG_VALUE, v->at,
              meant_hint(v->c->arena, meant[t->tag], text, arena_printf(v->c->arena, "%.*s%s", SLICE_ARG(name), example).p),
              "“%.*s” does not fit here",
              SLICE_ARG(text));
    return false;
}

/* ---- names that must exist */

static bool unit_compile(const struct cell *v, struct slice text)
{
    const struct program *p = v->c->program;

    if (p->nunits == 0 || program_has_party(p, text))
        return true;
    yaml_diag(v->c->diags, SEVERITY_ERROR, DIAG_VALUE, v->at, unit_hint(v->c, text, "the id of a unit of the roster"),
              "there is no unit “%.*s”", SLICE_ARG(text));
    return false;
}

static bool row_compile(const struct cell *v, const struct type *t, struct slice text)
{
    const struct table *table = &v->c->program->tables[t->table];

    if (table->nrows == 0 || table_has(table, text))
        return true;
    yaml_diag(v->c->diags, SEVERITY_ERROR, DIAG_VALUE, v->at,
              arena_printf(v->c->arena, "a key of the table %.*s", SLICE_ARG(table->name)).p,
              "there is no %.*s “%.*s”", SLICE_ARG(table->row), SLICE_ARG(text));
    return false;
}

static bool word_compile(const struct cell *v, const struct type *t, struct slice text)
{
    struct slice near = {0};

    if (type_has_word(t, text))
        return true;
    near = nearest_name(text, t->words, t->nwords);
    yaml_diag(v->c->diags, SEVERITY_ERROR, DIAG_VALUE, v->at,
              near.n > 0 ? arena_printf(v->c->arena, "did you mean “%.*s”?", SLICE_ARG(near)).p
                         : type_format(v->c->arena, t).p,
              "“%.*s” is none of the words that may stand here", SLICE_ARG(text));
    return false;
}

/* ---- one converter for each type */

static bool to_yesno(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    *out = (struct value){.tag = VALUE_YESNO, .yes = slice_eq(text, S("yes"))};
    return out->yes || slice_eq(text, S("no")) || complain(v, t, text, ": yes or no");
}

static bool to_number(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    out->tag = VALUE_NUMBER;
    return rat_parse(text, &out->number) || complain(v, t, text, " such as 12, 2.5 or 70%");
}

static bool to_text(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    *out = (struct value){.tag = VALUE_TEXT, .text = text};
    switch (t->tag) {
    case TYPE_ENUM:
        return word_compile(v, t, text);
    case TYPE_UNIT:
        return unit_compile(v, text);
    case TYPE_ROW:
        return row_compile(v, t, text);
    default:
        return true;
    }
}

static bool to_date(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    out->tag = VALUE_DATE;
    return date_parse(text, &out->date) || complain(v, t, text, " such as 2024-03-29");
}

/* RFC 3339, or local time as people write it: "2024-04-10 09:00". */
static bool to_instant(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    uint64_t hour = 0, minute = 0;
    date_t day = 0;

    out->tag = VALUE_INSTANT;
    if (instant_parse(text, &out->instant))
        return true;
    if (text.n != 16 || text.p[10] != ' ' || text.p[13] != ':' || v->c->program->tz == NULL ||
        !date_parse((struct slice){text.p, 10}, &day) || !parse_u64((struct slice){text.p + 11, 2}, &hour) ||
        !parse_u64((struct slice){text.p + 14, 2}, &minute) || hour > 23 || minute > 59)
        return complain(v, t, text, " such as 2024-04-10 09:00 or 2024-04-10T09:00:00+08:00");
    out->instant = tz_instant(v->c->program->tz, day, (int64_t)(hour * 60 + minute) * 60000);
    return true;
}

static bool to_duration(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    out->tag = VALUE_DURATION;
    return duration_parse(text, &out->duration) || complain(v, t, text, " such as 30d, 2w or 5 workdays");
}

static bool to_period(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    static const char *const example[] = {" such as 2024-03, 2024Q1 or 2024",
                                          " such as 2024-03-29",
                                          " such as 2024-W13",
                                          " such as 2024-03",
                                          " such as 2024Q1",
                                          " such as 2024H1",
                                          " such as 2024"};
    out->tag = VALUE_PERIOD;
    return (period_parse(text, &out->period) && out->period.kind != PERIOD_ONCE &&
            (t->period_kind == PERIOD_ONCE || t->period_kind == out->period.kind)) ||
           complain(v, t, text, example[t->period_kind]);
}

static bool to_items(const struct cell *v, const struct type *t, struct slice text, struct value *out);

static bool (*const converter[])(const struct cell *v, const struct type *t, struct slice text,
                                 struct value *out) = {
    [TYPE_YESNO] = to_yesno,       [TYPE_NUMBER] = to_number,   [TYPE_TEXT] = to_text,
    [TYPE_ENUM] = to_text,         [TYPE_DATE] = to_date,       [TYPE_INSTANT] = to_instant,
    [TYPE_DURATION] = to_duration, [TYPE_PERIOD] = to_period,   [TYPE_UNIT] = to_text,
    [TYPE_ROW] = to_text,          [TYPE_ATTACHMENT] = to_text, [TYPE_SET] = to_items,
    [TYPE_LIST] = to_items,
};

static bool convert(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    *out = (struct value){.tag = VALUE_NA};
    if (text.n == 0 && t->optional)
        return true;
    if (text.n == 0 && t->tag != TYPE_SET && t->tag != TYPE_LIST)
        return complain(v, t, text, "; nothing is here");
    if ((size_t)t->tag >= sizeof converter / sizeof *converter)
        return complain(v, t, text, ", which has no short form");
    return converter[t->tag](v, t, text, out);
}

static int item_cmp(const void *a, const void *b)
{
    return value_cmp(a, b);
}

static void make_set(struct value *list)
{
    size_t kept = 0;

    qsort(list->list.item, list->list.n, sizeof *list->list.item, item_cmp);
    for (size_t i = 0; i < list->list.n; i++)
        if (kept == 0 || value_cmp(&list->list.item[kept - 1], &list->list.item[i]) != 0)
            list->list.item[kept++] = list->list.item[i];
    list->list.n = kept;
}

/* "a|b" as tables write it, or the items of a YAML list. */
static bool to_items(const struct cell *v, const struct type *t, struct slice text, struct value *out)
{
    bool listed = v->at->kind == YAML_LIST, ok = true;
    size_t most = listed ? v->at->n : 1, n = 0, start = 0;

    for (size_t i = 0; !listed && i < text.n; i++)
        most += text.p[i] == '|';
    *out = (struct value){.tag = VALUE_LIST, .list.item = ARENA_ARRAY(v->c->arena, struct value, most + 1)};
    for (size_t i = 0; listed && i < v->at->n; i++) {
        struct cell item = {v->c, v->at->items[i]};

        ok = convert(&item, t->of, item.at->text, &out->list.item[n++]) && ok;
    }
    for (size_t i = 0; !listed && text.n > 0 && i <= text.n; i++) {
        if (i < text.n && text.p[i] != '|')
            continue;
        ok = convert(v, t->of, (struct slice){text.p + start, i - start}, &out->list.item[n++]) && ok;
        start = i + 1;
    }
    out->list.n = n;
    if (ok && t->tag == TYPE_SET)
        make_set(out);
    return ok;
}

bool value_compile(struct compiler *c, const struct yaml *at, struct slice text, const struct type *type,
                   struct value *out)
{
    struct cell v = {c, at};

    if (at->kind == YAML_MAP || (at->kind == YAML_LIST && !type_is_many(type))) {
        yaml_diag(c->diags, SEVERITY_ERROR, DIAG_SHAPE, at, type_format(c->arena, type).p,
                  "a %s cannot stand here", at->kind == YAML_MAP ? "map" : "list");
        return false;
    }
    return convert(&v, type, at->kind == YAML_LIST ? S("[]") : text, out);
}
