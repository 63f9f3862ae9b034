/* The transaction coordinator, and the offsets that transactions commit for the group. The commit point is
 * when it decides; markers follow, and only then are the offsets the group's. */
#include "sim.h"

#include <string.h>

struct identity {
    struct identity *next;
    char id[64];
    int epoch, timeout_ms;
    struct txn *txn; /* the last one */
};

struct offset {
    struct offset *next;
    struct txn *txn;
    struct pending p;
    uint64_t serial;
};

static struct identity *identities;
static struct offset *undecided, *decided; /* newest first; newest of each partition counts */
static uint64_t serial;

struct identity *coord_identity(const char *transactional_id, int timeout_ms)
{
    struct identity *i = identities;
    while (i && strcmp(i->id, transactional_id) != 0)
        i = i->next;
    if (!i) {
        i = mem_alloc(sizeof *i);
        snprintf(i->id, sizeof i->id, "%s", transactional_id);
        i->next = identities;
        identities = i;
    }
    i->timeout_ms = timeout_ms;
    return i;
}

/* ---- markers */

static void decide_offsets(struct txn *t, bool commit)
{
    for (struct offset **at = &undecided, *o; (o = *at);) {
        if (o->txn != t) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        if (commit) {
            o->next = decided;
            decided = o;
        }
    }
}

static void marker_written(struct txn *t)
{
    if (--t->left == 0)
        t->state = t->state == TXN_COMMITTING ? TXN_COMMITTED_ALL : TXN_ABORTED_ALL;
}

static int64_t marker_delay(void)
{
    return chance(0.7) ? between(50, 3 * MS) : between(1 * MS, 45 * MS);
}

static void write_marker(void *arg)
{
    struct share *s = arg;
    if (!broker_up) {
        later(50 * MS, NULL, write_marker, s);
        return;
    }
    if (s->first >= 0 || chance(0.5)) /* a partition that was added has its marker, though nothing came */
        log_end_share(s, s->txn->state == TXN_COMMITTING);
    else
        s->state = s->txn->state == TXN_COMMITTING ? TXN_COMMITTED : TXN_ABORTED;
    trace("marker of %s in %s-%d: %s", s->txn->of->id, s->log->name, s->log->partition,
          s->state == TXN_COMMITTED ? "commit" : "abort");
    marker_written(s->txn);
}

static void write_offsets(void *arg)
{
    struct txn *t = arg;
    if (!broker_up) {
        later(50 * MS, NULL, write_offsets, t);
        return;
    }
    decide_offsets(t, t->state == TXN_COMMITTING);
    trace("offsets of %s: %s", t->of->id, t->state == TXN_COMMITTING ? "committed" : "dropped");
    marker_written(t);
}

static void end(struct txn *t, bool commit)
{
    t->state = commit ? TXN_COMMITTING : TXN_ABORTING;
    trace("%s epoch %d: the coordinator decides to %s", t->of->id, t->epoch, commit ? "commit" : "abort");
    count(COUNT_ABORT, !commit && strncmp(t->of->id, "portal", 6) != 0);
    t->left = (int)t->nshares + 1;
    for (size_t i = 0; i < t->nshares; i++)
        later(marker_delay(), NULL, write_marker, t->share[i]);
    later(marker_delay(), NULL, write_offsets, t);
}

/* ---- requests */

static bool is_open(const struct txn *t)
{
    return t && t->state == TXN_ONGOING;
}

static bool is_ending(const struct txn *t)
{
    return t && (t->state == TXN_COMMITTING || t->state == TXN_ABORTING);
}

rd_kafka_resp_err_t coord_init(struct identity *id, int *epoch)
{
    if (is_open(id->txn)) {
        id->epoch++; /* fences whoever had it */
        end(id->txn, false);
    }
    if (is_ending(id->txn))
        return RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
    *epoch = ++id->epoch;
    id->txn = NULL;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void time_out(void *arg)
{
    struct txn *t = arg;
    if (t->state != TXN_ONGOING)
        return;
    if (!broker_up) {
        later(500 * MS, NULL, time_out, t);
        return;
    }
    trace("%s epoch %d: its transaction took too long", t->of->id, t->epoch);
    t->of->epoch++;
    end(t, false);
}

/* The transaction to add to: the one that is open, or a new one. */
static rd_kafka_resp_err_t current(struct identity *id, int epoch, struct txn **out)
{
    if (epoch != id->epoch)
        return RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (is_ending(id->txn))
        return RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
    if (!is_open(id->txn)) {
        id->txn = mem_alloc(sizeof *id->txn);
        id->txn->of = id;
        id->txn->epoch = epoch;
        later((int64_t)id->timeout_ms * MS + between(0, 500 * MS), NULL, time_out, id->txn);
    }
    *out = id->txn;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t coord_share(struct identity *id, int epoch, struct log *l, struct share **out)
{
    struct txn *t;
    rd_kafka_resp_err_t err = current(id, epoch, &t);
    if (err)
        return err;
    for (size_t i = 0; i < t->nshares; i++)
        if (t->share[i]->log == l) {
            *out = t->share[i];
            return RD_KAFKA_RESP_ERR_NO_ERROR;
        }
    struct share *s = mem_alloc(sizeof *s);
    *s = (struct share){.txn = t, .log = l, .first = -1};
    t->share[t->nshares++] = *out = s;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t coord_offsets(struct identity *id, int epoch, const struct pending *p, size_t n)
{
    struct txn *t;
    rd_kafka_resp_err_t err = current(id, epoch, &t);
    for (size_t i = 0; !err && i < n; i++) {
        struct offset *o = mem_alloc(sizeof *o);
        *o = (struct offset){.next = undecided, .txn = t, .p = p[i], .serial = ++serial};
        undecided = o;
    }
    return err;
}

/* Asked again after a lost reply it says the same again. */
rd_kafka_resp_err_t coord_end(struct identity *id, int epoch, bool commit)
{
    struct txn *t = id->txn;
    if (epoch != id->epoch)
        return RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (!t)
        return RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
    if (t->state == TXN_ONGOING) {
        end(t, commit);
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    bool committed = t->state == TXN_COMMITTING || t->state == TXN_COMMITTED_ALL;
    return committed == commit ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
}

bool coord_idle(void)
{
    for (const struct identity *i = identities; i; i = i->next)
        if (is_open(i->txn) || is_ending(i->txn))
            return false;
    return true;
}

bool coord_committed(const char *topic, int partition, int64_t *offset, const char **metadata, bool *unstable)
{
    const struct offset *best = NULL;
    for (const struct offset *o = undecided; o; o = o->next)
        *unstable |= strcmp(o->p.topic, topic) == 0 && o->p.partition == partition;
    for (const struct offset *o = decided; o; o = o->next)
        if (strcmp(o->p.topic, topic) == 0 && o->p.partition == partition && (!best || o->serial > best->serial))
            best = o;
    if (!best)
        return false;
    *offset = best->p.offset;
    *metadata = best->p.metadata;
    return true;
}
