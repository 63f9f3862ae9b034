#include "ctl/event_run.h"

bool event_run_times(const struct ctl_call *call, const struct tz *tz, struct event_run *out)
{
    const char *from = ctl_value(call, "from"), *until = ctl_value(call, "until");
    *out = (struct event_run){INSTANT_NONE, INSTANT_NONE};
    return (!from || ctl_time(call, "--from", from, tz, &out->from)) &&
           (!until || ctl_time(call, "--until", until, tz, &out->until));
}

bool event_run_parse(const struct ctl_call *call, const char *path, struct slice text,
                     struct cloud_event **event, size_t *n)
{
    struct reasons why = {.arena = call->arena};
    cloud_events_from_json_batch(text, call->arena, event, n, &why);
    for (size_t i = 0; !why.n && i < *n; i++)
        if ((*event)[i].time == INSTANT_NONE)
            reasons_add(&why, "event %zu (%.*s): it has no `time`, which is its receipt time in a simulation",
                        i + 1, SLICE_ARG((*event)[i].id));
    for (size_t i = 0; i < why.n; i++)
        ctl_fail(call, CTL_COULD_NOT, "%s: %.*s", path, SLICE_ARG(why.item[i]));
    return !why.n;
}

bool event_run_read(const struct ctl_call *call, const char *path, struct cloud_event **event, size_t *n)
{
    struct slice text;
    return ctl_read_file(call, path, &text) && event_run_parse(call, path, text, event, n);
}

enum ctl_exit event_run_feed(const struct ctl_call *call, struct simulation *s, const struct event_run *run,
                             const struct cloud_event *event, size_t n,
                             void (*took)(void *ctx, const struct cloud_event *e, const struct outcome *out),
                             void *ctx)
{
    struct err e;
    for (size_t i = 0; i < n; i++) {
        struct outcome out;
        if (run->until != INSTANT_NONE && event[i].time > run->until)
            break;
        if (!simulation_event(s, &event[i], event[i].time, &out, &e))
            return ctl_fail(call, CTL_COULD_NOT, "event %zu (%.*s): %s", i + 1, SLICE_ARG(event[i].id),
                            e.text);
        if (took)
            took(ctx, &event[i], &out);
    }
    if (run->until != INSTANT_NONE && !simulation_until(s, run->until, &e))
        return ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    return CTL_DONE;
}
