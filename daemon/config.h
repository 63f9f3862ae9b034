/* The daemon's configuration: one table of options, read from a YAML file and from --set; config/duband.yaml
 * documents them. */
#ifndef DUBAND_CONFIG_H
#define DUBAND_CONFIG_H

#include <stdio.h>

#include "lang/lang.h"

struct config {
    struct arena *arena; /* everything below lives in it */
    const char *data, *listen, *node, *kafka_group, *kafka_prefix;
    int bus;  /* 0 local, 1 kafka */
    int time; /* 0 log, 1 events */
    int standby; /* 0 none, 1 all */
    int log;  /* enum log_level */
    int sync; /* 0 auto, 1 batch, 2 close */
    size_t batch, workers;
    size_t mapped; /* MiB; 0: no bound */
    struct config_list {
        const char **item;
        size_t n, cap;
    } workflows;
    struct config_map { /* librdkafka's settings */
        struct config_pair {
            struct slice name, value;
        } * item;
        size_t n, cap;
    } properties;
};

/* Everything at its default. */
void config_init(struct config *c);
void config_free(struct config *c);

/* Reads a file; what it says replaces what was there. False: diagnostics in d. */
bool config_read(struct config *c, const char *path, struct diags *d);
/* "batch=500", "kafka.group=x", "workflows=DIR,DIR", "kafka.properties.bootstrap.servers=…" */
bool config_set(struct config *c, const char *setting, struct err *e);

/* Do the values go together? To be asked when all is read. */
bool config_agrees(const struct config *c, struct err *e);

/* The table, for --help. */
void config_help(FILE *f);

#endif
