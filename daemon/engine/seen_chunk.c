/* Ids that were seen, as the changelog has them: those of a batch together, since a record each would double what
 * an event costs there. Here an id is an entry of TABLE_SEEN, and a chunk its key alone: that is what can be told to
 * go when its month has expired. With a chunk as many entries of the month go as one can have brought; which ones
 * does not matter, none of them counts any more. So whoever only follows the changelog gets rid of them, too. */
#include "engine/flow.h"

#define CHUNK_ENTRIES 1000
#define CHUNK_BYTES ((size_t)256 << 10) /* well under what a topic takes */

/* ---- out */

bool chunk_has_room(const struct chunk *c, struct slice key, struct slice value)
{
    struct slice rest;
    int32_t month;

    return c->n == 0 || (key_month_parse(key, &month, &rest) && month == c->month && c->n < CHUNK_ENTRIES &&
                         c->packed.n + rest.n + value.n <= CHUNK_BYTES);
}

void chunk_take(struct chunk *c, struct slice key, struct slice value)
{
    struct slice rest = {NULL, 0};

    key_month_parse(key, &c->month, &rest);
    wire_seen_add(&c->packed, (struct seen_entry){rest, value});
    c->n++;
}

void chunk_key(const struct chunk *c, uint64_t batch, struct key *k)
{
    key_seen_chunk(k, c->month, batch, c->part);
}

void chunk_next(struct chunk *c)
{
    c->part++;
    c->n = 0;
    buf_clear(&c->packed);
}

static enum turn_status pass_on(struct engine *e, struct store_txn *t, struct err *err)
{
    struct key k;

    if (e->chunk.n == 0)
        return TURN_DONE;
    chunk_key(&e->chunk, e->batch + 1, &k);
    enum turn_status st = engine_put(t, TABLE_SEEN_CHUNK, key_slice(&k), S(""), err);
    if (st == TURN_DONE)
        state_tell(e, TABLE_SEEN_CHUNK, key_slice(&k), buf_slice(&e->chunk.packed));
    chunk_next(&e->chunk);
    return st;
}

enum turn_status chunk_add(struct engine *e, struct store_txn *t, struct slice key, struct slice value, struct err *err)
{
    enum turn_status st = TURN_DONE;

    if (!state_is_told(e))
        return TURN_DONE;
    if (!chunk_has_room(&e->chunk, key, value))
        st = pass_on(e, t, err);
    chunk_take(&e->chunk, key, value);
    return st;
}

void chunk_forget(struct engine *e)
{
    chunk_next(&e->chunk);
    e->chunk.part = 0;
}

enum turn_status chunk_end(struct engine *e, struct store_txn *t, struct err *err)
{
    enum turn_status st = pass_on(e, t, err);

    e->chunk.part = 0;
    return st;
}

/* ---- in */

static bool read_entry(int32_t month, const struct seen_entry *entry, struct key *out)
{
    struct slice workflow;
    int32_t again;

    key_month(out, month);
    key_bytes(out, entry->key);
    return !out->overflow && key_seen_parse(key_slice(out), &again, &workflow) && entry->value.n >= SEEN_BYTES;
}

enum turn_status chunk_read(struct engine *e, struct slice key, struct slice value,
                            enum turn_status (*put)(void *ctx, struct slice key, struct slice value, struct err *err),
                            void *ctx, struct err *err)
{
    enum turn_status st = TURN_DONE;
    struct seen_entry *entry;
    size_t n = 0;
    int32_t month;

    arena_reset(e->scratch);
    if (!key_seen_chunk_parse(key, &month)) {
        err_set(err, "changelog: the key of a chunk of seen ids has %zu bytes, not 16", key.n);
        return TURN_FAILED;
    }
    if (!wire_seen_unpack(value, e->scratch, &entry, &n, err))
        return TURN_FAILED;
    for (size_t i = 0; st == TURN_DONE && i < n; i++) {
        struct key k;

        if (!read_entry(month, &entry[i], &k)) {
            err_set(err, "changelog: entry %zu of a chunk of %zu seen ids is none: a key of %zu bytes, a value of %zu", i,
                    n, entry[i].key.n, entry[i].value.n);
            return TURN_FAILED;
        }
        st = put(ctx, key_slice(&k), entry[i].value, err);
    }
    return st;
}

static enum turn_status put_entry(void *ctx, struct slice key, struct slice value, struct err *err)
{
    return engine_put(ctx, TABLE_SEEN, key, value, err);
}

static enum turn_status drop_entries(struct store_txn *t, int32_t month, size_t *dropped, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_SEEN);
    enum turn_status st = TURN_DONE;
    struct slice found, value;
    struct key from, k;

    key_month(&from, month);
    for (size_t n = 0; st == TURN_DONE && n < CHUNK_ENTRIES && store_iter_seek(i, key_slice(&from), &found, &value) &&
                       key_has_prefix(found, key_slice(&from));
         n++, ++*dropped) {
        key_start(&k);
        key_bytes(&k, found);
        st = engine_delete(t, TABLE_SEEN, key_slice(&k), err);
    }
    store_iter_free(i);
    return st;
}

enum turn_status chunk_restore(struct engine *e, struct store_txn *t, struct slice key, struct slice value,
                               struct err *err)
{
    enum turn_status st;
    size_t dropped = 0;
    int32_t month;

    e->months.known = false;
    if (value.p != NULL) {
        st = chunk_read(e, key, value, put_entry, t, err);
        return st == TURN_DONE ? engine_put(t, TABLE_SEEN_CHUNK, key, S(""), err) : st;
    }
    st = engine_delete(t, TABLE_SEEN_CHUNK, key, err);
    return st == TURN_DONE && key_month_parse(key, &month, &value) ? drop_entries(t, month, &dropped, err) : st;
}

/* ---- dropping */

static bool first_of_month(struct store_txn *t, int32_t month, struct key *out)
{
    struct store_iter *i = store_iter_new(t, TABLE_SEEN_CHUNK);
    struct slice found = {NULL, 0}, value;
    struct key from;

    key_month(&from, month);
    bool any = store_iter_seek(i, key_slice(&from), &found, &value) && key_has_prefix(found, key_slice(&from));
    key_start(out);
    key_bytes(out, any ? found : (struct slice){NULL, 0});
    store_iter_free(i);
    return any;
}

bool chunk_has_month(struct store_txn *t, int32_t month)
{
    struct key first;

    return first_of_month(t, month, &first);
}

enum turn_status chunk_drop(struct engine *e, struct store_txn *t, int32_t month, size_t *dropped, struct err *err)
{
    enum turn_status st = TURN_DONE;
    struct key first;

    *dropped = 0;
    if (first_of_month(t, month, &first)) {
        st = state_delete(e, t, TABLE_SEEN_CHUNK, key_slice(&first), err);
        ++*dropped;
    }
    return st == TURN_DONE ? drop_entries(t, month, dropped, err) : st;
}
