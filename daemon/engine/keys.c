#include "engine/keys.h"

void key_start(struct key *k)
{
    k->n = 0;
    k->overflow = false;
}

void key_bytes(struct key *k, struct slice bytes)
{
    if (bytes.n > KEY_MAX - k->n) {
        k->overflow = true;
        return;
    }
    if (bytes.n > 0)
        memcpy(k->byte + k->n, bytes.p, bytes.n);
    k->n += bytes.n;
}

void key_name(struct key *k, struct slice name)
{
    if (name.n >= KEY_MAX - k->n) {
        k->overflow = true;
        return;
    }
    if (name.n > 0)
        memcpy(k->byte + k->n, name.p, name.n);
    k->n += name.n;
    k->byte[k->n++] = '\0';
}

void key_u32(struct key *k, uint32_t v)
{
    unsigned char byte[4];

    put_be32(byte, v);
    key_bytes(k, (struct slice){(const char *)byte, sizeof byte});
}

static void key_u64(struct key *k, uint64_t v)
{
    unsigned char byte[8];

    put_be64(byte, v);
    key_bytes(k, (struct slice){(const char *)byte, sizeof byte});
}

static void key_s64(struct key *k, int64_t v)
{
    unsigned char byte[8];

    put_be64s(byte, v);
    key_bytes(k, (struct slice){(const char *)byte, sizeof byte});
}

void key_workflow(struct key *k, struct slice workflow)
{
    key_start(k);
    key_name(k, workflow);
}

void key_instance(struct key *k, struct slice workflow, struct slice machine, const struct slice *part,
                  size_t nparts)
{
    key_workflow(k, workflow);
    key_name(k, machine);
    for (size_t i = 0; i < nparts; i++)
        key_name(k, part[i]);
}

void key_number(struct key *k, struct slice workflow, struct slice series, int year)
{
    key_workflow(k, workflow);
    key_name(k, series);
    key_u32(k, (uint32_t)year);
}

void key_flow(struct key *k, struct slice workflow)
{
    key_workflow(k, workflow);
    key_name(k, S(""));
}

void key_roster(struct key *k, struct slice workflow, uint32_t n)
{
    key_flow(k, workflow);
    key_name(k, S("roster"));
    key_u32(k, n);
}

bool key_is_roster(struct slice key, struct slice *workflow)
{
    struct slice rest = key, series, name;

    return key_take_name(&rest, workflow) && key_take_name(&rest, &series) && series.n == 0 &&
           key_take_name(&rest, &name) && slice_eq(name, S("roster")) && rest.n == 4;
}

void key_month(struct key *k, int32_t month)
{
    key_start(k);
    key_u32(k, (uint32_t)month);
}

void key_seen(struct key *k, int32_t month, struct slice workflow, struct slice id)
{
    key_month(k, month);
    key_name(k, workflow);
    key_bytes(k, id);
}

void key_seen_chunk(struct key *k, int32_t month, uint64_t batch, uint32_t part)
{
    key_month(k, month);
    key_u64(k, batch);
    key_u32(k, part);
}

void key_timers_from(struct key *k, struct slice workflow, instant_t due)
{
    key_workflow(k, workflow);
    key_s64(k, due);
}

void key_timer(struct key *k, struct slice workflow, instant_t due, struct slice machine,
               const struct slice *part, size_t nparts, struct slice timer, int n)
{
    key_timers_from(k, workflow, due);
    key_name(k, machine);
    for (size_t i = 0; i < nparts; i++)
        key_name(k, part[i]);
    key_name(k, timer);
    key_u32(k, (uint32_t)n);
}

void key_history(struct key *k, struct slice workflow, uint64_t sequence)
{
    key_workflow(k, workflow);
    key_u64(k, sequence);
}

void key_proposal(struct key *k, struct slice workflow, struct slice id)
{
    key_workflow(k, workflow);
    key_bytes(k, id);
}

void key_document(struct key *k, struct slice workflow, struct slice id)
{
    key_workflow(k, workflow);
    key_bytes(k, id);
}

void key_measure(struct key *k, struct slice workflow, uint64_t sequence, uint32_t output)
{
    key_history(k, workflow, sequence);
    key_u32(k, output);
}

bool key_has_prefix(struct slice key, struct slice prefix)
{
    return key.n >= prefix.n && memcmp(key.p, prefix.p, prefix.n) == 0;
}

bool key_take_name(struct slice *rest, struct slice *name)
{
    const char *end = rest->n > 0 ? memchr(rest->p, 0, rest->n) : NULL;

    if (end == NULL)
        return false;
    *name = (struct slice){rest->p, (size_t)(end - rest->p)};
    *rest = (struct slice){end + 1, rest->n - name->n - 1};
    return true;
}

bool key_timer_parse(struct slice key, struct timer_key *out)
{
    struct slice rest = key;

    if (!key_take_name(&rest, &out->workflow) || rest.n < 8 + 2 + 2 + 4)
        return false;
    out->due = get_be64s((const unsigned char *)rest.p);
    rest = (struct slice){rest.p + 8, rest.n - 8};
    out->n = (int)get_be32((const unsigned char *)rest.p + rest.n - 4);
    rest.n -= 4;
    if (rest.p[rest.n - 1] != 0)
        return false;

    /* The timer's name is the last of the names. */
    const char *before = memrchr(rest.p, 0, rest.n - 1);
    if (before == NULL)
        return false;
    out->instance = (struct slice){rest.p, (size_t)(before + 1 - rest.p)};
    out->timer = (struct slice){before + 1, rest.n - out->instance.n - 1};
    return true;
}

bool key_instance_parse(struct slice key, struct instance_key *out)
{
    struct slice rest = key;

    out->nparts = 0;
    if (!key_take_name(&rest, &out->workflow) || !key_take_name(&rest, &out->machine))
        return false;
    while (rest.n > 0) {
        if (out->nparts == KEY_PARTS_MAX || !key_take_name(&rest, &out->part[out->nparts]))
            return false;
        out->nparts++;
    }
    return true;
}

bool key_sequence_parse(struct slice key, struct slice *workflow, uint64_t *sequence, struct slice *rest)
{
    struct slice tail = key;

    if (!key_take_name(&tail, workflow) || tail.n < 8)
        return false;
    *sequence = get_be64((const unsigned char *)tail.p);
    *rest = (struct slice){tail.p + 8, tail.n - 8};
    return true;
}

bool key_month_parse(struct slice key, int32_t *month, struct slice *rest)
{
    if (key.n < 5)
        return false;
    *month = (int32_t)get_be32((const unsigned char *)key.p);
    *rest = (struct slice){key.p + 4, key.n - 4};
    return true;
}

bool key_seen_parse(struct slice key, int32_t *month, struct slice *workflow)
{
    struct slice rest;

    return key_month_parse(key, month, &rest) && key_take_name(&rest, workflow) && rest.n > 0;
}

bool key_seen_chunk_parse(struct slice key, int32_t *month)
{
    struct slice rest;

    return key_month_parse(key, month, &rest) && rest.n == 8 + 4;
}
