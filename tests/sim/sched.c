/* Virtual time and threads. A thread is a coroutine: it goes on until it waits, or until a step of it lets
 * others go on. Which of those that could go on does, the seed says. */
#include "sim.h"

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK ((size_t)512 * 1024)

struct thread {
    struct thread *next;
    struct host *node;
    char name[16];
    ucontext_t at;
    void *(*run)(void *);
    void *arg;
    bool ended, waits;
    condition *until;
    void *until_arg;
    int64_t wake;
};

struct due {
    int64_t at;
    uint64_t serial;
    struct host *node;
    void (*fn)(void *);
    void *arg;
};

int64_t now;
struct thread *running;
static struct thread *threads;
static ucontext_t scheduler;
static struct due *heap;
static size_t nevents, cap_events;
static uint64_t serial;

struct host *running_host(void)
{
    return running ? running->node : NULL;
}

const char *thread_name(const struct thread *t)
{
    return t->name;
}

bool thread_ended(const struct thread *t)
{
    return t->ended;
}

int64_t wall_ms(const struct host *n)
{
    return WALL_START_MS + (now + (n ? n->skew : 0)) / MS;
}

/* ---- events: a heap by time */

static bool sooner(const struct due *a, const struct due *b)
{
    return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void heap_push(struct due e)
{
    if (nevents == cap_events) {
        cap_events = cap_events ? cap_events * 2 : 256;
        heap = mem_grow(heap, cap_events * sizeof *heap);
    }
    size_t i = nevents++;
    for (; i > 0 && sooner(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = e;
}

static struct due heap_pop(void)
{
    struct due top = heap[0], e = heap[--nevents];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < nevents; i = child) {
        if (child + 1 < nevents && sooner(&heap[child + 1], &heap[child]))
            child++;
        if (!sooner(&heap[child], &e))
            break;
        heap[i] = heap[child];
    }
    heap[i] = e;
    return top;
}

void later(int64_t delay, struct host *n, void (*fn)(void *), void *arg)
{
    heap_push((struct due){now + (delay > 0 ? delay : 0), ++serial, n, fn, arg});
}

static void run_event(void)
{
    struct due e = heap_pop();
    if (e.node && e.node->dead)
        return;
    if (e.node && e.node->stalled_until > now) {
        later(e.node->stalled_until - now + between(0, 20 * MS), e.node, e.fn, e.arg);
        return;
    }
    e.fn(e.arg);
}

/* ---- threads */

static void thread_main(void)
{
    running->run(running->arg);
    running->ended = true;
    swapcontext(&running->at, &scheduler);
}

struct thread *thread_start(struct host *n, const char *name, void *(*run)(void *), void *arg)
{
    struct thread *t = mem_alloc(sizeof *t);
    t->node = n;
    t->run = run;
    t->arg = arg;
    snprintf(t->name, sizeof t->name, "%s", name);
    getcontext(&t->at);
    t->at.uc_stack.ss_sp = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    t->at.uc_stack.ss_size = STACK;
    makecontext(&t->at, thread_main, 0);
    t->next = threads;
    threads = t;
    return t;
}

static bool thread_lives(const struct thread *t)
{
    return !t->ended && !(t->node && t->node->dead);
}

static bool thread_may_run(const struct thread *t)
{
    if (t->node && t->node->stalled_until > now)
        return false;
    return !t->waits || t->wake <= now || (t->until && t->until(t->until_arg));
}

static void thread_go_on(struct thread *t)
{
    running = t;
    t->waits = false;
    swapcontext(&scheduler, &t->at);
    running = NULL;
}

void yield_now(void)
{
    swapcontext(&running->at, &scheduler);
}

bool wait_for(condition *c, void *arg, int64_t until)
{
    struct thread *t = running;
    if (c && c(arg))
        return true;
    while (now < until) {
        t->until = c;
        t->until_arg = arg;
        t->wake = until;
        t->waits = true;
        yield_now();
        if (c && c(arg))
            return true;
    }
    return false;
}

void pass(int64_t time)
{
    wait_for(NULL, NULL, now + time);
}

void step_quietly(void)
{
    now += between(1, 40);
    if (running && chance(plan.swap))
        yield_now();
}

/* Where a batch becomes final a fault is worth more than elsewhere. */
static double weight(const char *what)
{
    return strstr(what, "transaction") || strstr(what, "commit") || strstr(what, "group_metadata") ||
                   strstr(what, "assignment_lost") || strstr(what, "offsets")
               ? 4
               : 1;
}

void step(const char *what)
{
    struct host *n = running_host();
    trace("%s", what);
    if (n && now < plan.faults_until) {
        if (chance(plan.crash * weight(what))) {
            host_crash(n, what);
            yield_now(); /* and never back */
        }
        if (chance(plan.stall * 4 * weight(what))) {
            int64_t time = between(1, chance(0.4) ? 200 : 3 * plan.session_ms) * MS;
            count(COUNT_STALL, 1);
            trace("stalls for %.3f s", (double)time / SEC);
            n->stalled_until = now + time;
            yield_now();
            if (chance(0.5)) /* its other threads may go on first */
                pass(between(0, 60 * MS));
        }
    }
    step_quietly();
}

/* ---- the loop */

static struct thread *choose(void)
{
    struct thread *chosen = NULL;
    int64_t n = 0;
    for (struct thread *t = threads; t; t = t->next)
        if (thread_may_run(t) && between(0, n++) == 0)
            chosen = t;
    return chosen;
}

static void forget_dead(void)
{
    for (struct thread **at = &threads; *at;) {
        struct thread *t = *at;
        if (thread_lives(t)) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        munmap(t->at.uc_stack.ss_sp, STACK);
    }
}

static void advance(void)
{
    int64_t to = nevents ? heap[0].at : FOREVER;
    for (const struct thread *t = threads; t; t = t->next) {
        int64_t wake = t->waits ? t->wake : now;
        if (t->node && t->node->stalled_until > wake)
            wake = t->node->stalled_until;
        if (wake < to)
            to = wake;
    }
    if (to > now)
        now = to;
}

void sched_run(bool (*done)(void))
{
    for (;;) {
        forget_dead();
        bool due = nevents && heap[0].at <= now;
        if (due && chance(0.7)) {
            run_event();
            if (done())
                return;
            continue;
        }
        struct thread *t = choose();
        if (t)
            thread_go_on(t);
        else if (due)
            run_event();
        else
            advance();
    }
}
