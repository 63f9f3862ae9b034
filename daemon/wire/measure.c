/* Measures as they went out: read back, proposed, withdrawn. */
#include "wire/output.h"

Duban__V1__Notification *output_read(struct slice value, struct arena *a)
{
    struct reasons dropped = {.arena = a};
    return (Duban__V1__Notification *)proto_read(&duban__v1__notification__descriptor, value, PROTO_LENIENT,
                                                 a, &dropped);
}

bool output_is_first(const Duban__V1__Notification *m)
{
    const char *first = m->n_recipients ? m->recipients[0] : m->n_copies ? m->copies[0] : "";
    return !*m->recipient || (!*m->measure_id && !strcmp(m->recipient, first));
}

static struct measure_view view_of(const Duban__V1__Notification *m)
{
    struct measure_view v = {.id = slice_of(m->id),
                             .measure_id = slice_of(m->measure_id),
                             .withdraws = slice_of(m->withdraws),
                             .measure = slice_of(m->measure),
                             .title = slice_of(m->title),
                             .unit = slice_of(m->unit),
                             .task = slice_of(m->task),
                             .recipient = slice_of(m->recipient),
                             .cause = {.due = INSTANT_NONE},
                             .valid_until = INSTANT_NONE,
                             .reminder = m->level == DUBAN__V1__LEVEL__REMINDER,
                             .first = output_is_first(m)};
    if (m->caused_by) {
        v.cause.source = slice_of(m->caused_by->source);
        v.cause.id = slice_of(m->caused_by->id);
        v.cause.instance = slice_of(m->caused_by->task);
        v.cause.timer = slice_of(m->caused_by->timer);
        if (m->caused_by->due)
            proto_instant(m->caused_by->due, &v.cause.due);
    }
    if (m->valid_until)
        proto_instant(m->valid_until, &v.valid_until);
    else if (v.reminder && m->due)
        proto_instant(m->due, &v.valid_until);
    return v;
}

bool wire_measure_view(const struct record *r, struct arena *a, struct measure_view *out)
{
    if (r->topic != TOPIC_WARNINGS && r->topic != TOPIC_SUPERVISION && r->topic != TOPIC_NOTIFICATIONS)
        return false;
    const Duban__V1__Notification *m = output_read(r->value, a);
    if (m)
        *out = view_of(m);
    return m != NULL;
}

struct measure_key wire_measure_key(const struct cause *c, struct slice task, struct slice measure,
                                    struct slice unit)
{
    unsigned char due[8], digest[32];
    struct measure_key key;
    put_be64s(due, c->timer.n ? c->due : 0);
    const struct slice part[] = {c->source, c->id,   c->instance, c->timer, {(const char *)due, sizeof due},
                                 task,      measure, unit};
    wire_digest(digest, part, sizeof part / sizeof *part);
    memcpy(key.byte, digest, sizeof key.byte);
    return key;
}

static struct measure_key key_of(const struct measure_view *v)
{
    return wire_measure_key(&v->cause, v->task, v->measure, v->unit);
}

/* ---- proposals */

struct slice wire_proposal_pack(const struct program *p, const struct effects *fx, const struct issued *is,
                                struct arena *a)
{
    const struct machine *machine = &p->machines[is->instance->machine];
    struct packer w;
    pack_begin(&w, a);
    pack_texts(&w, FIELD_PROPOSAL__KEY, is->instance->key, machine->nkey);
    pack_text(&w, FIELD_PROPOSAL__MACHINE, machine->name);
    size_t mark = pack_mark(&w);
    output_pack_measure(&w, p, fx, is);
    pack_part(&w, FIELD_PROPOSAL__MEASURE, mark);
    return pack_end(&w);
}

static struct slice *slices_of(char **text, size_t n, struct arena *a)
{
    struct slice *out = ARENA_ARRAY(a, struct slice, n);
    for (size_t i = 0; i < n; i++)
        out[i] = slice_of(text[i]);
    return out;
}

static int measure_named(const struct program *p, struct slice name)
{
    for (size_t i = 0; i < p->nmeasures; i++)
        if (slice_eq(p->measures[i].name, name))
            return (int)i;
    return -1;
}

static bool fit(const struct program *p, const Duban__V1__Proposal *m, struct proposed *out, struct err *e)
{
    const Duban__V1__Warning *w = m->measure;
    out->measure = measure_named(p, slice_of(w->measure));
    out->machine = program_machine(p, slice_of(m->machine));
    if (out->measure < 0)
        return err_set(e, "there is no measure %s, of which one waits for a decision", w->measure);
    if (out->machine < 0 || p->machines[out->machine].nkey != m->n_key)
        return err_set(
            e, "there is no machine %s with a key of %zu parts, a measure of which waits for a decision",
            m->machine, m->n_key);
    if (!period_parse(slice_of(w->period), &out->period))
        return err_set(e, "a proposal: \"%.40s\" is no period", w->period);
    for (size_t k = 0; k < m->n_key; k++)
        out->key[k] = slice_of(m->key[k]);
    return true;
}

bool wire_proposal_read(const struct program *p, struct slice bytes, struct arena *a, struct proposal *out,
                        struct err *e)
{
    const Duban__V1__Proposal *m =
        (const void *)proto_read_own(&duban__v1__proposal__descriptor, bytes, "proposal", a, e);
    if (!m)
        return false;
    if (!m->measure)
        return err_set(e, "a proposal without a measure");
    const Duban__V1__Warning *w = m->measure;
    *out = (struct proposal){.what = {.unit = slice_of(w->unit),
                                      .subject = slice_of(w->subject),
                                      .about = slice_of(w->about),
                                      .obligation = slice_of(w->obligation),
                                      .basis = slice_of(w->basis),
                                      .to = slices_of(w->recipients, w->n_recipients, a),
                                      .nto = w->n_recipients,
                                      .copy = slices_of(w->copies, w->n_copies, a),
                                      .ncopy = w->n_copies}};
    out->measure = proto_pack(&w->base, a);
    out->view = view_of(output_read(out->measure, a));
    return !p || fit(p, m, &out->what, e);
}

void wire_proposal_outputs(const struct program *p, const struct proposal *m, const struct issued *is,
                           struct arena *a, struct record **out, size_t *n)
{
    output_decided(p, m->measure, is, a, out, n);
}

/* ---- withdrawals */

static struct slice withdrawal_id(const struct program *p, const struct withdrawal *w, struct slice id,
                                  struct arena *a)
{
    const struct slice part[] = {p->id, S("withdrawal"), w->source, w->id, id};
    return wire_id(a, part, sizeof part / sizeof *part);
}

static struct slice withdrawal_body(const struct program *p, const Duban__V1__Notification *m,
                                    const struct withdrawal *w, struct arena *a)
{
    instant_t time = w->now;
    if (m->time)
        proto_instant(m->time, &time);
    struct slice day = date_format(a, tz_date(p->tz, time, NULL));
    return arena_printf(a, "%.*s的%s%s%s%s予以撤销%s%.*s", SLICE_ARG(day), m->title, *m->number ? "（" : "",
                        m->number, *m->number ? "）" : "", w->reason.n ? "：" : "", SLICE_ARG(w->reason));
}

/* The message turned into its own withdrawal. */
static void withdraw(Duban__V1__Notification *m, const struct program *p, const struct withdrawal *w,
                     struct arena *a)
{
    m->body = proto_text(a, withdrawal_body(p, m, w, a));
    m->withdraws = m->id;
    m->withdrawn_measure = m->measure;
    m->measure = proto_text(a, S("withdrawal"));
    m->title = proto_text(a, arena_printf(a, "撤销通知：%s", m->title));
    m->level = DUBAN__V1__LEVEL__WITHDRAWAL;
    m->id = proto_text(a, withdrawal_id(p, w, slice_of(m->id), a));
    m->time = proto_timestamp(a, w->now);
    m->due = m->limit = m->valid_until = NULL;
    m->withdrawn = proto_new(&duban__v1__withdrawn__descriptor, a);
    m->withdrawn->reason = proto_text(a, w->reason);
    m->withdrawn->date = proto_text(a, date_format(a, tz_date(p->tz, w->now, NULL)));
    m->withdrawn->document = m->document;
    m->withdrawn->number = m->number;
    m->document = m->number = m->rule = proto_text(a, S(""));
    m->document_text = NULL;
    m->caused_by = proto_new(&duban__v1__caused_by__descriptor, a);
    m->caused_by->source = proto_text(a, w->source);
    m->caused_by->id = proto_text(a, w->id);
    if (!*m->recipient)
        return;
    instant_t after = output_deliver_after(p, w->now);
    struct slice day = date_format(a, tz_date(p->tz, after, NULL));
    m->cancels = m->withdraws;
    m->deliver_after = proto_timestamp(a, after);
    m->digest_key =
        proto_text(a, arena_printf(a, "%s/%.*s/%.*s", m->recipient, SLICE_ARG(p->id), SLICE_ARG(day)));
    if (!*m->measure_id)
        return;
    m->withdraws = m->measure_id;
    m->measure_id = proto_text(a, withdrawal_id(p, w, slice_of(m->measure_id), a));
}

void wire_withdraw(const struct program *p, const struct record *from, size_t nfrom,
                   const struct measure_key *key, const struct withdrawal *w, struct arena *a,
                   struct record **out, size_t *n)
{
    *out = ARENA_ARRAY(a, struct record, nfrom);
    *n = 0;
    for (size_t i = 0; i < nfrom; i++) {
        struct measure_view v;
        if (!wire_measure_view(&from[i], a, &v) || v.withdraws.n)
            continue;
        struct measure_key of = key_of(&v);
        if (memcmp(of.byte, key->byte, sizeof of.byte))
            continue;
        Duban__V1__Notification *m = output_read(from[i].value, a);
        withdraw(m, p, w, a);
        (*out)[(*n)++] =
            output_record(from[i].topic == TOPIC_NOTIFICATIONS ? TOPIC_NOTIFICATIONS : TOPIC_SUPERVISION,
                          proto_pack(&m->base, a), slice_of(m->id), p->id, w->now, a);
    }
}
