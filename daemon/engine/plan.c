/* A workflow's history as what is to be run again: its inputs in order, with every correction applied. */
#include "engine/rerun.h"

/* ---- entries */

static struct entry *entry_add(struct plan *plan, const struct entry *e)
{
    struct entry *slot = arena_push(plan->arena, &plan->entry, &plan->n, &plan->cap, sizeof *slot);

    *slot = *e;
    return slot;
}

/* Behind everything that was received by then. */
static struct entry *entry_insert(struct plan *plan, const struct entry *e)
{
    entry_add(plan, e);
    size_t at = plan->n - 1;
    for (; at > 0 && plan->entry[at - 1].received > e->received; at--)
        plan->entry[at] = plan->entry[at - 1];
    plan->entry[at] = *e;
    return &plan->entry[at];
}

static void entry_remove(struct plan *plan, const struct entry *e)
{
    size_t at = (size_t)(e - plan->entry);

    plan->n--;
    memmove(plan->entry + at, plan->entry + at + 1, (plan->n - at) * sizeof *plan->entry);
}

/* Of several under one name, the one that was applied stands for it; corrections come last. */
static struct entry *entry_find(struct plan *plan, const struct record_ref *ref)
{
    struct entry *best = NULL;
    int rank = 0;

    for (size_t i = 0; i < plan->n; i++) {
        struct entry *e = &plan->entry[i];
        int r = e->kind != ENTRY_INPUT ? 1 : e->rejected ? 2 : 3;

        if (e->kind > ENTRY_CORRECTION || r <= rank || !slice_eq(e->source, ref->source) ||
            !slice_eq(e->id, ref->id))
            continue;
        best = e;
        rank = r;
    }
    return best;
}

/* ---- one correction */

/* The entry that a correction names; NULL with a reason. */
static struct entry *named(struct plan *plan, const struct record_ref *ref, struct reasons *why)
{
    struct entry *e = entry_find(plan, ref);

    if (e == NULL)
        reasons_add(why, "record: the history of workflow %.*s has no record %.*s from source %.*s",
                    SLICE_ARG(plan->workflow), SLICE_ARG(ref->id), SLICE_ARG(ref->source));
    else if (e->kind != ENTRY_INPUT)
        reasons_add(why, "record: %.*s is a %s, which cannot be corrected", SLICE_ARG(ref->id),
                    e->kind == ENTRY_DEFINITION ? "definition" : "correction");
    else if (e->annulled)
        reasons_add(why, "record: %.*s is annulled already", SLICE_ARG(ref->id));
    else
        return e;
    return NULL;
}

static void annul_measure(struct plan *plan, struct slice id, struct reasons *why)
{
    struct trace *t = trace_named(&plan->traces, id);

    if (t == NULL)
        reasons_add(why, "measure_id: workflow %.*s has issued no measure %.*s", SLICE_ARG(plan->workflow),
                    SLICE_ARG(id));
    else if (t->status == TRACE_PROPOSED)
        reasons_add(why, "measure_id: %.*s is proposed, not issued: decline it", SLICE_ARG(id));
    else if (t->status == TRACE_WITHDRAWN || t->annulled)
        reasons_add(why, "measure_id: %.*s is withdrawn already", SLICE_ARG(id));
    else
        t->annulled = true;
}

/* What was refused under its name goes with it: it, or a redrive of it, could come in without the one that was applied. */
static void annul_all(struct plan *plan, const struct entry *named)
{
    for (size_t i = 0; i < plan->n; i++) {
        struct entry *e = &plan->entry[i];

        if (e->kind == ENTRY_INPUT && slice_eq(e->source, named->source) && slice_eq(e->id, named->id))
            e->annulled = true;
    }
}

static void annul(struct plan *plan, const struct input *in, instant_t now, struct reasons *why)
{
    (void)now;
    if (in->measure_id.n > 0) {
        annul_measure(plan, in->measure_id, why);
        return;
    }
    struct entry *e = named(plan, &in->request, why);
    if (e == NULL)
        return;
    if (e->rejected && e->with == NULL)
        reasons_add(why, "record: %.*s was rejected, so nothing follows from it", SLICE_ARG(in->request.id));
    else
        annul_all(plan, e);
}

static void check_class(const struct input *with, struct reasons *why)
{
    static const enum input_class never[] = {INPUT_CLOCK,     INPUT_DEFINITION, INPUT_ANNUL,
                                             INPUT_SUPERSEDE, INPUT_DECIDE,     INPUT_EXCUSE};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (with->class_ == never[i])
            reasons_add(why, "replacement: a %.*s cannot stand in a record's place",
                        SLICE_ARG(with->class_name));
}

static const struct cloud_event *replacement(struct plan *plan, const struct input *in, struct slice source,
                                             struct slice id, struct reasons *why)
{
    struct cloud_event *with = ARENA_NEW(plan->arena, struct cloud_event);
    struct input own = *in, decoded = {.received = INSTANT_NONE};
    size_t before = why->n;

    own.replacement = arena_dup(plan->arena, in->replacement);
    own.workflow = plan->workflow;
    if (wire_replacement(&own, arena_dup(plan->arena, source), arena_dup(plan->arena, id), plan->arena, with,
                         why) &&
        wire_input(with, plan->arena, &decoded, why))
        check_class(&decoded, why);
    return why->n == before ? with : NULL;
}

static void supersede(struct plan *plan, const struct input *in, instant_t now, struct reasons *why)
{
    bool late = in->request.source.n == 0;
    struct entry *e = late ? NULL : named(plan, &in->request, why);
    const struct cloud_event *with =
        replacement(plan, in, late ? in->source : in->request.source, late ? in->id : in->request.id, why);

    if (e != NULL && e->excuse)
        reasons_add(why, "record: %.*s is an excuse: annul it, and excuse anew", SLICE_ARG(in->request.id));
    if (in->received_as != INSTANT_NONE && in->received_as > now)
        reasons_add(why, "received: lies in the future");
    if (in->received_as != INSTANT_NONE && plan->n > 0 && in->received_as < plan->entry[0].received)
        reasons_add(why, "received: workflow %.*s was not in force then", SLICE_ARG(plan->workflow));
    if (why->n > 0)
        return;
    struct entry moved =
        late ? (struct entry){.kind = ENTRY_INPUT, .source = with->source, .id = with->id} : *e;
    moved.with = with;
    moved.rejected = false;
    if (in->received_as == INSTANT_NONE) {
        *e = moved;
        plan->newest = e;
        return;
    }
    moved.received = in->received_as;
    if (!late)
        entry_remove(plan, e);
    plan->newest = entry_insert(plan, &moved);
}

static void decide(struct plan *plan, const struct input *in, instant_t now, struct reasons *why)
{
    (void)why;
    entry_add(plan, &(struct entry){.kind = in->issue ? ENTRY_ISSUE : ENTRY_DECLINE,
                                    .received = now,
                                    .source = arena_dup(plan->arena, in->source),
                                    .id = arena_dup(plan->arena, in->id),
                                    .decided = arena_dup(plan->arena, in->measure_id)});
}

void plan_correct(struct plan *plan, const struct input *in, instant_t now, struct reasons *why)
{
    plan->newest = NULL;
    (in->class_ == INPUT_ANNUL       ? annul
     : in->class_ == INPUT_SUPERSEDE ? supersede
                                     : decide)(plan, in, now, why);
}

/* ---- history */

static const struct {
    const char *type;
    enum entry_kind kind;
} kinds[] = {
    {"duban.v1.Definition", ENTRY_DEFINITION},      {"duban.v1.Annul", ENTRY_CORRECTION},
    {"duban.v1.Supersede", ENTRY_CORRECTION},       {"duban.v1.Decide", ENTRY_CORRECTION},
    {"duban.v1.DeadlineReached", ENTRY_CORRECTION},
};

static enum entry_kind kind_of(struct slice type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(type, slice_of(kinds[i].type)))
            return kinds[i].kind;
    return ENTRY_INPUT;
}

static void copy_excused(struct plan *plan, const struct history_turn *turn, struct entry *e)
{
    struct arena *a = plan->arena;

    e->excused = ARENA_ARRAY(a, struct excused, turn->nexcused);
    e->nexcused = turn->nexcused;
    for (size_t i = 0; i < turn->nexcused; i++) {
        e->excused[i] = turn->excused[i];
        e->excused[i].machine = arena_dup(a, turn->excused[i].machine);
        e->excused[i].grounds = arena_dup(a, turn->excused[i].grounds);
        for (size_t k = 0; k < e->excused[i].nkey; k++)
            e->excused[i].key[k] = arena_dup(a, turn->excused[i].key[k]);
    }
}

/* A correction that was taken, decoded again; false: the record is none. */
static bool correction_of(const struct history_turn *turn, struct arena *scratch, struct input *in)
{
    const struct record *r = &turn->input;
    struct reasons dropped = {.arena = scratch};
    struct cloud_event event;

    *in = (struct input){.received = turn->now};
    return cloud_event_from_headers(r->header, r->nheaders, r->key, r->value, &event, &dropped) &&
           wire_input(&event, scratch, in, &dropped) &&
           (in->class_ == INPUT_ANNUL || in->class_ == INPUT_SUPERSEDE || in->class_ == INPUT_DECIDE);
}

/* What a Supersede issued at once was decided by it. */
static void decide_at_once(struct plan *plan, struct slice history, const struct history_turn *turn,
                           struct arena *scratch)
{
    struct slice *proposal;
    size_t n;

    if (!wire_history_proposals(history, scratch, &proposal, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct reasons none = {.arena = scratch};
        struct input in = {.issue = true, .source = turn->source, .id = turn->id};
        struct proposal m;

        if (wire_proposal_read(NULL, proposal[i], scratch, &m, NULL)) {
            in.measure_id = m.view.id;
            decide(plan, &in, turn->now, &none);
        }
    }
}

/* A redrive goes by the name of what it holds, if it was refused, too. */
static void take_name(struct history_turn *turn, struct arena *scratch)
{
    const struct record *r = &turn->input;
    struct reasons dropped = {.arena = scratch};
    struct cloud_event event;
    struct redriven held;

    if (slice_eq(turn->type, S("duban.v1.Redrive")) &&
        cloud_event_from_headers(r->header, r->nheaders, r->key, r->value, &event, &dropped) &&
        wire_redriven(&event, scratch, &held, &dropped)) {
        turn->source = held.event.source;
        turn->id = held.event.id;
    }
}

static enum turn_status read_turn(struct plan *plan, struct slice bytes, struct arena *scratch,
                                  struct err *err)
{
    struct history_turn turn;
    struct input in = {.class_ = INPUT_OTHER};

    if (!wire_history_turn(bytes, scratch, &turn, err))
        return TURN_FAILED;
    take_name(&turn, scratch);
    plan->turns++;
    plan->halted += turn.verdict == VERDICT_HALTED;
    bool came = turn.input.value.p != NULL && turn.source.n > 0 && turn.id.n > 0;
    enum entry_kind kind = came ? kind_of(turn.type) : ENTRY_INPUT;
    bool taken = turn.verdict != VERDICT_REJECTED;
    if (came && kind == ENTRY_CORRECTION && taken && correction_of(&turn, scratch, &in)) {
        struct reasons none = {.arena = scratch};
        plan_correct(plan, &in, turn.now, &none);
    }
    if (came && (kind != ENTRY_DEFINITION || taken)) {
        struct entry *e = entry_add(plan, &(struct entry){.kind = kind,
                                                          .sequence = turn.sequence,
                                                          .received = turn.now,
                                                          .source = arena_dup(plan->arena, turn.source),
                                                          .id = arena_dup(plan->arena, turn.id),
                                                          .rejected = !taken});
        e->excuse = slice_eq(turn.type, S("duban.v1.Excuse"));
        copy_excused(plan, &turn, e);
    }
    bool at_once = in.class_ == INPUT_SUPERSEDE && in.reissue;
    if (at_once)
        decide_at_once(plan, bytes, &turn, scratch);
    if (traces_read(&plan->traces, bytes, turn.sequence, at_once || in.class_ == INPUT_DECIDE, scratch))
        return TURN_DONE;
    err_set(err, "history record %llu of workflow %.*s cannot be read", (unsigned long long)turn.sequence,
            SLICE_ARG(plan->workflow));
    return TURN_FAILED;
}

enum turn_status plan_read(struct plan *plan, struct store_txn *t, struct slice workflow, struct err *err)
{
    struct store_iter *i = store_iter_new(t, TABLE_HISTORY);
    struct arena *scratch = arena_new();
    enum turn_status st = TURN_DONE;
    struct slice key, value;
    struct key prefix;

    *plan = (struct plan){.arena = arena_new()};
    plan->workflow = arena_dup(plan->arena, workflow);
    plan->traces.arena = plan->arena;
    key_workflow(&prefix, workflow);
    for (bool more = store_iter_seek(i, key_slice(&prefix), &key, &value);
         st == TURN_DONE && more && key_has_prefix(key, key_slice(&prefix));
         more = store_iter_next(i, &key, &value)) {
        arena_reset(scratch);
        st = read_turn(plan, value, scratch, err);
    }
    arena_free(scratch);
    store_iter_free(i);
    return st;
}

void plan_free(struct plan *plan)
{
    traces_free(&plan->traces);
    arena_free(plan->arena);
}
