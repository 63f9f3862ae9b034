/* Drives bus_kafka against a real broker for test_bus.py: a worker whose engine only adds numbers up.
 *
 *   create BROKER PARTITIONS               the eight topics
 *   append BROKER COUNT SEED [FIRST]       records with ids from FIRST on, over keys and both inputs; WINDOW of them may wait for answers
 *   run BROKER FOLDER NODE                 works until SIGTERM; says what happens, a line each
 *   dump FOLDER PARTITION                  sums and history in a store
 *   latency BROKER ROUNDS                  append → committed output, beside a running worker
 *   topic BROKER create|partitions|alter|delete TOPIC COUNT "NAME=VALUE …"
 *   commit BROKER GROUP TOPIC OFFSET       an offset as a foreign tool commits it
 *
 * An input's value is "ID ADD"; its output (warnings) is "ID KEY SUM", and so is its history record. An id
 * seen before gives nothing. CRASH=POINT:N kills the process at the Nth passing of that point: begin, emit,
 * or before the call offsets, commit, store. */
#include "base/log.h"
#include "bus/bus.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PARTS 16
#define KEYS 40 /* a partition has more of them than have a chunk at a time */

static volatile sig_atomic_t stopping;
static struct bus *bus;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void die(const char *what, const char *why)
{
    printf("FAIL %s: %s\n", what, why);
    fflush(stdout);
    _exit(9);
}

/* ---- crash points */

static void crash_point(const char *name)
{
    static char point[32];
    static long left = -1;
    if (left < 0) {
        const char *wish = getenv("CRASH");
        if (!wish || sscanf(wish, "%31[^:]:%ld", point, &left) != 2)
            left = 0;
    }
    if (left > 0 && strcmp(point, name) == 0 && --left == 0)
        raise(SIGKILL);
}

rd_kafka_error_t *__real_rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    crash_point("commit");
    return __real_rd_kafka_commit_transaction(rk, timeout_ms);
}

rd_kafka_error_t *__real_rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk,
                                                              const rd_kafka_topic_partition_list_t *o,
                                                              const rd_kafka_consumer_group_metadata_t *m,
                                                              int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk,
                                                              const rd_kafka_topic_partition_list_t *o,
                                                              const rd_kafka_consumer_group_metadata_t *m,
                                                              int timeout_ms);
rd_kafka_error_t *__wrap_rd_kafka_send_offsets_to_transaction(rd_kafka_t *rk,
                                                              const rd_kafka_topic_partition_list_t *o,
                                                              const rd_kafka_consumer_group_metadata_t *m,
                                                              int timeout_ms)
{
    crash_point("offsets");
    return __real_rd_kafka_send_offsets_to_transaction(rk, o, m, timeout_ms);
}

enum store_status __real_store_commit(struct store_txn *t, struct err *e);
enum store_status __wrap_store_commit(struct store_txn *t, struct err *e);
enum store_status __wrap_store_commit(struct store_txn *t, struct err *e)
{
    crash_point("store");
    return __real_store_commit(t, e);
}

/* ---- the worker */

static struct held {
    struct store *store;
    bool ready;
    struct bus_position at;
    /* Order: what was taken last, since this process has the partition. */
    instant_t last_time;
    int last_topic;
    int64_t last_offset;
} held[PARTS];
static const char *folder;

static void load(struct held *h)
{
    struct err e;
    struct slice v;
    struct store_txn *t = store_begin(h->store, false, &e);
    if (!t)
        die("store", e.text);
    h->at = (struct bus_position){.input_next = {-1, -1}};
    if (store_get(t, TABLE_META, S("at"), &v) == STORE_OK) {
        h->at.batch = get_be64((const unsigned char *)v.p);
        h->at.input_next[0] = get_be64s((const unsigned char *)v.p + 8);
        h->at.input_next[1] = get_be64s((const unsigned char *)v.p + 16);
    }
    if (!bus_kafka_positions(t, &h->at.changelog_next, &h->at.history_next, &e))
        die("positions", e.text);
    store_abort(t);
}

static void save(struct store_txn *t, uint64_t batch, const int64_t next[2])
{
    unsigned char v[24];
    put_be64(v, batch);
    put_be64s(v + 8, next[0]);
    put_be64s(v + 16, next[1]);
    if (store_put(t, TABLE_META, S("at"), (struct slice){(char *)v, sizeof v}) != STORE_OK)
        die("put", store_txn_error(t));
}

static struct store *on_acquire(void *ctx, int partition)
{
    (void)ctx;
    char path[512];
    struct err e;
    snprintf(path, sizeof path, "%s/p%d", folder, partition);
    held[partition] = (struct held){.store = store_open(path, 1 << 30, &e), .last_time = INSTANT_NONE};
    if (!held[partition].store)
        die("open", e.text);
    load(&held[partition]);
    printf("acquire %d batch %" PRIu64 " changelog %" PRId64 " history %" PRId64 "\n", partition,
           held[partition].at.batch, held[partition].at.changelog_next, held[partition].at.history_next);
    return held[partition].store;
}

static void on_where(void *ctx, int partition, struct bus_position *out)
{
    (void)ctx;
    load(&held[partition]);
    *out = held[partition].at;
}

static bool on_restore(void *ctx, int partition, const struct record *r, size_t n, const struct marker *m,
                       int64_t next)
{
    (void)ctx;
    struct err e;
    struct store_txn *t = store_begin(held[partition].store, true, &e);
    if (!t)
        die("store", e.text);
    for (size_t i = 0; i < n; i++) {
        enum table_id table = TABLE_HISTORY;
        struct slice key = r[i].value, value = S("");
        if (r[i].topic == TOPIC_CHANGELOG && !bus_kafka_state(&r[i], &table, &key, &value))
            die("restore", "not a state record");
        if (value.p)
            store_put(t, table, key, value);
        else
            store_delete(t, table, key);
    }
    if (m)
        save(t, m->batch, m->input_next);
    if (bus_kafka_restored(t, r, n, m, next) != STORE_OK || store_commit(t, &e) != STORE_OK)
        die("restore", e.text);
    printf("restore %d %s records %zu batch %" PRId64 " next %" PRId64 "\n", partition,
           n == 0 || r[0].topic == TOPIC_CHANGELOG ? "changelog" : "history", n, m ? (int64_t)m->batch : -1,
           next);
    return true;
}

static struct store *on_wipe(void *ctx, int partition)
{
    char command[600];
    printf("wipe %d\n", partition);
    store_close(held[partition].store);
    snprintf(command, sizeof command, "rm -r '%s/p%d'", folder, partition);
    if (system(command) != 0)
        die("wipe", command);
    return on_acquire(ctx, partition);
}

static void on_history(void *ctx, int partition, int64_t have, int64_t want)
{
    (void)ctx;
    if (have >= want)
        printf("complete %d\n", partition);
}

static enum bus_settled on_ready(void *ctx, int partition)
{
    (void)ctx;
    load(&held[partition]);
    held[partition].ready = true;
    printf("ready %d batch %" PRIu64 "\n", partition, held[partition].at.batch);
    return BUS_SETTLED;
}

static void on_release(void *ctx, int partition, bool lost)
{
    (void)ctx;
    printf("release %d%s\n", partition, lost ? " lost" : "");
    store_close(held[partition].store);
    held[partition] = (struct held){0};
}

static void check_order(struct held *h, const struct record *r)
{
    bool later =
        r->appended > h->last_time ||
        (r->appended == h->last_time &&
         ((int)r->topic > h->last_topic || ((int)r->topic == h->last_topic && r->offset > h->last_offset)));
    if (!later)
        die("order", "a record was taken out of its turn");
    h->last_time = r->appended;
    h->last_topic = (int)r->topic;
    h->last_offset = r->offset;
}

/* One record through the engine: OK, or what the bus said. */
static enum bus_status apply(int partition, struct store_txn *t, const struct record *r, struct err *e)
{
    char text[256], seen[64];
    struct slice v;
    int64_t id, add, sum = 0;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(r->value));
    if (sscanf(text, "%" SCNd64 " %" SCNd64, &id, &add) != 2)
        die("input", text);
    struct slice mark = {seen, (size_t)snprintf(seen, sizeof seen, "%" PRId64, id)};
    if (store_get(t, TABLE_PROPOSAL, mark, &v) == STORE_OK)
        return BUS_OK;
    if (store_get(t, TABLE_INSTANCE, r->key, &v) == STORE_OK)
        sum = get_be64s((const unsigned char *)v.p);
    sum += add;
    unsigned char bytes[8];
    put_be64s(bytes, sum);
    v = (struct slice){(char *)bytes, sizeof bytes};
    struct header h = {S("ce_id"), mark};
    struct record out = {.topic = TOPIC_WARNINGS,
                         .partition = partition,
                         .offset = -1,
                         .key = r->key,
                         .header = &h,
                         .nheaders = 1};
    out.value = (struct slice){
        text, (size_t)snprintf(text, sizeof text, "%" PRId64 " %.*s %" PRId64, id, SLICE_ARG(r->key), sum)};
    struct record history = out;
    history.topic = TOPIC_HISTORY;
    crash_point("emit");
    enum bus_status st = bus->ops->emit(bus, partition, &out, e);
    st = st == BUS_OK ? bus->ops->emit(bus, partition, &history, e) : st;
    st = st == BUS_OK ? bus->ops->state(bus, partition, TABLE_INSTANCE, r->key, v, e) : st;
    st = st == BUS_OK ? bus->ops->state(bus, partition, TABLE_PROPOSAL, mark, S("1"), e) : st;
    if (store_put(t, TABLE_INSTANCE, r->key, v) != STORE_OK ||
        store_put(t, TABLE_PROPOSAL, mark, S("1")) != STORE_OK ||
        store_put(t, TABLE_HISTORY, out.value, S("")) != STORE_OK)
        die("put", store_txn_error(t));
    return st;
}

static enum bus_status apply_all(int partition, struct store_txn *t, const struct record *r, size_t n, struct marker *m, struct err *e)
{
    enum bus_status st = BUS_OK;
    for (size_t i = 0; i < n && st == BUS_OK; i++) {
        check_order(&held[partition], &r[i]);
        m->input_next[r[i].topic] = r[i].offset + 1;
        st = apply(partition, t, &r[i], e);
    }
    return st;
}

/* Of n records, and what has come meanwhile, most at most. How many there were in the end. */
static size_t one_batch(int partition, struct record *r, size_t n, size_t most)
{
    struct held *h = &held[partition];
    struct err e = {0};
    struct marker m = {.batch = h->at.batch + 1,
                       .input_next = {h->at.input_next[0], h->at.input_next[1]},
                       .history_next = -1};
    struct held before = *h;
    struct store_txn *t = store_begin(h->store, true, &e);
    if (!t)
        die("store", e.text);
    enum bus_status st = bus->ops->begin(bus, partition, t, &e);
    crash_point("begin");
    if (st != BUS_OK) {
        bus->ops->undo(bus, partition, t);
        printf("begin %d: %s\n", partition, e.text);
        return 0;
    }
    st = apply_all(partition, t, r, n, &m, &e);
    size_t more = st == BUS_OK && n < most ? bus->ops->take(bus, partition, r, most - n) : 0;
    if (more > 0)
        st = apply_all(partition, t, r, more, &m, &e);
    if (st != BUS_OK) {
        bus->ops->undo(bus, partition, t);
    } else {
        save(t, m.batch, m.input_next);
        st = bus->ops->commit(bus, partition, t, &m, &e);
    }
    if (st == BUS_OK) {
        h->at.batch = m.batch;
        h->at.input_next[0] = m.input_next[0];
        h->at.input_next[1] = m.input_next[1];
        return n + more;
    }
    printf("%s %d: %s\n",
           st == BUS_UNDONE ? "undone"
           : st == BUS_LOST ? "lost"
                            : "failed",
           partition, e.text);
    if (st == BUS_FAILED)
        die("batch", e.text);
    *h = before; /* the same records come again */
    return 0;
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    bus->ops->wake(bus);
}

static struct bus *open_bus(const char *bootstrap, const char *node)
{
    struct header property[8] = {{S("bootstrap.servers"), slice_of(bootstrap)}};
    size_t n = 1;
    static const char *const wishes[] = {"session.timeout.ms", "transaction.timeout.ms"};
    const char *values[] = {getenv("SESSION_MS"), getenv("TRANSACTION_MS")};
    for (int i = 0; i < 2; i++)
        if (values[i])
            property[n++] = (struct header){slice_of(wishes[i]), slice_of(values[i])};
    struct bus_kafka_options o = {
        .property = property, .nproperties = n, .group = "test", .node = node, .topic_prefix = "duban."};
    struct bus_hooks hooks = {.acquire = on_acquire,
                              .where = on_where,
                              .restore = on_restore,
                              .ready = on_ready,
                              .release = on_release,
                              .history = on_history,
                              .wipe = on_wipe};
    struct err e;
    struct bus *b = bus_kafka_open(&o, &hooks, &e);
    if (!b)
        die("bus", e.text);
    return b;
}

static int run(const char *bootstrap, const char *node)
{
    static struct record r[10000];
    size_t most = getenv("BATCH") ? (size_t)atoi(getenv("BATCH")) : 60;
    struct err e, said = {0}, why = {0};
    uint64_t records = 0, batches = 0, meanwhile = 0;
    int64_t first = 0, last = 0;
    bus = open_bus(bootstrap, node);
    signal(SIGTERM, on_signal);
    while (!stopping) {
        if (!bus->ops->poll(bus, -1, &e))
            die("poll", e.text);
        why.text[0] = 0;
        bus->ops->trouble(bus, &why);
        if (strcmp(why.text, said.text) != 0)
            printf("trouble %s\n", why.text);
        said = why;
        for (int p = 0; p < PARTS && !stopping; p++) {
            size_t n = held[p].ready ? bus->ops->take(bus, p, r, most) : 0;
            if (!n)
                continue;
            first = first ? first : now_ms();
            size_t done = one_batch(p, r, n, most);
            last = now_ms();
            records += done;
            meanwhile += done > n ? done - n : 0;
            batches++;
        }
    }
    printf("taken %" PRIu64 " batches %" PRIu64 " ms %" PRId64 " meanwhile %" PRIu64 "\n", records, batches, last - first, meanwhile);
    bus->ops->close(bus);
    printf("closed\n");
    return 0;
}

/* ---- the other commands */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static size_t open_appends;

struct sent {
    int64_t id, add;
    int key;
    enum topic topic;
    bool again;
    bool done;
};

static void on_append(void *ctx, const struct append_result *r)
{
    struct sent *s = ctx;
    pthread_mutex_lock(&lock);
    s->again = !r->ok && r->retry;
    s->done = true;
    if (r->ok && r->topic != s->topic)
        die("append", "another topic");
    if (!r->ok && !r->retry)
        die("append", r->why);
    if (r->ok && !getenv("QUIET"))
        printf("sent %" PRId64 " k%d %" PRId64 " %d %d %" PRId64 " %" PRId64 "\n", s->id, s->key, s->add,
               (int)r->topic, r->partition, r->offset, r->received);
    open_appends--;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&lock);
}

static void send_one(struct sent *s)
{
    char key[16], value[64];
    struct header h[] = {{S("ce_specversion"), S("1.0")}, {S("content-type"), S("application/json")}};
    struct record r = {.topic = s->topic, .header = h, .nheaders = 2};
    r.key = (struct slice){key, (size_t)snprintf(key, sizeof key, "k%d", s->key)};
    r.value =
        (struct slice){value, (size_t)snprintf(value, sizeof value, "%" PRId64 " %" PRId64, s->id, s->add)};
    pthread_mutex_lock(&lock);
    open_appends++;
    pthread_mutex_unlock(&lock);
    bus->ops->append(bus, &r, on_append, s);
}

static void await_appends(size_t most)
{
    pthread_mutex_lock(&lock);
    while (open_appends > most)
        pthread_cond_wait(&answered, &lock);
    pthread_mutex_unlock(&lock);
}

static struct store *refuse(void *ctx, int partition)
{
    (void)ctx;
    (void)partition;
    return NULL;
}

/* A bus for its appender alone: polled until the topics are known. */
static void open_appender(const char *bootstrap)
{
    struct header property[] = {{S("bootstrap.servers"), slice_of(bootstrap)}};
    struct bus_kafka_options o = {.property = property,
                                  .nproperties = 1,
                                  .group = "sender",
                                  .node = "sender",
                                  .topic_prefix = "duban."};
    struct bus_hooks hooks = {.acquire = refuse};
    struct err e;
    bus = bus_kafka_open(&o, &hooks, &e);
    if (!bus)
        die("bus", e.text);
    while (!bus->ops->partitions(bus))
        bus->ops->poll(bus, 10, &e);
}

static int append(const char *bootstrap, int64_t count, unsigned seed, int64_t first)
{
    struct sent *s = mem_alloc((size_t)count * sizeof *s);
    size_t window = getenv("WINDOW") ? (size_t)atoi(getenv("WINDOW")) : 5000;
    open_appender(bootstrap);
    srand(seed);
    for (int64_t i = 0; i < count; i++) {
        s[i] = (struct sent){
            .id = first + i, .add = rand() % 1000, .key = rand() % KEYS, .topic = (enum topic)(rand() % 2)};
        await_appends(window);
        send_one(&s[i]);
    }
    for (bool again = true; again;) {
        await_appends(0);
        again = false;
        for (int64_t i = 0; i < count; i++)
            if (s[i].again) {
                s[i].again = false;
                again = true;
                send_one(&s[i]);
            }
    }
    bus->ops->close(bus);
    free(s);
    return 0;
}

static int dump(int partition)
{
    char path[512];
    struct err e;
    struct slice key, value;
    snprintf(path, sizeof path, "%s/p%d", folder, partition);
    struct store *s = store_open_readonly(path, &e);
    if (!s)
        die("open", e.text);
    struct store_txn *t = store_begin(s, false, &e);
    struct store_iter *i = store_iter_new(t, TABLE_INSTANCE);
    for (bool more = store_iter_seek(i, (struct slice){0}, &key, &value); more;
         more = store_iter_next(i, &key, &value))
        printf("sum %.*s %" PRId64 "\n", SLICE_ARG(key), get_be64s((const unsigned char *)value.p));
    store_iter_free(i);
    i = store_iter_new(t, TABLE_HISTORY);
    for (bool more = store_iter_seek(i, (struct slice){0}, &key, &value); more;
         more = store_iter_next(i, &key, &value))
        printf("history %.*s\n", SLICE_ARG(key));
    store_iter_free(i);
    store_abort(t);
    store_close(s);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Reads the outputs as a consumer of ours would: not through the bus. */
static rd_kafka_t *reader(const char *bootstrap, int npartitions)
{
    char why[256];
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    rd_kafka_conf_set(c, "bootstrap.servers", bootstrap, why, sizeof why);
    rd_kafka_conf_set(c, "group.id", "reader", why, sizeof why);
    rd_kafka_conf_set(c, "isolation.level", "read_committed", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, why, sizeof why);
    if (!rk)
        die("reader", why);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(npartitions);
    for (int i = 0; i < npartitions; i++)
        rd_kafka_topic_partition_list_add(list, "duban.warnings", i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return rk;
}

static int latency(const char *bootstrap, int rounds)
{
    double *took = mem_alloc((size_t)rounds * sizeof *took);
    open_appender(bootstrap);
    rd_kafka_t *rk = reader(bootstrap, bus->ops->partitions(bus));
    rd_kafka_message_t *m;
    int64_t base = 1000000000 + (int64_t)getpid() * 100000;
    while ((m = rd_kafka_consumer_poll(rk, 1500))) /* what is there already */
        rd_kafka_message_destroy(m);
    for (int i = 0; i < rounds; i++) {
        struct sent s = {.id = base + i, .add = 1, .key = i % KEYS, .topic = (enum topic)(i % 2)};
        char id[32];
        snprintf(id, sizeof id, "%" PRId64 " ", s.id);
        double from = now_us();
        send_one(&s);
        for (bool seen = false; !seen;) {
            m = rd_kafka_consumer_poll(rk, 10000);
            if (!m)
                die("latency", "no output within 10 s");
            seen = !m->err && m->len > strlen(id) && memcmp(m->payload, id, strlen(id)) == 0;
            rd_kafka_message_destroy(m);
        }
        took[i] = (now_us() - from) / 1000;
        await_appends(0);
        usleep(20000); /* alone: nothing of the one before is under way */
    }
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    printf("p50 %.1f p90 %.1f max %.1f ms\n", took[rounds / 2], took[rounds * 9 / 10], took[rounds - 1]);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    bus->ops->close(bus);
    free(took);
    return 0;
}

/* "a=b c=d" for a topic or a resource. */
static void configure(const char *config, rd_kafka_NewTopic_t *t, rd_kafka_ConfigResource_t *r)
{
    char name[128], value[128];
    int used;
    for (; sscanf(config, "%127[^=]=%127s %n", name, value, &used) == 2; config += used)
        if (t)
            rd_kafka_NewTopic_set_config(t, name, value);
        else
            rd_kafka_ConfigResource_set_config(r, name, value);
}

/* A topic made or changed as an operator might, by mistake. */
static void ask_admin(rd_kafka_t *rk, rd_kafka_queue_t *q, const char *what, const char *topic, int count,
                      const char *config)
{
    char why[256] = "";
    if (strcmp(what, "create") == 0) {
        rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(topic, count, 1, why, sizeof why);
        configure(config, t, NULL);
        rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
        rd_kafka_NewTopic_destroy(t);
    } else if (strcmp(what, "partitions") == 0) {
        rd_kafka_NewPartitions_t *t = rd_kafka_NewPartitions_new(topic, (size_t)count, why, sizeof why);
        rd_kafka_CreatePartitions(rk, &t, 1, NULL, q);
        rd_kafka_NewPartitions_destroy(t);
    } else if (strcmp(what, "alter") == 0) { /* takes away what is not given */
        rd_kafka_ConfigResource_t *t = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
        configure(config, NULL, t);
        rd_kafka_AlterConfigs(rk, &t, 1, NULL, q);
        rd_kafka_ConfigResource_destroy(t);
    } else {
        rd_kafka_DeleteTopic_t *t = rd_kafka_DeleteTopic_new(topic);
        rd_kafka_DeleteTopics(rk, &t, 1, NULL, q);
        rd_kafka_DeleteTopic_destroy(t);
    }
}

/* A broker answers an alteration before it goes by it. */
static bool is_altered(rd_kafka_t *rk, rd_kafka_queue_t *q, const char *topic, const char *config)
{
    size_t n = 0, nset = 0, found = 0, wanted = 0;
    char name[128], value[128];
    rd_kafka_ConfigResource_t *t = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_DescribeConfigs(rk, &t, 1, NULL, q);
    rd_kafka_ConfigResource_destroy(t);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 20000);
    if (!ev || rd_kafka_event_error(ev))
        die("alter", ev ? rd_kafka_event_error_string(ev) : "no answer");
    const rd_kafka_ConfigResource_t **r =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(ev), &n);
    const rd_kafka_ConfigEntry_t **set = n ? rd_kafka_ConfigResource_configs(r[0], &nset) : NULL;
    for (int used; sscanf(config, "%127[^=]=%127s %n", name, value, &used) == 2; config += used, wanted++)
        for (size_t i = 0; i < nset; i++) {
            const char *now = rd_kafka_ConfigEntry_value(set[i]);
            found += strcmp(rd_kafka_ConfigEntry_name(set[i]), name) == 0 && now && strcmp(now, value) == 0;
        }
    rd_kafka_event_destroy(ev);
    return found == wanted;
}

static int admin(const char *bootstrap, const char *what, const char *topic, int count, const char *config)
{
    char why[256];
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    rd_kafka_conf_set(c, "bootstrap.servers", bootstrap, why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof why);
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    ask_admin(rk, q, what, topic, count, config);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 20000);
    if (!ev || rd_kafka_event_error(ev))
        die(what, ev ? rd_kafka_event_error_string(ev) : "no answer");
    rd_kafka_event_destroy(ev);
    int64_t until = now_ms() + 20000;
    while (strcmp(what, "alter") == 0 && !is_altered(rk, q, topic, config))
        if (now_ms() > until)
            die(what, "the broker does not go by it");
    rd_kafka_queue_destroy(q);
    rd_kafka_destroy(rk);
    return 0;
}

/* What another tool does that "resets" a group's offset. */
static int commit_offset(const char *bootstrap, const char *group, const char *topic, int64_t offset)
{
    char why[256];
    rd_kafka_conf_t *c = rd_kafka_conf_new();
    rd_kafka_conf_set(c, "bootstrap.servers", bootstrap, why, sizeof why);
    rd_kafka_conf_set(c, "group.id", group, why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, c, why, sizeof why);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    rd_kafka_resp_err_t err;
    for (int i = 0; i < 40 && (err = rd_kafka_commit(rk, list, 0)); i++)
        usleep(250000); /* until the last member's session is over */
    if (err)
        die("commit", rd_kafka_err2str(err));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return 0;
}

int main(int argc, char **argv)
{
    struct err e;
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_set_level(getenv("DEBUG") ? LOG_DEBUG : LOG_WARN);
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp(what, "create") == 0 && argc == 4) {
        struct header property = {S("bootstrap.servers"), slice_of(argv[2])};
        struct bus_kafka_options o = {.property = &property, .nproperties = 1, .topic_prefix = "duban."};
        if (!bus_kafka_create_topics(&o, atoi(argv[3]), 1, NULL, NULL, &e))
            die("create", e.text);
        return 0;
    }
    if (strcmp(what, "append") == 0 && argc >= 5)
        return append(argv[2], atoll(argv[3]), (unsigned)atoi(argv[4]), argc > 5 ? atoll(argv[5]) : 0);
    if (strcmp(what, "run") == 0 && argc == 5) {
        folder = argv[3];
        return run(argv[2], argv[4]);
    }
    if (strcmp(what, "dump") == 0 && argc == 4) {
        folder = argv[2];
        return dump(atoi(argv[3]));
    }
    if (strcmp(what, "topic") == 0 && argc == 7)
        return admin(argv[2], argv[3], argv[4], atoi(argv[5]), argv[6]);
    if (strcmp(what, "commit") == 0 && argc == 6)
        return commit_offset(argv[2], argv[3], argv[4], atoll(argv[5]));
    if (strcmp(what, "latency") == 0 && argc == 4)
        return latency(argv[2], atoi(argv[3]));
    fprintf(stderr, "usage: see the comment at the top of bus_kafka_test.c\n");
    return 2;
}
