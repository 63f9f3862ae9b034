/* Documents as outputs carry them. */
#include "wire/output.h"

static bool is_measure(const struct record *r)
{
    return r->topic == TOPIC_WARNINGS || r->topic == TOPIC_SUPERVISION || r->topic == TOPIC_NOTIFICATIONS;
}

/* Whether the message says this, without reading it whole: most do not, and every output is asked. The contract's messages have
 * varints and length-delimited fields only. */
static bool has_field(const struct record *r, uint64_t field)
{
    struct slice s = r->value;
    uint64_t tag, n;
    if (!is_measure(r))
        return false;
    while (proto_take_varint(&s, &tag) && proto_take_varint(&s, &n)) {
        if (tag >> 3 == field)
            return true;
        if ((tag & 7) == 0)
            continue;
        if ((tag & 7) != 2 || n > s.n)
            break;
        s = (struct slice){s.p + n, s.n - n};
    }
    return false;
}

bool wire_has_document(const struct record *r)
{
    return has_field(r, FIELD_NOTIFICATION__DOCUMENT_TEXT);
}

bool wire_is_withdrawal(const struct record *r)
{
    return has_field(r, FIELD_NOTIFICATION__WITHDRAWS);
}

static struct slice *slices_of(char **text, size_t n, struct arena *a)
{
    struct slice *out = ARENA_ARRAY(a, struct slice, n);
    for (size_t i = 0; i < n; i++)
        out[i] = slice_of(text[i]);
    return out;
}

bool wire_document(const struct record *r, struct arena *a, struct document_view *out)
{
    const Duban__V1__Notification *m = is_measure(r) ? output_read(r->value, a) : NULL;
    const Duban__V1__DocumentText *text = m ? m->document_text : NULL;
    if (!text)
        return false;
    *out = (struct document_view){.id = slice_of(m->id),
                                  .title = slice_of(m->document),
                                  .number = slice_of(m->number),
                                  .main = slice_of(text->main),
                                  .issuer = slice_of(text->issuer),
                                  .to = slices_of(text->to, text->n_to, a),
                                  .nto = text->n_to,
                                  .copy = slices_of(text->copies, text->n_copies, a),
                                  .ncopy = text->n_copies,
                                  .attachment = slices_of(text->attachments, text->n_attachments, a),
                                  .nattachments = text->n_attachments,
                                  .date = DATE_NONE,
                                  .first = output_is_first(m)};
    date_parse(slice_of(text->date), &out->date);
    return true;
}

bool wire_withdrawn(const struct record *r, struct arena *a, struct withdrawn_view *out)
{
    const Duban__V1__Notification *m = wire_is_withdrawal(r) ? output_read(r->value, a) : NULL;
    if (!m)
        return false;
    *out = (struct withdrawn_view){.measure = slice_of(m->withdraws), .notice = slice_of(m->id), .date = DATE_NONE};
    if (m->withdrawn) {
        out->reason = slice_of(m->withdrawn->reason);
        date_parse(slice_of(m->withdrawn->date), &out->date);
    }
    return true;
}
