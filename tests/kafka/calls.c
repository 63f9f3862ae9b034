/* Preloaded into duband: what it asks of librdkafka and of its sockets for a batch, a line each, in this order, in $CALLS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* How many history records there are in a chunk (field 16); what begins otherwise is one. */
static size_t records(const unsigned char *at, size_t left)
{
    size_t count = 0;
    while (left > 2 && at[0] == 0x82 && at[1] == 0x01) {
        size_t n = 2, bytes = 0;
        for (int shift = 0; n < left && shift < 35; shift += 7) {
            bytes |= (size_t)(at[n] & 127) << shift;
            if (at[n++] < 128)
                break;
        }
        if (bytes > left - n)
            abort();
        at += n + bytes;
        left -= n + bytes;
        count++;
    }
    return left ? 1 : count;
}

/* Of history a line for each record, not for each chunk. duband names the topic first. */
rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *v, size_t n)
{
    const char *topic = v[0].vtype == RD_KAFKA_VTYPE_RKT ? rd_kafka_topic_name(v[0].u.rkt) : "?";
    size_t count = 1;
    for (size_t i = 1; i < n && strstr(topic, "history"); i++)
        if (v[i].vtype == RD_KAFKA_VTYPE_VALUE)
            count = records(v[i].u.mem.ptr, v[i].u.mem.size);
    for (size_t i = 0; i < count; i++)
        say("produce %s\n", topic);
    return REAL(rd_kafka_produceva)(rk, v, n);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    if (level == SOL_SOCKET && name == SO_RCVLOWAT)
        say("least %d\n", *(const int *)value);
    return REAL(setsockopt)(fd, level, name, value, n);
}
