/* What must have come of a history: the pure engine is given the two logs of each partition in the one order,
 * and everything that anybody can see must be as it says. */
#include "sim.h"

#include "bus/merge.h"
#include "engine/engine.h"
#include "engine/keys.h"
#include "engine/node.h"

#include <string.h>

#define QUIET (35 * SEC) /* longer than any pause between two attempts */

/* ---- rest */

static int64_t wanted(const struct log *l)
{
    int64_t next = 0;
    for (size_t i = 0; i < l->n; i++)
        if (entry_is_input(l->entry[i]))
            next = l->entry[i]->offset + 1;
    return next;
}

static bool taken(int p, int v)
{
    int64_t offset = -1;
    const char *metadata;
    bool unstable = false;
    coord_committed(topic_names[v], p, &offset, &metadata, &unstable);
    return !unstable && (offset >= wanted(&logs[v][p]) || wanted(&logs[v][p]) == 0);
}

static uint64_t everything(void)
{
    uint64_t sum = 0;
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int p = 0; p < plan.partitions; p++)
            sum += logs[t][p].n;
    return sum;
}

/* What hindered a node is over, and it says so; whoever follows has all that the others serve. */
static bool all_work(void)
{
    bool work = true;
    for (int i = 0; work && i < plan.nodes; i++) {
        const struct host *h = host_of(i);
        struct node_status s;
        if (!h)
            continue;
        if (!h->node || h->stop) /* it starts, or ends */
            return false;
        node_status(h->node, &s);
        work = s.ready && !s.trouble[0] && (!plan.standby || s.held + s.followed == (size_t)plan.partitions);
    }
    return work;
}

bool oracle_rest(void)
{
    static uint64_t before;
    static int64_t since;
    bool rests = portal_done() && broker_up && coord_idle() && everything() == before;
    for (int p = 0; rests && p < plan.partitions; p++)
        rests = taken(p, TOPIC_SUBMISSIONS) && taken(p, TOPIC_DEADLINES);
    rests = rests && all_work();
    if (!rests)
        since = now;
    before = everything();
    return now - since > QUIET;
}

void oracle_stuck(void)
{
    for (int i = 0; i < plan.nodes; i++) {
        struct node_status s;
        if (!host_of(i) || !host_of(i)->node)
            continue;
        node_status(host_of(i)->node, &s);
        trace("node %d: %s, %s", i, s.ready ? "ready" : "not ready", s.trouble);
    }
    for (int p = 0; p < plan.partitions; p++)
        for (int v = 0; v < MERGE_LANES; v++) {
            int64_t offset = -1;
            const char *metadata = "";
            bool unstable = false;
            coord_committed(topic_names[v], p, &offset, &metadata, &unstable);
            trace("%s-%d: committed %lld, data to %lld, log to %zu, stable to %lld%s", topic_names[v], p,
                  (long long)offset, (long long)wanted(&logs[v][p]), logs[v][p].n, (long long)log_stable(&logs[v][p]),
                  unstable ? ", unstable" : "");
        }
    fail("it does not come to rest");
}

/* ---- the reference */

struct reference {
    struct store *store;
    struct engine *engine;
    struct entry **output[TOPIC_COUNT];
    size_t n[TOPIC_COUNT];
    struct arena *arena;
};

static void collect(void *ctx, const struct record *r)
{
    struct reference *f = ctx;
    struct entry *e = mem_alloc(sizeof *e);
    f->output[r->topic] = mem_grow(f->output[r->topic], (f->n[r->topic] + 1) * sizeof *f->output[r->topic]);
    e->key = arena_dup(f->arena, r->key);
    e->value = arena_dup(f->arena, r->value);
    e->header = ARENA_ARRAY(f->arena, struct header, r->nheaders);
    e->nheaders = r->nheaders;
    for (size_t i = 0; i < r->nheaders; i++)
        e->header[i] =
            (struct header){arena_dup(f->arena, r->header[i].name), arena_dup(f->arena, r->header[i].value)};
    f->output[r->topic][f->n[r->topic]++] = e;
}

static const struct entry *next_data(const struct log *l, size_t *at)
{
    while (*at < l->n && !entry_is_input(l->entry[*at]))
        ++*at;
    return *at < l->n ? l->entry[*at] : NULL;
}

static void apply(struct reference *f, const struct entry *e, enum topic topic, int p, int64_t next[2])
{
    struct record r = {.topic = topic,
                       .partition = p,
                       .offset = e->offset,
                       .appended = e->ts_ms,
                       .key = e->key,
                       .value = e->value,
                       .header = e->header,
                       .nheaders = e->nheaders};
    struct outcome out;
    struct err why = {{0}};
    struct arena *a = arena_new();
    struct store_txn *t = store_begin(f->store, true, &why);
    size_t fired = 1000;
    enum turn_status st = engine_apply(f->engine, t, &r, a, &out, &why);
    while (st == TURN_DONE && fired == 1000)
        st = engine_drain(f->engine, t, 1000, &fired, &why);
    next[topic] = e->offset + 1;
    if (st == TURN_DONE)
        st = engine_set_positions(f->engine, t, next, &why);
    if (st != TURN_DONE || store_commit(t, &why) != STORE_OK)
        fail("the reference fails: %s", why.text);
    arena_free(a);
}

static void refer(struct reference *f, int p)
{
    struct err why = {{0}};
    size_t at[2] = {0};
    int64_t next[2] = {0};
    const struct entry *head[2];
    f->arena = arena_new();
    f->store = store_open_memory();
    f->engine = engine_open(f->store,
                            &(struct engine_options){.sink = {.ctx = f, .output = collect}, .partitions = plan.partitions},
                            &why);
    while (head[0] = next_data(&logs[0][p], &at[0]), head[1] = next_data(&logs[1][p], &at[1]), head[0] || head[1]) {
        int v = !head[1] || (head[0] && merge_submission_first(head[0]->ts_ms, head[1]->ts_ms)) ? 0 : 1;
        apply(f, head[v], (enum topic)v, p, next);
        at[v]++;
    }
}

/* ---- comparing what was put out */

static const char *id_of(const struct entry *e)
{
    for (size_t i = 0; e && i < e->nheaders; i++)
        if (slice_eq(e->header[i].name, S("ce_id")))
            return e->header[i].value.p;
    return e ? "without id" : "nothing";
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
    bool same = slice_eq(a->key, b->key) && slice_eq(a->value, b->value) && a->nheaders == b->nheaders;
    for (size_t i = 0; same && i < a->nheaders; i++)
        same = slice_eq(a->header[i].name, b->header[i].name) && slice_eq(a->header[i].value, b->header[i].value);
    return same;
}

static void explain(const struct log *l, const char *what, const struct entry *e)
{
    struct arena *a = arena_new();
    struct slice json = {0};
    if (e && l->topic == TOPIC_HISTORY)
        json = wire_history_json(e->value, a);
    else if (e)
        json = wire_record_json(&(struct record){.topic = l->topic,
                                                 .partition = l->partition,
                                                 .offset = e->offset,
                                                 .appended = e->ts_ms,
                                                 .key = e->key,
                                                 .value = e->value,
                                                 .header = e->header,
                                                 .nheaders = e->nheaders},
                                a);
    for (; json.n > 0; json.p += json.n < 300 ? json.n : 300, json.n -= json.n < 300 ? json.n : 300)
        trace("%s %.*s", what, (int)(json.n < 300 ? json.n : 300), json.p);
    arena_free(a);
}

/* Of one workflow: between workflows there is no order. */
static void check_key(const struct log *l, const struct reference *f, struct slice key)
{
    size_t i = 0, j = 0, place = 0;
    for (;; i++, j++, place++) {
        while (i < l->n && !(entry_is_data(l->entry[i]) && slice_eq(l->entry[i]->key, key)))
            i++;
        while (j < f->n[l->topic] && !slice_eq(f->output[l->topic][j]->key, key))
            j++;
        const struct entry *have = i < l->n ? l->entry[i] : NULL;
        const struct entry *want = j < f->n[l->topic] ? f->output[l->topic][j] : NULL;
        if (!have && !want)
            return;
        if (have && want && same_entry(have, want))
            continue;
        explain(l, "have", have);
        explain(l, "want", want);
        fail("%s-%d, %.*s, record %zu: %s at offset %lld, wanted was %s", l->name, l->partition, SLICE_ARG(key), place,
                 id_of(have), have ? (long long)have->offset : -1, id_of(want));
    }
}

static void check_outputs(const struct log *l, const struct reference *f)
{
    for (size_t i = 0; i < l->n; i++)
        if (entry_is_data(l->entry[i]))
            check_key(l, f, l->entry[i]->key);
    for (size_t i = 0; i < f->n[l->topic]; i++)
        check_key(l, f, f->output[l->topic][i]->key);
    count(COUNT_OUTPUT, f->n[l->topic]);
}

/* History, record by record: each has its chunk's key and offset. */
static void take_apart(const struct log *l, struct log *out)
{
    *out = (struct log){.topic = l->topic, .partition = l->partition};
    snprintf(out->name, sizeof out->name, "%s", l->name);
    for (size_t i = 0; i < l->n; i++) {
        struct slice rest = l->entry[i]->value, record;
        if (!entry_is_data(l->entry[i]))
            continue;
        if (rest.n == 0)
            fail("%s-%d offset %zu: a chunk of nothing", l->name, l->partition, i);
        while (wire_chunk_next(&rest, &record)) {
            struct entry *e = mem_alloc(sizeof *e);
            *e = *l->entry[i];
            e->value = record;
            out->entry = mem_grow(out->entry, (out->n + 1) * sizeof *out->entry);
            out->entry[out->n++] = e;
        }
    }
}

static void check_chain(const struct log *l)
{
    struct history_head head[16] = {{0}};
    struct slice key[16];
    size_t n = 0;
    struct err why = {{0}};
    for (size_t i = 0; i < l->n; i++) {
        const struct entry *e = l->entry[i];
        size_t k = 0;
        if (!entry_is_data(e))
            continue;
        while (k < n && !slice_eq(key[k], e->key))
            k++;
        if (k == n)
            key[n++] = e->key;
        struct slice workflow;
        uint64_t sequence;
        if (!wire_history_place(e->value, &workflow, &sequence) || !slice_eq(workflow, e->key))
            fail("%s-%d offset %lld: no history record of %.*s", l->name, l->partition, (long long)e->offset, SLICE_ARG(e->key));
        if (n == 16 || !wire_history_verify(e->value, &head[k], &why))
            fail("%s-%d offset %lld: %s", l->name, l->partition, (long long)e->offset, why.text);
    }
}

/* ---- comparing states */

static void say_difference(const char *what, int p, int table, struct slice key)
{
    struct buf b = {0};
    for (size_t i = 0; i < key.n; i++)
        buf_printf(&b, (unsigned char)key.p[i] < 0x20 ? "\\%02x" : "%c", (unsigned char)key.p[i]);
    fail("%s of partition %d: table %d differs at %.*s", what, p, table, (int)b.n, b.p ? b.p : "");
}

static void check_table(const char *what, int p, struct store_txn *a, struct store_txn *b, int table)
{
    struct store_iter *x = store_iter_new(a, (enum table_id)table), *y = store_iter_new(b, (enum table_id)table);
    struct slice kx, vx, ky, vy, from = {0};
    bool mx = store_iter_seek(x, from, &kx, &vx), my = store_iter_seek(y, from, &ky, &vy);
    for (; mx && my; mx = store_iter_next(x, &kx, &vx), my = store_iter_next(y, &ky, &vy))
        if (!slice_eq(kx, ky) || !slice_eq(vx, vy))
            say_difference(what, p, table, kx);
    if (mx || my)
        say_difference(what, p, table, mx ? kx : ky);
    store_iter_free(x);
    store_iter_free(y);
}

static void check_tables(const char *what, int p, struct store *a, struct store *b, int last)
{
    struct err e;
    struct store_txn *x = store_begin(a, false, &e), *y = store_begin(b, false, &e);
    for (int t = 0; t <= last; t++)
        /* The reference has no changelog, and other batches; where a timer once stood differs, when it fires does not. */
        if (t != TABLE_META && t != TABLE_SEEN_CHUNK && t != TABLE_TIMER)
            check_table(what, p, x, y, t);
    store_abort(x);
    store_abort(y);
}

static void check_chunks(const char *what, int p, struct store *a, struct store *b)
{
    struct err e;
    struct store_txn *x = store_begin(a, false, &e), *y = store_begin(b, false, &e);
    check_table(what, p, x, y, TABLE_SEEN_CHUNK);
    store_abort(x);
    store_abort(y);
}

static void fold_chunk(struct store_txn *t, const struct entry *r, struct slice key)
{
    struct arena *a = arena_new();
    struct err e = {{0}};
    struct seen_entry *entry;
    size_t n = 0;
    if (!r->value.p || !wire_seen_unpack(r->value, a, &entry, &n, &e))
        fail("offset %lld of the changelog: %s", (long long)r->offset, r->value.p ? e.text : "a month has expired");
    for (size_t i = 0; i < n; i++) {
        struct buf k = {0};
        buf_add(&k, (struct slice){key.p, 4});
        buf_add(&k, entry[i].key);
        store_put(t, TABLE_SEEN, buf_slice(&k), entry[i].value);
        buf_free(&k);
    }
    store_put(t, TABLE_SEEN_CHUNK, key, S(""));
    arena_free(a);
}

/* What the changelog holds, and the last marker. */
static struct store *fold(const struct log *l, struct marker *last)
{
    struct store *s = store_open_memory();
    struct err e;
    struct arena *a = arena_new();
    struct store_txn *t = store_begin(s, true, &e);
    *last = (struct marker){.batch = 0};
    for (size_t i = 0; i < l->n; i++) {
        const struct entry *r = l->entry[i];
        if (!entry_is_data(r))
            continue;
        struct slice key = {r->key.p + 1, r->key.n - 1};
        enum table_id table = (enum table_id)(unsigned char)r->key.p[0];
        uint64_t before = last->batch;
        if (table == TABLE_SEEN_CHUNK)
            fold_chunk(t, r, key);
        else if (table <= TABLE_LAST_STATE && r->value.p)
            store_put(t, table, key, r->value);
        else if (table <= TABLE_LAST_STATE)
            store_delete(t, table, key);
        else if (!wire_marker_unpack(r->value, a, last, &e) || last->batch <= before)
            fail("%s-%d offset %lld: batch %llu after batch %llu", l->name, l->partition, (long long)r->offset,
                 (unsigned long long)last->batch, (unsigned long long)before);
    }
    store_commit(t, &e);
    return s;
}

static uint64_t stored_batch(struct store *s)
{
    struct err e;
    struct slice value;
    struct store_txn *t = store_begin(s, false, &e);
    uint64_t batch = store_get(t, TABLE_META, META_BATCH, &value) == STORE_OK ? get_be64((const unsigned char *)value.p) : 0;
    store_abort(t);
    return batch;
}

static void check_positions(int p, const struct marker *m)
{
    for (int v = 0; v < MERGE_LANES; v++) {
        int64_t offset = -1;
        const char *metadata = "";
        bool unstable = false;
        bool any = coord_committed(topic_names[v], p, &offset, &metadata, &unstable);
        if (!any && !m->batch)
            continue;
        if (offset != m->input_next[v] || offset > (int64_t)logs[v][p].n || strtoull(metadata, NULL, 10) != m->batch)
            fail("%s-%d: committed at %lld for batch %s, the last marker says %lld, batch %llu", topic_names[v], p,
                 (long long)offset, metadata, (long long)m->input_next[v], (unsigned long long)m->batch);
    }
}

static void check_partition(int p)
{
    struct reference f = {0};
    struct marker last;
    struct err e = {{0}};
    bool held = false;
    refer(&f, p);
    for (int t = TOPIC_WARNINGS; t < TOPIC_CHANGELOG; t++)
        check_outputs(&logs[t][p], &f);
    struct log history;
    take_apart(&logs[TOPIC_HISTORY][p], &history);
    check_outputs(&history, &f);
    check_chain(&history);
    struct store *folded = fold(&logs[TOPIC_CHANGELOG][p], &last);
    check_tables("the changelog", p, folded, f.store, TABLE_SEEN);
    check_positions(p, &last);
    count(COUNT_BATCH, last.batch);
    for (int n = 0; n < plan.nodes; n++)
        if (disk_store(n, p) && stored_batch(disk_store(n, p)) == last.batch) {
            char what[32];
            snprintf(what, sizeof what, "node %d's store", n);
            bool holds = host_of(n) && host_of(n)->node && node_place(host_of(n)->node, p) == NODE_HERE;
            /* Whoever lost it while restoring lacks history, and what is derived when all is in. */
            check_tables(what, p, disk_store(n, p), f.store, holds ? TABLE_META - 1 : TABLE_SEEN);
            check_chunks(what, p, disk_store(n, p), folded);
            held |= holds;
        }
    if (!held && portal_workflow(p).n)
        fail("no node has partition %d at batch %llu", p, (unsigned long long)last.batch);
    struct store_txn *t = store_begin(f.store, false, &e);
    instant_t due = engine_next_due(f.engine, t);
    store_abort(t);
    if (due < wall_ms(NULL))
        fail("partition %d: a timer due at %lld was never fired", p, (long long)due);
}

void oracle_check(void)
{
    for (int p = 0; p < plan.partitions; p++)
        check_partition(p);
}
