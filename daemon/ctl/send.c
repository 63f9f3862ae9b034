/* dubanctl send: events to a daemon, each on its own. */
#include "ctl/json.h"
#include "ctl/post.h"

static const char *const words[] = {
    [POSTED] = "accepted", [POST_REFUSED] = "refused", [POST_FAILED] = "failed"};

static void tell_json(const struct file_event *f, const struct post_result *r)
{
    json_t *o = json_object(), *errors = json_array();
    json_t *answer = r->what == POSTED ? json_loadb(r->answer.p, r->answer.n, 0, NULL) : NULL;
    json_object_set_new(o, "line", json_integer(f->line));
    json_object_set_new(o, "source", json_text(f->event.source));
    json_object_set_new(o, "id", json_text(f->event.id));
    json_object_set_new(o, "status", json_string(words[r->what]));
    if (answer)
        json_object_update(o, answer);
    json_decref(answer);
    for (size_t i = 0; i < r->nerrors; i++)
        json_array_append_new(errors, json_text(r->errors[i]));
    json_object_set_new(o, "errors", errors);
    json_print(stdout, o);
}

static void tell(const struct file_event *f, const struct post_result *r)
{
    struct slice id = f->event.id.n ? f->event.id : S("(no id)");
    printf("%.*s from %.*s: %s", SLICE_ARG(id), SLICE_ARG(f->event.source), words[r->what]);
    json_t *answer = r->what == POSTED ? json_loadb(r->answer.p, r->answer.n, 0, NULL) : NULL;
    if (answer)
        printf(", %s partition %lld offset %lld, received %s",
               json_string_value(json_object_get(answer, "topic")),
               (long long)json_integer_value(json_object_get(answer, "partition")),
               (long long)json_integer_value(json_object_get(answer, "offset")),
               json_member(answer, "received").p);
    json_decref(answer);
    putchar('\n');
    for (size_t i = 0; i < r->nerrors; i++)
        printf("  %.*s\n", SLICE_ARG(r->errors[i]));
}

static enum ctl_exit send_all(const struct ctl_call *call, struct client *c, const struct file_event *event,
                              size_t n)
{
    enum ctl_exit worst = CTL_DONE;
    struct arena *a = arena_new();
    size_t accepted = 0;
    for (size_t i = 0; i < n && worst != CTL_COULD_NOT; i++) {
        struct post_result r;
        arena_reset(a);
        post_events(c, &event[i], 1, a, &r);
        (call->json ? tell_json : tell)(&event[i], &r);
        accepted += r.what == POSTED;
        if (r.what != POSTED)
            worst = r.what == POST_FAILED ? CTL_COULD_NOT : CTL_PROBLEMS;
    }
    if (worst == CTL_COULD_NOT)
        ctl_fail(call, worst, "%zu of %zu events were accepted; sending the same file again is safe",
                 accepted, n);
    arena_free(a);
    return worst;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct file_event *event;
    size_t n;
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    if (!event_file_read(call, call->argument[0], &event, &n))
        return CTL_COULD_NOT;
    enum ctl_exit status = send_all(call, c, event, n);
    client_close(c);
    return status;
}

const struct ctl_command ctl_send = {
    .name = "send",
    .arguments = "FILE",
    .summary = "send events (CloudEvents in JSON; - reads standard input) and say what became of each",
    .least = 1,
    .most = 1,
    .options = {{CLIENT_URL_OPTION}},
    .run = run,
};
