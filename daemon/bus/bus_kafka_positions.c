/* What bus_kafka keeps in the store: positions of changelog and history, and when the changelog was last read
 * to its end. */
#include "bus/bus_kafka.h"

#include <time.h>

int64_t kafka_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool get_next(struct store_txn *t, struct slice key, int64_t *out, struct err *e)
{
    struct slice v;
    enum store_status st = store_get(t, TABLE_META, key, &v);
    *out = -1;
    if (st == STORE_NOT_FOUND)
        return true;
    if (st != STORE_OK)
        return err_set(e, "%s", store_txn_error(t));
    if (v.n != 8)
        return err_set(e, "the store's %.*s has %zu bytes, 8 were expected", SLICE_ARG(key), v.n);
    *out = get_be64s((const unsigned char *)v.p);
    return true;
}

bool bus_kafka_positions(struct store_txn *t, int64_t *changelog_next, int64_t *history_next, struct err *e)
{
    return get_next(t, S(BUS_META_CHANGELOG_NEXT), changelog_next, e) &&
           get_next(t, S(BUS_META_HISTORY_NEXT), history_next, e);
}

static enum store_status put_next(struct store_txn *t, struct slice key, int64_t v)
{
    unsigned char bytes[8];
    put_be64s(bytes, v);
    return store_put(t, TABLE_META, key, (struct slice){(const char *)bytes, sizeof bytes});
}

enum store_status kafka_put_positions(struct store_txn *t, int64_t changelog_next, int64_t history_next)
{
    enum store_status st = put_next(t, S(BUS_META_READ_AT), kafka_wall_ms());
    if (st == STORE_OK && changelog_next >= 0)
        st = put_next(t, S(BUS_META_CHANGELOG_NEXT), changelog_next);
    if (st == STORE_OK && history_next >= 0)
        st = put_next(t, S(BUS_META_HISTORY_NEXT), history_next);
    return st;
}

bool kafka_state_look(struct store *s, int64_t *age, int64_t *history_end, struct err *e)
{
    int64_t when = -1;
    struct store_txn *t = store_begin(s, false, e);
    bool ok = t && get_next(t, S(BUS_META_READ_AT), &when, e) &&
              get_next(t, S(BUS_META_HISTORY_END), history_end, e);
    store_abort(t);
    *age = when >= 0 ? kafka_wall_ms() - when : 0;
    return ok;
}

/* Part of a batch: its end will move the position; but from now on the store holds what a tombstone may have
 * to delete. */
static enum store_status put_piece(struct store_txn *t)
{
    struct slice v;
    enum store_status st = store_get(t, TABLE_META, S(BUS_META_READ_AT), &v);
    return st == STORE_NOT_FOUND ? put_next(t, S(BUS_META_READ_AT), kafka_wall_ms()) : st;
}

enum store_status bus_kafka_restored(struct store_txn *t, const struct record *r, size_t n,
                                     const struct marker *m, int64_t next)
{
    if (m) {
        enum store_status st = put_next(t, S(BUS_META_HISTORY_END), m->history_next);
        return st == STORE_OK ? kafka_put_positions(t, next, -1) : st;
    }
    if (n && r[0].topic == TOPIC_HISTORY)
        return put_next(t, S(BUS_META_HISTORY_NEXT), next);
    return put_piece(t);
}

bool bus_kafka_state(const struct record *r, enum table_id *table, struct slice *key)
{
    if (r->key.n == 0 || (unsigned char)r->key.p[0] > TABLE_LAST_STATE)
        return false;
    *table = (enum table_id)(unsigned char)r->key.p[0];
    *key = (struct slice){r->key.p + 1, r->key.n - 1};
    return true;
}
