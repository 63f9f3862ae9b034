/* The listener, the connections, those who wait, and what other threads hand over. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "http/state.h"

struct server {
    struct event_base *base;
    struct evconnlistener *listener;
    struct node *node; /* NULL before server_serve and after server_stop */
    bool events_time;
    char url[96];
    struct connection *connections[CONNECTIONS_MAX];
    size_t nconnections;
    struct exchange *waiting; /* a ring's any member; NULL: nobody */
    size_t nwaiting;
    struct accepted *accepted;
    struct overview *overview;
    struct server_counts counts;
    uint64_t commits;

    int wakefd;
    struct event *wake;
    atomic_bool committed, published;
    pthread_mutex_t lock; /* over handed */
    struct handed *handed, **handed_end;
};

/* ---- what other threads say */

static void poke(struct server *s)
{
    const uint64_t one = 1;

    if (write(s->wakefd, &one, sizeof one) != (ssize_t)sizeof one && errno != EAGAIN)
        log_error("http: cannot be woken: %s", strerror(errno));
}

void server_committed(void *ctx)
{
    struct server *s = ctx;

    if (!atomic_exchange(&s->committed, true))
        poke(s);
}

void server_published(struct server *s)
{
    atomic_store(&s->published, true);
    server_committed(s);
}

void server_hand_over(struct server *s, struct handed *h)
{
    h->next = NULL;
    pthread_mutex_lock(&s->lock);
    bool first = s->handed == NULL;
    *s->handed_end = h;
    s->handed_end = &h->next;
    pthread_mutex_unlock(&s->lock);
    if (first)
        poke(s);
}

static void take_handed(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    struct handed *h = s->handed;
    s->handed = NULL;
    s->handed_end = &s->handed;
    pthread_mutex_unlock(&s->lock);
    while (h != NULL) {
        struct handed *next = h->next;

        h->take(h);
        h = next;
    }
}

/* Each that waits now looks once. Looking may end it, and may set others waiting. */
static void look_all(struct server *s)
{
    struct exchange *x = s->waiting;

    for (size_t n = s->nwaiting; n > 0; n--) {
        struct exchange *next = x->next;

        x->look(x);
        x = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct server *s = arg;
    uint64_t n;

    (void)what;
    if (read(fd, &n, sizeof n) != (ssize_t)sizeof n)
        return;
    take_handed(s);
    if (atomic_exchange(&s->committed, false)) {
        s->commits++;
        look_all(s);
    }
}

/* ---- who waits */

void server_wait(struct exchange *x)
{
    struct server *s = x->server;

    if (s->waiting == NULL) {
        x->next = x->prev = x;
        s->waiting = x;
    } else { /* behind all others, so that a round of looking does not meet it */
        x->next = s->waiting;
        x->prev = s->waiting->prev;
        x->prev->next = x->next->prev = x;
    }
    s->nwaiting++;
}

void server_unwait(struct exchange *x)
{
    struct server *s = x->server;

    if (x->next == NULL)
        return;
    if (s->waiting == x)
        s->waiting = x->next != x ? x->next : NULL;
    x->next->prev = x->prev;
    x->prev->next = x->next;
    x->next = x->prev = NULL;
    s->nwaiting--;
}

/* ---- connections */

void server_forget(struct server *s, struct connection *c)
{
    for (size_t i = 0; i < s->nconnections; i++)
        if (s->connections[i] == c) {
            s->connections[i] = s->connections[--s->nconnections];
            return;
        }
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int n, void *arg)
{
    static const char full[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 44\r\n"
        "Retry-After: 1\r\nConnection: close\r\n\r\n{\"errors\":[\"256 connections are open now\"]}\n";
    struct server *s = arg;

    (void)l;
    (void)from;
    (void)n;
    if (s->nconnections < CONNECTIONS_MAX) {
        s->connections[s->nconnections++] = connection_new(s, fd);
        return;
    }
    if (send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        shutdown(fd, SHUT_WR);
    server_count_reply(s, 503);
    evutil_closesocket(fd);
}

/* No file descriptors, most likely: the listener is level-triggered, so that it would come back at once and
 * for ever. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    (void)l;
    (void)arg;
    log_warn("http: a connection cannot be accepted: %s", strerror(errno));
    nanosleep(&pause, NULL);
}

/* ---- where to listen */

static bool parse_port(struct slice text, uint16_t *port)
{
    uint64_t n;

    if (!parse_u64(text, &n) || n > 65535)
        return false;
    *port = (uint16_t)n;
    return true;
}

/* The address, if it is one of loopback. */
static bool parse_host(struct slice host, uint16_t port, struct sockaddr_storage *out, socklen_t *n)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    char text[64];

    memset(out, 0, sizeof *out);
    if (slice_eq(host, S("localhost")))
        host = S("127.0.0.1");
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (struct slice){host.p + 1, host.n - 2};
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(host));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *n = sizeof *v4;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *n = sizeof *v6;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static bool parse_listen(const char *listen, struct sockaddr_storage *out, socklen_t *n, struct err *e)
{
    const char *colon = strrchr(listen, ':');
    uint16_t port;

    if (colon == NULL || !parse_port(slice_of(colon + 1), &port))
        return err_set(e, "listen: \"%s\" is not an address and a port, like 127.0.0.1:8470", listen);
    if (!parse_host((struct slice){listen, (size_t)(colon - listen)}, port, out, n))
        return err_set(e,
                       "listen: \"%s\" is not a loopback address; duband serves this machine only "
                       "(127.0.0.1, [::1] or localhost)",
                       listen);
    return true;
}

bool server_check_listen(const char *listen, struct err *e)
{
    struct sockaddr_storage at;
    socklen_t n;

    return parse_listen(listen, &at, &n, e);
}

static void write_url(struct server *s)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char host[64] = "127.0.0.1";

    getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&at, &n);
    if (at.ss_family == AF_INET6) {
        snprintf(s->url, sizeof s->url, "http://[::1]:%d", ntohs(((struct sockaddr_in6 *)&at)->sin6_port));
        return;
    }
    inet_ntop(AF_INET, &((struct sockaddr_in *)&at)->sin_addr, host, sizeof host);
    snprintf(s->url, sizeof s->url, "http://%s:%d", host, ntohs(((struct sockaddr_in *)&at)->sin_port));
}

static bool bind_listener(struct server *s, const char *listen, struct err *e)
{
    struct sockaddr_storage at;
    socklen_t n;

    if (!parse_listen(listen, &at, &n, e))
        return false;
    s->listener = evconnlistener_new_bind(s->base, on_accept, s,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE |
                                              LEV_OPT_DISABLED,
                                          128, (struct sockaddr *)&at, (int)n);
    if (s->listener == NULL)
        return err_set(e, "listen: %s cannot be had: %s", listen, strerror(errno));
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    write_url(s);
    return true;
}

/* ---- life */

struct server *server_open(struct event_base *base, const struct server_options *o, struct err *e)
{
    struct server *s = mem_alloc(sizeof *s);

    s->base = base;
    s->events_time = o->events_time;
    s->handed_end = &s->handed;
    s->accepted = accepted_new();
    pthread_mutex_init(&s->lock, NULL);
    s->wakefd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->wakefd < 0)
        err_set(e, "http: no eventfd: %s", strerror(errno));
    if (s->wakefd < 0 || !bind_listener(s, o->listen, e)) {
        server_close(s);
        return NULL;
    }
    s->wake = event_new(base, s->wakefd, EV_READ | EV_PERSIST, on_wake, s);
    event_add(s->wake, NULL);
    return s;
}

const char *server_url(const struct server *s)
{
    return s->url;
}

void server_serve(struct server *s, struct node *node)
{
    s->node = node;
    evconnlistener_enable(s->listener);
}

void server_stop(struct server *s)
{
    evconnlistener_disable(s->listener);
    while (s->nconnections > 0)
        connection_free(s->connections[0]);
}

void server_close(struct server *s)
{
    if (s == NULL)
        return;
    take_handed(s);
    overview_free(s->overview);
    accepted_free(s->accepted);
    if (s->wake != NULL)
        event_free(s->wake);
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    if (s->wakefd >= 0)
        close(s->wakefd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- what the handlers ask */

struct event_base *server_base(const struct server *s)
{
    return s->base;
}

struct node *server_node(const struct server *s)
{
    return s->node;
}

bool server_events_time(const struct server *s)
{
    return s->events_time;
}

bool server_is_published(const struct server *s)
{
    return atomic_load(&s->published);
}

uint64_t server_commits(const struct server *s)
{
    return s->commits;
}

struct accepted *server_accepted(const struct server *s)
{
    return s->accepted;
}

struct overview **server_overview(struct server *s)
{
    return &s->overview;
}

void server_count_request(struct server *s)
{
    s->counts.requests++;
}

void server_count_reply(struct server *s, int status)
{
    s->counts.replies[status / 100 % 6]++;
}

void server_counts(const struct server *s, struct server_counts *out)
{
    *out = s->counts;
    out->connections = s->nconnections;
    out->waiting = s->nwaiting;
}
