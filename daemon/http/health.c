/* GET /healthz, /readyz, /metrics: for machines that watch machines. POST /v1/clock/accept: what an operator
 * does about one of their findings. */
#include <stdio.h>
#include <unistd.h>

#include "http/state.h"

void handle_healthz(struct exchange *x)
{
    if (exchange_ask(x, NULL, 0))
        reply_json(x, 200, S("{\"status\":\"ok\"}")); /* this thread answers: that is what it says */
}

void handle_readyz(struct exchange *x)
{
    struct node_status s;

    if (!exchange_ask(x, NULL, 0))
        return;
    node_status(exchange_node(x), &s);
    if (s.trouble[0] != 0)
        reply_error(x, 503, "%s", s.trouble);
    else if (!s.ready)
        reply_error(x, 503, "partitions are being taken over or restored");
    else if (!server_is_published(x->server))
        reply_error(x, 503, "the configured workflows are being published");
    else
        reply_json(x, 200, S("{\"status\":\"ready\"}"));
}

/* The embedded log stops its clock records when the machine's clock has jumped, until somebody has looked at
 * it. */
void handle_accept_clock(struct exchange *x)
{
    if (!exchange_ask(x, NULL, 0))
        return;
    if (node_accept_clock(exchange_node(x)))
        reply_json(x, 202, S("{\"status\":\"accepted\"}"));
    else
        reply_error(x, 501, "on Kafka the clock is the broker's");
}

/* ---- metrics, in Prometheus' text format */

struct gauges {
    struct node_status node;
    struct server_counts http;
};

enum metric_kind { COUNTER, GAUGE };

/* One family of samples; write adds a line for each. Nothing here names a task or a unit: their number has no
 * bound. */
struct metric {
    const char *name, *help;
    enum metric_kind kind;
    void (*write)(struct buf *b, const char *name, const struct gauges *g);
};

static void put(struct buf *b, const char *name, const char *labels, double value)
{
    buf_printf(b, "%s%s %.15g\n", name, labels, value);
}

static void write_build(struct buf *b, const char *name, const struct gauges *g)
{
    (void)g;
    put(b, name, "{version=\"" DUBAND_VERSION "\"}", 1);
}

static void write_events(struct buf *b, const char *name, const struct gauges *g)
{
    const struct engine_counters *c = &g->node.counters;

    put(b, name, "{outcome=\"applied\"}", (double)c->applied);
    put(b, name, "{outcome=\"no_effect\"}", (double)c->no_effect);
    put(b, name, "{outcome=\"duplicate\"}", (double)c->duplicates);
    put(b, name, "{outcome=\"rejected\"}", (double)c->rejected);
}

static void write_timers(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.counters.timers);
}

static void write_halted(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.counters.halted);
}

static void write_outputs(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.counters.outputs);
}

static void write_batches(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.batches);
}

static void write_records(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.records);
}

static void write_commit(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.commit_ms_total / 1000);
}

static void write_lag(struct buf *b, const char *name, const struct gauges *g)
{
    if (g->node.lag_records >= 0) /* unknown: no sample */
        put(b, name, "", (double)g->node.lag_records);
}

static void write_held(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.held);
}

static void write_restoring(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.restoring);
}

static void write_followed(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.followed);
}

static void write_restored(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.restored_records);
}

static void write_restore(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.restore_records);
}

static void write_standby_age(struct buf *b, const char *name, const struct gauges *g)
{
    if (g->node.standby_age >= 0)
        put(b, name, "", (double)g->node.standby_age / 1000);
}

static void write_next_due(struct buf *b, const char *name, const struct gauges *g)
{
    if (g->node.next_due != INSTANT_MAX)
        put(b, name, "", (double)g->node.next_due / 1000);
}

static void write_clock(struct buf *b, const char *name, const struct gauges *g)
{
    if (g->node.clock_target != INSTANT_NONE)
        put(b, name, "", (double)g->node.clock_target / 1000);
}

static void write_ready(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", g->node.ready);
}

static void write_trouble(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", g->node.trouble[0] != 0);
}

static void write_workflows(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->node.programs);
}

static void write_replies(struct buf *b, const char *name, const struct gauges *g)
{
    for (int class_ = 2; class_ <= 5; class_++) {
        char label[32];

        snprintf(label, sizeof label, "{code=\"%dxx\"}", class_);
        put(b, name, label, (double)g->http.replies[class_]);
    }
}

static void write_connections(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->http.connections);
}

static void write_waiting(struct buf *b, const char *name, const struct gauges *g)
{
    put(b, name, "", (double)g->http.waiting);
}

static void write_resident(struct buf *b, const char *name, const struct gauges *g)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long size, resident;

    (void)g;
    if (f == NULL)
        return;
    if (fscanf(f, "%lu %lu", &size, &resident) == 2)
        put(b, name, "", (double)resident * (double)sysconf(_SC_PAGESIZE));
    fclose(f);
}

static const struct metric metrics[] = {
    {"duband_build_info", "The version that runs.", GAUGE, write_build},
    {"duband_events_total", "Input events taken, by what became of them.", COUNTER, write_events},
    {"duband_timers_fired_total", "Timers that fell due and fired.", COUNTER, write_timers},
    {"duband_timers_halted_total", "Timers halted because their turn broke a limit.", COUNTER, write_halted},
    {"duband_outputs_total", "Warnings, supervision and notifications issued.", COUNTER, write_outputs},
    {"duband_batches_total", "Batches committed.", COUNTER, write_batches},
    {"duband_batch_records_total", "Input records in committed batches.", COUNTER, write_records},
    {"duband_commit_seconds_total", "Time spent committing batches.", COUNTER, write_commit},
    {"duband_lag_records", "Known inputs not yet taken; no sample while that is not known.", GAUGE,
     write_lag},
    {"duband_partitions_held", "Partitions served here.", GAUGE, write_held},
    {"duband_partitions_restoring", "Partitions whose state is on its way here.", GAUGE, write_restoring},
    {"duband_partitions_standby", "Partitions of other nodes that are followed here.", GAUGE, write_followed},
    {"duband_restore_records", "Changelog offsets of the partitions restoring: how far they have come.", GAUGE, write_restored},
    {"duband_restore_records_wanted", "The same: how far they have to come.", GAUGE, write_restore},
    {"duband_standby_age_seconds", "How long ago the oldest followed partition was known to be complete.", GAUGE,
     write_standby_age},
    {"duband_next_due_timestamp_seconds", "When the next timer falls due.", GAUGE, write_next_due},
    {"duband_clock_timestamp_seconds", "How far the clock records say that time has come.", GAUGE,
     write_clock},
    {"duband_ready", "1 when every partition held here is restored and serves.", GAUGE, write_ready},
    {"duband_trouble", "1 while something keeps it from working; /readyz says what.", GAUGE, write_trouble},
    {"duband_workflows", "Workflows in force here.", GAUGE, write_workflows},
    {"duband_http_replies_total", "HTTP replies, by class of status.", COUNTER, write_replies},
    {"duband_http_connections", "HTTP connections open.", GAUGE, write_connections},
    {"duband_http_waiting", "HTTP requests that wait for a commit, streams included.", GAUGE, write_waiting},
    {"process_resident_memory_bytes", "Resident memory, mapped files included.", GAUGE, write_resident},
};

void handle_metrics(struct exchange *x)
{
    static const char *const kind[] = {[COUNTER] = "counter", [GAUGE] = "gauge"};
    struct gauges g;
    struct buf b = {0};

    if (!exchange_ask(x, NULL, 0))
        return;
    node_status(exchange_node(x), &g.node);
    server_counts(x->server, &g.http);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        buf_printf(&b, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help, metrics[i].name,
                   kind[metrics[i].kind]);
        metrics[i].write(&b, metrics[i].name, &g);
    }
    reply_send(x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&b));
    buf_free(&b);
}
