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

void output_pack_place(struct packer *w, unsigned field, const struct program *p, uint32_t place)
{
    if (place == 0 || place >= p->nplaces)
        return;
    const struct place *at = &p->places[place];
    const struct slice text[] = {at->file, S(":"), arena_digits(w->arena, at->line)};
    pack_joined(w, field, text, 3);
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

static struct slice make_id(const struct id_parts *of, struct slice recipient, struct arena *a)
{
    struct id_parts parts = *of;
    parts.part[parts.n++] = recipient;
    return wire_id(a, parts.part, parts.n);
}

void output_pack_caused_by(struct packer *w, unsigned field, const struct cause *c)
{
    size_t mark = pack_mark(w);
    if (c->timer.n) {
        pack_number(w, FIELD_CAUSED_BY__ARMED, (uint32_t)c->armed);
        pack_time(w, FIELD_CAUSED_BY__DUE, c->due);
        pack_text(w, FIELD_CAUSED_BY__TIMER, c->timer);
        pack_text(w, FIELD_CAUSED_BY__TASK, c->instance);
    }
    pack_text(w, FIELD_CAUSED_BY__ID, c->id);
    pack_text(w, FIELD_CAUSED_BY__SOURCE, c->source);
    pack_part(w, field, mark);
}

static void pack_document_text(struct packer *w, const struct document_text *d)
{
    size_t mark = pack_mark(w);
    if (d->main.n == 0)
        return;
    pack_texts(w, FIELD_DOCUMENT_TEXT__ATTACHMENTS, d->attachment, d->nattachments);
    pack_text(w, FIELD_DOCUMENT_TEXT__DATE, date_format(w->arena, d->date));
    pack_texts(w, FIELD_DOCUMENT_TEXT__COPIES, d->copy, d->ncopy);
    pack_texts(w, FIELD_DOCUMENT_TEXT__TO, d->to, d->nto);
    pack_text(w, FIELD_DOCUMENT_TEXT__ISSUER, d->issuer);
    pack_text(w, FIELD_DOCUMENT_TEXT__MAIN, d->main);
    pack_part(w, FIELD_NOTIFICATION__DOCUMENT_TEXT, mark);
}

/* What all records of a measure say. A Notification without its own fields has the very bytes of a Warning or
 * a Supervision, so one serves all. */
static void pack_common(struct packer *w, const struct program *p, const struct effects *fx,
                        const struct issued *is, struct slice task)
{
    const struct measure *measure = &p->measures[is->measure];
    pack_text(w, FIELD_NOTIFICATION__BODY, is->body);
    output_pack_place(w, FIELD_NOTIFICATION__RULE, p, is->place);
    output_pack_caused_by(w, FIELD_NOTIFICATION__CAUSED_BY, &fx->cause);
    pack_text(w, FIELD_NOTIFICATION__NUMBER, is->number);
    pack_text(w, FIELD_NOTIFICATION__DOCUMENT, is->document_title);
    pack_texts(w, FIELD_NOTIFICATION__COPIES, is->copy, is->ncopy);
    pack_texts(w, FIELD_NOTIFICATION__RECIPIENTS, is->to, is->nto);
    pack_time(w, FIELD_NOTIFICATION__LIMIT, is->limit);
    pack_time(w, FIELD_NOTIFICATION__DUE, is->due);
    pack_time(w, FIELD_NOTIFICATION__TIME, is->time);
    pack_text(w, FIELD_NOTIFICATION__PERIOD, period_format(w->arena, is->period));
    pack_text(w, FIELD_NOTIFICATION__OBLIGATION, is->obligation);
    pack_text(w, FIELD_NOTIFICATION__TASK, task);
    pack_text(w, FIELD_NOTIFICATION__ABOUT, is->about);
    pack_text(w, FIELD_NOTIFICATION__SUBJECT, is->subject);
    pack_text(w, FIELD_NOTIFICATION__UNIT, is->unit);
    pack_text(w, FIELD_NOTIFICATION__BASIS, is->basis);
    pack_number(w, FIELD_NOTIFICATION__RUNG, (uint32_t)measure->rung);
    pack_number(w, FIELD_NOTIFICATION__LEVEL, measure->level);
    pack_text(w, FIELD_NOTIFICATION__TITLE, measure->title);
    pack_text(w, FIELD_NOTIFICATION__MEASURE, measure->name);
    pack_text(w, FIELD_NOTIFICATION__WORKFLOW, p->id);
}

/* What the records of one measure are made of. */
struct told {
    const struct program *p;
    struct arena *arena;
    const struct issued *is;
    struct slice task;       /* its instance, printed */
    struct slice common, id; /* id: of its Warning or Supervision; empty: it has none */
    struct id_parts parts;   /* of its notifications' ids */
    instant_t after;         /* when they may be delivered */
    struct slice day;        /* the local one of that */
};

/* All measures of a turn have the same time, and most the same instance. */
static void tell_of(struct told *m, const struct issued *is)
{
    if (!m->is || m->is->time != is->time) {
        m->after = office_hour(m->p, is->time);
        m->day = date_format(m->arena, tz_date(m->p->tz, m->after, NULL));
    }
    if (is->instance && (!m->is || m->is->instance != is->instance))
        m->task = instance_print(m->arena, m->p, is->instance);
    m->is = is;
}

/* w: what stands behind. Only the first record has the document's text. */
static struct record record_of(const struct told *m, struct packer *w, enum topic t, struct slice id)
{
    if (t != TOPIC_NOTIFICATIONS || m->id.n == 0)
        pack_document_text(w, &m->is->text);
    pack_raw(w, m->common);
    pack_text(w, FIELD_NOTIFICATION__ID, id);
    return output_record(t, pack_end(w), id, m->p->id, m->is->time, m->arena);
}

static struct record notification(const struct told *m, struct slice recipient, bool copy)
{
    struct packer w;
    const struct slice digest[] = {recipient, S("/"), m->p->id, S("/"), m->day};
    pack_begin(&w, m->arena);
    pack_text(&w, FIELD_NOTIFICATION__MEASURE_ID, m->id);
    pack_joined(&w, FIELD_NOTIFICATION__DIGEST_KEY, digest, 5);
    if (m->p->measures[m->is->measure].level == LEVEL_REMINDER)
        pack_time(&w, FIELD_NOTIFICATION__VALID_UNTIL, m->is->due);
    pack_time(&w, FIELD_NOTIFICATION__DELIVER_AFTER, m->after);
    pack_number(&w, FIELD_NOTIFICATION__COPY, copy);
    pack_text(&w, FIELD_NOTIFICATION__RECIPIENT, recipient);
    return record_of(m, &w, TOPIC_NOTIFICATIONS, make_id(&m->parts, recipient, m->arena));
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

static size_t put_records(const struct told *m, struct record *out)
{
    const struct issued *is = m->is;
    size_t n = 0;
    if (m->id.n) {
        struct packer w;
        pack_begin(&w, m->arena);
        out[n++] = record_of(m, &w, topic_of(m->p, is), m->id);
    }
    for (size_t i = 0; i < is->nto; i++)
        out[n++] = notification(m, is->to[i], false);
    for (size_t i = 0; i < is->ncopy; i++)
        out[n++] = notification(m, is->copy[i], true);
    return n;
}

static size_t put_measure(struct told *m, const struct effects *fx, const struct issued *is,
                          struct record *out)
{
    struct packer w;
    tell_of(m, is);
    m->parts = parts_of(m->p, fx, is, m->task, m->arena);
    m->id = topic_of(m->p, is) == TOPIC_NOTIFICATIONS ? S("") : make_id(&m->parts, S(""), m->arena);
    pack_begin(&w, m->arena);
    pack_common(&w, m->p, fx, is, m->task);
    m->common = pack_end(&w);
    return put_records(m, out);
}

static size_t records_of(const struct issued *is)
{
    return 1 + is->nto + is->ncopy;
}

void wire_outputs(const struct program *p, const struct effects *fx, struct arena *a, struct record **out,
                  size_t *n)
{
    struct told m = {.p = p, .arena = a};
    size_t most = 0;
    for (size_t i = 0; i < fx->nissued; i++)
        most += records_of(&fx->issued[i]);
    *out = ARENA_ARRAY(a, struct record, most);
    *n = 0;
    for (size_t i = 0; i < fx->nissued; i++)
        if (fx->issued[i].how == ISSUE_OUT)
            *n += put_measure(&m, fx, &fx->issued[i], *out + *n);
}

/* ---- for proposals and withdrawals */

void output_pack_measure(struct packer *w, const struct program *p, const struct effects *fx,
                         const struct issued *is)
{
    struct slice task = instance_print(w->arena, p, is->instance);
    struct id_parts parts = parts_of(p, fx, is, task, w->arena);
    pack_document_text(w, &is->text);
    pack_common(w, p, fx, is, task);
    pack_text(w, FIELD_WARNING__ID, is->id.n ? is->id : make_id(&parts, S(""), w->arena));
}

void output_decided(const struct program *p, struct slice measure, const struct issued *is, struct arena *a,
                    struct record **out, size_t *n)
{
    Duban__V1__Notification *m = output_read(measure, a);
    struct slice id = slice_of(m->id);
    struct told told = {.p = p, .arena = a, .parts = {.part = {p->id, id}, .n = 2}};
    tell_of(&told, is);
    if (topic_of(p, is) != TOPIC_NOTIFICATIONS)
        told.id = id;
    m->id = proto_text(a, S(""));
    m->time = proto_timestamp(a, is->time);
    m->limit = proto_timestamp(a, is->limit);
    m->number = proto_text(a, is->number);
    m->body = proto_text(a, is->body);
    m->document_text = NULL;
    told.common = proto_pack(&m->base, a);
    *out = ARENA_ARRAY(a, struct record, records_of(is));
    *n = put_records(&told, *out);
}

instant_t output_deliver_after(const struct program *p, instant_t t)
{
    return office_hour(p, t);
}
