/* One scenario, run in virtual time: what failed, and what it reached. */
#ifndef DUBAND_CTL_SCENARIO_RUN_H
#define DUBAND_CTL_SCENARIO_RUN_H

#include "ctl/coverage.h"
#include "ctl/scenario.h"
#include "ctl/scenario_match.h"
#include "engine/simulate.h"

struct failure {
    const struct yaml *at;
    struct slice expected;
    struct slice *happened; /* nearest first */
    size_t n, cap;
};

struct refusal_seen { /* an event of the present step that was rejected */
    const struct yaml *at;
    struct slice *reason;
    size_t nreasons;
    bool foreseen; /* a `rejected:` names it */
};

struct scenario_run {
    const struct program *p;
    const struct scenario *s;
    struct simulation *simulation;
    struct coverage *coverage;
    struct arena *arena, *scratch;
    issued_t **issued; /* since the present step began */
    size_t nissued, issued_cap;
    struct refusal_seen *refused;
    size_t nrefused, refused_cap;
    struct failure *failures;
    size_t nfailures, failures_cap;
};

/* False and e when it could not be run at all; else run->failures says how it went. Everything is the
 * arena's. */
bool scenario_run(struct scenario_run *run, const struct program *p, const struct bundle *b,
                  const struct scenario *s, struct coverage *coverage, struct arena *a, struct err *e);

struct failure *scenario_fail(struct scenario_run *run, const struct yaml *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void failure_add(struct scenario_run *run, struct failure *f, struct slice line);

/* ---- scenario_check.c */
void scenario_check(struct scenario_run *run, const struct scenario_check *c);

#endif
