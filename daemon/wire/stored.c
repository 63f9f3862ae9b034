#include "wire/stored.h"

/* ---- core → message */

static Duban__V1__ValueList *stored_list(const struct value *v, const struct type *t, struct arena *a)
{
    Duban__V1__ValueList *m = proto_new(&duban__v1__value_list__descriptor, a);
    m->n_items = v->list.n;
    m->items = ARENA_ARRAY(a, Duban__V1__Value *, v->list.n);
    for (size_t i = 0; i < v->list.n; i++)
        m->items[i] = stored_value(&v->list.item[i], t ? t->of : NULL, a);
    return m;
}

static Duban__V1__ValueRecord *stored_record(const struct value *v, const struct type *t, struct arena *a)
{
    Duban__V1__ValueRecord *m = proto_new(&duban__v1__value_record__descriptor, a);
    m->n_fields = v->record.n;
    m->fields = ARENA_ARRAY(a, Duban__V1__NamedValue *, v->record.n);
    for (size_t i = 0; i < v->record.n; i++) {
        const struct field *f = t && t->fields && i < t->nfields ? &t->fields[i] : NULL;
        struct slice name = f ? f->name : v->record.name ? v->record.name[i] : S("");
        m->fields[i] = stored_named(name, &v->record.field[i], f ? &f->type : NULL, a);
    }
    return m;
}

static Duban__V1__Rational *stored_number(struct rat r, struct arena *a)
{
    Duban__V1__Rational *m = proto_new(&duban__v1__rational__descriptor, a);
    m->num = r.num;
    m->den = r.den == 1 ? 0 : r.den;
    return m;
}

static Duban__V1__Duration *stored_duration(struct duration d, struct arena *a)
{
    Duban__V1__Duration *m = proto_new(&duban__v1__duration__descriptor, a);
    m->n = d.n;
    m->unit = d.unit;
    return m;
}

Duban__V1__Value *stored_value(const struct value *v, const struct type *t, struct arena *a)
{
    static const Duban__V1__Value__KindCase kinds[] = {
        [VALUE_NA] = DUBAN__V1__VALUE__KIND_NOT_AVAILABLE,
        [VALUE_YESNO] = DUBAN__V1__VALUE__KIND_YES,
        [VALUE_NUMBER] = DUBAN__V1__VALUE__KIND_NUMBER,
        [VALUE_TEXT] = DUBAN__V1__VALUE__KIND_TEXT,
        [VALUE_DATE] = DUBAN__V1__VALUE__KIND_DATE,
        [VALUE_INSTANT] = DUBAN__V1__VALUE__KIND_INSTANT_MS,
        [VALUE_DURATION] = DUBAN__V1__VALUE__KIND_DURATION,
        [VALUE_PERIOD] = DUBAN__V1__VALUE__KIND_PERIOD,
        [VALUE_LIST] = DUBAN__V1__VALUE__KIND_LIST,
        [VALUE_RECORD] = DUBAN__V1__VALUE__KIND_RECORD,
    };
    Duban__V1__Value *m = proto_new(&duban__v1__value__descriptor, a);
    m->kind_case = kinds[v->tag];
    switch (v->tag) {
    case VALUE_NA:
        m->not_available = true;
        break;
    case VALUE_YESNO:
        m->yes = v->yes;
        break;
    case VALUE_NUMBER:
        m->number = stored_number(v->number, a);
        break;
    case VALUE_TEXT:
        m->text = proto_text(a, v->text);
        break;
    case VALUE_DATE:
        m->date = v->date;
        break;
    case VALUE_INSTANT:
        m->instant_ms = v->instant;
        break;
    case VALUE_DURATION:
        m->duration = stored_duration(v->duration, a);
        break;
    case VALUE_PERIOD:
        m->period = proto_text(a, period_format(a, v->period));
        break;
    case VALUE_LIST:
        m->list = stored_list(v, t, a);
        break;
    case VALUE_RECORD:
        m->record = stored_record(v, t, a);
    }
    return m;
}

Duban__V1__NamedValue *stored_named(struct slice name, const struct value *v, const struct type *t,
                                    struct arena *a)
{
    Duban__V1__NamedValue *m = proto_new(&duban__v1__named_value__descriptor, a);
    m->name = proto_text(a, name);
    m->value = stored_value(v, t, a);
    return m;
}

/* ---- message → core */

static bool read_list(const Duban__V1__ValueList *m, const struct type *t, struct arena *a, struct value *out,
                      struct err *e)
{
    out->list.n = m->n_items;
    out->list.item = ARENA_ARRAY(a, struct value, m->n_items);
    for (size_t i = 0; i < m->n_items; i++)
        if (!stored_value_read(m->items[i], t ? t->of : NULL, a, &out->list.item[i], e))
            return false;
    return true;
}

/* By the names of t: a field that is no longer there is dropped, one that was not yet is n/a. */
static bool read_typed_record(const Duban__V1__ValueRecord *m, const struct type *t, struct arena *a,
                              struct value *out, struct err *e)
{
    out->record.n = t->nfields;
    out->record.field = ARENA_ARRAY(a, struct value, t->nfields);
    for (size_t i = 0; i < t->nfields; i++)
        for (size_t j = 0; j < m->n_fields; j++)
            if (slice_eq(slice_of(m->fields[j]->name), t->fields[i].name) &&
                !stored_value_read(m->fields[j]->value, &t->fields[i].type, a, &out->record.field[i], e))
                return false;
    return true;
}

static bool read_record(const Duban__V1__ValueRecord *m, const struct type *t, struct arena *a,
                        struct value *out, struct err *e)
{
    if (t && t->fields)
        return read_typed_record(m, t, a, out, e);
    out->record.n = m->n_fields;
    out->record.field = ARENA_ARRAY(a, struct value, m->n_fields);
    out->record.name = ARENA_ARRAY(a, struct slice, m->n_fields);
    for (size_t i = 0; i < m->n_fields; i++) {
        out->record.name[i] = slice_of(m->fields[i]->name);
        if (!stored_value_read(m->fields[i]->value, NULL, a, &out->record.field[i], e))
            return false;
    }
    return true;
}

static bool read_number(const Duban__V1__Rational *m, struct rat *out, struct err *e)
{
    *out = (struct rat){m->num, m->den ? m->den : 1};
    return out->den > 0 || err_set(e, "a stored number has the denominator %lld", (long long)m->den);
}

static bool read_duration(const Duban__V1__Duration *m, struct duration *out, struct err *e)
{
    *out = (struct duration){m->n, (enum duration_unit)m->unit};
    return m->unit <= DURATION_MONTH || err_set(e, "a stored duration has the unit %u", m->unit);
}

static bool read_any(const Duban__V1__Value *m, const struct type *t, struct arena *a, struct value *out,
                     struct err *e)
{
    switch (m->kind_case) {
    case DUBAN__V1__VALUE__KIND_YES:
        *out = (struct value){.tag = VALUE_YESNO, .yes = m->yes};
        return true;
    case DUBAN__V1__VALUE__KIND_NUMBER:
        out->tag = VALUE_NUMBER;
        return read_number(m->number, &out->number, e);
    case DUBAN__V1__VALUE__KIND_TEXT:
        *out = (struct value){.tag = VALUE_TEXT, .text = slice_of(m->text)};
        return true;
    case DUBAN__V1__VALUE__KIND_DATE:
        *out = (struct value){.tag = VALUE_DATE, .date = m->date};
        return true;
    case DUBAN__V1__VALUE__KIND_INSTANT_MS:
        *out = (struct value){.tag = VALUE_INSTANT, .instant = m->instant_ms};
        return true;
    case DUBAN__V1__VALUE__KIND_DURATION:
        out->tag = VALUE_DURATION;
        return read_duration(m->duration, &out->duration, e);
    case DUBAN__V1__VALUE__KIND_PERIOD:
        out->tag = VALUE_PERIOD;
        return period_parse(slice_of(m->period), &out->period) ||
               err_set(e, "a stored period is \"%.40s\"", m->period);
    case DUBAN__V1__VALUE__KIND_LIST:
        out->tag = VALUE_LIST;
        return read_list(m->list, t, a, out, e);
    case DUBAN__V1__VALUE__KIND_RECORD:
        out->tag = VALUE_RECORD;
        return read_record(m->record, t, a, out, e);
    default: /* n/a */
        return true;
    }
}

static enum value_tag tag_of(enum type_tag t)
{
    static const enum value_tag tags[] = {
        [TYPE_YESNO] = VALUE_YESNO,       [TYPE_NUMBER] = VALUE_NUMBER,   [TYPE_TEXT] = VALUE_TEXT,
        [TYPE_ENUM] = VALUE_TEXT,         [TYPE_DATE] = VALUE_DATE,       [TYPE_INSTANT] = VALUE_INSTANT,
        [TYPE_DURATION] = VALUE_DURATION, [TYPE_PERIOD] = VALUE_PERIOD,   [TYPE_UNIT] = VALUE_TEXT,
        [TYPE_ROW] = VALUE_TEXT,          [TYPE_ATTACHMENT] = VALUE_TEXT, [TYPE_SET] = VALUE_LIST,
        [TYPE_LIST] = VALUE_LIST,         [TYPE_RECORD] = VALUE_RECORD,
    };
    return tags[t];
}

bool stored_value_read(const Duban__V1__Value *m, const struct type *t, struct arena *a, struct value *out,
                       struct err *e)
{
    *out = (struct value){.tag = VALUE_NA};
    if (!m)
        return true;
    if (!read_any(m, t, a, out, e))
        return false;
    if (!t || out->tag == VALUE_NA || out->tag == tag_of(t->tag))
        return true;
    struct slice type = type_format(a, t);
    return err_set(e, "the stored value is not of type %.*s", SLICE_ARG(type));
}

/* ---- causes */

Duban__V1__Cause *stored_cause(const struct cause *c, struct arena *a)
{
    Duban__V1__Cause *m = proto_new(&duban__v1__cause__descriptor, a);
    m->source = proto_text(a, c->source);
    m->id = proto_text(a, c->id);
    m->received_ms = c->received;
    if (c->timer.n) {
        m->task = proto_text(a, c->instance);
        m->timer = proto_text(a, c->timer);
        m->due_ms = c->due;
        m->armed = c->armed;
    }
    return m;
}

/* Only a timer has a due instant. */
void stored_cause_read(const Duban__V1__Cause *m, struct cause *out)
{
    *out = (struct cause){.source = slice_of(m->source),
                          .id = slice_of(m->id),
                          .instance = slice_of(m->task),
                          .timer = slice_of(m->timer),
                          .due = *m->timer ? m->due_ms : INSTANT_NONE,
                          .armed = m->armed,
                          .received = m->received_ms};
}
