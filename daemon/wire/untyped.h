/* google.protobuf.Struct → core's untyped values. For wire's own files only. */
#ifndef DUBAND_WIRE_UNTYPED_H
#define DUBAND_WIRE_UNTYPED_H

#include "wire/proto.h"

/* A record with its names in byte order, whatever order they came in. Adds reasons for numbers that are not
 * exact and names given twice. */
struct value untyped_record(const Google__Protobuf__Struct *s, struct arena *a, const struct path *at,
                            struct reasons *why);


#endif
