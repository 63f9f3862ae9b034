/* InputEvents: envelope and body → struct input. */
#include "wire/correction.h"
#include "wire/event.h"
#include "wire/json.h"
#include "wire/retract.h"
#include "wire/roster.h"
#include "wire/rules.h"
#include "wire/untyped.h"

/* The bodies: the one list of what class each is and which topic carries it. The member's name is the type's
 * in snake case. */
static const struct body {
    uint32_t number; /* of the member of InputEvent.body */
    enum input_class class_;
    enum voice voice;
} bodies[] = {
    {DUBAN__V1__INPUT_EVENT__BODY_SUBMISSION, INPUT_SUBMISSION, VOICE_SUBMISSIONS},
    {DUBAN__V1__INPUT_EVENT__BODY_REVIEW, INPUT_REVIEW, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_FACT, INPUT_FACT, VOICE_EITHER},
    {DUBAN__V1__INPUT_EVENT__BODY_READING, INPUT_READING, VOICE_SUBMISSIONS},
    {DUBAN__V1__INPUT_EVENT__BODY_RANKING, INPUT_RANKING, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_DIRECTIVE, INPUT_DIRECTIVE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_EXTENSION_REQUESTED, INPUT_EXTENSION_REQUEST, VOICE_SUBMISSIONS},
    {DUBAN__V1__INPUT_EVENT__BODY_EXTEND, INPUT_EXTEND, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_WAIVE, INPUT_WAIVE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_PAUSE, INPUT_PAUSE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_RESUME, INPUT_RESUME, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_EXCUSE, INPUT_EXCUSE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_ANNUL, INPUT_ANNUL, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_SUPERSEDE, INPUT_SUPERSEDE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_ROSTER_CHANGE, INPUT_ROSTER, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_DEFINITION, INPUT_DEFINITION, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_DEADLINE_REACHED, INPUT_CLOCK, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_DECIDE, INPUT_DECIDE, VOICE_DEADLINES},
    {DUBAN__V1__INPUT_EVENT__BODY_REDRIVE, INPUT_REDRIVE, VOICE_DEADLINES},
};

/* NULL: there is none. */
static const struct layout_field *field_of_body(uint32_t number)
{
    return layout_number(layout_of(&duban__v1__input_event__descriptor), number);
}

/* ---- decoding */

size_t wire_data_max(struct slice type)
{
    return slice_eq(type, S("duban.v1.Definition")) || slice_eq(type, S("duban.v1.Redrive")) ? WIRE_DEFINITION_MAX
                                                                                             : WIRE_DATA_MAX;
}

static const Duban__V1__InputEvent *read_json(struct slice text, struct arena *a, struct reasons *why)
{
    json_t *v = json_parse(text, why);
    if (!v)
        return NULL;
    ProtobufCMessage *m = json_read_message(&duban__v1__input_event__descriptor, v, a, why);
    json_decref(v);
    return (const Duban__V1__InputEvent *)m;
}

static const Duban__V1__InputEvent *decode(const struct cloud_event *e, struct arena *a, struct reasons *why)
{
    size_t most = wire_data_max(e->type);
    if (e->data.n > most) {
        reasons_add(why, "%zu bytes of data; at most %zu", e->data.n, most);
        return NULL;
    }
    switch (encoding_of(e->content_type)) {
    case ENCODING_JSON:
        return read_json(e->data, a, why);
    case ENCODING_PROTOBUF:
        return (const void *)proto_read(&duban__v1__input_event__descriptor, e->data, PROTO_STRICT, a, why);
    default:
        reasons_add(why, "content-type %.*s: expected application/protobuf or application/json",
                    (int)(e->content_type.n < 80 ? e->content_type.n : 80), e->content_type.p);
        return NULL;
    }
}

/* ---- the envelope against the data */

static void check_type(const struct cloud_event *e, const struct layout_field *body, struct reasons *why)
{
    const char *name = body->message->d->name;
    if (!slice_eq(e->type, slice_of(name)))
        reasons_add(why, "type %.*s, but the data holds a %s: expected %s",
                    (int)(e->type.n < 80 ? e->type.n : 80), e->type.p, body->f->name, name);
}

static void check_workflow(const struct cloud_event *e, const Duban__V1__InputEvent *m, struct reasons *why)
{
    struct slice workflow = slice_of(m->workflow);
    bool clock = m->body_case == DUBAN__V1__INPUT_EVENT__BODY_DEADLINE_REACHED;
    if (workflow.n == 0 && !clock)
        reasons_add(why, "workflow: missing");
    else if (workflow.n && !slice_eq(workflow, e->workflow))
        reasons_add(why, "workflow %.*s, but the record's key is %.*s: they must be the same",
                    (int)(workflow.n < 80 ? workflow.n : 80), workflow.p,
                    (int)(e->workflow.n < 80 ? e->workflow.n : 80), e->workflow.n ? e->workflow.p : "");
}

/* The decoded event, checked against the contract and its envelope; NULL and reasons. */
static const Duban__V1__InputEvent *read_event(const struct cloud_event *e, struct arena *a,
                                               struct reasons *why)
{
    size_t before = why->n;
    const Duban__V1__InputEvent *m = decode(e, a, why);
    if (!m)
        return NULL;
    const struct layout_field *body = field_of_body(m->body_case);
    if (body)
        check_type(e, body, why);
    else
        reasons_add(why, "no body: expected one like submission, fact or ranking");
    check_workflow(e, m, why);
    rules_check(&m->base, NULL, why);
    return why->n == before ? m : NULL;
}

/* ---- the body → struct input */

static const struct {
    enum layout_name name;
    size_t offset;
} texts[] = {
    {LAYOUT_OBLIGATION, offsetof(struct input, obligation)},
    {LAYOUT_UNIT, offsetof(struct input, unit)},
    {LAYOUT_ABOUT, offsetof(struct input, about)},
    {LAYOUT_PERIOD, offsetof(struct input, period)},
    {LAYOUT_KIND, offsetof(struct input, kind)},
    {LAYOUT_REPORTER, offsetof(struct input, reporter)},
    {LAYOUT_RANKING, offsetof(struct input, ranking)},
    {LAYOUT_GROUNDS, offsetof(struct input, grounds)},
    {LAYOUT_UNTIL, offsetof(struct input, until)},
};

static void fill_texts(const ProtobufCMessage *body, const struct layout *l, struct input *in)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const ProtobufCFieldDescriptor *f = l->by_name[texts[i].name];
        if (f && f->type == PROTOBUF_C_TYPE_STRING && f->label != PROTOBUF_C_LABEL_REPEATED &&
            proto_count(body, f))
            *(struct slice *)((char *)in + texts[i].offset) =
                slice_of(*(char *const *)proto_member(body, f, 0));
    }
}

static void fill_ranking(const Duban__V1__Ranking *r, struct arena *a, struct input *in)
{
    in->entries = ARENA_ARRAY(a, struct input_entry, r->n_entries);
    in->nentries = r->n_entries;
    for (size_t i = 0; i < r->n_entries; i++) {
        const Duban__V1__Ranking__Entry *e = r->entries[i];
        in->entries[i] = (struct input_entry){slice_of(e->subject), e->rank, e->places, e->tied};
    }
}

static void fill_review(const Duban__V1__Review *r, struct arena *a, struct input *in)
{
    in->accept = r->verdict == DUBAN__V1__REVIEW__VERDICT__ACCEPT;
    for (size_t i = 0; i < r->n_reasons; i++)
        in->reason =
            i ? arena_printf(a, "%.*s；%s", SLICE_ARG(in->reason), r->reasons[i]) : slice_of(r->reasons[i]);
}

static void fill_reading(const Duban__V1__Reading *r, struct input *in)
{
    struct input_reading *to = &in->reading;
    to->indicator = slice_of(r->indicator);
    to->written = slice_of(r->as_written);
    to->approximate = r->approximate;
    switch (r->value_case) {
    case DUBAN__V1__READING__VALUE_NUMBER:
        to->number = slice_of(r->number);
        break;
    case DUBAN__V1__READING__VALUE_RATIO:
        to->numerator = slice_of(r->ratio->numerator);
        to->denominator = slice_of(r->ratio->denominator);
        break;
    default:
        to->not_applicable = true;
    }
}

static void fill_directive(const Duban__V1__Directive *d, struct arena *a, struct input *in)
{
    in->title = slice_of(d->title);
    in->from_whom = slice_of(d->source);
    in->basis = slice_of(d->basis);
    in->until = slice_of(d->due);
    in->nunits = d->n_units;
    in->units = ARENA_ARRAY(a, struct slice, d->n_units);
    for (size_t i = 0; i < d->n_units; i++)
        in->units[i] = slice_of(d->units[i]);
}

static void fill_attachments(const ProtobufCMessage *body, const struct layout *l, struct arena *a,
                             struct input *in)
{
    const ProtobufCFieldDescriptor *f = l->by_name[LAYOUT_ATTACHMENTS];
    in->nattachments = f ? proto_count(body, f) : 0;
    in->attachments = ARENA_ARRAY(a, struct input_attachment, in->nattachments);
    for (size_t i = 0; i < in->nattachments; i++) {
        const Duban__V1__Attachment *file = *(Duban__V1__Attachment *const *)proto_member(body, f, i);
        in->attachments[i] = (struct input_attachment){slice_of(file->name), slice_of(file->uri)};
    }
}

static void fill_fields(const ProtobufCMessage *body, const struct layout *l, struct arena *a,
                        struct input *in, struct reasons *why)
{
    const ProtobufCFieldDescriptor *f = l->by_name[LAYOUT_FIELDS];
    struct path at = {NULL, in->class_name.p, -1}, here = {&at, "fields", -1};
    if (!f || !proto_count(body, f))
        return;
    in->fields = untyped_record(*(Google__Protobuf__Struct *const *)proto_member(body, f, 0), a, &here, why);
}

static enum input_class class_of(uint32_t number)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].number == number)
            return bodies[i].class_;
    return INPUT_OTHER;
}

static void fill(const Duban__V1__InputEvent *m, const struct cloud_event *e, struct arena *a,
                 struct input *in, struct reasons *why)
{
    const struct layout_field *f = field_of_body(m->body_case);
    const struct layout *l = f->message;
    const ProtobufCMessage *body = *(ProtobufCMessage *const *)proto_member(&m->base, f->f, 0);
    in->source = e->source;
    in->id = e->id;
    in->workflow = e->workflow;
    in->class_name = slice_of(f->f->name);
    in->actor = slice_of(m->actor);
    in->reason = slice_of(m->reason);
    in->class_ = class_of(f->number);
    fill_texts(body, l, in);
    if (l->d == &duban__v1__ranking__descriptor)
        fill_ranking((const void *)body, a, in);
    if (l->d == &duban__v1__reading__descriptor)
        fill_reading((const void *)body, in);
    if (l->d == &duban__v1__review__descriptor)
        fill_review((const void *)body, a, in);
    if (l->d == &duban__v1__directive__descriptor)
        fill_directive((const void *)body, a, in);
    fill_attachments(body, l, a, in);
    correction_fill(body, l, a, in, why);
    retract_fill(body, a, in, why);
    roster_fill(body, a, in, why);
    fill_fields(body, l, a, in, why);
}

bool wire_input(const struct cloud_event *e, struct arena *a, struct input *in, struct reasons *why)
{
    size_t before = why->n;
    *in = (struct input){.class_ = INPUT_OTHER, .received = in->received, .topic = in->topic};
    const Duban__V1__InputEvent *m = read_event(e, a, why);
    if (m)
        fill(m, e, a, in, why);
    return why->n == before;
}

enum voice wire_voice(const struct input *in)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].class_ == in->class_)
            return bodies[i].voice;
    return VOICE_DEADLINES;
}

const Duban__V1__InputEvent *event_message(struct slice content_type, struct slice data, struct arena *a)
{
    struct reasons dropped = {.arena = a};
    if (encoding_of(content_type) == ENCODING_JSON)
        return read_json(data, a, &dropped);
    return (const void *)proto_read(&duban__v1__input_event__descriptor, data, PROTO_LENIENT, a, &dropped);
}

/* ---- definitions and clock records */

static bool path_is_safe(struct slice path)
{
    if (!slice_is_printable(path) || path.n == 0 || path.n > 200 || path.p[0] == '/')
        return false;
    for (size_t i = 0; i < path.n;) { /* no part is "", "." or ".." */
        size_t n = strcspn(path.p + i, "/");
        struct slice part = {path.p + i, n};
        if (n == 0 || slice_eq(part, S(".")) || slice_eq(part, S("..")))
            return false;
        i += n + 1;
    }
    return path.p[path.n - 1] != '/';
}

bool wire_definition_from_input(const struct cloud_event *e, struct arena *a, struct wire_definition *out,
                                struct reasons *why)
{
    size_t before = why->n;
    const Duban__V1__InputEvent *m = read_event(e, a, why);
    if (!m)
        return false;
    if (m->body_case != DUBAN__V1__INPUT_EVENT__BODY_DEFINITION) {
        reasons_add(why, "not a definition");
        return false;
    }
    const Duban__V1__Definition *d = m->definition;
    *out = (struct wire_definition){slice_of(m->workflow), slice_of(d->hash), slice_of(d->root), NULL,
                                    d->n_files};
    out->files = ARENA_ARRAY(a, struct wire_file, d->n_files);
    bool root = false;
    for (size_t i = 0; i < d->n_files; i++) {
        out->files[i] = (struct wire_file){slice_of(d->files[i]->path), proto_slice(d->files[i]->content)};
        root |= slice_eq(out->files[i].path, out->root);
        if (!path_is_safe(out->files[i].path))
            reasons_add(
                why, "definition.files[%zu].path: expected a relative path like suifenhe-2024/workflow.yaml",
                i);
    }
    if (!root)
        reasons_add(why, "definition.root: %.*s is none of its files", SLICE_ARG(out->root));
    return why->n == before;
}

struct slice wire_definition_pack(const struct wire_definition *d, struct slice actor, struct slice reason,
                                  struct arena *a)
{
    Duban__V1__InputEvent m = DUBAN__V1__INPUT_EVENT__INIT;
    Duban__V1__Definition body = DUBAN__V1__DEFINITION__INIT;
    m.workflow = proto_text(a, d->workflow);
    m.actor = proto_text(a, actor);
    m.reason = proto_text(a, reason);
    m.body_case = DUBAN__V1__INPUT_EVENT__BODY_DEFINITION;
    m.definition = &body;
    body.hash = proto_text(a, d->hash);
    body.root = proto_text(a, d->root);
    body.n_files = d->n;
    body.files = ARENA_ARRAY(a, Duban__V1__Definition__File *, d->n);
    for (size_t i = 0; i < d->n; i++) {
        body.files[i] = proto_new(&duban__v1__definition__file__descriptor, a);
        body.files[i]->path = proto_text(a, d->files[i].path);
        body.files[i]->content = proto_bytes(d->files[i].content);
    }
    return proto_pack(&m.base, a);
}

struct slice wire_clock_pack(struct arena *a)
{
    Duban__V1__InputEvent m = DUBAN__V1__INPUT_EVENT__INIT;
    Duban__V1__DeadlineReached body = DUBAN__V1__DEADLINE_REACHED__INIT;
    m.body_case = DUBAN__V1__INPUT_EVENT__BODY_DEADLINE_REACHED;
    m.deadline_reached = &body;
    return proto_pack(&m.base, a);
}
