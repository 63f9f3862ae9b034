/* Who serves a partition: the last marker of its changelog says it. Read with a handle of its own, in no thread that works. */
#include "bus/bus_kafka.h"

#define TAIL_RECORDS 8 /* a marker is the last record of its batch; behind it are markers of transactions */
#define TAIL_GROWS 32  /* aborted transactions may lie there, too: then further back */
#define TAIL_MS 3000   /* for one look at all of them */

struct bus_kafka_directory {
    struct kafka *k; /* options and names; no more of it is used */
    rd_kafka_t *rk;
    struct arena *arena;
};

struct bus_kafka_directory *bus_kafka_directory_open(const struct bus_kafka_options *o, struct err *e)
{
    struct kafka *k = kafka_bare_new(o, e);
    if (!k)
        return NULL;
    struct bus_kafka_directory *d = mem_alloc(sizeof *d);
    d->k = k;
    d->arena = arena_new();
    d->rk = kafka_handle_new(k, ROLE_RESTORER, e);
    if (d->rk) {
        rd_kafka_poll_set_consumer(d->rk);
        return d;
    }
    bus_kafka_directory_close(d);
    return NULL;
}

void bus_kafka_directory_close(struct bus_kafka_directory *d)
{
    if (!d)
        return;
    if (d->rk) {
        rd_kafka_assign(d->rk, NULL);
        rd_kafka_destroy_flags(d->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    kafka_bare_free(d->k);
    arena_free(d->arena);
    free(d);
}

/* One partition of a look. */
struct tail {
    struct bus_kafka_owner *owner;
    int64_t low, end, from, seen; /* seen: all below it was read */
    bool found;
};

static struct tail *tail_of(struct tail *t, size_t n, int partition)
{
    for (size_t i = 0; i < n; i++)
        if (t[i].owner->partition == partition)
            return &t[i];
    return NULL;
}

static bool is_read(const struct tail *t)
{
    return t->found || t->seen >= t->end;
}

static void take(struct bus_kafka_directory *d, struct tail *t, const rd_kafka_message_t *m)
{
    struct marker marker;
    struct err e;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        t->seen = m->offset > t->seen ? m->offset : t->seen;
    if (m->err)
        return;
    t->seen = m->offset + 1;
    arena_reset(d->arena);
    if (m->key_len != 1 || *(const unsigned char *)m->key != MARKER_KEY ||
        !wire_marker_unpack((struct slice){m->payload, m->len}, d->arena, &marker, &e))
        return;
    /* Not `found` before the end: a later one counts. */
    t->owner->partitions = marker.partitions;
    t->owner->known = marker.owner_url.n > 0 && marker.owner_url.n < sizeof t->owner->url;
    if (t->owner->known) {
        memcpy(t->owner->url, marker.owner_url.p, marker.owner_url.n);
        t->owner->url[marker.owner_url.n] = 0;
    }
    t->from = -1; /* one was seen: going further back is not needed */
}

/* Reads all that are not read yet, each from its `from` on. */
static bool read_tails(struct bus_kafka_directory *d, struct tail *t, size_t n, int64_t until)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_read(&t[i])) {
            rd_kafka_topic_partition_list_add(list, d->k->topic[TOPIC_CHANGELOG], t[i].owner->partition)->offset =
                t[i].from;
            left++;
        }
    rd_kafka_resp_err_t err = left ? rd_kafka_assign(d->rk, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_destroy(list);
    while (!err && left && kafka_monotonic_ms() < until) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(d->rk, 100);
        if (!m)
            continue;
        struct tail *of = m->rkt ? tail_of(t, n, m->partition) : NULL;
        if (of && !is_read(of)) {
            take(d, of, m);
            left -= is_read(of);
        }
        rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(d->rk, NULL);
    return !left;
}

static bool find_ends(struct bus_kafka_directory *d, struct tail *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (kafka_ends(d->rk, d->k->topic[TOPIC_CHANGELOG], t[i].owner->partition, &t[i].low, &t[i].end, 1000) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return false;
    return true;
}

bool bus_kafka_directory_read(struct bus_kafka_directory *d, struct bus_kafka_owner *o, size_t n)
{
    struct tail *t = mem_alloc((n ? n : 1) * sizeof *t);
    int64_t until = kafka_monotonic_ms() + TAIL_MS, back = TAIL_RECORDS;
    for (size_t i = 0; i < n; i++)
        t[i].owner = &o[i];
    bool ok = find_ends(d, t, n), more = ok;
    for (; ok && more; back *= TAIL_GROWS) {
        more = false;
        for (size_t i = 0; i < n; i++) {
            t[i].found = t[i].from < 0 || (back > TAIL_RECORDS && t[i].from == t[i].low) || t[i].low == t[i].end;
            if (t[i].found)
                continue;
            t[i].from = t[i].end - back > t[i].low ? t[i].end - back : t[i].low;
            t[i].seen = t[i].from;
            more = true;
        }
        ok = !more || read_tails(d, t, n, until);
    }
    free(t);
    return ok;
}
