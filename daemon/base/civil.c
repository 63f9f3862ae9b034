#include "base/civil.h"

/* Days since 1970-01-01 by years of 400 (146,097 days), counted from 1 March so that the leap day ends a
 * year. */

date_t date_from_civil(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void date_to_civil(date_t d, int *year, int *month, int *day)
{
    int64_t n = (int64_t)d + 719468; /* 64 bits: any date_t is taken, DATE_NONE included */
    int64_t era = (n >= 0 ? n : n - 146096) / 146097;
    int day_of_era = (int)(n - era * 146097);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int m = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = (int)(year_of_era + era * 400) + (*month <= 2);
}

int date_weekday(date_t d)
{
    int64_t n = ((int64_t)d + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(n < 0 ? n + 7 : n) + 1;
}

int month_length(int year, int month)
{
    static const unsigned char length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return length[month - 1] + (month == 2 && leap);
}

/* n decimal digits at p, or -1 */
static int digits_at(const char *p, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

bool date_parse(struct slice s, date_t *out)
{
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return false;
    int year = digits_at(s.p, 4), month = digits_at(s.p + 5, 2), day = digits_at(s.p + 8, 2);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month))
        return false;
    *out = date_from_civil(year, month, day);
    return true;
}

struct slice date_format(struct arena *a, date_t d)
{
    int year, month, day;
    date_to_civil(d, &year, &month, &day);
    if (year >= 0 && year <= 9999) {
        char text[] = "yyyy-mm-dd";
        put_digits(text, (unsigned)year, 4);
        put_digits(text + 5, (unsigned)month, 2);
        put_digits(text + 8, (unsigned)day, 2);
        return arena_dup(a, S(text));
    }
    return arena_printf(a, "%04d-%02d-%02d", year, month, day);
}
