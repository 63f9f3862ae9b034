#include "core/window.h"

#define WEEK 7
#define WORKWEEK 5
#define MONTH_MIN 28

struct span window_month(struct span days, bool first)
{
    int year, month, day;
    if (days.until - days.from < MONTH_MIN)
        return days;
    date_to_civil(first ? days.from : days.until - 1, &year, &month, &day);
    date_t begin = date_from_civil(year, month, 1);
    return (struct span){begin, begin + month_length(year, month)};
}

date_t window_workday(const struct calendar *c, int n, struct span days)
{
    date_t found = DATE_NONE, d = n > 0 ? days.from : days.until - 1;
    int step = n > 0 ? 1 : -1;
    for (; n != 0 && d >= days.from && d < days.until; d += step)
        if (calendar_is_workday(c, d)) {
            found = d;
            n -= step;
        }
    return found != DATE_NONE ? found : days.until - 1;
}

static struct span first_or_last(struct span month, bool first, int days)
{
    return first ? (struct span){month.from, month.from + days}
                 : (struct span){month.until - days, month.until};
}

struct span window_days(const struct calendar *c, enum due_window w, bool first, struct span month)
{
    date_t last = month.until - 1;
    int since_monday = date_weekday(first ? month.from : last) - 1;
    switch (w) {
    case WINDOW_DAYS:
    case DUE_WINDOWS:
        break;
    case WINDOW_WEEK:
        return first_or_last(month, first, first ? WEEK - since_monday : since_monday + 1);
    case WINDOW_FULL_WEEK:
        if (first)
            month.from += (WEEK - since_monday) % WEEK;
        else
            month.until -= (since_monday + 1) % WEEK;
        break;
    case WINDOW_WORKDAYS:
        return (struct span){window_workday(c, first ? 1 : -WORKWEEK, month),
                             window_workday(c, first ? WORKWEEK : -1, month) + 1};
    }
    return first_or_last(month, first, WEEK);
}
