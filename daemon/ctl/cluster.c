#include "ctl/cluster.h"

static bool set(const struct ctl_call *call, struct config *c, const char *key, const char *value)
{
    struct err e;
    return !value || config_set(c, arena_printf(c->arena, "%s=%s", key, value).p, &e) ||
           ctl_fail(call, CTL_USAGE, "%s", e.text) == CTL_DONE;
}

bool cluster_read(const struct ctl_call *call, struct config *c, struct bus_kafka_options *o)
{
    const char *file = ctl_value(call, "config"), *bootstrap = ctl_value(call, "bootstrap");
    struct diags d = {.arena = arena_new()};
    if (!file && !bootstrap)
        ctl_fail(call, CTL_USAGE, "--config FILE or --bootstrap HOST:PORT is needed");
    bool ok = (file || bootstrap) && (!file || config_read(c, file, &d));
    diags_print(stderr, &d, ctl_colours(stderr));
    arena_free(d.arena);
    if (!ok || !set(call, c, "kafka.properties.bootstrap.servers", bootstrap) ||
        !set(call, c, "kafka.prefix", ctl_value(call, "prefix")))
        return false;
    struct header *property = ARENA_ARRAY(c->arena, struct header, c->properties.n + 1);
    for (size_t i = 0; i < c->properties.n; i++)
        property[i] = (struct header){c->properties.item[i].name, c->properties.item[i].value};
    *o = (struct bus_kafka_options){.property = property,
                                    .nproperties = c->properties.n,
                                    .group = c->kafka_group,
                                    .node = "dubanctl",
                                    .topic_prefix = c->kafka_prefix};
    return true;
}
