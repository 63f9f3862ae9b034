/* dubanctl due: every due date of a span, by definition and calendar alone. */
#include "core/due.h"

#include "ctl/check.h"
#include "ctl/ics.h"
#include "ctl/json.h"
#include "ctl/table.h"

/* A row is a task's due date, or a day of the schedule. */
static struct slice row_name(const struct due_row *r)
{
    return r->obligation ? r->obligation->name : r->schedule->name;
}

static struct slice row_basis(const struct due_row *r)
{
    return r->obligation ? r->obligation->basis : r->schedule->basis;
}

static void print_json(const struct ctl_call *call, const struct due_row *r)
{
    struct arena *a = call->arena;
    json_t *o = json_object();
    json_object_set_new(o, r->obligation ? "obligation" : "schedule", json_text(row_name(r)));
    json_object_set_new(o, "basis", json_text(row_basis(r)));
    json_object_set_new(o, "unit", json_text(r->unit));
    json_object_set_new(o, "about", json_text(r->about));
    json_object_set_new(o, "period", json_text(period_format(a, r->period)));
    json_object_set_new(o, "nominal", json_text(instant_format_utc(a, r->due.nominal)));
    json_object_set_new(o, "effective", json_text(instant_format_utc(a, r->due.effective)));
    json_object_set_new(o, "day", json_text(date_format(a, r->due.day)));
    if (r->due.soft_end)
        json_object_set_new(o, "soft_end", json_text(instant_format_utc(a, r->due.soft_end)));
    json_object_set_new(o, "provisional", json_boolean(r->due.provisional));
    json_object_set_new(o, "reason", json_text(r->due.reason));
    json_print(stdout, o);
}

static void print_table(const struct ctl_call *call, const struct program *p, const struct due_row *rows,
                        size_t n)
{
    static const char *const header[] = {"due",   "nominal",    "period", "unit",
                                         "about", "obligation", "basis",  "reason"};
    struct table_text t;
    table_text_start(&t, call->arena, header, sizeof header / sizeof *header);
    for (size_t i = 0; i < n; i++) {
        const struct due_row *r = &rows[i];
        table_text_cell(&t, instant_format_local(call->arena, p->tz, r->due.effective));
        table_text_cell(&t, r->due.nominal == r->due.effective /* what moved it is the reason's to say */
                                ? S("")
                                : instant_format_local(call->arena, p->tz, r->due.nominal));
        table_text_cell(&t, period_format(call->arena, r->period));
        table_text_cell(&t, r->unit);
        table_text_cell(&t, r->about);
        table_text_cell(&t, r->obligation ? r->obligation->title : r->schedule->name);
        table_text_cell(&t, row_basis(r));
        table_text_cell(&t, r->due.reason);
    }
    table_text_print(&t, stdout);
    printf("%zu due\n", n);
}

static enum ctl_exit run(struct ctl_call *call)
{
    date_t from, to;
    struct bundle b;
    struct program *p;
    if (!ctl_date(call, "--from", ctl_value(call, "from"), &from) ||
        !ctl_date(call, "--to", ctl_value(call, "to"), &to))
        return CTL_USAGE;
    if (to < from)
        return ctl_fail(call, CTL_USAGE, "--to %s is before --from %s", ctl_value(call, "to"),
                        ctl_value(call, "from"));
    const char *ics = ctl_value(call, "ics");
    if (ics && strcmp(ics, "events") != 0 && strcmp(ics, "todos") != 0)
        return ctl_fail(call, CTL_USAGE, "--ics: '%s' is neither events nor todos", ics);
    if (ics && call->json)
        return ctl_fail(call, CTL_USAGE, "either --ics or --json");
    if (!ctl_load(call, call->argument[0], &b, &p))
        return CTL_PROBLEMS;
    struct slice unit = slice_of(ctl_value(call, "unit"));
    if (unit.n && !program_unit(p, unit, from) && !program_unit(p, unit, to))
        return ctl_fail(call, CTL_USAGE, "--unit: '%.*s' is no unit of %.*s in that span", SLICE_ARG(unit),
                        SLICE_ARG(p->id));
    struct due_row *rows;
    size_t n;
    due_list(p, from, to + 1, unit, call->arena, &rows, &n);
    if (ics)
        ics_print(stdout, p, rows, n, !strcmp(ics, "todos"));
    else if (call->json)
        for (size_t i = 0; i < n; i++)
            print_json(call, &rows[i]);
    else
        print_table(call, p, rows, n);
    return CTL_DONE;
}

const struct ctl_command ctl_due = {
    .name = "due",
    .arguments = "DIR --from DAY --to DAY",
    .summary = "every due date from one day to another, both included, with its period and reason",
    .least = 1,
    .most = 1,
    .options = {{"from", "DAY", "the first day, 2024-03-01", true},
                {"to", "DAY", "the last day", true},
                {"unit", "ID", "only what this unit owes", false},
                {"ics", "KIND", "as an iCalendar file: events (all day), or todos (due at the instant)",
                 false}},
    .run = run,
};
