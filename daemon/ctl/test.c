/* dubanctl test: every scenario of a workflow. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ctl/check.h"
#include "ctl/test_report.h"
#include "lang/diag.h"

#define SCENARIOS_MAX 10000

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

/* ---- the files DIR/scenarios/NAME.yaml, by name */

static int name_cmp(const void *x, const void *y)
{
    return slice_cmp(*(const struct slice *)x, *(const struct slice *)y);
}

static bool list_files(const struct ctl_call *call, struct slice folder, struct slice **names, size_t *n)
{
    size_t cap = 0;
    DIR *d = opendir(folder.p);
    *names = NULL;
    *n = 0;
    if (!d) {
        ctl_fail(call, CTL_COULD_NOT, "%s: %s", folder.p, strerror(errno));
        return false;
    }
    for (const struct dirent *e; (e = readdir(d)) && *n < SCENARIOS_MAX;) {
        struct slice name = slice_of(e->d_name);
        if (name.n > 5 && name.p[0] != '.' && !strcmp(e->d_name + name.n - 5, ".yaml"))
            *(struct slice *)arena_push(call->arena, names, n, &cap, sizeof **names) =
                arena_dup(call->arena, name);
    }
    closedir(d);
    qsort(*names, *n, sizeof **names, name_cmp);
    if (!*n)
        ctl_fail(call, CTL_COULD_NOT, "%s: no scenarios there (*.yaml)", folder.p);
    return *n > 0;
}

/* ---- one folder */

struct folder {
    const struct ctl_call *call;
    struct test_report *report;
    struct bundle bundle;
    struct program *p;
    struct coverage coverage;
    enum ctl_exit worst;
};

static void worsen(struct folder *f, enum ctl_exit e)
{
    f->worst = e > f->worst ? e : f->worst;
}

static void print_diags(const struct folder *f, struct diags *d)
{
    diags_sort(d);
    if (d->n)
        diags_print(stderr, d, ctl_colours(stderr) && !f->call->json);
}

static void run_scenario(struct folder *f, const struct scenario *s)
{
    struct scenario_run run;
    struct arena *a = arena_new();
    struct err e;
    double start = now_ms();
    size_t failed = f->report->failed;
    if (scenario_run(&run, f->p, &f->bundle, s, &f->coverage, a, &e))
        report_scenario(f->report, f->p->id, &run, now_ms() - start);
    else
        worsen(f, ctl_fail(f->call, CTL_COULD_NOT, "%.*s: %s", SLICE_ARG(s->file->shown), e.text));
    if (f->report->failed > failed)
        worsen(f, CTL_PROBLEMS);
    arena_free(a);
}

static void take_file(struct folder *f, struct slice folder, struct slice name)
{
    struct arena *a = f->call->arena;
    struct diags d = {.arena = a};
    struct scenario s;
    struct bundle_file *file = ARENA_NEW(a, struct bundle_file);
    file->path = name;
    file->shown = arena_printf(a, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(name));
    if (!ctl_read_file(f->call, file->shown.p, &file->content)) {
        worsen(f, CTL_COULD_NOT);
        return;
    }
    bool ok = scenario_read(f->p, file, a, &d, &s);
    print_diags(f, &d);
    if (ok) {
        run_scenario(f, &s);
        return;
    }
    report_unreadable(f->report, f->p->id, file);
    worsen(f, CTL_PROBLEMS);
}

/* A definition that somebody holds is compiled once: an idle simulation holds it for all scenarios of the
 * folder. */
static struct simulation *hold_definition(struct folder *f)
{
    struct err e;
    struct simulation *s = simulation_of(f->p, &f->bundle, INSTANT_NONE, NULL, NULL, &e);
    if (!s)
        worsen(f, ctl_fail(f->call, CTL_COULD_NOT, "%s", e.text));
    return s;
}

static void test_folder(struct folder *f, const char *dir)
{
    struct slice *names;
    size_t n, length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/')
        length--;
    struct slice folder = arena_printf(f->call->arena, "%.*s/scenarios", (int)length, dir);
    if (!ctl_load(f->call, dir, &f->bundle, &f->p)) {
        worsen(f, CTL_PROBLEMS);
        return;
    }
    if (!list_files(f->call, folder, &names, &n)) {
        worsen(f, CTL_COULD_NOT);
        return;
    }
    struct simulation *holder = hold_definition(f);
    if (!holder)
        return;
    coverage_start(&f->coverage, f->p, f->call->arena);
    for (size_t i = 0; i < n; i++)
        take_file(f, folder, names[i]);
    report_coverage(f->report, f->p->id, &f->coverage);
    simulation_free(holder);
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct test_report report = {.call = call, .verbose = ctl_value(call, "verbose") != NULL};
    struct folder f = {.call = call, .report = &report};
    for (int i = 0; i < call->nargs; i++)
        test_folder(&f, call->argument[i]);
    if (!report_end(&report, ctl_value(call, "junit")))
        worsen(&f, CTL_COULD_NOT);
    buf_free(&report.junit);
    return f.worst;
}

const struct ctl_command ctl_test = {
    .name = "test",
    .arguments = "DIR…",
    .summary = "run a workflow's scenarios (DIR/scenarios/*.yaml) and say what they reach",
    .least = 1,
    .most = -1,
    .options = {{"verbose", NULL, "every scenario, and what none of them reaches (-v)", false},
                {"junit", "FILE", "write the results as JUnit XML, too", false}},
    .run = run,
};
