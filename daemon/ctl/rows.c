/* dubanctl tasks, cases, measures, history, workflows: rows that the daemon lists, page by page. */
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/zone.h"

#define PAGE_MAX 1000
#define ROWS_DEFAULT 1000

/* ---- columns */

struct rows {
    const struct ctl_call *call;
    struct client *client;
    struct zones zones;
    struct table_text table;
    const struct rows_kind *kind;
    struct slice partitions; /* the answer is for no more than these: "2/4"; empty: for all */
};

struct column {
    const char *title, *member, *otherwise; /* otherwise: the member to show when the first is empty */
    struct slice (*cell)(const struct rows *r, const json_t *row, struct slice text);
};

struct rows_kind {
    const char *path;
    const struct column *column;
    size_t ncolumns;
};

/* A row's workflow: workflows are their own. */
static struct slice workflow_of(const json_t *row)
{
    return json_object_get(row, "workflow") ? json_member(row, "workflow") : json_member(row, "id");
}

static struct slice as_time(const struct rows *r, const json_t *row, struct slice text)
{
    return zones_time(&r->zones, workflow_of(row), text);
}

static struct slice as_last_day(const struct rows *r, const json_t *row, struct slice text)
{
    return zones_last_day(&r->zones, workflow_of(row), text);
}

/* How it stands, beside its state. */
static struct slice as_flags(const struct rows *r, const json_t *row, struct slice text)
{
    static const struct {
        const char *member, *word;
    } standing[] = {{"paused", "paused"}, {"asked_until", "asked"}, {"extended", "extended"},
                    {"waived", "waived"}, {"excused", "excused"}};
    (void)text;
    bool late = json_is_true(json_object_get(row, "late")),
         missed = json_is_true(json_object_get(row, "missed"));
    struct slice flags = missed ? S("missed") : late ? S("late") : S("");
    for (size_t i = 0; i < sizeof standing / sizeof *standing; i++) {
        const json_t *v = json_object_get(row, standing[i].member);
        if (v && !json_is_null(v))
            flags = arena_printf(r->call->arena, "%.*s%s%s", SLICE_ARG(flags), flags.n ? ", " : "", standing[i].word);
    }
    return flags;
}

/* Ids are cut to what tells them apart. */
static struct slice cut(const struct rows *r, struct slice s)
{
    const size_t most = 40;
    size_t n = most;
    if (s.n <= most)
        return s;
    while (((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(r->call->arena, "%.*s…", (int)n, s.p);
}

static struct slice as_cause(const struct rows *r, const json_t *row, struct slice text)
{
    (void)text;
    const json_t *cause = json_object_get(row, "cause");
    struct slice timer = json_member(cause, "timer");
    if (timer.n)
        return arena_printf(r->call->arena, "%.*s, timer %.*s", SLICE_ARG(json_member(cause, "task")),
                            SLICE_ARG(timer));
    return arena_printf(r->call->arena, "%.*s from %.*s", SLICE_ARG(cut(r, json_member(cause, "id"))),
                        SLICE_ARG(json_member(cause, "source")));
}

static struct slice as_number(const struct rows *r, const json_t *row, struct slice text)
{
    (void)text;
    const json_t *n = json_object_get(row, "sequence"); /* 64 bits: a string in the proto3 mapping */
    return json_is_string(n) ? slice_of(json_string_value(n))
                             : arena_printf(r->call->arena, "%lld", (long long)json_integer_value(n));
}

/* "card warned → yellow" for the first transition, and how many more there are. */
static struct slice as_transitions(const struct rows *r, const json_t *row, struct slice text)
{
    (void)text;
    const json_t *all = json_object_get(row, "transitions"), *t = json_array_get(all, 0);
    struct slice from = json_member(t, "from"), to = json_member(t, "to"), more = S("");
    if (!t)
        return S("");
    if (json_array_size(all) > 1)
        more = arena_printf(r->call->arena, ", %zu more", json_array_size(all) - 1);
    if (slice_eq(json_member(t, "event"), S("succession")))
        return arena_printf(r->call->arena, "%.*s handed over%.*s", SLICE_ARG(json_member(t, "machine")), SLICE_ARG(more));
    return arena_printf(r->call->arena, "%.*s %.*s → %.*s%.*s", SLICE_ARG(json_member(t, "machine")),
                        SLICE_ARG(from), SLICE_ARG(to), SLICE_ARG(more));
}

static struct slice as_outputs(const struct rows *r, const json_t *row, struct slice text)
{
    (void)text;
    size_t n = json_array_size(json_object_get(row, "outputs"));
    return n ? arena_printf(r->call->arena, "%zu", n) : S("");
}

static struct slice as_short(const struct rows *r, const json_t *row, struct slice text)
{
    (void)r, (void)row;
    return (struct slice){text.p, text.n < 12 ? text.n : 12};
}

static const struct column task_columns[] = {
    {"due", "day", "due", NULL},    {"period", "period", NULL, NULL}, {"unit", "unit_title", "unit", NULL},
    {"about", "about", NULL, NULL}, {"task", "title", NULL, NULL},    {"state", "state_title", "state", NULL},
    {"", NULL, NULL, as_flags},     {"basis", "basis", NULL, NULL},
};
static const struct column case_columns[] = {
    {"since", "since", NULL, as_time},       {"unit", "unit_title", "unit", NULL},
    {"subject", "subject", NULL, NULL},      {"case", "title", "machine", NULL},
    {"state", "state_title", "state", NULL}, {"limit", "limit", NULL, as_last_day},
};
static const struct column measure_columns[] = {
    {"time", "time", NULL, as_time},      {"measure", "title", "measure", NULL},
    {"unit", "unit_title", "unit", NULL}, {"of", "subject", "obligation", NULL},
    {"about", "about", NULL, NULL},       {"period", "period", NULL, NULL},
    {"basis", "basis", NULL, NULL},       {"limit", "limit", NULL, as_last_day},
    {"rule", "rule", NULL, NULL},
};
static const struct column history_columns[] = {
    {"number", NULL, NULL, as_number},           {"time", "now", "time", as_time},
    {"verdict", "verdict", NULL, NULL},          {"cause", NULL, NULL, as_cause},
    {"transitions", NULL, NULL, as_transitions}, {"outputs", NULL, NULL, as_outputs},
};
static const struct column workflow_columns[] = {
    {"workflow", "id", NULL, NULL},
    {"title", "title", NULL, NULL},
    {"definition", "hash", NULL, as_short},
    {"time zone", "timezone", NULL, NULL},
    {"in force since", "since", NULL, as_time},
};
#define KIND(path, columns) path, columns, sizeof columns / sizeof *columns
static const struct rows_kind tasks_kind = {KIND("/v1/tasks", task_columns)},
                              cases_kind = {KIND("/v1/cases", case_columns)},
                              measures_kind = {KIND("/v1/measures", measure_columns)},
                              history_kind = {KIND("/v1/history", history_columns)},
                              workflows_kind = {KIND("/v1/workflows", workflow_columns)};

/* ---- rows */

static void add_row(struct rows *r, struct slice line)
{
    if (r->call->json) {
        printf("%.*s\n", SLICE_ARG(line));
        return;
    }
    json_t *row = json_loadb(line.p, line.n, 0, NULL);
    for (size_t i = 0; i < r->kind->ncolumns; i++) {
        const struct column *c = &r->kind->column[i];
        struct slice text = c->member ? json_member(row, c->member) : S("");
        if (!text.n && c->otherwise)
            text = json_member(row, c->otherwise);
        if (c->cell)
            text = c->cell(r, row, text);
        table_text_cell(&r->table, arena_dup(r->call->arena, text));
    }
    json_decref(row);
}

static enum ctl_exit start_table(struct rows *r)
{
    const char *titles[16];
    for (size_t i = 0; i < r->kind->ncolumns; i++)
        titles[i] = r->kind->column[i].title;
    table_text_start(&r->table, r->call->arena, titles, r->kind->ncolumns);
    return zones_load(&r->zones, r->call, r->client, r->call->arena);
}

/* The query string of the options that are filters. */
static struct slice filters(const struct ctl_call *call)
{
    static const char *const names[] = {"workflow", "unit",       "subject", "state",
                                        "machine",  "obligation", "measure", "period"};
    struct arena *a = call->arena;
    struct slice out = S("?");
    for (const struct ctl_option *o = call->command->options; o->name; o++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (!strcmp(o->name, names[i]) && ctl_value(call, o->name))
                out = arena_printf(a, "%.*s%s=%.*s&", SLICE_ARG(out), o->name,
                                   SLICE_ARG(client_escape(a, slice_of(ctl_value(call, o->name)))));
    for (const struct ctl_option *o = call->command->options; o->name; o++)
        if (!strcmp(o->name, "open") && ctl_value(call, "open"))
            out = arena_printf(a, "%.*sopen=yes&", SLICE_ARG(out));
    return out;
}

static bool row_limit(const struct ctl_call *call, uint64_t *out)
{
    const char *text = ctl_value(call, "limit");
    *out = ROWS_DEFAULT;
    if (!text || (parse_u64(slice_of(text), out) && *out > 0))
        return true;
    ctl_fail(call, CTL_USAGE, "--limit: '%s' is no number of rows", text);
    return false;
}

static enum ctl_exit fetch_rows(struct rows *r, struct slice query, uint64_t limit)
{
    struct arena *a = r->call->arena, *page = arena_new();
    struct slice after = S("");
    uint64_t got = 0;
    enum ctl_exit status = CTL_DONE;
    do {
        struct client_answer an;
        uint64_t most = limit - got < PAGE_MAX ? limit - got : PAGE_MAX;
        struct slice path = arena_printf(page, "%s%.*slimit=%llu%s%.*s", r->kind->path, SLICE_ARG(query),
                                         (unsigned long long)most, after.n ? "&after=" : "",
                                         SLICE_ARG(client_escape(page, after)));
        status = client_fetch(r->call, r->client, path, 0, page, &an);
        for (struct slice line; status == CTL_DONE && client_line(&an.body, &line); got++)
            add_row(r, line);
        after = status == CTL_DONE ? arena_dup(a, an.next) : S("");
        if (status == CTL_DONE)
            r->partitions = arena_dup(a, an.partitions);
        arena_reset(page);
    } while (after.n && got < limit);
    arena_free(page);
    if (status == CTL_DONE && after.n)
        fprintf(stderr, "there is more: --limit N\n");
    return status;
}

static enum ctl_exit list(struct ctl_call *call, const struct rows_kind *kind)
{
    struct rows r = {.call = call, .kind = kind, .client = client_open(call)};
    uint64_t limit = ROWS_DEFAULT;
    bool pages = kind != &workflows_kind;
    if (!r.client || (pages && !row_limit(call, &limit)))
        return CTL_USAGE;
    struct client_answer an;
    enum ctl_exit status = call->json ? CTL_DONE : start_table(&r);
    if (status == CTL_DONE && pages)
        status = fetch_rows(&r, filters(call), limit);
    else if (status == CTL_DONE)
        status = client_fetch(call, r.client, slice_of(kind->path), 0, call->arena, &an);
    if (!pages && status == CTL_DONE)
        r.partitions = an.partitions;
    for (struct slice line; !pages && status == CTL_DONE && client_line(&an.body, &line);)
        add_row(&r, line);
    if (r.partitions.n)
        fprintf(stderr, "this node answers for %.*s partitions: --workflow W asks the one that serves W\n",
                SLICE_ARG(r.partitions));
    if (status == CTL_DONE && !call->json)
        table_text_print(&r.table, stdout);
    client_close(r.client);
    return status;
}

static enum ctl_exit run_tasks(struct ctl_call *call)
{
    return list(call, &tasks_kind);
}

static enum ctl_exit run_cases(struct ctl_call *call)
{
    return list(call, &cases_kind);
}

static enum ctl_exit run_measures(struct ctl_call *call)
{
    return list(call, &measures_kind);
}

static enum ctl_exit run_history(struct ctl_call *call)
{
    return list(call, &history_kind);
}

static enum ctl_exit run_workflows(struct ctl_call *call)
{
    return list(call, &workflows_kind);
}

/* ---- */

#define WORKFLOW_OPTION "workflow", "ID", "only this workflow's", false
#define UNIT_OPTION "unit", "ID", "only this unit's", false
#define PERIOD_OPTION "period", "P", "only of this period: 2024-03, 2024Q1", false
#define LIMIT_OPTION "limit", "N", "at most so many rows; default: 1000", false

const struct ctl_command ctl_tasks = {
    .name = "tasks",
    .arguments = "",
    .summary = "what is owed, and where it stands",
    .options = {{CLIENT_URL_OPTION},
                {WORKFLOW_OPTION},
                {UNIT_OPTION},
                {"obligation", "NAME", "only of this obligation", false},
                {"subject", "ID", "only about this", false},
                {"state", "NAME", "only those in this state", false},
                {"machine", "NAME", "only of this machine", false},
                {PERIOD_OPTION},
                {"open", NULL, "leave out what is over", false},
                {LIMIT_OPTION}},
    .run = run_tasks,
};
const struct ctl_command ctl_cases = {
    .name = "cases",
    .arguments = "",
    .summary = "who is warned, carded, supervised, and over what",
    .options = {{CLIENT_URL_OPTION},
                {WORKFLOW_OPTION},
                {UNIT_OPTION},
                {"subject", "ID", "only on this subject", false},
                {"state", "NAME", "only those in this state", false},
                {"machine", "NAME", "only of this machine", false},
                {PERIOD_OPTION},
                {"open", NULL, "leave out what is over", false},
                {LIMIT_OPTION}},
    .run = run_cases,
};
const struct ctl_command ctl_measures = {
    .name = "measures",
    .arguments = "",
    .summary = "warnings and supervision that were issued, newest first",
    .options = {{CLIENT_URL_OPTION},
                {WORKFLOW_OPTION},
                {UNIT_OPTION},
                {"measure", "NAME", "only this measure", false},
                {"subject", "ID", "only on this subject", false},
                {PERIOD_OPTION},
                {LIMIT_OPTION}},
    .run = run_measures,
};
const struct ctl_command ctl_history = {
    .name = "history",
    .arguments = "",
    .summary = "every turn: what came in, what it changed, what went out",
    .options = {{CLIENT_URL_OPTION}, {WORKFLOW_OPTION}, {LIMIT_OPTION}},
    .run = run_history,
};
const struct ctl_command ctl_workflows = {
    .name = "workflows",
    .arguments = "",
    .summary = "the workflows in force",
    .options = {{CLIENT_URL_OPTION}},
    .run = run_workflows,
};
