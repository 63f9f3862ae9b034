/* dubanctl proposals, decide: measures that wait for somebody to say yes or no. */
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/table.h"

static void add_row(const struct ctl_call *call, struct table_text *table, struct slice line)
{
    static const char *const members[] = {"id", "time", "title", "unit", "subject", "basis"};
    if (call->json) {
        printf("%.*s\n", SLICE_ARG(line));
        return;
    }
    json_t *row = json_loadb(line.p, line.n, 0, NULL);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        table_text_cell(table, arena_dup(call->arena, json_member(row, members[i])));
    json_decref(row);
}

static enum ctl_exit run_proposals(struct ctl_call *call)
{
    static const char *const titles[] = {"id", "since", "measure", "unit", "subject", "basis"};
    struct arena *a = call->arena;
    struct slice path = arena_printf(a, "/v1/workflows/%.*s/proposals?limit=1000",
                                     SLICE_ARG(client_escape(a, slice_of(call->argument[0]))));
    struct client *c = client_open(call);
    struct client_answer an;
    struct table_text table;
    if (!c)
        return CTL_USAGE;
    enum ctl_exit status = client_fetch(call, c, path, 0, a, &an);
    table_text_start(&table, a, titles, sizeof titles / sizeof *titles);
    for (struct slice line; status == CTL_DONE && client_line(&an.body, &line);)
        add_row(call, &table, line);
    if (status == CTL_DONE && !call->json)
        table_text_print(&table, stdout);
    if (status == CTL_DONE && an.next.n)
        fprintf(stderr, "there are more\n");
    client_close(c);
    return status;
}

/* ---- decide */

static struct slice decision(const struct ctl_call *call, const char *answer)
{
    const char *reason = ctl_value(call, "reason"), *user = getenv("USER");
    struct slice actor = arena_printf(call->arena, "%s (dubanctl)", user ? user : "unknown");
    json_t *o = json_pack("{s:s, s:o, s:s, s:{s:s, s:s, s:s}}", "workflow", call->argument[0], "actor",
                          json_text(actor), "reason", reason ? reason : "", "decide", "measure_id",
                          call->argument[1], "answer", answer, "reporter", ctl_value(call, "by"));
    char *text = json_dumps(o, JSON_COMPACT);
    struct slice data = arena_dup(call->arena, slice_of(text ? text : ""));
    free(text);
    json_decref(o);
    return data;
}

static enum ctl_exit post(const struct ctl_call *call, struct client *c, struct slice id, struct slice data)
{
    struct arena *a = call->arena;
    struct client_answer an;
    struct slice *errors;
    struct err e;
    struct slice headers = arena_printf(a,
                                        "ce-specversion: 1.0\r\nce-id: %.*s\r\nce-source: dubanctl\r\n"
                                        "ce-type: duban.v1.Decide\r\n",
                                        SLICE_ARG(client_escape(a, id)));
    if (!client_post(c, S("/v1/events"), "application/json", headers, data, a, &an, &e))
        return ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    if (an.status == 202)
        return CTL_DONE;
    size_t n = client_errors(&an, a, &errors);
    for (size_t i = 0; i < n; i++)
        ctl_fail(call, CTL_PROBLEMS, "%.*s", SLICE_ARG(errors[i]));
    return an.status / 100 == 4 ? CTL_PROBLEMS : CTL_COULD_NOT;
}

static enum ctl_exit await(const struct ctl_call *call, struct client *c, struct slice id)
{
    struct client_answer an;
    struct slice path = arena_printf(call->arena, "/v1/events/dubanctl/%.*s?wait=30s&workflow=%.*s",
                                     SLICE_ARG(client_escape(call->arena, id)),
                                     SLICE_ARG(client_escape(call->arena, slice_of(call->argument[0]))));
    enum ctl_exit got = client_fetch(call, c, path, 30, call->arena, &an);
    if (got != CTL_DONE)
        return got;
    json_t *o = json_loadb(an.body.p, an.body.n, 0, NULL);
    const json_t *reasons = json_object_get(o, "reasons");
    for (size_t i = 0; i < json_array_size(reasons); i++)
        ctl_fail(call, CTL_PROBLEMS, "refused: %s", json_string_value(json_array_get(reasons, i)));
    bool applied = slice_eq(json_member(o, "status"), S("applied"));
    if (call->json)
        json_print(stdout,
                   json_pack("{s:o, s:s}", "id", json_text(id), "status", applied ? "applied" : "rejected"));
    else if (applied)
        printf("%s: %s\n", call->argument[1], call->argument[2]);
    json_decref(o);
    return applied ? CTL_DONE : CTL_PROBLEMS;
}

static enum ctl_exit run_decide(struct ctl_call *call)
{
    const char *answer = !strcmp(call->argument[2], "issue")     ? "ISSUE"
                         : !strcmp(call->argument[2], "decline") ? "DECLINE"
                                                                 : NULL;
    if (!answer)
        return ctl_fail(call, CTL_USAGE, "'%s': expected issue or decline", call->argument[2]);
    if (!ctl_value(call, "by"))
        return ctl_fail(call, CTL_USAGE, "--by UNIT: who decides");
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    struct slice id = arena_printf(call->arena, "%s-%s", call->argument[1], call->argument[2]);
    enum ctl_exit status = post(call, c, id, decision(call, answer));
    if (status == CTL_DONE)
        status = await(call, c, id);
    client_close(c);
    return status;
}

const struct ctl_command ctl_proposals = {
    .name = "proposals",
    .arguments = "WORKFLOW",
    .summary = "measures that wait for a decision: see decide",
    .least = 1,
    .most = 1,
    .options = {{CLIENT_URL_OPTION}},
    .run = run_proposals,
};
const struct ctl_command ctl_decide = {
    .name = "decide",
    .arguments = "WORKFLOW ID issue|decline",
    .summary = "issue a measure that is proposed, or drop it",
    .least = 3,
    .most = 3,
    .options = {{CLIENT_URL_OPTION},
                {"by", "UNIT", "who decides: a unit that issues", false},
                {"reason", "TEXT", "why, for the history", false}},
    .run = run_decide,
};
