/* dubanctl topics: the embedded log, and the topics of a Kafka cluster. */
#include "ctl/cluster.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/zone.h"

#define PAGE 1000
#define FOLLOW_S 30

/* ---- the list of topics */

static enum ctl_exit list_topics(const struct ctl_call *call, struct client *c)
{
    static const char *const header[] = {"topic", "records"};
    static const enum topic shown[] = {TOPIC_SUBMISSIONS, TOPIC_DEADLINES,     TOPIC_WARNINGS,
                                       TOPIC_SUPERVISION, TOPIC_NOTIFICATIONS, TOPIC_REJECTED};
    struct table_text t;
    table_text_start(&t, call->arena, header, 2);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct client_answer an;
        const char *name = topic_names[shown[i]];
        enum ctl_exit got = client_fetch(call, c, arena_printf(call->arena, "/v1/topics/%s?from=end", name),
                                         0, call->arena, &an);
        if (got != CTL_DONE)
            return got;
        table_text_cell(&t, slice_of(name));
        table_text_cell(&t, an.next);
        int64_t end = 0;
        if (call->json && parse_i64(an.next, &end))
            json_print(stdout, json_pack("{s:s, s:I}", "topic", name, "end", (json_int_t)end));
    }
    if (!call->json)
        table_text_print(&t, stdout);
    return CTL_DONE;
}

/* ---- its records */

static void print_record(const struct ctl_call *call, const struct zones *z, struct slice line)
{
    static const char *const texts[] = {"title", "unit",   "subject", "obligation",
                                        "about", "period", "basis",   "recipient"};
    if (call->json) {
        printf("%.*s\n", SLICE_ARG(line));
        return;
    }
    json_t *o = json_loadb(line.p, line.n, 0, NULL);
    const json_t *reasons = json_object_get(o, "reasons");
    struct slice time = json_member(o, "time").n ? json_member(o, "time") : json_member(o, "appended");
    printf("%lld  %.*s  %.*s  %.*s", (long long)json_integer_value(json_object_get(o, "offset")),
           SLICE_ARG(zones_time(z, json_member(o, "workflow"), time)), SLICE_ARG(json_member(o, "type")),
           SLICE_ARG(json_member(o, "id")));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (json_member(o, texts[i]).n)
            printf("  %.*s", SLICE_ARG(json_member(o, texts[i])));
    for (size_t i = 0; i < json_array_size(reasons); i++)
        printf("  %s", json_string_value(json_array_get(reasons, i)));
    putchar('\n');
    json_decref(o);
}

/* Pages until the end, or (follow) for ever: each further page is a long poll. */
static enum ctl_exit read_topic(const struct ctl_call *call, struct client *c, struct slice topic,
                                struct slice from, bool follow)
{
    struct zones zones = {.arena = call->arena};
    struct arena *a = arena_new();
    enum ctl_exit status = CTL_DONE;
    bool more = true;
    if (!call->json)
        status = zones_load(&zones, call, c, call->arena);
    for (struct slice next = from; status == CTL_DONE && more;) {
        struct client_answer an;
        struct slice path =
            arena_printf(a, "/v1/topics/%.*s?from=%.*s&limit=%d%s", SLICE_ARG(client_escape(a, topic)),
                         SLICE_ARG(next), PAGE, follow ? "&wait=30s" : "");
        status = client_fetch(call, c, path, follow ? FOLLOW_S : 0, a, &an);
        if (status != CTL_DONE)
            break;
        more = follow || an.body.n > 0;
        zones.arena = a;
        for (struct slice line; client_line(&an.body, &line);)
            print_record(call, &zones, line);
        fflush(stdout);
        next = arena_dup(call->arena, an.next);
        arena_reset(a);
    }
    arena_free(a);
    return status;
}

/* ---- create */

static bool count_option(const struct ctl_call *call, const char *name, uint64_t otherwise, int *out)
{
    const char *text = ctl_value(call, name);
    uint64_t n = otherwise;
    bool ok = !text || (parse_u64(slice_of(text), &n) && n >= 1 && n <= 1000);
    *out = (int)n;
    if (!ok)
        ctl_fail(call, CTL_USAGE, "--%s: '%s' is no number from 1 to 1000", name, text);
    return ok;
}

static enum ctl_exit say_topics(const struct ctl_call *call, const struct bus_kafka_topic *topic)
{
    enum ctl_exit status = CTL_DONE;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        const struct bus_kafka_topic *t = &topic[i];
        if (t->wrong)
            status = CTL_PROBLEMS;
        if (call->json)
            json_print(stdout, json_pack("{s:s, s:b, s:i, s:i, s:b, s:s#}", "topic", t->name, "created", t->created, "partitions",
                                         t->partitions, "replication", t->replication, "wrong", t->wrong, "differs",
                                         t->differs.n ? t->differs.p : "", t->differs.n));
        else
            printf("%s: %s%s%.*s\n", t->name, t->created ? "created" : "was there", t->differs.n ? "; differs: " : "",
                   SLICE_ARG(t->differs));
    }
    return status;
}

static enum ctl_exit create_topics(const struct ctl_call *call)
{
    struct bus_kafka_topic topic[TOPIC_COUNT];
    struct bus_kafka_options options;
    struct config c;
    int partitions, replication;
    struct err e;
    if (!count_option(call, "partitions", 1, &partitions) || !count_option(call, "replication", 1, &replication))
        return CTL_USAGE;
    config_init(&c);
    enum ctl_exit status = CTL_USAGE;
    if (cluster_read(call, &c, &options))
        status = bus_kafka_create_topics(&options, partitions, replication, topic, c.arena, &e)
                     ? say_topics(call, topic)
                     : ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    config_free(&c);
    return status;
}

/* ---- */

static enum ctl_exit run(struct ctl_call *call)
{
    int64_t offset;
    const char *from = ctl_value(call, "from");
    if (call->nargs && !strcmp(call->argument[0], "create"))
        return create_topics(call);
    if (from && strcmp(from, "end") && (!parse_i64(slice_of(from), &offset) || offset < 0))
        return ctl_fail(call, CTL_USAGE, "--from: '%s' is no offset; expected a number from 0, or end", from);
    struct client *c = client_open(call);
    if (!c)
        return CTL_USAGE;
    enum ctl_exit status = call->nargs
                               ? read_topic(call, c, slice_of(call->argument[0]), slice_of(from ? from : "0"),
                                            ctl_value(call, "follow") != NULL)
                               : list_topics(call, c);
    client_close(c);
    return status;
}

const struct ctl_command ctl_topics = {
    .name = "topics",
    .arguments = "[TOPIC | create]",
    .summary = "the embedded log's topics, or one's records; create: the topics of a Kafka cluster",
    .most = 1,
    .options = {{CLIENT_URL_OPTION},
                {"from", "N", "the first offset; end: only what comes from now on", false},
                {"follow", NULL, "wait for more", false},
                {"config", "FILE", "create: duband's configuration, whose kafka section is used", false},
                {"bootstrap", "HOST:PORT", "create: a broker, instead of the configuration's", false},
                {"partitions", "N", "create: of each topic; default 1", false},
                {"replication", "N", "create: copies of each; default 1", false},
                {"prefix", "TEXT", "create: of the topics' names; default duban. or the configuration's", false}},
    .run = run,
};
