/* History: one record a turn, chained by hash. */
#include <sodium.h>

#include "wire/event.h"
#include "wire/output.h"
#include "wire/stored.h"

/* The hash is written last, by hand: field 15, 32 bytes. What stands before it is what is hashed. */
enum { HASH_BYTES = 32, SEAL_BYTES = 34 };
static const unsigned char seal_tag[] = {FIELD_HISTORY_RECORD__HASH << 3 | WIRE_LENGTH, HASH_BYTES};

static void seal_hash(unsigned char out[HASH_BYTES], const unsigned char prev[HASH_BYTES], struct slice body)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    crypto_generichash_update(&state, prev, HASH_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)body.p, body.n);
    crypto_generichash_final(&state, out, HASH_BYTES);
}

/* ---- packing */

/* The envelope as it came, as far as it is text. */
static void pack_envelope(struct packer *w, const struct record *r)
{
    static const struct {
        const char *header;
        unsigned field;
    } kept[] = {{"content-type", FIELD_HISTORY_RECORD__INPUT__CONTENT_TYPE},
                {"ce_time", FIELD_HISTORY_RECORD__INPUT__TIME},
                {"ce_type", FIELD_HISTORY_RECORD__INPUT__TYPE},
                {"ce_id", FIELD_HISTORY_RECORD__INPUT__ID},
                {"ce_source", FIELD_HISTORY_RECORD__INPUT__SOURCE}};
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        const struct header *h = header_find(r->header, r->nheaders, kept[k].header);
        if (h)
            pack_text(w, kept[k].field, proto_valid(h->value));
    }
}

static void pack_input(struct packer *w, const struct record *r)
{
    size_t mark = pack_mark(w);
    pack_text(w, FIELD_HISTORY_RECORD__INPUT__VALUE, r->value);
    pack_time(w, FIELD_HISTORY_RECORD__INPUT__RECEIVED, r->appended);
    pack_envelope(w, r);
    pack_number(w, FIELD_HISTORY_RECORD__INPUT__OFFSET, (uint64_t)r->offset);
    pack_number(w, FIELD_HISTORY_RECORD__INPUT__PARTITION, (uint64_t)r->partition);
    pack_text(w, FIELD_HISTORY_RECORD__INPUT__TOPIC, slice_of(topic_names[r->topic]));
    pack_part(w, FIELD_HISTORY_RECORD__INPUT, mark);
}

static struct slice state_name(const struct machine *m, int state)
{
    return state < 0 ? S("") : m->states[state].name;
}

static struct slice event_name(const struct program *p, const struct transition *t)
{
    if (t->kind == KIND_TIMER)
        return S("timer");
    if (t->moved_from || t->moved_to)
        return S("succession");
    return t->kind >= 0 ? p->kinds[t->kind].name : S("");
}

static void pack_transition(struct packer *w, const struct program *p, const struct transition *t)
{
    const struct machine *m = &p->machines[t->instance->machine];
    size_t mark = pack_mark(w);
    pack_texts(w, FIELD_HISTORY_RECORD__TRANSITION__MOVED_TO, t->moved_to, t->moved_to ? m->nkey : 0);
    pack_texts(w, FIELD_HISTORY_RECORD__TRANSITION__MOVED_FROM, t->moved_from, t->moved_from ? m->nkey : 0);
    output_pack_place(w, FIELD_HISTORY_RECORD__TRANSITION__RULE, p, t->place);
    if (t->kind == KIND_TIMER && t->timer >= 0)
        pack_text(w, FIELD_HISTORY_RECORD__TRANSITION__TIMER, m->timers[t->timer].name);
    pack_text(w, FIELD_HISTORY_RECORD__TRANSITION__EVENT, event_name(p, t));
    pack_text(w, FIELD_HISTORY_RECORD__TRANSITION__TO, state_name(m, t->to));
    pack_text(w, FIELD_HISTORY_RECORD__TRANSITION__FROM, state_name(m, t->from));
    pack_texts(w, FIELD_HISTORY_RECORD__TRANSITION__KEY, t->instance->key, m->nkey);
    pack_text(w, FIELD_HISTORY_RECORD__TRANSITION__MACHINE, m->name);
    pack_part(w, FIELD_HISTORY_RECORD__TRANSITIONS, mark);
}

/* Dead letters keep their headers, and their value unless it is the input's; the rest is in the message. */
static void pack_output(struct packer *w, const struct record *r, const struct record *in)
{
    bool dead = r->topic == TOPIC_REJECTED, same = dead && in && slice_eq(in->value, r->value);
    size_t mark = pack_mark(w);
    pack_number(w, FIELD_HISTORY_RECORD__OUTPUT__INPUT_VALUE, same);
    if (!same)
        pack_text(w, FIELD_HISTORY_RECORD__OUTPUT__VALUE, r->value);
    if (dead)
        stored_pack_headers(w, FIELD_HISTORY_RECORD__OUTPUT__HEADERS, r);
    pack_text(w, FIELD_HISTORY_RECORD__OUTPUT__TOPIC, slice_of(topic_names[r->topic]));
    pack_part(w, FIELD_HISTORY_RECORD__OUTPUTS, mark);
}

static Duban__V1__HistoryRecord__Verdict verdict_of(enum verdict v)
{
    static const Duban__V1__HistoryRecord__Verdict verdicts[] = {
        [VERDICT_APPLIED] = DUBAN__V1__HISTORY_RECORD__VERDICT__APPLIED,
        [VERDICT_NO_EFFECT] = DUBAN__V1__HISTORY_RECORD__VERDICT__NO_EFFECT,
        [VERDICT_REJECTED] = DUBAN__V1__HISTORY_RECORD__VERDICT__REJECTED,
        [VERDICT_HALTED] = DUBAN__V1__HISTORY_RECORD__VERDICT__HALTED,
    };
    return verdicts[v];
}

/* One that was excused under another key before says so there. */
static bool was_handed_over(const struct effects *fx, const struct instance *i)
{
    for (size_t t = 0; t < fx->ntransitions; t++)
        if (fx->transitions[t].instance == i && fx->transitions[t].moved_from)
            return true;
    return false;
}

static void pack_excused(struct packer *w, const struct program *p, const struct effects *fx, size_t i)
{
    const struct instance *now = fx->changed[i], *was = fx->was[i];
    const struct machine *m = &p->machines[now->machine];
    size_t mark = pack_mark(w);
    if (now->standing.excused.n == 0 || (was && was->standing.excused.n) || was_handed_over(fx, now))
        return;
    pack_text(w, FIELD_HISTORY_RECORD__EXCUSED__GROUNDS, now->standing.excused);
    pack_texts(w, FIELD_HISTORY_RECORD__EXCUSED__KEY, now->key, m->nkey);
    pack_text(w, FIELD_HISTORY_RECORD__EXCUSED__MACHINE, m->name);
    pack_part(w, FIELD_HISTORY_RECORD__EXCUSED, mark);
}

/* What the turn did. */
static void pack_effects(struct packer *w, const struct program *p, const struct effects *fx,
                         const struct record *in, const struct record *outputs, size_t noutputs)
{
    for (size_t i = fx->nchanged; i-- > 0;)
        pack_excused(w, p, fx, i);
    pack_texts(w, FIELD_HISTORY_RECORD__PROPOSED, fx->proposals, fx->nproposals);
    while (noutputs-- > 0)
        pack_output(w, &outputs[noutputs], in);
    for (size_t i = fx->ntransitions; i-- > 0;)
        pack_transition(w, p, &fx->transitions[i]);
    for (size_t i = fx->nreasons; i-- > 0;)
        pack_text_always(w, FIELD_HISTORY_RECORD__REASONS, proto_valid(fx->reasons[i]));
    pack_number(w, FIELD_HISTORY_RECORD__VERDICT, verdict_of(fx->verdict));
}

struct slice wire_history_pack(const struct program *p, const struct effects *fx, const struct record *in,
                               const struct record *outputs, size_t noutputs, struct history_head *head,
                               struct arena *a)
{
    unsigned char seal[SEAL_BYTES] = {0};
    struct packer w;
    pack_begin(&w, a);
    pack_raw(&w, (struct slice){(char *)seal, SEAL_BYTES});
    pack_effects(&w, p, fx, in, outputs, noutputs);
    if (in)
        pack_input(&w, in);
    pack_time(&w, FIELD_HISTORY_RECORD__NOW, fx->now);
    output_pack_caused_by(&w, FIELD_HISTORY_RECORD__CAUSE, &fx->cause);
    pack_text(&w, FIELD_HISTORY_RECORD__PREV_HASH, (struct slice){(char *)head->hash, HASH_BYTES});
    pack_number(&w, FIELD_HISTORY_RECORD__SEQUENCE, ++head->sequence);
    pack_text(&w, FIELD_HISTORY_RECORD__WORKFLOW, p->id);
    size_t n = pack_mark(&w) - SEAL_BYTES;
    seal_hash(head->hash, head->hash, (struct slice){(char *)w.p, n});
    memcpy(w.p + n, seal_tag, sizeof seal_tag);
    memcpy(w.p + n + sizeof seal_tag, head->hash, HASH_BYTES);
    return pack_end(&w);
}

/* ---- reading */

static const Duban__V1__HistoryRecord *read_record(struct slice bytes, struct arena *a, struct err *e)
{
    return (const void *)proto_read_own(&duban__v1__history_record__descriptor, bytes, "history record", a,
                                        e);
}

static bool verify(struct slice bytes, struct history_head *head, struct arena *a, struct err *e)
{
    unsigned long long wanted = head->sequence + 1;
    unsigned char hash[HASH_BYTES];
    if (bytes.n < SEAL_BYTES || memcmp(bytes.p + bytes.n - SEAL_BYTES, seal_tag, sizeof seal_tag) != 0)
        return err_set(e, "history record %llu: it does not end in its hash", wanted);
    const Duban__V1__HistoryRecord *m = read_record(bytes, a, e);
    if (!m)
        return false;
    if (m->sequence != wanted)
        return err_set(e, "history record %llu of %s stands where %llu should be",
                       (unsigned long long)m->sequence, m->workflow, wanted);
    if (m->prev_hash.len != HASH_BYTES || memcmp(m->prev_hash.data, head->hash, HASH_BYTES) != 0)
        return err_set(e, "history record %llu of %s does not follow from the record before it", wanted,
                       m->workflow);
    seal_hash(hash, head->hash, (struct slice){bytes.p, bytes.n - SEAL_BYTES});
    if (memcmp(hash, bytes.p + bytes.n - HASH_BYTES, HASH_BYTES) != 0)
        return err_set(e, "history record %llu of %s: its hash is not that of its bytes", wanted,
                       m->workflow);
    head->sequence = m->sequence;
    memcpy(head->hash, hash, HASH_BYTES);
    return true;
}

bool wire_history_verify(struct slice bytes, struct history_head *head, struct err *e)
{
    struct arena *a = arena_new();
    bool fine = verify(bytes, head, a, e);
    arena_free(a);
    return fine;
}

static bool message_record(enum topic t, struct slice value, struct slice workflow, struct arena *a,
                           struct record *out)
{
    struct reasons dropped = {.arena = a};
    const Duban__V1__Warning *m = NULL; /* the fields that all three share */
    if (output_descriptor(t))
        m = (const void *)proto_read(&duban__v1__warning__descriptor, value, PROTO_LENIENT, a, &dropped);
    if (!m)
        return false;
    instant_t time = INSTANT_NONE;
    if (m->time)
        proto_instant(m->time, &time);
    *out = output_record(t, value, slice_of(m->id), workflow, time, a);
    return true;
}

static void rejected_record(const Duban__V1__HistoryRecord *h, const Duban__V1__HistoryRecord__Output *m,
                            struct arena *a, struct record *out)
{
    *out = (struct record){
        .topic = TOPIC_REJECTED, .offset = -1, .appended = INSTANT_NONE, .key = slice_of(h->workflow)};
    out->value = m->input_value && h->input ? proto_slice(h->input->value) : proto_slice(m->value);
    out->nheaders = m->n_headers;
    out->header = ARENA_ARRAY(a, struct header, m->n_headers);
    for (size_t i = 0; i < m->n_headers; i++)
        out->header[i] = (struct header){slice_of(m->headers[i]->name), proto_slice(m->headers[i]->value)};
}

bool wire_history_outputs(struct slice bytes, struct arena *a, struct record **out, size_t *n)
{
    const Duban__V1__HistoryRecord *m = read_record(bytes, a, NULL);
    if (!m)
        return false;
    *n = m->n_outputs;
    *out = ARENA_ARRAY(a, struct record, m->n_outputs);
    for (size_t i = 0; i < m->n_outputs; i++) {
        enum topic t;
        struct record *r = *out + i;
        if (!topic_parse(slice_of(m->outputs[i]->topic), &t))
            return false;
        if (t == TOPIC_REJECTED)
            rejected_record(m, m->outputs[i], a, r);
        else if (!message_record(t, proto_slice(m->outputs[i]->value), slice_of(m->workflow), a, r))
            return false;
        r->partition = m->input ? m->input->partition : 0;
    }
    return true;
}

/* ---- as a re-run reads it */

static enum verdict verdict_read(Duban__V1__HistoryRecord__Verdict v)
{
    for (enum verdict is = VERDICT_APPLIED; is <= VERDICT_HALTED; is++)
        if (verdict_of(is) == v)
            return is;
    return VERDICT_REJECTED;
}

/* The envelope that could be read is the whole of it. */
static struct record input_record(const Duban__V1__HistoryRecord *m, struct arena *a)
{
    const Duban__V1__HistoryRecord__Input *in = m->input;
    struct record r = {.offset = in->offset,
                       .partition = in->partition,
                       .appended = INSTANT_NONE,
                       .key = slice_of(m->workflow),
                       .value = {in->value.len ? (const char *)in->value.data : "", in->value.len}};
    struct cloud_event e = {.id = slice_of(in->id),
                            .source = slice_of(in->source),
                            .type = slice_of(in->type),
                            .content_type = slice_of(in->content_type),
                            .time = INSTANT_NONE};
    topic_parse(slice_of(in->topic), &r.topic);
    cloud_event_to_headers(&e, a, &r.header, &r.nheaders);
    return r;
}

static void read_excused(const Duban__V1__HistoryRecord *m, struct arena *a, struct history_turn *out)
{
    out->excused = ARENA_ARRAY(a, struct excused, m->n_excused);
    for (size_t i = 0; i < m->n_excused && m->excused[i]->n_key <= KEY_PARTS_MAX; i++) {
        struct excused *e = &out->excused[out->nexcused++];
        e->machine = slice_of(m->excused[i]->machine);
        e->grounds = slice_of(m->excused[i]->grounds);
        e->nkey = m->excused[i]->n_key;
        for (size_t k = 0; k < e->nkey; k++)
            e->key[k] = slice_of(m->excused[i]->key[k]);
    }
}

bool wire_history_turn(struct slice bytes, struct arena *a, struct history_turn *out, struct err *e)
{
    const Duban__V1__HistoryRecord *m = read_record(bytes, a, e);
    if (!m)
        return false;
    *out = (struct history_turn){
        .sequence = m->sequence, .verdict = verdict_read(m->verdict), .now = INSTANT_NONE};
    if (!m->now || !proto_instant(m->now, &out->now))
        return err_set(e, "history record %llu of %s says no time", (unsigned long long)m->sequence,
                       m->workflow);
    if (m->cause) {
        out->source = slice_of(m->cause->source);
        out->id = slice_of(m->cause->id);
    }
    if (m->input) {
        out->input = input_record(m, a);
        out->type = slice_of(m->input->type);
    }
    read_excused(m, a, out);
    return true;
}

bool wire_history_proposals(struct slice bytes, struct arena *a, struct slice **out, size_t *n)
{
    const Duban__V1__HistoryRecord *m = read_record(bytes, a, NULL);
    if (!m)
        return false;
    *n = m->n_proposed;
    *out = ARENA_ARRAY(a, struct slice, m->n_proposed);
    for (size_t i = 0; i < m->n_proposed; i++)
        (*out)[i] = proto_pack(&m->proposed[i]->base, a);
    return true;
}

/* ---- its first two fields */

/* They are written in their order, always. */
bool wire_history_place(struct slice record, struct slice *workflow, uint64_t *sequence)
{
    enum {
        WORKFLOW = FIELD_HISTORY_RECORD__WORKFLOW << 3 | WIRE_LENGTH,
        SEQUENCE = FIELD_HISTORY_RECORD__SEQUENCE << 3 | WIRE_VARINT
    };
    uint64_t tag, n;
    if (!proto_take_varint(&record, &tag) || tag != WORKFLOW || !proto_take_varint(&record, &n) || n == 0 || n > record.n)
        return false;
    *workflow = (struct slice){record.p, (size_t)n};
    record = (struct slice){record.p + n, record.n - (size_t)n};
    return proto_take_varint(&record, &tag) && tag == SEQUENCE && proto_take_varint(&record, sequence);
}
