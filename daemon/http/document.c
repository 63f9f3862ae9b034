/* GET /v1/workflows/{workflow}/documents/{measure}: a document as a page that prints; ?original=yes: as it was issued, though it was
 * withdrawn. */
#include "engine/document.h"
#include "engine/query.h"
#include "http/state.h"

void handle_document(struct exchange *x)
{
    int home = node_partition_of(exchange_node(x), x->part[0]);
    struct document_view d;
    struct store_txn *t;
    struct err why;
    bool found = false, original = false, later = false;
    const struct ask asks[] = {{"original", ASK_FLAG, &original}};

    if (!exchange_ask(x, asks, 1))
        return;
    if (!exchange_serves(x, x->part[0]))
        return;
    t = exchange_read(x, home, &why);
    bool ok = t != NULL && document_find(t, x->part[0], x->part[1], x->arena, &d, &found, &why);
    if (ok && !found)
        later = query_lacks_history(t, &why);
    store_abort(t);
    if (original)
        d.withdrawn = (struct withdrawn_view){.date = DATE_NONE};
    if (!ok || later) {
        reply_error(x, t == NULL || later ? 503 : 500, "%s", why.text);
    } else if (!found) {
        reply_error(x, 404, "no measure %.*s with a document was issued in workflow %.*s", SLICE_ARG(x->part[1]),
                    SLICE_ARG(x->part[0]));
    } else {
        x->policy = arena_printf(x->arena, "%.*s; frame-ancestors 'none'", SLICE_ARG(document_policy(x->arena)));
        reply_send(x, 200, "text/html; charset=utf-8", document_page(&d, x->arena));
    }
}
