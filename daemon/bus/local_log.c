#include "bus/local_log.h"

#include "base/log.h"

#define KEY_SIZE 9
#define SCRATCH_KEPT (64u << 10)

static struct slice log_key(unsigned char key[KEY_SIZE], int topic, int64_t offset)
{
    key[0] = (unsigned char)topic;
    put_be64(key + 1, (uint64_t)offset);
    return (struct slice){(const char *)key, KEY_SIZE};
}

/* The offset of a key of this topic; -1: it is another topic's. */
static int64_t key_offset(struct slice key, enum topic topic)
{
    const unsigned char *p = (const unsigned char *)key.p;
    return key.n == KEY_SIZE && p[0] == topic ? (int64_t)get_be64(p + 1) : -1;
}

/* ---- one record */

static bool record_get(struct slice bytes, enum topic topic, int64_t offset, struct arena *a,
                       struct record *out, struct err *e)
{
    struct err why;
    if (!wire_log_unpack(bytes, a, out, &why))
        return err_set(e, "%s, offset %lld of the embedded log: %s", topic_names[topic], (long long)offset,
                       why.text);
    out->topic = topic;
    out->partition = 0;
    out->offset = offset;
    return true;
}

enum store_status local_log_append(struct local_log *log, struct store_txn *t, const struct record *r,
                                   instant_t appended, struct arena *scratch)
{
    struct record stored = *r;
    stored.partition = 0;
    stored.offset = log->end[r->topic];
    stored.appended = appended;
    unsigned char key[KEY_SIZE];
    enum store_status st =
        store_put(t, TABLE_LOG, log_key(key, r->topic, stored.offset), wire_log_pack(&stored, scratch));
    if (st == STORE_OK)
        log->end[r->topic]++;
    if (arena_used(scratch) > SCRATCH_KEPT)
        arena_reset(scratch);
    return st;
}

/* ---- ends */

/* The topic's last entry; false: it has none. */
static bool last_entry(struct store_iter *i, enum topic topic, int64_t *offset, struct slice *bytes)
{
    unsigned char key[KEY_SIZE];
    struct slice found;
    if (!store_iter_seek_before(i, log_key(key, topic + 1, 0), &found, bytes))
        return false;
    *offset = key_offset(found, topic);
    return *offset >= 0;
}

bool local_log_open(struct store_txn *t, struct local_log *log, instant_t *last, instant_t *last_deadline,
                    struct err *e)
{
    struct arena *a = arena_new();
    struct store_iter *i = store_iter_new(t, TABLE_LOG);
    bool ok = true;
    *log = (struct local_log){0};
    *last = *last_deadline = INSTANT_NONE;
    for (int topic = 0; topic < TOPIC_COUNT && ok; topic++) {
        int64_t offset;
        struct slice bytes;
        struct record r;
        if (!last_entry(i, (enum topic)topic, &offset, &bytes))
            continue;
        ok = record_get(bytes, (enum topic)topic, offset, a, &r, e);
        if (!ok)
            break;
        log->end[topic] = offset + 1;
        if (r.appended > *last)
            *last = r.appended;
        if (topic == TOPIC_DEADLINES)
            *last_deadline = r.appended;
    }
    store_iter_free(i);
    arena_free(a);
    if (ok && *store_txn_error(t))
        ok = err_set(e, "%s", store_txn_error(t));
    return ok;
}

/* ---- reading */

static void reader_stands(struct local_log_reader *r, bool found, struct slice key)
{
    r->offset = found ? key_offset(key, r->topic) : -1;
    r->has = r->offset >= 0;
}

void local_log_reader_start(struct local_log_reader *r, struct store_txn *t, enum topic topic, int64_t from)
{
    unsigned char key[KEY_SIZE];
    struct slice found = {0};
    *r = (struct local_log_reader){.iter = store_iter_new(t, TABLE_LOG), .topic = topic};
    reader_stands(r, store_iter_seek(r->iter, log_key(key, topic, from < 0 ? 0 : from), &found, &r->bytes),
                  found);
}

void local_log_reader_next(struct local_log_reader *r)
{
    struct slice found = {0};
    reader_stands(r, store_iter_next(r->iter, &found, &r->bytes), found);
}

void local_log_reader_stop(struct local_log_reader *r)
{
    store_iter_free(r->iter);
}

bool local_log_reader_get(const struct local_log_reader *r, struct arena *a, struct record *out,
                          struct err *e)
{
    return record_get(r->bytes, r->topic, r->offset, a, out, e);
}

size_t bus_local_read(struct store_txn *t, enum topic topic, int64_t from, struct record *out, size_t max,
                      int64_t *end, struct arena *a)
{
    struct store_iter *i = store_iter_new(t, TABLE_LOG);
    struct slice bytes;
    int64_t last;
    *end = last_entry(i, topic, &last, &bytes) ? last + 1 : 0;
    store_iter_free(i);

    size_t n = 0;
    struct err e;
    struct local_log_reader r;
    local_log_reader_start(&r, t, topic, from);
    for (; r.has && n < max; local_log_reader_next(&r)) {
        if (!local_log_reader_get(&r, a, &out[n], &e)) {
            log_error("%s", e.text);
            break;
        }
        n++;
    }
    local_log_reader_stop(&r);
    return n;
}
