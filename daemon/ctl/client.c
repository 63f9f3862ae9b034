#include "ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/json.h"

#define CONNECT_MS 5000
#define ANSWER_MS 15000 /* the daemon itself gives up on its log after ten seconds */

struct client {
    struct arena *arena;
    struct slice shown;
    struct client_url url;
    int fd; /* -1: not connected */
};

/* ---- urls */

bool client_url_parse(struct slice url, struct arena *a, struct client_url *out, struct err *e)
{
    const size_t scheme = sizeof "http://" - 1;
    uint64_t port = 80;
    if (url.n >= 8 && !strncasecmp(url.p, "https://", 8))
        return err_set(e, "'%.*s': duband speaks plain HTTP on loopback: http://", SLICE_ARG(url));
    if (url.n <= scheme || strncasecmp(url.p, "http://", scheme) != 0)
        return err_set(e, "'%.*s' is no address; expected one like http://127.0.0.1:8470", SLICE_ARG(url));
    struct slice rest = {url.p + scheme, url.n - scheme};
    const char *slash = memchr(rest.p, '/', rest.n);
    struct slice authority = {rest.p, slash ? (size_t)(slash - rest.p) : rest.n};
    struct slice prefix = {rest.p + authority.n, rest.n - authority.n};
    while (prefix.n && prefix.p[prefix.n - 1] == '/')
        prefix.n--;
    const char *bracket = authority.n && authority.p[0] == '[' ? memchr(authority.p, ']', authority.n) : NULL;
    size_t from = bracket ? (size_t)(bracket - authority.p) + 1 : 0;
    const char *colon = authority.n > from ? memchr(authority.p + from, ':', authority.n - from) : NULL;
    size_t host = colon ? (size_t)(colon - authority.p) : authority.n;
    if (!host || !slice_is_printable(url) || memchr(url.p, ' ', url.n) || (bracket && host != from) ||
        (colon &&
         (!parse_u64((struct slice){colon + 1, authority.n - host - 1}, &port) || port < 1 || port > 65535)))
        return err_set(e, "'%.*s' is no address; expected one like http://127.0.0.1:8470", SLICE_ARG(url));
    *out = (struct client_url){
        .host = bracket ? arena_dup(a, (struct slice){authority.p + 1, from - 2})
                        : arena_dup(a, (struct slice){authority.p, host}),
        .port = arena_printf(a, "%d", (int)port),
        .prefix = arena_dup(a, prefix),
        .authority = arena_dup(a, authority),
    };
    return true;
}

struct slice client_escape(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, 3 * s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~", c));
        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = "0123456789ABCDEF"[c >> 4];
        out[n++] = "0123456789ABCDEF"[c & 15];
    }
    return (struct slice){out, n};
}

/* ---- the connection */

struct client *client_open(const struct ctl_call *call)
{
    struct client *c = ARENA_NEW(call->arena, struct client);
    const char *url = ctl_value(call, "url");
    struct err e;
    if (!url)
        url = getenv("DUBAN_URL");
    *c = (struct client){
        .arena = call->arena, .shown = slice_of(url && *url ? url : "http://127.0.0.1:8470"), .fd = -1};
    if (client_url_parse(c->shown, call->arena, &c->url, &e))
        return c;
    ctl_fail(call, CTL_USAGE, "%s", e.text);
    return NULL;
}

static void disconnect(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void client_close(struct client *c)
{
    if (c)
        disconnect(c);
}

const char *client_url(const struct client *c)
{
    return c->shown.p;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* Waits until the socket can be read or written; false and e when `until` has passed. */
static bool ready(const struct client *c, short events, int64_t until, struct err *e)
{
    struct pollfd p = {.fd = c->fd, .events = events};
    for (;;) {
        int64_t left = until - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (n == 0 && left <= 0)
            return err_set(e, "%s did not answer in time", c->shown.p);
        if (n < 0 && errno != EINTR)
            return err_set(e, "%s: %s", c->shown.p, strerror(errno));
    }
}

static bool connect_one(struct client *c, const struct addrinfo *at, struct err *e)
{
    int failed = 0;
    socklen_t length = sizeof failed;
    c->fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
    if (c->fd < 0)
        return err_set(e, "%s: %s", c->shown.p, strerror(errno));
    if (connect(c->fd, at->ai_addr, at->ai_addrlen) == 0)
        return true;
    if (errno == EINPROGRESS) {
        if (!ready(c, POLLOUT, now_ms() + CONNECT_MS, e))
            return false;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failed, &length);
    } else
        failed = errno;
    if (failed == ECONNREFUSED)
        return err_set(e, "nothing answers: is duband running at %s?", c->shown.p);
    return !failed || err_set(e, "%s: %s", c->shown.p, strerror(failed));
}

static bool connect_any(struct client *c, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int failed = getaddrinfo(c->url.host.p, c->url.port.p, &hints, &list);
    bool ok = false;
    if (failed)
        return err_set(e, "%s: %s", c->shown.p, gai_strerror(failed));
    for (const struct addrinfo *at = list; at && !ok; at = at->ai_next) {
        ok = connect_one(c, at, e);
        if (!ok)
            disconnect(c);
    }
    freeaddrinfo(list);
    return ok;
}

static bool send_all(struct client *c, struct slice bytes, int64_t until, struct err *e)
{
    while (bytes.n) {
        ssize_t n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n > 0)
            bytes = (struct slice){bytes.p + n, bytes.n - (size_t)n};
        else if (n < 0 && errno == EAGAIN) {
            if (!ready(c, POLLOUT, until, e))
                return false;
        } else if (errno != EINTR)
            return err_set(e, "%s: %s", c->shown.p, strerror(errno));
    }
    return true;
}

/* Reads one whole answer. *any: something came, so that the request was taken up. */
static bool receive(struct client *c, int64_t until, struct arena *a, struct client_answer *out, bool *any,
                    struct err *e)
{
    struct answer_reader r = {0};
    bool ok = true;
    while (ok && !r.done) {
        buf_reserve(&r.in, 65536);
        ssize_t n = recv(c->fd, r.in.p + r.in.n, 65536, 0);
        if (n > 0) {
            *any = true;
            r.in.n += (size_t)n;
            ok = answer_take(&r, a, e);
        } else if (n == 0) {
            ok = answer_end(&r, e);
            if (ok)
                r.answer.body = arena_dup(a, buf_slice(&r.body));
        } else if (errno == EAGAIN)
            ok = ready(c, POLLIN, until, e);
        else if (errno != EINTR)
            ok = err_set(e, "%s: %s", c->shown.p, strerror(errno));
    }
    *out = r.answer;
    if (!ok || !r.keep)
        disconnect(c);
    answer_reader_free(&r);
    return ok;
}

/* A kept connection may have been closed meanwhile: then the request goes out once more on a fresh one. (An
 * event that was taken twice all the same is a duplicate by its id.) */
static bool exchange(struct client *c, struct slice request, struct slice body, int wait_s, struct arena *a,
                     struct client_answer *out, struct err *e)
{
    for (;;) {
        bool kept = c->fd >= 0, any = false;
        int64_t until = now_ms() + ANSWER_MS + wait_s * INT64_C(1000);
        if (!kept && !connect_any(c, e))
            return false;
        /* A refusal may come before the body was taken, and the rest of it be reset: the answer counts. */
        bool sent = send_all(c, request, until, e) && send_all(c, body, until, e);
        struct err unread;
        if (receive(c, until, a, out, &any, sent ? e : &unread))
            return true;
        disconnect(c);
        if (!kept || any)
            return false;
    }
}

/* What is asked, of whichever daemon. */
struct asked {
    const char *method;
    struct slice path, fields, body; /* fields: of the head, each with its line's end */
    int wait_s;
};

static bool ask(struct client *c, const struct asked *q, struct arena *a, struct client_answer *out, struct err *e)
{
    struct slice head =
        arena_printf(a, "%s %.*s%.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: dubanctl\r\n%.*s\r\n", q->method,
                     SLICE_ARG(c->url.prefix), SLICE_ARG(q->path), SLICE_ARG(c->url.authority), (int)q->fields.n,
                     q->fields.n ? q->fields.p : "");
    return exchange(c, head, q->body, q->wait_s, a, out, e);
}

/* Location is the same path at another daemon's. */
static bool ask_there(const struct client *c, const struct asked *q, struct arena *a, struct client_answer *out,
                      struct err *e)
{
    struct slice at = out->location;
    struct client there = {.arena = a, .fd = -1};
    struct err why;
    if (at.n < q->path.n || memcmp(at.p + at.n - q->path.n, q->path.p, q->path.n) != 0)
        return true; /* not what we know: the answer stands */
    there.shown = arena_dup(a, (struct slice){at.p, at.n - q->path.n});
    if (!client_url_parse(there.shown, a, &there.url, &why))
        return true;
    bool ok = ask(&there, q, a, out, &why) ||
              err_set(e, "%s says that %s serves it: %s", c->shown.p, there.shown.p, why.text);
    disconnect(&there);
    return ok;
}

static bool ask_and_follow(struct client *c, const struct asked *q, struct arena *a, struct client_answer *out,
                           struct err *e)
{
    if (!ask(c, q, a, out, e))
        return false;
    return out->status != 421 || !out->location.n || ask_there(c, q, a, out, e);
}

bool client_get(struct client *c, struct slice path, int wait_s, struct arena *a, struct client_answer *out,
                struct err *e)
{
    const struct asked q = {.method = "GET", .path = path, .wait_s = wait_s};
    return ask_and_follow(c, &q, a, out, e);
}

bool client_post(struct client *c, struct slice path, const char *content_type, struct slice headers,
                 struct slice body, struct arena *a, struct client_answer *out, struct err *e)
{
    const struct asked q = {.method = "POST",
                            .path = path,
                            .fields = arena_printf(a, "Content-Type: %s\r\nContent-Length: %zu\r\n%.*s",
                                                   content_type, body.n, (int)headers.n, headers.n ? headers.p : ""),
                            .body = body};
    return ask_and_follow(c, &q, a, out, e);
}

/* ---- errors as the daemon says them */

size_t client_errors(const struct client_answer *an, struct arena *a, struct slice **out)
{
    json_t *o = json_loadb(an->body.p ? an->body.p : "", an->body.n, 0, NULL);
    const json_t *errors = json_object_get(o, "errors");
    size_t n = json_array_size(errors), kept = 0;
    *out = ARENA_ARRAY(a, struct slice, n + 1);
    for (size_t i = 0; i < n; i++)
        if (json_is_string(json_array_get(errors, i)))
            (*out)[kept++] = arena_dup(a, slice_of(json_string_value(json_array_get(errors, i))));
    if (!kept)
        (*out)[kept++] = arena_printf(a, "the daemon answered with status %d", an->status);
    json_decref(o);
    return kept;
}

bool client_line(struct slice *body, struct slice *line)
{
    const char *end = body->n ? memchr(body->p, '\n', body->n) : NULL;
    *line = (struct slice){body->p, end ? (size_t)(end - body->p) : body->n};
    if (!body->n)
        return false;
    size_t used = line->n + (end != NULL);
    *body = (struct slice){body->p + used, body->n - used};
    return true;
}

enum ctl_exit client_fetch(const struct ctl_call *call, struct client *c, struct slice path, int wait_s,
                           struct arena *a, struct client_answer *out)
{
    struct err e;
    struct slice *errors;
    if (!client_get(c, path, wait_s, a, out, &e))
        return ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    if (out->status == 200)
        return CTL_DONE;
    size_t n = client_errors(out, a, &errors);
    for (size_t i = 0; i < n; i++)
        ctl_fail(call, CTL_USAGE, "%.*s", SLICE_ARG(errors[i]));
    return out->status == 400 ? CTL_USAGE : out->status == 404 ? CTL_PROBLEMS : CTL_COULD_NOT;
}
