/* Preloaded into a program that writes to Kafka: it is killed (SIGKILL) in the $DIE_CALL-th call of the function $DIE_IN, before that does
 * anything; or, with $DIE_DONE, when it has been done. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <lmdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_now(const char *name, int done)
{
    static int calls;
    const char *in = getenv("DIE_IN"), *call = getenv("DIE_CALL");
    if (!in || strcmp(in, name) != 0)
        return 0;
    calls += !done;
    return calls == atoi(call ? call : "1") && done == (getenv("DIE_DONE") != NULL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WITH_DEATH(type, name, arguments)                                                                    \
    if (is_now(#name, 0))                                                                                    \
        kill(getpid(), SIGKILL);                                                                             \
    type result = REAL(name) arguments;                                                                      \
    if (is_now(#name, 1))                                                                                    \
        kill(getpid(), SIGKILL);                                                                             \
    return result

rd_kafka_error_t *rd_kafka_produceva(rd_kafka_t *rk, const rd_kafka_vu_t *vus, size_t cnt)
{
    WITH_DEATH(rd_kafka_error_t *, rd_kafka_produceva, (rk, vus, cnt));
}

rd_kafka_resp_err_t rd_kafka_flush(rd_kafka_t *rk, int timeout_ms)
{
    WITH_DEATH(rd_kafka_resp_err_t, rd_kafka_flush, (rk, timeout_ms));
}

rd_kafka_error_t *rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets,
                                                       const rd_kafka_consumer_group_metadata_t *group, int timeout_ms)
{
    WITH_DEATH(rd_kafka_error_t *, rd_kafka_send_offsets_to_transaction, (rk, offsets, group, timeout_ms));
}

rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    WITH_DEATH(rd_kafka_error_t *, rd_kafka_commit_transaction, (rk, timeout_ms));
}

int mdb_txn_commit(MDB_txn *txn)
{
    WITH_DEATH(int, mdb_txn_commit, (txn));
}
