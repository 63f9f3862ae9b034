/* Rules and their conditions in words: what a rule says, and why it holds or does not, part by part. */
#ifndef DUBAND_CTL_GUARD_H
#define DUBAND_CTL_GUARD_H

#include "core/expr_print.h"
#include "core/step.h"

struct text_lines {
    struct arena *arena;
    struct slice *item;
    size_t n, cap;
};
void lines_add(struct text_lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "suifenhe-2024/workflow.yaml:191" */
struct slice place_print(struct arena *a, const struct program *p, uint32_t place);
/* "when ranked if event.low → yellow" */
struct slice rule_print(struct arena *a, const struct program *p, const struct machine *m,
                        const struct rule *r);
/* "ranked {indicator: i-017, period: 2024Q2, rank: 9 …}"; a timer's: "timer limit" */
struct slice watched_event_print(struct arena *a, const struct watched *w);
/* The parts of the condition, as the watched moment saw them: "low ≥ params.red-min: 2 ≥ 3 → no", deeper ones
 * indented; what was n/a says which part of it was. */
void guard_explain(struct text_lines *out, const struct watched *w, const struct expr *condition);

/* Whether taking the rule issues the measure: in its `do:`, or in what it enters. */
bool rule_issues(const struct machine *m, const struct rule *r, int measure);

#endif
