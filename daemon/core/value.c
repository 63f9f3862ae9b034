#include "core/value.h"

static int int_cmp(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By length where units agree on one (a month counts 30 days here), then by unit: total, and 2h is not 120m.
 */
static int duration_cmp(struct duration a, struct duration b)
{
    static const int64_t minutes[] = {
        [DURATION_MINUTE] = 1,     [DURATION_HOUR] = 60,          [DURATION_DAY] = 24 * 60,
        [DURATION_WORKDAY] = 1440, [DURATION_WEEK] = 7 * 24 * 60, [DURATION_MONTH] = 30 * 24 * 60,
    };
    int c = int_cmp(a.n * minutes[a.unit], b.n * minutes[b.unit]);
    return c ? c : int_cmp((int)a.unit, (int)b.unit);
}

static int items_cmp(const struct value *a, size_t na, const struct value *b, size_t nb)
{
    for (size_t i = 0; i < na && i < nb; i++) {
        int c = value_cmp(&a[i], &b[i]);
        if (c)
            return c;
    }
    return (na > nb) - (na < nb);
}

int value_cmp(const struct value *a, const struct value *b)
{
    if (a->tag != b->tag)
        return a->tag < b->tag ? -1 : 1;
    switch (a->tag) {
    case VALUE_NA:
        return 0;
    case VALUE_YESNO:
        return int_cmp(a->yes, b->yes);
    case VALUE_NUMBER:
        return rat_cmp(a->number, b->number);
    case VALUE_TEXT:
        return slice_cmp(a->text, b->text);
    case VALUE_DATE:
        return int_cmp(a->date, b->date);
    case VALUE_INSTANT:
        return int_cmp(a->instant, b->instant);
    case VALUE_DURATION:
        return duration_cmp(a->duration, b->duration);
    case VALUE_PERIOD:
        return period_cmp(a->period, b->period);
    case VALUE_LIST:
        return items_cmp(a->list.item, a->list.n, b->list.item, b->list.n);
    case VALUE_RECORD:
        return items_cmp(a->record.field, a->record.n, b->record.field, b->record.n);
    }
    return 0;
}

static struct value *items_copy(struct arena *a, const struct value *item, size_t n)
{
    struct value *copy = ARENA_ARRAY(a, struct value, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = value_copy(a, &item[i]);
    return copy;
}

struct value value_copy(struct arena *a, const struct value *v)
{
    struct value copy = *v;
    if (v->tag == VALUE_TEXT) {
        copy.text = arena_dup(a, v->text);
    } else if (v->tag == VALUE_LIST) {
        copy.list.item = items_copy(a, v->list.item, v->list.n);
    } else if (v->tag == VALUE_RECORD) {
        copy.record.field = items_copy(a, v->record.field, v->record.n);
        if (v->record.name) {
            copy.record.name = ARENA_ARRAY(a, struct slice, v->record.n);
            for (size_t i = 0; i < v->record.n; i++)
                copy.record.name[i] = arena_dup(a, v->record.name[i]);
        }
    }
    return copy;
}

/* ---- text */

static void value_write(struct buf *out, struct arena *a, const struct value *v, const struct tz *tz)
{
    switch (v->tag) {
    case VALUE_NA:
        buf_add(out, S("n/a"));
        break;
    case VALUE_YESNO:
        buf_add(out, v->yes ? S("yes") : S("no"));
        break;
    case VALUE_NUMBER:
        buf_add(out, rat_format(a, v->number));
        break;
    case VALUE_TEXT:
        buf_add(out, v->text);
        break;
    case VALUE_DATE:
        buf_add(out, date_format(a, v->date));
        break;
    case VALUE_INSTANT:
        buf_add(out, tz ? instant_format_local(a, tz, v->instant) : instant_format_utc(a, v->instant));
        break;
    case VALUE_DURATION:
        buf_add(out, duration_format(a, v->duration));
        break;
    case VALUE_PERIOD:
        buf_add(out, period_format(a, v->period));
        break;
    case VALUE_LIST:
        buf_byte(out, '[');
        for (size_t i = 0; i < v->list.n; i++) {
            buf_add(out, i ? S(", ") : S(""));
            value_write(out, a, &v->list.item[i], tz);
        }
        buf_byte(out, ']');
        break;
    case VALUE_RECORD:
        buf_byte(out, '{');
        for (size_t i = 0; i < v->record.n; i++) {
            buf_add(out, i ? S(", ") : S(""));
            if (v->record.name)
                buf_printf(out, "%.*s: ", SLICE_ARG(v->record.name[i]));
            value_write(out, a, &v->record.field[i], tz);
        }
        buf_byte(out, '}');
        break;
    }
}

struct slice value_format(struct arena *a, const struct value *v, const struct tz *tz)
{
    if (v->tag == VALUE_TEXT)
        return v->text;
    struct buf out = {0};
    value_write(&out, a, v, tz);
    struct slice text = arena_dup(a, buf_slice(&out));
    buf_free(&out);
    return text;
}

static const char *const type_name[] = {
    [TYPE_YESNO] = "yes-no",       [TYPE_NUMBER] = "number",
    [TYPE_TEXT] = "text",          [TYPE_DATE] = "date",
    [TYPE_INSTANT] = "instant",    [TYPE_DURATION] = "duration",
    [TYPE_PERIOD] = "period",      [TYPE_UNIT] = "unit",
    [TYPE_ROW] = "key of a table", [TYPE_ATTACHMENT] = "attachment",
};

static void type_write(struct buf *out, const struct type *t)
{
    if (t->optional)
        buf_add(out, S("optional "));
    switch (t->tag) {
    case TYPE_ENUM:
        for (size_t i = 0; i < t->nwords; i++) {
            buf_add(out, i ? S(" | ") : S(""));
            buf_add(out, t->words[i]);
        }
        break;
    case TYPE_SET:
    case TYPE_LIST:
        buf_add(out, t->tag == TYPE_SET ? S("set of ") : S("list of "));
        type_write(out, t->of);
        break;
    case TYPE_RECORD:
        buf_byte(out, '{');
        for (size_t i = 0; i < t->nfields; i++) {
            buf_printf(out, "%s%.*s: ", i ? ", " : "", SLICE_ARG(t->fields[i].name));
            type_write(out, &t->fields[i].type);
        }
        buf_byte(out, '}');
        break;
    case TYPE_PERIOD:
        buf_add(out, slice_of(t->period_kind == PERIOD_ONCE ? "period" : period_kind_name(t->period_kind)));
        break;
    default:
        buf_add(out, t->tag == TYPE_ROW && t->nwords ? t->words[0] : slice_of(type_name[t->tag]));
    }
}

struct slice type_format(struct arena *a, const struct type *t)
{
    struct buf out = {0};
    type_write(&out, t);
    struct slice text = arena_dup(a, buf_slice(&out));
    buf_free(&out);
    return text;
}
