#include "http/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/state.h"

#define READ_AHEAD ((size_t)128 << 10) /* bytes kept unread while a request is being answered */

const struct connection_limits connection_limits = {
    .idle = 60000, .head = 10000, .body = 30000, .stalled = 30000, .linger = 2000};

struct connection {
    struct server *server;
    struct bufferevent *bev;
    struct event *deadline; /* of what `phase` waits for */
    enum { PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_FLUSH, PHASE_LINGER, PHASE_DROP } phase;
    bool begun; /* PHASE_HEAD: some of it is there */
    bool keep;  /* open after this reply */
    struct exchange *x;
    struct http_chunks chunks;
    size_t body_max;
};

static void set_deadline(struct connection *c, int64_t ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    event_add(c->deadline, &tv);
}

/* ---- exchanges */

static struct exchange *exchange_new(struct connection *c)
{
    struct exchange *x = mem_alloc(sizeof *x);

    x->server = c->server;
    x->connection = c;
    x->arena = arena_new();
    return x;
}

static void exchange_free(struct exchange *x)
{
    server_unwait(x);
    if (x->gone != NULL)
        x->gone(x);
    if (x->timer != NULL)
        event_free(x->timer);
    buf_free(&x->body);
    buf_free(&x->headers);
    arena_free(x->arena);
    free(x);
}

static void end_exchange(struct connection *c)
{
    struct exchange *x = c->x;

    c->x = NULL;
    if (x != NULL)
        exchange_free(x);
}

/* ---- reading */

/* The request cannot be understood: what follows it on the connection cannot be, either. */
static void refuse(struct connection *c, int status, const char *why)
{
    event_del(c->deadline);
    c->keep = false;
    c->phase = PHASE_ANSWER;
    if (c->x == NULL)
        c->x = exchange_new(c);
    reply_error(c->x, status, "%s", why);
}

static void dispatch(struct connection *c)
{
    event_del(c->deadline);
    c->phase = PHASE_ANSWER;
    server_count_request(c->server);
    route_dispatch(c->x);
}

static void begin_body(struct connection *c)
{
    const struct http_request *r = &c->x->request;

    c->body_max = route_body_max(r);
    c->chunks = (struct http_chunks){CHUNK_SIZE, 0};
    if (!r->chunked && r->length > c->body_max) {
        refuse(c, 413, "body: larger than this call takes (1 MiB; a definition 4 MiB)");
        return;
    }
    if (!r->chunked && r->length == 0) {
        dispatch(c);
        return;
    }
    c->phase = PHASE_BODY;
    set_deadline(c, connection_limits.body);
    if (r->expect_continue)
        connection_write(c, S("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* True: something was taken in, look again. */
static bool read_head(struct connection *c, struct evbuffer *in)
{
    size_t have = evbuffer_get_length(in), most = have < HTTP_HEAD_MAX ? have : HTTP_HEAD_MAX;
    struct slice front = {(const char *)evbuffer_pullup(in, (ssize_t)most), most};
    const char *why = NULL;

    while (!c->begun && front.n > 0 &&
           (front.p[0] == '\r' || front.p[0] == '\n')) { /* left over by old clients */
        evbuffer_drain(in, 1);
        front.p++;
        front.n--;
    }
    if (front.n == 0)
        return false;
    size_t n = http_head_length(front);
    if (n == 0 && have < HTTP_HEAD_MAX) {
        if (!c->begun)
            set_deadline(c, connection_limits.head);
        c->begun = true;
        return false;
    }
    c->begun = false;
    c->x = exchange_new(c);
    if (n == 0) {
        refuse(c, 431, "header: larger than 16 KiB");
        return true;
    }
    struct slice head = arena_dup(c->x->arena, (struct slice){front.p, n});
    evbuffer_drain(in, n);
    int status = http_parse_head(head, &c->x->request, &why);
    c->keep = status == 0 && c->x->request.keep_alive;
    if (status != 0)
        refuse(c, status, why);
    else
        begin_body(c);
    return true;
}

static bool read_chunks(struct connection *c, struct evbuffer *in, struct slice front)
{
    bool too_large;
    size_t used;

    if (!http_chunks_feed(&c->chunks, front, &c->x->body, c->body_max, &used, &too_large)) {
        refuse(c, too_large ? 413 : 400,
               too_large ? "body: larger than this call takes (1 MiB; a definition 4 MiB)"
                         : "body: its chunks are malformed");
        return true;
    }
    evbuffer_drain(in, used);
    if (c->chunks.state == CHUNK_DONE)
        dispatch(c);
    return used > 0;
}

static bool read_body(struct connection *c, struct evbuffer *in)
{
    size_t have = evbuffer_get_length(in);
    struct buf *body = &c->x->body;

    if (have == 0)
        return false;
    if (c->x->request.chunked)
        return read_chunks(c, in, (struct slice){(const char *)evbuffer_pullup(in, -1), have});
    size_t missing = (size_t)c->x->request.length - body->n, n = have < missing ? have : missing;
    buf_reserve(body, n);
    evbuffer_remove(in, body->p + body->n, n);
    body->n += n;
    if (n == missing)
        dispatch(c);
    return true;
}

static void advance(struct connection *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    bool more = true;

    while (more) {
        if (c->phase == PHASE_HEAD) /* who sends on and on without reading is not answered on and on */
            more = connection_backlog(c) <= STREAM_MAX && read_head(c, in);
        else if (c->phase == PHASE_BODY)
            more = read_body(c, in);
        else
            more = false;
    }
    if (c->phase == PHASE_FLUSH || c->phase == PHASE_LINGER)
        evbuffer_drain(in, evbuffer_get_length(in));
}

/* ---- the connection's events */

static void on_read(struct bufferevent *bev, void *arg)
{
    (void)bev;
    advance(arg);
}

/* Closing at once would make the kernel take back what the other side has not read yet, if it is still
 * sending. */
static void begin_linger(struct connection *c)
{
    c->phase = PHASE_LINGER;
    shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    set_deadline(c, connection_limits.linger);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct connection *c = arg;

    (void)bev;
    if (c->phase == PHASE_FLUSH) {
        begin_linger(c);
    } else if (c->phase == PHASE_HEAD) {
        advance(c); /* a request may have been left unread behind the reply */
    } else if (c->phase == PHASE_ANSWER && c->x != NULL && c->x->behind && c->x->look != NULL) {
        c->x->behind = false;
        c->x->look(c->x);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct connection *c = arg;

    /* It has said its last word, but may be reading what it asked for. */
    if ((what & BEV_EVENT_EOF) && c->phase == PHASE_FLUSH &&
        evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        return;
    if ((what & BEV_EVENT_EOF) && c->phase == PHASE_HEAD &&
        evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        c->phase = PHASE_FLUSH;
        return;
    }
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        connection_free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct connection *c = arg;

    (void)fd;
    (void)what;
    if (c->phase == PHASE_BODY || (c->phase == PHASE_HEAD && c->begun))
        refuse(c, 408, "the request did not come in time");
    else
        connection_free(c);
}

/* ---- what the others call */

static void await_head(struct connection *c)
{
    c->phase = PHASE_HEAD;
    c->begun = false;
    set_deadline(c, connection_limits.idle);
}

struct connection *connection_new(struct server *s, evutil_socket_t fd)
{
    struct connection *c = mem_alloc(sizeof *c);
    const struct timeval stalled = {.tv_sec = connection_limits.stalled / 1000};

    c->server = s;
    c->bev = bufferevent_socket_new(server_base(s), fd, BEV_OPT_CLOSE_ON_FREE);
    c->deadline = evtimer_new(server_base(s), on_deadline, c);
    bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, READ_AHEAD);
    bufferevent_set_timeouts(c->bev, NULL, &stalled);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    await_head(c);
    return c;
}

void connection_free(struct connection *c)
{
    server_forget(c->server, c);
    end_exchange(c);
    event_free(c->deadline);
    bufferevent_free(c->bev);
    free(c);
}

void connection_replied(struct connection *c)
{
    end_exchange(c);
    if (c->phase == PHASE_DROP)
        return;
    if (!c->keep) {
        c->phase = PHASE_FLUSH;
        return;
    }
    await_head(c);
    if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0) /* the next request is there */
        bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void connection_write(struct connection *c, struct slice bytes)
{
    bufferevent_write(c->bev, bytes.p, bytes.n);
}

size_t connection_backlog(const struct connection *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev));
}

bool connection_keeps(const struct connection *c)
{
    return c->keep;
}
