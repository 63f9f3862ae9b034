/* Exact numbers: rationals of two 64-bit integers, always reduced, denominator positive.
 * Overflow is reported, never a wrong digit. */
#ifndef DUBAND_RAT_H
#define DUBAND_RAT_H

#include "base/base.h"

struct rat {
    int64_t num;
    int64_t den;
};

static inline struct rat rat_int(int64_t n)
{
    return (struct rat){n, 1};
}

enum rat_status { RAT_OK, RAT_OVERFLOW, RAT_DIV_ZERO };

enum rat_status rat_add(struct rat a, struct rat b, struct rat *out);
enum rat_status rat_sub(struct rat a, struct rat b, struct rat *out);
enum rat_status rat_mul(struct rat a, struct rat b, struct rat *out);
enum rat_status rat_div(struct rat a, struct rat b, struct rat *out);
int rat_cmp(struct rat a, struct rat b); /* never overflows */
int64_t rat_floor(struct rat a);
int64_t rat_ceil(struct rat a);
enum rat_status rat_round(struct rat a, int places, struct rat *out); /* half away from zero; 0 ≤ places ≤ 9 */

/* "12", "-3.50", "70%" (= 7/10), "1/3". The whole slice; false on anything else or on overflow. */
bool rat_parse(struct slice s, struct rat *out);
/* The same as a report writes it: 近, 约 in front, 余, 多 behind say that it is only roughly so: 近800, 1500余. */
bool rat_parse_written(struct slice s, struct rat *out, bool *approximate);
/* Decimal if it terminates within 18 digits ("26.67" stays "26.67"), else "num/den". */
struct slice rat_format(struct arena *a, struct rat r);
/* Exactly `places` decimals, rounded half away from zero: "35.00". */
struct slice rat_format_places(struct arena *a, struct rat r, int places);

#endif
