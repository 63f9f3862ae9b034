/* Every scenario of every workflow there is: what its history says, run again, is the state that it left; and
 * still is after one of its records, whichever, was annulled. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/scenario.h"
#include "engine/rerun.h"
#include "engine/simulate.h"
#include "unit.h"

static uint64_t luck;
static size_t runs, annulled, refused, withdrawn;

static struct slice file_bytes(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf b = {0};
    char piece[4096];

    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        buf_add(&b, (struct slice){piece, n});
    fclose(f);
    struct slice all = arena_dup(a, buf_slice(&b));
    buf_free(&b);
    return all;
}

static void count_withdrawal(void *ctx, const struct record *r)
{
    struct arena *a = arena_new();
    struct measure_view v;

    (void)ctx;
    withdrawn += wire_measure_view(r, a, &v) && v.withdraws.n > 0;
    arena_free(a);
}

static void verify(struct simulation *s, const struct program *p, const char *what, const char *file)
{
    struct arena *a = arena_new();
    struct err e = {{0}};
    struct slice differs;
    struct engine *engine = engine_open(simulation_store(s), NULL, &e);
    struct store_txn *t = store_begin(simulation_store(s), false, &e);

    assert_non_null(engine);
    assert_int_equal(rerun_verify(engine, t, p->id, a, &differs, &e), TURN_DONE);
    if (differs.p != NULL) {
        for (size_t i = 0; i < differs.n; i++)
            print_message("%c", differs.p[i] != 0 ? differs.p[i] : '/');
        fail_msg(" is not what history says: %s, %s", file, what);
    }
    store_abort(t);
    engine_close(engine);
    arena_free(a);
}

/* Operators' decisions name measures that only a run knows. */
static const struct scenario_event **events_of(const struct scenario *s, struct arena *a, size_t *n)
{
    const struct scenario_event **out = NULL;
    size_t cap = 0;

    *n = 0;
    for (size_t i = 0; i < s->nsteps; i++)
        for (size_t k = 0; k < s->steps[i].nevents; k++)
            if (s->steps[i].events[k].measure == NULL)
                *(const struct scenario_event **)arena_push(a, &out, n, &cap, sizeof *out) =
                    &s->steps[i].events[k];
    return out;
}

static void play(struct simulation *s, const struct scenario *what, struct err *e)
{
    struct outcome out;

    for (size_t i = 0; i < what->nsteps; i++) {
        const struct scenario_step *step = &what->steps[i];
        instant_t time = step->time == INSTANT_NONE ? simulation_now(s) : step->time;

        if (step->nevents == 0)
            assert_true(simulation_until(s, time, e));
        for (size_t k = 0; k < step->nevents; k++)
            if (step->events[k].measure == NULL)
                assert_true(simulation_event(s, &step->events[k].event, time, &out, e));
    }
}

static struct cloud_event annul(const struct program *p, const struct cloud_event *which, struct arena *a)
{
    struct slice by = p->units[0].id;
    int *held;

    if (p->issuer >= 0 && program_holders(p, &p->issuer, 1, p->effective.from, a, &held) > 0)
        by = p->units[held[0]].id;
    return (struct cloud_event){
        .id = S("annul"),
        .source = S("operator"),
        .type = S("duban.v1.Annul"),
        .content_type = S("application/json"),
        .time = INSTANT_NONE,
        .workflow = p->id,
        .data =
            arena_printf(a,
                         "{\"workflow\":\"%.*s\",\"annul\":{\"record\":{\"source\":\"%.*s\",\"id\":\"%.*s\"},"
                         "\"reporter\":\"%.*s\"}}",
                         SLICE_ARG(p->id), SLICE_ARG(which->source), SLICE_ARG(which->id), SLICE_ARG(by))};
}

static void one_scenario(const struct bundle *b, const struct program *p, const char *path)
{
    struct arena *a = arena_new();
    struct bundle_file file = {
        .path = slice_of(path), .shown = slice_of(path), .content = file_bytes(a, path)};
    struct diags d = {.arena = a};
    struct scenario s;
    struct outcome out;
    struct err e = {{0}};
    size_t n;

    if (!scenario_read(p, &file, a, &d, &s))
        fail_msg("%s cannot be read", path);
    struct simulation *run = simulation_of(p, b, INSTANT_NONE, count_withdrawal, NULL, &e);
    assert_non_null(run);
    play(run, &s, &e);
    verify(run, p, "as it was", path);
    runs++;

    const struct scenario_event **event = events_of(&s, a, &n);
    if (n > 0) {
        size_t k = (size_t)random_between(&luck, 0, (int64_t)n - 1);
        struct cloud_event wrong = annul(p, &event[k]->event, a);

        assert_true(simulation_event(run, &wrong, simulation_now(run), &out, &e));
        annulled += out.what == OUTCOME_APPLIED;
        refused += out.what == OUTCOME_REJECTED;
        verify(run, p, arena_printf(a, "event %zu of %zu annulled", k + 1, n).p, path);
    }
    simulation_free(run);
    arena_free(a);
}

static int is_file(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void one_workflow(const char *folder)
{
    struct arena *a = arena_new();
    struct diags d = {.arena = a};
    struct dirent **entry;
    struct bundle b;
    const char *scenarios = arena_printf(a, "%s/scenarios", folder).p;
    const struct program *p = bundle_read(folder, &b, &d) ? lang_compile(&b, a, &d) : NULL;
    int n = scandir(scenarios, &entry, is_file, alphasort);

    if (p == NULL)
        fail_msg("%s does not compile", folder);
    for (int i = 0; i < n; i++) {
        one_scenario(&b, p, arena_printf(a, "%s/%s", scenarios, entry[i]->d_name).p);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    arena_free(a);
}

/* Small workflows use what stands beside the shipped ones. */
static void history_says_what_is(void **state)
{
    char where[] = "/tmp/duban-rerun-XXXXXX", command[200], path[300];
    struct dirent **entry;

    (void)state;
    luck = seed_take();
    assert_non_null(mkdtemp(where));
    snprintf(command, sizeof command, "cp -r workflows/. tests/language/. %s", where);
    assert_int_equal(system(command), 0);
    int n = scandir(where, &entry, is_file, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s/workflow.yaml", where, entry[i]->d_name);
        if (access(path, F_OK) == 0) {
            snprintf(path, sizeof path, "%s/%s", where, entry[i]->d_name);
            one_workflow(path);
        }
        free(entry[i]);
    }
    free(entry);
    snprintf(command, sizeof command, "rm -r %s", where);
    assert_int_equal(system(command), 0);
    print_message("%zu scenarios; %zu records annulled, %zu refused; %zu withdrawals\n", runs, annulled,
                  refused, withdrawn);
    assert_true(runs > 10 && annulled > runs / 3 && withdrawn > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(history_says_what_is)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
