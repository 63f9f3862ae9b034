/* What the files that turn a scenario's short hand into events share. */
#ifndef DUBAND_CTL_SCENARIO_EVENT_H
#define DUBAND_CTL_SCENARIO_EVENT_H

#include "ctl/json.h"
#include "ctl/scenario.h"
#include "ctl/scenario_grammar.h"
#include "lang/compile.h"

struct draft { /* one event being read */
    struct scenario_reader *r;
    const struct yaml *at;  /* the event: its map */
    const struct yaml *key; /* submit, dispatch …: where mistakes are shown */
    const struct yaml *body;
    instant_t time;
    struct slice source;
    struct slice reason; /* of the envelope */
    const struct yaml *measure; /* which one it is about: its id is looked up when the scenario runs */
};

struct form { /* a body with a name of its own */
    const char *name, *type, *member;
    const struct key_def *keys;
    size_t nkeys;
    json_t *(*fill)(struct draft *d);
};

json_t *scenario_value(const struct yaml *y);
/* `by:` of the event, else the only holder of the first role that may. Empty after a diagnostic. */
struct slice scenario_reporter(const struct draft *d, const int *roles, size_t nroles);

/* scenario_correct.c: extend, waive … unless the workflow declares an event of that name; NULL: no correction. */
const struct form *scenario_correction(const struct program *p, struct slice name);
/* Their names, for "did you mean". */
extern const struct form correction_forms[];
extern const size_t correction_nforms;
/* scenario_retract.c: annul, supersede, late, decide; likewise. */
const struct form *scenario_retraction(const struct program *p, struct slice name);
/* An event as it stands within another: {"workflow": …, "fact": {…}}. NULL after a diagnostic. */
json_t *scenario_event_data(struct scenario_reader *r, const struct yaml *at, instant_t time);
/* scenario_roster.c: roster; likewise. */
const struct form *scenario_roster(const struct program *p, struct slice name);
/* From here on the scenario may speak of units that the event brings. */
void scenario_roster_take(struct scenario_reader *r, const struct cloud_event *e);
extern const struct form reading_form; /* scenario_reading.c */
extern const struct form directive_form; /* scenario_directive.c */

#endif
