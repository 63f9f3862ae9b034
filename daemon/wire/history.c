/* History: one record a turn, chained by hash. */
#include <sodium.h>

#include "wire/event.h"
#include "wire/output.h"
#include "wire/stored.h"

/* The hash is written last, by hand: field 15, 32 bytes. What stands before it is what is hashed. */
enum { HASH_BYTES = 32, SEAL_BYTES = 34 };
static const unsigned char seal_tag[] = {0x7a, HASH_BYTES};

static void seal_hash(unsigned char out[HASH_BYTES], const unsigned char prev[HASH_BYTES], struct slice body)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    crypto_generichash_update(&state, prev, HASH_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)body.p, body.n);
    crypto_generichash_final(&state, out, HASH_BYTES);
}

/* ---- packing */

static char *header_text(const struct record *r, const char *name, struct arena *a)
{
    const struct header *h = header_find(r->header, r->nheaders, name);
    return proto_text_or_empty(a, h ? h->value : S(""));
}

static Duban__V1__HistoryRecord__Input *input_of(const struct record *r, struct arena *a)
{
    Duban__V1__HistoryRecord__Input *m = proto_new(&duban__v1__history_record__input__descriptor, a);
    m->topic = proto_text(a, slice_of(topic_names[r->topic]));
    m->partition = r->partition;
    m->offset = r->offset;
    m->source = header_text(r, "ce_source", a);
    m->id = header_text(r, "ce_id", a);
    m->type = header_text(r, "ce_type", a);
    m->time = header_text(r, "ce_time", a);
    m->content_type = header_text(r, "content-type", a);
    m->received = proto_timestamp(a, r->appended);
    m->value = proto_bytes(r->value);
    return m;
}

static char *state_name(const struct machine *m, int state, struct arena *a)
{
    return proto_text(a, state < 0 ? S("") : m->states[state].name);
}

static char **moved_key(const struct machine *m, const struct slice *key, struct arena *a, size_t *n)
{
    char **out = ARENA_ARRAY(a, char *, m->nkey);
    *n = key ? m->nkey : 0;
    for (size_t k = 0; k < *n; k++)
        out[k] = proto_text(a, key[k]);
    return out;
}

static Duban__V1__HistoryRecord__Transition *transition_of(const struct program *p,
                                                           const struct transition *t, struct arena *a)
{
    const struct machine *machine = &p->machines[t->instance->machine];
    Duban__V1__HistoryRecord__Transition *m =
        proto_new(&duban__v1__history_record__transition__descriptor, a);
    m->machine = proto_text(a, machine->name);
    m->n_key = machine->nkey;
    m->key = ARENA_ARRAY(a, char *, machine->nkey);
    for (size_t k = 0; k < machine->nkey; k++)
        m->key[k] = proto_text(a, t->instance->key[k]);
    m->from = state_name(machine, t->from, a);
    m->to = state_name(machine, t->to, a);
    if (t->kind == KIND_TIMER)
        m->event = proto_text(a, S("timer"));
    else if (t->moved_from || t->moved_to)
        m->event = proto_text(a, S("succession"));
    else if (t->kind >= 0)
        m->event = proto_text(a, p->kinds[t->kind].name);
    if (t->kind == KIND_TIMER && t->timer >= 0)
        m->timer = proto_text(a, machine->timers[t->timer].name);
    m->rule = proto_text(a, output_place(p, t->place, a));
    m->moved_from = moved_key(machine, t->moved_from, a, &m->n_moved_from);
    m->moved_to = moved_key(machine, t->moved_to, a, &m->n_moved_to);
    return m;
}

/* Dead letters keep their headers, and their value unless it is the input's; the rest is in the message. */
static Duban__V1__HistoryRecord__Output *output_of(const struct record *r, const struct record *in,
                                                   struct arena *a)
{
    Duban__V1__HistoryRecord__Output *m = proto_new(&duban__v1__history_record__output__descriptor, a);
    m->topic = proto_text(a, slice_of(topic_names[r->topic]));
    if (r->topic == TOPIC_REJECTED) {
        m->n_headers = r->nheaders;
        m->headers = ARENA_ARRAY(a, Duban__V1__Header *, r->nheaders);
        for (size_t i = 0; i < r->nheaders; i++) {
            m->headers[i] = proto_new(&duban__v1__header__descriptor, a);
            m->headers[i]->name = proto_text_or_empty(a, r->header[i].name);
            m->headers[i]->value = proto_bytes(r->header[i].value);
        }
        m->input_value = in && slice_eq(in->value, r->value);
    }
    if (!m->input_value)
        m->value = proto_bytes(r->value);
    return m;
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

static void fill_excused(Duban__V1__HistoryRecord *m, const struct program *p, const struct effects *fx,
                         struct arena *a)
{
    m->excused = ARENA_ARRAY(a, Duban__V1__HistoryRecord__Excused *, fx->nchanged);
    for (size_t i = 0; i < fx->nchanged; i++) {
        const struct instance *now = fx->changed[i], *was = fx->was[i];
        if (now->standing.excused.n == 0 || (was && was->standing.excused.n) || was_handed_over(fx, now))
            continue;
        const struct machine *machine = &p->machines[now->machine];
        Duban__V1__HistoryRecord__Excused *e = proto_new(&duban__v1__history_record__excused__descriptor, a);
        e->machine = proto_text(a, machine->name);
        e->grounds = proto_text(a, now->standing.excused);
        e->n_key = machine->nkey;
        e->key = ARENA_ARRAY(a, char *, machine->nkey);
        for (size_t k = 0; k < machine->nkey; k++)
            e->key[k] = proto_text(a, now->key[k]);
        m->excused[m->n_excused++] = e;
    }
}

static void fill(Duban__V1__HistoryRecord *m, const struct program *p, const struct effects *fx,
                 const struct record *in, const struct record *outputs, size_t noutputs, struct arena *a)
{
    m->workflow = proto_text(a, p->id);
    m->cause = output_caused_by(&fx->cause, a);
    m->now = proto_timestamp(a, fx->now);
    m->input = in ? input_of(in, a) : NULL;
    m->verdict = verdict_of(fx->verdict);
    m->n_reasons = fx->nreasons;
    m->reasons = ARENA_ARRAY(a, char *, fx->nreasons);
    for (size_t i = 0; i < fx->nreasons; i++)
        m->reasons[i] = proto_text_or_empty(a, fx->reasons[i]);
    m->n_transitions = fx->ntransitions;
    m->transitions = ARENA_ARRAY(a, Duban__V1__HistoryRecord__Transition *, fx->ntransitions);
    for (size_t i = 0; i < fx->ntransitions; i++)
        m->transitions[i] = transition_of(p, &fx->transitions[i], a);
    m->n_outputs = noutputs;
    m->outputs = ARENA_ARRAY(a, Duban__V1__HistoryRecord__Output *, noutputs);
    for (size_t i = 0; i < noutputs; i++)
        m->outputs[i] = output_of(&outputs[i], in, a);
    m->n_proposed = fx->nproposals;
    m->proposed = ARENA_ARRAY(a, Duban__V1__Proposal *, fx->nproposals);
    for (size_t i = 0; i < fx->nproposals; i++)
        m->proposed[i] =
            (void *)proto_read_own(&duban__v1__proposal__descriptor, fx->proposals[i], "proposal", a, NULL);
    fill_excused(m, p, fx, a);
}

struct slice wire_history_pack(const struct program *p, const struct effects *fx, const struct record *in,
                               const struct record *outputs, size_t noutputs, struct history_head *head,
                               struct arena *a)
{
    Duban__V1__HistoryRecord m = DUBAN__V1__HISTORY_RECORD__INIT;
    fill(&m, p, fx, in, outputs, noutputs, a);
    m.sequence = ++head->sequence;
    m.prev_hash = (ProtobufCBinaryData){HASH_BYTES, head->hash};
    size_t n;
    char *bytes = proto_pack_before(&m.base, SEAL_BYTES, a, &n);
    seal_hash(head->hash, head->hash, (struct slice){bytes, n});
    memcpy(bytes + n, seal_tag, sizeof seal_tag);
    memcpy(bytes + n + sizeof seal_tag, head->hash, HASH_BYTES);
    return (struct slice){bytes, n + SEAL_BYTES};
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

static bool take_varint(struct slice *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && rest->n > 0; shift += 7) {
        unsigned char byte = (unsigned char)*rest->p;
        *rest = (struct slice){rest->p + 1, rest->n - 1};
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* They are written in their order, always. */
bool wire_history_place(struct slice record, struct slice *workflow, uint64_t *sequence)
{
    enum { WORKFLOW = 1 << 3 | 2, SEQUENCE = 2 << 3 };
    uint64_t tag, n;
    if (!take_varint(&record, &tag) || tag != WORKFLOW || !take_varint(&record, &n) || n == 0 || n > record.n)
        return false;
    *workflow = (struct slice){record.p, (size_t)n};
    record = (struct slice){record.p + n, record.n - (size_t)n};
    return take_varint(&record, &tag) && tag == SEQUENCE && take_varint(&record, sequence);
}
