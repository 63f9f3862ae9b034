/* The embedded log's clock, and its troubles: with the clock, and with room on the disk. */
#include "bus/bus_local.h"

#include "base/log.h"

#define ANCHOR_KEY                                                                                           \
    S("bus.clock")        /* in TABLE_META: the clock's offset (8 bytes), then the machine's boot id */
#define ANCHOR_DRIFT 1000 /* milliseconds; less than this is not worth writing */

/* ---- trouble: kept for those who ask, logged when it begins and when it ends */

static void trouble_set(struct bus_local *b, struct err *at, const struct err *now)
{
    pthread_mutex_lock(&b->trouble_mutex);
    bool began = !at->text[0] && now->text[0], ended = at->text[0] && !now->text[0];
    struct err before = *at;
    *at = *now;
    pthread_mutex_unlock(&b->trouble_mutex);
    if (began)
        log_warn("%s", now->text);
    if (ended)
        log_info("over: %s", before.text);
}

bool local_trouble(struct bus *base, struct err *why)
{
    struct bus_local *b = local_of(base);
    pthread_mutex_lock(&b->trouble_mutex);
    const char *disk = b->disk_trouble.text, *clock = b->clock_trouble.text;
    bool any = *disk || *clock;
    if (any)
        err_set(why, "%s%s%s", disk, *disk && *clock ? "; " : "", clock);
    pthread_mutex_unlock(&b->trouble_mutex);
    return any;
}

void local_disk_note(struct bus_local *b, enum store_status st, const struct err *why)
{
    static const struct err none;
    b->doubt |= st == STORE_FAILED;
    trouble_set(b, &b->disk_trouble, st == STORE_OK ? &none : why);
}

/* ---- the clock */

void local_clock_look(struct bus_local *b)
{
    struct err why = {0};
    instant_t wall, boot;
    receipt_source->read(&wall, &boot);
    if (atomic_exchange(&b->accepted, false))
        receipt_accept(&b->clock, wall, boot);
    else
        receipt_observe(&b->clock, wall, boot);
    if (b->clock.stopped)
        receipt_explain(&b->clock, &why);
    trouble_set(b, &b->clock_trouble, &why);
}

void bus_local_accept_clock(struct bus *base)
{
    struct bus_local *b = local_of(base);
    b->accepted = true;
    append_queue_wake(&b->queue);
}

bool local_anchor_load(struct bus_local *b, struct store_txn *t)
{
    struct slice v;
    if (store_get(t, TABLE_META, ANCHOR_KEY, &v) != STORE_OK || v.n <= 8)
        return false;
    if (!slice_eq((struct slice){v.p + 8, v.n - 8}, b->boot_id))
        return false;
    b->anchor = get_be64s((const unsigned char *)v.p);
    return true;
}

enum store_status local_anchor_save(struct bus_local *b, struct store_txn *t, instant_t *anchor)
{
    instant_t offset = b->clock.offset;
    *anchor = b->anchor;
    if (b->boot_id.n == 0)
        return STORE_OK;
    if (b->anchor != INSTANT_NONE && offset - b->anchor < ANCHOR_DRIFT && b->anchor - offset < ANCHOR_DRIFT)
        return STORE_OK;
    unsigned char *v = arena_alloc(b->scratch, 8 + b->boot_id.n);
    put_be64s(v, offset);
    memcpy(v + 8, b->boot_id.p, b->boot_id.n);
    *anchor = offset;
    return store_put(t, TABLE_META, ANCHOR_KEY, (struct slice){(const char *)v, 8 + b->boot_id.n});
}
