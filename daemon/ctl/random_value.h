/* Random numbers from a seed, and random values of a type. */
#ifndef DUBAND_CTL_RANDOM_VALUE_H
#define DUBAND_CTL_RANDOM_VALUE_H

#include "core/program.h"
#include "ctl/json.h"

struct chance { /* what is drawn from */
    uint64_t state;
    const struct program *p;
    struct arena *arena;
};
uint64_t chance_below(struct chance *c, uint64_t n); /* 0 … n - 1; 0 for n 0 */
bool chance_of(struct chance *c, unsigned percent);
instant_t chance_between(struct chance *c, instant_t from, instant_t until); /* within, on a whole minute */
/* A unit in force on the day that holds one of the roles (none given: any unit); empty: there is none. */
struct slice chance_unit(struct chance *c, const int *roles, size_t nroles, date_t day);
/* A value of the type as it may stand in a record received at `now`; name: the field's. */
json_t *chance_value(struct chance *c, const struct type *type, struct slice name, instant_t now);
/* Of each field that must be there, and of some of the others. required: by field, or NULL. */
json_t *chance_fields(struct chance *c, const struct field *field, size_t n, const bool *required,
                      instant_t now);

#endif
