/* GET /v1/tasks, /v1/cases, /v1/measures, /v1/history, /v1/workflows, /v1/workflows/ID/scores, /v1/units: rows as JSON lines, page by
 * page. */
#include <stdlib.h>

#include "engine/query.h"
#include "engine/row.h"
#include "http/state.h"
#include "http/titles.h"

#define BITE_ROWS ((size_t)50)

typedef bool query_call(struct store_txn *t, const struct query *q, struct arena *a, struct query_result *out,
                        struct err *e);

/* ---- which partitions, and where in them. A cursor is PARTITION-REST. */

struct cursor {
    int partition;
    struct slice rest;
};

static bool parse_cursor(struct slice text, struct cursor *out)
{
    const char *dash = text.n > 0 ? memchr(text.p, '-', text.n) : NULL;
    uint64_t n;

    *out = (struct cursor){-1, S("")};
    if (text.n == 0)
        return true;
    if (dash == NULL || !parse_u64((struct slice){text.p, (size_t)(dash - text.p)}, &n) || n > INT32_MAX)
        return false;
    *out = (struct cursor){(int)n, {dash + 1, text.n - (size_t)(dash - text.p) - 1}};
    return true;
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Those held here, or the workflow's own, in order. 0: the exchange is answered, or will be. */
static size_t partitions_of(struct exchange *x, struct slice workflow, int *partition)
{
    size_t n;

    if (workflow.n > 0) {
        if (!exchange_serves(x, workflow))
            return 0;
        partition[0] = node_partition_of(exchange_node(x), workflow);
        return 1;
    }
    n = exchange_partitions(x, partition);
    if (n == 0) {
        reply_header(x, "Retry-After", "1");
        reply_error(x, 503, "no partition is served here yet");
        return 0;
    }
    qsort(partition, n, sizeof *partition, by_number);
    return n;
}

/* ---- rows of a query */

struct listing {
    query_call *call;
    struct query q;
    struct buf out;
    size_t rows;
    struct slice next; /* cursor; empty: no more */
    bool later; /* it cannot be told yet */
};

/* One bite: rows may be large, and only their text is kept. */
static bool list_bite(struct exchange *x, struct listing *l, struct store_txn *t, struct titles *titles,
                      struct slice *next, struct err *e)
{
    struct arena *a = arena_new();
    struct query q = l->q;
    struct query_result page;

    q.after = *next;
    q.limit = l->q.limit - l->rows < BITE_ROWS ? l->q.limit - l->rows : BITE_ROWS;
    bool ok = l->call(t, &q, a, &page, e);
    for (size_t i = 0; ok && i < page.n; i++) {
        buf_add(&l->out, titles_add(titles, page.row[i], a));
        buf_byte(&l->out, '\n');
    }
    l->rows += ok ? page.n : 0;
    l->later = page.later;
    *next = ok ? arena_dup(x->arena, page.next) : S("");
    arena_free(a);
    return ok;
}

static bool list_partition(struct exchange *x, struct listing *l, int partition, struct err *e)
{
    struct store_txn *t = exchange_read(x, partition, e);
    struct titles titles = {.txn = t, .arena = x->arena};
    struct slice next = l->q.after;
    bool ok = t != NULL;

    if (ok)
        do
            ok = list_bite(x, l, t, &titles, &next, e);
        while (ok && next.n > 0 && l->rows < l->q.limit && l->out.n < ANSWER_MAX);
    titles_end(&titles);
    store_abort(t);
    if (ok && next.n > 0)
        l->next = arena_printf(x->arena, "%d-%.*s", partition, SLICE_ARG(next));
    return ok;
}

static void reply_rows(struct exchange *x, const struct listing *l)
{
    struct slice query = x->request.query;
    bool first = true;

    if (l->next.n > 0) {
        struct buf link = {0};

        while (query.n > 0) { /* the same question, but for the cursor */
            const char *end = memchr(query.p, '&', query.n);
            struct slice pair = {query.p, end != NULL ? (size_t)(end - query.p) : query.n};
            size_t used = pair.n + (end != NULL);

            if (pair.n > 0 && (pair.n < 6 || memcmp(pair.p, "after=", 6) != 0)) {
                buf_printf(&link, "%s%.*s", first ? "" : "&", SLICE_ARG(pair));
                first = false;
            }
            query.p += used;
            query.n -= used;
        }
        reply_header(x, "X-Next", "%.*s", SLICE_ARG(l->next));
        reply_header(x, "Link", "<%.*s?%.*s%safter=%.*s>; rel=\"next\"", SLICE_ARG(x->request.path),
                     (int)link.n, link.n > 0 ? link.p : "", first ? "" : "&", SLICE_ARG(l->next));
        buf_free(&link);
    }
    reply_send(x, 200, "application/x-ndjson", buf_slice(&l->out));
}

static void list(struct exchange *x, struct listing *l, struct slice after)
{
    struct cursor cursor;
    int partition[PARTITIONS_HELD_MAX];
    struct err why;

    if (!parse_cursor(after, &cursor)) {
        reply_error(x, 400, "after: not a cursor that this call gave");
        return;
    }
    size_t n = partitions_of(x, l->q.workflow, partition);
    if (n == 0)
        return;
    for (size_t i = 0; i < n && l->next.n == 0; i++) {
        if (partition[i] < cursor.partition)
            continue;
        l->q.after = partition[i] == cursor.partition ? cursor.rest : S("");
        if (l->rows == l->q.limit) { /* the next partition's rows are the next page */
            l->next = arena_printf(x->arena, "%d-", partition[i]);
            break;
        }
        if (!list_partition(x, l, partition[i], &why)) {
            if (l->later)
                reply_header(x, "Retry-After", "5");
            reply_error(x, l->later ? 503 : l->q.after.n > 0 ? 400 : 500, "%s", why.text);
            return;
        }
    }
    reply_rows(x, l);
}

static void handle_query(struct exchange *x, query_call *call)
{
    struct listing l = {.call = call, .q = {.limit = 100}};
    struct query *q = &l.q;
    struct slice after = S("");
    const struct ask asks[] = {{"workflow", ASK_TEXT, &q->workflow}, {"unit", ASK_TEXT, &q->unit},
                               {"subject", ASK_TEXT, &q->subject},   {"state", ASK_TEXT, &q->state},
                               {"machine", ASK_TEXT, &q->machine},   {"obligation", ASK_TEXT, &q->obligation},
                               {"measure", ASK_TEXT, &q->measure},   {"period", ASK_TEXT, &q->period},
                               {"open", ASK_FLAG, &q->open_only},    {"limit", ASK_COUNT, &q->limit},
                               {"after", ASK_TEXT, &after}};

    if (exchange_ask(x, asks, sizeof asks / sizeof *asks))
        list(x, &l, after);
    buf_free(&l.out);
}

void handle_tasks(struct exchange *x)
{
    handle_query(x, query_tasks);
}

void handle_cases(struct exchange *x)
{
    handle_query(x, query_cases);
}

void handle_measures(struct exchange *x)
{
    handle_query(x, query_measures);
}

void handle_history(struct exchange *x)
{
    handle_query(x, query_history);
}

void handle_scores(struct exchange *x)
{
    struct listing l = {.call = query_scores, .q = {.workflow = x->part[0], .limit = 100}};
    struct slice after = S("");
    struct period period;
    const struct ask asks[] = {{"tally", ASK_TEXT, &l.q.machine},
                               {"unit", ASK_TEXT, &l.q.unit},
                               {"period", ASK_TEXT, &l.q.period},
                               {"limit", ASK_COUNT, &l.q.limit},
                               {"after", ASK_TEXT, &after}};

    if (!exchange_ask(x, asks, sizeof asks / sizeof *asks))
        return;
    if (l.q.period.n > 0 && !period_parse(l.q.period, &period))
        reply_error(x, 400, "period: expected one such as 2022-05, 2022Q2 or 2022");
    else
        list(x, &l, after);
    buf_free(&l.out);
}

void handle_proposals(struct exchange *x)
{
    struct listing l = {.call = query_proposals, .q = {.workflow = x->part[0], .limit = 100}};
    struct slice after = S("");
    const struct ask asks[] = {{"limit", ASK_COUNT, &l.q.limit}, {"after", ASK_TEXT, &after}};

    if (exchange_ask(x, asks, sizeof asks / sizeof *asks))
        list(x, &l, after);
    buf_free(&l.out);
}

/* ---- definitions: few, so all at once */

typedef void write_program(struct buf *out, const struct program *p, struct store_txn *t, struct arena *a);

static bool each_program(struct exchange *x, int partition, struct slice workflow, write_program *write,
                         struct buf *out, struct err *e)
{
    struct store_txn *t = exchange_read(x, partition, e);
    struct titles titles = {.txn = t, .arena = x->arena};
    struct slice key, value;

    if (t == NULL)
        return false;
    struct store_iter *i = store_iter_new(t, TABLE_DEFINITION);
    for (bool more = store_iter_seek(i, S(""), &key, &value); more; more = store_iter_next(i, &key, &value)) {
        const struct program *p =
            workflow.n == 0 || slice_eq(workflow, key) ? titles_program(&titles, key) : NULL;

        if (p != NULL)
            write(out, p, t, x->arena);
    }
    store_iter_free(i);
    titles_end(&titles);
    store_abort(t);
    return true;
}

static void handle_programs(struct exchange *x, write_program *write)
{
    struct slice workflow = S("");
    const struct ask asks[] = {{"workflow", ASK_TEXT, &workflow}};
    int partition[PARTITIONS_HELD_MAX];
    struct buf out = {0};
    struct err why;
    bool ok = true;

    if (!exchange_ask(x, asks, 1))
        return;
    size_t n = partitions_of(x, workflow, partition);
    if (n == 0)
        return;
    for (size_t i = 0; ok && i < n; i++)
        ok = each_program(x, partition[i], workflow, write, &out, &why);
    if (ok)
        reply_send(x, 200, "application/x-ndjson", buf_slice(&out));
    else
        reply_error(x, 500, "%s", why.text);
    buf_free(&out);
}

/* When it came into force; null when another event than one of duband's own published it. */
static void add_since(struct buf *row, const struct program *p, struct store_txn *t, struct arena *a)
{
    struct slice json, history, time = S("");

    if (query_event(t, S("duband"), arena_printf(a, "%.*s-%.*s", SLICE_ARG(p->id), SLICE_ARG(p->hash)), a,
                    &json) == QUERY_APPLIED &&
        row_member(json, "history", &history) && row_text_member(history, "now", a, &time) && time.n > 0)
        row_text(row, "since", time);
    else
        row_raw(row, "since", S("null"));
}

static void write_workflow(struct buf *out, const struct program *p, struct store_txn *t, struct arena *a)
{
    struct buf row = {0};

    row_open(&row, NULL, '{');
    row_text(&row, "id", p->id);
    row_text(&row, "hash", p->hash);
    row_text(&row, "title", p->title);
    row_text(&row, "timezone", p->timezone);
    add_since(&row, p, t, a);
    row_close(&row, '}');
    buf_add(out, buf_slice(&row));
    buf_byte(out, '\n');
    buf_free(&row);
}

void handle_workflows(struct exchange *x)
{
    handle_programs(x, write_workflow);
}

static void write_units(struct buf *out, const struct program *p, struct store_txn *t, struct arena *a)
{
    (void)t;
    for (size_t i = 0; i < p->nunits; i++) {
        const struct unit *u = &p->units[i];
        struct buf row = {0};

        row_open(&row, NULL, '{');
        row_text(&row, "workflow", p->id);
        row_text(&row, "id", u->id);
        row_text(&row, "title", u->title);
        row_text(&row, "kind", u->kind);
        row_open(&row, "roles", '[');
        for (size_t r = 0; r < u->nroles; r++)
            row_text(&row, NULL, p->roles[u->roles[r]]);
        row_close(&row, ']');
        row_text(&row, "from", u->in_force.from != DATE_NONE ? date_format(a, u->in_force.from) : S(""));
        row_text(&row, "until", u->in_force.until != DATE_NONE ? date_format(a, u->in_force.until) : S(""));
        row_close(&row, '}');
        buf_add(out, buf_slice(&row));
        buf_byte(out, '\n');
        buf_free(&row);
    }
}

void handle_units(struct exchange *x)
{
    handle_programs(x, write_units);
}
