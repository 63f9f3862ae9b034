/* The HTTP server: one thread, that of its event base. Loopback only.
 * Order of use: open (binds), then a node whose `committed` is server_committed, then serve,
 * event_base_dispatch, stop, node_stop, close. */
#ifndef DUBAND_HTTP_SERVER_H
#define DUBAND_HTTP_SERVER_H

#include "engine/node.h"

#define DUBAND_VERSION "0.1.0"

struct event_base;
struct server;

struct server_options {
    const char *listen; /* "127.0.0.1:8470"; a loopback address or localhost, then a port; 0: a free one */
    bool events_time;   /* the daemon's `time: events`: what "now" is on the page */
};

bool server_check_listen(const char *listen, struct err *e); /* without binding */
/* Binds, and refuses anything but loopback. Connections wait until server_serve. */
struct server *server_open(struct event_base *base, const struct server_options *o, struct err *e);
const char *server_url(const struct server *s); /* "http://127.0.0.1:8470" */
void server_serve(struct server *s, struct node *node);

/* Any thread: something was committed. ctx is the server. */
void server_committed(void *ctx);
/* Any thread: the configured folders have been looked at. Until then the daemon is not ready. */
void server_published(struct server *s);

void server_stop(struct server *s);  /* no more connections, none that waits; after it the node may go */
void server_close(struct server *s); /* after node_stop: no append is under way any more. NULL is fine */

#endif
