/* Untyped input → typed values, saying of every one that does not fit where it stands and what was expected.
 */
#include "core/roster.h"
#include "core/turn.h"

#include <stdlib.h>

#define SHOWN_MAX 60 /* bytes of a wrong value that a reason repeats */

static struct slice path_format(struct turn *t, const struct path *at)
{
    struct slice up = at->up ? path_format(t, at->up) : S("");
    if (at->name.n == 0)
        return arena_printf(t->arena, "%.*s[%zu]", SLICE_ARG(up), at->index + 1);
    return arena_printf(t->arena, "%.*s%s%.*s", SLICE_ARG(up), up.n ? "." : "", SLICE_ARG(at->name));
}

/* The value as a reason shows it: short, cut between characters. */
static struct slice shown(struct turn *t, const struct value *v)
{
    struct slice s = value_format(t->arena, v, t->p->tz);
    size_t n = s.n;
    if (n > SHOWN_MAX)
        for (n = SHOWN_MAX; n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80;)
            n--;
    const char *quote = v->tag == VALUE_TEXT ? "\"" : "";
    return arena_printf(t->arena, "%s%.*s%s%s", quote, (int)n, s.p, n < s.n ? "…" : "", quote);
}

/* An example where the name of a type does not say how to write it. */
static const char *const type_example[] = {
    [TYPE_YESNO] = "",
    [TYPE_NUMBER] = "",
    [TYPE_DATE] = " such as 2024-03-29",
    [TYPE_INSTANT] = " such as 2024-03-29T09:00:00+08:00",
    [TYPE_DURATION] = " such as 30d",
    [TYPE_RECORD] = "",
};

static const char *const period_example[] = {
    [PERIOD_ONCE] = "2024-03",  [PERIOD_DAY] = "2024-03-29", [PERIOD_WEEK] = "2024-W13",
    [PERIOD_MONTH] = "2024-03", [PERIOD_QUARTER] = "2024Q1", [PERIOD_HALF] = "2024H1",
    [PERIOD_YEAR] = "2024"};

static bool mismatch(struct turn *t, const struct type *want, const struct value *v, const struct path *at)
{
    struct type plain = *want;
    plain.optional = false;
    struct slice name = want->tag == TYPE_ROW ? t->p->tables[want->table].row : type_format(t->arena, &plain);
    struct slice example = S("");
    if (want->tag == TYPE_PERIOD)
        example = arena_printf(t->arena, " such as %s", period_example[want->period_kind]);
    else if ((size_t)want->tag < sizeof type_example / sizeof *type_example && type_example[want->tag])
        example = slice_of(type_example[want->tag]);
    problem_add(&t->why, "%.*s: expected %.*s%.*s, not %.*s", SLICE_ARG(path_format(t, at)), SLICE_ARG(name),
                SLICE_ARG(example), SLICE_ARG(shown(t, v)));
    return false;
}

/* ---- one converter for each type: false when the value does not fit */

static bool to_yesno(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    bool yes = v->tag == VALUE_TEXT && slice_eq(v->text, S("yes"));
    bool no = v->tag == VALUE_TEXT && slice_eq(v->text, S("no"));
    *out = v->tag == VALUE_YESNO ? *v : (struct value){.tag = VALUE_YESNO, .yes = yes};
    return v->tag == VALUE_YESNO || yes || no;
}

static bool to_number(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    *out = (struct value){.tag = VALUE_NUMBER};
    if (v->tag == VALUE_NUMBER)
        out->number = v->number;
    return v->tag == VALUE_NUMBER || (v->tag == VALUE_TEXT && rat_parse(v->text, &out->number));
}

static bool to_text(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    *out = *v;
    return v->tag == VALUE_TEXT && slice_is_utf8(v->text);
}

static bool to_enum(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t;
    for (size_t w = 0; v->tag == VALUE_TEXT && w < want->nwords; w++)
        if (slice_eq(v->text, want->words[w])) {
            *out = *v;
            return true;
        }
    return false;
}

static bool to_date(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    *out = *v;
    if (v->tag == VALUE_TEXT)
        *out = (struct value){.tag = VALUE_DATE};
    return v->tag == VALUE_DATE || (v->tag == VALUE_TEXT && date_parse(v->text, &out->date));
}

static bool to_instant(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    *out = *v;
    if (v->tag == VALUE_TEXT)
        *out = (struct value){.tag = VALUE_INSTANT};
    return v->tag == VALUE_INSTANT || (v->tag == VALUE_TEXT && instant_parse(v->text, &out->instant));
}

static bool to_duration(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t, (void)want;
    *out = *v;
    if (v->tag == VALUE_TEXT)
        *out = (struct value){.tag = VALUE_DURATION};
    return v->tag == VALUE_DURATION || (v->tag == VALUE_TEXT && duration_parse(v->text, &out->duration));
}

static bool to_period(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)t;
    *out = *v;
    if (v->tag == VALUE_TEXT) {
        *out = (struct value){.tag = VALUE_PERIOD};
        if (!period_parse(v->text, &out->period))
            return false;
    }
    return out->tag == VALUE_PERIOD && out->period.kind != PERIOD_ONCE &&
           (want->period_kind == PERIOD_ONCE || want->period_kind == out->period.kind);
}

static bool to_unit(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    (void)want;
    const struct unit *u = v->tag == VALUE_TEXT ? program_party(t->p, v->text, HEIR_OF_CASES, t->today) : NULL;
    if (u)
        *out = (struct value){.tag = VALUE_TEXT, .text = u->id}; /* an alias stands for its unit, an heir for one that is no more */
    return u != NULL;
}

static bool to_row(struct turn *t, const struct type *want, const struct value *v, struct value *out)
{
    *out = *v;
    return v->tag == VALUE_TEXT && table_find(&t->p->tables[want->table], v->text, t->today);
}

static bool (*const scalar[])(struct turn *t, const struct type *want, const struct value *v,
                              struct value *out) = {
    [TYPE_YESNO] = to_yesno,       [TYPE_NUMBER] = to_number,   [TYPE_TEXT] = to_text,
    [TYPE_ENUM] = to_enum,         [TYPE_DATE] = to_date,       [TYPE_INSTANT] = to_instant,
    [TYPE_DURATION] = to_duration, [TYPE_PERIOD] = to_period,   [TYPE_UNIT] = to_unit,
    [TYPE_ROW] = to_row,           [TYPE_ATTACHMENT] = to_text,
};

/* ---- collections */

static int item_cmp(const void *a, const void *b)
{
    return value_cmp(a, b);
}

static bool to_list(struct turn *t, const struct type *want, const struct value *v, const struct path *at,
                    struct value *out)
{
    if (v->tag != VALUE_LIST)
        return mismatch(t, want, v, at);
    struct value *item = ARENA_ARRAY(t->arena, struct value, v->list.n);
    bool fits = true;
    for (size_t i = 0; i < v->list.n; i++)
        fits &= typing_value(t, want->of, &v->list.item[i], &(struct path){.up = at, .index = i}, &item[i]);
    size_t n = v->list.n;
    if (fits && want->tag == TYPE_SET && n) {
        qsort(item, n, sizeof *item, item_cmp);
        size_t kept = 1;
        for (size_t i = 1; i < n; i++)
            if (value_cmp(&item[kept - 1], &item[i]) != 0)
                item[kept++] = item[i];
        n = kept;
    }
    *out = (struct value){.tag = VALUE_LIST, .list = {item, n}};
    return fits;
}

static bool to_record(struct turn *t, const struct type *want, const struct value *v, const struct path *at,
                      struct value *out)
{
    if (v->tag != VALUE_RECORD || (v->record.n && !v->record.name))
        return mismatch(t, want, v, at);
    struct value *field = ARENA_ARRAY(t->arena, struct value, want->nfields);
    *out = (struct value){.tag = VALUE_RECORD, .record = {.field = field, .n = want->nfields}};
    return typing_fields(t, want->fields, want->nfields, v, false, at, field);
}

bool typing_value(struct turn *t, const struct type *want, const struct value *v, const struct path *at,
                  struct value *out)
{
    *out = (struct value){.tag = VALUE_NA};
    if (v->tag == VALUE_NA) {
        if (!want->optional)
            problem_add(&t->why, "%.*s: missing", SLICE_ARG(path_format(t, at)));
        return want->optional;
    }
    if (want->tag == TYPE_SET || want->tag == TYPE_LIST)
        return to_list(t, want, v, at, out);
    if (want->tag == TYPE_RECORD)
        return to_record(t, want, v, at, out);
    return scalar[want->tag](t, want, v, out) || mismatch(t, want, v, at);
}

/* ---- records */

struct given {
    const struct value *value; /* the first */
    size_t times;
};

/* Which field has this name, looked for from `from` on: most records keep the order of their fields. nfields: none. */
static size_t field_named(const struct field *fields, size_t nfields, size_t from, struct slice name)
{
    for (size_t i = 0; i < nfields; i++, from++) {
        from = from < nfields ? from : 0;
        if (slice_eq(fields[from].name, name))
            return from;
    }
    return nfields;
}

/* What the record has for each field; false: it has what is none of them. */
static bool record_given(struct turn *t, const struct field *fields, size_t nfields, const struct value *record,
                         const struct path *at, struct given *given)
{
    bool fits = true;
    size_t next = 0;
    for (size_t i = 0; record->tag == VALUE_RECORD && i < record->record.n; i++) {
        struct path here = {.up = at, .name = record->record.name[i]};
        size_t f = field_named(fields, nfields, next, here.name);
        fits &= f < nfields;
        if (f == nfields) {
            problem_add(&t->why, "%.*s: unknown field", SLICE_ARG(path_format(t, &here)));
            continue;
        }
        if (given[f].times++ == 0)
            given[f].value = &record->record.field[i];
        next = f + 1;
    }
    return fits;
}

bool typing_fields(struct turn *t, const struct field *fields, size_t nfields, const struct value *record,
                   bool lenient, const struct path *at, struct value *out)
{
    static const struct value nothing = {.tag = VALUE_NA};
    struct given *given = ARENA_ARRAY(t->arena, struct given, nfields);
    bool fits = record_given(t, fields, nfields, record, at, given);
    for (size_t f = 0; f < nfields; f++) {
        struct path here = {.up = at, .name = fields[f].name};
        const struct value *v = given[f].value ? given[f].value : &nothing;
        if (given[f].times > 1)
            problem_add(&t->why, "%.*s: given %zu times", SLICE_ARG(path_format(t, &here)), given[f].times);
        out[f] = nothing;
        fits &= ((lenient && v->tag == VALUE_NA) || typing_value(t, &fields[f].type, v, &here, &out[f])) &&
                given[f].times <= 1;
    }
    return fits;
}
