/* The head of an HTTP/1.1 request, parsed strictly. Pure: bytes in, views of them out. */
#ifndef DUBAND_HTTP_REQUEST_H
#define DUBAND_HTTP_REQUEST_H

#include "wire/wire.h"

#define HTTP_HEAD_MAX ((size_t)16 << 10)
#define HTTP_HEADERS_MAX 100

struct http_request {
    struct slice method, path, query; /* path as sent, still percent-encoded; query without its `?` */
    struct header header[HTTP_HEADERS_MAX];
    size_t nheaders;
    int minor; /* HTTP/1.minor */
    bool keep_alive;
    bool chunked; /* the body */
    bool expect_continue;
    uint64_t length; /* of a body that is not chunked */
};

/* How long the head at the start of `bytes` is, the blank line included; 0: it is not all there. */
size_t http_head_length(struct slice bytes);
/* 0, or the status to refuse with and a sentence. Everything in *out points into `head`. */
int http_parse_head(struct slice head, struct http_request *out, const char **why);

/* Names are matched without regard to case. Empty: not there. */
struct slice http_header(const struct http_request *r, const char *name);
/* A media type without its parameters, in lower case. */
struct slice http_media_type(struct slice content_type, struct arena *a);

/* False: a broken escape, or bytes that are not printable UTF-8. */
bool http_percent_decode(struct slice s, bool plus_is_space, struct arena *a, struct slice *out);

/* The next name=value of a query string, decoded. False at its end, or with *bad when it cannot be decoded.
 */
bool http_query_next(struct slice *query, struct arena *a, struct slice *name, struct slice *value,
                     bool *bad);

/* A body in chunks, taken in as it comes. */
struct http_chunks {
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_TRAILER, CHUNK_DONE } state;
    uint64_t left;
};
/* Consumes what it can from the front of `in`, appends data to `body`. False: malformed, or more than `max`
 * bytes (*too_large). */
bool http_chunks_feed(struct http_chunks *c, struct slice in, struct buf *body, size_t max, size_t *used,
                      bool *too_large);

#endif
