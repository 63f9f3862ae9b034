/* dubanctl test: every scenario of workflows, on as many threads as there are cores; told in one order. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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

/* ---- folders, and one job for each of their scenarios */

struct folder {
    struct bundle bundle;
    struct program *p; /* NULL: it cannot be tested */
    struct coverage coverage;
    struct simulation
        *holder; /* idle: a definition that somebody holds is compiled once, for all scenarios */
};

struct job {
    struct folder *folder;
    struct bundle_file *file;
    bool read_from_disk;
    /* What came of it; everything is the arena's. */
    struct arena *arena;
    struct diags diags;
    struct scenario scenario;
    struct scenario_run run;
    struct coverage coverage;
    double ms;
    struct err e;
    enum { JOB_UNREADABLE, JOB_COULD_NOT, JOB_RAN } what;
};

#define ASKED_NOTHING UINT64_MAX /* of --min-coverage */

struct tests {
    struct ctl_call *call;
    struct job *item;
    size_t n, cap;
    atomic_size_t next;
    enum ctl_exit worst;
};

static void worsen(struct tests *t, enum ctl_exit e)
{
    t->worst = e > t->worst ? e : t->worst;
}

static void add_job(struct tests *t, struct folder *f, struct slice folder, struct slice name)
{
    struct arena *a = t->call->arena;
    struct job *j = arena_push(a, &t->item, &t->n, &t->cap, sizeof *j);
    *j = (struct job){.folder = f, .file = ARENA_NEW(a, struct bundle_file)};
    j->file->path = name;
    j->file->shown = arena_printf(a, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(name));
    j->read_from_disk = ctl_read_file(t->call, j->file->shown.p, &j->file->content);
    if (!j->read_from_disk)
        worsen(t, CTL_COULD_NOT);
}

static void open_folder(struct tests *t, struct folder *f, const char *dir)
{
    struct slice *names;
    size_t n, length = strlen(dir);
    struct err e;
    while (length > 1 && dir[length - 1] == '/')
        length--;
    struct slice folder = arena_printf(t->call->arena, "%.*s/scenarios", (int)length, dir);
    if (!ctl_load(t->call, dir, &f->bundle, &f->p)) {
        worsen(t, CTL_PROBLEMS);
        return;
    }
    coverage_start(&f->coverage, f->p, t->call->arena);
    if (!list_files(t->call, folder, &names, &n)) {
        worsen(t, CTL_COULD_NOT);
        return;
    }
    f->holder = simulation_of(f->p, &f->bundle, INSTANT_NONE, NULL, NULL, &e);
    if (!f->holder) {
        worsen(t, ctl_fail(t->call, CTL_COULD_NOT, "%s: %s", dir, e.text));
        return;
    }
    for (size_t i = 0; i < n; i++)
        add_job(t, f, folder, names[i]);
}

/* ---- running: a job is one thread's; programs and bundles are only read */

static void run_job(struct job *j)
{
    if (!j->read_from_disk)
        return;
    j->arena = arena_new();
    j->diags.arena = j->arena;
    double start = now_ms();
    if (!scenario_read(j->folder->p, j->file, j->arena, &j->diags, &j->scenario))
        return;
    coverage_start(&j->coverage, j->folder->p, j->arena);
    j->what =
        scenario_run(&j->run, j->folder->p, &j->folder->bundle, &j->scenario, &j->coverage, j->arena, &j->e)
            ? JOB_RAN
            : JOB_COULD_NOT;
    j->ms = now_ms() - start;
}

static void *run_jobs(void *arg)
{
    struct tests *t = arg;
    for (size_t i; (i = atomic_fetch_add(&t->next, 1)) < t->n;)
        run_job(&t->item[i]);
    return NULL;
}

static void run_all(struct tests *t, size_t threads)
{
    pthread_t *other = ARENA_ARRAY(t->call->arena, pthread_t, threads + 1);
    size_t n = 0;
    json_object_seed(0); /* before there are threads to race for it */
    while (n + 1 < threads && n + 1 < t->n && pthread_create(&other[n], NULL, run_jobs, t) == 0)
        n++;
    run_jobs(t);
    for (size_t i = 0; i < n; i++)
        pthread_join(other[i], NULL);
}

/* ---- telling, in the order of folders and names */

static void tell_job(struct tests *t, struct test_report *r, struct job *j)
{
    struct folder *f = j->folder;
    if (!j->read_from_disk)
        return;
    diags_sort(&j->diags);
    if (j->diags.n)
        diags_print(stderr, &j->diags, ctl_colours(stderr) && !t->call->json);
    if (j->what == JOB_COULD_NOT) {
        worsen(t, ctl_fail(t->call, CTL_COULD_NOT, "%.*s: %s", SLICE_ARG(j->file->shown), j->e.text));
    } else if (j->what == JOB_UNREADABLE) {
        report_unreadable(r, f->p->id, j->file);
        worsen(t, CTL_PROBLEMS);
    } else {
        report_scenario(r, f->p->id, &j->run, j->ms);
        coverage_join(&f->coverage, &j->coverage);
        if (j->run.nfailures)
            worsen(t, CTL_PROBLEMS);
    }
    arena_free(j->arena);
}

/* Of several that a shell's pattern brought: what is there, and is no workflow's folder. */
static bool is_beside(const char *path, struct arena *a)
{
    return access(path, F_OK) == 0 && access(arena_printf(a, "%s/workflow.yaml", path).p, F_OK) != 0;
}

static void pass_over(struct ctl_call *call, struct slice *passed, const char *path)
{
    *passed = arena_printf(call->arena, "%.*s%s%s", SLICE_ARG(*passed), passed->n ? ", " : "", path);
}

/* Those that are folders of workflows, or should be. */
static size_t workflows_of(struct ctl_call *call, const char **dir)
{
    struct slice passed = {"", 0};
    size_t n = 0;
    for (int i = 0; i < call->nargs; i++)
        if (call->nargs > 1 && is_beside(call->argument[i], call->arena))
            pass_over(call, &passed, call->argument[i]);
        else
            dir[n++] = call->argument[i];
    if (passed.n)
        fprintf(stderr, "passed over, no workflow.yaml in it: %.*s\n", SLICE_ARG(passed));
    return n;
}

/* Under the least that is asked for: a problem. A list of articles promises that all of them are covered. */
static void tell_folder(struct tests *t, struct test_report *r, struct folder *f, uint64_t least)
{
    size_t reached, all;
    if (!f->holder)
        return;
    report_coverage(r, f->p->id, &f->coverage);
    coverage_articles(&f->coverage, &reached, &all);
    if (least == ASKED_NOTHING)
        least = f->p->narticles ? 100 : 0;
    if (reached * 100 < least * all)
        worsen(t, ctl_fail(t->call, CTL_PROBLEMS, "%.*s: %zu of %zu articles are covered, under %lu %%",
                           SLICE_ARG(f->p->id), reached, all, (unsigned long)least));
}

static bool read_number(const struct ctl_call *call, const char *option, uint64_t least, uint64_t most,
                        uint64_t *out)
{
    const char *text = ctl_value(call, option);
    if (!text || (parse_u64(slice_of(text), out) && *out >= least && *out <= most))
        return true;
    ctl_fail(call, CTL_USAGE, "--%s: '%s' is no whole number from %lu to %lu", option, text,
             (unsigned long)least, (unsigned long)most);
    return false;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct test_report report = {.call = call, .verbose = ctl_value(call, "verbose") != NULL};
    struct tests t = {.call = call};
    const char **dir = ARENA_ARRAY(call->arena, const char *, (size_t)call->nargs);
    size_t nfolders = workflows_of(call, dir);
    struct folder *folders = ARENA_ARRAY(call->arena, struct folder, nfolders + 1);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t least = ASKED_NOTHING, threads = cores > 0 ? (uint64_t)cores : 1;
    if (!read_number(call, "min-coverage", 0, 100, &least) || !read_number(call, "jobs", 1, 1000, &threads))
        return CTL_USAGE;
    if (nfolders == 0)
        return ctl_fail(call, CTL_PROBLEMS, "none of them is a workflow's folder: workflow.yaml was expected in it");
    for (size_t i = 0; i < nfolders; i++)
        open_folder(&t, &folders[i], dir[i]);
    run_all(&t, threads);
    for (size_t i = 0, j = 0; i < nfolders; i++) {
        for (; j < t.n && t.item[j].folder == &folders[i]; j++)
            tell_job(&t, &report, &t.item[j]);
        tell_folder(&t, &report, &folders[i], least);
        simulation_free(folders[i].holder);
    }
    if (!report_end(&report, ctl_value(call, "junit")))
        worsen(&t, CTL_COULD_NOT);
    buf_free(&report.junit);
    return t.worst;
}

const struct ctl_command ctl_test = {
    .name = "test",
    .arguments = "DIR…",
    .summary = "run the scenarios of workflows (DIR/scenarios/*.yaml) and say what they reach",
    .least = 1,
    .most = -1,
    .options = {{"verbose", NULL, "every scenario, and what none of them reaches (-v)", false},
                {"junit", "FILE", "write the results as JUnit XML, too", false},
                {"min-coverage", "N", "fail when less than N % of the articles are covered; default: 100, of those that articles: lists", false},
                {"jobs", "N", "scenarios at a time; default: one a core", false}},
    .run = run,
};
