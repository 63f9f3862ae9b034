/* dubanctl simulate: a file of events run through a workflow in virtual time. */
#include "engine/simulate.h"

#include "ctl/check.h"
#include "ctl/json.h"
#include "ctl/table.h"

struct run {
    const struct ctl_call *call;
    const struct program *p;
    struct arena *line; /* reset with every record */
    uint64_t *issued;   /* by measure: once for each unit and subject, not for each recipient */
    uint64_t events, rejected, duplicates, no_effect;
};

static int measure_of(const struct program *p, struct slice name)
{
    for (size_t i = 0; i < p->nmeasures; i++)
        if (slice_eq(p->measures[i].name, name))
            return (int)i;
    return -1;
}

static struct slice title_of(const struct program *p, struct slice unit, date_t day)
{
    const struct unit *u = program_unit(p, unit, day);
    return u ? u->title : unit;
}

/* "2024-04-10 09:00  预警提醒  专班一  i-017  五（一）  suifenhe-2024/workflow.yaml:123" */
static void print_line(const struct run *r, const json_t *o)
{
    instant_t time = INSTANT_NONE;
    instant_parse(json_member(o, "time"), &time);
    struct slice what = json_member(o, "subject");
    if (!what.n)
        what = json_member(o, "obligation");
    struct slice period = json_member(o, "period"), about = json_member(o, "about"),
                 title = json_member(o, "title");
    struct slice unit = title_of(r->p, json_member(o, "unit"), tz_date(r->p->tz, time, NULL));
    struct slice basis = json_member(o, "basis"), rule = json_member(o, "rule");
    struct slice when = instant_format_local(r->line, r->p->tz, time);
    printf("%.*s  %.*s  %.*s  %.*s%s%.*s%s%.*s  %.*s  (%.*s)\n", SLICE_ARG(when), SLICE_ARG(title),
           SLICE_ARG(unit), SLICE_ARG(what), about.n ? " " : "", SLICE_ARG(about), period.n ? " " : "",
           SLICE_ARG(period), SLICE_ARG(basis), SLICE_ARG(rule));
}

/* A measure shows once: as its warning or supervision, or, if it is a notification only, as that for its
 * first recipient. */
static void print_measure(struct run *r, const struct record *rec, struct slice json)
{
    json_t *o = json_loadb(json.p, json.n, 0, NULL);
    int m = measure_of(r->p, json_member(o, "measure"));
    bool own =
        m >= 0 && (rec->topic == TOPIC_NOTIFICATIONS) == (r->p->measures[m].topic == TOPIC_OF_NOTIFICATIONS);
    const json_t *to = json_object_get(o, "recipients");
    const char *first = json_string_value(json_array_get(to, 0));
    if (own && rec->topic == TOPIC_NOTIFICATIONS && first)
        own = slice_eq(json_member(o, "recipient"), slice_of(first));
    if (own) {
        r->issued[m]++;
        if (!r->call->json)
            print_line(r, o);
    }
    json_decref(o);
}

static void take_output(void *ctx, const struct record *rec)
{
    struct run *r = ctx;
    if (rec->topic == TOPIC_HISTORY)
        return;
    arena_reset(r->line);
    struct slice json = wire_record_json(rec, r->line);
    if (r->call->json)
        printf("%.*s\n", SLICE_ARG(json));
    if (rec->topic != TOPIC_REJECTED && !r->call->json)
        print_measure(r, rec, json);
}

static void take_outcome(struct run *r, const struct cloud_event *e, const struct outcome *out)
{
    r->events++;
    r->rejected += out->what == OUTCOME_REJECTED;
    r->duplicates += out->what == OUTCOME_DUPLICATE;
    r->no_effect += out->what == OUTCOME_NO_EFFECT;
    for (size_t i = 0; out->what == OUTCOME_REJECTED && i < out->nreasons; i++)
        fprintf(stderr, "rejected: %.*s from %.*s: %.*s\n", SLICE_ARG(e->id), SLICE_ARG(e->source),
                SLICE_ARG(out->reasons[i]));
}

static void print_summary(const struct run *r)
{
    printf("\n%lu events", (unsigned long)r->events);
    printf(", %lu rejected, %lu duplicates, %lu without effect\n", (unsigned long)r->rejected,
           (unsigned long)r->duplicates, (unsigned long)r->no_effect);
    struct table_text t;
    static const char *const header[] = {"measure", "title", "basis", "issued"};
    table_text_start(&t, r->call->arena, header, sizeof header / sizeof *header);
    for (size_t i = 0; i < r->p->nmeasures; i++) {
        const struct measure *m = &r->p->measures[i];
        table_text_cell(&t, m->name);
        table_text_cell(&t, m->title);
        table_text_cell(&t, m->basis.n               ? m->basis
                            : m->basis_of_obligation ? S("of the duty")
                                                     : S("of the rule"));
        table_text_cell(&t, arena_printf(r->call->arena, "%lu", (unsigned long)r->issued[i]));
    }
    table_text_print(&t, stdout);
}

static enum ctl_exit run_events(struct run *r, struct simulation *s, const struct cloud_event *event,
                                size_t n, instant_t until)
{
    struct err e;
    for (size_t i = 0; i < n; i++) {
        struct outcome out;
        if (until != INSTANT_NONE && event[i].time > until)
            break;
        if (!simulation_event(s, &event[i], event[i].time, &out, &e))
            return ctl_fail(r->call, CTL_COULD_NOT, "event %zu (%.*s): %s", i + 1, SLICE_ARG(event[i].id),
                            e.text);
        take_outcome(r, &event[i], &out);
    }
    if (until != INSTANT_NONE && !simulation_until(s, until, &e))
        return ctl_fail(r->call, CTL_COULD_NOT, "%s", e.text);
    if (!r->call->json)
        print_summary(r);
    return CTL_DONE;
}

static bool read_events(const struct ctl_call *call, const char *path, struct cloud_event **event, size_t *n)
{
    struct slice text;
    struct reasons why = {.arena = call->arena};
    if (!ctl_read_file(call, path, &text))
        return false;
    cloud_events_from_json_batch(text, call->arena, event, n, &why);
    for (size_t i = 0; !why.n && i < *n; i++)
        if ((*event)[i].time == INSTANT_NONE)
            reasons_add(&why, "event %zu (%.*s): it has no `time`, which is its receipt time in a simulation",
                        i + 1, SLICE_ARG((*event)[i].id));
    for (size_t i = 0; i < why.n; i++)
        ctl_fail(call, CTL_COULD_NOT, "%s: %.*s", path, SLICE_ARG(why.item[i]));
    return !why.n;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bundle b;
    struct program *p;
    struct cloud_event *event;
    size_t n;
    instant_t from = INSTANT_NONE, until = INSTANT_NONE;
    struct err e;
    if (!ctl_load(call, call->argument[0], &b, &p))
        return CTL_PROBLEMS;
    if ((ctl_value(call, "from") && !ctl_time(call, "--from", ctl_value(call, "from"), p->tz, &from)) ||
        (ctl_value(call, "until") && !ctl_time(call, "--until", ctl_value(call, "until"), p->tz, &until)))
        return CTL_USAGE;
    if (!read_events(call, ctl_value(call, "events"), &event, &n))
        return CTL_COULD_NOT;
    struct run r = {.call = call,
                    .p = p,
                    .line = arena_new(),
                    .issued = ARENA_ARRAY(call->arena, uint64_t, p->nmeasures + 1)};
    struct simulation *s = simulation_new(&b, from, take_output, &r, &e);
    enum ctl_exit status =
        s ? run_events(&r, s, event, n, until) : ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    simulation_free(s);
    arena_free(r.line);
    return status;
}

const struct ctl_command ctl_simulate = {
    .name = "simulate",
    .arguments = "DIR --events FILE",
    .summary = "run a file of events (CloudEvents, one a line) through a workflow in virtual time",
    .least = 1,
    .most = 1,
    .options = {{"events", "FILE", "the events; - reads standard input", true},
                {"from", "T", "when the definition takes force; default: the start of its effective span",
                 false},
                {"until", "T", "let time run on to here; later events are left out", false}},
    .run = run,
};
