/* Answers: head, then a body by its length, in chunks, or to the connection's end. */
#include <stdlib.h>
#include <strings.h>

#include "ctl/client.h"

#define HEAD_MAX ((size_t)64 << 10)
#define BODY_MAX ((uint64_t)256 << 20)

/* ---- lines */

/* The next line of r->in from *at on, without its end; false: not all there. */
static bool take_line(const struct answer_reader *r, size_t *at, struct slice *line)
{
    const char *end = r->in.n > *at ? memchr(r->in.p + *at, '\n', r->in.n - *at) : NULL;
    if (!end)
        return false;
    *line = (struct slice){r->in.p + *at, (size_t)(end - r->in.p) - *at};
    *at += line->n + 1;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static void consume(struct answer_reader *r, size_t n)
{
    memmove(r->in.p, r->in.p + n, r->in.n - n);
    r->in.n -= n;
}

static struct slice trim(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool is(struct slice s, const char *word)
{
    return s.n == strlen(word) && !strncasecmp(s.p, word, s.n);
}

/* ---- the head */

static bool take_status(struct answer_reader *r, struct slice line, struct err *e)
{
    uint64_t status;
    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || line.p[8] != ' ' ||
        !parse_u64((struct slice){line.p + 9, 3}, &status))
        return err_set(e, "what answers there does not speak HTTP");
    r->answer.status = (int)status;
    r->keep = line.p[7] == '1';
    return true;
}

static bool take_field(struct answer_reader *r, struct slice line, struct arena *a, struct err *e)
{
    const char *colon = memchr(line.p, ':', line.n);
    uint64_t n;
    if (!colon)
        return err_set(e, "a header field of the answer has no colon");
    struct slice name = {line.p, (size_t)(colon - line.p)};
    struct slice value = trim((struct slice){colon + 1, line.n - name.n - 1});
    if (is(name, "content-length")) {
        if (!parse_u64(value, &r->left) || r->left > BODY_MAX)
            return err_set(e, "the answer's length cannot be: %.*s", SLICE_ARG(value));
        r->to_end = false;
    } else if (is(name, "transfer-encoding") && is(value, "chunked"))
        r->chunked = true;
    else if (is(name, "connection") && is(value, "close"))
        r->keep = false;
    else if (is(name, "content-type"))
        r->answer.content_type = arena_dup(a, value);
    else if (is(name, "x-next"))
        r->answer.next = arena_dup(a, value);
    else if (is(name, "location"))
        r->answer.location = arena_dup(a, value);
    else if (is(name, "x-partitions"))
        r->answer.partitions = arena_dup(a, value);
    else if (is(name, "retry-after") && parse_u64(value, &n) && n < 3600)
        r->answer.retry_after = (int)n;
    return true;
}

/* False with e->text empty: not all there. */
static bool take_head(struct answer_reader *r, struct arena *a, struct err *e)
{
    struct slice line;
    size_t at = 0, probe = 0;
    e->text[0] = '\0';
    do
        if (!take_line(r, &probe, &line))
            return r->in.n > HEAD_MAX ? err_set(e, "the answer's head is too long") : false;
    while (line.n);
    r->to_end = true;
    for (bool first = true; take_line(r, &at, &line) && line.n; first = false)
        if (!(first ? take_status(r, line, e) : take_field(r, line, a, e)))
            return false;
    consume(r, at);
    if (r->answer.status < 200) { /* 100 Continue and its like stand before the answer */
        r->chunked = false;
        return take_head(r, a, e);
    }
    if (r->answer.status == 204 || r->answer.status == 304)
        r->to_end = r->chunked = false, r->left = 0;
    r->head_read = true;
    return true;
}

/* ---- the body */

static void take_bytes(struct answer_reader *r)
{
    size_t n = r->in.n < r->left ? r->in.n : (size_t)r->left;
    buf_add(&r->body, (struct slice){r->in.p, n});
    consume(r, n);
    r->left -= n;
}

static bool chunk_size(struct slice line, uint64_t *out)
{
    size_t n = 0;
    *out = 0;
    for (; n < line.n && line.p[n] != ';' && line.p[n] != ' '; n++) {
        const char *digit = strchr("0123456789abcdef", line.p[n] | 0x20);
        if (!digit || !line.p[n] || n >= 12)
            return false;
        *out = *out * 16 + (uint64_t)(digit - "0123456789abcdef");
    }
    return n > 0;
}

/* One part of the chunked body; false: not all there, or (e) malformed. */
static bool take_chunk_part(struct answer_reader *r, struct err *e)
{
    struct slice line;
    size_t at = 0;
    if (r->chunk == CHUNK_DATA) {
        take_bytes(r);
        if (!r->left)
            r->chunk = CHUNK_LINE_END;
        return !r->left;
    }
    if (!take_line(r, &at, &line))
        return false;
    if (r->chunk == CHUNK_SIZE) {
        if (!chunk_size(line, &r->left))
            return err_set(e, "the answer's chunks are malformed");
        r->chunk = r->left ? CHUNK_DATA : CHUNK_TRAILER;
    } else if (r->chunk == CHUNK_LINE_END) {
        if (line.n)
            return err_set(e, "the answer's chunks are malformed");
        r->chunk = CHUNK_SIZE;
    } else if (!line.n)
        r->done = true;
    consume(r, at);
    return !r->done;
}

bool answer_take(struct answer_reader *r, struct arena *a, struct err *e)
{
    e->text[0] = '\0';
    if (!r->head_read && !take_head(r, a, e))
        return !e->text[0];
    if (r->chunked) {
        while (take_chunk_part(r, e))
            ;
        if (e->text[0])
            return false;
    } else if (r->to_end) {
        r->left = r->in.n;
        take_bytes(r);
    } else {
        take_bytes(r);
        r->done = !r->left;
    }
    if (r->body.n > BODY_MAX)
        return err_set(e, "the answer is larger than 256 MiB");
    if (r->done)
        r->answer.body = arena_dup(a, buf_slice(&r->body));
    return true;
}

bool answer_end(struct answer_reader *r, struct err *e)
{
    r->keep = false;
    if (r->head_read && r->to_end && !r->chunked)
        return r->done = true;
    return err_set(e, "the connection was closed %s",
                   r->head_read ? "in the middle of an answer" : "without an answer");
}

void answer_reader_free(struct answer_reader *r)
{
    buf_free(&r->in);
    buf_free(&r->body);
}
