#include "base/rat.h"

/* Every operation is done exactly in 128 bits, then reduced, then checked to fit: a product of two 63-bit
 * magnitudes has 126 bits and the sum of two such products 127. INT64_MIN is never a result, so that negation
 * and absolute values are always safe. */
__extension__ typedef __int128 wide;

#define DIGITS_MAX 36 /* of a parsed number, zeros at the ends aside: 10^36 × 100 still fits 127 bits */

static wide wide_abs(wide a)
{
    return a < 0 ? -a : a;
}

static wide wide_gcd(wide a, wide b)
{
    while (b != 0) {
        if ((uint64_t)a == (unsigned __int128)a && (uint64_t)b == (unsigned __int128)b) {
            uint64_t x = (uint64_t)a, y = (uint64_t)b;
            while (y != 0) {
                uint64_t r = x % y;
                x = y;
                y = r;
            }
            return (wide)x;
        }
        wide r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static wide wide_ten_to(int n)
{
    wide v = 1;
    while (n-- > 0)
        v *= 10;
    return v;
}

static enum rat_status rat_make(wide num, wide den, struct rat *out)
{
    if (den < 0) {
        num = -num;
        den = -den;
    }
    wide g = den == 1 ? 1 : wide_gcd(wide_abs(num), den);
    num /= g;
    den /= g;
    if (wide_abs(num) > INT64_MAX || den > INT64_MAX)
        return RAT_OVERFLOW;
    *out = (struct rat){(int64_t)num, (int64_t)den};
    return RAT_OK;
}

enum rat_status rat_add(struct rat a, struct rat b, struct rat *out)
{
    if (a.den == b.den)
        return rat_make((wide)a.num + b.num, a.den, out);
    return rat_make((wide)a.num * b.den + (wide)b.num * a.den, (wide)a.den * b.den, out);
}

enum rat_status rat_sub(struct rat a, struct rat b, struct rat *out)
{
    if (a.den == b.den)
        return rat_make((wide)a.num - b.num, a.den, out);
    return rat_make((wide)a.num * b.den - (wide)b.num * a.den, (wide)a.den * b.den, out);
}

enum rat_status rat_mul(struct rat a, struct rat b, struct rat *out)
{
    return rat_make((wide)a.num * b.num, (wide)a.den * b.den, out);
}

enum rat_status rat_div(struct rat a, struct rat b, struct rat *out)
{
    if (b.num == 0)
        return RAT_DIV_ZERO;
    return rat_make((wide)a.num * b.den, (wide)a.den * b.num, out);
}

int rat_cmp(struct rat a, struct rat b)
{
    wide left = (wide)a.num * b.den, right = (wide)b.num * a.den;
    return (left > right) - (left < right);
}

int64_t rat_floor(struct rat a)
{
    return a.num / a.den - (a.num % a.den < 0);
}

int64_t rat_ceil(struct rat a)
{
    return a.num / a.den + (a.num % a.den > 0);
}

/* |a| × 10^places, rounded half up. */
static wide rat_scaled(struct rat a, int places)
{
    wide n = wide_abs(a.num) * wide_ten_to(places), rest = n % a.den;
    return n / a.den + (rest >= a.den - rest);
}

enum rat_status rat_round(struct rat a, int places, struct rat *out)
{
    wide n = rat_scaled(a, places);
    return rat_make(a.num < 0 ? -n : n, wide_ten_to(places), out);
}

/* ---- text */

/* Takes digits from *s; false when there are none or too many. */
static bool take_digits(struct slice *s, wide *value, int *digits)
{
    size_t i = 0;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
        if (*digits == 0 && *value == 0 && s->p[i] == '0')
            continue; /* a leading zero */
        if (++*digits > DIGITS_MAX)
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    *s = (struct slice){s->p + i, s->n - i};
    return i > 0;
}

static bool take_byte(struct slice *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct slice){s->p + 1, s->n - 1};
    return true;
}

/* The digits after a decimal point; zeros at their end do not count. */
static bool take_fraction(struct slice *s, wide *value, int *digits, wide *den)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    struct slice used = {s->p, n};
    while (used.n > 0 && used.p[used.n - 1] == '0')
        used.n--;
    *s = (struct slice){s->p + n, s->n - n};
    if (n == 0 || used.n > DIGITS_MAX)
        return false;
    *den = wide_ten_to((int)used.n);
    return used.n == 0 || take_digits(&used, value, digits);
}

bool rat_parse(struct slice s, struct rat *out)
{
    bool negative = take_byte(&s, '-');
    wide num = 0, den = 1;
    int digits = 0;
    if (!take_digits(&s, &num, &digits))
        return false;
    if (take_byte(&s, '/')) {
        int under = 0;
        den = 0;
        if (!take_digits(&s, &den, &under) || den == 0)
            return false;
    } else {
        if (take_byte(&s, '.') && !take_fraction(&s, &num, &digits, &den))
            return false;
        if (take_byte(&s, '%'))
            den *= 100;
    }
    return s.n == 0 && rat_make(negative ? -num : num, den, out) == RAT_OK;
}

/* sign, v as an integer with a decimal point before its last `places` digits */
static struct slice format_decimal(struct arena *a, bool negative, wide v, int places)
{
    char text[64];
    size_t at = sizeof text;
    for (int i = 0; v != 0 || i <= places; i++) {
        if (i == places && places > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + (int)(v % 10));
        v /= 10;
    }
    if (negative)
        text[--at] = '-';
    return arena_dup(a, (struct slice){text + at, sizeof text - at});
}

struct slice rat_format(struct arena *a, struct rat r)
{
    int64_t rest = r.den;
    int twos = 0, fives = 0;
    for (; rest % 2 == 0; rest /= 2)
        twos++;
    for (; rest % 5 == 0; rest /= 5)
        fives++;
    int places = twos > fives ? twos : fives;
    if (rest != 1 || places > 18)
        return arena_printf(a, "%lld/%lld", (long long)r.num, (long long)r.den);
    return format_decimal(a, r.num < 0, rat_scaled(r, places), places);
}

struct slice rat_format_places(struct arena *a, struct rat r, int places)
{
    wide n = rat_scaled(r, places);
    return format_decimal(a, r.num < 0 && n != 0, n, places);
}
