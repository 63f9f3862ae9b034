/* GET /v1/events/{source}/{id}: what became of an event; with wait=, as soon as it is known. Whose workflow it is tells workflow=, or that it
 * was accepted here. */
#include "engine/query.h"
#include "http/state.h"

/* Which of the partitions held here knows it. False: a snapshot could not be had. */
static bool find(struct exchange *x, enum query_found *found, struct slice *json, struct err *e)
{
    int partition[PARTITIONS_HELD_MAX];
    size_t n = node_partitions(exchange_node(x), partition, PARTITIONS_HELD_MAX);

    *found = QUERY_UNKNOWN;
    if (n == 0)
        return err_set(e, "no partition is served here yet");
    for (size_t i = 0; i < n && i < PARTITIONS_HELD_MAX && *found == QUERY_UNKNOWN; i++) {
        struct store_txn *t = exchange_read(x, partition[i], e);

        if (t == NULL)
            return false;
        *found = query_event(t, x->part[0], x->part[1], x->arena, json);
        store_abort(t);
    }
    return true;
}

static void say_unknown(struct exchange *x)
{
    int partition[PARTITIONS_HELD_MAX];

    exchange_partitions(x, partition); /* says so when it is not all of them */
    if (accepted_workflow(server_accepted(x->server), x->part[0], x->part[1]).n > 0)
        reply_json(x, 200, S("{\"status\":\"pending\",\"reasons\":[]}"));
    else
        reply_json(x, 404,
                   S("{\"status\":\"unknown\",\"errors\":[\"no event of this source and id has been applied "
                     "or refused here\"]}"));
}

static void look(struct exchange *x)
{
    enum query_found found;
    struct slice json;
    struct err why;

    if (!find(x, &found, &json, &why)) {
        reply_header(x, "Retry-After", "1");
        reply_error(x, 503, "%s", why.text);
    } else if (found != QUERY_UNKNOWN) {
        reply_json(x, 200, json);
    } else if (x->expired) {
        say_unknown(x);
    }
}

void handle_event(struct exchange *x)
{
    int64_t wait = 0;
    struct slice workflow = S("");
    const struct ask asks[] = {{"wait", ASK_WAIT, &wait}, {"workflow", ASK_TEXT, &workflow}};

    if (!exchange_ask(x, asks, 2))
        return;
    if (workflow.n == 0)
        workflow = accepted_workflow(server_accepted(x->server), x->part[0], x->part[1]);
    if (workflow.n > 0 && !exchange_serves(x, workflow))
        return;
    x->expired = wait == 0;
    if (wait > 0)
        exchange_wait(x, look, wait);
    look(x);
}
