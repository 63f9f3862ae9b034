#include "ctl/ics.h"

#include "lang/diag.h"
#include "wire/wire.h"

#define LINE_OCTETS 75

struct ics {
    FILE *out;
    struct arena *arena;
    const struct program *p;
};

/* A content line, folded between characters: none is longer than 75 octets. */
static void put_line(const struct ics *c, struct slice s)
{
    size_t column = 0;
    for (size_t i = 0, n; i < s.n; i += n) {
        char_decode(s.p + i, s.n - i, &n);
        if (column + n > LINE_OCTETS) {
            fputs("\r\n ", c->out);
            column = 1;
        }
        fwrite(s.p + i, 1, n, c->out);
        column += n;
    }
    fputs("\r\n", c->out);
}

/* NAME:TEXT, with what has a meaning in a TEXT escaped. */
static void put_text(const struct ics *c, const char *name, struct slice text)
{
    struct buf b = {0};
    buf_printf(&b, "%s:", name);
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        if (ch == '\n')
            buf_add(&b, S("\\n"));
        else if (ch == '\\' || ch == ';' || ch == ',')
            buf_printf(&b, "\\%c", ch);
        else if (ch != '\r')
            buf_byte(&b, (unsigned char)ch);
    }
    put_line(c, buf_slice(&b));
    buf_free(&b);
}

static void put_date(const struct ics *c, const char *name, date_t d)
{
    int year, month, day;
    date_to_civil(d, &year, &month, &day);
    fprintf(c->out, "%s;VALUE=DATE:%04d%02d%02d\r\n", name, year, month, day);
}

static void put_instant(const struct ics *c, const char *name, instant_t t)
{
    int64_t seconds = t >= 0 ? t / 1000 : -((-t + 999) / 1000);
    date_t day = (date_t)(seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400));
    int year, month, dom, rest = (int)(seconds - (int64_t)day * 86400);
    date_to_civil(day, &year, &month, &dom);
    fprintf(c->out, "%s:%04d%02d%02dT%02d%02d%02dZ\r\n", name, year, month, dom, rest / 3600, rest / 60 % 60,
            rest % 60);
}

static void put_reminders(const struct ics *c, const struct obligation *o, const char *related)
{
    if (!o)
        return;
    static const char *const words[][2] = {[DURATION_MINUTE] = {"T", "M"},
                                           [DURATION_HOUR] = {"T", "H"},
                                           [DURATION_DAY] = {"", "D"},
                                           [DURATION_WEEK] = {"", "W"}};
    for (size_t i = 0; i < o->nremind; i++) {
        enum duration_unit unit = o->remind[i].unit;
        if (unit >= sizeof words / sizeof *words || !words[unit][0])
            continue; /* workdays and months have no word there */
        fprintf(c->out, "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER%s:-P%s%d%s\r\n", related, words[unit][0],
                (int)o->remind[i].n, words[unit][1]);
        put_text(c, "DESCRIPTION", o->title);
        fputs("END:VALARM\r\n", c->out);
    }
}

static struct slice title_of(const struct ics *c, struct slice unit, date_t d)
{
    const struct unit *u = unit.n ? program_unit(c->p, unit, d) : NULL;
    return u ? u->title : unit;
}

static void put_row(const struct ics *c, const struct due_row *r, bool todos, instant_t stamp)
{
    struct slice period = period_format(c->arena, r->period);
    struct slice name = r->obligation ? r->obligation->name : r->schedule->name;
    struct slice title = r->obligation ? r->obligation->title : name;
    struct slice basis = r->obligation ? r->obligation->basis : r->schedule->basis;
    const struct slice what[] = {c->p->id, name, period, r->unit, r->about};
    struct slice unit = title_of(c, r->unit, r->due.day);
    fprintf(c->out, "BEGIN:%s\r\n", todos ? "VTODO" : "VEVENT");
    put_line(c, arena_printf(c->arena, "UID:%.*s@%.*s", SLICE_ARG(wire_id(c->arena, what, 5)),
                             SLICE_ARG(c->p->id)));
    put_instant(c, "DTSTAMP", stamp);
    if (todos) {
        put_instant(c, "DTSTART", r->due.opens);
        put_instant(c, "DUE", r->due.effective);
    } else {
        put_date(c, "DTSTART", r->due.day);
        put_date(c, "DTEND", r->due.day + 1);
        fputs("TRANSP:TRANSPARENT\r\n", c->out);
    }
    put_text(c, "SUMMARY",
             arena_printf(c->arena, "%.*s%s%.*s%s%.*s%s%.*s", SLICE_ARG(unit), unit.n ? "：" : "",
                          SLICE_ARG(title), r->about.n ? "，" : "", SLICE_ARG(r->about), period.n ? "，" : "",
                          SLICE_ARG(period)));
    put_text(c, "DESCRIPTION",
             arena_printf(c->arena, "%.*s\n%.*s\n%.*s (%.*s)", SLICE_ARG(basis), SLICE_ARG(r->due.reason),
                          SLICE_ARG(instant_format_local(c->arena, c->p->tz, r->due.effective)),
                          SLICE_ARG(c->p->timezone)));
    put_text(c, "CATEGORIES", c->p->id);
    put_reminders(c, r->obligation, todos ? ";RELATED=END" : "");
    fprintf(c->out, "END:%s\r\n", todos ? "VTODO" : "VEVENT");
}

void ics_print(FILE *f, const struct program *p, const struct due_row *rows, size_t n, bool todos)
{
    struct ics c = {f, arena_new(), p};
    /* No clock is read: the stamp is the definition's own beginning. */
    instant_t stamp = p->effective.from == DATE_NONE ? 0 : tz_instant(p->tz, p->effective.from, 0);
    fputs("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//duban//dubanctl//ZH\r\nCALSCALE:GREGORIAN\r\n", f);
    put_text(&c, "X-WR-CALNAME", p->title);
    put_text(&c, "X-WR-TIMEZONE", p->timezone);
    for (size_t i = 0; i < n; i++)
        put_row(&c, &rows[i], todos, stamp);
    fputs("END:VCALENDAR\r\n", f);
    arena_free(c.arena);
}
