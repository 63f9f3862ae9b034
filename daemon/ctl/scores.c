/* dubanctl scores: what the tallies say of each unit, item by item, down to the records that made the points.
 */
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/table.h"

struct scores {
    const struct ctl_call *call;
    struct table_text table;
};

static struct slice points(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? slice_of(json_string_value(v)) : json_is_null(v) ? S("n/a") : S("");
}

static struct slice either(struct slice first, struct slice second)
{
    return first.n ? first : second;
}

static void add_cells(struct scores *s, const struct slice *cell, size_t n)
{
    for (size_t i = 0; i < n; i++)
        table_text_cell(&s->table, arena_dup(s->call->arena, cell[i]));
}

/* "高质量信息: n-17 from portal/1" */
static struct slice why(const struct scores *s, const json_t *entry)
{
    struct slice reason = json_member(entry, "reason");
    return arena_printf(s->call->arena, "%.*s%s%.*s from %.*s", SLICE_ARG(reason), reason.n ? ": " : "",
                        SLICE_ARG(json_member(entry, "id")), SLICE_ARG(json_member(entry, "source")));
}

static void add_entry(struct scores *s, const char *mark, const json_t *entry)
{
    struct slice what = arena_printf(s->call->arena, "  %s%.*s", mark, SLICE_ARG(points(entry, "points")));
    const struct slice cell[] = {S(""), S(""), what, S(""), S(""), why(s, entry)};
    add_cells(s, cell, sizeof cell / sizeof *cell);
}

static void add_item(struct scores *s, const json_t *item)
{
    const json_t *entries = json_object_get(item, "entries"), *review = json_object_get(item, "review");
    struct slice self = points(item, "self"), bound = json_member(item, "bound"), note = S("");
    if (review)
        note = arena_printf(s->call->arena, "reviewed; computed %.*s", SLICE_ARG(points(item, "computed")));
    else if (bound.n)
        note = arena_printf(s->call->arena, "at its %.*s", SLICE_ARG(bound));
    const struct slice cell[] = {S(""),
                                 S(""),
                                 either(json_member(item, "title"), json_member(item, "item")),
                                 slice_eq(self, S("n/a")) ? S("") : self,
                                 points(item, "points"),
                                 note};
    add_cells(s, cell, sizeof cell / sizeof *cell);
    if (review)
        add_entry(s, "=", review);
    for (size_t i = 0; i < json_array_size(entries); i++)
        add_entry(s, json_member(json_array_get(entries, i), "points").p[0] == '-' ? "" : "+",
                  json_array_get(entries, i));
}

static void add_score(struct scores *s, struct slice line)
{
    if (s->call->json) {
        printf("%.*s\n", SLICE_ARG(line));
        return;
    }
    json_t *row = json_loadb(line.p, line.n, 0, NULL);
    const json_t *items = json_object_get(row, "items");
    bool closed = json_is_true(json_object_get(row, "closed"));
    struct slice self = points(row, "self_total"), failed = json_member(row, "failed");
    const struct slice head[] = {json_member(row, "period"),
                                 either(json_member(row, "unit_title"), json_member(row, "unit")),
                                 either(json_member(row, "title"), json_member(row, "tally")),
                                 slice_eq(self, S("n/a")) ? S("") : self,
                                 points(row, "total"),
                                 failed.n ? failed
                                 : closed ? S("published")
                                          : S("provisional")};
    add_cells(s, head, sizeof head / sizeof *head);
    for (size_t i = 0; i < json_array_size(items); i++)
        add_item(s, json_array_get(items, i));
    json_decref(row);
}

static struct slice path_of(const struct ctl_call *call, struct slice after)
{
    static const char *const filters[] = {"tally", "unit", "period"};
    struct arena *a = call->arena;
    struct slice path = arena_printf(a, "/v1/workflows/%.*s/scores?limit=1000",
                                     SLICE_ARG(client_escape(a, slice_of(ctl_value(call, "workflow")))));
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (ctl_value(call, filters[i]))
            path = arena_printf(a, "%.*s&%s=%.*s", SLICE_ARG(path), filters[i],
                                SLICE_ARG(client_escape(a, slice_of(ctl_value(call, filters[i])))));
    return after.n ? arena_printf(a, "%.*s&after=%.*s", SLICE_ARG(path), SLICE_ARG(client_escape(a, after)))
                   : path;
}

static enum ctl_exit run(struct ctl_call *call)
{
    static const char *const titles[] = {"period", "unit", "item", "self", "points", ""};
    struct scores s = {.call = call};
    struct client *client = client_open(call);
    struct slice after = S("");
    enum ctl_exit status = CTL_DONE;
    if (!client)
        return CTL_USAGE;
    table_text_start(&s.table, call->arena, titles, sizeof titles / sizeof *titles);
    do {
        struct client_answer an;
        status = client_fetch(call, client, path_of(call, after), 0, call->arena, &an);
        for (struct slice line; status == CTL_DONE && client_line(&an.body, &line);)
            add_score(&s, line);
        after = status == CTL_DONE ? an.next : S("");
    } while (after.n);
    if (status == CTL_DONE && !call->json)
        table_text_print(&s.table, stdout);
    client_close(client);
    return status;
}

const struct ctl_command ctl_scores = {
    .name = "scores",
    .arguments = "",
    .summary = "points of units, item by item, and where each comes from",
    .options = {{CLIENT_URL_OPTION},
                {"workflow", "ID", "whose tallies", true},
                {"tally", "NAME", "only this one", false},
                {"unit", "ID", "only this unit's", false},
                {"period", "P", "of this period, everybody who is scored; else whatever is on record",
                 false}},
    .run = run,
};
