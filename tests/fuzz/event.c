/* Any bytes as an event's data: the first byte says which message its envelope names, and whether it is JSON. Whatever it is, there is an
 * outcome, and the workflow goes on. */
#include "definition.h"

static const char *const types[] = {
    "Submission", "Review", "Fact",     "Reading", "Ranking", "Directive", "ExtensionRequested", "Extend",          "Waive",
    "Pause",      "Resume", "Excuse",   "Annul",   "Supersede", "RosterChange", "Definition",     "DeadlineReached", "Decide"};
#define TYPES (sizeof types / sizeof *types)

static struct bundle bundle;
static const struct program *program;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static struct arena *kept;
    (void)argc;
    (void)argv;
    kept = arena_new();
    bundle = fuzz_bundle(kept, "event.points > 1 and times < 3");
    program = fuzz_compile(&bundle, kept);
    if (!program) {
        struct diags d = {.arena = kept};
        lang_compile(&bundle, kept, &d);
        diags_print(stderr, &d, false);
        abort();
    }
    return 0;
}

static void take(struct simulation *s, const struct cloud_event *ev)
{
    struct outcome out;
    struct err e;
    if (!simulation_event(s, ev, simulation_now(s) + FUZZ_DAY, &out, &e)) {
        fprintf(stderr, "the turn failed: %s\n", e.text);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e;
    if (size == 0)
        return 0;
    struct arena *a = arena_new();
    struct simulation *s = simulation_of(program, &bundle, INSTANT_NONE, NULL, NULL, &e);
    struct cloud_event ev = {.id = S("1"),
                             .source = S("fuzz"),
                             .type = arena_printf(a, "duban.v1.%s", types[data[0] % 64 % TYPES]),
                             .content_type = data[0] & 64 ? S("application/protobuf") : S("application/json"),
                             .time = INSTANT_NONE,
                             .workflow = S("fuzz"),
                             .data = {(const char *)data + 1, size - 1}};
    take(s, &ev);
    take(s, &ev); /* known by now, or refused again */
    simulation_free(s);
    arena_free(a);
    return 0;
}
