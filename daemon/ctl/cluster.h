/* A Kafka cluster as duband's configuration has it, or as the command line does: --config FILE, --bootstrap HOST:PORT, --prefix TEXT. */
#ifndef DUBAND_CTL_CLUSTER_H
#define DUBAND_CTL_CLUSTER_H

#include "bus/bus.h"
#include "config.h"
#include "ctl/ctl.h"

/* c is initialised, and holds what o points into. False after saying what is wrong. */
bool cluster_read(const struct ctl_call *call, struct config *c, struct bus_kafka_options *o);

#endif
