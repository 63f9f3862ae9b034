/* Values, causes and other parts of stored records. For wire's own files only. */
#ifndef DUBAND_WIRE_STORED_H
#define DUBAND_WIRE_STORED_H

#include "wire/pack.h"

/* t gives the names of a record's fields; NULL: of no known type (the value's own names, or none). */
void stored_pack_value(struct packer *w, unsigned field, const struct value *v, const struct type *t);
void stored_pack_named(struct packer *w, unsigned field, struct slice name, const struct value *v,
                       const struct type *t);
/* False with e when the value is not of type t (n/a always is). */
bool stored_value_read(const Duban__V1__Value *m, const struct type *t, struct arena *a, struct value *out,
                       struct err *e);

void stored_pack_cause(struct packer *w, unsigned field, const struct cause *c);
void stored_pack_instant(struct packer *w, unsigned field, instant_t t);
void stored_pack_headers(struct packer *w, unsigned field, const struct record *r);
void stored_cause_read(const Duban__V1__Cause *m, struct cause *out);

#endif
