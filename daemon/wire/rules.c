#include "wire/rules.h"

#include <stdlib.h>

enum { ID_BYTES_MAX = 200 };

/* Names separated by blanks; "a|b": one of them. */
static const struct rule_of {
    const ProtobufCMessageDescriptor *message;
    const char *required;
    const char *ids;      /* texts (or lists of them) that name something of the workflow */
    const char *distinct; /* list, and the member by which no two of its items are the same */
} rules[] = {
    {&duban__v1__input_event__descriptor, "", "workflow", NULL},
    {&duban__v1__attachment__descriptor, "name", "", NULL},
    {&duban__v1__submission__descriptor, "obligation unit", "obligation unit about period",
     "attachments name"},
    {&duban__v1__review__descriptor, "obligation unit verdict reporter",
     "obligation unit about period reporter", NULL},
    {&duban__v1__fact__descriptor, "kind reporter", "kind reporter", "attachments name"},
    {&duban__v1__reading__descriptor, "indicator unit period reporter number|ratio|not_applicable",
     "indicator unit period reporter", NULL},
    {&duban__v1__reading__ratio__descriptor, "numerator denominator", "", NULL},
    {&duban__v1__ranking__descriptor, "ranking period reporter entries", "ranking period reporter",
     "entries subject"},
    {&duban__v1__ranking__entry__descriptor, "subject rank", "subject", NULL},
    {&duban__v1__directive__descriptor, "obligation units about title reporter",
     "obligation units about reporter", "attachments name"},
    {&duban__v1__extension_requested__descriptor, "obligation unit until grounds",
     "obligation unit about period reporter", "attachments name"},
    {&duban__v1__selector__descriptor,
     "obligations|units|subjects|periods|roles|machines|states|due_from|due_until|tasks",
     "obligations units subjects periods roles machines states", NULL},
    {&duban__v1__record_ref__descriptor, "source id", "", NULL},
    {&duban__v1__extend__descriptor, "select until|by|refused reporter", "reporter", NULL},
    {&duban__v1__waive__descriptor, "select reporter", "reporter", NULL},
    {&duban__v1__pause__descriptor, "select reporter", "reporter", NULL},
    {&duban__v1__resume__descriptor, "select reporter", "reporter", NULL},
    {&duban__v1__excuse__descriptor, "select reporter grounds", "reporter", NULL},
    {&duban__v1__annul__descriptor, "record|measure_id reporter", "reporter", NULL},
    {&duban__v1__supersede__descriptor, "replacement record|received reporter", "reporter", NULL},
    {&duban__v1__decide__descriptor, "measure_id answer reporter", "reporter", NULL},
    {&duban__v1__redrive__descriptor, "topic source id type content_type data", "", NULL},
    {&duban__v1__roster_change__descriptor, "from", "ended reporter", "units id"},
    {&duban__v1__roster_change__unit__descriptor, "id title", "id roles aliases", NULL},
    {&duban__v1__roster_change__relation__descriptor, "subject relation unit", "subject relation unit", NULL},
    {&duban__v1__roster_change__succession__descriptor, "from to",
     "from to heir_of_counts heir_of_cases heir_of_tasks", NULL},
    {&duban__v1__definition__descriptor, "hash root files", "", "files path"},
    {&duban__v1__definition__file__descriptor, "path", "", NULL},
};

/* The next name of a list; false at its end. */
static bool take_name(const char **list, char separator, struct slice *out)
{
    if (!*list || !**list)
        return false;
    const char *end = strchr(*list, separator);
    *out = (struct slice){*list, end ? (size_t)(end - *list) : strlen(*list)};
    *list = end ? end + 1 : "";
    return true;
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *d, struct slice name)
{
    for (unsigned i = 0; i < d->n_fields; i++)
        if (slice_eq(slice_of(d->fields[i].name), name))
            return &d->fields[i];
    return NULL;
}

/* A member of a oneof that is set to nothing ("" or false) is as good as not given. */
static bool is_given(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if (!proto_count(m, f))
        return false;
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return true;
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return **(char *const *)proto_member(m, f, 0) != 0;
    if (f->type == PROTOBUF_C_TYPE_BOOL)
        return *(const protobuf_c_boolean *)proto_member(m, f, 0);
    return true;
}

static void check_required(const ProtobufCMessage *m, const char *required, const struct path *at,
                           struct reasons *why)
{
    struct slice alternatives, name;
    while (take_name(&required, ' ', &alternatives)) {
        char text[160];
        memcpy(text, alternatives.p, alternatives.n);
        text[alternatives.n] = 0;
        bool found = false;
        for (const char *rest = text; take_name(&rest, '|', &name) && !found;)
            found = is_given(m, field_of(m->descriptor, name));
        struct path here = {at, text, -1};
        if (!found)
            reasons_at(why, &here, strchr(text, '|') ? "missing; one of these is required" : "missing");
    }
}

static void check_id(struct slice id, const struct path *at, struct reasons *why)
{
    if (id.n > ID_BYTES_MAX)
        reasons_at(why, at, "%zu bytes; at most %d", id.n, ID_BYTES_MAX);
    if (!slice_is_printable(id))
        reasons_at(why, at, "has control characters in it");
}

static void check_ids(const ProtobufCMessage *m, const char *ids, const struct path *at, struct reasons *why)
{
    struct slice name;
    while (take_name(&ids, ' ', &name)) {
        const ProtobufCFieldDescriptor *f = field_of(m->descriptor, name);
        bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
        for (size_t i = 0; i < proto_count(m, f); i++) {
            struct path here = {at, f->name, list ? (int)i : -1};
            struct slice id = slice_of(*(char *const *)proto_member(m, f, i));
            check_id(id, &here, why);
            if (list && id.n == 0)
                reasons_at(why, &here, "empty");
        }
    }
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void check_distinct(const ProtobufCMessage *m, const char *distinct, const struct path *at,
                           struct reasons *why)
{
    struct slice list, member;
    if (!take_name(&distinct, ' ', &list) || !take_name(&distinct, ' ', &member))
        return;
    const ProtobufCFieldDescriptor *f = field_of(m->descriptor, list);
    const ProtobufCFieldDescriptor *by = field_of(f->descriptor, member);
    size_t n = proto_count(m, f);
    struct slice *text = ARENA_ARRAY(why->arena, struct slice, n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] =
            slice_of(*(char *const *)proto_member(*(ProtobufCMessage *const *)proto_member(m, f, i), by, 0));
    qsort(text, n, sizeof *text, by_text);
    struct path here = {at, f->name, -1};
    for (size_t i = 1; i < n; i++)
        if (slice_eq(text[i - 1], text[i]) && text[i].n)
            reasons_at(why, &here, "%.*s is given twice", (int)(text[i].n < 60 ? text[i].n : 60), text[i].p);
}

static void check_attachment(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    struct slice sha256 = rules_text(m, "sha256");
    struct path here = {at, "sha256", -1};
    if (sha256.n && (sha256.n != 64 || strspn(sha256.p, "0123456789abcdef") != 64))
        reasons_at(why, &here, "expected 64 lower-case hex digits");
}

static void check_review(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    const Duban__V1__Review *r = (const void *)m;
    struct path here = {at, "reasons", -1};
    if (r->verdict == DUBAN__V1__REVIEW__VERDICT__RETURN && r->n_reasons == 0)
        reasons_at(why, &here, "missing; who returns a report says why");
}

static void check_one(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].message != m->descriptor)
            continue;
        check_required(m, rules[i].required, at, why);
        check_ids(m, rules[i].ids, at, why);
        check_distinct(m, rules[i].distinct, at, why);
    }
    if (m->descriptor == &duban__v1__attachment__descriptor)
        check_attachment(m, at, why);
    if (m->descriptor == &duban__v1__review__descriptor)
        check_review(m, at, why);
}

void rules_check(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    check_one(m, at, why);
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        if (f->type != PROTOBUF_C_TYPE_MESSAGE || proto_is_google(f->descriptor))
            continue;
        for (size_t j = 0; j < proto_count(m, f); j++) {
            struct path here = {at, f->name, f->label == PROTOBUF_C_LABEL_REPEATED ? (int)j : -1};
            rules_check(*(ProtobufCMessage *const *)proto_member(m, f, j), &here, why);
        }
    }
}

struct slice rules_text(const ProtobufCMessage *m, const char *name)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
    if (!f || f->type != PROTOBUF_C_TYPE_STRING || f->label == PROTOBUF_C_LABEL_REPEATED ||
        !proto_count(m, f))
        return (struct slice){NULL, 0};
    return slice_of(*(char *const *)proto_member(m, f, 0));
}
