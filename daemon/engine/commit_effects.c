/* Storing a turn. Only commit_instance writes instances and timers: the two never part. */
#include "engine/flow.h"

/* ---- timers: each that is armed has an entry in the index at its due instant, or before it. One that is moved
 * leaves its entry where it is, since most are moved again before the clock gets there; then it follows its timer
 * (drain.c). So an entry means something only together with its instance. */

void commit_timer_key(struct key *k, const struct flow *f, const struct instance *i, const struct timer *timer)
{
    const struct machine *m = &f->program->machines[i->machine];

    key_timer(k, f->id, timer->due, m->name, i->key, m->nkey, m->timers[timer->def].name, timer->n);
}

static const struct timer *armed(const struct instance *i, const struct timer *as)
{
    for (size_t at = 0; i != NULL && at < i->ntimers; at++)
        if (!i->timers[at].held && i->timers[at].def == as->def && i->timers[at].n == as->n)
            return &i->timers[at];
    return NULL;
}

/* now: what the timer became; NULL: it is armed no more. What the clock has reached would be looked at next. */
static bool entry_stays(const struct flow *f, const struct timer *was, const struct timer *now)
{
    return now != NULL && (now->due == was->due || was->due > f->clock);
}

static bool entry_serves(const struct flow *f, const struct timer *was, const struct timer *now)
{
    return was != NULL && now->due >= was->due && entry_stays(f, was, now);
}

enum turn_status commit_timer(struct store_txn *t, struct flow *f, const struct instance *i,
                              const struct timer *timer, struct err *err)
{
    struct key k;

    commit_timer_key(&k, f, i, timer);
    enum turn_status st = engine_put(t, TABLE_TIMER, key_slice(&k), (struct slice){NULL, 0}, err);
    if (timer->due < f->first)
        f->first = timer->due;
    if (f->next_known && timer->due < f->next_due)
        f->next_due = timer->due;
    return st;
}

/* It is due at that instant no more. */
static void timer_left(struct flow *f, const struct timer *timer)
{
    if (timer->due <= f->next_due)
        f->next_known = false;
}

static enum turn_status timer_delete(struct store_txn *t, struct flow *f, const struct instance *i,
                                     const struct timer *timer, struct err *err)
{
    struct key k;

    commit_timer_key(&k, f, i, timer);
    timer_left(f, timer);
    return engine_delete(t, TABLE_TIMER, key_slice(&k), err);
}

static enum turn_status timer_change(struct store_txn *t, struct flow *f, const struct instance *i,
                                     const struct timer *was, const struct timer *now, struct err *err)
{
    if (!entry_stays(f, was, now))
        return timer_delete(t, f, i, was, err);
    if (now->due != was->due)
        timer_left(f, was);
    return TURN_DONE;
}

enum turn_status commit_timers(struct store_txn *t, struct flow *f, const struct instance *i, struct err *err)
{
    enum turn_status st = TURN_DONE;

    for (size_t at = 0; st == TURN_DONE && at < i->ntimers; at++)
        if (!i->timers[at].held)
            st = commit_timer(t, f, i, &i->timers[at], err);
    return st;
}

enum turn_status commit_timers_gone(struct store_txn *t, struct flow *f, const struct instance *was,
                                    const struct program *new, const struct instance *now, struct err *err)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < was->ntimers; i++) {
        struct slice name = f->program->machines[was->machine].timers[was->timers[i].def].name;
        bool kept = was->timers[i].held;

        for (size_t k = 0; !kept && k < now->ntimers; k++)
            kept = now->timers[k].n == was->timers[i].n &&
                   slice_eq(new->machines[now->machine].timers[now->timers[k].def].name, name);
        if (!kept)
            st = timer_delete(t, f, was, &was->timers[i], err);
    }
    return st;
}

/* ---- instances */

enum turn_status commit_instance(struct engine *e, struct store_txn *t, struct flow *f, struct slice key,
                                 struct slice bytes, const struct instance *was, const struct instance *now,
                                 struct err *err)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && was != NULL && i < was->ntimers; i++)
        if (!was->timers[i].held)
            st = timer_change(t, f, was, &was->timers[i], armed(now, &was->timers[i]), err);
    for (size_t i = 0; st == TURN_DONE && now != NULL && i < now->ntimers; i++)
        if (!now->timers[i].held && !entry_serves(f, armed(was, &now->timers[i]), &now->timers[i]))
            st = commit_timer(t, f, now, &now->timers[i], err);
    if (st != TURN_DONE)
        return st;
    return bytes.p != NULL ? state_put(e, t, TABLE_INSTANCE, key, bytes, err)
                           : state_delete(e, t, TABLE_INSTANCE, key, err);
}

bool effects_check_keys(const struct turn *turn, const struct effects *fx, struct reasons *why)
{
    for (size_t i = 0; i < fx->nchanged; i++) {
        const struct instance *instance = fx->changed[i];
        const struct machine *m = &turn->program->machines[instance->machine];
        size_t bytes = 0;

        if (fx->was[i] != NULL)
            continue; /* its key is in the store */
        for (size_t part = 0; part < m->nkey; part++) {
            bytes += instance->key[part].n;
            if (slice_is_printable(instance->key[part]))
                continue;
            reasons_add(why, "machine %.*s: %.*s holds a control character, it cannot be part of a key",
                        SLICE_ARG(m->name), SLICE_ARG(m->key[part].name));
            return false;
        }
        if (bytes > KEY_BYTES_MAX) {
            reasons_add(why, "machine %.*s: its key takes %zu bytes, at most %d are possible",
                        SLICE_ARG(m->name), bytes, KEY_BYTES_MAX);
            return false;
        }
    }
    return true;
}

static enum turn_status commit_removed(struct turn *turn, const struct effects *fx)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < fx->nremoved; i++) {
        const struct instance *was = fx->removed[i];
        const struct machine *m = &turn->program->machines[was->machine];
        struct key k;

        key_instance(&k, turn->flow->id, m->name, was->key, m->nkey);
        st = commit_instance(turn->engine, turn->txn, turn->flow, key_slice(&k), (struct slice){NULL, 0}, was, NULL,
                             turn->err);
    }
    return st;
}

enum turn_status commit_instances(struct turn *turn, const struct effects *fx)
{
    enum turn_status removed = commit_removed(turn, fx);

    if (removed != TURN_DONE)
        return removed;
    for (size_t i = 0; i < fx->nchanged; i++) {
        const struct instance *instance = fx->changed[i];
        const struct machine *m = &turn->program->machines[instance->machine];
        struct slice bytes = wire_instance_pack(turn->program, instance, turn->arena);
        struct key k;

        key_instance(&k, turn->flow->id, m->name, instance->key, m->nkey);
        enum turn_status st = commit_instance(turn->engine, turn->txn, turn->flow, key_slice(&k), bytes,
                                              fx->was[i], instance, turn->err);
        if (st != TURN_DONE)
            return st;
    }
    return TURN_DONE;
}

enum turn_status commit_numbers(struct turn *turn, const struct effects *fx)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < fx->nnumbers; i++) {
        unsigned char last[8];
        struct key k;

        key_number(&k, turn->flow->id, fx->numbers[i].series, fx->numbers[i].year);
        put_be64(last, (uint64_t)fx->numbers[i].last);
        st = state_put(turn->engine, turn->txn, TABLE_NUMBER, key_slice(&k),
                       (struct slice){(const char *)last, 8}, turn->err);
    }
    return st;
}

/* ---- history, and where measures are in it */

static enum turn_status put_place(struct store_txn *t, enum table_id table, const struct key *k, uint64_t sequence,
                                  size_t i, struct err *err)
{
    unsigned char at[16];

    put_be64(at, sequence);
    put_be64(at + 8, i);
    return engine_put(t, table, key_slice(k), (struct slice){(const char *)at, sizeof at}, err);
}

/* Where the document that an output carries is to be found. */
static enum turn_status commit_document(struct store_txn *t, struct slice workflow, uint64_t sequence,
                                        const struct record *output, size_t i, struct err *err)
{
    struct arena *a = arena_new();
    struct document_view d;
    enum turn_status st = TURN_DONE;
    struct key k;

    if (wire_document(output, a, &d)) {
        key_document(&k, workflow, d.id);
        st = put_place(t, TABLE_DOCUMENT, &k, sequence, i, err);
    }
    arena_free(a);
    return st;
}

/* Where the withdrawal is to be found that an output is: of a measure with a document; the first that tells of it. */
static enum turn_status commit_withdrawn(struct store_txn *t, struct slice workflow, uint64_t sequence,
                                         const struct record *output, size_t i, struct err *err)
{
    struct arena *a = arena_new();
    struct withdrawn_view w;
    enum turn_status st = TURN_DONE;
    struct slice place;
    struct key k;

    if (wire_withdrawn(output, a, &w)) {
        key_document(&k, workflow, w.measure);
        if (store_get(t, TABLE_DOCUMENT, key_slice(&k), &place) == STORE_OK &&
            store_get(t, TABLE_WITHDRAWN, key_slice(&k), &place) == STORE_NOT_FOUND)
            st = put_place(t, TABLE_WITHDRAWN, &k, sequence, i, err);
    }
    arena_free(a);
    return st;
}

enum turn_status commit_measures(struct store_txn *t, struct slice workflow, uint64_t sequence,
                                 const struct record *outputs, size_t n, bool documents, struct err *err)
{
    enum turn_status st = TURN_DONE;

    for (size_t i = 0; st == TURN_DONE && i < n; i++) {
        struct key k;

        if (documents && wire_has_document(&outputs[i]))
            st = commit_document(t, workflow, sequence, &outputs[i], i, err);
        if (st == TURN_DONE && documents && wire_is_withdrawal(&outputs[i]))
            st = commit_withdrawn(t, workflow, sequence, &outputs[i], i, err);
        if (outputs[i].topic != TOPIC_WARNINGS && outputs[i].topic != TOPIC_SUPERVISION)
            continue;
        key_measure(&k, workflow, sequence, (uint32_t)i);
        if (st == TURN_DONE)
            st = engine_put(t, TABLE_MEASURE, key_slice(&k), (struct slice){NULL, 0}, err);
    }
    return st;
}

enum turn_status commit_history(struct turn *turn, const struct effects *fx, const struct record *outputs,
                                size_t n, bool documents)
{
    struct engine *e = turn->engine;
    struct flow *f = turn->flow;
    struct slice bytes = wire_history_pack(turn->program, fx, turn->input, outputs, n, &f->head, turn->arena);
    const struct record history = {
        .topic = TOPIC_HISTORY, .offset = -1, .appended = INSTANT_NONE, .key = f->id, .value = bytes};
    struct key k;

    f->dirty = true;
    key_history(&k, f->id, f->head.sequence);
    enum turn_status st = engine_put(turn->txn, TABLE_HISTORY, key_slice(&k), bytes, turn->err);
    if (st == TURN_DONE)
        st = commit_measures(turn->txn, f->id, f->head.sequence, outputs, n, documents, turn->err);
    if (st == TURN_DONE)
        engine_output(e, &history);
    return st;
}

/* ---- a turn */

/* The dead letter of what was refused or halted, else what the measures say. */
static void outputs_of(struct turn *turn, const struct effects *fx, struct record **outputs, size_t *n)
{
    *outputs = NULL;
    *n = 0;
    if (fx->verdict == VERDICT_APPLIED) {
        wire_outputs(turn->program, fx, turn->arena, outputs, n);
    } else if (fx->verdict == VERDICT_HALTED) {
        *outputs = ARENA_NEW(turn->arena, struct record);
        **outputs = wire_halted(turn->program, fx, turn->arena);
        *n = 1;
    }
}

static bool has_documents(const struct effects *fx)
{
    for (size_t i = 0; i < fx->nissued; i++)
        if (fx->issued[i].text.main.n > 0)
            return true;
    return false;
}

static enum turn_status commit_outputs(struct turn *turn, const struct effects *fx)
{
    struct record *outputs;
    size_t n;

    outputs_of(turn, fx, &outputs, &n);
    enum turn_status st = commit_numbers(turn, fx);
    for (size_t i = 0; st == TURN_DONE && i < n; i++)
        engine_output(turn->engine, &outputs[i]);
    return st == TURN_DONE ? commit_history(turn, fx, outputs, n, has_documents(fx)) : st;
}

enum turn_status commit_effects(struct turn *turn, struct effects *fx)
{
    enum turn_status st = commit_instances(turn, fx);

    if (st == TURN_DONE)
        st = commit_proposals(turn, fx);
    if (st == TURN_DONE && turn->engine->rerun == NULL) /* nothing leaves a re-run, and history has it already */
        st = commit_outputs(turn, fx);
    /* Last: the program that the turn was made by may go with it. */
    return st == TURN_DONE && fx->roster != NULL ? roster_keep(turn, fx->roster) : st;
}

enum turn_status commit_rejected(struct turn *turn, const struct effects *fx, const struct record *letter)
{
    if (turn->engine->rerun != NULL)
        return TURN_DONE;
    engine_output(turn->engine, letter);
    return commit_history(turn, fx, letter, 1, false);
}
