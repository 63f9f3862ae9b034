/* dubanctl events: what became of one event. */
#include "ctl/client.h"
#include "ctl/json.h"

static void print_outputs(const json_t *history)
{
    const json_t *outputs = json_object_get(history, "outputs");
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *o = json_array_get(outputs, i);
        struct slice subject =
            json_member(o, "subject").n ? json_member(o, "subject") : json_member(o, "obligation");
        printf("  %.*s  %.*s  %.*s  %.*s  %.*s\n", SLICE_ARG(json_member(o, "topic")),
               SLICE_ARG(json_member(o, "title")), SLICE_ARG(json_member(o, "unit")), SLICE_ARG(subject),
               SLICE_ARG(json_member(o, "basis")));
    }
}

static void print_key(const json_t *transition, const char *member)
{
    const json_t *key = json_object_get(transition, member);
    printf("%.*s", SLICE_ARG(json_member(transition, "machine")));
    for (size_t k = 0; k < json_array_size(key); k++)
        printf("/%s", json_string_value(json_array_get(key, k)));
}

/* A succession: where an instance went, or whence it came. */
static void print_move(const json_t *t)
{
    bool gone = json_array_size(json_object_get(t, "moved_to")) > 0;
    if (gone)
        printf(": goes on as ");
    else
        printf(": %.*s, from ", SLICE_ARG(json_member(t, "to")));
    print_key(t, gone ? "moved_to" : "moved_from");
    printf("\n");
}

static void print_transitions(const json_t *history)
{
    const json_t *all = json_object_get(history, "transitions");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *t = json_array_get(all, i);
        printf("  ");
        print_key(t, "key");
        if (slice_eq(json_member(t, "event"), S("succession"))) {
            print_move(t);
            continue;
        }
        printf(": %.*s → %.*s  (%.*s)\n", SLICE_ARG(json_member(t, "from")), SLICE_ARG(json_member(t, "to")),
               SLICE_ARG(json_member(t, "rule")));
    }
}

static void print_event(const json_t *o)
{
    const json_t *reasons = json_object_get(o, "reasons"), *history = json_object_get(o, "history");
    printf("%.*s\n", SLICE_ARG(json_member(o, "status")));
    for (size_t i = 0; i < json_array_size(reasons); i++)
        printf("  %s\n", json_string_value(json_array_get(reasons, i)));
    print_transitions(history);
    print_outputs(history);
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct arena *a = call->arena;
    struct client_answer an;
    uint64_t wait = 0;
    const char *text = ctl_value(call, "wait"), *workflow = ctl_value(call, "workflow");
    if (text && (!parse_u64(slice_of(text), &wait) || wait > 60))
        return ctl_fail(call, CTL_USAGE, "--wait: '%s' is no number of seconds, 0 to 60", text);
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    struct slice path = arena_printf(
        a, "/v1/events/%.*s/%.*s?wait=%us%s%.*s", SLICE_ARG(client_escape(a, slice_of(call->argument[0]))),
        SLICE_ARG(client_escape(a, slice_of(call->argument[1]))), (unsigned)wait, workflow ? "&workflow=" : "",
        SLICE_ARG(client_escape(a, slice_of(workflow ? workflow : ""))));
    enum ctl_exit status = client_fetch(call, c, path, (int)wait, a, &an);
    client_close(c);
    if (status != CTL_DONE)
        return status;
    json_t *o = json_loadb(an.body.p, an.body.n, 0, NULL);
    if (slice_eq(json_member(o, "status"), S("rejected")))
        status = CTL_PROBLEMS;
    if (call->json) {
        json_print(stdout, o);
        return status;
    }
    print_event(o);
    json_decref(o);
    return status;
}

const struct ctl_command ctl_events = {
    .name = "events",
    .arguments = "SOURCE ID",
    .summary = "what became of one event: pending, applied with its effects, or rejected with the reasons",
    .least = 2,
    .most = 2,
    .options = {{CLIENT_URL_OPTION}, {"wait", "SECONDS", "until it is known, at most so long", false},
                {"workflow", "W", "whose it is: with several nodes, the one that serves it is asked", false}},
    .run = run,
};
