/* Events to a daemon, and what became of each POST. */
#ifndef DUBAND_CTL_POST_H
#define DUBAND_CTL_POST_H

#include "ctl/client.h"
#include "ctl/event_file.h"

enum posted { POSTED, POST_REFUSED, POST_FAILED };

struct post_result {
    enum posted what;
    struct slice answer;  /* POSTED: the daemon's JSON */
    struct slice *errors; /* otherwise */
    size_t nerrors;
};
/* One event, or (n > 1) a batch that is taken as a whole. A daemon that cannot take it just now (503) is
 * asked again for a minute. */
void post_events(struct client *c, const struct file_event *event, size_t n, struct arena *a,
                 struct post_result *out);

#endif
