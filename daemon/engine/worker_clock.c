/* The clock: when a timer falls due, the log is told so by a record, and only the record makes it fire. */
#include "engine/worker_private.h"

#include <inttypes.h>
#include <time.h>

#include "engine/intake.h"

#define ANSWER_MS 10000 /* an unanswered record is sent again: a second one is harmless */
#define FAILED_MS 1000
#define EARLY_LEAST_MS 5
#define EARLY_MOST_MS 5000
#define LOOK_MS                                                                                              \
    30000 /* the machine's clock may be set: look again at least so often while something is armed */

int64_t worker_monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

instant_t worker_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Any thread. */
static void appended(void *ctx, const struct append_result *r)
{
    struct partition *p = ctx;

    if (r->ok)
        return;
    log_debug("partition %d: the clock's record was not appended: %s", p->id, r->why);
    atomic_store(&p->clock, CLOCK_FAILED);
}

static void clock_send(struct partition *p)
{
    struct worker *w = p->worker;
    struct bus *bus = w->bus;
    const struct program *any;

    if (engine_programs(p->engine, &any, 1) == 0)
        return;
    arena_reset(w->arena);
    const struct cloud_event event = {
        .id = arena_printf(w->arena, "%016" PRIx64 "-%" PRIu64, w->boot, ++w->clocks),
        .source = slice_of(w->source),
        .type = S("duban.v1.DeadlineReached"),
        .content_type = S("application/protobuf"),
        .time = worker_now(),
        .workflow = any->id, /* a workflow of this partition, so that the record comes to it */
        .data = wire_clock_pack(w->arena),
    };
    struct record r = intake_record(&event, TOPIC_DEADLINES, w->arena);

    r.partition = p->id;
    atomic_store(&p->clock, CLOCK_SENT);
    p->clock_at = worker_monotonic() + ANSWER_MS;
    bus->ops->append(bus, &r, appended, p);
}

/* The log's clock may be behind the machine's: then its record came too early, and another one follows when
 * the rest has passed. */
void clock_taken(struct partition *p)
{
    instant_t target = engine_clock_target(p->engine);

    atomic_store(&p->clock, CLOCK_IDLE);
    p->clock_at = 0;
    if (p->next_due == INSTANT_MAX || target == INSTANT_NONE || target >= p->next_due ||
        p->next_due > worker_now())
        return;
    instant_t rest = p->next_due - target;
    p->clock_at = worker_monotonic() + (rest < EARLY_LEAST_MS  ? EARLY_LEAST_MS
                                        : rest < EARLY_MOST_MS ? rest
                                                               : EARLY_MOST_MS);
}

void clock_tick(struct partition *p)
{
    int64_t now = worker_monotonic();
    enum clock_state state = atomic_load(&p->clock);

    if (state == CLOCK_FAILED) {
        atomic_store(&p->clock, CLOCK_IDLE);
        p->clock_at = now + FAILED_MS;
    }
    if (!p->serving || p->stopped || p->worker->options->events_time || now < p->clock_at)
        return;
    if (p->next_due <= worker_now() && p->next_due > engine_clock_target(p->engine))
        clock_send(p);
}

int clock_timeout(const struct partition *p)
{
    int64_t wait, hold = p->clock_at - worker_monotonic();

    if (!p->serving || p->stopped || p->worker->options->events_time || p->next_due == INSTANT_MAX)
        return -1;
    wait = p->next_due - worker_now();
    wait = wait < 0 ? 0 : wait > LOOK_MS ? LOOK_MS : wait;
    return (int)(hold > wait ? hold : wait);
}
