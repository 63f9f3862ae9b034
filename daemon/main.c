/* duband: reads its configuration, starts the node and the HTTP server, and stops them in reverse order. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config.h"
#include "http/server.h"
#include "publisher.h"

enum { EXIT_STOPPED = 0, EXIT_USAGE = 2, EXIT_NOT_STARTED = 3, EXIT_CUT_SHORT = 4 };

#define STOP_SECONDS 15

/* jemalloc reads it. One arena: what one thread frees, another takes; and what lies free for ten seconds goes back, or at rest (mem_give_back). */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:1,dirty_decay_ms:10000,muzzy_decay_ms:0";

struct daemon {
    struct config config;
    int ready_fd; /* -1: nobody waits */
    bool check;
    struct event_base *base;
    struct server *server;
    struct node *node;
    _Atomic(struct publisher *) publisher; /* workers' threads look at it */
    struct event *signals[3];
};

/* ---- the command line */

static void print_help(FILE *f)
{
    fputs("usage: duband [--config FILE] [--set KEY=VALUE]... [--check] [--ready-fd N]\n"
          "\n"
          "Supervises obligations: takes in submissions and deadlines, issues warnings and supervision.\n"
          "\n"
          "  --config FILE     read the configuration from FILE\n"
          "  --set KEY=VALUE   set one key, whatever the file says; a list as a,b; may be repeated\n"
          "  --check           say what is wrong with the configuration, and stop\n"
          "  --ready-fd N      write the address to file descriptor N once it serves\n"
          "  --version, --help\n"
          "\n"
          "Keys:\n",
          f);
    config_help(f);
    fputs("\nSIGTERM, SIGINT: finish the batch and stop. SIGHUP: publish the workflow folders that changed.\n"
          "Exit status: 0 stopped, 2 wrong usage or configuration, 3 could not start.\n",
          f);
}

static int usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int usage(const char *fmt, ...)
{
    va_list ap;

    fputs("duband: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

static int read_config(struct daemon *d, const char *path)
{
    struct diags diags = {.arena = arena_new()};
    bool ok = config_read(&d->config, path, &diags);

    diags_print(stderr, &diags, isatty(2) == 1);
    arena_free(diags.arena);
    return ok ? -1 : EXIT_USAGE;
}

static int parse_ready_fd(struct daemon *d, const char *text)
{
    uint64_t n;

    if (!parse_u64(slice_of(text), &n) || n > INT32_MAX || fcntl((int)n, F_GETFD) < 0)
        return usage("--ready-fd %s: not an open file descriptor", text);
    d->ready_fd = (int)n;
    return -1;
}

/* -1: go on; else the exit status. The file first, whatever the order, so that --set has the last word. */
static int parse_arguments(struct daemon *d, int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"set", required_argument, NULL, 's'},
                                          {"check", no_argument, NULL, 'k'},
                                          {"ready-fd", required_argument, NULL, 'r'},
                                          {"version", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    const char *file = NULL;
    int status = -1;
    struct err why;

    for (int o; status < 0 && (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (o == 'h' || o == 'v') {
            o == 'h' ? print_help(stdout) : (void)puts("duband " DUBAND_VERSION);
            return EXIT_STOPPED;
        }
        if (o == '?')
            return usage("duband --help says what there is");
        if (o == 'c')
            file = optarg;
        d->check = d->check || o == 'k';
        if (o == 'r')
            status = parse_ready_fd(d, optarg);
    }
    if (status < 0 && optind < argc)
        return usage("%s: unexpected; duband --help says what there is", argv[optind]);
    if (status < 0 && file != NULL)
        status = read_config(d, file);
    optind = 1;
    for (int o; status < 0 && (o = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (o == 's' && !config_set(&d->config, optarg, &why))
            status = usage("%s", why.text);
    return status;
}

static int check_config(struct daemon *d)
{
    struct err why;

    if (!config_agrees(&d->config, &why) || !server_check_listen(d->config.listen, &why))
        return usage("%s", why.text);
    if (d->check)
        puts("the configuration is fine");
    return d->check ? EXIT_STOPPED : -1;
}

/* ---- signals and threads */

static void on_stop(evutil_socket_t number, short what, void *arg)
{
    struct daemon *d = arg;

    (void)what;
    log_info("%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
    event_base_loopbreak(d->base);
}

static void on_hangup(evutil_socket_t number, short what, void *arg)
{
    struct daemon *d = arg;

    (void)number;
    (void)what;
    log_info("SIGHUP: looking at the workflow folders");
    publisher_again(atomic_load(&d->publisher));
}

static void on_committed(void *ctx)
{
    struct daemon *d = ctx;
    struct publisher *p = atomic_load(&d->publisher);

    server_committed(d->server);
    if (p != NULL)
        publisher_committed(p);
}

static void on_published(void *ctx)
{
    struct daemon *d = ctx;

    server_published(d->server);
}

static bool catch_signals(struct daemon *d)
{
    d->signals[0] = evsignal_new(d->base, SIGTERM, on_stop, d);
    d->signals[1] = evsignal_new(d->base, SIGINT, on_stop, d);
    d->signals[2] = evsignal_new(d->base, SIGHUP, on_hangup, d);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 3; i++)
        if (d->signals[i] == NULL || event_add(d->signals[i], NULL) != 0)
            return false;
    return true;
}

/* ---- start and stop */

static void url_path(const struct daemon *d, const char *suffix, char out[4096])
{
    snprintf(out, 4096, "%s/http.url%s", d->config.data, suffix);
}

/* Whoever reads the file sees all of it or none. */
static bool write_url(const struct daemon *d, struct err *e)
{
    char path[4096], temporary[4096];

    url_path(d, "", path);
    url_path(d, ".new", temporary);
    FILE *f = fopen(temporary, "we");
    bool ok = f != NULL && fprintf(f, "%s\n", server_url(d->server)) > 0;
    if (f != NULL && fclose(f) != 0)
        ok = false;
    return (ok && rename(temporary, path) == 0) ||
           err_set(e, "%s: cannot be written: %s", path, strerror(errno));
}

static void announce(struct daemon *d)
{
    if (d->ready_fd < 0)
        return;
    dprintf(d->ready_fd, "%s\n", server_url(d->server));
    close(d->ready_fd);
}

static bool start_node(struct daemon *d, struct err *e)
{
    const struct config *c = &d->config;
    struct header *property = ARENA_ARRAY(c->arena, struct header, c->properties.n + 1);

    for (size_t i = 0; i < c->properties.n; i++)
        property[i] = (struct header){c->properties.item[i].name, c->properties.item[i].value};
    const struct node_options options = {.data = c->data,
                                           .kafka = c->bus == 1,
                                           .kafka_options = {.property = property,
                                                             .nproperties = c->properties.n,
                                                             .group = c->kafka_group,
                                                             .node = c->node,
                                                             .topic_prefix = c->kafka_prefix,
                                                             .url = server_url(d->server)},
                                           .events_time = c->time == 1,
                                           .batch = c->batch,
                                           .workers = c->workers,
                                           .standby = c->standby == 1,
                                           .deferred = c->sync != 1,
                                           .map_most = c->mapped << 20,
                                           .committed = on_committed,
                                           .ctx = d};

    d->node = node_start(&options, e);
    return d->node != NULL;
}

static bool start(struct daemon *d, struct err *e)
{
    const struct config *c = &d->config;
    const struct server_options http = {.listen = c->listen, .events_time = c->time == 1};

    log_set_level((enum log_level)c->log);
    d->base = event_base_new();
    if (d->base == NULL || !catch_signals(d))
        return err_set(e, "the event loop cannot be had: %s", strerror(errno));
    d->server = server_open(d->base, &http, e);
    if (d->server == NULL || !start_node(d, e) || !write_url(d, e))
        return false;
    server_serve(d->server, d->node);
    atomic_store(&d->publisher,
                 publisher_start(d->node, c->workflows.item, c->workflows.n, on_published, d, e));
    return atomic_load(&d->publisher) != NULL;
}

/* A broker that never answers may hold a commit for ever. Leaving then loses nothing: the next start finds out what became of it. */
static void on_overdue(int number)
{
    static const char text[] = "level=error msg=\"stopping takes too long, the broker does not answer: leaving as it "
                               "is; nothing that was accepted is lost\"\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);

    (void)number;
    (void)written;
    _exit(EXIT_CUT_SHORT);
}

/* In reverse; what was not started is passed over. */
static void stop(struct daemon *d)
{
    char path[4096];

    signal(SIGALRM, on_overdue);
    alarm(STOP_SECONDS);
    publisher_stop(atomic_load(&d->publisher));
    if (d->server != NULL)
        server_stop(d->server);
    if (d->node != NULL) {
        url_path(d, "", path);
        unlink(path);
        node_stop(d->node);
    }
    publisher_free(atomic_load(&d->publisher));
    server_close(d->server);
    for (size_t i = 0; i < 3; i++)
        if (d->signals[i] != NULL)
            event_free(d->signals[i]);
    if (d->base != NULL)
        event_base_free(d->base);
    libevent_global_shutdown();
}

int main(int argc, char **argv)
{
    struct daemon d = {.ready_fd = -1};
    struct err why = {{0}};
    int status;

    config_init(&d.config);
    status = parse_arguments(&d, argc, argv);
    if (status < 0)
        status = check_config(&d);
    if (status < 0) {
        if (start(&d, &why)) {
            log_info("duband " DUBAND_VERSION " serves %s from %s", server_url(d.server), d.config.data);
            announce(&d);
            event_base_dispatch(d.base);
            status = EXIT_STOPPED;
        } else {
            fprintf(stderr, "duband: %s\n", why.text);
            status = EXIT_NOT_STARTED;
        }
        stop(&d);
    }
    config_free(&d.config);
    return status;
}
