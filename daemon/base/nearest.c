/* "Did you mean": the name that most likely was meant. */
#include "base/base.h"

#define NAME_CHARS_MAX 64 /* longer names are not guessed at */

/* Characters of a UTF-8 text; of other bytes, each for itself. */
static size_t decode_name(struct slice s, uint32_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n && n < NAME_CHARS_MAX; n++) {
        out[n] = (unsigned char)s.p[i++];
        while (out[n] >= 0xc0 && i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80 &&
               out[n] <= UINT32_MAX >> 8)
            out[n] = out[n] << 8 | (unsigned char)s.p[i++];
    }
    return n;
}

/* Edits (insert, delete, replace, swap neighbours) that turn a into b. */
static size_t edit_distance(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t row[3][NAME_CHARS_MAX + 1];
    size_t *older = row[0], *old = row[1], *now = row[2];

    for (size_t k = 0; k <= nb; k++)
        old[k] = k;
    for (size_t i = 1; i <= na; i++) {
        size_t *spare = older;

        now[0] = i;
        for (size_t k = 1; k <= nb; k++) {
            size_t best = old[k - 1] + (a[i - 1] != b[k - 1]);

            if (old[k] + 1 < best)
                best = old[k] + 1;
            if (now[k - 1] + 1 < best)
                best = now[k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && older[k - 2] + 1 < best)
                best = older[k - 2] + 1;
            now[k] = best;
        }
        older = old;
        old = now;
        now = spare;
    }
    return old[nb];
}

struct slice nearest_name(struct slice got, const struct slice *candidate, size_t n)
{
    uint32_t a[NAME_CHARS_MAX], b[NAME_CHARS_MAX];
    size_t na = decode_name(got, a), best = na / 3 + 1;
    struct slice found = {0};

    for (size_t i = 0; i < n; i++) {
        size_t nb = decode_name(candidate[i], b), distance = 0;

        if (nb == 0 || (nb > na ? nb - na : na - nb) > best)
            continue;
        distance = edit_distance(a, na, b, nb);
        if (distance < nb && distance < na && (distance < best || (distance == best && found.n == 0))) {
            best = distance;
            found = candidate[i];
        }
    }
    return found;
}
