/* dubanctl rejected: dead letters, listed and shown. */
#include "ctl/rejected.h"

#include "ctl/table.h"
#include "ctl/when.h"
#include "ctl/zone.h"

#define PAGE 200
#define REDRIVES_MAX 1000

/* ---- list */

/* A local time is one of the workflow's, or of the first there is. */
static bool read_since(const struct ctl_call *call, const struct zones *z, const char *text, instant_t *out)
{
    const char *workflow = ctl_value(call, "workflow");
    const struct tz *tz = NULL;
    if (instant_parse(slice_of(text), out))
        return true;
    for (size_t i = 0; i < z->n && !tz; i++)
        if (!workflow || slice_eq(z->item[i].workflow, slice_of(workflow)))
            tz = z->item[i].tz;
    if (tz)
        return ctl_time(call, "--since", text, tz, out);
    ctl_fail(call, CTL_USAGE, "--since: '%s' is no time like 2024-03-29T09:00:00+08:00", text);
    return false;
}

static struct slice query_of(const struct ctl_call *call, const struct zones *z, struct arena *a, enum ctl_exit *status)
{
    static const char *const names[] = {"workflow", "source", "reason"};
    const char *since = ctl_value(call, "since");
    struct slice q = arena_printf(a, "?limit=%d%s", PAGE, ctl_value(call, "all") ? "" : "&open=yes");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ctl_value(call, names[i]))
            q = arena_printf(a, "%.*s&%s=%.*s", SLICE_ARG(q), names[i],
                             SLICE_ARG(client_escape(a, slice_of(ctl_value(call, names[i])))));
    instant_t at;
    if (since && !read_since(call, z, since, &at))
        *status = CTL_USAGE;
    else if (since)
        q = arena_printf(a, "%.*s&since=%.*s", SLICE_ARG(q), SLICE_ARG(instant_format_utc(a, at)));
    return q;
}

/* The first reason, and how many there are more. */
static struct slice reasons_of(const json_t *o, struct arena *a)
{
    const json_t *reasons = json_object_get(o, "reasons");
    size_t n = json_array_size(reasons);
    if (n == 0)
        return S("");
    const char *first = json_string_value(json_array_get(reasons, 0));
    return n > 1 ? arena_printf(a, "%s (and %zu more)", first, n - 1) : arena_printf(a, "%s", first);
}

static void add_row(struct table_text *t, const struct zones *z, struct slice line, struct arena *a)
{
    json_t *o = json_loadb(line.p, line.n, 0, NULL);
    struct slice type = json_member(o, "input_type"), place = json_member(o, "place");
    const struct slice cells[] = {
        zones_time(z, json_member(o, "workflow"), json_member(o, "time")),
        json_member(o, "state"),
        json_member(o, "workflow"),
        place.n ? place : json_member(o, "task"),
        json_member(o, "input_source"),
        json_member(o, "input_id"),
        type.n > 9 && memcmp(type.p, "duban.v1.", 9) == 0 ? (struct slice){type.p + 9, type.n - 9} : type,
        reasons_of(o, a)};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        table_text_cell(t, arena_dup(a, cells[i]));
    json_decref(o);
}

static enum ctl_exit run_list(const struct ctl_call *call, struct client *c)
{
    static const char *const header[] = {"received", "state", "workflow", "record", "source", "id", "type", "reason"};
    struct arena *a = call->arena;
    struct zones zones = {.arena = a};
    struct table_text table;
    enum ctl_exit status = zones_load(&zones, call, c, a);
    struct slice query = S(""), next = S("");
    if (status == CTL_DONE)
        query = query_of(call, &zones, a, &status);
    table_text_start(&table, a, header, sizeof header / sizeof *header);
    do {
        struct client_answer an;
        struct slice after = next.n ? arena_printf(a, "&after=%.*s", SLICE_ARG(next)) : next;
        if (status == CTL_DONE)
            status = client_fetch(call, c, arena_printf(a, "/v1/rejected%.*s%.*s", SLICE_ARG(query), SLICE_ARG(after)),
                                  30, a, &an);
        if (status != CTL_DONE)
            return status;
        for (struct slice line; client_line(&an.body, &line);)
            if (call->json)
                printf("%.*s\n", SLICE_ARG(line));
            else
                add_row(&table, &zones, line, a);
        next = an.next;
    } while (next.n);
    if (!call->json)
        table_text_print(&table, stdout);
    return CTL_DONE;
}

/* ---- show */

json_t *rejected_fetch(const struct ctl_call *call, struct client *c, const char *id, enum ctl_exit *status)
{
    struct client_answer an;
    *status = client_fetch(call, c, arena_printf(call->arena, "/v1/rejected/%.*s",
                                                 SLICE_ARG(client_escape(call->arena, slice_of(id)))),
                           30, call->arena, &an);
    if (*status != CTL_DONE)
        return NULL;
    json_t *o = json_loadb(an.body.p, an.body.n, 0, NULL);
    if (!o)
        *status = ctl_fail(call, CTL_COULD_NOT, "the daemon's answer cannot be read");
    return o;
}

json_t *redrive_outcome(const struct ctl_call *call, struct client *c, const json_t *letter, unsigned nth, int wait_s,
                        enum ctl_exit *status)
{
    struct arena *a = call->arena;
    struct slice id = arena_printf(a, "%.*s#%u", SLICE_ARG(json_member(letter, "place")), nth);
    struct slice path = arena_printf(a, "/v1/events/%.*s/%.*s?workflow=%.*s&wait=%ds",
                                     SLICE_ARG(client_escape(a, S(REDRIVE_SOURCE))), SLICE_ARG(client_escape(a, id)),
                                     SLICE_ARG(client_escape(a, json_member(letter, "workflow"))), wait_s);
    struct client_answer an;
    struct err e;
    *status = CTL_DONE;
    if (!client_get(c, path, wait_s, a, &an, &e)) {
        *status = ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
        return NULL;
    }
    if (an.status == 404)
        return NULL;
    json_t *o = an.status == 200 ? json_loadb(an.body.p, an.body.n, 0, NULL) : NULL;
    if (!o)
        *status = ctl_fail(call, CTL_COULD_NOT, "the daemon answered with status %d", an.status);
    return o;
}

static void print_redrive(unsigned nth, const json_t *o)
{
    const json_t *history = json_object_get(o, "history"), *reasons = json_object_get(o, "reasons");
    const json_t *event = json_object_get(json_object_get(history, "input"), "event");
    printf("redrive %u  %.*s", nth, SLICE_ARG(json_member(o, "status")));
    if (event)
        printf("  %.*s  by %.*s: %.*s", SLICE_ARG(json_member(history, "now")), SLICE_ARG(json_member(event, "actor")),
               SLICE_ARG(json_member(event, "reason")));
    putchar('\n');
    for (size_t i = 0; i < json_array_size(reasons); i++)
        printf("           %s\n", json_string_value(json_array_get(reasons, i)));
}

static void print_letter(const json_t *o)
{
    static const char *const members[] = {"id",           "state",      "workflow",   "place", "time", "input_source", "input_id",
                                          "input_type", "input_time", "content_type", "task",  "timer"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_member(o, members[i]).n)
            printf("%-12s  %.*s\n", members[i], SLICE_ARG(json_member(o, members[i])));
    const json_t *reasons = json_object_get(o, "reasons"), *event = json_object_get(o, "event");
    for (size_t i = 0; i < json_array_size(reasons); i++)
        printf("%-12s  %s\n", i ? "" : "reasons", json_string_value(json_array_get(reasons, i)));
    if (event) {
        printf("event\n");
        json_dumpf(event, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (json_member(o, "data_base64").n) {
        printf("%-12s  %.*s\n", "base64", SLICE_ARG(json_member(o, "data_base64")));
    }
}

static enum ctl_exit run_show(const struct ctl_call *call, struct client *c, const char *id)
{
    enum ctl_exit status;
    json_t *o = rejected_fetch(call, c, id, &status);
    if (!o)
        return status;
    if (call->json)
        json_dumpf(o, stdout, JSON_COMPACT);
    else
        print_letter(o);
    if (call->json)
        putchar('\n');
    json_t *redrive;
    for (unsigned nth = 1; !call->json && status == CTL_DONE && json_member(o, "place").n && nth <= REDRIVES_MAX &&
                           (redrive = redrive_outcome(call, c, o, nth, 0, &status)) != NULL;
         nth++) {
        print_redrive(nth, redrive);
        json_decref(redrive);
    }
    json_decref(o);
    return status;
}

/* ---- */

static enum ctl_exit run(struct ctl_call *call)
{
    const char *what = call->argument[0];
    bool list = !strcmp(what, "list"), show = !strcmp(what, "show"), redrive = !strcmp(what, "redrive");
    if (!list && !show && !redrive)
        return ctl_fail(call, CTL_USAGE, "'%s': expected list, show or redrive", what);
    if (list == (call->nargs > 1))
        return ctl_fail(call, CTL_USAGE, list ? "list takes no argument" : "%s: expected the id of a dead letter, or TOPIC/PARTITION/OFFSET",
                        what);
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    enum ctl_exit status = list   ? run_list(call, c)
                           : show ? run_show(call, c, call->argument[1])
                                  : redrive_run(call, c, call->argument[1]);
    client_close(c);
    return status;
}

const struct ctl_command ctl_rejected = {
    .name = "rejected",
    .arguments = "list | show ID | redrive ID",
    .summary = "records that were refused: which, why, and another try for one. ID: a dead letter's, or TOPIC/PARTITION/OFFSET of the record",
    .least = 1,
    .most = 2,
    .options = {{CLIENT_URL_OPTION},
                {"workflow", "ID", "list: of this workflow", false},
                {"source", "TEXT", "list: from this source", false},
                {"since", "T", "list: received since", false},
                {"all", NULL, "list: also what has been applied since", false},
                {"reason", "TEXT", "list: with this in a reason; redrive: why, for the history", false},
                {"actor", "WHO", "redrive: who does it; else $USER", false},
                {"set", "FIELD=VALUE", "redrive: repairs a field of the event, such as fact.reporter=o-1; null takes it away. May be repeated", false,
                 .many = true},
                {"data", "FILE", "redrive: this InputEvent, as JSON, in the place of what was refused", false},
                {"topic", "TOPIC", "redrive: as if it had come by the other input topic", false},
                {"id", "ID", "redrive: under another id, when its own stands for another event", false}},
    .run = run,
};
