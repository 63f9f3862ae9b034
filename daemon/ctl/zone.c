#include "ctl/zone.h"

#include <stdio.h>

#include "ctl/json.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define ZONE_BYTES_MAX 65536

static const struct tz *read_zone(struct slice name, struct arena *a)
{
    bool plain = name.n && name.p[0] != '/' && !memmem(name.p, name.n, "..", 2);
    FILE *f = plain ? fopen(arena_printf(a, ZONEINFO "/%.*s", SLICE_ARG(name)).p, "rb") : NULL;
    if (!f)
        return NULL;
    char *bytes = arena_alloc(a, ZONE_BYTES_MAX);
    size_t n = fread(bytes, 1, ZONE_BYTES_MAX, f);
    fclose(f);
    struct err e;
    return tz_parse(a, (struct slice){bytes, n}, &e);
}

static void add_zone(struct zones *z, struct slice line)
{
    json_t *row = json_loadb(line.p, line.n, 0, NULL);
    struct zone *item = arena_push(z->arena, &z->item, &z->n, &z->cap, sizeof *item);
    *item = (struct zone){arena_dup(z->arena, json_member(row, "id")),
                          read_zone(json_member(row, "timezone"), z->arena)};
    json_decref(row);
}

enum ctl_exit zones_load(struct zones *z, const struct ctl_call *call, struct client *c, struct arena *a)
{
    struct client_answer an;
    *z = (struct zones){.arena = a};
    enum ctl_exit got = client_fetch(call, c, S("/v1/workflows"), 0, a, &an);
    for (struct slice line; got == CTL_DONE && client_line(&an.body, &line);)
        add_zone(z, line);
    return got;
}

static const struct tz *zone_of(const struct zones *z, struct slice workflow)
{
    for (size_t i = 0; i < z->n; i++)
        if (slice_eq(z->item[i].workflow, workflow))
            return z->item[i].tz;
    return NULL;
}

struct slice zones_time(const struct zones *z, struct slice workflow, struct slice instant)
{
    const struct tz *tz = zone_of(z, workflow);
    instant_t t;
    return tz && instant_parse(instant, &t) ? instant_format_local(z->arena, tz, t) : instant;
}

struct slice zones_last_day(const struct zones *z, struct slice workflow, struct slice instant)
{
    const struct tz *tz = zone_of(z, workflow);
    instant_t t;
    return tz && instant_parse(instant, &t) ? date_format(z->arena, tz_date(tz, t - 1, NULL)) : instant;
}
