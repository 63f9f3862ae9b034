/* One scenario, run in virtual time: what failed, and what it reached. */
#ifndef DUBAND_CTL_SCENARIO_RUN_H
#define DUBAND_CTL_SCENARIO_RUN_H

#include "ctl/coverage.h"
#include "ctl/guard.h"
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

struct looked_at { /* a rule that did not hold, while the present step was applied */
    const struct machine *machine;
    const struct rule *rule;
    struct slice key[KEY_PARTS_MAX];
    struct slice line;    /* where, what, of which instance */
    struct text_lines parts; /* of its condition */
};

struct scenario_run {
    const struct program *p;
    const struct bundle *bundle;
    const struct scenario *s;
    struct simulation *simulation;
    struct coverage *coverage;
    struct arena *arena, *scratch;
    issued_t **issued; /* since the present step began */
    size_t nissued, issued_cap;
    struct issued_list {
        issued_t **item;
        size_t n, cap;
    } withdrawn, proposed; /* since then, too */
    struct refusal_seen *refused;
    size_t nrefused, refused_cap;
    struct looked_at *looked; /* with `looking` only */
    size_t nlooked, looked_cap;
    bool looking;
    struct failure *failures;
    size_t nfailures, failures_cap;
};

/* False and e when it could not be run at all; else run->failures says how it went. Everything is the
 * arena's. One that fails is run once more with somebody looking on, so that failures can name the rules that
 * did not hold: what passes, which is nearly everything, does not pay for it. */
bool scenario_run(struct scenario_run *run, const struct program *p, const struct bundle *b,
                  const struct scenario *s, struct coverage *coverage, struct arena *a, struct err *e);

struct failure *scenario_fail(struct scenario_run *run, const struct yaml *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void failure_add(struct scenario_run *run, struct failure *f, struct slice line);

/* ---- scenario_look.c */
/* Keeps the rules that do not hold from now on, until looked_clear. */
void looked_start(struct scenario_run *run, struct watch *w);
/* Adds to f which rules could have issued the pattern's measure, or led to the pattern's state, and why they did
 * not. */
void looked_tell(struct scenario_run *run, struct failure *f, const struct yaml *pattern);

/* ---- scenario_check.c */
void scenario_check(struct scenario_run *run, const struct scenario_check *c);
void rejections_tell(struct scenario_run *run, struct failure *f);
/* ---- scenario_changed.c */
/* Takes i over and answers true when it is a withdrawal. */
bool withdrawn_take(struct scenario_run *run, issued_t *i);
void proposed_take(struct scenario_run *run, const json_t *history);
void issued_clear(struct issued_list *l);
/* `withdrawn:` and `proposed:`. */
void scenario_changed_check(struct scenario_run *run, const struct scenario_check *c);
/* The event with the id of the measure that it is about. */
bool scenario_event_complete(struct scenario_run *run, const struct scenario_event *e, struct cloud_event *out,
                             struct err *err);
/* ---- scenario_state.c */
void scenario_state_check(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern);
/* ---- scenario_score.c */
void scenario_score_check(struct scenario_run *run, const struct yaml *at, const struct yaml *pattern);

#endif
