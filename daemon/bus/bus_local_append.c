/* Appends to the embedded log: one transaction for all that wait. */
#include "bus/bus_local.h"

#include <time.h>

#define GROUPS_MOST 100 /* before the records have their turn */
#define PASS_MOST_MS 5  /* a clock that is further behind was set back: nobody waits for it */

static bool is_clock_record(const struct record *r)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("ce_type")))
            return slice_eq(r->header[i].value, S("duban.v1.DeadlineReached"));
    return false;
}

/* The log must be able to read back what it took: names are text, values any bytes. */
static bool headers_are_named(const struct record *r)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (!slice_is_utf8(r->header[i].name) || !slice_is_printable(r->header[i].name))
            return false;
    return true;
}

/* A reason not to append it, or NULL. */
static const char *append_refusal(const struct bus_local *b, const struct append_item *item, bool *retry)
{
    *retry = false;
    if (item->record.topic != TOPIC_SUBMISSIONS && item->record.topic != TOPIC_DEADLINES)
        return "only the two input topics take records";
    if (item->record.partition != 0)
        return "the embedded log has one partition, 0";
    if (!headers_are_named(&item->record))
        return "a header's name is not printable UTF-8";
    *retry = true;
    return b->clock.stopped && is_clock_record(&item->record) ? b->clock_trouble.text : NULL;
}

static enum store_status append_all(struct bus_local *b, struct store_txn *t, struct append_item *list,
                                    struct local_log *log, struct receipt_clock *clock)
{
    for (struct append_item *i = list; i; i = i->next) {
        struct append_result *res = &i->result;
        if (!res->why) /* the queue may have refused it already */
            res->why = append_refusal(b, i, &res->retry);
        if (res->why)
            continue;
        res->ok = true;
        res->retry = false;
        res->offset = log->end[i->record.topic];
        res->received = receipt_stamp(clock, i->record.topic);
        enum store_status st = local_log_append(log, t, &i->record, res->received, b->scratch);
        if (st != STORE_OK)
            return st;
    }
    return STORE_OK;
}

/* Tells those of the list that were not refused that nothing was appended, for this reason. */
static void append_none(struct append_item *list, const char *why)
{
    for (struct append_item *i = list; i; i = i->next)
        if (!i->result.why) {
            i->result.ok = false;
            i->result.retry = true;
            i->result.offset = -1;
            i->result.received = INSTANT_NONE;
            i->result.why = why;
        }
}

static enum store_status group_commit(struct bus_local *b, struct append_item *list, struct err *e)
{
    struct local_log log = b->log;
    struct receipt_clock clock = b->clock;
    instant_t anchor;
    struct store_txn *t = store_begin(b->store, true, e);
    if (!t)
        return STORE_FAILED;
    enum store_status st = append_all(b, t, list, &log, &clock);
    if (st == STORE_OK)
        st = local_anchor_save(b, t, &anchor);
    if (st != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        store_abort(t);
        return st;
    }
    st = store_commit(t, e);
    if (st == STORE_OK) {
        b->log = log;
        b->clock = clock;
        b->anchor = anchor;
    }
    return st;
}

/* A submission may not share a deadline's millisecond (receipt.h). It waits for the next one rather than get a
 * time that has not come yet: else a busy log would run ahead of the clock, and what arrived in time would be
 * late. */
static void pass_deadline(struct bus_local *b)
{
    const struct timespec nap = {.tv_nsec = 100000};
    for (int i = 0; i < 20 && b->clock.last_deadline != INSTANT_NONE; i++) {
        instant_t rest = b->clock.last_deadline - b->clock.now;
        if (rest < 0 || rest >= PASS_MOST_MS)
            return;
        nanosleep(&nap, NULL);
        local_clock_look(b);
    }
}

static void serve_group(struct bus_local *b, struct append_item *list)
{
    if (list->record.topic == TOPIC_SUBMISSIONS)
        pass_deadline(b);
    struct err why = {0};
    enum store_status st = group_commit(b, list, &why);
    local_disk_note(b, st, &why);
    if (st != STORE_OK)
        append_none(list, why.text);
    append_items_answer(list);
}

void local_serve_appends(struct bus_local *b)
{
    struct append_item *list;
    for (int i = 0; i < GROUPS_MOST && !b->doubt && (list = append_queue_take(&b->queue, GROUP_ITEMS, GROUP_BYTES)); i++)
        serve_group(b, list);
}

void local_refuse_appends(struct bus_local *b, const char *why)
{
    struct append_item *list;
    while ((list = append_queue_take(&b->queue, GROUP_ITEMS, GROUP_BYTES))) {
        append_none(list, why);
        append_items_answer(list);
    }
}
