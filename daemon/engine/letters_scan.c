/* The topic of the dead letters walked from its end: a page of those that are asked for, or the one. */
#include <stdlib.h>
#include <string.h>

#include "engine/letters.h"
#include "engine/worker_private.h"

#define CHUNK_LEAST 256 /* offsets looked at in one go; more while little is found */
#define CHUNK_MOST 16384
#define LOOK_MS 5000 /* then the page ends with what it has */

/* A partition of the topic. All from `scanned` on was looked at. */
struct side {
    int partition;
    int64_t low, scanned, chunk;
    bool done; /* nothing below `scanned` is wanted */
    struct found {
        instant_t appended;
        int partition;
        int64_t offset;
        struct slice row;
    } *found; /* newest first */
    size_t n, cap;
};

struct scan {
    struct letters_log *log;
    struct letters_ask *q;
    struct side *side;
    size_t nsides;
    int64_t until; /* monotonic ms */
    /* Of the chunk at work, oldest first. */
    struct side *at;
    struct found *chunk;
    size_t n, cap;
    bool recent; /* something of it is not older than what is asked for */
};

/* ---- what is wanted */

static bool has_reason(const struct record *r, struct slice part)
{
    for (size_t i = 0; i < r->nheaders; i++)
        if (slice_eq(r->header[i].name, S("duban_reason")) &&
            memmem(r->header[i].value.p, r->header[i].value.n, part.p, part.n) != NULL)
            return true;
    return false;
}

static bool is_wanted(const struct letters_ask *q, const struct record *r)
{
    instant_t at = r->appended;

    instant_parse(letters_header(r, "ce_time"), &at);
    return (q->workflow.n == 0 || slice_eq(r->key, q->workflow)) &&
           (q->source.n == 0 || slice_eq(letters_header(r, "duban_ce_source"), q->source)) &&
           (q->since == INSTANT_NONE || at >= q->since) && (q->reason.n == 0 || has_reason(r, q->reason));
}

static bool visit(void *ctx, const struct record *r)
{
    struct scan *s = ctx;

    s->recent |= s->q->since == INSTANT_NONE || r->appended >= s->q->since;
    if (!is_wanted(s->q, r))
        return true;
    struct slice row = letters_row(s->log, r, false, s->q->open_only, s->q->arena);
    if (row.p != NULL)
        *(struct found *)arena_push(s->q->arena, &s->chunk, &s->n, &s->cap, sizeof *s->chunk) =
            (struct found){r->appended, r->partition, r->offset, row};
    return true;
}

/* ---- walking */

static bool look_back(struct scan *s, struct side *side)
{
    int64_t from = side->scanned - side->chunk > side->low ? side->scanned - side->chunk : side->low;

    s->at = side;
    s->n = 0;
    s->recent = false;
    if (!letters_read(s->log, side->partition, from, side->scanned, visit, s, &s->q->err))
        return false;
    for (size_t i = s->n; i > 0; i--)
        *(struct found *)arena_push(s->q->arena, &side->found, &side->n, &side->cap, sizeof *side->found) =
            s->chunk[i - 1];
    side->scanned = from;
    side->chunk = side->chunk * 4 < CHUNK_MOST ? side->chunk * 4 : CHUNK_MOST;
    /* Letters are written after what they tell of was received. */
    side->done = from == side->low || (s->q->since != INSTANT_NONE && !s->recent);
    return true;
}

static bool walk(struct scan *s)
{
    for (size_t i = 0; i < s->nsides; i++) {
        struct side *side = &s->side[i];

        while (!side->done && side->n < s->q->limit && worker_monotonic() < s->until)
            if (!look_back(s, side))
                return false;
    }
    return true;
}

/* ---- the cursor: for each partition the offset before which it goes on */

static bool read_cursor(struct scan *s)
{
    struct slice rest = s->q->after;

    for (size_t i = 0; i < s->nsides; i++) {
        const char *comma = rest.n > 0 ? memchr(rest.p, ',', rest.n) : NULL;
        struct slice one = {rest.p, comma != NULL ? (size_t)(comma - rest.p) : rest.n};
        size_t used = one.n + (comma != NULL);
        int64_t before;

        if (!parse_i64(one, &before) || before < 0)
            return false;
        if (before < s->side[i].scanned)
            s->side[i].scanned = before > s->side[i].low ? before : s->side[i].low;
        s->side[i].done = s->side[i].scanned == s->side[i].low;
        rest = (struct slice){rest.p + used, rest.n - used};
    }
    return rest.n == 0;
}

static void write_cursor(struct scan *s, const size_t *taken)
{
    struct buf b = {0};
    bool more = false;

    for (size_t i = 0; i < s->nsides; i++) {
        const struct side *side = &s->side[i];
        bool left = taken[i] < side->n;

        buf_printf(&b, "%s%lld", i > 0 ? "," : "",
                   (long long)(left ? side->found[taken[i]].offset + 1 : side->done ? side->low : side->scanned));
        more |= left || !side->done;
    }
    if (more)
        s->q->next = arena_dup(s->q->arena, buf_slice(&b));
    buf_free(&b);
}

/* ---- a list */

static bool is_newer(const struct found *a, const struct found *b)
{
    return a->appended != b->appended ? a->appended > b->appended : a->partition < b->partition;
}

/* The newest of all sides, one after the other. */
static void merge(struct scan *s)
{
    struct letters_ask *q = s->q;
    size_t *taken = ARENA_ARRAY(q->arena, size_t, s->nsides);

    while (q->n < q->limit) {
        size_t best = s->nsides;

        for (size_t i = 0; i < s->nsides; i++)
            if (taken[i] < s->side[i].n &&
                (best == s->nsides || is_newer(&s->side[i].found[taken[i]], &s->side[best].found[taken[best]])))
                best = i;
        if (best == s->nsides)
            break;
        *(struct slice *)arena_push(q->arena, &q->row, &q->n, &q->cap, sizeof *q->row) =
            s->side[best].found[taken[best]++].row;
    }
    write_cursor(s, taken);
}

static bool open_sides(struct scan *s)
{
    int n = letters_partitions(s->log, &s->q->err);

    s->nsides = n > 0 ? (size_t)n : 0;
    s->side = ARENA_ARRAY(s->q->arena, struct side, s->nsides + 1);
    for (int p = 0; p < n; p++) {
        struct side *side = &s->side[p];

        side->partition = p;
        side->chunk = CHUNK_LEAST;
        if (!letters_ends(s->log, p, &side->low, &side->scanned, &s->q->err))
            return false;
        side->done = side->scanned == side->low;
    }
    return n >= 0;
}

static bool list(struct scan *s)
{
    if (s->q->after.n > 0 && !read_cursor(s)) {
        s->q->what = LETTERS_WRONG;
        return err_set(&s->q->err, "after: not a cursor that this call gave");
    }
    if (!walk(s))
        return false;
    merge(s);
    s->q->what = LETTERS_FOUND;
    return true;
}

/* ---- one */

struct wanted {
    struct scan *scan;
    struct slice id; /* empty: by its place */
    enum topic topic;
    int64_t partition, offset;
    struct slice row; /* the newest that fits, so far */
};

static struct slice take_part(struct slice *rest)
{
    const char *end = rest->n > 0 ? memchr(rest->p, '/', rest->n) : NULL;
    struct slice part = {rest->p, end != NULL ? (size_t)(end - rest->p) : rest->n};
    size_t used = part.n + (end != NULL);

    *rest = (struct slice){rest->p + used, rest->n - used};
    return part;
}

static bool parse_wanted(struct slice text, struct wanted *w)
{
    struct slice rest = text;

    if (memchr(text.p, '/', text.n) == NULL) {
        w->id = text;
        w->partition = -1;
        return true;
    }
    return topic_parse(take_part(&rest), &w->topic) && parse_i64(take_part(&rest), &w->partition) &&
           parse_i64(take_part(&rest), &w->offset) && rest.n == 0 && w->partition >= 0 && w->offset >= 0;
}

static bool is_it(const struct wanted *w, const struct record *r)
{
    enum topic topic;
    int64_t partition, offset;

    if (w->id.n > 0)
        return slice_eq(letters_header(r, "ce_id"), w->id);
    if (w->topic == TOPIC_REJECTED)
        return r->offset == w->offset;
    return topic_parse(letters_header(r, "duban_topic"), &topic) && topic == w->topic &&
           parse_i64(letters_header(r, "duban_partition"), &partition) && partition == w->partition &&
           parse_i64(letters_header(r, "duban_offset"), &offset) && offset == w->offset;
}

static bool visit_one(void *ctx, const struct record *r)
{
    struct wanted *w = ctx;

    if (is_it(w, r))
        w->row = letters_row(w->scan->log, r, true, false, w->scan->q->arena);
    return true;
}

static bool find(struct scan *s, struct wanted *w)
{
    for (size_t i = 0; i < s->nsides && w->row.p == NULL; i++) {
        struct side *side = &s->side[i];

        if (w->partition >= 0 && side->partition != w->partition)
            continue;
        if (w->id.n == 0 && w->topic == TOPIC_REJECTED) {
            side->scanned = w->offset + 1 < side->scanned ? w->offset + 1 : side->scanned;
            side->low = w->offset > side->low ? w->offset : side->low;
        }
        while (side->scanned > side->low && w->row.p == NULL) {
            int64_t from = side->scanned - side->chunk > side->low ? side->scanned - side->chunk : side->low;

            if (!letters_read(s->log, side->partition, from, side->scanned, visit_one, w, &s->q->err))
                return false;
            side->scanned = from;
            side->chunk = CHUNK_MOST;
        }
    }
    return true;
}

static bool one(struct scan *s)
{
    struct letters_ask *q = s->q;
    struct wanted w = {.scan = s};

    if (!parse_wanted(q->id, &w)) {
        q->what = LETTERS_WRONG;
        return err_set(&q->err, "\"%.*s\": expected a dead letter's id, TOPIC/PARTITION/OFFSET of the refused record, or "
                                "rejected/PARTITION/OFFSET", SLICE_ARG(q->id));
    }
    if (!find(s, &w))
        return false;
    q->what = w.row.p != NULL ? LETTERS_FOUND : LETTERS_NONE;
    if (w.row.p != NULL)
        *(struct slice *)arena_push(q->arena, &q->row, &q->n, &q->cap, sizeof *q->row) = w.row;
    return true;
}

void letters_answer(struct letters_log *log, struct letters_ask *q)
{
    struct scan s = {.log = log, .q = q, .until = worker_monotonic() + LOOK_MS};

    q->what = LETTERS_LATER;
    if (open_sides(&s))
        q->id.n > 0 ? one(&s) : list(&s);
}
