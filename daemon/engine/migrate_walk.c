/* What is moved, partition by partition as it will lie. */
#include "bus/local_log.h"
#include "engine/flow.h"
#include "engine/migrate.h"

/* ---- walking */

int migrate_partition_of(const struct migrate_source *s, const struct migrate_workflow *w)
{
    if (w->id.n == 0)
        return w->in->id % s->partitions;
    return s->partitions > 1 ? bus_partition_of(w->id, s->partitions) : 0;
}

typedef bool visit_entry(void *ctx, enum table_id table, struct slice workflow, struct slice key,
                         struct slice value);

struct walk {
    const struct migrate_source *source;
    const struct migrate_workflow *workflow;
    visit_entry *visit;
    void *ctx;
    struct chunk *ids; /* several workflows may share one */
};

static bool visit_ids(const struct walk *w)
{
    struct key k;

    if (w->ids->n == 0)
        return true;
    chunk_key(w->ids, MIGRATE_BATCH, &k);
    bool go_on = w->visit(w->ctx, TABLE_SEEN_CHUNK, S(""), key_slice(&k), buf_slice(&w->ids->packed));
    chunk_next(w->ids);
    return go_on;
}

static bool gather_id(const struct walk *w, struct slice key, struct slice value)
{
    if (!chunk_has_room(w->ids, key, value) && !visit_ids(w))
        return false;
    chunk_take(w->ids, key, value);
    return true;
}

/* The workflow's own time keeps what its partition's will not. */
static bool visit_entry_of(const struct walk *w, enum table_id table, struct slice key, struct slice value)
{
    instant_t reached = w->workflow->in->clock_target;
    unsigned char byte[FLOW_BYTES];
    struct key own;

    if (table == TABLE_SEEN)
        return gather_id(w, key, value);
    key_flow(&own, w->workflow->id);
    if (table == TABLE_NUMBER && reached > w->source->clock_target && slice_eq(key, key_slice(&own)))
        value = flow_numbers_at(value, reached, byte);
    return w->visit(w->ctx, table, w->workflow->id, key, value);
}

static bool walk_prefix(const struct walk *w, enum table_id table, const struct key *prefix)
{
    struct store_iter *i = store_iter_new(w->workflow->in->txn, table);
    struct slice key, value;
    bool go_on = true;

    for (bool more = store_iter_seek(i, key_slice(prefix), &key, &value);
         more && go_on && key_has_prefix(key, key_slice(prefix)); more = store_iter_next(i, &key, &value))
        go_on = visit_entry_of(w, table, key, value);
    store_iter_free(i);
    return go_on;
}

/* Ids lie by month, and there by workflow. */
static bool walk_seen(const struct walk *w)
{
    struct store_iter *i = store_iter_new(w->workflow->in->txn, TABLE_SEEN);
    struct slice key, value, any;
    struct key from, prefix;
    int32_t month;
    bool go_on = true;

    key_start(&from);
    while (go_on && store_iter_seek(i, key_slice(&from), &key, &value) && key_seen_parse(key, &month, &any)) {
        key_start(&prefix);
        key_u32(&prefix, (uint32_t)month);
        key_name(&prefix, w->workflow->id);
        go_on = walk_prefix(w, TABLE_SEEN, &prefix);
        key_start(&from);
        key_u32(&from, (uint32_t)month + 1);
    }
    store_iter_free(i);
    return go_on;
}

static bool walk_definition(const struct walk *w)
{
    struct slice workflow = w->workflow->id, value;

    return store_get(w->workflow->in->txn, TABLE_DEFINITION, workflow, &value) != STORE_OK ||
           w->visit(w->ctx, TABLE_DEFINITION, workflow, workflow, value);
}

static bool walk_workflow(const struct walk *w)
{
    static const enum table_id state[] = {TABLE_NUMBER, TABLE_INSTANCE, TABLE_PROPOSAL};
    struct key prefix;
    bool go_on = true;

    key_workflow(&prefix, w->workflow->id);
    if (w->workflow->id.n > 0)
        go_on = walk_prefix(w, TABLE_HISTORY, &prefix) && walk_definition(w);
    for (size_t t = 0; go_on && w->workflow->id.n > 0 && t < sizeof state / sizeof *state; t++)
        go_on = walk_prefix(w, state[t], &prefix);
    return go_on && walk_seen(w);
}

bool migrate_walk(const struct migrate_source *s, int partition, visit_entry *visit, void *ctx)
{
    struct chunk ids = {0};
    struct walk w = {.source = s, .visit = visit, .ctx = ctx, .ids = &ids};
    bool go_on = true;

    for (size_t i = 0; go_on && i < s->nworkflows; i++) {
        w.workflow = &s->workflow[i];
        if (migrate_partition_of(s, w.workflow) == partition)
            go_on = walk_workflow(&w);
    }
    go_on = go_on && visit_ids(&w);
    buf_free(&ids.packed);
    return go_on;
}

/* ---- inputs */

bool migrate_is_clock(const struct record *r)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("ce_type")))
            return slice_eq(r->header[i].value, S("duban.v1.DeadlineReached"));
    return false;
}

bool migrate_pending(const struct migrate_source *s, int partition,
                     bool (*visit)(void *ctx, const struct record *r), void *ctx, struct err *e)
{
    const struct migrate_store *m = s->part;
    struct arena *a = arena_new();
    bool ok = true;

    for (int topic = TOPIC_SUBMISSIONS; ok && topic <= TOPIC_DEADLINES; topic++) {
        struct local_log_reader reader;
        struct record r;

        local_log_reader_start(&reader, m->txn, (enum topic)topic, m->next[topic]);
        for (; ok && reader.has; local_log_reader_next(&reader)) {
            arena_reset(a);
            ok = local_log_reader_get(&reader, a, &r, e);
            r.partition = partition;
            if (ok && !migrate_is_clock(&r) &&
                migrate_partition_of(s, &(struct migrate_workflow){r.key, m}) == partition)
                ok = visit(ctx, &r);
        }
        local_log_reader_stop(&reader);
    }
    arena_free(a);
    return ok;
}

/* ---- all of it */

static bool count(void *ctx, enum table_id table, struct slice workflow, struct slice key, struct slice value)
{
    uint64_t *counted = ctx;
    struct arena *a = arena_new();
    struct seen_entry *ids;
    struct err why;
    size_t n = 1;

    (void)workflow;
    (void)key;
    if (table == TABLE_SEEN_CHUNK && !wire_seen_unpack(value, a, &ids, &n, &why))
        n = 0;
    counted[table == TABLE_SEEN_CHUNK ? TABLE_SEEN : table] += n;
    arena_free(a);
    return true;
}

bool migrate_check_whole(const struct migrate_source *s, struct err *e)
{
    static const enum table_id moved[] = {TABLE_DEFINITION, TABLE_INSTANCE, TABLE_NUMBER,
                                          TABLE_SEEN,       TABLE_PROPOSAL, TABLE_HISTORY};
    uint64_t counted[TABLE_COUNT] = {0}, held[TABLE_COUNT] = {0};
    struct migrate_source all = *s;

    all.partitions = 1;
    migrate_walk(&all, 0, count, counted);
    for (int p = 0; p < s->nparts; p++) {
        struct store_stats stats;

        if (store_txn_error(s->part[p].txn)[0] != 0)
            return err_set(e, "%s", store_txn_error(s->part[p].txn));
        store_stats(s->part[p].store, &stats);
        for (int t = 0; t < TABLE_COUNT; t++)
            held[t] += stats.entries[t];
    }
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
        if (counted[moved[i]] != held[moved[i]])
            return err_set(e, "table %d holds %llu entries, of which only %llu belong to a workflow",
                           (int)moved[i], (unsigned long long)held[moved[i]],
                           (unsigned long long)counted[moved[i]]);
    return true;
}
