/* GET /v1/rejected: dead letters, newest first, page by page; GET /v1/rejected/{id} or {topic}/{partition}/{offset}: one, with all that is known of
 * it. They are read on another thread, from Kafka where the log is there. */
#include <stdlib.h>

#include "engine/letters.h"
#include "http/state.h"

#define READ_MS 30000

/* A question under way: it outlives its exchange when the client does not wait. */
struct asked {
    struct handed handed; /* first */
    struct letters_ask ask;
    struct server *server;
    struct exchange *x; /* NULL: nobody waits any more */
};

static void reply_found(struct exchange *x, const struct letters_ask *q)
{
    struct buf out = {0};

    if (q->id.n > 0) {
        reply_json(x, 200, q->row[0]);
        return;
    }
    for (size_t i = 0; i < q->n; i++) {
        buf_add(&out, q->row[i]);
        buf_byte(&out, '\n');
    }
    if (q->next.n > 0)
        reply_header(x, "X-Next", "%.*s", SLICE_ARG(q->next));
    reply_send(x, 200, "application/x-ndjson", buf_slice(&out));
    buf_free(&out);
}

static void reply_answer(struct exchange *x, const struct letters_ask *q)
{
    switch (q->what) {
    case LETTERS_FOUND:
        reply_found(x, q);
        break;
    case LETTERS_WRONG:
        reply_error(x, 400, "%s", q->err.text);
        break;
    case LETTERS_NONE:
        reply_error(x, 404, "no dead letter %.*s: none was written, or retention has removed it", SLICE_ARG(q->id));
        break;
    case LETTERS_LATER:
        reply_header(x, "Retry-After", "1");
        reply_error(x, 503, "%s", q->err.text);
    }
}

static void take_answer(struct handed *h)
{
    struct asked *k = (struct asked *)(void *)h;

    if (k->x != NULL) {
        k->x->own = NULL;
        reply_answer(k->x, &k->ask);
    }
    arena_free(k->ask.arena);
    free(k);
}

/* The reader's thread. */
static void on_done(struct letters_ask *q)
{
    struct asked *k = (struct asked *)(void *)((char *)q - offsetof(struct asked, ask));

    server_hand_over(k->server, &k->handed);
}

static void on_gone(struct exchange *x)
{
    struct asked *k = x->own;

    if (k != NULL)
        k->x = NULL;
}

static void on_look(struct exchange *x)
{
    if (!x->expired)
        return;
    reply_header(x, "Retry-After", "1");
    reply_error(x, 503, "the dead letters could not be read in time");
}

static void ask(struct exchange *x, struct letters_ask q)
{
    struct asked *k = mem_alloc(sizeof *k);
    struct arena *a = arena_new();

    struct slice *const own[] = {&q.id, &q.workflow, &q.source, &q.reason, &q.after};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        *own[i] = arena_dup(a, *own[i]);
    q.arena = a;
    q.done = on_done;
    *k = (struct asked){.handed = {.take = take_answer}, .ask = q, .server = x->server, .x = x};
    x->own = k;
    x->gone = on_gone;
    exchange_wait(x, on_look, READ_MS);
    letters_ask(node_letters(exchange_node(x)), &k->ask);
}

void handle_rejected(struct exchange *x)
{
    struct letters_ask q = {.limit = 100, .since = INSTANT_NONE};
    struct slice since = S("");
    const struct ask asks[] = {{"workflow", ASK_TEXT, &q.workflow}, {"source", ASK_TEXT, &q.source},
                               {"reason", ASK_TEXT, &q.reason},     {"since", ASK_TEXT, &since},
                               {"open", ASK_FLAG, &q.open_only},    {"limit", ASK_COUNT, &q.limit},
                               {"after", ASK_TEXT, &q.after}};

    if (!exchange_ask(x, asks, sizeof asks / sizeof *asks))
        return;
    if (since.n > 0 && !instant_parse(since, &q.since))
        reply_error(x, 400, "since: \"%.*s\" is not a time like 2024-03-29T01:00:00Z", SLICE_ARG(since));
    else
        ask(x, q);
}

void handle_letter(struct exchange *x)
{
    struct letters_ask q = {.limit = 1, .since = INSTANT_NONE};

    if (!exchange_ask(x, NULL, 0))
        return;
    q.id = x->part[1].n > 0 ? arena_printf(x->arena, "%.*s/%.*s/%.*s", SLICE_ARG(x->part[0]), SLICE_ARG(x->part[1]),
                                           SLICE_ARG(x->part[2]))
                            : x->part[0];
    ask(x, q);
}
