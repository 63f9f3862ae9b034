/* One request and its answer: what handlers see. A handler replies at once, or sets the exchange waiting;
 * after a reply (or the end of a stream) the exchange is gone and must not be touched. All of it on the
 * server's thread. */
#ifndef DUBAND_HTTP_EXCHANGE_H
#define DUBAND_HTTP_EXCHANGE_H

#include "http/request.h"
#include "http/server.h"

#define ROUTE_PARTS_MAX 4
#define ROWS_MAX 1000                /* of one answer */
#define ANSWER_MAX ((size_t)4 << 20) /* bytes of one answer, roughly: it ends after the row that passes it   \
                                      */
#define STREAM_MAX                                                                                           \
    ((size_t)256 << 10)   /* bytes that a stream's reader may be behind before it is made to wait */
#define WAIT_MAX_MS 60000 /* longest long poll */

struct connection;
struct event;

struct exchange {
    struct server *server;
    struct connection *connection;
    struct arena *arena;
    struct http_request request;
    struct buf body;
    struct slice part[ROUTE_PARTS_MAX]; /* what the stars of the route's pattern stand for, decoded */
    struct buf headers;                 /* of the reply, beside the usual */
    struct slice policy;                /* its Content-Security-Policy; empty: the usual */
    int64_t age;                        /* ms: how old what was read for the reply may be */
    bool answered;                      /* its head is on the way */
    bool behind;                        /* its reader was found slow */

    /* Of a handler that waits. look: after a commit, when a stream's reader has caught up, and (expired) when
     * the time is over. gone: the exchange ends, answered or not. */
    void (*look)(struct exchange *x);
    void (*gone)(struct exchange *x);
    void *own;
    bool expired;
    struct event *timer;
    struct exchange *next, *prev;
};

struct node *exchange_node(const struct exchange *x);
/* look is called from now on; again with other milliseconds to go on. */
void exchange_wait(struct exchange *x, void (*look)(struct exchange *x), int64_t ms);

/* ---- replies */

/* One more header field of the reply. */
void reply_header(struct exchange *x, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void reply_send(struct exchange *x, int status, const char *content_type, struct slice body);
void reply_json(struct exchange *x, int status, struct slice json);
/* {"errors":["…"]} */
void reply_error(struct exchange *x, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void reply_reasons(struct exchange *x, int status, const struct reasons *why);

/* A reply that goes on until its reader leaves. False: it was a HEAD, and is answered. */
bool reply_stream(struct exchange *x, const char *content_type);
void reply_add(struct exchange *x, struct slice bytes);
bool reply_behind(struct exchange *x); /* its reader is slow: add no more until look is called */


/* ---- what a query string asks */

struct ask {
    const char *name;
    enum { ASK_TEXT, ASK_COUNT, ASK_WAIT, ASK_FLAG } kind;
    void *to; /* struct slice; size_t; int64_t (ms); bool */
};
/* Reads the query string into what `asks` name. False after a 400 that lists everything wrong. */
bool exchange_ask(struct exchange *x, const struct ask *asks, size_t n);

#endif
