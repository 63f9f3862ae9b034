/* The one table of what can be called, and the checks that stand before every handler. */
#include <strings.h>

#include "http/state.h"

/* Who may call. The zero of the table is nobody. */
enum access {
    ACCESS_NOBODY,
    ACCESS_READ, /* whoever reaches loopback under one of its names */
    ACCESS_WRITE /* the same, but no page of another origin */
};

static const struct route {
    const char *method, *pattern; /* a * is one part of the path */
    enum access access;
    void (*handle)(struct exchange *x);
} routes[] = {
    {"POST", "/v1/events", ACCESS_WRITE, handle_post_event},
    {"GET", "/v1/events/*/*", ACCESS_READ, handle_event},
    {"GET", "/v1/topics/*", ACCESS_READ, handle_topic},
    {"GET", "/v1/tasks", ACCESS_READ, handle_tasks},
    {"GET", "/v1/cases", ACCESS_READ, handle_cases},
    {"GET", "/v1/measures", ACCESS_READ, handle_measures},
    {"GET", "/v1/history", ACCESS_READ, handle_history},
    {"GET", "/v1/rejected", ACCESS_READ, handle_rejected},
    {"GET", "/v1/rejected/*", ACCESS_READ, handle_letter},
    {"GET", "/v1/rejected/*/*/*", ACCESS_READ, handle_letter},
    {"GET", "/v1/workflows", ACCESS_READ, handle_workflows},
    {"GET", "/v1/workflows/*/scores", ACCESS_READ, handle_scores},
    {"GET", "/v1/workflows/*/proposals", ACCESS_READ, handle_proposals},
    {"GET", "/v1/workflows/*/documents/*", ACCESS_READ, handle_document},
    {"GET", "/v1/units", ACCESS_READ, handle_units},
    {"GET", "/v1/overview", ACCESS_READ, handle_overview},
    {"GET", "/v1/live", ACCESS_READ, handle_live},
    {"POST", "/v1/clock/accept", ACCESS_WRITE, handle_accept_clock},
    {"GET", "/v1/status", ACCESS_READ, handle_status},
    {"GET", "/healthz", ACCESS_READ, handle_healthz},
    {"GET", "/readyz", ACCESS_READ, handle_readyz},
    {"GET", "/metrics", ACCESS_READ, handle_metrics},
    {"GET", "/", ACCESS_READ, handle_page},
    {"GET", "/assets/*", ACCESS_READ, handle_asset},
};
#define NROUTES (sizeof routes / sizeof *routes)

/* ---- paths */

static struct slice take_part(struct slice *path)
{
    const char *end = memchr(path->p, '/', path->n);
    struct slice part = {path->p, end != NULL ? (size_t)(end - path->p) : path->n};
    size_t used = part.n + (end != NULL);

    path->p += used;
    path->n -= used;
    return part;
}

/* What the stars stand for stays encoded: a part may have a slash in it. */
static bool matches(const char *pattern, struct slice path, struct slice *part)
{
    struct slice want = slice_of(pattern);
    size_t n = 0;

    while (want.n > 0 && path.n > 0) {
        bool more = memchr(want.p, '/', want.n) != NULL, has = memchr(path.p, '/', path.n) != NULL;
        struct slice a = take_part(&want), b = take_part(&path);

        if (more != has)
            return false;
        if (!slice_eq(a, S("*"))) {
            if (!slice_eq(a, b))
                return false;
        } else if (b.n == 0) {
            return false;
        } else {
            part[n++] = b;
        }
    }
    return want.n == 0 && path.n == 0;
}

static bool method_fits(const struct route *r, struct slice method)
{
    if (slice_eq(method, S("HEAD")))
        method = S("GET");
    return slice_eq(method, slice_of(r->method));
}

/* ---- who asks */

static bool host_is_local(struct slice host)
{
    const char *colon = host.n > 0 && host.p[0] != '[' ? memchr(host.p, ':', host.n) : NULL;
    static const char localhost[] = ".localhost";
    size_t n = sizeof localhost - 1;

    if (host.n > 0 && host.p[0] == '[') { /* [::1]:8470 */
        const char *end = memchr(host.p, ']', host.n);
        return end != NULL && slice_eq((struct slice){host.p, (size_t)(end - host.p) + 1}, S("[::1]"));
    }
    if (colon != NULL)
        host.n = (size_t)(colon - host.p);
    if (host.n > n && strncasecmp(host.p + host.n - n, localhost, n) == 0)
        return true;
    if (host.n == n - 1 && strncasecmp(host.p, localhost + 1, n - 1) == 0)
        return true;
    if (host.n < 7 || memcmp(host.p, "127.", 4) != 0)
        return false;
    for (size_t i = 4; i < host.n; i++)
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
            return false;
    return true;
}

/* A browser says where a page that writes comes from; programs say nothing. */
static bool origin_is_ours(const struct http_request *r)
{
    struct slice origin = http_header(r, "origin"), host = http_header(r, "host");
    struct slice site = http_header(r, "sec-fetch-site");
    const size_t scheme = sizeof "http://" - 1;

    if (site.n > 0 && !slice_eq(site, S("same-origin")) && !slice_eq(site, S("none")))
        return false;
    if (origin.n == 0)
        return true;
    return origin.n == scheme + host.n && memcmp(origin.p, "http://", scheme) == 0 &&
           strncasecmp(origin.p + scheme, host.p, host.n) == 0;
}

static bool may_call(struct exchange *x, const struct route *r)
{
    struct slice host = http_header(&x->request, "host");

    if (r->access == ACCESS_NOBODY) {
        reply_error(x, 403, "this call is open to nobody");
        return false;
    }
    if (host.n > 0 && !host_is_local(host)) { /* a name that was made to point here */
        reply_error(x, 403, "host: duband answers to loopback names only (127.0.0.1, [::1], localhost)");
        return false;
    }
    if (r->access == ACCESS_WRITE && !origin_is_ours(&x->request)) {
        reply_error(x, 403, "origin: pages of other origins may not write here");
        return false;
    }
    return true;
}

/* ---- */

size_t route_body_max(const struct http_request *r)
{
    return wire_data_max(http_header(r, "ce-type"));
}

static void refuse_method(struct exchange *x, const struct route *only)
{
    bool get = strcmp(only->method, "GET") == 0;

    reply_header(x, "Allow", "%s%s", only->method, get ? ", HEAD" : "");
    reply_error(x, 405, "%s takes %s only", only->pattern, get ? "GET and HEAD" : only->method);
}

static bool decode_parts(struct exchange *x)
{
    for (size_t i = 0; i < ROUTE_PARTS_MAX; i++)
        if (x->part[i].n > 0 && !http_percent_decode(x->part[i], false, x->arena, &x->part[i])) {
            reply_error(x, 400, "path: a part that is not percent-encoded UTF-8 text");
            return false;
        }
    return true;
}

void route_dispatch(struct exchange *x)
{
    const struct route *other = NULL;

    for (size_t i = 0; i < NROUTES; i++) {
        if (!matches(routes[i].pattern, x->request.path, x->part))
            continue;
        if (!method_fits(&routes[i], x->request.method)) {
            other = &routes[i];
            continue;
        }
        if (may_call(x, &routes[i]) && decode_parts(x))
            routes[i].handle(x);
        return;
    }
    if (other != NULL)
        refuse_method(x, other);
    else
        reply_error(x, 404, "nothing is here; the calls are listed in the README");
}
