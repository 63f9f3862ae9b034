#include "base/civil.h"
#include "base/tz_rule.h"

#define DAY_MS INT64_C(86400000)
#define INSTANT_FARTHEST (INT64_C(1000000000) * DAY_MS) /* beyond it, dates would not fit date_t */
#define OFFSETS_MAX 64

struct tz {
    const unsigned char *times; /* n big-endian seconds, as they stand in the file, `width` bytes each */
    const unsigned char *types; /* n of them */
    size_t n;
    int width;
    const int *offset; /* by type */
    bool has_rule;
    struct tz_rule rule;
    int offsets[OFFSETS_MAX]; /* every offset the zone ever has, once */
    size_t noffsets;
};

/* ---- reading */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static int64_t time_at(const struct tz *tz, size_t i)
{
    const unsigned char *p = tz->times + i * (size_t)tz->width;
    return tz->width == 8 ? (int64_t)get_be64(p) : (int64_t)(int32_t)get_be32(p);
}

static bool header_read(struct slice s, size_t at, struct counts *c)
{
    const unsigned char *p = (const unsigned char *)s.p + at;
    if (s.n < at + 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    *c = (struct counts){get_be32(p + 20), get_be32(p + 24), get_be32(p + 28), get_be32(p + 32), get_be32(p + 36), get_be32(p + 40)};
    return true;
}

static uint64_t body_size(const struct counts *c, int width)
{
    return (uint64_t)c->time * (unsigned)(width + 1) + (uint64_t)c->type * 6 + c->chars +
           (uint64_t)c->leap * (unsigned)(width + 4) + c->isstd + c->isut;
}

static bool offset_note(struct tz *tz, int offset)
{
    for (size_t i = 0; i < tz->noffsets; i++)
        if (tz->offsets[i] == offset)
            return true;
    if (tz->noffsets == OFFSETS_MAX)
        return false;
    tz->offsets[tz->noffsets++] = offset;
    return true;
}

static bool body_read(struct tz *tz, struct arena *a, const unsigned char *p, const struct counts *c,
                      struct err *e)
{
    if (c->type == 0 || c->type > 256)
        return err_set(e, "time zone: %u local time types, expected 1 to 256", c->type);
    if (c->leap != 0)
        return err_set(e, "time zone: it counts leap seconds; expected one of zoneinfo/ or zoneinfo/posix/");
    tz->times = p;
    tz->types = p + (size_t)c->time * (size_t)tz->width;
    tz->n = c->time;
    const unsigned char *info = tz->types + c->time;
    int *offset = ARENA_ARRAY(a, int, c->type);
    tz->offset = offset;
    for (uint32_t i = 0; i < c->type; i++) {
        offset[i] = (int)(int32_t)get_be32(info + i * 6);
        if (offset[i] <= -90000 || offset[i] >= 93600)
            return err_set(e, "time zone: an offset of %d seconds, expected at most about a day", offset[i]);
        if (!offset_note(tz, offset[i]))
            return err_set(e, "time zone: more than %d different offsets", OFFSETS_MAX);
    }
    for (size_t i = 0; i < tz->n; i++) {
        if (tz->types[i] >= c->type)
            return err_set(e, "time zone: transition %zu has type %d of %u", i, tz->types[i], c->type);
        if (i > 0 && time_at(tz, i) <= time_at(tz, i - 1))
            return err_set(e, "time zone: transition %zu is not after the one before", i);
    }
    return true;
}

static bool footer_read(struct tz *tz, struct slice s, size_t at, struct err *e)
{
    const char *end = at < s.n && s.p[at] == '\n' ? memchr(s.p + at + 1, '\n', s.n - at - 1) : NULL;
    if (!end)
        return err_set(e, "time zone: the footer line is missing");
    struct slice footer = {s.p + at + 1, (size_t)(end - s.p) - at - 1};
    if (footer.n == 0)
        return true;
    if (!tz_rule_parse(footer, &tz->rule))
        return err_set(e, "time zone: cannot read the footer rule \"%.*s\"", SLICE_ARG(footer));
    tz->has_rule = true;
    if (!offset_note(tz, tz->rule.std) || (tz->rule.has_dst && !offset_note(tz, tz->rule.dst)))
        return err_set(e, "time zone: more than %d different offsets", OFFSETS_MAX);
    return true;
}

struct tz *tz_parse(struct arena *a, struct slice tzif, struct err *e)
{
    struct counts c;
    struct tz *tz = ARENA_NEW(a, struct tz);
    size_t at = 0;
    tz->width = 4;
    if (!header_read(tzif, 0, &c)) {
        err_set(e, "time zone: not a TZif file");
        return NULL;
    }
    char version = tzif.p[4];
    if (version != '\0') { /* from version 2 on the old block is followed by one with 64-bit times, and that
                              one counts */
        uint64_t skip = 44 + body_size(&c, 4);
        if (skip > tzif.n || !header_read(tzif, (size_t)skip, &c)) {
            err_set(e, "time zone: the second header is missing or broken");
            return NULL;
        }
        at = (size_t)skip;
        tz->width = 8;
    }
    uint64_t size = body_size(&c, tz->width);
    if (size > tzif.n - at - 44) {
        err_set(e, "time zone: cut short: %zu bytes, expected %llu or more", tzif.n,
                (unsigned long long)(at + 44 + size));
        return NULL;
    }
    struct slice own = arena_dup(a, tzif); /* the tables are used where they stand */
    if (!body_read(tz, a, (const unsigned char *)own.p + at + 44, &c, e) ||
        (version != '\0' && !footer_read(tz, own, at + 44 + (size_t)size, e)))
        return NULL;
    return tz;
}

/* ---- using */

static int offset_at(const struct tz *tz, int64_t seconds)
{
    if (tz->n == 0 || seconds >= time_at(tz, tz->n - 1)) {
        if (tz->has_rule)
            return tz_rule_offset(&tz->rule, seconds);
        return tz->offset[tz->n ? tz->types[tz->n - 1] : 0];
    }
    size_t low = 0, high = tz->n; /* the first transition after `seconds` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (time_at(tz, middle) <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return tz->offset[low ? tz->types[low - 1] : 0];
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static instant_t clamp(instant_t t)
{
    return t < -INSTANT_FARTHEST ? -INSTANT_FARTHEST : t > INSTANT_FARTHEST ? INSTANT_FARTHEST : t;
}

int tz_offset(const struct tz *tz, instant_t t)
{
    return tz ? offset_at(tz, floor_div(clamp(t), 1000)) : 0;
}

date_t tz_date(const struct tz *tz, instant_t t, int64_t *ms_of_day)
{
    int64_t local = clamp(t) + (int64_t)tz_offset(tz, t) * 1000, day = floor_div(local, DAY_MS);
    if (ms_of_day)
        *ms_of_day = local - day * DAY_MS;
    return (date_t)day;
}

instant_t tz_instant(const struct tz *tz, date_t d, int64_t ms_of_day)
{
    int64_t local = (int64_t)d * DAY_MS + ms_of_day;
    if (!tz)
        return local;
    instant_t exact = INSTANT_MAX, in_gap = INSTANT_MAX;
    for (size_t i = 0; i < tz->noffsets; i++) {
        int64_t offset = tz->offsets[i];
        instant_t t = local - offset * 1000;
        int64_t before = tz_offset(tz, t);
        if (before == offset && t < exact)
            exact = t;
        /* In a gap no offset gives itself back: counted by the later offset the moment lies before the jump,
         * and by the earlier one after it. The earlier one is kept. */
        instant_t kept = local - before * 1000;
        if (before < offset && kept < in_gap && tz_offset(tz, kept) == offset)
            in_gap = kept;
    }
    if (exact != INSTANT_MAX)
        return exact;
    return in_gap != INSTANT_MAX ? in_gap : local - (int64_t)tz_offset(tz, local) * 1000;
}
