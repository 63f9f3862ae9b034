/* What is to be done about a connection that cannot be had: one row for each thing that librdkafka says. */
#include "bus/bus_kafka.h"

/* A row's setting is named as the configuration file has it, below kafka.properties. */
static const struct cure {
    const char *said;     /* part of librdkafka's text */
    int certificate;      /* the code with which a certificate was refused; 0: any */
    const char *what;     /* and what to do */
} cures[] = {
    {"SASL authentication error", 0,
     "the broker does not let this user in: set sasl.username and sasl.password to what the broker knows"},
    {"Unsupported SASL mechanism", 0,
     "the broker does not take this mechanism: set sasl.mechanism to one that it supports"},
    {"Request not valid in current SASL state", 0,
     "the listener takes no SASL: set security.protocol to SSL or PLAINTEXT, or bootstrap.servers to the port that does"},
    {"might require SASL", 0,
     "the listener wants SASL: set security.protocol to SASL_SSL or SASL_PLAINTEXT, with sasl.mechanism, sasl.username and "
     "sasl.password"},
    {"certificate verify failed", 62 /* host name */,
     "the broker's certificate is for another host: set bootstrap.servers (and the broker advertised.listeners) to a name that is "
     "in it, or give it this one as subjectAltName"},
    {"certificate verify failed", 64 /* address */,
     "the broker's certificate is for another address: set bootstrap.servers (and the broker advertised.listeners) to one that is "
     "in it, or give it this one as subjectAltName"},
    {"certificate verify failed", 10, "the broker's certificate has expired: give the broker a new one"},
    {"certificate verify failed", 9, "the broker's certificate is not valid yet: set the clock of this machine, or the broker's"},
    {"certificate verify failed", 0,
     "the broker's certificate is of an authority that is not trusted here: set ssl.ca.location to the file with that authority's "
     "certificate"},
    {"while requesting ApiVersion", 0,
     "the listener does not answer to plain text: set security.protocol to SASL_SSL or SSL, or bootstrap.servers to a port without "
     "TLS"},
    {"SSL handshake failed", 0,
     "the listener does not answer to TLS: set security.protocol to SASL_PLAINTEXT or PLAINTEXT, or bootstrap.servers to a port with "
     "TLS"},
    {"Failed to resolve", 0, "there is no such host: set bootstrap.servers to host:port of a broker"},
    {"Connection refused", 0,
     "nobody listens there: start the broker, or set bootstrap.servers to host:port of one that runs"},
};

int kafka_cure_of(const char *said, int certificate)
{
    for (size_t i = 0; i < sizeof cures / sizeof *cures; i++)
        if (strstr(said, cures[i].said) && (!cures[i].certificate || cures[i].certificate == certificate))
            return (int)i + 1;
    return 0;
}

const char *kafka_cure_text(int cure)
{
    return cures[cure - 1].what;
}

/* A broker's thread. What makes it refuse a certificate is said nowhere else. */
int kafka_on_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *code, int depth, const char *der, size_t size,
                         char *why, size_t nwhy, void *opaque)
{
    struct kafka *k = opaque;
    (void)rk, (void)broker, (void)id, (void)depth, (void)der, (void)size, (void)why, (void)nwhy;
    if (*code)
        atomic_store(&k->certificate, *code);
    return *code == 0;
}
