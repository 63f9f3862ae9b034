/* usage: sim [--seed N] [--histories N] [--jobs N] [--replay SEED]
 *
 * Runs histories with seeds N, N+1, …, each in a process of its own, and ends with a line of figures. The first that
 * fail are printed with the end of their steps; --replay runs one alone and prints every step. */
#include "sim.h"

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAILURES_MOST 5
#define REAL_SECONDS 60                /* of one history, at most */
#define REST_WITHIN (INT64_C(240) * SEC) /* after the last fault */

static const char *const count_names[COUNTS] = {
    [COUNT_CRASH] = "crashes",      [COUNT_STALL] = "stalls",          [COUNT_BATCH] = "batches",
    [COUNT_OUTPUT] = "outputs",     [COUNT_FENCED] = "fatal errors",   [COUNT_GENERATION] = "generations",
    [COUNT_UNKNOWN] = "unknown commits", [COUNT_ABORT] = "aborts",     [COUNT_DISK] = "disk faults",
    [COUNT_BROKER] = "broker outages", [COUNT_WIPE] = "disks lost or old"};
static uint64_t *counts; /* shared with the children */

void count(enum counted what, uint64_t n)
{
    __atomic_fetch_add(&counts[what], n, __ATOMIC_RELAXED);
}

/* ---- one history */

static bool over, healing;

static void look(void *unused)
{
    (void)unused;
    if (now >= plan.faults_until) {
        if (!healing)
            alone_check();
        hosts_heal();
        healing = true;
        over = oracle_rest();
        if (!over && now > plan.faults_until + REST_WITHIN)
            oracle_stuck();
    }
    later(200 * MS, NULL, look, NULL);
}

static bool is_over(void)
{
    return over;
}

static void on_signal(int number)
{
    signal(number, SIG_DFL);
    fail(number == SIGALRM ? "it hangs" : "signal %d", number);
}

static void catch_signals(void)
{
    static char stack[65536];
    static const int numbers[] = {SIGALRM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE};
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&s, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, NULL);
}

static void run_history(uint64_t seed, bool all)
{
    plan_make(seed);
    trace_open(all);
    catch_signals();
    alarm(REAL_SECONDS);
    now = 1 * SEC;
    plan.faults_until += now;
    trace("seed %llu: %d nodes, %d partitions, session %d ms, transaction %d ms, %d events, faults for %.1f s",
          (unsigned long long)seed, plan.nodes, plan.partitions, plan.session_ms, plan.transaction_ms, plan.events,
          (double)plan.faults_until / SEC);
    disk_start();
    cluster_start();
    hosts_start();
    portal_start();
    later(0, NULL, look, NULL);
    sched_run(is_over);
    oracle_check();
}

/* ---- all of them */

static double real_time(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC); /* the clocks of clock_gettime are the histories' */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static pid_t spawn(uint64_t seed)
{
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "sim: fork: %s\n", strerror(errno));
        exit(2);
    }
    if (pid == 0) {
        run_history(seed, false);
        _exit(0);
    }
    return pid;
}

static int run_all(uint64_t first, uint64_t histories, int jobs)
{
    uint64_t started = 0, failed = 0;
    int alive = 0;
    double began = real_time();
    printf("SEED=%llu HISTORIES=%llu\n", (unsigned long long)first, (unsigned long long)histories);
    fflush(stdout);
    while (alive > 0 || (started < histories && failed < FAILURES_MOST)) {
        int status;
        if (started < histories && failed < FAILURES_MOST && alive < jobs) {
            spawn(first + started++);
            alive++;
            continue;
        }
        if (wait(&status) > 0) {
            alive--;
            failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        }
    }
    double took = real_time() - began;
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("SEED=%llu: %llu histories, %llu failed, %.1f s, %.0f/s, %.1f ms of a core each; ", (unsigned long long)first, (unsigned long long)started,
           (unsigned long long)failed, took, (double)started / took, cpu * 1000 / (double)started);
    for (int i = 0; i < COUNTS; i++)
        printf("%s%llu %s", i ? ", " : "", (unsigned long long)counts[i], count_names[i]);
    printf("\n");
    return failed ? 1 : 0;
}

static int usage(void)
{
    fputs("usage: sim [--seed N] [--histories N] [--jobs N] [--replay SEED]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *given = getenv("SEED");
    uint64_t seed = given && *given ? strtoull(given, NULL, 10) : (uint64_t)real_time() % 100000 * 100000, histories = 10000, replay = 0;
    int jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
    for (int i = 1; i < argc; i += 2) {
        uint64_t v;
        if (i + 1 == argc || !parse_u64(slice_of(argv[i + 1]), &v))
            return usage();
        if (strcmp(argv[i], "--seed") == 0)
            seed = v;
        else if (strcmp(argv[i], "--histories") == 0)
            histories = v;
        else if (strcmp(argv[i], "--jobs") == 0)
            jobs = (int)v;
        else if (strcmp(argv[i], "--replay") == 0)
            replay = v;
        else
            return usage();
    }
    counts = mmap(NULL, COUNTS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    log_set_level(replay ? LOG_DEBUG : LOG_WARN);
    portal_prepare();
    if (!replay)
        return run_all(seed, histories, jobs);
    run_history(replay, true);
    printf("passed\n");
    return 0;
}
