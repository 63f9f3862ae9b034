#include "base/tz_rule.h"
#include "base/civil.h"

static bool take(struct slice *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = (struct slice){s->p + 1, s->n - 1};
    return true;
}

static bool take_number(struct slice *s, int least, int most, int *out)
{
    int v = 0;
    size_t i = 0;
    for (; i < s->n && i < 4 && s->p[i] >= '0' && s->p[i] <= '9'; i++)
        v = v * 10 + (s->p[i] - '0');
    *s = (struct slice){s->p + i, s->n - i};
    *out = v;
    return i > 0 && v >= least && v <= most;
}

/* An abbreviation: at least three letters, or anything in <>. */
static bool take_name(struct slice *s)
{
    size_t i = 0;
    if (take(s, '<')) {
        while (i < s->n && s->p[i] != '>')
            i++;
        *s = (struct slice){s->p + i, s->n - i};
        return take(s, '>');
    }
    while (i < s->n && ((s->p[i] >= 'A' && s->p[i] <= 'Z') || (s->p[i] >= 'a' && s->p[i] <= 'z')))
        i++;
    *s = (struct slice){s->p + i, s->n - i};
    return i >= 3;
}

static bool take_time(struct slice *s, int most_hours, int *seconds) /* [+-]hh[:mm[:ss]] */
{
    int h, m = 0, sec = 0;
    bool negative = take(s, '-');
    if (!negative)
        take(s, '+');
    if (!take_number(s, 0, most_hours, &h) || (take(s, ':') && !take_number(s, 0, 59, &m)) ||
        (take(s, ':') && !take_number(s, 0, 59, &sec)))
        return false;
    *seconds = (h * 3600 + m * 60 + sec) * (negative ? -1 : 1);
    return true;
}

static bool take_change(struct slice *s, struct tz_change *c)
{
    c->time = 7200;
    if (take(s, 'M')) {
        c->form = 'M';
        if (!take_number(s, 1, 12, &c->month) || !take(s, '.') || !take_number(s, 1, 5, &c->week) ||
            !take(s, '.') || !take_number(s, 0, 6, &c->day))
            return false;
    } else {
        c->form = take(s, 'J') ? 'J' : 'D';
        if (!take_number(s, c->form == 'J' ? 1 : 0, 365, &c->day))
            return false;
    }
    return !take(s, '/') || take_time(s, 167, &c->time);
}

bool tz_rule_parse(struct slice s, struct tz_rule *out)
{
    *out = (struct tz_rule){0};
    if (!take_name(&s) || !take_time(&s, 24, &out->std))
        return false;
    out->std = -out->std; /* POSIX counts west */
    if (s.n == 0)
        return true;
    out->has_dst = true;
    out->dst = -(out->std + 3600);
    if (!take_name(&s) || (s.n > 0 && s.p[0] != ',' && !take_time(&s, 24, &out->dst)))
        return false;
    out->dst = -out->dst;
    return take(&s, ',') && take_change(&s, &out->start) && take(&s, ',') && take_change(&s, &out->end) &&
           s.n == 0;
}

/* The change's local second in this year, as if local time were UTC. */
static int64_t change_in_year(const struct tz_change *c, int year)
{
    date_t day = date_from_civil(year, 1, 1) + c->day;
    if (c->form == 'J') {
        day -= !(month_length(year, 2) == 29 && c->day >= 60);
    } else if (c->form == 'M') {
        date_t first = date_from_civil(year, c->month, 1);
        int ahead = (c->day - date_weekday(first) % 7 + 7) % 7;
        int n = ahead + (c->week - 1) * 7;
        day = first + (n < month_length(year, c->month) ? n : n - 7);
    }
    return (int64_t)day * 86400 + c->time;
}

int tz_rule_offset(const struct tz_rule *r, int64_t seconds)
{
    if (!r->has_dst)
        return r->std;
    int year, month, day;
    int64_t latest = INT64_MIN;
    int offset = r->std;
    int64_t local = seconds + r->std;
    date_to_civil((date_t)(local / 86400 - (local % 86400 < 0)), &year, &month, &day);
    /* A change's time may carry it out of its own year, so the neighbours are looked at as well. Where both
     * changes fall together the start wins: that is how permanent daylight time is written. */
    for (int y = year - 1; y <= year + 1; y++) {
        int64_t end = change_in_year(&r->end, y) - r->dst, start = change_in_year(&r->start, y) - r->std;
        if (end <= seconds && end > latest) {
            latest = end;
            offset = r->std;
        }
        if (start <= seconds && start >= latest) {
            latest = start;
            offset = r->dst;
        }
    }
    return offset;
}
