/* Files of events: CloudEvents in JSON, one a line, or one object, or an array; each kept as it was written,
 * so that it is sent byte for byte. */
#ifndef DUBAND_CTL_EVENT_FILE_H
#define DUBAND_CTL_EVENT_FILE_H

#include "ctl/ctl.h"
#include "wire/wire.h"

struct file_event {
    struct slice text;
    int line;
    struct cloud_event event; /* as far as it could be read: `why` has nothing then */
    struct reasons why;
};
/* Splits the text into objects; false and e where it is not made of them. */
bool event_file_split(struct slice text, struct arena *a, struct file_event **out, size_t *n, struct err *e);
/* Reads a file ("-": standard input) and every event of it. False after saying why there are none. */
bool event_file_read(const struct ctl_call *call, const char *path, struct file_event **out, size_t *n);

#endif
