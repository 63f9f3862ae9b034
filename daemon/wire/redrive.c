/* A redrive: a refused record inside an operator's event. */
#include "wire/event.h"

/* Only its sender can mean one of these, or history could not be run again with it inside another. */
static const char *const never[] = {"duban.v1.DeadlineReached", "duban.v1.Definition", "duban.v1.Excuse",
                                    "duban.v1.Annul",           "duban.v1.Supersede",  "duban.v1.Decide",
                                    "duban.v1.Redrive"};

bool wire_may_redrive(struct slice type)
{
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (slice_eq(type, slice_of(never[i])))
            return false;
    return true;
}

static void check(const Duban__V1__InputEvent *m, const struct redriven *r, struct reasons *why)
{
    const struct {
        const char *name, *text;
    } needed[] = {{"actor", m->actor}, {"reason", m->reason}};
    for (size_t i = 0; i < 2; i++)
        if (!*needed[i].text)
            reasons_add(why, "%s: missing; who redrives a record says who does, and why", needed[i].name);
    if (!wire_may_redrive(r->event.type))
        reasons_add(why, "redrive.type: a %.*s is not redriven; send it again", (int)(r->event.type.n < 80 ? r->event.type.n : 80),
                    r->event.type.p);
}

/* Its envelope is held to what any other's is. */
static void check_envelope(const struct redriven *r, struct arena *a, struct reasons *why)
{
    struct reasons found = {.arena = a};
    struct cloud_event again;
    struct header *h;
    size_t n;
    cloud_event_to_headers(&r->event, a, &h, &n);
    cloud_event_from_headers(h, n, r->event.workflow, r->event.data, &again, &found);
    for (size_t i = 0; i < found.n; i++)
        reasons_add(why, "redrive: %.*s", SLICE_ARG(found.item[i]));
}

bool wire_redriven(const struct cloud_event *e, struct arena *a, struct redriven *out, struct reasons *why)
{
    size_t before = why->n;
    const Duban__V1__InputEvent *m = event_message(e->content_type, e->data, a);
    *out = (struct redriven){.event = {.time = INSTANT_NONE, .workflow = e->workflow}};
    if (!m || m->body_case != DUBAN__V1__INPUT_EVENT__BODY_REDRIVE) {
        reasons_add(why, "not a redrive");
        return false;
    }
    const Duban__V1__Redrive *r = m->redrive;
    out->event.id = slice_of(r->id);
    out->event.source = slice_of(r->source);
    out->event.type = slice_of(r->type);
    out->event.content_type = slice_of(r->content_type);
    out->event.data = proto_slice(r->data);
    out->partition = r->partition;
    out->offset = r->offset;
    if (!topic_parse(slice_of(r->topic), &out->topic) || out->topic > TOPIC_DEADLINES)
        reasons_add(why, "redrive.topic: \"%.40s\"; expected %s or %s", r->topic, topic_names[TOPIC_SUBMISSIONS],
                    topic_names[TOPIC_DEADLINES]);
    check(m, out, why);
    check_envelope(out, a, why);
    return why->n == before;
}
