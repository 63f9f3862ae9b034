/* GET /v1/workflows/{workflow}/documents/{measure}: a document as a page that prints. */
#include "engine/document.h"
#include "http/state.h"

#define HELD_MAX 1024

static bool holds(struct exchange *x, int home)
{
    int partition[HELD_MAX];
    size_t n = worker_partitions(exchange_worker(x), partition, HELD_MAX);

    for (size_t i = 0; i < n && i < HELD_MAX; i++)
        if (partition[i] == home)
            return true;
    return false;
}

void handle_document(struct exchange *x)
{
    int home = worker_partition_of(exchange_worker(x), x->part[0]);
    struct document_view d;
    struct store_txn *t;
    struct err why;
    bool found;

    if (!exchange_ask(x, NULL, 0))
        return;
    if (!holds(x, home)) {
        reply_error(x, 421, "workflow %.*s belongs to partition %d, which is not held here", SLICE_ARG(x->part[0]),
                    home);
        return;
    }
    t = worker_read(exchange_worker(x), home, &why);
    bool ok = t != NULL && document_find(t, x->part[0], x->part[1], x->arena, &d, &found, &why);
    store_abort(t);
    if (!ok) {
        reply_error(x, t == NULL ? 503 : 500, "%s", why.text);
    } else if (!found) {
        reply_error(x, 404, "no measure %.*s with a document was issued in workflow %.*s", SLICE_ARG(x->part[1]),
                    SLICE_ARG(x->part[0]));
    } else {
        x->policy = arena_printf(x->arena, "%.*s; frame-ancestors 'none'", SLICE_ARG(document_policy(x->arena)));
        reply_send(x, 200, "text/html; charset=utf-8", document_page(&d, x->arena));
    }
}
