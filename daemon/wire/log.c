/* Records in the embedded log, and what is the changelog's own: markers, ids that were seen. */
#include "wire/stored.h"

static instant_t instant_of(const Duban__V1__Instant *m)
{
    return m ? m->ms : INSTANT_NONE;
}

struct slice wire_log_pack(const struct record *r, struct arena *a)
{
    struct packer w;
    pack_begin(&w, a);
    stored_pack_headers(&w, FIELD_LOG_RECORD__HEADERS, r);
    pack_text(&w, FIELD_LOG_RECORD__VALUE, r->value);
    pack_text(&w, FIELD_LOG_RECORD__KEY, r->key);
    if (r->appended != INSTANT_NONE)
        stored_pack_instant(&w, FIELD_LOG_RECORD__APPENDED, r->appended);
    pack_number(&w, FIELD_LOG_RECORD__OFFSET, (uint64_t)r->offset);
    pack_number(&w, FIELD_LOG_RECORD__PARTITION, (uint64_t)r->partition);
    pack_number(&w, FIELD_LOG_RECORD__TOPIC, r->topic);
    return pack_end(&w);
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
    size_t most = entry.key.n + entry.value.n + 3 * PACK_HEAD_BYTES;
    struct packer w;
    buf_reserve(chunk, most);
    pack_begin_in(&w, chunk->p + chunk->n, most);
    pack_text(&w, FIELD_SEEN_CHUNK__ENTRY__VALUE, entry.value);
    pack_text(&w, FIELD_SEEN_CHUNK__ENTRY__KEY, entry.key);
    pack_part(&w, FIELD_SEEN_CHUNK__ENTRIES, 0);
    memmove(w.start, w.p, pack_mark(&w));
    chunk->n += pack_mark(&w);
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
    struct packer w;
    pack_begin(&w, a);
    pack_text(&w, FIELD_MARKER__MOVED_TO, proto_valid(m->moved_to));
    pack_number(&w, FIELD_MARKER__PARTITIONS, m->partitions);
    pack_text(&w, FIELD_MARKER__OWNER_URL, proto_valid(m->owner_url));
    if (m->clock_target != INSTANT_NONE)
        stored_pack_instant(&w, FIELD_MARKER__CLOCK_TARGET, m->clock_target);
    pack_number(&w, FIELD_MARKER__HISTORY_NEXT, (uint64_t)m->history_next);
    pack_number(&w, FIELD_MARKER__DEADLINES_NEXT, (uint64_t)m->input_next[1]);
    pack_number(&w, FIELD_MARKER__SUBMISSIONS_NEXT, (uint64_t)m->input_next[0]);
    pack_number(&w, FIELD_MARKER__BATCH, m->batch);
    return pack_end(&w);
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
