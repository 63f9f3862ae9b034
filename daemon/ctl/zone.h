/* The time zones of the workflows a daemon runs, for showing times as their people know them. */
#ifndef DUBAND_CTL_ZONE_H
#define DUBAND_CTL_ZONE_H

#include "ctl/client.h"

struct zones {
    struct arena *arena;
    struct zone {
        struct slice workflow;
        const struct tz *tz; /* NULL: not to be had here; times are shown in UTC */
    } * item;
    size_t n, cap;
};
/* Asks the daemon; CTL_DONE, or what to end with after saying why it does not answer. */
enum ctl_exit zones_load(struct zones *z, const struct ctl_call *call, struct client *c, struct arena *a);
/* "2024-04-10 09:00" in the workflow's zone, "2024-04-10T01:00:00Z" where it is unknown; text that is no
 * instant comes back as it is. */
struct slice zones_time(const struct zones *z, struct slice workflow, struct slice instant);
/* The day that ends at this instant: a limit's last. */
struct slice zones_last_day(const struct zones *z, struct slice workflow, struct slice instant);

#endif
