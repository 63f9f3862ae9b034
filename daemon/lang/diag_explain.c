/* What each diagnostic means, with a mistake and its repair. */
#include "lang/diag.h"

static const struct {
    const char *code;
    struct diag_note note;
} notes[] = {
#define EXPLAIN(name, why, mistake, repair) {DIAG_##name, {why, mistake, repair}},
#include "lang/diag_explain.h"
#undef EXPLAIN
};

const struct diag_note *diag_explain(const char *code)
{
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (!strcmp(notes[i].code, code))
            return &notes[i].note;
    return NULL;
}
