/* Receipt times of the embedded log: the machine's clock, never backwards, and such that the order of
 * appending is the order of merging (merge.h). A clock that steps by more than five minutes against the boot
 * clock is not believed until an operator accepts it or it steps back: meanwhile receipt times follow the
 * boot clock from where the clock stood, and clock records are refused, so that a wrong year issues nothing.
 */
#ifndef DUBAND_RECEIPT_H
#define DUBAND_RECEIPT_H

#include "base/civil.h"
#include "wire/wire.h"

#define RECEIPT_STEP_MOST (5 * 60 * 1000) /* milliseconds */

struct receipt_clock {
    instant_t offset;        /* the believed clock less the boot clock */
    instant_t now;           /* the believed clock when last observed */
    instant_t last;          /* what was stamped last; nothing later gets less */
    instant_t last_deadline; /* the last stamp of the deadlines topic */
    instant_t step;          /* by how much the clock is off what is believed */
    bool stopped;
};

/* wall: milliseconds since 1970; boot: milliseconds since the machine started, suspended or not. */
void receipt_start(struct receipt_clock *c, instant_t wall, instant_t boot, instant_t last,
                   instant_t last_deadline);
/* As receipt_start for a clock whose offset is known from this same boot of the machine. */
void receipt_resume(struct receipt_clock *c, instant_t offset, instant_t wall, instant_t boot, instant_t last,
                    instant_t last_deadline);
void receipt_observe(struct receipt_clock *c, instant_t wall, instant_t boot);
void receipt_accept(struct receipt_clock *c, instant_t wall, instant_t boot);
instant_t receipt_stamp(struct receipt_clock *c, enum topic topic);
/* One sentence on why it is stopped. */
void receipt_explain(const struct receipt_clock *c, struct err *why);

/* The machine's clocks. Tests put their own in place before they open a bus. */
struct receipt_source {
    void (*read)(instant_t *wall, instant_t *boot);
    struct slice (*boot_id)(struct arena *a); /* differs with every start of the machine; empty: unknown */
};
extern const struct receipt_source *receipt_source;

#endif
