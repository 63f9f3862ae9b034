#include "base/civil.h"

const struct calendar_day *calendar_find(const struct calendar *c, date_t d)
{
    size_t low = 0, high = c ? c->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->days[middle].date == d)
            return &c->days[middle];
        if (c->days[middle].date < d)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool calendar_is_workday(const struct calendar *c, date_t d)
{
    const struct calendar_day *special = calendar_find(c, d);
    return special ? special->work : date_weekday(d) <= 5;
}

date_t calendar_add_workdays(const struct calendar *c, date_t from, int n)
{
    int direction = n < 0 ? -1 : 1;
    date_t d = from;
    for (int left = n; left != 0; left -= direction) {
        do
            d += direction;
        while (!calendar_is_workday(c, d));
    }
    return d;
}

date_t calendar_roll(const struct calendar *c, date_t d, int direction)
{
    while (!calendar_is_workday(c, d))
        d += direction;
    return d;
}
