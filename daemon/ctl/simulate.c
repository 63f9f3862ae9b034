/* dubanctl simulate: a file of events, or a made-up year, run through a workflow in virtual time. */
#include <errno.h>
#include <sys/stat.h>

#include "ctl/check.h"
#include "ctl/event_run.h"
#include "ctl/json.h"
#include "ctl/random_year.h"
#include "ctl/scenario_match.h"
#include "ctl/table.h"
#include "engine/document.h"

struct run {
    const struct ctl_call *call;
    const struct program *p;
    struct arena *line; /* reset with every record */
    uint64_t *issued;   /* by measure: once for each unit and subject, not for each recipient */
    uint64_t events, rejected, duplicates, no_effect;
    const char *documents; /* the folder they are written to, or NULL */
    struct document_view *document; /* those so far */
    size_t ndocuments, documents_cap;
    bool unwritten; /* one could not be written, and that was said */
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

static void print_measure(struct run *r, const struct record *rec)
{
    issued_t *o = issued_take(rec, r->line);
    int m = measure_of(r->p, json_member(o, "measure"));
    if (m >= 0) {
        r->issued[m]++;
        if (!r->call->json)
            print_line(r, o);
    }
    json_decref(o);
}

/* ---- documents: NUMBER.html, or ID.html of those without a number; written once more when it is withdrawn */

static bool write_text(const char *path, struct slice text)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fwrite(text.p, 1, text.n, f) == text.n;
    if (f)
        ok = fclose(f) == 0 && ok;
    return ok;
}

static void write_page(struct run *r, const struct document_view *d)
{
    struct slice name = d->number.n ? d->number : d->id;
    char *path = (char *)(uintptr_t)arena_printf(r->line, "%s/%.*s.html", r->documents, SLICE_ARG(name)).p;
    for (char *c = path + strlen(r->documents) + 1; *c; c++)
        if (*c == '/')
            *c = '_';
    r->unwritten = !write_text(path, document_page(d, r->line));
    if (r->unwritten)
        ctl_fail(r->call, CTL_COULD_NOT, "--documents %s: %s", path, strerror(errno));
}

static void write_document(struct run *r, const struct record *rec)
{
    struct arena *a = r->call->arena;
    struct withdrawn_view w;
    struct document_view *d;
    if (r->unwritten)
        return;
    if (wire_has_document(rec)) {
        d = arena_push(a, &r->document, &r->ndocuments, &r->documents_cap, sizeof *d);
        if (wire_document(rec, a, d) && d->first)
            write_page(r, d);
    } else if (wire_withdrawn(rec, a, &w)) {
        for (d = r->document; d < r->document + r->ndocuments; d++)
            if (d->first && d->withdrawn.notice.n == 0 && slice_eq(d->id, w.measure)) {
                d->withdrawn = w;
                write_page(r, d);
            }
    }
}

static void take_output(void *ctx, const struct record *rec)
{
    struct run *r = ctx;
    if (rec->topic == TOPIC_HISTORY)
        return;
    arena_reset(r->line);
    if (r->documents)
        write_document(r, rec);
    struct slice json = wire_record_json(rec, r->line);
    if (r->call->json)
        printf("%.*s\n", SLICE_ARG(json));
    if (rec->topic != TOPIC_REJECTED && !r->call->json)
        print_measure(r, rec);
}

static void take_outcome(void *ctx, const struct cloud_event *e, const struct outcome *out)
{
    struct run *r = ctx;
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

/* ---- where the events come from */

static bool write_events(const struct ctl_call *call, const char *path, struct slice text)
{
    bool ok = write_text(path, text);
    if (!ok)
        ctl_fail(call, CTL_COULD_NOT, "--write %s: %s", path, strerror(errno));
    return ok;
}

/* The effective span and a month after it, or a year from where it begins, as far as nobody says otherwise.
 */
static enum ctl_exit make_events(const struct ctl_call *call, const struct program *p, struct event_run *when,
                                 struct cloud_event **event, size_t *n)
{
    const char *seed_text = ctl_value(call, "seed"), *path = ctl_value(call, "write");
    uint64_t seed = 1;
    if (seed_text && !parse_u64(slice_of(seed_text), &seed))
        return ctl_fail(call, CTL_USAGE, "--seed: '%s' is no whole number", seed_text);
    struct span s = p->effective;
    instant_t from = when->from;
    if (from == INSTANT_NONE && s.from == DATE_NONE)
        return ctl_fail(call, CTL_USAGE,
                        "--from T is needed: the definition is in force from no certain day");
    from = from == INSTANT_NONE ? tz_instant(p->tz, s.from, 0) : from;
    date_t end = s.until == DATE_NONE ? tz_date(p->tz, from, NULL) + 366 : s.until + 45;
    when->from = from;
    when->until = when->until == INSTANT_NONE ? tz_instant(p->tz, end, 0) : when->until;
    struct slice text = random_year(p, seed, from, when->until, call->arena);
    if (path && !write_events(call, path, text))
        return CTL_COULD_NOT;
    return event_run_parse(call, "--random", text, event, n) ? CTL_DONE : CTL_COULD_NOT;
}

static enum ctl_exit take_events(const struct ctl_call *call, const struct program *p, struct event_run *when,
                                 struct cloud_event **event, size_t *n)
{
    const char *path = ctl_value(call, "events");
    bool made = ctl_value(call, "random") != NULL;
    if (!path == !made)
        return ctl_fail(call, CTL_USAGE, "either --events FILE or --random is needed");
    if (!made && (ctl_value(call, "seed") || ctl_value(call, "write")))
        return ctl_fail(call, CTL_USAGE, "--seed and --write belong to --random");
    if (made)
        return make_events(call, p, when, event, n);
    return event_run_read(call, path, event, n) ? CTL_DONE : CTL_COULD_NOT;
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bundle b;
    struct program *p;
    struct cloud_event *event;
    size_t n;
    struct event_run when;
    struct err e;
    if (!ctl_load(call, call->argument[0], &b, &p))
        return CTL_PROBLEMS;
    if (!event_run_times(call, p->tz, &when))
        return CTL_USAGE;
    enum ctl_exit status = take_events(call, p, &when, &event, &n);
    if (status != CTL_DONE)
        return status;
    const char *documents = ctl_value(call, "documents");
    if (documents && mkdir(documents, 0777) < 0 && errno != EEXIST)
        return ctl_fail(call, CTL_COULD_NOT, "--documents %s: %s", documents, strerror(errno));
    struct run r = {.call = call,
                    .p = p,
                    .line = arena_new(),
                    .documents = documents,
                    .issued = ARENA_ARRAY(call->arena, uint64_t, p->nmeasures + 1)};
    struct simulation *s = simulation_of(p, &b, when.from, take_output, &r, &e);
    status = s ? event_run_feed(call, s, &when, event, n, take_outcome, &r)
               : ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    if (status == CTL_DONE && !call->json)
        print_summary(&r);
    simulation_free(s);
    arena_free(r.line);
    return status == CTL_DONE && r.unwritten ? CTL_COULD_NOT : status;
}

const struct ctl_command ctl_simulate = {
    .name = "simulate",
    .arguments = "DIR --events FILE | --random",
    .summary = "run a file of events (CloudEvents, one a line), or a made-up year, through a workflow in "
               "virtual time",
    .least = 1,
    .most = 1,
    .options = {{"events", "FILE", "the events; - reads standard input", false},
                {"random", NULL, "a plausible year made from the definition instead", false},
                {"seed", "N", "of --random: the same seed, the same year; default 1", false},
                {"write", "FILE", "of --random: keep the events, too", false},
                {"from", "T", "when the definition takes force; default: the start of its effective span",
                 false},
                {"documents", "FOLDER", "write every document that is issued there, as NUMBER.html", false},
                {"until", "T", "let time run on to here; later events are left out", false}},
    .run = run,
};
