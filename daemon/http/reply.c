/* Replies: their heads, errors, streams; and what handlers read of a query string. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/row.h"
#include "http/state.h"

static const struct {
    int status;
    const char *text;
} texts[] = {{200, "OK"},
             {202, "Accepted"},
             {400, "Bad Request"},
             {403, "Forbidden"},
             {404, "Not Found"},
             {405, "Method Not Allowed"},
             {408, "Request Timeout"},
             {413, "Content Too Large"},
             {415, "Unsupported Media Type"},
             {417, "Expectation Failed"},
             {421, "Misdirected Request"},
             {431, "Request Header Fields Too Large"},
             {500, "Internal Server Error"},
             {501, "Not Implemented"},
             {503, "Service Unavailable"},
             {505, "HTTP Version Not Supported"}};

static const char *status_text(int status)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Status";
}

/* ---- heads */

void reply_header(struct exchange *x, const char *name, const char *fmt, ...)
{
    va_list ap;

    buf_printf(&x->headers, "%s: ", name);
    va_start(ap, fmt);
    buf_vprintf(&x->headers, fmt, ap);
    va_end(ap);
    buf_add(&x->headers, S("\r\n"));
}

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void write_date(struct buf *head)
{
    char text[64];
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm); /* the program stays in the C locale */
    buf_printf(head, "Date: %s\r\n", text);
}

static void write_head(struct exchange *x, struct buf *head, int status, const char *content_type)
{
    buf_printf(head, "HTTP/1.1 %d %s\r\n", status, status_text(status));
    write_date(head);
    buf_printf(head, "Content-Type: %s\r\n", content_type);
    buf_add(
        head,
        S("Cache-Control: no-store\r\n"
          "X-Content-Type-Options: nosniff\r\n"
          "Referrer-Policy: no-referrer\r\n"
          "Cross-Origin-Resource-Policy: same-origin\r\n"));
    buf_printf(head, "Content-Security-Policy: %.*s\r\n", SLICE_ARG(x->policy.n ? x->policy : slice_of(policy)));
    if (x->age > 0)
        buf_printf(head, "Age: %lld\r\n", (long long)((x->age + 999) / 1000));
    buf_add(head, buf_slice(&x->headers));
    if (!connection_keeps(x->connection))
        buf_add(head, S("Connection: close\r\n"));
    else if (x->request.minor == 0)
        buf_add(head, S("Connection: keep-alive\r\n"));
    server_count_reply(x->server, status);
    x->answered = true;
}

static bool is_head(const struct exchange *x)
{
    return slice_eq(x->request.method, S("HEAD"));
}

void reply_send(struct exchange *x, int status, const char *content_type, struct slice body)
{
    struct buf out = {0};

    write_head(x, &out, status, content_type);
    buf_printf(&out, "Content-Length: %zu\r\n\r\n", body.n);
    if (!is_head(x))
        buf_add(&out, body);
    connection_write(x->connection, buf_slice(&out));
    buf_free(&out);
    connection_replied(x->connection);
}

void reply_json(struct exchange *x, int status, struct slice json)
{
    struct slice line = arena_printf(x->arena, "%.*s\n", SLICE_ARG(json));

    reply_send(x, status, "application/json", line);
}

void reply_reasons(struct exchange *x, int status, const struct reasons *why)
{
    struct buf json = {0};

    row_open(&json, NULL, '{');
    row_open(&json, "errors", '[');
    for (size_t i = 0; i < why->n; i++)
        row_text(&json, NULL, slice_is_utf8(why->item[i]) ? why->item[i] : S("(not UTF-8)"));
    row_close(&json, ']');
    row_close(&json, '}');
    struct slice text = arena_dup(x->arena, buf_slice(&json));
    buf_free(&json);
    reply_json(x, status, text);
}

void reply_error(struct exchange *x, int status, const char *fmt, ...)
{
    struct reasons why = {.arena = x->arena};
    struct err text;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text.text, sizeof text.text, fmt, ap);
    va_end(ap);
    reasons_add(&why, "%s", text.text);
    reply_reasons(x, status, &why);
}

/* ---- streams: they end with their connection, whoever closes it */

bool reply_stream(struct exchange *x, const char *content_type)
{
    struct buf head = {0};

    if (is_head(x)) {
        reply_send(x, 200, content_type, S(""));
        return false;
    }
    write_head(x, &head, 200, content_type);
    if (x->request.minor == 1)
        buf_add(&head, S("Transfer-Encoding: chunked\r\n"));
    buf_add(&head, S("\r\n"));
    connection_write(x->connection, buf_slice(&head));
    buf_free(&head);
    return true;
}

void reply_add(struct exchange *x, struct slice bytes)
{
    struct buf chunk = {0};

    if (bytes.n == 0)
        return;
    if (x->request.minor == 1)
        buf_printf(&chunk, "%zx\r\n", bytes.n);
    buf_add(&chunk, bytes);
    if (x->request.minor == 1)
        buf_add(&chunk, S("\r\n"));
    connection_write(x->connection, buf_slice(&chunk));
    buf_free(&chunk);
}

bool reply_behind(struct exchange *x)
{
    x->behind = connection_backlog(x->connection) > STREAM_MAX;
    return x->behind;
}

/* ---- waiting */

struct node *exchange_node(const struct exchange *x)
{
    return server_node(x->server);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct exchange *x = arg;

    (void)fd;
    (void)what;
    x->expired = true;
    x->look(x);
}

void exchange_wait(struct exchange *x, void (*look)(struct exchange *x), int64_t ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (x->look == NULL)
        server_wait(x);
    if (x->timer == NULL)
        x->timer = evtimer_new(server_base(x->server), on_timer, x);
    x->look = look;
    x->expired = false;
    event_add(x->timer, &tv);
}

/* ---- query strings */

static bool read_flag(struct slice value, void *to)
{
    static const char *const yes[] = {"", "1", "true", "yes"}, *const no[] = {"0", "false", "no"};

    for (size_t i = 0; i < 4; i++)
        if (slice_eq(value, slice_of(yes[i])))
            return *(bool *)to = true;
    for (size_t i = 0; i < 3; i++)
        if (slice_eq(value, slice_of(no[i]))) {
            *(bool *)to = false;
            return true;
        }
    return false;
}

/* "5s", "500ms", "5": at most WAIT_MAX_MS, which more is cut to. */
static bool read_wait(struct slice value, void *to)
{
    int64_t unit = 1000;
    uint64_t n;

    if (value.n > 2 && memcmp(value.p + value.n - 2, "ms", 2) == 0) {
        unit = 1;
        value.n -= 2;
    } else if (value.n > 1 && value.p[value.n - 1] == 's') {
        value.n--;
    }
    if (!parse_u64(value, &n))
        return false;
    *(int64_t *)to = n > WAIT_MAX_MS || (int64_t)n * unit > WAIT_MAX_MS ? WAIT_MAX_MS : (int64_t)n * unit;
    return true;
}

static bool read_count(struct slice value, void *to)
{
    uint64_t n;

    if (!parse_u64(value, &n) || n == 0)
        return false;
    *(size_t *)to = n > ROWS_MAX ? ROWS_MAX : (size_t)n;
    return true;
}

static bool read_text(struct slice value, void *to)
{
    *(struct slice *)to = value;
    return true;
}

static const struct {
    bool (*read)(struct slice value, void *to);
    const char *expected;
} readers[] = {[ASK_TEXT] = {read_text, "text"},
               [ASK_COUNT] = {read_count, "a number from 1"},
               [ASK_WAIT] = {read_wait, "a time like 5s or 500ms"},
               [ASK_FLAG] = {read_flag, "yes or no"}};

static const char *names_of(const struct ask *asks, size_t n, struct arena *a)
{
    struct slice all = S("");

    for (size_t i = 0; i < n; i++)
        all = arena_printf(a, "%.*s%s%s", SLICE_ARG(all), i > 0 ? ", " : "", asks[i].name);
    return n > 0 ? arena_printf(a, "%.*s", SLICE_ARG(all)).p : "nothing";
}

static void take_ask(const struct ask *asks, size_t n, struct slice name, struct slice value,
                     struct reasons *why)
{
    for (size_t i = 0; i < n; i++) {
        if (!slice_eq(name, slice_of(asks[i].name)))
            continue;
        if (!readers[asks[i].kind].read(value, asks[i].to))
            reasons_add(why, "%s: \"%.*s\" is not %s", asks[i].name, SLICE_ARG(value),
                        readers[asks[i].kind].expected);
        return;
    }
    reasons_add(why, "query: \"%.*s\" is not known; this call takes %s", SLICE_ARG(name),
                names_of(asks, n, why->arena));
}

bool exchange_ask(struct exchange *x, const struct ask *asks, size_t n)
{
    struct reasons why = {.arena = x->arena};
    struct slice query = x->request.query, name, value;
    bool bad;

    do {
        while (http_query_next(&query, x->arena, &name, &value, &bad))
            take_ask(asks, n, name, value, &why);
        if (bad)
            reasons_add(&why, "query: a part that is not percent-encoded UTF-8 text");
    } while (bad);
    if (why.n == 0)
        return true;
    reply_reasons(x, 400, &why);
    return false;
}
