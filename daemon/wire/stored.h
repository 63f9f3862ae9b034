/* Values, causes and other parts of stored records. For wire's own files only. */
#ifndef DUBAND_WIRE_STORED_H
#define DUBAND_WIRE_STORED_H

#include "wire/proto.h"

/* t gives the names of a record's fields; NULL: of no known type (the value's own names, or none). */
Duban__V1__Value *stored_value(const struct value *v, const struct type *t, struct arena *a);
/* False with e when the value is not of type t (n/a always is). */
bool stored_value_read(const Duban__V1__Value *m, const struct type *t, struct arena *a, struct value *out,
                       struct err *e);

Duban__V1__NamedValue *stored_named(struct slice name, const struct value *v, const struct type *t,
                                    struct arena *a);

Duban__V1__Cause *stored_cause(const struct cause *c, struct arena *a);
void stored_cause_read(const Duban__V1__Cause *m, struct cause *out);

#endif
