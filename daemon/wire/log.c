/* Records in the embedded log, and what is the changelog's own: markers, ids that were seen. */
#include "wire/proto.h"

static Duban__V1__Instant *instant(struct arena *a, instant_t t)
{
    if (t == INSTANT_NONE)
        return NULL;
    Duban__V1__Instant *m = proto_new(&duban__v1__instant__descriptor, a);
    m->ms = t;
    return m;
}

static instant_t instant_of(const Duban__V1__Instant *m)
{
    return m ? m->ms : INSTANT_NONE;
}

struct slice wire_log_pack(const struct record *r, struct arena *a)
{
    Duban__V1__LogRecord m = DUBAN__V1__LOG_RECORD__INIT;
    m.topic = (uint32_t)r->topic;
    m.partition = r->partition;
    m.offset = r->offset;
    m.appended = instant(a, r->appended);
    m.key = proto_bytes(r->key);
    m.value = proto_bytes(r->value);
    m.n_headers = r->nheaders;
    m.headers = ARENA_ARRAY(a, Duban__V1__Header *, r->nheaders);
    for (size_t i = 0; i < r->nheaders; i++) {
        m.headers[i] = proto_new(&duban__v1__header__descriptor, a);
        m.headers[i]->name = proto_text_or_empty(a, r->header[i].name);
        m.headers[i]->value = proto_bytes(r->header[i].value);
    }
    return proto_pack(&m.base, a);
}

bool wire_log_unpack(struct slice bytes, struct arena *a, struct record *out, struct err *e)
{
    const Duban__V1__LogRecord *m =
        (const void *)proto_read_own(&duban__v1__log_record__descriptor, bytes, "log record", a, e);
    if (!m)
        return false;
    if (m->topic >= TOPIC_COUNT)
        return err_set(e, "log record of topic %u, which this version does not know", m->topic);
    *out = (struct record){.topic = (enum topic)m->topic,
                           .partition = m->partition,
                           .offset = m->offset,
                           .appended = instant_of(m->appended),
                           .key = proto_slice(m->key),
                           .value = proto_slice(m->value),
                           .header = ARENA_ARRAY(a, struct header, m->n_headers),
                           .nheaders = m->n_headers};
    for (size_t i = 0; i < m->n_headers; i++)
        out->header[i] = (struct header){slice_of(m->headers[i]->name), proto_slice(m->headers[i]->value)};
    return true;
}

/* A chunk of one entry: appended to others it makes one of them all. */
void wire_seen_add(struct buf *chunk, struct seen_entry entry)
{
    Duban__V1__SeenChunk m = DUBAN__V1__SEEN_CHUNK__INIT;
    Duban__V1__SeenChunk__Entry one = DUBAN__V1__SEEN_CHUNK__ENTRY__INIT, *entries = &one;
    one.key = proto_bytes(entry.key);
    one.value = proto_bytes(entry.value);
    m.entries = &entries;
    m.n_entries = 1;
    buf_reserve(chunk, protobuf_c_message_get_packed_size(&m.base));
    chunk->n += protobuf_c_message_pack(&m.base, (uint8_t *)chunk->p + chunk->n);
}

bool wire_seen_unpack(struct slice chunk, struct arena *a, struct seen_entry **out, size_t *n, struct err *e)
{
    const Duban__V1__SeenChunk *m =
        (const void *)proto_read_own(&duban__v1__seen_chunk__descriptor, chunk, "chunk of seen ids", a, e);
    if (!m)
        return false;
    *n = m->n_entries;
    *out = ARENA_ARRAY(a, struct seen_entry, *n);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct seen_entry){proto_slice(m->entries[i]->key), proto_slice(m->entries[i]->value)};
    return true;
}

struct slice wire_marker_pack(const struct marker *m, struct arena *a)
{
    Duban__V1__Marker out = DUBAN__V1__MARKER__INIT;
    out.batch = m->batch;
    out.submissions_next = m->input_next[0];
    out.deadlines_next = m->input_next[1];
    out.history_next = m->history_next;
    out.clock_target = instant(a, m->clock_target);
    out.owner_url = proto_text_or_empty(a, m->owner_url);
    out.partitions = m->partitions;
    out.moved_to = proto_text_or_empty(a, m->moved_to);
    return proto_pack(&out.base, a);
}

bool wire_marker_unpack(struct slice bytes, struct arena *a, struct marker *out, struct err *e)
{
    const Duban__V1__Marker *m =
        (const void *)proto_read_own(&duban__v1__marker__descriptor, bytes, "changelog marker", a, e);
    if (!m)
        return false;
    *out = (struct marker){.batch = m->batch,
                           .input_next = {m->submissions_next, m->deadlines_next},
                           .history_next = m->history_next,
                           .clock_target = instant_of(m->clock_target),
                           .owner_url = slice_of(m->owner_url),
                           .partitions = m->partitions,
                           .moved_to = slice_of(m->moved_to)};
    return true;
}
