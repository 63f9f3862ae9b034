/* Tallies: what a unit's points in a period come to. Closing and whoever looks at an open tally compute the same. */
#ifndef DUBAND_TALLY_H
#define DUBAND_TALLY_H

#include "core/step.h"

struct tally_score {
    bool closed; /* as it was closed; else provisional: as it would close now */
    struct tally_row {
        struct slice name, title, basis;
        struct value points;   /* that count: reviewed, else computed; n/a where they cannot be told */
        struct value computed; /* within cap and floor, rounded */
        struct value self;     /* n/a: the unit said nothing of it */
        struct slice bound;    /* "cap", "floor" or empty */
        const struct value *review; /* a tally_entry; NULL: not reviewed */
    } *rows; /* in the author's order; of items named by records, in the order in which they came */
    size_t n;
    struct value total, self_total;
    const struct value *entries; /* list of tally_entry */
    const char *failed;          /* NULL, or why it could not be computed: "overflow", "too costly" */
    uint32_t failed_at;          /* place */
};

/* i: of the tally's machine. `base` says what expressions see (program, instances, now, arena); its cost grows. */
void tally_compute(struct eval *base, int tally, const struct instance *i, struct tally_score *out);
/* One that nothing was credited to yet. */
struct instance *tally_blank(const struct program *p, int tally, struct slice unit, struct period period, struct arena *a);
/* The period is one that is scored; the unit holds a role that is, on the period's last day (or today, where that is earlier). */
bool tally_scores_period(const struct tally *t, struct period period);
bool tally_scores_unit(const struct program *p, const struct tally *t, struct slice unit, struct period period, date_t today);

#endif
