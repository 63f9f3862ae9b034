#include "ctl/post.h"

#include <time.h>

#define PATIENCE_S 60

static struct slice batch_text(const struct file_event *event, size_t n, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        buf_byte(&b, i ? ',' : '[');
        buf_add(&b, event[i].text);
    }
    buf_byte(&b, ']');
    struct slice out = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return out;
}

static void fail(struct post_result *out, enum posted what, struct slice error, struct arena *a)
{
    *out = (struct post_result){.what = what, .errors = ARENA_NEW(a, struct slice), .nerrors = 1};
    out->errors[0] = error;
}

/* Its events are several nodes' to take: each goes to its own. */
static void post_each(struct client *c, const struct file_event *event, size_t n, struct arena *a,
                      struct post_result *out)
{
    struct buf answers = {0};
    *out = (struct post_result){.what = POSTED};
    for (size_t i = 0; i < n && out->what == POSTED; i++) {
        post_events(c, &event[i], 1, a, out);
        buf_byte(&answers, i ? ',' : '[');
        buf_add(&answers, out->answer);
    }
    buf_byte(&answers, ']');
    if (out->what == POSTED)
        out->answer = arena_dup(a, buf_slice(&answers));
    buf_free(&answers);
}

void post_events(struct client *c, const struct file_event *event, size_t n, struct arena *a,
                 struct post_result *out)
{
    const char *type = n > 1 ? "application/cloudevents-batch+json" : "application/cloudevents+json";
    struct slice body = n > 1 ? batch_text(event, n, a) : event->text;
    for (int waited = 0;;) {
        struct client_answer an;
        struct err e;
        if (!client_post(c, S("/v1/events"), type, S(""), body, a, &an, &e)) {
            fail(out, POST_FAILED, arena_dup(a, slice_of(e.text)), a);
            return;
        }
        if (an.status == 503 && waited < PATIENCE_S) {
            int pause = an.retry_after > 0 ? an.retry_after : 1;
            nanosleep(&(struct timespec){.tv_sec = pause}, NULL);
            waited += pause;
            continue;
        }
        if (an.status == 421 && n > 1) {
            post_each(c, event, n, a, out);
            return;
        }
        *out = (struct post_result){.what = an.status == 202       ? POSTED
                                            : an.status / 100 == 4 ? POST_REFUSED
                                                                   : POST_FAILED,
                                    .answer = an.body};
        if (out->what != POSTED)
            out->nerrors = client_errors(&an, a, &out->errors);
        return;
    }
}
