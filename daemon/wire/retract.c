#include "wire/retract.h"

#include "wire/layout.h"

static struct record_ref ref_of(const Duban__V1__RecordRef *m)
{
    return m ? (struct record_ref){slice_of(m->source), slice_of(m->id)} : (struct record_ref){S(""), S("")};
}

static void fill_annul(const Duban__V1__Annul *m, struct input *in)
{
    if (m->target_case == DUBAN__V1__ANNUL__TARGET_RECORD)
        in->request = ref_of(m->record);
    else
        in->measure_id = slice_of(m->measure_id);
}

/* The replacement need not repeat the workflow. */
static void fill_supersede(const Duban__V1__Supersede *m, struct arena *a, struct input *in,
                           struct reasons *why)
{
    struct slice workflow = slice_of(m->replacement->workflow);
    Duban__V1__InputEvent with = *m->replacement;
    if (workflow.n && !slice_eq(workflow, in->workflow))
        reasons_add(why, "supersede.replacement.workflow: %.*s, but this is workflow %.*s",
                    SLICE_ARG(workflow), SLICE_ARG(in->workflow));
    with.workflow = proto_text(a, in->workflow);
    in->replacement = proto_pack(&with.base, a);
    in->request = ref_of(m->record);
    in->reissue = m->reissue;
    in->received_as = INSTANT_NONE;
    if (m->received && !proto_instant(m->received, &in->received_as))
        reasons_add(why, "supersede.received: not a time");
}

void retract_fill(const ProtobufCMessage *body, struct arena *a, struct input *in, struct reasons *why)
{
    if (body->descriptor == &duban__v1__annul__descriptor) {
        fill_annul((const void *)body, in);
    } else if (body->descriptor == &duban__v1__supersede__descriptor) {
        fill_supersede((const void *)body, a, in, why);
    } else if (body->descriptor == &duban__v1__decide__descriptor) {
        const Duban__V1__Decide *m = (const void *)body;
        in->measure_id = slice_of(m->measure_id);
        in->issue = m->answer == DUBAN__V1__DECIDE__ANSWER__ISSUE;
    }
}

bool wire_replacement(const struct input *in, struct slice source, struct slice id, struct arena *a,
                      struct cloud_event *out, struct reasons *why)
{
    const Duban__V1__InputEvent *m =
        (const void *)proto_read(&duban__v1__input_event__descriptor, in->replacement, PROTO_STRICT, a, why);
    const struct layout_field *body =
        m ? layout_number(layout_of(&duban__v1__input_event__descriptor), m->body_case) : NULL;
    if (m && !body)
        reasons_add(why, "supersede.replacement: no body: expected one like submission, fact or ranking");
    if (!body)
        return false;
    *out = (struct cloud_event){.id = id,
                                .source = source,
                                .type = slice_of(body->message->d->name),
                                .content_type = S("application/protobuf"),
                                .time = INSTANT_NONE,
                                .workflow = in->workflow,
                                .data = in->replacement};
    return true;
}
