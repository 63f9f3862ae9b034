/* Published rankings: a list of places → one event for the list and one for each entry. */
#include "core/turn.h"

#include <stdlib.h>

struct entry {
    struct slice subject;
    int64_t rank, places, tied;
};

/* The subject's own id: a unit's alias stands for the unit. Empty after a problem. */
static struct slice entry_subject(struct turn *t, const struct ranking *r, struct slice subject, size_t index)
{
    struct path list = {.name = S("entries")}, item = {.up = &list, .index = index};
    struct path at = {.up = &item, .name = S("subject")};
    struct value given = {.tag = subject.n ? VALUE_TEXT : VALUE_NA, .text = subject}, typed;
    struct type of = r->of;
    of.optional = false;
    return typing_value(t, &of, &given, &at, &typed) ? typed.text : S("");
}

static void check_entry(struct turn *t, const struct entry *e, size_t index)
{
    if (e->rank < 1)
        problem_add(&t->why, "entries[%zu].rank: expected a place from 1, not %lld", index + 1,
                    (long long)e->rank);
    else if (e->tied < 1)
        problem_add(&t->why, "entries[%zu].tied: expected 1 or more, not %lld", index + 1,
                    (long long)e->tied);
    else if (e->places < e->rank || e->tied - 1 > e->places - e->rank)
        problem_add(&t->why, "entries[%zu].places: rank %lld shared by %lld does not fit into %lld",
                    index + 1, (long long)e->rank, (long long)e->tied, (long long)e->places);
}

static int by_subject(const void *a, const void *b)
{
    return slice_cmp(((const struct entry *)a)->subject, ((const struct entry *)b)->subject);
}

static int by_rank(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return by_subject(a, b);
}

/* A list without places is the whole ranking: it must run 1-2-2-4, and says itself how many share a rank. */
static void complete(struct turn *t, struct entry *e, size_t n)
{
    qsort(e, n, sizeof *e, by_rank);
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first; next < n && e[next].rank == e[first].rank;)
            next++;
        if (e[first].rank != (int64_t)first + 1)
            problem_add(&t->why,
                        "entries: after %zu places the next rank is %zu, not %lld (ties are ranked 1-2-2-4)",
                        first, first + 1, (long long)e[first].rank);
        for (size_t i = first; i < next; i++) {
            if (e[i].tied != 0 && e[i].tied != (int64_t)(next - first))
                problem_add(&t->why, "entries: %.*s says that %lld share rank %lld; the list has %zu",
                            SLICE_ARG(e[i].subject), (long long)e[i].tied, (long long)e[i].rank,
                            next - first);
            e[i].tied = (int64_t)(next - first);
            e[i].places = (int64_t)n;
        }
    }
}

/* Reads the entries; false when anything is wrong with them. */
static bool read_entries(struct turn *t, const struct input *in, const struct ranking *r, struct entry *e)
{
    size_t before = t->why.n, without = 0, n = in->nentries;
    for (size_t i = 0; i < n; i++) {
        const struct input_entry *from = &in->entries[i];
        e[i] = (struct entry){entry_subject(t, r, from->subject, i), from->rank, from->places, from->tied};
        without += from->places == 0;
    }
    if (n == 0)
        problem_add(&t->why, "entries: missing");
    if (without && without < n)
        problem_add(&t->why, "entries: give `places` for every entry or for none, not for %zu of %zu",
                    n - without, n);
    for (size_t i = 0; i < n && without == 0; i++) {
        e[i].tied += e[i].tied == 0;
        check_entry(t, &e[i], i);
    }
    if (t->why.n > before)
        return false;
    if (without)
        complete(t, e, n);
    qsort(e, n, sizeof *e, by_subject);
    for (size_t i = 1; i < n; i++)
        if (slice_eq(e[i - 1].subject, e[i].subject))
            problem_add(&t->why, "entries: %.*s is given more than once", SLICE_ARG(e[i].subject));
    return t->why.n == before;
}

static struct value number(int64_t n)
{
    return (struct value){.tag = VALUE_NUMBER, .number = rat_int(n)};
}

static struct value yesno(bool yes)
{
    return (struct value){.tag = VALUE_YESNO, .yes = yes};
}

static struct event list_event(struct turn *t, const struct ranking *r, struct period period, int64_t places)
{
    const struct kind *k = &t->p->kinds[r->kind_list];
    struct event ev = {.kind = r->kind_list, .field = ARENA_ARRAY(t->arena, struct value, k->nfields)};
    int f = kind_field(k, S("period"));
    if (f >= 0)
        ev.field[f] = (struct value){.tag = VALUE_PERIOD, .period = period};
    f = kind_field(k, S("places"));
    if (f >= 0)
        ev.field[f] = number(places);
    return ev;
}

/* low: the tied group touches the last `tail` places and lies wholly below the middle. last: it touches the
 * last place. */
static struct event entry_event(struct turn *t, const struct ranking *r, struct period period,
                                const struct entry *e)
{
    struct value *f = ARENA_ARRAY(t->arena, struct value, RANKED_FIELDS);
    struct event ev = {.kind = r->kind_entry, .field = f};
    struct acting nobody = {.event = &ev, .timer = -1};
    struct value row = {.tag = VALUE_RECORD, .record = {.field = f, .n = RANKED_FIELDS}};
    f[RANKED_SUBJECT] = (struct value){.tag = VALUE_TEXT, .text = e->subject};
    f[RANKED_PERIOD] = (struct value){.tag = VALUE_PERIOD, .period = period};
    f[RANKED_RANK] = number(e->rank);
    f[RANKED_PLACES] = number(e->places);
    f[RANKED_TIED] = number(e->tied);
    f[RANKED_MIDDLE] = turn_eval_row(t, r->middle, &nobody, &row);
    struct value tail = turn_eval_row(t, r->tail, &nobody, &row);
    int64_t lowest = e->rank + e->tied - 1;
    bool enough = e->places >= r->no_tail_under;
    bool in_tail = tail.tag == VALUE_NUMBER && rat_cmp(rat_int(e->places - lowest), tail.number) < 0;
    bool below_middle =
        f[RANKED_MIDDLE].tag != VALUE_NUMBER || rat_cmp(rat_int(e->rank), f[RANKED_MIDDLE].number) > 0;
    f[RANKED_LOW] = yesno(enough && in_tail && below_middle);
    f[RANKED_LAST] = yesno(enough && lowest == e->places && e->rank > 1);
    return ev;
}

static void queue_by(struct turn *t, instant_t received, struct slice by, struct event ev)
{
    ev.received = received;
    ev.by = by;
    turn_queue(t, &ev);
}

/* The list, then its entries by subject. */
static void queue_all(struct turn *t, const struct ranking *r, struct period period, const struct entry *e, size_t n,
                      instant_t received, struct slice by)
{
    int64_t places = 0;
    for (size_t i = 0; i < n; i++)
        places = e[i].places > places ? e[i].places : places;
    queue_by(t, received, by, list_event(t, r, period, places));
    for (size_t i = 0; i < n && !t->failed; i++)
        queue_by(t, received, by, entry_event(t, r, period, &e[i]));
}

bool ranking_ranks(const struct turn *t, const struct ranking *r, struct slice unit, struct period period)
{
    date_t last = period_end(period) - 1;
    const struct unit *u = program_unit(t->p, unit, last < t->today ? last : t->today);
    for (size_t i = 0; u && i < r->nof_roles; i++)
        if (unit_has_role(u, r->of_roles[i]))
            return true;
    return r->nof_roles == 0;
}

void ranking_queue(struct turn *t, const struct input *in, const struct ranking *r, struct period period,
                   struct slice by)
{
    struct entry *e = ARENA_ARRAY(t->arena, struct entry, in->nentries);
    if (!read_entries(t, in, r, e) || t->why.n)
        return;
    for (size_t i = 0; i < in->nentries; i++)
        if (!ranking_ranks(t, r, e[i].subject, period))
            problem_add(&t->why, "entries: %.*s is not among those that %.*s ranks for %.*s", SLICE_ARG(e[i].subject),
                        SLICE_ARG(r->name), SLICE_ARG(period_format(t->arena, period)));
    if (t->why.n == 0)
        queue_all(t, r, period, e, in->nentries, in->received, by);
}

/* ---- from totals */

static int score_cmp(const void *a, const void *b)
{
    const struct ranking_score *x = a, *y = b;
    int c = rat_cmp(y->total, x->total);
    return c ? c : slice_cmp(x->subject, y->subject);
}

static void reverse(struct ranking_score *s, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct ranking_score swap = s[i];
        s[i] = s[n - 1 - i];
        s[n - 1 - i] = swap;
    }
}

/* 1-2-2-4: whoever follows a tied group has as many before them as there are. */
void ranking_compute(struct turn *t, const struct ranking *r, struct period period, struct ranking_score *score,
                     size_t n, const struct event *caused)
{
    struct entry *e = ARENA_ARRAY(t->arena, struct entry, n);
    if (n)
        qsort(score, n, sizeof *score, score_cmp);
    if (r->lowest_first)
        reverse(score, n);
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first; next < n && rat_cmp(score[next].total, score[first].total) == 0;)
            next++;
        for (size_t i = first; i < next; i++)
            e[i] = (struct entry){score[i].subject, (int64_t)first + 1, (int64_t)n, (int64_t)(next - first)};
    }
    if (n)
        qsort(e, n, sizeof *e, by_subject);
    queue_all(t, r, period, e, n, t->now, caused->by);
}
