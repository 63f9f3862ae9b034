#include "http/request.h"

#include <strings.h>

#define CHUNK_LINE_MAX 1024 /* of a chunk's size with its extensions, or of a trailer's line */

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

        if (!alphanumeric && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.n > 0;
}

static bool same_word(struct slice s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

static struct slice trim(struct slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* ---- lines */

size_t http_head_length(struct slice bytes)
{
    size_t line = 0;

    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != '\n')
            continue;
        size_t n = i - line;
        if (n == 0 || (n == 1 && bytes.p[line] == '\r'))
            return i + 1;
        line = i + 1;
    }
    return 0;
}

/* The next line without its end; false: there is none. */
static bool take_line(struct slice *in, struct slice *line)
{
    const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;

    if (end == NULL)
        return false;
    line->p = in->p;
    line->n = (size_t)(end - in->p);
    in->n -= line->n + 1;
    in->p = end + 1;
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

/* The part before the next `stop`, which is dropped; all of it when there is none. */
static struct slice take_until(struct slice *in, char stop)
{
    const char *end = in->n > 0 ? memchr(in->p, stop, in->n) : NULL;
    struct slice part = {in->p, end != NULL ? (size_t)(end - in->p) : in->n};
    size_t used = part.n + (end != NULL);

    in->p += used;
    in->n -= used;
    return part;
}

static int refuse(int status, const char *sentence, const char **why)
{
    *why = sentence;
    return status;
}

/* ---- the request line */

static int parse_target(struct slice target, struct http_request *out, const char **why)
{
    for (size_t i = 0; i < target.n; i++)
        if ((unsigned char)target.p[i] <= ' ' || (unsigned char)target.p[i] >= 0x7f)
            return refuse(400, "request line: the target has bytes that must be percent-encoded", why);
    if (target.n > 7 && strncasecmp(target.p, "http://", 7) == 0) {
        const char *path = memchr(target.p + 7, '/', target.n - 7);

        if (path == NULL)
            return refuse(400, "request line: expected a path like /v1/events", why);
        target = (struct slice){path, target.n - (size_t)(path - target.p)};
    }
    if (target.n == 0 || target.p[0] != '/')
        return refuse(400, "request line: expected a path like /v1/events", why);
    out->path = take_until(&target, '?');
    out->query = target;
    return 0;
}

static int parse_request_line(struct slice line, struct http_request *out, const char **why)
{
    struct slice rest = line;

    out->method = take_until(&rest, ' ');
    struct slice target = take_until(&rest, ' ');
    if (!is_token(out->method) || target.n == 0)
        return refuse(400, "request line: expected METHOD PATH HTTP/1.1", why);
    if (rest.n != 8 || memcmp(rest.p, "HTTP/", 5) != 0 || rest.p[6] != '.')
        return refuse(400, "request line: expected METHOD PATH HTTP/1.1", why);
    if (rest.p[5] != '1' || (rest.p[7] != '0' && rest.p[7] != '1'))
        return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", why);
    out->minor = rest.p[7] - '0';
    out->keep_alive = out->minor == 1;
    return parse_target(target, out, why);
}

/* ---- header fields */

static int parse_field(struct slice line, struct http_request *out, const char **why)
{
    struct slice rest = line, name;

    if (memchr(line.p, ':', line.n) == NULL)
        return refuse(400, "header: a line without a colon", why);
    name = take_until(&rest, ':');
    if (!is_token(name)) /* folded lines and blanks before the colon end here, too */
        return refuse(400, "header: a name that is not one", why);
    rest = trim(rest);
    for (size_t i = 0; i < rest.n; i++)
        if (((unsigned char)rest.p[i] < ' ' && rest.p[i] != '\t') || rest.p[i] == 0x7f)
            return refuse(400, "header: a control character in a value", why);
    if (out->nheaders == HTTP_HEADERS_MAX)
        return refuse(431, "header: more than 100 fields", why);
    out->header[out->nheaders++] = (struct header){name, rest};
    return 0;
}

static int meet_host(struct http_request *r, struct slice value, const char **why)
{
    (void)r;
    return value.n > 0 ? 0 : refuse(400, "host: empty", why);
}

static int meet_length(struct http_request *r, struct slice value, const char **why)
{
    return parse_u64(value, &r->length) ? 0 : refuse(400, "content-length: not a number", why);
}

static int meet_encoding(struct http_request *r, struct slice value, const char **why)
{
    r->chunked = same_word(value, "chunked");
    return r->chunked ? 0 : refuse(501, "transfer-encoding: only chunked is understood", why);
}

static int meet_expect(struct http_request *r, struct slice value, const char **why)
{
    r->expect_continue = same_word(value, "100-continue");
    return r->expect_continue ? 0 : refuse(417, "expect: only 100-continue can be met", why);
}

static int meet_connection(struct http_request *r, struct slice value, const char **why)
{
    (void)why;
    while (value.n > 0) {
        struct slice option = trim(take_until(&value, ','));

        if (same_word(option, "close"))
            r->keep_alive = false;
        else if (same_word(option, "keep-alive") && r->minor == 0)
            r->keep_alive = true;
    }
    return 0;
}

/* Fields that decide how the request is read: each may stand once, but for Connection. */
static const struct {
    const char *name;
    bool list;
    int (*meet)(struct http_request *r, struct slice value, const char **why);
} framing[] = {{"host", false, meet_host},
               {"content-length", false, meet_length},
               {"transfer-encoding", false, meet_encoding},
               {"expect", false, meet_expect},
               {"connection", true, meet_connection}};

static int apply_framing(struct http_request *r, const char **why)
{
    for (size_t f = 0; f < sizeof framing / sizeof *framing; f++) {
        int seen = 0;

        for (size_t i = 0; i < r->nheaders; i++) {
            if (!same_word(r->header[i].name, framing[f].name))
                continue;
            if (seen++ > 0 && !framing[f].list)
                return refuse(
                    400, "header: host, content-length, transfer-encoding and expect may stand once", why);
            int status = framing[f].meet(r, r->header[i].value, why);
            if (status != 0)
                return status;
        }
    }
    if (r->minor == 1 && http_header(r, "host").n == 0)
        return refuse(400, "host: missing", why);
    if (r->chunked && http_header(r, "content-length").n > 0)
        return refuse(400, "content-length and transfer-encoding exclude each other", why);
    if (r->chunked && r->minor == 0)
        return refuse(400, "transfer-encoding: not in HTTP/1.0", why);
    return 0;
}

int http_parse_head(struct slice head, struct http_request *out, const char **why)
{
    struct slice line;

    *out = (struct http_request){.minor = 1};
    if (!take_line(&head, &line))
        return refuse(400, "request line: missing", why);
    int status = parse_request_line(line, out, why);
    while (status == 0 && take_line(&head, &line) && line.n > 0)
        status = parse_field(line, out, why);
    return status != 0 ? status : apply_framing(out, why);
}

struct slice http_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (same_word(r->header[i].name, name))
            return r->header[i].value;
    return S("");
}

struct slice http_media_type(struct slice content_type, struct arena *a)
{
    struct slice media = trim(take_until(&content_type, ';'));
    char *lower = arena_alloc(a, media.n + 1);

    for (size_t i = 0; i < media.n; i++)
        lower[i] = (char)(media.p[i] >= 'A' && media.p[i] <= 'Z' ? media.p[i] | 0x20 : media.p[i]);
    return (struct slice){lower, media.n};
}

/* ---- percent-encoding */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_percent_decode(struct slice s, bool plus_is_space, struct arena *a, struct slice *out)
{
    char *text = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        int high, low;

        if (s.p[i] != '%') {
            text[n++] = (char)(s.p[i] == '+' && plus_is_space ? ' ' : s.p[i]);
            continue;
        }
        if (i + 2 >= s.n || (high = hex_value(s.p[i + 1])) < 0 || (low = hex_value(s.p[i + 2])) < 0)
            return false;
        text[n++] = (char)(high << 4 | low);
        i += 2;
    }
    *out = (struct slice){text, n};
    return slice_is_utf8(*out) && slice_is_printable(*out);
}

bool http_query_next(struct slice *query, struct arena *a, struct slice *name, struct slice *value, bool *bad)
{
    *bad = false;
    while (query->n > 0) {
        struct slice pair = take_until(query, '&');

        if (pair.n == 0)
            continue;
        struct slice key = take_until(&pair, '=');
        *bad = !http_percent_decode(key, true, a, name) || !http_percent_decode(pair, true, a, value);
        return !*bad;
    }
    return false;
}

/* ---- chunks */

/* A line at the front, or 0 when its end has not come. */
static size_t line_length(struct slice in)
{
    const char *end = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;

    return end != NULL ? (size_t)(end - in.p) + 1 : 0;
}

static bool chunk_size(struct slice line, uint64_t *size)
{
    size_t i = 0;

    *size = 0;
    for (; i < line.n && hex_value(line.p[i]) >= 0; i++) {
        if (*size >> 56 != 0)
            return false;
        *size = *size << 4 | (uint64_t)hex_value(line.p[i]);
    }
    return i > 0 && (line.p[i] == '\r' || line.p[i] == '\n' || line.p[i] == ';' || line.p[i] == ' ');
}

/* A size, the end of a chunk, or a trailer: lines. */
static bool feed_line(struct http_chunks *c, struct slice line)
{
    bool blank = line.n == 1 || (line.n == 2 && line.p[0] == '\r');

    if (c->state == CHUNK_SIZE) {
        if (!chunk_size(line, &c->left))
            return false;
        c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
    } else if (c->state == CHUNK_END) {
        c->state = CHUNK_SIZE;
        return blank;
    } else if (blank) {
        c->state = CHUNK_DONE;
    }
    return true;
}

bool http_chunks_feed(struct http_chunks *c, struct slice in, struct buf *body, size_t max, size_t *used,
                      bool *too_large)
{
    *used = 0;
    *too_large = false;
    while (c->state != CHUNK_DONE && in.n > 0) {
        size_t n = c->state == CHUNK_DATA ? (in.n < c->left ? in.n : (size_t)c->left) : line_length(in);

        if (n == 0)
            return in.n < CHUNK_LINE_MAX;
        if (c->state == CHUNK_DATA) {
            buf_add(body, (struct slice){in.p, n});
            c->left -= n;
            if (c->left == 0)
                c->state = CHUNK_END;
        } else if (!feed_line(c, (struct slice){in.p, n})) {
            return false;
        }
        if (c->state == CHUNK_DATA && c->left > max - (body->n < max ? body->n : max)) {
            *too_large = true;
            return false;
        }
        in.p += n;
        in.n -= n;
        *used += n;
    }
    return true;
}
