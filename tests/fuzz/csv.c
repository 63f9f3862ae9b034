/* Any bytes as units.csv, relations.csv or a table: the first byte says which. */
#include "definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *a = arena_new();
    struct bundle b = fuzz_bundle(a, "event.points > 1 or unit in lead of a");
    b.files[data[0] % 3].content = (struct slice){(const char *)data + 1, size - 1};
    fuzz_compile(&b, a);
    arena_free(a);
    return 0;
}
