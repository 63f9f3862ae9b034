/* dubanctl migrate-bus: a stopped group's state onto Kafka's topics. */
#include <stdio.h>
#include <unistd.h>

#include "config.h"
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

/* How the group that is moved comes to its brokers. */
static bool read_config(const struct ctl_call *call, struct config *c)
{
    const char *file = ctl_value(call, "config");
    struct diags d = {.arena = call->arena};
    bool ok = !file || config_read(c, file, &d);
    diags_print(stderr, &d, ctl_colours(stderr));
    return ok;
}

static void take_properties(const struct ctl_call *call, const struct config *c, struct migrate_options *o)
{
    o->property = ARENA_ARRAY(call->arena, struct header, c->properties.n + 1);
    o->nproperties = c->properties.n;
    for (size_t i = 0; i < c->properties.n; i++)
        o->property[i] = (struct header){c->properties.item[i].name, c->properties.item[i].value};
}

/* Where it goes: the same brokers, unless others are named. */
static bool read_options(const struct ctl_call *call, struct bus_kafka_options *o, struct migrate_options *from)
{
    const char *bootstrap = ctl_value(call, "bootstrap"), *prefix = ctl_value(call, "prefix"),
               *group = ctl_value(call, "group"), *file = ctl_value(call, "properties");
    *o = (struct bus_kafka_options){.group = group ? group : "duband", .node = "migrate-bus", .topic_prefix = prefix ? prefix : "duban."};
    if (file && !read_properties(call, file, o))
        return false;
    if (!file && !bootstrap) {
        o->property = from->property;
        o->nproperties = from->nproperties;
    }
    if (bootstrap) {
        struct header *all = ARENA_ARRAY(call->arena, struct header, o->nproperties + 1);
        for (size_t i = 0; i < o->nproperties; i++)
            all[i] = o->property[i];
        all[o->nproperties++] = (struct header){S("bootstrap.servers"), slice_of(bootstrap)};
        o->property = all;
    }
    if (!ctl_value(call, "config")) {
        from->property = o->property;
        from->nproperties = o->nproperties;
    }
    return true;
}

static void show_progress(void *ctx, uint64_t records)
{
    (void)ctx;
    fprintf(stderr, "\r%llu records", (unsigned long long)records);
}

static void show_wait(void *ctx, struct slice member)
{
    (void)ctx;
    fprintf(stderr, "waiting until the group gives up %.*s\n", SLICE_ARG(member));
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

static void print_outputs(const struct migrate_result *r)
{
    if (r->topics)
        printf("\nWhat was said stays on %s*, and is not said again: consumers read that to its end, and the new topics from their beginning.\n", r->left);
    else
        printf("\nThe embedded log keeps what was said: %llu warnings, %llu supervision, %llu notifications, %llu rejected. None of it is said again on\n"
               "Kafka; consumers read it to its end by HTTP, and from Kafka's topics from their beginning.\n",
               (unsigned long long)r->outputs[TOPIC_WARNINGS], (unsigned long long)r->outputs[TOPIC_SUPERVISION],
               (unsigned long long)r->outputs[TOPIC_NOTIFICATIONS], (unsigned long long)r->outputs[TOPIC_REJECTED]);
}

static void print_end(const struct ctl_call *call, const struct migrate_result *r)
{
    uint64_t pending = 0;
    const char *data = ctl_value(call, "data");
    for (int p = 0; p < r->partitions; p++)
        pending += r->part[p].pending;
    print_outputs(r);
    if (ctl_value(call, "dry-run") && pending && !r->before)
        printf("%llu accepted events wait for their turn. Start duband once more until its lag is 0, or add --take-pending: they then count as\n"
               "received when Kafka receives them.\n", (unsigned long long)pending);
    if (ctl_value(call, "dry-run") && r->before)
        printf("It has been moved before.\n");
    if (ctl_value(call, "dry-run"))
        return;
    printf("%s. ", r->before ? "It had been moved before" : "Moved, and read back");
    if (r->topics)
        printf("Now set kafka.prefix, kafka.group and another `data:` folder on every node; %s and the topics %s* stay as they are, and\n"
               "nobody goes on there.\n", data, r->left);
    else
        printf("Now set `bus: kafka` and another `data:` folder; %s stays as it is, and starts no more.\n", data);
}

static enum ctl_exit run(struct ctl_call *call)
{
    struct bus_kafka_options kafka;
    struct migrate_result result;
    struct config c;
    struct err e;
    bool tty = isatty(STDERR_FILENO);
    struct migrate_options o = {.data = ctl_value(call, "data"),
                                .kafka = &kafka,
                                .dry_run = ctl_value(call, "dry-run") != NULL,
                                .take_pending = ctl_value(call, "take-pending") != NULL,
                                .progress = tty ? show_progress : NULL,
                                .waits = tty ? show_wait : NULL};
    enum ctl_exit status = CTL_USAGE;
    config_init(&c);
    if (read_config(call, &c)) {
        take_properties(call, &c, &o);
        if (read_options(call, &kafka, &o))
            status = migrate_run(&o, call->arena, &result, &e) ? CTL_DONE : CTL_COULD_NOT;
        if (tty)
            fprintf(stderr, "\r\033[K");
    }
    if (status == CTL_COULD_NOT)
        ctl_fail(call, status, "%s", e.text);
    if (status == CTL_DONE)
        print_parts(call, &result);
    if (status == CTL_DONE && !call->json)
        print_end(call, &result);
    config_free(&c);
    return status;
}

const struct ctl_command ctl_migrate_bus = {
    .name = "migrate-bus",
    .arguments = "",
    .summary = "move a stopped group's state, history and ids: from the embedded log to Kafka, or from Kafka's topics to others, with more partitions or\n"
               "fewer; what was said is not said again. The topics (`topics create`) must hold nothing. It is one transaction: after a crash run it\n"
               "again, it comes to the same end",
    .options = {{"data", "DIR", "the folder of the node that was stopped last: what it holds decides where from", true},
                {"config", "FILE", "that node's configuration: how to come to the brokers that it used", false},
                {"bootstrap", "HOST:PORT", "a broker to go to; default: the configuration's", false},
                {"prefix", "TEXT", "of the names of the topics to go to; default duban.", false},
                {"group", "TEXT", "the nodes' consumer group there; default duband", false},
                {"properties", "FILE", "librdkafka's own settings to go there, NAME=VALUE a line", false},
                {"take-pending", NULL, "accepted events that no turn has taken yet go, too: received when Kafka receives them", false},
                {"dry-run", NULL, "only look, and tell what would go where", false}},
    .run = run,
};
