/* dubanctl publish: a workflow's folder into force, as an event. */
#include "engine/definition.h"

#include <stdlib.h>
#include <unistd.h>

#include "ctl/check.h"
#include "ctl/client.h"
#include "ctl/json.h"

#define VERSIONS_MAX 1000 /* times that one and the same definition may be put into force */

struct publishing {
    const struct ctl_call *call;
    struct client *c;
    struct bundle bundle;
    const struct program *p;
    struct cloud_event event;
    instant_t at; /* the event's own time */
};

/* *same: the daemon runs this very definition. A workflow that it does not know yet is published as of its
 * effective start, unless --at says otherwise: where receipt time is the log's, a record's own time means
 * nothing. */
static enum ctl_exit look_in_force(struct publishing *u, struct slice hash, bool *same)
{
    bool known = false;
    struct client_answer an;
    struct arena *a = u->call->arena;
    enum ctl_exit got = client_fetch(u->call, u->c, arena_printf(a, "/v1/workflows?workflow=%.*s", SLICE_ARG(client_escape(a, u->p->id))),
                                     0, a, &an);
    *same = false;
    for (struct slice line; got == CTL_DONE && client_line(&an.body, &line);) {
        json_t *row = json_loadb(line.p, line.n, 0, NULL);
        if (slice_eq(json_member(row, "id"), u->p->id)) {
            known = true;
            *same = slice_eq(json_member(row, "hash"), hash);
        }
        json_decref(row);
    }
    if (!known && u->at == INSTANT_NONE)
        u->at = definition_start(u->p, INSTANT_NONE);
    return got;
}

static struct slice event_path(const struct publishing *u, const char *wait)
{
    struct arena *a = u->call->arena;
    return arena_printf(a, "/v1/events/%.*s/%.*s?workflow=%.*s%s", SLICE_ARG(client_escape(a, u->event.source)),
                        SLICE_ARG(client_escape(a, u->event.id)), SLICE_ARG(client_escape(a, u->p->id)), wait);
}

/* The first id under which this definition has not been published yet: an earlier version may come into force
 * again. */
static enum ctl_exit choose_event(struct publishing *u)
{
    const struct ctl_call *call = u->call;
    const char *reason = ctl_value(call, "reason"), *user = getenv("USER");
    struct slice actor = arena_printf(call->arena, "%s (dubanctl)", user ? user : "unknown");
    for (unsigned nth = 1; nth < VERSIONS_MAX; nth++) {
        struct client_answer an;
        struct err e;
        definition_event(&u->bundle, u->p->id, actor, slice_of(reason ? reason : ""), nth, u->at, call->arena,
                         &u->event);
        if (!client_get(u->c, event_path(u, ""), 0, call->arena, &an, &e))
            return ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
        if (an.status == 404)
            return CTL_DONE;
        if (an.status != 200)
            return ctl_fail(call, CTL_COULD_NOT, "the daemon answered with status %d", an.status);
    }
    return ctl_fail(call, CTL_COULD_NOT, "this definition has been published %d times", VERSIONS_MAX);
}

static enum ctl_exit post(struct publishing *u)
{
    struct arena *a = u->call->arena;
    struct client_answer an;
    struct err e;
    struct slice *errors;
    struct slice headers =
        arena_printf(a, "ce-specversion: 1.0\r\nce-id: %.*s\r\nce-source: %.*s\r\nce-type: %.*s\r\n",
                     SLICE_ARG(client_escape(a, u->event.id)), SLICE_ARG(client_escape(a, u->event.source)),
                     SLICE_ARG(u->event.type));
    if (u->at != INSTANT_NONE)
        headers = arena_printf(a, "%.*sce-time: %.*s\r\n", SLICE_ARG(headers),
                               SLICE_ARG(instant_format_utc(a, u->at)));
    if (!client_post(u->c, S("/v1/events"), "application/protobuf", headers, u->event.data, a, &an, &e))
        return ctl_fail(u->call, CTL_COULD_NOT, "%s", e.text);
    if (an.status == 202)
        return CTL_DONE;
    size_t n = client_errors(&an, a, &errors);
    for (size_t i = 0; i < n; i++)
        ctl_fail(u->call, CTL_PROBLEMS, "%.*s", SLICE_ARG(errors[i]));
    return an.status / 100 == 4 ? CTL_PROBLEMS : CTL_COULD_NOT;
}

static enum ctl_exit tell(const struct publishing *u, const char *status, struct slice hash)
{
    if (u->call->json)
        json_print(stdout, json_pack("{s:o, s:o, s:s, s:o, s:o}", "workflow", json_text(u->p->id), "hash",
                                     json_text(hash), "status", status, "source", json_text(u->event.source),
                                     "id", json_text(u->event.id)));
    else
        printf("%.*s: %s (%.*s)\n", SLICE_ARG(u->p->id), status, (int)(hash.n < 12 ? hash.n : 12), hash.p);
    return CTL_DONE;
}

/* What became of it: taken into force between two turns, or refused because something live does not fit it.
 */
static enum ctl_exit await(const struct publishing *u, struct slice hash)
{
    struct client_answer an;
    enum ctl_exit got = client_fetch(u->call, u->c, event_path(u, "&wait=30s"), 30, u->call->arena, &an);
    if (got != CTL_DONE)
        return got;
    json_t *o = json_loadb(an.body.p, an.body.n, 0, NULL);
    struct slice status = arena_dup(u->call->arena, json_member(o, "status"));
    const json_t *reasons = json_object_get(o, "reasons");
    for (size_t i = 0; i < json_array_size(reasons); i++)
        ctl_fail(u->call, CTL_PROBLEMS, "refused: %s", json_string_value(json_array_get(reasons, i)));
    bool applied = slice_eq(status, S("applied"));
    const json_t *notes = applied ? json_object_get(json_object_get(o, "history"), "reasons") : NULL;
    for (size_t i = 0; i < json_array_size(notes); i++)
        fprintf(stderr, "note: %s\n", json_string_value(json_array_get(notes, i)));
    json_decref(o);
    if (applied)
        return tell(u, "in force", hash);
    if (slice_eq(status, S("pending")))
        return ctl_fail(u->call, CTL_COULD_NOT, "published, but not taken in within 30 seconds");
    return CTL_PROBLEMS;
}

static enum ctl_exit publish(struct publishing *u)
{
    struct slice hash = definition_hash(&u->bundle, u->call->arena);
    bool same;
    enum ctl_exit status = look_in_force(u, hash, &same);
    if (status == CTL_DONE && same)
        return tell(u, "in force already", hash);
    if (status == CTL_DONE)
        status = choose_event(u);
    if (status == CTL_DONE)
        status = post(u);
    return status == CTL_DONE ? await(u, hash) : status;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct publishing u = {.call = call, .at = INSTANT_NONE};
    struct program *p;
    if (!ctl_load(call, call->argument[0], &u.bundle, &p))
        return CTL_PROBLEMS;
    u.p = p;
    if (ctl_value(call, "at") && !ctl_time(call, "--at", ctl_value(call, "at"), p->tz, &u.at))
        return CTL_USAGE;
    u.c = client_open(call);
    if (!u.c)
        return CTL_USAGE;
    enum ctl_exit status = publish(&u);
    client_close(u.c);
    return status;
}

const struct ctl_command ctl_publish = {
    .name = "publish",
    .arguments = "DIR",
    .summary = "put a workflow into force",
    .least = 1,
    .most = 1,
    .options = {{CLIENT_URL_OPTION},
                {"reason", "TEXT", "why, for the history", false},
                {"at", "T", "the event's own time, for a daemon that runs with `time: events`", false}},
    .run = run,
};
