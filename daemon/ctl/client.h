/* HTTP/1.1 to a daemon: one connection, kept alive, one request at a time. */
#ifndef DUBAND_CTL_CLIENT_H
#define DUBAND_CTL_CLIENT_H

#include "ctl/ctl.h"

/* "http://127.0.0.1:8470": host, port and a path to put in front of every request's, without its last slash.
 */
struct client_url {
    struct slice host, port, prefix;
    struct slice authority; /* for the Host field */
};
bool client_url_parse(struct slice url, struct arena *a, struct client_url *out, struct err *e);

struct client;
struct client_answer {
    int status;
    struct slice content_type, next, body; /* next: X-Next; retry_after: seconds */
    struct slice location, partitions;     /* partitions: X-Partitions, "2/4": it answers for no more */
    int retry_after;
};

/* --url, else DUBAN_URL, else http://127.0.0.1:8470. NULL after saying what is wrong with it. */
struct client *client_open(const struct ctl_call *call);
void client_close(struct client *c); /* NULL is fine */
const char *client_url(const struct client *c);

/* wait_s: how long the daemon may take on purpose (long polls), beside the usual 15 seconds. False and e when
 * no whole answer came. The answer's memory is a's. A daemon that says who serves it instead (421) is followed, once. */
bool client_get(struct client *c, struct slice path, int wait_s, struct arena *a, struct client_answer *out,
                struct err *e);
/* headers: more fields, each with its line's end; content_type stands alone. */
bool client_post(struct client *c, struct slice path, const char *content_type, struct slice headers,
                 struct slice body, struct arena *a, struct client_answer *out, struct err *e);

/* GET that must answer 200: else the daemon's errors go to stderr and the exit status is what to end with;
 * CTL_DONE: out is good. */
enum ctl_exit client_fetch(const struct ctl_call *call, struct client *c, struct slice path, int wait_s,
                           struct arena *a, struct client_answer *out);
/* The `errors` of an answer, or its status, as texts. */
size_t client_errors(const struct client_answer *an, struct arena *a, struct slice **out);

/* The next line of an answer in JSON lines, cut from *body; false at its end. */
bool client_line(struct slice *body, struct slice *line);

/* For paths and query strings: everything but unreserved characters escaped. */
struct slice client_escape(struct arena *a, struct slice s);

/* ---- client_read.c: an answer as it comes */

struct answer_reader {
    struct buf in; /* what was received and not yet taken */
    bool head_read, chunked, to_end, done, keep;
    uint64_t left; /* of the body, or of the chunk */
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_LINE_END, CHUNK_TRAILER } chunk;
    struct buf body;
    struct client_answer answer;
};
/* Takes what it can of r->in. False and e: this is no HTTP answer, or too large a one. */
bool answer_take(struct answer_reader *r, struct arena *a, struct err *e);
/* The connection was closed. False and e: the answer was not whole. */
bool answer_end(struct answer_reader *r, struct err *e);
void answer_reader_free(struct answer_reader *r);

#define CLIENT_URL_OPTION "url", "URL", "the daemon; else $DUBAN_URL, else http://127.0.0.1:8470", false

#endif
