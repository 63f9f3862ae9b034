/* Preloaded into duband: what it asks of librdkafka and of its sockets for a batch, a line each, in this order, in $CALLS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void say(const char *fmt, ...)
{
    char line[300];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    int fd = open(getenv("CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || write(fd, line, (size_t)n) != n)
        abort();
    close(fd);
}

rd_kafka_error_t *rd_kafka_begin_transaction(rd_kafka_t *rk)
{
    say("begin\n");
    return REAL(rd_kafka_begin_transaction)(rk);
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
                                                       const rd_kafka_consumer_group_metadata_t *group, int ms)
{
    say("offsets\n");
    return REAL(rd_kafka_send_offsets_to_transaction)(rk, offsets, group, ms);
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int ms)
{
    say("commit\n");
    rd_kafka_error_t *error = REAL(rd_kafka_commit_transaction)(rk, ms);
    say("committed\n");
    return error;
}

/* duband names the topic first. */
rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *v, size_t n)
{
    say("produce %s\n", v[0].vtype == RD_KAFKA_VTYPE_RKT ? rd_kafka_topic_name(v[0].u.rkt) : "?");
    return REAL(rd_kafka_produceva)(rk, v, n);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    if (level == SOL_SOCKET && name == SO_RCVLOWAT)
        say("least %d\n", *(const int *)value);
    return REAL(setsockopt)(fd, level, name, value, n);
}
