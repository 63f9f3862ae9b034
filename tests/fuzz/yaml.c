/* Any bytes as workflow.yaml: diagnostics, or a program that runs. */
#include "definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct bundle b = fuzz_bundle(a, "yes");
    b.files[3].content = (struct slice){(const char *)data, size};
    const struct program *p = fuzz_compile(&b, a);
    struct err e;
    struct simulation *s = p ? simulation_of(p, &b, INSTANT_NONE, NULL, NULL, &e) : NULL;
    if (s) {
        simulation_until(s, simulation_now(s) + 40 * FUZZ_DAY, &e);
        simulation_free(s);
    }
    arena_free(a);
    return 0;
}
