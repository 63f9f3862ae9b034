/* What a turn may ask of the store. The core sees the state before the turn: nothing is written while it
 * runs. */
#include "engine/rerun.h"

/* Bytes are copied first: what is decoded must outlive the writes of this turn. */
struct instance *world_load(struct store_txn *t, const struct program *p, struct slice key, struct arena *a,
                            enum turn_status *status, struct err *err)
{
    struct slice value;
    bool found;

    *status = engine_get(t, TABLE_INSTANCE, key, &value, &found, err);
    if (*status != TURN_DONE || !found)
        return NULL;
    struct instance *i = wire_instance_unpack(p, arena_dup(a, value), a, err);
    if (i == NULL)
        *status = TURN_FAILED;
    return i;
}

void world_told(const struct turn *turn, struct slice key)
{
    if (turn->engine->reader != NULL)
        turn->engine->reader->read(turn->engine->reader->ctx, key);
}

static struct instance *world_find(void *ctx, struct arena *a, int machine, const struct slice *key)
{
    struct turn *turn = ctx;
    const struct machine *m = &turn->program->machines[machine];
    struct key k;
    enum turn_status status;

    if (turn->status != TURN_DONE)
        return NULL;
    key_instance(&k, turn->flow->id, m->name, key, m->nkey);
    if (k.overflow)
        return NULL; /* no such instance can be: effects_check_keys refuses to make one */
    world_told(turn, key_slice(&k));
    struct instance *i = world_load(turn->txn, turn->program, key_slice(&k), a, &status, turn->err);
    if (status != TURN_DONE)
        turn->status = status;
    return i;
}

static void world_scan(void *ctx, struct arena *a, int machine, const struct slice *key, size_t nkey,
                       bool (*visit)(void *arg, struct instance *i), void *arg)
{
    struct turn *turn = ctx;
    struct key prefix;
    struct slice at, value;

    key_instance(&prefix, turn->flow->id, turn->program->machines[machine].name, key, nkey);
    if (turn->status != TURN_DONE || prefix.overflow)
        return;

    struct store_iter *i = store_iter_new(turn->txn, TABLE_INSTANCE);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &at, &value);
         more && key_has_prefix(at, key_slice(&prefix)); more = store_iter_next(i, &at, &value)) {
        world_told(turn, at);
        struct instance *found = wire_instance_unpack(turn->program, arena_dup(a, value), a, turn->err);

        if (found == NULL) {
            turn->status = TURN_FAILED;
            break;
        }
        if (!visit(arg, found))
            break;
    }
    store_iter_free(i);
}

static int64_t world_last_number(void *ctx, struct slice series, int year)
{
    struct turn *turn = ctx;
    struct key k;
    struct slice value;
    bool found;

    key_number(&k, turn->flow->id, series, year);
    if (turn->status != TURN_DONE || k.overflow)
        return 0;
    /* Numbers never move: what a re-run issues takes the live world's next. */
    turn->status = engine_get(turn->engine->rerun != NULL ? turn->engine->rerun->live : turn->txn, TABLE_NUMBER, key_slice(&k), &value, &found, turn->err);
    return turn->status == TURN_DONE && found && value.n == 8
               ? (int64_t)get_be64((const unsigned char *)value.p)
               : 0;
}

struct world world_of(struct turn *turn)
{
    const struct engine *e = turn->engine;

    return (struct world){.ctx = turn,
                          .find = world_find,
                          .scan = world_scan,
                          .last_number = world_last_number,
                          .excused = e->rerun != NULL ? rerun_excused : NULL,
                          .may_issue = e->rerun != NULL ? rerun_may_issue : NULL,
                          .watch = e->watch};
}
