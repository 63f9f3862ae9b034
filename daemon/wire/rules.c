#include "wire/rules.h"

#include <stdlib.h>

enum { ID_BYTES_MAX = 200 };

/* As written: names separated by blanks; "a|b": one of them. */
static const struct {
    const ProtobufCMessageDescriptor *message;
    const char *required;
    const char *ids;      /* texts (or lists of them) that name something of the workflow */
    const char *distinct; /* list, and the member by which no two of its items are the same */
} written[] = {
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

/* As followed: by fields. */
struct need {
    const char *names; /* as written */
    size_t n;
    const ProtobufCFieldDescriptor **any;
};
struct rules {
    struct need *need;
    size_t needs, ids;
    const ProtobufCFieldDescriptor **id;
    const ProtobufCFieldDescriptor *distinct, *by; /* NULL: its lists may have repeats */
};

/* ---- written → followed */

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
    abort(); /* the contract has another name for it */
}

static const ProtobufCFieldDescriptor **fields_of(const ProtobufCMessageDescriptor *d, const char *list,
                                                  char separator, size_t *n)
{
    const ProtobufCFieldDescriptor **out = mem_alloc((strlen(list) + 1) * sizeof *out);
    for (struct slice name; take_name(&list, separator, &name);)
        out[(*n)++] = field_of(d, name);
    return out;
}

static void add_need(struct rules *r, const ProtobufCMessageDescriptor *d, struct slice names)
{
    struct need *need = &r->need[r->needs++];
    char *text = mem_alloc(names.n + 1);
    memcpy(text, names.p, names.n);
    need->names = text;
    need->any = fields_of(d, text, '|', &need->n);
}

const struct rules *rules_of(const ProtobufCMessageDescriptor *d)
{
    size_t at = 0;
    while (at < sizeof written / sizeof *written && written[at].message != d)
        at++;
    if (at == sizeof written / sizeof *written)
        return NULL;
    struct rules *r = mem_alloc(sizeof *r);
    struct slice name, member;
    const char *required = written[at].required, *distinct = written[at].distinct;
    r->need = mem_alloc((strlen(required) + 1) * sizeof *r->need);
    while (take_name(&required, ' ', &name))
        add_need(r, d, name);
    r->id = fields_of(d, written[at].ids, ' ', &r->ids);
    if (take_name(&distinct, ' ', &name) && take_name(&distinct, ' ', &member)) {
        r->distinct = field_of(d, name);
        r->by = field_of(r->distinct->descriptor, member);
    }
    return r;
}

/* ---- a message */

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

static void check_need(const ProtobufCMessage *m, const struct need *need, const struct path *at,
                       struct reasons *why)
{
    struct path here = {at, need->names, -1};
    for (size_t i = 0; i < need->n; i++)
        if (is_given(m, need->any[i]))
            return;
    reasons_at(why, &here, need->n > 1 ? "missing; one of these is required" : "missing");
}

static void check_id(struct slice id, const struct path *at, struct reasons *why)
{
    if (id.n > ID_BYTES_MAX)
        reasons_at(why, at, "%zu bytes; at most %d", id.n, ID_BYTES_MAX);
    if (!slice_is_printable(id))
        reasons_at(why, at, "has control characters in it");
}

static void check_ids(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const struct path *at,
                      struct reasons *why)
{
    bool list = f->label == PROTOBUF_C_LABEL_REPEATED;
    for (size_t i = 0, n = proto_count(m, f); i < n; i++) {
        struct path here = {at, f->name, list ? (int)i : -1};
        struct slice id = slice_of(*(char *const *)proto_member(m, f, i));
        check_id(id, &here, why);
        if (list && id.n == 0)
            reasons_at(why, &here, "empty");
    }
}

static int by_text(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void check_distinct(const ProtobufCMessage *m, const struct rules *r, const struct path *at,
                           struct reasons *why)
{
    size_t n = proto_count(m, r->distinct);
    struct path here = {at, r->distinct->name, -1};
    struct slice *text = ARENA_ARRAY(why->arena, struct slice, n);
    for (size_t i = 0; i < n; i++) {
        const ProtobufCMessage *item = *(ProtobufCMessage *const *)proto_member(m, r->distinct, i);
        text[i] = slice_of(*(char *const *)proto_member(item, r->by, 0));
    }
    if (n > 1)
        qsort(text, n, sizeof *text, by_text);
    for (size_t i = 1; i < n; i++)
        if (slice_eq(text[i - 1], text[i]) && text[i].n)
            reasons_at(why, &here, "%.*s is given twice", (int)(text[i].n < 60 ? text[i].n : 60), text[i].p);
}

static void check_attachment(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    struct slice sha256 = slice_of(((const Duban__V1__Attachment *)(const void *)m)->sha256);
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

static void check_one(const ProtobufCMessage *m, const struct rules *r, const struct path *at,
                      struct reasons *why)
{
    for (size_t i = 0; i < r->needs; i++)
        check_need(m, &r->need[i], at, why);
    for (size_t i = 0; i < r->ids; i++)
        check_ids(m, r->id[i], at, why);
    if (r->distinct)
        check_distinct(m, r, at, why);
    if (m->descriptor == &duban__v1__attachment__descriptor)
        check_attachment(m, at, why);
    if (m->descriptor == &duban__v1__review__descriptor)
        check_review(m, at, why);
}

static void check_all(const ProtobufCMessage *m, const struct layout *l, const struct path *at,
                      struct reasons *why)
{
    if (l->rules)
        check_one(m, l->rules, at, why);
    for (unsigned i = 0; i < l->parts; i++) {
        const struct layout_field *part = layout_part(l, i, m);
        const ProtobufCFieldDescriptor *f = part && part->message ? part->f : NULL;
        for (size_t j = 0; f && j < proto_count(m, f); j++) {
            struct path here = {at, f->name, part->list ? (int)j : -1};
            check_all(*(ProtobufCMessage *const *)proto_member(m, f, j), part->message, &here, why);
        }
    }
}

void rules_check(const ProtobufCMessage *m, const struct path *at, struct reasons *why)
{
    check_all(m, layout_of(m->descriptor), at, why);
}
