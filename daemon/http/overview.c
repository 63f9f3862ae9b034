/* GET /v1/overview: what the page shows, as one JSON object, made from the snapshots of the partitions held
 * here: what is due next, who is carded, what was issued last. Kept until something is committed, and not
 * made more often than a tenth of the time allows. */
#include "http/state.h"

#include <stdlib.h>
#include <time.h>

#include "engine/keys.h"
#include "engine/query.h"
#include "engine/row.h"
#include "http/titles.h"

#define SHOWN_MAX 30      /* tasks to come, tasks overdue, measures */
#define CASES_MAX 200     /* shown */
#define SCANNED_MAX 20000 /* tasks or cases looked at in one partition */
#define BITE_ROWS 500
#define HELD_MAX 64
#define RANK (INT64_C(1) << 50) /* more than any instant */
#define REST 10                 /* making it takes at most one part in this of the time */

struct overview {
    struct buf json;
    uint64_t commits;   /* server_commits when it was made */
    int64_t made, cost; /* monotonic ms */
};

void overview_free(struct overview *o)
{
    if (o != NULL)
        buf_free(&o->json);
    free(o);
}

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static instant_t wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- rows kept: the best few by an instant of theirs */

struct kept {
    struct arena *arena; /* of the texts */
    size_t max, n, seen;
    bool latest; /* keep those with the greatest instants; else the least */
    struct {
        instant_t at;
        struct slice row;
    } item[CASES_MAX];
};

static bool goes_before(const struct kept *k, instant_t a, instant_t b)
{
    return k->latest ? a > b : a < b;
}

static void keep(struct kept *k, instant_t at, struct slice row)
{
    size_t i = k->n;

    k->seen++;
    if (k->n == k->max && !goes_before(k, at, k->item[k->n - 1].at))
        return;
    if (k->n < k->max)
        k->n++;
    else
        i--;
    for (; i > 0 && goes_before(k, at, k->item[i - 1].at); i--)
        k->item[i] = k->item[i - 1];
    k->item[i].at = at;
    k->item[i].row = arena_dup(k->arena, row);
}

static instant_t instant_of(struct slice row, const char *member, struct arena *a, instant_t otherwise)
{
    struct slice text;
    instant_t at;

    return row_text_member(row, member, a, &text) && instant_parse(text, &at) ? at : otherwise;
}

/* ---- what is looked at */

struct view {
    struct exchange *x;
    instant_t now;
    struct kept due, overdue, cases, measures;
    size_t open_tasks;
    bool cut; /* there was more than is looked at */
    int64_t age; /* ms: how old the oldest of what was read may be */
};

static void see_task(struct view *v, struct slice row, struct arena *a)
{
    instant_t due = instant_of(row, "due", a, INSTANT_MAX);

    v->open_tasks++;
    if (due == INSTANT_MAX)
        return;
    keep(due > v->now ? &v->due : &v->overdue, due, row);
}

/* Red before yellow before the rest, the newest of each first. A case in a state without a measure is
 * nobody's business. */
static void see_case(struct view *v, struct slice row, struct arena *a)
{
    struct slice level;

    if (!row_text_member(row, "level", a, &level) || level.n == 0)
        return;
    int64_t rank = slice_eq(level, S("RED")) ? 2 : slice_eq(level, S("YELLOW")) ? 1 : 0;
    keep(&v->cases, instant_of(row, "since", a, 0) + rank * RANK, row);
}

static void see_measure(struct view *v, struct slice row, struct arena *a)
{
    keep(&v->measures, instant_of(row, "time", a, 0), row);
}

typedef bool query_call(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                        struct err *e);

static bool scan(struct view *v, struct store_txn *t, query_call *call, const struct query *wanted,
                 size_t most, void (*see)(struct view *, struct slice, struct arena *))
{
    struct titles titles = {.txn = t, .arena = v->x->arena};
    struct query q = *wanted;
    size_t rows = 0;
    struct err why;
    bool ok = true, more = true;

    while (ok && more && rows < most) {
        struct arena *a = arena_new();
        struct query_result page;

        q.limit = most - rows < BITE_ROWS ? most - rows : BITE_ROWS;
        ok = call(t, &q, a, &page, &why);
        for (size_t i = 0; ok && i < page.n; i++)
            see(v, titles_add(&titles, page.row[i], a), a);
        more = ok && page.next.n > 0;
        rows += ok ? page.n : 0;
        q.after = more ? arena_dup(v->x->arena, page.next) : S("");
        arena_free(a);
    }
    titles_end(&titles);
    v->cut = v->cut || (more && most == SCANNED_MAX);
    return ok;
}

static const struct query open_ones = {.open_only = true};
static const struct query all_of_them = {.open_only = false};

static void see_partition(struct view *v, int partition)
{
    struct err why;
    struct store_txn *t = node_read(exchange_node(v->x), partition, &why);

    if (node_age(exchange_node(v->x), partition) > v->age)
        v->age = node_age(exchange_node(v->x), partition);
    if (t == NULL)
        return; /* gone since it was listed: the next commit makes another view */
    scan(v, t, query_tasks, &open_ones, SCANNED_MAX, see_task);
    scan(v, t, query_cases, &open_ones, SCANNED_MAX, see_case);
    scan(v, t, query_measures, &all_of_them, SHOWN_MAX, see_measure);
    store_abort(t);
}

/* ---- writing */

static void add_kept(struct buf *b, const char *name, const struct kept *k)
{
    row_open(b, name, '[');
    for (size_t i = 0; i < k->n; i++)
        row_raw(b, NULL, k->item[i].row);
    row_close(b, ']');
}

static void add_workflows(struct buf *b, struct exchange *x, const int *partition, size_t n)
{
    struct err why;

    row_open(b, "workflows", '[');
    for (size_t i = 0; i < n; i++) {
        struct store_txn *t = node_read(exchange_node(x), partition[i], &why);
        struct titles titles = {.txn = t, .arena = x->arena};
        struct slice key, value;

        if (t == NULL)
            continue;
        struct store_iter *it = store_iter_new(t, TABLE_DEFINITION);
        for (bool more = store_iter_seek(it, S(""), &key, &value); more;
             more = store_iter_next(it, &key, &value)) {
            const struct program *p = titles_program(&titles, key);

            if (p == NULL)
                continue;
            row_open(b, NULL, '{');
            row_text(b, "id", p->id);
            row_text(b, "title", p->title);
            row_text(b, "timezone", p->timezone);
            row_close(b, '}');
        }
        store_iter_free(it);
        titles_end(&titles);
        store_abort(t);
    }
    row_close(b, ']');
}

static void add_counts(struct buf *b, const struct view *v, const struct node_status *s)
{
    row_open(b, "counts", '{');
    row_number(b, "applied", (int64_t)(s->counters.applied + s->counters.no_effect));
    row_number(b, "rejected", (int64_t)s->counters.rejected);
    row_number(b, "outputs", (int64_t)s->counters.outputs);
    if (s->lag_records >= 0)
        row_number(b, "lag", s->lag_records);
    else
        row_raw(b, "lag", S("null"));
    row_number(b, "open_tasks", (int64_t)v->open_tasks);
    row_number(b, "overdue_tasks", (int64_t)v->overdue.seen);
    row_number(b, "cases", (int64_t)v->cases.seen);
    row_yesno(b, "cut", v->cut);
    row_close(b, '}');
}

/* With `time: events` it is as late as the clock or any workflow's records say. */
static instant_t events_clock(struct store_txn *t, instant_t now)
{
    struct store_iter *i = store_iter_new(t, TABLE_DEFINITION);
    struct slice workflow, value;

    for (bool more = store_iter_seek(i, S(""), &workflow, &value); more;
         more = store_iter_next(i, &workflow, &value)) {
        struct key k;

        key_flow(&k, workflow);
        if (store_get(t, TABLE_NUMBER, key_slice(&k), &value) == STORE_OK && value.n >= 8 &&
            get_be64s((const unsigned char *)value.p) > now)
            now = get_be64s((const unsigned char *)value.p);
    }
    store_iter_free(i);
    return now;
}

static instant_t now_of(const struct exchange *x, const struct node_status *s, const int *partition,
                        size_t n)
{
    instant_t now = s->clock_target;
    struct err why;

    if (!server_events_time(x->server))
        return wall_clock();
    for (size_t i = 0; i < n; i++) {
        struct store_txn *t = node_read(exchange_node(x), partition[i], &why);

        if (t != NULL)
            now = events_clock(t, now);
        store_abort(t);
    }
    return now;
}

static void make(struct overview *o, struct exchange *x)
{
    struct node_status status;
    struct view *v = ARENA_NEW(x->arena, struct view);
    int partition[HELD_MAX];
    size_t n = node_partitions(exchange_node(x), partition, HELD_MAX);

    node_status(exchange_node(x), &status);
    n = n < HELD_MAX ? n : HELD_MAX;
    v->x = x;
    v->now = now_of(x, &status, partition, n);
    v->due = (struct kept){.arena = x->arena, .max = SHOWN_MAX};
    v->overdue = (struct kept){.arena = x->arena, .max = SHOWN_MAX, .latest = true};
    v->cases = (struct kept){.arena = x->arena, .max = CASES_MAX, .latest = true};
    v->measures = (struct kept){.arena = x->arena, .max = SHOWN_MAX, .latest = true};
    for (size_t i = 0; i < n; i++)
        see_partition(v, partition[i]);

    buf_clear(&o->json);
    row_open(&o->json, NULL, '{');
    row_instant(&o->json, "now", v->now);
    row_yesno(&o->json, "events_time", server_events_time(x->server));
    row_yesno(&o->json, "ready", status.ready && server_is_published(x->server));
    row_text(&o->json, "trouble", slice_of(status.trouble));
    add_workflows(&o->json, x, partition, n);
    add_counts(&o->json, v, &status);
    row_open(&o->json, "partitions", '{');
    row_number(&o->json, "readable", (int64_t)n);
    row_number(&o->json, "all", node_partition_count(exchange_node(x)));
    row_number(&o->json, "age_ms", v->age);
    row_close(&o->json, '}');
    add_kept(&o->json, "due", &v->due);
    add_kept(&o->json, "overdue", &v->overdue);
    add_kept(&o->json, "cases", &v->cases);
    add_kept(&o->json, "measures", &v->measures);
    row_close(&o->json, '}');
}

static bool is_fresh(const struct overview *o, const struct server *s, int64_t now)
{
    if (o->json.n == 0)
        return false;
    if (now - o->made < o->cost * REST)
        return true;
    return o->commits == server_commits(s) && now - o->made < 1000; /* the clock goes on without commits */
}

static struct slice overview_json(struct exchange *x)
{
    struct overview **at = server_overview(x->server);
    int64_t begun = monotonic_ms();

    if (*at == NULL)
        *at = mem_alloc(sizeof **at);
    struct overview *o = *at;
    if (!is_fresh(o, x->server, begun)) {
        o->commits = server_commits(x->server);
        make(o, x);
        o->made = monotonic_ms();
        o->cost = o->made - begun;
    }
    return buf_slice(&o->json);
}

void handle_overview(struct exchange *x)
{
    if (!exchange_ask(x, NULL, 0))
        return;
    struct slice json = overview_json(x);
    const struct overview *o = *server_overview(x->server);
    if (o->commits != server_commits(x->server)) /* when to ask again for what it lacks */
        reply_header(x, "Retry-After", "1");
    reply_json(x, 200, json);
}
