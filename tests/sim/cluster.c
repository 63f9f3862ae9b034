/* The broker's logs: records and markers take offsets; what a transaction wrote becomes stable, or vanishes
 * for those who read committed, with its marker. */
#include "sim.h"

#include "bus/merge.h"

#include <string.h>

bool broker_up;
struct log logs[TOPIC_COUNT][PARTITIONS_MOST];

void cluster_start(void)
{
    broker_up = true;
    for (int t = 0; t < TOPIC_COUNT; t++)
        for (int p = 0; p < PARTITIONS_MOST; p++) {
            logs[t][p].topic = (enum topic)t;
            logs[t][p].partition = p;
            snprintf(logs[t][p].name, sizeof logs[t][p].name, "%s", topic_names[t]);
        }
}

bool broker_is_up(void *unused)
{
    (void)unused;
    return broker_up;
}

struct log *log_of(const char *topic, int partition)
{
    for (int t = 0; t < TOPIC_COUNT; t++)
        if (strcmp(logs[t][0].name, topic) == 0 && partition >= 0 && partition < plan.partitions)
            return &logs[t][partition];
    return NULL;
}

static struct slice copy(struct slice s)
{
    char *p = mem_alloc(s.n + 1);
    if (!s.p)
        return (struct slice){0};
    memcpy(p, s.p, s.n);
    return (struct slice){p, s.n};
}

static void visible(void *arg)
{
    consumers_stir(arg);
}

/* Nobody sees a record before it is written and its replicas have it, and none before the one ahead of it. */
static void appear(struct log *l, struct entry *e)
{
    e->seen_at += between(0, plan.behind);
    if (l->n > 0 && l->entry[l->n - 1]->seen_at > e->seen_at)
        e->seen_at = l->entry[l->n - 1]->seen_at;
    later(e->seen_at - now, NULL, visible, l);
}

static struct entry *append(struct log *l)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->entry = mem_grow(l->entry, l->cap * sizeof *l->entry);
    }
    struct entry *e = mem_alloc(sizeof *e);
    e->offset = (int64_t)l->n;
    e->ts_ms = wall_ms(NULL);
    e->seen_at = now;
    if (plan.behind > 0 && l->topic < MERGE_LANES)
        appear(l, e);
    l->entry[l->n++] = e;
    return e;
}

struct entry *log_append(struct log *l, struct share *share, struct slice key, struct slice value,
                         const struct header *header, size_t nheaders)
{
    struct entry *e = append(l);
    e->share = share;
    e->key = copy(key);
    e->value = copy(value);
    e->header = mem_alloc((nheaders + 1) * sizeof *e->header);
    for (size_t i = 0; i < nheaders; i++)
        e->header[i] = (struct header){copy(header[i].name), copy(header[i].value)};
    e->nheaders = nheaders;
    if (share && share->first < 0) {
        share->first = e->offset;
        share->next = l->open;
        l->open = share;
    }
    consumers_stir(l);
    return e;
}

void log_end_share(struct share *s, bool commit)
{
    struct entry *e = append(s->log);
    e->control = true;
    s->state = commit ? TXN_COMMITTED : TXN_ABORTED;
    for (struct share **at = &s->log->open; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    consumers_stir(s->log);
}

int64_t log_high(const struct log *l)
{
    size_t n = l->n;
    while (n > 0 && l->entry[n - 1]->seen_at > now)
        n--;
    return (int64_t)n;
}

int64_t log_stable(const struct log *l)
{
    int64_t stable = log_high(l);
    for (const struct share *s = l->open; s; s = s->next)
        if (s->first < stable)
            stable = s->first;
    return stable;
}

bool entry_is_data(const struct entry *e)
{
    return !e->control && !e->gone && !(e->share && e->share->state == TXN_ABORTED);
}

bool entry_is_input(const struct entry *e)
{
    return entry_is_data(e) && !(e->nheaders == 1 && slice_eq(e->header[0].name, S("duban_barrier")));
}

/* Of each key below some stable offset the last record stays; the end of the log is never touched. */
void log_compact(struct log *l)
{
    int64_t stable = log_stable(l);
    if (stable < 4)
        return;
    int64_t below = between(1, stable - 2);
    for (int64_t i = 0; i < below; i++) {
        struct entry *e = l->entry[i];
        if (e->control || e->gone)
            continue;
        if (!entry_is_data(e))
            e->gone = true;
        for (int64_t j = i + 1; j < below && !e->gone; j++)
            e->gone = entry_is_data(l->entry[j]) && slice_eq(l->entry[j]->key, e->key);
    }
    trace("%s-%d is compacted below %lld", l->name, l->partition, (long long)below);
}
