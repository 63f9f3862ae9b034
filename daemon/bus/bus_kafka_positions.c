/* What bus_kafka keeps in the store: positions of changelog and history, and when the changelog was last read
 * to its end. */
#include "bus/bus_kafka.h"

#include <time.h>

#define READ_AT_PART 8 /* of delete.retention.ms: older than half of it a state is of no use */

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

static enum store_status put_read(struct store_txn *t, int64_t changelog_next)
{
    enum store_status st = put_next(t, S(BUS_META_READ_AT), kafka_wall_ms());
    return st == STORE_OK && changelog_next >= 0 ? put_next(t, S(BUS_META_CHANGELOG_NEXT), changelog_next)
                                                 : st;
}

/* While it is up to date and nothing happens: its age counts from here. */
void kafka_put_read_at(struct kafka *k, struct part *p)
{
    struct err e = {0};
    int64_t now = kafka_monotonic_ms();
    if (now - p->read_at < k->delete_retention_ms / READ_AT_PART)
        return;
    p->read_at = now;
    struct store_txn *t = store_begin(p->store, true, &e);
    bool ok = t && put_read(t, -1) == STORE_OK;
    if (t && !ok)
        err_set(&e, "%s", store_txn_error(t));
    if (ok)
        ok = store_commit(t, &e) == STORE_OK;
    else
        store_abort(t);
    if (!ok)
        log_warn("kafka: partition %d: it cannot be noted that its state is up to date: %s", p->id, e.text);
}

/* A batch's history is in the store with it; whether what lies before it is, too, tells the other position. */
enum store_status kafka_put_positions(struct store_txn *t, const struct part *p, int64_t changelog_next,
                                      int64_t history_end)
{
    enum store_status st = put_read(t, changelog_next);
    if (st == STORE_OK && history_end >= 0)
        st = put_next(t, p->behind >= 0 ? S(BUS_META_HISTORY_END) : S(BUS_META_HISTORY_NEXT), history_end);
    return st;
}

bool kafka_state_look(struct store *s, struct state_look *out, struct err *e)
{
    int64_t when = -1, piece = -1;
    struct store_txn *t = store_begin(s, false, e);
    bool ok = t && get_next(t, S(BUS_META_READ_AT), &when, e) &&
              get_next(t, S(BUS_META_HISTORY_END), &out->history_end, e) &&
              get_next(t, S(BUS_META_PIECE), &piece, e);
    store_abort(t);
    out->age = when >= 0 ? kafka_wall_ms() - when : 0;
    out->piece = piece >= 0;
    return ok;
}

bool bus_kafka_lacks_history(struct store_txn *t, int64_t *have, int64_t *want)
{
    if (!get_next(t, S(BUS_META_HISTORY_NEXT), have, NULL) ||
        !get_next(t, S(BUS_META_HISTORY_END), want, NULL))
        return false;
    *have = *have < 0 ? 0 : *have;
    return *have < *want;
}

/* Part of a batch. It may be of one before the state's own, so until the end of a later one is in, the state is
 * none. */
static enum store_status put_piece(struct store_txn *t, int64_t next)
{
    struct slice v;
    enum store_status st = store_get(t, TABLE_META, S(BUS_META_READ_AT), &v);
    if (st == STORE_NOT_FOUND) /* what a tombstone may have to delete is there from now on */
        st = put_next(t, S(BUS_META_READ_AT), kafka_wall_ms());
    if (st == STORE_OK)
        st = put_next(t, S(BUS_META_CHANGELOG_NEXT), next);
    return st == STORE_OK ? put_next(t, S(BUS_META_PIECE), 1) : st;
}

enum store_status bus_kafka_restored(struct store_txn *t, const struct record *r, size_t n,
                                     const struct marker *m, int64_t next)
{
    if (m) {
        enum store_status st = put_next(t, S(BUS_META_HISTORY_END), m->history_next);
        if (st == STORE_OK)
            st = store_delete(t, TABLE_META, S(BUS_META_PIECE));
        return st == STORE_OK || st == STORE_NOT_FOUND ? put_read(t, next) : st;
    }
    if (n == 0 || r[0].topic == TOPIC_HISTORY)
        return put_next(t, S(BUS_META_HISTORY_NEXT), next);
    return put_piece(t, next);
}

bool bus_kafka_state(const struct record *r, enum table_id *table, struct slice *key, struct slice *value)
{
    if (r->key.n == 0 || (unsigned char)r->key.p[0] > TABLE_LAST_STATE)
        return false;
    *table = (enum table_id)(unsigned char)r->key.p[0];
    *key = (struct slice){r->key.p + 1, r->key.n - 1};
    *value = r->value.n ? r->value : (struct slice){NULL, 0};
    return true;
}
