#include "wire/stored.h"

/* ---- core → bytes */

static void pack_list(struct packer *w, const struct value *v, const struct type *t)
{
    size_t mark = pack_mark(w);
    for (size_t i = v->list.n; i-- > 0;)
        stored_pack_value(w, FIELD_VALUE_LIST__ITEMS, &v->list.item[i], t ? t->of : NULL);
    pack_part(w, FIELD_VALUE__LIST, mark);
}

static void pack_record(struct packer *w, const struct value *v, const struct type *t)
{
    size_t mark = pack_mark(w);
    for (size_t i = v->record.n; i-- > 0;) {
        const struct field *f = t && t->fields && i < t->nfields ? &t->fields[i] : NULL;
        struct slice name = f ? f->name : v->record.name ? v->record.name[i] : S("");
        stored_pack_named(w, FIELD_VALUE_RECORD__FIELDS, name, &v->record.field[i], f ? &f->type : NULL);
    }
    pack_part(w, FIELD_VALUE__RECORD, mark);
}

static void pack_rational(struct packer *w, struct rat r)
{
    size_t mark = pack_mark(w);
    pack_number(w, FIELD_RATIONAL__DEN, r.den == 1 ? 0 : (uint64_t)r.den);
    pack_number(w, FIELD_RATIONAL__NUM, pack_zigzag(r.num));
    pack_part(w, FIELD_VALUE__NUMBER, mark);
}

static void pack_duration(struct packer *w, struct duration d)
{
    size_t mark = pack_mark(w);
    pack_number(w, FIELD_DURATION__UNIT, d.unit);
    pack_number(w, FIELD_DURATION__N, pack_zigzag(d.n));
    pack_part(w, FIELD_VALUE__DURATION, mark);
}

/* One member of the oneof, whatever its value is. */
static void pack_kind(struct packer *w, const struct value *v, const struct type *t)
{
    switch (v->tag) {
    case VALUE_NA:
        pack_number_always(w, FIELD_VALUE__NOT_AVAILABLE, true);
        return;
    case VALUE_YESNO:
        pack_number_always(w, FIELD_VALUE__YES, v->yes);
        return;
    case VALUE_NUMBER:
        pack_rational(w, v->number);
        return;
    case VALUE_TEXT:
        pack_text_always(w, FIELD_VALUE__TEXT, v->text);
        return;
    case VALUE_DATE:
        pack_number_always(w, FIELD_VALUE__DATE, pack_zigzag(v->date));
        return;
    case VALUE_INSTANT:
        pack_number_always(w, FIELD_VALUE__INSTANT_MS, (uint64_t)v->instant);
        return;
    case VALUE_DURATION:
        pack_duration(w, v->duration);
        return;
    case VALUE_PERIOD:
        pack_text_always(w, FIELD_VALUE__PERIOD, period_format(w->arena, v->period));
        return;
    case VALUE_LIST:
        pack_list(w, v, t);
        return;
    case VALUE_RECORD:
        pack_record(w, v, t);
    }
}

void stored_pack_value(struct packer *w, unsigned field, const struct value *v, const struct type *t)
{
    size_t mark = pack_mark(w);
    pack_kind(w, v, t);
    pack_part(w, field, mark);
}

void stored_pack_named(struct packer *w, unsigned field, struct slice name, const struct value *v,
                       const struct type *t)
{
    size_t mark = pack_mark(w);
    stored_pack_value(w, FIELD_NAMED_VALUE__VALUE, v, t);
    pack_text(w, FIELD_NAMED_VALUE__NAME, name);
    pack_part(w, field, mark);
}

void stored_pack_cause(struct packer *w, unsigned field, const struct cause *c)
{
    size_t mark = pack_mark(w);
    pack_number(w, FIELD_CAUSE__RECEIVED_MS, (uint64_t)c->received);
    if (c->timer.n) {
        pack_number(w, FIELD_CAUSE__ARMED, (uint64_t)c->armed);
        pack_number(w, FIELD_CAUSE__DUE_MS, (uint64_t)c->due);
        pack_text(w, FIELD_CAUSE__TIMER, c->timer);
        pack_text(w, FIELD_CAUSE__TASK, c->instance);
    }
    pack_text(w, FIELD_CAUSE__ID, c->id);
    pack_text(w, FIELD_CAUSE__SOURCE, c->source);
    pack_part(w, field, mark);
}

void stored_pack_instant(struct packer *w, unsigned field, instant_t t)
{
    size_t mark = pack_mark(w);
    pack_number(w, FIELD_INSTANT__MS, (uint64_t)t);
    pack_part(w, field, mark);
}

void stored_pack_headers(struct packer *w, unsigned field, const struct record *r)
{
    for (size_t i = r->nheaders; i-- > 0;) {
        size_t mark = pack_mark(w);
        pack_text(w, FIELD_HEADER__VALUE, r->header[i].value);
        pack_text(w, FIELD_HEADER__NAME, proto_valid(r->header[i].name));
        pack_part(w, field, mark);
    }
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
