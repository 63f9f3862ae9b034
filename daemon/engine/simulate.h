/* A run in virtual time: the same engine over a store in memory, fed from a list of records. Used by dubanctl simulate and test. */
#ifndef DUBAND_SIMULATE_H
#define DUBAND_SIMULATE_H

#include "engine/engine.h"
#include "lang/lang.h"

struct simulation;

/* Publishes the bundle at `from` (INSTANT_NONE: the start of its effective span). Every output goes to `output`, in order. */
struct simulation *simulation_new(const struct bundle *b, instant_t from, void (*output)(void *ctx, const struct record *r), void *ctx,
                                  struct err *e);
/* The same for a bundle that is compiled already, as p. */
struct simulation *simulation_of(const struct program *p, const struct bundle *b, instant_t from,
                                 void (*output)(void *ctx, const struct record *r), void *ctx, struct err *e);
/* Who looks on at its turns from now on; NULL: nobody. */
void simulation_watch(struct simulation *s, const struct watch *w);
/* One event at its time (its receipt time; never running back: an earlier one is taken at the time reached). Timers due by then fire first. */
bool simulation_event(struct simulation *s, const struct cloud_event *ev, instant_t received, struct outcome *out, struct err *e);
/* Fires every timer due by t. */
bool simulation_until(struct simulation *s, instant_t t, struct err *e);
const struct program *simulation_program(const struct simulation *s);
struct store *simulation_store(struct simulation *s); /* for queries */
instant_t simulation_now(const struct simulation *s);
void simulation_free(struct simulation *s);

#endif
