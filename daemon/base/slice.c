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

/* How many of the first bytes are ASCII, counted by eights. */
static size_t ascii_length(const unsigned char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t eight; i + sizeof eight <= n; i += sizeof eight) {
        memcpy(&eight, p + i, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool slice_is_utf8(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = ascii_length(p, s.n); i < s.n;) {
        size_t length = utf8_length(p + i, s.n - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

bool slice_is_printable(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

void put_be64(unsigned char out[8], uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        out[i] = (unsigned char)v;
}

uint64_t get_be64(const unsigned char in[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}

void put_be64s(unsigned char out[8], int64_t v)
{
    put_be64(out, (uint64_t)v ^ (UINT64_C(1) << 63));
}

int64_t get_be64s(const unsigned char in[8])
{
    return (int64_t)(get_be64(in) ^ (UINT64_C(1) << 63));
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
