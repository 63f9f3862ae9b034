#include "bus/merge.h"

#include <assert.h>
#include <stdlib.h>

_Static_assert(TOPIC_SUBMISSIONS == 0 && TOPIC_DEADLINES == 1, "the input topics number the lanes");

/* A ring. Invariant (lane_check): taken ≤ n ≤ cap, and cap is 0 or a power of two. */
struct lane {
    struct merge_item *item;
    size_t cap;
    size_t first; /* where the ring begins */
    size_t n;     /* items held, taken ones included */
    size_t taken; /* of these, the first so many */
    int64_t last; /* offset last pushed; -1: none */
    instant_t through;
};

struct merge {
    struct lane lane[MERGE_LANES];
    void (*drop)(void *record);
};

static void lane_check(const struct lane *l)
{
    assert(l->taken <= l->n && l->n <= l->cap && (l->cap & (l->cap - 1)) == 0);
}

static struct merge_item *lane_at(const struct lane *l, size_t i)
{
    return &l->item[(l->first + i) & (l->cap - 1)];
}

/* The first that was not taken; NULL: none. */
static const struct merge_item *lane_head(const struct lane *l)
{
    return l->taken < l->n ? lane_at(l, l->taken) : NULL;
}

static void lane_grow(struct lane *l)
{
    size_t cap = l->cap ? l->cap * 2 : 64;
    struct merge_item *item = mem_alloc(cap * sizeof *item);
    for (size_t i = 0; i < l->n; i++)
        item[i] = *lane_at(l, i);
    free(l->item);
    l->item = item;
    l->cap = cap;
    l->first = 0;
}

static void lane_drop(struct merge *m, struct lane *l, size_t count)
{
    for (size_t i = 0; i < count && m->drop; i++)
        m->drop(lane_at(l, i)->record);
    if (l->cap)
        l->first = (l->first + count) & (l->cap - 1);
    l->n -= count;
    l->taken = l->taken > count ? l->taken - count : 0;
    lane_check(l);
}

struct merge *merge_new(void (*drop)(void *record))
{
    struct merge *m = mem_alloc(sizeof *m);
    m->drop = drop;
    merge_clear(m);
    return m;
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    merge_clear(m);
    for (int i = 0; i < MERGE_LANES; i++)
        free(m->lane[i].item);
    free(m);
}

void merge_push(struct merge *m, enum topic lane, struct merge_item item)
{
    assert(lane < MERGE_LANES);
    struct lane *l = &m->lane[lane];
    assert(item.offset > l->last);
    if (l->n == l->cap)
        lane_grow(l);
    *lane_at(l, l->n++) = item;
    l->last = item.offset;
    lane_check(l);
}

void merge_know(struct merge *m, enum topic lane, instant_t through)
{
    assert(lane < MERGE_LANES);
    if (through > m->lane[lane].through)
        m->lane[lane].through = through;
}

/* Which lane's head comes first, and what the other lane, when it has no head, must be known through before
 * that one may be taken. At the same instant a submission goes first, so a submission need not wait for
 * deadlines of its own millisecond. */
static const struct merge_item *merge_head(const struct merge *m, enum topic *lane, instant_t *needs)
{
    const struct merge_item *submission = lane_head(&m->lane[TOPIC_SUBMISSIONS]);
    const struct merge_item *deadline = lane_head(&m->lane[TOPIC_DEADLINES]);
    *needs = INSTANT_NONE;
    if (submission && (!deadline || merge_submission_first(submission->received, deadline->received))) {
        *lane = TOPIC_SUBMISSIONS;
        if (!deadline && submission->received > INSTANT_NONE)
            *needs = submission->received - 1;
        return submission;
    }
    *lane = TOPIC_DEADLINES;
    if (deadline && !submission)
        *needs = deadline->received;
    return deadline;
}

bool merge_take(struct merge *m, struct merge_item *out, enum topic *lane)
{
    instant_t needs;
    const struct merge_item *head = merge_head(m, lane, &needs);
    if (!head || m->lane[1 - *lane].through < needs)
        return false;
    *out = *head;
    m->lane[*lane].taken++;
    lane_check(&m->lane[*lane]);
    return true;
}

bool merge_asks(const struct merge *m, enum topic *lane, instant_t *through)
{
    enum topic first;
    const struct merge_item *head = merge_head(m, &first, through);
    *lane = first == TOPIC_SUBMISSIONS ? TOPIC_DEADLINES : TOPIC_SUBMISSIONS;
    return head && m->lane[*lane].through < *through;
}

void merge_settle(struct merge *m)
{
    for (int i = 0; i < MERGE_LANES; i++)
        lane_drop(m, &m->lane[i], m->lane[i].taken);
}

void merge_undo(struct merge *m)
{
    for (int i = 0; i < MERGE_LANES; i++)
        m->lane[i].taken = 0;
}

void merge_clear(struct merge *m)
{
    for (int i = 0; i < MERGE_LANES; i++) {
        struct lane *l = &m->lane[i];
        lane_drop(m, l, l->n);
        l->last = -1;
        l->through = INSTANT_NONE;
    }
}

size_t merge_waiting(const struct merge *m, enum topic lane)
{
    assert(lane < MERGE_LANES);
    return m->lane[lane].n - m->lane[lane].taken;
}
