/* dubanctl document: one that went out, as a page that prints. */
#include <errno.h>

#include "ctl/client.h"
#include "ctl/json.h"

/* The first workflow that knows the document; 404: none does. */
static enum ctl_exit fetch(const struct ctl_call *call, struct client *c, struct slice workflow, struct slice id,
                           struct client_answer *out)
{
    struct err e;
    struct slice path = arena_printf(call->arena, "/v1/workflows/%.*s/documents/%.*s%s",
                                     SLICE_ARG(client_escape(call->arena, workflow)),
                                     SLICE_ARG(client_escape(call->arena, id)),
                                     ctl_value(call, "original") ? "?original=yes" : "");
    if (!client_get(c, path, 0, call->arena, out, &e))
        return ctl_fail(call, CTL_COULD_NOT, "%s: %s", client_url(c), e.text);
    return CTL_DONE;
}

static enum ctl_exit look(const struct ctl_call *call, struct client *c, struct client_answer *out)
{
    const char *workflow = ctl_value(call, "workflow");
    struct slice id = slice_of(call->argument[0]), line;
    struct client_answer all;
    if (workflow)
        return fetch(call, c, slice_of(workflow), id, out);
    enum ctl_exit status = client_fetch(call, c, S("/v1/workflows"), 0, call->arena, &all);
    out->status = 404;
    while (status == CTL_DONE && out->status == 404 && client_line(&all.body, &line)) {
        json_t *row = json_loadb(line.p, line.n, 0, NULL);
        status = fetch(call, c, arena_dup(call->arena, json_member(row, "id")), id, out);
        json_decref(row);
    }
    return status;
}

static enum ctl_exit deliver(const struct ctl_call *call, struct slice page)
{
    const char *path = ctl_value(call, "output");
    FILE *f = path ? fopen(path, "w") : stdout;
    bool ok = f && fwrite(page.p, 1, page.n, f) == page.n;
    if (path && f)
        ok = fclose(f) == 0 && ok;
    return ok ? CTL_DONE : ctl_fail(call, CTL_COULD_NOT, "%s: %s", path ? path : "standard output", strerror(errno));
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct client_answer page = {0};
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    enum ctl_exit status = look(call, c, &page);
    if (status == CTL_DONE && page.status == 404)
        status = ctl_fail(call, CTL_PROBLEMS, "no measure %s with a document was issued", call->argument[0]);
    else if (status == CTL_DONE && page.status != 200)
        status = ctl_fail(call, CTL_COULD_NOT, "%s answers %d", client_url(c), page.status);
    else if (status == CTL_DONE)
        status = deliver(call, page.body);
    client_close(c);
    return status;
}

const struct ctl_command ctl_document = {
    .name = "document",
    .arguments = "ID",
    .summary = "a document that went out with the measure ID (see measures --json), as an HTML page that prints",
    .least = 1,
    .most = 1,
    .options = {{"workflow", "W", "the measure's; default: all are asked", false},
                {"original", NULL, "as it was issued, though it was withdrawn since", false},
                {"output", "FILE", "where the page goes; default: standard output", false},
                {CLIENT_URL_OPTION}},
    .one_form = true,
    .run = run,
};
