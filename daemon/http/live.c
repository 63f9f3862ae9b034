/* GET /v1/live: a server-sent event `changed` whenever something was committed, at most two a second; a beat
 * every 15 s. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "http/state.h"

#define APART_MS 500
#define HEARTBEAT_MS 15000

struct live {
    uint64_t told; /* server_commits as last told */
    int64_t at;    /* monotonic ms */
};

static int64_t monotonic_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void look(struct exchange *x)
{
    struct live *l = x->own;
    int64_t now = monotonic_ms(), wait = HEARTBEAT_MS;
    uint64_t commits = server_commits(x->server);
    bool changed = commits != l->told, expired = x->expired;

    if (reply_behind(x))
        return;
    if (changed && now - l->at >= APART_MS) {
        char event[64];

        snprintf(event, sizeof event, "event: changed\ndata: %llu\n\n", (unsigned long long)commits);
        reply_add(x, slice_of(event));
        l->told = commits;
        l->at = now;
    } else if (changed) {
        wait = APART_MS - (now - l->at);
    } else if (expired) {
        reply_add(x, S(": \n\n"));
    } else {
        return; /* the timer goes on */
    }
    exchange_wait(x, look, wait);
}

static void on_gone(struct exchange *x)
{
    free(x->own);
}

void handle_live(struct exchange *x)
{
    struct live *l;

    if (!exchange_ask(x, NULL, 0) || !reply_stream(x, "text/event-stream"))
        return;
    l = mem_alloc(sizeof *l);
    l->told = server_commits(x->server);
    x->own = l;
    x->gone = on_gone;
    reply_add(x, S("retry: 1000\nevent: changed\ndata: 0\n\n"));
    exchange_wait(x, look, HEARTBEAT_MS);
}
