/* A file of events, run through a workflow in virtual time. */
#ifndef DUBAND_CTL_EVENT_RUN_H
#define DUBAND_CTL_EVENT_RUN_H

#include "ctl/ctl.h"
#include "engine/simulate.h"

struct event_run {         /* how long, and from when */
    instant_t from, until; /* INSTANT_NONE: the start of its effective span; after the last event */
};

/* Reads --from and --until of a command that has them. */
bool event_run_times(const struct ctl_call *call, const struct tz *tz, struct event_run *out);
/* Reads events, each with its time; false after saying why not. */
bool event_run_read(const struct ctl_call *call, const char *path, struct cloud_event **event, size_t *n);
/* The same from a text; path: for messages. */
bool event_run_parse(const struct ctl_call *call, const char *path, struct slice text,
                     struct cloud_event **event, size_t *n);
/* Feeds them, those after `until` left out, and lets time run on to it. took (may be NULL) is told of each.
 */
enum ctl_exit event_run_feed(const struct ctl_call *call, struct simulation *s, const struct event_run *run,
                             const struct cloud_event *event, size_t n,
                             void (*took)(void *ctx, const struct cloud_event *e, const struct outcome *out),
                             void *ctx);

#endif
