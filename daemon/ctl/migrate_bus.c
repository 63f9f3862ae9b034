/* dubanctl migrate-bus: a stopped node's embedded log onto Kafka. */
#include <stdio.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "engine/migrate.h"

static struct slice trimmed(struct slice s)
{
    while (s.n && strchr(" \t\r", s.p[0]))
        s.p++, s.n--;
    while (s.n && strchr(" \t\r", s.p[s.n - 1]))
        s.n--;
    return s;
}

/* "name = value" or "name=value", one a line; # begins a comment line. */
static bool read_properties(const struct ctl_call *call, const char *path, struct bus_kafka_options *o)
{
    struct slice text;
    size_t cap = 0;
    int number = 0;
    if (!ctl_read_file(call, path, &text))
        return false;
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        struct slice line = {text.p, end ? (size_t)(end - text.p) : text.n};
        size_t used = line.n + (end != NULL);
        const char *equals = line.n ? memchr(line.p, '=', line.n) : NULL;
        text = (struct slice){text.p + used, text.n - used};
        number++;
        if (!trimmed(line).n || *trimmed(line).p == '#')
            continue;
        if (!equals) {
            ctl_fail(call, CTL_USAGE, "%s:%d: expected NAME=VALUE, one of librdkafka's settings", path, number);
            return false;
        }
        struct header *h = arena_push(call->arena, &o->property, &o->nproperties, &cap, sizeof *h);
        *h = (struct header){
            arena_dup(call->arena, trimmed((struct slice){line.p, (size_t)(equals - line.p)})),
            arena_dup(call->arena, trimmed((struct slice){equals + 1, line.n - (size_t)(equals - line.p) - 1}))};
    }
    return true;
}

static bool read_options(const struct ctl_call *call, struct bus_kafka_options *o)
{
    const char *bootstrap = ctl_value(call, "bootstrap"), *prefix = ctl_value(call, "prefix"),
               *group = ctl_value(call, "group"), *file = ctl_value(call, "properties");
    *o = (struct bus_kafka_options){.group = group ? group : "duband", .node = "migrate-bus", .topic_prefix = prefix ? prefix : "duban."};
    if (file && !read_properties(call, file, o))
        return false;
    if (!bootstrap)
        return true;
    struct header *all = ARENA_ARRAY(call->arena, struct header, o->nproperties + 1);
    for (size_t i = 0; i < o->nproperties; i++)
        all[i] = o->property[i];
    all[o->nproperties++] = (struct header){S("bootstrap.servers"), slice_of(bootstrap)};
    o->property = all;
    return true;
}

static void show_progress(void *ctx, uint64_t records)
{
    (void)ctx;
    fprintf(stderr, "\r%llu records", (unsigned long long)records);
}

static void print_parts(const struct ctl_call *call, const struct migrate_result *r)
{
    static const char *const header[] = {"partition", "workflows", "state", "history", "bytes", "pending"};
    struct table_text t;
    table_text_start(&t, call->arena, header, sizeof header / sizeof *header);
    for (int p = 0; p < r->partitions; p++) {
        const struct migrate_part *part = &r->part[p];
        const uint64_t number[] = {(uint64_t)p, part->workflows, part->state, part->history, part->bytes, part->pending};
        if (call->json)
            json_print(stdout, json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "partition", p, "workflows",
                                         (json_int_t)part->workflows, "state", (json_int_t)part->state, "history",
                                         (json_int_t)part->history, "bytes", (json_int_t)part->bytes, "pending",
                                         (json_int_t)part->pending, "moved", !ctl_value(call, "dry-run") || r->before, "before", r->before));
        for (size_t i = 0; i < sizeof number / sizeof *number; i++)
            table_text_cell(&t, arena_printf(call->arena, "%llu", (unsigned long long)number[i]));
    }
    if (!call->json)
        table_text_print(&t, stdout);
}

static void print_end(const struct ctl_call *call, const struct migrate_result *r)
{
    uint64_t pending = 0;
    for (int p = 0; p < r->partitions; p++)
        pending += r->part[p].pending;
    printf("\nThe embedded log keeps what was said: %llu warnings, %llu supervision, %llu notifications, %llu rejected. None of it is said again on\n"
           "Kafka; consumers read it to its end by HTTP, and from Kafka's topics from their beginning.\n",
           (unsigned long long)r->outputs[TOPIC_WARNINGS], (unsigned long long)r->outputs[TOPIC_SUPERVISION],
           (unsigned long long)r->outputs[TOPIC_NOTIFICATIONS], (unsigned long long)r->outputs[TOPIC_REJECTED]);
    if (ctl_value(call, "dry-run") && pending && !r->before)
        printf("%llu accepted events wait for their turn. Start duband once more until its lag is 0, or add --take-pending: they then count as\n"
               "received when Kafka receives them.\n", (unsigned long long)pending);
    if (!ctl_value(call, "dry-run"))
        printf("%s. Now set `bus: kafka` and another `data:` folder; %s stays as it is, and starts no more.\n",
               r->before ? "It had been moved before" : "Moved, and read back", ctl_value(call, "data"));
    else if (r->before)
        printf("It has been moved before.\n");
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bus_kafka_options kafka;
    struct migrate_result result;
    struct err e;
    if (!read_options(call, &kafka))
        return CTL_USAGE;
    const struct migrate_options o = {.data = ctl_value(call, "data"),
                                      .kafka = &kafka,
                                      .dry_run = ctl_value(call, "dry-run") != NULL,
                                      .take_pending = ctl_value(call, "take-pending") != NULL,
                                      .progress = isatty(STDERR_FILENO) ? show_progress : NULL};
    bool ok = migrate_run(&o, call->arena, &result, &e);
    if (o.progress)
        fprintf(stderr, "\r\033[K");
    if (!ok)
        return ctl_fail(call, CTL_COULD_NOT, "%s", e.text);
    print_parts(call, &result);
    if (!call->json)
        print_end(call, &result);
    return CTL_DONE;
}

const struct ctl_command ctl_migrate_bus = {
    .name = "migrate-bus",
    .arguments = "",
    .summary = "move a stopped node from the embedded log to Kafka: state, history and ids; what was said is not said again. The topics (`topics create`)\n"
               "must hold nothing. It is one transaction: after a crash run it again, it comes to the same end",
    .options = {{"data", "DIR", "the node's data folder", true},
                {"bootstrap", "HOST:PORT", "a broker", false},
                {"prefix", "TEXT", "of the topics' names; default duban.", false},
                {"group", "TEXT", "the nodes' consumer group; default duband", false},
                {"properties", "FILE", "librdkafka's own settings, NAME=VALUE a line", false},
                {"take-pending", NULL, "accepted events that no turn has taken yet go, too: received when Kafka receives them", false},
                {"dry-run", NULL, "only look, and tell what would go where", false}},
    .run = run,
};
