/* google.protobuf.Struct → core's untyped values. For wire's own files only. */
#ifndef DUBAND_WIRE_UNTYPED_H
#define DUBAND_WIRE_UNTYPED_H

#include "wire/proto.h"

/* A record with its names in byte order, whatever order they came in. Adds reasons for numbers that are not
 * exact and names given twice. */
struct value untyped_record(const Google__Protobuf__Struct *s, struct arena *a, const struct path *at,
                            struct reasons *why);

/* The exact number that a double was written as: whole numbers up to 2^53, else its decimal text of at most
 * 15 digits (what any decimal of up to 15 digits reads back as). False: not a number, too large, too small,
 * or a whole number past 2^53. */
bool untyped_number(double v, struct rat *out);

#endif
