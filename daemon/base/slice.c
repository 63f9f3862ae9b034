#include "base/base.h"

#include <stdio.h>

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Length of the UTF-8 sequence at p with at least n > 0 bytes left, or 0 when it is not well-formed (RFC
 * 3629, section 4). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xc2)
        return 0; /* a continuation byte, or an overlong form of ASCII */
    size_t length = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c > 0xf4 || n < length)
        return 0;
    unsigned char least = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80; /* no overlong form */
    unsigned char most = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf; /* no surrogate, nothing past U+10FFFF */
    if (p[1] < least || p[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* ---- texts, eight bytes at a time */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

static inline uint64_t eight_at(const char *p)
{
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    return eight;
}

/* What `of` finds in some eight bytes of the text; the last eight overlap those before, and what is shorter is filled up. */
static inline uint64_t found_by(uint64_t (*of)(uint64_t eight), struct slice s)
{
    uint64_t found = 0, filled = EACH('x');
    if (s.n < sizeof filled) {
        for (size_t i = 0; i < s.n; i++)
            filled = filled << 8 | (unsigned char)s.p[i];
        return of(filled);
    }
    for (size_t i = 0; i + sizeof filled < s.n; i += sizeof filled)
        found |= of(eight_at(s.p + i));
    return found | of(eight_at(s.p + s.n - sizeof filled));
}

static uint64_t not_ascii(uint64_t eight)
{
    return eight & HIGH;
}

/* Below 0x20, or 0x7f: a byte less than n borrows from its high bit, and only such a one sets it where it was not set. */
static uint64_t not_printable(uint64_t eight)
{
    uint64_t deleted = eight ^ EACH(0x7f);
    return (((eight - EACH(0x20)) & ~eight) | ((deleted - EACH(1)) & ~deleted)) & HIGH;
}

bool slice_is_utf8(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (!found_by(not_ascii, s))
        return true;
    for (size_t i = 0; i < s.n;) {
        size_t length = utf8_length(p + i, s.n - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool slice_is_printable(struct slice s)
{
    return !found_by(not_printable, s);
}

/* A text that was cut short may end in half a character; drop the half. */
static void cut_at_character(char *z)
{
    size_t n = strlen(z), start = n;
    while (start > 0 && ((unsigned char)z[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)z[start - 1] >= 0xc0 &&
        utf8_length((unsigned char *)z + start - 1, n - start + 1) == 0)
        z[start - 1] = '\0';
}

bool err_set(struct err *e, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
        va_end(ap);
        if (n >= (int)sizeof e->text)
            cut_at_character(e->text);
    }
    return false;
}

bool parse_u64(struct slice s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

bool parse_i64(struct slice s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    if (negative)
        s = (struct slice){s.p + 1, s.n - 1};
    if (!parse_u64(s, &v) || v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
