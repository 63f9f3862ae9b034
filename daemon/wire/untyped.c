#include "wire/untyped.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

enum { DIGITS = 15, EXPONENT_MAX = 18, FEW = 16 };

/* "d.dddde±x" → plain decimal text, which rat_parse reads exactly. */
static bool plain_decimal(double v, char *out, size_t size)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", DIGITS - 1, fabs(v));
    int exponent = atoi(strchr(text, 'e') + 1), n = DIGITS;
    if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
        return false;
    int least = exponent > 0 ? exponent + 1 : 1; /* digits before the point stay, zeros too */
    char digits[EXPONENT_MAX + 2];
    memset(digits, '0', sizeof digits);
    digits[0] = text[0];
    memcpy(digits + 1, text + 2, DIGITS - 1);
    while (n > least && digits[n - 1] == '0')
        n--;
    n = n > least ? n : least;
    digits[n] = 0;
    const char *sign = v < 0 ? "-" : "";
    if (exponent < 0)
        snprintf(out, size, "%s0.%.*s%s", sign, -exponent - 1, "00000000000000000", digits);
    else /* rounding may have left nothing after the point */
        snprintf(out, size, "%s%.*s%s%s", sign, exponent + 1, digits, n > exponent + 1 ? "." : "",
                 digits + exponent + 1);
    return true;
}

/* The exact number that a double was written as: whole numbers up to 2^53, else its decimal text of at most
 * 15 digits (what any decimal of up to 15 digits reads back as). False: not a number, too large, too small,
 * or a whole number past 2^53. */
static bool untyped_number(double v, struct rat *out)
{
    char text[64];
    if (!isfinite(v))
        return false;
    if (v == floor(v)) {
        *out = rat_int(fabs(v) <= EXACT_MAX ? (int64_t)v : 0);
        return fabs(v) <= EXACT_MAX;
    }
    return plain_decimal(v, text, sizeof text) && rat_parse(slice_of(text), out);
}

static void put_value(struct value *out, const Google__Protobuf__Value *v, struct arena *a,
                      const struct path *at, struct reasons *why);

static struct value untyped_list(const Google__Protobuf__ListValue *l, struct arena *a, const struct path *at,
                                 struct reasons *why)
{
    struct value out = {.tag = VALUE_LIST};
    out.list.item = ARENA_ARRAY(a, struct value, l->n_values);
    out.list.n = l->n_values;
    for (size_t i = 0; i < l->n_values; i++) {
        struct path here = {at->up, at->name, (int)i};
        put_value(&out.list.item[i], l->values[i], a, &here, why);
    }
    return out;
}

/* Into zeroed memory: n/a. */
static void put_value(struct value *out, const Google__Protobuf__Value *v, struct arena *a,
                      const struct path *at, struct reasons *why)
{
    switch (v ? v->kind_case : GOOGLE__PROTOBUF__VALUE__KIND__NOT_SET) {
    case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
        out->tag = VALUE_YESNO;
        out->yes = v->bool_value;
        break;
    case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
        out->tag = VALUE_NUMBER;
        if (!isfinite(v->number_value))
            reasons_at(why, at, "not a finite number");
        else if (!untyped_number(v->number_value, &out->number))
            reasons_at(why, at, "%.17g cannot be taken exactly: send the number as text", v->number_value);
        break;
    case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
        out->tag = VALUE_TEXT;
        out->text = slice_of(v->string_value);
        break;
    case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
        *out = untyped_list(v->list_value, a, at, why);
        break;
    case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
        *out = untyped_record(v->struct_value, a, at, why);
        break;
    default: /* null, or nothing: not given */
        break;
    }
}

static int by_name(const void *a, const void *b)
{
    const Google__Protobuf__Struct__FieldsEntry *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* There are a few of them as a rule. */
static void sort_entries(Google__Protobuf__Struct__FieldsEntry **entry, size_t n)
{
    if (n > FEW) {
        qsort(entry, n, sizeof(*entry), by_name);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        Google__Protobuf__Struct__FieldsEntry *e = entry[i];
        size_t at = i;
        for (; at > 0 && strcmp(e->key, entry[at - 1]->key) < 0; at--)
            entry[at] = entry[at - 1];
        entry[at] = e;
    }
}

struct value untyped_record(const Google__Protobuf__Struct *s, struct arena *a, const struct path *at,
                            struct reasons *why)
{
    Google__Protobuf__Struct__FieldsEntry **entry =
        ARENA_ARRAY(a, Google__Protobuf__Struct__FieldsEntry *, s->n_fields);
    if (s->n_fields)
        memcpy(entry, s->fields, s->n_fields * sizeof(*entry));
    sort_entries(entry, s->n_fields);
    struct value out = {.tag = VALUE_RECORD};
    out.record.field = ARENA_ARRAY(a, struct value, s->n_fields);
    out.record.name = ARENA_ARRAY(a, struct slice, s->n_fields);
    out.record.n = s->n_fields;
    for (size_t i = 0; i < s->n_fields; i++) {
        struct path here = {at, entry[i]->key, -1};
        out.record.name[i] = slice_of(entry[i]->key);
        if (i && slice_eq(out.record.name[i - 1], out.record.name[i]))
            reasons_at(why, &here, "given twice");
        put_value(&out.record.field[i], entry[i]->value, a, &here, why);
    }
    return out;
}
