/* A plausible year, made from the definition itself and a seed: reports mostly in time, sometimes late or
 * missing, and reviewed; facts of every declared kind by those who may report it, with well-typed fields;
 * rankings, readings, directives, requests for more time. The same seed gives the same bytes. */
#ifndef DUBAND_CTL_RANDOM_YEAR_H
#define DUBAND_CTL_RANDOM_YEAR_H

#include "core/program.h"

/* Events received in [from, until), one CloudEvent in JSON a line, in the order of time. */
struct slice random_year(const struct program *p, uint64_t seed, instant_t from, instant_t until,
                         struct arena *a);

#endif
