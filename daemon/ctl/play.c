/* dubanctl play: a file of events at a chosen speed, or as fast as the daemon takes them. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "ctl/json.h"
#include "ctl/post.h"
#include "ctl/when.h"

#define BATCH_EVENTS 500
#define BATCH_BYTES ((size_t)512 << 10)
#define STALLED_S 30

struct play {
    const struct ctl_call *call;
    struct client *c;
    struct file_event *event;
    size_t n, sent, refused;
    double speed; /* 0: as fast as possible */
    bool progress;
    struct timespec began;
};

static bool parse_speed(const struct ctl_call *call, double *out)
{
    const char *text = ctl_value(call, "speed");
    char *end;
    *out = 0;
    if (!text || !strcmp(text, "max"))
        return true;
    *out = strtod(text, &end);
    if (end != text && !*end && *out > 0 && *out <= 1e12)
        return true;
    ctl_fail(call, CTL_USAGE,
             "--speed: '%s' is no speed; expected max, or how many times faster than real time, 86400", text);
    return false;
}

/* ---- progress */

static void show_progress(const struct play *p, bool last)
{
    char bar[31];
    if (!p->progress)
        return;
    size_t full = p->n ? p->sent * 30 / p->n : 30;
    for (size_t i = 0; i < 30; i++)
        bar[i] = i < full ? '#' : '.';
    bar[30] = '\0';
    fprintf(stderr, "\r[%s] %zu of %zu events%s", bar, p->sent, p->n, last ? "\n" : "");
}

static void tell_refused(struct play *p, const struct file_event *f, const struct post_result *r)
{
    p->refused++;
    if (p->progress)
        fputs("\r\033[K", stderr);
    for (size_t i = 0; i < r->nerrors; i++)
        fprintf(stderr, "refused: %.*s from %.*s: %.*s\n", SLICE_ARG(f->event.id), SLICE_ARG(f->event.source),
                SLICE_ARG(r->errors[i]));
}

/* ---- sending */

/* A batch that is refused goes out again one by one, so that one bad event does not hold back the rest. */
static bool send_batch(struct play *p, const struct file_event *event, size_t n, struct arena *a)
{
    struct post_result r;
    arena_reset(a);
    post_events(p->c, event, n, a, &r);
    if (r.what == POST_FAILED) {
        show_progress(p, true);
        ctl_fail(p->call, CTL_COULD_NOT,
                 "%.*s; %zu of %zu events were sent, playing the same file again is safe",
                 SLICE_ARG(r.errors[0]), p->sent, p->n);
        return false;
    }
    if (r.what == POSTED || n == 1) {
        if (r.what == POST_REFUSED)
            tell_refused(p, event, &r);
        p->sent += n;
        show_progress(p, false);
        return true;
    }
    for (size_t i = 0; i < n; i++)
        if (!send_batch(p, &event[i], 1, a))
            return false;
    return true;
}

/* Waits until the event's time has come at this speed. */
static void pace(const struct play *p, const struct file_event *f)
{
    double after = (double)(f->event.time - p->event[0].event.time) / 1000 / p->speed;
    struct timespec at = p->began;
    if (after <= 0)
        return;
    at.tv_sec += (time_t)after;
    at.tv_nsec += (long)((after - (double)(time_t)after) * 1e9);
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        ;
}

static size_t batch_from(const struct play *p, size_t from)
{
    size_t n = 1, bytes = p->event[from].text.n;
    while (p->speed == 0 && from + n < p->n && n < BATCH_EVENTS &&
           bytes + p->event[from + n].text.n + n < BATCH_BYTES)
        bytes += p->event[from + n++].text.n;
    return n;
}

static bool send_events(struct play *p)
{
    struct arena *a = arena_new();
    bool ok = true;
    clock_gettime(CLOCK_MONOTONIC, &p->began);
    for (size_t i = 0, n; ok && i < p->n; i += n) {
        n = batch_from(p, i);
        if (p->speed > 0)
            pace(p, &p->event[i]);
        ok = send_batch(p, &p->event[i], n, a);
    }
    arena_free(a);
    if (ok)
        show_progress(p, true);
    return ok;
}

/* ---- until: a clock record, then nothing may be left to fire by then */

static size_t count_timers(struct slice line, instant_t t)
{
    json_t *row = json_loadb(line.p, line.n, 0, NULL);
    const json_t *timers = json_object_get(row, "timers");
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(timers); i++) {
        instant_t at;
        n += instant_parse(json_member(json_array_get(timers, i), "due"), &at) && at <= t;
    }
    json_decref(row);
    return n;
}

/* How many armed timers of a listing are due by t. */
static bool count_due(struct play *p, const char *path, instant_t t, size_t *due)
{
    struct slice after = S("");
    struct arena *a = arena_new();
    enum ctl_exit got;
    do {
        struct client_answer an;
        struct slice query = after.n
                                 ? arena_printf(a, "%s&after=%.*s", path, SLICE_ARG(client_escape(a, after)))
                                 : slice_of(path);
        got = client_fetch(p->call, p->c, query, 0, a, &an);
        after = got == CTL_DONE ? an.next : S("");
        for (struct slice line; got == CTL_DONE && client_line(&an.body, &line);)
            *due += count_timers(line, t);
    } while (after.n);
    arena_free(a);
    return got == CTL_DONE;
}

static bool send_clock(struct play *p, struct slice workflow, instant_t t)
{
    struct arena *a = p->call->arena;
    struct slice when = instant_format_utc(a, t);
    struct post_result r;
    json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:o, s:s, s:{s:o, s:{}}}", "specversion", "1.0", "id",
                          json_text(arena_printf(a, "until-%.*s", SLICE_ARG(when))), "source", "dubanctl",
                          "type", "duban.v1.DeadlineReached", "time", json_text(when), "datacontenttype",
                          "application/json", "data", "workflow", json_text(workflow), "deadline_reached");
    char *text = json_dumps(o, JSON_COMPACT);
    const struct file_event event = {.text = arena_dup(a, slice_of(text))};
    free(text);
    json_decref(o);
    post_events(p->c, &event, 1, a, &r);
    for (size_t i = 0; i < r.nerrors; i++)
        ctl_fail(p->call, CTL_COULD_NOT, "the clock record: %.*s", SLICE_ARG(r.errors[i]));
    return r.what == POSTED;
}

/* The events are in when the last one is; the timers are when none by t is left. */
static bool wait_applied(struct play *p, instant_t t)
{
    const struct cloud_event *last = &p->event[p->n - 1].event;
    struct arena *a = p->call->arena;
    struct client_answer an;
    struct err e;
    if (!client_get(p->c,
                    arena_printf(a, "/v1/events/%.*s/%.*s?wait=60s",
                                 SLICE_ARG(client_escape(a, last->source)),
                                 SLICE_ARG(client_escape(a, last->id))),
                    60, a, &an, &e)) {
        ctl_fail(p->call, CTL_COULD_NOT, "%s", e.text);
        return false;
    }
    size_t before = SIZE_MAX;
    for (int quiet = 0; quiet < STALLED_S * 5; quiet++) {
        size_t due = 0;
        if (!count_due(p, "/v1/tasks?limit=1000", t, &due) || !count_due(p, "/v1/cases?limit=1000", t, &due))
            return false;
        if (!due)
            return true;
        if (due != before)
            quiet = 0;
        before = due;
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
    ctl_fail(p->call, CTL_COULD_NOT,
             "%zu timers due by then do not fire: does the daemon run with `time: events`?", before);
    return false;
}

/* ---- */

static bool check_events(const struct play *p)
{
    bool ok = true;
    for (size_t i = 0; i < p->n; i++) {
        const struct file_event *f = &p->event[i];
        for (size_t r = 0; r < f->why.n; r++)
            ctl_fail(p->call, CTL_COULD_NOT, "line %d: %.*s", f->line, SLICE_ARG(f->why.item[r]));
        if (!f->why.n && f->event.time == INSTANT_NONE && p->speed > 0)
            ctl_fail(p->call, CTL_COULD_NOT, "line %d: %.*s has no `time`, which sets the pace", f->line,
                     SLICE_ARG(f->event.id));
        ok = ok && !f->why.n && (f->event.time != INSTANT_NONE || !p->speed);
    }
    return ok;
}

static enum ctl_exit finish(struct play *p, instant_t until)
{
    if (until != INSTANT_NONE &&
        (!send_clock(p, p->event[0].event.workflow, until) || !wait_applied(p, until)))
        return CTL_COULD_NOT;
    if (p->call->json)
        json_print(stdout, json_pack("{s:I, s:I}", "sent", (json_int_t)(p->sent - p->refused), "refused",
                                     (json_int_t)p->refused));
    else
        printf("%zu events sent, %zu refused\n", p->sent - p->refused, p->refused);
    return p->refused ? CTL_PROBLEMS : CTL_DONE;
}

/* A date is a moment of UTC here: no workflow is at hand to say which zone it means. */
static bool parse_until(const struct ctl_call *call, instant_t *out)
{
    const char *text = ctl_value(call, "until");
    date_t day;
    *out = INSTANT_NONE;
    if (!text || instant_parse(slice_of(text), out))
        return true;
    if (date_parse(slice_of(text), &day)) {
        *out = day * INT64_C(86400000);
        return true;
    }
    ctl_fail(call, CTL_USAGE,
             "--until: '%s' is no time; expected 2025-02-15T00:00:00+08:00, or a date (of UTC)", text);
    return false;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct play p = {.call = call, .progress = isatty(STDERR_FILENO)};
    instant_t until;
    if (!parse_speed(call, &p.speed) || !parse_until(call, &until))
        return CTL_USAGE;
    p.c = client_open(call);
    if (!p.c)
        return CTL_USAGE;
    if (!event_file_read(call, call->argument[0], &p.event, &p.n) || !check_events(&p) || !send_events(&p)) {
        client_close(p.c);
        return CTL_COULD_NOT;
    }
    enum ctl_exit status = finish(&p, until);
    client_close(p.c);
    return status;
}

const struct ctl_command ctl_play = {
    .name = "play",
    .arguments = "FILE",
    .summary = "replay a file of events at a chosen speed",
    .least = 1,
    .most = 1,
    .options = {{CLIENT_URL_OPTION},
                {"speed", "N|max", "so many times faster than real time by the events' `time`; default: max",
                 false},
                {"until", "T", "then let the clock run on to T and wait until everything is applied", false}},
    .run = run,
};
