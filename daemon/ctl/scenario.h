/* Scenarios: what a regime must do, step by step, in DIR/scenarios/NAME.yaml. Read and checked as a whole
 * before anything runs.
 *
 *   scenario: a sentence                   what it shows
 *   covers: [五（三）T1]                   the articles it stands for
 *   given: [EVENT, {TIME: EVENT}]          what was before
 *   at:                                    in the order of time
 *     - TIME: EVENT or [EVENT, …]
 *     - expect: {measure: …, unit: …}      issued since that time began to be applied, timers on the way, too
 *     - none: {…}                          not issued
 *     - only: [{…}]                        exactly these, of what the machines issued that can issue the
 *                                          measures listed; [] is about all machines
 *     - rejected: {because: …}
 *     - withdrawn: {measure: …}            a measure that went out was withdrawn; [] nothing was
 *     - proposed: {measure: …}             a measure waits for a decision since then; [] none does
 *     - state: {machine: …, state: …}      and parts of the machine's key by their names
 *     - due: {obligation: …, year: …, tasks: N}
 *     - score: {tally: …, unit: …, period: …, items: {…}, total: …}
 *     - check: {warns: …, unit: …}         what checking the definition says
 *     - until TIME: [checks]               nothing comes in, time runs on
 */
#ifndef DUBAND_CTL_SCENARIO_H
#define DUBAND_CTL_SCENARIO_H

#include "lang/yaml.h"
#include "wire/wire.h"

enum check_kind { CHECK_EXPECT, CHECK_NONE, CHECK_ONLY, CHECK_REJECTED, CHECK_STATE, CHECK_DUE, CHECK_SCORE, CHECK_DEFINITION, CHECK_WITHDRAWN, CHECK_PROPOSED, CHECK_KINDS };

struct scenario_check {
    enum check_kind kind;
    const struct yaml *at;       /* its key: where a failure is shown */
    const struct yaml **pattern; /* maps whose keys were checked */
    size_t npatterns, cap;
};

struct scenario_step { /* a moment and what must hold then; the first one is the start and holds what is given
                        */
    instant_t time;    /* INSTANT_NONE: the start */
    const struct yaml *at; /* NULL for the start */
    struct scenario_event {
        struct cloud_event event;
        const struct yaml *at;
        const char *member;         /* of its data: annul, decide … */
        const struct yaml *measure; /* the one whose id goes into it when it is sent; NULL: complete */
    } * events;
    size_t nevents, events_cap;
    struct scenario_check *checks;
    size_t nchecks, checks_cap;
};

struct scenario {
    const struct bundle_file *file;
    struct slice title;
    struct slice *covers;
    size_t ncovers, covers_cap;
    struct scenario_step *steps;
    size_t nsteps, steps_cap;
};

/* What reading needs everywhere. */
struct scenario_reader {
    const struct program *p;
    struct arena *arena; /* outlives the scenario */
    struct diags *diags;
    struct scenario *s;
    size_t nevents; /* makes ids */
};

/* False after errors, which are in d. The scenario points into the file's bytes. */
bool scenario_read(const struct program *p, const struct bundle_file *file, struct arena *a, struct diags *d,
                   struct scenario *out);

/* ---- scenario_event.c */

/* Adds the event or events that `at` describes to the step. */
void scenario_events_read(struct scenario_reader *r, struct scenario_step *step, const struct yaml *at);

/* ---- scenario_pattern.c: maps of checks, checked against the program so that a slip never makes a check
 * hold for nothing */

void scenario_pattern_check(struct scenario_reader *r, enum check_kind kind, const struct yaml *map);
void scenario_measure_check(struct scenario_reader *r, const struct yaml *map); /* which measure: measure, unit, subject … */
void scenario_score_read(struct scenario_reader *r, const struct yaml *map); /* scenario_score.c */
void scenario_state_read(struct scenario_reader *r, const struct yaml *map); /* scenario_state.c */

#endif
