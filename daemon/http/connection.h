/* Connections: reading requests within limits of size and time, writing replies, closing politely. Between
 * server.c, which accepts them, and route.c, which answers. */
#ifndef DUBAND_HTTP_CONNECTION_H
#define DUBAND_HTTP_CONNECTION_H

#include <event2/event.h>

#include "http/exchange.h"

#define CONNECTIONS_MAX 256

struct connection_limits { /* milliseconds */
    int64_t idle;          /* between requests */
    int64_t head;          /* from a request's first byte to the end of its head */
    int64_t body;          /* from there to the end of its body */
    int64_t stalled;       /* no byte of a reply was taken */
    int64_t linger;        /* after the last byte of a reply, for the other side to close */
};
extern const struct connection_limits connection_limits;

/* Takes the socket over. */
struct connection *connection_new(struct server *s, evutil_socket_t fd);
void connection_free(struct connection *c);

/* The reply is complete: goes on to the next request, or closes. The exchange ends here. */
void connection_replied(struct connection *c);
void connection_write(struct connection *c, struct slice bytes);
size_t connection_backlog(const struct connection *c);
bool connection_keeps(const struct connection *c); /* open after this reply */

/* ---- route.c */
/* How large the request's body may be. */
size_t route_body_max(const struct http_request *r);
void route_dispatch(struct exchange *x);

#endif
