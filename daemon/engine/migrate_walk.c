/* The embedded log's folder, read for moving. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/local_log.h"
#include "engine/keys.h"
#include "engine/migrate.h"

/* ---- opening */

static bool read_positions(struct migrate_source *s, struct err *e)
{
    struct slice v;
    struct local_log log;
    instant_t last, last_deadline;

    s->clock_target = INSTANT_NONE;
    if (store_get(s->txn, TABLE_META, META_POSITIONS, &v) == STORE_OK && v.n == 16) {
        s->next[0] = get_be64s((const unsigned char *)v.p);
        s->next[1] = get_be64s((const unsigned char *)v.p + 8);
    }
    if (store_get(s->txn, TABLE_META, META_CLOCK, &v) == STORE_OK && v.n == 8)
        s->clock_target = get_be64s((const unsigned char *)v.p);
    if (!local_log_open(s->txn, &log, &last, &last_deadline, e))
        return false;
    memcpy(s->end, log.end, sizeof s->end);
    return true;
}

static void read_workflows(struct migrate_source *s, struct arena *a)
{
    struct store_iter *i = store_iter_new(s->txn, TABLE_DEFINITION);
    struct slice key, value;
    size_t cap = 0;

    for (bool more = store_iter_seek(i, S(""), &key, &value); more; more = store_iter_next(i, &key, &value))
        *(struct slice *)arena_push(a, &s->workflow, &s->nworkflows, &cap, sizeof *s->workflow) = arena_dup(a, key);
    store_iter_free(i);
    *(struct slice *)arena_push(a, &s->workflow, &s->nworkflows, &cap, sizeof *s->workflow) = S("");
}

static bool count(void *ctx, enum table_id table, struct slice workflow, struct slice key, struct slice value)
{
    (void)workflow;
    (void)key;
    (void)value;
    ((uint64_t *)ctx)[table]++;
    return true;
}

/* What no workflow has would be left behind in silence. */
static bool check_whole(const struct migrate_source *s, struct err *e)
{
    static const enum table_id moved[] = {TABLE_DEFINITION, TABLE_INSTANCE, TABLE_NUMBER, TABLE_SEEN, TABLE_PROPOSAL, TABLE_HISTORY};
    struct store_stats stats;
    uint64_t counted[TABLE_COUNT] = {0};
    struct migrate_source all = *s;

    all.partitions = 1;
    migrate_walk(&all, 0, count, counted);
    store_stats(s->store, &stats);
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
        if (counted[moved[i]] != stats.entries[moved[i]])
            return err_set(e, "table %d holds %llu entries, of which only %llu belong to a workflow", (int)moved[i],
                           (unsigned long long)stats.entries[moved[i]], (unsigned long long)counted[moved[i]]);
    return true;
}

bool migrate_open(struct migrate_source *s, const char *data, struct arena *a, struct err *e)
{
    struct slice path = arena_printf(a, "%s/partition-0", data), v;
    struct stat st;

    *s = (struct migrate_source){0};
    if (stat(path.p, &st) != 0 || !S_ISDIR(st.st_mode))
        return err_set(e, "%s: no such folder; the data folder of a node on the embedded log was expected", path.p);
    s->store = store_open(path.p, 0, e);
    s->txn = s->store != NULL ? store_begin(s->store, false, e) : NULL;
    if (s->txn == NULL)
        return false;
    if (store_get(s->txn, TABLE_META, S(BUS_META_ORIGIN), &v) == STORE_OK)
        return err_set(e, "%s holds a partition's state of Kafka's topics: there is nothing to move", path.p);
    if (!read_positions(s, e))
        return false;
    if (s->end[TOPIC_SUBMISSIONS] + s->end[TOPIC_DEADLINES] == 0)
        return err_set(e, "%s holds no embedded log, or an empty one: there is nothing to move", path.p);
    read_workflows(s, a);
    return check_whole(s, e);
}

void migrate_close(struct migrate_source *s)
{
    store_abort(s->txn);
    if (s->store != NULL)
        store_close(s->store);
    s->txn = NULL;
    s->store = NULL;
}

bool migrate_mark(struct migrate_source *s, const char *where, struct err *e)
{
    store_abort(s->txn);
    s->txn = NULL;
    struct store_txn *t = store_begin(s->store, true, e);
    if (t == NULL)
        return false;
    if (store_put(t, TABLE_META, S(BUS_META_MOVED), slice_of(where)) != STORE_OK) {
        err_set(e, "%s", store_txn_error(t));
        store_abort(t);
        return false;
    }
    return store_commit(t, e) == STORE_OK;
}

/* ---- walking */

int migrate_partition_of(const struct migrate_source *s, struct slice workflow)
{
    return s->partitions > 1 && workflow.n > 0 ? bus_partition_of(workflow, s->partitions) : 0;
}

typedef bool visit_entry(void *ctx, enum table_id table, struct slice workflow, struct slice key, struct slice value);

struct walk {
    const struct migrate_source *source;
    visit_entry *visit;
    void *ctx;
};

static bool walk_prefix(const struct walk *w, enum table_id table, struct slice workflow, const struct key *prefix)
{
    struct store_iter *i = store_iter_new(w->source->txn, table);
    struct slice key, value;
    bool go_on = true;

    for (bool more = store_iter_seek(i, key_slice(prefix), &key, &value);
         more && go_on && key_has_prefix(key, key_slice(prefix)); more = store_iter_next(i, &key, &value))
        go_on = w->visit(w->ctx, table, workflow, key, value);
    store_iter_free(i);
    return go_on;
}

/* Ids lie by month, and there by workflow. */
static bool walk_seen(const struct walk *w, struct slice workflow)
{
    struct store_iter *i = store_iter_new(w->source->txn, TABLE_SEEN);
    struct slice key, value, any;
    struct key from, prefix;
    int32_t month;
    bool go_on = true;

    key_start(&from);
    while (go_on && store_iter_seek(i, key_slice(&from), &key, &value) && key_seen_parse(key, &month, &any)) {
        key_start(&prefix);
        key_u32(&prefix, (uint32_t)month);
        key_name(&prefix, workflow);
        go_on = walk_prefix(w, TABLE_SEEN, workflow, &prefix);
        key_start(&from);
        key_u32(&from, (uint32_t)month + 1);
    }
    store_iter_free(i);
    return go_on;
}

static bool walk_definition(const struct walk *w, struct slice workflow)
{
    struct slice value;

    return store_get(w->source->txn, TABLE_DEFINITION, workflow, &value) != STORE_OK ||
           w->visit(w->ctx, TABLE_DEFINITION, workflow, workflow, value);
}

bool migrate_walk(const struct migrate_source *s, int partition, visit_entry *visit, void *ctx)
{
    static const enum table_id state[] = {TABLE_NUMBER, TABLE_INSTANCE, TABLE_PROPOSAL};
    const struct walk w = {s, visit, ctx};
    bool go_on = true;

    for (size_t i = 0; go_on && i < s->nworkflows; i++) {
        struct slice workflow = s->workflow[i];
        struct key prefix;

        if (migrate_partition_of(s, workflow) != partition)
            continue;
        key_workflow(&prefix, workflow);
        if (workflow.n > 0)
            go_on = walk_prefix(&w, TABLE_HISTORY, workflow, &prefix) && walk_definition(&w, workflow);
        for (size_t t = 0; go_on && workflow.n > 0 && t < sizeof state / sizeof *state; t++)
            go_on = walk_prefix(&w, state[t], workflow, &prefix);
        go_on = go_on && walk_seen(&w, workflow);
    }
    return go_on;
}

/* ---- inputs */

static bool is_clock(const struct record *r)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("ce_type")))
            return slice_eq(r->header[i].value, S("duban.v1.DeadlineReached"));
    return false;
}

bool migrate_pending(const struct migrate_source *s, int partition, bool (*visit)(void *ctx, const struct record *r), void *ctx,
                     struct err *e)
{
    struct arena *a = arena_new();
    bool ok = true;

    for (int topic = TOPIC_SUBMISSIONS; ok && topic <= TOPIC_DEADLINES; topic++) {
        struct local_log_reader reader;
        struct record r;

        local_log_reader_start(&reader, s->txn, (enum topic)topic, s->next[topic]);
        for (; ok && reader.has; local_log_reader_next(&reader)) {
            arena_reset(a);
            ok = local_log_reader_get(&reader, a, &r, e);
            r.partition = partition;
            if (ok && !is_clock(&r) && migrate_partition_of(s, r.key) == partition)
                ok = visit(ctx, &r);
        }
        local_log_reader_stop(&reader);
    }
    arena_free(a);
    return ok;
}
