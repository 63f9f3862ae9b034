/* Any text as the condition of a rule: diagnostics at it, or a guard that one event then tries. */
#include "definition.h"

/* As a double-quoted YAML scalar holds it. */
static const char *quoted(struct arena *a, const uint8_t *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc(a, size * 4 + 1), *p = out;
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 0x20 || data[i] == 0x7f) {
            *p++ = '\\', *p++ = 'x', *p++ = hex[data[i] >> 4], *p++ = hex[data[i] & 15];
            continue;
        }
        if (data[i] == '"' || data[i] == '\\')
            *p++ = '\\';
        *p++ = (char)data[i];
    }
    return out;
}

static const struct cloud_event said = {
    .id = {"1", 1},
    .source = {"fuzz", 4},
    .type = {"duban.v1.Fact", 13},
    .content_type = {"application/json", 16},
    .time = INSTANT_NONE,
    .workflow = {"fuzz", 4},
    .data = {"{\"workflow\":\"fuzz\",\"fact\":{\"kind\":\"said\",\"reporter\":\"w-1\",\"fields\":{\"held\":\"2024-03-29\","
             "\"of\":[\"w-1\",\"o\"],\"thing\":\"a\",\"points\":\"2.5\",\"kind\":\"好\",\"lines\":[{\"item\":\"x\",\"points\":3}]}}}",
             0}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct bundle b = fuzz_bundle(a, quoted(a, data, size));
    const struct program *p = fuzz_compile(&b, a);
    struct err e;
    struct simulation *s = p ? simulation_of(p, &b, INSTANT_NONE, NULL, NULL, &e) : NULL;
    if (s) {
        struct cloud_event event = said;
        struct outcome out;
        event.data.n = strlen(event.data.p);
        if (!simulation_event(s, &event, simulation_now(s) + FUZZ_DAY, &out, &e)) {
            fprintf(stderr, "the turn failed: %s\n", e.text);
            abort();
        }
        simulation_free(s);
    }
    arena_free(a);
    return 0;
}
