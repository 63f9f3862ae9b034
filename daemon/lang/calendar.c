/* The holiday calendar and the time zone. */
#include <stdlib.h>

#include "lang/meant.h"
#include "lang/roster.h"

static int day_order(const void *a, const void *b)
{
    const struct calendar_day *x = a, *y = b;
    return (x->date > y->date) - (x->date < y->date);
}

static void calendar_day_read(struct compiler *c, const struct csv *t, const struct csv_row *r,
                              struct calendar *cal)
{
    struct slice date = row_cell(t, r, "date"), kind = row_cell(t, r, "kind");
    struct calendar_day day = {.work = slice_eq(kind, S("work")), .name = row_cell(t, r, "name")};
    if (!date_parse(date, &day.date)) {
        struct yaml at = place_in(t->file, r->line, date);
        ERROR_AT(c, CALENDAR, &at, meant_hint(c->arena, MEANT_DATE, date, "a date: 2024-03-29"), "“%.*s” is no date",
                 SLICE_ARG(date));
    } else if (!day.work && !slice_eq(kind, S("off"))) {
        struct yaml at = place_in(t->file, r->line, kind);
        ERROR_AT(c, CALENDAR, &at, "off or work", "“%.*s” is no kind of day", SLICE_ARG(kind));
    } else {
        cal->days[cal->n++] = day;
    }
}

void calendar_compile(struct compiler *c)
{
    static const struct column columns[] = {{"date", true}, {"kind", true}, {"name", false}};
    const struct yaml *node = yaml_get(c->root, "calendar");
    if (!is_scalar(node))
        return;
    struct yaml file = *node;
    file.text = arena_printf(c->arena, "../calendar/%.*s.csv", SLICE_ARG(node->text));
    struct csv *t = csv_open(c, &file, columns, sizeof columns / sizeof *columns);
    if (!t)
        return;
    struct calendar *cal = ARENA_NEW(c->arena, struct calendar);
    cal->days = ARENA_ARRAY(c->arena, struct calendar_day, t->n + 1);
    for (size_t i = 0; i < t->n; i++)
        calendar_day_read(c, t, &t->rows[i], cal);
    qsort(cal->days, cal->n, sizeof *cal->days, day_order);
    for (size_t i = 1; i < cal->n; i++)
        if (cal->days[i].date == cal->days[i - 1].date) {
            struct slice date = date_format(c->arena, cal->days[i].date);
            size_t k = t->n;
            while (--k && !slice_eq(row_cell(t, &t->rows[k], "date"), date))
                ;
            struct yaml at = place_in(t->file, t->rows[k].line, row_cell(t, &t->rows[k], "date"));
            ERROR_AT(c, CALENDAR, &at, "each day once", "%.*s stands twice in the calendar", SLICE_ARG(date));
        }
    int year = 0, month, day;
    if (cal->n) {
        date_to_civil(cal->days[cal->n - 1].date, &year, &month, &day);
        cal->known_until = date_from_civil(year, 12, 31);
    } else {
        cal->known_until = DATE_NONE;
    }
    c->program->calendar = cal;
}

void zone_compile(struct compiler *c)
{
    struct program *p = c->program;
    const struct yaml *node = yaml_get(c->root, "timezone");
    if (!is_scalar(node))
        return;
    p->timezone = node->text;
    const struct bundle_file *file =
        file_at(c, arena_printf(c->arena, "zoneinfo/%.*s", SLICE_ARG(node->text)));
    struct err e = {{0}};
    if (!file)
        ERROR_AT(c, ZONE, node, "an IANA name: Asia/Shanghai", "there is no time zone “%.*s”",
                 SLICE_ARG(node->text));
    else if (!(p->tz = tz_parse(c->arena, file->content, &e)))
        ERROR_AT(c, ZONE, node, "a TZif file", "the zone's file cannot be read: %s", e.text);
}
