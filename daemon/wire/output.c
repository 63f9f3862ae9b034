/* Effects → warnings, supervision and notifications. */
#include "wire/output.h"

#define HOUR_MS INT64_C(3600000)
enum { OFFICE_OPENS = 9, OFFICE_CLOSES = 17 };

_Static_assert((int)DUBAN__V1__LEVEL__NOTICE == (int)LEVEL_NOTICE &&
                   (int)DUBAN__V1__LEVEL__YELLOW == (int)LEVEL_YELLOW &&
                   (int)DUBAN__V1__LEVEL__WITHDRAWAL == (int)LEVEL_WITHDRAWAL,
               "levels have the numbers of the contract");

const ProtobufCMessageDescriptor *output_descriptor(enum topic t)
{
    static const ProtobufCMessageDescriptor *const descriptors[TOPIC_COUNT] = {
        [TOPIC_SUBMISSIONS] = &duban__v1__input_event__descriptor,
        [TOPIC_DEADLINES] = &duban__v1__input_event__descriptor,
        [TOPIC_WARNINGS] = &duban__v1__warning__descriptor,
        [TOPIC_SUPERVISION] = &duban__v1__supervision__descriptor,
        [TOPIC_NOTIFICATIONS] = &duban__v1__notification__descriptor,
        [TOPIC_HISTORY] = &duban__v1__history_record__descriptor,
    };
    return descriptors[t];
}

struct slice output_place(const struct program *p, uint32_t place, struct arena *a)
{
    if (place == 0 || place >= p->nplaces)
        return S("");
    const struct place *at = &p->places[place];
    return arena_join(a, (const struct slice[]){at->file, S(":"), arena_digits(a, at->line)}, 3);
}

struct record output_record(enum topic t, struct slice value, struct slice id, struct slice workflow,
                            instant_t time, struct arena *a)
{
    struct cloud_event e = {
        .id = id,
        .source = arena_join(a, (const struct slice[]){S("duband/"), workflow}, 2),
        .type = slice_of(output_descriptor(t)->name),
        .content_type = S("application/protobuf"),
        .time = time,
    };
    struct record r = {.topic = t, .offset = -1, .appended = INSTANT_NONE, .key = workflow, .value = value};
    cloud_event_to_headers(&e, a, &r.header, &r.nheaders);
    return r;
}

/* ---- one measure */

/* The next office hour: t itself when it is within one. */
static instant_t office_hour(const struct program *p, instant_t t)
{
    int64_t ms;
    date_t d = tz_date(p->tz, t, &ms);
    bool workday = calendar_is_workday(p->calendar, d);
    if (workday && ms >= OFFICE_OPENS * HOUR_MS && ms < OFFICE_CLOSES * HOUR_MS)
        return t;
    if (!workday || ms >= OFFICE_CLOSES * HOUR_MS)
        d = calendar_add_workdays(p->calendar, d, 1);
    return tz_instant(p->tz, d, OFFICE_OPENS * HOUR_MS);
}

/* Everything an id is made of but the recipient. A re-run of the same cause gives the same. */
struct id_parts {
    struct slice part[10];
    size_t n;
};

static struct id_parts parts_of(const struct program *p, const struct effects *fx, const struct issued *is,
                                struct slice task, struct arena *a)
{
    const struct cause *c = &fx->cause;
    struct id_parts out = {0};
    out.part[out.n++] = p->id;
    out.part[out.n++] = c->source;
    out.part[out.n++] = c->id;
    out.part[out.n++] = c->instance;
    out.part[out.n++] = c->timer;
    out.part[out.n++] =
        c->timer.n ? arena_printf(a, "%lld %lld", (long long)c->due, (long long)c->armed) : S("");
    out.part[out.n++] = task;
    out.part[out.n++] = p->measures[is->measure].name;
    out.part[out.n++] = arena_digits(a, is->n);
    return out;
}

static char *make_id(struct id_parts parts, struct slice recipient, struct arena *a)
{
    parts.part[parts.n++] = recipient;
    return proto_text(a, wire_id(a, parts.part, parts.n));
}

Duban__V1__CausedBy *output_caused_by(const struct cause *c, struct arena *a)
{
    Duban__V1__CausedBy *m = proto_new(&duban__v1__caused_by__descriptor, a);
    m->source = proto_text(a, c->source);
    m->id = proto_text(a, c->id);
    if (c->timer.n) {
        m->task = proto_text(a, c->instance);
        m->timer = proto_text(a, c->timer);
        m->due = proto_timestamp(a, c->due);
        m->armed = (uint32_t)c->armed;
    }
    return m;
}

static char **texts_of(const struct slice *s, size_t n, struct arena *a)
{
    char **out = ARENA_ARRAY(a, char *, n);
    for (size_t i = 0; i < n; i++)
        out[i] = proto_text(a, s[i]);
    return out;
}

static Duban__V1__DocumentText *document_text(const struct issued *is, struct arena *a)
{
    if (is->text.main.n == 0)
        return NULL;
    Duban__V1__DocumentText *m = proto_new(&duban__v1__document_text__descriptor, a);
    m->main = proto_text(a, is->text.main);
    m->issuer = proto_text(a, is->text.issuer);
    m->n_to = is->text.nto;
    m->to = texts_of(is->text.to, is->text.nto, a);
    m->n_copies = is->text.ncopy;
    m->copies = texts_of(is->text.copy, is->text.ncopy, a);
    m->date = proto_text(a, date_format(a, is->text.date));
    m->n_attachments = is->text.nattachments;
    m->attachments = texts_of(is->text.attachment, is->text.nattachments, a);
    return m;
}

/* What all three messages say. A Notification without its own fields has the very bytes of a Warning or a
 * Supervision, so one fill and one struct serve all. */
static void fill(Duban__V1__Notification *m, const struct program *p, const struct effects *fx,
                 const struct issued *is, struct slice task, struct arena *a)
{
    const struct measure *measure = &p->measures[is->measure];
    m->workflow = proto_text(a, p->id);
    m->measure = proto_text(a, measure->name);
    m->title = proto_text(a, measure->title);
    m->level = (Duban__V1__Level)measure->level;
    m->rung = (uint32_t)measure->rung;
    m->basis = proto_text(a, is->basis);
    m->unit = proto_text(a, is->unit);
    m->subject = proto_text(a, is->subject);
    m->about = proto_text(a, is->about);
    m->task = proto_text(a, task);
    m->obligation = proto_text(a, is->obligation);
    m->period = proto_text(a, period_format(a, is->period));
    m->time = proto_timestamp(a, is->time);
    m->due = proto_timestamp(a, is->due);
    m->limit = proto_timestamp(a, is->limit);
    m->n_recipients = is->nto;
    m->recipients = texts_of(is->to, is->nto, a);
    m->n_copies = is->ncopy;
    m->copies = texts_of(is->copy, is->ncopy, a);
    m->document = proto_text(a, is->document_title);
    m->number = proto_text(a, is->number);
    m->caused_by = output_caused_by(&fx->cause, a);
    m->rule = proto_text(a, output_place(p, is->place, a));
    m->body = proto_text(a, is->body);
    m->document_text = document_text(is, a);
}

static struct record pack(Duban__V1__Notification *m, enum topic t, struct slice workflow, instant_t time,
                          struct arena *a)
{
    return output_record(t, proto_pack(&m->base, a), slice_of(m->id), workflow, time, a);
}

static struct record notification(Duban__V1__Notification *m, const struct program *p,
                                  const struct issued *is, struct id_parts parts, struct slice recipient,
                                  bool copy, struct arena *a)
{
    instant_t after = office_hour(p, is->time);
    struct slice day = date_format(a, tz_date(p->tz, after, NULL));
    m->id = make_id(parts, recipient, a);
    m->recipient = proto_text(a, recipient);
    m->copy = copy;
    m->deliver_after = proto_timestamp(a, after);
    m->valid_until = p->measures[is->measure].level == LEVEL_REMINDER ? proto_timestamp(a, is->due) : NULL;
    const struct slice digest[] = {recipient, S("/"), p->id, S("/"), day};
    m->digest_key = proto_text(a, arena_join(a, digest, 5));
    return pack(m, TOPIC_NOTIFICATIONS, p->id, is->time, a);
}

static enum topic topic_of(const struct program *p, const struct issued *is)
{
    static const enum topic topics[] = {
        [TOPIC_OF_NOTIFICATIONS] = TOPIC_NOTIFICATIONS,
        [TOPIC_OF_WARNINGS] = TOPIC_WARNINGS,
        [TOPIC_OF_SUPERVISION] = TOPIC_SUPERVISION,
    };
    return topics[p->measures[is->measure].topic];
}

/* The records of one measure, whose common fields are in m. id: the measure's own, if it has a record of its own;
 * parts: what the notifications' ids are made of. */
static size_t put_records(Duban__V1__Notification *m, const struct program *p, const struct issued *is,
                          char *id, struct id_parts parts, struct arena *a, struct record *out)
{
    size_t n = 0;
    enum topic t = topic_of(p, is);
    if (t != TOPIC_NOTIFICATIONS) {
        m->id = id;
        out[n++] = pack(m, t, p->id, is->time, a);
        m->measure_id = id;
        m->document_text = NULL; /* said once */
    }
    for (size_t i = 0; i < is->nto; i++)
        out[n++] = notification(m, p, is, parts, is->to[i], false, a);
    for (size_t i = 0; i < is->ncopy; i++)
        out[n++] = notification(m, p, is, parts, is->copy[i], true, a);
    return n;
}

static size_t put_measure(const struct program *p, const struct effects *fx, const struct issued *is,
                          struct arena *a, struct record *out)
{
    Duban__V1__Notification m = DUBAN__V1__NOTIFICATION__INIT;
    struct slice task = instance_print(a, p, is->instance);
    struct id_parts parts = parts_of(p, fx, is, task, a);
    char *id = topic_of(p, is) != TOPIC_NOTIFICATIONS ? make_id(parts, S(""), a) : NULL;
    fill(&m, p, fx, is, task, a);
    return put_records(&m, p, is, id, parts, a, out);
}

static size_t records_of(const struct issued *is)
{
    return 1 + is->nto + is->ncopy;
}

void wire_outputs(const struct program *p, const struct effects *fx, struct arena *a, struct record **out,
                  size_t *n)
{
    size_t most = 0;
    for (size_t i = 0; i < fx->nissued; i++)
        most += records_of(&fx->issued[i]);
    *out = ARENA_ARRAY(a, struct record, most);
    *n = 0;
    for (size_t i = 0; i < fx->nissued; i++)
        if (fx->issued[i].how == ISSUE_OUT)
            *n += put_measure(p, fx, &fx->issued[i], a, *out + *n);
}

/* ---- for proposals and withdrawals */

struct slice output_measure(const struct program *p, const struct effects *fx, const struct issued *is,
                            struct arena *a)
{
    Duban__V1__Notification m = DUBAN__V1__NOTIFICATION__INIT;
    struct slice task = instance_print(a, p, is->instance);
    fill(&m, p, fx, is, task, a);
    m.id = is->id.n ? proto_text(a, is->id) : make_id(parts_of(p, fx, is, task, a), S(""), a);
    return proto_pack(&m.base, a);
}

void output_decided(const struct program *p, struct slice measure, const struct issued *is, struct arena *a,
                    struct record **out, size_t *n)
{
    struct reasons dropped = {.arena = a};
    Duban__V1__Notification *m = (Duban__V1__Notification *)proto_read(&duban__v1__notification__descriptor,
                                                                       measure, PROTO_LENIENT, a, &dropped);
    struct id_parts parts = {.part = {p->id, slice_of(m->id)}, .n = 2};
    char *id = m->id;
    m->time = proto_timestamp(a, is->time);
    m->limit = proto_timestamp(a, is->limit);
    m->number = proto_text(a, is->number);
    m->body = proto_text(a, is->body);
    m->document_text = document_text(is, a);
    *out = ARENA_ARRAY(a, struct record, records_of(is));
    *n = put_records(m, p, is, id, parts, a, *out);
}

instant_t output_deliver_after(const struct program *p, instant_t t)
{
    return office_hour(p, t);
}
