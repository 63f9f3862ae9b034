/* Any bytes as a document's template. What compiles also prints: every tag that it opens is closed, and no value opens one. */
#include "definition.h"

#include "wire/wire.h"

static void look(void *ctx, const struct record *r)
{
    struct document_view d;
    size_t open = 0, closed = 0;
    if (!wire_document(r, ctx, &d))
        return;
    for (size_t i = 0; i < d.main.n; i++)
        if (d.main.p[i] == '<' && (i + 3 >= d.main.n || memcmp(d.main.p + i, "<br>", 4) != 0)) {
            open += d.main.p[i + 1] != '/';
            closed += d.main.p[i + 1] == '/';
        }
    if (open != closed || memmem(d.main.p, d.main.n, "<b>", 3)) {
        fprintf(stderr, "a page that does not fit together: %.*s\n", SLICE_ARG(d.main));
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct bundle b = fuzz_bundle(a, "event.points > 1");
    struct err e;
    struct outcome out;
    b.files[4].content = (struct slice){(const char *)data, size};
    const struct program *p = fuzz_compile(&b, a);
    struct simulation *s = p ? simulation_of(p, &b, INSTANT_NONE, look, a, &e) : NULL;
    const struct cloud_event ev = {
        .id = S("1"),
        .source = S("fuzz"),
        .type = S("duban.v1.Fact"),
        .content_type = S("application/json"),
        .time = INSTANT_NONE,
        .workflow = S("fuzz"),
        .data = S("{\"workflow\":\"fuzz\",\"fact\":{\"kind\":\"said\",\"reporter\":\"w-1\",\"fields\":{\"points\":3,\"lines\":[]}}}")};
    if (s && !simulation_event(s, &ev, simulation_now(s) + FUZZ_DAY, &out, &e)) {
        fprintf(stderr, "the turn failed: %s\n", e.text);
        abort();
    }
    simulation_free(s);
    arena_free(a);
    return 0;
}
