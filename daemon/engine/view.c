#include "engine/view.h"

#include "engine/flow.h"

static const struct instance *view_find(void *ctx, int machine, const struct slice *key)
{
    struct view *v = ctx;
    const struct machine *m = &v->program->machines[machine];
    struct key k;
    enum turn_status status;

    key_instance(&k, v->program->id, m->name, key, m->nkey);
    if (v->failed || k.overflow)
        return NULL;
    const struct instance *i = world_load(v->txn, v->program, key_slice(&k), v->arena, &status, v->err);
    v->failed = status != TURN_DONE;
    return i;
}

static void view_scan(void *ctx, int machine, const struct slice *key, size_t nkey,
                      bool (*visit)(void *arg, const struct instance *i), void *arg)
{
    struct view *v = ctx;
    struct key prefix;
    struct slice at, value;

    key_instance(&prefix, v->program->id, v->program->machines[machine].name, key, nkey);
    if (v->failed || prefix.overflow)
        return;
    struct store_iter *i = store_iter_new(v->txn, TABLE_INSTANCE);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value)) {
        const struct instance *found =
            wire_instance_unpack(v->program, arena_dup(v->arena, value), v->arena, v->err);

        v->failed = found == NULL;
        if (v->failed || !visit(arg, found))
            break;
    }
    store_iter_free(i);
}

struct instances view_instances(struct view *v)
{
    return (struct instances){.ctx = v, .find = view_find, .scan = view_scan};
}

instant_t view_clock(struct view *v)
{
    struct flow f = {.id = v->program->id, .clock = INSTANT_NONE};

    v->failed |= flow_load(&f, v->txn, v->err) != TURN_DONE;
    return f.clock;
}
