/* What one processor does without a disk: definitions checked, turns taken over a store in memory.
 *
 * usage: memory CHECKED WORKFLOW [EVENTS [SUBJECTS]]
 *
 * CHECKED is the folder of the definition that is compiled again and again; WORKFLOW is tests/bench/load.
 * Prints one JSON object. */
#include "bench.h"

#include "engine/simulate.h"

#define CHECK_S 1.0 /* how long definitions are checked */

static void read_folder(const char *folder, struct bundle *b, struct arena *a)
{
    struct diags d = {.arena = a};
    if (bundle_read(folder, b, &d))
        return;
    diags_print(stderr, &d, false);
    die("%s: not a workflow", folder);
}

/* From bytes to a program, per second. */
static double check_again(const char *folder)
{
    struct arena *whole = arena_new(), *a = arena_new();
    struct bundle b;
    unsigned checked = 0;
    read_folder(folder, &b, whole);
    double began = now_s(), took;
    do {
        struct diags d = {.arena = a};
        if (!lang_compile(&b, a, &d))
            die("%s: it has mistakes", folder);
        arena_reset(a);
        checked++;
        took = now_s() - began;
    } while (took < CHECK_S);
    arena_free(a);
    arena_free(whole);
    return checked / took;
}

/* Facts about subjects that exist already, each a turn with a notification and a history record, per second.
 */
static double take_turns(const char *folder, unsigned events, unsigned subjects)
{
    struct arena *whole = arena_new(), *a = arena_new();
    struct bundle b;
    struct err e;
    uint64_t seed = PICK_SEED;
    instant_t when;
    double began = 0;
    read_folder(folder, &b, whole);
    instant_parse(S("2024-01-01T00:00:00+08:00"), &when);
    struct simulation *s = simulation_new(&b, when, NULL, NULL, &e);
    if (!s)
        die("%s: %s", folder, e.text);
    for (unsigned n = 0; n < subjects + events; n++) {
        struct outcome out;
        if (n == subjects)
            began = now_s();
        struct cloud_event touch = touch_event(a, "run", n, n < subjects ? n : pick(&seed, subjects));
        if (!simulation_event(s, &touch, when + 1000, &out, &e))
            die("event %u: %s", n, e.text);
        if (out.what != OUTCOME_APPLIED)
            die("event %u was not applied", n);
        arena_reset(a);
    }
    double took = now_s() - began;
    simulation_free(s);
    arena_free(a);
    arena_free(whole);
    return events / took;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: memory CHECKED WORKFLOW [EVENTS [SUBJECTS]]");
    unsigned events = argument(argc, argv, 3, 100000), subjects = argument(argc, argv, 4, 10000);
    double checks = check_again(argv[1]);
    printf("{\"checks_per_s\":%.1f,\"turns_per_s\":%.0f}\n", checks, take_turns(argv[2], events, subjects));
    return 0;
}
