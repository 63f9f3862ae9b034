/* Topics, and the dead letters of what was refused. */
#include <stdio.h>

#include "wire/event.h"
#include "wire/wire.h"

#define PREFIX "duban."

const char *const topic_names[TOPIC_COUNT] = {
    [TOPIC_SUBMISSIONS] = PREFIX "submissions",     [TOPIC_DEADLINES] = PREFIX "deadlines",
    [TOPIC_WARNINGS] = PREFIX "warnings",           [TOPIC_SUPERVISION] = PREFIX "supervision",
    [TOPIC_NOTIFICATIONS] = PREFIX "notifications", [TOPIC_REJECTED] = PREFIX "rejected",
    [TOPIC_CHANGELOG] = PREFIX "changelog",         [TOPIC_HISTORY] = PREFIX "history",
};

bool topic_parse(struct slice name, enum topic *out)
{
    for (int t = 0; t < TOPIC_COUNT; t++) {
        struct slice full = slice_of(topic_names[t]);
        struct slice brief = {full.p + sizeof PREFIX - 1, full.n - (sizeof PREFIX - 1)};
        if (slice_eq(name, full) || slice_eq(name, brief)) {
            *out = (enum topic)t;
            return true;
        }
    }
    return false;
}

/* ---- dead letters */

struct headers {
    struct header *item;
    size_t n;
};

static void add(struct headers *h, const char *name, struct slice value)
{
    h->item[h->n++] = (struct header){slice_of(name), value};
}

static void add_if(struct headers *h, const char *name, struct slice value)
{
    if (value.n)
        add(h, name, value);
}

static void add_envelope(struct headers *h, struct slice id, struct slice workflow, instant_t time,
                         struct arena *a)
{
    add(h, "ce_id", id);
    bool readable = workflow.n && slice_is_utf8(workflow) && slice_is_printable(workflow);
    add(h, "ce_source", readable ? arena_printf(a, "duband/%.*s", SLICE_ARG(workflow)) : S("duband"));
    add(h, "ce_specversion", S("1.0"));
    add(h, "ce_type", S("duban.v1.Rejected"));
    if (time != INSTANT_NONE)
        add(h, "ce_time", instant_format_utc(a, time));
}

/* The same record refused again has the same id, wherever it stands in the log. */
static struct slice rejected_id(const struct record *from, struct slice source, struct slice id,
                                struct arena *a)
{
    struct slice part[] = {S("rejected"), from->key, source, id, from->value};
    return wire_id(a, part, sizeof part / sizeof *part);
}

struct record wire_rejected(const struct record *from, const struct reasons *why, const struct cloud_event *e,
                            struct arena *a)
{
    static const struct {
        const char *ours, *theirs;
    } kept[] = {{"duban_ce_source", "ce_source"},
                {"duban_ce_id", "ce_id"},
                {"duban_ce_type", "ce_type"},
                {"duban_ce_time", "ce_time"}};
    struct headers h = {ARENA_ARRAY(a, struct header, why->n + 16), 0};
    const struct header *content_type = header_find(from->header, from->nheaders, "content-type");
    const struct header *source = header_find(from->header, from->nheaders, "ce_source");
    const struct header *id = header_find(from->header, from->nheaders, "ce_id");
    struct slice of_source = e        ? e->source
                             : source ? source->value
                                      : S(""),
                 of_id = e    ? e->id
                         : id ? id->value
                              : S("");
    add_envelope(&h, rejected_id(from, of_source, of_id, a), from->key, from->appended, a);
    if (content_type)
        add(&h, "content-type", content_type->value);
    for (size_t i = 0; i < why->n; i++)
        add(&h, "duban_reason", why->item[i]);
    add(&h, "duban_topic", slice_of(topic_names[from->topic]));
    add(&h, "duban_partition", arena_printf(a, "%d", from->partition));
    add(&h, "duban_offset", arena_printf(a, "%lld", (long long)from->offset));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const struct header *x = header_find(from->header, from->nheaders, kept[i].theirs);
        if (x)
            add(&h, kept[i].ours, x->value);
    }
    return (struct record){.topic = TOPIC_REJECTED,
                           .partition = from->partition,
                           .offset = -1,
                           .appended = INSTANT_NONE,
                           .key = from->key,
                           .value = from->value,
                           .header = h.item,
                           .nheaders = h.n};
}

struct record wire_halted(const struct program *p, const struct effects *fx, struct arena *a)
{
    struct headers h = {ARENA_ARRAY(a, struct header, fx->nreasons + 10), 0};
    const struct cause *c = &fx->cause;
    struct slice part[] = {S("halted"), p->id, c->instance, c->timer,
                           arena_printf(a, "%lld %lld", (long long)c->due, (long long)c->armed)};
    add_envelope(&h, wire_id(a, part, sizeof part / sizeof *part), p->id, fx->now, a);
    for (size_t i = 0; i < fx->nreasons; i++)
        add(&h, "duban_reason", fx->reasons[i]);
    add_if(&h, "duban_task", c->instance);
    add_if(&h, "duban_timer", c->timer);
    return (struct record){.topic = TOPIC_REJECTED,
                           .offset = -1,
                           .appended = INSTANT_NONE,
                           .key = p->id,
                           .header = h.item,
                           .nheaders = h.n};
}
