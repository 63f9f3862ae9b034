/* dubanctl rejected: what its two files share. */
#ifndef DUBAND_CTL_REJECTED_H
#define DUBAND_CTL_REJECTED_H

#include "ctl/client.h"
#include "ctl/json.h"

#define REDRIVE_SOURCE "duban/redrive" /* of the events that redrive: their id is PLACE#1, PLACE#2 … */

/* GET /v1/rejected/ID as an object of the caller's; NULL: *status says what to end with. */
json_t *rejected_fetch(const struct ctl_call *call, struct client *c, const char *id, enum ctl_exit *status);
/* What became of the nth redrive of the record; with wait_s, as soon as it is known. NULL and *status CTL_DONE: there was none. */
json_t *redrive_outcome(const struct ctl_call *call, struct client *c, const json_t *letter, unsigned nth, int wait_s,
                        enum ctl_exit *status);
enum ctl_exit redrive_run(const struct ctl_call *call, struct client *c, const char *id);

#endif
