#include "wire/untyped.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

enum { DIGITS = 15, EXPONENT_MAX = 18 };

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

static struct value untyped(const Google__Protobuf__Value *v, struct arena *a, const struct path *at,
                            struct reasons *why);

static struct value untyped_list(const Google__Protobuf__ListValue *l, struct arena *a, const struct path *at,
                                 struct reasons *why)
{
    struct value out = {.tag = VALUE_LIST};
    out.list.item = ARENA_ARRAY(a, struct value, l->n_values);
    out.list.n = l->n_values;
    for (size_t i = 0; i < l->n_values; i++) {
        struct path here = {at->up, at->name, (int)i};
        out.list.item[i] = untyped(l->values[i], a, &here, why);
    }
    return out;
}

static struct value untyped(const Google__Protobuf__Value *v, struct arena *a, const struct path *at,
                            struct reasons *why)
{
    struct value out = {.tag = VALUE_NA};
    if (!v)
        return out;
    switch (v->kind_case) {
    case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
        return (struct value){.tag = VALUE_YESNO, .yes = v->bool_value};
    case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
        out.tag = VALUE_NUMBER;
        if (!isfinite(v->number_value))
            reasons_at(why, at, "not a finite number");
        else if (!untyped_number(v->number_value, &out.number))
            reasons_at(why, at, "%.17g cannot be taken exactly: send the number as text", v->number_value);
        return out;
    case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
        return (struct value){.tag = VALUE_TEXT, .text = slice_of(v->string_value)};
    case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
        return untyped_list(v->list_value, a, at, why);
    case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
        return untyped_record(v->struct_value, a, at, why);
    default: /* null, or nothing: not given */
        return out;
    }
}

static int by_name(const void *a, const void *b)
{
    const Google__Protobuf__Struct__FieldsEntry *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

struct value untyped_record(const Google__Protobuf__Struct *s, struct arena *a, const struct path *at,
                            struct reasons *why)
{
    Google__Protobuf__Struct__FieldsEntry **entry =
        ARENA_ARRAY(a, Google__Protobuf__Struct__FieldsEntry *, s->n_fields + 1);
    if (s->n_fields)
        memcpy(entry, s->fields, s->n_fields * sizeof(*entry));
    qsort(entry, s->n_fields, sizeof(*entry), by_name);
    struct value out = {.tag = VALUE_RECORD};
    out.record.field = ARENA_ARRAY(a, struct value, s->n_fields);
    out.record.name = ARENA_ARRAY(a, struct slice, s->n_fields);
    out.record.n = s->n_fields;
    for (size_t i = 0; i < s->n_fields; i++) {
        struct path here = {at, entry[i]->key, -1};
        if (i && strcmp(entry[i - 1]->key, entry[i]->key) == 0)
            reasons_at(why, &here, "given twice");
        out.record.name[i] = slice_of(entry[i]->key);
        out.record.field[i] = untyped(entry[i]->value, a, &here, why);
    }
    return out;
}
