/* Measures through history: found by what they are, and by every id under which they ever left. */
#include "engine/rerun.h"

#include <stdlib.h>

/* ---- maps */

static struct trace_slot *slot_of(const struct trace_map *m, const unsigned char digest[16])
{
    size_t at = (size_t)get_be64(digest) & (m->cap - 1);

    while (m->slot[at].trace != NULL && memcmp(m->slot[at].digest, digest, 16) != 0)
        at = (at + 1) & (m->cap - 1);
    return &m->slot[at];
}

static void map_grow(struct trace_map *m)
{
    struct trace_map grown = {.cap = m->cap > 0 ? 2 * m->cap : 1024, .n = m->n};

    grown.slot = mem_alloc(grown.cap * sizeof *grown.slot);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].trace != NULL)
            *slot_of(&grown, m->slot[i].digest) = m->slot[i];
    free(m->slot);
    *m = grown;
}

static void map_put(struct trace_map *m, const unsigned char digest[16], struct trace *trace)
{
    if (2 * m->n >= m->cap)
        map_grow(m);
    struct trace_slot *s = slot_of(m, digest);
    m->n += s->trace == NULL;
    memcpy(s->digest, digest, sizeof s->digest);
    s->trace = trace;
}

static struct trace *map_find(const struct trace_map *m, const unsigned char digest[16])
{
    return m->cap > 0 ? slot_of(m, digest)->trace : NULL;
}

static void digest_of(unsigned char out[32], struct slice id)
{
    wire_digest(out, &id, 1);
}

struct trace *trace_find(const struct traces *s, const struct measure_key *key)
{
    return map_find(&s->by_key, key->byte);
}

struct trace *trace_named(const struct traces *s, struct slice id)
{
    unsigned char digest[32];

    digest_of(digest, id);
    return map_find(&s->by_id, digest);
}

void traces_free(struct traces *s)
{
    free(s->by_key.slot);
    free(s->by_id.slot);
}

/* ---- from history */

static void name(struct traces *s, struct trace *trace, struct slice id)
{
    unsigned char digest[32];

    digest_of(digest, id);
    map_put(&s->by_id, digest, trace);
}

static struct trace *trace_of(struct traces *s, const struct measure_view *v)
{
    struct measure_key key = wire_measure_key(&v->cause, v->task, v->measure, v->unit);
    struct trace *trace = trace_find(s, &key);

    if (trace == NULL) {
        trace = ARENA_NEW(s->arena, struct trace);
        trace->key = key;
        map_put(&s->by_key, key.byte, trace);
        *(struct trace **)arena_push(s->arena, &s->all, &s->n, &s->cap, sizeof *s->all) = trace;
    }
    return trace;
}

static void take(struct traces *s, const struct measure_view *v, uint64_t sequence, enum trace_status status)
{
    struct trace *trace = trace_of(s, v);

    name(s, trace, v->id);
    if (!v->first)
        return;
    trace->sequence = sequence;
    trace->status = status;
    trace->reminder = v->reminder;
    trace->valid_until = v->valid_until;
    /* What is a notification only was proposed under an id of its own, and is decided under that. */
    if (status != TRACE_DECIDED)
        trace->id = arena_dup(s->arena, v->id);
}

static void take_withdrawal(struct traces *s, struct slice id)
{
    struct trace *trace = trace_named(s, id);

    if (trace == NULL || trace->status == TRACE_WITHDRAWN)
        return;
    trace->status = TRACE_WITHDRAWN;
    trace->times++;
}

bool traces_read(struct traces *s, struct slice history, uint64_t sequence, bool decision,
                 struct arena *scratch)
{
    struct measure_view v;
    struct slice *proposal;
    struct record *output;
    struct proposal m;
    size_t n;

    if (!wire_history_proposals(history, scratch, &proposal, &n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (wire_proposal_read(NULL, proposal[i], scratch, &m, NULL))
            take(s, &m.view, sequence, TRACE_PROPOSED);
    if (!wire_history_outputs(history, scratch, &output, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!wire_measure_view(&output[i], scratch, &v))
            continue;
        if (v.withdraws.n > 0)
            take_withdrawal(s, v.withdraws);
        else
            take(s, &v, sequence, decision ? TRACE_DECIDED : TRACE_OUT);
    }
    return true;
}

bool measure_is_stale(bool reminder, instant_t valid_until, instant_t now)
{
    return reminder && valid_until != INSTANT_NONE && valid_until <= now;
}
