#include "wire/correction.h"

static const struct {
    const char *member;
    size_t list, n;
} parts[] = {
#define PART(name)                                                                                           \
    {                                                                                                        \
#name, offsetof(struct selector, name), offsetof(struct selector, n##name)                           \
    }
    PART(obligations), PART(units),    PART(subjects), PART(periods),
    PART(roles),       PART(machines), PART(states),   PART(tasks),
#undef PART
};

static void fill_list(const ProtobufCMessage *m, const char *member, struct arena *a, struct slice **list,
                      size_t *n)
{
    const ProtobufCFieldDescriptor *f =
        protobuf_c_message_descriptor_get_field_by_name(m->descriptor, member);
    *n = proto_count(m, f);
    *list = ARENA_ARRAY(a, struct slice, *n);
    for (size_t i = 0; i < *n; i++)
        (*list)[i] = slice_of(*(char *const *)proto_member(m, f, i));
}

static date_t fill_date(const char *member, const char *text, struct reasons *why)
{
    struct path select = {NULL, "select", -1}, at = {&select, member, -1};
    date_t d = DATE_NONE;
    if (*text && !date_parse(slice_of(text), &d))
        reasons_at(why, &at, "\"%.40s\" is no date like 2024-03-29", text);
    return d;
}

static void fill_selector(const Duban__V1__Selector *s, struct arena *a, struct selector *out,
                          struct reasons *why)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fill_list(&s->base, parts[i].member, a, (struct slice **)((char *)out + parts[i].list),
                  (size_t *)((char *)out + parts[i].n));
    out->due_from = fill_date("due_from", s->due_from, why);
    out->due_until = fill_date("due_until", s->due_until, why);
}

static void fill_extend(const Duban__V1__Extend *m, struct input *in, struct reasons *why)
{
    struct path at = {NULL, "by", -1};
    if (m->request)
        in->request = (struct record_ref){slice_of(m->request->source), slice_of(m->request->id)};
    in->refused = m->to_case == DUBAN__V1__EXTEND__TO_REFUSED && m->refused;
    in->has_by = m->to_case == DUBAN__V1__EXTEND__TO_BY;
    if (in->has_by && !duration_parse(slice_of(m->by), &in->by))
        reasons_at(why, &at, "\"%.40s\" is no duration like 5d or 5 workdays", m->by);
}

void correction_fill(const ProtobufCMessage *body, const struct layout *l, struct arena *a, struct input *in,
                     struct reasons *why)
{
    const ProtobufCFieldDescriptor *f = l->by_name[LAYOUT_SELECT];
    if (f && proto_count(body, f))
        fill_selector(*(Duban__V1__Selector *const *)proto_member(body, f, 0), a, &in->select, why);
    if (body->descriptor == &duban__v1__extend__descriptor)
        fill_extend((const void *)body, in, why);
    if (body->descriptor == &duban__v1__resume__descriptor)
        in->extend_due = ((const Duban__V1__Resume *)(const void *)body)->extend_due;
}
